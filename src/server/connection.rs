//! Connections: accepting them, and keeping each client within bounds.
//!
//! A client that sends slowly, takes slowly, or does neither is let go after a while; one that holds
//! many connections or asks for much at once is turned away at once, so that nobody waits in a line
//! without end.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Sleep;

use super::{Event, State, routes};

/// The most connections.
const MAX_CONNECTIONS: usize = 8192;

/// The most connections of one client.
const MAX_PER_CLIENT: usize = 4096;

/// The most searches of one client at a time.
const MAX_SEARCHES: usize = 4;

/// The longest that a client may take for the head of a request, or be silent between two.
const HEAD: Duration = Duration::from_secs(30);

/// The longest that a client may take nothing of an answer.
const STALLED: Duration = Duration::from_secs(30);

/// The most bytes of a request's head.
const MAX_HEAD: usize = 32 << 10;

/// How long requests that have begun may take when the server ends.
const GRACE: Duration = Duration::from_secs(5);

/// What is counted of clients.
#[derive(Default)]
pub struct Clients {
    connections: AtomicUsize,
    by_address: Mutex<HashMap<IpAddr, Held>>,
}

#[derive(Default)]
struct Held {
    connections: usize,
    searches: usize,
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

impl Clients {
    /// Returns the number of connections.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    fn connection(&self, address: IpAddr) -> Option<Hold<'_>> {
        if self.connections() >= MAX_CONNECTIONS {
            return None;
        }
        let hold = self.hold(address, What::Connection, MAX_PER_CLIENT)?;
        self.connections.fetch_add(1, Ordering::Relaxed);
        Some(hold)
    }

    /// Returns the leave to search; nothing if a client has as many searches as it may.
    pub fn search(&self, address: IpAddr) -> Option<Hold<'_>> {
        self.hold(address, What::Search, MAX_SEARCHES)
    }

    fn hold(&self, address: IpAddr, what: What, most: usize) -> Option<Hold<'_>> {
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

/// Where connections come from.
pub struct Listener {
    /// What listens.
    pub listener: TcpListener,
    /// The label of the archive whose own origin this is; nothing for the library.
    pub origin: Option<String>,
}

/// Accepts connections until `stop` comes to its end.
pub async fn accept(listeners: Vec<Listener>, state: Arc<State>, stop: impl Future<Output = ()>) {
    let (ended, end) = watch::channel(());
    for listener in listeners {
        tokio::spawn(accept_at(listener, Arc::clone(&state), end.clone()));
    }
    drop(end);
    stop.await;
    let _ = ended.send(());
    // Those who accept and those who answer hold the other end.
    let _ = tokio::time::timeout(GRACE, ended.closed()).await;
}

async fn accept_at(at: Listener, state: Arc<State>, mut end: watch::Receiver<()>) {
    let origin = at.origin.map(Arc::from);
    loop {
        let accepted = tokio::select! {
            _ = end.changed() => return,
            accepted = at.listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let peer = Peer { address: peer.ip().to_canonical(), origin: Option::clone(&origin) };
                tokio::spawn(serve(stream, peer, Arc::clone(&state), end.clone()));
            }
            Err(error) => {
                // Out of descriptors, mostly: others have to close theirs first.
                (state.log)(Event::Warning(&format!("cannot accept a connection: {error}")));
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Its address.
    pub address: IpAddr,
    /// The label of the archive to whose port it came.
    pub origin: Option<Arc<str>>,
}

/// Answers the requests of a connection.
async fn serve(stream: TcpStream, peer: Peer, state: Arc<State>, mut end: watch::Receiver<()>) {
    let Some(_hold) = state.clients.connection(peer.address) else {
        state.metrics.refused();
        refuse(stream).await;
        return;
    };
    // Answers go out whole: waiting to join small pieces would only delay them.
    let _ = stream.set_nodelay(true);
    let io = TokioIo::new(Steady { stream, stalled: None });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(MAX_HEAD)
        .pipeline_flush(true)
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(64)
        .max_header_list_size(MAX_HEAD as u32)
        .keep_alive_interval(HEAD)
        .keep_alive_timeout(HEAD);
    let service = service_fn(|request| {
        let (state, peer) = (Arc::clone(&state), peer.clone());
        async move { Ok::<_, std::convert::Infallible>(routes::answer(state, peer, request).await) }
    });
    let mut connection = std::pin::pin!(builder.serve_connection(io, service));
    let mut ending = false;
    loop {
        tokio::select! {
            // A connection that broke is the client's affair.
            _ = connection.as_mut() => break,
            _ = end.changed(), if !ending => {
                ending = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// Tells a client that there is no room for it.
async fn refuse(stream: TcpStream) {
    const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nConnection: close\r\n\
        Content-Length: 0\r\n\r\n";
    let _ = stream.try_write(FULL);
}

/// A connection that is broken off if its client takes nothing for too long.
struct Steady {
    stream: TcpStream,
    /// Since when a write waits.
    stalled: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Steady {
    /// Judges a write: one that went through forgives what was before.
    fn judge<T>(&mut self, context: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.stalled = None;
            return result;
        }
        let (since, sleep) =
            self.stalled.get_or_insert_with(|| (Instant::now(), Box::pin(tokio::time::sleep(STALLED))));
        if sleep.as_mut().poll(context).is_ready() || since.elapsed() > STALLED {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }
}

impl AsyncRead for Steady {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Steady {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(context, result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.judge(context, result)
    }
}
