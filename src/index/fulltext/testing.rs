//! Archives that hold nothing but an index, and an index that is nothing but a list.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::rank::{FIELDS, FieldMask, classes, factor, length_byte, weight};
use super::*;
use crate::error::Result;
use crate::format::first_page::{FirstPage, Row, SectionKind, VERSION};
use crate::format::hash_tree::{Shape, digest};
use crate::format::ids::{NONE, PAGE};
use crate::index::SectionSink;
use crate::storage::Owned;
use crate::tables::Tables;

/// Keeps sections in memory.
#[derive(Default, Clone, PartialEq, Eq)]
pub struct Sections(pub Vec<(SectionKind, Vec<u8>, u64)>);

impl SectionSink for Sections {
    fn begin(&mut self, kind: SectionKind) -> Result<()> {
        self.0.push((kind, vec![], 0));
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.last_mut().unwrap().1.extend_from_slice(bytes);
        Ok(())
    }

    fn end(&mut self, count: u64) {
        self.0.last_mut().unwrap().2 = count;
    }
}

impl Sections {
    /// Returns an archive of these sections, with the hashes that they have.
    pub fn archive(&self) -> Vec<u8> {
        let mut tables: Vec<u8> = vec![];
        let mut rows = vec![];
        for (kind, bytes, count) in &self.0 {
            tables.resize(tables.len().next_multiple_of(PAGE), 0);
            let (offset, len) = (tables.len() as u64, bytes.len() as u64);
            tables.extend_from_slice(bytes);
            if len > 0 {
                rows.push(Row { kind: *kind, flags: 1, copy: 0, offset, len, count: *count });
            }
        }
        tables.resize(tables.len().next_multiple_of(PAGE), 0);
        let digests: Vec<_> = tables.chunks(PAGE).map(digest).collect();
        let shape = Shape::new(digests.len() as u64);
        let (tree, top) = shape.build(&digests);
        let first = FirstPage {
            version: VERSION,
            title_key: 1,
            title_rule: 0,
            packer: 0,
            required: 0,
            optional: 0,
            body_end: PAGE as u64 * (1 + digests.len() as u64 + shape.both()),
            signature_len: 0,
            tables_offset: PAGE as u64,
            table_pages: digests.len() as u64,
            n_blocks: 0,
            n_entries: 0,
            n_articles: 0,
            n_media: 0,
            n_redirects: 0,
            main: NONE,
            content_id: [0; 32],
            top,
            rows,
        };
        let page = first.write();
        let gap = vec![0; (shape.copy_at() - shape.pages()) as usize * PAGE];
        [&page, &tables, &tree, &gap, &tree, &page].map(|part| &part[..]).concat()
    }

    pub fn open(&self) -> (Tables, FullText) {
        let tables = Tables::open(Box::new(Owned(self.archive()))).unwrap();
        let index = FullText::open(&tables).unwrap().unwrap();
        (tables, index)
    }
}

/// A document: its words with their frequencies, and its lengths.
pub type Document = (BTreeMap<Vec<u8>, [u16; FIELDS]>, [u32; FIELDS]);

/// Documents, and where they belong.
#[derive(Debug, Clone, Default)]
pub struct Corpus {
    pub documents: Vec<Document>,
    pub ordinals: Vec<u32>,
    pub importance: Vec<u8>,
}

impl Corpus {
    /// Documents in the order of their ordinals, none important.
    pub fn plain(documents: Vec<Document>) -> Self {
        let n = documents.len();
        Self { documents, ordinals: (0..n as u32).collect(), importance: vec![0; n] }
    }

    pub fn build(&self, budget: usize) -> Sections {
        let mut inverter = Inverter::new(budget, Path::new("."));
        for (words, lengths) in &self.documents {
            inverter.add(words.iter().map(|(w, f)| (w.as_slice(), *f)), *lengths).unwrap();
        }
        let mut sections = Sections::default();
        let languages = ["en".to_string()];
        inverter.finish(&self.ordinals, &self.importance, &languages, &[], &mut sections, &|| false).unwrap();
        sections
    }

    /// All words with their articles and frequencies, by ordinal.
    pub fn lists(&self) -> BTreeMap<Vec<u8>, BTreeMap<u32, [u16; FIELDS]>> {
        let mut lists: BTreeMap<Vec<u8>, BTreeMap<u32, [u16; FIELDS]>> = BTreeMap::new();
        for ((words, _), &ordinal) in self.documents.iter().zip(&self.ordinals) {
            for (word, frequencies) in words {
                lists.entry(word.clone()).or_default().insert(ordinal, *frequencies);
            }
        }
        lists
    }

    fn article(&self, ordinal: u32) -> [u8; 4] {
        let i = self.ordinals.iter().position(|&other| other == ordinal).unwrap();
        let [a, b, c] = self.documents[i].1.map(length_byte);
        [a, b, c, self.importance[ordinal as usize]]
    }

    /// All matches of a query with their scores, best first, by the definition of both.
    pub fn search(&self, index: &FullText, query: &[WordGroup], min_optional: usize) -> Vec<Hit> {
        let lists = self.lists();
        let ranker = index.ranker();
        let all = u64::from(index.articles());
        let any_required = query.iter().any(|group| group.role == Role::Required);
        let min_optional = min_optional.max(usize::from(!any_required));
        let codes = &index.parameters().classes;
        let mut hits = vec![];
        for ordinal in self.ordinals.iter().copied().collect::<BTreeSet<_>>() {
            let article = self.article(ordinal);
            let (mut sum, mut optional, mut matches) = (0u64, 0, true);
            for group in query {
                let amounts = ranker.amounts(group.fields);
                let amount: u32 = group
                    .words
                    .iter()
                    .filter_map(|word| {
                        let frequencies = lists.get(word)?.get(&ordinal)?;
                        let code = codes.iter().position(|c| *c == classes(*frequencies)).unwrap();
                        Some(ranker.amount(&amounts, code as u32, article))
                    })
                    .sum::<u32>()
                    .min(rank::MAX_AMOUNT);
                match (group.role, amount > 0) {
                    (Role::Required, false) | (Role::Excluded, true) => matches = false,
                    (Role::Optional, true) => optional += 1,
                    _ => {}
                }
                if group.role != Role::Excluded && amount > 0 {
                    let terms: Vec<Term> = group.terms(index, &lists);
                    let with = Group { terms, ..Group::default() }.articles(all);
                    sum += u64::from(ranker.worth(amount)) * u64::from(weight(all, with));
                }
            }
            if matches && optional >= min_optional {
                hits.push(Hit { ordinal, score: sum * u64::from(factor(article)) });
            }
        }
        hits.sort_by_key(|hit| (std::cmp::Reverse(hit.score), hit.ordinal));
        hits
    }
}

/// A group by its words.
#[derive(Debug, Clone)]
pub struct WordGroup {
    pub words: BTreeSet<Vec<u8>>,
    pub fields: FieldMask,
    pub role: Role,
}

impl WordGroup {
    /// Terms that know their number of articles and nothing else.
    fn terms(&self, index: &FullText, lists: &BTreeMap<Vec<u8>, BTreeMap<u32, [u16; FIELDS]>>) -> Vec<Term> {
        let _ = index;
        let df = |word| lists.get(word).map(|list| list.len() as u32);
        let term = |df| Term { postings: words::Postings::List { df, start: 0, len: 0, max: 0 } };
        self.words.iter().filter_map(df).map(term).collect()
    }

    pub fn group(&self, tables: &Tables, index: &FullText) -> Group {
        let terms = self.words.iter().filter_map(|word| index.term(tables, word).unwrap()).collect();
        Group { terms, fields: self.fields, role: self.role, weight: None }
    }
}

/// Numbers that look random and are the same in every run.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }
}

/// Documents with words of all frequencies, clustered as in real archives.
pub fn corpus(n: usize, seed: u64) -> Corpus {
    let mut random = Random(seed);
    let mut documents = vec![];
    for i in 0..n {
        let mut words = BTreeMap::new();
        let mut lengths = [3, 0, 0];
        for _ in 0..20 + random.below(60) {
            // Twice as many words each have half the frequency.
            let bits = random.below(11);
            let rank = random.below(1 << bits);
            let topic = if random.below(3) == 0 { (i / 100) as u64 + 1 } else { 0 };
            let word = format!("{}{:x}", ["w", "ab", "abc", "zeta"][rank as usize % 4], rank + 5000 * topic);
            let frequencies = words.entry(word.into_bytes()).or_insert([0u16; FIELDS]);
            match random.below(30) {
                0 => frequencies[0] += 1,
                1 => frequencies[1] += 2,
                2 => {}
                more => frequencies[2] += more as u16 / 7 + 1,
            }
            lengths[2] += 3;
        }
        if random.below(4) > 0 {
            words.insert(b"common".to_vec(), [0, 0, 1 + random.below(300) as u16]);
        }
        words.insert(b"everywhere".to_vec(), [u16::from(i % 50 == 7), 0, 0]);
        words.insert(format!("only{i}").into_bytes(), [0, 0, 1]);
        documents.push((words, lengths));
    }
    // One article has no document, and arrival is not the order of ordinals.
    let mut ordinals: Vec<u32> = (0..=n as u32).collect();
    for i in (1..ordinals.len()).rev() {
        ordinals.swap(i, random.below(i as u64 + 1) as usize);
    }
    ordinals.truncate(n);
    let importance = (0..=n).map(|_| (random.below(256) * random.below(256) / 255) as u8).collect();
    Corpus { documents, ordinals, importance }
}
