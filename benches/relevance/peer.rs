//! Asking a ZIM, through a child process that has libzim.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::Deserialize;
use serde_json::json;

use crate::Result;
use crate::ask::{Answer, Hit, LIMIT, REPEAT};
use crate::queries::Asks;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/relevance/libzim_peer.py");

/// An interpreter that has libzim.
pub struct Python {
    program: String,
}

#[derive(Deserialize)]
struct Version {
    libzim: String,
    #[serde(default)]
    call_us: f64,
}

#[derive(Deserialize)]
struct Packed {
    seconds: f64,
}

#[derive(Deserialize)]
struct Reply {
    paths: Vec<String>,
    titles: Vec<String>,
    us: f64,
    error: Option<String>,
}

impl Python {
    /// Returns the interpreter if it has libzim; says aloud if it has not.
    pub fn find(program: &str) -> Option<Self> {
        let python = Self { program: program.into() };
        match python.command(&["version"]).stderr(Stdio::null()).output() {
            Ok(output) if output.status.success() => Some(python),
            _ => {
                eprintln!("{program} has no libzim (pip install libzim): no ZIM is asked");
                None
            }
        }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(SCRIPT).args(words);
        command
    }

    /// Packs a folder; returns the seconds that libzim took.
    pub fn pack(&self, folder: &Path, out: &Path, language: &str) -> Result<f64> {
        let (folder, out) = (folder.to_str(), out.to_str());
        let (folder, out) = folder.zip(out).ok_or("a path is not UTF-8")?;
        let output = self.command(&["pack", folder, out, language]).stderr(Stdio::inherit()).output()?;
        // The library talks on the same channel; the last line is the script's.
        let said = String::from_utf8_lossy(&output.stdout);
        match said.lines().last() {
            Some(line) if output.status.success() => Ok(serde_json::from_str::<Packed>(line)?.seconds),
            _ => Err(format!("{SCRIPT} could not pack {folder}").into()),
        }
    }
}

/// A ZIM to ask.
pub struct Peer {
    child: Child,
    queries: ChildStdin,
    replies: Lines<BufReader<ChildStdout>>,
    version: Version,
    size: u64,
}

impl Peer {
    /// Opens a ZIM in a child of its own.
    pub fn start(python: &Python, zim: &Path) -> Result<Self> {
        let size = std::fs::metadata(zim)?.len();
        let zim = zim.to_str().ok_or("a path is not UTF-8")?;
        let mut child = python.command(&["run", zim]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (queries, replies) = child.stdin.take().zip(child.stdout.take()).ok_or("no pipe to a child")?;
        let mut replies = BufReader::new(replies).lines();
        let version = serde_json::from_str(&replies.next().ok_or("libzim did not open the ZIM")??)?;
        Ok(Self { child, queries, replies, version, size })
    }

    /// Returns the length of the ZIM in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the library's version.
    pub fn version(&self) -> &str {
        &self.version.libzim
    }

    /// Returns what Python adds to the time of a query in microseconds, about: three calls into the
    /// library, and one for each hit.
    pub fn python_us(&self) -> f64 {
        self.version.call_us * (3 + LIMIT) as f64
    }

    /// Asks a query.
    pub fn ask(&mut self, asks: Asks, query: &str) -> Result<Answer> {
        let kind = match asks {
            Asks::Suggest => "suggest",
            Asks::Search | Asks::SearchWithSnippets => "search",
        };
        let line = json!({ "kind": kind, "query": query, "limit": LIMIT, "repeat": REPEAT });
        writeln!(self.queries, "{line}")?;
        self.queries.flush()?;
        let reply: Reply = serde_json::from_str(&self.replies.next().ok_or("libzim is gone")??)?;
        let hits = reply.paths.into_iter().zip(reply.titles);
        let hits = hits.map(|(path, title)| Hit { path, title, how: String::new() }).collect();
        Ok(Answer { hits, us: reply.us, partial: false, error: reply.error })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It waits for a query; there is none left.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
