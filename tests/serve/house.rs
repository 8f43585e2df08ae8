//! Servers and archives that tests make for themselves.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tome::book::CacheOptions;
use tome::server::{Event, Options, Server};

/// A server of ours, which ends with this.
pub struct Ours {
    pub address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    _cache: tempfile::TempDir,
}

impl Ours {
    /// Starts a server over archives and folders.
    pub fn over(sources: Vec<PathBuf>) -> Self {
        Self::with(Options { sources, ..Options::default() })
    }

    /// Starts a server on a port of the system's choice, with a cache of its own.
    pub fn with(options: Options) -> Self {
        let cache = tempfile::tempdir().unwrap();
        let index = CacheOptions { folder: Some(cache.path().to_owned()), ..CacheOptions::default() };
        let options = Options { listen: SocketAddr::from(([127, 0, 0, 1], 0)), index, ..options };
        let log = Arc::new(Mutex::new(vec![]));
        let lines = Arc::clone(&log);
        let server = Server::bind(
            options,
            Arc::new(move |event| {
                if let Event::Access(line) = event {
                    lines.lock().unwrap().push(line.to_owned());
                }
            }),
        )
        .unwrap();
        let address = server.address();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            server.run(async move {
                let _ = stopped.await;
            });
        });
        Self { address, log, stop: Some(stop), thread: Some(thread), _cache: cache }
    }

    /// Returns the lines of the access log so far, where the options ask for one.
    pub fn accesses(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Packs something with our program.
pub fn pack(args: &[&str], from: &Path, to: &Path) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tome"));
    let out = command.args(["pack", "-q"]).args(args).arg("-o").arg(to).arg(from).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

/// Returns a picture of one colour.
pub fn png(side: u32) -> Vec<u8> {
    let mut out = std::io::Cursor::new(vec![]);
    image::RgbImage::from_pixel(side, side, image::Rgb([30, 90, 160]))
        .write_to(&mut out, image::ImageFormat::Png)
        .unwrap();
    out.into_inner()
}
