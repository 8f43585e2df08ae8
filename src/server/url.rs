//! Addresses: percent-encoding of paths and queries, both ways.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What is encoded in a path: all that means something in an address, in HTML or in a header.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/')
    .remove(b':')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b'+');

/// What is encoded in a value of a query, and in a fragment.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Encodes a path whose slashes part it.
///
/// A browser takes a part that is `..` for the way up, however it is encoded; where a path has such a part,
/// its slashes are encoded, so that it is none.
pub fn path(path: &str) -> impl std::fmt::Display {
    let goes_up = path.split('/').any(|part| matches!(part, "." | ".."));
    utf8_percent_encode(path, if goes_up { VALUE } else { PATH })
}

/// Encodes one piece of a path, a value of a query, or a fragment.
pub fn value(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, VALUE)
}

/// Decodes a part of an address. Bytes that are no UTF-8 are written as archives write them in their
/// paths ([`crate::item::escape_bytes`]).
pub fn decode(text: &str) -> Cow<'_, str> {
    let bytes: Cow<'_, [u8]> = percent_decode_str(text).into();
    match bytes {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        Cow::Owned(bytes) => Cow::Owned(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(e) => crate::item::escape_bytes(e.as_bytes()),
        }),
    }
}

/// The values of a query, in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads what stands behind the `?`.
    pub fn read(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let text = |text: &str| decode(&text.replace('+', " ")).into_owned();
            (text(name), text(value))
        });
        Self(pairs.collect())
    }

    /// Returns the first value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Iterates over all values of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Iterates over the names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Returns a number, held within bounds; nothing if there is none or it is no number.
    pub fn number(&self, name: &str, most: usize) -> Option<usize> {
        self.get(name)?.parse().ok().map(|n: usize| n.min(most))
    }

    /// Returns true if there is a name.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_to_the_same() {
        for text in ["a b?c#d%e\"f'g<h>&i", "Łódź/東京", "a/../b", "100%", "C++", "\u{0}\r\n"] {
            let encoded = path(text).to_string();
            assert!(
                encoded.is_ascii() && !encoded.contains(['"', '\'', '<', ' ', '?', '#', '\r']),
                "{encoded}"
            );
            assert_eq!(decode(&encoded), text);
            assert_eq!(decode(&value(text).to_string()), text);
        }
    }

    #[test]
    fn no_path_leads_up() {
        assert_eq!(path("a/../b").to_string(), "a%2F..%2Fb");
        assert_eq!(path("./b").to_string(), ".%2Fb");
        assert_eq!(path("a..b/.c").to_string(), "a..b/.c");
    }

    #[test]
    fn a_path_that_is_no_utf8_is_written_as_archives_write_it() {
        assert_eq!(decode("caf%e9"), crate::item::escape_bytes(b"caf\xe9"));
        assert_eq!(decode("a%zz%"), "a%zz%");
    }

    #[test]
    fn a_query_keeps_its_order_and_repeated_names() {
        let query = Query::read("q=a+b%2Bc&archive=x&archive=%D0%96&n=99999999999999999999&offset=7&flag&=");
        assert_eq!(query.get("q"), Some("a b+c"));
        assert_eq!(query.all("archive").collect::<Vec<_>>(), ["x", "Ж"]);
        assert_eq!((query.number("n", 50), query.number("offset", 5)), (None, Some(5)));
        assert!(query.has("flag") && !query.has("nothing"));
    }
}
