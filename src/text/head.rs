//! What the head of a page says: title, language, description, and whether the page is only a
//! signpost to another.
//!
//! Most pages are decided within their first kilobyte; reading stops there.

use std::borrow::Cow;

use encoding_rs::UTF_8;
use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

use super::charset;

/// How far into a page its title is looked for. The last resort is the first heading, which in
/// pages with long menus comes late.
pub const HEAD_LIMIT: usize = 256 * 1024;

/// The longest title in bytes: what is longer is cut.
pub const MAX_TITLE: usize = 4096;

/// The longest first line in characters that is a title; a longer one is a paragraph.
const MAX_FIRST_LINE: usize = 160;

/// A page above this size in bytes is no signpost.
pub const MAX_STUB: usize = 4096;

/// What the head of a page says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// The title, with white space collapsed.
    pub title: Option<String>,
    /// The language (BCP 47).
    pub language: Option<String>,
    /// One or two sentences on what the page is.
    pub description: Option<String>,
}

/// How much of a page's head is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Title and language: reading ends with the title.
    Title,
    /// The description too: reading ends with the head.
    Whole,
}

/// How a page is marked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Markup {
    /// HTML, where a script begins at `<script/>` and ends at `</script>`, whatever the slash says.
    Html,
    /// XHTML, where `<script/>` is all of it.
    Xhtml,
}

/// Returns what the head of a page says.
///
/// The title is that of `<title>`, else the first `<h1>` or `<h2>` with words in it.
pub fn html(bytes: &[u8], markup: Markup, hint: Option<&str>, depth: Depth) -> Head {
    let text = start_as_utf8(bytes, hint);
    let mut reader = HeadReader::new(depth);
    reader.is_xml = markup == Markup::Xhtml;
    let mut emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| reader.event(&event));
    emitter.naively_switch_states(markup == Markup::Html);
    // An item of the iterator is the reader's word that it has seen enough.
    let _ = Tokenizer::new_with_emitter(&*text, emitter).next();
    reader.finish()
}

/// Returns the start of a page as bytes of UTF-8 (not checked where they claim to be).
fn start_as_utf8<'a>(bytes: &'a [u8], hint: Option<&str>) -> Cow<'a, [u8]> {
    let start = &bytes[..bytes.len().min(HEAD_LIMIT)];
    let encoding = match charset::stated(start, hint) {
        Some(encoding) => encoding,
        None => charset::detect(bytes, hint).encoding,
    };
    if encoding == UTF_8 {
        return Cow::Borrowed(start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start));
    }
    match encoding.decode_with_bom_removal(start).0 {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// The tags that a head's reader looks at; all others are `Other`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tag {
    Html,
    Meta,
    Title,
    Heading,
    Svg,
    Body,
    Head,
    Hidden,
    Other,
}

fn tag(name: &[u8]) -> Tag {
    match name {
        b"html" => Tag::Html,
        b"meta" => Tag::Meta,
        b"title" => Tag::Title,
        b"h1" | b"h2" => Tag::Heading,
        b"svg" => Tag::Svg,
        b"body" => Tag::Body,
        b"head" => Tag::Head,
        b"script" | b"style" => Tag::Hidden,
        _ => Tag::Other,
    }
}

struct HeadReader {
    depth: Depth,
    head: Head,
    open: Tag,
    attribute: Attribute,
    is_description: bool,
    content: Option<String>,
    /// Text being collected for a title or a heading, which of the two, and whether in an image.
    collecting: Option<Tag>,
    text: Vec<u8>,
    in_svg: bool,
    is_xml: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Attribute {
    Lang,
    Name,
    Content,
    Other,
}

impl HeadReader {
    fn new(depth: Depth) -> Self {
        Self {
            depth,
            head: Head::default(),
            open: Tag::Other,
            attribute: Attribute::Other,
            is_description: false,
            content: None,
            collecting: None,
            text: Vec::new(),
            in_svg: false,
            is_xml: false,
        }
    }

    /// Takes an event; `Some` ends the reading.
    fn event(&mut self, event: &CallbackEvent<'_>) -> Option<()> {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                self.open = tag(name);
                match self.open {
                    Tag::Title if !self.in_svg && self.head.title.is_none() => self.collect(Tag::Title),
                    Tag::Heading if self.head.title.is_none() => self.collect(Tag::Heading),
                    Tag::Svg => self.in_svg = true,
                    Tag::Body => return self.head.title.is_some().then_some(()),
                    _ => {}
                }
                self.attribute = Attribute::Other;
                self.is_description = false;
                self.content = None;
            }
            CallbackEvent::AttributeName { name } => self.attribute = self.attribute(name),
            CallbackEvent::AttributeValue { value } => match self.attribute {
                Attribute::Lang if self.head.language.is_none() => {
                    self.head.language = std::str::from_utf8(value).ok().and_then(language_tag);
                }
                Attribute::Name => self.is_description = value.eq_ignore_ascii_case(b"description"),
                Attribute::Content => self.content = Some(String::from_utf8_lossy(value).into_owned()),
                _ => {}
            },
            CallbackEvent::CloseStartTag { self_closing } => {
                if self.open == Tag::Meta && self.is_description && self.head.description.is_none() {
                    self.head.description = self.content.take().and_then(|text| collapse(&text, usize::MAX));
                }
                if *self_closing && self.open == Tag::Svg {
                    self.in_svg = false;
                }
                if *self_closing && self.is_xml {
                    match self.open {
                        Tag::Title | Tag::Heading => self.collecting = None,
                        Tag::Hidden => self.open = Tag::Other,
                        _ => {}
                    }
                }
            }
            CallbackEvent::EndTag { name } => match tag(name) {
                Tag::Svg => self.in_svg = false,
                Tag::Head => return self.head.title.is_some().then_some(()),
                end @ (Tag::Title | Tag::Heading) if self.collecting == Some(end) => {
                    self.collecting = None;
                    self.head.title = collapse(&String::from_utf8_lossy(&self.text), MAX_TITLE);
                    let done = self.depth == Depth::Title || end == Tag::Heading;
                    return (self.head.title.is_some() && done).then_some(());
                }
                Tag::Hidden => self.open = Tag::Other,
                _ => {}
            },
            CallbackEvent::String { value } if self.collecting.is_some() && self.open != Tag::Hidden => {
                let room = (4 * MAX_TITLE).saturating_sub(self.text.len());
                self.text.extend_from_slice(&value[..value.len().min(room)]);
            }
            _ => {}
        }
        None
    }

    fn collect(&mut self, tag: Tag) {
        if self.collecting.is_none() {
            self.collecting = Some(tag);
            self.text.clear();
        }
    }

    fn attribute(&self, name: &[u8]) -> Attribute {
        match (self.open, name) {
            (Tag::Html, b"lang" | b"xml:lang") => Attribute::Lang,
            (Tag::Meta, b"name") => Attribute::Name,
            (Tag::Meta, b"content") if self.depth == Depth::Whole => Attribute::Content,
            _ => Attribute::Other,
        }
    }

    fn finish(mut self) -> Head {
        // A page that ends within its title was cut, or never closed it: what comes before the next
        // tag says more than nothing.
        if self.head.title.is_none() && self.collecting.is_some() {
            let end = self.text.iter().position(|&b| b == b'<').unwrap_or(self.text.len());
            self.head.title = collapse(&String::from_utf8_lossy(&self.text[..end]), MAX_TITLE);
        }
        self.head
    }
}

/// Returns the text with runs of white space and control characters as one space, cut to so many
/// bytes, or `None` if nothing is left.
pub fn collapse(text: &str, max: usize) -> Option<String> {
    let mut out = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
        if out.len() > max {
            let end = (0..=max).rev().find(|&at| out.is_char_boundary(at)).unwrap_or(0);
            out.truncate(end);
            break;
        }
    }
    (!out.is_empty()).then_some(out)
}

/// Returns a language tag in the usual spelling, or `None` for what cannot be one.
pub fn language_tag(text: &str) -> Option<String> {
    let tag = text.trim().replace('_', "-");
    let is_tag = (2..=35).contains(&tag.len())
        && tag.as_bytes()[0].is_ascii_alphabetic()
        && tag
            .split('-')
            .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    is_tag.then_some(tag)
}

/// Returns the address that a page refreshes to at once, if that and a link to it is all it shows.
///
/// The address is as written, with entities decoded. Pages over [`MAX_STUB`] bytes, with pictures or
/// forms, with words that do not belong to a signpost, or with a second link are none.
pub fn redirect_stub(bytes: &[u8]) -> Option<String> {
    // The cheap test first: of ordinary pages nothing is tokenised.
    if bytes.len() > MAX_STUB || !contains_ignoring_case(bytes, b"refresh") {
        return None;
    }
    let text = start_as_utf8(bytes, None);
    let mut page = Signpost::default();
    let mut emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| page.event(&event));
    emitter.naively_switch_states(true);
    let _ = Tokenizer::new_with_emitter(&*text, emitter).next();
    page.finish()
}

fn contains_ignoring_case(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|w| w.eq_ignore_ascii_case(word))
}

/// The words of signposts. A page that says anything else may matter to someone, although the
/// refresh leaves no time to read it.
const SIGNPOST_WORDS: &[&str] = &[
    "a",
    "are",
    "at",
    "automatically",
    "be",
    "been",
    "being",
    "browser",
    "click",
    "continue",
    "does",
    "follow",
    "found",
    "has",
    "here",
    "if",
    "is",
    "it",
    "link",
    "location",
    "moved",
    "new",
    "not",
    "now",
    "page",
    "permanently",
    "please",
    "redirect",
    "redirected",
    "redirecting",
    "redirection",
    "redirects",
    "should",
    "support",
    "the",
    "this",
    "to",
    "will",
    "you",
    "your",
];

#[derive(Default)]
struct Signpost {
    target: Option<String>,
    links: Vec<String>,
    other: bool,
    tag: Vec<u8>,
    attribute: Vec<u8>,
    is_refresh: bool,
    content: String,
    in_link: bool,
    hidden: bool,
    text: String,
}

impl Signpost {
    /// Takes an event; `Some` means that the page is no signpost.
    fn event(&mut self, event: &CallbackEvent<'_>) -> Option<()> {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                self.tag.clear();
                self.tag.extend_from_slice(name);
                self.attribute.clear();
                self.is_refresh = false;
                self.content.clear();
                match *name {
                    b"a" => self.in_link = true,
                    b"title" | b"script" | b"style" => self.hidden = true,
                    // What shows something that is not text, and what changes where links lead.
                    b"img" | b"svg" | b"video" | b"audio" | b"iframe" | b"frame" | b"object" | b"embed"
                    | b"canvas" | b"form" | b"input" | b"button" | b"textarea" | b"select" | b"table"
                    | b"base" | b"area" | b"math" => self.other = true,
                    _ => {}
                }
            }
            CallbackEvent::AttributeName { name } => {
                self.attribute.clear();
                self.attribute.extend_from_slice(name);
            }
            CallbackEvent::AttributeValue { value } => match (self.tag.as_slice(), self.attribute.as_slice())
            {
                (b"meta", b"http-equiv") => self.is_refresh = value.eq_ignore_ascii_case(b"refresh"),
                (b"meta", b"content") => self.content = String::from_utf8_lossy(value).into_owned(),
                (b"a", b"href") => self.links.push(String::from_utf8_lossy(value).trim().to_owned()),
                _ => {}
            },
            CallbackEvent::CloseStartTag { .. } if self.is_refresh => {
                let target = immediate_refresh(&self.content);
                self.other |= target.is_none() || self.target.is_some();
                self.target = target;
            }
            CallbackEvent::EndTag { name } => match *name {
                b"a" => self.in_link = false,
                b"title" | b"script" | b"style" => self.hidden = false,
                _ => {}
            },
            CallbackEvent::String { value } if !self.in_link && !self.hidden => {
                self.text.push_str(&String::from_utf8_lossy(value));
                self.text.push(' ');
            }
            _ => {}
        }
        self.other.then_some(())
    }

    fn finish(self) -> Option<String> {
        let target = self.target.filter(|_| !self.other)?;
        let only_this_link = self.links.len() <= 1 && self.links.iter().all(|link| *link == target);
        let words = self.text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
        let says_nothing_else =
            words.into_iter().all(|word| SIGNPOST_WORDS.contains(&word.to_ascii_lowercase().as_str()));
        (only_this_link && says_nothing_else).then_some(target)
    }
}

/// Returns the address in a refresh without delay: `0; url=ADDRESS`.
fn immediate_refresh(content: &str) -> Option<String> {
    let content = content.trim_ascii_start();
    let end = content.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (delay, rest) = content.split_at(end);
    if delay.is_empty() || delay.bytes().any(|b| !matches!(b, b'0' | b'.')) {
        return None;
    }
    let mut rest = rest.trim_ascii_start();
    rest = rest.strip_prefix([';', ',']).unwrap_or(rest).trim_ascii_start();
    if let Some((word, after)) = rest.split_at_checked(3)
        && word.eq_ignore_ascii_case("url")
        && let Some(after) = after.trim_ascii_start().strip_prefix('=')
    {
        rest = after.trim_ascii_start();
    }
    if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        rest = &rest[1..];
        rest = rest.split(quote).next().unwrap_or(rest);
    }
    let target = rest.trim_ascii();
    (!target.is_empty()).then(|| target.to_owned())
}

/// Returns what a Markdown text says of itself: its front matter, else its first heading, else its
/// first line if that is short enough to be a title.
pub fn markdown(bytes: &[u8], hint: Option<&str>) -> Head {
    let text = start_as_utf8(bytes, hint);
    let text = String::from_utf8_lossy(&text);
    let (mut head, body) = front_matter(&text);
    if head.title.is_none() {
        head.title = first_heading(body).or_else(|| first_line(body));
    }
    head
}

/// Returns what a plain text says of itself: its first line, if that is short enough to be a title.
pub fn plain(bytes: &[u8], hint: Option<&str>) -> Head {
    let text = start_as_utf8(bytes, hint);
    Head { title: first_line(&String::from_utf8_lossy(&text)), ..Head::default() }
}

fn first_line(text: &str) -> Option<String> {
    let line = text.lines().find_map(|line| collapse(line, MAX_TITLE))?;
    let is_words = line.chars().any(char::is_alphanumeric);
    (is_words && line.chars().count() <= MAX_FIRST_LINE).then_some(line)
}

/// Splits off the lines between `---` (YAML) or `+++` (TOML) at the start and takes what they say.
fn front_matter(text: &str) -> (Head, &str) {
    let mut head = Head::default();
    let (fence, separator) = match text.lines().next().map(str::trim_end) {
        Some("---") => ("---", ':'),
        Some("+++") => ("+++", '='),
        _ => return (head, text),
    };
    let mut at = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        at += line.len();
        if number > 0 && (line.trim_end() == fence || (fence == "---" && line.trim_end() == "...")) {
            return (head, &text[at..]);
        }
        // Nested values are indented and belong to another key.
        let Some((key, value)) = line.split_once(separator) else { continue };
        let value = unquote(value.trim());
        match key.trim_end() {
            "title" => head.title = collapse(value, MAX_TITLE),
            "lang" | "language" => head.language = language_tag(value),
            "description" => head.description = collapse(value, usize::MAX),
            _ => {}
        }
    }
    // Never closed: it was a rule, not a front matter.
    (Head::default(), text)
}

fn unquote(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|v| v.strip_suffix(quote)) {
            return inner;
        }
    }
    value
}

fn first_heading(text: &str) -> Option<String> {
    use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};
    let mut words: Option<String> = None;
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::Heading { level: HeadingLevel::H1 | HeadingLevel::H2, .. }) => {
                words = Some(String::new());
            }
            Event::End(TagEnd::Heading(_)) => {
                if let Some(title) = words.take().and_then(|text| collapse(&text, MAX_TITLE)) {
                    return Some(title);
                }
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some(words) = &mut words {
                    words.push_str(&text);
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some(words) = &mut words {
                    words.push(' ');
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title(page: &str) -> Option<String> {
        html(page.as_bytes(), Markup::Html, None, Depth::Title).title
    }

    #[test]
    fn titles_of_pages() {
        assert_eq!(title("<title>\n a &lt;b&gt;\t&amp; c\u{a0}d</title>").as_deref(), Some("a <b> & c d"));
        assert_eq!(
            title("<title></title><h1><img alt=x></h1><h2>A <em>b</em>c</h2>").as_deref(),
            Some("A bc")
        );
        assert_eq!(title("<svg><title>icon</title></svg><h1>Page</h1>").as_deref(), Some("Page"));
        assert_eq!(title("<h1>x<script>var a</script>y</h1>").as_deref(), Some("xy"));
        assert_eq!(title("<p>nothing"), None);
        assert_eq!(title("<title>cut off").as_deref(), Some("cut off"));
        assert_eq!(title("<title>never closed<p>text").as_deref(), Some("never closed"));
        let xhtml = |page: &str| html(page.as_bytes(), Markup::Xhtml, None, Depth::Title).title;
        assert_eq!(xhtml("<title/><script src='x'/><style/><h1>A &amp; b</h1>").as_deref(), Some("A & b"));
        assert_eq!(xhtml("<title>T &lt;</title>").as_deref(), Some("T <"));
        assert_eq!(title("<TITLE>Up</TITLE>").as_deref(), Some("Up"));
        assert_eq!(title(&format!("<title>{}</title>", "é".repeat(5000))).map(|t| t.len()), Some(MAX_TITLE));
        assert_eq!(
            html(b"<meta charset=koi8-r><title>\xed\xc9\xd2</title>", Markup::Html, None, Depth::Title)
                .title
                .as_deref(),
            Some("Мир")
        );
        assert_eq!(
            html(b"\xff\xfe<\0t\0i\0t\0l\0e\0>\0x\0", Markup::Html, None, Depth::Title).title.as_deref(),
            Some("x")
        );
    }

    #[test]
    fn language_and_description() {
        let page = b"<html lang=de-AT><title>T</title><meta name=Description content='a &amp;\n b'></head><meta name=description content=late>";
        let head = html(page, Markup::Html, None, Depth::Whole);
        assert_eq!(head.language.as_deref(), Some("de-AT"));
        assert_eq!(head.description.as_deref(), Some("a & b"));
        assert_eq!(html(page, Markup::Html, None, Depth::Title).description, None);
        assert_eq!(language_tag("en_US").as_deref(), Some("en-US"));
        for bad in ["", "e", "{{ lang }}", "en-", "german language", "1a"] {
            assert_eq!(language_tag(bad), None, "{bad}");
        }
    }

    #[test]
    fn signposts_and_what_only_looks_like_one() {
        let stub = |refresh: &str, body: &str| {
            let page = format!(
                "<html><head><meta http-equiv=\"Refresh\" content=\"{refresh}\"><title>Any words here</title></head><body>{body}</body></html>"
            );
            redirect_stub(page.as_bytes())
        };
        let link = "<p>Redirecting to <a href='a/b.html#c'>whatever it says</a>...</p><script>location.replace('x')</script>";
        for refresh in ["0;URL=a/b.html#c", "0; url='a/b.html#c'", "0,a/b.html#c", " 0.0 ; Url = a/b.html#c "]
        {
            assert_eq!(stub(refresh, link).as_deref(), Some("a/b.html#c"), "{refresh}");
        }
        assert_eq!(stub("0;url=a", "").as_deref(), Some("a"));
        for refresh in ["0", "5;url=a/b.html#c", "url=a/b.html#c", "", "0;url="] {
            assert_eq!(stub(refresh, link), None, "{refresh}");
        }
        for body in [
            "<p>Redirecting to <a href=other.html>x</a>",
            "<a href=a/b.html#c>x</a><a href=a/b.html#c>y</a>",
            "<a href=a/b.html#c>x</a><img src=p.png>",
            "<p>This function was removed in 2.0: see <a href=a/b.html#c>x</a>",
        ] {
            assert_eq!(stub("0;url=a/b.html#c", body), None, "{body}");
        }
        let large = format!("{}<meta http-equiv=refresh content='0;url=a'>", " ".repeat(MAX_STUB));
        assert_eq!(redirect_stub(large.as_bytes()), None);
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(64))]
        #[test]
        fn no_bytes_panic(start in "(<[a-z!?/]{0,6}[ a-z='\";:0-9-]{0,30}>?|[&#a-z;]{0,8}|---\n|\\+\\+\\+|\n|é|\u{0}){0,20}",
                          end in proptest::collection::vec(proptest::num::u8::ANY, 0..80)) {
            let bytes = [start.as_bytes(), end.as_slice()].concat();
            for hint in [None, Some("utf-16le"), Some("shift_jis")] {
                for markup in [Markup::Html, Markup::Xhtml] {
                    for depth in [Depth::Title, Depth::Whole] {
                        let head = html(&bytes, markup, hint, depth);
                        proptest::prop_assert!(head.title.is_none_or(|t| !t.is_empty() && t.len() <= MAX_TITLE));
                    }
                }
                markdown(&bytes, hint);
                plain(&bytes, hint);
            }
            redirect_stub(&bytes);
            charset::decode(&bytes, None);
        }
    }

    #[test]
    fn titles_of_texts() {
        let of = |text: &str| plain(text.as_bytes(), None).title;
        assert_eq!(
            of("\u{feff}\n\n  Mexico–Russia   relations \n\nFrom").as_deref(),
            Some("Mexico–Russia relations")
        );
        assert_eq!(of(&"word ".repeat(100)), None);
        assert_eq!(of("=====\nx"), None);
        assert_eq!(of(""), None);
    }

    #[test]
    fn titles_of_markdown() {
        let of = |text: &str| markdown(text.as_bytes(), None);
        let head = of("---\ntitle: \"A: b\"\nlang: fr\ntags:\n  title: no\n---\n# Not this\n");
        assert_eq!((head.title.as_deref(), head.language.as_deref()), (Some("A: b"), Some("fr")));
        assert_eq!(of("+++\ntitle = 'T'\n+++\nx").title.as_deref(), Some("T"));
        assert_eq!(of("```\n# no\n```\n\nThe `x` *of* [y](z)\n=====\n").title.as_deref(), Some("The x of y"));
        assert_eq!(of("---\nnot front matter\n\n## Two\n").title.as_deref(), Some("Two"));
        assert_eq!(of("Just a line\n\nmore").title.as_deref(), Some("Just a line"));
    }
}
