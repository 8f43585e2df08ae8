//! XML that a browser shows as a document of its own: drawings, feeds.

use super::events::places;
use super::points::{is_external, is_link};
use super::raw_tags::is_space;

/// The longest name of a namespace that is looked at, in bytes.
const MAX_NAME: usize = 256;

/// Returns true for a mime type, in small letters and without parameters, that browsers take for XML.
pub fn is_xml(essence: &str) -> bool {
    matches!(essence, "text/xml" | "application/xml" | "text/xsl" | "text/rdf") || essence.ends_with("+xml")
}

/// Returns true if a document of XML in UTF-8 may become elements of HTML, which open connections though a
/// policy forbids what they ask for.
///
/// The document is not parsed: what surely has none is told from the rest. The namespace that such elements
/// need can be written out, put together of entities, or be a default of the document type; a style sheet can
/// make them of anything.
pub fn may_hold_html(xml: &str) -> bool {
    let xml = xml.as_bytes();
    const WORDS: [&[u8]; 3] = [b"xhtml", b"<?xml-stylesheet", b"<!ATTLIST"];
    WORDS.iter().any(|word| places(xml, word).next().is_some())
        || !places(xml, ENTITY).all(|at| is_plain_entity(&xml[at + ENTITY.len()..]))
        || places(xml, b"xmlns").any(|at| {
            // Behind it may stand the prefix that it is for.
            let name = xml[at..].iter().take(MAX_NAME).take_while(|b| !is_space(**b) && **b != b'=').count();
            name == MAX_NAME || value(&xml[at + name..]).is_some_and(|value| !is_plain_or_entity(value))
        })
}

const ENTITY: &[u8] = b"<!ENTITY";

/// Returns true for an entity that stands for a text, as drawing programs have them for namespaces: it is
/// made of nothing else.
fn is_plain_entity(rest: &[u8]) -> bool {
    let rest = rest.trim_ascii_start();
    let name = rest.iter().take(MAX_NAME).take_while(|b| !is_space(**b)).count();
    let is_name = rest[..name].iter().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(b));
    is_name
        && quoted(rest[name..].trim_ascii_start())
            .is_some_and(|value| !value.iter().any(|b| matches!(b, b'&' | b'%' | b'<')))
}

/// Returns true for a value without a reference, or that is one entity.
fn is_plain_or_entity(value: &[u8]) -> bool {
    let name = value.strip_prefix(b"&").and_then(|value| value.strip_suffix(b";"));
    match name {
        Some(name) => !name.iter().any(|b| matches!(b, b'&' | b'#' | b';')),
        None => !value.contains(&b'&'),
    }
}

/// Returns true if a style sheet in a document of XML may fetch something: only what surely does not is told
/// from the rest, since its letters can be written in three ways.
pub fn may_fetch_styles(xml: &[u8]) -> bool {
    let has_styles = [&b"<style"[..], b":style"].iter().any(|word| places(xml, word).next().is_some());
    has_styles && xml.iter().any(|byte| matches!(byte, b'@' | b'\\' | b'&'))
}

/// Returns true if a document of XML has a link that leads to another host, or that may change.
pub fn has_link_out(xml: &[u8]) -> bool {
    let values = |word: &'static [u8]| places(xml, word).filter_map(move |at| value(&xml[at + word.len()..]));
    values(b"href").any(|value| is_external(value) || !is_plain_or_entity(value) || value.starts_with(b"&"))
        || values(b"attributeName").any(|value| is_link(value) || value.contains(&b'&'))
}

/// Returns the value of an attribute of which what stands behind its name is given.
fn value(rest: &[u8]) -> Option<&[u8]> {
    quoted(rest.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start())
}

/// Returns what stands between quotes, of which the first begins.
fn quoted(rest: &[u8]) -> Option<&[u8]> {
    let (quote, rest) = rest.split_first().filter(|(quote, _)| matches!(quote, b'"' | b'\''))?;
    rest.split(|byte| byte == quote).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn svg(inner: &str) -> String {
        format!("<svg xmlns=\"http://www.w3.org/2000/svg\" {inner}</svg>")
    }

    #[test]
    fn drawings_are_told_from_documents_that_may_hold_html() {
        for plain in [
            svg("><a xlink:href='x.svg'><circle/></a>"),
            svg("xmlns:xlink = 'http://www.w3.org/1999/xlink'><style>a{}</style>"),
            format!("<?xml version='1.0' encoding='ISO-8859-1'?>{}", svg(">x")),
            "<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'x.dtd'><svg/>".to_owned(),
            format!(
                "<!DOCTYPE svg [\n<!ENTITY ns_svg \"http://www.w3.org/2000/svg\">]>{}",
                svg("xmlns:i='&ns_ai;'>")
            ),
            "<rss>encoding and xmlns & more</rss>".to_owned(),
            String::new(),
        ] {
            assert!(!may_hold_html(&plain), "{plain}");
        }
        for other in [
            svg("><h:link xmlns:h='http://www.w3.org/1999/xhtml' rel='preconnect' href='//e'/>"),
            svg("><link xmlns='http://www.w3.org/1999/x&#104;tml' rel='preconnect' href='//e'/>"),
            svg("><link xmlns\n=\n\"http://www.w3.org/1999/x&#104;tml\" rel='preconnect' href='//e'/>"),
            svg("xmlns:h='&a;&b;'>"),
            svg("xmlns:h='&#104;'>"),
            svg("xmlns:h='x&a;'>"),
            "<!DOCTYPE svg [<!ENTITY a 'x&#104;tml'>]><svg/>".to_owned(),
            "<!DOCTYPE svg [<!ENTITY a '<b/>'>]><svg/>".to_owned(),
            "<!DOCTYPE svg [<!ENTITY % a 'b'>]><svg/>".to_owned(),
            "<!DOCTYPE svg [<!ENTITY a SYSTEM 'b'>]><svg/>".to_owned(),
            "<!DOCTYPE svg [<!ATTLIST link xmlns CDATA 'x'>]><svg/>".to_owned(),
            "<?xml-stylesheet type='text/xml' href='#s'?><svg/>".to_owned(),
            format!("<svg {}='&a;'/>", "xmlns".repeat(100)),
        ] {
            assert!(may_hold_html(&other), "{other}");
        }
    }

    #[test]
    fn links_out_of_a_drawing_are_found() {
        for (svg, leads) in [
            ("<a xlink:href='http://e/'/>", true),
            ("<a href = \"&#104;ttp://e/\"/>", true),
            ("<a href='//e'/>", true),
            ("<a href='&e;'/>", true),
            ("<a><set attributeName='href' to='http://e'/></a>", true),
            ("<a><set attributeName='xlink:href' to='http://e'/></a>", true),
            ("<a><set attributeName='hr&#101;f' to='http://e'/></a>", true),
            ("<set attributeName='x' to='1'/>", false),
            ("<a href='x.svg#y'/>", false),
            ("<use xlink:href=\"#a\"/>a href of http://e", false),
        ] {
            assert_eq!(has_link_out(svg.as_bytes()), leads, "{svg}");
        }
    }

    #[test]
    fn styles_that_may_fetch_are_found() {
        for (svg, may) in [
            ("<style>@import url(http://e)</style>", true),
            ("<svg:style>&#64;import url(http://e)</svg:style>", true),
            ("<style>\\40 import</style>", true),
            ("<style>a { fill: red }</style>", false),
            ("<text style='font-style:normal'>a@b &amp;</text>", false),
        ] {
            assert_eq!(may_fetch_styles(svg.as_bytes()), may, "{svg}");
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
