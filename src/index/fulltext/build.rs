//! Building the index while packing: memory is bounded, whatever the archive's size.
//!
//! 1. Words of documents are numbered, and their postings gathered in one buffer. When the budget is
//!    spent, the buffer is sorted and becomes a run.
//! 2. The words of all runs are read once, for the symbols of their tree.
//! 3. All runs are read again, side by side: each word's list is written as it comes; the leaves of the
//!    tree wait in a temporary file, since sections are written one after the other.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::intern::Words;
use super::list;
use super::parameters::Parameters;
use super::rank::{CLASS_COUNTS, Classes, FIELDS, Ranker, Weighing, classes as classes_of, length_byte};
use super::runs::{RunWord, Runs};
use super::words::{INLINE, Postings, WordRecords};
use crate::error::{Error, Result};
use crate::format::first_page::SectionKind;
use crate::format::strings::RESTART;
use crate::format::strings::build::{Builder, Nodes};
use crate::format::strings::symbols::{Encoder, train};
use crate::index::SectionSink;

/// The longest word in bytes; longer ones are left out. The longest words of dictionaries have 60, and
/// pairs of such fit.
pub const MAX_WORD: usize = 255;

/// Leaves that wait in memory before they go to a file.
const LEAVES_IN_MEMORY: usize = 1 << 20;

/// Bytes of words from which the symbols of their tree are learned.
const SAMPLE: usize = 100_000;

/// Words between two looks at whether to stop.
const LOOK: u64 = 1024;

/// A posting in memory: word, document within the run, classes; ordered by them.
fn pack(word: u32, document: u32, classes: u8) -> u64 {
    u64::from(word) << 32 | u64::from(document) << 8 | u64::from(classes)
}

/// Documents that a run has room for.
const RUN_DOCUMENTS: u32 = 1 << 24;

/// Classes as one byte: two bits, two bits, four bits.
fn classes_byte([title, headings, body]: Classes) -> u8 {
    title << 6 | headings << 4 | body
}

fn classes_from(byte: u8) -> Classes {
    [byte >> 6, byte >> 4 & 3, byte & 15]
}

/// Takes the words of documents, and writes the index of them.
pub struct Inverter {
    budget: usize,
    folder: PathBuf,
    words: Words,
    postings: Vec<u64>,
    runs: Runs,
    /// Documents so far, and before the run.
    documents: u32,
    before_run: u32,
    lengths: Vec<[u8; FIELDS]>,
    total: [u64; FIELDS],
    /// Postings of each of the classes.
    counts: Box<[u64; 256]>,
}

impl Inverter {
    /// Starts without documents. `budget` bounds the bytes of words and postings in memory (at least
    /// 64 KB are used); three bytes a document come on top. Runs go to `folder`, as files without names.
    pub fn new(budget: usize, folder: &Path) -> Self {
        Self {
            budget: budget.max(1 << 16),
            folder: folder.to_path_buf(),
            words: Words::new(),
            postings: vec![],
            runs: Runs::new(folder),
            documents: 0,
            before_run: 0,
            lengths: vec![],
            total: [0; FIELDS],
            counts: Box::new([0; 256]),
        }
    }

    /// Adds the next document: its words, each once, with their frequencies in title, headings and body,
    /// and the lengths of these in words. A word whose frequencies are all 0 is one that stands only in
    /// text that most documents have: it is found, and weighs little.
    ///
    /// Empty words and those longer than [`MAX_WORD`] are left out. Costs about 0.1 us a word.
    ///
    /// # Errors
    ///
    /// Fails if postings must be spilled and cannot be.
    pub fn add<'w>(
        &mut self,
        words: impl Iterator<Item = (&'w [u8], [u16; FIELDS])>,
        lengths: [u32; FIELDS],
    ) -> Result<()> {
        if self.documents == u32::MAX {
            return Err(Error::InvalidInput("more than 4,294,967,295 documents".into()));
        }
        for (word, frequencies) in words {
            if word.is_empty() || word.len() > MAX_WORD {
                continue;
            }
            if !self.has_room() {
                self.spill()?;
            }
            let classes = classes_byte(classes_of(frequencies));
            self.counts[usize::from(classes)] += 1;
            let word = self.words.number(word);
            self.postings.push(pack(word, self.documents - self.before_run, classes));
        }
        self.lengths.push(lengths.map(length_byte));
        for (total, length) in self.total.iter_mut().zip(lengths) {
            *total += u64::from(length);
        }
        self.documents += 1;
        Ok(())
    }

    /// Makes room for one more posting within the budget; false if there is none.
    fn has_room(&mut self) -> bool {
        if !self.words.has_room() || self.documents - self.before_run >= RUN_DOCUMENTS {
            return false;
        }
        let used = self.words.memory() + 8 * self.postings.capacity();
        if self.postings.len() < self.postings.capacity() {
            return used <= self.budget;
        }
        // Grows by half, up to three quarters of the budget: the rest is the words'.
        let most = (self.budget / 4 * 3).min(self.budget.saturating_sub(self.words.memory())) / 8;
        let more = (self.postings.len() / 2 + 4096).min(most.saturating_sub(self.postings.len()));
        if more == 0 {
            return false;
        }
        self.postings.reserve_exact(more);
        true
    }

    fn spill(&mut self) -> Result<()> {
        if !self.postings.is_empty() {
            self.postings.sort_unstable();
            // Where each word's postings end.
            let mut ends = vec![0usize; self.words.len()];
            for (i, posting) in self.postings.iter().enumerate() {
                ends[(posting >> 32) as usize] = i + 1;
            }
            let mut run = self.runs.create()?;
            for number in self.words.sorted() {
                let end = ends[number as usize];
                let start = if number == 0 { 0 } else { ends[number as usize - 1] };
                let mut rest = self.postings[start..end]
                    .iter()
                    .map(|p| (self.before_run + ((*p as u32) >> 8), *p as u8));
                if let Some((document, classes)) = rest.next() {
                    let mut word = RunWord::new(self.words.get(number), document, classes);
                    rest.for_each(|(document, classes)| word.push(document, classes));
                    run.push(&word)?;
                }
            }
            self.runs.add(run)?;
        }
        self.postings.clear();
        self.words.clear();
        self.before_run = self.documents;
        Ok(())
    }

    /// Writes the index.
    ///
    /// `ordinal_of` gives for each document, by arrival, the ordinal of its article; `importance` has a
    /// byte for each article of the archive, and 0 is as good as none. Other articles have no words. A
    /// score is multiplied by 1 + importance / 1024. `frequent` is kept for the reader as it is. Memory
    /// beside the budget is four bytes an article and eight for each article of the most frequent word.
    ///
    /// The bytes written do not depend on the budget.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] if the ordinals are not those of different articles, or a string has more
    /// than 255 bytes; [`Error::Interrupted`] if `cancelled`; otherwise if a file fails.
    pub fn finish(
        mut self,
        ordinal_of: &[u32],
        importance: &[u8],
        languages: &[String],
        frequent: &[String],
        sink: &mut dyn SectionSink,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<()> {
        self.spill()?;
        (self.postings, self.words) = (vec![], Words::new());
        let articles = self.articles(ordinal_of, importance)?;
        let (classes, codes) = self.codes();
        let n = u64::from(self.documents.max(1));
        let parameters = Parameters {
            articles: (articles.len() / 4) as u32,
            averages: self.total.map(|total| u32::try_from(total * 256 / n).unwrap_or(u32::MAX)),
            weighing: Weighing::default(),
            classes,
            languages: languages.to_vec(),
            frequent: frequent.to_vec(),
        };
        if !parameters.fits() {
            return Err(Error::InvalidInput("a language or frequent word of more than 255 bytes".into()));
        }
        let encoder = Encoder::new(train(self.sample(cancelled)?.iter().map(Vec::as_slice)));
        let ranker =
            Ranker::new(parameters.classes.clone(), parameters.averages, parameters.weighing.clone());
        let out = Output { articles: &articles, codes: &codes, ranker: &ranker, ordinal_of };
        let (n_words, nodes) = out.write(&mut self.runs, &self.folder, &encoder, sink, cancelled)?;
        let small: [(SectionKind, &[u8], u64); 5] = [
            (SectionKind::WORD_NODES, &nodes.pages, (nodes.pages.len() / crate::format::ids::PAGE) as u64),
            (SectionKind::WORD_ROOT, &nodes.root, 1),
            (SectionKind::WORD_SYMBOLS, &encoder.symbols().write(), 1),
            (SectionKind::SEARCH_ARTICLES, &articles, u64::from(parameters.articles)),
            (SectionKind::SEARCH, &parameters.write(), n_words),
        ];
        for (kind, bytes, count) in small {
            sink.begin(kind)?;
            sink.write(bytes)?;
            sink.end(count);
        }
        Ok(())
    }

    /// The section of the articles: lengths and importance of each.
    fn articles(&self, ordinal_of: &[u32], importance: &[u8]) -> Result<Vec<u8>> {
        let wrong = |what: &str| Err(Error::InvalidInput(format!("full text: {what}")));
        if ordinal_of.len() != self.documents as usize || importance.len() > u32::MAX as usize {
            return wrong("as many ordinals as documents are needed");
        }
        let mut out: Vec<u8> = importance.iter().flat_map(|&importance| [0, 0, 0, importance]).collect();
        let mut taken = vec![false; importance.len()];
        for (&ordinal, lengths) in ordinal_of.iter().zip(&self.lengths) {
            let at = ordinal as usize;
            match taken.get_mut(at) {
                Some(taken) if !*taken => *taken = true,
                _ => return wrong("two documents of one article, or one of none"),
            }
            out[4 * at..4 * at + FIELDS].copy_from_slice(lengths);
        }
        Ok(out)
    }

    /// The class table, and the code of each classes' byte.
    fn codes(&self) -> (Vec<Classes>, Box<[u8; 256]>) {
        debug_assert_eq!(CLASS_COUNTS, [4, 4, 16]);
        let mut bytes: Vec<u8> = (0..=255).filter(|&byte| self.counts[usize::from(byte)] > 0).collect();
        bytes.sort_by_key(|&byte| (std::cmp::Reverse(self.counts[usize::from(byte)]), byte));
        let mut codes = Box::new([0; 256]);
        for (code, &byte) in bytes.iter().enumerate() {
            codes[usize::from(byte)] = code as u8;
        }
        (bytes.into_iter().map(classes_from).collect(), codes)
    }

    /// Pieces of words as their tree will store them, from all over the alphabet.
    fn sample(&mut self, cancelled: &dyn Fn() -> bool) -> Result<Vec<Vec<u8>>> {
        let (mut sample, mut len, mut stride, mut n) = (vec![], 0, 1, 0u64);
        let mut last = vec![];
        let mut merge = self.runs.merge(false)?;
        while let Some(RunWord { word, .. }) = merge.next_word()? {
            if n.is_multiple_of(stride) {
                let shared = word.iter().zip(&last).take_while(|(a, b)| a == b).count();
                // Chosen by the number of the word, so a restart is as likely as in a leaf.
                let from = if (n / stride).is_multiple_of(RESTART as u64) { 0 } else { shared };
                sample.push(word[from..].to_vec());
                len += word.len() - from;
            }
            if len > SAMPLE {
                // Every other one stays.
                let mut i = 0;
                sample.retain(|_| {
                    i += 1;
                    i % 2 == 1
                });
                len = sample.iter().map(Vec::len).sum();
                stride *= 2;
            }
            last.clear();
            last.extend_from_slice(word);
            n += 1;
            if n.is_multiple_of(LOOK) && cancelled() {
                return Err(Error::Interrupted);
            }
        }
        Ok(sample)
    }
}

/// What the writing of lists and words needs.
struct Output<'a> {
    articles: &'a [u8],
    codes: &'a [u8; 256],
    ranker: &'a Ranker,
    ordinal_of: &'a [u32],
}

impl Output<'_> {
    /// The worth of a posting in steps, as its block's maximum says it.
    fn worth(&self, ordinal: u32, code: u8) -> u8 {
        let at = 4 * ordinal as usize;
        let article =
            [self.articles[at], self.articles[at + 1], self.articles[at + 2], self.articles[at + 3]];
        self.ranker.steps(u32::from(code), article)
    }

    /// Writes the sections of postings and of words; returns the number of words, and the tree's nodes.
    fn write(
        &self,
        runs: &mut Runs,
        folder: &Path,
        encoder: &Encoder,
        sink: &mut dyn SectionSink,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<(u64, Nodes)> {
        let failed = |e| Error::io("write a temporary file in", folder, e);
        let mut leaves = tempfile::spooled_tempfile_in(LEAVES_IN_MEMORY, folder);
        let mut builder = Builder::new(encoder, WordRecords::new((self.articles.len() / 4) as u32));
        let (mut postings, mut list_bytes) = (Vec::<(u32, u8)>::new(), vec![]);
        let (mut start, mut n_words, mut n_lists) = (0u64, 0u64, 0u64);
        let mut merge = runs.merge(true)?;
        sink.begin(SectionKind::POSTINGS)?;
        while let Some(word) = merge.next_word()? {
            postings.clear();
            word.each(|document, classes| {
                if let Some(&ordinal) = self.ordinal_of.get(document as usize) {
                    postings.push((ordinal, self.codes[usize::from(classes)]));
                }
            });
            if !postings.is_sorted() {
                postings.sort_unstable();
            }
            let record = if postings.len() <= INLINE {
                Postings::inline(&postings)
            } else {
                list_bytes.clear();
                let max = list::write(&postings, |ordinal, code| self.worth(ordinal, code), &mut list_bytes);
                let Ok(len) = u32::try_from(list_bytes.len()) else {
                    return Err(Error::InvalidInput("more than 4 GiB of postings of one word".into()));
                };
                sink.write(&list_bytes)?;
                start += u64::from(len);
                n_lists += 1;
                Some(Postings::List { df: postings.len() as u32, start: start - u64::from(len), len, max })
            };
            if let Some(record) = record {
                n_words += 1;
                if let Some(page) = builder.push(&word.word, vec![], record, false) {
                    leaves.write_all(&page).map_err(failed)?;
                }
            }
            if n_words.is_multiple_of(LOOK) && cancelled() {
                return Err(Error::Interrupted);
            }
        }
        sink.end(n_lists);
        let (page, nodes) = builder.finish();
        if let Some(page) = page {
            leaves.write_all(&page).map_err(failed)?;
        }
        sink.begin(SectionKind::WORDS)?;
        let failed = |e| Error::io("read a temporary file in", folder, e);
        leaves.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let n = leaves.read(&mut buffer).map_err(failed)?;
            if n == 0 {
                break;
            }
            sink.write(&buffer[..n])?;
        }
        sink.end(n_words);
        Ok((n_words, nodes))
    }
}
