//! Entries and content of a ZIM.

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::cluster::{self, Compression, Decoded};
use super::dirent::{Dirent, DirentKind, More};
use super::header::{Header, NO_LIST, NONE};
use super::listing;
use super::namespace::{self, INDEX, METADATA, WELL_KNOWN};
use crate::content::Content;
use crate::error::{Place, Result, damaged};
use crate::item::{Kind, Value, escape_bytes, unescape_bytes};
use crate::limits::MAX_REDIRECTS;
use crate::storage::{Mapped, Part, Positional, Storage};

/// How to open a ZIM.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// Read by position instead of mapping.
    pub by_position: bool,
    /// Where in the file the ZIM begins.
    pub at: u64,
    /// Bytes of decoded clusters that are kept; [`crate::limits::DEFAULT_CACHE`] by default.
    pub cache: Option<usize>,
}

/// An open ZIM.
pub struct Archive {
    pub(super) storage: Box<dyn Storage>,
    header: Header,
    mimes: Vec<String>,
    articles: OnceLock<Vec<u32>>,
}

/// An entry of content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The number of its dirent, in order of path over all namespaces.
    pub index: u32,
    /// Its path, with the letter of its namespace in old files; what is not UTF-8 is escaped.
    pub path: String,
    /// Its title; the path where it has none of its own.
    pub title: String,
    /// True if it has a title of its own.
    pub has_title: bool,
    /// True if path or title stand for bytes that are not UTF-8, by [`escape_bytes`].
    pub escaped: bool,
    /// True if it is listed by title, as what people look for: articles and their other names.
    pub is_front: bool,
    /// What it is.
    pub body: EntryBody,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryBody {
    /// Bytes.
    Blob {
        /// The mime type, with its parameters.
        mime: String,
        /// The cluster.
        cluster: u32,
        /// The blob in it.
        blob: u32,
    },
    /// Another entry's other name.
    Redirect {
        /// The number of the other's dirent.
        target: u32,
    },
}

impl Entry {
    /// Returns what kind of entry it is.
    pub fn kind(&self) -> Kind {
        match self.body {
            EntryBody::Redirect { .. } => Kind::Redirect,
            EntryBody::Blob { .. } if self.is_front => Kind::Article,
            EntryBody::Blob { .. } => Kind::Media,
        }
    }

    /// Returns the mime type; nothing for a redirect.
    pub fn mime(&self) -> &str {
        match &self.body {
            EntryBody::Blob { mime, .. } => mime,
            EntryBody::Redirect { .. } => "",
        }
    }
}

/// The longest list of mime types that is read: 65,533 of 255 bytes.
const MAX_MIME_LIST: u64 = 16 << 20;

impl Archive {
    /// Maps and opens a file; `x.zim` is also found as `x.zimaa`, `x.zimab` and so on.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be opened, is no ZIM, or is one whose header cannot be right.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, &OpenOptions::default())
    }

    /// Opens a file.
    ///
    /// # Errors
    ///
    /// As [`Archive::open`].
    pub fn open_with(path: impl AsRef<Path>, options: &OpenOptions) -> Result<Self> {
        let path = path.as_ref();
        let storage: Box<dyn Storage> = if options.by_position {
            Box::new(Positional::open(path, options.at)?)
        } else {
            Box::new(Mapped::open(path, options.at)?)
        };
        Self::from_storage(storage, options)
    }

    /// Opens a ZIM that is in a storage.
    ///
    /// # Errors
    ///
    /// As [`Archive::open`].
    pub fn from_storage(storage: Box<dyn Storage>, options: &OpenOptions) -> Result<Self> {
        let mut storage = storage;
        let head = storage.read(0..storage.len().min(Header::SIZE as u64))?.into_owned();
        if options.at != 0
            && let Some(checksum) = head.get(72..80).and_then(|b| b.first_chunk::<8>())
        {
            // Inside a larger file, it ends behind its checksum.
            let end = u64::from_le_bytes(*checksum).saturating_add(16);
            storage = Box::new(Part::new(storage, 0, end));
        }
        let header = Header::parse(&head, storage.len())?;
        let end = storage.len().min(header.mime_list + MAX_MIME_LIST);
        let mimes = listing::mime_types(&storage.read(header.mime_list.min(end)..end)?)?;
        Ok(Self { storage, header, mimes, articles: OnceLock::new() })
    }

    /// Returns the header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the length of the file in bytes.
    pub fn size(&self) -> u64 {
        self.storage.len()
    }

    /// Returns the checksum that stands in the file, unchecked; old files have none.
    ///
    /// # Errors
    ///
    /// Fails if the medium does.
    pub fn declared_checksum(&self) -> Result<Option<[u8; 16]>> {
        if self.header.checksum == 0 {
            return Ok(None);
        }
        let bytes = self.storage.read(self.header.checksum..self.header.checksum + 16)?;
        Ok(bytes.first_chunk().copied())
    }

    /// Returns the mime types of its list.
    pub fn mime_types(&self) -> &[String] {
        &self.mimes
    }

    pub(super) fn pointer(&self, list: u64, index: u32) -> Result<u64> {
        let at = list + 8 * u64::from(index);
        let bytes = self.storage.read(at..at + 8)?;
        Ok(bytes.first_chunk().copied().map_or(0, u64::from_le_bytes))
    }

    pub(super) fn with_dirent<T>(
        &self,
        index: u32,
        take: impl FnOnce(&Dirent<'_>) -> Result<T>,
    ) -> Result<T> {
        let at = self.pointer(self.header.path_pointers, index)?;
        let end = self.header.end(self.storage.len());
        if at < self.header.mime_list || at >= end {
            return damaged!(Place::Entry(index), "dirent position", "{at} of {end}");
        }
        let mut len = 256;
        loop {
            let bytes = self.storage.read(at..end.min(at + len))?;
            match Dirent::parse(&bytes) {
                Ok(dirent) => return take(&dirent),
                Err(More) if at + len >= end || len > 1 << 20 => {
                    return damaged!(Place::Entry(index), "dirent", "its names have no end");
                }
                Err(More) => len *= 8,
            }
        }
    }

    /// Finds a dirent by its namespace and path.
    pub(super) fn find(&self, namespace: u8, path: &[u8]) -> Result<Option<u32>> {
        let at = self.lower_bound(namespace, path)?;
        if at == self.header.n_entries {
            return Ok(None);
        }
        let equal = self.with_dirent(at, |d| Ok(d.namespace == namespace && d.path == path))?;
        Ok(equal.then_some(at))
    }

    pub(super) fn lower_bound(&self, namespace: u8, path: &[u8]) -> Result<u32> {
        let (mut low, mut high) = (0, self.header.n_entries);
        while low < high {
            let middle = low + (high - low) / 2;
            let less = self.with_dirent(middle, |d| Ok((d.namespace, d.path) < (namespace, path)))?;
            if less { low = middle + 1 } else { high = middle }
        }
        Ok(low)
    }

    /// Finds an entry by its path.
    ///
    /// # Errors
    ///
    /// Fails if a dirent on the way is damaged.
    pub fn entry_by_path(&self, path: &str) -> Result<Option<Entry>> {
        let bytes = unescape_bytes(path).map_or(Cow::Borrowed(path.as_bytes()), Cow::Owned);
        let Some((namespace, stored)) = namespace::stored(&bytes, self.header.has_one_namespace()) else {
            return Ok(None);
        };
        if !namespace::is_content(namespace, self.header.has_one_namespace()) {
            return Ok(None);
        }
        match self.find(namespace, stored)? {
            Some(index) => self.entry_at(index),
            None => Ok(None),
        }
    }

    /// Returns the entry of a dirent; nothing if there is none, or none of content.
    ///
    /// # Errors
    ///
    /// Fails if the dirent is damaged.
    pub fn entry_at(&self, index: u32) -> Result<Option<Entry>> {
        let one = self.header.has_one_namespace();
        if index >= self.header.n_entries {
            return Ok(None);
        }
        self.with_dirent(index, |dirent| {
            if !namespace::is_content(dirent.namespace, one) {
                return Ok(None);
            }
            let Header { n_entries, n_clusters, .. } = self.header;
            dirent.check(index, n_entries, n_clusters, self.mimes.len())?;
            let body = match dirent.kind {
                DirentKind::Blob { mime, cluster, blob } => {
                    let mime = self.mimes.get(usize::from(mime)).cloned().unwrap_or_default();
                    EntryBody::Blob { mime, cluster, blob }
                }
                DirentKind::Redirect { target } => EntryBody::Redirect { target },
                DirentKind::Legacy => return Ok(None),
            };
            let path = namespace::shown(dirent.namespace, dirent.path, one);
            let escaped = std::str::from_utf8(&path).is_err() || std::str::from_utf8(dirent.title).is_err();
            let text = |bytes: &[u8]| {
                if escaped { escape_bytes(bytes) } else { String::from_utf8_lossy(bytes).into_owned() }
            };
            Ok(Some(Entry {
                index,
                path: text(&path),
                title: text(dirent.title()),
                has_title: !dirent.title.is_empty(),
                escaped,
                is_front: self.is_front(index, dirent)?,
                body,
            }))
        })
    }

    fn is_front(&self, index: u32, dirent: &Dirent<'_>) -> Result<bool> {
        if self.header.has_one_namespace() {
            return Ok(self.articles()?.contains(&index));
        }
        Ok(dirent.namespace == namespace::ARTICLES)
    }

    fn articles(&self) -> Result<&[u32]> {
        if let Some(articles) = self.articles.get() {
            return Ok(articles);
        }
        let mut articles: Vec<u32> = match self.find(INDEX, listing::ARTICLES_BY_TITLE)? {
            None => vec![],
            Some(index) => {
                let bytes = self.blob_of(index)?;
                bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
            }
        };
        articles.sort_unstable();
        Ok(self.articles.get_or_init(|| articles))
    }

    pub(super) fn blob_of(&self, index: u32) -> Result<Content<'_>> {
        let kind = self.with_dirent(index, |d| Ok(d.kind))?;
        match kind {
            DirentKind::Blob { cluster, blob, .. } => self.blob(index, cluster, blob, 0..u64::MAX),
            _ => damaged!(Place::Entry(index), "dirent", "it has no bytes"),
        }
    }

    /// Returns the entries of content in order of path. A dirent that cannot be read is an error, and
    /// the next ones go on.
    pub fn entries(&self) -> impl Iterator<Item = Result<Entry>> + '_ {
        (0..self.header.n_entries).filter_map(|index| self.entry_at(index).transpose())
    }

    /// Returns the entries whose paths begin so, in order of path.
    ///
    /// # Errors
    ///
    /// Fails if the way to the first is damaged.
    pub fn entries_with_prefix<'a>(
        &'a self,
        prefix: &'a str,
    ) -> Result<impl Iterator<Item = Result<Entry>> + 'a> {
        let all = self.entries().filter(move |e| e.as_ref().map_or(true, |e| e.path.starts_with(prefix)));
        Ok(all)
    }

    /// Follows redirects to an entry with bytes; nothing if they lead nowhere.
    ///
    /// # Errors
    ///
    /// Fails if a dirent on the way is damaged.
    pub fn resolve(&self, entry: Entry) -> Result<Option<Entry>> {
        let mut entry = entry;
        for _ in 0..=MAX_REDIRECTS {
            let EntryBody::Redirect { target } = entry.body else { return Ok(Some(entry)) };
            match self.entry_at(target)? {
                Some(next) => entry = next,
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Returns the length of an entry's bytes; 0 for a redirect.
    ///
    /// # Errors
    ///
    /// Fails if its cluster is damaged.
    pub fn content_len(&self, entry: &Entry) -> Result<u64> {
        Ok(match entry.body {
            EntryBody::Blob { .. } => self.content(entry)?.len() as u64,
            EntryBody::Redirect { .. } => 0,
        })
    }

    /// Returns the bytes of an entry; of a redirect, those of the entry at its end.
    ///
    /// # Errors
    ///
    /// Fails if its cluster is damaged, or a redirect leads nowhere.
    pub fn content(&self, entry: &Entry) -> Result<Content<'_>> {
        self.content_range(entry, 0..u64::MAX)
    }

    /// Returns a part of the bytes of an entry; a range that leaves them is cut to them.
    ///
    /// # Errors
    ///
    /// As [`Archive::content`].
    pub fn content_range(&self, entry: &Entry, range: Range<u64>) -> Result<Content<'_>> {
        match entry.body {
            EntryBody::Blob { cluster, blob, .. } => self.blob(entry.index, cluster, blob, range),
            EntryBody::Redirect { .. } => match self.resolve(entry.clone())? {
                Some(entry) => self.content_range(&entry, range),
                None => damaged!(Place::Entry(entry.index), "redirect", "it leads nowhere"),
            },
        }
    }

    fn blob(&self, index: u32, cluster: u32, blob: u32, range: Range<u64>) -> Result<Content<'_>> {
        let place = Place::Block(cluster);
        if cluster >= self.header.n_clusters {
            return damaged!(
                Place::Entry(index),
                "cluster number",
                "{cluster} of {}",
                self.header.n_clusters
            );
        }
        let at = self.pointer(self.header.cluster_pointers, cluster)?;
        let end = self.header.end(self.storage.len());
        if at < self.header.mime_list || at >= end {
            return damaged!(place, "cluster position", "{at} of {end}");
        }
        let first = self.storage.read(at..at + 1)?.first().copied().unwrap_or(0);
        let (compression, extended) = cluster::info(first, cluster)?;
        let stored = self.storage.read(at + 1..end)?;
        let decoded = match compression {
            Compression::None => None,
            _ => Some(Arc::new(cluster::decode(&stored, compression, cluster)?)),
        };
        let bytes = decoded.as_ref().map_or(&stored[..], |d| &d[..]);
        let offsets = cluster::offsets(bytes, extended, self.header.n_entries, cluster)?;
        let whole = match offsets.get(blob as usize..).unwrap_or_default() {
            [start, end, ..] => *start..*end,
            _ => {
                let n = offsets.len().saturating_sub(1);
                return damaged!(Place::Entry(index), "blob number", "{blob} of {n} in cluster {cluster}");
            }
        };
        if whole.end > bytes.len() as u64 {
            return damaged!(place, "blob offsets", "blob {blob} ends at {} of {}", whole.end, bytes.len());
        }
        let start = whole.start.saturating_add(range.start).min(whole.end);
        let end = whole.start.saturating_add(range.end).min(whole.end).max(start);
        let decoded = decoded.map(|bytes| Decoded { bytes, offsets });
        Ok(match decoded {
            Some(decoded) => Content::part(decoded.bytes, start as usize..end as usize),
            None => Content::direct(self.storage.read(at + 1 + start..at + 1 + end)?),
        })
    }

    /// Returns the main page's entry, through redirects.
    ///
    /// # Errors
    ///
    /// Fails if a dirent on the way is damaged.
    pub fn main_entry(&self) -> Result<Option<Entry>> {
        let well_known = match self.header.has_one_namespace() {
            true => self.find(WELL_KNOWN, b"mainPage")?,
            false => None,
        };
        let mut index = well_known.unwrap_or(self.header.main_page);
        for _ in 0..=MAX_REDIRECTS {
            if index == NONE || index >= self.header.n_entries {
                return Ok(None);
            }
            if let Some(entry) = self.entry_at(index)? {
                return self.resolve(entry);
            }
            match self.with_dirent(index, |d| Ok(d.kind))? {
                DirentKind::Redirect { target } => index = target,
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Returns the metadata, by ZIM's own keys, in order of the keys.
    ///
    /// # Errors
    ///
    /// Fails if one of them cannot be read.
    pub fn metadata(&self) -> Result<Vec<(String, Value)>> {
        let mut out = vec![];
        let mut index = self.lower_bound(METADATA, b"")?;
        while index < self.header.n_entries {
            let found = self.with_dirent(index, |d| {
                let mime = match d.kind {
                    DirentKind::Blob { mime, .. } => self.mimes.get(usize::from(mime)).cloned(),
                    _ => None,
                };
                Ok((d.namespace, escape_bytes(d.path), mime))
            })?;
            let (METADATA, key, Some(mime)) = found else { break };
            out.push((key, Value { mime, bytes: self.blob_of(index)?.into_vec() }));
            index += 1;
        }
        Ok(out)
    }

    /// Returns how many articles are listed by title.
    ///
    /// # Errors
    ///
    /// Fails if the list is damaged.
    pub fn n_articles(&self) -> Result<u32> {
        Ok(self.articles()?.len() as u32)
    }

    /// Returns an article for a random number.
    ///
    /// # Errors
    ///
    /// Fails if the list of articles or the entry is damaged.
    pub fn random_article(&self, random: u64) -> Result<Option<Entry>> {
        let articles = self.articles()?;
        let at = ((u128::from(random) * articles.len() as u128) >> 64) as usize;
        match articles.get(at) {
            Some(&index) => self.entry_at(index),
            None => Ok(None),
        }
    }

    /// Returns the entries that have this title, to the letter, in order of path.
    ///
    /// # Errors
    ///
    /// Fails if the list of titles is damaged.
    pub fn entries_by_title(&self, title: &str) -> Result<Vec<Entry>> {
        let _ = NO_LIST;
        self.entries().filter(|e| e.as_ref().map_or(true, |e| e.title == title)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_the_suite_open_and_every_entry_is_read() {
        let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/zim-suite");
        if !shared.is_dir() {
            eprintln!("skipped: no {}", shared.display());
            return;
        }
        for (name, n) in [("nons", 16), ("withns", 17), ("noTitleListingV0", 16)] {
            let zim = Archive::open(shared.join(name).join("small.zim")).unwrap();
            let mut entries = 0;
            for entry in zim.entries() {
                let entry = entry.unwrap();
                let content = zim.content(&entry).unwrap();
                println!("{name} {} {} {} {}", entry.path, entry.title, entry.mime(), content.len());
                entries += 1;
            }
            println!("{:?}", zim.main_entry().unwrap().map(|e| e.path));
            println!("{:?}", zim.metadata().unwrap().iter().map(|m| &m.0).collect::<Vec<_>>());
            assert!(entries > 1 && n > 0);
        }
    }
}
