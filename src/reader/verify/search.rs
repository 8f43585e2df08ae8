//! What the full-text search stands on: parameters, articles, words, and their postings.
//!
//! A wrong answer would not show: a maximum that is too low hides hits, an ordinal too many finds what
//! is not there. So all postings are decoded, and each maximum is compared with what it is made of. That
//! the words are those of the articles is not checked: who could make an index anew needs none.

use std::borrow::Cow;
use std::ops::Range;

use rayon::prelude::*;

use super::structure::{LeafFacts, is_lost_page};
use super::{Finding, Run, Severity};
use crate::error::{Error, Result};
use crate::format::first_page::{Row, SectionKind};
use crate::format::ids::PAGE;
use crate::format::strings::tree::Pages;
use crate::index::fulltext::{FullText, MAX_WORD, Term};

/// Something wrong with lists that may have one cause and befall each of them: counted, the first told.
#[derive(Default)]
struct Wrong {
    lists: u64,
    first: String,
}

impl Wrong {
    fn add(&mut self, message: impl FnOnce() -> String) {
        if self.lists == 0 {
            self.first = message();
        }
        self.lists += 1;
    }

    fn append(&mut self, other: Self) {
        if self.lists == 0 {
            self.first = other.first;
        }
        self.lists += other.lists;
    }
}

/// What reading a leaf of words, and the lists of its words, gave.
#[derive(Default)]
struct WordScan {
    facts: LeafFacts,
    rows: u64,
    /// How many words have lists, and where these lie in the section.
    lists: u64,
    range: Range<u64>,
    /// Words with codes of no class, and with maxima that are not those of their postings.
    codes: Wrong,
    maxima: Wrong,
    findings: Vec<Finding>,
}

impl WordScan {
    fn broken(&mut self, check: &'static str, section: &'static str, message: String) {
        let finding = Finding::new(check, Severity::Error, message);
        self.findings.push(Finding { section: Some(section), ..finding });
    }
}

impl Run<'_> {
    /// Checks the full-text index, if there is one.
    pub(super) fn search(&self) -> Result<()> {
        let index = match self.archive.full_text() {
            Ok(Some(index)) => &index.words,
            Ok(None) => return Ok(()),
            Err(Error::Unsupported { found, .. }) => {
                let message = format!("{found}, which this version cannot check");
                let finding = Finding::new("search version", Severity::Warning, message);
                self.report(Finding { section: Some(SectionKind::SEARCH.name()), ..finding });
                return Ok(());
            }
            Err(error) if is_lost_page(&error) => return Ok(()),
            Err(error) => {
                self.report(Finding::of(&error));
                return Ok(());
            }
        };
        let first = self.archive.first_page();
        if index.articles() != first.n_articles {
            let message = format!("{} articles, {} in the archive", index.articles(), first.n_articles);
            self.broken("counts", SectionKind::SEARCH.name(), message);
        }
        self.article_words(index)
    }

    /// Checks the tree of the words, all leaves and their lists on all threads.
    fn article_words(&self, index: &FullText) -> Result<()> {
        let tables = &self.archive.tables;
        let name = SectionKind::WORDS.name();
        // Without them the maxima cannot be checked; the rest can.
        let articles = match index.article_bytes(tables) {
            Ok(articles) => Some(articles),
            Err(error) if is_lost_page(&error) => None,
            Err(error) => {
                self.report(Finding::of(&error));
                None
            }
        };
        let tree = index.tree(tables);
        let scans: Vec<Result<WordScan>> = (0..tree.pages.leaves())
            .into_par_iter()
            .map(|leaf| {
                self.stop()?;
                self.word_leaf(index, articles.as_ref(), leaf)
            })
            .collect();
        self.stop()?;
        let (mut facts, mut whole) = (vec![], true);
        let (mut total, mut lists, mut end) = (0u64, 0u64, 0u64);
        let (mut codes, mut maxima) = (Wrong::default(), Wrong::default());
        let mut last: Option<Vec<u8>> = None;
        for (number, scan) in scans.into_iter().enumerate() {
            let scan = match scan {
                Ok(scan) => scan,
                Err(error) => {
                    whole = false;
                    last = None;
                    facts.push(None);
                    if !is_lost_page(&error) {
                        self.report(Finding { section: Some(name), ..Finding::of(&error) });
                    }
                    continue;
                }
            };
            scan.findings.into_iter().for_each(|finding| self.report(finding));
            if last.is_some_and(|last| last >= scan.facts.first) {
                self.broken("order", name, format!("leaf {number} begins before the one before it ends"));
            }
            if whole && u64::from(scan.facts.rank) != total {
                self.broken("rank", name, format!("leaf {number} does not begin at word {total}"));
            }
            if whole && scan.range.start != end {
                let message =
                    format!("the lists of leaf {number} begin at byte {}, not {end}", scan.range.start);
                self.broken("lists", name, message);
            }
            codes.append(scan.codes);
            maxima.append(scan.maxima);
            total += scan.rows;
            lists += scan.lists;
            end = scan.range.end;
            last = Some(scan.facts.last.clone());
            facts.push(Some(scan.facts));
        }
        let postings = SectionKind::POSTINGS.name();
        for (check, wrong) in [("class code", codes), ("maximum", maxima)] {
            if wrong.lists > 0 {
                let more = match wrong.lists {
                    1 => String::new(),
                    n => format!("; the same of {} more", n - 1),
                };
                self.broken(check, postings, format!("{}{more}", wrong.first));
            }
        }
        if whole {
            self.counts(index, total, lists, end);
        }
        self.nodes(&tree, &facts, whole);
        Ok(())
    }

    /// Compares what was read with what the section rows say.
    fn counts(&self, index: &FullText, words: u64, lists: u64, end: u64) {
        let (len, _) = index.lists();
        let postings = SectionKind::POSTINGS.name();
        if end != len {
            let message = format!("lists of {end} bytes in a section of {len}");
            self.broken("section length", postings, message);
        }
        let first = self.archive.first_page();
        let nodes = |row: &Row| row.len / PAGE as u64;
        for row in &first.rows {
            let counted = match row.kind {
                SectionKind::SEARCH | SectionKind::WORDS => words,
                SectionKind::SEARCH_ARTICLES => u64::from(index.articles()),
                SectionKind::WORD_SYMBOLS | SectionKind::WORD_ROOT => 1,
                SectionKind::WORD_NODES => nodes(row),
                SectionKind::POSTINGS => lists,
                _ => continue,
            };
            if row.count != counted {
                let message = format!("{counted}, where the section row says {}", row.count);
                self.broken("counts", row.kind.name(), message);
            }
        }
    }

    fn word_leaf(&self, index: &FullText, articles: Option<&Cow<'_, [u8]>>, number: u32) -> Result<WordScan> {
        let tables = &self.archive.tables;
        let name = SectionKind::WORDS.name();
        let tree = index.tree(tables);
        let page = tree.pages.leaf(number)?;
        let leaf = tree.view(number, &page)?;
        let mut scan = WordScan::default();
        let mut terms = Vec::with_capacity(leaf.len());
        let records = index.leaf_records(number, &leaf, |term| terms.push(term))?;
        if let Some(message) = Self::leaf_form(&tree, &leaf, records.len)? {
            scan.broken("leaf", name, format!("leaf {number}: {message}"));
        }
        scan.range = records.lists;
        (scan.facts.rank, scan.facts.counted) = (leaf.first_rank(), leaf.first_counted());
        let mut rows = leaf.rows_from(0, tree.symbols)?;
        for (slot, term) in terms.iter().enumerate() {
            if !rows.advance()? {
                break;
            }
            let len = rows.key.len();
            if len == 0 || len > MAX_WORD || !rows.extra.is_empty() {
                let message = format!("row {slot} of leaf {number} is no word: {len} bytes");
                scan.broken("word", name, message);
            }
            if slot == 0 {
                scan.facts.first.clone_from(&rows.key);
            } else if rows.key <= scan.facts.last {
                scan.broken("order", name, format!("row {slot} of leaf {number} is out of order"));
            }
            scan.facts.last.clone_from(&rows.key);
            scan.rows += 1;
            scan.lists += u64::from(term.list().is_some());
            match self.list(index, articles, term, &mut scan, || format!("row {slot} of leaf {number}")) {
                Ok(()) => {}
                Err(error) if is_lost_page(&error) => {}
                Err(error) => scan.findings.push(Finding::of(&error)),
            }
        }
        Ok(scan)
    }

    /// Reads all postings of a word.
    fn list(
        &self,
        index: &FullText,
        articles: Option<&Cow<'_, [u8]>>,
        term: &Term,
        scan: &mut WordScan,
        word: impl Fn() -> String,
    ) -> Result<()> {
        let n_codes = index.codes();
        let (mut codes_hold, mut maxima_hold, mut all_best) = (true, true, 0);
        index.postings(&self.archive.tables, term, |ordinals, codes, said| {
            codes_hold &= codes.iter().all(|&code| (code as usize) < n_codes);
            if let (Some(said), Some(articles)) = (said, articles) {
                let article = |ordinal: u32| articles.get(4 * ordinal as usize..)?.first_chunk().copied();
                let worth = |(&ordinal, &code)| Some(index.steps(code, article(ordinal)?));
                let best = ordinals.iter().zip(codes).filter_map(worth).max();
                maxima_hold &= best == Some(said);
                all_best = all_best.max(said);
            }
        })?;
        if !codes_hold {
            scan.codes.add(|| format!("a posting of {} has a class that is not there", word()));
        }
        let same = articles.is_none() || term.list().is_none_or(|(_, said)| said == all_best);
        // What a code of no class is worth is nobody's to say.
        if codes_hold && !(maxima_hold && same) {
            scan.maxima.add(|| {
                format!("the best posting of {} is not worth what its block or its word says", word())
            });
        }
        Ok(())
    }
}
