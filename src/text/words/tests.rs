use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

use super::*;
use crate::fold::title_key;

fn keys(text: &str) -> Vec<String> {
    let mut words = Words::new(text);
    let mut out = vec![];
    while let Some(word) = words.next() {
        assert!(!word.range.is_empty() && text.get(word.range.clone()).is_some());
        assert!((1..=MAX_KEY).contains(&word.key.len()));
        out.push(std::str::from_utf8(word.key).unwrap().replace('\u{1}', "|"));
    }
    out
}

fn only_key(word: &str) -> Vec<u8> {
    let mut words = Words::new(word);
    let key = words.next().unwrap().key.to_vec();
    assert_eq!(words.next(), None, "{word}");
    key
}

/// The bytes were first computed by another program, from the general categories of Unicode 16.0.
/// They never change: when this test fails, the table is wrong or the title key has drifted.
#[test]
fn classes_of_all_code_points_are_frozen() {
    let mut last = 0;
    let classes: Vec<u8> = (0..=u32::from(char::MAX))
        .map(|code| {
            last = char::from_u32(code).map_or(last, |c| Class::of(c) as u8);
            last
        })
        .collect();
    let hash = blake3::hash(&classes).to_string();
    assert_eq!(hash, "48dbd6afb9ab89d8dccd16b5b5c6a1b24a66ca1ba40b0cc33ed47324e0f16d84");
}

/// Takes `\u{..}` for what it stands for.
fn unescape(text: &str) -> String {
    let mut parts = text.split("\\u{");
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let (code, rest) = part.split_once('}').unwrap();
        out.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
        out.push_str(rest);
    }
    out
}

#[test]
fn the_specifications_examples_hold() {
    let spec = include_str!("../../format/FORMAT.md");
    let spec = &spec[spec.find("### 11.7 Words").unwrap()..spec.find("## 12. ").unwrap()];
    let rows: Vec<Vec<&str>> =
        spec.lines().filter(|line| line.starts_with("| `")).map(|line| line.split('`').collect()).collect();
    assert!(rows.len() > 10);
    for row in rows {
        let expected: Vec<String> =
            row[3].split(' ').map(|key| unescape(key).replace('\u{1}', "|")).collect();
        assert_eq!(keys(&unescape(row[1])), expected, "{}", row[1]);
    }
}

#[test]
fn words_are_runs_of_letters_numbers_and_marks() {
    for (text, expected) in [
        ("", &[][..]),
        (" ... -- ", &[]),
        ("Hello, World-wide web", &["hello", "world", "wide", "web"]),
        ("push_back std::vector<int> C++", &["push", "back", "std", "vector", "int", "c"]),
        ("3.14 2nd x²", &["3", "14", "2nd", "x2"]),
        ("don't 'quoted' rock'n'roll dogs' a''b", &["don't", "quoted", "rock'n'roll", "dogs", "a", "b"]),
        ("don\u{2019}t don\u{2bc}t", &["don't", "don't"]),
        ("Hawai\u{2bb}i \u{2bb}Okina", &["hawai'i", "okina"]),
        ("so\u{ad}ft \u{200b}zero\u{200b}width", &["soft", "zerowidth"]),
        ("Straße ﬁn Ｆｕｌｌ", &["strasse", "fin", "full"]),
        ("СЛОВО й Ёж", &["слово", "й", "еж"]),
        ("हिन्दी العـــربية", &["हिन्दी", "العربية"]),
        ("❤\u{fe0f} ½ \u{301} (1)", &["1"]),
    ] {
        assert_eq!(keys(text), expected, "{text}");
    }
}

#[test]
fn marks_of_latin_letters_are_kept_behind_the_word() {
    for (word, key) in [
        ("élève", "eleve|éè"),
        ("ÉLÈVE", "eleve|éè"),
        ("préféré", "prefere|ééé"),
        ("reservé", "reserve|\u{3}é"),
        ("l'été", "l'ete|éé"),
        ("naïve", "naive|ï"),
        ("Łódź", "lodz|łóź"),
        ("cœur", "coeur|œ"),
        ("coeur", "coeur"),
        ("İstanbul", "istanbul"),
        ("ıslak", "islak|ı"),
        ("Nguyễn", "nguyen|ễ"),
        ("x\u{30c}y", "xy|x\u{30c}"),
        ("ΑΘΉΝΑ", "αθηνα"),
        ("Straße", "strasse"),
        ("bad\u{1e9b}", "bads"),
        // What stands behind a letter and is no mark of it.
        ("xae\u{e9}\u{d7cc}", "xaee\u{d7cc}|\u{2}é"),
        // A mark of class 0 is passed by none.
        ("ze\u{34f}\u{301}", "ze|e\u{34f}\u{301}"),
    ] {
        assert_eq!(keys(word), [key], "{word}");
        let key = only_key(word);
        assert_eq!(folded(&key), title_key(word).as_bytes());
    }
    assert_eq!(written(&only_key("RESERVÉ")), "reservé");
    assert_eq!(written(&only_key("Cœur")), "cœur");
    assert_eq!(written(b"plain"), "plain");
}

#[test]
fn many_skipped_letters_are_passed_over() {
    let word = "e".repeat(62) + "é";
    let key = only_key(&word);
    assert_eq!(written(&key), word);
    assert!(key.len() < 63 + 1 + 6);
}

#[test]
fn scripts_without_spaces_give_pairs() {
    for (text, expected) in [
        ("漢", &["漢"][..]),
        ("漢字", &["漢字"]),
        ("東京都", &["東京", "京都"]),
        ("東京、京都", &["東京", "京都"]),
        ("iPhoneを買う", &["iphone", "を買", "買う"]),
        ("2024年 3月1日", &["2024", "年", "3", "月", "1", "日"]),
        ("한국어", &["한국", "국어"]),
        ("ｶﾞｲﾄﾞ", &["ガイ", "イド"]),
        ("น้ำใจ", &["น้\u{e4d}า", "\u{e4d}าใ", "ใจ"]),
        ("データ", &["デー", "ータ"]),
    ] {
        assert_eq!(keys(text), expected, "{text}");
    }
    let text = "a東京都b";
    let mut words = Words::new(text);
    let mut grams = vec![];
    while let Some(word) = words.next() {
        grams.push((word.range, word.grams.map(|grams| (grams.goes_on, grams.second, grams.second_key))));
    }
    let expected = [(0..1, None), (1..7, Some((false, 4, 3))), (4..10, Some((true, 7, 3))), (10..11, None)];
    assert_eq!(grams, expected);
}

#[test]
fn long_words_are_cut() {
    let a = "a".repeat(1 << 20);
    assert_eq!(keys(&a), ["a".repeat(MAX_FOLDED)]);
    let mixed = format!("{}é", "a".repeat(64));
    assert_eq!(keys(&mixed), ["a".repeat(64)]);
    let cyrillic = "ы".repeat(40) + "'ы";
    assert_eq!(keys(&cyrillic), ["ы".repeat(32)]);
    // A base with ever so many marks.
    let marks = "\u{323}\u{301}".repeat(50_000);
    for base in ["a", "1", "か", "น", "ы"] {
        assert_eq!(keys(&format!("{base}{marks}")).len(), 1);
    }
    let tail = only_key(&"é\u{323}\u{325}\u{331}".repeat(20));
    assert!(tail.len() <= 20 + 1 + MAX_TAIL);
    assert!(written(&tail).ends_with('e'));
    assert_eq!(title_key(&written(&tail)), "e".repeat(20));
}

#[test]
fn keys_that_nobody_wrote_are_read_all_the_same() {
    for key in [
        &b"\x01"[..],
        b"",
        b"abc\x01",
        b"abc\x01\x02\x1f\x02",
        b"abc\x01\xff\xfe\xc3",
        b"abc\x01\xc3\xa9\xc3\xa9",
        b"\xff\x01\xc3\xa9",
        b"abc\x01\x01\x01a\x01b",
        "e\u{1}\u{2028}".as_bytes(),
    ] {
        let word = written(key);
        assert_eq!(title_key(&word), title_key(&String::from_utf8_lossy(folded(key))));
    }
    let long = [&b"e".repeat(100_000)[..], b"\x01", &"é".repeat(100_000).into_bytes()].concat();
    assert_eq!(written(&long).len(), 100_000);
}

#[test]
fn characters_that_are_their_own_keys_are() {
    for c in ('\0'..=char::MAX).filter(|&c| is_its_own_key(c)) {
        assert_eq!(title_key(&c.to_string()), c.to_string());
        assert_eq!(Class::of(c), Class::Gram, "{c}");
    }
}

/// Canonically equivalent texts have the same words: the first code point of a decomposition begins
/// a word if the composed one does, and the rest goes on with it.
#[test]
fn decomposition_does_not_change_where_words_are() {
    for c in '\0'..=char::MAX {
        let mut parts = c.nfd();
        let first = parts.next().unwrap();
        if first != c && Class::of(c) != Class::Apart {
            assert_eq!(Class::of(first), Class::of(c), "{c}");
            assert!(parts.all(|part| [Class::Mark, Class::of(c)].contains(&Class::of(part))), "{c}");
        }
    }
}

fn any_text() -> impl Strategy<Value = String> {
    let letters = prop_oneof![
        4 => proptest::char::range('a', 'z'),
        2 => proptest::char::range('\u{c0}', '\u{24f}'),
        1 => proptest::char::range('\u{1e00}', '\u{1eff}'),
        1 => proptest::char::range('\u{370}', '\u{52f}'),
        1 => proptest::char::range('\u{900}', '\u{e7f}'),
        1 => proptest::char::range('\u{3041}', '\u{318e}'),
        1 => proptest::char::range('\u{ac00}', '\u{ac80}'),
        1 => proptest::char::range('\u{1100}', '\u{11ff}'),
        2 => proptest::sample::select("' -_.œŒøßİıeE\u{301}\u{308}\u{327}\u{ad}漢字".chars().collect::<Vec<_>>()),
        1 => any::<char>(),
    ];
    proptest::collection::vec(letters, 0..24).prop_map(String::from_iter)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_word_in_other_letters_has_the_same_key(text in any_text()) {
        // What Unicode 16.0 does not know may have forms by now, and some letters change with case.
        let text: String = text.chars().filter(|&c| {
            let lower = c.to_lowercase().to_string();
            c.to_uppercase().to_string().to_lowercase() == lower && title_key(&lower) == title_key(&c.to_string())
        }).collect();
        let expected = keys(&text);
        prop_assert_eq!(&keys(&text.nfd().to_string()), &expected);
        prop_assert_eq!(&keys(&text.nfc().to_string()), &expected);
        prop_assert_eq!(&keys(&text.to_lowercase()), &expected);
    }

    #[test]
    fn what_was_written_folds_to_the_word(text in any_text()) {
        let mut words = Words::new(&text);
        while let Some(word) = words.next() {
            let written = written(word.key);
            let key = folded(word.key);
            prop_assert_eq!(title_key(&written), title_key(std::str::from_utf8(key).unwrap()));
            if word.grams.is_none() && !text.contains('\u{345}') {
                // Marks may come in any number, keys are bounded.
                let again = only_key(&written);
                prop_assert_eq!(&again, word.key, "{}", written);
            }
        }
    }

    #[test]
    fn words_do_not_depend_on_what_surrounds_them(text in any_text()) {
        let mut words = Words::new(&text);
        while let Some(word) = words.next() {
            if word.grams.is_none() {
                prop_assert_eq!(only_key(&text[word.range]), word.key);
            }
        }
    }

    #[test]
    fn any_bytes_have_a_written_form(key in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = written(&key);
    }
}
