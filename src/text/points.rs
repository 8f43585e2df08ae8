//! Where a page can be added to: its parts, headings and addresses, each with its place.
//!
//! For a server that puts a bar of its own into other people's pages. The page is not parsed (that takes
//! 0.36 ms for a usual one): its tags are read, and what lies between them is left alone.

use std::ops::Range;

use super::events::find;
use super::raw_tags::{self, Hear, Tag, decoded, is_space};

/// The most headings that are told.
const MAX_HEADINGS: usize = 1000;

/// The longest tag that is looked for where tags may be hidden.
const MAX_TAG: usize = 4096;

/// The most addresses and other places of one kind that are told.
const MAX_PLACES: usize = 100_000;

/// The longest text of a heading in bytes, tags included.
const MAX_HEADING: usize = 2000;

/// The places of a page, in bytes from its start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Points {
    /// Behind the start tag of the head.
    pub head: Option<usize>,
    /// Behind the start tag of the body.
    pub body: Option<usize>,
    /// Before the first tag that is none of a head's, where there is no body's tag.
    pub content: Option<usize>,
    /// The title's text, as it is written.
    pub title: Option<Range<usize>>,
    /// The language that the page says, as it is written.
    pub language: Option<Range<usize>>,
    /// The direction that the page says, as it is written.
    pub direction: Option<Range<usize>>,
    /// True if the page has a style sheet of its own.
    pub is_styled: bool,
    /// True if the page says how wide a screen it is for.
    pub has_viewport: bool,
    /// True if the page is a set of frames, which has no body.
    pub is_frameset: bool,
    /// True if there is an `svg` or `math`, in which other rules hold.
    has_foreign: bool,
    /// The headings of the body.
    pub headings: Vec<HeadingAt>,
    /// Addresses that begin with a slash or lead to another host.
    pub addresses: Vec<Address>,
    /// What would act on its own: values of `http-equiv` that set the page off to elsewhere, or open
    /// connections.
    pub actions: Vec<Range<usize>>,
    /// The ends of tags such as `<a id="x"/>`, each with the name; none in a page of HTML, where they mean
    /// nothing.
    pub self_closed: Vec<(usize, Range<usize>)>,
}

/// A heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadingAt {
    /// 1 to 6.
    pub level: u8,
    /// Behind the name in its tag, where an attribute can be put.
    pub attributes: usize,
    /// The value of its `id`, as it is written.
    pub id: Option<Range<usize>>,
    /// Its content, markup and all.
    pub content: Range<usize>,
}

/// An address in an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The attribute's value.
    pub value: Range<usize>,
    /// True if it leads to another host: `http://..`, `https://..`, `//..`, `mailto:..`.
    pub is_external: bool,
    /// True if it is one that a person follows.
    pub is_link: bool,
    /// True if a browser connects to it without being asked, and before it looks at the page's policy:
    /// `rel=preconnect` and the like, and pages within the page.
    pub is_hint: bool,
    /// True for a list of addresses as in `srcset`.
    pub is_list: bool,
}

/// Finds the places of a page, which is one of XML or of HTML. Takes time linear in its length, some 20 us
/// for a usual one.
pub fn points(html: &[u8], is_xml: bool) -> Points {
    let mut finder = Finder { is_xml, ..Finder::new(html) };
    raw_tags::scan(html, &mut finder);
    let mut points = finder.points;
    if points.has_foreign {
        hidden(html, &mut points);
    }
    points
}

/// Finds what acts on its own wherever it stands. Inside of `svg` and `math` a browser takes for tags what
/// elsewhere is the text of a style or a title; which of both it is only a whole parser knows. To take too
/// much for one changes nothing that is seen.
fn hidden(html: &[u8], points: &mut Points) {
    let mut found = Finder::new(html);
    let mut at = 0;
    while let Some(len) = html.get(at..).and_then(|rest| find(rest, [b'<'])) {
        at += len + 1;
        let is_one = html
            .get(at..at + 4)
            .is_some_and(|name| name.eq_ignore_ascii_case(b"meta") || name.eq_ignore_ascii_case(b"link"));
        if is_one {
            raw_tags::one(html, at - 1, MAX_TAG, &mut found);
            found.attributes.clear();
        }
    }
    points.actions.append(&mut found.points.actions);
    points.addresses.extend(found.points.addresses.into_iter().filter(|a| a.is_hint && a.is_external));
}

/// Attributes that matter, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Id,
    Rel,
    Lang,
    Dir,
    Named,
    Equiv,
    Content,
    Address,
    List,
}

struct Finder<'a> {
    html: &'a [u8],
    is_xml: bool,
    points: Points,
    attributes: Vec<(Name, Range<usize>)>,
    /// The heading whose end has not come.
    open: Option<HeadingAt>,
    title: Option<usize>,
    in_body: bool,
}

impl<'a> Finder<'a> {
    fn new(html: &'a [u8]) -> Self {
        Self {
            html,
            is_xml: false,
            points: Points::default(),
            attributes: vec![],
            open: None,
            title: None,
            in_body: false,
        }
    }

    fn of(&self, name: Name) -> Option<Range<usize>> {
        self.attributes.iter().find(|(n, _)| *n == name).map(|(_, value)| value.clone())
    }

    fn text(&self, name: Name) -> &[u8] {
        self.of(name).map_or(b"", |value| &self.html[value])
    }

    /// Takes addresses that do not simply lead on from the page's own.
    fn addresses(&mut self, tag: &[u8]) {
        let is_link = tag.eq_ignore_ascii_case(b"a") || tag.eq_ignore_ascii_case(b"area");
        let is_frame = tag.eq_ignore_ascii_case(b"iframe") || tag.eq_ignore_ascii_case(b"frame");
        let is_hint = is_frame
            || (tag.eq_ignore_ascii_case(b"link") && {
                let rel = self.text(Name::Rel).to_ascii_lowercase();
                // One word of a list that opens a connection is enough.
                let harmless = |r: &[u8]| matches!(r, b"" | b"canonical" | b"license" | b"alternate");
                !rel.split(|b| is_space(*b)).all(harmless)
            });
        for (name, value) in &self.attributes {
            let is_list = *name == Name::List;
            if !matches!(name, Name::Address | Name::List) {
                continue;
            }
            let text = &self.html[value.clone()];
            let first = text.iter().position(|byte| !is_space(*byte)).map_or(&text[..0], |at| &text[at..]);
            // Browsers take a backslash for a slash.
            let is_external = is_external(first);
            let has_root = matches!(first, [b'/' | b'\\', ..]) || (is_list && text.contains(&b'/'));
            if (is_external || has_root) && self.points.addresses.len() < MAX_PLACES {
                let value = value.clone();
                self.points.addresses.push(Address { value, is_external, is_link, is_hint, is_list });
            }
        }
    }

    fn meta(&mut self) {
        if self.text(Name::Named).eq_ignore_ascii_case(b"viewport") {
            self.points.has_viewport = true;
        }
        let Some(equiv) = self.of(Name::Equiv) else { return };
        let harmless: [&[u8]; 4] =
            [b"content-type", b"content-language", b"default-style", b"x-ua-compatible"];
        let name = decoded(&self.html[equiv.clone()]).trim_ascii().to_ascii_lowercase();
        let stays = name == b"refresh" && {
            let content = decoded(self.text(Name::Content)).into_owned();
            // On from the page's own folder; whatever could be read as leaving it is taken for that.
            let leaves = |(i, byte): (usize, &u8)| match byte {
                b'/' => !i.checked_sub(1).and_then(|i| content.get(i)).is_some_and(|before| {
                    before.is_ascii_alphanumeric() || matches!(before, b'.' | b'-' | b'_' | b'~' | b')')
                }),
                byte => matches!(byte, b':' | b'\\') || byte.is_ascii_control(),
            };
            !content.iter().enumerate().any(leaves)
        };
        if !stays && !harmless.contains(&&name[..]) {
            self.points.actions.push(equiv);
        }
    }
}

fn is_external(address: &[u8]) -> bool {
    // `&#104;ttp:` is rare, and decoded only where it may be one.
    says_host(address) || (address.contains(&b'&') && says_host(&decoded(address)))
}

fn says_host(address: &[u8]) -> bool {
    // Browsers pass over these wherever they stand, and over all control characters before an address.
    let mut letters = address.iter().copied().skip_while(|byte| *byte <= b' ');
    let mut letters = letters.by_ref().filter(|byte| !matches!(byte, b'\t' | b'\n' | b'\r'));
    let (first, second) = (letters.next(), letters.next());
    if let (Some(b'/' | b'\\'), Some(b'/' | b'\\')) = (first, second) {
        return true;
    }
    let rest = first.into_iter().chain(second).chain(letters).take(12);
    let scheme: Vec<u8> =
        rest.take_while(|byte| *byte != b':').map(|byte| byte.to_ascii_lowercase()).collect();
    let names: [&[u8]; 10] =
        [b"http", b"https", b"ftp", b"mailto", b"tel", b"sms", b"intent", b"magnet", b"ws", b"wss"];
    names.contains(&&scheme[..]) && address.contains(&b':')
}

fn name_of(name: &[u8]) -> Option<Name> {
    let known: &[(&[u8], Name)] = match name.len() {
        2 => &[(b"id", Name::Id)],
        3 => &[(b"src", Name::Address), (b"rel", Name::Rel), (b"dir", Name::Dir)],
        4 => &[
            (b"href", Name::Address),
            (b"lang", Name::Lang),
            (b"name", Name::Named),
            (b"data", Name::Address),
            (b"ping", Name::Address),
        ],
        6 => &[(b"srcset", Name::List), (b"poster", Name::Address), (b"action", Name::Address)],
        7 => &[(b"content", Name::Content)],
        10 => &[
            (b"http-equiv", Name::Equiv),
            (b"xlink:href", Name::Address),
            (b"background", Name::Address),
            (b"formaction", Name::Address),
        ],
        11 => &[(b"imagesrcset", Name::List)],
        _ => return None,
    };
    known.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, known)| *known)
}

/// Tags that stand in a head, or before it.
fn is_of_head(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 11] = [
        b"html",
        b"head",
        b"meta",
        b"link",
        b"title",
        b"style",
        b"script",
        b"base",
        b"noscript",
        b"template",
        b"body",
    ];
    NAMES.iter().any(|n| n.eq_ignore_ascii_case(name))
}

/// Tags that have no end tag in HTML.
fn is_void(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 15] = [
        b"area", b"base", b"br", b"col", b"embed", b"hr", b"img", b"input", b"link", b"meta", b"param",
        b"source", b"track", b"wbr", b"keygen",
    ];
    NAMES.iter().any(|n| n.eq_ignore_ascii_case(name))
}

fn level_of(name: &[u8]) -> Option<u8> {
    match name {
        [b'h' | b'H', digit @ b'1'..=b'6'] => Some(digit - b'0'),
        _ => None,
    }
}

impl Hear for Finder<'_> {
    #[inline]
    fn attribute(&mut self, name: &[u8], value: Range<usize>) {
        // Of several the first counts.
        if let Some(name) = name_of(name)
            && (matches!(name, Name::Address | Name::List) || self.of(name).is_none())
        {
            self.attributes.push((name, value));
        }
    }

    fn start_tag(&mut self, tag: &Tag) {
        let html = self.html;
        let name = &html[tag.name.clone()];
        let end = tag.whole.end;
        let is_first = self.points.body.is_none() && self.points.content.is_none();
        if self.points.body.is_none() && !is_of_head(name) {
            self.points.content.get_or_insert(tag.whole.start);
            self.in_body = true;
        }
        if let Some(level) = level_of(name) {
            self.open =
                Some(HeadingAt { level, attributes: tag.name.end, id: self.of(Name::Id), content: end..end });
        } else if name.eq_ignore_ascii_case(b"body") {
            self.points.body.get_or_insert(end);
            self.in_body = true;
        } else if name.eq_ignore_ascii_case(b"head") {
            self.points.head.get_or_insert(end);
        } else if name.eq_ignore_ascii_case(b"html") {
            self.points.language = self.points.language.take().or(self.of(Name::Lang));
            self.points.direction = self.points.direction.take().or(self.of(Name::Dir));
        } else if name.eq_ignore_ascii_case(b"title") {
            if !self.in_body && self.points.title.is_none() {
                self.title = Some(end);
            }
        } else if name.eq_ignore_ascii_case(b"style") {
            self.points.is_styled = true;
        } else if name.eq_ignore_ascii_case(b"link") {
            let rel = self.text(Name::Rel).to_ascii_lowercase();
            self.points.is_styled |= rel.split(|b| is_space(*b)).any(|r| r == b"stylesheet");
        } else if name.eq_ignore_ascii_case(b"meta") {
            self.meta();
        } else if name.eq_ignore_ascii_case(b"frameset") {
            self.points.is_frameset |= is_first;
        } else if name.eq_ignore_ascii_case(b"svg") || name.eq_ignore_ascii_case(b"math") {
            self.points.has_foreign = true;
        }
        if self.is_xml
            && html[..end].ends_with(b"/>")
            && !is_void(name)
            && self.points.self_closed.len() < MAX_PLACES
        {
            self.points.self_closed.push((end - 2, tag.name.clone()));
        }
        if !self.attributes.is_empty() {
            self.addresses(name);
            self.attributes.clear();
        }
    }

    fn end_tag(&mut self, tag: &Tag) {
        let name = &self.html[tag.name.clone()];
        if level_of(name).is_some() {
            if let Some(mut heading) = self.open.take() {
                heading.content.end = tag.whole.start;
                if heading.content.len() <= MAX_HEADING && self.points.headings.len() < MAX_HEADINGS {
                    self.points.headings.push(heading);
                }
            }
        } else if name.eq_ignore_ascii_case(b"title")
            && let Some(start) = self.title.take()
        {
            self.points.title = Some(start..tag.whole.start);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pieces(html: &str, ranges: impl IntoIterator<Item = Range<usize>>) -> Vec<&str> {
        ranges.into_iter().map(|range| &html[range]).collect()
    }

    #[test]
    fn the_parts_of_a_page_are_found() {
        let html = "<!doctype html><html lang=fr dir='rtl'><head><title>A &amp; B</title><meta name=viewport \
            content=x><link rel='icon stylesheet' href=a.css></head><body class=x>text<h1>One <i>two</i></h1>\
            <h2 class=y id=\"z\">Three</h2><title>no</title></body></html>";
        let found = points(html.as_bytes(), true);
        assert_eq!(&html[..found.head.unwrap()][34..], "rtl'><head>");
        assert!(html[..found.body.unwrap()].ends_with("<body class=x>"));
        assert_eq!(&html[found.title.unwrap()], "A &amp; B");
        assert_eq!(&html[found.language.unwrap()], "fr");
        assert_eq!(&html[found.direction.unwrap()], "rtl");
        assert!(found.is_styled && found.has_viewport && !found.is_frameset);
        assert_eq!(
            pieces(html, found.headings.iter().map(|h| h.content.clone())),
            ["One <i>two</i>", "Three"]
        );
        assert_eq!(found.headings[1].id.clone().map(|id| &html[id]), Some("z"));
        assert!(html[..found.headings[1].attributes].ends_with("<h2"));
    }

    #[test]
    fn a_page_without_the_usual_tags_has_a_place_before_its_content() {
        let html = "<!doctype html><meta charset=utf-8><title>T</title>\n<p>text";
        let found = points(html.as_bytes(), true);
        assert_eq!((found.head, found.body), (None, None));
        assert!(html[found.content.unwrap()..].starts_with("<p>"));
        assert_eq!(points(b"only text", true).content, None);
    }

    #[test]
    fn addresses_that_leave_the_page_s_own_folder_are_found() {
        let html = "<a href=/x><a href='//evil/y'><a href=HTTPS://e/z><img src=\"/i.png\" srcset='/a 1x, b 2x'>\
            <a href=rel><a href=#f><a href=' /s'><a href='&#104;ttp://e/'><link rel=preconnect href=//e>\
            <a href=\\\\evil><a href=mailto:a@b><form action=/go><script>'<a href=/no>'</script>";
        let found = points(html.as_bytes(), true);
        let texts = pieces(html, found.addresses.iter().map(|a| a.value.clone()));
        assert_eq!(
            texts,
            [
                "/x",
                "//evil/y",
                "HTTPS://e/z",
                "/i.png",
                "/a 1x, b 2x",
                " /s",
                "&#104;ttp://e/",
                "//e",
                "\\\\evil",
                "mailto:a@b",
                "/go"
            ]
        );
        let external: Vec<bool> = found.addresses.iter().map(|a| a.is_external).collect();
        assert_eq!(external, [false, true, true, false, false, false, true, true, true, true, false]);
        assert!(found.addresses[7].is_hint && found.addresses[4].is_list && found.addresses[0].is_link);
    }

    #[test]
    fn an_address_is_external_however_it_is_written() {
        for external in [
            "h\nttp://e",
            "ht&#10;tp://e",
            "\u{1}http://e",
            "\t//e",
            "/\t/e",
            "HTTPS:e",
            "&#x2f;/e",
            "magnet:?x",
        ] {
            assert!(is_external(external.as_bytes()), "{external:?}");
        }
        for own in ["", "/", "/x//y", "x:y", "File:x.png", "http", "#http://e", "?q=http://e", "javascript:x"]
        {
            assert!(!is_external(own.as_bytes()), "{own:?}");
        }
    }

    #[test]
    fn what_would_set_a_page_off_is_found() {
        for (html, acts) in [
            ("<meta http-equiv=refresh content='0;url=http://evil/'>", true),
            ("<meta http-equiv=' Re&#102;resh' content='0;url=//evil'>", true),
            ("<meta http-equiv=refresh content='0;url=/x'>", true),
            ("<meta http-equiv=refresh content='5;url=next.html'>", false),
            ("<meta http-equiv=refresh content='0; url=./next.html#x'>", false),
            ("<meta http-equiv=refresh content='0; url=../a/b.html'>", false),
            ("<meta http-equiv=refresh content='0; url=..//evil'>", true),
            ("<svg><style><meta http-equiv=refresh content='0;url=http://evil'></style></svg>", true),
            ("<math></math><!-- <meta http-equiv=refresh content='0;url=http://evil'> -->", true),
            ("<meta http-equiv=refresh content='5'>", false),
            ("<meta http-equiv=Content-Type content='text/html; charset=x'>", false),
            ("<meta http-equiv=x-dns-prefetch-control content=on>", true),
            ("<meta http-equiv=set-cookie content=a=b>", true),
        ] {
            assert_eq!(!points(html.as_bytes(), true).actions.is_empty(), acts, "{html}");
        }
    }

    #[test]
    fn tags_that_close_themselves_are_found_where_html_has_no_such_thing() {
        let html = "<a id='x'/><br/><p />";
        let found = points(html.as_bytes(), true);
        assert_eq!(pieces(html, found.self_closed.iter().map(|(_, name)| name.clone())), ["a", "p"]);
        assert_eq!(&html[found.self_closed[0].0..][..2], "/>");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1000, ..ProptestConfig::default() })]
        #[test]
        fn no_bytes_make_it_fail_and_places_lie_in_order(html in proptest::collection::vec(prop_oneof![
            proptest::sample::select(vec![
                "<", ">", "/", "=", "\"", "'", "<h1>", "</h1>", "<h2 id=", "<body>", "<head>", "<title>", "</title>",
                "<a href=/", "&#104;", "<meta http-equiv=", "<!--", "-->", " ", "x", "srcset='", "/>",
            ])], 0..40)) {
            let html = html.concat();
            let found = points(html.as_bytes(), true);
            let mut last = 0;
            for heading in &found.headings {
                prop_assert!(last <= heading.attributes && heading.attributes <= heading.content.start);
                prop_assert!(heading.content.start <= heading.content.end && heading.content.end <= html.len());
                last = heading.content.end;
            }
            for address in &found.addresses {
                prop_assert!(address.value.end <= html.len());
            }
        }
    }
}
