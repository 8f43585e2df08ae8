//! What a page says to those who search: its blocks of text, and where its links lead.
//!
//! One pass over the page serves the index while packing, and the checker of phrases and the cutter
//! of snippets while reading; the latter two stop it as soon as they know enough.

use std::ops::{ControlFlow, Range};

use super::charset;
use super::events::{Attributes, Options, Visitor, walk};
use super::markdown::{split_front_matter, to_html};
use super::markup::{Markup, charset_of_mime};
use super::tags::{Attribute, Tag};

const GO: ControlFlow<()> = ControlFlow::Continue(());

/// What a block of text is in its page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// The text of `h1` to `h6`.
    Heading,
    /// All other text that a reader sees.
    Body,
}

/// Hears the blocks of a page one after the other.
pub trait Listener {
    /// Takes the text of one block: an element that stands on lines of its own, a cell, an item, a
    /// paragraph of plain text. It has words in it or other visible characters, and single spaces in
    /// place of all white space; inline markup has left no trace.
    fn block(&mut self, field: Field, text: &str) -> ControlFlow<()>;

    /// Takes the target of a link as it is written, before the block that it stands in.
    fn link(&mut self, href: &str) -> ControlFlow<()> {
        let _ = href;
        GO
    }
}

/// Passes what a page says to a listener, until its end or until the listener breaks.
///
/// Returns false for content of a type that is no text. What leads round a site is left out
/// ([`Options::default`]), and so is the page's `title`. Takes linear time; Markdown is turned into
/// HTML as a whole before the first block.
pub fn read(content: &[u8], mime: &str, listener: &mut impl Listener) -> bool {
    let Some(markup) = Markup::of_mime(mime) else { return false };
    let text = charset::decode(content, charset_of_mime(mime));
    read_text(&text, markup, listener);
    true
}

/// Passes what a page says to a listener: [`read`] for a page that is decoded already.
pub fn read_text(text: &str, markup: Markup, listener: &mut impl Listener) {
    match markup {
        Markup::Html => read_html(text, listener),
        Markup::Markdown => read_html(&to_html(split_front_matter(text).1), listener),
        Markup::Text => read_plain(text, listener),
    }
}

fn read_html(html: &str, listener: &mut impl Listener) {
    let mut reader =
        BlockReader { listener, block: Block::default(), headings: 0, in_title: false, stopped: false };
    walk(html, Options::default(), &mut reader);
    if !reader.stopped {
        // Text outside all elements, which nothing closes.
        let _ = reader.border();
    }
}

/// The paragraphs of plain text are what stands between empty lines.
fn read_plain(text: &str, listener: &mut impl Listener) {
    let mut block = Block::default();
    for line in text.split_inclusive('\n') {
        if !line.trim_ascii().is_empty() {
            block.push(line);
        } else if block.pass(Field::Body, listener).is_break() {
            return;
        }
    }
    // The last block may break, but there is nothing left to stop.
    let _ = block.pass(Field::Body, listener);
}

/// The text of a block that grows.
#[derive(Default)]
struct Block {
    text: String,
    /// Whether white space stands between the text and what comes next.
    gap: bool,
}

impl Block {
    fn push(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let is_space = u8::is_ascii_whitespace;
        let Some(first) = bytes.iter().position(|b| !is_space(b)) else {
            self.gap = true;
            return;
        };
        if (self.gap || first > 0) && !self.text.is_empty() {
            self.text.push(' ');
        }
        let end = bytes.iter().rposition(|b| !is_space(b)).map_or(bytes.len(), |last| last + 1);
        self.gap = end < bytes.len();
        let text = &text[first..end];
        // Most text has single spaces already.
        let mut last = b'x';
        let is_single = text.bytes().all(|byte| {
            let fits = byte > b' ' || (byte == b' ' && last != b' ') || !is_space(&byte);
            last = byte;
            fits
        });
        if is_single {
            self.text.push_str(text);
            return;
        }
        let mut words = text.split_ascii_whitespace();
        self.text.push_str(words.next().unwrap_or_default());
        for word in words {
            self.text.push(' ');
            self.text.push_str(word);
        }
    }

    /// Passes the block on, if there is anything in it, and begins the next one.
    fn pass(&mut self, field: Field, listener: &mut impl Listener) -> ControlFlow<()> {
        self.gap = false;
        if self.text.is_empty() {
            return GO;
        }
        let flow = listener.block(field, &self.text);
        self.text.clear();
        flow
    }
}

struct BlockReader<'l, L> {
    listener: &'l mut L,
    block: Block,
    /// How many headings are open.
    headings: u32,
    in_title: bool,
    stopped: bool,
}

impl<L: Listener> BlockReader<'_, L> {
    fn border(&mut self) -> ControlFlow<()> {
        let field = if self.headings > 0 { Field::Heading } else { Field::Body };
        let flow = self.block.pass(field, self.listener);
        self.stopped |= flow.is_break();
        flow
    }
}

impl<L: Listener> Visitor for BlockReader<'_, L> {
    fn open(&mut self, tag: Tag, attributes: &Attributes) -> ControlFlow<()> {
        match tag {
            Tag::A => {
                if let Some(href) = attributes.get(Attribute::Href) {
                    let flow = self.listener.link(href.trim_ascii());
                    self.stopped |= flow.is_break();
                    return flow;
                }
            }
            Tag::Break => self.block.gap = true,
            _ if tag.is_block() => {
                self.border()?;
                self.in_title |= tag == Tag::Title;
                self.headings += u32::from(tag.heading_level().is_some());
            }
            _ => {}
        }
        GO
    }

    fn close(&mut self, tag: Tag) -> ControlFlow<()> {
        if tag.is_block() {
            self.border()?;
            self.in_title &= tag != Tag::Title;
            self.headings -= u32::from(tag.heading_level().is_some());
        }
        GO
    }

    fn text(&mut self, text: &str) -> ControlFlow<()> {
        if !self.in_title {
            self.block.push(text);
        }
        GO
    }
}

/// All that a page says, in few pieces of memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchText {
    /// The text of all blocks, each with a line feed behind it.
    pub text: String,
    /// The blocks in order.
    pub blocks: Vec<TextBlock>,
    /// The targets of all links, each with a line feed behind it: see [`SearchText::links`].
    hrefs: String,
}

/// A block of a page's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextBlock {
    /// What it is.
    pub field: Field,
    /// Where its text stands in [`SearchText::text`], in bytes.
    pub range: Range<usize>,
    /// The hash of its text: [`hash`].
    pub hash: u64,
}

impl SearchText {
    /// Replaces what is here by what a page says, keeping the memory; returns false, and leaves
    /// nothing, if the content's type is no text. See [`read`].
    pub fn read(&mut self, content: &[u8], mime: &str) -> bool {
        self.text.clear();
        self.blocks.clear();
        self.hrefs.clear();
        read(content, mime, self)
    }

    /// Returns the targets of the page's links in order, as they are written: see
    /// [`resolve`](super::resolve).
    pub fn links(&self) -> impl Iterator<Item = &str> {
        self.hrefs.split_terminator('\n')
    }
}

impl Listener for SearchText {
    fn block(&mut self, field: Field, text: &str) -> ControlFlow<()> {
        let start = self.text.len();
        self.text.push_str(text);
        self.blocks.push(TextBlock { field, range: start..self.text.len(), hash: hash(text.as_bytes()) });
        self.text.push('\n');
        GO
    }

    fn link(&mut self, href: &str) -> ControlFlow<()> {
        // Browsers leave line breaks out of targets.
        if href.contains(['\n', '\r', '\t']) {
            self.hrefs.extend(href.chars().filter(|c| !matches!(c, '\n' | '\r' | '\t')));
        } else {
            self.hrefs.push_str(href);
        }
        self.hrefs.push('\n');
        GO
    }
}

/// Returns 64 bits that differ for different texts, but for chance: to find blocks that many pages
/// share. The same on all machines; not safe against who wants two texts to agree.
pub fn hash(bytes: &[u8]) -> u64 {
    const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
    const STEP: u64 = 0xd6e8_feb8_6659_fd93;
    let mix = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        (product as u64) ^ ((product >> 64) as u64)
    };
    let mut state = mix(SEED ^ bytes.len() as u64, STEP);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        state = mix(state ^ u64::from_le_bytes(*word), STEP).wrapping_add(SEED);
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(state ^ u64::from_le_bytes(last), SEED ^ STEP.rotate_left(32))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(content: &str, mime: &str) -> SearchText {
        let mut text = SearchText::default();
        assert!(text.read(content.as_bytes(), mime));
        for block in &text.blocks {
            assert_eq!(hash(&text.text.as_bytes()[block.range.clone()]), block.hash);
        }
        text
    }

    fn blocks(content: &str, mime: &str) -> Vec<(Field, String)> {
        let text = text_of(content, mime);
        text.blocks.iter().map(|block| (block.field, text.text[block.range.clone()].to_owned())).collect()
    }

    const HTML: &str = "text/html";

    #[test]
    fn blocks_are_elements_on_lines_of_their_own() {
        use Field::{Body, Heading};
        let html = "<title>no</title>start<h1>A <i>b</i>\n c</h1><p>one\n  t<b>w</b>o<br>three</p>\
            <nav>no</nav><script>no</script><table><tr><td>x<td>y</table><h4>D</h4><pre>a\n  b</pre>\
            <ul><li>i<li></ul>end";
        let expected = [
            (Body, "start"),
            (Heading, "A b c"),
            (Body, "one two three"),
            (Body, "x"),
            (Body, "y"),
            (Heading, "D"),
            (Body, "a b"),
            (Body, "i"),
            (Body, "end"),
        ];
        assert_eq!(blocks(html, HTML), expected.map(|(field, text)| (field, text.to_owned())));
    }

    #[test]
    fn markdown_and_plain_text_have_blocks() {
        let markdown = "---\ntitle: no\n---\n# Head\n\none *two*\nthree\n\n- [i](x.md)\n";
        let expected = [(Field::Heading, "Head"), (Field::Body, "one two three"), (Field::Body, "i")];
        assert_eq!(blocks(markdown, "text/markdown"), expected.map(|(f, t)| (f, t.to_owned())));
        assert_eq!(text_of(markdown, "text/markdown").links().collect::<Vec<_>>(), ["x.md"]);
        let expected = [(Field::Body, "a b"), (Field::Body, "<i>c")].map(|(f, t)| (f, t.to_owned()));
        assert_eq!(blocks(" a\r\nb\r\n \r\n\r\n<i>c", "text/plain"), expected);
        assert_eq!(blocks("\n\n", "text/plain"), []);
    }

    #[test]
    fn types_that_are_no_text_say_nothing() {
        let mut text = text_of("<p>x<a href=y>z</a>", HTML);
        assert!(!text.read(b"<p>x", "image/png"));
        assert_eq!(text, SearchText::default());
    }

    #[test]
    fn links_of_the_content_are_given() {
        let html = "<nav><a href=no>x</a></nav><p><a href=' a.html#x '>A</a><a>b</a><a href='c\nd'></a><a href>e</a>";
        assert_eq!(text_of(html, HTML).links().collect::<Vec<_>>(), ["a.html#x", "cd", ""]);
    }

    #[test]
    fn other_character_sets_are_read() {
        assert_eq!(blocks_of(b"<p>caf\xe9", "text/html; charset=latin1"), ["café"]);
        assert_eq!(blocks_of(b"\xff\xfea\x00b\x00", "text/plain"), ["ab"]);
    }

    fn blocks_of(content: &[u8], mime: &str) -> Vec<String> {
        let mut text = SearchText::default();
        assert!(text.read(content, mime));
        text.text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_listener_can_stop() {
        struct First(Vec<String>);
        impl Listener for First {
            fn block(&mut self, _: Field, text: &str) -> ControlFlow<()> {
                self.0.push(text.to_owned());
                ControlFlow::Break(())
            }
        }
        for (content, mime) in
            [("<p>a<p>b", HTML), ("a\n\nb\n\nc", "text/plain"), ("a\n\nb", "text/markdown")]
        {
            let mut first = First(vec![]);
            assert!(read(content.as_bytes(), mime, &mut first));
            assert_eq!(first.0, ["a"], "{mime}");
        }
    }

    #[test]
    fn hashes_differ() {
        let mut seen = std::collections::HashSet::new();
        for len in 0..64 {
            for byte in 0..=255 {
                assert!(len == 0 && byte > 0 || seen.insert(hash(&vec![byte; len])), "{byte} {len}");
            }
        }
        // Written down, so that it is the same everywhere.
        assert_eq!(hash(b"the same on all machines"), 18_062_997_630_857_091_475);
    }
}
