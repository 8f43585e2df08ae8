//! The whole archive in FORMAT.md is the one that the writer makes.

use tome::format::FORMAT;
use tome::item::About;
use tome::writer::Options;

use crate::common::{item, pack};

/// Sixteen bytes a line with their offset, runs of zeros left out.
fn dump(bytes: &[u8]) -> String {
    let mut out = String::new();
    for (i, line) in bytes.chunks(16).enumerate() {
        if line.iter().any(|&b| b != 0) {
            let hex: Vec<String> = line.iter().map(|b| format!("{b:02x}")).collect();
            out.push_str(&format!("{:06x}  {}\n", i * 16, hex.join(" ")));
        }
    }
    out
}

#[test]
fn the_tiny_archive_of_the_specification_is_what_the_writer_makes() {
    let body = tome::item::Body::Article {
        mime: "text/plain".into(),
        content: tome::item::Content::Bytes(b"Hi".to_vec()),
    };
    let bytes = pack(vec![item("a.txt", None, body)], &About::default(), Options::default());
    let (rest, last) = bytes.split_at(bytes.len() - tome::format::ids::PAGE);
    assert_eq!(last, &rest[..last.len()]);
    let dump = dump(rest);
    assert!(FORMAT.contains(&dump), "FORMAT.md lacks the archive, {} bytes:\n{dump}", bytes.len());
    assert!(FORMAT.contains(&format!("{} bytes", bytes.len())));
}
