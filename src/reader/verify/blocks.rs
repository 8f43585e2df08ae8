//! Blocks, and what the entries say of them.

use std::collections::HashMap;

use rayon::prelude::*;

use super::{Finding, Run, Severity, Use};
use crate::error::Result;
use crate::format::block::{BlockRecord, Role};
use crate::format::entry::BlobPlace;
use crate::format::first_page::SectionKind;
use crate::format::identity::{ELSEWHERE, Identity, IdentityBody};
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

/// The distinct blobs: those inside one block, which are hashed with it, and those that run over
/// several.
struct Blobs {
    short: Vec<Use>,
    long: Vec<Use>,
    /// True if all lie where blobs may lie.
    sound: bool,
}

/// Returns where each block's raw bytes begin if all are put behind each other, and where they end.
fn starts(records: &[Option<BlockRecord>]) -> Vec<u64> {
    let mut at = 0;
    let ends = records.iter().map(|r| {
        at += r.as_ref().map_or(0, |r| u64::from(r.raw_len));
        at
    });
    std::iter::once(0).chain(ends).collect()
}

/// Returns true if a run of blocks of content holds as many bytes as a blob says.
fn run_fits(place: BlobPlace, records: &[Option<BlockRecord>]) -> bool {
    let mut have = 0u64;
    let wanted = u64::from(place.offset) + place.len;
    for record in records.iter().skip(place.block as usize) {
        let Some(record) = record.filter(|r| r.role == Role::Content) else { return false };
        if have == 0 && place.offset >= record.raw_len {
            return false;
        }
        have += u64::from(record.raw_len);
        if have >= wanted {
            return true;
        }
    }
    false
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
        let blobs = self.blobs(&uses, &records)?;
        let mut whole = tables_whole && blobs.sound;
        let chunks: Vec<Checked> = records
            .par_chunks(CHUNK)
            .enumerate()
            .map(|(i, chunk)| self.chunk((i * CHUNK) as u32, chunk, &blobs.short))
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
        whole = whole && bad.is_empty();
        self.report_blocks(bad, &records, &uses)?;
        if !self.options.quick {
            for u in &blobs.long {
                self.stop()?;
                // A damaged block of the run has its own finding.
                match self.hash_run(u) {
                    Ok(Some(hash)) => drop(hashes.insert(key(u.place), hash)),
                    _ => whole = false,
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

    /// Looks at where the blobs lie: each inside blocks of content, and no two over each other unless
    /// they are the same.
    fn blobs(&self, uses: &[Use], records: &[Option<BlockRecord>]) -> Result<Blobs> {
        let starts = starts(records);
        let mut out = Blobs { short: vec![], long: vec![], sound: true };
        let mut end = 0u64;
        let mut last = None;
        for (i, u) in uses.iter().enumerate() {
            if i % 4096 == 0 {
                self.stop()?;
            }
            if last == Some(key(u.place)) {
                continue;
            }
            last = Some(key(u.place));
            let block = u.place.block as usize;
            let start = starts.get(block).map(|s| s + u64::from(u.place.offset));
            let fits = match records.get(block) {
                // A lost record has its own finding, and so has what lies there.
                Some(None) => {
                    out.sound = false;
                    continue;
                }
                Some(Some(_)) => run_fits(u.place, records),
                None => false,
            };
            let (what, detail) = if !fits {
                ("blob", "leave the blocks of content")
            } else if start.is_some_and(|start| start < end) {
                ("blob overlap", "lie over another blob's")
            } else {
                end = start.unwrap_or(0) + u.place.len;
                let inside = records[block]
                    .as_ref()
                    .is_some_and(|r| u64::from(u.place.offset) + u.place.len <= u64::from(r.raw_len));
                let list = if inside { &mut out.short } else { &mut out.long };
                list.push(*u);
                continue;
            };
            out.sound = false;
            let BlobPlace { offset, len, .. } = u.place;
            let message = format!("block {block}: {len} bytes from byte {offset} {detail}");
            let mut finding = Finding::new(what, Severity::Error, message);
            finding.block = Some(u.place.block);
            self.damages(&mut finding, std::iter::once(u.entry));
            self.report(finding);
        }
        Ok(out)
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
            let Some(record) = record else { continue };
            if record.role == Role::Padding && id + 1 != records.len() {
                self.broken("block layout", "blocks", format!("block {id} is padding, but not the last"));
            }
            let named = record.reference.map(|r| records.get(r as usize).copied().flatten());
            if named.is_some_and(|named| named.is_some_and(|n| n.role != Role::Reference)) {
                self.broken(
                    "block reference",
                    "blocks",
                    format!("block {id} names a block that is no reference"),
                );
            }
        }
        if at.is_some_and(|at| at != first.tables_offset) {
            let message = format!("they do not end at {}, where the tables begin", first.tables_offset);
            self.broken("block layout", "blocks", message);
        }
    }

    fn chunk(&self, first: u32, chunk: &[Option<BlockRecord>], blobs: &[Use]) -> Checked {
        let mut out = Checked::default();
        for (i, record) in chunk.iter().enumerate() {
            let (id, Some(record)) = (first + i as u32, record) else { continue };
            if self.observer.is_cancelled() {
                break;
            }
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
                blobs.partition_point(|u| u.place.block < id)..blobs.partition_point(|u| u.place.block <= id);
            for u in &blobs[mine] {
                let start = u.place.offset as usize;
                let bytes = &raw[start..start + u.place.len as usize];
                out.hashes.push((key(u.place), *blake3::hash(bytes).as_bytes()));
            }
            self.observer.advance(0, raw.len() as u64);
        }
        out
    }

    /// Reports damaged blocks with the entries that they take along.
    fn report_blocks(
        &self,
        bad: Vec<(u32, Finding)>,
        records: &[Option<BlockRecord>],
        uses: &[Use],
    ) -> Result<()> {
        if bad.is_empty() {
            return Ok(());
        }
        let reference = |id: u32| records.get(id as usize).copied().flatten().and_then(|r| r.reference);
        let own: HashMap<u32, bool> =
            bad.iter().map(|(id, f)| (*id, f.block.is_none_or(|b| b == *id))).collect();
        // Whose fault it is that a block cannot be decoded: its own, or its reference's.
        let culprit = |id: u32| match own.get(&id) {
            Some(true) => Some(id),
            Some(false) => reference(id),
            None => reference(id).filter(|r| self.options.quick && own.contains_key(r)),
        };
        let starts = starts(records);
        let mut lost: HashMap<u32, Vec<u32>> = HashMap::new();
        let (mut last, mut culprits): (_, Vec<u32>) = (None, vec![]);
        for (i, u) in uses.iter().enumerate() {
            if i % 4096 == 0 {
                self.stop()?;
            }
            if last != Some(key(u.place)) {
                last = Some(key(u.place));
                let start = starts.get(u.place.block as usize).copied().unwrap_or(0);
                let end = start.saturating_add(u64::from(u.place.offset)).saturating_add(u.place.len);
                let end = starts.partition_point(|&s| s < end) as u32;
                culprits = (u.place.block..end.max(u.place.block + 1)).filter_map(culprit).collect();
                culprits.sort_unstable();
                culprits.dedup();
            }
            for &id in &culprits {
                lost.entry(id).or_default().push(u.entry);
            }
        }
        for (id, mut finding) in bad {
            if own.get(&id) == Some(&false) && reference(id).is_some_and(|r| own.contains_key(&r)) {
                continue;
            }
            finding.block = Some(id);
            let mut ids = lost.remove(&id).unwrap_or_default();
            ids.sort_unstable();
            let is_reference = records[id as usize].is_some_and(|r| r.role == Role::Reference);
            if is_reference && ids.is_empty() && !self.options.quick {
                finding.message += "; the archive's parity restores it";
            }
            self.damages(&mut finding, ids.into_iter());
            self.report(finding);
        }
        Ok(())
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
            let is_index = self.archive.is_index_only();
            let empty = if is_index { ELSEWHERE } else { *blake3::hash(b"").as_bytes() };
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
