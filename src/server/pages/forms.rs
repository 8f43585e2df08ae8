//! Articles that are no HTML, as pages: Markdown and text.
//!
//! What comes out is a page of the archive like any other: the bar is put in as into those, and the
//! policy keeps scripts in it from running.

use askama::Template;

use super::sheet::words;
use crate::server::url;
use crate::text;

#[derive(Template)]
#[template(path = "article.html", config = "src/server/askama.toml")]
struct Article<'a> {
    lang: Option<&'a str>,
    title: &'a str,
    html: String,
}

/// Returns a Markdown article as a page. HTML in it stays as it is.
pub fn from_markdown(markdown: &str, title: &str, language: Option<&str>) -> String {
    let (front, body) = text::split_front_matter(markdown);
    let title = front.title.as_deref().unwrap_or(title);
    let language = front.lang.as_deref().or(language);
    write(title, language, text::to_html(body))
}

/// Returns a text as a page that shows it as it is, with lines broken where they do not fit.
pub fn from_text(text: &str, title: &str, language: Option<&str>) -> String {
    write(title, language, format!("<div class=\"tome-text\">{}</div>", text::escape(text)))
}

/// Returns a page that shows what is at a path, which is the page's own, as a picture; it fills the frame
/// if it stands in one.
pub fn from_picture(path: &str, title: &str, language: Option<&str>, is_alone: bool) -> String {
    // As a picture it is another answer than as a page.
    let name = path.rsplit('/').next().unwrap_or_default();
    let (name, title_in_it) = (text::escape(&format!("./{}", url::path(name))), text::escape(title));
    let picture = format!("<img src=\"{name}\" alt=\"{title_in_it}\">");
    if is_alone {
        return write(title, language, format!("<p>{picture}</p>"));
    }
    let style = "html, body { margin: 0; height: 100% } img { display: block; width: 100%; height: 100%; object-fit: contain }";
    format!("<!doctype html><meta charset=utf-8><title>{title_in_it}</title><style>{style}</style>{picture}")
}

fn write(title: &str, language: Option<&str>, html: String) -> String {
    let lang = language.or(Some(words().lang)).filter(|lang| !lang.is_empty());
    // Writing to a string does not fail.
    Article { lang, title, html }.render().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_shown_as_it_is() {
        let page = from_text("a <b>\n  & c", "T <i>", Some("de"));
        assert!(page.contains("a &lt;b&gt;\n  &amp; c") && page.contains("lang=\"de\""), "{page}");
        assert!(!page.contains("<i>"), "{page}");
    }

    #[test]
    fn a_picture_has_the_page_s_own_address() {
        let page = from_picture("a/b:c d\"?.svg", "T <i>", None, true);
        assert!(page.contains("src=\"./b:c%20d%22%3F.svg\" alt=\"T &lt;i&gt;\""), "{page}");
        assert!(!page.contains("<i>"), "{page}");
        let framed = from_picture("b.svg", "T <i>", None, false);
        assert!(framed.contains("src=\"./b.svg\"") && !framed.contains("<i>"), "{framed}");
    }

    #[test]
    fn markdown_brings_its_own_title_and_language() {
        let page = from_markdown("---\ntitle: Own\nlang: fr\n---\n# A\n\n|a|\n|-|\n|b|\n", "T", Some("de"));
        assert!(page.contains("<title>Own</title>") && page.contains("lang=\"fr\""), "{page}");
        assert!(page.contains("<h1>A</h1>") && page.contains("<td>b</td>"), "{page}");
    }
}
