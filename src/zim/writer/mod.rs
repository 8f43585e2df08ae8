//! Writing a ZIM file: the [`Sink`] that makes a `.zim`.
//!
//! Items come one by one. Contents go into `clusters`, which are compressed on all cores and written in
//! order; what is left of an item is a row, sorted by path on disk if need be. At the end redirects find
//! their targets (`resolve`), the metadata is completed (`required`), and the rows become dirents, lists
//! and pointers (`tables`).
//!
//! The same items and options give the same bytes, whatever the number of threads and the memory.

mod clusters;
mod illustration;
mod required;
mod resolve;
mod rows;
mod tables;

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clusters::{Clusters, Place, Treatment};
use rows::{EntryRow, Mimes, RowBody, candidates, raw};

use crate::codec::is_compressible;
use crate::error::{Error, Result};
pub use crate::item::Summary;
use crate::item::{About, Body, Content, Item, Kind, Observer, Sink, path_title};
use crate::limits;
use crate::output::{Output, folder_of};
use crate::sorter::{self, Sorter};

/// The minor version of the format that is written; the major one is 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Minor {
    /// 6.1: a list of all titles, and no two entries of one content. Every reader since 2021 and its
    /// checkers take it.
    #[default]
    One,
    /// 6.3: only articles are listed by title, and equal contents are stored once. Needs libzim 9.3.
    Three,
}

impl Minor {
    /// Returns its number.
    pub fn number(self) -> u16 {
        match self {
            Self::One => 1,
            Self::Three => 3,
        }
    }
}

/// How to pack.
#[derive(Debug, Clone)]
pub struct Options {
    /// The minor version.
    pub minor: Minor,
    /// The zstd level, 1 to 22; by default 19.
    pub level: Option<i32>,
    /// Raw bytes of a cluster, from 4 KiB to 64 MiB; by default 2 MiB. A larger content is a cluster
    /// by itself. Windows never exceed 8 MiB, whatever the size.
    pub cluster_size: Option<usize>,
    /// Threads that compress; by default one a core. Does not change the file's bytes.
    pub threads: Option<usize>,
    /// Memory in bytes, about. Does not change the file's bytes.
    pub memory: u64,
    /// Replaces an existing file.
    pub force: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            minor: Minor::default(),
            level: None,
            cluster_size: None,
            threads: None,
            memory: limits::DEFAULT_PACK_MEMORY,
            force: false,
        }
    }
}

/// What libzim does, and what its readers' caches are made for.
const LEVEL: i32 = 19;
const CLUSTER_SIZE: usize = 2 << 20;

/// Header, mime types, and room for what mime types are still to come, as libzim leaves it. Where they
/// need more, everything behind is moved.
const HEAD: u64 = 2048;

/// A content that is compressed is handled in memory up to this size, so that it does not keep all
/// other threads waiting.
const MAX_LARGE: u64 = 8 << 20;

/// Equal contents of more bytes are found again by zstd nowhere but in their own cluster.
const MAX_REPEATED: usize = 512 << 10;

/// libzim refuses a path and title that together are longer.
const MAX_NAMES: usize = 65_533;

/// Longer mime types are nobody's.
const MAX_MIME: usize = 255;

/// The type of bytes that have none that can be written.
const NO_MIME: &str = "application/octet-stream";

/// The most distinct contents that are remembered; beyond, only larger ones are compared.
const MAX_DEDUP: usize = 8_000_000;
const DEDUP_FROM: u64 = 4096;

/// Contents seen so far.
enum Seen {
    /// Stored again, where equal ones may lie side by side. A hash that two share does no harm.
    Again(HashSet<u64>),
    /// Where each lies.
    Once(HashMap<[u8; 32], Place>),
}

/// Makes a ZIM file of items.
///
/// 1. [`Writer::create`] opens a temporary file beside the target.
/// 2. [`Sink::put`] takes each item; after an error the writer is of no more use.
/// 3. [`Writer::finish`] writes the lists and gives the file its name.
///
/// Dropped before the end, it leaves nothing. An item that ZIM cannot hold (an empty path, a zero byte
/// in it, more than 65,533 bytes) is reported with [`Observer::error`] and left out. An entry's language
/// and the mark of what was generated have no place in ZIM.
pub struct Writer<'o> {
    output: Output,
    observer: &'o dyn Observer,
    minor: Minor,
    clusters: Clusters<'o>,
    seen: Seen,
    rows: Sorter,
    targets: Sorter,
    mimes: Mimes,
    sort_budget: usize,
    folder: PathBuf,
    stem: String,
    summary: Summary,
    started: Instant,
}

impl<'o> Writer<'o> {
    /// Begins a file.
    ///
    /// # Errors
    ///
    /// Fails if the target exists and may not be replaced, or if its folder cannot be written.
    pub fn create(target: &Path, options: Options, observer: &'o dyn Observer) -> Result<Self> {
        let mut output = Output::create(target, options.force)?;
        // The header is written over this at the end.
        output.write(&[0; HEAD as usize])?;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = options.threads.unwrap_or(cores).max(1);
        let level = options.level.unwrap_or(LEVEL).clamp(1, 22);
        let size = options.cluster_size.unwrap_or(CLUSTER_SIZE).clamp(4 << 10, 64 << 20);
        let folder = folder_of(target).to_path_buf();
        let sort_budget = (options.memory / 16).clamp(1 << 20, 1 << 30) as usize;
        let mut mimes = Mimes::default();
        mimes.number(NO_MIME);
        let stem = target.file_stem().unwrap_or_default();
        Ok(Self {
            output,
            observer,
            minor: options.minor,
            clusters: Clusters::new(level, size, threads, options.memory, observer)?,
            seen: match options.minor {
                Minor::One => Seen::Again(HashSet::new()),
                Minor::Three => Seen::Once(HashMap::new()),
            },
            rows: Sorter::new(sort_budget, &folder),
            targets: Sorter::new(sort_budget, &folder),
            mimes,
            sort_budget,
            folder,
            stem: stem.to_string_lossy().into_owned(),
            summary: Summary::default(),
            started: Instant::now(),
        })
    }

    /// Ends the file: `about` says what it is as a whole.
    ///
    /// Metadata that ZIM wants and `about` does not have is filled in, the same for the same content: the
    /// title from the main page or else the file's name, the language as `und`, the date as 1970-01-01, a
    /// drawn picture; what is longer than ZIM allows is cut, kept whole under an `X-` key and reported
    /// with [`Observer::warning`]. The uuid is that of the metadata, or one made of the content.
    ///
    /// # Errors
    ///
    /// Fails if two entries have one path, or if the medium fails; then nothing remains.
    pub fn finish(self, about: &About) -> Result<Summary> {
        let (mut summary, started) = (self.summary, self.started);
        self.observer.stage("writing tables", None);
        let counts = tables::write(
            tables::Packed {
                rows: self.rows.finish()?,
                targets: self.targets.finish()?,
                clusters: self.clusters,
                mimes: self.mimes,
                minor: self.minor,
                stem: &self.stem,
                about,
                found: Sorter::new(self.sort_budget, &self.folder),
                titles: Sorter::new(self.sort_budget, &self.folder),
                folder: &self.folder,
                observer: self.observer,
            },
            self.output,
        )?;
        summary.articles = counts.articles;
        summary.media = counts.media;
        summary.redirects = counts.redirects;
        summary.bytes_out = counts.bytes;
        summary.time = started.elapsed();
        Ok(summary)
    }

    /// Returns true if this content was there before, and remembers it.
    fn is_repeated(&mut self, hash: &blake3::Hash, len: u64) -> bool {
        let Seen::Again(seen) = &mut self.seen else { return false };
        let short = hash.as_bytes().first_chunk().map_or(0, |first| u64::from_le_bytes(*first));
        // A fixed rule: what is compared must not depend on the memory at hand.
        if seen.len() < MAX_DEDUP || len >= DEDUP_FROM { !seen.insert(short) } else { seen.contains(&short) }
    }

    fn stored(&mut self, hash: &blake3::Hash) -> Option<Place> {
        let Seen::Once(seen) = &self.seen else { return None };
        let place = seen.get(hash.as_bytes()).copied();
        self.summary.duplicates += u64::from(place.is_some());
        place
    }

    fn remember(&mut self, hash: &blake3::Hash, len: u64, place: Place) {
        if let Seen::Once(seen) = &mut self.seen
            && (seen.len() < MAX_DEDUP || len >= DEDUP_FROM)
        {
            seen.insert(*hash.as_bytes(), place);
        }
    }

    /// Takes an entry's bytes: where they will lie, and their hash.
    fn content(&mut self, path: &str, mime: &str, content: Content) -> Result<(Place, blake3::Hash)> {
        match content {
            Content::Bytes(bytes) => self.bytes(mime, bytes),
            Content::Large { len, open } => {
                let failed = |e| Error::io("read", path, e);
                let treatment = treatment(mime, || {
                    let mut head = vec![];
                    open()?.take(256 << 10).read_to_end(&mut head)?;
                    Ok(is_compressible(&head))
                })
                .map_err(failed)?;
                if treatment == Treatment::Compressed && len <= MAX_LARGE {
                    let mut bytes = vec![];
                    open().and_then(|r| r.take(len + 1).read_to_end(&mut bytes)).map_err(failed)?;
                    if bytes.len() as u64 != len {
                        return Err(changed(path, len, bytes.len() as u64));
                    }
                    return self.bytes(mime, bytes);
                }
                // To be stored once, it must be known before it is.
                if matches!(self.seen, Seen::Once(_)) {
                    let mut hasher = blake3::Hasher::new();
                    hasher.update_reader(open().map_err(failed)?).map_err(failed)?;
                    if hasher.count() != len {
                        return Err(changed(path, len, hasher.count()));
                    }
                    let hash = hasher.finalize();
                    if let Some(place) = self.stored(&hash) {
                        self.observer.advance(0, len);
                        return Ok((place, hash));
                    }
                }
                let mut reader = open().map_err(failed)?;
                let mut hasher = blake3::Hasher::new();
                let mut see = |piece: &[u8]| {
                    hasher.update(piece);
                };
                let content = (len, &mut *reader as &mut dyn Read);
                let place = self.clusters.stream(&mut self.output, path, content, treatment, &mut see)?;
                let hash = hasher.finalize();
                self.remember(&hash, len, place);
                Ok((place, hash))
            }
        }
    }

    fn bytes(&mut self, mime: &str, bytes: Vec<u8>) -> Result<(Place, blake3::Hash)> {
        let (hash, len) = (blake3::hash(&bytes), bytes.len() as u64);
        if let Some(place) = self.stored(&hash) {
            self.observer.advance(0, len);
            return Ok((place, hash));
        }
        let essence = crate::text::essence(mime);
        // Without bytes there is nothing to repeat.
        let (lane, treatment) = if self.is_repeated(&hash, len) && bytes.len() <= MAX_REPEATED && len > 0 {
            (tables::REPEATED, Treatment::Compressed)
        } else {
            // An error is none of bytes in memory.
            let treatment = treatment(mime, || Ok(is_compressible(&bytes))).unwrap_or(Treatment::Raw);
            (if treatment == Treatment::Raw { "" } else { essence }, treatment)
        };
        let place = self.clusters.add(&mut self.output, lane, treatment, bytes)?;
        self.remember(&hash, len, place);
        Ok((place, hash))
    }

    fn mime(&mut self, mime: String, path: &str) -> (u32, String) {
        let is_legal = !mime.is_empty() && mime.len() <= MAX_MIME && !mime.contains('\0');
        if !is_legal {
            self.observer
                .warning(path, "its mime type is empty, longer than 255 bytes or has a zero byte; left out");
        }
        let mime = if is_legal { mime } else { NO_MIME.to_owned() };
        if let Some(n) = self.mimes.number(&mime) {
            return (n, mime);
        }
        self.observer.warning(path, "ZIM has no room for more mime types; left out");
        // The first one is there in any case.
        (self.mimes.number(NO_MIME).unwrap_or(0), NO_MIME.to_owned())
    }
}

/// Returns the error of a content that is not as long as it was said to be.
fn changed(path: &str, expected: u64, found: u64) -> Error {
    let message = format!("it changed while it was being packed ({expected} bytes before, {found} now)");
    Error::io("read", path, std::io::Error::other(message))
}

/// Decides whether contents of a mime type are compressed: text always, others if it helps.
fn treatment(mime: &str, helps: impl FnOnce() -> std::io::Result<bool>) -> std::io::Result<Treatment> {
    let compressed = mime.starts_with("text/") || helps()?;
    Ok(if compressed { Treatment::Compressed } else { Treatment::Raw })
}

impl Sink for Writer<'_> {
    fn put(&mut self, item: Item) -> Result<()> {
        if self.observer.is_cancelled() {
            return Err(Error::Interrupted);
        }
        let kind = item.body.kind();
        let path = raw(&item.path, item.escaped);
        let shown = if item.path.is_empty() { &item.origin } else { &item.path };
        let refused = match path.len() {
            0 => Some("its path is empty, which no ZIM file can hold".to_owned()),
            n if n > MAX_NAMES => Some(format!("a path of {n} bytes is longer than ZIM's {MAX_NAMES}")),
            _ if path.contains(&0) => Some("its path has a zero byte, which no ZIM file can hold".to_owned()),
            _ => None,
        };
        if let Some(message) = refused {
            self.observer.error(shown, &format!("left out: {message}"));
            return Ok(());
        }
        let own_title = item.title.filter(|title| !title.is_empty());
        // Who looks for a redirect looks for its title; one that is only its path is nobody's.
        let names = |title: &String| *title != item.path;
        let front = kind == Kind::Article || kind == Kind::Redirect && own_title.as_ref().is_some_and(names);
        let title = match own_title {
            None if kind == Kind::Article => Some(path_title(&item.path)),
            title => title,
        };
        let title = title.map(|title| raw(&title, item.escaped)).unwrap_or_default();
        let title = self.fitting(title, &path, &item.path);
        let body = match item.body {
            Body::Article { mime, content } | Body::Media { mime, content } => {
                let (number, mime) = self.mime(mime, &item.path);
                let len = content.len();
                match self.content(&item.path, &mime, content) {
                    Ok((place, hash)) => {
                        self.summary.bytes_in += len;
                        let half = hash.as_bytes().first_chunk().copied().unwrap_or_default();
                        RowBody::Content(place, number, half)
                    }
                    // One file that cannot be read does not end the pack.
                    Err(Error::Io { action: "read", source, .. }) => {
                        self.observer.error(&item.path, &format!("cannot be read: {source}"));
                        return Ok(());
                    }
                    Err(e) => return Err(e),
                }
            }
            Body::Redirect { target, fragment } => {
                for (target, escaped) in candidates(&target) {
                    self.targets.push(target, [&[u8::from(escaped)][..], &path].concat())?;
                }
                RowBody::Redirect(target, fragment.filter(|fragment| !fragment.is_empty()))
            }
        };
        // What only looks escaped stands for itself.
        let escaped = item.escaped && path != item.path.as_bytes();
        let row = EntryRow { front, escaped, title, body, origin: item.origin };
        self.rows.push(path, sorter::encode(&row))?;
        self.observer.advance(1, 0);
        Ok(())
    }
}

impl Writer<'_> {
    /// Returns a title as it is stored: nothing where it is the path, no zero bytes, and not longer than
    /// what libzim reads.
    fn fitting(&self, mut title: Vec<u8>, path: &[u8], shown: &str) -> Vec<u8> {
        title.iter_mut().filter(|b| **b == 0).for_each(|b| *b = b' ');
        if title == path {
            return vec![];
        }
        let longest = MAX_NAMES - path.len();
        if title.len() > longest {
            self.observer
                .warning(shown, &format!("its title of {} bytes is cut to ZIM's limit", title.len()));
            // Not within a letter.
            let end = (0..=longest).rev().find(|i| title.get(*i).is_none_or(|b| b & 0xc0 != 0x80));
            title.truncate(end.unwrap_or(0));
        }
        title
    }
}
