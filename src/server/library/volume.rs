//! An archive of the library: open or broken, and who may read it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::files::Stamp;
use crate::book::{Book, Cache, CacheOptions, Counts, Format, IndexKind, OpenOptions};
use crate::hex::to_hex;
use crate::item::{Metadata, keys};
use crate::server::indexing::Progress;

/// Threads that may wait for one archive at a time.
const READERS: usize = 8;

/// Threads that may wait for one disk at a time, with all its archives.
pub const READERS_OF_DISK: usize = 64;

/// Requests that may wait for those while none of them gets on.
const WAITING: usize = 64;

/// Requests that may wait for those in any case.
const WAITING_AT_MOST: usize = 4096;

/// How long it takes until it is plain that none gets on.
const STILL: Duration = Duration::from_secs(1);

/// The longest that a request waits for them.
const PATIENCE: Duration = Duration::from_secs(5);

/// Bytes of decoded clusters that each ZIM keeps.
const ZIM_CACHE: usize = 8 << 20;

/// The most letters of a title that are shown.
const MAX_TITLE: usize = 200;

/// An archive of the library, in one state of its file.
pub struct Volume {
    /// What it is called in addresses: its file's name without the ending, and a number if another has
    /// that.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    pub(super) stamp: Stamp,
    opened: OnceLock<Result<Arc<Book>, String>>,
    about: OnceLock<About>,
    tag: OnceLock<String>,
    ready: Notify,
    places: Arc<Semaphore>,
    /// Those of its disk.
    disk: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// When somebody last got a place.
    went_on: Mutex<Instant>,
    /// What makes its indexes, of titles and of all words.
    indexing: [Mutex<Option<Arc<Progress>>>; 2],
}

/// What a card says of an archive: read once, so that no page waits for a disk.
#[derive(Debug, Clone)]
pub struct About {
    /// Its metadata; none if they are damaged.
    pub metadata: Metadata,
    /// How many entries there are of each kind.
    pub counts: Counts,
    /// The path of the main page.
    pub main: Option<String>,
    /// Its length in bytes.
    pub size: u64,
    /// Its format.
    pub format: Format,
    /// What only a ZIM says.
    pub zim: Option<ZimFacts>,
}

/// What a ZIM says of itself beside its metadata, for catalogues.
#[derive(Debug, Clone, Default)]
pub struct ZimFacts {
    /// Its UUID.
    pub uuid: String,
    /// How many articles there are, as libzim counts them.
    pub articles: u64,
    /// How many pictures, sounds and videos there are, as libzim counts them.
    pub media: u64,
    /// True if it has its picture where old files have it.
    pub has_favicon: bool,
}

/// Why a request does not get at an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Too many wait for it, or it is still being opened.
    Busy,
    /// It cannot be opened.
    Broken(String),
}

/// A place among those who may wait for an archive and its disk, for as long as it is held.
pub struct Place {
    _of_archive: OwnedSemaphorePermit,
    _of_disk: OwnedSemaphorePermit,
}

/// The leave to read an archive, for as long as it is held.
pub struct Lease {
    /// The archive.
    pub volume: Arc<Volume>,
    /// It, open.
    pub book: Arc<Book>,
    _place: Place,
}

/// One of those who wait, until this is dropped: also where a client goes away meanwhile.
struct Waiter<'a> {
    count: &'a AtomicUsize,
    before: usize,
}

impl<'a> Waiter<'a> {
    fn of(count: &'a AtomicUsize) -> Self {
        Self { before: count.fetch_add(1, Ordering::Relaxed), count }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Volume {
    pub(super) fn new(name: String, path: PathBuf, stamp: Stamp, disk: Arc<Semaphore>) -> Self {
        Self {
            name,
            path,
            stamp,
            opened: OnceLock::new(),
            about: OnceLock::new(),
            tag: OnceLock::new(),
            ready: Notify::new(),
            places: Arc::new(Semaphore::new(READERS)),
            disk,
            waiting: AtomicUsize::new(0),
            went_on: Mutex::new(Instant::now()),
            indexing: Default::default(),
        }
    }

    /// Returns the open archive; nothing if it is being opened or is broken.
    pub fn book(&self) -> Option<&Arc<Book>> {
        self.opened.get()?.as_ref().ok()
    }

    /// Returns why it could not be opened.
    pub fn fault(&self) -> Option<&str> {
        self.opened.get()?.as_ref().err().map(String::as_str)
    }

    /// Returns what it says of itself, once that was read.
    pub fn about(&self) -> Option<&About> {
        self.about.get()
    }

    /// Returns its title, else its name.
    pub fn title(&self) -> &str {
        let title = self.about().and_then(|about| about.metadata.text(keys::TITLE));
        let title = title.map(str::trim).filter(|title| !title.is_empty()).unwrap_or(&self.name);
        // It stands on every page.
        title.char_indices().nth(MAX_TITLE).map_or(title, |(end, _)| &title[..end])
    }

    /// Returns the work of making one of its indexes.
    pub fn indexing(&self, kind: IndexKind) -> MutexGuard<'_, Option<Arc<Progress>>> {
        let [titles, words] = &self.indexing;
        let which = if kind == IndexKind::Titles { titles } else { words };
        which.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is known what it says of itself, or why it cannot be opened.
    pub async fn known(&self) {
        self.once(|| (self.about().is_some() || self.fault().is_some()).then_some(())).await;
    }

    /// Waits until opening it has come so far that there is an answer.
    async fn once<T>(&self, answer: impl Fn() -> Option<T>) -> T {
        loop {
            let mut ready = std::pin::pin!(self.ready.notified());
            // From here on nothing is missed.
            ready.as_mut().enable();
            if let Some(answer) = answer() {
                return answer;
            }
            ready.await;
        }
    }

    /// Waits until it may be read. Where its disk does not answer, only a few wait, and all others are
    /// told at once.
    pub async fn lease(self: &Arc<Self>) -> Result<Lease, Refusal> {
        let waiter = Waiter::of(&self.waiting);
        let is_still = || self.went_on.lock().unwrap_or_else(PoisonError::into_inner).elapsed() >= STILL;
        if waiter.before >= WAITING_AT_MOST || (waiter.before >= WAITING && is_still()) {
            return Err(Refusal::Busy);
        }
        tokio::time::timeout(PATIENCE, self.wait()).await.unwrap_or(Err(Refusal::Busy))
    }

    /// Returns the leave to read it if it can be had at once.
    pub fn lease_now(self: &Arc<Self>) -> Option<Lease> {
        let book = Arc::clone(self.book()?);
        let place = Place {
            _of_archive: Arc::clone(&self.places).try_acquire_owned().ok()?,
            _of_disk: Arc::clone(&self.disk).try_acquire_owned().ok()?,
        };
        Some(Lease { volume: Arc::clone(self), book, _place: place })
    }

    async fn wait(self: &Arc<Self>) -> Result<Lease, Refusal> {
        let book =
            self.once(|| self.opened.get()).await.as_ref().map_err(|fault| Refusal::Broken(fault.clone()))?;
        match self.place().await {
            Some(place) => Ok(Lease { volume: Arc::clone(self), book: Arc::clone(book), _place: place }),
            None => Err(Refusal::Busy),
        }
    }

    /// Waits for a place among those who read it, in line and for as long as it takes; nothing if the
    /// library is closed.
    pub async fn place(&self) -> Option<Place> {
        let place = Place {
            _of_archive: Arc::clone(&self.places).acquire_owned().await.ok()?,
            _of_disk: Arc::clone(&self.disk).acquire_owned().await.ok()?,
        };
        *self.went_on.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        Some(place)
    }

    /// Returns true if the file that is open was written to since: what was read of it may be old bytes
    /// and new ones. One that another was put in place of keeps its bytes.
    pub fn is_rewritten(&self) -> bool {
        Stamp::at(&self.path).is_ok_and(|now| {
            (now.disk, now.inode) == (self.stamp.disk, self.stamp.inode) && now != self.stamp
        })
    }

    /// Opens the file and reads what it says of itself.
    pub(super) fn open(&self, cache: &Arc<Cache>, index: &CacheOptions) {
        let options = OpenOptions {
            cache: Some(Arc::clone(cache)),
            zim_cache: Some(ZIM_CACHE),
            index: index.clone(),
            ..OpenOptions::default()
        };
        let opened = Book::open(&self.path, &options).map(Arc::new).map_err(|e| e.to_string());
        let book = opened.as_ref().ok().cloned();
        if let Some(book) = &book {
            let _ = self.tag.set(self.made_tag(book));
        }
        let _ = self.opened.set(opened);
        self.ready.notify_waiters();
        if let Some(book) = book {
            let _ = self.about.set(self.read_about(&book));
            self.ready.notify_waiters();
        }
    }

    fn read_about(&self, book: &Book) -> About {
        About {
            metadata: book.metadata().cloned().unwrap_or_default(),
            counts: book.counts().unwrap_or_default(),
            main: book.main_entry().ok().flatten().map(|entry| entry.path().to_owned()),
            size: book.size(),
            format: book.format(),
            zim: book.as_zim().map(|zim| ZimFacts {
                uuid: book.uuid().unwrap_or_default(),
                articles: zim.article_count().unwrap_or_default(),
                media: zim.media_count().unwrap_or_default(),
                has_favicon: zim.illustrations().is_ok_and(|all| all.iter().any(|one| one.key.is_none())),
            }),
        }
    }

    /// Returns when the file was last changed.
    pub fn modified(&self) -> Option<SystemTime> {
        self.stamp.modified
    }

    /// Returns what no other file has, nor this one after a change, in hex: of a `.tome` from its root hash,
    /// of a ZIM from its identity and time. Empty until it is open.
    pub fn tag(&self) -> &str {
        self.tag.get().map_or("", String::as_str)
    }

    fn made_tag(&self, book: &Book) -> String {
        match book.file_id() {
            Some(id) => to_hex(&id[..12]),
            None => {
                let mut hasher = blake3::Hasher::new();
                hasher.update(book.uuid().unwrap_or_default().as_bytes());
                hasher.update(self.path.as_os_str().as_encoded_bytes());
                hasher.update(format!("{:?}", self.stamp).as_bytes());
                to_hex(&hasher.finalize().as_bytes()[..12])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(disk: &Arc<Semaphore>) -> Arc<Volume> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tome");
        let options = crate::writer::Options::default();
        let writer = crate::writer::Writer::create(&path, options, &crate::item::Silent).unwrap();
        writer.finish(&crate::item::About::default()).unwrap();
        let stamp = Stamp::at(&path).unwrap();
        let volume = Arc::new(Volume::new("a".into(), path, stamp, Arc::clone(disk)));
        volume.open(&Arc::new(Cache::new(1 << 20)), &CacheOptions::default());
        assert_eq!(volume.fault(), None);
        volume
    }

    fn disk() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(READERS_OF_DISK))
    }

    /// Runs with a clock that goes on by itself where nothing else does.
    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(test);
    }

    #[test]
    fn s11_readers_of_one_archive_that_hangs_keep_no_other_waiting() {
        run(async {
            let disk = disk();
            let (hangs, other) = (volume(&disk), volume(&disk));
            let mut held = vec![];
            for _ in 0..READERS {
                held.push(hangs.lease().await.unwrap());
            }
            assert!(hangs.lease_now().is_none());
            let waiters: Vec<_> = (0..WAITING)
                .map(|_| {
                    let hangs = Arc::clone(&hangs);
                    tokio::spawn(async move { hangs.lease().await.is_ok() })
                })
                .collect();
            while hangs.waiting.load(Ordering::Relaxed) < WAITING {
                tokio::task::yield_now().await;
            }
            *hangs.went_on.lock().unwrap() = Instant::now().checked_sub(STILL).unwrap();
            // The next one is sent away at once, not after the time for which the others wait.
            let soon = Duration::from_secs(2);
            let sent_away = tokio::time::timeout(soon, hangs.lease()).await.unwrap();
            assert_eq!(sent_away.err(), Some(Refusal::Busy));
            assert!(tokio::time::timeout(soon, other.lease()).await.unwrap().is_ok());
            drop(held);
            for waiter in waiters {
                assert!(waiter.await.unwrap());
            }
            assert_eq!(hangs.waiting.load(Ordering::Relaxed), 0);
        });
    }

    #[test]
    fn as_many_as_come_wait_for_an_archive_that_answers() {
        run(async {
            let volume = volume(&disk());
            let readers: Vec<_> = (0..10 * WAITING)
                .map(|_| {
                    let volume = Arc::clone(&volume);
                    tokio::spawn(async move {
                        let lease = volume.lease().await;
                        tokio::task::yield_now().await;
                        lease.is_ok()
                    })
                })
                .collect();
            for reader in readers {
                assert!(reader.await.unwrap());
            }
        });
    }

    #[test]
    fn s11_readers_of_one_disk_that_hangs_keep_no_other_waiting() {
        run(async {
            let (dead, alive) = (disk(), disk());
            let mut held = vec![];
            for _ in 0..READERS_OF_DISK / READERS {
                let hangs = volume(&dead);
                for _ in 0..READERS {
                    held.push(hangs.lease().await.unwrap());
                }
            }
            assert!(volume(&dead).lease_now().is_none());
            assert!(volume(&alive).lease_now().is_some());
        });
    }

    #[test]
    fn one_who_gives_up_waiting_leaves_the_line() {
        run(async {
            let hangs = volume(&disk());
            let mut held = vec![];
            for _ in 0..READERS {
                held.push(hangs.lease().await.unwrap());
            }
            let waits = tokio::time::timeout(Duration::from_millis(20), hangs.lease()).await;
            assert!(waits.is_err());
            assert_eq!(hangs.waiting.load(Ordering::Relaxed), 0);
        });
    }
}
