//! What a group's reference holds: the pieces of its pages that most of its blocks repeat.
//!
//! A *shingle* is a hash over some bytes, kept if its value says so. Its weight is the number of
//! would-be blocks that hold it, less one: what would be saved if it stood in the reference. Pieces
//! are picked greedily by the weight that they add per byte. Several ways of cutting pieces are tried
//! on a sample of blocks, since templates want whole pages or large pieces, and prose wants phrases.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rayon::prelude::*;

/// How shingles are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grain {
    /// Bytes under a shingle.
    width: usize,
    /// One shingle in 2^this is kept.
    sampling: u32,
}

/// For templates.
pub const COARSE: Grain = Grain { width: 16, sampling: 4 };
/// For prose, where phrases repeat and nothing longer.
pub const FINE: Grain = Grain { width: 8, sampling: 1 };

/// How pieces are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// The length of a piece; whole pages if `None`.
    piece: Option<usize>,
    /// Only the spans that add something, if they lie more than so many bytes apart.
    trim: Option<usize>,
}

/// Whole pages.
pub const PAGES: Cut = Cut { piece: None, trim: None };
/// The spans of pages that add something.
pub const TRIMMED: Cut = Cut { piece: None, trim: Some(2048) };
/// Pieces of 8 KB.
pub const PIECES: Cut = Cut { piece: Some(8192), trim: None };
/// Phrases of prose.
pub const PHRASES: Cut = Cut { piece: Some(32), trim: None };

/// Bits of a shingle: 2^21 counters are 8 MB. Shingles that share a counter only blur weights.
const BITS: u32 = 21;

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// A kept shingle: where it begins, and its number.
#[derive(Clone, Copy)]
struct Shingle {
    at: u32,
    number: u32,
}

fn shingles(page: &[u8], grain: Grain) -> Vec<Shingle> {
    let mut out = Vec::with_capacity(page.len() >> grain.sampling);
    // The multiplier to the power of the width takes the byte that leaves the window out again.
    let leaving = (0..grain.width).fold(1u64, |power, _| power.wrapping_mul(MULTIPLIER));
    let mut hash = 0u64;
    for (i, &byte) in page.iter().enumerate() {
        hash = hash.wrapping_mul(MULTIPLIER).wrapping_add(u64::from(byte) + 1);
        if i >= grain.width {
            hash = hash.wrapping_sub(leaving.wrapping_mul(u64::from(page[i - grain.width]) + 1));
        }
        if i + 1 >= grain.width {
            let mixed = (hash ^ hash >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            if mixed >> (64 - grain.sampling) == 0 {
                let number = (mixed << grain.sampling >> (64 - BITS)) as u32;
                out.push(Shingle { at: (i + 1 - grain.width) as u32, number });
            }
        }
    }
    out
}

/// A piece of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Piece {
    page: u32,
    start: u32,
    end: u32,
}

/// The shingles of a group's pages and their weights, from which references are chosen.
pub struct Weighed<'p> {
    pages: &'p [&'p [u8]],
    shingles: Vec<Vec<Shingle>>,
    weights: Vec<u32>,
}

impl<'p> Weighed<'p> {
    /// Weighs pages that are to be compressed in blocks of about `block` bytes.
    ///
    /// Costs about 2 ms and 1 to 8 bytes of memory per 1000 bytes of pages, and 16 MB.
    pub fn new(pages: &'p [&'p [u8]], block: usize, grain: Grain) -> Self {
        let shingles: Vec<Vec<Shingle>> = pages.par_iter().map(|page| shingles(page, grain)).collect();
        let mut weights = vec![0u32; 1 << BITS];
        let mut last_block = vec![0u32; 1 << BITS];
        let (mut number, mut filled) = (1, 0);
        for (page, shingles) in pages.iter().zip(&shingles) {
            if filled > 0 && filled + page.len() > block {
                number += 1;
                filled = 0;
            }
            filled += page.len();
            for s in shingles {
                let i = s.number as usize;
                if last_block[i] != number {
                    last_block[i] = number;
                    weights[i] += 1;
                }
            }
        }
        weights.iter_mut().for_each(|w| *w = w.saturating_sub(1));
        Self { pages, shingles, weights }
    }
}

struct Coverage<'w> {
    weighed: &'w Weighed<'w>,
    covered: Vec<bool>,
    /// The last piece in which a shingle was counted, so that it counts once in each.
    seen: Vec<u32>,
    round: u32,
}

impl<'w> Coverage<'w> {
    fn new(weighed: &'w Weighed<'w>) -> Self {
        Self { weighed, covered: vec![false; 1 << BITS], seen: vec![0; 1 << BITS], round: 0 }
    }

    fn of(&self, piece: Piece) -> std::ops::Range<usize> {
        let all = &self.weighed.shingles[piece.page as usize];
        all.partition_point(|s| s.at < piece.start)..all.partition_point(|s| s.at < piece.end)
    }

    /// Returns the weight per byte that a piece adds, in 1/65536.
    fn gain(&mut self, piece: Piece) -> u64 {
        self.round += 1;
        let mut sum = 0u64;
        for s in &self.weighed.shingles[piece.page as usize][self.of(piece)] {
            let i = s.number as usize;
            if !self.covered[i] && self.seen[i] != self.round {
                self.seen[i] = self.round;
                sum += u64::from(self.weighed.weights[i]);
            }
        }
        (sum << 16) / u64::from(piece.end - piece.start).max(1)
    }

    /// Marks a piece's shingles as covered; returns the spans of it that are worth keeping.
    fn take(&mut self, piece: Piece, trim: Option<usize>) -> Vec<Piece> {
        let range = self.of(piece);
        let page = &self.weighed.shingles[piece.page as usize];
        let mut spans: Vec<Piece> = vec![];
        if let Some(gap) = trim {
            for s in &page[range.clone()] {
                let i = s.number as usize;
                if self.covered[i] || self.weighed.weights[i] == 0 {
                    continue;
                }
                // A little around a shingle belongs to the match that it stands for.
                let start = s.at.saturating_sub(48).max(piece.start);
                let end = (s.at + 64).min(piece.end);
                match spans.last_mut() {
                    Some(last) if start <= last.end + gap as u32 => last.end = end,
                    _ => spans.push(Piece { start, end, ..piece }),
                }
            }
        } else {
            spans.push(piece);
        }
        for s in &page[range] {
            self.covered[s.number as usize] = true;
        }
        spans
    }
}

fn cut_pieces(pages: &[&[u8]], cut: Cut) -> Vec<Piece> {
    let mut out = vec![];
    for (page, bytes) in pages.iter().enumerate() {
        let n = cut.piece.map_or(1, |len| bytes.len().div_ceil(len).max(1));
        out.extend((0..n).map(|i| Piece {
            page: page as u32,
            start: (bytes.len() * i / n) as u32,
            end: (bytes.len() * (i + 1) / n) as u32,
        }));
    }
    out
}

/// Returns a reference of about `want` bytes. The same pages give the same reference.
pub fn choose(weighed: &Weighed<'_>, want: usize, cut: Cut) -> Vec<u8> {
    let mut coverage = Coverage::new(weighed);
    let pieces = cut_pieces(weighed.pages, cut);
    // Lazy greedy: gains only fall, so a piece whose gain is still the largest is the next.
    let mut heap: BinaryHeap<(u64, Reverse<u32>)> =
        pieces.iter().enumerate().map(|(i, p)| (coverage.gain(*p), Reverse(i as u32))).collect();
    let mut picked: Vec<(Piece, usize)> = vec![];
    let mut len = 0;
    while let Some((_, Reverse(i))) = heap.pop() {
        let piece = pieces[i as usize];
        let gain = coverage.gain(piece);
        if len >= want || gain == 0 && heap.peek().is_none_or(|top| top.0 == 0) {
            break;
        }
        if heap.peek().is_some_and(|top| top.0 > gain) {
            heap.push((gain, Reverse(i)));
            continue;
        }
        let size = (piece.end - piece.start) as usize;
        if gain == 0 || len + size > want + want / 32 {
            continue;
        }
        for span in coverage.take(piece, cut.trim) {
            len += (span.end - span.start) as usize;
            picked.push((span, picked.len()));
        }
    }
    assemble(weighed.pages, picked)
}

/// Joins neighbours again, and puts the best pieces last, where offsets to them are shortest.
fn assemble(pages: &[&[u8]], mut picked: Vec<(Piece, usize)>) -> Vec<u8> {
    picked.sort_unstable();
    let mut runs: Vec<(Piece, usize)> = vec![];
    for (piece, rank) in picked {
        match runs.last_mut() {
            Some((last, best)) if last.page == piece.page && piece.start <= last.end => {
                last.end = last.end.max(piece.end);
                *best = (*best).min(rank);
            }
            _ => runs.push((piece, rank)),
        }
    }
    runs.sort_by_key(|&(_, rank)| Reverse(rank));
    let part = |&(p, _): &(Piece, usize)| &pages[p.page as usize][p.start as usize..p.end as usize];
    runs.iter().flat_map(part).copied().collect()
}
