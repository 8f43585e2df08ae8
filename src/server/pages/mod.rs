//! Pages for people.

mod bar;
mod changes;
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
use hyper::header::{CONTENT_LANGUAGE, HeaderName, HeaderValue, VARY};

use self::sheet::{Sheet, page};
use super::answer::{Answer, Matter, Policy};
use super::assets::VERSION;
use super::content::{self, Meant};
use super::library::Lease;
use super::request::Request;
use super::{Options, State, url};
use crate::book::Entry;
use crate::error::Error;
use crate::hex::to_hex;
use crate::item::{Kind, keys};
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

/// The longest page that gets our bar, in bytes; a longer one is shown as it is.
const MAX_PAGE: u64 = 16 << 20;

/// The longest tag of a language in bytes that RFC 5646 asks others to have room for.
const MAX_TAG: usize = 35;

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
    let tag = lease.volume.tag();
    let mime = entry.mime();
    let scripts = state.origins.runs_scripts(request, &lease.volume.name);
    let policy = |answer: Answer| match scripts {
        true => answer.with_policy(Policy::scripts(&state.origins.library(request, state.port))),
        false => answer,
    };
    let is_css = mime.starts_with("text/css");
    let markup = Markup::of_mime(mime);
    if (markup.is_none() && !is_css) || lease.book.size_of(entry)? > MAX_PAGE {
        return content::raw(lease, entry).map(policy);
    }
    // Where it is shown decides what it is, also where it is as it was.
    let by_place = |answer: Answer| answer.with(VARY, HeaderValue::from_static("sec-fetch-dest"));
    let place = Destination::of(request);
    if markup.is_some() && !is_css && place == Destination::Script {
        return content::raw(lease, entry).map(policy).map(by_place);
    }
    let bytes = lease.book.content(entry)?;
    let text = charset::decode(&bytes, charset_of_mime(mime));
    let root = &state.options.root;
    let name = &lease.volume.name;
    let frame = frame_tag(state, name, scripts);
    if is_css {
        return Ok(match reader::style_sheet(&text, root, name) {
            Some(css) => Answer::data("text/css; charset=utf-8", css)
                .tagged(format!("{tag}-{:x}-s{frame}", entry.id()))
                .with_policy(Policy::Content),
            None => content::raw(lease, entry)?,
        });
    }
    let around = reader::Frame {
        root,
        archive: name,
        archive_title: lease.volume.title(),
        path: entry.path(),
        title: entry.title(),
        language: lease.book.language(entry).ok().flatten(),
        block_external: state.options.block_external,
        scripts,
        has_bar: place == Destination::Reader,
        words: words(),
        assets: &state.assets,
    };
    let html = match markup {
        Some(Markup::Html) => Some(reader::compose(&text, mime.contains("xhtml"), &around)),
        Some(Markup::Markdown) => {
            Some(reader::compose(&forms::from_markdown(&text, around.title, around.language), false, &around))
        }
        // Data and style sheets are text, too, and are not read.
        Some(Markup::Text) if entry.kind() == Kind::Article && is_plain(mime) => {
            Some(reader::compose(&forms::from_text(&text, around.title, around.language), false, &around))
        }
        _ => None,
    };
    let Some(shown) = html else { return Ok(by_place(policy(content::raw(lease, entry)?))) };
    let mut page = Answer::page(&state.assets, StatusCode::OK, shown.html);
    if !shown.says_language
        && let Some(language) = content_language(lease)
    {
        page = page.with(CONTENT_LANGUAGE, language);
    }
    let (page, form) = match around.has_bar {
        true => (page, "p"),
        false => (page.with_policy(Policy::Content), "f"),
    };
    Ok(by_place(policy(page)).tagged(format!("{tag}-{:x}-{form}{frame}", entry.id())))
}

/// Returns what tells a page in one frame from the same in another: the archive's name, the server's root
/// and the bar's name stand in it, the host decides which scripts run, and whoever runs the server where
/// links lead.
fn frame_tag(state: &State, name: &str, scripts: bool) -> String {
    let Options { root, block_external, .. } = &state.options;
    let mut hasher = blake3::Hasher::new();
    for part in [&**VERSION, state.assets.bar(), root, name].map(str::as_bytes) {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    hasher.update(&[u8::from(*block_external), u8::from(scripts)]);
    to_hex(&hasher.finalize().as_bytes()[..6])
}

/// Returns the language of an archive that is in one language.
fn content_language(lease: &Lease) -> Option<HeaderValue> {
    let mut all = crate::server::languages::languages(lease.volume.about()?.metadata.text(keys::LANGUAGE)?);
    let (tag, None) = (all.next()?.0, all.next()) else { return None };
    let is_tag = tag.len() <= MAX_TAG && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    HeaderValue::try_from(tag).ok().filter(|_| is_tag)
}

fn is_plain(mime: &str) -> bool {
    mime.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/plain")
}

/// Where a page is going, as the browser says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Destination {
    /// Before a reader's eyes.
    Reader,
    /// Into another page, where a second bar would be in the way.
    Frame,
    /// To a script, which wants it as it is.
    Script,
}

impl Destination {
    fn of(request: &Request) -> Self {
        match request.header(HeaderName::from_static("sec-fetch-dest")) {
            Some("iframe" | "frame" | "embed" | "object") => Self::Frame,
            Some("empty") => Self::Script,
            _ => Self::Reader,
        }
    }
}
