//! Building a tree from rows in order.

use super::leaf::{FIRST_COUNTED, FLAGS, HAS_EXTRAS, HEADER};
use super::node::{self, Child};
use super::symbols::Encoder;
use super::{KEY_INLINE, RESTART};
use crate::format::bytes::{put_varint, varint_len};
use crate::format::ids::PAGE;

/// The most bytes of a root that stands in a section of its own; above, one more level is cheaper
/// than a page that is mostly root.
const MAX_ROOT: usize = PAGE / 2;

/// The records of a leaf's rows while the leaf is being filled.
pub trait Records {
    /// What a row's record says.
    type Record;
    /// Returns the bytes of the records if one more were added.
    fn len_with(&self, record: &Self::Record) -> usize;
    /// Adds a record.
    fn push(&mut self, record: Self::Record);
    /// Writes the records and forgets them.
    fn finish(&mut self, out: &mut Vec<u8>);
}

struct Pending {
    key: Vec<u8>,
    extra: Vec<u8>,
    /// The codes of what the leaf stores of the key.
    codes: Vec<u8>,
    /// Bytes shared with the row before, the leaf's prefix included; the prefix at a restart.
    shared: usize,
}

/// Takes rows in order and gives pages of leaves, then the nodes.
pub struct Builder<'e, R: Records> {
    encoder: &'e Encoder,
    records: R,
    rows: Vec<Pending>,
    prefix: usize,
    extras: bool,
    rows_len: usize,
    rank: u32,
    counted: u32,
    counted_in_leaf: u32,
    children: Vec<Child>,
    last_key: Vec<u8>,
}

/// The upper part of a finished tree.
pub struct Nodes {
    /// The root; empty for a tree without rows.
    pub root: Vec<u8>,
    /// The pages of the other nodes, highest level first.
    pub pages: Vec<u8>,
}

impl<'e, R: Records> Builder<'e, R> {
    /// Starts a tree.
    pub fn new(encoder: &'e Encoder, records: R) -> Self {
        Self {
            encoder,
            records,
            rows: vec![],
            prefix: 0,
            extras: false,
            rows_len: 0,
            rank: 0,
            counted: 0,
            counted_in_leaf: 0,
            children: vec![],
            last_key: vec![],
        }
    }

    /// Adds a row behind all others; returns a leaf's page if one is full.
    ///
    /// `key` counts up to [`KEY_INLINE`] bytes. `extra` has at most three times as many.
    pub fn push(&mut self, key: &[u8], extra: Vec<u8>, record: R::Record, counted: bool) -> Option<Vec<u8>> {
        let key = &key[..key.len().min(KEY_INLINE)];
        let mut page = None;
        let prefix = self.prefix;
        if !self.rows.is_empty() && self.len_with(key, &extra, &record) > PAGE {
            // What the rejected row would have cost the others is not paid.
            self.set_prefix(prefix);
            page = Some(self.flush());
        }
        if self.rows.is_empty() {
            self.begin_leaf(key);
        }
        self.insert(key, extra);
        self.records.push(record);
        self.counted_in_leaf += u32::from(counted);
        page
    }

    /// Returns the leaf and the slot of the row added last.
    pub fn last_place(&self) -> (u32, u32) {
        (self.children.len().saturating_sub(1) as u32, self.rows.len().saturating_sub(1) as u32)
    }

    fn begin_leaf(&mut self, key: &[u8]) {
        let separator = if self.children.is_empty() {
            vec![]
        } else {
            let shared = common(&self.last_key, key);
            key[..key.len().min(shared + 1)].to_vec()
        };
        self.children.push(Child { separator, rank: self.rank, counted: self.counted });
        self.prefix = key.len().min(255);
        self.extras = false;
        self.rows_len = 0;
    }

    fn new_prefix(&self, key: &[u8]) -> usize {
        self.rows.first().map_or(self.prefix, |first| common(&first.key, key).min(self.prefix))
    }

    /// The leaf's length with one more row.
    fn len_with(&mut self, key: &[u8], extra: &[u8], record: &R::Record) -> usize {
        let prefix = self.new_prefix(key);
        self.set_prefix(prefix);
        let n = self.rows.len() + 1;
        let extras = self.extras || !extra.is_empty();
        let (codes, shared) = self.codes(key, n - 1);
        let row = row_len(&codes, shared - self.prefix, self.shared_before(n - 1));
        let mut len = HEADER + self.prefix + 2 * n.div_ceil(RESTART) + self.rows_len + row;
        if extras {
            len += varint_len(extra.len() as u32) + extra.len();
            if !self.extras {
                // The rows so far get an empty extra each.
                len += n - 1;
            }
        }
        len + self.records.len_with(record)
    }

    fn codes(&self, key: &[u8], slot: usize) -> (Vec<u8>, usize) {
        let shared = if slot.is_multiple_of(RESTART) {
            self.prefix
        } else {
            self.rows.get(slot.wrapping_sub(1)).map_or(self.prefix, |before| common(&before.key, key))
        };
        let mut codes = Vec::with_capacity(32);
        self.encoder.encode(&key[shared..], &mut codes);
        (codes, shared)
    }

    fn shared_before(&self, slot: usize) -> usize {
        if slot.is_multiple_of(RESTART) { 0 } else { self.rows[slot - 1].shared - self.prefix }
    }

    fn set_prefix(&mut self, prefix: usize) {
        if prefix == self.prefix {
            return;
        }
        self.prefix = prefix;
        for slot in (0..self.rows.len()).step_by(RESTART) {
            let key = std::mem::take(&mut self.rows[slot].key);
            let (codes, shared) = self.codes(&key, slot);
            let row = &mut self.rows[slot];
            (row.key, row.codes, row.shared) = (key, codes, shared);
        }
        self.recount();
    }

    fn recount(&mut self) {
        let mut len = 0;
        for slot in 0..self.rows.len() {
            let row = &self.rows[slot];
            len += row_len(&row.codes, row.shared - self.prefix, self.shared_before(slot));
            if self.extras {
                len += varint_len(row.extra.len() as u32) + row.extra.len();
            }
        }
        self.rows_len = len;
    }

    fn insert(&mut self, key: &[u8], extra: Vec<u8>) {
        let prefix = self.new_prefix(key);
        self.set_prefix(prefix);
        let slot = self.rows.len();
        let (codes, shared) = self.codes(key, slot);
        self.rows_len += row_len(&codes, shared - self.prefix, self.shared_before(slot));
        let first_extra = !self.extras && !extra.is_empty();
        if self.extras {
            self.rows_len += varint_len(extra.len() as u32) + extra.len();
        }
        self.rows.push(Pending { key: key.to_vec(), extra, codes, shared });
        if first_extra {
            self.extras = true;
            self.recount();
        }
    }

    fn flush(&mut self) -> Vec<u8> {
        let n = self.rows.len();
        let mut page = Vec::with_capacity(PAGE);
        page.extend_from_slice(&(n as u16).to_le_bytes());
        page.extend_from_slice(&[0; 2]);
        page.extend_from_slice(&self.rank.to_le_bytes());
        page.extend_from_slice(&self.counted.to_le_bytes());
        debug_assert_eq!(page.len(), FIRST_COUNTED + 4);
        debug_assert_eq!(page.len(), FLAGS);
        page.push(if self.extras { HAS_EXTRAS } else { 0 });
        page.push(self.prefix as u8);
        page.extend_from_slice(&self.rows[0].key[..self.prefix]);
        let restarts = page.len();
        page.resize(restarts + 2 * n.div_ceil(RESTART), 0);
        for slot in 0..n {
            if slot.is_multiple_of(RESTART) {
                let at = restarts + 2 * (slot / RESTART);
                let here = (page.len() as u16).to_le_bytes();
                page[at..at + 2].copy_from_slice(&here);
            }
            let before = self.shared_before(slot);
            let row = &self.rows[slot];
            put_row(&row.codes, row.shared - self.prefix, before, &mut page);
            if self.extras {
                put_varint(&mut page, row.extra.len() as u32);
                page.extend_from_slice(&row.extra);
            }
        }
        let records = (page.len() as u16).to_le_bytes();
        page[2..4].copy_from_slice(&records);
        self.records.finish(&mut page);
        debug_assert!(page.len() <= PAGE, "{} bytes", page.len());
        page.resize(PAGE, 0);
        self.rank += n as u32;
        self.counted += std::mem::take(&mut self.counted_in_leaf);
        self.last_key = self.rows.pop().map(|row| row.key).unwrap_or_default();
        self.rows.clear();
        page
    }

    /// Ends the tree: the last leaf's page, if there are rows, and the nodes.
    pub fn finish(mut self) -> (Option<Vec<u8>>, Nodes) {
        let page = (!self.rows.is_empty()).then(|| self.flush());
        (page, nodes(self.children))
    }
}

/// Builds the nodes above a level of children, which are numbered from 0.
fn nodes(children: Vec<Child>) -> Nodes {
    if children.is_empty() {
        return Nodes { root: vec![], pages: vec![] };
    }
    // Levels from the lowest up: for each, how its children are dealt to nodes.
    let mut levels: Vec<Vec<Vec<Child>>> = vec![];
    let mut level = children;
    while node_len(&level) > MAX_ROOT {
        let mut dealt: Vec<Vec<Child>> = vec![];
        let mut len = usize::MAX;
        for child in &level {
            let more = node::PER_CHILD + child.separator.len();
            if len.saturating_add(more) > PAGE {
                dealt.push(vec![]);
                len = node::HEADER;
            }
            len += more;
            if let Some(node) = dealt.last_mut() {
                node.push(child.clone());
            }
        }
        level = dealt.iter().map(|node| node[0].clone()).collect();
        levels.push(dealt);
    }
    let mut pages = vec![];
    // The highest level comes first; a level's nodes begin where the levels above it end.
    let mut start = 0u32;
    let starts: Vec<u32> = levels
        .iter()
        .rev()
        .map(|dealt| {
            let at = start;
            start += dealt.len() as u32;
            at
        })
        .collect();
    for (i, dealt) in levels.iter().enumerate().rev() {
        let mut child = if i == 0 { 0 } else { starts[levels.len() - i] };
        for node in dealt {
            let mut bytes = node::write(i as u8, child, &without_first_separator(node));
            child += node.len() as u32;
            bytes.resize(PAGE, 0);
            pages.extend_from_slice(&bytes);
        }
    }
    let first_child = if levels.is_empty() { 0 } else { starts[0] };
    Nodes { root: node::write(levels.len() as u8, first_child, &without_first_separator(&level)), pages }
}

fn without_first_separator(node: &[Child]) -> Vec<Child> {
    let mut node = node.to_vec();
    node[0].separator.clear();
    node
}

fn node_len(children: &[Child]) -> usize {
    node::HEADER + children.iter().map(|c| node::PER_CHILD + c.separator.len()).sum::<usize>()
}

fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

fn zigzag(shared: usize, before: usize) -> usize {
    if shared >= before { 2 * (shared - before) } else { 2 * (before - shared) - 1 }
}

fn row_len(codes: &[u8], shared: usize, before: usize) -> usize {
    let mut len = 1 + codes.len();
    if zigzag(shared, before) >= 15 {
        len += varint_len(shared as u32);
    }
    if codes.len() >= 15 {
        len += varint_len(codes.len() as u32 - 15);
    }
    len
}

fn put_row(codes: &[u8], shared: usize, before: usize, out: &mut Vec<u8>) {
    let z = zigzag(shared, before).min(15);
    out.push((z as u8) << 4 | codes.len().min(15) as u8);
    if z == 15 {
        put_varint(out, shared as u32);
    }
    if codes.len() >= 15 {
        put_varint(out, codes.len() as u32 - 15);
    }
    out.extend_from_slice(codes);
}
