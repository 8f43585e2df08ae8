//! The file being written: in its target's folder, and with its name only when it is whole.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use crate::error::{Error, Result};

/// A file that is not there yet: it takes its name only when it is whole, and dropped before that it
/// leaves nothing.
///
/// On Linux it has no name at all until then, so that whatever ends the program leaves nothing either.
/// Where the file system has no such files it is a hidden one beside its target.
pub struct Unfinished {
    file: File,
    /// Its name, if it has one.
    hidden: Option<TempPath>,
    target: PathBuf,
    force: bool,
}

impl Unfinished {
    /// Opens a temporary file in the target's folder.
    ///
    /// # Errors
    ///
    /// Fails if the target is a folder, if it exists and `force` is not given, or if its folder cannot be
    /// written.
    pub fn create(target: &Path, force: bool) -> Result<Self> {
        if target.is_dir() {
            return Err(Error::InvalidInput(format!("{} is a folder; choose a file name", target.display())));
        }
        if !force && target.symlink_metadata().is_ok() {
            return Err(exists(target));
        }
        let folder = folder_of(target);
        let (file, hidden) = match unnamed(folder) {
            Some(file) => (file, None),
            None => {
                let file = hidden_names().tempfile_in(folder);
                let file = file.map_err(|e| Error::io("create a temporary file beside", target, e))?;
                let (file, path) = file.into_parts();
                (file, Some(path))
            }
        };
        Ok(Self { file, hidden, target: target.to_path_buf(), force })
    }

    /// Cuts it to a length.
    ///
    /// # Errors
    ///
    /// Fails if the medium does.
    pub fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    /// Makes everything durable, and gives the file its name.
    ///
    /// # Errors
    ///
    /// Fails if the medium does, or if the target appeared meanwhile and may not be replaced; then
    /// nothing of the file remains.
    pub fn finish(self) -> Result<()> {
        let target = self.target.clone();
        let durable = set_mode(&self.file).and_then(|()| self.file.sync_all());
        durable.map_err(|e| write_error(&target, e))?;
        self.rename().map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists => exists(&target),
            _ => Error::io("rename the finished file to", &target, e),
        })?;
        // The name is durable only once its folder is.
        #[cfg(unix)]
        if let Ok(folder) = File::open(folder_of(&target)) {
            let _ = folder.sync_all();
        }
        Ok(())
    }

    fn rename(self) -> io::Result<()> {
        let Self { file, hidden, target, force } = self;
        let hidden = match hidden {
            Some(hidden) => hidden,
            None => match name(&file, &target) {
                // A link replaces nothing, a rename does.
                Err(e) if force && e.kind() == io::ErrorKind::AlreadyExists => {
                    hidden_names().make_in(folder_of(&target), |path| name(&file, path))?.into_temp_path()
                }
                done => return done,
            },
        };
        let renamed = if force { hidden.persist(&target) } else { hidden.persist_noclobber(&target) };
        renamed.map_err(|e| e.error)
    }
}

impl Read for Unfinished {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Write for Unfinished {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Unfinished {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

fn hidden_names() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tome-").suffix(".part");
    builder
}

/// Opens a file without a name, if the system can do that and can name it later.
#[cfg(target_os = "linux")]
fn unnamed(folder: &Path) -> Option<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(folder, flags, Mode::RUSR | Mode::WUSR).ok()?);
    link_of(&file).symlink_metadata().is_ok().then_some(file)
}

/// Gives a file without a name one.
#[cfg(target_os = "linux")]
fn name(file: &File, path: &Path) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD};
    Ok(rustix::fs::linkat(CWD, link_of(file), CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

/// The only way to an open file by name that needs no privilege.
#[cfg(target_os = "linux")]
fn link_of(file: &File) -> PathBuf {
    use std::os::fd::AsRawFd;
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

#[cfg(not(target_os = "linux"))]
fn unnamed(_: &Path) -> Option<File> {
    None
}

#[cfg(not(target_os = "linux"))]
fn name(_: &File, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// An unfinished file that is written from start to end, with a few ways back.
pub struct Output {
    target: PathBuf,
    file: BufWriter<Unfinished>,
    at: u64,
}

/// Bytes gathered before the system is asked to write them.
const BUFFER: usize = 1024 * 1024;

impl Output {
    /// Opens a temporary file in the target's folder.
    ///
    /// # Errors
    ///
    /// As [`Unfinished::create`].
    pub fn create(target: &Path, force: bool) -> Result<Self> {
        let file = BufWriter::with_capacity(BUFFER, Unfinished::create(target, force)?);
        Ok(Self { target: target.to_path_buf(), file, at: 0 })
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
        let mut bytes = vec![0; (range.end - range.start) as usize];
        let mut read = || {
            self.file.flush()?;
            let mut file = &self.file.get_ref().file;
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
        let mut cut = || {
            self.file.flush()?;
            let mut file = &self.file.get_ref().file;
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
        let mut end = self.at;
        // From the end, so that nothing is written over what was not moved yet.
        while end > from {
            let start = end.saturating_sub(4 * BUFFER as u64).max(from);
            let bytes = self.read_back(start..end)?;
            let mut file = &self.file.get_ref().file;
            let moved = file.seek(SeekFrom::Start(start + by)).and_then(|_| file.write_all(&bytes));
            moved.map_err(|e| write_error(&self.target, e))?;
            end = start;
        }
        let mut file = &self.file.get_ref().file;
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
        write_at_start(&file.file, first).map_err(|e| write_error(&target, e))?;
        file.finish()?;
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
    Error::InvalidInput(format!("{} exists and was left alone; --force replaces it", target.display()))
}

fn write_error(target: &Path, e: io::Error) -> Error {
    if e.kind() == io::ErrorKind::StorageFull {
        let e = io::Error::new(e.kind(), format!("the disk is full ({e}); nothing was left behind"));
        return Error::io("write", target, e);
    }
    Error::io("write", target, e)
}

fn write_at_start(mut file: &File, bytes: &[u8]) -> io::Result<()> {
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

    #[test]
    fn with_a_hidden_name_and_without_any_the_target_is_the_same() {
        let dir = tempfile::TempDir::new().unwrap();
        let target = dir.path().join("file");
        let create = |force: bool, is_hidden: bool| {
            let mut file = Unfinished::create(&target, force).unwrap();
            if is_hidden {
                let (own, path) = hidden_names().tempfile_in(dir.path()).unwrap().into_parts();
                (file.file, file.hidden) = (own, Some(path));
            }
            file
        };
        for is_hidden in [false, true] {
            let mut late = create(false, is_hidden);
            late.write_all(b"late").unwrap();
            let mut file = create(false, is_hidden);
            file.write_all(b"new").unwrap();
            assert!(!target.exists());
            file.finish().unwrap();
            assert!(late.finish().is_err_and(|e| e.to_string().contains("left alone")));
            assert_eq!(std::fs::read(&target).unwrap(), b"new");
            let mut file = create(true, is_hidden);
            file.write_all(b"newer").unwrap();
            drop(create(true, is_hidden));
            file.finish().unwrap();
            assert_eq!(std::fs::read(&target).unwrap(), b"newer");
            assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
            std::fs::remove_file(&target).unwrap();
        }
    }

    #[test]
    fn what_cannot_become_a_file_is_refused_at_once() {
        let dir = tempfile::TempDir::new().unwrap();
        for (name, said) in [("", "is a folder"), ("none/file", "none/file")] {
            let error = Unfinished::create(&dir.path().join(name), true).err().unwrap();
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}
