//! The target folder where there are no calls relative to a descriptor: the same interface as
//! `root.rs`, with checks before each step. They refuse links that were there before; they cannot
//! refuse one that is swapped in between a check and the step after it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A target folder.
pub(super) struct Root {
    path: PathBuf,
    counter: u64,
}

/// A file on its way: removed unless it is [kept](Root::keep).
pub(super) struct Partial {
    pub file: File,
    path: PathBuf,
    kept: bool,
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Root {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let path = fs::canonicalize(path).map_err(|e| Error::io("open the folder", path, e))?;
        Ok(Self { path, counter: 0 })
    }

    pub(super) fn path_of(&self, name: &[u8]) -> PathBuf {
        // Names are UTF-8 by the rules used here.
        self.path.join(String::from_utf8_lossy(name).as_ref())
    }

    pub(super) fn partial(&mut self) -> io::Result<Partial> {
        loop {
            self.counter += 1;
            let path = self.path.join(format!(".tome-partial-{}-{}", std::process::id(), self.counter));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok(Partial { file, path, kept: false }),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
    }

    pub(super) fn keep(&mut self, mut partial: Partial, name: &[u8], replace: bool) -> io::Result<()> {
        let name = String::from_utf8_lossy(name).into_owned();
        let mut path = self.path.clone();
        let mut parts = name.split('/').peekable();
        while let Some(part) = parts.next() {
            path.push(part);
            if parts.peek().is_none() {
                break;
            }
            match fs::symlink_metadata(&path) {
                Ok(meta) if meta.file_type().is_dir() => {}
                Ok(_) => {
                    let message = "a link or a file stands where a folder is needed";
                    return Err(io::Error::new(io::ErrorKind::NotADirectory, message));
                }
                Err(e) if e.kind() == io::ErrorKind::NotFound => fs::create_dir(&path)?,
                Err(e) => return Err(e),
            }
        }
        if !replace && fs::symlink_metadata(&path).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        fs::rename(&partial.path, &path)?;
        partial.kept = true;
        Ok(())
    }

    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path.join(name)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }

    pub(super) fn folds_names(&mut self) -> io::Result<bool> {
        Ok(true)
    }
}

pub(super) fn free_space(_path: &Path) -> io::Result<Option<u64>> {
    Ok(None)
}
