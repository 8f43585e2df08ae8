//! The library: every archive as a card.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use hyper::StatusCode;

use super::notice;
use super::sheet::{Sheet, page, words};
use crate::item::keys;
use crate::server::answer::Answer;
use crate::server::languages::languages;
use crate::server::library::Volume;
use crate::server::request::Request;
use crate::server::words::{Words, fill};
use crate::server::{State, url};

/// The longest description on a card, in letters; its style shows three lines.
const MAX_DESCRIPTION: usize = 400;

/// An archive as the library shows it.
struct Card<'a> {
    /// Its name in a path.
    address: String,
    title: &'a str,
    description: String,
    /// Changes with its icon.
    tag: &'a str,
    facts: Vec<String>,
    /// Its languages by tag and name.
    languages: Vec<(String, String)>,
    /// The names of the first of them.
    language_names: String,
    /// True if the filter leaves it out of what is shown.
    is_hidden: bool,
    fault: Option<String>,
    is_opening: bool,
}

impl Card<'_> {
    fn is_dull(&self) -> bool {
        self.fault.is_some() || self.is_opening
    }

    fn has_language(&self, language: &str) -> bool {
        language.is_empty() || self.languages.iter().any(|(tag, _)| tag == language)
    }

    /// Returns true if what is read on it has a text, in small letters. Our script looks at the same parts.
    fn has_text(&self, text: &str) -> bool {
        let parts = [self.title, &self.description, &self.language_names];
        text.is_empty() || parts.iter().any(|part| part.to_lowercase().contains(text))
    }
}

/// A language that can be chosen.
struct Choice {
    tag: String,
    name: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "library.html", config = "src/server/askama.toml")]
struct Library<'a> {
    sheet: Sheet<'a>,
    count: String,
    /// What the count says where all are shown.
    count_of_all: String,
    total: usize,
    /// True if no card is shown.
    is_none: bool,
    q: &'a str,
    languages: Vec<Choice>,
    cards: Vec<Card<'a>>,
}

/// Answers with the library, filtered by `q` and `lang`. What `q` leaves out is there, but hidden: where
/// our script runs, another `q` shows it again.
pub async fn library(state: &Arc<State>, request: &Arc<Request>) -> Answer {
    let (shared, asked) = (Arc::clone(state), Arc::clone(request));
    let written = state.lists.run(move || write(&shared, &asked)).await;
    written.unwrap_or_else(|| notice::busy(state, None))
}

fn write(state: &State, request: &Request) -> Answer {
    let shelf = state.library.shelf();
    let w = words();
    let mut cards: Vec<Card<'_>> = shelf.volumes().iter().map(|volume| card(volume, w)).collect();
    let total = cards.len();
    let wanted = request.query.get("lang").unwrap_or_default();
    let q = request.query.get("q").unwrap_or_default().trim();
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for (tag, name) in cards.iter().flat_map(|card| &card.languages) {
        names.insert(tag, name);
    }
    let languages = names.into_iter().map(|(tag, name)| Choice {
        tag: tag.to_owned(),
        name: name.to_owned(),
        chosen: tag == wanted,
    });
    let languages = languages.collect();
    let text = q.to_lowercase();
    cards.retain(|card| card.has_language(wanted));
    for card in &mut cards {
        card.is_hidden = !card.has_text(&text);
    }
    let shown = cards.iter().filter(|card| !card.is_hidden).count();
    let count_of_all = w.count(total as u64, w.one_archive, w.archives);
    let count = match shown == total {
        true => count_of_all.clone(),
        false => fill(w.archives_of, &[&w.number(shown as u64), &count_of_all]),
    };
    let library = Library {
        sheet: Sheet::new(state, None).wide(),
        count,
        count_of_all,
        total,
        is_none: shown == 0,
        q,
        languages,
        cards,
    };
    page(state, StatusCode::OK, &library)
}

fn card<'a>(volume: &'a Volume, w: &Words) -> Card<'a> {
    let mut card = Card {
        address: url::path(&volume.name).to_string(),
        title: volume.title(),
        description: String::new(),
        tag: "",
        facts: vec![],
        languages: vec![],
        language_names: String::new(),
        is_hidden: false,
        fault: volume.fault().map(|fault| fill(w.broken, &[fault])),
        is_opening: false,
    };
    let Some(about) = volume.about().filter(|_| card.fault.is_none()) else {
        card.is_opening = card.fault.is_none();
        return card;
    };
    card.tag = volume.tag();
    let text = |key| about.metadata.text(key).map(str::trim).filter(|text| !text.is_empty());
    let description = text(keys::DESCRIPTION).or_else(|| text(keys::LONG_DESCRIPTION)).unwrap_or_default();
    card.description = description.chars().take(MAX_DESCRIPTION).collect();
    card.languages = text(keys::LANGUAGE).map(|all| languages(all).collect()).unwrap_or_default();
    card.language_names =
        card.languages.iter().map(|(_, name)| name.as_str()).take(3).collect::<Vec<_>>().join(", ");
    let date = text(keys::DATE).unwrap_or_default().chars().take(20).collect();
    let counts = &about.counts;
    let media = (counts.media > 0).then(|| w.count(counts.media, w.one_media, w.media));
    card.facts = vec![
        w.count(counts.articles, w.one_article, w.articles),
        media.unwrap_or_default(),
        w.size(about.size),
        date,
    ];
    card.facts.retain(|fact| !fact.is_empty());
    card
}
