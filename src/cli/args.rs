//! The one definition of the command line: parsing, help, manual pages and completions come from it.

mod pack;
#[cfg(feature = "server")]
mod serve;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use pack::{ConvertArgs, HowArgs, MinorArg, PackArgs};
#[cfg(feature = "server")]
pub use serve::ServeArgs;
pub use values::RangeArg;
use values::{range, size};

/// The program.
#[derive(Debug, Parser)]
#[command(
    name = "tome",
    bin_name = "tome",
    version,
    about = "Pack an encyclopedia, a wiki or documentation into one file, and read it",
    long_about = "Pack an encyclopedia, a wiki or documentation into one file, and read it.\n\n\
        An archive (.tome) holds articles, the media they use and redirects, compressed, indexed by \
        path and title, and with a hash over every byte: what is read is what was packed. What reads \
        a .tome reads a .zim as well.",
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
    Convert(Box<ConvertArgs>),
    Info(InfoArgs),
    List(ListArgs),
    Read(ReadArgs),
    Suggest(SuggestArgs),
    Search(SearchArgs),
    Random(RandomArgs),
    Extract(ExtractArgs),
    Verify(VerifyArgs),
    #[cfg(feature = "server")]
    Serve(ServeArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

/// Which archive, and how to open it.
#[derive(Debug, Args)]
pub struct ArchiveArgs {
    /// The archive: a .tome or .zim file, or the first part of a split one (.zimaa)
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

/// Say what an archive is: counts, sizes, metadata, sections
///
/// Reads a few pages of a .tome only, whatever its size; of a .zim, whose entries have to be counted,
/// all names. What it says of itself is the packer's claim; `tome verify` recomputes the content id.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit status:
  0  done
  2  not an archive, or a part of this is damaged

Examples:
  tome info wiki.tome
  tome info wiki.tome --json | jq .articles

JSON (--json): one object with what is said. \"content_id\" and \"file_id\" are null for a .zim; its \
\"blocks\" are its clusters, its \"sections\" the lists that its header names, and \"has_search\" is true \
once `tome search` has indexed it.")]
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
///
/// The articles of a .zim are indexed when they are searched for the first time. The index is kept in
/// the user's cache folder ($XDG_CACHE_HOME/tome, else ~/.cache/tome) and may be deleted at any time.
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
    /// Neither use nor keep the index of a .zim in the user's cache folder
    #[arg(long)]
    pub no_cache: bool,
}

/// Read an article
///
/// TITLE is found as people type it: exactly, else as a path (in a .zim also without or with another
/// letter of a namespace before it), else without regard to case, accents and the kind of dash. The article is rendered as text, with its links numbered, and shown page
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
///
/// The titles of a .zim are indexed when they are asked for the first time, and the index is kept in
/// the user's cache folder ($XDG_CACHE_HOME/tome, else ~/.cache/tome).
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
    /// Neither use nor keep the index of a .zim in the user's cache folder
    #[arg(long)]
    pub no_cache: bool,
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
///
/// A .zim has one checksum, over the whole file. It says that something is damaged, and only the
/// other checks may say what.
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
    ///
    /// Of a .zim: structure only, without the checksum, for which all of it would be read.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
