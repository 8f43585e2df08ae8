//! Bytes, suggestions and results, which programs read.

use std::collections::BTreeSet;

use super::{Both, both};
use crate::client::{ask, follow, get};

#[test]
fn raw_bodies_are_the_same_to_the_byte() {
    let Some(both) = both() else { return };
    let Both { ours, theirs, has_odd, has_suite, .. } = &both;
    let mut targets: Vec<String> = vec![];
    let mut add = |name: &str, kind: &str, keys: &[&str]| {
        targets.extend(keys.iter().map(|key| format!("/raw/{name}/{kind}/{key}")));
    };
    let keys =
        ["Title", "Language", "Creator", "Publisher", "Date", "Description", "Tags", "Name", "Counter"];
    add("harbour", "meta", &keys);
    add("harbour", "meta", &["Illustration_48x48@1"]);
    add("le_pharepluse_2023-05", "meta", &keys);
    let paths = [
        "index.html",
        "A/index.html",
        "Tide%20table.html",
        "What%3F.html",
        "100%25%20wool.html",
        "style.css",
        "%C5%A0koda%20%C3%9F%20%E6%9D%B1%E4%BA%AC.html",
        "sub%20dir/a%20b.js",
        "picture.png",
        "sound.ogg",
    ];
    add("harbour", "content", &paths);
    if *has_odd {
        add("odd", "meta", &keys);
        add(
            "odd",
            "meta",
            &["LongDescription", "X-Binary", "X-Own", "Flavour", "Source", "Illustration_96x96@1"],
        );
        add("odd", "content", &["main", "empty.js", "noise.bin", "%C3%A9quivoque/%C3%9F%3Fx=1&y=%23z%2520"]);
    }
    if *has_suite {
        add("small", "content", &["A/main.html", "main.html", "I/favicon.png"]);
        add("wikibooks_be_all_nopic_2017-02", "meta", &keys);
    }
    for target in targets {
        let (own, _) = follow(ours.address, "GET", &target);
        let (other, _) = follow(theirs.address, "GET", &target);
        assert_eq!((own.status, other.status), (200, 200), "{target}");
        assert!(own.body == other.body, "{target}: {} and {} bytes", own.body.len(), other.body.len());
    }
}

/// Returns the paths that are suggested, and how many suggestions offer a search.
fn suggested(body: &str) -> (BTreeSet<String>, usize) {
    let list: Vec<serde_json::Value> = serde_json::from_str(body).unwrap();
    let of_kind = |kind: &'static str| list.iter().filter(move |one| one["kind"] == kind);
    for one in &list {
        assert!(one["value"].is_string() && one["label"].is_string(), "{one}");
    }
    let paths = of_kind("path").map(|one| one["path"].as_str().unwrap().to_owned());
    (paths.collect(), of_kind("pattern").count())
}

#[test]
fn the_same_paths_are_suggested() {
    let Some(both) = both() else { return };
    let mut asked = vec![
        ("harbour", "Tide"),
        ("harbour", "Light"),
        ("harbour", "What"),
        ("harbour", "%C5%A0koda"),
        ("harbour", "zzzz"),
        ("le_pharepluse_2023-05", "Tide"),
    ];
    if both.has_odd {
        asked.extend([("odd", "main"), ("odd", "equal"), ("odd", "title%20of"), ("odd", "zzzz")]);
    }
    for (name, term) in asked {
        let target = format!("/suggest?content={name}&term={term}&count=50");
        let (own, offers) = suggested(get(both.ours.address, &target).text());
        let (other, _) = suggested(get(both.theirs.address, &target).text());
        assert_eq!(own, other, "{target}");
        // kiwix-serve offers no search where the file has no index of its own; we can search all.
        assert_eq!(offers, 1, "{target}");
    }
}

#[test]
fn more_is_suggested_where_kiwix_serve_knows_less() {
    let Some(both) = both() else { return };
    // In a file without Xapian's index, kiwix-serve finds titles only as they are written, and from their
    // beginning.
    for (term, path) in [
        ("tide", "Tide.html"),
        ("lihgthouse", "Lighthouse.html"),
        ("table", "Tide table.html"),
        ("skoda", "Škoda ß 東京.html"),
    ] {
        let target = format!("/suggest?content=harbour&term={term}");
        let (own, _) = suggested(get(both.ours.address, &target).text());
        let (other, _) = suggested(get(both.theirs.address, &target).text());
        assert!(own.contains(path) && other.is_empty(), "{term}: {own:?} {other:?}");
    }
}

/// Returns the texts of all elements of a name, which holds no other.
fn texts(xml: &str, name: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_str(xml);
    let (mut out, mut inside): (Vec<String>, bool) = (vec![], false);
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Start(tag) if tag.name().as_ref() == name => {
                out.push(String::new());
                inside = true;
            }
            quick_xml::events::Event::End(tag) if tag.name().as_ref() == name => inside = false,
            quick_xml::events::Event::Text(text) if inside => {
                out.last_mut().unwrap().push_str(&text.xml10_content());
            }
            quick_xml::events::Event::Eof => return out,
            _ => {}
        }
    }
}

#[test]
fn results_as_a_feed_name_the_same_articles() {
    let Some(both) = both() else { return };
    if !both.has_odd {
        return;
    }
    for query in
        ["content=odd&pattern=word7", "books.name=odd&pattern=word7%20word8", "content=odd&pattern=zzzz"]
    {
        let target = format!("/search?{query}&format=xml");
        let (own, other) = (get(both.ours.address, &target), get(both.theirs.address, &target));
        let of = |xml: &str| -> BTreeSet<(String, String)> {
            // The channel has a title and a link of its own, and each item one of its book.
            let titles = texts(xml, "title").into_iter().skip(1).step_by(2);
            titles.zip(texts(xml, "link").into_iter().skip(1)).collect()
        };
        let (own_items, other_items) = (of(own.text()), of(other.text()));
        let titles =
            |items: &BTreeSet<(String, String)>| items.iter().map(|i| i.0.clone()).collect::<BTreeSet<_>>();
        // kiwix-serve also finds pages that are marked as none to be read by themselves. To us they are media.
        let mut other_titles = titles(&other_items);
        let more = usize::from(other_titles.remove("A page that nobody looks for"));
        assert_eq!(titles(&own_items), other_titles, "{target}");
        let total = |xml: &str| texts(xml, "opensearch:totalResults")[0].parse::<usize>().unwrap();
        assert_eq!(total(own.text()) + more, total(other.text()), "{target}");
        for name in ["opensearch:startIndex", "opensearch:itemsPerPage", "description"] {
            let (own, other) = (texts(own.text(), name), texts(other.text(), name));
            assert_eq!(own.first(), other.first(), "{target}: {name}");
        }
        for (title, link) in own_items {
            let (page, at) = follow(both.ours.address, "GET", &link);
            assert_eq!((page.status, page.mime()), (200, "text/html"), "{title}: {link} at {at}");
        }
    }
}

#[test]
fn what_an_address_says_of_archives_is_what_is_searched() {
    let Some(both) = both() else { return };
    let ours = both.ours.address;
    let id = texts(get(ours, "/catalog/v2/entries?name=harbour-almanac_eng").text(), "id").pop().unwrap();
    let id = id.strip_prefix("urn:uuid:").unwrap();
    for choice in [
        "content=harbour",
        "books.name=harbour",
        &format!("books.id={id}"),
        "books.filter.category=maritime",
        "books.filter.tag=sea",
    ] {
        let answer = get(ours, &format!("/search?{choice}&pattern=tide&format=xml"));
        let links = texts(answer.text(), "link");
        assert!(links.len() > 1, "{choice}: {}", answer.text());
        assert!(links[1..].iter().all(|link| link.starts_with("/content/harbour/")), "{choice}: {links:?}");
    }
    let page = |n: usize| {
        texts(
            get(ours, &format!("/search?content=harbour&pattern=tide&format=xml&pageLength=1&start={n}"))
                .text(),
            "link",
        )
    };
    assert_eq!((page(1).len(), page(2).len()), (2, 2));
    assert_ne!(page(1)[1], page(2)[1]);
    assert_eq!(page(0)[1], page(1)[1]);
}

#[test]
fn hostile_words_stay_words() {
    let Some(both) = both() else { return };
    let words = "%3C/title%3E%3Cscript%3Ealert(1)%3C/script%3E%22'%26%00%1B";
    for target in [
        format!("/search?content=harbour&pattern={words}&format=xml"),
        format!("/catalog/v2/entries?q={words}"),
        format!("/catalog/search?q={words}"),
        format!("/catalog/v2/partial_entries?{words}={words}"),
        format!("/search?content={words}&pattern=x&format=xml"),
        format!("/suggest?content=harbour&term={words}"),
    ] {
        let answer = get(both.ours.address, &target);
        let text = answer.text();
        assert!(
            !text.contains("<script") && !text.contains('\u{0}') && !text.contains('\u{1b}'),
            "{target}: {text}"
        );
        if answer.mime().ends_with("xml") {
            texts(text, "title");
        }
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert!(answer.header("content-security-policy").is_some());
        assert!(answer.header("access-control-allow-origin").is_none(), "no other site may read this");
    }
}

#[test]
fn a_zim_is_downloaded_whole_and_in_parts() {
    let Some(both) = both() else { return };
    let file = std::fs::read(both.folder.path().join("harbour.zim")).unwrap();
    let whole = get(both.ours.address, "/download/harbour.zim");
    assert_eq!((whole.status, whole.mime()), (200, "application/x-zim"));
    assert!(whole.body == file);
    let tag = whole.header("etag").unwrap().to_owned();
    let part = ask(both.ours.address, "GET", "/download/harbour.zim", "Range: bytes=100-299\r\n");
    assert_eq!((part.status, part.header("etag")), (206, Some(tag.as_str())));
    assert!(part.body == file[100..300]);
    let beyond = ask(both.ours.address, "GET", "/download/harbour.zim", "Range: bytes=99999999-\r\n");
    assert_eq!(beyond.status, 416);
    let known = ask(both.ours.address, "GET", "/download/harbour.zim", &format!("If-None-Match: {tag}\r\n"));
    assert_eq!(known.status, 304);
    for missing in ["/download/nosuch.zim", "/download/harbour.tome", "/download/harbour", "/download/"] {
        assert_eq!(get(both.ours.address, missing).status, 404, "{missing}");
    }
}
