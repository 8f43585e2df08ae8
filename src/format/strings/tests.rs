//! Trees against sorted lists, for keys of all shapes.

use std::borrow::Cow;

use proptest::prelude::*;

use super::KEY_INLINE;
use super::build::{Builder, Nodes};
use super::symbols::{Encoder, Symbols, train};
use super::tree::{Pages, RowPlace, Tree};
use crate::error::Result;
use crate::format::entry::{TitleRecord, TitleRecords};
use crate::format::ids::PAGE;

struct Built {
    leaves: Vec<Vec<u8>>,
    nodes: Nodes,
    symbols: Symbols,
}

fn build(keys: &[Vec<u8>], extra: impl Fn(usize) -> Vec<u8>) -> Built {
    let encoder = Encoder::new(train(keys.iter().map(|k| &k[..k.len().min(40)])));
    let mut builder = Builder::new(&encoder, TitleRecords::default());
    let mut leaves = vec![];
    for (i, key) in keys.iter().enumerate() {
        let record = TitleRecord { leaf: i as u32 / 7, slot: i as u32 % 1000 };
        leaves.extend(builder.push(key, extra(i), record, i % 3 == 0));
    }
    let (last, nodes) = builder.finish();
    leaves.extend(last);
    let symbols = encoder.symbols().clone();
    Built { leaves, nodes, symbols }
}

struct Memory<'a>(&'a Built);

impl<'a> Pages<'a> for Memory<'a> {
    fn node(&self, page: u32) -> Result<Cow<'a, [u8]>> {
        Ok(Cow::Borrowed(&self.0.nodes.pages[page as usize * PAGE..][..PAGE]))
    }
    fn leaf(&self, page: u32) -> Result<Cow<'a, [u8]>> {
        Ok(Cow::Borrowed(&self.0.leaves[page as usize]))
    }
    fn leaves(&self) -> u32 {
        self.0.leaves.len() as u32
    }
    fn name(&self) -> &'static str {
        "test"
    }
}

impl Built {
    fn tree(&self) -> Tree<'_, Memory<'_>> {
        Tree { root: Cow::Borrowed(&self.nodes.root), pages: Memory(self), symbols: &self.symbols }
    }
}

fn cut(key: &[u8]) -> &[u8] {
    &key[..key.len().min(KEY_INLINE)]
}

/// Compares everything that a tree answers with the sorted list.
fn compare(keys: &[Vec<u8>], built: &Built, extra: impl Fn(usize) -> Vec<u8>) {
    let tree = built.tree();
    assert!(built.leaves.iter().all(|l| l.len() == PAGE));
    let mut rank = 0;
    let mut first_of_leaf = vec![];
    for leaf in 0..tree.pages.leaves() {
        let page = tree.pages.leaf(leaf).unwrap();
        let view = tree.view(leaf, &page).unwrap();
        assert_eq!(view.first_rank() as usize, rank);
        assert_eq!(tree.rank_of_leaf(leaf).unwrap() as usize, rank);
        assert_eq!(view.first_counted() as usize, rank.div_ceil(3));
        first_of_leaf.push(rank);
        let mut rows = view.rows_from(0, tree.symbols).unwrap();
        while rows.advance().unwrap() {
            assert_eq!(rows.key, cut(&keys[rank]));
            assert_eq!(rows.extra, extra(rank));
            let slot = rows.next_slot() - 1;
            let record =
                TitleRecords::get(view.records(), view.len(), slot, crate::error::Place::File).unwrap();
            assert_eq!((record.leaf as usize, record.slot as usize), (rank / 7, rank % 1000));
            let again = view.rows_from(slot, tree.symbols).unwrap();
            assert_eq!(again.next_slot(), slot);
            rank += 1;
        }
        assert!(rows.ended_exactly());
    }
    assert_eq!(rank, keys.len());
    let place_of = |rank: usize| {
        let leaf = first_of_leaf.partition_point(|&first| first <= rank) - 1;
        RowPlace { leaf: leaf as u32, slot: (rank - first_of_leaf[leaf]) as u32 }
    };
    let step = 1 + keys.len() / 300;
    for rank in (0..keys.len()).step_by(step) {
        assert_eq!(tree.by_rank(rank as u32).unwrap(), Some(place_of(rank)));
        let key = &keys[rank];
        let shorter = &key[..key.len().saturating_sub(1)];
        let longer = [key, &b"\0"[..]].concat();
        let other: Vec<u8> = key.iter().map(|b| b.wrapping_add(1)).collect();
        for probe in [&key[..], shorter, &longer, &other, b"", b"\xff\xff"] {
            let expected = keys.partition_point(|k| cut(k) < cut(probe));
            let equal = keys.get(expected).is_some_and(|k| cut(k) == cut(probe));
            let expected = (expected < keys.len()).then(|| (place_of(expected), equal));
            assert_eq!(tree.lower_bound(probe).unwrap(), expected, "{probe:?}");
        }
    }
    assert!(tree.by_rank(keys.len() as u32).unwrap().is_none());
}

fn check(mut keys: Vec<Vec<u8>>, unique: bool, extra: impl Fn(usize) -> Vec<u8> + Copy) {
    keys.sort();
    if unique {
        keys.dedup();
    }
    let built = build(&keys, extra);
    if keys.is_empty() {
        assert!(built.nodes.root.is_empty() && built.leaves.is_empty());
        assert_eq!(built.tree().lower_bound(b"x").unwrap(), None);
    } else {
        compare(&keys, &built, extra);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn trees_of_any_keys_answer_like_sorted_lists(
        keys in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..2000),
        unique: bool,
    ) {
        check(keys, unique, |_| vec![]);
    }

    #[test]
    fn trees_of_alike_keys_answer_like_sorted_lists(
        parts in proptest::collection::vec((0..12u8, 0..300u16, 0..4u8), 0..3000),
        long in 0..600usize,
        extras: bool,
    ) {
        let keys = parts.iter().map(|(a, b, c)| {
            let start = "folder/".repeat(usize::from(*a % 3));
            format!("{start}{}part{a}/{b:03}{}", "x".repeat(long * usize::from(*c == 1)), "y".repeat(usize::from(*c))).into_bytes()
        });
        check(keys.collect(), false, |i| if extras && i % 5 == 1 { vec![i as u8; i % 90] } else { vec![] });
    }
}

#[test]
fn a_tree_of_many_levels_answers_like_a_sorted_list() {
    // Long separators make narrow nodes: three levels of them.
    let keys = (0..12_000u32).map(|i| format!("{:0>200}", i * 3).into_bytes()).collect();
    check(keys, true, |_| vec![]);
}

#[test]
fn one_key_may_fill_many_leaves() {
    check(vec![b"same".to_vec(); 20_000], false, |_| vec![]);
}
