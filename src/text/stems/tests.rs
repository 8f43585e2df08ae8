use std::cell::Cell;
use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::words::Words;
use super::*;

/// A dictionary in memory that counts what is asked of it.
struct Keys {
    keys: BTreeSet<Vec<u8>>,
    seeks: Cell<u32>,
    visits: Cell<u32>,
}

impl Keys {
    fn of(text: &str) -> Self {
        let mut keys = BTreeSet::new();
        let mut words = Words::new(text);
        while let Some(word) = words.next() {
            keys.insert(word.key.to_vec());
        }
        Self { keys, seeks: Cell::new(0), visits: Cell::new(0) }
    }
}

impl Dictionary for Keys {
    type Row = ();

    fn keys_from(&self, start: &[u8], visit: &mut Visit<'_, ()>) -> Result<()> {
        self.seeks.set(self.seeks.get() + 1);
        for key in self.keys.range(start.to_vec()..) {
            self.visits.set(self.visits.get() + 1);
            if visit(key, ()).is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn key(word: &str) -> Vec<u8> {
    Words::new(word).next().unwrap().key.to_vec()
}

fn found(word: &str, tags: &[&str], keys: &Keys) -> Vec<String> {
    let languages = Languages::from_tags(tags.iter().copied());
    let forms = forms(&key(word), &languages, keys, &mut 100_000).unwrap();
    forms.iter().map(|form| written(&form.key)).collect()
}

#[test]
fn forms_share_a_stem() {
    let keys = Keys::of(
        "connect connected connecting connection connections connector disconnect try tries trying trial \
         use using used user able ability abilities die dying lie lies lying earth earth's",
    );
    for (word, expected) in [
        ("connections", &["connect", "connected", "connecting", "connection", "connections"][..]),
        ("Tries", &["tries", "try", "trying"]),
        ("using", &["use", "used", "using"]),
        ("ability", &["abilities", "ability"]),
        ("dying", &["die", "dying"]),
        ("earth", &["earth", "earth's"]),
        ("absent", &[]),
    ] {
        assert_eq!(found(word, &["en"], &keys), expected, "{word}");
    }
    assert_eq!(found("connections", &["xx", "zh"], &keys), ["connections"]);
    assert_eq!(found("connections", &[], &keys), ["connections"]);
}

#[test]
fn marks_are_seen_by_the_stemmer_and_not_needed_in_the_query() {
    let keys =
        Keys::of("célébrité célébrités célébrer celebrite élève élèves élevé général généraux générales");
    let expected = found("célébrité", &["fr"], &keys);
    assert_eq!(expected, ["célébrer", "celebrite", "célébrité", "célébrités"]);
    assert_eq!(found("celebrite", &["fr"], &keys), expected);
    assert_eq!(found("eleves", &["fr"], &keys), ["élevé", "élève", "élèves"]);
    assert_eq!(found("généraux", &["fr-FR"], &keys), ["général", "générales", "généraux"]);
    let forms = forms(&key("celebrite"), &Languages::from_tags(["fr"]), &keys, &mut 1000).unwrap();
    assert_eq!(forms.iter().map(|form| form.is_same_word).collect::<Vec<_>>(), [false, true, true, false]);
}

#[test]
fn elided_articles_are_looked_past() {
    let keys = Keys::of("homme hommes l'homme d'hommes maison l'eau eaux");
    let expected = ["d'hommes", "homme", "hommes", "l'homme"];
    for word in ["homme", "l'homme", "hommes"] {
        assert_eq!(found(word, &["fr"], &keys), expected, "{word}");
    }
    assert_eq!(found("homme", &["en"], &keys), ["homme", "hommes"]);
}

#[test]
fn languages_are_taken_together() {
    let keys = Keys::of("nation nations nationen книга книги Häuser Haus Hause");
    assert_eq!(found("nation", &["en", "de", "en"], &keys), ["nation", "nationen", "nations"]);
    assert_eq!(found("книги", &["ru"], &keys), ["книга", "книги"]);
    assert_eq!(found("Hause", &["de"], &keys), ["haus", "hause", "häuser"]);
    assert!(has_stemmer("pt-BR") && has_stemmer("EN_us") && !has_stemmer("zh") && !has_stemmer(""));
    assert!(!has_stemmer("porter"));
}

/// Words under short stems that no ending can make are sought past, not walked through.
#[test]
fn work_is_bounded_by_the_table_and_not_by_the_dictionary() {
    let mut text = "use used using ".to_owned();
    for a in 'a'..='z' {
        for b in 'a'..='z' {
            for c in 'a'..='z' {
                text.push_str(&format!("us{a}{b}{c}q{c}{b} "));
            }
        }
    }
    let keys = Keys::of(&text);
    assert!(keys.keys.len() > 17_000);
    let mut budget = 100_000;
    let found = forms(&key("using"), &Languages::from_tags(["en"]), &keys, &mut budget).unwrap();
    let found: Vec<String> = found.iter().map(|form| written(&form.key)).collect();
    assert_eq!(found, ["use", "used", "using"]);
    assert!(keys.visits.get() < 6_000, "{} keys", keys.visits.get());
    assert!(100_000 - budget < 10_000, "{} spent", 100_000 - budget);
}

#[test]
fn a_budget_is_kept() {
    let keys = Keys::of("connect connected connecting connection connections");
    let languages = Languages::from_tags(["en", "fr", "de"]);
    for start in 0..200 {
        let mut budget = start;
        let found = forms(&key("connect"), &languages, &keys, &mut budget).unwrap();
        assert!(found.len() <= 5 && budget <= start);
    }
    let mut budget = 0;
    assert_eq!(forms(&key("connect"), &languages, &keys, &mut budget).unwrap(), []);
}

/// A dictionary that is out of order, as a damaged one may be.
struct Wild(Vec<Vec<u8>>);

impl Dictionary for Wild {
    type Row = u32;

    fn keys_from(&self, _: &[u8], visit: &mut Visit<'_, u32>) -> Result<()> {
        for (row, key) in self.0.iter().cycle().take(100_000).enumerate() {
            if visit(key, row as u32).is_break() {
                break;
            }
        }
        Ok(())
    }
}

const TAGS: [&str; 35] = [
    "ar", "ca", "cs", "da", "de", "el", "en", "eo", "es", "et", "eu", "fa", "fi", "fr", "ga", "hi", "hu",
    "hy", "id", "it", "lt", "ne", "nl", "no", "pl", "pt", "ro", "ru", "sr", "st", "sv", "ta", "tr", "uk",
    "yi",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// The stemmers are made by a program and slice strings: no word may bring them down.
    #[test]
    fn any_word_has_forms(word in prop_oneof![
        "[a-zéèßøйёا-يऀ-ॿ']{1,12}", "\\PC{1,8}", "[а-яёїєґ]{1,14}", "[α-ωά-ώ]{1,12}", "[ஂ-௺]{1,12}", "[א-תװ-ײ]{1,12}",
        "[ا-ی]{1,12}", "[ա-և]{1,12}", "[a-z]{60,80}",
    ]) {
        for tag in TAGS {
            let languages = Languages::from_tags([tag]);
            prop_assert!(!languages.is_empty());
            for language in &languages.0 {
                let _ = language.stem(&word);
                let _ = language.stem(&word.to_lowercase());
            }
        }
    }

    #[test]
    fn a_damaged_dictionary_ends(
        keys in proptest::collection::vec(proptest::collection::vec(prop_oneof![Just(1_u8), Just(0xc3), 97..100_u8], 0..8), 1..20),
        word in "[a-c]{1,4}",
    ) {
        let languages = Languages::from_tags(["en", "fr", "ru"]);
        let mut budget = 5_000;
        let found = forms(word.as_bytes(), &languages, &Wild(keys.clone()), &mut budget).unwrap();
        prop_assert!(found.len() <= keys.len());
    }
}
