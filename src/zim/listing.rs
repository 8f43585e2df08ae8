//! Lists of a ZIM: mime types, and dirents in order of title.

use crate::error::{Place, Result, damaged};

/// Where the articles in order of title are, in the namespace of indexes.
pub(super) const ARTICLES_BY_TITLE: &[u8] = b"listing/titleOrdered/v1";

/// Where all dirents in order of title are, in the namespace of indexes, in some files.
pub(super) const ALL_BY_TITLE: &[u8] = b"listing/titleOrdered/v0";

/// The longest list of mime types that is read: 65,533 of 255 bytes.
pub(super) const MAX_MIME_LIST: u64 = 16 << 20;

/// The most mime types there can be: the numbers from there on stand for other things.
const MAX_MIMES: usize = 0xfffd;

/// Reads the mime types; `bytes` begins with them and may go on behind. Returns nothing if their end is
/// not in these bytes.
///
/// # Errors
///
/// Fails if there are more than a dirent can name.
pub(super) fn mime_types(bytes: &[u8]) -> Result<Option<Vec<String>>> {
    let mut out = vec![];
    let mut rest = bytes;
    loop {
        let Ok(text) = std::ffi::CStr::from_bytes_until_nul(rest) else { return Ok(None) };
        let text = text.to_bytes();
        if text.is_empty() {
            return Ok(Some(out));
        }
        if out.len() == MAX_MIMES {
            let at = bytes.len() - rest.len();
            return damaged!(Place::Section("mime list", at as u64), "mime list", "more than {MAX_MIMES}");
        }
        out.push(String::from_utf8_lossy(text).into_owned());
        rest = rest.get(text.len() + 1..).unwrap_or_default();
    }
}

/// The error of a list of mime types that does not end before something else begins.
pub(super) fn endless_mime_list<T>(len: u64) -> Result<T> {
    damaged!(Place::Section("mime list", len), "mime list", "it has no end before what follows it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p13_mime_types_end_with_an_empty_one() {
        let read = |bytes: &[u8]| mime_types(bytes).unwrap();
        assert_eq!(read(b"a/b\0c/d;e=f\0\0rest"), Some(vec!["a/b".to_owned(), "c/d;e=f".to_owned()]));
        assert_eq!(read(b"\0"), Some(vec![]));
        for endless in [&b""[..], b"a/b", b"a/b\0", b"a/b\0c"] {
            assert_eq!(read(endless), None);
        }
        let many = b"a\0".repeat(65_534);
        assert!(mime_types(&many).is_err());
        let most = [&b"a\0".repeat(65_533)[..], b"\0"].concat();
        assert_eq!(read(&most).map(|m| m.len()), Some(65_533));
    }
}
