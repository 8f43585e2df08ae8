//! Pack, extract, pack again: the same archive, byte for byte. What files suffer in between.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use tempfile::TempDir;
use tome::item::{About, Body, Content, Item, Metadata, Silent, Value, escape_bytes};
use tome::reader::Archive;
use tome::writer::Options;

use crate::common::{Heard, article, extract, media, open, pack, pack_sources, redirect, sample, tell, ways};

/// Extracts an archive in every way, packs what that gives, and compares.
fn check_ways(bytes: &[u8]) {
    check(bytes, ways());
}

fn check(bytes: &[u8], ways: Vec<(&str, tome::extract::Options)>) {
    let archive = Arc::new(open(bytes));
    let dir = TempDir::new().unwrap();
    for (name, options) in ways {
        let to = dir.path().join(name);
        let summary = extract(&archive, &to, options);
        assert_eq!(summary.skipped, [], "{name}");
        assert_eq!(summary.entries, u64::from(archive.len()), "{name}");
        let heard = Heard::default();
        let again = pack_sources(&[&to], Options::default(), &heard).unwrap();
        // Redirects in loops are odd, but come back.
        let mut lines = heard.lines();
        lines.retain(|line| !line.ends_with(": a redirect that leads back to itself"));
        assert_eq!(lines, [""; 0], "{name}");
        if again != bytes {
            let (a, b) = (told(&archive), told(&open(&again)));
            assert_eq!(a, b, "{name}: other entries");
            panic!("{name}: other bytes, {} and {}", bytes.len(), again.len());
        }
    }
}

fn told(archive: &Archive) -> Vec<(crate::common::Told, tome::item::Kind, String, bool, bool)> {
    let entries = archive.entries().map(Result::unwrap);
    entries
        .map(|e| (tell(archive, &e).unwrap(), e.kind(), e.mime().to_string(), e.escaped, e.is_titled))
        .collect()
}

#[test]
fn the_sample_comes_back_byte_for_byte() {
    let heard = Heard::default();
    let from = [sample("sample"), sample("redirects.tsv")];
    let bytes = pack_sources(&[&from[0], &from[1]], Options::default(), &heard).unwrap();
    assert_eq!(heard.lines(), [""; 0]);
    check_ways(&bytes);
    // An archive is a source, too.
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("a.bin");
    std::fs::write(&file, &bytes).unwrap();
    assert!(pack_sources(&[&file], Options::default(), &Silent).unwrap() == bytes);
}

#[test]
fn which_titles_the_paths_give_does_not_depend_on_what_was_spelt_out() {
    // By the last part two titles are given, by the whole path one more is; without the first two
    // the rule would be another, and with it the title of what has none of its own.
    let items = vec![
        article("a/One.html", Some("One"), "1"),
        article("a/Three.html", Some("a/Three"), "3"),
        article("a/Two.html", Some("Two"), "2"),
        article("b/None.html", None, "4"),
        media("c/Given.png", "image/png", "5"),
        redirect("d/Redirect", "a/One.html", None),
    ];
    let bytes = pack(items, &About::default(), Options::default());
    let archive = open(&bytes);
    assert_eq!(archive.entry_by_path("b/None.html").unwrap().unwrap().title, "None");
    check_ways(&bytes);
    // The same the other way round.
    let items = vec![article("a/One.html", Some("a/One"), "1"), article("b/None.html", None, "4")];
    let bytes = pack(items, &About::default(), Options::default());
    assert_eq!(open(&bytes).entry_by_path("b/None.html").unwrap().unwrap().title, "b/None");
    check_ways(&bytes);
    // And bytes do not tell who spelt what out.
    let spelt = |title| pack(vec![article("a/One.html", title, "1")], &About::default(), Options::default());
    assert!(spelt(None) == spelt(Some("One")));
}

#[test]
fn files_that_were_changed_added_and_deleted() {
    let items = vec![
        article("AC", Some("Alternating current"), "<title>not this</title>"),
        article("AC/DC", Some("The band"), "<title>band</title>"),
        article("gone.html", Some("Gone"), "g"),
        redirect("old", "gone.html", None),
        redirect("other", "AC/DC", None),
        article("same.html", Some("By the manifest"), "<title>By the page</title>"),
    ];
    let mut about = About { main: Some("AC".into()), ..About::default() };
    about.metadata.set_text("title", "The whole");
    let archive = Arc::new(open(&pack(items, &about, Options::default())));
    let dir = TempDir::new().unwrap();
    extract(&archive, dir.path(), tome::extract::Options { redirect_pages: true, ..Default::default() });
    let names: BTreeMap<String, String> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .map(|name| (name.chars().take(3).collect(), name))
        .collect();
    // What stands elsewhere keeps its path, whatever was made of it since.
    std::fs::write(dir.path().join(&names["AC%"]), "<html lang=fr><title>Courant</title>").unwrap();
    std::fs::write(dir.path().join("new.html"), "<title>New</title>").unwrap();
    std::fs::write(
        dir.path().join("sign.html"),
        format!("<meta http-equiv=refresh content='0;url={}'>", names["AC%"].replace('%', "%25")),
    )
    .unwrap();
    std::fs::write(dir.path().join("other"), "<!doctype html><title>Now a page</title>").unwrap();
    std::fs::remove_file(dir.path().join("gone.html")).unwrap();
    std::fs::remove_file(dir.path().join("old")).unwrap();
    std::fs::write(dir.path().join(".tome-partial-1-1"), "half").unwrap();
    let heard = Heard::default();
    let bytes = pack_sources(&[dir.path()], Options::default(), &heard).unwrap();
    let again = open(&bytes);
    let lines: Vec<(String, String, String)> = again
        .entries()
        .map(Result::unwrap)
        .map(|e| {
            (e.path.clone(), e.title.clone(), tell(&again, &e).unwrap().2.map_or(String::new(), |t| t.0))
        })
        .collect();
    let lines: Vec<_> = lines.iter().map(|(a, b, c)| (&a[..], &b[..], &c[..])).collect();
    assert_eq!(
        lines,
        [
            ("AC", "Courant", ""),
            ("AC/DC", "The band", ""),
            ("new.html", "New", ""),
            ("other", "Now a page", ""),
            ("same.html", "By the manifest", ""),
            ("sign.html", "sign", "AC"),
        ]
    );
    assert_eq!(again.language(again.entry_by_path("AC").unwrap().unwrap().id).unwrap(), Some("fr"));
    assert_eq!(again.metadata().unwrap().text("title"), Some("The whole"));
    assert_eq!(again.metadata().unwrap().text("language"), None);
    assert_eq!(again.main_entry().unwrap().unwrap().path, "AC");
    let lines = heard.lines();
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(lines[0].contains(".tome-partial-1-1: left out: half a file"), "{lines:#?}");
    assert_eq!(
        lines[1..],
        ["warning gone.html: left out: its file is gone", "warning old: left out: its file is gone"]
    );
}

#[test]
fn a_manifest_in_any_order_gives_the_entries_in_that_of_paths() {
    let items: Vec<Item> = (0..20).map(|i| article(&format!("{i:02}?"), None, format!("page {i}"))).collect();
    let bytes = pack(items, &About::default(), Options::default());
    let dir = TempDir::new().unwrap();
    let portable = tome::extract::Options { portable_names: true, ..Default::default() };
    extract(&Arc::new(open(&bytes)), dir.path(), portable);
    let file = dir.path().join(tome::manifest::NAME);
    let mut json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    json["entries"].as_array_mut().unwrap().reverse();
    std::fs::write(&file, json.to_string()).unwrap();
    assert!(pack_sources(&[dir.path()], Options::default(), &Silent).unwrap() == bytes);
}

#[cfg(unix)]
#[test]
fn x07_a_manifest_opens_nothing_outside_the_folder() {
    use std::os::unix::fs::symlink;
    let outside = TempDir::new().unwrap();
    std::fs::write(outside.path().join("secret"), "secret").unwrap();
    let dir = TempDir::new().unwrap();
    symlink(outside.path(), dir.path().join("d")).unwrap();
    symlink(outside.path().join("secret"), dir.path().join("f")).unwrap();
    let hash = blake3::hash(b"secret").to_hex();
    let line = |path: &str, file: &str| {
        format!(
            "{{\"path\":\"{path}\",\"file\":\"{file}\",\"kind\":\"article\",\"mime\":\"text/plain\",\"size\":6,\"blake3\":\"{hash}\"}}"
        )
    };
    let json = format!("{{\"tome_manifest\":1,\"entries\":[{},{}]}}", line("a", "d/secret"), line("b", "f"));
    std::fs::write(dir.path().join(tome::manifest::NAME), json).unwrap();
    let heard = Heard::default();
    let bytes = pack_sources(&[dir.path()], Options::default(), &heard).unwrap();
    assert!(open(&bytes).is_empty());
    assert!(heard.lines().iter().any(|l| l.starts_with("error")), "{:#?}", heard.lines());
}

fn component() -> impl Strategy<Value = Vec<u8>> {
    let fixed: &[&[u8]] = &[
        b"",
        b".",
        b"..",
        b"AC",
        b"ac",
        b"DC",
        b"a",
        b"b.html",
        b"a\0b",
        b"CON",
        b"nul.txt",
        b"C:",
        b"a:b",
        b"a\\b",
        b"x y. ",
        b"%2E",
        b"%2e%2E",
        b"%_",
        b"%~",
        b"%~12345678",
        b"tome-manifest.json",
        b".tome-partial-1-1",
        b"\xff",
        b"caf\xe9.html",
        b"\xc3\xa9",
        b"e\xcc\x81",
        // Names that hold U+F8FF itself are left out: beside names that are no UTF-8 their order in a
        // folder is not that of their escaped paths, and packing again may deal blocks otherwise.
        b"\x01\x1b[31m",
        b"a\nb",
        b"\xe2\x80\xae",
        b"mimetype",
        b"What?",
        b"100%",
        b"#x",
        b"index.html",
    ];
    prop_oneof![
        4 => proptest::sample::select(fixed).prop_map(<[u8]>::to_vec),
        1 => (250..260usize).prop_map(|n| vec![b'l'; n]),
        1 => (80..90usize).prop_map(|n| "é%".repeat(n).into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 1..4).prop_map(|mut v| { v.retain(|b| *b != b'/'); v }),
    ]
}

fn path() -> impl Strategy<Value = (String, bool)> {
    let parts = prop_oneof![
        8 => prop::collection::vec(component(), 1..4),
        1 => prop::collection::vec(component(), 20..40),
    ];
    parts.prop_map(|parts| {
        let bytes = parts.join(&b"/"[..]);
        match String::from_utf8(bytes) {
            Ok(text) => (text, false),
            Err(e) => (escape_bytes(e.as_bytes()), true),
        }
    })
}

prop_compose! {
    fn hostile()(
        paths in prop::collection::btree_map(path(), any::<u8>(), 1..14),
        titles in prop::collection::vec(prop::option::of("[A-Za-z/ ]{0,5}"), 14),
        languages in prop::collection::vec(prop::option::of("(en|de|fr)"), 14),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        main in prop::option::of(any::<prop::sample::Index>()),
        icon in prop::collection::vec(any::<u8>(), 0..5),
        language in prop::option::of("(en|de,en)"),
    ) -> (Vec<Item>, About) {
        let mut unique: BTreeMap<String, (bool, u8)> = BTreeMap::new();
        for ((path, escaped), n) in paths {
            unique.entry(path).or_insert((escaped, n));
        }
        let names: Vec<String> = unique.keys().cloned().collect();
        let pick = |index: &prop::sample::Index| index.get(&names).clone();
        let mut about = About { metadata: Metadata::default(), main: main.as_ref().map(pick), reading_order: order.iter().map(pick).collect() };
        about.metadata.set("icon", Value { mime: "image/png".into(), bytes: icon });
        if let Some(language) = language {
            about.metadata.set_text("language", language);
        }
        let items = unique.into_iter().enumerate().map(|(i, (path, (escaped, n)))| {
            let target = &names[n as usize / 4 % names.len()];
            let mut item = match n % 4 {
                0 => redirect(&path, target, (n > 99).then_some("f#\"g")),
                1 => media(&path, "x/y", vec![n; n.into()]),
                _ => article(&path, None, format!("<title>T{n}</title>").repeat(usize::from(n) / 7)),
            };
            item.title = titles[i].clone();
            item.language = languages[i].clone();
            item.escaped = escaped;
            item.generated = n % 5 == 0;
            item
        });
        (items.collect(), about)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    /// Whatever the paths are, they come back from files.
    #[test]
    fn hostile_names_come_back_byte_for_byte((items, about) in hostile()) {
        check_ways(&pack(items, &about, Options::default()));
    }
}

#[test]
fn long_content_comes_back() {
    let mut random = crate::common::Random(3);
    let noise = random.bytes(9_000_000);
    let text = random.prose(800_000).into_bytes();
    assert!(text.len() > 4 << 20);
    let large = |bytes: Vec<u8>| {
        let len = bytes.len() as u64;
        let open = Box::new(move || -> std::io::Result<Box<dyn std::io::Read + Send>> {
            Ok(Box::new(std::io::Cursor::new(bytes.clone())))
        });
        Content::Large { len, open }
    };
    let mut items = vec![article("a", None, "small")];
    for (path, bytes) in [("b", noise), ("c", text)] {
        let body = Body::Media { mime: "x/y".into(), content: large(bytes) };
        items.push(crate::common::item(path, None, body));
    }
    let bytes = pack(items, &About::default(), Options::default());
    check(&bytes, ways().into_iter().filter(|way| way.0.starts_with("plain")).collect());
}
