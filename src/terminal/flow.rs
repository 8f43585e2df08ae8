//! A page as blocks: what there is to lay out, before any width is known.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::rc::Rc;

use crate::text::{Attribute, Attributes, Tag, Visitor};

use super::table::{Cell, Row, Table};
use super::wrap::{Inline, Style};

const GO: ControlFlow<()> = ControlFlow::Continue(());

/// Tables in tables in tables are laid out; what is deeper becomes lines.
const MAX_TABLE_DEPTH: usize = 3;

/// Lists and quotations deeper than this are not indented further.
const MAX_INDENT_DEPTH: usize = 12;

/// A part of a page that stands on lines of its own.
#[derive(Debug)]
pub(super) struct Block {
    /// True for an empty line before it.
    pub(super) gap: bool,
    /// What each of its lines begins with.
    pub(super) indent: Rc<str>,
    /// What its first line begins with in place of the indent's end.
    pub(super) marker: Option<String>,
    pub(super) content: Content,
}

/// What stands in a block.
#[derive(Debug)]
pub(super) enum Content {
    Paragraph(Inline, Style),
    Heading(u8, Inline),
    Pre(Inline),
    Rule,
    Table(Table),
}

/// The blocks of a page, and where its links lead, in the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct Flow {
    pub(super) blocks: Vec<Block>,
    pub(super) links: Vec<String>,
}

/// Listens to a page and collects its blocks.
pub(super) struct Builder {
    /// The page, and the cells that are open in it.
    frames: Vec<Frame>,
    tables: Vec<TableBuilder>,
    /// Tables that are open but too deep, or cells outside of any table, as `(element, frame or not)`.
    cells: Vec<bool>,
    flat_tables: usize,
    number_links: bool,
    links: Vec<String>,
    link_numbers: HashMap<String, usize>,
    /// For each `a` that is open, where it leads and where its text begins.
    open_links: Vec<Option<(String, usize, usize)>>,
    /// How many of them lead somewhere.
    targets: u32,
    /// For each `sub` and `sup` that is open, where its text begins.
    scripts: Vec<usize>,
    styles: [u32; 4],
    title: u32,
}

/// A place that blocks flow into.
#[derive(Default)]
struct Frame {
    blocks: Vec<Block>,
    inline: Inline,
    /// How many blocks and lines have begun: by it, a link knows whether its text is in one piece.
    piece: usize,
    gap: bool,
    /// True at the start of an item or cell, where no gap stands.
    fresh: bool,
    heading: Option<u8>,
    pre: u32,
    block_style: Style,
    marker: Option<String>,
    indents: Vec<&'static str>,
    /// Indents that are open but too deep to show.
    deep: usize,
    indent: Rc<str>,
    lists: Vec<List>,
}

/// A list that is open.
struct List {
    ordered: bool,
    next: i64,
    kind: char,
}

#[derive(Default)]
struct TableBuilder {
    table: Table,
    in_head: bool,
}

impl Builder {
    pub(super) fn new(number_links: bool) -> Self {
        Self {
            frames: vec![Frame::default()],
            tables: Vec::new(),
            cells: Vec::new(),
            flat_tables: 0,
            number_links,
            links: Vec::new(),
            link_numbers: HashMap::new(),
            open_links: Vec::new(),
            targets: 0,
            scripts: Vec::new(),
            styles: [0; 4],
            title: 0,
        }
    }

    pub(super) fn finish(mut self) -> Flow {
        self.frame().flush();
        let blocks = self.frames.drain(..).next().map(|frame| frame.blocks).unwrap_or_default();
        Flow { blocks, links: self.links }
    }

    fn frame(&mut self) -> &mut Frame {
        if self.frames.is_empty() {
            self.frames.push(Frame::default());
        }
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    fn style(&self) -> Style {
        let styles = [Style::BOLD, Style::ITALIC, Style::UNDERLINE, Style::STRIKE];
        let start = if self.targets > 0 { Style::UNDERLINE } else { Style::PLAIN };
        self.styles.iter().zip(styles).filter(|(n, _)| **n > 0).fold(start, |all, (_, style)| all.with(style))
    }

    /// Counts an inline style in or out.
    fn count_style(&mut self, tag: Tag, opens: bool) {
        let place = match tag {
            Tag::Bold => 0,
            Tag::Italic => 1,
            Tag::Underline => 2,
            Tag::Strike => 3,
            _ => return,
        };
        let count = &mut self.styles[place];
        *count = if opens { *count + 1 } else { count.saturating_sub(1) };
    }

    fn push(&mut self, text: &str) {
        let style = self.style();
        let frame = self.frame();
        if frame.pre > 0 { frame.inline.push_pre(text, style) } else { frame.inline.push(text, style) }
    }

    /// Ends the paragraph that is open, and begins another sort of block.
    fn break_block(&mut self, gap: bool) {
        let frame = self.frame();
        frame.flush();
        frame.gap |= gap && !frame.fresh;
    }

    fn open_cell(&mut self, tag: Tag, attributes: &Attributes) {
        if self.flat_tables > 0 || self.tables.is_empty() {
            self.cells.push(false);
            let style = self.style();
            let inline = &mut self.frame().inline;
            inline.space(style);
            if !inline.is_empty() {
                inline.push("·", style);
                inline.space(style);
            }
            return;
        }
        self.cells.push(true);
        if let Some(builder) = self.tables.last_mut()
            && tag != Tag::Caption
        {
            if builder.table.rows.is_empty() {
                builder.table.rows.push(Row::default());
            }
            let in_head = builder.in_head;
            if let Some(row) = builder.table.rows.last_mut() {
                let span = |attribute| attributes.number(attribute).map_or(1, |n| n.clamp(1, 1000)) as usize;
                let rowspan = match attributes.number(Attribute::Rowspan) {
                    Some(0) => usize::MAX,
                    _ => span(Attribute::Rowspan),
                };
                row.cells.push(Cell {
                    blocks: Vec::new(),
                    header: tag == Tag::Th,
                    colspan: span(Attribute::Colspan),
                    rowspan,
                });
                row.in_head = in_head;
            }
        }
        self.frames.push(Frame { fresh: true, ..Frame::default() });
    }

    fn close_cell(&mut self, tag: Tag) {
        if self.cells.pop() != Some(true) {
            return;
        }
        self.frame().flush();
        let blocks = self.frames.pop().map(|frame| frame.blocks).unwrap_or_default();
        if let Some(builder) = self.tables.last_mut() {
            if tag == Tag::Caption {
                builder.table.caption.extend(blocks);
            } else if let Some(cell) = builder.table.rows.last_mut().and_then(|row| row.cells.last_mut()) {
                cell.blocks = blocks;
            }
        }
    }

    fn close_table(&mut self) {
        if self.flat_tables > 0 {
            self.flat_tables -= 1;
            self.break_block(true);
            return;
        }
        let Some(TableBuilder { table, .. }) = self.tables.pop() else { return };
        self.break_block(true);
        let frame = self.frame();
        if table.is_empty() {
            return;
        }
        match table.into_plain_blocks() {
            Ok(blocks) => frame.adopt(blocks),
            Err(table) => frame.add(Content::Table(table)),
        }
        frame.gap = true;
    }

    fn open_link(&mut self, attributes: &Attributes) {
        let href = attributes.get(Attribute::Href).map(str::trim_ascii).filter(|href| {
            // What leads to a place of the same page, or nowhere, has no target to list.
            !href.is_empty() && !href.starts_with('#') && !starts_with_ignore_case(href, "javascript:")
        });
        let frame = self.frame();
        let link = href.map(|href| (href.to_owned(), frame.piece, frame.inline.len()));
        self.targets += u32::from(link.is_some());
        self.open_links.push(link);
    }

    fn close_link(&mut self) {
        let Some(Some((href, piece, at))) = self.open_links.pop() else { return };
        self.targets = self.targets.saturating_sub(1);
        let pre = self.frame().pre > 0;
        let frame = self.frame();
        let text = if frame.piece == piece { frame.inline.tail(at) } else { "" };
        let same = text.trim() == href;
        let empty = frame.piece == piece && text.trim().is_empty();
        if !self.number_links || same || empty {
            return;
        }
        let next = self.links.len() + 1;
        let number = *self.link_numbers.entry(href.clone()).or_insert(next);
        if number == next {
            self.links.push(href);
        }
        // In code, numbers would be taken for code.
        if !pre {
            let frame = self.frame();
            frame.inline.trim_end();
            frame.inline.push(&format!("[{number}]"), Style::DIM);
        }
    }

    fn image(&mut self, attributes: &Attributes) {
        let style = self.style();
        let text = match (attributes.get(Attribute::Alt), attributes.get(Attribute::Src)) {
            // An empty text says that the picture adds nothing.
            (Some(alt), _) if alt.trim().is_empty() => return,
            // The fallback of a formula is the formula.
            (Some(alt), _) if alt.starts_with("{\\") => {
                let inner =
                    ["{\\displaystyle", "{\\textstyle"].iter().find_map(|start| alt.strip_prefix(start));
                let formula = inner.and_then(|inner| inner.strip_suffix('}')).map_or(alt, str::trim);
                self.frame().inline.push(formula, style);
                return;
            }
            (Some(alt), _) => format!("[image: {}]", alt.trim()),
            (None, Some(src)) if !starts_with_ignore_case(src, "data:") => {
                let path = src.split(['?', '#']).next().unwrap_or(src);
                format!("[image: {}]", path.rsplit('/').next().unwrap_or(path))
            }
            (None, _) => "[image]".to_owned(),
        };
        self.frame().inline.push(&text, style);
    }

    fn open_item(&mut self, attributes: &Attributes) {
        let frame = self.frame();
        let depth = frame.lists.len();
        let marker = match frame.lists.last_mut() {
            Some(list) if list.ordered => {
                if let Some(value) = attributes.number(Attribute::Value) {
                    list.next = value;
                }
                let marker = number(list.next, list.kind);
                list.next = list.next.saturating_add(1);
                format!("{marker:>2}. ")
            }
            _ => format!("  {} ", ["•", "◦", "▪"][depth.saturating_sub(1) % 3]),
        };
        frame.enter("    ");
        frame.marker = Some(marker);
    }
}

impl Visitor for Builder {
    fn open(&mut self, tag: Tag, attributes: &Attributes) -> ControlFlow<()> {
        self.count_style(tag, true);
        match tag {
            Tag::Title => self.title += 1,
            Tag::A => self.open_link(attributes),
            Tag::Quote => self.push("\u{201c}"),
            Tag::Sub | Tag::Sup => {
                let at = self.frame().inline.len();
                self.scripts.push(at);
            }
            Tag::RubyText | Tag::WordBreak if self.frame().pre == 0 => self.frame().inline.may_break(),
            Tag::Break => {
                let frame = self.frame();
                if frame.pre > 0 || !frame.inline.is_empty() {
                    frame.inline.line_break();
                }
            }
            Tag::Image => self.image(attributes),
            Tag::Rule => {
                self.break_block(true);
                self.frame().add(Content::Rule);
                self.frame().gap = true;
            }
            Tag::Pre => {
                self.break_block(true);
                let frame = self.frame();
                frame.pre += 1;
            }
            Tag::Ul | Tag::Ol => {
                let nested = !self.frame().lists.is_empty();
                self.break_block(!nested);
                let next = attributes.number(Attribute::Start).unwrap_or(1);
                let kind =
                    attributes.get(Attribute::Type).and_then(|kind| kind.chars().next()).unwrap_or('1');
                self.frame().lists.push(List { ordered: tag == Tag::Ol, next, kind });
            }
            Tag::Li => {
                self.break_block(false);
                self.open_item(attributes);
            }
            Tag::Dl => {
                let nested = self.frame().fresh;
                self.break_block(!nested);
            }
            Tag::Dd => {
                self.break_block(false);
                self.frame().enter("    ");
            }
            Tag::Blockquote => {
                self.break_block(true);
                self.frame().enter("│ ");
            }
            Tag::Table => {
                self.break_block(true);
                if self.flat_tables > 0 || self.tables.len() == MAX_TABLE_DEPTH {
                    self.flat_tables += 1;
                } else {
                    let mut builder = TableBuilder::default();
                    builder.table.bordered = attributes.number(Attribute::Border).is_some_and(|n| n > 0);
                    self.tables.push(builder);
                }
            }
            Tag::Thead | Tag::Tbody | Tag::Tfoot => {
                if let Some(builder) = self.tables.last_mut().filter(|_| self.flat_tables == 0) {
                    builder.in_head = tag == Tag::Thead;
                }
            }
            Tag::Tr => match self.tables.last_mut().filter(|_| self.flat_tables == 0) {
                Some(builder) => builder.table.rows.push(Row::default()),
                None => self.break_block(false),
            },
            Tag::Td | Tag::Th | Tag::Caption => self.open_cell(tag, attributes),
            Tag::P | Tag::Figure => self.break_block(true),
            Tag::Dt | Tag::Summary | Tag::Figcaption => {
                self.break_block(false);
                self.frame().block_style = if tag == Tag::Figcaption { Style::ITALIC } else { Style::BOLD };
            }
            _ => match tag.heading_level() {
                Some(level) => {
                    self.break_block(true);
                    self.frame().heading = Some(level);
                }
                None if tag.is_block() => self.break_block(false),
                None => {}
            },
        }
        GO
    }

    fn close(&mut self, tag: Tag) -> ControlFlow<()> {
        match tag {
            Tag::Title => self.title = self.title.saturating_sub(1),
            Tag::A => self.close_link(),
            Tag::Quote => self.push("\u{201d}"),
            Tag::Sub | Tag::Sup => {
                if let Some(at) = self.scripts.pop() {
                    let inline = &mut self.frame().inline;
                    if let Some(small) = small_digits(inline.tail(at), tag == Tag::Sup) {
                        inline.replace_tail(at, &small);
                    }
                }
            }
            Tag::Pre => {
                self.break_block(true);
                let frame = self.frame();
                frame.pre = frame.pre.saturating_sub(1);
                frame.gap = true;
            }
            Tag::Ul | Tag::Ol => {
                self.break_block(false);
                let frame = self.frame();
                frame.lists.pop();
                frame.gap |= frame.lists.is_empty();
            }
            Tag::Li | Tag::Dd | Tag::Blockquote => {
                self.break_block(tag == Tag::Blockquote);
                self.frame().leave();
            }
            Tag::Td | Tag::Th | Tag::Caption => self.close_cell(tag),
            Tag::Table => self.close_table(),
            Tag::Thead => {
                if let Some(builder) = self.tables.last_mut().filter(|_| self.flat_tables == 0) {
                    builder.in_head = false;
                }
            }
            Tag::Tr | Tag::Tbody | Tag::Tfoot if !self.tables.is_empty() && self.flat_tables == 0 => {}
            Tag::P | Tag::Figure | Tag::Dl => self.break_block(true),
            Tag::Dt | Tag::Summary | Tag::Figcaption => {
                self.break_block(false);
                self.frame().block_style = Style::PLAIN;
            }
            _ if tag.heading_level().is_some() => {
                self.break_block(true);
                let frame = self.frame();
                frame.heading = None;
                frame.gap = true;
            }
            _ if tag.is_block() => self.break_block(false),
            _ => {}
        }
        self.count_style(tag, false);
        GO
    }

    fn text(&mut self, text: &str) -> ControlFlow<()> {
        if self.title == 0 {
            self.push(text);
        }
        GO
    }
}

impl Frame {
    /// Makes a block of the text that has come.
    fn flush(&mut self) {
        let mut inline = std::mem::take(&mut self.inline);
        self.piece += 1;
        if inline.is_empty() {
            return;
        }
        inline.trim_lines();
        self.add(match self.heading {
            _ if self.pre > 0 => Content::Pre(inline),
            Some(level) => Content::Heading(level, inline),
            None => Content::Paragraph(inline, self.block_style),
        });
    }

    fn add(&mut self, content: Content) {
        let gap = std::mem::take(&mut self.gap) && !self.blocks.is_empty();
        self.fresh = false;
        let marker = self.marker.take();
        self.blocks.push(Block { gap, indent: Rc::clone(&self.indent), marker, content });
    }

    /// Adds blocks of another frame.
    fn adopt(&mut self, blocks: Vec<Block>) {
        for block in blocks {
            self.gap |= block.gap;
            self.add(block.content);
        }
    }

    fn enter(&mut self, indent: &'static str) {
        if self.indents.len() == MAX_INDENT_DEPTH {
            self.deep += 1;
        } else {
            self.indents.push(indent);
            self.indent = self.indents.concat().into();
        }
        self.fresh = true;
    }

    fn leave(&mut self) {
        // The marker of an item without content goes with it.
        self.marker = None;
        self.fresh = false;
        if self.deep > 0 {
            self.deep -= 1;
        } else {
            self.indents.pop();
            self.indent = self.indents.concat().into();
        }
    }
}

fn starts_with_ignore_case(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Returns a list item's number in the list's manner.
fn number(n: i64, kind: char) -> String {
    match (kind, n) {
        ('a' | 'A', 1..=26) => {
            let first = if kind == 'a' { b'a' } else { b'A' };
            char::from(first + u8::try_from(n - 1).unwrap_or(0)).to_string()
        }
        ('i' | 'I', 1..=3999) => {
            let (mut n, mut roman) = (n, String::new());
            for (value, digits) in [
                (1000, "m"),
                (900, "cm"),
                (500, "d"),
                (400, "cd"),
                (100, "c"),
                (90, "xc"),
                (50, "l"),
                (40, "xl"),
                (10, "x"),
                (9, "ix"),
                (5, "v"),
                (4, "iv"),
                (1, "i"),
            ] {
                while n >= value {
                    roman.push_str(digits);
                    n -= value;
                }
            }
            if kind == 'I' { roman.to_ascii_uppercase() } else { roman }
        }
        _ => n.to_string(),
    }
}

/// Returns raised or lowered digits, if the text is a short number.
fn small_digits(text: &str, raised: bool) -> Option<String> {
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    if text.is_empty() || text.len() > 6 {
        return None;
    }
    text.chars()
        .map(|c| match (c, raised) {
            ('+', true) => Some('⁺'),
            ('-' | '−', true) => Some('⁻'),
            ('n', true) => Some('ⁿ'),
            ('+', false) => Some('₊'),
            ('-' | '−', false) => Some('₋'),
            (_, true) => RAISED.get(c.to_digit(10)? as usize).copied(),
            (_, false) => char::from_u32(u32::from('₀') + c.to_digit(10)?),
        })
        .collect()
}
