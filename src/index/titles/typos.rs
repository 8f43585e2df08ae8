//! Guessing: titles that are a typo or two away from what was typed.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashSet};

use super::automaton::Pattern;
use super::meter::cost;
use super::near::{Near, allowed};
use super::search::{Found, Hit, MANY, MAX_CHECKED, MAX_ROWS, MAX_WORDS, Place, Search, Take};
use super::visit::visit;
use super::walk::{Aim, walk};
use super::{Match, words};
use crate::error::Result;

/// Archives of up to so many titles have their whole keys walked over; above, words alone are.
const MAX_WHOLE: u32 = 50_000;

/// Runs of near keys that are looked at.
const MAX_RUNS: usize = 256;

/// How far a step goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// One typo.
    One,
    /// Two typos, the first letter of each word being right.
    TwoBehindFirst,
    /// Two typos anywhere.
    Two,
}

impl Search<'_, '_> {
    /// Gives titles that are near, one typo before two.
    pub(super) fn guess(&mut self, taker: &mut dyn Take) -> Result<()> {
        let query = self.query;
        let mut hits: Vec<Hit> = vec![];
        let one = Near::new(&query.words, &query.bare, 1);
        let small = self.titles.n <= MAX_WHOLE;
        if small {
            let done = self.whole_keys(&one, 1, taker.wanted(), &mut hits);
            self.note(done)?;
        }
        if hits.is_empty() {
            let done = self.near_words(&one, 1, Reach::One, &mut hits);
            self.note(done)?;
        }
        if hits.is_empty() {
            let done = self.repaired(taker.wanted(), &mut hits);
            self.note(done)?;
        }
        if hits.is_empty() && query.typos > 1 {
            let two = Near::new(&query.words, &query.bare, 2);
            if small {
                let done = self.whole_keys(&two, 2, taker.wanted(), &mut hits);
                self.note(done)?;
            }
            for reach in [Reach::TwoBehindFirst, Reach::Two] {
                if hits.is_empty() {
                    let done = self.near_words(&two, 2, reach, &mut hits);
                    self.note(done)?;
                }
            }
            if hits.is_empty() {
                let done = self.fragments(&two, &mut hits);
                self.note(done)?;
            }
        }
        hits.sort_unstable();
        let mut seen = HashSet::new();
        for (typos, rank, _, row) in hits {
            if seen.insert(row) {
                self.give(row, Found { matched: Match::Typo, typos, rank }, taker)?;
            }
        }
        Ok(())
    }

    /// Finds titles that are near as a whole, by one walk over all keys.
    fn whole_keys(&mut self, near: &Near<'_>, typos: u8, wanted: usize, hits: &mut Vec<Hit>) -> Result<()> {
        let titles = self.titles;
        let mut runs = vec![];
        let aim = Aim { pattern: &near.whole, prefix: true, within: b"" };
        let walked = walk(&titles.keys, aim, self.meter, |rows, typos| {
            runs.push((typos, rows));
            runs.len() < MAX_RUNS
        });
        self.note(walked)?;
        runs.sort_unstable_by_key(|run| (run.0, run.1.start));
        let mut rows: Vec<u32> = vec![];
        for (_, run) in runs {
            let Some(classes) = titles.classes.as_ref().filter(|_| run.len() > wanted) else {
                rows.extend(run.take(wanted));
                continue;
            };
            let mut best = classes.best(run)?;
            for _ in 0..wanted {
                let Some(row) = best.next(self.meter)? else { break };
                rows.push(row);
            }
        }
        rows.truncate(MAX_CHECKED);
        self.judge(&mut rows, near, typos, hits)
    }

    /// Compares the keys of rows with what was typed.
    pub(super) fn judge(
        &mut self,
        rows: &mut Vec<u32>,
        near: &Near<'_>,
        typos: u8,
        hits: &mut Vec<Hit>,
    ) -> Result<()> {
        if rows.len() > MAX_CHECKED {
            self.most_important(rows, MAX_CHECKED);
        }
        rows.sort_unstable();
        rows.dedup();
        let titles = self.titles;
        visit(&titles.keys, rows.iter().copied(), |row| {
            if let Some((far, rank)) = near.judge(words::text(row.key), titles.ending)
                && far <= typos
            {
                hits.push((far, rank, Reverse(titles.class(row.rank)), row.rank));
            }
            Ok(self.meter.spend(cost::ROW))
        })
    }

    /// Finds titles by their words: those typed right lead to rows, or near ones do.
    fn near_words(&mut self, near: &Near<'_>, typos: u8, reach: Reach, hits: &mut Vec<Hit>) -> Result<()> {
        let typed = &self.query.words[..];
        let mut known: Vec<(u64, usize, Place)> = vec![];
        let mut unknown: Vec<usize> = vec![];
        for (i, word) in typed.iter().enumerate() {
            match self.place_of(typed, i)? {
                Some(place) => known.push((self.rows_at(word, &place)?, i, place)),
                None => unknown.push(i),
            }
        }
        known.sort_by_key(|place| (place.0, place.1));
        unknown.sort_by_key(|&i| Reverse(typed[i].len()));
        if unknown.len() > usize::from(typos) {
            return Ok(());
        }
        if !unknown.is_empty() {
            return self.around_unknown(near, typos, reach, (&known, &unknown), hits);
        }
        if typed.len() == 1 {
            let mut rows = vec![];
            self.take_near(0, typos, reach, MAX_ROWS / 4, &mut rows)?;
            return self.judge(&mut rows, near, typos, hits);
        }
        if reach == Reach::Two {
            return Ok(());
        }
        // All are words, but some not the one that was meant: each in turn is taken to be right.
        for (n, i, place) in known.iter().take(usize::from(typos) + 1) {
            if !hits.is_empty() || *n >= MANY {
                break;
            }
            let mut rows = vec![];
            self.take_place(*i, place, &mut rows)?;
            rows.sort_unstable();
            rows.dedup();
            if rows.len() > MAX_CHECKED
                && let Some((_, j, Place::Word(list))) =
                    known.iter().find(|other| other.1 != *i && matches!(other.2, Place::Word(_)))
            {
                self.filter(&mut rows, &typed[*j], *list)?;
            }
            self.judge(&mut rows, near, typos, hits)?;
        }
        if hits.is_empty() && typos > 1 {
            let longest = (0..typed.len()).max_by_key(|&i| typed[i].len()).unwrap_or(0);
            let mut rows = vec![];
            self.take_near(longest, 1, Reach::One, MAX_ROWS / 4, &mut rows)?;
            self.judge(&mut rows, near, typos, hits)?;
        }
        Ok(())
    }

    /// Some words are in no title: the others, or words near to these, lead to rows.
    fn around_unknown(
        &mut self,
        near: &Near<'_>,
        typos: u8,
        reach: Reach,
        (known, unknown): (&[(u64, usize, Place)], &[usize]),
        hits: &mut Vec<Hit>,
    ) -> Result<()> {
        let typed = &self.query.words[..];
        if reach != Reach::Two
            && let Some((n, i, place)) = known.first()
            && *n <= MAX_ROWS as u64
        {
            let mut rows = vec![];
            self.take_place(*i, place, &mut rows)?;
            rows.sort_unstable();
            rows.dedup();
            for (_, j, place) in &known[1..] {
                let few = if unknown.len() < usize::from(typos) { MAX_CHECKED } else { 64 };
                if let (true, Place::Word(list)) = (rows.len() > few, place) {
                    self.filter(&mut rows, &typed[*j], *list)?;
                }
            }
            self.judge(&mut rows, near, typos, hits)?;
        }
        let mut best: Option<Vec<u32>> = None;
        for &i in unknown.iter().take(2) {
            if !hits.is_empty() {
                return Ok(());
            }
            let mut rows = vec![];
            self.take_near(i, typos, reach, MAX_ROWS, &mut rows)?;
            rows.sort_unstable();
            rows.dedup();
            for (n, j, place) in known {
                if rows.len() <= 256 {
                    break;
                }
                let mut fewer = rows.clone();
                match place {
                    Place::Word(list) => self.filter(&mut fewer, &typed[*j], *list)?,
                    Place::Beginning(_) if *n <= MAX_ROWS as u64 => {
                        let mut listed = vec![];
                        self.take_place(*j, place, &mut listed)?;
                        listed.sort_unstable();
                        fewer.retain(|row| listed.binary_search(row).is_ok());
                    }
                    Place::Beginning(_) => continue,
                }
                // Without one typo left, the known words are right.
                if unknown.len() >= usize::from(typos) || !fewer.is_empty() {
                    rows = fewer;
                }
            }
            let n = rows.len();
            if best.as_ref().is_none_or(|best| best.len() > n) {
                best = Some(rows);
            }
            if (1..=MAX_CHECKED).contains(&n) {
                break;
            }
        }
        self.judge(&mut best.unwrap_or_default(), near, typos, hits)
    }

    /// Appends the rows at a place.
    fn take_place(&mut self, i: usize, place: &Place, out: &mut Vec<u32>) -> Result<()> {
        let word = &self.query.words[i];
        match place {
            Place::Word(list) => self.take_word(word, *list, MAX_ROWS, out),
            Place::Beginning(range) => self.take_beginning(word, range.start..range.end, MAX_ROWS, out),
        }
    }

    /// Appends the rows of the words that are near to one that was typed.
    fn take_near(
        &mut self,
        i: usize,
        typos: u8,
        reach: Reach,
        most: usize,
        out: &mut Vec<u32>,
    ) -> Result<()> {
        let titles = self.titles;
        let Some(dictionary) = &titles.words else { return Ok(()) };
        let word = &self.query.words[i];
        let pattern = Pattern::new(word, allowed(word, typos));
        let first = word.chars().next().map_or(0, char::len_utf8);
        let within = if reach == Reach::TwoBehindFirst { &word.as_bytes()[..first] } else { b"" };
        let aim = Aim { pattern: &pattern, prefix: i + 1 == self.query.words.len(), within };
        let mut found: Vec<(u8, u32)> = vec![];
        walk(&dictionary.tree, aim, self.meter, |ranks, typos| {
            found.extend(ranks.take(2 * MAX_WORDS).map(|rank| (typos, rank)));
            found.len() < 8 * MAX_WORDS
        })?;
        self.meter.spend(found.len() as u32 / 4);
        // The nearest words, and of those a run of equally near ones at a time in the dictionary's order.
        found.sort_unstable();
        found.truncate(MAX_WORDS);
        for run in found.chunk_by(|a, b| a.0 == b.0) {
            let mut lists = vec![];
            dictionary.visit(run.iter().map(|found| found.1), |word| {
                lists.push((word.word.to_string(), word.list));
                Ok(self.meter.spend(1))
            })?;
            for (word, list) in lists {
                if out.len() > most {
                    return Ok(());
                }
                self.take_word(&word, list, most, out)?;
            }
        }
        Ok(())
    }

    /// A space and a letter are wrong: words that begin or end a typed one lead to rows.
    fn fragments(&mut self, near: &Near<'_>, hits: &mut Vec<Hit>) -> Result<()> {
        const MAX_LOOKS: usize = 160;
        const LEAST: usize = 3;
        let titles = self.titles;
        let Some(dictionary) = &titles.words else { return Ok(()) };
        let mut pieces: BTreeSet<&str> = BTreeSet::new();
        for word in &self.query.words {
            let ends = word.char_indices().map(|c| c.0).chain([word.len()]).skip(LEAST);
            let starts = word.char_indices().map(|c| c.0).rev().skip(LEAST - 1);
            let halves = ends.map(|at| &word[..at]).chain(starts.map(|at| &word[at..]));
            pieces.extend(halves.take(MAX_LOOKS));
        }
        let mut pieces: Vec<&str> = pieces.into_iter().collect();
        pieces.sort_unstable_by_key(|piece| (Reverse(piece.len()), *piece));
        let mut found = vec![];
        for piece in pieces.into_iter().take(MAX_LOOKS) {
            if !self.meter.spend(cost::LOOK_UP) {
                break;
            }
            if let Some(list) = dictionary.get(piece)? {
                found.push((self.rows_of_word(piece, list)?, piece, list));
            }
        }
        found.sort_unstable_by_key(|found| (found.0, found.1));
        let mut rows = vec![];
        for (n, piece, list) in found {
            if rows.len() as u64 + n > 2 * MAX_CHECKED as u64 {
                break;
            }
            self.take_word(piece, list, MAX_CHECKED, &mut rows)?;
        }
        self.judge(&mut rows, near, 2, hits)
    }
}
