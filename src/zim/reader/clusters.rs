//! Clusters that are in use: their blob offsets, what was decoded of them, and the cache of both.
//!
//! A cluster is decoded only as far as the blob that was asked for; the decoder stays with it and goes on
//! when a later blob is, so reading in order decodes nothing twice. A zstd cluster is decoded into the
//! buffer that is handed out. If that has readers when the next blob is asked for, it cannot grow: then
//! the cluster is decoded once more, to its end. A cluster longer than [`MAX_ZIM_CLUSTER`] is not kept: its
//! blobs are decoded in passing by a decoder with a window, which waits where it stopped as long as no
//! other cluster is asked for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::Archive;
use crate::error::{Error, Place, Result, damaged};
use crate::limits::{MAX_ZIM_CLUSTER, MAX_ZIM_CONTENT};
use crate::zim::cluster::{self, Compression, InPlace, Shape, Stored, Stream, USUAL_CLUSTER};

/// What the bookkeeping of a cluster takes, about.
const CLUSTER_WEIGHT: usize = 256;

/// A cluster in use.
pub(super) struct Cluster {
    pub number: u32,
    /// Where its bytes begin, behind the info byte.
    pub at: u64,
    pub compression: Compression,
    extended: bool,
    table: OnceLock<Table>,
    state: Mutex<State>,
}

/// The offsets of a cluster's blobs, checked: they do not decrease.
pub(super) struct Table {
    shape: Shape,
    offsets: Offsets,
    /// Where the last blob ends.
    pub total: u64,
}

enum Offsets {
    /// They are read where they stand.
    InFile,
    Short(Vec<u32>),
    Long(Vec<u64>),
}

#[derive(Default)]
struct State {
    /// What was decoded so far, from the start.
    decoded: Arc<Vec<u8>>,
    /// What goes on decoding there; nothing if the cluster is decoded, or was not begun.
    decoder: Option<Growing>,
    /// What waits in the middle of a cluster that is too long to be kept.
    passing: Option<Stream>,
}

pub(super) enum Growing {
    InPlace(InPlace),
    Stream(Stream),
}

impl Growing {
    fn memory(&self) -> usize {
        match self {
            Self::InPlace(decoder) => decoder.memory(),
            Self::Stream(stream) => stream.memory(),
        }
    }

    pub fn fill(&mut self, stored: &Stored<'_>, out: &mut Vec<u8>, len: usize) -> Result<()> {
        match self {
            Self::InPlace(decoder) => decoder.fill(stored, out, len),
            Self::Stream(stream) => stream.append(stored, out, len.saturating_sub(out.len()) as u64),
        }
    }

    /// Returns true if a buffer has room for so many bytes, or may grow.
    pub fn has_room(&self, out: &Vec<u8>, total: u64) -> bool {
        match self {
            Self::InPlace(_) => total <= InPlace::room(out) as u64,
            Self::Stream(_) => true,
        }
    }

    /// Reads the end of the compressed stream behind the `len` bytes in `out`; false if more come before it.
    pub fn is_at_end(&mut self, stored: &Stored<'_>, out: &mut Vec<u8>, len: usize) -> Result<bool> {
        match self {
            Self::InPlace(decoder) => decoder.is_at_end(stored, out, len),
            Self::Stream(stream) => stream.is_at_end(stored),
        }
    }
}

impl Cluster {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn weight(&self, state: &State) -> u64 {
        let table = match self.table.get().map(|t| &t.offsets) {
            Some(Offsets::Short(offsets)) => offsets.capacity() * 4,
            Some(Offsets::Long(offsets)) => offsets.capacity() * 8,
            Some(Offsets::InFile) | None => 0,
        };
        let decoder = state.decoder.as_ref().map_or(0, Growing::memory);
        (CLUSTER_WEIGHT + table + state.decoded.capacity() + decoder) as u64
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        // The decoder goes first: it writes there.
        state.decoder = None;
        if let Some(decoded) = Arc::get_mut(&mut state.decoded) {
            InPlace::give_back(std::mem::take(decoded));
        }
    }
}

/// The clusters of an archive.
pub(super) struct Clusters {
    cache: quick_cache::sync::Cache<u32, Cached, Weigh>,
    /// The cluster that was asked for last, whether the cache took it or not.
    recent: Mutex<Option<Arc<Cluster>>>,
    /// The longest cluster that is kept.
    max_kept: u64,
    /// How often the decoding of a cluster was begun.
    begun: AtomicU64,
}

#[derive(Clone)]
struct Cached {
    cluster: Arc<Cluster>,
    /// As it was when the cache was told of it; the cache must not see it change.
    weight: u64,
}

#[derive(Clone)]
struct Weigh;

impl quick_cache::Weighter<u32, Cached> for Weigh {
    fn weight(&self, _: &u32, cached: &Cached) -> u64 {
        cached.weight
    }
}

impl Clusters {
    /// Returns a cache of so many bytes.
    pub fn new(bytes: usize) -> Self {
        let mut options = quick_cache::OptionsBuilder::new();
        // One shard: a cluster is large beside the budget, and each shard must have room for it.
        options.shards(1).estimated_items_capacity(bytes / (1 << 20) + 16).weight_capacity(bytes as u64);
        let hasher = quick_cache::DefaultHashBuilder::default();
        let lifecycle = quick_cache::sync::DefaultLifecycle::default();
        let cache = match options.build() {
            Ok(options) => quick_cache::sync::Cache::with_options(options, Weigh, hasher, lifecycle),
            Err(_) => quick_cache::sync::Cache::with_weighter(16, bytes as u64, Weigh),
        };
        let max_kept = MAX_ZIM_CLUSTER.min(bytes as u64 / 2);
        Self { cache, recent: Mutex::default(), max_kept, begun: AtomicU64::new(0) }
    }

    pub fn clear(&self) {
        self.cache.clear();
        *self.recent() = None;
    }

    pub fn weight(&self) -> u64 {
        self.cache.weight()
    }

    pub fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    pub fn max_kept(&self) -> u64 {
        self.max_kept
    }

    fn recent(&self) -> MutexGuard<'_, Option<Arc<Cluster>>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn begin(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    fn insert(&self, cluster: &Arc<Cluster>, weight: u64) {
        self.cache.insert(cluster.number, Cached { cluster: Arc::clone(cluster), weight });
    }
}

impl Archive {
    /// Returns a cluster, known by its first byte.
    pub(super) fn cluster(&self, number: u32) -> Result<Arc<Cluster>> {
        if let Some(recent) = &*self.clusters.recent()
            && recent.number == number
        {
            return Ok(Arc::clone(recent));
        }
        let cluster = self.clusters.cache.get_or_insert_with(&number, || -> Result<Cached> {
            let cluster = Arc::new(self.open_cluster(number)?);
            Ok(Cached { cluster, weight: CLUSTER_WEIGHT as u64 })
        })?;
        let before = self.clusters.recent().replace(Arc::clone(&cluster.cluster));
        if let Some(before) = before
            && let Ok(mut state) = before.state.try_lock()
        {
            state.passing = None;
        }
        Ok(cluster.cluster)
    }

    /// Returns a cluster that the cache knows nothing of.
    pub(super) fn open_cluster(&self, number: u32) -> Result<Cluster> {
        let position = self.cluster_position(number)?;
        let first = self.storage.read(position..position + 1)?.first().copied().unwrap_or(0);
        let (compression, extended) = cluster::info(first, number)?;
        Ok(Cluster {
            number,
            at: position + 1,
            compression,
            extended,
            table: OnceLock::new(),
            state: Mutex::default(),
        })
    }

    /// Returns where a cluster begins, which is within the file.
    pub(in crate::zim) fn cluster_position(&self, number: u32) -> Result<u64> {
        if number >= self.header.n_clusters {
            return damaged!(
                Place::Block(number),
                "cluster number",
                "there are {} clusters",
                self.header.n_clusters
            );
        }
        let position = self.pointer(self.header.cluster_pointers, number)?;
        if position < self.header.mime_list || position >= self.end {
            return damaged!(Place::Block(number), "cluster position", "{position} of {}", self.end);
        }
        Ok(position)
    }

    pub(super) fn stored<'a>(&'a self, cluster: &Cluster) -> Stored<'a> {
        Stored { storage: &*self.storage, cluster: cluster.number, at: cluster.at, end: self.end }
    }

    /// Returns a cluster's blob offsets, reading or decoding no more of it than those.
    pub(super) fn table<'a>(&self, cluster: &'a Arc<Cluster>) -> Result<&'a Table> {
        self.table_keeping(cluster, false)
    }

    fn table_keeping<'a>(&self, cluster: &'a Arc<Cluster>, keep: bool) -> Result<&'a Table> {
        if let Some(table) = cluster.table.get() {
            return Ok(table);
        }
        let mut state = cluster.state();
        // Another thread may have been here meanwhile.
        if cluster.table.get().is_none() {
            let table = match cluster.compression {
                Compression::None => self.table_in_file(cluster)?,
                _ => {
                    let mut out = InPlace::buffer(USUAL_CLUSTER);
                    let (table, decoder) = self.decode_table(cluster, &mut out)?;
                    if keep && table.total <= self.clusters.max_kept && decoder.has_room(&out, table.total) {
                        self.clusters.begin();
                        state.decoded = Arc::new(out);
                        state.decoder = Some(decoder);
                    } else {
                        drop(decoder);
                        InPlace::give_back(out);
                    }
                    table
                }
            };
            let _ = cluster.table.set(table);
            self.clusters.insert(cluster, cluster.weight(&state));
        }
        match cluster.table.get() {
            Some(table) => Ok(table),
            None => damaged!(Place::Block(cluster.number), "blob offsets", "there are none"),
        }
    }

    /// Checks the offsets of a cluster that is stored as it is.
    pub(super) fn table_in_file(&self, cluster: &Cluster) -> Result<Table> {
        const PIECE: u64 = 64 * 1024;
        let (number, at) = (cluster.number, cluster.at);
        let head = self.storage.read(at..self.end.min(at + 8))?;
        let shape = Shape::read(&head, cluster.extended, self.header.n_entries, number)?;
        let table_end = at.saturating_add(shape.table_len());
        if table_end > self.end {
            return damaged!(
                Place::Block(number),
                "blob offsets",
                "{} of them leave the file",
                shape.n_offsets
            );
        }
        let (mut from, mut total) = (at, 0);
        while from < table_end {
            let until = table_end.min(from + PIECE);
            total = cluster::offsets(&self.storage.read(from..until)?, shape.width, total, number, |_| ())?;
            from = until;
        }
        self.storage.check_fault()?;
        Ok(Table { shape, offsets: Offsets::InFile, total })
    }

    /// Decodes the offsets of a compressed cluster into a buffer, whose room is used if the cluster can be
    /// decoded in place; what is returned beside them goes on behind what was decoded.
    pub(super) fn decode_table(&self, cluster: &Cluster, out: &mut Vec<u8>) -> Result<(Table, Growing)> {
        const PIECE: u64 = 1 << 20;
        let (stored, number) = (self.stored(cluster), cluster.number);
        let width = if cluster.extended { 8 } else { 4 };
        let shape = |bytes: &[u8]| Shape::read(bytes, cluster.extended, self.header.n_entries, number);
        out.clear();
        if cluster.compression == Compression::Zstd {
            let mut decoder = InPlace::new();
            // It also fails on a frame that says it is longer than the buffer; the stream then judges.
            if decoder.fill(&stored, out, width).is_ok() {
                let shape = shape(out)?;
                let len = usize::try_from(shape.table_len()).unwrap_or(usize::MAX);
                if len <= InPlace::room(out) && decoder.fill(&stored, out, len).is_ok() {
                    let table = Table::of(shape, out.get(..len).unwrap_or_default(), number)?;
                    self.storage.check_fault()?;
                    return Ok((table, Growing::InPlace(decoder)));
                }
            }
            out.clear();
        }
        let Some(mut stream) = Stream::new(cluster.compression) else {
            return damaged!(Place::Block(number), "compression", "it is stored as it is");
        };
        stream.append(&stored, out, width as u64)?;
        let shape = shape(out)?;
        let mut left = shape.table_len().saturating_sub(width as u64);
        while left > 0 {
            let piece = left.min(PIECE);
            stream.append(&stored, out, piece)?;
            left -= piece;
        }
        let table = Table::of(shape, out, number)?;
        self.storage.check_fault()?;
        Ok((table, Growing::Stream(stream)))
    }

    /// Returns where a blob begins and ends, counted from its cluster's first offset.
    pub(super) fn blob_range(
        &self,
        cluster: &Arc<Cluster>,
        index: u32,
        blob: u32,
        keep: bool,
    ) -> Result<(u64, u64)> {
        let table = self.table_keeping(cluster, keep)?;
        if let Some(range) = self.range_in(cluster, table, blob)? {
            return Ok(range);
        }
        let (n_blobs, number) = (table.n_blobs(), cluster.number);
        damaged!(Place::Entry(index), "blob number", "{blob} of {n_blobs} in cluster {number}")
    }

    /// Returns where a blob begins and ends by a cluster's table; nothing if there is no such blob.
    pub(super) fn range_in(&self, cluster: &Cluster, table: &Table, blob: u32) -> Result<Option<(u64, u64)>> {
        let (place, blob) = (Place::Block(cluster.number), blob as usize);
        if blob >= table.n_blobs() {
            return Ok(None);
        }
        let pair = match &table.offsets {
            Offsets::Short(offsets) => match offsets.get(blob..) {
                Some([start, end, ..]) => Some((u64::from(*start), u64::from(*end))),
                _ => None,
            },
            Offsets::Long(offsets) => match offsets.get(blob..) {
                Some([start, end, ..]) => Some((*start, *end)),
                _ => None,
            },
            Offsets::InFile => {
                let width = table.shape.width;
                let at = cluster.at + (blob * width) as u64;
                let bytes = self.storage.read(at..at + 2 * width as u64)?;
                let mut first = None;
                let end = cluster::offsets(&bytes, width, 0, cluster.number, |offset| {
                    first.get_or_insert(offset);
                })?;
                first.map(|start| (start, end))
            }
        };
        let Some((start, end)) = pair else {
            return damaged!(place, "blob offsets", "blob {blob} has none");
        };
        let room = self.end - cluster.at;
        if cluster.compression == Compression::None && end > room {
            return damaged!(place, "blob offsets", "blob {blob} ends at {end} of {room}");
        }
        Ok(Some((start, end)))
    }

    /// Returns what is decoded of a cluster that is kept, up to byte `until` at least, which must be
    /// within it.
    pub(super) fn decoded(&self, cluster: &Arc<Cluster>, until: u64) -> Result<Arc<Vec<u8>>> {
        let table = self.table_keeping(cluster, true)?;
        let (Ok(until), Ok(total)) = (usize::try_from(until.min(table.total)), usize::try_from(table.total))
        else {
            return too_long(until);
        };
        let mut state = cluster.state();
        if state.decoded.len() >= until {
            return Ok(Arc::clone(&state.decoded));
        }
        let stored = self.stored(cluster);
        let State { decoded, decoder, .. } = &mut *state;
        let grown = match (Arc::get_mut(decoded), decoder.as_mut()) {
            (Some(out), Some(decoder)) => decoder.fill(&stored, out, until),
            (alone, _) => {
                // It was not begun, or somebody reads the buffer, which must not move; then it is the
                // second time, and shall be the last.
                let until = if alone.is_some_and(|out| out.is_empty()) { until } else { total };
                self.clusters.begin();
                begin(cluster.compression, &stored, total, until).map(|(out, new)| {
                    *decoded = Arc::new(out);
                    *decoder = Some(new);
                })
            }
        };
        if let Err(error) = grown {
            // What was decoded before the damage is right, but nothing can go on behind it.
            *decoder = None;
            *decoded = Arc::default();
            self.clusters.insert(cluster, cluster.weight(&state));
            return Err(error);
        }
        if decoded.len() >= total {
            *decoder = None;
            if let Some(out) = Arc::get_mut(decoded) {
                out.truncate(total);
                // What is left over is little where it was made for this cluster, or for a usual one.
                if out.capacity() > total + total / 4 {
                    out.shrink_to_fit();
                }
            }
        }
        self.storage.check_fault()?;
        let decoded = Arc::clone(&state.decoded);
        self.clusters.insert(cluster, cluster.weight(&state));
        Ok(decoded)
    }

    /// Decodes a part of a cluster that is too long to be kept.
    pub(super) fn in_passing(&self, cluster: &Arc<Cluster>, from: u64, until: u64) -> Result<Vec<u8>> {
        let len = until.saturating_sub(from);
        if len > MAX_ZIM_CONTENT {
            return too_long(len);
        }
        let stored = self.stored(cluster);
        let mut state = cluster.state();
        let waiting = state.passing.take().filter(|stream| stream.position() <= from);
        let mut stream = match waiting {
            Some(stream) => stream,
            None => self.stream(cluster)?,
        };
        stream.skip(&stored, from - stream.position())?;
        let mut out = vec![];
        stream.append(&stored, &mut out, len)?;
        self.storage.check_fault()?;
        // One with a window beyond all use is not worth its memory.
        if (stream.memory() as u64) < 2 * MAX_ZIM_CLUSTER {
            state.passing = Some(stream);
        }
        Ok(out)
    }

    /// Returns a decoder at the start of a compressed cluster.
    pub(super) fn stream(&self, cluster: &Cluster) -> Result<Stream> {
        self.clusters.begin();
        match Stream::new(cluster.compression) {
            Some(stream) => Ok(stream),
            None => damaged!(Place::Block(cluster.number), "compression", "it is stored as it is"),
        }
    }
}

impl Table {
    /// Reads and checks offsets, of which the first was read already.
    fn of(shape: Shape, bytes: &[u8], cluster: u32) -> Result<Self> {
        let mut long = Vec::with_capacity(bytes.len() / shape.width);
        let total = cluster::offsets(bytes, shape.width, 0, cluster, |offset| long.push(offset))?;
        let offsets = if u32::try_from(total).is_ok() {
            Offsets::Short(long.iter().map(|&offset| offset as u32).collect())
        } else {
            Offsets::Long(long)
        };
        Ok(Self { shape, offsets, total })
    }

    /// Returns how many blobs there are.
    pub fn n_blobs(&self) -> usize {
        self.shape.n_blobs()
    }
}

/// Decodes a cluster of `total` bytes from its start until byte `until` at least.
pub(super) fn begin(
    compression: Compression,
    stored: &Stored<'_>,
    total: usize,
    until: usize,
) -> Result<(Vec<u8>, Growing)> {
    let mut out = vec![];
    if compression == Compression::Zstd {
        out = InPlace::buffer(total);
        let mut decoder = InPlace::new();
        if decoder.fill(stored, &mut out, until).is_ok() {
            return Ok((out, Growing::InPlace(decoder)));
        }
        // Perhaps a frame said that it is longer than the blobs in it.
        out.clear();
    }
    let Some(stream) = Stream::new(compression) else { return stored.wrong("it is stored as it is") };
    let mut stream = Growing::Stream(stream);
    stream.fill(stored, &mut out, until)?;
    Ok((out, stream))
}

fn too_long<T>(len: u64) -> Result<T> {
    Err(Error::LimitExceeded {
        what: "an entry to be held in memory".into(),
        limit: MAX_ZIM_CONTENT,
        wanted: len,
    })
}
