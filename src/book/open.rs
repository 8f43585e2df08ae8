//! Opening an archive by what it is.

use std::path::Path;
use std::sync::Arc;

use super::{Book, CacheOptions};
use crate::archives::{Format, format_of};
use crate::error::Result;
use crate::reader::{self, Cache};
use crate::zim;

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
