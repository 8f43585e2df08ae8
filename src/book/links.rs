//! Links between articles that lead nowhere.

use rayon::prelude::*;

use super::{Book, Entry};
use crate::error::{Error, Result};
use crate::findings::{Finding, Severity};
use crate::item::{Kind, Observer};
use crate::reader;
use crate::text::{self, Markup, charset};

/// The most dead targets that a finding names.
const NAMED: usize = 20;

/// Returns a warning for each article of a `.tome` that has links to entries that are not there.
///
/// Articles that cannot be read are passed over: that they are damaged is for other checks to say.
///
/// # Errors
///
/// Fails only if the observer asks to stop.
pub(super) fn dead(book: &Book, archive: &reader::Archive, observer: &dyn Observer) -> Result<Vec<Finding>> {
    observer.stage("checking links", None);
    // Damaged nodes were found by the checks before.
    let leaves = archive.entry_leaves().unwrap_or(0);
    let in_leaf = |leaf| archive.entries_in_leaf(leaf).unwrap_or_default().into_iter().map(Entry::from);
    let found: Vec<Vec<Finding>> = (0..leaves)
        .into_par_iter()
        .map(|leaf| {
            let mut findings = vec![];
            for article in in_leaf(leaf).filter(|e| e.kind() == Kind::Article && is_html(e)) {
                if observer.is_cancelled() {
                    return Err(Error::Interrupted);
                }
                findings.extend(dead_in(book, &article, observer));
            }
            Ok(findings)
        })
        .collect::<Result<_>>()?;
    Ok(found.into_iter().flatten().collect())
}

fn is_html(entry: &Entry) -> bool {
    Markup::of_mime(entry.mime()) == Some(Markup::Html)
}

fn dead_in(book: &Book, article: &Entry, observer: &dyn Observer) -> Option<Finding> {
    let content = book.content(article).ok()?;
    observer.advance(1, content.len() as u64);
    let html = charset::decode(&content, None);
    let mut dead: Vec<String> = vec![];
    for link in text::links(&html) {
        let Some(path) = text::resolve(article.path(), &link.href) else { continue };
        if !leads_somewhere(book, &path) && !dead.contains(&link.href) {
            dead.push(link.href);
        }
    }
    if dead.is_empty() {
        return None;
    }
    let n = dead.len();
    let more = if n > NAMED { format!(" and {} more", n - NAMED) } else { String::new() };
    dead.truncate(NAMED);
    let (links, lead) = if n == 1 { ("link", "leads") } else { ("links", "lead") };
    let message = format!("{}: {n} {links} {lead} nowhere: {}{more}", article.path(), dead.join(", "));
    let entries = vec![article.path().to_owned()];
    Some(Finding { entries, n_entries: 1, ..Finding::new("link", Severity::Warning, message) })
}

/// A link to a folder is one to the page that a server would show for it.
fn leads_somewhere(book: &Book, path: &str) -> bool {
    let is_there = |path: &str| !matches!(book.entry_by_path(path), Ok(None));
    let folder = path.trim_end_matches('/');
    is_there(path)
        || is_there(folder)
        || is_there(&if folder.is_empty() { "index.html".into() } else { format!("{folder}/index.html") })
}
