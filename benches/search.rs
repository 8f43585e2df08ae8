//! How long does a search take?
//!
//! Queries are made of words of random articles, so each finds something: words of one article drawn at
//! random among those of four letters or more (frequent words more often, as in its text), and six words
//! of it that stand one behind the other, in quotes. Warm: each query ran once before, so the pages of the
//! index were read and compared with their hashes, and the references of the blocks are in the cache.
//!
//! - `top 10`: the ten best, with their titles, without snippets.
//! - `with snippets`: the same ten articles are decoded and a passage is cut from each.
//! - `phrase`: the best articles are read until ten were found that hold it.
//! - `memory`: what the process holds beyond the file's pages after all of that.
//!
//! Corpus: an archive given, or the generated million and the real corpora (see `common`). The generated
//! texts are of few distinct words: each is on many pages, which is the hard case.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::model::Random;
use common::{Args, measure};
use tome::reader::{Archive, SearchOptions};

/// Words as a person might pick them.
fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|w| w.chars().count() >= 4).collect()
}

/// Six words that stand one behind the other in one paragraph.
fn phrase(text: &str, random: &mut Random) -> Option<String> {
    let lines: Vec<&str> = text.lines().filter(|l| l.split_whitespace().count() >= 8).collect();
    let line = lines.get(random.below(lines.len().max(1)))?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let start = random.below(words.len() - 6);
    Some(format!("\"{}\"", words[start..start + 6].join(" ").replace('"', "")))
}

fn resident_beyond_files() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find(|l| l.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    };
    of("RssAnon:").unwrap_or(0.0) / 1e3
}

fn main() {
    let args = Args::parse();
    for subject in args.archives() {
        let archive = Archive::open(&subject.path).unwrap();
        if !archive.has_search() {
            eprintln!("{} has no index: skipped", subject.name);
            continue;
        }
        let name = &subject.name;
        let mut random = Random::new(5);
        let mut queries: [Vec<String>; 4] = Default::default();
        let mut phrases = vec![];
        let n = args.n(500);
        while queries[0].len() < n {
            let Some(entry) = archive.random_article(random.number()).unwrap() else { break };
            let bytes = archive.content(&entry).unwrap();
            let text = tome::text::to_text(&String::from_utf8_lossy(&bytes));
            let words = words(&text);
            if words.len() < 4 {
                continue;
            }
            for (i, queries) in queries.iter_mut().enumerate() {
                let drawn: Vec<&str> = (0..=i).map(|_| words[random.below(words.len())]).collect();
                queries.push(drawn.join(" "));
            }
            phrases.extend(phrase(&text, &mut random));
        }
        let before = resident_beyond_files();
        let titles = SearchOptions { snippets: false, ..SearchOptions::default() };
        let mut hits = 0;
        for (i, queries) in queries.iter().enumerate() {
            for query in queries {
                hits += usize::from(!archive.search(query, &titles).unwrap().list.is_empty());
            }
            let time = measure(queries.len(), |i| archive.search(&queries[i], &titles).unwrap());
            args.times(&format!("top 10, {} words, {name}", i + 1), time);
        }
        args.value(
            &format!("queries that found something, {name}"),
            "percent",
            hits as f64 / n as f64 * 25.0,
        );
        let mixed: Vec<&String> = (0..n).map(|i| &queries[i % 4][i]).collect();
        let snippets = SearchOptions::default();
        for query in &mixed {
            archive.search(query, &snippets).unwrap();
        }
        args.times(
            &format!("with snippets, 1 to 4 words, {name}"),
            measure(mixed.len(), |i| archive.search(mixed[i], &snippets).unwrap()),
        );
        for query in &phrases {
            archive.search(query, &titles).unwrap();
        }
        args.times(
            &format!("phrase, {name}"),
            measure(phrases.len(), |i| archive.search(&phrases[i], &titles).unwrap()),
        );
        args.value(&format!("memory, {name}"), "mb", resident_beyond_files() - before);
    }
}
