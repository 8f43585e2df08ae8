//! Sections behind each other, in pages with their digests.

use crate::error::Result;
use crate::format::first_page::{Row, SectionKind};
use crate::format::hash_tree::{Digest, digest};
use crate::format::ids::PAGE;
use crate::index::SectionSink;
use crate::output::Output;

/// Writes sections behind each other and remembers what the first page says of them.
pub struct Tables<'o> {
    /// Where they go.
    pub output: &'o mut Output,
    /// Where the first begins in the file.
    pub start: u64,
    /// The digests of the pages so far.
    pub digests: Vec<Digest>,
    page: Vec<u8>,
    /// The sections so far.
    pub rows: Vec<Row>,
}

impl<'o> Tables<'o> {
    /// Begins where the output stands.
    pub fn new(output: &'o mut Output) -> Self {
        let start = output.position();
        Self { output, start, digests: vec![], page: Vec::with_capacity(PAGE), rows: vec![] }
    }

    /// Returns the position from the start of the tables.
    pub fn position(&self) -> u64 {
        (self.digests.len() * PAGE + self.page.len()) as u64
    }

    /// Adds bytes.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let n = bytes.len().min(PAGE - self.page.len());
            self.page.extend_from_slice(&bytes[..n]);
            bytes = &bytes[n..];
            if self.page.len() == PAGE {
                self.digests.push(digest(&self.page));
                self.output.write(&self.page)?;
                self.page.clear();
            }
        }
        Ok(())
    }

    /// Fills the page with zeros.
    pub fn align(&mut self) -> Result<()> {
        if self.page.is_empty() {
            return Ok(());
        }
        let zeros = vec![0; PAGE - self.page.len()];
        self.write(&zeros)
    }

    /// Begins a section.
    pub fn begin(&mut self, kind: SectionKind, flags: u16) {
        self.rows.push(Row { kind, flags, copy: 0, offset: self.position(), len: 0, count: 0 });
    }

    /// Ends the section, which holds `count` things.
    pub fn end(&mut self, count: u64) {
        let at = self.position();
        if let Some(row) = self.rows.last_mut() {
            row.len = at - row.offset;
            row.count = count;
        }
    }

    /// Writes a whole section, if it is not empty.
    pub fn section(&mut self, kind: SectionKind, flags: u16, bytes: &[u8], count: u64) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.begin(kind, flags);
        self.write(bytes)?;
        self.end(count);
        Ok(())
    }
}

impl SectionSink for Tables<'_> {
    fn begin(&mut self, kind: SectionKind) -> Result<()> {
        if matches!(
            kind,
            SectionKind::WORD_NODES
                | SectionKind::WORDS
                | SectionKind::TITLE_WORD_NODES
                | SectionKind::TITLE_WORDS
        ) {
            self.align()?;
        }
        Tables::begin(self, kind, Row::OPTIONAL);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Tables::write(self, bytes)
    }

    fn end(&mut self, count: u64) {
        Tables::end(self, count);
        self.rows.pop_if(|row| row.len == 0);
    }
}
