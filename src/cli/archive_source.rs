//! The entries of an archive as items, until the library's own source for archives is here.

use std::io::{self, Read};
use std::sync::Arc;

use tome::error::{Error, Result};
use tome::item::{About, Body, Content, Item, Observer, Sink, Source};
use tome::limits::MAX_ITEM_IN_MEMORY;
use tome::reader::{Archive, Entry, EntryBody};
use tome::sources::Globs;

/// An archive as a source.
pub struct ArchiveSource {
    archive: Arc<Archive>,
    globs: Globs,
}

impl ArchiveSource {
    /// Returns the source of the entries that match, or of all if there are no patterns.
    pub fn new(archive: Arc<Archive>, globs: Globs) -> Self {
        Self { archive, globs }
    }

    fn wants(&self, path: &str) -> bool {
        self.globs.is_empty() || self.globs.matches(path)
    }

    /// What is damaged of it is reported, and the rest goes on.
    fn about(&self, observer: &dyn Observer) -> About {
        fn or_report<T: Default>(value: Result<T>, what: &str, observer: &dyn Observer) -> T {
            value.unwrap_or_else(|error| {
                observer.error(what, &error.to_string());
                T::default()
            })
        }
        let path = |entry: Option<Entry>| entry.map(|e| e.path);
        let order = self.archive.reading_order().and_then(|ids| {
            ids.into_iter().filter_map(|id| self.archive.entry_by_id(id).map(path).transpose()).collect()
        });
        About {
            metadata: or_report(self.archive.metadata().cloned(), "metadata", observer),
            main: or_report(self.archive.main_entry().map(path), "main page", observer),
            reading_order: or_report(order, "reading order", observer),
        }
    }

    fn item(&self, entry: Entry) -> Result<Item> {
        let body = match &entry.body {
            EntryBody::Redirect { target, fragment } => {
                let Some(target) = self.archive.entry_by_id(*target)? else {
                    return Err(Error::InvalidInput("leads to an entry that is not there".into()));
                };
                Body::Redirect { target: target.path, fragment: fragment.clone() }
            }
            EntryBody::Blob { article, mime, .. } => {
                let (mime, content) = (mime.clone(), self.content(&entry)?);
                if *article { Body::Article { mime, content } } else { Body::Media { mime, content } }
            }
        };
        Ok(Item {
            title: entry.has_title.then_some(entry.title),
            body,
            generated: entry.generated,
            escaped: entry.escaped,
            language: None,
            origin: entry.path.clone(),
            path: entry.path,
        })
    }

    fn content(&self, entry: &Entry) -> Result<Content> {
        if entry.size() <= MAX_ITEM_IN_MEMORY {
            return Ok(Content::Bytes(self.archive.content(entry)?.into_vec()));
        }
        let (archive, entry) = (Arc::clone(&self.archive), entry.clone());
        let len = entry.size();
        let open = move || -> io::Result<Box<dyn Read + Send>> {
            let (archive, entry) = (Arc::clone(&archive), entry.clone());
            Ok(Box::new(Reader { archive, entry, at: 0, part: vec![], used: 0 }))
        };
        Ok(Content::Large { len, open: Box::new(open) })
    }
}

impl Source for ArchiveSource {
    fn run(&mut self, sink: &mut dyn Sink, observer: &dyn Observer) -> Result<About> {
        for number in 0..self.archive.entry_leaves()? {
            let entries = match self.archive.entries_in_leaf(number) {
                Ok(entries) => entries,
                Err(error) => {
                    let lost = self.archive.ids_in_leaf(number)?;
                    observer.error(&format!("#{} to #{}", lost.start, lost.end - 1), &error.to_string());
                    continue;
                }
            };
            for entry in entries.into_iter().filter(|e| self.wants(&e.path)) {
                if observer.is_cancelled() {
                    return Err(Error::Interrupted);
                }
                let (path, size) = (entry.path.clone(), entry.size());
                match self.item(entry) {
                    Ok(item) => sink.put(item)?,
                    Err(error) => observer.error(&path, &error.to_string()),
                }
                observer.advance(1, size);
            }
        }
        Ok(self.about(observer))
    }

    fn size_hint(&self) -> Option<(u64, u64)> {
        let wanted = self.archive.entries().flatten().filter(|e| self.wants(&e.path));
        Some(wanted.fold((0, 0), |(n, bytes), e| (n + 1, bytes + e.size())))
    }
}

/// Reads a large entry a piece at a time.
struct Reader {
    archive: Arc<Archive>,
    entry: Entry,
    at: u64,
    part: Vec<u8>,
    used: usize,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.used == self.part.len() {
            let part = self.archive.content_range(&self.entry, self.at..self.at + (1 << 20));
            self.part = part.map_err(|e| io::Error::other(e.to_string()))?.into_vec();
            self.at += self.part.len() as u64;
            self.used = 0;
        }
        let n = buffer.len().min(self.part.len() - self.used);
        buffer[..n].copy_from_slice(&self.part[self.used..self.used + n]);
        self.used += n;
        Ok(n)
    }
}
