//! The formats of archives, and how a file is known to be of one.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::format::first_page;
use crate::format::ids::PAGE;
use crate::storage::{Parts, open_file};
use crate::zim;

/// A format of archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Ours.
    Tome,
    /// OpenZIM's.
    Zim,
}

impl Format {
    /// Returns its name, which is also the ending of its files' names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tome => "tome",
            Self::Zim => "zim",
        }
    }
}

/// Returns the format of a file, as its first bytes tell it, or, where the start of a `.tome` is damaged,
/// the copy at its end; nothing if it is of neither or cannot be read.
///
/// `x.zim` that is not there is a ZIM if `x.zimaa` is.
pub fn format_of(path: &Path, at: u64) -> Option<Format> {
    let named = |ending: &str| path.extension().is_some_and(|e| e.eq_ignore_ascii_case(ending));
    let Ok((mut file, len)) = open_file(path) else {
        return Parts::first_of(path).map(|_| Format::Zim);
    };
    // Fewer at the end of the file.
    let mut start = |at: u64| -> Option<Vec<u8>> {
        let mut start = vec![];
        file.seek(SeekFrom::Start(at)).ok()?;
        file.by_ref().take(first_page::MAGIC.len() as u64).read_to_end(&mut start).ok()?;
        Some(start)
    };
    let first = start(at)?;
    // Behind the end of the first of several parts.
    if first.starts_with(&zim::MAGIC) || at >= len && named("zimaa") {
        return Some(Format::Zim);
    }
    let is_ours = |start: Vec<u8>| first_page::is_ours(&start).then_some(Format::Tome);
    is_ours(first).or_else(|| is_ours(start(len.checked_sub(PAGE as u64)?)?))
}
