//! Entries with the same bytes that are stored twice.

use rayon::prelude::*;

use super::{Run, count, short, warning};
use crate::error::Result;
use crate::findings::{Findings, MAX_PATHS};

/// What is kept of a blob: enough of its hash that no two of 2^40 others share it, and an entry that it is of.
pub(super) type Digest = ([u8; 12], u32);

/// Returns what is kept of a hash.
pub(super) fn digest(hash: &blake3::Hash, entry: u32) -> Digest {
    let mut short = [0; 12];
    short.copy_from_slice(&hash.as_bytes()[..12]);
    (short, entry)
}

impl Run<'_> {
    /// Reports blobs that are the same, all of a kind in one finding. Aliases of one blob are not in the list.
    pub(super) fn duplicates(&self, mut digests: Vec<Digest>, findings: &mut Findings) -> Result<()> {
        digests.par_sort_unstable();
        self.stop()?;
        let mut groups: Vec<(u32, &[Digest])> = digests
            .chunk_by(|a, b| a.0 == b.0)
            .filter(|group| group.len() > 1)
            .filter_map(|group| Some((group.first()?.1, group)))
            .collect();
        groups.sort_unstable_by_key(|g| g.0);
        for (i, (first, group)) in groups.iter().enumerate() {
            if i % 64 == 0 {
                self.stop()?;
            }
            let message = format!(
                "{} the same bytes, stored as often: {}",
                count(group.len() as u64, "entry has", "entries have"),
                short(&self.name(*first))
            );
            let entries = group.iter().take(MAX_PATHS).map(|d| d.1);
            let mut finding = self.with_entries(warning("duplicate", message), entries);
            finding.n_entries = group.len() as u64;
            findings.push(finding);
        }
        Ok(())
    }
}
