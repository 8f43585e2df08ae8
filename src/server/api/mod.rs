//! The interface for programs: JSON, as `openapi.json` describes it.
//!
//! Its objects are those of the command line ([`crate::json`]). What went wrong is an object too:
//! `{"error":"..."}`.

mod archives;
mod docs;
mod entry;
mod look;

use std::borrow::Cow;
use std::sync::Arc;

use hyper::header::{HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde::Serialize;

use super::State;
use super::answer::{Answer, Policy};
use super::body::Body;
use super::library::Lease;
use super::request::Request;
use super::routes::{self, Trouble};
use super::search::Refused;
use super::url::Query;
use crate::error::Error;

/// The description of all this, for programs.
const OPENAPI: &str = include_str!("openapi.json");

/// What a client is told that may come again in a moment.
const BUSY: &str = "too much to do; try again in a moment";

/// Answers what stands under `/api`.
pub async fn answer(state: &Arc<State>, request: &Arc<Request>, path: Option<&str>) -> Response<Body> {
    let answer = match path {
        None | Some("") => docs::page(state),
        Some("openapi.json") => Ok(openapi()),
        Some("archives") => archives::list(state).await,
        Some("suggest") => look::suggest(state, request).await,
        Some("search") => look::search(state, request).await,
        Some("entry") => return in_archive(state, request, entry::about).await,
        Some("content") => return in_archive(state, request, entry::content).await,
        Some("random") => return in_archive(state, request, entry::random).await,
        Some(_) => Err(Fault::missing("there is no such thing in this interface; see /api")),
    };
    routes::respond(state, request, answer.unwrap_or_else(|fault| fault.answer(state))).await
}

fn openapi() -> Answer {
    Answer::data("application/json; charset=utf-8", OPENAPI)
        .tagged(concat!("openapi-", env!("CARGO_PKG_VERSION")))
}

/// Lets a thread that may wait for a disk answer from the archive that a request names.
async fn in_archive(
    state: &Arc<State>,
    request: &Arc<Request>,
    handler: fn(&State, &Request, &Lease) -> Result<Answer, Fault>,
) -> Response<Body> {
    let Some(name) = request.query.get("archive").map(str::to_owned) else {
        return Fault::unfit("the parameter archive is missing")
            .answer(state)
            .respond(request, &state.encoded);
    };
    let handler = move |state: &State, request: &Request, lease: &Lease| match handler(state, request, lease)
    {
        Err(Fault { damage: Some(error), .. }) => Err(error),
        answer => Ok(answer.unwrap_or_else(|fault| fault.answer(state))),
    };
    routes::of_volume_or(state, request, &name, handler, trouble).await
}

/// Says why an archive gives no answer.
fn trouble(state: &State, _: &Request, trouble: Trouble<'_>) -> Answer {
    let fault = match trouble {
        Trouble::Missing(name) => no_archive(name),
        Trouble::Busy(_) => Fault::busy(),
        Trouble::Broken(volume, fault) => broken(&volume.name, fault),
        Trouble::Failed(volume, error) => {
            Fault::new(StatusCode::INTERNAL_SERVER_ERROR, format!("{}: {error}", volume.name))
        }
        Trouble::Panicked => Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "something went wrong here"),
    };
    fault.answer(state)
}

fn no_archive(name: &str) -> Fault {
    Fault::missing(format!("there is no archive {name:?}"))
}

fn broken(name: &str, fault: &str) -> Fault {
    Fault::new(StatusCode::BAD_GATEWAY, format!("{name} cannot be opened: {fault}"))
}

/// Why there is no answer.
struct Fault {
    status: StatusCode,
    text: Cow<'static, str>,
    /// What cannot be read, if that is the reason.
    damage: Option<Error>,
}

impl Fault {
    fn new(status: StatusCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self { status, text: text.into(), damage: None }
    }

    fn unfit(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    fn missing(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, text)
    }

    fn busy() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, BUSY)
    }

    fn answer(&self, state: &State) -> Answer {
        #[derive(Serialize)]
        struct Object<'a> {
            error: &'a str,
        }
        let answer = Answer::json(self.status, &Object { error: &self.text });
        if self.status != StatusCode::SERVICE_UNAVAILABLE {
            return answer;
        }
        state.metrics.refused();
        answer.with(RETRY_AFTER, HeaderValue::from_static("2"))
    }
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Busy => Self::busy(),
            Refused::Unfit(why) => Self::unfit(why),
            Refused::Missing(name) => no_archive(&name),
            Refused::Broken(name, fault) => broken(&name, &fault),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self { damage: Some(error), ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, "") }
    }
}

/// Returns a number of a query; one that is none, or too large, is the client's mistake.
fn number(query: &Query, name: &str, default: usize, most: usize) -> Result<usize, Fault> {
    let Some(text) = query.get(name) else { return Ok(default) };
    match text.parse() {
        Ok(n) if n <= most => Ok(n),
        _ => Err(Fault::unfit(format!("the parameter {name} has to be a number from 0 to {most}"))),
    }
}

/// Returns what a query says, which it has to.
fn needed<'a>(query: &'a Query, name: &str) -> Result<&'a str, Fault> {
    query.get(name).ok_or_else(|| Fault::unfit(format!("the parameter {name} is missing")))
}

/// Returns JSON that no browser shows as a page.
fn json(object: &impl Serialize) -> Answer {
    Answer::json(StatusCode::OK, object).with_policy(Policy::Data)
}
