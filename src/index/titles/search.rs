//! The stages of a search, the surest first.

use std::cmp::Reverse;
use std::ops::Range;

use super::dictionary::Word;
use super::lists::{BLOCK, List, Lists};
use super::meter::{Meter, cost};
use super::near::{Query, arrangement};
use super::visit::visit;
use super::words::{self, AFTER_FIRST};
use super::{Match, Titles};
use crate::error::{Error, Result};

/// The most rows whose keys are compared in one step of a search.
pub(super) const MAX_CHECKED: usize = 1024;

/// The most rows that are taken of one word; of a more frequent one, the most important.
pub(super) const MAX_ROWS: usize = 16_384;

/// The most rows that are taken of a range of keys where it is longer.
const MAX_BEST: usize = 2048;

/// The most words that a beginning stands for.
pub(super) const MAX_WORDS: usize = 256;

/// Words up to which a beginning's rows are counted before it is decided where to begin.
const MAX_COUNTED: usize = 32;

/// Above so many words a beginning is taken to be frequent.
pub(super) const MANY: u64 = u64::MAX / 2;

/// How a row was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// How its title matches.
    pub matched: Match,
    /// How many typos away it is.
    pub typos: u8,
    /// How its words stand: 0 as typed and no more, 1 from the first on, 2 one after the other, 3 apart.
    pub rank: u8,
}

/// Takes the rows that a search finds, the best first.
pub trait Take {
    /// Takes a row.
    ///
    /// # Errors
    ///
    /// Fails if what the row stands for cannot be read; the search goes on if it is merely damaged.
    fn take(&mut self, row: u32, found: Found) -> Result<()>;
    /// Returns true if nothing more is wanted.
    fn is_full(&self) -> bool;
    /// Returns true if nothing was found so far.
    fn is_empty(&self) -> bool;
    /// Returns how many are wanted in all.
    fn wanted(&self) -> usize;
}

/// A row that matches, ready to be sorted: typos, arrangement, class, row.
pub(super) type Hit = (u8, u8, Reverse<u8>, u32);

/// One search.
pub struct Search<'s, 'a> {
    pub(super) titles: &'s Titles<'a>,
    pub(super) query: &'s Query,
    pub(super) meter: &'s mut Meter,
    /// The first damage met; the search went on without.
    pub damage: Option<Error>,
    /// True if titles could not be looked for, or not read, however they were found.
    pub is_blind: bool,
}

/// Where a word of the query leads to.
pub(super) enum Place {
    /// A word of the dictionary.
    Word(List),
    /// Those that begin so, by rank.
    Beginning(Range<u32>),
}

impl<'s, 'a> Search<'s, 'a> {
    /// Prepares a search.
    pub fn new(titles: &'s Titles<'a>, query: &'s Query, meter: &'s mut Meter) -> Self {
        Self { titles, query, meter, damage: None, is_blind: false }
    }

    /// Goes through the stages until enough was found.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read; damage is noted and passed over.
    pub fn run(&mut self, taker: &mut dyn Take) -> Result<()> {
        if self.query.key.is_empty() || taker.is_full() {
            return Ok(());
        }
        let beginning = match self.titles.beginning(&self.query.key) {
            Ok(rows) => rows,
            Err(error) => {
                self.note::<()>(Err(error))?;
                self.is_blind = true;
                0..0
            }
        };
        let mut exact = vec![];
        // What is a title, begins one: no other look is needed where nothing begins so.
        if !beginning.is_empty() {
            let found = self.exact(beginning.start, taker);
            exact = self.note(found)?.unwrap_or_default();
        }
        if !taker.is_full() {
            let done = self.prefix(beginning.clone(), &exact, taker);
            self.note(done)?;
        }
        if !taker.is_full() && !self.query.words.is_empty() {
            let query = self.query;
            let hits = self.words(&query.words, beginning, taker.wanted());
            for (_, rank, _, row) in self.note(hits)?.unwrap_or_default() {
                self.give(row, Found { matched: Match::Word, typos: 0, rank }, taker)?;
            }
        }
        if taker.is_empty() && self.query.typos > 0 {
            let done = self.guess(taker);
            self.note(done)?;
        }
        Ok(())
    }

    /// Keeps damage, and passes other errors on.
    pub(super) fn note<T>(&mut self, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_damage() => {
                self.damage.get_or_insert(error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn give(&mut self, row: u32, found: Found, taker: &mut dyn Take) -> Result<()> {
        if taker.is_full() || !self.meter.spend(cost::ENTRY) {
            return Ok(());
        }
        let taken = taker.take(row, found);
        self.is_blind |= self.note(taken)?.is_none();
        Ok(())
    }

    /// Gives the titles that are what was typed, with and without the ending; returns their rows.
    fn exact(&mut self, start: u32, taker: &mut dyn Take) -> Result<Vec<Range<u32>>> {
        let titles = self.titles;
        let key = &self.query.key;
        let mut keys = vec![(key.clone(), Some(start))];
        if !titles.ending.is_empty() {
            keys.push((format!("{key}{}", titles.ending), None));
        }
        let mut exact = vec![];
        for (key, start) in keys {
            self.meter.spend(cost::LOOK_UP);
            let (first, equal) = titles.bound(key.as_bytes(), false)?;
            if !equal || start.is_some_and(|start| start != first) {
                continue;
            }
            // No key has a zero byte: what comes behind this key begins there.
            let rows = first..titles.bound(format!("{key}\0").as_bytes(), true)?.0;
            self.best_of(rows.clone(), &[], Match::Exact, taker)?;
            exact.push(rows);
        }
        Ok(exact)
    }

    /// Gives the titles that begin with what was typed.
    fn prefix(&mut self, rows: Range<u32>, but: &[Range<u32>], taker: &mut dyn Take) -> Result<()> {
        self.best_of(rows, but, Match::Prefix, taker)
    }

    /// Gives rows of a range, the most important first; in order, where their classes are lost.
    fn best_of(
        &mut self,
        rows: Range<u32>,
        but: &[Range<u32>],
        matched: Match,
        taker: &mut dyn Take,
    ) -> Result<()> {
        let titles = self.titles;
        let found = Found { matched, typos: 0, rank: 0 };
        let is_new = |row: u32| !but.iter().any(|rows| rows.contains(&row));
        if let Some(classes) = &titles.classes {
            let best = classes.best(rows.clone());
            if let Some(mut best) = self.note(best)? {
                loop {
                    let next = best.next(self.meter);
                    match self.note(next)? {
                        Some(Some(row)) if is_new(row) => self.give(row, found, taker)?,
                        Some(Some(_)) => {}
                        Some(None) => return Ok(()),
                        None => break,
                    }
                    if taker.is_full() || self.meter.is_spent() {
                        return Ok(());
                    }
                }
            }
        }
        for row in rows.filter(|&row| is_new(row)) {
            if taker.is_full() || self.meter.is_spent() {
                break;
            }
            self.give(row, found, taker)?;
        }
        Ok(())
    }

    /// Returns where the words lead, the rarest first, with the number of their rows and their place in
    /// the query; `None` if one is in no title.
    pub(super) fn places(&mut self, typed: &[String]) -> Result<Option<Vec<(u64, usize, Place)>>> {
        let mut places = vec![];
        for i in 0..typed.len() {
            let Some(place) = self.place_of(typed, i)? else { return Ok(None) };
            places.push((self.rows_at(&typed[i], &place)?, i, place));
        }
        places.sort_by_key(|place| (place.0, place.1));
        Ok(Some(places))
    }

    /// Returns where a word leads; the last one may be the beginning of some.
    pub(super) fn place_of(&mut self, typed: &[String], i: usize) -> Result<Option<Place>> {
        let titles = self.titles;
        let Some(dictionary) = &titles.words else { return Ok(None) };
        self.meter.spend(cost::LOOK_UP);
        if i + 1 < typed.len() {
            return Ok(dictionary.get(&typed[i])?.map(Place::Word));
        }
        let range = dictionary.range(&typed[i])?;
        Ok((!range.is_empty()).then_some(Place::Beginning(range)))
    }

    /// Returns about how many rows there are at a place.
    pub(super) fn rows_at(&mut self, word: &str, place: &Place) -> Result<u64> {
        match place {
            Place::Word(list) => self.rows_of_word(word, *list),
            Place::Beginning(range) if range.len() > MAX_COUNTED => Ok(MANY),
            Place::Beginning(range) => {
                let titles = self.titles;
                let Some(dictionary) = &titles.words else { return Ok(0) };
                self.meter.spend(cost::LOOK_UP + 2 * range.len() as u32);
                let mut n = titles.beginning(word)?.len() as u64;
                dictionary.visit(range.clone(), |word: Word<'_>| {
                    n += u64::from(word.list.n);
                    Ok(true)
                })?;
                Ok(n)
            }
        }
    }

    /// Returns how many rows have a word.
    pub(super) fn rows_of_word(&mut self, word: &str, list: List) -> Result<u64> {
        Ok(u64::from(list.n) + self.first_rows(word, list)?.len() as u64)
    }

    /// Returns the rows whose first word it is.
    fn first_rows(&mut self, word: &str, list: List) -> Result<Range<u32>> {
        if !list.first || !self.meter.spend(2 * cost::LOOK_UP) {
            return Ok(0..0);
        }
        let start = self.titles.bound(word.as_bytes(), false)?.0;
        let end = self.titles.bound(&[word.as_bytes(), &[AFTER_FIRST]].concat(), true)?.0;
        Ok(start..end.max(start))
    }

    /// Appends rows of a range: all, or the most important ones.
    fn take_range(&mut self, rows: Range<u32>, most: usize, out: &mut Vec<u32>) -> Result<()> {
        if rows.len() <= most || self.titles.classes.is_none() {
            self.meter.spend(rows.len().min(most) as u32 / 16);
            out.extend(rows.take(most));
            return Ok(());
        }
        let Some(classes) = &self.titles.classes else { return Ok(()) };
        let mut best = classes.best(rows)?;
        for _ in 0..most.min(MAX_BEST) {
            let Some(row) = best.next(self.meter)? else { break };
            out.push(row);
        }
        Ok(())
    }

    /// Appends the rows that have a word, in no order; the most important where there are too many.
    pub(super) fn take_word(
        &mut self,
        word: &str,
        list: List,
        most: usize,
        out: &mut Vec<u32>,
    ) -> Result<()> {
        let first = self.first_rows(word, list)?;
        self.take_range(first, most, out)?;
        self.take_list(list, most, out)
    }

    /// Appends the rows of a list.
    fn take_list(&mut self, list: List, most: usize, out: &mut Vec<u32>) -> Result<()> {
        let titles = self.titles;
        let Some(dictionary) = &titles.words else { return Ok(()) };
        if !self.meter.spend(cost::LIST + list.n.min(BLOCK as u32) / 6) {
            return Ok(());
        }
        if list.n as usize <= BLOCK {
            return dictionary.lists.short(list, out);
        }
        let mut blocks = vec![];
        for number in 0..Lists::n_blocks(list) {
            if !self.meter.spend(1) {
                break;
            }
            blocks.push(dictionary.lists.block(list, number)?);
        }
        if list.n as usize > most {
            blocks.sort_by_key(|block| Reverse(block.class));
            blocks.truncate(most.div_ceil(BLOCK));
        }
        for block in blocks {
            if !self.meter.spend(cost::BLOCK) {
                break;
            }
            let words = dictionary.lists.block_rows(list, block, out)?;
            self.meter.spend(words);
        }
        Ok(())
    }

    /// Appends the rows that have a word which begins so.
    pub(super) fn take_beginning(
        &mut self,
        word: &str,
        words: Range<u32>,
        most: usize,
        out: &mut Vec<u32>,
    ) -> Result<()> {
        let titles = self.titles;
        let Some(dictionary) = &titles.words else { return Ok(()) };
        self.meter.spend(cost::LOOK_UP);
        let first = titles.beginning(word)?;
        self.take_range(first, most, out)?;
        self.take_lists(words.take(MAX_WORDS), dictionary, most, out)
    }

    /// Appends the rows of the lists of some words.
    fn take_lists(
        &mut self,
        words: impl Iterator<Item = u32>,
        dictionary: &super::dictionary::Dictionary<'a>,
        most: usize,
        out: &mut Vec<u32>,
    ) -> Result<()> {
        dictionary.visit(words, |word| {
            self.take_list(word.list, most, out)?;
            Ok(out.len() <= 2 * most && !self.meter.is_spent())
        })
    }

    /// Keeps of some rows, which ascend, those that have a word.
    pub(super) fn filter(&mut self, rows: &mut Vec<u32>, word: &str, list: List) -> Result<()> {
        let titles = self.titles;
        let Some(dictionary) = &titles.words else { return Ok(()) };
        let first = self.first_rows(word, list)?;
        self.meter.spend(rows.len() as u32 / 2);
        let mut listed = vec![];
        if list.n as usize <= BLOCK {
            self.meter.spend(cost::LIST + list.n / 6);
            dictionary.lists.short(list, &mut listed)?;
            rows.retain(|row| first.contains(row) || listed.binary_search(row).is_ok());
            return Ok(());
        }
        let mut at: Option<(u32, u32)> = None;
        let mut kept = vec![];
        for &row in rows.iter() {
            if first.contains(&row) {
                kept.push(row);
                continue;
            }
            if at.is_none_or(|(_, last)| row > last) {
                if !self.meter.spend(cost::BLOCK) {
                    break;
                }
                let number = dictionary.lists.block_of(list, row)?;
                if number >= Lists::n_blocks(list) {
                    at = Some((number, u32::MAX));
                    listed.clear();
                    continue;
                }
                let block = dictionary.lists.block(list, number)?;
                listed.clear();
                let words = dictionary.lists.block_rows(list, block, &mut listed)?;
                self.meter.spend(words);
                at = Some((number, block.last));
            }
            if listed.binary_search(&row).is_ok() {
                kept.push(row);
            }
        }
        *rows = kept;
        Ok(())
    }

    /// Sorts rows by importance and keeps the first of them.
    pub(super) fn most_important(&mut self, rows: &mut Vec<u32>, most: usize) {
        rows.sort_unstable();
        rows.dedup();
        self.meter.spend(rows.len() as u32 / 2);
        let classes = match &self.titles.classes {
            Some(classes) => classes.of(rows),
            None => vec![0; rows.len()],
        };
        let mut ranked: Vec<(Reverse<u8>, u32)> =
            classes.into_iter().map(Reverse).zip(rows.iter().copied()).collect();
        if ranked.len() > most {
            ranked.select_nth_unstable(most);
            ranked.truncate(most);
        }
        ranked.sort_unstable();
        rows.clear();
        rows.extend(ranked.into_iter().map(|row| row.1));
    }

    /// Returns rows that have all the words, the last of them perhaps as a beginning: at most some more
    /// than are wanted, sorted; those of `but` left out.
    pub(super) fn words(&mut self, typed: &[String], but: Range<u32>, wanted: usize) -> Result<Vec<Hit>> {
        let Some(places) = self.places(typed)? else { return Ok(vec![]) };
        let mut rows = vec![];
        let Some((_, i, place)) = places.first() else { return Ok(vec![]) };
        match place {
            Place::Word(list) => self.take_word(&typed[*i], *list, MAX_ROWS, &mut rows)?,
            // The only word, and nothing else was typed: titles that begin so are known, and in no list.
            Place::Beginning(range) if typed.len() == 1 && self.query.key == typed[0] => {
                let titles = self.titles;
                let Some(dictionary) = &titles.words else { return Ok(vec![]) };
                self.take_lists(range.clone().take(MAX_WORDS), dictionary, MAX_ROWS, &mut rows)?;
            }
            Place::Beginning(range) => self.take_beginning(&typed[*i], range.clone(), MAX_ROWS, &mut rows)?,
        }
        rows.retain(|row| !but.contains(row));
        rows.sort_unstable();
        rows.dedup();
        for (_, i, place) in places.iter().skip(1) {
            if let (true, Place::Word(list)) = (rows.len() > 64, place) {
                self.filter(&mut rows, &typed[*i], *list)?;
            }
        }
        self.most_important(&mut rows, MAX_CHECKED);
        let enough = 4 * wanted;
        let mut hits: Vec<Hit> = vec![];
        let titles = self.titles;
        // The best few at a time, each time in the order of the table.
        for some in rows.chunks_mut(enough.max(32)) {
            some.sort_unstable();
            visit(&titles.keys, some.iter().copied(), |row| {
                let bare = words::bare(words::text(row.key), titles.ending);
                if let Some(rank) = arrangement(typed, bare) {
                    hits.push((0, rank, Reverse(titles.class(row.rank)), row.rank));
                }
                Ok(self.meter.spend(cost::ROW))
            })?;
            if hits.len() >= enough || self.meter.is_spent() {
                break;
            }
        }
        hits.sort_unstable();
        Ok(hits)
    }
}
