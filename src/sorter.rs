//! Sorting more rows than memory holds: sorted runs in temporary files, merged when read.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Serialize, de::DeserializeOwned};

use crate::error::{Error, Result};

/// A row: what it is sorted by, and what it carries. Rows with equal keys are in order of what they
/// carry, so that the order never depends on when a run was spilled.
pub type SortRow = (Vec<u8>, Vec<u8>);

/// Returns the bytes of what a row carries.
pub fn encode(value: &impl Serialize) -> Vec<u8> {
    // Into memory, of flat types: cannot fail.
    bincode::serde::encode_to_vec(value, bincode::config::standard()).unwrap_or_default()
}

/// Returns what [`encode`] made bytes of.
///
/// # Errors
///
/// Fails if a temporary file gave back other bytes than it was given.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let decoded = bincode::serde::decode_from_slice(bytes, bincode::config::standard());
    decoded.map(|(value, _)| value).map_err(|e| Error::source("a temporary file", format!("it changed: {e}")))
}

/// Returns the error of two rows with one path that is to be an entry's alone, and where each came from.
pub fn two_of_one_path(path: &[u8], a: &str, b: &str) -> Error {
    let message =
        format!("two entries of one path: from {a} and from {b}; SOURCE=PREFIX keeps sources apart");
    Error::source(String::from_utf8_lossy(path), message)
}

/// What a row costs in memory beside its bytes.
const ROW: usize = 2 * std::mem::size_of::<Vec<u8>>() + 2 * 8;

/// The most runs at a time: each is an open file, of which a process may have few.
const MAX_RUNS: usize = 64;

/// A run being written.
struct Run<'a> {
    out: BufWriter<File>,
    folder: &'a Path,
}

impl<'a> Run<'a> {
    fn create(folder: &'a Path) -> Result<Self> {
        // Without a name: nothing stays, however the program ends.
        let file = tempfile::tempfile_in(folder).map_err(|e| Self::failed(folder, e))?;
        Ok(Self { out: BufWriter::with_capacity(1 << 18, file), folder })
    }

    fn failed(folder: &Path, e: std::io::Error) -> Error {
        Error::io("write a temporary file in", folder, e)
    }

    fn push(&mut self, (key, value): &SortRow) -> Result<()> {
        for part in [key, value] {
            let len = (part.len() as u32).to_le_bytes();
            let written = self.out.write_all(&len).and_then(|()| self.out.write_all(part));
            written.map_err(|e| Self::failed(self.folder, e))?;
        }
        Ok(())
    }

    fn finish(self) -> Result<File> {
        self.out.into_inner().map_err(|e| Self::failed(self.folder, e.into_error()))
    }
}

/// Takes rows in any order.
pub struct Sorter {
    rows: Vec<SortRow>,
    len: usize,
    budget: usize,
    runs: Vec<File>,
    folder: PathBuf,
}

impl Sorter {
    /// Returns a sorter that keeps at most `budget` bytes in memory and spills into `folder`.
    pub fn new(budget: usize, folder: &Path) -> Self {
        Self { rows: vec![], len: 0, budget, runs: vec![], folder: folder.to_path_buf() }
    }

    /// Adds a row.
    ///
    /// # Errors
    ///
    /// Fails if rows must be spilled and cannot be.
    pub fn push(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<()> {
        self.len += key.len() + value.len() + ROW;
        self.rows.push((key, value));
        if self.len > self.budget { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> Result<()> {
        self.rows.sort_unstable();
        let mut out = Run::create(&self.folder)?;
        for row in self.rows.drain(..) {
            out.push(&row)?;
        }
        self.runs.push(out.finish()?);
        self.len = 0;
        if self.runs.len() < MAX_RUNS { Ok(()) } else { self.merge() }
    }

    /// Makes one run of all.
    fn merge(&mut self) -> Result<()> {
        let runs = std::mem::take(&mut self.runs);
        let mut sorted = Sorted { rows: vec![], runs, folder: self.folder.clone() };
        let mut rows = sorted.iter()?;
        let mut out = Run::create(&self.folder)?;
        while let Some(row) = rows.next_row()? {
            out.push(&row)?;
        }
        self.runs.push(out.finish()?);
        Ok(())
    }

    /// Ends the taking of rows.
    pub fn finish(mut self) -> Result<Sorted> {
        if !self.runs.is_empty() && !self.rows.is_empty() {
            self.spill()?;
        }
        self.rows.sort_unstable();
        Ok(Sorted { rows: self.rows, runs: self.runs, folder: self.folder })
    }
}

/// Rows in order, to be read as often as needed.
pub struct Sorted {
    rows: Vec<SortRow>,
    runs: Vec<File>,
    folder: PathBuf,
}

impl Sorted {
    /// Reads all rows in order.
    ///
    /// # Errors
    ///
    /// Fails if a run cannot be read.
    pub fn iter(&mut self) -> Result<Merge<'_>> {
        let mut runs = vec![];
        for file in &mut self.runs {
            file.seek(SeekFrom::Start(0))
                .map_err(|e| Error::io("read a temporary file in", &self.folder, e))?;
            runs.push(BufReader::with_capacity(1 << 16, &*file));
        }
        let mut merge =
            Merge { memory: self.rows.iter(), heap: BinaryHeap::new(), runs, folder: &self.folder };
        for run in 0..merge.runs.len() {
            merge.refill(run)?;
        }
        Ok(merge)
    }
}

/// Reads rows in order.
pub struct Merge<'a> {
    memory: std::slice::Iter<'a, SortRow>,
    heap: BinaryHeap<Reverse<(SortRow, usize)>>,
    runs: Vec<BufReader<&'a File>>,
    folder: &'a Path,
}

impl Merge<'_> {
    fn refill(&mut self, run: usize) -> Result<()> {
        let reader = &mut self.runs[run];
        let mut part = || -> std::io::Result<Option<Vec<u8>>> {
            let mut len = [0; 4];
            match reader.read_exact(&mut len) {
                Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
                other => other?,
            }
            let mut bytes = vec![0; u32::from_le_bytes(len) as usize];
            reader.read_exact(&mut bytes)?;
            Ok(Some(bytes))
        };
        let row = part().and_then(|key| Ok(key.zip(part()?)));
        let row = row.map_err(|e| Error::io("read a temporary file in", self.folder, e))?;
        self.heap.extend(row.map(|row| Reverse((row, run))));
        Ok(())
    }

    /// Returns the next row.
    ///
    /// # Errors
    ///
    /// Fails if a run cannot be read.
    pub fn next_row(&mut self) -> Result<Option<SortRow>> {
        // Rows are either all in memory or all in runs.
        if let Some(row) = self.memory.next() {
            return Ok(Some(row.clone()));
        }
        match self.heap.pop() {
            Some(Reverse((row, run))) => {
                self.refill(run)?;
                Ok(Some(row))
            }
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_does_not_depend_on_the_budget() {
        let rows: Vec<SortRow> = (0..2000u32)
            .map(|i| ((i.wrapping_mul(2_654_435_761) % 500).to_be_bytes().to_vec(), i.to_be_bytes().to_vec()))
            .collect();
        let sorted = |budget: usize| {
            let mut sorter = Sorter::new(budget, Path::new("."));
            rows.iter().for_each(|(k, v)| sorter.push(k.clone(), v.clone()).unwrap());
            let mut sorted = sorter.finish().unwrap();
            let mut twice = vec![];
            for _ in 0..2 {
                let mut merge = sorted.iter().unwrap();
                let mut out = vec![];
                while let Some(row) = merge.next_row().unwrap() {
                    out.push(row);
                }
                twice.push(out);
            }
            assert_eq!(twice[0], twice[1]);
            twice.remove(0)
        };
        let mut expected = rows.clone();
        expected.sort();
        assert_eq!(sorted(usize::MAX), expected);
        assert_eq!(sorted(5_000), expected);
        assert_eq!(sorted(1), expected);
    }
}
