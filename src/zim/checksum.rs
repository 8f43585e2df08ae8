//! The checksum: MD5 over everything before it.

use md5::{Digest, Md5};

use super::Archive;
use crate::error::Result;

/// Bytes that are read at a time.
const STEP: u64 = 1 << 20;

impl Archive {
    /// Computes the checksum and returns true if it is the one in the file, or if the file has none; false
    /// too if `stop` said so meanwhile.
    ///
    /// Reads the whole file, at about 0.6 GB/s.
    ///
    /// # Errors
    ///
    /// Fails if the medium does.
    pub fn check_checksum(&self, stop: &dyn Fn() -> bool) -> Result<bool> {
        let Some(declared) = self.declared_checksum()? else { return Ok(true) };
        Ok(self.computed_checksum(stop)? == Some(declared))
    }

    /// Returns the checksum of the bytes that it is of; nothing if `stop` said so meanwhile.
    pub(super) fn computed_checksum(&self, stop: &dyn Fn() -> bool) -> Result<Option<[u8; 16]>> {
        let mut md5 = Md5::new();
        let mut at = 0;
        while at < self.header().checksum {
            if stop() {
                return Ok(None);
            }
            let end = self.header().checksum.min(at + STEP);
            md5.update(self.storage().read(at..end)?);
            at = end;
        }
        self.storage().check_fault()?;
        Ok(Some(md5.finalize().into()))
    }
}
