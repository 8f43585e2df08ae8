//! Who answers what.

use std::sync::Arc;
use std::time::Instant;

use hyper::body::Incoming;
use hyper::header::{ALLOW, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};

use super::answer::{Answer, Policy};
use super::body::Body;
use super::connection::Peer;
use super::content::{self, Meant};
use super::held::Taker;
use super::library::{Lease, Refusal, Volume};
use super::origins::Place;
use super::request::{Request, Unfit};
use super::{Event, State, api, assets, kiwix, pages, proxies, url};
use crate::error::Error;

/// Answers a request.
pub async fn answer(state: Arc<State>, peer: Peer, request: hyper::Request<Incoming>) -> Response<Body> {
    let started = Instant::now();
    let (head, body) = request.into_parts();
    // Nothing here takes a body.
    drop(body);
    let line = state.options.access_log.then(|| log_line(&head));
    let client = state.proxies.client(peer.address, &head.headers);
    let mut response = match Request::read(head, client, &state.hosts, &state.options.root) {
        Ok(mut request) => {
            request.origin = peer.origin.as_deref().map(str::to_owned).or(request.origin);
            dispatch(&state, Arc::new(request)).await
        }
        Err(unfit) => refuse(unfit),
    };
    let taker = Taker { client: proxies::key(client), let_go: peer.let_go };
    if !response.body_mut().count_held(&state.held, taker).await {
        state.metrics.refused();
        response = Answer::text(StatusCode::SERVICE_UNAVAILABLE, "too much waits to be taken already\n")
            .with(RETRY_AFTER, HeaderValue::from_static("2"))
            .plain();
    }
    state.metrics.answered(response.status().as_u16(), started.elapsed());
    if let Some(line) = line {
        let (status, len, took) = (response.status().as_u16(), response.body().len(), started.elapsed());
        (state.log)(Event::Access(&format!(
            "{client} {line} {status} {len} {:.1}ms",
            took.as_secs_f64() * 1e3
        )));
    }
    response.body_mut().count = Some(Arc::clone(&state.metrics));
    response
}

/// Returns a request's line with nothing in it that could make two lines of one.
fn log_line(head: &hyper::http::request::Parts) -> String {
    let target: String = head.uri.to_string().chars().take(1000).collect();
    format!("\"{} {}\"", head.method, target.escape_debug())
}

/// Says why a request is not looked at.
fn refuse(unfit: Unfit) -> Response<Body> {
    let (status, text) = match unfit {
        Unfit::Method => (StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered"),
        Unfit::TooLong => (StatusCode::URI_TOO_LONG, "the address is too long"),
        Unfit::Host => (
            StatusCode::MISDIRECTED_REQUEST,
            "this server does not go by that name; whoever runs it may add it with --host NAME",
        ),
        Unfit::Outside => (StatusCode::NOT_FOUND, "nothing is served there"),
        Unfit::Malformed => (StatusCode::BAD_REQUEST, "a request has one Host header"),
    };
    let mut answer = Answer::text(status, format!("{text}\n"));
    if unfit == Unfit::Method {
        answer = answer.with(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    answer.plain()
}

/// Splits the first part off a path without its first slash.
fn split(path: &str) -> (&str, Option<&str>) {
    path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)))
}

async fn dispatch(state: &Arc<State>, request: Arc<Request>) -> Response<Body> {
    // A worker would stay behind and answer in our place.
    if request.header(HeaderName::from_static("service-worker")).is_some() {
        return Answer::text(StatusCode::FORBIDDEN, "service workers are not served\n").plain();
    }
    match state.origins.place(&request, &state.options.root, state.port) {
        Place::Here => {}
        Place::There(to) => {
            return Answer::redirect(StatusCode::FOUND, &to).respond(&request, &state.encoded);
        }
        Place::Nowhere => return refuse(Unfit::Host),
    }
    let path = request.path.trim_start_matches('/').to_owned();
    let (first, rest) = split(&path);
    let at_once = match (first, rest) {
        ("", None) => Some(pages::library(state, &request).await),
        ("healthz", None) => Some(Answer::text(StatusCode::OK, "ok\n")),
        ("robots.txt", None) => Some(Answer::text(StatusCode::OK, pages::ROBOTS)),
        ("metrics", None) => Some(metrics(state)),
        ("_tome", Some(name)) => Some(match name.strip_prefix("icon/") {
            Some(name) => pages::icon(state, &url::decode(name)),
            None => assets::answer(name, request.query.get("v")),
        }),
        ("favicon.ico", None) => Some(assets::answer("tome.svg", None)),
        ("saved", None) => Some(pages::saved(state)),
        ("viewer", None) => Some(pages::viewer(state)),
        ("external", None) => Some(pages::external(state, request.query.get("to").unwrap_or_default())),
        ("search", None) if !kiwix::is_feed(&request) => Some(pages::search(state, &request).await),
        _ => None,
    };
    if let Some(answer) = at_once {
        return respond(state, &request, answer).await;
    }
    match (first, rest) {
        ("a", Some(rest)) => {
            let (name, path) = split(rest);
            let name = url::decode(name).into_owned();
            let Some(path) = path.map(str::to_owned) else {
                if state.library.shelf().get(&name).is_none() {
                    return missing(state, &request);
                }
                let to = format!("{}/a/{}/", state.options.root, url::path(&name));
                return Answer::redirect(StatusCode::FOUND, &to).respond(&request, &state.encoded);
            };
            of_volume(state, &request, &name, move |state, request, lease| {
                pages::read(state, request, lease, &path)
            })
            .await
        }
        ("api", rest) => api::answer(state, &request, rest).await,
        ("raw", Some(rest)) => {
            let (name, rest) = split(rest);
            let name = url::decode(name);
            let name = kiwix::own_name(state, &name).unwrap_or_else(|| name.into_owned());
            match split(rest.unwrap_or_default()) {
                ("content", Some(path)) => {
                    let path = path.to_owned();
                    of_volume(state, &request, &name, move |state, request, lease| {
                        raw(state, request, lease, &path)
                    })
                    .await
                }
                ("meta", Some(key)) => {
                    let key = url::decode(key).into_owned();
                    of_volume(state, &request, &name, move |_, _, lease| kiwix::meta(lease, &key)).await
                }
                _ => missing(state, &request),
            }
        }
        _ => match kiwix::answer(state, &request, first, rest).await {
            Some(response) => response,
            None => missing(state, &request),
        },
    }
}

/// What is longer is encoded aside: that would keep others waiting.
const LONG: u64 = 32 << 10;

/// Makes the response of an answer that no thread of its own has made.
pub async fn respond(state: &Arc<State>, request: &Arc<Request>, answer: Answer) -> Response<Body> {
    if answer.len() < LONG {
        return answer.respond(request, &state.encoded);
    }
    let (shared, asked) = (Arc::clone(state), Arc::clone(request));
    let made = state.lists.run(move || answer.respond(&asked, &shared.encoded)).await;
    made.unwrap_or_else(|| pages::busy(state, None).respond(request, &state.encoded))
}

/// Answers that there is no such thing.
pub fn missing(state: &State, request: &Request) -> Response<Body> {
    pages::missing(state, request).respond(request, &state.encoded)
}

/// Why an archive gives no answer.
pub enum Trouble<'a> {
    /// There is none of this name.
    Missing(&'a str),
    /// Too many read it, or it is still being opened.
    Busy(&'a Volume),
    /// It cannot be opened.
    Broken(&'a Volume, &'a str),
    /// Something in it cannot be read.
    Failed(&'a Volume, &'a Error),
    /// We made a mistake.
    Panicked,
}

/// Lets a thread that may wait for a disk answer from an archive.
pub async fn of_volume(
    state: &Arc<State>,
    request: &Arc<Request>,
    name: &str,
    handler: impl FnOnce(&State, &Request, &Lease) -> Result<Answer, Error> + Send + 'static,
) -> Response<Body> {
    of_volume_or(state, request, name, handler, trouble).await
}

/// Lets a thread that may wait for a disk answer from an archive, or says in some way why there is no
/// answer.
pub async fn of_volume_or(
    state: &Arc<State>,
    request: &Arc<Request>,
    name: &str,
    handler: impl FnOnce(&State, &Request, &Lease) -> Result<Answer, Error> + Send + 'static,
    trouble: fn(&State, &Request, Trouble<'_>) -> Answer,
) -> Response<Body> {
    let say = |why| trouble(state, request, why).respond(request, &state.encoded);
    let Some(volume) = state.library.shelf().get(name).cloned() else { return say(Trouble::Missing(name)) };
    let lease = match volume.lease().await {
        Ok(lease) => lease,
        Err(Refusal::Busy) => return say(Trouble::Busy(&volume)),
        Err(Refusal::Broken(fault)) => return say(Trouble::Broken(&volume, &fault)),
    };
    let (shared, asked) = (Arc::clone(state), Arc::clone(request));
    let answered = tokio::task::spawn_blocking(move || {
        let volume = &lease.volume;
        let answer = handler(&shared, &asked, &lease);
        // What was read of it may be old bytes and new ones; soon it will be opened anew.
        if volume.is_rewritten() {
            return trouble(&shared, &asked, Trouble::Busy(volume)).respond(&asked, &shared.encoded);
        }
        let answer = answer.unwrap_or_else(|error| {
            (shared.log)(Event::Warning(&format!("{}: {error}", volume.path.display())));
            trouble(&shared, &asked, Trouble::Failed(volume, &error))
        });
        answer.respond(&asked, &shared.encoded)
    });
    // After a panic, of which the thread's own message has told.
    answered.await.unwrap_or_else(|_| say(Trouble::Panicked))
}

/// Says to a person why an archive gives no answer.
fn trouble(state: &State, request: &Request, trouble: Trouble<'_>) -> Answer {
    match trouble {
        Trouble::Missing(_) => pages::missing(state, request),
        Trouble::Busy(volume) => pages::busy(state, Some(volume)),
        Trouble::Broken(volume, fault) => pages::broken(state, volume, fault),
        Trouble::Failed(volume, error) => pages::failed(state, volume, &error.to_string()),
        Trouble::Panicked => Answer::text(StatusCode::INTERNAL_SERVER_ERROR, "something went wrong here\n"),
    }
}

/// Answers with an entry as it is.
fn raw(state: &State, request: &Request, lease: &Lease, path: &str) -> Result<Answer, Error> {
    Ok(match content::find(&lease.book, path, &request.raw_query)? {
        Meant::Entry(entry) => content::raw(state, request, lease, &entry)?,
        Meant::Elsewhere(there) => {
            let to = format!(
                "{}/raw/{}/content/{}",
                state.options.root,
                url::path(&lease.volume.name),
                url::path(there.entry.path())
            );
            Answer::redirect(StatusCode::FOUND, &to)
        }
        Meant::Nothing => Answer::text(StatusCode::NOT_FOUND, "there is no such entry\n"),
    })
}

fn metrics(state: &State) -> Answer {
    let shelf = state.library.shelf();
    let broken = shelf.volumes().iter().filter(|v| v.fault().is_some()).count() as u64;
    let text = state.metrics.write(&[
        ("tome_archives", "Archives that are served.", shelf.volumes().len() as u64 - broken),
        ("tome_archives_broken", "Archives that cannot be opened.", broken),
        ("tome_connections", "Connections that are open.", state.clients.connections() as u64),
        (
            "tome_content_cache_bytes",
            "Decoded content of .tome archives that is kept.",
            state.library.cached(),
        ),
        ("tome_held_bytes", "Bytes of answers that wait to be taken.", state.held.bytes()),
        ("tome_encoded_cache_bytes", "Encoded answers that are kept.", state.encoded.weight()),
    ]);
    Answer::data("text/plain; version=0.0.4; charset=utf-8", text).with_policy(Policy::Data)
}
