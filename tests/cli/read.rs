use std::process::{Command, Stdio};

use super::{assert_harmless, on, packed, sample, sample_folder};

#[test]
fn a_title_is_found_as_people_type_it() {
    for name in ["mexico-russia relations", "Mexico–Russia relations", "Mexico–Russia_relations.html"] {
        let run = on(sample(), "read", &[name]);
        assert_eq!(run.status, 0, "{name}: {}", run.stderr);
        assert!(run.stdout.starts_with("Mexico–Russia relations\n==="), "{}", run.stdout);
        assert!(run.stdout.contains("1 December 1890") && run.stdout.contains("\nLinks\n[1] "));
        assert_harmless(&run.stdout);
    }
}

#[test]
fn the_kinds_of_names_can_be_told_apart() {
    assert_eq!(on(sample(), "read", &["--title", "Honey.html"]).status, 1);
    assert_eq!(on(sample(), "read", &["--path", "Honey"]).status, 1);
    assert_eq!(on(sample(), "read", &["--path", "Honey.html"]).status, 0);
    assert_eq!(on(sample(), "read", &["--title", "honey"]).status, 0);
}

#[test]
fn several_and_none_are_said_on_stderr() {
    let several = on(sample(), "read", &["mercury"]);
    assert_eq!((several.status, several.stdout.as_str()), (1, ""));
    assert!(
        several.stderr.contains("Mercury_(element).html") && several.stderr.contains("Mercury_(planet).html")
    );
    let none = on(sample(), "read", &["Mexico City Limits"]);
    assert_eq!((none.status, none.stdout.as_str()), (1, ""));
    assert!(none.stderr.contains("hint: there is \"Mexico City\""), "{}", none.stderr);
}

#[test]
fn a_redirect_says_where_it_leads() {
    let run = on(sample(), "read", &["USSR"]);
    assert!(run.stdout.starts_with("Soviet Union\n"));
    assert!(run.stderr.contains("redirected from USSR, to its section \"History\""), "{}", run.stderr);
    assert_eq!(on(sample(), "read", &["-q", "USSR"]).stderr, "");
    assert_eq!(on(sample(), "read", &["Honey"]).stderr, "");
}

#[test]
fn raw_is_every_byte_and_a_range_some_of_them() {
    let read = |args: &[&str]| {
        let out = super::tome().arg("read").arg(sample()).args(args).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        out.stdout
    };
    for name in
        ["media/aurora.png", "media/tuning-fork.wav", "Übersee.html", "List_of_integers_from_1_to_1200.html"]
    {
        let bytes = std::fs::read(sample_folder().join(name)).unwrap();
        assert!(read(&["--path", name, "--raw"]) == bytes, "{name}");
        assert!(read(&["--no-mmap", "--path", name, "--raw"]) == bytes, "{name}");
        assert_eq!(read(&[name, "--raw", "--range", "10-19"]), bytes[10..20]);
        assert_eq!(read(&[name, "--raw", "--range", "-7"]), bytes[bytes.len() - 7..]);
        assert_eq!(read(&[name, "--raw", "--range", "100-"]), bytes[100..]);
    }
    let behind = on(sample(), "read", &["Honey", "--raw", "--range", "99999-"]);
    assert_eq!(behind.status, 2);
    assert_eq!(on(sample(), "read", &["Honey", "--range", "0-1"]).status, 2);
}

#[test]
fn an_article_takes_other_forms() {
    let markdown = on(sample(), "read", &["Honey", "--markdown"]).stdout;
    assert!(markdown.starts_with("# Honey\n"), "{markdown}");
    let text = on(sample(), "read", &["Honey", "--text"]).stdout;
    assert!(text.starts_with("Honey\n\nHoney is what bees make"), "{text}");
    let html = on(sample(), "read", &["Übersee.html", "--html"]).stdout;
    assert!(html.contains("<title>&#xdc;bersee&#x2013;Sammlung</title>"), "{html}");
    assert!(on(sample(), "read", &["Łódź", "--html"]).stdout.contains("<title>Łódź"));
    let (_folder, archive, _) =
        packed(&[("m.md", b"# M & N\n\nSome *text*.\n"), ("t.txt", b"T\n\na < b\r\n")], &[]);
    let page = on(&archive, "read", &["m.md", "--html"]).stdout;
    assert!(page.contains("<title>M &amp; N</title>") && page.contains("<em>text</em>"), "{page}");
    assert!(on(&archive, "read", &["t.txt", "--html"]).stdout.contains("a &lt; b\n"));
    assert_eq!(on(&archive, "read", &["m.md", "--text"]).stdout, "M & N\n\nSome text.\n");
    assert_eq!(on(&archive, "read", &["m.md", "--markdown"]).stdout, "# M & N\n\nSome *text*.\n");
}

#[test]
fn what_is_no_text_says_what_it_is() {
    let run = on(sample(), "read", &["--path", "media/aurora.png"]);
    assert_eq!((run.status, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("image/png") && run.stderr.contains("--raw"), "{}", run.stderr);
    assert!(on(sample(), "read", &["--path", "style.css"]).stdout.contains('{'));
}

#[test]
fn a_name_may_begin_with_a_hyphen() {
    let (_folder, archive, _) = packed(&[("-x.html", b"<title>-n</title><p>text")], &[]);
    assert_eq!(on(&archive, "read", &["--", "-n"]).status, 0);
    assert_eq!(on(&archive, "read", &["--path", "--", "-x.html"]).status, 0);
}

#[cfg(unix)]
#[test]
fn hostile_text_never_reaches_the_output() {
    let page = "<title>A\u{1b}]0;x\u{7}B\u{202e}C\u{9b}</title><h1>H\u{1b}[2J</h1>\
        <p>p\u{1b}]8;;http://x\u{7}\u{202e}q\u{feff}\u{9d}<a href='x\u{1b}[1m\u{202e}'>l\u{8}</a><pre>\u{1b}c</pre>";
    let files: &[(&str, &[u8])] = &[
        ("a.html", page.as_bytes()),
        ("e\u{1b}]0;x\u{7}\u{202e}.html", b"<title>E</title>text"),
        ("t.txt", "T\u{1b}]0;x\u{7}\n\n\u{1b}[31m\u{9b}red\r\n".as_bytes()),
        ("m.md", "---\ntitle: \"M\u{1b}[1m\"\n---\n# M\u{1b}\n\ntext\u{202e} `\u{1b}[1m`\n".as_bytes()),
        ("s.css", b"a{}\x1b[2J"),
        ("n\nl\t.txt", b"one"),
    ];
    let (_folder, archive, result) = packed(files, &["--title", "T\u{1b}]0;x\u{7}", "--main", "e\u{1b}"]);
    assert_eq!(result.status, 2);
    assert_harmless(&result.stderr);
    let (folder, archive) = {
        drop(archive);
        let (folder, archive, result) = packed(files, &["--title", "T\u{1b}]0;x\u{7}"]);
        assert_eq!(result.status, 0, "{}", result.stderr);
        assert_harmless(&result.stderr);
        (folder, archive)
    };
    let target = folder.path().join("out");
    let target = target.to_str().unwrap();
    for (command, args) in [
        ("info", &[][..]),
        ("info", &["--json"]),
        ("list", &[]),
        ("list", &["--json"]),
        ("read", &["a.html"]),
        ("read", &["a.html", "--html"]),
        ("read", &["a.html", "--text"]),
        ("read", &["a.html", "--markdown"]),
        ("read", &["a.html", "--json"]),
        ("read", &["a.html", "--json", "--raw"]),
        ("read", &["t.txt"]),
        ("read", &["t.txt", "--html"]),
        ("read", &["t.txt", "--text"]),
        ("read", &["t.txt", "--markdown"]),
        ("read", &["m.md"]),
        ("read", &["m.md", "--html"]),
        ("read", &["m.md", "--markdown"]),
        ("read", &["s.css"]),
        ("read", &["s.css", "--json"]),
        ("read", &["no\u{1b}such"]),
        ("read", &["e"]),
        ("random", &[]),
        ("random", &["--json"]),
        ("verify", &["--links"]),
        ("verify", &["--links", "--json"]),
        ("extract", &["-o", target]),
    ] {
        let run = on(&archive, command, args);
        assert_harmless(&run.stdout);
        assert_harmless(&run.stderr);
    }
    let list = on(&archive, "list", &[]).stdout;
    assert_eq!(list.lines().count(), files.len(), "{list}");
    assert!(list.lines().all(|line| line.matches('\t').count() == 1), "{list}");
}

#[test]
fn a_closed_pipe_ends_quietly() {
    for args in [&["list"][..], &["read", "--raw"], &["info"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tome"));
        command.arg(args[0]).arg(sample()).args(&args[1..]);
        if args[0] == "read" {
            command.arg("List_of_integers_from_1_to_1200.html");
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let out = child.wait_with_output().unwrap();
        assert_eq!(out.status.code(), Some(0), "{args:?}");
        assert!(out.stderr.is_empty(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    }
}
