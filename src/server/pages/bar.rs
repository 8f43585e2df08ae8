//! The bar above a page of an archive, and what the page's head gets for it.

use super::reader::{Frame, Line};
use crate::server::url;
use crate::text::Points;

/// Returns what is put into the head.
pub fn head(found: &Points, _frame: &Frame<'_>) -> String {
    let viewport =
        if found.has_viewport { "" } else { "<meta name=viewport content=\"width=device-width\">" };
    format!("{viewport}<style>html{{margin-top:3rem}}</style>")
}

/// Returns the bar.
pub fn bar(frame: &Frame<'_>, lines: &[Line]) -> String {
    let mut out =
        format!("<div id=\"tome-bar\"><a href=\"{}/\">Library</a> {}", frame.root, url::path(frame.archive));
    for line in lines {
        out.push_str(&format!("<a href=\"#{}\">{}</a>", line.id, line.html));
    }
    out + "</div>"
}
