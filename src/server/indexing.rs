//! The indexes of ZIMs: made beside the answering, so that nobody's request waits for minutes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::library::Lease;
use crate::book::{Book, IndexKind};
use crate::item::Observer;

/// How long requests wait for an index before they go on without, from when it was begun.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The making of an index.
pub struct Progress {
    asked: Instant,
    done: AtomicU64,
    total: AtomicU64,
    ended: AtomicBool,
    fault: Mutex<Option<String>>,
}

impl Progress {
    fn new() -> Self {
        let (done, total, ended, fault) = Default::default();
        Self { asked: Instant::now(), done, total, ended, fault }
    }

    /// Waits a moment for an index that is made fast; returns true if it is there.
    pub fn wait(&self) -> bool {
        while !self.ended.load(Ordering::Acquire) && self.asked.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.is_made()
    }

    fn is_made(&self) -> bool {
        self.ended.load(Ordering::Acquire) && self.fault().is_none()
    }

    /// Returns how much is done, in percent; nothing if that cannot be said.
    pub fn percent(&self) -> Option<u64> {
        let total = self.total.load(Ordering::Relaxed);
        let done = self.done.load(Ordering::Relaxed);
        (total > 0).then(|| (done.saturating_mul(100) / total).min(99))
    }

    /// Returns why no index could be made.
    pub fn fault(&self) -> Option<String> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Observer for Progress {
    fn advance(&self, _items: u64, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }

    fn stage(&self, _name: &str, total: Option<u64>) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total.unwrap_or(0), Ordering::Relaxed);
    }
}

/// An index to be made.
type Job = (Arc<Book>, Arc<Progress>);

/// Who makes indexes: of titles and of all words, one of each kind at a time, however many archives were
/// asked for theirs. Making one takes all cores and much memory.
#[derive(Default)]
pub struct Makers([Arc<Mutex<Maker>>; 2]);

#[derive(Default)]
struct Maker {
    jobs: VecDeque<Job>,
    is_running: bool,
}

impl Makers {
    fn add(&self, kind: IndexKind, job: Job) {
        let [titles, words] = &self.0;
        let maker = if kind == IndexKind::Titles { titles } else { words };
        let mut own = maker.lock().unwrap_or_else(PoisonError::into_inner);
        own.jobs.push_back(job);
        if !std::mem::replace(&mut own.is_running, true) {
            let maker = Arc::clone(maker);
            std::thread::spawn(move || work_off(&maker, kind));
        }
    }
}

fn work_off(maker: &Mutex<Maker>, kind: IndexKind) {
    loop {
        let (book, progress) = {
            let mut maker = maker.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(job) = maker.jobs.pop_front() else {
                maker.is_running = false;
                return;
            };
            job
        };
        // A mistake of ours in one archive shall not keep the others from theirs.
        let made = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| book.prepare(kind, &*progress)));
        let fault = match made {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("something went wrong in making it".to_owned()),
        };
        *progress.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
        progress.ended.store(true, Ordering::Release);
    }
}

/// Returns nothing if an archive can be searched, else the making of its index, which this begins.
pub fn begin(makers: &Makers, lease: &Lease, kind: IndexKind) -> Option<Arc<Progress>> {
    let is_ready = match kind {
        IndexKind::Titles => lease.book.has_suggestions(),
        IndexKind::FullText => lease.book.has_search() || lease.book.as_tome().is_some(),
    };
    if is_ready {
        return None;
    }
    let mut indexing = lease.volume.indexing(kind);
    // One that was made and is gone again, for it was found damaged, is made anew.
    if let Some(progress) = indexing.as_ref().filter(|progress| !progress.is_made()) {
        return Some(Arc::clone(progress));
    }
    let progress = Arc::new(Progress::new());
    *indexing = Some(Arc::clone(&progress));
    makers.add(kind, (Arc::clone(&lease.book), Arc::clone(&progress)));
    Some(progress)
}
