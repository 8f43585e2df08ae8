//! Strange text made safe to show.

use std::borrow::Cow;
use std::fmt::Write;

/// Which control characters stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// None: for a title or a path on one line.
    Nothing,
    /// Line feeds: for text that has lines.
    Newline,
    /// Line feeds and tabs.
    NewlineAndTab,
}

/// Returns text of which no character moves the cursor, changes the terminal's state, or makes the
/// text look like another.
///
/// Control characters (C0, DEL, C1), bidirectional embeddings, overrides and isolates, line and
/// paragraph separators, tag characters, interlinear marks and byte order marks are shown as
/// `\u{202e}`. The marks that ordinary text of right-to-left and joining scripts needs stay.
/// Borrows if there is nothing to do.
pub fn sanitize(text: &str, keep: Keep) -> Cow<'_, str> {
    if text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return Cow::Borrowed(text);
    }
    let Some(first) = text.find(|c| is_unsafe(c, keep)) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(&text[..first]);
    for c in text[first..].chars() {
        if is_unsafe(c, keep) {
            // Writing to a `String` cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

fn is_unsafe(c: char, keep: Keep) -> bool {
    match c {
        '\n' => keep == Keep::Nothing,
        '\t' => keep != Keep::NewlineAndTab,
        _ if c.is_control() => true,
        '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}' => true,
        '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        for (text, shown) in [
            ("\u{1b}[2Jx", "\\u{1b}[2Jx"),
            ("a\rb\u{8}\u{7f}", "a\\u{d}b\\u{8}\\u{7f}"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("abc\u{202e}cba", "abc\\u{202e}cba"),
            ("\u{2066}x\u{2069}", "\\u{2066}x\\u{2069}"),
            ("\u{e0041}\u{feff}", "\\u{e0041}\\u{feff}"),
            ("a\nb\tc", "a\\u{a}b\\u{9}c"),
            ("\0", "\\u{0}"),
        ] {
            assert_eq!(sanitize(text, Keep::Nothing), shown);
        }
        assert_eq!(sanitize("a\nb\tc", Keep::Newline), "a\nb\\u{9}c");
        assert_eq!(sanitize("a\nb\tc\r", Keep::NewlineAndTab), "a\nb\tc\\u{d}");
    }

    #[test]
    fn ordinary_text_is_borrowed() {
        // Joiners and the two plain direction marks are needed to write Persian, Hindi and emoji.
        for text in ["", "plain", "naïve 漢字", "می\u{200c}خواهم", "👩\u{200d}🔬", "\u{200e}x\u{200f}"]
        {
            assert!(matches!(sanitize(text, Keep::Nothing), Cow::Borrowed(_)), "{text:?}");
        }
        assert!(matches!(sanitize("a\n\tb", Keep::NewlineAndTab), Cow::Borrowed(_)));
    }
}
