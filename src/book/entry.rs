//! An entry of either format.

use crate::item::Kind;
use crate::{reader, zim};

/// An entry of a [`Book`](super::Book), which alone knows what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry(pub(super) Own);

/// What its own format says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Own {
    Tome(reader::Entry),
    Zim(zim::Entry),
}

impl Entry {
    /// Returns its address; in old ZIMs with the letter of its namespace, as in `A/Page`.
    pub fn path(&self) -> &str {
        match &self.0 {
            Own::Tome(entry) => &entry.path,
            Own::Zim(entry) => &entry.path,
        }
    }

    /// Returns its title; what the path gives, or the path itself, where it has none of its own.
    pub fn title(&self) -> &str {
        match &self.0 {
            Own::Tome(entry) => &entry.title,
            Own::Zim(entry) => &entry.title,
        }
    }

    /// Returns true if the title is its own.
    pub fn has_title(&self) -> bool {
        match &self.0 {
            Own::Tome(entry) => entry.has_title,
            Own::Zim(entry) => entry.has_title,
        }
    }

    /// Returns true if it is found by its title: articles, redirects, and media with a title of their own.
    pub fn is_titled(&self) -> bool {
        match &self.0 {
            Own::Tome(entry) => entry.is_titled,
            Own::Zim(entry) => entry.has_title || entry.kind() != Kind::Media,
        }
    }

    /// Returns what it is.
    pub fn kind(&self) -> Kind {
        match &self.0 {
            Own::Tome(entry) => entry.kind(),
            Own::Zim(entry) => entry.kind(),
        }
    }

    /// Returns the mime type, with its parameters; empty for a redirect.
    pub fn mime(&self) -> &str {
        match &self.0 {
            Own::Tome(entry) => entry.mime(),
            Own::Zim(entry) => entry.mime(),
        }
    }

    /// Returns true if path and title stand for bytes that are not UTF-8 (see
    /// [`crate::item::escape_bytes`]).
    pub fn is_escaped(&self) -> bool {
        match &self.0 {
            Own::Tome(entry) => entry.escaped,
            Own::Zim(entry) => entry.escaped,
        }
    }

    /// Returns true if a packer made it; a ZIM does not say.
    pub fn is_generated(&self) -> bool {
        match &self.0 {
            Own::Tome(entry) => entry.generated,
            Own::Zim(_) => false,
        }
    }

    /// Returns the place in the target of a redirect, without `#`; a ZIM's redirects have none.
    pub fn fragment(&self) -> Option<&str> {
        match &self.0 {
            Own::Tome(reader::Entry { body: reader::EntryBody::Redirect { fragment, .. }, .. }) => {
                fragment.as_deref()
            }
            _ => None,
        }
    }

    /// Returns a number that no other entry of its archive has.
    pub fn id(&self) -> u32 {
        match &self.0 {
            Own::Tome(entry) => entry.id.0,
            Own::Zim(entry) => entry.index,
        }
    }
}

impl From<reader::Entry> for Entry {
    fn from(entry: reader::Entry) -> Self {
        Self(Own::Tome(entry))
    }
}

impl From<zim::Entry> for Entry {
    fn from(entry: zim::Entry) -> Self {
        Self(Own::Zim(entry))
    }
}

/// Where a chain of redirects ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The entry at its end: an article or media.
    pub entry: Entry,
    /// The first fragment along the chain.
    pub fragment: Option<String>,
}
