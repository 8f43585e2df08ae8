//! The sink that writes a `.zip`: the same entries give the same bytes.
//!
//! Entries stand in the order they come, with a fixed time and mode, and the manifest is the last.
//! Memory grows by some 300 bytes an entry, since a zip's directory is written at its end.

use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ::zip::write::SimpleFileOptions;
use ::zip::{CompressionMethod, DateTime, System, ZipWriter};

use super::names::{IsFolder, Rules};
use super::{Extractor, Options, Outcome, Summary, Target, copy, explain_full};
use crate::error::{Error, Result};
use crate::item::{About, Content, Item, Sink};
use crate::output::{Unfinished, folder_of};

/// Above this the size is written in 64 bits: below what 32 bits hold, since deflate may make
/// things a little larger.
const LARGE: u64 = 4_000_000_000;

/// Writes entries into a `.zip`. The [module](super) says how it is used.
pub struct ZipSink<'a>(Extractor<'a, Zip>);

impl<'a> ZipSink<'a> {
    /// Begins a zip in a temporary file beside its path.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the path is a folder, or exists and [`Options::force`] is not set.
    pub fn create(path: &Path, options: Options) -> Result<Self> {
        let file = Unfinished::create(path, options.force)?;
        let dropped = Arc::new(AtomicBool::new(false));
        let writer = ZipWriter::new(Out { file, dropped: Arc::clone(&dropped) });
        let target = Zip { swallow: Swallow(dropped), writer, path: path.to_path_buf() };
        let rules = if options.portable_names { Rules::PORTABLE } else { Rules::ZIP };
        Ok(Self(Extractor::new(target, rules, options, folder_of(path))?))
    }

    /// Says how to find out whether any entry's path begins with a text that ends in `/`; as
    /// [`FolderSink::with_folders`](super::FolderSink::with_folders).
    #[must_use]
    pub fn with_folders(mut self, is_folder: IsFolder<'a>) -> Self {
        self.0.know_folders(is_folder);
        self
    }

    /// Writes pages for redirects, the manifest and the zip's directory, and gives the file its name.
    ///
    /// # Errors
    ///
    /// Fails if they cannot be written.
    pub fn finish(self, about: &About) -> Result<Summary> {
        let (target, summary) = self.0.finish(about)?;
        target.finish()?;
        Ok(summary)
    }
}

impl Sink for ZipSink<'_> {
    fn put(&mut self, item: Item) -> Result<()> {
        self.0.put(item)
    }
}

struct Zip {
    /// Stands before the writer, so as to be dropped before it.
    swallow: Swallow,
    writer: ZipWriter<Out>,
    path: PathBuf,
}

impl Zip {
    fn finish(self) -> Result<()> {
        let Self { swallow: _swallow, writer, path } = self;
        let failed = |e: io::Error| Error::io("write", &path, e);
        let mut out = writer.finish().map_err(|e| failed(e.into()))?;
        // An entry that was given up may have left bytes beyond the end.
        let len = out.stream_position().map_err(failed)?;
        out.file.set_len(len).map_err(failed)?;
        out.file.finish()
    }

    fn failed(&self, e: io::Error, name: &str, needed: u64) -> Error {
        Error::io("write", self.path.join(name), explain_full(e, folder_of(&self.path), needed))
    }
}

impl Target for Zip {
    fn write(&mut self, name: &[u8], mime: &str, content: &Content) -> Result<Outcome> {
        // The rules for zips give nothing else.
        let name = String::from_utf8_lossy(name).into_owned();
        let method = if shrinks(mime) { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        let options = SimpleFileOptions::default()
            .compression_method(method)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644)
            .system(System::Unix)
            .large_file(content.len() >= LARGE);
        if let Err(e) = self.writer.start_file(name.as_str(), options) {
            return Err(self.failed(e.into(), &name, content.len()));
        }
        match copy(content, &mut self.writer) {
            Ok(Outcome::Skipped(message)) => match self.writer.abort_file() {
                Ok(()) => Ok(Outcome::Skipped(message)),
                Err(e) => Err(self.failed(e.into(), &name, content.len())),
            },
            Ok(written) => Ok(written),
            Err(e) => Err(self.failed(e, &name, content.len())),
        }
    }
}

/// Returns false for types whose bytes are compressed already.
fn shrinks(mime: &str) -> bool {
    let mime = crate::text::essence(mime).to_ascii_lowercase();
    let (class, kind) = mime.split_once('/').unwrap_or((&mime, ""));
    match class {
        "image" => matches!(kind, "svg+xml" | "bmp" | "x-ms-bmp" | "x-icon" | "vnd.microsoft.icon" | "tiff"),
        "video" => false,
        "audio" => matches!(kind, "wav" | "x-wav" | "wave" | "midi" | "x-midi" | "aiff" | "basic"),
        "font" => !kind.starts_with("woff"),
        "application" => !matches!(
            kind,
            "zip"
                | "gzip"
                | "x-gzip"
                | "zstd"
                | "x-bzip2"
                | "x-xz"
                | "x-7z-compressed"
                | "epub+zip"
                | "font-woff"
                | "font-woff2"
                | "ogg"
                | "java-archive"
        ),
        _ => true,
    }
}

/// The temporary file. Once the sink is dropped it swallows what is written: the zip's writer ends
/// its zip when dropped, and would complain on standard error about a disk that is full.
struct Out {
    file: Unfinished,
    dropped: Arc<AtomicBool>,
}

struct Swallow(Arc<AtomicBool>);

impl Drop for Swallow {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.dropped.load(Ordering::Relaxed) { Ok(bytes.len()) } else { self.file.write(bytes) }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.dropped.load(Ordering::Relaxed) { Ok(()) } else { self.file.flush() }
    }
}

impl Seek for Out {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
