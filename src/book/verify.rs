//! Every check there is, of either format.

use super::{Book, Inner, links};
use crate::error::Result;
use crate::findings::Report;
use crate::item::Observer;
use crate::{reader, zim};

/// How much to check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VerifyOptions {
    /// Only structure, and of a `.tome` the hashes of stored bytes: no block is decoded.
    pub quick: bool,
    /// Links between articles too; of a ZIM, whatever its own tools say of its content.
    pub links: bool,
}

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
            Inner::Zim(zim) => {
                let VerifyOptions { quick, links } = options;
                zim.archive.verify(zim::VerifyOptions { quick, links }, observer)
            }
        }
    }
}
