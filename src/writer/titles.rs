//! The title table, and what suggestions need beside it.
//!
//! Rows come out of a sort; each further structure is made by one more reading of sorted rows, so
//! nothing is held in memory but a byte a title (its class) and the rows of one word at a time.

use std::path::Path;

use super::rows::Sample;
use super::sections::Tables;
use crate::error::Result;
use crate::fold::title_key;
use crate::format::entry::{TitleRecord, TitleRecords};
use crate::format::first_page::{Row, SectionKind};
use crate::format::ids::PAGE;
use crate::format::strings::build::{Builder, Nodes};
use crate::format::strings::symbols::{Encoder, train};
use crate::format::strings::{KEY_INLINE, RESTART};
use crate::index::titles::classes::{RUN, Ranking, maxima};
use crate::index::titles::dictionary::WordRecords;
use crate::index::titles::{lists, words};
use crate::sorter::{Sorted, Sorter};

/// What is needed to write titles, beside the titles.
pub struct Context<'a> {
    /// How many links lead to each entry; nothing for none at all.
    pub links: &'a [u32],
    /// The end that most titles share.
    pub suffix: &'a str,
    /// Memory for each sort.
    pub sort_budget: usize,
    /// Folder for sorts.
    pub folder: &'a Path,
}

/// One title on its way into the table.
pub struct Title<'a> {
    /// The title.
    pub title: &'a str,
    /// The entry.
    pub id: u32,
    /// The entry to which it leads: itself, or a redirect's target.
    pub target: u32,
    /// Where the entry stands.
    pub leaf: u32,
    /// Where in the leaf.
    pub slot: u32,
}

/// Takes a title. A row is sorted by key, title and id, with zeros between, which keys do not contain.
pub fn push(titles: &mut Sorter, title: &Title<'_>) -> Result<()> {
    let key = title_key(title.title);
    let mut sort_key = key.as_bytes()[..key.len().min(KEY_INLINE)].to_vec();
    let len = sort_key.len() as u32;
    sort_key.push(0);
    sort_key.extend_from_slice(title.title.as_bytes());
    sort_key.push(0);
    sort_key.extend_from_slice(&title.id.to_be_bytes());
    let value = [title.leaf, title.slot, len, title.id, title.target].map(u32::to_le_bytes).concat();
    titles.push(sort_key, value)
}

/// A row as it comes out of the sort.
struct Sortable<'r> {
    key: &'r [u8],
    record: TitleRecord,
    /// The entry, and the one to which it leads.
    ids: [u32; 2],
}

impl<'r> Sortable<'r> {
    fn new(sort_key: &'r [u8], value: &[u8]) -> Self {
        let number = |i: usize| {
            value.get(4 * i..4 * i + 4).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        };
        let key = &sort_key[..(number(2) as usize).min(sort_key.len())];
        Self { key, record: TitleRecord { leaf: number(0), slot: number(1) }, ids: [number(3), number(4)] }
    }

    /// Returns by what the row is ranked: links, and letters of what people type.
    fn rank(&self, links: &[u32], ending: &str) -> (u32, usize) {
        let of = |id: u32| links.get(id as usize).copied().unwrap_or(0);
        let bare = words::bare(words::text(self.key), ending);
        (of(self.ids[0]).max(of(self.ids[1])), bare.chars().count())
    }
}

/// Writes the title table and all that belongs to it, but for what is small; returns the symbols of its
/// keys, and its nodes.
pub fn write(mut sorted: Sorted, tables: &mut Tables<'_>, context: &Context<'_>) -> Result<(Vec<u8>, Nodes)> {
    let ending = words::ending(context.suffix);
    let mut sample = Sample::new();
    let mut ranking = Ranking::default();
    let mut last: Vec<u8> = vec![];
    let mut n = 0u64;
    let mut rows = sorted.iter()?;
    while let Some((sort_key, value)) = rows.next_row()? {
        let row = Sortable::new(&sort_key, &value);
        sample.offer(new_part(&last, row.key, n));
        let (links, letters) = row.rank(context.links, &ending);
        ranking.count(links, letters);
        last.clear();
        last.extend_from_slice(row.key);
        n += 1;
    }
    drop(rows);
    ranking.finish();
    let encoder = Encoder::new(train(sample.iter()));
    let mut builder = Builder::new(&encoder, TitleRecords::default());
    let mut classes: Vec<u8> = vec![];
    let mut pairs = Sorter::new(context.sort_budget, context.folder);
    let mut last_first = String::new();
    tables.begin(SectionKind::TITLES, 0);
    let mut rows = sorted.iter()?;
    while let Some((sort_key, value)) = rows.next_row()? {
        let row = Sortable::new(&sort_key, &value);
        let bare = words::bare(words::text(row.key), &ending);
        push_words(&mut pairs, bare, classes.len() as u32, &mut last_first)?;
        let (links, letters) = row.rank(context.links, &ending);
        classes.push(ranking.class(links, letters));
        if let Some(page) = builder.push(row.key, vec![], row.record, false) {
            tables.write(&page)?;
        }
    }
    drop(rows);
    drop(sorted);
    let (page, nodes) = builder.finish();
    if let Some(page) = page {
        tables.write(&page)?;
    }
    tables.end(n);
    write_words(pairs.finish()?, &classes, tables)?;
    write_classes(classes, tables)?;
    tables.align()?;
    Ok((encoder.symbols().write(), nodes))
}

/// Returns what a leaf will store of a key.
fn new_part<'k>(last: &[u8], key: &'k [u8], n: u64) -> &'k [u8] {
    let shared = key.iter().zip(last).take_while(|(a, b)| a == b).count();
    // Restarts store more than what is new; every so often one is offered as they store it.
    if n.is_multiple_of(RESTART as u64) { key } else { &key[shared..] }
}

fn write_classes(classes: Vec<u8>, tables: &mut Tables<'_>) -> Result<()> {
    let n = classes.len() as u64;
    if n == 0 {
        return Ok(());
    }
    tables.begin(SectionKind::TITLE_CLASSES, Row::OPTIONAL);
    let mut level = classes;
    tables.write(&level)?;
    while level.len() > RUN {
        level = maxima(&level);
        tables.write(&level)?;
    }
    tables.end(n);
    Ok(())
}

/// Takes the words of a row: word, a zero, the row, and 1 for a first word.
fn push_words(pairs: &mut Sorter, bare: &str, row: u32, last_first: &mut String) -> Result<()> {
    let mut first = None;
    for (start, word) in words::words(bare) {
        if words::is_first(bare, start, word) {
            first = Some(word);
            // One row tells that there are some; the others stand beside it.
            if last_first == word {
                continue;
            }
            word.clone_into(last_first);
        } else if first == Some(word) {
            continue;
        }
        let mut key = Vec::with_capacity(word.len() + 6);
        key.extend_from_slice(word.as_bytes());
        key.push(0);
        key.extend_from_slice(&row.to_be_bytes());
        key.push(u8::from(first == Some(word)));
        pairs.push(key, vec![])?;
    }
    Ok(())
}

/// Calls a function with every word: its rows where it is not the first, and whether it is somewhere.
fn each_word(
    pairs: &mut Sorted,
    classes: &[u8],
    mut see: impl FnMut(&[u8], &[(u32, u8)], bool) -> Result<()>,
) -> Result<()> {
    const TAIL: usize = 6;
    let mut word: Vec<u8> = vec![];
    let mut listed: Vec<(u32, u8)> = vec![];
    let mut first = false;
    let mut all = pairs.iter()?;
    while let Some((key, _)) = all.next_row()? {
        let Some((own, &[_, a, b, c, d, is_first])) = key.split_last_chunk::<TAIL>() else { continue };
        if word != own {
            if !word.is_empty() {
                see(&word, &listed, first)?;
            }
            word.clear();
            word.extend_from_slice(own);
            listed.clear();
            first = false;
        }
        let row = u32::from_be_bytes([a, b, c, d]);
        if is_first == 1 {
            first = true;
        } else if listed.last().is_none_or(|last| last.0 < row) {
            listed.push((row, classes.get(row as usize).copied().unwrap_or(0)));
        }
    }
    if word.is_empty() { Ok(()) } else { see(&word, &listed, first) }
}

/// Writes the tree of the words, their lists, and what is small.
fn write_words(mut pairs: Sorted, classes: &[u8], tables: &mut Tables<'_>) -> Result<()> {
    let of = classes.len() as u32;
    let mut sample = Sample::new();
    let mut last: Vec<u8> = vec![];
    let mut n = 0u64;
    each_word(&mut pairs, classes, |word, _, _| {
        sample.offer(new_part(&last, word, n));
        last.clear();
        last.extend_from_slice(word);
        n += 1;
        Ok(())
    })?;
    if n == 0 {
        return Ok(());
    }
    let encoder = Encoder::new(train(sample.iter()));
    let mut builder = Builder::new(&encoder, WordRecords::default());
    let mut offset = 0u64;
    // The lists are made twice: once for where they begin, once to be written behind the leaves.
    let mut list = vec![];
    tables.begin(SectionKind::TITLE_WORDS, Row::OPTIONAL);
    each_word(&mut pairs, classes, |word, rows, first| {
        list.clear();
        lists::write(rows, first, of, &mut list);
        if let Some(page) = builder.push(word, vec![], offset, false) {
            tables.write(&page)?;
        }
        offset += list.len() as u64;
        Ok(())
    })?;
    let (page, nodes) = builder.finish();
    if let Some(page) = page {
        tables.write(&page)?;
    }
    tables.end(n);
    let n_pages = (nodes.pages.len() / PAGE) as u64;
    tables.section(SectionKind::TITLE_WORD_NODES, Row::OPTIONAL, &nodes.pages, n_pages)?;
    tables.begin(SectionKind::TITLE_WORD_ROWS, Row::OPTIONAL);
    each_word(&mut pairs, classes, |_, rows, first| {
        list.clear();
        lists::write(rows, first, of, &mut list);
        tables.write(&list)
    })?;
    tables.end(n);
    tables.section(SectionKind::TITLE_WORD_SYMBOLS, Row::OPTIONAL, &encoder.symbols().write(), 1)?;
    tables.section(SectionKind::TITLE_WORD_ROOT, Row::OPTIONAL, &nodes.root, 1)
}
