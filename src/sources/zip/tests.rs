//! Hostile and honest zips.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::super::Globs;
use super::super::testing::{Folder, Run, run};
use super::*;

fn method(method: CompressionMethod) -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(method)
}

/// Makes a zip of stored files.
fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, method(CompressionMethod::Stored)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn run_zip(bytes: &[u8]) -> Run {
    run_zip_with(bytes, Options::default())
}

fn run_zip_with(bytes: &[u8], options: Options) -> Run {
    let folder = Folder::new();
    folder.write("a.zip", bytes);
    run(&folder.path("a.zip"), "", options)
}

/// Puts another name in the place of one of the same length, everywhere.
fn renamed(mut zip: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let places: Vec<usize> = (0..zip.len() - from.len()).filter(|&at| zip[at..].starts_with(from)).collect();
    assert!(!places.is_empty());
    for at in places {
        zip[at..at + to.len()].copy_from_slice(to);
    }
    zip
}

/// Changes four bytes of the n-th record of the directory.
fn set_in_directory(zip: &mut [u8], n: usize, at: usize, value: u32) {
    let mut records = (0..zip.len() - 4).filter(|&at| zip[at..].starts_with(b"PK\x01\x02"));
    let record = records.nth(n).unwrap();
    zip[record + at..record + at + 4].copy_from_slice(&value.to_le_bytes());
}

#[test]
fn every_method_gives_the_same_bytes() {
    let page = "<title>T</title>".repeat(1000);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_directory("d", SimpleFileOptions::default()).unwrap();
    for (name, how) in [
        ("d/stored.html", CompressionMethod::Stored),
        ("d/zstd.html", CompressionMethod::Zstd),
        ("d/deflate.html", CompressionMethod::Deflated),
    ] {
        zip.start_file(name, method(how).large_file(true)).unwrap();
        zip.write_all(page.as_bytes()).unwrap();
    }
    zip.start_file("./index.html", method(CompressionMethod::Deflated)).unwrap();
    zip.write_all(b"<meta http-equiv=refresh content='0;url=d/zstd.html'>").unwrap();
    let run = run_zip(&zip.finish().unwrap().into_inner());
    assert_eq!(run.heard.lines(), [""; 0]);
    assert_eq!(run.items.paths(), ["d/deflate.html", "d/stored.html", "d/zstd.html", "index.html"]);
    for name in ["d/deflate.html", "d/stored.html", "d/zstd.html"] {
        assert_eq!(run.items.line(name), "article text/html T");
        assert_eq!(run.items.bytes(name).unwrap(), page.as_bytes());
    }
    assert_eq!(run.items.line("index.html"), "redirect d/zstd.html -");
}

#[test]
fn x01_names_that_lead_elsewhere_are_refused() {
    for (bad, reason) in [
        ("../x", "leads out of the zip"),
        ("a/../../x", "leads out of the zip"),
        ("a/..", "leads out of the zip"),
        ("/abs", "absolute"),
        ("//srv/x", "absolute"),
        ("C:/x", "drive letter"),
        ("c:x", "drive letter"),
        ("..\\x", "backslash"),
        ("a\\b", "backslash"),
        ("a\0b", "zero byte"),
        (".", "without a name"),
    ] {
        let message = safe_name(bad).unwrap_err();
        assert!(message.contains(reason), "{bad:?}: {message}");
    }
    assert_eq!(safe_name("./a//b/./c").unwrap(), "a/b/c");
    assert_eq!(safe_name("a..b/...").unwrap(), "a..b/...");
    let zip = renamed(zip_of(&[("good", b"x"), ("xx/evil", b"x")]), b"xx/evil", b"../evil");
    let run = run_zip(&zip);
    assert_eq!(run.items.paths(), ["good"]);
    assert_eq!(run.heard.lines(), ["error evil: not packed: a name that leads out of the zip"]);
}

#[test]
fn k01_names_are_unique_or_reported() {
    let zip = renamed(zip_of(&[("a.html", b"first"), ("b.html", b"second")]), b"b.html", b"a.html");
    let run = run_zip(&zip);
    assert_eq!(run.items.bytes("a.html").unwrap(), b"first");
    assert_eq!(run.heard.lines(), ["error a.zip: a.html: the zip has this name twice; the first is taken"]);
    let run = run_zip(&zip_of(&[("a/b.html", b"first"), ("a/./b.html", b"second")]));
    assert_eq!(run.items.bytes("a/b.html").unwrap(), b"first");
    assert_eq!(run.heard.lines().len(), 1);
}

#[test]
fn k01_names_that_are_not_utf_8_are_escaped() {
    let run = run_zip(&renamed(zip_of(&[("cafe.html", b"x")]), b"cafe.html", b"caf\x82.html"));
    assert_eq!(run.items.paths(), ["caf\u{f8ff}82.html"]);
    assert!(run.items.items[0].escaped);
}

#[test]
fn k01_links_are_redirects_or_reported() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("d/page.html", method(CompressionMethod::Stored)).unwrap();
    for (name, target) in [
        ("a", "d/page.html"),
        ("b", "a"),
        ("d/c", "../d/./page.html"),
        ("e", "/etc/passwd"),
        ("f", "../x"),
        ("g", "missing"),
        ("h", "d"),
        ("i", "j"),
        ("j", "i"),
    ] {
        zip.add_symlink(name, target, SimpleFileOptions::default()).unwrap();
    }
    let run = run_zip(&zip.finish().unwrap().into_inner());
    assert_eq!(run.items.paths(), ["a", "b", "d/c", "d/page.html"]);
    for name in ["a", "b", "d/c"] {
        assert_eq!(run.items.line(name), "redirect d/page.html -");
    }
    let lines: Vec<String> = run.heard.lines().iter().map(|l| l.replace("warning a.zip: ", "")).collect();
    assert_eq!(lines.len(), 6, "{lines:#?}");
    for line in [
        "g: left out: a link to missing, which does not exist",
        "h: left out: a link to the folder d",
        "i: left out: a link that leads back to itself",
    ] {
        assert!(lines.iter().any(|l| l == line), "{line} in {lines:#?}");
    }
}

#[test]
fn k01_devices_are_left_out() {
    let mut zip = zip_of(&[("a.html", b"x"), ("tty", b"")]);
    // The upper half of the external attributes is the Unix mode.
    set_in_directory(&mut zip, 1, 38, 0o020_666 << 16);
    let run = run_zip(&zip);
    assert_eq!(run.items.paths(), ["a.html"]);
    assert_eq!(run.heard.lines(), ["warning a.zip: tty: left out: a device, not a file"]);
}

#[test]
fn encrypted_and_unknown_methods_are_reported() {
    let mut zip = zip_of(&[("a.html", b"x"), ("b.html", b"x"), ("c.html", b"x")]);
    // Flags and method are 8 and 10 bytes into the record, the version they need before them.
    set_in_directory(&mut zip, 0, 8, 1);
    set_in_directory(&mut zip, 1, 8, 14 << 16);
    let run = run_zip(&zip);
    assert_eq!(run.items.paths(), ["c.html"]);
    let lines = run.heard.lines();
    assert!(lines[0].contains("a.html: encrypted"), "{lines:#?}");
    assert!(lines[1].contains("b.html: compressed with"), "{lines:#?}");
}

#[test]
fn lying_sizes_are_errors_and_allocate_nothing() {
    for claimed in [0, 1, 7, 9, 4_000_000, 60_000_000, 4_294_967_294] {
        for how in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
            zip.start_file("a.html", method(how)).unwrap();
            zip.write_all(b"12345678").unwrap();
            let mut zip = zip.finish().unwrap().into_inner();
            set_in_directory(&mut zip, 0, 24, claimed);
            let run = run_zip(&zip);
            let reported = run.heard.lines();
            assert!(run.items.items.is_empty(), "{claimed} {how}");
            assert_eq!(reported.len(), 1, "{claimed} {how}: {reported:?}");
            assert!(reported[0].starts_with("error"), "{reported:?}");
        }
    }
    let mut zip = zip_of(&[("a.html", b"12345678")]);
    set_in_directory(&mut zip, 0, 20, 4_000_000_000);
    assert_eq!(run_zip(&zip).items.items.len(), 0);
}

#[test]
fn bombs_are_refused_by_ratio_and_by_size() {
    let bomb = |how, len: usize| {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("bomb.bin", method(how)).unwrap();
        let zeros = vec![0; 1 << 20];
        (0..len >> 20).for_each(|_| zip.write_all(&zeros).unwrap());
        zip.start_file("good.html", method(how)).unwrap();
        zip.finish().unwrap().into_inner()
    };
    let run = run_zip(&bomb(CompressionMethod::Zstd, 1 << 30));
    assert_eq!(run.items.paths(), ["good.html"]);
    let lines = run.heard.lines();
    assert!(lines[0].contains("bomb.bin: claims 1073741824 bytes from"), "{lines:?}");
    let deflated = bomb(CompressionMethod::Deflated, 128 << 20);
    let small = Options { max_zip_item: 100_000_000, ..Options::default() };
    let run = run_zip_with(&deflated, small);
    assert_eq!(run.items.paths(), ["good.html"]);
    assert!(run.heard.lines()[0].contains("more than the limit of 100000000"));
}

#[test]
fn large_files_are_inflated_when_they_are_read() {
    let len = usize::try_from(MAX_ITEM_IN_MEMORY).unwrap() + 12_345;
    let mut page = b"<title>Large</title>".to_vec();
    page.resize_with(len, {
        let mut state = 1_u32;
        move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        }
    });
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, how) in [("a.html", CompressionMethod::Deflated), ("b.html", CompressionMethod::Zstd)] {
        zip.start_file(name, method(how)).unwrap();
        zip.write_all(&page).unwrap();
    }
    let mut bytes = zip.finish().unwrap().into_inner();
    let folder = Folder::new();
    folder.write("a.zip", &bytes);
    let all = run(&folder.path("a.zip"), "", Options::default());
    for name in ["a.html", "b.html"] {
        assert_eq!(all.items.line(name), "article text/html Large");
        assert_eq!(all.items.bytes(name).unwrap(), page);
    }
    // A wrong byte is found by the zip's own sum, at the latest at the end.
    bytes[1_000_000] ^= 1;
    folder.write("b.zip", &bytes);
    let all = run(&folder.path("b.zip"), "", Options::default());
    assert!(all.items.bytes("a.html").is_err());
    assert_eq!(all.items.bytes("b.html").unwrap(), page);
}

#[test]
fn files_that_share_bytes_are_refused() {
    let mut zip = zip_of(&[("a.html", b"12345678"), ("b.html", b"12345678")]);
    set_in_directory(&mut zip, 1, 42, 0);
    let run = run_zip(&zip);
    assert_eq!(run.heard.lines().len(), 1);
    assert!(run.heard.lines()[0].contains("shares its bytes"));
}

#[test]
fn truncated_and_flipped_zips_never_panic() {
    let zip = zip_of(&[("a/index.html", b"<title>T</title>"), ("b.txt", b"words")]);
    let folder = Folder::new();
    let try_it = |bytes: &[u8]| {
        folder.write("a.zip", bytes);
        if let Ok(mut source) = super::super::open(&folder.path("a.zip"), "", Options::default()) {
            let mut sink = super::super::testing::Collected::default();
            source.run(&mut sink, &crate::item::Silent).unwrap();
        }
    };
    for end in 0..zip.len() {
        try_it(&zip[..end]);
    }
    for at in 0..zip.len() {
        for bit in 0..8 {
            let mut damaged = zip.clone();
            damaged[at] ^= 1 << bit;
            try_it(&damaged);
        }
    }
}

#[test]
fn a_zip_honours_globs_and_prefix() {
    let folder = Folder::new();
    folder.write(
        "a.zip",
        zip_of(&[("a.html", b"x"), ("b.html", b"x"), ("tome-manifest.json", br#"{"tome_manifest":1}"#)]),
    );
    let options = Options { exclude: Globs::new(&["p/b.*"]).unwrap(), ..Options::default() };
    assert_eq!(run(&folder.path("a.zip"), "p", options).items.paths(), ["p/a.html"]);
}
