//! `/api/entry`, `/api/content` and `/api/random`.

use std::collections::HashSet;

use hyper::StatusCode;
use serde::Serialize;

use super::{Fault, json};
use crate::book::{Book, Entry, Found, Resolved};
use crate::item::Kind;
use crate::json;
use crate::server::State;
use crate::server::answer::{Answer, Policy};
use crate::server::content::{self, Meant};
use crate::server::destination::{Destination, by_place};
use crate::server::documents::BYTES;
use crate::server::library::Lease;
use crate::server::request::Request;
use crate::server::url;
use crate::text::{self, Markup, Readable};

/// The longest article that is taken apart, in bytes.
const MAX_ARTICLE: u64 = 4 << 20;

/// The most links of each kind that are told.
const MAX_LINKS: usize = 2000;

#[derive(Serialize)]
struct About<'a> {
    #[serde(flatten)]
    entry: json::Entry<'a>,
    language: Option<&'a str>,
    links: Vec<Link>,
    external: Vec<External>,
    headings: Vec<Heading>,
    partial: bool,
}

/// A link to an entry.
#[derive(Serialize)]
struct Link {
    path: String,
    title: String,
    text: String,
}

/// A link out of the archive.
#[derive(Serialize)]
struct External {
    url: String,
    text: String,
}

#[derive(Serialize)]
struct Heading {
    level: u8,
    id: Option<String>,
    text: String,
}

/// Finds the entry that a request names: by `path` that entry itself, be it a redirect, by `title` the
/// article that is meant.
fn named(request: &Request, book: &Book) -> Result<Entry, Fault> {
    let (path, title) = (request.query.get("path"), request.query.get("title"));
    match (path, title) {
        (Some(path), None) => {
            let entry = book.entry_by_path(path)?;
            entry.ok_or_else(|| Fault::missing(format!("there is no path {path:?}")))
        }
        (None, Some(title)) => match book.find_title(title)? {
            Found::One(Resolved { entry, .. }) => Ok(entry),
            Found::Several(several) => {
                let paths: Vec<&str> = several.iter().map(|one| one.entry.path()).take(20).collect();
                Err(Fault::new(
                    StatusCode::CONFLICT,
                    format!(
                        "{} entries are called {title:?}; take one by its path: {paths:?}",
                        several.len()
                    ),
                ))
            }
            Found::Nothing(near) => {
                let near: Vec<&str> = near.iter().map(Entry::title).collect();
                let hint = if near.is_empty() { String::new() } else { format!("; there is {near:?}") };
                Err(Fault::missing(format!("there is no title {title:?}{hint}")))
            }
        },
        (Some(_), Some(_)) => Err(Fault::unfit("either path or title, not both")),
        (None, None) => Err(Fault::unfit("one of the parameters path and title is missing")),
    }
}

/// Returns the tag of what is made of an entry.
fn tag(lease: &Lease, entry: &Entry, form: &str) -> String {
    format!("{}-{:x}-api-{form}-{}", lease.volume.tag(), entry.id(), env!("CARGO_PKG_VERSION"))
}

pub(super) fn about(_: &State, request: &Request, lease: &Lease) -> Result<Answer, Fault> {
    let book = &*lease.book;
    let entry = named(request, book)?;
    let size = book.size_of(&entry)?;
    let mut about = About {
        entry: json::Entry::new(&entry, size, json::Redirect::of(book, &entry)?),
        language: book.language(&entry)?,
        links: vec![],
        external: vec![],
        headings: vec![],
        partial: false,
    };
    // What has links: pages, and what becomes one.
    let has_links = matches!(Markup::of_mime(entry.mime()), Some(Markup::Html | Markup::Markdown));
    if has_links && entry.kind() != Kind::Redirect {
        if size > MAX_ARTICLE {
            about.partial = true;
        } else if let Some(page) = Readable::read(entry.mime(), &book.content(&entry)?) {
            about.read(book, entry.path(), &page.into_html(""));
        }
    }
    Ok(json(&about).tagged(tag(lease, &entry, "e")))
}

impl About<'_> {
    fn read(&mut self, book: &Book, from: &str, html: &str) {
        let mut seen = HashSet::new();
        for text::Link { href, text } in text::links(html) {
            if self.links.len() >= MAX_LINKS || self.external.len() >= MAX_LINKS {
                self.partial = true;
                break;
            }
            match text::resolve(from, &href) {
                Some(path) if seen.insert(path.clone()) => {
                    if let Some(entry) = target(book, &path, &href) {
                        let (path, title) = (entry.path().to_owned(), entry.title().to_owned());
                        self.links.push(Link { path, title, text });
                    }
                }
                None if is_external(&href) && seen.insert(href.clone()) => {
                    self.external.push(External { url: href.trim().to_owned(), text });
                }
                _ => {}
            }
        }
        self.headings = text::headings(html)
            .into_iter()
            .take(MAX_LINKS)
            .map(|text::Heading { level, id, text, .. }| Heading { level, id, text })
            .collect();
    }
}

/// Returns the entry to which a link leads, as a reader would come there.
fn target(book: &Book, path: &str, href: &str) -> Option<Entry> {
    let place = href.split('#').next().unwrap_or_default();
    let query = place.split_once('?').map_or("", |(_, query)| query);
    match content::find(book, &url::path(path).to_string(), query) {
        Ok(Meant::Entry(entry)) => Some(entry),
        Ok(Meant::Elsewhere(there)) => Some(there.entry),
        // What is damaged is no reason to say nothing of the rest.
        Ok(Meant::Nothing) | Err(_) => None,
    }
}

fn is_external(href: &str) -> bool {
    let href = href.trim();
    let starts = |start: &str| href.get(..start.len()).is_some_and(|s| s.eq_ignore_ascii_case(start));
    ["http://", "https://", "//", "mailto:"].into_iter().any(starts)
}

pub(super) fn content(state: &State, request: &Request, lease: &Lease) -> Result<Answer, Fault> {
    let form = request.query.get("form").unwrap_or("raw");
    let mime = match form {
        "raw" => "",
        "html" => "text/html; charset=utf-8",
        "text" => "text/plain; charset=utf-8",
        "markdown" => "text/markdown; charset=utf-8",
        _ => return Err(Fault::unfit("the parameter form is one of raw, html, text and markdown")),
    };
    let book = &*lease.book;
    let entry = named(request, book)?;
    let path = entry.path().to_owned();
    let Some(Resolved { entry, .. }) = book.resolve(entry)? else {
        return Err(Fault::missing(format!("{path}: this redirect leads nowhere")));
    };
    if form == "raw" {
        return Ok(content::raw(state, request, lease, &entry)?);
    }
    let no_form = |why: &str| {
        let text = format!("{}: {why}; the form raw has its bytes", entry.path());
        Err(Fault::new(StatusCode::UNPROCESSABLE_ENTITY, text))
    };
    if Markup::of_mime(entry.mime()).is_none() {
        return no_form("this is no text");
    }
    let place = Destination::of(request);
    if form == "html" && place.shows() {
        return Ok(by_place(content::to_page(state, lease, &entry, None)));
    }
    if book.size_of(&entry)? > MAX_ARTICLE {
        return no_form("this is too long for another form");
    }
    let Some(readable) = Readable::read(entry.mime(), &book.content(&entry)?) else {
        return no_form("this is no text");
    };
    let (text, short) = match form {
        "html" => (readable.into_html(entry.title()), "h"),
        "markdown" => (readable.into_markdown(), "m"),
        _ => (readable.into_text(), "t"),
    };
    // Whoever takes pieces out of a page makes a document of it.
    let mime = if form == "html" && place == Destination::Pieces { BYTES } else { mime };
    let answer = Answer::data(mime, text).tagged(tag(lease, &entry, short));
    Ok(by_place(answer.with_policy(if form == "html" { Policy::Unshown } else { Policy::Content })))
}

pub(super) fn random(_: &State, _: &Request, lease: &Lease) -> Result<Answer, Fault> {
    let Some(entry) = lease.book.any_article()? else {
        return Err(Fault::missing("there are no articles"));
    };
    let size = lease.book.size_of(&entry)?;
    Ok(json(&json::Read::new(&entry, size, None)))
}
