//! The file that `pack` and `convert` make: a `.tome`, a `.zim` or a `.zip`, by its ending.

use std::path::Path;

use serde::Serialize;
use tome::extract::names::IsFolder;
use tome::extract::{self, ZipSink, free_space};
use tome::item::{About, Item, Observer, Sink, Summary};
use tome::{writer, zim};

use super::args::{Globals, HowArgs, MinorArg};
use super::output::Output;
use super::progress::{Message, Progress};
use super::{Failure, talk};

/// What kind of file is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Tome,
    Zim,
    Zip,
}

impl Format {
    /// Returns what a path's ending says, if it says one of these.
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_string_lossy().to_ascii_lowercase();
        match ending.as_str() {
            "tome" => Some(Self::Tome),
            "zim" => Some(Self::Zim),
            "zip" => Some(Self::Zip),
            _ => None,
        }
    }
}

/// Fails if there cannot be room for what so many bytes become, and warns if it may be scarce.
pub fn look_at_space(out: &Path, bytes: u64, globals: &Globals) -> Result<(), Failure> {
    // A system that does not say has no say.
    let Ok(Some(free)) = free_space(out) else { return Ok(()) };
    let message =
        format!("{} to pack, and {} are free for {}", talk::bytes(bytes), talk::bytes(free), out.display());
    // What compresses to less than a hundredth is rare; to less than a tenth, common.
    if free < bytes / 100 {
        return Err(Failure::new(message).hint("make room, or choose another disk"));
    }
    if free < bytes / 10 && !globals.quiet {
        talk::warning(&format!("{message}; this may not be enough"));
    }
    Ok(())
}

/// A file that is being made.
pub enum Target<'o> {
    Tome(Box<writer::Writer<'o>>),
    Zim(Box<zim::Writer<'o>>),
    Zip(Box<ZipTarget<'o>>),
}

/// A zip, and what passes on its way into it.
pub struct ZipTarget<'o> {
    sink: ZipSink<'o>,
    made: Summary,
    observer: &'o dyn Observer,
}

impl<'o> Target<'o> {
    /// Begins a file, so that what stands in its way is said before any work is done; a zip is told which
    /// names are folders, if somebody knows.
    pub fn create(
        path: &Path,
        format: Format,
        how: &HowArgs,
        force: bool,
        is_folder: Option<IsFolder<'o>>,
        observer: &'o dyn Observer,
    ) -> Result<Self, Failure> {
        if how.zim_minor.is_some() && format != Format::Zim {
            let name = path.display();
            return Err(Failure::new(format!("{name}: --zim-minor is for archives whose name ends in .zim")));
        }
        let threads = how.threads.and_then(|n| usize::try_from(n).ok());
        Ok(match format {
            Format::Tome => {
                let options = writer::Options {
                    level: how.level,
                    block_size: how.block_size.and_then(|n| usize::try_from(n).ok()),
                    threads,
                    memory: how.memory,
                    search: !how.no_search,
                    phrase_index: how.phrase_index,
                    force,
                    ..writer::Options::default()
                };
                Self::Tome(Box::new(writer::Writer::create(path, options, observer)?))
            }
            Format::Zim => {
                let options = zim::WriteOptions {
                    minor: match how.zim_minor {
                        None | Some(MinorArg::One) => zim::Minor::One,
                        Some(MinorArg::Three) => zim::Minor::Three,
                    },
                    level: how.level,
                    threads,
                    memory: how.memory,
                    force,
                    ..zim::WriteOptions::default()
                };
                Self::Zim(Box::new(zim::Writer::create(path, options, observer)?))
            }
            Format::Zip => {
                let options = extract::Options { force, ..extract::Options::default() };
                let mut sink = ZipSink::create(path, options)?;
                if let Some(is_folder) = is_folder {
                    sink = sink.with_folders(is_folder);
                }
                Self::Zip(Box::new(ZipTarget { sink, made: Summary::default(), observer }))
            }
        })
    }

    /// Ends the file and gives it its name.
    pub fn finish(self, path: &Path, about: &About) -> tome::error::Result<Summary> {
        match self {
            Self::Tome(writer) => writer.finish(about),
            Self::Zim(writer) => writer.finish(about),
            Self::Zip(target) => {
                let ZipTarget { sink, made, observer } = *target;
                for (path, message) in sink.finish(about)?.skipped {
                    observer.error(&path, &message);
                }
                let bytes_out = std::fs::metadata(path).map_or(0, |m| m.len());
                Ok(Summary { bytes_out, ..made })
            }
        }
    }
}

impl Sink for Target<'_> {
    fn put(&mut self, item: Item) -> tome::error::Result<()> {
        match self {
            Self::Tome(writer) => writer.put(item),
            Self::Zim(writer) => writer.put(item),
            Self::Zip(target) => target.put(item),
        }
    }
}

impl ZipTarget<'_> {
    fn put(&mut self, item: Item) -> tome::error::Result<()> {
        use tome::item::Body;
        let len = match &item.body {
            Body::Article { content, .. } => {
                self.made.articles += 1;
                content.len()
            }
            Body::Media { content, .. } => {
                self.made.media += 1;
                content.len()
            }
            Body::Redirect { .. } => {
                self.made.redirects += 1;
                0
            }
        };
        self.made.bytes_in += len;
        self.sink.put(item)?;
        self.observer.advance(1, len);
        Ok(())
    }
}

#[derive(Serialize)]
struct Json {
    archive: String,
    articles: u32,
    media: u32,
    redirects: u32,
    bytes_in: u64,
    bytes_out: u64,
    seconds: f64,
    warnings: Vec<Message>,
    errors: Vec<Message>,
}

/// Prints what was made as JSON.
pub fn print_json(made: &Summary, out: &Path, seconds: f64, progress: &Progress) -> Result<(), Failure> {
    let mut output = Output::new();
    output.json(&Json {
        archive: out.display().to_string(),
        articles: made.articles,
        media: made.media,
        redirects: made.redirects,
        bytes_in: made.bytes_in,
        bytes_out: made.bytes_out,
        seconds,
        warnings: progress.take_warnings(),
        errors: progress.take_errors(),
    })?;
    output.finish()
}

/// Says what was made; `stubs` pages of it became redirects.
pub fn summarise(made: &Summary, out: &Path, stubs: u64, seconds: f64, progress: &Progress) {
    let Summary { articles, media, redirects, bytes_in, bytes_out, duplicates, .. } = *made;
    talk::note(&format!(
        "{}: {}, {} media, {}",
        out.display(),
        talk::count(articles.into(), "article"),
        talk::grouped(media.into()),
        talk::count(redirects.into(), "redirect")
    ));
    if articles == 0 && media == 0 && redirects == 0 {
        talk::warning("there was nothing to pack");
    }
    if stubs > 0 {
        let pages = if stubs == 1 {
            "page that only redirects became a redirect"
        } else {
            "pages that only redirect became redirects"
        };
        talk::note(&format!("{} {pages}", talk::grouped(stubs)));
    }
    let share = bytes_out as f64 * 100.0 / (bytes_in as f64).max(1.0);
    let twice = match duplicates {
        0 => String::new(),
        n => format!("; {} stored once", talk::count(n, "duplicate")),
    };
    talk::note(&format!(
        "{} became {} ({share:.1} %) in {seconds:.1} s, {}{twice}",
        talk::bytes(bytes_in),
        talk::bytes(bytes_out),
        talk::rate(bytes_in, seconds),
    ));
    let (warnings, errors) = (progress.n_warnings(), progress.n_errors());
    if warnings + errors > 0 {
        talk::note(&format!("{}, {}", talk::count(warnings, "warning"), talk::count(errors, "error")));
    }
}
