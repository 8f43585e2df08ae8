//! Links between the articles of an archive that lead nowhere.

use rayon::prelude::*;
use tome::error::{Error, Result};
use tome::findings::{Finding, Severity};
use tome::item::{Kind, Observer};
use tome::reader::{Archive, Entry};
use tome::text::{self, charset};

/// The most dead targets that a finding names.
const NAMED: usize = 20;

/// Returns a warning for each article that has links to entries that are not there.
///
/// Articles that cannot be read are passed over: that they are damaged is for other checks to say.
///
/// # Errors
///
/// Fails only if the observer asks to stop.
pub fn dead(archive: &Archive, observer: &dyn Observer) -> Result<Vec<Finding>> {
    observer.stage("checking links", None);
    // Damaged nodes were found by the checks before.
    let leaves = archive.entry_leaves().unwrap_or(0);
    let found: Vec<Vec<Finding>> = (0..leaves)
        .into_par_iter()
        .map(|leaf| {
            let entries = archive.entries_in_leaf(leaf).unwrap_or_default();
            let articles = entries.iter().filter(|e| e.kind() == Kind::Article && is_html(e.mime()));
            let mut findings = vec![];
            for article in articles {
                if observer.is_cancelled() {
                    return Err(Error::Interrupted);
                }
                findings.extend(dead_in(archive, article));
                observer.advance(1, article.size());
            }
            Ok(findings)
        })
        .collect::<Result<_>>()?;
    Ok(found.into_iter().flatten().collect())
}

fn is_html(mime: &str) -> bool {
    mime.starts_with("text/html") || mime.starts_with("application/xhtml+xml")
}

fn dead_in(archive: &Archive, article: &Entry) -> Option<Finding> {
    let content = archive.content(article).ok()?;
    let html = charset::decode(&content, None);
    let mut dead: Vec<String> = vec![];
    for link in text::links(&html) {
        let Some(path) = text::resolve(&article.path, &link.href) else { continue };
        if !leads_somewhere(archive, &path) && !dead.contains(&link.href) {
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
    let message = format!("{}: {n} {links} {lead} nowhere: {}{more}", article.path, dead.join(", "));
    Some(Finding {
        check: "link",
        severity: Severity::Warning,
        message,
        section: None,
        block: None,
        entries: vec![article.path.clone()],
        n_entries: 1,
    })
}

/// A link to a folder is one to the page that a server would show for it.
fn leads_somewhere(archive: &Archive, path: &str) -> bool {
    let is_there = |path: &str| !matches!(archive.entry_by_path(path), Ok(None));
    let folder = path.trim_end_matches('/');
    is_there(path)
        || is_there(folder)
        || is_there(&if folder.is_empty() { "index.html".into() } else { format!("{folder}/index.html") })
}
