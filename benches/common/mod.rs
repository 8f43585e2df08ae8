//! What all benches share: arguments, the archives to measure, and how results are said.
//!
//! `cargo bench --bench NAME -- [--archive FILE]... [--source DIR]... [--n N] [--json]`
//!
//! Without `--archive`, a bench measures a generated archive of a million entries ([`model`]) and the
//! real corpora found in the folder that `TOME_CORPORA` names (`../shared/corpora/get` lays them out
//! there); `--source` adds any folder. Each is packed once into `tome-bench` in the system's folder for
//! temporary files, under a name with the model's version, and used again by all benches until it is
//! deleted or cannot be opened any more: delete it after a change to the packer.
//!
//! Times are of this machine and this moment. Compare ratios within one run.

#![allow(dead_code, reason = "each bench uses a part")]

pub mod model;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tome::item::{About, Observer, Silent, Sink};
use tome::reader::Archive;
use tome::writer::{Options, Summary, Writer};

/// The arguments.
pub struct Args {
    pub archives: Vec<PathBuf>,
    pub sources: Vec<PathBuf>,
    pub json: bool,
    n: Option<usize>,
    /// What a bench said to a child of its own.
    pub child: Vec<String>,
}

impl Args {
    /// Reads the command line. Cargo passes arguments of its own (`--bench`): unknown ones are ignored.
    pub fn parse() -> Self {
        let mut args = Self { archives: vec![], sources: vec![], json: false, n: None, child: vec![] };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--archive" => args.archives.extend(words.next().map(PathBuf::from)),
                "--source" => args.sources.extend(words.next().map(PathBuf::from)),
                "--n" => args.n = words.next().and_then(|n| n.parse().ok()),
                "--json" => args.json = true,
                "--child" => args.child = words.by_ref().collect(),
                _ => {}
            }
        }
        args
    }

    /// Returns how often to measure.
    pub fn n(&self, default: usize) -> usize {
        self.n.unwrap_or(default).max(1)
    }

    /// Returns the archives to measure; makes them first where that is to be done.
    pub fn archives(&self) -> Vec<Subject> {
        if !self.archives.is_empty() {
            return self
                .archives
                .iter()
                .map(|path| Subject { name: stem(path), path: path.clone() })
                .collect();
        }
        let mut out = vec![];
        if self.sources.is_empty() {
            out.push(cached(&format!("million-v{}", model::VERSION), "million", pack_million));
        }
        for folder in self.folders() {
            let name = stem(&folder);
            out.push(cached(&name, &name, |target| {
                pack_folder(&folder, target, &Silent);
            }));
        }
        out
    }

    /// Returns the folders to pack: those given, else the real corpora that are there.
    pub fn folders(&self) -> Vec<PathBuf> {
        if !self.sources.is_empty() {
            return self.sources.clone();
        }
        let Some(corpora) = std::env::var_os("TOME_CORPORA") else {
            eprintln!("TOME_CORPORA names no folder of real corpora: {} are skipped", CORPORA.join(", "));
            return vec![];
        };
        let found = |name: &&str| {
            let folder = Path::new(&corpora).join(name);
            if !folder.is_dir() {
                eprintln!("{} is not there: skipped", folder.display());
            }
            folder.is_dir().then_some(folder)
        };
        CORPORA.iter().filter_map(found).collect()
    }

    /// Says times: one line of JSON, or of a table.
    pub fn times(&self, name: &str, mut times: Vec<Duration>) {
        times.sort_unstable();
        let us = |d: Duration| d.as_nanos() as f64 / 1e3;
        let at = |percent: usize| times.get(times.len() * percent / 100).copied().map_or(0.0, us);
        let (n, p50, p99) = (times.len(), at(50), at(99));
        let mean = us(times.iter().sum()) / n.max(1) as f64;
        if self.json {
            println!(
                r#"{{"name":"{name}","n":{n},"p50_us":{p50:.3},"p99_us":{p99:.3},"mean_us":{mean:.3}}}"#
            );
        } else {
            println!("{name:<52} n {n:>7}  p50 {p50:>9.2} us  p99 {p99:>9.2} us  mean {mean:>9.2} us");
        }
    }

    /// Says bytes a second.
    pub fn rate(&self, name: &str, bytes: u64, time: Duration) {
        self.value(name, "mb_per_s", bytes as f64 / 1e6 / time.as_secs_f64().max(1e-9));
    }

    /// Says any other figure, with its unit.
    pub fn value(&self, name: &str, unit: &str, value: f64) {
        if self.json {
            println!(r#"{{"name":"{name}","{unit}":{value:.3}}}"#);
        } else {
            println!("{name:<52} {value:>10.3} {}", unit.replace("_per_", "/").replace("mb", "MB"));
        }
    }
}

/// An archive to measure.
pub struct Subject {
    pub name: String,
    pub path: PathBuf,
}

/// What `../shared/corpora/get` can lay out and the project's figures are about.
const CORPORA: [&str; 3] = ["cppreference", "rust-doc", "vital-en"];

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned())
}

/// Returns the folder for what benches make once.
pub fn cache_folder() -> PathBuf {
    let folder = std::env::temp_dir().join("tome-bench");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn cached(file: &str, name: &str, make: impl FnOnce(&Path)) -> Subject {
    let path = cache_folder().join(format!("{file}.tome"));
    if let Err(e) = Archive::open(&path) {
        eprintln!("making {}: {e}", path.display());
        let started = Instant::now();
        make(&path);
        eprintln!("made in {:.1} s", started.elapsed().as_secs_f64());
    }
    Subject { name: name.into(), path }
}

/// Packs a folder as `tome pack` does.
pub fn pack_folder(folder: &Path, target: &Path, observer: &dyn Observer) -> Summary {
    let mut source = tome::sources::open(folder, "", tome::sources::Options::default()).unwrap();
    let options = Options { force: true, ..Options::default() };
    let mut writer = Writer::create(target, options, observer).unwrap();
    let about = source.run(&mut writer, observer).unwrap();
    writer.finish(&about).unwrap()
}

/// Packs what a model yields.
pub fn pack_items(items: impl Iterator<Item = tome::item::Item>, target: &Path) -> Summary {
    let options = Options { force: true, ..Options::default() };
    let mut writer = Writer::create(target, options, &Silent).unwrap();
    for item in items {
        writer.put(item).unwrap();
    }
    writer.finish(&About::default()).unwrap()
}

fn pack_million(target: &Path) {
    pack_items(model::million(), target);
}

/// Runs this bench again as a child with other arguments and returns what it printed.
pub fn child(words: &[&str]) -> String {
    let me = std::env::current_exe().unwrap();
    let out = std::process::Command::new(me)
        .arg("--child")
        .args(words)
        .stderr(std::process::Stdio::inherit())
        .output()
        .unwrap();
    assert!(out.status.success(), "a child failed");
    String::from_utf8(out.stdout).unwrap()
}

/// Calls a function so often and returns how long each call took.
pub fn measure<T>(n: usize, mut call: impl FnMut(usize) -> T) -> Vec<Duration> {
    let one = |i| {
        let started = Instant::now();
        let result = call(i);
        let time = started.elapsed();
        // What the call returned is dropped outside of its time.
        drop(std::hint::black_box(result));
        time
    };
    (0..n).map(one).collect()
}
