//! A ZIM: every entry of its content, as it is there.
//!
//! Entries come in the order in which they are stored, so that each cluster is decoded once, redirects
//! last; or in that of their paths, if asked for. What is damaged is reported and left out, and the rest goes on. The checksum
//! of the whole file is computed meanwhile, and compared at the end: it is the only thing that says
//! whether bytes that decode without an error are the right ones.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Options;
use super::as_is::{Passing, Terms};
use crate::error::{Error, Result};
use crate::item::{About, Body, Content, Item, Kind, Metadata, Observer, Sink, Source, Value, keys};
use crate::limits::MAX_ITEM_IN_MEMORY;
use crate::zim::{Archive, ContentReader, Entry, EntryBody, metadata};

/// An open ZIM as a source.
pub struct ZimSource {
    zim: Arc<Archive>,
    terms: Terms,
    by_path: bool,
}

impl ZimSource {
    /// Takes an open ZIM.
    pub fn new(zim: Arc<Archive>, options: Options) -> Self {
        Self { zim, terms: Terms::new("ZIM", options), by_path: false }
    }

    /// Maps and opens a file; `prefix` is a normal one.
    pub(super) fn open(path: &Path, prefix: String, options: Options) -> Result<Self> {
        let zim = Archive::open(path).map_err(|e| match e {
            e @ (Error::Io { .. } | Error::Source { .. }) => e,
            other => Error::source(path.display().to_string(), other.to_string()),
        })?;
        let terms = Terms { shown: path.display().to_string(), prefix, options };
        Ok(Self { zim: Arc::new(zim), terms, by_path: false })
    }

    /// Puts a prefix before all paths, with a `/` between.
    ///
    /// # Errors
    ///
    /// Fails if it is no plain path.
    pub fn with_prefix(self, prefix: &str) -> Result<Self> {
        Ok(Self { terms: self.terms.with_prefix(prefix)?, ..self })
    }

    /// Says what messages call the ZIM: its file's name, for instance.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.terms.shown = name.into();
        self
    }

    /// Gives entries in byte order of their paths, for sinks that need it. A cluster whose paths lie far
    /// apart may then be decoded more than once.
    #[must_use]
    pub fn in_order_of_paths(self) -> Self {
        Self { by_path: true, ..self }
    }
}

impl Source for ZimSource {
    fn run(&mut self, sink: &mut dyn Sink, observer: &dyn Observer) -> Result<About> {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let checksum = scope.spawn(|| self.zim.check_checksum(&|| stop.load(Ordering::Relaxed)));
            let passing = Passing::new(&self.terms, sink, observer);
            let about = Run { source: self, passing }.all();
            // What has failed needs no checksum.
            stop.store(about.is_err(), Ordering::Relaxed);
            let about = about?;
            let message = match checksum.join() {
                Ok(Ok(true)) => return Ok(about),
                Ok(Ok(false)) => {
                    "its checksum is not that of its bytes: something in it is damaged, and nothing tells what"
                        .to_owned()
                }
                Ok(Err(e)) => format!("its checksum cannot be computed: {e}"),
                Err(_) => "its checksum was not computed".to_owned(),
            };
            observer.error(&self.terms.shown, &message);
            Ok(about)
        })
    }
}

/// One run.
struct Run<'a> {
    source: &'a ZimSource,
    passing: Passing<'a>,
}

impl Run<'_> {
    fn all(mut self) -> Result<About> {
        let about = self.about();
        let source = self.source;
        let entries: Box<dyn Iterator<Item = Result<Entry>>> = match source.by_path {
            true => Box::new(source.zim.entries()),
            false => Box::new(source.zim.entries_in_cluster_order()?),
        };
        for entry in entries {
            // Also where nothing but errors comes.
            self.passing.check_cancelled()?;
            match entry {
                Ok(entry) => self.pass_on(&entry)?,
                Err(e) => self.passing.error(&format!("an entry is lost: {e}")),
            }
        }
        Ok(self.passing.finish(about))
    }

    fn about(&self) -> About {
        let (source, zim) = (self.source, &self.source.zim);
        let mut about = About::default();
        match zim.metadata_and_lost() {
            Ok((values, lost)) => {
                about.metadata = metadata::from_zim(values);
                for (key, e) in lost {
                    self.passing.error(&format!("its metadata {key} is left out: {e}"));
                }
            }
            Err(e) => self.passing.error(&format!("its metadata cannot be read: {e}")),
        }
        about.metadata.set_text(keys::UUID, metadata::uuid_text(&zim.header().uuid));
        self.icon(&mut about.metadata);
        match zim.main_entry() {
            Ok(entry) => about.main = entry.map(|entry| source.terms.path(&entry.path)),
            Err(e) => self.passing.error(&format!("its main page cannot be read: {e}")),
        }
        about.main = about.main.filter(|path| source.terms.options.wants(path));
        about
    }

    /// Old files have their picture among the entries, and it stays there too.
    fn icon(&self, metadata: &mut Metadata) {
        if metadata.get(keys::ICON).is_none()
            && let Ok(Some(Value { mime, bytes })) = self.source.zim.illustration(48)
        {
            metadata.set(keys::ICON, Value { mime, bytes });
        }
    }

    fn pass_on(&mut self, entry: &Entry) -> Result<()> {
        let Some(path) = self.passing.admit(&entry.path) else { return Ok(()) };
        let body = match self.body(entry) {
            Ok(body) => body,
            Err(message) => {
                self.passing.observer.error(&path, &message);
                return Ok(());
            }
        };
        // An article is always given its title, a redirect too: what an archive would make of the path
        // may be another one. Media have one only if it is not their path, which in old files it is
        // without the namespace.
        let is_titled = entry.title != entry.path || entry.kind() != Kind::Media;
        self.passing.put(Item {
            title: Some(entry.title.clone()).filter(|title| is_titled && !title.is_empty()),
            body,
            generated: false,
            escaped: entry.escaped,
            language: None,
            origin: format!("{}: {}", self.source.terms.shown, entry.path),
            path,
        })
    }

    fn body(&self, entry: &Entry) -> Result<Body, String> {
        let mime = entry.mime().to_owned();
        Ok(match (&entry.body, entry.kind()) {
            (EntryBody::Redirect { target }, _) => {
                let target = match self.source.zim.entry_at(*target) {
                    Ok(Some(target)) => self.source.terms.path(&target.path),
                    Ok(None) => return Err("left out: it leads to what is no entry of content".into()),
                    Err(e) => return Err(format!("left out: where it leads to cannot be read: {e}")),
                };
                Body::Redirect { target, fragment: None }
            }
            (_, Kind::Article) => Body::Article { mime, content: self.content(entry)? },
            _ => Body::Media { mime, content: self.content(entry)? },
        })
    }

    fn content(&self, entry: &Entry) -> Result<Content, String> {
        let zim = &self.source.zim;
        let failed = |e: Error| format!("cannot be read: {e}");
        let len = zim.content_len(entry).map_err(failed)?;
        if len <= MAX_ITEM_IN_MEMORY {
            return Ok(Content::Bytes(zim.content(entry).map_err(failed)?.into_vec()));
        }
        let (zim, entry) = (Arc::clone(zim), entry.clone());
        let open = move || -> io::Result<Box<dyn Read + Send>> {
            let reader = ContentReader::new(Arc::clone(&zim), &entry).map_err(io::Error::other)?;
            Ok(Box::new(reader))
        };
        Ok(Content::Large { len, open: Box::new(open) })
    }
}
