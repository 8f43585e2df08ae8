//! Servers and archives that tests make for themselves.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tome::book::CacheOptions;
use tome::item::{About, Body, Content, Item, Silent, Sink};
use tome::server::{Event, Options, Server};

/// A server of ours, which ends with this.
pub struct Ours {
    pub address: SocketAddr,
    said: Arc<Mutex<Vec<String>>>,
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
        let said = Arc::new(Mutex::new(vec![]));
        let lines = Arc::clone(&said);
        let log = move |event: Event<'_>| {
            let (Event::Access(line) | Event::Warning(line) | Event::Library(line)) = event;
            lines.lock().unwrap().push(line.to_owned());
        };
        let server = Server::bind(options, Arc::new(log)).unwrap();
        let address = server.address();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            server.run(async move {
                let _ = stopped.await;
            });
        });
        Self { address, said, stop: Some(stop), thread: Some(thread), _cache: cache }
    }
}

impl Ours {
    /// Returns what its log was told so far.
    pub fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
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

/// The program itself, serving on a port of the system's choice.
pub struct Program {
    pub url: String,
    pub address: SocketAddr,
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
    _cache: tempfile::TempDir,
}

impl Program {
    /// Starts `tome serve` in a folder, and waits for its address.
    pub fn start(folder: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tome"));
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(args);
        Self::run(folder, command)
    }

    /// Starts `tome serve` in a folder from a shell that gives it so many descriptors at first.
    pub fn start_with_descriptors(folder: &Path, n: u32) -> Self {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("ulimit -Sn {n}; exec \"$0\" \"$@\""));
        command.args([env!("CARGO_BIN_EXE_tome"), "serve", "--listen", "127.0.0.1:0"]);
        Self::run(folder, command)
    }

    fn run(folder: &Path, mut command: Command) -> Self {
        let cache = tempfile::tempdir().unwrap();
        let mut child = command
            .current_dir(folder)
            .env("TOME_CACHE", cache.path())
            .env("XDG_CACHE_HOME", cache.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(vec![]));
        let (lines, stderr) = (Arc::clone(&said), child.stderr.take().unwrap());
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                lines.lock().unwrap().push(line);
            }
        });
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        let url = url.trim_end().to_owned();
        let host = url.strip_prefix("http://").and_then(|rest| rest.split('/').next());
        let Some(address) = host.and_then(|host| host.parse().ok()) else {
            panic!("{url:?} is no address; {:?}", said.lock().unwrap());
        };
        Self { url, address, child, said, reader: Some(reader), _cache: cache }
    }

    /// Returns what it said on stderr so far.
    pub fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// Asks it to end.
    pub fn terminate(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    /// Waits for its end; returns its status, and all that it said.
    pub fn wait(mut self) -> (Option<i32>, Vec<String>) {
        let status = self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        (status.code(), self.said())
    }

    /// Returns true while it runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again until something is so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "it never came about: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Returns an article.
pub fn article(path: &str, title: &str, html: impl Into<Vec<u8>>) -> Item {
    let body = Body::Article { mime: "text/html".into(), content: Content::Bytes(html.into()) };
    item(path, Some(title), body)
}

/// Returns a piece of media.
pub fn media(path: &str, mime: &str, bytes: impl Into<Vec<u8>>) -> Item {
    item(path, None, Body::Media { mime: mime.into(), content: Content::Bytes(bytes.into()) })
}

/// Returns a redirect.
pub fn redirect(path: &str, target: &str, fragment: Option<&str>) -> Item {
    item(path, None, Body::Redirect { target: target.into(), fragment: fragment.map(Into::into) })
}

fn item(path: &str, title: Option<&str>, body: Body) -> Item {
    Item {
        path: path.into(),
        title: title.map(Into::into),
        body,
        generated: false,
        escaped: tome::item::unescape_bytes(path).is_some_and(|bytes| std::str::from_utf8(&bytes).is_err()),
        language: None,
        origin: format!("test:{path}"),
    }
}

/// Writes an archive of items, as a ZIM if its name says so.
pub fn write(path: &Path, items: Vec<Item>, about: &About) {
    if path.extension().is_some_and(|ending| ending == "zim") {
        let options = tome::zim::WriteOptions { force: true, ..Default::default() };
        let mut writer = tome::zim::Writer::create(path, options, &Silent).unwrap();
        items.into_iter().for_each(|item| writer.put(item).unwrap());
        writer.finish(about).unwrap();
    } else {
        let options = tome::writer::Options { force: true, ..Default::default() };
        let mut writer = tome::writer::Writer::create(path, options, &Silent).unwrap();
        items.into_iter().for_each(|item| writer.put(item).unwrap());
        writer.finish(about).unwrap();
    }
}

/// Returns bytes that do not compress, the same in every run.
pub fn noise(n: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(n).collect()
}
