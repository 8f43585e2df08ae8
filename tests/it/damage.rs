//! Larger archives with a run of bytes lost: what is still read, and what is said of the rest.

use std::collections::BTreeMap;

use rayon::prelude::*;
use tome::item::{About, Silent};
use tome::reader::{Archive, VerifyOptions};
use tome::storage::Owned;
use tome::writer::Options;

use crate::common::{Random, article, media, open, pack, tell, templated};

/// More than 1 MB: prose and templates, media, own titles.
fn sizeable() -> Vec<u8> {
    let mut random = Random(99);
    let mut items = vec![];
    for i in 0..4500 {
        let title = format!("Article {} number {i}", random.below(1_000_000));
        let words = 60 + random.below(100) as usize;
        let body = if i % 2 == 0 { random.prose(words) } else { templated(&title, &random.prose(words)) };
        items.push(article(&format!("wiki/{i:05}.html"), Some(&title), body));
    }
    for i in 0..20 {
        items.push(media(&format!("img/{i}.jpg"), "image/jpeg", random.bytes(9000)));
    }
    pack(items, &About::default(), Options::default())
}

/// Entries that come out right, by path; panics if any comes out wrong.
fn readable(archive: &Archive, whole: &BTreeMap<String, blake3::Hash>) -> usize {
    let mut n = 0;
    for entry in archive.entries().flatten() {
        if let Ok(told) = tell(archive, &entry) {
            assert_eq!(whole[&told.0], blake3::hash(&told.3), "{}", told.0);
            n += 1;
        }
    }
    n
}

#[test]
fn after_the_loss_of_any_4_kib_nine_tenths_of_the_entries_come_out_and_the_rest_is_named() {
    let bytes = sizeable();
    assert!(bytes.len() >= 1_000_000, "{}", bytes.len());
    let archive = open(&bytes);
    let whole: BTreeMap<String, blake3::Hash> = archive
        .entries()
        .map(|e| tell(&archive, &e.unwrap()).unwrap())
        .map(|told| (told.0, blake3::hash(&told.3)))
        .collect();
    let mut random = Random(5);
    // Every kind of place: the first and last pages, then runs that begin anywhere.
    let mut places: Vec<usize> = (0..bytes.len() - 4095).step_by(bytes.len() / 200).collect();
    let tables = archive.first_page().tables_offset as usize;
    places.extend((tables..bytes.len() - 4095).step_by(1500));
    places.extend([1, 4095, bytes.len() - 4096, bytes.len() - 8192]);
    let noise = random.bytes(4096);
    let least = places
        .into_par_iter()
        .map(|at| {
            let mut copy = bytes.clone();
            copy[at..at + 4096].copy_from_slice(&noise);
            let archive = Archive::from_storage(Owned(copy)).unwrap();
            let n = readable(&archive, &whole);
            assert!(n * 10 >= whole.len() * 9, "bytes from {at}: {n} of {}", whole.len());
            let report = archive.verify(VerifyOptions::default(), &Silent).unwrap();
            assert!(!report.is_ok(), "bytes from {at}");
            let named: u64 = report.findings.iter().map(|f| f.n_entries).sum();
            let lost = (whole.len() - n) as u64;
            assert!(named >= lost, "bytes from {at}: {lost} lost, {named} named: {:?}", report.findings);
            n
        })
        .min();
    println!("at least {least:?} of {} entries", whole.len());
}

#[test]
fn a_reference_with_4_kib_lost_is_restored_from_parity() {
    let bytes = sizeable();
    let archive = open(&bytes);
    let n_blocks = archive.first_page().n_blocks;
    // The first block of an archive of pages is its reference.
    assert!(n_blocks > 10);
    let mut copy = bytes.clone();
    copy[4096 + 700..4096 + 700 + 4096].fill(0x55);
    let damaged = Archive::from_storage(Owned(copy)).unwrap();
    let all = archive.entries().count();
    let mut lost = 0;
    for entry in damaged.entries() {
        lost += usize::from(tell(&damaged, &entry.unwrap()).is_err());
    }
    assert_eq!(lost, 0, "of {all}");
    let report = damaged.verify(VerifyOptions::default(), &Silent).unwrap();
    assert_eq!(report.findings.len(), 1, "{:?}", report.findings);
    assert!(report.findings[0].message.contains("parity restores"), "{:?}", report.findings);
}
