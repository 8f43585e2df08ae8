//! Encodings, charsets and types.

use std::io::Read;

use super::{big_text, get, tag};

fn decoded(coding: Option<&str>, bytes: &[u8]) -> Vec<u8> {
    match coding {
        None => bytes.to_vec(),
        Some("gzip") => {
            let mut out = vec![];
            flate2::read::GzDecoder::new(bytes).read_to_end(&mut out).unwrap();
            out
        }
        Some("zstd") => zstd::decode_all(bytes).unwrap(),
        Some(other) => panic!("{other}: nobody asked for that"),
    }
}

/// Answers that do not change from one to the next, and compress.
const TEXTS: &[&str] = &[
    "/",
    "/saved",
    "/a/one/index.html",
    "/a/three/dir/page.html",
    "/raw/one/content/index.html",
    "/raw/three/content/latin.html",
    "/raw/one/content/style.css",
    "/a/one/style.css",
    "/raw/one/content/drawing.svg",
    "/a/three/data.json",
    "/api/openapi.json",
    "/_tome/tome.js",
];

#[test]
fn s10_every_encoding_gives_the_same_bytes() {
    for target in TEXTS {
        let plain = get(target, "");
        assert_eq!((plain.status, plain.header("content-encoding")), (200, None));
        for (accept, expected) in [
            ("gzip", Some("gzip")),
            ("zstd", Some("zstd")),
            ("gzip, deflate, br, zstd", Some("zstd")),
            ("gzip;q=1.0, zstd;q=0.4", Some("gzip")),
            ("x-unknown, br", None),
            ("gzip;q=0, zstd;q=0", None),
            ("identity", None),
            ("", None),
        ] {
            // Once made, once kept.
            for _ in 0..2 {
                let answer = get(target, &format!("Accept-Encoding: {accept}\r\n"));
                assert_eq!(answer.header("content-encoding"), expected, "{target} {accept}");
                assert!(decoded(expected, &answer.body) == plain.body, "{target} {accept}");
                let varies = answer.headers.iter().any(|(n, v)| n == "vary" && v.contains("accept-encoding"));
                assert!(varies, "{target} {accept}");
                assert_eq!(answer.header("content-type"), plain.header("content-type"));
                assert!(expected.is_none() || answer.body.len() < plain.body.len());
            }
        }
    }
}

#[test]
fn s10_what_is_kept_of_one_archive_is_not_given_for_another() {
    for coding in ["gzip", "zstd"] {
        let body = |name: &str| {
            let answer =
                get(&format!("/raw/{name}/content/index.html"), &format!("Accept-Encoding: {coding}\r\n"));
            String::from_utf8(decoded(Some(coding), &answer.body)).unwrap()
        };
        assert!(body("one").contains("Archive 0") && body("two").contains("Archive 1"));
        assert!(body("three").contains("Archive 2") && body("one").contains("Archive 0"));
    }
}

#[test]
fn s10_the_language_of_a_client_changes_nothing() {
    let plain = get("/a/one/index.html", "");
    for language in ["de", "<script>alert(1)</script>", "xx\u{202e}", "en;q=<b>"] {
        let other =
            get("/a/one/index.html", &format!("Accept-Language: {language}\r\nCookie: userlang=fr\r\n"));
        assert!(other.body == plain.body && tag(&other) == tag(&plain), "{language}");
    }
}

#[test]
fn media_are_sent_as_they_are() {
    for (path, mime) in
        [("sound.ogg", "audio/ogg"), ("even.png", "image/png"), ("big.bin", "application/octet-stream")]
    {
        for place in ["/a/one", "/raw/one/content", "/a/three"] {
            let answer = get(&format!("{place}/{path}"), "Accept-Encoding: gzip, zstd\r\n");
            assert_eq!(answer.header("content-encoding"), None, "{path}");
            assert_eq!(answer.header("vary"), None, "{path}");
            assert_eq!(answer.header("content-type"), Some(mime));
        }
    }
    let file = get("/download/three.zim", "Accept-Encoding: gzip, zstd\r\n");
    assert_eq!(file.header("content-encoding"), None);
    assert!(file.body.starts_with(b"ZIM\x04"));
}

#[test]
fn text_says_its_charset() {
    for (target, mime) in [
        ("/raw/one/content/index.html", "text/html; charset=utf-8"),
        ("/raw/one/content/latin.html", "text/html; charset=windows-1252"),
        ("/raw/three/content/latin.html", "text/html; charset=windows-1252"),
        ("/a/one/latin.html", "text/html; charset=utf-8"),
        ("/raw/one/content/style.css", "text/css; charset=utf-8"),
        ("/raw/one/content/big.txt", "text/plain; charset=utf-8"),
        ("/a/three/big.txt", "text/plain; charset=utf-8"),
        ("/raw/one/content/data.json", "application/json"),
        ("/raw/one/content/drawing.svg", "image/svg+xml; charset=utf-8"),
        ("/robots.txt", "text/plain; charset=utf-8"),
        ("/", "text/html; charset=utf-8"),
        ("/api/archives", "application/json; charset=utf-8"),
    ] {
        let answer = get(target, "");
        let said = answer.header("content-type").unwrap();
        if target == "/a/three/big.txt" {
            assert!(said.ends_with("charset=utf-8"), "{said}");
        } else {
            assert_eq!(said, mime, "{target}");
        }
    }
    assert!(get("/raw/one/content/big.txt", "").body == big_text());
    let page = get("/a/one/latin.html", "");
    assert!(page.text().contains("Un café très serré"));
}
