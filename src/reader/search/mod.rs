//! Searching the articles of one archive or several.
//!
//! A query is taken apart ([`query`]), each of its words becomes the words of the dictionary that are
//! meant by it ([`plan`]), and the index gives the best articles. Phrases are then looked for in the
//! articles' own text, the best first ([`check`]), and snippets are cut from it. Several archives are
//! asked with statistics that they have in common, so that their scores can be compared.

mod check;
mod plan;
pub mod query;
mod spell;

use std::time::{Duration, Instant};

use super::entries::Entry;
use super::{Archive, Match, SuggestOptions, cached};
use crate::error::{Error, Result};
use crate::format::ids::EntryId;
use crate::index::fulltext::{FullText, Work};
use crate::item::Kind;
use crate::text::snippet::Wanted;
use crate::text::stems::Languages;
use plan::{Expansion, Phrase, Plan};
use query::Query;

/// How to search.
#[derive(Debug, Clone)]
pub struct SearchOptions {
    /// The most hits.
    pub limit: usize,
    /// Hits to leave out before.
    pub offset: usize,
    /// The longest time; what was found until then is the answer. By default one second.
    pub budget: Duration,
    /// The most work in the index, in postings or so; by default a few hundred million, which no
    /// archive of today needs. Unlike the time, it ends a search at the same place on any machine.
    pub work: u64,
    /// True if hits get snippets, for which their articles are read.
    pub snippets: bool,
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self { limit: 10, offset: 0, budget: Duration::from_secs(1), work: 400_000_000, snippets: true }
    }
}

/// An article that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The archive's number among those searched.
    pub archive: usize,
    /// Its title.
    pub title: String,
    /// Its path.
    pub path: String,
    /// Its entry.
    pub entry: EntryId,
    /// How well it fits; comparable with the other hits of the same search only.
    pub score: u64,
    /// A passage with the hits in `<b>..</b>` and all else escaped; may be put into a page.
    pub snippet: String,
    /// True if not all that was asked for is there.
    pub relaxed: bool,
}

/// What a search found.
#[derive(Debug, Default)]
pub struct Hits {
    /// The hits, the best first.
    pub list: Vec<Hit>,
    /// So many articles fit, or more.
    pub at_least: u64,
    /// True if time or work ended the search before all was looked at.
    pub partial: bool,
    /// The query as it may have been meant, where it found nothing or little.
    pub did_you_mean: Option<String>,
    /// Archives that could not be searched, or not wholly, each with the first reason. Of an archive whose
    /// index cannot be read, the titles that fit are among the hits.
    pub damage: Vec<(usize, Error)>,
}

/// The most hits that one search returns or leaves out.
const MAX_HITS: usize = 10_000;

/// What an article gains whose title is the query: more than words can give.
const TITLE_IS_QUERY: u64 = 1 << 40;

/// The most titles that are looked at; real archives have hundreds of one title ("Redirecting...").
const MAX_TITLED: usize = 50;

/// Articles that are read for phrases to begin with, and at most.
const FIRST_READ: usize = 64;
const MOST_READ: usize = 16_384;

/// With fewer hits a query may be misspelt.
const FEW: u64 = 3;

/// An article on its way to becoming a hit.
#[derive(Debug, Clone)]
struct Candidate {
    archive: usize,
    entry: Entry,
    score: u64,
    relaxed: bool,
}

/// Searches archives together.
///
/// An archive without a full-text index gives those of its titles that fit. What is damaged in one
/// archive is told in [`Hits::damage`], and the others are searched all the same.
pub fn search(archives: &[&Archive], text: &str, options: &SearchOptions) -> Hits {
    // A budget beyond what the clock can say is none.
    let deadline = Instant::now().checked_add(options.budget);
    let wanted = options.offset.saturating_add(options.limit).min(MAX_HITS);
    let work = Work::new(options.work, deadline);
    let query = Query::parse(text);
    let mut search = Search { archives, deadline, wanted, work, hits: Hits::default() };
    search.hits.partial = query.cut;
    search.run(&text[..crate::text::borders::floor(text, query::MAX_QUERY)], &query, options);
    search.hits
}

impl Archive {
    /// Searches the articles. Costs some 50 us without snippets in an archive of a few thousand
    /// articles; [`SearchOptions::budget`] bounds it.
    ///
    /// # Errors
    ///
    /// Fails if nothing was found and a part of the index is damaged.
    pub fn search(&self, text: &str, options: &SearchOptions) -> Result<Hits> {
        let mut hits = search(&[self], text, options);
        match hits.damage.pop() {
            Some((_, error)) if hits.list.is_empty() => Err(error),
            last => {
                hits.damage.extend(last);
                Ok(hits)
            }
        }
    }

    /// Returns true if there is a full-text index.
    pub fn has_search(&self) -> bool {
        self.first_page().row(crate::format::first_page::SectionKind::SEARCH).is_some()
    }

    /// Returns the entries whose title key is that of a text, with or without the ending that nearly all
    /// titles share.
    fn titled(&self, text: &str) -> Result<Vec<Entry>> {
        let mut entries = self.entries_by_title_key(text)?;
        let suffix = &self.names()?.suffix;
        if !suffix.is_empty() {
            entries.extend(self.entries_by_title_key(&format!("{text}{suffix}"))?);
        }
        Ok(entries)
    }

    /// Returns the full-text index, if there is one.
    pub(super) fn full_text(&self) -> Result<Option<&Index>> {
        let open = || Ok(FullText::open(&self.tables)?.map(Index::new));
        Ok(cached(&self.full_text, open)?.as_ref())
    }
}

/// The index of an open archive, with what its languages need.
pub(super) struct Index {
    pub(super) words: FullText,
    languages: Languages,
}

impl Index {
    fn new(words: FullText) -> Self {
        let languages = Languages::from_tags(words.parameters().languages.iter().map(String::as_str));
        Self { words, languages }
    }
}

/// An archive that has an index, and what the query's words stand for in it.
struct Asked<'a> {
    number: usize,
    archive: &'a Archive,
    index: &'a FullText,
    /// By the plan's words.
    expansions: Vec<Expansion>,
}

/// What an article must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Demand {
    /// So many of the words.
    words: usize,
    /// The phrases.
    phrases: bool,
}

/// A search on its way.
struct Search<'a> {
    archives: &'a [&'a Archive],
    deadline: Option<Instant>,
    /// Hits to find, those that are left out included.
    wanted: usize,
    work: Work,
    hits: Hits,
}

impl<'a> Search<'a> {
    /// Notes damage, the first of each archive.
    fn damaged(&mut self, archive: usize, error: Error) {
        if self.hits.damage.iter().all(|d| d.0 != archive) {
            self.hits.damage.push((archive, error));
        }
    }

    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    fn run(&mut self, text: &str, query: &Query, options: &SearchOptions) {
        let titled = self.titled(text, query);
        let mut plan = Plan::of(query);
        self.hits.partial |= plan.cut;
        if !titled.is_empty() && !query.is_plain() {
            // What looks like an operator is a part of the title: "operator-=", "operator*".
            plan = Plan::of(&Query::plain(text));
        }
        let asked = self.ask(&plan);
        let required = plan.required();
        let known = plan.known(&asked);
        let mut found = vec![];
        if known == required && known > 0 {
            self.find(&plan, &asked, Demand { words: required, phrases: true }, &mut found);
        }
        for candidate in &mut found {
            let is_it = |t: &&Candidate| (t.archive, t.entry.id) == (candidate.archive, candidate.entry.id);
            candidate.score += titled.iter().find(is_it).map_or(0, |t| t.score);
        }
        for title in &titled {
            if !found.iter().any(|c| (c.archive, c.entry.id) == (title.archive, title.entry.id)) {
                found.push(title.clone());
            }
        }
        let strict = self.hits.at_least.max(found.len() as u64);
        if found.is_empty() {
            // Phrases are given up first, then word after word.
            let all_failed = known == required && plan.phrases.iter().all(|p| p.negated);
            let mut words = known.saturating_sub(usize::from(all_failed));
            while found.is_empty() && words > 0 && !self.is_late() {
                self.find(&plan, &asked, Demand { words, phrases: false }, &mut found);
                words -= 1;
            }
            found.iter_mut().for_each(|c| c.relaxed = true);
        }
        if strict < FEW && titled.is_empty() && !self.is_late() {
            self.hits.did_you_mean = spell::proposal(&asked, &plan, text, strict > 0, &mut self.work);
        }
        self.unindexed(&plan, &asked, &mut found);
        found.sort_by(|a, b| b.score.cmp(&a.score).then(a.archive.cmp(&b.archive)));
        self.hits.at_least = self.hits.at_least.max(found.len() as u64);
        self.show(&plan, &asked, found, options);
        self.hits.partial |= self.work.is_over();
    }

    /// Opens the indexes, and finds what the words stand for in each.
    fn ask(&mut self, plan: &Plan) -> Vec<Asked<'a>> {
        let mut asked = vec![];
        for (number, &archive) in self.archives.iter().enumerate() {
            let index = match archive.full_text() {
                Ok(Some(index)) => index,
                Ok(None) => continue,
                Err(error) => {
                    self.damaged(number, error);
                    continue;
                }
            };
            match plan.expand(index, archive.tables(), &mut self.work) {
                Ok(expansions) => asked.push(Asked { number, archive, index: &index.words, expansions }),
                Err(error) => self.damaged(number, error),
            }
        }
        self.hits.partial |= asked.iter().any(|a| a.expansions.iter().any(|e| e.cut));
        asked
    }

    /// Returns the articles whose title, or a redirect's to them, is the query.
    fn titled(&mut self, text: &str, query: &Query) -> Vec<Candidate> {
        let mut out: Vec<Candidate> = vec![];
        // A phrase alone may be a title as well.
        let text = query.only_phrase().unwrap_or(text);
        for (number, &archive) in self.archives.iter().enumerate().filter(|(_, a)| a.has_search()) {
            let entries = archive.titled(text).unwrap_or_else(|error| {
                // Titles that cannot be read cost the first place, not the search.
                self.damaged(number, error);
                vec![]
            });
            // Where there are entries, there are names.
            let Ok(names) = archive.names() else { continue };
            for entry in entries.into_iter().take(MAX_TITLED) {
                // To the letter, or but for case, marks and dashes.
                let score =
                    if names.is_typed(&entry.title, text) { 2 * TITLE_IS_QUERY } else { TITLE_IS_QUERY };
                let Ok(Some(resolved)) = archive.resolve(entry) else { continue };
                let entry = resolved.entry;
                let is_new = !out.iter().any(|c| (c.archive, c.entry.id) == (number, entry.id));
                if entry.kind() == Kind::Article && is_new {
                    out.push(Candidate { archive: number, entry, score, relaxed: false });
                }
            }
        }
        out
    }

    /// Adds the best articles that have what is demanded.
    fn find(&mut self, plan: &Plan, asked: &[Asked<'_>], demand: Demand, found: &mut Vec<Candidate>) {
        let queries = plan.queries(asked, demand);
        let phrases = plan.phrases(demand);
        let mut k = if phrases.is_empty() { self.wanted } else { self.wanted.max(FIRST_READ) };
        // How many of each archive's hits were dealt with.
        let mut seen = vec![0; asked.len()];
        loop {
            let mut hits: Vec<(u64, usize, u32)> = vec![];
            let (mut matched, mut more) = (0, false);
            for (i, (asked, query)) in asked.iter().zip(&queries).enumerate() {
                match asked.index.top(asked.archive.tables(), query, k, &mut self.work) {
                    Ok(top) => {
                        matched += top.matched;
                        more |= top.hits.len() == k && !top.partial;
                        self.hits.partial |= top.partial;
                        hits.extend(top.hits.iter().skip(seen[i]).map(|h| (h.score, i, h.ordinal)));
                        seen[i] = top.hits.len();
                    }
                    Err(error) => self.damaged(asked.number, error),
                }
            }
            hits.sort_unstable_by(|a, b| b.0.cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
            if phrases.is_empty() {
                hits.truncate(self.wanted);
                self.hits.at_least = self.hits.at_least.max(matched);
            }
            for (score, i, ordinal) in hits {
                if found.len() >= self.wanted {
                    return;
                }
                if !phrases.is_empty() && self.is_late() {
                    self.hits.partial = true;
                    return;
                }
                let asked = &asked[i];
                match self.take(asked, ordinal, &phrases) {
                    Ok(Some(entry)) => {
                        found.push(Candidate { archive: asked.number, entry, score, relaxed: false });
                    }
                    Ok(None) => {}
                    Err(error) => self.damaged(asked.number, error),
                }
            }
            if phrases.is_empty() || !more {
                return;
            }
            if k >= MOST_READ {
                self.hits.partial = true;
                return;
            }
            k = (4 * k).min(MOST_READ);
        }
    }

    /// Returns the article with an ordinal, if it holds the phrases.
    fn take(&self, asked: &Asked<'_>, ordinal: u32, phrases: &[&Phrase]) -> Result<Option<Entry>> {
        let Some(entry) = asked.archive.article(ordinal)? else { return Ok(None) };
        let mut is_over = || self.is_late();
        if !phrases.is_empty() && !check::holds(asked.archive, &entry, phrases, &mut is_over)? {
            return Ok(None);
        }
        Ok(Some(entry))
    }

    /// Adds the articles whose titles fit, of archives without an index that can be read.
    fn unindexed(&mut self, plan: &Plan, asked: &[Asked<'_>], found: &mut Vec<Candidate>) {
        let text = plan.positive_text();
        for (number, archive) in self.archives.iter().enumerate() {
            if asked.iter().any(|a| a.number == number) {
                continue;
            }
            let mut options = SuggestOptions { limit: self.wanted.min(100), ..SuggestOptions::default() };
            if let Some(deadline) = self.deadline {
                let left = deadline.saturating_duration_since(Instant::now());
                options.budget = options.budget.min(left);
            }
            match archive.suggest(&text, &options) {
                Ok(suggestions) => {
                    self.hits.partial |= suggestions.partial;
                    for (rank, suggestion) in suggestions.list.into_iter().enumerate() {
                        let exact = suggestion.matched == Match::Exact;
                        let score = if exact { TITLE_IS_QUERY } else { 0 } + 100 - rank as u64;
                        // What else an article has is not known where its index cannot be read.
                        let relaxed = suggestion.matched == Match::Typo || archive.has_search();
                        match archive.entry_by_id(suggestion.entry) {
                            Ok(Some(entry)) if !plan.forbids(&entry.title) => {
                                found.push(Candidate { archive: number, entry, score, relaxed });
                            }
                            Ok(_) => {}
                            Err(error) => self.damaged(number, error),
                        }
                    }
                }
                Err(error) => self.damaged(number, error),
            }
        }
    }

    /// Makes hits of the articles that are shown.
    fn show(&mut self, plan: &Plan, asked: &[Asked<'_>], found: Vec<Candidate>, options: &SearchOptions) {
        // What to show, for each archive when it is first needed.
        let mut wanted: Vec<Option<Wanted>> = self.archives.iter().map(|_| None).collect();
        for candidate in found.into_iter().skip(options.offset).take(options.limit) {
            let Candidate { archive: number, entry, score, relaxed } = candidate;
            let mut snippet = String::new();
            if options.snippets && !self.is_late() {
                let wanted = wanted[number].get_or_insert_with(|| {
                    let asked = asked.iter().find(|a| a.number == number);
                    check::wanted(plan, asked.map_or(&[], |a| &a.expansions))
                });
                match check::snippet(self.archives[number], &entry, wanted) {
                    Ok(cut) => snippet = cut,
                    Err(error) => self.damaged(number, error),
                }
            } else if options.snippets {
                self.hits.partial = true;
            }
            let Entry { id, title, path, .. } = entry;
            self.hits.list.push(Hit { archive: number, title, path, entry: id, score, snippet, relaxed });
        }
    }
}
