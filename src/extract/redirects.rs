//! Redirects as small pages, for people who browse the files.
//!
//! The pages are written last, when the names of all other files are known; until then the
//! redirects wait in a temporary file, since a wiki may have millions.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};

use crate::manifest::Line;
use crate::text::signpost;

/// Lines on disk, in the order they came.
pub(super) struct Spool {
    out: BufWriter<File>,
}

impl Spool {
    pub(super) fn new(file: File) -> Self {
        Self { out: BufWriter::new(file) }
    }

    pub(super) fn push(&mut self, line: &Line) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, line)?;
        self.out.write_all(b"\n")
    }

    /// Returns the lines from the first one.
    pub(super) fn replay(&mut self) -> io::Result<Lines> {
        self.out.flush()?;
        let mut file = self.out.get_ref().try_clone()?;
        file.rewind()?;
        Ok(Lines { file: BufReader::new(file), text: String::new() })
    }
}

pub(super) struct Lines {
    file: BufReader<File>,
    text: String,
}

impl Lines {
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        self.text.clear();
        if self.file.read_line(&mut self.text)? == 0 {
            return Ok(None);
        }
        Ok(Some(serde_json::from_str(&self.text)?))
    }
}

/// Returns the page that stands in the file `from` and leads to the file `to`.
pub(super) fn page(from: &[u8], to: &[u8], line: &Line) -> String {
    let title = line.title.as_deref().unwrap_or(&line.path);
    let target = line.target.as_deref().unwrap_or_default();
    signpost::page(from, to, title, target, line.fragment.as_deref())
}
