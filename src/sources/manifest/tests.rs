use std::io::Cursor;

use super::*;
use crate::manifest::LineKind;

const HASH: &str = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";

fn read(text: impl Into<Vec<u8>>) -> Result<Manifest> {
    Manifest::read(Cursor::new(text.into()), Path::new("tome-manifest.json"))
}

fn with_entries(entries: &str) -> Result<Manifest> {
    read(format!("{{\"tome_manifest\":1,\"entries\":[\n{entries}\n]}}"))
}

fn file_line(path: &str, more: &str) -> String {
    let path = serde_json::to_string(path).unwrap();
    format!("{{\"path\":{path},\"kind\":\"media\",\"mime\":\"x/y\",\"size\":0,\"blake3\":\"{HASH}\"{more}}}")
}

fn message(result: Result<Manifest>) -> String {
    result.err().unwrap().to_string()
}

#[test]
fn a_folder_without_one() {
    let dir = tempfile::tempdir().unwrap();
    assert!(Manifest::load(dir.path()).unwrap().is_none());
    std::fs::create_dir(dir.path().join(manifest::NAME)).unwrap();
    assert!(matches!(Manifest::load(dir.path()), Err(Error::Source { .. })));
}

#[test]
fn json_laid_out_in_any_way_is_read() {
    let line = file_line("a", ",\"unknown\":[{\"x\":[1,2]}]");
    let other = file_line("é\u{2028}\"", ",\"title\":\"T\",\"language\":null");
    let tight = format!(
        "{{\"entries\":[{line},{other}],\"main\":\"a\",\"later\":{{\"x\":[[]]}},\"metadata\":[{{\"key\":\"k\",\"mime\":\"m\",\"hex\":\"00ff\"}}],\"reading_order\":[\"a\"],\"tome_manifest\":1}}"
    );
    let value: serde_json::Value = serde_json::from_str(&tight).unwrap();
    let wide = serde_json::to_string_pretty(&value).unwrap().replace('\n', "\r\n\t");
    for text in [tight, wide] {
        let manifest = read(text).unwrap();
        assert_eq!(manifest.len(), 2);
        assert_eq!(manifest.about().metadata.get("k").unwrap().bytes, [0, 255]);
        assert_eq!(manifest.about().main.as_deref(), Some("a"));
        assert_eq!(manifest.about().reading_order, ["a"]);
        // Backwards, so that the buffer does not happen to stand right.
        let entry = manifest.for_file("é\u{2028}\"".as_bytes()).unwrap().unwrap();
        assert_eq!(entry.title.as_deref(), Some("T"));
        let entry = manifest.for_file(b"a").unwrap().unwrap();
        assert_eq!((entry.title, entry.language), (None, None));
        assert!(manifest.for_file(b"b").unwrap().is_none());
        assert_eq!(manifest.missing().count(), 0);
    }
}

#[test]
fn x07_names_outside_the_folder() {
    let names = ["../x", "/etc/passwd", "a/../b", "", "a//b", "./a", "a\0b", "tome-manifest.json"];
    for name in names {
        let text = message(with_entries(&file_line(name, "")));
        assert!(text.contains("line 2"), "{text}");
        let file = format!(",\"file\":{}", serde_json::to_string(name).unwrap());
        message(with_entries(&file_line("fine", &file)));
        // As a path it may be anything, if the file's name is fine.
        assert_eq!(with_entries(&file_line(name, ",\"file\":\"f\"")).unwrap().len(), 1);
    }
    message(with_entries(&file_line("a", ",\"file_escaped\":\"\u{f8ff}2e\u{f8ff}2e/x\"")));
    message(with_entries(&file_line("a", ",\"file_escaped\":\"\u{f8ff}zz\"")));
    message(with_entries(&file_line("a", ",\"file\":\"x\",\"file_escaped\":\"y\"")));
}

#[test]
fn x07_two_lines_for_one_thing() {
    let text = message(with_entries(
        &[file_line("a", ""), file_line("b", ""), file_line("a", ",\"file\":\"c\"")].join(",\n"),
    ));
    assert!(text.contains("same path") && text.contains("line 2") && text.contains("line 4"), "{text}");
    let text = message(with_entries(&[file_line("a", ""), file_line("b", ",\"file\":\"a\"")].join(",\n")));
    assert!(text.contains("same file") && text.contains("line 3"), "{text}");
    for field in ["\"entries\":[]", "\"tome_manifest\":1", "\"main\":\"a\""] {
        let text = message(read(format!("{{\"tome_manifest\":1,\"entries\":[],\"main\":\"a\",\n{field}}}")));
        assert!(text.contains("twice") && text.contains("line 2"), "{text}");
    }
    let value = "{\"key\":\"k\",\"mime\":\"m\",\"text\":\"t\"}";
    let text = message(read(format!("{{\"tome_manifest\":1,\"metadata\":[{value},\n{value}]}}")));
    assert!(text.contains("\"k\" twice"), "{text}");
}

#[test]
fn x07_lines_that_say_too_little_or_nonsense() {
    let wrong = [
        "{\"path\":\"a\",\"kind\":\"redirect\"}",
        "{\"path\":\"a\",\"kind\":\"article\"}",
        "{\"path\":\"a\",\"kind\":\"other\"}",
        "{\"kind\":\"article\"}",
        "{\"path\":\"a\",\"kind\":\"article\",\"mime\":\"m\"}",
        "{\"path\":\"a\",\"kind\":\"article\",\"mime\":\"m\",\"size\":-1}",
        "{\"path\":\"a\",\"kind\":\"article\",\"mime\":\"m\",\"size\":1,\"blake3\":\"AF\"}",
        "{\"path\":\"a\",\"path\":\"a\",\"kind\":\"redirect\",\"target\":\"b\"}",
        "17",
        "\"",
        "{\"path\":\"\u{0}\"}",
    ];
    for line in wrong {
        let text = message(with_entries(line));
        // A number's end is only seen in the line after it.
        assert!(
            text.contains("tome-manifest.json") && (text.contains("line 2") || text.contains("line 3")),
            "{text}"
        );
    }
    let long = file_line(&"a/".repeat(40_000), ",\"file\":\"f\"");
    assert!(message(with_entries(&long)).contains("65535"));
    for document in
        ["", "[]", "{}", "null", "{\"tome_manifest\":1}x", "{\"tome_manifest\":\"1\"}", "\u{feff}{}"]
    {
        assert!(matches!(read(document), Err(Error::Source { .. })), "{document}");
    }
    let invalid_utf8 = b"{\"tome_manifest\":1,\"main\":\"\xff\"}".to_vec();
    assert!(matches!(read(invalid_utf8), Err(Error::Source { .. })));
    let deep = format!("{{\"tome_manifest\":1,\"x\":{}", "[".repeat(1_000_000));
    assert!(matches!(read(deep), Err(Error::Source { .. })));
    let cut = with_entries(&file_line("a", ""));
    assert!(cut.is_ok());
    assert!(message(read("{\"tome_manifest\":1,\"entries\":[\n")).contains("line 2"));
}

#[test]
fn x07_a_later_version_is_refused_by_name() {
    let error = read("{\"tome_manifest\":2,\"entries\":17}").err().unwrap();
    assert!(matches!(&error, Error::Unsupported { found, .. } if found.contains("version 2")), "{error}");
}

/// Gives out the same bytes without end.
struct Endless(&'static [u8], usize, u64);

impl Read for Endless {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = out.len().min(self.0.len() - self.1);
        out[..n].copy_from_slice(&self.0[self.1..][..n]);
        self.1 = (self.1 + n) % self.0.len();
        self.2 += n as u64;
        assert!(self.2 < 100_000_000, "reading went on and on");
        Ok(n)
    }
}

impl Seek for Endless {
    fn seek(&mut self, _: std::io::SeekFrom) -> std::io::Result<u64> {
        Err(std::io::Error::other("not here"))
    }
}

struct After(Cursor<Vec<u8>>, Endless);

impl Read for After {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(out)? {
            0 => self.1.read(out),
            n => Ok(n),
        }
    }
}

impl Seek for After {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.1.seek(to)
    }
}

#[test]
fn x07_junk_without_end() {
    let begin = "{\"tome_manifest\":1,\n";
    let cases: [(&str, &'static [u8]); 6] = [
        ("", b" "),
        ("\"entries\":[{\"path\":\"", b"aaaaaaaaaaaaaaaa"),
        ("\"entries\":[", b"                "),
        ("\"x\":[0", b",[]"),
        ("\"reading_order\":[\"\"", b",\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""),
        ("\"metadata\":[{\"key\":\"", b"bbbbbbbbbbbbbbbb"),
    ];
    for (start, junk) in cases {
        let input = After(Cursor::new(format!("{begin}{start}").into_bytes()), Endless(junk, 0, 0));
        let text = message(Manifest::read(input, Path::new("m")));
        assert!(text.contains("too long") && text.contains("line 2"), "{start}: {text}");
    }
}

#[test]
fn x07_wrong_hashes_only_mean_that_a_file_has_changed() {
    let manifest = with_entries(&file_line("a", "")).unwrap();
    let entry = manifest.for_file(b"a").unwrap().unwrap();
    assert!(entry.matches(b""));
    assert!(!entry.matches(b"x"));
    assert!(!entry.matches_reader(&b"x"[..]).unwrap());
    let large = |bytes: &'static [u8]| Content::Large {
        len: bytes.len() as u64,
        open: Box::new(move || Ok(Box::new(bytes))),
    };
    assert!(entry.matches_content(&large(b"")).unwrap() && !entry.matches_content(&large(b"x")).unwrap());
    let text = b"{\"tome_manifest\":1}";
    assert!(Manifest::from_content(large(text), Path::new("m")).unwrap().is_empty());
    let entry = Entry { size: 1, ..entry };
    assert!(!entry.matches(b"") && !entry.matches(b"x"));
}

#[test]
fn x07_many_entries() {
    let n = 20_000;
    let mut writer = manifest::Writer::new(Vec::new()).unwrap();
    for i in 0..n {
        let line: Line = serde_json::from_str(&file_line(&format!("d/{i:07}"), "")).unwrap();
        writer.entry(&line).unwrap();
    }
    let manifest = read(writer.finish(&About::default()).unwrap()).unwrap();
    assert_eq!(manifest.len(), n);
    for i in (0..n).step_by(997).chain((0..n).rev().step_by(10_007)) {
        let path = format!("d/{i:07}");
        assert_eq!(manifest.for_file(path.as_bytes()).unwrap().unwrap().path, path);
    }
    assert!(manifest.for_file(b"d/x").unwrap().is_none());
    assert!(manifest.missing().count() > n * 9 / 10);
    assert_eq!(manifest.entries().map(|e| e.unwrap()).filter(|e| e.kind == Kind::Media).count(), n);
}

#[test]
fn an_entry_gives_its_item_back() {
    let manifest = with_entries(
        "{\"path\":\"r\",\"kind\":\"redirect\",\"target\":\"t\",\"fragment\":\"f\",\"title\":\"\",\"generated\":true}",
    )
    .unwrap();
    let item = manifest.redirects().next().unwrap().unwrap().into_item(Content::Bytes(vec![]), "m".into());
    assert!(
        matches!(item.body, Body::Redirect { target, fragment } if target == "t" && fragment.as_deref() == Some("f"))
    );
    assert_eq!((item.title.as_deref(), item.generated, item.escaped), (Some(""), true, false));
    assert_eq!(Kind::from(LineKind::Redirect), Kind::Redirect);
}
