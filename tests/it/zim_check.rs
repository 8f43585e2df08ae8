//! `verify` of a ZIM: the files of the openZIM project's test suite, and one of them with every byte
//! changed in turn.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use tome::error::Error;
use tome::findings::{Finding, Severity};
use tome::item::Silent;
use tome::storage::Owned;
use tome::zim::{Archive, OpenOptions, VerifyOptions};

const ALL: VerifyOptions = VerifyOptions { quick: false, links: true };

fn suite() -> Option<PathBuf> {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/zim-suite");
    if !suite.is_dir() {
        eprintln!("skipped: no {}", suite.display());
        return None;
    }
    Some(suite)
}

/// Returns what is said of a file: its findings, or why it does not open.
fn judge(path: &Path) -> Vec<Finding> {
    match Archive::open(path) {
        Ok(archive) => archive.verify(ALL, &Silent).unwrap().findings,
        Err(error) => vec![Finding::of(&error)],
    }
}

/// What is wrong with a file: its name, a check that fires, and words of its message.
const FAULTS: [(&str, &str, &str); 15] = [
    ("bad_mimetype_in_dirent", "mime type", "number"),
    ("bad_mimetype_list", "mime list", ""),
    ("invalid_checksumpos", "checksum position", ""),
    ("invalid_mimelistpos", "mime list position", "expected 80"),
    ("nonsorted_dirent_table", "entry order", "it stands behind main.html"),
    ("nonsorted_title_index", "title order", "out of order"),
    ("offset_in_cluster", "blob offsets", ""),
    ("outofbounds_clusterptrpos", "cluster pointers position", ""),
    ("outofbounds_first_clusterptr", "cluster position", "lost"),
    ("outofbounds_first_direntptr", "dirent position", ""),
    ("outofbounds_first_title_entry", "title index", "at place 0"),
    ("outofbounds_last_direntptr", "dirent position", ""),
    ("outofbounds_last_title_entry", "title index", "is of no entry"),
    ("outofbounds_titleptrpos", "title pointers position", ""),
    ("outofbounds_urlptrpos", "path pointers position", ""),
];

#[test]
fn each_broken_file_of_the_suite_has_the_fault_that_it_is_named_after() {
    let Some(suite) = suite() else { return };
    let mut seen = 0;
    for folder in ["nons", "withns", "noTitleListingV0"] {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(suite.join(folder)).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        for path in files {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let Some(fault) = name.strip_prefix("invalid.").and_then(|n| n.strip_suffix(".zim")) else {
                continue;
            };
            let findings = judge(&path);
            let errors: Vec<String> = findings
                .iter()
                .filter(|f| f.severity == Severity::Error)
                .map(|f| format!("[{}] {}", f.check, f.message))
                .collect();
            seen += 1;
            println!("{folder}/{name}: {errors:#?}");
            if fault == "smaller_than_header" {
                assert!(errors.iter().any(|e| e.contains("header")), "{folder}/{name}: {errors:?}");
                continue;
            }
            let (_, check, words) = FAULTS.iter().find(|f| f.0 == fault).unwrap();
            let named = findings
                .iter()
                .any(|f| f.check == *check && f.severity == Severity::Error && f.message.contains(words));
            assert!(named, "{folder}/{name}: no {check:?} ({words:?}) in {errors:#?}");
        }
    }
    assert!(seen >= 30, "only {seen} broken files");
}

#[test]
fn the_sound_files_of_the_suite_have_no_errors_and_the_warnings_that_are_due() {
    let Some(suite) = suite() else { return };
    // zimcheck 3.1 has nothing to say of them but that it does not know version 6.3; the rules for
    // metadata are those of 3.8.
    for (name, expected) in [
        ("nons/small.zim", &["metadata"][..]),
        ("withns/small.zim", &["illustration", "metadata"]),
        ("noTitleListingV0/small.zim", &[]),
        ("nons/wikibooks_be_all_nopic_2017-02.zim", &[]),
        ("noTitleListingV0/wikibooks_be_all_nopic_2017-02.zim", &[]),
        ("nons/wikibooks_be_all_nopic_2017-02_splitted.zimaa", &[]),
    ] {
        let findings = judge(&suite.join(name));
        let mut checks: Vec<&str> = findings.iter().map(|f| f.check).collect();
        findings.iter().for_each(|f| println!("{name}: [{}] {}", f.check, f.message));
        checks.sort_unstable();
        checks.dedup();
        assert_eq!(checks, expected, "{name}");
        assert!(findings.iter().all(|f| f.severity == Severity::Warning), "{name}");
    }
}

#[test]
fn every_changed_byte_of_a_file_is_reported() {
    let Some(suite) = suite() else { return };
    let bytes = std::fs::read(suite.join("nons/small.zim")).unwrap();
    let missed: Vec<usize> = (0..bytes.len())
        .into_par_iter()
        .filter(|&at| {
            let mut changed = bytes.clone();
            changed[at] = !changed[at];
            let archive = match Archive::from_storage(Box::new(Owned(changed)), &OpenOptions::default()) {
                Ok(archive) => archive,
                Err(Error::Format(_) | Error::NotAnArchive { .. } | Error::Unsupported { .. }) => {
                    return false;
                }
                Err(error) => panic!("byte {at}: {error}"),
            };
            archive.verify(ALL, &Silent).unwrap().is_ok()
        })
        .collect();
    assert!(missed.is_empty(), "{} changed bytes pass, the first {:?}", missed.len(), missed.first());
}
