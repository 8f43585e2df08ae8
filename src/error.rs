//! What can go wrong, and whose fault it is.
//!
//! A variant says who has to act: the file system ([`Error::Io`]), the archive ([`Error::Format`],
//! [`Error::NotAnArchive`], [`Error::Unsupported`]), a source of a pack ([`Error::Source`]), the caller
//! ([`Error::InvalidInput`]), or a ceiling that protects the reader ([`Error::LimitExceeded`]).
//! Absence is not an error: look-ups return `Result<Option<_>>`.

use std::path::{Path, PathBuf};

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error, with what is needed to act on it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused something about a file.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// What was being done, as a verb phrase ("read", "create the temporary file").
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not an archive at all.
    #[error("not an archive: {found}")]
    NotAnArchive {
        /// What the first bytes look like.
        found: String,
    },
    /// The archive breaks a rule of the format: it is damaged, or was made by something else.
    #[error("damaged archive: {0}")]
    Format(#[from] FormatError),
    /// The archive is from a later version, or needs a feature that this version does not have.
    #[error("this archive needs {found}, this program reads {supported}; a newer Tome is needed")]
    Unsupported {
        /// What the archive asks for.
        found: String,
        /// What this version offers.
        supported: String,
    },
    /// A source of a pack breaks the rules of its own kind.
    #[error("{path}: {message}")]
    Source {
        /// The source, or the place in it.
        path: String,
        /// What is wrong and what to do about it.
        message: String,
    },
    /// The caller asked for something that cannot be.
    #[error("{0}")]
    InvalidInput(String),
    /// Something is larger than a ceiling allows.
    #[error("{what} is {wanted} bytes, more than the limit of {limit}")]
    LimitExceeded {
        /// What is too large.
        what: String,
        /// The ceiling in bytes.
        limit: u64,
        /// The size met.
        wanted: u64,
    },
    /// The caller's [`Observer`](crate::item::Observer) asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// Returns an I/O error that keeps the system's own.
    pub fn io(action: &'static str, path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::Io { action, path: path.as_ref().to_path_buf(), source }
    }

    /// Returns an error about a source of a pack.
    pub fn source(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Source { path: path.into(), message: message.into() }
    }

    /// Returns true if the archive's own bytes are to blame.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Format(_))
    }
}

/// One broken rule of the format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {check}: {detail}")]
pub struct FormatError {
    /// The part of the archive.
    pub place: Place,
    /// The check that fired: a stable name, one per cause.
    pub check: &'static str,
    /// What was expected and what was found.
    pub detail: String,
}

impl FormatError {
    /// Returns the error of a check at a place.
    pub fn new(place: Place, check: &'static str, detail: impl Into<String>) -> Self {
        Self { place, check, detail: detail.into() }
    }
}

/// A place in an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// The first page, or its copy at the end.
    FirstPage,
    /// A page of the hash tree: its level, and its number there.
    Tree(u8, u64),
    /// A section, by its kind's name, and the byte in it.
    Section(&'static str, u64),
    /// A page of the tables, by its number.
    Page(u64),
    /// A block, by its id.
    Block(u32),
    /// An entry, by its id.
    Entry(u32),
    /// The file as a whole.
    File,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::FirstPage => write!(f, "first page"),
            Self::Tree(level, page) => write!(f, "hash tree, level {level}, page {page}"),
            Self::Section(name, at) => write!(f, "section {name}, byte {at}"),
            Self::Page(page) => write!(f, "table page {page}"),
            Self::Block(id) => write!(f, "block {id}"),
            Self::Entry(id) => write!(f, "entry {id}"),
            Self::File => write!(f, "file"),
        }
    }
}

/// Returns `Err` with a [`FormatError`] built from a place, a check's name and a formatted detail.
macro_rules! damaged {
    ($place:expr, $check:expr, $($detail:tt)*) => {
        Err($crate::error::Error::Format($crate::error::FormatError::new($place, $check, format!($($detail)*))))
    };
}
pub(crate) use damaged;
