//! Addresses of pages: those that kiwix-serve has or had lead to ours.

use hyper::StatusCode;

use super::super::answer::Answer;
use super::super::library::Lease;
use super::super::request::Request;
use super::super::{State, content, url};
use super::{Handled, names};

/// Answers an address of a page; nothing if there is none.
pub fn answer(state: &State, request: &Request, first: &str, rest: Option<&str>) -> Option<Answer> {
    let root = &state.options.root;
    let to = match (first, rest) {
        // Our library needs no script.
        ("nojs", None | Some("")) => format!("{root}/"),
        ("catch", Some("external")) => {
            let source = request.query.get("source").filter(|source| !source.is_empty())?;
            format!("{root}/external?to={}", url::value(source))
        }
        ("content", Some(rest)) => {
            let (name, path) = rest.split_once('/').unwrap_or((rest, ""));
            page(state, request, name, path)?
        }
        _ => page(state, request, first, rest.unwrap_or_default())?,
    };
    Some(Answer::redirect(StatusCode::FOUND, &to))
}

/// Returns the address of a page of an archive, or of its main page.
fn page(state: &State, request: &Request, name: &str, path: &str) -> Option<String> {
    let name = url::decode(name);
    let shelf = state.library.shelf();
    // An address of kiwix-serve may have all of its path in one part, with the slashes encoded.
    let (volume, path) = match names::volume(&shelf, &name) {
        Some(volume) => (volume, url::decode(path).into_owned()),
        None => {
            let (first, inner) = name.split_once('/')?;
            let path =
                if path.is_empty() { inner.to_owned() } else { format!("{inner}/{}", url::decode(path)) };
            (names::volume(&shelf, first)?, path)
        }
    };
    let query = if request.raw_query.is_empty() { String::new() } else { format!("?{}", request.raw_query) };
    Some(format!("{}/a/{}/{}{query}", state.options.root, url::path(&volume.name), url::path(&path)))
}

/// Leads to a random article of an archive.
pub fn random(state: &State, _: &Request, lease: &Lease) -> Handled {
    let Some(entry) = lease.book.any_article()? else {
        return Ok(Answer::text(StatusCode::NOT_FOUND, "there are no articles\n"));
    };
    Ok(content::to_page(state, lease, &entry, None))
}
