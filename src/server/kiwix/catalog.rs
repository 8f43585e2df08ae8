//! `/catalog/...`: the library for other programs, as OPDS. Asks no disk: what is not known yet is not
//! listed yet.

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use hyper::StatusCode;

use super::super::answer::{Answer, Policy};
use super::super::library::{Lease, Shelf};
use super::super::request::Request;
use super::super::{State, content, documents, url};
use super::card::{Card, made_uuid};
use super::feed::{self, ACQUISITION, DESCRIPTION, ENTRY, NAVIGATION, Part};
use super::filter::Filter;
use crate::error::Error;
use crate::item::Value;
use crate::zim::metadata;

/// Archives in one answer if nothing is said, as with kiwix-serve.
const COUNT: usize = 10;

/// Answers what stands behind `/catalog/`; nothing if there is no such feed.
pub fn answer(state: &State, request: &Request, path: &str) -> Option<Answer> {
    let shelf = state.library.shelf();
    let cards = state.cards.of(&shelf);
    let root = state.options.root.as_str();
    let library = feed::Library { root, updated: updated(&shelf), id: &request.host };
    let (mime, text) = match path {
        "root.xml" => (ACQUISITION, library.first_version(&part(&cards.iter().collect::<Vec<_>>(), ""))),
        "search" => (ACQUISITION, listed(&cards, request, |part| library.first_version(part))),
        "searchdescription.xml" => (DESCRIPTION, how_to_search(root, "search")),
        "v2/root.xml" => (NAVIGATION, library.root()),
        "v2/entries" => (ACQUISITION, listed(&cards, request, |part| library.entries(part, false))),
        "v2/partial_entries" => (ACQUISITION, listed(&cards, request, |part| library.entries(part, true))),
        "v2/categories" => {
            let names = counted(cards.iter().map(|card| card.category.as_str()));
            (NAVIGATION, library.categories(names.into_keys()))
        }
        "v2/languages" => {
            let codes = counted(cards.iter().flat_map(|card| card.languages.iter().map(String::as_str)));
            (NAVIGATION, library.languages(codes.into_iter()))
        }
        "v2/searchdescription.xml" => (DESCRIPTION, how_to_search(root, "v2/entries")),
        _ => {
            let id = path.strip_prefix("v2/entry/")?;
            (ENTRY, library.alone(cards.iter().find(|card| card.id == id)?))
        }
    };
    let tag = made_uuid(&[mime, &text]);
    Some(Answer::data(format!("{mime};charset=utf-8"), text).tagged(tag))
}

/// Returns the archive whose picture is asked for, by UUID or, as older versions link to it, by name.
pub fn pictured(state: &State, rest: &str) -> Option<String> {
    let key = url::decode(rest.trim_end_matches('/'));
    let shelf = state.library.shelf();
    if let Some(volume) = super::names::volume(&shelf, &key) {
        return Some(volume.name.clone());
    }
    let cards = state.cards.of(&shelf);
    cards.iter().find(|card| card.id == *key).map(|card| card.own_name.clone())
}

/// Answers with an archive's picture of a size.
pub fn illustration(_: &State, request: &Request, lease: &Lease) -> Result<Answer, Error> {
    let size = request.query.number("size", 1 << 16).and_then(|size| u32::try_from(size).ok());
    let found = match (size, lease.book.as_zim()) {
        (Some(size), Some(zim)) => zim.illustration(size)?,
        (Some(size), None) => {
            metadata::zim_value(lease.book.metadata()?, &format!("Illustration_{size}x{size}@1"))
        }
        (None, _) => None,
    };
    // Whatever an archive calls its picture, it is shown as one or not at all.
    let found =
        found.filter(|value| value.mime.is_empty() || documents::one_type(&value.mime).starts_with("image/"));
    Ok(found.map_or_else(
        || Answer::text(StatusCode::NOT_FOUND, "there is no such picture\n"),
        |value| of_value(lease, &format!("i{}", size.unwrap_or_default()), value),
    ))
}

/// Answers with a value of an archive's metadata.
pub fn meta(lease: &Lease, key: &str) -> Result<Answer, Error> {
    let found = match lease.book.as_zim() {
        Some(zim) => zim.metadata_value(key)?,
        None => metadata::zim_value(lease.book.metadata()?, key),
    };
    Ok(found.map_or_else(
        || Answer::text(StatusCode::NOT_FOUND, "there is no such metadata\n"),
        |value| of_value(lease, &made_uuid(&[key]), value),
    ))
}

fn of_value(lease: &Lease, what: &str, value: Value) -> Answer {
    let mime = match documents::one_type(&value.mime) {
        // No metadata is a page, and none is looked through as pages are.
        page if documents::may_connect(page, &value.bytes) => "text/plain; charset=utf-8".into(),
        other => content::with_charset(other, &value.bytes),
    };
    let tag = format!("{}-m{what}", lease.volume.tag());
    Answer::data(mime, value.bytes).tagged(tag).with_policy(Policy::Content)
}

fn listed(cards: &[Card], request: &Request, write: impl Fn(&Part<'_>) -> String) -> String {
    let filter = Filter::read(&request.query, "");
    let fitting: Vec<&Card> = cards.iter().filter(|card| filter.takes(card)).collect();
    let start = request.query.number("start", usize::MAX).unwrap_or(0);
    // Nothing, less or no number at all is all of them.
    let count = match request.query.get("count") {
        None => COUNT,
        Some(count) => count.parse().ok().filter(|n| *n > 0).unwrap_or(usize::MAX),
    };
    let shown = fitting.get(start..).unwrap_or_default();
    let shown = &shown[..shown.len().min(count)];
    write(&Part { cards: shown, total: fitting.len(), start, query: &request.raw_query })
}

fn part<'a>(cards: &'a [&'a Card], query: &'a str) -> Part<'a> {
    Part { cards, total: cards.len(), start: 0, query }
}

fn counted<'a>(words: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    let mut out = BTreeMap::new();
    for word in words.filter(|word| !word.is_empty()) {
        *out.entry(word).or_default() += 1;
    }
    out
}

fn how_to_search(root: &str, path: &str) -> String {
    let template = format!(
        "{root}/catalog/{path}?q={{searchTerms?}}&lang={{language?}}&name={{k:name?}}&tag={{k:tag?}}\
         &notag={{k:notag?}}&maxsize={{k:maxsize?}}&count={{count?}}&start={{startIndex?}}"
    );
    feed::description("Zim catalog search", "Search zim files in the catalog.", ACQUISITION, &template)
}

/// Returns when the last of the archives came or changed.
fn updated(shelf: &Shelf) -> String {
    let newest = shelf.volumes().iter().filter_map(|volume| volume.modified()).max();
    feed::time(newest.unwrap_or(UNIX_EPOCH))
}
