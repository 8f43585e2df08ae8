//! The bytes of dirents and of the header.

/// What a dirent of ours holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// A mime type's index, a cluster and the number in it.
    Content(u16, u32, u32),
    /// The index of the dirent to which it leads.
    Redirect(u32),
}

/// Returns the bytes of a dirent. An empty title stands for the path.
pub fn dirent(namespace: u8, path: &[u8], title: &[u8], held: Held) -> Vec<u8> {
    let mut out = Vec::with_capacity(18 + path.len() + title.len());
    let mime = match held {
        Held::Content(mime, ..) => mime,
        Held::Redirect(_) => 0xffff,
    };
    out.extend_from_slice(&mime.to_le_bytes());
    // No parameters, and no revision.
    out.extend_from_slice(&[0, namespace, 0, 0, 0, 0]);
    match held {
        Held::Content(_, cluster, n) => {
            out.extend_from_slice(&cluster.to_le_bytes());
            out.extend_from_slice(&n.to_le_bytes());
        }
        Held::Redirect(target) => out.extend_from_slice(&target.to_le_bytes()),
    }
    out.extend_from_slice(path);
    out.push(0);
    out.extend_from_slice(title);
    out.push(0);
    out
}

/// What the header says.
#[derive(Debug, Clone, Copy)]
pub struct Header {
    /// The minor version.
    pub minor: u16,
    /// The file's identity.
    pub uuid: [u8; 16],
    /// Dirents.
    pub entries: u32,
    /// Clusters.
    pub clusters: u32,
    /// Where the pointers to dirents stand.
    pub paths_at: u64,
    /// Where the list of all titles stands, if there is one.
    pub titles_at: Option<u64>,
    /// Where the pointers to clusters stand.
    pub clusters_at: u64,
    /// The dirent of the main page, if there is one.
    pub main: Option<u32>,
    /// Where the checksum stands.
    pub checksum_at: u64,
}

/// Bytes of the header; the mime types follow.
pub const HEADER: u64 = 80;

impl Header {
    /// Returns the header's bytes.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER as usize);
        out.extend_from_slice(b"ZIM\x04");
        out.extend_from_slice(&6u16.to_le_bytes());
        out.extend_from_slice(&self.minor.to_le_bytes());
        out.extend_from_slice(&self.uuid);
        out.extend_from_slice(&self.entries.to_le_bytes());
        out.extend_from_slice(&self.clusters.to_le_bytes());
        let titles_at = self.titles_at.unwrap_or(u64::MAX);
        for at in [self.paths_at, titles_at, self.clusters_at, HEADER] {
            out.extend_from_slice(&at.to_le_bytes());
        }
        out.extend_from_slice(&self.main.unwrap_or(u32::MAX).to_le_bytes());
        // A layout page, which nobody has.
        out.extend_from_slice(&u32::MAX.to_le_bytes());
        out.extend_from_slice(&self.checksum_at.to_le_bytes());
        out
    }
}

/// Returns a version-8 UUID (RFC 9562) of a hash.
pub fn uuid_of(hash: &blake3::Hash) -> [u8; 16] {
    let mut uuid: [u8; 16] = hash.as_bytes().first_chunk().copied().unwrap_or_default();
    uuid[6] = uuid[6] & 0x0f | 0x80;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    uuid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_that_are_made_say_so() {
        let made = uuid_of(&blake3::hash(b"x"));
        assert_eq!((made[6] >> 4, made[8] >> 6), (8, 2));
    }

    #[test]
    fn dirents_are_as_libzim_writes_them() {
        assert_eq!(
            dirent(b'C', b"p", b"t", Held::Content(2, 3, 4)),
            b"\x02\0\0C\0\0\0\0\x03\0\0\0\x04\0\0\0p\0t\0"
        );
        assert_eq!(dirent(b'W', b"p", b"", Held::Redirect(5)), b"\xff\xff\0W\0\0\0\0\x05\0\0\0p\0\0");
    }
}
