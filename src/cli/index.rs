//! The index of a ZIM, which has to be made before it is searched for the first time.

use tome::book::{CacheOptions, IndexKind, index_folder};

use super::args::Globals;
use super::open::Opened;
use super::progress::Progress;
use super::{Failure, interrupt, talk};

/// Returns where indexes are kept.
pub fn options(no_cache: bool) -> CacheOptions {
    CacheOptions { use_cache: !no_cache, ..CacheOptions::default() }
}

/// Makes the index that a command needs, and says so, if it is not there.
pub fn prepare(opened: &Opened, kind: IndexKind, no_cache: bool, globals: &Globals) -> Result<(), Failure> {
    let is_ready = match kind {
        IndexKind::Titles => opened.book.has_suggestions(),
        IndexKind::FullText => opened.book.has_search(),
    };
    if opened.book.as_zim().is_none() || is_ready {
        return Ok(());
    }
    let what = match kind {
        IndexKind::Titles => "titles are",
        IndexKind::FullText => "articles are",
    };
    let kept = match index_folder(&options(no_cache)) {
        _ if no_cache => "this time only".to_owned(),
        Some(folder) => format!("once, and the index is kept in {}", folder.display()),
        None => "this time only: there is no folder to keep the index in".to_owned(),
    };
    if !globals.quiet {
        talk::note(&format!("{}: its {what} indexed first, {kept}", opened.path.display()));
    }
    let progress = Progress::new(globals);
    interrupt::watch();
    progress.start("indexing", None);
    let prepared = opened.book.prepare(kind, &progress);
    progress.finish();
    prepared.map_err(|e| opened.failure(e))
}
