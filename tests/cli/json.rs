//! Each object of `--json`, with the exact names that others rely on.
#![allow(dead_code, reason = "fields are there to be parsed")]

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{on, packed, run, sample};

/// Parses every line of stdout; anything else in it fails.
fn lines<T: DeserializeOwned>(stdout: &str) -> Vec<T> {
    assert!(stdout.ends_with('\n'));
    stdout.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    path: String,
    message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pack {
    archive: String,
    articles: u64,
    media: u64,
    redirects: u64,
    bytes_in: u64,
    bytes_out: u64,
    seconds: f64,
    warnings: Vec<Message>,
    errors: Vec<Message>,
}

#[test]
fn pack() {
    let (_folder, archive, result) =
        packed(&[("a.html", b"<title>A</title>"), ("b.css", b"b{}")], &["--json"]);
    let [done] = &lines::<Pack>(&result.stdout)[..] else { panic!("{}", result.stdout) };
    assert_eq!((done.articles, done.media, done.redirects, done.bytes_in), (1, 1, 0, 19));
    assert_eq!(done.bytes_out, std::fs::metadata(&archive).unwrap().len());
    assert_eq!(done.archive, archive.display().to_string());
    assert!(done.warnings.is_empty() && done.errors.is_empty() && done.seconds >= 0.0);
}

/// A field that may be null, but not absent.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Info {
    format: String,
    version: String,
    content_id: String,
    file_id: String,
    #[serde(deserialize_with = "present")]
    uuid: Option<String>,
    title: String,
    #[serde(deserialize_with = "present")]
    language: Option<String>,
    #[serde(deserialize_with = "present")]
    creator: Option<String>,
    #[serde(deserialize_with = "present")]
    publisher: Option<String>,
    #[serde(deserialize_with = "present")]
    date: Option<String>,
    #[serde(deserialize_with = "present")]
    description: Option<String>,
    #[serde(deserialize_with = "present")]
    license: Option<String>,
    #[serde(deserialize_with = "present")]
    source_url: Option<String>,
    tags: Vec<String>,
    #[serde(deserialize_with = "present")]
    main: Option<String>,
    articles: u64,
    media: u64,
    redirects: u64,
    blocks: u64,
    size: u64,
    has_search: bool,
    sections: Vec<Section>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    kind: String,
    offset: u64,
    length: u64,
    optional: bool,
}

#[test]
fn info() {
    let [info] = &lines::<Info>(&on(sample(), "info", &["--json"]).stdout)[..] else { panic!() };
    assert_eq!((info.format.as_str(), info.main.as_deref()), ("tome", Some("index.html")));
    assert_eq!(info.title, "The Tome Sampler");
    assert_eq!((info.content_id.len(), info.file_id.len()), (64, 64));
    assert_eq!((info.articles, info.media, info.redirects, info.has_search), (64, 19, 23, true));
    assert_eq!(info.size, std::fs::metadata(sample()).unwrap().len());
    assert!(info.sections.iter().all(|s| s.offset > 0 && s.offset + s.length <= info.size));
    let args = ["--license", "CC0", "--source-url", "https://example.org/", "--date", "2024-05-31"];
    let tags =
        ["--tag", "a b", "--tag", "c", "--creator", "me", "--publisher", "you", "--description", "what"];
    let (_folder, archive, _) = packed(&[("a.css", b"")], &[&args[..], &tags].concat());
    let [info] = &lines::<Info>(&on(&archive, "info", &["--json"]).stdout)[..] else { panic!() };
    assert_eq!((info.tags.as_slice(), info.title.as_str()), (&["a b".to_owned(), "c".to_owned()][..], ""));
    assert_eq!((info.license.as_deref(), info.date.as_deref()), (Some("CC0"), Some("2024-05-31")));
    assert_eq!(info.source_url.as_deref(), Some("https://example.org/"));
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Entry {
    Redirect {
        path: String,
        title: String,
        kind: String,
        mime: String,
        size: u64,
        target: String,
        #[serde(deserialize_with = "present")]
        fragment: Option<String>,
    },
    Blob {
        path: String,
        title: String,
        kind: String,
        mime: String,
        size: u64,
    },
}

#[test]
fn list() {
    let entries: Vec<Entry> = lines(&on(sample(), "list", &["--json"]).stdout);
    assert_eq!(entries.len(), 106);
    let mut seen = 0;
    for entry in &entries {
        match entry {
            Entry::Redirect { path, target, fragment, kind, .. } if path == "USSR" => {
                assert_eq!((target.as_str(), fragment.as_deref()), ("Soviet_Union.html", Some("History")));
                assert_eq!(kind, "redirect");
                seen += 1;
            }
            Entry::Blob { path, title, kind, mime, size } if path == "Honey.html" => {
                assert_eq!((title.as_str(), kind.as_str()), ("Honey", "article"));
                assert!(mime.starts_with("text/html") && *size > 1000);
                seen += 1;
            }
            _ => {}
        }
    }
    assert_eq!(seen, 2);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    path: String,
    title: String,
    mime: String,
    size: u64,
    content: Option<String>,
    content_base64: Option<String>,
}

#[test]
fn read_and_random() {
    let read = |args: &[&str]| {
        let run = on(sample(), "read", &[args, &["--json"]].concat());
        let mut lines = lines::<Read>(&run.stdout);
        assert_eq!(lines.len(), 1);
        lines.remove(0)
    };
    let honey = read(&["honey"]);
    assert_eq!((honey.path.as_str(), honey.title.as_str()), ("Honey.html", "Honey"));
    assert!(honey.content.unwrap().starts_with("Honey\n\nHoney is what bees"));
    assert!(read(&["honey", "--markdown"]).content.unwrap().starts_with("# Honey"));
    assert!(read(&["honey", "--raw"]).content.unwrap().starts_with("<!DOCTYPE html>"));
    assert_eq!(read(&["honey", "--raw", "--range", "0-8"]).content.unwrap(), "<!DOCTYPE");
    let picture = read(&["--path", "media/aurora.png"]);
    assert!(picture.content.is_none() && picture.content_base64.unwrap().starts_with("iVBORw0KGgo"));
    assert!(read(&["--raw", "Übersee.html"]).content_base64.is_some());
    let [random] = &lines::<Read>(&on(sample(), "random", &["--json"]).stdout)[..] else { panic!() };
    assert!(random.content.is_none() && random.content_base64.is_none() && random.mime.starts_with("text/"));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Extract {
    entries: u64,
    bytes: u64,
    skipped: Vec<Message>,
}

#[test]
fn extract() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let run = on(sample(), "extract", &["-o", target.to_str().unwrap(), "--json"]);
    let [done] = &lines::<Extract>(&run.stdout)[..] else { panic!("{}", run.stdout) };
    assert_eq!((done.entries, done.skipped.len()), (106, 0));
    assert!(done.bytes > 600_000);
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
enum Verify {
    Finding {
        check: String,
        severity: String,
        message: String,
        #[serde(deserialize_with = "present")]
        section: Option<String>,
        #[serde(deserialize_with = "present")]
        block: Option<u32>,
        entries: Vec<String>,
        n_entries: u64,
    },
    End {
        ok: bool,
        blocks: u64,
        n_entries: u64,
        bytes: u64,
        seconds: f64,
    },
}

#[test]
fn verify() {
    let [Verify::End { ok: true, n_entries: 106, .. }] =
        &lines::<Verify>(&on(sample(), "verify", &["--json"]).stdout)[..]
    else {
        panic!()
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.tome");
    let mut bytes = std::fs::read(sample()).unwrap();
    bytes[5000] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let run = on(&path, "verify", &["--json"]);
    assert_eq!(run.status, 1);
    let found: Vec<Verify> = lines(&run.stdout);
    assert!(matches!(found.last(), Some(Verify::End { ok: false, .. })));
    let errors =
        found.iter().filter(|f| matches!(f, Verify::Finding { severity, .. } if severity == "error"));
    assert!(errors.count() >= 1);
    // Of a file that cannot even be opened, the same kinds of lines.
    std::fs::write(&path, &std::fs::read(sample()).unwrap()[..5000]).unwrap();
    let run = on(&path, "verify", &["--json"]);
    assert_eq!(run.status, 1);
    let [Verify::Finding { section, .. }, Verify::End { ok: false, .. }] = &lines::<Verify>(&run.stdout)[..]
    else {
        panic!("{}", run.stdout)
    };
    assert_eq!(section.as_deref(), Some("first page"));
}

#[test]
fn failures_leave_stdout_empty() {
    for args in [
        &["info", "none.tome", "--json"][..],
        &["list", "none.tome", "--json"],
        &["read", "none.tome", "x", "--json"],
        &["random", "none.tome", "--json"],
        &["verify", "none.tome", "--json"],
        &["extract", "none.tome", "-o", "never", "--json"],
        &["pack", "none", "-o", "never.tome", "--json"],
    ] {
        let run = run(args);
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{args:?}");
        assert!(run.stderr.starts_with("error: none"), "{args:?}: {}", run.stderr);
    }
    let none = on(sample(), "read", &["nothing of the kind", "--json"]);
    assert_eq!((none.status, none.stdout.as_str()), (1, ""));
}
