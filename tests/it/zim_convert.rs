//! `.zim` to `.tome` and back: nothing of it is lost, as libzim sees it on both ends.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use tome::item::{Kind, Silent, Source};
use tome::reader::Archive;
use tome::sources::{self, archive::ArchiveSource};
use tome::{text, writer, zim};

use crate::peers;

/// What libzim says of a file: its entries, and the file as a whole.
type Told = (BTreeMap<String, serde_json::Value>, serde_json::Value);

fn peer(python: &Path, verb: &str, zim: &Path) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/zim_peer.py");
    let output = Command::new(python).arg(script).arg(verb).arg(zim).output().unwrap();
    assert!(output.status.success(), "{}: {}", zim.display(), String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn told(python: &Path, zim: &Path) -> Told {
    let text = peer(python, "dump", zim);
    let mut lines: Vec<serde_json::Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let whole = lines.pop().unwrap();
    let entries = lines.into_iter().map(|l| (l["path"].as_str().unwrap().to_owned(), l)).collect();
    (entries, whole)
}

/// Runs a source into a `.tome`.
fn to_tome(source: &mut dyn Source, out: &Path) {
    let options = writer::Options { search: false, ..writer::Options::default() };
    let mut target = writer::Writer::create(out, options, &Silent).unwrap();
    let about = source.run(&mut target, &Silent).unwrap();
    target.finish(&about).unwrap();
}

/// Makes a `.zim` of a `.tome`.
fn to_zim(tome: &Path, out: &Path, minor: zim::Minor) {
    let archive = std::sync::Arc::new(Archive::open(tome).unwrap());
    let options = zim::WriteOptions { minor, ..zim::WriteOptions::default() };
    let mut target = zim::Writer::create(out, options, &Silent).unwrap();
    let mut source = ArchiveSource::new(archive, sources::Options::default());
    let about = source.run(&mut target, &Silent).unwrap();
    target.finish(&about).unwrap();
}

/// The suite of openZIM, where it lies beside the project.
fn suite() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/zim-suite");
    let mut out = vec![];
    for (generation, name) in [
        ("withns", "small.zim"),
        ("nons", "small.zim"),
        ("noTitleListingV0", "small.zim"),
        ("nons", "wikibooks_be_all_nopic_2017-02.zim"),
        ("noTitleListingV0", "wikibooks_be_all_nopic_2017-02.zim"),
    ] {
        let path = folder.join(generation).join(name);
        if path.exists() {
            out.push(path);
        } else {
            eprintln!("SKIPPED: no {}", path.display());
        }
    }
    out
}

fn assert_same(before: &Told, after: &Told, name: &str) {
    let (entries, whole) = before;
    for (path, entry) in entries {
        assert_eq!(after.0.get(path), Some(entry), "{name}: {path}");
    }
    let added: Vec<&String> = after.0.keys().filter(|path| !entries.contains_key(*path)).collect();
    assert!(added.is_empty(), "{name}: {added:?}");
    for key in ["uuid", "main", "articles", "checked"] {
        assert_eq!(after.1[key], whole[key], "{name}: {key}");
    }
    let pictures = |whole: &serde_json::Value| whole["illustrations"].as_array().unwrap().clone();
    for size in pictures(whole) {
        assert!(pictures(&after.1).contains(&size), "{name}: illustration of {size}");
    }
    for (key, value) in whole["metadata"].as_object().unwrap() {
        // Counted anew, and the tag says that the index is not there.
        if !matches!(key.as_str(), "Counter" | "Tags") {
            assert_eq!(&after.1["metadata"][key], value, "{name}: {key}");
        }
    }
}

#[test]
fn a_zim_that_becomes_a_tome_and_a_zim_again_is_the_same_to_libzim() {
    let Some(python) = peers::python_with_libzim() else { return };
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join("odd.zim");
    peer(python, "make", &odd);
    for zim in std::iter::once(odd).chain(suite()) {
        let before = told(python, &zim);
        let tome = folder.path().join("a.tome");
        let _ = std::fs::remove_file(&tome);
        to_tome(&mut *sources::open(&zim, "", sources::Options::default()).unwrap(), &tome);
        for minor in [zim::Minor::One, zim::Minor::Three] {
            let again = folder.path().join("again.zim");
            let _ = std::fs::remove_file(&again);
            to_zim(&tome, &again, minor);
            let name = format!("{} with minor {minor:?}", zim.display());
            assert_same(&before, &told(python, &again), &name);
        }
    }
}

/// Returns the links of all pages, as page and target, that lead to an entry; and how many do not.
fn links(tome: &Archive) -> (Vec<(String, String)>, usize) {
    let (mut good, mut dead) = (vec![], 0);
    for entry in tome.entries().map(Result::unwrap).filter(|e| e.kind() != Kind::Redirect) {
        if !entry.mime().starts_with("text/html") {
            continue;
        }
        let html = text::charset::decode(&tome.content(&entry).unwrap(), None);
        for link in text::links(&html) {
            let Some(target) = text::resolve(&entry.path, &link.href) else { continue };
            match tome.entry_by_path(&target).unwrap() {
                Some(_) => good.push((entry.path.clone(), target)),
                None => dead += 1,
            }
        }
    }
    (good, dead)
}
