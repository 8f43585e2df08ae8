//! stdout: lines, JSON lines, raw bytes.

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use tome::terminal::{Keep, sanitize};

use super::{Failure, is_closed};

/// Locked, buffered stdout. Call [`Output::finish`] at the end.
pub struct Output(BufWriter<StdoutLock<'static>>);

/// Room for a few hundred lines, so that listing a million is not a million calls.
const BUFFER: usize = 64 * 1024;

impl Output {
    /// Locks stdout.
    pub fn new() -> Self {
        Self(BufWriter::with_capacity(BUFFER, io::stdout().lock()))
    }

    /// Writes a line of text that may hold anything: it comes out as one line.
    pub fn line(&mut self, text: &str) -> Result<(), Failure> {
        let text = sanitize(text, Keep::Nothing);
        self.bytes(text.as_bytes())?;
        self.bytes(b"\n")
    }

    /// Writes two texts that may hold anything as one line, with a tab between.
    pub fn pair(&mut self, first: &str, second: &str) -> Result<(), Failure> {
        self.columns(&[first, second])
    }

    /// Writes texts that may hold anything as one line, with tabs between.
    pub fn columns(&mut self, texts: &[&str]) -> Result<(), Failure> {
        for (i, text) in texts.iter().enumerate() {
            if i > 0 {
                self.bytes(b"\t")?;
            }
            self.bytes(sanitize(text, Keep::Nothing).as_bytes())?;
        }
        self.bytes(b"\n")
    }

    /// Writes a value as one line of JSON.
    pub fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let mut serializer = Serializer::with_formatter(&mut self.0, Careful);
        value.serialize(&mut serializer).map_err(|e| failure(e.into()))?;
        self.bytes(b"\n")
    }

    /// Writes bytes as they are. Whoever calls this knows what is in them.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.0.write_all(bytes).map_err(failure)
    }

    /// Writes what is left in the buffer.
    pub fn finish(mut self) -> Result<(), Failure> {
        self.0.flush().map_err(failure)
    }
}

/// Returns true if a person sees stdout as it comes.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Returns the failure of writing to stdout.
pub fn failure(error: io::Error) -> Failure {
    let is_closed_pipe = is_closed(&error);
    Failure { is_closed_pipe, ..Failure::new(format!("cannot write to stdout: {error}")) }
}

/// JSON in which no character can do harm on a terminal: what [`sanitize`] would show is escaped
/// here, which any reader of JSON takes back.
struct Careful;

impl Formatter for Careful {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut done = 0;
        let mut letter = [0; 4];
        for (at, c) in fragment.char_indices() {
            if c.is_ascii() && c != '\u{7f}' || sanitize(c.encode_utf8(&mut letter), Keep::Nothing).len() <= 4
            {
                continue;
            }
            writer.write_all(&fragment.as_bytes()[done..at])?;
            done = at + c.len_utf8();
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        writer.write_all(&fragment.as_bytes()[done..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> String {
        let mut out = vec![];
        text.serialize(&mut Serializer::with_formatter(&mut out, Careful)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_holds_nothing_that_a_terminal_obeys() {
        let hostile = "é\u{1b}[2J\u{9b}1m\u{202e}\u{7f}\u{2028}\u{e0041}\u{feff}\n\"\\漢";
        let text = json(hostile);
        assert_eq!(sanitize(&text, Keep::Nothing), text);
        assert!(text.contains("\\u001b") && text.contains("\\u009b") && text.contains("\\u202e"));
        assert!(text.contains('é') && text.contains('漢'));
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), hostile);
    }
}
