//! The bytes of entries.

use std::io::{Read, Write};
use std::ops::{Deref, Range};
use std::sync::Arc;

use super::clusters::Cluster;
use super::{Archive, Entry, EntryBody};
use crate::content::Content;
use crate::error::{Error, Place, Result, damaged};
use crate::zim::cluster::{Compression, Stream};
use crate::zim::dirent::DirentKind;

/// The steps in which stored bytes are copied.
const STEP: u64 = 1 << 20;

impl Archive {
    /// Returns the length of an entry's bytes; 0 for a redirect. Of a compressed cluster only the offsets
    /// are decoded (some 100 us), and kept.
    ///
    /// # Errors
    ///
    /// Fails if the offsets of its cluster are damaged.
    pub fn content_len(&self, entry: &Entry) -> Result<u64> {
        match entry.body {
            EntryBody::Blob { cluster, blob, .. } => {
                let cluster = self.cluster(cluster)?;
                let (start, end) = self.blob_range(&cluster, entry.index, blob, false)?;
                Ok(end - start)
            }
            EntryBody::Redirect { .. } => Ok(0),
        }
    }

    /// Returns the bytes of an entry; of a redirect, those of the entry at its end.
    ///
    /// Stored content is borrowed. A compressed cluster is decoded from its start as far as the entry
    /// (about 1 ms a megabyte) unless the cache holds that.
    ///
    /// # Errors
    ///
    /// Fails if its cluster is damaged, or a redirect leads nowhere; or if it is compressed and longer
    /// than [`crate::limits::MAX_ZIM_CONTENT`]: then [`ContentReader`] gives it in pieces.
    pub fn content(&self, entry: &Entry) -> Result<Content<'_>> {
        self.content_range(entry, 0..u64::MAX)
    }

    /// Returns a part of the bytes of an entry; a range that leaves them is cut to them.
    ///
    /// # Errors
    ///
    /// As [`Archive::content`], of the length of the range.
    pub fn content_range(&self, entry: &Entry, range: Range<u64>) -> Result<Content<'_>> {
        let Some((cluster, whole)) = self.place(entry)? else {
            return damaged!(Place::Entry(entry.index), "redirect", "it leads nowhere");
        };
        let start = whole.start.saturating_add(range.start).min(whole.end);
        let end = whole.start.saturating_add(range.end).min(whole.end).max(start);
        self.read_blob(&cluster, start..end)
    }

    /// Writes the bytes of an entry to `out`, in memory of a few megabytes whatever its length.
    ///
    /// # Errors
    ///
    /// As [`Archive::content`] (then a part may have been written), of no length; or if `out` fails.
    pub fn copy_content(&self, entry: &Entry, out: &mut dyn Write) -> Result<()> {
        let mut reader = ContentReader::new(self, entry)?;
        let mut piece = vec![];
        while reader.next_piece(&mut piece)? {
            out.write_all(&piece).map_err(|e| Error::io("write", "output", e))?;
        }
        Ok(())
    }

    /// Returns the cluster of an entry and where in it its bytes are; nothing for a redirect to nowhere.
    fn place(&self, entry: &Entry) -> Result<Option<(Arc<Cluster>, Range<u64>)>> {
        let place = |index, cluster, blob| {
            let cluster = self.cluster(cluster)?;
            let (start, end) = self.blob_range(&cluster, index, blob, true)?;
            Ok(Some((cluster, start..end)))
        };
        match entry.body {
            EntryBody::Blob { cluster, blob, .. } => place(entry.index, cluster, blob),
            EntryBody::Redirect { .. } => match self.resolve(entry.clone())? {
                Some(Entry { index, body: EntryBody::Blob { cluster, blob, .. }, .. }) => {
                    place(index, cluster, blob)
                }
                _ => Ok(None),
            },
        }
    }

    /// Returns the bytes of a dirent of any namespace, and no more than so many of them.
    pub(in crate::zim) fn blob_of(&self, index: u32, most: u64) -> Result<Content<'_>> {
        let (cluster, range) = self.blob_place(index)?;
        self.read_blob(&cluster, range.start..range.end.min(range.start.saturating_add(most)))
    }

    /// Returns the cluster of a dirent of any namespace that has bytes, and where in it they are.
    pub(super) fn blob_place(&self, index: u32) -> Result<(Arc<Cluster>, Range<u64>)> {
        match self.dirent_head(index)?.1 {
            DirentKind::Blob { cluster, blob, .. } => {
                let cluster = self.cluster(cluster)?;
                let (start, end) = self.blob_range(&cluster, index, blob, true)?;
                Ok((cluster, start..end))
            }
            _ => damaged!(Place::Entry(index), "dirent", "it has no bytes"),
        }
    }

    /// Returns the bytes of the file that are a part of a cluster, if it is stored as it is.
    pub(super) fn in_file(&self, cluster: &Cluster, range: &Range<u64>) -> Option<Range<u64>> {
        // The range was checked to lie within the file.
        let at = |offset: u64| cluster.at.saturating_add(offset);
        (cluster.compression == Compression::None).then(|| at(range.start)..at(range.end))
    }

    /// Returns bytes of a cluster, which lie within it.
    pub(super) fn read_blob(&self, cluster: &Arc<Cluster>, range: Range<u64>) -> Result<Content<'_>> {
        if let Some(range) = self.in_file(cluster, &range) {
            let bytes = self.storage.read(range)?;
            self.storage.check_fault()?;
            return Ok(Content::direct(bytes));
        }
        if range.start >= range.end {
            return Ok(Content::direct(std::borrow::Cow::Borrowed(&[])));
        }
        if self.is_kept(cluster)? {
            // Both fit in memory: they are within what was decoded.
            let decoded = self.decoded(cluster, range.end)?;
            return Ok(Content::part(decoded, range.start as usize..range.end as usize));
        }
        let bytes = self.in_passing(cluster, range.start, range.end)?;
        Ok(Content::direct(std::borrow::Cow::Owned(bytes)))
    }

    /// Returns true for a compressed cluster that is kept once it is decoded.
    fn is_kept(&self, cluster: &Arc<Cluster>) -> Result<bool> {
        Ok(self.table(cluster)?.total <= self.clusters.max_kept())
    }
}

/// Reads the bytes of an entry from their start to their end, in memory of a few megabytes however many
/// there are.
///
/// Holds the archive by whatever points to it: `&Archive`, `Arc<Archive>`.
pub struct ContentReader<A> {
    archive: A,
    cluster: Arc<Cluster>,
    /// What is left, in the cluster.
    left: Range<u64>,
    how: How,
    /// What was fetched for [`Read`] and not yet given.
    piece: Vec<u8>,
    given: usize,
}

enum How {
    /// Stored bytes of the file.
    Stored,
    /// A cluster that is decoded in memory.
    Kept,
    /// A decoder of its own for a cluster too long for that.
    Passing(Box<Stream>),
}

impl<A: Deref<Target = Archive>> ContentReader<A> {
    /// Begins to read an entry; of a redirect, the entry at its end.
    ///
    /// # Errors
    ///
    /// Fails if the offsets of its cluster are damaged, or a redirect leads nowhere.
    pub fn new(archive: A, entry: &Entry) -> Result<Self> {
        let Some((cluster, left)) = archive.place(entry)? else {
            return damaged!(Place::Entry(entry.index), "redirect", "it leads nowhere");
        };
        let how = if cluster.compression == Compression::None {
            How::Stored
        } else if archive.is_kept(&cluster)? {
            How::Kept
        } else {
            let mut stream = archive.stream(&cluster)?;
            stream.skip(&archive.stored(&cluster), left.start)?;
            How::Passing(Box::new(stream))
        };
        Ok(Self { archive, cluster, left, how, piece: vec![], given: 0 })
    }

    /// Returns how many bytes are left.
    pub fn left(&self) -> u64 {
        self.left.end - self.left.start + (self.piece.len() - self.given) as u64
    }

    /// Puts the next bytes in place of those in `piece`, up to a megabyte; returns false at the end.
    ///
    /// # Errors
    ///
    /// Fails if the cluster is damaged.
    pub fn next_piece(&mut self, piece: &mut Vec<u8>) -> Result<bool> {
        piece.clear();
        if self.given < self.piece.len() {
            piece.extend_from_slice(self.piece.get(self.given..).unwrap_or_default());
            self.given = self.piece.len();
            return Ok(true);
        }
        let n = STEP.min(self.left.end - self.left.start);
        if n == 0 {
            return Ok(false);
        }
        let archive = &*self.archive;
        let end = self.left.start + n;
        match &mut self.how {
            How::Stored | How::Kept => {
                piece.extend_from_slice(&archive.read_blob(&self.cluster, self.left.start..end)?);
            }
            How::Passing(stream) => stream.append(&archive.stored(&self.cluster), piece, n)?,
        }
        archive.storage.check_fault()?;
        self.left.start = end;
        Ok(true)
    }
}

impl<A: Deref<Target = Archive>> Read for ContentReader<A> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        if self.given >= self.piece.len() {
            let mut piece = std::mem::take(&mut self.piece);
            self.given = 0;
            self.next_piece(&mut piece).map_err(|error| match error {
                Error::Io { source, .. } => source,
                other => std::io::Error::new(std::io::ErrorKind::InvalidData, other),
            })?;
            self.piece = piece;
        }
        let rest = self.piece.get(self.given..).unwrap_or_default();
        let n = rest.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..n), rest.get(..n)) {
            to.copy_from_slice(from);
        }
        self.given += n;
        Ok(n)
    }
}
