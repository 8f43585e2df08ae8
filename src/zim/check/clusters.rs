//! The clusters, and what is in them.

use super::dirents::{Dirents, Use};
use super::duplicates::{Digest, digest};
use super::names::Names;
use super::{Run, count, short};
use crate::error::{Place, Result, damaged};
use crate::findings::{Finding, Findings};
use crate::limits::MAX_ZIM_WALK;
use crate::zim::reader::Walk;
use std::ops::Range;

/// Clusters that one task decodes.
const CHUNK: u32 = 4;

/// What the clusters gave.
#[derive(Default)]
pub(super) struct Content {
    /// How many bytes were decoded.
    pub decoded: u64,
    /// Hashes of blobs, if contents are compared.
    pub digests: Vec<Digest>,
}

/// What a chunk of clusters gave.
#[derive(Default)]
struct Chunk {
    findings: Findings,
    content: Content,
}

impl Run<'_> {
    /// Checks all clusters, and that each entry's blob is there.
    pub(super) fn clusters(&self, dirents: Dirents, findings: &mut Findings) -> Result<Content> {
        use rayon::slice::ParallelSliceMut;
        let Dirents { mut uses, names, .. } = dirents;
        uses.par_sort_unstable();
        let is_html = self.html_types();
        let mut all = Content::default();
        self.in_chunks(
            self.archive.header().n_clusters,
            CHUNK,
            |range| self.chunk_of_clusters(range, &uses, &names, &is_html),
            |chunk| {
                findings.extend(chunk.findings);
                all.decoded += chunk.content.decoded;
                all.digests.extend(chunk.content.digests);
            },
        )?;
        Ok(all)
    }

    fn chunk_of_clusters(&self, range: Range<u32>, uses: &[Use], names: &Names, is_html: &[bool]) -> Chunk {
        let mut out = Chunk::default();
        let mut buffer = vec![];
        for cluster in range {
            if self.observer.is_cancelled() {
                break;
            }
            let first = uses.partition_point(|u| u.cluster < cluster);
            let rest = uses.get(first..).unwrap_or_default();
            let mine = rest.get(..rest.partition_point(|u| u.cluster == cluster)).unwrap_or_default();
            let checked = self.cluster(cluster, mine, &mut buffer, names, is_html, &mut out);
            if let Err(error) = checked {
                out.findings.push(self.lost_cluster(Finding::of(&error), mine));
            }
            self.observer.advance(1, 0);
        }
        out
    }

    /// Checks a cluster; a compressed one only if the check is not to be quick.
    fn cluster(
        &self,
        cluster: u32,
        uses: &[Use],
        buffer: &mut Vec<u8>,
        names: &Names,
        is_html: &[bool],
        out: &mut Chunk,
    ) -> Result<()> {
        if self.options.quick && self.archive.is_compressed(cluster)? {
            return Ok(());
        }
        let go_on = || self.stop();
        let mut walk = self.archive.walk(cluster, buffer, &go_on)?;
        self.blobs(cluster, &mut walk, uses, names, is_html, out)?;
        let decoded = walk.decoded();
        walk.finish()?;
        out.content.decoded += decoded;
        Ok(())
    }

    /// Says which entries are lost with a cluster.
    fn lost_cluster(&self, finding: Finding, uses: &[Use]) -> Finding {
        let mut finding =
            self.with_entries(finding, uses.iter().map(|u| u.entry).take(crate::findings::MAX_PATHS));
        finding.n_entries = uses.len() as u64;
        let lost = match uses {
            [] => "no entry is in it".to_owned(),
            [only] => format!("{} is lost", short(&self.name(only.entry))),
            [first, .., last] => format!(
                "{} entries are lost: {} to {}",
                uses.len(),
                short(&self.name(first.entry)),
                short(&self.name(last.entry))
            ),
        };
        finding.message = format!("{}; {lost}", finding.message);
        finding
    }

    /// Checks the blobs of a cluster that entries name.
    fn blobs(
        &self,
        cluster: u32,
        walk: &mut Walk<'_>,
        uses: &[Use],
        names: &Names,
        is_html: &[bool],
        out: &mut Chunk,
    ) -> Result<()> {
        for same in uses.chunk_by(|a, b| a.blob == b.blob) {
            let Some(blob) = same.first().map(|u| u.blob) else { continue };
            let Some(len) = walk.len(blob)? else {
                for u in same {
                    let error: Result<()> = damaged!(
                        Place::Entry(u.entry),
                        "blob number",
                        "blob {blob} of cluster {cluster}, which has {}",
                        count(u64::from(walk.n_blobs()), "blob", "blobs")
                    );
                    let error = error.err();
                    error.iter().for_each(|e| out.findings.push(self.of_entry(e, u.entry)));
                }
                continue;
            };
            if self.options.links && !self.options.quick {
                self.blob(walk, blob, len, same, names, is_html, out)?;
            }
        }
        Ok(())
    }

    /// Checks what is in a blob.
    #[expect(clippy::too_many_arguments, reason = "what a chunk shares, and one blob of it")]
    fn blob(
        &self,
        walk: &mut Walk<'_>,
        blob: u32,
        len: u64,
        uses: &[Use],
        names: &Names,
        is_html: &[bool],
        out: &mut Chunk,
    ) -> Result<()> {
        let content: Vec<Use> = uses.iter().copied().filter(|u| self.is_compared(u.entry)).collect();
        let Some(first) = content.first() else { return Ok(()) };
        if len == 0 {
            for u in &content {
                self.empty(u.entry).into_iter().for_each(|f| out.findings.push(f));
            }
            return Ok(());
        }
        let mut pages: Vec<u32> =
            content.iter().map(|u| u.entry).filter(|e| self.is_page(*e, is_html)).collect();
        if len > MAX_ZIM_WALK {
            for page in pages.drain(..) {
                out.findings.push(self.long_page(page, len));
            }
        }
        let hash = if pages.is_empty() {
            let mut hasher = blake3::Hasher::new();
            walk.pieces(blob, &mut |piece| {
                hasher.update(piece);
            })?;
            hasher.finalize()
        } else {
            let html = walk.whole(blob)?;
            self.pages(&html, &pages, names, &mut out.findings);
            blake3::hash(&html)
        };
        out.content.digests.push(digest(&hash, first.entry));
        Ok(())
    }
}
