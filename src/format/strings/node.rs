//! A node: what leads from a key, a rank or an ordinal to a child.

use crate::error::{Place, Result, damaged};
use crate::format::bytes::{u16_at, u32_at};
use crate::format::ids::PAGE;

/// Offset of the level: 0 if the children are leaves.
pub const LEVEL: usize = 0;
/// Offset of a byte that is zero.
pub const ZERO: usize = LEVEL + 1;
/// Offset of the number of children.
pub const N: usize = ZERO + 1;
/// Offset of the page number of the first child; the others follow it.
pub const FIRST_CHILD: usize = N + 2;
/// Where the arrays begin.
pub const HEADER: usize = FIRST_CHILD + 4;
/// Bytes of a child in the arrays: first rank, counted rows before, end of the separator.
pub const PER_CHILD: usize = 4 + 4 + 2;

/// The most levels of nodes; four hold more rows than there are ids.
pub const MAX_LEVEL: u8 = 8;

/// One child on its way into a node.
#[derive(Debug, Clone)]
pub struct Child {
    /// A string greater than every key before the child (unless the same key goes on in it) and not
    /// greater than its first key; empty for the first of a level.
    pub separator: Vec<u8>,
    /// The rank of its first row.
    pub rank: u32,
    /// Counted rows before it.
    pub counted: u32,
}

/// Returns the bytes of a node.
pub fn write(level: u8, first_child: u32, children: &[Child]) -> Vec<u8> {
    let mut out = vec![level, 0];
    out.extend_from_slice(&(children.len() as u16).to_le_bytes());
    out.extend_from_slice(&first_child.to_le_bytes());
    for child in children {
        out.extend_from_slice(&child.rank.to_le_bytes());
    }
    for child in children {
        out.extend_from_slice(&child.counted.to_le_bytes());
    }
    let mut end = 0usize;
    for child in children {
        end += child.separator.len();
        out.extend_from_slice(&(end as u16).to_le_bytes());
    }
    for child in children {
        out.extend_from_slice(&child.separator);
    }
    out
}

/// A node, its arrays checked to lie inside its bytes.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    bytes: &'a [u8],
    place: Place,
    n: usize,
    /// The level: 0 if the children are leaves.
    pub level: u8,
    first_child: u32,
}

impl<'a> Node<'a> {
    /// Checks the head of a node.
    pub fn parse(bytes: &'a [u8], place: Place) -> Result<Self> {
        let (Some(n), Some(first_child)) = (u16_at(bytes, N), u32_at(bytes, FIRST_CHILD)) else {
            return damaged!(place, "node", "{} bytes are no node", bytes.len());
        };
        let (n, level) = (usize::from(n), bytes[LEVEL]);
        let end = HEADER + n * PER_CHILD;
        if n == 0 || end > bytes.len() || bytes.len() > PAGE || level > MAX_LEVEL || bytes[ZERO] != 0 {
            return damaged!(place, "node", "{n} children on level {level}");
        }
        if first_child.checked_add(n as u32).is_none() {
            return damaged!(place, "node", "children from page {first_child}");
        }
        Ok(Self { bytes, place, n, level, first_child })
    }

    /// Returns the number of children: at least one.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Returns false: a node has children.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// Returns the page of a child.
    pub fn child(&self, i: usize) -> u32 {
        self.first_child + i as u32
    }

    /// Returns the rank of a child's first row.
    pub fn rank(&self, i: usize) -> u32 {
        u32_at(self.bytes, HEADER + 4 * i).unwrap_or(0)
    }

    /// Returns the number of counted rows before a child.
    pub fn counted(&self, i: usize) -> u32 {
        u32_at(self.bytes, HEADER + 4 * self.n + 4 * i).unwrap_or(0)
    }

    /// Returns the separator before a child.
    pub fn separator(&self, i: usize) -> Result<&'a [u8]> {
        let ends = HEADER + 8 * self.n;
        let end = |i: usize| u16_at(self.bytes, ends + 2 * i).map(usize::from);
        let start = if i == 0 { Some(0) } else { end(i - 1) };
        let strings = &self.bytes[HEADER + self.n * PER_CHILD..];
        match (start, end(i)) {
            (Some(a), Some(b)) if a <= b && b <= strings.len() => Ok(&strings[a..b]),
            _ => damaged!(self.place, "node", "separator {i} leaves the node"),
        }
    }

    /// Returns the last child that `before` accepts, or the first; `before` is true for children up
    /// to a point and false from there on.
    pub fn last_where(&self, mut before: impl FnMut(usize) -> Result<bool>) -> Result<usize> {
        let (mut low, mut high) = (0, self.n);
        while high - low > 1 {
            let middle = low.midpoint(high);
            if before(middle)? { low = middle } else { high = middle }
        }
        Ok(low)
    }
}
