//! Damaged and hostile indexes, their hashes made right again: answered or refused, within the budget.

use super::testing::{Random, Sections, corpus};
use super::*;
use crate::format::first_page::SectionKind;
use crate::storage::Owned;
use crate::tables::Tables;

/// What a query may spend here; whatever the bytes say, it ends soon after.
const UNITS: u64 = 200_000;

/// Changes some bytes of some sections: mostly of those with lists and words.
fn damage(sections: &mut Sections, random: &mut Random) {
    const KINDS: [SectionKind; 10] = [
        SectionKind::POSTINGS,
        SectionKind::POSTINGS,
        SectionKind::WORDS,
        SectionKind::WORDS,
        SectionKind::WORDS,
        SectionKind::WORD_ROOT,
        SectionKind::SEARCH,
        SectionKind::SEARCH,
        SectionKind::SEARCH_ARTICLES,
        SectionKind::WORD_SYMBOLS,
    ];
    let whole = random.below(40) == 0;
    for _ in 0..1 + random.below(8) * random.below(8) {
        let kind = KINDS[random.below(KINDS.len() as u64) as usize];
        let Some((_, bytes, _)) = sections.0.iter_mut().find(|section| section.0 == kind) else { continue };
        if bytes.is_empty() {
            continue;
        }
        if whole && kind != SectionKind::WORDS {
            bytes.truncate(random.below(bytes.len() as u64) as usize);
            continue;
        }
        // The heads of sections and of pages say the most.
        let reach = [64, 300, bytes.len(), bytes.len()][random.below(4) as usize].min(bytes.len());
        let page = 4096 * random.below(bytes.len().div_ceil(4096) as u64) as usize;
        let at = (page + random.below(reach as u64) as usize) % bytes.len();
        bytes[at] = match random.below(5) {
            0 => 0,
            1 => 255,
            2 => bytes[at] ^ 1 << random.below(8),
            3 => bytes[at].wrapping_add(1),
            _ => random.below(256) as u8,
        };
    }
}

/// Asks everything; returns what was answered, or `None` if something was refused.
fn ask(sections: &Sections, random: &mut Random) -> Option<usize> {
    let tables = Tables::open(Box::new(Owned(sections.archive()))).unwrap();
    let index = FullText::open(&tables).ok()??;
    let mut refused = false;
    let mut answers = 0;
    let mut groups = vec![];
    let mut walk = index.terms(&tables, [&b"w"[..], b"a", b"only1", b""][random.below(4) as usize]);
    for i in 0..40 {
        match walk.next() {
            Ok(Some((_, term))) => groups.push(Group { terms: vec![term], ..Group::default() }),
            Ok(None) => break,
            Err(_) => {
                refused = true;
                break;
            }
        }
        if i % 8 == 7 {
            walk.seek(format!("w{:x}", random.below(1000)).as_bytes());
        }
    }
    for word in ["common", "everywhere", "w0", "ab1", "abc2", "zeta3", "only7"] {
        match index.term(&tables, word.as_bytes()) {
            Ok(Some(term)) => groups.push(Group { terms: vec![term], ..Group::default() }),
            Ok(None) => {}
            Err(_) => refused = true,
        }
    }
    let roles = [Role::Required, Role::Optional, Role::Excluded];
    for style in 0..5 {
        if groups.is_empty() {
            break;
        }
        let mut some = vec![];
        for _ in 0..1 + random.below(4) {
            let mut group = groups[random.below(groups.len() as u64) as usize].clone();
            if random.below(3) == 0 {
                group.terms.extend(groups[random.below(groups.len() as u64) as usize].terms.iter());
                group.terms.extend(groups[groups.len() - 1].terms.iter());
            }
            group.fields = [FieldMask::ALL, FieldMask::TITLE][random.below(8) as usize / 7];
            group.role = roles[if style < 3 { style } else { random.below(3) as usize }];
            some.push(group);
        }
        let query = Query { groups: some, min_optional: random.below(3) as usize };
        let mut work = Work::new(UNITS, None);
        let k = [1, 10, 5000][random.below(3) as usize];
        match index.top(&tables, &query, k, &mut work) {
            Ok(top) => {
                assert!(top.hits.len() <= k && top.hits.iter().all(|hit| hit.ordinal < index.articles()));
                assert!(top.hits.windows(2).all(|w| w[0].score >= w[1].score));
                answers += 1;
            }
            Err(_) => refused = true,
        }
        assert!(work.spent() < UNITS + 100_000, "{} units", work.spent());
    }
    (!refused).then_some(answers)
}

/// Damages an index again and again; returns how many answered and how many refused.
fn rounds(n: usize, seed: u64) -> (usize, usize) {
    let whole = corpus(600, 12).build(usize::MAX);
    let mut random = Random(seed);
    let (mut answered, mut refused) = (0, 0);
    for _ in 0..n {
        let mut sections = whole.clone();
        damage(&mut sections, &mut random);
        match ask(&sections, &mut random) {
            Some(_) => answered += 1,
            None => refused += 1,
        }
    }
    (answered, refused)
}

#[test]
fn damaged_indexes_answer_or_refuse() {
    // More of them by hand: TOME_DAMAGE=300000 TOME_SEED=7.
    let number = |name| std::env::var(name).ok().and_then(|n| n.parse().ok());
    let n = number("TOME_DAMAGE").unwrap_or(20_000) as usize;
    let (answered, refused) = rounds(n, number("TOME_SEED").unwrap_or(1));
    // Where nearly all are refused, little is tried.
    assert!(10 * answered > n && 10 * refused > n, "{answered} answered, {refused} refused");
}

#[test]
fn the_whole_index_answers() {
    let whole = corpus(600, 12).build(usize::MAX);
    let mut random = Random(4);
    for _ in 0..20 {
        assert_eq!(ask(&whole, &mut random), Some(5));
    }
}
