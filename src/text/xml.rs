//! XML that a browser shows as a document of its own: drawings, feeds.

use super::charset_of_mime;
use super::events::places;
use super::points::is_external;
use super::raw_tags::is_space;

/// Charsets in which letters of ASCII are written as themselves and as nothing else.
const PLAIN: [&str; 8] =
    ["utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-15", "latin1", "windows-1252"];

/// How far into a document it may say its charset, in bytes.
const SAID: usize = 1024;

/// The longest name of a namespace that is looked at, in bytes.
const MAX_NAME: usize = 256;

/// Returns true for a mime type, in small letters and without parameters, that browsers take for XML.
pub fn is_xml(essence: &str) -> bool {
    matches!(essence, "text/xml" | "application/xml" | "text/xsl" | "text/rdf") || essence.ends_with("+xml")
}

/// Returns true if a document of XML may have elements of HTML in it, which open connections though a
/// policy forbids what they ask for. `mime` is its type, with the charset if it says one.
///
/// The document is not parsed: what surely has none is told from the rest. The namespace that such elements
/// need can be written out, put together of entities, or be a default of the document type.
pub fn may_hold_html(mime: &str, xml: &[u8]) -> bool {
    if !charset_of_mime(mime).is_none_or(is_plain) || !is_written_plainly(xml) {
        return true;
    }
    const WORDS: [&[u8]; 3] = [b"xhtml", b"<!ENTITY", b"<!ATTLIST"];
    WORDS.iter().any(|word| places(xml, word).next().is_some())
        || places(xml, b"xmlns").any(|at| {
            // Behind it may stand the prefix that it is for.
            let name = xml[at..].iter().take(MAX_NAME).take_while(|b| !is_space(**b) && **b != b'=').count();
            name == MAX_NAME || value(&xml[at + name..]).is_some_and(|value| value.contains(&b'&'))
        })
}

/// Returns true if a document of XML has a link that leads to another host.
pub fn has_link_out(xml: &[u8]) -> bool {
    places(xml, b"href").any(|at| value(&xml[at + b"href".len()..]).is_some_and(is_external))
}

fn is_plain(charset: &str) -> bool {
    PLAIN.iter().any(|plain| plain.eq_ignore_ascii_case(charset))
}

fn is_written_plainly(xml: &[u8]) -> bool {
    let start = &xml[..xml.len().min(SAID)];
    if start.starts_with(b"\xfe\xff") || start.starts_with(b"\xff\xfe") || start.contains(&0) {
        return false;
    }
    let said = places(start, b"encoding").next().and_then(|at| value(&start[at + b"encoding".len()..]));
    said.is_none_or(|charset| std::str::from_utf8(charset).is_ok_and(is_plain))
}

/// Returns the value of an attribute of which what stands behind its name is given.
fn value(rest: &[u8]) -> Option<&[u8]> {
    let rest = rest.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, rest) = rest.split_first().filter(|(quote, _)| matches!(quote, b'"' | b'\''))?;
    rest.split(|byte| byte == quote).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawings_are_told_from_documents_that_may_hold_html() {
        let svg = |inner: &str| format!("<svg xmlns=\"http://www.w3.org/2000/svg\" {inner}</svg>");
        for plain in [
            svg("><a xlink:href='x.svg'><circle/></a>"),
            svg("xmlns:xlink = 'http://www.w3.org/1999/xlink'><style>a{}</style>"),
            format!("<?xml version='1.0' encoding='ISO-8859-1'?>{}", svg(">é")),
            "<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'x.dtd'><svg/>".to_owned(),
            "<rss>encoding and xmlns & more</rss>".to_owned(),
            String::new(),
        ] {
            assert!(!may_hold_html("image/svg+xml", plain.as_bytes()), "{plain}");
        }
        for other in [
            svg("><h:link xmlns:h='http://www.w3.org/1999/xhtml' rel='preconnect' href='//e'/>"),
            svg("><link xmlns='http://www.w3.org/1999/x&#104;tml' rel='preconnect' href='//e'/>"),
            svg("><link xmlns\n=\n\"http://www.w3.org/1999/x&#104;tml\" rel='preconnect' href='//e'/>"),
            "<!DOCTYPE svg [<!ENTITY a 'xht'><!ENTITY b 'ml'>]><svg/>".to_owned(),
            "<!DOCTYPE svg [<!ATTLIST link xmlns CDATA 'x'>]><svg/>".to_owned(),
            "<?xml version='1.0' encoding='ISO-2022-JP'?><svg/>".to_owned(),
            "\0<\0s\0v\0g\0/\0>".to_owned(),
        ] {
            assert!(may_hold_html("image/svg+xml", other.as_bytes()), "{other}");
        }
        assert!(may_hold_html("image/svg+xml", b"\xff\xfe<\0"));
        assert!(may_hold_html("image/svg+xml; charset=utf-16", b"<svg/>"));
        assert!(!may_hold_html("image/svg+xml; charset=\"UTF-8\"", b"<svg/>"));
    }

    #[test]
    fn links_out_of_a_drawing_are_found() {
        for (svg, leads) in [
            ("<a xlink:href='http://e/'/>", true),
            ("<a href = \"&#104;ttp://e/\"/>", true),
            ("<a href='//e'/>", true),
            ("<a href='x.svg#y'/>", false),
            ("<use xlink:href=\"#a\"/>a href of http://e", false),
        ] {
            assert_eq!(has_link_out(svg.as_bytes()), leads, "{svg}");
        }
    }

    #[test]
    fn types_of_xml_are_known() {
        for xml in
            ["text/xml", "application/xml", "image/svg+xml", "application/atom+xml", "application/xhtml+xml"]
        {
            assert!(is_xml(xml), "{xml}");
        }
        for other in ["text/html", "text/plain", "application/json", "xml", ""] {
            assert!(!is_xml(other), "{other}");
        }
    }
}
