//! Compressing and decoding one block: the only file that names zstd.
//!
//! A block is one zstd frame without checksum (its stored bytes lie under the hash tree) and without
//! dictionary id. Its reference, if it has one, is a raw content dictionary: matches may reach into
//! it, nothing else. The tables that zstd makes of a reference are attached to each block's
//! compression rather than copied, which for blocks this small is most of the time.

use std::cell::RefCell;

use zstd::zstd_safe::{
    self, CCtx, CDict, CParameter, DCtx, DDict, DParameter, DictAttachPref, InBuffer, OutBuffer,
    ResetDirective,
};

use crate::error::{Place, Result, damaged};
use crate::limits::{MAX_REFERENCE_RAW, MAX_WINDOW_LOG};

/// What a zstd dictionary of the formatted kind begins with; a raw one must not.
const DICTIONARY_MAGIC: [u8; 4] = [0x37, 0xa4, 0x30, 0xec];

/// Returns true if bytes can serve as a raw reference: zstd would take them for nothing else.
pub fn can_be_reference(bytes: &[u8]) -> bool {
    !bytes.starts_with(&DICTIONARY_MAGIC) && bytes.len() <= MAX_REFERENCE_RAW && bytes.len() >= 8
}

/// Compresses bytes on their own.
pub fn compress(bytes: &[u8], level: i32) -> Vec<u8> {
    Compressor::new(level, bytes.len()).compress(bytes)
}

/// A reference, prepared for compressing blocks against it; shared by threads.
pub struct ReferenceEncoder(CDict<'static>);

impl ReferenceEncoder {
    /// Prepares a reference. Costs about 50 ms and 24 MB for 1 MiB at level 15.
    pub fn new(reference: &[u8], level: i32) -> Self {
        Self(CDict::create(reference, level))
    }

    /// Returns a compressor against this reference, to be used for many blocks.
    pub fn compressor(&self) -> Compressor<'_> {
        let mut context = context();
        // Fails only for a context in the middle of a frame, which this one is not.
        let _ = context.ref_cdict(&self.0);
        let _ = context.set_parameter(CParameter::ForceAttachDict(DictAttachPref::ForceAttach));
        Compressor { context }
    }
}

/// Compresses one block after the other.
pub struct Compressor<'a> {
    context: CCtx<'a>,
}

fn context<'a>() -> CCtx<'a> {
    let mut context = CCtx::create();
    for parameter in
        [CParameter::ContentSizeFlag(true), CParameter::ChecksumFlag(false), CParameter::DictIdFlag(false)]
    {
        let _ = context.set_parameter(parameter);
    }
    context
}

impl Compressor<'_> {
    /// Returns a compressor without a reference for blocks of up to `max_len` bytes.
    pub fn new(level: i32, max_len: usize) -> Self {
        let mut context = context();
        let _ = context.set_parameter(CParameter::CompressionLevel(level));
        // The window covers the whole block where a reader's limit allows.
        let window = usize::BITS - max_len.max(2).saturating_sub(1).leading_zeros();
        let _ = context.set_parameter(CParameter::WindowLog(window.clamp(10, crate::limits::MAX_WINDOW_LOG)));
        Self { context }
    }

    /// Compresses a block into one frame.
    pub fn compress(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(zstd_safe::compress_bound(bytes.len()));
        match self.context.compress2(&mut out, bytes) {
            Ok(_) => out,
            // Out of memory inside zstd: stored as it is, the block is still right.
            Err(_) => bytes.to_vec(),
        }
    }
}

/// A decoded reference, prepared for decoding blocks against it; shared by threads.
pub struct Reference {
    dictionary: DDict<'static>,
    len: usize,
}

impl Reference {
    /// Prepares a reference's raw bytes. Costs a copy of them.
    ///
    /// # Errors
    ///
    /// Fails if the bytes are no raw reference.
    pub fn new(raw: &[u8], place: Place) -> Result<Self> {
        if !can_be_reference(raw) {
            return damaged!(place, "reference", "{} bytes that are no raw reference", raw.len());
        }
        Ok(Self { dictionary: DDict::create(raw), len: raw.len() })
    }

    /// Returns the memory it takes.
    pub fn weight(&self) -> usize {
        self.len + 28 * 1024
    }
}

thread_local! {
    static DECODER: RefCell<DCtx<'static>> = RefCell::new(DCtx::create());
}

/// Decodes one frame that must give exactly `raw_len` bytes; no more is allocated.
///
/// # Errors
///
/// Fails if the bytes are not one zstd frame that gives that many bytes against that reference.
pub fn decode(stored: &[u8], raw_len: usize, reference: Option<&Reference>, place: Place) -> Result<Vec<u8>> {
    match zstd_safe::find_frame_compressed_size(stored) {
        Ok(n) if n == stored.len() => {}
        Ok(n) => return damaged!(place, "frame", "{n} bytes of a frame in {} stored bytes", stored.len()),
        Err(e) => return damaged!(place, "frame", "{}", zstd_safe::get_error_name(e)),
    }
    check_frame(stored, raw_len, place)?;
    let mut raw: Vec<u8> = Vec::with_capacity(raw_len);
    let result = DECODER.with_borrow_mut(|decoder| match reference {
        Some(reference) => decoder.decompress_using_ddict(&mut raw, stored, &reference.dictionary),
        None => decoder.decompress(&mut raw, stored),
    });
    match result {
        Ok(n) if n == raw_len => Ok(raw),
        Ok(n) => damaged!(place, "decoded length", "{n} bytes, {raw_len} expected"),
        Err(e) => damaged!(place, "decoding", "{}", zstd_safe::get_error_name(e)),
    }
}

/// Checks what a frame's header says (RFC 8878, section 3.1.1.1): no checksum, no dictionary id, and a
/// window that any reader can afford.
fn check_frame(stored: &[u8], raw_len: usize, place: Place) -> Result<()> {
    let &[_, _, _, _, descriptor, next, ..] = stored else {
        return damaged!(place, "frame", "{} bytes", stored.len());
    };
    let single_segment = descriptor & 0x20 != 0;
    let window = if single_segment {
        raw_len as u64
    } else {
        let base = 1u64 << (10 + (next >> 3));
        base + base / 8 * u64::from(next & 7)
    };
    if descriptor & 0x07 != 0 || window > 1 << MAX_WINDOW_LOG {
        return damaged!(place, "frame", "descriptor {descriptor:#04x}, a window of {window} bytes");
    }
    Ok(())
}

/// Decodes zstd frames of any size piece by piece, as the clusters of a ZIM file need it.
///
/// Frames that follow each other are one stream. A decoder made by [`StreamDecoder::new`] keeps zstd's
/// own window and may give its output to any buffer; one made by [`StreamDecoder::in_place`] keeps
/// nothing, and looks back into what it wrote.
pub struct StreamDecoder {
    context: DCtx<'static>,
    /// What the last call gave: 0 at the end of a frame.
    hint: usize,
}

/// What one step of a [`StreamDecoder`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Bytes of the input that are used up.
    pub read: usize,
    /// Bytes that were added to the output.
    pub written: usize,
    /// True at the end of a frame.
    pub ended: bool,
}

impl StreamDecoder {
    /// The least that is needed of a frame to know how long its header is.
    const FRAME_START: usize = 5;

    /// Returns a decoder that refuses frames whose window is larger than a power of two.
    pub fn new(max_window_log: u32) -> Self {
        let mut context = DCtx::create();
        let _ = context.set_parameter(DParameter::WindowLogMax(max_window_log));
        Self { context, hint: Self::FRAME_START }
    }

    /// Returns a decoder that saves the copy and the memory of a window: all steps of a frame must be
    /// given the same buffer, unmoved, with room for the frame and for one block (128 KiB) more. A
    /// step with another buffer is an error, and never worse.
    pub fn in_place(max_window_log: u32) -> Self {
        let mut decoder = Self::new(max_window_log);
        let _ = decoder.context.set_parameter(DParameter::StableOutBuffer(true));
        decoder
    }

    /// Forgets the frame that was being decoded, and keeps the memory.
    pub fn reset(&mut self) {
        // Fails for no reason that a session of decoding could give.
        let _ = self.context.reset(ResetDirective::SessionOnly);
        self.hint = Self::FRAME_START;
    }

    /// Returns how many bytes of input the next step should be given, at least 1. Given no more than
    /// that, a step goes no further than the next block.
    pub fn wants(&self) -> usize {
        if self.hint == 0 { Self::FRAME_START } else { self.hint }
    }

    /// Returns true if no frame has begun that did not end.
    pub fn is_between_frames(&self) -> bool {
        self.hint == 0
    }

    /// Returns the memory that the decoder has asked for, in bytes.
    pub fn memory(&self) -> usize {
        self.context.sizeof()
    }

    /// Decodes from `input` until it is used up or `out` has no room left (its capacity; it does not
    /// grow), and adds what it gives.
    ///
    /// A step that reads nothing and writes nothing is the end: there is no more in these bytes.
    ///
    /// # Errors
    ///
    /// Returns zstd's word for what is wrong with the frame.
    pub fn step(&mut self, input: &[u8], out: &mut Vec<u8>) -> std::result::Result<Step, &'static str> {
        let before = out.len();
        let mut source = InBuffer::around(input);
        let mut target = OutBuffer::around_pos(out, before);
        let hint = self.context.decompress_stream(&mut target, &mut source);
        self.hint = hint.map_err(zstd_safe::get_error_name)?;
        let (read, written) = (source.pos(), target.pos() - before);
        Ok(Step { read, written, ended: self.hint == 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_come_back_with_and_without_a_reference() {
        let page: Vec<u8> = (0..50_000u32).flat_map(|i| (i * i).to_le_bytes()).collect();
        let place = Place::Block(0);
        let alone = compress(&page, 15);
        assert_eq!(decode(&alone, page.len(), None, place).unwrap(), page);
        let encoder = ReferenceEncoder::new(&page, 15);
        let (mut a, reference) = (encoder.compressor(), Reference::new(&page, place).unwrap());
        for block in [&page[1000..9000], &page[..100], b"unlike"] {
            let stored = a.compress(block);
            assert_eq!(decode(&stored, block.len(), Some(&reference), place).unwrap(), block);
        }
        assert!(a.compress(&page[1000..9000]).len() < 64);
    }

    #[test]
    fn frames_that_are_short_long_joined_or_skippable_are_refused() {
        let place = Place::Block(0);
        let frame = compress(&[b'a'; 1000], 3);
        let twice = [&frame[..], &frame[..]].concat();
        let skippable = [0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4];
        for (stored, len) in [
            (&frame[..], 999),
            (&frame, 1001),
            (&frame[..frame.len() - 1], 1000),
            (&twice, 2000),
            (&skippable, 4),
            (&[], 1),
        ] {
            assert!(decode(stored, len, None, place).is_err());
        }
    }

    #[test]
    fn compressing_is_the_same_on_every_thread() {
        let page: Vec<u8> = (0..200_000u32).map(|i| (i % 251) as u8 ^ (i / 977) as u8).collect();
        let encoder = ReferenceEncoder::new(&page[..100_000], 15);
        let once = encoder.compressor().compress(&page[90_000..]);
        let again = std::thread::scope(|s| {
            s.spawn(|| encoder.compressor().compress(&page[90_000..])).join().unwrap()
        });
        assert_eq!(once, again);
    }
}
