//! The folder in which indexes are kept: names, locks, and how much may stay.
//!
//! An index is made in a folder of its own beside the others (`NAME.building`), by the process that holds
//! the lock of its name (`NAME.lock`), and takes its name when it is whole. The system releases a lock with
//! the process that holds it, so what a killed process leaves is known by its lock being free.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::key::{self, Key};
use super::{Failure, Kind};
use crate::error::{Error, Result};
use crate::item::Observer;
use crate::storage::{Links, open_regular};

const INDEX: &str = ".tome";
const LOCK: &str = ".lock";
const BUILDING: &str = ".building";

/// How often a lock is tried again.
const PAUSE: Duration = Duration::from_millis(50);

/// After so many times somebody makes the index, and does not just sweep.
const TOLD_AFTER: u32 = 4;

/// When an index was used is noted to this accuracy.
const MINUTE: Duration = Duration::from_secs(60);

/// The folder.
pub struct Folder(PathBuf);

impl Folder {
    /// Names the folder, which need not be there yet.
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Returns the path of an index.
    pub fn path(&self, stem: &str) -> PathBuf {
        self.0.join(format!("{stem}{INDEX}"))
    }

    /// Makes the folder, for its owner alone: what somebody has read is nobody else's business.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be made, or is another's ([`Folder::check`]).
    pub fn create(&self) -> Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.0).map_err(|e| Error::io("create", &self.0, e))?;
        self.check()
    }

    /// Looks whether nobody but the user can have put anything there.
    ///
    /// # Errors
    ///
    /// Fails if the folder is another user's or may be written by others, or is not there.
    pub fn check(&self) -> Result<()> {
        let metadata = fs::metadata(&self.0).map_err(|e| Error::io("look at", &self.0, e))?;
        let why = if !is_own(&metadata) {
            "it belongs to another user"
        } else if may_others_write(&metadata) {
            "other users may write there"
        } else {
            return Ok(());
        };
        let why = io::Error::new(io::ErrorKind::PermissionDenied, why);
        Err(Error::io("trust the folder", &self.0, why))
    }

    /// Waits until nobody else makes the index of a name. The observer hears of a `stage` if it takes
    /// time, and may end the wait.
    pub fn lock(&self, stem: &str, stage: &str, observer: &dyn Observer) -> Result<Lock, Failure> {
        for tried in 1_u32.. {
            if observer.is_cancelled() {
                return Err(Failure::Other(Error::Interrupted));
            }
            match self.try_lock(stem).map_err(Failure::Cache)? {
                Some(lock) => return Ok(lock),
                None if tried == TOLD_AFTER => observer.stage(stage, None),
                None => {}
            }
            std::thread::sleep(PAUSE);
        }
        Err(Failure::Other(Error::Interrupted))
    }

    /// Takes a lock, if nobody holds it.
    fn try_lock(&self, stem: &str) -> Result<Option<Lock>> {
        let path = self.0.join(format!("{stem}{LOCK}"));
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let (file, _) = open_regular(&path, &mut options, Links::Refused)?;
        match file.try_lock() {
            Ok(()) if is_at(&file, &path) => Ok(Some(Lock { path, index: self.path(stem), file })),
            // Who held it has deleted it since.
            Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(Error::io("lock", &path, e)),
        }
    }

    /// Deletes the indexes of a ZIM, of any version.
    pub fn forget(&self, key: &Key) -> Result<()> {
        for kept in self.kept().into_iter().filter(|kept| kept.stem.starts_with(&key.start())) {
            match fs::remove_file(&kept.path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::io("delete", &kept.path, e));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Deletes what is of no more use once an index was made: other versions of it, the titles if all
    /// words are there, what killed processes left, and what was used longest ago, until the rest has at
    /// most `max_bytes`. What cannot be deleted stays: the next one will try again.
    pub fn tidy(&self, key: &Key, made: Kind, max_bytes: u64) {
        self.sweep();
        let (text, titles) = (key.stem(Kind::FullText), key.stem(Kind::Titles));
        let mut kept = self.kept();
        kept.retain(|kept| {
            let is_current = kept.stem == text || kept.stem == titles && made == Kind::Titles;
            is_current || !kept.stem.starts_with(&key.start()) || fs::remove_file(&kept.path).is_err()
        });
        let mut total: u64 = kept.iter().map(|kept| kept.len).sum();
        kept.retain(|kept| kept.stem != key.stem(made));
        kept.sort_by(|a, b| a.used.cmp(&b.used).then_with(|| a.stem.cmp(&b.stem)));
        for kept in kept {
            if total <= max_bytes {
                break;
            }
            if fs::remove_file(&kept.path).is_ok() {
                total = total.saturating_sub(kept.len);
            }
        }
    }

    /// Deletes what processes left that were killed while they made an index.
    fn sweep(&self) {
        for name in self.names() {
            if let Some(stem) = name.strip_suffix(BUILDING).or_else(|| name.strip_suffix(LOCK))
                && key::is_name(stem)
                && let Ok(Some(lock)) = self.try_lock(stem)
            {
                lock.clear();
            }
        }
    }

    /// Returns the names of what is in the folder.
    fn names(&self) -> Vec<String> {
        let files = fs::read_dir(&self.0).into_iter().flatten().flatten();
        files.filter_map(|file| file.file_name().into_string().ok()).collect()
    }

    /// Returns the indexes that are kept, of any ZIM and version.
    fn kept(&self) -> Vec<Kept> {
        let kept = |name: String| {
            let stem = name.strip_suffix(INDEX).filter(|stem| key::is_name(stem))?.to_string();
            let path = self.0.join(&name);
            let metadata = fs::symlink_metadata(&path).ok().filter(fs::Metadata::is_file)?;
            let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            Some(Kept { stem, path, len: metadata.len(), used })
        };
        self.names().into_iter().filter_map(kept).collect()
    }
}

/// An index that is kept.
struct Kept {
    stem: String,
    path: PathBuf,
    len: u64,
    used: SystemTime,
}

/// Notes that an index was used: its file's time of change, which nothing else needs.
pub fn touch(path: &Path) {
    let used = fs::symlink_metadata(path).and_then(|metadata| metadata.modified());
    // A clock that was set back must not keep a file for ever.
    if used.is_ok_and(|used| used.elapsed().map_or(true, |since| since >= MINUTE))
        && let Ok((file, _)) = open_regular(path, File::options().append(true), Links::Refused)
    {
        // If this fails, it is taken for older than it is.
        let _ = file.set_modified(SystemTime::now());
    }
}

/// The right to make the index of a name; given up when dropped, or when the process ends.
pub struct Lock {
    path: PathBuf,
    index: PathBuf,
    file: File,
}

impl Lock {
    fn folder(&self) -> PathBuf {
        self.index.with_extension(&BUILDING[1..])
    }

    /// Deletes what was half made.
    fn clear(&self) {
        // There is nothing, as a rule.
        let _ = fs::remove_dir_all(self.folder());
    }

    /// Makes an empty folder to make the index in.
    pub fn building(self) -> Result<Building> {
        self.clear();
        let folder = self.folder();
        fs::create_dir(&folder).map_err(|e| Error::io("create", &folder, e))?;
        Ok(Building { folder, lock: self })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While it is held: who opens the name from now on makes a new file, and who has opened it before
        // sees that it is gone. Elsewhere an open file cannot be deleted and made anew; it stays, empty.
        if cfg!(unix) {
            let _ = fs::remove_file(&self.path);
        }
        let _ = self.file.unlock();
    }
}

/// An index on its way; dropped before it is kept, it leaves nothing.
pub struct Building {
    folder: PathBuf,
    lock: Lock,
}

impl Building {
    /// Returns the file that is to be made.
    pub fn file(&self) -> PathBuf {
        self.folder.join("index.tome")
    }

    /// Gives the file its name; returns it.
    pub fn keep(self) -> Result<PathBuf> {
        let (file, index) = (self.file(), self.lock.index.clone());
        #[cfg(unix)]
        {
            let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            fs::set_permissions(&file, private).map_err(|e| Error::io("set the mode of", &file, e))?;
        }
        fs::rename(&file, &index).map_err(|e| Error::io("rename the finished index to", &index, e))?;
        Ok(index)
    }
}

impl Drop for Building {
    fn drop(&mut self) {
        self.lock.clear();
    }
}

/// A folder for an index that is not kept, in the system's temporary one; deleted when it is dropped.
///
/// A lock in it tells that its maker lives: what killed processes left is deleted when another is made.
pub struct Scratch {
    // In this order: where an open file cannot be deleted, it is closed first.
    _lock: File,
    folder: tempfile::TempDir,
}

/// How the names of these folders begin.
const SCRATCH: &str = "tome-index-";

/// After so long a folder without a lock was left, and is not just being made.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Scratch {
    /// Makes one.
    pub fn new() -> Result<Self> {
        let root = std::env::temp_dir();
        sweep_scratch(&root);
        let mut builder = tempfile::Builder::new();
        builder.prefix(SCRATCH);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        loop {
            let folder =
                builder.tempdir_in(&root).map_err(|e| Error::io("create a temporary folder in", &root, e))?;
            let path = folder.path().join(LOCK);
            let made = File::options().write(true).create_new(true).open(&path);
            let lock = made.map_err(|e| Error::io("create", &path, e))?;
            // If it fails, the folder is only not known to be in use, which a day excuses.
            let _ = lock.try_lock();
            // Who swept in the moment before the lock has deleted it.
            if is_at(&lock, &path) {
                return Ok(Self { _lock: lock, folder });
            }
        }
    }

    /// Returns the file that is to be made.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("index.tome")
    }
}

/// Deletes what killed processes of this user left in the folder of temporary files.
fn sweep_scratch(root: &Path) {
    for file in fs::read_dir(root).into_iter().flatten().flatten() {
        if !file.file_name().to_string_lossy().starts_with(SCRATCH) {
            continue;
        }
        let path = file.path();
        let Ok(found) = fs::symlink_metadata(&path) else { continue };
        if !found.is_dir() || !is_own(&found) {
            continue;
        }
        let lock = open_regular(&path.join(LOCK), File::options().write(true), Links::Refused);
        let is_left = match &lock {
            Ok((lock, _)) => lock.try_lock().is_ok(),
            Err(_) => found.modified().is_ok_and(|made| made.elapsed().is_ok_and(|age| age > DAY)),
        };
        if is_left {
            // What cannot be deleted stays: the next one will try again.
            let _ = fs::remove_dir_all(&path);
        }
    }
}

/// Returns true if a file is the user's.
#[cfg(unix)]
fn is_own(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(metadata) == rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
fn is_own(_: &fs::Metadata) -> bool {
    true
}

/// Returns true if the mode lets others write.
#[cfg(unix)]
fn may_others_write(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::mode(metadata) & 0o022 != 0
}

#[cfg(not(unix))]
fn may_others_write(_: &fs::Metadata) -> bool {
    false
}

/// Returns true if a path still leads to an open file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(open), Ok(named)) = (file.metadata(), fs::symlink_metadata(path)) else { return false };
    (open.dev(), open.ino()) == (named.dev(), named.ino())
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}
