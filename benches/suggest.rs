//! How long do suggestions take as a person types, and how often is what was meant among them?
//!
//! Titles are drawn at random, each with the same probability, and typed in several ways: whole, folded,
//! cut at 60 %, with one typo (a letter put in, left out, exchanged, or two neighbours swapped, in turn,
//! at any place, spaces and the first letter included), with two. *Found*: the entry to which the title
//! leads is among the first (exact), the first three (typos), the first ten (60 %). What nearly all titles
//! share at their end is not typed. The *mix* is what the project's goals are about: 60 % right beginnings of
//! any length, 30 % one typo and 10 % two, whole titles and 70 % of them in turn.
//!
//! Warm: each query is asked once before it is measured, and its time is the best of three, so that the p99
//! is that of a hard query and not of a machine that did something else meanwhile. `partial` counts answers that the budget ended.
//!
//! Corpus: an archive given, or the generated million and the real corpora (see `common`).

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::model::Random;
use common::{Args, measure};
use tome::fold::title_key;
use tome::format::first_page::SectionKind;
use tome::format::ids::EntryId;
use tome::reader::{Archive, SuggestOptions};

/// A title to be typed, and the entry that is meant.
struct Meant {
    title: String,
    entry: EntryId,
}

fn main() {
    let args = Args::parse();
    for subject in args.archives() {
        let archive = Archive::open(&subject.path).unwrap();
        let n = args.n(2_000);
        let Some(meant) = draw(&archive, n) else {
            eprintln!("{} has no titles: skipped", subject.name);
            continue;
        };
        let bench = Bench { args: &args, archive: &archive, name: &subject.name };
        let whole = |_: &mut Random, title: &str, _: usize| Some(title.to_string());
        bench.ways("exact title", 1, 1, &meant, whole);
        bench.ways("folded title", 1, 1, &meant, |_, title, _| Some(title_key(title)));
        bench.ways("60 % of the title", 1, 10, &meant, |_, title, _| Some(cut(title, 0.6)));
        bench.ways("one typo", 5, 3, &meant, typo);
        bench.ways("first letter wrong", 5, 3, &meant, |_, title, _| {
            let mut letters = title.chars();
            letters.next().map(|c| format!("{}{}", if c == 'q' { 'x' } else { 'q' }, letters.as_str()))
        });
        bench.ways("two typos", 10, 3, &meant, two_typos);
        bench.ways("two words and a beginning", 1, 10, &meant, |random, title, _| {
            let words: Vec<&str> = title.split_whitespace().collect();
            let at = 1 + random.below(words.len().checked_sub(2)?);
            Some(format!("{} {}", words[at], cut(words.get(at + 1)?, 0.5)))
        });
        bench.mix(&meant);
    }
}

fn draw(archive: &Archive, n: usize) -> Option<Vec<Meant>> {
    let suffix = archive.tables().section(SectionKind::TITLE_SUFFIX, 8192).unwrap();
    let suffix = std::str::from_utf8(&suffix).unwrap();
    let mut random = Random::new(11);
    let mut meant = vec![];
    for _ in 0..100 * n {
        if archive.is_empty() || meant.len() == n {
            break;
        }
        let id = EntryId(random.below(archive.len() as usize) as u32);
        let entry = archive.entry_by_id(id).unwrap().unwrap();
        if !entry.is_titled {
            continue;
        }
        let title = entry.title.strip_suffix(suffix).unwrap_or(&entry.title).to_string();
        // Several entries of one title cannot all be first.
        let same = archive.entries_by_title_key(&entry.title).unwrap().len();
        if let (Some(resolved), true) = (archive.resolve(entry).unwrap(), same == 1 && !title.is_empty()) {
            meant.push(Meant { title, entry: resolved.entry.id });
        }
    }
    (!meant.is_empty()).then_some(meant)
}

fn cut(title: &str, share: f64) -> String {
    let n = (title.chars().count() as f64 * share).ceil() as usize;
    title.chars().take(n.max(1)).collect::<String>().trim_end().to_string()
}

fn typo(random: &mut Random, title: &str, kind: usize) -> Option<String> {
    let mut letters: Vec<char> = title_key(title).chars().collect();
    let letter = char::from(b'a' + random.below(26) as u8);
    let at = random.below(letters.len());
    match kind % 4 {
        0 => letters.insert(at, letter),
        1 => drop((!letters.is_empty()).then(|| letters.remove(at))),
        2 => *letters.get_mut(at)? = letter,
        _ => {
            let at = random.below(letters.len().checked_sub(1)?);
            letters.swap(at, at + 1);
        }
    }
    Some(letters.into_iter().collect())
}

fn two_typos(random: &mut Random, title: &str, i: usize) -> Option<String> {
    let once = typo(random, title, i)?;
    typo(random, &once, i / 4)
}

struct Bench<'b> {
    args: &'b Args,
    archive: &'b Archive,
    name: &'b str,
}

impl Bench<'_> {
    fn ways(
        &self,
        what: &str,
        least: usize,
        top: usize,
        meant: &[Meant],
        mut typed: impl FnMut(&mut Random, &str, usize) -> Option<String>,
    ) {
        let mut random = Random::new(5);
        let long = |m: &&Meant| m.title.chars().filter(|c| c.is_alphanumeric()).count() >= least;
        let queries: Vec<(String, EntryId)> = meant
            .iter()
            .filter(long)
            .enumerate()
            .filter_map(|(i, m)| Some((typed(&mut random, &m.title, i)?, m.entry)))
            .collect();
        if queries.is_empty() {
            return;
        }
        let (mut found, mut partial) = (0, 0);
        for (query, entry) in &queries {
            let answer = self.archive.suggest(query, &SuggestOptions::default()).unwrap();
            let is_there = answer.list.iter().take(top).any(|s| s.entry == *entry);
            if !is_there && std::env::var_os("TOME_BENCH_MISSES").is_some() {
                let first: Vec<&str> = answer.list.iter().take(3).map(|s| &s.title[..]).collect();
                eprintln!("missed by {query:?} ({what}): #{entry}, found {first:?}");
            }
            found += usize::from(is_there);
            partial += usize::from(answer.partial);
        }
        let share = |n: usize| 100.0 * n as f64 / queries.len() as f64;
        self.args.value(&format!("{what}, found in top {top}, {}", self.name), "percent", share(found));
        self.times(what, &queries, partial);
    }

    fn times(&self, what: &str, queries: &[(String, EntryId)], partial: usize) {
        let ask = |i: usize| self.archive.suggest(&queries[i].0, &SuggestOptions::default()).unwrap();
        let mut best = measure(queries.len(), ask);
        for _ in 0..2 {
            let again = measure(queries.len(), ask);
            best = best.into_iter().zip(again).map(|(a, b)| a.min(b)).collect();
        }
        self.args.times(&format!("{what}, {}", self.name), best);
        if partial > 0 {
            let share = 100.0 * partial as f64 / queries.len() as f64;
            self.args.value(&format!("{what}, partial, {}", self.name), "percent", share);
        }
    }

    fn mix(&self, meant: &[Meant]) {
        let mut random = Random::new(6);
        let queries: Vec<(String, EntryId)> = meant
            .iter()
            .enumerate()
            .filter_map(|(i, m)| {
                let part = if i / 10 % 2 == 0 { m.title.clone() } else { cut(&m.title, 0.7) };
                let letters = part.chars().filter(|c| c.is_alphanumeric()).count();
                let query = match i % 10 {
                    6..9 if letters >= 5 => typo(&mut random, &part, i / 10)?,
                    9 if letters >= 10 => two_typos(&mut random, &part, i / 10)?,
                    _ => cut(&m.title, random.below(1000) as f64 / 1000.0),
                };
                Some((query, m.entry))
            })
            .collect();
        let partial =
            |q: &&(String, EntryId)| self.archive.suggest(&q.0, &SuggestOptions::default()).unwrap().partial;
        let partial = queries.iter().filter(partial).count();
        self.times("mix", &queries, partial);
    }
}
