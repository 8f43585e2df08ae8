//! The index of an open archive: words to postings.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::parameters::{MAX_LEN, Parameters};
use super::rank::Ranker;
use super::words::{Groups, INLINE, Postings};
use crate::error::{Place, Result, damaged};
use crate::format::first_page::{Row, SectionKind};
use crate::format::ids::PAGE;
use crate::format::strings::RESTART;
use crate::format::strings::symbols::Symbols;
use crate::format::strings::tree::{Pages, RowPlace, Tree};
use crate::tables::{Tables, TreePages};

/// The most bytes of a symbol table or a root.
const MAX_SMALL: usize = 8192;

/// The index of one archive.
///
/// Opening reads three small sections; everything else is read in place when it is needed.
pub struct FullText {
    parameters: Parameters,
    ranker: Ranker,
    symbols: Symbols,
    root: Vec<u8>,
    pub(super) postings: Row,
    pub(super) articles: Row,
}

/// Where a word's postings are. Found by [`FullText::term`], and good for the archive that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    pub(super) postings: Postings,
}

impl Term {
    /// Returns the number of articles with the word, in whatever field: at least 1.
    pub fn df(&self) -> u32 {
        self.postings.df()
    }
}

impl FullText {
    /// Opens the index of an archive; `None` if it has none. Costs about 10 us.
    ///
    /// # Errors
    ///
    /// Fails if the sections that say what it is are damaged, or from a later version.
    pub fn open(tables: &Tables) -> Result<Option<Self>> {
        let row = |kind| tables.first().row(kind).copied();
        if row(SectionKind::SEARCH).is_none() {
            return Ok(None);
        }
        let parameters = Parameters::parse(&tables.section(SectionKind::SEARCH, MAX_LEN)?)?;
        let symbols = tables.section(SectionKind::WORD_SYMBOLS, MAX_SMALL)?;
        let symbols = Symbols::parse(&symbols, SectionKind::WORD_SYMBOLS.name())?;
        let root = tables.section(SectionKind::WORD_ROOT, MAX_SMALL)?.into_owned();
        let empty = |kind| Row { kind, flags: 0, copy: 0, offset: 0, len: 0, count: 0 };
        let postings = row(SectionKind::POSTINGS).unwrap_or(empty(SectionKind::POSTINGS));
        let articles = row(SectionKind::SEARCH_ARTICLES).unwrap_or(empty(SectionKind::SEARCH_ARTICLES));
        if articles.len != 4 * u64::from(parameters.articles) {
            let place = Place::Section(articles.kind.name(), 0);
            return damaged!(
                place,
                "section length",
                "{} bytes, {} articles",
                articles.len,
                parameters.articles
            );
        }
        let ranker =
            Ranker::new(parameters.classes.clone(), parameters.averages, parameters.weighing.clone());
        Ok(Some(Self { parameters, ranker, symbols, root, postings, articles }))
    }

    /// Returns what the index says of itself.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Returns the number of articles: those without words count.
    pub fn articles(&self) -> u32 {
        self.parameters.articles
    }

    pub(super) fn ranker(&self) -> &Ranker {
        &self.ranker
    }

    /// Returns the tree of the words, for walks of other kinds; a row's place gives its postings with
    /// [`FullText::term_at`].
    pub fn tree<'a>(&'a self, tables: &'a Tables) -> Tree<'a, TreePages<'a>> {
        let pages = TreePages::new(tables, SectionKind::WORD_NODES, SectionKind::WORDS);
        Tree { root: Cow::Borrowed(&self.root), pages, symbols: &self.symbols }
    }

    fn place(leaf: u32) -> Place {
        Place::Section(SectionKind::WORDS.name(), u64::from(leaf) * PAGE as u64)
    }

    /// Returns the postings of the word in a row of a leaf's page; `leaf` is named in errors. Costs about
    /// 0.1 us.
    ///
    /// # Errors
    ///
    /// Fails if the page is no leaf, or its record cannot be.
    pub fn term_at(&self, tables: &Tables, leaf: u32, page: &[u8], slot: usize) -> Result<Term> {
        let view = self.tree(tables).view(leaf, page)?;
        let groups = Groups::parse(view.records(), view.len(), self.articles(), Self::place(leaf))?;
        let mut found = None;
        groups.read(slot / RESTART, slot % RESTART, |postings| found = Some(Term { postings }))?;
        match found {
            Some(term) if slot < view.len() => Ok(term),
            _ => damaged!(Self::place(leaf), "word record", "row {slot} has none"),
        }
    }

    /// Returns the postings of a word, or of a pair of words; `None` if no article has it. Costs about
    /// 0.5 us.
    ///
    /// # Errors
    ///
    /// Fails if what it reads is damaged.
    pub fn term(&self, tables: &Tables, word: &[u8]) -> Result<Option<Term>> {
        match self.tree(tables).seek(word)? {
            Some(hit) if hit.sought.equal => {
                self.term_at(tables, hit.leaf, &hit.page, hit.sought.slot).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Returns the words from `prefix` on that begin with it, in byte order. Nothing is read until the
    /// first is asked for.
    pub fn terms<'a>(&'a self, tables: &'a Tables, prefix: &[u8]) -> Terms<'a> {
        Terms {
            index: self,
            tables,
            prefix: prefix.to_vec(),
            seek: Some(prefix.to_vec()),
            leaf: 0,
            page: Cow::Borrowed(&[]),
            next_slot: 0,
            keys: vec![],
            rows: vec![],
            at: 0,
        }
    }

    /// Passes the words that are not less than `start`, in order, each with its place, until `take` breaks.
    /// Costs about 0.5 us, then some nanoseconds a word: no postings are looked at. Those of a word that is
    /// wanted come from [`FullText::term_in`].
    ///
    /// # Errors
    ///
    /// Fails if what it reads is damaged.
    pub fn words_from(
        &self,
        tables: &Tables,
        start: &[u8],
        mut take: impl FnMut(&[u8], RowPlace) -> ControlFlow<()>,
    ) -> Result<()> {
        let tree = self.tree(tables);
        let Some(hit) = tree.seek(start)? else { return Ok(()) };
        let (mut leaf, mut page) = (hit.leaf, hit.page);
        let mut rows = match tree.view(leaf, &page)? {
            view if hit.sought.equal => view.rows_found(hit.sought, start, tree.symbols),
            view => view.rows_from(hit.sought.slot, tree.symbols)?,
        };
        loop {
            let slot = rows.next_slot() as u32;
            if rows.advance()? {
                if take(&rows.key, RowPlace { leaf, slot }).is_break() {
                    return Ok(());
                }
                continue;
            }
            leaf += 1;
            if leaf >= tree.pages.leaves() {
                return Ok(());
            }
            page = tree.pages.leaf(leaf)?;
            rows = tree.view(leaf, &page)?.rows_from(0, tree.symbols)?;
        }
    }

    /// Returns the postings of the word at a place. Costs about 0.1 us.
    ///
    /// # Errors
    ///
    /// Fails if what it reads is damaged.
    pub fn term_in(&self, tables: &Tables, place: RowPlace) -> Result<Term> {
        let page = self.tree(tables).pages.leaf(place.leaf)?;
        self.term_at(tables, place.leaf, &page, place.slot as usize)
    }

    /// Hands a term's inline postings to `take`: ordinal and class code. False if they are a list.
    pub(super) fn inline(term: &Term, mut take: impl FnMut(u32, u32)) -> bool {
        let Postings::Inline { n, ordinals, codes } = &term.postings else { return false };
        for i in 0..usize::from(*n).min(INLINE) {
            take(ordinals[i], u32::from(codes[i]));
        }
        true
    }
}

/// Walks words under a prefix. Reads sixteen at a time: about 1 us, then nearly nothing.
pub struct Terms<'a> {
    index: &'a FullText,
    tables: &'a Tables,
    prefix: Vec<u8>,
    /// Where to go before the next word.
    seek: Option<Vec<u8>>,
    leaf: u32,
    page: Cow<'a, [u8]>,
    next_slot: usize,
    /// The words read ahead, one behind the other; each row says where its own ends.
    keys: Vec<u8>,
    rows: Vec<(usize, Term)>,
    at: usize,
}

impl Terms<'_> {
    /// Goes forward to the first word that is not less than `word`; never backward.
    pub fn seek(&mut self, word: &[u8]) {
        if let Some(seek) = &mut self.seek {
            if &seek[..] < word {
                *seek = word.to_vec();
            }
        } else if self.rows.is_empty() || self.key(self.rows.len() - 1) >= word {
            // At the end, or among those read ahead.
            while self.at < self.rows.len() && self.key(self.at) < word {
                self.at += 1;
            }
        } else {
            self.seek = Some(word.to_vec());
        }
    }

    fn key(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.rows[at - 1].0 };
        &self.keys[start..self.rows[at].0]
    }

    /// Returns the next word and where its postings are; `None` behind the last.
    ///
    /// # Errors
    ///
    /// Fails if what it reads is damaged.
    #[expect(clippy::should_implement_trait, reason = "it lends the word, which an iterator cannot")]
    pub fn next(&mut self) -> Result<Option<(&[u8], Term)>> {
        if let Some(word) = self.seek.take() {
            self.rows.clear();
            self.keys.clear();
            self.at = 0;
            let index = self.index;
            let Some(hit) = index.tree(self.tables).seek(&word)? else {
                self.page = Cow::Borrowed(&[]);
                return Ok(None);
            };
            if (hit.leaf, hit.sought.slot) < (self.leaf, self.next_slot) {
                return damaged!(FullText::place(hit.leaf), "order", "words that go back");
            }
            (self.leaf, self.next_slot) = (hit.leaf, hit.sought.slot);
            self.page = hit.page;
        }
        if self.at >= self.rows.len() && !self.read_ahead()? {
            return Ok(None);
        }
        let at = self.at;
        if !self.key(at).starts_with(&self.prefix) {
            // Behind the last: stays there.
            self.rows.clear();
            self.keys.clear();
            self.at = 0;
            self.page = Cow::Borrowed(&[]);
            return Ok(None);
        }
        self.at += 1;
        Ok(Some((self.key(at), self.rows[at].1)))
    }

    /// Reads what is left of the group of rows that comes next; false behind the last.
    fn read_ahead(&mut self) -> Result<bool> {
        if self.page.is_empty() {
            return Ok(false);
        }
        let tree = self.index.tree(self.tables);
        if self.next_slot >= tree.view(self.leaf, &self.page)?.len() {
            if self.leaf + 1 >= tree.pages.leaves() {
                self.page = Cow::Borrowed(&[]);
                return Ok(false);
            }
            (self.leaf, self.next_slot) = (self.leaf + 1, 0);
            self.page = tree.pages.leaf(self.leaf)?;
        }
        let place = FullText::place(self.leaf);
        let view = tree.view(self.leaf, &self.page)?;
        let groups = Groups::parse(view.records(), view.len(), self.index.articles(), place)?;
        let (group, skip) = (self.next_slot / RESTART, self.next_slot % RESTART);
        self.rows.clear();
        self.keys.clear();
        self.at = 0;
        let mut i = 0;
        groups.read(group, RESTART, |postings| {
            if i >= skip {
                self.rows.push((0, Term { postings }));
            }
            i += 1;
        })?;
        let mut rows = view.rows_from(self.next_slot, &self.index.symbols)?;
        for row in &mut self.rows {
            if !rows.advance()? {
                return damaged!(place, "leaf row", "fewer than the leaf says");
            }
            self.keys.extend_from_slice(&rows.key);
            row.0 = self.keys.len();
        }
        self.next_slot += self.rows.len();
        Ok(!self.rows.is_empty())
    }
}
