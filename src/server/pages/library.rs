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
    fault: Option<String>,
    is_opening: bool,
}

impl Card<'_> {
    fn is_dull(&self) -> bool {
        self.fault.is_some() || self.is_opening
    }

    fn fits(&self, text: &str, language: &str) -> bool {
        let has = |s: &str| s.to_lowercase().contains(text);
        (text.is_empty() || has(self.title) || has(&self.description))
            && (language.is_empty() || self.languages.iter().any(|(tag, _)| tag == language))
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
    total: usize,
    q: &'a str,
    languages: Vec<Choice>,
    cards: Vec<Card<'a>>,
}

/// Answers with the library, filtered by `q` and `lang`.
pub async fn library(state: &Arc<State>, request: &Arc<Request>) -> Answer {
    let (shared, asked) = (Arc::clone(state), Arc::clone(request));
    let written = state.lists.run(move || write(&shared, &asked)).await;
    written.unwrap_or_else(|| {
        state.metrics.refused();
        notice::busy(state, None)
    })
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
    cards.retain(|card| card.fits(&text, wanted));
    let library = Library {
        sheet: Sheet::new(state, None).wide(),
        count: w.count(total as u64, w.one_archive, w.archives),
        total,
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
        fault: volume.fault().map(|fault| fill(w.broken, &[fault])),
        is_opening: false,
    };
    let Some(about) = volume.about() else {
        card.is_opening = card.fault.is_none();
        return card;
    };
    card.tag = volume.tag();
    let text = |key| about.metadata.text(key).map(str::trim).filter(|text| !text.is_empty());
    let description = text(keys::DESCRIPTION).or_else(|| text(keys::LONG_DESCRIPTION)).unwrap_or_default();
    card.description = description.chars().take(MAX_DESCRIPTION).collect();
    card.languages = text(keys::LANGUAGE).map(|all| languages(all).collect()).unwrap_or_default();
    let names = card.languages.iter().map(|(_, name)| name.as_str()).take(3).collect::<Vec<_>>().join(", ");
    let date = text(keys::DATE).unwrap_or_default().chars().take(20).collect();
    let counts = &about.counts;
    let media = (counts.media > 0).then(|| w.count(counts.media, w.one_media, w.media));
    card.facts = vec![
        names,
        w.count(counts.articles, w.one_article, w.articles),
        media.unwrap_or_default(),
        w.size(about.size),
        date,
    ];
    card.facts.retain(|fact| !fact.is_empty());
    card
}
