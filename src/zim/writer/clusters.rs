//! From contents to clusters: which lie together, and how they are compressed, on all cores, and
//! written in order.
//!
//! A content waits in the lane of its kind until that holds a cluster's worth. It gets its place at
//! once, though: a lane's cluster has a number from its first content on (an *opened* number), and
//! which number it has in the file, and behind which other contents it lies there, is looked up at
//! the end ([`Placed`]). So nothing is kept of a content but what its entry's row says. All of this
//! depends on the contents and their order alone, never on threads or memory.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use crate::codec::{StreamEncoder, try_compress};
use crate::error::{Error, Result};
use crate::item::Observer;
use crate::output::Output;

/// Where a content lies: an opened number, and how many contents came before it there.
pub type Place = (u32, u32);

/// Info bytes of a cluster: no compression, zstd, and the bit of 64-bit offsets.
const RAW: u8 = 1;
const ZSTD: u8 = 5;
const EXTENDED: u8 = 0x10;

/// Bytes that may wait in all lanes together; the fullest makes room.
const WAITING: usize = 48 * 1024 * 1024;

/// Memory of one cluster on its way beside three times its bytes: zstd's tables at level 19.
const JOB_MEMORY: u64 = 60_000_000;

/// Memory of lanes, sorts and the program itself.
const FIXED_MEMORY: u64 = 100_000_000;

/// What is done with a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// Compressed, unless that does not make it smaller.
    Compressed,
    /// As it is.
    Raw,
}

/// Contents that wait for their cluster to be full.
#[derive(Default)]
struct Lane {
    opened: u32,
    contents: Vec<Vec<u8>>,
    len: usize,
}

/// Where opened clusters came to lie.
pub struct Placed {
    /// For each opened number: the cluster, and the first of its contents there.
    places: Vec<Place>,
    /// The offset of each cluster.
    pub offsets: Vec<u64>,
}

impl Placed {
    /// Returns the cluster and the number in it of a content.
    pub fn get(&self, (opened, n): Place) -> Place {
        let (cluster, first) = self.places.get(opened as usize).copied().unwrap_or_default();
        (cluster, first + n)
    }
}

/// Takes contents and writes clusters.
pub struct Clusters<'o> {
    observer: &'o dyn Observer,
    pool: rayon::ThreadPool,
    sender: Sender<(u32, Vec<u8>)>,
    receiver: Receiver<(u32, Vec<u8>)>,
    in_flight: u64,
    level: i32,
    size: usize,
    /// By treatment (true for raw ones, which so stand last) and name.
    lanes: BTreeMap<(bool, String), Lane>,
    /// Bytes in all lanes.
    waiting: usize,
    places: Vec<Place>,
    /// Clusters given to the pool; those written have an offset.
    submitted: u32,
    offsets: Vec<u64>,
    pending: BTreeMap<u32, Vec<u8>>,
}

impl<'o> Clusters<'o> {
    /// Starts threads.
    ///
    /// # Errors
    ///
    /// Fails if the system refuses them.
    pub fn new(
        level: i32,
        size: usize,
        threads: usize,
        memory: u64,
        observer: &'o dyn Observer,
    ) -> Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|e| Error::InvalidInput(format!("{threads} threads cannot be started: {e}")))?;
        let job = JOB_MEMORY + 3 * size as u64;
        let in_flight = (memory.saturating_sub(FIXED_MEMORY) / job).clamp(1, threads as u64 + 1);
        let (sender, receiver) = channel();
        Ok(Self {
            observer,
            pool,
            sender,
            receiver,
            in_flight,
            level,
            size,
            lanes: BTreeMap::new(),
            waiting: 0,
            places: vec![],
            submitted: 0,
            offsets: vec![],
            pending: BTreeMap::new(),
        })
    }

    fn open(&mut self) -> Result<u32> {
        let opened = u32::try_from(self.places.len()).ok().filter(|n| *n < u32::MAX);
        let opened = opened.ok_or_else(|| Error::InvalidInput("more than 4,294,967,294 clusters".into()))?;
        self.places.push((0, 0));
        Ok(opened)
    }

    /// Takes a content into a lane, and says where it will lie.
    ///
    /// # Errors
    ///
    /// Fails if the output cannot be written, or if the caller asked to stop.
    pub fn add(
        &mut self,
        output: &mut Output,
        lane: &str,
        treatment: Treatment,
        bytes: Vec<u8>,
    ) -> Result<Place> {
        let key = (treatment == Treatment::Raw, lane.to_string());
        let full = |lane: &Lane| !lane.contents.is_empty() && lane.len + bytes.len() > self.size;
        if self.lanes.get(&key).is_some_and(full)
            && let Some(lane) = self.lanes.remove(&key)
        {
            self.submit(output, vec![lane], treatment)?;
        }
        let opened = match self.lanes.get(&key) {
            Some(lane) => lane.opened,
            None => self.open()?,
        };
        let lane = self.lanes.entry(key).or_insert_with(|| Lane { opened, ..Lane::default() });
        let place = (lane.opened, lane.contents.len() as u32);
        lane.len += bytes.len();
        self.waiting += bytes.len();
        lane.contents.push(bytes);
        if self.waiting > WAITING {
            let fullest = self.lanes.iter().max_by_key(|(_, lane)| lane.len).map(|(key, _)| key.clone());
            if let Some(key) = fullest
                && let Some(lane) = self.lanes.remove(&key)
            {
                let treatment = if key.0 { Treatment::Raw } else { Treatment::Compressed };
                self.submit(output, vec![lane], treatment)?;
            }
        }
        Ok(place)
    }

    /// Gives lanes to the pool as one cluster, once there is room for it; writes what is done
    /// meanwhile.
    fn submit(&mut self, output: &mut Output, lanes: Vec<Lane>, treatment: Treatment) -> Result<()> {
        let mut contents = vec![];
        for lane in lanes {
            if let Some(place) = self.places.get_mut(lane.opened as usize) {
                *place = (self.submitted, contents.len() as u32);
            }
            self.waiting = self.waiting.saturating_sub(lane.len);
            contents.extend(lane.contents);
        }
        if contents.is_empty() {
            return Ok(());
        }
        while u64::from(self.submitted) - self.offsets.len() as u64 >= self.in_flight {
            self.receive(output)?;
        }
        let (number, level, sender) = (self.submitted, self.level, self.sender.clone());
        self.submitted += 1;
        let raw_len: usize = contents.iter().map(Vec::len).sum();
        self.pool.spawn(move || {
            // The receiver is gone only if packing was given up.
            let _ = sender.send((number, encode(contents, treatment, level)));
        });
        self.observer.advance(0, raw_len as u64);
        Ok(())
    }

    /// Waits for a cluster and writes those that are next.
    fn receive(&mut self, output: &mut Output) -> Result<()> {
        loop {
            match self.receiver.recv_timeout(Duration::from_millis(100)) {
                Ok((number, cluster)) => {
                    self.pending.insert(number, cluster);
                    break;
                }
                Err(RecvTimeoutError::Timeout) if !self.observer.is_cancelled() => {}
                Err(_) => return Err(Error::Interrupted),
            }
        }
        while let Some(cluster) = self.pending.remove(&(self.offsets.len() as u32)) {
            self.offsets.push(output.position());
            output.write(&cluster)?;
        }
        Ok(())
    }

    fn drain(&mut self, output: &mut Output) -> Result<()> {
        while (self.offsets.len() as u32) < self.submitted {
            self.receive(output)?;
        }
        Ok(())
    }

    /// Writes a content that is too large for memory into a cluster of its own, piece by piece, and
    /// gives each piece to `see`. Where it cannot be read, nothing of it remains in the file.
    ///
    /// # Errors
    ///
    /// Fails with an I/O error of the action "read" if it cannot be read or is not of this length;
    /// otherwise as [`Clusters::add`] does.
    pub fn stream(
        &mut self,
        output: &mut Output,
        path: &str,
        content: (u64, &mut dyn Read),
        treatment: Treatment,
        see: &mut dyn FnMut(&[u8]),
    ) -> Result<Place> {
        self.drain(output)?;
        let opened = self.open()?;
        let start = output.position();
        match self.stream_body(output, path, content, treatment, see) {
            Ok(()) => {
                if let Some(place) = self.places.get_mut(opened as usize) {
                    *place = (self.submitted, 0);
                }
                self.submitted += 1;
                self.offsets.push(start);
                Ok((opened, 0))
            }
            Err(e) => {
                output.rewind(start)?;
                Err(e)
            }
        }
    }

    fn stream_body(
        &mut self,
        output: &mut Output,
        path: &str,
        (len, reader): (u64, &mut dyn Read),
        treatment: Treatment,
        see: &mut dyn FnMut(&[u8]),
    ) -> Result<()> {
        let failed = |e| Error::io("read", path, e);
        let zstd = |e: &str| Error::InvalidInput(format!("{path}: cannot be compressed: {e}"));
        let (extended, table) = offsets(&[len]);
        let info = if treatment == Treatment::Raw { RAW } else { ZSTD } | extended;
        output.write(&[info])?;
        let whole = len.saturating_add(table.len() as u64);
        let mut encoder = match treatment {
            Treatment::Compressed => Some(StreamEncoder::new(self.level, whole).map_err(zstd)?),
            Treatment::Raw => None,
        };
        let mut ready = vec![];
        let mut put = |bytes: &[u8], output: &mut Output| match &mut encoder {
            None => output.write(bytes),
            Some(encoder) => {
                ready.clear();
                encoder.push(bytes, &mut ready).map_err(zstd)?;
                output.write(&ready)
            }
        };
        put(&table, output)?;
        let mut buffer = vec![0; 256 * 1024];
        let mut read = 0u64;
        loop {
            if self.observer.is_cancelled() {
                return Err(Error::Interrupted);
            }
            let n = match reader.read(&mut buffer) {
                Ok(n) => n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(failed(e)),
            };
            let Some(piece) = buffer.get(..n).filter(|piece| !piece.is_empty()) else { break };
            read += n as u64;
            if read > len {
                break;
            }
            see(piece);
            put(piece, output)?;
            self.observer.advance(0, n as u64);
        }
        if read != len {
            return Err(super::changed(path, len, read));
        }
        if let Some(encoder) = encoder {
            ready.clear();
            encoder.finish(&mut ready).map_err(zstd)?;
            output.write(&ready)?;
        }
        Ok(())
    }

    /// Writes what waits: small lanes of one treatment together, except those of `alone`, which are clusters
    /// by themselves.
    ///
    /// # Errors
    ///
    /// As [`Clusters::add`].
    pub fn finish(mut self, output: &mut Output, alone: &[&str]) -> Result<Placed> {
        for treatment in [Treatment::Compressed, Treatment::Raw] {
            let (mut joined, mut len) = (vec![], 0);
            for ((raw, name), lane) in std::mem::take(&mut self.lanes) {
                if raw != (treatment == Treatment::Raw) {
                    self.lanes.insert((raw, name), lane);
                    continue;
                }
                if alone.contains(&&name[..]) || lane.len > self.size / 2 {
                    self.submit(output, vec![lane], treatment)?;
                    continue;
                }
                if len + lane.len > self.size {
                    self.submit(output, std::mem::take(&mut joined), treatment)?;
                    len = 0;
                }
                len += lane.len;
                joined.push(lane);
            }
            self.submit(output, joined, treatment)?;
        }
        self.drain(output)?;
        Ok(Placed { places: self.places, offsets: self.offsets })
    }
}

/// Returns the bit for 64-bit offsets if contents of these lengths need them, and the table of their
/// offsets, which are relative to it and in the end give where the last content ends.
pub fn offsets(lens: &[u64]) -> (u8, Vec<u8>) {
    let n = lens.len() as u64 + 1;
    let total = lens.iter().fold(4 * n, |sum, len| sum.saturating_add(*len));
    let width = if total > u64::from(u32::MAX) { 8 } else { 4 };
    let mut table = Vec::with_capacity((n * width) as usize);
    let mut at = n * width;
    let lens = lens.iter().copied().map(Some).chain([None]);
    for len in lens {
        table.extend_from_slice(&at.to_le_bytes()[..width as usize]);
        at = at.saturating_add(len.unwrap_or(0));
    }
    (if width == 8 { EXTENDED } else { 0 }, table)
}

/// Returns the info byte and the table of offsets of a cluster that is not compressed.
pub fn raw_head(lens: &[u64]) -> Vec<u8> {
    let (extended, table) = offsets(lens);
    [&[RAW | extended][..], &table].concat()
}

fn encode(contents: Vec<Vec<u8>>, treatment: Treatment, level: i32) -> Vec<u8> {
    let lens: Vec<u64> = contents.iter().map(|c| c.len() as u64).collect();
    let (extended, mut body) = offsets(&lens);
    body.reserve_exact(contents.iter().map(Vec::len).sum());
    for content in contents {
        body.extend_from_slice(&content);
    }
    let compressed = match treatment {
        Treatment::Compressed => try_compress(&body, level).filter(|c| c.len() < body.len()),
        Treatment::Raw => None,
    };
    let (info, mut body) = compressed.map_or((RAW, body), |compressed| (ZSTD, compressed));
    body.insert(0, info | extended);
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::Silent;

    #[test]
    fn offsets_are_wide_only_where_they_must_be() {
        assert_eq!(offsets(&[3, 0]), (0, [12u32, 15, 15].iter().flat_map(|n| n.to_le_bytes()).collect()));
        let limit = u64::from(u32::MAX) - 8;
        assert_eq!(offsets(&[limit]).0, 0);
        let (extended, table) = offsets(&[limit + 1]);
        assert_eq!((extended, table.len()), (EXTENDED, 16));
        assert_eq!(table[8..], (limit + 1 + 16).to_le_bytes());
    }

    #[test]
    fn contents_lie_where_they_were_said_to() {
        let dir = tempfile::TempDir::new().unwrap();
        let file = |threads: usize| {
            let target = dir.path().join(threads.to_string());
            let mut output = Output::create(&target, false).unwrap();
            let mut clusters = Clusters::new(3, 5000, threads, 1 << 30, &Silent).unwrap();
            let mut expected = vec![];
            for i in 0..300usize {
                let bytes = vec![i as u8; i * 7 % 900];
                let (lane, treatment) = [
                    ("a", Treatment::Compressed),
                    ("b", Treatment::Raw),
                    ("c", Treatment::Compressed),
                    ("b", Treatment::Compressed),
                ][i % 4];
                let place = if i % 50 == 0 {
                    let (mut reader, len) = (&bytes[..], bytes.len() as u64);
                    clusters.stream(&mut output, "x", (len, &mut reader), treatment, &mut |_| ()).unwrap()
                } else {
                    clusters.add(&mut output, lane, treatment, bytes.clone()).unwrap()
                };
                expected.push((place, bytes));
            }
            let mut short = &b"123"[..];
            let e = clusters.stream(&mut output, "x", (4, &mut short), Treatment::Raw, &mut |_| ());
            assert!(matches!(e, Err(Error::Io { action: "read", .. })));
            let placed = clusters.finish(&mut output, &["c"]).unwrap();
            output.finish(b"").unwrap();
            let bytes = std::fs::read(&target).unwrap();
            assert!(placed.offsets.is_sorted());
            for (place, content) in expected {
                let (cluster, n) = placed.get(place);
                let start = placed.offsets[cluster as usize] as usize;
                let end = placed.offsets.get(cluster as usize + 1).map_or(bytes.len(), |end| *end as usize);
                let body = match bytes[start] {
                    RAW => bytes[start + 1..end].to_vec(),
                    ZSTD => {
                        let mut out = Vec::with_capacity(1 << 20);
                        crate::codec::StreamDecoder::new(23).step(&bytes[start + 1..end], &mut out).unwrap();
                        out
                    }
                    other => panic!("{other}"),
                };
                let at = |n: usize| u32::from_le_bytes(*body[4 * n..].first_chunk().unwrap()) as usize;
                assert_eq!(body[at(n as usize)..at(n as usize + 1)], content);
            }
            bytes
        };
        assert_eq!(file(1), file(3));
    }
}
