//! Entries back into files: two sinks, one that writes a folder and one that writes a `.zip`.
//!
//! Both take [`Item`]s and give each a file under a safe name ([`names`]). What files cannot say
//! goes into the [manifest] beside them, so that packing the result gives the
//! archive again. What one entry's file suffers (a name that the file system refuses, bytes that
//! cannot be read) is listed in the [`Summary`], and the rest goes on; what stops everything (a full
//! disk, the [limit](Options::max_bytes)) is an error, and leaves no half-written file.
//!
//! 1. [`FolderSink::create`] or [`ZipSink::create`] looks at the target and begins.
//! 2. [`Sink::put`](crate::item::Sink::put), once an entry, redirects too. After an error, drop the sink.
//! 3. `finish` writes what comes last: pages for redirects, the manifest. Without it a folder keeps
//!    the whole files that it has so far, and a zip never comes to be.

mod folder;
pub mod names;
mod redirects;
#[cfg(unix)]
mod root;
#[cfg(not(unix))]
#[path = "root_any.rs"]
mod root;
mod zip;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, Write};
use std::path::Path;

pub use self::folder::FolderSink;
pub use self::zip::ZipSink;

use self::names::{IsFolder, Names, Rules};
use self::redirects::Spool;
use crate::error::{Error, Result};
use crate::item::{About, Body, Content, Item};
use crate::manifest::{self, Line};

/// How to extract.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Use only names that Windows, macOS and memory cards hold too.
    pub portable_names: bool,
    /// Write a small page for each redirect, for browsers; otherwise only the manifest has them.
    pub redirect_pages: bool,
    /// Write the manifest. Without it, redirects, titles, types and the like are lost.
    pub manifest: bool,
    /// Stop before more than this many bytes are written: contents, pages for redirects, and the
    /// manifest (for a zip: before compression).
    pub max_bytes: Option<u64>,
    /// Write into a folder that is not empty, over files of the same names; or over an existing zip.
    pub force: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { portable_names: false, redirect_pages: false, manifest: true, max_bytes: None, force: false }
    }
}

/// What was extracted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Entries written, redirects included where they went anywhere.
    pub entries: u64,
    /// Their bytes, without the manifest and pages made for redirects.
    pub bytes: u64,
    /// The entries that could not be written: path, and why.
    pub skipped: Vec<(String, String)>,
}

/// Returns the bytes that are free for this user where a path is or will be, if the system says.
///
/// # Errors
///
/// Fails if the system does not answer.
pub fn free_space(path: &Path) -> Result<Option<u64>> {
    let absolute = std::path::absolute(path).map_err(|e| Error::io("look at", path, e))?;
    let there = absolute.ancestors().find(|p| p.exists()).unwrap_or(&absolute);
    root::free_space(there).map_err(|e| Error::io("ask for the free space of", there, e))
}

/// Where files go.
trait Target {
    /// Writes a file whole, or not at all.
    fn write(&mut self, name: &[u8], mime: &str, content: &Content) -> Result<Outcome>;
}

enum Outcome {
    Written(blake3::Hash),
    /// The reason why this one file is not there.
    Skipped(String),
}

/// What both sinks have in common.
struct Extractor<'a, T> {
    target: T,
    options: Options,
    names: Names<'a>,
    manifest: Option<manifest::Writer<BufWriter<File>>>,
    /// Redirects that get a page, once all other names are known.
    redirects: Option<Spool>,
    /// Names unlike their paths: pages for redirects have to link to them.
    renamed: HashMap<String, Vec<u8>>,
    /// Bytes written, the manifest's not counted.
    used: u64,
    summary: Summary,
}

impl<'a, T: Target> Extractor<'a, T> {
    /// `scratch` is a folder for temporary files without a name.
    fn new(target: T, rules: Rules, options: Options, scratch: &Path) -> Result<Self> {
        let temporary = || {
            let file = tempfile::tempfile_in(scratch);
            file.map_err(|e| Error::io("create a temporary file in", scratch, e))
        };
        let manifest = match options.manifest {
            true => Some(manifest::Writer::new(BufWriter::new(temporary()?)).map_err(spooling)?),
            false => None,
        };
        let redirects = match options.redirect_pages {
            true => Some(Spool::new(temporary()?)),
            false => None,
        };
        let names = Names::new(rules, None);
        let (renamed, summary) = Default::default();
        Ok(Self { target, options, names, manifest, redirects, renamed, used: 0, summary })
    }

    fn know_folders(&mut self, is_folder: IsFolder<'a>) {
        self.names.know_folders(is_folder);
    }

    fn put(&mut self, item: Item) -> Result<()> {
        let mut line = Line {
            kind: item.body.kind().into(),
            path: item.path,
            title: item.title,
            language: item.language,
            escaped: item.escaped,
            generated: item.generated,
            file: None,
            file_escaped: None,
            mime: None,
            target: None,
            fragment: None,
            size: None,
            blake3: None,
        };
        match item.body {
            Body::Redirect { target, fragment } => {
                (line.target, line.fragment) = (Some(target), fragment);
                if let Some(spool) = &mut self.redirects {
                    spool.push(&line).map_err(spooling)?;
                } else if self.manifest.is_some() {
                    self.record(&line)?;
                    self.summary.entries += 1;
                }
                Ok(())
            }
            Body::Article { mime, content } | Body::Media { mime, content } => {
                let name = self.names.assign(&line.path, line.escaped)?;
                let written = self.write(&mut line, &name, &mime, &content)?;
                line.mime = Some(mime);
                if written {
                    self.record(&line)?;
                    self.remember(&line, name);
                    self.summary.entries += 1;
                    self.summary.bytes += content.len();
                }
                Ok(())
            }
        }
    }

    /// Writes one file, and says in the line what it is; returns false if it had to be skipped.
    fn write(&mut self, line: &mut Line, name: &[u8], mime: &str, content: &Content) -> Result<bool> {
        self.spend(content.len())?;
        match self.target.write(name, mime, content)? {
            Outcome::Written(hash) => {
                line.set_file_name(name);
                line.size = Some(content.len());
                line.blake3 = Some(hash.to_hex().to_string());
                Ok(true)
            }
            Outcome::Skipped(message) => {
                self.summary.skipped.push((line.path.clone(), message));
                Ok(false)
            }
        }
    }

    fn record(&mut self, line: &Line) -> Result<()> {
        if let Some(manifest) = &mut self.manifest {
            manifest.entry(line).map_err(spooling)?;
        }
        self.spend(0)
    }

    fn remember(&mut self, line: &Line, name: Vec<u8>) {
        if self.redirects.is_some() && name != line.path.as_bytes() {
            self.renamed.insert(line.path.clone(), name);
        }
    }

    /// Takes bytes from what may be written.
    fn spend(&mut self, bytes: u64) -> Result<()> {
        let spooled = self.manifest.as_ref().map_or(0, manifest::Writer::written);
        let wanted = self.used.saturating_add(spooled).saturating_add(bytes);
        match self.options.max_bytes {
            Some(limit) if wanted > limit => {
                Err(Error::LimitExceeded { what: "what was to be extracted".into(), limit, wanted })
            }
            _ => {
                self.used = self.used.saturating_add(bytes);
                Ok(())
            }
        }
    }

    /// Writes what comes last, and gives back the target.
    fn finish(mut self, about: &About) -> Result<(T, Summary)> {
        if let Some(spool) = self.redirects.take() {
            self.write_redirects(spool)?;
        }
        if let Some(manifest) = self.manifest.take() {
            let file = manifest.finish(about).map_err(spooling)?;
            let file = file.into_inner().map_err(|e| spooling(e.into_error()))?;
            let len = file.metadata().map_err(spooling)?.len();
            self.spend(len)?;
            let open = move || -> io::Result<Box<dyn Read + Send>> {
                let mut file = file.try_clone()?;
                file.rewind()?;
                Ok(Box::new(file))
            };
            let content = Content::Large { len, open: Box::new(open) };
            let outcome = self.target.write(manifest::NAME.as_bytes(), "application/json", &content)?;
            if let Outcome::Skipped(message) = outcome {
                return Err(Error::source(manifest::NAME, message));
            }
        }
        Ok((self.target, self.summary))
    }

    /// Two passes, since a redirect may lead to another one, whose name has to be known.
    fn write_redirects(&mut self, mut spool: Spool) -> Result<()> {
        let mut lines = spool.replay().map_err(spooling)?;
        while let Some(line) = lines.next().map_err(spooling)? {
            let name = self.names.assign_late(&line.path, line.escaped)?;
            if name != line.path.as_bytes() {
                self.renamed.insert(line.path, name);
            }
        }
        let mut lines = spool.replay().map_err(spooling)?;
        while let Some(mut line) = lines.next().map_err(spooling)? {
            let name = match self.renamed.get(&line.path) {
                Some(name) => name.clone(),
                None => line.path.clone().into_bytes(),
            };
            let target = line.target.as_deref().unwrap_or_default();
            let target_name = self.renamed.get(target).map_or(target.as_bytes(), |name| name);
            let page = redirects::page(&name, target_name, &line);
            let written = self.write(&mut line, &name, "text/html", &Content::Bytes(page.into_bytes()))?;
            self.record(&line)?;
            // What the manifest remembers is not lost.
            self.summary.entries += u64::from(written || self.manifest.is_some());
        }
        Ok(())
    }
}

fn spooling(e: io::Error) -> Error {
    Error::io("write a temporary file for", manifest::NAME, e)
}

/// Copies bytes and hashes them. An error is the output's.
fn copy(content: &Content, out: &mut dyn Write) -> io::Result<Outcome> {
    let (len, open) = match content {
        Content::Bytes(bytes) => {
            out.write_all(bytes)?;
            return Ok(Outcome::Written(blake3::hash(bytes)));
        }
        Content::Large { len, open } => (*len, open),
    };
    let unreadable = |e: io::Error| Ok(Outcome::Skipped(format!("cannot be read: {e}")));
    // One byte more shows that there are too many.
    let mut reader = match open() {
        Ok(reader) => reader.take(len.saturating_add(1)),
        Err(e) => return unreadable(e),
    };
    let mut buffer = vec![0; 128 * 1024];
    let mut hasher = blake3::Hasher::new();
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => {
                hasher.update(&buffer[..n]);
                if hasher.count() > len {
                    break;
                }
                out.write_all(&buffer[..n])?;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return unreadable(e),
        }
    }
    if hasher.count() == len {
        Ok(Outcome::Written(hasher.finalize()))
    } else {
        let than = if hasher.count() > len { "more" } else { "fewer" };
        Ok(Outcome::Skipped(format!("has {than} bytes than the {len} it was said to have")))
    }
}

/// Adds to the error of a full disk what was needed and what is there.
fn explain_full(e: io::Error, near: &Path, needed: u64) -> io::Error {
    if !matches!(e.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        return e;
    }
    let free = match root::free_space(near) {
        Ok(Some(free)) => format!("{free} bytes are free"),
        _ => "too few are free".into(),
    };
    let message = format!("{e}: {needed} bytes are needed and {free}; make room, or choose another disk");
    io::Error::new(e.kind(), message)
}

#[cfg(test)]
mod tests;
