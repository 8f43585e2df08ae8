//! Signposts: pages that only refresh to another page of the same source.
//!
//! Such a page becomes a redirect only if its target is there to be found; otherwise it stays the
//! article that it is, because a page that leads nowhere still says where it wanted to lead.

use super::derive;
use crate::item::escape_bytes;
use crate::limits::MAX_REDIRECTS;
use crate::text::head;

/// What is at a path of a source.
pub(crate) enum Peek {
    /// Nothing that will be packed.
    Absent,
    /// A file small enough to be a signpost itself.
    Small(Vec<u8>),
    /// Anything else.
    Other,
}

/// The files of a source, by entry path without prefix.
pub(crate) trait Names {
    /// Looks at a path without following links.
    fn peek(&self, path: &str) -> Peek;
}

/// Returns the target and its fragment if the page at `path` is a signpost to a page of the source.
///
/// Chains are followed to see that they end at a page; the target is the next one in the chain. That
/// `bytes` are those of a page, and not of a text that quotes one, is the caller's to know.
pub(crate) fn target(path: &str, bytes: &[u8], names: &dyn Names) -> Option<(String, Option<String>)> {
    let (target, fragment) = resolve(path, &head::redirect_stub(bytes)?)?;
    let mut seen = vec![path.to_owned()];
    let mut next = target.clone();
    // A loop never reaches a page, and neither does a chain that readers refuse to follow.
    while seen.len() <= MAX_REDIRECTS && !seen.contains(&next) {
        let Peek::Small(bytes) = names.peek(&next) else {
            let found = !matches!(names.peek(&next), Peek::Absent);
            return found.then_some((target, fragment));
        };
        let is_page = derive::is_page(derive::mime_of(&next, &bytes));
        let address = head::redirect_stub(&bytes).filter(|_| is_page);
        match address.and_then(|address| resolve(&next, &address)) {
            // A signpost that leads nowhere stays an article, which ends the chain well.
            Some((after, _)) if !matches!(names.peek(&after), Peek::Absent) => {
                seen.push(std::mem::replace(&mut next, after));
            }
            _ => return Some((target, fragment)),
        }
    }
    None
}

/// Returns the path and fragment that an address in the page at `path` leads to, if that is inside
/// the source.
///
/// A leading `/` means the root of the source; an address with a scheme, a host or a query leads
/// outside.
pub(crate) fn resolve(path: &str, address: &str) -> Option<(String, Option<String>)> {
    let (place, fragment) = match address.split_once('#') {
        Some((place, fragment)) => (place, Some(fragment.to_owned()).filter(|f| !f.is_empty())),
        None => (address, None),
    };
    let has_scheme = place.split('/').next().is_some_and(|first| first.contains(':'));
    if place.is_empty() || place.starts_with("//") || place.contains(['?', '\\']) || has_scheme {
        return None;
    }
    let mut parts: Vec<String> = Vec::new();
    let relative = match place.strip_prefix('/') {
        Some(from_root) => from_root,
        None => {
            parts.extend(path.split('/').map(str::to_owned));
            parts.pop();
            place
        }
    };
    for part in relative.split('/') {
        match part {
            ".." => {
                parts.pop()?;
            }
            "" | "." => {}
            name => parts.push(unescape_percent(name)?),
        }
    }
    // A folder's address stands for its index.
    if matches!(relative.rsplit('/').next(), Some("" | "." | "..")) {
        parts.push("index.html".to_owned());
    }
    (!parts.is_empty()).then(|| (parts.join("/"), fragment))
}

/// Returns the path that a symbolic link at `path` names, if that is inside the source.
pub(crate) fn resolve_link(path: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    if target.is_empty() || target.starts_with('/') || target.contains('\0') {
        return None;
    }
    for part in target.split('/') {
        match part {
            ".." => {
                parts.pop()?;
            }
            "" | "." => {}
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// Returns a part of an address as a part of a path, or `None` if no file can have that name.
fn unescape_percent(part: &str) -> Option<String> {
    if !part.contains('%') {
        return Some(part.to_owned());
    }
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = (*first == b'%').then(|| after.get(..2)).flatten();
        match hex.and_then(|h| std::str::from_utf8(h).ok()).and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    if bytes.contains(&0) || bytes.contains(&b'/') || bytes == b".." || bytes == b"." {
        return None;
    }
    Some(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) => escape_bytes(e.as_bytes()),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn addresses_become_paths() {
        let at = |address: &str| resolve("a/b/page.html", address).map(|(p, f)| (p, f.unwrap_or_default()));
        let path = |p: &str, f: &str| Some((p.to_owned(), f.to_owned()));
        assert_eq!(at("c.html"), path("a/b/c.html", ""));
        assert_eq!(at("../c.html#x%20y"), path("a/c.html", "x%20y"));
        assert_eq!(at("./x/./y.html#"), path("a/b/x/y.html", ""));
        assert_eq!(at("/c.html"), path("c.html", ""));
        assert_eq!(at("d/"), path("a/b/d/index.html", ""));
        assert_eq!(at(".."), path("a/index.html", ""));
        assert_eq!(at("../../.."), None);
        assert_eq!(at("../../../c.html"), None);
        assert_eq!(at("%C3%A9%20f%.html"), path("a/b/é f%.html", ""));
        assert_eq!(at("%ff"), path("a/b/\u{f8ff}ff", ""));
        for outside in [
            "https://e.org/x",
            "//e.org/x",
            "mailto:x",
            "c.html?q=1",
            "",
            "#x",
            "a%2fb",
            "%00",
            "%2e%2e/x",
            "..\\x",
        ] {
            assert_eq!(at(outside), None, "{outside}");
        }
    }

    proptest::proptest! {
        #[test]
        fn addresses_never_leave_the_source(path in "[a-c]{1,3}(/[a-c]{1,3}){0,3}", address in "([a-c./]|%[0-9a-f]{2}|%|#|:|\\?|é){0,20}") {
            if let Some((to, _)) = resolve(&path, &address) {
                proptest::prop_assert!(to.split('/').all(|part| !matches!(part, "." | "..")), "{to}");
                proptest::prop_assert!(!to.starts_with('/') && !to.contains('\0'), "{to}");
            }
        }
    }

    struct Pages(BTreeMap<&'static str, Vec<u8>>);

    impl Names for Pages {
        fn peek(&self, path: &str) -> Peek {
            match self.0.get(path) {
                None => Peek::Absent,
                Some(bytes) if bytes.len() <= head::MAX_STUB => Peek::Small(bytes.clone()),
                Some(_) => Peek::Other,
            }
        }
    }

    #[test]
    fn only_signposts_that_lead_to_a_page_are_redirects() {
        let to =
            |target: &str| format!("<html><meta http-equiv=refresh content='0;url={target}'>").into_bytes();
        let pages = Pages(BTreeMap::from([
            ("page", b"words".to_vec()),
            ("large", vec![b'x'; 5000]),
            ("one", to("page")),
            ("two", to("one#f")),
            ("self", to("self")),
            ("loop1", to("loop2")),
            ("loop2", to("loop1")),
            ("into-loop", to("loop1")),
            ("nowhere", to("missing")),
            ("to-nowhere", to("nowhere")),
            ("quoted.txt", to("self")),
            ("to-quoted", to("quoted.txt")),
            ("outside", to("https://example.org/")),
            ("to-large", to("large")),
        ]));
        let found = |path: &str| target(path, &pages.0[path], &pages).map(|(t, _)| t);
        assert_eq!(found("one").as_deref(), Some("page"));
        assert_eq!(found("two").as_deref(), Some("one"));
        assert_eq!(target("two", &pages.0["two"], &pages).unwrap().1.as_deref(), Some("f"));
        assert_eq!(found("to-large").as_deref(), Some("large"));
        assert_eq!(found("to-quoted").as_deref(), Some("quoted.txt"));
        assert_eq!(found("to-nowhere").as_deref(), Some("nowhere"));
        for article in ["page", "self", "loop1", "loop2", "into-loop", "nowhere", "outside"] {
            assert_eq!(found(article), None, "{article}");
        }
    }
}
