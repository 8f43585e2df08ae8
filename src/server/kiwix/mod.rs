//! The public addresses of kiwix-serve, so that links and programs made for it keep working.
//!
//! What has an address of our own is answered by leading there; only what programs read (the catalogue,
//! suggestions and search results as data, metadata) is written in kiwix-serve's form.

mod card;
mod catalog;
mod feed;
mod filter;
mod legacy;
mod names;
mod search;
mod suggest;
mod xml;

use std::sync::Arc;

use hyper::header::{CONTENT_DISPOSITION, HeaderValue};
use hyper::{Response, StatusCode};

pub use self::card::Cards;
pub use self::catalog::meta;
pub use self::search::{Unchosen, chosen, is_feed};

use super::answer::{Answer, Matter};
use super::body::{Body, Source};
use super::library::Lease;
use super::request::Request;
use super::routes::{of_volume, respond};
use super::search::Refused;
use super::{State, url};
use crate::error::Error;

/// Answers what stands at one of kiwix-serve's addresses, the first part of whose path is given apart;
/// nothing if there is nothing.
pub async fn answer(
    state: &Arc<State>,
    request: &Arc<Request>,
    first: &str,
    rest: Option<&str>,
) -> Option<Response<Body>> {
    match (first, rest) {
        ("catalog", Some(path)) => catalogue(state, request, path).await,
        ("download", Some(file)) => {
            let name = own_name(state, &url::decode(file.strip_suffix(".zim")?))?;
            Some(of_volume(state, request, &name, |_, _, lease| Ok(file_of(lease))).await)
        }
        ("suggest", None) => {
            let name = own_name(state, request.query.get("content")?)?;
            Some(respond(state, request, suggest::answer(state, request, name).await).await)
        }
        ("random", None) => {
            let name = own_name(state, request.query.get("content")?)?;
            Some(of_volume(state, request, &name, legacy::random).await)
        }
        ("search", Some("searchdescription.xml")) => {
            Some(search::description(state).respond(request, &state.encoded))
        }
        ("search", None) if search::is_feed(request) => {
            Some(respond(state, request, search::answer(state, request).await).await)
        }
        _ => Some(legacy::answer(state, request, first, rest)?.respond(request, &state.encoded)),
    }
}

async fn catalogue(state: &Arc<State>, request: &Arc<Request>, path: &str) -> Option<Response<Body>> {
    if let Some(rest) = path.strip_prefix("v2/illustration/") {
        let (shared, key) = (Arc::clone(state), rest.to_owned());
        let found = state.lists.run(move || catalog::pictured(&shared, &key)).await;
        let Some(found) = found else { return Some(busy(state, request)) };
        let name = found?;
        return Some(of_volume(state, request, &name, catalog::illustration).await);
    }
    let (shared, asked, path) = (Arc::clone(state), Arc::clone(request), path.to_owned());
    let work =
        move || catalog::answer(&shared, &asked, &path).map(|answer| answer.respond(&asked, &shared.encoded));
    state.lists.run(work).await.unwrap_or_else(|| Some(busy(state, request)))
}

fn busy(state: &State, request: &Request) -> Response<Body> {
    search::refused(Refused::Busy, true).respond(request, &state.encoded)
}

/// Returns the name that we have for an archive which is called so by kiwix-serve or by us.
pub fn own_name(state: &State, name: &str) -> Option<String> {
    names::volume(&state.library.shelf(), name).map(|volume| volume.name.clone())
}

/// Answers with a ZIM itself.
fn file_of(lease: &Lease) -> Answer {
    let book = &lease.book;
    if book.as_zim().is_none() {
        return Answer::text(StatusCode::NOT_FOUND, "there is no such file\n");
    }
    let mut answer = Answer::data(feed::ZIM, bytes::Bytes::new());
    let source = Source { book: Arc::clone(book), volume: Arc::clone(&lease.volume) };
    answer.matter = Matter::File(source, book.size());
    let name = format!("attachment; filename*=UTF-8''{}.zim", url::value(&lease.volume.name));
    let answer = answer.tagged(format!("{}-file", lease.volume.tag()));
    match HeaderValue::try_from(name) {
        Ok(name) => answer.with(CONTENT_DISPOSITION, name),
        Err(_) => answer,
    }
}

/// An answer that an archive's handler gives.
type Handled = Result<Answer, Error>;
