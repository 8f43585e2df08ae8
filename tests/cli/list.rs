use super::{on, sample};

#[test]
fn kinds_and_prefixes_choose() {
    let all = on(sample(), "list", &[]).stdout;
    let kinds = ["article", "media", "redirect"].map(|kind| on(sample(), "list", &["--kind", kind]).stdout);
    assert_eq!(all.lines().count(), kinds.iter().map(|k| k.lines().count()).sum::<usize>());
    let mut paths: Vec<&str> = all.lines().map(|line| line.split('\t').next().unwrap()).collect();
    let listed = paths.clone();
    paths.sort_unstable();
    assert_eq!(paths, listed);
    let media = on(sample(), "list", &["--prefix", "media/"]).stdout;
    assert!(media.lines().count() > 5 && media.lines().all(|line| line.starts_with("media/")));
    assert_eq!(on(sample(), "list", &["--prefix", "zzz"]).stdout, "");
    assert_eq!(on(sample(), "list", &["--kind", "redirect", "--prefix", "UdSSR"]).stdout, "UdSSR\tUdSSR\n");
}

#[test]
fn the_archive_can_lie_inside_another_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = vec![7; 12_345];
    bytes.extend_from_slice(&std::fs::read(sample()).unwrap());
    bytes.extend_from_slice(b"and more");
    let path = folder.path().join("program.exe");
    std::fs::write(&path, bytes).unwrap();
    let expected = on(sample(), "list", &[]).stdout;
    assert_eq!(on(&path, "list", &["--at", "12345"]).stdout, expected);
    assert_eq!(on(&path, "list", &["--at", "12345", "--no-mmap"]).stdout, expected);
    assert_eq!(on(&path, "list", &[]).status, 2);
    assert_eq!(on(&path, "verify", &["--at", "12345"]).status, 0);
}
