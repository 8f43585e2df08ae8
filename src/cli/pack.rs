//! `tome pack`.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Instant;

use tome::item::{About, Body, Item, Metadata, Sink, Source, Summary, Value, keys};
use tome::limits::MAX_METADATA;
use tome::manifest;
use tome::sources::redirects::RedirectList;
use tome::sources::{self, Globs};

use super::args::{Globals, PackArgs};
use super::progress::Progress;
use super::target::{Format, Target, look_at_space, print_json, summarise};
use super::{Failure, Outcome, Status, interrupt};

/// A source as it was named.
struct Named {
    path: PathBuf,
    prefix: String,
}

/// A source that was opened.
struct Opened {
    source: Box<dyn Source>,
    /// What messages call it.
    name: String,
    /// True if its redirects are pages or links.
    has_pages: bool,
}

/// Runs the command.
pub fn run(args: &PackArgs, globals: &Globals) -> Outcome {
    let started = Instant::now();
    let progress = Progress::new(globals);
    let target = Target::create(&args.output, format(args)?, &args.how, args.force, None, &progress)?;
    let named: Vec<Named> = args.sources.iter().map(|spec| split(spec)).collect::<Result<_, _>>()?;
    let own = metadata(args)?;
    let mut opened: Vec<Opened> = vec![];
    for source in &named {
        let options = source_options(args, source)?;
        opened.push(Opened {
            source: sources::open(&source.path, &source.prefix, options)?,
            name: source.path.display().to_string(),
            has_pages: !is_archive(&source.path),
        });
    }
    if let Some(list) = &args.redirects {
        let (source, name) = (Box::new(RedirectList::open(list)?), list.display().to_string());
        opened.push(Opened { source, name, has_pages: false });
    }
    let bytes = total(&opened);
    if let Some(bytes) = bytes {
        look_at_space(&args.output, bytes, globals)?;
    }

    interrupt::watch();
    progress.start("packing", bytes);
    let packed = pack(args, target, opened, own, &progress);
    progress.finish();
    let (made, stubs) = packed?;

    let n_errors = progress.n_errors();
    let seconds = started.elapsed().as_secs_f64();
    if !globals.quiet {
        summarise(&made, &args.output, stubs, seconds, &progress);
    }
    if args.json {
        print_json(&made, &args.output, seconds, &progress)?;
    }
    Ok(if n_errors == 0 { Status::Yes } else { Status::Partial })
}

/// Runs all sources into one archive; returns also how many pages became redirects.
fn pack(
    args: &PackArgs,
    target: Target<'_>,
    sources: Vec<Opened>,
    own: Metadata,
    progress: &Progress,
) -> Result<(Summary, u64), Failure> {
    let mut watched = Watched { target, main: args.main.as_deref(), has_main: false, count: false, stubs: 0 };
    let mut about = About { metadata: own, main: args.main.clone(), ..About::default() };
    for Opened { mut source, name, has_pages } in sources {
        watched.count = has_pages;
        let said = source.run(&mut watched, &progress.of_source())?;
        about.metadata.fill_from(said.metadata, &name, progress);
        about.main = about.main.or(said.main);
        about.reading_order.extend(said.reading_order);
    }
    if let (Some(main), false) = (watched.main, watched.has_main) {
        let message = format!("the main page {main:?} is not among what was packed");
        return Err(Failure::new(message).hint("--main takes a path as `tome list` shows it"));
    }
    let stubs = watched.stubs;
    Ok((watched.target.finish(&args.output, &about)?, stubs))
}

/// Counts what passes on its way into the archive.
struct Watched<'a> {
    target: Target<'a>,
    main: Option<&'a str>,
    has_main: bool,
    /// True for sources whose redirects are pages or links.
    count: bool,
    stubs: u64,
}

impl Sink for Watched<'_> {
    fn put(&mut self, item: Item) -> tome::error::Result<()> {
        self.has_main |= self.main == Some(item.path.as_str());
        if self.count
            && let Body::Redirect { .. } = item.body
        {
            // The rest are symbolic links, and what a manifest lists.
            let is_page = std::fs::symlink_metadata(&item.origin).map_or(true, |m| m.is_file());
            self.stubs += u64::from(is_page && !item.origin.contains(manifest::NAME));
        }
        self.target.put(item)
    }
}

fn format(args: &PackArgs) -> Result<Format, Failure> {
    let out = &args.output;
    match Format::of(out) {
        Some(format @ (Format::Tome | Format::Zim)) => Ok(format),
        _ => Err(Failure::new(format!("{}: an archive's name ends in .tome or .zim", out.display()))
            .hint(format!("-o {}", out.with_extension("tome").display()))),
    }
}

/// Splits `SOURCE=PREFIX` at its last `=`, unless there is something under the whole name.
fn split(spec: &OsStr) -> Result<Named, Failure> {
    let whole = Named { path: PathBuf::from(spec), prefix: String::new() };
    if whole.path.symlink_metadata().is_ok() {
        return Ok(whole);
    }
    let Some((path, prefix)) = split_last(spec) else { return Ok(whole) };
    let Ok(prefix) = prefix.into_string() else {
        let spec = spec.to_string_lossy();
        return Err(Failure::new(format!("{spec}: the prefix is not UTF-8, so it cannot go before paths")));
    };
    Ok(Named { path: PathBuf::from(path), prefix })
}

#[cfg(unix)]
fn split_last(spec: &OsStr) -> Option<(OsString, OsString)> {
    use std::os::unix::ffi::OsStrExt;
    let bytes = spec.as_bytes();
    let at = bytes.iter().rposition(|&b| b == b'=')?;
    Some((OsStr::from_bytes(&bytes[..at]).into(), OsStr::from_bytes(&bytes[at + 1..]).into()))
}

#[cfg(not(unix))]
fn split_last(spec: &OsStr) -> Option<(OsString, OsString)> {
    let (path, prefix) = spec.to_str()?.rsplit_once('=')?;
    Some((path.into(), prefix.into()))
}

fn is_archive(path: &Path) -> bool {
    let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    matches!(ending.as_deref(), Some("tome" | "zim"))
}

fn source_options(args: &PackArgs, source: &Named) -> Result<sources::Options, Failure> {
    let mut exclude = args.exclude.clone();
    exclude.extend(output_in(&args.output, source));
    Ok(sources::Options {
        include: Globs::new(&args.include)?,
        exclude: Globs::new(&exclude)?,
        media_only: Globs::new(&args.media_only)?,
        main: args.main.clone(),
        ..sources::Options::default()
    })
}

/// Returns patterns for the archive itself, and the file that it is while it grows, if they lie in
/// the folder that is packed.
fn output_in(output: &Path, source: &Named) -> Vec<String> {
    let parent = match output.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let (Ok(parent), Ok(folder)) = (parent.canonicalize(), source.path.canonicalize()) else { return vec![] };
    let Ok(within) = parent.strip_prefix(&folder) else { return vec![] };
    let name = output.file_name().unwrap_or_default();
    let prefix = source.prefix.trim_matches('/');
    // As the source names them, also what is not UTF-8.
    let pattern = |within: &Path, rest: &str| {
        let path = sources::path_name(within).0;
        let parts = [prefix, path.as_str()].into_iter().filter(|part| !part.is_empty());
        parts.map(globset::escape).collect::<Vec<_>>().join("/") + rest
    };
    let growing = if prefix.is_empty() && within.as_os_str().is_empty() { "" } else { "/" };
    vec![pattern(&within.join(name), ""), pattern(within, &format!("{growing}.tome-*.part"))]
}

/// Returns the bytes of all sources, if all of them know.
fn total(sources: &[Opened]) -> Option<u64> {
    let hints = sources.iter().map(|opened| opened.source.size_hint());
    let known: Vec<u64> = hints.flatten().map(|(_, bytes)| bytes).collect();
    (!known.is_empty()).then(|| known.iter().sum())
}

fn metadata(args: &PackArgs) -> Result<Metadata, Failure> {
    let mut metadata = Metadata::default();
    let given = [
        (keys::TITLE, &args.title),
        (keys::LANGUAGE, &args.language),
        (keys::CREATOR, &args.creator),
        (keys::PUBLISHER, &args.publisher),
        (keys::DESCRIPTION, &args.description),
        (keys::DATE, &args.date),
        (keys::LICENSE, &args.license),
        (keys::SOURCE_URL, &args.source_url),
    ];
    for (key, value) in given {
        if let Some(value) = value {
            metadata.set_text(key, value.as_str());
        }
    }
    if !args.tags.is_empty() {
        metadata.set_text(keys::TAGS, args.tags.join(";"));
    }
    if let Some(path) = &args.icon {
        metadata.set(keys::ICON, icon(path)?);
    }
    Ok(metadata)
}

fn icon(path: &Path) -> Result<Value, Failure> {
    // Half of what all metadata together may take.
    let bytes = sources::read_file(path, MAX_METADATA as u64 / 2)?;
    let mime = sources::mime_of(&path.to_string_lossy(), &bytes);
    if !mime.starts_with("image/") {
        return Err(Failure::new(format!("{}: not a picture but {mime}", path.display())));
    }
    Ok(Value { mime: mime.into(), bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_split_at_its_last_equals_sign() {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join("a=b");
        std::fs::create_dir(&odd).unwrap();
        let named = split(odd.as_os_str()).unwrap();
        assert_eq!((named.path.clone(), named.prefix.as_str()), (odd.clone(), ""));
        let mut spec = odd.clone().into_os_string();
        spec.push("=x/y");
        let named = split(&spec).unwrap();
        assert_eq!((named.path, named.prefix.as_str()), (odd, "x/y"));
        assert_eq!(split(OsStr::new("none")).unwrap().prefix, "");
    }

    #[test]
    fn the_archive_does_not_pack_itself() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("d[1]")).unwrap();
        let source = Named { path: folder.path().to_path_buf(), prefix: "/p/".into() };
        let patterns = output_in(&folder.path().join("d[1]/x.tome"), &source);
        let globs = Globs::new(&patterns).unwrap();
        assert!(globs.matches("p/d[1]/x.tome") && globs.matches("p/d[1]/.tome-abc.part"));
        assert!(!globs.matches("x.tome") && !globs.matches("p/d[1]/y.tome"));
        assert!(output_in(Path::new("/x.tome"), &source).is_empty());
        let source = Named { prefix: String::new(), ..source };
        let globs = Globs::new(&output_in(&folder.path().join("x.tome"), &source)).unwrap();
        assert!(globs.matches("x.tome") && globs.matches(".tome-abc.part"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn nor_does_it_below_a_folder_that_is_not_utf_8() {
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join(OsStr::from_bytes(b"d\xff"));
        std::fs::create_dir(&odd).unwrap();
        let source = Named { path: folder.path().to_path_buf(), prefix: String::new() };
        let globs = Globs::new(&output_in(&odd.join("x.tome"), &source)).unwrap();
        assert!(globs.matches("d\u{f8ff}ff/x.tome") && globs.matches("d\u{f8ff}ff/.tome-abc.part"));
    }
}
