//! Parity over the references, so that damage to a small run of one costs no group of blocks.
//!
//! The stored bytes of all references, one after the other in order of their blocks, are cut into
//! pieces of 4 KiB, the last padded with zeros. Piece *i* belongs to stripe *i* mod *k*, and the
//! parity of a stripe is the XOR of its pieces. Any run of up to 4 KiB, aligned or not, touches at
//! most two neighbouring pieces, which are in two stripes if *k* is at least 2.

use super::bytes::Cursor;
use super::ids::PAGE;
use crate::error::{Place, Result, damaged};

/// Pieces to one page of parity, at most: the parity is 1 % of the references, or two pages.
const PIECES_PER_STRIPE: u64 = 100;

/// The head of the parity section; the stripes begin at its first page's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParityHead {
    /// The number of stripes.
    pub stripes: u32,
    /// The blocks that are references, in order.
    pub references: Vec<u32>,
}

impl ParityHead {
    /// Returns how many stripes references of `len` stored bytes get.
    pub fn stripes_for(len: u64) -> u32 {
        len.div_ceil(PAGE as u64).div_ceil(PIECES_PER_STRIPE).max(2) as u32
    }

    /// Returns the length of the head, to the page's end.
    pub fn len(&self) -> usize {
        (8 + 4 * self.references.len()).next_multiple_of(PAGE)
    }

    /// Returns true if there are no references.
    pub fn is_empty(&self) -> bool {
        self.references.is_empty()
    }

    /// Writes the head.
    pub fn write(&self) -> Vec<u8> {
        let mut out = self.stripes.to_le_bytes().to_vec();
        out.extend_from_slice(&(self.references.len() as u32).to_le_bytes());
        self.references.iter().for_each(|r| out.extend_from_slice(&r.to_le_bytes()));
        out.resize(self.len(), 0);
        out
    }

    /// Reads the head of a section.
    pub fn read(section: &[u8], section_len: u64) -> Result<Self> {
        let place = Place::Section("parity", 0);
        let mut c = Cursor::new(section, place);
        let (stripes, n) = (c.u32()?, c.u32()?);
        if n as usize > section.len() / 4 {
            return damaged!(place, "parity", "{n} references in {} bytes", section.len());
        }
        let references = (0..n).map(|_| c.u32()).collect::<Result<Vec<_>>>()?;
        let head = Self { stripes, references };
        let wanted = head.len() as u64 + u64::from(stripes) * PAGE as u64;
        if stripes < 2 || wanted != section_len || head.references.windows(2).any(|w| w[0] >= w[1]) {
            return damaged!(place, "parity", "{stripes} stripes over {n} references in {section_len} bytes");
        }
        Ok(head)
    }
}

/// Adds up the parity of stored bytes that come in order.
pub struct Parity {
    stripes: Vec<Vec<u8>>,
    at: u64,
}

impl Parity {
    /// Starts with so many stripes.
    pub fn new(stripes: u32) -> Self {
        Self { stripes: vec![vec![0; PAGE]; stripes as usize], at: 0 }
    }

    /// Adds the bytes that come next.
    pub fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (piece, within) = (self.at / PAGE as u64, (self.at % PAGE as u64) as usize);
            let n = bytes.len().min(PAGE - within);
            let stripe = (piece % self.stripes.len() as u64) as usize;
            xor(&mut self.stripes[stripe][within..within + n], &bytes[..n]);
            self.at += n as u64;
            bytes = &bytes[n..];
        }
    }

    /// Returns the stripes' pages.
    pub fn finish(self) -> Vec<u8> {
        self.stripes.concat()
    }
}

/// XORs bytes into others of the same length.
pub fn xor(into: &mut [u8], bytes: &[u8]) {
    into.iter_mut().zip(bytes).for_each(|(a, b)| *a ^= b);
}
