use std::collections::{BTreeSet, HashSet};

use proptest::prelude::*;

use super::*;

fn assign_all(rules: Rules, paths: &[&str]) -> Vec<String> {
    let mut names = Names::new(rules, None);
    let text = |name| String::from_utf8(name).unwrap();
    paths.iter().map(|p| text(names.assign(p, false).unwrap())).collect()
}

fn folders_of(paths: &[String]) -> IsFolder<'static> {
    let set: BTreeSet<String> = paths.iter().cloned().collect();
    Box::new(move |prefix| Ok(set.range(prefix.to_owned()..).next().is_some_and(|p| p.starts_with(prefix))))
}

/// What the target relies on.
fn check_safe(name: &[u8], rules: Rules) {
    assert!(name.len() <= rules.max_len);
    assert!(!name.contains(&0));
    for component in name.split(|&b| b == b'/') {
        assert!(!component.is_empty() && component != b"." && component != b"..");
        assert!(component.len() <= 255, "{}", component.len());
        if rules.windows {
            assert!(!component.ends_with(b".") && !component.ends_with(b" "));
            assert!(component.iter().all(|&b| b >= b' ' && !b"<>:\"\\|?*".contains(&b)));
            assert!(!is_windows_device(component));
        }
    }
}

#[test]
fn what_unix_holds_stays_as_it_is() {
    let plain =
        ["a.html", "C:\\x", "%2e%2e/x", "AUX", "a b.", "é", "~", "-rf", "A", "a", "x/\n\"y\"?", "..."];
    assert_eq!(assign_all(Rules::UNIX, &plain), plain);
}

#[test]
fn x01_names_that_lead_out_are_encoded() {
    let cases = [
        ("../x", "%2E%2E/x"),
        ("a/../../x", "a/%2E%2E/%2E%2E/x"),
        ("/abs", "%_/abs"),
        ("//srv/x", "%_/%_/srv/x"),
        ("a//b/", "a/%_/b/%_"),
        ("", "%_"),
        (".", "%2E"),
        ("a\0%", "a%00%25"),
    ];
    for (path, name) in cases {
        assert_eq!(assign_all(Rules::UNIX, &[path]), [name]);
    }
}

#[test]
fn x01_portable_names_hold_on_windows() {
    let cases = [
        ("C:\\x", "C%3A%5Cx"),
        ("\\\\srv\\x", "%5C%5Csrv%5Cx"),
        ("..\\x", "..%5Cx"),
        ("%2e%2e/x", "%2e%2e/x"),
        ("CON", "%43ON"),
        ("nul", "%6Eul"),
        ("x/aux.tar.gz", "x/%61ux.tar.gz"),
        ("com\u{b9}", "%63om\u{b9}"),
        ("com10", "com10"),
        ("dot.", "dot%2E"),
        ("space ", "space%20"),
        ("a:b", "a%3Ab"),
        ("100% \"x\"", "100%25 %22x%22"),
        ("100%", "100%"),
    ];
    for (path, name) in cases {
        assert_eq!(assign_all(Rules::PORTABLE, &[path]), [name], "{path:?}");
    }
}

#[test]
fn x01_a_zip_leads_no_unpacker_out() {
    let names = assign_all(Rules::ZIP, &["C:\\x", "..\\x", "Category:A?", "../x", "CON"]);
    assert_eq!(names, ["C%3A%5Cx", "..%5Cx", "Category:A?", "%2E%2E/x", "CON"]);
}

#[test]
fn x03_collisions_of_case_and_normalisation() {
    let names = assign_all(
        Rules::PORTABLE,
        &["A.html", "B/x", "a.html", "b/y", "\u{e9}", "e\u{301}", "stra\u{df}e", "STRASSE"],
    );
    assert_eq!(names[0], "A.html");
    assert!(names[2].starts_with("a%~") && names[2].ends_with(".html"), "{}", names[2]);
    assert!(names[3].starts_with("b%~") && names[3].ends_with("/y"), "{}", names[3]);
    assert!(names[5].starts_with("e\u{301}%~"));
    assert!(names[7].starts_with("STRASSE%~"));
    // Files of one folder stay together.
    let names = assign_all(Rules::PORTABLE, &["B/x", "b/y", "b/z/1", "b/z/2"]);
    assert_eq!(names[1].split_once('/').unwrap().0, names[3].split_once('/').unwrap().0);
}

#[test]
fn x03_file_against_folder() {
    // Known before: the file gives way.
    let paths = ["AC", "AC!", "AC/DC", "AC/DC/x"].map(String::from);
    let mut names = Names::new(Rules::UNIX, Some(folders_of(&paths)));
    let got: Vec<_> =
        paths.iter().map(|p| String::from_utf8(names.assign(p, false).unwrap()).unwrap()).collect();
    assert!(got[0].starts_with("AC%~"));
    assert_eq!(got[1], "AC!");
    assert!(got[2].starts_with("AC/DC%~"));
    assert_eq!(got[3], "AC/DC/x");
    // Not known: whoever comes second.
    let got = assign_all(Rules::UNIX, &["AC", "AC/DC", "AC/EF", "b/c", "b"]);
    assert_eq!(got[0], "AC");
    assert!(got[1].starts_with("AC%~") && got[1].ends_with("/DC"));
    assert_eq!(got[1].replace("/DC", "/EF"), got[2]);
    assert!(got[4].starts_with("b%~"));
}

#[test]
fn x04_long_components_and_paths() {
    let long = format!("{}.html", "é".repeat(200));
    let names =
        assign_all(Rules::UNIX, &[&long, &"x/".repeat(30_000), &format!("{}y.html", "x/".repeat(30_000))]);
    assert!(names[0].ends_with(".html") && names[0].contains("%~") && names[0].len() <= 255);
    assert!(names[1].starts_with("%~/"));
    assert!(names[2].starts_with("%~/") && names[2].ends_with(".html"));
    names.iter().for_each(|n| check_safe(n.as_bytes(), Rules::UNIX));
    let names = assign_all(Rules::UNIX, &["%~", "%~/ab"]);
    assert!(names[0].starts_with("%~%~") && names[1].starts_with("%~%~") && names[1].ends_with("/ab"));
}

#[test]
fn x07_the_manifests_own_name_is_taken() {
    let names =
        assign_all(Rules::UNIX, &["tome-manifest.json", "x/tome-manifest.json", "Tome-Manifest.json"]);
    assert!(names[0].starts_with("tome-manifest%~") && names[0].ends_with(".json"));
    assert_eq!(names[1], "x/tome-manifest.json");
    assert_eq!(names[2], "Tome-Manifest.json");
    let names = assign_all(Rules::PORTABLE, &["Tome-Manifest.json", "tome-manifest.json/x"]);
    assert!(names[0].starts_with("Tome-Manifest%~"));
    assert!(names[1].starts_with("tome-manifest%~"));
}

#[test]
fn an_encoded_name_that_is_taken_gets_another() {
    let names = assign_all(Rules::UNIX, &["%2E%2E", "..", "%_", ""]);
    assert_eq!(names[0], "%2E%2E");
    assert!(names[1].starts_with("%2E%2E%~"));
    assert!(names[3].starts_with("%_%~"));
    // The other way round: the literal path comes second.
    let names = assign_all(Rules::UNIX, &["..", "%2E%2E"]);
    assert_eq!(names[0], "%2E%2E");
    assert!(names[1].starts_with("%2E%2E%~"));
}

#[test]
fn bytes_that_are_not_utf8_are_written_as_they_were() {
    let mut names = Names::new(Rules::UNIX, None);
    assert_eq!(names.assign("d/\u{f8ff}ff", true).unwrap(), b"d/\xff");
    let mut names = Names::new(Rules::PORTABLE, None);
    assert_eq!(names.assign("d/\u{f8ff}ff", true).unwrap(), b"d/%FF");
    // A flag that lies makes no slash.
    let name = Names::new(Rules::UNIX, None).assign("a\u{f8ff}2f..\u{f8ff}2fb", true).unwrap();
    assert_eq!(name.iter().filter(|&&b| b == b'/').count(), 0);
}

#[test]
fn order_is_asked_for_where_uniqueness_rests_on_it() {
    let mut names = Names::new(Rules::UNIX, Some(Box::new(|_| Ok(false))));
    names.assign("b", false).unwrap();
    assert!(matches!(names.assign("b", false), Err(Error::InvalidInput(_))));
    assert!(matches!(names.assign("a", false), Err(Error::InvalidInput(_))));
    let mut all = Names::new(Rules::UNIX, None);
    for path in ["x/b", "..", "a"] {
        all.assign(path, false).unwrap();
        assert!(matches!(all.assign(path, false), Err(Error::InvalidInput(_))));
    }
    assert!(names.taken.len() == 2, "usual names cost nothing");
}

#[test]
fn many_collisions_stay_cheap() {
    let mut names = Names::new(Rules::PORTABLE, None);
    let mut seen = HashSet::new();
    for i in 0..1 << 14 {
        let path: String = (0..14).map(|b| if i >> b & 1 == 1 { 'A' } else { 'a' }).collect();
        let name = names.assign(&path, false).unwrap();
        assert!(seen.insert(name.to_ascii_lowercase()));
    }
}

fn any_path() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[aA%.~ _é\u{e9}\u{301}b:\\\\\u{0}\u{f8ff}]{0,3}",
        1 => Just("..".to_owned()),
        1 => Just("CON".to_owned()),
        1 => Just("%2E%2E".to_owned()),
        1 => Just("tome-manifest.json".to_owned()),
        1 => "[a%]{250,300}",
        1 => "\u{f8ff}(ff|fe|2f|00)",
    ];
    prop::collection::vec(part, 1..4).prop_map(|parts| parts.join("/"))
}

proptest! {
    /// No two entries share a name, no file is another's folder, and every name is safe.
    #[test]
    fn names_are_safe_and_unique(
        paths in prop::collection::btree_set(any_path(), 1..40),
        escaped in any::<u64>(),
        rules in prop::sample::select(vec![Rules::UNIX, Rules::PORTABLE, Rules::ZIP]),
        known in any::<bool>(),
    ) {
        let list: Vec<String> = paths.into_iter().collect();
        let mut names = Names::new(rules, known.then(|| folders_of(&list)));
        let mut files = HashSet::new();
        let mut folders = HashSet::new();
        for (i, path) in list.iter().enumerate() {
            let name = names.assign(path, escaped >> i & 1 == 1).unwrap();
            check_safe(&name, rules);
            let name = if rules.fold {
                let text = std::str::from_utf8(&name).unwrap();
                let fold = caseless::Caseless::default_case_fold(text.nfd());
                fold.nfd().collect::<String>().into_bytes()
            } else {
                name
            };
            for (at, _) in name.iter().enumerate().filter(|(_, b)| **b == b'/') {
                folders.insert(name[..at].to_vec());
            }
            prop_assert!(files.insert(name), "{path:?}");
        }
        prop_assert!(files.is_disjoint(&folders));
        prop_assert!(!files.contains(&b"tome-manifest.json"[..]) && !folders.contains(&b"tome-manifest.json"[..]));
    }
}
