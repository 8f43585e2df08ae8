//! The file being written: temporary, beside its target, and renamed when it is whole.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A file that takes its name only when it is whole. Dropped before that, it leaves nothing.
pub struct Output {
    target: PathBuf,
    file: BufWriter<tempfile::NamedTempFile>,
    at: u64,
    force: bool,
}

/// Bytes gathered before the system is asked to write them.
const BUFFER: usize = 1024 * 1024;

impl Output {
    /// Opens a temporary file in the target's folder.
    ///
    /// # Errors
    ///
    /// Fails if the target exists and `force` is not given, or if its folder cannot be written.
    pub fn create(target: &Path, force: bool) -> Result<Self> {
        if !force && target.symlink_metadata().is_ok() {
            return Err(exists(target));
        }
        let file = tempfile::Builder::new()
            .prefix(".tome-")
            .suffix(".part")
            .tempfile_in(folder_of(target))
            .map_err(|e| Error::io("create a temporary file beside", target, e))?;
        Ok(Self { target: target.to_path_buf(), file: BufWriter::with_capacity(BUFFER, file), at: 0, force })
    }

    /// Returns how many bytes were written.
    pub fn position(&self) -> u64 {
        self.at
    }

    /// Writes bytes behind all others.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|e| write_error(&self.target, e))?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Reads bytes that were written.
    pub fn read_back(&mut self, range: std::ops::Range<u64>) -> Result<Vec<u8>> {
        use std::io::{Read, Seek, SeekFrom};
        let mut bytes = vec![0; (range.end - range.start) as usize];
        let mut read = || {
            self.file.flush()?;
            let mut file = self.file.get_ref().as_file();
            file.seek(SeekFrom::Start(range.start))?;
            file.read_exact(&mut bytes)?;
            file.seek(SeekFrom::End(0))
        };
        read().map_err(|e| Error::io("read back what was written to", &self.target, e))?;
        Ok(bytes)
    }

    /// Takes back what was written from a position on.
    ///
    /// # Errors
    ///
    /// Fails if the medium does.
    pub fn rewind(&mut self, to: u64) -> Result<()> {
        use std::io::{Seek, SeekFrom};
        let mut cut = || {
            self.file.flush()?;
            let mut file = self.file.get_ref().as_file();
            file.set_len(to)?;
            file.seek(SeekFrom::Start(to))
        };
        cut().map_err(|e| write_error(&self.target, e))?;
        self.at = to;
        Ok(())
    }

    /// Moves everything from `from` on `by` bytes towards the end. Costs a copy of what is moved.
    ///
    /// # Errors
    ///
    /// Fails if the medium does.
    pub fn make_room(&mut self, from: u64, by: u64) -> Result<()> {
        use std::io::{Seek, SeekFrom};
        let mut end = self.at;
        // From the end, so that nothing is written over what was not moved yet.
        while end > from {
            let start = end.saturating_sub(4 * BUFFER as u64).max(from);
            let bytes = self.read_back(start..end)?;
            let mut file = self.file.get_ref().as_file();
            let moved = file.seek(SeekFrom::Start(start + by)).and_then(|_| file.write_all(&bytes));
            moved.map_err(|e| write_error(&self.target, e))?;
            end = start;
        }
        let mut file = self.file.get_ref().as_file();
        file.seek(SeekFrom::End(0)).map_err(|e| write_error(&self.target, e))?;
        self.at += by;
        Ok(())
    }

    /// Writes `first` over the start, makes everything durable, and gives the file its name.
    ///
    /// # Errors
    ///
    /// Fails if the medium does, or if the target appeared meanwhile and may not be replaced; then
    /// nothing of the file remains.
    pub fn finish(self, first: &[u8]) -> Result<u64> {
        let target = self.target;
        let file = self.file.into_inner().map_err(|e| write_error(&target, e.into_error()))?;
        write_at_start(file.as_file(), first).map_err(|e| write_error(&target, e))?;
        set_mode(file.as_file()).map_err(|e| write_error(&target, e))?;
        file.as_file().sync_all().map_err(|e| write_error(&target, e))?;
        let result = if self.force { file.persist(&target) } else { file.persist_noclobber(&target) };
        if let Err(e) = result {
            if e.error.kind() == io::ErrorKind::AlreadyExists {
                return Err(exists(&target));
            }
            return Err(Error::io("rename the finished file to", &target, e.error));
        }
        // The name is durable only once its folder is.
        #[cfg(unix)]
        if let Ok(folder) = File::open(folder_of(&target)) {
            let _ = folder.sync_all();
        }
        Ok(self.at)
    }
}

/// Returns the folder in which a path's last part stands.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn exists(target: &Path) -> Error {
    Error::InvalidInput(format!("{} exists already; --force replaces it", target.display()))
}

fn write_error(target: &Path, e: io::Error) -> Error {
    if e.kind() == io::ErrorKind::StorageFull {
        let e = io::Error::new(e.kind(), format!("the disk is full ({e}); nothing was left behind"));
        return Error::io("write", target, e);
    }
    Error::io("write", target, e)
}

fn write_at_start(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    use std::io::{Seek, SeekFrom};
    file.seek(SeekFrom::Start(0))?;
    file.write_all(bytes)
}

/// A temporary file is private; a finished archive has the mode that the umask gives any file.
#[cfg(unix)]
fn set_mode(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mask = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    rustix::process::umask(mask);
    file.set_permissions(std::fs::Permissions::from_mode(0o666 & !mask.bits()))
}

#[cfg(not(unix))]
fn set_mode(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_moved_and_taken_back() {
        let dir = tempfile::TempDir::new().unwrap();
        let target = dir.path().join("file");
        let mut output = Output::create(&target, false).unwrap();
        let bytes: Vec<u8> = (0..9_500_000u32).map(|i| (i % 253) as u8).collect();
        output.write(&bytes).unwrap();
        output.write(b"taken back").unwrap();
        output.rewind(bytes.len() as u64).unwrap();
        output.make_room(1000, 77).unwrap();
        output.write(b"end").unwrap();
        assert_eq!(output.finish(b"start").unwrap(), bytes.len() as u64 + 80);
        let found = std::fs::read(target).unwrap();
        assert_eq!(found[5..1000], bytes[5..1000]);
        assert_eq!(found[1077..bytes.len() + 77], bytes[1000..]);
        assert!(found.ends_with(b"end"));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
