//! How long does it take to get a random article?
//!
//! Each time is of choosing the article by a random number, finding its entry and getting its whole
//! content, hash checks included. Articles are drawn from all, each with the same probability; the file
//! is in the system's page cache.
//!
//! - `block decoded`: the article's block must be decoded, its reference is in the cache. All decoded
//!   blocks are forgotten before each article, outside of its time.
//! - `nothing cached`: a fresh [`Archive`] with an empty [`Cache`]: symbols, classes, pages of the tables
//!   and the reference are read, compared and decoded as well. Opening is not counted; `opened and read`
//!   counts it. Articles in blocks without a reference, and references of small groups, make p50 smaller
//!   than a large reference costs: p99 is that.
//! - `again`: the block is in the cache.
//! - `as it comes`: one archive with a default cache of 32 MB, articles one after the other. Depends on how
//!   large the corpus is beside the cache.
//!
//! Corpus: an archive given, or the generated million (tiny pages: its blocks hold hundreds of them) and
//! the real corpora (see `common`).

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::sync::Arc;

use common::model::Random;
use common::{Args, measure};
use tome::reader::{Archive, Cache, OpenOptions};

fn main() {
    let args = Args::parse();
    for subject in args.archives() {
        let archive = Archive::open(&subject.path).unwrap();
        if archive.first_page().n_articles == 0 {
            eprintln!("{} has no articles: skipped", subject.name);
            continue;
        }
        let name = &subject.name;
        let mut random = Random::new(11);
        let numbers: Vec<u64> = (0..args.n(20_000)).map(|_| random.number()).collect();
        let read = |archive: &Archive, i: usize| {
            let entry = archive.random_article(numbers[i]).unwrap().unwrap();
            archive.content(&entry).unwrap().last().copied()
        };

        args.times(&format!("as it comes, {name}"), measure(numbers.len(), |i| read(&archive, i)));
        let again = |i: usize| {
            read(&archive, i);
            measure(1, |_| read(&archive, i))[0]
        };
        args.times(&format!("again, {name}"), (0..numbers.len()).map(again).collect());

        // Room for all references; the articles to be measured bring them in.
        let cache = Arc::new(Cache::new(1 << 30));
        let options = OpenOptions { cache: Some(cache.clone()), ..OpenOptions::default() };
        let archive = Archive::open_with(&subject.path, &options).unwrap();
        for i in 0..numbers.len() {
            read(&archive, i);
            if i % 256 == 0 {
                cache.forget_blocks();
            }
        }
        let decoded = |i: usize| {
            cache.forget_blocks();
            measure(1, |_| read(&archive, i))[0]
        };
        args.times(&format!("block decoded, {name}"), (0..numbers.len()).map(decoded).collect());

        let fresh = numbers.len().min(1_000);
        let first = |i: usize| {
            let archive = Archive::open(&subject.path).unwrap();
            measure(1, |_| read(&archive, i))[0]
        };
        args.times(&format!("nothing cached, {name}"), (0..fresh).map(first).collect());
        let opened = |i: usize| {
            let archive = Archive::open(&subject.path).unwrap();
            let last = read(&archive, i);
            (archive, last)
        };
        args.times(&format!("opened and read, {name}"), measure(fresh, opened));
    }
}
