//! Styled text, and how it is broken into lines.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::sanitize::{Keep, sanitize};

/// How text looks, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Style(u8);

impl Style {
    pub(super) const PLAIN: Self = Self(0);
    pub(super) const BOLD: Self = Self(1);
    pub(super) const ITALIC: Self = Self(2);
    pub(super) const UNDERLINE: Self = Self(4);
    pub(super) const STRIKE: Self = Self(8);
    pub(super) const DIM: Self = Self(16);

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Adds the sequence that sets this style, whatever was set before.
    fn write(self, out: &mut String) {
        out.push_str("\x1b[0");
        for (style, code) in [
            (Self::BOLD, ";1"),
            (Self::DIM, ";2"),
            (Self::ITALIC, ";3"),
            (Self::UNDERLINE, ";4"),
            (Self::STRIKE, ";9"),
        ] {
            if self.0 & style.0 != 0 {
                out.push_str(code);
            }
        }
        out.push('m');
    }
}

/// A place where a line may break; never shown.
const MAY_BREAK: char = '\u{200b}';

/// A space at which no line breaks; shown as a space.
const NO_BREAK: char = '\u{a0}';

/// Text with styles, safe to show. `\n` in it is a line break that the page asks for.
#[derive(Debug, Clone, Default)]
pub(super) struct Inline {
    text: String,
    /// From where on which style holds.
    runs: Vec<(usize, Style)>,
}

impl Inline {
    pub(super) fn is_empty(&self) -> bool {
        self.text.bytes().all(|b| b == b' ' || b == b'\n')
    }

    /// Returns the length so far, for [`Inline::tail`].
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Returns what was added since the length was `at`.
    pub(super) fn tail(&self, at: usize) -> &str {
        self.text.get(at..).unwrap_or_default()
    }

    /// Replaces what was added since the length was `at`, if it has one style.
    pub(super) fn replace_tail(&mut self, at: usize, text: &str) {
        if self.runs.last().is_none_or(|&(start, _)| start <= at) {
            self.text.truncate(at);
            self.text.push_str(text);
        }
    }

    /// Adds text with its white space collapsed.
    pub(super) fn push(&mut self, text: &str, style: Style) {
        let space = |c: char| c.is_ascii_whitespace();
        if text.starts_with(space) {
            self.space(style);
        }
        let mut words = text.split_ascii_whitespace().peekable();
        while let Some(word) = words.next() {
            self.push_exact(word, style, Keep::Nothing);
            if words.peek().is_some() || text.ends_with(space) {
                self.space(style);
            }
        }
    }

    /// Adds text as it stands.
    pub(super) fn push_pre(&mut self, text: &str, style: Style) {
        self.push_exact(text, style, Keep::NewlineAndTab);
    }

    fn push_exact(&mut self, text: &str, style: Style, keep: Keep) {
        self.set_style(style);
        let text = sanitize(text, keep);
        if !text.is_ascii() && text.contains('\u{ad}') {
            self.text.extend(text.chars().filter(|&c| c != '\u{ad}'));
        } else {
            self.text.push_str(&text);
        }
    }

    /// Adds a space, unless there is one or a line begins.
    pub(super) fn space(&mut self, style: Style) {
        if !self.text.is_empty() && !self.text.ends_with([' ', '\n']) {
            self.set_style(style);
            self.text.push(' ');
        }
    }

    /// Adds a line break.
    pub(super) fn line_break(&mut self) {
        self.trim_end();
        self.text.push('\n');
    }

    /// Adds a place where a word may break.
    pub(super) fn may_break(&mut self) {
        self.text.push(MAY_BREAK);
    }

    /// Removes spaces at the end.
    pub(super) fn trim_end(&mut self) {
        self.truncate(self.text.trim_end_matches(' ').len());
    }

    /// Removes spaces and line breaks at the end.
    pub(super) fn trim_lines(&mut self) {
        self.truncate(self.text.trim_end_matches([' ', '\n']).len());
    }

    fn truncate(&mut self, len: usize) {
        self.text.truncate(len);
        for run in self.runs.iter_mut().rev().take_while(|run| run.0 > len) {
            run.0 = len;
        }
    }

    /// Puts all of another text at the end.
    pub(super) fn append(&mut self, other: &Inline) {
        let base = self.text.len();
        if other.runs.first().is_none_or(|&(start, _)| start > 0) {
            self.set_style(Style::PLAIN);
        }
        self.runs.extend(other.runs.iter().map(|&(start, style)| (start + base, style)));
        self.text.push_str(&other.text);
    }

    fn set_style(&mut self, style: Style) {
        if self.runs.last().map_or(Style::PLAIN, |&(_, s)| s) != style {
            self.runs.push((self.text.len(), style));
        }
    }

    /// Returns the width of the widest part that does not break, and of the widest line.
    pub(super) fn measure(&self) -> (usize, usize) {
        let (mut widest, mut widest_line, mut line, mut spaces) = (0, 0, 0, 0);
        for token in Tokens(&self.text, 0) {
            match token {
                Token::Word(word, _) => {
                    let width = word.width();
                    line += spaces + width;
                    spaces = 0;
                    widest = widest.max(width);
                    widest_line = widest_line.max(line);
                }
                Token::Space(..) => spaces += 1,
                Token::MayBreak => {}
                Token::Newline => (line, spaces) = (0, 0),
            }
        }
        (widest, widest_line)
    }

    /// Breaks the text into lines of at most `width` columns (of at least 2).
    ///
    /// A word that is wider stands on lines of its own and is broken where they end.
    pub(super) fn wrap(&self, width: usize, base: Style, styled: bool) -> Vec<Line> {
        let mut writer = Writer::new(self, base, styled);
        let mut space = None;
        for token in Tokens(&self.text, 0) {
            match token {
                Token::Newline => {
                    writer.end_line();
                    space = None;
                }
                Token::MayBreak => {}
                Token::Space(at) => space = Some(at),
                Token::Word(word, at) => {
                    let gap = usize::from(space.is_some() && writer.line.width > 0);
                    let word_width = word.width();
                    if writer.line.width + gap + word_width > width && writer.line.width > 0 {
                        writer.end_line();
                    } else if gap > 0
                        && let Some(at) = space
                    {
                        writer.put(" ", at, 1);
                    }
                    space = None;
                    if word_width <= width {
                        writer.put(word, at, word_width);
                    } else {
                        writer.put_broken(word, at, width);
                    }
                }
            }
        }
        writer.finish()
    }

    /// Gives the text's own lines, with tabs expanded. With a width, lines are broken where it ends.
    pub(super) fn lines_as_they_are(&self, width: Option<usize>, base: Style, styled: bool) -> Vec<Line> {
        let mut writer = Writer::new(self, base, styled);
        let mut at = 0;
        for line in self.text.split('\n') {
            let mut start = at;
            for part in line.split('\t') {
                if start > at {
                    let stop = TAB - writer.line.width % TAB;
                    let stop = width.map_or(stop, |width| stop.min(width.saturating_sub(writer.line.width)));
                    writer.put(&"        "[..stop], start - 1, stop);
                }
                match width {
                    Some(width) => writer.put_broken(part, start, width),
                    None => writer.put(part, start, part.width()),
                }
                start += part.len() + 1;
            }
            at += line.len() + 1;
            writer.end_line();
        }
        writer.lines
    }
}

const TAB: usize = 8;

/// A line that is ready to show.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) width: usize,
}

impl Line {
    pub(super) fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        let width = text.width();
        Self { text, width }
    }

    /// Adds another line's text.
    pub(super) fn push(&mut self, other: &Line) {
        self.text.push_str(&other.text);
        self.width += other.width;
    }

    /// Adds text without control characters.
    pub(super) fn push_str(&mut self, text: &str) {
        self.text.push_str(text);
        self.width += text.width();
    }

    /// Adds spaces up to a width.
    pub(super) fn pad(&mut self, width: usize) {
        while self.width < width {
            self.text.push(' ');
            self.width += 1;
        }
    }
}

/// Writes lines, and the sequences where the style changes.
struct Writer<'a> {
    inline: &'a Inline,
    base: Style,
    styled: bool,
    lines: Vec<Line>,
    line: Line,
    /// The style that holds at the end of the line.
    style: Style,
    /// The run that was looked at last; places only grow.
    run: usize,
}

impl<'a> Writer<'a> {
    fn new(inline: &'a Inline, base: Style, styled: bool) -> Self {
        let (lines, line) = (Vec::new(), Line::default());
        Self { inline, base, styled, lines, line, style: Style::PLAIN, run: 0 }
    }

    /// Adds text that stands at a place of the inline text.
    fn put(&mut self, text: &str, at: usize, width: usize) {
        self.line.width += width;
        if !self.styled {
            push_shown(&mut self.line.text, text);
            return;
        }
        let runs = &self.inline.runs;
        let mut start = 0;
        while start < text.len() {
            while self.run < runs.len() && runs[self.run].0 <= at + start {
                self.run += 1;
            }
            let style = self.run.checked_sub(1).map_or(Style::PLAIN, |run| runs[run].1).with(self.base);
            if style != self.style {
                style.write(&mut self.line.text);
                self.style = style;
            }
            // The text of a gap is made up, so that a run may begin inside of it.
            let end = runs.get(self.run).map_or(text.len(), |&(next, _)| (next - at).min(text.len()));
            let end = if text.is_char_boundary(end) { end } else { text.len() };
            push_shown(&mut self.line.text, &text[start..end]);
            start = end;
        }
    }

    /// Adds a word, broken where lines end.
    fn put_broken(&mut self, word: &str, at: usize, width: usize) {
        let (mut start, mut taken) = (0, 0);
        for (i, c) in word.char_indices() {
            let w = char_width(c);
            if self.line.width + taken + w > width && self.line.width + taken > 0 {
                self.put(&word[start..i], at + start, taken);
                self.end_line();
                (start, taken) = (i, 0);
            }
            taken += w;
        }
        self.put(&word[start..], at + start, taken);
    }

    fn end_line(&mut self) {
        if self.style != Style::PLAIN {
            Style::PLAIN.write(&mut self.line.text);
            self.style = Style::PLAIN;
        }
        self.lines.push(std::mem::take(&mut self.line));
    }

    fn finish(mut self) -> Vec<Line> {
        if self.line.width > 0 || !self.line.text.is_empty() {
            self.end_line();
        }
        self.lines
    }
}

/// Returns the columns of a character that stands alone, or the most it adds to others.
fn char_width(c: char) -> usize {
    // The selector of the picture form may widen what it follows.
    if c == '\u{fe0f}' { 1 } else { c.width().unwrap_or(0) }
}

fn push_shown(out: &mut String, text: &str) {
    if text.is_ascii() || !text.contains([NO_BREAK, MAY_BREAK]) {
        out.push_str(text);
    } else {
        out.extend(text.chars().filter(|&c| c != MAY_BREAK).map(|c| if c == NO_BREAK { ' ' } else { c }));
    }
}

/// A part of a text, and where it stands.
enum Token<'a> {
    Word(&'a str, usize),
    Space(usize),
    MayBreak,
    Newline,
}

/// The parts of a text between which lines may break.
struct Tokens<'a>(&'a str, usize);

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let at = self.1;
        let rest = &self.0[at..];
        let first = rest.chars().next()?;
        self.1 += first.len_utf8();
        match first {
            ' ' | '\t' => return Some(Token::Space(at)),
            '\n' => return Some(Token::Newline),
            MAY_BREAK => return Some(Token::MayBreak),
            _ => {}
        }
        // Lines of Chinese and Japanese break between any two characters, except before what
        // closes and after what opens. Others break at spaces.
        let (mut end, mut last) = (first.len_utf8(), first);
        for c in rest[end..].chars() {
            if matches!(c, ' ' | '\t' | '\n' | MAY_BREAK) || (may_part(last, c) && c != NO_BREAK) {
                break;
            }
            end += c.len_utf8();
            if c.width() != Some(0) {
                last = c;
            }
        }
        self.1 = at + end;
        Some(Token::Word(&rest[..end], at))
    }
}

/// Returns true if a line may break between two characters without a space.
fn may_part(before: char, after: char) -> bool {
    // Everything that is wide stands above this.
    if before < '\u{1100}' && after < '\u{1100}' {
        return false;
    }
    let wide = |c: char| c.width() == Some(2);
    (wide(before) || wide(after))
        && after.width() != Some(0)
        && before != NO_BREAK
        && !"、。，．・：；？！」』）】〉》〕］｝ー…‥々ぁぃぅぇぉっゃゅょァィゥェォッャュョ,.:;?!)]}'\"’”%"
            .contains(after)
        && !"「『（【〈《〔［｛([{'\"‘“".contains(before)
}
