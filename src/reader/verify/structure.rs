//! First pages, hash tree, pages of the tables, and what stands in them.

use std::cmp::Ordering;

use rayon::prelude::*;

use super::super::entries::{entries_place, titles_place};
use super::super::{Entry, EntryBody};
use super::{Finding, Run, Severity, Use, short};
use crate::error::{Error, Result};
use crate::fold::title_key;
use crate::format::block::PER_PAGE as BLOCKS_PER_PAGE;
use crate::format::entry::{RecordsView, TitleRecord, TitleRecords};
use crate::format::first_page::{Row, SectionKind};
use crate::format::hash_tree::PER_PAGE;
use crate::format::ids::PAGE;
use crate::format::strings::KEY_INLINE;
use crate::format::strings::leaf::Leaf;
use crate::format::strings::node::Node;
use crate::format::strings::tree::{Pages, Tree};
use crate::item::Kind;
use crate::limits::MAX_REDIRECTS;

/// What reading a leaf of entries gave.
#[derive(Default)]
struct LeafScan {
    facts: LeafFacts,
    first_path: String,
    last_path: String,
    counts: [u32; 3],
    uses: Vec<Use>,
    /// Ids of redirects and of their targets.
    redirects: Vec<(u32, u32)>,
    titles: TitleSum,
    findings: Vec<Finding>,
}

impl LeafScan {
    fn broken(&mut self, check: &'static str, message: String) {
        let finding = Finding::new(check, Severity::Error, message);
        self.findings.push(Finding { section: Some("entries"), ..finding });
    }
}

/// What reading a leaf of titles gave.
#[derive(Default)]
struct TitleScan {
    facts: LeafFacts,
    first: Option<TitleRecord>,
    last: Option<(Vec<u8>, TitleRecord)>,
    sum: TitleSum,
    findings: Vec<Finding>,
}

impl TitleScan {
    fn broken(&mut self, check: &'static str, message: String) {
        let finding = Finding::new(check, Severity::Error, message);
        self.findings.push(Finding { section: Some("titles"), ..finding });
    }
}

/// A sum over rows of the title table that does not depend on their order.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TitleSum {
    hashes: u128,
    rows: u64,
    /// True if all entries could be asked.
    whole: bool,
}

impl TitleSum {
    fn add_row(&mut self, key: &[u8], leaf: u32, slot: u32) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&leaf.to_le_bytes()).update(&slot.to_le_bytes()).update(key);
        let mut low = [0; 16];
        low.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        self.hashes = self.hashes.wrapping_add(u128::from_le_bytes(low));
        self.rows += 1;
    }

    fn add(&mut self, other: Self) {
        self.hashes = self.hashes.wrapping_add(other.hashes);
        self.rows += other.rows;
    }
}

/// A node still to be read, the level that it must have, and what is said of it.
struct Waiting {
    bytes: Vec<u8>,
    level: Option<u8>,
    said: Vec<Said>,
}

/// What a node says of a child.
#[derive(Clone)]
struct Said {
    separator: Vec<u8>,
    rank: u32,
    counted: u32,
}

impl Said {
    fn holds(&self, before: Option<&LeafFacts>, here: &LeafFacts, whole: bool) -> bool {
        // A first child has no separator of its own.
        let ordered = self.separator.is_empty()
            || self.separator[..] <= here.first[..]
                && before.is_none_or(|b| {
                    self.separator > b.last || here.first == b.last && self.separator == b.last
                });
        ordered && self.rank == here.rank && (!whole || self.counted == here.counted)
    }
}

/// What the nodes above a leaf must say of it.
#[derive(Default)]
pub(super) struct LeafFacts {
    pub(super) rank: u32,
    pub(super) counted: u32,
    pub(super) first: Vec<u8>,
    pub(super) last: Vec<u8>,
}

impl Run<'_> {
    /// Compares the first page with its copy, and both copies of the tree with their hashes.
    pub(super) fn first_pages(&self) {
        let tables = &self.archive.tables;
        let first = tables.first();
        let page = PAGE as u64;
        if let Some(error) = tables.first_page_damage() {
            let mut finding = Finding::of(error);
            finding.message += "; its copy at the end stands in for it";
            self.report(finding);
        }
        let end = first.file_len();
        let ends =
            tables.storage().read(0..page).and_then(|a| Ok((a, tables.storage().read(end - page..end)?)));
        if let Some((a, b)) = self.checked(ends)
            && a != b
            && tables.first_page_damage().is_none()
        {
            self.broken(
                "first page copy",
                "first page",
                "the copy at the end differs from the first page".into(),
            );
        }
        let shape = tables.shape();
        for level in (0..shape.levels()).rev() {
            for number in 0..shape.digests(level).div_ceil(PER_PAGE) {
                for copy in 0..2 {
                    // A page whose own digest is unknown is a finding of the level above.
                    if let Ok(false) = tables.check_tree_page(level, number, copy) {
                        let which = ["first", "second"][copy as usize];
                        let message =
                            format!("level {level}, page {number} of the {which} copy differs from its hash");
                        self.broken("tree hash", "hash tree", message);
                    }
                }
            }
        }
        let gap = first.tree_offset() + shape.pages() * page..first.tree_offset() + shape.copy_at() * page;
        if let Some(bytes) = self.checked(tables.storage().read(gap))
            && bytes.iter().any(|&b| b != 0)
        {
            self.broken("padding", "hash tree", "the page between its copies is not zero".into());
        }
        if first.signature_len > 0 {
            let message =
                format!("{} bytes of signature, which this version cannot check", first.signature_len);
            self.report(Finding::new("signature", Severity::Warning, message));
        }
    }

    /// Compares every page with its hash; true if all match.
    pub(super) fn table_pages(&self) -> Result<bool> {
        let tables = &self.archive.tables;
        let first = tables.first();
        let bad: Vec<(u64, Option<Finding>)> = (0..first.table_pages)
            .into_par_iter()
            .filter_map(|page| match tables.page_is_whole(page) {
                Ok(true) => None,
                Ok(false) => Some((page, None)),
                Err(e) => Some((page, Some(Finding::of(&e)))),
            })
            .collect();
        self.stop()?;
        for (page, finding) in &bad {
            let named = |r: &&Row| r.pages().contains(page);
            let names: Vec<&'static str> = first.rows.iter().filter(named).map(|r| r.kind.name()).collect();
            let message = format!("table page {page} ({}) differs from its hash", names.join(", "));
            let mut finding =
                finding.clone().unwrap_or_else(|| Finding::new("page hash", Severity::Error, message));
            finding.section = finding.section.or(names.first().copied());
            if tables.page(*page).is_ok() {
                finding.message += "; its copy stands in for it";
            } else {
                self.page_damages(*page, &mut finding);
            }
            self.report(finding);
        }
        self.outside_sections();
        Ok(bad.is_empty())
    }

    /// Notes what a lost page takes with it.
    fn page_damages(&self, page: u64, finding: &mut Finding) {
        let Some(row) =
            self.archive.first_page().row(SectionKind::ENTRIES).filter(|r| r.pages().contains(&page))
        else {
            return;
        };
        let leaf = (page - row.pages().start) as u32;
        if let Ok(ids) = self.archive.ids_in_leaf(leaf) {
            self.damages(finding, ids);
        }
    }

    /// Bytes of the tables that belong to no section are zero, and copies are copies.
    fn outside_sections(&self) {
        let tables = &self.archive.tables;
        let first = tables.first();
        let mut rows: Vec<&Row> = first.rows.iter().filter(|r| r.len > 0).collect();
        rows.sort_by_key(|r| r.offset);
        let mut at = 0;
        let len = first.table_pages * PAGE as u64;
        let ends = rows.iter().map(|r| (r.offset, r.offset + r.len)).chain([(len, len)]);
        for (start, end) in ends {
            let start_of = first.tables_offset;
            if let Ok(bytes) = tables.storage().read(start_of + at..start_of + start.max(at))
                && bytes.iter().any(|&b| b != 0)
                // A damaged page has its finding already.
                && (at / PAGE as u64..start.div_ceil(PAGE as u64)).all(|p| tables.page_is_whole(p).unwrap_or(false))
            {
                self.broken(
                    "padding",
                    "tables",
                    format!("bytes {at} to {start} belong to no section and are not zero"),
                );
            }
            at = end;
        }
        for row in first.rows.iter().filter(|r| r.copy != 0) {
            for (i, page) in row.pages().enumerate() {
                let copy = u64::from(row.copy) + i as u64;
                let both = tables.page_is_whole(page).unwrap_or(false)
                    && tables.page_is_whole(copy).unwrap_or(false);
                if both && tables.page(page).ok() != tables.page(copy).ok() {
                    self.broken(
                        "copy",
                        row.kind.name(),
                        format!("table page {copy} is no copy of page {page}"),
                    );
                }
            }
        }
    }

    /// Reads every entry, leaf by leaf on all threads; returns how many there are, which blobs they
    /// use, and what the title table must hold.
    pub(super) fn entries(&self, uses: &mut Vec<Use>) -> Result<(u64, TitleSum)> {
        let archive = self.archive;
        let mut titles = TitleSum::default();
        let Some(leaves) = self.checked(archive.entry_leaves()) else { return Ok((0, titles)) };
        let scans: Vec<Result<LeafScan>> = (0..leaves).into_par_iter().map(|leaf| self.leaf(leaf)).collect();
        self.stop()?;
        let mut facts: Vec<Option<LeafFacts>> = vec![];
        let mut counts = [0u32; 3];
        let (mut whole, mut total) = (true, 0u64);
        let mut last_path: Option<String> = None;
        let mut redirects: Vec<(u32, u32)> = vec![];
        for (leaf, scan) in scans.into_iter().enumerate() {
            let scan = match scan {
                Ok(scan) => scan,
                Err(error) => {
                    whole = false;
                    facts.push(None);
                    last_path = None;
                    self.lost_leaf(leaf as u32, &error);
                    continue;
                }
            };
            scan.findings.into_iter().for_each(|f| self.report(f));
            if last_path.is_some_and(|last| last >= scan.first_path) {
                self.broken("order", "entries", format!("leaf {leaf} begins before the one before it ends"));
            }
            if whole && (u64::from(scan.facts.rank) != total || scan.facts.counted != counts[0]) {
                self.broken("rank", "entries", format!("leaf {leaf} does not begin at entry {total}"));
            }
            last_path = Some(scan.last_path);
            titles.add(scan.titles);
            uses.extend(scan.uses);
            redirects.extend(scan.redirects);
            total += scan.counts.iter().map(|&n| u64::from(n)).sum::<u64>();
            for (sum, n) in counts.iter_mut().zip(scan.counts) {
                *sum += n;
            }
            facts.push(Some(scan.facts));
        }
        let first = archive.first_page();
        let said = [first.n_articles, first.n_media, first.n_redirects];
        if whole && (counts != said || total != u64::from(first.n_entries)) {
            let message = format!("{counts:?} articles, media and redirects; the first page says {said:?}");
            self.broken("counts", "entries", message);
        }
        if let Ok(tree) = archive.entry_tree() {
            self.nodes(&tree, &facts, whole);
        }
        self.redirects(&redirects)?;
        titles.whole = whole;
        Ok((total, titles))
    }

    /// Follows all redirects, by their ids alone.
    fn redirects(&self, redirects: &[(u32, u32)]) -> Result<()> {
        let next = |id: u32| redirects.binary_search_by_key(&id, |r| r.0).ok().map(|at| redirects[at].1);
        for (i, &(id, target)) in redirects.iter().enumerate() {
            if i % 4096 == 0 {
                self.stop()?;
            }
            let mut at = Some(target);
            for _ in 0..MAX_REDIRECTS {
                at = at.and_then(next);
            }
            if at.is_some() {
                let path = self.path(id);
                let message = format!("redirect {} leads to no article or media", short(&path));
                let mut finding = Finding::new("redirect", Severity::Warning, message);
                (finding.entries, finding.n_entries) = (vec![path], 1);
                self.report(finding);
            }
        }
        Ok(())
    }

    /// Reports a leaf that cannot be read.
    fn lost_leaf(&self, leaf: u32, error: &Error) {
        let archive = self.archive;
        // A page that fails its hash was reported with what it damages.
        if archive.entry_tree().and_then(|t| t.pages.leaf(leaf).map(drop)).is_err() {
            return;
        }
        let mut finding = Finding { section: Some("entries"), ..Finding::of(error) };
        if let Ok(ids) = archive.ids_in_leaf(leaf) {
            self.damages(&mut finding, ids);
        }
        self.report(finding);
    }

    fn leaf(&self, number: u32) -> Result<LeafScan> {
        let entries = self.archive.entries_in_leaf(number)?;
        let mut scan = LeafScan::default();
        let mut last_path: Option<&str> = None;
        for (slot, entry) in entries.iter().enumerate() {
            if last_path.is_some_and(|last| last >= entry.path.as_str()) {
                let message = format!("entry {}: its path is not greater than the one before", entry.id);
                scan.broken("order", message);
            }
            last_path = Some(&entry.path);
            scan.counts[entry.kind() as usize] += 1;
            if entry.is_titled {
                let key = title_key(&entry.title);
                let key = &key.as_bytes()[..key.len().min(KEY_INLINE)];
                scan.titles.add_row(key, number, slot as u32);
            }
            match entry.body {
                EntryBody::Blob { place, .. } if place.len > 0 => {
                    scan.uses.push(Use { place, entry: entry.id.0 });
                }
                EntryBody::Blob { .. } => {}
                EntryBody::Redirect { target, .. } => scan.redirects.push((entry.id.0, target.0)),
            }
        }
        let tree = self.archive.entry_tree()?;
        let page = tree.pages.leaf(number)?;
        let leaf = tree.view(number, &page)?;
        let records = RecordsView::parse(leaf.records(), leaf.len(), entries_place(number))?;
        if let Some(message) = Self::leaf_form(&tree, &leaf, records.len())? {
            scan.broken("leaf", format!("leaf {number}: {message}"));
        }
        let key = |e: Option<&Entry>| {
            e.map(|e| e.path.as_bytes()[..e.path.len().min(KEY_INLINE)].to_vec()).unwrap_or_default()
        };
        scan.facts = LeafFacts {
            rank: entries.first().map_or(0, |e| e.id.0),
            counted: leaf.first_counted(),
            first: key(entries.first()),
            last: key(entries.last()),
        };
        scan.first_path = entries.first().map(|e| e.path.clone()).unwrap_or_default();
        scan.last_path = entries.last().map(|e| e.path.clone()).unwrap_or_default();
        Ok(scan)
    }

    /// Checks what reading a leaf does not: restarts, padding. Returns what is wrong.
    pub(super) fn leaf_form<'a, P: Pages<'a>>(
        tree: &Tree<'a, P>,
        leaf: &Leaf<'_>,
        records_len: usize,
    ) -> Result<Option<&'static str>> {
        let mut rows = leaf.rows_from(0, tree.symbols)?;
        loop {
            if !rows.restart_agrees()? {
                return Ok(Some("a restart does not point to its row"));
            }
            if !rows.advance()? {
                break;
            }
        }
        let padded = leaf.records().get(records_len..).is_some_and(|rest| rest.iter().all(|&b| b == 0));
        Ok(match (rows.ended_exactly(), padded) {
            (false, _) => Some("its rows do not end where its records begin"),
            (_, false) => Some("its padding is not zero"),
            _ => None,
        })
    }

    /// Compares every node with the leaves below it.
    pub(super) fn nodes<'a, P: Pages<'a>>(
        &self,
        tree: &Tree<'a, P>,
        facts: &[Option<LeafFacts>],
        whole: bool,
    ) {
        let mut leaf = 0;
        let name = tree.pages.name();
        // A tree without leaves has no root.
        let root = Some(&tree.root).filter(|root| !root.is_empty());
        let mut waiting: Vec<Waiting> = vec![];
        waiting.extend(root.map(|root| Waiting { bytes: root.to_vec(), level: None, said: vec![] }));
        // Depth first, children in order: the stack holds nodes still to be read.
        while let Some(Waiting { bytes, level, said }) = waiting.pop() {
            let Some(node) = self.checked(Node::parse(&bytes, entries_place(0))) else { return };
            if level.is_some_and(|level| node.level != level) {
                let message = format!("a node of level {} where another belongs", node.level);
                return self.broken("node", name, message);
            }
            if node.separator(0).is_ok_and(|s| !s.is_empty()) {
                self.broken("node", name, "the separator of a first child is not empty".into());
            }
            let mut children = vec![];
            for i in 0..node.len() {
                let Some(separator) = self.checked(node.separator(i)) else { return };
                let mine =
                    Said { separator: separator.to_vec(), rank: node.rank(i), counted: node.counted(i) };
                // What is said of a node is said of the first leaf below it.
                let mut said = if i == 0 { said.clone() } else { vec![] };
                said.push(mine);
                if node.level > 0 {
                    let Some(page) = self.checked(tree.pages.node(node.child(i))) else { return };
                    let level = Some(node.level - 1);
                    children.push(Waiting { bytes: page.into_owned(), level, said });
                    continue;
                }
                if node.child(i) != leaf {
                    let message = format!("leaf {} where leaf {leaf} belongs", node.child(i));
                    return self.broken("node", name, message);
                }
                let before = leaf.checked_sub(1).and_then(|i| facts.get(i as usize)?.as_ref());
                match facts.get(leaf as usize) {
                    None => {
                        return self.broken(
                            "node",
                            name,
                            format!("it leads to leaf {leaf}, which is not there"),
                        );
                    }
                    Some(Some(here)) if !said.iter().all(|said| said.holds(before, here, whole)) => {
                        self.broken("node", name, format!("it says of leaf {leaf} what is not so"));
                    }
                    Some(_) => {}
                }
                leaf += 1;
            }
            waiting.extend(children.into_iter().rev());
            if waiting.len() > facts.len() + 8 {
                return self.broken("node", name, "more nodes than leaves".into());
            }
        }
        if leaf as usize != facts.len() {
            self.broken("node", name, format!("they lead to {leaf} of {} leaves", facts.len()));
        }
    }

    /// Reads every row of the title table and compares it with what the entries ask for: all rows
    /// together by a sum of hashes, and only rows of one key, or a table whose sum is wrong, one by
    /// one with their entries.
    pub(super) fn titles(&self, wanted: TitleSum) -> Result<()> {
        let archive = self.archive;
        let Some(tree) = self.checked(archive.title_tree()) else { return Ok(()) };
        let leaves = tree.pages.leaves();
        let scan = |one_by_one: bool| -> Vec<Result<TitleScan>> {
            (0..leaves).into_par_iter().map(|leaf| self.title_leaf(leaf, one_by_one)).collect()
        };
        let mut scans = scan(false);
        let mut sum = TitleSum::default();
        scans.iter().flatten().for_each(|s| sum.add(s.sum));
        let all_read = scans.iter().all(Result::is_ok);
        let differs = (sum.hashes, sum.rows) != (wanted.hashes, wanted.rows);
        if differs && all_read && wanted.whole {
            // Now it is worth the time to know which.
            scans = scan(true);
            if scans.iter().flatten().all(|s| s.findings.is_empty()) {
                let message =
                    format!("{} rows, not those of the {} entries with a title", sum.rows, wanted.rows);
                self.broken("title", "titles", message);
            }
        }
        self.stop()?;
        let (mut facts, mut total, mut whole) = (vec![], 0, true);
        let mut last: Option<(Vec<u8>, TitleRecord)> = None;
        for (number, scan) in scans.into_iter().enumerate() {
            match scan {
                Ok(scan) => {
                    if whole && u64::from(scan.facts.rank) != total {
                        self.broken("rank", "titles", format!("leaf {number} does not begin at row {total}"));
                    }
                    let ordered = match (&last, scan.first) {
                        (Some((key, before)), Some(first)) => match key[..].cmp(&scan.facts.first) {
                            Ordering::Less => true,
                            Ordering::Equal => self.same_key_in_order(*before, first).unwrap_or(false),
                            Ordering::Greater => false,
                        },
                        _ => true,
                    };
                    if whole && !ordered {
                        let message = format!("leaf {number} begins before the one before it ends");
                        self.broken("order", "titles", message);
                    }
                    scan.findings.into_iter().for_each(|f| self.report(f));
                    total += scan.sum.rows;
                    last = scan.last;
                    facts.push(Some(scan.facts));
                }
                Err(error) => {
                    whole = false;
                    facts.push(None);
                    if tree.pages.leaf(number as u32).is_ok() && !is_lost_page(&error) {
                        self.report(Finding { section: Some("titles"), ..Finding::of(&error) });
                    }
                }
            }
        }
        let row = archive.first_page().row(SectionKind::TITLES);
        if whole && row.is_some_and(|r| r.count != total) {
            self.broken("counts", "titles", format!("{total} rows, not as many as its section row says"));
        }
        self.nodes(&tree, &facts, whole);
        Ok(())
    }

    /// Rows of one key are in order of title and id.
    fn same_key_in_order(&self, before: TitleRecord, after: TitleRecord) -> Result<bool> {
        let (a, b) = (self.archive.title_entry(before, b"")?.1, self.archive.title_entry(after, b"")?.1);
        Ok((a.title, a.id) < (b.title, b.id))
    }

    fn title_leaf(&self, number: u32, one_by_one: bool) -> Result<TitleScan> {
        let archive = self.archive;
        let tree = archive.title_tree()?;
        let page = tree.pages.leaf(number)?;
        let leaf = tree.view(number, &page)?;
        let mut rows = leaf.rows_from(0, tree.symbols)?;
        let mut scan = TitleScan::default();
        let mut last: Option<(Vec<u8>, TitleRecord)> = None;
        while rows.advance()? {
            let slot = rows.next_slot() - 1;
            let record = TitleRecords::get(leaf.records(), leaf.len(), slot, titles_place(number))?;
            scan.sum.add_row(&rows.key, record.leaf, record.slot);
            let order = last.as_ref().map(|last| last.0.as_slice().cmp(&rows.key));
            let mut in_order = order != Some(Ordering::Greater);
            if one_by_one {
                let (_, entry) = archive.title_entry(record, &rows.key)?;
                let key = title_key(&entry.title);
                if key.as_bytes()[..key.len().min(KEY_INLINE)] != rows.key[..] || !entry.is_titled {
                    scan.broken(
                        "title",
                        format!("row {slot} of leaf {number} is not the title of {}", entry.path),
                    );
                }
            }
            if let (Some(Ordering::Equal), Some((_, before))) = (order, &last) {
                in_order = self.same_key_in_order(*before, record)?;
            }
            if !in_order {
                scan.broken("order", format!("row {slot} of leaf {number} is out of order"));
            }
            if slot == 0 {
                scan.facts.first.clone_from(&rows.key);
                scan.first = Some(record);
            }
            scan.facts.last.clone_from(&rows.key);
            last = Some((rows.key.clone(), record));
        }
        (scan.facts.rank, scan.facts.counted) = (leaf.first_rank(), leaf.first_counted());
        scan.last = last;
        if let Some(message) = Self::leaf_form(&tree, &leaf, TitleRecords::len(leaf.records(), leaf.len())?)?
        {
            scan.broken("leaf", format!("leaf {number}: {message}"));
        }
        Ok(scan)
    }

    /// Reads the sections that are read whole.
    pub(super) fn small_sections(&self) {
        let archive = self.archive;
        self.checked(archive.metadata().map(drop));
        self.checked(archive.language(crate::format::ids::EntryId(0)).map(drop));
        if let Some(order) = self.checked(archive.reading_order()) {
            let distinct: std::collections::HashSet<_> = order.iter().collect();
            if let Some(id) = order.iter().find(|id| id.0 >= archive.len()) {
                self.broken("reading order", "reading order", format!("entry {id} of {}", archive.len()));
            } else if distinct.len() != order.len() {
                self.broken("reading order", "reading order", "an entry comes twice".into());
            }
        }
        let first = archive.first_page();
        let pages = u64::from(first.n_blocks.div_ceil(BLOCKS_PER_PAGE));
        let row = first.row(SectionKind::BLOCKS);
        if row.map_or(0, |r| r.len) != pages * PAGE as u64
            || row.map_or(0, |r| r.count) != u64::from(first.n_blocks)
        {
            self.broken(
                "section length",
                "blocks",
                format!("not {pages} pages for {} blocks", first.n_blocks),
            );
        }
        if let Ok(Some(entry)) = archive.main_entry()
            && entry.kind() == Kind::Media
        {
            let message = format!("the main page {} is no article", entry.path);
            self.report(Finding::new("main page", Severity::Warning, message));
        }
    }
}

/// Returns true for the error of a page that was reported when all pages were compared.
pub(super) fn is_lost_page(error: &Error) -> bool {
    matches!(error, Error::Format(e) if e.check == "page hash" || e.check == "tree hash")
}
