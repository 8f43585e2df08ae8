//! What was typed, and how well a title's key matches it.

use super::automaton::{FAR, Pattern};
use super::letters::is_word_char;
use super::search::Found;
use super::{Match, words};
use crate::fold::title_key;

/// The most bytes of a query's key that are looked at.
const MAX_KEY: usize = 255;

/// The most bytes that are folded to begin with: folding may drop most of them.
const MAX_TYPED: usize = 4096;

/// The most words of a query that are looked at.
const MAX_WORDS: usize = 12;

/// Letters from which on a query may have one typo, and two.
const LETTERS_FOR_TYPOS: [usize; 2] = [3, 8];

/// What was typed.
#[derive(Debug, Clone)]
pub struct Query {
    /// Its title key.
    pub key: String,
    /// The key without the ending that nearly all titles share, if it was typed.
    pub bare: String,
    /// The words of `bare`.
    pub words: Vec<String>,
    /// How many typos may be guessed.
    pub typos: u8,
}

/// Cuts a text to so many bytes, between letters.
fn cut(text: &str, len: usize) -> &str {
    let mut len = len.min(text.len());
    while !text.is_char_boundary(len) {
        len -= 1;
    }
    &text[..len]
}

impl Query {
    /// Reads what was typed, as much of it as matters, for titles with an ending.
    pub fn new(typed: &str, ending: &str) -> Self {
        let key = title_key(cut(typed, MAX_TYPED));
        let key = cut(&key, MAX_KEY).trim_end().to_string();
        let bare = words::bare(&key, ending).to_string();
        let words: Vec<String> = words::words(&bare).take(MAX_WORDS).map(|w| w.1.to_string()).collect();
        let letters = bare.chars().filter(|&c| is_word_char(c)).count();
        let typos = LETTERS_FOR_TYPOS.iter().filter(|&&least| letters >= least).count() as u8;
        Self { key, bare, words, typos }
    }

    /// Returns true if a title's key matches as well as some other title did.
    pub fn matches_as_well(&self, key: &str, ending: &str, found: Found) -> bool {
        let bare = words::bare(key, ending);
        match found.matched {
            Match::Exact => key == self.key || bare == self.key,
            Match::Prefix => key.starts_with(&self.key),
            Match::Word => arrangement(&self.words, bare).is_some_and(|rank| rank <= found.rank),
            Match::Typo => Near::new(&self.words, &self.bare, found.typos)
                .judge(key, ending)
                .is_some_and(|judged| judged <= (found.typos, found.rank)),
        }
    }
}

/// Returns how the words stand in a key, all of them, the last one perhaps as a beginning: 0 if they
/// are its words, 1 if it begins with them, 2 if they follow each other, 3 otherwise; `None` if one is
/// not there.
pub fn arrangement(typed: &[String], bare: &str) -> Option<u8> {
    let (last, others) = typed.split_last()?;
    let own: Vec<&str> = words::words(bare).map(|w| w.1).collect();
    let all = others.iter().all(|word| own.contains(&word.as_str()))
        && own.iter().any(|word| word.starts_with(last.as_str()));
    if !all {
        return None;
    }
    let follows = own.windows(typed.len()).position(|window| {
        let (end, begin) = window.split_last().unwrap_or((&"", &[]));
        begin.iter().zip(others).all(|(a, b)| a == b) && end.starts_with(last.as_str())
    });
    Some(match follows {
        Some(0) if own.len() == typed.len() && own.last() == Some(&last.as_str()) => 0,
        Some(0) => 1,
        Some(_) => 2,
        None => 3,
    })
}

/// Returns the typos that a word may have: none in one letter, one in two or three.
pub fn allowed(word: &str, typos: u8) -> u8 {
    match word.chars().take(4).count() {
        0 | 1 => 0,
        2 | 3 => typos.min(1),
        _ => typos,
    }
}

/// Compares titles with what was typed, typos allowed.
pub struct Near<'q> {
    words: &'q [String],
    patterns: Vec<Pattern>,
    /// All that was typed, spaces included.
    pub whole: Pattern,
    typos: u8,
}

impl<'q> Near<'q> {
    /// Prepares the words, and the whole of what was typed.
    pub fn new(words: &'q [String], whole: &str, typos: u8) -> Self {
        let patterns = words.iter().map(|word| Pattern::new(word, allowed(word, typos))).collect();
        Self { words, patterns, whole: Pattern::new(whole, typos), typos }
    }

    fn word(&self, i: usize, other: &str) -> u8 {
        if self.words[i] == other { 0 } else { self.patterns[i].distance(other, i + 1 == self.words.len()) }
    }

    /// Returns how many typos a key is away and how its words stand, as [`arrangement`] has it.
    pub fn judge(&self, key: &str, ending: &str) -> Option<(u8, u8)> {
        let bare = words::bare(key, ending);
        let own: Vec<&str> = words::words(bare).map(|w| w.1).collect();
        self.word_by_word(&own).or_else(|| self.scattered(&own)).or_else(|| self.as_a_whole(key, bare))
    }

    /// From the first word on, each with its own.
    fn word_by_word(&self, own: &[&str]) -> Option<(u8, u8)> {
        let (last, n) = (self.words.len().checked_sub(1)?, self.words.len());
        if own.len() < n {
            return None;
        }
        let mut sum = 0u8;
        let mut last_typos = 0;
        for (i, other) in own.iter().enumerate().take(n) {
            last_typos = self.word(i, other);
            sum = sum.saturating_add(last_typos);
            if sum > self.typos {
                return None;
            }
        }
        let ends =
            self.words[last] == own[last] || self.patterns[last].distance(own[last], false) <= last_typos;
        Some((sum, if own.len() == n && ends { 0 } else { 1 }))
    }

    /// Each word with whichever is nearest.
    fn scattered(&self, own: &[&str]) -> Option<(u8, u8)> {
        let mut sum = 0u8;
        let mut before: Option<usize> = None;
        let mut in_order = true;
        for i in 0..self.words.len() {
            let nearest = own.iter().enumerate().map(|(j, other)| (self.word(i, other), j)).min()?;
            sum = sum.saturating_add(nearest.0);
            if sum > self.typos {
                return None;
            }
            in_order &= before.is_none_or(|before| nearest.1 == before + 1);
            before = Some(nearest.1);
        }
        before.map(|_| (sum, if in_order { 2 } else { 3 }))
    }

    /// The whole as one text: spaces moved, lost or put in are typos like others.
    pub fn as_a_whole(&self, key: &str, bare: &str) -> Option<(u8, u8)> {
        if self.whole.letters() < 5 {
            return None;
        }
        let typos = self.whole.distance(key, true);
        if typos == FAR {
            return None;
        }
        let ends = [bare, key].iter().any(|text| self.whole.distance(text, false) <= typos);
        Some((typos, u8::from(!ends)))
    }
}
