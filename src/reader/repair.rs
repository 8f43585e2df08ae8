//! Restoring a damaged reference from the archive's parity.

use super::Archive;
use crate::error::Result;
use crate::format::block::BlockRecord;
use crate::format::first_page::{Row, SectionKind};
use crate::format::hash_tree::digest;
use crate::format::ids::PAGE;
use crate::format::parity::{ParityHead, xor};

/// The most bytes of a parity section's head: ids of four million references.
const MAX_HEAD: u64 = 16 * 1024 * 1024;

/// The most pieces of a stripe: bounds the work of a repair.
const MAX_PIECES_PER_STRIPE: u64 = 128;

/// The references as one sequence of bytes, and its parity.
struct Stripes<'a> {
    archive: &'a Archive,
    row: &'a Row,
    head: ParityHead,
    /// For each reference: where it begins in the sequence, and its record.
    references: Vec<(u64, BlockRecord)>,
    len: u64,
}

impl Archive {
    /// Returns the stored bytes of a reference as they were packed, if damage to at most two
    /// neighbouring pieces of it can be undone; their hash was compared.
    pub(super) fn repair_reference(&self, id: u32, record: &BlockRecord) -> Result<Option<Vec<u8>>> {
        let Some(row) = self.first_page().row(SectionKind::PARITY) else { return Ok(None) };
        if self.lost_references.lock().is_ok_and(|lost| lost.contains(&id)) {
            return Ok(None);
        }
        let n = u64::from_le_bytes(
            self.tables.bytes(row, 0..8.min(row.len))?.as_ref().try_into().unwrap_or([0; 8]),
        ) >> 32;
        let head_len = (8 + 4 * n).next_multiple_of(PAGE as u64).min(row.len).min(MAX_HEAD);
        let head = ParityHead::read(&self.tables.bytes(row, 0..head_len)?, row.len)?;
        let Some(mine) = head.references.iter().position(|&r| r == id) else { return Ok(None) };
        let mut references = vec![];
        let mut len = 0;
        for &r in &head.references {
            let record = self.block_record(r)?;
            references.push((len, record));
            len += u64::from(record.stored_len);
        }
        let stripes = Stripes { archive: self, row, head, references, len };
        let start = stripes.references[mine].0;
        let damaged = self.tables.storage().read(record.range())?.into_owned();
        let page = PAGE as u64;
        let (first, last) = (start / page, (start + u64::from(record.stored_len) - 1) / page);
        if len.div_ceil(page) > u64::from(stripes.head.stripes) * MAX_PIECES_PER_STRIPE {
            return Ok(None);
        }
        // Each piece as the parity gives it, if everything else of its stripe is whole.
        let restored: Vec<Option<Vec<u8>>> =
            (first..=last + 1).map(|piece| stripes.restore(piece).ok().flatten()).collect();
        // Which piece is damaged nobody says: each, then each pair of neighbours, is tried.
        for pair in [1, 2] {
            for piece in first.saturating_sub(pair - 1)..=last {
                let mut candidate = damaged.clone();
                for piece in piece..piece + pair {
                    let restored = piece.checked_sub(first).and_then(|i| restored.get(i as usize)?.as_ref());
                    if let Some(bytes) = restored {
                        put_piece(&mut candidate, start, piece * page, bytes);
                    }
                }
                if digest(&candidate) == record.hash {
                    return Ok(Some(candidate));
                }
            }
        }
        // Not tried again for each block that needs it.
        if let Ok(mut lost) = self.lost_references.lock() {
            lost.insert(id);
        }
        Ok(None)
    }
}

/// Copies what a piece and a reference share.
fn put_piece(reference: &mut [u8], reference_start: u64, piece_start: u64, piece: &[u8]) {
    let start = piece_start.max(reference_start);
    let end = (piece_start + piece.len() as u64).min(reference_start + reference.len() as u64);
    if start < end {
        let from = (start - piece_start) as usize;
        let to = (start - reference_start) as usize;
        let n = (end - start) as usize;
        reference[to..to + n].copy_from_slice(&piece[from..from + n]);
    }
}

impl Stripes<'_> {
    /// Returns a piece as the parity and all other pieces of its stripe give it.
    fn restore(&self, piece: u64) -> Result<Option<Vec<u8>>> {
        let page = PAGE as u64;
        if piece * page >= self.len {
            return Ok(None);
        }
        let stripes = u64::from(self.head.stripes);
        let at = self.head.len() as u64 + piece % stripes * page;
        let mut out = self.archive.tables.bytes(self.row, at..at + page)?.into_owned();
        let mut other = piece % stripes;
        while other * page < self.len {
            if other != piece {
                self.xor_piece(other * page, &mut out)?;
            }
            other += stripes;
        }
        Ok(Some(out))
    }

    /// XORs the bytes of the sequence from `at` on into a page.
    fn xor_piece(&self, at: u64, out: &mut [u8]) -> Result<()> {
        let end = (at + out.len() as u64).min(self.len);
        let mut i = self.references.partition_point(|r| r.0 <= at).saturating_sub(1);
        let mut at = at;
        let start = at;
        while at < end {
            let (begin, record) = self.references[i];
            let stop = (begin + u64::from(record.stored_len)).min(end);
            let from = record.offset + (at - begin);
            let bytes = self.archive.tables.storage().read(from..from + (stop - at))?;
            xor(&mut out[(at - start) as usize..], &bytes);
            at = stop;
            i += 1;
        }
        Ok(())
    }
}
