//! From sorted rows to the tables, the hash tree and the first page.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::indexing::Facts;
use super::links::{importance_of, pass_on};
use super::rows::{EntryRow, Interned, RowBody, Sample};
use super::sections::Tables;
use super::titles::{self, Title};
use crate::error::{Error, Result};
use crate::fold::TITLE_KEY_VERSION;
use crate::format::block::BlockTable;
use crate::format::entry::{BlobPlace, Class, EntryRecords, MAX_CLASSES, Record, TitleRule, write_extra};
use crate::format::first_page::{FirstPage, INDEX_ONLY, Row, SectionKind, VERSION};
use crate::format::hash_tree::Shape;
use crate::format::identity::{Identity, IdentityBody};
use crate::format::ids::{NONE, PAGE};
use crate::format::small::{self, Languages};
use crate::format::strings::build::Builder;
use crate::format::strings::symbols::{Encoder, train};
use crate::format::strings::{KEY_INLINE, RESTART};
use crate::index::fulltext::Inverter;
use crate::item::{About, Kind, Observer, keys};
use crate::output::Output;
use crate::sorter::{self, Merge, Sorted, Sorter};

/// The version of this packer's policies.
const PACKER: u16 = 1;

/// A section of fewer pages is written twice: one run of 4 KiB touches two pages, which must not
/// hold a tenth of the entries, nor, as leaves are not equally full, nearly so.
const COPIED_BELOW: usize = 24;

/// Smaller archives have no copies: their loss is small, and copies would be a good part of them.
const MIN_COPIED: u64 = 512 * 1024;

/// What the blocks' part of the packer hands over.
pub struct Packed<'a> {
    /// The rows of the entries by path.
    pub rows: Sorted,
    /// The paths of redirects by the paths of their targets.
    pub targets: Sorted,
    /// Where each blob lies.
    pub blobs: Vec<BlobPlace>,
    /// The records of the blocks; the last block ends on a page border.
    pub blocks: BlockTable,
    /// The parity section.
    pub parity: Vec<u8>,
    /// Mime types.
    pub mimes: &'a Interned,
    /// Languages.
    pub languages: &'a Interned,
    /// The words of the articles, if there is to be an index of them.
    pub inverter: Option<Inverter>,
    /// What was learned of the articles beside their words.
    pub facts: Facts,
    /// What the archive says of itself.
    pub about: &'a About,
    /// Memory for each sort.
    pub sort_budget: usize,
    /// Folder for sorts.
    pub folder: &'a Path,
    /// True if the bytes of the entries lie elsewhere.
    pub index_only: bool,
    /// True if small archives get copies, too.
    pub always_copies: bool,
}

/// What was counted on the way.
#[derive(Debug, Default, Clone, Copy)]
pub struct Counts {
    /// Articles.
    pub articles: u32,
    /// Media.
    pub media: u32,
    /// Redirects.
    pub redirects: u32,
}

/// Reads the rows of entries that stay, in path order.
struct Entries<'a> {
    merge: Merge<'a>,
    dropped: &'a HashSet<Vec<u8>>,
}

impl Entries<'_> {
    fn next(&mut self) -> Result<Option<(String, EntryRow)>> {
        while let Some((path, row)) = self.merge.next_row()? {
            if !self.dropped.contains(&path) {
                // Paths came in as strings.
                let path = String::from_utf8_lossy(&path).into_owned();
                return Ok(Some((path, sorter::decode::<EntryRow>(&row)?)));
            }
        }
        Ok(None)
    }
}

/// Writes everything behind the blocks; returns the first page's bytes and the counts.
pub fn write(
    mut packed: Packed<'_>,
    output: &mut Output,
    observer: &dyn Observer,
) -> Result<(Vec<u8>, Counts)> {
    let dropped = dangling(&mut packed.rows, &mut packed.targets, observer)?;
    let survey = survey(&mut packed, &dropped)?;
    let mut ids = target_ids(&mut packed, &dropped)?;
    let links = links(&mut packed, &dropped, &mut ids)?;
    let tables = Tables::new(output);
    entries(packed, &dropped, survey, &mut ids, &links, tables, observer)
}

/// Returns how many links lead to each entry, those to its redirects included.
fn links(packed: &mut Packed<'_>, dropped: &HashSet<Vec<u8>>, ids: &mut Sorted) -> Result<Vec<u32>> {
    let counted = std::mem::take(&mut packed.facts.links);
    let mut links = vec![];
    let mut redirects = vec![];
    let mut all = Entries { merge: packed.rows.iter()?, dropped };
    let mut targets = ids.iter()?;
    while let Some((path, row)) = all.next()? {
        if row.kind() == Kind::Redirect
            && let Some((_, target)) = targets.next_row()?
            && let Some(target) = target.first_chunk()
        {
            redirects.push((links.len() as u32, u32::from_le_bytes(*target)));
        }
        links.push(counted.of(&path));
    }
    pass_on(&mut links, &redirects);
    Ok(links)
}

/// Finds redirects that lead to no entry, and those that lead to such redirects; reports them.
fn dangling(rows: &mut Sorted, targets: &mut Sorted, observer: &dyn Observer) -> Result<HashSet<Vec<u8>>> {
    let mut dropped: HashSet<Vec<u8>> = HashSet::new();
    let mut last_path: Option<(Vec<u8>, EntryRow)> = None;
    let mut missing: Vec<(Vec<u8>, Vec<u8>)> = vec![];
    // Redirects by the redirects that they lead to: few, since a wiki resolves its chains.
    let mut chained: HashMap<Vec<u8>, Vec<Vec<u8>>> = HashMap::new();
    let mut n = 0u64;
    let (mut all, mut wanted) = (rows.iter()?, targets.iter()?);
    let mut target = wanted.next_row()?;
    while let Some((path, row)) = all.next_row()? {
        if let Some((_, before)) = last_path.as_ref().filter(|last| last.0 == path) {
            let row: EntryRow = sorter::decode(&row)?;
            return Err(sorter::two_of_one_path(&path, &before.origin, &row.origin));
        }
        while let Some((wanted_path, redirect)) = target.take_if(|t| t.0 < path) {
            missing.push((redirect, wanted_path));
            target = wanted.next_row()?;
        }
        let row = sorter::decode::<EntryRow>(&row)?;
        while let Some((_, redirect)) = target.take_if(|t| t.0 == path) {
            if row.kind() == Kind::Redirect {
                chained.entry(path.clone()).or_default().push(redirect);
            }
            target = wanted.next_row()?;
        }
        last_path = Some((path, row));
        n += 1;
        if n.is_multiple_of(4096) && observer.is_cancelled() {
            return Err(Error::Interrupted);
        }
    }
    while let Some((wanted_path, redirect)) = target {
        missing.push((redirect, wanted_path));
        target = wanted.next_row()?;
    }
    drop((all, wanted));
    // What leads to a dropped redirect is dropped in the next round.
    while !missing.is_empty() {
        let mut next = vec![];
        for (redirect, target) in missing.drain(..) {
            if observer.is_cancelled() {
                return Err(Error::Interrupted);
            }
            let after = chained.remove(&redirect).unwrap_or_default();
            next.extend(after.into_iter().map(|after| (after, redirect.clone())));
            let (path, target) = (String::from_utf8_lossy(&redirect), String::from_utf8_lossy(&target));
            observer.warning(&path, &format!("redirect to {target}, which is not there; left out"));
            dropped.insert(redirect);
        }
        missing = next;
    }
    warn_of_loops(&chained, observer)?;
    Ok(dropped)
}

/// Reports redirects that lead back to themselves, one of each loop; they stay, as what they are.
fn warn_of_loops(chained: &HashMap<Vec<u8>, Vec<Vec<u8>>>, observer: &dyn Observer) -> Result<()> {
    let leads = chained.iter().flat_map(|(to, from)| from.iter().map(move |from| (&from[..], &to[..])));
    let leads: HashMap<&[u8], &[u8]> = leads.collect();
    let mut starts: Vec<&[u8]> = leads.keys().copied().collect();
    starts.sort_unstable();
    // By which walk a redirect was come by first.
    let mut walks: HashMap<&[u8], usize> = HashMap::new();
    for (walk, start) in starts.into_iter().enumerate() {
        if observer.is_cancelled() {
            return Err(Error::Interrupted);
        }
        let mut at = Some(start);
        while let Some(path) = at {
            if let Some(before) = walks.insert(path, walk) {
                if before == walk {
                    observer.warning(&String::from_utf8_lossy(path), "a redirect that leads back to itself");
                }
                break;
            }
            at = leads.get(path).copied();
        }
    }
    Ok(())
}

/// What a first pass over the entries learns.
struct Survey {
    path_encoder: Encoder,
    title_encoder: Encoder,
    rule: TitleRule,
    suffix: String,
    main: Option<u32>,
}

/// Separators at which an end that titles share may begin.
const SUFFIX_STARTS: [&str; 6] = [" - ", " — ", " – ", " | ", " :: ", " · "];

/// The titles as a rule would leave them.
struct Titles {
    rule: TitleRule,
    /// Those that the rule gives.
    given: u64,
    /// Those that it does not give, which are stored.
    own: u64,
    sample: Sample,
    /// Ends of those stored, and how often they come.
    suffixes: HashMap<String, u64>,
}

impl Titles {
    fn new(rule: TitleRule) -> Self {
        Self { rule, given: 0, own: 0, sample: Sample::new(), suffixes: HashMap::new() }
    }

    fn offer(&mut self, path: &str, title: &str) {
        if self.rule.apply(path) == title {
            self.given += 1;
            return;
        }
        self.own += 1;
        self.sample.offer(&title.as_bytes()[..title.len().min(KEY_INLINE)]);
        let start = SUFFIX_STARTS.iter().filter_map(|s| title.rfind(s)).max();
        // New ends only as long as there are few: what nearly all titles share comes early.
        if let Some(end) = start.map(|at| &title[at..]) {
            if let Some(n) = self.suffixes.get_mut(end) {
                *n += 1;
            } else if self.suffixes.len() < 1000 {
                self.suffixes.insert(end.to_string(), 1);
            }
        }
    }

    /// Returns the end that most of the stored titles share, or nothing.
    fn suffix(&self) -> String {
        let most = self.suffixes.iter().max_by(|a, b| (a.1, &b.0).cmp(&(b.1, &a.0)));
        let most = most.filter(|(end, n)| **n * 2 > self.own && end.len() < 256);
        most.map(|(end, _)| end.clone()).unwrap_or_default()
    }
}

fn survey(packed: &mut Packed<'_>, dropped: &HashSet<Vec<u8>>) -> Result<Survey> {
    let mut paths = Sample::new();
    // What would be stored under each rule. Titles that the rule gives are left out of it: an archive
    // must not depend on whether its source spelt them out.
    let mut rules = [TitleRule::LastPart, TitleRule::WholePath].map(Titles::new);
    let mut last = String::new();
    let mut id = 0u32;
    let mut main = None;
    let mut all = Entries { merge: packed.rows.iter()?, dropped };
    while let Some((path, row)) = all.next()? {
        let shared = path.bytes().zip(last.bytes()).take_while(|(a, b)| a == b).count();
        // Restarts store more than what is new; every so often one is offered as they store it.
        let from = if (id as usize).is_multiple_of(RESTART) { 0 } else { shared };
        paths.offer(&path.as_bytes()[from..path.len().min(KEY_INLINE).max(from)]);
        if packed.about.main.as_deref() == Some(&path) {
            main = Some(id);
        }
        if let Some(title) = &row.title {
            rules.iter_mut().for_each(|titles| titles.offer(&path, title));
        }
        last = path;
        id += 1;
    }
    let [last_part, whole_path] = rules;
    let best = if whole_path.given > last_part.given { whole_path } else { last_part };
    let suffix = best.suffix();
    Ok(Survey {
        path_encoder: Encoder::new(train(paths.iter())),
        title_encoder: Encoder::new(train(
            best.sample.iter().map(|t| t.strip_suffix(suffix.as_bytes()).unwrap_or(t)),
        )),
        rule: best.rule,
        suffix,
        main,
    })
}

/// Returns the ids of the redirects' targets, by the redirects' paths.
fn target_ids(packed: &mut Packed<'_>, dropped: &HashSet<Vec<u8>>) -> Result<Sorted> {
    let mut ids = Sorter::new(packed.sort_budget, packed.folder);
    let (mut all, mut wanted) = (packed.rows.iter()?, packed.targets.iter()?);
    let mut target = wanted.next_row()?;
    let mut id = 0u32;
    while let Some((path, _)) = all.next_row()? {
        if dropped.contains(&path) {
            continue;
        }
        while target.as_ref().is_some_and(|t| t.0 < path) {
            target = wanted.next_row()?;
        }
        while let Some((_, redirect)) = target.take_if(|t| t.0 == path) {
            if !dropped.contains(&redirect) {
                ids.push(redirect, id.to_le_bytes().to_vec())?;
            }
            target = wanted.next_row()?;
        }
        id = id.checked_add(1).filter(|&n| n < NONE).ok_or_else(too_many)?;
    }
    ids.finish()
}

fn too_many() -> Error {
    Error::InvalidInput("more than 4,294,967,294 entries; split the corpus into several archives".into())
}

/// The classes that entries turn out to have.
#[derive(Default)]
struct Classes {
    classes: Vec<Class>,
    numbers: HashMap<Class, u32>,
}

impl Classes {
    fn number(&mut self, class: Class) -> Result<u32> {
        if let Some(&n) = self.numbers.get(&class) {
            return Ok(n);
        }
        if self.classes.len() == MAX_CLASSES {
            return Err(Error::InvalidInput("more than 65,536 kinds of entries (mime types)".into()));
        }
        let n = self.classes.len() as u32;
        self.classes.push(class.clone());
        self.numbers.insert(class, n);
        Ok(n)
    }
}

/// Pages that may get a copy, kept while they are few.
#[derive(Default)]
struct Kept {
    pages: Vec<Vec<u8>>,
    n: usize,
}

impl Kept {
    fn add(&mut self, page: &[u8]) {
        self.n += 1;
        if self.n < COPIED_BELOW {
            self.pages.push(page.to_vec());
        } else {
            self.pages.clear();
        }
    }
}

fn entries(
    mut packed: Packed<'_>,
    dropped: &HashSet<Vec<u8>>,
    survey: Survey,
    ids: &mut Sorted,
    links: &[u32],
    mut tables: Tables<'_>,
    observer: &dyn Observer,
) -> Result<(Vec<u8>, Counts)> {
    let mut counts = Counts::default();
    let mut classes = Classes::default();
    let mut identity = Identity::default();
    let mut long_names: Vec<u8> = vec![];
    let mut sorter = Sorter::new(packed.sort_budget, packed.folder);
    let mut language_rows: Vec<(u32, u32)> = vec![];
    // By the index's numbers of articles, their ordinals; by ordinals, their importance.
    let mut ordinals: Vec<u32> = vec![];
    let mut importance: Vec<u8> = vec![];
    let about = packed.about;
    let own_language = about.metadata.text(keys::LANGUAGE).map(|l| l.split(',').next().unwrap_or(l).trim());

    tables.begin(SectionKind::ENTRIES, 0);
    let mut kept = Kept::default();
    let mut builder = Builder::new(&survey.path_encoder, EntryRecords::default());
    {
        let mut all = Entries { merge: packed.rows.iter()?, dropped };
        let mut targets = ids.iter()?;
        let mut id = 0u32;
        while let Some((path, row)) = all.next()? {
            let kind = row.kind();
            let title = row.title.as_deref().filter(|t| *t != survey.rule.apply(&path));
            let titled = kind != Kind::Media || row.title.is_some();
            let class = Class {
                kind: row.kind,
                flags: row.flags | if titled { Class::TITLED } else { 0 },
                mime: if kind == Kind::Redirect { String::new() } else { packed.mimes.word(row.mime).into() },
            };
            let mime = class.mime.clone();
            let class = classes.number(class)?;
            let effective = title.map_or_else(|| survey.rule.apply(&path), str::to_string);
            let (record, fragment) = match &row.body {
                RowBody::Blob(number, len, hash) => {
                    identity.entry(&path, kind, &effective, &mime, IdentityBody::Blob(hash));
                    let blob = match packed.blobs.get(*number as usize) {
                        Some(place) if *len > 0 => BlobPlace { len: *len, ..*place },
                        _ => BlobPlace::default(),
                    };
                    (Record::Blob { class, blob }, None)
                }
                RowBody::Redirect(target_path, fragment) => {
                    let body = IdentityBody::Redirect(target_path, fragment.as_deref());
                    identity.entry(&path, kind, &effective, &mime, body);
                    let target = match targets.next_row()? {
                        Some((redirect, id)) if redirect == path.as_bytes() && id.len() == 4 => {
                            u32::from_le_bytes([id[0], id[1], id[2], id[3]])
                        }
                        _ => return Err(Error::source(path, "its target was lost while sorting")),
                    };
                    (Record::Redirect { class, target }, fragment.as_deref())
                }
            };
            let split = title.map(|t| match t.strip_suffix(&survey.suffix) {
                Some(rest) if !survey.suffix.is_empty() => (rest, true),
                _ => (t, false),
            });
            let extra = write_extra(&path, split, fragment, &survey.title_encoder, &mut long_names)
                .ok_or_else(|| {
                    Error::InvalidInput("more than 4 GiB of names longer than 512 bytes".into())
                })?;
            if let Some(page) = builder.push(path.as_bytes(), extra, record, kind == Kind::Article) {
                kept.add(&page);
                tables.write(&page)?;
            }
            if titled {
                let (leaf, slot) = builder.last_place();
                let target = if let Record::Redirect { target, .. } = record { target } else { id };
                titles::push(&mut sorter, &Title { title: &effective, id, target, leaf, slot })?;
            }
            let language = packed.languages.word(row.language);
            if row.language != 0 && own_language != Some(language) {
                language_rows.push((id, row.language));
            }
            if let (Some(number), true) = (row.article, packed.inverter.is_some()) {
                let number = number as usize;
                ordinals.resize(ordinals.len().max(number + 1), NONE);
                ordinals[number] = counts.articles;
                importance.push(importance_of(links.get(id as usize).copied().unwrap_or(0)));
            }
            match kind {
                Kind::Article => counts.articles += 1,
                Kind::Media => counts.media += 1,
                Kind::Redirect => counts.redirects += 1,
            }
            id += 1;
            if id.is_multiple_of(4096) && observer.is_cancelled() {
                return Err(Error::Interrupted);
            }
        }
    }
    let n_entries = counts.articles + counts.media + counts.redirects;
    let (page, entry_nodes) = builder.finish();
    if let Some(page) = page {
        kept.add(&page);
        tables.write(&page)?;
    }
    tables.end(u64::from(n_entries));
    let mut copied: Vec<(SectionKind, Vec<u8>)> = vec![];
    if !kept.pages.is_empty() {
        copied.push((SectionKind::ENTRIES, kept.pages.concat()));
    }

    let context = titles::Context {
        links,
        suffix: &survey.suffix,
        sort_budget: packed.sort_budget,
        folder: packed.folder,
    };
    let (key_symbols, title_nodes) = titles::write(sorter.finish()?, &mut tables, &context)?;
    if !long_names.is_empty() {
        tables.section(SectionKind::LONG_NAMES, 0, &long_names, 0)?;
        tables.align()?;
    }
    let languages = languages(language_rows, packed.languages);
    if !languages.entries.is_empty() {
        let count = languages.entries.len() as u64;
        tables.section(SectionKind::LANGUAGES, Row::OPTIONAL, &languages.write(), count)?;
        tables.align()?;
    }
    reading_order(&mut packed, dropped, &mut tables, observer)?;
    if let Some(inverter) = packed.inverter.take() {
        let Facts { languages, frequent, .. } = &packed.facts;
        let cancelled = || observer.is_cancelled();
        inverter.finish(&ordinals, &importance, languages, frequent, &mut tables, &cancelled)?;
        tables.align()?;
    }
    tables.section(SectionKind::PARITY, Row::OPTIONAL, &packed.parity, 0)?;
    let n_blocks = packed.blocks.len();
    let blocks = packed.blocks.finish();
    tables.section(SectionKind::BLOCKS, 0, &blocks, u64::from(n_blocks))?;
    if blocks.len() / PAGE < COPIED_BELOW {
        copied.push((SectionKind::BLOCKS, blocks));
    }
    for (kind, nodes) in
        [(SectionKind::ENTRY_NODES, entry_nodes.pages), (SectionKind::TITLE_NODES, title_nodes.pages)]
    {
        tables.section(kind, 0, &nodes, (nodes.len() / PAGE) as u64)?;
        copied.push((kind, nodes));
    }
    // What every look-up needs beside nodes, close together.
    let small_at = tables.position();
    let metadata = &about.metadata;
    let small: [(SectionKind, Vec<u8>, usize); 8] = [
        (SectionKind::ENTRY_ROOT, entry_nodes.root, 1),
        (SectionKind::TITLE_ROOT, title_nodes.root, 1),
        (SectionKind::PATH_SYMBOLS, survey.path_encoder.symbols().write(), 1),
        (SectionKind::TITLE_SYMBOLS, survey.title_encoder.symbols().write(), 1),
        (SectionKind::KEY_SYMBOLS, key_symbols, 1),
        (SectionKind::TITLE_SUFFIX, survey.suffix.into_bytes(), 1),
        (SectionKind::CLASSES, small::write_classes(&classes.classes), classes.classes.len()),
        (SectionKind::METADATA, small::write_metadata(metadata), metadata.iter().count()),
    ];
    let mut small_pages = vec![];
    for (kind, bytes, count) in &small {
        small_pages.extend_from_slice(bytes);
        tables.section(*kind, 0, bytes, *count as u64)?;
    }
    small_pages.resize(small_pages.len().next_multiple_of(PAGE), 0);
    tables.align()?;
    let everything = tables.start + tables.position();
    if packed.always_copies || everything >= MIN_COPIED {
        copies(&mut tables, copied, small_at, &small_pages)?;
    }

    let content_id = identity.finish(metadata, about.main.as_deref().filter(|_| survey.main.is_some()));
    let shape = Shape::new(tables.digests.len() as u64);
    let (tree, top) = shape.build(&tables.digests);
    tables.output.write(&tree)?;
    let gap = (shape.copy_at() - shape.pages()) as usize * PAGE;
    tables.output.write(&vec![0; gap])?;
    tables.output.write(&tree)?;
    let first = FirstPage {
        version: VERSION,
        title_key: TITLE_KEY_VERSION,
        title_rule: survey.rule.number(),
        packer: PACKER,
        required: if packed.index_only { INDEX_ONLY } else { 0 },
        optional: 0,
        body_end: tables.output.position(),
        signature_len: 0,
        tables_offset: tables.start,
        table_pages: tables.digests.len() as u64,
        n_blocks,
        n_entries,
        n_articles: counts.articles,
        n_media: counts.media,
        n_redirects: counts.redirects,
        main: survey.main.unwrap_or(NONE),
        content_id,
        top,
        rows: tables.rows,
    };
    let page = first.write();
    tables.output.write(&page)?;
    Ok((page, counts))
}

fn languages(rows: Vec<(u32, u32)>, interned: &Interned) -> Languages {
    let mut names: Vec<&str> = rows.iter().map(|r| interned.word(r.1)).filter(|n| n.len() < 256).collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(usize::from(u16::MAX));
    let number = |word: &str| names.binary_search(&word).ok().map(|n| n as u16);
    let entries = rows.iter().filter_map(|r| Some((r.0, number(interned.word(r.1))?))).collect();
    Languages { names: names.iter().map(|n| (*n).to_string()).collect(), entries }
}

/// Writes the ids of the paths of the reading order, in that order.
fn reading_order(
    packed: &mut Packed<'_>,
    dropped: &HashSet<Vec<u8>>,
    tables: &mut Tables<'_>,
    observer: &dyn Observer,
) -> Result<()> {
    let order = &packed.about.reading_order;
    if order.is_empty() {
        return Ok(());
    }
    let wanted: HashSet<&str> = order.iter().map(String::as_str).collect();
    let mut ids: HashMap<String, u32> = HashMap::new();
    let mut all = Entries { merge: packed.rows.iter()?, dropped };
    let mut id = 0u32;
    while let Some((path, _)) = all.next()? {
        if wanted.contains(path.as_str()) {
            ids.insert(path, id);
        }
        id += 1;
    }
    let mut bytes = vec![];
    let mut written = HashSet::new();
    for path in order {
        match ids.get(path) {
            // Nobody reads a page twice; the format has each once.
            Some(id) if !written.insert(*id) => {}
            Some(id) => bytes.extend_from_slice(&id.to_le_bytes()),
            None => observer.warning(path, "in the reading order, but not in the source"),
        }
    }
    let count = bytes.len() as u64 / 4;
    tables.section(SectionKind::READING_ORDER, Row::OPTIONAL, &bytes, count)?;
    tables.align()
}

/// Writes second copies of small sections, in the order of the first ones, and notes where.
fn copies(
    tables: &mut Tables<'_>,
    copied: Vec<(SectionKind, Vec<u8>)>,
    small_at: u64,
    small_pages: &[u8],
) -> Result<()> {
    let pages: usize = copied.iter().map(|c| c.1.len() / PAGE).sum::<usize>() + small_pages.len() / PAGE;
    if pages < 2 {
        // Kept a page apart, so that no run of 4 KiB hits a page and its copy.
        tables.write(&[0; PAGE])?;
    }
    let start = tables.position();
    for (kind, bytes) in copied {
        let at = (tables.position() / PAGE as u64) as u32;
        tables.write(&bytes)?;
        if let Some(row) = tables.rows.iter_mut().find(|r| r.kind == kind && r.len > 0) {
            row.copy = at;
        }
    }
    let small_copy = tables.position() / PAGE as u64;
    let first_small = small_at / PAGE as u64;
    for row in tables.rows.iter_mut().filter(|r| r.offset >= small_at && r.len > 0) {
        row.copy = (small_copy + row.offset / PAGE as u64 - first_small) as u32;
    }
    tables.write(small_pages)?;
    let len = tables.position() - start;
    let count = len / PAGE as u64;
    tables.rows.push(Row {
        kind: SectionKind::COPIES,
        flags: Row::OPTIONAL,
        copy: 0,
        offset: start,
        len,
        count,
    });
    Ok(())
}
