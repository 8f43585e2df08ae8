//! The postings of a group of words, as if they were one word.
//!
//! The amounts of the words of a group are added page by page and become a worth only then. Short lists
//! are merged into memory at once; long ones are read as the search asks for them.

use std::borrow::Cow;

use super::list::ListCursor;
use super::packing::BLOCK;
use super::rank::{Amounts, FieldMask, MAX_AMOUNT, MAX_WORTH, Ranker, STEP, factor};
use super::reader::{FullText, Term};
use super::words::Postings;
use super::work::{Work, cost};
use crate::error::{Place, Result, damaged};
use crate::tables::Tables;

/// Lists up to this length are merged in memory when a group has several words: in a group that gives the
/// candidates, and in one that is only asked about them, of whose lists fewer postings are needed.
pub const MERGED_GIVER: u32 = 512;
pub const MERGED_ASKED: u32 = 128;

/// What rounding may add to a posting's worth when amounts of several words are added first.
const ROUNDING: u64 = 1280;

/// Articles read at a time, as a power of two: those of 4 KiB; more where a search would otherwise begin
/// with a table of more than 65,536 places.
fn piece_bits(articles: u32) -> u32 {
    crate::index::bits::width(articles).saturating_sub(16).max(10)
}

/// What the index says of each article, read piece by piece.
pub struct Articles<'a> {
    index: &'a FullText,
    tables: &'a Tables,
    bits: u32,
    pieces: Vec<Option<Cow<'a, [u8]>>>,
}

impl<'a> Articles<'a> {
    /// Reads nothing yet.
    pub fn new(index: &'a FullText, tables: &'a Tables) -> Self {
        // The section's length was compared with this number.
        let bits = piece_bits(index.articles());
        let pieces = vec![None; index.articles().div_ceil(1 << bits) as usize];
        Self { index, tables, bits, pieces }
    }

    /// Returns the lengths and the importance of an article.
    #[inline(always)]
    pub fn get(&mut self, ordinal: u32) -> Result<[u8; 4]> {
        let at = 4 * (ordinal & ((1 << self.bits) - 1)) as usize;
        if let Some(Some(piece)) = self.pieces.get((ordinal >> self.bits) as usize)
            && let Some(article) = piece.get(at..).and_then(|rest| rest.first_chunk())
        {
            return Ok(*article);
        }
        self.read(ordinal, at)
    }

    #[cold]
    fn read(&mut self, ordinal: u32, at: usize) -> Result<[u8; 4]> {
        let row = &self.index.articles;
        let number = ordinal >> self.bits;
        let len = 4u64 << self.bits;
        let start = u64::from(number) * len;
        let end = row.len.min(start + len);
        if let Some(place) = self.pieces.get_mut(number as usize)
            && start < end
        {
            let piece = place.insert(self.tables.bytes(row, start..end)?);
            if let Some(article) = piece.get(at..).and_then(|rest| rest.first_chunk()) {
                return Ok(*article);
            }
        }
        damaged!(Place::Section(row.kind.name(), start), "ordinal", "article {ordinal} of {}", row.len / 4)
    }
}

/// What a group says of an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// The article.
    pub ordinal: u32,
    /// What its frequencies amount to: more than 0.
    pub amount: u32,
    /// What its importance multiplies by.
    pub factor: u32,
}

/// Merged postings, and for each run of 128 what the best is worth.
#[derive(Default)]
struct Memory {
    postings: Vec<Posting>,
    best: Vec<u64>,
    at: usize,
}

impl Memory {
    fn new(mut postings: Vec<Posting>, ranker: &Ranker) -> Self {
        // A stable sort, which takes the lists as the runs that they are.
        if !postings.is_sorted_by_key(|posting| posting.ordinal) {
            postings.sort_by_key(|posting| posting.ordinal);
        }
        postings.dedup_by(|next, kept| {
            let same = next.ordinal == kept.ordinal;
            if same {
                kept.amount = (kept.amount + next.amount).min(MAX_AMOUNT);
            }
            same
        });
        let worth = |p: &Posting| u64::from(ranker.worth(p.amount)) * u64::from(p.factor);
        let best = postings.chunks(BLOCK).map(|run| run.iter().map(worth).max().unwrap_or(0)).collect();
        Self { postings, best, at: 0 }
    }

    /// Moves on to the first posting that is not before `ordinal`.
    #[inline]
    fn seek(&mut self, ordinal: u32) -> Option<Posting> {
        let mut step = 1;
        // In growing steps: what is sought is near, or far.
        while self.postings.get(self.at + step).is_some_and(|posting| posting.ordinal < ordinal) {
            self.at += step;
            step *= 2;
        }
        let rest = &self.postings[self.at.min(self.postings.len())..];
        let near = &rest[..rest.len().min(step + 1)];
        self.at += near.partition_point(|posting| posting.ordinal < ordinal);
        self.postings.get(self.at).copied()
    }
}

/// A group's postings, read forwards.
pub struct Stream<'a> {
    ranker: &'a Ranker,
    amounts: Option<Amounts>,
    memory: Memory,
    lists: Vec<ListCursor<'a>>,
    scratch: Vec<Posting>,
}

impl<'a> Stream<'a> {
    /// Opens the lists of a group; those of at most `most` postings are merged where there are several.
    /// What the budget does not reach is left out.
    ///
    /// # Errors
    ///
    /// Fails if a list is damaged.
    pub fn new(
        articles: &mut Articles<'a>,
        terms: &[Term],
        fields: FieldMask,
        most: u32,
        work: &mut Work,
    ) -> Result<Self> {
        let (index, tables) = (articles.index, articles.tables);
        let ranker = index.ranker();
        let mut stream = Self {
            ranker,
            amounts: (fields != FieldMask::ALL).then(|| ranker.amounts(fields)),
            memory: Memory::default(),
            lists: vec![],
            scratch: vec![],
        };
        let mut merged = vec![];
        let several = terms.len() > 1;
        for term in terms {
            if work.is_over() {
                break;
            }
            work.spend(cost::STEP + u64::from(term.df().min(most)) / 8);
            let (mut ordinals, mut codes) = ([0; super::words::INLINE], [0; super::words::INLINE]);
            let mut n = 0;
            let inline = FullText::inline(term, |ordinal, code| {
                (ordinals[n], codes[n]) = (ordinal, code);
                n += 1;
            });
            if inline {
                stream.take(&ordinals[..n], &codes[..n], articles, &mut merged)?;
                continue;
            }
            let Postings::List { df, start, len, max } = term.postings else { continue };
            work.spend(cost::LIST);
            let mut list = ListCursor::new(tables, &index.postings, index.articles(), (df, start, len, max))?;
            if !several || df > most {
                stream.lists.push(list);
                continue;
            }
            let mut next = 0;
            while let Some((end, _)) = list.window(next, work)? {
                let (ordinals, codes) = list.within(next, end, work)?;
                stream.take(ordinals, codes, articles, &mut merged)?;
                let Some(more) = end.checked_add(1) else { break };
                next = more;
            }
        }
        stream.memory = Memory::new(merged, ranker);
        Ok(stream)
    }

    fn amounts(&self) -> &Amounts {
        self.amounts.as_ref().unwrap_or(self.ranker.all())
    }

    /// Appends those postings that count.
    fn take(
        &self,
        ordinals: &[u32],
        codes: &[u32],
        articles: &mut Articles<'a>,
        out: &mut Vec<Posting>,
    ) -> Result<()> {
        take(self.ranker, self.amounts(), (ordinals, codes), articles, out)
    }

    /// Returns true if there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.lists.is_empty() && self.memory.postings.is_empty()
    }

    /// Returns the number of postings, those of an article in several lists counted for each.
    pub fn len(&self) -> u64 {
        self.lists.iter().map(|list| list.df() as u64).sum::<u64>() + self.memory.postings.len() as u64
    }

    /// Returns what a posting is worth at most, given a list's own statement.
    fn bound(&self, steps: u8) -> u64 {
        let bound = ((u64::from(steps) + 1) << STEP) - 1;
        if self.is_union() { bound + ROUNDING } else { bound }
    }

    fn is_union(&self) -> bool {
        self.lists.len() + usize::from(!self.memory.postings.is_empty()) > 1
    }

    fn memory_bound(&self, best: u64) -> u64 {
        if self.is_union() { best + ROUNDING } else { best }
    }

    /// Returns what any posting is worth at most.
    pub fn max(&self) -> u64 {
        let memory = self.memory.best.iter().max().map_or(0, |&best| self.memory_bound(best));
        (self.lists.iter().map(|list| self.bound(list.max())).sum::<u64>() + memory).min(MAX_WORTH)
    }

    /// Returns an ordinal, not below `start`, before which no posting from `start` on lies; `None` if
    /// there is none at all.
    pub fn lower(&mut self, start: u32, work: &mut Work) -> Result<Option<u32>> {
        let mut lowest = self.memory.seek(start).map(|posting| posting.ordinal);
        for list in &mut self.lists {
            if let Some(lower) = list.lower(start, work)? {
                lowest = Some(lowest.map_or(lower, |other| other.min(lower)));
            }
        }
        Ok(lowest)
    }

    /// Returns the end of a window that begins at `start`, and what a posting in it is worth at most;
    /// `None` if there is no posting from `start` on.
    pub fn window(&mut self, start: u32, work: &mut Work) -> Result<Option<(u32, u64)>> {
        let mut window: Option<(u32, u64)> = None;
        let mut add = |end: u32, bound: u64| {
            window = Some(window.map_or((end, bound), |(e, b)| (e.min(end), b + bound)));
        };
        if self.memory.seek(start).is_some() {
            let run = self.memory.at / BLOCK;
            let last = ((run + 1) * BLOCK).min(self.memory.postings.len()) - 1;
            let best = self.memory.best.get(run).copied().unwrap_or(MAX_WORTH);
            add(self.memory.postings[last].ordinal, self.memory_bound(best));
        }
        for i in 0..self.lists.len() {
            if let Some((end, steps)) = self.lists[i].window(start, work)? {
                add(end, self.bound(steps));
            }
        }
        Ok(window.map(|(end, bound)| (end, bound.min(MAX_WORTH))))
    }

    /// Puts the postings from `start` to `end`, a window's, into `out`.
    pub fn within(
        &mut self,
        start: u32,
        end: u32,
        articles: &mut Articles<'a>,
        out: &mut Vec<Posting>,
        work: &mut Work,
    ) -> Result<()> {
        out.clear();
        if self.memory.seek(start).is_some() {
            let rest = &self.memory.postings[self.memory.at..];
            // A window ends with the run at the latest.
            let rest = &rest[..rest.len().min(BLOCK)];
            out.extend_from_slice(&rest[..rest.partition_point(|posting| posting.ordinal <= end)]);
        }
        for list in &mut self.lists {
            let postings = list.within(start, end, work)?;
            let amounts = self.amounts.as_ref().unwrap_or(self.ranker.all());
            if out.is_empty() {
                take(self.ranker, amounts, postings, articles, out)?;
                continue;
            }
            self.scratch.clear();
            take(self.ranker, amounts, postings, articles, &mut self.scratch)?;
            merge(out, &self.scratch, |posting, other| {
                posting.amount = (posting.amount + other.amount).min(MAX_AMOUNT);
            });
        }
        work.spend(cost::STEP + out.len() as u64 / 2);
        Ok(())
    }

    /// Returns what an article's frequencies amount to; `None` if the group is not in it. Articles are asked
    /// for in order.
    #[inline]
    pub fn amount(
        &mut self,
        ordinal: u32,
        articles: &mut Articles<'a>,
        work: &mut Work,
    ) -> Result<Option<u32>> {
        work.spend(cost::STEP);
        let mut sum = 0;
        if !self.memory.postings.is_empty()
            && let Some(posting) = self.memory.seek(ordinal)
            && posting.ordinal == ordinal
        {
            sum = posting.amount;
        }
        for list in &mut self.lists {
            if let Some(code) = list.code(ordinal, work)? {
                let amounts = self.amounts.as_ref().unwrap_or(self.ranker.all());
                let more = self.ranker.amount(amounts, code, articles.get(ordinal)?);
                sum = (sum + more).min(MAX_AMOUNT);
            }
        }
        Ok((sum > 0).then_some(sum))
    }
}

fn take(
    ranker: &Ranker,
    amounts: &Amounts,
    (ordinals, codes): (&[u32], &[u32]),
    articles: &mut Articles<'_>,
    out: &mut Vec<Posting>,
) -> Result<()> {
    out.reserve(ordinals.len());
    for (&ordinal, &code) in ordinals.iter().zip(codes) {
        let article = articles.get(ordinal)?;
        let amount = ranker.amount(amounts, code, article);
        if amount > 0 {
            out.push(Posting { ordinal, amount, factor: factor(article) });
        }
    }
    Ok(())
}

/// Something about an article.
pub trait OfArticle: Copy {
    /// Returns the article.
    fn ordinal(&self) -> u32;
}

impl OfArticle for Posting {
    fn ordinal(&self) -> u32 {
        self.ordinal
    }
}

/// Merges two sorted lists into the first; `add` puts two of one article together.
pub fn merge<T: OfArticle>(first: &mut Vec<T>, second: &[T], add: impl Fn(&mut T, &T)) {
    let left = std::mem::take(first);
    first.reserve(left.len() + second.len());
    let mut others = second.iter().peekable();
    for mut one in left {
        while let Some(other) = others.next_if(|other| other.ordinal() < one.ordinal()) {
            first.push(*other);
        }
        if let Some(other) = others.next_if(|other| other.ordinal() == one.ordinal()) {
            add(&mut one, other);
        }
        first.push(one);
    }
    first.extend(others);
}

#[cfg(test)]
mod tests {
    use super::piece_bits;

    #[test]
    fn the_table_of_pieces_stays_small() {
        for articles in [0, 1, 1024, 7_000_000, 1 << 26, (1 << 26) + 1, u32::MAX] {
            let pieces = articles.div_ceil(1 << piece_bits(articles));
            assert!(pieces <= 1 << 16, "{pieces} of {articles}");
            assert!(piece_bits(articles) == 10 || articles > 1 << 25);
        }
    }
}
