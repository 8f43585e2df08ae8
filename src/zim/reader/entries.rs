//! Entries: by path, by number, in order, and at the end of redirects.

use std::borrow::Cow;

use super::Archive;
use crate::error::Result;
use crate::item::{Kind, escape_bytes, unescape_bytes};
use crate::limits::MAX_ZIM_REDIRECTS;
use crate::zim::dirent::{Dirent, DirentKind};
use crate::zim::header::NONE;
use crate::zim::listing;
use crate::zim::namespace::{self, CONTENT, INDEX, WELL_KNOWN};

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
    /// True if path and title stand for bytes that are not UTF-8, by [`escape_bytes`]. Then both are
    /// escaped, even if only one needs it.
    pub escaped: bool,
    /// True if it is what people look for: articles and their other names. See [`Archive::n_articles`].
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

    /// Returns the path as it stands in the file.
    pub fn path_bytes(&self) -> Cow<'_, [u8]> {
        self.bytes(&self.path)
    }

    /// Returns the title as it stands in the file.
    pub fn title_bytes(&self) -> Cow<'_, [u8]> {
        self.bytes(&self.title)
    }

    fn bytes<'a>(&self, text: &'a str) -> Cow<'a, [u8]> {
        match unescape_bytes(text) {
            Some(bytes) if self.escaped => Cow::Owned(bytes),
            _ => Cow::Borrowed(text.as_bytes()),
        }
    }
}

/// Entries beside content and metadata that readers look for.
const KNOWN: [(u8, &[u8]); 7] = [
    (WELL_KNOWN, b"mainPage"),
    (WELL_KNOWN, b"favicon"),
    (INDEX, listing::ALL_BY_TITLE),
    (INDEX, listing::ARTICLES_BY_TITLE),
    (INDEX, super::xapian::TITLES),
    (INDEX, super::xapian::FULL_TEXT),
    (super::xapian::OLD_INDEX, super::xapian::OLD_FULL_TEXT),
];

/// How many entries of each kind there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Articles.
    pub articles: u64,
    /// Entries with bytes that are no articles.
    pub media: u64,
    /// Redirects.
    pub redirects: u64,
    /// Entries that cannot be read.
    pub damaged: u64,
}

impl Archive {
    /// Finds an entry by its path, to the letter: in old files with the namespace's.
    ///
    /// # Errors
    ///
    /// Fails if a dirent on the way is damaged.
    pub fn entry_by_path(&self, path: &str) -> Result<Option<Entry>> {
        let found = self.entry_by_path_bytes(path.as_bytes())?.filter(|entry| !entry.escaped);
        if found.is_some() {
            return Ok(found);
        }
        match unescape_bytes(path) {
            // Text without escapes may be that of an entry whose title needs them.
            Some(bytes) => Ok(self.entry_by_path_bytes(&bytes)?.filter(|entry| entry.escaped)),
            None => Ok(None),
        }
    }

    /// Finds an entry by its path as it stands in the file.
    ///
    /// # Errors
    ///
    /// Fails if a dirent on the way is damaged.
    pub fn entry_by_path_bytes(&self, path: &[u8]) -> Result<Option<Entry>> {
        let one = self.header.has_one_namespace();
        let Some((namespace, stored)) = namespace::stored(path, one) else { return Ok(None) };
        if !namespace::is_content(namespace, one) {
            return Ok(None);
        }
        match self.find(namespace, stored)? {
            Some(index) => self.entry_at(index),
            None => Ok(None),
        }
    }

    /// Finds an entry by a path that comes from another version of the archive, as libzim does: in a new
    /// file, `A/page` also means `page`; in an old one, `page` also means `A/page`, else that of the
    /// namespaces `I`, `J` and `-`. What has exactly this path comes first.
    ///
    /// # Errors
    ///
    /// As [`Archive::entry_by_path`].
    pub fn entry_by_old_path(&self, path: &str) -> Result<Option<Entry>> {
        if let Some(entry) = self.entry_by_path(path)? {
            return Ok(Some(entry));
        }
        if self.header.has_one_namespace() {
            let rest = path.strip_prefix('/').unwrap_or(path);
            let mut letters = rest.chars();
            return match (letters.next(), letters.next()) {
                (Some(letter), Some('/')) if letter.is_ascii() => self.entry_by_path(letters.as_str()),
                _ => Ok(None),
            };
        }
        for namespace in ["A", "I", "J", "-"] {
            if let Some(entry) = self.entry_by_path(&format!("{namespace}/{path}"))? {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// Returns the entry of a dirent; nothing if there is none, or none of content.
    ///
    /// # Errors
    ///
    /// Fails if the dirent is damaged.
    pub fn entry_at(&self, index: u32) -> Result<Option<Entry>> {
        if index >= self.header.n_entries {
            return Ok(None);
        }
        let found = self.with_dirent(index, |dirent| {
            Ok(self.entry_of(index, dirent)?.map(|entry| (entry, dirent.namespace, dirent.kind)))
        });
        let found = match found {
            // Its names are damaged, and it would be none of ours.
            Err(error) if error.is_damage() && self.is_hidden(index) => return Ok(None),
            found => found?,
        };
        self.storage.check_fault()?;
        let Some((mut entry, namespace, kind)) = found else { return Ok(None) };
        entry.is_front = self.is_front(index, namespace, kind)?;
        Ok(Some(entry))
    }

    /// Returns true for a dirent that is known to be none of content.
    fn is_hidden(&self, index: u32) -> bool {
        let one = self.header.has_one_namespace();
        self.dirent_head(index).is_ok_and(|(namespace, _)| !namespace::is_content(namespace, one))
    }

    fn entry_of(&self, index: u32, dirent: &Dirent<'_>) -> Result<Option<Entry>> {
        let one = self.header.has_one_namespace();
        if !namespace::is_content(dirent.namespace, one) {
            return Ok(None);
        }
        let crate::zim::Header { n_entries, n_clusters, .. } = self.header;
        dirent.check(index, n_entries, n_clusters, self.mimes.len())?;
        let body = match dirent.kind {
            DirentKind::Blob { mime, cluster, blob } => {
                let mime = self.mimes.get(usize::from(mime)).cloned().unwrap_or_default();
                EntryBody::Blob { mime, cluster, blob }
            }
            DirentKind::Redirect { target } => EntryBody::Redirect { target },
            DirentKind::Legacy => return Ok(None),
        };
        let shown = namespace::shown(dirent.namespace, dirent.path, one);
        let (path, title, escaped) = match (std::str::from_utf8(&shown), std::str::from_utf8(dirent.title()))
        {
            (Ok(path), Ok(title)) => (path.to_owned(), title.to_owned(), false),
            _ => (escape_bytes(&shown), escape_bytes(dirent.title()), true),
        };
        let has_title = !dirent.title.is_empty();
        Ok(Some(Entry { index, path, title, has_title, escaped, is_front: false, body }))
    }

    /// Returns the entries of content in order of path. A dirent that cannot be read is an error, and
    /// the next ones go on.
    pub fn entries(&self) -> impl Iterator<Item = Result<Entry>> + '_ {
        self.entries_in(0..self.header.n_entries)
    }

    fn entries_in(&self, range: std::ops::Range<u32>) -> impl Iterator<Item = Result<Entry>> + '_ {
        range.filter_map(|index| self.entry_at(index).transpose())
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
        let one = self.header.has_one_namespace();
        // A prefix in escaped form gives bytes; so do the paths it is compared with.
        let wanted = unescape_bytes(prefix).unwrap_or_else(|| prefix.as_bytes().to_vec());
        let bounds = match namespace::stored(&wanted, one) {
            Some((namespace, stored)) => {
                let start = self.lower_bound(namespace, stored)?;
                let end = match successor(stored) {
                    Some(after) => self.lower_bound(namespace, &after)?,
                    None => match namespace.checked_add(1) {
                        Some(after) => self.lower_bound(after, b"")?,
                        None => self.header.n_entries,
                    },
                };
                start..end.max(start)
            }
            // Part of a namespace's letter and slash: nothing, or the letter.
            None => match wanted.first() {
                None => 0..self.header.n_entries,
                Some(_) if wanted.len() > 1 => 0..0,
                Some(&letter) => {
                    let end = letter
                        .checked_add(1)
                        .map_or(Ok(self.header.n_entries), |l| self.lower_bound(l, b""))?;
                    let start = self.lower_bound(letter, b"")?;
                    start..end.max(start)
                }
            },
        };
        Ok(self.entries_in(bounds).filter(move |entry| match entry {
            Ok(entry) => entry.path_bytes().starts_with(&wanted),
            Err(_) => true,
        }))
    }

    /// Returns the entries of content in the order of their clusters and of the blobs in them, redirects
    /// last: reading their content in this order decodes each cluster once. Dirents that cannot be read
    /// are errors at the end.
    ///
    /// Reads all dirents first; takes 12 bytes of memory for each.
    ///
    /// # Errors
    ///
    /// Fails if the medium does.
    pub fn entries_in_cluster_order(&self) -> Result<impl Iterator<Item = Result<Entry>> + '_> {
        let one = self.header.has_one_namespace();
        let mut order: Vec<(u32, u32, u32)> = vec![];
        for index in 0..self.header.n_entries {
            let place = match self.dirent_head(index) {
                Ok((namespace, _)) if !namespace::is_content(namespace, one) => continue,
                Ok((_, DirentKind::Blob { cluster, blob, .. })) if cluster < self.header.n_clusters => {
                    (cluster, blob, index)
                }
                Ok((_, DirentKind::Redirect { .. })) => (u32::MAX, 0, index),
                Ok((_, DirentKind::Legacy)) => continue,
                Err(error) if !error.is_damage() => return Err(error),
                Ok(_) | Err(_) => (u32::MAX, 1, index),
            };
            order.push(place);
        }
        self.storage.check_fault()?;
        order.sort_unstable();
        Ok(order.into_iter().filter_map(|(_, _, index)| self.entry_at(index).transpose()))
    }

    /// Follows redirects to an entry with bytes; nothing if they lead nowhere.
    ///
    /// # Errors
    ///
    /// Fails if a dirent on the way is damaged.
    pub fn resolve(&self, entry: Entry) -> Result<Option<Entry>> {
        let mut entry = entry;
        for _ in 0..=MAX_ZIM_REDIRECTS {
            let EntryBody::Redirect { target } = entry.body else { return Ok(Some(entry)) };
            match self.entry_at(target)? {
                Some(next) => entry = next,
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Follows the redirects of any dirent, in whatever namespaces they lead; nothing if nowhere.
    pub(super) fn resolve_index(&self, index: u32) -> Result<Option<u32>> {
        let mut index = index;
        for _ in 0..=MAX_ZIM_REDIRECTS {
            if index >= self.header.n_entries {
                return Ok(None);
            }
            match self.dirent_head(index)?.1 {
                DirentKind::Blob { .. } => return Ok(Some(index)),
                DirentKind::Redirect { target } => index = target,
                DirentKind::Legacy => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Returns the main page's entry, through redirects.
    ///
    /// # Errors
    ///
    /// Fails if a dirent on the way is damaged.
    pub fn main_entry(&self) -> Result<Option<Entry>> {
        let Some(index) = self.main_index()? else { return Ok(None) };
        match self.resolve_index(index)? {
            Some(index) => self.entry_at(index),
            None => Ok(None),
        }
    }

    /// Returns true if a main page is named, wherever that leads.
    ///
    /// # Errors
    ///
    /// Fails if a dirent on the way is damaged.
    pub fn names_main_page(&self) -> Result<bool> {
        Ok(self.main_index()?.is_some())
    }

    fn main_index(&self) -> Result<Option<u32>> {
        let well_known = self.find(WELL_KNOWN, b"mainPage")?;
        Ok(well_known.or(Some(self.header.main_page)).filter(|index| *index != NONE))
    }

    /// Counts the entries that are neither content nor metadata, and none of the pages, pictures, lists and
    /// indexes that readers look for either: by the letters of their namespaces, in order. Reads all dirents.
    ///
    /// # Errors
    ///
    /// Fails if the medium does.
    pub fn n_unknown(&self) -> Result<Vec<(char, u64)>> {
        let one = self.header.has_one_namespace();
        let mut counts = std::collections::BTreeMap::new();
        for index in 0..self.header.n_entries {
            let namespace = match self.dirent_head(index) {
                Ok((namespace, _)) => namespace,
                Err(error) if error.is_damage() => continue,
                Err(error) => return Err(error),
            };
            if namespace == namespace::METADATA || namespace::is_content(namespace, one) {
                continue;
            }
            let is_known = |dirent: &Dirent<'_>| Ok(KNOWN.contains(&(namespace, dirent.path)));
            if !self.with_dirent(index, is_known).unwrap_or(false) {
                *counts.entry(char::from(namespace)).or_default() += 1;
            }
        }
        self.storage.check_fault()?;
        Ok(counts.into_iter().collect())
    }

    /// Returns how many entries of content there are, from where their namespaces begin and end.
    ///
    /// # Errors
    ///
    /// Fails if a dirent on the way is damaged.
    pub fn n_content(&self) -> Result<u32> {
        let count = |namespace: u8| -> Result<u32> {
            let after = self.lower_bound(namespace.saturating_add(1), b"")?;
            Ok(after.saturating_sub(self.lower_bound(namespace, b"")?))
        };
        if self.header.has_one_namespace() {
            return count(CONTENT);
        }
        let mut n = self.header.n_entries;
        for namespace in namespace::NOT_CONTENT {
            n = n.saturating_sub(count(namespace)?);
        }
        Ok(n)
    }

    /// Counts the entries of each kind. Reads all dirents the first time.
    ///
    /// # Errors
    ///
    /// Fails if the medium does, or if the list of articles cannot be read.
    pub fn counts(&self) -> Result<Counts> {
        if let Some(counts) = self.counts.get() {
            return Ok(*counts);
        }
        let one = self.header.has_one_namespace();
        let mut counts = Counts::default();
        for index in 0..self.header.n_entries {
            match self.dirent_head(index) {
                Ok((namespace, _)) if !namespace::is_content(namespace, one) => {}
                Ok((namespace, kind @ DirentKind::Blob { .. })) => {
                    match self.is_front(index, namespace, kind)? {
                        true => counts.articles += 1,
                        false => counts.media += 1,
                    }
                }
                Ok((_, DirentKind::Redirect { .. })) => counts.redirects += 1,
                Ok((_, DirentKind::Legacy)) => {}
                Err(error) if error.is_damage() => counts.damaged += 1,
                Err(error) => return Err(error),
            }
        }
        self.storage.check_fault()?;
        Ok(*self.counts.get_or_init(|| counts))
    }
}

/// Returns the first path behind all that begin with a prefix; nothing if there is none.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut out = prefix.to_vec();
    while let Some(last) = out.pop() {
        if let Some(next) = last.checked_add(1) {
            out.push(next);
            return Some(out);
        }
    }
    None
}
