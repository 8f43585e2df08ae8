//! An article in other forms than its own: as a page, as plain text, as Markdown.

use super::{Markup, charset, charset_of_mime, escape, from_html, split_front_matter, to_html, to_text};

/// The text of an article, with plain line feeds. It may hold any character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readable {
    /// How it is marked up.
    pub markup: Markup,
    /// The text, markup and all.
    pub text: String,
    /// False if its bytes were in another character set.
    pub is_utf8: bool,
}

impl Readable {
    /// Reads the bytes of an article; nothing if a mime type is not one of text.
    pub fn read(mime: &str, bytes: &[u8]) -> Option<Self> {
        let markup = Markup::of_mime(mime)?;
        let encoding = charset::detect(bytes, charset_of_mime(mime)).encoding;
        let text = encoding.decode_with_bom_removal(bytes).0;
        let text = if text.contains('\r') {
            text.replace("\r\n", "\n").replace('\r', "\n")
        } else {
            text.into_owned()
        };
        Some(Self { markup, text, is_utf8: encoding.name() == "UTF-8" })
    }

    /// Returns it as a page; one that is HTML as it is.
    pub fn into_html(self, title: &str) -> String {
        match self.markup {
            Markup::Html => self.text,
            Markup::Markdown => page(title, &to_html(split_front_matter(&self.text).1)),
            Markup::Text => page(title, &format!("<pre>{}</pre>\n", escape(&self.text))),
        }
    }

    /// Returns it as plain text.
    pub fn into_text(self) -> String {
        match self.markup {
            Markup::Html => to_text(&self.text),
            Markup::Markdown => to_text(&to_html(split_front_matter(&self.text).1)),
            Markup::Text => self.text,
        }
    }

    /// Returns it as Markdown; what is no HTML as it is.
    pub fn into_markdown(self) -> String {
        match self.markup {
            Markup::Html => from_html(&self.text),
            Markup::Markdown | Markup::Text => self.text,
        }
    }
}

fn page(title: &str, body: &str) -> String {
    format!("<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>{}</title>\n{body}", escape(title))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_markup_has_each_form() {
        let read = |mime, bytes: &[u8]| Readable::read(mime, bytes).unwrap();
        let html = read("text/html", b"<h1>A &amp; b</h1>\r\n<p>c <b>d</b>");
        assert_eq!(html.clone().into_html(""), "<h1>A &amp; b</h1>\n<p>c <b>d</b>");
        assert_eq!(html.clone().into_text().trim(), "A & b\n\nc d");
        assert!(html.into_markdown().contains("# A & b"));
        let markdown = read("text/markdown", b"# A\n\n*b*\n");
        assert!(markdown.clone().into_html("<T>").contains("<title>&lt;T&gt;</title>\n<h1>A</h1>"));
        assert_eq!(markdown.clone().into_text().trim(), "A\n\nb");
        assert_eq!(markdown.into_markdown(), "# A\n\n*b*\n");
        let text = read("text/plain", b"a <b>\rc");
        assert!(text.clone().into_html("t").contains("<pre>a &lt;b&gt;\nc</pre>"));
        assert_eq!(text.into_text(), "a <b>\nc");
        assert_eq!(Readable::read("image/png", b""), None);
    }
}
