//! HTML as a stream of events that nest properly, whatever the page's tags do.

mod scan;

use std::ops::ControlFlow;

use html5gum::emitters::naive_next_state;
use html5gum::{Emitter, Error, State, Tokenizer};

pub(super) use scan::{find, places};

use super::tags::{self, Attribute, Class, N_RANKS, N_TAGS, Rank, Tag};

/// What of a page is passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// True for the parts that lead round a site as well: `nav`, the page's own `header`, `footer`
    /// and `aside`, and what carries a role or a well-known class of such parts. Without it the
    /// page's header gives its `h1` only.
    pub chrome: bool,
    /// True for hidden elements as well: `hidden`, `display:none`, `aria-hidden`.
    pub hidden: bool,
}

impl Options {
    /// Everything that is text, shown or not.
    pub const EVERYTHING: Self = Self { chrome: true, hidden: true };
}

/// Hears what a page says.
///
/// Each `open` is followed by exactly one `close` of the same element, and they nest; elements
/// without content (`br`, `img`, `hr`, `wbr`) give an `open` alone. Tags that a page leaves out
/// are made up as browsers do for the elements that matter here: a paragraph ends where a block
/// begins, an item where the next one begins, everything where its parent ends.
pub trait Visitor {
    /// An element begins.
    fn open(&mut self, tag: Tag, attributes: &Attributes) -> ControlFlow<()>;
    /// An element ends.
    fn close(&mut self, tag: Tag) -> ControlFlow<()>;
    /// Text, with entities decoded and white space as it stands; never empty.
    fn text(&mut self, text: &str) -> ControlFlow<()>;
}

/// Passes what a page says to a visitor, until its end or until the visitor breaks.
///
/// Takes time linear in the page's length, and memory for the elements that are open at once; it
/// does not recurse. Scripts, styles, templates, `noscript`, form controls, players and drawings
/// (`svg`) are never passed on. The text of `title` is, between its `open` and `close`: a visitor
/// that wants the visible text leaves it out.
pub fn walk(html: &str, options: Options, visitor: &mut impl Visitor) {
    let html = html.strip_prefix('\u{feff}').unwrap_or(html);
    let mut machine = machine(html, options, visitor);
    if let Some((at, state)) = scan::run(html, &mut machine) {
        let mut tokenizer = Tokenizer::new_with_emitter(&html[at..], machine);
        tokenizer.set_state(state);
        // The visitor's break comes out as the first and only token; a `&str` cannot fail to be read.
        let _ = tokenizer.next();
    }
}

/// Returns a machine before the first byte of a page.
fn machine<'v, V: Visitor>(html: &str, options: Options, visitor: &'v mut V) -> Machine<'v, V> {
    let xml = html.trim_ascii_start().get(..5).is_some_and(|start| start.eq_ignore_ascii_case("<?xml"));
    Machine {
        visitor,
        options,
        xml,
        text: Vec::new(),
        drop_newline: false,
        name: Vec::new(),
        last_start: Vec::new(),
        is_end: false,
        self_closing: false,
        attribute_name: Vec::new(),
        attributes: Attributes::default(),
        stack: Stack::default(),
        titles: 0,
        stopped: false,
    }
}

/// The attributes of an element that are kept, each as it stands first.
#[derive(Debug, Default)]
pub struct Attributes {
    values: Vec<u8>,
    spans: Vec<(Attribute, usize, usize)>,
    open: bool,
}

impl Attributes {
    /// Returns the value of an attribute, with entities decoded.
    pub fn get(&self, attribute: Attribute) -> Option<&str> {
        let &(_, start, end) = self.spans.iter().find(|(a, ..)| *a == attribute)?;
        std::str::from_utf8(&self.values[start..end]).ok()
    }

    /// Returns the value of an attribute as a number.
    pub fn number(&self, attribute: Attribute) -> Option<i64> {
        self.get(attribute)?.trim().parse().ok()
    }

    fn has_class(&self, test: fn(&[u8]) -> bool) -> bool {
        self.spans
            .iter()
            .find(|(a, ..)| *a == Attribute::Class)
            .is_some_and(|&(_, start, end)| self.values[start..end].split(u8::is_ascii_whitespace).any(test))
    }

    fn clear(&mut self) {
        self.values.clear();
        self.spans.clear();
        self.open = false;
    }
}

/// The open elements. The innermost one of each element and of each rank is at hand, so that no
/// end tag has to search.
struct Stack {
    open: Vec<Open>,
    /// One more than the place of the innermost open element, by element; 0 for none.
    by_tag: [u32; N_TAGS],
    /// The same by rank.
    by_rank: [u32; N_RANKS],
    /// How many open elements hide their content.
    skipping: u32,
    /// How many open elements pass on only what [`is_core`] names.
    only_core: u32,
    /// How many elements are open that they pass on.
    in_core: u32,
    /// How many articles, sections and the like are open: in them, header and footer are content.
    in_section: u32,
    /// How many `svg` and `math` are open.
    foreign: u32,
}

/// An open element.
#[derive(Clone, Copy)]
struct Open {
    tag: Tag,
    skips: bool,
    only_core: bool,
    reported: bool,
    /// What [`Stack::by_tag`] and [`Stack::by_rank`] said before.
    outer_tag: u32,
    outer_rank: u32,
}

impl Default for Stack {
    fn default() -> Self {
        Self {
            open: Vec::new(),
            by_tag: [0; N_TAGS],
            by_rank: [0; N_RANKS],
            skipping: 0,
            only_core: 0,
            in_core: 0,
            in_section: 0,
            foreign: 0,
        }
    }
}

impl Stack {
    fn innermost(&self, tag: Tag) -> u32 {
        self.by_tag[tag as usize]
    }

    /// Returns one more than the place of the innermost element stronger than a rank.
    fn innermost_above(&self, rank: Rank) -> u32 {
        self.by_rank[rank as usize + 1..].iter().copied().max().unwrap_or(0)
    }

    fn is_shown(&self) -> bool {
        self.skipping == 0 && (self.only_core == 0 || self.in_core > 0)
    }

    fn push(&mut self, tag: Tag, skips: bool, only_core: bool) {
        self.skipping += u32::from(skips);
        self.only_core += u32::from(only_core);
        self.in_core += u32::from(is_core(tag));
        self.in_section += u32::from(tag == Tag::Section);
        self.foreign += u32::from(matches!(tag, Tag::Svg | Tag::Math));
        let rank = tag.rank() as usize;
        let (outer_tag, outer_rank) = (self.by_tag[tag as usize], self.by_rank[rank]);
        let reported = self.is_shown();
        self.open.push(Open { tag, skips, only_core, reported, outer_tag, outer_rank });
        // A page of four billion open tags does not fit a `&str` that fits memory; if it did, the
        // only harm were a wrong nesting.
        let place = u32::try_from(self.open.len()).unwrap_or(u32::MAX);
        self.by_tag[tag as usize] = place;
        self.by_rank[rank] = place;
    }

    /// Closes the innermost element; returns it if its opening was reported.
    fn pop(&mut self) -> Option<Tag> {
        let open = self.open.pop()?;
        self.by_tag[open.tag as usize] = open.outer_tag;
        self.by_rank[open.tag.rank() as usize] = open.outer_rank;
        self.skipping -= u32::from(open.skips);
        self.only_core -= u32::from(open.only_core);
        self.in_core -= u32::from(is_core(open.tag));
        self.in_section -= u32::from(open.tag == Tag::Section);
        self.foreign -= u32::from(matches!(open.tag, Tag::Svg | Tag::Math));
        open.reported.then_some(open.tag)
    }
}

/// What the tokenizer drives.
struct Machine<'v, V> {
    visitor: &'v mut V,
    options: Options,
    /// True for a page that says it is XML, where `<script/>` has no content.
    xml: bool,
    text: Vec<u8>,
    /// True after `<pre>`, whose first line break is not content.
    drop_newline: bool,
    /// The current tag's name.
    name: Vec<u8>,
    /// The name of the last start tag, by which the tokenizer ends a script.
    last_start: Vec<u8>,
    is_end: bool,
    self_closing: bool,
    attribute_name: Vec<u8>,
    attributes: Attributes,
    stack: Stack,
    /// How many `title` have been passed on.
    titles: u32,
    stopped: bool,
}

impl<V: Visitor> Machine<'_, V> {
    fn note(&mut self, flow: ControlFlow<()>) {
        self.stopped |= flow.is_break();
    }

    fn flush_text(&mut self) {
        if self.text.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.text);
        // Valid by construction: the tokenizer hands over the pieces of a `&str` in order.
        let flow = match std::str::from_utf8(&text) {
            Ok(text) => self.pass_text(text),
            Err(_) => self.pass_text(&String::from_utf8_lossy(&text)),
        };
        self.note(flow);
        self.text = text;
        self.text.clear();
    }

    fn pass_text(&mut self, text: &str) -> ControlFlow<()> {
        let drop_newline = std::mem::take(&mut self.drop_newline);
        let text = if drop_newline { text.strip_prefix('\n').unwrap_or(text) } else { text };
        if text.is_empty() || self.stopped { ControlFlow::Continue(()) } else { self.visitor.text(text) }
    }

    /// Closes elements until fewer than `place` are open.
    fn close_to(&mut self, place: u32) {
        while self.stack.open.len() >= place as usize && place > 0 && !self.stopped {
            if let Some(tag) = self.stack.pop() {
                let flow = self.visitor.close(tag);
                self.note(flow);
            }
        }
    }

    /// Closes the innermost of `tags` unless an element of `scopes` is open inside it.
    fn close_in_scope(&mut self, tags: &[Tag], scopes: &[Tag], rank: Rank) {
        let place = tags.iter().map(|&t| self.stack.innermost(t)).max().unwrap_or(0);
        let scope = scopes.iter().map(|&t| self.stack.innermost(t)).max().unwrap_or(0);
        if place > scope.max(self.stack.innermost_above(rank)) {
            self.close_to(place);
        }
    }

    /// Closes what the start tag of an element ends.
    fn close_before(&mut self, tag: Tag) {
        match tag.rank() {
            Rank::Inline => return,
            Rank::Paragraph | Rank::List | Rank::Table => self.close_in_scope(&[Tag::P], &[], Rank::List),
            Rank::Cell | Rank::Row | Rank::RowGroup => {}
        }
        match tag {
            Tag::Li => self.close_in_scope(&[Tag::Li], &[Tag::Ul, Tag::Ol], Rank::List),
            Tag::Dt | Tag::Dd => {
                self.close_in_scope(&[Tag::Dt, Tag::Dd], &[Tag::Dl, Tag::Ul, Tag::Ol], Rank::List);
            }
            Tag::Td | Tag::Th | Tag::Caption => {
                self.close_in_scope(&[Tag::Td, Tag::Th, Tag::Caption], &[], Rank::Cell);
            }
            Tag::Tr => self.close_in_scope(&[Tag::Td, Tag::Th, Tag::Caption, Tag::Tr], &[], Rank::RowGroup),
            Tag::Thead | Tag::Tbody | Tag::Tfoot => {
                let all = [Tag::Td, Tag::Th, Tag::Caption, Tag::Tr, Tag::Thead, Tag::Tbody, Tag::Tfoot];
                // The outermost of them, which are at most one of each in a table.
                for tags in [&all[4..], &all[3..4], &all[..3]] {
                    self.close_in_scope(tags, &[], Rank::RowGroup);
                }
            }
            _ if tag.heading_level().is_some() => {
                if let Some(open) = self.stack.open.last().filter(|open| open.tag.heading_level().is_some()) {
                    self.close_in_scope(&[open.tag], &[], Rank::List);
                }
            }
            _ => {}
        }
    }

    fn start_tag(&mut self, tag: Tag) {
        if tag.class() == Class::Transparent {
            return;
        }
        self.close_before(tag);
        if self.stopped {
            return;
        }
        let (skips, only_core) = self.verdict(tag);
        if tag.class() == Class::Void {
            if self.stack.is_shown() && !skips && tag != Tag::Empty {
                let flow = self.visitor.open(tag, &self.attributes);
                self.note(flow);
            }
            return;
        }
        self.stack.push(tag, skips, only_core);
        if self.stack.is_shown() {
            let flow = self.visitor.open(tag, &self.attributes);
            self.note(flow);
            self.drop_newline = tag == Tag::Pre;
        }
        // A slash has a meaning in XML, in drawings and formulas; for the rest it shows what was
        // meant by those who write `<a id="x"/>`, and an element without content does no harm.
        let raw = next_state(&self.last_start).is_some();
        if self.self_closing && (!raw || self.xml) {
            let place = self.stack.open.len();
            self.close_to(u32::try_from(place).unwrap_or(u32::MAX));
        }
    }

    /// Returns whether an element's content is left out, and whether only its core is passed on.
    fn verdict(&mut self, tag: Tag) -> (bool, bool) {
        match tag {
            Tag::Title => {
                let inside = self.stack.foreign > 0 || !self.stack.is_shown();
                self.titles += u32::from(!inside);
                return (inside || self.titles > 1, false);
            }
            _ if tag.class() == Class::Skipped => return (true, false),
            _ => {}
        }
        let attributes = &self.attributes;
        if attributes.spans.is_empty() && !matches!(tag, Tag::Nav | Tag::Header | Tag::Footer | Tag::Aside) {
            return (false, false);
        }
        if !self.options.hidden {
            let hidden = attributes.get(Attribute::Hidden).is_some()
                || attributes.get(Attribute::Style).is_some_and(tags::is_hidden_style)
                || attributes.has_class(tags::is_hidden_class)
                // A picture that is hidden from speech may still be the only form of a formula.
                || (tag != Tag::Image
                    && attributes.get(Attribute::AriaHidden).is_some_and(|v| v.eq_ignore_ascii_case("true")));
            if hidden {
                return (true, false);
            }
        }
        if self.options.chrome {
            return (false, false);
        }
        let outside = self.stack.in_section == 0;
        match tag {
            Tag::Nav => return (true, false),
            Tag::Footer | Tag::Aside if outside => return (true, false),
            Tag::Header if outside => return (false, true),
            _ => {}
        }
        // A column of line numbers beside the code, or by the same name a frame round the code.
        if tag == Tag::Pre && attributes.has_class(|class| class == b"line-numbers") {
            return (false, true);
        }
        let chrome = attributes.get(Attribute::NoSnippet).is_some()
            || attributes.has_class(tags::is_chrome_class)
            || attributes.get(Attribute::Id).is_some_and(tags::is_chrome_id)
            || (tag != Tag::Header && attributes.get(Attribute::Role).is_some_and(tags::is_chrome_role));
        (chrome, false)
    }

    fn end_tag(&mut self, tag: Tag) {
        let place = self.stack.innermost(tag);
        if place > self.stack.innermost_above(tag.reach()) {
            self.close_to(place);
        } else if tag == Tag::P || tag == Tag::Break {
            // Both are errors to which browsers answer with an element.
            self.attributes.clear();
            self.self_closing = true;
            self.start_tag(tag);
        }
    }
}

/// Returns true for what counts in the header of a page, and in what may be a column of numbers.
fn is_core(tag: Tag) -> bool {
    matches!(tag, Tag::H1 | Tag::Code)
}

/// Returns how the content of an element is to be read.
fn next_state(name: &[u8]) -> Option<State> {
    if name == b"noframes" { Some(State::RawText) } else { naive_next_state(name) }
}

impl<V: Visitor> Emitter for Machine<'_, V> {
    type Token = ();

    fn set_last_start_tag(&mut self, name: Option<&[u8]>) {
        self.last_start.clear();
        self.last_start.extend_from_slice(name.unwrap_or_default());
    }

    fn emit_eof(&mut self) {
        self.flush_text();
        self.close_to(1);
    }

    fn emit_error(&mut self, _error: Error) {}

    #[inline]
    fn should_emit_errors(&mut self) -> bool {
        false
    }

    #[inline]
    fn pop_token(&mut self) -> Option<()> {
        self.stopped.then_some(())
    }

    #[inline]
    fn emit_string(&mut self, text: &[u8]) {
        if self.stack.is_shown() {
            self.text.extend_from_slice(text);
        }
    }

    fn init_start_tag(&mut self) {
        self.name.clear();
        self.is_end = false;
        self.self_closing = false;
        self.attributes.clear();
    }

    fn init_end_tag(&mut self) {
        self.name.clear();
        self.is_end = true;
        self.self_closing = false;
        self.attributes.clear();
    }

    fn init_comment(&mut self) {}

    fn emit_current_tag(&mut self) -> Option<State> {
        self.flush_text();
        self.drop_newline = false;
        self.end_attribute();
        if self.stopped {
            return None;
        }
        let tag = Tag::from_name(&self.name);
        if self.is_end {
            self.last_start.clear();
            self.end_tag(tag);
            return None;
        }
        std::mem::swap(&mut self.last_start, &mut self.name);
        self.start_tag(tag);
        if self.xml && self.self_closing { None } else { next_state(&self.last_start) }
    }

    fn emit_current_comment(&mut self) {}

    fn emit_current_doctype(&mut self) {}

    fn set_self_closing(&mut self) {
        self.self_closing = !self.is_end;
    }

    fn set_force_quirks(&mut self) {}

    #[inline]
    fn push_tag_name(&mut self, name: &[u8]) {
        self.name.extend_from_slice(name);
    }

    fn push_comment(&mut self, _comment: &[u8]) {}

    fn push_doctype_name(&mut self, _name: &[u8]) {}

    fn init_doctype(&mut self) {}

    fn init_attribute(&mut self) {
        self.end_attribute();
    }

    #[inline]
    fn push_attribute_name(&mut self, name: &[u8]) {
        self.attribute_name.extend_from_slice(name);
    }

    fn init_attribute_value(&mut self) {
        self.begin_value();
    }

    #[inline]
    fn push_attribute_value(&mut self, value: &[u8]) {
        if !self.attribute_name.is_empty() {
            self.begin_value();
        }
        if self.attributes.open {
            self.attributes.values.extend_from_slice(value);
        }
    }

    fn set_doctype_public_identifier(&mut self, _value: &[u8]) {}

    fn set_doctype_system_identifier(&mut self, _value: &[u8]) {}

    fn push_doctype_public_identifier(&mut self, _value: &[u8]) {}

    fn push_doctype_system_identifier(&mut self, _value: &[u8]) {}

    fn current_is_appropriate_end_tag_token(&mut self) -> bool {
        self.is_end && !self.last_start.is_empty() && self.last_start == self.name
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&mut self) -> bool {
        self.xml || self.stack.foreign > 0
    }
}

impl<V> Machine<'_, V> {
    /// Turns the name that was read into an open value, if it is of an attribute that is kept.
    fn begin_value(&mut self) {
        if self.attribute_name.is_empty() {
            return;
        }
        let attribute = Attribute::from_name(&self.attribute_name);
        self.attribute_name.clear();
        let attributes = &mut self.attributes;
        attributes.open = false;
        if let Some(attribute) =
            attribute.filter(|a| !self.is_end && attributes.spans.iter().all(|(b, ..)| a != b))
        {
            let start = attributes.values.len();
            attributes.spans.push((attribute, start, start));
            attributes.open = true;
        }
    }

    fn end_attribute(&mut self) {
        self.begin_value();
        let attributes = &mut self.attributes;
        if std::mem::take(&mut attributes.open)
            && let Some((.., end)) = attributes.spans.last_mut()
        {
            *end = attributes.values.len();
        }
    }
}
