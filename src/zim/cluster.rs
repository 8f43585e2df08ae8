//! Clusters: blobs that are compressed together.

use std::sync::Arc;

use crate::codec::StreamDecoder;
use crate::error::{Place, Result, damaged};

/// How the bytes of a cluster are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Xz,
    Zstd,
}

/// The largest window: old files were written at level 22, which takes 128 MiB.
const MAX_WINDOW_LOG: u32 = 27;

/// The most bytes that a cluster may decode to.
const MAX_DECODED: usize = 1 << 30;

/// The first byte of a cluster.
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

/// The blob offsets at the start of a cluster.
pub(super) fn offsets(bytes: &[u8], extended: bool, n_entries: u32, cluster: u32) -> Result<Vec<u64>> {
    let width = if extended { 8 } else { 4 };
    let place = Place::Block(cluster);
    let number = |at: usize| -> Option<u64> {
        let bytes = bytes.get(at * width..(at + 1) * width)?;
        Some(bytes.iter().rev().fold(0, |sum, &b| sum << 8 | u64::from(b)))
    };
    let Some(first) = number(0) else {
        return damaged!(place, "blob offsets", "{} bytes in all", bytes.len());
    };
    let count = first / width as u64;
    if first == 0 || first % width as u64 != 0 || count > u64::from(n_entries) + 1 {
        return damaged!(place, "blob offsets", "the first is {first}");
    }
    let mut out = Vec::new();
    for at in 0..count as usize {
        match number(at) {
            Some(offset) if out.last().is_none_or(|last| *last <= offset) => out.push(offset),
            found => return damaged!(place, "blob offsets", "number {at} is {found:?}"),
        }
    }
    Ok(out)
}

/// A decoded cluster.
pub(super) struct Decoded {
    pub bytes: Arc<Vec<u8>>,
    pub offsets: Vec<u64>,
}

/// Decodes a whole cluster; `stored` begins behind the info byte and may go on behind the cluster.
pub(super) fn decode(stored: &[u8], compression: Compression, cluster: u32) -> Result<Vec<u8>> {
    let place = Place::Block(cluster);
    let mut out: Vec<u8> = Vec::with_capacity(4 << 20);
    match compression {
        Compression::None => unreachable_none(place),
        Compression::Zstd => {
            let mut decoder = StreamDecoder::new(MAX_WINDOW_LOG);
            let mut at = 0;
            loop {
                if out.len() == out.capacity() {
                    out.reserve(out.len());
                }
                if out.len() > MAX_DECODED {
                    return damaged!(place, "decoded length", "more than {MAX_DECODED} bytes");
                }
                match decoder.step(&stored[at..], &mut out) {
                    Ok(step) => {
                        at += step.read;
                        if step.ended {
                            return Ok(out);
                        }
                        if step.read == 0 && step.written == 0 {
                            return damaged!(place, "decoding", "it ends in the middle");
                        }
                    }
                    Err(e) => return damaged!(place, "decoding", "{e}"),
                }
            }
        }
        Compression::Xz => {
            use std::io::Read;
            let reader = lzma_rust2::XzReader::new(stored, false);
            match reader.take(MAX_DECODED as u64 + 1).read_to_end(&mut out) {
                Ok(n) if n <= MAX_DECODED => Ok(out),
                Ok(_) => damaged!(place, "decoded length", "more than {MAX_DECODED} bytes"),
                Err(e) => damaged!(place, "decoding", "{e}"),
            }
        }
    }
}

fn unreachable_none(place: Place) -> Result<Vec<u8>> {
    damaged!(place, "compression", "it is stored as it is")
}
