//! The indexes of a ZIM as a book holds them: opened or made when they are first asked for, once for all
//! threads.

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
    titles: RwLock<Option<Arc<Archive>>>,
    full_text: RwLock<Option<Arc<Archive>>>,
    /// Held while one is made.
    making: Mutex<()>,
}

/// How often who waits for another thread's index looks whether to wait on.
const PATIENCE: Duration = Duration::from_millis(50);

impl Indexes {
    pub(super) fn new(options: CacheOptions) -> Self {
        Self { options, ..Self::default() }
    }

    fn slot(&self, kind: Kind) -> &RwLock<Option<Arc<Archive>>> {
        match kind {
            Kind::Titles => &self.titles,
            Kind::FullText => &self.full_text,
        }
    }

    fn set(&self, kind: Kind, archive: Option<Arc<Archive>>) {
        *self.slot(kind).write().unwrap_or_else(PoisonError::into_inner) = archive;
    }

    /// Returns the index if it is open. That of the words serves for titles too.
    fn open(&self, kind: Kind) -> Option<Arc<Archive>> {
        let of = |kind| self.slot(kind).read().unwrap_or_else(PoisonError::into_inner).clone();
        of(Kind::FullText).or_else(|| of(kind))
    }

    /// Returns the index if it was made before, by anyone.
    pub(super) fn ready(&self, zim: &Arc<zim::Archive>, kind: Kind) -> Option<Arc<Archive>> {
        if let Some(open) = self.open(kind) {
            return Some(open);
        }
        let archive = Arc::new(zim_index::cached(zim, kind, &self.options).ok()??);
        self.set(kind, Some(Arc::clone(&archive)));
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
        let _making = self.turn(observer)?;
        if let Some(open) = self.open(kind) {
            return Ok(open);
        }
        let archive = Arc::new(zim_index::open_or_build(zim, kind, &self.options, observer)?);
        self.set(kind, Some(Arc::clone(&archive)));
        Ok(archive)
    }

    /// Waits until no other thread makes an index.
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

    /// Drops what turned out to be damaged, so that it is made again; returns false for an error that is
    /// not of an index.
    pub(super) fn drop_damaged(&self, zim: &zim::Archive, error: &Error) -> bool {
        if !zim_index::is_own_damage(error) {
            return false;
        }
        self.set(Kind::Titles, None);
        self.set(Kind::FullText, None);
        // What cannot be deleted is found damaged again, or made over.
        zim_index::forget(zim, &self.options).is_ok()
    }
}
