//! What of an archive a browser shows as a page, and whether it may as it is.
//!
//! A page opens connections before its policy is asked: hints, frames, refreshes. So no browser gets one as
//! it is stored; what it shows was looked through (`pages`).

use super::State;
use super::content::{AT_ONCE, size};
use super::destination::Destination;
use super::library::Lease;
use crate::book::Entry;
use crate::error::Result;
use crate::text::{Markup, essence, xml};

/// What is sent as where its own type cannot be trusted.
pub const BYTES: &str = "application/octet-stream";

/// Types that browsers take for pages, or for answers that lead elsewhere, which we do not look through.
const UNREAD: [&str; 3] =
    ["application/signed-exchange", "application/webbundle", "application/x-mimearchive"];

/// Returns the type of an entry, of which no browser takes the bytes for something else than we do.
pub fn mime(entry: &Entry) -> &str {
    one_type(entry.mime())
}

/// Returns a type if it is one: what names several, or none that is well written, or has other types within
/// it, is bytes.
pub fn one_type(mime: &str) -> &str {
    let mime = mime.trim();
    let essence = essence(mime);
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    let is_one = essence.split_once('/').is_some_and(|(kind, name)| {
        let has_others = ["multipart", "message"].iter().any(|other| kind.eq_ignore_ascii_case(other));
        is_name(kind) && is_name(name) && !has_others
    });
    let is_read = !UNREAD.iter().any(|unread| essence.eq_ignore_ascii_case(unread));
    if is_one && is_read && !mime.contains(',') && !mime.contains(char::is_control) { mime } else { BYTES }
}

/// What a browser shows as a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// Also that which is written as XML.
    Html,
    /// Any other XML: a drawing, a feed.
    Xml,
}

/// Returns what a browser shows something of a type as; nothing for what is no page.
pub fn document(mime: &str) -> Option<Document> {
    if Markup::of_mime(mime) == Some(Markup::Html) {
        return Some(Document::Html);
    }
    xml::is_xml(&essence(mime).to_ascii_lowercase()).then_some(Document::Xml)
}

/// Returns true for what a browser would show as a page that may open connections: HTML, and XML unless it
/// surely holds none and is in UTF-8, as which it is sent.
pub fn may_connect(mime: &str, bytes: &[u8]) -> bool {
    match document(mime) {
        None => false,
        Some(Document::Html) => true,
        Some(Document::Xml) => std::str::from_utf8(bytes).map_or(true, xml::may_hold_html),
    }
}

/// What an entry may be sent as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// As it is.
    Stored,
    /// As it is, and no browser is to show it.
    Unshown,
    /// As bytes, of which no browser makes a document.
    Bytes,
    /// As a page that was looked through.
    Page,
}

impl Way {
    /// Returns how an entry may go to some place.
    pub fn of(state: &State, lease: &Lease, entry: &Entry, place: Destination) -> Result<Self> {
        let kind = document(mime(entry));
        if kind.is_none() || place == Destination::Part {
            return Ok(Self::Stored);
        }
        // A long one is not looked through.
        if kind == Some(Document::Html) || size(&lease.book, entry)? > AT_ONCE {
            return Ok(Self::of_unread(place));
        }
        let bytes = lease.book.content(entry)?;
        Ok(match std::str::from_utf8(&bytes) {
            Ok(xml) => Self::of_xml(state, xml, place),
            Err(_) => Self::of_unread(place),
        })
    }

    /// Returns the same of XML in UTF-8, as which it is sent.
    pub fn of_xml(state: &State, xml: &str, place: Destination) -> Self {
        let leads_out = xml::may_hold_html(xml)
            || (state.options.block_external && xml::has_link_out(xml.as_bytes()))
            || (place == Destination::Pieces && xml::may_fetch_styles(xml.as_bytes()));
        if leads_out { Self::of_unread(place) } else { Self::Stored }
    }

    fn of_unread(place: Destination) -> Self {
        match place {
            // As a part of a page a document does nothing.
            Destination::Part => Self::Stored,
            Destination::Reader | Destination::Frame => Self::Page,
            Destination::Pieces => Self::Bytes,
            Destination::Script | Destination::Unknown => Self::Unshown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_one_or_that_of_bytes() {
        for mime in ["text/html", "text/html; charset=utf-8", "image/svg+xml", "application/x-a.b;c=d"] {
            assert_eq!(one_type(mime), mime);
        }
        assert_eq!(one_type(" text/html "), "text/html");
        for mime in [
            "",
            "html",
            "image/png, text/html",
            "image/png;a=b,text/html",
            "text/html image/png",
            "text/html(x)",
            "text/html/x",
            "image/png\ttext/html",
            "multipart/x-mixed-replace; boundary=x",
            "message/rfc822",
            "application/signed-exchange;v=b3",
            "*/*",
        ] {
            assert_eq!(one_type(mime), BYTES, "{mime}");
        }
    }

    #[test]
    fn documents_are_what_browsers_show_as_such() {
        for (mime, is) in [
            ("text/html", Some(Document::Html)),
            ("TEXT/HTML; charset=x", Some(Document::Html)),
            ("application/xhtml+xml", Some(Document::Html)),
            ("image/svg+xml", Some(Document::Xml)),
            ("application/rss+xml; charset=utf-8", Some(Document::Xml)),
            ("text/xml", Some(Document::Xml)),
            ("image/png", None),
            ("text/plain", None),
            ("text/markdown", None),
        ] {
            assert_eq!(document(mime), is, "{mime}");
        }
    }

    #[test]
    fn a_drawing_in_another_charset_than_it_is_sent_as_may_connect() {
        assert!(!may_connect("image/svg+xml; charset=iso-2022-jp", "<svg>é</svg>".as_bytes()));
        assert!(may_connect("image/svg+xml", b"<svg>\xe9</svg>"));
        assert!(may_connect("text/xml", b"\xff\xfe<\0"));
    }
}
