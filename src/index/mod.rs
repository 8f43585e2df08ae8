//! Structures for finding, built while packing and used in place while reading.
//!
//! An index knows the tables and what a page says, and nothing of entries: it gives rows of the title
//! table and ordinals of articles, which the reader turns into entries.

mod bits;
pub mod fulltext;
pub mod titles;

use crate::error::Result;
use crate::format::first_page::SectionKind;

/// Where the sections of an index are written, one after the other.
pub trait SectionSink {
    /// Begins a section. One that a tree's pages are in begins on a page.
    ///
    /// # Errors
    ///
    /// Fails if the medium does.
    fn begin(&mut self, kind: SectionKind) -> Result<()>;
    /// Adds bytes to the section.
    ///
    /// # Errors
    ///
    /// Fails if the medium does.
    fn write(&mut self, bytes: &[u8]) -> Result<()>;
    /// Ends the section, which holds `count` things; one without bytes is forgotten.
    fn end(&mut self, count: u64);
}
