//! What a page says, whatever its markup and its letters' coding.
//!
//! One home for everything that looks into content, so that the packer, the index, the terminal and
//! the server agree about a page's title and words.
pub mod charset;
pub mod head;
