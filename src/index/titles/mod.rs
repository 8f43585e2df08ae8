//! Titles as a person types them: exact, by their beginning, by words within, with typos.
//!
//! Beside the title table (a tree of keys in order) an archive has a class for each of its rows
//! ([`classes`]), the words of all titles ([`words`], [`dictionary`]) and where they stand ([`lists`]).
//! A query ([`Query`]) is worked off in stages, each only if those before left room ([`Search`]): the
//! title itself, titles that begin so, titles with all the words in any order, and only where there is
//! nothing of the kind, titles a typo or two away. One automaton ([`automaton`]) finds near words and
//! near titles alike, by walking a tree ([`walk`]). A [`Meter`] bounds all of it.

pub mod automaton;
pub mod classes;
pub mod dictionary;
pub mod letters;
pub mod lists;
pub mod meter;
mod near;
mod repair;
mod search;
mod typos;
pub mod visit;
pub mod walk;
pub mod words;

#[cfg(test)]
mod tests;

use std::ops::Range;

pub use meter::Meter;
pub use near::Query;
pub use search::{Found, Search, Take};

use crate::error::{Error, FormatError, Result};
use crate::format::first_page::SectionKind;
use crate::format::ids::PAGE;
use crate::format::strings::symbols::Symbols;
use crate::format::strings::tree::{Pages, Tree};
use crate::tables::{Tables, TreePages};
use classes::Classes;
use dictionary::Dictionary;

/// How a title matches what was typed, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Match {
    /// It is the title.
    Exact,
    /// The title begins so.
    Prefix,
    /// The title has these words, the last of them perhaps not typed to its end.
    Word,
    /// The title is like it but for a typo or two.
    Typo,
}

/// What suggestions need beside pages, read once.
pub struct Parts {
    /// Rows of the title table.
    n: u32,
    /// What nearly all keys end with.
    ending: String,
    words: Option<(Symbols, Vec<u8>)>,
    /// The first damage met.
    damage: Option<FormatError>,
}

impl Parts {
    /// Reads the parts. What is damaged is left out: suggestions are poorer without it.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read.
    pub fn read(tables: &Tables, keys: &Tree<'_, TreePages<'_>>) -> Result<Self> {
        let small = 2 * PAGE;
        let section = |kind| tables.section(kind, small);
        let mut damage = None;
        let suffix = readable(section(SectionKind::TITLE_SUFFIX), &mut damage)?.unwrap_or_default();
        let symbols = readable(
            section(SectionKind::TITLE_WORD_SYMBOLS)
                .and_then(|bytes| Symbols::parse(&bytes, "title word symbols")),
            &mut damage,
        )?;
        let root = readable(section(SectionKind::TITLE_WORD_ROOT), &mut damage)?;
        let n = match readable(rows_of(keys), &mut damage)? {
            Some(n) => n,
            // The last leaf is damaged; the section's row says as much.
            None => tables.first().row(SectionKind::TITLES).map_or(0, |row| row.count as u32),
        };
        let ending = words::ending(std::str::from_utf8(&suffix).unwrap_or_default());
        Ok(Self { n, ending, words: symbols.zip(root.map(std::borrow::Cow::into_owned)), damage })
    }

    /// Returns the number of rows of the title table.
    pub fn rows(&self) -> u32 {
        self.n
    }

    /// Returns what nearly all keys end with.
    pub fn ending(&self) -> &str {
        &self.ending
    }

    /// Returns the first damage that was met and passed over.
    pub fn damage(&self) -> Option<&FormatError> {
        self.damage.as_ref()
    }

    /// Returns the words of the titles, if the archive has them.
    pub fn dictionary<'a>(&'a self, tables: &'a Tables) -> Option<Dictionary<'a>> {
        let (symbols, root) = self.words.as_ref()?;
        Dictionary::find(tables, self.n, root, symbols)
    }
}

/// The titles of an archive.
pub struct Titles<'a> {
    /// The title table.
    pub keys: Tree<'a, TreePages<'a>>,
    /// Its rows.
    n: u32,
    /// What nearly all keys end with, and nobody types.
    pub ending: &'a str,
    classes: Option<Classes<'a>>,
    words: Option<Dictionary<'a>>,
}

impl<'a> Titles<'a> {
    /// Puts the parts together.
    pub fn new(tables: &'a Tables, keys: Tree<'a, TreePages<'a>>, parts: &'a Parts) -> Self {
        Self {
            keys,
            n: parts.n,
            ending: &parts.ending,
            classes: Classes::find(tables, parts.n),
            words: parts.dictionary(tables),
        }
    }

    /// Returns the first row whose key is not less than `key`; where its leaf is damaged, the first row
    /// of the leaf or the one behind its last, so that the leaf is within a range.
    fn bound(&self, key: &[u8], is_end: bool) -> Result<(u32, bool)> {
        match self.keys.rank_of(key) {
            Ok(Some((rank, equal))) => Ok((rank.min(self.n), equal)),
            Ok(None) => Ok((self.n, false)),
            Err(error) if error.is_damage() => {
                let Some(leaf) = self.keys.leaf_for(key)? else { return Err(error) };
                let leaf = leaf + u32::from(is_end);
                let known = leaf < self.keys.pages.leaves();
                Ok((if known { self.keys.rank_of_leaf(leaf)?.min(self.n) } else { self.n }, false))
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the rows whose keys begin with a text.
    fn beginning(&self, text: &str) -> Result<Range<u32>> {
        let start = self.bound(text.as_bytes(), false)?.0;
        let end = self.bound(&[text.as_bytes(), &[0xff]].concat(), true)?.0;
        Ok(start..end.max(start))
    }

    /// Returns the class of a row; that of the least important where it cannot be read.
    fn class(&self, row: u32) -> u8 {
        self.classes.as_ref().map_or(0, |classes| classes.class(row).unwrap_or(0))
    }
}

/// Returns the number of rows of a tree, as its last leaf has it.
fn rows_of<'a, P: Pages<'a>>(tree: &Tree<'a, P>) -> Result<u32> {
    let Some(last) = tree.pages.leaves().checked_sub(1) else { return Ok(0) };
    let page = tree.pages.leaf(last)?;
    let leaf = tree.view(last, &page)?;
    Ok(leaf.first_rank().saturating_add(leaf.len() as u32))
}

/// Returns `None` for what is damaged, and keeps the damage; other errors stay.
fn readable<T>(result: Result<T>, damage: &mut Option<FormatError>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::Format(error)) => {
            damage.get_or_insert(error);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
