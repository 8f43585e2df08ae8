//! What the leaves of the words' tree say of each word.
//!
//! Most words stand in one or a few articles: their postings are in the leaf itself, bit by bit. The
//! rows between two restarts are a *group*, which begins on a byte; a word is found by reading its group.

use std::ops::Range;

use crate::error::{Place, Result, damaged};
use crate::format::bytes::{Column, Cursor};
use crate::format::strings::RESTART;
use crate::format::strings::build::Records;
use crate::index::bits::{BitReader, BitWriter, gamma_len, width};

/// The most articles of a word whose postings stand in the leaf. An index of prose was 0.7 % smaller with 9
/// than with 6.
pub const INLINE: usize = 8;

/// A word's record: where its postings are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Postings {
    /// In the leaf: ordinals and class codes of `n` articles.
    Inline {
        /// How many.
        n: u8,
        /// The articles' ordinals, ascending.
        ordinals: [u32; INLINE],
        /// The class codes.
        codes: [u8; INLINE],
    },
    /// In a list.
    List {
        /// The number of articles: more than [`INLINE`].
        df: u32,
        /// Where the list begins.
        start: u64,
        /// Its bytes.
        len: u32,
        /// What its best posting is worth, as its block says it.
        max: u8,
    },
}

impl Postings {
    /// Returns the number of articles.
    pub fn df(&self) -> u32 {
        match self {
            Self::Inline { n, .. } => u32::from(*n),
            Self::List { df, .. } => *df,
        }
    }

    /// Returns inline postings; `None` if there are none or too many.
    pub fn inline(postings: &[(u32, u8)]) -> Option<Self> {
        let (mut ordinals, mut codes) = ([0; INLINE], [0; INLINE]);
        if postings.is_empty() || postings.len() > INLINE {
            return None;
        }
        for (i, &(ordinal, code)) in postings.iter().enumerate() {
            (ordinals[i], codes[i]) = (ordinal, code);
        }
        Some(Self::Inline { n: postings.len() as u8, ordinals, codes })
    }
}

/// Widths that follow from the number of articles.
#[derive(Debug, Clone, Copy)]
struct Widths {
    /// Bits of an ordinal.
    ordinal: u32,
    /// Bits of the number of bits of a gap.
    gap: u32,
}

impl Widths {
    fn new(articles: u32) -> Self {
        let ordinal = width(articles.saturating_sub(1));
        Self { ordinal, gap: width(ordinal) }
    }
}

/// The gaps between inline ordinals, and the bits that the largest needs.
fn gaps(ordinals: &[u32]) -> ([u32; INLINE], u32) {
    let mut out = [0; INLINE];
    for (gap, pair) in out.iter_mut().zip(ordinals.windows(2)) {
        *gap = pair[1] - pair[0] - 1;
    }
    (out, out.iter().map(|&gap| width(gap)).max().unwrap_or(0))
}

/// The bits of a record, if words of one article do not look at each other.
fn plain_len(record: &Postings, widths: Widths) -> u32 {
    let df = record.df();
    gamma_len(df)
        + match record {
            Postings::Inline { n, ordinals, codes } => {
                let n = usize::from(*n);
                let codes: u32 = codes[..n].iter().map(|&code| gamma_len(u32::from(code) + 1)).sum();
                let gaps = if n == 1 { 0 } else { widths.gap + (n as u32 - 1) * gaps(&ordinals[..n]).1 };
                widths.ordinal + gaps + codes
            }
            Postings::List { df, len, .. } => {
                let low = df.ilog2();
                8 + gamma_len((len >> low) + 1) + low
            }
        }
}

/// The open group's length, told as it grows.
#[derive(Debug, Clone, Copy, Default)]
struct GroupLen {
    plain: u32,
    /// The length if a word of one article says whether it is the article of the one before.
    same: u32,
    single: Option<u32>,
}

impl GroupLen {
    fn with(mut self, record: &Postings, widths: Widths) -> Self {
        let bits = plain_len(record, widths);
        self.plain += bits;
        self.same += bits;
        if let Postings::Inline { n: 1, ordinals, .. } = record {
            match self.single.replace(ordinals[0]) {
                Some(before) if before == ordinals[0] => self.same = self.same + 1 - widths.ordinal,
                Some(_) => self.same += 1,
                None => {}
            }
        }
        self
    }

    fn bytes(self) -> usize {
        (1 + self.plain.min(self.same)).div_ceil(8) as usize
    }
}

/// The records of a leaf while it is filled; implements what the tree's builder asks.
pub struct WordRecords {
    widths: Widths,
    rows: Vec<Postings>,
    /// Bytes of the groups that are full.
    full: usize,
    /// Where the last group begins.
    last_at: usize,
    open: GroupLen,
    /// The lists of the rows so far end here.
    lists_end: u64,
    /// Where the lists of the leaf, and of its last group, begin.
    leaf_lists: u64,
    last_lists: u64,
}

impl WordRecords {
    /// Starts with the first leaf of an index of so many articles.
    pub fn new(articles: u32) -> Self {
        Self {
            widths: Widths::new(articles),
            rows: vec![],
            full: 0,
            last_at: 0,
            open: GroupLen::default(),
            lists_end: 0,
            leaf_lists: 0,
            last_lists: 0,
        }
    }

    fn group(&self, rows: &[Postings]) -> Vec<u8> {
        let len = rows.iter().fold(GroupLen::default(), |len, row| len.with(row, self.widths));
        let same = len.same < len.plain;
        let mut out = BitWriter::default();
        out.put(u32::from(same), 1);
        let mut single = None;
        for row in rows {
            out.put_gamma(row.df());
            match row {
                Postings::Inline { n, ordinals, codes } => {
                    let n = usize::from(*n);
                    let before = if n == 1 && same { single } else { None };
                    if let Some(before) = before {
                        out.put(u32::from(before == ordinals[0]), 1);
                    }
                    if before != Some(ordinals[0]) {
                        out.put(ordinals[0], self.widths.ordinal);
                    }
                    if n == 1 {
                        single = Some(ordinals[0]);
                    } else {
                        let (gaps, bits) = gaps(&ordinals[..n]);
                        out.put(bits, self.widths.gap);
                        gaps[..n - 1].iter().for_each(|&gap| out.put(gap, bits));
                    }
                    codes[..n].iter().for_each(|&code| out.put_gamma(u32::from(code) + 1));
                }
                Postings::List { df, len, max, .. } => {
                    let low = df.ilog2();
                    out.put(u32::from(*max), 8);
                    out.put_gamma((len >> low) + 1);
                    out.put(len & ((1 << low) - 1), low);
                }
            }
        }
        out.finish()
    }
}

/// The length of a leaf's records.
fn records_len(groups: usize, last_at: usize, lists: std::ops::RangeInclusive<u64>, bytes: usize) -> usize {
    2 * Column::DESCRIPTOR
        + Column::spanning(0, last_at as u64).packed_len(groups)
        + Column::spanning(*lists.start(), *lists.end()).packed_len(groups)
        + bytes
}

impl Records for WordRecords {
    type Record = Postings;

    fn len_with(&self, record: &Postings) -> usize {
        let groups = self.rows.len() / RESTART + 1;
        if self.rows.len().is_multiple_of(RESTART) {
            let first = if self.rows.is_empty() { self.lists_end } else { self.leaf_lists };
            let open = GroupLen::default().with(record, self.widths);
            return records_len(groups, self.full, first..=self.lists_end, self.full + open.bytes());
        }
        let open = self.open.with(record, self.widths);
        records_len(groups, self.last_at, self.leaf_lists..=self.last_lists, self.full + open.bytes())
    }

    fn push(&mut self, record: Postings) {
        if self.rows.is_empty() {
            self.leaf_lists = self.lists_end;
        }
        if self.rows.len().is_multiple_of(RESTART) {
            (self.open, self.last_at, self.last_lists) = (GroupLen::default(), self.full, self.lists_end);
        }
        self.open = self.open.with(&record, self.widths);
        if let Postings::List { len, .. } = record {
            self.lists_end += u64::from(len);
        }
        self.rows.push(record);
        if self.rows.len().is_multiple_of(RESTART) {
            self.full += self.open.bytes();
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let rows = std::mem::take(&mut self.rows);
        let (mut places, mut lists, mut bytes) = (vec![], vec![], vec![]);
        let mut list = self.leaf_lists;
        for rows in rows.chunks(RESTART) {
            places.push(bytes.len() as u64);
            lists.push(list);
            bytes.extend_from_slice(&self.group(rows));
            list += rows
                .iter()
                .map(|row| if let Postings::List { len, .. } = row { u64::from(*len) } else { 0 })
                .sum::<u64>();
        }
        let columns = [&places, &lists].map(|values| {
            let (first, last) = (values.first().copied().unwrap_or(0), values.last().copied().unwrap_or(0));
            Column::spanning(first, last)
        });
        columns.iter().for_each(|column| column.put(out));
        columns[0].pack(places.into_iter(), out);
        columns[1].pack(lists.into_iter(), out);
        out.extend_from_slice(&bytes);
        (self.full, self.last_at) = (0, 0);
    }
}

/// Where the reading of a group ended.
struct ReadGroup {
    /// The bytes of which bits were read, and whether what is left of the last is zero.
    len: usize,
    padded: bool,
    /// Where the lists of the rows read end.
    lists_end: u64,
}

/// The records of a leaf of `n` rows, their head checked.
pub struct Groups<'a> {
    bytes: &'a [u8],
    /// The bytes before the groups.
    head: usize,
    place: Place,
    n: usize,
    widths: Widths,
    articles: u32,
    places: (Column, &'a [u8]),
    lists: (Column, &'a [u8]),
}

impl<'a> Groups<'a> {
    /// Checks the head of a leaf's records.
    ///
    /// # Errors
    ///
    /// Fails if it leaves the page.
    pub fn parse(bytes: &'a [u8], n: usize, articles: u32, place: Place) -> Result<Self> {
        let mut c = Cursor::new(bytes, place);
        let groups = n.div_ceil(RESTART);
        let columns = [Column::parse(&mut c)?, Column::parse(&mut c)?];
        let places = c.take(columns[0].packed_len(groups))?;
        let lists = c.take(columns[1].packed_len(groups))?;
        let head = c.position();
        let bytes = &bytes[head..];
        let widths = Widths::new(articles);
        Ok(Self {
            bytes,
            head,
            place,
            n,
            widths,
            articles,
            places: (columns[0], places),
            lists: (columns[1], lists),
        })
    }

    /// Reads the records of a group up to that of row `last` of it, handing each to `take`.
    ///
    /// # Errors
    ///
    /// Fails if they cannot be.
    pub fn read(&self, group: usize, last: usize, mut take: impl FnMut(Postings)) -> Result<()> {
        match self.try_read(group, last, &mut take) {
            Some(_) => Ok(()),
            None => damaged!(self.place, "word record", "one in group {group} cannot be"),
        }
    }

    /// Reads all records, handing each to `take`; returns their bytes, head included,
    /// and from where to where in *postings* their lists lie.
    ///
    /// # Errors
    ///
    /// Fails if a record cannot be, or if groups, or their lists, do not lie one behind the other.
    pub fn read_all(&self, mut take: impl FnMut(Postings)) -> Result<(usize, Range<u64>)> {
        let (mut end, mut lists) = (0, None);
        for group in 0..self.n.div_ceil(RESTART) {
            let at = self.places.0.get(self.places.1, group);
            let start = self.lists.0.get(self.lists.1, group);
            let Some(read) = self.try_read(group, RESTART, &mut take) else {
                return damaged!(self.place, "word record", "one in group {group} cannot be");
            };
            let lists: &mut Range<u64> = lists.get_or_insert(start.unwrap_or(0)..start.unwrap_or(0));
            if at != Some(end as u64) || start != Some(lists.end) || !read.padded {
                return damaged!(self.place, "word records", "group {group} is not behind the one before it");
            }
            (end, lists.end) = (end + read.len, read.lists_end);
        }
        Ok((self.head + end, lists.unwrap_or(0..0)))
    }

    fn try_read(&self, group: usize, last: usize, take: &mut impl FnMut(Postings)) -> Option<ReadGroup> {
        let rows = self.n.checked_sub(group.checked_mul(RESTART)?)?.min(RESTART).min(last + 1);
        let at = usize::try_from(self.places.0.get(self.places.1, group)?).ok()?;
        let mut start = self.lists.0.get(self.lists.1, group)?;
        let mut bits = BitReader::new(self.bytes.get(at..)?);
        let same = bits.get(1)? == 1;
        let mut single = None;
        for _ in 0..rows {
            let df = bits.gamma()?;
            if df > self.articles {
                return None;
            }
            if df as usize > INLINE {
                let low = df.ilog2();
                let max = bits.get(8)? as u8;
                let high = bits.gamma()? - 1;
                let len = high.checked_mul(1 << low)? | bits.get(low)?;
                take(Postings::List { df, start, len, max });
                start = start.checked_add(u64::from(len))?;
                continue;
            }
            take(self.read_inline(&mut bits, df as usize, if same { single } else { None }, &mut single)?);
        }
        let (len, padded) = bits.end();
        Some(ReadGroup { len, padded, lists_end: start })
    }

    fn read_inline(
        &self,
        bits: &mut BitReader<'_>,
        n: usize,
        before: Option<u32>,
        single: &mut Option<u32>,
    ) -> Option<Postings> {
        let (mut ordinals, mut codes) = ([0; INLINE], [0; INLINE]);
        let before = before.filter(|_| n == 1);
        let repeated = before.is_some() && bits.get(1)? == 1;
        ordinals[0] = if repeated { before? } else { bits.get(self.widths.ordinal)? };
        if n == 1 {
            *single = Some(ordinals[0]);
        } else {
            let gap = bits.get(self.widths.gap)?;
            if gap > self.widths.ordinal {
                return None;
            }
            for i in 1..n {
                ordinals[i] = ordinals[i - 1].checked_add(1)?.checked_add(bits.get(gap)?)?;
            }
        }
        if ordinals[n - 1] >= self.articles {
            return None;
        }
        for code in &mut codes[..n] {
            *code = u8::try_from(bits.gamma()? - 1).ok()?;
        }
        Some(Postings::Inline { n: n as u8, ordinals, codes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(rows: Vec<Postings>, articles: u32) {
        let mut records = WordRecords::new(articles);
        for leaf in rows.chunks(150) {
            let mut bytes = vec![];
            let mut len = 0;
            for row in leaf {
                len = records.len_with(row);
                records.push(*row);
            }
            records.finish(&mut bytes);
            assert_eq!(bytes.len(), len);
            let groups = Groups::parse(&bytes, leaf.len(), articles, Place::File).unwrap();
            let mut back = vec![];
            for group in 0..leaf.len().div_ceil(RESTART) {
                groups.read(group, RESTART, |row| back.push(row)).unwrap();
            }
            assert_eq!(back, leaf);
            let mut all = vec![];
            let (end, lists) = groups.read_all(|row| all.push(row)).unwrap();
            assert_eq!((end, all), (bytes.len(), back));
            let lens = leaf.iter().map(|row| if let Postings::List { len, .. } = row { *len } else { 0 });
            assert_eq!(lists.end - lists.start, lens.map(u64::from).sum::<u64>());
            let mut some = vec![];
            groups.read((leaf.len() - 1) / RESTART, 0, |row| some.push(row)).unwrap();
            assert_eq!(some, [leaf[(leaf.len() - 1) / RESTART * RESTART]]);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn records_come_back_and_are_as_long_as_announced(
            rows in proptest::collection::vec((1..1000u32, any::<[u32; INLINE]>(), any::<[u8; INLINE]>(), any::<u16>()), 1..400),
            articles in 1..u32::MAX,
            single in 0..1000u32,
        ) {
            let mut start = 0;
            let rows = rows.into_iter().map(|(df, ordinals, codes, len)| {
                // Many words of one article, and often the same.
                let df = if df < single { 1 } else { df.min(articles) };
                if df as usize > INLINE {
                    let len = u32::from(len);
                    start += u64::from(len);
                    return Postings::List { df, start: start - u64::from(len), len, max: codes[0] };
                }
                let mut list: Vec<(u32, u8)> = ordinals
                    .iter()
                    .zip(codes)
                    .map(|(o, c)| (if single % 2 == 0 { o % articles } else { o % articles.min(9) }, c))
                    .take(df as usize)
                    .collect();
                list.sort_unstable();
                list.dedup_by_key(|p| p.0);
                Postings::inline(&list).unwrap()
            });
            check(rows.collect(), articles);
        }

        #[test]
        fn any_bytes_are_refused_or_make_sense(bytes in proptest::collection::vec(any::<u8>(), 0..300), n in 1..60usize, articles: u32) {
            if let Ok(groups) = Groups::parse(&bytes, n, articles, Place::File) {
                for group in 0..5 {
                    let _ = groups.read(group, RESTART, |row| {
                        assert!(row.df() <= articles);
                        if let Postings::Inline { n, ordinals, .. } = row {
                            assert!(ordinals[..usize::from(n)].windows(2).all(|w| w[0] < w[1]));
                            assert!(ordinals[usize::from(n) - 1] < articles);
                        }
                    });
                }
            }
        }
    }

    #[test]
    fn words_of_one_page_next_to_each_other_cost_a_few_bits() {
        let word = Postings::inline(&[(70_000, 0)]).unwrap();
        let mut records = WordRecords::new(100_000);
        (0..16).for_each(|_| records.push(word));
        let mut bytes = vec![];
        records.finish(&mut bytes);
        // 17 bits once, then df, same and code: one bit each.
        assert_eq!(bytes.len(), 18 + (1 + 19 + 15 * 3usize).div_ceil(8));
    }
}
