//! How long does it take to find an entry by its path, and by its exact title?
//!
//! Warm: every look-up was made once before, so all pages were read and compared with their hashes.
//! Entries are drawn at random, each with the same probability, so on a large archive most look-ups
//! find their leaf outside the processor's caches; that is part of the time. *Absent*: the path or title
//! of an entry with one letter more. A title that many entries have returns them all (at most 1,000):
//! real documentation has some such ("Redirecting..."), and they are the p99. Each time has a reading of
//! the clock in it (about 0.03 us), and the making of the [`Entry`]; dropping it is not counted.
//!
//! Corpus: an archive given, or the generated million, whose order of titles is unlike that of paths,
//! and the real corpora (see `common`).

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::model::Random;
use common::{Args, measure};
use tome::format::ids::EntryId;
use tome::reader::{Archive, Entry};

fn main() {
    let args = Args::parse();
    for subject in args.archives() {
        let archive = Archive::open(&subject.path).unwrap();
        if archive.is_empty() {
            eprintln!("{} has no entries: skipped", subject.name);
            continue;
        }
        let n = args.n(100_000);
        let mut random = Random::new(7);
        let mut draw = |_| {
            let id = EntryId(random.below(archive.len() as usize) as u32);
            archive.entry_by_id(id).unwrap().unwrap()
        };
        let entries: Vec<Entry> = (0..n).map(&mut draw).collect();
        let paths: Vec<String> = entries.iter().map(|e| e.path.clone()).collect();
        let titles: Vec<String> = entries.iter().filter(|e| e.is_titled).map(|e| e.title.clone()).collect();
        for (what, names, wanted) in
            [("present", names(&paths, ""), true), ("absent", names(&paths, "~"), false)]
        {
            let find = |i: usize| archive.entry_by_path(&names[i]).unwrap();
            let found = (0..names.len()).filter(|&i| find(i).is_some()).count();
            assert!(!wanted || found == names.len(), "{found} of {} paths", names.len());
            args.times(&format!("path {what}, {}", subject.name), measure(names.len(), find));
        }
        for (what, names, wanted) in
            [("present", names(&titles, ""), true), ("absent", names(&titles, "~"), false)]
        {
            let find = |i: usize| archive.entries_by_title(&names[i]).unwrap();
            let found = (0..names.len()).filter(|&i| !find(i).is_empty()).count();
            assert!(!wanted || found == names.len(), "{found} of {} titles", names.len());
            args.times(&format!("title {what}, {}", subject.name), measure(names.len(), find));
        }
    }
}

fn names(names: &[String], end: &str) -> Vec<String> {
    names.iter().map(|name| format!("{name}{end}")).collect()
}
