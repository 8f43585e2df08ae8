use super::{on, packed, sample, sample_folder};

#[test]
fn files_come_back_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let run = on(sample(), "extract", &["-o", target.to_str().unwrap()]);
    assert_eq!((run.status, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    for name in ["Honey.html", "AC/DC.html", "media/aurora.png", "Übersee.html", "What_Is_a_Question?.html"]
    {
        assert_eq!(
            std::fs::read(target.join(name)).unwrap(),
            std::fs::read(sample_folder().join(name)).unwrap(),
            "{name}"
        );
    }
    assert!(target.join("tome-manifest.json").exists());
}

#[test]
fn a_folder_in_use_and_an_existing_zip_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mine"), "x").unwrap();
    let target = folder.path().to_str().unwrap();
    let run = on(sample(), "extract", &["-o", target]);
    assert_eq!(run.status, 2);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(on(sample(), "extract", &["style.css", "-o", target, "--force", "--no-manifest"]).status, 0);
    assert!(folder.path().join("style.css").exists() && folder.path().join("mine").exists());
    let zip = folder.path().join("x.zip");
    std::fs::write(&zip, "mine").unwrap();
    assert_eq!(on(sample(), "extract", &["--zip", zip.to_str().unwrap()]).status, 2);
    assert_eq!(std::fs::read(&zip).unwrap(), b"mine");
    assert_eq!(on(sample(), "extract", &["--zip", zip.to_str().unwrap(), "--force"]).status, 0);
    assert!(std::fs::read(&zip).unwrap().starts_with(b"PK"));
}

#[test]
fn patterns_limits_and_missing_targets() {
    let folder = tempfile::tempdir().unwrap();
    let target = |name: &str| folder.path().join(name).display().to_string();
    let some = on(sample(), "extract", &["media/*.png", "-o", &target("a"), "--no-manifest", "--json"]);
    assert_eq!(some.status, 0);
    let n = std::fs::read_dir(folder.path().join("a/media")).unwrap().count();
    assert!(n > 1 && some.stdout.contains(&format!("\"entries\":{n},")), "{}", some.stdout);
    assert_eq!(on(sample(), "extract", &["zzz*", "-o", &target("b")]).status, 1);
    assert_eq!(on(sample(), "extract", &["-o", &target("c"), "--max-bytes", "10K"]).status, 2);
    assert_eq!(on(sample(), "extract", &[]).status, 2);
    assert_eq!(on(sample(), "extract", &["-o", &target("d"), "--zip", &target("e")]).status, 2);
}

#[test]
fn damage_costs_what_it_hits_and_is_listed() {
    // Noise is stored as it is, in blocks of its own.
    let noise = |seed: u32| -> Vec<u8> {
        let mut x = seed;
        let mut next = || {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            (x >> 24) as u8
        };
        (0..200_000).map(|_| next()).collect()
    };
    let (one, two) = (noise(1), noise(2));
    let (folder, archive, _) =
        packed(&[("one.bin", &one), ("two.bin", &two), ("a.html", b"<title>A</title>text")], &[]);
    let mut bytes = std::fs::read(&archive).unwrap();
    let at = bytes.windows(64).position(|w| w == &one[1000..1064]).unwrap();
    bytes[at] ^= 1;
    std::fs::write(&archive, bytes).unwrap();
    let target = folder.path().join("out");
    let run = on(&archive, "extract", &["-o", target.to_str().unwrap(), "--json"]);
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert!(run.stdout.contains("\"path\":\"one.bin\""), "{}", run.stdout);
    assert!(run.stderr.contains("error: one.bin: "), "{}", run.stderr);
    assert!(!target.join("one.bin").exists());
    assert!(std::fs::read(target.join("two.bin")).unwrap() == two);
    assert!(target.join("a.html").exists());
    let read = on(&archive, "read", &["one.bin", "--raw", "--json"]);
    assert_eq!((read.status, read.stdout.as_str()), (2, ""));
    assert!(read.stderr.contains("hint: `tome verify"), "{}", read.stderr);
}

#[test]
fn patterns_that_match_nothing_create_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (option, name) in [("-o", "out"), ("--zip", "x.zip")] {
        let target = folder.path().join(name);
        let run = on(sample(), "extract", &["no-such-path", option, target.to_str().unwrap()]);
        assert_eq!(run.status, 1, "{}", run.stderr);
        assert!(!target.exists(), "{name}");
    }
}
