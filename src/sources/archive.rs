//! An archive: every entry of it, as it was packed.
//!
//! Nothing is derived. What is damaged is reported and left out, and the rest goes on: a leaf of the
//! entries with its ids, an entry whose bytes do not have their hash by its path. So this is also
//! how an archive is extracted, and how the readable part of a damaged one is saved.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use super::Options;
use super::as_is::{Passing, Terms};
use crate::error::{Error, Result};
use crate::item::{About, Body, Content, Item, Observer, Sink, Source, keys};
use crate::limits::MAX_ITEM_IN_MEMORY;
use crate::reader::{Archive, CONTENT_STEP, Entry, EntryBody};

/// The most entries of a leaf that are tried one by one; a page holds fewer, and what is beyond was
/// made up.
const MAX_IN_LEAF: u32 = crate::format::ids::PAGE as u32;

/// An open archive as a source.
pub struct ArchiveSource {
    archive: Arc<Archive>,
    terms: Terms,
    /// True if articles without a language of their own get the archive's, since what they are put
    /// into may have another.
    spells_languages: bool,
}

impl ArchiveSource {
    /// Takes an open archive.
    pub fn new(archive: Arc<Archive>, options: Options) -> Self {
        Self { archive, terms: Terms::new("archive", options), spells_languages: false }
    }

    /// Maps and opens a file; `prefix` is a normal one.
    pub(super) fn open(path: &Path, prefix: String, options: Options) -> Result<Self> {
        let archive = Archive::open(path).map_err(|e| match e {
            e @ (Error::Io { .. } | Error::Source { .. }) => e,
            other => Error::source(path.display().to_string(), other.to_string()),
        })?;
        let terms = Terms { shown: path.display().to_string(), prefix, options };
        Ok(Self { archive: Arc::new(archive), terms, spells_languages: true })
    }

    /// Puts a prefix before all paths, with a `/` between.
    ///
    /// # Errors
    ///
    /// Fails if it is no plain path.
    pub fn with_prefix(self, prefix: &str) -> Result<Self> {
        Ok(Self { terms: self.terms.with_prefix(prefix)?, ..self })
    }

    /// Says what messages call the archive: its file's name, for instance.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.terms.shown = name.into();
        self
    }
}

impl Source for ArchiveSource {
    fn run(&mut self, sink: &mut dyn Sink, observer: &dyn Observer) -> Result<About> {
        if self.archive.is_index_only() {
            return Err(self.archive.no_content());
        }
        let passing = Passing::new(&self.terms, sink, observer);
        let mut run = Run { source: self, passing, own_language: None, has_languages: true };
        let about = run.about();
        for leaf in 0..self.archive.entry_leaves()? {
            match self.archive.entries_in_leaf(leaf) {
                Ok(entries) => entries.into_iter().try_for_each(|entry| run.pass_on(entry))?,
                Err(e) => run.damaged_leaf(leaf, &e)?,
            }
        }
        Ok(run.passing.finish(about))
    }

    fn size_hint(&self) -> Option<(u64, u64)> {
        let sizes =
            self.archive.entries().flatten().filter(|e| self.terms.options.wants(&self.terms.path(&e.path)));
        Some(sizes.fold((0, 0), |(n, sum), entry| (n + 1, u64::saturating_add(sum, entry.size()))))
    }
}

impl ArchiveSource {
    /// Returns the path of an entry that another one names, with the prefix.
    fn path_of(&self, id: crate::format::ids::EntryId) -> Result<String, String> {
        match self.archive.entry_by_id(id) {
            Ok(Some(entry)) => Ok(self.terms.path(&entry.path)),
            Ok(None) => Err(format!("entry {id}, which is not there")),
            Err(e) => Err(format!("entry {id}, which cannot be read: {e}")),
        }
    }
}

/// One run.
struct Run<'a> {
    source: &'a ArchiveSource,
    passing: Passing<'a>,
    own_language: Option<String>,
    /// False once the languages turned out to be unreadable.
    has_languages: bool,
}

impl Run<'_> {
    fn about(&mut self) -> About {
        let (source, archive) = (self.source, &self.source.archive);
        let mut about = About::default();
        match archive.metadata() {
            Ok(metadata) => about.metadata = metadata.clone(),
            Err(e) => self.passing.error(&format!("its metadata cannot be read: {e}")),
        }
        let language = about.metadata.text(keys::LANGUAGE);
        self.own_language = language.map(|l| l.split(',').next().unwrap_or(l).trim().to_owned());
        match archive.main_entry() {
            Ok(entry) => about.main = entry.map(|entry| source.terms.path(&entry.path)),
            Err(e) => self.passing.error(&format!("its main page cannot be read: {e}")),
        }
        match archive.reading_order() {
            Ok(order) => {
                for id in order {
                    match source.path_of(id) {
                        Ok(path) => about.reading_order.push(path),
                        Err(e) => self.passing.error(&format!("the reading order has {e}")),
                    }
                }
            }
            Err(e) => self.passing.error(&format!("its reading order cannot be read: {e}")),
        }
        about.main = about.main.filter(|path| source.terms.options.wants(path));
        about.reading_order.retain(|path| source.terms.options.wants(path));
        about
    }

    /// Reports what is lost with a leaf: all of it, if its page is damaged, else those of its entries
    /// that break a rule or whose names lie in a damaged page.
    fn damaged_leaf(&mut self, leaf: u32, error: &Error) -> Result<()> {
        let archive = &self.source.archive;
        let ids = match archive.ids_in_leaf(leaf) {
            Ok(ids) => ids,
            Err(e) => {
                let what = format!("the entries of page {leaf} are lost: {error}; {e}");
                self.passing.error(&what);
                return Ok(());
            }
        };
        let mut lost = Vec::new();
        if ids.len() <= MAX_IN_LEAF as usize {
            for id in ids.clone() {
                match archive.entry_by_id(crate::format::ids::EntryId(id)) {
                    Ok(Some(entry)) => self.pass_on(entry)?,
                    Ok(None) => lost.push((id, "it is not there".to_owned())),
                    Err(e) => lost.push((id, e.to_string())),
                }
            }
        }
        if lost.len() < ids.len() && ids.len() <= MAX_IN_LEAF as usize {
            for (id, e) in lost {
                self.passing.error(&format!("entry {id} is lost: {e}"));
            }
            return Ok(());
        }
        let last = ids.end.saturating_sub(1);
        self.passing.error(&format!("entries {} to {last} are lost: {error}", ids.start));
        Ok(())
    }

    fn pass_on(&mut self, entry: Entry) -> Result<()> {
        self.passing.check_cancelled()?;
        let Some(path) = self.passing.admit(&entry.path) else { return Ok(()) };
        let body = match self.body(&entry) {
            Ok(body) => body,
            Err(message) => {
                self.passing.observer.error(&path, &message);
                return Ok(());
            }
        };
        let language = self.language(&entry);
        self.passing.put(Item {
            // Also where the path gives it: by which rule it does in the archive to be is not known.
            title: Some(entry.title).filter(|title| entry.is_titled && !title.is_empty()),
            body,
            generated: entry.generated,
            escaped: entry.escaped,
            language,
            origin: format!("{}: {}", self.source.terms.shown, entry.path),
            path,
        })
    }

    /// Returns the language of an entry where it is not that of the archive, or in any case where the
    /// archive may be joined with others: a writer leaves out what its own archive's language says.
    fn language(&mut self, entry: &Entry) -> Option<String> {
        let spelt =
            self.source.spells_languages && matches!(entry.body, EntryBody::Blob { article: true, .. });
        self.own(entry.id).or_else(|| self.own_language.clone().filter(|_| spelt))
    }

    fn own(&mut self, id: crate::format::ids::EntryId) -> Option<String> {
        if !self.has_languages {
            return None;
        }
        match self.source.archive.language(id) {
            Ok(language) => language.filter(|l| Some(*l) != self.own_language.as_deref()).map(str::to_owned),
            Err(e) => {
                self.has_languages = false;
                let message = format!("the languages of its entries cannot be read: {e}");
                self.passing.error(&message);
                None
            }
        }
    }

    fn body(&self, entry: &Entry) -> Result<Body, String> {
        Ok(match &entry.body {
            EntryBody::Blob { article: true, mime, .. } => {
                Body::Article { mime: mime.clone(), content: self.content(entry)? }
            }
            EntryBody::Blob { article: false, mime, .. } => {
                Body::Media { mime: mime.clone(), content: self.content(entry)? }
            }
            EntryBody::Redirect { target, fragment } => {
                let target =
                    self.source.path_of(*target).map_err(|e| format!("left out: it leads to {e}"))?;
                Body::Redirect { target, fragment: fragment.clone() }
            }
        })
    }

    /// Returns checked bytes, or those of a long entry in steps, each of which is checked when it is
    /// read: whoever reads them has to expect that they fail, as a file's may, and reading them twice
    /// to know before would double the time.
    fn content(&self, entry: &Entry) -> Result<Content, String> {
        let archive = &self.source.archive;
        let len = entry.size();
        if len <= MAX_ITEM_IN_MEMORY {
            let content = archive.content(entry).map_err(|e| format!("cannot be read: {e}"))?;
            return Ok(Content::Bytes(content.into_vec()));
        }
        let (archive, entry) = (Arc::clone(archive), entry.clone());
        let open = move || -> io::Result<Box<dyn Read + Send>> {
            let (archive, entry) = (Arc::clone(&archive), entry.clone());
            Ok(Box::new(Steps { archive, entry, at: 0, step: Vec::new(), next: 0 }))
        };
        Ok(Content::Large { len, open: Box::new(open) })
    }
}

/// The bytes of an entry, a step at a time.
struct Steps {
    archive: Arc<Archive>,
    entry: Entry,
    /// Where the step after this one begins.
    at: u64,
    step: Vec<u8>,
    next: usize,
}

impl Read for Steps {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.next == self.step.len() {
            let range = self.at..self.at.saturating_add(CONTENT_STEP);
            let step = self.archive.content_range(&self.entry, range).map_err(io::Error::other)?;
            self.step.clear();
            self.step.extend_from_slice(&step);
            self.at += step.len() as u64;
            self.next = 0;
        }
        let n = buffer.len().min(self.step.len() - self.next);
        buffer[..n].copy_from_slice(&self.step[self.next..self.next + n]);
        self.next += n;
        Ok(n)
    }
}
