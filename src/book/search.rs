//! Suggestions and hits of archives of either format, in any mixture.

use std::sync::Arc;

use super::zim_index::{self, Kind};
use super::{Book, Inner};
use crate::error::{Error, Result};
use crate::item::Observer;
use crate::reader::{self, Match, SearchOptions, SuggestOptions};

/// One title that may be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The title of the entry to which it leads.
    pub title: String,
    /// The path of that entry, which is no redirect.
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
    /// True if there may be more or better ones: the budget ended the search, or something is damaged.
    pub partial: bool,
    /// What is damaged, if that kept titles from being found.
    pub damage: Option<Error>,
}

/// An article that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The book's number among those searched.
    pub book: usize,
    /// Its title.
    pub title: String,
    /// Its path.
    pub path: String,
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
    /// Books that could not be searched, or not wholly, each with the first reason.
    pub damage: Vec<(usize, Error)>,
}

impl Book {
    /// Returns true if a search begins at once: the full-text index is in the file, or, for a ZIM, was made
    /// before.
    pub fn has_search(&self) -> bool {
        match &self.0 {
            Inner::Tome(archive) => archive.has_search(),
            Inner::Zim(zim) => zim.indexes.ready(&zim.archive, Kind::FullText).is_some(),
        }
    }

    /// Returns true if suggestions begin at once: the archive is a `.tome`, or the index of the ZIM's
    /// titles was made before.
    pub fn has_suggestions(&self) -> bool {
        match &self.0 {
            Inner::Tome(_) => true,
            Inner::Zim(zim) => zim.indexes.ready(&zim.archive, Kind::Titles).is_some(),
        }
    }

    /// Makes what searching or suggesting needs, if it is not there: an index of a ZIM. What asks for it
    /// later, from any thread, finds it; what asks meanwhile waits.
    ///
    /// # Errors
    ///
    /// Fails if the index can be made nowhere, or if the observer asks to stop.
    pub fn prepare(&self, kind: Kind, observer: &dyn Observer) -> Result<()> {
        match &self.0 {
            Inner::Tome(_) => Ok(()),
            Inner::Zim(zim) => zim.indexes.get(&zim.archive, kind, observer).map(|_| ()),
        }
    }

    /// Suggests titles for what a person has typed so far, as [`reader::Archive::suggest`] does.
    ///
    /// For a ZIM this makes an index of its titles when it is first asked (see [`Book::prepare`]).
    ///
    /// # Errors
    ///
    /// Fails if nothing was found and something is damaged, if the index cannot be made, or if the
    /// observer asks to stop.
    pub fn suggest(
        &self,
        query: &str,
        options: &SuggestOptions,
        observer: &dyn Observer,
    ) -> Result<Suggestions> {
        let found = match &self.0 {
            Inner::Tome(archive) => archive.suggest(query, options)?,
            Inner::Zim(zim) => zim.suggest(query, options, observer)?,
        };
        let list = found.list.into_iter().map(|s| {
            let reader::Suggestion { title, path, fragment, matched, via, .. } = s;
            Suggestion { title, path, fragment, matched, via }
        });
        Ok(Suggestions { list: list.collect(), partial: found.partial, damage: found.damage })
    }
}

/// Searches books together.
///
/// For a ZIM this makes a full-text index when it is first asked (see [`Book::prepare`]), outside of the
/// budget. What is damaged in one book is told in [`Hits::damage`], and the others are searched all the
/// same.
///
/// # Errors
///
/// Fails only if the observer asks to stop.
pub fn search(
    books: &[&Book],
    query: &str,
    options: &SearchOptions,
    observer: &dyn Observer,
) -> Result<Hits> {
    let (hits, asked) = search_once(books, query, options, observer)?;
    let mut dropped = false;
    // Each of them, before they are made anew.
    for (number, _) in hits.damage.iter().filter(|(_, error)| zim_index::is_own_damage(error)) {
        if let Some(Inner::Zim(zim)) = books.get(*number).map(|book| &book.0)
            && let Some((_, index)) = asked.iter().find(|(asked, _)| asked == number)
        {
            dropped |= zim.indexes.drop_damaged(&zim.archive, index, observer)?;
        }
    }
    if dropped { search_once(books, query, options, observer).map(|(hits, _)| hits) } else { Ok(hits) }
}

/// The archives that were searched, each with the number of its book.
type Asked = Vec<(usize, Arc<reader::Archive>)>;

fn search_once(
    books: &[&Book],
    query: &str,
    options: &SearchOptions,
    observer: &dyn Observer,
) -> Result<(Hits, Asked)> {
    let mut asked: Asked = vec![];
    let mut failed: Vec<(usize, Error)> = vec![];
    for (number, book) in books.iter().enumerate() {
        let archive = match &book.0 {
            Inner::Tome(archive) => Ok(Arc::clone(archive)),
            Inner::Zim(zim) => zim.indexes.get(&zim.archive, Kind::FullText, observer),
        };
        match archive {
            Ok(archive) => asked.push((number, archive)),
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) => failed.push((number, error)),
        }
    }
    let archives: Vec<&reader::Archive> = asked.iter().map(|(_, archive)| &**archive).collect();
    let mut found = reader::search(&archives, query, options);
    let number = |archive: usize| asked.get(archive).map_or(archive, |(number, _)| *number);
    let list = found.list.drain(..).map(|hit| {
        let reader::Hit { archive, title, path, score, snippet, relaxed, .. } = hit;
        Hit { book: number(archive), title, path, score, snippet, relaxed }
    });
    let list = list.collect();
    failed.extend(found.damage.drain(..).map(|(archive, error)| (number(archive), error)));
    failed.sort_by_key(|f| f.0);
    let reader::Hits { at_least, partial, did_you_mean, .. } = found;
    Ok((Hits { list, at_least, partial, did_you_mean, damage: failed }, asked))
}
