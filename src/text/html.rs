//! The plain text, the headings and the links of an HTML page.

use std::ops::ControlFlow;

use super::events::{Attributes, Options, Visitor, walk};
use super::tags::{Attribute, Tag};

const GO: ControlFlow<()> = ControlFlow::Continue(());

/// What a page says, in one pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The text of `title`, with its white space collapsed; empty if there is none.
    pub title: String,
    /// The headings in order.
    pub headings: Vec<Heading>,
    /// The visible text, headings included: see [`to_text`].
    pub text: String,
}

/// A heading of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// 1 to 6.
    pub level: u8,
    /// The place that a link can name, of the heading itself or the first one in it.
    pub id: Option<String>,
    /// Its text on one line.
    pub text: String,
    /// Where it begins in [`Page::text`], in bytes.
    pub at: usize,
}

/// A link of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where it leads, as it is written.
    pub href: String,
    /// What it says, on one line; what its picture says if it has no words.
    pub text: String,
}

/// Returns the visible text of a page.
///
/// Blocks stand on lines of their own, paragraphs, lists and tables with an empty line between;
/// the cells of a row are separated by tabs. White space is collapsed except in `pre`. Nothing is
/// added that the page does not say: no bullets, no numbers, no words for pictures. What leads
/// round a site is left out ([`Options::default`]).
pub fn to_text(html: &str) -> String {
    page(html, Options::default()).text
}

/// Returns the title, the headings and the visible text of a page.
pub fn page(html: &str, options: Options) -> Page {
    let mut reader = PageReader::default();
    walk(html, options, &mut reader);
    Page { title: reader.title, headings: reader.headings, text: reader.text.finish() }
}

/// Returns the headings of a page that say something.
pub fn headings(html: &str) -> Vec<Heading> {
    page(html, Options::default()).headings
}

/// Returns the text of the page's `title`, reading no further than that.
pub fn title(html: &str) -> Option<String> {
    let mut reader = TitleReader::default();
    walk(html, Options::default(), &mut reader);
    Some(reader.title.finish()).filter(|title| !title.is_empty())
}

/// Returns the links of a page, hidden ones and those of its menus included.
pub fn links(html: &str) -> Vec<Link> {
    let mut reader = LinkReader::default();
    walk(html, Options::EVERYTHING, &mut reader);
    reader.links.into_iter().map(|(href, text)| Link { href, text: text.finish() }).collect()
}

/// What stands between the last word and the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Gap {
    #[default]
    None,
    Space,
    Tab,
    Line,
    Blank,
}

/// Text that grows word by word.
#[derive(Debug, Clone, Default)]
pub(super) struct TextBuilder {
    out: String,
    gap: Gap,
}

impl TextBuilder {
    /// Asks for at least this gap before the next word.
    pub(super) fn gap(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
    }

    /// Adds text, with its white space collapsed.
    pub(super) fn push(&mut self, text: &str) {
        if text.starts_with(is_space) {
            self.gap(Gap::Space);
        }
        let mut words = text.split_ascii_whitespace();
        if let Some(first) = words.next() {
            self.push_word(first);
            for word in words {
                self.gap(Gap::Space);
                self.push_word(word);
            }
            if text.ends_with(is_space) {
                self.gap(Gap::Space);
            }
        }
    }

    /// Adds text as it stands.
    pub(super) fn push_pre(&mut self, text: &str) {
        self.settle();
        push_clean(&mut self.out, text);
    }

    fn push_word(&mut self, word: &str) {
        self.settle();
        push_clean(&mut self.out, word);
    }

    /// Writes the gap. Nothing stands before the first word.
    fn settle(&mut self) {
        let gap = std::mem::take(&mut self.gap);
        if self.out.is_empty() || gap == Gap::None {
            return;
        }
        // Preformatted text brings breaks of its own.
        let broken = self.out.bytes().rev().take_while(|&b| b == b'\n').count();
        self.out.push_str(match (gap, broken) {
            (Gap::Space, _) if self.out.ends_with([' ', '\t']) => "",
            (Gap::None, _) | (Gap::Space | Gap::Tab | Gap::Line, 1..) | (Gap::Blank, 2..) => "",
            (Gap::Space, _) => " ",
            (Gap::Tab, _) => "\t",
            (Gap::Line, _) | (Gap::Blank, 1) => "\n",
            (Gap::Blank, _) => "\n\n",
        });
    }

    /// Returns where the next word will begin.
    fn position(&mut self) -> usize {
        self.settle();
        self.out.len()
    }

    /// Returns the text, without white space at its end.
    pub(super) fn finish(mut self) -> String {
        self.out.truncate(self.out.trim_end().len());
        self.out
    }
}

fn is_space(c: char) -> bool {
    c.is_ascii_whitespace()
}

/// Appends text, with spaces that do not break made spaces, and marks of where a word may break
/// left out.
fn push_clean(out: &mut String, text: &str) {
    const NO_BREAK: char = '\u{a0}';
    const MAY_BREAK: [char; 2] = ['\u{ad}', '\u{200b}'];
    if text.is_ascii() || !text.contains([NO_BREAK, MAY_BREAK[0], MAY_BREAK[1]]) {
        out.push_str(text);
        return;
    }
    for c in text.chars().filter(|c| !MAY_BREAK.contains(c)) {
        out.push(if c == NO_BREAK { ' ' } else { c });
    }
}

/// Returns the gap round an element.
pub(super) fn gap_of(tag: Tag, in_list: bool) -> Gap {
    match tag {
        Tag::Td | Tag::Th => Gap::Tab,
        Tag::Title => Gap::None,
        Tag::Ul | Tag::Ol | Tag::Dl if in_list => Gap::Line,
        Tag::P
        | Tag::H1
        | Tag::H2
        | Tag::H3
        | Tag::H4
        | Tag::H5
        | Tag::H6
        | Tag::Ul
        | Tag::Ol
        | Tag::Dl
        | Tag::Table
        | Tag::Pre
        | Tag::Blockquote
        | Tag::Figure
        | Tag::Rule => Gap::Blank,
        Tag::Break => Gap::Line,
        _ if tag.is_block() => Gap::Line,
        _ => Gap::None,
    }
}

#[derive(Default)]
struct PageReader {
    title: String,
    text: TextBuilder,
    headings: Vec<Heading>,
    /// The heading that is open: its level, its place once it has one, where it begins.
    heading: Option<(Tag, Option<String>, Option<usize>)>,
    title_text: Option<TextBuilder>,
    lists: u32,
    pre: u32,
}

impl Visitor for PageReader {
    fn open(&mut self, tag: Tag, attributes: &Attributes) -> ControlFlow<()> {
        if let Some((_, id @ None, _)) = &mut self.heading {
            *id = place(attributes);
        }
        match tag {
            Tag::Title => self.title_text = Some(TextBuilder::default()),
            Tag::Pre => self.pre += 1,
            Tag::Quote => self.text.push("\u{201c}"),
            _ if tag.heading_level().is_some() && self.heading.is_none() => {
                self.heading = Some((tag, place(attributes), None));
            }
            _ => {}
        }
        self.text.gap(gap_of(tag, self.lists > 0));
        self.lists += u32::from(matches!(tag, Tag::Ul | Tag::Ol | Tag::Dl));
        GO
    }

    fn close(&mut self, tag: Tag) -> ControlFlow<()> {
        match tag {
            Tag::Title => self.title = self.title_text.take().map(TextBuilder::finish).unwrap_or_default(),
            Tag::Pre => self.pre -= 1,
            Tag::Quote => self.text.push("\u{201d}"),
            Tag::Ul | Tag::Ol | Tag::Dl => self.lists -= 1,
            _ => {}
        }
        if let Some((_, id, Some(at))) = self.heading.take_if(|(open, ..)| *open == tag) {
            let text = one_line(&self.text.out[at..]);
            if let (Some(level), false) = (tag.heading_level(), text.is_empty()) {
                self.headings.push(Heading { level, id, text, at });
            }
        }
        self.text.gap(gap_of(tag, self.lists > 0));
        GO
    }

    fn text(&mut self, text: &str) -> ControlFlow<()> {
        if let Some(title) = &mut self.title_text {
            title.push(text);
            return GO;
        }
        if let Some((.., at @ None)) = &mut self.heading
            && !text.trim_ascii().is_empty()
        {
            *at = Some(self.text.position());
        }
        if self.pre > 0 {
            self.text.push_pre(text);
        } else {
            self.text.push(text);
        }
        GO
    }
}

/// Returns the name by which a link can lead to an element.
fn place(attributes: &Attributes) -> Option<String> {
    let id = attributes.get(Attribute::Id).or_else(|| attributes.get(Attribute::Name))?;
    (!id.is_empty()).then(|| id.to_owned())
}

fn one_line(text: &str) -> String {
    let mut line = TextBuilder::default();
    line.push(text);
    line.finish()
}

#[derive(Default)]
struct TitleReader {
    title: TextBuilder,
    inside: bool,
}

impl Visitor for TitleReader {
    fn open(&mut self, tag: Tag, _attributes: &Attributes) -> ControlFlow<()> {
        self.inside = tag == Tag::Title;
        GO
    }

    fn close(&mut self, tag: Tag) -> ControlFlow<()> {
        if tag == Tag::Title { ControlFlow::Break(()) } else { GO }
    }

    fn text(&mut self, text: &str) -> ControlFlow<()> {
        if self.inside {
            self.title.push(text);
        }
        GO
    }
}

#[derive(Default)]
struct LinkReader {
    links: Vec<(String, TextBuilder)>,
    /// For each `a` that is open, the link that it is.
    open: Vec<Option<usize>>,
}

impl Visitor for LinkReader {
    fn open(&mut self, tag: Tag, attributes: &Attributes) -> ControlFlow<()> {
        match tag {
            Tag::A => {
                let link = attributes.get(Attribute::Href).map(|href| {
                    self.links.push((href.trim_ascii().to_owned(), TextBuilder::default()));
                    self.links.len() - 1
                });
                self.open.push(link);
            }
            Tag::Image => {
                if let (Some(text), Some(alt)) = (self.current(), attributes.get(Attribute::Alt))
                    && text.out.is_empty()
                {
                    text.push(alt);
                }
            }
            _ if tag.is_block() || tag == Tag::Break => self.space(),
            _ => {}
        }
        GO
    }

    fn close(&mut self, tag: Tag) -> ControlFlow<()> {
        if tag == Tag::A {
            self.open.pop();
        } else if tag.is_block() {
            self.space();
        }
        GO
    }

    fn text(&mut self, text: &str) -> ControlFlow<()> {
        if let Some(link) = self.current() {
            link.push(text);
        }
        GO
    }
}

impl LinkReader {
    /// Returns the text of the innermost link; words belong to one link only.
    fn current(&mut self) -> Option<&mut TextBuilder> {
        let link = (*self.open.last()?)?;
        self.links.get_mut(link).map(|(_, text)| text)
    }

    fn space(&mut self) {
        if let Some(link) = self.current() {
            link.gap(Gap::Space);
        }
    }
}
