//! The archives that are served: found, opened, named, watched.
//!
//! Each given source has a thread that looks at it again and again; a folder on a disk that does not
//! answer keeps its own thread waiting and no other. Archives are opened beside each other, and a
//! request for one that is still being opened waits for it alone.

mod files;
mod volume;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

pub use self::files::found_in;
pub use self::volume::{About, Lease, READERS_OF_DISK, Refusal, Volume};

use self::files::Stamp;
use super::{Event, Log, Options};
use crate::book::{Cache, CacheOptions};

/// The longest that a start waits for archives to be opened.
const START: Duration = Duration::from_millis(300);

/// Bytes of decoded content that all `.tome`s together keep.
const CACHE: usize = 24 << 20;

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
    /// Who may wait for a disk, by its number.
    disks: Mutex<HashMap<u64, Arc<Semaphore>>>,
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
            disks: Mutex::default(),
        });
        let deadline = Instant::now() + START;
        let first = Arc::new(AtomicUsize::new(0));
        let sources = files::distinct(&options.sources);
        for (i, source) in sources.iter().enumerate() {
            let (library, first, source) = (Arc::clone(&library), Arc::clone(&first), source.to_path_buf());
            let every = options.watch_every;
            // Of two archives of one name, that of the first source has it at every start.
            let wait = move |first: &AtomicUsize| {
                while first.load(Ordering::Acquire) < i && Instant::now() < deadline {
                    std::thread::sleep(Duration::from_millis(1));
                }
            };
            std::thread::spawn(move || library.watch(&source, every, &first, wait));
        }
        while Instant::now() < deadline {
            let is_known = |v: &Arc<Volume>| v.about().is_some() || v.fault().is_some();
            if first.load(Ordering::Acquire) >= sources.len()
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

    fn watch(
        self: &Arc<Self>,
        source: &Path,
        every: Duration,
        first: &AtomicUsize,
        wait: impl Fn(&AtomicUsize),
    ) {
        let mut told = None;
        let mut begun = false;
        while !self.closed.load(Ordering::Relaxed) {
            let found = found_in(source);
            if !begun {
                wait(first);
            }
            match found {
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
        let (mut fresh, mut gone) = (vec![], vec![]);
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
                    None => gone.push(volume.path.clone()),
                }
            }
            let mut taken: HashSet<String> =
                volumes.iter().map(|v| v.name.clone()).chain(names.values().cloned()).collect();
            for (path, stamp) in found {
                if volumes.iter().any(|v| v.path == path) {
                    continue;
                }
                let name = names.remove(&path).unwrap_or_else(|| free_name(&path, &mut taken));
                let volume = Arc::new(Volume::new(name, path, stamp, self.disk(stamp.disk)));
                fresh.push(Arc::clone(&volume));
                volumes.push(volume);
            }
            *shelf = Arc::new(Shelf::new(volumes));
        }
        // Whoever is told may be slow, and all who ask for an archive would wait for that.
        for path in gone {
            (self.log)(Event::Library(&format!("{} is gone", path.display())));
        }
        for volume in fresh {
            let library = Arc::clone(self);
            self.runtime.spawn(async move {
                // An archive on a disk that does not answer keeps one of its disk's places, and no other.
                let Some(place) = volume.place().await else { return };
                tokio::task::spawn_blocking(move || {
                    let _place = place;
                    volume.open(&library.cache, &library.index);
                    let path = volume.path.display();
                    match volume.fault() {
                        Some(fault) => (library.log)(Event::Warning(&format!("{path}: {fault}"))),
                        None => {
                            (library.log)(Event::Library(&format!("{path} is served as {}", volume.name)));
                        }
                    }
                });
            });
        }
    }

    fn disk(&self, number: u64) -> Arc<Semaphore> {
        let mut disks = self.disks.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(disks.entry(number).or_insert_with(|| Arc::new(Semaphore::new(READERS_OF_DISK))))
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
