use super::{on, packed, run, sample_folder, tome};

#[test]
fn several_sources_make_one_archive() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("a=b")).unwrap();
    std::fs::write(path("a=b/index.html"), "<title>First</title><p>one").unwrap();
    std::fs::create_dir(path("c")).unwrap();
    std::fs::write(path("c/index.html"), "<title>Second</title><p>two").unwrap();
    std::fs::write(path("note.txt"), "A note\n\nwith text\n").unwrap();
    let out = path("out.tome");
    let prefixed = format!("{}=sub", path("c").display());
    let args = ["pack", path("a=b").to_str().unwrap(), &prefixed, path("note.txt").to_str().unwrap()]
        .map(str::to_owned);
    let mut args = args.to_vec();
    args.extend([
        "-o".into(),
        out.display().to_string(),
        "--tag".into(),
        "x".into(),
        "--tag".into(),
        "y".into(),
    ]);
    let packed = run(&args);
    assert_eq!(packed.status, 0, "{}", packed.stderr);
    assert_eq!(packed.stdout, "");
    assert!(packed.stderr.contains("3 articles"), "{}", packed.stderr);
    let list = on(&out, "list", &[]).stdout;
    assert_eq!(list, "index.html\tFirst\nnote.txt\tA note\nsub/index.html\tSecond\n");
    let info = on(&out, "info", &[]).stdout;
    assert!(info.contains("First") && info.contains("x, y"), "{info}");
}

#[test]
fn one_path_from_two_sources_names_both() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.tome");
    let sample = sample_folder().display().to_string();
    let twice = run(&["pack", &sample, &sample, "-o", out.to_str().unwrap()]);
    assert_eq!(twice.status, 2);
    assert!(twice.stderr.contains("SOURCE=PREFIX"), "{}", twice.stderr);
    assert!(!out.exists());
}

#[test]
fn an_existing_archive_is_left_alone() {
    let (folder, archive, first) = packed(&[("a.html", b"<title>A</title>")], &[]);
    assert_eq!(first.status, 0);
    let before = std::fs::read(&archive).unwrap();
    std::fs::write(folder.path().join("corpus/b.html"), "<title>B</title>").unwrap();
    let corpus = folder.path().join("corpus");
    let args = ["pack", corpus.to_str().unwrap(), "-o", archive.to_str().unwrap()];
    let refused = run(&args);
    assert_eq!(refused.status, 2);
    assert!(refused.stderr.contains("--force replaces it"), "{}", refused.stderr);
    assert_eq!(std::fs::read(&archive).unwrap(), before);
    let forced = run(&[&args[..], &["--force"]].concat());
    assert_eq!(forced.status, 0);
    assert_ne!(std::fs::read(&archive).unwrap(), before);
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn an_archive_in_its_own_source_is_no_part_of_it() {
    let (folder, _, _) = packed(&[("a.html", b"<title>A</title>")], &[]);
    let corpus = folder.path().join("corpus");
    for _ in 0..2 {
        let out = tome()
            .current_dir(&corpus)
            .args(["pack", ".", "-o", "out.tome", "--force", "-q"])
            .output()
            .unwrap();
        assert!(out.status.success());
        assert_eq!(on(&corpus.join("out.tome"), "list", &[]).stdout, "a.html\tA\n");
    }
}

#[test]
fn options_that_make_no_sense_are_refused_before_anything_happens() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "A\n").unwrap();
    for (args, message) in [
        (&["-o", "x"][..], "-o x.tome"),
        (&["-o", "x.zip"], "ends in .tome or .zim"),
        (&["-o", "x.tome", "--date", "2023-02-29"], "is no date"),
        (&["-o", "x.tome", "--language", "English (US)"], "is no language tag"),
        (&["-o", "x.tome", "--block-size", "9M"], "4K to 1M"),
        (&["-o", "x.tome", "--level", "99"], "99"),
        (&["-o", "x.tome", "--exclude", "a{b"], "not a pattern"),
        (&["-o", "x.tome", "--main", "b.html"], "not among what was packed"),
        (&["-o", "x.tome", "--icon", "a.txt"], "not a picture"),
        (&["-o", "x.tome", "--redirects", "none.tsv"], "none.tsv"),
        (&["-o", "x.tome", "--redirects", "."], "not a regular file"),
        (&["-o", "x.tome", "--icon", "."], "not a regular file"),
        (&["-o", "none/x.tome"], "none/x.tome"),
    ] {
        let out = tome().current_dir(folder.path()).args(["pack", "a.txt"]).args(args).output().unwrap();
        let stderr = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains(message), "{args:?}: {stderr}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "{args:?}");
    }
}

#[test]
fn threads_and_memory_change_no_byte_and_no_search_leaves_the_index_out() {
    let folder = tempfile::tempdir().unwrap();
    let sample = sample_folder().display().to_string();
    let mut made = vec![];
    for (i, args) in
        [&["--threads", "1"][..], &["--threads", "3", "--memory", "64M"], &["--no-search"]].iter().enumerate()
    {
        let out = folder.path().join(format!("{i}.tome"));
        let all = [&["pack", "-q", &sample, "-o", out.to_str().unwrap()], *args].concat();
        assert_eq!(run(&all).status, 0);
        made.push(std::fs::read(out).unwrap());
    }
    assert!(made[0] == made[1]);
    assert!(made[2].len() < made[0].len());
}

#[cfg(unix)]
#[test]
fn what_a_rule_leaves_out_is_a_warning() {
    let (folder, _, _) = packed(&[("a.html", b"<title>A</title>")], &[]);
    let corpus = folder.path().join("corpus");
    std::os::unix::fs::symlink("/etc/hostname", corpus.join("out.html")).unwrap();
    std::os::unix::fs::symlink("nowhere.html", corpus.join("dangling.html")).unwrap();
    std::os::unix::fs::symlink("a.html", corpus.join("b.html")).unwrap();
    let args = ["pack", corpus.to_str().unwrap(), "--force", "-o"];
    let archive = folder.path().join("a.tome");
    let result = run(&[&args[..], &[archive.to_str().unwrap()]].concat());
    assert_eq!(result.status, 0);
    assert!(result.stderr.contains("2 warnings, 0 errors"), "{}", result.stderr);
    let quiet = run(&[&args[..], &[archive.to_str().unwrap(), "--quiet"]].concat());
    assert_eq!((quiet.status, quiet.stderr.as_str()), (0, ""));
    assert_eq!(on(&archive, "list", &["--kind", "redirect"]).stdout, "b.html\tb\n");
}

#[test]
fn joined_archives_keep_their_languages() {
    let (en, a, _) = packed(&[("a.html", b"<title>A</title>a")], &["--language", "en"]);
    let (_de, b, _) = packed(&[("b.html", b"<title>B</title>b")], &["--language", "de"]);
    let joined = en.path().join("joined.tome");
    let [a, b] = [a, b].map(|path| path.to_str().unwrap().to_owned());
    let out = super::run(&["pack", "-q", &a, &b, "-o", joined.to_str().unwrap()]);
    assert_eq!(out.status, 0, "{}", out.stderr);
    let archive = tome::reader::Archive::open(&joined).unwrap();
    let language = |path: &str| {
        let id = archive.entry_by_path(path).unwrap().unwrap().id;
        archive.language(id).unwrap().map(str::to_owned)
    };
    assert_eq!(language("b.html").as_deref(), Some("de"));
    assert!(matches!(language("a.html").as_deref(), None | Some("en")));
}

#[test]
fn a_zim_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("x.tome");
    for (name, bytes, message) in
        [("a.zim", &b"?"[..], "not an archive"), ("b", b"ZIM\x04xxxx", "header length")]
    {
        let source = folder.path().join(name);
        std::fs::write(&source, bytes).unwrap();
        let run = super::run(&["pack", source.to_str().unwrap(), "-o", out.to_str().unwrap()]);
        assert_eq!(run.status, 2);
        assert!(run.stderr.contains(message) && run.stderr.contains(name), "{}", run.stderr);
    }
}
