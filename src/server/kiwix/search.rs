//! `/search` for programs: results as RSS with the words of OpenSearch.

use std::fmt::Write;
use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::{HeaderValue, RETRY_AFTER};

use super::super::answer::Answer;
use super::super::request::Request;
use super::super::search::{self, Because, Found, LeftOut, MAX_HITS, MAX_NAMES, Refused};
use super::super::url::Query;
use super::super::{State, url};
use super::filter::Filter;
use super::xml::{Marked, Text};
use super::{feed, own_name};

/// Results of a page if nothing is said, and the most, as with kiwix-serve.
const PAGE: usize = 25;
const MAX_PAGE: usize = if MAX_HITS < 140 { MAX_HITS } else { 140 };

/// In which ways archives are named, beside filters.
const WAYS: [&str; 3] = ["content", "books.name", "books.id"];

/// So many names are looked up at once.
const FEW: usize = 4;

/// How the names of filters begin.
const FILTER: &str = "books.filter.";

/// Returns true if results are asked for as a feed.
pub fn is_feed(request: &Request) -> bool {
    request.query.get("format") == Some("xml")
}

/// Returns the archives that an address of kiwix-serve's kind names; all, as an empty list, if it names
/// none.
///
/// They are named by `content` or `books.name`, by their UUIDs as `books.id`, or by the catalogue's
/// filters with `books.filter.` before their names.
///
/// # Errors
///
/// Says what there is not, or that there is too much to do.
pub async fn chosen(state: &Arc<State>, request: &Arc<Request>) -> Result<Vec<String>, Unchosen> {
    let is_way = |name: &str| WAYS.contains(&name) || name.starts_with(FILTER);
    if !request.query.names().any(is_way) {
        return Ok(vec![]);
    }
    let by_name = |name: &&str| matches!(*name, "content" | "books.name");
    if (1..=FEW).contains(&request.query.names().filter(by_name).count()) {
        return named(state, &request.query);
    }
    let (shared, request) = (Arc::clone(state), Arc::clone(request));
    let found = state.lists.run(move || named(&shared, &request.query)).await;
    found.unwrap_or(Err(Unchosen::Busy))
}

/// Why no archives are chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unchosen {
    /// There is too much to do.
    Busy,
    /// What there is not, in words.
    Missing(String),
}

fn named(state: &State, query: &Query) -> Result<Vec<String>, Unchosen> {
    let missing = |name: &str| Unchosen::Missing(format!("there is no archive {name}"));
    let names: Vec<&str> = query.all("content").chain(query.all("books.name")).take(MAX_NAMES).collect();
    if !names.is_empty() {
        let own = |name: &str| own_name(state, name).ok_or_else(|| missing(name));
        return names.into_iter().map(own).collect();
    }
    let cards = state.cards.of(&state.library.shelf());
    if query.has("books.id") {
        let own = |id: &str| {
            let found = cards.iter().find(|card| card.id == id);
            found.map(|card| card.own_name.clone()).ok_or_else(|| missing(id))
        };
        return query.all("books.id").take(MAX_NAMES).map(own).collect();
    }
    let filter = Filter::read(query, FILTER);
    let fitting: Vec<String> =
        cards.iter().filter(|card| filter.takes(card)).map(|card| card.own_name.clone()).collect();
    // An empty list would be all of them.
    let none = || Unchosen::Missing("no archive is what was asked for".into());
    if fitting.is_empty() { Err(none()) } else { Ok(fitting) }
}

/// Says how to search for articles.
pub fn description(state: &State) -> Answer {
    let template = format!(
        "{}/search?format=xml&pattern={{searchTerms}}&books.filter.lang={{language?}}&books.name={{k:name?}}\
         &pageLength={{count?}}&start={{startIndex?}}",
        state.options.root
    );
    let (name, about) = ("Fulltext articles search", "Search for articles in the library.");
    let text = feed::description(name, about, "application/rss+xml", &template);
    Answer::data(format!("{};charset=utf-8", feed::DESCRIPTION), text)
}

/// Answers with what was found, as a feed.
pub async fn answer(state: &Arc<State>, request: &Arc<Request>) -> Answer {
    let query = &request.query;
    let names = match chosen(state, request).await {
        Ok(names) => names,
        Err(Unchosen::Missing(what)) => return failed(StatusCode::BAD_REQUEST, &what, true),
        Err(Unchosen::Busy) => return refused(Refused::Busy, true),
    };
    let pattern = query.get("pattern").or(query.get("q")).unwrap_or_default().trim();
    // The first result has the number 1; older links have 0 for it.
    let start = query.number("start", usize::MAX).unwrap_or(1).max(1);
    let length = query.number("pageLength", MAX_PAGE).filter(|n| *n > 0).unwrap_or(PAGE);
    let found = search::search(state, request.client, names, pattern.to_owned(), length, start - 1).await;
    match found {
        Ok(found) => match found.left_out.first() {
            // Nothing was looked at: that is not the same as nothing being there.
            Some(left_out) if found.hits.is_empty() => self::left_out(left_out, true),
            _ => {
                let text = written(state, request, pattern, &found, start, length);
                Answer::data("application/rss+xml; charset=utf-8", text)
            }
        },
        Err(refused) => self::refused(refused, true),
    }
}

fn written(
    state: &State,
    request: &Request,
    pattern: &str,
    found: &Found,
    start: usize,
    length: usize,
) -> String {
    let root = &state.options.root;
    let query: Vec<&str> = request
        .raw_query
        .split('&')
        .filter(|pair| {
            !["start", "pageLength", "format"].contains(&pair.split('=').next().unwrap_or_default())
        })
        .collect();
    let link = format!("{root}/search?{}&format=xml&start={start}&pageLength={length}", query.join("&"));
    // No more than was counted, but no less than is shown.
    let total = found.at_least.max((start - 1 + found.hits.len()) as u64);
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <rss version=\"2.0\" xmlns:opensearch=\"http://a9.com/-/spec/opensearch/1.1/\" \
         xmlns:atom=\"http://www.w3.org/2005/Atom\">\n<channel>\n\
         <title>Search: {pattern}</title>\n<link>{}</link>\n\
         <description>Search result for {pattern}</description>\n\
         <opensearch:totalResults>{total}</opensearch:totalResults>\n\
         <opensearch:startIndex>{start}</opensearch:startIndex>\n\
         <opensearch:itemsPerPage>{length}</opensearch:itemsPerPage>\n\
         <atom:link rel=\"search\" type=\"{}\" href=\"{}/search/searchdescription.xml\"/>\n\
         <opensearch:Query role=\"request\" searchTerms=\"{pattern}\" startIndex=\"{start}\" \
         count=\"{length}\"/>\n",
        Text(&link),
        feed::DESCRIPTION,
        Text(root),
        pattern = Text(pattern),
    );
    for hit in &found.hits {
        let link = format!("{root}/content/{}/{}", url::path(&hit.volume.name), url::path(&hit.hit.path));
        // The snippet is HTML: words in bold, all else escaped by references that XML has, too.
        let _ = writeln!(
            out,
            "<item>\n<title>{}</title>\n<link>{}</link>\n<description>{}...</description>\n\
             <book><title>{}</title></book>\n</item>",
            Text(&hit.hit.title),
            Text(&link),
            Marked(&hit.hit.snippet),
            Text(hit.volume.title()),
        );
    }
    out + "</channel>\n</rss>\n"
}

/// Says why nothing was looked for, as a feed's reader or another program expects it.
pub fn refused(refused: Refused, as_xml: bool) -> Answer {
    match refused {
        Refused::Busy => later("there is too much to do; try again in a moment", as_xml),
        Refused::Unfit(what) => failed(StatusCode::BAD_REQUEST, what, as_xml),
        Refused::Missing(name) => {
            failed(StatusCode::NOT_FOUND, &format!("there is no archive {name}"), as_xml)
        }
        Refused::Broken(name, fault) => {
            failed(StatusCode::BAD_GATEWAY, &format!("{name} cannot be opened: {fault}"), as_xml)
        }
    }
}

/// Says why an archive was not looked at.
pub fn left_out(left_out: &LeftOut, as_xml: bool) -> Answer {
    let name = &left_out.volume.name;
    match &left_out.because {
        Because::Indexing(_) => later(&format!("the index of {name} is being made; try again soon"), as_xml),
        Because::Unprepared => {
            later(&format!("{name} has no index yet; searching it alone makes one"), as_xml)
        }
        Because::Busy => later(&format!("{name} has too much to do; try again in a moment"), as_xml),
        Because::Broken(fault) => failed(StatusCode::BAD_GATEWAY, &format!("{name}: {fault}"), as_xml),
    }
}

fn later(what: &str, as_xml: bool) -> Answer {
    failed(StatusCode::SERVICE_UNAVAILABLE, what, as_xml).with(RETRY_AFTER, HeaderValue::from_static("5"))
}

fn failed(status: StatusCode, what: &str, as_xml: bool) -> Answer {
    if !as_xml {
        return Answer::text(status, format!("{what}\n"));
    }
    let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<error>{}</error>\n", Text(what));
    let mut answer = Answer::data("application/xml; charset=utf-8", text);
    answer.status = status;
    answer
}
