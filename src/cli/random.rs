//! `tome random`.

use super::args::{Globals, RandomArgs};
use super::open::open;
use super::output::Output;
use super::page::{self, Form};
use super::{Outcome, Status, talk};

/// Runs the command.
pub fn run(args: &RandomArgs, globals: &Globals) -> Outcome {
    let opened = open(&args.archive)?;
    let Some(entry) = opened.book.any_article().map_err(|e| opened.failure(e))? else {
        talk::error(&format!("{}: there are no articles", opened.path.display()));
        return Ok(Status::No);
    };
    if args.json {
        let mut out = Output::new();
        page::describe(&opened, &entry, &mut out)?;
        out.finish()?;
    } else {
        if !globals.quiet {
            talk::note(&format!("({} at {})", entry.title(), entry.path()));
        }
        page::write(&opened, &entry, Form::Rendered, false)?;
    }
    Ok(Status::Yes)
}
