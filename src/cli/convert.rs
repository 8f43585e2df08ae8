//! `tome convert`.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use tome::book::{Book, OpenOptions, Order};
use tome::item::{Source, Summary};
use tome::sources;

use super::args::{ConvertArgs, Globals};
use super::extract::is_folder;
use super::progress::Progress;
use super::target::{Format, Target, look_at_space, print_json, summarise};
use super::{Failure, Outcome, Status, interrupt};

/// Runs the command.
pub fn run(args: &ConvertArgs, globals: &Globals) -> Outcome {
    let started = Instant::now();
    let out = &args.output;
    let Some(format) = Format::of(out) else {
        return Err(Failure::new(format!("{}: its ending does not say what to make", out.display()))
            .hint("the name of what is made ends in .tome, .zim or .zip"));
    };
    let progress = Progress::new(globals);
    let book = Arc::new(open(args)?);
    let target = Target::create(out, format, &args.how, args.force, Some(is_folder(&book)), &progress)?;
    let order = if format == Format::Zip { Order::Paths } else { Order::Stored };
    let name = args.input.display().to_string();
    let mut source = book.source(sources::Options::default(), order, &name);
    let bytes = source.size_hint().map(|(_, bytes)| bytes);
    if let Some(bytes) = bytes {
        look_at_space(out, bytes, globals)?;
    }
    interrupt::watch();
    progress.start("converting", bytes);
    let made = convert(target, out, &mut *source, &progress);
    progress.finish();
    let made = made?;
    let seconds = started.elapsed().as_secs_f64();
    if !globals.quiet {
        summarise(&made, out, 0, seconds, &progress);
    }
    let n_errors = progress.n_errors();
    if args.json {
        print_json(&made, out, seconds, &progress)?;
    }
    Ok(if n_errors == 0 { Status::Yes } else { Status::Partial })
}

fn open(args: &ConvertArgs) -> Result<Book, Failure> {
    let input = &args.input;
    let options = OpenOptions { by_position: args.no_mmap, at: args.at, ..OpenOptions::default() };
    Book::open(input, &options).map_err(|error| {
        let is_foreign = matches!(error, tome::error::Error::NotAnArchive { .. }) || input.is_dir();
        let failure = Failure::of_archive(input, error);
        if is_foreign { failure.hint(made_of(input, &args.output)) } else { failure }
    })
}

/// A folder or a zip is packed, not converted.
fn made_of(input: &Path, output: &Path) -> String {
    format!("to make an archive of what is no archive: tome pack {} -o {}", input.display(), output.display())
}

fn convert(
    mut target: Target<'_>,
    out: &Path,
    source: &mut dyn Source,
    progress: &Progress,
) -> Result<Summary, Failure> {
    let about = source.run(&mut target, &progress.of_source())?;
    Ok(target.finish(out, &about)?)
}
