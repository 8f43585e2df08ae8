//! What a first look-up touches, counted in pages, on an archive of a million entries.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use tome::error::Result;
use tome::item::{About, Body, Content, Silent, Sink};
use tome::reader::Archive;
use tome::storage::{Mapped, Storage};
use tome::writer::{Options, Writer};

use crate::common::{Random, article, item};

/// Notes which pages are read.
struct Counting {
    inner: Arc<Mapped>,
    pages: Arc<Mutex<BTreeSet<u64>>>,
}

impl Storage for Counting {
    fn len(&self) -> u64 {
        self.inner.len()
    }

    fn read(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>> {
        self.pages.lock().unwrap().extend(range.start / 4096..range.end.div_ceil(4096));
        self.inner.read(range)
    }

    fn is_stable(&self) -> bool {
        true
    }
}

/// Titles in an order unlike the paths', as words of a vocabulary.
fn title(random: &mut Random, i: u32) -> String {
    const PARTS: [&str; 16] = [
        "Ab", "ré", "con", "dor", "el", "fin", "gar", "Ho", "in", "jul", "ka", "lm", "mon", "ne", "ost",
        "pra",
    ];
    let mut out = String::new();
    for _ in 0..2 + random.below(3) {
        for _ in 0..1 + random.below(3) {
            out.push_str(PARTS[random.below(16) as usize]);
        }
        out.push(' ');
    }
    out + &i.to_string()
}

fn million(path: &std::path::Path) -> Vec<(String, String)> {
    let mut writer = Writer::create(path, Options { level: Some(1), ..Options::default() }, &Silent).unwrap();
    let mut random = Random(11);
    let mut sample = vec![];
    for i in 0..1_000_000u32 {
        // Numbers as paths: the titles are in another order.
        let path = format!("{:07}", i.wrapping_mul(7_919) % 10_000_000);
        let title = title(&mut random, i);
        // The bodies are few: what is counted is tables.
        let body = format!("<p>body {}</p>", i % 5_000).repeat(8);
        if i % 5_003 == 0 {
            sample.push((path.clone(), title.clone()));
        }
        let kind = Body::Article { mime: "text/html".into(), content: Content::Bytes(body.into_bytes()) };
        writer.put(item(&path, Some(&title), kind)).unwrap();
    }
    // A block that its path leads to at once.
    writer.put(article("z", Some("Zz"), "<p>last</p>")).unwrap();
    writer.finish(&About::default()).unwrap();
    sample
}

#[test]
fn a_cold_look_up_among_a_million_entries_touches_at_most_twelve_pages_of_tables_and_tree() {
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("million.tome");
    let sample = million(&path);
    let mapped = Arc::new(Mapped::open(&path, 0).unwrap());
    let (mut most, mut sum, mut n) = (0, 0, 0);
    for (path, title) in &sample {
        for by_title in [false, true] {
            let pages = Arc::new(Mutex::new(BTreeSet::new()));
            let storage = Counting { inner: mapped.clone(), pages: pages.clone() };
            let archive = Archive::from_storage(storage).unwrap();
            assert_eq!(pages.lock().unwrap().len(), 1, "opening reads the first page alone");
            pages.lock().unwrap().clear();
            let entry = if by_title {
                archive.entries_by_title(title).unwrap().remove(0)
            } else {
                archive.entry_by_path(path).unwrap().unwrap()
            };
            assert_eq!((&entry.path, &entry.title), (path, title));
            assert!(!archive.content(&entry).unwrap().is_empty());
            let tables = archive.first_page().tables_offset / 4096;
            let touched = pages.lock().unwrap().iter().filter(|&&p| p >= tables).count();
            (most, sum, n) = (most.max(touched), sum + touched, n + 1);
        }
    }
    println!("{n} look-ups: {:.1} pages on average, at most {most}", sum as f64 / f64::from(n));
    assert!(most <= 12, "{most} pages");
}
