//! Connections: accepting them, and keeping each client within bounds.
//!
//! A client that sends slowly, takes slowly, or does neither is let go after a while; one that holds
//! many connections or asks for much at once is turned away at once, so that nobody waits in a line
//! without end.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, Sleep};

use super::{Event, State, routes};

/// The most bytes of a request's head.
const MAX_HEAD: usize = 32 << 10;

/// How long a client that is refused may take to read that.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long requests that have begun may take when the server ends.
const GRACE: Duration = Duration::from_secs(5);

/// Where connections come from.
pub struct Listener {
    /// What listens.
    pub listener: TcpListener,
    /// The label of the archive whose own origin this is; nothing for the library.
    pub origin: Option<String>,
}

/// Listens at an address.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Of Windows the option means that anybody may take the address over.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    // Inherited by connections. With the megabytes that it may grow to, one third of which has to be free
    // before more is taken, a slow client would seem to take nothing for minutes.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Bytes that the system holds for a client: enough for ten megabytes a second over 20 ms.
const SEND_BUFFER: u32 = 256 << 10;

/// Connections that the system holds until they are accepted.
const BACKLOG: u32 = 1024;

/// Accepts connections until `stop` comes to its end.
pub async fn accept(listeners: Vec<Listener>, state: Arc<State>, stop: impl Future<Output = ()>) {
    let (ended, end) = watch::channel(());
    tokio::spawn(Arc::clone(&state.held).let_go_of_the_forgotten());
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
    let mut failures = Failures::default();
    loop {
        let accepted = tokio::select! {
            _ = end.changed() => return,
            accepted = at.listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let address = peer.ip().to_canonical();
                let peer = Peer { address, origin: Option::clone(&origin), let_go: Arc::default() };
                tokio::spawn(serve(stream, peer, Arc::clone(&state), end.clone()));
            }
            Err(error) => {
                // Out of descriptors, mostly: others have to close theirs first.
                if let Some(text) = failures.tell(&error, Instant::now()) {
                    (state.log)(Event::Warning(&text));
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Connections that could not be accepted: where one cannot, the next cannot, either.
#[derive(Default)]
struct Failures {
    /// When they were last told of.
    told: Option<Instant>,
    /// How many there were since.
    silent: u64,
}

impl Failures {
    /// How long nothing is said after something was.
    const SILENCE: Duration = Duration::from_secs(10);

    /// Returns what is to be said of one.
    fn tell(&mut self, error: &io::Error, now: Instant) -> Option<String> {
        if self.told.is_some_and(|told| now < told + Self::SILENCE) {
            self.silent += 1;
            return None;
        }
        self.told = Some(now);
        Some(match std::mem::take(&mut self.silent) {
            0 => format!("cannot accept a connection: {error}"),
            n => format!("cannot accept a connection: {error} ({n} more since this was last said)"),
        })
    }
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Its address.
    pub address: IpAddr,
    /// The label of the archive to whose port it came.
    pub origin: Option<Arc<str>>,
    /// Told if the connection is to be broken off.
    pub let_go: Arc<Notify>,
}

/// Answers the requests of a connection.
async fn serve(stream: TcpStream, peer: Peer, state: Arc<State>, mut end: watch::Receiver<()>) {
    let Some(_hold) = state.clients.connection(peer.address) else {
        state.metrics.refused();
        if let Ok(_place) = state.clients.farewells.try_acquire() {
            refuse(stream).await;
        }
        return;
    };
    // Answers go out whole: waiting to join small pieces would only delay them.
    let _ = stream.set_nodelay(true);
    let limits = state.options.limits;
    let io = TokioIo::new(Steady {
        stream,
        silent: Patience::new(limits.head),
        stalled: Patience::new(limits.stalled),
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(MAX_HEAD)
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(16)
        .max_header_list_size(MAX_HEAD as u32);
    let let_go = Arc::clone(&peer.let_go);
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
            // It keeps too much waiting for too long.
            () = let_go.notified() => break,
            _ = end.changed(), if !ending => {
                ending = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// Tells a client that there is no room for it.
async fn refuse(mut stream: TcpStream) {
    const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nConnection: close\r\n\
        Content-Length: 0\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
        Referrer-Policy: no-referrer\r\n\
        Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n\r\n";
    if stream.try_write(FULL).is_err() || stream.shutdown().await.is_err() {
        return;
    }
    // Closing while something is unread, or still on its way, would take the answer back.
    let mut asked = vec![0; 4 << 10];
    let read = async { while stream.read(&mut asked).await.is_ok_and(|n| n > 0) {} };
    let _ = tokio::time::timeout(FAREWELL, read).await;
}

/// A connection that is broken off if its client is silent for too long, or takes nothing for too long.
///
/// The library that reads requests has a time limit for a head that has begun; this one also holds
/// before, and for all of HTTP/2. Reading waits for as long as an answer is made, which takes less.
struct Steady {
    stream: TcpStream,
    /// With a client that has not sent or taken anything.
    silent: Patience,
    /// With a client that does not take what is sent.
    stalled: Patience,
}

/// How long something may wait.
struct Patience {
    most: Duration,
    since: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    fn new(most: Duration) -> Self {
        Self { most, since: None, sleep: None }
    }

    /// Something went on: the waiting is over.
    fn rest(&mut self) {
        self.since = None;
    }

    /// Returns true once the waiting takes too long; else whoever polls is woken when it may.
    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        let end = *self.since.get_or_insert_with(Instant::now) + self.most;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end)));
        // An alarm that was set for an earlier wait rings too early; then it is set anew.
        while sleep.as_mut().poll(context).is_ready() {
            if Instant::now() >= end {
                return true;
            }
            sleep.as_mut().reset(end);
        }
        false
    }
}

impl Steady {
    /// Judges a write: one that went through forgives what was before.
    fn judge<T>(&mut self, context: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.stalled.rest();
            self.silent.rest();
            return result;
        }
        if self.stalled.is_over(context) {
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
        let result = Pin::new(&mut self.stream).poll_read(context, into);
        if result.is_ready() {
            self.silent.rest();
            return result;
        }
        if self.silent.is_over(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_are_told_of_once_in_a_while() {
        let (mut failures, start) = (Failures::default(), Instant::now());
        let mut at = |tenths: u64| {
            let error = io::Error::other("too many open files");
            failures.tell(&error, start + Duration::from_millis(100 * tenths))
        };
        let told: Vec<String> = (0..=250).filter_map(&mut at).collect();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].ends_with("files") && told[1].contains("(99 more"), "{told:?}");
        assert!(at(500).unwrap().contains("(50 more"));
        assert!(at(700).unwrap().ends_with("files"));
    }
}
