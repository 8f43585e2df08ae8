//! `tome list`.

use serde::Serialize;
use tome::book::{Book, Entries, Entry};
use tome::item::{Kind, Observer};

use super::args::{Globals, KindArg, ListArgs};
use super::open::open;
use super::output::Output;
use super::progress::Progress;
use super::{Outcome, Status};

#[derive(Serialize)]
struct Line<'a> {
    path: &'a str,
    title: &'a str,
    kind: &'static str,
    mime: &'a str,
    size: u64,
    #[serde(flatten)]
    redirect: Option<Redirect<'a>>,
}

#[derive(Serialize)]
struct Redirect<'a> {
    target: Option<String>,
    fragment: Option<&'a str>,
}

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
            let redirect = redirect(book, &entry).unwrap_or_else(|error| {
                problems.error(entry.path(), &error.to_string());
                Some(Redirect { target: None, fragment: None })
            });
            let size = book.size_of(&entry).unwrap_or_else(|error| {
                problems.error(entry.path(), &error.to_string());
                0
            });
            out.json(&Line {
                path: entry.path(),
                title: entry.title(),
                kind: entry.kind().name(),
                mime: entry.mime(),
                size,
                redirect,
            })?;
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

fn redirect<'a>(book: &Book, entry: &'a Entry) -> tome::error::Result<Option<Redirect<'a>>> {
    if entry.kind() != Kind::Redirect {
        return Ok(None);
    }
    let target = book.target(entry)?.map(|target| target.path().to_owned());
    Ok(Some(Redirect { target, fragment: entry.fragment() }))
}
