//! The broken archives in `archives/broken`, each named after what is wrong with it, and exactly
//! what is said of it.
//!
//! They are made here, from one small archive. The test compares them with what lies in the folder;
//! `TOME_WRITE_BROKEN=1` writes them anew after a change of the format.

use std::path::{Path, PathBuf};

use tome::format::first_page::{FirstPage, Row, SectionKind};
use tome::format::hash_tree::digest;
use tome::format::ids::PAGE;
use tome::item::{About, Silent};
use tome::reader::Archive;
use tome::storage::Owned;
use tome::writer::Options;

use crate::common::{article, open, pack, redirect};

/// What is said of a broken archive.
enum Says {
    /// Opening fails with this message.
    Open(&'static str),
    /// It opens; `verify` finds these checks, in this order.
    Verify(&'static [&'static str]),
}

fn base() -> Vec<u8> {
    let page =
        |n: u32| format!("<title>{n}</title><p>{}", format!("Page {n} of the broken archives. ").repeat(40));
    let items = vec![
        article("a.html", Some("First"), page(1)),
        article("b.html", Some("Second"), page(2)),
        article("c.html", None, page(3)),
        redirect("d", "a.html", Some("top")),
    ];
    pack(items, &About { main: Some("a.html".into()), ..About::default() }, Options::default())
}

/// Changes the first page and its copy, checksums included.
fn with_first(bytes: &[u8], change: impl FnOnce(&mut FirstPage)) -> Vec<u8> {
    let mut first = open(bytes).first_page().clone();
    change(&mut first);
    let page = first.write();
    [&page[..], &bytes[PAGE..bytes.len() - PAGE], &page].concat()
}

/// Changes the tables and makes all hashes right again.
fn with_tables(bytes: &[u8], change: impl FnOnce(&mut [u8], &FirstPage)) -> Vec<u8> {
    let first = open(bytes).first_page().clone();
    let mut copy = bytes.to_vec();
    let tables =
        first.tables_offset as usize..(first.tables_offset + first.table_pages * PAGE as u64) as usize;
    change(&mut copy[tables.clone()], &first);
    let top = copy[tables].chunks(PAGE).map(digest).collect();
    with_first(&copy, |first| first.top = top)
}

fn at(first: &FirstPage, kind: SectionKind) -> usize {
    first.row(kind).unwrap().offset as usize
}

fn find(bytes: &[u8], what: &[u8]) -> usize {
    bytes.windows(what.len()).position(|w| w == what).unwrap()
}

fn cases() -> Vec<(&'static str, Vec<u8>, Says)> {
    let base = base();
    let len = base.len();
    let tables = open(&base).first_page().tables_offset as usize;
    let flipped = |positions: &[usize]| {
        let mut copy = base.clone();
        positions.iter().for_each(|&p| copy[p] ^= 4);
        copy
    };
    let lf: Vec<u8> = [&base[..5], b"\n\x1a", &base[8..]].concat();
    let resealed_order = with_tables(&base, |t, first| {
        // The first path's last letter becomes greater than the second's.
        let leaf = at(first, SectionKind::ENTRIES);
        let path = leaf + find(&t[leaf..leaf + PAGE], b"\xffa").max(1);
        t[path + 1] = b'z';
    });
    vec![
        ("empty", vec![], Says::Open("not an archive: the file is empty")),
        (
            "one-byte",
            vec![0x89],
            Says::Open("not an archive: it begins neither as a .tome nor as a .zim does"),
        ),
        (
            "a-zip-by-another-name",
            b"PK\x03\x04 and so on".to_vec(),
            Says::Open("not an archive: the file looks like a zip (pack it: tome pack FILE.zip -o OUT.tome)"),
        ),
        (
            "copied-in-text-mode",
            lf,
            Says::Open(
                "not an archive: the file looks like an archive damaged by a transfer in text mode; copy it again in binary mode",
            ),
        ),
        (
            "cut-short",
            base[..len - 1000].to_vec(),
            Says::Open(
                "damaged archive: file: file length: 45056 bytes expected, 44056 found; the file was cut short, or something was added",
            ),
        ),
        (
            "bytes-added",
            [&base[..], b"more"].concat(),
            Says::Open(
                "damaged archive: file: file length: 45056 bytes expected, 45060 found; the file was cut short, or something was added",
            ),
        ),
        (
            "both-first-pages",
            flipped(&[100, len - PAGE + 100]),
            Says::Open("damaged archive: first page: checksum: the page does not match its checksum"),
        ),
        ("first-page", flipped(&[100]), Says::Verify(&["checksum"])),
        ("last-page", flipped(&[len - 1]), Says::Verify(&["first page copy"])),
        (
            "newer-major",
            with_first(&base, |f| f.version = (1, 0)),
            Says::Open(
                "this archive needs format version 1.0, this program reads format version 0.1; a newer Tome is needed",
            ),
        ),
        (
            "unknown-required-feature",
            with_first(&base, |f| f.required = 1 << 5),
            Says::Open(
                "this archive needs required features 0x20, this program reads features 0x1 of format 0.1; a newer Tome is needed",
            ),
        ),
        (
            "unknown-required-section",
            with_first(&base, |f| {
                f.rows.push(Row { kind: SectionKind(77), flags: 0, copy: 0, offset: 0, len: 0, count: 0 });
            }),
            Says::Open(
                "this archive needs a section of kind 77, this program reads those of format 0.1; a newer Tome is needed",
            ),
        ),
        (
            "unknown-optional-section",
            with_first(&base, |f| {
                f.rows.push(Row {
                    kind: SectionKind(77),
                    flags: Row::OPTIONAL,
                    copy: 0,
                    offset: 0,
                    len: 0,
                    count: 0,
                });
            }),
            Says::Verify(&[]),
        ),
        (
            "sections-overlap",
            with_first(&base, |f| f.rows[1].offset = f.rows[0].offset),
            Says::Open("damaged archive: first page: section rows: sections overlap at byte 0"),
        ),
        ("page-of-entries", flipped(&[tables + 50]), Says::Verify(&["page hash"])),
        (
            "page-of-search-words",
            {
                let words = open(&base).first_page().row(SectionKind::WORDS).unwrap().offset as usize;
                flipped(&[tables + words + 50])
            },
            Says::Verify(&["page hash"]),
        ),
        ("block", flipped(&[PAGE + 20]), Says::Verify(&["block hash"])),
        (
            "block-that-is-no-frame",
            {
                let first = open(&base).first_page().clone();
                let records = at(&first, SectionKind::BLOCKS);
                let mut copy = base.clone();
                copy[PAGE] ^= 4;
                let stored = tables + records + 19;
                let n = usize::from(base[stored]) | usize::from(base[stored + 1]) << 8;
                let hash = digest(&copy[PAGE..PAGE + n]);
                with_tables(&copy, |t, _| t[records + 30..records + 46].copy_from_slice(&hash))
            },
            Says::Verify(&["frame"]),
        ),
        ("paths-out-of-order", resealed_order, Says::Verify(&["order", "content id"])),
        (
            "search-of-a-later-version",
            with_tables(&base, |t, first| t[at(first, SectionKind::SEARCH)] = 2),
            Says::Verify(&["search version"]),
        ),
        ("content-id", with_first(&base, |f| f.content_id[0] ^= 1), Says::Verify(&["content id"])),
        (
            "redirect-loop",
            {
                let items =
                    vec![article("a.html", None, "<p>a"), redirect("b", "c", None), redirect("c", "b", None)];
                pack(items, &About::default(), Options::default())
            },
            Says::Verify(&["redirect", "redirect"]),
        ),
    ]
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("archives/broken")
}

#[test]
fn each_broken_archive_is_told_by_exactly_its_error() {
    for (name, bytes, says) in cases() {
        let opened = Archive::from_storage(Owned(bytes));
        match (says, opened) {
            (Says::Open(expected), Err(error)) => assert_eq!(error.to_string(), expected, "{name}"),
            (Says::Open(_), Ok(_)) => panic!("{name} opened"),
            (Says::Verify(_), Err(error)) => panic!("{name}: {error}"),
            (Says::Verify(expected), Ok(archive)) => {
                let report = archive.verify(Default::default(), &Silent).unwrap();
                let checks: Vec<&str> = report.findings.iter().map(|f| f.check).collect();
                assert_eq!(checks, expected, "{name}: {:#?}", report.findings);
            }
        }
    }
}

#[test]
fn the_broken_archives_in_the_repository_are_those_described() {
    let write = std::env::var_os("TOME_WRITE_BROKEN").is_some();
    if write {
        std::fs::create_dir_all(folder()).unwrap();
    }
    for (name, bytes, _) in cases() {
        let path = folder().join(format!("{name}.tome"));
        if write {
            std::fs::write(&path, &bytes).unwrap();
        }
        let there = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert!(there == bytes, "{name}.tome is not what the code makes; TOME_WRITE_BROKEN=1 writes it anew");
    }
}
