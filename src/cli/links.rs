//! Links between the articles of an archive that lead nowhere.

use rayon::prelude::*;
use tome::error::{Error, Result};
use tome::item::{Kind, Observer};
use tome::reader::{Archive, Entry, Finding, Severity};
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
        let Some(path) = resolve(&article.path, &link.href) else { continue };
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

/// Returns the path that a link in the page at `from` leads to, or `None` if it leads out of the
/// archive or stays on the page.
fn resolve(from: &str, href: &str) -> Option<String> {
    let href = href.trim();
    let place = href.split(['#', '?']).next().unwrap_or_default();
    let first = place.split('/').next().unwrap_or_default();
    if place.is_empty() || place.starts_with("//") || first.contains(':') {
        return None;
    }
    let mut parts: Vec<String> = match place.starts_with('/') {
        true => vec![],
        false => from.split('/').map(str::to_owned).collect(),
    };
    // The page's own name.
    parts.pop();
    let mut is_folder = false;
    for part in place.split('/') {
        is_folder = matches!(part, "" | "." | "..");
        match part {
            "" | "." => {}
            // As in a browser, nothing is above the root.
            ".." => drop(parts.pop()),
            part => parts.push(unescape(part)),
        }
    }
    let mut path = parts.join("/");
    if is_folder && !path.is_empty() {
        path.push('/');
    }
    Some(path)
}

/// Takes back percent escapes; what is none stays as it is.
fn unescape(part: &str) -> String {
    let digit = |b: Option<&u8>| b.and_then(|&b| char::from(b).to_digit(16));
    let bytes = part.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], digit(bytes.get(at + 1)), digit(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| part.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_paths() {
        for (from, href, expected) in [
            ("a/b.html", "c.html#x", Some("a/c.html")),
            ("a/b.html", "../c.html?q=1", Some("c.html")),
            ("a/b.html", "/c%20d.html", Some("c d.html")),
            ("a/b.html", "../../../c", Some("c")),
            ("a/b.html", "./", Some("a/")),
            ("a/b.html", "What%3F.html", Some("a/What?.html")),
            ("50%25/b", "%E9%zz", Some("50%25/%E9%zz")),
            ("a", "#x", None),
            ("a", "", None),
            ("a", "//host/x", None),
            ("a", "https://host/x", None),
            ("a", "mailto:x@y", None),
        ] {
            assert_eq!(resolve(from, href).as_deref(), expected, "{href}");
        }
    }
}
