//! Text in XML.

use std::fmt::{Display, Formatter, Result, Write};

/// Text between tags or in an attribute: what means something in XML is escaped, and what XML cannot hold
/// at all is replaced, so that no title breaks a feed.
pub struct Text<'a>(pub &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&apos;")?,
                other => f.write_char(held(other))?,
            }
        }
        Ok(())
    }
}

/// Text that is XML already, without the letters that XML cannot hold.
pub struct Marked<'a>(pub &'a str);

impl Display for Marked<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.0.chars().try_for_each(|letter| f.write_char(held(letter)))
    }
}

fn held(letter: char) -> char {
    match letter {
        '\t' | '\n' | '\r' => letter,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_ends_it() {
        let text = Text("</title>\"'&\u{0}\u{1b}\u{ffff}東").to_string();
        assert_eq!(text, "&lt;/title&gt;&quot;&apos;&amp;\u{fffd}\u{fffd}\u{fffd}東");
        assert_eq!(Marked("<b>x</b>\u{8}").to_string(), "<b>x</b>\u{fffd}");
    }
}
