//! Mapped, owned and positional archives: what is borrowed, shared and bounded.

use tome::item::{About, Body, Content};
use tome::reader::Archive;
use tome::writer::Options;

use crate::common::{Random, article, everything, item, media, tell, write};

fn file(items: Vec<tome::item::Item>) -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("a.tome");
    write(&path, items, &About::default(), Options::default(), &tome::item::Silent);
    (dir, path)
}

fn assert_traits<T: Send + Sync>() {}

#[test]
fn an_archive_is_shared_by_threads() {
    assert_traits::<Archive>();
    let bytes = everything();
    let archive = crate::common::open(&bytes);
    let all = |archive: &Archive| -> Vec<_> {
        archive.entries().map(|e| tell(archive, &e.unwrap()).unwrap()).collect()
    };
    let alone = all(&archive);
    std::thread::scope(|s| {
        let threads: Vec<_> = (0..4).map(|_| s.spawn(|| all(&archive))).collect();
        threads.into_iter().for_each(|t| assert_eq!(t.join().unwrap(), alone));
    });
}

#[test]
fn stored_content_is_borrowed_from_the_mapping_without_a_copy() {
    let noise = Random(3).bytes(900_000);
    let (_dir, path) = file(vec![
        media("small.bin", "application/octet-stream", noise[..3000].to_vec()),
        media("video.bin", "video/mp4", noise.clone()),
    ]);
    let archive = Archive::open(&path).unwrap();
    for name in ["small.bin", "video.bin"] {
        let entry = archive.entry_by_path(name).unwrap().unwrap();
        let (a, b) = (archive.content(&entry).unwrap(), archive.content(&entry).unwrap());
        assert!(a.is_borrowed(), "{name}");
        assert_eq!(a.as_ptr(), b.as_ptr(), "{name}");
        assert_eq!(*a, noise[..a.len()]);
        // A range over several blocks is a part of the same memory.
        let range = archive.content_range(&entry, 1000..a.len() as u64 - 7).unwrap();
        assert_eq!(range.as_ptr(), a[1000..].as_ptr());
        assert_eq!(*range, a[1000..a.len() - 7]);
    }
}

#[test]
fn a_range_of_a_long_stored_blob_reads_its_own_blocks_only() {
    let noise = Random(4).bytes(2_000_000);
    let (_dir, path) = file(vec![media("video.bin", "video/mp4", noise.clone())]);
    // A bit in the middle is wrong: what lies before and behind is still right.
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.windows(32).position(|w| *w == noise[1_000_000..1_000_032]).unwrap();
    bytes[middle] ^= 1;
    let archive = crate::common::open(&bytes);
    let entry = archive.entry_by_path("video.bin").unwrap().unwrap();
    assert_eq!(*archive.content_range(&entry, 0..500_000).unwrap(), noise[..500_000]);
    assert_eq!(*archive.content_range(&entry, 1_900_000..u64::MAX).unwrap(), noise[1_900_000..]);
    assert!(archive.content_range(&entry, 999_990..1_000_010).is_err());
    assert!(archive.content(&entry).is_err());
}

#[test]
fn content_larger_than_memory_allows_is_packed_in_pieces_and_comes_back() {
    let pattern: Vec<u8> = (0..9_000_000u32).flat_map(|i| [(i >> 8) as u8, (i % 7) as u8]).collect();
    let noise = Random(5).bytes(9_000_000);
    let large = |bytes: &[u8]| {
        let bytes: std::sync::Arc<[u8]> = bytes.into();
        Content::Large {
            len: bytes.len() as u64,
            open: Box::new(move || Ok(Box::new(std::io::Cursor::new(bytes.clone())))),
        }
    };
    let body = |bytes: &[u8]| Body::Media { mime: "application/x".into(), content: large(bytes) };
    let (_dir, path) = file(vec![
        item("a.txt", None, body(&pattern)),
        item("b.bin", None, body(&noise)),
        item("c.bin", None, body(&noise)),
        article("d.html", None, "<p>behind</p>"),
    ]);
    let size = std::fs::metadata(&path).unwrap().len();
    assert!(size < 9_500_000, "the same content is stored once: {size}");
    let archive = Archive::open(&path).unwrap();
    for (name, bytes) in [("a.txt", &pattern), ("b.bin", &noise), ("c.bin", &noise)] {
        let entry = archive.entry_by_path(name).unwrap().unwrap();
        assert!(*archive.content(&entry).unwrap() == bytes[..], "{name}");
        let mut copied = vec![];
        archive.copy_content(&entry, &mut copied).unwrap();
        assert!(copied == bytes[..], "{name}");
        let range = archive.content_range(&entry, 4_000_000..8_500_000).unwrap();
        assert!(*range == bytes[4_000_000..8_500_000], "{name}");
    }
}

#[test]
fn an_archive_inside_another_file_opens_at_its_byte() {
    let bytes = everything();
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("wrapped");
    std::fs::write(&path, [&[7; 1234][..], &bytes, &[9; 99]].concat()).unwrap();
    for by_position in [false, true] {
        let options = tome::reader::OpenOptions { by_position, at: 1234, cache: None };
        let archive = Archive::open_with(&path, &options).unwrap();
        assert!(archive.verify(Default::default(), &tome::item::Silent).unwrap().is_ok());
    }
    assert!(Archive::open(&path).is_err());
}

#[test]
fn the_cache_stays_within_its_bound() {
    let mut random = Random(8);
    let items = (0..400).map(|i| article(&format!("{i}.html"), None, random.prose(3000))).collect();
    let (_dir, path) = file(items);
    let cache = std::sync::Arc::new(tome::reader::Cache::new(1_000_000));
    let options = tome::reader::OpenOptions { cache: Some(cache.clone()), ..Default::default() };
    let archive = Archive::open_with(&path, &options).unwrap();
    for entry in archive.entries() {
        archive.content(&entry.unwrap()).unwrap();
        assert!(cache.weight() <= 1_000_000);
    }
    assert!(cache.weight() > 100_000);
}
