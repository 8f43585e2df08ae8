//! Clusters: blobs that are compressed together.
//!
//! A cluster is a byte that says how its bytes are stored, then, perhaps compressed, the offsets of its
//! blobs and one more for the end of the last, then the blobs. Offsets count from the first offset. How
//! long a compressed cluster is in the file stands nowhere: decoding stops when it has enough.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use crate::codec::StreamDecoder;
use crate::error::{Place, Result, damaged};
use crate::limits::{MAX_ZIM_WINDOW_LOG, MAX_ZIM_XZ_KIB};
use crate::storage::Storage;

/// How the bytes of a cluster are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Xz,
    Zstd,
}

/// Reads the first byte of a cluster: its compression, and whether its offsets are of 64 bits.
pub(super) fn info(byte: u8, cluster: u32) -> Result<(Compression, bool)> {
    let compression = match byte & 0x0f {
        0 | 1 => Compression::None,
        4 => Compression::Xz,
        5 => Compression::Zstd,
        other => {
            return damaged!(Place::Block(cluster), "compression", "kind {other} is unknown or out of use");
        }
    };
    if byte & 0xe0 != 0 {
        return damaged!(Place::Block(cluster), "cluster flags", "{byte:#04x}");
    }
    Ok((compression, byte & 0x10 != 0))
}

/// The shape of a cluster's offsets: how wide they are, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub width: usize,
    /// One more than there are blobs.
    pub n_offsets: usize,
}

impl Shape {
    /// Reads it from the first offset, which stands where `bytes` begins.
    pub fn read(bytes: &[u8], extended: bool, n_entries: u32, cluster: u32) -> Result<Self> {
        let width = if extended { 8 } else { 4 };
        let place = Place::Block(cluster);
        let Some(first) = number(bytes, 0, width) else {
            return damaged!(place, "blob offsets", "{} bytes in all", bytes.len());
        };
        let n = first / width as u64;
        // A blob of its own for each entry is the most that there is a use for.
        if first == 0 || first % width as u64 != 0 || n > u64::from(n_entries) + 1 {
            return damaged!(place, "blob offsets", "the first is {first}");
        }
        let Ok(n_offsets) = usize::try_from(n) else {
            return damaged!(place, "blob offsets", "{n} of them");
        };
        Ok(Self { width, n_offsets })
    }

    /// Returns how many blobs there are.
    pub fn n_blobs(self) -> usize {
        self.n_offsets.saturating_sub(1)
    }

    /// Returns the length of all offsets in bytes. They are at most 2^32 + 1 of 8 bytes.
    pub fn table_len(self) -> u64 {
        self.n_offsets as u64 * self.width as u64
    }
}

/// Reads a number of 4 or 8 bytes.
fn number(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    let bytes = bytes.get(at.checked_mul(width)?..)?;
    if width == 8 {
        bytes.first_chunk().map(|b| u64::from_le_bytes(*b))
    } else {
        bytes.first_chunk().map(|b| u64::from(u32::from_le_bytes(*b)))
    }
}

/// Reads offsets that follow an offset `last`, and checks that they do not decrease.
pub(super) fn offsets(
    bytes: &[u8],
    width: usize,
    last: u64,
    cluster: u32,
    mut take: impl FnMut(u64),
) -> Result<u64> {
    let mut last = last;
    for at in 0..bytes.len() / width {
        match number(bytes, at, width) {
            Some(offset) if last <= offset => {
                last = offset;
                take(offset);
            }
            found => {
                let found = found.unwrap_or_default();
                return damaged!(Place::Block(cluster), "blob offsets", "{found} follows {last}");
            }
        }
    }
    Ok(last)
}

/// A compressed cluster's bytes in the file: where they begin, behind the info byte, and where they must
/// have ended.
pub(super) struct Stored<'a> {
    pub storage: &'a dyn Storage,
    pub cluster: u32,
    pub at: u64,
    pub end: u64,
}

impl Stored<'_> {
    /// The most that is read at once where reading is copying.
    const CHUNK: u64 = 256 * 1024;

    /// Returns bytes from `at` on: no more than `most`, and no less unless the file ends.
    fn chunk(&self, at: u64, most: usize) -> Result<Cow<'_, [u8]>> {
        let start = self.at.saturating_add(at).min(self.end);
        let end = start.saturating_add(Self::CHUNK.min(most as u64)).min(self.end);
        self.storage.read(start..end)
    }

    fn ended<T>(&self) -> Result<T> {
        damaged!(Place::Block(self.cluster), "decoding", "it ends in the middle")
    }

    pub fn wrong<T>(&self, what: impl std::fmt::Display) -> Result<T> {
        damaged!(Place::Block(self.cluster), "decoding", "{what}")
    }
}

/// Decodes a zstd cluster into one buffer, which keeps what was decoded and takes the place of a window.
pub(super) struct InPlace {
    /// Nothing before the first step.
    decoder: Option<StreamDecoder>,
    /// Bytes of the file that were used up.
    read: u64,
}

/// What a block of a zstd frame decodes to at most; a buffer in place needs this much room at its end.
const ZSTD_BLOCK: usize = 128 * 1024;

/// What writers make a cluster of at most, unless one blob alone is larger: 2 MiB.
pub(super) const USUAL_CLUSTER: usize = 2 << 20;

/// A buffer for a usual cluster.
const USUAL_BUFFER: usize = USUAL_CLUSTER + ZSTD_BLOCK + 64;

/// The most buffers that wait for another cluster: some 9 MB.
const MAX_SPARE: usize = 4;

/// Buffers that nobody uses. The pages of a new one cost as much as decoding what fills them.
static SPARE_BUFFERS: Mutex<Vec<Vec<u8>>> = Mutex::new(vec![]);

thread_local! {
    /// A decoder of this thread that nobody uses: making one costs more than decoding a small cluster.
    static SPARE: std::cell::RefCell<Option<StreamDecoder>> = const { std::cell::RefCell::new(None) };
}

impl InPlace {
    pub fn new() -> Self {
        let spare = SPARE.try_with(|spare| spare.try_borrow_mut().ok()?.take()).ok().flatten();
        Self { decoder: spare, read: 0 }
    }

    fn decoder(&mut self) -> &mut StreamDecoder {
        self.decoder.get_or_insert_with(|| StreamDecoder::in_place(MAX_ZIM_WINDOW_LOG))
    }

    /// Returns a buffer with room for a cluster of so many bytes.
    pub fn buffer(len: usize) -> Vec<u8> {
        let spare = || SPARE_BUFFERS.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let spare = if len <= USUAL_CLUSTER { spare() } else { None };
        spare.unwrap_or_else(|| Vec::with_capacity(len.saturating_add(ZSTD_BLOCK + 64)))
    }

    /// Takes a buffer back whose bytes nobody needs.
    pub fn give_back(mut buffer: Vec<u8>) {
        if !(USUAL_BUFFER..2 * USUAL_BUFFER).contains(&buffer.capacity()) {
            return;
        }
        let mut spare = SPARE_BUFFERS.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < MAX_SPARE {
            buffer.clear();
            spare.push(buffer);
        }
    }

    /// Returns the cluster's length that a buffer has room for.
    pub fn room(buffer: &Vec<u8>) -> usize {
        buffer.capacity().saturating_sub(ZSTD_BLOCK + 64)
    }

    /// Decodes until there are so many bytes or a few more, block by block.
    pub fn fill(&mut self, stored: &Stored<'_>, out: &mut Vec<u8>, len: usize) -> Result<()> {
        while out.len() < len {
            self.step(stored, out)?;
        }
        Ok(())
    }

    /// Reads the end of the frame behind `len` bytes, and returns false if more bytes come before it.
    pub fn is_at_end(&mut self, stored: &Stored<'_>, out: &mut Vec<u8>, len: usize) -> Result<bool> {
        while out.len() <= len && !self.decoder().is_between_frames() {
            self.step(stored, out)?;
        }
        Ok(out.len() <= len)
    }

    fn step(&mut self, stored: &Stored<'_>, out: &mut Vec<u8>) -> Result<()> {
        let wanted = self.decoder().wants();
        let input = stored.chunk(self.read, wanted)?;
        match self.decoder().step(&input, out) {
            Ok(step) if step.read == 0 && step.written == 0 => stored.ended(),
            Ok(step) => {
                self.read += step.read as u64;
                Ok(())
            }
            Err(e) => stored.wrong(e),
        }
    }

    /// Returns the memory that it takes.
    pub fn memory(&self) -> usize {
        self.decoder.as_ref().map_or(0, StreamDecoder::memory)
    }
}

impl Drop for InPlace {
    fn drop(&mut self) {
        // The thread may be ending, then there is nothing to keep it for.
        let _ = SPARE.try_with(|spare| {
            if let Ok(mut spare) = spare.try_borrow_mut()
                && spare.is_none()
                && let Some(mut decoder) = self.decoder.take()
            {
                decoder.reset();
                *spare = Some(decoder);
            }
        });
    }
}

/// Decodes a cluster of any length from its start to its end, keeping no more than a window.
pub(super) struct Stream {
    decoder: Decoder,
    /// Bytes of the file that were used up.
    read: u64,
    /// Decoded bytes; those before `at` were given.
    decoded: Vec<u8>,
    at: usize,
    /// How many bytes were given.
    position: u64,
}

enum Decoder {
    Zstd(StreamDecoder),
    Xz(Box<lzma_rust2::XzStream>),
}

impl Stream {
    /// What is decoded at once.
    const STEP: usize = 128 * 1024;

    /// Returns nothing for a cluster that is not compressed.
    pub fn new(compression: Compression) -> Option<Self> {
        let decoder = match compression {
            Compression::None => return None,
            Compression::Zstd => Decoder::Zstd(StreamDecoder::new(MAX_ZIM_WINDOW_LOG)),
            Compression::Xz => {
                Decoder::Xz(Box::new(lzma_rust2::XzStream::new_mem_limit(false, MAX_ZIM_XZ_KIB)))
            }
        };
        Some(Self { decoder, read: 0, decoded: vec![], at: 0, position: 0 })
    }

    /// Returns where in the decoded cluster the next byte is.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Returns the memory that it takes.
    pub fn memory(&self) -> usize {
        self.decoded.capacity()
            + match &self.decoder {
                Decoder::Zstd(decoder) => decoder.memory(),
                Decoder::Xz(decoder) => decoder.memory_usage().unwrap_or(0) as usize * 1024,
            }
    }

    /// Passes over so many bytes.
    pub fn skip(&mut self, stored: &Stored<'_>, n: u64) -> Result<()> {
        let mut left = n;
        while left > 0 {
            let had = self.part(stored, left)?.len() as u64;
            left -= had;
        }
        Ok(())
    }

    /// Adds so many bytes to `out`.
    pub fn append(&mut self, stored: &Stored<'_>, out: &mut Vec<u8>, n: u64) -> Result<()> {
        let mut left = n;
        while left > 0 {
            let part = self.part(stored, left)?;
            out.extend_from_slice(part);
            left -= part.len() as u64;
        }
        Ok(())
    }

    /// Returns the next bytes, at least one and at most so many, which must not be 0.
    pub fn part(&mut self, stored: &Stored<'_>, most: u64) -> Result<&[u8]> {
        while self.at >= self.decoded.len() {
            self.more(stored)?;
        }
        let rest = self.decoded.get(self.at..).unwrap_or_default();
        let n = usize::try_from(most).unwrap_or(usize::MAX).min(rest.len());
        let part = rest.get(..n).unwrap_or_default();
        self.at += n;
        self.position += n as u64;
        Ok(part)
    }

    /// Reads the end of the compressed stream, and returns false if more bytes come before it.
    pub fn is_at_end(&mut self, stored: &Stored<'_>) -> Result<bool> {
        while self.at >= self.decoded.len() {
            if let Decoder::Zstd(decoder) = &self.decoder
                && decoder.is_between_frames()
            {
                return Ok(true);
            }
            match self.step(stored)? {
                Progress::Some => {}
                Progress::Ended => return Ok(self.decoded.is_empty()),
                Progress::Nothing => return stored.ended(),
            }
        }
        Ok(false)
    }

    fn more(&mut self, stored: &Stored<'_>) -> Result<()> {
        match self.step(stored)? {
            Progress::Some => Ok(()),
            Progress::Ended if !self.decoded.is_empty() => Ok(()),
            Progress::Ended | Progress::Nothing => stored.ended(),
        }
    }

    /// Decodes once, in place of what was decoded before.
    fn step(&mut self, stored: &Stored<'_>) -> Result<Progress> {
        self.decoded.clear();
        self.at = 0;
        match &mut self.decoder {
            Decoder::Zstd(decoder) => {
                self.decoded.reserve(Self::STEP);
                let input = stored.chunk(self.read, decoder.wants())?;
                match decoder.step(&input, &mut self.decoded) {
                    Ok(step) if step.read == 0 && step.written == 0 => Ok(Progress::Nothing),
                    Ok(step) => {
                        self.read += step.read as u64;
                        Ok(Progress::Some)
                    }
                    Err(e) => stored.wrong(e),
                }
            }
            Decoder::Xz(decoder) => {
                self.decoded.resize(Self::STEP, 0);
                let input = stored.chunk(self.read, Self::STEP)?;
                let action =
                    if input.is_empty() { lzma_rust2::Action::Finish } else { lzma_rust2::Action::Run };
                match decoder.process(&input, &mut self.decoded, action) {
                    Ok(step) => {
                        self.read += step.bytes_consumed as u64;
                        self.decoded.truncate(step.bytes_produced);
                        Ok(match step.status {
                            lzma_rust2::Status::StreamEnd => Progress::Ended,
                            lzma_rust2::Status::Ok
                                if step.bytes_consumed == 0 && step.bytes_produced == 0 =>
                            {
                                Progress::Nothing
                            }
                            lzma_rust2::Status::Ok => Progress::Some,
                        })
                    }
                    Err(e) => {
                        self.decoded.clear();
                        stored.wrong(e)
                    }
                }
            }
        }
    }
}

/// What a step of decoding did.
enum Progress {
    /// It went on; there may be bytes.
    Some,
    /// It came to the end of the stream; there may be bytes.
    Ended,
    /// It read nothing and gave nothing.
    Nothing,
}
