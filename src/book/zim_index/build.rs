//! From a ZIM's articles to its index.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::key::Key;
use super::{Failure, Kind};
use crate::error::{Error, FormatError, Place, Result};
use crate::item::{About, Body, Content, Item, Metadata, Observer, Sink, keys};
use crate::limits::{MAX_INDEXED, MAX_NAME_LEN};
use crate::reader;
use crate::text::Markup;
use crate::writer::{Options, Writer};
use crate::zim::{self, Entry, EntryBody};

/// Metadata of an index: the first article that could not be read, or the first dirent.
const UNREADABLE: &str = "zim-unreadable";
const UNREADABLE_DIRENT: &str = "zim-unreadable-dirent";

/// What could not be read first.
enum Unreadable {
    Content(String),
    Dirent(u32),
}

/// The most warnings of one build; a damaged file has thousands of one cause.
const MAX_WARNINGS: usize = 20;

/// Returns what a ZIM is called, as a line of a message may hold it.
pub fn name_of(zim: &zim::Archive) -> String {
    let told = metadata_text(zim, "Title").or_else(|| metadata_text(zim, "Name"));
    let name: String =
        told.iter().flat_map(|name| name.chars()).filter(|c| !c.is_control()).take(80).collect();
    if name.is_empty() { "a ZIM".into() } else { name }
}

fn metadata_text(zim: &zim::Archive, key: &str) -> Option<String> {
    let values = zim.metadata().ok()?;
    let value = values.into_iter().find(|value| value.0 == key)?.1;
    String::from_utf8(value.bytes).ok().map(|text| text.trim().to_string()).filter(|text| !text.is_empty())
}

/// Returns true if an index lacks an article that can be read now: it was made of a damaged copy of a ZIM,
/// which has the checksum of the whole one written in it.
pub fn is_outdated(zim: &zim::Archive, index: &reader::Archive) -> bool {
    let Ok(metadata) = index.metadata() else { return true };
    if let Some(index) = metadata.text(UNREADABLE_DIRENT).and_then(|index| index.parse().ok()) {
        return zim.entry_at(index).is_ok();
    }
    let Some(path) = metadata.text(UNREADABLE) else { return false };
    match zim.entry_by_path(path) {
        Ok(Some(entry)) => zim.content_range(&entry, 0..MAX_INDEXED as u64).is_ok(),
        _ => false,
    }
}

/// Makes the index of a ZIM in a file.
pub fn build(
    zim: &zim::Archive,
    key: &Key,
    kind: Kind,
    target: &Path,
    observer: &dyn Observer,
) -> Result<(), Failure> {
    let name = name_of(zim);
    let (what, total) = match kind {
        Kind::Titles => ("title index", None),
        Kind::FullText => ("search index", Some(zim.size())),
    };
    observer.stage(&format!("building the {what} of {name}, once"), total);
    let hears = Hears { observer, warnings: AtomicUsize::new(0) };
    let options =
        Options { search: kind == Kind::FullText, contents: false, force: true, ..Options::default() };
    let mut build = Build {
        zim,
        kind,
        writer: Writer::create(target, options, &hears).map_err(Failure::of_writing)?,
        hears: &hears,
        done: 0,
        unreadable: None,
    };
    build.read()?;
    let Build { writer, unreadable, .. } = build;
    let mut metadata = Metadata::default();
    metadata.set_text(keys::TITLE, format!("Index of {name}"));
    metadata.set_text(
        keys::DESCRIPTION,
        "What a search of a ZIM file needs. Made by Tome; may be deleted, and is made again when needed.",
    );
    if let Some(language) = metadata_text(zim, "Language") {
        metadata.set_text(keys::LANGUAGE, languages(&language));
    }
    match unreadable {
        Some(Unreadable::Content(path)) => metadata.set_text(UNREADABLE, path),
        Some(Unreadable::Dirent(index)) => metadata.set_text(UNREADABLE_DIRENT, index.to_string()),
        None => {}
    }
    key.tell(&mut metadata, kind);
    writer.finish(&About { metadata, ..About::default() }).map_err(Failure::of_writing)?;
    hears.end();
    Ok(())
}

/// One build on its way.
struct Build<'a> {
    zim: &'a zim::Archive,
    kind: Kind,
    writer: Writer<'a>,
    hears: &'a Hears<'a>,
    /// How far the observer was told that it is, in bytes of the ZIM.
    done: u64,
    unreadable: Option<Unreadable>,
}

impl Build<'_> {
    fn read(&mut self) -> Result<(), Failure> {
        let zim = self.zim;
        for entry in zim.entries() {
            if self.hears.is_cancelled() {
                return Err(Failure::Other(Error::Interrupted));
            }
            let taken = entry.and_then(|entry| {
                let item = self.item(&entry);
                self.advance(&entry);
                item
            });
            match taken {
                Ok(None) => {}
                Ok(Some(item)) => self.writer.put(item).map_err(Failure::of_writing)?,
                Err(error) if is_fatal(&error) => return Err(Failure::Other(error)),
                Err(error) => {
                    self.hears.warning("an entry", &format!("left out of the index: {error}"));
                    if let Error::Format(FormatError { place: Place::Entry(index), .. }) = error {
                        self.unreadable.get_or_insert_with(|| Unreadable::Dirent(index));
                    }
                }
            }
        }
        Ok(())
    }

    /// Returns what is indexed of an entry: articles, and other names of articles.
    fn item(&mut self, entry: &Entry) -> Result<Option<Item>> {
        let body = match &entry.body {
            EntryBody::Blob { .. } if !entry.is_front => return Ok(None),
            EntryBody::Redirect { .. } if !entry.is_front && !entry.has_title => return Ok(None),
            EntryBody::Blob { mime, .. } => {
                let content = self.content(entry, mime)?;
                Body::Article { mime: mime.clone(), content: Content::Bytes(content) }
            }
            EntryBody::Redirect { .. } => match self.zim.resolve(entry.clone())? {
                Some(article) if article.is_front => Body::Redirect { target: article.path, fragment: None },
                _ => return Ok(None),
            },
        };
        if entry.path.len() > MAX_NAME_LEN || entry.title.len() > MAX_NAME_LEN {
            self.hears.warning(&start(&entry.path), "its name is too long; left out of the index");
            return Ok(None);
        }
        // What is not found by its own path, in a file that is not in order, could not be shown.
        if self.zim.entry_by_path(&entry.path)?.is_none_or(|found| found.index != entry.index) {
            self.hears.warning(&start(&entry.path), "not found by its own path; left out of the index");
            return Ok(None);
        }
        Ok(Some(Item {
            path: entry.path.clone(),
            title: Some(entry.title.clone()),
            body,
            generated: false,
            escaped: entry.escaped,
            language: None,
            origin: String::new(),
        }))
    }

    /// Returns as much of an article as is read for words. One whose cluster is damaged is still found
    /// by its title.
    fn content(&mut self, entry: &Entry, mime: &str) -> Result<Vec<u8>> {
        if self.kind == Kind::Titles || Markup::of_mime(mime).is_none() {
            return Ok(vec![]);
        }
        match self.zim.content_range(entry, 0..MAX_INDEXED as u64) {
            Ok(content) => Ok(content.into_vec()),
            Err(error) if is_fatal(&error) => Err(error),
            Err(error) => {
                self.hears.warning(&start(&entry.path), &format!("only its title is indexed: {error}"));
                self.unreadable.get_or_insert_with(|| Unreadable::Content(entry.path.clone()));
                Ok(vec![])
            }
        }
    }

    /// Tells how far it is: clusters are read in order, and are of about one size.
    fn advance(&mut self, entry: &Entry) {
        if let (Kind::FullText, EntryBody::Blob { cluster, .. }) = (self.kind, &entry.body) {
            let n = u128::from(self.zim.header().n_clusters.max(1));
            let at = (u128::from(self.zim.size()) * u128::from(*cluster) / n) as u64;
            self.hears.observer.advance(0, at.saturating_sub(self.done));
            self.done = self.done.max(at);
        }
    }
}

/// Returns true for an error that says nothing of the ZIM's bytes: a medium that fails now may be read
/// tomorrow, and an index that lacks what it could not give must not be kept.
fn is_fatal(error: &Error) -> bool {
    matches!(error, Error::Io { .. } | Error::Interrupted)
}

/// Returns the start of a path, for a message.
fn start(path: &str) -> String {
    path.chars().take(200).collect()
}

/// Returns the languages of ZIM's metadata as our archives have them.
fn languages(told: &str) -> String {
    let tag = |code: &str| match code.trim() {
        "eng" => "en".to_string(),
        "fra" => "fr".to_string(),
        "deu" => "de".to_string(),
        other => other.to_string(),
    };
    told.split(',').map(tag).collect::<Vec<_>>().join(",")
}

/// Passes on what the writer says, but for bytes, of which it knows only those it is given, and for more
/// warnings than anybody reads.
struct Hears<'a> {
    observer: &'a dyn Observer,
    warnings: AtomicUsize,
}

impl Hears<'_> {
    fn end(&self) {
        let n = self.warnings.load(Ordering::Relaxed).saturating_sub(MAX_WARNINGS);
        if n > 0 {
            self.observer.warning("the index", &format!("{n} more warnings like these"));
        }
    }
}

impl Observer for Hears<'_> {
    fn warning(&self, path: &str, message: &str) {
        if self.warnings.fetch_add(1, Ordering::Relaxed) < MAX_WARNINGS {
            self.observer.warning(path, message);
        }
    }

    fn error(&self, path: &str, message: &str) {
        self.warning(path, message);
    }

    fn advance(&self, items: u64, _: u64) {
        self.observer.advance(items, 0);
    }

    fn stage(&self, name: &str, total: Option<u64>) {
        self.observer.stage(name, total);
    }

    fn is_cancelled(&self) -> bool {
        self.observer.is_cancelled()
    }
}
