//! The addresses that a page's tags name, found without making a tree of it.
//!
//! Where [`links`](super::links) gives the links of a page with their words, this gives every address,
//! as fast as a page can be looked through: only tags are read, and of them only what matters.

use std::borrow::Cow;

use html5gum::{Token, Tokenizer};

use super::events::find;

/// What an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A person may follow it, or a program may make something of it.
    Follow,
    /// A page is not whole without what is there: pictures, scripts, style sheets, frames.
    Load,
    /// The other addresses of the page begin at it.
    Base,
}

/// The tags and attributes that are read, in all of a page.
struct Tag<'a> {
    name: &'a [u8],
    href: Option<&'a [u8]>,
    src: Option<&'a [u8]>,
    rel: Option<&'a [u8]>,
}

/// Passes on the addresses of a page in its own order, entities decoded and nothing else done to them.
///
/// These are the `href` and `src` attributes of any element. Comments and the content of scripts,
/// styles and other elements that hold no markup are passed over. Takes time linear in the page's
/// length and no memory; a page needs not be UTF-8.
pub fn references(html: &[u8], hear: &mut impl FnMut(Purpose, &[u8])) {
    let mut at = 0;
    while let Some(len) = html.get(at..).and_then(|rest| find(rest, [b'<'])) {
        at += len + 1;
        match html[at..] {
            [b'!', b'-', b'-', ..] => at = behind_comment(html, at + 3),
            [first, ..] if first.is_ascii_alphabetic() => {
                let Some((tag, end)) = read_tag(html, at) else { return };
                pass(&tag, hear);
                at = if has_no_markup(tag.name) { end_of_raw(html, end, tag.name) } else { end };
            }
            // An end tag may have attributes, which mean nothing.
            [b'/', first, ..] if first.is_ascii_alphabetic() => {
                let Some((_, end)) = read_tag(html, at + 1) else { return };
                at = end;
            }
            // What is no tag and no comment is passed over as one, up to the first sign that ends either.
            [b'!' | b'?', ..] | [b'/', _, ..] => match find(&html[at..], [b'>']) {
                Some(len) => at += len + 1,
                None => return,
            },
            _ => {}
        }
    }
}

/// Returns where a comment ends whose text begins at a place.
fn behind_comment(html: &[u8], start: usize) -> usize {
    let rest = &html[start..];
    // A comment may end before it has begun.
    for short in [&b">"[..], b"->"] {
        if rest.starts_with(short) {
            return start + short.len();
        }
    }
    let mut at = start;
    while let Some(len) = html.get(at..).and_then(|rest| find(rest, [b'-'])) {
        at += len;
        match html[at..] {
            [b'-', b'-', b'>', ..] => return at + 3,
            [b'-', b'-', b'!', b'>', ..] => return at + 4,
            _ => at += 1,
        }
    }
    html.len()
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c')
}

/// Reads the tag whose name begins at a place; returns it and where it ends, nothing if it does not.
#[inline]
fn read_tag(html: &[u8], start: usize) -> Option<(Tag<'_>, usize)> {
    let ends_name = |byte: &u8| is_space(*byte) || matches!(byte, b'/' | b'>');
    let mut at = start + html[start..].iter().position(ends_name)?;
    let mut tag = Tag { name: &html[start..at], href: None, src: None, rel: None };
    loop {
        match *html.get(at)? {
            b'>' => return Some((tag, at + 1)),
            b'/' => at += 1,
            byte if is_space(byte) => at += 1,
            _ => at = read_attribute(html, at, &mut tag)?,
        }
    }
}

/// Reads the attribute that begins at a place; returns where it ends.
#[inline]
fn read_attribute<'a>(html: &'a [u8], start: usize, tag: &mut Tag<'a>) -> Option<usize> {
    let ends_name = |byte: &u8| is_space(*byte) || matches!(byte, b'/' | b'>' | b'=');
    // A name may begin with the sign that ends it anywhere else.
    let mut at = start + 1;
    at += html.get(at..)?.iter().position(ends_name)?;
    let name = &html[start..at];
    let after = at + html[at..].iter().position(|byte| !is_space(*byte))?;
    let mut value = &html[..0];
    if html[after] == b'=' {
        at = after + 1;
        at += html.get(at..)?.iter().position(|byte| !is_space(*byte))?;
        let len = match html[at] {
            quote @ (b'"' | b'\'') => {
                at += 1;
                let len = find(html.get(at..)?, [quote])?;
                value = &html[at..at + len];
                len + 1
            }
            b'>' => 0,
            _ => {
                let len = html[at..].iter().position(|byte| is_space(*byte) || *byte == b'>')?;
                value = &html[at..at + len];
                len
            }
        };
        at += len;
    }
    // Of several the first counts.
    if name.len() == 4 && name.eq_ignore_ascii_case(b"href") {
        tag.href.get_or_insert(value);
    } else if name.len() == 3 && name.eq_ignore_ascii_case(b"src") {
        tag.src.get_or_insert(value);
    } else if name.len() == 3 && name.eq_ignore_ascii_case(b"rel") {
        tag.rel.get_or_insert(value);
    }
    Some(at)
}

/// Relations of a `link` by which a page is made, and no other page is named.
const LOADED: [&[u8]; 8] = [
    b"stylesheet",
    b"icon",
    b"preload",
    b"modulepreload",
    b"prefetch",
    b"manifest",
    b"apple-touch-icon",
    b"mask-icon",
];

fn pass(tag: &Tag<'_>, hear: &mut impl FnMut(Purpose, &[u8])) {
    if let Some(href) = tag.href {
        let loads = tag.name.eq_ignore_ascii_case(b"link")
            && tag.rel.is_some_and(|rel| {
                rel.split(|byte| is_space(*byte)).any(|r| LOADED.iter().any(|l| l.eq_ignore_ascii_case(r)))
            });
        let purpose = match loads {
            true => Purpose::Load,
            false if tag.name.eq_ignore_ascii_case(b"base") => Purpose::Base,
            false => Purpose::Follow,
        };
        hear(purpose, &decoded(href));
    }
    if let Some(src) = tag.src {
        hear(Purpose::Load, &decoded(src));
    }
}

/// Returns an attribute's value with its entities decoded.
fn decoded(value: &[u8]) -> Cow<'_, [u8]> {
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

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use proptest::prelude::*;

    use super::super::{Attribute, Attributes, Options, Tag, Visitor, walk};
    use super::*;

    fn all(html: &str) -> Vec<(Purpose, String)> {
        let mut out = vec![];
        references(html.as_bytes(), &mut |purpose, address| {
            out.push((purpose, String::from_utf8(address.to_vec()).unwrap()));
        });
        out
    }

    #[test]
    fn addresses_are_heard_wherever_they_stand_in_tags() {
        use Purpose::{Base, Follow, Load};
        for (html, expected) in [
            ("<a href=\"x.html\">", vec![(Follow, "x.html")]),
            ("<A title=\">\" HREF = 'x y' href=z>", vec![(Follow, "x y")]),
            ("<img alt src=a.png/><img src>", vec![(Load, "a.png/"), (Load, "")]),
            ("<link rel='x stylesheet' href=a><link rel=canonical href=b>", vec![(Load, "a"), (Follow, "b")]),
            ("<base href=/a/>", vec![(Base, "/a/")]),
            (
                "<script src=a>document.write(\"<a href='b'>\")</script><a href=c>",
                vec![(Load, "a"), (Follow, "c")],
            ),
            ("<!-- <a href=x> --><a href=y><!--><a href=z>", vec![(Follow, "y"), (Follow, "z")]),
            (
                "text href='no' &lt;a href=\"no\"> </a href=no><a href=\"?a=1&amp;b&eacute;&x=&#65;\">",
                vec![(Follow, "?a=1&bé&x=A")],
            ),
            ("<a href=\"open", vec![]),
            ("<a =x href=y", vec![]),
            ("<a =href=y href=z>", vec![(Follow, "z")]),
            ("<", vec![]),
            ("<!--", vec![]),
            ("<a href=\"a'&eacute;\"><a href='b\"&eacute;'>", vec![(Follow, "a'é"), (Follow, "b\"é")]),
            ("<a href=&eacute;'\"&amp\">", vec![(Follow, "é'\"&\"")]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|(p, a)| (p, a.to_owned())).collect();
            assert_eq!(all(html), expected, "{html}");
        }
    }

    struct Links(Vec<String>);

    impl Visitor for Links {
        fn open(&mut self, _tag: Tag, attributes: &Attributes) -> ControlFlow<()> {
            self.0.extend(
                [Attribute::Href, Attribute::Src].iter().filter_map(|a| Some(attributes.get(*a)?.to_owned())),
            );
            ControlFlow::Continue(())
        }
        fn close(&mut self, _tag: Tag) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
        fn text(&mut self, _text: &str) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1000, ..ProptestConfig::default() })]
        #[test]
        fn it_hears_what_the_walk_through_the_page_hears(pieces in proptest::collection::vec(prop_oneof![
            proptest::sample::select(vec![
                "<", ">", "/", "=", "\"", "'", "&amp;", "&eacute;", "&amp", " ", "\n", "<!--", "-->", "<a href=", "<img src=",
                "<a href=\"x\">", "<p>", "</p>", "href='y' ", "src=z ", "<title>", "</title>", "<style>", "</style>", "é",
            ]).prop_map(String::from),
            "[a-z]{0,3}",
        ], 0..24)) {
            let html = pieces.concat();
            let mut links = Links(vec![]);
            walk(&html, Options::EVERYTHING, &mut links);
            let heard: Vec<String> = all(&html).into_iter().map(|(_, address)| address).collect();
            prop_assert_eq!(heard, links.0, "{}", html);
        }

        #[test]
        fn no_bytes_make_it_fail(html in proptest::collection::vec(prop_oneof![
            proptest::sample::select(b"<>/='\"&;!- ahrefsc".to_vec()), any::<u8>()], 0..200)) {
            references(&html, &mut |_, _| {});
        }
    }
}
