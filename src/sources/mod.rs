//! Where items come from.
//!
//! [`open`] looks at what a path is and returns its [`Source`]: a folder, a zip, an epub or a single
//! file. All of them hand every file they find to one `pass::Pass`, which decides by path and
//! content what it is (`derive`), turns signposts into redirects (`stubs`), remembers what the
//! content says of itself as a whole, and puts the item into the sink. Items come in byte order of
//! their paths, whatever order the system lists them in.
//!
//! Several sources make one archive by running one after another into the same sink; what they
//! must not have twice, a path, is the sink's to notice. An [`archive`] or a [`zim`] is a source too,
//! whose entries are taken as they are. What a folder or zip remembers of the archive that it was extracted
//! from is its [`manifest`], which is asked before anything is derived.

pub mod archive;
mod as_is;
mod derive;
mod directory;
mod epub;
mod file;
pub mod manifest;
mod pass;
pub mod redirects;
mod stubs;
mod walk;
pub mod zim;
mod zip;

#[cfg(test)]
mod testing;

use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::archives::{Format, format_of};
use crate::error::{Error, Result};
use crate::item::{Source, escape_bytes};
use crate::limits;
use crate::storage::{Parts, open_file};

pub use derive::{is_epub, mime_of};
pub use directory::path_name;

/// What to take from a source, and as what.
#[derive(Debug, Clone)]
pub struct Options {
    /// Only these paths, if any are given.
    pub include: Globs,
    /// Not these paths.
    pub exclude: Globs,
    /// These are never articles.
    pub media_only: Globs,
    /// The path of the main page, if it is given from outside; otherwise the source finds it.
    pub main: Option<String>,
    /// The most bytes of one item of a zip.
    pub max_zip_item: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            include: Globs::default(),
            exclude: Globs::default(),
            media_only: Globs::default(),
            main: None,
            max_zip_item: limits::MAX_ZIP_ITEM,
        }
    }
}

impl Options {
    /// Returns true if an entry of this path is wanted.
    pub fn wants(&self, path: &str) -> bool {
        (self.include.is_empty() || self.include.matches(path)) && !self.exclude.matches(path)
    }
}

/// Patterns over whole entry paths: `*` stays within a folder, `**` crosses them.
#[derive(Debug, Clone, Default)]
pub struct Globs {
    set: GlobSet,
    patterns: Vec<String>,
}

impl Globs {
    /// Compiles patterns.
    ///
    /// # Errors
    ///
    /// Names the first pattern that is none.
    pub fn new<S: AsRef<str>>(patterns: &[S]) -> Result<Self> {
        let mut set = GlobSetBuilder::new();
        let invalid = |e: globset::Error| Error::InvalidInput(format!("not a pattern for paths: {e}"));
        for pattern in patterns {
            // The same everywhere, whatever the system's own separator is.
            let glob =
                GlobBuilder::new(pattern.as_ref()).literal_separator(true).backslash_escape(true).build();
            set.add(glob.map_err(invalid)?);
        }
        let patterns = patterns.iter().map(|pattern| pattern.as_ref().to_owned()).collect();
        Ok(Self { set: set.build().map_err(invalid)?, patterns })
    }

    /// Returns true if there are no patterns.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// Returns true if one of the patterns matches.
    pub fn matches(&self, path: &str) -> bool {
        !self.set.is_empty() && self.set.is_match(path)
    }

    /// Returns true if one of the patterns is this very path, without a wildcard.
    pub fn names(&self, path: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern == path)
    }
}

/// Opens a source by what it is.
///
/// `prefix` goes before every path of the source, with a `/` between; it may be empty.
///
/// # Errors
///
/// Fails if there is nothing at `spec`, or if it cannot be read as what it is.
pub fn open(spec: &Path, prefix: &str, options: Options) -> Result<Box<dyn Source>> {
    let prefix = normal_prefix(prefix)?;
    let kind = match std::fs::metadata(spec) {
        // The name of a ZIM in parts, none of which has it.
        Err(_) if Parts::first_of(spec).is_some() => {
            return Ok(Box::new(zim::ZimSource::open(spec, prefix, options)?));
        }
        kind => kind.map_err(|e| Error::io("open the source", spec, e))?,
    };
    if kind.is_dir() {
        return Ok(Box::new(directory::Directory::open(spec, prefix, options)?));
    }
    let (file, _) = open_file(spec)?;
    let mut start = Vec::new();
    file.take(256).read_to_end(&mut start).map_err(|e| Error::io("read", spec, e))?;
    let ending = spec.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    // An archive is known by its bytes, whatever it is called; what is only called one is refused with what
    // it looks like.
    match (format_of(spec, 0), ending.as_deref()) {
        (Some(Format::Tome), _) | (None, Some("tome")) => {
            return Ok(Box::new(archive::ArchiveSource::open(spec, prefix, options)?));
        }
        (Some(Format::Zim), _) | (None, Some("zim")) => {
            return Ok(Box::new(zim::ZimSource::open(spec, prefix, options)?));
        }
        (None, _) => {}
    }
    // Other files that are zips inside (office documents, packages) are single files.
    match ending.as_deref() {
        _ if derive::is_epub(&start) => Ok(Box::new(epub::Epub::open(spec, prefix, options)?)),
        Some("epub") => Ok(Box::new(epub::Epub::open(spec, prefix, options)?)),
        Some("zip") => Ok(Box::new(zip::Zip::open(spec, prefix, options)?)),
        _ => Ok(Box::new(file::SingleFile::new(spec, prefix, options))),
    }
}

/// Reads a file that the user named, which must be a regular one: a pipe or a device may have no end.
///
/// # Errors
///
/// Fails if it is not, if it has more than `limit` bytes, or if it cannot be read.
pub fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let failed = |e| Error::io("read", path, e);
    let (file, len) = open_file(path)?;
    let mut bytes = Vec::new();
    if len <= limit {
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    }
    let wanted = len.max(bytes.len() as u64);
    if wanted > limit {
        return Err(Error::LimitExceeded { what: path.display().to_string(), limit, wanted });
    }
    Ok(bytes)
}

/// Returns a prefix that paths are appended to: empty, or ending in `/`.
fn normal_prefix(prefix: &str) -> Result<String> {
    let inner = prefix.trim_matches('/');
    if inner.is_empty() {
        return Ok(String::new());
    }
    if inner.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(Error::InvalidInput(format!("{prefix:?} cannot go before paths: it is no plain path")));
    }
    Ok(format!("{inner}/"))
}

/// Returns the bytes of a file's name as text.
fn name_of(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(escape_bytes(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_paths() {
        let globs = Globs::new(&["*.html", "img/**", "**/x.css"]).unwrap();
        for (path, expected) in [
            ("a.html", true),
            ("d/a.html", false),
            ("img/a/b.png", true),
            ("img", false),
            ("x.css", true),
            ("a/b/x.css", true),
        ] {
            assert_eq!(globs.matches(path), expected, "{path}");
        }
        assert!(Globs::new(&["a{b"]).is_err());
        assert!(!Globs::new::<&str>(&[]).unwrap().matches("a"));
    }

    #[test]
    fn prefixes_end_in_a_slash_or_are_none() {
        assert_eq!(normal_prefix("").unwrap(), "");
        assert_eq!(normal_prefix("/").unwrap(), "");
        assert_eq!(normal_prefix("/a/b/").unwrap(), "a/b/");
        for bad in ["..", "a/../b", "./a", "a//b"] {
            assert!(normal_prefix(bad).is_err(), "{bad}");
        }
    }
}
