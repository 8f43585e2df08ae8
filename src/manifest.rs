//! The manifest: what a folder of extracted files cannot say, in one file beside them.
//!
//! Files have names and bytes. Titles, mime types, redirects, metadata and names that a file system
//! cannot hold go into [`NAME`] at the top of the folder, so that packing the folder again gives
//! the archive that it came from. [`extract`](crate::extract) writes it, through [`Writer`];
//! [`sources::manifest`](crate::sources::manifest) reads it, and trusts none of it.
//!
//! It is one JSON object, written with one entry a line, so that it can be written while entries
//! pass, and compared with line tools:
//!
//! ```json
//! {"tome_manifest":1,"entries":[
//! {"path":"a.html","kind":"article","mime":"text/html","title":"A","size":3,"blake3":"..."},
//! {"path":"b","kind":"redirect","target":"a.html","fragment":"top"}
//! ],
//! "metadata":[
//! {"key":"title","mime":"text/plain","text":"An example"}
//! ],
//! "main":"a.html",
//! "reading_order":[
//! "a.html"
//! ]}
//! ```
//!
//! | field of an entry | says |
//! | --- | --- |
//! | `path` | its address in the archive |
//! | `file` | the file's name in the folder, where it is not the path |
//! | `file_escaped` | the same for a name that is not UTF-8, by [`escape_bytes`] |
//! | `kind` | `article`, `media` or `redirect` |
//! | `mime` | its mime type (not for redirects) |
//! | `title` | its title; absent means that it has none of its own |
//! | `language` | its language, where it says one |
//! | `escaped`, `generated` | the flags of [`Item`](crate::item::Item); absent means false |
//! | `size`, `blake3` | length and BLAKE3-256 of the file: where they differ, the file was changed, and the line no longer speaks for it |
//! | `target`, `fragment` | where a redirect leads |
//!
//! A redirect with a `file` has a small page there that was made from it, for browsers: the redirect
//! is the entry, the page is not. It goes when the page goes, and a page that was changed is an
//! article in its place. Unknown fields are ignored. A reader refuses a version above its own.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use crate::hex::{from_hex, to_hex};
use crate::item::{About, Kind, Value, escape_bytes, unescape_bytes};

/// The manifest's file name, at the top of the folder or zip.
pub const NAME: &str = "tome-manifest.json";

/// The version written, and the highest one read.
pub const VERSION: u64 = 1;

/// The field that says the version; it comes first.
pub(crate) const VERSION_FIELD: &str = "tome_manifest";

/// One entry of the manifest, as it stands in the file. The [module](self) explains the fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "an entry (a JSON object)")]
#[allow(missing_docs, reason = "the table above is their documentation")]
pub struct Line {
    pub path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_escaped: Option<String>,
    pub kind: LineKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub escaped: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub generated: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fragment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blake3: Option<String>,
}

/// [`Kind`] as the manifest spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "they are those of Kind")]
pub enum LineKind {
    Article,
    Media,
    Redirect,
}

impl From<Kind> for LineKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Article => Self::Article,
            Kind::Media => Self::Media,
            Kind::Redirect => Self::Redirect,
        }
    }
}

impl From<LineKind> for Kind {
    fn from(kind: LineKind) -> Self {
        match kind {
            LineKind::Article => Self::Article,
            LineKind::Media => Self::Media,
            LineKind::Redirect => Self::Redirect,
        }
    }
}

impl Line {
    /// Returns the bytes of the file's name, or `None` if there is no file (a plain redirect).
    pub fn file_name(&self) -> Option<Cow<'_, [u8]>> {
        if let Some(file) = &self.file {
            return Some(Cow::Borrowed(file.as_bytes()));
        }
        if let Some(escaped) = &self.file_escaped {
            return Some(unescape_bytes(escaped).map_or(Cow::Borrowed(escaped.as_bytes()), Cow::Owned));
        }
        (self.kind != LineKind::Redirect).then(|| raw_path(&self.path, self.escaped))
    }

    /// Records the file's name, as briefly as [`file_name`](Self::file_name) allows.
    pub fn set_file_name(&mut self, name: &[u8]) {
        (self.file, self.file_escaped) = (None, None);
        if self.file_name().is_some_and(|usual| *usual == *name) {
            return;
        }
        match std::str::from_utf8(name) {
            Ok(name) => self.file = Some(name.to_owned()),
            Err(_) => self.file_escaped = Some(escape_bytes(name)),
        }
    }
}

/// Returns the bytes that a path stands for: its own, or those that were escaped in it.
///
/// Text that no escaping gives, or that gives back UTF-8 (which needs no escaping), stands for
/// itself, whatever its flag claims: so an escaped path never has the bytes of another's text.
pub fn raw_path(path: &str, escaped: bool) -> Cow<'_, [u8]> {
    match escaped.then(|| unescape_bytes(path)).flatten() {
        Some(bytes) if std::str::from_utf8(&bytes).is_err() => Cow::Owned(bytes),
        _ => Cow::Borrowed(path.as_bytes()),
    }
}

/// A metadata value as it stands in the manifest: `text` for UTF-8 with a `text/` type and without
/// control characters that JSON makes six bytes of, else `hex`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MetadataLine {
    pub key: String,
    pub mime: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
}

impl MetadataLine {
    fn new(key: &str, value: &Value) -> Self {
        let is_long = |b: &u8| *b < b' ' && !b"\x08\t\n\x0c\r".contains(b);
        let is_text = value.mime.starts_with("text/") && !value.bytes.iter().any(is_long);
        let text = std::str::from_utf8(&value.bytes).ok().filter(|_| is_text);
        let hex = text.is_none().then(|| to_hex(&value.bytes));
        Self { key: key.into(), mime: value.mime.clone(), text: text.map(Into::into), hex }
    }

    /// Returns the value, or what is wrong with the line.
    pub(crate) fn into_value(self) -> Result<(String, Value), &'static str> {
        let bytes = match (self.text, self.hex) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(hex)) => from_hex(&hex).ok_or("the metadata's hex is not hex")?,
            _ => return Err("a metadata value needs either text or hex"),
        };
        Ok((self.key, Value { mime: self.mime, bytes }))
    }
}

/// Returns a path as messages show it: in quotes, control characters escaped, not without end.
pub(crate) fn shown(path: &str) -> String {
    match path.char_indices().nth(100) {
        Some((at, _)) => format!("{:?}... ({} bytes)", &path[..at], path.len()),
        None => format!("{path:?}"),
    }
}

/// Writes a manifest while entries pass: any number of [`entry`](Self::entry), then
/// [`finish`](Self::finish). Without the latter the file is not valid JSON and will not be read.
pub struct Writer<W: Write> {
    out: W,
    written: u64,
    first: bool,
}

impl<W: Write> Writer<W> {
    /// Begins a manifest.
    ///
    /// # Errors
    ///
    /// Fails if `out` does, as all of this type's methods.
    pub fn new(out: W) -> io::Result<Self> {
        let mut writer = Self { out, written: 0, first: true };
        writer.text(&format!("{{\"{VERSION_FIELD}\":{VERSION},\"entries\":[\n"))?;
        Ok(writer)
    }

    /// Adds one entry.
    #[allow(clippy::missing_errors_doc, reason = "said at new")]
    pub fn entry(&mut self, line: &Line) -> io::Result<()> {
        self.row(line)
    }

    /// Returns how many bytes were written so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Adds what the archive says of itself, and gives back the flushed output.
    #[allow(clippy::missing_errors_doc, reason = "said at new")]
    pub fn finish(mut self, about: &About) -> io::Result<W> {
        self.text("\n],\n\"metadata\":[\n")?;
        self.first = true;
        for (key, value) in about.metadata.iter() {
            self.row(&MetadataLine::new(key, value))?;
        }
        self.text("\n]")?;
        if let Some(main) = &about.main {
            self.text(",\n\"main\":")?;
            let main = serde_json::to_string(main)?;
            self.text(&main)?;
        }
        if !about.reading_order.is_empty() {
            self.text(",\n\"reading_order\":[\n")?;
            self.first = true;
            for path in &about.reading_order {
                self.row(path)?;
            }
            self.text("\n]")?;
        }
        self.text("}\n")?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// JSON escapes line breaks within strings, so a row is a line whatever it holds.
    fn row<T: Serialize + ?Sized>(&mut self, row: &T) -> io::Result<()> {
        let json = serde_json::to_string(row)?;
        if !std::mem::take(&mut self.first) {
            self.text(",\n")?;
        }
        self.text(&json)
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.written += text.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_path_never_has_the_bytes_of_another_text() {
        assert_eq!(*raw_path("a\u{f8ff}ff", true), b"a\xff"[..]);
        assert_eq!(*raw_path("a\u{f8ff}ff", false), *"a\u{f8ff}ff".as_bytes());
        // What would give "a/b" is taken as it stands.
        assert_eq!(*raw_path("a\u{f8ff}2fb", true), *"a\u{f8ff}2fb".as_bytes());
    }
}
