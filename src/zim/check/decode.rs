//! A cluster as a check sees it: decoded to its very end, whatever its blobs need.

use std::borrow::Cow;
use std::io::{self, Read};

use crate::codec::StreamDecoder;
use crate::error::{Place, Result, damaged};
use crate::limits::{MAX_ZIM_WINDOW_LOG, MAX_ZIM_XZ_KIB};
use crate::storage::Storage;
use crate::zim::cluster::{self, Compression, Shape};
use crate::zim::reader::Archive;

/// Stored bytes that are read at a time.
const WINDOW: u64 = 1 << 20;

/// The most bytes that a cluster may decode to.
const MAX_DECODED: usize = 1 << 30;

/// A buffer that has grown beyond this is given back.
const KEPT: usize = 64 << 20;

/// What a thread keeps from one cluster to the next.
pub(super) struct Decoder {
    zstd: StreamDecoder,
    bytes: Vec<u8>,
}

impl Decoder {
    pub fn new() -> Self {
        Self { zstd: StreamDecoder::new(MAX_ZIM_WINDOW_LOG), bytes: vec![] }
    }
}

/// A cluster whose blob offsets are in order and inside it.
pub(super) struct Cluster<'a> {
    body: Body<'a>,
    offsets: Vec<u64>,
}

enum Body<'a> {
    /// The bytes are in the file from here on.
    Stored(&'a dyn Storage, u64),
    Decoded(&'a [u8]),
}

impl Cluster<'_> {
    /// Returns how many blobs there are.
    pub fn n_blobs(&self) -> u32 {
        // No more than the file has entries.
        u32::try_from(self.offsets.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// Returns how many bytes were decoded.
    pub fn decoded(&self) -> u64 {
        match self.body {
            Body::Stored(..) => 0,
            Body::Decoded(bytes) => bytes.len() as u64,
        }
    }

    fn range(&self, blob: u32) -> Option<(u64, u64)> {
        match self.offsets.get(blob as usize..)? {
            [start, end, ..] => Some((*start, *end)),
            _ => None,
        }
    }

    /// Returns the length of a blob; nothing if there is no such blob.
    pub fn len(&self, blob: u32) -> Option<u64> {
        self.range(blob).map(|(start, end)| end - start)
    }

    /// Returns a part of a blob.
    pub fn part(&self, blob: u32, from: u64, to: u64) -> Result<Cow<'_, [u8]>> {
        let (start, end) = self.range(blob).unwrap_or((0, 0));
        let (from, to) = (start.saturating_add(from).min(end), start.saturating_add(to).min(end));
        match self.body {
            Body::Stored(storage, at) => storage.read(at + from..at + to),
            Body::Decoded(bytes) => {
                Ok(Cow::Borrowed(bytes.get(from as usize..to as usize).unwrap_or_default()))
            }
        }
    }
}

/// Loads a cluster; nothing for a compressed one if these are not to be decoded.
pub(super) fn load<'a>(
    archive: &'a Archive,
    cluster: u32,
    decoder: Option<&'a mut Decoder>,
) -> Result<Option<Cluster<'a>>> {
    let header = archive.header();
    let storage = archive.storage();
    let end = header.end(archive.size());
    let at = archive.cluster_position(cluster)?;
    let first = storage.read(at..at + 1)?.first().copied().unwrap_or(0);
    let (compression, extended) = cluster::info(first, cluster)?;
    let table = Table { extended, n_entries: header.n_entries, cluster };
    let start = at + 1;
    if compression == Compression::None {
        let offsets = table.stored(storage, start, end)?;
        return Ok(Some(Cluster { body: Body::Stored(storage, start), offsets }));
    }
    let Some(decoder) = decoder else { return Ok(None) };
    let Decoder { zstd, bytes } = decoder;
    if bytes.capacity() > KEPT {
        *bytes = vec![];
    }
    bytes.clear();
    let input = Input { storage, at: start, end };
    match compression {
        Compression::Zstd => decode_zstd(input, zstd, bytes, &table)?,
        _ => decode_xz(input, bytes, &table)?,
    }
    let offsets = table.offsets(bytes)?.unwrap_or_default();
    Ok(Some(Cluster { body: Body::Decoded(bytes), offsets }))
}

/// The offsets at the start of a cluster.
struct Table {
    extended: bool,
    n_entries: u32,
    cluster: u32,
}

impl Table {
    /// Returns the table's shape, once its first number is known.
    fn shape(&self, bytes: &[u8]) -> Result<Option<Shape>> {
        if bytes.len() < if self.extended { 8 } else { 4 } {
            return Ok(None);
        }
        Shape::read(bytes, self.extended, self.n_entries, self.cluster).map(Some)
    }

    /// Returns all offsets, once as much is known.
    fn offsets(&self, bytes: &[u8]) -> Result<Option<Vec<u64>>> {
        let Some(shape) = self.shape(bytes)? else { return Ok(None) };
        let len = shape.table_len();
        let Some(table) = usize::try_from(len).ok().and_then(|len| bytes.get(..len)) else { return Ok(None) };
        let mut offsets = vec![];
        cluster::offsets(table, shape.width, len, self.cluster, |offset| offsets.push(offset))?;
        Ok(Some(offsets))
    }

    /// Reads the table of a cluster that is stored as it is.
    fn stored(&self, storage: &dyn Storage, start: u64, end: u64) -> Result<Vec<u64>> {
        let place = Place::Block(self.cluster);
        let have = end - start;
        let head = storage.read(start..end.min(start.saturating_add(8)))?;
        let len = match self.shape(&head)? {
            Some(shape) if shape.table_len() <= have => shape.table_len(),
            _ => {
                return damaged!(
                    place,
                    "blob offsets",
                    "{have} bytes are left in the file, too few for them"
                );
            }
        };
        let table = storage.read(start..start + len)?;
        let offsets = self.offsets(&table)?.unwrap_or_default();
        match offsets.last() {
            Some(last) if *last > have => {
                damaged!(place, "blob offsets", "the last blob ends at {last}, the file at {have}")
            }
            _ => Ok(offsets),
        }
    }

    /// Judges what has been decoded: returns true if nothing is missing.
    fn is_whole(&self, bytes: &[u8], end: &mut Option<u64>) -> Result<bool> {
        let place = Place::Block(self.cluster);
        if end.is_none() {
            *end = self.offsets(bytes)?.and_then(|offsets| offsets.last().copied());
        }
        let have = bytes.len() as u64;
        if let Some(end) = *end
            && have > end
        {
            return damaged!(place, "decoded length", "it goes on behind its last blob, which ends at {end}");
        }
        if bytes.len() > MAX_DECODED {
            return damaged!(place, "decoded length", "more than {MAX_DECODED} bytes");
        }
        Ok(*end == Some(have))
    }
}

/// Stored bytes from somewhere to the end of all content: where a cluster ends stands nowhere.
struct Input<'a> {
    storage: &'a dyn Storage,
    at: u64,
    end: u64,
}

impl<'a> Input<'a> {
    fn window(&self) -> Result<Cow<'a, [u8]>> {
        self.storage.read(self.at..self.end.min(self.at.saturating_add(WINDOW)))
    }
}

/// Makes room, and no more than has been filled before: no number in the file is trusted.
fn grow(bytes: &mut Vec<u8>) {
    if bytes.len() == bytes.capacity() {
        bytes.reserve(bytes.len().max(256 << 10));
    }
}

fn decode_zstd(
    mut input: Input<'_>,
    zstd: &mut StreamDecoder,
    bytes: &mut Vec<u8>,
    table: &Table,
) -> Result<()> {
    let place = Place::Block(table.cluster);
    zstd.reset();
    let mut end = None;
    loop {
        let window = input.window()?;
        let mut at = 0;
        loop {
            grow(bytes);
            let step = match zstd.step(window.get(at..).unwrap_or_default(), bytes) {
                Ok(step) => step,
                Err(what) => return damaged!(place, "decoding", "{what}"),
            };
            at += step.read;
            // Frames that follow each other are one cluster, until it has all it needs.
            if table.is_whole(bytes, &mut end)? && step.ended {
                return Ok(());
            }
            if step.read == 0 && step.written == 0 {
                break;
            }
        }
        if at == 0 || input.at + at as u64 >= input.end {
            let needs = end.map_or(String::new(), |end| format!(" of {end}"));
            return damaged!(place, "decoding", "it ends in the middle: {} bytes{needs}", bytes.len());
        }
        input.at += at as u64;
    }
}

impl Read for Input<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let end = self.end.min(self.at.saturating_add(out.len() as u64));
        let bytes = self.storage.read(self.at..end).map_err(io::Error::other)?;
        out.get_mut(..bytes.len()).unwrap_or_default().copy_from_slice(&bytes);
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }
}

fn decode_xz(input: Input<'_>, bytes: &mut Vec<u8>, table: &Table) -> Result<()> {
    let place = Place::Block(table.cluster);
    let buffered = io::BufReader::with_capacity(64 << 10, input);
    let mut xz = lzma_rust2::XzReader::new_mem_limit(buffered, false, MAX_ZIM_XZ_KIB);
    let mut end = None;
    let mut piece = vec![0; 64 << 10];
    loop {
        match xz.read(&mut piece) {
            Ok(0) => break,
            Ok(n) => bytes.extend_from_slice(piece.get(..n).unwrap_or_default()),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return damaged!(place, "decoding", "{e}"),
        }
        table.is_whole(bytes, &mut end)?;
    }
    if !table.is_whole(bytes, &mut end)? {
        return damaged!(place, "decoding", "it ends in the middle: {} bytes", bytes.len());
    }
    Ok(())
}
