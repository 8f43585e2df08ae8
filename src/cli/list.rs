//! `tome list`.

use tome::book::{Book, Entries};
use tome::item::{Kind, Observer};
use tome::json::{self, Redirect};

use super::args::{Globals, KindArg, ListArgs};
use super::open::open;
use super::output::Output;
use super::progress::Progress;
use super::{Outcome, Status};

/// Runs the command.
pub fn run(args: &ListArgs) -> Outcome {
    let opened = open(&args.archive)?;
    let book = &opened.book;
    let problems = Progress::new(&Globals { quiet: false, no_progress: true });
    let shown = opened.path.display().to_string();
    let mut out = Output::new();
    for entry in entries(book, &args.prefix) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                problems.error(&shown, &error.to_string());
                continue;
            }
        };
        if !wanted(args.kind, entry.kind()) {
            continue;
        }
        if args.json {
            let redirect = Redirect::of(book, &entry).unwrap_or_else(|error| {
                problems.error(entry.path(), &error.to_string());
                Some(Redirect { target: None, fragment: None })
            });
            let size = book.size_of(&entry).unwrap_or_else(|error| {
                problems.error(entry.path(), &error.to_string());
                0
            });
            out.json(&json::Entry::new(&entry, size, redirect))?;
        } else {
            out.pair(entry.path(), entry.title())?;
        }
    }
    out.finish()?;
    problems.finish();
    Ok(if problems.n_errors() == 0 { Status::Yes } else { Status::Partial })
}

/// Returns the entries of a prefix; where the way to the first of them is damaged, by looking at all.
fn entries<'a>(book: &'a Book, prefix: &'a str) -> Entries<'a> {
    match book.entries_with_prefix(prefix) {
        Ok(entries) if !prefix.is_empty() => entries,
        _ => Box::new(
            book.entries().filter(move |e| e.as_ref().map_or(true, |e| e.path().starts_with(prefix))),
        ),
    }
}

fn wanted(asked: KindArg, kind: Kind) -> bool {
    match asked {
        KindArg::All => true,
        KindArg::Article => kind == Kind::Article,
        KindArg::Media => kind == Kind::Media,
        KindArg::Redirect => kind == Kind::Redirect,
    }
}
