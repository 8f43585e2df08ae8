//! Asking an archive.

use std::time::Instant;

use tome::reader::{Archive, SearchOptions, SuggestOptions};

use crate::Result;
use crate::queries::Asks;

/// How often each query is asked; the least time counts.
pub const REPEAT: usize = 3;

/// How many hits are asked for.
pub const LIMIT: usize = 10;

/// One hit.
pub struct Hit {
    pub path: String,
    pub title: String,
    /// What the engine says of how it was found.
    pub how: String,
}

/// What an engine answered.
#[derive(Default)]
pub struct Answer {
    /// The hits, best first.
    pub hits: Vec<Hit>,
    /// The time in microseconds.
    pub us: f64,
    /// Whether the engine said that its budget was spent.
    pub partial: bool,
    /// Why there is no answer.
    pub error: Option<String>,
}

/// An archive to ask.
pub struct Tome<'a> {
    archive: &'a Archive,
}

impl<'a> Tome<'a> {
    pub fn new(archive: &'a Archive) -> Self {
        Self { archive }
    }

    /// Asks a query.
    pub fn ask(&mut self, asks: Asks, query: &str) -> Result<Answer> {
        Ok(match asks {
            Asks::Suggest => self.suggest(query),
            Asks::Search => self.search(query, false),
            Asks::SearchWithSnippets => self.search(query, true),
        })
    }

    fn suggest(&self, query: &str) -> Answer {
        let options = SuggestOptions { limit: LIMIT, ..SuggestOptions::default() };
        let (found, us) = least(|| self.archive.suggest(query, &options));
        let found = match found {
            Ok(found) => found,
            Err(e) => return Answer { us, error: Some(e.to_string()), ..Answer::default() },
        };
        let hit = |one: tome::reader::Suggestion| Hit {
            how: format!("{:?}", one.matched),
            path: one.path,
            title: one.title,
        };
        Answer { hits: found.list.into_iter().map(hit).collect(), us, partial: found.partial, error: None }
    }

    fn search(&self, query: &str, snippets: bool) -> Answer {
        let options = SearchOptions { limit: LIMIT, snippets, ..SearchOptions::default() };
        let (found, us) = least(|| self.archive.search(query, &options));
        let found = match found {
            Ok(found) => found,
            Err(e) => return Answer { us, error: Some(e.to_string()), ..Answer::default() },
        };
        let hit = |one: tome::reader::Hit| Hit {
            how: format!("{}{}", one.score, if one.relaxed { ", not all words" } else { "" }),
            path: one.path,
            title: one.title,
        };
        Answer { hits: found.list.into_iter().map(hit).collect(), us, partial: found.partial, error: None }
    }
}

/// Calls a function a few times; returns what it gave last and the least time in microseconds.
fn least<T>(call: impl Fn() -> T) -> (T, f64) {
    let timed = || {
        let started = Instant::now();
        let value = call();
        (value, started.elapsed().as_nanos() as f64 / 1e3)
    };
    let (mut value, mut us) = timed();
    for _ in 1..REPEAT {
        let (again, time) = timed();
        (value, us) = (again, us.min(time));
    }
    (value, us)
}
