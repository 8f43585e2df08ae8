//! A dirent: what stands in a ZIM for an entry.

use std::cmp::Ordering;
use std::ffi::CStr;

use crate::error::{Place, Result, damaged};

/// A dirent, its names as they stand in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dirent<'a> {
    pub namespace: u8,
    pub path: &'a [u8],
    /// Empty if it is the path.
    pub title: &'a [u8],
    pub kind: DirentKind,
    /// How many bytes of parameters are said to follow the title; nobody reads them.
    pub parameter_len: u8,
    /// Its length in the file, parameters included.
    pub len: usize,
}

/// What a dirent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DirentKind {
    Blob {
        mime: u16,
        cluster: u32,
        blob: u32,
    },
    Redirect {
        target: u32,
    },
    /// One of two kinds that old files may have and nobody reads: a link target, a deleted entry.
    Legacy,
}

const REDIRECT: u16 = 0xffff;
const LINK_TARGET: u16 = 0xfffe;
const DELETED: u16 = 0xfffd;

/// Bytes before the strings.
const BLOB_HEAD: usize = 16;
const REDIRECT_HEAD: usize = 12;
const LEGACY_HEAD: usize = 8;

/// The longest dirent that is read. The format has no bound; its writers take 65,535 bytes for path and
/// title together, and without one a missing end would be looked for through the whole file.
pub(super) const MAX_DIRENT: u64 = 4 << 20;

/// Returned where more bytes are needed than were given.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct More;

/// Reads the fixed part: namespace, kind, parameter length, and where the strings begin.
fn head(bytes: &[u8]) -> std::result::Result<(u8, DirentKind, u8, usize), More> {
    let head = bytes.first_chunk::<LEGACY_HEAD>().ok_or(More)?;
    let u32_at = |at: usize| -> std::result::Result<u32, More> {
        let four = bytes.get(at..).and_then(|b| b.first_chunk::<4>()).ok_or(More)?;
        Ok(u32::from_le_bytes(*four))
    };
    let (kind, start) = match u16::from_le_bytes([head[0], head[1]]) {
        REDIRECT => (DirentKind::Redirect { target: u32_at(8)? }, REDIRECT_HEAD),
        LINK_TARGET | DELETED => (DirentKind::Legacy, LEGACY_HEAD),
        mime => (DirentKind::Blob { mime, cluster: u32_at(8)?, blob: u32_at(12)? }, BLOB_HEAD),
    };
    Ok((head[3], kind, head[2], start))
}

/// Reads the fixed part of the dirent that begins with these bytes: its namespace and what it is.
pub(super) fn parse_head(bytes: &[u8]) -> std::result::Result<(u8, DirentKind), More> {
    head(bytes).map(|(namespace, kind, ..)| (namespace, kind))
}

fn until_nul(bytes: &[u8]) -> std::result::Result<&[u8], More> {
    CStr::from_bytes_until_nul(bytes).map(CStr::to_bytes).map_err(|_| More)
}

/// Compares the namespace and path of the dirent that begins with these bytes with those of a key,
/// without looking for the path's end. The key's path has no byte 0.
pub(super) fn compare_path(bytes: &[u8], namespace: u8, path: &[u8]) -> std::result::Result<Ordering, More> {
    let (own, _, _, start) = head(bytes)?;
    if own != namespace {
        return Ok(own.cmp(&namespace));
    }
    let names = bytes.get(start..).ok_or(More)?;
    // The byte 0 that ends the stored path is less than any byte of the key's.
    match names.get(..path.len()) {
        Some(same_len) => match same_len.cmp(path) {
            Ordering::Equal => match names.get(path.len()) {
                Some(0) => Ok(Ordering::Equal),
                Some(_) => Ok(Ordering::Greater),
                None => Err(More),
            },
            other => Ok(other),
        },
        None => until_nul(names).map(|own| own.cmp(path)),
    }
}

impl<'a> Dirent<'a> {
    /// Returns the bytes of a dirent without parameters.
    pub fn write(namespace: u8, path: &[u8], title: &[u8], kind: DirentKind) -> Vec<u8> {
        let number = match kind {
            DirentKind::Blob { mime, .. } => mime,
            DirentKind::Redirect { .. } => REDIRECT,
            DirentKind::Legacy => DELETED,
        };
        let mut out = Vec::with_capacity(BLOB_HEAD + path.len() + title.len() + 2);
        out.extend_from_slice(&number.to_le_bytes());
        // No parameters, and no revision.
        out.extend_from_slice(&[0, namespace, 0, 0, 0, 0]);
        match kind {
            DirentKind::Blob { cluster, blob, .. } => {
                out.extend_from_slice(&cluster.to_le_bytes());
                out.extend_from_slice(&blob.to_le_bytes());
            }
            DirentKind::Redirect { target } => out.extend_from_slice(&target.to_le_bytes()),
            DirentKind::Legacy => {}
        }
        for name in [path, title] {
            out.extend_from_slice(name);
            out.push(0);
        }
        out
    }

    /// Reads the dirent that begins with these bytes, which may go on behind it.
    pub fn parse(bytes: &'a [u8]) -> std::result::Result<Self, More> {
        let (namespace, kind, parameter_len, start) = head(bytes)?;
        let names = bytes.get(start..).ok_or(More)?;
        let path = until_nul(names)?;
        let title = until_nul(names.get(path.len() + 1..).ok_or(More)?)?;
        let len = start + path.len() + title.len() + 2 + usize::from(parameter_len);
        if bytes.len() < len {
            return Err(More);
        }
        Ok(Self { namespace, path, title, kind, parameter_len, len })
    }

    /// Returns the title's bytes.
    pub fn title(&self) -> &'a [u8] {
        if self.title.is_empty() { self.path } else { self.title }
    }

    /// Checks what a dirent says against what the file has.
    pub fn check(&self, index: u32, n_entries: u32, n_clusters: u32, n_mimes: usize) -> Result<()> {
        let place = Place::Entry(index);
        match self.kind {
            DirentKind::Blob { mime, .. } if usize::from(mime) >= n_mimes => {
                damaged!(place, "mime type", "number {mime} of {n_mimes}")
            }
            DirentKind::Blob { cluster, .. } if cluster >= n_clusters => {
                damaged!(place, "cluster number", "{cluster} of {n_clusters}")
            }
            DirentKind::Redirect { target } if target >= n_entries => {
                damaged!(place, "redirect", "to entry {target} of {n_entries}")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dirent(namespace: u8, path: &[u8], title: &[u8]) -> Vec<u8> {
        Dirent::write(namespace, path, title, DirentKind::Blob { mime: 1, cluster: 2, blob: 3 })
    }

    #[test]
    fn dirents_are_as_libzim_writes_them() {
        let blob = DirentKind::Blob { mime: 2, cluster: 3, blob: 4 };
        assert_eq!(Dirent::write(b'C', b"p", b"t", blob), b"\x02\0\0C\0\0\0\0\x03\0\0\0\x04\0\0\0p\0t\0");
        let redirect = DirentKind::Redirect { target: 5 };
        assert_eq!(Dirent::write(b'W', b"p", b"", redirect), b"\xff\xff\0W\0\0\0\0\x05\0\0\0p\0\0");
    }

    #[test]
    fn a_dirent_is_read_and_nothing_shorter_is() {
        let bytes = dirent(b'C', b"a/b", b"Title");
        let read = Dirent::parse(&bytes).unwrap();
        assert_eq!((read.namespace, read.path, read.title()), (b'C', &b"a/b"[..], &b"Title"[..]));
        assert_eq!(read.kind, DirentKind::Blob { mime: 1, cluster: 2, blob: 3 });
        assert_eq!(read.len, bytes.len());
        for len in 0..bytes.len() {
            assert_eq!(Dirent::parse(&bytes[..len]), Err(More), "{len}");
        }
        assert_eq!(Dirent::parse(&dirent(b'C', b"a", b"")).unwrap().title(), b"a");
    }

    #[test]
    fn p09_parameters_longer_than_the_rest_ask_for_more() {
        let mut bytes = dirent(b'C', b"a", b"");
        bytes[2] = 5;
        assert_eq!(Dirent::parse(&bytes), Err(More));
        bytes.extend([0, 1, 2, 0, 4]);
        assert_eq!(Dirent::parse(&bytes).unwrap().len, bytes.len());
    }

    #[test]
    fn comparing_in_place_is_comparing_paths() {
        let paths: [&[u8]; 7] = [b"", b"a", b"ab", b"ab/c", b"b", b"\xff", "é".as_bytes()];
        for own in paths {
            for key in paths {
                for (own_ns, key_ns) in [(b'A', b'A'), (b'A', b'C'), (b'M', b'C')] {
                    // What follows the path must not matter.
                    for title in [&b""[..], b"zz"] {
                        let bytes = dirent(own_ns, own, title);
                        let expected = (own_ns, own).cmp(&(key_ns, key));
                        assert_eq!(compare_path(&bytes, key_ns, key), Ok(expected), "{own:?} {key:?}");
                    }
                }
            }
        }
        assert_eq!(compare_path(&dirent(b'A', b"ab", b"")[..17], b'A', b"a"), Err(More));
    }
}
