//! The tags of a page, found without making a tree of it.
//!
//! Only tags are read, and of them only what matters: about a gigabyte a second on pages of long text.
//! A page needs not be UTF-8.

use std::borrow::Cow;
use std::ops::Range;

use html5gum::{Token, Tokenizer};

use super::events::find;

/// A tag of a page: where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    /// From its `<` to behind its `>`.
    pub whole: Range<usize>,
    /// Its name.
    pub name: Range<usize>,
    /// True if it ends with `/>`, of which the slash belongs to no attribute.
    pub is_closed: bool,
}

/// Hears the tags of a page in its own order.
pub(super) trait Hear {
    /// An attribute of the start tag that comes next; where its value is, which is empty if it has none.
    fn attribute(&mut self, name: &[u8], value: Range<usize>);
    /// A start tag, its attributes told before.
    fn start_tag(&mut self, tag: &Tag);
    /// An end tag.
    fn end_tag(&mut self, _tag: &Tag) {}
    /// What stands in an element that holds no markup, after its start tag was told.
    fn raw(&mut self, _name: &[u8], _content: Range<usize>) {}
}

/// Passes on the tags of a page, and returns where it has ended: before a tag or a comment that does not end,
/// which a browser drops, or behind all of it.
///
/// Comments and the content of scripts, styles and other elements that hold no markup are passed over; where
/// the page is one of XML, a tag of theirs that closes itself has no content. Takes time linear in the page's
/// length and no memory.
pub(super) fn scan(html: &[u8], is_xml: bool, hear: &mut impl Hear) -> usize {
    let mut at = 0;
    while let Some(len) = html.get(at..).and_then(|rest| find(rest, [b'<'])) {
        let start = at + len;
        at = start + 1;
        match html[at..] {
            [b'!', b'-', b'-', ..] => match behind_comment(html, at + 3) {
                Some(end) => at = end,
                None => return start,
            },
            [first, ..] if first.is_ascii_alphabetic() => {
                let Some((name, end, is_closed)) =
                    read_tag(html, at, |name, value| hear.attribute(name, value))
                else {
                    return start;
                };
                hear.start_tag(&Tag { whole: start..end, name: name.clone(), is_closed });
                at = end;
                let name = &html[name];
                if has_no_markup(name) && !(is_xml && is_closed) {
                    at = end_of_raw(html, end, name);
                    hear.raw(name, end..at);
                }
            }
            // An end tag may have attributes, which mean nothing.
            [b'/', first, ..] if first.is_ascii_alphabetic() => {
                let Some((name, end, is_closed)) = read_tag(html, at + 1, |_, _| ()) else { return start };
                hear.end_tag(&Tag { whole: start..end, name, is_closed });
                at = end;
            }
            // What is no tag and no comment is passed over as one, up to the first sign that ends either.
            [b'!' | b'?', ..] | [b'/', _, ..] => match find(&html[at..], [b'>']) {
                Some(len) => at += len + 1,
                None => return start,
            },
            _ => {}
        }
    }
    html.len()
}

/// Returns where a comment ends whose text begins at a place; nothing if it does not.
fn behind_comment(html: &[u8], start: usize) -> Option<usize> {
    let rest = &html[start..];
    // A comment may end before it has begun.
    for short in [&b">"[..], b"->"] {
        if rest.starts_with(short) {
            return Some(start + short.len());
        }
    }
    let mut at = start;
    while let Some(len) = html.get(at..).and_then(|rest| find(rest, [b'-'])) {
        at += len;
        match html[at..] {
            [b'-', b'-', b'>', ..] => return Some(at + 3),
            [b'-', b'-', b'!', b'>', ..] => return Some(at + 4),
            _ => at += 1,
        }
    }
    None
}

pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c')
}

/// Reads the tag whose name begins at a place; returns where that is, where the tag ends and whether it closes
/// itself, nothing if it does not end.
#[inline]
fn read_tag(
    html: &[u8],
    start: usize,
    mut hear: impl FnMut(&[u8], Range<usize>),
) -> Option<(Range<usize>, usize, bool)> {
    let ends_name = |byte: &u8| is_space(*byte) || matches!(byte, b'/' | b'>');
    let mut at = start + html[start..].iter().position(ends_name)?;
    let name = start..at;
    let mut is_closed = false;
    loop {
        let byte = *html.get(at)?;
        if byte == b'>' {
            return Some((name, at + 1, is_closed));
        }
        is_closed = byte == b'/';
        at = if is_closed || is_space(byte) { at + 1 } else { read_attribute(html, at, &mut hear)? };
    }
}

/// Reads the attribute that begins at a place; returns where it ends.
#[inline]
fn read_attribute(html: &[u8], start: usize, hear: &mut impl FnMut(&[u8], Range<usize>)) -> Option<usize> {
    let ends_name = |byte: &u8| is_space(*byte) || matches!(byte, b'/' | b'>' | b'=');
    // A name may begin with the sign that ends it anywhere else.
    let mut at = start + 1;
    at += html.get(at..)?.iter().position(ends_name)?;
    let name = &html[start..at];
    let after = at + html[at..].iter().position(|byte| !is_space(*byte))?;
    let mut value = at..at;
    if html[after] == b'=' {
        at = after + 1;
        at += html.get(at..)?.iter().position(|byte| !is_space(*byte))?;
        let len = match html[at] {
            quote @ (b'"' | b'\'') => {
                at += 1;
                let len = find(html.get(at..)?, [quote])?;
                value = at..at + len;
                len + 1
            }
            b'>' => 0,
            _ => {
                let len = html[at..].iter().position(|byte| is_space(*byte) || *byte == b'>')?;
                value = at..at + len;
                len
            }
        };
        at += len;
    }
    hear(name, value);
    Some(at)
}

/// Returns an attribute's value with its entities decoded.
pub fn decoded(value: &[u8]) -> Cow<'_, [u8]> {
    if find(value, [b'&']).is_none() {
        return Cow::Borrowed(value);
    }
    simply_decoded(value).map_or_else(|| Cow::Owned(tokenized(value)), Cow::Owned)
}

/// Decodes a value in which only the usual entities stand.
fn simply_decoded(value: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = find(rest, [b'&']) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let end = rest.iter().take(8).position(|byte| *byte == b';')?;
        out.push(match &rest[..end] {
            b"amp" | b"#38" => b'&',
            b"lt" => b'<',
            b"gt" => b'>',
            b"quot" | b"#34" => b'"',
            b"apos" | b"#39" | b"#x27" => b'\'',
            _ => return None,
        });
        rest = &rest[end + 1..];
    }
    out.extend_from_slice(rest);
    Some(out)
}

/// Returns what the standard's tokenizer makes of a value.
fn tokenized(value: &[u8]) -> Vec<u8> {
    // One without quotes may have both kinds in it.
    let quoted = value.split(|byte| *byte == b'"').collect::<Vec<_>>().join(&b"&quot;"[..]);
    let tag = [&b"<a a=\""[..], &quoted, b"\">"].concat();
    for token in Tokenizer::new(&tag[..]) {
        if let Ok(Token::StartTag(mut tag)) = token
            && let Some(found) = tag.attributes.remove(&b"a"[..])
        {
            return found.value.to_vec();
        }
    }
    value.to_vec()
}

/// Returns true for elements in which no tag but their own end counts.
fn has_no_markup(name: &[u8]) -> bool {
    let names: &[&[u8]] = match name.len() {
        3 => &[b"xmp"],
        5 => &[b"style", b"title"],
        6 => &[b"script", b"iframe"],
        7 => &[b"noembed"],
        8 => &[b"textarea", b"noframes"],
        9 => &[b"plaintext"],
        _ => return false,
    };
    names.iter().any(|n| n.eq_ignore_ascii_case(name))
}

/// Returns where the end tag of such an element begins, of a content that begins at a place.
fn end_of_raw(html: &[u8], start: usize, name: &[u8]) -> usize {
    let mut at = start;
    while let Some(len) = html.get(at..).and_then(|rest| find(rest, [b'<'])) {
        at += len;
        let end = at + 2 + name.len();
        let is_it = html.get(at + 1) == Some(&b'/')
            && html.get(at + 2..end).is_some_and(|found| found.eq_ignore_ascii_case(name))
            && html.get(end).is_some_and(|&byte| is_space(byte) || matches!(byte, b'/' | b'>'));
        if is_it {
            return at;
        }
        at += 1;
    }
    html.len()
}
