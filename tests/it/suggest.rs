//! Suggestions: what is found for what was typed, in which order, and that nothing typed or written
//! in an archive makes them fail or run on.

use proptest::prelude::*;
use rayon::prelude::*;
use std::time::Duration;
use tome::fold::title_key;
use tome::format::first_page::SectionKind;
use tome::format::ids::PAGE;
use tome::item::{About, Body, Item, Silent};
use tome::reader::{Archive, Match, SuggestOptions, Suggestion, VerifyOptions};
use tome::storage::Owned;
use tome::writer::Options;

use crate::common::{article, everything, item, open, pack};
use crate::corrupt::{reseal, with_rows};

fn titled(titles: &[&str]) -> Archive {
    let items = titles.iter().enumerate().map(|(i, title)| article(&format!("{i}.html"), Some(title), "x"));
    open(&pack(items.collect(), &About::default(), Options::default()))
}

fn redirect(path: &str, title: &str, target: &str, fragment: Option<&str>) -> Item {
    item(path, Some(title), Body::Redirect { target: target.into(), fragment: fragment.map(Into::into) })
}

/// Options under which a slow machine answers the same.
fn patient() -> SuggestOptions {
    SuggestOptions { budget: Duration::from_secs(600), ..SuggestOptions::default() }
}

fn ask(archive: &Archive, query: &str) -> Vec<Suggestion> {
    let found = archive.suggest(query, &patient()).unwrap();
    assert!(!found.partial, "{query:?}");
    found.list
}

fn names(archive: &Archive, query: &str) -> Vec<(Match, String)> {
    ask(archive, query).into_iter().map(|s| (s.matched, s.title)).collect()
}

fn is(matched: Match, titles: &[&str]) -> Vec<(Match, String)> {
    titles.iter().map(|title| (matched, (*title).to_string())).collect()
}

#[test]
fn exact_comes_before_prefix_before_later_words_and_shorter_before_longer() {
    let archive =
        titled(&["The Apple", ".apple", "Apple pie", "Apple", "Apple tree of the garden", "Pineapple"]);
    let found = names(&archive, "APPLE");
    let expected = [
        is(Match::Exact, &["Apple"]),
        is(Match::Prefix, &["Apple pie", "Apple tree of the garden"]),
        is(Match::Word, &[".apple", "The Apple"]),
    ];
    assert_eq!(found, expected.concat());
    assert_eq!(names(&archive, "garden appl"), is(Match::Word, &["Apple tree of the garden"]));
    assert_eq!(names(&archive, "pie ap"), is(Match::Word, &["Apple pie"]));
    assert_eq!(ask(&archive, ""), []);
    assert_eq!(ask(&archive, " \u{ad} "), []);
}

#[test]
fn typos_are_guessed_only_where_nothing_was_found_as_typed() {
    let archive = titled(&[
        "Honey",
        "Hone",
        "Mexico–Russia relations",
        "Lázaro Cárdenas",
        "New York City",
        "京都タワー",
    ]);
    assert_eq!(
        names(&archive, "hone"),
        [is(Match::Exact, &["Hone"]), is(Match::Prefix, &["Honey"])].concat()
    );
    for typed in ["hnoey", "ohney", "xoney", "hoeny", "hney", "honney"] {
        let found = names(&archive, typed);
        assert_eq!(found[0].0, Match::Typo, "{typed}");
        assert!(found.contains(&(Match::Typo, "Honey".into())), "{typed}: {found:?}");
    }
    for (typed, meant) in [
        ("mexcio-russia relatoins", "Mexico–Russia relations"),
        ("russia relatoin", "Mexico–Russia relations"),
        ("lazaro cardneas", "Lázaro Cárdenas"),
        ("cardneas", "Lázaro Cárdenas"),
        ("newyork city", "New York City"),
        ("new yo rk city", "New York City"),
        ("ne wyork city", "New York City"),
        ("京都タウー", "京都タワー"),
    ] {
        assert_eq!(names(&archive, typed), is(Match::Typo, &[meant]), "{typed}");
    }
    // Two typos only from eight letters on, and none in a letter or two.
    assert_eq!(ask(&archive, "hxnxy"), []);
    assert_eq!(ask(&archive, "xo"), []);
}

#[test]
fn what_nearly_all_titles_end_with_is_not_typed() {
    let mut titles = vec!["Vec - Rust", "VecDeque - Rust", "A Vec in the wild - Rust"];
    let more: Vec<String> = (0..40).map(|i| format!("module{i} - Rust")).collect();
    titles.extend(more.iter().map(String::as_str));
    titles.push("Rust");
    let archive = titled(&titles);
    let expected = [
        is(Match::Exact, &["Vec - Rust"]),
        is(Match::Prefix, &["VecDeque - Rust"]),
        is(Match::Word, &["A Vec in the wild - Rust"]),
    ];
    assert_eq!(names(&archive, "vec"), expected.concat());
    assert_eq!(names(&archive, "vec - rust")[0], (Match::Exact, "Vec - Rust".into()));
    assert_eq!(names(&archive, "vce - rust")[0], (Match::Typo, "Vec - Rust".into()));
    assert_eq!(names(&archive, "vecdeqeu"), is(Match::Typo, &["VecDeque - Rust"]));
    // The end is no word of the titles.
    assert_eq!(names(&archive, "rust"), is(Match::Exact, &["Rust"]));
}

#[test]
fn a_redirect_leads_to_its_target_once_and_says_through_which_title() {
    let items = vec![
        article("Soviet_Union.html", Some("Soviet Union"), "x"),
        redirect("ussr", "USSR", "Soviet_Union.html", Some("History")),
        redirect("su", "Soviet Union (country)", "Soviet_Union.html", None),
        redirect("loop", "Soviet loop", "loop", None),
    ];
    let archive = open(&pack(items, &About::default(), Options::default()));
    let [found] = &ask(&archive, "soviet")[..] else { panic!() };
    assert_eq!(
        (&found.title[..], found.via.as_deref(), found.matched),
        ("Soviet Union", None, Match::Prefix)
    );
    let [found] = &ask(&archive, "ussr")[..] else { panic!() };
    assert_eq!((&found.title[..], &found.path[..]), ("Soviet Union", "Soviet_Union.html"));
    assert_eq!((found.via.as_deref(), found.fragment.as_deref()), (Some("USSR"), Some("History")));
    let [found] = &ask(&archive, "soviet union (co")[..] else { panic!() };
    assert_eq!(found.via.as_deref(), Some("Soviet Union (country)"));
    // A redirect that leads nowhere is not there.
    assert_eq!(ask(&archive, "soviet loop"), []);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn what_begins_so_and_what_has_the_words_is_found_and_nothing_else(
        titles in proptest::collection::btree_set("[a-cé]{1,3}( [a-cé]{1,3}){0,3}", 1..120),
        typed in "[a-cé]{1,3}( [a-cé]{1,2})?",
    ) {
        let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
        let archive = titled(&titles);
        let options = SuggestOptions { limit: 1000, ..patient() };
        let found = archive.suggest(&typed, &options).unwrap();
        prop_assert!(!found.partial);
        let key = title_key(&typed);
        let words: Vec<&str> = key.split(' ').collect();
        let (last, others) = words.split_last().unwrap();
        let mut expected: Vec<(Match, usize, &str)> = titles.iter().filter_map(|title| {
            let own = title_key(title);
            let own_words: Vec<&str> = own.split(' ').collect();
            let matched = if own == key {
                Match::Exact
            } else if own.starts_with(&key) {
                Match::Prefix
            } else if others.iter().all(|w| own_words.contains(w)) && own_words.iter().any(|w| w.starts_with(last)) {
                Match::Word
            } else {
                return None;
            };
            Some((matched, own.chars().count(), *title))
        }).collect();
        expected.sort_unstable();
        if expected.is_empty() {
            prop_assert!(found.list.iter().all(|s| s.matched == Match::Typo));
        } else {
            let mut got: Vec<(Match, usize, &str)> = found.list.iter()
                .map(|s| (s.matched, title_key(&s.title).chars().count(), &s.title[..])).collect();
            // Among titles that begin so, length decides: classes of so few rows nearly tell all apart.
            let lengths: Vec<usize> = got.iter().filter(|g| g.0 == Match::Prefix).map(|g| g.1).collect();
            prop_assert!(lengths.windows(2).all(|two| two[0] <= two[1] + 1), "{lengths:?}");
            prop_assert!(got.windows(2).all(|two| two[0].0 <= two[1].0));
            got.sort_unstable();
            prop_assert_eq!(got, expected);
        }
    }
}

/// S09: whatever is typed costs what the options say.
#[test]
fn hostile_queries_come_back() {
    let bytes = everything();
    let archive = open(&bytes);
    let queries = [
        "a".repeat(1_000_000),
        "page ".repeat(10_000),
        "\u{202e}\u{0}\u{ad}\u{7f}".repeat(1000),
        "a b c d e f g h i j k l m n o p".into(),
        "é\u{301}\u{301}\u{301}".repeat(5000),
        "\u{fdfa}".repeat(5000),
        "tset fo teh pgae".into(),
        "\u{10ffff}".into(),
        (0..10_000).map(|i| format!("word{i} ")).collect(),
    ];
    for query in &queries {
        let found = archive.suggest(query, &SuggestOptions::default()).unwrap();
        assert!(found.list.len() <= 10);
        for work in [0, 1, 10, 100, 1000] {
            archive.suggest(query, &SuggestOptions { work, ..patient() }).unwrap();
        }
    }
    let none = archive.suggest("page", &SuggestOptions { work: 0, ..patient() }).unwrap();
    assert!(none.partial && none.list.is_empty());
}

const KINDS: [SectionKind; 6] = [
    SectionKind::TITLE_CLASSES,
    SectionKind::TITLE_WORD_SYMBOLS,
    SectionKind::TITLE_WORD_ROOT,
    SectionKind::TITLE_WORD_NODES,
    SectionKind::TITLE_WORDS,
    SectionKind::TITLE_WORD_ROWS,
];

#[test]
fn without_their_sections_titles_are_still_suggested_by_their_beginning() {
    let bytes = everything();
    let expected = ask(&open(&bytes), "page 1");
    assert_eq!(expected.len(), 10);
    // An older archive, or one with kinds that are not known.
    let without = with_rows(&bytes, |rows| {
        rows.iter_mut().filter(|r| KINDS.contains(&r.kind)).for_each(|r| r.kind.0 += 100);
    });
    let archive = open(&without);
    assert!(archive.verify(VerifyOptions::default(), &Silent).unwrap().is_ok());
    let found = ask(&archive, "page 1");
    assert!(found.len() == 10 && found.iter().all(|s| s.matched <= Match::Prefix), "{found:?}");
    assert_eq!(names(&archive, "pgae 12")[0].0, Match::Typo);
}

#[test]
fn damage_to_any_of_their_pages_leaves_titles_by_their_beginning() {
    let bytes = everything();
    let first = open(&bytes).first_page().clone();
    let titles = first.row(SectionKind::TITLES).unwrap().pages();
    let start = first.tables_offset as usize;
    let pages = KINDS.iter().filter_map(|&kind| first.row(kind)).flat_map(|row| row.pages());
    for page in pages.chain(titles.clone()) {
        let mut copy = bytes.clone();
        copy[start + page as usize * PAGE + 17] ^= 1;
        let archive = open(&copy);
        for query in ["page 1", "title sa", "pgae 12", "same title"] {
            match archive.suggest(query, &patient()) {
                Ok(found) => assert!(!found.list.is_empty() || found.partial || query.starts_with("pg")),
                Err(error) => assert!(error.is_damage() && titles.contains(&page), "{query:?}: {error}"),
            }
        }
        let found = archive.suggest("page 1", &patient());
        assert!(titles.contains(&page) || found.unwrap().list.len() == 10);
    }
}

/// P31, P32: every byte of the sections changed, and all hashes made right again.
#[test]
fn hostile_sections_answer_or_refuse_within_the_budget() {
    let bytes = everything();
    let first = open(&bytes).first_page().clone();
    let start = first.tables_offset as usize;
    let places: Vec<usize> = KINDS
        .iter()
        .filter_map(|&kind| first.row(kind))
        .flat_map(|row| row.offset as usize..(row.offset + row.len) as usize)
        .collect();
    assert!(places.len() > PAGE);
    places.into_par_iter().for_each(|at| {
        let original = bytes[start + at];
        let values = [original ^ 0xff, original ^ 1, original.wrapping_add(16), 0x7f];
        let n = if original == 0 && bytes[start + at - 1] == 0 { 1 } else { 4 };
        for value in &values[..n] {
            let mut copy = bytes.clone();
            copy[start + at] = *value;
            reseal(&mut copy);
            let archive = Archive::from_storage(Owned(copy)).unwrap();
            for query in ["page", "12 pa", "title s", "pgae 12 tsets", "samet itle", "gives", "long"] {
                let _ = archive.suggest(query, &SuggestOptions::default());
            }
            // A class may be any number, a symbol unused; of lists and roots `verify` knows every bit.
            let told = [SectionKind::TITLE_WORD_ROWS, SectionKind::TITLE_WORD_ROOT];
            let mut told = told.iter().filter_map(|&kind| first.row(kind));
            if *value != original && told.any(|r| (r.offset..r.offset + r.len).contains(&(at as u64))) {
                let report = archive.verify(VerifyOptions { quick: true }, &Silent).unwrap();
                assert!(!report.is_ok(), "byte {at} as {value:#x} was not found");
            }
        }
    });
}

#[test]
fn verify_names_the_section_that_is_wrong() {
    let bytes = everything();
    let first = open(&bytes).first_page().clone();
    let row = first.row(SectionKind::TITLE_CLASSES).unwrap();
    let last = (first.tables_offset + row.offset + row.len - 1) as usize;
    let mut copy = bytes.clone();
    copy[last] ^= 3;
    reseal(&mut copy);
    let report = open(&copy).verify(VerifyOptions::default(), &Silent).unwrap();
    let found: Vec<_> = report.findings.iter().map(|f| (f.check, f.section)).collect();
    assert_eq!(found, [("classes", Some("title classes"))]);
}

/// The way to rows in lists with blocks: a word in more than 128 titles, not as the first.
#[test]
fn frequent_words_are_found_through_their_blocks() {
    let titles: Vec<String> =
        (0..3000).map(|i| format!("{:04} of number {}", i * 7 % 3000, i % 50)).collect();
    let archive = titled(&titles.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(archive.verify(VerifyOptions::default(), &Silent).unwrap().is_ok());
    let options = SuggestOptions { limit: 100, ..patient() };
    let found = archive.suggest("number 37 of", &options).unwrap();
    assert_eq!((found.list.len(), found.partial), (60, false));
    assert!(found.list.iter().all(|s| s.title.ends_with("of number 37")));
    let found = archive.suggest("nubmer 37 of", &options).unwrap();
    assert_eq!(found.list.len(), 60);
    let found = archive.suggest("of", &options).unwrap();
    assert_eq!(found.list.len(), 100);
}
