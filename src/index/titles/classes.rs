//! How important each row of the title table is: one byte a row, and maxima over runs of them.
//!
//! The byte is a class of the row's rank by importance, in which ranks double from class to class many
//! times over: near the top a class is one row, far below it is thousands. Maxima over runs of 16
//! bytes, and over runs of 16 of those, lead to the best rows of any range without looking at the rest.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::ops::Range;

use super::meter::Meter;
use crate::error::{Place, Result, damaged};
use crate::format::first_page::{Row, SectionKind};
use crate::tables::Tables;

/// Bytes whose maximum is one byte of the level above.
pub const RUN: usize = 16;

/// Returns the lengths of the levels over `n` rows, the rows' own first.
pub fn levels(n: u64) -> Vec<u64> {
    let mut levels = vec![n];
    while let Some(&last) = levels.last().filter(|&&last| last > RUN as u64) {
        levels.push(last.div_ceil(RUN as u64));
    }
    levels
}

/// Returns the level above some bytes.
pub fn maxima(level: &[u8]) -> Vec<u8> {
    level.chunks(RUN).map(|run| run.iter().copied().max().unwrap_or(0)).collect()
}

/// Gives rows their classes: told of all rows in order, and then asked in the same order.
///
/// Costs some 20 bytes for each pair of importance and length that occurs, which are far fewer than
/// rows: rows alike stand in the table's order.
#[derive(Default)]
pub struct Ranking {
    /// By descending importance and then length: how many rows, later the rank of the next one.
    ranks: HashMap<(Reverse<u32>, u16), u64>,
    n: u64,
}

impl Ranking {
    fn key(links: u32, letters: usize) -> (Reverse<u32>, u16) {
        // Twelve leading bits are finer than the classes are.
        let kept = 32 - links.leading_zeros().min(20);
        let coarse = if kept > 12 { links >> (kept - 12) << (kept - 12) } else { links };
        (Reverse(coarse), letters.min(255) as u16)
    }

    /// Counts a row: how many links lead to it, and how long its title is.
    pub fn count(&mut self, links: u32, letters: usize) {
        *self.ranks.entry(Self::key(links, letters)).or_default() += 1;
        self.n += 1;
    }

    /// Ends the counting.
    pub fn finish(&mut self) {
        let mut keys: Vec<_> = self.ranks.keys().copied().collect();
        keys.sort_unstable();
        let mut rank = 0;
        for key in keys {
            if let Some(n) = self.ranks.get_mut(&key) {
                rank += std::mem::replace(n, rank);
            }
        }
    }

    /// Returns the class of the next row.
    pub fn class(&mut self, links: u32, letters: usize) -> u8 {
        let Some(next) = self.ranks.get_mut(&Self::key(links, letters)) else { return 0 };
        *next += 1;
        class_of(*next, self.n)
    }
}

/// Returns the class of a rank, counted from 1, among `n`: 255 for the first, 1 for the last.
fn class_of(rank: u64, n: u64) -> u8 {
    (255 - 254 * log2(rank) / log2(n + 1).max(1)) as u8
}

/// Returns the binary logarithm in 65,536ths. In integers, so that every machine packs the same bytes.
fn log2(n: u64) -> u64 {
    let whole = u64::from(n.max(1).ilog2());
    // The mantissa in 32 bits behind the point; squaring it gives the digits of the logarithm.
    let mut mantissa = (u128::from(n.max(1)) << 32) >> whole;
    let mut log = whole;
    for _ in 0..16 {
        mantissa = (mantissa * mantissa) >> 32;
        let digit = (mantissa >> 33) as u64;
        mantissa >>= digit;
        log = log << 1 | digit;
    }
    log
}

/// The classes of an archive.
pub struct Classes<'a> {
    tables: &'a Tables,
    row: &'a Row,
    /// Where each level begins, and its length.
    levels: Vec<(u64, u64)>,
}

impl<'a> Classes<'a> {
    /// Finds the classes of `n` rows; `None` if the archive has none of so many.
    pub fn find(tables: &'a Tables, n: u32) -> Option<Self> {
        let row = tables.first().row(SectionKind::TITLE_CLASSES)?;
        let mut at = 0;
        let levels: Vec<(u64, u64)> = levels(u64::from(n))
            .into_iter()
            .map(|len| {
                at += len;
                (at - len, len)
            })
            .collect();
        (at == row.len).then_some(Self { tables, row, levels })
    }

    /// Returns bytes of a level.
    fn bytes(&self, level: usize, range: Range<u64>) -> Result<Cow<'a, [u8]>> {
        match self.levels.get(level) {
            Some(&(at, len)) if range.end <= len => {
                self.tables.bytes(self.row, at + range.start..at + range.end)
            }
            _ => damaged!(Place::Section("title classes", 0), "level", "{range:?} of level {level}"),
        }
    }

    /// Returns the class of a row.
    pub fn class(&self, row: u32) -> Result<u8> {
        let row = u64::from(row);
        Ok(self.bytes(0, row..row + 1)?.first().copied().unwrap_or(0))
    }

    /// Returns the classes of rows, which must ascend; 0 where they cannot be read.
    pub fn of(&self, rows: &[u32]) -> Vec<u8> {
        // Rows that follow each other closely are read together.
        const SPAN: u64 = 1024;
        let n = self.levels.first().map_or(0, |level| level.1);
        let (mut from, mut bytes): (u64, Cow<'_, [u8]>) = (0, Cow::Borrowed(&[]));
        let class = |&row: &u32| {
            let row = u64::from(row);
            if row < from || row >= from + bytes.len() as u64 {
                from = row;
                bytes = self.bytes(0, row..(row + SPAN).min(n).max(row)).unwrap_or_default();
            }
            bytes.get((row - from) as usize).copied().unwrap_or(0)
        };
        rows.iter().map(class).collect()
    }

    /// Returns the rows of a range, the best first, among equals in the order of the table.
    pub fn best(&self, rows: Range<u32>) -> Result<Best<'_, 'a>> {
        let mut best = Best { classes: self, heap: BinaryHeap::with_capacity(64) };
        let (mut start, mut end) = (u64::from(rows.start), u64::from(rows.end));
        let run = RUN as u64;
        for level in 0.. {
            let top = level + 1 >= self.levels.len() || end.saturating_sub(start) <= run;
            if top {
                best.push(level, start..end)?;
                break;
            }
            let (inner, outer) = (start.next_multiple_of(run), end / run * run);
            best.push(level, start..inner)?;
            best.push(level, outer..end)?;
            (start, end) = (inner / run, outer / run);
        }
        Ok(best)
    }
}

/// Gives rows in the order of their importance, as far as they are asked for.
pub struct Best<'c, 'a> {
    classes: &'c Classes<'a>,
    /// Class, first row of the run, level, number in the level.
    heap: BinaryHeap<(u8, Reverse<u64>, u8, u64)>,
}

impl Best<'_, '_> {
    fn push(&mut self, level: usize, range: Range<u64>) -> Result<()> {
        if range.is_empty() {
            return Ok(());
        }
        let bytes = self.classes.bytes(level, range.clone())?;
        let first = |i: u64| Reverse(i << (4 * level));
        self.heap.extend(range.zip(bytes.iter()).map(|(i, &class)| (class, first(i), level as u8, i)));
        Ok(())
    }

    /// Returns the next row; `None` behind the last, or when the meter is spent.
    ///
    /// # Errors
    ///
    /// Fails if a page of the classes is damaged.
    pub fn next(&mut self, meter: &mut Meter) -> Result<Option<u32>> {
        while let Some((_, _, level, i)) = self.heap.pop() {
            if level == 0 {
                return Ok(u32::try_from(i).ok());
            }
            if !meter.spend(3) {
                return Ok(None);
            }
            let below = usize::from(level) - 1;
            let len = self.classes.levels.get(below).map_or(0, |l| l.1);
            let run = RUN as u64;
            self.push(below, i * run..(i * run + run).min(len))?;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_is_that_of_the_mathematicians() {
        for n in [1u64, 2, 3, 5, 1000, 65_537, 83_000_000, 1 << 40] {
            let exact = (n as f64).log2() * 65_536.0;
            assert!((log2(n) as f64 - exact).abs() < 2.0, "{n}: {} {exact}", log2(n));
        }
    }

    #[test]
    fn classes_fall_with_the_rank_over_their_whole_width() {
        for n in [1u64, 2, 100, 1_000_000] {
            assert_eq!(class_of(1, n), 255);
            assert!(class_of(n, n) <= 255 - if n > 50 { 250 } else { 0 }, "{n}: {}", class_of(n, n));
            assert!((1..n.min(1000)).all(|rank| class_of(rank, n) >= class_of(rank + 1, n)));
        }
        assert_ne!(class_of(1, 1_000_000), class_of(2, 1_000_000));
    }

    #[test]
    fn more_links_come_first_and_then_fewer_letters() {
        let rows = [(5, 9), (0, 3), (5, 4), (70_000, 30), (0, 2), (5, 4)];
        let mut ranking = Ranking::default();
        rows.iter().for_each(|r| ranking.count(r.0, r.1));
        ranking.finish();
        let classes: Vec<u8> = rows.iter().map(|r| ranking.class(r.0, r.1)).collect();
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|&i| Reverse(classes[i]));
        assert_eq!(order, [3, 2, 5, 0, 4, 1], "{classes:?}");
    }

    #[test]
    fn levels_end_with_one_run() {
        assert_eq!(levels(0), [0]);
        assert_eq!(levels(16), [16]);
        assert_eq!(levels(17), [17, 2]);
        assert_eq!(levels(5000), [5000, 313, 20, 2]);
    }
}
