//! What strangers say is shown as text: in pages, data, feeds and the log.

use super::{HOSTILE, PAYLOADS, encoded, harmless};
use crate::client::{self, ask, get};

#[test]
fn s01_what_is_asked_is_shown_as_text() {
    let server = HOSTILE.server.address;
    let list: serde_json::Value = serde_json::from_slice(&get(server, "/api/archives").body).unwrap();
    let name = encoded(list[0]["name"].as_str().unwrap());
    for payload in PAYLOADS {
        let p = encoded(payload);
        for target in [
            format!("/{p}"),
            format!("/?q={p}&lang={p}"),
            format!("/a/{p}"),
            format!("/a/{p}/{p}"),
            format!("/a/{name}/{p}"),
            format!("/a/{name}/index.html?{p}"),
            format!("/raw/{name}/content/{p}"),
            format!("/raw/{name}/meta/{p}"),
            format!("/raw/{p}/content/x"),
            format!("/content/{name}/{p}"),
            format!("/content/{p}"),
            format!("/search?q={p}"),
            format!("/search?q={p}&archive={name}&offset={p}"),
            format!("/search?q=quartz&archive={p}"),
            format!("/search?pattern={p}&content={name}"),
            format!("/search?pattern={p}&content={name}&format=xml"),
            format!("/search?pattern=quartz&content={p}&format=xml"),
            format!("/suggest?content={name}&term={p}"),
            format!("/suggest?content={p}&term=q"),
            format!("/random?content={p}"),
            format!("/external?to={p}"),
            format!("/catch/external?source={p}"),
            format!("/catalog/v2/entries?q={p}&lang={p}&category={p}"),
            format!("/catalog/v2/entry/{p}"),
            format!("/catalog/v2/illustration/{p}/?size=48"),
            format!("/catalog/{p}"),
            format!("/catalog/search?q={p}&count={p}"),
            format!("/download/{p}.zim"),
            format!("/_tome/{p}"),
            format!("/_tome/icon/{p}"),
            format!("/api/{p}"),
            format!("/api/suggest?archive={name}&q={p}"),
            format!("/api/suggest?archive={p}&q=q"),
            format!("/api/search?archive={name}&q={p}"),
            format!("/api/search?archive={p}&q={p}"),
            format!("/api/entry?archive={name}&path={p}"),
            format!("/api/entry?archive={name}&title={p}"),
            format!("/api/content?archive={name}&path=index.html&form={p}"),
            format!("/api/content?archive={p}&path={p}"),
            format!("/api/random?archive={p}"),
        ] {
            for accept in ["", "Accept: text/html\r\n"] {
                let answer = ask(server, "GET", &target, accept);
                harmless(&target, &answer);
                if let Some(location) = answer.header("location") {
                    assert!(location.starts_with('/') && !location.starts_with("//"), "{target}: {location}");
                    assert!(location.bytes().all(|b| b.is_ascii_graphic()), "{target}: {location:?}");
                }
            }
        }
    }
    // As text, and nothing computed of it.
    let page = get(server, &format!("/search?q={}", encoded("{{7*7}}")));
    assert!(page.text().contains("{{7*7}}"));
}

#[test]
fn s01_what_an_archive_says_is_shown_as_text() {
    let server = HOSTILE.server.address;
    let list: serde_json::Value = serde_json::from_slice(&get(server, "/api/archives").body).unwrap();
    let names: Vec<String> =
        list.as_array().unwrap().iter().map(|one| encoded(one["name"].as_str().unwrap())).collect();
    assert_eq!(names.len(), 2 * PAYLOADS.len());
    for target in [
        "/",
        "/search",
        "/search?q=quartz",
        "/search?q=feldspar&offset=20",
        "/catalog/v2/root.xml",
        "/catalog/v2/entries",
        "/catalog/v2/partial_entries",
        "/catalog/v2/categories",
        "/catalog/v2/languages",
        "/catalog/search",
        "/api/archives",
        "/api/search?q=quartz&n=100",
        "/api/suggest?q=quartz&n=100",
        "/metrics",
    ] {
        let answer = get(server, target);
        assert_eq!(answer.status, 200, "{target}");
        harmless(target, &answer);
    }
    for name in &names {
        for target in [
            format!("/a/{name}/index.html"),
            format!("/a/{name}/none"),
            format!("/a/{name}/Quartz"),
            format!("/search?q=quartz&archive={name}"),
            format!("/search?pattern=quartz&content={name}&format=xml"),
            format!("/suggest?content={name}&term=quartz"),
            format!("/suggest?content={name}&term=path"),
            format!("/api/suggest?archive={name}&q=path"),
            format!("/api/search?archive={name}&q=quartz"),
            format!("/api/entry?archive={name}&path=index.html"),
            format!("/api/random?archive={name}"),
            format!("/raw/{name}/meta/Title"),
            format!("/raw/{name}/meta/Description"),
            format!("/_tome/icon/{name}"),
        ] {
            let answer = ask(server, "GET", &target, "Accept: text/html\r\n");
            harmless(&target, &answer);
            if target.contains("/icon/") {
                assert!(answer.mime().starts_with("image/"), "{:?}", answer.headers);
            }
        }
        for target in
            [format!("/a/{name}/to"), format!("/a/{name}/to-path"), format!("/raw/{name}/content/to")]
        {
            let answer = get(server, &target);
            harmless(&target, &answer);
            // ZIM has no redirect with a fragment: our writer makes a page of it.
            let Some(location) = answer.header("location") else {
                assert!(answer.status == 200 && target.ends_with("/to"), "{target}");
                continue;
            };
            assert!(location.starts_with('/') && !location.starts_with("//"), "{location}");
            assert_eq!(client::follow(server, "GET", &target).0.status, 200, "{target}: {location}");
        }
    }
}

#[test]
fn s12_the_catalogue_has_no_entities_and_tells_no_path_of_the_disk() {
    let server = HOSTILE.server.address;
    let folder = HOSTILE._folder.path().to_str().unwrap();
    for target in ["/catalog/v2/entries", "/catalog/search", "/catalog/v2/root.xml", "/api/archives", "/"] {
        let answer = get(server, target);
        harmless(target, &answer);
        assert!(!answer.text().contains(folder), "{target}");
        assert!(!answer.text().contains("<!DOCTYPE") && !answer.text().contains("<!ENTITY"), "{target}");
    }
}

#[test]
fn s13_a_request_is_one_line_of_the_log() {
    let server = &HOSTILE.server;
    for payload in PAYLOADS {
        get(server.address, &format!("/a/{}?{}", encoded(payload), encoded(payload)));
    }
    // Letters beyond ASCII, as they are, and an escape of terminals.
    let raw =
        "GET /\u{202e}\u{85}\u{2028}x?\u{9b}31m HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    client::exchange(server.address, raw.as_bytes());
    client::exchange(
        server.address,
        b"X\"Y /\"quoted\"\\ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    );
    let said = server.said();
    assert!(said.len() > PAYLOADS.len());
    for line in &said {
        assert!(!line.contains(char::is_control), "{line:?}");
        assert!(!line.contains(['\u{202e}', '\u{2028}']) || !line.starts_with("127."), "{line:?}");
        if line.starts_with("127.") {
            assert!(line.contains("\"GET /") || line.contains("\"X"), "{line}");
        }
    }
}
