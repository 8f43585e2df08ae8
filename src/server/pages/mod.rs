//! Pages for people.

use hyper::StatusCode;

use super::answer::{Answer, Policy};
use super::content::{self, Meant};
use super::library::Lease;
use super::request::Request;
use super::{State, url};
use crate::error::Error;

/// What crawlers are asked.
pub const ROBOTS: &str = "User-agent: *\nDisallow: /\n";

/// The library.
pub fn library(state: &State, _request: &Request) -> Answer {
    let shelf = state.library.shelf();
    let mut html = String::from("<!doctype html><title>Library</title>");
    for volume in shelf.volumes() {
        html.push_str(&format!("<p><a href=\"{}/a/{}/\">x</a>", state.options.root, url::path(&volume.name)));
    }
    Answer::page(StatusCode::OK, html)
}

/// A page that is not there.
pub fn missing(_state: &State, _request: &Request) -> Answer {
    Answer::text(StatusCode::NOT_FOUND, "nothing is served there\n")
}

/// An entry, with our bar if it is a page.
pub fn read(state: &State, request: &Request, lease: &Lease, path: &str) -> Result<Answer, Error> {
    Ok(match content::find(&lease.book, path, &request.raw_query)? {
        Meant::Entry(entry) => {
            content::raw(lease, &entry, &lease.volume.tag(&lease.book))?.with_policy(Policy::Content)
        }
        Meant::Elsewhere(there) => {
            let fragment = there.fragment.map(|f| format!("#{}", url::value(&f))).unwrap_or_default();
            let (root, name) = (&state.options.root, url::path(&lease.volume.name));
            Answer::redirect(
                StatusCode::FOUND,
                &format!("{root}/a/{name}/{}{fragment}", url::path(there.entry.path())),
            )
        }
        Meant::Nothing => missing(state, request),
    })
}
