//! A page of an archive with our bar in it.
//!
//! The page is not taken apart: what is added or changed has a place in it ([`points`]), and all else
//! is copied as it is.

use std::borrow::Cow;

use super::bar;
use super::changes::{Change, changed};
use crate::server::assets::Assets;
use crate::server::url;
use crate::server::words::Words;
use crate::text::{HeadingAt, Points, points};

/// What a page is shown in.
pub struct Frame<'a> {
    /// The words of the interface.
    pub words: &'a Words,
    /// The files that the bar needs.
    pub assets: &'a Assets,
    /// What stands before every path of the server.
    pub root: &'a str,
    /// The archive's name.
    pub archive: &'a str,
    /// The archive's title.
    pub archive_title: &'a str,
    /// The entry's path.
    pub path: &'a str,
    /// The entry's title.
    pub title: &'a str,
    /// True if links to other hosts lead to a page of ours first.
    pub block_external: bool,
    /// True if scripts of the page may run.
    pub scripts: bool,
    /// False for a page inside of another one, where a second bar would be in the way.
    pub has_bar: bool,
}

/// A page as it is shown.
pub struct Shown {
    /// The page.
    pub html: String,
    /// True if it says in what language it is.
    pub says_language: bool,
}

/// A line of the contents.
pub struct Line {
    /// 1 to 6, of which only the differences count.
    pub level: u8,
    /// The fragment that leads there, as it is written in an attribute.
    pub id: String,
    /// Its text, escaped.
    pub html: String,
}

/// The most changes to a page: more addresses than this have no people's pages, and each makes the page
/// longer.
const MAX_CHANGES: usize = 20_000;

/// The most addresses of one list that are changed.
const MAX_LIST: usize = 64;

/// Returns an HTML page as it is shown; nothing if more in it would have to be changed than people write.
pub fn compose(html: &str, is_xml: bool, frame: &Frame<'_>) -> Option<Shown> {
    let found = points(html.as_bytes(), is_xml);
    if found.is_overfull && !frame.scripts {
        return None;
    }
    Some(Shown { html: composed(html, &found, frame), says_language: found.language.is_some() })
}

fn composed(html: &str, found: &Points, frame: &Frame<'_>) -> String {
    let html = &html[..found.end];
    let mut changes: Vec<Change> = vec![];
    let lines = contents(html, found, &mut changes);
    addresses(html, found, frame, &mut changes);
    for place in found.styles.iter().take(MAX_CHANGES) {
        if let Some(new) = style_sheet(&html[place.clone()], frame.root, frame.archive) {
            changes.push(Change::new(place.clone(), new));
        }
    }
    if !frame.scripts {
        for action in &found.actions {
            changes.push(Change::guard(action.clone(), "x-off"));
        }
        for name in &found.hidden {
            // No value is taken away: what it hides from other readings would come out.
            changes.push(Change::guard(*name..*name, "x-"));
        }
        for page in &found.inner_pages {
            // An empty page, also where no quotes stand round it; and not the one that the frame would show
            // without this attribute.
            changes.push(Change::guard(page.clone(), "&#32;"));
        }
    }
    for (at, name) in &found.self_closed {
        changes.push(Change::new(*at..at + 2, format!("></{}>", &html[name.clone()])));
    }
    // A set of frames has no body, and no room for a bar.
    if found.is_frameset || !frame.has_bar {
        return changed(html, changes, 0);
    }
    let head = bar::head(found, frame);
    let bar = bar::bar(frame, &lines);
    match (found.head, found.body, found.content) {
        (Some(at), Some(body), _) if at <= body => {
            changes.push(Change::new(at..at, head));
            changes.push(Change::new(body..body, bar));
        }
        (Some(at), None, Some(content)) if at <= content => {
            changes.push(Change::new(at..at, head));
            changes.push(Change::new(content..content, bar));
        }
        (_, place, content) => {
            let at = place.or(content).unwrap_or(html.len());
            changes.push(Change::new(at..at, head + &bar));
        }
    }
    changed(html, changes, head_len(&lines))
}

/// What a page grows by, about.
fn head_len(lines: &[Line]) -> usize {
    8192 + lines.len() * 96
}

/// Returns the contents of a page, and gives names to headings that have none.
fn contents(html: &str, found: &Points, changes: &mut Vec<Change>) -> Vec<Line> {
    let mut lines = Vec::with_capacity(found.headings.len());
    for (i, HeadingAt { level, attributes, id, content }) in found.headings.iter().enumerate() {
        let text = without_tags(&html[content.clone()]);
        if text.trim().is_empty() {
            continue;
        }
        let id = match id {
            Some(id) if !id.is_empty() => html[id.clone()].replace('"', "&quot;"),
            Some(_) => continue,
            None => {
                let id = format!("tome-section-{i}");
                changes.push(Change::new(*attributes..*attributes, format!(" id=\"{id}\"")));
                id
            }
        };
        lines.push(Line { level: *level, id, html: text });
    }
    lines
}

/// Returns a piece of HTML without its tags; its references stay as they are.
fn without_tags(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        let tag = &rest[at..];
        let is_tag =
            tag.as_bytes().get(1).is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'/' | b'!' | b'?'));
        match tag.find('>') {
            Some(end) if is_tag => rest = &tag[end + 1..],
            _ => {
                out.push_str("&lt;");
                rest = &tag[1..];
            }
        }
    }
    out.push_str(rest);
    out.replace('>', "&gt;").split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// Leads addresses from the root to the archive's own, and those to elsewhere where they may go.
fn addresses(html: &str, found: &Points, frame: &Frame<'_>, changes: &mut Vec<Change>) {
    let own = format!("{}/a/{}", frame.root, url::path(frame.archive));
    for (i, address) in found.addresses.iter().enumerate() {
        let value = address.value.clone();
        if address.is_external && address.connects {
            // The policy forbids the request, but a connection tells who is there. A form that led to our page
            // of links out would lose what was written into it, and one to about:blank the page: the policy
            // forbids this one, too, and all stays as it is.
            changes.push(Change::guard(value, if address.is_sent { "data:," } else { "about:blank" }));
            continue;
        }
        let written = &html[value.clone()];
        if address.is_external && address.is_link && frame.block_external {
            let to = format!("{}/external?to={}", frame.root, url::value(unescape(written).trim()));
            changes.push(Change::guard(value, to));
            continue;
        }
        if i >= MAX_CHANGES {
            continue;
        }
        if address.is_list {
            if let Some(list) = address_list(written, &own) {
                changes.push(Change::new(value, list));
            }
        } else if !address.is_external {
            changes.push(Change::new(value, one_address(written, &own)));
        }
    }
}

/// Returns a list of addresses, as in `srcset`, with each led from the root to the archive's own; nothing if
/// it is too long. An address ends at white space, and a comma within it is its own.
fn address_list(written: &str, own: &str) -> Option<String> {
    let is_space = |letter: char| letter.is_ascii_whitespace();
    let mut out = String::with_capacity(written.len());
    let mut rest = written;
    for _ in 0..MAX_LIST {
        let start = rest.find(|letter| !is_space(letter) && letter != ',').unwrap_or(rest.len());
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        if rest.is_empty() {
            return Some(out);
        }
        let (address, more) = rest.split_at(rest.find(is_space).unwrap_or(rest.len()));
        out.push_str(&one_address(address, own));
        rest = more;
        if !address.ends_with(',') {
            // How wide or dense a picture is, up to a comma that stands in no brackets.
            let mut depth = 0_usize;
            let end = rest.find(|letter| {
                match letter {
                    '(' => depth = 1,
                    ')' => depth = 0,
                    _ => {}
                }
                letter == ',' && depth == 0
            });
            let (told, more) = rest.split_at(end.unwrap_or(rest.len()));
            out.push_str(told);
            rest = more;
        }
    }
    None
}

/// Returns an address of a list, led from the root to the archive's own.
fn one_address<'a>(written: &'a str, own: &str) -> Cow<'a, str> {
    let address = written.trim_start();
    let mut letters = address.chars();
    match (letters.next(), letters.next()) {
        (Some('/' | '\\'), Some('/' | '\\')) => Cow::Borrowed(written),
        (Some('/' | '\\'), _) => {
            Cow::Owned(format!("{}{own}/{}", &written[..written.len() - address.len()], &address[1..]))
        }
        _ => Cow::Borrowed(written),
    }
}

/// Returns an attribute's value with its references decoded.
fn unescape(written: &str) -> Cow<'_, str> {
    match crate::text::attribute_value(written.as_bytes()) {
        Cow::Borrowed(_) => Cow::Borrowed(written),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// Returns a style sheet with its addresses from the root led to the archive's own; nothing if it has none.
/// In an attribute it stays as it is written, references and all: what is put in means itself anywhere.
pub fn style_sheet(css: &str, root: &str, archive: &str) -> Option<String> {
    if !css.contains(['(', '@']) {
        return None;
    }
    let lower = css.to_ascii_lowercase();
    let mut starts: Vec<usize> = ["url(", "@import"]
        .iter()
        .flat_map(|word| lower.match_indices(word).map(|(i, w)| i + w.len()))
        .collect();
    if starts.is_empty() {
        return None;
    }
    starts.sort_unstable();
    // A parenthesis would end an address without quotes.
    let own = format!("{root}/a/{}", url::path(archive)).replace('(', "%28").replace(')', "%29");
    let mut out = String::new();
    let mut at = 0;
    for start in starts {
        let rest = &css[start..];
        let skipped = rest.len() - without_quotes(rest).len();
        let place = start + skipped;
        let address = &css[place..];
        if place >= at && address.starts_with('/') && !address.starts_with("//") && !address.starts_with("/*")
        {
            out.push_str(&css[at..place]);
            out.push_str(&own);
            at = place;
        }
    }
    if at == 0 {
        return None;
    }
    out.push_str(&css[at..]);
    Some(out)
}

/// Takes away what may stand before an address in a style sheet, which may be within an attribute.
fn without_quotes(css: &str) -> &str {
    let css = css.trim_start_matches([' ', '\t', '\n', '\r', '"', '\'']);
    let references = ["&quot;", "&#34;", "&#39;", "&apos;"];
    references.iter().find_map(|quote| css.strip_prefix(quote)).unwrap_or(css)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::server::words::ENGLISH;

    fn frame() -> Frame<'static> {
        static ASSETS: LazyLock<Assets> = LazyLock::new(|| Assets::new("/w"));
        Frame {
            words: &ENGLISH,
            assets: &ASSETS,
            root: "/w",
            archive: "my docs",
            archive_title: "My docs",
            path: "dir/page.html",
            title: "Page",
            block_external: false,
            scripts: false,
            has_bar: true,
        }
    }

    fn composed(html: &str) -> String {
        compose(html, false, &frame()).unwrap().html
    }

    #[test]
    fn the_bar_stands_at_the_start_of_the_body_and_all_else_stays() {
        let html = "<!doctype html><html><head><title>T</title></head><body class=x><p>one</p></body></html>";
        let shown = composed(html);
        let bar = shown.find("<div id=\"tome-bar").unwrap();
        assert!(shown.find("<body class=x>").unwrap() < bar && bar < shown.find("<p>one</p>").unwrap());
        assert!(shown.find("<head>").unwrap() < shown.find("<style").unwrap());
        for html in ["<p>one", "one", "", "<title>x</title>one", "<head><p>one"] {
            let shown = composed(html);
            assert!(shown.contains("<div id=\"tome-bar"), "{html}");
        }
        assert!(compose("<html lang=fr>", false, &frame()).unwrap().says_language);
        assert!(!compose("<p lang=fr>", false, &frame()).unwrap().says_language);
        let frames = "<frameset><frame src=a></frameset>";
        assert_eq!(composed(frames), frames);
        assert!(
            composed("text<frameset>").contains("<div id=\"tome-bar")
                || composed("<p>x<frameset>").contains("<div id=\"tome-bar")
        );
    }

    #[test]
    fn headings_become_contents_and_get_names() {
        let shown =
            composed("<body><h1>A &lt;b> <i>c</i></h1><h2 id='x\"y'>D</h2><h3></h3><h2 id=z>1 < 2</h2>");
        assert!(shown.contains("<h1 id=\"tome-section-0\">"), "{shown}");
        assert!(shown.contains("#tome-section-0") && shown.contains("A &lt;b&gt; c"), "{shown}");
        assert!(shown.contains("#x&quot;y") && shown.contains("1 &lt; 2"), "{shown}");
        assert!(shown.contains("<h3></h3>"));
    }

    #[test]
    fn addresses_from_the_root_stay_in_the_archive() {
        let shown = composed(
            "<body><a href='/css/x'>1</a><img srcset='/a 1x, b 2x'><a href=//e>2</a><a href=y>3</a>",
        );
        assert!(shown.contains("href='/w/a/my%20docs/css/x'"), "{shown}");
        assert!(shown.contains("srcset='/w/a/my%20docs/a 1x, b 2x'"), "{shown}");
        assert!(shown.contains("<a href=//e>") && shown.contains("<a href=y>"));
        assert_eq!(
            style_sheet("@import \"/x.css\"; a { b: url(/y.png) url('z') url(//e) }", "", "n").as_deref(),
            Some("@import \"/a/n/x.css\"; a { b: url(/a/n/y.png) url('z') url(//e) }")
        );
        assert_eq!(style_sheet("a { b: url(x) }", "", "n"), None);
        assert_eq!(style_sheet("a { b: URL(/x) }", "", "n").as_deref(), Some("a { b: URL(/a/n/x) }"));
        assert_eq!(style_sheet("url(/x)", "", "n (1)").as_deref(), Some("url(/a/n%20%281%29/x)"));
    }

    #[test]
    fn links_out_are_blocked_wherever_they_stand_and_however_many() {
        let blocked =
            |html: &str| compose(html, false, &Frame { block_external: true, ..frame() }).unwrap().html;
        let shown = blocked("<svg></svg><a href='http://e/?<link'>x</a>");
        assert!(shown.contains("href='/w/external?to=") && !shown.contains("'http://e"), "{shown}");
        let many = "<a href=/x>y</a>".repeat(100_001);
        let shown = blocked(&format!("{many}<a href='http://e/'>x</a>"));
        assert!(shown.contains("href='/w/external?to=") && !shown.contains("'http://e"));
    }

    #[test]
    fn a_list_of_addresses_is_parted_as_a_browser_does() {
        for (list, led) in [
            ("data:image/jpeg;base64,/9j/4AA= 1x", "data:image/jpeg;base64,/9j/4AA= 1x"),
            ("/a,b 1x,/c 2x", "/o/a,b 1x,/o/c 2x"),
            ("/a, /b 2w (x,/y) , //e/c", "/o/a, /o/b 2w (x,/y) , //e/c"),
            (" ,, ", " ,, "),
        ] {
            assert_eq!(address_list(list, "/o").as_deref(), Some(led), "{list}");
        }
        assert_eq!(address_list(&"/a, ".repeat(65), "/o"), None);
    }

    #[test]
    fn styles_within_a_page_stay_in_the_archive_too() {
        let shown = composed(
            "<style>a { b: url(/x.png) }</style><body><p style='b: url(&quot;/y.png&quot;); c: url(z)'>\
             <p style=b:url(/z)><p style='b: url(//e/x)'><!-- <p style='url(/c)'> -->",
        );
        let own = "/w/a/my%20docs";
        assert!(shown.contains(&format!("<style>a {{ b: url({own}/x.png) }}</style>")), "{shown}");
        assert!(shown.contains(&format!("style='b: url(&quot;{own}/y.png&quot;); c: url(z)'")), "{shown}");
        assert!(shown.contains(&format!("<p style=b:url({own}/z)>")), "{shown}");
        assert!(shown.contains("url(//e/x)") && shown.contains("url(/c)"), "{shown}");
    }

    #[test]
    fn ways_out_lead_to_a_page_of_ours_where_they_are_blocked() {
        let frame = Frame { block_external: true, ..frame() };
        let html = "<body><a href='https://e/?a=1&amp;b=&quot;'>1</a><link rel=preconnect href=//e><iframe src=//f></iframe>";
        let shown = compose(html, false, &frame).unwrap().html;
        assert!(shown.contains("href='/w/external?to=https%3A%2F%2Fe%2F%3Fa%3D1%26b%3D%22'"), "{shown}");
        assert!(shown.contains("<link rel=preconnect href=about:blank><iframe src=about:blank>"), "{shown}");
    }

    #[test]
    fn forms_and_pages_within_a_page_do_not_connect() {
        let shown = composed(
            "<body><form action=http://e/x><button formaction='//e'></form><form action=/y>\
             <iframe srcdoc=a<link></iframe><iframe srcdoc='<p>b'></iframe><a href=//e referrerpolicy=origin>",
        );
        assert!(shown.contains("<form action=data:,><button formaction='data:,'>"), "{shown}");
        assert!(shown.contains("<form action=/w/a/my%20docs/y>"), "{shown}");
        assert!(shown.contains("<iframe srcdoc=&#32;></iframe>"), "{shown}");
        assert!(
            shown.contains("srcdoc='<p>b'") && shown.contains("<a href=//e referrerpolicy=x-off>"),
            "{shown}"
        );
    }

    #[test]
    fn what_would_connect_is_not_hidden_by_what_else_is_changed() {
        for html in [
            "<svg><style><!--</style><a href=\"/--><link rel=preconnect href=//e>\">",
            "<svg><style>a { b: url(/x) } <p><iframe src='//e'></iframe></style></svg>",
            "<noscript><!--</noscript><link rel=preconnect href=//e>--></noscript>",
            &format!("{}<link rel=preconnect href=//e>", "<a href=/x>".repeat(100_001)),
        ] {
            let shown = composed(html);
            let left = shown.replace("<x-link rel=preconnect href=//e", "").replace("<x-iframe src='//e", "");
            assert!(!left.contains("//e"), "{}", &shown[shown.len() - 200..]);
        }
    }

    #[test]
    fn a_page_is_not_set_off_to_elsewhere() {
        let shown = composed("<meta http-equiv=\"refresh\" content=\"0;url=http://evil\"><body>x");
        assert!(shown.contains("<meta http-equiv=\"x-off\""), "{shown}");
    }

    #[test]
    fn a_page_of_xml_is_closed_as_html_needs_it() {
        let shown = compose("<body><a id='x'/><br/>y", true, &frame()).unwrap().html;
        assert!(shown.contains("<a id='x'></a><br/>y"), "{shown}");
    }
}
