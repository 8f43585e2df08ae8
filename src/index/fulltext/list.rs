//! A list of postings: of a word that stands in more articles than a leaf has room for.
//!
//! Blocks of 128, and before them, where there are several, a head with fixed-width entries that say for
//! each block its last ordinal, where it ends, and what its best posting is worth: a search skips blocks
//! that it does not need without touching them.

use std::borrow::Cow;

use super::blocks::{put_codes, put_ordinals, read_codes, read_ordinals};
use super::packing::BLOCK;
use super::work::{Work, cost};
use crate::error::{Place, Result, damaged};
use crate::format::first_page::Row;
use crate::tables::Tables;

/// Writes a list; `worth` gives what a posting is worth in steps. Returns that of the best.
pub fn write(postings: &[(u32, u8)], worth: impl Fn(u32, u8) -> u8, out: &mut Vec<u8>) -> u8 {
    let (mut blocks, mut entries) = (vec![], vec![]);
    let (mut base, mut ordinals, mut codes) = (0, Vec::with_capacity(BLOCK), Vec::with_capacity(BLOCK));
    for block in postings.chunks(BLOCK) {
        ordinals.clear();
        codes.clear();
        ordinals.extend(block.iter().map(|posting| posting.0));
        codes.extend(block.iter().map(|posting| posting.1));
        put_ordinals(&ordinals, base, postings.len() > BLOCK, &mut blocks);
        put_codes(&codes, &mut blocks);
        let best = block.iter().map(|&(ordinal, code)| worth(ordinal, code)).max().unwrap_or(0);
        let last = ordinals.last().copied().unwrap_or(base);
        entries.push((last, blocks.len() as u32, best));
        base = last.wrapping_add(1);
    }
    if postings.len() > BLOCK {
        let bytes = |number: u32| (4 - number.leading_zeros() as usize / 8).max(1);
        let (last, end, _) = entries.last().copied().unwrap_or_default();
        let (last_width, end_width) = (bytes(last), bytes(end));
        out.push((last_width | end_width << 4) as u8);
        for &(last, end, best) in &entries {
            out.extend_from_slice(&last.to_le_bytes()[..last_width]);
            out.extend_from_slice(&end.to_le_bytes()[..end_width]);
            out.push(best);
        }
    }
    out.extend_from_slice(&blocks);
    entries.iter().map(|entry| entry.2).max().unwrap_or(0)
}

/// Reads a list forwards.
pub struct ListCursor<'a> {
    tables: &'a Tables,
    row: &'a Row,
    articles: u32,
    df: usize,
    n_blocks: usize,
    /// The best posting of all.
    max: u8,
    /// Entries of the head, and the widths of their numbers.
    head: Cow<'a, [u8]>,
    last_width: usize,
    end_width: usize,
    /// Where the blocks begin and end in the section.
    blocks: std::ops::Range<u64>,
    /// The block that is looked at.
    block: usize,
    loaded: Option<Loaded<'a>>,
    ordinals: [u32; BLOCK],
    codes: [u32; BLOCK],
}

/// The block that is decoded.
struct Loaded<'a> {
    block: usize,
    bytes: Cow<'a, [u8]>,
    n: usize,
    /// Where the codes begin.
    codes_at: usize,
    /// Where they end, once they are decoded.
    codes_end: usize,
    has_codes: bool,
    /// The next posting.
    at: usize,
}

impl<'a> ListCursor<'a> {
    /// Starts before the first posting. Reads the head of the list.
    ///
    /// # Errors
    ///
    /// Fails if the list cannot be where it is said to be.
    pub fn new(
        tables: &'a Tables,
        row: &'a Row,
        articles: u32,
        (df, start, len, max): (u32, u64, u32, u8),
    ) -> Result<Self> {
        let df = df as usize;
        let n_blocks = df.div_ceil(BLOCK);
        let place = Place::Section(row.kind.name(), start);
        let Some(end) = start.checked_add(u64::from(len)).filter(|&end| end <= row.len) else {
            return damaged!(place, "list", "{len} bytes leave the section");
        };
        let (mut head, mut last_width, mut end_width) = (Cow::Borrowed(&[][..]), 0, 0);
        let mut blocks = start..end;
        if n_blocks > 1 {
            let widths = tables.bytes(row, start..end.min(start + 1))?.first().copied().unwrap_or(0);
            (last_width, end_width) = (usize::from(widths & 15), usize::from(widths >> 4));
            let head_len = n_blocks as u64 * (last_width + end_width + 1) as u64;
            let known = |width| (1..=4).contains(&width);
            blocks.start += 1 + head_len;
            if !known(last_width) || !known(end_width) || blocks.start > end {
                return damaged!(place, "list", "a head of {head_len} bytes in {len}");
            }
            head = tables.bytes(row, start + 1..blocks.start)?;
        }
        Ok(Self {
            tables,
            row,
            articles,
            df,
            n_blocks,
            max,
            head,
            last_width,
            end_width,
            blocks,
            block: 0,
            loaded: None,
            ordinals: [0; BLOCK],
            codes: [0; BLOCK],
        })
    }

    #[cold]
    fn bad<T>(&self, detail: &str) -> Result<T> {
        damaged!(Place::Section(self.row.kind.name(), self.blocks.start), "list", "{detail}")
    }

    /// Returns what the best posting of all is worth, in steps.
    pub fn max(&self) -> u8 {
        self.max
    }

    /// Returns the number of postings.
    pub fn df(&self) -> usize {
        self.df
    }

    #[inline]
    fn number(&self, at: usize, width: usize) -> u32 {
        // The head's length was checked against the number of blocks.
        match self.head.get(at..).and_then(|rest| rest.first_chunk()) {
            Some(four) => u32::from_le_bytes(*four) & (u32::MAX >> (32 - 8 * width)),
            None => {
                let rest = self.head.get(at..at + width).unwrap_or(&[]);
                rest.iter().rev().fold(0, |number, &byte| number << 8 | u32::from(byte))
            }
        }
    }

    fn entry(&self, block: usize) -> usize {
        block * (self.last_width + self.end_width + 1)
    }

    /// Returns the last ordinal of a block of several.
    fn last(&self, block: usize) -> u32 {
        self.number(self.entry(block), self.last_width)
    }

    /// Moves on to the block that may hold an ordinal; false behind the last.
    fn find(&mut self, ordinal: u32, work: &mut Work) -> Result<bool> {
        if self.n_blocks == 1 {
            if self.loaded.is_none() {
                self.load(work)?;
            }
            return Ok(self.ordinals[self.df - 1] >= ordinal);
        }
        if self.block >= self.n_blocks {
            return Ok(false);
        }
        if self.last(self.block) >= ordinal {
            return Ok(true);
        }
        // In growing steps, then by halves.
        let (mut low, mut step) = (self.block + 1, 1);
        let mut high = low;
        while high < self.n_blocks && self.last(high) < ordinal {
            low = high + 1;
            high = high.saturating_add(step);
            step *= 2;
        }
        high = high.min(self.n_blocks);
        while low < high {
            let middle = low.midpoint(high);
            if self.last(middle) < ordinal {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        work.spend(cost::STEP);
        self.block = low;
        Ok(low < self.n_blocks)
    }

    /// Decodes the ordinals of the block that is looked at.
    fn load(&mut self, work: &mut Work) -> Result<()> {
        if self.loaded.as_ref().is_some_and(|loaded| loaded.block == self.block) {
            return Ok(());
        }
        let (mut base, mut last, mut n) = (0, None, self.df);
        let mut range = self.blocks.clone();
        if self.n_blocks > 1 {
            let end = |block| u64::from(self.number(self.entry(block) + self.last_width, self.end_width));
            if self.block > 0 {
                range.start += end(self.block - 1);
                base = match self.last(self.block - 1).checked_add(1) {
                    Some(base) => base,
                    None => return self.bad("a block behind the last ordinal"),
                };
            }
            range.end = self.blocks.start + end(self.block);
            last = Some(self.last(self.block));
            n = (self.df - self.block * BLOCK).min(BLOCK);
        }
        if range.start > range.end || range.end > self.blocks.end {
            return self.bad("a block ends before it begins, or behind the list");
        }
        let bytes = self.tables.bytes(self.row, range)?;
        let Some(codes_at) = read_ordinals(&bytes, n, base, last, &mut self.ordinals) else {
            return self.bad("a block's ordinals cannot be");
        };
        if self.ordinals[n - 1] >= self.articles {
            return self.bad("an ordinal without an article");
        }
        work.spend(cost::BLOCK);
        self.loaded =
            Some(Loaded { block: self.block, bytes, n, codes_at, codes_end: 0, has_codes: false, at: 0 });
        Ok(())
    }

    /// Returns a bound below which no posting of `ordinal` or behind it lies; `None` if there is none.
    pub fn lower(&mut self, ordinal: u32, work: &mut Work) -> Result<Option<u32>> {
        if !self.find(ordinal, work)? {
            return Ok(None);
        }
        if self.loaded.as_ref().is_some_and(|loaded| loaded.block == self.block) {
            let at = self.seek(ordinal);
            return Ok(Some(self.ordinals[at]));
        }
        Ok(Some(match self.block {
            0 => ordinal,
            block => ordinal.max(self.last(block - 1).saturating_add(1)),
        }))
    }

    /// Returns the last ordinal of the block that may hold `ordinal`, and what its best posting is worth in
    /// steps; `None` behind the last.
    pub fn window(&mut self, ordinal: u32, work: &mut Work) -> Result<Option<(u32, u8)>> {
        if !self.find(ordinal, work)? {
            return Ok(None);
        }
        if self.n_blocks == 1 {
            return Ok(Some((self.ordinals[self.df - 1], self.max)));
        }
        let at = self.entry(self.block) + self.last_width + self.end_width;
        Ok(Some((self.last(self.block), self.head.get(at).copied().unwrap_or(u8::MAX))))
    }

    /// Moves on in the block that is decoded, which has a posting not below `ordinal`, to the first such.
    #[inline]
    fn seek(&mut self, ordinal: u32) -> usize {
        let Some(loaded) = &mut self.loaded else { return 0 };
        let rest = &self.ordinals[loaded.at..loaded.n];
        // Mostly the very next.
        if rest.first().is_some_and(|&first| first < ordinal) {
            loaded.at += rest.partition_point(|&other| other < ordinal);
        }
        loaded.at.min(loaded.n - 1)
    }

    fn load_codes(&mut self, work: &mut Work) -> Result<()> {
        if let Some(loaded) = &mut self.loaded
            && !loaded.has_codes
        {
            loaded.has_codes = true;
            work.spend(cost::BLOCK);
            let bytes = loaded.bytes.get(loaded.codes_at..).unwrap_or(&[]);
            match read_codes(bytes, loaded.n, &mut self.codes) {
                Some(used) => loaded.codes_end = loaded.codes_at + used,
                None => return self.bad("a block's codes cannot be"),
            }
        }
        Ok(())
    }

    /// Returns the code of an article, if the word is in it. Articles are asked for in order.
    #[inline]
    pub fn code(&mut self, ordinal: u32, work: &mut Work) -> Result<Option<u32>> {
        if !self.find(ordinal, work)? {
            return Ok(None);
        }
        self.load(work)?;
        let at = self.seek(ordinal);
        if self.ordinals[at] != ordinal {
            return Ok(None);
        }
        self.load_codes(work)?;
        Ok(Some(self.codes[at]))
    }

    /// Returns ordinals and codes from `start` to `end`, which lie in one block.
    pub fn within(&mut self, start: u32, end: u32, work: &mut Work) -> Result<(&[u32], &[u32])> {
        if !self.find(start, work)? {
            return Ok((&[], &[]));
        }
        self.load(work)?;
        let from = self.seek(start);
        let n = self.loaded.as_ref().map_or(0, |loaded| loaded.n);
        let to = from + self.ordinals[from..n].partition_point(|&ordinal| ordinal <= end);
        if from < to {
            self.load_codes(work)?;
        }
        Ok((&self.ordinals[from..to], &self.codes[from..to]))
    }

    /// Reads the whole list, whatever was read before; hands each block's ordinals and codes to `visit`,
    /// and what the list says that its best posting is worth, in steps. Costs about 1 ns a posting.
    ///
    /// # Errors
    ///
    /// Fails if a block cannot be read, does not end where the next one begins, or the last not with the
    /// list: what a search would not notice, too.
    pub fn each_block(&mut self, mut visit: impl FnMut(&[u32], &[u32], u8)) -> Result<()> {
        let mut work = Work::unlimited();
        let mut read = self.blocks.start;
        for block in 0..self.n_blocks {
            self.block = block;
            self.load(&mut work)?;
            self.load_codes(&mut work)?;
            let Some(loaded) = &self.loaded else { continue };
            if loaded.codes_end != loaded.bytes.len() {
                return self.bad("a block's codes end before the block");
            }
            read += loaded.bytes.len() as u64;
            let n = loaded.n;
            let best = match self.n_blocks {
                1 => self.max,
                _ => self.number(self.entry(block) + self.last_width + self.end_width, 1) as u8,
            };
            visit(&self.ordinals[..n], &self.codes[..n], best);
        }
        if read != self.blocks.end {
            return self.bad("its last block ends before the list");
        }
        Ok(())
    }
}
