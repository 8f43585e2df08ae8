//! Reading an archive.
//!
//! Opening reads one page. Everything else is read when it is needed, from the mapping or by
//! position, and compared with its hash when it is first touched ([`crate::tables`]). Decoded blocks
//! and references are kept in one bounded [`Cache`], which archives and threads may share.

mod content;
mod elsewhere;
mod entries;
mod repair;
mod search;
mod suggest;
mod verify;

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

pub use crate::content::Content;
pub use content::{CONTENT_STEP, Cache};
pub use elsewhere::{Contents, NO_SUCH_ENTRY};
pub use entries::{Entry, EntryBody, Resolved};
pub use search::{Hit, Hits, SearchOptions, search};
pub use suggest::{Match, SuggestOptions, Suggestion, Suggestions};
pub use verify::VerifyOptions;

use crate::error::Result;
use crate::format::first_page::{FirstPage, SectionKind};
use crate::format::ids::{EntryId, NONE};
use crate::format::small::{self, Languages};
use crate::item::Metadata;
use crate::limits;
use crate::storage::{Mapped, Positional, Storage};
use crate::tables::{Bits, Tables};

/// An open archive. Cheap to share: all methods take `&self`, from any thread.
pub struct Archive {
    tables: Tables,
    cache: Arc<Cache>,
    /// Tells this archive's blocks from others' in a shared cache.
    uid: u32,
    /// Stored blocks that were compared with their hashes, in a storage that keeps its memory.
    checked_blocks: Bits,
    /// References that the parity could not restore.
    lost_references: Mutex<HashSet<u32>>,
    names: OnceLock<entries::Names>,
    keys: OnceLock<entries::Keys>,
    title_parts: OnceLock<crate::index::titles::Parts>,
    full_text: OnceLock<Option<search::Index>>,
    metadata: OnceLock<Metadata>,
    languages: OnceLock<Languages>,
    /// Where the bytes are that an index-only archive has not.
    contents: Option<Arc<dyn Contents>>,
}

/// How to open an archive.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// Reads by position instead of mapping the file.
    pub by_position: bool,
    /// The byte of the file at which the archive begins.
    pub at: u64,
    /// A cache to share; without one, the archive has its own of [`limits::DEFAULT_CACHE`] bytes.
    pub cache: Option<Arc<Cache>>,
}

/// The most bytes of the names of languages: 65,535 of them with their lengths.
const LANGUAGE_NAMES: usize = 65_535 * 256 + 2;

static NEXT_UID: AtomicU32 = AtomicU32::new(0);

impl Archive {
    /// Maps and opens an archive: costs about 20 us whatever its size.
    ///
    /// # Errors
    ///
    /// Fails if the file is no archive, is of a version that cannot be read, or is damaged beyond
    /// both first pages. See [`Mapped::open`] for what a mapping asks of its caller.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, &OpenOptions::default())
    }

    /// Opens an archive without mapping it: slower, and safe even if the file is changed meanwhile.
    ///
    /// # Errors
    ///
    /// As [`Archive::open`].
    pub fn open_by_position(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, &OpenOptions { by_position: true, ..OpenOptions::default() })
    }

    /// Opens an archive as the options say.
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
        let storage = if options.at == 0 { storage } else { embedded(storage)? };
        let cache = options.cache.clone().unwrap_or_else(|| Arc::new(Cache::new(limits::DEFAULT_CACHE)));
        Self::from_storage_with(storage, cache)
    }

    /// Opens an archive that some storage holds.
    ///
    /// # Errors
    ///
    /// As [`Archive::open`].
    pub fn from_storage(storage: impl Storage + 'static) -> Result<Self> {
        Self::from_storage_with(Box::new(storage), Arc::new(Cache::new(limits::DEFAULT_CACHE)))
    }

    /// Opens an archive that some storage holds, with a cache to share.
    ///
    /// # Errors
    ///
    /// As [`Archive::open`].
    pub fn from_storage_with(storage: Box<dyn Storage>, cache: Arc<Cache>) -> Result<Self> {
        let tables = Tables::open(storage)?;
        let checked_blocks = Bits::new(u64::from(tables.first().n_blocks));
        Ok(Self {
            tables,
            cache,
            uid: NEXT_UID.fetch_add(1, Ordering::Relaxed),
            checked_blocks,
            lost_references: Mutex::default(),
            names: OnceLock::new(),
            keys: OnceLock::new(),
            title_parts: OnceLock::new(),
            full_text: OnceLock::new(),
            metadata: OnceLock::new(),
            languages: OnceLock::new(),
            contents: None,
        })
    }

    /// Returns the first page: version, counts, sections.
    pub fn first_page(&self) -> &FirstPage {
        self.tables.first()
    }

    /// Returns the tables.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// Returns the identity of the archive: a BLAKE3 that vouches for every byte of it.
    pub fn file_id(&self) -> [u8; 32] {
        self.tables.file_id()
    }

    /// Returns the identity of the content, however it was packed. A claim; [`Archive::verify`]
    /// recomputes it.
    pub fn content_id(&self) -> [u8; 32] {
        self.first_page().content_id
    }

    /// Returns the length of the archive in bytes.
    pub fn size(&self) -> u64 {
        self.tables.storage().len()
    }

    /// Returns the number of entries of all kinds.
    pub fn len(&self) -> u32 {
        self.first_page().n_entries
    }

    /// Returns true if there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns what the archive says of itself.
    ///
    /// # Errors
    ///
    /// Fails if the metadata are damaged.
    pub fn metadata(&self) -> Result<&Metadata> {
        cached(&self.metadata, || match self.tables.section(SectionKind::METADATA, limits::MAX_METADATA)? {
            bytes if bytes.is_empty() => Ok(Metadata::default()),
            bytes => small::read_metadata(&bytes),
        })
    }

    /// Returns the language of an entry: its own, else the archive's.
    ///
    /// # Errors
    ///
    /// Fails if the languages or the metadata are damaged.
    pub fn language(&self, id: EntryId) -> Result<Option<&str>> {
        let languages = cached(&self.languages, || match self.first_page().row(SectionKind::LANGUAGES) {
            None => Ok(Languages::default()),
            Some(row) => {
                let limit = LANGUAGE_NAMES + 6 * self.len() as usize;
                Languages::read(&self.tables.section(SectionKind::LANGUAGES, limit)?, row.count)
            }
        })?;
        if let Some(language) = languages.get(id.0) {
            return Ok(Some(language).filter(|l| !l.is_empty()));
        }
        let own = self.metadata()?.text(crate::item::keys::LANGUAGE);
        Ok(own.map(|l| l.split(',').next().unwrap_or(l).trim()))
    }

    /// Returns the main page.
    ///
    /// # Errors
    ///
    /// Fails if its entry is damaged.
    pub fn main_entry(&self) -> Result<Option<Entry>> {
        match self.first_page().main {
            NONE => Ok(None),
            id => self.entry_by_id(EntryId(id)),
        }
    }

    /// Returns the entries in the order in which a person reads them, if the archive has one.
    ///
    /// # Errors
    ///
    /// Fails if the section is damaged.
    pub fn reading_order(&self) -> Result<Vec<EntryId>> {
        // Each entry comes once.
        let limit = 4 * self.len() as usize;
        let bytes = self.tables.section(SectionKind::READING_ORDER, limit)?;
        if bytes.len() % 4 != 0 {
            let place = crate::error::Place::Section("reading order", 0);
            return crate::error::damaged!(place, "section length", "{} bytes", bytes.len());
        }
        Ok(bytes.chunks_exact(4).map(|b| EntryId(u32::from_le_bytes([b[0], b[1], b[2], b[3]]))).collect())
    }
}

/// Returns a value that is computed once; a failure is not kept.
fn cached<T>(cell: &OnceLock<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    if let Some(value) = cell.get() {
        return Ok(value);
    }
    let value = make()?;
    Ok(cell.get_or_init(|| value))
}

/// Cuts a storage to the length that the archive at its start declares.
fn embedded(storage: Box<dyn Storage>) -> Result<Box<dyn Storage>> {
    use crate::format::ids::PAGE;
    let len = storage.len();
    let head = storage.read(0..len.min(PAGE as u64))?;
    let declared = FirstPage::declared_len(&head);
    drop(head);
    Ok(match declared {
        Some(declared) if declared < len => Box::new(crate::storage::Part::new(storage, 0, declared)),
        _ => storage,
    })
}
