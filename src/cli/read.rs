//! `tome read`.

use tome::book::{Entry, Found, Resolved};
use tome::fold::title_key;
use tome::item::Kind;

use super::args::{Globals, ReadArgs};
use super::open::{Opened, open};
use super::page::{self, Form};
use super::{Outcome, Status, talk};

/// Runs the command.
pub fn run(args: &ReadArgs, globals: &Globals) -> Outcome {
    let opened = open(&args.archive)?;
    let book = &opened.book;
    let found = match (args.path, args.title) {
        (true, _) => book.find_path(&args.name),
        (_, true) => book.find_title(&args.name),
        _ => book.find(&args.name),
    };
    let resolved = match found.map_err(|e| opened.failure(e))? {
        Found::One(resolved) => resolved,
        Found::Several(several) => {
            say_several(&args.name, &several);
            return Ok(Status::No);
        }
        Found::Nothing(near) => {
            say_nothing(args, &near);
            return Ok(Status::No);
        }
    };
    let form = Form::of(args.form, args.range);
    if form == Form::Rendered && !args.json && !globals.quiet {
        say_redirected(&opened, &args.name, &resolved);
    }
    if args.json {
        page::write_json(&opened, &resolved.entry, form)?;
    } else {
        page::write(&opened, &resolved.entry, form, args.force)?;
    }
    Ok(Status::Yes)
}

fn say_several(name: &str, several: &[Resolved]) {
    talk::error(&format!("{} entries are called {name:?}", several.len()));
    for Resolved { entry, .. } in several {
        talk::note(&format!("  {}  ({})", entry.path(), entry.title()));
    }
    talk::hint("take one of them by its path, with --path");
}

fn say_nothing(args: &ReadArgs, near: &[Entry]) {
    if let [entry] = near
        && entry.kind() == Kind::Redirect
        && (entry.path() == args.name || title_key(entry.title()) == title_key(&args.name))
    {
        talk::error(&format!("{}: this redirect leads nowhere", entry.path()));
        return;
    }
    let what = if args.path { "path" } else { "article" };
    talk::error(&format!("there is no {what} {:?}", args.name));
    for entry in near {
        let path = if entry.has_title() { format!("  ({})", entry.path()) } else { String::new() };
        talk::hint(&format!("there is {:?}{path}", entry.title()));
    }
}

/// Says where one is, if that is not where one asked to go.
fn say_redirected(opened: &Opened, name: &str, resolved: &Resolved) {
    let Resolved { entry, fragment } = resolved;
    let is_its_name = name == entry.path() || title_key(name) == title_key(entry.title());
    if is_its_name && fragment.is_none() {
        return;
    }
    let section = fragment.as_ref().map(|fragment| {
        let heading = heading(opened, entry, fragment);
        format!(", to its section {:?}", heading.unwrap_or_else(|| fragment.clone()))
    });
    talk::note(&format!(
        "({} at {}, redirected from {name}{})",
        entry.title(),
        entry.path(),
        section.unwrap_or_default()
    ));
}

fn heading(opened: &Opened, entry: &Entry, fragment: &str) -> Option<String> {
    if !entry.mime().starts_with("text/html") {
        return None;
    }
    let content = opened.book.content(entry).ok()?;
    let html = tome::text::charset::decode(&content, None);
    let headings = tome::text::headings(&html);
    headings.into_iter().find(|h| h.id.as_deref() == Some(fragment)).map(|h| h.text)
}
