//! Opening the archive that a command was given.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tome::book::{Book, CacheOptions, OpenOptions};
use tome::error::Error;

use super::args::ArchiveArgs;
use super::{Failure, talk};

/// An open archive and where it is.
pub struct Opened {
    pub book: Arc<Book>,
    pub path: PathBuf,
}

impl Opened {
    /// Returns the failure of an error met in this archive.
    pub fn failure(&self, error: Error) -> Failure {
        Failure::of_archive(&self.path, error)
    }
}

/// Opens an archive, and says in words what is wrong with the file if it cannot be.
pub fn open(args: &ArchiveArgs) -> Result<Opened, Failure> {
    open_with(args, CacheOptions::default())
}

/// Opens an archive that will be searched.
pub fn open_with(args: &ArchiveArgs, index: CacheOptions) -> Result<Opened, Failure> {
    let book = try_open(args, index).map_err(|error| failure(&args.archive, error))?;
    if let Some(damage) = book.damage_at_start() {
        talk::warning(&format!("{}: {damage}", args.archive.display()));
    }
    Ok(Opened { book: Arc::new(book), path: args.archive.clone() })
}

/// Opens an archive.
pub fn try_open(args: &ArchiveArgs, index: CacheOptions) -> tome::error::Result<Book> {
    let options = OpenOptions { by_position: args.no_mmap, at: args.at, index, ..OpenOptions::default() };
    Book::open(&args.archive, &options)
}

/// Returns the failure of a file that cannot be opened as an archive.
pub fn failure(path: &Path, error: Error) -> Failure {
    let is_foreign = matches!(error, Error::NotAnArchive { .. }) || path.is_dir();
    let failure = Failure::of_archive(path, error);
    if is_foreign {
        let made_of = path.display();
        return failure.hint(format!("to make an archive of it: tome pack {made_of} -o OUT.tome"));
    }
    failure
}
