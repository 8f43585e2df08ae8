//! The words of a text, and the keys under which an index files them: version 1, frozen.
//!
//! A word is a run of letters, numbers and marks; an apostrophe between two letters is part of it.
//! Its key is the word folded as titles are ([`crate::fold`]), and behind that a *tail* if folding
//! took marks from Latin letters: a stemmer may need them, and a reader of spellings wants them
//! back. Scripts that are written without spaces give overlapping pairs of characters instead, so
//! that no index depends on a dictionary of their words. FORMAT.md has the rule.

mod classes;
mod tails;

use std::ops::Range;

use classes::Class;
use tails::KeyMaker;
pub use tails::{folded, written};

use crate::fold::title_key_into;

/// The version of the rule by which texts are cut into words and words become keys.
pub const WORDS_VERSION: u8 = 1;

/// The byte between a folded word and its tail.
pub const TAIL: u8 = 1;

/// The most bytes of a folded word; the rest of a longer one is cut off, and its tail left out.
pub const MAX_FOLDED: usize = 64;

/// The most bytes of a tail.
pub const MAX_TAIL: usize = 64;

/// The most bytes of a key.
pub const MAX_KEY: usize = MAX_FOLDED + 1 + MAX_TAIL;

/// How many code points of a word its key is made from.
const MAX_READ: usize = 256;

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word<'w> {
    /// Where it stands in the text, in bytes.
    pub range: Range<usize>,
    /// Its key, of 1 to [`MAX_KEY`] bytes.
    pub key: &'w [u8],
    /// For characters of a script that gives pairs, how they are put together.
    pub grams: Option<Grams>,
}

/// One or two characters of a script that gives pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grams {
    /// True if the first character is the second one of the pair before.
    pub goes_on: bool,
    /// Where the second character begins in the text; the end if there is none.
    pub second: usize,
    /// Where the second character's key begins in the key; its end if there is none.
    pub second_key: usize,
}

/// The words of a text in order.
///
/// Keys are made in one buffer, so this is no `Iterator`: `while let Some(word) = words.next()`.
/// Takes time linear in the text's length and constant memory.
#[derive(Debug)]
pub struct Words<'t> {
    text: &'t str,
    at: usize,
    key: Vec<u8>,
    maker: KeyMaker,
    folded: String,
    /// The last character of the run of grams that `at` is in.
    gram: Option<Gram>,
}

/// A character of a script that gives pairs, with its marks.
#[derive(Debug)]
struct Gram {
    start: usize,
    /// Where its key begins in the buffer, which ends with it.
    key_start: usize,
}

/// What an ASCII byte is to words: 0 apart, 1 beyond ASCII, 2 an apostrophe, else the folded letter.
static ASCII: [u8; 256] = ascii();

const APART: u8 = 0;
const BEYOND: u8 = 1;
const APOSTROPHE: u8 = 2;

const fn ascii() -> [u8; 256] {
    let mut table = [APART; 256];
    let mut byte = 0;
    while byte < 256 {
        let value = byte as u8;
        if value.is_ascii_alphanumeric() {
            table[byte] = value.to_ascii_lowercase();
        } else if !value.is_ascii() {
            table[byte] = BEYOND;
        }
        byte += 1;
    }
    table[b'\'' as usize] = APOSTROPHE;
    table
}

fn kind(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).map_or(APART, |&byte| ASCII[usize::from(byte)])
}

impl<'t> Words<'t> {
    /// Starts at the beginning of a text.
    pub fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            key: Vec::with_capacity(MAX_KEY),
            maker: KeyMaker::default(),
            folded: String::new(),
            gram: None,
        }
    }

    /// Starts with another text, keeping the buffers.
    pub fn restart<'u>(self, text: &'u str) -> Words<'u> {
        Words { text, at: 0, key: self.key, maker: self.maker, folded: self.folded, gram: None }
    }

    /// Returns the next word.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Option<Word<'_>> {
        if let Some(first) = self.gram.take()
            && self.class_at(self.at) == Class::Gram
        {
            self.key.drain(..first.key_start);
            return Some(self.pair(&first, true));
        }
        let bytes = self.text.as_bytes();
        loop {
            match kind(bytes, self.at) {
                APART | APOSTROPHE if self.at >= bytes.len() => return None,
                APART | APOSTROPHE => self.at += 1,
                BEYOND => match self.class_at(self.at) {
                    Class::Letter => return Some(self.word(self.at, self.at)),
                    Class::Gram => return Some(self.first_grams()),
                    _ => self.at += self.char_at(self.at).map_or(1, char::len_utf8),
                },
                _ => return Some(self.ascii_word()),
            }
        }
    }

    fn char_at(&self, at: usize) -> Option<char> {
        self.text.get(at..)?.chars().next()
    }

    fn class_at(&self, at: usize) -> Class {
        self.char_at(at).map_or(Class::Apart, Class::of)
    }

    /// Returns the word that begins here with an ASCII letter.
    fn ascii_word(&mut self) -> Word<'_> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut at = start;
        self.key.clear();
        loop {
            match kind(bytes, at) {
                APART => break,
                BEYOND => match self.class_at(at) {
                    Class::Apart | Class::Gram => break,
                    _ => return self.word(start, at),
                },
                APOSTROPHE => match kind(bytes, at + 1) {
                    APART | APOSTROPHE => break,
                    BEYOND => return self.word(start, at),
                    _ => self.key.push(b'\''),
                },
                letter => self.key.push(letter),
            }
            at += 1;
            if self.key.len() >= MAX_FOLDED {
                return self.word(start, at);
            }
        }
        self.at = at;
        Word { range: start..at, key: &self.key, grams: None }
    }

    /// Returns the word that begins at `start` and is known up to `at`.
    fn word(&mut self, start: usize, mut at: usize) -> Word<'_> {
        while let Some(c) = self.char_at(at) {
            match Class::of(c) {
                Class::Letter | Class::Mark => {}
                Class::Apostrophe if self.class_at(at + c.len_utf8()) == Class::Letter => {}
                _ => break,
            }
            at += c.len_utf8();
        }
        self.at = at;
        self.maker.key_into(&self.text[start..at], &mut self.key);
        Word { range: start..at, key: &self.key, grams: None }
    }

    /// Adds the key of the character that begins here to the buffer, and passes over it.
    fn take_gram(&mut self) -> Gram {
        let start = self.at;
        let gram = Gram { start, key_start: self.key.len() };
        let rest = &self.text[start..];
        let Some(first) = rest.chars().next() else { return gram };
        let marks = &rest[first.len_utf8()..];
        let marks_len = marks.find(|c| Class::of(c) != Class::Mark).unwrap_or(marks.len());
        self.at += first.len_utf8() + marks_len;
        if marks_len == 0 && is_its_own_key(first) {
            self.key.extend_from_slice(first.encode_utf8(&mut [0; 4]).as_bytes());
            return gram;
        }
        let unit = &self.text[start..self.at];
        let unit = unit.char_indices().nth(MAX_READ).map_or(unit, |(end, _)| &unit[..end]);
        title_key_into(unit, &mut self.folded);
        let folded = self.folded.as_bytes();
        let most = folded.len().min(MAX_FOLDED / 2);
        let end = (0..=most).rev().find(|&end| self.folded.is_char_boundary(end)).unwrap_or(0);
        self.key.extend_from_slice(&folded[..end]);
        gram
    }

    /// Returns the first one or two characters of a run.
    fn first_grams(&mut self) -> Word<'_> {
        self.key.clear();
        let first = self.take_gram();
        if self.class_at(self.at) == Class::Gram {
            return self.pair(&first, false);
        }
        let grams = Grams { goes_on: false, second: self.at, second_key: self.key.len() };
        Word { range: first.start..self.at, key: &self.key, grams: Some(grams) }
    }

    /// Returns the last character of a run, whose key is all that is in the buffer, and the next one.
    fn pair(&mut self, first: &Gram, goes_on: bool) -> Word<'_> {
        let second = self.take_gram();
        let grams = Grams { goes_on, second: second.start, second_key: second.key_start };
        self.gram = Some(second);
        Word { range: first.start..self.at, key: &self.key, grams: Some(grams) }
    }
}

/// True for the characters of grams that nothing happens to: most of them.
fn is_its_own_key(c: char) -> bool {
    matches!(c,
        '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{3041}'..='\u{3096}'
        | '\u{30a1}'..='\u{30fa}'
        | '\u{30fc}'
        | '\u{e01}'..='\u{e30}'
        | '\u{e40}'..='\u{e45}')
}

#[cfg(test)]
mod tests;
