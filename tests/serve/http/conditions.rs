//! Tags of entities, and requests that depend on them.

use std::collections::HashSet;

use super::{SORTS, ask, get, tag};

const CODINGS: [&str; 3] = ["identity", "gzip", "zstd"];

fn accept(coding: &str) -> String {
    format!("Accept-Encoding: {coding}\r\n")
}

#[test]
fn tags_differ_by_archive_entry_form_and_encoding() {
    let mut tags = HashSet::new();
    for target in [
        "/a/one/index.html",
        "/a/two/index.html",
        "/a/three/index.html",
        "/raw/one/content/index.html",
        "/raw/two/content/index.html",
        "/raw/three/content/index.html",
        "/a/one/dir/index.html",
        "/a/three/dir/index.html",
    ] {
        for coding in CODINGS {
            let tag = tag(&get(target, &accept(coding)));
            assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag} is weak");
            assert!(tags.insert(tag), "{target} {coding}");
        }
    }
    // A page within a page is another form of it.
    let framed = get("/a/one/index.html", "Sec-Fetch-Dest: iframe\r\n");
    assert_ne!(tag(&framed), tag(&get("/a/one/index.html", "")));
    let says = framed.headers.iter().any(|(n, v)| n == "vary" && v.contains("sec-fetch-dest"));
    assert!(says, "{:?}", framed.headers);
}

#[test]
fn a_tag_stays_as_long_as_its_bytes() {
    for target in ["/a/one/index.html", "/raw/three/content/big.bin", "/_tome/icon/two"] {
        assert_eq!(tag(&get(target, "")), tag(&get(target, "")), "{target}");
    }
}

#[test]
fn what_a_client_knows_is_not_sent_again() {
    for target in ["/a/one/index.html", "/raw/one/content/style.css", "/raw/one/content/big.bin"] {
        for coding in CODINGS {
            let first = get(target, &accept(coding));
            let known = tag(&first);
            for list in [
                known.clone(),
                format!("W/{known}"),
                format!("\"x\", {known}"),
                format!("W/\"y\",W/{known} , \"z\""),
                "*".into(),
            ] {
                for method in ["GET", "HEAD"] {
                    let headers = format!("If-None-Match: {list}\r\n{}", accept(coding));
                    let again = ask(method, target, &headers);
                    assert_eq!(again.status, 304, "{target} {list}");
                    assert!(again.body.is_empty());
                    if list != "*" {
                        assert_eq!(tag(&again), known);
                    }
                    for name in ["vary", "cache-control", "content-security-policy"] {
                        assert_eq!(again.header(name), first.header(name), "{target} {name}");
                    }
                    let len = again.header("content-length");
                    assert!(len.is_none_or(|len| Some(len) == first.header("content-length")), "{len:?}");
                }
            }
            for list in ["\"x\"", "", "\"", "W/", &known.replace('"', "x")] {
                assert_eq!(get(target, &format!("If-None-Match: {list}\r\n")).status, 200, "{list}");
            }
        }
    }
}

#[test]
fn the_tag_of_another_archive_is_not_known() {
    let other = tag(&get("/raw/two/content/index.html", ""));
    assert_eq!(get("/raw/one/content/index.html", &format!("If-None-Match: {other}\r\n")).status, 200);
}

#[test]
fn who_wants_other_bytes_is_refused() {
    let target = "/raw/one/content/big.bin";
    let known = tag(&get(target, ""));
    let status = |headers: String| ask("HEAD", target, &headers).status;
    assert_eq!(status(format!("If-Match: {known}\r\n")), 200);
    assert_eq!(status(format!("If-Match: \"x\", {known}\r\n")), 200);
    assert_eq!(status("If-Match: *\r\n".into()), 200);
    assert_eq!(status("If-Match: \"x\"\r\n".into()), 412);
    // A weak tag promises too little.
    assert_eq!(status(format!("If-Match: W/{known}\r\n")), 412);
    // The one is asked before the other.
    assert_eq!(status(format!("If-Match: \"x\"\r\nIf-None-Match: {known}\r\n")), 412);
    assert_eq!(status(format!("If-Match: {known}\r\nIf-None-Match: {known}\r\n")), 304);
    let refused = get(target, "If-Match: \"x\"\r\nRange: bytes=0-3\r\n");
    assert_eq!((refused.status, refused.body.len()), (412, 0));
}

#[test]
fn a_range_of_other_bytes_gives_all_of_the_new_ones() {
    let target = "/a/one/dir/page.html";
    let plain = get(target, "");
    let zipped = get(target, "Accept-Encoding: gzip\r\n");
    let range = |condition: &str| {
        let answer = get(target, &format!("Range: bytes=2-5\r\nIf-Range: {condition}\r\n"));
        (answer.status, answer.body.len())
    };
    let all = (200, plain.body.len());
    assert_eq!(range(&tag(&plain)), (206, 4));
    assert_eq!(range("\"x\""), all);
    assert_eq!(range(&format!("W/{}", tag(&plain))), all);
    assert_eq!(range("Wed, 21 Oct 2015 07:28:00 GMT"), all);
    // A part of the plain bytes does not go on where compressed ones broke off.
    assert_eq!(range(&tag(&zipped)), all);
}

#[test]
fn head_says_what_get_says() {
    for target in SORTS {
        for headers in ["", "Accept-Encoding: gzip\r\n", "Accept-Encoding: zstd\r\nAccept: text/html\r\n"] {
            let names = |answer: &crate::client::Answer| {
                // Times and seconds of a search differ from one to the next.
                let mut all = answer.headers.clone();
                all.retain(|(name, _)| {
                    name != "date" && !(target.contains("search") && name == "content-length")
                });
                all.sort();
                all
            };
            let (get, head) = (get(target, headers), ask("HEAD", target, headers));
            assert_eq!(get.status, head.status, "{target}");
            assert_eq!(names(&get), names(&head), "{target} {headers}");
            assert!(head.body.is_empty());
        }
    }
    // The standard has ranges for GET alone.
    let head = ask("HEAD", "/raw/one/content/big.bin", "Range: bytes=0-3\r\n");
    assert_eq!((head.status, head.header("content-range")), (200, None));
}
