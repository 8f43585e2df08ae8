//! A zip: every file in it is an entry.
//!
//! Everything a zip says of itself is a claim. Names are checked before they become paths, sizes
//! bound what is read and never what is allocated, and files that share bytes are refused, since
//! that is how a small zip becomes a large folder. Only this file knows the `zip` crate.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zip::read::{Config, OwnedZipFileEntry};
use zip::unstable::read::ZipIterable;
use zip::{CompressionMethod, ZipReadOptions};

use super::manifest::{Entry, Manifest};
use super::pass::{Found, Pass};
use super::stubs::{Names, Peek, resolve_link};
use super::walk::Identity;
use super::{Options, name_of};
use crate::error::{Error, Result};
use crate::item::{About, Content, Observer, Sink, Source, escape_bytes};
use crate::limits::{MAX_ITEM_IN_MEMORY, MAX_REDIRECTS, MAX_ZIP_RATIO};
use crate::manifest;
use crate::text::head::MAX_STUB;

/// What may be inflated from a few bytes: zeros compress without bound, and 64 MiB of them harm no
/// one.
const FREE_OF_RATIO: u64 = 64 * 1024 * 1024;

/// The longest target of a symbolic link, that of Linux.
const MAX_LINK: u64 = 4096;

/// The part of a local header before the name.
const LOCAL_HEADER: u64 = 30;

/// A zip as a source.
pub(crate) struct Zip {
    listing: Listing,
    prefix: String,
    options: Options,
}

impl Zip {
    /// Opens a zip and reads its directory.
    pub(crate) fn open(path: &Path, prefix: String, options: Options) -> Result<Self> {
        Ok(Self { listing: Listing::open(path, options.max_zip_item, |_| true)?, prefix, options })
    }
}

impl Source for Zip {
    fn run(&mut self, sink: &mut dyn Sink, observer: &dyn Observer) -> Result<About> {
        let mut pass = Pass::new(&self.prefix, &self.options, sink, observer);
        pass.with_manifest(self.listing.manifest(&pass)?);
        self.listing.pass_on(&mut pass)?;
        Ok(pass.finish(About::default()))
    }

    fn size_hint(&self) -> Option<(u64, u64)> {
        Some(self.listing.size())
    }
}

/// The directory of a zip.
pub(crate) struct Listing {
    /// As the user wrote it, for messages.
    shown: String,
    /// Without links and from the root, to open it again from another thread.
    path: PathBuf,
    identity: Identity,
    reader: RefCell<BufReader<File>>,
    /// In byte order of names, which are unique.
    members: Vec<Member>,
    /// Names that make no entry, and why.
    refused: Vec<(String, String)>,
    max_item: u64,
    /// Which names become entries.
    keep: fn(&str) -> bool,
}

/// A file or link in a zip.
struct Member {
    name: String,
    escaped: bool,
    entry: Arc<OwnedZipFileEntry>,
    overlaps: bool,
}

impl Listing {
    /// Reads the directory of a zip.
    pub(crate) fn open(path: &Path, max_item: u64, keep: fn(&str) -> bool) -> Result<Self> {
        let io = |e| Error::io("open the zip", path, e);
        let shown = path.display().to_string();
        let absolute = path.canonicalize().map_err(io)?;
        let file = File::open(&absolute).map_err(io)?;
        let identity = Identity::of(&file.metadata().map_err(io)?);
        let broken = |e: zip::result::ZipError| Error::source(&shown, format!("not a readable zip: {e}"));
        let again = File::open(&absolute).map_err(io)?;
        // The directory is read record by record, each from a position of its own.
        let directory = BufReader::with_capacity(512, file);
        let mut directory = ZipIterable::try_new(directory, Config::default()).map_err(broken)?;
        let mut members = Vec::new();
        let mut refused = Vec::new();
        for entry in directory.files().map_err(broken)? {
            let entry = OwnedZipFileEntry::from(entry.map_err(broken)?);
            let (name, escaped) = match std::str::from_utf8(entry.name_raw()) {
                Ok(name) => (name.to_owned(), false),
                Err(_) => (escape_bytes(entry.name_raw()), true),
            };
            if name.ends_with('/') {
                continue;
            }
            match safe_name(&name) {
                Ok(name) => members.push(Member { name, escaped, entry: Arc::new(entry), overlaps: false }),
                Err(reason) => refused.push((name, reason.to_owned())),
            }
        }
        mark_overlaps(&mut members);
        // Stable: of files under one name, the first in the directory stays.
        members.sort_by(|a, b| a.name.cmp(&b.name));
        let mut last: Option<String> = None;
        members.retain(|member| {
            let is_new = last.as_ref() != Some(&member.name);
            if is_new {
                last = Some(member.name.clone());
            } else {
                refused.push((member.name.clone(), "the zip has this name twice; the first is taken".into()));
            }
            is_new
        });
        let reader = RefCell::new(BufReader::new(again));
        Ok(Self { shown, path: absolute, identity, reader, members, refused, max_item, keep })
    }

    /// Returns how many files there are that can be read, and their size as claimed.
    pub(crate) fn size(&self) -> (u64, u64) {
        let readable = self.members.iter().filter(|member| self.check(member).is_ok());
        readable.fold((0, 0), |(n, sum): (u64, u64), m| (n + 1, sum.saturating_add(m.entry.size())))
    }

    /// Returns true if there is a file of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Returns the bytes of a file that must be small, if it is there and can be read.
    pub(crate) fn small_file(&self, name: &str) -> Option<Result<Vec<u8>>> {
        let member = self.find(name)?;
        Some(match self.content(member) {
            Ok(Content::Bytes(bytes)) => Ok(bytes),
            Ok(Content::Large { len, .. }) => {
                Err(Error::LimitExceeded { what: self.origin(name), limit: MAX_ITEM_IN_MEMORY, wanted: len })
            }
            Err(reason) => Err(Error::source(self.origin(name), reason)),
        })
    }

    /// Reads the manifest at the root, if there is one.
    pub(crate) fn manifest(&self, pass: &Pass<'_>) -> Result<Option<Manifest>> {
        if pass.ignores_manifest() {
            return Ok(None);
        }
        let Some(member) = self.find(manifest::NAME) else { return Ok(None) };
        let origin = self.origin(manifest::NAME);
        match self.content(member) {
            Ok(content) => Manifest::from_content(content, Path::new(&origin)).map(Some),
            Err(reason) => {
                pass.error(&origin, &reason);
                Ok(None)
            }
        }
    }

    /// Passes on the files in order of their paths.
    pub(crate) fn pass_on(&self, pass: &mut Pass<'_>) -> Result<()> {
        for (name, reason) in &self.refused {
            pass.error(&self.origin(name), reason);
        }
        for member in self.members.iter().filter(|member| self.is_entry(member)) {
            pass.check_cancelled()?;
            let remembered = pass.remembered(&member.name, member.escaped)?;
            if remembered.as_ref().is_some_and(|entry| entry.path != member.name)
                || !pass.wants_path(&member.name)
            {
                continue;
            }
            while let Some(entry) = pass.next_elsewhere(Some(&member.name))? {
                self.pass_on_elsewhere(entry, pass)?;
            }
            self.pass_on_member(member, remembered, pass)?;
        }
        while let Some(entry) = pass.next_elsewhere(None)? {
            self.pass_on_elsewhere(entry, pass)?;
        }
        pass.report_missing()
    }

    /// Passes on an entry of the manifest whose file has another name, or that has none.
    fn pass_on_elsewhere(&self, entry: Entry, pass: &mut Pass<'_>) -> Result<()> {
        let Some(file) = &entry.file else {
            return pass.entry(entry, Content::Bytes(Vec::new()), self.origin(manifest::NAME));
        };
        // What is missing is reported at the end.
        match self.find(&name_of(file)).filter(|member| self.is_entry(member)) {
            Some(member) => self.pass_on_member(member, Some(entry), pass),
            None => Ok(()),
        }
    }

    fn pass_on_member(&self, member: &Member, remembered: Option<Entry>, pass: &mut Pass<'_>) -> Result<()> {
        let origin = self.origin(&member.name);
        let found = Found { name: &member.name, escaped: member.escaped, origin };
        if let Some(what) = special_kind(&member.entry) {
            pass.warning(&found.origin, &format!("left out: {what}, not a file"));
            return Ok(());
        }
        if !member.entry.is_symlink() {
            return match self.content(member) {
                Ok(content) => pass.file(found, remembered, content, self),
                Err(reason) => {
                    pass.error(&found.origin, &reason);
                    Ok(())
                }
            };
        }
        let reason = match self.link_target(member) {
            Ok(target) if pass.wants(&target) => {
                let target = pass.path_of(&target);
                return pass.redirect(found, target, None);
            }
            Ok(_) => "a link to a file that is left out".to_owned(),
            Err(reason) => reason,
        };
        pass.warning(&found.origin, &format!("left out: {reason}"));
        Ok(())
    }

    /// Returns where a file is, for messages.
    pub(crate) fn origin(&self, name: &str) -> String {
        format!("{}: {name}", self.shown)
    }

    fn is_entry(&self, member: &Member) -> bool {
        member.name != manifest::NAME && (self.keep)(&member.name)
    }

    fn find(&self, name: &str) -> Option<&Member> {
        self.members.binary_search_by(|m| m.name.as_str().cmp(name)).ok().map(|at| &self.members[at])
    }

    /// Returns the name of the file that a link leads to, or why it makes no entry.
    fn link_target(&self, link: &Member) -> Result<String, String> {
        let mut member = link;
        let mut seen = HashSet::new();
        while member.entry.is_symlink() {
            if !seen.insert(member.name.as_str()) || seen.len() > MAX_REDIRECTS {
                return Err("a link that leads back to itself".into());
            }
            if member.entry.size() > MAX_LINK {
                return Err("a link with too long a target".into());
            }
            let Content::Bytes(bytes) = self.content(member)? else {
                return Err("a link with too long a target".into());
            };
            let target = match String::from_utf8(bytes) {
                Ok(text) => text,
                Err(e) => escape_bytes(e.as_bytes()),
            };
            let name = resolve_link(&member.name, &target)
                .ok_or_else(|| format!("a link to {target}, outside the source"))?;
            member = self.find(&name).ok_or_else(|| {
                let folder = format!("{name}/");
                let at = self.members.partition_point(|m| m.name < folder);
                match self.members.get(at) {
                    Some(below) if below.name.starts_with(&folder) => {
                        format!("a link to the folder {target}")
                    }
                    _ => format!("a link to {target}, which does not exist"),
                }
            })?;
        }
        if !self.is_entry(member) || special_kind(&member.entry).is_some() {
            return Err(format!("a link to {}, which is no entry", member.name));
        }
        Ok(member.name.clone())
    }

    /// Returns the bytes of a file, or arranges for them if it is large.
    fn content(&self, member: &Member) -> Result<Content, String> {
        let entry = &member.entry;
        let len = entry.size();
        self.check(member)?;
        if len <= MAX_ITEM_IN_MEMORY {
            let mut reader = self.reader.borrow_mut();
            let mut bytes = Vec::new();
            let mut read = || -> io::Result<()> {
                let file = inflate(entry, &mut *reader)?;
                Exact { inner: file, left: len }.read_to_end(&mut bytes).map(|_| ())
            };
            read().map_err(|e| format!("cannot read: {e}"))?;
            return Ok(Content::Bytes(bytes));
        }
        let (path, identity, entry) = (self.path.clone(), self.identity.clone(), Arc::clone(entry));
        let open = move || -> io::Result<Box<dyn Read + Send>> {
            let file = File::open(&path)?;
            if Identity::of(&file.metadata()?) != identity {
                return Err(io::Error::other("the zip was changed while it was read"));
            }
            Ok(Box::new(Exact { inner: InThread::start(file, Arc::clone(&entry))?, left: len }))
        };
        Ok(Content::Large { len, open: Box::new(open) })
    }

    /// Checks what a file claims, before anything is read or allocated.
    fn check(&self, member: &Member) -> Result<(), String> {
        let entry = &member.entry;
        let (len, packed) = (entry.size(), entry.compressed_size());
        if entry.encrypted() {
            return Err("encrypted: unpack it with its password first".into());
        }
        match entry.compression() {
            CompressionMethod::Stored | CompressionMethod::Deflated | CompressionMethod::Zstd => {}
            other => return Err(format!("compressed with {other}: only deflate and zstd can be read")),
        }
        if len > self.max_item {
            return Err(format!("claims {len} bytes, more than the limit of {}", self.max_item));
        }
        if len > FREE_OF_RATIO.saturating_add(packed.saturating_mul(MAX_ZIP_RATIO)) {
            return Err(format!("claims {len} bytes from {packed}: a bomb, not a document"));
        }
        if member.overlaps {
            return Err("shares its bytes with another file of the zip: a bomb, or damage".into());
        }
        Ok(())
    }
}

impl Names for Listing {
    fn peek(&self, path: &str) -> Peek {
        match self.find(path) {
            None => Peek::Absent,
            Some(member) if !self.is_entry(member) || special_kind(&member.entry).is_some() => Peek::Absent,
            Some(member) if member.entry.is_symlink() => match self.link_target(member) {
                Ok(_) => Peek::Other,
                Err(_) => Peek::Absent,
            },
            // Nothing is inflated to learn that it is there.
            Some(member) if member.entry.size() > MAX_STUB as u64 => match self.check(member) {
                Ok(()) => Peek::Other,
                Err(_) => Peek::Absent,
            },
            Some(member) => match self.content(member) {
                Ok(Content::Bytes(bytes)) if bytes.len() <= MAX_STUB => Peek::Small(bytes),
                Ok(_) => Peek::Other,
                Err(_) => Peek::Absent,
            },
        }
    }
}

/// Returns what a file is, in words, if its Unix mode says that it holds no bytes of its own.
fn special_kind(entry: &OwnedZipFileEntry) -> Option<&'static str> {
    match entry.unix_mode()? & 0o170_000 {
        0o010_000 => Some("a FIFO"),
        0o140_000 => Some("a socket"),
        0o020_000 | 0o060_000 => Some("a device"),
        _ => None,
    }
}

/// Returns a reader of a file's content.
fn inflate<'a, R: Read + io::Seek>(
    entry: &'a OwnedZipFileEntry,
    zip: &'a mut R,
) -> zip::result::ZipResult<zip::read::ZipFile<'a, R>> {
    entry.as_ref().with_reader(zip, ZipReadOptions::new())
}

/// Returns a file's name as a path within the source, or why it is none.
fn safe_name(name: &str) -> Result<String, &'static str> {
    let drive = name.as_bytes();
    if name.contains('\0') {
        return Err("not packed: a name with a zero byte");
    }
    if name.contains('\\') {
        return Err("not packed: a name with a backslash, which some systems take for a folder");
    }
    if name.starts_with('/') {
        return Err("not packed: an absolute name");
    }
    if drive.len() > 1 && drive[0].is_ascii_alphabetic() && drive[1] == b':' {
        return Err("not packed: a name with a drive letter");
    }
    let mut safe = String::with_capacity(name.len());
    for part in name.split('/') {
        match part {
            ".." => return Err("not packed: a name that leads out of the zip"),
            "" | "." => {}
            part => {
                if !safe.is_empty() {
                    safe.push('/');
                }
                safe.push_str(part);
            }
        }
    }
    if safe.is_empty() { Err("not packed: a file without a name") } else { Ok(safe) }
}

/// Marks the files in whose bytes another one begins.
fn mark_overlaps(members: &mut [Member]) {
    members.sort_by_key(|member| member.entry.header_start());
    for at in 1..members.len() {
        let next = members[at].entry.header_start();
        let member = &mut members[at - 1];
        let entry = &member.entry;
        let name = entry.name_raw().len() as u64;
        let end = [LOCAL_HEADER, name, entry.compressed_size()]
            .iter()
            .fold(entry.header_start(), |sum, part| sum.saturating_add(*part));
        member.overlaps = end > next;
    }
    // Back to the order of the directory, which decides between two files of one name.
    members.sort_by_key(|member| member.entry.central_header_start());
}

/// Reads exactly so many bytes, or fails.
struct Exact<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Exact<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            return match self.inner.read(&mut [0])? {
                0 => Ok(0),
                _ => Err(io::Error::other("the file is larger than the zip claims")),
            };
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.inner.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(io::Error::other("the file is smaller than the zip claims"));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

/// A file of a zip that is inflated by a thread of its own: the reader of the `zip` crate borrows
/// the zip's, and cannot be handed on together with it.
struct InThread {
    chunks: std::sync::mpsc::Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    at: usize,
}

impl InThread {
    const CHUNK: u64 = 128 * 1024;

    fn start(file: File, entry: Arc<OwnedZipFileEntry>) -> io::Result<Self> {
        let (sender, chunks) = std::sync::mpsc::sync_channel(4);
        // Ends when the file does, or when nobody listens any more.
        std::thread::Builder::new().name("unzip".into()).spawn(move || {
            let mut file = BufReader::new(file);
            let mut run = || -> io::Result<()> {
                let mut content = inflate(&entry, &mut file)?;
                loop {
                    let mut chunk = Vec::new();
                    content.by_ref().take(Self::CHUNK).read_to_end(&mut chunk)?;
                    if chunk.is_empty() || sender.send(Ok(chunk)).is_err() {
                        return Ok(());
                    }
                }
            };
            if let Err(e) = run() {
                // Nobody listening is no error here either.
                let _ = sender.send(Err(e));
            }
        })?;
        Ok(Self { chunks, chunk: Vec::new(), at: 0 })
    }
}

impl Read for InThread {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.chunk.len() {
            let Ok(chunk) = self.chunks.recv() else { return Ok(0) };
            self.chunk = chunk?;
            self.at = 0;
        }
        let read = buffer.len().min(self.chunk.len() - self.at);
        buffer[..read].copy_from_slice(&self.chunk[self.at..self.at + read]);
        self.at += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
