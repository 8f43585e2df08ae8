//! Every check there is: hashes, structure, content. Findings are data, one for each cause, and each
//! names what it damages.
//!
//! The stages build on each other: pages of the tables, then what stands in them, then blocks, then
//! what blocks and tables say of each other. A stage that finds damage does not end the next ones;
//! what cannot be checked any more is left to the finding that says why.

mod blocks;
mod search;
mod structure;
mod suggestions;

use std::ops::Range;
use std::sync::Mutex;

use super::Archive;
use crate::error::{Error, Result};
pub(super) use crate::findings::short;
pub(super) use crate::findings::{Finding, Findings, MAX_PATHS, Report, Severity};
use crate::format::entry::BlobPlace;
use crate::format::ids::EntryId;
use crate::item::Observer;

/// How much to check.
#[derive(Debug, Clone, Copy, Default)]
pub struct VerifyOptions {
    /// Only structure and the hashes of stored bytes: no block is decoded.
    pub quick: bool,
}

/// An entry's blob, as the checks of blocks need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Use {
    place: BlobPlace,
    entry: u32,
}

/// What the stages share.
struct Run<'a> {
    archive: &'a Archive,
    options: VerifyOptions,
    observer: &'a dyn Observer,
    findings: Mutex<Findings>,
}

impl Run<'_> {
    fn report(&self, finding: Finding) {
        if let Ok(mut findings) = self.findings.lock() {
            findings.push(finding);
        }
    }

    /// Returns the value of a check, or reports its error.
    fn checked<T>(&self, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.report(Finding::of(&error));
                None
            }
        }
    }

    /// Reports that something is not as the format says.
    fn broken(&self, check: &'static str, section: &'static str, message: String) {
        self.report(Finding { section: Some(section), ..Finding::new(check, Severity::Error, message) });
    }

    /// Notes which entries a finding damages, and says their range of paths in its message.
    fn damages(&self, finding: &mut Finding, ids: impl Iterator<Item = u32>) {
        let mut last = None;
        for id in ids {
            if finding.entries.len() < MAX_PATHS {
                finding.entries.push(self.path(id));
            }
            finding.n_entries += 1;
            last = Some(id);
        }
        if let (Some(first), Some(last)) = (finding.entries.first(), last) {
            let last = self.path(last);
            let n = finding.n_entries;
            let which = if n == 1 {
                format!("{} is lost", short(first))
            } else {
                format!("{n} entries are lost: {} to {}", short(first), short(&last))
            };
            finding.message = format!("{}; {which}", finding.message);
        }
    }

    fn path(&self, id: u32) -> String {
        match self.archive.entry_by_id(EntryId(id)) {
            Ok(Some(entry)) => entry.path,
            _ => format!("#{id}"),
        }
    }

    fn stop(&self) -> Result<()> {
        if self.observer.is_cancelled() { Err(Error::Interrupted) } else { Ok(()) }
    }
}

impl Archive {
    /// Checks the archive. Uses the threads of the current rayon pool.
    ///
    /// Decodes every block once unless told to be quick, in memory of a few blocks a thread and 48
    /// bytes an entry.
    ///
    /// # Errors
    ///
    /// Fails only if the observer asks to stop; whatever is wrong with the archive is a finding.
    pub fn verify(&self, options: VerifyOptions, observer: &dyn Observer) -> Result<Report> {
        let run = Run { archive: self, options, observer, findings: Mutex::default() };
        let first = self.first_page();
        let mut report =
            Report { blocks: u64::from(first.n_blocks), bytes: self.size(), ..Report::default() };
        observer.stage("checking tables", None);
        run.first_pages();
        let pages_whole = run.table_pages()?;
        let mut uses = vec![];
        let (entries, titles) = run.entries(&mut uses)?;
        report.entries = entries;
        run.titles(titles)?;
        run.suggestions();
        run.stop()?;
        run.search()?;
        run.small_sections();
        observer.stage("checking blocks", None);
        report.bytes += run.blocks(uses, pages_whole)?;
        report.findings = run.findings.into_inner().unwrap_or_default().into_list();
        Ok(report)
    }

    /// Returns the ranges of ids of entries whose leaves are damaged beyond reading: what is lost
    /// with its names.
    pub fn lost_entries(&self) -> Result<Vec<Range<u32>>> {
        let mut lost = vec![];
        for leaf in 0..self.entry_leaves()? {
            if self.entries_in_leaf(leaf).is_err() {
                lost.push(self.ids_in_leaf(leaf)?);
            }
        }
        Ok(lost)
    }
}
