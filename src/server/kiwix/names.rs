//! The names under which kiwix-serve has archives: of their files, and not always those.

use std::borrow::Cow;
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::super::library::{Shelf, Volume};

/// Returns the archive of a name: ours, or the one that kiwix-serve gives it, with or without the month at
/// its end. What is newest by its name answers to one without.
pub fn volume<'a>(shelf: &'a Shelf, name: &str) -> Option<&'a Arc<Volume>> {
    if let Some(volume) = shelf.get(name) {
        return Some(volume);
    }
    if name.is_empty() {
        return None;
    }
    let named = |volume: &&Arc<Volume>| theirs(&volume.name) == name;
    let undated = |volume: &&Arc<Volume>| without_month(&theirs(&volume.name)) == Some(name);
    let volumes = shelf.volumes();
    volumes.iter().find(named).or_else(|| volumes.iter().filter(undated).max_by_key(|v| theirs(&v.name)))
}

/// Returns the name that kiwix-serve gives an archive.
fn theirs(name: &str) -> String {
    plain(name).replace(' ', "_").replace('+', "plus")
}

/// Returns a name without the year and month at its end, as in `wikipedia_en_all_2023-05`.
fn without_month(name: &str) -> Option<&str> {
    let (stem, month) = name.rsplit_once('_')?;
    let is_month = month.len() == 7
        && month.bytes().enumerate().all(|(i, b)| if i == 4 { b == b'-' } else { b.is_ascii_digit() });
    is_month.then_some(stem)
}

/// Returns small letters without accents: what the catalogue's filters compare.
pub fn plain(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.to_lowercase().nfd().filter(|letter| !is_combining_mark(*letter)).nfc().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_as_kiwix_serve_makes_them() {
        // Seen at its version 3.3.
        assert_eq!(theirs("le phare+é"), "le_pharepluse");
        assert_eq!(theirs("Grand Übung_2023-05"), "grand_ubung_2023-05");
        assert_eq!(without_month("grand_ubung_2023-05"), Some("grand_ubung"));
        assert_eq!(without_month("wikipedia_en_2023"), None);
        assert_eq!(without_month("x_20é-05"), None);
        assert_eq!(plain("Ελλάδα"), "ελλαδα");
    }
}
