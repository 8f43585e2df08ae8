//! Going through a cluster from its first blob to its last, which decodes all of it, once.
//!
//! A cluster of up to [`MAX_ZIM_WALK`] bytes is decoded into a buffer that serves for the next one as well,
//! a longer one in passing. The cache has no part in it: who goes through a whole archive would only drive
//! out what others need.

use std::borrow::Cow;

use super::Archive;
use super::clusters::{Cluster, Table, begin};
use crate::error::{Place, Result, damaged};
use crate::limits::MAX_ZIM_WALK;
use crate::zim::cluster::{Compression, InPlace, Stream, USUAL_CLUSTER};

/// Bytes of a stored blob that are given at a time.
const PIECE: u64 = 4 << 20;

/// A cluster that is gone through.
pub(in crate::zim) struct Walk<'a> {
    archive: &'a Archive,
    cluster: Cluster,
    table: Table,
    body: Body<'a>,
    /// Is asked from time to time whether to go on.
    go_on: &'a dyn Fn() -> Result<()>,
}

enum Body<'a> {
    InFile,
    Decoded(&'a [u8]),
    Passing(Box<Stream>),
}

impl Archive {
    /// Checks a cluster: decodes all of it, in memory of a window or of [`MAX_ZIM_WALK`], and returns how
    /// many blobs it has.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be decoded, if its offsets cannot be right, or if it goes on behind its last blob.
    pub fn check_cluster(&self, cluster: u32) -> Result<u32> {
        let mut buffer = vec![];
        let walk = self.walk(cluster, &mut buffer, &|| Ok(()))?;
        let n_blobs = walk.n_blobs();
        walk.finish()?;
        Ok(n_blobs)
    }

    /// Returns true if a cluster is compressed.
    pub(in crate::zim) fn is_compressed(&self, cluster: u32) -> Result<bool> {
        Ok(self.open_cluster(cluster)?.compression != Compression::None)
    }

    /// Begins to go through a cluster. The buffer may come from the one before; `go_on` fails to stop.
    pub(in crate::zim) fn walk<'a>(
        &'a self,
        cluster: u32,
        buffer: &'a mut Vec<u8>,
        go_on: &'a dyn Fn() -> Result<()>,
    ) -> Result<Walk<'a>> {
        let cluster = self.open_cluster(cluster)?;
        let place = Place::Block(cluster.number);
        if cluster.compression == Compression::None {
            let table = self.table_in_file(&cluster)?;
            let room = self.end - cluster.at;
            if table.total > room {
                return damaged!(place, "blob offsets", "the last blob ends at {} of {room}", table.total);
            }
            return Ok(Walk { archive: self, cluster, table, body: Body::InFile, go_on });
        }
        self.clusters.begin();
        if InPlace::room(buffer) < USUAL_CLUSTER {
            *buffer = InPlace::buffer(USUAL_CLUSTER);
        }
        let (table, mut decoder) = self.decode_table(&cluster, buffer)?;
        let stored = self.stored(&cluster);
        if table.total > MAX_ZIM_WALK {
            let body = Body::Passing(Box::new(self.stream(&cluster)?));
            return Ok(Walk { archive: self, cluster, table, body, go_on });
        }
        // At most the limit.
        let total = table.total as usize;
        if decoder.has_room(buffer, table.total) {
            decoder.fill(&stored, buffer, total)?;
        } else {
            (*buffer, decoder) = begin(cluster.compression, &stored, total, total)?;
        }
        if !decoder.is_at_end(&stored, buffer, total)? {
            return goes_on(&cluster, &table);
        }
        self.storage.check_fault()?;
        Ok(Walk { archive: self, cluster, table, body: Body::Decoded(buffer), go_on })
    }
}

fn goes_on<T>(cluster: &Cluster, table: &Table) -> Result<T> {
    let end = table.total;
    let place = Place::Block(cluster.number);
    damaged!(place, "decoded length", "it goes on behind its last blob, which ends at {end}")
}

impl Walk<'_> {
    /// Returns how many blobs there are.
    pub fn n_blobs(&self) -> u32 {
        // No more than the file has entries.
        u32::try_from(self.table.n_blobs()).unwrap_or(u32::MAX)
    }

    /// Returns how many bytes are decoded, in the end.
    pub fn decoded(&self) -> u64 {
        match self.body {
            Body::InFile => 0,
            Body::Decoded(_) | Body::Passing(_) => self.table.total,
        }
    }

    /// Returns the length of a blob; nothing if there is no such blob.
    pub fn len(&self, blob: u32) -> Result<Option<u64>> {
        let range = self.archive.range_in(&self.cluster, &self.table, blob)?;
        Ok(range.map(|(start, end)| end - start))
    }

    /// Returns a blob as a whole, however long; nothing of one that is not there. Going back to an earlier
    /// blob may decode the cluster anew.
    pub fn whole(&mut self, blob: u32) -> Result<Cow<'_, [u8]>> {
        let (start, end) = self.range(blob)?;
        match self.body {
            Body::InFile => self.archive.storage.read(self.cluster.at + start..self.cluster.at + end),
            Body::Decoded(bytes) => Ok(Cow::Borrowed(part(bytes, start, end))),
            Body::Passing(_) => {
                let mut out = vec![];
                self.pass(start, end, &mut |piece| out.extend_from_slice(piece))?;
                Ok(Cow::Owned(out))
            }
        }
    }

    /// Gives the bytes of a blob, in pieces of which no more than one is in memory at a time.
    pub fn pieces(&mut self, blob: u32, take: &mut dyn FnMut(&[u8])) -> Result<()> {
        let (start, end) = self.range(blob)?;
        match self.body {
            Body::InFile => {
                let mut at = start;
                while at < end {
                    (self.go_on)()?;
                    let until = end.min(at.saturating_add(PIECE));
                    take(&self.archive.storage.read(self.cluster.at + at..self.cluster.at + until)?);
                    at = until;
                }
            }
            Body::Decoded(bytes) => take(part(bytes, start, end)),
            Body::Passing(_) => self.pass(start, end, take)?,
        }
        Ok(())
    }

    /// Decodes what is left, to the end.
    pub fn finish(mut self) -> Result<()> {
        let total = self.table.total;
        self.pass(total, total, &mut |_| ())?;
        if let Body::Passing(stream) = &mut self.body
            && !stream.is_at_end(&self.archive.stored(&self.cluster))?
        {
            return goes_on(&self.cluster, &self.table);
        }
        self.archive.storage.check_fault()
    }

    fn range(&self, blob: u32) -> Result<(u64, u64)> {
        Ok(self.archive.range_in(&self.cluster, &self.table, blob)?.unwrap_or_default())
    }

    /// Goes on to a part of a cluster that is decoded in passing, and gives its bytes.
    fn pass(&mut self, start: u64, end: u64, take: &mut dyn FnMut(&[u8])) -> Result<()> {
        let Body::Passing(stream) = &mut self.body else { return Ok(()) };
        let stored = self.archive.stored(&self.cluster);
        if stream.position() > start {
            **stream = self.archive.stream(&self.cluster)?;
        }
        while stream.position() < end {
            (self.go_on)()?;
            let is_wanted = stream.position() >= start;
            let until = if is_wanted { end } else { start };
            let piece = stream.part(&stored, until - stream.position())?;
            if is_wanted {
                take(piece);
            }
        }
        Ok(())
    }
}

fn part(bytes: &[u8], start: u64, end: u64) -> &[u8] {
    bytes.get(start as usize..end as usize).unwrap_or_default()
}
