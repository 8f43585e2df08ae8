//! What an archive says of itself, and its pictures.

use super::Archive;
use crate::error::{Error, Place, Result, damaged};
use crate::item::{Value, escape_bytes, unescape_bytes};
use crate::limits::MAX_METADATA;
use crate::zim::dirent::DirentKind;
use crate::zim::namespace::METADATA;

/// A picture that stands for the archive.
#[derive(Debug, Clone, PartialEq)]
pub struct Illustration {
    /// Its key in the metadata; nothing for a favicon of old files.
    pub key: Option<String>,
    /// Its width, in pixels of the page.
    pub width: u32,
    /// Its height, in pixels of the page.
    pub height: u32,
    /// How many pixels of the picture are one of the page, in each direction.
    pub scale: f32,
}

const ILLUSTRATION: &str = "Illustration_";

/// Where old files have their picture: in namespaces of their own, or under C, as new files keep them.
const FAVICONS: [(u8, &[u8]); 10] = [
    (b'-', b"favicon"),
    (b'-', b"favicon.png"),
    (b'I', b"favicon"),
    (b'I', b"favicon.png"),
    (b'W', b"favicon"),
    (b'C', b"favicon"),
    (b'C', b"favicon.png"),
    (b'C', b"-/favicon"),
    (b'C', b"I/favicon"),
    (b'C', b"I/favicon.png"),
];

/// How large that is said to be.
const FAVICON_SIZE: u32 = 48;

impl Archive {
    /// Returns the metadata, by ZIM's own keys, in order of the keys. A key whose value cannot be read is
    /// left out, and so is what goes beyond [`MAX_METADATA`] bytes in all:
    /// [`Archive::metadata_and_lost`] says what.
    ///
    /// # Errors
    ///
    /// Fails if the keys cannot be read, or the medium fails.
    pub fn metadata(&self) -> Result<Vec<(String, Value)>> {
        Ok(self.metadata_and_lost()?.0)
    }

    /// Returns the metadata as [`Archive::metadata`] does, and the keys whose values are left out, with why.
    ///
    /// # Errors
    ///
    /// As [`Archive::metadata`].
    #[allow(clippy::type_complexity, reason = "what was found and what was not")]
    pub fn metadata_and_lost(&self) -> Result<(Vec<(String, Value)>, Vec<(String, Error)>)> {
        let (mut out, mut lost) = (vec![], vec![]);
        // Many keys may share one blob: a small file can ask for any number of copies.
        let mut left = MAX_METADATA as u64;
        for (index, key) in self.metadata_indexes()? {
            match self.value_of(index, left) {
                Ok(Some(value)) => {
                    left -= left.min(value.bytes.len() as u64);
                    out.push((key, value));
                }
                Ok(None) => {}
                Err(error @ Error::Io { .. }) => return Err(error),
                Err(error) => lost.push((key, error)),
            }
        }
        Ok((out, lost))
    }

    /// Returns the keys of the metadata, in order; what is not UTF-8 in one is escaped.
    ///
    /// # Errors
    ///
    /// Fails if a dirent on the way is damaged.
    pub fn metadata_keys(&self) -> Result<Vec<String>> {
        Ok(self.metadata_indexes()?.into_iter().map(|(_, key)| key).collect())
    }

    fn metadata_indexes(&self) -> Result<Vec<(u32, String)>> {
        let mut out = vec![];
        for index in self.lower_bound(METADATA, b"")?..self.header.n_entries {
            let (namespace, key) = self.with_dirent(index, |d| Ok((d.namespace, escape_bytes(d.path))))?;
            if namespace != METADATA {
                break;
            }
            out.push((index, key));
        }
        Ok(out)
    }

    /// Returns the value of a key of the metadata.
    ///
    /// # Errors
    ///
    /// Fails if it is damaged, or longer than [`MAX_METADATA`].
    pub fn metadata_value(&self, key: &str) -> Result<Option<Value>> {
        let bytes = unescape_bytes(key).unwrap_or_else(|| key.as_bytes().to_vec());
        match self.find(METADATA, &bytes)? {
            Some(index) => self.value_of(index, MAX_METADATA as u64),
            None => Ok(None),
        }
    }

    /// Returns the bytes of a dirent of any namespace, through redirects, if they are no more than `most`;
    /// nothing if they lead nowhere.
    fn value_of(&self, index: u32, most: u64) -> Result<Option<Value>> {
        let Some(index) = self.resolve_index(index)? else { return Ok(None) };
        let DirentKind::Blob { mime, .. } = self.dirent_head(index)?.1 else { return Ok(None) };
        let (cluster, range) = self.blob_place(index)?;
        let len = range.end - range.start;
        if len > most {
            let what = "a value of the metadata".into();
            return Err(Error::LimitExceeded { what, limit: most, wanted: len });
        }
        let Some(mime) = self.mimes.get(usize::from(mime)).cloned() else {
            return damaged!(Place::Entry(index), "mime type", "number {mime} of {}", self.mimes.len());
        };
        let bytes = self.read_blob(&cluster, range)?.into_vec();
        Ok(Some(Value { mime, bytes }))
    }

    /// Returns the picture of a width and height in pixels, at scale 1; for 48, also that of old files,
    /// whatever size it is.
    ///
    /// # Errors
    ///
    /// As [`Archive::metadata_value`].
    pub fn illustration(&self, size: u32) -> Result<Option<Value>> {
        let found = self.metadata_value(&format!("{ILLUSTRATION}{size}x{size}@1"))?;
        if found.is_some() || size != FAVICON_SIZE {
            return Ok(found);
        }
        match self.favicon()? {
            Some(index) => self.value_of(index, MAX_METADATA as u64),
            None => Ok(None),
        }
    }

    /// Returns the dirent of the picture of old files.
    pub(in crate::zim) fn favicon(&self) -> Result<Option<u32>> {
        for (namespace, path) in FAVICONS {
            if let Some(index) = self.find(namespace, path)? {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    /// Returns what pictures there are, in order of their keys, that of old files last.
    ///
    /// # Errors
    ///
    /// Fails if a dirent on the way is damaged.
    pub fn illustrations(&self) -> Result<Vec<Illustration>> {
        let mut out: Vec<Illustration> =
            self.metadata_keys()?.into_iter().filter_map(|key| parse_illustration(&key)).collect();
        let is_usual =
            |i: &Illustration| i.width == FAVICON_SIZE && i.height == FAVICON_SIZE && i.scale == 1.0;
        if !out.iter().any(is_usual) && self.favicon()?.is_some() {
            out.push(Illustration { key: None, width: FAVICON_SIZE, height: FAVICON_SIZE, scale: 1.0 });
        }
        Ok(out)
    }

    /// Returns how many entries of each mime type the archive says it has, in its own order; parameters
    /// of the types are kept.
    ///
    /// # Errors
    ///
    /// As [`Archive::metadata_value`].
    pub fn declared_counts(&self) -> Result<Option<Vec<(String, u64)>>> {
        let Some(value) = self.metadata_value("Counter")? else { return Ok(None) };
        Ok(Some(parse_counter(&String::from_utf8_lossy(&value.bytes))))
    }

    /// Returns how many articles there are as libzim counts them: those listed, else what the archive says
    /// of its pages, else all that could be.
    ///
    /// # Errors
    ///
    /// As [`Archive::metadata_value`].
    pub fn article_count(&self) -> Result<u64> {
        if let Some(n) = self.n_listed_articles()? {
            return Ok(u64::from(n));
        }
        match self.declared_counts()? {
            Some(counts) => Ok(sum(&counts, &["text/html"])),
            None => self.front_range().map(|range| u64::from(range.end - range.start)),
        }
    }

    /// Returns how many pictures, sounds and videos there are as libzim counts them: what the archive says
    /// of itself, else how many entries namespaces `I` and `J` have.
    ///
    /// # Errors
    ///
    /// As [`Archive::metadata_value`].
    pub fn media_count(&self) -> Result<u64> {
        if let Some(counts) = self.declared_counts()? {
            return Ok(sum(&counts, &["image/", "video/", "audio/"]));
        }
        let (start, end) = (self.lower_bound(b'I', b"")?, self.lower_bound(b'K', b"")?);
        Ok(u64::from(end.saturating_sub(start)))
    }
}

fn sum(counts: &[(String, u64)], kinds: &[&str]) -> u64 {
    let of_kind = |mime: &str| kinds.iter().any(|kind| mime.starts_with(kind));
    counts.iter().filter(|(mime, _)| of_kind(mime)).fold(0, |sum, (_, n)| sum.saturating_add(*n))
}

/// Reads `mime=count;mime=count`, in which old writers left parameters (`text/html;raw=true=3`).
fn parse_counter(text: &str) -> Vec<(String, u64)> {
    let mut out = vec![];
    let mut mime = String::new();
    for part in text.split(';') {
        match part.rsplit_once('=').and_then(|(name, n)| Some((name, n.trim().parse().ok()?))) {
            Some((name, n)) => {
                mime.push_str(name);
                out.push((std::mem::take(&mut mime), n));
            }
            // The beginning of a type with parameters.
            None => {
                mime.push_str(part);
                mime.push(';');
            }
        }
    }
    out
}

/// Reads `Illustration_48x48@1`, after which attributes may stand (`;lang=en`).
fn parse_illustration(key: &str) -> Option<Illustration> {
    let (size, scale) = key.strip_prefix(ILLUSTRATION)?.split_once('@')?;
    let (width, height) = size.split_once('x')?;
    let scale: f32 = scale.split(';').next()?.parse().ok()?;
    let key = Some(key.to_owned());
    Some(Illustration { key, width: width.parse().ok()?, height: height.parse().ok()?, scale })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_with_parameters_in_them() {
        let read = |text| parse_counter(text);
        assert_eq!(
            read("image/png=1;text/html=2"),
            [("image/png".to_owned(), 1), ("text/html".to_owned(), 2)]
        );
        assert_eq!(
            read("text/html;raw=true=5;text/css=1;"),
            [("text/html;raw=true".to_owned(), 5), ("text/css".to_owned(), 1)]
        );
        assert_eq!(read(""), []);
        assert_eq!(read("nonsense"), []);
    }

    #[test]
    fn illustrations_are_known_by_their_keys() {
        let read = |key: &str| parse_illustration(key).map(|i| (i.width, i.height, i.scale));
        assert_eq!(read("Illustration_48x48@1"), Some((48, 48, 1.0)));
        assert_eq!(read("Illustration_96x48@2;lang=en"), Some((96, 48, 2.0)));
        for other in
            ["Illustration_", "Illustration_48x48", "Illustration_48@1", "Illustration_-1x1@1", "Title"]
        {
            assert_eq!(read(other), None);
        }
    }
}
