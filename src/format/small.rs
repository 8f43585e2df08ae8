//! The small sections of variable form, as bincode 2 "standard" (FORMAT.md spells its bytes out):
//! metadata and classes. And the flat ones: languages and the parity's head.

use bincode::config::{self, Configuration};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::bytes::Cursor;
use super::entry::{Class, MAX_CLASSES, MAX_MIME};
use crate::error::{Place, Result, damaged};
use crate::item::{Metadata, Value};
use crate::limits::MAX_METADATA;

fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // Encoding into memory fails only for types that serde cannot size; ours are flat.
    bincode::serde::encode_to_vec(value, config::standard()).unwrap_or_default()
}

/// Reads what [`encode`] wrote: the whole of `bytes`, in the one form that encoding gives, so that
/// the same content always has the same bytes.
fn decode<T: DeserializeOwned + Serialize>(bytes: &[u8], name: &'static str) -> Result<T> {
    let limited: Configuration<_, _, config::Limit<MAX_METADATA>> =
        config::standard().with_limit::<MAX_METADATA>();
    let place = Place::Section(name, 0);
    if bytes.len() > MAX_METADATA {
        return damaged!(place, "section length", "{} bytes, more than {MAX_METADATA}", bytes.len());
    }
    match bincode::serde::decode_from_slice::<T, _>(bytes, limited) {
        Ok((value, used)) if used == bytes.len() && encode(&value) == bytes => Ok(value),
        Ok((_, used)) => {
            damaged!(place, "canonical form", "{used} of {} bytes, or a longer form", bytes.len())
        }
        Err(e) => damaged!(place, "bincode", "{e}"),
    }
}

/// Writes metadata: a list of (key, mime type, bytes) in order of the keys.
pub fn write_metadata(metadata: &Metadata) -> Vec<u8> {
    let rows: Vec<(&str, &str, &[u8])> =
        metadata.iter().map(|(key, value)| (key, value.mime.as_str(), value.bytes.as_slice())).collect();
    encode(&rows)
}

/// Reads metadata.
pub fn read_metadata(bytes: &[u8]) -> Result<Metadata> {
    let rows: Vec<(String, String, Vec<u8>)> = decode(bytes, "metadata")?;
    if rows.windows(2).any(|w| w[0].0 >= w[1].0) {
        return damaged!(Place::Section("metadata", 0), "order", "keys are not in order");
    }
    let mut metadata = Metadata::default();
    for (key, mime, bytes) in rows {
        metadata.set(&key, Value { mime, bytes });
    }
    Ok(metadata)
}

/// Writes the classes.
pub fn write_classes(classes: &[Class]) -> Vec<u8> {
    encode(&classes)
}

/// Reads the classes.
pub fn read_classes(bytes: &[u8]) -> Result<Vec<Class>> {
    let classes: Vec<Class> = decode(bytes, "classes")?;
    let place = Place::Section("classes", 0);
    if classes.len() > MAX_CLASSES {
        return damaged!(place, "classes", "{} of them", classes.len());
    }
    let known = |c: &Class| c.kind().is_some() && c.flags & !Class::FLAGS == 0 && c.mime.len() <= MAX_MIME;
    if let Some(i) = classes.iter().position(|c| !known(c)) {
        let Class { kind, flags, mime } = &classes[i];
        return damaged!(
            place,
            "classes",
            "class {i}: kind {kind}, flags {flags:#x}, {} bytes of type",
            mime.len()
        );
    }
    let distinct: std::collections::HashSet<&Class> = classes.iter().collect();
    if distinct.len() != classes.len() {
        return damaged!(place, "classes", "a class is there twice");
    }
    Ok(classes)
}

/// The languages of those entries whose language is not the archive's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Languages {
    /// Their names, in byte order.
    pub names: Vec<String>,
    /// Entry ids in order, each with the number of its language.
    pub entries: Vec<(u32, u16)>,
}

impl Languages {
    /// Writes the section: the number of names (2 bytes), each with its length (1 byte); then the
    /// ids (4 bytes each), then the languages' numbers (2 bytes each).
    pub fn write(&self) -> Vec<u8> {
        let mut out = (self.names.len() as u16).to_le_bytes().to_vec();
        for name in &self.names {
            out.push(name.len() as u8);
            out.extend_from_slice(name.as_bytes());
        }
        self.entries.iter().for_each(|e| out.extend_from_slice(&e.0.to_le_bytes()));
        self.entries.iter().for_each(|e| out.extend_from_slice(&e.1.to_le_bytes()));
        out
    }

    /// Reads the section; `count` is the number of entries in it.
    pub fn read(bytes: &[u8], count: u64) -> Result<Self> {
        let place = Place::Section("languages", 0);
        let mut c = Cursor::new(bytes, place);
        let mut out = Self::default();
        for _ in 0..c.u16()? {
            let len = usize::from(c.u8()?);
            match std::str::from_utf8(c.take(len)?) {
                Ok(name) => out.names.push(name.to_string()),
                Err(e) => return damaged!(place, "UTF-8", "{e}"),
            }
        }
        let count =
            usize::try_from(count).ok().filter(|n| n.checked_mul(6) == Some(bytes.len() - c.position()));
        let Some(count) = count else {
            return damaged!(place, "section length", "{} bytes", bytes.len());
        };
        let ids = c.take(4 * count)?.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let numbers =
            bytes[bytes.len() - 2 * count..].chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]]));
        out.entries = ids.zip(numbers).collect();
        let ordered = out.entries.windows(2).all(|w| w[0].0 < w[1].0);
        if !ordered || out.entries.iter().any(|e| usize::from(e.1) >= out.names.len()) {
            return damaged!(place, "languages", "entries out of order, or a language without a name");
        }
        Ok(out)
    }

    /// Returns the language of an entry, if it is listed.
    pub fn get(&self, entry: u32) -> Option<&str> {
        let at = self.entries.binary_search_by_key(&entry, |e| e.0).ok()?;
        self.names.get(usize::from(self.entries[at].1)).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_and_classes_come_back() {
        let mut metadata = Metadata::default();
        metadata.set_text("title", "A – b");
        metadata.set("icon", Value { mime: "image/png".into(), bytes: vec![0, 255, 7] });
        assert_eq!(read_metadata(&write_metadata(&metadata)).unwrap(), metadata);
        let classes = vec![Class { kind: 2, flags: 5, mime: String::new() }];
        assert_eq!(read_classes(&write_classes(&classes)).unwrap(), classes);
    }

    #[test]
    fn lengths_that_lie_and_longer_forms_are_refused() {
        // A vector of 2^62 entries; a length of 5 written in three bytes; a byte too many.
        let huge = [&[253][..], &(1u64 << 62).to_le_bytes()].concat();
        for bytes in [&huge[..], &[251, 0, 0], &[0, 0]] {
            assert!(read_metadata(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn languages_come_back_and_lies_are_refused() {
        let languages =
            Languages { names: vec!["de".into(), "fr".into()], entries: vec![(3, 1), (9, 0), (10, 1)] };
        let bytes = languages.write();
        assert_eq!(Languages::read(&bytes, 3).unwrap(), languages);
        assert_eq!(languages.get(9), Some("de"));
        assert_eq!(languages.get(4), None);
        for count in [0, 2, 4, u64::MAX] {
            assert!(Languages::read(&bytes, count).is_err());
        }
    }
}
