//! The openZIM format: its files as they come, and ours as they go.
//!
//! Inside this folder the format's own words are right: cluster, dirent, namespace.

mod languages;
mod lengths;
pub mod metadata;
pub mod writer;
