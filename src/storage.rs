//! Where an archive's bytes come from: memory, a mapping, or reads by position.
//!
//! The only file of the crate with `unsafe` code: mapping a file is safe only as long as nobody
//! changes the file under the mapping, which no program can promise. [`Mapped::open`] says what its
//! caller accepts; [`Positional`] avoids the question. What a change could do is bounded: pages and
//! blocks are compared with their hashes when they are first touched, and no byte of an archive is
//! ever trusted to be text, a length or an offset without a check. A file *cut short* under the
//! mapping would end the process with SIGBUS; [`guard_faults`] turns that into an error.

use std::borrow::Cow;
use std::fs::{File, Metadata, OpenOptions};
use std::ops::Range;
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::{
    io::{Seek, SeekFrom},
    os::unix::fs::{FileTypeExt, OpenOptionsExt},
};

use crate::error::{Error, Result};

mod parts;
pub use parts::Parts;

/// Gives ranges of bytes.
pub trait Storage: Send + Sync {
    /// Returns the length in bytes.
    fn len(&self) -> u64;

    /// Returns true if there are no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the bytes of a range.
    ///
    /// # Errors
    ///
    /// Fails if the range leaves the storage, or if the medium fails.
    fn read(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>>;

    /// Returns true if a range read twice is the same memory, so that checking it once is enough.
    fn is_stable(&self) -> bool;

    /// Returns all bytes as one slice, if they lie in memory as one, without looking for faults.
    fn whole(&self) -> Option<&[u8]> {
        None
    }

    /// Says that a range will be read from end to end soon, so that the medium can be asked for it in one
    /// go. A hint: it costs a system call, and what becomes of it is the system's business.
    fn will_read(&self, _range: Range<u64>) {}

    /// Returns the error of a fault that a guarded mapping has met so far.
    ///
    /// # Errors
    ///
    /// Fails once the medium has failed under a mapping: what was read since may be zeros.
    fn check_fault(&self) -> Result<()> {
        Ok(())
    }
}

fn outside(range: &Range<u64>, len: u64) -> Error {
    let source = std::io::Error::new(
        std::io::ErrorKind::UnexpectedEof,
        format!("bytes {} to {} of {len}", range.start, range.end),
    );
    Error::io("read", "archive", source)
}

fn slice<'a>(bytes: &'a [u8], range: &Range<u64>) -> Result<&'a [u8]> {
    let bounds = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
    bounds.and_then(|(a, b)| bytes.get(a..b)).ok_or_else(|| outside(range, bytes.len() as u64))
}

/// Bytes in memory.
#[derive(Debug, Clone)]
pub struct Owned(pub Vec<u8>);

impl Storage for Owned {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>> {
        slice(&self.0, &range).map(Cow::Borrowed)
    }

    fn is_stable(&self) -> bool {
        true
    }

    fn whole(&self) -> Option<&[u8]> {
        Some(&self.0)
    }
}

/// A part of a file that begins at some byte, read by position.
#[derive(Debug)]
pub struct Positional {
    file: File,
    path: PathBuf,
    start: u64,
    len: u64,
}

impl Positional {
    /// Opens a file from `start` on. Costs a read per page and block, and a copy; a file that changes
    /// or shrinks meanwhile gives errors and nothing worse.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be opened or begins behind its end.
    pub fn open(path: &Path, start: u64) -> Result<Self> {
        let (file, file_len) = open_file(path)?;
        let len = from_start(path, start, file_len)?;
        Ok(Self { file, path: path.to_path_buf(), start, len })
    }
}

/// Whether a path may lead through a link at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// As any path that a person gives.
    Followed,
    /// Where only files belong that this program made; a link there is somebody's trap.
    Refused,
}

/// Opens a regular file, or a device that is as good as one (a disk), and returns its length.
///
/// Never waits, as opening a FIFO would until somebody writes to it.
///
/// # Errors
///
/// Fails if it cannot be opened as the options say, or is none of these: a FIFO, a terminal, a folder.
pub fn open_regular(path: &Path, options: &mut OpenOptions, links: Links) -> Result<(File, u64)> {
    #[cfg(unix)]
    {
        let no_link = if links == Links::Refused { libc::O_NOFOLLOW } else { 0 };
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY | no_link);
    }
    #[cfg(not(unix))]
    if links == Links::Refused && path.is_symlink() {
        return Err(irregular(path, "a link"));
    }
    // Opened first: what is looked at before may be another one than what is opened.
    let opened = options.open(path).and_then(|file| Ok((file.metadata()?, file)));
    let (metadata, file) = opened.map_err(|e| match std::fs::symlink_metadata(path) {
        // Why these cannot be opened is said in as many ways as there are systems.
        Ok(found) if found.is_symlink() && links == Links::Refused => irregular(path, "a link"),
        Ok(found) if found.is_dir() => irregular(path, "a folder"),
        _ => Error::io("open", path, e),
    })?;
    if metadata.is_file() {
        return Ok((file, metadata.len()));
    }
    let len = device_len(&file, &metadata).map_err(|e| Error::io("read the length of", path, e))?;
    let what = if metadata.is_dir() { "a folder" } else { "a FIFO, a socket or a device" };
    len.map(|len| (file, len)).ok_or_else(|| irregular(path, what))
}

/// Opens a file that a person named.
///
/// # Errors
///
/// As [`open_regular`].
pub fn open_file(path: &Path) -> Result<(File, u64)> {
    open_regular(path, OpenOptions::new().read(true), Links::Followed)
}

fn irregular(path: &Path, what: &str) -> Error {
    Error::InvalidInput(format!("{} is not a regular file, but {what}", path.display()))
}

/// Returns the length of a block device, which does not say it as files do; nothing for another kind.
#[cfg(unix)]
fn device_len(mut file: &File, metadata: &Metadata) -> std::io::Result<Option<u64>> {
    if !metadata.file_type().is_block_device() {
        return Ok(None);
    }
    let len = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    Ok(Some(len))
}

#[cfg(not(unix))]
fn device_len(_: &File, _: &Metadata) -> std::io::Result<Option<u64>> {
    Ok(None)
}

fn from_start(path: &Path, start: u64, file_len: u64) -> Result<u64> {
    file_len.checked_sub(start).ok_or_else(|| {
        Error::InvalidInput(format!("{}: byte {start} is behind its end at {file_len}", path.display()))
    })
}

impl Storage for Positional {
    fn len(&self) -> u64 {
        self.len
    }

    fn read(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>> {
        if range.start > range.end || range.end > self.len {
            return Err(outside(&range, self.len));
        }
        let n = usize::try_from(range.end - range.start).map_err(|_| outside(&range, self.len))?;
        let mut bytes = vec![0; n];
        read_exact_at(&self.file, &mut bytes, self.start + range.start)
            .map_err(|e| Error::io("read", &self.path, e))?;
        Ok(Cow::Owned(bytes))
    }

    fn is_stable(&self) -> bool {
        false
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, bytes: &mut [u8], at: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut bytes: &mut [u8], mut at: u64) -> std::io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, at)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            n => {
                bytes = &mut bytes[n..];
                at += n as u64;
            }
        }
    }
    Ok(())
}

/// A file mapped into memory, from some byte on.
#[derive(Debug)]
pub struct Mapped {
    // Dropped before the mapping, whose addresses another one may take at once.
    #[cfg(unix)]
    watched: Option<fault::Watched>,
    map: Option<memmap2::Mmap>,
    start: usize,
    path: PathBuf,
}

impl Mapped {
    /// Maps a file. The archive then begins at byte `start`.
    ///
    /// Costs two system calls; no byte is read until it is needed.
    ///
    /// The caller accepts that nobody changes the file while it is mapped. An archive is replaced
    /// safely by renaming a new file over it, as this crate's writer does; rewriting it in place may
    /// show a reader old and new bytes mixed (pages that were checked already are not checked
    /// again), and cutting it short ends the process unless [`guard_faults`] was called; a cut within
    /// the file's last page shows zeros and no fault.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be opened or mapped; on a 32-bit machine, if it is larger than the
    /// address space (then [`Positional`] reads it).
    pub fn open(path: &Path, start: u64) -> Result<Self> {
        Self::open_with(path, start, Links::Followed)
    }

    /// Maps a file, as [`Mapped::open`] does.
    ///
    /// # Errors
    ///
    /// As [`Mapped::open`]; fails at a link that is refused.
    #[expect(unsafe_code, reason = "mapping a file; what is said at `open` is what the caller accepts")]
    pub fn open_with(path: &Path, start: u64, links: Links) -> Result<Self> {
        let (file, file_len) = open_regular(path, OpenOptions::new().read(true), links)?;
        from_start(path, start, file_len)?;
        let (Ok(len), Ok(start)) = (usize::try_from(file_len), usize::try_from(start)) else {
            return Err(Error::LimitExceeded {
                what: format!("{} (to be mapped on a 32-bit machine; --no-mmap reads it)", path.display()),
                limit: usize::MAX as u64,
                wanted: file_len,
            });
        };
        let map = if file_len == 0 {
            None
        } else {
            // A device's length is not what the system says of it as a file.
            let mut options = memmap2::MmapOptions::new();
            options.len(len);
            // SAFETY: the mapping is read-only and lives in `Mapped`, which hands out slices that
            // borrow from it. That no other process changes the file is the caller's promise.
            let map = unsafe { options.map(&file) }.map_err(|e| Error::io("map", path, e))?;
            // Look-ups jump about; read-ahead would fetch 128 KB for every page of 4.
            #[cfg(unix)]
            let _ = map.advise(memmap2::Advice::Random);
            Some(map)
        };
        #[cfg(unix)]
        let watched = map.as_ref().and_then(|m| fault::watch(m.as_ptr() as usize, m.len()));
        Ok(Self {
            #[cfg(unix)]
            watched,
            map,
            start,
            path: path.to_path_buf(),
        })
    }

    fn bytes(&self) -> &[u8] {
        self.map.as_ref().map_or(&[], |m| &m[self.start..])
    }
}

impl Storage for Mapped {
    fn len(&self) -> u64 {
        self.bytes().len() as u64
    }

    fn read(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>> {
        self.check_fault()?;
        slice(self.bytes(), &range).map(Cow::Borrowed)
    }

    fn is_stable(&self) -> bool {
        true
    }

    fn whole(&self) -> Option<&[u8]> {
        Some(self.bytes())
    }

    #[cfg(unix)]
    fn will_read(&self, range: Range<u64>) {
        let (start, end) = (range.start.min(self.len()) as usize, range.end.min(self.len()) as usize);
        if let Some(map) = &self.map
            && start < end
        {
            let _ = map.advise_range(memmap2::Advice::WillNeed, self.start + start, end - start);
        }
    }

    fn check_fault(&self) -> Result<()> {
        #[cfg(unix)]
        if self.watched.as_ref().is_some_and(fault::Watched::is_broken) {
            let source =
                std::io::Error::other("the file was cut short or its medium failed while it was open");
            return Err(Error::io("read", &self.path, source));
        }
        let _ = &self.path;
        Ok(())
    }
}

/// A part of another storage: an archive inside a larger file.
pub struct Part {
    inner: Box<dyn Storage>,
    start: u64,
    len: u64,
}

impl Part {
    /// Returns `len` bytes of `inner` from `start` on, or as many as there are.
    pub fn new(inner: Box<dyn Storage>, start: u64, len: u64) -> Self {
        let start = start.min(inner.len());
        let len = len.min(inner.len() - start);
        Self { inner, start, len }
    }
}

impl Storage for Part {
    fn len(&self) -> u64 {
        self.len
    }

    fn read(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>> {
        if range.start > range.end || range.end > self.len {
            return Err(outside(&range, self.len));
        }
        self.inner.read(self.start + range.start..self.start + range.end)
    }

    fn is_stable(&self) -> bool {
        self.inner.is_stable()
    }

    fn whole(&self) -> Option<&[u8]> {
        let (start, len) = (usize::try_from(self.start).ok()?, usize::try_from(self.len).ok()?);
        self.inner.whole()?.get(start..start.checked_add(len)?)
    }

    fn will_read(&self, range: Range<u64>) {
        let inside = |at: u64| self.start.saturating_add(at.min(self.len));
        self.inner.will_read(inside(range.start)..inside(range.end));
    }

    fn check_fault(&self) -> Result<()> {
        self.inner.check_fault()
    }
}

/// Keeps the process alive when a mapped file is cut short or its medium fails: the system's SIGBUS
/// is answered by putting a page of zeros over the fault and marking the mapping broken, so that
/// every later read of it is an error. Process-wide, so it is for a program's `main`, not for a
/// library; a fault outside our mappings is treated as before. Does nothing outside Unix.
pub fn guard_faults() {
    #[cfg(unix)]
    fault::install();
}

/// Makes a write beyond the size that files may have (`ulimit -f`) an error, where the system would end
/// the process. Process-wide, as [`guard_faults`]. Does nothing outside Unix.
#[cfg_attr(unix, expect(unsafe_code, reason = "the system's call that ignores a signal"))]
pub fn refuse_long_files() {
    // SAFETY: to ignore a signal no code of ours runs when it comes.
    #[cfg(unix)]
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
}

/// Gives memory back to the system as soon as it is free, for a program of many threads each of which
/// decodes now and then: pieces of 256 KiB and more, and what lies free at the end of a heap; and the
/// threads share two heaps. Serving 22,000 articles from 50 threads then keeps 40 MB instead of 170.
/// Process-wide, as [`guard_faults`]. Does nothing outside glibc.
#[cfg_attr(all(target_os = "linux", target_env = "gnu"), expect(unsafe_code, reason = "glibc's settings"))]
pub fn keep_little_memory() {
    // SAFETY: mallopt may be called at any time; what it refuses it leaves as it is.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 256 << 10);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 1 << 20);
        libc::mallopt(libc::M_ARENA_MAX, 2);
    }
}

#[cfg(unix)]
mod fault {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    /// Mappings beyond this many are not guarded.
    const SLOTS: usize = 1024;

    struct Slot {
        start: AtomicUsize,
        end: AtomicUsize,
        broken: AtomicBool,
    }

    // A signal handler may touch only memory that is always there: no lock, no allocation.
    static TABLE: [Slot; SLOTS] = [const {
        Slot { start: AtomicUsize::new(0), end: AtomicUsize::new(0), broken: AtomicBool::new(false) }
    }; SLOTS];
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    static PAGE_SIZE: AtomicUsize = AtomicUsize::new(0);

    /// A guarded mapping; its slot is free again when this is dropped.
    #[derive(Debug)]
    pub struct Watched(usize);

    impl Watched {
        pub fn is_broken(&self) -> bool {
            TABLE[self.0].broken.load(Ordering::Relaxed)
        }
    }

    impl Drop for Watched {
        fn drop(&mut self) {
            let slot = &TABLE[self.0];
            slot.end.store(0, Ordering::SeqCst);
            slot.broken.store(false, Ordering::SeqCst);
            slot.start.store(0, Ordering::SeqCst);
        }
    }

    /// Guards a mapping, if the guard is installed and a slot is free.
    pub fn watch(start: usize, len: usize) -> Option<Watched> {
        if !INSTALLED.load(Ordering::SeqCst) {
            return None;
        }
        let free = |slot: &Slot| slot.start.compare_exchange(0, start, Ordering::SeqCst, Ordering::SeqCst);
        let i = TABLE.iter().position(|slot| free(slot).is_ok())?;
        // The end is stored last: a slot with an end is whole.
        TABLE[i].end.store(start + len, Ordering::SeqCst);
        Some(Watched(i))
    }

    #[expect(unsafe_code, reason = "installing a signal handler")]
    pub fn install() {
        if INSTALLED.swap(true, Ordering::SeqCst) {
            return;
        }
        // SAFETY: plain libc calls with zeroed, then filled, structures; the handler itself is
        // async-signal-safe (see there).
        unsafe {
            PAGE_SIZE.store(libc::sysconf(libc::_SC_PAGESIZE) as usize, Ordering::SeqCst);
            let mut action: libc::sigaction = std::mem::zeroed();
            let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = on_sigbus;
            action.sa_sigaction = handler as usize;
            action.sa_flags = libc::SA_SIGINFO;
            libc::sigemptyset(&raw mut action.sa_mask);
            libc::sigaction(libc::SIGBUS, &raw const action, std::ptr::null_mut());
        }
    }

    #[expect(unsafe_code, reason = "a signal handler that maps zeros over a fault")]
    extern "C" fn on_sigbus(_signal: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
        // SAFETY: the kernel passes a valid siginfo for SA_SIGINFO handlers. Only atomics, mmap and
        // sigaction are used, which are async-signal-safe on the systems we build for. The page that
        // is replaced lies inside a live mapping of ours, found in the table, so nothing else is
        // there.
        unsafe {
            let address = (*info).si_addr() as usize;
            for slot in &TABLE {
                let (start, end) = (slot.start.load(Ordering::SeqCst), slot.end.load(Ordering::SeqCst));
                if start == 0 || address < start || address >= end {
                    continue;
                }
                slot.broken.store(true, Ordering::SeqCst);
                let size = PAGE_SIZE.load(Ordering::SeqCst);
                let page = address / size * size;
                let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
                let zeros = libc::mmap(page as *mut libc::c_void, size, libc::PROT_READ, flags, -1, 0);
                if zeros != libc::MAP_FAILED {
                    return;
                }
            }
            // Not ours: the default action, when the faulting instruction runs again.
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = libc::SIG_DFL;
            libc::sigaction(libc::SIGBUS, &raw const action, std::ptr::null_mut());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn all_storages_give_the_same_ranges_and_refuse_the_same() {
        let bytes: Vec<u8> = (0..10_000u32).map(|i| i as u8).collect();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        let storages: Vec<Box<dyn Storage>> = vec![
            Box::new(Owned(bytes[100..].to_vec())),
            Box::new(Positional::open(file.path(), 100).unwrap()),
            Box::new(Mapped::open(file.path(), 100).unwrap()),
            Box::new(Part::new(Box::new(Owned(bytes.clone())), 100, u64::MAX)),
        ];
        for s in &storages {
            assert_eq!(s.len(), 9_900);
            assert_eq!(*s.read(5..50).unwrap(), bytes[105..150]);
            s.will_read(5..u64::MAX);
            assert!(s.read(0..9_901).is_err());
            assert!(s.read(u64::MAX - 1..u64::MAX).is_err());
            #[expect(clippy::reversed_empty_ranges, reason = "what a hostile archive may ask for")]
            let reversed = 7..3;
            assert!(s.read(reversed).is_err());
        }
        assert!(Mapped::open(file.path(), 10_001).is_err());
    }

    /// What is no file; opening the first would wait for ever.
    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_refused_at_once() {
        let dir = tempfile::TempDir::new().unwrap();
        let fifo = dir.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let socket = dir.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for path in [&fifo, &socket, Path::new("/dev/null"), Path::new("/dev/zero"), dir.path()] {
            for error in [Mapped::open(path, 0).map(drop), Positional::open(path, 0).map(drop)] {
                let error = error.unwrap_err().to_string();
                assert!(error.contains(&*path.to_string_lossy()), "{error}");
                let is_socket = path == socket;
                assert!(is_socket || error.contains("is not a regular file, but a"), "{error}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_only_where_they_may_be() {
        let dir = tempfile::TempDir::new().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        std::fs::write(&file, "bytes").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(Mapped::open(&link, 0).unwrap().len(), 5);
        assert_eq!(Mapped::open_with(&file, 0, Links::Refused).unwrap().len(), 5);
        let error = Mapped::open_with(&link, 0, Links::Refused).unwrap_err().to_string();
        assert!(error.contains("but a link"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_cut_short_under_its_mapping_is_an_error_and_not_the_end() {
        guard_faults();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&vec![7; 1 << 20]).unwrap();
        let mapped = Mapped::open(file.path(), 0).unwrap();
        file.as_file().set_len(4096).unwrap();
        let tail = mapped.read(1 << 19..1 << 20).unwrap();
        assert!(tail.iter().all(|&b| b == 0));
        assert!(mapped.check_fault().is_err());
        assert!(mapped.read(0..10).is_err());
    }
}
