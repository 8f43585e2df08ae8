//! Connections: versions of HTTP, several requests on one, and what is no request.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo};

use super::{BIG, LIBRARY, get};
use crate::client::{exchange, read};

fn connect() -> TcpStream {
    let stream = TcpStream::connect(LIBRARY.server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

/// Reads so many answers off a connection that stays open.
fn answers(stream: &mut TcpStream, heads: &[bool]) -> Vec<crate::client::Answer> {
    let mut bytes = vec![];
    let mut out = vec![];
    while out.len() < heads.len() {
        if let Some((answer, rest)) = read(&bytes, heads[out.len()]) {
            let len = rest.len();
            bytes.drain(..bytes.len() - len);
            out.push(answer);
            continue;
        }
        let mut some = [0; 65536];
        let n = stream.read(&mut some).unwrap();
        assert!(n > 0, "closed after {} of {} answers", out.len(), heads.len());
        bytes.extend_from_slice(&some[..n]);
    }
    assert!(bytes.is_empty(), "more than was asked for");
    out
}

#[test]
fn one_connection_carries_many_requests() {
    let host = LIBRARY.server.address;
    let mut stream = connect();
    for (method, target, status, len) in [
        ("GET", "/raw/one/content/even.png", 200, 5000),
        ("HEAD", "/raw/one/content/big.bin", 200, 0),
        ("GET", "/raw/one/content/big.bin", 200, BIG),
        ("GET", "/none", 404, 0),
        ("GET", "/a/one/old", 302, 0),
        ("GET", "/raw/one/content/empty.txt", 200, 0),
        ("POST", "/", 405, 0),
        ("GET", "/healthz", 200, 3),
    ] {
        write!(stream, "{method} {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
        let answer = answers(&mut stream, &[method == "HEAD"]).remove(0);
        assert_eq!(answer.status, status, "{method} {target}");
        assert!(len == 0 || answer.body.len() == len, "{target}");
    }
}

#[test]
fn s08_requests_sent_at_once_are_answered_in_their_order() {
    let host = LIBRARY.server.address;
    let mut stream = connect();
    let targets = ["/healthz", "/raw/one/content/big.bin", "/robots.txt", "/search?q=granite", "/healthz"];
    let mut all = String::new();
    for target in targets {
        all += &format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    }
    stream.write_all(all.as_bytes()).unwrap();
    let got = answers(&mut stream, &[false; 5]);
    assert_eq!(got[0].text(), "ok\n");
    assert_eq!(got[1].body.len(), BIG);
    assert!(got[2].text().starts_with("User-agent"));
    assert_eq!((got[3].status, got[3].mime()), (200, "text/html"));
    assert_eq!(got[4].text(), "ok\n");
}

#[test]
fn s08_http_1_0_is_understood() {
    let server = LIBRARY.server.address;
    let bytes = exchange(server, b"GET /healthz HTTP/1.0\r\n\r\n");
    let (answer, rest) = read(&bytes, false).unwrap();
    assert_eq!((answer.status, answer.text(), rest.len()), (200, "ok\n", 0));
    let bytes = exchange(server, b"GET /raw/one/content/big.bin HTTP/1.0\r\nHost: localhost\r\n\r\n");
    let (answer, _) = read(&bytes, false).unwrap();
    assert_eq!((answer.status, answer.body.len()), (200, BIG));
    let mut stream = connect();
    for _ in 0..2 {
        write!(stream, "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").unwrap();
        let answer = answers(&mut stream, &[false]).remove(0);
        assert_eq!(answer.header("connection"), Some("keep-alive"));
    }
}

#[test]
fn http_2_is_understood_without_encryption() {
    let address = LIBRARY.server.address;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let io = TokioIo::new(stream);
        let (sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        let mut streams = vec![];
        for (target, status, len) in [
            ("/raw/one/content/big.bin", 200, Some(BIG)),
            ("/healthz", 200, Some(3)),
            ("/a/one/none", 404, None),
            ("/a/three/index.html", 200, None),
            ("/raw/three/content/big.bin", 200, Some(BIG)),
        ] {
            let mut sender = sender.clone();
            streams.push(tokio::spawn(async move {
                let request = hyper::Request::builder()
                    .uri(format!("http://{address}{target}"))
                    .header("accept-encoding", "identity")
                    .body(String::new())
                    .unwrap();
                let answer = sender.send_request(request).await.unwrap();
                assert_eq!(answer.status(), status, "{target}");
                assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
                let said: usize = answer.headers()["content-length"].to_str().unwrap().parse().unwrap();
                let mut body = std::pin::pin!(answer.into_body());
                let mut got = 0;
                while let Some(frame) =
                    std::future::poll_fn(|cx| hyper::body::Body::poll_frame(body.as_mut(), cx)).await
                {
                    got += frame.unwrap().data_ref().map_or(0, |data| data.len());
                }
                assert_eq!(got, said, "{target}");
                assert!(len.is_none_or(|len| len == got), "{target}");
            }));
        }
        for stream in streams {
            stream.await.unwrap();
        }
        // A name that is not ours is refused in this version, too.
        let mut sender = sender.clone();
        let request = hyper::Request::builder().uri("http://evil.example/").body(String::new()).unwrap();
        assert_eq!(sender.send_request(request).await.unwrap().status(), 421);
    });
}

/// Returns the status with which a request is refused.
fn status(bytes: &[u8]) -> u16 {
    let answer = exchange(LIBRARY.server.address, bytes);
    read(&answer, false)
        .unwrap_or_else(|| panic!("no answer to {:?}", String::from_utf8_lossy(bytes)))
        .0
        .status
}

#[test]
fn s08_what_is_no_request_is_refused() {
    let last = "Connection: close\r\n\r\n";
    assert_eq!(status(b"what is this\r\n\r\n"), 400);
    assert_eq!(status(b"GET / HTTP/1.1\r\nno colon\r\n\r\n"), 400);
    assert_eq!(status(b"GET /\0 HTTP/1.1\r\nHost: localhost\r\n\r\n"), 400);
    assert_eq!(status(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n"), 400);
    assert_eq!(status(format!("GET / HTTP/1.1\r\n{last}").as_bytes()), 400);
    let both = format!("GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n{last}");
    assert_eq!(status(both.as_bytes()), 400);
    // Two lengths, or a length and pieces, are how a request is smuggled past a proxy.
    let lengths =
        format!("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n{last}ab");
    assert_eq!(status(lengths.as_bytes()), 400);
    let pieces =
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n";
    assert!([400, 405].contains(&status(pieces.as_bytes())));
    let long = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n{last}", "a".repeat(20_000));
    assert_eq!(status(long.as_bytes()), 414);
    let many = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}{last}", "X: y\r\n".repeat(300));
    assert_eq!(status(many.as_bytes()), 431);
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "CONNECT"] {
        let target = if method == "CONNECT" { "localhost:80" } else { "/" };
        let request = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n{last}");
        let bytes = exchange(LIBRARY.server.address, request.as_bytes());
        let (answer, _) = read(&bytes, false).unwrap();
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
}

#[test]
fn s08_a_head_of_a_megabyte_is_refused() {
    let mut stream = connect();
    let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ");
    let mut sent = 0;
    while sent < 1 << 20 && stream.write_all(&[b'a'; 4096]).is_ok() {
        sent += 4096;
    }
    let mut bytes = vec![];
    // Whoever still sends may find the connection closed and the answer gone.
    let _ = stream.read_to_end(&mut bytes);
    if let Some((answer, _)) = read(&bytes, false) {
        assert_eq!(answer.status, 431);
    }
    assert_eq!(get("/healthz", "").status, 200);
}

#[test]
fn a_body_that_nobody_wants_does_no_harm() {
    let host = LIBRARY.server.address;
    let mut stream = connect();
    write!(stream, "GET /healthz HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\n\r\nhello").unwrap();
    write!(stream, "GET /robots.txt HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    let got = answers(&mut stream, &[false, false]);
    assert_eq!((got[0].status, got[0].text()), (200, "ok\n"));
    // The body is not taken for a request.
    assert!(got[1].text().starts_with("User-agent"), "{:?}", got[1]);
    let huge = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nContent-Length: 99999999999\r\n\r\nx");
    let mut stream = connect();
    stream.write_all(huge.as_bytes()).unwrap();
    assert_eq!(answers(&mut stream, &[false])[0].status, 200);
}
