//! How long does reading a ZIM take?
//!
//! - `open`: [`Archive::open`] alone; the file is in the system's page cache.
//! - `path`: an entry by its path, of pages drawn at random; warm after the first few hundred.
//! - `first read`: a page of a fresh [`Archive`] by its path: nothing is cached, opening is not counted.
//! - `nothing decoded`: the same of an archive that has been used, with all that was decoded forgotten.
//! - `as it comes`: pages drawn at random, one after the other, with a default cache.
//! - `scan`: all entries and their bytes in the order of clusters, first read of the order included.
//! - `lengths`: all entries in order of path with the lengths of their bytes.
//!
//! Corpus: the `.zim` files given by `--archive`. libzim's figures of the same are those of a small program
//! that draws in the same way; compare within one run on one machine.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::time::Instant;

use common::model::Random;
use common::{Args, measure};
use tome::zim::{Archive, EntryBody};

fn main() {
    let args = Args::parse();
    if args.archives.is_empty() {
        eprintln!("skipped: give ZIM files with --archive FILE");
    }
    for path in &args.archives {
        let name = path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        let n = args.n(3_000);
        args.times(&format!("open, {name}"), measure(n.min(500), |_| Archive::open(path).unwrap()));

        let zim = Archive::open(path).unwrap();
        let pages: Vec<String> = zim
            .entries()
            .map(|e| e.unwrap())
            .filter(|e| e.mime().starts_with("text/html"))
            .map(|e| e.path)
            .collect();
        if pages.is_empty() {
            eprintln!("{name} has no pages: skipped");
            continue;
        }
        let mut random = Random::new(42);
        let drawn: Vec<&String> = (0..n).map(|_| &pages[random.below(pages.len())]).collect();
        args.times(&format!("path, {name}"), measure(n, |i| zim.entry_by_path(drawn[i]).unwrap().unwrap()));

        let read = |zim: &Archive, i: usize| {
            let entry = zim.entry_by_path(drawn[i]).unwrap().unwrap();
            zim.content(&entry).unwrap().last().copied()
        };
        let fresh = |i: usize| {
            let zim = Archive::open(path).unwrap();
            measure(1, |_| read(&zim, i))[0]
        };
        args.times(&format!("first read, {name}"), (0..n.min(400)).map(fresh).collect());
        let forgotten = |i: usize| {
            zim.clear_cache();
            measure(1, |_| read(&zim, i))[0]
        };
        args.times(&format!("nothing decoded, {name}"), (0..n).map(forgotten).collect());
        zim.clear_cache();
        args.times(&format!("as it comes, {name}"), measure(n, |i| read(&zim, i)));

        let zim = Archive::open(path).unwrap();
        let (started, mut bytes) = (Instant::now(), 0);
        for entry in zim.entries_in_cluster_order().unwrap() {
            let entry = entry.unwrap();
            if let EntryBody::Blob { .. } = entry.body {
                bytes += zim.content(&entry).unwrap().len() as u64;
            }
        }
        args.rate(&format!("scan, {name}"), bytes, started.elapsed());
        let clusters = f64::from(zim.header().n_clusters);
        args.value(&format!("scan, {name}"), "decodings_per_cluster", zim.decodings() as f64 / clusters);

        let zim = Archive::open(path).unwrap();
        let (started, mut bytes) = (Instant::now(), 0);
        for entry in zim.entries() {
            bytes += zim.content_len(&entry.unwrap()).unwrap();
        }
        args.rate(&format!("lengths, {name}"), bytes, started.elapsed());
    }
}
