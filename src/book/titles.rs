//! The titles of a ZIM by their keys, which the file itself does not have.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use rayon::prelude::*;

use super::Entry;
use crate::fold::title_key;
use crate::zim;

/// The keys of all titles that are looked for: 16 bytes each.
///
/// A key is known by its first eight bytes and a hash; that an entry has it is checked at the entry.
pub(super) struct Titles(Vec<Row>);

/// In order of key, as far as it is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    start: u64,
    hash: u32,
    index: u32,
}

/// The most entries that are looked at: 128 MiB of rows. No ZIM of today has a quarter of it with titles.
const MAX_ENTRIES: u32 = 8 << 20;

/// Entries that one thread looks at, at a time.
const STEP: u32 = 4096;

/// The most entries of one title that a look-up returns, as in a `.tome`.
const MAX_SAME_TITLE: usize = 1000;

/// The most titles that are read to find those that begin in some way.
const MAX_READ: usize = 4000;

impl Titles {
    /// Makes the keys. Entries that cannot be read have none.
    pub(super) fn read(archive: &zim::Archive) -> Self {
        let n = archive.header().n_entries.min(MAX_ENTRIES);
        let rows = (0..n.div_ceil(STEP)).into_par_iter().flat_map_iter(|step| {
            let range = step * STEP..n.min((step + 1) * STEP);
            range.filter_map(|index| {
                let entry = Entry::from(archive.entry_at(index).ok()??);
                entry.is_titled().then(|| Row::new(&title_key(entry.title()), index))
            })
        });
        let mut rows: Vec<Row> = rows.collect();
        rows.par_sort_unstable();
        rows.shrink_to_fit();
        Self(rows)
    }

    /// Returns the entries whose titles have a key, in order of title and path.
    pub(super) fn with_key(&self, archive: &zim::Archive, key: &str) -> Vec<Entry> {
        let sought = Row::new(key, 0);
        let from = self.0.partition_point(|row| *row < sought);
        let same = self.0.iter().skip(from);
        let same = same.take_while(|row| (row.start, row.hash) == (sought.start, sought.hash));
        let mut out: Vec<Entry> = same
            .take(MAX_SAME_TITLE)
            .filter_map(|row| archive.entry_at(row.index).ok()?)
            .map(Entry::from)
            .filter(|entry| title_key(entry.title()) == key)
            .collect();
        out.sort_by(|a, b| (a.title(), a.path()).cmp(&(b.title(), b.path())));
        out
    }

    /// Iterates over entries whose keys begin so, with their keys, in no order within those that share
    /// eight bytes.
    pub(super) fn with_start<'a>(
        &'a self,
        archive: &'a zim::Archive,
        start: &'a str,
    ) -> Box<dyn Iterator<Item = (String, Entry)> + 'a> {
        let rows = self.0.get(self.range(start)).unwrap_or_default();
        let read = rows.iter().take(MAX_READ).filter_map(move |row| {
            let entry = Entry::from(archive.entry_at(row.index).ok()??);
            let key = title_key(entry.title());
            key.starts_with(start).then_some((key, entry))
        });
        Box::new(read)
    }

    fn range(&self, start: &str) -> Range<usize> {
        let (first, last) = (padded(start.as_bytes(), 0), padded(start.as_bytes(), 0xff));
        self.0.partition_point(|row| row.start < first)..self.0.partition_point(|row| row.start <= last)
    }
}

impl Row {
    fn new(key: &str, index: u32) -> Self {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        Self { start: padded(key.as_bytes(), 0), hash: hasher.finish() as u32, index }
    }
}

/// Returns the first eight bytes as a number that is ordered as they are.
fn padded(bytes: &[u8], with: u8) -> u64 {
    let mut eight = [with; 8];
    let n = bytes.len().min(8);
    eight[..n].copy_from_slice(&bytes[..n]);
    u64::from_be_bytes(eight)
}
