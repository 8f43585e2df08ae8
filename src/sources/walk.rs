//! A walk over a folder in byte order of whole paths, which never leaves it.
//!
//! Folders are opened as files are: from the folder's handle, refusing links. What stands in a
//! folder's place when the walk comes to it may be a link that someone has put there.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ffi::OsString;
use std::fs::File;
use std::io;
#[cfg(unix)]
use std::os::fd::OwnedFd;
#[cfg(unix)]
use std::path::Component;
use std::path::{Path, PathBuf};

#[cfg(unix)]
use rustix::fs::{Mode, OFlags, openat};
#[cfg(unix)]
use rustix::io::Errno;

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
///
/// Holds the names that are left of each folder on the way down.
pub(crate) struct Walk<'a, B: Beneath> {
    below: &'a B,
    /// Folders on the way down, with their names, last first.
    levels: Vec<(PathBuf, Vec<(OsString, FileKind)>)>,
    started: bool,
}

impl<'a, B: Beneath> Walk<'a, B> {
    /// Starts a walk.
    pub(crate) fn new(below: &'a B) -> Self {
        Self { below, levels: Vec::new(), started: false }
    }

    fn enter(&mut self, folder: PathBuf) -> Result<(), (PathBuf, io::Error)> {
        match self.below.list(&folder) {
            Ok(mut names) => {
                names.sort_unstable_by(|a, b| order(b, a));
                self.levels.push((folder, names));
                Ok(())
            }
            Err(e) => Err((folder, e)),
        }
    }
}

/// Returns the order of two names as they sort in whole paths: `a/b` comes after `a-b`, since `/` is
/// greater than `-`.
fn order(a: &(OsString, FileKind), b: &(OsString, FileKind)) -> Ordering {
    fn key((name, kind): &(OsString, FileKind)) -> (Cow<'_, str>, Option<u8>) {
        let text = match name.to_str() {
            Some(text) => Cow::Borrowed(text),
            None => Cow::Owned(escape_bytes(name.as_encoded_bytes())),
        };
        (text, (*kind == FileKind::Folder).then_some(b'/'))
    }
    let ((a, a_end), (b, b_end)) = (key(a), key(b));
    a.bytes().chain(a_end).cmp(b.bytes().chain(b_end))
}

impl<B: Beneath> Iterator for Walk<'_, B> {
    /// A path from the folder and what is there, or the folder that cannot be listed and why.
    type Item = Result<(PathBuf, FileKind), (PathBuf, io::Error)>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.started {
            self.started = true;
            if let Err(e) = self.enter(PathBuf::new()) {
                return Some(Err(e));
            }
        }
        loop {
            let (folder, names) = self.levels.last_mut()?;
            match names.pop() {
                None => {
                    self.levels.pop();
                }
                Some((name, FileKind::Folder)) => {
                    let folder = folder.join(name);
                    if let Err(e) = self.enter(folder) {
                        return Some(Err(e));
                    }
                }
                Some((name, kind)) => return Some(Ok((folder.join(name), kind))),
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
    handle: std::sync::Arc<OwnedFd>,
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
    fn open_with(&self, path: &Path, extra: OFlags) -> io::Result<OwnedFd> {
        // Without O_NONBLOCK a FIFO put in a file's place would hold the run for ever.
        let flags = extra | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{ResolveFlags, openat2};
            let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
            match openat2(&*self.handle, path, flags, Mode::empty(), resolve) {
                Ok(fd) => return Ok(fd),
                // An old kernel, or a sandbox that does not know the call.
                Err(Errno::NOSYS | Errno::PERM) => {}
                Err(e) => return Err(refusal(e)),
            }
        }
        self.open_by_parts(path, flags)
    }

    /// Opens a file folder by folder, each without following a link.
    fn open_by_parts(&self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let mut folder = None;
        let mut parts = path.components().peekable();
        while let Some(part) = parts.next() {
            if !matches!(part, Component::Normal(_) | Component::CurDir) {
                break;
            }
            let at = folder.as_ref().unwrap_or(&*self.handle);
            let is_last = parts.peek().is_none();
            let flags = if is_last { flags } else { flags | OFlags::DIRECTORY };
            let opened = openat(at, part.as_os_str(), flags, Mode::empty()).map_err(refusal)?;
            if is_last {
                return Ok(opened);
            }
            folder = Some(opened);
        }
        Err(io::ErrorKind::InvalidInput.into())
    }
}

#[cfg(unix)]
fn refusal(e: Errno) -> io::Error {
    match e {
        Errno::LOOP | Errno::XDEV => io::Error::other("a link has taken its place"),
        e => e.into(),
    }
}

#[cfg(unix)]
impl Beneath for Root {
    fn open(&self, path: &Path) -> io::Result<File> {
        self.open_with(path, OFlags::empty()).map(File::from)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<(OsString, FileKind)>> {
        use rustix::fs::{AtFlags, Dir, FileType, statat};
        use std::os::unix::ffi::OsStringExt;
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
            names.push((OsString::from_vec(name.to_bytes().to_vec()), kind));
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

#[cfg(all(test, unix))]
mod tests {
    use std::io::Read;

    use super::super::testing::Folder;
    use super::*;

    #[test]
    fn both_ways_of_opening_refuse_links_and_what_is_above() {
        let folder = Folder::new();
        folder.write("in/a/b.txt", "inside");
        folder.write("out.txt", "outside");
        std::os::unix::fs::symlink("a", folder.path("in/link")).unwrap();
        std::os::unix::fs::symlink("a/b.txt", folder.path("in/b.txt")).unwrap();
        let root = Root::open_folder(&folder.path("in")).unwrap();
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        type Way<'a> = Box<dyn Fn(&str) -> io::Result<OwnedFd> + 'a>;
        let ways: [Way<'_>; 2] = [
            Box::new(|path| root.open_with(Path::new(path), OFlags::empty())),
            Box::new(|path| root.open_by_parts(Path::new(path), flags)),
        ];
        for open in ways {
            let mut text = String::new();
            File::from(open("a/b.txt").unwrap()).read_to_string(&mut text).unwrap();
            assert_eq!(text, "inside");
            for bad in ["link/b.txt", "b.txt", "../out.txt", "a/../../out.txt", "/etc/hostname", "a/missing"]
            {
                assert!(open(bad).is_err(), "{bad}");
            }
            assert!(open(".").is_ok());
        }
    }

    #[test]
    fn a_folder_that_is_gone_is_an_error_and_the_walk_goes_on() {
        struct Broken;
        impl Beneath for Broken {
            fn open(&self, _: &Path) -> io::Result<File> {
                Err(io::ErrorKind::NotFound.into())
            }

            fn list(&self, path: &Path) -> io::Result<Vec<(OsString, FileKind)>> {
                match path.to_str() {
                    Some("") => Ok(vec![("b".into(), FileKind::File), ("a".into(), FileKind::Folder)]),
                    _ => Err(io::ErrorKind::PermissionDenied.into()),
                }
            }
        }
        let steps: Vec<_> = Walk::new(&Broken).collect();
        assert!(matches!(&steps[0], Err((path, _)) if path == Path::new("a")));
        assert!(matches!(&steps[1], Ok((path, FileKind::File)) if path == Path::new("b")));
        assert_eq!(steps.len(), 2);
    }
}
