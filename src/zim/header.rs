//! The header: 80 bytes that say where everything is.

use crate::error::{Error, Place, Result, damaged};

/// What a ZIM begins with.
pub const MAGIC: [u8; 4] = *b"ZIM\x04";

/// A number that stands for no dirent, and a position that stands for no list.
pub(super) const NONE: u32 = u32::MAX;
pub(super) const NO_LIST: u64 = u64::MAX;

/// The header of a ZIM, as it stands in the file; [`Header::parse`] has checked what can be checked
/// without reading more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// 5 or 6.
    pub major: u16,
    /// 0 in old files; from 1 on there is one namespace for all content.
    pub minor: u16,
    /// What the file is known by.
    pub uuid: [u8; 16],
    /// How many dirents there are, of all namespaces.
    pub n_entries: u32,
    /// How many clusters there are.
    pub n_clusters: u32,
    /// Where the list of dirents is: 8 bytes for each, in order of namespace and path.
    pub path_pointers: u64,
    /// Where the list by titles is: 4 bytes for each dirent; all ones if there is none.
    pub title_pointers: u64,
    /// Where the list of clusters is: 8 bytes for each.
    pub cluster_pointers: u64,
    /// Where the list of mime types is: right behind the header.
    pub mime_list: u64,
    /// The number of the main page's dirent; all ones if there is none.
    pub main_page: u32,
    /// Unused.
    pub layout_page: u32,
    /// Where the checksum is: the last 16 bytes. 0 in files so old that they have none.
    pub checksum: u64,
}

impl Header {
    /// Its length in the file.
    pub const SIZE: usize = 80;

    /// Its length in files without a checksum.
    const OLD_SIZE: u64 = 72;

    /// Reads a header, of a file of `len` bytes.
    ///
    /// # Errors
    ///
    /// Fails if these are no ZIM's first bytes, if its version is unknown, or if what it says cannot be.
    pub fn parse(bytes: &[u8], len: u64) -> Result<Self> {
        if !bytes.starts_with(&MAGIC) {
            let start = bytes.get(..4).unwrap_or(bytes);
            let found = format!("it begins with {start:02x?}, not as a ZIM does");
            return Err(Error::NotAnArchive { found });
        }
        let n = bytes.len();
        let Some(bytes) = bytes.first_chunk::<{ Self::SIZE }>() else {
            return damaged!(
                Place::Section("header", 0),
                "header length",
                "{n} bytes, it has {}",
                Self::SIZE
            );
        };
        let u16_at = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let u32_at = |at: usize| u32::from(u16_at(at)) | u32::from(u16_at(at + 2)) << 16;
        let u64_at = |at: usize| u64::from(u32_at(at)) | u64::from(u32_at(at + 4)) << 32;
        let mut uuid = [0; 16];
        uuid.copy_from_slice(&bytes[8..24]);
        let header = Self {
            major: u16_at(4),
            minor: u16_at(6),
            uuid,
            n_entries: u32_at(24),
            n_clusters: u32_at(28),
            path_pointers: u64_at(32),
            title_pointers: u64_at(40),
            cluster_pointers: u64_at(48),
            mime_list: u64_at(56),
            main_page: u32_at(64),
            layout_page: u32_at(68),
            // The field is the mime list's first bytes where that begins earlier.
            checksum: if u64_at(56) < Self::SIZE as u64 { 0 } else { u64_at(72) },
        };
        header.check(len)?;
        Ok(header)
    }

    /// Returns the header's bytes.
    pub(super) fn write(&self) -> [u8; Self::SIZE] {
        let mut out = [0; Self::SIZE];
        let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &MAGIC);
        put(4, &self.major.to_le_bytes());
        put(6, &self.minor.to_le_bytes());
        put(8, &self.uuid);
        put(24, &self.n_entries.to_le_bytes());
        put(28, &self.n_clusters.to_le_bytes());
        put(32, &self.path_pointers.to_le_bytes());
        put(40, &self.title_pointers.to_le_bytes());
        put(48, &self.cluster_pointers.to_le_bytes());
        put(56, &self.mime_list.to_le_bytes());
        put(64, &self.main_page.to_le_bytes());
        put(68, &self.layout_page.to_le_bytes());
        put(72, &self.checksum.to_le_bytes());
        out
    }

    fn check(&self, len: u64) -> Result<()> {
        let at = |byte| Place::Section("header", byte);
        if !matches!(self.major, 5 | 6) {
            return Err(Error::Unsupported {
                found: format!("ZIM version {}.{}", self.major, self.minor),
                supported: "ZIM versions 5 and 6".into(),
            });
        }
        if (self.n_entries == 0) != (self.n_clusters == 0) || self.n_clusters > self.n_entries {
            let Self { n_entries, n_clusters, .. } = self;
            return damaged!(at(24), "counts", "{n_entries} entries in {n_clusters} clusters");
        }
        if !matches!(self.mime_list, Self::OLD_SIZE | 80) {
            return damaged!(at(56), "mime list position", "{}, expected 80", self.mime_list);
        }
        self.check_list(32, self.path_pointers, 8, self.n_entries, len)?;
        self.check_list(48, self.cluster_pointers, 8, self.n_clusters, len)?;
        // A header that has room for the field uses it.
        if self.mime_list != Self::OLD_SIZE && self.checksum.checked_add(16) != Some(len) {
            let Self { checksum, .. } = self;
            return damaged!(
                at(72),
                "checksum position",
                "{checksum}; in a file of {len} bytes it is {}",
                len.wrapping_sub(16)
            );
        }
        Ok(())
    }

    fn check_list(&self, field: u64, start: u64, width: u64, n: u32, len: u64) -> Result<()> {
        let name = match field {
            32 => "path pointers position",
            40 => "title pointers position",
            _ => "cluster pointers position",
        };
        let end = (u64::from(n) * width).checked_add(start);
        if start < self.mime_list || end.is_none_or(|end| end > len) {
            let place = Place::Section("header", field);
            return damaged!(place, name, "{n} times {width} bytes at {start} of {len}");
        }
        Ok(())
    }

    /// Checks where the list by titles is, which [`Header::parse`] does not: a reader that has the other
    /// list, of articles only, never looks there, and real files exist that have a 0 in this field.
    ///
    /// # Errors
    ///
    /// Fails if it is neither absent nor within a file of `len` bytes.
    pub fn check_title_pointers(&self, len: u64) -> Result<()> {
        if self.title_pointers == NO_LIST {
            return Ok(());
        }
        self.check_list(40, self.title_pointers, 4, self.n_entries, len)
    }

    /// Returns true if all content is in one namespace, which paths do not show.
    pub fn has_one_namespace(&self) -> bool {
        self.minor >= 1
    }

    /// Returns where content and lists end: at the checksum, or at the end of the file.
    pub(super) fn end(&self, len: u64) -> u64 {
        if self.checksum == 0 { len } else { self.checksum }
    }
}
