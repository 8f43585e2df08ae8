//! Who may use whom: data flows from sources through writer, format and reader to faces, and no
//! module reaches back.

use std::path::{Path, PathBuf};

/// A module and what it may use beside `error`, `limits` and what lies inside it.
const MAY_USE: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("limits", &[]),
    ("hex", &[]),
    ("item", &[]),
    ("fold", &[]),
    ("storage", &[]),
    ("codec", &[]),
    ("content", &[]),
    // An entry's kind and metadata are the same words on both sides of the bytes.
    ("format", &["fold", "item"]),
    ("tables", &["storage", "format"]),
    ("text", &["fold"]),
    // Gives rows and ordinals; what they stand for is the reader's.
    ("index", &["tables", "format", "fold", "text"]),
    ("manifest", &["hex", "item"]),
    ("findings", &[]),
    ("output", &[]),
    ("sorter", &[]),
    (
        "reader",
        &["content", "storage", "codec", "findings", "fold", "format", "index", "item", "tables", "text"],
    ),
    ("writer", &["item", "codec", "fold", "format", "index", "output", "sorter", "text"]),
    ("sources", &["hex", "item", "manifest", "text"]),
    // Knows archives, and a ZIM by its parts.
    ("sources/mod.rs", &["archives", "item", "manifest", "storage", "text"]),
    ("sources/zim.rs", &["item", "text", "zim"]),
    ("sources/archive.rs", &["item", "format", "reader"]),
    // Another format whole: nothing of ours but what any reader and writer needs.
    ("zim", &["codec", "content", "findings", "fold", "hex", "item", "output", "sorter", "storage", "text"]),
    ("archives", &["format", "storage", "zim"]),
    (
        "book",
        &[
            "archives", "content", "extract", "findings", "fold", "format", "hex", "index", "item", "output",
            "reader", "sources", "storage", "text", "writer", "zim",
        ],
    ),
    ("extract", &["hex", "item", "format", "codec", "manifest", "output", "text"]),
    // The objects that both faces tell of an archive with.
    ("json", &["book", "hex", "item"]),
    ("terminal", &["text"]),
    (
        "cli",
        &[
            "book", "extract", "findings", "fold", "format", "hex", "item", "json", "manifest", "reader",
            "server", "sources", "storage", "terminal", "text", "writer", "zim",
        ],
    ),
    ("server", &["book", "codec", "content", "hex", "item", "json", "storage", "text", "zim"]),
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut out = vec![];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
    out.sort();
    out
}

/// Returns the part of a file before its tests, which may use anything.
fn without_tests(text: &str) -> &str {
    text.find("#[cfg(test)]\nmod tests {").map_or(text, |at| &text[..at])
}

/// Returns the modules of this crate that a text names.
fn named(text: &str) -> Vec<String> {
    let mut out = vec![];
    for start in ["crate::", "tome::"] {
        for (at, _) in text.match_indices(start) {
            let line = &text[text[..at].rfind('\n').map_or(0, |n| n + 1)..at];
            if line.trim_start().starts_with("//") {
                continue;
            }
            let name: String = text[at + start.len()..]
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect();
            out.push(name);
        }
    }
    out
}

#[test]
fn modules_use_only_what_their_layer_allows() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = vec![];
    let mut seen = 0;
    for file in files(&src) {
        let inside = file.strip_prefix(&src).unwrap().to_string_lossy().replace('\\', "/");
        if ["lib.rs", "main.rs"].contains(&&inside[..])
            || inside.ends_with("tests.rs")
            || inside.ends_with("testing.rs")
            || inside.ends_with("spec.rs")
        {
            continue;
        }
        let module = inside.split('/').next().unwrap().trim_end_matches(".rs");
        let rule = MAY_USE.iter().find(|r| r.0 == inside).or_else(|| MAY_USE.iter().find(|r| r.0 == module));
        let Some((_, allowed)) = rule else {
            wrong.push(format!("{inside}: module {module} has no rule; add it to MAY_USE with a reason"));
            continue;
        };
        let text = std::fs::read_to_string(&file).unwrap();
        for name in named(without_tests(&text)) {
            seen += 1;
            let free = ["", "error", "limits", module].contains(&&name[..]);
            if !free && !allowed.contains(&&name[..]) {
                wrong.push(format!("{inside} uses {name}"));
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 50, "only {seen} uses found: the test no longer sees them");
}

#[test]
fn unsafe_code_lives_in_one_file_and_only_the_codec_names_zstd() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in files(&src) {
        let name = file.strip_prefix(&src).unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        let code = || text.lines().filter(|l| !l.trim_start().starts_with("//"));
        if name != "storage.rs" {
            assert!(code().all(|l| !l.contains("unsafe {") && !l.contains("unsafe fn")), "{name}");
        }
        if name != "codec.rs" {
            assert!(code().all(|l| !l.contains("zstd::") && !l.contains("zstd_safe")), "{name}");
        }
    }
}
