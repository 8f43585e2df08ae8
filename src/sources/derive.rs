//! What a file is, from its name and its bytes.

use infer::MatcherType;

use crate::item::Content;
use crate::text::charset;
use crate::text::head::{self, Depth, Head, Markup};

/// As much of a file as is looked at to tell what it is; of a page, its title included.
pub(crate) const ENOUGH: usize = head::HEAD_LIMIT;

const UNKNOWN: &str = "application/octet-stream";

/// What a file turned out to be.
#[derive(Debug)]
pub(crate) struct Derived {
    /// The mime type, with `charset` where the content states one.
    pub mime: String,
    /// True for an article.
    pub article: bool,
    /// What it says of itself.
    pub head: Head,
}

/// Returns what a file is from its path and its first bytes (all of them, or [`ENOUGH`]).
pub(crate) fn derive(path: &str, start: &[u8], media_only: bool) -> Derived {
    let mime = mime_of(path, start);
    let article = !media_only && is_article(path, mime);
    let head = if article { head_of(mime, start, Depth::Title) } else { Head::default() };
    Derived { mime: with_charset(mime, start), article, head }
}

/// Returns what a page of a mime type (parameters are ignored) says of itself.
pub(crate) fn head_of(mime: &str, start: &[u8], depth: Depth) -> Head {
    match mime.split(';').next().unwrap_or(mime) {
        "text/html" => head::html(start, Markup::Html, None, depth),
        "application/xhtml+xml" => head::html(start, Markup::Xhtml, None, depth),
        "text/markdown" => head::markdown(start, None),
        "text/plain" => head::plain(start, None),
        _ => Head::default(),
    }
}

/// Returns true for the types of pages that a browser follows a refresh in; parameters are ignored.
pub(crate) fn is_page(mime: &str) -> bool {
    matches!(mime.split(';').next(), Some("text/html" | "application/xhtml+xml"))
}

/// Returns true for the types that a person reads.
fn is_article(path: &str, mime: &str) -> bool {
    let readable = matches!(
        mime,
        "text/html" | "application/xhtml+xml" | "text/markdown" | "text/plain" | "application/pdf"
    );
    // Files for robots (robotstxt.org, sitemaps.org), whatever their type.
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let for_robots = name == "robots.txt"
        || (name.starts_with("sitemap") && matches!(name.rsplit('.').next(), Some("txt" | "xml" | "gz")));
    readable && !for_robots
}

fn with_charset(mime: &'static str, start: &[u8]) -> String {
    let is_text = mime.starts_with("text/") || mime == "application/xhtml+xml";
    match charset::stated(start, None).filter(|_| is_text) {
        Some(encoding) => format!("{mime}; charset={}", encoding.name().to_ascii_lowercase()),
        None => mime.to_owned(),
    }
}

/// Returns a file's mime type without parameters: by its first bytes where they are certain, else
/// by its ending, else by less certain bytes.
pub fn mime_of(path: &str, start: &[u8]) -> &'static str {
    let by_ending = by_ending(path);
    // Endings of programs say what made a page; saved, it is what the program wrote.
    let is_program = matches!(
        by_ending,
        Some("application/x-httpd-php" | "application/x-perl" | "text/x-perl" | "application/x-jsp")
    ) || ["asp", "aspx", "jsp", "cgi", "php"].contains(&ending(path).as_str());
    if (by_ending.is_none() || is_program) && is_html(start) {
        return "text/html";
    }
    let is_picture_or_unknown = by_ending.is_none_or(|mime| mime.starts_with("image/"));
    if is_picture_or_unknown && is_svg(start) {
        return "image/svg+xml";
    }
    // The text matchers of `infer` take any `<p` for HTML.
    let by_magic = infer::get(start).filter(|t| t.matcher_type() != MatcherType::Text).map(|t| t.mime_type());
    match (by_magic, by_ending) {
        (Some(magic), _) if is_certain(magic, start) => modern_name(magic),
        (_, Some(ending)) => ending,
        (Some(magic), None) => modern_name(magic),
        (None, None) => UNKNOWN,
    }
}

fn ending(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default()
}

fn by_ending(path: &str) -> Option<&'static str> {
    // Not by `from_path`, to which `.html` has no ending but `a\b.html` on Windows has.
    match ending(path).as_str() {
        "" => None,
        // Registered since, or known by another name: RFC 9239, RFC 8081.
        "js" | "mjs" => Some("text/javascript"),
        "woff2" => Some("font/woff2"),
        ending => mime_guess::from_ext(ending).first_raw(),
    }
}

/// Returns true for a page, by signatures that nothing else begins with.
fn is_html(start: &[u8]) -> bool {
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    [&b"<!doctype html"[..], b"<html"].iter().any(|s| {
        text.get(..s.len()).is_some_and(|t| t.eq_ignore_ascii_case(s))
            && text.get(s.len()).is_none_or(|b| !b.is_ascii_alphanumeric())
    })
}

/// Returns true if the first element is `<svg`, behind declarations and comments.
fn is_svg(start: &[u8]) -> bool {
    let start = &start[..start.len().min(4096)];
    let mut text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    loop {
        let end: &[u8] = match text {
            [b'<', b'?', ..] => b"?>",
            [b'<', b'!', b'-', b'-', ..] => b"-->",
            [b'<', b'!', ..] => b">",
            _ => break,
        };
        let Some(at) = text.windows(end.len()).position(|w| w == end) else { return false };
        text = text[at + end.len()..].trim_ascii_start();
    }
    text.starts_with(b"<svg") && text.get(4).is_none_or(|b| !b.is_ascii_alphanumeric())
}

/// Returns true for magic that is long enough to outweigh a name, of formats that nothing is built
/// upon: a zip may be a document, Ogg may be sound or moving pictures, `BM` may begin a sentence.
fn is_certain(magic: &str, start: &[u8]) -> bool {
    match magic {
        "image/gif" => start.starts_with(b"GIF87a") || start.starts_with(b"GIF89a"),
        "application/pdf" => start.starts_with(b"%PDF-"),
        "image/png"
        | "image/jpeg"
        | "image/webp"
        | "image/avif"
        | "image/jxl"
        | "application/font-woff"
        | "application/vnd.sqlite3" => true,
        _ => false,
    }
}

fn modern_name(magic: &'static str) -> &'static str {
    match magic {
        "application/font-woff" => "font/woff",
        "application/font-sfnt" => "font/sfnt",
        "audio/x-flac" => "audio/flac",
        "audio/x-wav" => "audio/wav",
        "audio/m4a" => "audio/mp4",
        other => other,
    }
}

/// Returns true if a zip's first bytes make it an epub (its first file is `mimetype`, stored).
pub fn is_epub(start: &[u8]) -> bool {
    start.starts_with(b"PK\x03\x04")
        && start.get(30..38) == Some(b"mimetype")
        && start.get(38..58) == Some(b"application/epub+zip")
}

/// Returns the first [`ENOUGH`] bytes of some content.
pub(crate) fn start_of(content: &Content) -> std::io::Result<std::borrow::Cow<'_, [u8]>> {
    match content {
        Content::Bytes(bytes) => Ok(std::borrow::Cow::Borrowed(bytes)),
        Content::Large { open, .. } => {
            let mut start = Vec::new();
            std::io::Read::read_to_end(&mut std::io::Read::take(open()?, ENOUGH as u64), &mut start)?;
            Ok(std::borrow::Cow::Owned(start))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certain_content_wins_else_the_ending() {
        for (path, bytes, expected) in [
            ("a.html", &b"plain"[..], "text/html"),
            ("a.HTM", b"", "text/html"),
            ("a.xhtml", b"<!DOCTYPE html>", "application/xhtml+xml"),
            ("wiki/St._Louis", b" <!doctype HTML><p>", "text/html"),
            ("wiki/README", b"words", UNKNOWN),
            ("index.php", b"<html><p>", "text/html"),
            ("a.jpg", b"\x89PNG\r\n\x1a\n", "image/png"),
            ("a.html", b"%PDF-1.4", "application/pdf"),
            ("a.txt", b"GIF is a format", "text/plain"),
            ("a.txt", b"BM is short for", "text/plain"),
            ("a.md", b"<p align=center>", "text/markdown"),
            ("a.odt", b"PK\x03\x04xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "application/vnd.oasis.opendocument.text"),
            ("a.svgz", b"\x1f\x8b\x08", "image/svg+xml"),
            ("a", b"\x1f\x8b\x08", "application/gzip"),
            ("a.png", b"<?xml version='1.0'?><!-- c --><!DOCTYPE svg><svg>", "image/svg+xml"),
            ("a.html", b"<svg>", "text/html"),
            ("a.js", b"<!-- old trick", "text/javascript"),
            ("a.woff2", b"", "font/woff2"),
            (".html", b"", "text/html"),
            ("html", b"", UNKNOWN),
        ] {
            assert_eq!(mime_of(path, bytes), expected, "{path} {}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn articles_and_media() {
        for (path, expected) in [
            ("a.html", true),
            ("a.md", true),
            ("a/b.txt", true),
            ("a.pdf", true),
            ("robots.txt", false),
            ("x/Sitemap.txt", false),
            ("sitemap_index.xml", false),
            ("sitemaps.html", true),
            ("a.css", false),
            ("a.js", false),
            ("a.json", false),
            ("a.xml", false),
            ("a.csv", false),
            ("a.png", false),
        ] {
            assert_eq!(derive(path, b"x", false).article, expected, "{path}");
        }
        assert!(!derive("a.html", b"<title>t</title>", true).article);
    }

    #[test]
    fn the_charset_is_told_where_it_is_stated() {
        assert_eq!(derive("a.html", b"<meta charset=latin1>", false).mime, "text/html; charset=windows-1252");
        assert_eq!(derive("a.txt", b"\xef\xbb\xbfx", false).mime, "text/plain; charset=utf-8");
        assert_eq!(derive("a.txt", b"x", false).mime, "text/plain");
        assert_eq!(derive("a.png", b"\xef\xbb\xbfx", false).mime, "image/png");
    }
}
