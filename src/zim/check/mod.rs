//! Every check of a ZIM that there is: what its own tools find, each finding naming its entries.
//!
//! Two things run side by side: the checksum, which reads the file from its first byte to its last
//! and says only that something is wrong; and everything that says what. The second begins with the
//! dirents, whose order, numbers and redirects need no content; then come the lists of titles, the
//! main page and the metadata; then every cluster is decoded to its end, once, and its pages are
//! looked through while they are at hand.
//!
//! What is damage and what is not: a broken rule of the format, by which a reader may miss or mistake
//! something, is an error. What the content brought along (dead links, empty entries, the same bytes
//! twice) is a warning. So is metadata that is missing or too long: the rules for it are a convention
//! beside the format, which many files in use break, and no reader fails on them.

mod checksum;
mod clusters;
mod dirents;
mod duplicates;
mod links;
mod metadata;
mod names;
mod pages;
mod redirects;
mod titles;

#[cfg(test)]
mod tests;

use std::ops::Range;

use rayon::prelude::*;

use super::namespace;
use super::reader::Archive;
use crate::error::{Error, Place, Result};
use crate::findings::{Finding, Findings, MAX_PATHS, Report, Severity, short};
use crate::item::{Observer, escape_bytes};

/// How much of a ZIM to check.
#[derive(Debug, Clone, Copy, Default)]
pub struct VerifyOptions {
    /// Only structure: no compressed cluster is decoded, and the checksum is not computed.
    pub quick: bool,
    /// Also what is in the pages: dead links, what they load from elsewhere, and entries that are
    /// empty or the same. Has no effect on a quick check.
    pub links: bool,
}

/// What the checks share.
struct Run<'a> {
    archive: &'a Archive,
    options: VerifyOptions,
    observer: &'a dyn Observer,
}

impl Archive {
    /// Checks the ZIM. Uses the threads of the current rayon pool.
    ///
    /// Unless told to be quick it reads the whole file for its checksum and decodes every cluster
    /// once, in memory of about 12 bytes an entry, with links 36 bytes, and of one cluster a thread, or of
    /// its window if it is longer than [`crate::limits::MAX_ZIM_WALK`].
    ///
    /// # Errors
    ///
    /// Fails only if the observer asks to stop; whatever is wrong with the file is a finding.
    pub fn verify(&self, options: VerifyOptions, observer: &dyn Observer) -> Result<Report> {
        let run = Run { archive: self, options, observer };
        if options.quick {
            let mut findings = Findings::default();
            let bytes = run.content(&mut findings)?;
            return Ok(run.report(findings.into_list(), bytes));
        }
        let (checksum, content) = rayon::join(
            || run.checksum(),
            || {
                let mut findings = Findings::default();
                let bytes = run.content(&mut findings)?;
                Ok::<_, Error>((findings.into_list(), bytes))
            },
        );
        let (mut list, bytes) = content?;
        list.extend(run.judge_checksum(checksum?, &list));
        Ok(run.report(list, bytes))
    }
}

impl Run<'_> {
    fn report(&self, findings: Vec<Finding>, decoded: u64) -> Report {
        let header = self.archive.header();
        Report {
            findings,
            blocks: u64::from(header.n_clusters),
            entries: u64::from(header.n_entries),
            bytes: self.archive.size() + decoded,
        }
    }

    /// Runs all checks but the checksum; returns how many bytes were decoded.
    fn content(&self, findings: &mut Findings) -> Result<u64> {
        self.observer.stage("checking entries", None);
        self.has_checksum(findings);
        let dirents = self.dirents(findings)?;
        self.redirects(&dirents.redirects, findings)?;
        self.titles(findings)?;
        self.main_page(findings);
        self.metadata(findings);
        self.observer.stage("checking clusters", Some(self.archive.size()));
        let content = self.clusters(dirents, findings)?;
        self.duplicates(content.digests, findings)?;
        Ok(content.decoded)
    }

    fn stop(&self) -> Result<()> {
        if self.observer.is_cancelled() { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Does work on numbers up to `n`, a chunk a task, and takes the results in order.
    ///
    /// No more results wait to be taken than a few for each thread.
    fn in_chunks<T: Send>(
        &self,
        n: u32,
        chunk: u32,
        work: impl Fn(Range<u32>) -> T + Sync,
        mut take: impl FnMut(T),
    ) -> Result<()> {
        let chunks = n.div_ceil(chunk);
        let batch = u32::try_from(rayon::current_num_threads()).unwrap_or(1).saturating_mul(CHUNKS_A_THREAD);
        let mut at = 0;
        while at < chunks {
            let end = at.saturating_add(batch).min(chunks);
            let done: Vec<T> = (at..end)
                .into_par_iter()
                .with_max_len(1)
                .map(|i| {
                    self.stop()?;
                    let start = i * chunk;
                    Ok(work(start..start.saturating_add(chunk).min(n)))
                })
                .collect::<Result<_>>()?;
            done.into_iter().for_each(&mut take);
            at = end;
        }
        Ok(())
    }

    /// Returns what a dirent is called in findings: as it is shown, with its namespace where it is not
    /// content; its number if it cannot be read.
    fn name(&self, entry: u32) -> String {
        let name = self.archive.with_dirent(entry, |d| Ok(self.name_of(d.namespace, d.path)));
        name.unwrap_or_else(|_| format!("#{entry}"))
    }

    fn name_of(&self, namespace: u8, path: &[u8]) -> String {
        let one = self.archive.header().has_one_namespace();
        let hidden = one && !namespace::is_content(namespace, one);
        escape_bytes(&namespace::shown(namespace, path, one && !hidden))
    }

    /// Notes the entries of a finding.
    fn with_entries(&self, mut finding: Finding, entries: impl Iterator<Item = u32>) -> Finding {
        for entry in entries {
            if finding.entries.len() < MAX_PATHS {
                finding.entries.push(self.name(entry));
            }
            finding.n_entries += 1;
        }
        finding
    }

    /// Returns the finding of an error about an entry, its place told by the entry's name.
    fn of_entry(&self, error: &Error, entry: u32) -> Finding {
        let mut finding = Finding::of(error);
        if let Error::Format(e) = error
            && e.place == Place::Entry(entry)
        {
            finding.message = format!("entry {entry}, {}: {}", short(&self.name(entry)), e.detail);
        }
        self.with_entries(finding, std::iter::once(entry))
    }
}

/// How many chunks each thread does before their results are taken.
const CHUNKS_A_THREAD: u32 = 64;

/// Returns a warning about entries.
fn warning(check: &'static str, message: String) -> Finding {
    Finding::new(check, Severity::Warning, message)
}

/// Returns a number with its noun.
fn count(n: u64, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}
