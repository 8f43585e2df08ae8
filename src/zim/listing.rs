//! Lists of a ZIM: mime types, and dirents in order of title.

use crate::error::{Place, Result, damaged};

/// Where the articles in order of title are, in the namespace of indexes.
pub(super) const ARTICLES_BY_TITLE: &[u8] = b"listing/titleOrdered/v1";

/// Reads the mime types; `bytes` begins with them and may go on behind.
pub(super) fn mime_types(bytes: &[u8]) -> Result<Vec<String>> {
    let mut out = vec![];
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(len) = rest.iter().position(|&b| b == 0) else {
            return damaged!(Place::Section("mime list", at as u64), "mime list", "it has no end");
        };
        if len == 0 {
            return Ok(out);
        }
        out.push(String::from_utf8_lossy(&rest[..len]).into_owned());
        at += len + 1;
    }
}
