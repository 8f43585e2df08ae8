use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::item::{Kind, Metadata, Sink, Value};
use crate::manifest::LineKind;
use crate::sources::manifest::Manifest;

const HTML: &str = "text/html";

fn article(path: &str, bytes: &[u8]) -> Item {
    let body = Body::Article { mime: HTML.into(), content: Content::Bytes(bytes.to_vec()) };
    with_body(path, body)
}

fn redirect(path: &str, target: &str, fragment: Option<&str>) -> Item {
    with_body(path, Body::Redirect { target: target.into(), fragment: fragment.map(Into::into) })
}

fn with_body(path: &str, body: Body) -> Item {
    Item {
        path: path.into(),
        title: None,
        body,
        generated: false,
        escaped: false,
        language: None,
        origin: String::new(),
    }
}

fn large(path: &str, declared: u64, bytes: &'static [u8], fails: bool) -> Item {
    let open = move || -> io::Result<Box<dyn Read + Send>> {
        if fails { Ok(Box::new(bytes.chain(Broken))) } else { Ok(Box::new(bytes)) }
    };
    let content = Content::Large { len: declared, open: Box::new(open) };
    with_body(path, Body::Media { mime: "video/mp4".into(), content })
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("block 7 is damaged"))
    }
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    (dir, out)
}

/// All files below a folder with their bytes.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let found =
        walkdir::WalkDir::new(dir).into_iter().map(|e| e.unwrap()).filter(|e| !e.file_type().is_dir());
    found
        .map(|e| (e.path().strip_prefix(dir).unwrap().to_path_buf(), fs::read(e.path()).unwrap_or_default()))
        .collect()
}

fn names(dir: &Path) -> Vec<String> {
    files(dir).into_keys().map(|p| p.to_string_lossy().into_owned()).collect()
}

#[test]
fn a_folder_has_the_files_and_the_manifest() {
    let (_dir, out) = folder();
    let mut sink = FolderSink::create(&out, Options::default()).unwrap();
    let mut first = article("a/b.html", b"<p>");
    first.title = Some("B \"quoted\"\n\u{2028}".into());
    first.language = Some("es".into());
    sink.put(first).unwrap();
    sink.put(large("v.mp4", 3, b"mp4", false)).unwrap();
    sink.put(redirect("z", "a/b.html", Some("top"))).unwrap();
    let mut about = About { main: Some("a/b.html".into()), ..About::default() };
    about.metadata.set_text("title", "An \"example\"");
    about.metadata.set("icon", Value { mime: "image/png".into(), bytes: vec![0, 255] });
    about.reading_order = vec!["a/b.html".into()];
    let summary = sink.finish(&about).unwrap();
    assert_eq!(summary, Summary { entries: 3, bytes: 6, skipped: vec![] });
    assert_eq!(names(&out), ["a/b.html", "tome-manifest.json", "v.mp4"]);
    assert_eq!(fs::read(out.join("v.mp4")).unwrap(), b"mp4");
    let text = fs::read_to_string(out.join(manifest::NAME)).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["entries"][2]["fragment"], "top");
    assert_eq!(json["metadata"][0]["hex"], "00ff");
    // One entry a line, whatever it holds (U+2028 is no line break to line tools).
    assert_eq!(text.lines().filter(|l| l.starts_with("{\"path\"")).count(), 3);

    let manifest = Manifest::load(&out).unwrap().unwrap();
    assert_eq!(manifest.about().metadata, about.metadata);
    assert_eq!(manifest.about().main, about.main);
    assert_eq!(manifest.about().reading_order, about.reading_order);
    let entry = manifest.for_file(b"a/b.html").unwrap().unwrap();
    assert!(entry.matches(b"<p>") && !entry.matches(b"<P>"));
    assert_eq!(entry.language.as_deref(), Some("es"));
    let missing: Vec<_> = manifest.missing().map(|e| e.unwrap().path).collect();
    assert_eq!(missing, ["v.mp4"]);
}

#[test]
fn x01_nothing_leaves_the_folder() {
    let (dir, out) = folder();
    let mut sink = FolderSink::create(&out, Options::default()).unwrap();
    for path in ["", "../x", "/abs", "a/../../x", "a\0b", "a//b", ".", "..", "./x"] {
        sink.put(article(path, b"x")).unwrap();
    }
    let summary = sink.finish(&About::default()).unwrap();
    assert_eq!((summary.entries, summary.skipped.len()), (9, 0));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    assert_eq!(files(&out).len(), 10);
    let manifest = Manifest::load(&out).unwrap().unwrap();
    assert_eq!(manifest.for_file(b"%2E%2E/x").unwrap().unwrap().path, "../x");
}

#[cfg(unix)]
mod links {
    use std::os::unix::fs::symlink;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn x02_links_in_the_target_are_not_followed() {
        let (dir, out) = folder();
        let outside = dir.path().join("outside");
        fs::create_dir_all(&out).unwrap();
        fs::create_dir_all(&outside).unwrap();
        fs::write(outside.join("victim"), "old").unwrap();
        symlink(&outside, out.join("d")).unwrap();
        symlink("loop", out.join("loop")).unwrap();
        symlink(outside.join("victim"), out.join("f")).unwrap();
        symlink(outside.join("new"), out.join("dangling")).unwrap();
        fs::hard_link(outside.join("victim"), out.join("hard")).unwrap();
        let mut sink = FolderSink::create(&out, Options { force: true, ..Options::default() }).unwrap();
        for path in ["d/x", "dangling", "f", "hard", "loop/x"] {
            sink.put(article(path, b"new")).unwrap();
        }
        let summary = sink.finish(&About::default()).unwrap();
        let skipped: Vec<_> = summary.skipped.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(skipped, ["d/x", "loop/x"]);
        assert!(summary.skipped[0].1.contains("symbolic link"), "{:?}", summary.skipped);
        assert_eq!(files(&outside).into_values().collect::<Vec<_>>(), [b"old"]);
        // With force, a link gives way to the file; what it led to stays.
        assert!(fs::symlink_metadata(out.join("f")).unwrap().is_file());
        assert_eq!(fs::read(out.join("f")).unwrap(), b"new");
        assert_eq!(fs::read(out.join("hard")).unwrap(), b"new");
    }

    #[test]
    fn x02_a_link_put_there_meanwhile_is_refused() {
        let (dir, out) = folder();
        let outside = dir.path().join("outside");
        fs::create_dir_all(&outside).unwrap();
        let mut sink = FolderSink::create(&out, Options::default()).unwrap();
        symlink(&outside, out.join("d")).unwrap();
        symlink(outside.join("x"), out.join("f")).unwrap();
        sink.put(article("d/x", b"x")).unwrap();
        sink.put(article("f", b"x")).unwrap();
        let summary = sink.finish(&About::default()).unwrap();
        assert_eq!(summary.skipped.len(), 2);
        assert!(files(&outside).is_empty());
        assert!(Manifest::load(&out).unwrap().unwrap().is_empty());
    }

    #[test]
    fn x02_a_folder_swapped_for_a_link_all_the_time() {
        let (dir, out) = folder();
        let outside = dir.path().join("outside");
        fs::create_dir_all(outside.join("b")).unwrap();
        let mut sink = FolderSink::create(&out, Options::default()).unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|threads| {
            threads.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let _ = fs::remove_dir_all(out.join("a"));
                    let _ = symlink(&outside, out.join("a"));
                    std::thread::yield_now();
                    let _ = fs::remove_file(out.join("a"));
                }
            });
            for i in 0..3_000 {
                // Two folders in turn, so that none is kept open.
                let path = if i % 2 == 0 { format!("a/b/{i}") } else { format!("a/{i}") };
                sink.put(article(&path, b"x")).unwrap();
            }
            done.store(true, Ordering::Relaxed);
        });
        assert!(files(&outside).is_empty(), "{:?}", names(&outside));
    }

    #[test]
    fn x05_permissions_are_plain() {
        use std::os::unix::fs::PermissionsExt;
        let (_dir, out) = folder();
        let mut sink = FolderSink::create(&out, Options::default()).unwrap();
        sink.put(article("d/x", b"x")).unwrap();
        sink.finish(&About::default()).unwrap();
        let mode = |name: &str| fs::metadata(out.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode("d/x") & !0o644, 0);
        assert_eq!(mode("d") & !0o755, 0);
        assert_eq!(mode("d/x") & 0o600, 0o600);
    }

    #[test]
    fn bytes_that_are_not_utf8_come_back() {
        use std::os::unix::ffi::OsStrExt;
        let (_dir, out) = folder();
        let mut sink = FolderSink::create(&out, Options::default()).unwrap();
        let mut item = article(&crate::item::escape_bytes(b"d/\xff.html"), b"x");
        item.escaped = true;
        sink.put(item).unwrap();
        // Too long as well: the name in the manifest is neither the path nor UTF-8.
        let long = [b"\xfe".repeat(300), b".html".to_vec()].concat();
        let mut item = article(&crate::item::escape_bytes(&long), b"y");
        item.escaped = true;
        sink.put(item).unwrap();
        sink.finish(&About::default()).unwrap();
        assert_eq!(fs::read(out.join(std::ffi::OsStr::from_bytes(b"d/\xff.html"))).unwrap(), b"x");
        let manifest = Manifest::load(&out).unwrap().unwrap();
        let entry = manifest.for_file(b"d/\xff.html").unwrap().unwrap();
        assert!(entry.escaped && entry.path == "d/\u{f8ff}ff.html");
        let entry = manifest.entries().nth(1).unwrap().unwrap();
        let file = entry.file.clone().unwrap();
        assert_eq!(fs::read(out.join(std::ffi::OsStr::from_bytes(&file))).unwrap(), b"y");
        assert_eq!(manifest.for_file(&file).unwrap(), Some(entry));
    }
}

#[test]
fn x03_a_file_and_a_folder_of_one_name() {
    let (_dir, out) = folder();
    let is_folder = |prefix: &str| Ok(prefix == "AC/");
    let mut sink = FolderSink::create(&out, Options::default()).unwrap().with_folders(Box::new(is_folder));
    sink.put(article("AC", b"current")).unwrap();
    sink.put(article("AC/DC", b"band")).unwrap();
    sink.finish(&About::default()).unwrap();
    assert_eq!(fs::read(out.join("AC/DC")).unwrap(), b"band");
    let manifest = Manifest::load(&out).unwrap().unwrap();
    let entry = manifest.entries().next().unwrap().unwrap();
    assert_eq!(entry.path, "AC");
    let file = String::from_utf8(entry.file.clone().unwrap()).unwrap();
    assert!(entry.matches(&fs::read(out.join(file)).unwrap()));
}

#[test]
fn x04_long_names_and_ten_thousand_files() {
    let (_dir, out) = folder();
    let mut sink =
        FolderSink::create(&out, Options::default()).unwrap().with_folders(Box::new(|_| Ok(false)));
    for i in 0..10_000 {
        sink.put(article(&format!("d/{i:05}"), i.to_string().as_bytes())).unwrap();
    }
    sink.put(article(&"x/".repeat(32_000), b"")).unwrap();
    sink.put(article(&"x".repeat(300), b"")).unwrap();
    let summary = sink.finish(&About::default()).unwrap();
    assert_eq!((summary.entries, summary.skipped.len()), (10_002, 0));
    assert_eq!(files(&out).len(), 10_003);
    let manifest = Manifest::load(&out).unwrap().unwrap();
    assert!(manifest.for_file(b"d/07777").unwrap().unwrap().matches(b"7777"));
}

#[test]
fn x05_a_folder_that_is_not_empty_is_left_alone() {
    let (_dir, out) = folder();
    fs::create_dir_all(&out).unwrap();
    FolderSink::create(&out, Options::default()).unwrap();
    fs::write(out.join("mine"), "old").unwrap();
    let error = FolderSink::create(&out, Options::default()).err().unwrap();
    assert!(matches!(&error, Error::InvalidInput(message) if message.contains("--force")), "{error}");
    let error = FolderSink::create(&out.join("mine"), Options::default()).err().unwrap();
    assert!(matches!(error, Error::InvalidInput(_)));
    assert_eq!(names(&out), ["mine"]);
}

#[test]
fn x05_force_replaces_and_a_stale_manifest_goes() {
    let (_dir, out) = folder();
    for (text, manifest) in [("old", true), ("new", false)] {
        let options = Options { force: true, manifest, ..Options::default() };
        let mut sink = FolderSink::create(&out, options).unwrap();
        sink.put(article("a", text.as_bytes())).unwrap();
        sink.finish(&About::default()).unwrap();
        assert_eq!(out.join(manifest::NAME).exists(), manifest);
    }
    assert_eq!(fs::read(out.join("a")).unwrap(), b"new");
}

#[test]
fn x05_what_cannot_be_read_leaves_nothing_behind() {
    let (dir, out) = folder();
    let zip = dir.path().join("out.zip");
    let items = || {
        [
            large("damaged", 8, b"half", true),
            large("long", 3, b"four", false),
            large("short", 5, b"four", false),
            article("whole", b"x"),
        ]
    };
    let mut folder_sink = FolderSink::create(&out, Options::default()).unwrap();
    let mut zip_sink = ZipSink::create(&zip, Options::default()).unwrap();
    for item in items() {
        folder_sink.put(item).unwrap();
    }
    for item in items() {
        zip_sink.put(item).unwrap();
    }
    for summary in
        [folder_sink.finish(&About::default()).unwrap(), zip_sink.finish(&About::default()).unwrap()]
    {
        assert_eq!((summary.entries, summary.skipped.len()), (1, 3));
        assert!(summary.skipped[0].1.contains("block 7"));
    }
    assert_eq!(names(&out), ["tome-manifest.json", "whole"]);
    let mut zip = ::zip::ZipArchive::new(File::open(zip).unwrap()).unwrap();
    assert_eq!(zip.len(), 2);
    let mut text = Vec::new();
    zip.by_name("whole").unwrap().read_to_end(&mut text).unwrap();
    assert_eq!(text, b"x");
}

#[test]
fn x05_an_unfinished_run_leaves_no_partial_file() {
    let (dir, out) = folder();
    let zip = dir.path().join("out.zip");
    let mut sink = FolderSink::create(&out, Options { redirect_pages: true, ..Options::default() }).unwrap();
    sink.put(article("a", b"x")).unwrap();
    sink.put(redirect("b", "a", None)).unwrap();
    drop(sink);
    assert_eq!(names(&out), ["a"]);
    let mut sink = ZipSink::create(&zip, Options::default()).unwrap();
    sink.put(article("a", b"x")).unwrap();
    drop(sink);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn an_entry_may_have_the_name_of_a_temporary_file() {
    let (_dir, out) = folder();
    let mut sink = FolderSink::create(&out, Options::default()).unwrap();
    let name = |i: u32| format!(".tome-partial-{}-{i}", std::process::id());
    for i in 1..6 {
        sink.put(article(&name(i), i.to_string().as_bytes())).unwrap();
    }
    let summary = sink.finish(&About::default()).unwrap();
    assert_eq!(summary.skipped, []);
    for i in 1..6 {
        assert_eq!(fs::read(out.join(name(i))).unwrap(), i.to_string().as_bytes());
    }
}

#[test]
fn x06_a_budget_ends_the_run() {
    let (_dir, out) = folder();
    let options = Options { max_bytes: Some(1_000), ..Options::default() };
    let mut sink = FolderSink::create(&out, options).unwrap();
    sink.put(article("a", &[b'x'; 100])).unwrap();
    let error = sink.put(large("bomb", u64::MAX, b"", false)).unwrap_err();
    assert!(matches!(error, Error::LimitExceeded { limit: 1_000, wanted: u64::MAX, .. }), "{error}");
    drop(sink);
    assert_eq!(names(&out), ["a"]);
    // The manifest counts too.
    let (_dir, out) = folder();
    let mut sink = FolderSink::create(&out, options).unwrap();
    let mut item = article("a", b"");
    item.title = Some("t".repeat(2_000));
    assert!(matches!(sink.put(item), Err(Error::LimitExceeded { .. })));
}

#[test]
fn x07_an_entry_named_like_the_manifest() {
    for portable_names in [false, true] {
        let (_dir, out) = folder();
        let mut sink = FolderSink::create(&out, Options { portable_names, ..Options::default() }).unwrap();
        sink.put(article(manifest::NAME, b"{\"tome_manifest\":1}")).unwrap();
        sink.put(article("tome-manifest.json/x", b"x")).unwrap();
        sink.finish(&About::default()).unwrap();
        let manifest = Manifest::load(&out).unwrap().unwrap();
        let paths: Vec<_> = manifest.entries().map(|e| e.unwrap().path).collect();
        assert_eq!(paths, ["tome-manifest.json", "tome-manifest.json/x"]);
    }
}

#[test]
fn redirect_pages_lead_there_and_are_marked() {
    let (_dir, out) = folder();
    let options = Options { redirect_pages: true, ..Options::default() };
    let mut sink = FolderSink::create(&out, options).unwrap();
    sink.put(redirect("a/<old>", "..", Some("b&c"))).unwrap();
    sink.put(article("..", b"x")).unwrap();
    sink.put(redirect("chain", "a/<old>", None)).unwrap();
    let summary = sink.finish(&About::default()).unwrap();
    assert_eq!((summary.entries, summary.bytes), (3, 1));
    let page = fs::read(out.join("a/<old>")).unwrap();
    let text = String::from_utf8(page.clone()).unwrap();
    assert!(text.contains("url=../%252E%252E#b%26c\""), "{text}");
    assert!(text.contains("<title>a/&lt;old&gt;</title>"));
    assert!(fs::read_to_string(out.join("chain")).unwrap().contains("href=\"./a/%3Cold%3E\""));
    let manifest = Manifest::load(&out).unwrap().unwrap();
    let entry = manifest.for_file(b"a/<old>").unwrap().unwrap();
    assert_eq!(entry.kind, Kind::Redirect);
    assert!(entry.matches(&page));
    assert_eq!(manifest.redirects().count(), 0, "they come with their pages");
    // Without pages and manifest there is nowhere for a redirect to go.
    let (_dir, out) = folder();
    let mut sink = FolderSink::create(&out, Options { manifest: false, ..Options::default() }).unwrap();
    sink.put(redirect("a", "b", None)).unwrap();
    assert_eq!(sink.finish(&About::default()).unwrap().entries, 0);
    assert!(names(&out).is_empty());
}

#[test]
fn zips_are_the_same_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = ["a.zip", "b.zip"].map(|name| {
        let path = dir.path().join(name);
        let mut sink = ZipSink::create(&path, Options::default()).unwrap();
        sink.put(article("../x\\y", &b"shrink ".repeat(1_000))).unwrap();
        sink.put(large("v.mp4", 4, b"mp4!", false)).unwrap();
        sink.put(redirect("z", "v.mp4", None)).unwrap();
        let summary = sink.finish(&About::default()).unwrap();
        assert_eq!((summary.entries, summary.bytes), (3, 7_004));
        fs::read(path).unwrap()
    });
    assert_eq!(bytes[0], bytes[1]);
    assert!(bytes[0].len() < 2_000);
    let mut zip = ::zip::ZipArchive::new(io::Cursor::new(&bytes[0])).unwrap();
    let names: Vec<_> = zip.file_names().map(|n| n.unwrap().into_owned()).collect();
    assert_eq!(names, ["%2E%2E/x%5Cy", "v.mp4", "tome-manifest.json"]);
    assert_eq!(zip.by_name("v.mp4").unwrap().compression(), ::zip::CompressionMethod::Stored);
    let mut text = Vec::new();
    zip.by_name("tome-manifest.json").unwrap().read_to_end(&mut text).unwrap();
    let manifest = Manifest::read(io::Cursor::new(text), Path::new("in the zip")).unwrap();
    assert_eq!(manifest.len(), 3);
    assert_eq!(manifest.for_file(b"%2E%2E/x%5Cy").unwrap().unwrap().path, "../x\\y");
}

#[test]
fn an_existing_zip_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.zip");
    fs::write(&path, "old").unwrap();
    assert!(matches!(ZipSink::create(&path, Options::default()), Err(Error::InvalidInput(_))));
    assert!(matches!(ZipSink::create(dir.path(), Options::default()), Err(Error::InvalidInput(_))));
    // One that appears meanwhile, too.
    let path = dir.path().join("b.zip");
    let sink = ZipSink::create(&path, Options::default()).unwrap();
    fs::write(&path, "old").unwrap();
    assert!(matches!(sink.finish(&About::default()), Err(Error::InvalidInput(_))));
    assert_eq!(fs::read(&path).unwrap(), b"old");
    let sink = ZipSink::create(&path, Options { force: true, ..Options::default() }).unwrap();
    sink.finish(&About::default()).unwrap();
    assert_ne!(fs::read(&path).unwrap(), b"old");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn free_space_is_known_for_a_folder_to_be() {
    let (_dir, out) = folder();
    let free = free_space(&out.join("not/yet")).unwrap();
    assert_eq!(free.is_some(), cfg!(unix));
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z/.%\"\\\\]{0,6}",
        "\\PC{0,4}",
        "[\u{0}-\u{20}\u{7f}\u{2028}\u{2029}\u{feff}\u{f8ff}é]{1,4}"
    ]
}

prop_compose! {
    /// A line without its file's part, and the file's bytes.
    fn any_entry()(
        path in any_text(),
        title in prop::option::of(any_text()),
        language in prop::option::of(any_text()),
        mime in any_text(),
        generated in any::<bool>(),
        escaped in any::<bool>(),
        bytes in prop::collection::vec(any::<u8>(), 0..20),
        target in any_text(),
        fragment in prop::option::of(any_text()),
        kind in prop::sample::select(vec![LineKind::Article, LineKind::Media, LineKind::Redirect]),
    ) -> (Line, Vec<u8>) {
        let redirect = kind == LineKind::Redirect;
        let line = Line {
            path, title, language, generated, escaped, kind,
            mime: (!redirect).then_some(mime),
            target: redirect.then_some(target),
            fragment: fragment.filter(|_| redirect),
            file: None, file_escaped: None, size: None, blake3: None,
        };
        (line, if redirect { vec![] } else { bytes })
    }
}

fn to_item((line, bytes): (Line, Vec<u8>)) -> Item {
    let content = Content::Bytes(bytes);
    let body = match (line.kind, line.mime, line.target) {
        (LineKind::Article, Some(mime), _) => Body::Article { mime, content },
        (LineKind::Media, Some(mime), _) => Body::Media { mime, content },
        (_, _, target) => Body::Redirect { target: target.unwrap(), fragment: line.fragment },
    };
    let Line { path, title, language, generated, escaped, .. } = line;
    Item { path, title, body, generated, escaped, language, origin: String::new() }
}

fn from_item(item: Item) -> (Line, Vec<u8>) {
    let kind = item.body.kind().into();
    let (mime, target, fragment, bytes) = match item.body {
        Body::Redirect { target, fragment } => (None, Some(target), fragment, vec![]),
        Body::Article { mime, content: Content::Bytes(bytes) }
        | Body::Media { mime, content: Content::Bytes(bytes) } => (Some(mime), None, None, bytes),
        _ => unreachable!(),
    };
    let Item { path, title, language, generated, escaped, .. } = item;
    let (file, file_escaped, size, blake3) = (None, None, None, None);
    let line = Line {
        path,
        file,
        file_escaped,
        kind,
        mime,
        title,
        language,
        escaped,
        generated,
        target,
        fragment,
        size,
        blake3,
    };
    (line, bytes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever goes in comes back from files and manifest.
    #[test]
    fn items_come_back(
        list in prop::collection::vec(any_entry(), 0..12),
        metadata in prop::collection::btree_map(any_text(), (any_text(), prop::collection::vec(any::<u8>(), 0..9)), 0..4),
        main in prop::option::of(any_text()),
        reading_order in prop::collection::vec(any_text(), 0..4),
        portable_names in any::<bool>(),
        redirect_pages in any::<bool>(),
        reverse in any::<bool>(),
    ) {
        let (_dir, out) = folder();
        let list: BTreeMap<String, _> = list.into_iter().map(|e| (e.0.path.clone(), e)).collect();
        let mut about = About { metadata: Metadata::default(), main, reading_order };
        for (key, (mime, bytes)) in metadata {
            about.metadata.set(&key, Value { mime, bytes });
        }
        let sink = FolderSink::create(&out, Options { portable_names, redirect_pages, ..Options::default() });
        let mut sink = sink.unwrap();
        let mut order: Vec<_> = list.values().cloned().collect();
        if reverse {
            order.reverse();
        }
        for entry in order {
            sink.put(to_item(entry)).unwrap();
        }
        let summary = sink.finish(&about).unwrap();
        prop_assert_eq!(&summary.skipped, &vec![]);

        let manifest = Manifest::load(&out).unwrap().unwrap();
        prop_assert_eq!(&manifest.about().metadata, &about.metadata);
        prop_assert_eq!(&manifest.about().main, &about.main);
        prop_assert_eq!(&manifest.about().reading_order, &about.reading_order);
        let mut found = BTreeMap::new();
        for (name, bytes) in files(&out) {
            let name = name.into_os_string().into_encoded_bytes();
            if name == manifest::NAME.as_bytes() {
                continue;
            }
            let entry = manifest.for_file(&name).unwrap().unwrap();
            prop_assert!(entry.matches(&bytes) && entry.matches_reader(&bytes[..]).unwrap());
            prop_assert!(redirect_pages || entry.kind != Kind::Redirect);
            let item = entry.into_item(Content::Bytes(bytes), String::new());
            found.insert(item.path.clone(), from_item(item));
        }
        for entry in manifest.redirects() {
            let item = entry.unwrap().into_item(Content::Bytes(vec![]), String::new());
            found.insert(item.path.clone(), from_item(item));
        }
        prop_assert_eq!(found, list);
        prop_assert_eq!(manifest.missing().count(), 0);
    }
}

#[test]
fn x05_a_full_disk_is_explained_and_ends_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let full = || io::Error::from(io::ErrorKind::StorageFull);
    let explained = explain_full(full(), dir.path(), 123);
    assert_eq!(explained.kind(), io::ErrorKind::StorageFull);
    let text = explained.to_string();
    assert!(text.contains("123 bytes are needed") && text.contains("free"), "{text}");
    let other = explain_full(io::ErrorKind::PermissionDenied.into(), dir.path(), 123);
    assert!(!other.to_string().contains("needed"));
    // The copy tells the output's error from the content's.
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let Body::Media { content, .. } = large("v", 3, b"abc", false).body else { unreachable!() };
    assert_eq!(copy(&content, &mut Full).err().map(|e| e.kind()), Some(io::ErrorKind::StorageFull));
}
