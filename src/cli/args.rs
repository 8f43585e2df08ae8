//! The one definition of the command line: parsing, help, manual pages and completions come from it.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// The program.
#[derive(Debug, Parser)]
#[command(
    name = "tome",
    bin_name = "tome",
    version,
    about = "Pack an encyclopedia, a wiki or documentation into one file, and read it",
    long_about = "Pack an encyclopedia, a wiki or documentation into one file, and read it.\n\n\
        An archive (.tome) holds articles, the media they use and redirects, compressed, indexed by \
        path and title, and with a hash over every byte: what is read is what was packed.",
    after_help = "`tome help COMMAND` or `tome COMMAND --help` says more.",
    after_long_help = "\
Exit status:
  0  done, or yes
  1  the answer is no: no such article or title, `verify` found damage
  2  could not do it, or not all of it: usage, a file that cannot be read, not an archive

Examples:
  tome pack wiki/ -o wiki.tome
  tome read wiki.tome \"Mexico-Russia relations\"
  tome search wiki.tome 'honey bees'
  tome list wiki.tome --kind article | head
  tome extract wiki.tome -o wiki-again/

Results go to stdout, all else to stderr. With --json a command writes one JSON object a line to \
stdout and nothing else.",
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Cli {
    #[command(flatten)]
    pub globals: Globals,
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Copy, Args)]
pub struct Globals {
    /// Say nothing on stderr but errors
    #[arg(short, long, global = true, help_heading = "Common options")]
    pub quiet: bool,
    /// Draw no progress bar
    ///
    /// One is drawn only on a terminal anyway. NO_COLOR=1 in the environment turns colours off.
    #[arg(long, global = true, help_heading = "Common options")]
    pub no_progress: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    Pack(Box<PackArgs>),
    Info(InfoArgs),
    List(ListArgs),
    Read(ReadArgs),
    Suggest(SuggestArgs),
    Search(SearchArgs),
    Random(RandomArgs),
    Extract(ExtractArgs),
    Verify(VerifyArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

/// Which archive, and how to open it.
#[derive(Debug, Args)]
pub struct ArchiveArgs {
    /// The archive, a .tome file
    #[arg(value_name = "ARCHIVE")]
    pub archive: PathBuf,
    /// Take the archive that begins at this byte of the file
    ///
    /// For an archive inside another file, such as a program or a disk image.
    #[arg(long, value_name = "BYTE", default_value_t = 0, hide_default_value = true)]
    pub at: u64,
    /// Read the file piece by piece instead of mapping it into memory
    ///
    /// Slower, but safe where the file may be changed or cut short while it is read.
    #[arg(long)]
    pub no_mmap: bool,
}

/// Pack articles and media into an archive
///
/// A SOURCE is a folder, a .zip, an .epub, or a single file (.html, .txt, .md). HTML, Markdown,
/// text and PDF become articles, all else media. Titles, the language and the main page come from
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
    /// The archive to make; the name ends in .tome
    #[arg(short, long, value_name = "OUT.tome")]
    pub output: PathBuf,
    /// Replace an existing archive
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
}

/// Say what an archive is: counts, sizes, metadata, sections
///
/// Reads a few pages only, whatever the size of the archive. What it says of itself is the packer's
/// claim; `tome verify` recomputes the content id.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit status:
  0  done
  2  not an archive, or a part of this is damaged

Examples:
  tome info wiki.tome
  tome info wiki.tome --json | jq .articles")]
pub struct InfoArgs {
    #[command(flatten)]
    pub archive: ArchiveArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// List the entries of an archive
///
/// One line an entry in byte order of the paths: path, tab, title. Control characters in either are
/// shown as \u{...}; --json gives them as they are.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit status:
  0  done
  2  not an archive, or a part of the list is damaged (the rest is listed)

Examples:
  tome list wiki.tome --kind article
  tome list wiki.tome --prefix images/ --json

JSON (--json): a line {\"path\", \"title\", \"kind\", \"mime\", \"size\"} an entry; for redirects also \
\"target\" (a path) and \"fragment\".")]
pub struct ListArgs {
    #[command(flatten)]
    pub archive: ArchiveArgs,
    /// Only paths that begin with this
    #[arg(long, value_name = "P", default_value = "", hide_default_value = true)]
    pub prefix: String,
    /// Only entries of this kind
    #[arg(long, value_enum, default_value_t = KindArg::All)]
    pub kind: KindArg,
    /// Print JSON lines
    #[arg(long)]
    pub json: bool,
}

/// The kinds of entries that a list can be limited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KindArg {
    Article,
    Media,
    Redirect,
    All,
}

/// Search the articles of one archive or several
///
/// All words must be there, in any of their forms; if no article has all, those with most of them
/// are shown. "Quoted words" must stand one behind the other as they are written, -word must not be
/// there, word* is the beginning of a word, title:word must be in the title.
///
/// The article whose title is the query comes first. A search ends after a time and gives the best
/// that was found until then.
#[derive(Debug, Args)]
#[command(
    override_usage = "tome search [OPTIONS] <ARCHIVE>... <QUERY>",
    after_long_help = "\
A query of several words is one argument. One that begins with a hyphen comes after `--`.

Exit status:
  0  something was found
  1  nothing was found
  2  not an archive, or the index of one is damaged (what was found all the same is shown)

Examples:
  tome search wiki.tome 'honey bees'
  tome search wiki.tome fr.tome '\"honey bee\" -wasp' -n 20
  tome search wiki.tome title:honey --json

JSON (--json): a line {\"type\":\"hit\", \"archive\", \"title\", \"path\", \"score\", \"snippet\", \"relaxed\"} \
a hit; \"snippet\" is text with <b>..</b> round the hits and all else escaped, \"relaxed\" says that not \
all words are there. Then {\"type\":\"end\", \"hits_at_least\", \"partial\", \"did_you_mean\", \"seconds\"}; \
\"partial\" says that the time was over first."
)]
pub struct SearchArgs {
    /// The archives, and last the query
    #[arg(value_name = "ARCHIVE... QUERY", required = true, num_args = 1..)]
    pub archives_and_query: Vec<OsString>,
    /// Show so many hits
    #[arg(short = 'n', long = "limit", value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
    /// Leave out the first K
    #[arg(long, value_name = "K", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=10_000))]
    pub offset: u32,
    /// Search no longer than this
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    pub budget: u64,
    /// Print JSON lines
    #[arg(long)]
    pub json: bool,
    /// Take the archives that begin at this byte of the files
    #[arg(long, value_name = "BYTE", default_value_t = 0, hide_default_value = true)]
    pub at: u64,
    /// Read the files piece by piece instead of mapping them into memory
    #[arg(long)]
    pub no_mmap: bool,
}

/// Read an article
///
/// TITLE is found as people type it: exactly, else as a path, else without regard to case, accents
/// and the kind of dash. The article is rendered as text, with its links numbered, and shown page
/// by page on a terminal (by $PAGER, or less).
///
/// If several articles are meant, they are listed; if none is, the nearest titles are.
#[derive(Debug, Args)]
#[command(after_long_help = "\
A name that begins with a hyphen comes after `--`.

Exit status:
  0  done
  1  no such article, or several that are equally meant
  2  not an archive, the article is damaged, or it cannot be shown that way

Examples:
  tome read wiki.tome \"Mexico-Russia relations\"
  tome read wiki.tome --path images/map.png --raw > map.png
  tome read wiki.tome --path video.webm --raw --range 0-65535 | file -
  tome read wiki.tome Honey --markdown

JSON (--json): one object with \"path\", \"title\", \"mime\", \"size\" and \"content\", the content as \
--text unless another form is asked for; \"content_base64\" instead where it is not UTF-8.")]
pub struct ReadArgs {
    #[command(flatten)]
    pub archive: ArchiveArgs,
    /// A title, or a path
    #[arg(value_name = "TITLE|PATH")]
    pub name: String,
    /// Take the name as a path only
    #[arg(long, conflicts_with = "title")]
    pub path: bool,
    /// Take the name as a title only
    #[arg(long)]
    pub title: bool,
    #[command(flatten)]
    pub form: FormArgs,
    /// With --raw, only these bytes: A-B (both included), A- or -N (the last N)
    #[arg(long, value_name = "A-B", value_parser = range, requires = "raw", allow_hyphen_values = true)]
    pub range: Option<RangeArg>,
    /// With --raw, write binary to a terminal
    #[arg(long)]
    pub force: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The forms that an article can take.
#[derive(Debug, Clone, Copy, Args)]
pub struct FormArgs {
    /// Write the exact bytes
    #[arg(long, group = "form")]
    pub raw: bool,
    /// Write an HTML page
    #[arg(long, group = "form")]
    pub html: bool,
    /// Write plain text
    #[arg(long, group = "form")]
    pub text: bool,
    /// Write Markdown
    #[arg(long, group = "form")]
    pub markdown: bool,
}

/// Suggest titles for what was typed so far
///
/// First the title itself, then titles that begin so, then titles with all the words, the last of
/// them perhaps not typed to its end; and only if there are none, titles a typo or two away. Case,
/// accents and the kind of dash do not count. A redirect leads to its target, once.
///
/// One line a suggestion: title, tab, path, and behind another tab, where it needs a reason, that it
/// is a guess or which redirect was found.
#[derive(Debug, Args)]
#[command(after_long_help = "\
A QUERY that begins with a hyphen comes after `--`.

Exit status:
  0  done
  1  there is no title like it
  2  not an archive, or it is damaged

Examples:
  tome suggest wiki.tome \"mexico rus\"
  tome suggest wiki.tome Eintsein -n 3 --json

JSON (--json): a line {\"type\":\"suggestion\", \"title\", \"path\", \"match\", \"via\"} a suggestion, \
\"match\" being exact, prefix, word or typo and \"via\" the redirect's title that matched, if one did; \
then {\"type\":\"end\", \"partial\", \"seconds\"}, where partial says that not all was looked at.")]
pub struct SuggestArgs {
    #[command(flatten)]
    pub archive: ArchiveArgs,
    /// What was typed
    #[arg(value_name = "QUERY")]
    pub query: String,
    /// How many titles at most
    #[arg(short = 'n', long = "limit", value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
    /// How long to search at most, in milliseconds [default: 50, and some 2 ms of work]
    #[arg(long, value_name = "MS")]
    pub budget: Option<u64>,
    /// Print JSON lines
    #[arg(long)]
    pub json: bool,
}

/// Read an article chosen at random
///
/// Each article of the archive is as likely as any other.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit status:
  0  done
  1  there are no articles
  2  not an archive, or the article is damaged

JSON (--json): one object with \"path\", \"title\", \"mime\" and \"size\".")]
pub struct RandomArgs {
    #[command(flatten)]
    pub archive: ArchiveArgs,
    /// Print which it is, as JSON
    #[arg(long)]
    pub json: bool,
}

/// Turn entries back into files
///
/// Without a GLOB everything is extracted. Nothing is ever written outside the target, or through a
/// link. Names that the file system cannot hold are encoded. What files cannot say (titles, types,
/// redirects, metadata) goes into tome-manifest.json, so that packing the folder gives the same
/// archive again.
#[derive(Debug, Args)]
#[command(
    after_long_help = "\
Patterns match whole paths: `*` stays within a folder, `**` crosses them.

Exit status:
  0  done
  1  no path matches the patterns
  2  nothing was extracted, or not everything: damaged entries and names that the file system
     refuses are listed, and all else is there

Examples:
  tome extract wiki.tome -o wiki/
  tome extract wiki.tome 'images/**' --zip images.zip --no-manifest

JSON (--json): one object with \"entries\", \"bytes\" and \"skipped\", a list of {\"path\", \"message\"}.",
    group = clap::ArgGroup::new("target").required(true).args(["output", "zip"])
)]
pub struct ExtractArgs {
    #[command(flatten)]
    pub archive: ArchiveArgs,
    /// Only paths that match
    #[arg(value_name = "GLOB")]
    pub globs: Vec<String>,
    /// The folder to write; it is made if it is not there, and must be empty
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// The zip to write
    #[arg(long, value_name = "OUT.zip")]
    pub zip: Option<PathBuf>,
    /// Write no tome-manifest.json
    #[arg(long)]
    pub no_manifest: bool,
    /// Write a small page for each redirect, for browsers
    #[arg(long)]
    pub redirect_pages: bool,
    /// Use only names that Windows, macOS and memory cards can hold too
    #[arg(long)]
    pub portable_names: bool,
    /// Stop before more than this is written, as in 2GB [default: no limit]
    #[arg(long, value_name = "N", value_parser = size)]
    pub max_bytes: Option<u64>,
    /// Write into a folder that is not empty, over files of the same names; replace an existing zip
    #[arg(long)]
    pub force: bool,
    /// Print what was done as JSON
    #[arg(long)]
    pub json: bool,
}

/// Check an archive
///
/// Compares every byte with its hash, checks every rule of the format, decodes every block, and
/// recomputes the identity of the content. Each finding names what it damages.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit status:
  0  whole; there may be warnings
  1  damaged
  2  not an archive, or it cannot be read

Examples:
  tome verify wiki.tome
  tome verify wiki.tome --quick && cp wiki.tome /media/card/

JSON (--json): a line {\"type\":\"finding\", \"check\", \"severity\", \"message\", \"section\", \"block\", \
\"entries\", \"n_entries\"} a finding (the first 100 paths), then {\"type\":\"end\", \"ok\", \"blocks\", \
\"n_entries\", \"bytes\", \"seconds\"}.")]
pub struct VerifyArgs {
    #[command(flatten)]
    pub archive: ArchiveArgs,
    /// Check structure and the hashes of what is stored, without decoding the blocks
    #[arg(long)]
    pub quick: bool,
    /// Also look for links between articles that lead nowhere
    #[arg(long)]
    pub links: bool,
    /// Print JSON lines
    #[arg(long)]
    pub json: bool,
}

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tome completions bash > ~/.local/share/bash-completion/completions/tome
  tome completions fish > ~/.config/fish/completions/tome.fish")]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Print a manual page, or write all of them
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tome man | man -l -
  tome man --all ~/.local/share/man/man1")]
pub struct ManArgs {
    /// The command whose page to print [default: the program's own page]
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
    /// Write one page a command into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub all: Option<PathBuf>,
}

/// A range of bytes as it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeArg {
    /// From a byte on, to another one, which is included.
    From(u64, Option<u64>),
    /// So many bytes at the end.
    Last(u64),
}

impl RangeArg {
    /// Returns the range within so many bytes, or `None` if it lies behind them.
    pub fn within(self, len: u64) -> Option<std::ops::Range<u64>> {
        match self {
            Self::From(first, _) if first >= len => None,
            Self::From(first, last) => Some(first..last.map_or(len, |last| last.saturating_add(1).min(len))),
            Self::Last(0) => None,
            Self::Last(n) => Some(len.saturating_sub(n)..len),
        }
    }
}

fn range(text: &str) -> Result<RangeArg, String> {
    let number =
        |digits: &str| digits.parse::<u64>().map_err(|_| format!("{digits:?} is no number of bytes"));
    match text.split_once('-') {
        Some(("", last)) => Ok(RangeArg::Last(number(last)?)),
        Some((first, "")) => Ok(RangeArg::From(number(first)?, None)),
        Some((first, last)) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return Err("it ends before it begins".into());
            }
            Ok(RangeArg::From(first, Some(last)))
        }
        None => Err("a range is A-B, A- or -N".into()),
    }
}

/// Reads a size: a number and perhaps K, M, G, T (powers of 1024) or KB, MB, GB, TB (of 1000).
fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 =
        number.parse().map_err(|_| format!("{text:?} is no size; sizes are like 64K or 400MB"))?;
    let unit = unit.trim().to_ascii_uppercase();
    let power = |letter: &str| "KMGT".find(letter).map(|at| at as i32 + 1);
    let factor = match unit.as_str() {
        "" | "B" => 1.0,
        unit if unit.len() == 1 => power(unit).map(|p| 1024f64.powi(p)).unwrap_or(0.0),
        unit if unit.len() == 2 && unit.ends_with('B') => {
            power(&unit[..1]).map(|p| 1000f64.powi(p)).unwrap_or(0.0)
        }
        unit if unit.len() == 3 && unit.ends_with("IB") => {
            power(&unit[..1]).map(|p| 1024f64.powi(p)).unwrap_or(0.0)
        }
        _ => 0.0,
    };
    let bytes = number * factor;
    if factor == 0.0 || bytes >= u64::MAX as f64 {
        return Err(format!("{text:?} is no size; sizes are like 64K or 400MB"));
    }
    Ok(bytes as u64)
}

fn block_size(text: &str) -> Result<u64, String> {
    match size(text)? {
        size @ 4096..=1_048_576 => Ok(size),
        _ => Err("a block holds 4K to 1M".into()),
    }
}

fn memory(text: &str) -> Result<u64, String> {
    match size(text)? {
        size @ 16_000_000.. => Ok(size),
        _ => Err("less than 16MB is not enough for anything".into()),
    }
}

fn date(text: &str) -> Result<String, String> {
    let wrong = || format!("{text:?} is no date; dates are like 2024-05-31");
    let bytes = text.as_bytes();
    let shape = bytes.len() == 10
        && bytes
            .iter()
            .enumerate()
            .all(|(i, b)| if i == 4 || i == 7 { *b == b'-' } else { b.is_ascii_digit() });
    if !shape {
        return Err(wrong());
    }
    let number = |range: std::ops::Range<usize>| text[range].parse::<u32>().map_err(|_| wrong());
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    if (1..=days).contains(&day) { Ok(text.to_owned()) } else { Err(wrong()) }
}

fn languages(text: &str) -> Result<String, String> {
    let tags: Option<Vec<String>> = text.split(',').map(tome::text::head::language_tag).collect();
    match tags {
        Some(tags) => Ok(tags.join(",")),
        None => Err(format!("{text:?} is no language tag; tags are like en, pt-BR or zh-Hant")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes_have_units() {
        for (text, expected) in [
            ("0", 0),
            ("1000", 1000),
            ("64K", 65_536),
            ("64k", 65_536),
            ("64KiB", 65_536),
            ("1M", 1 << 20),
            ("400MB", 400_000_000),
            ("1.5G", 3 << 29),
        ] {
            assert_eq!(size(text), Ok(expected), "{text}");
        }
        for text in ["", "K", "1X", "1XB", "-1", "1e400", "99999999999999T", "1.2.3"] {
            assert!(size(text).is_err(), "{text}");
        }
        assert!(block_size("2M").is_err() && block_size("1K").is_err());
    }

    #[test]
    fn dates_exist() {
        for good in ["2024-02-29", "1999-12-31", "2000-02-29"] {
            assert_eq!(date(good).as_deref(), Ok(good));
        }
        for bad in [
            "2023-02-29",
            "1900-02-29",
            "2024-13-01",
            "2024-00-10",
            "2024-1-1",
            "24-01-01",
            "2024-04-31",
            "é24-01-01",
        ] {
            assert!(date(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ranges_are_those_of_http() {
        for (text, len, expected) in [
            ("0-0", 10, Some(0..1)),
            ("2-4", 10, Some(2..5)),
            ("5-", 10, Some(5..10)),
            ("-3", 10, Some(7..10)),
            ("-30", 10, Some(0..10)),
            ("0-99", 10, Some(0..10)),
            ("0-18446744073709551615", 10, Some(0..10)),
            ("10-", 10, None),
            ("-0", 10, None),
            ("0-", 0, None),
        ] {
            assert_eq!(range(text).unwrap().within(len), expected, "{text}");
        }
        for bad in ["", "-", "5", "4-2", "a-b", "1-2-3", "18446744073709551616-"] {
            assert!(range(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn languages_are_tags() {
        assert_eq!(languages("en, pt_BR").as_deref(), Ok("en,pt-BR"));
        assert!(languages("English (US)").is_err());
        assert!(languages("").is_err());
    }
}
