//! All of an index, for who checks it: every word of a leaf, every posting of a word, every article.

use std::borrow::Cow;
use std::ops::Range;

use super::list::ListCursor;
use super::reader::{FullText, Term};
use super::words::{Groups, INLINE, Postings};
use crate::error::Result;
use crate::format::strings::leaf::Leaf;
use crate::tables::Tables;

/// What the records of a leaf of words take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafRecords {
    /// Their bytes in the leaf.
    pub len: usize,
    /// The bytes of the words' lists in the section of postings; empty if all are in the leaf.
    pub lists: Range<u64>,
}

impl Term {
    /// Returns where the postings lie in their section, in bytes, and what the best is worth by the word's
    /// record, in steps; `None` if they stand in the leaf.
    pub fn list(&self) -> Option<(Range<u64>, u8)> {
        match self.postings {
            Postings::List { start, len, max, .. } => {
                Some((start..start.saturating_add(u64::from(len)), max))
            }
            Postings::Inline { .. } => None,
        }
    }
}

impl FullText {
    /// Returns the number of class codes: all codes of postings are below it.
    pub fn codes(&self) -> usize {
        self.ranker().codes()
    }

    /// Returns what a posting is worth if all fields count, in the steps of a block's maximum. `article` is
    /// what [`FullText::article_bytes`] has of its article.
    pub fn steps(&self, code: u32, article: [u8; 4]) -> u8 {
        self.ranker().steps(code, article)
    }

    /// Returns the four bytes of each article, one behind the other: three lengths, and the importance.
    /// In place where the storage gives memory, else copied: 4 bytes an article.
    ///
    /// # Errors
    ///
    /// Fails if a page of them is damaged.
    pub fn article_bytes<'a>(&self, tables: &'a Tables) -> Result<Cow<'a, [u8]>> {
        tables.bytes(&self.articles, 0..self.articles.len)
    }

    /// Returns the length and the number of lists that the section row of the postings claims.
    pub fn lists(&self) -> (u64, u64) {
        (self.postings.len, self.postings.count)
    }

    /// Hands the postings of every word of a leaf to `take`, in order. Costs about 20 ns a word.
    ///
    /// # Errors
    ///
    /// Fails if a record cannot be, or does not lie behind the one before; or if so the lists.
    pub fn leaf_records(
        &self,
        number: u32,
        leaf: &Leaf<'_>,
        mut take: impl FnMut(Term),
    ) -> Result<LeafRecords> {
        let groups = Groups::parse(leaf.records(), leaf.len(), self.articles(), Self::place(number))?;
        let (len, lists) = groups.read_all(|postings| take(Term { postings }))?;
        Ok(LeafRecords { len, lists })
    }

    /// Hands all postings of a word to `visit`: ascending ordinals, as many class codes, and what the best of
    /// them is worth by their block, in steps; `None` for those in a leaf, of which that is not said. Ordinals
    /// are below [`FullText::articles`]; codes may be any. Costs about 1 ns a posting, and ends with the list.
    ///
    /// # Errors
    ///
    /// Fails if the list cannot be read, or if its blocks do not fill it.
    pub fn postings(
        &self,
        tables: &Tables,
        term: &Term,
        mut visit: impl FnMut(&[u32], &[u32], Option<u8>),
    ) -> Result<()> {
        match term.postings {
            Postings::Inline { n, ordinals, codes } => {
                let n = usize::from(n).min(INLINE);
                visit(&ordinals[..n], &codes.map(u32::from)[..n], None);
                Ok(())
            }
            Postings::List { df, start, len, max } => {
                ListCursor::new(tables, &self.postings, self.articles(), (df, start, len, max))?
                    .each_block(|ordinals, codes, best| visit(ordinals, codes, Some(best)))
            }
        }
    }
}
