//! The world outside of the machine, as far as a test needs one: a port that counts who knocks.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A port where nothing is expected.
pub struct Outside {
    pub port: u16,
    knocks: Arc<AtomicUsize>,
}

impl Outside {
    pub fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let knocks = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&knocks);
        // It ends with the test's process.
        std::thread::spawn(move || {
            for _ in listener.incoming() {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { port, knocks }
    }

    /// Returns how many connections there were.
    pub fn knocks(&self) -> usize {
        self.knocks.load(Ordering::SeqCst)
    }
}
