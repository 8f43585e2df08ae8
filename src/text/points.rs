//! Where a page can be added to: its parts, headings and addresses, each with its place.
//!
//! For a server that puts a bar of its own into other people's pages. The page is not parsed (that takes
//! 0.36 ms for a usual one): its tags are read, and what lies between them is left alone.

mod names;

use std::ops::Range;

use self::names::{is_aside, is_of_head, is_void, level_of, may_connect, may_hide, name_of};
pub(super) use self::names::{is_external, is_link};
use super::events::{find, places};
use super::raw_tags::{self, Hear, Tag, decoded, is_space};

/// The most headings that are told.
const MAX_HEADINGS: usize = 1000;

/// The most addresses and other places of one kind that are told, but for what has to be changed.
const MAX_PLACES: usize = 100_000;

/// The most places that are told, of all kinds that have to be changed: a page of more is crafted, and their
/// list would be longer than it.
const MAX_GUARDS: usize = 2 * MAX_PLACES;

/// The most attributes of a tag that are looked at.
const MAX_ATTRIBUTES: usize = 10_000;

/// The longest text of a heading in bytes, tags included.
const MAX_HEADING: usize = 2000;

/// The places of a page, in bytes from its start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Points {
    /// Where the page ends: before a last tag or comment that does not, which a browser drops, and which
    /// whatever is put behind it would end.
    pub end: usize,
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
    /// True if there is what other rules hold in: an `svg`, a `math`, a set of frames, a script with a
    /// comment, or what a browser reads one way with scripts and another without.
    may_hide: bool,
    /// True if more has to be changed than is told: the page cannot be shown.
    pub is_overfull: bool,
    /// The headings of the body.
    pub headings: Vec<HeadingAt>,
    /// Addresses that begin with a slash or lead to another host.
    pub addresses: Vec<Address>,
    /// What would act on its own: values of `http-equiv` that set the page off to elsewhere, or open
    /// connections, and names of a policy that tells others where a reader comes from.
    pub actions: Vec<Range<usize>>,
    /// Pages within attributes (`srcdoc`) that would open connections.
    pub inner_pages: Vec<Range<usize>>,
    /// The names of tags that could act on their own and are no tags as we read the page, but may be as a
    /// browser does: where each begins.
    pub hidden: Vec<usize>,
    /// Style sheets within the page that may have addresses: contents of `style` elements, and values of
    /// attributes.
    pub styles: Vec<Range<usize>>,
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
    /// True if a browser connects to it before it looks at the page's policy: `rel=preconnect` and the
    /// like, pages within the page, where a form is sent and what is told of a click.
    pub connects: bool,
    /// True if something is sent there, when a form or a link is used.
    pub is_sent: bool,
    /// True for a list of addresses as in `srcset`.
    pub is_list: bool,
}

/// Finds the places of a page, which is one of XML or of HTML. Takes time linear in its length, some 20 us
/// for a usual one.
pub fn points(html: &[u8], is_xml: bool) -> Points {
    let mut finder = Finder { is_xml, ..Finder::new(html) };
    let end = raw_tags::scan(html, is_xml, &mut finder);
    let mut points = Points { end, ..finder.points };
    if points.may_hide && !points.is_overfull {
        hidden(html, is_xml, &mut points);
    }
    points
}

/// Finds the names of tags that are hidden from the scan. Inside of `svg` and `math` a browser takes for
/// tags what elsewhere is the text of a style or a title, and behind a comment in a script its end tag may
/// not end it; which of both it is only a whole parser knows.
///
/// Their attributes are not read: where they end depends on what else is changed within them.
fn hidden(html: &[u8], is_xml: bool, points: &mut Points) {
    let mut seen = Seen { html, starts: vec![] };
    raw_tags::scan(html, is_xml, &mut seen);
    let mut seen = seen.starts.into_iter().peekable();
    let mut at = 0;
    while let Some(len) = html.get(at..).and_then(|rest| find(rest, [b'<'])) {
        at += len + 1;
        if html.get(at..).is_some_and(may_connect) && seen.next_if_eq(&at).is_none() {
            if points.hidden.len() >= MAX_GUARDS {
                points.is_overfull = true;
                return;
            }
            points.hidden.push(at);
        }
    }
}

/// Where the names of those tags begin that the scan sees and that could act on their own.
struct Seen<'a> {
    html: &'a [u8],
    starts: Vec<usize>,
}

impl Hear for Seen<'_> {
    fn attribute(&mut self, _name: &[u8], _value: Range<usize>) {}

    fn start_tag(&mut self, tag: &Tag) {
        if may_connect(&self.html[tag.name.clone()]) {
            self.starts.push(tag.name.start);
        }
    }
}

/// Returns true if a page within an attribute may open a connection by itself or by a click, or say more of
/// the reader than we would. It is judged by the words that it would need, wherever they stand in it.
fn page_connects(written: &[u8]) -> bool {
    const TAGS: [&[u8]; 5] = [b"<link", b"<meta", b"<frame", b"<iframe", b"referrerpolicy"];
    let page = decoded(written).to_ascii_lowercase();
    let has = |word: &[u8]| page.windows(word.len()).any(|window| window == word);
    TAGS.iter().any(|word| has(word)) || (has(b"<form") && has(b"action"))
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
    /// An address that a person may follow.
    Link,
    List,
    /// Where something is sent.
    Sent,
    /// A page.
    Page,
    /// A style.
    Style,
    /// What others are told of where a reader comes from.
    Referrer,
    /// The name of an attribute that changes as time goes on.
    Animated,
}

struct Finder<'a> {
    html: &'a [u8],
    is_xml: bool,
    points: Points,
    attributes: Vec<(Name, Range<usize>)>,
    /// A bit for each name of `attributes`, which may be a long list.
    has: u16,
    /// The heading whose end has not come.
    open: Option<HeadingAt>,
    title: Option<usize>,
    in_body: bool,
    /// Where the `noscript` or `template` begins that has not ended: what stands in it may not be shown.
    aside: Option<usize>,
}

impl<'a> Finder<'a> {
    fn new(html: &'a [u8]) -> Self {
        Self {
            html,
            is_xml: false,
            points: Points::default(),
            attributes: vec![],
            has: 0,
            open: None,
            title: None,
            in_body: false,
            aside: None,
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
        let is_fetched = tag.eq_ignore_ascii_case(b"link") || tag.eq_ignore_ascii_case(b"base");
        let is_frame = tag.eq_ignore_ascii_case(b"iframe") || tag.eq_ignore_ascii_case(b"frame");
        let is_hint = is_frame
            || (tag.eq_ignore_ascii_case(b"link") && {
                let rel = self.text(Name::Rel).to_ascii_lowercase();
                // One word of a list that opens a connection is enough.
                let harmless = |r: &[u8]| matches!(r, b"" | b"canonical" | b"license" | b"alternate");
                !rel.split(|b| is_space(*b)).all(harmless)
            });
        for (name, value) in &self.attributes {
            let text = &self.html[value.clone()];
            match name {
                Name::Address | Name::Link | Name::List | Name::Sent => {}
                Name::Page if page_connects(text) => {
                    self.points.inner_pages.push(value.clone());
                    continue;
                }
                Name::Style if self.points.styles.len() < MAX_PLACES && text.contains(&b'/') => {
                    self.points.styles.push(value.clone());
                    continue;
                }
                Name::Referrer if !text.is_empty() => {
                    self.points.actions.push(value.clone());
                    continue;
                }
                // Where a link leads would change after it was looked at.
                Name::Animated if names::is_link(&decoded(text)) => {
                    self.points.actions.push(value.clone());
                    continue;
                }
                _ => continue,
            }
            let is_list = *name == Name::List;
            let first = text.iter().position(|byte| !is_space(*byte)).map_or(&text[..0], |at| &text[at..]);
            // Browsers take a backslash for a slash.
            let is_external = is_external(first);
            let has_root = matches!(first, [b'/' | b'\\', ..]) || (is_list && text.contains(&b'/'));
            let is_sent = *name == Name::Sent;
            let connects = is_hint || is_sent;
            let is_link = *name == Name::Link && !is_fetched;
            // However many there are, none of those that connect, or lead out by a click, is passed over.
            let is_told = self.points.addresses.len() < MAX_PLACES || (is_external && (connects || is_link));
            if (is_external || has_root) && is_told {
                let value = value.clone();
                self.points.addresses.push(Address {
                    value,
                    is_external,
                    is_link,
                    connects,
                    is_sent,
                    is_list,
                });
            }
        }
    }

    fn meta(&mut self) {
        if let Some(named) = self.of(Name::Named) {
            let name = decoded(&self.html[named.clone()]);
            self.points.has_viewport |= name.eq_ignore_ascii_case(b"viewport");
            if name.trim_ascii().eq_ignore_ascii_case(b"referrer") {
                self.points.actions.push(named);
            }
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

impl Hear for Finder<'_> {
    #[inline]
    fn attribute(&mut self, name: &[u8], value: Range<usize>) {
        // Of several the first counts.
        if let Some(name) = name_of(name)
            && (matches!(name, Name::Address | Name::Link | Name::List | Name::Sent)
                || self.has & (1 << name as u16) == 0)
        {
            if self.attributes.len() >= MAX_ATTRIBUTES {
                self.points.is_overfull = true;
                return;
            }
            self.has |= 1 << name as u16;
            self.attributes.push((name, value));
        }
    }

    fn start_tag(&mut self, tag: &Tag) {
        let html = self.html;
        let name = &html[tag.name.clone()];
        let end = tag.whole.end;
        let is_first = self.points.body.is_none() && self.points.content.is_none();
        if self.points.body.is_none() && !is_of_head(name) {
            // Of one that holds the first of the content we cannot say whether it is shown.
            self.points.content.get_or_insert(self.aside.unwrap_or(tag.whole.start));
            self.in_body = true;
        }
        if is_aside(name) {
            self.aside.get_or_insert(tag.whole.start);
        }
        if let Some(level) = level_of(name) {
            self.open =
                Some(HeadingAt { level, attributes: tag.name.end, id: self.of(Name::Id), content: end..end });
        } else if name.eq_ignore_ascii_case(b"body") && self.aside.is_none() {
            self.points.body.get_or_insert(end);
            self.in_body = true;
        } else if name.eq_ignore_ascii_case(b"head") && self.aside.is_none() {
            self.points.head.get_or_insert(end);
        } else if name.eq_ignore_ascii_case(b"html") {
            self.points.language = self.points.language.take().or(self.of(Name::Lang));
            self.points.direction = self.points.direction.take().or(self.of(Name::Dir));
        } else if name.eq_ignore_ascii_case(b"title") {
            if !self.in_body && self.points.title.is_none() && !(self.is_xml && tag.is_closed) {
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
            self.points.may_hide = true;
        } else if may_hide(name) {
            self.points.may_hide = true;
        }
        if self.is_xml && tag.is_closed && !is_void(name) {
            // Each is one tag for the scan, and has to be two for a browser.
            if self.points.self_closed.len() < MAX_PLACES {
                self.points.self_closed.push((end - 2, tag.name.clone()));
            } else {
                self.points.is_overfull = true;
            }
        }
        if !self.attributes.is_empty() {
            if !self.points.is_overfull {
                self.addresses(name);
            }
            self.attributes.clear();
            self.has = 0;
        }
        let Points { actions, inner_pages, addresses, .. } = &self.points;
        self.points.is_overfull |= actions.len() + inner_pages.len() + addresses.len() > MAX_GUARDS;
    }

    fn raw(&mut self, name: &[u8], content: Range<usize>) {
        if name.eq_ignore_ascii_case(b"script") {
            self.points.may_hide |= places(&self.html[content], b"<!--").next().is_some();
        } else if name.eq_ignore_ascii_case(b"style") && self.points.styles.len() < MAX_PLACES {
            self.points.styles.push(content);
        }
    }

    fn end_tag(&mut self, tag: &Tag) {
        let name = &self.html[tag.name.clone()];
        if is_aside(name) {
            self.aside = None;
        } else if level_of(name).is_some() {
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
mod tests;
