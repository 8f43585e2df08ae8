//! Clients: what each of them has of us at a time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Limits, proxies};

/// Clients that are told at a time that there is no room for them.
const FAREWELLS: usize = 256;

/// Searches of one client that may wait, for each that runs.
const WAITING_SEARCHES: usize = 63;

/// How long they wait.
const SEARCH_PATIENCE: Duration = Duration::from_secs(2);

/// What is counted of clients.
pub struct Clients {
    limits: Limits,
    connections: AtomicUsize,
    /// Those who are refused with a word; all others are without.
    pub farewells: Semaphore,
    /// By what clients are told apart by.
    by_address: Mutex<HashMap<IpAddr, Held>>,
}

#[derive(Default)]
struct Held {
    connections: usize,
    searches: usize,
    /// Places for its searches.
    places: Option<Arc<Semaphore>>,
}

/// Something that a client holds, until this is dropped.
pub struct Hold<'a> {
    clients: &'a Clients,
    address: IpAddr,
    what: What,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Connection,
    Search,
}

/// The leave to search, until this is dropped.
pub struct Searching<'a> {
    _place: OwnedSemaphorePermit,
    _hold: Hold<'a>,
}

impl Clients {
    /// Returns the count of nobody yet.
    pub fn new(limits: Limits) -> Self {
        let farewells = Semaphore::new(FAREWELLS);
        Self { limits, connections: AtomicUsize::new(0), farewells, by_address: Mutex::default() }
    }

    /// Returns the number of connections.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Returns the leave to be connected; nothing if there are too many, or too many of one client.
    pub fn connection(&self, address: IpAddr) -> Option<Hold<'_>> {
        if self.connections() >= self.limits.connections {
            return None;
        }
        let hold = self.hold(address, What::Connection, self.limits.connections_of_one)?;
        self.connections.fetch_add(1, Ordering::Relaxed);
        Some(hold)
    }

    /// Waits for the leave to search; nothing if too many searches of a client wait already, or it takes
    /// too long. A whole school may be one client here, behind one address.
    pub async fn search(&self, address: IpAddr) -> Option<Searching<'_>> {
        let of_one = self.limits.searches_of_one;
        let hold = self.hold(address, What::Search, of_one.saturating_mul(1 + WAITING_SEARCHES))?;
        let places = {
            let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
            let held = by_address.entry(hold.address).or_default();
            Arc::clone(held.places.get_or_insert_with(|| Arc::new(Semaphore::new(of_one))))
        };
        let place = tokio::time::timeout(SEARCH_PATIENCE, places.acquire_owned()).await.ok()?.ok()?;
        Some(Searching { _place: place, _hold: hold })
    }

    fn hold(&self, address: IpAddr, what: What, most: usize) -> Option<Hold<'_>> {
        let address = proxies::key(address);
        let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        let count = by_address.entry(address).or_default().of(what);
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Hold { clients: self, address, what })
    }
}

impl Held {
    fn of(&mut self, what: What) -> &mut usize {
        match what {
            What::Connection => &mut self.connections,
            What::Search => &mut self.searches,
        }
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        if self.what == What::Connection {
            self.clients.connections.fetch_sub(1, Ordering::Relaxed);
        }
        let mut by_address = self.clients.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = by_address.get_mut(&self.address) {
            *held.of(self.what) -= 1;
            if held.connections == 0 && held.searches == 0 {
                by_address.remove(&self.address);
            }
        }
    }
}
