//! Suggestions as a person types.

use std::time::Duration;

use super::entries::{Entry, titles_place};
use super::{Archive, cached};
use crate::error::{Error, Result, damaged};
use crate::fold::title_key;
use crate::format::entry::TitleRecords;
use crate::format::ids::EntryId;
use crate::format::strings::tree::Pages;
pub use crate::index::titles::Match;
use crate::index::titles::{Found, Meter, Parts, Query, Search, Take, Titles};
use crate::limits::{SUGGEST_TIME, SUGGEST_WORK};

/// How much a suggestion may cost, and how many are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuggestOptions {
    /// How many suggestions at most; 10 by default.
    pub limit: usize,
    /// How long the search may take; 50 ms by default.
    pub budget: Duration,
    /// How much work it may be, in units of about 40 ns (one title or word passed by); 60,000 by default.
    /// The same query with the same work gives the same answer on every machine, unless time ends first.
    pub work: u32,
}

impl Default for SuggestOptions {
    fn default() -> Self {
        Self { limit: 10, budget: SUGGEST_TIME, work: SUGGEST_WORK }
    }
}

/// One title that may be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The title of the entry to which it leads.
    pub title: String,
    /// That entry, which is no redirect.
    pub entry: EntryId,
    /// Its path.
    pub path: String,
    /// The place in it, if a redirect with one led there.
    pub fragment: Option<String>,
    /// How the title, or the redirect's, matches.
    pub matched: Match,
    /// The title of the redirect that matched, if the entry's own does not match as well.
    pub via: Option<String>,
}

/// The titles that may be meant.
#[derive(Debug, Default)]
pub struct Suggestions {
    /// The best first, each entry once.
    pub list: Vec<Suggestion>,
    /// True if there may be more or better ones: the budget ended the search, or something in the
    /// archive is damaged.
    pub partial: bool,
    /// What is damaged in the archive, if that kept titles from being found.
    pub damage: Option<Error>,
}

/// Makes suggestions of rows.
struct Taker<'t> {
    archive: &'t Archive,
    titles: &'t Titles<'t>,
    query: &'t Query,
    limit: usize,
    list: Vec<Suggestion>,
}

impl Take for Taker<'_> {
    fn take(&mut self, row: u32, found: Found) -> Result<()> {
        let entry = self.archive.entry_of_title(self.titles, row)?;
        let mut suggestion = Suggestion {
            title: String::new(),
            entry: entry.id,
            path: String::new(),
            fragment: None,
            matched: found.matched,
            via: None,
        };
        let entry = if let super::EntryBody::Redirect { .. } = entry.body {
            let via = entry.title.clone();
            // A redirect that leads nowhere is none to suggest.
            let Some(resolved) = self.archive.resolve(entry)? else { return Ok(()) };
            let own = title_key(&resolved.entry.title);
            if !resolved.entry.is_titled || !self.query.matches_as_well(&own, self.titles.ending, found) {
                suggestion.via = Some(via);
                suggestion.fragment = resolved.fragment;
            }
            resolved.entry
        } else {
            entry
        };
        if self.list.iter().any(|other| other.entry == entry.id) {
            return Ok(());
        }
        self.list.push(Suggestion { title: entry.title, entry: entry.id, path: entry.path, ..suggestion });
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.list.len() >= self.limit
    }

    fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    fn wanted(&self) -> usize {
        // What is worth preparing at a time, whatever was asked for.
        self.limit.min(1000)
    }
}

impl Archive {
    /// Suggests titles for what a person has typed so far.
    ///
    /// In this order: the title itself; titles that begin so; titles with all the words, in any order,
    /// the last one perhaps not typed to its end; and only where there is nothing of the kind, titles one
    /// typo away, or two from eight letters on. Case, accents and the like do not count, nor does the end
    /// that nearly all titles share. Among equals, those to which more links lead come first, then the
    /// shorter ones.
    ///
    /// Costs some microseconds for a right beginning, some hundreds for typos, and never more than the
    /// options say, whatever was typed. Of what was typed, the first 255 bytes of its title key and the
    /// first twelve words count.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, or is so damaged that nothing was found. An archive without the
    /// sections for suggestions, or with damaged ones, still has its titles by their beginning.
    pub fn suggest(&self, query: &str, options: &SuggestOptions) -> Result<Suggestions> {
        let mut meter = Meter::new(options.work, options.budget);
        let keys = self.title_tree()?;
        let parts = cached(&self.title_parts, || Parts::read(&self.tables, &keys))?;
        let titles = Titles::new(&self.tables, keys, parts);
        let typed = query;
        let query = Query::new(query, titles.ending);
        let mut taker =
            Taker { archive: self, titles: &titles, query: &query, limit: options.limit, list: vec![] };
        let mut search = Search::new(&titles, &query, &mut meter);
        search.run(&mut taker)?;
        let damage = search.damage.take().or_else(|| parts.damage().cloned().map(Error::from));
        let mut list = taker.list;
        // Of titles that fold to what was typed, those that are it to the letter come first.
        let names = self.names()?;
        let n_exact = list.iter().take_while(|s| s.matched == Match::Exact).count();
        list[..n_exact].sort_by_key(|s| !names.is_typed(s.via.as_ref().unwrap_or(&s.title), typed));
        match damage {
            // Nothing of the title table could be read.
            Some(error) if list.is_empty() && search.is_blind => Err(error),
            damage => Ok(Suggestions { list, partial: damage.is_some() || meter.is_spent(), damage }),
        }
    }

    /// Returns the entry of a row of the title table.
    fn entry_of_title(&self, titles: &Titles<'_>, row: u32) -> Result<Entry> {
        let tree = &titles.keys;
        let Some(place) = tree.by_rank(row)? else {
            return damaged!(titles_place(0), "rank", "there is no row {row}");
        };
        let page = tree.pages.leaf(place.leaf)?;
        let leaf = tree.view(place.leaf, &page)?;
        let record =
            TitleRecords::get(leaf.records(), leaf.len(), place.slot as usize, titles_place(place.leaf))?;
        self.titled_entry(record)
    }
}
