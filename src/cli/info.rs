//! `tome info`.

use tome::book::{Book, Counts};
use tome::item::{Metadata, keys};
use tome::json::Info;
use tome::zim::Xapian;
use tome::zim::metadata::is_double;

use super::args::InfoArgs;
use super::open::open;
use super::output::Output;
use super::{Outcome, Status, talk};

/// Runs the command.
pub fn run(args: &InfoArgs) -> Outcome {
    let opened = open(&args.archive)?;
    let book = &opened.book;
    let mut whole = true;
    let none = Metadata::default();
    let mut report = |error| {
        talk::error(&opened.failure(error).message);
        whole = false;
    };
    let metadata = book.metadata().unwrap_or_else(|error| {
        report(error);
        &none
    });
    let main = book.main_entry().unwrap_or_else(|error| {
        report(error);
        None
    });
    let counts = book.counts().unwrap_or_else(|error| {
        report(error);
        Counts::default()
    });
    if counts.damaged > 0 {
        talk::error(&format!("{}: {} entries cannot be read", opened.path.display(), counts.damaged));
        whole = false;
    }
    let info = Info::new(book, metadata, main.as_ref().map(|entry| entry.path()), counts);
    let mut out = Output::new();
    if args.json {
        out.json(&info)?;
    } else {
        print(&mut out, &info, metadata, book)?;
    }
    out.finish()?;
    Ok(if whole { Status::Yes } else { Status::Partial })
}

/// Names of fields are aligned up to this length: one that is longer moves its own value only.
const MAX_ALIGNED: usize = 24;

fn print(out: &mut Output, info: &Info<'_>, metadata: &Metadata, book: &Book) -> Result<(), super::Failure> {
    let mut fields: Vec<(&str, String)> = vec![];
    let said = [
        ("title", Some(info.title).filter(|title| !title.is_empty())),
        ("description", info.description),
        ("language", info.language),
        ("creator", info.creator),
        ("publisher", info.publisher),
        ("date", info.date),
        ("license", info.license),
        ("source url", info.source_url),
        ("main page", info.main),
    ];
    fields.extend(said.into_iter().filter_map(|(name, value)| Some((name, value?.to_owned()))));
    if !info.tags.is_empty() {
        fields.push(("tags", info.tags.join(", ")));
    }
    let shown = [
        keys::TITLE,
        keys::DESCRIPTION,
        keys::LANGUAGE,
        keys::CREATOR,
        keys::PUBLISHER,
        keys::DATE,
        keys::LICENSE,
        keys::SOURCE_URL,
        keys::TAGS,
    ];
    for (key, value) in metadata.iter().filter(|(key, _)| !shown.contains(key) && !is_double(key)) {
        let shown = match std::str::from_utf8(&value.bytes) {
            Ok(text) if value.mime.starts_with("text/plain") => text.to_owned(),
            _ => format!("{}, {}", value.mime, talk::bytes(value.bytes.len() as u64)),
        };
        fields.push((key, shown));
    }
    fields.push(("articles", talk::grouped(info.articles)));
    fields.push(("media", talk::grouped(info.media)));
    fields.push(("redirects", talk::grouped(info.redirects)));
    fields.push(("blocks", talk::grouped(info.blocks.into())));
    fields.push(("size", talk::bytes(info.size)));
    fields.push(("format", format!("{} {}", info.format, info.version)));
    if let Some(zim) = book.as_zim() {
        fields.push(("namespaces", namespaces(book)));
        fields.push(("indexes", xapian(zim.xapian().unwrap_or_default()).to_owned()));
        if zim.n_parts() > 1 {
            fields.push(("parts", talk::grouped(zim.n_parts() as u64)));
        }
    }
    let ids = [("content id", &info.content_id), ("file id", &info.file_id)];
    fields.extend(ids.into_iter().filter_map(|(name, id)| Some((name, id.clone()?))));
    let lengths = fields.iter().map(|(name, _)| name.chars().count());
    let longest = lengths.filter(|n| *n <= MAX_ALIGNED).max().unwrap_or_default();
    for (name, value) in &fields {
        out.line(&format!("{name:<longest$}  {value}"))?;
    }
    out.line("")?;
    out.line(&format!("{:<16} {:>14} {:>14}", "section", "offset", "length"))?;
    for section in &info.sections {
        let optional = if section.optional { "  optional" } else { "" };
        out.line(&format!("{:<16} {:>14} {:>14}{optional}", section.kind, section.offset, section.length))?;
    }
    Ok(())
}

/// Says which namespaces of a ZIM hold content.
fn namespaces(book: &Book) -> String {
    if book.as_zim().is_some_and(|zim| zim.header().has_one_namespace()) {
        return "C for all content (new scheme)".into();
    }
    let is_there = |letter: &char| {
        let first = book.entries_with_prefix(&format!("{letter}/")).ok().and_then(|mut e| e.next());
        matches!(first, Some(Ok(_)))
    };
    let letters: Vec<String> = (' '..='~').filter(is_there).map(String::from).collect();
    format!("{}, the first letter of each path (old scheme)", letters.join(" "))
}

/// Says which indexes a ZIM brings along.
fn xapian(xapian: Xapian) -> &'static str {
    match (xapian.titles, xapian.full_text) {
        (true, true) => "Xapian's of titles and of words (not used)",
        (true, false) => "Xapian's of titles (not used)",
        (false, true) => "Xapian's of words (not used)",
        (false, false) => "none",
    }
}
