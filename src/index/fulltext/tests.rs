//! The whole index against lists in memory.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::rank::classes;
use super::testing::{Corpus, Random, WordGroup, corpus};
use super::words::INLINE;
use super::*;
use crate::format::first_page::SectionKind;
use crate::tables::Tables;

/// Reads a word's postings with their classes through a stream of its own.
fn postings(tables: &Tables, index: &FullText, term: Term) -> Vec<(u32, u32)> {
    let mut articles = stream::Articles::new(index, tables);
    let mut work = Work::unlimited();
    let mut stream = stream::Stream::new(&mut articles, &[term], FieldMask::ALL, 512, &mut work).unwrap();
    let (mut out, mut next, mut some) = (vec![], 0, vec![]);
    while let Some((end, _)) = stream.window(next, &mut work).unwrap() {
        stream.within(next, end, &mut articles, &mut some, &mut work).unwrap();
        out.extend(some.iter().map(|posting| (posting.ordinal, posting.amount)));
        let Some(more) = end.checked_add(1) else { break };
        next = more;
    }
    out
}

fn compare_lists(corpus: &Corpus, tables: &Tables, index: &FullText) {
    let lists = corpus.lists();
    let mut walked = index.terms(tables, b"");
    let ranker = index.ranker();
    for (word, list) in &lists {
        let (key, term) = walked.next().unwrap().unwrap();
        assert_eq!(key, word);
        assert_eq!(index.term(tables, word).unwrap(), Some(term));
        assert_eq!(term.df() as usize, list.len());
        let mut articles = stream::Articles::new(index, tables);
        let expected: Vec<(u32, u32)> = list
            .iter()
            .map(|(&ordinal, &frequencies)| {
                let code =
                    index.parameters().classes.iter().position(|c| *c == classes(frequencies)).unwrap();
                let article = articles.get(ordinal).unwrap();
                (ordinal, ranker.amount(ranker.all(), code as u32, article))
            })
            .collect();
        assert_eq!(postings(tables, index, term), expected, "{:?}", String::from_utf8_lossy(word));
        let other = [word.as_slice(), b"\x01"].concat();
        assert_eq!(index.term(tables, &other).unwrap().is_some(), lists.contains_key(&other));
    }
    assert!(walked.next().unwrap().is_none());
    assert!(walked.next().unwrap().is_none());
    assert!(index.term(tables, b"").unwrap().is_none());
}

fn compare_query(
    corpus: &Corpus,
    (tables, index): &(Tables, FullText),
    groups: &[WordGroup],
    min_optional: usize,
) {
    let expected = corpus.search(index, groups, min_optional);
    let query =
        Query { groups: groups.iter().map(|group| group.group(tables, index)).collect(), min_optional };
    for k in [0, 1, 10, 3000] {
        let top = index.top(tables, &query, k, &mut Work::unlimited()).unwrap();
        assert_eq!(
            top.hits,
            expected[..expected.len().min(k)],
            "{groups:?}, {min_optional} optional, top {k}"
        );
        assert!(!top.partial);
        assert!(top.matched as usize <= expected.len());
        assert!(top.hits.len() as u64 <= top.matched || k == 0);
        if top.exact || k == 0 || k >= expected.len() {
            assert_eq!(top.matched as usize, expected.len(), "{groups:?}");
        }
    }
}

fn random_query(corpus: &Corpus, random: &mut Random) -> (Vec<WordGroup>, usize) {
    let lists: Vec<Vec<u8>> = corpus.lists().into_keys().collect();
    let roles = [Role::Required, Role::Required, Role::Optional, Role::Excluded];
    let fields = [FieldMask::ALL, FieldMask::ALL, FieldMask::TITLE, FieldMask::HEADINGS.and(FieldMask::BODY)];
    let style = random.below(4);
    let n = 1 + random.below(4);
    let groups = (0..n).map(|i| {
        let words: BTreeSet<Vec<u8>> = (0..1 + random.below(4) * random.below(2))
            .map(|_| match random.below(5) {
                0 => b"common".to_vec(),
                1 => b"everywhere".to_vec(),
                2 => b"nowhere".to_vec(),
                3 => b"w0".to_vec(),
                _ => lists[random.below(lists.len() as u64) as usize].clone(),
            })
            .collect();
        let role = match style {
            0 => Role::Required,
            1 => Role::Optional,
            _ if i == 0 => roles[random.below(3) as usize],
            _ => roles[random.below(4) as usize],
        };
        WordGroup { words, fields: fields[random.below(4) as usize], role }
    });
    (groups.collect(), random.below(4) as usize)
}

#[test]
fn every_list_comes_back() {
    for n in [1, 5, 700] {
        let corpus = corpus(n, 3);
        let (tables, index) = corpus.build(usize::MAX).open();
        compare_lists(&corpus, &tables, &index);
    }
}

#[test]
fn an_index_without_words_opens_and_finds_nothing() {
    for corpus in [Corpus::default(), Corpus::plain(vec![(Default::default(), [0; 3]); 3])] {
        let (tables, index) = corpus.build(0).open();
        assert!(index.term(&tables, b"a").unwrap().is_none());
        assert!(index.terms(&tables, b"").next().unwrap().is_none());
        assert_eq!(index.articles() as usize, corpus.documents.len());
    }
}

#[test]
fn an_archive_without_an_index_has_none() {
    let mut sections = corpus(3, 1).build(0);
    sections.0.retain(|section| section.0 != SectionKind::SEARCH);
    let tables = Tables::open(Box::new(crate::storage::Owned(sections.archive()))).unwrap();
    assert!(FullText::open(&tables).unwrap().is_none());
}

#[test]
fn the_budget_changes_nothing() {
    let corpus = corpus(900, 5);
    let whole = corpus.build(usize::MAX);
    assert!(whole == corpus.build(0));
    assert!(whole == corpus.build(150_000));
}

#[test]
fn the_order_of_arrival_changes_nothing() {
    let one = corpus(300, 5);
    let mut other = one.clone();
    other.documents.reverse();
    other.ordinals.reverse();
    assert!(one.build(usize::MAX) == other.build(0));
}

#[test]
fn queries_give_what_going_through_all_articles_gives() {
    for (n, seed) in [(40, 1), (700, 2), (1500, 3)] {
        let corpus = corpus(n, seed);
        let opened = corpus.build(usize::MAX).open();
        let mut random = Random(seed + 77);
        for _ in 0..60 {
            let (groups, min_optional) = random_query(&corpus, &mut random);
            compare_query(&corpus, &opened, &groups, min_optional);
        }
    }
}

#[test]
fn long_lists_are_united_as_if_they_were_one() {
    // Beyond what is merged in memory.
    let corpus = corpus(1500, 9);
    let opened = corpus.build(usize::MAX).open();
    let group = |words: &[&str], role| WordGroup {
        words: words.iter().map(|w| w.as_bytes().to_vec()).collect(),
        fields: FieldMask::ALL,
        role,
    };
    let common = group(&["common", "everywhere", "w0", "ab1", "abc2"], Role::Required);
    let few = group(&["w4", "only7"], Role::Required);
    compare_query(&corpus, &opened, std::slice::from_ref(&common), 0);
    compare_query(&corpus, &opened, &[few.clone(), common.clone()], 0);
    let optional = |group: &WordGroup| WordGroup { role: Role::Optional, ..group.clone() };
    compare_query(&corpus, &opened, &[optional(&few), optional(&common)], 1);
    let excluded = WordGroup { role: Role::Excluded, ..few };
    compare_query(&corpus, &opened, &[common, excluded], 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_documents_come_back(
        documents in proptest::collection::vec(
            (proptest::collection::btree_map(proptest::collection::vec(0..4u8, 1..5), any::<[u16; 3]>(), 0..40), any::<[u32; 3]>()),
            1..40,
        ),
        importance: u8,
    ) {
        let mut corpus = Corpus::plain(documents);
        corpus.importance.fill(importance);
        let opened = corpus.build(0).open();
        compare_lists(&corpus, &opened.0, &opened.1);
        let mut random = Random(u64::from(importance) + 1);
        for _ in 0..3 {
            let (groups, min_optional) = random_query(&corpus, &mut random);
            compare_query(&corpus, &opened, &groups, min_optional);
        }
    }
}

#[test]
fn words_under_a_prefix_are_walked_and_sought() {
    let corpus = corpus(400, 4);
    let (tables, index) = corpus.build(usize::MAX).open();
    let words: Vec<Vec<u8>> = corpus.lists().into_keys().collect();
    let mut random = Random(8);
    for prefix in [&b""[..], b"a", b"ab", b"abc", b"only1", b"zzz", b"zeta", b"w"] {
        let under: Vec<&Vec<u8>> = words.iter().filter(|w| w.starts_with(prefix)).collect();
        let mut walk = index.terms(&tables, prefix);
        let mut rest = &under[..];
        while let Some((word, _)) = walk.next().unwrap() {
            assert_eq!(word, rest[0].as_slice());
            rest = &rest[1..];
            if random.below(3) == 0 && !rest.is_empty() {
                let jump = random.below(rest.len() as u64) as usize / (1 + random.below(30) as usize);
                let mut target = rest[jump].clone();
                rest = &rest[jump..];
                if random.below(2) == 0 {
                    target.push(0);
                    rest = &rest[1..];
                }
                walk.seek(&target);
                // Back is not a way.
                walk.seek(prefix);
            }
        }
        assert!(rest.is_empty(), "{} left under {:?}", rest.len(), String::from_utf8_lossy(prefix));
    }
}

#[test]
fn documents_that_are_not_different_articles_are_refused() {
    let right = corpus(3, 1);
    let finish = |ordinals: &[u32], importance: &[u8]| {
        let mut inverter = Inverter::new(0, std::path::Path::new("."));
        for (words, lengths) in &right.documents {
            inverter.add(words.iter().map(|(w, f)| (w.as_slice(), *f)), *lengths).unwrap();
        }
        inverter.finish(ordinals, importance, &[], &[], &mut testing::Sections::default(), &|| false)
    };
    assert!(finish(&[0, 2, 1], &[0; 3]).is_ok());
    assert!(finish(&[0, 2, 2], &[0; 3]).is_err());
    assert!(finish(&[0, 2, 3], &[0; 3]).is_err());
    assert!(finish(&[0, 2], &[0; 3]).is_err());
}

#[test]
fn building_stops_when_it_is_told_to() {
    let mut inverter = Inverter::new(0, std::path::Path::new("."));
    let corpus = corpus(2000, 1);
    for (words, lengths) in &corpus.documents {
        inverter.add(words.iter().map(|(w, f)| (w.as_slice(), *f)), *lengths).unwrap();
    }
    let mut sink = testing::Sections::default();
    let ended = inverter.finish(&corpus.ordinals, &corpus.importance, &[], &[], &mut sink, &|| true);
    assert!(matches!(ended, Err(crate::error::Error::Interrupted)));
}

#[test]
fn words_too_long_are_left_out_and_repeated_text_is_found() {
    let long = vec![b'x'; MAX_WORD + 1];
    let words = [(long.clone(), [1; 3]), (vec![], [1; 3]), (b"menu".to_vec(), [0; 3])];
    let (tables, index) =
        Corpus::plain(vec![(words.into_iter().collect(), [1; 3]); INLINE + 2]).build(usize::MAX).open();
    assert!(index.term(&tables, &long).unwrap().is_none());
    let menu = index.term(&tables, b"menu").unwrap().unwrap();
    let query = |fields| Query {
        groups: vec![Group { terms: vec![menu], fields, ..Group::default() }],
        min_optional: 0,
    };
    let found = |fields| index.top(&tables, &query(fields), 99, &mut Work::unlimited()).unwrap().hits;
    let hits = found(FieldMask::ALL);
    assert_eq!(hits.iter().map(|hit| hit.ordinal).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
    assert!(hits[0].score > 0);
    assert!(found(FieldMask::BODY).is_empty());
}

#[test]
fn a_spent_budget_gives_what_was_found_so_far() {
    let corpus = corpus(1500, 2);
    let (tables, index) = corpus.build(usize::MAX).open();
    let term = |word: &[u8]| index.term(&tables, word).unwrap().unwrap();
    let group = |word: &[u8]| Group { terms: vec![term(word)], ..Group::default() };
    let query = Query { groups: vec![group(b"common"), group(b"w0")], min_optional: 0 };
    let all = index.top(&tables, &query, 2000, &mut Work::unlimited()).unwrap();
    assert!(!all.partial && all.exact);
    let mut last = 0;
    for units in [0, 100, 300, 600, 1 << 40] {
        let mut work = Work::new(units, None);
        let top = index.top(&tables, &query, 2000, &mut work).unwrap();
        assert_eq!(top.partial, units < 1 << 40, "{units}");
        assert_eq!(top.exact, !top.partial);
        assert!(top.hits.len() >= last && top.hits.iter().all(|hit| all.hits.contains(hit)));
        last = top.hits.len();
        // What is already begun is brought to an end: a few blocks at most.
        assert!(work.spent() < units.min(1 << 20) + 1500, "{} of {units}", work.spent());
    }
    assert_eq!(last, all.hits.len());
}

#[test]
fn several_archives_share_weights() {
    let corpus = corpus(50, 2);
    let (tables, index) = corpus.build(usize::MAX).open();
    let mut group =
        Group { terms: vec![index.term(&tables, b"common").unwrap().unwrap()], ..Group::default() };
    let top = |group: &Group| {
        let query = Query { groups: vec![group.clone()], min_optional: 0 };
        index.top(&tables, &query, 1, &mut Work::unlimited()).unwrap().hits[0].score
    };
    let own = top(&group);
    group.weight = Some(weight(51, group.articles(51)));
    assert_eq!(top(&group), own);
    group.weight = Some(2 * weight(51, group.articles(51)));
    assert_eq!(top(&group), 2 * own);
}

/// The cells of the rows below a heading of the specification that begin with a number or a name.
fn spec_rows(heading: &str) -> Vec<Vec<String>> {
    let spec = crate::format::FORMAT;
    let start = spec.find(heading).unwrap() + heading.len();
    let body = &spec[start..];
    let body = &body[..body.find("\n#").unwrap_or(body.len())];
    let rows = body.lines().filter(|line| line.starts_with('|') && !line.contains("---"));
    rows.map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_string()).collect()).collect()
}

#[test]
fn the_specification_lists_the_classes_of_the_code() {
    let rows = spec_rows("### 11.2 Classes");
    let numbers = |i: usize| rows[i][1..].iter().map(|n| n.parse::<u32>().unwrap()).collect::<Vec<_>>();
    assert_eq!(numbers(1), rank::CLASS_STARTS.map(u32::from));
    assert_eq!(numbers(2), rank::CLASS_VALUES);
}

#[test]
fn the_specification_describes_the_parameters() {
    let rows = spec_rows("### 11.1 Parameters");
    let offset = |name: &str| rows.iter().find(|row| row[2] == name).unwrap()[0].parse::<usize>().unwrap();
    let parameters = Parameters {
        articles: 0x0403_0201,
        averages: [5, 6, 7],
        classes: vec![[1, 2, 3]],
        languages: vec!["x".into()],
        ..Parameters::default()
    };
    let bytes = parameters.write();
    assert_eq!(bytes[offset("n_classes")..][..2], [1, 0]);
    assert_eq!(bytes[offset("articles")..][..4], [1, 2, 3, 4]);
    assert_eq!(bytes[offset("averages")..][..12], [5, 0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0]);
    assert_eq!(bytes[offset("slopes")..][..6], [128, 0, 128, 0, 192, 0]);
    assert_eq!(bytes[offset("half")..][..2], 614u16.to_le_bytes());
    assert_eq!(bytes[offset("repeated")..][..2], [64, 0]);
    assert_eq!(bytes[offset("weights")..][..3], [4, 2, 1]);
    assert_eq!(bytes[offset("classes")..], [1, 2, 3, 1, 0, 1, b'x', 0, 0]);
    assert_eq!(INLINE, 8);
}
