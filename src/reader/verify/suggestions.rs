//! What suggestions stand on: classes, words of titles, and their lists.

use rayon::prelude::*;

use super::structure::{LeafFacts, is_lost_page};
use super::{Finding, Run};
use crate::error::{Place, Result};
use crate::format::first_page::{Row, SectionKind};
use crate::format::ids::NONE;
use crate::format::strings::tree::Pages;
use crate::index::titles::classes::{Classes, RUN, levels, maxima};
use crate::index::titles::dictionary::{Dictionary, WordRecords};
use crate::index::titles::{Parts, words};

/// A sum over pairs of word and row that does not depend on their order.
#[derive(Default, PartialEq, Eq)]
struct Pairs(u128);

impl Pairs {
    /// Adds a pair; [`NONE`] for the row stands for a first word.
    fn add(&mut self, word: &[u8], row: u32) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&row.to_le_bytes()).update(word);
        let mut low = [0; 16];
        low.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        self.0 = self.0.wrapping_add(u128::from_le_bytes(low));
    }
}

/// What the titles of a leaf ask the lists for.
struct Asked {
    pairs: Pairs,
    /// The first words of its first and last title that have one.
    ends: Option<(String, String)>,
}

impl Run<'_> {
    /// Checks the sections of suggestions, those that are there.
    pub(super) fn suggestions(&self) {
        let archive = self.archive;
        let tables = &archive.tables;
        let Ok(keys) = archive.title_tree() else { return };
        let Some(parts) = self.checked(Parts::read(tables, &keys)) else { return };
        let n = parts.rows();
        if let Some(row) = archive.first_page().row(SectionKind::TITLE_CLASSES) {
            self.classes(row, n);
        }
        let Some(row) = archive.first_page().row(SectionKind::TITLE_WORDS) else { return };
        let Some(dictionary) = parts.dictionary(tables) else {
            self.broken("section", "title words", "the sections beside it are missing or damaged".into());
            return;
        };
        let Some(listed) = self.words(row, &dictionary, n) else { return };
        match self.asked(parts.ending()) {
            Ok(asked) if asked != listed => {
                let message = "the lists are not those of the words of the titles".to_string();
                self.broken("lists", "title word rows", message);
            }
            // What cannot be read was reported.
            _ => {}
        }
    }

    fn classes(&self, row: &Row, n: u32) {
        let name = "title classes";
        let levels = levels(u64::from(n));
        if row.len != levels.iter().sum::<u64>() || row.count != u64::from(n) {
            let message = format!("{} bytes for {n} rows", row.len);
            return self.broken("section length", name, message);
        }
        let mut at = 0;
        let mut expected: Option<Vec<u8>> = None;
        for len in levels {
            let level = self.archive.tables.bytes(row, at..at + len);
            let level = match level {
                Ok(level) => level,
                Err(error) if is_lost_page(&error) => return,
                Err(error) => return self.report(Finding::of(&error)),
            };
            if expected.is_some_and(|expected| expected[..] != level[..]) {
                return self.broken("classes", name, format!("bytes {at} to {} are no maxima", at + len));
            }
            expected = (level.len() > RUN).then(|| maxima(&level));
            at += len;
        }
    }

    /// Checks the tree of the words and each list; returns what the lists hold.
    fn words(&self, row: &Row, dictionary: &Dictionary<'_>, n: u32) -> Option<Pairs> {
        let tree = &dictionary.tree;
        let classes = Classes::find(&self.archive.tables, n);
        let mut facts = vec![];
        let mut listed = Pairs::default();
        let (mut total, mut end, mut last): (u64, u64, Vec<u8>) = (0, 0, vec![]);
        let mut whole = true;
        for number in 0..tree.pages.leaves() {
            let mut read = || -> Result<LeafFacts> {
                let page = tree.pages.leaf(number)?;
                let leaf = tree.view(number, &page)?;
                let place = Place::Section("title words", u64::from(number) * page.len() as u64);
                let records = WordRecords::len(leaf.records(), leaf.len(), place)?;
                if let Some(message) = Self::leaf_form(tree, &leaf, records)? {
                    self.broken("leaf", "title words", format!("leaf {number}: {message}"));
                }
                let mut rows = leaf.rows_from(0, tree.symbols)?;
                let mut first = None;
                for slot in 0..leaf.len() {
                    rows.advance()?;
                    let is_word =
                        words::words(words::text(&rows.key)).map(|w| w.1.len()).eq([rows.key.len()]);
                    if !is_word || total > 0 && rows.key <= last {
                        let message = format!("row {slot} of leaf {number} is no word, or out of order");
                        self.broken("order", "title words", message);
                    }
                    first.get_or_insert_with(|| rows.key.clone());
                    last.clone_from(&rows.key);
                    total += 1;
                    let at = WordRecords::get(leaf.records(), leaf.len(), slot, place)?;
                    if at != end {
                        let message = format!("the list of row {slot} of leaf {number} begins elsewhere");
                        self.broken("lists", "title words", message);
                    }
                    let list = dictionary.lists.list(at)?;
                    let mut out = vec![];
                    end = dictionary.lists.check(list, classes.as_ref(), &mut out)?;
                    if list.first {
                        listed.add(&rows.key, NONE);
                    }
                    out.iter().for_each(|&row| listed.add(&rows.key, row));
                }
                let (rank, counted) = (leaf.first_rank(), leaf.first_counted());
                Ok(LeafFacts { rank, counted, first: first.unwrap_or_default(), last: last.clone() })
            };
            match read() {
                Ok(leaf) => facts.push(Some(leaf)),
                Err(error) => {
                    whole = false;
                    facts.push(None);
                    if !is_lost_page(&error) {
                        self.report(Finding::of(&error));
                    }
                }
            }
        }
        if whole && (row.count != total || end != dictionary.lists.row.len) {
            let message = format!("{total} words, lists of {end} bytes, not as the section rows say");
            self.broken("counts", "title words", message);
        }
        self.nodes(tree, &facts, whole);
        whole.then_some(listed)
    }

    /// Returns what the titles ask the lists for.
    fn asked(&self, ending: &str) -> Result<Pairs> {
        let leaves = self.archive.title_tree()?.pages.leaves();
        let all: Vec<Result<Asked>> =
            (0..leaves).into_par_iter().map(|leaf| self.asked_by(leaf, ending)).collect();
        let mut sum = Pairs::default();
        let mut before: Option<String> = None;
        for asked in all {
            let asked = asked?;
            sum.0 = sum.0.wrapping_add(asked.pairs.0);
            if let Some((first, last)) = asked.ends {
                if before.as_ref() != Some(&first) {
                    sum.add(first.as_bytes(), NONE);
                }
                before = Some(last);
            }
        }
        Ok(sum)
    }

    fn asked_by(&self, number: u32, ending: &str) -> Result<Asked> {
        let tree = self.archive.title_tree()?;
        let page = tree.pages.leaf(number)?;
        let leaf = tree.view(number, &page)?;
        let mut rows = leaf.rows_from(0, tree.symbols)?;
        let mut asked = Asked { pairs: Pairs::default(), ends: None };
        for slot in 0..leaf.len() as u32 {
            rows.advance()?;
            let bare = words::bare(words::text(&rows.key), ending);
            let mut seen: Vec<&str> = vec![];
            for (start, word) in words::words(bare) {
                if words::is_first(bare, start, word) {
                    match &mut asked.ends {
                        Some((_, last)) if last != word => {
                            asked.pairs.add(word.as_bytes(), NONE);
                            word.clone_into(last);
                        }
                        Some(_) => {}
                        ends => *ends = Some((word.to_string(), word.to_string())),
                    }
                } else if !seen.contains(&word) {
                    asked.pairs.add(word.as_bytes(), leaf.first_rank().saturating_add(slot));
                }
                seen.push(word);
            }
        }
        Ok(asked)
    }
}
