//! What flows through the packer: a [`Source`] yields [`Item`]s, a [`Sink`] takes them.
//!
//! An item is one entry-to-be. Sources know nothing of where items go, sinks nothing of where they
//! come from: the same sink makes a `.tome` from a folder and from another archive.

use std::io::{self, Read};

use crate::error::Result;
use crate::limits::MAX_METADATA;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A page that a person reads.
    Article,
    /// Something that an article uses: an image, a style sheet, a script, sound.
    Media,
    /// A path that stands for another entry's.
    Redirect,
}

impl Kind {
    /// Returns the word used in listings and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Article => "article",
            Self::Media => "media",
            Self::Redirect => "redirect",
        }
    }
}

/// One entry on its way into an archive.
#[derive(Debug)]
pub struct Item {
    /// Its address: UTF-8, `/`-separated, no leading `/`.
    pub path: String,
    /// Its title, where the source knows one that its path does not give.
    pub title: Option<String>,
    /// What it is and holds.
    pub body: Body,
    /// True for what the packer's user did not have: a page made from a redirect, a generated icon.
    pub generated: bool,
    /// True where path (and title) stand for bytes that were not UTF-8, by [`escape_bytes`].
    pub escaped: bool,
    /// The language of this entry (BCP 47), where it says one.
    pub language: Option<String>,
    /// Where it comes from, for messages: a file's path, or a zip's and the name in it.
    pub origin: String,
}

/// What an item is and holds.
#[derive(Debug)]
pub enum Body {
    /// A page for people.
    Article {
        /// The mime type, with its `charset` parameter where the source states one.
        mime: String,
        /// The bytes.
        content: Content,
    },
    /// Anything else with bytes.
    Media {
        /// The mime type.
        mime: String,
        /// The bytes.
        content: Content,
    },
    /// Another name for an entry.
    Redirect {
        /// The target's path.
        target: String,
        /// The place in the target, without `#`.
        fragment: Option<String>,
    },
}

impl Body {
    /// Returns the length of its bytes; 0 for a redirect.
    pub fn len(&self) -> u64 {
        match self {
            Self::Article { content, .. } | Self::Media { content, .. } => content.len(),
            Self::Redirect { .. } => 0,
        }
    }

    /// Returns true if it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the kind of the entry.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Article { .. } => Kind::Article,
            Self::Media { .. } => Kind::Media,
            Self::Redirect { .. } => Kind::Redirect,
        }
    }
}

/// The bytes of an item.
pub enum Content {
    /// In memory.
    Bytes(Vec<u8>),
    /// Too large for memory: opened when it is needed, perhaps twice (once for its hash, once for
    /// its bytes), which must give the same bytes.
    Large {
        /// The length in bytes.
        len: u64,
        /// Opens the bytes at their start.
        open: Opener,
    },
}

/// Opens an item's bytes at their start.
pub type Opener = Box<dyn Fn() -> io::Result<Box<dyn Read + Send>> + Send>;

impl Content {
    /// Returns the length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(b) => b.len() as u64,
            Self::Large { len, .. } => *len,
        }
    }

    /// Returns true if there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Content({} bytes)", self.len())
    }
}

/// What an archive says of itself, as ordered keys and values.
///
/// Well-known keys are constants of [`keys`]; unknown ones are kept and written back. A value is
/// bytes with a mime type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    values: std::collections::BTreeMap<String, Value>,
}

/// One metadata value.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Value {
    /// Its mime type; `text/plain` for words.
    pub mime: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The well-known metadata keys.
pub mod keys {
    /// What the archive is called.
    pub const TITLE: &str = "title";
    /// The language or languages of its content: BCP 47, separated by commas, the main one first.
    pub const LANGUAGE: &str = "language";
    /// Who made the content.
    pub const CREATOR: &str = "creator";
    /// Who made the archive.
    pub const PUBLISHER: &str = "publisher";
    /// The content's date, `YYYY-MM-DD`.
    pub const DATE: &str = "date";
    /// One or two sentences on what it is.
    pub const DESCRIPTION: &str = "description";
    /// A longer text on what it is.
    pub const LONG_DESCRIPTION: &str = "long-description";
    /// The licence of the content.
    pub const LICENSE: &str = "license";
    /// Where the content came from.
    pub const SOURCE_URL: &str = "source-url";
    /// Words to sort archives by, separated by semicolons.
    pub const TAGS: &str = "tags";
    /// A picture for the archive; its mime type says which kind. Other sizes: `icon-96` and so on.
    pub const ICON: &str = "icon";
    /// The UUID of the ZIM file that an archive was converted from.
    pub const UUID: &str = "uuid";
}

/// The most bytes that writing down a key, its type and its value takes beside these.
const ROW: usize = 16;

impl Metadata {
    /// Returns the value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    /// Returns the value of a key if it is text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.values.get(key).and_then(|v| std::str::from_utf8(&v.bytes).ok())
    }

    /// Sets a key to a text.
    pub fn set_text(&mut self, key: &str, text: impl Into<String>) {
        let value = Value { mime: "text/plain".into(), bytes: text.into().into_bytes() };
        self.values.insert(key.into(), value);
    }

    /// Sets a key to any value.
    pub fn set(&mut self, key: &str, value: Value) {
        self.values.insert(key.into(), value);
    }

    /// Takes over the keys of another that are absent here, the smallest values first. What would make
    /// more than an archive can hold ([`MAX_METADATA`]) is left out, and `observer` is warned of it; `from`
    /// is what it is told the other one is of.
    pub fn fill_from(&mut self, other: Metadata, from: &str, observer: &dyn Observer) {
        let len = |(key, value): (&String, &Value)| key.len() + value.mime.len() + value.bytes.len() + ROW;
        let mut left = (MAX_METADATA - ROW).saturating_sub(self.values.iter().map(len).sum());
        let mut new: Vec<(String, Value)> =
            other.values.into_iter().filter(|(key, _)| !self.values.contains_key(key)).collect();
        new.sort_by_key(|(_, value)| value.bytes.len());
        for (key, value) in new {
            let len = len((&key, &value));
            if len > left {
                let message = format!(
                    "its metadata {key} of {len} bytes is left out: in all there may be {MAX_METADATA}"
                );
                observer.warning(from, &message);
                continue;
            }
            left -= len;
            self.values.insert(key, value);
        }
    }

    /// Returns the key with the most bytes, and how many these are.
    pub fn largest(&self) -> Option<(&str, usize)> {
        self.iter().map(|(key, value)| (key, value.bytes.len())).max_by_key(|(_, len)| *len)
    }

    /// Iterates over keys and values in byte order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(k, v)| (k.as_str(), v))
    }

    /// Returns true if nothing is set.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

/// What a source says of its content as a whole, known once its items have passed.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// Metadata found in the content (an epub's package file, a manifest, the main page).
    pub metadata: Metadata,
    /// The path of the main page.
    pub main: Option<String>,
    /// Paths in the order in which a person reads them, where the source has one.
    pub reading_order: Vec<String>,
}

/// Yields items in an order of its own that never depends on threads, the locale or the clock.
pub trait Source {
    /// Passes each item to `sink`, reporting what it had to leave out to `observer`.
    ///
    /// # Errors
    ///
    /// Fails if the source as a whole cannot be read, if the sink fails, or if the observer asks to
    /// stop. A single unreadable item is reported with [`Observer::error`], and the run goes on.
    fn run(&mut self, sink: &mut dyn Sink, observer: &dyn Observer) -> Result<About>;

    /// Returns about how many items and bytes there are, if that is cheap to know.
    fn size_hint(&self) -> Option<(u64, u64)> {
        None
    }
}

/// Takes items.
pub trait Sink {
    /// Takes one item.
    ///
    /// # Errors
    ///
    /// Fails where going on makes no sense: the output cannot be written, a rule of the target is
    /// broken, the caller asked to stop.
    fn put(&mut self, item: Item) -> Result<()>;
}

/// What a sink made of all its items.
#[derive(Debug, Clone, Copy, Default)]
pub struct Summary {
    /// Articles.
    pub articles: u32,
    /// Media.
    pub media: u32,
    /// Redirects; in a ZIM without those that became small pages, which count as what they became.
    pub redirects: u32,
    /// Bytes of all entries.
    pub bytes_in: u64,
    /// Bytes of the file that was made.
    pub bytes_out: u64,
    /// Contents that were there already.
    pub duplicates: u64,
    /// How long it took.
    pub time: std::time::Duration,
}

/// Hears of what happens during long work. All methods have a default that does nothing.
pub trait Observer: Sync {
    /// Something was left out by a rule; the result is as intended.
    fn warning(&self, _path: &str, _message: &str) {}
    /// Something could not be read; the rest goes on, and the result is not whole.
    fn error(&self, _path: &str, _message: &str) {}
    /// This many more items and bytes are done.
    fn advance(&self, _items: u64, _bytes: u64) {}
    /// A new stage of the work begins; `total` in bytes if it is known.
    fn stage(&self, _name: &str, _total: Option<u64>) {}
    /// Returns true once the work should stop and leave nothing behind.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Hears nothing and never stops anything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {}

/// Returns the title that a path's last part gives: without its ending, `_` as a space.
///
/// An ending is a `.` and one to five ASCII letters or digits, the first of them a letter, behind
/// at least one other character of the last part.
pub fn path_title(path: &str) -> String {
    path[last_part(path)..path_stem(path)].replace('_', " ")
}

/// Returns where the ending of a path's last part begins, or the path's length if it has none.
pub fn path_stem(path: &str) -> usize {
    let last = last_part(path);
    match path[last..].rfind('.') {
        Some(dot) if dot > 0 && is_ending(&path[last + dot + 1..]) => last + dot,
        _ => path.len(),
    }
}

fn last_part(path: &str) -> usize {
    path.rfind('/').map_or(0, |at| at + 1)
}

fn is_ending(text: &str) -> bool {
    (1..=5).contains(&text.len())
        && text.as_bytes()[0].is_ascii_alphabetic()
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Turns bytes that are not UTF-8 into text that no other bytes give.
///
/// A valid part stays as it is except that U+F8FF is doubled; each invalid byte becomes U+F8FF and
/// two lower-case hex digits. [`unescape_bytes`] gives the bytes back.
pub fn escape_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c == ESCAPE {
                out.push(ESCAPE);
            }
            out.push(c);
        }
        for &b in chunk.invalid() {
            out.push(ESCAPE);
            for nibble in [b >> 4, b & 15] {
                out.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
            }
        }
    }
    out
}

/// Gives back the bytes that [`escape_bytes`] turned into text, or `None` if it made no such text.
pub fn unescape_bytes(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(ESCAPE) {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at + ESCAPE.len_utf8()..];
        if let Some(after) = rest.strip_prefix(ESCAPE) {
            out.extend_from_slice(ESCAPE.encode_utf8(&mut [0; 4]).as_bytes());
            rest = after;
        } else {
            let hex = rest.get(..2)?;
            if hex.bytes().any(|b| b.is_ascii_uppercase() || b == b'+') {
                return None;
            }
            out.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &rest[2..];
        }
    }
    out.extend_from_slice(rest.as_bytes());
    Some(out)
}

const ESCAPE: char = '\u{f8ff}';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_archive_cannot_hold_is_left_out_and_said() {
        struct Heard(std::sync::Mutex<Vec<String>>);
        impl Observer for Heard {
            fn warning(&self, path: &str, message: &str) {
                self.0.lock().unwrap().push(format!("{path}: {message}"));
            }
        }
        let heard = Heard(Default::default());
        let blob = |len: usize| Value { mime: "image/png".into(), bytes: vec![7; len] };
        let mut own = Metadata::default();
        own.set("icon", blob(MAX_METADATA / 2));
        let mut other = Metadata::default();
        other.set("icon", blob(1));
        other.set("huge", blob(MAX_METADATA / 2));
        other.set("large", blob(MAX_METADATA / 4));
        // Where there are many, what is written beside them counts.
        for i in 0..20_000 {
            other.set(&format!("{i:05}"), blob(0));
        }
        own.fill_from(other, "other", &heard);
        let heard = heard.0.into_inner().unwrap();
        let [message] = &heard[..] else { panic!("{heard:?}") };
        assert!(message.starts_with("other: its metadata huge of 4194"), "{message}");
        assert_eq!(own.largest(), Some(("icon", MAX_METADATA / 2)));
        assert!(own.get("large").is_some() && own.text("19999") == Some(""));
        assert!(crate::format::small::write_metadata(&own).len() <= MAX_METADATA);
        for i in 0.. {
            let before = own.values.len();
            let mut other = Metadata::default();
            other.set(&format!("more {i}"), blob(300));
            own.fill_from(other, "other", &Silent);
            if own.values.len() == before {
                break;
            }
        }
        assert!(crate::format::small::write_metadata(&own).len() <= MAX_METADATA);
    }

    #[test]
    fn escaped_bytes_come_back_and_collide_with_nothing() {
        for bytes in [&b"a/\xff\xc3b"[..], "é\u{f8ff}ff".as_bytes(), b"plain", b"", b"\xf8\xff"] {
            assert_eq!(unescape_bytes(&escape_bytes(bytes)).as_deref(), Some(bytes));
        }
        assert_ne!(escape_bytes(b"\xff"), escape_bytes("\u{f8ff}ff".as_bytes()));
        assert_eq!(unescape_bytes("\u{f8ff}F0"), None);
        assert_eq!(unescape_bytes("\u{f8ff}f"), None);
    }
}
