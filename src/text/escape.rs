//! Text as HTML.

use std::fmt::Write;

/// Returns text that means itself in HTML: between tags, and in an attribute within double quotes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"']) {
        out.push_str(&rest[..at]);
        let name = match rest.as_bytes()[at] {
            b'&' => "amp",
            b'<' => "lt",
            b'>' => "gt",
            _ => "quot",
        };
        // Writing to a String cannot fail.
        let _ = write!(out, "&{name};");
        rest = &rest[at + 1..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(escape("a <b x=\"y\"> & 'c' é"), "a &lt;b x=&quot;y&quot;&gt; &amp; 'c' é");
        assert_eq!(escape("&amp;"), "&amp;amp;");
        assert_eq!(escape(""), "");
    }
}
