//! Pages for people.

mod bar;
mod forms;
mod icon;
mod languages;
mod library;
mod notice;
mod reader;
mod search;
mod sheet;

pub use self::icon::icon;
pub use self::library::library;
pub use self::notice::{broken, busy, external, failed, missing, viewer};
pub use self::search::answer as search;

use askama::Template;

use hyper::StatusCode;
use hyper::header::{HeaderName, HeaderValue, VARY};

use self::sheet::{Sheet, page, words};
use super::answer::{Answer, Policy};
use super::assets::VERSION;
use super::content::{self, Meant};
use super::library::Lease;
use super::request::Request;
use super::{State, url};
use crate::book::Entry;
use crate::error::Error;
use crate::item::Kind;
use crate::text::{Markup, charset, charset_of_mime};

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

/// The longest page that gets our bar, in bytes; a longer one is shown as it is.
const MAX_PAGE: u64 = 16 << 20;

/// An entry, with our bar if it is a page.
pub fn read(state: &State, request: &Request, lease: &Lease, path: &str) -> Result<Answer, Error> {
    Ok(match content::find(&lease.book, path, &request.raw_query)? {
        Meant::Entry(entry) => shown(state, request, lease, &entry)?,
        Meant::Elsewhere(there) => {
            let fragment = there.fragment.map(|f| format!("#{}", url::value(&f))).unwrap_or_default();
            let (root, name) = (&state.options.root, url::path(&lease.volume.name));
            Answer::redirect(
                StatusCode::FOUND,
                &format!("{root}/a/{name}/{}{fragment}", url::path(there.entry.path())),
            )
        }
        Meant::Nothing => notice::missing_in(state, request, lease, path),
    })
}

fn shown(state: &State, request: &Request, lease: &Lease, entry: &Entry) -> Result<Answer, Error> {
    let tag = lease.volume.tag(&lease.book);
    let mime = entry.mime();
    let scripts = state.origins.runs_scripts(request, &lease.volume.name);
    let policy = |answer: Answer| match scripts {
        true => answer.with_policy(Policy::scripts(&state.origins.library(request, state.port))),
        false => answer,
    };
    let is_css = mime.starts_with("text/css");
    let markup = Markup::of_mime(mime).filter(|_| !is_part(request));
    if (markup.is_none() && !is_css) || lease.book.size_of(entry)? > MAX_PAGE {
        return content::raw(lease, entry, &tag).map(policy);
    }
    let bytes = lease.book.content(entry)?;
    let text = charset::decode(&bytes, charset_of_mime(mime));
    let root = &state.options.root;
    let name = &lease.volume.name;
    if is_css {
        return Ok(match reader::style_sheet(&text, root, name) {
            Some(css) => Answer::data("text/css; charset=utf-8", css)
                .tagged(format!("{tag}-{:x}-s", entry.id()))
                .with_policy(Policy::Content),
            None => content::raw(lease, entry, &tag)?,
        });
    }
    let frame = reader::Frame {
        root,
        archive: name,
        archive_title: lease.volume.title(),
        path: entry.path(),
        title: entry.title(),
        language: lease.book.language(entry).ok().flatten(),
        block_external: state.options.block_external,
        scripts,
        words: words(),
        assets: &state.assets,
    };
    let html = match markup {
        Some(Markup::Html) => reader::compose(&text, mime.contains("xhtml"), &frame),
        Some(Markup::Markdown) => {
            reader::compose(&forms::from_markdown(&text, frame.title, frame.language), false, &frame)
        }
        // Data and style sheets are text, too, and are not read.
        Some(Markup::Text) if entry.kind() == Kind::Article && is_plain(mime) => {
            reader::compose(&forms::from_text(&text, frame.title, frame.language), false, &frame)
        }
        _ => None,
    };
    Ok(match html {
        Some(html) => policy(Answer::page(&state.assets, StatusCode::OK, html))
            // The host decides which scripts run, and so which page this is.
            .tagged(format!("{tag}-{:x}-{}{}", entry.id(), if scripts { "o" } else { "p" }, *VERSION))
            .with(VARY, HeaderValue::from_static("sec-fetch-dest")),
        None => policy(content::raw(lease, entry, &tag)?),
    })
}

fn is_plain(mime: &str) -> bool {
    mime.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/plain")
}

/// Returns true for a page that is shown inside another one, where a second bar would be in the way, or
/// read by a script, which wants it as it is.
fn is_part(request: &Request) -> bool {
    let dest = request.header(HeaderName::from_static("sec-fetch-dest"));
    matches!(dest, Some("iframe" | "frame" | "embed" | "object" | "empty"))
}
