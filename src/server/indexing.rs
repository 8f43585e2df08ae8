//! The indexes of ZIMs: made beside the answering, so that nobody's request waits for minutes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::library::Lease;
use crate::book::IndexKind;
use crate::item::Observer;

/// How long a request waits for an index before it goes on without.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The making of an index.
#[derive(Default)]
pub struct Progress {
    done: AtomicU64,
    total: AtomicU64,
    ended: AtomicBool,
    fault: Mutex<Option<String>>,
}

impl Progress {
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

/// Returns nothing if an archive can be searched, else the making of its index, which this begins.
/// Waits a moment for one that is made fast.
pub fn prepare(lease: &Lease, kind: IndexKind) -> Option<Arc<Progress>> {
    let is_ready = || match kind {
        IndexKind::Titles => lease.book.has_suggestions(),
        IndexKind::FullText => lease.book.has_search() || lease.book.as_tome().is_some(),
    };
    if is_ready() {
        return None;
    }
    let progress = {
        let mut indexing = lease.volume.indexing(kind);
        match &*indexing {
            Some(progress) => Arc::clone(progress),
            None => {
                let progress = Arc::new(Progress::default());
                *indexing = Some(Arc::clone(&progress));
                let (book, work) = (Arc::clone(&lease.book), Arc::clone(&progress));
                std::thread::spawn(move || {
                    if let Err(error) = book.prepare(kind, &*work) {
                        *work.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
                    }
                    work.ended.store(true, Ordering::Release);
                });
                progress
            }
        }
    };
    let deadline = Instant::now() + PATIENCE;
    while !progress.ended.load(Ordering::Acquire) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    (!is_ready()).then_some(progress)
}
