//! The first page: all that opening an archive reads.

use super::bytes::Cursor;
use super::entry::TitleRule;
use super::hash_tree::{DIGEST, Digest, Shape, TOP_DIGESTS};
use super::ids::{NONE, PAGE};
use crate::error::{Error, Place, Result, damaged};
use crate::fold::TITLE_KEY_VERSION;

/// The first eight bytes: not ASCII, the name, a CR LF that a transfer in text mode would change,
/// and the character at which old systems stop typing a file out.
pub const MAGIC: [u8; 8] = *b"\x89TOME\r\n\x1a";

/// The version of the format that this code writes, and the only one it reads until 1.0.
pub const VERSION: (u16, u16) = (0, 1);

/// Required feature: the archive has the names and the indexes of entries whose bytes lie elsewhere. A
/// reader that did not know it would take every entry for an empty one.
pub const INDEX_ONLY: u64 = 1;

/// Required features that this code knows.
pub const KNOWN_REQUIRED: u64 = INDEX_ONLY;

// Offsets of the fields; FORMAT.md's table is compared with them by a test.
const CHECKSUM: usize = MAGIC.len();
const MAJOR: usize = CHECKSUM + DIGEST;
const MINOR: usize = MAJOR + 2;
const TITLE_KEY: usize = MINOR + 2;
const TITLE_RULE: usize = TITLE_KEY + 1;
const PACKER: usize = TITLE_RULE + 1;
const REQUIRED: usize = PACKER + 2;
const OPTIONAL: usize = REQUIRED + 8;
const BODY_END: usize = OPTIONAL + 8;
const SIGNATURE_LEN: usize = BODY_END + 8;
const TABLES_OFFSET: usize = SIGNATURE_LEN + 8;
const TABLE_PAGES: usize = TABLES_OFFSET + 8;
const N_BLOCKS: usize = TABLE_PAGES + 8;
const N_ENTRIES: usize = N_BLOCKS + 4;
const N_ARTICLES: usize = N_ENTRIES + 4;
const N_MEDIA: usize = N_ARTICLES + 4;
const N_REDIRECTS: usize = N_MEDIA + 4;
const MAIN: usize = N_REDIRECTS + 4;
const CONTENT_ID: usize = MAIN + 4;
const RESERVED: usize = CONTENT_ID + 32;
const TOP: usize = PAGE / 4;
const ROWS: usize = PAGE / 2;

/// Every field: its name in FORMAT.md, its offset and its length.
pub const FIELDS: &[(&str, usize, usize)] = &[
    ("magic", 0, MAGIC.len()),
    ("checksum", CHECKSUM, DIGEST),
    ("major", MAJOR, 2),
    ("minor", MINOR, 2),
    ("title_key", TITLE_KEY, 1),
    ("title_rule", TITLE_RULE, 1),
    ("packer", PACKER, 2),
    ("required", REQUIRED, 8),
    ("optional", OPTIONAL, 8),
    ("body_end", BODY_END, 8),
    ("signature_len", SIGNATURE_LEN, 8),
    ("tables_offset", TABLES_OFFSET, 8),
    ("table_pages", TABLE_PAGES, 8),
    ("n_blocks", N_BLOCKS, 4),
    ("n_entries", N_ENTRIES, 4),
    ("n_articles", N_ARTICLES, 4),
    ("n_media", N_MEDIA, 4),
    ("n_redirects", N_REDIRECTS, 4),
    ("main", MAIN, 4),
    ("content_id", CONTENT_ID, 32),
    ("reserved", RESERVED, TOP - RESERVED),
    ("top", TOP, ROWS - TOP),
    ("rows", ROWS, PAGE - ROWS),
];

/// The most section rows.
pub const MAX_ROWS: usize = (PAGE - ROWS) / Row::SIZE;

/// A kind of section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SectionKind(pub u16);

impl SectionKind {
    /// What the archive says of itself.
    pub const METADATA: Self = Self(1);
    /// The kinds, flags and mime types that entries have.
    pub const CLASSES: Self = Self(2);
    /// The symbols of paths.
    pub const PATH_SYMBOLS: Self = Self(3);
    /// The symbols of titles and fragments.
    pub const TITLE_SYMBOLS: Self = Self(4);
    /// The symbols of title keys.
    pub const KEY_SYMBOLS: Self = Self(5);
    /// The root of the entries' tree.
    pub const ENTRY_ROOT: Self = Self(6);
    /// The root of the title keys' tree.
    pub const TITLE_ROOT: Self = Self(7);
    /// The end that most titles share.
    pub const TITLE_SUFFIX: Self = Self(8);
    /// Inner nodes of the entries' tree.
    pub const ENTRY_NODES: Self = Self(9);
    /// Inner nodes of the title keys' tree.
    pub const TITLE_NODES: Self = Self(10);
    /// Block records.
    pub const BLOCKS: Self = Self(11);
    /// Leaves of the entries' tree: paths, titles, records.
    pub const ENTRIES: Self = Self(12);
    /// Leaves of the title keys' tree.
    pub const TITLES: Self = Self(13);
    /// The ends of names too long for a leaf.
    pub const LONG_NAMES: Self = Self(14);
    /// Paths in the order in which a person reads them.
    pub const READING_ORDER: Self = Self(15);
    /// The languages of entries that differ from the archive's.
    pub const LANGUAGES: Self = Self(16);
    /// Parity over the references.
    pub const PARITY: Self = Self(17);
    /// Second copies of pages of other sections.
    pub const COPIES: Self = Self(18);
    /// How important each title row is, and maxima over runs of them.
    pub const TITLE_CLASSES: Self = Self(19);
    /// The symbols of the words of titles.
    pub const TITLE_WORD_SYMBOLS: Self = Self(20);
    /// The root of the tree of the words of titles.
    pub const TITLE_WORD_ROOT: Self = Self(21);
    /// Inner nodes of the tree of the words of titles.
    pub const TITLE_WORD_NODES: Self = Self(22);
    /// Leaves of the tree of the words of titles.
    pub const TITLE_WORDS: Self = Self(23);
    /// The title rows in which words stand behind the first.
    pub const TITLE_WORD_ROWS: Self = Self(24);
    /// What the full-text index is made of: versions, classes, averages, languages.
    pub const SEARCH: Self = Self(25);
    /// The lengths and the importance of each article.
    pub const SEARCH_ARTICLES: Self = Self(26);
    /// The symbols of the words of articles.
    pub const WORD_SYMBOLS: Self = Self(27);
    /// The root of the tree of the words of articles.
    pub const WORD_ROOT: Self = Self(28);
    /// Inner nodes of the tree of the words of articles.
    pub const WORD_NODES: Self = Self(29);
    /// Leaves of the tree of the words of articles.
    pub const WORDS: Self = Self(30);
    /// The articles in which words occur.
    pub const POSTINGS: Self = Self(31);

    /// Returns the name used in listings and errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::METADATA => "metadata",
            Self::CLASSES => "classes",
            Self::PATH_SYMBOLS => "path symbols",
            Self::TITLE_SYMBOLS => "title symbols",
            Self::KEY_SYMBOLS => "key symbols",
            Self::ENTRY_ROOT => "entry root",
            Self::TITLE_ROOT => "title root",
            Self::TITLE_SUFFIX => "title suffix",
            Self::ENTRY_NODES => "entry nodes",
            Self::TITLE_NODES => "title nodes",
            Self::BLOCKS => "blocks",
            Self::ENTRIES => "entries",
            Self::TITLES => "titles",
            Self::LONG_NAMES => "long names",
            Self::READING_ORDER => "reading order",
            Self::LANGUAGES => "languages",
            Self::PARITY => "parity",
            Self::COPIES => "copies",
            Self::TITLE_CLASSES => "title classes",
            Self::TITLE_WORD_SYMBOLS => "title word symbols",
            Self::TITLE_WORD_ROOT => "title word root",
            Self::TITLE_WORD_NODES => "title word nodes",
            Self::TITLE_WORDS => "title words",
            Self::TITLE_WORD_ROWS => "title word rows",
            Self::SEARCH => "search",
            Self::SEARCH_ARTICLES => "search articles",
            Self::WORD_SYMBOLS => "word symbols",
            Self::WORD_ROOT => "word root",
            Self::WORD_NODES => "word nodes",
            Self::WORDS => "words",
            Self::POSTINGS => "postings",
            _ => "unknown",
        }
    }
}

/// Where a section lies in the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// What it holds.
    pub kind: SectionKind,
    /// See [`Row::OPTIONAL`].
    pub flags: u16,
    /// The table page at which a second copy of the section's pages begins; 0 if there is none.
    pub copy: u32,
    /// Its first byte, from the start of the tables.
    pub offset: u64,
    /// Its length in bytes.
    pub len: u64,
    /// How many things it holds; what they are depends on the kind.
    pub count: u64,
}

impl Row {
    /// Bytes of a row.
    pub const SIZE: usize = 32;
    /// Flag: a reader that does not know the kind may ignore the section.
    pub const OPTIONAL: u16 = 1;

    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.kind.0.to_le_bytes());
        out.extend_from_slice(&self.flags.to_le_bytes());
        out.extend_from_slice(&self.copy.to_le_bytes());
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(&self.len.to_le_bytes());
        out.extend_from_slice(&self.count.to_le_bytes());
    }

    fn parse(c: &mut Cursor<'_>) -> Result<Self> {
        Ok(Self {
            kind: SectionKind(c.u16()?),
            flags: c.u16()?,
            copy: c.u32()?,
            offset: c.u64()?,
            len: c.u64()?,
            count: c.u64()?,
        })
    }

    /// Returns the table pages on which the section lies.
    pub fn pages(&self) -> std::ops::Range<u64> {
        let page = PAGE as u64;
        if self.len == 0 { 0..0 } else { self.offset / page..(self.offset + self.len).div_ceil(page) }
    }
}

/// The first page, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstPage {
    /// Major and minor version.
    pub version: (u16, u16),
    /// The version of the title key.
    pub title_key: u8,
    /// How a path gives a title.
    pub title_rule: u8,
    /// The version of the packer's policies; says nothing about how to read.
    pub packer: u16,
    /// Features without which the archive is read wrongly.
    pub required: u64,
    /// Features that may be ignored.
    pub optional: u64,
    /// Where the body ends: the end of the second copy of the tree.
    pub body_end: u64,
    /// Bytes of the signature that follows the body.
    pub signature_len: u64,
    /// Where the tables begin, and the blocks end.
    pub tables_offset: u64,
    /// Pages of the tables.
    pub table_pages: u64,
    /// Blocks, references and padding included.
    pub n_blocks: u32,
    /// Entries of all kinds.
    pub n_entries: u32,
    /// Articles among them.
    pub n_articles: u32,
    /// Media among them.
    pub n_media: u32,
    /// Redirects among them.
    pub n_redirects: u32,
    /// The main page's entry, or [`NONE`].
    pub main: u32,
    /// The identity of the content, however it was packed: a claim.
    pub content_id: [u8; 32],
    /// The digests of the tree's top level.
    pub top: Vec<Digest>,
    /// The sections.
    pub rows: Vec<Row>,
}

/// Returns true if a page begins like an archive of ours.
pub fn is_ours(page: &[u8]) -> bool {
    page.starts_with(&MAGIC)
}

impl FirstPage {
    /// Returns the shape of the hash tree.
    pub fn shape(&self) -> Shape {
        Shape::new(self.table_pages)
    }

    /// Returns where the tree begins: right behind the tables.
    pub fn tree_offset(&self) -> u64 {
        self.tables_offset + self.table_pages * PAGE as u64
    }

    /// Returns the length of the whole file.
    pub fn file_len(&self) -> u64 {
        self.body_end + self.signature_len + PAGE as u64
    }

    /// Returns the length of the file that a page claims to begin; nothing of it is checked.
    pub fn declared_len(page: &[u8]) -> Option<u64> {
        let number = |at: usize| super::bytes::u64_at(page, at);
        if !is_ours(page) {
            return None;
        }
        number(BODY_END)?.checked_add(number(SIGNATURE_LEN)?)?.checked_add(PAGE as u64)
    }

    /// Returns true if the bytes of the entries lie elsewhere.
    pub fn is_index_only(&self) -> bool {
        self.required & INDEX_ONLY != 0
    }

    /// Returns the section of a kind.
    pub fn row(&self, kind: SectionKind) -> Option<&Row> {
        self.rows.iter().find(|r| r.kind == kind)
    }

    /// Writes the page.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(PAGE);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&[0; DIGEST]);
        out.extend_from_slice(&self.version.0.to_le_bytes());
        out.extend_from_slice(&self.version.1.to_le_bytes());
        out.push(self.title_key);
        out.push(self.title_rule);
        out.extend_from_slice(&self.packer.to_le_bytes());
        for n in [
            self.required,
            self.optional,
            self.body_end,
            self.signature_len,
            self.tables_offset,
            self.table_pages,
        ] {
            out.extend_from_slice(&n.to_le_bytes());
        }
        let counts =
            [self.n_blocks, self.n_entries, self.n_articles, self.n_media, self.n_redirects, self.main];
        for n in counts {
            out.extend_from_slice(&n.to_le_bytes());
        }
        out.extend_from_slice(&self.content_id);
        out.resize(TOP, 0);
        for d in &self.top {
            out.extend_from_slice(d);
        }
        out.resize(ROWS, 0);
        for row in &self.rows {
            row.put(&mut out);
        }
        out.resize(PAGE, 0);
        let sum = checksum(&out);
        out[CHECKSUM..CHECKSUM + DIGEST].copy_from_slice(&sum);
        out
    }

    /// Reads and checks a page: checksum, then version, then that all it says fits together and
    /// into a file of `file_len` bytes.
    ///
    /// # Errors
    ///
    /// [`Error::NotAnArchive`] without the magic, [`Error::Format`] for damage,
    /// [`Error::Unsupported`] for a version or feature that this code does not read.
    pub fn parse(page: &[u8], file_len: u64) -> Result<Self> {
        Self::parse_with_id(page, file_len).map(|(first, _)| first)
    }

    /// Reads and checks a page as [`FirstPage::parse`] does; returns its [`file_id`] as well, which for
    /// an archive without a signature is the hash that the checksum is the start of.
    ///
    /// # Errors
    ///
    /// As [`FirstPage::parse`].
    pub fn parse_with_id(page: &[u8], file_len: u64) -> Result<(Self, [u8; 32])> {
        let place = Place::FirstPage;
        if !is_ours(page) {
            return Err(Error::NotAnArchive { found: describe(page) });
        }
        if page.len() != PAGE {
            return damaged!(place, "file length", "{file_len} bytes are less than one page");
        }
        let mut c = Cursor::new(page, place);
        c.take(MAGIC.len())?;
        let hash = hash_without(page, &[(CHECKSUM, DIGEST)]);
        if c.take(DIGEST)? != &hash[..DIGEST] {
            return damaged!(place, "checksum", "the page does not match its checksum");
        }
        let version = (c.u16()?, c.u16()?);
        if version != VERSION {
            return Err(Error::Unsupported {
                found: format!("format version {}.{}", version.0, version.1),
                supported: format!("format version {}.{}", VERSION.0, VERSION.1),
            });
        }
        let (title_key, title_rule, packer) = (c.u8()?, c.u8()?, c.u16()?);
        let (required, optional) = (c.u64()?, c.u64()?);
        if required & !KNOWN_REQUIRED != 0 {
            return Err(Error::Unsupported {
                found: format!("required features {required:#x}"),
                supported: format!("features {KNOWN_REQUIRED:#x} of format {}.{}", VERSION.0, VERSION.1),
            });
        }
        let (body_end, signature_len, tables_offset, table_pages) = (c.u64()?, c.u64()?, c.u64()?, c.u64()?);
        let (n_blocks, n_entries, n_articles, n_media, n_redirects, main) =
            (c.u32()?, c.u32()?, c.u32()?, c.u32()?, c.u32()?, c.u32()?);
        let mut content_id = [0; 32];
        content_id.copy_from_slice(c.take(32)?);
        if c.take(TOP - RESERVED)?.iter().any(|&b| b != 0) {
            return damaged!(place, "reserved bytes", "they are not zero");
        }
        let mut first = Self {
            version,
            title_key,
            title_rule,
            packer,
            required,
            optional,
            body_end,
            signature_len,
            tables_offset,
            table_pages,
            n_blocks,
            n_entries,
            n_articles,
            n_media,
            n_redirects,
            main,
            content_id,
            top: vec![],
            rows: vec![],
        };
        if title_key != TITLE_KEY_VERSION {
            return Err(Error::Unsupported {
                found: format!("title key version {title_key}"),
                supported: format!("title key version {TITLE_KEY_VERSION}"),
            });
        }
        if title_rule > TitleRule::MAX {
            return damaged!(place, "title rule", "{title_rule} is unknown");
        }
        first.check_geometry(file_len)?;
        let shape = first.shape();
        for i in 0..TOP_DIGESTS {
            let mut d = [0; DIGEST];
            d.copy_from_slice(c.take(DIGEST)?);
            if i < shape.top() {
                first.top.push(d);
            } else if d != [0; DIGEST] {
                return damaged!(place, "reserved bytes", "a digest beyond the tree's top");
            }
        }
        for _ in 0..MAX_ROWS {
            let row = Row::parse(&mut c)?;
            if row.kind.0 != 0 {
                first.rows.push(row);
            } else if row != (Row { kind: SectionKind(0), flags: 0, copy: 0, offset: 0, len: 0, count: 0 }) {
                return damaged!(place, "section rows", "a row of no kind is not empty");
            }
        }
        first.check_rows()?;
        let id = if first.signature_len == 0 { hash } else { file_id(page) };
        Ok((first, id))
    }

    fn check_geometry(&self, file_len: u64) -> Result<()> {
        let place = Place::FirstPage;
        let page = PAGE as u64;
        let fits = |n: Option<u64>| n.filter(|&n| n <= file_len);
        let total = fits(self.body_end.checked_add(self.signature_len).and_then(|n| n.checked_add(page)));
        if total != Some(file_len) {
            let wanted = u128::from(self.body_end) + u128::from(self.signature_len) + u128::from(page);
            return damaged!(
                Place::File,
                "file length",
                "{wanted} bytes expected, {file_len} found; the file was cut short, or something was added"
            );
        }
        let tables_end =
            fits(self.table_pages.checked_mul(page).and_then(|n| n.checked_add(self.tables_offset)));
        let Some(tables_end) = tables_end else {
            return damaged!(
                place,
                "tables",
                "{} pages at {} do not fit",
                self.table_pages,
                self.tables_offset
            );
        };
        if self.tables_offset < page || !self.tables_offset.is_multiple_of(page) {
            return damaged!(place, "tables", "they begin at byte {}", self.tables_offset);
        }
        let tree = Shape::new(self.table_pages).both() * page;
        if tables_end.checked_add(tree) != Some(self.body_end) {
            return damaged!(place, "hash tree", "two copies do not end the body at {}", self.body_end);
        }
        let kinds = [self.n_articles, self.n_media, self.n_redirects].map(u64::from).iter().sum::<u64>();
        if kinds != u64::from(self.n_entries) || self.n_entries == NONE || self.n_blocks == NONE {
            return damaged!(place, "counts", "{kinds} entries by kind, {} in all", self.n_entries);
        }
        if self.main != NONE && self.main >= self.n_entries {
            return damaged!(place, "main page", "entry {} of {}", self.main, self.n_entries);
        }
        Ok(())
    }

    fn check_rows(&self) -> Result<()> {
        let place = Place::FirstPage;
        let tables_len = self.table_pages * PAGE as u64;
        let mut ranges: Vec<(u64, u64)> = vec![];
        for (i, row) in self.rows.iter().enumerate() {
            let (kind, name) = (row.kind, row.kind.name());
            if name == "unknown" && row.flags & Row::OPTIONAL == 0 {
                return Err(Error::Unsupported {
                    found: format!("a section of kind {}", kind.0),
                    supported: format!("those of format {}.{}", VERSION.0, VERSION.1),
                });
            }
            if self.rows[..i].iter().any(|r| r.kind == kind) {
                return damaged!(place, "section rows", "two sections of kind {name}");
            }
            let end = row.offset.checked_add(row.len).filter(|&end| end <= tables_len);
            let Some(end) = end else {
                let Row { offset, len, .. } = row;
                return damaged!(place, "section rows", "{name}: {len} bytes at {offset} leave the tables");
            };
            if row.len > 0 {
                ranges.push((row.offset, end));
            }
            if row.copy != 0 {
                let pages = row.pages();
                let copy = u64::from(row.copy);
                let end = copy.checked_add(pages.end - pages.start).filter(|&end| end <= self.table_pages);
                if end.is_none() || copy < pages.end {
                    return damaged!(place, "section rows", "{name}: a copy at page {copy} cannot be");
                }
            }
        }
        self.check_counts()?;
        ranges.sort_unstable();
        match ranges.windows(2).find(|w| w[0].1 > w[1].0) {
            Some(w) => damaged!(place, "section rows", "sections overlap at byte {}", w[1].0),
            None => Ok(()),
        }
    }
}

impl FirstPage {
    /// Counts decide how much memory a reader takes: none may say more than the sections can hold.
    fn check_counts(&self) -> Result<()> {
        let pages = |kind| self.row(kind).map_or(0, |row| row.len / PAGE as u64);
        let blocks = pages(SectionKind::BLOCKS);
        if blocks != u64::from(self.n_blocks.div_ceil(super::block::PER_PAGE)) {
            return damaged!(Place::FirstPage, "counts", "{} blocks on {blocks} pages", self.n_blocks);
        }
        if self.is_index_only() && self.n_blocks != 0 {
            return damaged!(Place::FirstPage, "counts", "{} blocks in an index", self.n_blocks);
        }
        // A row takes at least a byte of its page.
        let leaves = pages(SectionKind::ENTRIES);
        if u64::from(self.n_entries) > leaves.saturating_mul(PAGE as u64) {
            return damaged!(Place::FirstPage, "counts", "{} entries on {leaves} pages", self.n_entries);
        }
        Ok(())
    }
}

/// Returns the checksum of a page: the digest of its bytes with the checksum's own field zero.
pub fn checksum(page: &[u8]) -> Digest {
    let mut out = [0; DIGEST];
    out.copy_from_slice(&hash_without(page, &[(CHECKSUM, DIGEST)])[..DIGEST]);
    out
}

/// Returns the identity of an archive from its first page: BLAKE3-256 of the page with checksum and
/// signature length zero, so that signing does not change it.
pub fn file_id(page: &[u8]) -> [u8; 32] {
    hash_without(page, &[(CHECKSUM, DIGEST), (SIGNATURE_LEN, 8)])
}

/// Returns the BLAKE3-256 of a page, some fields (offset, length) of it zero. The whole page at once: BLAKE3 then hashes
/// its four chunks side by side.
fn hash_without(page: &[u8], fields: &[(usize, usize)]) -> [u8; 32] {
    let mut page = page.to_vec();
    for &(offset, len) in fields {
        page[offset..offset + len].fill(0);
    }
    *blake3::hash(&page).as_bytes()
}

fn describe(page: &[u8]) -> String {
    if page.is_empty() {
        return "the file is empty".into();
    }
    match other_format(page) {
        Some(guess) => format!("the file looks like {guess}"),
        None => "it begins neither as a .tome nor as a .zim does".into(),
    }
}

/// Returns what a file of another kind looks like.
fn other_format(page: &[u8]) -> Option<&'static str> {
    const KNOWN: &[(&[u8], &str)] = &[
        (b"PK\x03\x04", "a zip (pack it: tome pack FILE.zip -o OUT.tome)"),
        (b"ZIM\x04", "a ZIM file"),
        (b"%PDF", "a PDF"),
        (b"\x1f\x8b", "gzip data"),
        (b"\x28\xb5\x2f\xfd", "zstd data"),
        (b"<!", "an HTML page (pack it: tome pack FILE -o OUT.tome)"),
        // What a transfer in text mode makes of the magic.
        (b"\x89TOME\n\x1a", "an archive damaged by a transfer in text mode; copy it again in binary mode"),
    ];
    KNOWN.iter().find(|(magic, _)| page.starts_with(magic)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> FirstPage {
        FirstPage {
            version: VERSION,
            title_key: 1,
            title_rule: 1,
            packer: 1,
            required: 0,
            optional: 0,
            body_end: 3 * 4096,
            signature_len: 0,
            tables_offset: 8192,
            table_pages: 1,
            n_blocks: 0,
            n_entries: 0,
            n_articles: 0,
            n_media: 0,
            n_redirects: 0,
            main: NONE,
            content_id: [7; 32],
            top: vec![[9; 16]],
            rows: vec![Row { kind: SectionKind::METADATA, flags: 0, copy: 0, offset: 0, len: 100, count: 1 }],
        }
    }

    #[test]
    fn a_page_comes_back_as_it_was_written() {
        let first = sample();
        let page = first.write();
        assert_eq!(page.len(), PAGE);
        assert_eq!(FirstPage::parse(&page, 4 * 4096).unwrap(), first);
    }

    #[test]
    fn fields_follow_each_other_without_gaps() {
        let mut at = 0;
        for &(name, offset, len) in FIELDS {
            assert_eq!(offset, at, "{name}");
            at += len;
        }
        assert_eq!(at, PAGE);
    }

    #[test]
    fn a_newer_version_is_told_from_damage() {
        let page = FirstPage { version: (1, 0), ..sample() }.write();
        assert!(matches!(FirstPage::parse(&page, 4 * 4096), Err(Error::Unsupported { .. })));
        let mut damaged = sample().write();
        damaged[MAJOR] ^= 1;
        assert!(FirstPage::parse(&damaged, 4 * 4096).unwrap_err().is_damage());
    }

    #[test]
    fn an_unknown_required_feature_and_a_required_section_are_refused() {
        let page = FirstPage { required: 1 << 40, ..sample() }.write();
        assert!(matches!(FirstPage::parse(&page, 4 * 4096), Err(Error::Unsupported { .. })));
        for (flags, refused) in [(0, true), (Row::OPTIONAL, false)] {
            let mut first = sample();
            first.rows[0].kind = SectionKind(999);
            first.rows[0].flags = flags;
            assert_eq!(FirstPage::parse(&first.write(), 4 * 4096).is_err(), refused);
        }
    }

    #[test]
    fn an_index_without_content_has_no_blocks() {
        let index = FirstPage { required: INDEX_ONLY, ..sample() };
        assert!(FirstPage::parse(&index.write(), 4 * 4096).unwrap().is_index_only());
        assert!(!sample().is_index_only());
        let mut with_block = FirstPage { n_blocks: 1, ..index };
        with_block.table_pages = 2;
        with_block.body_end += PAGE as u64;
        with_block.top.push([9; 16]);
        let row = Row { kind: SectionKind::BLOCKS, offset: 4096, len: 4096, ..with_block.rows[0] };
        with_block.rows.push(row);
        let error = FirstPage::parse(&with_block.write(), 5 * 4096).unwrap_err();
        assert!(error.to_string().contains("1 blocks in an index"), "{error}");
        with_block.required = 0;
        FirstPage::parse(&with_block.write(), 5 * 4096).unwrap();
    }

    #[test]
    fn signing_keeps_the_file_id() {
        let signed = FirstPage { signature_len: 4096, ..sample() };
        assert_eq!(file_id(&sample().write()), file_id(&signed.write()));
        let other = FirstPage { packer: 2, ..sample() };
        assert_ne!(file_id(&sample().write()), file_id(&other.write()));
    }

    #[test]
    fn every_field_with_every_extreme_value_is_an_error_or_harmless() {
        // P03: the checksum is made right each time, as an attacker would.
        let extremes = [0, 1, 4095, 4096, 4097, 1 << 31, u64::from(u32::MAX), 1 << 63, u64::MAX];
        for &(_, offset, len) in FIELDS.iter().filter(|f| f.1 >= MAJOR && f.2 <= 8) {
            for value in extremes {
                let mut page = sample().write();
                page[offset..offset + len].copy_from_slice(&value.to_le_bytes()[..len]);
                let sum = checksum(&page);
                page[CHECKSUM..CHECKSUM + DIGEST].copy_from_slice(&sum);
                let _ = FirstPage::parse(&page, 4 * 4096);
            }
        }
        for row_byte in ROWS..ROWS + Row::SIZE {
            let mut page = sample().write();
            page[row_byte] = 0xff;
            let sum = checksum(&page);
            page[CHECKSUM..CHECKSUM + DIGEST].copy_from_slice(&sum);
            let _ = FirstPage::parse(&page, 4 * 4096);
        }
    }
}
