//! Writing an archive: the [`Sink`] that makes a `.tome`.
//!
//! Items come one by one. What has bytes is compared with all bytes before (by hash); new bytes
//! wait in a lane of their kind until a group is full (`groups`); groups are compressed on all
//! cores, a few at a time, and written in order. What is left of an item is a row, sorted by path on
//! disk if need be (`sorter`). At the end the rows become tables (`tables`).

mod groups;
mod indexing;
mod links;
mod reference;
mod repeats;
mod rows;
mod sections;
mod tables;
mod titles;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use groups::{Blob, GroupOut, Lane, Treatment, Tuning};
use indexing::Indexing;
use rows::{EntryRow, Interned, RowBody};

use crate::codec::is_compressible;
use crate::error::{Error, Result};
use crate::format::block::{BlockRecord, BlockTable, Coding, Role};
use crate::format::entry::{BlobPlace, Class, MAX_MIME, TitleRule};
use crate::format::hash_tree::digest;
use crate::format::identity::ELSEWHERE;
use crate::format::ids::{NONE, PAGE};
use crate::format::parity::{Parity, ParityHead};
pub use crate::item::Summary;
use crate::item::{About, Body, Content, Item, Kind, Observer, Opener, Sink, keys};
use crate::limits;
use crate::output::{Output, folder_of};
use crate::sorter::{self, Sorter};
use crate::text::{Markup, essence};

/// How to pack.
#[derive(Debug, Clone)]
pub struct Options {
    /// The zstd level; by default 15 for pages made from templates, 19 for prose.
    pub level: Option<i32>,
    /// Raw bytes of a block; by default 96 KiB for pages made from templates, 32 KiB for prose.
    pub block_size: Option<usize>,
    /// Threads that compress; by default one a core. Does not change the archive's bytes.
    pub threads: Option<usize>,
    /// Memory for everything but the index, in bytes; the index takes as much again, and at most
    /// [`limits::MAX_INDEX_MEMORY`]. Does not change the archive's bytes.
    pub memory: u64,
    /// Makes a full-text index of the articles.
    pub search: bool,
    /// Stores the bytes of the entries. Without them the archive is *index only*: articles are read for
    /// their words and links as usual, and whoever opens it says where the bytes are
    /// ([`crate::reader::Archive::with_contents`]).
    pub contents: bool,
    /// Indexes pairs of frequent words as well, so that phrases are found by the index alone.
    pub phrase_index: bool,
    /// Replaces an existing file.
    pub force: bool,
    /// Writes second copies of the tables and parity even into an archive so small that it would
    /// by default have none.
    pub always_redundant: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            level: None,
            block_size: None,
            threads: None,
            memory: limits::DEFAULT_PACK_MEMORY,
            search: true,
            contents: true,
            phrase_index: false,
            force: false,
            always_redundant: false,
        }
    }
}

/// Memory of one group on its way: its bytes, counters, tables of the trials and of the reference.
const GROUP_MEMORY: u64 = 130_000_000;

/// Memory of lanes, sorts and the program itself.
const FIXED_MEMORY: u64 = 100_000_000;

/// Bytes that may wait in all lanes together; the fullest makes room.
const WAITING: usize = 48 * 1024 * 1024;

/// A lane that ends smaller than this is joined with its like.
const SMALL_LANE: usize = 1024 * 1024;

/// Stored bytes that wait together.
const STORED_GROUP: usize = 4 * 1024 * 1024;

/// The most distinct blobs whose hashes are kept; beyond, only larger blobs are compared.
const MAX_DEDUP: usize = 8_000_000;
const DEDUP_FROM: u64 = 4096;

/// A smaller archive would spend more than a fiftieth of itself on parity.
const MIN_PARITY: u64 = 640 * 1024;

/// Bytes that are read for words.
type Text = Option<Arc<Vec<u8>>>;

/// Makes an archive of items.
///
/// 1. [`Writer::create`] opens a temporary file beside the target.
/// 2. [`Sink::put`] takes each item; after an error the writer is of no more use.
/// 3. [`Writer::finish`] writes the tables and gives the file its name.
///
/// Dropped before the end, it leaves nothing.
pub struct Writer<'o> {
    output: Output,
    observer: &'o dyn Observer,
    options: Options,
    pool: rayon::ThreadPool,
    sender: Sender<(u64, GroupOut)>,
    receiver: Receiver<(u64, GroupOut)>,
    /// Groups given to the pool, and groups written.
    submitted: u64,
    written: u64,
    in_flight: u64,
    pending: BTreeMap<u64, GroupOut>,
    lanes: BTreeMap<String, Lane>,
    stored: Lane,
    dedup: HashMap<[u8; 32], u32>,
    blobs: Vec<BlobPlace>,
    blocks: BlockTable,
    references: Vec<(u32, std::ops::Range<u64>)>,
    rows: Sorter,
    targets: Sorter,
    indexing: Indexing,
    /// Articles so far: the index's numbers of them.
    articles: u32,
    mimes: Interned,
    languages: Interned,
    sort_budget: usize,
    folder: PathBuf,
    summary: Summary,
    started: Instant,
}

impl<'o> Writer<'o> {
    /// Begins an archive.
    ///
    /// # Errors
    ///
    /// Fails if the target exists and may not be replaced, or if its folder cannot be written.
    pub fn create(target: &Path, options: Options, observer: &'o dyn Observer) -> Result<Self> {
        let mut output = Output::create(target, options.force)?;
        // The first page is written over this at the end.
        output.write(&[0; PAGE])?;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = options.threads.unwrap_or(cores).max(1);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|e| Error::InvalidInput(format!("{threads} threads cannot be started: {e}")))?;
        let folder = folder_of(target).to_path_buf();
        let sort_budget = (options.memory / 16).clamp(1 << 20, 1 << 30) as usize;
        let in_flight =
            (options.memory.saturating_sub(FIXED_MEMORY) / GROUP_MEMORY).clamp(1, threads as u64 + 1);
        let (sender, receiver) = channel();
        let mut languages = Interned::default();
        languages.number("");
        let index_budget = (options.memory / 2).min(limits::MAX_INDEX_MEMORY) as usize;
        let indexing = Indexing::new(options.search, options.phrase_index, index_budget, &folder);
        Ok(Self {
            output,
            observer,
            pool,
            sender,
            receiver,
            submitted: 0,
            written: 0,
            in_flight,
            pending: BTreeMap::new(),
            lanes: BTreeMap::new(),
            stored: Lane::default(),
            dedup: HashMap::new(),
            blobs: vec![],
            blocks: BlockTable::default(),
            references: vec![],
            rows: Sorter::new(sort_budget, &folder),
            targets: Sorter::new(sort_budget, &folder),
            indexing,
            articles: 0,
            mimes: Interned::default(),
            languages,
            sort_budget,
            folder,
            summary: Summary::default(),
            started: Instant::now(),
            options,
        })
    }

    fn tuning(&self) -> Tuning {
        Tuning { level: self.options.level, block_size: self.options.block_size }
    }

    /// Gives a group to the pool, once there is room for it; writes what is done meanwhile.
    fn submit(&mut self, blobs: Vec<Blob>, treatment: Treatment) -> Result<()> {
        if blobs.is_empty() {
            return Ok(());
        }
        while self.submitted - self.written >= self.in_flight {
            self.receive()?;
        }
        let (number, tuning, sender) = (self.submitted, self.tuning(), self.sender.clone());
        self.submitted += 1;
        self.pool.spawn(move || {
            let group = groups::pack(blobs, treatment, tuning);
            // The receiver is gone only if packing was given up.
            let _ = sender.send((number, group));
        });
        Ok(())
    }

    /// Waits for a group and writes those that are next.
    fn receive(&mut self) -> Result<()> {
        loop {
            match self.receiver.recv_timeout(Duration::from_millis(100)) {
                Ok((number, group)) => {
                    self.pending.insert(number, group);
                    break;
                }
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) if !self.observer.is_cancelled() => {}
                Err(_) => return Err(Error::Interrupted),
            }
        }
        while let Some(group) = self.pending.remove(&self.written) {
            self.written += 1;
            self.write_group(group)?;
        }
        Ok(())
    }

    fn write_group(&mut self, group: GroupOut) -> Result<()> {
        let first = self.blocks.len();
        if u64::from(first) + group.blocks.len() as u64 >= u64::from(NONE) {
            return Err(Error::InvalidInput("more than 4,294,967,294 blocks; split the corpus".into()));
        }
        let mut raw = 0;
        for block in group.blocks {
            let record = BlockRecord {
                offset: self.output.position(),
                stored_len: block.stored.len() as u32,
                raw_len: block.raw_len,
                coding: block.coding,
                role: block.role,
                reference: block.referenced.then_some(first),
                hash: block.hash,
            };
            if block.role == Role::Reference {
                self.references.push((self.blocks.len(), record.range()));
            } else {
                raw += u64::from(block.raw_len);
            }
            self.output.write(&block.stored)?;
            self.blocks.push(&record);
        }
        for (number, block, offset) in group.places {
            if let Some(place) = self.blobs.get_mut(number as usize) {
                *place = BlobPlace { block: first + block, offset, len: 0 };
            }
        }
        self.observer.advance(0, raw);
        Ok(())
    }

    /// Returns the number of a blob with this hash, or a new number, and whether it is new.
    fn number(&mut self, hash: [u8; 32], len: u64) -> Result<(u32, bool)> {
        if let Some(&number) = self.dedup.get(&hash) {
            self.summary.duplicates += 1;
            return Ok((number, false));
        }
        let number = self.blobs.len() as u32;
        if number == NONE {
            return Err(Error::InvalidInput("more than 4,294,967,294 distinct contents".into()));
        }
        self.blobs.push(BlobPlace::default());
        // A fixed rule: what is compared must not depend on the memory at hand.
        if self.blobs.len() <= MAX_DEDUP || len >= DEDUP_FROM {
            self.dedup.insert(hash, number);
        }
        Ok((number, true))
    }

    /// Takes an entry's bytes; gives back those of them that may be read for words, if `indexed`.
    fn content(
        &mut self,
        path: &str,
        mime: &str,
        content: Content,
        indexed: bool,
    ) -> Result<(RowBody, Text)> {
        let len = content.len();
        if !self.options.contents {
            let text = match content {
                _ if !indexed || !self.options.search => None,
                Content::Bytes(bytes) => Some(Arc::new(bytes)),
                Content::Large { open, .. } => Some(Arc::new(start_of(&open, path)?)),
            };
            self.observer.advance(0, len);
            return Ok((RowBody::Blob(NONE, 0, ELSEWHERE), text));
        }
        match content {
            Content::Bytes(bytes) => {
                let hash = *blake3::hash(&bytes).as_bytes();
                let (number, new) = self.number(hash, len)?;
                let bytes = Arc::new(bytes);
                let text = indexed.then(|| Arc::clone(&bytes));
                if new && len > 0 {
                    self.enqueue(Blob { number, path_hash: path_hash(path), bytes }, mime)?;
                } else {
                    self.observer.advance(0, len);
                }
                Ok((RowBody::Blob(number, len, hash), text))
            }
            Content::Large { len, open } => {
                let failed = |e| Error::io("read", path, e);
                let mut hasher = blake3::Hasher::new();
                hasher.update_reader(open().map_err(failed)?).map_err(failed)?;
                if hasher.count() != len {
                    return Err(changed(path, len, hasher.count()));
                }
                let hash = *hasher.finalize().as_bytes();
                let text = if indexed { Some(Arc::new(start_of(&open, path)?)) } else { None };
                let (number, new) = self.number(hash, len)?;
                if new {
                    let streamed = open().map_err(failed).and_then(|r| self.stream(path, number, hash, r));
                    if let Err(e) = streamed {
                        // Nothing may be taken for the same as what was only half read.
                        self.dedup.remove(&hash);
                        return Err(e);
                    }
                } else {
                    self.observer.advance(0, len);
                }
                Ok((RowBody::Blob(number, len, hash), text))
            }
        }
    }

    /// Puts a blob into the lane of its kind.
    fn enqueue(&mut self, blob: Blob, mime: &str) -> Result<()> {
        if !is_compressible(&blob.bytes) {
            self.stored.push(blob);
            if self.stored.len() >= STORED_GROUP {
                let blobs = self.stored.take();
                self.submit(blobs, Treatment::Stored)?;
            }
            return Ok(());
        }
        let essence = essence(mime);
        // A large page still shares its template with the others of its group.
        let big = if essence == "text/html" { groups::BIG_BLOCK + 1 } else { groups::BIG };
        if blob.bytes.len() >= big {
            return self.submit(vec![blob], Treatment::Big);
        }
        let lane = self.lanes.entry(essence.to_string()).or_default();
        if lane.push(blob) {
            let blobs = lane.take();
            return self.submit(blobs, Treatment::Referenced);
        }
        let waiting: usize = self.lanes.values().map(Lane::len).sum();
        if waiting > WAITING
            && let Some(fullest) = self.lanes.values_mut().max_by_key(|lane| lane.len())
        {
            let blobs = fullest.take();
            self.submit(blobs, Treatment::Referenced)?;
        }
        Ok(())
    }

    /// Writes a blob that is too large for memory, piece by piece, in blocks that follow each other.
    fn stream(
        &mut self,
        path: &str,
        number: u32,
        hash: [u8; 32],
        mut reader: Box<dyn std::io::Read + Send>,
    ) -> Result<()> {
        let mut hasher = blake3::Hasher::new();
        let mut treatment = None;
        loop {
            if self.observer.is_cancelled() {
                return Err(Error::Interrupted);
            }
            let mut piece = vec![];
            let mut limited = std::io::Read::take(&mut *reader, groups::BIG_BLOCK as u64);
            std::io::Read::read_to_end(&mut limited, &mut piece).map_err(|e| Error::io("read", path, e))?;
            if piece.is_empty() {
                break;
            }
            hasher.update(&piece);
            let first = treatment.is_none();
            let kind = if is_compressible(&piece) { Treatment::Big } else { Treatment::Stored };
            let treatment = *treatment.get_or_insert(kind);
            // Only the first piece has a place to report: later ones get a number of no blob.
            let number = if first { number } else { NONE };
            self.submit(vec![Blob { number, path_hash: 0, bytes: Arc::new(piece) }], treatment)?;
        }
        if *hasher.finalize().as_bytes() != hash {
            return Err(changed(path, hasher.count(), hasher.count()));
        }
        Ok(())
    }

    /// Ends the archive: `about` says what it is as a whole.
    ///
    /// # Errors
    ///
    /// Fails if two entries have one path, if the metadata is larger than
    /// [`limits::MAX_METADATA`], or if the medium fails; then nothing remains.
    pub fn finish(mut self, about: &About) -> Result<Summary> {
        let metadata = crate::format::small::write_metadata(&about.metadata).len();
        if metadata > limits::MAX_METADATA {
            return Err(Error::LimitExceeded {
                what: match about.metadata.largest() {
                    Some((key, len)) => format!("the metadata, of which {key} alone has {len},"),
                    None => "the metadata".into(),
                },
                limit: limits::MAX_METADATA as u64,
                wanted: metadata as u64,
            });
        }
        // Small lanes together: what is alike in them is at least alike in kind of bytes.
        let mut rest = Lane::default();
        for (_, mut lane) in std::mem::take(&mut self.lanes) {
            if lane.len() < SMALL_LANE {
                rest.append(&mut lane);
            } else {
                self.submit(lane.take(), Treatment::Referenced)?;
            }
        }
        self.submit(rest.take(), Treatment::Referenced)?;
        let stored = self.stored.take();
        self.submit(stored, Treatment::Stored)?;
        while self.written < self.submitted {
            self.receive()?;
        }
        self.dedup = HashMap::new();
        let languages = about.metadata.text(keys::LANGUAGE).unwrap_or_default();
        let languages: Vec<&str> = languages.split(',').map(str::trim).collect();
        let (inverter, facts) = self.indexing.finish(&languages, &self.pool, self.observer)?;
        self.observer.stage("writing tables", None);
        let parity = self.parity()?;
        self.pad()?;
        let packed = tables::Packed {
            rows: self.rows.finish()?,
            targets: self.targets.finish()?,
            blobs: self.blobs,
            blocks: self.blocks,
            parity,
            mimes: &self.mimes,
            languages: &self.languages,
            inverter,
            facts,
            about,
            sort_budget: self.sort_budget,
            folder: &self.folder,
            index_only: !self.options.contents,
            always_copies: self.options.always_redundant,
        };
        let (first, counts) = tables::write(packed, &mut self.output, self.observer)?;
        if self.observer.is_cancelled() {
            return Err(Error::Interrupted);
        }
        self.summary.bytes_out = self.output.finish(&first)?;
        self.summary.articles = counts.articles;
        self.summary.media = counts.media;
        self.summary.redirects = counts.redirects;
        self.summary.time = self.started.elapsed();
        Ok(self.summary)
    }

    /// Fills the last page of the blocks with a block of zeros, so that the tables begin on a page.
    fn pad(&mut self) -> Result<()> {
        let at = self.output.position();
        let len = at.next_multiple_of(PAGE as u64) - at;
        if len == 0 {
            return Ok(());
        }
        let zeros = vec![0; len as usize];
        self.blocks.push(&BlockRecord {
            offset: at,
            stored_len: len as u32,
            raw_len: len as u32,
            coding: Coding::Stored,
            role: Role::Padding,
            reference: None,
            hash: digest(&zeros),
        });
        self.output.write(&zeros)
    }

    fn parity(&mut self) -> Result<Vec<u8>> {
        let len: u64 = self.references.iter().map(|r| r.1.end - r.1.start).sum();
        let enough = self.output.position() >= MIN_PARITY || self.options.always_redundant;
        if len == 0 || !enough {
            return Ok(vec![]);
        }
        let head = ParityHead {
            stripes: ParityHead::stripes_for(len),
            references: self.references.iter().map(|r| r.0).collect(),
        };
        let mut parity = Parity::new(head.stripes);
        for (_, range) in &self.references {
            parity.add(&self.output.read_back(range.clone())?);
        }
        let mut section = head.write();
        section.extend_from_slice(&parity.finish());
        Ok(section)
    }
}

impl Sink for Writer<'_> {
    fn put(&mut self, item: Item) -> Result<()> {
        if self.observer.is_cancelled() {
            return Err(Error::Interrupted);
        }
        check_name("path", &item.path, &item.path)?;
        if let Some(title) = &item.title {
            check_name("title", title, &item.path)?;
        }
        let kind = item.body.kind();
        let mut article = None;
        let flags =
            if item.generated { Class::GENERATED } else { 0 } | if item.escaped { Class::ESCAPED } else { 0 };
        let mut mime_number = 0;
        let body = match item.body {
            Body::Article { mime, content } | Body::Media { mime, content } => {
                let mime = if mime.len() > MAX_MIME {
                    self.observer.warning(&item.path, "its mime type is longer than 255 bytes; left out");
                    "application/octet-stream".to_string()
                } else {
                    mime
                };
                mime_number = self.mimes.number(&mime);
                let len = content.len();
                let indexed = kind == Kind::Article && Markup::of_mime(&mime).is_some();
                match self.content(&item.path, &mime, content, indexed) {
                    Ok((body, text)) => {
                        self.summary.bytes_in += len;
                        if kind == Kind::Article {
                            article = Some(self.articles);
                            self.articles += 1;
                            // Without words and links there is nothing to learn.
                            if self.options.search || self.options.contents {
                                let title = indexed_title(item.title.as_deref(), &item.path);
                                let page =
                                    indexing::Page { title, path: item.path.clone(), mime, bytes: text };
                                self.indexing.add(
                                    page,
                                    item.language.as_deref(),
                                    &self.pool,
                                    self.observer,
                                )?;
                            }
                        }
                        body
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
                check_name("target", &target, &item.path)?;
                if let Some(fragment) = &fragment {
                    check_name("fragment", fragment, &item.path)?;
                }
                self.targets.push(target.clone().into_bytes(), item.path.clone().into_bytes())?;
                RowBody::Redirect(target, fragment)
            }
        };
        let language = item.language.as_deref().map_or(0, |l| self.languages.number(l));
        let row = EntryRow {
            kind: Class::number(kind),
            flags,
            mime: if kind == Kind::Redirect { 0 } else { mime_number },
            language,
            title: item.title.filter(|t| !t.is_empty()),
            body,
            article,
            origin: item.origin,
        };
        self.rows.push(item.path.into_bytes(), sorter::encode(&row))?;
        self.observer.advance(1, 0);
        Ok(())
    }
}

/// Returns as much of a large content as is read for words.
fn start_of(open: &Opener, path: &str) -> Result<Vec<u8>> {
    let failed = |e| Error::io("read", path, e);
    let mut text = vec![];
    let mut start = std::io::Read::take(open().map_err(failed)?, limits::MAX_INDEXED as u64);
    std::io::Read::read_to_end(&mut start, &mut text).map_err(failed)?;
    Ok(text)
}

/// Returns the title whose words are indexed. Which rule gives titles is not known yet, and a title that one
/// gives may be spelt out or not: then it is the whole path's, which has the words of either.
fn indexed_title(own: Option<&str>, path: &str) -> String {
    match own.filter(|title| !title.is_empty() && *title != TitleRule::LastPart.apply(path)) {
        Some(own) => own.to_string(),
        None => TitleRule::WholePath.apply(path),
    }
}

fn check_name(what: &str, name: &str, path: &str) -> Result<()> {
    if name.len() > limits::MAX_NAME_LEN {
        let start: String = path.chars().take(60).collect();
        return Err(Error::LimitExceeded {
            what: format!("the {what} of entry {start}..."),
            limit: limits::MAX_NAME_LEN as u64,
            wanted: name.len() as u64,
        });
    }
    Ok(())
}

fn changed(path: &str, expected: u64, found: u64) -> Error {
    let message = format!("it changed while it was being packed ({expected} bytes before, {found} now)");
    Error::io("read", path, std::io::Error::other(message))
}

/// A hash of a path that never changes: it chooses the borders of blocks.
fn path_hash(path: &str) -> u64 {
    let hash = blake3::hash(path.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(first)
}
