//! The openZIM format, whole: its bytes, its reader, its writer, its checks, and its namespaces, which
//! nobody else needs to know. Inside this folder the format's own words are right: cluster, dirent,
//! namespace.
//!
//! A ZIM is a header that says where four lists are: mime types, dirents in order of namespace and path,
//! dirents in order of title, and clusters, in which blobs are compressed together. Everything is found
//! by absolute offsets, and one MD5 over the whole file is its only checksum: that a byte is what was
//! written can be known only by reading all of it.
//!
//! Data flows `header` -> `listing`, `dirent`, `cluster` -> `reader` -> `check`. Paths are those that
//! libzim shows: in files of the old scheme with the letter of their namespace (`A/Page`), in new ones
//! without. Entries are those of content; metadata, listings and indexes are reached by functions of
//! their own.

mod check;
mod checksum;
mod cluster;
mod dirent;
mod header;
pub(crate) mod languages;
mod lengths;
mod listing;
pub mod metadata;
mod namespace;
mod reader;
#[cfg(test)]
pub(crate) mod testing;
mod writer;

pub use check::VerifyOptions;
pub use header::{Header, MAGIC};
pub use reader::{Archive, ContentReader, Counts, Entry, EntryBody, Illustration, OpenOptions, Xapian};
pub use writer::{Minor, Options as WriteOptions, Summary, Writer};
