//! What is remembered of each entry until the dirents are written.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::clusters::Place;
use crate::item::{Kind, unescape_bytes};

/// One entry, sorted by the bytes of its path, which are not repeated here.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EntryRow {
    /// True for an article, or a redirect with a title of its own: people find them by it, a redirect only
    /// if it leads to an article.
    pub front: bool,
    /// True if the path as we write it stands for other bytes.
    pub escaped: bool,
    /// The title's bytes; empty where they are the path's.
    pub title: Vec<u8>,
    /// What it holds.
    pub body: RowBody,
    /// Where it came from, for messages.
    pub origin: String,
}

/// What an entry holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum RowBody {
    /// Bytes: where they lie, their mime type's number, the first half of their BLAKE3-256.
    Content(Place, u32, [u8; 16]),
    /// A redirect: the target's path as we write it, and the place in it.
    Redirect(String, Option<String>),
}

impl EntryRow {
    /// Returns the kind.
    pub fn kind(&self) -> Kind {
        match (&self.body, self.front) {
            (RowBody::Redirect(..), _) => Kind::Redirect,
            (RowBody::Content(..), true) => Kind::Article,
            (RowBody::Content(..), false) => Kind::Media,
        }
    }

    /// Returns true for a redirect into the middle of a page, which ZIM can only say with a page.
    pub fn is_page(&self) -> bool {
        matches!(&self.body, RowBody::Redirect(_, Some(_)))
    }
}

/// Returns the bytes that a text stands for if it is escaped, else its own.
pub fn raw(text: &str, escaped: bool) -> Vec<u8> {
    let unescaped = if escaped { unescape_bytes(text) } else { None };
    unescaped.unwrap_or_else(|| text.as_bytes().to_vec())
}

/// Returns the bytes for which a path may stand that another entry names: its own, and those that it
/// escapes, if it can be read so. `true` goes with the latter.
pub fn candidates(path: &str) -> Vec<(Vec<u8>, bool)> {
    let plain = (path.as_bytes().to_vec(), false);
    let escaped = unescape_bytes(path).filter(|bytes| *bytes != plain.0);
    std::iter::once(plain).chain(escaped.map(|bytes| (bytes, true))).collect()
}

/// Mime types by numbers in the order in which they came.
#[derive(Default)]
pub struct Mimes {
    words: Vec<String>,
    numbers: HashMap<String, u32>,
}

/// Numbers from 0xFFFD on are kinds of entries; a few are left for what is added at the end.
const MAX_MIMES: usize = 65_000;

impl Mimes {
    /// Returns the number of a mime type, or `None` if there are too many.
    pub fn number(&mut self, mime: &str) -> Option<u32> {
        if let Some(&n) = self.numbers.get(mime) {
            return Some(n);
        }
        if self.words.len() >= MAX_MIMES {
            return None;
        }
        let n = self.words.len() as u32;
        self.words.push(mime.to_string());
        self.numbers.insert(mime.to_string(), n);
        Some(n)
    }

    /// Returns the mime type of a number.
    pub fn word(&self, number: u32) -> &str {
        self.words.get(number as usize).map_or("", String::as_str)
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.words.len()
    }
}
