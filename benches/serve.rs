//! How many requests a second does the server answer, and how long does one take?
//!
//! For each archive given with `--archive` (else the ones that the other benches use): random articles as
//! they are stored, the same as pages with our bar, and suggestions for the first one to six letters of
//! random titles. Eight clients with a connection each ask one thing after the other from this process;
//! `--n` sets how often each asks, 2,000 by default. Where `kiwix-serve` is installed and the archive is a
//! `.zim`, it is asked for the same articles in the same run, by the same clients: compare the ratios, as
//! clients and server share the cores.
//!
//! Also: the anonymous memory of this process after all that, server and clients together.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::model::Random;
use common::{Args, Subject};
use tome::book::{Book, OpenOptions};
use tome::item::Kind;
use tome::server::{Options, Server};

const CLIENTS: usize = 8;

fn main() {
    tome::storage::keep_little_memory();
    let args = Args::parse();
    let n = args.n(2000);
    for Subject { name, path } in args.archives() {
        let book = Book::open(&path, &OpenOptions::default()).unwrap();
        let (mut paths, mut starts) = (vec![], vec![]);
        for entry in book.entries().map_while(Result::ok).filter(|entry| entry.kind() == Kind::Article) {
            let title: Vec<char> = entry.title().chars().take(1 + paths.len() % 6).collect();
            starts.push(encoded(&title.iter().collect::<String>()));
            paths.push(encoded(entry.path()));
        }
        if paths.is_empty() {
            continue;
        }
        let (address, stop) = serve(&path);
        let stem = encoded(&path.file_stem().unwrap().to_string_lossy());
        let raw: Vec<String> = paths.iter().map(|path| format!("/raw/{stem}/content/{path}")).collect();
        let pages: Vec<String> = paths.iter().map(|path| format!("/a/{stem}/{path}")).collect();
        let typed: Vec<String> =
            starts.iter().map(|q| format!("/api/suggest?archive={stem}&q={q}")).collect();
        for (what, targets) in [("stored articles", &raw), ("pages", &pages), ("suggestions", &typed)] {
            report(&args, &format!("{what}, {name}"), address, targets, n);
        }
        if let Some(kb) = anonymous_memory() {
            args.value(&format!("anonymous memory, {name}"), "mb", kb / 1e3);
        }
        drop(stop);
        match kiwix(&path) {
            Some((mut kiwix, address)) => {
                let pages: Vec<String> = paths.iter().map(|path| format!("/{stem}/{path}")).collect();
                for (what, targets) in [("stored articles", &raw), ("pages", &pages)] {
                    report(&args, &format!("kiwix-serve: {what}, {name}"), address, targets, n.div_ceil(8));
                }
                let _ = kiwix.kill();
                let _ = kiwix.wait();
            }
            None => eprintln!("{name}: no kiwix-serve, or no .zim: not compared"),
        }
    }
}

/// Starts our server; it ends when the sender is dropped.
fn serve(path: &Path) -> (SocketAddr, tokio::sync::oneshot::Sender<()>) {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let options = Options { sources: vec![path.to_owned()], listen, ..Options::default() };
    let server = Server::bind(options, Arc::new(|_| ())).unwrap();
    let address = server.address();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        server.run(async move {
            let _ = stopped.await;
        });
    });
    (address, stop)
}

/// Starts kiwix-serve over a ZIM, if both are there.
fn kiwix(path: &Path) -> Option<(Child, SocketAddr)> {
    if path.extension().is_none_or(|ending| ending != "zim") {
        return None;
    }
    // A port that is free now, and hardly taken by another in a moment.
    let address = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?;
    let mut child = Command::new("kiwix-serve")
        .args(["--address", "127.0.0.1", "--port", &address.port().to_string()])
        .arg(path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let deadline = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(address).is_err() {
        if Instant::now() > deadline {
            let _ = child.kill();
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Some((child, address))
}

/// Has all clients ask, and says how fast they were answered.
fn report(args: &Args, name: &str, address: SocketAddr, targets: &[String], n: usize) {
    let started = Instant::now();
    let times: Vec<Duration> = std::thread::scope(|scope| {
        let client = |i| scope.spawn(move || ask(address, targets, n, i as u64));
        let clients: Vec<_> = (0..CLIENTS).map(client).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let took = started.elapsed().as_secs_f64();
    args.value(name, "requests_per_s", times.len() as f64 / took);
    args.times(name, times);
}

/// Asks for random targets over one connection; returns how long each answer took.
fn ask(address: SocketAddr, targets: &[String], n: usize, seed: u64) -> Vec<Duration> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::with_capacity(1 << 16, stream.try_clone().unwrap());
    let mut writer = stream;
    let mut random = Random::new(seed + 1);
    let (mut line, mut body) = (String::new(), vec![]);
    let mut times = Vec::with_capacity(n);
    for _ in 0..n {
        let target = &targets[random.number() as usize % targets.len()];
        let started = Instant::now();
        write!(writer, "GET {target} HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
        line.clear();
        reader.read_line(&mut line).unwrap();
        assert!(line.contains(" 200 ") || line.contains(" 302 "), "{target}: {line}");
        let mut len = None;
        loop {
            line.clear();
            reader.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                len = value.trim().parse::<usize>().ok();
            }
        }
        body.resize(len.unwrap_or_else(|| panic!("{target}: no length")), 0);
        reader.read_exact(&mut body).unwrap();
        times.push(started.elapsed());
    }
    times
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            _ => write!(out, "%{byte:02X}").unwrap(),
        }
    }
    out
}

/// Returns the anonymous memory of this process in KB, where the system says it.
fn anonymous_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
