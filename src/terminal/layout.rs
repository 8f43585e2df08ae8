//! Blocks as lines of a width.

use unicode_width::UnicodeWidthStr;

use super::flow::{Block, Content};
use super::wrap::{Inline, Line, Style};

/// How blocks are laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    /// The columns there are, at least 2.
    pub(super) width: usize,
    /// True for bold, underlined and the like.
    pub(super) styled: bool,
    /// The style of everything.
    pub(super) base: Style,
    /// True where preformatted lines may be longer than the width: outside of tables.
    pub(super) keep_long_lines: bool,
}

/// Preformatted text stands in by this much.
const PRE_INDENT: &str = "    ";

/// Lays blocks out.
pub(super) fn layout(blocks: &[Block], context: Context) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut before = "";
    for block in blocks {
        if block.gap && !lines.is_empty() {
            // A quotation's bar goes on through the gap if it stands on both sides.
            let both = before.chars().zip(block.indent.chars()).take_while(|(a, b)| a == b).count();
            lines.push(Line::plain(cut(&block.indent, both.min(context.width / 2)).trim_end()));
        }
        before = &block.indent;
        layout_block(block, context, &mut lines);
    }
    lines
}

fn layout_block(block: &Block, context: Context, lines: &mut Vec<Line>) {
    // Half of a narrow place is left for content.
    let room = (context.width / 2).min(context.width.saturating_sub(2));
    let indent = cut(&block.indent, room);
    let inner = Context { width: context.width - indent.width(), ..context };
    let mut content = content_lines(&block.content, inner);
    let mut marker = block.marker.as_deref();
    if content.is_empty() {
        content.push(Line::default());
    }
    for mut line in content {
        let first = marker.take().and_then(|marker| {
            // The marker takes the place of the indent's end, and more if it is longer.
            let lead = cut(indent, indent.width().saturating_sub(marker.width()));
            let text = format!("{lead}{marker}");
            (text.width() + line.width <= context.width || text.width() <= indent.width()).then_some(text)
        });
        let lead = first.as_deref().unwrap_or(indent);
        line.text.insert_str(0, if line.width == 0 { lead.trim_end() } else { lead });
        line.width += lead.width();
        lines.push(line);
    }
}

fn content_lines(content: &Content, context: Context) -> Vec<Line> {
    let Context { width, styled, base, .. } = context;
    match content {
        Content::Paragraph(text, style) => text.wrap(width, base.with(*style), styled),
        Content::Heading(level, text) => heading(*level, text, context),
        Content::Pre(text) => {
            let indent = if context.keep_long_lines { PRE_INDENT } else { "" };
            let mut lines = text.lines_as_they_are((!context.keep_long_lines).then_some(width), base, styled);
            for line in lines.iter_mut().filter(|line| line.width > 0) {
                line.text.insert_str(0, indent);
                line.width += indent.len();
            }
            lines
        }
        Content::Rule => vec![Line::plain("─".repeat(width.min(40)))],
        Content::Table(table) => table.layout(context),
    }
}

fn heading(level: u8, text: &Inline, context: Context) -> Vec<Line> {
    let Context { width, styled, base, .. } = context;
    // A heading in a table stands between its rows; lines or signs of its own would be in the way.
    if styled || !context.keep_long_lines {
        let style = if level <= 2 { Style::BOLD.with(Style::UNDERLINE) } else { Style::BOLD };
        return text.wrap(width, base.with(style), styled);
    }
    let mut lines = text.wrap(width, base, false);
    if level <= 2 {
        let widest = lines.iter().map(|line| line.width).max().unwrap_or(0);
        lines.push(Line::plain(if level == 1 { "=" } else { "-" }.repeat(widest)));
    } else {
        let mut marked = Inline::default();
        marked.push(&"#".repeat(usize::from(level)), Style::PLAIN);
        marked.space(Style::PLAIN);
        marked.append(text);
        lines = marked.wrap(width, base, false);
    }
    lines
}

/// Returns as much of an indent as fits.
fn cut(indent: &str, width: usize) -> &str {
    let end = indent.char_indices().map(|(at, c)| at + c.len_utf8()).take(width).last().unwrap_or(0);
    if width == 0 { "" } else { &indent[..end] }
}

/// Returns the least and the most columns that blocks use well.
pub(super) fn measure(blocks: &[Block]) -> (usize, usize) {
    let mut all = (0, 0);
    for block in blocks {
        let (least, most) = match &block.content {
            Content::Paragraph(text, _) | Content::Heading(_, text) => text.measure(),
            Content::Pre(text) => {
                let lines = text.lines_as_they_are(None, Style::PLAIN, false);
                let widest = lines.iter().map(|line| line.width).max().unwrap_or(0);
                (widest.min(24), widest)
            }
            Content::Rule => (1, 3),
            Content::Table(table) => table.measure(),
        };
        let indent = block.indent.width();
        all = (all.0.max(least + indent), all.1.max(most + indent));
    }
    all
}
