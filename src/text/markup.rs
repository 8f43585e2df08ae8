//! How a page is marked up, as its mime type says it.

/// How text is marked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Markup {
    /// HTML, also as XML.
    Html,
    /// Markdown.
    Markdown,
    /// None: the text stands for itself.
    Text,
}

impl Markup {
    /// Returns the markup of a mime type, with or without parameters; `None` for what is no text.
    pub fn of_mime(mime: &str) -> Option<Self> {
        let essence = essence(mime).to_ascii_lowercase();
        match essence.as_str() {
            "text/html" | "application/xhtml+xml" => Some(Self::Html),
            "text/markdown" | "text/x-markdown" => Some(Self::Markdown),
            "application/json" | "application/xml" | "application/javascript" | "application/ecmascript" => {
                Some(Self::Text)
            }
            text if text.starts_with("text/") || text.ends_with("+xml") || text.ends_with("+json") => {
                Some(Self::Text)
            }
            _ => None,
        }
    }
}

/// Returns a mime type without its parameters, in letters as it came.
pub fn essence(mime: &str) -> &str {
    mime.split(';').next().unwrap_or_default().trim()
}

/// Returns the `charset` parameter of a mime type.
pub fn charset_of_mime(mime: &str) -> Option<&str> {
    mime.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_say_how_text_is_marked_up() {
        assert_eq!(Markup::of_mime("text/html; charset=windows-1252"), Some(Markup::Html));
        assert_eq!(Markup::of_mime("Text/Markdown"), Some(Markup::Markdown));
        assert_eq!(Markup::of_mime("image/svg+xml"), Some(Markup::Text));
        assert_eq!(Markup::of_mime("image/png"), None);
        assert_eq!(Markup::of_mime(""), None);
        assert_eq!(charset_of_mime("text/html; x=y; Charset=\"koi8-r\""), Some("koi8-r"));
        assert_eq!(charset_of_mime("text/html"), None);
    }
}
