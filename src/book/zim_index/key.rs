//! Which ZIM an index is of.

use super::Kind;
use crate::error::{Error, Result};
use crate::fold::TITLE_KEY_VERSION;
use crate::format::first_page::VERSION;
use crate::hex::to_hex;
use crate::item::{Metadata, keys};
use crate::text::words::WORDS_VERSION;
use crate::zim;

/// Raised whenever other titles, words or links of a ZIM would be indexed than before.
const REVISION: u32 = 2;

/// Metadata of an index: of what, and how it was made.
const SIZE: &str = "zim-size";
const CHECKSUM: &str = "zim-checksum";
const KIND: &str = "zim-index";
const MADE_BY: &str = "zim-index-version";

/// What tells a ZIM from all others: the UUID alone does not, since people cut and mend files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    uuid: String,
    size: String,
    checksum: String,
}

impl Key {
    /// Returns the key of a ZIM. The checksum is the one that stands in the file. It is compared with the
    /// file's bytes, which costs the reading of all, only when an index of all words is made: one that is
    /// kept is of the bytes that have it.
    ///
    /// # Errors
    ///
    /// Fails if the ZIM cannot be read.
    pub fn of(zim: &zim::Archive) -> Result<Self> {
        let checksum = match zim.declared_checksum()? {
            Some(checksum) => checksum,
            None => fingerprint(zim)?,
        };
        let size = format!("{:x}", zim.size());
        Ok(Self { uuid: to_hex(&zim.header().uuid), size, checksum: to_hex(&checksum) })
    }

    /// Returns with what the names of all its indexes begin.
    pub fn start(&self) -> String {
        format!("{}-{}-{}-", self.uuid, self.size, self.checksum)
    }

    /// Returns the name of its index of a kind, without the ending.
    pub fn stem(&self, kind: Kind) -> String {
        format!("{}{}-v{}", self.start(), name(kind), version())
    }

    /// Says in an index's metadata of what it is.
    pub fn tell(&self, metadata: &mut Metadata, kind: Kind) {
        self.told(kind).into_iter().for_each(|(key, value)| metadata.set_text(key, value));
    }

    /// Returns true if metadata say that this is what they are of.
    pub fn is_told_by(&self, metadata: &Metadata, kind: Kind) -> bool {
        self.told(kind).iter().all(|(key, value)| metadata.text(key) == Some(value))
    }

    fn told(&self, kind: Kind) -> [(&'static str, String); 5] {
        [
            (keys::UUID, self.uuid.clone()),
            (SIZE, self.size.clone()),
            (CHECKSUM, self.checksum.clone()),
            (KIND, name(kind).to_string()),
            (MADE_BY, version()),
        ]
    }
}

/// Returns true for what the name of an index looks like, whatever version made it.
pub fn is_name(name: &str) -> bool {
    let Some((uuid, rest)) = name.split_at_checked(32) else { return false };
    uuid.bytes().all(|b| b.is_ascii_hexdigit()) && rest.starts_with('-') && rest.contains("-v")
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Titles => "titles",
        Kind::FullText => "text",
    }
}

/// Returns the version of all that decides what is in an index.
fn version() -> String {
    let (major, minor) = VERSION;
    format!("{major}.{minor}.{TITLE_KEY_VERSION}.{WORDS_VERSION}.{REVISION}")
}

/// Returns what stands for the checksum of a file that is so old that it has none: a hash of its header
/// and of what its dirents say. Costs the reading of them all.
fn fingerprint(zim: &zim::Archive) -> Result<[u8; 16]> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(format!("{:?} {:?}", zim.header(), zim.mime_types()).as_bytes());
    for entry in zim.entries() {
        match entry {
            Ok(entry) => hasher.update(format!("{entry:?}").as_bytes()),
            Err(error @ Error::Io { .. }) => return Err(error),
            Err(_) => hasher.update(&[0]),
        };
    }
    let mut out = [0; 16];
    out.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    Ok(out)
}
