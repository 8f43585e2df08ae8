//! From sorted rows to dirents, lists and pointers.
//!
//! Entries of namespace `C` come out of the sort; the few others, which stand behind them in the order
//! of dirents, are made here. Each further structure is one more reading of the rows, so that nothing
//! is held in memory but two numbers a redirect.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use md5::{Digest, Md5};

use super::clusters::{Clusters, Place, Placed, Treatment, raw_head};
use super::resolve::{Fault, Resolved, check_cancelled, resolve};
use super::rows::{EntryRow, Mimes, RowBody, raw};
use super::{HEAD, Minor, NO_MIME, required};
use crate::error::{Error, Result};
use crate::item::{About, Kind, Observer, Value, keys, path_title};
use crate::output::Output;
use crate::sorter::{self, Sorted, Sorter};
use crate::text::signpost;
use crate::zim::dirent::{Dirent, DirentKind};
use crate::zim::header::{Header, NO_LIST, NONE};
use crate::zim::metadata::{made_uuid, parse_uuid};

/// Lanes of clusters, named as no mime type can be: contents that were there before, metadata.
pub const REPEATED: &str = "\0repeated";
const METADATA: &str = "\0metadata";

/// The mime types of the lists of titles, and of pages that redirects become.
const LISTING: &str = "application/octet-stream+zimlisting";
const PAGE: &str = "text/html";

/// The major version of the format that is written.
const MAJOR: u16 = 6;

/// What the contents' part of the packer hands over.
pub struct Packed<'a, 'o> {
    /// The rows of the entries by the bytes of their paths.
    pub rows: Sorted,
    /// Redirects by the bytes of their targets' paths; see [`resolve`].
    pub targets: Sorted,
    /// The contents.
    pub clusters: Clusters<'o>,
    /// Mime types.
    pub mimes: Mimes,
    /// The minor version.
    pub minor: Minor,
    /// What the file is called.
    pub stem: &'a str,
    /// What it says of itself.
    pub about: &'a About,
    /// An empty sorter for redirects.
    pub found: Sorter,
    /// An empty sorter for titles.
    pub titles: Sorter,
    /// Folder for temporary files.
    pub folder: &'a Path,
    /// Hears of what is left out.
    pub observer: &'a dyn Observer,
}

/// What was counted on the way.
#[derive(Debug, Default, Clone, Copy)]
pub struct Counts {
    /// Articles.
    pub articles: u32,
    /// Media.
    pub media: u32,
    /// Redirects.
    pub redirects: u32,
    /// Bytes of the file.
    pub bytes: u64,
}

/// An entry outside of namespace `C`, whose title is its path.
struct Tail {
    namespace: u8,
    path: Vec<u8>,
    held: TailHeld,
}

enum TailHeld {
    Content(u32, Place),
    /// A list of titles: its number among them.
    Listing(u32),
    Redirect(u32),
}

/// Writes everything behind the contents, and the header.
///
/// # Errors
///
/// Fails if two entries have one path, if the medium fails, or if the caller asked to stop.
pub fn write(mut packed: Packed<'_, '_>, mut output: Output) -> Result<Counts> {
    let observer = packed.observer;
    if observer.is_cancelled() {
        return Err(Error::Interrupted);
    }
    let main = packed.about.main.as_deref();
    let found = std::mem::replace(&mut packed.found, Sorter::new(0, packed.folder));
    let resolved = resolve(&mut packed.rows, &mut packed.targets, main, found, observer)?;
    let mut survey = survey(&mut packed, &resolved, &mut output)?;
    let mut counts = survey.counts;
    if let Some(main) = main
        && resolved.main().is_none()
    {
        observer.warning(main, "the main page is not there; the first article is taken for it");
    }

    let metadata = metadata(&packed, &survey);
    let uuid = packed.about.metadata.text(keys::UUID).and_then(parse_uuid);
    let uuid = uuid.unwrap_or_else(|| survey.identity(&metadata));
    let tail = tail(&mut packed, &mut survey, metadata, &mut output)?;
    let mut placed = packed.clusters.finish(&mut output, &[METADATA])?;

    let mimes = MimeList::new(&packed.mimes, &survey.used);
    let head_len = (Header::SIZE as u64 + mimes.bytes.len() as u64).max(HEAD);
    if head_len > HEAD {
        output.make_room(HEAD, head_len - HEAD)?;
        placed.offsets.iter_mut().for_each(|offset| *offset += head_len - HEAD);
    }

    let all = survey.entries + tail.len() as u32;
    let titles_at = listing(&mut packed.titles, &survey, &tail, packed.minor, &mut placed, &mut output)?;
    let dirents = Dirents { survey: &survey, resolved: &resolved, placed: &placed, mimes: &mimes };
    let mut pointers = dirents.write(&mut packed.rows, &tail, packed.folder, observer, &mut output)?;
    let paths_at = output.position();
    pointers.copy_to(&mut output)?;
    let clusters_at = output.position();
    for offset in &placed.offsets {
        output.write(&offset.to_le_bytes())?;
    }
    let header = Header {
        major: MAJOR,
        minor: packed.minor.number(),
        uuid,
        n_entries: all,
        n_clusters: placed.offsets.len() as u32,
        path_pointers: paths_at,
        title_pointers: if packed.minor == Minor::One { titles_at } else { NO_LIST },
        cluster_pointers: clusters_at,
        mime_list: Header::SIZE as u64,
        main_page: tail.iter().position(|t| t.namespace == b'W').map_or(NONE, |i| survey.entries + i as u32),
        layout_page: NONE,
        checksum: output.position(),
    };
    let mut head = header.write().to_vec();
    head.extend_from_slice(&mimes.bytes);
    head.resize(head_len as usize, 0);
    checksum(&mut output, &head, observer)?;
    counts.bytes = output.finish(&head)?;
    Ok(counts)
}

/// What a pass over the entries learns.
struct Survey {
    counts: Counts,
    /// Entries of namespace `C`.
    entries: u32,
    /// Those that are listed as articles.
    fronts: u32,
    /// Contents by the number of their mime type.
    used: Vec<u64>,
    /// Where the pages lie that were made of redirects, in path order.
    pages: Vec<Place>,
    /// Their mime type.
    page_mime: u32,
    /// The index of the main page, and its title.
    main: Option<(u32, String)>,
    hasher: blake3::Hasher,
}

impl Survey {
    fn used(&mut self, mime: u32) {
        if self.used.len() <= mime as usize {
            self.used.resize(mime as usize + 1, 0);
        }
        if let Some(n) = self.used.get_mut(mime as usize) {
            *n += 1;
        }
    }

    fn hash(&mut self, parts: &[&[u8]]) {
        for part in parts {
            self.hasher.update(&(part.len() as u64).to_le_bytes());
            self.hasher.update(part);
        }
    }

    /// Returns a uuid made of all entries and metadata.
    fn identity(&self, metadata: &[(String, Value)]) -> [u8; 16] {
        let mut hasher = self.hasher.clone();
        for (key, value) in metadata {
            for part in [key.as_bytes(), value.mime.as_bytes(), &value.bytes] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part);
            }
        }
        made_uuid(hasher.finalize().as_bytes())
    }
}

/// Counts entries, sorts titles, makes pages of redirects with a fragment, and reports redirects that
/// do not stay.
fn survey(packed: &mut Packed<'_, '_>, resolved: &Resolved, output: &mut Output) -> Result<Survey> {
    let page_mime = packed.mimes.number(PAGE).or_else(|| packed.mimes.number(NO_MIME)).unwrap_or(0);
    let mut survey = Survey {
        counts: Counts::default(),
        entries: resolved.rows - resolved.dropped(),
        fronts: 0,
        used: vec![],
        pages: vec![],
        page_mime,
        main: None,
        hasher: blake3::Hasher::new(),
    };
    let main = resolved.main();
    let mut main_title = None;
    // The first article, or the first entry with content at all.
    let mut first: Option<(bool, u32, String)> = None;
    let mut rank = 0;
    let mut all = packed.rows.iter()?;
    while let Some((path, row)) = all.next_row()? {
        let this = rank;
        rank += 1;
        check_cancelled(rank, packed.observer)?;
        let mut row = sorter::decode::<EntryRow>(&row)?;
        row.front &= row.kind() != Kind::Redirect || resolved.leads_to_article(this);
        let title = if row.title.is_empty() { &path } else { &row.title };
        let index = resolved.index(this);
        match &row.body {
            RowBody::Content(_, mime, hash) => {
                survey.used(*mime);
                let mime = packed.mimes.word(*mime).as_bytes();
                survey.hash(&[&[u8::from(row.front)], &path, title, mime, hash]);
            }
            RowBody::Redirect(target, fragment) => {
                let redirect = match resolved.get(this) {
                    Ok(redirect) => redirect,
                    Err(fault) => {
                        report(&path, target, fault, packed.observer);
                        continue;
                    }
                };
                let shown = fragment.as_deref().unwrap_or_default().as_bytes();
                survey.hash(&[&[2 + u8::from(row.front)], &path, title, target.as_bytes(), shown]);
                if fragment.is_some() {
                    let to = raw(target, redirect.escaped);
                    let title = String::from_utf8_lossy(title);
                    let page = signpost::page(&path, &to, &title, target, fragment.as_deref());
                    let page = page.into_bytes();
                    survey.pages.push(packed.clusters.add(output, PAGE, Treatment::Compressed, page)?);
                    survey.used(page_mime);
                }
            }
        }
        // As it stands in the file, where a redirect with a fragment is a page.
        match (&row.body, row.front) {
            (RowBody::Redirect(_, None), _) => survey.counts.redirects += 1,
            (_, true) => survey.counts.articles += 1,
            (_, false) => survey.counts.media += 1,
        }
        survey.fronts += u32::from(row.front);
        if packed.minor == Minor::One || row.front {
            let value = [&index.to_be_bytes()[..], &[u8::from(row.front)]].concat();
            packed.titles.push(title.clone(), value)?;
        }
        let readable = || match row.title.is_empty() {
            true => path_title(&String::from_utf8_lossy(&path)),
            false => String::from_utf8_lossy(&row.title).into_owned(),
        };
        if main.is_some_and(|main| main.1 == this) {
            main_title = Some(readable());
        }
        if row.kind() != Kind::Redirect && first.as_ref().is_none_or(|first| row.front && !first.0) {
            first = Some((row.front, index, readable()));
        }
    }
    survey.main = match (main, first) {
        (Some((main, _)), _) => Some((resolved.index(main), main_title.unwrap_or_default())),
        (None, Some((_, index, title))) => Some((index, title)),
        (None, None) => None,
    };
    Ok(survey)
}

fn report(path: &[u8], target: &str, fault: Fault, observer: &dyn Observer) {
    let path = String::from_utf8_lossy(path);
    let message = match fault {
        Fault::Missing => format!("redirect to {target}, which is not there; left out"),
        Fault::Dead => format!("redirect to {target}, which leads nowhere; left out"),
        Fault::Loop => format!("redirect to {target}, which leads back to itself; left out"),
    };
    observer.warning(&path, &message);
}

/// Returns what stands in namespace `M`.
fn metadata(packed: &Packed<'_, '_>, survey: &Survey) -> Vec<(String, Value)> {
    let mut counted: BTreeMap<&str, u64> = BTreeMap::new();
    for (number, n) in survey.used.iter().enumerate().filter(|(_, n)| **n > 0) {
        // Parameters would break up the list.
        let mime = packed.mimes.word(number as u32);
        let essence = mime.split([';', '=']).next().unwrap_or(mime).trim();
        *counted.entry(essence).or_default() += n;
    }
    let counter: Vec<String> = counted.iter().map(|(mime, n)| format!("{mime}={n}")).collect();
    let seed = survey.hasher.finalize();
    let known = required::Known {
        title: survey.main.as_ref().map_or(packed.stem, |main| &main.1),
        counter: counter.join(";"),
        seed: seed.as_bytes().first_chunk().map_or(0, |first| u32::from_le_bytes(*first)),
    };
    let mut values = required::complete(&packed.about.metadata, &known, packed.observer);
    values.retain(|(key, _)| {
        let is_legal = !key.is_empty() && !key.contains('\0') && key.len() <= super::MAX_NAMES;
        if !is_legal {
            let start: String = key.chars().take(60).collect();
            packed.observer.warning("metadata", &format!("no key that ZIM can hold: {start:?}; left out"));
        }
        is_legal
    });
    values
}

/// Puts metadata into clusters, and lists what stands behind the content's entries.
fn tail(
    packed: &mut Packed<'_, '_>,
    survey: &mut Survey,
    metadata: Vec<(String, Value)>,
    output: &mut Output,
) -> Result<Vec<Tail>> {
    let mut tail = vec![];
    for (key, value) in metadata {
        let is_text = value.mime.starts_with("text/");
        let treatment = if is_text { Treatment::Compressed } else { Treatment::Raw };
        let place = packed.clusters.add(output, METADATA, treatment, value.bytes)?;
        let is_legal =
            !value.mime.is_empty() && !value.mime.contains('\0') && value.mime.len() <= super::MAX_MIME;
        let mime = if is_legal { &value.mime } else { NO_MIME };
        let mime = packed.mimes.number(mime).or_else(|| packed.mimes.number(NO_MIME)).unwrap_or(0);
        // Only which types there are: the counter is made.
        survey.used(mime);
        tail.push(Tail { namespace: b'M', path: key.into_bytes(), held: TailHeld::Content(mime, place) });
    }
    if let Some((main, _)) = survey.main {
        tail.push(Tail { namespace: b'W', path: b"mainPage".to_vec(), held: TailHeld::Redirect(main) });
    }
    let lists: &[&[u8]] = match packed.minor {
        Minor::One => &[b"listing/titleOrdered/v0", b"listing/titleOrdered/v1"],
        Minor::Three => &[b"listing/titleOrdered/v1"],
    };
    let listing = packed.mimes.number(LISTING).or_else(|| packed.mimes.number(NO_MIME)).unwrap_or(0);
    survey.used(listing);
    for (n, path) in lists.iter().enumerate() {
        let held = TailHeld::Listing(n as u32);
        tail.push(Tail { namespace: b'X', path: path.to_vec(), held });
    }
    Ok(tail)
}

/// The list of mime types, in byte order.
struct MimeList {
    bytes: Vec<u8>,
    /// For each number, the place in the list.
    index: Vec<u16>,
    listing: u16,
}

impl MimeList {
    fn new(mimes: &Mimes, used: &[u64]) -> Self {
        let mut list: Vec<(&str, usize)> = (0..mimes.len())
            .filter(|n| used.get(*n).is_some_and(|n| *n > 0))
            .map(|n| (mimes.word(n as u32), n))
            .collect();
        list.sort_unstable();
        let mut out = Self { bytes: vec![], index: vec![0; mimes.len()], listing: 0 };
        for (i, (word, number)) in list.into_iter().enumerate() {
            out.bytes.extend_from_slice(word.as_bytes());
            out.bytes.push(0);
            out.index[number] = i as u16;
            if word == LISTING {
                out.listing = i as u16;
            }
        }
        out.bytes.push(0);
        out
    }

    fn get(&self, number: u32) -> u16 {
        self.index.get(number as usize).copied().unwrap_or(0)
    }
}

/// Writes the cluster of the lists of titles, and returns where the first one begins.
fn listing(
    titles: &mut Sorter,
    survey: &Survey,
    tail: &[Tail],
    minor: Minor,
    placed: &mut Placed,
    output: &mut Output,
) -> Result<u64> {
    let mut titles = std::mem::replace(titles, Sorter::new(0, Path::new("."))).finish()?;
    let (all, fronts) = (u64::from(survey.entries) + tail.len() as u64, u64::from(survey.fronts));
    let head = match minor {
        Minor::One => raw_head(&[4 * all, 4 * fronts]),
        Minor::Three => raw_head(&[4 * fronts]),
    };
    placed.offsets.push(output.position());
    output.write(&head)?;
    let at = output.position();
    if minor == Minor::One {
        let mut rows = titles.iter()?;
        while let Some((_, value)) = rows.next_row()? {
            output.write(&index_of(&value).to_le_bytes())?;
        }
        // In order of titles as well, which are their paths.
        for i in 0..tail.len() as u32 {
            output.write(&(survey.entries + i).to_le_bytes())?;
        }
    }
    let mut rows = titles.iter()?;
    while let Some((_, value)) = rows.next_row()? {
        if value.get(4) == Some(&1) {
            output.write(&index_of(&value).to_le_bytes())?;
        }
    }
    Ok(at)
}

fn index_of(value: &[u8]) -> u32 {
    value.first_chunk().map_or(0, |first| u32::from_be_bytes(*first))
}

struct Dirents<'a> {
    survey: &'a Survey,
    resolved: &'a Resolved,
    placed: &'a Placed,
    mimes: &'a MimeList,
}

impl Dirents<'_> {
    /// Writes all dirents; returns where they begin.
    fn write(
        &self,
        rows: &mut Sorted,
        tail: &[Tail],
        folder: &Path,
        observer: &dyn Observer,
        output: &mut Output,
    ) -> Result<Pointers> {
        let mut pointers = Pointers::new(folder)?;
        let mut pages = self.survey.pages.iter();
        let mut rank = 0;
        let mut all = rows.iter()?;
        while let Some((path, row)) = all.next_row()? {
            let this = rank;
            rank += 1;
            check_cancelled(rank, observer)?;
            let row = sorter::decode::<EntryRow>(&row)?;
            let held = match &row.body {
                RowBody::Content(place, mime, _) => self.content(*mime, *place),
                RowBody::Redirect(..) => match self.resolved.get(this) {
                    Err(_) => continue,
                    Ok(_) if row.is_page() => match pages.next() {
                        Some(place) => self.content(self.survey.page_mime, *place),
                        None => continue,
                    },
                    Ok(redirect) => DirentKind::Redirect { target: self.resolved.index(redirect.target) },
                },
            };
            pointers.push(output.position())?;
            output.write(&Dirent::write(b'C', &path, &row.title, held))?;
        }
        // The cluster of the lists is the last one.
        let lists = self.placed.offsets.len() as u32 - 1;
        for entry in tail {
            let held = match entry.held {
                TailHeld::Content(mime, place) => self.content(mime, place),
                TailHeld::Listing(blob) => {
                    DirentKind::Blob { mime: self.mimes.listing, cluster: lists, blob }
                }
                TailHeld::Redirect(target) => DirentKind::Redirect { target },
            };
            pointers.push(output.position())?;
            output.write(&Dirent::write(entry.namespace, &entry.path, b"", held))?;
        }
        Ok(pointers)
    }

    fn content(&self, mime: u32, place: Place) -> DirentKind {
        let (cluster, blob) = self.placed.get(place);
        DirentKind::Blob { mime: self.mimes.get(mime), cluster, blob }
    }
}

/// Pointers on disk, until what they point to is written.
struct Pointers {
    file: BufWriter<File>,
    folder: std::path::PathBuf,
}

impl Pointers {
    fn new(folder: &Path) -> Result<Self> {
        let file = tempfile::tempfile_in(folder);
        let file = file.map_err(|e| Error::io("write a temporary file in", folder, e))?;
        Ok(Self { file: BufWriter::with_capacity(1 << 18, file), folder: folder.to_path_buf() })
    }

    fn push(&mut self, at: u64) -> Result<()> {
        let written = self.file.write_all(&at.to_le_bytes());
        written.map_err(|e| Error::io("write a temporary file in", &self.folder, e))
    }

    fn copy_to(&mut self, output: &mut Output) -> Result<()> {
        let failed = |e| Error::io("read a temporary file in", &self.folder, e);
        self.file.flush().map_err(failed)?;
        let mut file = self.file.get_ref();
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut buffer = vec![0; 1 << 18];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(n) => output.write(&buffer[..n])?,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(failed(e)),
            }
        }
    }
}

/// Appends the MD5 of all before it. What is in the file's place of the head is not read.
fn checksum(output: &mut Output, head: &[u8], observer: &dyn Observer) -> Result<()> {
    const STEP: u64 = 4 << 20;
    let end = output.position();
    observer.stage("computing the checksum", Some(end));
    let mut hasher = Md5::new();
    hasher.update(head);
    let mut at = head.len() as u64;
    while at < end {
        if observer.is_cancelled() {
            return Err(Error::Interrupted);
        }
        let next = (at + STEP).min(end);
        hasher.update(output.read_back(at..next)?);
        observer.advance(0, next - at);
        at = next;
    }
    output.write(&hasher.finalize())
}
