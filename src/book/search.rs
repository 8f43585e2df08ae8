//! Suggestions and hits of archives of either format, in any mixture.

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
    /// Returns true if a search needs nothing more: the full-text index is in the file, or, for a ZIM, was
    /// made before.
    pub fn has_search(&self) -> bool {
        match &self.0 {
            Inner::Tome(archive) => archive.has_search(),
            Inner::Zim(_) => false,
        }
    }

    /// Suggests titles for what a person has typed so far, as [`reader::Archive::suggest`] does.
    ///
    /// For a ZIM this builds an index of its titles when it is first asked, of which the observer hears.
    ///
    /// # Errors
    ///
    /// Fails if nothing was found and something is damaged, if the index cannot be built, or if the
    /// observer asks to stop.
    pub fn suggest(
        &self,
        query: &str,
        options: &SuggestOptions,
        _observer: &dyn Observer,
    ) -> Result<Suggestions> {
        let found = match &self.0 {
            Inner::Tome(archive) => archive.suggest(query, options)?,
            Inner::Zim(_) => return Err(no_index()),
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
/// For a ZIM this builds a full-text index when it is first asked, which takes about as long as packing
/// it; the observer hears of it. What is damaged in one book is told in [`Hits::damage`], and the others
/// are searched all the same.
///
/// # Errors
///
/// Fails only if the observer asks to stop.
pub fn search(
    books: &[&Book],
    query: &str,
    options: &SearchOptions,
    _observer: &dyn Observer,
) -> Result<Hits> {
    let mut archives: Vec<&reader::Archive> = vec![];
    // The number among the books of each archive that is searched.
    let mut numbers: Vec<usize> = vec![];
    let mut failed: Vec<(usize, Error)> = vec![];
    for (number, book) in books.iter().enumerate() {
        match &book.0 {
            Inner::Tome(archive) => {
                archives.push(archive);
                numbers.push(number);
            }
            Inner::Zim(_) => failed.push((number, no_index())),
        }
    }
    let found = reader::search(&archives, query, options);
    let number = |archive: usize| numbers.get(archive).copied().unwrap_or(archive);
    let list = found.list.into_iter().map(|hit| {
        let reader::Hit { archive, title, path, score, snippet, relaxed, .. } = hit;
        Hit { book: number(archive), title, path, score, snippet, relaxed }
    });
    let list = list.collect();
    failed.extend(found.damage.into_iter().map(|(archive, error)| (number(archive), error)));
    failed.sort_by_key(|f| f.0);
    Ok(Hits {
        list,
        at_least: found.at_least,
        partial: found.partial,
        did_you_mean: found.did_you_mean,
        damage: failed,
    })
}

fn no_index() -> Error {
    Error::InvalidInput("a ZIM cannot be searched yet".into())
}
