//! What is an article, and entries by title.
//!
//! A file may have two lists by title: of all dirents, in order of namespace and title, and of those that
//! people look for (*front* articles and their other names), in order of title. Neither is trusted: a
//! number that no dirent has is passed over, and where the order is wrong, searching misses what is there.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::{Archive, Entry};
use crate::error::{Error, Result};
use crate::item::unescape_bytes;
use crate::zim::dirent::DirentKind;
use crate::zim::header::NO_LIST;
use crate::zim::listing;
use crate::zim::namespace::{self, ARTICLES, CONTENT, INDEX};

/// The most entries of one title that are looked up.
const MAX_SAME_TITLE: usize = 1000;

/// The lists by title that the file has.
pub(super) struct Listings {
    articles: Option<Listing>,
    all: Option<Listing>,
}

/// A list that is read whole at once.
const SHORT_LISTING: u32 = 16_384;
/// How often a longer one is searched before it is read.
const FRONT_SEARCHES: u32 = 100;

/// Numbers of dirents, 4 bytes each.
struct Listing {
    place: ListingPlace,
    n: u32,
}

enum ListingPlace {
    /// At a byte of the file.
    File(u64),
    /// Decoded.
    Memory(Arc<Vec<u8>>, usize),
}

/// How it is known what is a front article.
pub(super) enum Fronts {
    /// The file lists them: a bit for each dirent.
    Listed(Vec<u64>),
    /// By rule: true for the mime types of pages.
    ByMime(Vec<bool>),
}

impl Archive {
    fn listings(&self) -> Result<&Listings> {
        if let Some(listings) = self.listing.get() {
            return Ok(listings);
        }
        let articles = self.listing_in_blob(listing::ARTICLES_BY_TITLE)?;
        let header = &self.header;
        let in_header = header.title_pointers != NO_LIST && header.check_title_pointers(self.end).is_ok();
        let all = if in_header {
            Some(Listing { place: ListingPlace::File(header.title_pointers), n: header.n_entries })
        } else {
            self.listing_in_blob(listing::ALL_BY_TITLE)?
        };
        Ok(self.listing.get_or_init(|| Listings { articles, all }))
    }

    /// Returns the list in a blob; nothing if there is none or it is damaged, which only those who check
    /// the file have to know.
    fn listing_in_blob(&self, path: &[u8]) -> Result<Option<Listing>> {
        let found = match self.find(INDEX, path) {
            Ok(Some(index)) => self.listing_of(index).map(Some),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        match found {
            Err(error) if matches!(error, Error::Io { .. }) => Err(error),
            Err(_) => Ok(None),
            found => found,
        }
    }

    fn listing_of(&self, index: u32) -> Result<Listing> {
        let (cluster, range) = self.blob_place(index)?;
        let n = (range.end - range.start) / 4;
        let n = u32::try_from(n).unwrap_or(u32::MAX).min(self.header.n_entries);
        let place = match self.in_file(&cluster, &range) {
            Some(range) => ListingPlace::File(range.start),
            // Against the rules, and readable all the same.
            None => {
                let bytes = self.read_blob(&cluster, range.start..range.start + 4 * u64::from(n))?.into_vec();
                ListingPlace::Memory(Arc::new(bytes), 0)
            }
        };
        Ok(Listing { place, n })
    }

    fn listed(&self, listing: &Listing, at: u32) -> Result<u32> {
        let number = |bytes: &[u8]| bytes.first_chunk().copied().map_or(u32::MAX, u32::from_le_bytes);
        match &listing.place {
            ListingPlace::File(start) => {
                let start = start.saturating_add(4 * u64::from(at));
                Ok(number(&self.storage.read(start..start.saturating_add(4))?))
            }
            ListingPlace::Memory(bytes, start) => {
                Ok(number(bytes.get(start.saturating_add(4 * at as usize)..).unwrap_or_default()))
            }
        }
    }

    fn fronts(&self) -> Result<&Fronts> {
        if let Some(fronts) = self.fronts.get() {
            return Ok(fronts);
        }
        let fronts = match &self.listings()?.articles {
            Some(listing) => {
                let mut bits = vec![0u64; self.header.n_entries.div_ceil(64) as usize];
                let mut set = |index: u32| {
                    if index < self.header.n_entries
                        && let Some(word) = bits.get_mut(index as usize / 64)
                    {
                        *word |= 1 << (index % 64);
                    }
                };
                match &listing.place {
                    ListingPlace::File(start) => {
                        const PIECE: u64 = 1 << 20;
                        let (mut from, end) = (*start, start.saturating_add(4 * u64::from(listing.n)));
                        while from < end {
                            let until = end.min(from + PIECE);
                            let bytes = self.storage.read(from..until)?;
                            bytes.as_chunks().0.iter().for_each(|index| set(u32::from_le_bytes(*index)));
                            from = until;
                        }
                    }
                    ListingPlace::Memory(..) => {
                        for at in 0..listing.n {
                            set(self.listed(listing, at)?);
                        }
                    }
                }
                self.storage.check_fault()?;
                Fronts::Listed(bits)
            }
            None => Fronts::ByMime(self.mimes.iter().map(|mime| is_page(mime)).collect()),
        };
        Ok(self.fronts.get_or_init(|| fronts))
    }

    /// Returns true for what people look for.
    pub(super) fn is_front(&self, index: u32, namespace: u8, kind: DirentKind) -> Result<bool> {
        if self.fronts.get().is_none() && self.is_found_in_order(index)? {
            return Ok(true);
        }
        let pages = match self.fronts()? {
            Fronts::Listed(bits) => {
                return Ok(bits.get(index as usize / 64).is_some_and(|word| word >> (index % 64) & 1 == 1));
            }
            Fronts::ByMime(pages) => pages,
        };
        let one = self.header.has_one_namespace();
        if !one && namespace != ARTICLES {
            return Ok(false);
        }
        let is_page = |mime: u16| pages.get(usize::from(mime)).copied().unwrap_or(false);
        match kind {
            DirentKind::Blob { mime, .. } => Ok(is_page(mime)),
            DirentKind::Redirect { .. } if !one => Ok(true),
            DirentKind::Redirect { target } => match self.resolve_index(target)? {
                Some(target) => match self.dirent_head(target)?.1 {
                    DirentKind::Blob { mime, .. } => Ok(is_page(mime)),
                    _ => Ok(false),
                },
                None => Ok(false),
            },
            DirentKind::Legacy => Ok(false),
        }
    }

    /// Looks for a dirent in the list of articles by its title, which saves the first few who ask the
    /// reading of a long list: that of a large encyclopedia is of 25 MB. True is certain; false may be
    /// a list that is not in order, or too short to bother.
    fn is_found_in_order(&self, index: u32) -> Result<bool> {
        let Some(listing) = &self.listings()?.articles else { return Ok(false) };
        if listing.n < SHORT_LISTING || self.front_searches.fetch_add(1, Relaxed) >= FRONT_SEARCHES {
            return Ok(false);
        }
        let title = self.with_dirent(index, |d| Ok((d.namespace, d.title().to_vec())))?;
        let (mut low, mut high) = (0, listing.n);
        while low < high {
            let middle = low + (high - low) / 2;
            let other = self.listed(listing, middle)?;
            if other == index {
                return Ok(true);
            }
            if other >= self.header.n_entries {
                return Ok(false);
            }
            let order = self.with_dirent(other, |d| {
                let key = (title.0, &title.1[..]);
                // Writers put entries of one title in order of path.
                Ok((d.namespace, d.title()).cmp(&key).then(other.cmp(&index)))
            })?;
            if order == Ordering::Less { low = middle + 1 } else { high = middle }
        }
        Ok(low < listing.n && self.listed(listing, low)? == index)
    }

    /// Returns how many articles the file lists, if it does.
    pub(super) fn n_listed_articles(&self) -> Result<Option<u32>> {
        Ok(self.listings()?.articles.as_ref().map(|listing| listing.n))
    }

    /// Returns the dirents among which front articles are, where none are listed.
    pub(super) fn front_range(&self) -> Result<Range<u32>> {
        let namespace = if self.header.has_one_namespace() { CONTENT } else { ARTICLES };
        let start = self.lower_bound(namespace, b"")?;
        Ok(start..self.lower_bound(namespace + 1, b"")?.max(start))
    }

    /// Returns how many entries people look for: articles, and the redirects among them.
    ///
    /// They are those that the file lists by title. Where it has no such list they are known by rule: all
    /// pages by their mime type (in old files: in namespace `A`, which in some holds pictures and scripts
    /// too; libzim takes all of it), and redirects to them (in old files: in `A`). Then all dirents are
    /// read, each time.
    ///
    /// # Errors
    ///
    /// Fails if the medium does, or, where they are not listed, if a dirent is damaged.
    pub fn n_articles(&self) -> Result<u32> {
        if let Some(listing) = &self.listings()?.articles {
            return Ok(listing.n);
        }
        let mut n = 0;
        for index in self.front_range()? {
            let (namespace, kind) = self.dirent_head(index)?;
            n += u32::from(self.is_front(index, namespace, kind)?);
        }
        Ok(n)
    }

    /// Returns an article for a random number, each with about the same probability. It may be a redirect
    /// to one.
    ///
    /// # Errors
    ///
    /// Fails if the entry is damaged.
    pub fn random_article(&self, random: u64) -> Result<Option<Entry>> {
        let scaled = |n: u32| ((u128::from(random) * u128::from(n)) >> 64) as u32;
        let wrapped = |start: u32, at: u32, n: u32, step: u32| -> u32 {
            start + ((u64::from(at) + u64::from(step)) % u64::from(n.max(1))) as u32
        };
        if let Some(listing) = &self.listings()?.articles {
            let (at, n) = (scaled(listing.n), listing.n);
            for step in 0..n {
                let index = self.listed(listing, wrapped(0, at, n, step))?;
                // A number beyond all dirents, or of no content: the next one.
                if let Some(entry) = self.entry_at(index)? {
                    return Ok(Some(entry));
                }
            }
            return Ok(None);
        }
        let range = self.front_range()?;
        let n = range.end - range.start;
        let at = scaled(n);
        for step in 0..n {
            let index = wrapped(range.start, at, n, step);
            let (namespace, kind) = self.dirent_head(index)?;
            if self.is_front(index, namespace, kind)? {
                return self.entry_at(index);
            }
        }
        Ok(None)
    }

    /// Returns the entries that have this title, to the letter, in order of path, at most 1,000.
    ///
    /// Searches the list of all dirents by title; where the file has only that of front articles, searches
    /// that, and for an entry whose path is the title. Where it has neither, reads all entries.
    ///
    /// # Errors
    ///
    /// Fails if a dirent on the way is damaged.
    pub fn entries_by_title(&self, title: &str) -> Result<Vec<Entry>> {
        let Some(found) = self.by_title(title, MAX_SAME_TITLE, &|own, key| own.cmp(key))? else {
            let same = |e: &Result<Entry>| e.as_ref().map_or(true, |e| e.title == title);
            return self.entries().filter(same).take(MAX_SAME_TITLE).collect();
        };
        let mut found: Vec<Entry> = found.into_iter().filter(|e| e.title == title).collect();
        if self.listings()?.all.is_none()
            && let Some(entry) = self.entry_by_path(title)?
            && entry.title == title
        {
            found.push(entry);
        }
        found.sort_by_key(|entry| entry.index);
        found.dedup_by_key(|entry| entry.index);
        Ok(found)
    }

    /// Returns up to `n` entries whose titles begin with a prefix, to the letter, in order of title; in old
    /// files those of each namespace after the other. Of files without a list by title, none.
    ///
    /// # Errors
    ///
    /// As [`Archive::entries_by_title`].
    pub fn entries_by_title_prefix(&self, prefix: &str, n: usize) -> Result<Vec<Entry>> {
        let starts =
            |own: &[u8], key: &[u8]| if own.starts_with(key) { Ordering::Equal } else { own.cmp(key) };
        let found = self.by_title(prefix, n, &starts)?.unwrap_or_default();
        Ok(found.into_iter().filter(|entry| entry.title.starts_with(prefix)).collect())
    }

    /// Returns up to `most` entries whose titles are equal to a key by `compare`; nothing if there is no
    /// list to search.
    fn by_title(
        &self,
        key: &str,
        most: usize,
        compare: &dyn Fn(&[u8], &[u8]) -> Ordering,
    ) -> Result<Option<Vec<Entry>>> {
        let listings = self.listings()?;
        let Some(listing) = listings.all.as_ref().or(listings.articles.as_ref()) else { return Ok(None) };
        let mut keys = vec![key.as_bytes().to_vec()];
        keys.extend(unescape_bytes(key).filter(|bytes| *bytes != key.as_bytes()));
        let mut found = vec![];
        for namespace in self.content_namespaces()? {
            for key in &keys {
                let order = |at: u32| -> Result<Ordering> {
                    let index = self.listed(listing, at)?;
                    if index >= self.header.n_entries {
                        return Ok(Ordering::Greater);
                    }
                    self.with_dirent(index, |d| {
                        let by_namespace = d.namespace.cmp(&namespace);
                        Ok(by_namespace.then_with(|| compare(d.title(), key)))
                    })
                };
                let (mut low, mut high) = (0, listing.n);
                while low < high {
                    let middle = low + (high - low) / 2;
                    if order(middle)? == Ordering::Less { low = middle + 1 } else { high = middle }
                }
                while low < listing.n && found.len() < most && order(low)? == Ordering::Equal {
                    found.extend(self.entry_at(self.listed(listing, low)?)?);
                    low += 1;
                }
            }
        }
        Ok(Some(found))
    }

    /// Returns the namespaces of content that the file has.
    fn content_namespaces(&self) -> Result<Vec<u8>> {
        if self.header.has_one_namespace() {
            return Ok(vec![CONTENT]);
        }
        let mut out = vec![];
        let mut index = 0;
        while index < self.header.n_entries {
            let (namespace, _) = self.dirent_head(index)?;
            if namespace::is_content(namespace, false) && !out.contains(&namespace) {
                out.push(namespace);
            }
            let Some(after) = namespace.checked_add(1) else { break };
            // In a list that is not in order this may lead back.
            index = self.lower_bound(after, b"")?.max(index.saturating_add(1));
        }
        Ok(out)
    }
}

/// Returns true for the mime types of pages.
fn is_page(mime: &str) -> bool {
    let kind = crate::text::essence(mime);
    ["text/html", "application/xhtml+xml"].iter().any(|page| kind.eq_ignore_ascii_case(page))
}
