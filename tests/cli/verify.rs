use super::{on, packed, sample};

#[test]
fn a_whole_archive_is_whole() {
    for args in [&[][..], &["--quick"], &["--links"], &["--no-mmap"]] {
        let run = on(sample(), "verify", args);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{args:?}: {}", run.stdout);
        assert!(run.stdout.contains("whole") && run.stdout.contains("106 entries"), "{}", run.stdout);
    }
}

#[test]
fn damage_is_status_1_wherever_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.tome");
    let whole = std::fs::read(sample()).unwrap();
    for at in [8, 100, 5000, whole.len() / 2, whole.len() - 5000, whole.len() - 100] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        std::fs::write(&path, bytes).unwrap();
        let run = on(&path, "verify", &[]);
        assert_eq!(run.status, 1, "byte {at}: {}", run.stdout);
        assert!(run.stdout.contains("DAMAGED"), "{}", run.stdout);
    }
    // Cut short, its start lost, its start overwritten.
    for bytes in [&whole[..whole.len() - 1], &whole[..4096], &whole[..20], &whole[3..]] {
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(on(&path, "verify", &[]).status, 1, "{} bytes", bytes.len());
        assert_eq!(on(&path, "list", &[]).status, 2);
    }
}

#[test]
fn dead_links_are_warnings() {
    let files: &[(&str, &[u8])] = &[
        (
            "a.html",
            b"<title>A</title><a href='b.html#x'>b</a><a href='d/'>d</a><a href='gone.html'>g</a>\
            <a href='d/gone%20too.html?q'>h</a><a href='https://example.org/x'>e</a><a href='#here'>f</a>",
        ),
        ("b.html", b"<title>B</title><a href='/d/index.html'>i</a>"),
        ("d/index.html", b"<title>D</title><a href='../a.html'>a</a>"),
    ];
    let (_folder, archive, _) = packed(files, &[]);
    let run = on(&archive, "verify", &["--links"]);
    assert_eq!(run.status, 0);
    assert!(
        run.stdout.contains("a.html: 2 links lead nowhere: gone.html, d/gone%20too.html?q"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("warning: link (1)"), "{}", run.stdout);
    assert!(!on(&archive, "verify", &[]).stdout.contains("warning"));
}
