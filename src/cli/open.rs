//! Opening the archive that a command was given.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tome::error::Error;
use tome::format::first_page::{self, VERSION};
use tome::format::ids::PAGE;
use tome::reader::{Archive, OpenOptions};

use super::args::ArchiveArgs;
use super::{Failure, talk};

/// An open archive and where it is.
pub struct Opened {
    pub archive: Arc<Archive>,
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
    let archive = try_open(args).map_err(|error| failure(args, error))?;
    if let Some(damage) = archive.tables().first_page_damage() {
        talk::warning(&format!("{}: {damage}; its copy at the end is used", args.archive.display()));
    }
    Ok(Opened { archive: Arc::new(archive), path: args.archive.clone() })
}

/// Opens an archive.
pub fn try_open(args: &ArchiveArgs) -> tome::error::Result<Archive> {
    let options = OpenOptions { by_position: args.no_mmap, at: args.at, cache: None };
    Archive::open_with(&args.archive, &options)
}

/// Returns the failure of a file that cannot be opened as an archive.
pub fn failure(args: &ArchiveArgs, error: Error) -> Failure {
    let path = &args.archive;
    let is_foreign = matches!(error, Error::NotAnArchive { .. });
    if is_foreign && starts_with(path, args.at, ZIM_MAGIC) {
        return Failure::new(format!(
            "{}: a ZIM file; tome {} reads .tome archives of format {}.{} only",
            path.display(),
            env!("CARGO_PKG_VERSION"),
            VERSION.0,
            VERSION.1
        ));
    }
    let failure = Failure::of_archive(path, error);
    if is_foreign {
        let made_of = path.display();
        return failure.hint(format!("to make an archive of it: tome pack {made_of} -o OUT.tome"));
    }
    failure
}

/// What a ZIM file begins with.
const ZIM_MAGIC: &[u8] = b"ZIM\x04";

fn starts_with(path: &Path, at: u64, magic: &[u8]) -> bool {
    let mut start = vec![0; magic.len()];
    let mut read = || -> std::io::Result<()> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut start)
    };
    read().is_ok() && start == magic
}

/// Returns true if a file ends with the copy of a first page of ours: it was an archive, whatever
/// stands at its start now.
pub fn ends_like_an_archive(path: &Path) -> bool {
    let mut start = [0; 8];
    let mut read = || -> std::io::Result<()> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::End(-(PAGE as i64)))?;
        file.read_exact(&mut start)
    };
    read().is_ok() && first_page::is_ours(&start)
}
