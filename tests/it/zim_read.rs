//! The reader of ZIM files beside libzim: the same paths, titles, types, bytes and redirects.

use std::path::{Path, PathBuf};
use std::process::Command;

use md5::Digest;
use serde_json::Value;
use tome::zim::{Archive, EntryBody};

use crate::peers::python_with_libzim;

/// Returns the ZIM files there are: those of the suite, if it is there, and those that
/// `TOME_ZIMS` names, a folder of large ones.
fn files() -> Vec<PathBuf> {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/zim-suite");
    let mut folders: Vec<PathBuf> =
        ["nons", "withns", "noTitleListingV0"].iter().map(|name| suite.join(name)).collect();
    folders.extend(std::env::var_os("TOME_ZIMS").map(PathBuf::from));
    let mut out = vec![];
    for folder in folders {
        let Ok(files) = std::fs::read_dir(&folder) else {
            eprintln!("skipped: no {}", folder.display());
            continue;
        };
        for file in files {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.ends_with(".zim") || name.ends_with(".zimaa") {
                out.push(path);
            }
        }
    }
    out.sort();
    out
}

fn md5(bytes: &[u8]) -> String {
    md5::Md5::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn every_entry_is_what_libzim_reads() {
    let Some(python) = python_with_libzim() else { return };
    for path in files() {
        let name = path.display();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/zim_peer.py");
        let output = Command::new(python).arg(script).arg("read").arg(&path).output().unwrap();
        if !output.status.success() {
            // What libzim refuses is judged by other tests.
            let _ = Archive::open(&path).map(|zim| zim.entries().count());
            continue;
        }
        let text = String::from_utf8(output.stdout).unwrap();
        let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let whole = lines.pop().unwrap();
        let zim = Archive::open(&path).unwrap();
        assert_eq!(whole["all"], zim.header().n_entries, "{name}");
        let old = !zim.header().has_one_namespace();
        let mut n = 0;
        for told in &lines {
            let index = told["index"].as_u64().unwrap() as u32;
            let entry = match zim.entry_at(index) {
                Ok(Some(entry)) => entry,
                Ok(None) => continue,
                Err(error) => {
                    assert!(told.get("error").is_some(), "{name} {index}: {error}");
                    continue;
                }
            };
            n += 1;
            let Some(shown) = told["path"].as_str() else {
                assert!(entry.escaped, "{name} {index}");
                continue;
            };
            assert_eq!(shown, entry.path, "{name}");
            let title = &entry.title;
            // libzim's title of an entry without one is its path without the namespace, as ours.
            assert_eq!(told["title"], title[..], "{name} {shown}");
            match &entry.body {
                EntryBody::Redirect { target } => assert_eq!(told["target"], *target, "{name} {shown}"),
                EntryBody::Blob { .. } => {
                    let content = match zim.content(&entry) {
                        Ok(content) => content,
                        Err(error) => {
                            assert!(told.get("error").is_some(), "{name} {shown}: {error}");
                            continue;
                        }
                    };
                    assert_eq!(told["mime"], entry.mime(), "{name} {shown}");
                    assert_eq!(told["size"], content.len() as u64, "{name} {shown}");
                    assert_eq!(zim.content_len(&entry).unwrap(), content.len() as u64, "{name} {shown}");
                    assert_eq!(told["md5"], md5(&content), "{name} {shown}");
                }
            }
            let again = zim.entry_by_path(&entry.path).unwrap();
            assert_eq!(again.as_ref(), Some(&entry), "{name} {shown}");
        }
        // In old files libzim also shows metadata and indexes as entries.
        let hidden = |told: &&Value| {
            told["path"].as_str().is_some_and(|p| ["M/", "X/", "Z/"].iter().any(|ns| p.starts_with(ns)))
        };
        let hidden = if old { lines.iter().filter(hidden).count() } else { 0 };
        let damaged = zim.counts().unwrap().damaged as usize;
        assert_eq!(whole["entries"], n + hidden + damaged, "{name}");
        assert_eq!(zim.n_content().unwrap() as usize, n + damaged, "{name}");
        assert_eq!(whole["articles"], zim.article_count().unwrap(), "{name}");
        assert_eq!(whole["media"], zim.media_count().unwrap(), "{name}");
        let main = zim.main_entry().unwrap().map(|e| e.path);
        assert!(whole["main"].as_str() == main.as_deref() || main.is_none(), "{name}: {main:?}");
        let uuid: String = zim.header().uuid.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(whole["uuid"], uuid[..], "{name}");
        assert_eq!(whole["keys"], Value::from(zim.metadata_keys().unwrap()), "{name}");
        for (key, value) in zim.metadata().unwrap() {
            assert_eq!(whole["metadata"][&key], md5(&value.bytes), "{name} {key}");
        }
        let icon = zim.illustration(48).unwrap().map(|value| md5(&value.bytes));
        assert_eq!(whole["icon"].as_str(), icon.as_deref(), "{name}");
        println!("{name}: {n} entries");
    }
}

#[test]
fn each_broken_file_of_the_suite_gives_an_error_that_says_what() {
    let said = |path: &Path| -> Vec<String> {
        let zim = match Archive::open(path) {
            Ok(zim) => zim,
            Err(error) => return vec![error.to_string()],
        };
        let mut said = vec![];
        let mut hear = |result: tome::error::Result<()>| said.extend(result.err().map(|e| e.to_string()));
        for entry in zim.entries() {
            hear(entry.and_then(|entry| zim.content(&entry).map(drop)));
        }
        for key in zim.metadata_keys().unwrap_or_default() {
            hear(zim.metadata_value(&key).map(drop));
        }
        for cluster in 0..zim.header().n_clusters {
            hear(zim.check_cluster(cluster).map(drop));
        }
        said
    };
    // What is in no way of reading but of checking: the order of lists, and a list by title that is not
    // needed.
    let unseen = ["nonsorted_dirent_table", "nonsorted_title_index", "title_entry", "titleptrpos"];
    let expected = [
        ("bad_mimetype_in_dirent", "mime type"),
        ("bad_mimetype_list", "mime list"),
        ("invalid_checksumpos", "checksum position"),
        ("invalid_mimelistpos", "mime list position"),
        ("offset_in_cluster", "blob offsets"),
        ("outofbounds_clusterptrpos", "cluster pointers position"),
        ("outofbounds_first_clusterptr", "cluster position"),
        ("outofbounds_first_direntptr", "dirent position"),
        ("outofbounds_last_direntptr", "dirent position"),
        ("outofbounds_urlptrpos", "path pointers position"),
        ("smaller_than_header", "header length"),
    ];
    for path in files() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(fault) = name.strip_prefix("invalid.").and_then(|n| n.strip_suffix(".zim")) else {
            continue;
        };
        let said = said(&path);
        match expected.iter().find(|(name, _)| *name == fault) {
            Some((_, check)) => {
                assert!(said.iter().any(|line| line.contains(check)), "{}: {said:?}", path.display());
            }
            None => assert!(unseen.iter().any(|name| fault.contains(name)), "{fault} is new: {said:?}"),
        }
    }
}
