//! A client that does nothing of its own accord: one request a connection, no redirect followed unasked.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take before the test is broken.
const DEADLINE: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns the type without parameters.
    pub fn mime(&self) -> &str {
        self.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim()
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// Asks for something, with further headers as lines.
pub fn ask(server: SocketAddr, method: &str, target: &str, headers: &str) -> Answer {
    let head = format!("{method} {target} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n{headers}\r\n");
    let bytes = exchange(server, head.as_bytes());
    let (answer, _) = read(&bytes, method == "HEAD").unwrap_or_else(|| panic!("{target}: no answer"));
    assert!(answer.header("transfer-encoding").is_none(), "{target}: every answer has a length");
    answer
}

/// Sends bytes and returns all that comes until the server closes the connection.
pub fn exchange(server: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(bytes).unwrap();
    let mut out = vec![];
    stream.read_to_end(&mut out).unwrap();
    out
}

/// Reads the head of an answer off the start of bytes; returns the rest, too. Nothing if it is not whole.
pub fn read_head(bytes: &[u8]) -> Option<(Answer, &[u8])> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status: u16 = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_owned(), value.trim().to_owned())
    });
    let answer = Answer { status, headers: headers.collect(), body: vec![] };
    Some((answer, &bytes[end + 4..]))
}

/// Reads one answer off the start of bytes; returns the rest, too. Nothing if it is not whole.
pub fn read(bytes: &[u8], is_head: bool) -> Option<(Answer, &[u8])> {
    let (mut answer, rest) = read_head(bytes)?;
    let len = match answer.header("content-length") {
        _ if is_head || answer.status == 304 => 0,
        Some(len) => len.parse().unwrap(),
        None => panic!("no length in {answer:?}"),
    };
    answer.body = rest.get(..len)?.to_vec();
    Some((answer, &rest[len..]))
}

/// Gets something as it is.
pub fn get(server: SocketAddr, target: &str) -> Answer {
    ask(server, "GET", target, "")
}

/// Gets something, following redirects; also returns the last target.
pub fn follow(server: SocketAddr, method: &str, target: &str) -> (Answer, String) {
    let mut target = target.to_owned();
    for _ in 0..6 {
        let answer = ask(server, method, &target, "");
        let Some(location) = answer.header("location").filter(|_| (300..400).contains(&answer.status)) else {
            return (answer, target);
        };
        let own = format!("http://{server}");
        let next = location.strip_prefix(&own).unwrap_or(location);
        let next = next.split('#').next().unwrap();
        assert!(next.starts_with('/') && !next.starts_with("//"), "{target} leads away: {location}");
        target = next.to_owned();
    }
    panic!("{target}: redirects without end");
}
