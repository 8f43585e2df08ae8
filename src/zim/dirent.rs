//! A dirent: what stands in a ZIM for an entry.

use crate::error::{Place, Result, damaged};

/// A dirent, its names as they stand in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dirent<'a> {
    pub namespace: u8,
    pub path: &'a [u8],
    /// Empty if it is the path.
    pub title: &'a [u8],
    pub kind: DirentKind,
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

/// Returned where more bytes are needed than were given.
pub(super) struct More;

impl<'a> Dirent<'a> {
    /// Reads the dirent that begins with these bytes, which may go on behind it.
    pub fn parse(bytes: &'a [u8]) -> std::result::Result<Self, More> {
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
        let names = bytes.get(start..).ok_or(More)?;
        let path_end = names.iter().position(|&b| b == 0).ok_or(More)?;
        let rest = &names[path_end + 1..];
        let title_end = rest.iter().position(|&b| b == 0).ok_or(More)?;
        Ok(Self { namespace: head[3], path: &names[..path_end], title: &rest[..title_end], kind })
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
