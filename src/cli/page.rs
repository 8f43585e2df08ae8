//! One entry in the form that was asked for.

use std::borrow::Cow;

use tome::book::Entry;
use tome::json;
use tome::terminal::{self, Keep, RenderOptions, sanitize};
use tome::text::{Markup, Readable};

use super::args::{FormArgs, RangeArg};
use super::open::Opened;
use super::output::{self, Output};
use super::{Failure, interrupt, talk};

/// What becomes of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Rendered for a person.
    Rendered,
    /// The exact bytes, or some of them.
    Raw(Option<RangeArg>),
    /// A page in UTF-8.
    Html,
    /// Plain text.
    Text,
    /// Markdown.
    Markdown,
}

impl Form {
    /// Returns the form that the options ask for.
    pub fn of(args: FormArgs, range: Option<RangeArg>) -> Self {
        match args {
            FormArgs { raw: true, .. } => Self::Raw(range),
            FormArgs { html: true, .. } => Self::Html,
            FormArgs { text: true, .. } => Self::Text,
            FormArgs { markdown: true, .. } => Self::Markdown,
            _ => Self::Rendered,
        }
    }
}

/// An entry larger than this is not taken apart in memory for a person to read.
const MAX_PAGE: u64 = 256 * 1024 * 1024;

/// Bytes that are read at a time.
const STEP: u64 = 1024 * 1024;

/// Writes an entry as JSON, without its content.
pub fn describe(opened: &Opened, entry: &Entry, out: &mut Output) -> Result<(), Failure> {
    out.json(&json::Read::new(entry, size(opened, entry)?, None))
}

fn size(opened: &Opened, entry: &Entry) -> Result<u64, Failure> {
    opened.book.size_of(entry).map_err(|e| opened.failure(e))
}

/// Writes an entry as JSON.
pub fn write_json(opened: &Opened, entry: &Entry, form: Form) -> Result<(), Failure> {
    let content = match form {
        Form::Raw(range) => {
            let range = bounds(opened, entry, range)?;
            json::Content::of(load(opened, entry, range)?)
        }
        // What has no text form is given as it is.
        Form::Rendered | Form::Text if Markup::of_mime(entry.mime()).is_none() => {
            json::Content::of(load(opened, entry, 0..size(opened, entry)?)?)
        }
        form => {
            let form = if form == Form::Rendered { Form::Text } else { form };
            json::Content::Text(converted(opened, entry, form)?.0)
        }
    };
    let mut out = Output::new();
    out.json(&json::Read::new(entry, size(opened, entry)?, Some(content)))?;
    out.finish()
}

/// Writes an entry for a person, or in the form asked for.
pub fn write(opened: &Opened, entry: &Entry, form: Form, force: bool) -> Result<(), Failure> {
    match form {
        Form::Raw(range) => write_raw(opened, entry, bounds(opened, entry, range)?, force),
        Form::Rendered => {
            let text = rendered(opened, entry)?;
            if output::is_terminal() {
                interrupt::leave_to_pager();
            }
            terminal::show(&text).map_err(output::failure)
        }
        form => {
            let (mut text, is_utf8) = converted(opened, entry, form)?;
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            let text = match form {
                Form::Html => harmless_html(&text, is_utf8),
                _ => sanitize(&text, Keep::NewlineAndTab),
            };
            let mut out = Output::new();
            out.bytes(text.as_bytes())?;
            out.finish()
        }
    }
}

fn rendered(opened: &Opened, entry: &Entry) -> Result<String, Failure> {
    let options = RenderOptions {
        width: terminal::terminal_width().min(MAX_WIDTH),
        style: terminal::wants_style(),
        ..RenderOptions::default()
    };
    let Readable { markup, text, .. } = readable(opened, entry)?;
    Ok(match markup {
        Markup::Html => terminal::render_html(&text, &options),
        Markup::Markdown => terminal::render_markdown(&text, &options),
        Markup::Text => terminal::render_text(&text, &options),
    })
}

/// Longer lines are hard to follow.
const MAX_WIDTH: usize = 100;

/// Returns an article as a page, as text, or as Markdown, and whether a page says of itself that it
/// is UTF-8. It may hold any character.
fn converted(opened: &Opened, entry: &Entry, form: Form) -> Result<(String, bool), Failure> {
    let readable = readable(opened, entry)?;
    let is_utf8 = readable.is_utf8 || readable.markup != Markup::Html;
    let text = match form {
        Form::Html => readable.into_html(entry.title()),
        Form::Markdown => readable.into_markdown(),
        _ => readable.into_text(),
    };
    Ok((text, is_utf8))
}

fn readable(opened: &Opened, entry: &Entry) -> Result<Readable, Failure> {
    let size = size(opened, entry)?;
    if Markup::of_mime(entry.mime()).is_none() {
        return Err(no_text(opened, entry, size));
    }
    if size > MAX_PAGE {
        let size = talk::bytes(size);
        return Err(Failure::new(format!("{}: {size} are too much for a page", entry.path()))
            .hint("--raw writes the bytes"));
    }
    let content = opened.book.content(entry).map_err(|e| opened.failure(e))?;
    Readable::read(entry.mime(), &content).ok_or_else(|| no_text(opened, entry, size))
}

fn no_text(opened: &Opened, entry: &Entry, size: u64) -> Failure {
    let mime = if entry.mime().is_empty() { "of no known type" } else { entry.mime() };
    let size = talk::bytes(size);
    let archive = opened.path.display();
    Failure::new(format!("{}: {mime}, {size}, is not text", entry.path()))
        .hint(format!("to write its bytes into a file: tome read {archive} --path --raw -- PATH > FILE"))
}

/// Returns a page in which control characters are references: the same to a browser, and harmless
/// on the way there. `--raw` has the bytes themselves.
///
/// So are all letters beyond ASCII if the page was in another character set than UTF-8, since it
/// may still say so.
fn harmless_html(html: &str, is_utf8: bool) -> Cow<'_, str> {
    let is_kept = |c: char, letter: &mut [u8; 4]| {
        let same = c.encode_utf8(letter);
        (is_utf8 || c.is_ascii()) && matches!(sanitize(same, Keep::NewlineAndTab), Cow::Borrowed(_))
    };
    let mut letter = [0; 4];
    if html.chars().all(|c| is_kept(c, &mut letter)) {
        return Cow::Borrowed(html);
    }
    let mut out = String::with_capacity(html.len() + 64);
    for c in html.chars() {
        if is_kept(c, &mut letter) {
            out.push(c);
        } else {
            out.push_str(&format!("&#x{:x};", u32::from(c)));
        }
    }
    Cow::Owned(out)
}

fn bounds(opened: &Opened, entry: &Entry, range: Option<RangeArg>) -> Result<std::ops::Range<u64>, Failure> {
    let size = size(opened, entry)?;
    match range {
        None => Ok(0..size),
        Some(range) => range
            .within(size)
            .ok_or_else(|| Failure::new(format!("{}: the range lies behind its {size} bytes", entry.path()))),
    }
}

/// Returns bytes in memory, for JSON.
fn load(opened: &Opened, entry: &Entry, range: std::ops::Range<u64>) -> Result<Vec<u8>, Failure> {
    if range.end - range.start > MAX_PAGE {
        let size = talk::bytes(range.end - range.start);
        return Err(Failure::new(format!("{}: {size} are too much for one line of JSON", entry.path()))
            .hint("--raw without --json writes any number of bytes, --range a part of them"));
    }
    let content = opened.book.content_range(entry, range).map_err(|e| opened.failure(e))?;
    Ok(content.into_vec())
}

fn write_raw(
    opened: &Opened,
    entry: &Entry,
    range: std::ops::Range<u64>,
    force: bool,
) -> Result<(), Failure> {
    if output::is_terminal() && !force && !is_harmless(opened, entry, &range)? {
        return Err(Failure::new(format!("{}: this is binary, and stdout is a terminal", entry.path()))
            .hint("send it to a file (> FILE), or write it all the same with --force"));
    }
    let mut out = Output::new();
    each_step(opened, entry, &range, |part| out.bytes(part))?;
    out.finish()
}

fn is_harmless(opened: &Opened, entry: &Entry, range: &std::ops::Range<u64>) -> Result<bool, Failure> {
    let mut harmless = true;
    let mut rest: Vec<u8> = vec![];
    each_step(opened, entry, range, |part| {
        // A letter may be cut in two by the end of a step.
        rest.extend_from_slice(part);
        let (text, left) = match std::str::from_utf8(&rest) {
            Ok(text) => (text, 0),
            Err(e) => {
                harmless &= e.error_len().is_none();
                let valid = e.valid_up_to();
                (std::str::from_utf8(&rest[..valid]).unwrap_or_default(), rest.len() - valid)
            }
        };
        let text = text.replace("\r\n", "\n");
        harmless &= matches!(sanitize(&text, Keep::NewlineAndTab), Cow::Borrowed(_));
        rest.drain(..rest.len() - left.min(4));
        Ok(())
    })?;
    Ok(harmless && rest.is_empty())
}

fn each_step(
    opened: &Opened,
    entry: &Entry,
    range: &std::ops::Range<u64>,
    mut take: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut at = range.start;
    while at < range.end {
        let end = range.end.min(at + STEP);
        let part = opened.book.content_range(entry, at..end).map_err(|e| opened.failure(e))?;
        if part.is_empty() {
            break;
        }
        take(&part)?;
        at += part.len() as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_keeps_its_meaning_without_its_control_characters() {
        assert!(matches!(harmless_html("<p>é\tb</p>\n", true), Cow::Borrowed(_)));
        assert_eq!(harmless_html("é\u{1b}]0;x\u{7}", true), "é&#x1b;]0;x&#x7;");
        assert_eq!(harmless_html("<p>é\n", false), "<p>&#xe9;\n");
    }
}
