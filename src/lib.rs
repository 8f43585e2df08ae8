//! Offline archives of knowledge: a corpus in one indexed, compressed, verified file.
mod archives;
pub mod book;
mod codec;
pub mod content;
pub mod error;
pub mod extract;
pub mod findings;
pub mod fold;
pub mod format;
pub mod hex;
pub mod index;
pub mod item;
pub mod json;
pub mod limits;
pub mod manifest;
mod output;
pub mod reader;
#[cfg(feature = "server")]
pub mod server;
mod sorter;
pub mod sources;
pub mod storage;
pub mod tables;
#[cfg(feature = "cli")]
pub mod terminal;
pub mod text;
pub mod writer;
pub mod zim;
