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
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Place, Result};
use crate::item::Observer;
use crate::limits;
use crate::reader::{Archive, Content, Contents, NO_SUCH_ENTRY};
use crate::storage::{Links, Mapped, Storage};
use crate::zim;
use folder::{Folder, Scratch};
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
/// articles, as much memory as packing, and about a tenth of the ZIM on disk. What of the ZIM cannot be
/// read is told as a warning and is missing from the index. An index of all words serves both kinds.
///
/// Indexes are known by the checksum that stands in the ZIM. So while one of all words is made, the ZIM's
/// bytes are compared with it, at some 0.6 GB/s beside the rest. Of a ZIM that is not what it says, or of
/// which something that belongs in the index cannot be read, a warning says so and the index is not kept:
/// it would be taken for that of the whole file. An index of titles, which is made without reading
/// everything, is kept if all entries could be read.
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
    Ok(open_kept(&Key::of(zim)?, kind, &folder).map(|archive| with_contents(archive, zim)))
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
        Some(folder) if folder.check().is_ok() => folder.forget(&key),
        _ => Ok(()),
    }
}

/// Returns true for an error of the index's own bytes, not of the ZIM's: the index can be made again.
pub fn is_own_damage(error: &Error) -> bool {
    let Error::Format(error) = error else { return false };
    // A ZIM has no pages, and what only an index tells of, it tells wrongly.
    matches!(error.place, Place::FirstPage | Place::Tree(..) | Place::Page(_)) || error.check == NO_SUCH_ENTRY
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
    if let Some(archive) = open_kept(key, kind, &folder) {
        return Ok(archive);
    }
    let name = build::name_of(zim);
    folder.create().map_err(Failure::Cache)?;
    let lock = folder.lock(&key.stem(kind), &format!("waiting for the search index of {name}"), observer)?;
    // Who had the lock has made it, or was stopped.
    if let Some(archive) = open_kept(key, kind, &folder) {
        return Ok(archive);
    }
    let building = lock.building().map_err(Failure::Cache)?;
    if let Some(why) = build_checked(zim, key, kind, &building.file(), observer)? {
        let message =
            format!("of {name}, is not kept, and will be made again: {why}; tome verify tells more");
        observer.warning("the search index", &message);
        return open_unkept(&building.file()).map_err(Failure::Cache);
    }
    let path = building.keep().map_err(Failure::Cache)?;
    let archive = open_own(&path).map_err(Failure::Cache)?;
    folder.tidy(key, kind, options.max_bytes);
    Ok(archive)
}

/// Makes an index, and looks whether the ZIM is what its key says; returns why not, if it is not.
fn build_checked(
    zim: &zim::Archive,
    key: &Key,
    kind: Kind,
    target: &Path,
    observer: &dyn Observer,
) -> Result<Option<String>, Failure> {
    let unreadable = || "something in it cannot be read".to_string();
    if kind == Kind::Titles {
        // To read all bytes would take far longer than the titles do.
        return Ok((!build::build(zim, key, kind, target, observer)?).then(unreadable));
    }
    let failed = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let check =
            scope.spawn(|| zim.check_checksum(&|| failed.load(Ordering::Relaxed) || observer.is_cancelled()));
        let built = build::build(zim, key, kind, target, observer);
        failed.store(built.is_err(), Ordering::Relaxed);
        if built.is_ok() && !check.is_finished() {
            observer.stage(&format!("comparing {} with its checksum", build::name_of(zim)), None);
        }
        let checked = check.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let is_whole = built?;
        match checked {
            Ok(true) if is_whole || zim.header().checksum != 0 => Ok(None),
            // The oldest have no checksum.
            Ok(true) => Ok(Some(unreadable())),
            Ok(false) => Ok(Some("its bytes do not have the checksum that stands in it".into())),
            Err(Error::Interrupted) => Err(Failure::Other(Error::Interrupted)),
            Err(error) => Ok(Some(error.to_string())),
        }
    })
}

/// Opens an index that is kept, if it is whole as far as a look shows, and of this very ZIM.
fn open_kept(key: &Key, kind: Kind, folder: &Folder) -> Option<Archive> {
    folder.check().ok()?;
    let serving = match kind {
        Kind::Titles => &[Kind::FullText, Kind::Titles][..],
        Kind::FullText => &[Kind::FullText],
    };
    serving.iter().find_map(|&kind| {
        let path = folder.path(&key.stem(kind));
        let archive = open_own(&path).ok()?;
        if !archive.is_index_only() || !key.is_told_by(archive.metadata().ok()?, kind) {
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
    let scratch = Scratch::new().map_err(room)?;
    build::build(zim, key, kind, &scratch.file(), observer).map_err(|failure| match failure {
        Failure::Cache(error) => room(error),
        Failure::Other(error) => error,
    })?;
    open_scratch(scratch)
}

/// Opens a file of this program's own making.
fn open_own(path: &Path) -> Result<Archive> {
    Archive::from_storage(Mapped::open_with(path, 0, Links::Refused)?)
}

/// Opens an index that is about to be deleted.
#[cfg(unix)]
fn open_unkept(path: &Path) -> Result<Archive> {
    open_own(path)
}

/// Opens an index that is about to be deleted. A mapped file cannot be, so this is a copy.
#[cfg(not(unix))]
fn open_unkept(path: &Path) -> Result<Archive> {
    let scratch = Scratch::new()?;
    std::fs::copy(path, scratch.file()).map_err(|e| Error::io("copy", path, e))?;
    open_scratch(scratch)
}

fn open_scratch(scratch: Scratch) -> Result<Archive> {
    let map = Mapped::open_with(&scratch.file(), 0, Links::Refused)?;
    // Where a mapped file can be deleted, nothing is left even if the program is killed.
    let scratch = (!cfg!(unix)).then_some(scratch);
    Archive::from_storage(Temporary { map, _scratch: scratch })
}

/// A mapped file in a folder that is deleted after it.
struct Temporary {
    // In this order: a mapping ends before its file is deleted.
    map: Mapped,
    _scratch: Option<Scratch>,
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
