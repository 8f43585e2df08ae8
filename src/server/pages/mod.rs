//! Pages for people.

mod bar;
mod changes;
mod entry;
mod forms;
mod icon;
mod library;
mod notice;
mod reader;
mod search;
mod sheet;

pub use self::icon::icon;
pub use self::library::library;
pub use self::notice::{broken, busy, external, failed, missing, viewer};
pub use self::search::answer as search;
pub use self::sheet::words;

use askama::Template;

use hyper::StatusCode;

use self::sheet::{Sheet, page};
use super::State;
use super::answer::{Answer, Matter};
use super::assets::VERSION;
use super::content::{self, Meant};
use super::library::Lease;
use super::request::Request;
use crate::error::Error;
use crate::hex::to_hex;

/// What crawlers are asked.
pub const ROBOTS: &str = "User-agent: *\nDisallow: /\n";

/// The page of history and bookmarks, which our script fills in.
pub fn saved(state: &State) -> Answer {
    page(state, StatusCode::OK, &Saved { sheet: Sheet::new(state, None) })
}

#[derive(Template)]
#[template(path = "saved.html", config = "src/server/askama.toml")]
struct Saved<'a> {
    sheet: Sheet<'a>,
}

/// The page of the interface for programs, whose text `api` makes of its description.
pub fn manual(state: &State, title: &str, html: &str) -> Answer {
    let answer = page(state, StatusCode::OK, &Manual { sheet: Sheet::new(state, None), title, html });
    let Matter::Bytes(bytes) = &answer.matter else { return answer };
    let tag = format!("m-{}", to_hex(&blake3::hash(bytes).as_bytes()[..6]));
    answer.tagged(tag)
}

#[derive(Template)]
#[template(path = "manual.html", config = "src/server/askama.toml")]
struct Manual<'a> {
    sheet: Sheet<'a>,
    title: &'a str,
    html: &'a str,
}

/// An entry, with our bar if it is a page.
pub fn read(state: &State, request: &Request, lease: &Lease, path: &str) -> Result<Answer, Error> {
    Ok(match content::find(&lease.book, path, &request.raw_query)? {
        Meant::Entry(entry) => entry::answer(state, request, lease, &entry)?,
        Meant::Elsewhere(there) => content::to_page(state, lease, &there.entry, there.fragment.as_deref()),
        Meant::Nothing => notice::missing_in(state, request, lease, path),
    })
}
