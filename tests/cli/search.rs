use serde::Deserialize;

use super::{assert_harmless, on, packed, run, sample};

#[test]
fn articles_come_with_their_paths_and_passages() {
    let found = on(sample(), "search", &["honey"]);
    assert_eq!((found.status, found.stdout.lines().next()), (0, Some("Honey\tHoney.html")));
    let passage = found.stdout.lines().nth(1).unwrap();
    assert!(passage.starts_with("    ") && passage.to_lowercase().contains("honey"), "{passage}");
    // Through a redirect's title.
    let via = on(sample(), "search", &["ussr"]).stdout;
    assert!(via.starts_with("Soviet Union\tSoviet_Union.html\n"), "{via}");
}

#[test]
fn several_archives_are_searched_together_and_named() {
    let (_folder, archive, _) = packed(&[("bees.html", b"<title>Bees</title><p>They make honey.")], &[]);
    let names = [sample().to_str().unwrap(), archive.to_str().unwrap()];
    let found = run(&["search", names[0], names[1], "honey", "-n", "50"]);
    assert_eq!(found.status, 0);
    assert!(found.stdout.contains(&format!("Bees\tbees.html ({})", names[1])), "{}", found.stdout);
    assert!(found.stdout.contains(&format!("Honey\tHoney.html ({})", names[0])), "{}", found.stdout);
}

#[test]
fn nothing_found_is_status_1_and_little_is_explained() {
    let none = on(sample(), "search", &["qqqqqqqq"]);
    assert_eq!((none.status, &none.stdout[..]), (1, ""));
    assert_eq!(on(sample(), "search", &[""]).status, 1);
    let typo = on(sample(), "search", &["hnoey"]);
    assert!(typo.stderr.contains("did you mean: honey"), "{}", typo.stderr);
    let relaxed = on(sample(), "search", &["honey qqqqqqqq"]);
    assert_eq!(relaxed.status, 0);
    assert!(relaxed.stderr.contains("no article has all that was asked for"), "{}", relaxed.stderr);
    // A query alone, without an archive.
    assert_eq!(run(&["search", "honey"]).status, 2);
    assert_eq!(run(&["search", "there-is-no-such.tome", "honey"]).status, 2);
}

#[test]
fn an_archive_without_an_index_says_so_and_finds_titles() {
    let (_folder, archive, _) = packed(
        &[("a.html", b"<title>Honey</title><p>bees"), ("b.html", b"<title>Wax</title><p>bees")],
        &["--no-search"],
    );
    let found = on(&archive, "search", &["hone"]);
    assert_eq!((found.status, found.stdout.lines().next()), (0, Some("Honey\ta.html")));
    assert!(found.stderr.contains("without a full-text index"), "{}", found.stderr);
    assert!(found.stderr.contains("tome pack"), "{}", found.stderr);
    assert_eq!(on(&archive, "search", &["bees"]).status, 1);
    assert_eq!(on(&archive, "suggest", &["honey"]).status, 0);
}

#[test]
fn pages_of_strangers_do_no_harm() {
    let page = "<title>Evil \u{1b}[2J</title><p>needle \u{1b}]0;x\u{7} \u{202e} &lt;b&gt; needle".as_bytes();
    let (_folder, archive, _) = packed(&[("e.html", page)], &[]);
    for args in [&["needle"][..], &["needle", "--json"]] {
        let found = on(&archive, "search", args);
        assert_eq!(found.status, 0);
        assert_harmless(&found.stdout);
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
enum Line {
    Hit { archive: String, title: String, path: String, score: u64, snippet: String, relaxed: bool },
    End { hits_at_least: u64, partial: bool, did_you_mean: Option<String>, seconds: f64 },
}

#[test]
fn json_has_a_line_each_and_an_end() {
    let lines = |args: &[&str]| -> Vec<Line> {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let out = on(sample(), "search", &args).stdout;
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let found = lines(&["honey bees"]);
    let Some(Line::Hit { archive, title, path, score, snippet, relaxed }) = found.first() else { panic!() };
    assert_eq!((&title[..], &path[..], relaxed), ("Honey", "Honey.html", &false));
    assert!(archive.ends_with(".tome") && *score > 0 && snippet.contains("<b>"), "{snippet}");
    let Some(Line::End { hits_at_least, partial, did_you_mean, seconds }) = found.last() else { panic!() };
    assert!(*hits_at_least as usize >= found.len() - 1 && !partial && *seconds >= 0.0);
    assert_eq!(did_you_mean.as_deref(), None);
    assert!(
        matches!(&lines(&["hnoey"])[..], [Line::End { did_you_mean: Some(word), .. }] if word == "honey")
    );
    // The second page goes on where the first ends.
    let titles = |args: &[&str]| -> Vec<String> {
        let title = |line| if let Line::Hit { title, .. } = line { Some(title) } else { None };
        lines(args).into_iter().filter_map(title).collect()
    };
    let all = titles(&["the", "-n", "8"]);
    assert_eq!(titles(&["the", "-n", "4", "--offset", "4"]), all[4..]);
}
