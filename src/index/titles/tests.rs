//! Walks over random trees against the distance of the textbook.

use std::borrow::Cow;
use std::time::Duration;

use proptest::prelude::*;

use super::Meter;
use super::automaton::Pattern;
use super::automaton::tests::by_table;
use super::dictionary::WordRecords;
use super::visit::visit;
use super::walk::{Aim, walk};
use crate::error::Result;
use crate::format::ids::PAGE;
use crate::format::strings::build::{Builder, Nodes};
use crate::format::strings::symbols::{Encoder, Symbols, train};
use crate::format::strings::tree::{Pages, Tree};

struct Memory {
    leaves: Vec<Vec<u8>>,
    nodes: Nodes,
    symbols: Symbols,
}

impl<'a> Pages<'a> for &'a Memory {
    fn node(&self, page: u32) -> Result<Cow<'a, [u8]>> {
        Ok(Cow::Borrowed(&self.nodes.pages[page as usize * PAGE..][..PAGE]))
    }
    fn leaf(&self, page: u32) -> Result<Cow<'a, [u8]>> {
        Ok(Cow::Borrowed(&self.leaves[page as usize]))
    }
    fn leaves(&self) -> u32 {
        self.leaves.len() as u32
    }
    fn name(&self) -> &'static str {
        "test"
    }
}

fn build(keys: &[String]) -> Memory {
    let encoder = Encoder::new(train(keys.iter().map(String::as_bytes)));
    let mut builder = Builder::new(&encoder, WordRecords::default());
    let mut leaves = vec![];
    for (i, key) in keys.iter().enumerate() {
        leaves.extend(builder.push(key.as_bytes(), vec![], i as u64 * 3, false));
    }
    let (last, nodes) = builder.finish();
    leaves.extend(last);
    let symbols = encoder.symbols().clone();
    Memory { leaves, nodes, symbols }
}

fn tree(memory: &Memory) -> Tree<'_, &Memory> {
    Tree { root: Cow::Borrowed(&memory.nodes.root), pages: memory, symbols: &memory.symbols }
}

fn endless() -> Meter {
    Meter::new(u32::MAX, Duration::from_secs(3600))
}

/// Compares what a walk finds with what a look at every key finds.
fn compare(keys: &[String], pattern: &str, typos: u8, prefix: bool, within: &str) {
    let memory = build(keys);
    let compiled = Pattern::new(pattern, typos);
    let aim = Aim { pattern: &compiled, prefix, within: within.as_bytes() };
    let mut found = vec![];
    walk(&tree(&memory), aim, &mut endless(), |rows, typos| {
        found.extend(rows.map(|row| (row as usize, usize::from(typos))));
        true
    })
    .unwrap();
    let expected: Vec<(usize, usize)> = keys
        .iter()
        .enumerate()
        .filter(|(_, key)| key.starts_with(within))
        .map(|(i, key)| (i, by_table(pattern, key, prefix)))
        .filter(|found| found.1 <= usize::from(typos))
        .collect();
    assert_eq!(found, expected, "{pattern:?}, {typos} typos, prefix {prefix}, within {within:?}");
}

fn sorted(mut keys: Vec<String>) -> Vec<String> {
    keys.retain(|key| !key.is_empty());
    keys.sort_unstable();
    keys.dedup();
    keys
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn a_walk_finds_what_a_look_at_every_key_finds(
        keys in proptest::collection::vec("[ab]{0,4}[abcé東]{0,12}", 0..400),
        pattern in "[abcé東]{0,9}",
        typos in 0..3u8,
        prefix: bool,
    ) {
        let keys = sorted(keys);
        for within in ["", "a", "bé"] {
            compare(&keys, &pattern, typos, prefix, within);
        }
    }

    #[test]
    fn visited_rows_are_those_asked_for(keys in proptest::collection::vec("[a-d]{1,12}", 1..800), picks in proptest::collection::vec(any::<u16>(), 0..60)) {
        let keys = sorted(keys);
        let memory = build(&keys);
        let mut ranks: Vec<u32> = picks.iter().map(|&p| u32::from(p) % (keys.len() as u32 + 3)).collect();
        ranks.sort_unstable();
        ranks.dedup();
        let mut seen = vec![];
        visit(&tree(&memory), ranks.iter().copied(), |row| {
            assert_eq!(row.key, keys[row.rank as usize].as_bytes());
            seen.push(row.rank);
            Ok(true)
        }).unwrap();
        ranks.retain(|&rank| (rank as usize) < keys.len());
        prop_assert_eq!(seen, ranks);
    }
}

/// Thousands of keys of a few kinds: leaves and levels enough for passing over them by restarts, leaves
/// and nodes.
#[test]
fn a_walk_over_many_leaves_finds_the_same() {
    let mut random = 7u64;
    let mut number = |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let mut keys = vec![];
    for _ in 0..20_000 {
        let mut key = String::new();
        for _ in 0..1 + number(3) {
            for _ in 0..1 + number(3) {
                key.push_str(["ka", "to", "mi", "re", "su", "no", "ha", "ön"][number(8) as usize]);
            }
            key.push(' ');
        }
        keys.push(format!("{key}{}", number(1000)));
    }
    let keys = sorted(keys);
    assert!(build(&keys).leaves.len() > 20);
    for i in 0..16 {
        let mut pattern: Vec<char> = keys[number(keys.len() as u64) as usize].chars().collect();
        let at = number(pattern.len() as u64) as usize;
        pattern[at] = 'x';
        pattern.swap(0, 1);
        let pattern: String = pattern.into_iter().collect();
        compare(&keys, &pattern, 1 + i as u8 % 2, i % 4 < 2, "");
    }
    compare(&keys, "", 1, true, "");
    compare(&keys, "k", 2, true, "to");
}

/// Any bytes of leaves give errors or other rows, and the walk ends.
#[test]
fn a_walk_over_damaged_leaves_ends() {
    let keys =
        sorted((0..3000u32).map(|i| format!("{:x} {}", i.wrapping_mul(2_654_435_761), i % 7)).collect());
    let whole = build(&keys);
    let pattern = Pattern::new("a1b2c3d4", 2);
    let mut random = 3u64;
    for _ in 0..3000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut memory = Memory {
            leaves: whole.leaves.clone(),
            nodes: Nodes { root: whole.nodes.root.clone(), pages: whole.nodes.pages.clone() },
            symbols: whole.symbols.clone(),
        };
        let leaf = (random >> 20) as usize % memory.leaves.len();
        let at = (random >> 33) as usize % if random.is_multiple_of(3) { 40 } else { PAGE };
        memory.leaves[leaf][at] ^= (random >> 50) as u8 | 1;
        if random.is_multiple_of(5) {
            let at = (random >> 40) as usize % memory.nodes.root.len();
            memory.nodes.root[at] ^= (random >> 45) as u8 | 1;
        }
        let mut meter = Meter::new(100_000, Duration::from_secs(60));
        for prefix in [false, true] {
            let aim = Aim { pattern: &pattern, prefix, within: b"" };
            let _ = walk(&tree(&memory), aim, &mut meter, |rows, _| rows.start <= rows.end);
        }
        assert!(!meter.is_spent(), "a walk went round");
    }
}
