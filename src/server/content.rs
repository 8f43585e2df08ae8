//! Entries of an archive: which one an address means, and its bytes.

use std::borrow::Cow;
use std::sync::Arc;

use hyper::StatusCode;

use super::answer::{Answer, Matter, Policy};
use super::body::Source;
use super::destination::{Destination, by_place};
use super::documents::{BYTES, Document, Way, document, mime};
use super::library::Lease;
use super::request::Request;
use super::{State, url};
use crate::book::{Book, Entry, Resolved};
use crate::error::Result;
use crate::item::Kind;
use crate::text::{charset, charset_of_mime, essence};

/// What is longer is read while it is sent.
pub const AT_ONCE: u64 = 2 << 20;

/// How much of a longer text tells its charset.
const DETECTED: u64 = 64 << 10;

/// What an address means.
pub enum Meant {
    /// An article or media.
    Entry(Entry),
    /// Another address: a redirect's end, or a folder's page.
    Elsewhere(Resolved),
    /// Nothing.
    Nothing,
}

/// Finds the entry of a path, percent-encoded as it came, with what stood behind its `?`.
///
/// Pages that were mirrored from a site may have a query in their names, and link to folders as if a
/// server showed their `index.html`.
pub fn find(book: &Book, path: &str, raw_query: &str) -> Result<Meant> {
    if !raw_query.is_empty() {
        let with = url::decode(&format!("{path}?{raw_query}")).into_owned();
        if let Some(entry) = book.entry_by_path(&with)? {
            return meant(book, entry);
        }
    }
    let path = url::decode(path);
    if path.is_empty() {
        return match book.main_entry()? {
            // It may be the one without a path, to which nothing else leads.
            Some(entry) => match elsewhere(book, entry)? {
                Meant::Elsewhere(there) if there.entry.path().is_empty() => Ok(Meant::Entry(there.entry)),
                meant => Ok(meant),
            },
            None => Ok(Meant::Nothing),
        };
    }
    if let Some(entry) = book.entry_by_path(&path)? {
        return meant(book, entry);
    }
    let folder = path.trim_end_matches('/');
    let page = if folder.is_empty() { "index.html".into() } else { format!("{folder}/index.html") };
    for other in [Cow::Borrowed(folder), Cow::Owned(page)] {
        if *other != *path
            && let Some(entry) = book.entry_by_path(&other)?
        {
            return elsewhere(book, entry);
        }
    }
    match of_old_path(book, &path)? {
        Some(entry) => elsewhere(book, entry),
        None => Ok(Meant::Nothing),
    }
}

/// Finds an entry by the path that it has in another edition of the archive: with the letter of a
/// namespace before it, or without.
fn of_old_path(book: &Book, path: &str) -> Result<Option<Entry>> {
    match (book.as_zim(), path.as_bytes()) {
        (Some(zim), _) => Ok(zim.entry_by_old_path(path)?.map(Entry::from)),
        (None, [b'A' | b'C' | b'I' | b'J' | b'-', b'/', ..]) => book.entry_by_path(&path[2..]),
        (None, _) => Ok(None),
    }
}

fn meant(book: &Book, entry: Entry) -> Result<Meant> {
    if entry.kind() == Kind::Redirect { elsewhere(book, entry) } else { Ok(Meant::Entry(entry)) }
}

fn elsewhere(book: &Book, entry: Entry) -> Result<Meant> {
    Ok(book.resolve(entry)?.map_or(Meant::Nothing, Meant::Elsewhere))
}

/// Returns the length of an entry whose bytes are wanted next.
pub fn size(book: &Book, entry: &Entry) -> Result<u64> {
    if book.as_zim().is_some() {
        // To know it means to decode the start of a cluster, which is kept for who asks for bytes.
        book.content_range(entry, 0..0)?;
    }
    book.size_of(entry)
}

/// Answers with the bytes of an entry as they are, to programs and for the parts of a page. A browser that
/// would show them is led to where they are shown with what they could connect to taken out.
pub fn raw(state: &State, request: &Request, lease: &Lease, entry: &Entry) -> Result<Answer> {
    let answer = match Way::of(state, lease, entry, Destination::of(request))? {
        Way::Stored => stored(lease, entry)?,
        Way::Unshown => unshown(lease, entry)?,
        Way::Bytes => as_bytes(lease, entry)?,
        Way::Page => to_page(state, lease, entry, None),
    };
    Ok(if document(mime(entry)).is_some() { by_place(answer) } else { answer })
}

/// Leads to the page of an entry, and to a place in it if there is a fragment.
pub fn to_page(state: &State, lease: &Lease, entry: &Entry, fragment: Option<&str>) -> Answer {
    let (root, name) = (&state.options.root, url::path(&lease.volume.name));
    let fragment = fragment.map(|f| format!("#{}", url::value(f))).unwrap_or_default();
    Answer::redirect(StatusCode::FOUND, &format!("{root}/a/{name}/{}{fragment}", url::path(entry.path())))
}

/// Answers with the bytes of an entry as they are.
pub fn stored(lease: &Lease, entry: &Entry) -> Result<Answer> {
    let mime = mime(entry);
    Ok(sent_as(lease, entry, mime, "r")?.with_policy(Policy::of_raw(mime)))
}

/// Answers with the same, and lets no browser show them.
pub fn unshown(lease: &Lease, entry: &Entry) -> Result<Answer> {
    Ok(sent_as(lease, entry, mime(entry), "u")?.with_policy(Policy::Unshown))
}

/// Answers with the same as bytes of no type.
pub fn as_bytes(lease: &Lease, entry: &Entry) -> Result<Answer> {
    Ok(sent_as(lease, entry, BYTES, "b")?.with_policy(Policy::Unshown))
}

/// Answers with the bytes of an entry as a text, markup and all.
pub fn source(lease: &Lease, entry: &Entry) -> Result<Answer> {
    let charset = charset_of_mime(mime(entry));
    let mime = charset.map_or("text/plain".into(), |charset| format!("text/plain; charset={charset}"));
    Ok(sent_as(lease, entry, &mime, "t")?.with_policy(Policy::Content))
}

fn sent_as(lease: &Lease, entry: &Entry, mime: &str, form: &str) -> Result<Answer> {
    let book = &lease.book;
    let len = size(book, entry)?;
    let (mime, matter) = if len <= AT_ONCE {
        let bytes = book.content(entry)?;
        let mime = with_charset(mime, &bytes);
        (mime, Matter::Bytes(bytes.into_vec().into()))
    } else {
        let start = if is_text(mime) { book.content_range(entry, 0..DETECTED)?.into_vec() } else { vec![] };
        let source = Source { book: Arc::clone(book), volume: Arc::clone(&lease.volume) };
        (with_charset(mime, &start), Matter::Entry(source, entry.clone(), len))
    };
    let mut answer = Answer::data(mime, bytes::Bytes::new());
    answer.matter = matter;
    Ok(answer.tagged(format!("{}-{:x}-{form}", lease.volume.tag(), entry.id())))
}

/// Returns true for text that does not say its charset.
fn is_text(mime: &str) -> bool {
    (mime.starts_with("text/") || mime == "application/javascript") && !mime.contains("charset")
}

/// Returns a mime type with the charset of its bytes, where it is text and does not say; XML that may be
/// shown is in the one charset by which it was judged, whatever it says.
pub fn with_charset(mime: &str, bytes: &[u8]) -> String {
    if document(mime) == Some(Document::Xml) && std::str::from_utf8(bytes).is_ok() {
        return format!("{}; charset=utf-8", essence(mime));
    }
    if !is_text(mime) {
        return mime.to_owned();
    }
    let found = charset::detect(bytes, None);
    format!("{mime}; charset={}", found.encoding.name().to_ascii_lowercase())
}
