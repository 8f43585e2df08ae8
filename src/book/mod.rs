//! What a face needs of any archive: one interface, over a `.tome` and a `.zim`.
//!
//! [`Book::open`] looks at how a file begins, not at how it is called. Behind it every question has one
//! answer whatever the format: entries by path and title, what a person means by a name ([`Found`]),
//! bytes, suggestions, hits, findings. The formats' own words end here: a ZIM's clusters are blocks, its
//! front articles articles, its front page the main entry.
//!
//! A [`Book`] is `Send` and `Sync`, and shared as `Arc<Book>`; nothing in it prints. What takes long takes
//! an [`Observer`](crate::item::Observer), which hears how far it is and may end it.
//!
//! A `.tome` has its indexes inside. Those that a ZIM may have are of a kind that only its own library
//! reads, so they are built when they are first asked for: what finds an exact title or path never waits
//! for one.

mod entry;
mod find;
mod index;
mod links;
mod open;
mod search;
mod titles;
mod verify;
mod zim;
pub mod zim_index;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

pub use self::entry::{Entry, Resolved};
pub use self::find::Found;
pub use self::open::OpenOptions;
pub use self::search::{Hit, Hits, Suggestion, Suggestions, search};
pub use self::verify::VerifyOptions;
pub use self::zim_index::{CacheOptions, Kind as IndexKind, index_folder};
pub use crate::archives::{Format, format_of};
pub use crate::content::Content;
pub use crate::reader::{Cache, Match, SearchOptions, SuggestOptions};
pub use crate::zim::Counts;

use self::entry::Own;
use self::zim::ZimBook;
use crate::error::{Error, Result};
use crate::item::{Metadata, Source, keys};
use crate::{reader, sources};

/// An open archive of either format.
pub struct Book(Inner);

enum Inner {
    Tome(Arc<reader::Archive>),
    // Larger than the other by far.
    Zim(Box<ZimBook>),
}

/// A part of the file that is not content: where it is, for people who look into files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// What it is called.
    pub name: &'static str,
    /// Where in the archive it begins, in bytes.
    pub offset: u64,
    /// Its length in bytes.
    pub len: u64,
    /// True if a reader that does not know it may do without.
    pub is_optional: bool,
}

/// The order in which a source gives its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Byte order of the paths, which files need to get the same names each time.
    Paths,
    /// The one that is read fastest.
    Stored,
}

/// A run of entries in byte order of their paths.
pub type Entries<'a> = Box<dyn Iterator<Item = Result<Entry>> + Send + 'a>;

impl Book {
    /// Takes an open `.tome`.
    pub fn from_tome(archive: Arc<reader::Archive>) -> Self {
        Self(Inner::Tome(archive))
    }

    /// Takes an open ZIM, whose indexes are kept where the options say.
    pub fn from_zim(archive: Arc<crate::zim::Archive>, index: CacheOptions) -> Self {
        Self(Inner::Zim(Box::new(ZimBook::new(archive, index))))
    }

    /// Returns the archive behind this, if it is a `.tome`: for what only its format has.
    pub fn as_tome(&self) -> Option<&Arc<reader::Archive>> {
        match &self.0 {
            Inner::Tome(archive) => Some(archive),
            Inner::Zim(_) => None,
        }
    }

    /// Returns the archive behind this, if it is a ZIM: for what only its format has.
    pub fn as_zim(&self) -> Option<&Arc<crate::zim::Archive>> {
        match &self.0 {
            Inner::Tome(_) => None,
            Inner::Zim(zim) => Some(&zim.archive),
        }
    }

    /// Returns the format.
    pub fn format(&self) -> Format {
        match &self.0 {
            Inner::Tome(_) => Format::Tome,
            Inner::Zim(_) => Format::Zim,
        }
    }

    /// Returns the version of the format, major and minor.
    pub fn version(&self) -> (u16, u16) {
        match &self.0 {
            Inner::Tome(archive) => archive.first_page().version,
            Inner::Zim(zim) => (zim.archive.header().major, zim.archive.header().minor),
        }
    }

    /// Returns the length of the archive in bytes, all parts of a split one together.
    pub fn size(&self) -> u64 {
        match &self.0 {
            Inner::Tome(archive) => archive.size(),
            Inner::Zim(zim) => zim.archive.size(),
        }
    }

    /// Returns the number of blocks: of units in which content is decoded.
    pub fn n_blocks(&self) -> u32 {
        match &self.0 {
            Inner::Tome(archive) => archive.first_page().n_blocks,
            Inner::Zim(zim) => zim.archive.header().n_clusters,
        }
    }

    /// Returns the BLAKE3 that vouches for every byte of the file; a ZIM has none.
    pub fn file_id(&self) -> Option<[u8; 32]> {
        self.as_tome().map(|archive| archive.file_id())
    }

    /// Returns the identity of the content, however it was packed; a ZIM says none.
    pub fn content_id(&self) -> Option<[u8; 32]> {
        self.as_tome().map(|archive| archive.content_id())
    }

    /// Returns the UUID: a ZIM's own; that of the ZIM from which a `.tome` was made, if it was and if its
    /// metadata can be read.
    pub fn uuid(&self) -> Option<String> {
        match &self.0 {
            Inner::Tome(archive) => archive.metadata().ok()?.text(keys::UUID).map(str::to_owned),
            Inner::Zim(zim) => Some(zim.uuid()),
        }
    }

    /// Returns where in the file the parts are that are not content.
    pub fn sections(&self) -> Vec<Section> {
        match &self.0 {
            Inner::Tome(archive) => {
                let first = archive.first_page();
                let section = |row: &crate::format::first_page::Row| Section {
                    name: row.kind.name(),
                    offset: first.tables_offset.saturating_add(row.offset),
                    len: row.len,
                    is_optional: row.flags & crate::format::first_page::Row::OPTIONAL != 0,
                };
                first.rows.iter().map(section).collect()
            }
            Inner::Zim(zim) => zim.sections(),
        }
    }

    /// Returns what was found damaged when the archive was opened, and made no difference.
    pub fn damage_at_start(&self) -> Option<String> {
        self.as_tome()?.tables().first_page_damage().map(|e| format!("{e}; its copy at the end is used"))
    }

    /// Returns what the archive says of itself, by the keys of [`keys`].
    ///
    /// # Errors
    ///
    /// Fails if the metadata are damaged.
    pub fn metadata(&self) -> Result<&Metadata> {
        match &self.0 {
            Inner::Tome(archive) => archive.metadata(),
            Inner::Zim(zim) => zim.metadata(),
        }
    }

    /// Returns how many entries of each kind there are. A `.tome` says so; of a ZIM each entry's name is
    /// looked at once, which is about a second for a few millions.
    ///
    /// # Errors
    ///
    /// Fails if a ZIM's list of articles cannot be read.
    pub fn counts(&self) -> Result<Counts> {
        match &self.0 {
            Inner::Tome(archive) => {
                let first = archive.first_page();
                Ok(Counts {
                    articles: first.n_articles.into(),
                    media: first.n_media.into(),
                    redirects: first.n_redirects.into(),
                    damaged: 0,
                })
            }
            Inner::Zim(zim) => zim.archive.counts(),
        }
    }

    /// Returns the main page.
    ///
    /// # Errors
    ///
    /// Fails if its entry is damaged.
    pub fn main_entry(&self) -> Result<Option<Entry>> {
        Ok(match &self.0 {
            Inner::Tome(archive) => archive.main_entry()?.map(Entry::from),
            Inner::Zim(zim) => zim.archive.main_entry()?.map(Entry::from),
        })
    }

    /// Returns the entry of a path, which must match to the byte.
    ///
    /// # Errors
    ///
    /// Fails if the way to it is damaged.
    pub fn entry_by_path(&self, path: &str) -> Result<Option<Entry>> {
        Ok(match &self.0 {
            Inner::Tome(archive) => archive.entry_by_path(path)?.map(Entry::from),
            Inner::Zim(zim) => zim.archive.entry_by_path(path)?.map(Entry::from),
        })
    }

    /// Iterates over all entries in byte order of their paths. What cannot be read is an error, and the
    /// rest comes after it.
    pub fn entries(&self) -> Entries<'_> {
        match &self.0 {
            Inner::Tome(archive) => Box::new(archive.entries().map(|e| e.map(Entry::from))),
            Inner::Zim(zim) => Box::new(zim.archive.entries().map(|e| e.map(Entry::from))),
        }
    }

    /// Iterates over the entries whose paths begin so, in byte order of their paths.
    ///
    /// # Errors
    ///
    /// Fails if the way to the first is damaged.
    pub fn entries_with_prefix<'a>(&'a self, prefix: &'a str) -> Result<Entries<'a>> {
        Ok(match &self.0 {
            Inner::Tome(archive) => {
                Box::new(archive.entries_with_prefix(prefix)?.map(|e| e.map(Entry::from)))
            }
            Inner::Zim(zim) => Box::new(zim.archive.entries_with_prefix(prefix)?.map(|e| e.map(Entry::from))),
        })
    }

    /// Iterates over the entries in the order in which a person reads them; over none if the archive says
    /// no such order, as ZIMs do.
    ///
    /// # Errors
    ///
    /// Fails if the order cannot be read.
    pub fn reading_order(&self) -> Result<Entries<'_>> {
        let Inner::Tome(archive) = &self.0 else { return Ok(Box::new(std::iter::empty())) };
        let ids = archive.reading_order()?;
        let entries = ids.into_iter().filter_map(|id| archive.entry_by_id(id).transpose());
        Ok(Box::new(entries.map(|e| e.map(Entry::from))))
    }

    /// Returns the entry that a redirect names, which may be another redirect; nothing if there is none,
    /// or if the entry is no redirect.
    ///
    /// # Errors
    ///
    /// Fails if the other's entry is damaged.
    pub fn target(&self, entry: &Entry) -> Result<Option<Entry>> {
        Ok(match (&self.0, &entry.0) {
            (Inner::Tome(archive), Own::Tome(entry)) => match entry.body {
                reader::EntryBody::Redirect { target, .. } => archive.entry_by_id(target)?.map(Entry::from),
                reader::EntryBody::Blob { .. } => None,
            },
            (Inner::Zim(zim), Own::Zim(entry)) => match entry.body {
                crate::zim::EntryBody::Redirect { target } => zim.archive.entry_at(target)?.map(Entry::from),
                crate::zim::EntryBody::Blob { .. } => None,
            },
            _ => return Err(foreign(entry)),
        })
    }

    /// Follows redirects from an entry to the article or media at their end; nothing if they lead nowhere.
    ///
    /// # Errors
    ///
    /// Fails if an entry on the way is damaged.
    pub fn resolve(&self, entry: Entry) -> Result<Option<Resolved>> {
        match (&self.0, entry.0) {
            (Inner::Tome(archive), Own::Tome(entry)) => {
                let resolved = archive.resolve(entry)?;
                Ok(resolved.map(|r| Resolved { entry: r.entry.into(), fragment: r.fragment }))
            }
            (Inner::Zim(zim), Own::Zim(entry)) => {
                let resolved = zim.archive.resolve(entry)?;
                Ok(resolved.map(|entry| Resolved { entry: entry.into(), fragment: None }))
            }
            (_, own) => Err(foreign(&Entry(own))),
        }
    }

    /// Returns the length of an entry's bytes; 0 for a redirect. In a ZIM this costs decoding where its
    /// cluster begins.
    ///
    /// # Errors
    ///
    /// Fails if that is damaged.
    pub fn size_of(&self, entry: &Entry) -> Result<u64> {
        match (&self.0, &entry.0) {
            (Inner::Tome(_), Own::Tome(entry)) => Ok(entry.size()),
            (Inner::Zim(zim), Own::Zim(entry)) => zim.archive.content_len(entry),
            _ => Err(foreign(entry)),
        }
    }

    /// Returns the bytes of an entry; of a redirect, those of the entry at its end.
    ///
    /// # Errors
    ///
    /// Fails if they are damaged, or if a redirect leads nowhere.
    pub fn content(&self, entry: &Entry) -> Result<Content<'_>> {
        self.content_range(entry, 0..u64::MAX)
    }

    /// Returns a part of the bytes of an entry; a range that leaves them is cut to them.
    ///
    /// # Errors
    ///
    /// As [`Book::content`].
    pub fn content_range(&self, entry: &Entry, range: Range<u64>) -> Result<Content<'_>> {
        match (&self.0, &entry.0) {
            (Inner::Tome(archive), Own::Tome(entry)) => archive.content_range(entry, range),
            (Inner::Zim(zim), Own::Zim(entry)) => zim.archive.content_range(entry, range),
            _ => Err(foreign(entry)),
        }
    }

    /// Writes the bytes of an entry, in bounded memory.
    ///
    /// # Errors
    ///
    /// Fails if they are damaged (then a part may have been written), or if `out` fails.
    pub fn copy(&self, entry: &Entry, out: &mut dyn Write) -> Result<()> {
        match (&self.0, &entry.0) {
            (Inner::Tome(archive), Own::Tome(entry)) => archive.copy_content(entry, out),
            (Inner::Zim(zim), Own::Zim(entry)) => zim.archive.copy_content(entry, out),
            _ => Err(foreign(entry)),
        }
    }

    /// Returns an article chosen by a random number, each with the same probability; nothing if there are
    /// no articles.
    ///
    /// # Errors
    ///
    /// Fails if the way to it is damaged.
    pub fn random_article(&self, random: u64) -> Result<Option<Entry>> {
        Ok(match &self.0 {
            Inner::Tome(archive) => archive.random_article(random)?.map(Entry::from),
            Inner::Zim(zim) => zim.random_article(random)?.map(Entry::from),
        })
    }

    /// Returns an article by chance; nothing if there are no articles.
    ///
    /// # Errors
    ///
    /// As [`Book::random_article`].
    pub fn any_article(&self) -> Result<Option<Entry>> {
        // The standard library's hash maps are seeded by the system at random.
        self.random_article(RandomState::new().build_hasher().finish())
    }

    /// Returns the language of an entry: its own, else the archive's first.
    ///
    /// # Errors
    ///
    /// Fails if the languages or the metadata are damaged.
    pub fn language(&self, entry: &Entry) -> Result<Option<&str>> {
        match (&self.0, &entry.0) {
            (Inner::Tome(archive), Own::Tome(entry)) => archive.language(entry.id),
            (Inner::Zim(zim), Own::Zim(_)) => {
                let all = zim.metadata()?.text(keys::LANGUAGE);
                Ok(all.and_then(|l| l.split(',').next()).map(str::trim).filter(|l| !l.is_empty()))
            }
            _ => Err(foreign(entry)),
        }
    }

    /// Returns the whole archive as a source, to be extracted, converted or packed again; messages call
    /// it by `name`.
    pub fn source(&self, options: sources::Options, order: Order, name: &str) -> Box<dyn Source> {
        match &self.0 {
            Inner::Tome(archive) => {
                let source = sources::archive::ArchiveSource::new(Arc::clone(archive), options);
                Box::new(source.with_name(name))
            }
            Inner::Zim(zim) => {
                let source = zim.source(options).with_name(name);
                Box::new(if order == Order::Paths { source.in_order_of_paths() } else { source })
            }
        }
    }
}

impl std::fmt::Debug for Book {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Book({}, {} bytes)", self.format().name(), self.size())
    }
}

/// Returns the error of an entry that another archive gave.
fn foreign(entry: &Entry) -> Error {
    Error::InvalidInput(format!("{}: an entry of an archive of the other format", entry.path()))
}
