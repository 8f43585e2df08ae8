//! Archives that are only an index: their entries' bytes lie in a file of another kind.

use std::ops::Range;
use std::sync::Arc;

use super::Archive;
use super::entries::Entry;
use crate::content::Content;
use crate::error::{Error, Place, Result, damaged};
use crate::item::keys;

/// The check that fails where an index lists what is not there: the damage is the index's, or it is of
/// something else.
pub const NO_SUCH_ENTRY: &str = "index";

/// Where the bytes are of what an index-only archive lists.
pub trait Contents: Send + Sync {
    /// Returns a part of the bytes of the entry of a path; a range that leaves them is cut to them.
    /// `None` if there is no such entry.
    ///
    /// # Errors
    ///
    /// Fails if the bytes cannot be read.
    fn content(&self, path: &str, range: Range<u64>) -> Result<Option<Content<'_>>>;
}

impl Archive {
    /// Returns true if the archive has names and indexes alone, and the bytes of its entries lie elsewhere.
    /// The size of its entries is then not known, and given as 0.
    pub fn is_index_only(&self) -> bool {
        self.first_page().is_index_only()
    }

    /// Says where the bytes of an index-only archive's entries are, so that its content can be read,
    /// phrases can be looked for, and hits have snippets. Means nothing to an archive that has its bytes.
    #[must_use]
    pub fn with_contents(self, contents: Arc<dyn Contents>) -> Self {
        Self { contents: Some(contents), ..self }
    }

    /// Returns the error of who asks an index for content.
    pub fn no_content(&self) -> Error {
        let of = self.metadata().ok().and_then(|m| m.text(keys::TITLE)).unwrap_or("another archive");
        Error::InvalidInput(format!(
            "this file is only a search index ({of}): it has names and words, but no content; open what it is \
             the index of"
        ))
    }

    /// Returns a part of the bytes of an entry that is no redirect.
    pub(super) fn content_elsewhere(&self, entry: &Entry, range: Range<u64>) -> Result<Content<'_>> {
        let Some(contents) = &self.contents else { return Err(self.no_content()) };
        match contents.content(&entry.path, range)? {
            Some(content) => Ok(content),
            None => damaged!(Place::Entry(entry.id.0), NO_SUCH_ENTRY, "what it indexes has no such entry"),
        }
    }
}
