//! The indexes of a ZIM as a book holds them: opened or made when they are first asked for, once for all
//! threads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError};
use std::time::Duration;

use super::zim_index::{self, CacheOptions, Kind};
use crate::error::{Error, Result};
use crate::item::Observer;
use crate::reader::Archive;
use crate::zim;

/// What is open of a ZIM's indexes.
#[derive(Default)]
pub(super) struct Indexes {
    options: CacheOptions,
    titles: Slot,
    full_text: Slot,
    /// True once an index was dropped: one that is made anew and is wrong again would be so for ever.
    has_dropped: AtomicBool,
}

/// The index of a kind.
#[derive(Default)]
struct Slot {
    /// Held for moments.
    open: RwLock<Option<Arc<Archive>>>,
    /// Held while it is made, or dropped. Each kind has its own: who wants titles does not wait for all
    /// words, which may take minutes.
    making: Mutex<()>,
}

/// How often who waits for another thread's index looks whether to wait on.
const PATIENCE: Duration = Duration::from_millis(50);

impl Slot {
    fn get(&self) -> Option<Arc<Archive>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, archive: Option<Arc<Archive>>) {
        *self.open.write().unwrap_or_else(PoisonError::into_inner) = archive;
    }

    fn holds(&self, archive: &Arc<Archive>) -> bool {
        self.get().is_some_and(|held| Arc::ptr_eq(&held, archive))
    }

    /// Waits until no other thread makes this index.
    fn turn(&self, observer: &dyn Observer) -> Result<MutexGuard<'_, ()>> {
        loop {
            match self.making.try_lock() {
                Ok(turn) => return Ok(turn),
                Err(TryLockError::Poisoned(turn)) => return Ok(turn.into_inner()),
                Err(TryLockError::WouldBlock) if observer.is_cancelled() => return Err(Error::Interrupted),
                Err(TryLockError::WouldBlock) => std::thread::sleep(PATIENCE),
            }
        }
    }
}

impl Indexes {
    pub(super) fn new(options: CacheOptions) -> Self {
        Self { options, ..Self::default() }
    }

    fn slot(&self, kind: Kind) -> &Slot {
        match kind {
            Kind::Titles => &self.titles,
            Kind::FullText => &self.full_text,
        }
    }

    /// Returns the index if it is open. That of the words serves for titles too.
    fn open(&self, kind: Kind) -> Option<Arc<Archive>> {
        self.full_text.get().or_else(|| self.slot(kind).get())
    }

    /// Returns the index if it was made before, by anyone.
    pub(super) fn ready(&self, zim: &Arc<zim::Archive>, kind: Kind) -> Option<Arc<Archive>> {
        if let Some(open) = self.open(kind) {
            return Some(open);
        }
        let archive = Arc::new(zim_index::cached(zim, kind, &self.options).ok()??);
        self.slot(kind).set(Some(Arc::clone(&archive)));
        Some(archive)
    }

    /// Returns the index; makes it if that was not done before.
    pub(super) fn get(
        &self,
        zim: &Arc<zim::Archive>,
        kind: Kind,
        observer: &dyn Observer,
    ) -> Result<Arc<Archive>> {
        if let Some(open) = self.open(kind) {
            return Ok(open);
        }
        let _making = self.slot(kind).turn(observer)?;
        if let Some(open) = self.open(kind) {
            return Ok(open);
        }
        let archive = Arc::new(zim_index::open_or_build(zim, kind, &self.options, observer)?);
        self.slot(kind).set(Some(Arc::clone(&archive)));
        Ok(archive)
    }

    /// Drops an index that turned out to be damaged, or of something else, so that it is made again; this
    /// is done once. Returns true if there is, or may be made, another one to ask.
    pub(super) fn drop_damaged(
        &self,
        zim: &zim::Archive,
        index: &Arc<Archive>,
        observer: &dyn Observer,
    ) -> Result<bool> {
        let slots = [&self.titles, &self.full_text];
        let Some(slot) = slots.into_iter().find(|slot| slot.holds(index)) else {
            // Another thread was faster.
            return Ok(true);
        };
        let _making = slot.turn(observer)?;
        if !slot.holds(index) {
            return Ok(true);
        }
        if self.has_dropped.swap(true, Ordering::Relaxed) {
            return Ok(false);
        }
        // What cannot be deleted is found damaged again, or made over. First the file, so that nobody opens
        // it again.
        let is_gone = zim_index::forget(zim, &self.options).is_ok();
        slot.set(None);
        Ok(is_gone)
    }
}
