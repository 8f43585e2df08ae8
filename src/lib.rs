//! Offline archives of knowledge: a corpus in one indexed, compressed, verified file.
pub mod error;
pub mod item;
pub mod limits;
pub mod sources;
pub mod text;
