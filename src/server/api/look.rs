//! `/api/suggest` and `/api/search`.

use std::sync::Arc;

use serde::Serialize;

use super::{Fault, json, needed, number};
use crate::json;
use crate::server::State;
use crate::server::answer::Answer;
use crate::server::request::Request;
use crate::server::search::{self, Because, LeftOut, MAX_HITS, MAX_NAMES, MAX_OFFSET, MAX_SUGGESTIONS};

/// How many suggestions or hits there are without a word of it.
const USUAL: usize = 10;

#[derive(Serialize)]
struct Suggestion<'a> {
    #[serde(flatten)]
    suggestion: json::Suggestion<'a>,
    archive: &'a str,
}

#[derive(Serialize)]
struct Found<'a> {
    hits: Vec<json::Hit<'a>>,
    end: End<'a>,
}

#[derive(Serialize)]
struct End<'a> {
    #[serde(flatten)]
    end: json::SearchEnd<'a>,
    left_out: Vec<Left<'a>>,
}

/// An archive that was not searched, or not wholly.
#[derive(Serialize)]
struct Left<'a> {
    archive: &'a str,
    because: &'static str,
    percent: Option<u64>,
    error: Option<&'a str>,
}

impl<'a> Left<'a> {
    fn new(left: &'a LeftOut) -> Self {
        let (because, percent, error) = match &left.because {
            Because::Indexing(percent) => ("indexing", *percent, None),
            Because::Unprepared => ("unprepared", None, None),
            Because::Busy => ("busy", None, None),
            Because::Broken(error) => ("broken", None, Some(error.as_str())),
        };
        Self { archive: &left.volume.name, because, percent, error }
    }
}

/// Returns the archives that a query names; none, as an empty form has it, are all of them.
fn names(request: &Request) -> Vec<String> {
    let all = request.query.all("archive").filter(|name| !name.is_empty());
    all.take(MAX_NAMES).map(str::to_owned).collect()
}

pub(super) async fn suggest(state: &Arc<State>, request: &Request) -> Result<Answer, Fault> {
    let query = needed(&request.query, "q")?.to_owned();
    let n = number(&request.query, "n", USUAL, MAX_SUGGESTIONS)?;
    let found = search::suggest(state, names(request), query, n).await?;
    let list = found.list.iter().map(|one| Suggestion {
        suggestion: json::Suggestion::new(&one.suggestion),
        archive: &one.volume.name,
    });
    Ok(json(&list.collect::<Vec<_>>()))
}

pub(super) async fn search(state: &Arc<State>, request: &Request) -> Result<Answer, Fault> {
    let query = needed(&request.query, "q")?.to_owned();
    let n = number(&request.query, "n", USUAL, MAX_HITS)?;
    let offset = number(&request.query, "offset", 0, MAX_OFFSET)?;
    let found = search::search(state, request.client, names(request), query, n, offset).await?;
    let end = json::SearchEnd {
        hits_at_least: found.at_least,
        partial: found.partial,
        did_you_mean: found.did_you_mean.as_deref(),
        seconds: found.seconds,
    };
    Ok(json(&Found {
        hits: found.hits.iter().map(|one| json::Hit::new(&one.volume.name, &one.hit)).collect(),
        end: End { end, left_out: found.left_out.iter().map(Left::new).collect() },
    }))
}
