//! `tome random`.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use super::args::{Globals, RandomArgs};
use super::open::open;
use super::output::Output;
use super::page::{self, Form};
use super::{Outcome, Status, talk};

/// Runs the command.
pub fn run(args: &RandomArgs, globals: &Globals) -> Outcome {
    let opened = open(&args.archive)?;
    // The standard library's hash maps are seeded by the system at random.
    let random = RandomState::new().build_hasher().finish();
    let Some(entry) = opened.book.random_article(random).map_err(|e| opened.failure(e))? else {
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
