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
    let mut stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let head = format!("{method} {target} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut bytes = vec![];
    stream.read_to_end(&mut bytes).unwrap();
    let end =
        bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or_else(|| panic!("{target}: no head"));
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_owned(), value.trim().to_owned())
    });
    let answer = Answer { status, headers: headers.collect(), body: bytes[end + 4..].to_vec() };
    assert!(answer.header("transfer-encoding").is_none(), "{target}: every answer has a length");
    answer
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
