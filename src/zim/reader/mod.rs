//! Entries and content of a ZIM.
//!
//! `dirents` finds and reads what stands in the file for an entry, `entries` gives it as an [`Entry`],
//! `titles` knows the lists by title and what is an article, `clusters` decodes, `content` gives bytes,
//! `walk` those of a cluster from its first blob to its last, `metadata` what the archive says of itself.

mod clusters;
mod content;
mod dirents;
mod entries;
mod metadata;
mod titles;
mod walk;
mod xapian;

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU32;

use super::header::{Header, NO_LIST};
use super::listing;
use crate::error::{Place, Result, damaged};
use crate::limits::DEFAULT_CACHE;
use crate::storage::{Mapped, Part, Parts, Positional, Storage};

pub use content::ContentReader;
pub use entries::{Counts, Entry, EntryBody};
pub use metadata::Illustration;
pub(super) use walk::Walk;
pub use xapian::Xapian;

/// How to open a ZIM.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// Read by position instead of mapping.
    pub by_position: bool,
    /// Where in the file the ZIM begins.
    pub at: u64,
    /// Bytes of decoded clusters, and of what goes on decoding them, that are kept;
    /// [`crate::limits::DEFAULT_CACHE`] by default. Clusters that are longer than half of it are decoded
    /// again each time that something else was read meanwhile.
    pub cache: Option<usize>,
}

/// An open ZIM. Threads may share it.
pub struct Archive {
    storage: Box<dyn Storage>,
    header: Header,
    /// Where content and lists end: at the checksum, or at the end of the file.
    end: u64,
    n_parts: usize,
    mimes: Vec<String>,
    samples: dirents::Samples,
    clusters: clusters::Clusters,
    listing: OnceLock<titles::Listings>,
    fronts: OnceLock<titles::Fronts>,
    /// How often an article was looked for in its list, before that was read.
    front_searches: AtomicU32,
    counts: OnceLock<Counts>,
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Archive({:?})", self.header)
    }
}

impl Archive {
    /// Maps and opens a file; `x.zim` is also found as `x.zimaa`, `x.zimab` and so on.
    ///
    /// Costs some 20 us, whatever the size; no list is read but that of the mime types.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be opened, is no ZIM, or is one whose header or list of mime types cannot
    /// be right.
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
        let mut n_parts = 1;
        let storage: Box<dyn Storage> = match Parts::first_of(path) {
            Some(first) => {
                let parts = Parts::open(&first, options.by_position)?;
                n_parts = parts.count();
                if options.at > parts.len() {
                    return damaged!(Place::File, "start", "byte {} of {}", options.at, parts.len());
                }
                Box::new(Part::new(Box::new(parts), options.at, u64::MAX))
            }
            None if options.by_position => Box::new(Positional::open(path, options.at)?),
            None => Box::new(Mapped::open(path, options.at)?),
        };
        let mut archive = Self::from_storage(storage, options)?;
        archive.n_parts = n_parts;
        Ok(archive)
    }

    /// Opens a ZIM that begins where a storage does. If [`OpenOptions::at`] is not 0, more may follow it.
    ///
    /// # Errors
    ///
    /// As [`Archive::open`].
    pub fn from_storage(storage: Box<dyn Storage>, options: &OpenOptions) -> Result<Self> {
        let mut storage = storage;
        let head = storage.read(0..storage.len().min(Header::SIZE as u64))?.into_owned();
        if options.at != 0
            && let Some(end) = embedded_end(&head)
        {
            storage = Box::new(Part::new(storage, 0, end));
        }
        let header = Header::parse(&head, storage.len())?;
        let end = header.end(storage.len());
        let mut archive = Self {
            header,
            end,
            n_parts: 1,
            mimes: vec![],
            samples: dirents::Samples::new(),
            clusters: clusters::Clusters::new(options.cache.unwrap_or(DEFAULT_CACHE)),
            listing: OnceLock::new(),
            fronts: OnceLock::new(),
            front_searches: AtomicU32::new(0),
            counts: OnceLock::new(),
            storage,
        };
        archive.mimes = archive.read_mime_types()?;
        archive.storage.check_fault()?;
        Ok(archive)
    }

    /// Reads the mime types, which must end before anything else begins that the header names, and before
    /// the first dirent and the first cluster, as all writers place them.
    fn read_mime_types(&self) -> Result<Vec<String>> {
        let header = &self.header;
        let start = header.mime_list;
        let mut bound = self.end.min(start.saturating_add(listing::MAX_MIME_LIST));
        let mut follows = vec![header.path_pointers, header.cluster_pointers];
        if header.title_pointers != NO_LIST && header.title_pointers >= start {
            follows.push(header.title_pointers);
        }
        if header.n_entries > 0 {
            follows.push(self.pointer(header.path_pointers, 0)?);
            follows.push(self.pointer(header.cluster_pointers, 0)?);
        } else {
            // Lists of no length lie anywhere.
            follows.clear();
        }
        for position in follows {
            // What points before the list is wrong for itself, and found when it is used.
            if position >= start {
                bound = bound.min(position);
            }
        }
        let mut len = 4096;
        loop {
            let until = bound.min(start + len);
            if let Some(mimes) = listing::mime_types(&self.storage.read(start.min(until)..until)?)? {
                return Ok(mimes);
            }
            if until == bound {
                return listing::endless_mime_list(until.saturating_sub(start));
            }
            len *= 8;
        }
    }

    /// Returns the header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the length of the ZIM in bytes, all parts together, and without what it is embedded in.
    pub fn size(&self) -> u64 {
        self.storage.len()
    }

    /// Returns how many files it is in.
    pub fn n_parts(&self) -> usize {
        self.n_parts
    }

    /// Returns the bytes of the file, for what reads all of them.
    pub fn storage(&self) -> &dyn Storage {
        &*self.storage
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
        self.storage.check_fault()?;
        Ok(bytes.first_chunk().copied())
    }

    /// Returns the mime types of its list; what is not UTF-8 in them is replaced.
    pub fn mime_types(&self) -> &[String] {
        &self.mimes
    }

    /// Forgets what was decoded.
    pub fn clear_cache(&self) {
        self.clusters.clear();
    }

    /// Returns the bytes that the cache of clusters holds now.
    pub fn cache_weight(&self) -> u64 {
        self.clusters.weight()
    }

    /// Returns how often the decoding of a cluster was begun, for those who want it to be rare.
    pub fn decodings(&self) -> u64 {
        self.clusters.begun()
    }
}

/// Returns where a ZIM inside a larger file ends: behind its checksum. One without, or whose header
/// is damaged, goes on to the end.
fn embedded_end(head: &[u8]) -> Option<u64> {
    let number =
        |at: usize| head.get(at..at + 8).and_then(|b| b.first_chunk()).map(|b| u64::from_le_bytes(*b));
    let (mime_list, checksum) = (number(56)?, number(72)?);
    (mime_list >= Header::SIZE as u64 && checksum != 0).then(|| checksum.saturating_add(16))
}

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod reading_tests;
#[cfg(test)]
mod tests;
