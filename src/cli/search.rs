//! `tome search`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tome::book::{Book, IndexKind, SearchOptions, search};
use tome::item::Silent;
use tome::json;
use tome::terminal::{Keep, sanitize, wants_style};

use super::args::{ArchiveArgs, Globals, SearchArgs};
use super::open::open_with;
use super::output::{self, Output};
use super::{Failure, Outcome, Status, index, talk};

/// Runs the command.
pub fn run(args: &SearchArgs, globals: &Globals) -> Outcome {
    let (query, names) = match args.archives_and_query.split_last() {
        Some((query, names)) if !names.is_empty() => (query, names),
        _ => {
            return Err(Failure::new("an archive and a query are needed")
                .hint("tome search ARCHIVE 'the words to look for'"));
        }
    };
    let Some(query) = query.to_str() else {
        return Err(Failure::new(format!("{}: the query is not UTF-8", query.to_string_lossy())));
    };
    let mut opened = vec![];
    for name in names {
        let archive = PathBuf::from(name);
        let archive = ArchiveArgs { archive, at: args.at, no_mmap: args.no_mmap };
        opened.push(open_with(&archive, index::options(args.no_cache))?);
    }
    for one in &opened {
        index::prepare(one, IndexKind::FullText, args.no_cache, globals)?;
    }
    let books: Vec<&Book> = opened.iter().map(|o| &*o.book).collect();
    let shown: Vec<String> = opened.iter().map(|o| o.path.display().to_string()).collect();
    for (book, name) in books.iter().zip(&shown) {
        if !book.has_search() && !globals.quiet {
            talk::warning(&format!(
                "{name}: packed without a full-text index, so only titles are searched; \
                 `tome pack {name} -o OUT.tome` makes one"
            ));
        }
    }
    let started = Instant::now();
    let options = SearchOptions {
        limit: args.limit as usize,
        offset: args.offset as usize,
        budget: Duration::from_millis(args.budget),
        ..SearchOptions::default()
    };
    let hits = search(&books, query, &options, &Silent)?;
    let seconds = started.elapsed().as_secs_f64();
    for (book, error) in &hits.damage {
        talk::warning(&format!("{}: {error}; what else was found is shown", shown[*book]));
    }

    let mut out = Output::new();
    let several = shown.len() > 1;
    let bold = output::is_terminal() && wants_style();
    for hit in &hits.list {
        if args.json {
            out.json(&json::Hit::new(&shown[hit.book], hit))?;
            continue;
        }
        let place = if several { format!("{} ({})", hit.path, shown[hit.book]) } else { hit.path.clone() };
        out.pair(&hit.title, &place)?;
        if !hit.snippet.is_empty() {
            out.bytes(format!("    {}\n", plain(&hit.snippet, bold)).as_bytes())?;
        }
    }
    if args.json {
        out.json(&json::SearchEnd {
            hits_at_least: hits.at_least,
            partial: hits.partial,
            did_you_mean: hits.did_you_mean.as_deref(),
            seconds,
        })?;
    }
    out.finish()?;
    if !args.json && !globals.quiet {
        if hits.list.is_empty() {
            talk::error(&format!("no article has what {query:?} asks for"));
        } else if hits.list.iter().all(|h| h.relaxed) {
            talk::hint("no article has all that was asked for; these have most of it");
        }
        if hits.partial {
            talk::hint(
                "not all was looked at; --budget MS gives a search more time, and fewer words less to do",
            );
        }
        if let Some(other) = &hits.did_you_mean {
            talk::hint(&format!("did you mean: {other}"));
        }
    }
    Ok(match (hits.damage.is_empty(), hits.list.is_empty()) {
        (false, _) => Status::Partial,
        (true, true) => Status::No,
        (true, false) => Status::Yes,
    })
}

/// Returns a snippet as a terminal shows it: its hits bold, or as they are.
fn plain(snippet: &str, bold: bool) -> String {
    let mut out = String::with_capacity(snippet.len() + 32);
    let mut rest = snippet;
    while !rest.is_empty() {
        let end = rest.find("<b>").into_iter().chain(rest.find("</b>")).min().unwrap_or(rest.len());
        let mut text = rest[..end].to_string();
        // The last, so that what the page escaped itself stays escaped.
        for (escape, letter) in
            [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        {
            text = text.replace(escape, letter);
        }
        out.push_str(&sanitize(&text, Keep::Nothing));
        rest = &rest[end..];
        for (tag, code) in [("<b>", "\u{1b}[1m"), ("</b>", "\u{1b}[0m")] {
            if let Some(after) = rest.strip_prefix(tag) {
                rest = after;
                if bold {
                    out.push_str(code);
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_is_shown_as_text() {
        let snippet = "a &lt;i&gt; <b>b</b> &amp;lt; c";
        assert_eq!(plain(snippet, false), "a <i> b &lt; c");
        assert_eq!(plain(snippet, true), "a <i> \u{1b}[1mb\u{1b}[0m &lt; c");
        assert_eq!(plain("</b><b>\u{1b}[2J", false), "\\u{1b}[2J");
    }
}
