use serde::Deserialize;

use super::{assert_harmless, on, packed, sample};

#[test]
fn titles_come_with_their_paths_and_why() {
    let found = on(sample(), "suggest", &["HONEY"]);
    assert_eq!((found.status, found.stdout.lines().next()), (0, Some("Honey\tHoney.html")));
    let typo = on(sample(), "suggest", &["hnoey"]);
    assert_eq!((typo.status, typo.stdout.lines().next()), (0, Some("Honey\tHoney.html\ttypo")));
    let via = on(sample(), "suggest", &["ussr"]).stdout;
    let target = via.lines().next().unwrap();
    assert!(target.contains("Soviet_Union.html\tredirected from USSR"), "{via}");
    // The redirect and its target are one.
    assert_eq!(on(sample(), "suggest", &["soviet union"]).stdout.matches("Soviet_Union.html").count(), 1);
}

#[test]
fn so_many_as_were_asked_for() {
    let three = on(sample(), "suggest", &["-n", "3", "a"]);
    assert_eq!((three.status, three.stdout.lines().count()), (0, 3));
    assert_eq!(on(sample(), "suggest", &["-n", "0", "a"]).status, 2);
    // No budget is no answer, and says so.
    let none = on(sample(), "suggest", &["--budget", "0", "a"]);
    assert_eq!((none.status, &none.stdout[..]), (1, ""));
    assert!(none.stderr.contains("not all was looked at"), "{}", none.stderr);
}

#[test]
fn nothing_alike_is_said_with_status_1() {
    let none = on(sample(), "suggest", &["qqqqqqqq"]);
    assert_eq!((none.status, &none.stdout[..]), (1, ""));
    assert!(none.stderr.contains("no title like \"qqqqqqqq\""), "{}", none.stderr);
    let (_folder, archive, _) = packed(&[("a.css", b"")], &[]);
    assert_eq!(on(&archive, "suggest", &["a"]).status, 1);
}

#[test]
fn titles_of_strangers_do_no_harm() {
    let page = "<title>Evil \u{1b}[2J\u{202e}title</title>".as_bytes();
    let (_folder, archive, _) = packed(&[("e\u{1b}.html", page)], &[]);
    for args in [&["evil"][..], &["evil", "--json"], &["evli"]] {
        let found = on(&archive, "suggest", args);
        assert_eq!(found.status, 0);
        assert_harmless(&found.stdout);
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
enum Line {
    Suggestion { title: String, path: String, r#match: String, via: Option<String> },
    End { partial: bool, seconds: f64 },
}

#[test]
fn json_has_a_line_each_and_an_end() {
    let lines = |query: &str| -> Vec<Line> {
        let out = on(sample(), "suggest", &[query, "--json"]).stdout;
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let found = lines("ussr");
    let Some(Line::Suggestion { title, path, r#match, via }) = found.first() else { panic!() };
    assert_eq!((&title[..], &path[..], &r#match[..]), ("Soviet Union", "Soviet_Union.html", "exact"));
    assert_eq!(via.as_deref(), Some("USSR"));
    assert!(matches!(found.last(), Some(Line::End { partial: false, seconds }) if *seconds >= 0.0));
    assert!(matches!(&lines("qqqqqqqq")[..], [Line::End { partial: false, .. }]));
}
