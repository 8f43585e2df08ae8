//! What archives are made of: each file here reads one kind of source and yields items.
//!
//! [`manifest`] is no source of its own: it is what an extracted folder or zip says of its files
//! beyond their names and bytes, and the sources that find one ask it.

pub mod manifest;
