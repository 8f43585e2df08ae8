//! `.zim` to `.tome` and back: nothing of it is lost, as libzim sees it on both ends.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use md5::Digest;
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
    for key in ["uuid", "main", "checked"] {
        assert_eq!(after.1[key], whole[key], "{name}: {key}");
    }
    // A redirect with a title of its own that leads to an article is found by it, listed or not before.
    let articles = |whole: &serde_json::Value| whole["articles"].as_u64().unwrap();
    let redirects = entries.values().filter(|e| e.get("target").is_some()).count() as u64;
    let all = articles(whole)..=articles(whole) + redirects;
    assert!(all.contains(&articles(&after.1)), "{name}: {} articles of {all:?}", articles(&after.1));
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
        let content = tome.content(&entry).unwrap();
        let html = text::charset::decode(&content, None);
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

/// A ZIM of version 5.0, as they were before all content had one namespace: `rows` are namespace, path,
/// mime type and bytes, in order; a redirect has no mime type, and the number of its target as bytes.
fn old_scheme(rows: &[(u8, &str, &str, &str)]) -> Vec<u8> {
    let mimes: BTreeSet<&str> = rows.iter().map(|row| row.2).filter(|mime| !mime.is_empty()).collect();
    let mut out = vec![0; 80];
    mimes.iter().for_each(|mime| out.extend_from_slice(&[mime.as_bytes(), b"\0"].concat()));
    out.push(0);
    let mut blobs = 0u32;
    let dirents: Vec<u64> = rows
        .iter()
        .map(|(namespace, path, mime, bytes)| {
            let at = out.len() as u64;
            if mime.is_empty() {
                out.extend_from_slice(&[0xff, 0xff, 0, *namespace, 0, 0, 0, 0]);
                out.extend_from_slice(&bytes.parse::<u32>().unwrap().to_le_bytes());
            } else {
                let number = mimes.iter().position(|m| m == mime).unwrap() as u8;
                out.extend_from_slice(&[number, 0, 0, *namespace, 0, 0, 0, 0, 0, 0, 0, 0]);
                out.extend_from_slice(&blobs.to_le_bytes());
                blobs += 1;
            }
            out.extend_from_slice(&[path.as_bytes(), b"\0\0"].concat());
            at
        })
        .collect();
    let cluster = out.len() as u64;
    out.push(1);
    let mut at = 4 * (blobs + 1);
    let contents: Vec<&str> = rows.iter().filter(|row| !row.2.is_empty()).map(|row| row.3).collect();
    out.extend_from_slice(&at.to_le_bytes());
    for content in &contents {
        at += content.len() as u32;
        out.extend_from_slice(&at.to_le_bytes());
    }
    contents.iter().for_each(|content| out.extend_from_slice(content.as_bytes()));
    let paths = out.len() as u64;
    dirents.iter().for_each(|at| out.extend_from_slice(&at.to_le_bytes()));
    let titles = out.len() as u64;
    (0..rows.len() as u32).for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
    let clusters = out.len() as u64;
    out.extend_from_slice(&cluster.to_le_bytes());
    let end = out.len() as u64;
    out[..8].copy_from_slice(b"ZIM\x04\x05\0\0\0");
    out[24..28].copy_from_slice(&(rows.len() as u32).to_le_bytes());
    out[28..32].copy_from_slice(&1u32.to_le_bytes());
    for (field, value) in [(32, paths), (40, titles), (48, clusters), (56, 80), (72, end)] {
        out[field..field + 8].copy_from_slice(&value.to_le_bytes());
    }
    out[64..72].fill(0xff);
    let checksum = md5::Md5::digest(&out);
    out.extend_from_slice(&checksum);
    out
}

#[test]
fn every_link_of_a_zim_of_the_old_scheme_works_in_the_tome_and_in_the_zim_made_of_it() {
    let page = "<a href='Other%20page.html#x'>other</a> <a href='../I/pic.png'>picture</a> <a href='../A/sub/deep.html'>deep</a> \
                <a href='/A/Redirect'>from the root</a> <a href='../-/style.css'>style</a> <a href='Nowhere'>dead</a>";
    let deep = "<a href='../Main.html'>main</a> <a href='../../I/pic.png'>picture</a> <a href='../Redirect'>other</a>";
    let rows = [
        (b'-', "favicon", "", "6"),
        (b'-', "style.css", "text/css", "p {}"),
        (b'A', "Main.html", "text/html", page),
        (b'A', "Other page.html", "text/html", "<a href='sub/deep.html'>deep</a>"),
        (b'A', "Redirect", "", "3"),
        (b'A', "sub/deep.html", "text/html", deep),
        (b'I', "pic.png", "image/png", "no picture"),
        (b'M', "Title", "text/plain", "Old"),
        (b'X', "fulltext/xapian", "application/octet-stream+xapian", "no index"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("old.zim"), old_scheme(&rows)).unwrap();
    to_tome(&mut *sources::open(&path("old.zim"), "", sources::Options::default()).unwrap(), &path("a.tome"));
    to_zim(&path("a.tome"), &path("new.zim"), zim::Minor::One);
    to_tome(&mut *sources::open(&path("new.zim"), "", sources::Options::default()).unwrap(), &path("b.tome"));
    for name in ["a.tome", "b.tome"] {
        let tome = Archive::open(path(name)).unwrap();
        let mut paths: Vec<String> = tome.entries().map(|e| e.unwrap().path).collect();
        paths.sort();
        let expected = rows.iter().filter(|row| !matches!(row.0, b'M' | b'X'));
        let expected: Vec<String> = expected.map(|row| format!("{}/{}", char::from(row.0), row.1)).collect();
        assert_eq!(paths, expected, "{name}");
        let (good, dead) = links(&tome);
        assert_eq!((good.len(), dead), (9, 1), "{name}: {good:?}");
    }
    for zim in suite() {
        let tome = path("suite.tome");
        let _ = std::fs::remove_file(&tome);
        to_tome(&mut *sources::open(&zim, "", sources::Options::default()).unwrap(), &tome);
        let (good, dead) = links(&Archive::open(&tome).unwrap());
        // Those of the small files are none, and those of the wiki that lead nowhere do so in the ZIM.
        assert_eq!(dead, 0, "{}: {} lead somewhere", zim.display(), good.len());
    }
}
