//! Addresses: that every path has one, that ours lead there, and that all have the root.

use std::collections::{HashSet, VecDeque};
use std::net::SocketAddr;
use std::path::PathBuf;

use tome::item::{About, escape_bytes};
use tome::server::Options;

use super::{LIBRARY, archive, get, page};
use crate::client::{self, follow};
use crate::house::{Ours, article, media, redirect, write};

#[test]
fn an_entry_has_one_address() {
    for (target, to) in [
        ("/a/one", "/a/one/"),
        ("/a/one/", "/a/one/index.html"),
        ("/a/one/dir", "/a/one/dir/index.html"),
        ("/a/one/dir/", "/a/one/dir/index.html"),
        ("/a/one/dir/page.html/", "/a/one/dir/page.html"),
        ("/a/one/old", "/a/one/dir/page.html#a%20b%23%C3%BC%22"),
        ("/a/one/older", "/a/one/dir/page.html"),
        ("/raw/one/content/dir/", "/raw/one/content/dir/index.html"),
        ("/raw/one/content/old", "/raw/one/content/dir/page.html"),
        ("/content/one/dir/page.html", "/a/one/dir/page.html"),
        ("/one/A/dir/page.html", "/a/one/A/dir/page.html"),
        ("/a/one/A/dir/page.html", "/a/one/dir/page.html"),
    ] {
        let answer = get(target, "");
        assert_eq!(answer.status, 302, "{target}");
        let location = answer.header("location").unwrap();
        if target == "/a/one/older" {
            assert_eq!(location.split('#').next(), Some(to), "{target}");
        } else {
            assert_eq!(location, to, "{target}");
        }
    }
}

/// Paths that mean something else in an address, in HTML, in a header or to a browser.
fn awkward() -> Vec<String> {
    let mut paths: Vec<String> = [
        "with space.html",
        "what?.html",
        "query?a=b&c=d.html",
        "hash#tag.html",
        "100%.html",
        "100%25.html",
        "%2e%2e%2f.html",
        "\"quoted\".html",
        "it's.html",
        "a&b&amp;c.html",
        "C++.html",
        "<b>bold<b>.html",
        "Łódź/東京 é.html",
        "e\u{301}.html",
        ".hidden/.dot.html",
        "double//slash.html",
        "back\\slash.html",
        "semi;colon:and,comma.html",
        "tab\tand\r\nbreak.html",
        "[brackets]{braces}|.html",
        "\u{202e}lmth.txet",
        "\u{1f600}.html",
        "a/b/c/",
        "~tilde^caret`.html",
        "up/../down.html",
        "./here.html",
    ]
    .map(str::to_owned)
    .into();
    paths.push(format!("long/{}.html", "длинный ".repeat(250)));
    paths.push(escape_bytes(b"caf\xe9/\xff.html"));
    paths.push("private \u{f8ff}.html".into());
    paths
}

/// Takes an address out of a page: what stands between the quotes of an attribute, decoded.
fn links(html: &str) -> Vec<String> {
    let mut out = vec![];
    for name in ["href=\"", "src=\"", "action=\""] {
        for (at, _) in html.match_indices(name) {
            let rest = &html[at + name.len()..];
            let value = &rest[..rest.find('"').unwrap()];
            out.push(
                value
                    .replace("&#38;", "&")
                    .replace("&amp;", "&")
                    .replace("&#39;", "'")
                    .replace("&#34;", "\"")
                    .replace("&quot;", "\""),
            );
        }
    }
    out
}

#[test]
fn s02_every_path_is_reached_by_the_links_to_it() {
    for file in ["awkward.tome", "awkward.zim"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(file);
        let mut items = vec![article("main.html", "Main", "<p>main")];
        for (i, path) in awkward().iter().enumerate() {
            let text = format!("<title>Odd {i:03}</title><p>quartz number{i:03} body</p>");
            items.push(article(path, &format!("Oddity{i:03} title"), text));
            items.push(redirect(&format!("to{i:03}"), path, None));
        }
        write(&file, items, &About { main: Some("main.html".into()), ..About::default() });
        let server = Ours::over(vec![file.clone()]);
        let address = server.address;
        let is_zim = file.extension().is_some_and(|e| e == "zim");
        for (i, path) in awkward().iter().enumerate() {
            let shows = |target: &str| {
                assert!(
                    target.is_ascii() && !target.contains(['"', '\'', '<', '>', ' ', '\r', '\n']),
                    "{target}"
                );
                let (answer, last) = follow(address, "GET", target);
                let found = String::from_utf8_lossy(&answer.body).contains(&format!("number{i:03} body"));
                assert!(answer.status == 200 && found, "{path:?} by {target}: {} at {last}", answer.status);
            };
            // A redirect to it.
            let answer = client::get(address, &format!("/a/awkward/to{i:03}"));
            assert_eq!(answer.status, 302, "{path:?}");
            shows(answer.header("location").unwrap());
            let raw = client::get(address, &format!("/raw/awkward/content/to{i:03}"));
            shows(raw.header("location").unwrap());
            // Titles that are near a missing one.
            let near = client::ask(
                address,
                "GET",
                &format!("/a/awkward/Oddity{i:03}%20titl"),
                "Accept: text/html\r\n",
            );
            assert_eq!(near.status, 404);
            let link = links(near.text()).into_iter().filter(|link| link.starts_with("/a/awkward/")).nth(1);
            let some = link.unwrap_or_else(|| panic!("nothing is near {path:?}: {}", near.text()));
            let number = |link: &str| follow(address, "GET", link).0.status;
            assert_eq!(number(&some), 200, "{some}");
            // Suggestions, as programs and as browsers get them.
            let suggested = client::get(address, &format!("/api/suggest?archive=awkward&q=Oddity{i:03}"));
            let list: serde_json::Value = serde_json::from_slice(&suggested.body).unwrap();
            let found = list[0]["path"].as_str().unwrap_or_else(|| panic!("{path:?}: {list}"));
            assert_eq!(found, path);
            // Hits of a search.
            if !is_zim {
                let page = client::get(address, &format!("/search?archive=awkward&q=number{i:03}"));
                let link = links(page.text()).into_iter().filter(|link| link.starts_with("/a/awkward/"));
                let hits: Vec<String> = link.collect();
                assert!(!hits.is_empty(), "{path:?} is not found");
                shows(&hits[0]);
            }
        }
    }
}

#[test]
fn a_page_without_a_path_is_shown() {
    // No writer makes one, but the main page of a ZIM by others may be at its root.
    assert_eq!(get("/a/one/", "").status, 302);
    assert_eq!(get("/a//", "").status, 404);
    assert_eq!(get("/a/", "").status, 404);
}

#[test]
fn a_missing_page_offers_an_article_once_whatever_leads_to_it() {
    let folder = tempfile::tempdir().unwrap();
    for ending in ["tome", "zim"] {
        let items = vec![
            article("su.html", "Soviet Union", page("Soviet Union", "")),
            redirect("Soviet_Unions", "su.html", None),
            redirect("Soviet_Unioni", "Soviet_Unions", None),
        ];
        write(&folder.path().join(ending).with_extension(ending), items, &About::default());
    }
    let server = Ours::over(vec![folder.path().to_owned()]);
    for missing in ["Soviet_Unionx", "Soviet", "soviet_union", "Soviet_"] {
        for archive in ["tome", "zim"] {
            let target = format!("/a/{archive}/{missing}");
            let near = client::ask(server.address, "GET", &target, "Accept: text/html\r\n");
            let own = format!("/a/{archive}/");
            let offered: Vec<String> =
                links(near.text()).into_iter().filter(|l| l.starts_with(&own) && *l != own).collect();
            assert_eq!(near.status, 404, "{target}");
            assert_eq!(offered, [format!("{own}su.html")], "{target}");
        }
    }
}

#[test]
fn a_page_that_names_no_language_is_in_that_of_its_archive() {
    let folder = tempfile::tempdir().unwrap();
    let silent = "<!doctype html><html><head><title>T</title></head><body><p>text</p></body></html>";
    for (name, languages) in [("one", "fra"), ("several", "fra,deu"), ("odd", "fr\u{e9}"), ("none", "")] {
        let mut about = About::default();
        if !languages.is_empty() {
            about.metadata.set_text("language", languages);
        }
        let items = vec![article("silent.html", "A", silent), article("says.html", "B", page("B", ""))];
        write(&folder.path().join(name).with_extension("tome"), items, &about);
    }
    let server = Ours::over(vec![folder.path().to_owned()]);
    for (target, language) in [
        ("/a/one/silent.html", Some("fr")),
        ("/a/one/says.html", None),
        ("/a/several/silent.html", None),
        ("/a/odd/silent.html", None),
        ("/a/none/silent.html", None),
    ] {
        let answer = client::get(server.address, target);
        assert_eq!((answer.status, answer.header("content-language")), (200, language), "{target}");
    }
}

#[test]
fn s02_paths_are_decoded_once() {
    for target in [
        "/a/one/dir%2fpage.html",
        "/a/one/%64ir/page%2ehtml",
        "/raw/one/content/dir%2Fpage.html",
        "/a/%6fne/dir/page.html",
    ] {
        assert_eq!(follow(LIBRARY.server.address, "GET", target).0.status, 200, "{target}");
    }
    for target in [
        "/a/one/dir%252fpage.html",
        "/a/one/../two/index.html",
        "/a/one/%2e%2e/two/index.html",
        "/a/one/..%2ftwo%2findex.html",
        "/a/one/%00",
        "/a/one/dir%00/page.html",
        "/a/one/%c0%ae%c0%ae/two/index.html",
        "/a/one/dir%5cpage.html",
        "/raw/one/content/../../../etc/passwd",
        "/raw/one/content/%2e%2e%2f%2e%2e%2fetc/passwd",
        "/_tome/../Cargo.toml",
        "/_tome/%2e%2e%2fCargo.toml",
        "/_tome/icon/..%2f..%2fetc",
        "/download/..%2fthree.zim",
        "/%",
        "/a/%",
        "/a/one/%zz",
    ] {
        let answer = get(target, "");
        assert_eq!(answer.status, 404, "{target}: {}", String::from_utf8_lossy(&answer.body));
    }
}

/// Walks over all that is linked from some pages, and returns what was seen: addresses and statuses.
fn crawl(server: SocketAddr, from: &[&str], most: usize) -> Vec<(String, u16)> {
    let mut seen: HashSet<String> = from.iter().map(|&target| target.to_owned()).collect();
    let mut todo: VecDeque<String> = from.iter().map(|&target| target.to_owned()).collect();
    let mut out = vec![];
    while let Some(target) = todo.pop_front() {
        if out.len() >= most {
            break;
        }
        let answer = client::ask(server, "GET", &target, "Accept: text/html\r\n");
        out.push((target.clone(), answer.status));
        let mut found: Vec<String> = answer.header("location").map(str::to_owned).into_iter().collect();
        let xml = answer.mime().ends_with("xml");
        if ["text/html"].contains(&answer.mime()) || xml {
            found.extend(links(answer.text()));
        }
        for link in found {
            let link = link.split('#').next().unwrap().to_owned();
            let is_ours = link.starts_with('/') && !link.starts_with("//");
            if is_ours && !link.contains('{') && seen.insert(link.clone()) {
                todo.push_back(link);
            }
        }
    }
    out
}

#[test]
fn every_link_of_ours_has_the_root_and_leads_somewhere() {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = ["one.tome", "three & four.zim"].map(|name| folder.path().join(name)).into();
    for file in &files {
        archive(file, "An archive");
    }
    let mirrored = folder.path().join("site.tome");
    let page = "<html><head><link rel=stylesheet href=\"/css/x.css\"></head><body><a href=\"/p/2.html\">2</a>\
                <img src=\"/p.png\"><a href=\"sub/\">sub</a></body></html>";
    let items = vec![
        article("index.html", "One", page),
        article("p/2.html", "Two", page),
        article("sub/index.html", "Sub", "<p>sub"),
        article("p/sub/index.html", "Sub 2", "<p>sub"),
        media("css/x.css", "text/css", "a { background: url(/p.png) }"),
        media("p.png", "image/png", vec![1; 40]),
    ];
    write(&mirrored, items, &About { main: Some("index.html".into()), ..About::default() });
    let sources = vec![folder.path().to_owned()];
    let server =
        Ours::with(Options { sources, root: "/w/x".into(), block_external: true, ..Options::default() });
    let from = [
        "/w/x/",
        "/w/x/search?q=granite",
        "/w/x/a/one/nothing-here",
        "/w/x/api",
        "/w/x/saved",
        "/w/x/viewer",
        "/w/x/catalog/v2/root.xml",
        "/w/x/catalog/search",
        "/w/x/catch/external?source=https%3A%2F%2Fexample.org",
        "/w/x/nojs",
        "/w/x/content/one/dir",
        "/w/x/random?content=one",
        "/w/x/a/none/x",
    ];
    let seen = crawl(server.address, &from, 400);
    assert!(seen.len() > 50, "{seen:?}");
    for (target, status) in &seen {
        assert!(target.starts_with("/w/x/") || target == "/w/x", "{target} is without the root");
        let may_miss = target.contains("/a/none/") || target.contains("nothing-here");
        assert!(may_miss || [200, 302].contains(status), "{target}: {status}");
    }
    assert!(seen.iter().any(|(target, status)| target == "/w/x/a/site/p.png" && *status == 200), "{seen:?}");
    // And nothing is served outside of it.
    for target in ["/", "/a/one/index.html", "/healthz", "/w", "/w/xy/", "/_tome/tome.js"] {
        assert_eq!(client::get(server.address, target).status, 404, "{target}");
    }
    assert_eq!(client::get(server.address, "/w/x").status, 200);
    let css = client::get(server.address, "/w/x/a/site/css/x.css");
    assert!(css.text().contains("url(/w/x/a/site/p.png)"), "{}", css.text());
}
