//! `tome suggest`.

use std::time::{Duration, Instant};

use tome::book::{IndexKind, Match, SuggestOptions, Suggestion};
use tome::item::Silent;
use tome::json;

use super::args::{Globals, SuggestArgs};
use super::open::open_with;
use super::output::Output;
use super::{Outcome, Status, index, talk};

/// Runs the command.
pub fn run(args: &SuggestArgs, globals: &Globals) -> Outcome {
    let opened = open_with(&args.archive, index::options(args.no_cache))?;
    index::prepare(&opened, IndexKind::Titles, args.no_cache, globals)?;
    let mut options = SuggestOptions { limit: args.limit as usize, ..SuggestOptions::default() };
    if let Some(budget) = args.budget {
        options.budget = Duration::from_millis(budget);
        // Who gives more time wants it used.
        options.work =
            u32::try_from(budget.saturating_mul(UNITS_PER_MS)).unwrap_or(u32::MAX).max(options.work);
    }
    let started = Instant::now();
    let found = opened.book.suggest(&args.query, &options, &Silent).map_err(|e| opened.failure(e))?;
    let seconds = started.elapsed().as_secs_f64();
    let mut out = Output::new();
    for suggestion in &found.list {
        if args.json {
            out.json(&json::Suggestion::new(suggestion))?;
        } else {
            match hint(suggestion) {
                Some(hint) => out.columns(&[&suggestion.title, &suggestion.path, &hint])?,
                None => out.pair(&suggestion.title, &suggestion.path)?,
            }
        }
    }
    if args.json {
        out.json(&json::SuggestEnd { partial: found.partial, seconds })?;
    }
    out.finish()?;
    if found.partial && !args.json && !globals.quiet {
        talk::note("(not all was looked at; there may be more or better ones)");
    }
    if let Some(damage) = found.damage {
        return Err(opened.failure(damage));
    }
    if found.list.is_empty() {
        if !args.json && !found.partial {
            talk::error(&format!("there is no title like {:?}", args.query));
        }
        return Ok(Status::No);
    }
    Ok(Status::Yes)
}

/// Units of work in a millisecond: one is about 40 ns.
const UNITS_PER_MS: u64 = 25_000;

/// Says why a title is there that one might not expect.
fn hint(suggestion: &Suggestion) -> Option<String> {
    let typo = suggestion.matched == Match::Typo;
    match (&suggestion.via, typo) {
        (Some(via), false) => Some(format!("redirected from {via}")),
        (Some(via), true) => Some(format!("typo, redirected from {via}")),
        (None, true) => Some("typo".into()),
        (None, false) => None,
    }
}
