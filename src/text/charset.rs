//! Which letters a page's bytes stand for.
//!
//! The order of belief is that of browsers (WHATWG, "determining the character encoding"), but for
//! one step: bytes that are valid UTF-8 are taken as that before anything is guessed. Entries keep
//! their bytes; only titles and text go through here.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};

/// How far into a page its own declaration is looked for (WHATWG: 1,024 bytes).
const PRESCAN: usize = 1024;

/// How many bytes the guess is made from: more never changed it on real pages, and cost 30 ms a MB.
const GUESS_FROM: usize = 64 * 1024;

/// A character set and how it is known.
#[derive(Debug, Clone, Copy)]
pub struct Charset {
    /// The character set.
    pub encoding: &'static Encoding,
    /// True if a byte order mark, the hint or the content itself states it; false if it was found by
    /// looking at the bytes.
    pub stated: bool,
}

/// Returns the character set of a page or text.
///
/// `hint` is a label from outside (an HTTP header, a `charset` parameter). Costs a scan of the
/// whole text only where nothing states the set.
pub fn detect(bytes: &[u8], hint: Option<&str>) -> Charset {
    if let Some(encoding) = stated(bytes, hint) {
        return Charset { encoding, stated: true };
    }
    let encoding = if is_utf8_prefix(bytes) { UTF_8 } else { guess(bytes) };
    Charset { encoding, stated: false }
}

/// Returns the character set that a byte order mark, the hint or the content itself states.
pub fn stated(bytes: &[u8], hint: Option<&str>) -> Option<&'static Encoding> {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return Some(encoding);
    }
    hint.and_then(|label| Encoding::for_label(label.as_bytes())).or_else(|| declared(bytes))
}

/// Returns the text that the bytes stand for; what cannot be decoded becomes U+FFFD.
///
/// Borrows where the bytes are UTF-8 already. A byte order mark is not part of the text.
pub fn decode<'a>(bytes: &'a [u8], hint: Option<&str>) -> Cow<'a, str> {
    detect(bytes, hint).encoding.decode_with_bom_removal(bytes).0
}

/// Returns true for UTF-8, also if a character is cut in two at the end.
fn is_utf8_prefix(bytes: &[u8]) -> bool {
    match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(e) => e.error_len().is_none(),
    }
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    let end = bytes.len().min(GUESS_FROM);
    detector.feed(&bytes[..end], true);
    // Not UTF-8: that was ruled out, by all bytes rather than the first.
    detector.guess(None, Utf8Detection::Deny)
}

/// Returns what the content says of itself: `<meta>`, an XML declaration or `@charset`.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = &bytes[..bytes.len().min(PRESCAN)];
    if let Some(rest) = start.strip_prefix(b"@charset \"") {
        let end = rest.iter().position(|&b| b == b'"')?;
        return for_declared_label(&rest[..end]);
    }
    let first = start.iter().position(|b| !b.is_ascii_whitespace())?;
    // A text that talks about `<meta charset>` is no page.
    if start[first] != b'<' {
        return None;
    }
    if let Some(rest) = start[first..].strip_prefix(b"<?xml") {
        let end = find(rest, b"?>").unwrap_or(rest.len());
        let mut attributes = Attributes(&rest[..end]);
        let label = attributes.find(|(name, _)| name.eq_ignore_ascii_case(b"encoding"));
        if let Some(encoding) = label.and_then(|(_, value)| for_declared_label(value)) {
            return Some(encoding);
        }
    }
    declared_by_meta(&start[first..])
}

fn declared_by_meta(mut rest: &[u8]) -> Option<&'static Encoding> {
    while let Some(at) = rest.iter().position(|&b| b == b'<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix(b"!--") {
            rest = &comment[find(comment, b"-->")?..];
            continue;
        }
        let (name, after) = rest.split_at_checked(4)?;
        if !name.eq_ignore_ascii_case(b"meta")
            || !after.first().is_some_and(|b| b.is_ascii_whitespace() || *b == b'/')
        {
            continue;
        }
        let mut charset = None;
        let mut content = None;
        let mut is_content_type = false;
        for (name, value) in Attributes(after) {
            match name.to_ascii_lowercase().as_slice() {
                b"charset" => charset = Some(value),
                b"content" => content = Some(value),
                b"http-equiv" => is_content_type = value.eq_ignore_ascii_case(b"content-type"),
                _ => {}
            }
        }
        let label = charset.or_else(|| content.filter(|_| is_content_type).and_then(charset_parameter));
        if let Some(encoding) = label.and_then(for_declared_label) {
            return Some(encoding);
        }
    }
    None
}

/// Returns the character set of a label found in the content itself, which was readable as ASCII:
/// a declared UTF-16 cannot be true (WHATWG, prescan).
fn for_declared_label(label: &[u8]) -> Option<&'static Encoding> {
    match Encoding::for_label(label)? {
        e if e == UTF_16BE || e == UTF_16LE => Some(UTF_8),
        e if e == X_USER_DEFINED => Some(WINDOWS_1252),
        e => Some(e),
    }
}

/// Returns the value after `charset=` in a content type.
fn charset_parameter(content: &[u8]) -> Option<&[u8]> {
    let lower = content.to_ascii_lowercase();
    let mut rest = &content[find(&lower, b"charset")? + 7..];
    rest = rest.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let quote = rest.first().copied().filter(|b| matches!(b, b'"' | b'\''));
    if let Some(quote) = quote {
        let rest = &rest[1..];
        return rest.iter().position(|&b| b == quote).map(|end| &rest[..end]);
    }
    let end = rest.iter().position(|b| b.is_ascii_whitespace() || *b == b';').unwrap_or(rest.len());
    Some(&rest[..end])
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

/// The attributes of a tag, up to its `>`.
struct Attributes<'a>(&'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let skip = |b: &u8| b.is_ascii_whitespace() || *b == b'/';
        let start = self.0.iter().position(|b| !skip(b))?;
        let rest = &self.0[start..];
        if rest[0] == b'>' {
            return None;
        }
        let end = rest.iter().skip(1).position(|b| skip(b) || matches!(b, b'=' | b'>'));
        let end = end.map_or(rest.len(), |at| at + 1);
        let (name, after) = rest.split_at(end);
        let Some(value) = after.trim_ascii_start().strip_prefix(b"=").map(<[u8]>::trim_ascii_start) else {
            self.0 = after;
            return Some((name, b""));
        };
        let (value, after) = match value.first() {
            Some(&quote @ (b'"' | b'\'')) => {
                let inner = &value[1..];
                let end = inner.iter().position(|&b| b == quote).unwrap_or(inner.len());
                (&inner[..end], inner.get(end + 1..).unwrap_or_default())
            }
            _ => {
                let end = value.iter().position(|b| b.is_ascii_whitespace() || *b == b'>');
                value.split_at(end.unwrap_or(value.len()))
            }
        };
        self.0 = after;
        Some((name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_wins_over_everything() {
        assert_eq!(
            decode(b"\xef\xbb\xbf<meta charset=latin1>\xc3\xa9", Some("koi8-r")).chars().last(),
            Some('é')
        );
        assert_eq!(decode(b"\xff\xfeh\x00i\x00", None), "hi");
        assert_eq!(decode(b"\xfe\xff\x00h\x00i", None), "hi");
    }

    #[test]
    fn the_page_itself_says_its_set() {
        for page in [
            &b"<html><head><meta charset=windows-1251>"[..],
            b"<META  CHARSET = \"windows-1251\" >",
            b"<meta/charset='cp1251'/>",
            b"<!-- <meta charset=utf-8> --><meta http-equiv=Content-Type content='text/html; charset=\"windows-1251\"'>",
            b"<meta content='text/html;charset=windows-1251' http-equiv=\"content-type\">",
            b"<?xml version='1.0' encoding='windows-1251'?><html/>",
        ] {
            let mut page = page.to_vec();
            page.extend_from_slice(b"\xcc\xe8\xf0");
            assert!(decode(&page, None).ends_with("Мир"), "{:?}", decode(&page, None));
            assert!(detect(&page, None).stated);
        }
        assert_eq!(decode(b"@charset \"iso-8859-2\";\xe8", None), "@charset \"iso-8859-2\";č");
    }

    #[test]
    fn a_declaration_too_late_or_impossible_is_no_declaration() {
        let mut late = vec![b'<'; 1];
        late.resize(1100, b' ');
        late.extend_from_slice(b"<meta charset=koi8-r>\xc3\xa9");
        assert_eq!(detect(&late, None).encoding, UTF_8);
        assert_eq!(declared(b"<meta charset=utf-16>"), Some(UTF_8));
        assert_eq!(declared(b"<meta name=x content='charset=koi8-r'>"), None);
        assert_eq!(declared(b"write <meta charset=koi8-r>"), None);
        for broken in
            [&b"<meta"[..], b"<meta ", b"<meta charset", b"<meta charset=\"", b"<!--", b"<?xml", b"", b"<"]
        {
            assert_eq!(declared(broken), None);
        }
    }

    #[test]
    fn unstated_sets_are_utf_8_or_guessed() {
        assert_eq!(decode("naïve".as_bytes(), None), "naïve");
        assert!(matches!(decode("naïve".as_bytes(), None), Cow::Borrowed(_)));
        assert!(!detect("naïve".as_bytes(), None).stated);
        let russian = "Отношения между Мексикой и Россией начались в девятнадцатом веке.";
        let (bytes, _, _) = encoding_rs::WINDOWS_1251.encode(russian);
        assert_eq!(decode(&bytes, None), russian);
        assert_eq!(decode(b"caf\xe9", Some("latin1")), "café");
    }
}
