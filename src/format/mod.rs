#![doc = include_str!("FORMAT.md")]

pub mod block;
pub mod bytes;
pub mod entry;
pub mod first_page;
pub mod hash_tree;
pub mod identity;
pub mod ids;
pub mod parity;
pub mod small;
pub mod strings;

/// The specification, as text.
pub const FORMAT: &str = include_str!("FORMAT.md");

#[cfg(test)]
mod spec;
