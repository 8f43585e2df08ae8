//! From a ZIM's articles to its index.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::key::Key;
use super::{Failure, Kind};
use crate::error::{Error, Result};
use crate::item::{About, Body, Content, Item, Metadata, Observer, Sink, keys};
use crate::limits::{MAX_INDEXED, MAX_NAME_LEN};
use crate::text::Markup;
use crate::writer::{Options, Writer};
use crate::zim::metadata::from_zim;
use crate::zim::{self, Entry, EntryBody};

/// Letters of a name or of a list of languages that are kept.
const MAX_TOLD: usize = 80;

/// The most warnings of one build; a damaged file has thousands of one cause.
const MAX_WARNINGS: usize = 20;

/// Returns what a ZIM says of itself; nothing where it cannot be read, which costs an index a name and
/// at worst the forms of words.
fn said_by(zim: &zim::Archive) -> Metadata {
    zim.metadata().map(from_zim).unwrap_or_default()
}

/// Returns what a ZIM is called, as a line of a message may hold it.
pub fn name_of(zim: &zim::Archive) -> String {
    let said = said_by(zim);
    let told = [keys::TITLE, "Name"].into_iter().find_map(|key| said.text(key)).unwrap_or_default();
    let name: String = told.trim().chars().filter(|c| !c.is_control()).take(MAX_TOLD).collect();
    if name.is_empty() { "a ZIM".into() } else { name }
}

/// Makes the index of a ZIM in a file; returns true if all of the ZIM that belongs in it could be read.
pub fn build(
    zim: &zim::Archive,
    key: &Key,
    kind: Kind,
    target: &Path,
    observer: &dyn Observer,
) -> Result<bool, Failure> {
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
        is_whole: true,
    };
    build.read()?;
    let Build { writer, is_whole, .. } = build;
    let mut metadata = Metadata::default();
    metadata.set_text(keys::TITLE, format!("Index of {name}"));
    metadata.set_text(
        keys::DESCRIPTION,
        "What a search of a ZIM file needs. Made by Tome; may be deleted, and is made again when needed.",
    );
    if let Some(language) = said_by(zim).text(keys::LANGUAGE) {
        metadata.set_text(keys::LANGUAGE, language.chars().take(MAX_TOLD).collect::<String>());
    }
    key.tell(&mut metadata, kind);
    writer.finish(&About { metadata, ..About::default() }).map_err(Failure::of_writing)?;
    hears.end();
    Ok(is_whole)
}

/// One build on its way.
struct Build<'a> {
    zim: &'a zim::Archive,
    kind: Kind,
    writer: Writer<'a>,
    hears: &'a Hears<'a>,
    /// How far the observer was told that it is, in bytes of the ZIM.
    done: u64,
    /// False once something could not be read.
    is_whole: bool,
}

impl Build<'_> {
    /// Reads the ZIM: names in order of path, then articles in the order in which they lie in the
    /// clusters, so that each is decoded once. That order takes 12 bytes an article.
    fn read(&mut self) -> Result<(), Failure> {
        let zim = self.zim;
        let mut articles: Vec<[u32; 3]> = vec![];
        for entry in zim.entries() {
            match entry {
                Ok(Entry {
                    index, is_front: true, body: EntryBody::Blob { mime, cluster, blob }, ..
                }) if self.is_read(&mime) => {
                    self.stop()?;
                    articles.push([cluster, blob, index]);
                }
                Ok(entry) => self.take(&entry)?,
                Err(error) => self.missed(error)?,
            }
        }
        articles.sort_unstable();
        for [cluster, _, index] in articles {
            match zim.entry_at(index) {
                Ok(entry) => entry.iter().try_for_each(|entry| self.take(entry))?,
                Err(error) => self.missed(error)?,
            }
            self.advance(cluster);
        }
        Ok(())
    }

    fn stop(&self) -> Result<(), Failure> {
        if self.hears.is_cancelled() { Err(Failure::Other(Error::Interrupted)) } else { Ok(()) }
    }

    fn take(&mut self, entry: &Entry) -> Result<(), Failure> {
        self.stop()?;
        match self.item(entry) {
            Ok(None) => Ok(()),
            Ok(Some(item)) => self.writer.put(item).map_err(Failure::of_writing),
            Err(error) => self.missed(error),
        }
    }

    /// Notes an entry that cannot be read.
    fn missed(&mut self, error: Error) -> Result<(), Failure> {
        if is_fatal(&error) {
            return Err(Failure::Other(error));
        }
        self.hears.warning("an entry", &format!("left out of the index: {error}"));
        self.is_whole = false;
        Ok(())
    }

    /// Returns true if articles of a mime type are read for words.
    fn is_read(&self, mime: &str) -> bool {
        self.kind == Kind::FullText && Markup::of_mime(mime).is_some()
    }

    /// Returns what is indexed of an entry: articles, and other names of articles.
    fn item(&mut self, entry: &Entry) -> Result<Option<Item>> {
        let is_wanted = match entry.body {
            EntryBody::Blob { .. } => entry.is_front,
            EntryBody::Redirect { .. } => entry.is_front || entry.has_title,
        };
        if !is_wanted {
            return Ok(None);
        }
        if entry.path.len() > MAX_NAME_LEN || entry.title.len() > MAX_NAME_LEN {
            self.hears.warning(&start(&entry.path), "its name is too long; left out of the index");
            return Ok(None);
        }
        // What is not found by its own path, in a file that is not in order, could not be shown.
        if self.zim.entry_by_path(&entry.path)?.is_none_or(|found| found.index != entry.index) {
            self.hears.warning(&start(&entry.path), "not found by its own path; left out of the index");
            return Ok(None);
        }
        let body = match &entry.body {
            EntryBody::Blob { mime, .. } => {
                let content = Content::Bytes(self.content(entry, mime)?);
                Body::Article { mime: mime.clone(), content }
            }
            EntryBody::Redirect { .. } => match self.zim.resolve(entry.clone())? {
                Some(article) if article.is_front && article.path.len() <= MAX_NAME_LEN => {
                    Body::Redirect { target: article.path, fragment: None }
                }
                _ => return Ok(None),
            },
        };
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
        if !self.is_read(mime) {
            return Ok(vec![]);
        }
        match self.zim.content_range(entry, 0..MAX_INDEXED as u64) {
            Ok(content) => Ok(content.into_vec()),
            Err(error) if is_fatal(&error) => Err(error),
            Err(error) => {
                self.hears.warning(&start(&entry.path), &format!("only its title is indexed: {error}"));
                self.is_whole = false;
                Ok(vec![])
            }
        }
    }

    /// Tells how far it is: clusters are of about one size.
    fn advance(&mut self, cluster: u32) {
        let n = u128::from(self.zim.header().n_clusters.max(1));
        let at = (u128::from(self.zim.size()) * u128::from(cluster) / n) as u64;
        self.hears.observer.advance(0, at.saturating_sub(self.done));
        self.done = self.done.max(at);
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
