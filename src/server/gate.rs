//! Bounded numbers of places, and of those who wait for one.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Those who may wait for a place. It is the time that bounds them, mostly.
const QUEUE: usize = 4096;

/// How long requests wait for others to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// A bounded number of places, and of those who wait for one.
pub struct Gate {
    places: Arc<Semaphore>,
    queue: Semaphore,
}

impl Gate {
    /// Returns so many places.
    pub fn new(places: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(places)), queue: Semaphore::new(QUEUE) }
    }

    /// Waits for a place; nothing if too many wait already, or it takes too long.
    pub async fn enter(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Some(place);
        }
        let _queued = self.queue.try_acquire().ok()?;
        tokio::time::timeout(PATIENCE, Arc::clone(&self.places).acquire_owned()).await.ok()?.ok()
    }

    /// Does something that takes a while, but asks no disk, beside the threads that answer; nothing if
    /// too many wait for that.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let place = self.enter().await?;
        let work = move || {
            // It is held until the work is done, also if the client goes away meanwhile.
            let _place = place;
            work()
        };
        // It can only fail by a panic, of which the thread's own message has told.
        tokio::task::spawn_blocking(work).await.ok()
    }
}
