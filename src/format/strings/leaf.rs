//! A leaf: the page that holds rows.

use std::cmp::Ordering;

use super::RESTART;
use super::symbols::Symbols;
use crate::error::{Place, Result, damaged};
use crate::format::bytes::{read_varint, u16_at, u32_at};
use crate::format::ids::PAGE;

/// Offset of the number of rows.
pub const N: usize = 0;
/// Offset of the place where the records begin.
pub const RECORDS: usize = N + 2;
/// Offset of the rank of the first row.
pub const FIRST_RANK: usize = RECORDS + 2;
/// Offset of the number of counted rows in all leaves before.
pub const FIRST_COUNTED: usize = FIRST_RANK + 4;
/// Offset of the flags.
pub const FLAGS: usize = FIRST_COUNTED + 4;
/// Offset of the length of the prefix that all keys of the leaf share.
pub const PREFIX_LEN: usize = FLAGS + 1;
/// Where the prefix itself begins.
pub const HEADER: usize = PREFIX_LEN + 1;

/// Flag: every row has a varint length and as many extra bytes behind its key.
pub const HAS_EXTRAS: u8 = 1;

/// A leaf, its head checked.
#[derive(Clone, Copy)]
pub struct Leaf<'a> {
    page: &'a [u8],
    /// The page up to the records.
    rows: &'a [u8],
    place: Place,
    n: usize,
    prefix: &'a [u8],
    restarts: usize,
    extras: bool,
}

/// Where a search of a leaf ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sought {
    /// The first slot whose key is not less than what was sought; [`Leaf::len`] if all are less.
    pub slot: usize,
    /// True if that key is what was sought.
    pub equal: bool,
    /// Where the row begins.
    at: usize,
    /// What its head counts from.
    shared_before: usize,
    /// Bytes that it shares with the row before, the leaf's prefix included.
    keep: usize,
}

/// Reads rows one after the other.
pub struct Rows<'a, 's> {
    leaf: Leaf<'a>,
    symbols: &'s Symbols,
    at: usize,
    next: usize,
    shared: usize,
    /// The key of the row read last, the leaf's prefix included.
    pub key: Vec<u8>,
    /// The extra bytes of the row read last.
    pub extra: &'a [u8],
}

/// Reads rows without decoding them: for walks that pass over most.
pub struct RawRows<'a> {
    leaf: Leaf<'a>,
    at: usize,
    next: usize,
    end: usize,
    shared: usize,
}

/// A row as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawRow<'a> {
    /// The row's number in the leaf.
    pub slot: usize,
    /// Bytes that its key shares with the row before, the leaf's prefix included; of a restart, the
    /// prefix.
    pub shared: usize,
    /// The codes of the rest.
    pub codes: &'a [u8],
}

struct Head<'a> {
    shared: usize,
    codes: &'a [u8],
    extra: &'a [u8],
    end: usize,
}

/// Asks memory for all cache lines of some bytes at once, before a search would wait for one after the
/// other: on a table that no cache holds, that is half of a look-up's time.
pub fn touch(bytes: &[u8]) {
    std::hint::black_box(bytes.iter().step_by(64).fold(0, |all, byte| all ^ byte));
}

impl<'a> Leaf<'a> {
    /// Checks the head of a page.
    pub fn parse(page: &'a [u8], place: Place) -> Result<Self> {
        let (Some(n), Some(records)) = (u16_at(page, N), u16_at(page, RECORDS)) else {
            return damaged!(place, "leaf", "{} bytes are no page", page.len());
        };
        let (n, records) = (usize::from(n), usize::from(records));
        let prefix_len = usize::from(page.get(PREFIX_LEN).copied().unwrap_or(0));
        let restarts = HEADER + prefix_len;
        let rows = restarts + 2 * n.div_ceil(RESTART);
        if page.len() != PAGE || n == 0 || records > PAGE || rows + n > records {
            return damaged!(place, "leaf", "{n} rows, records at byte {records}");
        }
        let extras = page[FLAGS] & HAS_EXTRAS != 0;
        let (rows, prefix) = (&page[..records], &page[HEADER..restarts]);
        Ok(Self { page, rows, place, n, prefix, restarts, extras })
    }

    /// Returns the number of rows: at least one.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Returns false: a leaf has rows.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// Returns the rank of the first row.
    pub fn first_rank(&self) -> u32 {
        u32_at(self.page, FIRST_RANK).unwrap_or(0)
    }

    /// Returns how many counted rows come before this leaf.
    pub fn first_counted(&self) -> u32 {
        u32_at(self.page, FIRST_COUNTED).unwrap_or(0)
    }

    /// Returns the bytes of the records.
    pub fn records(&self) -> &'a [u8] {
        &self.page[self.rows.len()..]
    }

    /// Returns the bytes with which all keys begin.
    pub fn prefix(&self) -> &'a [u8] {
        self.prefix
    }

    /// Returns the number of restarts: rows 0, 16, 32 and so on.
    pub fn restarts(&self) -> usize {
        self.n.div_ceil(RESTART)
    }

    /// Returns the codes of a restart's key behind the prefix.
    pub fn restart_codes(&self, restart: usize) -> Result<&'a [u8]> {
        Ok(self.head(self.restart(restart)?, 0)?.codes)
    }

    /// Returns a reader of the rows from a restart up to the next one.
    pub fn raw_rows(&self, restart: usize) -> Result<RawRows<'a>> {
        let next = restart * RESTART;
        Ok(RawRows {
            leaf: *self,
            at: self.restart(restart)?,
            next,
            end: self.n.min(next + RESTART),
            shared: 0,
        })
    }

    #[cold]
    fn bad<T>(&self, detail: &str) -> Result<T> {
        damaged!(self.place, "leaf row", "{detail}")
    }

    fn restart(&self, i: usize) -> Result<usize> {
        let first = self.restarts + 2 * self.n.div_ceil(RESTART);
        match u16_at(self.page, self.restarts + 2 * i).map(usize::from) {
            Some(at) if at >= first && at < self.rows.len() => Ok(at),
            _ => self.bad("a restart lies outside the rows"),
        }
    }

    #[inline(always)]
    fn head(&self, at: usize, shared_before: usize) -> Result<Head<'a>> {
        let bytes = self.rows;
        let Some(&head) = bytes.get(at) else { return self.bad("it begins behind the last") };
        let mut at = at + 1;
        let varint = |at: &mut usize| {
            let (value, len) = read_varint(&bytes[*at..])?;
            *at += len;
            Some(value as usize)
        };
        let shared = match head >> 4 {
            15 => varint(&mut at),
            // Zigzag: 0, -1, 1, -2, 2 ...
            z => shared_before.checked_add_signed(isize::from(z >> 1) ^ -isize::from(z & 1)),
        };
        let codes = match head & 15 {
            15 => varint(&mut at).map(|n| n + 15),
            n => Some(usize::from(n)),
        };
        let (Some(shared), Some(codes)) = (shared, codes) else {
            return self.bad("its head cannot be");
        };
        let Some(codes) = bytes.get(at..at.saturating_add(codes)) else {
            return self.bad("its key leaves the page");
        };
        at += codes.len();
        let mut extra: &[u8] = &[];
        if self.extras {
            let Some(bytes) = varint(&mut at).and_then(|n| bytes.get(at..at.saturating_add(n))) else {
                return self.bad("its extra bytes leave the page");
            };
            extra = bytes;
            at += extra.len();
        }
        Ok(Head { shared, codes, extra, end: at })
    }

    /// Returns a reader that begins with the first row of a restart.
    fn rows_from_restart<'s>(
        &self,
        restart: usize,
        symbols: &'s Symbols,
        mut key: Vec<u8>,
    ) -> Result<Rows<'a, 's>> {
        key.clear();
        key.extend_from_slice(self.prefix);
        let at = self.restart(restart)?;
        Ok(Rows { leaf: *self, symbols, at, next: restart * RESTART, shared: 0, key, extra: &[] })
    }

    /// Returns a reader of rows that begins with a slot.
    ///
    /// Costs the decoding of up to fifteen rows before it. The reader yields nothing if the slot is
    /// outside the leaf.
    pub fn rows_from<'s>(&self, slot: usize, symbols: &'s Symbols) -> Result<Rows<'a, 's>> {
        let restart = (slot / RESTART).min((self.n - 1) / RESTART);
        let mut rows = self.rows_from_restart(restart, symbols, Vec::with_capacity(64))?;
        while rows.next < slot.min(self.n) {
            rows.advance()?;
        }
        Ok(rows)
    }

    /// Returns the first slot whose key is not less than `target`, and whether it equals it.
    pub fn seek(&self, target: &[u8], symbols: &Symbols) -> Result<Sought> {
        let unequal = |slot| Ok(Sought { slot, equal: false, at: 0, shared_before: 0, keep: 0 });
        let Some(rest) = target.strip_prefix(self.prefix) else {
            return unequal(if target < self.prefix { 0 } else { self.n });
        };
        let (mut low, mut high) = (0, self.n.div_ceil(RESTART));
        // The last restart whose key is less than the target, or the first.
        while high - low > 1 {
            let middle = low.midpoint(high);
            let head = self.head(self.restart(middle)?, 0)?;
            match symbols.compare(head.codes, rest) {
                Some((_, order)) if head.shared == 0 => {
                    if order.is_lt() {
                        low = middle;
                    } else {
                        high = middle;
                    }
                }
                _ => return self.bad("a restart's key cannot be"),
            }
        }
        let mut at = self.restart(low)?;
        let mut shared = 0;
        // How much the target shares with the row before, all rows before being less than it.
        let mut common = 0;
        for slot in low * RESTART..self.n.min((low + 1) * RESTART + 1) {
            let restart = slot.is_multiple_of(RESTART);
            if restart {
                (shared, common) = (0, 0);
            }
            let head = self.head(at, shared)?;
            if restart && head.shared != 0 {
                return self.bad("a restart shares bytes with the row before");
            }
            let (begin, shared_before) = (at, shared);
            (shared, at) = (head.shared, head.end);
            if shared > common {
                // It differs from the target where the row before does.
                continue;
            } else if shared < common {
                return unequal(slot);
            }
            match symbols.compare(head.codes, &rest[common..]) {
                Some((more, Ordering::Less)) => common += more,
                Some((_, Ordering::Greater)) => return unequal(slot),
                Some((_, Ordering::Equal)) => {
                    let keep = self.prefix.len() + shared;
                    return Ok(Sought { slot, equal: true, at: begin, shared_before, keep });
                }
                None => return self.bad("its key has an unknown symbol"),
            }
        }
        unequal(self.n.min((low + 1) * RESTART + 1))
    }

    /// Returns a reader that begins with the row whose key is `target`, as [`Leaf::seek`] found it.
    ///
    /// Costs nothing: what the row shares with those before, it shares with `target`.
    pub fn rows_found<'s>(&self, found: Sought, target: &[u8], symbols: &'s Symbols) -> Rows<'a, 's> {
        let Sought { slot, at, shared_before, keep, .. } = found;
        let mut key = Vec::with_capacity(target.len() + 8);
        key.extend_from_slice(&target[..keep.min(target.len())]);
        Rows { leaf: *self, symbols, at, next: slot, shared: shared_before, key, extra: &[] }
    }
}

impl<'a> RawRows<'a> {
    /// Passes over rows that share at least so many bytes with the row before, the leaf's prefix
    /// included; a restart, which says nothing of what it shares, is not passed.
    #[inline]
    pub fn pass_sharing(&mut self, least: usize) -> Result<()> {
        let least = least.saturating_sub(self.leaf.prefix.len());
        while self.next < self.end && !self.next.is_multiple_of(RESTART) {
            let (shared, end) = match self.leaf.rows.get(self.at) {
                // The usual case: all of the head is in its byte.
                Some(&head) if head < 0xf0 && head & 15 != 15 && !self.leaf.extras => {
                    let z = head >> 4;
                    let step = isize::from(z >> 1) ^ -isize::from(z & 1);
                    (self.shared.saturating_add_signed(step), self.at + 1 + usize::from(head & 15))
                }
                _ => {
                    let head = self.leaf.head(self.at, self.shared)?;
                    (head.shared, head.end)
                }
            };
            if shared < least {
                return Ok(());
            }
            (self.shared, self.at, self.next) = (shared, end, self.next + 1);
        }
        Ok(())
    }

    /// Returns the next row; `None` behind the last one before the next restart.
    #[inline]
    pub fn advance(&mut self) -> Result<Option<RawRow<'a>>> {
        if self.next >= self.end {
            return Ok(None);
        }
        let head = self.leaf.head(self.at, self.shared)?;
        if self.next.is_multiple_of(RESTART) && head.shared != 0 {
            return self.leaf.bad("a restart shares bytes with the row before");
        }
        let slot = self.next;
        (self.at, self.shared, self.next) = (head.end, head.shared, slot + 1);
        let shared = self.leaf.prefix.len().saturating_add(head.shared);
        Ok(Some(RawRow { slot, shared, codes: head.codes }))
    }
}

impl Rows<'_, '_> {
    /// Returns the slot of the row that [`Rows::advance`] will read.
    pub fn next_slot(&self) -> usize {
        self.next
    }

    /// Reads the next row into `key` and `extra`; false behind the last.
    pub fn advance(&mut self) -> Result<bool> {
        if self.next >= self.leaf.n {
            return Ok(false);
        }
        let restart = self.next.is_multiple_of(RESTART);
        let head = self.leaf.head(self.at, if restart { 0 } else { self.shared })?;
        let keep = self.leaf.prefix.len() + head.shared;
        if keep > self.key.len() || (restart && head.shared != 0) {
            return self.leaf.bad("it shares more than the row before has");
        }
        self.key.truncate(keep);
        if !self.symbols.decode(head.codes, &mut self.key) {
            return self.leaf.bad("its key has an unknown symbol");
        }
        self.extra = head.extra;
        self.at = head.end;
        self.shared = head.shared;
        self.next += 1;
        Ok(true)
    }

    /// Returns true if the rows ended exactly where the records begin.
    pub fn ended_exactly(&self) -> bool {
        self.at == self.leaf.rows.len()
    }

    /// Returns true if the row that comes next stands where its restart says, where it is one.
    pub fn restart_agrees(&self) -> Result<bool> {
        Ok(!self.next.is_multiple_of(RESTART)
            || self.next >= self.leaf.n
            || self.leaf.restart(self.next / RESTART)? == self.at)
    }
}
