//! The rows of the title table in which a word stands: ascending numbers in Rice's coding.
//!
//! The parameter follows from how many there are, so nothing but the differences is stored. A long
//! list is cut into blocks, each with its last row, where its bits end, and the best class in it: so one
//! finds whether a row is in the list, and which blocks are worth reading, without reading the rest.

use super::classes::Classes;
use crate::error::{Place, Result, damaged};
use crate::format::bytes::{put_varint, read_varint, u32_at};
use crate::format::first_page::Row;
use crate::index::bits::{BitReader, BitWriter};
use crate::tables::Tables;

/// Rows of a block. A list of up to so many has none.
pub const BLOCK: usize = 128;

/// Bytes of a block's record: last row, end of its bits, best class.
pub const BLOCK_RECORD: usize = 4 + 4 + 1;

/// Returns the bits of a difference that are stored as they are, for `n` rows out of `of`: about the
/// logarithm of 0.69 times the mean difference.
pub fn parameter(of: u32, n: u32) -> u32 {
    let mean = u64::from(of) * 69 / (u64::from(n).max(1) * 100);
    mean.checked_ilog2().unwrap_or(0)
}

/// Appends a list: ascending rows with their classes, out of `of` rows; whether the word is the first of
/// some title.
pub fn write(rows: &[(u32, u8)], first: bool, of: u32, out: &mut Vec<u8>) {
    put_varint(out, (rows.len() as u32) << 1 | u32::from(first));
    let parameter = parameter(of, rows.len() as u32);
    let mut bits = BitWriter::default();
    let mut next = 0;
    for block in rows.chunks(BLOCK) {
        for &(row, _) in block {
            bits.put_rice(row - next, parameter);
            next = row + 1;
        }
        if rows.len() > BLOCK {
            out.extend_from_slice(&(next - 1).to_le_bytes());
            out.extend_from_slice(&(bits.len() as u32).to_le_bytes());
            out.push(block.iter().map(|row| row.1).max().unwrap_or(0));
        }
    }
    out.extend_from_slice(&bits.finish());
}

/// The lists of an archive.
#[derive(Clone, Copy)]
pub struct Lists<'a> {
    /// The tables.
    pub tables: &'a Tables,
    /// The section.
    pub row: &'a Row,
    /// Rows of the title table.
    pub of: u32,
}

/// One list, not yet read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct List {
    /// How many rows it has.
    pub n: u32,
    /// True if the word is the first of some titles, which stand together and are not in the list.
    pub first: bool,
    /// Where it goes on in the section.
    at: u64,
}

/// What is said of a block.
#[derive(Debug, Clone, Copy)]
pub struct Block {
    /// The block's number.
    pub number: u32,
    /// The row before its first.
    before: Option<u32>,
    /// Its last row.
    pub last: u32,
    /// Where its bits begin and end.
    bits: (u32, u32),
    /// The best class in it.
    pub class: u8,
}

impl Lists<'_> {
    fn place(at: u64) -> Place {
        Place::Section("title word rows", at)
    }

    /// Returns the list that begins at a byte.
    ///
    /// # Errors
    ///
    /// Fails if there is none, or its page is damaged.
    pub fn list(&self, at: u64) -> Result<List> {
        let bytes = self.tables.bytes(self.row, at..at.saturating_add(5).min(self.row.len.max(at)))?;
        match read_varint(&bytes) {
            Some((head, len)) if head >> 1 <= self.of => {
                Ok(List { n: head >> 1, first: head & 1 == 1, at: at + len as u64 })
            }
            _ => damaged!(Self::place(at), "list", "its length cannot be"),
        }
    }

    /// Appends the rows of a list without blocks.
    ///
    /// # Errors
    ///
    /// Fails if its bits are not `n` ascending rows, or a page is damaged.
    pub fn short(&self, list: List, out: &mut Vec<u32>) -> Result<()> {
        let n = list.n.min(BLOCK as u32);
        let parameter = parameter(self.of, list.n);
        // What differences take at most: they are shares of all rows.
        let most = u64::from(n * (parameter + 1)) + u64::from(self.of >> parameter);
        self.decode(list.at, (0, most), n, parameter, None, out).map(drop)
    }

    /// Returns the number of blocks of a list.
    pub fn n_blocks(list: List) -> u32 {
        list.n.div_ceil(BLOCK as u32)
    }

    /// Returns what is said of a block.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be, or a page is damaged.
    pub fn block(&self, list: List, number: u32) -> Result<Block> {
        let record = BLOCK_RECORD as u64;
        let start = list.at + u64::from(number.saturating_sub(1)) * record;
        let end = list.at + (u64::from(number) + 1) * record;
        let bytes = self.tables.bytes(self.row, start..end)?;
        let (before, own) = bytes.split_at(bytes.len() - BLOCK_RECORD);
        let number_at = |bytes: &[u8], at: usize| u32_at(bytes, at).unwrap_or(0);
        let (last, end) = (number_at(own, 0), number_at(own, 4));
        let (before, start) =
            if before.is_empty() { (None, 0) } else { (Some(number_at(before, 0)), number_at(before, 4)) };
        if last >= self.of || before.is_some_and(|before| before >= last) || start >= end {
            return damaged!(Self::place(list.at), "list", "block {number} cannot be");
        }
        Ok(Block { number, before, last, bits: (start, end), class: own[8] })
    }

    /// Returns the number of the block in which a row would be; [`Lists::n_blocks`] if behind all.
    ///
    /// # Errors
    ///
    /// As [`Lists::block`].
    pub fn block_of(&self, list: List, row: u32) -> Result<u32> {
        let (mut low, mut high) = (0, Self::n_blocks(list));
        while low < high {
            let middle = low.midpoint(high);
            if self.block(list, middle)?.last < row { low = middle + 1 } else { high = middle }
        }
        Ok(low)
    }

    /// Appends the rows of a block; returns how many machine words its bits were.
    ///
    /// # Errors
    ///
    /// Fails if its bits are not so many ascending rows, or a page is damaged.
    pub fn block_rows(&self, list: List, block: Block, out: &mut Vec<u32>) -> Result<u32> {
        let bits_at = list.at + u64::from(Self::n_blocks(list)) * BLOCK_RECORD as u64;
        let n = (list.n - block.number.saturating_mul(BLOCK as u32).min(list.n)).min(BLOCK as u32);
        let parameter = parameter(self.of, list.n);
        let (start, end) = (u64::from(block.bits.0), u64::from(block.bits.1));
        let rows = block.last - block.before.unwrap_or(0);
        if end - start > u64::from(n * (parameter + 1)) + u64::from(rows >> parameter) {
            return damaged!(Self::place(list.at), "list", "block {} is too long", block.number);
        }
        let at = self.decode(bits_at, (start, end), n, parameter, block.before, out)?;
        if at != end || out.last() != Some(&block.last) {
            return damaged!(
                Self::place(list.at),
                "list",
                "block {} is not what is said of it",
                block.number
            );
        }
        Ok(((end - start) / 64) as u32)
    }

    /// Reads a whole list as strictly as can be; returns the byte behind it.
    ///
    /// # Errors
    ///
    /// Fails if anything in it is not as the format says, or a page is damaged.
    pub fn check(&self, list: List, classes: Option<&Classes<'_>>, out: &mut Vec<u32>) -> Result<u64> {
        let blocks = if list.n as usize > BLOCK { Self::n_blocks(list) } else { 0 };
        let bits_at = list.at + u64::from(blocks) * BLOCK_RECORD as u64;
        let mut end = 0;
        if blocks == 0 {
            let parameter = parameter(self.of, list.n);
            let most = u64::from(list.n * (parameter + 1)) + u64::from(self.of >> parameter);
            end = self.decode(list.at, (0, most), list.n, parameter, None, out)?;
        }
        for number in 0..blocks {
            let block = self.block(list, number)?;
            let start = out.len();
            self.block_rows(list, block, out)?;
            let best = classes.map(|classes| classes.of(&out[start..]).into_iter().max().unwrap_or(0));
            if u64::from(block.bits.0) != end || best.is_some_and(|best| best != block.class) {
                return damaged!(Self::place(list.at), "lists", "block {number} is not what is said of it");
            }
            end = u64::from(block.bits.1);
        }
        if list.n == 0 && !list.first {
            return damaged!(Self::place(list.at), "lists", "a word that is in no title");
        }
        let behind = bits_at + end.div_ceil(8);
        if !end.is_multiple_of(8)
            && let Some(&last) = self.tables.bytes(self.row, behind - 1..behind)?.first()
            && last >> (end % 8) != 0
        {
            return damaged!(Self::place(list.at), "lists", "its padding is not zero");
        }
        Ok(behind)
    }

    /// Reads `n` rows from the bits of a range, counted from a byte; returns the bit behind them.
    fn decode(
        &self,
        at: u64,
        bits: (u64, u64),
        n: u32,
        parameter: u32,
        before: Option<u32>,
        out: &mut Vec<u32>,
    ) -> Result<u64> {
        let from = at + bits.0 / 8;
        let to = (at + bits.1.div_ceil(8)).min(self.row.len);
        if from > to {
            return damaged!(Self::place(at), "list", "it leaves the section");
        }
        let bytes = self.tables.bytes(self.row, from..to)?;
        let mut reader = BitReader::at(&bytes, (bits.0 % 8) as usize);
        let mut next = before.map_or(Some(0), |before| before.checked_add(1));
        for _ in 0..n {
            let row = reader.rice(parameter).and_then(|gap| next?.checked_add(gap));
            let Some(row) = row.filter(|&row| row < self.of) else {
                return damaged!(Self::place(at), "list", "a row of it cannot be");
            };
            out.push(row);
            next = row.checked_add(1);
        }
        Ok(bits.0 / 8 * 8 + reader.position() as u64)
    }
}
