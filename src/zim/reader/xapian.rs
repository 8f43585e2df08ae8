//! The search indexes that a ZIM may bring along, which only Xapian reads: whether they are there.

use super::Archive;
use crate::error::Result;
use crate::zim::namespace::INDEX;

/// Which indexes of Xapian a ZIM has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Xapian {
    /// One of titles.
    pub titles: bool,
    /// One of the articles' words.
    pub full_text: bool,
}

/// The namespace of the index of words before it had one in common with other indexes.
pub(super) const OLD_INDEX: u8 = b'Z';

/// Where the indexes are, and that of all words in old files.
pub(super) const TITLES: &[u8] = b"title/xapian";
pub(super) const FULL_TEXT: &[u8] = b"fulltext/xapian";
pub(super) const OLD_FULL_TEXT: &[u8] = b"/fulltextIndex/xapian";

impl Archive {
    /// Returns which indexes of Xapian there are. They are of no use here.
    ///
    /// # Errors
    ///
    /// Fails if a dirent on the way is damaged.
    pub fn xapian(&self) -> Result<Xapian> {
        let is_there = |namespace, path: &[u8]| self.find(namespace, path).map(|found| found.is_some());
        Ok(Xapian {
            titles: is_there(INDEX, TITLES)?,
            full_text: is_there(INDEX, FULL_TEXT)? || is_there(OLD_INDEX, OLD_FULL_TEXT)?,
        })
    }
}
