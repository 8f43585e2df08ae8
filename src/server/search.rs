//! Searching and suggesting over the library: one way for pages, API and feeds.
//!
//! A search costs more than any other request, so it is bounded on every side: how many one client may
//! have at a time, how many run at once, how many wait for that and how long, how long a query is, how
//! deep its hits lie, how long it takes. Whoever waits for longer than a moment is turned away.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::gate::Gate;
use super::indexing::{self, Index, Makers, Wanted};
use super::library::{Lease, Refusal, Volume};
use super::{Event, State};
use crate::book::{self, Book, IndexKind, Match, SearchOptions, SuggestOptions, Suggestions};
use crate::error::Error;
use crate::item::Silent;
use crate::limits::{SUGGEST_TIME, SUGGEST_WORK};

/// The longest query in bytes.
pub const MAX_QUERY: usize = 1000;

/// The most hits of one answer.
pub const MAX_HITS: usize = 100;

/// The most archives that are named at once.
pub const MAX_NAMES: usize = 1000;

/// The most hits that may be left out before them.
pub const MAX_OFFSET: usize = 1000;

/// The most suggestions of one answer.
pub const MAX_SUGGESTIONS: usize = 100;

/// How long a search may take, once it runs.
const BUDGET: Duration = Duration::from_secs(1);

/// How long a request waits for the archives that it names.
const LEASE_TIME: Duration = Duration::from_secs(5);

/// The longest that a client waits for an answer in all; more than everything else together may take.
const ANSWER_TIME: Duration = Duration::from_secs(14);

/// How many may look into several archives at once. Each holds them all until the slowest has answered, so
/// these must leave most of the leases of an archive to others.
const TOGETHER: usize = 4;

/// The least work that suggesting may be in one of many archives.
const LEAST_WORK: u32 = 4000;

/// Room for searches, and who makes the indexes that they need.
///
/// What looks into several archives has room of its own: if the disk of one does not answer, those come to
/// a stand, and a search in any other archive does not.
pub struct Desk {
    searches: Room,
    suggests: Room,
    makers: Makers,
}

struct Room {
    alone: Gate,
    together: Gate,
}

impl Default for Desk {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self { searches: Room::new(2 * cores), suggests: Room::new(16 * cores), makers: Makers::default() }
    }
}

impl Room {
    fn new(places: usize) -> Self {
        Self { alone: Gate::new(places), together: Gate::new(TOGETHER) }
    }

    /// Does something with the archives of these names, when there is a place, on a thread that may wait
    /// for a disk.
    async fn with<T: Send + 'static>(
        &self,
        state: &Arc<State>,
        names: &[String],
        work: impl FnOnce(&State, Taken) -> T + Send + 'static,
    ) -> Result<T, Refused> {
        let is_alone = names.len() == 1;
        let (_place, taken) = if is_alone {
            // Whoever waits for one archive keeps no place from those who ask another.
            let taken = take(state, names).await?;
            (self.alone.enter().await.ok_or(Refused::Busy)?, taken)
        } else {
            let place = self.together.enter().await.ok_or(Refused::Busy)?;
            (place, take(state, names).await?)
        };
        let shared = Arc::clone(state);
        let done = tokio::task::spawn_blocking(move || work(&shared, taken));
        let done = if is_alone {
            // A thread that is stuck keeps the lease of its own archive, and nobody else from searching.
            tokio::time::timeout(ANSWER_TIME, done).await.map_err(|_| Refused::Busy)?
        } else {
            done.await
        };
        // It can only fail by a panic, of which the thread's own message has told.
        done.map_err(|_| Refused::Busy)
    }
}

/// Why nothing was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// There is too much to do: the client may come again in a moment.
    Busy,
    /// What was asked makes no sense, in words.
    Unfit(&'static str),
    /// There is no archive of this name.
    Missing(String),
    /// The only archive that was named cannot be read: its name, and why.
    Broken(String, String),
}

/// Why an archive was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// Its index is being made: how much is done, in percent, if that can be said.
    Indexing(Option<u64>),
    /// It is large and has no index, and nobody asked for it by name.
    Unprepared,
    /// It is being opened, or too many read it.
    Busy,
    /// It, or its index, cannot be read.
    Broken(String),
}

/// An archive that was not looked at, or not wholly.
#[derive(Clone)]
pub struct LeftOut {
    /// The archive.
    pub volume: Arc<Volume>,
    /// Why.
    pub because: Because,
}

/// A hit.
pub struct Hit {
    /// The archive of the article.
    pub volume: Arc<Volume>,
    /// What was found; its number of a book means nothing here.
    pub hit: book::Hit,
}

/// What a search found.
#[derive(Default)]
pub struct Found {
    /// The hits, the best first.
    pub hits: Vec<Hit>,
    /// So many articles fit, or more.
    pub at_least: u64,
    /// True if there may be more or better ones: the budget ended the search, or archives are left out.
    pub partial: bool,
    /// The query as it may have been meant.
    pub did_you_mean: Option<String>,
    /// How long it took, without the waiting for others.
    pub seconds: f64,
    /// What was not looked at, or not wholly.
    pub left_out: Vec<LeftOut>,
}

/// A suggestion.
pub struct Suggestion {
    /// The archive of the entry.
    pub volume: Arc<Volume>,
    /// The title and how it matches.
    pub suggestion: book::Suggestion,
}

/// What was suggested.
#[derive(Default)]
pub struct Suggested {
    /// The titles, the best first.
    pub list: Vec<Suggestion>,
    /// What was not looked at, or not wholly.
    pub left_out: Vec<LeftOut>,
}

/// Searches the archives of these names, or all of them where none is named. Gives `n` hits at most
/// ([`MAX_HITS`]), after `offset`.
pub async fn search(
    state: &Arc<State>,
    client: IpAddr,
    names: Vec<String>,
    query: String,
    n: usize,
    offset: usize,
) -> Result<Found, Refused> {
    if query.trim().is_empty() {
        return Err(Refused::Unfit("there is nothing to look for"));
    }
    fit(&query)?;
    if offset > MAX_OFFSET {
        return Err(Refused::Unfit("the offset is too large: narrow the query instead"));
    }
    let limit = n.min(MAX_HITS);
    let options = SearchOptions { limit, offset, budget: BUDGET, ..SearchOptions::default() };
    let state = Arc::clone(state);
    apart(async move {
        let _hold = state.clients.search(client).await.ok_or(Refused::Busy)?;
        let work = move |state: &State, taken| search_in(state, taken, &query, &options);
        state.desk.searches.with(&state, &names, work).await
    })
    .await
}

/// Suggests titles of the archives of these names, or of all of them where none is named, for what was
/// typed so far. Gives `n` at most ([`MAX_SUGGESTIONS`]).
///
/// Those of several archives are put together by how they match; of equal ones each archive gives one in
/// turn.
pub async fn suggest(
    state: &Arc<State>,
    names: Vec<String>,
    query: String,
    n: usize,
) -> Result<Suggested, Refused> {
    fit(&query)?;
    let n = n.min(MAX_SUGGESTIONS);
    if query.trim().is_empty() {
        return Ok(Suggested::default());
    }
    let state = Arc::clone(state);
    apart(async move {
        let work = move |state: &State, taken| suggest_in(state, taken, &query, n);
        state.desk.suggests.with(&state, &names, work).await
    })
    .await
}

fn fit(query: &str) -> Result<(), Refused> {
    if query.len() > MAX_QUERY { Err(Refused::Unfit("the query is too long")) } else { Ok(()) }
}

/// Does something in a task of its own: what it holds is held until its work is done, also if the client
/// goes away meanwhile.
async fn apart<T: Send + 'static>(
    work: impl Future<Output = Result<T, Refused>> + Send + 'static,
) -> Result<T, Refused> {
    let task = tokio::spawn(work);
    tokio::time::timeout(ANSWER_TIME, task).await.ok().and_then(Result::ok).unwrap_or(Err(Refused::Busy))
}

/// Archives to look into, and those that are not.
struct Taken {
    leases: Vec<Lease>,
    left_out: Vec<LeftOut>,
    /// True if they were named: then they are worth waiting for.
    named: bool,
}

/// Takes the leave to read archives: of those that are named by waiting for it, of all where it is had at
/// once, so that one on a slow disk is left out rather than waited for.
async fn take(state: &State, names: &[String]) -> Result<Taken, Refused> {
    let shelf = state.library.shelf();
    let mut taken = Taken { leases: vec![], left_out: vec![], named: !names.is_empty() };
    if names.is_empty() {
        for volume in shelf.volumes() {
            match (volume.lease_now(), volume.fault()) {
                (Some(lease), _) => taken.leases.push(lease),
                (None, Some(fault)) => taken.leave(volume, Because::Broken(fault.to_owned())),
                (None, None) => taken.leave(volume, Because::Busy),
            }
        }
        return Ok(taken);
    }
    let mut volumes: Vec<&Arc<Volume>> = vec![];
    for name in names {
        let volume = shelf.get(name).ok_or_else(|| Refused::Missing(name.clone()))?;
        if !volumes.iter().any(|other| Arc::ptr_eq(other, volume)) {
            volumes.push(volume);
        }
    }
    let deadline = tokio::time::Instant::now() + LEASE_TIME;
    for volume in &volumes {
        match tokio::time::timeout_at(deadline, volume.lease()).await.unwrap_or(Err(Refusal::Busy)) {
            Ok(lease) => taken.leases.push(lease),
            Err(Refusal::Busy) => taken.leave(volume, Because::Busy),
            Err(Refusal::Broken(fault)) => taken.leave(volume, Because::Broken(fault)),
        }
    }
    match (&taken.leases[..], &taken.left_out[..], &volumes[..]) {
        ([], [LeftOut { because: Because::Broken(fault), .. }], [volume]) => {
            Err(Refused::Broken(volume.name.clone(), fault.clone()))
        }
        ([], left_out, _) if left_out.iter().any(|l| l.because == Because::Busy) => Err(Refused::Busy),
        _ => Ok(taken),
    }
}

impl Taken {
    fn leave(&mut self, volume: &Arc<Volume>, because: Because) {
        self.left_out.push(LeftOut { volume: Arc::clone(volume), because });
    }

    /// Leaves those out whose index is not there yet, and has it made: first that of one that was named.
    fn prepare(&mut self, state: &State, kind: IndexKind) {
        let leases = std::mem::take(&mut self.leases);
        let wanted = match self.named {
            true => Wanted::Named,
            false => Wanted::Unasked(state.options.limits.unasked_index),
        };
        // All are begun before one is waited for.
        let begun: Vec<_> =
            leases.iter().map(|lease| indexing::state(&state.desk.makers, lease, kind, wanted)).collect();
        for (lease, state) in leases.into_iter().zip(begun) {
            let because = match state {
                Index::Ready => None,
                Index::Unprepared => Some(Because::Unprepared),
                Index::Making(making) if self.named && making.wait() => None,
                Index::Making(making) => {
                    Some(making.fault().map_or(Because::Indexing(making.percent()), Because::Broken))
                }
            };
            match because {
                Some(because) => self.left_out.push(LeftOut { volume: lease.volume, because }),
                None => self.leases.push(lease),
            }
        }
    }

    /// Says what is damaged in one of them, of which the rest was looked at all the same.
    fn damaged(&mut self, state: &State, number: usize, error: &Error) {
        let Some(volume) = self.leases.get(number).map(|lease| Arc::clone(&lease.volume)) else { return };
        (state.log)(Event::Warning(&format!("{}: {error}", volume.path.display())));
        self.leave(&volume, Because::Broken(error.to_string()));
    }
}

fn search_in(state: &State, mut taken: Taken, query: &str, options: &SearchOptions) -> Found {
    taken.prepare(state, IndexKind::FullText);
    let started = Instant::now();
    let books: Vec<&Book> = taken.leases.iter().map(|lease| &*lease.book).collect();
    // It fails only if its observer has it fail.
    let hits = book::search(&books, query, options, &Silent).unwrap_or_default();
    for (number, error) in &hits.damage {
        taken.damaged(state, *number, error);
    }
    let hit = |hit: book::Hit| {
        let volume = Arc::clone(&taken.leases.get(hit.book)?.volume);
        Some(Hit { volume, hit })
    };
    Found {
        hits: hits.list.into_iter().filter_map(hit).collect(),
        at_least: hits.at_least,
        partial: hits.partial || !taken.left_out.is_empty(),
        did_you_mean: hits.did_you_mean,
        seconds: started.elapsed().as_secs_f64(),
        left_out: taken.left_out,
    }
}

fn suggest_in(state: &State, mut taken: Taken, query: &str, n: usize) -> Suggested {
    taken.prepare(state, IndexKind::Titles);
    let deadline = Instant::now() + SUGGEST_TIME;
    let n_archives = u32::try_from(taken.leases.len()).unwrap_or(u32::MAX).max(1);
    let work = (SUGGEST_WORK / n_archives).clamp(LEAST_WORK, SUGGEST_WORK);
    let mut lists = vec![];
    for number in 0..taken.leases.len() {
        let budget = deadline.saturating_duration_since(Instant::now());
        if budget.is_zero() {
            break;
        }
        let Some(lease) = taken.leases.get(number) else { break };
        let options = SuggestOptions { limit: n, budget, work };
        let found = lease.book.suggest(query, &options, &Silent);
        let volume = Arc::clone(&lease.volume);
        let found =
            found.unwrap_or_else(|error| Suggestions { damage: Some(error), ..Suggestions::default() });
        if let Some(error) = &found.damage {
            taken.damaged(state, number, error);
        }
        lists.push((volume, found.list));
    }
    Suggested { list: merged(lists, n), left_out: taken.left_out }
}

/// Puts the suggestions of several archives together. Typos are of use only where nothing is better, as
/// in one archive.
fn merged(lists: Vec<(Arc<Volume>, Vec<book::Suggestion>)>, n: usize) -> Vec<Suggestion> {
    let mut out: Vec<Suggestion> = vec![];
    let mut lists: Vec<_> = lists.into_iter().map(|(v, list)| (v, list.into_iter().peekable())).collect();
    for class in [Match::Exact, Match::Prefix, Match::Word, Match::Typo] {
        if class == Match::Typo && !out.is_empty() {
            break;
        }
        loop {
            let before = out.len();
            for (volume, list) in &mut lists {
                if out.len() >= n {
                    return out;
                }
                if let Some(suggestion) = list.next_if(|s| s.matched == class) {
                    out.push(Suggestion { volume: Arc::clone(volume), suggestion });
                }
            }
            if out.len() == before {
                break;
            }
        }
    }
    out
}
