//! `tome pack` and `tome convert`: what makes archives.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values::{block_size, date, languages, memory};

/// Pack articles and media into an archive
///
/// A SOURCE is a folder, a .zip, an .epub, a single file (.html, .txt, .md), or another archive (.tome,
/// .zim), whose entries are taken as they are. HTML, Markdown, text and PDF become articles, all else
/// media. Titles, the language and the main page come from
/// the content itself; what it does not say stays absent. Pages that only send the reader on at
/// once become redirects, as do symbolic links inside the source.
///
/// The same input gives the same bytes, with any number of threads and any memory budget. The
/// archive appears under its name only once it is whole.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit status:
  0  done; there may be warnings (what a rule leaves out, such as a link that leads nowhere)
  2  no archive was made, or some files could not be read and the rest was packed

Examples:
  tome pack wiki/ -o wiki.tome --title \"My wiki\" --language en
  tome pack docs/ images.zip=img -o docs.tome --exclude '**/*.map'
  tome pack book.epub -o book.tome

JSON (--json): one object with \"archive\", \"articles\", \"media\", \"redirects\", \"bytes_in\", \
\"bytes_out\", \"seconds\", \"warnings\" and \"errors\", the last two lists of {\"path\", \"message\"}.")]
pub struct PackArgs {
    /// What to pack; with =PREFIX, the prefix goes before its paths
    ///
    /// Several sources make one archive; a path may occur once only. A source whose name holds a
    /// `=` and exists under that name is taken as it is.
    #[arg(value_name = "SOURCE[=PREFIX]", required = true)]
    pub sources: Vec<OsString>,
    /// The archive to make; the name ends in .tome, or in .zim for Kiwix and other readers of ZIM
    #[arg(short, long, value_name = "OUT.tome|OUT.zim")]
    pub output: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    pub force: bool,
    /// Print what was done as JSON
    #[arg(long)]
    pub json: bool,

    /// The archive's title [default: the main page's, or the book's]
    #[arg(long, value_name = "TEXT", help_heading = "What the archive says of itself")]
    pub title: Option<String>,
    /// Its language or languages, as in `en` or `pt-BR,en` [default: what most pages say]
    #[arg(long, value_name = "TAG", value_parser = languages, help_heading = "What the archive says of itself")]
    pub language: Option<String>,
    /// Who made the content
    #[arg(long, value_name = "TEXT", help_heading = "What the archive says of itself")]
    pub creator: Option<String>,
    /// Who made the archive
    #[arg(long, value_name = "TEXT", help_heading = "What the archive says of itself")]
    pub publisher: Option<String>,
    /// What it is, in a sentence or two
    #[arg(long, value_name = "TEXT", help_heading = "What the archive says of itself")]
    pub description: Option<String>,
    /// The content's date, YYYY-MM-DD
    #[arg(long, value_name = "DATE", value_parser = date, help_heading = "What the archive says of itself")]
    pub date: Option<String>,
    /// The content's licence
    #[arg(long, value_name = "TEXT", help_heading = "What the archive says of itself")]
    pub license: Option<String>,
    /// Where the content comes from
    #[arg(long, value_name = "URL", help_heading = "What the archive says of itself")]
    pub source_url: Option<String>,
    /// A word to sort archives by; may be given several times
    #[arg(long = "tag", value_name = "WORD", help_heading = "What the archive says of itself")]
    pub tags: Vec<String>,
    /// The main page [default: the source's own word, else the index.html nearest the root]
    #[arg(long, value_name = "PATH", help_heading = "What the archive says of itself")]
    pub main: Option<String>,
    /// A picture for the archive
    #[arg(long, value_name = "FILE", help_heading = "What the archive says of itself")]
    pub icon: Option<PathBuf>,

    /// Further redirects: lines of path, title and target[#fragment], separated by tabs
    #[arg(long, value_name = "FILE.tsv", help_heading = "What to pack")]
    pub redirects: Option<PathBuf>,
    /// Take only paths that match; may be given several times
    ///
    /// Patterns match whole paths: `*` stays within a folder, `**` crosses them.
    #[arg(long, value_name = "GLOB", help_heading = "What to pack")]
    pub include: Vec<String>,
    /// Leave out paths that match; may be given several times
    #[arg(long, value_name = "GLOB", help_heading = "What to pack")]
    pub exclude: Vec<String>,
    /// Make paths that match media, never articles; may be given several times
    #[arg(long, value_name = "GLOB", help_heading = "What to pack")]
    pub media_only: Vec<String>,
    #[command(flatten)]
    pub how: HowArgs,
}

/// How an archive is made, whatever it is made of.
#[derive(Debug, Args)]
pub struct HowArgs {
    /// Make no full-text index: a smaller archive, in which only titles are found
    #[arg(long, help_heading = "What to pack")]
    pub no_search: bool,
    /// Index pairs of frequent words as well, so that every phrase is found in a large archive
    ///
    /// Makes the index about twice as large. Without it, phrases are looked for in the text of the
    /// articles that have all of the words, the best first, for as long as a search may take.
    #[arg(long, conflicts_with = "no_search", help_heading = "What to pack")]
    pub phrase_index: bool,

    /// The compression level, 1 to 22 [default: 15 for pages from templates, 19 for prose]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=22), help_heading = "How to pack")]
    pub level: Option<i32>,
    /// How much is compressed together, 4K to 1M [default: 96K for templates, 32K for prose]
    ///
    /// Larger blocks make a smaller archive and slower reading. K and M are 1024 and 1024^2 bytes,
    /// KB and MB are 1000 and 10^6.
    #[arg(long, value_name = "SIZE", value_parser = block_size, help_heading = "How to pack")]
    pub block_size: Option<u64>,
    /// How many threads compress [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096), help_heading = "How to pack")]
    pub threads: Option<u32>,
    /// How much memory to use; the full-text index takes half as much again, at most 256 MB
    #[arg(long, value_name = "SIZE", value_parser = memory, default_value = "400MB", help_heading = "How to pack")]
    pub memory: u64,
    /// The minor version of a .zim: 1 is read by all readers of today, 3 stores equal contents once
    /// [default: 1]
    #[arg(long, value_name = "N", value_enum, help_heading = "How to pack")]
    pub zim_minor: Option<MinorArg>,
}

/// The minor versions of the ZIM format that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MinorArg {
    #[value(name = "1")]
    One,
    #[value(name = "3")]
    Three,
}

/// Convert an archive: .zim to .tome, .tome to .zim, either to .zip
///
/// The endings say what becomes of what. All entries, redirects and titles, the main page, the
/// metadata and the pictures are kept, and every link inside works as before.
///
/// A .zim is checked while it is read: where its checksum is wrong, or a part cannot be read, the rest
/// is converted and the status is 2. A .zim that is made has no full-text index (its readers find
/// titles), and its redirects to a section of a page become small pages. A .zip holds the files that
/// `tome extract` writes, and can be packed again.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit status:
  0  done; there may be warnings (a redirect that leads nowhere is left out)
  2  no archive was made, or a part of the other could not be read and the rest was converted

Examples:
  tome convert wikipedia.zim wikipedia.tome
  tome convert wiki.tome wiki.zim --zim-minor 3
  tome convert wiki.zim wiki.zip

JSON (--json): one object as `tome pack` prints.")]
pub struct ConvertArgs {
    /// The archive to read: a .zim (also the first part of a split one) or a .tome
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// The archive to make: its name ends in .tome, .zim or .zip
    #[arg(value_name = "OUT")]
    pub output: PathBuf,
    /// Take the archive that begins at this byte of IN
    #[arg(long, value_name = "BYTE", default_value_t = 0, hide_default_value = true)]
    pub at: u64,
    /// Read IN piece by piece instead of mapping it into memory
    #[arg(long)]
    pub no_mmap: bool,
    /// Replace an existing file
    #[arg(long)]
    pub force: bool,
    /// Print what was done as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub how: HowArgs,
}
