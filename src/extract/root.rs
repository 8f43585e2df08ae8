//! The target folder on Unix: every file and folder in it is reached from a descriptor of the
//! folder itself, one component at a time, and never through a symbolic link.
//!
//! A link that stands in the way, or is put there at any moment, makes the system call fail
//! (`O_NOFOLLOW`, `O_EXCL`, a rename that replaces nothing); there is no check that could be outrun.
//! A file is written under a temporary name at the top of the folder, and gets its own when it is
//! whole.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, mkdirat, openat, renameat, statat, unlinkat};
use rustix::io::Errno;

use crate::error::{Error, Result};

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// An open target folder.
pub(super) struct Root {
    folder: OwnedFd,
    path: PathBuf,
    /// The folder used last, by name: neighbours share it.
    last: Option<(Vec<u8>, OwnedFd)>,
    counter: u64,
}

/// A file on its way: removed unless it is [kept](Root::keep).
pub(super) struct Partial {
    pub file: File,
    name: String,
    folder: OwnedFd,
    kept: bool,
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.kept {
            // Nothing more can be done about a file that cannot be removed.
            let _ = unlinkat(&self.folder, &self.name, AtFlags::empty());
        }
    }
}

impl Root {
    /// Opens a folder. The path is the user's own, so links in it are followed.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let flags = FOLDER.difference(OFlags::NOFOLLOW);
        let folder = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|e| Error::io("open the folder", path, e.into()))?;
        Ok(Self { folder, path: path.to_path_buf(), last: None, counter: 0 })
    }

    /// Returns the path of a name in the folder, for messages.
    pub(super) fn path_of(&self, name: &[u8]) -> PathBuf {
        self.path.join(OsStr::from_bytes(name))
    }

    /// Creates an empty file under a temporary name.
    pub(super) fn partial(&mut self) -> io::Result<Partial> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        loop {
            self.counter += 1;
            let name = format!(".tome-partial-{}-{}", std::process::id(), self.counter);
            match openat(&self.folder, &name, flags, Mode::from_raw_mode(0o644)) {
                Ok(file) => {
                    let folder = self.folder.try_clone()?;
                    return Ok(Partial { file: file.into(), name, folder, kept: false });
                }
                Err(Errno::EXIST) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// Gives a whole file its name, and makes the folders that it needs.
    ///
    /// Whatever else has the name is left alone, or with `replace` put out of its place (a link
    /// itself, never what it leads to).
    pub(super) fn keep(&mut self, mut partial: Partial, name: &[u8], replace: bool) -> io::Result<()> {
        let (parent, file) = match name.iter().rposition(|&b| b == b'/') {
            Some(at) => (&name[..at], &name[at + 1..]),
            None => (&[][..], name),
        };
        let parent = self.parent(parent)?;
        if replace {
            renameat(&partial.folder, &partial.name, parent, file)?;
        } else {
            rename_new(&partial.folder, &partial.name, parent, file)?;
        }
        partial.kept = true;
        Ok(())
    }

    /// Removes a file at the top, if it is there.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        match unlinkat(&self.folder, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    /// Returns true if the file system takes two spellings for one name, as those of macOS and of
    /// memory cards do.
    pub(super) fn folds_names(&mut self) -> io::Result<bool> {
        let probe = self.partial()?;
        match statat(&self.folder, probe.name.to_ascii_uppercase(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    /// Opens a folder within, and makes it where it does not exist.
    fn parent(&mut self, name: &[u8]) -> io::Result<&OwnedFd> {
        if name.is_empty() {
            return Ok(&self.folder);
        }
        if self.last.as_ref().is_none_or(|(last, _)| last != name) {
            let mut folder = None;
            for component in name.split(|&b| b == b'/') {
                folder = Some(open_or_make(folder.as_ref().unwrap_or(&self.folder), component)?);
            }
            self.last = folder.map(|folder| (name.to_vec(), folder));
        }
        Ok(self.last.as_ref().map_or(&self.folder, |(_, folder)| folder))
    }
}

fn open_or_make(parent: &OwnedFd, component: &[u8]) -> io::Result<OwnedFd> {
    match openat(parent, component, FOLDER, Mode::empty()) {
        Err(Errno::NOENT) => {}
        other => return other.map_err(in_the_way),
    }
    match mkdirat(parent, component, Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(e) => return Err(e.into()),
    }
    openat(parent, component, FOLDER, Mode::empty()).map_err(in_the_way)
}

fn in_the_way(e: Errno) -> io::Error {
    match e {
        Errno::NOTDIR | Errno::LOOP | Errno::MLINK => {
            let message = "a symbolic link or a file stands where a folder is needed";
            io::Error::new(io::ErrorKind::NotADirectory, message)
        }
        e => e.into(),
    }
}

/// Renames a file to a name that nothing has.
fn rename_new(from: &OwnedFd, old: &str, to: &OwnedFd, new: &[u8]) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    match rustix::fs::renameat_with(from, old, to, new, rustix::fs::RenameFlags::NOREPLACE) {
        // Not every kernel and file system can.
        Err(Errno::NOSYS | Errno::INVAL | Errno::NOTSUP) => {}
        other => return other.map_err(Into::into),
    }
    match rustix::fs::linkat(from, old, to, new, AtFlags::empty()) {
        Ok(()) => {
            unlinkat(from, old, AtFlags::empty())?;
            return Ok(());
        }
        // File systems without hard links.
        Err(Errno::NOSYS | Errno::INVAL | Errno::NOTSUP | Errno::PERM) => {}
        Err(e) => return Err(e.into()),
    }
    // A rename replaces a link instead of following it: what could be lost between these two calls
    // is a file that somebody else puts there just now.
    match statat(to, new, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(_) => Err(Errno::EXIST.into()),
        Err(Errno::NOENT) => Ok(renameat(from, old, to, new)?),
        Err(e) => Err(e.into()),
    }
}

/// Returns the bytes that the file system of a folder (or of the nearest one above that exists) has
/// left for this user.
pub(super) fn free_space(path: &Path) -> io::Result<Option<u64>> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(Some(stat.f_bavail.saturating_mul(stat.f_frsize)))
}
