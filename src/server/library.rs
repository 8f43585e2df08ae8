//! The archives that are served: found, opened, named, watched.
//!
//! Each given source has a thread that looks at it again and again; a folder on a disk that does not
//! answer keeps its own thread waiting and no other. Archives are opened beside each other, and a
//! request for one that is still being opened waits for it alone.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use tokio::runtime::Handle;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::indexing::Progress;
use super::{Event, Log, Options};
use crate::book::{Book, Cache, CacheOptions, Counts, Format, IndexKind, OpenOptions};
use crate::hex::to_hex;
use crate::item::{Metadata, keys};

/// Threads that may wait for one archive at a time.
const READERS: usize = 8;

/// Requests that may wait for those.
const WAITING: usize = 64;

/// The longest that a request waits for them.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest that a start waits for archives to be opened.
const START: Duration = Duration::from_millis(300);

/// Bytes of decoded content that all `.tome`s together keep.
const CACHE: usize = 24 << 20;

/// Bytes of decoded clusters that each ZIM keeps.
const ZIM_CACHE: usize = 8 << 20;

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    len: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

/// An archive of the library, in one state of its file.
pub struct Volume {
    /// What it is called in addresses: its file's name without the ending, and a number if another has
    /// that.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    stamp: Stamp,
    opened: OnceLock<Result<Arc<Book>, String>>,
    about: OnceLock<About>,
    ready: Notify,
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
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
    /// What no other file has: of a `.tome` its root hash, of a ZIM its identity and time. Hex.
    pub tag: String,
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

/// The leave to read an archive, for as long as it is held.
pub struct Lease {
    /// The archive.
    pub volume: Arc<Volume>,
    /// It, open.
    pub book: Arc<Book>,
    _permit: OwnedSemaphorePermit,
}

impl Volume {
    fn new(name: String, path: PathBuf, stamp: Stamp) -> Self {
        Self {
            name,
            path,
            stamp,
            opened: OnceLock::new(),
            about: OnceLock::new(),
            ready: Notify::new(),
            permits: Arc::new(Semaphore::new(READERS)),
            waiting: AtomicUsize::new(0),
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
        title.map(str::trim).filter(|title| !title.is_empty()).unwrap_or(&self.name)
    }

    /// Returns the work of making one of its indexes.
    pub fn indexing(&self, kind: IndexKind) -> MutexGuard<'_, Option<Arc<Progress>>> {
        let [titles, words] = &self.indexing;
        let which = if kind == IndexKind::Titles { titles } else { words };
        which.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is known what it says of itself, or why it cannot be opened.
    pub async fn known(&self) {
        loop {
            let mut ready = std::pin::pin!(self.ready.notified());
            // From here on nothing is missed.
            ready.as_mut().enable();
            if self.about().is_some() || self.fault().is_some() {
                return;
            }
            ready.await;
        }
    }

    /// Waits until it may be read.
    pub async fn lease(self: &Arc<Self>) -> Result<Lease, Refusal> {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(Refusal::Busy);
        }
        let got = tokio::time::timeout(PATIENCE, self.wait()).await;
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        got.unwrap_or(Err(Refusal::Busy))
    }

    /// Returns the leave to read it if it can be had at once.
    pub fn lease_now(self: &Arc<Self>) -> Option<Lease> {
        let book = Arc::clone(self.book()?);
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok()?;
        Some(Lease { volume: Arc::clone(self), book, _permit: permit })
    }

    async fn wait(self: &Arc<Self>) -> Result<Lease, Refusal> {
        let opened = loop {
            let ready = self.ready.notified();
            if let Some(opened) = self.opened.get() {
                break opened;
            }
            ready.await;
        };
        let book = opened.as_ref().map_err(|fault| Refusal::Broken(fault.clone()))?;
        match Arc::clone(&self.permits).acquire_owned().await {
            Ok(permit) => Ok(Lease { volume: Arc::clone(self), book: Arc::clone(book), _permit: permit }),
            Err(_) => Err(Refusal::Busy),
        }
    }

    /// Opens the file and reads what it says of itself.
    fn open(&self, cache: &Arc<Cache>, index: &CacheOptions) {
        let options = OpenOptions {
            cache: Some(Arc::clone(cache)),
            zim_cache: Some(ZIM_CACHE),
            index: index.clone(),
            ..OpenOptions::default()
        };
        let opened = Book::open(&self.path, &options).map(Arc::new).map_err(|e| e.to_string());
        let book = opened.as_ref().ok().cloned();
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
            tag: self.tag(book),
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

    /// Returns what no other file has, nor this one after a change.
    pub fn tag(&self, book: &Book) -> String {
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

/// The archives at one moment, in order of their names.
#[derive(Default)]
pub struct Shelf {
    volumes: Vec<Arc<Volume>>,
    by_name: HashMap<String, usize>,
}

impl Shelf {
    fn new(mut volumes: Vec<Arc<Volume>>) -> Self {
        volumes.sort_by(|a, b| (a.name.to_lowercase(), &a.name).cmp(&(b.name.to_lowercase(), &b.name)));
        let by_name = volumes.iter().enumerate().map(|(i, volume)| (volume.name.clone(), i)).collect();
        Self { volumes, by_name }
    }

    /// Returns all archives.
    pub fn volumes(&self) -> &[Arc<Volume>] {
        &self.volumes
    }

    /// Returns the archive of a name.
    pub fn get(&self, name: &str) -> Option<&Arc<Volume>> {
        self.volumes.get(*self.by_name.get(name)?)
    }
}

/// The library.
pub struct Library {
    shelf: RwLock<Arc<Shelf>>,
    closed: AtomicBool,
    cache: Arc<Cache>,
    index: CacheOptions,
    runtime: Handle,
    log: Log,
}

impl Library {
    /// Begins to look at the sources; waits a moment for what opens fast, so that the first request
    /// finds it.
    pub fn open(options: &Options, runtime: Handle, log: Log) -> Arc<Self> {
        let library = Arc::new(Self {
            shelf: RwLock::default(),
            closed: AtomicBool::new(false),
            cache: Arc::new(Cache::new(CACHE)),
            index: options.index.clone(),
            runtime,
            log,
        });
        let first = Arc::new(AtomicUsize::new(0));
        for source in &options.sources {
            let (library, first, source) = (Arc::clone(&library), Arc::clone(&first), source.clone());
            let every = options.watch_every;
            std::thread::spawn(move || library.watch(&source, every, &first));
        }
        let deadline = Instant::now() + START;
        while Instant::now() < deadline {
            let is_known = |v: &Arc<Volume>| v.about().is_some() || v.fault().is_some();
            if first.load(Ordering::Acquire) >= options.sources.len()
                && library.shelf().volumes().iter().all(is_known)
            {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        library
    }

    /// Returns the archives as they are now.
    pub fn shelf(&self) -> Arc<Shelf> {
        Arc::clone(&self.shelf.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns how many bytes of decoded content are kept.
    pub fn cached(&self) -> u64 {
        self.cache.weight()
    }

    /// Ends the watching.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    fn watch(self: &Arc<Self>, source: &Path, every: Duration, first: &AtomicUsize) {
        let mut told = None;
        let mut begun = false;
        while !self.closed.load(Ordering::Relaxed) {
            match found_in(source) {
                Ok(found) => {
                    self.take(source, found);
                    told = None;
                }
                Err(error) => {
                    let text = format!("{}: {error}", source.display());
                    if told.as_ref() != Some(&text) {
                        (self.log)(Event::Warning(&text));
                        told = Some(text);
                    }
                    if error.kind() == std::io::ErrorKind::NotFound {
                        self.take(source, vec![]);
                    }
                }
            }
            if !begun {
                begun = true;
                first.fetch_add(1, Ordering::Release);
            }
            // Short steps: closing shall not wait for us.
            let next = Instant::now() + every;
            while Instant::now() < next && !self.closed.load(Ordering::Relaxed) {
                std::thread::sleep(every.min(Duration::from_millis(100)));
            }
        }
    }

    /// Takes what was found at a source in place of what was there before.
    fn take(self: &Arc<Self>, source: &Path, found: Vec<(PathBuf, Stamp)>) {
        let is_of = |path: &Path| path == source || path.parent() == Some(source);
        let mut fresh = vec![];
        {
            let mut shelf = self.shelf.write().unwrap_or_else(PoisonError::into_inner);
            let same = shelf.volumes.iter().filter(|v| is_of(&v.path)).count() == found.len()
                && found
                    .iter()
                    .all(|(path, stamp)| shelf.volumes.iter().any(|v| v.path == *path && v.stamp == *stamp));
            if same {
                return;
            }
            let mut volumes: Vec<Arc<Volume>> = vec![];
            let kept: HashMap<&Path, Stamp> = found.iter().map(|(p, s)| (p.as_path(), *s)).collect();
            // A file that was replaced keeps its name.
            let mut names: HashMap<PathBuf, String> = HashMap::new();
            for volume in &shelf.volumes {
                match kept.get(volume.path.as_path()) {
                    _ if !is_of(&volume.path) => volumes.push(Arc::clone(volume)),
                    Some(stamp) if *stamp == volume.stamp => volumes.push(Arc::clone(volume)),
                    Some(_) => {
                        names.insert(volume.path.clone(), volume.name.clone());
                    }
                    None => {
                        (self.log)(Event::Library(&format!("{} is gone", volume.path.display())));
                    }
                }
            }
            let mut taken: HashSet<String> =
                volumes.iter().map(|v| v.name.clone()).chain(names.values().cloned()).collect();
            for (path, stamp) in found {
                if volumes.iter().any(|v| v.path == path) {
                    continue;
                }
                let name = names.remove(&path).unwrap_or_else(|| free_name(&path, &mut taken));
                let volume = Arc::new(Volume::new(name, path, stamp));
                fresh.push(Arc::clone(&volume));
                volumes.push(volume);
            }
            *shelf = Arc::new(Shelf::new(volumes));
        }
        for volume in fresh {
            let library = Arc::clone(self);
            self.runtime.spawn_blocking(move || {
                volume.open(&library.cache, &library.index);
                let path = volume.path.display();
                match volume.fault() {
                    Some(fault) => (library.log)(Event::Warning(&format!("{path}: {fault}"))),
                    None => (library.log)(Event::Library(&format!("{path} is served as {}", volume.name))),
                }
            });
        }
    }
}

/// Returns a name for a file that no other archive has.
fn free_name(path: &Path, taken: &mut HashSet<String>) -> String {
    let stem = path.file_stem().map_or_else(|| "archive".into(), |stem| stem.to_string_lossy().into_owned());
    let mut name = stem.clone();
    let mut n = 2;
    while !taken.insert(name.clone()) {
        name = format!("{stem}-{n}");
        n += 1;
    }
    name
}

/// Returns the archives at a source with their states: the file itself, or those right in the folder.
pub(super) fn found_in(source: &Path) -> std::io::Result<Vec<(PathBuf, Stamp)>> {
    let metadata = match std::fs::metadata(source) {
        // The first part of a split archive stands for the whole.
        Err(e)
            if e.kind() == std::io::ErrorKind::NotFound && source.extension().is_some_and(|e| e == "zim") =>
        {
            std::fs::metadata(source.with_extension("zimaa"))?
        }
        other => other?,
    };
    if !metadata.is_dir() {
        return Ok(vec![(source.to_owned(), Stamp::of(&metadata))]);
    }
    let mut out = vec![];
    for entry in std::fs::read_dir(source)? {
        let Ok(entry) = entry else { continue };
        let path = entry.path();
        if !is_archive_name(&path) {
            continue;
        }
        // A link is followed; one that leads nowhere is passed over.
        let Ok(metadata) = std::fs::metadata(&path) else { continue };
        if metadata.is_file() {
            out.push((path, Stamp::of(&metadata)));
        }
    }
    // The order decides who of two with one name is the second.
    out.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(out)
}

fn is_archive_name(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    !hidden && matches!(ending.as_deref(), Some("tome" | "zim" | "zimaa"))
}

impl Stamp {
    fn of(metadata: &std::fs::Metadata) -> Self {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Self { len: metadata.len(), modified: metadata.modified().ok(), inode }
    }
}
