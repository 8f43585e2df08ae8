//! A walk over a folder in byte order of whole paths, which never leaves it.
//!
//! Folders are opened as files are: from the folder's handle, refusing links. What stands in a
//! folder's place when the walk comes to it may be a link that someone has put there.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::item::escape_bytes;

/// What a name in a folder stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// Something that holds no bytes of its own, in words.
    Special(&'static str),
}

/// Opens and lists what is below a folder, and nothing else.
pub(crate) trait Beneath {
    /// Opens a file, by its path from the folder, without following a link.
    fn open(&self, path: &Path) -> io::Result<File>;

    /// Lists a folder.
    fn list(&self, path: &Path) -> io::Result<Vec<(OsString, FileKind)>>;
}

/// The walk: an iterator over everything but folders.
pub(crate) struct Walk<'a, B: Beneath> {
    below: &'a B,
    /// What is left of the folders on the way down, last first.
    left: Vec<(PathBuf, FileKind)>,
    started: bool,
}

impl<'a, B: Beneath> Walk<'a, B> {
    /// Starts a walk.
    pub(crate) fn new(below: &'a B) -> Self {
        Self { below, left: Vec::new(), started: false }
    }

    fn enter(&mut self, folder: &Path) -> io::Result<()> {
        let mut names = self.below.list(folder)?;
        names.sort_by_cached_key(|(name, kind)| sort_key(name, *kind));
        self.left.extend(names.into_iter().rev().map(|(name, kind)| (folder.join(name), kind)));
        Ok(())
    }
}

/// Returns a name as it sorts in whole paths: `a/b` comes after `a-b`, since `/` is greater than `-`.
fn sort_key(name: &OsStr, kind: FileKind) -> Vec<u8> {
    let mut key = match name.to_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => escape_bytes(name.as_encoded_bytes()).into_bytes(),
    };
    if kind == FileKind::Folder {
        key.push(b'/');
    }
    key
}

impl<B: Beneath> Iterator for Walk<'_, B> {
    /// A path from the folder and what is there, or the folder that cannot be listed and why.
    type Item = Result<(PathBuf, FileKind), (PathBuf, io::Error)>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.started {
            self.started = true;
            if let Err(e) = self.enter(Path::new("")) {
                return Some(Err((PathBuf::new(), e)));
            }
        }
        loop {
            match self.left.pop()? {
                (folder, FileKind::Folder) => {
                    if let Err(e) = self.enter(&folder) {
                        return Some(Err((folder, e)));
                    }
                }
                found => return Some(Ok(found)),
            }
        }
    }
}

/// A folder, held open so that what stands at its path later does not matter.
#[derive(Debug, Clone)]
pub(crate) struct Root {
    /// Its path without links, to tell what is inside.
    pub canonical: PathBuf,
    #[cfg(unix)]
    handle: std::sync::Arc<std::os::fd::OwnedFd>,
}

impl Root {
    /// Opens a folder; a link to one is as good.
    pub(crate) fn open_folder(path: &Path) -> io::Result<Self> {
        let canonical = path.canonicalize()?;
        #[cfg(unix)]
        let handle = std::sync::Arc::new(File::open(&canonical)?.into());
        Ok(Self {
            canonical,
            #[cfg(unix)]
            handle,
        })
    }
}

#[cfg(unix)]
impl Root {
    fn open_with(&self, path: &Path, extra: rustix::fs::OFlags) -> io::Result<std::os::fd::OwnedFd> {
        use rustix::fs::{Mode, OFlags, openat};
        use rustix::io::Errno;
        // Without O_NONBLOCK a FIFO put in a file's place would hold the run for ever.
        let flags = extra | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let replaced = |e: Errno| match e {
            Errno::LOOP | Errno::XDEV => io::Error::other("a link has taken its place"),
            e => e.into(),
        };
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{ResolveFlags, openat2};
            let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
            match openat2(&*self.handle, path, flags, Mode::empty(), resolve) {
                Ok(fd) => return Ok(fd),
                // An old kernel, or a sandbox that does not know the call.
                Err(Errno::NOSYS | Errno::PERM) => {}
                Err(e) => return Err(replaced(e)),
            }
        }
        let mut folder = None;
        let mut parts = path.iter().peekable();
        while let Some(part) = parts.next() {
            let at = folder.as_ref().unwrap_or(&*self.handle);
            let is_last = parts.peek().is_none();
            let flags = if is_last { flags } else { flags | OFlags::DIRECTORY };
            let opened = openat(at, part, flags, Mode::empty()).map_err(replaced)?;
            if is_last {
                return Ok(opened);
            }
            folder = Some(opened);
        }
        Err(io::ErrorKind::InvalidInput.into())
    }
}

#[cfg(unix)]
impl Beneath for Root {
    fn open(&self, path: &Path) -> io::Result<File> {
        self.open_with(path, rustix::fs::OFlags::empty()).map(File::from)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<(OsString, FileKind)>> {
        use rustix::fs::{AtFlags, Dir, FileType, OFlags, statat};
        use std::os::unix::ffi::OsStrExt;
        let folder = self.open_with(path, OFlags::DIRECTORY)?;
        let mut names = Vec::new();
        for entry in Dir::read_from(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let kind = match entry.file_type() {
                // Not every file system tells; a name that is gone again is reported on opening.
                FileType::Unknown => statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)
                    .map_or(FileType::RegularFile, |stat| FileType::from_raw_mode(stat.st_mode)),
                known => known,
            };
            let kind = match kind {
                FileType::RegularFile => FileKind::File,
                FileType::Directory => FileKind::Folder,
                FileType::Symlink => FileKind::Link,
                FileType::Fifo => FileKind::Special("a FIFO"),
                FileType::Socket => FileKind::Special("a socket"),
                FileType::BlockDevice | FileType::CharacterDevice => FileKind::Special("a device"),
                FileType::Unknown => FileKind::Special("something special"),
            };
            names.push((OsStr::from_bytes(name.to_bytes()).to_os_string(), kind));
        }
        Ok(names)
    }
}

#[cfg(not(unix))]
impl Beneath for Root {
    fn open(&self, path: &Path) -> io::Result<File> {
        let full = self.canonical.join(path);
        if full.symlink_metadata()?.is_symlink() {
            return Err(io::Error::other("a link has taken its place"));
        }
        File::open(full)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<(OsString, FileKind)>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.canonical.join(path))? {
            let entry = entry?;
            let kind = match entry.file_type()? {
                kind if kind.is_symlink() => FileKind::Link,
                kind if kind.is_dir() => FileKind::Folder,
                kind if kind.is_file() => FileKind::File,
                _ => FileKind::Special("something special"),
            };
            names.push((entry.file_name(), kind));
        }
        Ok(names)
    }
}

/// What tells that a file is still the one that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    len: u64,
    modified: Option<std::time::SystemTime>,
    #[cfg(unix)]
    inode: (u64, u64),
}

impl Identity {
    /// Takes down what a file is like now.
    pub(crate) fn of(metadata: &std::fs::Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt;
        Self {
            len: metadata.len(),
            modified: metadata.modified().ok(),
            #[cfg(unix)]
            inode: (metadata.dev(), metadata.ino()),
        }
    }
}
