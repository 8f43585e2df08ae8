//! The dirents: each for itself, and their order.

use std::ops::Range;

use super::names::Names;
use super::redirects::Redirect;
use super::{Run, short, warning};
use crate::error::{Place, Result, damaged};
use crate::findings::{Finding, Findings};
use crate::zim::dirent::DirentKind;
use crate::zim::namespace;

/// Dirents that one task reads.
const CHUNK: u32 = 8192;

/// An entry's place: cluster, blob, and the number of its dirent. They are sorted so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Use {
    pub cluster: u32,
    pub blob: u32,
    pub entry: u32,
}

/// What the dirents say, kept for what is checked next.
pub(super) struct Dirents {
    /// Where the blobs of entries are; those whose cluster there is.
    pub uses: Vec<Use>,
    /// In order of the dirents.
    pub redirects: Vec<Redirect>,
    /// The paths to which links may lead.
    pub names: Names,
}

/// What a chunk of dirents gave.
#[derive(Default)]
struct Chunk {
    findings: Findings,
    uses: Vec<Use>,
    redirects: Vec<Redirect>,
    hashes: Vec<u64>,
}

/// Namespace and path of a dirent.
type Key = (u8, Vec<u8>);

impl Run<'_> {
    /// Reads all dirents.
    pub(super) fn dirents(&self, findings: &mut Findings) -> Result<Dirents> {
        let names = Names::new();
        let n = self.archive.header().n_entries;
        let (mut uses, mut redirects, mut hashes) = (vec![], vec![], vec![]);
        self.in_chunks(
            n,
            CHUNK,
            |range| self.chunk_of_dirents(range, &names),
            |chunk| {
                findings.extend(chunk.findings);
                uses.extend(chunk.uses);
                redirects.extend(chunk.redirects);
                hashes.extend(chunk.hashes);
            },
        )?;
        Ok(Dirents { uses, redirects, names: names.with(hashes) })
    }

    fn chunk_of_dirents(&self, range: Range<u32>, names: &Names) -> Chunk {
        let mut out = Chunk::default();
        let mut before: Option<Key> = range
            .start
            .checked_sub(1)
            .and_then(|last| self.archive.with_dirent(last, |d| Ok((d.namespace, d.path.to_vec()))).ok());
        for entry in range {
            match self.dirent(entry, before.as_ref(), names, &mut out) {
                Ok(key) => before = Some(key),
                Err(error) => {
                    out.findings.push(self.of_entry(&error, entry));
                    before = None;
                }
            }
        }
        out
    }

    /// Checks one dirent; returns its key. What is wrong with it although it can be read is put out.
    fn dirent(&self, entry: u32, before: Option<&Key>, names: &Names, out: &mut Chunk) -> Result<Key> {
        let header = self.archive.header();
        let one = header.has_one_namespace();
        let (namespace, path, title, kind, sound) = self.archive.with_dirent(entry, |d| {
            let sound = d.check(entry, header.n_entries, header.n_clusters, self.archive.mime_types().len());
            Ok((d.namespace, d.path.to_vec(), d.title.to_vec(), d.kind, sound))
        })?;
        if let Err(error) = self.order(entry, before, (namespace, &path)) {
            out.findings.push(self.of_entry(&error, entry));
        }
        match (kind, &sound) {
            (_, Err(error)) => out.findings.push(self.of_entry(error, entry)),
            (DirentKind::Blob { cluster, blob, .. }, _) => out.uses.push(Use { cluster, blob, entry }),
            (DirentKind::Redirect { target }, _) => out.redirects.push((entry, target)),
            (DirentKind::Legacy, _) => {}
        }
        if let Some(finding) = self.odd_names(entry, namespace, &path, &title) {
            out.findings.push(finding);
        }
        // Old files show every namespace, new ones that of content.
        if self.options.links && (!one || namespace::is_content(namespace, one)) {
            out.hashes.push(names.hash(&namespace::shown(namespace, &path, one)));
        }
        Ok((namespace, path))
    }

    /// A path is found by halving: one that stands in the wrong place is there for nobody.
    fn order(&self, entry: u32, before: Option<&Key>, key: (u8, &[u8])) -> Result<()> {
        let Some((namespace, path)) = before else { return Ok(()) };
        let before = (*namespace, &path[..]);
        let name = |key: (u8, &[u8])| short(&self.name_of(key.0, key.1));
        match before.cmp(&key) {
            std::cmp::Ordering::Less => Ok(()),
            std::cmp::Ordering::Equal => {
                damaged!(Place::Entry(entry), "duplicate path", "the entry before it has the same path")
            }
            std::cmp::Ordering::Greater => damaged!(
                Place::Entry(entry),
                "entry order",
                "it stands behind {}, and may not be found by its path",
                name(before)
            ),
        }
    }

    /// Says what is odd about an entry's names, where no rule forbids it.
    fn odd_names(&self, entry: u32, namespace: u8, path: &[u8], title: &[u8]) -> Option<Finding> {
        let one = self.archive.header().has_one_namespace();
        let known = match one {
            true => matches!(namespace, b'C' | b'M' | b'W' | b'X'),
            false => (32..128).contains(&namespace),
        };
        let (check, what) = if !known {
            (
                "namespace",
                format!("it is in the namespace {:?}, which no reader knows", char::from(namespace)),
            )
        } else if std::str::from_utf8(path).is_err() || std::str::from_utf8(title).is_err() {
            ("name", "its path or title is not UTF-8".to_owned())
        } else {
            return None;
        };
        let name = self.name_of(namespace, path);
        let mut finding = warning(check, format!("entry {entry}, {}: {what}", short(&name)));
        finding.entries.push(name);
        finding.n_entries = 1;
        Some(finding)
    }
}
