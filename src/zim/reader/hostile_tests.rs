//! Files that are wrong, each in its own way: an error that says where, never a panic, a hang, or memory
//! that a number merely claims. Names begin with the case's.

use super::*;
use crate::codec;
use crate::error::Error;
use crate::limits::MAX_ZIM_CONTENT;
use crate::zim::testing::{
    Build, blob, blobs, open, raw_blob, read_both_ways, read_everything, redirect, stored, zstd,
};

/// Returns the check that refused the content of a small archive's first page, after a change.
fn refused(change: impl FnOnce(&mut Build)) -> String {
    let mut build = Build::small();
    change(&mut build);
    let bytes = build.bytes();
    let _ = read_both_ways(&bytes);
    let zim = match open(&bytes) {
        Ok(zim) => zim,
        Err(e) => return check(&e),
    };
    let read = || {
        let entry = zim.entry_by_path("page")?.ok_or(Error::InvalidInput("missing".into()))?;
        zim.content(&entry).map(|c| c.to_vec())
    };
    match read() {
        Ok(bytes) => format!("read {}", String::from_utf8_lossy(&bytes)),
        Err(e) => check(&e),
    }
}

fn check(error: &Error) -> String {
    match error {
        Error::Format(format) => format.check.into(),
        other => other.to_string(),
    }
}

#[test]
fn a_small_archive_is_read_in_both_ways() {
    for build in [Build::small(), Build::old()] {
        let told = read_both_ways(&build.bytes()).unwrap();
        assert!(told.iter().all(|line| !line.contains("damaged archive")), "{told:#?}");
    }
    assert_eq!(refused(|_| ()), "read <p>first");
    for minor in [0, 2, 3, 77] {
        // With 0 it is of the old scheme, where the page is in a namespace of its own.
        let expected = if minor == 0 { "missing" } else { "read <p>first" };
        assert_eq!(refused(|b| b.minor = minor), expected);
    }
    assert_eq!(refused(|b| b.lists_first = true), "read <p>first");
    assert_eq!(refused(|b| b.old_header = true), "read <p>first");
    assert_eq!(refused(|b| b.titles = None), "read <p>first");
}

#[test]
fn p01_p27_a_file_cut_anywhere_is_refused() {
    let bytes = Build::small().bytes();
    for len in 0..bytes.len() {
        assert!(read_both_ways(&bytes[..len]).is_err(), "{len}");
    }
    // Without a checksum the end is not known; what is missing is missed when it is read.
    let mut old = Build::small();
    old.old_header = true;
    let bytes = old.bytes();
    for len in 0..bytes.len() {
        let _ = read_both_ways(&bytes[..len]);
    }
}

#[test]
fn p28_any_flipped_bit_is_survived() {
    for build in [Build::small(), Build::old()] {
        let bytes = build.bytes();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut copy = bytes.clone();
                copy[at] ^= 1 << bit;
                let _ = read_both_ways(&copy);
            }
        }
    }
}

#[test]
fn p02_p03_p04_p07_every_field_of_the_header_may_say_anything() {
    let bytes = Build::small().bytes();
    let len = bytes.len() as u64;
    let values = [0, 1, 79, 80, 81, len - 17, len - 16, len - 1, len, 1 << 31, u64::from(u32::MAX), 1 << 63];
    let values = values.into_iter().chain([u64::MAX, u64::MAX - 7, u64::MAX - 15]);
    let fields =
        [(0, 4), (4, 2), (6, 2), (24, 4), (28, 4), (32, 8), (40, 8), (48, 8), (56, 8), (64, 4), (72, 8)];
    for value in values {
        for (at, width) in fields {
            let mut copy = bytes.clone();
            copy[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
            let _ = read_both_ways(&copy);
            // And with a list of articles that is not there, so that others are asked.
            let named = copy.windows(10).position(|w| w == b"titleOrder").unwrap();
            copy[named] = b'x';
            let _ = read_both_ways(&copy);
        }
    }
}

#[test]
fn p06_counts_that_cannot_be_are_refused() {
    assert_eq!(refused(|b| b.clusters.clear()), "counts");
    assert_eq!(refused(|b| b.clusters.resize(20, stored(&[]))), "counts");
    let empty = Build { dirents: vec![], clusters: vec![], titles: Some(vec![]), ..Build::small() };
    let told = read_both_ways(&Build { main: u32::MAX, ..empty }.bytes()).unwrap();
    assert!(told.iter().all(|line| !line.contains("damaged archive")), "{told:#?}");
}

#[test]
fn p08_dirent_positions_out_of_the_file_are_named() {
    let build = Build::small();
    let bytes = build.bytes();
    let list = open(&bytes).unwrap().header().path_pointers as usize;
    for index in 0..build.dirents.len() {
        for value in [0, 79, bytes.len() as u64 - 17, bytes.len() as u64 - 16, u64::MAX, u64::MAX - 100] {
            let mut copy = bytes.clone();
            copy[list + 8 * index..][..8].copy_from_slice(&value.to_le_bytes());
            let told = read_both_ways(&copy).map(|told| told.join("\n")).unwrap_or_else(|e| e.to_string());
            if value as usize != bytes.len() - 17 {
                assert!(told.contains("dirent position") || told.contains("mime list"), "{index} {value}");
            }
        }
    }
}

#[test]
fn p09_names_of_all_lengths_and_none() {
    let long = "x".repeat(1 << 20);
    for path in ["", "a", &long[..65_535], &long] {
        let mut build = Build::small();
        build.dirents = vec![blob(b'C', path, path, 2, 0, 0)];
        build.clusters.truncate(1);
        build.titles = None;
        let zim = build.open();
        let entry = zim.entry_by_path(path).unwrap().unwrap();
        assert_eq!((&entry.path[..], &entry.title[..]), (path, path));
        read_both_ways(&build.bytes()).unwrap();
    }
    // The last dirent's names go on to the end of the file.
    let mut build = Build::small();
    build.dirents = vec![raw_blob(b'C', &[1; 50], b"", 2, 0, 0)];
    build.dirents[0].truncate(60);
    build.clusters = vec![[1u8; 40].to_vec()];
    build.titles = None;
    build.lists_first = true;
    let told = read_both_ways(&build.bytes()).unwrap().join("\n");
    assert!(told.contains("damaged archive"), "{told}");
}

#[test]
fn p10_names_that_are_not_utf8_are_kept_exactly_and_found() {
    for (path, title) in [
        (&b"\xff\xfe"[..], &b"plain"[..]),
        (b"plain", b"\xed\xa0\x80"),
        ("a\u{f8ff}b".as_bytes(), b""),
        ("a\u{f8ff}\u{f8ff}b".as_bytes(), b"\xff"),
        ("\u{202e}rtl".as_bytes(), "n\u{303}".as_bytes()),
    ] {
        let mut build = Build::small();
        build.dirents = vec![raw_blob(b'C', path, title, 2, 0, 0)];
        build.clusters.truncate(1);
        build.titles = Some(vec![0]);
        let zim = build.open();
        let entry = zim.entries().next().unwrap().unwrap();
        assert_eq!(*entry.path_bytes(), *path);
        assert_eq!(*entry.title_bytes(), *if title.is_empty() { path } else { title });
        assert_eq!(zim.entry_by_path(&entry.path).unwrap().as_ref(), Some(&entry));
        assert_eq!(zim.entries_by_title(&entry.title).unwrap(), std::slice::from_ref(&entry));
        assert_eq!(zim.entries_with_prefix(&entry.path).unwrap().count(), 1);
    }
}

#[test]
fn p11_lists_out_of_order_miss_and_never_hang() {
    let mut build = Build::small();
    build.dirents.reverse();
    let told = read_both_ways(&build.bytes()).unwrap();
    assert!(!told.is_empty());
    let mut build = Build::small();
    build.titles = Some(vec![6, 5, 4, 3, 2, 1, 0]);
    read_both_ways(&build.bytes()).unwrap();
    let mut build = Build::small();
    build.dirents = vec![blob(b'C', "same", "", 2, 0, 0); 7];
    let zim = build.open();
    assert_eq!(zim.entries().count(), 7);
    assert!(zim.entry_by_path("same").unwrap().is_some());
}

#[test]
fn p12_namespaces_of_any_letter() {
    for namespace in [0, 1, 0x7f, 0xff] {
        for minor in [0, 1] {
            let mut build = Build::small();
            build.minor = minor;
            build.dirents = vec![blob(namespace, "page", "", 2, 0, 0)];
            build.clusters = vec![stored(&[b"page"])];
            build.titles = Some(vec![0]);
            let told = read_both_ways(&build.bytes()).unwrap();
            assert!(told.iter().all(|line| !line.contains("damaged archive")), "{told:#?}");
        }
    }
}

#[test]
fn p13_mime_types_and_kinds_of_dirents() {
    assert_eq!(refused(|b| b.mimes = b"text/html\0text/plain".to_vec()), "mime list");
    assert_eq!(refused(|b| b.mimes = b"\0".to_vec()), "mime type");
    assert_eq!(refused(|b| b.dirents[2] = blob(b'C', "page", "", 4, 0, 0)), "mime type");
    for legacy in [0xfffd, 0xfffe] {
        assert_eq!(refused(|b| b.dirents[2] = blob(b'C', "page", "", legacy, 0, 0)), "missing");
    }
}

#[test]
fn p14_redirects_in_circles_and_to_nowhere() {
    let nowhere = |target: u32| {
        let mut build = Build::small();
        build.dirents[1] = redirect(b'C', "other", "", target);
        build.main = 1;
        build.dirents[5] = redirect(b'W', "mainPage", "", 1);
        read_both_ways(&build.bytes()).unwrap();
        let zim = build.open();
        let entry = match zim.entry_by_path("other") {
            Ok(entry) => entry.unwrap(),
            Err(e) => return check(&e),
        };
        assert_eq!(zim.resolve(entry.clone()).unwrap(), None);
        assert_eq!(zim.main_entry().unwrap(), None);
        check(&zim.content(&entry).unwrap_err())
    };
    assert_eq!(nowhere(1), "redirect");
    assert_eq!(nowhere(5), "redirect");
    assert_eq!(nowhere(7), "redirect");
    // To metadata, which is no entry.
    let mut build = Build::small();
    build.dirents[1] = redirect(b'C', "other", "", 4);
    read_both_ways(&build.bytes()).unwrap();
    // A long chain is followed no further than the limit.
    let chain = |n: u32| {
        let mut build = Build::small();
        build.dirents = (0..n).map(|i| redirect(b'C', &format!("{i:05}"), "", i + 1)).collect();
        build.dirents.push(blob(b'C', "page", "", 2, 0, 0));
        build.titles = None;
        let zim = build.open();
        let first = zim.entries().next().unwrap().unwrap();
        zim.resolve(first).unwrap().is_some()
    };
    assert!(chain(crate::limits::MAX_ZIM_REDIRECTS as u32));
    assert!(!chain(crate::limits::MAX_ZIM_REDIRECTS as u32 + 1));
}

#[test]
fn p15_clusters_and_blobs_that_are_not_there() {
    assert_eq!(refused(|b| b.dirents[2] = blob(b'C', "page", "", 2, 2, 0)), "cluster number");
    assert_eq!(refused(|b| b.dirents[2] = blob(b'C', "page", "", 2, 0, 3)), "blob number");
    assert_eq!(refused(|b| b.dirents[2] = blob(b'C', "page", "", 2, 0, u32::MAX)), "blob number");
}

#[test]
fn p16_every_info_byte() {
    for byte in 0..=255u8 {
        let said = refused(|b| b.clusters[0][0] = byte);
        let expected: &[&str] = match byte {
            5 => &["read <p>first"],
            _ if byte & 0xe0 != 0 && matches!(byte & 15, 0 | 1 | 4 | 5) => &["cluster flags"],
            0 | 1 | 16 | 17 | 21 => &["blob offsets", "blob number"],
            4 | 20 => &["decoding"],
            _ => &["compression"],
        };
        assert!(expected.contains(&&said[..]), "{byte:#x}: {said}");
    }
}

#[test]
fn p17_p18_offsets_of_blobs() {
    let plain = blobs(&[b"<p>first", b"<p>second", b"Small"], false);
    for pack in [
        |bytes: &[u8]| [&[1], bytes].concat(),
        |bytes: &[u8]| [&[5], &codec::compress(bytes, 3)[..]].concat(),
    ] {
        let with = |at: usize, value: u32| {
            let mut bytes = plain.clone();
            bytes[4 * at..][..4].copy_from_slice(&value.to_le_bytes());
            refused(|b| b.clusters[0] = pack(&bytes))
        };
        for first in [0, 1, 3, 5, 17, 1 << 20, u32::MAX, u32::MAX - 3] {
            assert_eq!(with(0, first), "blob offsets", "{first}");
        }
        assert_eq!(with(0, 4), "blob number");
        assert_eq!(with(1, 15), "blob offsets");
        assert_eq!(with(2, 100), "blob offsets");
        let behind = with(3, u32::MAX);
        assert_eq!(behind, "read <p>first");
    }
    // The last blob's end is behind the file's, or behind what the cluster decodes to.
    let mut build = Build::small();
    let mut bytes = plain.clone();
    bytes[12..16].copy_from_slice(&0x7fff_ffffu32.to_le_bytes());
    build.clusters[0] = [&[1], &bytes[..]].concat();
    assert_eq!(check(&build.open().metadata_value("Title").unwrap_err()), "blob offsets");
    build.dirents[2] = blob(b'C', "page", "", 2, 0, 2);
    let zim = build.open();
    let entry = zim.entry_by_path("page").unwrap().unwrap();
    assert_eq!(check(&zim.content(&entry).unwrap_err()), "blob offsets");
    build.clusters[0] = [&[5], &codec::compress(&bytes, 3)[..]].concat();
    let zim = build.open();
    let entry = zim.entry_by_path("page").unwrap().unwrap();
    assert!(matches!(zim.content(&entry), Err(Error::LimitExceeded { .. })));
    assert_eq!(check(&zim.copy_content(&entry, &mut std::io::sink()).unwrap_err()), "decoding");
}

#[test]
fn p17_empty_blobs_clusters_and_64_bit_offsets() {
    assert_eq!(refused(|b| b.clusters[0] = stored(&[b"", b"x", b""])), "read ");
    assert_eq!(refused(|b| b.clusters[0] = zstd(&[b"", b"x", b""])), "read ");
    assert_eq!(refused(|b| b.clusters[0] = stored(&[])), "blob number");
    assert_eq!(refused(|b| b.clusters[0] = zstd(&[])), "blob number");
    let long = blobs(&[b"<p>long", b"", b"t"], true);
    assert_eq!(refused(|b| b.clusters[0] = [&[0x11], &long[..]].concat()), "read <p>long");
    let frame = codec::compress(&long, 3);
    assert_eq!(refused(|b| b.clusters[0] = [&[0x15], &frame[..]].concat()), "read <p>long");
}

#[test]
fn p19_p21_zstd_that_is_wrong_or_goes_on() {
    let plain = blobs(&[b"<p>first", b"<p>second", b"Small"], false);
    let frame = codec::compress(&plain, 3);
    let cluster = |frame: &[u8]| [&[5], frame].concat();
    let skippable = [0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4];
    // Frames one after the other are one stream, cut anywhere.
    for cut in 0..plain.len() {
        let two = [codec::compress(&plain[..cut], 3), skippable.to_vec(), codec::compress(&plain[cut..], 3)];
        assert_eq!(refused(|b| b.clusters[0] = cluster(&two.concat())), "read <p>first", "{cut}");
    }
    let mut magic = frame.clone();
    magic[0] ^= 1;
    assert_eq!(refused(|b| b.clusters[0] = cluster(&magic)), "decoding");
    // Only what is skipped, then what is no frame.
    assert_eq!(refused(|b| b.clusters[0] = cluster(&skippable.repeat(50))), "decoding");
    // A window of 2 GiB, a dictionary nobody has.
    let window = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x19, 0, 0, 1, 2, 3];
    assert_eq!(refused(|b| b.clusters[0] = cluster(&window)), "decoding");
    let dictionary = [0x28, 0xb5, 0x2f, 0xfd, 0x03, 0x50, 1, 2, 3, 4, 0x19, 0, 0, 1, 2, 3];
    assert_eq!(refused(|b| b.clusters[0] = cluster(&dictionary)), "decoding");
    // The file ends in the middle of the frame, and no list follows.
    let mut build = Build::small();
    build.lists_first = true;
    build.clusters.swap(0, 1);
    for dirent in &mut build.dirents {
        if dirent[..2] != [0xff, 0xff] {
            dirent[8] ^= 1;
        }
    }
    for len in 1..frame.len() {
        build.clusters[1] = cluster(&frame[..len]);
        let told = read_both_ways(&build.bytes()).unwrap().join("\n");
        assert!(told.contains("decoding"), "{len}");
    }
}

#[test]
fn p20_xz_that_is_right_and_wrong() {
    // `hello` and `world` in one cluster, as xz with a CRC32.
    let xz = XZ.to_vec();
    let page = |xz: &[u8]| refused(|b| b.clusters[0] = [&[4], xz].concat());
    assert_eq!(page(&xz), "read hello");
    for at in 0..xz.len() {
        for bit in 0..8 {
            let mut copy = xz.clone();
            copy[at] ^= 1 << bit;
            let _ = page(&copy);
        }
    }
    // A dictionary of 4 GiB: bits 0 to 5 of the filter's property are 40. The header's CRC is set right.
    let mut build = Build::small();
    build.clusters[0] = [&[4], &XZ_4_GIB[..]].concat();
    let zim = build.open();
    let entry = zim.entry_by_path("page").unwrap().unwrap();
    assert_eq!(check(&zim.content(&entry).unwrap_err()), "decoding");
}

/// The numbers 12, 17, 22 as offsets, `hello`, `world`.
const XZ: [u8; 76] = [
    253, 55, 122, 88, 90, 0, 0, 1, 105, 34, 222, 54, 2, 0, 33, 1, 12, 0, 0, 0, 143, 152, 65, 156, 1, 0, 21,
    12, 0, 0, 0, 17, 0, 0, 0, 22, 0, 0, 0, 104, 101, 108, 108, 111, 119, 111, 114, 108, 100, 0, 0, 0, 24,
    209, 43, 8, 0, 1, 42, 22, 82, 204, 57, 187, 144, 66, 153, 13, 1, 0, 0, 0, 0, 1, 89, 90,
];

/// The same with a dictionary of 4 GiB asked for in the block's header.
const XZ_4_GIB: [u8; 76] = [
    253, 55, 122, 88, 90, 0, 0, 1, 105, 34, 222, 54, 2, 0, 33, 1, 40, 0, 0, 0, 230, 160, 17, 179, 1, 0, 21,
    12, 0, 0, 0, 17, 0, 0, 0, 22, 0, 0, 0, 104, 101, 108, 108, 111, 119, 111, 114, 108, 100, 0, 0, 0, 24,
    209, 43, 8, 0, 1, 42, 22, 82, 204, 57, 187, 144, 66, 153, 13, 1, 0, 0, 0, 0, 1, 89, 90,
];

#[test]
fn p22_bombs_are_read_in_pieces_and_not_kept() {
    // One blob of 600 MB in some 60 KB: beyond what is put together in memory.
    let zeros = vec![0u8; 1 << 20];
    let head = blobs(&[], true);
    let len = MAX_ZIM_CONTENT + (88 << 20);
    let table = [16 + 8, 16 + 8 + len / 2, 16 + 8 + len].map(u64::to_le_bytes).concat();
    assert_eq!(head.len(), 8);
    let mut frames = codec::compress(&table, 3);
    let piece = codec::compress(&zeros, 19);
    (0..len >> 20).for_each(|_| frames.extend_from_slice(&piece));
    let mut build = Build::small();
    build.clusters[0] = [&[0x15], &frames[..]].concat();
    build.dirents[2] = blob(b'C', "page", "", 2, 0, 1);
    build.dirents[0] = blob(b'C', "b/page", "", 2, 0, 0);
    build.dirents[4] = blob(b'M', "Title", "", 3, 0, 0);
    let zim = build.open();
    let first = zim.entry_by_path("b/page").unwrap().unwrap();
    let entry = zim.entry_by_path("page").unwrap().unwrap();
    assert_eq!(zim.content_len(&entry).unwrap(), len / 2);
    assert!(zim.metadata().unwrap().is_empty());
    assert_eq!(zim.content_range(&first, 5..1000).unwrap().len(), 995);
    // In steps, as one that sends a file does: the decoder waits where it stopped.
    let before = zim.decodings();
    let (mut at, mut total) = (0, 0);
    while at < 64 << 20 {
        total += zim.content_range(&first, at..at + (1 << 20)).unwrap().len();
        at += 1 << 20;
    }
    assert_eq!((total, zim.decodings() - before), (64 << 20, 1));
    assert!(zim.cache_weight() < 1 << 20, "{}", zim.cache_weight());
    // All of it as one blob.
    let table = [16u64, 16 + len].map(u64::to_le_bytes).concat();
    let mut one = codec::compress(&table, 3);
    (0..len >> 20).for_each(|_| one.extend_from_slice(&piece));
    build.clusters[0] = [&[0x15], &one[..]].concat();
    build.dirents[2] = blob(b'C', "page", "", 2, 0, 0);
    let zim = build.open();
    let entry = zim.entry_by_path("page").unwrap().unwrap();
    assert!(matches!(zim.content(&entry), Err(Error::LimitExceeded { .. })));
    let mut reader = ContentReader::new(&zim, &entry).unwrap();
    assert_eq!(reader.left(), len);
    assert_eq!(std::io::copy(&mut reader, &mut std::io::sink()).unwrap(), len);
    assert!(zim.cache_weight() < 1 << 20);
}

#[test]
fn p23_listings_of_odd_lengths_wrong_numbers_and_none() {
    let with = |cluster: Vec<u8>, titles: Option<Vec<u32>>| {
        let mut build = Build::small();
        build.clusters[1] = cluster;
        build.titles = titles;
        read_both_ways(&build.bytes()).unwrap();
        build.open()
    };
    let list = |indexes: &[u32]| indexes.iter().flat_map(|i| i.to_le_bytes()).collect::<Vec<u8>>();
    // Half a number at the end.
    let zim = with(stored(&[b"png", &list(&[2, 0, 1])[..10]]), None);
    assert_eq!(zim.n_articles().unwrap(), 2);
    assert_eq!(zim.entries_by_title("A page").unwrap().len(), 1);
    assert_eq!(zim.entries_by_title("Page, the other name").unwrap().len(), 0);
    // Numbers that no dirent has.
    let zim = with(stored(&[b"png", &list(&[99, 2, u32::MAX])]), None);
    assert_eq!(zim.random_article(0).unwrap().unwrap().path, "page");
    assert_eq!(zim.random_article(u64::MAX).unwrap().unwrap().path, "page");
    // Compressed, against the rules.
    let zim = with(zstd(&[b"png", &list(&[2, 0, 1])]), None);
    assert_eq!(zim.n_articles().unwrap(), 3);
    assert_eq!(zim.entries_by_title("A page").unwrap().len(), 1);
    // Empty.
    let zim = with(stored(&[b"png", b""]), None);
    assert_eq!((zim.n_articles().unwrap(), zim.random_article(7).unwrap()), (0, None));
    // Longer than there are dirents.
    let zim = with(stored(&[b"png", &list(&[2; 100])]), None);
    assert_eq!(zim.n_articles().unwrap(), 7);
    // Neither list: pages are known by their mime type, redirects by what is at their end.
    let mut build = Build::small();
    build.dirents[6] = blob(b'X', "something/else", "", 0, 1, 1);
    build.titles = None;
    read_both_ways(&build.bytes()).unwrap();
    let zim = build.open();
    assert_eq!(zim.n_articles().unwrap(), 3);
    assert_eq!(zim.entries_by_title("A page").unwrap().len(), 1);
    assert!(zim.random_article(1 << 62).unwrap().unwrap().is_front);
    // A position of 0, as one writer left it, or in the middle of a cluster.
    let mut bytes = Build::small().bytes();
    bytes[40..48].fill(0);
    let zim = open(&bytes).unwrap();
    assert_eq!(zim.entries_by_title("A page").unwrap().len(), 1);
    let inside = zim.header().cluster_pointers;
    bytes[40..48].copy_from_slice(&inside.to_le_bytes());
    read_everything(&open(&bytes).unwrap());
}

#[test]
fn p24_metadata_that_is_a_redirect_compressed_or_gone() {
    let mut build = Build::small();
    build.dirents[3] = redirect(b'M', "Name", "", 4);
    let zim = build.open();
    assert_eq!(zim.metadata_value("Name").unwrap().unwrap().bytes, b"Small");
    assert_eq!(zim.metadata().unwrap().len(), 2);
    build.dirents[3] = redirect(b'M', "Name", "", 3);
    let zim = build.open();
    assert_eq!(zim.metadata_value("Name").unwrap(), None);
    assert_eq!(zim.metadata_keys().unwrap(), ["Name", "Title"]);
    assert_eq!(zim.metadata().unwrap().len(), 1);
}

#[test]
fn p25_checksums_in_the_wrong_place_and_bytes_behind() {
    let bytes = Build::small().bytes();
    let longer = [&bytes[..], b"more"].concat();
    assert_eq!(check(&open(&longer).unwrap_err()), "checksum position");
    for value in [0, 80, bytes.len() as u64 - 17, bytes.len() as u64, u64::MAX - 15] {
        let mut wrong = bytes.clone();
        wrong[72..80].copy_from_slice(&value.to_le_bytes());
        assert_eq!(check(&open(&wrong).unwrap_err()), "checksum position");
    }
    let old = Build { old_header: true, ..Build::small() };
    assert_eq!(old.open().declared_checksum().unwrap(), None);
    assert!(open(&bytes).unwrap().declared_checksum().unwrap().is_some());
}

#[test]
fn an_archive_inside_a_file_or_a_split_one_ends_where_it_says() {
    let bytes = Build::small().bytes();
    let dir = tempfile::TempDir::new().unwrap();
    let around = [&b"before"[..], &bytes, b"behind"].concat();
    std::fs::write(dir.path().join("x"), &around).unwrap();
    for (i, part) in around.chunks(100).enumerate() {
        std::fs::write(dir.path().join(format!("y.zima{}", char::from(b'a' + i as u8))), part).unwrap();
    }
    let expected = read_everything(&open(&bytes).unwrap());
    for name in ["x", "y.zim", "y.zimaa"] {
        for by_position in [false, true] {
            let options = OpenOptions { by_position, at: 6, cache: None };
            let zim = Archive::open_with(dir.path().join(name), &options).unwrap();
            assert_eq!(zim.size(), bytes.len() as u64);
            assert_eq!(zim.n_parts(), if name == "x" { 1 } else { around.len().div_ceil(100) });
            assert_eq!(read_everything(&zim), expected, "{name}");
        }
        let options = OpenOptions { at: 1 << 40, ..OpenOptions::default() };
        assert!(Archive::open_with(dir.path().join(name), &options).is_err());
    }
}

#[test]
fn p26_parts_in_the_wrong_order_are_refused_or_read_without_harm() {
    let bytes = Build::small().bytes();
    let half = bytes.len() / 2;
    let swapped = [&bytes[half..], &bytes[..half]].concat();
    assert!(open(&swapped).is_err());
    let third = bytes.len() / 3;
    let swapped = [&bytes[..third], &bytes[2 * third..], &bytes[third..2 * third]].concat();
    let _ = read_both_ways(&swapped);
}

#[test]
fn p28_flipped_bytes_of_a_real_file_are_survived() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/zim-suite/nons/small.zim");
    let Ok(bytes) = std::fs::read(&path) else {
        eprintln!("skipped: no {}", path.display());
        return;
    };
    // Its stored indexes are most of it, and nothing here reads them: one byte in 61 of those.
    let zim = open(&bytes).unwrap();
    let large = zim.cluster_position(zim.header().n_clusters - 1).unwrap() as usize;
    for at in (0..bytes.len()).filter(|at| !(large + 64..large + 32_768).contains(at) || at % 61 == 0) {
        let mut copy = bytes.clone();
        copy[at] ^= 0x41;
        if let Ok(zim) = open(&copy) {
            read_everything(&zim);
        }
    }
}
