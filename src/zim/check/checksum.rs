//! The MD5 over the whole file.

use super::{Run, warning};
use crate::error::{Error, Result};
use crate::findings::{Finding, Findings, Severity};
use crate::hex::to_hex;
use crate::zim::header::Header;

/// What the checksum says.
pub(super) enum Checksum {
    Right,
    /// What the bytes give, and what stands in the file.
    Wrong([u8; 16], [u8; 16]),
    /// The file is so old that it has none.
    Absent,
    Unreadable(Error),
}

impl Run<'_> {
    /// Looks whether there is a checksum at all.
    pub(super) fn has_checksum(&self, findings: &mut Findings) {
        let header = self.archive.header();
        if header.checksum != 0 {
            return;
        }
        let finding = if header.mime_list < Header::SIZE as u64 {
            let message = "the file has no checksum, as the oldest may: whether its bytes are those that were written \
                           cannot be told";
            warning("no checksum", message.into())
        } else {
            let message =
                format!("it is 0; in a file of {} bytes the checksum is its last 16", self.archive.size());
            Finding::new("checksum position", Severity::Error, message)
        };
        findings.push(Finding { section: Some("header"), ..finding });
    }

    /// Computes the checksum; fails only if it is told to stop.
    pub(super) fn checksum(&self) -> Result<Checksum> {
        match self.computed() {
            Ok(checksum) => Ok(checksum),
            Err(Error::Interrupted) => Err(Error::Interrupted),
            Err(error) => Ok(Checksum::Unreadable(error)),
        }
    }

    fn computed(&self) -> Result<Checksum> {
        let Some(declared) = self.archive.declared_checksum()? else { return Ok(Checksum::Absent) };
        let computed = self.archive.compute_checksum(&|| self.observer.is_cancelled())?;
        Ok(if computed == declared { Checksum::Right } else { Checksum::Wrong(computed, declared) })
    }

    /// Returns what there is to say of a checksum, given what else was found.
    pub(super) fn judge_checksum(&self, checksum: Checksum, others: &[Finding]) -> Option<Finding> {
        match checksum {
            Checksum::Right => None,
            Checksum::Wrong(computed, declared) => {
                let explained = others.iter().any(|f| f.severity == Severity::Error);
                let where_ = if explained {
                    "the other errors may say what changed"
                } else {
                    "all else is as it should be, and a ZIM has no finer checksum: which bytes changed \
                     cannot be told"
                };
                let message = format!(
                    "the bytes give {}, but {} stands at the end: the file is not what was written; {where_}",
                    to_hex(&computed),
                    to_hex(&declared)
                );
                Some(Finding::new("checksum", Severity::Error, message))
            }
            // Said with the header.
            Checksum::Absent => None,
            Checksum::Unreadable(error) => Some(Finding::of(&error)),
        }
    }
}
