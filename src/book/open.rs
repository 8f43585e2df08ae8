//! Opening an archive by what it is.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use super::{Book, CacheOptions};
use crate::error::Result;
use crate::format::first_page;
use crate::format::ids::PAGE;
use crate::reader::{self, Cache};
use crate::storage::Parts;
use crate::zim;

/// A format of archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Ours.
    Tome,
    /// OpenZIM's.
    Zim,
}

impl Format {
    /// Returns its name, which is also the ending of its files' names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tome => "tome",
            Self::Zim => "zim",
        }
    }
}

/// How to open an archive.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// Reads by position instead of mapping the file.
    pub by_position: bool,
    /// The byte of the file at which the archive begins.
    pub at: u64,
    /// A cache that `.tome`s share; without one, an archive has its own of
    /// [`crate::limits::DEFAULT_CACHE`] bytes.
    pub cache: Option<Arc<Cache>>,
    /// Bytes of decoded clusters that a ZIM keeps; [`crate::limits::DEFAULT_CACHE`] by default.
    pub zim_cache: Option<usize>,
    /// Where the indexes of a ZIM are kept.
    pub index: CacheOptions,
}

impl Book {
    /// Opens an archive of either format, which is told by how the file begins: costs some tens of
    /// microseconds whatever its size. `x.zim` also stands for the parts `x.zimaa`, `x.zimab` and so on.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be opened; with [`NotAnArchive`](crate::error::Error::NotAnArchive) if it is of neither format; if it
    /// is of a version that cannot be read, or too damaged to begin with.
    pub fn open(path: impl AsRef<Path>, options: &OpenOptions) -> Result<Self> {
        let path = path.as_ref();
        let &OpenOptions { by_position, at, zim_cache, .. } = options;
        match format_of(path, at) {
            Some(Format::Zim) => {
                let zim_options = zim::OpenOptions { by_position, at, cache: zim_cache };
                let archive = zim::Archive::open_with(path, &zim_options)?;
                Ok(Self::from_zim(Arc::new(archive), options.index.clone()))
            }
            // What is neither is refused as ours are, with what it looks like.
            Some(Format::Tome) | None => {
                let options = reader::OpenOptions { by_position, at, cache: options.cache.clone() };
                Ok(Self::from_tome(Arc::new(reader::Archive::open_with(path, &options)?)))
            }
        }
    }
}

/// Returns the format of a file, as its first bytes tell it, or, where the start of a `.tome` is damaged,
/// the copy at its end; nothing if it is of neither or cannot be read.
///
/// `x.zim` that is not there is a ZIM if `x.zimaa` is.
pub fn format_of(path: &Path, at: u64) -> Option<Format> {
    let named = |ending: &str| path.extension().is_some_and(|e| e.eq_ignore_ascii_case(ending));
    let Ok(mut file) = File::open(path) else {
        return Parts::first_of(path).map(|_| Format::Zim);
    };
    let len = file.metadata().ok().filter(std::fs::Metadata::is_file)?.len();
    let mut begins = |at: u64| -> Option<[u8; 8]> {
        let mut start = [0; 8];
        file.seek(SeekFrom::Start(at)).ok()?;
        file.read_exact(&mut start).ok()?;
        Some(start)
    };
    let is_zim = |start: [u8; 8]| start.starts_with(&zim::MAGIC);
    match begins(at) {
        Some(start) if is_zim(start) => return Some(Format::Zim),
        Some(start) if first_page::is_ours(&start) => return Some(Format::Tome),
        // A file that ends before its eighth byte.
        None if at == 0 && starts_as_zim(path) => return Some(Format::Zim),
        // Behind the end of the first of several parts.
        None if at >= len && named("zimaa") => return Some(Format::Zim),
        _ => {}
    }
    let end = len.checked_sub(PAGE as u64).and_then(begins)?;
    first_page::is_ours(&end).then_some(Format::Tome)
}

fn starts_as_zim(path: &Path) -> bool {
    let mut start = vec![];
    let read = File::open(path).and_then(|file| file.take(4).read_to_end(&mut start));
    read.is_ok() && start == zim::MAGIC
}
