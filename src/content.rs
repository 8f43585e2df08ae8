//! The bytes of an entry, from wherever they are.

use std::borrow::Cow;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// The bytes of an entry, or a part of them: borrowed from the archive's storage where they are
/// stored as they are, else a part of a decoded block that the cache may share.
#[derive(Debug, Clone)]
pub struct Content<'a>(Bytes<'a>);

#[derive(Debug, Clone)]
enum Bytes<'a> {
    Direct(Cow<'a, [u8]>),
    Block(Arc<Vec<u8>>, Range<usize>),
}

impl<'a> Content<'a> {
    /// Returns bytes as they are.
    pub(crate) fn direct(bytes: Cow<'a, [u8]>) -> Self {
        Self(Bytes::Direct(bytes))
    }

    /// Returns a part of a decoded block, or as much of it as there is.
    pub(crate) fn part(block: Arc<Vec<u8>>, range: Range<usize>) -> Self {
        let end = range.end.min(block.len());
        let range = range.start.min(end)..end;
        Self(Bytes::Block(block, range))
    }

    /// Returns true if the bytes are borrowed from the archive's storage, without a copy.
    pub fn is_borrowed(&self) -> bool {
        matches!(self.0, Bytes::Direct(Cow::Borrowed(_)))
    }

    /// Returns the bytes as a vector; copies unless they are owned already.
    pub fn into_vec(self) -> Vec<u8> {
        match self.0 {
            Bytes::Direct(bytes) => bytes.into_owned(),
            Bytes::Block(block, range) => block[range].to_vec(),
        }
    }
}

impl Deref for Content<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Bytes::Direct(bytes) => bytes,
            Bytes::Block(block, range) => &block[range.clone()],
        }
    }
}

impl AsRef<[u8]> for Content<'_> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}
