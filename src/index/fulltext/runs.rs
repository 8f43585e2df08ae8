//! Sorted runs of postings in temporary files, and their merging.
//!
//! A run holds words in byte order, each with its postings in order of the documents' arrival. Runs are
//! made one after the other, so the postings of a word in several runs follow each other in the order of
//! the runs.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::format::bytes::{put_varint, read_varint};

/// The most runs at a time: each is an open file, of which a process may have few.
const MAX_RUNS: usize = 64;

/// A word and its postings in one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunWord {
    /// The word.
    pub word: Vec<u8>,
    /// The first document, by arrival.
    first: u32,
    /// The last one.
    last: u32,
    /// The first one's classes; then for each other the gap and its classes.
    bytes: Vec<u8>,
}

impl RunWord {
    /// Starts with a word's first posting.
    pub fn new(word: &[u8], document: u32, classes: u8) -> Self {
        Self { word: word.to_vec(), first: document, last: document, bytes: vec![classes] }
    }

    /// Adds a posting behind all others. A document that is there already stays as it is.
    pub fn push(&mut self, document: u32, classes: u8) {
        if document > self.last {
            put_varint(&mut self.bytes, document - self.last);
            self.bytes.push(classes);
            self.last = document;
        }
    }

    /// Adds the postings of the same word in a later run.
    fn append(&mut self, later: &Self) {
        let mut bytes = later.bytes.as_slice();
        if later.first == self.last {
            // A document's words were spilled in two parts, and this word was in both.
            bytes = bytes.get(1..).unwrap_or(&[]);
        } else {
            put_varint(&mut self.bytes, later.first.wrapping_sub(self.last));
        }
        self.bytes.extend_from_slice(bytes);
        self.last = later.last;
    }

    /// Hands each posting to `take`: document and classes.
    pub fn each(&self, mut take: impl FnMut(u32, u8)) {
        let mut document = self.first;
        let mut rest = self.bytes.as_slice();
        while let Some((&classes, more)) = rest.split_first() {
            take(document, classes);
            let Some((gap, len)) = read_varint(more) else { return };
            document = document.wrapping_add(gap);
            rest = &more[len..];
        }
    }
}

/// The runs so far.
pub struct Runs {
    files: Vec<File>,
    folder: PathBuf,
}

fn failed_write(folder: &Path) -> impl Fn(std::io::Error) -> Error {
    let folder = folder.to_path_buf();
    move |e| Error::io("write a temporary file in", &folder, e)
}

/// A run being written.
pub struct RunWriter {
    out: BufWriter<File>,
    folder: PathBuf,
    head: Vec<u8>,
}

impl RunWriter {
    /// Adds a word behind all others of the run.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be written.
    pub fn push(&mut self, word: &RunWord) -> Result<()> {
        self.head.clear();
        put_varint(&mut self.head, word.word.len() as u32);
        self.head.extend_from_slice(&word.word);
        put_varint(&mut self.head, word.first);
        put_varint(&mut self.head, word.last - word.first);
        self.head.extend_from_slice(&(word.bytes.len() as u64).to_le_bytes());
        let written = self.out.write_all(&self.head).and_then(|()| self.out.write_all(&word.bytes));
        written.map_err(failed_write(&self.folder))
    }
}

impl Runs {
    /// Returns none; they will be files in `folder` without names.
    pub fn new(folder: &Path) -> Self {
        Self { files: vec![], folder: folder.to_path_buf() }
    }

    /// Starts a run.
    ///
    /// # Errors
    ///
    /// Fails if no file can be made.
    pub fn create(&self) -> Result<RunWriter> {
        let file = tempfile::tempfile_in(&self.folder).map_err(failed_write(&self.folder))?;
        let out = BufWriter::with_capacity(1 << 18, file);
        Ok(RunWriter { out, folder: self.folder.clone(), head: vec![] })
    }

    /// Takes a finished run. Where there are too many they become one.
    ///
    /// # Errors
    ///
    /// Fails if a file cannot be written or read.
    pub fn add(&mut self, run: RunWriter) -> Result<()> {
        let file = run.out.into_inner().map_err(|e| failed_write(&self.folder)(e.into_error()))?;
        self.files.push(file);
        if self.files.len() < MAX_RUNS {
            return Ok(());
        }
        let mut one = self.create()?;
        let mut merge = self.merge(true)?;
        while let Some(word) = merge.next_word()? {
            one.push(word)?;
        }
        drop(merge);
        self.files.clear();
        self.add(one)
    }

    /// Reads the words of all runs in byte order, each once; `postings` says whether theirs are wanted.
    ///
    /// # Errors
    ///
    /// Fails if a run cannot be read.
    pub fn merge(&mut self, postings: bool) -> Result<Merge<'_>> {
        let mut runs = vec![];
        for file in &mut self.files {
            file.seek(SeekFrom::Start(0)).map_err(|e| failed_read(&self.folder, e))?;
            runs.push(BufReader::with_capacity(1 << 16, &*file));
        }
        let folder = &self.folder;
        let mut merge = Merge {
            heads: BinaryHeap::new(),
            words: vec![],
            runs,
            folder,
            postings,
            word: RunWord::default(),
        };
        for run in 0..merge.runs.len() {
            merge.words.push(RunWord::default());
            merge.refill(run)?;
        }
        Ok(merge)
    }
}

fn failed_read(folder: &Path, e: std::io::Error) -> Error {
    Error::io("read a temporary file in", folder, e)
}

/// Reads words in byte order.
pub struct Merge<'a> {
    /// The next word of each run.
    heads: BinaryHeap<Reverse<(Vec<u8>, usize)>>,
    /// Its postings.
    words: Vec<RunWord>,
    runs: Vec<BufReader<&'a File>>,
    folder: &'a Path,
    postings: bool,
    word: RunWord,
}

impl Merge<'_> {
    fn refill(&mut self, run: usize) -> Result<()> {
        let next = read_word(&mut self.runs[run], &mut self.words[run], self.postings);
        if next.map_err(|e| failed_read(self.folder, e))? {
            let word = std::mem::take(&mut self.words[run].word);
            self.heads.push(Reverse((word, run)));
        }
        Ok(())
    }

    /// Returns the next word with all its postings, if those are wanted.
    ///
    /// # Errors
    ///
    /// Fails if a run cannot be read.
    pub fn next_word(&mut self) -> Result<Option<&RunWord>> {
        let Some(Reverse((word, run))) = self.heads.pop() else { return Ok(None) };
        std::mem::swap(&mut self.word, &mut self.words[run]);
        self.word.word = word;
        self.refill(run)?;
        while let Some(Reverse((word, run))) = self.heads.peek()
            && *word == self.word.word
        {
            let run = *run;
            self.heads.pop();
            if self.postings {
                self.word.append(&self.words[run]);
            }
            self.refill(run)?;
        }
        Ok(Some(&self.word))
    }
}

/// Reads a varint of a run; `None` at its end.
fn read_number(run: &mut impl Read) -> std::io::Result<Option<u32>> {
    let mut bytes = [0; 5];
    for i in 0..bytes.len() {
        match run.read_exact(&mut bytes[i..=i]) {
            Err(e) if e.kind() == ErrorKind::UnexpectedEof && i == 0 => return Ok(None),
            other => other?,
        }
        if bytes[i] < 0x80 {
            break;
        }
    }
    match read_varint(&bytes) {
        Some((number, _)) => Ok(Some(number)),
        None => Err(ErrorKind::InvalidData.into()),
    }
}

fn read_word(run: &mut BufReader<&File>, word: &mut RunWord, postings: bool) -> std::io::Result<bool> {
    let Some(len) = read_number(run)? else { return Ok(false) };
    let missing = || std::io::Error::from(ErrorKind::UnexpectedEof);
    word.word.resize(len as usize, 0);
    run.read_exact(&mut word.word)?;
    word.first = read_number(run)?.ok_or_else(missing)?;
    word.last = word.first.wrapping_add(read_number(run)?.ok_or_else(missing)?);
    let mut len = [0; 8];
    run.read_exact(&mut len)?;
    let len = u64::from_le_bytes(len);
    word.bytes.clear();
    if postings {
        // As much as there is, not as much as is said.
        if run.take(len).read_to_end(&mut word.bytes)? as u64 != len {
            return Err(missing());
        }
    } else {
        run.seek_relative(i64::try_from(len).map_err(|_| missing())?)?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_merged_in_order_however_many_there_are() {
        let folder = tempfile::tempdir().unwrap();
        for n_runs in [1, 3, 200] {
            let mut runs = Runs::new(folder.path());
            for run in 0..n_runs {
                let mut out = runs.create().unwrap();
                for word in ["a", "b", "c"] {
                    let mut one = RunWord::new(word.as_bytes(), 10 * run, 1);
                    one.push(10 * run + 3, 2);
                    // The last document of a run goes on in the next.
                    one.push(10 * run + 10, 3);
                    if word != "b" || run == 0 {
                        out.push(&one).unwrap();
                    }
                }
                runs.add(out).unwrap();
            }
            for postings in [false, true] {
                let mut merge = runs.merge(postings).unwrap();
                let mut words = vec![];
                while let Some(word) = merge.next_word().unwrap() {
                    let mut all = vec![];
                    word.each(|document, classes| all.push((document, classes)));
                    words.push((word.word.clone(), all));
                }
                assert_eq!(words.iter().map(|w| &w.0[..]).collect::<Vec<_>>(), [b"a", b"b", b"c"]);
                if postings {
                    let mut expected = vec![(0, 1)];
                    (0..n_runs).for_each(|run| expected.extend([(10 * run + 3, 2), (10 * run + 10, 3)]));
                    assert_eq!(words[0].1, expected);
                    assert_eq!(words[1].1, [(0, 1), (3, 2), (10, 3)]);
                }
            }
        }
    }
}
