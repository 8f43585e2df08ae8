//! What does searching a ZIM cost?
//!
//! For each ZIM given with `--archive`: how long its index takes to make and how large it is, of titles
//! alone and of all words; how long it takes to open again; and suggestions, searches, snippets and phrases
//! in it, beside those of a `.tome` of the same articles, packed from the same ZIM in the same run.
//!
//! Queries are one to three words of random articles, of four letters or more, and the first letters of
//! their titles. Warm: each ran once before.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::sync::Arc;
use std::time::Instant;

use common::model::Random;
use common::{Args, measure};
use tome::book::zim_index::{CacheOptions, Kind, open_or_build};
use tome::item::{About, Body, Content, Item, Metadata, Silent, Sink};
use tome::reader::{Archive, SearchOptions, SuggestOptions};
use tome::writer::{Options, Writer};
use tome::zim;

fn main() {
    let args = Args::parse();
    if args.archives.is_empty() {
        eprintln!("no ZIM given (--archive FILE): nothing to measure");
    }
    for path in &args.archives {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let folder = tempfile::tempdir().unwrap();
        let options = CacheOptions { folder: Some(folder.path().into()), ..CacheOptions::default() };
        let zim = Arc::new(zim::Archive::open(path).unwrap());
        let mut indexes = vec![];
        for (kind, what) in [(Kind::Titles, "titles"), (Kind::FullText, "all words")] {
            let start = Instant::now();
            let index = open_or_build(&zim, kind, &options, &Silent).unwrap();
            args.value(&format!("making the index, {what}, {name}"), "s", start.elapsed().as_secs_f64());
            args.value(&format!("size of the index, {what}, {name}"), "kb", index.size() as f64 / 1e3);
            let again = measure(100, |_| open_or_build(&zim, kind, &options, &Silent).unwrap());
            args.times(&format!("opening the index, {what}, {name}"), again);
            indexes.push(index);
        }
        let target = folder.path().join("same.tome");
        let start = Instant::now();
        pack(&zim, &target);
        args.value(&format!("packing the same articles, {name}"), "s", start.elapsed().as_secs_f64());
        let tome = Archive::open(&target).unwrap();
        args.value(&format!("size of the .tome, {name}"), "kb", tome.size() as f64 / 1e3);
        let (mut queries, mut phrases, mut typed) = (vec![], vec![], vec![]);
        let mut random = Random::new(5);
        let n = args.n(300);
        for _ in 0..20 * n {
            let Some(entry) = zim.random_article(random.number()).unwrap() else { break };
            let Some(entry) = zim.resolve(entry).unwrap() else { continue };
            let bytes = zim.content(&entry).unwrap();
            let text = tome::text::to_text(&String::from_utf8_lossy(&bytes));
            let words: Vec<&str> =
                text.split(|c: char| !c.is_alphanumeric()).filter(|w| w.chars().count() >= 4).collect();
            if words.len() < 8 || queries.len() >= n {
                continue;
            }
            let drawn: Vec<&str> =
                (0..1 + queries.len() % 3).map(|_| words[random.below(words.len())]).collect();
            queries.push(drawn.join(" "));
            let at = random.below(words.len() - 4);
            phrases.push(format!("\"{}\"", words[at..at + 3].join(" ")));
            let letters = 3 + random.below(6);
            typed.push(entry.title.chars().take(letters).collect::<String>());
        }
        // A phrase that is nowhere takes as long as a search may: a part of them tells as much.
        phrases.truncate(1 + n / 10);
        let plain = SearchOptions { snippets: false, ..SearchOptions::default() };
        let all = SearchOptions::default();
        let archives = [("titles' index", &indexes[0]), ("index", &indexes[1]), (".tome", &tome)];
        for (what, archive) in archives {
            let suggest = |i: usize| archive.suggest(&typed[i], &SuggestOptions::default()).unwrap();
            measure(typed.len(), suggest);
            args.times(&format!("suggestions, {what}, {name}"), measure(typed.len(), suggest));
            if !archive.has_search() {
                continue;
            }
            for (how, queries, options) in [
                ("top 10", &queries, &plain),
                ("with snippets", &queries, &all),
                ("phrase", &phrases, &plain),
            ] {
                let search = |i: usize| archive.search(&queries[i], options).unwrap();
                measure(queries.len(), search);
                args.times(&format!("{how}, {what}, {name}"), measure(queries.len(), search));
            }
        }
    }
}

/// Packs the articles of a ZIM, in the order and under the names in which they are indexed.
fn pack(zim: &zim::Archive, target: &std::path::Path) {
    let mut writer = Writer::create(target, Options { force: true, ..Options::default() }, &Silent).unwrap();
    let mut articles: Vec<zim::Entry> = zim.entries().map(|e| e.unwrap()).filter(|e| e.is_front).collect();
    articles.sort_by_key(|e| match e.body {
        zim::EntryBody::Blob { cluster, blob, .. } => (cluster, blob),
        zim::EntryBody::Redirect { .. } => (0, 0),
    });
    for entry in articles {
        let body = match &entry.body {
            zim::EntryBody::Blob { mime, .. } => Body::Article {
                mime: mime.clone(),
                content: Content::Bytes(zim.content(&entry).unwrap().into_vec()),
            },
            zim::EntryBody::Redirect { .. } => match zim.resolve(entry.clone()).unwrap() {
                Some(target) => Body::Redirect { target: target.path, fragment: None },
                None => continue,
            },
        };
        let title = Some(entry.title.clone());
        let (path, escaped) = (entry.path, entry.escaped);
        let item =
            Item { path, title, body, generated: false, escaped, language: None, origin: String::new() };
        writer.put(item).unwrap();
    }
    let mut metadata = Metadata::default();
    metadata.set_text("language", "en");
    writer.finish(&About { metadata, ..About::default() }).unwrap();
}
