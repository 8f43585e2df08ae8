//! An entry where pages are: with our bar if it is one, and nothing of it that connects to elsewhere.

use hyper::StatusCode;
use hyper::header::{CONTENT_LANGUAGE, HeaderValue};

use super::{forms, reader, words};
use crate::book::Entry;
use crate::error::Error;
use crate::hex::to_hex;
use crate::item::{Kind, keys};
use crate::server::answer::{Answer, Policy};
use crate::server::assets::VERSION;
use crate::server::content;
use crate::server::destination::{Destination, by_place};
use crate::server::documents::{self, Document, Way};
use crate::server::languages::languages;
use crate::server::library::Lease;
use crate::server::request::Request;
use crate::server::{Options, State};
use crate::text::{self, Markup, charset, charset_of_mime};

/// The longest page that is looked through before it is shown, in bytes.
const MAX_PAGE: u64 = 16 << 20;

/// The longest tag of a language in bytes that RFC 5646 asks others to have room for.
const MAX_TAG: usize = 35;

/// What an entry is sent as.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    /// As it is.
    Stored,
    /// As it is, and no browser is to show it.
    Unshown,
    /// As bytes of no type.
    Bytes,
    /// As this XML in UTF-8, which it is not.
    Recoded(String),
    /// As a text, markup and all: what we cannot look through before it is shown.
    Source,
    /// A style sheet, led to the archive's own root.
    StyleSheet,
    /// A page with our bar.
    Html,
    /// The same, of Markdown.
    Markdown,
    /// The same, of a text.
    Text,
    /// The same, of a drawing which is shown as a picture: as such it does nothing.
    Picture,
}

impl Form {
    fn of(
        state: &State,
        lease: &Lease,
        entry: &Entry,
        place: Destination,
        scripts: bool,
    ) -> Result<Self, Error> {
        let mime = documents::mime(entry);
        let is_long = content::size(&lease.book, entry)? > MAX_PAGE;
        // Who takes pieces out of a page is held by no policy of ours.
        let is_held = scripts || place != Destination::Pieces;
        let is_as_it_is = is_long || place == Destination::Script || !is_held;
        let Some(document) = documents::document(mime) else {
            let is_plain = is(mime, "text/plain") && entry.kind() == Kind::Article;
            return Ok(match Markup::of_mime(mime) {
                Some(Markup::Text) if !is_long && is(mime, "text/css") => Self::StyleSheet,
                Some(Markup::Markdown) if !is_as_it_is => Self::Markdown,
                // Data are text, too, and are not read.
                Some(Markup::Text) if !is_as_it_is && is_plain => Self::Text,
                _ => Self::Stored,
            });
        };
        if document == Document::Html && !is_as_it_is {
            return Ok(Self::Html);
        }
        if scripts {
            return Ok(Self::Stored);
        }
        let recoded = if document == Document::Xml { recoded(lease, entry)? } else { None };
        let way = match &recoded {
            Some(xml) => Way::of_xml(state, xml, place),
            None => Way::of(state, lease, entry, place)?,
        };
        Ok(match way {
            Way::Stored => recoded.map_or(Self::Stored, Self::Recoded),
            Way::Unshown => Self::Unshown,
            Way::Bytes => Self::Bytes,
            Way::Page if is(mime, "image/svg+xml") => Self::Picture,
            Way::Page => Self::Source,
        })
    }
}

/// Returns XML of another charset than UTF-8 in that: it can be judged then, and Chromium shows no drawing of
/// another one as a picture.
fn recoded(lease: &Lease, entry: &Entry) -> Result<Option<String>, Error> {
    if content::size(&lease.book, entry)? > content::AT_ONCE {
        return Ok(None);
    }
    let bytes = lease.book.content(entry)?;
    if std::str::from_utf8(&bytes).is_ok() {
        return Ok(None);
    }
    Ok(Some(charset::decode(&bytes, charset_of_mime(documents::mime(entry))).into_owned()))
}

fn is(mime: &str, essence: &str) -> bool {
    text::essence(mime).eq_ignore_ascii_case(essence)
}

/// Answers with an entry.
pub fn answer(state: &State, request: &Request, lease: &Lease, entry: &Entry) -> Result<Answer, Error> {
    let scripts = state.origins.runs_scripts(request, &lease.volume.name);
    let place = Destination::of(request);
    let mime = documents::mime(entry);
    let form = Form::of(state, lease, entry, place, scripts)?;
    let answer = match form {
        Form::Stored => content::stored(lease, entry)?,
        Form::Unshown => content::unshown(lease, entry)?,
        Form::Bytes => content::as_bytes(lease, entry)?,
        Form::Recoded(xml) => Answer::data(content::with_charset(mime, xml.as_bytes()), xml)
            .tagged(format!("{}-{:x}-x", lease.volume.tag(), entry.id()))
            .with_policy(Policy::of_raw(mime)),
        Form::Source => content::source(lease, entry)?,
        Form::StyleSheet => return style_sheet(state, lease, entry, scripts),
        form @ (Form::Html | Form::Markdown | Form::Text | Form::Picture) => {
            match page(state, lease, entry, form, place, scripts)? {
                Some(page) => page,
                None => content::source(lease, entry)?,
            }
        }
    };
    let answer = match scripts {
        true => answer.with_policy(Policy::scripts(&state.origins.library(request, state.port))),
        false => answer,
    };
    // Documents are text, too; what is none is the same everywhere.
    Ok(if Markup::of_mime(mime).is_some() { by_place(answer) } else { answer })
}

fn style_sheet(state: &State, lease: &Lease, entry: &Entry, scripts: bool) -> Result<Answer, Error> {
    let name = &lease.volume.name;
    let text = lease.book.content(entry)?;
    let text = charset::decode(&text, charset_of_mime(documents::mime(entry)));
    Ok(match reader::style_sheet(&text, &state.options.root, name) {
        Some(css) => Answer::data("text/css; charset=utf-8", css)
            .tagged(format!("{}-{:x}-s{}", lease.volume.tag(), entry.id(), frame_tag(state, name, scripts)))
            .with_policy(Policy::Content),
        None => content::stored(lease, entry)?,
    })
}

/// Returns an entry as a page; nothing if more in it would have to be changed than people write.
fn page(
    state: &State,
    lease: &Lease,
    entry: &Entry,
    form: Form,
    place: Destination,
    scripts: bool,
) -> Result<Option<Answer>, Error> {
    let name = &lease.volume.name;
    let (title, language) = (entry.title(), lease.book.language(entry).ok().flatten());
    let around = reader::Frame {
        root: &state.options.root,
        archive: name,
        archive_title: lease.volume.title(),
        path: entry.path(),
        title,
        block_external: state.options.block_external,
        scripts,
        has_bar: place != Destination::Frame,
        words: words(),
        assets: &state.assets,
    };
    let mime = documents::mime(entry);
    let is_xml = form == Form::Html && is(mime, "application/xhtml+xml");
    let shown = if form == Form::Picture {
        reader::compose(&forms::from_picture(entry.path(), title, language, around.has_bar), is_xml, &around)
    } else {
        let bytes = lease.book.content(entry)?;
        let text = charset::decode(&bytes, charset_of_mime(mime));
        match form {
            Form::Markdown => reader::compose(&forms::from_markdown(&text, title, language), is_xml, &around),
            Form::Text => reader::compose(&forms::from_text(&text, title, language), is_xml, &around),
            _ => reader::compose(&text, is_xml, &around),
        }
    };
    let Some(shown) = shown else { return Ok(None) };
    let mut page = Answer::page(&state.assets, StatusCode::OK, shown.html);
    if !shown.says_language
        && let Some(language) = content_language(lease)
    {
        page = page.with(CONTENT_LANGUAGE, language);
    }
    let (page, kind) = match around.has_bar {
        true => (page, "p"),
        false => (page.with_policy(Policy::Content), "f"),
    };
    let frame = frame_tag(state, name, scripts);
    Ok(Some(page.tagged(format!("{}-{:x}-{kind}{frame}", lease.volume.tag(), entry.id()))))
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
    let mut all = languages(lease.volume.about()?.metadata.text(keys::LANGUAGE)?);
    let (tag, None) = (all.next()?.0, all.next()) else { return None };
    let is_tag = tag.len() <= MAX_TAG && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    HeaderValue::try_from(tag).ok().filter(|_| is_tag)
}
