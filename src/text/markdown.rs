//! Markdown to HTML, and back.

use pulldown_cmark::{Options, Parser, html};

/// The values that stand before a Markdown page between two lines of `---`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrontMatter {
    /// `title:`
    pub title: Option<String>,
    /// `lang:` or `language:`
    pub lang: Option<String>,
}

/// Splits the YAML front matter off a Markdown page.
///
/// Only scalars of one line are read, plain or in quotes; all else in it is passed over. A page
/// whose first line is `---` without such a line further on has no front matter.
pub fn split_front_matter(markdown: &str) -> (FrontMatter, &str) {
    let markdown = markdown.strip_prefix('\u{feff}').unwrap_or(markdown);
    let mut values = FrontMatter::default();
    let mut at = 0;
    for (i, line) in markdown.split_inclusive('\n').enumerate() {
        at += line.len();
        let line = line.trim_end();
        match (i, line) {
            (0, "---") => {}
            (0, _) => break,
            (_, "---" | "...") => return (values, &markdown[at..]),
            _ => {
                if let Some((key, value)) = line.split_once(':')
                    && let Some(value) = scalar(value)
                {
                    match key {
                        "title" => values.title = Some(value),
                        "lang" | "language" => values.lang = Some(value),
                        _ => {}
                    }
                }
            }
        }
    }
    (FrontMatter::default(), markdown)
}

/// Reads a YAML scalar that stands on one line.
fn scalar(value: &str) -> Option<String> {
    // The value begins after a space, else the colon is a part of a word.
    if !value.starts_with([' ', '\t']) {
        return None;
    }
    let value = value.trim();
    let text = if let Some(rest) = value.strip_prefix('"') {
        let mut text = String::new();
        let mut chars = rest.chars();
        loop {
            match chars.next()? {
                '"' => break text,
                '\\' => text.push(match chars.next()? {
                    'n' | 't' => ' ',
                    c => c,
                }),
                c => text.push(c),
            }
        }
    } else if let Some(rest) = value.strip_prefix('\'') {
        let end = rest.replace("''", "\0").find('\'').map(|_| ());
        end?;
        let mut text = String::new();
        let mut chars = rest.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\'' if chars.peek() == Some(&'\'') => {
                    chars.next();
                    text.push('\'');
                }
                '\'' => break,
                c => text.push(c),
            }
        }
        text
    } else if value.starts_with(['|', '>', '[', '{', '&', '*', '!', '#']) {
        return None;
    } else {
        value.split(" #").next().unwrap_or(value).trim_end().to_owned()
    };
    (!text.is_empty()).then_some(text)
}

/// Returns a Markdown page, without front matter, as HTML: tables, footnotes, strikethrough and
/// task lists included. HTML in it stays as it is.
pub fn to_html(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS;
    let mut out = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut out, Parser::new_ext(markdown, options));
    out
}
