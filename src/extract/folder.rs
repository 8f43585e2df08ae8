//! The sink that writes a folder.

use std::io;
use std::path::{Path, PathBuf};

use super::names::{IsFolder, Rules};
use super::root::Root;
use super::{Extractor, Options, Outcome, Summary, Target, copy, explain_full};
use crate::error::{Error, Result};
use crate::item::{About, Content, Item, Sink};
use crate::manifest;

/// Writes entries into a folder. The [module](super) says how it is used.
pub struct FolderSink<'a>(Extractor<'a, Folder>);

impl<'a> FolderSink<'a> {
    /// Makes the folder, or opens one that is there.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if it is a file, or has anything in it and [`Options::force`] is not set.
    pub fn create(dir: &Path, options: Options) -> Result<Self> {
        prepare(dir, options.force)?;
        let mut root = Root::open(dir)?;
        let mut rules = if options.portable_names || cfg!(not(unix)) { Rules::PORTABLE } else { Rules::UNIX };
        if !rules.fold && root.folds_names().map_err(|e| Error::io("create a file in", dir, e))? {
            rules.fold = true;
            rules.utf8 = true;
        }
        let target = Folder { root, dir: dir.to_path_buf(), force: options.force };
        Ok(Self(Extractor::new(target, rules, options, dir)?))
    }

    /// Says how to find out whether any entry's path begins with a text that ends in `/`.
    ///
    /// Then entries must come in byte order of their paths, a file makes way for a folder of the
    /// same name (else the folder does, if it comes second), and names take no memory. Call it
    /// before the first entry.
    #[must_use]
    pub fn with_folders(mut self, is_folder: IsFolder<'a>) -> Self {
        self.0.know_folders(is_folder);
        self
    }

    /// Writes pages for redirects and the manifest.
    ///
    /// # Errors
    ///
    /// Fails if they cannot be written.
    pub fn finish(self, about: &About) -> Result<Summary> {
        let has_manifest = self.0.options.manifest;
        let (target, summary) = self.0.finish(about)?;
        if target.force && !has_manifest {
            // It would speak for files that are no longer those it knew.
            let removed = target.root.remove(manifest::NAME);
            removed.map_err(|e| Error::io("remove the old manifest", target.dir.join(manifest::NAME), e))?;
        }
        Ok(summary)
    }
}

impl Sink for FolderSink<'_> {
    fn put(&mut self, item: Item) -> Result<()> {
        self.0.put(item)
    }
}

fn prepare(dir: &Path, force: bool) -> Result<()> {
    match std::fs::metadata(dir) {
        Ok(meta) if !meta.is_dir() => {
            Err(Error::InvalidInput(format!("{} is not a folder; choose another name", dir.display())))
        }
        Ok(_) if force => Ok(()),
        Ok(_) => {
            let mut entries = std::fs::read_dir(dir).map_err(|e| Error::io("list the folder", dir, e))?;
            if entries.next().is_none() {
                return Ok(());
            }
            Err(Error::InvalidInput(format!(
                "{} is not empty and was left alone; choose another folder, or allow files in it to be \
                 replaced (--force)",
                dir.display()
            )))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(dir).map_err(|e| Error::io("create the folder", dir, e))
        }
        Err(e) => Err(Error::io("look at", dir, e)),
    }
}

struct Folder {
    root: Root,
    dir: PathBuf,
    force: bool,
}

impl Target for Folder {
    fn write(&mut self, name: &[u8], _mime: &str, content: &Content) -> Result<Outcome> {
        let failed = |e: io::Error, path: PathBuf, dir: &Path| {
            Error::io("write", path, explain_full(e, dir, content.len()))
        };
        let mut partial = match self.root.partial() {
            Ok(partial) => partial,
            Err(e) => return Err(failed(e, self.root.path_of(name), &self.dir)),
        };
        match copy(content, &mut partial.file) {
            Ok(Outcome::Written(hash)) => match self.root.keep(partial, name, self.force) {
                Ok(()) => Ok(Outcome::Written(hash)),
                Err(e) if is_fatal(&e) => Err(failed(e, self.root.path_of(name), &self.dir)),
                Err(e) => Ok(Outcome::Skipped(refused(&e, name))),
            },
            Ok(skipped) => Ok(skipped),
            Err(e) => Err(failed(e, self.root.path_of(name), &self.dir)),
        }
    }
}

/// Returns true for what the next file would suffer too.
fn is_fatal(e: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StaleNetworkFileHandle, StorageFull};
    matches!(e.kind(), QuotaExceeded | ReadOnlyFilesystem | StaleNetworkFileHandle | StorageFull)
        || e.raw_os_error().is_some_and(is_io)
}

#[cfg(unix)]
fn is_io(code: i32) -> bool {
    code == libc::EIO
}

#[cfg(not(unix))]
fn is_io(_code: i32) -> bool {
    false
}

fn refused(e: &io::Error, name: &[u8]) -> String {
    use io::ErrorKind::{AlreadyExists, InvalidFilename, InvalidInput};
    let hint = match e.kind() {
        AlreadyExists => "; something else has that name",
        InvalidFilename | InvalidInput => "; portable names may help (--portable-names)",
        _ => "",
    };
    format!("cannot be written as {}: {e}{hint}", manifest::shown(&String::from_utf8_lossy(name)))
}
