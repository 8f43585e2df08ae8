//! An archive as a source: what it passes on, and what of it when it is damaged.

use std::sync::Arc;

use tempfile::TempDir;
use tome::item::{About, Body, Content, Item, Kind, Silent, Source, Value};
use tome::reader::Archive;
use tome::sources::archive::ArchiveSource;
use tome::sources::{Globs, Options as SourceOptions};
use tome::writer::Options;

use crate::common::{
    Collected, Heard, Random, article, everything, media, open, pack, pack_sources, redirect, whole,
};

fn run(archive: Archive, prefix: &str, options: SourceOptions) -> (Collected, Heard, About) {
    let (mut items, heard) = (Collected::default(), Heard::default());
    let mut source = ArchiveSource::new(Arc::new(archive), options).with_prefix(prefix).unwrap();
    let about = source.run(&mut items, &heard).unwrap();
    (items, heard, about)
}

#[test]
fn everything_passes_as_it_was_packed() {
    let bytes = everything();
    let (items, heard, about) = run(open(&bytes), "", SourceOptions::default());
    assert_eq!(heard.lines(), [""; 0]);
    let options = || Options { always_redundant: true, ..Options::default() };
    let again = pack(items.0, &about, options());
    assert_eq!(open(&again).content_id(), open(&bytes).content_id());
    // Then in the order of paths, in which it was not packed first.
    let (items, _, about) = run(open(&again), "", SourceOptions::default());
    assert!(pack(items.0, &about, options()) == again);
}

#[test]
fn prefix_and_globs_are_over_whole_entry_paths() {
    let items = vec![
        article("a.html", Some("A"), "a"),
        article("b.html", Some("B"), "b"),
        article("c.html", Some("C"), "c"),
        redirect("r", "a.html", Some("f")),
    ];
    let reading_order = vec!["b.html".into(), "a.html".into(), "c.html".into()];
    let mut about = About { main: Some("b.html".into()), reading_order, ..About::default() };
    about.metadata.set_text("language", "en,de");
    let bytes = pack(items, &about, Options::default());
    let options = SourceOptions {
        exclude: Globs::new(&["p/b*"]).unwrap(),
        media_only: Globs::new(&["p/c*"]).unwrap(),
        ..SourceOptions::default()
    };
    let (items, heard, about) = run(open(&bytes), "/p/", options);
    assert_eq!(items.paths(), ["p/a.html", "p/c.html", "p/r"]);
    assert_eq!((about.main, about.reading_order), (None, vec!["p/a.html".into(), "p/c.html".into()]));
    assert_eq!(about.metadata.text("language"), Some("en,de"));
    assert_eq!(items.get("p/c.html").body.kind(), Kind::Media);
    assert_eq!((items.get("p/a.html").title.as_deref(), &items.get("p/c.html").title), (Some("A"), &None));
    let Body::Redirect { target, fragment } = &items.get("p/r").body else { panic!() };
    assert_eq!((&target[..], fragment.as_deref()), ("p/a.html", Some("f")));
    assert_eq!(heard.lines(), [""; 0]);
    // The caller's main page goes before the archive's.
    for (main, found) in [("a.html", Some("a.html")), ("elsewhere", None)] {
        let options = SourceOptions { main: Some(main.into()), ..SourceOptions::default() };
        assert_eq!(run(open(&bytes), "", options).2.main.as_deref(), found);
    }
}

#[test]
fn flags_languages_and_media_titles_pass() {
    let with = |mut item: Item, f: &dyn Fn(&mut Item)| {
        f(&mut item);
        item
    };
    let items = vec![
        with(article("a", None, "a"), &|i| i.generated = true),
        with(article("b\u{f8ff}ff", None, "b"), &|i| i.escaped = true),
        with(article("c", None, "c"), &|i| i.language = Some("de".into())),
        with(article("d", None, "d"), &|i| i.language = Some("en".into())),
        with(media("e", "image/png", "e"), &|i| i.title = Some("e".into())),
        media("f", "image/png", "f"),
    ];
    let mut about = About::default();
    about.metadata.set_text("language", "en,fr");
    about.metadata.set("icon", Value { mime: "image/png".into(), bytes: vec![0, 255] });
    let (items, _, told) = run(open(&pack(items, &about, Options::default())), "", SourceOptions::default());
    assert_eq!(told.metadata, about.metadata);
    let get = |path| items.get(path);
    assert!(get("a").generated && !get("a").escaped && get("b\u{f8ff}ff").escaped);
    assert_eq!((get("c").language.as_deref(), &get("d").language), (Some("de"), &None));
    assert_eq!((get("e").title.as_deref(), &get("f").title), (Some("e"), &None));
}

#[test]
fn an_archive_is_known_by_its_magic_at_the_start_or_the_end() {
    let bytes = pack(vec![article("a.html", Some("A"), "x")], &About::default(), Options::default());
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("looks-like.zip");
    std::fs::write(&path, &bytes).unwrap();
    assert!(pack_sources(&[&path], Options::default(), &Silent).unwrap() == bytes);
    let mut damaged = bytes.clone();
    damaged[..64].fill(0);
    let path = dir.path().join("damaged.bin");
    std::fs::write(&path, &damaged).unwrap();
    assert!(pack_sources(&[&path], Options::default(), &Silent).unwrap() == bytes);
    // What is called an archive and is none is an error, not an entry.
    let path = dir.path().join("none.tome");
    std::fs::write(&path, "words").unwrap();
    let message = pack_sources(&[&path], Options::default(), &Silent).unwrap_err().to_string();
    assert!(message.contains("none.tome") && message.contains("not an archive"), "{message}");
}

/// An archive large enough for several leaves and blocks.
fn sizeable() -> Vec<u8> {
    let mut random = Random(21);
    let mut items: Vec<Item> = (0..2000)
        .map(|i| {
            article(&format!("wiki/{i:05}.html"), Some(&format!("Title {}", random.next())), random.prose(60))
        })
        .collect();
    items.extend(
        (0..2000).step_by(7).map(|i| redirect(&format!("to/{i:05}"), &format!("wiki/{i:05}.html"), None)),
    );
    pack(items, &About::default(), Options::default())
}

#[test]
fn a_damaged_leaf_is_named_once_and_the_rest_goes_on() {
    let bytes = sizeable();
    let archive = open(&bytes);
    let leaves = archive.entry_leaves().unwrap();
    assert!(leaves > 4, "{leaves}");
    let tables = archive.first_page().tables_offset as usize;
    let row = *archive.first_page().rows.iter().find(|r| r.kind.name() == "entries").unwrap();
    let leaf = leaves - 2;
    let lost = archive.ids_in_leaf(leaf).unwrap();
    let mut damaged = bytes.clone();
    damaged[tables + row.offset as usize + leaf as usize * 4096 + 100] ^= 1;
    if row.copy > 0 {
        damaged[tables + (row.copy as usize + leaf as usize) * 4096 + 100] ^= 1;
    }
    let total = archive.len();
    let (items, heard, _) = run(open(&damaged), "", SourceOptions::default());
    let lines = heard.lines();
    let of_leaf: Vec<&String> = lines.iter().filter(|l| l.contains("entries ")).collect();
    assert_eq!(of_leaf.len(), 1, "{lines:#?}");
    let expected = format!("entries {} to {} are lost", lost.start, lost.end - 1);
    assert!(of_leaf[0].contains(&expected), "{lines:#?}");
    // Redirects that lead into it are named, too.
    let redirects = lines.iter().filter(|l| l.starts_with("error to/")).count();
    assert_eq!(redirects + 1, lines.len(), "{lines:#?}");
    assert!(redirects > 0);
    assert_eq!(items.0.len() + lost.len() + redirects, total as usize);
}

#[test]
fn a_damaged_block_costs_its_entries() {
    let bytes = sizeable();
    let archive = open(&bytes);
    let tables = archive.first_page().tables_offset as usize;
    let mut damaged = bytes.clone();
    damaged[tables / 2] ^= 1;
    let (items, heard, about) = run(open(&damaged), "", SourceOptions::default());
    let lines = heard.lines();
    assert!(!lines.is_empty() && lines.len() < 200, "{lines:#?}");
    assert!(lines.iter().all(|l| l.starts_with("error wiki/") && l.contains("cannot be read")), "{lines:#?}");
    assert_eq!(items.0.len() + lines.len(), archive.len() as usize);
    // Redirects to what is lost dangle, which the writer says.
    let heard = Heard::default();
    let again = crate::common::pack_observed(items.0, &about, Options::default(), &heard);
    assert_eq!(open(&again).len() as usize + lines.len() + heard.lines().len(), archive.len() as usize);
}

#[test]
fn long_content_is_read_in_steps_and_fails_where_it_is_damaged() {
    let noise = Random(9).bytes(10_000_000);
    let text = Random(10).prose(800_000).into_bytes();
    assert!(text.len() > 4 << 20);
    let items = vec![
        media("noise", "x/y", noise.clone()),
        article("other", None, "fine"),
        media("text", "x/y", text.clone()),
    ];
    let bytes = pack(items, &About::default(), Options::default());
    let (items, ..) = run(open(&bytes), "", SourceOptions::default());
    for (path, expected) in [("noise", &noise), ("text", &text)] {
        let (Body::Media { content, .. } | Body::Article { content, .. }) = &items.get(path).body else {
            panic!()
        };
        assert!(matches!(content, Content::Large { .. }));
        // Twice, as a writer does.
        assert!(whole(content).unwrap() == *expected && whole(content).unwrap() == *expected);
    }
    // Damage in the middle of the noise: packing again leaves it out, and says so.
    let mut damaged = bytes.clone();
    let at = bytes.windows(16).position(|w| *w == noise[6_000_000..6_000_016]).unwrap();
    damaged[at] ^= 1;
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a.tome");
    std::fs::write(&path, &damaged).unwrap();
    let heard = Heard::default();
    let again = open(&pack_sources(&[&path], Options::default(), &heard).unwrap());
    assert_eq!(heard.lines().len(), 1, "{:#?}", heard.lines());
    assert!(heard.lines()[0].starts_with("error noise: cannot be read"), "{:#?}", heard.lines());
    let paths: Vec<String> = again.entries().map(|e| e.unwrap().path).collect();
    assert_eq!(paths, ["other", "text"]);
    let text_again = again.content(&again.entry_by_path("text").unwrap().unwrap()).unwrap();
    assert!(*text_again == *text);
}
