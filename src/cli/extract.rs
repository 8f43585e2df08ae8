//! `tome extract`.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use tome::book::{Book, Order};
use tome::extract::{FolderSink, Options, Summary, ZipSink, free_space};
use tome::item::{Observer, Source};
use tome::sources::{self, Globs};

use super::args::{ExtractArgs, Globals};
use super::open::open;
use super::output::Output;
use super::progress::{Message, Progress};
use super::{Failure, Outcome, Status, interrupt, talk};

#[derive(Serialize)]
struct Json {
    entries: u64,
    bytes: u64,
    skipped: Vec<Message>,
}

/// Runs the command.
pub fn run(args: &ExtractArgs, globals: &Globals) -> Outcome {
    let started = std::time::Instant::now();
    let opened = open(&args.archive)?;
    let book = &opened.book;
    let include = Globs::new(&args.globs)?;
    let wanted = sources::Options { include: include.clone(), ..sources::Options::default() };
    let mut source = book.source(wanted, Order::Paths, &opened.path.display().to_string());
    let options = Options {
        portable_names: args.portable_names,
        redirect_pages: args.redirect_pages,
        manifest: !args.no_manifest,
        max_bytes: args.max_bytes,
        force: args.force,
    };
    let hint = source.size_hint();
    if !args.globs.is_empty() && book.entries().all(|entry| entry.is_ok_and(|e| !include.matches(e.path()))) {
        // Before anything is created. Where entries cannot be read, what is lost has to be said.
        return none_match(args);
    }
    let progress = Progress::new(globals);
    interrupt::watch();
    let result = match (&args.output, &args.zip) {
        (Some(folder), _) => to_folder(folder, book, &mut *source, options, hint, &progress),
        (_, Some(zip)) => to_zip(zip, book, &mut *source, options, hint, &progress),
        // The parser asks for one of them.
        _ => Err(Failure::new("no target; give a folder with -o, or a zip with --zip")),
    };
    progress.finish();
    let summary = result?;
    let lost = progress.n_errors();
    let nothing = summary.entries == 0 && summary.skipped.is_empty() && lost == 0;
    let none_matched = !args.globs.is_empty() && nothing;
    if none_matched {
        talk::error("no path of the archive matches");
    }
    if !globals.quiet && !none_matched {
        summarise(args, &summary, lost, started.elapsed().as_secs_f64());
    }
    let whole = lost == 0 && summary.skipped.is_empty();
    if args.json {
        let mut skipped = progress.take_errors();
        skipped.extend(summary.skipped.into_iter().map(|(path, message)| Message { path, message }));
        let mut out = Output::new();
        out.json(&Json { entries: summary.entries, bytes: summary.bytes, skipped })?;
        out.finish()?;
    }
    Ok(match (none_matched, whole) {
        (true, _) => Status::No,
        (false, true) => Status::Yes,
        (false, false) => Status::Partial,
    })
}

fn none_match(args: &ExtractArgs) -> Outcome {
    talk::error("no path of the archive matches");
    if args.json {
        let mut out = Output::new();
        out.json(&Json { entries: 0, bytes: 0, skipped: vec![] })?;
        out.finish()?;
    }
    Ok(Status::No)
}

fn to_folder(
    folder: &Path,
    book: &Arc<Book>,
    source: &mut dyn Source,
    options: Options,
    hint: Option<(u64, u64)>,
    progress: &Progress,
) -> Result<Summary, Failure> {
    let bytes = hint.map(|(_, bytes)| bytes);
    look_at_space(folder, bytes, 1)?;
    let mut sink = FolderSink::create(folder, options)?.with_folders(is_folder(book));
    progress.start("extracting", bytes);
    let about = source.run(&mut sink, progress)?;
    Ok(said(progress, sink.finish(&about)?))
}

fn to_zip(
    zip: &Path,
    book: &Arc<Book>,
    source: &mut dyn Source,
    options: Options,
    hint: Option<(u64, u64)>,
    progress: &Progress,
) -> Result<Summary, Failure> {
    let bytes = hint.map(|(_, bytes)| bytes);
    // Text becomes a tenth of itself at best.
    look_at_space(zip, bytes, 10)?;
    let mut sink = ZipSink::create(zip, options)?.with_folders(is_folder(book));
    progress.start("extracting", bytes);
    let about = source.run(&mut sink, progress)?;
    Ok(said(progress, sink.finish(&about)?))
}

/// Says what the file system refused.
fn said(progress: &Progress, summary: Summary) -> Summary {
    let skipped = Progress::new(&Globals { quiet: false, no_progress: true });
    progress.finish();
    for (path, message) in &summary.skipped {
        skipped.error(path, message);
    }
    skipped.finish();
    summary
}

/// Returns what tells whether paths begin so, and a name is a folder's.
pub fn is_folder(book: &Arc<Book>) -> tome::extract::names::IsFolder<'static> {
    let book = Arc::clone(book);
    // What cannot be read cannot be extracted either.
    Box::new(move |prefix| {
        let first = book.entries_with_prefix(prefix).ok().and_then(|mut entries| entries.next());
        Ok(matches!(first, Some(Ok(_))))
    })
}

fn look_at_space(target: &Path, bytes: Option<u64>, at_best: u64) -> Result<(), Failure> {
    let (Some(bytes), Ok(Some(free))) = (bytes, free_space(target)) else { return Ok(()) };
    if free >= bytes / at_best {
        return Ok(());
    }
    let message = format!(
        "{} to extract, and {} are free for {}",
        talk::bytes(bytes),
        talk::bytes(free),
        target.display()
    );
    Err(Failure::new(message).hint("make room, choose another disk, or extract a part with a pattern"))
}

fn summarise(args: &ExtractArgs, summary: &Summary, lost: u64, seconds: f64) {
    let target = args.output.as_ref().or(args.zip.as_ref());
    let target = target.map(|path| path.display().to_string()).unwrap_or_default();
    talk::note(&format!(
        "{target}: {} {}, {}, in {seconds:.1} s, {}",
        talk::grouped(summary.entries),
        if summary.entries == 1 { "entry" } else { "entries" },
        talk::bytes(summary.bytes),
        talk::rate(summary.bytes, seconds)
    ));
    let missing = lost + summary.skipped.len() as u64;
    if missing > 0 {
        talk::note(&format!("{} could not be extracted", talk::grouped(missing)));
    }
}
