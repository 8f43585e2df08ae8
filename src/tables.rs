//! From a storage and its hash tree to the checked bytes of a section.
//!
//! Whatever reads tables reads them through here, so that no look-up answers from a page whose hash
//! was not compared. A page that fails is taken from its copy if the archive has one.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Place, Result, damaged};
use crate::format::first_page::{FirstPage, Row, SectionKind};
use crate::format::hash_tree::{DIGEST, Digest, PER_PAGE, Shape, digest};
use crate::format::ids::PAGE;
use crate::format::strings::tree::Pages;
use crate::storage::Storage;

/// One bit for each of many things, set by any thread.
pub struct Bits(Vec<AtomicU64>);

impl Bits {
    /// Returns `n` bits, none set. The memory is touched only where bits are set.
    pub fn new(n: u64) -> Self {
        Self((0..n.div_ceil(64)).map(|_| AtomicU64::new(0)).collect())
    }

    /// Returns a bit.
    pub fn get(&self, i: u64) -> bool {
        self.0[(i / 64) as usize].load(Ordering::Relaxed) >> (i % 64) & 1 == 1
    }

    /// Sets a bit.
    pub fn set(&self, i: u64) {
        self.0[(i / 64) as usize].fetch_or(1 << (i % 64), Ordering::Relaxed);
    }
}

/// The tables of an archive.
pub struct Tables {
    storage: Box<dyn Storage>,
    first: FirstPage,
    file_id: [u8; 32],
    shape: Shape,
    /// Pages that were compared with their hashes, in a storage that gives the same memory again.
    checked: Bits,
    /// The same for pages of the tree's first copy.
    tree_checked: Bits,
    first_page_damage: Option<Error>,
}

impl Tables {
    /// Reads the first page, or its copy at the end if the first is damaged. Costs one page.
    ///
    /// # Errors
    ///
    /// Fails if neither is whole, if the file is no archive, or if this version cannot read it.
    pub fn open(storage: Box<dyn Storage>) -> Result<Self> {
        let len = storage.len();
        let page = PAGE as u64;
        let first = storage.read(0..page.min(len))?;
        let (first, file_id, first_page_damage) = match FirstPage::parse_with_id(&first, len) {
            Ok((parsed, id)) => (parsed, id, None),
            Err(error @ Error::Unsupported { .. }) => return Err(error),
            Err(error) => {
                // The copy decides whether this is a damaged archive or none at all.
                let copy = storage.read(len.saturating_sub(page)..len)?;
                match FirstPage::parse_with_id(&copy, len) {
                    Ok((parsed, id)) => (parsed, id, Some(error)),
                    Err(_) => return Err(error),
                }
            }
        };
        let shape = first.shape();
        let (checked, tree_checked) = (Bits::new(first.table_pages), Bits::new(shape.pages()));
        Ok(Self { storage, first, file_id, shape, checked, tree_checked, first_page_damage })
    }

    /// Returns the first page.
    pub fn first(&self) -> &FirstPage {
        &self.first
    }

    /// Returns the identity of the archive.
    pub fn file_id(&self) -> [u8; 32] {
        self.file_id
    }

    /// Returns where the bytes come from.
    pub fn storage(&self) -> &dyn Storage {
        &*self.storage
    }

    /// Returns what was wrong with the first page, if its copy stood in for it.
    pub fn first_page_damage(&self) -> Option<&Error> {
        self.first_page_damage.as_ref()
    }

    fn tables_range(&self, pages: Range<u64>) -> Range<u64> {
        let start = self.first.tables_offset;
        start + pages.start * PAGE as u64..start + pages.end * PAGE as u64
    }

    /// Returns the digest that a table page must have.
    ///
    /// # Errors
    ///
    /// Fails if the page of the tree that holds it is damaged in both copies.
    pub fn expected(&self, page: u64) -> Result<Digest> {
        self.digest_of(0, page)
    }

    fn digest_of(&self, level: usize, i: u64) -> Result<Digest> {
        if level == self.shape.levels() {
            return match self.first.top.get(i as usize) {
                Some(d) => Ok(*d),
                None => damaged!(Place::Page(i), "page number", "there are {} pages", self.first.table_pages),
            };
        }
        let page = self.tree_page(level, i / PER_PAGE)?;
        let at = (i % PER_PAGE) as usize * DIGEST;
        let mut out = [0; DIGEST];
        out.copy_from_slice(&page[at..at + DIGEST]);
        Ok(out)
    }

    /// Returns a page of a level of the tree, from whichever copy is whole.
    fn tree_page(&self, level: usize, number: u64) -> Result<Cow<'_, [u8]>> {
        let at = self.shape.page_of(level, number * PER_PAGE);
        let page = PAGE as u64;
        let start = self.first.tree_offset() + at * page;
        let first = self.storage.read(start..start + page)?;
        if self.storage.is_stable() && self.tree_checked.get(at) {
            return Ok(first);
        }
        let expected = self.digest_of(level + 1, number)?;
        if digest(&first) == expected {
            self.tree_checked.set(at);
            return Ok(first);
        }
        let start = start + self.shape.copy_at() * page;
        let second = self.storage.read(start..start + page)?;
        if digest(&second) == expected {
            return Ok(second);
        }
        damaged!(Place::Tree(level as u8, number), "tree hash", "both copies differ from their hash")
    }

    /// Compares one page of the tree's copies with its hash: what is wrong with each.
    pub(crate) fn check_tree_page(&self, level: usize, number: u64, copy: u64) -> Result<bool> {
        let at = self.shape.page_of(level, number * PER_PAGE) + copy * self.shape.copy_at();
        let start = self.first.tree_offset() + at * PAGE as u64;
        let page = self.storage.read(start..start + PAGE as u64)?;
        Ok(digest(&page) == self.digest_of(level + 1, number)?)
    }

    /// Returns the shape of the tree.
    pub(crate) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Returns true if a page's own bytes match their hash; its copy does not count.
    ///
    /// # Errors
    ///
    /// Fails if the page cannot be read, or the tree does not say what it should be.
    pub fn page_is_whole(&self, page: u64) -> Result<bool> {
        if self.storage.is_stable() && self.checked.get(page) {
            return Ok(true);
        }
        let expected = self.expected(page)?;
        let whole = digest(&self.storage.read(self.tables_range(page..page + 1))?) == expected;
        if whole {
            self.checked.set(page);
        }
        Ok(whole)
    }

    /// Returns a page of the tables, checked; the copy's if its own bytes are damaged.
    ///
    /// Costs 1 us when a page is first touched, then the test of a bit.
    ///
    /// # Errors
    ///
    /// Fails if neither matches its hash.
    pub fn page(&self, page: u64) -> Result<Cow<'_, [u8]>> {
        if page >= self.first.table_pages {
            return damaged!(Place::Page(page), "page number", "there are {} pages", self.first.table_pages);
        }
        let bytes = self.storage.read(self.tables_range(page..page + 1))?;
        if self.storage.is_stable() && self.checked.get(page) {
            return Ok(bytes);
        }
        let expected = self.expected(page);
        if expected.as_ref().is_ok_and(|e| *e == digest(&bytes)) {
            self.checked.set(page);
            return Ok(bytes);
        }
        for row in self.first.rows.iter().filter(|r| r.copy != 0) {
            let pages = row.pages();
            if pages.contains(&page) {
                let copy = u64::from(row.copy) + page - pages.start;
                let bytes = self.storage.read(self.tables_range(copy..copy + 1))?;
                if self.expected(copy).is_ok_and(|e| e == digest(&bytes)) {
                    return Ok(bytes);
                }
            }
        }
        expected?;
        damaged!(Place::Page(page), "page hash", "the page differs from its hash{}", self.inside(page))
    }

    fn inside(&self, page: u64) -> String {
        let names: Vec<&str> =
            self.first.rows.iter().filter(|r| r.pages().contains(&page)).map(|r| r.kind.name()).collect();
        if names.is_empty() { String::new() } else { format!(" (in {})", names.join(", ")) }
    }

    /// Returns a range of bytes of a section, checked.
    ///
    /// # Errors
    ///
    /// Fails if the range leaves the section or a page of it is damaged.
    pub fn bytes(&self, row: &Row, range: Range<u64>) -> Result<Cow<'_, [u8]>> {
        let place = Place::Section(row.kind.name(), range.start);
        if range.start > range.end || range.end > row.len {
            return damaged!(place, "section range", "to byte {} of {}", range.end, row.len);
        }
        let (start, end) = (row.offset + range.start, row.offset + range.end);
        if start == end {
            return Ok(Cow::Borrowed(&[]));
        }
        let page = PAGE as u64;
        let (first, last) = (start / page, (end - 1) / page);
        if first == last {
            let within = (start % page) as usize..((end - 1) % page) as usize + 1;
            return Ok(match self.page(first)? {
                Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[within]),
                Cow::Owned(bytes) => Cow::Owned(bytes[within].to_vec()),
            });
        }
        let mut whole = self.storage.is_stable();
        for p in first..=last {
            whole = whole && self.page_is_whole(p).unwrap_or(false);
        }
        if whole {
            let at = self.first.tables_offset;
            return self.storage.read(at + start..at + end);
        }
        // Grows with what was checked: a sparse file claims more than there is.
        let mut out = Vec::new();
        for p in first..=last {
            let bytes = self.page(p)?;
            let from = if p == first { (start % page) as usize } else { 0 };
            let to = if p == last { ((end - 1) % page) as usize + 1 } else { PAGE };
            out.extend_from_slice(&bytes[from..to]);
        }
        Ok(Cow::Owned(out))
    }

    /// Returns the bytes of a whole section, which may be absent; `limit` bounds its length.
    ///
    /// # Errors
    ///
    /// Fails if a page of it is damaged or it is longer than the limit.
    pub fn section(&self, kind: SectionKind, limit: usize) -> Result<Cow<'_, [u8]>> {
        match self.first.row(kind) {
            None => Ok(Cow::Borrowed(&[])),
            Some(row) if row.len > limit as u64 => {
                damaged!(
                    Place::Section(kind.name(), 0),
                    "section length",
                    "{} bytes, more than {limit}",
                    row.len
                )
            }
            Some(row) => self.bytes(row, 0..row.len),
        }
    }

    /// Returns page `number` of a section that is made of pages.
    ///
    /// # Errors
    ///
    /// Fails if the section has no such page or it is damaged.
    pub fn section_page(&self, row: &Row, number: u32) -> Result<Cow<'_, [u8]>> {
        let pages = row.pages();
        let page = pages.start + u64::from(number);
        if page >= pages.end || !(row.offset | row.len).is_multiple_of(PAGE as u64) {
            let place = Place::Section(row.kind.name(), u64::from(number) * PAGE as u64);
            return damaged!(place, "page number", "the section has {} bytes at {}", row.len, row.offset);
        }
        self.page(page)
    }
}

/// The pages of a tree of strings: sections of nodes and of leaves.
pub struct TreePages<'a> {
    tables: &'a Tables,
    nodes: SectionKind,
    leaves: SectionKind,
}

impl<'a> TreePages<'a> {
    /// Names the sections of a tree.
    pub fn new(tables: &'a Tables, nodes: SectionKind, leaves: SectionKind) -> Self {
        Self { tables, nodes, leaves }
    }

    fn get(&self, kind: SectionKind, page: u32) -> Result<Cow<'a, [u8]>> {
        match self.tables.first().row(kind) {
            Some(row) => self.tables.section_page(row, page),
            None => damaged!(Place::Section(kind.name(), 0), "section", "it is missing"),
        }
    }
}

impl<'a> Pages<'a> for TreePages<'a> {
    fn node(&self, page: u32) -> Result<Cow<'a, [u8]>> {
        self.get(self.nodes, page)
    }

    fn leaf(&self, page: u32) -> Result<Cow<'a, [u8]>> {
        self.get(self.leaves, page)
    }

    fn leaves(&self) -> u32 {
        let len = self.tables.first().row(self.leaves).map_or(0, |row| row.len);
        u32::try_from(len / PAGE as u64).unwrap_or(u32::MAX)
    }

    fn name(&self) -> &'static str {
        self.leaves.name()
    }
}
