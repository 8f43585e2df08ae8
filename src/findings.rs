//! What a check of an archive found: data, one value for each cause, for faces to show.

use std::collections::BTreeMap;

use crate::error::{Error, Place};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Bytes are not what was packed, or a rule of the format is broken.
    Error,
    /// Odd, but as it was packed.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check that fired: a stable name.
    pub check: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, and what it means.
    pub message: String,
    /// The section in which it lies.
    pub section: Option<&'static str>,
    /// The block in which it lies.
    pub block: Option<u32>,
    /// The entries that it damages: their paths in order, the first [`MAX_PATHS`] of them; an id as
    /// `#123` where the path itself is lost.
    pub entries: Vec<String>,
    /// How many entries it damages.
    pub n_entries: u64,
}

/// The most paths that a finding lists.
pub const MAX_PATHS: usize = 100;

/// What was checked and found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// Blocks checked.
    pub blocks: u64,
    /// Entries checked.
    pub entries: u64,
    /// Bytes checked: of the file, and, unless it was quick, of the decoded blocks.
    pub bytes: u64,
}

impl Report {
    /// Returns true if nothing is damaged.
    pub fn is_ok(&self) -> bool {
        self.findings.iter().all(|f| f.severity == Severity::Warning)
    }
}

impl Finding {
    /// Returns a finding that damages no entry.
    pub fn new(check: &'static str, severity: Severity, message: String) -> Self {
        Self { check, severity, message, section: None, block: None, entries: vec![], n_entries: 0 }
    }

    /// Returns the finding of an error.
    pub fn of(error: &Error) -> Self {
        let Error::Format(e) = error else {
            return Self::new("read", Severity::Error, error.to_string());
        };
        let mut finding = Self::new(e.check, Severity::Error, format!("{}: {}", e.place, e.detail));
        match e.place {
            Place::Section(name, _) => finding.section = Some(name),
            Place::Block(id) => finding.block = Some(id),
            Place::FirstPage => finding.section = Some("first page"),
            Place::Tree(..) => finding.section = Some("hash tree"),
            _ => {}
        }
        finding
    }
}

/// Findings as they come, so many of a check and no more.
#[derive(Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
    counts: BTreeMap<&'static str, u64>,
}

/// The most findings of one check that are kept; of the others only the number is said.
const MAX_FINDINGS: u64 = 1000;

impl Findings {
    /// Adds a finding.
    pub fn push(&mut self, finding: Finding) {
        let n = self.counts.entry(finding.check).or_default();
        *n += 1;
        if *n <= MAX_FINDINGS {
            self.list.push(finding);
        }
    }

    /// Adds what another list has.
    pub fn extend(&mut self, other: Self) {
        let mut dropped = other.counts;
        for finding in other.list {
            if let Some(n) = dropped.get_mut(finding.check) {
                *n -= 1;
            }
            self.push(finding);
        }
        for (check, n) in dropped {
            *self.counts.entry(check).or_default() += n;
        }
    }

    /// Returns what was kept, and a finding for each check of which more was found.
    pub fn into_list(self) -> Vec<Finding> {
        let mut list = self.list;
        for (check, n) in self.counts.into_iter().filter(|c| c.1 > MAX_FINDINGS) {
            let like = list.iter().find(|f| f.check == check).map_or(Severity::Error, |f| f.severity);
            let message = format!("{} more findings of this kind", n - MAX_FINDINGS);
            list.push(Finding::new(check, like, message));
        }
        list
    }
}

/// Returns the start of a text, for a message.
pub(crate) fn short(text: &str) -> String {
    const LEN: usize = 200;
    match text.char_indices().nth(LEN) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_string(),
    }
}
