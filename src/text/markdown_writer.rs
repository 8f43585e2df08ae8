//! HTML to Markdown (CommonMark, with tables and strikethrough).

use std::ops::ControlFlow;

use super::events::{Attributes, Options, Visitor, walk};
use super::html::{Gap, gap_of};
use super::tags::{Attribute, Tag};

const GO: ControlFlow<()> = ControlFlow::Continue(());

/// Lists and quotations deeper than this are not indented further.
const MAX_DEPTH: usize = 12;

/// A cell counts for at most so many columns, and only so many columns reach into later rows: what
/// a cell spans has to be written out as empty cells.
const MAX_SPAN: usize = 20;

/// Returns a page as Markdown: headings, emphasis, links, lists, quotations, tables, code and
/// pictures; all else as its text. What leads round a site is left out.
///
/// Characters that mean something in Markdown are escaped, so that the text reads as it was.
pub fn from_html(html: &str) -> String {
    let mut writer = MarkdownWriter::default();
    walk(html, Options::default(), &mut writer);
    writer.finish()
}

/// Something that begins and ends within text.
#[derive(Debug, Clone)]
enum Mark {
    Bold,
    Italic,
    Strike,
    Link(String),
}

impl Mark {
    fn opening(&self) -> &'static str {
        match self {
            Self::Bold => "**",
            Self::Italic => "*",
            Self::Strike => "~~",
            Self::Link(_) => "[",
        }
    }

    fn close(&self, out: &mut String) {
        match self {
            Self::Link(href) => {
                out.push_str("](");
                push_target(out, href);
                out.push(')');
            }
            _ => out.push_str(self.opening()),
        }
    }
}

#[derive(Default)]
struct MarkdownWriter {
    out: String,
    /// The text of the block that is open.
    inline: String,
    gap: Gap,
    /// True at the start of an item or quotation, where no gap stands.
    fresh: bool,
    /// What each line begins with.
    prefixes: Vec<String>,
    /// How many lists and quotations are open beyond [`MAX_DEPTH`].
    deep: usize,
    /// What the next line begins with in place of the last prefix.
    marker: Option<String>,
    lists: Vec<Option<i64>>,
    heading: Option<u8>,
    /// The marks that are open, and how many of them have been written.
    marks: Vec<Mark>,
    written: usize,
    /// For each `a` that is open, whether it is a mark.
    links: Vec<bool>,
    n_links: u32,
    bold: u32,
    italic: u32,
    strike: u32,
    code: u32,
    /// Where the code span begins that is open.
    code_start: Option<usize>,
    pre: u32,
    language: String,
    title: u32,
    table: Option<Table>,
    /// How many tables are open in the table.
    nested: u32,
    in_cell: bool,
    /// How many columns the open cell counts for.
    colspan: usize,
    /// How many rows it counts for.
    rowspan: usize,
}

#[derive(Default)]
struct Table {
    rows: Vec<Vec<String>>,
    has_header: bool,
    cell: String,
    /// For each column, how many rows a cell reaches into, the one that is open included.
    reach: Vec<usize>,
}

impl Table {
    fn open_row(&mut self) {
        if self.rows.last().is_some_and(Vec::is_empty) {
            return;
        }
        self.rows.push(Vec::new());
        for reach in &mut self.reach {
            *reach = reach.saturating_sub(1);
        }
    }

    /// Adds a cell, after empty ones for those above that reach into its row.
    fn add(&mut self, cell: String, colspan: usize, rowspan: usize) {
        let Some(row) = self.rows.last_mut() else { return };
        while self.reach.get(row.len()).is_some_and(|&reach| reach > 0) {
            row.push(String::new());
        }
        let columns = row.len()..(row.len() + colspan).min(MAX_SPAN);
        if rowspan > 1 && !columns.is_empty() {
            self.reach.resize(self.reach.len().max(columns.end), 0);
            self.reach[columns].fill(rowspan);
        }
        row.push(cell);
        row.extend((1..colspan).map(|_| String::new()));
    }
}

impl MarkdownWriter {
    fn finish(mut self) -> String {
        self.flush();
        self.out
    }

    /// Ends the block that is open.
    fn flush(&mut self) {
        self.end_code();
        self.inline.truncate(self.inline.trim_end_matches([' ', '\n']).len());
        let slashes = self.inline.len() - self.inline.trim_end_matches('\\').len();
        if slashes % 2 == 1 {
            // A line break with nothing after it.
            self.inline.pop();
            self.inline.truncate(self.inline.trim_end().len());
        }
        for mark in self.marks[..self.written].iter().rev() {
            mark.close(&mut self.inline);
        }
        self.written = 0;
        let inline = std::mem::take(&mut self.inline);
        if inline.is_empty() {
            return;
        }
        if let Some(table) = self.table.as_mut().filter(|_| self.in_cell) {
            if !table.cell.is_empty() {
                table.cell.push_str("<br>");
            }
            table.cell.push_str(&inline.replace("\\\n", "<br>").replace('\n', " "));
            return;
        }
        match self.heading {
            Some(level) => {
                let line = inline.replace("\\\n", " ").replace('\n', " ");
                self.write_block(&format!("{} {line}", "#".repeat(usize::from(level))));
            }
            None => self.write_block(&inline),
        }
    }

    /// Writes the lines of a block.
    fn write_block(&mut self, block: &str) {
        let gap = std::mem::take(&mut self.gap);
        self.fresh = false;
        if !self.out.is_empty() && gap >= Gap::Blank {
            let prefix = self.prefixes.concat();
            self.out.push_str(prefix.trim_end());
            self.out.push('\n');
        }
        for line in block.lines() {
            let start = self.out.len();
            match (self.marker.take(), self.prefixes.split_last()) {
                (Some(marker), Some((_, outer))) => {
                    self.out.extend(outer.iter().map(String::as_str));
                    self.out.push_str(&marker);
                }
                _ => self.out.extend(self.prefixes.iter().map(String::as_str)),
            }
            self.out.push_str(line);
            if line.is_empty() {
                let end = self.out[start..].trim_end().len();
                self.out.truncate(start + end);
            }
            self.out.push('\n');
        }
    }

    fn break_block(&mut self, gap: Gap) {
        self.flush();
        // In Markdown, lines without a gap are one paragraph: only items stand close.
        let gap = if gap == Gap::Line { Gap::Blank } else { gap };
        if !self.fresh {
            self.gap = self.gap.max(gap);
        }
    }

    fn enter(&mut self, prefix: String, marker: Option<String>) {
        if self.prefixes.len() == MAX_DEPTH {
            self.deep += 1;
        } else {
            self.prefixes.push(prefix);
            self.marker = marker;
        }
        self.fresh = true;
    }

    fn leave(&mut self) {
        self.marker = None;
        self.fresh = false;
        if self.deep > 0 {
            self.deep -= 1;
        } else {
            self.prefixes.pop();
        }
    }

    fn space(&mut self) {
        if !self.inline.is_empty() && !self.inline.ends_with([' ', '\n']) {
            self.inline.push(' ');
        }
    }

    /// Writes the marks that have been opened since the last word.
    fn settle(&mut self) {
        if self.code_start.is_none() {
            for mark in &self.marks[self.written..] {
                self.inline.push_str(mark.opening());
            }
            self.written = self.marks.len();
        }
        if self.code > 0 && self.code_start.is_none() && self.pre == 0 {
            self.code_start = Some(self.inline.len());
        }
    }

    /// Makes a code span of what stands since it began.
    fn end_code(&mut self) {
        let Some(start) = self.code_start.take() else { return };
        let code = self.inline.split_off(start.min(self.inline.len()));
        let inner = code.trim();
        if inner.is_empty() {
            self.inline.push_str(&code);
            return;
        }
        let fence = "`".repeat(longest_run(inner, '`') + 1);
        let pad = if inner.starts_with('`') || inner.ends_with('`') { " " } else { "" };
        let after = if code.ends_with(' ') { " " } else { "" };
        for part in [&fence, pad, inner, pad, &fence, after] {
            self.inline.push_str(part);
        }
    }

    fn open_mark(&mut self, mark: Mark) {
        self.end_code();
        self.marks.push(mark);
    }

    fn close_mark(&mut self) {
        self.end_code();
        let Some(mark) = self.marks.pop() else { return };
        if self.written > self.marks.len() {
            self.written = self.marks.len();
            let trimmed = self.inline.trim_end_matches(' ').len();
            let spaced = trimmed < self.inline.len();
            self.inline.truncate(trimmed);
            mark.close(&mut self.inline);
            if spaced {
                self.inline.push(' ');
            }
        }
    }

    fn count(&mut self, tag: Tag, opens: bool) {
        let (count, mark) = match tag {
            Tag::Bold => (&mut self.bold, Mark::Bold),
            Tag::Italic => (&mut self.italic, Mark::Italic),
            Tag::Strike => (&mut self.strike, Mark::Strike),
            _ => return,
        };
        *count = if opens { *count + 1 } else { count.saturating_sub(1) };
        if *count == u32::from(opens) && self.code == 0 && self.pre == 0 {
            if opens { self.open_mark(mark) } else { self.close_mark() }
        }
    }

    fn words(&mut self, text: &str) {
        if text.starts_with(|c: char| c.is_ascii_whitespace()) {
            self.space();
        }
        let mut words = text.split_ascii_whitespace().peekable();
        while let Some(word) = words.next() {
            self.settle();
            if self.code_start.is_some() {
                self.inline.push_str(&word.replace('\u{a0}', " "));
            } else {
                escape(&mut self.inline, word, self.in_cell);
            }
            if words.peek().is_some() || text.ends_with(|c: char| c.is_ascii_whitespace()) {
                self.space();
            }
        }
    }

    fn close_pre(&mut self) {
        let mut code = std::mem::take(&mut self.inline);
        code.truncate(code.trim_end().len());
        let language = std::mem::take(&mut self.language);
        if code.is_empty() {
            return;
        }
        if self.in_cell {
            self.inline = code.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            self.code_start = Some(0);
            self.flush();
        } else {
            let fence = "`".repeat((longest_run(&code, '`') + 1).max(3));
            self.write_block(&format!("{fence}{language}\n{code}\n{fence}"));
        }
    }

    fn close_cell(&mut self, tag: Tag) {
        self.flush();
        self.in_cell = false;
        let Some(table) = &mut self.table else { return };
        let cell = std::mem::take(&mut table.cell);
        if tag == Tag::Caption {
            self.write_block(&cell.replace("<br>", "\\\n"));
            self.gap = Gap::Blank;
        } else {
            table.add(cell, self.colspan, self.rowspan);
        }
    }

    fn close_table(&mut self) {
        let Some(Table { mut rows, has_header, .. }) = self.table.take() else { return };
        self.gap = Gap::Blank;
        rows.retain(|row| row.iter().any(|cell| !cell.is_empty()));
        let n_columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        if rows.iter().all(|row| row.iter().filter(|cell| !cell.is_empty()).count() <= 1) {
            for cell in rows.into_iter().flatten().filter(|cell| !cell.is_empty()) {
                self.write_block(&cell.replace("<br>", "\\\n"));
                self.gap = Gap::Blank;
            }
            return;
        }
        let mut lines = String::new();
        if !has_header {
            rows.insert(0, vec![String::new(); n_columns]);
        }
        for (i, row) in rows.iter().enumerate() {
            lines.push('|');
            for cell in row {
                lines.push(' ');
                lines.push_str(cell);
                lines.push_str(" |");
            }
            if i == 0 {
                lines.push_str(&"  |".repeat(n_columns - row.len()));
                lines.push_str("\n|");
                lines.push_str(&" --- |".repeat(n_columns));
            }
            lines.push('\n');
        }
        self.write_block(&lines);
        self.gap = Gap::Blank;
    }

    fn open_table_part(&mut self, tag: Tag, attributes: &Attributes) -> bool {
        match tag {
            Tag::Table if self.table.is_some() => self.nested += 1,
            Tag::Table => {
                self.break_block(Gap::Blank);
                self.table = Some(Table::default());
            }
            Tag::Tr | Tag::Td | Tag::Th | Tag::Caption if self.nested > 0 => self.space(),
            Tag::Tr => {
                self.flush();
                if let Some(table) = &mut self.table {
                    table.open_row();
                }
            }
            Tag::Td | Tag::Th | Tag::Caption => {
                self.flush();
                if let Some(table) = &mut self.table {
                    self.in_cell = true;
                    if table.rows.is_empty() && tag != Tag::Caption {
                        table.open_row();
                    }
                    table.has_header |= tag == Tag::Th && table.rows.len() == 1;
                    let span = |attribute| attributes.number(attribute).and_then(|n| usize::try_from(n).ok());
                    self.colspan = span(Attribute::Colspan).unwrap_or(1).clamp(1, MAX_SPAN);
                    self.rowspan = span(Attribute::Rowspan).unwrap_or(1);
                }
            }
            Tag::Thead => {
                if let Some(table) =
                    self.table.as_mut().filter(|table| table.rows.is_empty() && self.nested == 0)
                {
                    table.has_header = true;
                }
            }
            Tag::Tbody | Tag::Tfoot => {}
            _ => return false,
        }
        true
    }
}

impl Visitor for MarkdownWriter {
    fn open(&mut self, tag: Tag, attributes: &Attributes) -> ControlFlow<()> {
        self.count(tag, true);
        if self.open_table_part(tag, attributes) {
            return GO;
        }
        match tag {
            Tag::Title => self.title += 1,
            Tag::A => {
                let href = attributes.get(Attribute::Href).filter(|href| !href.is_empty());
                // A heading that links to itself is a heading.
                let to_itself = self.heading.is_some() && href.is_some_and(|href| href.starts_with('#'));
                let is_mark = href.is_some() && !to_itself && self.n_links == 0 && self.pre == 0;
                self.links.push(is_mark);
                self.n_links += u32::from(is_mark);
                if let Some(href) = href.filter(|_| is_mark) {
                    self.open_mark(Mark::Link(href.trim_ascii().to_owned()));
                }
            }
            Tag::Code => {
                self.code += 1;
                self.note_language(attributes);
            }
            Tag::Quote => self.words("\u{201c}"),
            Tag::Sub if self.pre == 0 && self.code == 0 => self.raw("<sub>"),
            Tag::Sup if self.pre == 0 && self.code == 0 => self.raw("<sup>"),
            Tag::Break if self.pre > 0 => self.inline.push('\n'),
            Tag::Break => {
                self.end_code();
                if !self.inline.trim_end().is_empty() {
                    self.inline.truncate(self.inline.trim_end_matches(' ').len());
                    self.inline.push_str("\\\n");
                }
            }
            Tag::Image if self.pre == 0 => self.image(attributes),
            Tag::Rule => {
                self.break_block(Gap::Blank);
                if !self.in_cell {
                    self.write_block("---");
                    self.gap = Gap::Blank;
                }
            }
            Tag::Pre => {
                if self.pre == 0 {
                    self.break_block(Gap::Blank);
                }
                self.pre += 1;
                self.note_language(attributes);
            }
            // What is preformatted is one block, whatever stands in it.
            _ if self.pre > 0 => {}
            Tag::Ul | Tag::Ol => {
                self.break_block(if self.lists.is_empty() { Gap::Blank } else { Gap::None });
                let start = attributes.number(Attribute::Start).unwrap_or(1).clamp(0, 999_999_999);
                self.lists.push((tag == Tag::Ol).then_some(start));
            }
            Tag::Li | Tag::Dd => {
                self.break_block(if tag == Tag::Dd { Gap::Blank } else { Gap::None });
                let marker = match self.lists.last_mut().filter(|_| tag == Tag::Li) {
                    Some(Some(next)) => {
                        *next += 1;
                        format!("{}. ", *next - 1)
                    }
                    _ => "- ".to_owned(),
                };
                if self.in_cell {
                    self.inline.push_str(&marker);
                } else {
                    self.enter(" ".repeat(marker.len()), Some(marker));
                }
            }
            Tag::Blockquote if !self.in_cell => {
                self.break_block(Gap::Blank);
                self.enter("> ".to_owned(), None);
            }
            Tag::Dt => {
                self.break_block(Gap::Blank);
                self.count(Tag::Bold, true);
            }
            _ => match gap_of(tag, false) {
                Gap::None => {}
                gap => {
                    self.break_block(gap);
                    if !self.in_cell && tag.heading_level().is_some() {
                        self.heading = tag.heading_level();
                    }
                }
            },
        }
        GO
    }

    fn close(&mut self, tag: Tag) -> ControlFlow<()> {
        match tag {
            Tag::Title => self.title = self.title.saturating_sub(1),
            Tag::A => {
                if self.links.pop() == Some(true) {
                    self.n_links -= 1;
                    self.close_mark();
                }
            }
            Tag::Code => {
                self.code = self.code.saturating_sub(1);
                if self.code == 0 {
                    self.end_code();
                }
            }
            Tag::Quote => self.words("\u{201d}"),
            Tag::Sub if self.pre == 0 && self.code == 0 => self.raw("</sub>"),
            Tag::Sup if self.pre == 0 && self.code == 0 => self.raw("</sup>"),
            Tag::Pre => {
                self.pre = self.pre.saturating_sub(1);
                if self.pre == 0 {
                    self.close_pre();
                    self.gap = Gap::Blank;
                }
            }
            _ if self.pre > 0 => {}
            Tag::Table if self.nested > 0 => self.nested -= 1,
            Tag::Table => {
                self.flush();
                self.close_table();
            }
            Tag::Td | Tag::Th | Tag::Caption if self.nested == 0 && self.table.is_some() => {
                self.close_cell(tag);
            }
            Tag::Tr | Tag::Td | Tag::Th | Tag::Caption if self.nested > 0 => self.space(),
            Tag::Ul | Tag::Ol => {
                self.lists.pop();
                self.break_block(if self.lists.is_empty() { Gap::Blank } else { Gap::None });
            }
            Tag::Li | Tag::Dd => {
                self.break_block(Gap::None);
                if !self.in_cell {
                    self.leave();
                }
            }
            Tag::Blockquote if !self.in_cell => {
                self.break_block(Gap::Blank);
                self.leave();
                self.gap = Gap::Blank;
            }
            Tag::Dt => {
                self.count(Tag::Bold, false);
                self.break_block(Gap::Blank);
            }
            _ => match gap_of(tag, false) {
                Gap::None => {}
                gap => {
                    self.break_block(gap);
                    self.heading = None;
                }
            },
        }
        self.count(tag, false);
        GO
    }

    fn text(&mut self, text: &str) -> ControlFlow<()> {
        match (self.title, self.pre) {
            (0, 0) => self.words(text),
            (0, _) => self.inline.push_str(&text.replace('\u{a0}', " ")),
            _ => {}
        }
        GO
    }
}

impl MarkdownWriter {
    fn raw(&mut self, tag: &str) {
        self.settle();
        self.inline.push_str(tag);
    }

    fn image(&mut self, attributes: &Attributes) {
        let alt = attributes.get(Attribute::Alt).unwrap_or_default();
        let Some(src) = attributes.get(Attribute::Src) else { return };
        self.end_code();
        let code = std::mem::take(&mut self.code);
        self.settle();
        self.code = code;
        self.inline.push_str("![");
        for (i, word) in alt.split_ascii_whitespace().enumerate() {
            if i > 0 {
                self.inline.push(' ');
            }
            escape(&mut self.inline, word, self.in_cell);
        }
        self.inline.push_str("](");
        push_target(&mut self.inline, src.trim_ascii());
        self.inline.push(')');
    }

    /// Takes the language of a code block from its class.
    fn note_language(&mut self, attributes: &Attributes) {
        if self.pre == 0 || !self.language.is_empty() {
            return;
        }
        let classes = attributes.get(Attribute::Class).unwrap_or_default();
        let language = classes.split_ascii_whitespace().find_map(|class| {
            class.strip_prefix("language-").or_else(|| class.strip_prefix("lang-")).or(match class {
                "rust" | "cpp" | "python" => Some(class),
                _ => None,
            })
        });
        let word = |c: char| c.is_ascii_alphanumeric() || "+-#._".contains(c);
        self.language = language.unwrap_or_default().chars().take_while(|&c| word(c)).take(32).collect();
    }
}

/// Adds a word so that nothing in it means anything.
fn escape(out: &mut String, word: &str, in_cell: bool) {
    let at_start = out.is_empty() || out.ends_with('\n');
    for (i, c) in word.char_indices() {
        let rest = &word[i + c.len_utf8()..];
        let special = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '~' => true,
            // In the middle of a word it means nothing.
            '_' => i == 0 || rest.is_empty() || !rest.starts_with(char::is_alphanumeric),
            '&' => rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '#'),
            '|' => in_cell,
            '#' | '>' | '+' | '-' | '=' => at_start && i == 0,
            '.' | ')' => {
                at_start
                    && i > 0
                    && i <= 9
                    && rest.is_empty()
                    && word[..i].bytes().all(|b| b.is_ascii_digit())
            }
            _ => false,
        };
        if special {
            out.push('\\');
        }
        match c {
            '\u{a0}' => out.push(' '),
            '\u{ad}' | '\u{200b}' => {}
            c => out.push(c),
        }
    }
}

/// Adds the target of a link.
fn push_target(out: &mut String, target: &str) {
    let pointed = target.is_empty() || target.contains([' ', '(', ')', '|']) || target.starts_with('<');
    if pointed {
        out.push('<');
    }
    for c in target.chars() {
        match c {
            '\n' | '\r' | '\t' => {}
            '<' => out.push_str("%3C"),
            '>' => out.push_str("%3E"),
            '|' => out.push_str("%7C"),
            '\\' => out.push_str("%5C"),
            c => out.push(c),
        }
    }
    if pointed {
        out.push('>');
    }
}

/// Returns the length of the longest run of a character.
fn longest_run(text: &str, wanted: char) -> usize {
    let (mut longest, mut run) = (0, 0);
    for c in text.chars() {
        run = if c == wanted { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}
