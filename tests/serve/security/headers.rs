//! Where addresses lead, and what headers allow.

use tome::item::{About, Value};
use tome::server::Options;

use super::{HOSTILE, encoded, guarded, harmless};
use crate::client::{self, ask, get};
use crate::house::{Ours, article, media, pack, redirect, write};
use crate::http;

/// Writes a ZIM, then changes bytes of it as no writer would.
fn crafted(file: &std::path::Path, from: &str, to: &[u8]) {
    let mut to = to.to_vec();
    assert!(to.len() <= from.len());
    to.resize(from.len(), b' ');
    let items = vec![
        article("index.html", "Granite", "<p>granite"),
        media("odd", from, "<xss-7>".repeat(2000)),
        redirect("to", "index.html", None),
    ];
    write(file, items, &About { main: Some("index.html".into()), ..About::default() });
    let mut bytes = std::fs::read(file).unwrap();
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
    bytes[at..at + to.len()].copy_from_slice(&to);
    std::fs::write(file, bytes).unwrap();
}

#[test]
fn s03_a_type_of_an_archive_makes_no_headers() {
    let folder = tempfile::tempdir().unwrap();
    let from = "text/x-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    for (i, to) in [
        &b"text/x-a\r\nX-Injected: 1\r\n\r\n<a>"[..],
        b"text/html\nSet-Cookie: a=b",
        b"text/\x80\xff\xfe",
        b"multipart/x; boundary=\"a\r\n\r\n--b",
        b"text/\x01\x02\x1b[31m",
    ]
    .iter()
    .enumerate()
    {
        crafted(&folder.path().join(format!("z{i}.zim")), from, to);
    }
    let server = Ours::over(vec![folder.path().to_owned()]);
    for i in 0..5 {
        for target in [
            format!("/raw/z{i}/content/odd"),
            format!("/a/z{i}/odd"),
            format!("/api/entry?archive=z{i}&path=odd"),
            format!("/api/content?archive=z{i}&path=odd&form=raw"),
        ] {
            for headers in
                ["", "Range: bytes=0-1\r\n", "Range: bytes=0-1,9-10\r\n", "Accept-Encoding: gzip\r\n"]
            {
                let answer = ask(server.address, "GET", &target, headers);
                guarded(&target, &answer);
                assert!(answer.status < 500, "{target}: {}", answer.status);
                if headers.contains(',') && answer.status == 206 {
                    let text = String::from_utf8_lossy(&answer.body).into_owned();
                    assert!(!text.contains("\nX-Injected") && !text.contains("\nSet-Cookie"), "{text}");
                }
            }
        }
    }
}

#[test]
fn s04_no_address_of_ours_leads_away() {
    let server = HOSTILE.server.address;
    let list: serde_json::Value = serde_json::from_slice(&get(server, "/api/archives").body).unwrap();
    let name = encoded(list[0]["name"].as_str().unwrap());
    for target in [
        "//evil.example".to_owned(),
        "//evil.example/".into(),
        "///evil.example/%2e%2e".into(),
        "/\\evil.example".into(),
        "/%2f%2fevil.example".into(),
        "/%5cevil.example".into(),
        "/a//evil.example".into(),
        "/a//evil.example/".into(),
        format!("/a/{name}//evil.example"),
        format!("/a/{name}///evil.example/"),
        format!("/a/{name}/http://evil.example/"),
        format!("/raw/{name}/content//evil.example"),
        "/content//evil.example".into(),
        format!("/content/{name}//evil.example"),
        "/catch/external?source=//evil.example".into(),
        "/catch/external?source=https://evil.example/".into(),
        "/catch/external?source=javascript:alert(1)".into(),
        "/catch/external?source=%0d%0aLocation:%20//evil.example".into(),
        "/nojs//evil.example".into(),
        format!("/{name}//evil.example"),
        "/random?content=//evil.example".into(),
    ] {
        let answer = get(server, &target);
        guarded(&target, &answer);
        if let Some(location) = answer.header("location") {
            let second = location.as_bytes().get(1);
            assert!(
                location.starts_with('/') && !matches!(second, Some(b'/' | b'\\')),
                "{target}: {location}"
            );
        }
        assert!(answer.status != 200, "{target}");
    }
    // The page that shows a target links to the web alone.
    for (to, is_link) in [
        ("https://example.org/", true),
        ("javascript:alert(1)", false),
        ("JaVaScRiPt:alert(1)", false),
        (" \tjavascript:alert(1)", false),
        ("java\nscript:alert(1)", false),
        ("data:text/html,<script>1</script>", false),
        ("vbscript:x", false),
        ("file:///etc/passwd", false),
    ] {
        let (answer, _) = client::follow(server, "GET", &format!("/catch/external?source={}", encoded(to)));
        harmless(to, &answer);
        let links = answer.text().matches("href=\"https://example.org/\"").count();
        assert_eq!(links, usize::from(is_link), "{to}");
    }
    // What would be read in another order than it stands in is seen as it stands.
    let to = "https://example.org/\u{202e}gpj.\u{2066}exe";
    let answer = get(server, &format!("/external?to={}", encoded(to)));
    assert!(answer.text().contains(">https://example.org/%E2%80%AEgpj.%E2%81%A6exe<"), "{}", answer.text());
    assert!(!answer.text().contains(['\u{202e}', '\u{2066}']));
}

#[test]
fn pages_of_ours_are_in_no_other_page() {
    for target in ["/", "/saved", "/search?q=x", "/external?to=http://x", "/a/none/x", "/api"] {
        let answer = get(HOSTILE.server.address, target);
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{target}: {policy}");
    }
}

#[test]
fn s05_nothing_of_an_archive_runs() {
    let server = HOSTILE.server.address;
    let list: serde_json::Value = serde_json::from_slice(&get(server, "/api/archives").body).unwrap();
    let name = encoded(list[0]["name"].as_str().unwrap());
    for (place, is_page) in [("a", true), ("raw", false)] {
        for path in ["index.html", "text.txt", "page.svg"] {
            let middle = if place == "raw" { "/content" } else { "" };
            let target = format!("/{place}/{name}{middle}/{path}");
            let answer = get(server, &target);
            guarded(&target, &answer);
            let policy = answer.header("content-security-policy").unwrap();
            let (our_page, for_programs) =
                (is_page && path == "index.html", !is_page && path == "index.html");
            assert_eq!(
                policy.contains("script-src 'none'"),
                !our_page && !for_programs,
                "{target}: {policy}"
            );
            let who = if for_programs { "none" } else { "self" };
            for part in ["base-uri", "form-action", "frame-ancestors"] {
                assert!(policy.contains(&format!("{part} '{who}'")), "{target}: {policy}");
            }
            if path == "text.txt" && !is_page {
                assert_eq!(answer.mime(), "text/plain");
            }
        }
    }
    // No worker is installed, which would outlive the page.
    let target = format!("/a/{name}/index.html");
    assert_eq!(ask(server, "GET", &target, "Service-Worker: script\r\n").status, 403);
}

/// A page as it is stored may open connections, whatever its policy says: programs get it, and a browser is
/// led to where it is shown.
#[test]
fn s05_no_browser_shows_a_page_as_it_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("in");
    std::fs::create_dir(&from).unwrap();
    let svg = |inner: &str| format!("<svg xmlns='http://www.w3.org/2000/svg'>{inner}</svg>");
    let html = "<title>a</title><link rel=preconnect href=//outside.test>";
    let within = "<h:link xmlns:h='http://www.w3.org/1999/xhtml' rel='preconnect' href='//outside.test'/>";
    let long = " ".repeat(16 << 20);
    for (name, text) in [
        ("page.html", html.to_owned()),
        ("long.html", format!("{html}{long}")),
        ("full.html", "<link rel=preload href=//e>".repeat(201_000)),
        ("plain.svg", svg("<circle r='1'/>")),
        ("linked.svg", svg("<a href='http://outside.test/'/>")),
        ("page.md", format!("{html}\n\n# x\n")),
        ("html.svg", svg(within)),
        ("styled.svg", svg("<style>@import url(http://outside.test/x)</style>")),
        ("long.svg", svg(&long)),
        ("plain.rss", "<rss/>".into()),
        ("html.rss", format!("<rss>{within}</rss>")),
    ] {
        std::fs::write(from.join(name), text).unwrap();
    }
    let latin = b"<?xml version='1.0' encoding='iso-8859-1'?><svg xmlns='http://www.w3.org/2000/svg'><text>\xe9</text></svg>";
    std::fs::write(from.join("latin.svg"), latin).unwrap();
    let archive = folder.path().join("docs.tome");
    pack(&[], &from, &archive);
    let serve = |block_external| {
        let sources = vec![archive.clone()];
        Ours::with(Options { sources, block_external, ..Default::default() })
    };
    let ours = serve(false);
    let shows = "Accept: text/html,*/*;q=0.8\r\n";
    let type_of = |answer: &client::Answer| (answer.status, answer.mime().to_owned());
    let is = |mime: &str| (200, mime.to_owned());
    for (name, stored, shown) in [
        ("page.html", "text/html", "text/html"),
        ("long.html", "text/html", "text/plain"),
        ("full.html", "text/html", "text/plain"),
        ("html.svg", "image/svg+xml", "text/html"),
        ("long.svg", "image/svg+xml", "text/html"),
        ("html.rss", "application/rss+xml", "text/plain"),
    ] {
        let page = format!("/a/docs/{name}");
        let raw = format!("/raw/docs/content/{name}");
        let api = format!("/api/content?archive=docs&path={name}&form=raw");
        for target in [&raw, &api] {
            let answer = get(ours.address, target);
            assert_eq!(type_of(&answer), is(stored), "{target}");
            let policy = answer.header("content-security-policy").unwrap();
            assert!(policy.contains("frame-ancestors 'none'"), "{target}: {policy}");
            for dest in ["document", "iframe", "frame", "object", "embed"] {
                let answer = ask(ours.address, "GET", target, &format!("Sec-Fetch-Dest: {dest}\r\n"));
                assert_eq!(
                    (answer.status, answer.header("location")),
                    (302, Some(&*page)),
                    "{target} {dest}"
                );
            }
            // A browser in the house does not say what for.
            assert_eq!(ask(ours.address, "GET", target, shows).header("location"), Some(&*page), "{target}");
        }
        for headers in [shows, "Sec-Fetch-Dest: object\r\n"] {
            let answer = ask(ours.address, "GET", &page, headers);
            assert_eq!(type_of(&answer), is(shown), "{page} {headers}");
            assert!(answer.header("vary").unwrap().contains("accept"), "{page}");
            assert!(shown != "text/html" || !answer.text().contains("//outside.test"), "{page}");
        }
        // As a part of a page it does nothing.
        let part = ask(ours.address, "GET", &raw, "Sec-Fetch-Dest: image\r\n");
        assert_eq!(type_of(&part), is(stored), "{raw}");
    }
    // Firefox makes a document of what a page takes pieces out of, and asks no policy for what that fetches.
    for headers in [
        "Sec-Fetch-Dest: image\r\nSec-Fetch-Mode: same-origin\r\nAccept: */*\r\n",
        "User-Agent: Mozilla/5.0\r\nAccept: */*\r\n",
    ] {
        for (name, mime) in [
            ("page.html", "application/octet-stream"),
            ("page.md", "text/markdown"),
            ("html.svg", "application/octet-stream"),
            ("styled.svg", "application/octet-stream"),
            ("plain.svg", "image/svg+xml"),
        ] {
            for place in ["a/docs", "raw/docs/content"] {
                let answer = ask(ours.address, "GET", &format!("/{place}/{name}"), headers);
                assert_eq!(type_of(&answer), is(mime), "{place} {name} {headers}");
            }
        }
        let answer = ask(ours.address, "GET", "/api/content?archive=docs&path=page.html&form=html", headers);
        assert_eq!(type_of(&answer), is("application/octet-stream"));
    }
    let html = "/api/content?archive=docs&path=page.html&form=html";
    assert_eq!(ask(ours.address, "GET", html, shows).header("location"), Some("/a/docs/page.html"));
    assert!(get(ours.address, html).header("content-security-policy").unwrap().contains("'none'"));

    let picture = ask(ours.address, "GET", "/a/docs/html.svg", shows);
    assert!(picture.text().contains("<img src=\"./html.svg\""), "{}", picture.text());
    let part = ask(ours.address, "GET", "/a/docs/html.svg", "Accept: image/*\r\n");
    assert_eq!(part.mime(), "image/svg+xml");

    // A drawing of another charset is shown in UTF-8, and stored as it is.
    for headers in [shows, "Sec-Fetch-Dest: image\r\n"] {
        let answer = ask(ours.address, "GET", "/a/docs/latin.svg", headers);
        assert_eq!(answer.header("content-type"), Some("image/svg+xml; charset=utf-8"), "{headers}");
        assert!(answer.text().contains("<text>é</text>"), "{}", answer.text());
    }
    assert_eq!(get(ours.address, "/raw/docs/content/latin.svg").body, latin);

    let blocking = serve(true);
    for (name, shown) in [("plain.svg", ["image/svg+xml"; 2]), ("linked.svg", ["image/svg+xml", "text/html"])]
    {
        for (server, shown) in [&ours, &blocking].into_iter().zip(shown) {
            let answer = ask(server.address, "GET", &format!("/a/docs/{name}"), shows);
            assert_eq!(type_of(&answer), is(shown), "{name}");
        }
    }
    assert_eq!(ask(ours.address, "GET", "/a/docs/plain.rss", shows).mime(), "application/rss+xml");
}

/// What a browser takes for a page though we would not, and what leads elsewhere by its type alone.
#[test]
fn s05_a_type_that_is_not_one_is_bytes() {
    const TYPES: [&str; 7] = [
        "image/png, text/html",
        "image/png;a,text/html",
        "text/html(x)",
        "text/html x",
        "multipart/x-mixed-replace; boundary=b",
        "message/rfc822",
        "application/signed-exchange;v=b3",
    ];
    let html = "<title>a</title><link rel=preconnect href=//outside.test>";
    let folder = tempfile::tempdir().unwrap();
    let archives = ["one.tome", "two.zim"].map(|name| folder.path().join(name));
    let mut about = About::default();
    for (i, mime) in TYPES.iter().enumerate() {
        let value = Value { mime: (*mime).into(), bytes: html.into() };
        about.metadata.set(&format!("X-Odd{i}"), value);
    }
    about.metadata.set("X-Page", Value { mime: "text/html".into(), bytes: html.into() });
    for archive in &archives {
        let odd = TYPES.iter().enumerate().map(|(i, mime)| media(&format!("odd{i}"), mime, html));
        write(archive, odd.chain([article("index.html", "Index", "<h1>x</h1>")]).collect(), &about);
    }
    let ours = Ours::with(Options { sources: archives.to_vec(), ..Options::default() });
    for name in ["one", "two"] {
        for (i, mime) in TYPES.iter().enumerate() {
            for target in [
                format!("/a/{name}/odd{i}"),
                format!("/raw/{name}/content/odd{i}"),
                format!("/raw/{name}/meta/X-Odd{i}"),
                format!("/api/content?archive={name}&path=odd{i}"),
            ] {
                let answer = ask(ours.address, "GET", &target, "Sec-Fetch-Dest: iframe\r\n");
                let sent = (answer.status, answer.header("content-type").unwrap());
                assert_eq!(sent, (200, "application/octet-stream"), "{target}: {mime}");
            }
        }
        let page = get(ours.address, &format!("/raw/{name}/meta/X-Page"));
        assert_eq!((page.status, page.mime()), (200, "text/plain"), "{name}");
    }
}

/// Walks over all sorts of answers, errors and confirmations too.
#[test]
fn s05_s06_every_answer_is_guarded() {
    let server = http::server();
    let mut seen = std::collections::BTreeSet::new();
    let mut walk = |method: &str, target: &str, headers: &str| {
        let answer = ask(server, method, target, headers);
        guarded(&format!("{method} {target} {headers}"), &answer);
        seen.insert(answer.status);
        answer
    };
    for target in http::SORTS {
        let answer = walk("GET", target, "Origin: https://evil.example\r\n");
        walk("GET", target, "Origin: null\r\nAccept: text/html\r\n");
        walk("HEAD", target, "Origin: https://evil.example\r\n");
        walk("POST", target, "Origin: https://evil.example\r\n");
        walk("OPTIONS", target, "Origin: https://e\r\nAccess-Control-Request-Method: GET\r\n");
        walk("GET", target, "Service-Worker: script\r\n");
        if let Some(tag) = answer.header("etag") {
            walk("GET", target, &format!("If-None-Match: {tag}\r\n"));
            walk("GET", target, "If-Match: \"x\"\r\n");
            walk("GET", target, "Range: bytes=0-0\r\n");
            walk("GET", target, "Range: bytes=99999999-\r\n");
        }
    }
    walk("GET", &format!("/{}", "a".repeat(17_000)), "");
    walk("GET", "/api/search?q=", "");
    for status in [200, 206, 302, 304, 400, 403, 404, 405, 412, 414, 416] {
        assert!(seen.contains(&status), "{status} was not among {seen:?}");
    }
}

#[test]
fn s06_only_names_of_ours_are_answered_to() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.tome");
    write(&file, vec![article("index.html", "Secret", "<p>secret")], &About::default());
    let hosts = vec!["Library.School".to_owned()];
    let server = Ours::with(Options { sources: vec![file], hosts, ..Options::default() });
    let status = |host: &str, target: &str| {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let bytes = client::exchange(server.address, request.as_bytes());
        let (answer, _) = client::read(&bytes, false).unwrap();
        assert!(answer.status == 200 || !String::from_utf8_lossy(&answer.body).contains("secret"));
        answer.status
    };
    for host in ["localhost", "127.0.0.1:8080", "[::1]", "192.168.7.7", "library.school", "LIBRARY.SCHOOL:80"]
    {
        assert_eq!(status(host, "/a/x/index.html"), 200, "{host}");
    }
    for host in
        ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "school"]
    {
        for target in ["/a/x/index.html", "/", "/raw/x/content/index.html", "/api/archives", "/healthz"] {
            assert_eq!(status(host, target), 421, "{host} {target}");
        }
    }
    // The name in the address counts, where there is one.
    assert_eq!(status("localhost", "http://evil.example/a/x/index.html"), 421);
    // An origin that no archive has.
    assert_eq!(status("x.localhost", "/a/x/index.html"), 421);
}

#[test]
fn s06_nothing_is_changed_by_a_request() {
    let server = http::server();
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        for target in ["/", "/saved", "/api/archives", "/a/one/index.html", "/search?q=granite"] {
            let answer = ask(server, method, target, "Content-Length: 0\r\n");
            assert_eq!(
                (answer.status, answer.header("allow")),
                (405, Some("GET, HEAD")),
                "{method} {target}"
            );
        }
    }
}
