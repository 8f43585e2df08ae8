//! What the catalogue says of an archive.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::SystemTime;

use super::super::library::{About, Shelf, Volume};
use super::filter::Fields;
use crate::book::Format;
use crate::item::{Metadata, keys};
use crate::zim::metadata;

/// Letters of a text that are shown and looked through: metadata are claims, of any length.
const MAX_TEXT: usize = 4000;

/// Tags that are looked at.
const MAX_TAGS: usize = 200;

/// An archive in the catalogue.
#[derive(Default)]
pub struct Card {
    /// What we call the archive.
    pub own_name: String,
    /// When its file was last changed.
    pub modified: Option<SystemTime>,
    /// True for a ZIM.
    pub is_zim: bool,
    /// A UUID that no other card has.
    pub id: String,
    /// The title.
    pub title: String,
    /// What it is.
    pub description: String,
    /// The codes of its languages, of three letters.
    pub languages: Vec<String>,
    /// The same as tags.
    pub language_tags: Vec<String>,
    /// The name that ZIMs have for what stays the same through their editions.
    pub name: String,
    /// Which edition it is, such as `nopic`.
    pub flavour: String,
    /// What it is about, of Kiwix's categories.
    pub category: String,
    /// All tags.
    pub tags: Vec<String>,
    /// The number of articles.
    pub articles: u64,
    /// The number of pictures, sounds and videos.
    pub media: u64,
    /// Who made the content.
    pub creator: String,
    /// Who made the archive.
    pub publisher: String,
    /// The day of the content, `YYYY-MM-DD`.
    pub date: String,
    /// Its pictures: side in pixels and mime type.
    pub icons: Vec<(u32, String)>,
    /// Its length in bytes.
    pub size: u64,
    /// What filters compare.
    pub fields: OnceLock<Fields>,
}

impl Card {
    fn new(volume: &Volume, about: &About) -> Self {
        let text = |key: &str| zim_text(&about.metadata, key);
        let own_languages = about.metadata.text(keys::LANGUAGE).unwrap_or_default();
        let list = |text: &str, by: char, most: usize| -> Vec<String> {
            text.split(by)
                .map(str::trim)
                .filter(|one| !one.is_empty())
                .take(most)
                .map(str::to_owned)
                .collect()
        };
        let tags = usual_tags(list(&text("Tags"), ';', MAX_TAGS), about.format);
        let (articles, media) = about
            .zim
            .as_ref()
            .map_or((about.counts.articles, about.counts.media), |zim| (zim.articles, zim.media));
        Self {
            own_name: volume.name.clone(),
            modified: volume.modified(),
            is_zim: about.format == Format::Zim,
            id: about.zim.as_ref().map_or_else(|| made_uuid(&[volume.tag()]), |zim| zim.uuid.clone()),
            title: clipped(volume.title()),
            description: text("Description"),
            languages: list(&text("Language"), ',', MAX_TAGS),
            language_tags: list(own_languages, ',', MAX_TAGS),
            name: match (text("Name"), about.format) {
                (name, Format::Tome) if name.is_empty() => volume.name.clone(),
                (name, _) => name,
            },
            flavour: text("Flavour"),
            category: tags
                .iter()
                .find_map(|tag| tag.strip_prefix("_category:"))
                .unwrap_or_default()
                .to_owned(),
            tags,
            articles,
            media,
            creator: text("Creator"),
            publisher: text("Publisher"),
            date: Some(text("Date")).filter(|date| metadata::is_date(date)).unwrap_or_default(),
            icons: icons(about),
            size: about.size,
            fields: OnceLock::new(),
        }
    }
}

/// The cards of all archives that are known by now: nobody waits for a disk. They are made anew when the
/// library changes.
#[derive(Default)]
pub struct Cards(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// Of this library; it shall not hold archives open that are gone.
    shelf: Weak<Shelf>,
    /// With so many archives that were known then.
    known: usize,
    cards: Arc<Vec<Card>>,
}

impl Cards {
    /// Returns those of a library.
    pub fn of(&self, shelf: &Arc<Shelf>) -> Arc<Vec<Card>> {
        let known = shelf.volumes().iter().filter(|volume| volume.about().is_some()).count();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.known != known || !std::ptr::eq(kept.shelf.as_ptr(), Arc::as_ptr(shelf)) {
            *kept = Kept { shelf: Arc::downgrade(shelf), known, cards: Arc::new(all(shelf)) };
        }
        Arc::clone(&kept.cards)
    }
}

fn all(shelf: &Shelf) -> Vec<Card> {
    let mut ids = HashSet::new();
    let known = shelf.volumes().iter().filter_map(|volume| Some(Card::new(volume, volume.about()?)));
    known
        .map(|mut card| {
            // Two copies of one file are two archives here.
            if !ids.insert(card.id.clone()) {
                card.id = made_uuid(&[&card.id, &card.own_name]);
            }
            card
        })
        .collect()
}

/// Returns the UUID of some words: always the same for the same.
pub fn made_uuid(words: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for word in words {
        hasher.update(word.as_bytes());
        hasher.update(b"\0");
    }
    metadata::uuid_text(&metadata::made_uuid(hasher.finalize().as_bytes()))
}

fn zim_text(own: &Metadata, key: &str) -> String {
    let value = metadata::zim_value(own, key);
    clipped(value.as_ref().and_then(|v| std::str::from_utf8(&v.bytes).ok()).unwrap_or_default().trim())
}

fn clipped(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

/// Returns tags as Kiwix's clients want them: with old ones in today's words, and with what is not said
/// being said.
fn usual_tags(tags: Vec<String>, format: Format) -> Vec<String> {
    let today = |tag: String| match tag.as_str() {
        "nopic" => "_pictures:no".to_owned(),
        "novid" => "_videos:no".to_owned(),
        "nodet" => "_details:no".to_owned(),
        "_ftindex" => "_ftindex:yes".to_owned(),
        _ => tag,
    };
    let mut out: Vec<String> = tags.into_iter().map(today).collect();
    // A `.tome` has its full-text index inside; of a ZIM that is Xapian's.
    let searched = if format == Format::Tome { "_ftindex:yes" } else { "_ftindex:no" };
    for usual in [searched, "_pictures:yes", "_videos:yes", "_details:yes"] {
        let (name, _) = usual.split_once(':').unwrap_or((usual, ""));
        if !out.iter().any(|tag| tag.split(':').next() == Some(name)) {
            out.push(usual.to_owned());
        }
    }
    out
}

/// Returns the pictures that an archive has of itself.
fn icons(about: &About) -> Vec<(u32, String)> {
    let size = |key: &str| if key == keys::ICON { Some(48) } else { metadata::icon_size(key) };
    let of = |(key, value): (&str, &crate::item::Value)| Some((size(key)?, value.mime.clone()));
    let mut out: Vec<(u32, String)> = about.metadata.iter().filter_map(of).collect();
    let has_usual = out.iter().any(|(size, _)| *size == 48);
    if !has_usual && about.zim.as_ref().is_some_and(|zim| zim.has_favicon) {
        out.push((48, "image/png".into()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tags_do_not_say_is_said() {
        let tags = usual_tags(vec!["nopic".into(), "sea".into()], Format::Zim);
        assert_eq!(tags, ["_pictures:no", "sea", "_ftindex:no", "_videos:yes", "_details:yes"]);
        assert!(usual_tags(vec![], Format::Tome).contains(&"_ftindex:yes".to_owned()));
    }

    #[test]
    fn a_made_uuid_is_one_and_stays() {
        let id = made_uuid(&["a", "b"]);
        assert_eq!(id, made_uuid(&["a", "b"]));
        assert_ne!(id, made_uuid(&["ab"]));
        assert!(metadata::parse_uuid(&id).is_some());
    }
}
