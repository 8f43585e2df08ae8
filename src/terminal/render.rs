//! The entry points: a page as text for a terminal.

use std::fmt::Write;

use crate::text;

use super::flow::{Builder, Flow};
use super::layout::{Context, layout};
use super::sanitize::{Keep, sanitize};
use super::wrap::{Inline, Style};

/// How a page is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenderOptions {
    /// The columns there are; less than 20 are taken for 20.
    pub width: usize,
    /// True for bold, italic, underlined and the like (SGR sequences); false for plain text.
    pub style: bool,
    /// True to number the links, and to list where they lead at the end.
    pub links: bool,
    /// True for the parts that lead round a site as well.
    pub chrome: bool,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self { width: 80, style: false, links: true, chrome: false }
    }
}

const MIN_WIDTH: usize = 20;

/// Renders an HTML page as lines, the last one with its line feed as well.
///
/// No line is wider than the width, except lines of preformatted text outside of tables, which
/// stay as they are. The result holds no control characters but line feeds and, if asked for,
/// SGR sequences that end on the line they begin on.
pub fn render_html(html: &str, options: &RenderOptions) -> String {
    let mut builder = Builder::new(options.links);
    text::walk(html, text::Options { chrome: options.chrome, hidden: false }, &mut builder);
    write_flow(&builder.finish(), options)
}

/// Renders a Markdown page; its front matter is not shown.
pub fn render_markdown(markdown: &str, options: &RenderOptions) -> String {
    render_html(&text::to_html(text::split_front_matter(markdown).1), options)
}

/// Renders a plain text: its lines stay, and those that are too wide are wrapped.
pub fn render_text(text: &str, options: &RenderOptions) -> String {
    let width = options.width.max(MIN_WIDTH);
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut out = String::with_capacity(text.len() + 64);
    for line in text.lines() {
        let mut inline = Inline::default();
        inline.push_pre(line, Style::PLAIN);
        if inline.is_empty() {
            out.push('\n');
            continue;
        }
        // A line that fits keeps its own spaces; one that does not is prose.
        let lines = match &mut inline.lines_as_they_are(None, Style::PLAIN, false)[..] {
            [one] if one.width <= width => vec![std::mem::take(one)],
            _ => inline.wrap(width, Style::PLAIN, false),
        };
        for line in lines {
            out.push_str(line.text.trim_end_matches(' '));
            out.push('\n');
        }
    }
    out
}

fn write_flow(flow: &Flow, options: &RenderOptions) -> String {
    let width = options.width.max(MIN_WIDTH);
    let context = Context { width, styled: options.style, base: Style::PLAIN, keep_long_lines: true };
    let mut out = String::new();
    for line in layout(&flow.blocks, context) {
        out.push_str(line.text.trim_end_matches(' '));
        out.push('\n');
    }
    if flow.links.is_empty() {
        return out;
    }
    let mut title = Inline::default();
    title.push("Links", Style::BOLD);
    out.push('\n');
    for line in title.wrap(width, Style::PLAIN, options.style) {
        out.push_str(&line.text);
        out.push('\n');
    }
    for (i, href) in flow.links.iter().enumerate() {
        let mut line = String::new();
        // Writing to a `String` cannot fail.
        let _ = write!(line, "[{}] {}", i + 1, sanitize(href, Keep::Nothing));
        let mut inline = Inline::default();
        inline.push_pre(&line, Style::PLAIN);
        for line in inline.wrap(width, Style::PLAIN, false) {
            out.push_str(&line.text);
            out.push('\n');
        }
    }
    out
}
