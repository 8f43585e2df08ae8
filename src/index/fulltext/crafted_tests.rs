//! Indexes that say one thing that cannot be, each beside the error that it is.

use super::list::ListCursor;
use super::packing::BLOCK;
use super::testing::{Sections, corpus};
use super::*;
use crate::error::Result;
use crate::format::bytes::u32_at;
use crate::format::first_page::{FirstPage, Row, SectionKind};
use crate::format::ids::PAGE;
use crate::format::strings::node::{self, Child};
use crate::storage::Owned;
use crate::tables::Tables;

const ARTICLES: u32 = 1000;

/// Reads a list that is a section's first bytes, as a search and as a check would.
fn read(bytes: &[u8], claims: (u32, u64, u32, u8)) -> Result<Vec<u32>> {
    let sections = Sections(vec![(SectionKind::POSTINGS, bytes.to_vec(), 1)]);
    let tables = Tables::open(Box::new(Owned(sections.archive()))).unwrap();
    let row: Row = *tables.first().row(SectionKind::POSTINGS).unwrap();
    let mut all = vec![];
    let open = || ListCursor::new(&tables, &row, ARTICLES, claims);
    let checked = open()?.each_block(|ordinals, _, _| all.extend_from_slice(ordinals));
    let mut work = Work::new(100_000, None);
    let mut search = || -> Result<Vec<u32>> {
        let (mut list, mut next, mut found) = (open()?, 0, vec![]);
        while let Some((end, _)) = list.window(next, &mut work)? {
            found.extend_from_slice(list.within(next, end, &mut work)?.0);
            let Some(more) = end.checked_add(1) else { break };
            next = more;
        }
        Ok(found)
    };
    let searched = search();
    assert!(work.spent() < 100_000);
    checked?;
    assert_eq!(searched?, all);
    Ok(all)
}

fn refused(bytes: &[u8], claims: (u32, u64, u32, u8), because: &str) {
    let error = read(bytes, claims).unwrap_err().to_string();
    assert!(error.contains("postings") && error.contains(because), "{error}, not {because}");
}

/// Ten postings in eight bits each: gaps, then codes of no bits.
fn ten(gaps: [u8; 10]) -> Vec<u8> {
    [&[8][..], &gaps, &[0]].concat()
}

#[test]
fn lists_that_cannot_be_are_refused() {
    let list = ten([3; 10]);
    assert_eq!(read(&list, (10, 0, 12, 0)).unwrap(), (0..10).map(|i| 3 + 4 * i).collect::<Vec<_>>());
    // More postings than bytes: the head alone would be gigabytes.
    refused(&list, (u32::MAX, 0, 12, 0), "a head of");
    refused(&[0x11; 12], (u32::MAX, 0, 12, 0), "a head of 100663296 bytes");
    refused(&list, (u32::MAX, 0, u32::MAX, 0), "leave the section");
    // Outside the section, and beyond what a number holds.
    refused(&list, (10, 1, 12, 0), "leave the section");
    refused(&list, (10, 1 << 40, 12, 0), "leave the section");
    refused(&list, (10, u64::MAX, 12, 0), "leave the section");
    // Longer than what is in it.
    refused(&[&list[..], &[0]].concat(), (10, 0, 13, 0), "codes end before the block");
    refused(&list, (10, 0, 11, 0), "codes cannot be");
    refused(&list, (10, 0, 0, 0), "ordinals cannot be");
}

#[test]
fn ordinals_that_overflow_or_have_no_article_are_refused() {
    let wide = |gap: u32| [&[32][..], &gap.to_le_bytes().repeat(10), &[0]].concat();
    assert_eq!(read(&wide(98), (10, 0, 42, 0)).unwrap().last(), Some(&989));
    refused(&wide(u32::MAX), (10, 0, 42, 0), "ordinals cannot be");
    refused(&wide(u32::MAX / 11), (10, 0, 42, 0), "ordinal without an article");
    // 999 is the last article.
    refused(&wide(100), (10, 0, 42, 0), "ordinal without an article");
    // Wider than a number.
    refused(&[33; 60], (10, 0, 60, 0), "ordinals cannot be");
}

#[test]
fn varints_without_end_are_refused() {
    // One exception at place 0, in packed numbers of no bits.
    let with = |varint: &[u8]| [&[64, 1, 0][..], varint, &[0]].concat();
    assert_eq!(read(&with(&[0x80, 1]), (10, 0, 6, 0)).unwrap()[..2], [128, 129]);
    refused(&with(&[0x80; 20]), (10, 0, 24, 0), "ordinals cannot be");
    refused(&with(&[0xff; 20]), (10, 0, 24, 0), "ordinals cannot be");
    refused(&with(&[0x80, 0]), (10, 0, 6, 0), "ordinals cannot be");
    // At a place that the block does not have.
    refused(&[64, 1, 10, 1, 0], (10, 0, 5, 0), "ordinals cannot be");
}

/// A list of 200 ordinals in two runs; the head is given.
fn two_blocks(head: [u8; 9]) -> Vec<u8> {
    // A run and a code in no bits, twice.
    [&head[..], &[130, 0, 130, 0]].concat()
}

#[test]
fn heads_of_lists_that_lie_are_refused() {
    let head = [0x12, 127, 0, 2, 0, 199, 0, 4, 0];
    assert_eq!(read(&two_blocks(head), (200, 0, 13, 0)).unwrap(), (0..200).collect::<Vec<_>>());
    let lie = |at: usize, value: u8, because| {
        let mut head = head;
        head[at] = value;
        refused(&two_blocks(head), (200, 0, 13, 0), because);
    };
    // Widths of nothing, and of more than four bytes.
    lie(0, 0x10, "a head of");
    lie(0, 0x25, "a head of");
    lie(0, 0x44, "a head of");
    // Blocks that begin behind the list, end before they begin, or leave some of it.
    lie(3, 200, "behind the list");
    lie(7, 1, "before it begins");
    lie(7, 3, "codes cannot be");
    lie(3, 3, "codes end before the block");
    // Last ordinals that go back, or are not those of the block.
    lie(1, 126, "ordinals cannot be");
    lie(5, 100, "ordinals cannot be");
    lie(6, 255, "ordinals cannot be");
    assert_eq!(BLOCK, 128);
}

fn edited(change: impl FnOnce(&mut Sections)) -> Result<(Tables, FullText)> {
    let mut sections = corpus(600, 12).build(usize::MAX);
    change(&mut sections);
    let tables = Tables::open(Box::new(Owned(sections.archive()))).unwrap();
    Ok((FullText::open(&tables)?.unwrap(), tables)).map(|(index, tables)| (tables, index))
}

fn section(sections: &mut Sections, kind: SectionKind) -> &mut Vec<u8> {
    &mut sections.0.iter_mut().find(|section| section.0 == kind).unwrap().1
}

#[test]
fn a_tree_whose_nodes_lead_back_is_refused() {
    let child = || Child { separator: vec![], rank: 0, counted: 0 };
    for level in 0..=node::MAX_LEVEL {
        let (tables, index) = edited(|sections| {
            // The page's only child is the page.
            *section(sections, SectionKind::WORD_ROOT) = node::write(level.max(1), 0, &[child()]);
            let mut page = node::write(level, 0, &[child()]);
            page.resize(PAGE, 0);
            let nodes = sections.0.iter_mut().find(|s| s.0 == SectionKind::WORD_NODES).unwrap();
            (nodes.1, nodes.2) = (page, 1);
        })
        .unwrap();
        match index.term(&tables, b"") {
            // A root above a node above leaves is a tree, if not a good one.
            Ok(_) => assert_eq!(level, 0),
            Err(error) => assert!(error.to_string().contains("below level"), "{error}"),
        }
    }
}

#[test]
fn a_leaf_that_leads_nowhere_is_refused() {
    let child = |separator: &[u8]| Child { separator: separator.to_vec(), rank: 0, counted: 0 };
    let (tables, index) = edited(|sections| {
        let root = node::write(0, u32::MAX - 2, &[child(b""), child(b"w")]);
        *section(sections, SectionKind::WORD_ROOT) = root;
    })
    .unwrap();
    for word in [&b"a"[..], b"w0", b"zz"] {
        assert!(index.term(&tables, word).is_err());
        assert!(index.terms(&tables, word).next().is_err());
    }
}

#[test]
fn a_leaf_with_rows_that_it_has_not_is_refused() {
    let (tables, index) = edited(|sections| {
        section(sections, SectionKind::WORDS)[..2].copy_from_slice(&u16::MAX.to_le_bytes());
    })
    .unwrap();
    assert!(index.terms(&tables, b"").next().is_err());
    // 4,000 rows would be in order with their page, but their records are not.
    let (tables, index) = edited(|sections| {
        section(sections, SectionKind::WORDS)[..2].copy_from_slice(&1000u16.to_le_bytes());
    })
    .unwrap();
    assert!(index.terms(&tables, b"").next().is_err());
}

#[test]
fn counts_of_the_first_page_are_not_believed() {
    let sections = corpus(600, 12).build(usize::MAX);
    for count in [0, 1, u64::from(u32::MAX), u64::MAX] {
        let mut copy = sections.clone();
        copy.0.iter_mut().for_each(|section| section.2 = count);
        let (tables, index) = copy.open();
        assert_eq!(index.term(&tables, b"everywhere").unwrap().unwrap().df(), 600);
    }
    // Nor does an index of more articles than the section has make room for them.
    let more = edited(|sections| {
        section(sections, SectionKind::SEARCH)[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    });
    assert!(more.err().unwrap().to_string().contains("section length"));
    let bytes = sections.archive();
    let first = FirstPage::parse(&bytes[..PAGE], bytes.len() as u64).unwrap();
    let row = first.row(SectionKind::SEARCH).unwrap();
    let at = (first.tables_offset + row.offset) as usize;
    assert_eq!(u32_at(&bytes, at + 4), Some(601));
}
