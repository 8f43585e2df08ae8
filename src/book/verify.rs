//! Every check there is, of either format.

use rayon::prelude::*;

use super::{Book, Entry, Inner, links};
use crate::error::{Error, Result};
use crate::findings::{Finding, Findings, Report, Severity};
use crate::item::{Kind, Observer};
use crate::{reader, zim};

/// How much to check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VerifyOptions {
    /// Only structure, and of a `.tome` the hashes of stored bytes: no block is decoded.
    pub quick: bool,
    /// Links between articles too.
    pub links: bool,
}

/// Entries that one thread looks at, at a time.
const STEP: u32 = 256;

impl Book {
    /// Checks the archive. Uses the threads of the current rayon pool.
    ///
    /// # Errors
    ///
    /// Fails only if the observer asks to stop; whatever is wrong with the archive is a finding.
    pub fn verify(&self, options: VerifyOptions, observer: &dyn Observer) -> Result<Report> {
        match &self.0 {
            Inner::Tome(archive) => {
                let quick = reader::VerifyOptions { quick: options.quick };
                let mut report = archive.verify(quick, observer)?;
                if options.links {
                    report.findings.extend(links::dead(self, archive, observer)?);
                }
                Ok(report)
            }
            Inner::Zim(zim) => verify_zim(self, &zim.archive, options, observer),
        }
    }
}

/// Reads every entry there is.
fn verify_zim(
    book: &Book,
    archive: &zim::Archive,
    options: VerifyOptions,
    observer: &dyn Observer,
) -> Result<Report> {
    observer.stage("checking entries", None);
    let n = archive.header().n_entries;
    let parts = n.div_ceil(STEP);
    let range = |part: u32| part * STEP..n.min((part * STEP).saturating_add(STEP));
    let checked = (0..parts).into_par_iter().map(|part| -> Result<(Vec<Finding>, u64, u64)> {
        let (mut findings, mut entries, mut bytes) = (vec![], 0, 0);
        for index in range(part) {
            if observer.is_cancelled() {
                return Err(Error::Interrupted);
            }
            match check(archive, index, options.quick) {
                Ok(None) => {}
                Ok(Some(len)) => {
                    entries += 1;
                    bytes += len;
                    observer.advance(1, len);
                }
                Err((path, error)) => {
                    let mut finding = Finding::of(&error);
                    finding.n_entries = 1;
                    finding.entries = vec![path];
                    findings.push(finding);
                }
            }
        }
        Ok((findings, entries, bytes))
    });
    let checked: Vec<(Vec<Finding>, u64, u64)> = checked.collect::<Result<_>>()?;
    let mut report = Report { blocks: archive.header().n_clusters.into(), ..Report::default() };
    report.bytes = archive.size();
    let mut findings = Findings::default();
    for (found, entries, bytes) in checked {
        found.into_iter().for_each(|finding| findings.push(finding));
        report.entries += entries;
        report.bytes += bytes;
    }
    report.findings = findings.into_list();
    if !options.quick {
        observer.stage("checking the checksum", None);
        report.findings.extend(checksum(archive, observer)?);
    }
    if options.links {
        observer.stage("checking links", None);
        let entries = |part| range(part).filter_map(|i| Some(Entry::from(archive.entry_at(i).ok()??)));
        report.findings.extend(links::dead_in_parts(book, parts, entries, observer)?);
    }
    Ok(report)
}

/// Compares the checksum, which vouches for the whole file.
fn checksum(archive: &zim::Archive, observer: &dyn Observer) -> Result<Option<Finding>> {
    let finding = match archive.check_checksum(&|| observer.is_cancelled()) {
        _ if observer.is_cancelled() => return Err(Error::Interrupted),
        Ok(true) => return Ok(None),
        Ok(false) => {
            let message = "the file's bytes differ from their checksum";
            Finding::new("checksum", Severity::Error, message.into())
        }
        Err(error) => Finding::of(&error),
    };
    Ok(Some(Finding { section: Some("checksum"), ..finding }))
}

/// Reads the entry of a dirent, and returns how many bytes it has; nothing if it is not one of content.
fn check(archive: &zim::Archive, index: u32, quick: bool) -> Result<Option<u64>, (String, Error)> {
    let entry = match archive.entry_at(index) {
        Ok(Some(entry)) => entry,
        Ok(None) => return Ok(None),
        Err(error) => return Err((format!("#{index}"), error)),
    };
    if quick || entry.kind() == Kind::Redirect {
        return Ok(Some(0));
    }
    match archive.content(&entry) {
        Ok(content) => Ok(Some(content.len() as u64)),
        Err(error) => Err((entry.path, error)),
    }
}
