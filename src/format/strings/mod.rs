//! A sorted table of strings with a record each, used in place: a static B+-tree of 4 KiB pages.
//!
//! Rows lie in *leaves*, in byte order of their keys. A key is stored as what it shares with the row
//! before and, in [`symbols`], what is new; every sixteenth row is a *restart* that shares nothing
//! with the row before, so that a leaf is searched by halves. A row may carry *extra* bytes, and the
//! end of the page holds the rows' records, whose meaning is not this module's. *Nodes* above the
//! leaves hold, for each child, the shortest separator, the rank of its first row, and how many
//! counted rows come before it: the same pages lead from a key, a rank or an ordinal to its row.
//! Paths, titles and (later) words use it.

pub mod build;
pub mod leaf;
pub mod node;
pub mod symbols;
pub mod tree;

#[cfg(test)]
mod tests;

/// Rows from one restart to the next. 32 saves 0.2 bytes a row and costs a third more time.
pub const RESTART: usize = 16;

/// The most bytes of a key that a leaf holds; what is longer goes on elsewhere. Bounds a row so that
/// a page always has room for it, even if all its bytes are escaped.
pub const KEY_INLINE: usize = 512;
