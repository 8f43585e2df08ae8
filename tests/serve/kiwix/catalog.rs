//! The catalogue: entries, titles and links of its feeds.

use std::collections::{BTreeMap, BTreeSet};

use quick_xml::events::{BytesStart, Event};

use super::both;
use crate::client::{follow, get};
use crate::house::{Ours, pack, png};

/// An entry of a feed: the texts of its elements by their names, and its links.
#[derive(Debug, Default, Clone)]
struct Entry {
    texts: BTreeMap<String, String>,
    links: Vec<Link>,
}

#[derive(Debug, Default, Clone)]
struct Link {
    relation: String,
    mime: String,
    href: String,
}

/// Reads a feed of ours, which is XML: what it says of itself, and its entries.
fn read(xml: &str) -> (Entry, Vec<Entry>) {
    read_with(xml, |value| quick_xml::escape::unescape(value).unwrap().into_owned())
}

/// Reads a feed of kiwix-serve's, which forgets to escape a query in an attribute.
fn read_theirs(xml: &str) -> (Entry, Vec<Entry>) {
    read_with(xml, |value| quick_xml::escape::unescape(value).map_or(value.to_owned(), |v| v.into_owned()))
}

fn read_with(xml: &str, unescape: impl Fn(&str) -> String) -> (Entry, Vec<Entry>) {
    let mut reader = quick_xml::Reader::from_str(xml);
    let (mut feed, mut entries): (Entry, Vec<Entry>) = (Entry::default(), vec![]);
    let mut way: Vec<String> = vec![];
    let mut in_entry = false;
    loop {
        let event = reader.read_event().unwrap();
        let name = |tag: &BytesStart<'_>| tag.name().as_ref().to_owned();
        match event {
            Event::Start(tag) if name(&tag) == "entry" => {
                entries.push(Entry::default());
                in_entry = true;
            }
            Event::End(tag) if tag.name().as_ref() == "entry" => in_entry = false,
            Event::Empty(tag) | Event::Start(tag) if name(&tag) == "link" => {
                let get = |key: &str| {
                    let found = tag.try_get_attribute(key).unwrap();
                    found.map(|a| unescape(&a.value))
                };
                let link = Link {
                    relation: get("rel").unwrap_or_default(),
                    mime: get("type").unwrap_or_default(),
                    href: get("href").unwrap_or_default(),
                };
                let at = if in_entry { entries.last_mut().unwrap() } else { &mut feed };
                at.links.push(link);
            }
            Event::Start(tag) => {
                way.push(name(&tag));
                let at = if in_entry { entries.last_mut().unwrap() } else { &mut feed };
                at.texts.entry(way.join(" ").trim_start_matches("feed ").to_owned()).or_default();
            }
            Event::End(tag) if tag.name().as_ref() != "link" => {
                way.pop();
            }
            Event::Text(text) => {
                let at = if in_entry { entries.last_mut().unwrap() } else { &mut feed };
                let text = text.xml10_content().into_owned();
                at.add(&way, &text);
            }
            Event::GeneralRef(reference) => {
                let at = if in_entry { entries.last_mut().unwrap() } else { &mut feed };
                let name = reference.xml10_content().into_owned();
                let text = quick_xml::escape::unescape(&format!("&{name};")).unwrap().into_owned();
                at.add(&way, &text);
            }
            Event::Eof => return (feed, entries),
            _ => {}
        }
    }
}

impl Entry {
    fn add(&mut self, way: &[String], text: &str) {
        let way = way.join(" ");
        if let Some(own) = self.texts.get_mut(way.trim_start_matches("feed ")) {
            own.push_str(text);
        }
    }

    fn text(&self, name: &str) -> &str {
        self.texts.get(name).map_or("", |text| text.trim())
    }

    /// Returns relation and type of all links but those from which a file is loaded.
    fn links(&self) -> BTreeSet<(&str, String)> {
        let others = self.links.iter().filter(|link| !link.relation.contains("acquisition"));
        others.map(|link| (link.relation.as_str(), link.mime.replace(' ', ""))).collect()
    }
}

fn by_id(entries: Vec<Entry>) -> BTreeMap<String, Entry> {
    entries.into_iter().map(|entry| (entry.text("id").to_owned(), entry)).collect()
}

/// What is compared of an archive's entry.
const FIELDS: [&str; 13] = [
    "title",
    "updated",
    "summary",
    "language",
    "name",
    "flavour",
    "category",
    "tags",
    "articleCount",
    "mediaCount",
    "author name",
    "publisher name",
    "dc:issued",
];

#[test]
fn entries_have_the_same_titles_facts_and_links() {
    let Some(both) = both() else { return };
    for target in
        ["/catalog/v2/entries?count=-1", "/catalog/search?count=-1", "/catalog/v2/partial_entries?count=-1"]
    {
        let (own, other) = (get(both.ours.address, target), get(both.theirs.address, target));
        let ((own_feed, own), (other_feed, other)) = (read(own.text()), read_theirs(other.text()));
        for name in ["title", "totalResults", "startIndex", "itemsPerPage"] {
            assert_eq!(own_feed.text(name), other_feed.text(name), "{target}: {name}");
        }
        assert_eq!(own_feed.links(), other_feed.links(), "{target}");
        let (own, other) = (by_id(own), by_id(other));
        assert_eq!(own.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>(), "{target}");
        for (id, entry) in &own {
            let theirs = &other[id];
            for field in FIELDS {
                assert_eq!(entry.text(field), theirs.text(field), "{target}: {id}: {field}");
            }
            assert_eq!(entry.links(), theirs.links(), "{target}: {id}");
            for link in &entry.links {
                let (found, _) = follow(both.ours.address, "GET", &link.href);
                assert_eq!(found.status, 200, "{target}: {}", link.href);
                assert_eq!(found.mime(), link.mime.split(';').next().unwrap(), "{}", link.href);
                let same =
                    theirs.links.iter().find(|l| (&l.relation, &l.mime) == (&link.relation, &link.mime));
                if let Some(same) = same {
                    let (other, _) = follow(both.theirs.address, "GET", &same.href);
                    assert_eq!((found.status, found.mime()), (other.status, other.mime()), "{}", link.href);
                    // Pictures are the same ones.
                    assert!(
                        link.relation.is_empty() || found.mime().contains("xml") || found.body == other.body
                    );
                    // And what the client of today knows leads to the same with us.
                    let (here, _) = follow(both.ours.address, "GET", &same.href);
                    assert_eq!((here.status, here.mime()), (other.status, other.mime()), "{}", same.href);
                }
            }
        }
    }
}

#[test]
fn what_kiwix_serve_does_not_offer_is_offered_for_loading() {
    let Some(both) = both() else { return };
    let (_, own) = read(get(both.ours.address, "/catalog/v2/entries?count=-1").text());
    for entry in &own {
        let links: Vec<_> = entry.links.iter().filter(|l| l.relation.contains("acquisition")).collect();
        let [link] = &links[..] else { panic!("{links:?}") };
        assert_eq!(follow(both.ours.address, "HEAD", &link.href).0.mime(), "application/x-zim");
    }
    // kiwix-serve lists in the old root only what has an address from which it is loaded: without a library
    // file that is nothing, while all of ours have one.
    assert!(read_theirs(get(both.theirs.address, "/catalog/root.xml").text()).1.is_empty());
    assert_eq!(read(get(both.ours.address, "/catalog/root.xml").text()).1.len(), own.len());
}

#[test]
fn feeds_that_lead_to_others_are_the_same() {
    let Some(both) = both() else { return };
    for target in ["/catalog/v2/root.xml", "/catalog/v2/categories", "/catalog/v2/languages"] {
        let (own, other) = (get(both.ours.address, target), get(both.theirs.address, target));
        let ((own_feed, own), (other_feed, other)) = (read(own.text()), read_theirs(other.text()));
        assert_eq!(own_feed.links(), other_feed.links(), "{target}");
        let facts = |entries: &[Entry]| -> BTreeMap<String, [String; 4]> {
            let of = |entry: &Entry| {
                let [link] = &entry.links[..] else { panic!("{entry:?}") };
                let text = |name: &str| entry.text(name).to_owned();
                let mime = link.mime.clone();
                // kiwix-serve encodes nothing in a language's code, not even in one that is none.
                (link.href.replace("%3D", "="), [text("title"), text("content"), text("dc:language"), mime])
            };
            entries.iter().map(of).collect()
        };
        let (own_facts, mut other_facts) = (facts(&own), facts(&other));
        // This version takes a list of languages for the name of one.
        other_facts.retain(|_, fact| !fact[2].contains(','));
        let is_whole = other_facts.len() == other.len();
        assert!(
            own_facts.len() >= 2 && other_facts.iter().all(|(href, fact)| own_facts.get(href) == Some(fact))
        );
        assert!(!is_whole || own_facts == other_facts, "{target}: {own_facts:?} {other_facts:?}");
        let counts = |entries: &[Entry]| {
            let mut out: BTreeMap<String, usize> = BTreeMap::new();
            for entry in entries {
                for code in entry.text("dc:language").split(',') {
                    *out.entry(code.to_owned()).or_default() += entry.text("thr:count").parse().unwrap_or(0);
                }
            }
            out
        };
        assert_eq!(counts(&own), counts(&other), "{target}");
    }
}

#[test]
fn filters_take_the_same_archives() {
    let Some(both) = both() else { return };
    let mut same = vec![
        "lang=eng",
        "lang=fra",
        "lang=xyz",
        "lang=",
        "tag=sea",
        "tag=SEA",
        "tag=sea;mer",
        "notag=sea",
        "notag=sea;mer",
        "maxsize=1",
        "maxsize=100000000",
        "category=maritime",
        "category=nosuch",
        "category=",
        "q=tid",
        "q=tides",
        "q=TIDES%20ships",
        "q=phares",
        "q=title:phare",
        "q=creator:keeper",
        "q=%22all+sorts%22",
        "q=%22sorts+all%22",
        "q=ships+-tides",
        "q=",
        "q=nosuch",
        "count=0",
        "count=x",
        "count=1",
        "count=1&start=1",
        "start=99",
        "lang=eng&q=harbour",
        "name=nosuch",
        "unknown=1",
    ];
    if both.has_suite {
        same.push("q=%D0%BF%D0%BB%D1%8F%D1%86%D0%BE%D1%9E%D0%BA%D1%96");
    }
    for filter in same {
        let target = format!("/catalog/v2/entries?{filter}");
        let (own, other) = (get(both.ours.address, &target), get(both.theirs.address, &target));
        let ((own_feed, own), (other_feed, other)) = (read(own.text()), read_theirs(other.text()));
        for name in ["totalResults", "startIndex", "itemsPerPage"] {
            assert_eq!(own_feed.text(name), other_feed.text(name), "{filter}: {name}");
        }
        // Which come first is up to each, so a part of them may be another.
        if !filter.contains("count=1") {
            let ids = |entries: Vec<Entry>| by_id(entries).into_keys().collect::<Vec<_>>();
            assert_eq!(ids(own), ids(other), "{filter}");
        }
    }
}

/// Filters of libkiwix that this version of kiwix-serve does not have, or reads in another way.
#[test]
fn filters_of_later_versions_are_there() {
    let Some(both) = both() else { return };
    for (filter, titles) in [
        ("creator=keeper", &["Harbour Almanac"][..]),
        ("publisher=port%20office", &["Harbour Almanac"]),
        // A list is a choice.
        ("lang=fra,deu&creator=gardien", &["Le Phare"]),
        ("category=maritime,other", &["Harbour Almanac"]),
        ("name=harbour-almanac_eng", &["Harbour Almanac"]),
        // Words of tags are words.
        ("q=mer", &["Le Phare"]),
    ] {
        let (_, own) = read(get(both.ours.address, &format!("/catalog/v2/entries?{filter}")).text());
        assert_eq!(own.iter().map(|entry| entry.text("title")).collect::<Vec<_>>(), titles, "{filter}");
    }
}

#[test]
fn one_entry_is_had_alone_and_pictures_by_its_id() {
    let Some(both) = both() else { return };
    let (_, all) = read(get(both.ours.address, "/catalog/v2/entries?name=harbour-almanac_eng").text());
    let id = all[0].text("id").strip_prefix("urn:uuid:").unwrap().to_owned();
    let target = format!("/catalog/v2/entry/{id}");
    let (own, other) = (get(both.ours.address, &target), get(both.theirs.address, &target));
    assert_eq!((own.status, own.mime()), (other.status, other.mime()));
    // kiwix-serve's names none of its namespaces; ours can be read.
    let ((_, own), (_, other)) = (read(own.text()), read_theirs(other.text()));
    for field in FIELDS {
        assert_eq!(own[0].text(field), other[0].text(field), "{field}");
    }
    // By UUID, as libkiwix 12 links to it; this version knows names only.
    for slash in ["", "/"] {
        let picture = get(both.ours.address, &format!("/catalog/v2/illustration/{id}{slash}?size=48"));
        assert_eq!((picture.status, picture.mime()), (200, "image/png"));
    }
}

#[test]
fn a_tome_is_listed_without_a_file_to_load() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("in")).unwrap();
    std::fs::write(folder.path().join("in/index.html"), "<title>Nets</title><p>mesh").unwrap();
    std::fs::write(folder.path().join("icon.png"), png(48)).unwrap();
    let archive = folder.path().join("nets.tome");
    let icon = folder.path().join("icon.png");
    let args = [
        "--title",
        "Nets & \"lines\"",
        "--language",
        "pt-BR",
        "--icon",
        icon.to_str().unwrap(),
        "--tag",
        "x",
    ];
    pack(&args, &folder.path().join("in"), &archive);
    let ours = Ours::over(vec![archive]);
    let (_, own) = read(get(ours.address, "/catalog/v2/entries").text());
    let [entry] = &own[..] else { panic!("{own:?}") };
    assert_eq!((entry.text("title"), entry.text("language")), ("Nets & \"lines\"", "por"));
    assert!(entry.text("id").starts_with("urn:uuid:"));
    assert!(!entry.links.iter().any(|link| link.relation.contains("acquisition")));
    assert_eq!(get(ours.address, "/download/nets.zim").status, 404);
    for link in &entry.links {
        assert_eq!(follow(ours.address, "GET", &link.href).0.status, 200, "{}", link.href);
    }
    // Its metadata are read by the names that a ZIM has for them.
    for (key, value) in [("Title", "Nets & \"lines\""), ("Language", "por"), ("Tags", "x")] {
        assert_eq!(get(ours.address, &format!("/raw/nets/meta/{key}")).text(), value);
    }
    for missing in ["title", "zim:Title", "uuid", "Counter", ""] {
        assert_eq!(get(ours.address, &format!("/raw/nets/meta/{missing}")).status, 404, "{missing}");
    }
    for language in ["por", "pt-BR"] {
        let (_, own) = read(get(ours.address, &format!("/catalog/v2/entries?lang={language}")).text());
        assert_eq!(own.len(), 1, "{language}");
    }
    // What has not changed is not sent again.
    let first = get(ours.address, "/catalog/v2/entries");
    let tag = format!("If-None-Match: {}\r\n", first.header("etag").unwrap());
    assert_eq!(crate::client::ask(ours.address, "GET", "/catalog/v2/entries", &tag).status, 304);
}
