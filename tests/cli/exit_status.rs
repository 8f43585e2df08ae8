use super::{assert_harmless, on, packed, run, sample, tome};

#[test]
fn usage_is_2_and_help_is_0() {
    assert_eq!(run::<&str>(&[]).status, 2);
    assert_eq!(run(&["nonsense"]).status, 2);
    assert_eq!(run(&["list"]).status, 2);
    assert_eq!(run(&["convert"]).status, 2);
    // Without arguments it would serve until it is told to end.
    assert_eq!(run(&["serve", "--listen", "nonsense"]).status, 2);
    assert_eq!(run(&["--version"]).status, 0);
    assert_eq!(run(&["help", "read"]).status, 0);
}

#[test]
fn what_is_no_archive_is_2() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("empty"), "").unwrap();
    std::fs::write(path("text"), "hello").unwrap();
    std::fs::write(
        path("x.zim"),
        b"ZIM\x04aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    )
    .unwrap();
    for name in ["empty", "text", "x.zim", "missing", "."] {
        let is_zim = name == "x.zim";
        for (command, args) in [
            ("info", &[][..]),
            ("list", &[]),
            ("read", &["x"]),
            ("random", &[]),
            ("suggest", &["x"]),
            ("search", &["x"]),
            ("verify", &[]),
            ("extract", &["-o", "never"]),
        ] {
            let run = on(&path(name), command, args);
            if is_zim && command == "verify" {
                // It begins as a ZIM does, so what is wrong with it is damage.
                assert_eq!(run.status, 1, "{}", run.stderr);
                continue;
            }
            assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{command} {name}: {}", run.stderr);
        }
    }
    let zim = on(&path("x.zim"), "info", &[]).stderr;
    assert!(zim.contains("header length") && zim.contains("says what is damaged"), "{zim}");
}

#[test]
fn no_articles_is_1() {
    let (_folder, archive, _) = packed(&[("a.css", b"a{}")], &[]);
    assert_eq!(on(&archive, "random", &[]).status, 1);
    assert_eq!(on(sample(), "random", &[]).status, 0);
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_read_is_2_and_the_rest_is_packed() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, archive, _) =
        packed(&[("a.html", b"<title>A</title>"), ("b.html", b"<title>B</title>")], &[]);
    let corpus = folder.path().join("corpus");
    std::fs::set_permissions(corpus.join("b.html"), PermissionsExt::from_mode(0o000)).unwrap();
    if std::fs::read(corpus.join("b.html")).is_ok() {
        // Root may read everything, and there is nothing to see here.
        return;
    }
    let out = tome().args(["pack", "--force", "-o"]).arg(&archive).arg(&corpus).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    assert_eq!(on(&archive, "list", &[]).stdout, "a.html\tA\n");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_2() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_tome"))
        .arg("list")
        .arg(sample())
        .stdout(full)
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(2));
}

#[test]
fn usage_errors_hold_no_control_characters() {
    for args in [&["\u{1b}[2Jx"][..], &["list", "a", "--\u{1b}]0;x\u{7}"], &["list", "a", "b", "\u{9b}31m"]] {
        let run = run(args);
        assert_eq!((run.status, run.stdout.as_str()), (2, ""));
        assert!(run.stderr.contains("error:"), "{}", run.stderr);
        assert_harmless(&run.stderr);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn help_that_cannot_be_written_is_2() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_tome"))
        .arg("--help")
        .stdout(full)
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(2));
}
