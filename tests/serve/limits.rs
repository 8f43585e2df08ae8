//! Bounds: clients that are slow, many, or want much.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tome::item::About;
use tome::server::Options;

use crate::client::{self, get, read};
use crate::house::{Ours, Program, article, media, noise, until, write};

/// What clients may take here: little enough for a test to use up.
fn limited(change: impl FnOnce(&mut Options)) -> (Ours, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.tome");
    let items = vec![
        article("index.html", "Granite", "<p>granite"),
        media("large.bin", "application/octet-stream", noise(40 << 20)),
        media("one.bin", "application/octet-stream", noise(1 << 20)),
    ];
    write(&file, items, &About { main: Some("index.html".into()), ..About::default() });
    let mut options = Options { sources: vec![file], ..Options::default() };
    change(&mut options);
    let server = Ours::with(options);
    (server, folder)
}

fn connect(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

fn is_open(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    match stream.read(&mut [0; 4096]) {
        Ok(n) => n > 0,
        Err(e) => matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
    }
}

#[test]
fn s08_who_sends_a_head_byte_by_byte_is_let_go() {
    let (server, _folder) = limited(|o| o.limits.head = Duration::from_secs(1));
    let mut stream = connect(server.address);
    let deadline = Instant::now() + Duration::from_secs(30);
    let head = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}", "a".repeat(1000));
    for byte in head.bytes() {
        if stream.write_all(&[byte]).is_err() || !is_open(&mut stream) {
            return;
        }
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("a head of {} bytes was waited for", head.len());
}

#[test]
fn s08_who_says_nothing_is_let_go() {
    let (server, _folder) = limited(|o| o.limits.head = Duration::from_millis(700));
    for start in [
        &b""[..],
        // As much as both versions of HTTP may begin with.
        b"P",
        b"PRI * HTTP/2.0\r\n",
        // A whole beginning of HTTP/2, and settings.
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        b"GET / HTTP/1.1\r\nHost: x",
        // After an answer.
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ] {
        let mut stream = connect(server.address);
        stream.write_all(start).unwrap();
        // Whatever is said in farewell: the connection ends.
        let mut said = vec![];
        let ended = stream.read_to_end(&mut said);
        let reset = ended.as_ref().is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionReset);
        assert!(ended.is_ok() || reset, "{start:?}: {ended:?}");
    }
    until("all are let go", || get(server.address, "/metrics").text().contains("tome_connections 1\n"));
}

#[test]
fn s08_who_takes_nothing_of_an_answer_is_let_go() {
    let (server, _folder) = limited(|o| o.limits.stalled = Duration::from_secs(1));
    let at = server.address;
    let mut stream = connect(at);
    write!(stream, "GET /raw/x/content/large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    stream.peek(&mut [0]).unwrap();
    until("it is let go", || get(at, "/metrics").text().contains("tome_connections 1\n"));
    let mut got = vec![];
    let _ = stream.read_to_end(&mut got);
    assert!(got.len() < 40 << 20, "all of it was sent");
    // Who takes it slowly, but does, gets it.
    let mut stream = connect(at);
    write!(stream, "GET /raw/x/content/large.bin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut bytes = vec![];
    let mut piece = vec![0; 2 << 20];
    loop {
        match stream.read(&mut piece).unwrap() {
            0 => break,
            n => bytes.extend_from_slice(&piece[..n]),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(read(&bytes, false).unwrap().0.body.len(), 40 << 20);
}

#[test]
fn s08_connections_beyond_the_most_are_refused_at_once() {
    for of_one in [false, true] {
        let (server, _folder) = limited(|o| match of_one {
            true => o.limits.connections_of_one = 5,
            false => o.limits.connections = 5,
        });
        let at = server.address;
        let mut held: Vec<TcpStream> = (0..5).map(|_| connect(at)).collect();
        for stream in &mut held {
            write!(stream, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
            stream.peek(&mut [0]).unwrap();
        }
        for _ in 0..20 {
            let refused = get(at, "/healthz");
            assert_eq!(refused.status, 503);
            assert!(refused.header("retry-after").is_some());
            assert_eq!(refused.header("x-content-type-options"), Some("nosniff"));
        }
        // Those that are held go on.
        for stream in &mut held {
            write!(stream, "GET /robots.txt HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        }
        drop(held.pop());
        until("there is room again", || get(at, "/healthz").status == 200);
        until("it is counted", || {
            let metrics = get(at, "/metrics");
            metrics.status == 200 && !metrics.text().contains("tome_refused_total 0\n")
        });
    }
}

/// A client of HTTP/2 that takes a byte of each answer and no more: what it was answered, by status, is
/// held until this is dropped.
struct Idler {
    runtime: tokio::runtime::Runtime,
    sender: hyper::client::conn::http2::SendRequest<String>,
    held: Vec<hyper::body::Incoming>,
    server: SocketAddr,
}

impl Idler {
    fn of(server: SocketAddr) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let sender = runtime.block_on(async {
            let stream = tokio::net::TcpStream::connect(server).await.unwrap();
            let mut builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
            builder.initial_stream_window_size(1);
            let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            sender
        });
        Self { runtime, sender, held: vec![], server }
    }

    /// Asks for something; nothing if the connection is no more.
    fn ask(&mut self, target: &str) -> Option<u16> {
        let request = hyper::Request::builder()
            .uri(format!("http://{}{target}", self.server))
            .header("x-forwarded-for", "192.0.2.66")
            .body(String::new())
            .unwrap();
        let answer = self.runtime.block_on(self.sender.send_request(request)).ok()?;
        let status = answer.status().as_u16();
        self.held.push(answer.into_body());
        Some(status)
    }
}

fn held(server: SocketAddr) -> u64 {
    let metrics = get(server, "/metrics");
    let line = metrics.text().lines().find_map(|line| line.strip_prefix("tome_held_bytes "));
    line.unwrap().parse().unwrap()
}

#[test]
fn s08_what_a_client_does_not_take_is_held_up_to_a_bound() {
    let (server, _folder) = limited(|o| {
        o.limits.held = 8 << 20;
        o.limits.held_of_one = 4 << 20;
        o.limits.stalled = Duration::from_secs(60);
    });
    let at = server.address;
    let mut idler = Idler::of(at);
    for _ in 0..4 {
        assert_eq!(idler.ask("/raw/x/content/one.bin"), Some(200));
    }
    assert_eq!(idler.ask("/raw/x/content/one.bin"), Some(503));
    assert_eq!(held(at), 4 << 20);
    // What is small has room of its own.
    assert_eq!(idler.ask("/a/x/index.html"), Some(200));
    // All others are answered, and the connection goes on once it has taken what it has.
    assert_eq!(get(at, "/raw/x/content/one.bin").body.len(), 1 << 20);
    idler.held.clear();
    until("there is room", || held(at) == 0);
    // Of long ones, that are read while they are sent, as little is held.
    for _ in 0..12 {
        assert_eq!(idler.ask("/raw/x/content/large.bin"), Some(200));
    }
    until("of each is read", || held(at) >= 3 << 20);
    assert!(held(at) <= 4 << 20);
    assert_eq!(get(at, "/raw/x/content/large.bin").body.len(), 40 << 20);
}

#[test]
fn s08_who_keeps_others_from_room_for_long_is_let_go() {
    let (server, _folder) = limited(|o| {
        o.limits.held = 1 << 20;
        o.limits.stalled = Duration::from_millis(600);
    });
    let at = server.address;
    let mut idler = Idler::of(at);
    assert_eq!(idler.ask("/raw/x/content/one.bin"), Some(200));
    // There is no room for another one until that is let go.
    assert_eq!(get(at, "/raw/x/content/one.bin").body.len(), 1 << 20);
    assert_eq!(idler.ask("/healthz"), None);
}

#[test]
fn those_who_download_slowly_keep_nobody_beside_them_from_reading() {
    let (server, _folder) = limited(|o| o.limits.held_of_one = 2 << 20);
    let at = server.address;
    let mut slow: Vec<TcpStream> = (0..40).map(|_| connect(at)).collect();
    for stream in &mut slow {
        write!(stream, "GET /raw/x/content/large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    }
    until("their room is used up", || held(at) > 1 << 20);
    for target in ["/a/x/index.html", "/", "/metrics", "/search?q=granite"] {
        assert_eq!(get(at, target).status, 200, "{target}");
    }
    // Each of them gets on in its turn.
    for stream in &mut slow {
        stream.read_exact(&mut vec![0; 300 << 10]).unwrap();
    }
}

#[test]
fn s09_searches_of_a_client_that_may_have_none_are_refused_at_once() {
    let (server, _folder) = limited(|o| o.limits.searches_of_one = 0);
    let at = server.address;
    for target in [
        "/search?q=granite",
        "/search?pattern=granite&format=xml&content=x",
        "/api/search?q=granite",
        "/api/search?archive=x&q=granite",
    ] {
        let refused = get(at, target);
        assert_eq!(refused.status, 503, "{target}");
        assert!(refused.header("retry-after").is_some(), "{target}");
        assert_eq!(refused.header("cache-control"), Some("no-store"), "{target}");
    }
    // All else is answered.
    assert_eq!(get(at, "/a/x/index.html").status, 200);
    assert_eq!(get(at, "/api/suggest?q=gra").status, 200);
}

#[test]
fn searches_of_a_class_behind_one_address_wait_for_each_other() {
    let (server, _folder) = limited(|o| o.limits.searches_of_one = 2);
    let at = server.address;
    let pupils: Vec<_> =
        (0..30).map(|_| std::thread::spawn(move || get(at, "/api/search?q=granite").status)).collect();
    for pupil in pupils {
        assert_eq!(pupil.join().unwrap(), 200);
    }
}

#[test]
fn the_index_of_a_large_archive_is_made_for_those_who_name_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.zim");
    let about = About { main: Some("index.html".into()), ..About::default() };
    write(&file, vec![article("index.html", "Granite", "<p>granite")], &about);
    let mut options = Options { sources: vec![file], ..Options::default() };
    options.limits.unasked_index = 1000;
    let server = Ours::with(options);
    let ask = |target: &str| -> Value { serde_json::from_str(get(server.address, target).text()).unwrap() };
    for _ in 0..2 {
        let found = ask("/api/search?q=granite");
        assert_eq!(found["hits"], json!([]));
        assert_eq!(found["end"]["left_out"][0]["because"], "unprepared");
    }
    assert!(get(server.address, "/search?q=granite").text().contains("Choose it alone"));
    let named = || ask("/api/search?q=granite&archive=large")["hits"].as_array().unwrap().len() == 1;
    until("its index is made", named);
    assert_eq!(ask("/api/search?q=granite")["hits"].as_array().unwrap().len(), 1);
}

#[test]
fn clients_behind_a_proxy_of_this_machine_are_told_apart() {
    let (server, _folder) = limited(|o| o.access_log = true);
    for (headers, expected) in [
        ("", "127.0.0.1"),
        ("X-Forwarded-For: 192.0.2.7\r\n", "192.0.2.7"),
        // What the client said itself stands before what the proxy adds.
        ("X-Forwarded-For: 198.51.100.1, 192.0.2.8\r\n", "192.0.2.8"),
        ("X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 192.0.2.9\r\n", "192.0.2.9"),
        ("X-Forwarded-For: ::ffff:192.0.2.10\r\n", "192.0.2.10"),
        ("X-Forwarded-For: nobody\r\n", "127.0.0.1"),
        ("X-Forwarded-For: \r\n", "127.0.0.1"),
    ] {
        client::ask(server.address, "GET", "/healthz", headers);
        let said = server.said();
        assert!(said.last().unwrap().starts_with(&format!("{expected} ")), "{headers}: {said:?}");
    }
}

/// Lets this process have many connections; returns false if it may not.
#[cfg(unix)]
fn raise_own_limit(wanted: u64) -> bool {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return true;
    }
    limit.maximum.is_none_or(|most| most >= wanted)
        && setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), ..limit }).is_ok()
}

#[cfg(unix)]
#[test]
fn s08_thousands_of_idle_connections_are_held_while_others_are_answered() {
    if !raise_own_limit(4096) {
        assert!(std::env::var_os("CI").is_none(), "in CI a test may have many connections");
        eprintln!("SKIPPED: this process may not have 2,000 connections");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.tome");
    write(&file, vec![article("index.html", "Granite", "<p>granite")], &About::default());
    // From a shell that gives few descriptors at first.
    let mut program = Program::start_with_descriptors(folder.path(), 256);
    let at = program.address;
    let mut idle: Vec<TcpStream> = (0..2000).map(|_| connect(at)).collect();
    // Half of them have asked for something before.
    for stream in idle.iter_mut().step_by(2) {
        write!(stream, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    }
    until("all are taken", || {
        let metrics = get(at, "/metrics");
        let line = metrics.text().lines().find_map(|line| line.strip_prefix("tome_connections "));
        line.unwrap().parse::<usize>().unwrap() > 2000
    });
    for _ in 0..200 {
        assert_eq!(get(at, "/a/x/index.html").status, 200);
    }
    // They are still there.
    for stream in idle.iter_mut().skip(1).step_by(2).take(100) {
        write!(stream, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = vec![0; 15];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer, b"HTTP/1.1 200 OK");
    }
    assert!(program.runs());
    assert!(program.said().iter().all(|line| !line.contains("cannot accept")), "{:?}", program.said());
}
