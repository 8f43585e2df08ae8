//! Blocks, and what the entries say of them.

use std::collections::HashMap;

use rayon::prelude::*;

use super::{Finding, Run, Severity, Use};
use crate::error::Result;
use crate::format::block::{BlockRecord, Role};
use crate::format::entry::BlobPlace;
use crate::format::first_page::SectionKind;
use crate::format::identity::{Identity, IdentityBody};
use crate::format::ids::{EntryId, PAGE};
use crate::format::parity::{Parity, ParityHead};
use crate::reader::EntryBody;

/// Blocks that are checked together by one thread, in order: mostly of one reference.
const CHUNK: usize = 32;

/// Hashes of blobs by their places.
type Hashes = HashMap<(u32, u32, u64), [u8; 32]>;

fn key(place: BlobPlace) -> (u32, u32, u64) {
    (place.block, place.offset, place.len)
}

/// What a chunk of blocks gave.
#[derive(Default)]
struct Checked {
    bytes: u64,
    /// Damaged blocks, each with what is wrong and whether it is only worth a note.
    bad: Vec<(u32, Finding)>,
    hashes: Vec<((u32, u32, u64), [u8; 32])>,
}

impl Run<'_> {
    /// Checks every block and every blob; returns how many bytes were decoded.
    pub(super) fn blocks(&self, mut uses: Vec<Use>, tables_whole: bool) -> Result<u64> {
        uses.sort_unstable_by_key(|u| (key(u.place), u.entry));
        let records = self.records();
        self.layout(&records);
        // Blobs inside one block are hashed with it; longer ones run over several.
        let raw_len = |block: u32| {
            records.get(block as usize).and_then(Option::as_ref).map_or(0, |r| u64::from(r.raw_len))
        };
        let is_short = |u: &Use| u64::from(u.place.offset) + u.place.len <= raw_len(u.place.block);
        let chunks: Vec<Checked> = records
            .par_chunks(CHUNK)
            .enumerate()
            .map(|(i, chunk)| self.chunk((i * CHUNK) as u32, chunk, &uses, &is_short))
            .collect();
        self.stop()?;
        let mut hashes: Hashes = HashMap::new();
        let mut bad: Vec<(u32, Finding)> = vec![];
        let mut bytes = 0;
        for chunk in chunks {
            hashes.extend(chunk.hashes);
            bad.extend(chunk.bad);
            bytes += chunk.bytes;
        }
        let mut whole = bad.is_empty() && tables_whole;
        self.report_blocks(bad, &records, &uses);
        // The runs of long blobs.
        for u in uses.iter().filter(|u| !is_short(u)) {
            self.stop()?;
            let checked = if self.options.quick {
                self.run_fits(u.place, &records).map(|()| None)
            } else {
                self.hash_run(u)
            };
            match checked {
                Ok(Some(hash)) => {
                    hashes.insert(key(u.place), hash);
                }
                Ok(None) => {}
                Err(error) => {
                    whole = false;
                    // A damaged block of the run has its own finding.
                    if self.run_fits(u.place, &records).is_err() {
                        let mut finding = Finding::of(&error);
                        self.damages(&mut finding, std::iter::once(u.entry));
                        self.report(finding);
                    }
                }
            }
        }
        if whole {
            self.parity(&records);
            if !self.options.quick {
                self.content_id(&hashes);
            }
        }
        Ok(bytes)
    }

    fn records(&self) -> Vec<Option<BlockRecord>> {
        let mut failed = 0u32;
        let mut read = |id| match self.archive.block_record(id) {
            Ok(record) => Some(record),
            Err(error) => {
                failed += 1;
                // One lost page would repeat itself 151 times.
                if failed <= 3 {
                    self.report(Finding::of(&error));
                }
                None
            }
        };
        (0..self.archive.first_page().n_blocks).map(&mut read).collect()
    }

    /// Blocks begin behind the first page, follow each other without gaps, and end at the tables.
    fn layout(&self, records: &[Option<BlockRecord>]) {
        let first = self.archive.first_page();
        let mut at = Some(PAGE as u64);
        for (id, record) in records.iter().enumerate() {
            if let (Some(at), Some(record)) = (at, record)
                && record.offset != at
            {
                let message =
                    format!("block {id} begins at byte {}, the one before ends at {at}", record.offset);
                self.broken("block layout", "blocks", message);
            }
            at = record.as_ref().map(|r| r.range().end);
        }
        if at.is_some_and(|at| at != first.tables_offset) {
            let message = format!("they do not end at {}, where the tables begin", first.tables_offset);
            self.broken("block layout", "blocks", message);
        }
    }

    fn chunk(
        &self,
        first: u32,
        chunk: &[Option<BlockRecord>],
        uses: &[Use],
        is_short: &dyn Fn(&Use) -> bool,
    ) -> Checked {
        let mut out = Checked::default();
        if self.observer.is_cancelled() {
            return out;
        }
        for (i, record) in chunk.iter().enumerate() {
            let (id, Some(record)) = (first + i as u32, record) else { continue };
            if self.options.quick {
                if let Err(error) = self.archive.check_stored(id, record) {
                    out.bad.push((id, Finding::of(&error)));
                }
                continue;
            }
            let raw = match self.archive.raw_uncached(id, record) {
                Ok(raw) => raw,
                Err(error) => {
                    out.bad.push((id, Finding::of(&error)));
                    continue;
                }
            };
            out.bytes += raw.len() as u64;
            if record.role == Role::Padding && raw.iter().any(|&b| b != 0) {
                out.bad.push((
                    id,
                    Finding::new("padding", Severity::Error, format!("block {id} is padding but not zero")),
                ));
            }
            let mine =
                uses.partition_point(|u| u.place.block < id)..uses.partition_point(|u| u.place.block <= id);
            let mut last = None;
            for u in uses[mine].iter().filter(|u| is_short(u)) {
                if last == Some(u.place) {
                    continue;
                }
                last = Some(u.place);
                let start = u.place.offset as usize;
                let bytes = &raw[start..start + u.place.len as usize];
                out.hashes.push((key(u.place), *blake3::hash(bytes).as_bytes()));
            }
            // What is left of a stored block's pages is of no more use.
            self.observer.advance(0, raw.len() as u64);
        }
        out
    }

    /// Reports damaged blocks with the entries that they take along.
    fn report_blocks(&self, bad: Vec<(u32, Finding)>, records: &[Option<BlockRecord>], uses: &[Use]) {
        // A block that fails only because its reference does belongs to the reference's finding.
        let failed: HashMap<u32, ()> = bad.iter().map(|b| (b.0, ())).collect();
        let reference = |id: u32| records.get(id as usize).copied().flatten().and_then(|r| r.reference);
        let lost = |id: u32| {
            failed.contains_key(&id)
                || self.options.quick && reference(id).is_some_and(|r| failed.contains_key(&r))
        };
        let mut ends: Vec<u64> = vec![];
        let mut sum = 0;
        for r in records {
            sum += r.as_ref().map_or(0, |r| u64::from(r.raw_len));
            ends.push(sum);
        }
        let last_block = |place: BlobPlace| {
            let start = place.block.checked_sub(1).map_or(0, |b| ends.get(b as usize).copied().unwrap_or(0));
            let end = start.saturating_add(u64::from(place.offset)).saturating_add(place.len);
            ends.partition_point(|&e| e < end) as u32
        };
        for (id, mut finding) in bad {
            let is_reference = records[id as usize].is_some_and(|r| r.role == Role::Reference);
            if !is_reference
                && reference(id).is_some_and(|r| failed.contains_key(&r))
                && finding.block != Some(id)
            {
                continue;
            }
            finding.block = Some(id);
            let affected = |u: &&Use| {
                let blocks = u.place.block..=last_block(u.place).max(u.place.block);
                if is_reference {
                    blocks.into_iter().any(|b| reference(b) == Some(id) && lost(b))
                } else {
                    blocks.contains(&id)
                }
            };
            let mut ids: Vec<u32> = uses.iter().filter(affected).map(|u| u.entry).collect();
            ids.sort_unstable();
            if is_reference && ids.is_empty() && !self.options.quick {
                finding.message += "; the archive's parity restores it";
            }
            self.damages(&mut finding, ids.into_iter());
            self.report(finding);
        }
    }

    /// Checks that a run of blocks holds as many bytes as a blob says.
    fn run_fits(&self, place: BlobPlace, records: &[Option<BlockRecord>]) -> Result<()> {
        let mut have = 0u64;
        let wanted = u64::from(place.offset) + place.len;
        for record in records.iter().skip(place.block as usize) {
            if have >= wanted {
                return Ok(());
            }
            let Some(record) = record.filter(|r| r.role == Role::Content) else { break };
            have += u64::from(record.raw_len);
        }
        if have >= wanted {
            return Ok(());
        }
        let detail = format!("{} bytes at byte {} leave the blocks", place.len, place.offset);
        Err(crate::error::FormatError::new(crate::error::Place::Block(place.block), "blob", detail).into())
    }

    fn hash_run(&self, u: &Use) -> Result<Option<[u8; 32]>> {
        let Some(entry) = self.archive.entry_by_id(EntryId(u.entry))? else { return Ok(None) };
        let mut hasher = blake3::Hasher::new();
        self.archive.copy_content(&entry, &mut hasher)?;
        Ok(Some(*hasher.finalize().as_bytes()))
    }

    /// Computes the parity again and compares.
    fn parity(&self, records: &[Option<BlockRecord>]) {
        let archive = self.archive;
        let Some(row) = archive.first_page().row(SectionKind::PARITY) else { return };
        let references = || {
            records
                .iter()
                .enumerate()
                .filter_map(|(i, r)| Some((i as u32, r.filter(|r| r.role == Role::Reference)?)))
        };
        let check = || -> Result<bool> {
            let section = archive.tables.bytes(row, 0..row.len)?;
            let wanted: Vec<u32> = references().map(|r| r.0).collect();
            let head_len = (8 + 4 * wanted.len()).next_multiple_of(PAGE).min(section.len());
            let head = ParityHead::read(&section[..head_len], row.len)?;
            let mut parity = Parity::new(head.stripes);
            for (_, record) in references() {
                parity.add(&archive.tables.storage().read(record.range())?);
            }
            Ok(head.references == wanted && parity.finish() == section[head_len..])
        };
        if let Some(false) = self.checked(check()) {
            self.broken("parity", "parity", "it is not that of the references".into());
        }
    }

    fn content_id(&self, hashes: &Hashes) {
        let compute = || -> Result<Option<[u8; 32]>> {
            let mut identity = Identity::default();
            let empty = *blake3::hash(b"").as_bytes();
            for entry in self.archive.entries() {
                let entry = entry?;
                let (target, hash);
                let body = match &entry.body {
                    EntryBody::Blob { place, .. } if place.len == 0 => IdentityBody::Blob(&empty),
                    EntryBody::Blob { place, .. } => {
                        let Some(found) = hashes.get(&key(*place)) else { return Ok(None) };
                        hash = *found;
                        IdentityBody::Blob(&hash)
                    }
                    EntryBody::Redirect { target: id, fragment } => {
                        target = self.archive.entry_by_id(*id)?.map(|t| t.path).unwrap_or_default();
                        IdentityBody::Redirect(&target, fragment.as_deref())
                    }
                };
                identity.entry(&entry.path, entry.kind(), &entry.title, entry.mime(), body);
            }
            let main = self.archive.main_entry()?.map(|e| e.path);
            Ok(Some(identity.finish(self.archive.metadata()?, main.as_deref())))
        };
        match self.checked(compute()) {
            Some(Some(id)) if id != self.archive.content_id() => {
                self.broken(
                    "content id",
                    "first page",
                    "the content is not that which the first page names".into(),
                );
            }
            _ => {}
        }
    }
}
