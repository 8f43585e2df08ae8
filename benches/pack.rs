//! How fast is packing, how much memory does it take, and how large is the archive?
//!
//! Each pack runs in a process of its own with the default options: all cores, 400 MB. Throughput is in
//! MB of content a second, from opening the source to the archive under its name; the median of `--n`
//! runs (1 by default). Peak memory is the system's `VmHWM` (Linux only), so it holds the program itself,
//! what a generator keeps (about 5 MB; the million's titles: 120 MB) and the source's list of files.
//!
//! Corpus: `--source DIR` any folder, as `tome pack` takes it, its files in the system's page cache after
//! the first run; else the generated documentation (4,000 pages of a template) and prose (8,000 short
//! articles), the million tiny pages, which are mostly tables, and the real corpora (see `common`).
//! Generated items are made while packing, at some 200 MB a second.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::path::Path;
use std::time::Instant;

use common::{Args, cache_folder, child, model};
use tome::item::Observer;

fn main() {
    let args = Args::parse();
    if let [what, target] = &args.child[..] {
        return pack(what, Path::new(target));
    }
    let mut subjects: Vec<String> = vec![];
    if args.sources.is_empty() {
        subjects.extend(["documentation", "prose", "million"].map(String::from));
    }
    subjects.extend(args.folders().iter().map(|f| f.to_string_lossy().into_owned()));
    for what in subjects {
        let name = Path::new(&what).file_stem().map_or(what.clone(), |s| s.to_string_lossy().into_owned());
        let target = cache_folder().join(format!("pack-{}.tome", std::process::id()));
        let mut runs: Vec<[f64; 4]> = (0..args.n(1))
            .map(|_| {
                let said = child(&[&what, target.to_str().unwrap()]);
                let mut figures = said.split_whitespace().map(|w| w.parse().unwrap());
                std::array::from_fn(|_| figures.next().unwrap())
            })
            .collect();
        std::fs::remove_file(&target).unwrap();
        runs.sort_by(|a, b| a[0].total_cmp(&b[0]));
        let [seconds, bytes_in, bytes_out, peak] = runs[runs.len() / 2];
        args.value(&format!("pack, {name}"), "mb_per_s", bytes_in / 1e6 / seconds);
        args.value(&format!("pack, time, {name}"), "s", seconds);
        args.value(&format!("pack, size, {name}"), "mb", bytes_out / 1e6);
        if peak > 0.0 {
            args.value(&format!("pack, peak memory, {name}"), "mb", peak / 1e6);
        }
    }
}

/// Says what could not be read, and nothing else.
struct Errors;

impl Observer for Errors {
    fn error(&self, path: &str, message: &str) {
        eprintln!("{path}: {message}");
    }
}

/// In the child: packs and prints seconds, bytes in, bytes out, and the peak of memory in bytes.
fn pack(what: &str, target: &Path) {
    let started = Instant::now();
    let summary = match what {
        "documentation" => common::pack_items(model::documentation(), target),
        "prose" => common::pack_items(model::prose(), target),
        "million" => common::pack_items(model::million(), target),
        folder => common::pack_folder(Path::new(folder), target, &Errors),
    };
    let seconds = started.elapsed().as_secs_f64();
    println!("{seconds} {} {} {}", summary.bytes_in, summary.bytes_out, peak().unwrap_or(0.0));
}

fn peak() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? * 1024.0)
}
