//! Bounded numbers of places, and of those who wait for one.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

/// Those who may wait for a place, for each that there is.
const QUEUE: usize = 16;

/// How long requests wait for others to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// A bounded number of places, and of those who wait for one.
pub struct Gate {
    places: Semaphore,
    queue: Semaphore,
}

impl Gate {
    /// Returns so many places.
    pub fn new(places: usize) -> Self {
        Self { places: Semaphore::new(places), queue: Semaphore::new(QUEUE * places) }
    }

    /// Waits for a place; nothing if too many wait already, or it takes too long.
    pub async fn enter(&self) -> Option<SemaphorePermit<'_>> {
        if let Ok(place) = self.places.try_acquire() {
            return Some(place);
        }
        let _queued = self.queue.try_acquire().ok()?;
        tokio::time::timeout(PATIENCE, self.places.acquire()).await.ok()?.ok()
    }

    /// Does something that takes a while, but asks no disk, beside the threads that answer; nothing if
    /// too many wait for that.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let _place = self.enter().await?;
        // It can only fail by a panic, of which the thread's own message has told.
        tokio::task::spawn_blocking(work).await.ok()
    }
}
