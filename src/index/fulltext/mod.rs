//! Full text: which articles have which words, and which of them are best.
//!
//! Documents are *ordinals* of articles, words are byte strings in whatever form the caller gives them:
//! nothing here splits, folds or stems. Building ([`Inverter`]) takes documents as they come, spills sorted
//! runs and merges them. Reading ([`FullText`]) finds words in a tree of strings and their postings in
//! lists, in place, and ranks articles in integers ([`rank`]): for each posting the index holds a *code* for
//! the classes of the word's frequencies in title, headings and body, and for each article three lengths and
//! its importance. Words that mean one thing form a [`Group`], which counts as if it were one word.
//!
//! FORMAT.md, section 11, says what the bytes mean.

mod blocks;
mod build;
mod check;
mod intern;
mod list;
mod packing;
mod parameters;
pub mod rank;
mod reader;
mod runs;
mod stream;
mod top;
mod words;
mod work;

pub use build::{Inverter, MAX_WORD};
pub use check::LeafRecords;
pub use parameters::Parameters;
pub use rank::{FieldMask, weight};
pub use reader::{FullText, Term, Terms};
pub use top::{Group, Hit, Query, Role, Top};
pub use work::{Work, cost};

#[cfg(test)]
mod crafted_tests;
#[cfg(test)]
mod damage_tests;
/// What a pair of words begins with, so that no walk over words meets one: nothing that is part of a word
/// is so small.
pub const PAIR: u8 = 2;

/// Returns the key under which two words that follow each other are filed.
pub fn pair_key(first: &[u8], second: &[u8]) -> Vec<u8> {
    [&[PAIR], first, b" ", second].concat()
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
