//! JSON of any size, an element at a time.
//!
//! serde_json reads from a stream byte by byte, and hands each element of an array to a seed; so
//! where an element begins is known, and only one is in memory. What it may not do is collect a
//! string without end: the input gives out so many bytes and then fails, and each new element fills
//! the allowance up.

use std::io::{self, Read, Seek, SeekFrom};
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::super::name_of;
use super::Entry;
use crate::error::Result;
use crate::item::About;
use crate::limits::{MAX_METADATA, MAX_NAME_LEN};
use crate::manifest::{self, Line, MetadataLine};

/// The most bytes of one entry: a few texts of which each byte may be six in JSON.
const MAX_ENTRY: u64 = 4 * 1024 * 1024;

/// The most bytes of one metadata value: hex doubles them, text takes no more.
const MAX_VALUE: u64 = 2 * MAX_METADATA as u64 + MAX_ENTRY;

/// The most bytes of all paths in the reading order, which is kept in memory.
const MAX_READING_ORDER: usize = if cfg!(test) { 4 } else { 64 } * 1024 * 1024;

pub(super) fn hash(bytes: &[u8]) -> u64 {
    let hash = blake3::hash(bytes);
    hash.as_bytes()[..8].iter().fold(0, |n, &b| n << 8 | u64::from(b))
}

pub(super) trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

/// The manifest's bytes, with the place where reading stands.
///
/// It has a buffer of its own, as every byte passes through [`Read::read`] singly.
pub(super) struct Input {
    file: Box<dyn ReadSeek + Send>,
    buffer: Vec<u8>,
    /// The bytes of the buffer that are filled, and the next one.
    filled: usize,
    next: usize,
    meter: Arc<Meter>,
}

/// Shared with what serde_json calls, while serde_json holds the input; never by two threads.
#[derive(Default)]
struct Meter {
    at: AtomicU64,
    /// Where the allowance ends.
    end: AtomicU64,
    /// Line breaks so far.
    breaks: AtomicU64,
}

impl Meter {
    fn at(&self) -> u64 {
        self.at.load(Ordering::Relaxed)
    }

    /// Returns the line that reading has come to, from 1.
    fn line(&self) -> u64 {
        self.breaks.load(Ordering::Relaxed) + 1
    }

    fn allow(&self, bytes: u64) {
        self.end.store(self.at() + bytes, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.at() >= self.end.load(Ordering::Relaxed)
    }
}

impl Read for Input {
    /// Never more than a byte: the place must be that of what serde_json has really used.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.meter.is_over() {
            return Err(io::Error::other("too long"));
        }
        if self.next == self.filled {
            (self.next, self.filled) = (0, 0);
            self.filled = self.file.read(&mut self.buffer)?;
        }
        let (Some(out), Some(&byte)) = (out.first_mut(), self.buffer[..self.filled].get(self.next)) else {
            return Ok(0);
        };
        *out = byte;
        self.next += 1;
        self.meter.at.store(self.meter.at() + 1, Ordering::Relaxed);
        if byte == b'\n' {
            self.meter.breaks.store(self.meter.line(), Ordering::Relaxed);
        }
        Ok(1)
    }
}

impl Input {
    pub(super) fn new(file: Box<dyn ReadSeek + Send>) -> Self {
        Self { file, buffer: vec![0; 64 * 1024], filled: 0, next: 0, meter: Arc::default() }
    }

    /// Goes to a byte, which the buffer mostly has.
    fn go_to(&mut self, place: u64) -> io::Result<()> {
        let begin = self.meter.at() - self.next as u64;
        match place.checked_sub(begin).and_then(|n| usize::try_from(n).ok()) {
            Some(next) if next <= self.filled => self.next = next,
            _ => {
                (self.next, self.filled) = (0, 0);
                self.file.seek(SeekFrom::Start(place))?;
            }
        }
        self.meter.at.store(place, Ordering::Relaxed);
        Ok(())
    }

    /// Returns true if the last error came from something that was too long.
    pub(super) fn is_over(&self) -> bool {
        self.meter.is_over()
    }

    /// Reads everything, once, from the start.
    pub(super) fn document(&mut self, document: &mut Document) -> serde_json::Result<()> {
        self.meter.allow(MAX_ENTRY);
        let mut json = serde_json::Deserializer::from_reader(self);
        DeserializeSeed::deserialize(&mut *document, &mut json)?;
        document.meter.allow(MAX_ENTRY);
        json.end()
    }

    /// Reads the entry that begins at a byte.
    pub(super) fn line_at(&mut self, place: u64) -> serde_json::Result<Line> {
        self.go_to(place).map_err(serde_json::Error::io)?;
        self.meter.allow(MAX_ENTRY);
        Line::deserialize(&mut serde_json::Deserializer::from_reader(self))
    }

    /// Returns the number of the line that a byte is in, from 1.
    pub(super) fn line_number(&mut self, place: u64) -> io::Result<u64> {
        self.go_to(0)?;
        self.meter.breaks.store(0, Ordering::Relaxed);
        self.meter.allow(place);
        io::copy(&mut self.take(place), &mut io::sink())?;
        Ok(self.meter.line())
    }
}

/// The entries that are not found under their paths.
pub(super) struct Elsewhere {
    pub numbers: Vec<u32>,
    pub is_sorted: bool,
    last: String,
}

impl Elsewhere {
    fn push(&mut self, number: u32, path: String) {
        self.is_sorted &= self.last <= path;
        self.numbers.push(number);
        self.last = path;
    }
}

/// What is kept of the document.
pub(super) struct Document {
    meter: Arc<Meter>,
    version: Option<u64>,
    /// A version that is too high.
    pub unsupported: Option<u64>,
    /// A broken rule with its line, since serde_json reads on before it says where it stands.
    pub broken: Option<String>,
    has_entries: bool,
    pub places: Vec<u64>,
    pub files: Vec<(u64, u32)>,
    /// Hashes of all paths.
    pub paths: Vec<u64>,
    pub elsewhere: Elsewhere,
    metadata_len: usize,
    order_len: usize,
    pub about: About,
}

impl Document {
    pub(super) fn new(input: &Input) -> Self {
        Self {
            meter: Arc::clone(&input.meter),
            version: None,
            unsupported: None,
            broken: None,
            has_entries: false,
            places: Vec::new(),
            files: Vec::new(),
            paths: Vec::new(),
            elsewhere: Elsewhere { numbers: Vec::new(), is_sorted: true, last: String::new() },
            metadata_len: 0,
            order_len: 0,
            about: About::default(),
        }
    }

    fn broken<E: serde::de::Error>(&mut self, line: u64, message: &str) -> E {
        self.broken = Some(format!("line {line}: {message}"));
        E::custom("a broken rule")
    }

    fn entry(&mut self, place: u64, line: Line) -> Result<(), String> {
        let entry = Entry::new(line)?;
        let number = u32::try_from(self.places.len()).map_err(|_| "too many entries".to_owned())?;
        self.places.push(place);
        self.paths.push(hash(entry.path.as_bytes()));
        if let Some(file) = &entry.file {
            self.files.push((hash(file), number));
        }
        if entry.file.as_deref().is_none_or(|file| name_of(file) != entry.path) {
            self.elsewhere.push(number, entry.path);
        }
        Ok(())
    }

    fn value(&mut self, line: MetadataLine) -> Result<(), String> {
        let (key, value) = line.into_value()?;
        if self.about.metadata.get(&key).is_some() {
            return Err(format!("the metadata has {key:?} twice"));
        }
        self.metadata_len += key.len() + value.mime.len() + value.bytes.len();
        if self.metadata_len > MAX_METADATA {
            return Err(format!("more than {MAX_METADATA} bytes of metadata"));
        }
        self.about.metadata.set(&key, value);
        Ok(())
    }

    fn next_in_order(&mut self, path: String) -> Result<(), String> {
        self.order_len += path.len() + size_of::<String>();
        if path.len() > MAX_NAME_LEN || self.order_len > MAX_READING_ORDER {
            return Err("the reading order is too long".into());
        }
        self.about.reading_order.push(path);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for &mut Document {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Document {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a Tome manifest (a JSON object)")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(field) = map.next_key::<String>()? {
            let line = self.meter.line();
            self.meter.allow(MAX_ENTRY);
            let is_second = match field.as_str() {
                manifest::VERSION_FIELD => self.version.is_some(),
                "entries" => std::mem::replace(&mut self.has_entries, true),
                "metadata" => !self.about.metadata.is_empty(),
                "main" => self.about.main.is_some(),
                "reading_order" => !self.about.reading_order.is_empty(),
                _ => false,
            };
            if is_second {
                return Err(self.broken(line, &format!("the field {field:?} stands there twice")));
            }
            match field.as_str() {
                manifest::VERSION_FIELD => {
                    let version = map.next_value()?;
                    if version > manifest::VERSION {
                        self.unsupported = Some(version);
                        return Err(A::Error::custom("a later version"));
                    }
                    self.version = Some(version);
                }
                "entries" => {
                    map.next_value_seed(Each { document: self, max: MAX_ENTRY, take: Document::entry })?;
                }
                "metadata" => {
                    let take = |d: &mut Document, _, line: MetadataLine| d.value(line);
                    map.next_value_seed(Each { document: self, max: MAX_VALUE, take })?;
                }
                "main" => {
                    self.about.main = map.next_value()?;
                    if self.about.main.as_ref().is_some_and(|path| path.len() > MAX_NAME_LEN) {
                        return Err(self.broken(line, "the main page's path is too long"));
                    }
                }
                "reading_order" => {
                    let take = |d: &mut Document, _, path: String| d.next_in_order(path);
                    map.next_value_seed(Each { document: self, max: MAX_ENTRY, take })?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            self.meter.allow(MAX_ENTRY);
        }
        if self.version.is_none() {
            let message = format!("no field {:?}: not a manifest", manifest::VERSION_FIELD);
            return Err(self.broken(self.meter.line(), &message));
        }
        Ok(())
    }
}

/// Hands each element of an array, with the place where it begins, to a function.
struct Each<'d, T> {
    document: &'d mut Document,
    max: u64,
    take: fn(&mut Document, u64, T) -> Result<(), String>,
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Each<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Each<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let meter = Arc::clone(&self.document.meter);
        meter.allow(self.max);
        while let Some((place, line, element)) = seq.next_element_seed(Placed::<T>(&meter, PhantomData))? {
            let taken = (self.take)(self.document, place, element);
            taken.map_err(|message| self.document.broken(line, &message))?;
            meter.allow(self.max);
        }
        Ok(())
    }
}

/// Reads an element and says at which byte and in which line it began.
struct Placed<'m, T>(&'m Meter, PhantomData<T>);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Placed<'_, T> {
    type Value = (u64, u64, T);

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(u64, u64, T), D::Error> {
        // To know that there is an element, its first byte had to be looked at.
        let place = self.0.at() - 1;
        let line = self.0.line();
        Ok((place, line, T::deserialize(json)?))
    }
}
