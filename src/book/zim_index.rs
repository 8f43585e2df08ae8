//! The search index of a ZIM.
//!
//! A ZIM's own index is of a library that only few programs have; so titles and words are indexed when
//! they are first looked for, into an index-only archive of our own format. It is kept in the user's cache
//! folder under a name that says which ZIM it is of (`key`), is made by one process while others wait
//! (`folder`), and may be deleted at any time. Where nothing can be kept, it is made in a temporary file
//! that is gone with its last user.
//!
//! The index tells paths; the bytes of articles, for snippets and phrases, stay in the ZIM, where it asks
//! for them.

mod build;
mod folder;
mod key;

use std::borrow::Cow;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use crate::error::{Error, Place, Result};
use crate::item::Observer;
use crate::limits;
use crate::reader::{Archive, Content, Contents};
use crate::storage::{Mapped, Storage};
use crate::zim;
use folder::Folder;
use key::Key;

/// What an index is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Suggestions: the titles alone. Costs some microseconds an entry, and no cluster is decoded.
    Titles,
    /// Searching the articles, and suggestions. Costs the reading of all articles.
    FullText,
}

/// Where indexes are kept.
#[derive(Debug, Clone)]
pub struct CacheOptions {
    /// The folder of what is kept; [`default_folder`] by default.
    pub folder: Option<PathBuf>,
    /// False if nothing is to be kept, nor what was kept to be used.
    pub use_cache: bool,
    /// The most bytes that all indexes together may have; those used longest ago make room. The one just
    /// made stays, whatever its size.
    pub max_bytes: u64,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self { folder: None, use_cache: true, max_bytes: limits::MAX_INDEX_CACHE }
    }
}

/// What went wrong, by what can be done about it.
enum Failure {
    /// The cache cannot be used: somewhere else may do.
    Cache(Error),
    /// Anything else: it would go wrong anywhere.
    Other(Error),
}

impl Failure {
    /// Tells of an error in writing an index which of them it is.
    fn of_writing(error: Error) -> Self {
        if matches!(error, Error::Io { .. }) { Self::Cache(error) } else { Self::Other(error) }
    }
}

/// Opens the index of a ZIM, or makes it first, which the observer hears of as a stage.
///
/// To open one that is there costs some 100 us. To make one costs up to some minutes for gigabytes of
/// articles, as much memory as packing, and about a tenth of the ZIM on disk. What of the ZIM cannot be read is told as a
/// warning and is missing from the index. An index of all words serves both kinds.
///
/// If the cache cannot be used, a warning says why, and the index is made in a temporary file.
///
/// # Errors
///
/// Fails if the observer asks to stop (then nothing is left), if the medium of the ZIM fails, or if there
/// is room for an index nowhere.
pub fn open_or_build(
    zim: &Arc<zim::Archive>,
    kind: Kind,
    options: &CacheOptions,
    observer: &dyn Observer,
) -> Result<Archive> {
    let key = Key::of(zim)?;
    let archive = match from_cache(zim, &key, kind, options, observer) {
        Ok(archive) => archive,
        Err(Failure::Other(error)) => return Err(error),
        Err(Failure::Cache(error)) => {
            if options.use_cache {
                let message = format!("the index cannot be kept, and will be made again: {error}");
                observer.warning("the cache of search indexes", &message);
            }
            temporary(zim, &key, kind, observer)?
        }
    };
    Ok(with_contents(archive, zim))
}

/// Opens the index of a ZIM if there is one, and makes none.
///
/// # Errors
///
/// Fails if the ZIM cannot be read. An index that cannot be read is none.
pub fn cached(zim: &Arc<zim::Archive>, kind: Kind, options: &CacheOptions) -> Result<Option<Archive>> {
    let Some(folder) = folder_of(options).filter(|_| options.use_cache) else { return Ok(None) };
    Ok(open_kept(zim, &Key::of(zim)?, kind, &folder).map(|archive| with_contents(archive, zim)))
}

/// Deletes what is kept of a ZIM's indexes, for instance since it turned out to be damaged
/// ([`is_own_damage`]).
///
/// # Errors
///
/// Fails if the ZIM cannot be read, or if a file that is there cannot be deleted.
pub fn forget(zim: &zim::Archive, options: &CacheOptions) -> Result<()> {
    let key = Key::of(zim)?;
    match folder_of(options) {
        Some(folder) => folder.forget(&key),
        None => Ok(()),
    }
}

/// Returns true for an error of the index's own bytes, not of the ZIM's: the index can be made again.
pub fn is_own_damage(error: &Error) -> bool {
    let Error::Format(error) = error else { return false };
    // An index has no blocks, and a ZIM no pages.
    matches!(error.place, Place::FirstPage | Place::Tree(..) | Place::Page(_))
}

/// Returns the folder in which things are kept by default: `tome` in `XDG_CACHE_HOME`, else in what the
/// system has for this: `~/.cache`, `~/Library/Caches` or `LOCALAPPDATA`.
pub fn default_folder() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || variable("HOME");
    let own = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library").join("Caches"))
    } else {
        home().map(|home| home.join(".cache"))
    };
    Some(variable("XDG_CACHE_HOME").or(own)?.join("tome"))
}

/// Returns where the indexes are, which need not be there yet.
pub fn index_folder(options: &CacheOptions) -> Option<PathBuf> {
    Some(options.folder.clone().or_else(default_folder)?.join("zim"))
}

fn folder_of(options: &CacheOptions) -> Option<Folder> {
    index_folder(options).map(Folder::new)
}

/// Opens the index from the cache, or makes it there.
fn from_cache(
    zim: &Arc<zim::Archive>,
    key: &Key,
    kind: Kind,
    options: &CacheOptions,
    observer: &dyn Observer,
) -> Result<Archive, Failure> {
    let nowhere = || Error::InvalidInput("there is no folder for it; XDG_CACHE_HOME names one".into());
    let folder = folder_of(options).filter(|_| options.use_cache);
    let folder = folder.ok_or_else(nowhere).map_err(Failure::Cache)?;
    if let Some(archive) = open_kept(zim, key, kind, &folder) {
        return Ok(archive);
    }
    let name = build::name_of(zim);
    folder.create().map_err(Failure::Cache)?;
    let lock = folder.lock(&key.stem(kind), &format!("waiting for the search index of {name}"), observer)?;
    // Who had the lock has made it, or was stopped.
    if let Some(archive) = open_kept(zim, key, kind, &folder) {
        return Ok(archive);
    }
    let building = lock.building().map_err(Failure::Cache)?;
    build::build(zim, key, kind, &building.file(), observer)?;
    let path = building.keep().map_err(Failure::Cache)?;
    let archive = Archive::open(&path).map_err(Failure::Cache)?;
    folder.tidy(key, kind, options.max_bytes);
    Ok(archive)
}

/// Opens an index that is kept, if it is whole as far as a look shows, and of this very ZIM.
fn open_kept(zim: &zim::Archive, key: &Key, kind: Kind, folder: &Folder) -> Option<Archive> {
    let serving = match kind {
        Kind::Titles => &[Kind::FullText, Kind::Titles][..],
        Kind::FullText => &[Kind::FullText],
    };
    serving.iter().find_map(|&kind| {
        let path = folder.path(&key.stem(kind));
        let archive = Archive::open(&path).ok()?;
        let is_it = archive.is_index_only() && key.is_told_by(archive.metadata().ok()?, kind);
        if !is_it || build::is_outdated(zim, &archive) {
            return None;
        }
        folder::touch(&path);
        Some(archive)
    })
}

/// Makes an index that is gone with the archive.
fn temporary(zim: &zim::Archive, key: &Key, kind: Kind, observer: &dyn Observer) -> Result<Archive> {
    let room = |error: Error| match error {
        Error::Io { path, source, action } => {
            let message = format!(
                "{source}; the search index needs room: XDG_CACHE_HOME names a folder to keep it in, \
                 TMPDIR one for --no-cache"
            );
            Error::Io { action, path, source: std::io::Error::new(source.kind(), message) }
        }
        other => other,
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix("tome-index-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    let made = builder.tempdir();
    let temporary =
        made.map_err(|e| room(Error::io("create a temporary folder in", std::env::temp_dir(), e)))?;
    let path = temporary.path().join("index.tome");
    build::build(zim, key, kind, &path, observer).map_err(|failure| match failure {
        Failure::Cache(error) => room(error),
        Failure::Other(error) => error,
    })?;
    let map = Mapped::open(&path, 0)?;
    // Where a mapped file can be deleted, nothing is left even if the program is killed.
    let folder = (!cfg!(unix)).then_some(temporary);
    Archive::from_storage(Temporary { map, _folder: folder })
}

/// A mapped file in a folder that is deleted after it.
struct Temporary {
    // In this order: a mapping ends before its file is deleted.
    map: Mapped,
    _folder: Option<tempfile::TempDir>,
}

impl Storage for Temporary {
    fn len(&self) -> u64 {
        self.map.len()
    }

    fn read(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>> {
        self.map.read(range)
    }

    fn is_stable(&self) -> bool {
        self.map.is_stable()
    }

    fn check_fault(&self) -> Result<()> {
        self.map.check_fault()
    }
}

/// The bytes of a ZIM's entries, for its index.
struct ZimContents(Arc<zim::Archive>);

impl Contents for ZimContents {
    fn content(&self, path: &str, range: Range<u64>) -> Result<Option<Content<'_>>> {
        match self.0.entry_by_path(path)? {
            Some(entry) => self.0.content_range(&entry, range).map(Some),
            None => Ok(None),
        }
    }
}

fn with_contents(archive: Archive, zim: &Arc<zim::Archive>) -> Archive {
    archive.with_contents(Arc::new(ZimContents(Arc::clone(zim))))
}
