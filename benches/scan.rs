//! How fast can all entries be gone through in path order?
//!
//! - `list`: every entry, without content; the time of a whole pass divided by the entries, so n is the
//!   number of passes. The first pass also compares the pages' hashes; it is not counted.
//! - `read`: every entry with its content, in MB of content a second, on one thread; the best of the
//!   passes. Path order is nearly block order, so most articles find their block in the cache.
//!
//! Corpus: an archive given, or the generated million and the real corpora (see `common`).

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{Args, measure};
use tome::reader::Archive;

fn main() {
    let args = Args::parse();
    for subject in args.archives() {
        let archive = Archive::open(&subject.path).unwrap();
        let list = || archive.entries().map(|e| e.unwrap().path.len()).sum::<usize>();
        std::hint::black_box(list());
        let n = args.n(5);
        let entries = archive.len().max(1);
        let times = measure(n, |_| list()).into_iter().map(|t| t / entries).collect();
        args.times(&format!("list, each entry, {}", subject.name), times);
        let mut bytes = 0;
        let times = measure(n.min(3), |_| {
            let archive = Archive::open(&subject.path).unwrap();
            let len = |entry: tome::reader::Entry| match entry.kind() {
                tome::item::Kind::Redirect => 0,
                _ => archive.content(&entry).unwrap().len() as u64,
            };
            bytes = archive.entries().map(|e| len(e.unwrap())).sum();
        });
        args.rate(&format!("read, {}", subject.name), bytes, times.into_iter().min().unwrap_or_default());
    }
}
