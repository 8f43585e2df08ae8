//! The page of hits.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use hyper::StatusCode;

use super::notice;
use super::sheet::{Sheet, page, words};
use crate::server::answer::Answer;
use crate::server::kiwix::{self, Unchosen};
use crate::server::request::Request;
use crate::server::search::{self, Because, Found, LeftOut, MAX_NAMES, MAX_OFFSET, Refused};
use crate::server::words::{Words, fill};
use crate::server::{State, url};

/// Hits on a page.
const PAGE: usize = 20;

/// The most archives of which it is said that they were left out.
const MAX_NOTES: usize = 5;

/// An archive that can be chosen.
struct Choice {
    name: String,
    title: String,
    chosen: bool,
}

struct Row {
    address: String,
    title: String,
    archive: String,
    /// May be put into a page: a search gives it so.
    snippet: String,
}

#[derive(Template)]
#[template(path = "search.html", config = "src/server/askama.toml")]
struct Search<'a> {
    sheet: Sheet<'a>,
    title: String,
    q: &'a str,
    archives: Vec<Choice>,
    notes: Vec<String>,
    did_you_mean: Option<(String, String)>,
    line: Option<String>,
    hits: Vec<Row>,
    previous: Option<String>,
    next: Option<String>,
}

/// Answers with what was found, or with an empty form if nothing is asked.
pub async fn answer(state: &Arc<State>, request: &Arc<Request>) -> Answer {
    let names = match chosen(state, request).await {
        Ok(names) => names,
        Err(Unchosen::Missing(_)) => return notice::missing(state, request),
        Err(Unchosen::Busy) => return notice::busy(state, None),
    };
    let q = request.query.get("q").or_else(|| request.query.get("pattern")).unwrap_or_default().trim();
    let offset = request.query.number("offset", MAX_OFFSET).unwrap_or_else(|| {
        // kiwix-serve counts from one.
        request.query.number("start", MAX_OFFSET).unwrap_or(1).saturating_sub(1)
    });
    let found = if q.is_empty() {
        None
    } else {
        Some(search::search(state, request.client, names.clone(), q.to_owned(), PAGE, offset).await)
    };
    let found = match found.transpose() {
        Ok(found) => found,
        Err(Refused::Busy) => return notice::busy(state, None),
        Err(Refused::Broken(name, fault)) => match state.library.shelf().get(&name) {
            Some(volume) => return notice::broken(state, volume, &fault),
            None => return notice::missing(state, request),
        },
        Err(Refused::Missing(_)) => return notice::missing(state, request),
        Err(Refused::Unfit(why)) => {
            let mut form = form(state, q, &names);
            form.notes.push(fill(form.sheet.w.bad_query, &[why]));
            return page(state, StatusCode::BAD_REQUEST, &form);
        }
    };
    let mut form = form(state, q, &names);
    if let Some(found) = found {
        form.take(found, &names, offset);
    }
    page(state, StatusCode::OK, &form)
}

/// Returns the archives that are chosen; all, as an empty list, if none is. The form calls them
/// `archive`; kiwix-serve's addresses name them in ways of their own.
async fn chosen(state: &Arc<State>, request: &Arc<Request>) -> Result<Vec<String>, Unchosen> {
    let all = request.query.all("archive");
    let own: Vec<String> = all.filter(|name| !name.is_empty()).take(MAX_NAMES).map(str::to_owned).collect();
    if own.is_empty() { kiwix::chosen(state, request).await } else { Ok(own) }
}

fn form<'a>(state: &'a State, q: &'a str, names: &[String]) -> Search<'a> {
    let w = words();
    let shelf = state.library.shelf();
    let archives = shelf.volumes().iter().map(|volume| Choice {
        name: volume.name.clone(),
        title: volume.title().to_owned(),
        chosen: names.first() == Some(&volume.name),
    });
    let title = if q.is_empty() { w.search.to_owned() } else { fill(w.hits_title, &[q]) };
    Search {
        archives: archives.collect(),
        sheet: Sheet::new(state, None).without_search(state),
        title,
        q,
        notes: vec![],
        did_you_mean: None,
        line: None,
        hits: vec![],
        previous: None,
        next: None,
    }
}

impl Search<'_> {
    fn take(&mut self, found: Found, names: &[String], offset: usize) {
        let (w, root) = (self.sheet.w, self.sheet.root);
        let address = |q: &str, offset: usize| {
            let mut out = format!("{root}/search?q={}", url::value(q));
            for name in names {
                out.push_str(&format!("&archive={}", url::value(name)));
            }
            if offset > 0 {
                out.push_str(&format!("&offset={offset}"));
            }
            out
        };
        let n = found.hits.len();
        if found.hits.iter().any(|hit| hit.hit.relaxed) && found.hits.iter().all(|hit| hit.hit.relaxed) {
            self.notes.push(w.relaxed.to_owned());
        }
        // What is broken is told where it was asked for by name; the library tells it always.
        let worth = |left: &&LeftOut| !names.is_empty() || !matches!(left.because, Because::Broken(_));
        self.notes.extend(found.left_out.iter().filter(worth).take(MAX_NOTES).map(|left| note(w, left)));
        if found.partial && found.left_out.is_empty() {
            self.notes.push(w.partial.to_owned());
        }
        let took = w.took(Duration::try_from_secs_f64(found.seconds).unwrap_or_default());
        let at_least = found.at_least.max((offset + n) as u64);
        // Counting stops where the ranking may: then there may be more. On the last page all are known.
        let sentence = if n < PAGE { w.hits_exactly } else { w.hits };
        let (from, to) = (w.number(offset as u64 + 1), w.number((offset + n) as u64));
        self.line = Some(match n {
            0 => w.no_hits.to_owned(),
            _ => fill(sentence, &[&from, &to, &w.number(at_least), &took]),
        });
        self.did_you_mean = found.did_you_mean.map(|other| {
            let to = address(&other, 0);
            (other, to)
        });
        if offset > 0 {
            self.previous = Some(address(self.q, offset.saturating_sub(PAGE)));
        }
        if n == PAGE && offset + PAGE <= MAX_OFFSET {
            self.next = Some(address(self.q, offset + PAGE));
        }
        let row = |hit: search::Hit| {
            let (name, path) = (url::path(&hit.volume.name), url::path(&hit.hit.path));
            Row {
                address: format!("{root}/a/{name}/{path}"),
                archive: hit.volume.title().to_owned(),
                title: hit.hit.title,
                snippet: hit.hit.snippet,
            }
        };
        self.hits = found.hits.into_iter().map(row).collect();
    }
}

/// Says why an archive was not looked at.
fn note(w: &Words, left: &LeftOut) -> String {
    let title = left.volume.title();
    match &left.because {
        Because::Indexing(Some(percent)) => fill(w.indexing, &[title, &percent.to_string()]),
        Because::Indexing(None) => fill(w.indexing_soon, &[title]),
        Because::Unprepared => fill(w.unprepared, &[title]),
        Because::Busy => fill(w.not_searched, &[title]),
        Because::Broken(fault) => fill(w.no_index, &[title, fault]),
    }
}
