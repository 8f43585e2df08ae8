//! A library in the browser: an HTTP server over books.
//!
//! A request goes through four steps, each of which knows nothing of the next: `connection` accepts
//! it and keeps its client within bounds, `request` reads what it asks for, `routes` finds who
//! answers, and `answer` turns what they say into a response: conditions, ranges, encodings, headers.
//! What touches an archive runs on a thread that may wait for a disk, and each archive has a bounded
//! number of those (`library`): one on a slow disk keeps only its own readers waiting.
//!
//! Everything in an archive is by strangers. Its pages are served under a policy that runs no script of
//! theirs, and whatever of an archive stands in a page of ours is escaped.

mod answer;
mod api;
mod assets;
mod body;
mod clients;
mod connection;
mod content;
mod destination;
mod documents;
mod encoding;
mod gate;
mod held;
mod indexing;
mod kiwix;
mod languages;
mod library;
mod metrics;
mod origins;
mod pages;
mod proxies;
mod range;
mod request;
mod routes;
mod search;
mod site;
mod url;
mod words;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use self::origins::Scripts;
pub use self::proxies::Network;
pub use self::site::Site;

use crate::book::CacheOptions;
use crate::error::{Error, Result};

/// What to serve, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// Archives, and folders of them, which are watched.
    pub sources: Vec<PathBuf>,
    /// Where to listen.
    pub listen: SocketAddr,
    /// What stands before every path, such as `/wiki`; empty for nothing.
    pub root: String,
    /// Names by which clients may call the server, beside IP addresses, `localhost` and the machine's own.
    pub hosts: Vec<String>,
    /// The origin by which browsers reach the library through a proxy.
    pub url: Option<Site>,
    /// Archives whose scripts may run, each on an origin of its own. Where `url` is given, each says its
    /// own origin, too; else none does.
    pub allow_scripts: Vec<Scripts>,
    /// Proxies that say for whom they ask (`X-Forwarded-For`), beside those on this machine.
    pub trust_proxies: Vec<Network>,
    /// True if a link out of an archive leads to a page that shows where it would go.
    pub block_external: bool,
    /// True if each request is told to the log.
    pub access_log: bool,
    /// Where the indexes of ZIMs are kept.
    pub index: CacheOptions,
    /// How often folders are looked at.
    pub watch_every: Duration,
    /// How much of it all clients may take. What is right for a library of a house; tests want less.
    #[doc(hidden)]
    pub limits: Limits,
}

/// What clients may take of the server, and how long they may keep it waiting.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most connections.
    pub connections: usize,
    /// The most connections of one client.
    pub connections_of_one: usize,
    /// The most searches of one client at a time; further ones wait for those.
    pub searches_of_one: usize,
    /// The longest ZIM in bytes whose index is made though nobody named it.
    pub unasked_index: u64,
    /// The most bytes of answers that clients have not taken.
    pub held: u64,
    /// Those of one client.
    pub held_of_one: u64,
    /// The longest that a client may take for the head of a request, or be silent between two.
    pub head: Duration,
    /// The longest that a client may take nothing of an answer.
    pub stalled: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 8192,
            connections_of_one: 4096,
            searches_of_one: 4,
            unasked_index: 256 << 20,
            held: 256 << 20,
            held_of_one: 64 << 20,
            head: Duration::from_secs(30),
            stalled: Duration::from_secs(30),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            sources: vec![],
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            root: String::new(),
            hosts: vec![],
            url: None,
            allow_scripts: vec![],
            trust_proxies: vec![],
            block_external: false,
            access_log: false,
            index: CacheOptions::default(),
            watch_every: Duration::from_secs(2),
            limits: Limits::default(),
        }
    }
}

/// Where the server says what happens: a line an event, without a line break. Called from any thread.
pub type Log = Arc<dyn Fn(Event<'_>) + Send + Sync>;

/// Something that happened.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A request was answered.
    Access(&'a str),
    /// Something is wrong that whoever runs the server may mend.
    Warning(&'a str),
    /// Archives came or went.
    Library(&'a str),
}

/// Returns true if a folder has archives right in it.
pub fn has_archives(folder: &std::path::Path) -> bool {
    library::found_in(folder).is_ok_and(|found| !found.is_empty())
}

/// What all requests share.
pub(crate) struct State {
    options: Options,
    assets: assets::Assets,
    library: Arc<library::Library>,
    encoded: encoding::Cache,
    metrics: Arc<metrics::Metrics>,
    clients: clients::Clients,
    held: Arc<held::Held>,
    hosts: request::Hosts,
    proxies: proxies::Proxies,
    desk: search::Desk,
    /// For what looks at the whole library.
    lists: gate::Gate,
    cards: kiwix::Cards,
    origins: origins::Origins,
    /// The port of the library.
    port: u16,
    log: Log,
}

/// A server that listens and does not answer yet.
pub struct Server {
    runtime: tokio::runtime::Runtime,
    listeners: Vec<connection::Listener>,
    address: SocketAddr,
    state: Arc<State>,
}

impl Server {
    /// Listens, and begins to open the archives.
    ///
    /// # Errors
    ///
    /// Fails if the address cannot be listened at, or an option makes no sense.
    pub fn bind(options: Options, log: Log) -> Result<Self> {
        let log = in_one_line(log);
        let mut origins = origins::Origins::new(&options)?;
        if let Some(hint) = origins.hint() {
            log(Event::Warning(&hint));
        }
        let io = |action| move |source| Error::Io { action, path: "server".into(), source };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .thread_name("tome-serve")
            .max_blocking_threads(MAX_BLOCKING)
            .thread_keep_alive(Duration::from_secs(10))
            .build()
            .map_err(io("start threads"))?;
        let listen = |address: SocketAddr| {
            let listener = runtime.block_on(async { connection::bind(address) }).map_err(|e| {
                let text = format!("{address}: cannot listen there: {e}; --listen chooses another address");
                Error::InvalidInput(text)
            })?;
            let address = listener.local_addr().map_err(io("listen"))?;
            Ok::<_, Error>((listener, address))
        };
        let (listener, address) = listen(options.listen)?;
        let mut listeners = vec![connection::Listener { listener, origin: None }];
        // Other machines cannot be reached by the names that lead to this one.
        if !address.ip().is_loopback() {
            origins.give_ports(|i, label| {
                let port = match options.listen.port() {
                    0 => 0,
                    port => u16::try_from(i + 1).ok().and_then(|i| port.checked_add(i)).unwrap_or(0),
                };
                let (listener, own) = listen(SocketAddr::new(address.ip(), port))?;
                listeners.push(connection::Listener { listener, origin: Some(label.to_owned()) });
                Ok::<_, Error>(own.port())
            })?;
        }
        let library = library::Library::open(&options, runtime.handle().clone(), Arc::clone(&log));
        let state = Arc::new(State {
            assets: assets::Assets::new(&options.root),
            hosts: request::Hosts::new(&options),
            proxies: proxies::Proxies::new(&options.trust_proxies),
            origins,
            port: address.port(),
            library,
            desk: search::Desk::default(),
            lists: gate::Gate::new(LISTS),
            cards: kiwix::Cards::default(),
            encoded: encoding::Cache::new(ENCODED_CACHE),
            metrics: Arc::default(),
            clients: clients::Clients::new(options.limits),
            held: Arc::new(held::Held::new(options.limits)),
            options,
            log,
        });
        Ok(Self { runtime, listeners, address, state })
    }

    /// Returns the address at which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address to type into a browser: that of the options, else one on this machine.
    pub fn url(&self) -> String {
        let Options { url, root, allow_scripts, .. } = &self.state.options;
        if let Some(site) = url {
            return format!("{site}{root}/");
        }
        let ip = self.address.ip();
        let host = match ip {
            // From LABEL.localhost the way back leads there, and a browser keeps bookmarks by names.
            _ if ip.is_unspecified() || (ip.is_loopback() && !allow_scripts.is_empty()) => {
                "localhost".to_owned()
            }
            std::net::IpAddr::V6(ip) => format!("[{ip}]"),
            std::net::IpAddr::V4(ip) => ip.to_string(),
        };
        format!("http://{host}:{}{root}/", self.address.port())
    }

    /// Answers until `stop` comes to its end; then lets requests that have begun come to theirs, for a
    /// few seconds.
    pub fn run(self, stop: impl Future<Output = ()> + Send) {
        let Self { runtime, listeners, state, .. } = self;
        runtime.block_on(connection::accept(listeners, Arc::clone(&state), stop));
        state.library.close();
        // What waits for a disk that is gone shall not keep us.
        runtime.shutdown_timeout(Duration::from_secs(1));
    }
}

/// Returns a log that is told no line break and no other control character: names and errors may hold
/// what strangers wrote.
fn in_one_line(log: Log) -> Log {
    fn plain(text: &str) -> Cow<'_, str> {
        if !text.contains(char::is_control) {
            return Cow::Borrowed(text);
        }
        let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
        Cow::Owned(text.chars().map(escape).collect())
    }
    Arc::new(move |event: Event<'_>| match event {
        Event::Access(text) => log(Event::Access(&plain(text))),
        Event::Warning(text) => log(Event::Warning(&plain(text))),
        Event::Library(text) => log(Event::Library(&plain(text))),
    })
}

/// Threads that may wait for disks: for some disks that do not answer at all, and the others beside them.
const MAX_BLOCKING: usize = 8 * library::READERS_OF_DISK;

/// Answers that look at the whole library, at a time.
const LISTS: usize = 2;

/// Bytes of answers kept encoded.
const ENCODED_CACHE: u64 = 12 << 20;
