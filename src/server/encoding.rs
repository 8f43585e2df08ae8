//! The encodings of answers: which one a client wants, and what was encoded before.

use std::io::Write;

use bytes::Bytes;

use crate::codec;

/// What is shorter gains nothing.
const MIN: usize = 512;

/// What is longer is sent as it is: encoding it would take longer than sending it.
pub const MAX: usize = 4 << 20;

/// An encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// Gzip, RFC 1952.
    Gzip,
    /// Zstandard, RFC 8878, with a window of 8 MiB at most.
    Zstd,
}

impl Encoding {
    /// Returns what a header calls it.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }

    /// Returns what tells its bytes from those of others in a tag.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Identity => "",
            Self::Gzip => "-g",
            Self::Zstd => "-z",
        }
    }

    /// Chooses of what a client accepts: its favourite, of equal ones zstd before gzip.
    pub fn wanted(accept: Option<&str>) -> Self {
        let Some(accept) = accept else { return Self::Identity };
        let weight = |name: &str| {
            let mut any = None;
            for part in accept.split(',').take(32) {
                let mut fields = part.split(';');
                let coding = fields.next().unwrap_or_default().trim();
                let q = fields
                    .find_map(|f| f.trim().strip_prefix("q=")?.trim().parse::<f32>().ok())
                    .unwrap_or(1.0);
                if coding.eq_ignore_ascii_case(name) {
                    return Some(q);
                }
                if coding == "*" {
                    any = Some(q);
                }
            }
            any
        };
        // Without a word of it, as-it-is is always possible, and the last choice.
        let identity = weight("identity").unwrap_or(0.0);
        let mut best = (Self::Identity, identity.max(f32::MIN_POSITIVE));
        for (coding, name) in [(Self::Gzip, "gzip"), (Self::Zstd, "zstd")] {
            match weight(name) {
                Some(q) if q > 0.0 && q >= best.1 => best = (coding, q),
                _ => {}
            }
        }
        best.0
    }

    /// Encodes bytes.
    fn encode(self, bytes: &Bytes) -> Option<Bytes> {
        match self {
            Self::Identity => None,
            Self::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(
                    Vec::with_capacity(bytes.len() / 3),
                    flate2::Compression::new(5),
                );
                encoder.write_all(bytes).ok()?;
                Some(encoder.finish().ok()?.into())
            }
            Self::Zstd => codec::try_compress(bytes, 3).map(Bytes::from),
        }
    }
}

/// Returns true for types that compress; pictures, sound and archives are compressed already.
pub fn is_compressible(mime: &str) -> bool {
    let essence = crate::text::essence(mime).to_ascii_lowercase();
    essence.starts_with("text/")
        || essence.ends_with("+xml")
        || essence.ends_with("+json")
        || matches!(
            essence.as_str(),
            "application/json"
                | "application/javascript"
                | "application/xml"
                | "application/x-javascript"
                | "application/wasm"
                | "application/x-ndjson"
                | "image/bmp"
                | "image/x-icon"
                | "image/vnd.microsoft.icon"
                | "font/ttf"
                | "font/otf"
        )
}

/// What was encoded before, by the tag of its bytes.
pub struct Cache(quick_cache::sync::Cache<(String, Encoding), Bytes, Weigh>);

#[derive(Clone)]
struct Weigh;

impl quick_cache::Weighter<(String, Encoding), Bytes> for Weigh {
    fn weight(&self, key: &(String, Encoding), bytes: &Bytes) -> u64 {
        (key.0.len() + bytes.len() + 128) as u64
    }
}

impl Cache {
    /// Returns a cache of so many bytes.
    pub fn new(bytes: u64) -> Self {
        Self(quick_cache::sync::Cache::with_weighter(1024, bytes, Weigh))
    }

    /// Returns how many bytes are kept.
    pub fn weight(&self) -> u64 {
        self.0.weight()
    }

    /// Returns bytes in an encoding; nothing if it makes them no shorter. Kept if they have a tag.
    pub fn encode(&self, tag: Option<&str>, encoding: Encoding, bytes: &Bytes) -> Option<Bytes> {
        if encoding == Encoding::Identity || !(MIN..=MAX).contains(&bytes.len()) {
            return None;
        }
        let encoded = match tag {
            Some(tag) => {
                let key = (tag.to_owned(), encoding);
                match self.0.get(&key) {
                    Some(kept) => kept,
                    None => {
                        let encoded = encoding.encode(bytes)?;
                        self.0.insert(key, encoded.clone());
                        encoded
                    }
                }
            }
            None => encoding.encode(bytes)?,
        };
        (encoded.len() < bytes.len()).then_some(encoded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_what_it_likes_best() {
        use Encoding::{Gzip, Identity, Zstd};
        for (accept, expected) in [
            ("gzip, deflate, br, zstd", Zstd),
            ("gzip", Gzip),
            ("gzip;q=1.0, zstd;q=0.5", Gzip),
            ("zstd;q=0, gzip;q=0.1", Gzip),
            ("*", Zstd),
            ("*;q=0", Identity),
            ("identity", Identity),
            ("identity;q=1, gzip;q=0.5", Identity),
            ("br", Identity),
            ("", Identity),
            (";;q=,,=", Identity),
        ] {
            assert_eq!(Encoding::wanted(Some(accept)), expected, "{accept}");
        }
        assert_eq!(Encoding::wanted(None), Identity);
    }

    #[test]
    fn what_was_encoded_is_kept_within_bounds_and_decodes_to_the_same() {
        let cache = Cache::new(10_000);
        let bytes = Bytes::from("one and the same sentence. ".repeat(400));
        for i in 0..200 {
            let zstd = cache.encode(Some(&format!("{i}")), Encoding::Zstd, &bytes).unwrap();
            assert_eq!(codec::decode(&zstd, bytes.len(), None, crate::error::Place::File).unwrap(), bytes);
        }
        assert!(cache.weight() <= 10_000);
        let gzip = cache.encode(None, Encoding::Gzip, &bytes).unwrap();
        let mut out = vec![];
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&gzip[..]), &mut out).unwrap();
        assert_eq!(out, bytes);
        assert_eq!(cache.encode(None, Encoding::Gzip, &Bytes::from("short")), None);
        assert_eq!(cache.encode(None, Encoding::Identity, &bytes), None);
    }
}
