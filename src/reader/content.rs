//! The bytes of entries: blocks, references, and the cache of decoded ones.

use std::borrow::Cow;
use std::io::Write;
use std::ops::{Deref, Range};
use std::sync::Arc;

use super::Archive;
use super::entries::{Entry, EntryBody};
use crate::codec::{self, Reference};
use crate::content::Content;
use crate::error::{Error, Place, Result, damaged};
use crate::format::block::{self, BlockRecord, Coding, PER_PAGE, Role};
use crate::format::entry::BlobPlace;
use crate::format::first_page::SectionKind;
use crate::format::hash_tree::digest;

/// Decoded blocks and references, bounded in bytes, shared by threads and, if the caller likes, by
/// archives. What was used least recently makes room.
pub struct Cache(quick_cache::sync::Cache<u64, Cached, Weigh>);

/// Parts of the cache, each with a lock of its own.
const SHARDS: usize = 4;

#[derive(Clone)]
enum Cached {
    Block(Arc<Vec<u8>>),
    Reference(Arc<Reference>),
}

#[derive(Clone)]
struct Weigh;

impl quick_cache::Weighter<u64, Cached> for Weigh {
    fn weight(&self, _: &u64, cached: &Cached) -> u64 {
        match cached {
            Cached::Block(bytes) => bytes.len() as u64 + 64,
            Cached::Reference(reference) => reference.weight() as u64,
        }
    }
}

impl Cache {
    /// Returns a cache of so many bytes.
    pub fn new(bytes: usize) -> Self {
        let mut options = quick_cache::OptionsBuilder::new();
        // The estimate only sizes the first hash table. By default there are four shards a core, and to
        // count cores costs the first open of a process several files of `/proc`; a shard must have room
        // for the largest block.
        options.shards(SHARDS).estimated_items_capacity(bytes / (96 * 1024)).weight_capacity(bytes as u64);
        let hasher = quick_cache::DefaultHashBuilder::default();
        let lifecycle = quick_cache::sync::DefaultLifecycle::default();
        Self(match options.build() {
            Ok(options) => quick_cache::sync::Cache::with_options(options, Weigh, hasher, lifecycle),
            Err(_) => quick_cache::sync::Cache::with_weighter(0, bytes as u64, Weigh),
        })
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.0.clear();
    }

    /// Forgets decoded blocks and keeps references: what is left when many articles have passed.
    pub fn forget_blocks(&self) {
        self.0.retain(|_, cached| matches!(cached, Cached::Reference(_)));
    }

    /// Returns the bytes held now.
    pub fn weight(&self) -> u64 {
        self.0.weight()
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cache({} bytes)", self.weight())
    }
}

/// The most bytes that [`Archive::content`] puts together in memory from compressed blocks; stored
/// bytes are borrowed whatever their length.
const MAX_ASSEMBLED: u64 = 2 * 1024 * 1024 * 1024;

/// The steps in which long content is best read from its start: this packer's largest block, so that
/// each is decoded once.
pub const CONTENT_STEP: u64 = 4 * 1024 * 1024;

/// Raw bytes of a block.
pub(super) enum Raw<'a> {
    Stored(Cow<'a, [u8]>),
    Decoded(Arc<Vec<u8>>),
}

impl Deref for Raw<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Raw::Stored(bytes) => bytes,
            Raw::Decoded(bytes) => bytes,
        }
    }
}

impl Archive {
    /// Returns the bytes of an entry; of a redirect, those of the entry at its end.
    ///
    /// Stored content is borrowed, after its blocks' hashes were compared once. Compressed content
    /// costs the decoding of its block (10 to 40 us for a page), and of the block's reference
    /// (300 us) if the cache does not hold it.
    ///
    /// # Errors
    ///
    /// Fails if a block is damaged, or if a redirect leads nowhere.
    pub fn content(&self, entry: &Entry) -> Result<Content<'_>> {
        self.content_range(entry, 0..u64::MAX)
    }

    /// Returns a part of the bytes of an entry; a range that leaves them is cut to them. Only the
    /// blocks of the range are touched.
    ///
    /// # Errors
    ///
    /// As [`Archive::content`].
    pub fn content_range(&self, entry: &Entry, range: Range<u64>) -> Result<Content<'_>> {
        let place = match &entry.body {
            EntryBody::Blob { place, .. } => *place,
            EntryBody::Redirect { .. } => {
                let Some(resolved) = self.resolve(entry.clone())? else {
                    return damaged!(Place::Entry(entry.id.0), "redirect", "it leads nowhere");
                };
                return self.content_range(&resolved.entry, range);
            }
        };
        if self.is_index_only() {
            return self.content_elsewhere(entry, range);
        }
        let (start, end) = (range.start.min(place.len), range.end.min(place.len));
        if start >= end {
            return Ok(Content::direct(Cow::Borrowed(&[])));
        }
        let content = self.blob_range(place, start..end)?;
        self.tables.storage().check_fault()?;
        Ok(content)
    }

    /// Writes the bytes of an entry, block by block, in memory of one block.
    ///
    /// # Errors
    ///
    /// Fails if a block is damaged (then a part may have been written), or if `out` fails.
    pub fn copy_content(&self, entry: &Entry, out: &mut dyn Write) -> Result<()> {
        let mut at = 0;
        loop {
            let part = self.content_range(entry, at..at + CONTENT_STEP)?;
            if part.is_empty() {
                return Ok(());
            }
            out.write_all(&part).map_err(|e| Error::io("write", "output", e))?;
            self.tables.storage().check_fault()?;
            at += part.len() as u64;
        }
    }

    fn blob_range(&self, place: BlobPlace, range: Range<u64>) -> Result<Content<'_>> {
        let record = self.content_record(place.block)?;
        if place.offset >= record.raw_len {
            return damaged!(Place::Block(place.block), "blob", "it begins at byte {}", place.offset);
        }
        let within = u64::from(place.offset)..u64::from(place.offset) + place.len;
        if within.end <= u64::from(record.raw_len) {
            let bytes = (within.start + range.start) as usize..(within.start + range.end) as usize;
            return Ok(match self.raw(place.block, &record)? {
                Raw::Stored(Cow::Borrowed(raw)) => Content::direct(Cow::Borrowed(&raw[bytes])),
                Raw::Stored(Cow::Owned(raw)) => Content::direct(Cow::Owned(raw[bytes].to_vec())),
                Raw::Decoded(raw) => Content::part(raw, bytes),
            });
        }
        // A run of blocks: walk to the first that the range touches.
        let mut id = place.block;
        let mut record = record;
        let mut from = u64::from(place.offset) + range.start;
        while from >= u64::from(record.raw_len) {
            from -= u64::from(record.raw_len);
            id = self.next_block(id, place)?;
            record = self.content_record(id)?;
        }
        self.run(place, id, record, from, range.end - range.start)
    }

    fn next_block(&self, id: u32, place: BlobPlace) -> Result<u32> {
        match id.checked_add(1).filter(|&next| next < self.first_page().n_blocks) {
            Some(next) => Ok(next),
            None => damaged!(Place::Block(place.block), "blob", "{} bytes leave the blocks", place.len),
        }
    }

    /// Returns `len` bytes from byte `from` of block `id` on.
    fn run(
        &self,
        place: BlobPlace,
        id: u32,
        record: BlockRecord,
        from: u64,
        len: u64,
    ) -> Result<Content<'_>> {
        let (mut id, mut record) = (id, record);
        let (first, mut stored) = (record, record.coding == Coding::Stored);
        let mut parts: Vec<(u32, BlockRecord)> = vec![(id, record)];
        let mut have = u64::from(record.raw_len) - from;
        while have < len {
            id = self.next_block(id, place)?;
            let end = record.range().end;
            record = self.content_record(id)?;
            if record.offset != end {
                // What lies between is under no hash.
                return damaged!(Place::Block(id), "block layout", "a gap before it");
            }
            stored = stored && record.coding == Coding::Stored;
            have += u64::from(record.raw_len);
            parts.push((id, record));
        }
        if stored && self.tables.storage().is_stable() {
            for (id, record) in &parts {
                self.check_stored(*id, record)?;
            }
            let at = first.offset + from;
            return Ok(Content::direct(self.tables.storage().read(at..at + len)?));
        }
        if len > MAX_ASSEMBLED {
            return Err(Error::LimitExceeded {
                what: "an entry to be held in memory".into(),
                limit: MAX_ASSEMBLED,
                wanted: len,
            });
        }
        let mut out = Vec::with_capacity(len.min(16 * 1024 * 1024) as usize);
        let mut skip = from as usize;
        for (id, record) in &parts {
            let wanted = (len - out.len() as u64).min(u64::from(record.raw_len) - skip as u64);
            // Who takes a part of one comes for the next part soon.
            let is_part = wanted < u64::from(record.raw_len);
            let raw = if is_part { self.raw(*id, record)? } else { self.raw_uncached(*id, record)? };
            let take = wanted as usize;
            out.extend_from_slice(&raw[skip..skip + take]);
            skip = 0;
        }
        Ok(Content::direct(Cow::Owned(out)))
    }

    /// Returns the record of a block that entries' bytes may lie in.
    fn content_record(&self, id: u32) -> Result<BlockRecord> {
        let record = self.block_record(id)?;
        if record.role != Role::Content {
            return damaged!(Place::Block(id), "blob", "a blob lies in a block that holds no content");
        }
        Ok(record)
    }

    /// Returns a block's record.
    pub(super) fn block_record(&self, id: u32) -> Result<BlockRecord> {
        let first = self.first_page();
        let Some(row) = first.row(SectionKind::BLOCKS) else {
            return damaged!(Place::Block(id), "block id", "there are no blocks");
        };
        if id >= first.n_blocks {
            return damaged!(Place::Block(id), "block id", "there are {} blocks", first.n_blocks);
        }
        let page = self.tables.section_page(row, id / PER_PAGE)?;
        block::read(&page, id, first.n_blocks, first.tables_offset)
    }

    /// Returns a block's stored bytes once their hash was compared: each time, or once where the
    /// storage keeps its memory and nothing is decoded from it.
    pub(super) fn check_stored(&self, id: u32, record: &BlockRecord) -> Result<Cow<'_, [u8]>> {
        let bytes = self.tables.storage().read(record.range())?;
        let once = record.coding == Coding::Stored && self.tables.storage().is_stable();
        if once && self.checked_blocks.get(u64::from(id)) {
            return Ok(bytes);
        }
        if digest(&bytes) != record.hash {
            return damaged!(Place::Block(id), "block hash", "its stored bytes differ from their hash");
        }
        if once {
            self.checked_blocks.set(u64::from(id));
        }
        Ok(bytes)
    }

    fn key(&self, block: u32) -> u64 {
        u64::from(self.uid) << 32 | u64::from(block)
    }

    /// Returns a block's raw bytes, from the cache or into it.
    fn raw(&self, id: u32, record: &BlockRecord) -> Result<Raw<'_>> {
        if record.coding == Coding::Stored {
            return self.check_stored(id, record).map(Raw::Stored);
        }
        if let Some(Cached::Block(raw)) = self.cache.0.get(&self.key(id)) {
            return Ok(Raw::Decoded(raw));
        }
        let raw = self.raw_uncached(id, record)?;
        if let Raw::Decoded(bytes) = &raw {
            self.cache.0.insert(self.key(id), Cached::Block(bytes.clone()));
        }
        Ok(raw)
    }

    /// Returns a block's raw bytes without keeping them, for those that pass once.
    pub(super) fn raw_uncached(&self, id: u32, record: &BlockRecord) -> Result<Raw<'_>> {
        let stored = self.check_stored(id, record)?;
        if record.coding == Coding::Stored {
            return Ok(Raw::Stored(stored));
        }
        let reference = record.reference.map(|r| self.reference(r)).transpose()?;
        let place = Place::Block(id);
        let raw = codec::decode(&stored, record.raw_len as usize, reference.as_deref(), place)?;
        Ok(Raw::Decoded(Arc::new(raw)))
    }

    /// Returns a decoded reference, from the cache or into it.
    fn reference(&self, id: u32) -> Result<Arc<Reference>> {
        if let Some(Cached::Reference(reference)) = self.cache.0.get(&self.key(id)) {
            return Ok(reference);
        }
        let record = self.block_record(id)?;
        if record.role != Role::Reference {
            return damaged!(Place::Block(id), "block reference", "a block names it, but it is no reference");
        }
        let place = Place::Block(id);
        let reference = match self.raw_uncached(id, &record) {
            Ok(raw) => Reference::new(&raw, place)?,
            Err(error) if error.is_damage() => match self.repair_reference(id, &record).unwrap_or(None) {
                Some(stored) if record.coding == Coding::Stored => Reference::new(&stored, place)?,
                Some(stored) => {
                    let raw = codec::decode(&stored, record.raw_len as usize, None, place)?;
                    Reference::new(&raw, place)?
                }
                None => return Err(error),
            },
            Err(error) => return Err(error),
        };
        let reference = Arc::new(reference);
        self.cache.0.insert(self.key(id), Cached::Reference(reference.clone()));
        Ok(reference)
    }
}
