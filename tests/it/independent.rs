//! The reader written from the specification alone, in another language, run against archives of
//! the writer: it must accept them, and must tell of each entry what this crate tells.

use std::path::Path;
use std::process::Command;

use tome::item::{About, Kind, Observer, Sink};
use tome::reader::{Archive, EntryBody};
use tome::writer::{Options, Writer};

use crate::common::{everything, open};

/// Returns true if Python and its two packages are there. In CI they must be.
fn can_run() -> bool {
    let found = Command::new("python3").args(["-c", "import blake3, zstandard"]).output();
    let found = found.is_ok_and(|o| o.status.success());
    assert!(found || std::env::var_os("CI").is_none(), "CI installs python3, blake3 and zstandard");
    if !found {
        eprintln!("skipped: python3 -m pip install blake3 zstandard, to run the independent reader");
    }
    found
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn run(path: &Path) -> std::process::Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/independent_reader.py");
    Command::new("python3").arg(script).arg(path).arg("--json").output().unwrap()
}

fn agrees(bytes: &[u8]) {
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("a.tome");
    std::fs::write(&path, bytes).unwrap();
    let output = run(&path);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
    let mut lines = text.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap());
    let archive = open(bytes);
    for entry in archive.entries() {
        let entry = entry.unwrap();
        let told = lines.next().unwrap();
        assert_eq!(told["path"], entry.path);
        assert_eq!(told["title"], entry.title, "{}", entry.path);
        assert_eq!(told["kind"], entry.kind().name(), "{}", entry.path);
        if let EntryBody::Redirect { target, fragment } = &entry.body {
            let target = archive.entry_by_id(*target).unwrap().unwrap();
            assert_eq!(told["target"], target.path, "{}", entry.path);
            assert_eq!(told["fragment"].as_str(), fragment.as_deref(), "{}", entry.path);
        }
        if entry.kind() != Kind::Redirect {
            let content = archive.content(&entry).unwrap();
            assert_eq!(told["mime"], entry.mime(), "{}", entry.path);
            assert_eq!(told["size"], content.len() as u64, "{}", entry.path);
            assert_eq!(told["blake3"], blake3::hash(&content).to_hex().as_str(), "{}", entry.path);
        }
    }
    let end = lines.next().unwrap();
    assert_eq!(end["file_id"], hex(&archive.file_id()));
    assert_eq!(end["content_id"], hex(&archive.content_id()));
    assert!(lines.next().is_none());
}

#[test]
fn a_reader_written_from_the_specification_alone_reads_every_kind_of_section() {
    if can_run() {
        agrees(&everything());
    }
}

struct Strict;

impl Observer for Strict {
    fn error(&self, path: &str, message: &str) {
        panic!("{path}: {message}");
    }
}

#[test]
fn a_reader_written_from_the_specification_alone_reads_the_sample_corpus() {
    if !can_run() {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("archives");
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("sample.tome");
    let mut writer = Writer::create(&path, Options::default(), &Strict).unwrap();
    let sink: &mut dyn Sink = &mut writer;
    let mut sample =
        tome::sources::open(&root.join("sample"), "", tome::sources::Options::default()).unwrap();
    let about: About = sample.run(sink, &Strict).unwrap();
    let mut redirects = tome::sources::redirects::RedirectList::open(&root.join("redirects.tsv")).unwrap();
    tome::item::Source::run(&mut redirects, sink, &Strict).unwrap();
    writer.finish(&about).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert!(Archive::open(&path).unwrap().len() > 90);
    agrees(&bytes);
}

#[test]
fn a_reader_written_from_the_specification_alone_finds_flipped_bits() {
    if !can_run() {
        return;
    }
    let bytes = everything();
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("a.tome");
    for at in [40, 5000, bytes.len() / 2, bytes.len() - 9000, bytes.len() - 20] {
        let mut copy = bytes.clone();
        copy[at] ^= 16;
        std::fs::write(&path, copy).unwrap();
        let output = run(&path);
        assert_eq!(output.status.code(), Some(1), "byte {at}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
