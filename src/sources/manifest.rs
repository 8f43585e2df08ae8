//! Reads the manifest that extracting wrote: what is known of files beyond their names and bytes.
//!
//! It is a file that anybody may have made. Nothing in it opens a file: names are only compared with
//! those that the source has found by itself. A line speaks for a file only as long as the file has
//! the length and hash that it states ([`Entry::matches`]); a file that was changed, or that no line
//! knows, is taken as if there were no manifest. What breaks the manifest's own rules (two lines for
//! one path or file, a name that leads out of the folder) is an error that names the line.
//!
//! Any JSON of the right shape is read, however it is laid out. Memory: 16 bytes an entry, 32 if it
//! has a file, 4 more if its file has not the path's name; the lines themselves stay on disk.

mod read;

use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use self::read::{Document, Input};
use crate::error::{Error, Result};
use crate::hex::from_hex;
use crate::item::{About, Body, Content, Item, Kind, unescape_bytes};
use crate::limits::MAX_NAME_LEN;
use crate::manifest::{self, Line, shown};

/// A manifest that was found whole and keeps its rules.
pub struct Manifest {
    /// For messages.
    path: PathBuf,
    input: Mutex<Input>,
    /// Where each entry begins, in the manifest's order.
    places: Vec<u64>,
    /// Hash of a file's name -> its number in `places`, in order.
    files: Vec<(u64, u32)>,
    /// One bit for each of `files`: asked for.
    asked: Vec<AtomicU64>,
    /// Numbers of the entries that are not found under their paths, in order of these.
    elsewhere: Vec<u32>,
    about: About,
}

/// What the manifest says of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path in the archive.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// Its mime type; empty for redirects.
    pub mime: String,
    /// Its title, where it has one of its own.
    pub title: Option<String>,
    /// Its language, where it says one.
    pub language: Option<String>,
    /// [`Item::escaped`].
    pub escaped: bool,
    /// [`Item::generated`].
    pub generated: bool,
    /// Where it leads, if it is a redirect.
    pub target: Option<String>,
    /// The place in the target.
    pub fragment: Option<String>,
    /// The file that holds its bytes, or for a redirect the page made from it: relative, in the
    /// bytes of the file system.
    pub file: Option<Vec<u8>>,
    /// The file's length.
    pub size: u64,
    /// The file's BLAKE3-256.
    pub hash: [u8; 32],
}

impl Entry {
    /// Returns true if the file has not changed since.
    pub fn matches(&self, bytes: &[u8]) -> bool {
        bytes.len() as u64 == self.size && *blake3::hash(bytes).as_bytes() == self.hash
    }

    /// The same for a file too large for memory; reads no more than one byte beyond the size stated.
    ///
    /// # Errors
    ///
    /// Fails if the reader does.
    pub fn matches_reader(&self, reader: impl Read) -> io::Result<bool> {
        let mut hasher = blake3::Hasher::new();
        io::copy(&mut reader.take(self.size.saturating_add(1)), &mut hasher)?;
        Ok(hasher.count() == self.size && *hasher.finalize().as_bytes() == self.hash)
    }

    /// The same for an item's content, in memory or not.
    ///
    /// # Errors
    ///
    /// Fails if the content cannot be read.
    pub fn matches_content(&self, content: &Content) -> io::Result<bool> {
        match content {
            Content::Bytes(bytes) => Ok(self.matches(bytes)),
            Content::Large { len, open } => Ok(*len == self.size && self.matches_reader(open()?)?),
        }
    }

    /// Returns the item that was extracted, given the file's bytes; redirects need none.
    pub fn into_item(self, content: Content, origin: String) -> Item {
        let body = match (self.kind, self.target) {
            (Kind::Article, _) => Body::Article { mime: self.mime, content },
            (Kind::Redirect, Some(target)) => Body::Redirect { target, fragment: self.fragment },
            _ => Body::Media { mime: self.mime, content },
        };
        Item {
            path: self.path,
            title: self.title,
            body,
            generated: self.generated,
            escaped: self.escaped,
            language: self.language,
            origin,
        }
    }

    /// Takes a line that keeps the rules, or says which one it breaks.
    fn new(line: Line) -> Result<Self, String> {
        let file = line.file_name().map(|name| name.into_owned());
        let path = shown(&line.path);
        let names = [Some(&line.path), line.title.as_ref(), line.target.as_ref(), line.fragment.as_ref()];
        let others = [line.mime.as_ref(), line.language.as_ref()];
        if names.into_iter().chain(others).flatten().any(|text| text.len() > MAX_NAME_LEN) {
            return Err(format!("a text of more than {MAX_NAME_LEN} bytes"));
        }
        if line.file.is_some() && line.file_escaped.is_some() {
            return Err(format!("{path} has both file and file_escaped"));
        }
        if line.file_escaped.as_deref().is_some_and(|text| unescape_bytes(text).is_none()) {
            return Err(format!("{path} has a file_escaped that no name gives"));
        }
        if let Some(file) = &file {
            let is_odd = |part: &[u8]| part.is_empty() || part == b"." || part == b".." || part.contains(&0);
            if file.len() > MAX_NAME_LEN || file.split(|&b| b == b'/').any(is_odd) {
                return Err(format!("{path} names a file that cannot be in the folder"));
            }
            if file == manifest::NAME.as_bytes() {
                return Err(format!("{path} names the manifest itself as its file"));
            }
        }
        let kind = Kind::from(line.kind);
        if kind == Kind::Redirect && line.target.is_none() {
            return Err(format!("{path} is a redirect without a target"));
        }
        if kind != Kind::Redirect && line.mime.is_none() {
            return Err(format!("{path} has no mime type"));
        }
        let (size, hash) = match (&file, line.size, line.blake3) {
            (None, ..) => (0, [0; 32]),
            (Some(_), Some(size), Some(hash)) => {
                let hash = from_hex(&hash).and_then(|hash| <[u8; 32]>::try_from(hash).ok());
                (size, hash.ok_or_else(|| format!("{path} has a blake3 that is not 64 hex digits"))?)
            }
            _ => return Err(format!("{path} has a file and no size or no blake3")),
        };
        Ok(Self {
            path: line.path,
            kind,
            mime: line.mime.unwrap_or_default(),
            title: line.title,
            language: line.language,
            escaped: line.escaped,
            generated: line.generated,
            target: line.target,
            fragment: line.fragment,
            file,
            size,
            hash,
        })
    }
}

impl Manifest {
    /// Reads the manifest of a folder, or returns `None` if it has none.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read); also where something that is no file has its name.
    pub fn load(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(manifest::NAME);
        match path.symlink_metadata() {
            Ok(meta) if meta.is_file() => {}
            Ok(_) => return Err(Error::source(path.to_string_lossy(), "is not a regular file; remove it")),
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::io("look at", path, e)),
        }
        let file = std::fs::File::open(&path).map_err(|e| Error::io("open", &path, e))?;
        Self::read(file, &path).map(Some)
    }

    /// Reads a manifest, which stays open; `path` is for messages.
    ///
    /// # Errors
    ///
    /// `Source`, with the line, if it is no manifest or breaks a rule; `Unsupported` if it is from a
    /// later version; `Io` if it cannot be read.
    pub fn read(input: impl Read + Seek + Send + 'static, path: &Path) -> Result<Self> {
        let mut input = Input::new(Box::new(input));
        let mut document = Document::new(&input);
        input.document(&mut document).map_err(|e| document_error(&document, &input, e, path))?;
        let Document { places, mut files, mut paths, elsewhere, about, .. } = document;
        files.sort_unstable();
        paths.sort_unstable();
        let mut manifest = Self {
            path: path.to_path_buf(),
            input: Mutex::new(input),
            asked: (0..files.len().div_ceil(64)).map(|_| AtomicU64::new(0)).collect(),
            places,
            files,
            elsewhere: elsewhere.numbers,
            about,
        };
        if let Some(twice) = paths.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(manifest.twice("path", |entry| read::hash(entry.path.as_bytes()) == twice[0]));
        }
        if let Some(twice) = manifest.files.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let is_it = |entry: &Entry| entry.file.as_deref().is_some_and(|f| read::hash(f) == twice[0].0);
            return Err(manifest.twice("file", is_it));
        }
        if !elsewhere.is_sorted {
            // Seldom: extracting writes them in order, all but renamed pages of redirects.
            let mut numbers = std::mem::take(&mut manifest.elsewhere);
            numbers.sort_by_cached_key(|&number| manifest.entry(number).map(|e| e.path).unwrap_or_default());
            manifest.elsewhere = numbers;
        }
        Ok(manifest)
    }

    /// The same for a manifest that a source has found as one of its files. What is too large for
    /// memory is copied to a temporary file, since it has to be read out of order.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read); also if the copy cannot be written.
    pub fn from_content(content: Content, path: &Path) -> Result<Self> {
        let open = match content {
            Content::Bytes(bytes) => return Self::read(io::Cursor::new(bytes), path),
            Content::Large { open, .. } => open,
        };
        let copy = || {
            let mut file = tempfile::tempfile()?;
            io::copy(&mut open()?, &mut file)?;
            file.rewind()?;
            Ok(file)
        };
        Self::read(copy().map_err(|e| Error::io("copy", path, e))?, path)
    }

    /// Returns what is known of a file: its name in the folder, `/`-separated, as bytes.
    ///
    /// The caller compares the hash ([`Entry::matches`]) before it believes the entry. It may be a
    /// redirect: then the file is the page that was made from it, and it is the redirect that is
    /// packed. A page that does not match any more has become an article in its place, and with a
    /// page that was deleted the redirect is gone.
    ///
    /// # Errors
    ///
    /// Fails if the manifest cannot be read any more.
    pub fn for_file(&self, name: &[u8]) -> Result<Option<Entry>> {
        let Some((at, entry)) = self.find(name)? else { return Ok(None) };
        self.asked[at / 64].fetch_or(1 << (at % 64), Ordering::Relaxed);
        Ok(Some(entry))
    }

    /// The same for a file that something leads to: it does not count as found.
    ///
    /// # Errors
    ///
    /// Fails if the manifest cannot be read any more.
    pub fn peek(&self, name: &[u8]) -> Result<Option<Entry>> {
        Ok(self.find(name)?.map(|(_, entry)| entry))
    }

    fn find(&self, name: &[u8]) -> Result<Option<(usize, Entry)>> {
        let hash = read::hash(name);
        let Ok(at) = self.files.binary_search_by_key(&hash, |&(hash, _)| hash) else { return Ok(None) };
        let entry = self.entry(self.files[at].1)?;
        Ok((entry.file.as_deref() == Some(name)).then_some((at, entry)))
    }

    /// Returns the entry with a number among those that a walk over the files does not come by at
    /// their paths, in byte order of these: their files have other names, or they have none.
    ///
    /// # Errors
    ///
    /// Fails if the manifest cannot be read any more.
    pub fn elsewhere(&self, number: usize) -> Result<Option<Entry>> {
        self.elsewhere.get(number).map(|&number| self.entry(number)).transpose()
    }

    /// Iterates over all entries in the manifest's order, which is that of paths where extracting
    /// wrote it, except that redirects with pages come last.
    pub fn entries(&self) -> impl Iterator<Item = Result<Entry>> {
        (0..self.places.len() as u32).map(|number| self.entry(number))
    }

    /// Iterates over the redirects that have no page: with the files, these are all entries.
    pub fn redirects(&self) -> impl Iterator<Item = Result<Entry>> {
        let has_none = |e: &Result<Entry>| e.as_ref().map_or(true, |e| e.file.is_none());
        self.entries().filter(has_none)
    }

    /// Iterates over the entries whose file was never asked for: once the source has gone through
    /// its files, those that are missing. Their order is not that of paths.
    pub fn missing(&self) -> impl Iterator<Item = Result<Entry>> {
        let is_missing = |at: usize| self.asked[at / 64].load(Ordering::Relaxed) >> (at % 64) & 1 == 0;
        let numbers = self.files.iter().enumerate().filter(move |(at, _)| is_missing(*at));
        numbers.map(|(_, &(_, number))| self.entry(number))
    }

    /// Returns what the archive said of itself.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Returns the number of entries, redirects included.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Returns true if there are no entries.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn entry(&self, number: u32) -> Result<Entry> {
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let line = input.line_at(self.places[number as usize]);
        let entry = line.map_err(|e| e.to_string()).and_then(Entry::new);
        entry.map_err(|e| Error::source(self.path.to_string_lossy(), format!("changed while in use: {e}")))
    }

    /// Returns the error of two entries that share a path or a file, found by reading all again.
    fn twice(&self, what: &str, is_it: impl Fn(&Entry) -> bool) -> Error {
        let found = self.entries().enumerate().filter_map(|(number, entry)| Some((number, entry.ok()?)));
        let found: Vec<_> = found.filter(|(_, entry)| is_it(entry)).take(2).collect();
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let mut message = format!("two entries have the same {what}");
        for (number, entry) in found {
            let line = input.line_number(self.places[number]).unwrap_or(0);
            message.push_str(&format!("; line {line}: {}", shown(&entry.path)));
        }
        Error::source(self.path.to_string_lossy(), message)
    }
}

fn document_error(document: &Document, input: &Input, e: serde_json::Error, path: &Path) -> Error {
    let name = path.to_string_lossy();
    if let Some(version) = document.unsupported {
        return Error::Unsupported {
            found: format!("version {version} of {name}"),
            supported: format!("version {}", manifest::VERSION),
        };
    }
    if input.is_over() {
        return Error::source(name, format!("line {}: something here is too long for a manifest", e.line()));
    }
    if e.is_io() {
        return Error::io("read", path, e.into());
    }
    Error::source(name, document.broken.clone().unwrap_or_else(|| e.to_string()))
}

#[cfg(test)]
mod tests;
