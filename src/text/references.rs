//! The addresses that a page's tags name, found without making a tree of it.
//!
//! Where [`links`](super::links) gives the links of a page with their words, this gives every address,
//! as fast as a page can be looked through: only tags are read, and of them only what matters.

use super::raw_tags::{self, Hear, Tag, decoded, is_space};

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

/// Passes on the addresses of a page in its own order, entities decoded and nothing else done to them.
///
/// These are the `href` and `src` attributes of any element. Comments and the content of scripts,
/// styles and other elements that hold no markup are passed over. Takes time linear in the page's
/// length and no memory; a page needs not be UTF-8.
pub fn references(html: &[u8], hear: &mut impl FnMut(Purpose, &[u8])) {
    raw_tags::scan(html, false, &mut Listener { html, href: None, src: None, rel: None, hear });
}

/// The attributes of a tag, until it ends.
struct Listener<'a, H> {
    html: &'a [u8],
    href: Option<&'a [u8]>,
    src: Option<&'a [u8]>,
    rel: Option<&'a [u8]>,
    hear: &'a mut H,
}

impl<H: FnMut(Purpose, &[u8])> Hear for Listener<'_, H> {
    #[inline]
    fn attribute(&mut self, name: &[u8], value: std::ops::Range<usize>) {
        let value = &self.html[value];
        // Of several the first counts.
        if name.len() == 4 && name.eq_ignore_ascii_case(b"href") {
            self.href.get_or_insert(value);
        } else if name.len() == 3 && name.eq_ignore_ascii_case(b"src") {
            self.src.get_or_insert(value);
        } else if name.len() == 3 && name.eq_ignore_ascii_case(b"rel") {
            self.rel.get_or_insert(value);
        }
    }

    #[inline]
    fn start_tag(&mut self, tag: &Tag) {
        let (href, src, rel) = (self.href.take(), self.src.take(), self.rel.take());
        if let Some(href) = href {
            let name = &self.html[tag.name.clone()];
            let loads = name.eq_ignore_ascii_case(b"link")
                && rel.is_some_and(|rel| {
                    let mut all = rel.split(|byte| is_space(*byte));
                    all.any(|r| LOADED.iter().any(|l| l.eq_ignore_ascii_case(r)))
                });
            let purpose = match loads {
                true => Purpose::Load,
                false if name.eq_ignore_ascii_case(b"base") => Purpose::Base,
                false => Purpose::Follow,
            };
            (self.hear)(purpose, &decoded(href));
        }
        if let Some(src) = src {
            (self.hear)(Purpose::Load, &decoded(src));
        }
    }
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
