//! What is decoded, found and kept, on files made for it.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::limits::MAX_ZIM_CLUSTER;
use crate::zim::testing::{Build, ByPieces, blob, stored, zstd};

#[test]
fn the_longest_cluster_that_is_kept_is_kept_once() {
    assert!(MAX_ZIM_CLUSTER <= DEFAULT_CACHE as u64 / 2);
}

/// A file of many clusters of 40 pages each; returns it and its pages' bytes.
fn many(n_clusters: u32, page_len: usize) -> (Build, Vec<Vec<u8>>) {
    let mut build = Build::small();
    let mut pages = vec![];
    build.dirents.clear();
    build.clusters.clear();
    build.titles = None;
    build.main = u32::MAX;
    for cluster in 0..n_clusters {
        let own: Vec<Vec<u8>> = (0..40u32)
            .map(|i| {
                (0..page_len as u32)
                    .flat_map(|k| ((k * (i + 1)) ^ (k >> 3) ^ cluster).to_le_bytes())
                    .collect()
            })
            .collect();
        let refs: Vec<&[u8]> = own.iter().map(|page| &page[..]).collect();
        build.clusters.push(zstd(&refs));
        // In order of path the clusters take turns.
        for i in 0..40 {
            build.dirents.push(blob(b'C', &format!("{i:02}-{cluster:03}"), "", 2, cluster, i));
        }
        pages.extend(own);
    }
    build.dirents.sort_by(|a, b| a[16..].cmp(&b[16..]));
    (build, pages)
}

#[test]
fn reading_in_order_decodes_each_cluster_once() {
    let (build, pages) = many(6, 3000);
    let bytes = build.bytes();
    for storage in
        [Box::new(crate::storage::Owned(bytes.clone())) as Box<dyn Storage>, Box::new(ByPieces(bytes))]
    {
        let zim = Archive::from_storage(storage, &OpenOptions::default()).unwrap();
        let mut n = 0;
        for entry in zim.entries_in_cluster_order().unwrap() {
            let entry = entry.unwrap();
            let EntryBody::Blob { cluster, blob, .. } = entry.body else { panic!() };
            assert_eq!(*zim.content(&entry).unwrap(), pages[(cluster * 40 + blob) as usize]);
            n += 1;
        }
        assert_eq!((n, zim.decodings()), (240, 6));
        // All fits in the cache: another order decodes nothing.
        for entry in zim.entries() {
            zim.content(&entry.unwrap()).unwrap();
        }
        assert_eq!(zim.decodings(), 6);
        assert!(zim.cache_weight() > 6 * 40 * 12_000 && zim.cache_weight() < DEFAULT_CACHE as u64);
        zim.clear_cache();
        assert_eq!(zim.cache_weight(), 0);
        // Lengths alone decode no content.
        for entry in zim.entries() {
            assert_eq!(zim.content_len(&entry.unwrap()).unwrap(), 12_000);
        }
        assert_eq!(zim.decodings(), 6);
        assert!(zim.cache_weight() < 6 * 1024, "{}", zim.cache_weight());
    }
}

#[test]
fn content_that_is_held_stays_as_it_is_while_its_cluster_is_decoded_further() {
    let (build, pages) = many(2, 3000);
    let zim = build.open();
    let mut held = vec![];
    for entry in zim.entries_in_cluster_order().unwrap() {
        let entry = entry.unwrap();
        let EntryBody::Blob { cluster, blob, .. } = entry.body else { panic!() };
        held.push((zim.content(&entry).unwrap(), (cluster * 40 + blob) as usize));
    }
    assert!(held.iter().all(|(content, page)| **content == pages[*page]));
    assert!(zim.decodings() <= 4, "{}", zim.decodings());
}

#[test]
fn without_a_cache_everything_is_read_and_nothing_is_kept() {
    let (build, pages) = many(3, 100);
    let options = OpenOptions { cache: Some(0), ..OpenOptions::default() };
    let zim = Archive::from_storage(Box::new(crate::storage::Owned(build.bytes())), &options).unwrap();
    for entry in zim.entries() {
        let entry = entry.unwrap();
        let EntryBody::Blob { cluster, blob, .. } = entry.body else { panic!() };
        assert_eq!(*zim.content(&entry).unwrap(), pages[(cluster * 40 + blob) as usize]);
    }
    assert_eq!(zim.cache_weight(), 0);
}

#[test]
fn threads_share_an_archive_and_its_decoded_clusters() {
    let (build, pages) = many(4, 2000);
    let zim = build.open();
    std::thread::scope(|scope| {
        for start in 0..4 {
            let (zim, pages) = (&zim, &pages);
            scope.spawn(move || {
                for step in 0..160u32 {
                    let entry = zim.entry_at((start * 37 + step * 11) % 160).unwrap().unwrap();
                    let EntryBody::Blob { cluster, blob, .. } = entry.body else { panic!() };
                    assert_eq!(*zim.content(&entry).unwrap(), pages[(cluster * 40 + blob) as usize]);
                }
            });
        }
    });
    assert!(zim.decodings() <= 8, "{}", zim.decodings());
}

#[test]
fn paths_are_found_with_and_without_samples() {
    let mut build = Build::small();
    build.dirents = (0..9000).map(|i| blob(b'C', &format!("page/{:05}", i * 2), "", 2, 0, 0)).collect();
    build.clusters.truncate(1);
    build.titles = None;
    let zim = build.open();
    for round in 0..2 {
        for i in (0..9000).step_by(if round == 0 { 450 } else { 1 }) {
            let path = format!("page/{:05}", i * 2);
            assert_eq!(zim.entry_by_path(&path).unwrap().unwrap().index, i, "{path}");
            assert!(zim.entry_by_path(&format!("page/{:05}", i * 2 + 1)).unwrap().is_none());
        }
        assert!(zim.entry_by_path("").unwrap().is_none() && zim.entry_by_path("z").unwrap().is_none());
        assert!(zim.entry_by_path("page/00002\0").unwrap().is_none());
    }
    assert_eq!(zim.entries_with_prefix("page/000").unwrap().count(), 50);
    assert_eq!(zim.entries_with_prefix("page/17998").unwrap().count(), 1);
    assert_eq!(zim.entries_with_prefix("q").unwrap().count(), 0);
    assert_eq!(zim.entries_with_prefix("").unwrap().count(), 9000);
    let old = Build::old().open();
    for (prefix, n) in [("A", 3), ("A/", 3), ("A/s", 1), ("-/", 2), ("M", 0), ("AA", 0), ("", 6)] {
        assert_eq!(old.entries_with_prefix(prefix).unwrap().count(), n, "{prefix}");
    }
}

#[test]
fn articles_are_known_before_and_after_their_list_was_read() {
    // More than are read at once; every third is listed, and titles run against paths.
    let n = 60_000u32;
    let mut build = Build::small();
    let title = |i: u32| format!("T{:05}", (n - i) / 2);
    build.dirents = (0..n).map(|i| blob(b'C', &format!("{i:05}"), &title(i), 2, 0, 0)).collect();
    let mut listed: Vec<u32> = (0..n).filter(|i| i % 3 == 0).collect();
    listed.sort_by_key(|i| (title(*i), *i));
    let bytes: Vec<u8> = listed.iter().flat_map(|i| i.to_le_bytes()).collect();
    build.clusters[1] = stored(&[b"", &bytes]);
    build.dirents.push(blob(b'X', "listing/titleOrdered/v1", "", 0, 1, 1));
    build.titles = None;
    let zim = build.open();
    for i in [0, 3, 59_997, 30_000, 30_003] {
        assert!(zim.entry_at(i).unwrap().unwrap().is_front, "{i}");
        assert!(zim.fronts.get().is_none());
    }
    assert!(!zim.entry_at(4).unwrap().unwrap().is_front);
    assert!(zim.fronts.get().is_some());
    for entry in zim.entries() {
        let entry = entry.unwrap();
        assert_eq!(entry.is_front, entry.index % 3 == 0);
    }
    assert_eq!(zim.counts().unwrap(), Counts { articles: 20_000, media: 40_000, redirects: 0, damaged: 0 });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn paths_and_prefixes_are_those_of_a_map(
        paths in prop::collection::btree_set("[ab/é]{0,6}", 1..60),
        asked in prop::collection::vec("[ab/é]{0,4}", 30),
        old in any::<bool>(),
    ) {
        let mut build = Build::small();
        build.minor = u16::from(!old);
        let letters: &[u8] = if old { b"-AIM" } else { b"CM" };
        let stored_paths: BTreeMap<(u8, &str), ()> =
            letters.iter().flat_map(|&ns| paths.iter().map(move |path| ((ns, &path[..]), ()))).collect();
        build.dirents = stored_paths.keys().map(|(ns, path)| blob(*ns, path, "", 2, 0, 0)).collect();
        build.clusters.truncate(1);
        build.titles = None;
        build.main = u32::MAX;
        let shown: Vec<String> = stored_paths
            .keys()
            .filter(|(ns, _)| *ns != b'M')
            .map(|(ns, path)| if old { format!("{}/{path}", char::from(*ns)) } else { (*path).to_owned() })
            .collect();
        let zim = build.open();
        for _ in 0..3 {
            for asked in asked.iter().cloned().chain(asked.iter().map(|a| format!("A/{a}"))) {
                let found = zim.entry_by_path(&asked).unwrap();
                prop_assert_eq!(found.is_some(), shown.contains(&asked), "{}", asked);
                let with: Vec<String> =
                    zim.entries_with_prefix(&asked).unwrap().map(|e| e.unwrap().path).collect();
                let expected: Vec<String> =
                    shown.iter().filter(|path| path.starts_with(&asked)).cloned().collect();
                prop_assert_eq!(with, expected, "{}", asked);
            }
        }
    }
}
