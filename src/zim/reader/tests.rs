//! The files of the suite, if they are there.

use std::path::{Path, PathBuf};

use super::*;

/// Returns the folder of real and broken ZIM files.
fn suite() -> Option<PathBuf> {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/zim-suite");
    if !suite.is_dir() {
        eprintln!("skipped: no {}", suite.display());
        return None;
    }
    Some(suite)
}

#[test]
fn the_files_of_the_suite_open_and_every_entry_is_read() {
    let Some(suite) = suite() else { return };
    for (name, paths, main) in [
        ("nons", &["favicon.png", "main.html"][..], "main.html"),
        ("withns", &["-/favicon", "A/main.html", "I/favicon.png"], "A/main.html"),
        ("noTitleListingV0", &["favicon.png", "main.html"], "main.html"),
    ] {
        for by_position in [false, true] {
            let options = OpenOptions { by_position, ..OpenOptions::default() };
            let zim = Archive::open_with(suite.join(name).join("small.zim"), &options).unwrap();
            let entries: Vec<Entry> = zim.entries().map(|e| e.unwrap()).collect();
            assert_eq!(entries.iter().map(|e| &e.path[..]).collect::<Vec<_>>(), paths);
            for entry in &entries {
                let content = zim.content(entry).unwrap();
                assert!(content.len() > 100, "{}", entry.path);
                assert_eq!(zim.entry_by_path(&entry.path).unwrap().as_ref(), Some(entry));
                assert_eq!(zim.entries_by_title(&entry.title).unwrap().first(), Some(entry));
            }
            assert_eq!(zim.main_entry().unwrap().map(|e| e.path).as_deref(), Some(main));
            assert_eq!(zim.n_content().unwrap() as usize, entries.len());
            assert_eq!(zim.n_articles().unwrap(), 1);
            assert_eq!(zim.random_article(u64::MAX).unwrap().unwrap().path, main);
            assert_eq!((zim.article_count().unwrap(), zim.media_count().unwrap()), (1, 1));
            assert!(zim.metadata().unwrap().iter().any(|(key, _)| key == "Language"));
            let icon = zim.illustration(48).unwrap().unwrap();
            assert!(icon.bytes.starts_with(b"\x89PNG"));
            assert_eq!(zim.illustrations().unwrap().len(), 1);
            assert_eq!(zim.entry_by_old_path("A/main.html").unwrap().unwrap().path, main);
            assert_eq!(zim.entry_by_old_path("main.html").unwrap().unwrap().path, main);
            assert!(zim.entry_by_path("/main.html").unwrap().is_none());
        }
    }
}
