//! The JSON objects by which the command line and the server tell of archives, entries, suggestions and
//! hits. A field may be added; none is renamed or removed.

use serde::Serialize;

use crate::book::{self, Book, Counts, Match};
use crate::error::Result;
use crate::hex::{base64, to_hex};
use crate::item::{Kind, Metadata, keys};

/// What an archive is.
#[derive(Debug, Serialize)]
pub struct Info<'a> {
    /// `tome` or `zim`.
    pub format: &'static str,
    /// The version of the format.
    pub version: String,
    /// The identity of the content, in hex.
    pub content_id: Option<String>,
    /// What vouches for every byte of the file, in hex.
    pub file_id: Option<String>,
    /// A ZIM's own identity.
    pub uuid: Option<String>,
    /// The title; empty if there is none.
    pub title: &'a str,
    /// The languages, as the archive says them.
    pub language: Option<&'a str>,
    /// Who wrote the content.
    pub creator: Option<&'a str>,
    /// Who made the archive.
    pub publisher: Option<&'a str>,
    /// When it was made.
    pub date: Option<&'a str>,
    /// A sentence about it.
    pub description: Option<&'a str>,
    /// Under what terms it may be used.
    pub license: Option<&'a str>,
    /// Where the content is from.
    pub source_url: Option<&'a str>,
    /// What it is about.
    pub tags: Vec<&'a str>,
    /// The path of the main page.
    pub main: Option<&'a str>,
    /// The number of articles.
    pub articles: u64,
    /// The number of media.
    pub media: u64,
    /// The number of redirects.
    pub redirects: u64,
    /// The number of blocks.
    pub blocks: u32,
    /// Its length in bytes.
    pub size: u64,
    /// True if a search begins at once.
    pub has_search: bool,
    /// The parts of the file that are not content.
    pub sections: Vec<Section>,
}

/// A part of a file that is not content.
#[derive(Debug, Serialize)]
pub struct Section {
    /// What it is called.
    pub kind: &'static str,
    /// Where it begins, in bytes.
    pub offset: u64,
    /// Its length in bytes.
    pub length: u64,
    /// True if a reader may do without.
    pub optional: bool,
}

impl<'a> Info<'a> {
    /// Puts together what an archive is, of what was read from it before.
    pub fn new(book: &Book, metadata: &'a Metadata, main: Option<&'a str>, counts: Counts) -> Self {
        let (major, minor) = book.version();
        let tags = metadata.text(keys::TAGS).unwrap_or_default();
        let section = |section: &book::Section| Section {
            kind: section.name,
            offset: section.offset,
            length: section.len,
            optional: section.is_optional,
        };
        Self {
            format: book.format().name(),
            version: format!("{major}.{minor}"),
            content_id: book.content_id().map(|id| to_hex(&id)),
            file_id: book.file_id().map(|id| to_hex(&id)),
            uuid: book.uuid(),
            title: metadata.text(keys::TITLE).unwrap_or_default(),
            language: metadata.text(keys::LANGUAGE),
            creator: metadata.text(keys::CREATOR),
            publisher: metadata.text(keys::PUBLISHER),
            date: metadata.text(keys::DATE),
            description: metadata.text(keys::DESCRIPTION),
            license: metadata.text(keys::LICENSE),
            source_url: metadata.text(keys::SOURCE_URL),
            tags: tags.split(';').map(str::trim).filter(|tag| !tag.is_empty()).collect(),
            main,
            articles: counts.articles,
            media: counts.media,
            redirects: counts.redirects,
            blocks: book.n_blocks(),
            size: book.size(),
            has_search: book.has_search(),
            sections: book.sections().iter().map(section).collect(),
        }
    }
}

/// An entry in a list.
#[derive(Debug, Serialize)]
pub struct Entry<'a> {
    /// Its address.
    pub path: &'a str,
    /// Its title.
    pub title: &'a str,
    /// `article`, `media` or `redirect`.
    pub kind: &'static str,
    /// Its mime type; empty for a redirect.
    pub mime: &'a str,
    /// Its length in bytes.
    pub size: u64,
    /// Where it leads, of a redirect only.
    #[serde(flatten)]
    pub redirect: Option<Redirect<'a>>,
}

/// Where a redirect leads.
#[derive(Debug, Serialize)]
pub struct Redirect<'a> {
    /// The path of the entry that it names; none if there is no such entry.
    pub target: Option<String>,
    /// The place in it.
    pub fragment: Option<&'a str>,
}

impl<'a> Entry<'a> {
    /// Puts together what an entry is.
    pub fn new(entry: &'a book::Entry, size: u64, redirect: Option<Redirect<'a>>) -> Self {
        let kind = entry.kind().name();
        Self { path: entry.path(), title: entry.title(), kind, mime: entry.mime(), size, redirect }
    }
}

impl<'a> Redirect<'a> {
    /// Returns where an entry leads; nothing if it is no redirect.
    ///
    /// # Errors
    ///
    /// Fails if the entry that it names is damaged.
    pub fn of(book: &Book, entry: &'a book::Entry) -> Result<Option<Self>> {
        if entry.kind() != Kind::Redirect {
            return Ok(None);
        }
        let target = book.target(entry)?.map(|target| target.path().to_owned());
        Ok(Some(Self { target, fragment: entry.fragment() }))
    }
}

/// An entry that was read, or drawn at random.
#[derive(Debug, Serialize)]
pub struct Read<'a> {
    /// Its address.
    pub path: &'a str,
    /// Its title.
    pub title: &'a str,
    /// Its mime type.
    pub mime: &'a str,
    /// Its length in bytes.
    pub size: u64,
    /// Its content, if that was asked for.
    #[serde(flatten)]
    pub content: Option<Content>,
}

/// The content of an entry.
#[derive(Debug, Serialize)]
pub enum Content {
    /// As text.
    #[serde(rename = "content")]
    Text(String),
    /// In base64, where it is no text.
    #[serde(rename = "content_base64")]
    Base64(String),
}

impl<'a> Read<'a> {
    /// Puts together what was read.
    pub fn new(entry: &'a book::Entry, size: u64, content: Option<Content>) -> Self {
        Self { path: entry.path(), title: entry.title(), mime: entry.mime(), size, content }
    }
}

impl Content {
    /// Returns bytes as text, if they are.
    pub fn of(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::Text(text),
            Err(e) => Self::Base64(base64(e.as_bytes())),
        }
    }
}

/// A title that may be meant.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "suggestion")]
pub struct Suggestion<'a> {
    /// The title.
    pub title: &'a str,
    /// The path of its entry.
    pub path: &'a str,
    /// `exact`, `prefix`, `word` or `typo`.
    #[serde(rename = "match")]
    pub matched: &'static str,
    /// The redirect's title that matched, if one did.
    pub via: Option<&'a str>,
}

/// The end of suggestions.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "end")]
pub struct SuggestEnd {
    /// True if there may be more or better ones.
    pub partial: bool,
    /// How long it took.
    pub seconds: f64,
}

impl<'a> Suggestion<'a> {
    /// Puts together a suggestion.
    pub fn new(suggestion: &'a book::Suggestion) -> Self {
        let matched = match suggestion.matched {
            Match::Exact => "exact",
            Match::Prefix => "prefix",
            Match::Word => "word",
            Match::Typo => "typo",
        };
        let book::Suggestion { title, path, via, .. } = suggestion;
        Self { title, path, matched, via: via.as_deref() }
    }
}

/// An article that was found.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "hit")]
pub struct Hit<'a> {
    /// The archive: its file's path on the command line, its name on a server.
    pub archive: &'a str,
    /// Its title.
    pub title: &'a str,
    /// Its path.
    pub path: &'a str,
    /// How well it fits, to be compared within one search.
    pub score: u64,
    /// A passage with the hits in `<b>..</b>` and all else escaped.
    pub snippet: &'a str,
    /// True if not all words matched.
    pub relaxed: bool,
}

/// The end of a search.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "end")]
pub struct SearchEnd<'a> {
    /// So many articles fit, or more.
    pub hits_at_least: u64,
    /// True if the budget ended the search.
    pub partial: bool,
    /// The query as it may have been meant.
    pub did_you_mean: Option<&'a str>,
    /// How long it took.
    pub seconds: f64,
}

impl<'a> Hit<'a> {
    /// Puts together a hit.
    pub fn new(archive: &'a str, hit: &'a book::Hit) -> Self {
        let book::Hit { title, path, snippet, .. } = hit;
        Self { archive, title, path, score: hit.score, snippet, relaxed: hit.relaxed }
    }
}
