//! Pages that say why there is nothing else to see, and where to go instead.

use askama::Template;
use hyper::StatusCode;
use hyper::header::{HeaderValue, RETRY_AFTER};

use super::sheet::{Sheet, page, words};
use crate::book::{Found, SuggestOptions};
use crate::item::{Silent, path_title};
use crate::server::answer::Answer;
use crate::server::destination::wants_page;
use crate::server::library::{Lease, Volume};
use crate::server::request::Request;
use crate::server::words::fill;
use crate::server::{State, url};

/// The most titles that are offered in place of a missing page.
const NEAR: usize = 6;

/// The longest address of a link out that is shown, in letters.
const MAX_TARGET: usize = 4000;

#[derive(Template)]
#[template(path = "notice.html", config = "src/server/askama.toml")]
struct Notice<'a> {
    sheet: Sheet<'a>,
    title: &'a str,
    texts: Vec<String>,
    /// An address that is shown.
    target: Option<&'a str>,
    /// Titles and addresses.
    near: Vec<(String, String)>,
    links: Vec<(String, String)>,
}

impl<'a> Notice<'a> {
    fn new(state: &'a State, volume: Option<&Volume>, title: &'a str, text: String) -> Self {
        let archive = volume.map(|volume| (volume.name.as_str(), volume.title()));
        let sheet = Sheet::new(state, archive);
        let library = (sheet.w.library.to_owned(), format!("{}/", sheet.root));
        Self { title, texts: vec![text], target: None, near: vec![], links: vec![library], sheet }
    }
}

/// Says that nothing is at an address.
pub fn missing(state: &State, request: &Request) -> Answer {
    let w = words();
    if !wants_page(request) {
        return Answer::text(StatusCode::NOT_FOUND, format!("{}\n", w.missing_here));
    }
    let notice = Notice::new(state, None, w.missing, w.missing_here.to_owned());
    page(state, StatusCode::NOT_FOUND, &notice)
}

/// Says that an archive has no page at a path, percent-encoded as it came, and offers what is near.
pub fn missing_in(state: &State, request: &Request, lease: &Lease, path: &str) -> Answer {
    if !wants_page(request) {
        return missing(state, request);
    }
    let w = words();
    let path: String = url::decode(path).chars().take(200).collect();
    let volume = &lease.volume;
    let title = path_title(path.trim_end_matches('/'));
    let text = fill(w.missing_in, &[volume.title(), &path]);
    let mut notice = Notice::new(state, Some(volume), w.missing, text);
    let (root, name) = (&state.options.root, url::path(&volume.name));
    notice.near = near(lease, &title);
    for (_, address) in &mut notice.near {
        *address = format!("{root}/a/{name}/{}", url::path(address));
    }
    let search = format!("{root}/search?archive={}&q={}", url::value(&volume.name), url::value(&title));
    notice.links.insert(0, (fill(w.search_missing, &[volume.title()]), search));
    page(state, StatusCode::NOT_FOUND, &notice)
}

/// Returns titles that may have been meant, with their paths: what is typed like them, else what begins
/// like them. Never waits for an index to be made.
fn near(lease: &Lease, title: &str) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = vec![];
    let mut add = |title: &str, path: &str| {
        if out.len() < NEAR && !out.iter().any(|(_, known)| known == path) {
            out.push((title.to_owned(), path.to_owned()));
        }
    };
    if lease.book.has_suggestions() {
        let options = SuggestOptions { limit: NEAR, ..SuggestOptions::default() };
        for one in lease.book.suggest(title, &options, &Silent).unwrap_or_default().list {
            add(&one.title, &one.path);
        }
    }
    match lease.book.find(title) {
        Ok(Found::One(one)) => add(one.entry.title(), one.entry.path()),
        Ok(Found::Several(several)) => several.iter().for_each(|r| add(r.entry.title(), r.entry.path())),
        Ok(Found::Nothing(near)) => {
            // Titles of redirects are among them, and one article may have many.
            for there in near.into_iter().filter_map(|entry| lease.book.resolve(entry).ok().flatten()) {
                add(there.entry.title(), there.entry.path());
            }
        }
        Err(_) => {}
    }
    out
}

/// Says, and counts, that an archive, or the search if none is named, has too much to do.
pub fn busy(state: &State, volume: Option<&Volume>) -> Answer {
    state.metrics.refused();
    let w = words();
    let text = volume.map_or(w.busy_search.to_owned(), |v| fill(w.busy_archive, &[v.title()]));
    let notice = Notice::new(state, volume, w.busy, text);
    page(state, StatusCode::SERVICE_UNAVAILABLE, &notice).with(RETRY_AFTER, HeaderValue::from_static("2"))
}

/// Says that an archive cannot be opened, and why.
pub fn broken(state: &State, volume: &Volume, fault: &str) -> Answer {
    let w = words();
    let text = fill(w.broken_archive, &[&volume.name, fault]);
    page(state, StatusCode::BAD_GATEWAY, &Notice::new(state, None, w.broken_title, text))
}

/// Says that an archive could not be read at some place, and why.
pub fn failed(state: &State, volume: &Volume, fault: &str) -> Answer {
    let w = words();
    let text = fill(w.failed_archive, &[&volume.name, fault]);
    page(state, StatusCode::INTERNAL_SERVER_ERROR, &Notice::new(state, Some(volume), w.failed, text))
}

/// Shows where a link out of an archive leads (`/external?to=`), before anybody goes there.
pub fn external(state: &State, to: &str) -> Answer {
    let w = words();
    let letters = to.trim().chars().filter(|c| !c.is_control()).take(MAX_TARGET);
    let to: String = letters
        .map(|c| if is_unseen(c) { url::value(&String::from(c)).to_string() } else { c.into() })
        .collect();
    // An address without a scheme is of the page's own, which was read over http.
    let address = if to.starts_with("//") { format!("http:{to}") } else { to };
    let is_web = is_web(&address);
    let text = if is_web { w.external_means } else { w.external_bad };
    let mut notice = Notice::new(state, None, w.external, text.to_owned());
    notice.target = Some(&address);
    if is_web {
        notice.links.insert(0, (w.external_go.to_owned(), address.clone()));
    }
    page(state, StatusCode::OK, &notice)
}

/// Returns true for letters that are not seen where they stand, or turn the order of others round: a
/// browser sends them percent-encoded, and encoded they can be seen.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Returns true for an address that a browser goes to, or writes a letter to: never one that runs.
fn is_web(address: &str) -> bool {
    let scheme = address.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let rest = address.get(scheme.len()..).unwrap_or_default();
    match scheme.as_str() {
        "http" | "https" => rest.strip_prefix("://").is_some_and(|host| !host.is_empty()),
        "mailto" => rest.len() > 1,
        _ => false,
    }
}

/// Leads an address of newer kiwix-serve (`/viewer#NAME/PATH`) to ours: our script reads what stands
/// behind the `#`, which no server is told.
pub fn viewer(state: &State) -> Answer {
    let w = words();
    page(state, StatusCode::OK, &Notice::new(state, None, w.moving, w.needs_script_here.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_turn_others_round_are_seen_as_such() {
        for c in "\u{202e}\u{2066}\u{200f}\u{61c}\u{200b}\u{feff}".chars() {
            assert!(is_unseen(c), "{c:?}");
        }
        for c in "aé/ :\u{5d0}中\u{301}".chars() {
            assert!(!is_unseen(c), "{c:?}");
        }
    }

    #[test]
    fn only_addresses_of_the_web_are_links() {
        for good in ["http://e", "https://e/?a=1#b", "HTTPS://E", "mailto:a@b"] {
            assert!(is_web(good), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            " javascript:x",
            "data:text/html,x",
            "http:",
            "https://",
            "//e",
            "",
            "/x",
            "mailto:",
            "file:///etc",
            "vbscript:x",
            "java\u{0}script:x",
            "httpx://e",
        ] {
            assert!(!is_web(bad), "{bad}");
        }
    }
}
