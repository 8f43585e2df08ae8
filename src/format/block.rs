//! Block records: 151 to a page, each page beginning with the place of its first block.
//!
//! Blocks lie in the file without gaps, so a record holds lengths and its place is a sum.

use super::bytes::{Cursor, u64_at};
use super::hash_tree::{DIGEST, Digest};
use super::ids::{NONE, PAGE};
use crate::error::{Place, Result, damaged};
use crate::limits;

/// Bytes of a record: stored length (3), raw length (3), codec (1), reference (4), hash (16).
pub const RECORD: usize = 3 + 3 + 1 + 4 + DIGEST;

/// Bytes of a page's head: the file offset of its first block (8), zeros (11).
pub const PAGE_HEAD: usize = 19;

/// Records in a page.
pub const PER_PAGE: u32 = ((PAGE - PAGE_HEAD) / RECORD) as u32;

/// How a block's stored bytes give its raw bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// They are the same.
    Stored,
    /// One zstd frame; the block's reference, if it names one, is the raw content dictionary.
    Zstd,
}

/// What a block is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It holds entries' bytes.
    Content,
    /// Other blocks name it as their dictionary.
    Reference,
    /// Zeros that bring what follows to a page's start.
    Padding,
}

/// One block's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockRecord {
    /// The first byte in the file.
    pub offset: u64,
    /// Bytes in the file.
    pub stored_len: u32,
    /// Bytes once decoded.
    pub raw_len: u32,
    /// How they are coded.
    pub coding: Coding,
    /// What they are for.
    pub role: Role,
    /// The block that holds the reference.
    pub reference: Option<u32>,
    /// The digest of the stored bytes.
    pub hash: Digest,
}

impl BlockRecord {
    /// Returns the range of the stored bytes in the file.
    pub fn range(&self) -> std::ops::Range<u64> {
        self.offset..self.offset + u64::from(self.stored_len)
    }
}

/// Collects records and writes pages.
#[derive(Default)]
pub struct BlockTable {
    bytes: Vec<u8>,
    n: u32,
}

impl BlockTable {
    /// Returns the number of records.
    pub fn len(&self) -> u32 {
        self.n
    }

    /// Returns true if there are none.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// Adds the record of the block that begins at `record.offset`, where the one before ended.
    pub fn push(&mut self, record: &BlockRecord) {
        if self.n.is_multiple_of(PER_PAGE) {
            self.bytes.resize(self.bytes.len().next_multiple_of(PAGE), 0);
            self.bytes.extend_from_slice(&record.offset.to_le_bytes());
            self.bytes.extend_from_slice(&[0; PAGE_HEAD - 8]);
        }
        self.bytes.extend_from_slice(&record.stored_len.to_le_bytes()[..3]);
        self.bytes.extend_from_slice(&record.raw_len.to_le_bytes()[..3]);
        let coding = match record.coding {
            Coding::Stored => 0,
            Coding::Zstd => 1,
        };
        let role = match record.role {
            Role::Content => 0,
            Role::Reference => 1,
            Role::Padding => 2,
        };
        self.bytes.push(role << 4 | coding);
        self.bytes.extend_from_slice(&record.reference.unwrap_or(NONE).to_le_bytes());
        self.bytes.extend_from_slice(&record.hash);
        self.n += 1;
    }

    /// Returns the pages.
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.resize(self.bytes.len().next_multiple_of(PAGE), 0);
        self.bytes
    }
}

fn u24(bytes: &[u8]) -> u32 {
    u32::from(bytes[0]) | u32::from(bytes[1]) << 8 | u32::from(bytes[2]) << 16
}

/// Returns the record of block `id` from the page that holds it; `blocks_end` is where blocks end
/// in the file.
///
/// # Errors
///
/// Fails if the block leaves the blocks' part of the file, is larger than the ceilings, or has a
/// codec or reference that cannot be.
pub fn read(page: &[u8], id: u32, n_blocks: u32, blocks_end: u64) -> Result<BlockRecord> {
    let place = Place::Block(id);
    if id >= n_blocks || page.len() != PAGE {
        return damaged!(place, "block id", "there are {n_blocks} blocks");
    }
    let slot = (id % PER_PAGE) as usize;
    let records = &page[PAGE_HEAD..];
    // Sums at most 150 lengths of 24 bits: cannot overflow.
    let before: u64 = records.chunks_exact(RECORD).take(slot).map(|r| u64::from(u24(r))).sum();
    let Some(offset) = u64_at(page, 0).and_then(|base| base.checked_add(before)) else {
        return damaged!(place, "block offset", "it overflows");
    };
    let mut c = Cursor::new(&records[slot * RECORD..], place);
    let stored_len = u24(c.take(3)?);
    let raw_len = u24(c.take(3)?);
    let codec = c.u8()?;
    let reference = c.u32()?;
    let mut hash = [0; DIGEST];
    hash.copy_from_slice(c.take(DIGEST)?);
    let end = offset.checked_add(u64::from(stored_len));
    if offset < PAGE as u64 || end.is_none_or(|end| end > blocks_end) {
        return damaged!(place, "block offset", "{stored_len} bytes at {offset} leave the blocks");
    }
    let (coding, role) = match codec {
        0x00 => (Coding::Stored, Role::Content),
        0x01 => (Coding::Zstd, Role::Content),
        0x10 => (Coding::Stored, Role::Reference),
        0x11 => (Coding::Zstd, Role::Reference),
        0x20 => (Coding::Stored, Role::Padding),
        _ => return damaged!(place, "block codec", "{codec:#04x} is unknown"),
    };
    let ceiling = if role == Role::Reference { limits::MAX_REFERENCE_RAW } else { limits::MAX_BLOCK_RAW };
    if raw_len as usize > ceiling {
        return damaged!(place, "block length", "{raw_len} bytes, more than {ceiling}");
    }
    if coding == Coding::Stored && stored_len != raw_len {
        return damaged!(
            place,
            "block length",
            "stored as it is, but {stored_len} bytes stand for {raw_len}"
        );
    }
    if raw_len == 0 || stored_len == 0 {
        return damaged!(place, "block length", "it is empty");
    }
    let reference = (reference != NONE).then_some(reference);
    if let Some(r) = reference
        && (r >= n_blocks || role != Role::Content || coding != Coding::Zstd)
    {
        return damaged!(
            place,
            "block reference",
            "block {r} as the reference of a block of codec {codec:#04x}"
        );
    }
    Ok(BlockRecord { offset, stored_len, raw_len, coding, role, reference, hash })
}
