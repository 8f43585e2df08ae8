//! From blobs to blocks: which blobs lie together, where groups and blocks end, how each is
//! compressed. Everything here depends on the blobs and their order alone, never on time, threads or
//! memory, so that the same input gives the same bytes.

use std::sync::Arc;

use rayon::prelude::*;

use super::reference::{self, Cut, Weighed};
use crate::codec::{self, Compressor, ReferenceEncoder};
use crate::format::block::{Coding, Role};
use crate::format::hash_tree::{Digest, digest};

/// Raw bytes of a group: about this much, in which a path's hash chooses the end.
const GROUP: usize = 16 * MIB;
const GROUP_MIN: usize = 12 * MIB;
const GROUP_MAX: usize = 20 * MIB;

/// The largest reference: more gives little, and costs each first reader more.
const MAX_REFERENCE: usize = MIB;

/// A group gets a reference of this part of it.
const REFERENCE_PART: usize = 16;

/// Smaller groups get no reference: it would hold nearly all of them.
const MIN_REFERENCED: usize = 64 * KIB;

/// Raw bytes of a block of pages made from templates, which shrink to a tenth or less.
const TEMPLATE_BLOCK: usize = 96 * KIB;

/// Raw bytes of a block of prose, which decodes at 1 us a KiB.
const PROSE_BLOCK: usize = 32 * KIB;

/// A group that shrinks more than this is made of templates.
const TEMPLATE_RATIO: usize = 10;

/// The largest block that holds several blobs, or a part of a blob larger than that gains nothing.
pub const MAX_BLOCK: usize = MIB;

/// A blob from this size on that can be compressed gets blocks of its own.
pub const BIG: usize = 512 * KIB;

/// Raw bytes of a block of such a blob.
pub const BIG_BLOCK: usize = 4 * MIB;

/// Bytes of a block that is stored as it is: what a seek in a video must hash.
pub const STORED_BLOCK: usize = 256 * KIB;

/// Blocks on which ways to fill a reference are compared, and the level of the comparison.
const TRIAL_BLOCKS: usize = 32;
const TRIAL_LEVEL: i32 = 12;

/// Pages of less are prose rather than templates, or so short that phrases are all they share.
const SHORT_PAGE: usize = 4 * KIB;

/// Levels by default: templates gain little above 15, prose a tenth.
const TEMPLATE_LEVEL: i32 = 15;
const PROSE_LEVEL: i32 = 19;
const BIG_LEVEL: i32 = 17;

/// Level 19 makes an archive 0.4 % smaller, and takes a quarter of all the time of packing.
const REFERENCE_LEVEL: i32 = 17;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Distinct bytes on their way into a block.
pub struct Blob {
    /// Its number among all blobs.
    pub number: u32,
    /// A hash of the path under which it came first: chooses borders.
    pub path_hash: u64,
    /// The bytes, which the index may be reading at the same time.
    pub bytes: Arc<Vec<u8>>,
}

/// What is done with a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// Blocks of several blobs against a reference.
    Referenced,
    /// One blob, or a part of one, in blocks of [`BIG_BLOCK`].
    Big,
    /// Stored as it is, in blocks of [`STORED_BLOCK`].
    Stored,
}

/// How the user wants it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tuning {
    /// The zstd level, instead of the defaults.
    pub level: Option<i32>,
    /// Raw bytes of a block, instead of the defaults.
    pub block_size: Option<usize>,
}

/// One block, ready to be written.
pub struct BlockOut {
    /// The bytes for the file.
    pub stored: Vec<u8>,
    /// Their length once decoded.
    pub raw_len: u32,
    /// How they are coded.
    pub coding: Coding,
    /// What they are for.
    pub role: Role,
    /// True if the group's first block is its reference.
    pub referenced: bool,
    /// The digest of `stored`.
    pub hash: Digest,
}

/// A group, ready to be written.
pub struct GroupOut {
    /// Its blocks in order.
    pub blocks: Vec<BlockOut>,
    /// For each blob: its number, the block in the group in which it begins, and its first byte.
    pub places: Vec<(u32, u32, u32)>,
}

/// Blobs of one kind that wait for their group to be full.
#[derive(Default)]
pub struct Lane {
    blobs: Vec<Blob>,
    len: usize,
}

impl Lane {
    /// Returns the bytes that wait.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Adds a blob; true if the group ends behind it.
    pub fn push(&mut self, blob: Blob) -> bool {
        let len = blob.bytes.len();
        let ends = border(blob.path_hash.rotate_left(32), len, GROUP - GROUP_MIN);
        self.len += len;
        self.blobs.push(blob);
        self.len >= GROUP_MAX || self.len >= GROUP_MIN && ends
    }

    /// Takes what waits.
    pub fn take(&mut self) -> Vec<Blob> {
        self.len = 0;
        std::mem::take(&mut self.blobs)
    }

    /// Adds what waits in another lane.
    pub fn append(&mut self, other: &mut Lane) {
        self.len += other.len;
        self.blobs.append(&mut other.blobs);
        other.len = 0;
    }
}

/// Returns true if a blob's hash puts a border behind it, as happens once in `mean` bytes.
fn border(hash: u64, len: usize, mean: usize) -> bool {
    let mixed = (hash ^ hash >> 31).wrapping_mul(0x7fb5_d329_728e_a185) >> 32;
    mixed * mean as u64 <= (len as u64) << 32
}

/// Compresses a group. Costs most of the time of packing; uses the threads of the current pool.
pub fn pack(blobs: Vec<Blob>, treatment: Treatment, tuning: Tuning) -> GroupOut {
    match treatment {
        Treatment::Referenced => pack_referenced(&blobs, tuning),
        Treatment::Big => pack_runs(&blobs, BIG_BLOCK, Some(tuning.level.unwrap_or(BIG_LEVEL))),
        Treatment::Stored => pack_runs(&blobs, STORED_BLOCK, None),
    }
}

/// Blobs one behind the other in blocks of a size: a blob smaller than a block lies in one.
fn pack_runs(blobs: &[Blob], size: usize, level: Option<i32>) -> GroupOut {
    let mut raws: Vec<Vec<u8>> = vec![];
    let mut places = vec![];
    for blob in blobs {
        let room = raws.last().map_or(0, |last: &Vec<u8>| size - last.len());
        if blob.bytes.len() > room {
            raws.push(Vec::with_capacity(size.min(blob.bytes.len())));
        }
        places.push((blob.number, raws.len() as u32 - 1, raws[raws.len() - 1].len() as u32));
        let mut rest = &blob.bytes[..];
        while !rest.is_empty() {
            let last = raws.len() - 1;
            let n = rest.len().min(size - raws[last].len());
            raws[last].extend_from_slice(&rest[..n]);
            rest = &rest[n..];
            if !rest.is_empty() {
                raws.push(Vec::with_capacity(size.min(rest.len())));
            }
        }
    }
    let finish = |raw: Vec<u8>| match level {
        Some(level) => {
            let stored = codec::compress(&raw, level);
            block(raw, Some(stored), Role::Content, false)
        }
        None => block(raw, None, Role::Content, false),
    };
    GroupOut { blocks: raws.into_par_iter().map(finish).collect(), places }
}

fn block(raw: Vec<u8>, compressed: Option<Vec<u8>>, role: Role, referenced: bool) -> BlockOut {
    let raw_len = raw.len() as u32;
    let (stored, coding, referenced) = match compressed {
        Some(bytes) if bytes.len() < raw.len() => (bytes, Coding::Zstd, referenced),
        _ => (raw, Coding::Stored, false),
    };
    let hash = digest(&stored);
    BlockOut { stored, raw_len, coding, role, referenced, hash }
}

fn pack_referenced(blobs: &[Blob], tuning: Tuning) -> GroupOut {
    let pages: Vec<&[u8]> = blobs.iter().map(|b| &b.bytes[..]).collect();
    let (reference, ratio) = choose_reference(&pages);
    let templates = ratio > TEMPLATE_RATIO;
    let level = tuning.level.unwrap_or(if templates { TEMPLATE_LEVEL } else { PROSE_LEVEL });
    let size = tuning.block_size.unwrap_or(if templates { TEMPLATE_BLOCK } else { PROSE_BLOCK });
    let borders = cut_blocks(blobs, size.min(MAX_BLOCK));
    let first = u32::from(reference.is_some());
    let mut places = vec![];
    for (i, range) in borders.iter().enumerate() {
        let mut offset = 0u32;
        for blob in &blobs[range.clone()] {
            places.push((blob.number, first + i as u32, offset));
            offset += blob.bytes.len() as u32;
        }
    }
    let join = |range: &std::ops::Range<usize>| pages[range.clone()].concat();
    let mut blocks: Vec<BlockOut> = match &reference {
        None => borders
            .par_iter()
            .map(|range| {
                let raw = join(range);
                let stored = codec::compress(&raw, level);
                block(raw, Some(stored), Role::Content, false)
            })
            .collect(),
        Some(reference) => {
            let (encoder, stored) = rayon::join(
                || ReferenceEncoder::new(reference, level),
                || codec::compress(reference, REFERENCE_LEVEL),
            );
            let compress = |compressor: &mut Compressor<'_>, range: &std::ops::Range<usize>| {
                let raw = join(range);
                let stored = compressor.compress(&raw);
                block(raw, Some(stored), Role::Content, true)
            };
            let first = block(reference.clone(), Some(stored), Role::Reference, false);
            let rest = borders.par_iter().map_init(|| encoder.compressor(), compress);
            std::iter::once(first).chain(rest.collect::<Vec<_>>()).collect()
        }
    };
    blocks.shrink_to_fit();
    GroupOut { blocks, places }
}

/// Returns where blocks begin and end. Blobs stay whole; a border lies where a path's hash says so,
/// behind at least half the size, so that a changed page moves no borders but its own.
fn cut_blocks(blobs: &[Blob], size: usize) -> Vec<std::ops::Range<usize>> {
    let mut out = vec![];
    let (mut start, mut len) = (0, 0);
    for (i, blob) in blobs.iter().enumerate() {
        if i > start && len + blob.bytes.len() > size + size / 3 {
            out.push(start..i);
            (start, len) = (i, 0);
        }
        len += blob.bytes.len();
        if len >= size || len >= size / 2 && border(blob.path_hash, blob.bytes.len(), size / 2) {
            out.push(start..i + 1);
            (start, len) = (i + 1, 0);
        }
    }
    if start < blobs.len() {
        out.push(start..blobs.len());
    }
    out
}

/// Returns the best reference for pages, or none if none pays, and how many times they shrink.
fn choose_reference(pages: &[&[u8]]) -> (Option<Vec<u8>>, usize) {
    let total: usize = pages.iter().map(|p| p.len()).sum();
    let sample = sample_blocks(pages, total);
    let sample_len: usize = sample.iter().map(Vec::len).sum::<usize>().max(1);
    let estimate = |compressed: usize| (compressed as u128 * total as u128 / sample_len as u128) as usize;
    let alone = |level| {
        let mut compressor = Compressor::new(level, TEMPLATE_BLOCK * 2);
        estimate(sample.iter().map(|b| compressor.compress(b).len()).sum())
    };
    let without = alone(TRIAL_LEVEL);
    let ratio = |len: usize| total / len.max(1);
    if total < MIN_REFERENCED {
        return (None, ratio(without));
    }
    let mean = total / pages.len().max(1);
    let coarse = Weighed::new(pages, TEMPLATE_BLOCK * 2 / 3, reference::COARSE);
    let short = mean < SHORT_PAGE;
    let fine = short.then(|| Weighed::new(pages, TEMPLATE_BLOCK * 2 / 3, reference::FINE));
    let mut cuts: Vec<(&Weighed<'_>, Cut)> = vec![(&coarse, reference::PAGES), (&coarse, reference::TRIMMED)];
    cuts.push(fine.as_ref().map_or((&coarse, reference::PIECES), |fine| (fine, reference::PHRASES)));
    let want = (total / REFERENCE_PART).min(MAX_REFERENCE);
    let trials: Vec<(usize, Vec<u8>)> = cuts
        .par_iter()
        .map(|&(weighed, cut)| {
            let reference = reference::choose(weighed, want, cut);
            if !codec::can_be_reference(&reference) {
                return (usize::MAX, vec![]);
            }
            let encoder = ReferenceEncoder::new(&reference, TRIAL_LEVEL);
            let mut compressor = encoder.compressor();
            let blocks: usize = sample.iter().map(|b| compressor.compress(b).len()).sum();
            (estimate(blocks) + codec::compress(&reference, TRIAL_LEVEL).len(), reference)
        })
        .collect();
    match trials.into_iter().min_by_key(|t| t.0) {
        Some((len, reference)) if len < without => (Some(reference), ratio(len)),
        _ => (None, ratio(without)),
    }
}

/// Returns blocks such as will be compressed, from evenly distributed places.
fn sample_blocks(pages: &[&[u8]], total: usize) -> Vec<Vec<u8>> {
    let mut out: Vec<Vec<u8>> = vec![];
    let step = total.div_ceil(TRIAL_BLOCKS).max(1);
    let (mut at, mut next) = (0, 0);
    for page in pages {
        match out.last_mut() {
            Some(last) if last.len() < TEMPLATE_BLOCK / 2 => last.extend_from_slice(page),
            _ if at >= next => {
                out.push(page.to_vec());
                next = at + step;
            }
            _ => {}
        }
        at += page.len();
    }
    // A page of megabytes says no more than its first part.
    out.iter_mut().for_each(|b| b.truncate(MAX_BLOCK / 4));
    out
}
