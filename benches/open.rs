//! How long does opening an archive take, and how much memory does it add?
//!
//! - `open`: [`Archive::open`] alone, with a cache of its own, the file in the system's page cache; the
//!   archive is dropped outside of the time.
//! - `open and close`: with the drop, which unmaps.
//! - `open and first path`: until the first entry is there: the symbols and classes are read, the first
//!   leaf's hash is compared.
//! - `first of a process`: `open` as the first thing that a new process does, so with the faults on the
//!   program's own pages, the allocator's first memory and the recognition of the processor.
//! - `memory`: what opening adds to the resident memory of a process of its own that has opened and
//!   closed a tiny archive before, so that the program's own pages are not counted. Pages of the
//!   archive's mapping that were touched are counted, the system's fault-around (64 KB) included.
//!   Linux only. `anonymous` is the part that is not the file's.
//!
//! Corpus: an archive given, or the generated million and the real corpora (see `common`). The figures
//! that matter are the million's: opening must not grow with the archive.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::time::{Duration, Instant};

use common::{Args, cache_folder, child, measure, model};
use tome::reader::Archive;

fn main() {
    let args = Args::parse();
    match &args.child[..] {
        [path] => return first(path),
        [tiny, path] => return memory(tiny, path),
        _ => {}
    }
    let tiny = cache_folder().join("tiny.tome");
    common::pack_items(model::documentation().take(3), &tiny);
    for subject in args.archives() {
        let name = &subject.name;
        let random = Archive::open(&subject.path).unwrap().random_article(u64::MAX / 3).unwrap();
        let n = args.n(2_000);
        args.times(&format!("open, {name}"), measure(n, |_| Archive::open(&subject.path).unwrap()));
        let times = measure(n, |_| drop(Archive::open(&subject.path).unwrap()));
        args.times(&format!("open and close, {name}"), times);
        if let Some(entry) = random {
            let first = |_| {
                let archive = Archive::open(&subject.path).unwrap();
                let entry = archive.entry_by_path(&entry.path).unwrap().unwrap();
                (archive, entry)
            };
            args.times(&format!("open and first path, {name}"), measure(n, first));
        }
        let times = (0..n.min(40)).map(|_| {
            let said = child(&[subject.path.to_str().unwrap()]);
            Duration::from_nanos(said.trim().parse().unwrap())
        });
        args.times(&format!("open, first of a process, {name}"), times.collect());
        let said = child(&[tiny.to_str().unwrap(), subject.path.to_str().unwrap()]);
        let mut figures = said.split_whitespace().filter_map(|w| w.parse::<f64>().ok());
        if let (Some(all), Some(anonymous)) = (figures.next(), figures.next()) {
            args.value(&format!("open, memory, {name}"), "kb", all);
            args.value(&format!("open, anonymous memory, {name}"), "kb", anonymous);
        }
    }
}

/// In the child: prints the nanoseconds that opening takes.
fn first(path: &str) {
    let started = Instant::now();
    let archive = Archive::open(path).unwrap();
    println!("{}", started.elapsed().as_nanos());
    drop(archive);
}

/// In the child: prints the resident memory, in KB, that opening adds.
fn memory(tiny: &str, path: &str) {
    let tiny = Archive::open(tiny).unwrap();
    std::hint::black_box(resident());
    drop(tiny);
    let before = resident();
    let archive = Archive::open(path).unwrap();
    let after = resident();
    if let (Some(before), Some(after)) = (before, after) {
        println!("{} {}", after.0 - before.0, after.1 - before.1);
    }
    drop(archive);
}

/// Returns the resident memory and its anonymous part in KB. `/proc/self/statm` would be simpler, but
/// its counters are only brought up to date every few dozen pages.
fn resident() -> Option<(f64, f64)> {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    let field = |name: &str| {
        let line = rollup.lines().find(|l| l.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    Some((field("Rss:")?, field("Anonymous:")?))
}
