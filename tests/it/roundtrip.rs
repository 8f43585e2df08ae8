//! What is packed is what is read, through every storage; and the same input gives the same bytes.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tempfile::TempDir;
use tome::error::Error;
use tome::item::{About, Body, Content, Item, Kind, Silent, Sink};
use tome::reader::{Archive, Entry, EntryBody, VerifyOptions};
use tome::storage::Owned;
use tome::writer::{Options, Writer};

use crate::common::{
    Heard, Random, article, media, open, pack, pack_observed, pack_sources, redirect, sample, tell,
    templated, whole, write,
};

/// Bytes of a size, compressible or not.
fn body(size: usize, noise: bool, seed: u64) -> Vec<u8> {
    let mut random = Random(seed | 1);
    if noise {
        return random.bytes(size);
    }
    let mut bytes = random.prose(size / 6 + 1).into_bytes();
    bytes.truncate(size);
    bytes
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-cA-C_]{1,4}(/[a-c]{1,3}){0,2}(\\.html)?",
        3 => "\\PC{1,12}",
        1 => (500..530usize, "[a-c]{0,2}").prop_map(|(n, end)| format!("{}{end}", "long/".repeat(n / 5))),
        1 => (505..520usize, "[a-c]{0,2}").prop_map(|(n, end)| format!("{}{end}", "é".repeat(n))),
    ]
}

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![3 => 0..3usize, 10 => 1..3000usize, 2 => 30_000..120_000usize, 1 => 500_000..600_000usize]
}

prop_compose! {
    fn item()(
        path in name(),
        title in prop::option::of(name()),
        size in size(),
        noise in any::<bool>(),
        seed in any::<u64>(),
        mime in prop::sample::select(vec!["text/html", "text/html; charset=utf-8", "image/png", ""]),
        kind in 0..5u8,
        target in any::<prop::sample::Index>(),
        fragment in prop::option::of(name()),
    ) -> (Item, prop::sample::Index) {
        let content = || Content::Bytes(body(size, noise, seed));
        let body = match kind {
            0 => Body::Redirect { target: String::new(), fragment },
            1 => Body::Media { mime: mime.into(), content: content() },
            _ => Body::Article { mime: mime.into(), content: content() },
        };
        (crate::common::item(&path, title.as_deref(), body), target)
    }
}

/// Items of different paths; redirects lead to any of them, in chains and loops.
fn items() -> impl Strategy<Value = Vec<Item>> {
    prop::collection::vec(item(), 0..40).prop_map(|list| {
        let unique: BTreeMap<String, _> = list.into_iter().map(|i| (i.0.path.clone(), i)).collect();
        let paths: Vec<String> = unique.keys().cloned().collect();
        let with_target = |(mut item, index): (Item, prop::sample::Index)| {
            if let Body::Redirect { target, .. } = &mut item.body {
                target.clone_from(index.get(&paths));
            }
            item
        };
        unique.into_values().map(with_target).collect()
    })
}

fn copy(item: &Item) -> Item {
    let content = |c: &Content| Content::Bytes(whole(c).unwrap());
    let body = match &item.body {
        Body::Article { mime, content: c } => Body::Article { mime: mime.clone(), content: content(c) },
        Body::Media { mime, content: c } => Body::Media { mime: mime.clone(), content: content(c) },
        Body::Redirect { target, fragment } => {
            Body::Redirect { target: target.clone(), fragment: fragment.clone() }
        }
    };
    crate::common::item(&item.path, item.title.as_deref(), body)
}

fn check(archive: &Archive, items: &[Item]) {
    assert_eq!(archive.len() as usize, items.len());
    assert_eq!(archive.entries().count(), items.len());
    let mut articles = vec![];
    for (id, item) in items.iter().enumerate() {
        let entry = archive.entry_by_path(&item.path).unwrap().unwrap();
        assert_eq!(entry.id.0 as usize, id);
        assert_eq!(archive.entry_by_id(entry.id).unwrap().as_ref(), Some(&entry));
        check_entry(archive, &entry, item);
        if entry.kind() == Kind::Article {
            articles.push(entry.id);
        }
    }
    for (n, id) in articles.iter().enumerate() {
        assert_eq!(archive.article(n as u32).unwrap().unwrap().id, *id);
    }
    assert!(archive.article(articles.len() as u32).unwrap().is_none());
    assert!(archive.entry_by_path("no such path").unwrap().is_none());
}

fn check_entry(archive: &Archive, entry: &Entry, item: &Item) {
    assert_eq!((&entry.path, entry.kind()), (&item.path, item.body.kind()));
    assert_eq!(entry.is_titled, item.title.is_some() || entry.kind() != Kind::Media);
    if let Some(title) = &item.title {
        assert_eq!(&entry.title, title);
    }
    if entry.is_titled {
        assert!(archive.entries_by_title(&entry.title).unwrap().contains(entry), "{:?}", entry.title);
    }
    match (&item.body, &entry.body) {
        (Body::Redirect { target, fragment }, EntryBody::Redirect { target: id, fragment: other }) => {
            assert_eq!(&archive.entry_by_id(*id).unwrap().unwrap().path, target);
            assert_eq!(fragment, other);
        }
        (Body::Article { mime, content } | Body::Media { mime, content }, EntryBody::Blob { .. }) => {
            assert_eq!(mime, entry.mime());
            let bytes = whole(content).unwrap();
            assert!(*archive.content(entry).unwrap() == *bytes);
            let mut copied = vec![];
            archive.copy_content(entry, &mut copied).unwrap();
            assert!(copied == bytes);
            let (from, to) = (bytes.len() / 3, bytes.len() / 2 + 1);
            let part = archive.content_range(entry, from as u64..to as u64).unwrap();
            assert!(*part == bytes[from..to.min(bytes.len())]);
        }
        _ => panic!("{} is of another kind", entry.path),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_packed_is_what_is_read(items in items()) {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("a.tome");
        write(&path, items.iter().map(copy).collect(), &About::default(), Options::default(), &Silent);
        let bytes = std::fs::read(&path).unwrap();
        let owned = Archive::from_storage(Owned(bytes)).unwrap();
        let mapped = Archive::open(&path).unwrap();
        let positional = Archive::open_by_position(&path).unwrap();
        for archive in [&owned, &mapped, &positional] {
            check(archive, &items);
            for item in &items {
                let entry = archive.entry_by_path(&item.path).unwrap().unwrap();
                let ends: Vec<_> = [&owned, &mapped, &positional]
                    .iter()
                    .map(|a| a.resolve(entry.clone()).unwrap())
                    .collect();
                prop_assert!(ends.iter().all(|end| *end == ends[0]));
            }
        }
        let report = owned.verify(VerifyOptions::default(), &Silent).unwrap();
        let nowhere = |item: &&Item| {
            let entry = owned.entry_by_path(&item.path).unwrap().unwrap();
            owned.resolve(entry).unwrap().is_none()
        };
        // Nothing is found but redirects in loops, and all of those.
        prop_assert!(report.findings.iter().all(|f| f.check == "redirect"), "{:?}", report.findings);
        let found: u64 = report.findings.iter().map(|f| f.n_entries).sum();
        prop_assert_eq!(found, items.iter().filter(nowhere).count() as u64);
    }
}

#[test]
fn the_same_input_gives_the_same_bytes_with_any_threads_and_memory() {
    let mut random = Random(11);
    let mut pages = vec![];
    let mut total = 0;
    while total < 60_000_000 {
        let i = pages.len();
        let title = format!("Function {i} of chapter {}", i / 40);
        let page = templated(&title, &random.prose(120 + i % 900));
        total += page.len();
        pages.push((format!("chapter{}/function_{i}.html", i / 40), title, page));
    }
    let pack_with = |threads, memory| {
        let items = pages.iter().map(|(path, title, page)| article(path, Some(title), page.as_bytes()));
        let options = Options { threads: Some(threads), memory, ..Options::default() };
        pack(items.collect(), &About::default(), options)
    };
    let one = pack_with(1, 100_000_000);
    assert!(one == pack_with(4, 1_000_000_000));
    let archive = open(&one);
    assert_eq!(archive.len() as usize, pages.len());
    let from = [sample("sample"), sample("redirects.tsv")];
    let packed: Vec<Vec<u8>> = [(1, 100_000_000), (4, 1_000_000_000)]
        .map(|(threads, memory)| Options { threads: Some(threads), memory, ..Options::default() })
        .map(|options| pack_sources(&[&from[0], &from[1]], options, &Silent).unwrap())
        .into();
    assert!(packed[0] == packed[1]);
}

#[test]
fn archives_without_entries_or_titles_are_whole() {
    for items in [vec![], vec![media("a.png", "image/png", "x")]] {
        let archive = open(&pack(items.iter().map(copy).collect(), &About::default(), Options::default()));
        check(&archive, &items);
        let report = archive.verify(VerifyOptions::default(), &Silent).unwrap();
        assert_eq!(report.findings, []);
        assert!(archive.random_article(7).unwrap().is_none());
        assert!(archive.entries_by_title("a").unwrap().is_empty());
    }
}

#[test]
fn two_sources_with_one_path_are_both_named() {
    let dir = TempDir::new().unwrap();
    let mut writer = Writer::create(&dir.path().join("a.tome"), Options::default(), &Silent).unwrap();
    for source in ["first/a.html", "second/a.html"] {
        let mut item = article("a.html", None, source);
        item.origin = source.into();
        writer.put(item).unwrap();
    }
    let error = writer.finish(&About::default()).unwrap_err();
    assert!(matches!(&error, Error::Source { .. }), "{error:?}");
    let message = error.to_string();
    for part in ["a.html", "first/a.html", "second/a.html", "SOURCE=PREFIX"] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn what_the_format_cannot_hold_is_refused() {
    let folder = TempDir::new().unwrap();
    let create = || Writer::create(&folder.path().join("a.tome"), Options::default(), &Silent).unwrap();
    let (fits, long) = ("x".repeat(65_535), "x".repeat(65_536));
    create().put(redirect("a", "b", Some(&fits))).unwrap();
    let error = create().put(redirect("a", "b", Some(&long))).unwrap_err();
    assert!(matches!(error, Error::LimitExceeded { wanted: 65_536, .. }), "{error}");
    let mut about = About::default();
    about.metadata.set_text("Description", "x".repeat(8 * 1024 * 1024));
    let error = create().finish(&about).unwrap_err();
    assert!(matches!(error, Error::LimitExceeded { .. }), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn long_chains_of_dangling_redirects_are_left_out_at_once() {
    let name = |n: u32| format!("r{n:05}");
    let mut items: Vec<Item> = (0..20_000).map(|n| redirect(&name(n), &name(n + 1), None)).collect();
    items.push(article("page", None, "x"));
    let heard = Heard::default();
    let archive = open(&pack_observed(items, &About::default(), Options::default(), &heard));
    assert_eq!((archive.entries().count(), heard.lines().len()), (1, 20_000));
}

#[test]
fn dangling_redirects_are_left_out_and_loops_stay() {
    let items = vec![
        article("page", None, "x"),
        redirect("good", "page", Some("f")),
        redirect("chain", "good", Some("g")),
        redirect("dangling", "missing", None),
        redirect("to-dangling", "dangling", None),
        redirect("self", "self", None),
        redirect("loop-a", "loop-b", None),
        redirect("loop-b", "loop-a", None),
        redirect("into-loop", "loop-a", None),
    ];
    let heard = Heard::default();
    let archive = open(&pack_observed(items, &About::default(), Options::default(), &heard));
    let paths: Vec<String> = archive.entries().map(|e| e.unwrap().path).collect();
    assert_eq!(paths, ["chain", "good", "into-loop", "loop-a", "loop-b", "page", "self"]);
    assert_eq!(
        heard.lines(),
        [
            "warning dangling: redirect to missing, which is not there; left out",
            "warning loop-a: a redirect that leads back to itself",
            "warning self: a redirect that leads back to itself",
            "warning to-dangling: redirect to dangling, which is not there; left out",
        ]
    );
    let resolve = |path: &str| archive.resolve(archive.entry_by_path(path).unwrap().unwrap()).unwrap();
    let end = resolve("chain").unwrap();
    assert_eq!((&end.entry.path[..], end.fragment.as_deref()), ("page", Some("g")));
    for path in ["self", "loop-a", "loop-b", "into-loop"] {
        assert!(resolve(path).is_none(), "{path}");
        assert!(archive.content(&archive.entry_by_path(path).unwrap().unwrap()).is_err());
    }
    assert_eq!(
        tell(&archive, &archive.entry_by_path("good").unwrap().unwrap()).unwrap().2,
        Some(("page".into(), Some("f".into())))
    );
}

#[test]
fn chains_are_followed_to_their_bound() {
    let n = tome::limits::MAX_REDIRECTS;
    let mut items = vec![media("end", "x/y", "x"), redirect("r000", "end", None)];
    items.extend((1..n + 1).map(|i| redirect(&format!("r{i:03}"), &format!("r{:03}", i - 1), None)));
    let archive = open(&pack(items, &About::default(), Options::default()));
    let resolve =
        |i: usize| archive.resolve(archive.entry_by_path(&format!("r{i:03}")).unwrap().unwrap()).unwrap();
    assert_eq!(resolve(n - 1).unwrap().entry.path, "end");
    assert!(resolve(n).is_none());
}
