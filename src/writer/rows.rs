//! What the packer remembers of each entry until the tables are built.

use serde::{Deserialize, Serialize};

use crate::item::Kind;

/// One entry, sorted by its path, which is not repeated here.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EntryRow {
    /// [`crate::format::entry::Class`]'s number of the kind.
    pub kind: u8,
    /// Flags of the class.
    pub flags: u8,
    /// The mime type's number; 0 for redirects.
    pub mime: u32,
    /// The number of the language; 0 for none.
    pub language: u32,
    /// A title of its own.
    pub title: Option<String>,
    /// What it holds.
    pub body: RowBody,
    /// For an article, how many came before it: its number in the index.
    pub article: Option<u32>,
    /// Where it came from.
    pub origin: String,
}

/// What an entry holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum RowBody {
    /// Bytes: the blob's number, their length, their BLAKE3-256.
    Blob(u32, u64, [u8; 32]),
    /// The target's path and the place in it.
    Redirect(String, Option<String>),
}

impl EntryRow {
    /// Returns the kind.
    pub fn kind(&self) -> Kind {
        match self.kind {
            0 => Kind::Article,
            1 => Kind::Media,
            _ => Kind::Redirect,
        }
    }
}

/// Numbers for words that repeat: mime types, languages.
#[derive(Default)]
pub struct Interned {
    words: Vec<String>,
    numbers: std::collections::HashMap<String, u32>,
}

impl Interned {
    /// Returns the number of a word.
    pub fn number(&mut self, word: &str) -> u32 {
        if let Some(&n) = self.numbers.get(word) {
            return n;
        }
        let n = self.words.len() as u32;
        self.words.push(word.to_string());
        self.numbers.insert(word.to_string(), n);
        n
    }

    /// Returns the word of a number.
    pub fn word(&self, number: u32) -> &str {
        self.words.get(number as usize).map_or("", String::as_str)
    }
}

/// A sample of strings that never grows beyond a bound, taken evenly however many there are.
pub struct Sample {
    strings: Vec<(u64, Vec<u8>)>,
    len: usize,
    mask: u64,
    seen: u64,
}

impl Sample {
    const MAX: usize = 192 * 1024;

    /// Returns an empty sample.
    pub fn new() -> Self {
        Self { strings: vec![], len: 0, mask: 0, seen: 0 }
    }

    /// Offers a string.
    pub fn offer(&mut self, string: &[u8]) {
        // A fixed mix of the count, so that no period of the input decides what is taken.
        let ticket = self.seen.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        self.seen += 1;
        if string.is_empty() || ticket & self.mask != 0 {
            return;
        }
        self.len += string.len();
        self.strings.push((ticket, string.to_vec()));
        while self.len > Self::MAX {
            self.mask = self.mask << 1 | 1;
            let mask = self.mask;
            self.strings.retain(|s| s.0 & mask == 0);
            self.len = self.strings.iter().map(|s| s.1.len()).sum();
        }
    }

    /// Iterates over the strings taken.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.strings.iter().map(|s| &s.1[..])
    }
}
