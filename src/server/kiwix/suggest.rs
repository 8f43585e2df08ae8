//! `/suggest?content=NAME&term=`: suggestions in kiwix-serve's form.

use std::sync::Arc;

use hyper::StatusCode;
use serde::Serialize;

use super::super::State;
use super::super::answer::Answer;
use super::super::request::Request;
use super::super::search::{self, MAX_SUGGESTIONS};
use super::names::plain;
use super::xml::Text;

/// Suggestions if nothing is said, as with kiwix-serve.
const COUNT: usize = 10;

/// A suggestion. Its texts are HTML: kiwix-serve's clients decode them.
#[derive(Serialize)]
struct Suggestion {
    value: String,
    label: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

/// Answers with the titles of an archive that may be meant, and with the offer to search for the words.
pub async fn answer(state: &Arc<State>, request: &Request, name: String) -> Answer {
    let term = request.query.get("term").unwrap_or_default();
    let start = request.query.number("start", MAX_SUGGESTIONS).unwrap_or(0);
    let count = request.query.number("count", MAX_SUGGESTIONS).filter(|n| *n > 0).unwrap_or(COUNT);
    let found = match search::suggest(state, vec![name], term.to_owned(), start + count).await {
        Ok(found) => found,
        Err(refused) => return super::search::refused(refused, false),
    };
    if let (true, Some(left_out)) = (found.list.is_empty(), found.left_out.into_iter().next()) {
        return super::search::left_out(&left_out, false);
    }
    let suggestions = found.list.into_iter().skip(start).take(count).map(|found| found.suggestion);
    let mut list: Vec<Suggestion> = suggestions
        .map(|suggestion| Suggestion {
            value: Text(&suggestion.title).to_string(),
            label: Text(&marked(&suggestion.title, term)).to_string(),
            kind: "path",
            path: Some(Text(&suggestion.path).to_string()),
        })
        .collect();
    list.push(Suggestion {
        value: Text(&format!("{term} ")).to_string(),
        label: Text(&format!("containing '{term}'...")).to_string(),
        kind: "pattern",
        path: None,
    });
    Answer::json(StatusCode::OK, &list)
}

/// Returns a title as HTML with the words that the term begins to say in bold.
fn marked(title: &str, term: &str) -> String {
    let wanted: Vec<String> = term.split_whitespace().map(|word| plain(word).into_owned()).collect();
    let mark = |word: &str| {
        let is_wanted = wanted.iter().any(|start| plain(word).starts_with(start.as_str()));
        if is_wanted { format!("<b>{}</b>", Text(word)) } else { Text(word).to_string() }
    };
    title.split(' ').map(mark).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_were_meant_are_bold_and_titles_stay_text() {
        assert_eq!(marked("Tobacco mosaic <i> virus", "Mosä"), "Tobacco <b>mosaic</b> &lt;i&gt; virus");
        assert_eq!(marked("", ""), "");
    }
}
