//! Entries: by path, by title, by id, in order, at random.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{Archive, cached};
use crate::error::{Error, FormatError, Place, Result, damaged};
use crate::fold::title_key;
use crate::format::entry::{
    BlobPlace, Class, Extra, Name, Record, RecordsView, TitleRecord, TitleRecords, TitleRule,
};
use crate::format::first_page::SectionKind;
use crate::format::ids::{EntryId, PAGE};
use crate::format::small;
use crate::format::strings::KEY_INLINE;
use crate::format::strings::leaf::{Leaf, Rows, touch};
use crate::format::strings::symbols::Symbols;
use crate::format::strings::tree::{Pages, RowPlace, Tree};
use crate::item::Kind;
use crate::limits::{MAX_METADATA, MAX_NAME_LEN, MAX_REDIRECTS};
use crate::tables::TreePages;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its rank in byte order of the paths.
    pub id: EntryId,
    /// Its address.
    pub path: String,
    /// Its title; what the path gives, or the path itself, where it has none of its own.
    pub title: String,
    /// True if the title is its own.
    pub has_title: bool,
    /// True if it stands in the title table.
    pub is_titled: bool,
    /// True if a packer made it.
    pub generated: bool,
    /// True if path (and title) are bytes that were not UTF-8 (see [`crate::item::escape_bytes`]).
    pub escaped: bool,
    /// What it holds.
    pub body: EntryBody,
}

/// What an entry holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryBody {
    /// Bytes.
    Blob {
        /// True for an article, false for media.
        article: bool,
        /// The mime type.
        mime: String,
        /// Where they lie.
        place: BlobPlace,
    },
    /// Another entry's name.
    Redirect {
        /// The other.
        target: EntryId,
        /// The place in it.
        fragment: Option<String>,
    },
}

impl Entry {
    /// Returns what it is.
    pub fn kind(&self) -> Kind {
        match self.body {
            EntryBody::Blob { article: true, .. } => Kind::Article,
            EntryBody::Blob { article: false, .. } => Kind::Media,
            EntryBody::Redirect { .. } => Kind::Redirect,
        }
    }

    /// Returns the mime type; empty for a redirect.
    pub fn mime(&self) -> &str {
        match &self.body {
            EntryBody::Blob { mime, .. } => mime,
            EntryBody::Redirect { .. } => "",
        }
    }

    /// Returns the length of its bytes; 0 for a redirect.
    pub fn size(&self) -> u64 {
        match &self.body {
            EntryBody::Blob { place, .. } => place.len,
            EntryBody::Redirect { .. } => 0,
        }
    }
}

/// Where a chain of redirects ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The entry at its end: an article or media.
    pub entry: Entry,
    /// The first fragment along the chain.
    pub fragment: Option<String>,
}

/// What reading an entry needs beside its leaf.
pub(super) struct Names {
    pub(super) classes: Vec<Class>,
    pub(super) symbols: Symbols,
    titles: Symbols,
    root: Vec<u8>,
    pub(super) suffix: String,
    rule: TitleRule,
}

impl Names {
    /// Returns true if a title is what was typed, to the letter, with or without the archive's suffix.
    pub(super) fn is_typed(&self, title: &str, typed: &str) -> bool {
        title == typed || title.strip_suffix(&self.suffix) == Some(typed)
    }
}

/// What finding a title needs beside the leaves.
pub(super) struct Keys {
    pub(super) symbols: Symbols,
    root: Vec<u8>,
}

/// The longest section that is read whole to start with: symbols and roots.
const SMALL: usize = 2 * PAGE;

impl Archive {
    pub(super) fn names(&self) -> Result<&Names> {
        cached(&self.names, || {
            let section = |kind| self.tables.section(kind, SMALL);
            let suffix = String::from_utf8(section(SectionKind::TITLE_SUFFIX)?.into_owned());
            let classes = self.tables.section(SectionKind::CLASSES, MAX_METADATA)?;
            Ok(Names {
                classes: if classes.is_empty() { vec![] } else { small::read_classes(&classes)? },
                symbols: Symbols::parse(&section(SectionKind::PATH_SYMBOLS)?, "path symbols")?,
                titles: Symbols::parse(&section(SectionKind::TITLE_SYMBOLS)?, "title symbols")?,
                root: section(SectionKind::ENTRY_ROOT)?.into_owned(),
                suffix: suffix.map_err(|e| {
                    FormatError::new(Place::Section("title suffix", 0), "UTF-8", e.to_string())
                })?,
                rule: TitleRule::from_number(self.first_page().title_rule),
            })
        })
    }

    pub(super) fn keys(&self) -> Result<&Keys> {
        cached(&self.keys, || {
            let section = |kind| self.tables.section(kind, SMALL);
            Ok(Keys {
                symbols: Symbols::parse(&section(SectionKind::KEY_SYMBOLS)?, "key symbols")?,
                root: section(SectionKind::TITLE_ROOT)?.into_owned(),
            })
        })
    }

    pub(super) fn entry_tree(&self) -> Result<Tree<'_, TreePages<'_>>> {
        let names = self.names()?;
        let pages = TreePages::new(&self.tables, SectionKind::ENTRY_NODES, SectionKind::ENTRIES);
        Ok(Tree { root: Cow::Borrowed(&names.root), pages, symbols: &names.symbols })
    }

    pub(super) fn title_tree(&self) -> Result<Tree<'_, TreePages<'_>>> {
        let keys = self.keys()?;
        let pages = TreePages::new(&self.tables, SectionKind::TITLE_NODES, SectionKind::TITLES);
        Ok(Tree { root: Cow::Borrowed(&keys.root), pages, symbols: &keys.symbols })
    }

    /// Returns the entry of a path, which must match to the byte.
    ///
    /// Costs two or three pages.
    ///
    /// # Errors
    ///
    /// Fails if a page on the way is damaged.
    pub fn entry_by_path(&self, path: &str) -> Result<Option<Entry>> {
        let tree = self.entry_tree()?;
        let hit = match tree.seek(path.as_bytes())? {
            Some(hit) if hit.sought.equal => hit,
            _ => return Ok(None),
        };
        let mut place = hit.place();
        let mut next = {
            let leaf = tree.view(hit.leaf, &hit.page)?;
            let mut rows = leaf.rows_found(hit.sought, path.as_bytes(), tree.symbols);
            Some(self.next_entry(place, &leaf, &mut rows)?)
        };
        while let Some(entry) = next {
            match entry.path.as_str().cmp(path) {
                Ordering::Equal => return Ok(Some(entry)),
                // Paths longer than a leaf holds may begin alike.
                Ordering::Less if path.len() >= KEY_INLINE => {}
                _ => return Ok(None),
            }
            place = self.next_place(place)?;
            next = self.entry_at(place)?;
        }
        Ok(None)
    }

    fn next_place(&self, place: RowPlace) -> Result<RowPlace> {
        let tree = self.entry_tree()?;
        let page = tree.pages.leaf(place.leaf)?;
        let next = place.slot + 1;
        let within = (next as usize) < tree.view(place.leaf, &page)?.len();
        let slot = if within { next } else { 0 };
        Ok(RowPlace { leaf: place.leaf + u32::from(!within), slot })
    }

    /// Returns the entry with an id.
    ///
    /// # Errors
    ///
    /// Fails if a page on the way is damaged.
    pub fn entry_by_id(&self, id: EntryId) -> Result<Option<Entry>> {
        if id.0 >= self.len() {
            return Ok(None);
        }
        match self.entry_tree()?.by_rank(id.0)? {
            Some(place) => self.entry_at(place),
            None => Ok(None),
        }
    }

    /// Returns the entry in a slot of a leaf; `None` behind the last leaf.
    pub(super) fn entry_at(&self, place: RowPlace) -> Result<Option<Entry>> {
        let tree = self.entry_tree()?;
        if place.leaf >= tree.pages.leaves() {
            return Ok(None);
        }
        let page = tree.pages.leaf(place.leaf)?;
        let leaf = tree.view(place.leaf, &page)?;
        touch(leaf.records());
        let mut rows = leaf.rows_from(place.slot as usize, tree.symbols)?;
        self.next_entry(place, &leaf, &mut rows).map(Some)
    }

    /// Returns the entry of the row that comes next, which must be the one at `place`.
    fn next_entry(&self, place: RowPlace, leaf: &Leaf<'_>, rows: &mut Rows<'_, '_>) -> Result<Entry> {
        self.row_entry(place, leaf, &self.records(place.leaf, leaf)?, rows)
    }

    /// The same, with the leaf's records at hand.
    fn row_entry(
        &self,
        place: RowPlace,
        leaf: &Leaf<'_>,
        records: &RecordsView<'_>,
        rows: &mut Rows<'_, '_>,
    ) -> Result<Entry> {
        if rows.next_slot() != place.slot as usize || !rows.advance()? {
            return damaged!(entries_place(place.leaf), "slot", "{} of {}", place.slot, leaf.len());
        }
        let key = std::mem::take(&mut rows.key);
        self.entry(leaf.first_rank(), place.slot, key, rows.extra, records)
    }

    fn records<'p>(&self, number: u32, leaf: &Leaf<'p>) -> Result<RecordsView<'p>> {
        RecordsView::parse(leaf.records(), leaf.len(), entries_place(number))
    }

    fn entry(
        &self,
        first_rank: u32,
        slot: u32,
        key: Vec<u8>,
        extra: &[u8],
        records: &RecordsView<'_>,
    ) -> Result<Entry> {
        let names = self.names()?;
        let id = first_rank.saturating_add(slot);
        let place = Place::Entry(id);
        if id >= self.len() {
            return damaged!(place, "entry id", "there are {} entries", self.len());
        }
        let record = records.get(slot as usize, place)?;
        let extra = Extra::parse(extra, place)?;
        let mut path = key;
        if path.len() > KEY_INLINE || extra.path_rest.is_some() && path.len() != KEY_INLINE {
            return damaged!(place, "key", "{} bytes of a path in its leaf", path.len());
        }
        if let Some((offset, len)) = extra.path_rest {
            path.extend_from_slice(&self.long_name(offset, len, place)?);
        }
        let path = text(path, place, "path")?;
        let own_title = match extra.title {
            None => None,
            Some(name) => {
                let mut title = self.name(name, &names.titles, place)?;
                if extra.suffix {
                    title.extend_from_slice(names.suffix.as_bytes());
                }
                Some(text(title, place, "title")?)
            }
        };
        let class_number = match record {
            Record::Blob { class, .. } | Record::Redirect { class, .. } => class,
        };
        let Some(class) = names.classes.get(class_number as usize) else {
            return damaged!(place, "class", "{class_number} of {}", names.classes.len());
        };
        let body = match (record, class.kind()) {
            (Record::Blob { blob, .. }, Some(kind @ (Kind::Article | Kind::Media))) => {
                if extra.fragment.is_some() {
                    return damaged!(place, "extra bytes", "a fragment, but no redirect");
                }
                EntryBody::Blob { article: kind == Kind::Article, mime: class.mime.clone(), place: blob }
            }
            (Record::Redirect { target, .. }, Some(Kind::Redirect)) => {
                if target >= self.len() {
                    return damaged!(place, "redirect", "to entry {target} of {}", self.len());
                }
                let fragment = match extra.fragment {
                    None => None,
                    Some(name) => Some(text(self.name(name, &names.titles, place)?, place, "fragment")?),
                };
                EntryBody::Redirect { target: EntryId(target), fragment }
            }
            _ => return damaged!(place, "class", "class {class_number} is of another kind than the record"),
        };
        let has_title = own_title.is_some();
        Ok(Entry {
            id: EntryId(id),
            title: own_title.unwrap_or_else(|| names.rule.apply(&path)),
            path,
            has_title,
            is_titled: class.flags & Class::TITLED != 0,
            generated: class.flags & Class::GENERATED != 0,
            escaped: class.flags & Class::ESCAPED != 0,
            body,
        })
    }

    fn name(&self, name: Name<'_>, symbols: &Symbols, place: Place) -> Result<Vec<u8>> {
        match name {
            Name::Long(offset, len) => self.long_name(offset, len, place),
            Name::Codes(codes) => {
                let mut out = Vec::with_capacity(codes.len() * 3);
                if symbols.decode(codes, &mut out) {
                    Ok(out)
                } else {
                    damaged!(place, "symbol", "a name has an unknown one")
                }
            }
        }
    }

    fn long_name(&self, offset: u32, len: u32, place: Place) -> Result<Vec<u8>> {
        let range = u64::from(offset)..u64::from(offset) + u64::from(len);
        match self.first_page().row(SectionKind::LONG_NAMES) {
            Some(row) if len as usize <= MAX_NAME_LEN => Ok(self.tables.bytes(row, range)?.into_owned()),
            _ => damaged!(place, "long name", "{len} bytes at {offset}"),
        }
    }

    /// Returns the number of leaves that hold entries; each is one unit of damage.
    pub fn entry_leaves(&self) -> Result<u32> {
        Ok(self.entry_tree()?.pages.leaves())
    }

    /// Returns the entries of a leaf, in order.
    ///
    /// # Errors
    ///
    /// Fails if its page is damaged, or the leaf breaks a rule.
    pub fn entries_in_leaf(&self, number: u32) -> Result<Vec<Entry>> {
        let tree = self.entry_tree()?;
        let page = tree.pages.leaf(number)?;
        let leaf = tree.view(number, &page)?;
        let records = self.records(number, &leaf)?;
        let mut rows = leaf.rows_from(0, tree.symbols)?;
        let mut out = Vec::with_capacity(leaf.len());
        for slot in 0..leaf.len() as u32 {
            rows.advance()?;
            out.push(self.entry(leaf.first_rank(), slot, rows.key.clone(), rows.extra, &records)?);
        }
        Ok(out)
    }

    /// Returns the ids of a leaf's entries, from the nodes above it: what is lost if it is damaged.
    pub fn ids_in_leaf(&self, number: u32) -> Result<std::ops::Range<u32>> {
        let tree = self.entry_tree()?;
        let first = |leaf| tree.rank_of_leaf(leaf);
        let end = if number + 1 < tree.pages.leaves() { first(number + 1)? } else { self.len() };
        Ok(first(number)?..end)
    }

    /// Iterates over all entries in path order. A damaged leaf gives one error, and the iteration
    /// goes on behind it.
    pub fn entries(&self) -> impl Iterator<Item = Result<Entry>> + '_ {
        self.entries_from_leaf(0, 0)
    }

    fn entries_from_leaf(&self, leaf: u32, slot: usize) -> impl Iterator<Item = Result<Entry>> + '_ {
        let (leaves, failed) = match self.entry_leaves() {
            Ok(n) => (leaf..n, None),
            Err(e) => (0..0, Some(Err(e))),
        };
        let rows = leaves.flat_map(move |n| {
            let skip = if n == leaf { slot } else { 0 };
            match self.entries_in_leaf(n) {
                Ok(entries) => entries.into_iter().skip(skip).map(Ok).collect::<Vec<_>>(),
                Err(e) => vec![Err(e)],
            }
        });
        failed.into_iter().chain(rows)
    }

    /// Iterates over the entries whose paths begin with `prefix`, in path order.
    ///
    /// # Errors
    ///
    /// Fails if a page on the way to the first is damaged.
    pub fn entries_with_prefix<'a>(
        &'a self,
        prefix: &'a str,
    ) -> Result<impl Iterator<Item = Result<Entry>> + 'a> {
        let (leaf, slot) = match self.entry_tree()?.lower_bound(prefix.as_bytes())? {
            Some((place, _)) => (place.leaf, place.slot as usize),
            None => (u32::MAX, 0),
        };
        Ok(self
            .entries_from_leaf(leaf, slot)
            // Paths longer than a leaf holds may begin alike and be less.
            .skip_while(move |e| e.as_ref().is_ok_and(|e| e.path.as_str() < prefix))
            .take_while(move |e| e.as_ref().map_or(true, |e| e.path.starts_with(prefix))))
    }

    /// Iterates over the entries of the title table from the first whose title key is not less than
    /// `key`, in order of the keys: pairs of key and entry.
    ///
    /// # Errors
    ///
    /// Fails if a page on the way to the first is damaged.
    pub fn titles_from(&self, key: &str) -> Result<impl Iterator<Item = Result<(String, Entry)>> + '_> {
        let tree = self.title_tree()?;
        let start = tree.lower_bound(key.as_bytes())?.map(|(place, _)| place);
        let leaves = tree.pages.leaves();
        let first = start.map_or(leaves, |p| p.leaf);
        Ok((first..leaves).flat_map(move |n| {
            let skip = start.filter(|p| p.leaf == n).map_or(0, |p| p.slot as usize);
            TitleLeaf::open(self, n, skip)
        }))
    }

    pub(super) fn title_entry(&self, record: TitleRecord, key: &[u8]) -> Result<(String, Entry)> {
        Ok((String::from_utf8_lossy(key).into_owned(), self.titled_entry(record)?))
    }

    pub(super) fn titled_entry(&self, record: TitleRecord) -> Result<Entry> {
        match self.entry_at(RowPlace { leaf: record.leaf, slot: record.slot })? {
            Some(entry) => Ok(entry),
            None => damaged!(entries_place(record.leaf), "title row", "there is no such leaf"),
        }
    }

    /// Iterates over the entries whose title key is that of `title`, in order of title and path.
    ///
    /// # Errors
    ///
    /// Fails if a page on the way is damaged.
    pub fn entries_by_title_key(&self, title: &str) -> Result<Vec<Entry>> {
        let key = title_key(title);
        let stored = &key.as_bytes()[..key.len().min(KEY_INLINE)];
        let mut out = vec![];
        let tree = self.title_tree()?;
        let hit = match tree.seek(stored)? {
            Some(hit) if hit.sought.equal => hit,
            _ => return Ok(out),
        };
        let (first, sought, mut found) = (hit.leaf, hit.sought, Some(hit.page));
        let mut rows_read = 0;
        for leaf in first..tree.pages.leaves() {
            let page = match found.take() {
                Some(page) => page,
                None => tree.pages.leaf(leaf)?,
            };
            let view = tree.view(leaf, &page)?;
            let mut rows = match leaf == first {
                true => view.rows_found(sought, stored, tree.symbols),
                false => view.rows_from(0, tree.symbols)?,
            };
            while rows.advance()? {
                rows_read += 1;
                if rows.key != stored || out.len() >= MAX_SAME_TITLE || rows_read > MAX_SAME_START {
                    return Ok(out);
                }
                let slot = rows.next_slot() - 1;
                let record = TitleRecords::get(view.records(), view.len(), slot, titles_place(leaf))?;
                let entry = self.titled_entry(record)?;
                // A key longer than a leaf holds is compared whole.
                if stored.len() < KEY_INLINE || title_key(&entry.title) == key {
                    out.push(entry);
                }
            }
        }
        Ok(out)
    }

    /// Returns the entries with exactly this title, at most 1,000, in path order.
    ///
    /// # Errors
    ///
    /// Fails if a page on the way is damaged.
    pub fn entries_by_title(&self, title: &str) -> Result<Vec<Entry>> {
        let mut entries = self.entries_by_title_key(title)?;
        entries.retain(|e| e.title == title);
        Ok(entries)
    }

    /// Follows redirects from an entry to the article or media at their end; `None` if they form a
    /// loop, or a chain longer than [`MAX_REDIRECTS`].
    ///
    /// # Errors
    ///
    /// Fails if an entry on the way is damaged.
    pub fn resolve(&self, entry: Entry) -> Result<Option<Resolved>> {
        let mut entry = entry;
        let mut first_fragment = None;
        for _ in 0..=MAX_REDIRECTS {
            let EntryBody::Redirect { target, ref fragment } = entry.body else {
                return Ok(Some(Resolved { entry, fragment: first_fragment }));
            };
            first_fragment = first_fragment.or_else(|| fragment.clone());
            match self.entry_by_id(target)? {
                Some(next) => entry = next,
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Returns the article with an ordinal: its rank among the articles in path order.
    ///
    /// # Errors
    ///
    /// Fails if a page on the way is damaged.
    pub fn article(&self, ordinal: u32) -> Result<Option<Entry>> {
        if ordinal >= self.first_page().n_articles {
            return Ok(None);
        }
        let tree = self.entry_tree()?;
        let Some(number) = tree.leaf_of_ordinal(ordinal)? else { return Ok(None) };
        let page = tree.pages.leaf(number)?;
        let leaf = tree.view(number, &page)?;
        let records = self.records(number, &leaf)?;
        let classes = &self.names()?.classes;
        let mut before = leaf.first_counted();
        for (slot, class) in records.blob_classes().enumerate() {
            if class.and_then(|class| classes.get(class as usize)).and_then(Class::kind)
                == Some(Kind::Article)
            {
                if before == ordinal {
                    touch(leaf.records());
                    let mut rows = leaf.rows_from(slot, tree.symbols)?;
                    let place = RowPlace { leaf: number, slot: slot as u32 };
                    return self.row_entry(place, &leaf, &records, &mut rows).map(Some);
                }
                before += 1;
            }
        }
        damaged!(entries_place(number), "ordinal", "article {ordinal} is not in the leaf that its node names")
    }

    /// Returns an article chosen by a random number, each with the same probability; `None` if
    /// there are no articles.
    ///
    /// # Errors
    ///
    /// Fails if a page on the way is damaged.
    pub fn random_article(&self, random: u64) -> Result<Option<Entry>> {
        let n = u64::from(self.first_page().n_articles);
        // The high half of the product: no modulo, and a bias below 2^-32.
        self.article(((u128::from(random) * u128::from(n)) >> 64) as u32)
    }
}

/// The rows of one leaf of the title table.
struct TitleLeaf<'a> {
    archive: &'a Archive,
    rows: std::vec::IntoIter<Result<(Vec<u8>, TitleRecord)>>,
}

impl<'a> TitleLeaf<'a> {
    fn open(archive: &'a Archive, number: u32, skip: usize) -> Self {
        let rows = match Self::read(archive, number, skip) {
            Ok(rows) => rows.into_iter().map(Ok).collect(),
            Err(e) => vec![Err(e)],
        };
        Self { archive, rows: rows.into_iter() }
    }

    fn read(archive: &Archive, number: u32, skip: usize) -> Result<Vec<(Vec<u8>, TitleRecord)>> {
        let tree = archive.title_tree()?;
        let page = tree.pages.leaf(number)?;
        let leaf = tree.view(number, &page)?;
        let mut rows = leaf.rows_from(skip, tree.symbols)?;
        let mut out = Vec::with_capacity(leaf.len());
        while rows.advance()? {
            let slot = rows.next_slot() - 1;
            let record = TitleRecords::get(leaf.records(), leaf.len(), slot, titles_place(number))?;
            out.push((rows.key.clone(), record));
        }
        Ok(out)
    }
}

impl Iterator for TitleLeaf<'_> {
    type Item = Result<(String, Entry)>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.rows.next()?;
        Some(row.and_then(|(key, record)| self.archive.title_entry(record, &key)))
    }
}

/// The most entries of one title that a look-up returns.
const MAX_SAME_TITLE: usize = 1000;

/// The most titles that are compared whole because they share all that a leaf holds of a key.
const MAX_SAME_START: usize = 4000;

pub(super) fn entries_place(leaf: u32) -> Place {
    Place::Section("entries", u64::from(leaf) * PAGE as u64)
}

pub(super) fn titles_place(leaf: u32) -> Place {
    Place::Section("titles", u64::from(leaf) * PAGE as u64)
}

fn text(bytes: Vec<u8>, place: Place, what: &str) -> Result<String> {
    if bytes.len() > MAX_NAME_LEN {
        return damaged!(place, "name length", "a {what} of {} bytes", bytes.len());
    }
    String::from_utf8(bytes)
        .map_err(|e| Error::Format(FormatError::new(place, "UTF-8", format!("{what}: {}", e.utf8_error()))))
}
