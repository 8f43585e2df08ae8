//! Snippets: the passage of a page that answers a query best, with what was asked for marked.

mod cut;

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};

use super::phrase::Phrase;
use super::search_text::{Field, Listener, read};
use super::words::{Words, folded};

/// How many bytes of a page are looked at. A match behind them does not make it into the snippet.
pub const MAX_LOOK: usize = 256 * 1024;

/// How long a passage is, in bytes of text: about three lines. Scripts with more bytes a letter have
/// wider letters.
const PASSAGE: usize = 260;

/// How many places of a page are noted.
const MAX_HITS: usize = 2_000;

/// How many words of a query are told apart.
const MAX_TERMS: usize = 64;

/// What a query asks for, to be marked.
///
/// Each word of the query is a *term*, by number; its other forms have its number as well. A passage
/// is good if it has many terms. Numbers from 64 on count as 63.
#[derive(Debug, Default)]
pub struct Wanted {
    words: HashMap<Vec<u8>, u64>,
    prefixes: Vec<(Vec<u8>, u64)>,
    phrases: Vec<(Phrase, u64)>,
    /// The terms there are.
    terms: u64,
    /// Bits of what words begin with, so that most words of a page are not looked up.
    beginnings: [u64; 4],
    has_single_grams: bool,
}

impl Wanted {
    /// Adds a form of a term: a key of a word, of which the folded part counts.
    pub fn add_word(&mut self, term: usize, key: &[u8]) {
        let word = folded(key);
        if word.is_empty() {
            return;
        }
        self.begin(word);
        *self.words.entry(word.to_vec()).or_default() |= self.bit(term);
        let mut words = Words::new(std::str::from_utf8(word).unwrap_or_default());
        // One character of a pair is found in the pairs.
        let grams = words.next().and_then(|word| word.grams);
        self.has_single_grams |= grams.is_some_and(|grams| grams.second_key == word.len());
    }

    /// Adds what a term's words begin with.
    pub fn add_prefix(&mut self, term: usize, prefix: &[u8]) {
        let prefix = folded(prefix);
        if !prefix.is_empty() && self.prefixes.len() < MAX_TERMS {
            self.begin(prefix);
            let bit = self.bit(term);
            self.prefixes.push((prefix.to_vec(), bit));
        }
    }

    /// Adds a phrase, which is marked as a whole.
    pub fn add_phrase(&mut self, term: usize, phrase: Phrase) {
        if self.phrases.len() < MAX_TERMS {
            let bit = self.bit(term);
            self.phrases.push((phrase, bit));
        }
    }

    fn bit(&mut self, term: usize) -> u64 {
        let bit = 1 << term.min(MAX_TERMS - 1);
        self.terms |= bit;
        bit
    }

    fn begin(&mut self, word: &[u8]) {
        if let Some(&first) = word.first() {
            self.beginnings[usize::from(first / 64)] |= 1 << (first % 64);
        }
    }

    fn terms_of(&self, word: &[u8]) -> u64 {
        let Some(&first) = word.first() else { return 0 };
        if self.beginnings[usize::from(first / 64)] >> (first % 64) & 1 == 0 {
            return 0;
        }
        let mut terms = self.words.get(word).copied().unwrap_or(0);
        for (prefix, bit) in &self.prefixes {
            terms |= if word.starts_with(prefix) { *bit } else { 0 };
        }
        terms
    }
}

/// Returns a passage of a page as HTML: `<b>` and `</b>` round what was asked for, which nest in
/// nothing, and text in which `<`, `>`, `&` and quotes are escaped. It is safe to put into an element.
///
/// The passage is of about 260 bytes of text, cut between words, with `…` where it is cut out of a
/// block. It is the one with the most terms, among equals the first; if none is on the page, its first
/// text; empty if the page has no text. Reading stops at a passage that has all terms, and after
/// [`MAX_LOOK`] bytes.
pub fn snippet(content: &[u8], mime: &str, wanted: &Wanted) -> String {
    let content = &content[..content.len().min(MAX_LOOK)];
    let mut page = Page { wanted, text: String::new(), blocks: vec![], hits: vec![], best: None };
    read(content, mime, &mut page);
    page.finish()
}

/// A place of a page that a query asks for.
#[derive(Debug, Clone)]
struct Hit {
    range: Range<usize>,
    terms: u64,
    /// False in a heading.
    in_body: bool,
}

/// A run of hits that fit into a passage.
#[derive(Debug, Clone)]
struct Run {
    range: Range<usize>,
    score: u64,
}

struct Page<'w> {
    wanted: &'w Wanted,
    /// The blocks so far, with a space between.
    text: String,
    /// Where they begin, and whether they are body text.
    blocks: Vec<(usize, bool)>,
    hits: Vec<Hit>,
    /// The first run that has all terms.
    best: Option<Run>,
}

impl Listener for Page<'_> {
    fn block(&mut self, field: Field, text: &str) -> ControlFlow<()> {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        let start = self.text.len();
        self.text.push_str(text);
        let in_body = field == Field::Body;
        self.blocks.push((start, in_body));
        let first_new = self.hits.len();
        self.look_for_words(start, in_body);
        self.look_for_phrases(start, in_body);
        if self.hits.len() > first_new {
            self.hits[first_new..].sort_by_key(|hit| (hit.range.start, hit.range.end));
            self.best = self.best.take().or_else(|| self.complete_run(first_new));
        }
        // What follows may still belong to the passage.
        let is_enough = match &self.best {
            Some(best) => self.text.len() >= best.range.start + PASSAGE,
            None => self.hits.len() >= MAX_HITS || (self.wanted.terms == 0 && self.text.len() >= 2 * PASSAGE),
        };
        if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Page<'_> {
    fn look_for_words(&mut self, start: usize, in_body: bool) {
        let wanted = self.wanted;
        let mut words = Words::new(&self.text[start..]);
        while let Some(word) = words.next() {
            let range = start + word.range.start..start + word.range.end;
            let terms = wanted.terms_of(folded(word.key));
            if terms != 0 {
                self.hits.push(Hit { range, terms, in_body });
            } else if let Some(grams) = word.grams.filter(|_| wanted.has_single_grams) {
                let (first, second) = word.key.split_at(grams.second_key.min(word.key.len()));
                let second_at = start + grams.second;
                let first_terms = if grams.goes_on { 0 } else { wanted.terms_of(first) };
                for (terms, range) in
                    [(first_terms, range.start..second_at), (wanted.terms_of(second), second_at..range.end)]
                {
                    if terms != 0 {
                        self.hits.push(Hit { range, terms, in_body });
                    }
                }
            }
            if self.hits.len() >= MAX_HITS {
                return;
            }
        }
    }

    fn look_for_phrases(&mut self, start: usize, in_body: bool) {
        for (phrase, terms) in &self.wanted.phrases {
            let hits = &mut self.hits;
            phrase.each_in_text(&self.text[start..], |range| {
                let range = start + range.start..start + range.end;
                hits.push(Hit { range, terms: *terms, in_body });
                if hits.len() < 2 * MAX_HITS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
        }
    }

    /// Returns the first run that ends at or behind a hit and has all terms, not in headings alone.
    fn complete_run(&self, from: usize) -> Option<Run> {
        if self.wanted.terms == 0 {
            return None;
        }
        (from..self.hits.len()).find_map(|last| {
            let (mut terms, mut in_body) = (0, false);
            let end = self.hits[last].range.end;
            for hit in self.hits[..=last].iter().rev() {
                if end.saturating_sub(hit.range.start) > PASSAGE {
                    break;
                }
                terms |= hit.terms;
                in_body |= hit.in_body;
                if terms == self.wanted.terms && in_body {
                    return Some(Run { range: hit.range.start..end, score: u64::MAX });
                }
            }
            None
        })
    }

    /// Returns the best run of hits that fits into a passage.
    fn best_run(&self) -> Option<Run> {
        let mut best: Option<Run> = None;
        let mut counts = [0_u32; MAX_TERMS];
        let (mut first, mut n_terms, mut n_body) = (0, 0_u64, 0_u64);
        for (last, hit) in self.hits.iter().enumerate() {
            for_each_bit(hit.terms, |term| {
                n_terms += u64::from(counts[term] == 0);
                counts[term] += 1;
            });
            n_body += u64::from(hit.in_body);
            while first < last && hit.range.end.saturating_sub(self.hits[first].range.start) > PASSAGE {
                for_each_bit(self.hits[first].terms, |term| {
                    counts[term] -= 1;
                    n_terms -= u64::from(counts[term] == 0);
                });
                n_body -= u64::from(self.hits[first].in_body);
                first += 1;
            }
            let n_hits = (last - first + 1).min(8) as u64;
            let score = n_terms * 100 + n_hits + 50 * u64::from(n_body > 0);
            if best.as_ref().is_none_or(|best| score > best.score) {
                let range = self.hits[first].range.start..hit.range.end;
                best = Some(Run { range, score });
            }
        }
        best
    }

    fn finish(self) -> String {
        if self.text.is_empty() {
            return self.text;
        }
        let run = self.best.clone().or_else(|| self.best_run());
        let passage = match run {
            Some(run) => cut::passage_round(&self.text, &self.blocks, run.range),
            None => cut::first_passage(&self.text, &self.blocks),
        };
        let mut places: Vec<Range<usize>> = self.hits.into_iter().map(|hit| hit.range).collect();
        places.sort_by_key(|place| (place.start, place.end));
        cut::to_html(&self.text, &passage, &places)
    }
}

fn for_each_bit(mut bits: u64, mut take: impl FnMut(usize)) {
    while bits != 0 {
        take(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

#[cfg(test)]
mod tests;
