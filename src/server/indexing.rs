//! The indexes of ZIMs: made beside the answering, so that nobody's request waits for minutes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::library::{Lease, Volume};
use crate::book::IndexKind;
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

/// An index to be made, unless its archive is gone by then.
struct Job {
    volume: Weak<Volume>,
    progress: Arc<Progress>,
    /// True if somebody waits for it.
    named: bool,
}

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
    fn of(&self, kind: IndexKind) -> &Arc<Mutex<Maker>> {
        let [titles, words] = &self.0;
        if kind == IndexKind::Titles { titles } else { words }
    }

    /// Adds a job.
    fn add(&self, kind: IndexKind, job: Job) {
        let maker = self.of(kind);
        let mut own = lock(maker);
        own.put(job);
        if !std::mem::replace(&mut own.is_running, true) {
            let maker = Arc::clone(maker);
            std::thread::spawn(move || work_off(&maker, kind));
        }
    }

    /// Puts a job before all for which nobody waits.
    fn hurry(&self, kind: IndexKind, progress: &Arc<Progress>) {
        let mut own = lock(self.of(kind));
        let is_it = |job: &Job| !job.named && Arc::ptr_eq(&job.progress, progress);
        if let Some(at) = own.jobs.iter().position(is_it)
            && let Some(job) = own.jobs.remove(at)
        {
            own.put(Job { named: true, ..job });
        }
    }
}

impl Maker {
    /// Puts a job in its turn: those for which somebody waits before all others.
    fn put(&mut self, job: Job) {
        let at = match job.named {
            true => self.jobs.iter().position(|other| !other.named).unwrap_or(self.jobs.len()),
            false => self.jobs.len(),
        };
        self.jobs.insert(at, job);
    }
}

fn lock(maker: &Mutex<Maker>) -> MutexGuard<'_, Maker> {
    maker.lock().unwrap_or_else(PoisonError::into_inner)
}

fn work_off(maker: &Mutex<Maker>, kind: IndexKind) {
    loop {
        let Job { volume, progress, .. } = {
            let mut maker = lock(maker);
            let Some(job) = maker.jobs.pop_front() else {
                maker.is_running = false;
                return;
            };
            job
        };
        let Some(volume) = volume.upgrade() else { continue };
        let Some(book) = volume.book() else { continue };
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

/// How far the index of an archive is.
pub enum Index {
    /// It can be searched.
    Ready,
    /// The index is being made.
    Making(Arc<Progress>),
    /// There is none, and it is not worth making one unasked.
    Unprepared,
}

/// Who wants an index.
#[derive(Debug, Clone, Copy)]
pub enum Wanted {
    /// Somebody who named the archive.
    Named,
    /// Somebody who searches the whole library. An archive longer than so many bytes is not worth it: a
    /// library of those would be hours of work.
    Unasked(u64),
}

/// Returns how far an archive's index is, which this begins to make if there is none and it is worth it.
pub fn state(makers: &Makers, lease: &Lease, kind: IndexKind, wanted: Wanted) -> Index {
    let is_ready = match kind {
        IndexKind::Titles => lease.book.has_suggestions(),
        IndexKind::FullText => lease.book.has_search() || lease.book.as_tome().is_some(),
    };
    if is_ready {
        return Index::Ready;
    }
    let mut indexing = lease.volume.indexing(kind);
    // One that was made and is gone again, for it was found damaged, is made anew.
    if let Some(progress) = indexing.as_ref().filter(|progress| !progress.is_made()) {
        if let Wanted::Named = wanted {
            makers.hurry(kind, progress);
        }
        return Index::Making(Arc::clone(progress));
    }
    let named = match wanted {
        Wanted::Unasked(most) if lease.book.size() > most => return Index::Unprepared,
        Wanted::Unasked(_) => false,
        Wanted::Named => true,
    };
    let progress = Arc::new(Progress::new());
    *indexing = Some(Arc::clone(&progress));
    let job = Job { volume: Arc::downgrade(&lease.volume), progress: Arc::clone(&progress), named };
    makers.add(kind, job);
    Index::Making(progress)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_waits_for_is_made_first() {
        let makers = Makers::default();
        let kind = IndexKind::FullText;
        // As if one were being made already.
        lock(makers.of(kind)).is_running = true;
        let jobs: Vec<_> = (0..4).map(|_| Arc::new(Progress::new())).collect();
        for (progress, named) in jobs.iter().zip([false, false, true, false]) {
            makers.add(kind, Job { volume: Weak::new(), progress: Arc::clone(progress), named });
        }
        makers.hurry(kind, &jobs[3]);
        let own = lock(makers.of(kind));
        let order = own.jobs.iter().map(|job| jobs.iter().position(|p| Arc::ptr_eq(p, &job.progress)));
        assert_eq!(order.collect::<Option<Vec<_>>>(), Some(vec![2, 3, 0, 1]));
        drop(own);
        // Those of archives that are gone are passed over.
        work_off(makers.of(kind), kind);
        let own = lock(makers.of(kind));
        assert!(own.jobs.is_empty() && !own.is_running && !jobs[0].ended.load(Ordering::Acquire));
    }
}
