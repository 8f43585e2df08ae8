//! The words of titles: a tree of all of them, each with the list of rows where it stands.

use std::borrow::Cow;
use std::ops::Range;

use super::lists::{List, Lists};
use super::visit::{Visited, visit};
use super::words;
use crate::error::{Place, Result, damaged};
use crate::format::bytes::{Column, Cursor};
use crate::format::first_page::SectionKind;
use crate::format::strings::build::Records;
use crate::format::strings::leaf::Leaf;
use crate::format::strings::symbols::Symbols;
use crate::format::strings::tree::Tree;
use crate::tables::{Tables, TreePages};

/// Collects the records of a leaf of words: one column, where each word's list begins.
#[derive(Default)]
pub struct WordRecords {
    offsets: Vec<u64>,
}

impl WordRecords {
    fn column(&self, last: Option<u64>) -> Column {
        let first = self.offsets.first().copied().or(last).unwrap_or(0);
        // Lists are in the order of the words.
        let last = last.or(self.offsets.last().copied()).unwrap_or(first);
        Column::spanning(first.min(last), last.max(first))
    }

    /// Returns the length of the records of `n` rows.
    ///
    /// # Errors
    ///
    /// Fails if they are shorter than their descriptor.
    pub fn len(bytes: &[u8], n: usize, place: Place) -> Result<usize> {
        Ok(Column::DESCRIPTOR + Column::parse(&mut Cursor::new(bytes, place))?.packed_len(n))
    }

    /// Returns where a row's list begins, from the records of `n` rows.
    ///
    /// # Errors
    ///
    /// Fails if the records do not hold it.
    pub fn get(bytes: &[u8], n: usize, slot: usize, place: Place) -> Result<u64> {
        let mut cursor = Cursor::new(bytes, place);
        let column = Column::parse(&mut cursor)?;
        match column.get(cursor.take(column.packed_len(n))?, slot) {
            Some(offset) => Ok(offset),
            None => damaged!(place, "record", "row {slot} of {n} is out of range"),
        }
    }
}

impl Records for WordRecords {
    type Record = u64;

    fn len_with(&self, record: &u64) -> usize {
        Column::DESCRIPTOR + self.column(Some(*record)).packed_len(self.offsets.len() + 1)
    }

    fn push(&mut self, record: u64) {
        self.offsets.push(record);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let column = self.column(None);
        column.put(out);
        column.pack(self.offsets.drain(..), out);
    }
}

/// The words of an archive's titles.
pub struct Dictionary<'a> {
    /// The words.
    pub tree: Tree<'a, TreePages<'a>>,
    /// Their lists.
    pub lists: Lists<'a>,
}

/// A word and its list.
pub struct Word<'v> {
    /// The word.
    pub word: &'v str,
    /// Where it stands.
    pub list: List,
}

impl<'a> Dictionary<'a> {
    /// Returns the dictionary of an archive with `n` rows of titles; `None` if it has none.
    pub fn find(tables: &'a Tables, n: u32, root: &'a [u8], symbols: &'a Symbols) -> Option<Self> {
        let row = tables.first().row(SectionKind::TITLE_WORD_ROWS)?;
        tables.first().row(SectionKind::TITLE_WORDS)?;
        let pages = TreePages::new(tables, SectionKind::TITLE_WORD_NODES, SectionKind::TITLE_WORDS);
        let tree = Tree { root: Cow::Borrowed(root), pages, symbols };
        Some(Self { tree, lists: Lists { tables, row, of: n } })
    }

    fn list(&self, leaf: &Leaf<'_>, slot: usize) -> Result<List> {
        let place = Place::Section("title words", 0);
        self.lists.list(WordRecords::get(leaf.records(), leaf.len(), slot, place)?)
    }

    /// Returns the list of a word; `None` if no title has it.
    ///
    /// # Errors
    ///
    /// Fails if a page on the way is damaged.
    pub fn get(&self, word: &str) -> Result<Option<List>> {
        match self.tree.seek(word.as_bytes())? {
            Some(hit) if hit.sought.equal => {
                let leaf = self.tree.view(hit.leaf, &hit.page)?;
                self.list(&leaf, hit.sought.slot).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Returns the ranks of the words that begin with `prefix`.
    ///
    /// # Errors
    ///
    /// Fails if a page on the way is damaged.
    pub fn range(&self, prefix: &str) -> Result<Range<u32>> {
        let Some((start, _)) = self.tree.rank_of(prefix.as_bytes())? else { return Ok(0..0) };
        let behind = self.tree.rank_of(&[prefix.as_bytes(), &[0xff]].concat())?;
        let end = match behind {
            Some((rank, _)) => rank,
            None => super::rows_of(&self.tree)?,
        };
        Ok(start..end.max(start))
    }

    /// Returns true if some word begins with `prefix`.
    ///
    /// # Errors
    ///
    /// Fails if a page on the way is damaged.
    pub fn has_prefix(&self, prefix: &str) -> Result<bool> {
        Ok(!self.range(prefix)?.is_empty())
    }

    /// Reads words by their ranks, which must ascend, until `see` returns false.
    ///
    /// # Errors
    ///
    /// Fails if a page was damaged; other words were seen nevertheless.
    pub fn visit(
        &self,
        ranks: impl IntoIterator<Item = u32>,
        mut see: impl FnMut(Word<'_>) -> Result<bool>,
    ) -> Result<()> {
        visit(&self.tree, ranks, |Visited { key, leaf, slot, .. }| {
            see(Word { word: words::text(key), list: self.list(leaf, slot)? })
        })
    }
}
