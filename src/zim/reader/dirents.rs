//! Finding and reading dirents: in place where the file is in memory, else piece by piece.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{self, AtomicU32};

use super::Archive;
use crate::error::{Place, Result, damaged};
use crate::zim::dirent::{self, Dirent, DirentKind, MAX_DIRENT, More};

/// Keys of dirents at even distances, in memory: the first steps of a binary search through the file
/// touch a cache line and a page each.
pub(super) struct Samples {
    /// How many searches there were before the samples were worth making.
    searches: AtomicU32,
    made: OnceLock<Option<Keys>>,
}

struct Keys {
    /// Every how many dirents there is a key.
    step: u32,
    /// Where each key ends.
    ends: Vec<u32>,
    /// The namespace and path of each.
    bytes: Vec<u8>,
}

/// Searches that are made without samples.
const SEARCHES_BEFORE: u32 = 32;
/// How many samples there are at most, and how long all of them are.
const MAX_SAMPLES: u32 = 4096;
const MAX_SAMPLE_BYTES: usize = 1 << 20;

impl Samples {
    pub fn new() -> Self {
        Self { searches: AtomicU32::new(0), made: OnceLock::new() }
    }
}

impl Keys {
    fn get(&self, at: usize) -> Option<(u8, &[u8])> {
        let end = *self.ends.get(at)? as usize;
        let start = if at == 0 { 0 } else { *self.ends.get(at - 1)? as usize };
        self.bytes.get(start..end)?.split_first().map(|(namespace, path)| (*namespace, path))
    }

    /// Returns the range of dirents that a key's place is in.
    fn narrow(&self, key: (u8, &[u8]), n_entries: u32) -> Range<u32> {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle).is_some_and(|own| own < key) { low = middle + 1 } else { high = middle }
        }
        // The first `low` samples are less; sample `i` is dirent `i * step`.
        let start = (low as u32).saturating_sub(1).saturating_mul(self.step);
        let start = if low == 0 { 0 } else { start.saturating_add(1) };
        let end = if low == self.ends.len() { n_entries } else { (low as u32).saturating_mul(self.step) };
        start.min(n_entries)..end.min(n_entries)
    }
}

impl Archive {
    /// Reads a number of a list of 8 bytes each, which lies within the file.
    pub(super) fn pointer(&self, list: u64, index: u32) -> Result<u64> {
        let at = list.saturating_add(8 * u64::from(index));
        let bytes = self.storage.read(at..at.saturating_add(8))?;
        Ok(bytes.first_chunk().copied().map_or(0, u64::from_le_bytes))
    }

    /// Returns where a dirent begins, which is within the file.
    pub(super) fn dirent_position(&self, index: u32) -> Result<u64> {
        if index >= self.header.n_entries {
            return damaged!(Place::Entry(index), "dirent number", "there are {}", self.header.n_entries);
        }
        let at = self.pointer(self.header.path_pointers, index)?;
        if at < self.header.mime_list || at >= self.end {
            return damaged!(Place::Entry(index), "dirent position", "{at} of {}", self.end);
        }
        Ok(at)
    }

    /// Calls `take` with as many bytes of a dirent as it needs.
    fn with_bytes<T>(&self, index: u32, take: impl Fn(&[u8]) -> std::result::Result<T, More>) -> Result<T> {
        const FIRST_READ: u64 = 256;
        let at = self.dirent_position(index)?;
        let most = self.end.min(at.saturating_add(MAX_DIRENT));
        let mut len = if self.storage.whole().is_some() { MAX_DIRENT } else { FIRST_READ };
        loop {
            let end = most.min(at + len);
            match take(&self.storage.read(at..end)?) {
                Ok(taken) => return Ok(taken),
                Err(More) if end == most => {
                    return damaged!(Place::Entry(index), "dirent", "it has no end");
                }
                Err(More) => len *= 8,
            }
        }
    }

    /// Calls `take` with a dirent.
    pub(in crate::zim) fn with_dirent<T>(
        &self,
        index: u32,
        take: impl Fn(&Dirent<'_>) -> Result<T>,
    ) -> Result<T> {
        self.with_bytes(index, |bytes| Dirent::parse(bytes).map(|dirent| take(&dirent)))?
    }

    /// Returns the namespace of a dirent and what it is, without its names.
    pub(in crate::zim) fn dirent_head(&self, index: u32) -> Result<(u8, DirentKind)> {
        self.with_bytes(index, dirent::parse_head)
    }

    /// Finds a dirent by its namespace and path.
    pub(in crate::zim) fn find(&self, namespace: u8, path: &[u8]) -> Result<Option<u32>> {
        let (at, equal) = self.search(namespace, path)?;
        Ok(equal.then_some(at))
    }

    /// Returns the number of the first dirent that is not less than a namespace and a path.
    pub(in crate::zim) fn lower_bound(&self, namespace: u8, path: &[u8]) -> Result<u32> {
        Ok(self.search(namespace, path)?.0)
    }

    /// Returns the first dirent that is not less, and true if it is equal. In a list that is not in order
    /// it may miss what is there.
    fn search(&self, namespace: u8, path: &[u8]) -> Result<(u32, bool)> {
        let n = self.header.n_entries;
        let range = match self.samples() {
            Some(samples) => samples.narrow((namespace, path), n),
            None => 0..n,
        };
        // No stored path has a byte 0; one that is asked for is found nowhere, and stands in order.
        let no_path = path.contains(&0);
        let (mut low, mut high) = (range.start, range.end);
        let whole = self.storage.whole().filter(|_| !no_path);
        let mut equal = false;
        while low < high {
            let middle = low + (high - low) / 2;
            let order = match whole {
                Some(whole) => self.compare_in_place(whole, middle, namespace, path)?,
                None if no_path => {
                    self.with_dirent(middle, |d| Ok((d.namespace, d.path).cmp(&(namespace, path))))?
                }
                None => self.with_bytes(middle, |bytes| dirent::compare_path(bytes, namespace, path))?,
            };
            match order {
                Ordering::Less => low = middle + 1,
                Ordering::Equal => {
                    (low, equal) = (middle, true);
                    break;
                }
                Ordering::Greater => high = middle,
            }
        }
        // The sample that bounds the range may be the dirent itself.
        if !equal && low == range.end && low < n {
            let order = self.with_dirent(low, |d| Ok((d.namespace, d.path).cmp(&(namespace, path))))?;
            equal = order == Ordering::Equal;
        }
        self.storage.check_fault()?;
        Ok((low, equal))
    }

    fn compare_in_place(&self, whole: &[u8], index: u32, namespace: u8, path: &[u8]) -> Result<Ordering> {
        let list = usize::try_from(self.header.path_pointers).unwrap_or(usize::MAX);
        let at = whole.get(list.saturating_add(8 * index as usize)..).and_then(|b| b.first_chunk());
        let at = at.copied().map_or(u64::MAX, u64::from_le_bytes);
        let end = self.end.min(at.saturating_add(MAX_DIRENT));
        let bounds = usize::try_from(at).ok().zip(usize::try_from(end).ok());
        let bytes = bounds.and_then(|(start, end)| whole.get(start..end)).unwrap_or_default();
        match dirent::compare_path(bytes, namespace, path) {
            Ok(order) if at >= self.header.mime_list => Ok(order),
            // Says what is wrong with it.
            _ => self.with_dirent(index, |d| Ok((d.namespace, d.path).cmp(&(namespace, path)))),
        }
    }

    fn samples(&self) -> Option<&Keys> {
        if let Some(made) = self.samples.made.get() {
            return made.as_ref();
        }
        if self.samples.searches.fetch_add(1, atomic::Ordering::Relaxed) < SEARCHES_BEFORE {
            return None;
        }
        self.samples.made.get_or_init(|| self.make_samples()).as_ref()
    }

    /// Reads the samples; nothing if a dirent is damaged or they would be too long.
    fn make_samples(&self) -> Option<Keys> {
        let n = self.header.n_entries;
        let step = n.div_ceil(MAX_SAMPLES).max(4);
        let mut keys = Keys { step, ends: vec![], bytes: vec![] };
        let mut index = 0;
        while index < n {
            let key = self
                .with_dirent(index, |d| {
                    let fits = keys.bytes.len() + d.path.len() < MAX_SAMPLE_BYTES;
                    Ok(fits.then(|| [&[d.namespace], d.path].concat()))
                })
                .ok()??;
            keys.bytes.extend_from_slice(&key);
            keys.ends.push(u32::try_from(keys.bytes.len()).ok()?);
            index = index.checked_add(step)?;
        }
        Some(keys)
    }
}
