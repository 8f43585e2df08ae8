//! Full-text indexes that are damaged, hostile, or another archive's.

use rayon::prelude::*;
use tome::error::Error;
use tome::findings::Finding;
use tome::format::first_page::{Row, SectionKind};
use tome::format::ids::PAGE;
use tome::item::{About, Silent};
use tome::reader::{Archive, Hits, SearchOptions, SuggestOptions, VerifyOptions};
use tome::storage::Owned;
use tome::writer::Options;

use crate::common::{Random, article, everything, open, pack, redirect, templated};
use crate::corrupt::{reseal, with_rows};

const KINDS: [SectionKind; 7] = [
    SectionKind::SEARCH,
    SectionKind::SEARCH_ARTICLES,
    SectionKind::WORD_SYMBOLS,
    SectionKind::WORD_ROOT,
    SectionKind::WORD_NODES,
    SectionKind::WORDS,
    SectionKind::POSTINGS,
];

/// Work that no query here needs, and beyond which none may go on for long.
const WORK: u64 = 2_000_000;

fn options() -> SearchOptions {
    SearchOptions { limit: 1000, work: WORK, ..SearchOptions::default() }
}

fn findings(bytes: &[u8]) -> Vec<Finding> {
    open(bytes).verify(VerifyOptions { quick: true }, &Silent).unwrap().findings
}

/// An archive of a few hundred articles: lists of several blocks, words of several leaves.
fn sizeable(articles: usize, seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    let mut items = vec![];
    for i in 0..articles {
        let title = format!("Page {i} of {}", random.prose(2));
        let body = random.prose(40 + i % 30);
        items.push(article(&format!("p{i:03}"), Some(&title), templated(&title, &body)));
    }
    items.push(redirect("first", "p000", None));
    pack(items, &About::default(), Options::default())
}

fn rows(bytes: &[u8], kinds: &[SectionKind]) -> Vec<Row> {
    let first = open(bytes).first_page().clone();
    kinds.iter().filter_map(|&kind| first.row(kind).copied()).filter(|row| row.len > 0).collect()
}

const QUERIES: [&str; 9] = [
    "page",
    "page tests",
    "\"of the tests\"",
    "pa*",
    "pgae",
    "page -karile",
    "title:page",
    "kale",
    "the one",
];

/// The entries that a search shows as having all that was asked for.
fn strict(hits: &Hits) -> Vec<u32> {
    let mut ids: Vec<u32> = hits.list.iter().filter(|h| !h.relaxed).map(|h| h.entry.0).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn damage_to_any_page_of_the_index_is_named_and_no_answer_is_made_from_it() {
    let bytes = sizeable(300, 31);
    let whole = open(&bytes);
    let expected: Vec<Hits> = QUERIES.iter().map(|q| whole.search(q, &options()).unwrap()).collect();
    assert!(expected.iter().filter(|hits| hits.list.len() > 100).count() > 3);
    let first = whole.first_page().clone();
    let at = |page: u64| (first.tables_offset + page * PAGE as u64) as usize;
    let pages = rows(&bytes, &KINDS).into_iter().flat_map(|row| row.pages().map(move |page| (row, page)));
    let (mut answered, mut refused) = (0, 0);
    for (row, page) in pages.collect::<Vec<_>>() {
        let mut copy = bytes.clone();
        copy[at(page) + 99] ^= 4;
        let name = row.kind.name();
        let found = findings(&copy);
        let [finding] = &found[..] else { panic!("{name}: {found:?}") };
        assert!(finding.check == "page hash" && finding.message.contains(name), "{finding:?}");

        let archive = open(&copy);
        for (query, expected) in QUERIES.iter().zip(&expected) {
            match archive.search(query, &options()) {
                Ok(hits) if hits.damage.is_empty() => {
                    assert_eq!(hits.list, expected.list, "{name}: {query}");
                    answered += 1;
                }
                // Something was lost: what is shown as having all that was asked for still has it.
                Ok(hits) => {
                    let all = strict(expected);
                    assert!(strict(&hits).iter().all(|id| all.contains(id)), "{name}: {query}");
                    refused += 1;
                }
                Err(error) => {
                    assert!(error.is_damage(), "{name}: {query}: {error}");
                    refused += 1;
                }
            }
        }
        for entry in archive.entries().step_by(37) {
            let entry = entry.unwrap();
            assert_eq!(
                archive.content(&entry).ok().map(|c| c.len()),
                whole.content(&entry).ok().map(|c| c.len())
            );
            assert!(archive.entries_by_title(&entry.title).unwrap().contains(&entry));
        }
        assert_eq!(archive.suggest("page 1", &SuggestOptions::default()).unwrap().list.len(), 10);
    }
    assert!(answered > 0 && refused > 0, "{answered} answered, {refused} refused");
}

/// Changes a byte of a section, counted from its start, and makes all hashes right again.
fn with_byte(bytes: &[u8], kind: SectionKind, at: u64, change: impl Fn(u8) -> u8) -> Vec<u8> {
    let first = open(bytes).first_page().clone();
    let at = (first.tables_offset + first.row(kind).unwrap().offset + at) as usize;
    let mut copy = bytes.to_vec();
    copy[at] = change(copy[at]);
    reseal(&mut copy);
    copy
}

fn told(bytes: &[u8]) -> Vec<(&'static str, Option<&'static str>)> {
    findings(bytes).iter().map(|f| (f.check, f.section)).collect()
}

#[test]
fn verify_names_what_is_wrong_with_an_index() {
    let bytes = everything();
    assert_eq!(told(&bytes), []);
    let wrong = |kind, at, change: fn(u8) -> u8| told(&with_byte(&bytes, kind, at, change));
    // The half value is part of what every maximum is made of.
    assert_eq!(wrong(SectionKind::SEARCH, 26, |b| b ^ 0x40), [("maximum", Some("postings"))]);
    assert_eq!(wrong(SectionKind::SEARCH, 1, |_| 1), [("reserved bytes", Some("search"))]);
    assert_eq!(wrong(SectionKind::SEARCH, 4, |b| b + 1), [("section length", Some("search articles"))]);
    // A later version is no damage.
    assert_eq!(wrong(SectionKind::SEARCH, 0, |_| 9), [("search version", Some("search"))]);
    let later = open(&with_byte(&bytes, SectionKind::SEARCH, 0, |_| 9));
    assert!(later.verify(VerifyOptions::default(), &Silent).unwrap().is_ok());
    // The widest tag of all, at the first list's first byte.
    assert_eq!(wrong(SectionKind::POSTINGS, 0, |_| 63), [("list", Some("postings"))]);
    // The last block's codes.
    let len = rows(&bytes, &[SectionKind::POSTINGS])[0].len;
    let last = wrong(SectionKind::POSTINGS, len - 1, |b| b ^ 0x80);
    assert!(last.len() == 1 && last[0].1 == Some("postings"), "{last:?}");
    // The rank of a leaf's first word: the leaf, and the node above it, no longer agree.
    let rank = wrong(SectionKind::WORDS, 4, |b| b + 1);
    assert_eq!(rank, [("rank", Some("words")), ("node", Some("words"))]);
    assert_eq!(wrong(SectionKind::WORD_ROOT, 0, |_| 1)[0].1, Some("word nodes"));
}

#[test]
fn section_rows_that_lie_about_an_index_are_named() {
    let bytes = everything();
    for row in rows(&bytes, &KINDS) {
        let lying = with_rows(&bytes, |rows| {
            rows.iter_mut().filter(|r| r.kind == row.kind).for_each(|r| r.count += 1);
        });
        assert_eq!(told(&lying), [("counts", Some(row.kind.name()))]);
    }
    // Shorter or longer than what the words say, or not there at all.
    for change in [-1i64, 1, -1000] {
        let lying = with_rows(&bytes, |rows| {
            let row = rows.iter_mut().find(|r| r.kind == SectionKind::POSTINGS).unwrap();
            row.len = row.len.saturating_add_signed(change).max(1);
        });
        let found = told(&lying);
        assert!(found.iter().any(|f| f.1 == Some("postings")), "{change}: {found:?}");
    }
    for kind in KINDS.iter().skip(1).filter(|&&kind| kind != SectionKind::WORD_NODES) {
        let lying = with_rows(&bytes, |rows| {
            rows.iter_mut().filter(|r| r.kind == *kind).for_each(|r| r.kind.0 += 100);
        });
        assert!(!told(&lying).is_empty(), "without {}", kind.name());
    }
    // Without the section that says what the others are, there is no index.
    let without = with_rows(&bytes, |rows| {
        rows.iter_mut().filter(|r| r.kind == SectionKind::SEARCH).for_each(|r| r.kind.0 += 100);
    });
    assert_eq!(told(&without), []);
    assert!(!open(&without).has_search());
}

/// Gives an archive the sections of another.
fn with_sections_of(bytes: &[u8], other: &[u8], kinds: &[SectionKind]) -> Vec<u8> {
    let (first, from) = (open(bytes).first_page().clone(), open(other).first_page().clone());
    let mut tables = bytes[first.tables_offset as usize..][..first.table_pages as usize * PAGE].to_vec();
    let mut first = first;
    for row in &mut first.rows {
        if let Some(theirs) = from.row(row.kind).filter(|_| kinds.contains(&row.kind)) {
            let start = (from.tables_offset + theirs.offset) as usize;
            (row.offset, row.len, row.count, row.copy) = (tables.len() as u64, theirs.len, theirs.count, 0);
            tables.extend_from_slice(&other[start..start + theirs.len as usize]);
            tables.resize(tables.len().next_multiple_of(PAGE), 0);
        }
    }
    crate::corrupt::sealed(&bytes[..first.tables_offset as usize], &tables, first)
}

/// P32: all of a larger archive's index, and each part of it alone.
#[test]
fn the_index_of_another_archive_is_harmless_and_told() {
    let (small, large) = (sizeable(60, 5), sizeable(400, 6));
    let mut mixes: Vec<Vec<SectionKind>> = KINDS.iter().map(|&kind| vec![kind]).collect();
    mixes.push(KINDS.to_vec());
    for kinds in mixes {
        for (bytes, other) in [(&small, &large), (&large, &small)] {
            if kinds.iter().all(|&k| open(bytes).first_page().row(k).is_none()) {
                continue;
            }
            let mixed = with_sections_of(bytes, other, &kinds);
            let archive = open(&mixed);
            for query in QUERIES {
                if let Ok(hits) = archive.search(query, &options()) {
                    assert!(hits.list.iter().all(|h| h.entry.0 < archive.len()), "{query}");
                }
            }
            for entry in archive.entries().step_by(29) {
                assert!(archive.content(&entry.unwrap()).is_ok());
            }
            // What stood there before is no section's any more, which is told as well.
            let found = findings(&mixed);
            assert!(found.iter().any(|f| f.check != "padding"), "{kinds:?}: {found:?}");
        }
    }
}

/// Changes a few bytes of the index's and of the suggestions' sections.
fn mutate(bytes: &mut [u8], start: usize, rows: &[Row], random: &mut Random) {
    for _ in 0..1 + random.below(6) * random.below(6) {
        let row = rows[random.below(rows.len() as u64) as usize];
        // Heads of sections and pages say the most.
        let reach = [40, 300, row.len, row.len][random.below(4) as usize].min(row.len);
        let page = PAGE as u64 * random.below(row.len.div_ceil(PAGE as u64));
        let at = start + (row.offset + (page + random.below(reach)) % row.len) as usize;
        bytes[at] = match random.below(5) {
            0 => 0,
            1 => 255,
            2 => bytes[at] ^ 1 << random.below(8),
            3 => bytes[at].wrapping_add(1),
            _ => random.next() as u8,
        };
    }
}

/// What became of a hostile archive's queries.
#[derive(Default, Debug, Clone, Copy)]
struct Ends {
    answered: u64,
    refused: u64,
}

/// Asks for something by the public search; whatever comes must come within the budget.
fn attack(archive: &Archive, random: &mut Random) -> Ends {
    const TYPED: [&str; 14] = [
        "page",
        "kale",
        "page kale",
        "\"ka le\"",
        "\"page 1 of\"",
        "ka*",
        "kalle",
        "mo -ri",
        "title:page",
        "title:ka* mo",
        "p*",
        "kale more santu vepo",
        "pgae 1",
        "x",
    ];
    let mut ends = Ends::default();
    for _ in 0..3 {
        let query = TYPED[random.below(TYPED.len() as u64) as usize];
        let limit = [1, 10, 1000][random.below(3) as usize];
        let work = [100, 10_000, WORK][random.below(3) as usize];
        let options =
            SearchOptions { limit, work, snippets: random.below(4) == 0, ..SearchOptions::default() };
        let end = match archive.search(query, &options) {
            Ok(hits) => {
                assert!(hits.list.len() <= limit && hits.list.iter().all(|h| h.entry.0 < archive.len()));
                Ok(())
            }
            Err(error) => Err(error),
        };
        let suggested = archive.suggest(query.trim_matches('"'), &SuggestOptions::default());
        if let Ok(suggested) = &suggested {
            assert!(suggested.list.len() <= 10);
        }
        for end in [end, suggested.map(drop)] {
            match end {
                Ok(()) => ends.answered += 1,
                Err(error) => {
                    let known = error.is_damage() || matches!(error, Error::Unsupported { .. });
                    assert!(known, "{query}: {error}");
                    ends.refused += 1;
                }
            }
        }
    }
    ends
}

/// P31: more by hand, TOME_MUTANTS=100000 TOME_SEED=7.
#[test]
fn thousands_of_hostile_indexes_answer_or_refuse() {
    let number = |name| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    let n = number("TOME_MUTANTS").unwrap_or(2000);
    let seed = number("TOME_SEED").unwrap_or(1);
    let bytes = sizeable(300, 31);
    let start = open(&bytes).first_page().tables_offset as usize;
    let kinds: Vec<SectionKind> =
        (SectionKind::TITLE_CLASSES.0..=SectionKind::POSTINGS.0).map(SectionKind).collect();
    let mut rows = rows(&bytes, &kinds);
    // Words and their postings are where most can be said.
    rows.extend(rows.clone().into_iter().filter(|r| r.kind.0 >= SectionKind::WORDS.0).cycle().take(6));
    let ends = (0..n)
        .into_par_iter()
        .map(|i| {
            let mut random = Random((seed << 32 | i).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
            let mut copy = bytes.clone();
            mutate(&mut copy, start, &rows, &mut random);
            reseal(&mut copy);
            let archive = Archive::from_storage(Owned(copy)).unwrap();
            if random.below(20) == 0 {
                archive.verify(VerifyOptions { quick: true }, &Silent).unwrap();
            }
            attack(&archive, &mut random)
        })
        .reduce(Ends::default, |a, b| Ends {
            answered: a.answered + b.answered,
            refused: a.refused + b.refused,
        });
    println!("{n} indexes: {ends:?}");
    // Where nearly all are refused, little is tried.
    assert!(ends.answered > n && ends.refused > n / 20, "{ends:?}");
}
