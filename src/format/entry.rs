//! What the entries' leaves say beside the path: classes, records and extra bytes.

use serde::{Deserialize, Serialize};

use super::bytes::{Column, Cursor, put_varint};
use super::strings::KEY_INLINE;
use super::strings::build::Records;
use super::strings::symbols::Encoder;
use crate::error::{FormatError, Place, Result, damaged};
use crate::item::{Kind, path_stem, path_title};

/// What many entries have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Class {
    /// 0 article, 1 media, 2 redirect; [`Class::kind`].
    pub kind: u8,
    /// See [`Class::GENERATED`] and its siblings.
    pub flags: u8,
    /// The mime type; empty for redirects.
    pub mime: String,
}

impl Class {
    /// Flag: made by a packer, not by the source.
    pub const GENERATED: u8 = 1;
    /// Flag: path (and title) are bytes that were not UTF-8, escaped.
    pub const ESCAPED: u8 = 2;
    /// Flag: the entry has rows in the title table.
    pub const TITLED: u8 = 4;

    /// All flags that are defined.
    pub const FLAGS: u8 = Self::GENERATED | Self::ESCAPED | Self::TITLED;

    /// Returns the kind, if it is a known one.
    pub fn kind(&self) -> Option<Kind> {
        match self.kind {
            0 => Some(Kind::Article),
            1 => Some(Kind::Media),
            2 => Some(Kind::Redirect),
            _ => None,
        }
    }

    /// Returns the number of a kind.
    pub fn number(kind: Kind) -> u8 {
        match kind {
            Kind::Article => 0,
            Kind::Media => 1,
            Kind::Redirect => 2,
        }
    }
}

/// The most classes in an archive.
pub const MAX_CLASSES: usize = 1 << 16;

/// The longest mime type in bytes, its parameters included.
pub const MAX_MIME: usize = 255;

/// The longest blob: all blocks there can be, each as long as it can be.
pub const MAX_BLOB: u64 = 1 << 56;

/// One entry's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    /// Bytes: a class, and where they lie.
    Blob {
        /// The class's number.
        class: u32,
        /// The bytes' place.
        blob: BlobPlace,
    },
    /// Another entry's name: a class, and the other's id.
    Redirect {
        /// The class's number.
        class: u32,
        /// The target's id.
        target: u32,
    },
}

/// Where a blob lies: in the raw bytes of a block and those that follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct BlobPlace {
    /// The block in which it begins.
    pub block: u32,
    /// Its first byte in that block.
    pub offset: u32,
    /// Its length in bytes; if it is 0, block and offset mean nothing.
    pub len: u64,
}

/// Where the columns of a leaf's records lie.
pub struct RecordsView<'a> {
    bitmap: &'a [u8],
    columns: [(Column, &'a [u8]); 6],
    n: usize,
    end: usize,
}

const COLUMNS: [&str; 6] = ["class", "block", "offset", "length", "redirect class", "target"];
const BLOB_COLUMNS: usize = 4;

impl<'a> RecordsView<'a> {
    /// Checks the shape of the records of `n` rows: a bitmap of which rows are redirects, six column
    /// descriptors, and the columns: four over the rows that are no redirects, two over those that
    /// are.
    pub fn parse(bytes: &'a [u8], n: usize, place: Place) -> Result<Self> {
        let mut c = Cursor::new(bytes, place);
        let bitmap = c.take(n.div_ceil(8))?;
        let redirects = rank(bitmap, n);
        let mut columns = [(Column { base: 0, width: 0 }, &bytes[..0]); 6];
        for column in &mut columns {
            column.0 = Column::parse(&mut c)?;
        }
        for (i, column) in columns.iter_mut().enumerate() {
            let rows = if i < BLOB_COLUMNS { n - redirects } else { redirects };
            column.1 = c.take(column.0.packed_len(rows))?;
        }
        Ok(Self { bitmap, columns, n, end: c.position() })
    }

    /// Returns the length of the records in bytes; what follows is padding.
    pub fn len(&self) -> usize {
        self.end
    }

    /// Returns true if there are no rows.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    fn is_redirect(&self, slot: usize) -> bool {
        self.bitmap[slot / 8] >> (slot % 8) & 1 == 1
    }

    /// Returns the classes of all rows in order; `None` for a redirect.
    pub fn blob_classes(&self) -> impl Iterator<Item = Option<u64>> + '_ {
        let (column, packed) = self.columns[0];
        let mut row = 0;
        (0..self.n).map(move |slot| {
            if self.is_redirect(slot) {
                return None;
            }
            row += 1;
            column.get(packed, row - 1)
        })
    }

    /// Returns a row's record.
    pub fn get(&self, slot: usize, place: Place) -> Result<Record> {
        let bad =
            |name: &str| FormatError::new(place, "record", format!("row {slot}: {name} is out of range"));
        if slot >= self.n {
            return Err(bad("the row").into());
        }
        let redirect = self.is_redirect(slot);
        let before = rank(self.bitmap, slot);
        let value = |column: usize, row: usize, limit: u64| {
            let (c, packed) = self.columns[column];
            c.get(packed, row).filter(|&v| v <= limit).ok_or_else(|| bad(COLUMNS[column]))
        };
        let ids = u64::from(u32::MAX - 1);
        if redirect {
            return Ok(Record::Redirect {
                class: value(4, before, MAX_CLASSES as u64)? as u32,
                target: value(5, before, ids)? as u32,
            });
        }
        let row = slot - before;
        let blob = match value(3, row, MAX_BLOB)? {
            // Where nothing lies means nothing.
            0 => BlobPlace::default(),
            len => BlobPlace { block: value(1, row, ids)? as u32, offset: value(2, row, ids)? as u32, len },
        };
        Ok(Record::Blob { class: value(0, row, MAX_CLASSES as u64)? as u32, blob })
    }
}

/// Returns how many of the first `n` bits are set.
fn rank(bitmap: &[u8], n: usize) -> usize {
    let whole: u32 = bitmap[..n / 8].iter().map(|b| b.count_ones()).sum();
    let rest = if n.is_multiple_of(8) { 0 } else { (bitmap[n / 8] & ((1 << (n % 8)) - 1)).count_ones() };
    (whole + rest) as usize
}

/// Collects the records of a leaf.
#[derive(Default)]
pub struct EntryRecords {
    rows: Vec<Record>,
    bounds: [Option<(u64, u64)>; 6],
    redirects: usize,
}

impl EntryRecords {
    fn values(record: &Record) -> [Option<u64>; 6] {
        match *record {
            Record::Blob { class, blob } => {
                // Where an empty blob lies means nothing: it takes what the column has anyway.
                let place = |v: u32| (blob.len > 0).then_some(u64::from(v));
                let class = Some(u64::from(class));
                [class, place(blob.block), place(blob.offset), Some(blob.len), None, None]
            }
            Record::Redirect { class, target } => {
                [None, None, None, None, Some(u64::from(class)), Some(u64::from(target))]
            }
        }
    }

    fn len(bounds: &[Option<(u64, u64)>; 6], n: usize, redirects: usize) -> usize {
        let columns = bounds.iter().enumerate().map(|(i, b)| {
            let rows = if i < BLOB_COLUMNS { n - redirects } else { redirects };
            b.map_or(0, |(min, max)| Column::spanning(min, max).packed_len(rows))
        });
        n.div_ceil(8) + 6 * Column::DESCRIPTOR + columns.sum::<usize>()
    }

    fn widen(bounds: &mut [Option<(u64, u64)>; 6], record: &Record) {
        for (bound, value) in bounds.iter_mut().zip(Self::values(record)) {
            if let Some(v) = value {
                let (min, max) = bound.unwrap_or((v, v));
                *bound = Some((min.min(v), max.max(v)));
            }
        }
    }
}

impl Records for EntryRecords {
    type Record = Record;

    fn len_with(&self, record: &Record) -> usize {
        let mut bounds = self.bounds;
        Self::widen(&mut bounds, record);
        let redirects = self.redirects + usize::from(matches!(record, Record::Redirect { .. }));
        Self::len(&bounds, self.rows.len() + 1, redirects)
    }

    fn push(&mut self, record: Record) {
        Self::widen(&mut self.bounds, &record);
        self.redirects += usize::from(matches!(record, Record::Redirect { .. }));
        self.rows.push(record);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let mut bitmap = vec![0u8; self.rows.len().div_ceil(8)];
        for (slot, record) in self.rows.iter().enumerate() {
            if matches!(record, Record::Redirect { .. }) {
                bitmap[slot / 8] |= 1 << (slot % 8);
            }
        }
        out.extend_from_slice(&bitmap);
        let columns =
            self.bounds.map(|b| b.map_or(Column { base: 0, width: 0 }, |(a, b)| Column::spanning(a, b)));
        columns.iter().for_each(|c| c.put(out));
        for (i, column) in columns.iter().enumerate() {
            let mine = |r: &&Record| matches!(r, Record::Redirect { .. }) == (i >= BLOB_COLUMNS);
            let values = self.rows.iter().filter(mine).map(|r| Self::values(r)[i].unwrap_or(column.base));
            column.pack(values, out);
        }
        *self = Self::default();
    }
}

/// What a row's extra bytes say of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extra<'a> {
    /// The end of a path that is longer than [`KEY_INLINE`]: offset and length in the long names.
    pub path_rest: Option<(u32, u32)>,
    /// The title, if the path does not give it.
    pub title: Option<Name<'a>>,
    /// True if the archive's title suffix follows the title.
    pub suffix: bool,
    /// A redirect's place in its target.
    pub fragment: Option<Name<'a>>,
}

/// A name in a row's extra bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name<'a> {
    /// Its codes.
    Codes(&'a [u8]),
    /// Its offset and length in the long names.
    Long(u32, u32),
}

const PATH_REST: u8 = 1;
const TITLE: u8 = 2;
const LONG_TITLE: u8 = 4;
const SUFFIX: u8 = 8;
const FRAGMENT: u8 = 16;
const LONG_FRAGMENT: u8 = 32;

impl<'a> Extra<'a> {
    /// Reads extra bytes; none mean that there is nothing to say.
    pub fn parse(bytes: &'a [u8], place: Place) -> Result<Self> {
        let mut out = Self::default();
        let Some(&flags) = bytes.first() else { return Ok(out) };
        if flags == 0 || flags >= 64 {
            return damaged!(place, "extra bytes", "flags {flags:#x}");
        }
        let mut c = Cursor::new(&bytes[1..], place);
        if flags & PATH_REST != 0 {
            out.path_rest = Some((c.varint()?, c.varint()?));
        }
        out.fragment = match (flags & FRAGMENT != 0, flags & LONG_FRAGMENT != 0) {
            (true, false) => {
                let len = c.varint()? as usize;
                Some(Name::Codes(c.take(len)?))
            }
            (false, true) => Some(Name::Long(c.varint()?, c.varint()?)),
            (false, false) => None,
            (true, true) => return damaged!(place, "extra bytes", "flags {flags:#x}"),
        };
        out.suffix = flags & SUFFIX != 0;
        out.title = match (flags & TITLE != 0, flags & LONG_TITLE != 0) {
            (true, false) => Some(Name::Codes(&bytes[1 + c.position()..])),
            (false, true) => Some(Name::Long(c.varint()?, c.varint()?)),
            (false, false) if !out.suffix => None,
            _ => return damaged!(place, "extra bytes", "flags {flags:#x}"),
        };
        if !matches!(out.title, Some(Name::Codes(_))) && 1 + c.position() != bytes.len() {
            return damaged!(place, "extra bytes", "{} bytes, {} used", bytes.len(), 1 + c.position());
        }
        Ok(out)
    }
}

/// Writes extra bytes. Names longer than a leaf holds are put behind `long`, the bytes of the long
/// names so far: nothing then, if those would pass 4 GiB.
pub fn write_extra(
    path: &str,
    title: Option<(&str, bool)>,
    fragment: Option<&str>,
    encoder: &Encoder,
    long: &mut Vec<u8>,
) -> Option<Vec<u8>> {
    let mut flags = 0;
    let mut out = vec![0];
    let mut put_long = |text: &[u8], out: &mut Vec<u8>| {
        put_varint(out, u32::try_from(long.len()).ok()?);
        put_varint(out, text.len() as u32);
        long.extend_from_slice(text);
        Some(())
    };
    if path.len() > KEY_INLINE {
        flags |= PATH_REST;
        put_long(&path.as_bytes()[KEY_INLINE..], &mut out)?;
    }
    if let Some(text) = fragment {
        if text.len() > KEY_INLINE {
            flags |= LONG_FRAGMENT;
            put_long(text.as_bytes(), &mut out)?;
        } else {
            flags |= FRAGMENT;
            let mut codes = vec![];
            encoder.encode(text.as_bytes(), &mut codes);
            put_varint(&mut out, codes.len() as u32);
            out.extend_from_slice(&codes);
        }
    }
    if let Some((text, suffix)) = title {
        flags |= if suffix { SUFFIX } else { 0 };
        if text.len() > KEY_INLINE {
            flags |= LONG_TITLE;
            put_long(text.as_bytes(), &mut out)?;
        } else {
            flags |= TITLE;
            encoder.encode(text.as_bytes(), &mut out);
        }
    }
    out[0] = flags;
    Some(if flags == 0 { vec![] } else { out })
}

/// How a path gives a title: a number in the first page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TitleRule {
    /// It does not: an entry without a title of its own is called by its path.
    Path,
    /// The part behind the last `/`, without its ending, `_` as a space.
    LastPart,
    /// The whole path without its ending, `_` as a space.
    WholePath,
}

impl TitleRule {
    /// The largest number of a rule.
    pub const MAX: u8 = 2;

    /// Returns the rule with a number; an unknown one is [`TitleRule::Path`].
    pub fn from_number(number: u8) -> Self {
        match number {
            1 => Self::LastPart,
            2 => Self::WholePath,
            _ => Self::Path,
        }
    }

    /// Returns the rule's number.
    pub fn number(self) -> u8 {
        match self {
            Self::Path => 0,
            Self::LastPart => 1,
            Self::WholePath => 2,
        }
    }

    /// Returns the title that a path gives.
    ///
    /// An ending is a `.` and one to five ASCII letters or digits, the first of them a letter, behind
    /// at least one other character of the last part.
    pub fn apply(self, path: &str) -> String {
        match self {
            Self::Path => path.to_string(),
            Self::LastPart => path_title(path),
            Self::WholePath => path[..path_stem(path)].replace('_', " "),
        }
    }
}

/// One row of the title table: where the entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TitleRecord {
    /// The leaf of the entries' tree.
    pub leaf: u32,
    /// The slot in it.
    pub slot: u32,
}

/// Collects the records of a leaf of titles: two columns.
#[derive(Default)]
pub struct TitleRecords {
    rows: Vec<TitleRecord>,
    bounds: Option<[(u32, u32); 2]>,
}

impl TitleRecords {
    fn widened(&self, record: &TitleRecord) -> [(u32, u32); 2] {
        let values = [record.leaf, record.slot];
        let bounds = self.bounds.unwrap_or(values.map(|v| (v, v)));
        [0, 1].map(|i| (bounds[i].0.min(values[i]), bounds[i].1.max(values[i])))
    }

    fn columns(bounds: [(u32, u32); 2]) -> [Column; 2] {
        bounds.map(|(min, max)| Column::spanning(u64::from(min), u64::from(max)))
    }

    /// Returns the length of the records of `n` rows.
    pub fn len(bytes: &[u8], n: usize) -> Result<usize> {
        let mut c = Cursor::new(bytes, Place::Section("titles", 0));
        let columns = [Column::parse(&mut c)?, Column::parse(&mut c)?];
        Ok(2 * Column::DESCRIPTOR + columns.iter().map(|c| c.packed_len(n)).sum::<usize>())
    }

    /// Returns a row's record from the records of `n` rows.
    pub fn get(bytes: &[u8], n: usize, slot: usize, place: Place) -> Result<TitleRecord> {
        let mut c = Cursor::new(bytes, place);
        let columns = [Column::parse(&mut c)?, Column::parse(&mut c)?];
        let mut values = [0; 2];
        for (value, column) in values.iter_mut().zip(columns) {
            let packed = c.take(column.packed_len(n))?;
            let found = column.get(packed, slot).and_then(|v| u32::try_from(v).ok());
            let Some(found) = found else {
                return damaged!(place, "record", "row {slot} of {n} is out of range");
            };
            *value = found;
        }
        Ok(TitleRecord { leaf: values[0], slot: values[1] })
    }
}

impl Records for TitleRecords {
    type Record = TitleRecord;

    fn len_with(&self, record: &TitleRecord) -> usize {
        let rows = self.rows.len() + 1;
        let columns = Self::columns(self.widened(record));
        2 * Column::DESCRIPTOR + columns.iter().map(|c| c.packed_len(rows)).sum::<usize>()
    }

    fn push(&mut self, record: TitleRecord) {
        self.bounds = Some(self.widened(&record));
        self.rows.push(record);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let [leaf, slot] = Self::columns(self.bounds.take().unwrap_or_default());
        leaf.put(out);
        slot.put(out);
        leaf.pack(self.rows.iter().map(|r| u64::from(r.leaf)), out);
        slot.pack(self.rows.iter().map(|r| u64::from(r.slot)), out);
        self.rows.clear();
    }
}
