//! Small archives with something changed: by accident, where the hashes must notice, and by an
//! attacker who makes the hashes right again.

use std::sync::Arc;

use rayon::prelude::*;
use tome::book::Book;
use tome::error::Error;
use tome::format::first_page::{self, FirstPage};
use tome::format::hash_tree::{Shape, digest};
use tome::format::ids::PAGE;
use tome::item::Silent;
use tome::reader::{Archive, SearchOptions, SuggestOptions, VerifyOptions};
use tome::storage::Owned;

use crate::common::{Told, everything, open, tell};

fn verify(archive: &Archive, quick: bool) -> tome::findings::Report {
    archive.verify(VerifyOptions { quick }, &Silent).unwrap()
}

/// Everything that the archive tells.
fn all(archive: &Archive) -> Vec<Told> {
    archive.entries().map(|e| tell(archive, &e.unwrap()).unwrap()).collect()
}

#[test]
fn a_whole_archive_has_no_findings() {
    let bytes = everything();
    for quick in [false, true] {
        let report = verify(&open(&bytes), quick);
        assert_eq!(report.findings, [], "quick: {quick}");
        assert_eq!(report.entries, u64::from(open(&bytes).len()));
    }
}

/// P28, V01. What is read from a damaged archive is what was packed, or an error.
#[test]
fn every_single_bit_flip_is_found_by_verify_and_never_gives_other_bytes() {
    let bytes = everything();
    let whole = all(&open(&bytes));
    (0..bytes.len()).into_par_iter().for_each(|at| {
        let mut copy = bytes.clone();
        for bit in 0..8 {
            copy[at] ^= 1 << bit;
            match Archive::from_storage(Owned(copy.clone())) {
                // Both first pages are never damaged at once.
                Err(e) => panic!("byte {at}, bit {bit}: {e}"),
                Ok(archive) => {
                    // One bit in eight is verified whole: the others are the same bytes' concern.
                    let report = verify(&archive, bit != at % 8);
                    assert!(!report.is_ok(), "byte {at}, bit {bit}: not found");
                    if bit == at % 8 {
                        let mut expected = whole.iter();
                        for entry in archive.entries() {
                            // A lost leaf is one error for its entries.
                            let Ok(entry) = entry else { break };
                            let expected = expected.next().unwrap();
                            if let Ok(told) = tell(&archive, &entry) {
                                assert_eq!(told, *expected, "byte {at}, bit {bit}");
                            }
                        }
                    }
                }
            }
            copy[at] ^= 1 << bit;
        }
    });
}

/// P27.
#[test]
fn every_truncation_is_refused_with_the_lengths_named() {
    let bytes = everything();
    (0..bytes.len()).into_par_iter().for_each(|len| {
        let error = Archive::from_storage(Owned(bytes[..len].to_vec())).err().expect("opened");
        let text = error.to_string();
        if len >= PAGE {
            assert!(error.is_damage() && text.contains(&bytes.len().to_string()), "{len}: {text}");
        } else {
            assert!(error.is_damage() || matches!(error, Error::NotAnArchive { .. }), "{len}: {text}");
        }
    });
}

#[test]
fn bytes_added_behind_the_end_are_refused() {
    let mut bytes = everything();
    bytes.push(0);
    assert!(Archive::from_storage(Owned(bytes)).err().unwrap().is_damage());
}

/// Makes every hash of an archive right again, as an attacker would.
pub fn reseal(bytes: &mut [u8]) {
    let first = FirstPage::parse(&bytes[bytes.len() - PAGE..], bytes.len() as u64).unwrap();
    let start = first.tables_offset as usize;
    let end = start + first.table_pages as usize * PAGE;
    let whole = sealed(&bytes[..start], &bytes[start..end], first);
    bytes.copy_from_slice(&whole);
}

/// Returns an archive of what stands before its tables, and of tables, with the hashes that they have.
pub fn sealed(before: &[u8], tables: &[u8], first: FirstPage) -> Vec<u8> {
    let digests: Vec<_> = tables.chunks_exact(PAGE).map(digest).collect();
    let shape = Shape::new(digests.len() as u64);
    let (tree, top) = shape.build(&digests);
    let gap = vec![0; (shape.copy_at() - shape.pages()) as usize * PAGE];
    let body_end = (before.len() + tables.len() + 2 * tree.len() + gap.len()) as u64;
    let page = FirstPage { top, table_pages: digests.len() as u64, body_end, ..first }.write();
    [&page[..], &before[PAGE..], tables, &tree, &gap, &tree, &page].concat()
}

/// Returns an archive with its section rows changed, and all checksums right.
pub fn with_rows(bytes: &[u8], change: impl FnOnce(&mut [first_page::Row])) -> Vec<u8> {
    let mut first = open(bytes).first_page().clone();
    change(&mut first.rows);
    let page = first.write();
    [&page[..], &bytes[PAGE..bytes.len() - PAGE], &page].concat()
}

/// Uses whatever there is of an archive; all that matters is that it comes back.
fn exercise(archive: Archive) {
    let archive = &Arc::new(archive);
    let book = Book::from_tome(Arc::clone(archive));
    let _ = verify(archive, false);
    let _ = archive.metadata();
    let _ = archive.reading_order();
    let _ = archive.main_entry();
    let _ = archive.lost_entries();
    for random in [0, 1 << 63, u64::MAX] {
        let _ = archive.random_article(random);
    }
    for id in 0..archive.len().min(100) {
        let _ = archive.language(tome::format::ids::EntryId(id));
    }
    for entry in archive.entries().take(100).flatten() {
        if let Ok(content) = archive.content_range(&entry, 1..70_000) {
            std::hint::black_box(content.iter().map(|&b| u64::from(b)).sum::<u64>());
        }
        let _ = archive.resolve(entry);
    }
    for name in ["Same title - Tests", "pages/page_03.html", "page", "", "zzzz", "rule gives it"] {
        let _ = book.find(name);
        let _ = book.find_path(name);
        let _ = archive.suggest(name, &SuggestOptions::default());
        let small = SuggestOptions { work: 300, ..SuggestOptions::default() };
        let _ = archive.suggest(name, &small);
        if let Ok(titles) = archive.titles_from(name) {
            titles.take(100).for_each(drop);
        }
        if let Ok(entries) = archive.entries_with_prefix(name) {
            entries.take(100).for_each(drop);
        }
    }
    // A word, two, a phrase, a beginning, a typo, one that must not be there, titles alone.
    for (i, query) in ["chapter", "page tests", "\"of the tests\"", "pa*", "pgae", "page -rule", "title:same"]
        .iter()
        .enumerate()
    {
        let work = [20_000, 200][i % 2];
        let options = SearchOptions { limit: 5, work, snippets: i == 1, ..SearchOptions::default() };
        if let Ok(hits) = archive.search(query, &options) {
            assert!(hits.list.len() <= 5 && hits.list.iter().all(|hit| hit.entry.0 < archive.len()));
        }
    }
}

/// P03 to P22, as far as they concern tables: whatever a table's byte says.
#[test]
fn every_table_byte_changed_and_resealed_never_panics_hangs_or_reads_out_of_range() {
    let bytes = everything();
    let first = open(&bytes).first_page().clone();
    let tables = first.tables_offset as usize;
    // Padding pages and copies say nothing new; every byte of a section is changed.
    let sections: Vec<usize> = first
        .rows
        .iter()
        .filter(|r| r.kind != first_page::SectionKind::COPIES)
        .flat_map(|r| r.offset as usize..(r.offset + r.len) as usize)
        .collect();
    sections.into_par_iter().for_each(|at| {
        let original = bytes[tables + at];
        let values = [original ^ 0xff, original ^ 1, original.wrapping_add(16)];
        // Zeros in the middle of padding are tried with one value.
        let n = if original == 0 && bytes[tables + at - 1] == 0 { 1 } else { 3 };
        for value in &values[..n] {
            let mut copy = bytes.clone();
            copy[tables + at] = *value;
            reseal(&mut copy);
            exercise(Archive::from_storage(Owned(copy)).unwrap());
        }
    });
}

/// P03: each field of the first page with each extreme value, and the checksum made right.
#[test]
fn every_field_of_the_first_page_with_every_extreme_value_is_harmless() {
    let bytes = everything();
    let extremes = [0, 1, 2, 4096, bytes.len() as u64, 1 << 31, u64::from(u32::MAX), 1 << 63, u64::MAX];
    let mut fields: Vec<(usize, usize)> =
        first_page::FIELDS.iter().filter(|f| f.1 >= 24 && f.2 <= 8).map(|f| (f.1, f.2)).collect();
    for row in 0..20 {
        let at = PAGE / 2 + row * 32;
        fields.extend([(at, 2), (at + 2, 2), (at + 4, 4), (at + 8, 8), (at + 16, 8), (at + 24, 8)]);
    }
    fields.into_par_iter().for_each(|(offset, len)| {
        for value in extremes {
            let mut copy = bytes.clone();
            copy[offset..offset + len].copy_from_slice(&value.to_le_bytes()[..len]);
            let sum = first_page::checksum(&copy[..PAGE]);
            copy[8..24].copy_from_slice(&sum);
            // Its copy would stand in for a refused first page.
            let first = copy[..PAGE].to_vec();
            let end = copy.len() - PAGE;
            copy[end..].copy_from_slice(&first);
            if let Ok(archive) = Archive::from_storage(Owned(copy)) {
                exercise(archive);
            }
        }
    });
}

/// P19, P22: stored bytes changed and their hash made right, so that zstd meets them.
#[test]
fn blocks_that_are_no_frames_are_errors() {
    let bytes = everything();
    let archive = open(&bytes);
    let first = archive.first_page().clone();
    let blocks =
        first.row(first_page::SectionKind::BLOCKS).unwrap().offset as usize + first.tables_offset as usize;
    (0..first.n_blocks as usize).into_par_iter().for_each(|id| {
        let record = blocks + 19 + 27 * id;
        let u24 = |at: usize| {
            usize::from(bytes[at]) | usize::from(bytes[at + 1]) << 8 | usize::from(bytes[at + 2]) << 16
        };
        let start = PAGE + (0..id).map(|i| u24(blocks + 19 + 27 * i)).sum::<usize>();
        let len = u24(record);
        for at in (start..start + len).step_by(1 + len / 400) {
            let mut copy = bytes.clone();
            copy[at] ^= 0x41;
            let hash = digest(&copy[start..start + len]);
            copy[record + 11..record + 27].copy_from_slice(&hash);
            // The copies of the records differ now; the first ones count.
            reseal(&mut copy);
            exercise(Archive::from_storage(Owned(copy)).unwrap());
        }
    });
}
