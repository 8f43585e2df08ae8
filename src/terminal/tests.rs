use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;

use super::*;
use crate::text::tests::any_page;

fn plain(html: &str, width: usize) -> String {
    render_html(html, &RenderOptions { width, ..RenderOptions::default() })
}

fn styled(html: &str) -> String {
    render_html(html, &RenderOptions { style: true, ..RenderOptions::default() })
}

#[test]
fn a_page_is_headings_paragraphs_and_links() {
    let html = "<title>no</title><h1>Head</h1><p>Some <b>bold</b> and <a href='t.html'>linked</a> text, \
        <a href='#x'>here</a>, <a href='t.html'>again</a> and <a href='u'>u</a>.<h2>Two</h2><h3>Three</h3>x<hr>y";
    let expected = "Head\n====\n\nSome bold and linked[1] text, here,\nagain[1] and u.\n\nTwo\n---\n\n### Three\n\nx\n\n\
        ────────────────────────────────────────\n\ny\n\nLinks\n[1] t.html\n";
    assert_eq!(plain(html, 40), expected);
    assert_eq!(
        render_html(html, &RenderOptions { links: false, ..RenderOptions::default() }).matches('[').count(),
        0
    );
}

#[test]
fn styles_end_on_their_line() {
    assert_eq!(
        styled("<h1>A</h1><p>b <b>c <i>d</i></b> e"),
        "\x1b[0;1;4mA\x1b[0m\n\nb \x1b[0;1mc \x1b[0;1;3md\x1b[0m e\n"
    );
    let html = format!("<b>{}</b>", "word ".repeat(100));
    for line in styled(&html).lines() {
        assert!(line.starts_with("\x1b[0;1m") && line.ends_with("\x1b[0m"), "{line:?}");
    }
}

#[test]
fn lists_nest_and_count() {
    let html = "<ul><li>a<li>b<ol start=9><li>c c c c c c c c c c<li value=100>d</ol><li><ul><li>e</ul></ul>\
        <ol type=i><li>x<li>y</ol><dl><dt>t<dd>d<dd><p>e</dl><ol start=12345><li>z</ol>";
    let expected = "  • a\n  • b\n     9. c c c c c c\n        c c c c\n   100. d\n      ◦ e\n\n i. x\nii. y\n\nt\n    d\n    e\n\n\
        12345. z\n";
    assert_eq!(plain(html, 20), expected);
}

#[test]
fn quotations_and_code_keep_their_form() {
    let html =
        "<blockquote><p>a<p>b<blockquote>c</blockquote></blockquote><pre>\nif x:\n\ty   z\n\n  end\n</pre>";
    assert_eq!(plain(html, 20), "│ a\n│\n│ b\n│\n│ │ c\n\n    if x:\n            y   z\n\n      end\n");
    // Outside of tables, lines of code stay whole.
    let long = "x".repeat(100);
    assert_eq!(plain(&format!("<pre>{long}</pre>"), 20), format!("    {long}\n"));
}

#[test]
fn pictures_say_what_they_are() {
    let html = "<figure><img src='a/b.png?x' alt='A map'><figcaption>Of it</figcaption></figure><img src='c/d.png'><img alt='' src=e>\
        <img src='data:x'><img alt='{\\displaystyle x^{2}}' src=f>";
    assert_eq!(plain(html, 80), "[image: A map]\nOf it\n\n[image: d.png][image]x^{2}\n");
}

#[test]
fn small_things_of_text() {
    assert_eq!(
        plain("x<sup>2</sup> H<sub>2</sub>O x<sup>-1</sup> 1<sup>st</sup> <q>q</q>", 80),
        "x² H₂O x⁻¹ 1st “q”\n"
    );
    assert_eq!(plain("a&nbsp;b c&shy;d e<wbr>f", 80), "a b cd ef\n");
    assert_eq!(plain("aaaaaaaaaaaa<wbr>bbbbbbbbbbbb", 20), "aaaaaaaaaaaa\nbbbbbbbbbbbb\n");
    assert_eq!(plain("aaaaaaaaaaaa&nbsp;bbbbbbbbbbbb c", 20), "aaaaaaaaaaaa bbbbbbb\nbbbbb c\n");
}

const RIVERS: &str = "<table><caption>Rivers</caption><tr><th>Name<th>长度 (km)<th>Remark\
    <tr><td>Nile<td>6,650<td>Flows north through eleven countries to the Mediterranean Sea\
    <tr><td>长江<td>6,300<td>亚洲第一长河，发源于青藏高原的唐古拉山脉，注入东海<tr><td colspan=2>Others<td>many</table>";

#[test]
fn tables_fit_80_columns() {
    let expected = "\
Rivers
Name │ 长度 (km) │ Remark
─────┼───────────┼──────────────────────────────────────────────────────────────
Nile │     6,650 │ Flows north through eleven countries to the Mediterranean Sea
长江 │     6,300 │ 亚洲第一长河，发源于青藏高原的唐古拉山脉，注入东海
Others           │ many
";
    assert_eq!(plain(RIVERS, 80), expected);
}

#[test]
fn tables_fit_40_columns() {
    let expected = "\
Rivers
Name │ 长度 (km) │ Remark
─────┼───────────┼──────────────────────
Nile │     6,650 │ Flows north through
     │           │ eleven countries to
     │           │ the Mediterranean Sea
─────┼───────────┼──────────────────────
长江 │     6,300 │ 亚洲第一长河，发源于
     │           │ 青藏高原的唐古拉山
     │           │ 脉，注入东海
─────┼───────────┼──────────────────────
Others           │ many
";
    assert_eq!(plain(RIVERS, 40), expected);
}

#[test]
fn a_table_that_does_not_fit_becomes_records() {
    let head: String = (0..12).map(|i| format!("<th>Column {i}")).collect();
    let row: String = (0..12).map(|i| format!("<td>value-number-{i}")).collect();
    let html = format!("<table><tr>{head}<tr>{row}<tr>{row}</table>");
    let text = plain(&html, 40);
    assert!(
        text.starts_with("value-number-0\n  Column 1: value-number-1\n  Column 2: value-number-2\n"),
        "{text}"
    );
    assert!(text.contains("  Column 11: value-number-11\n\nvalue-number-0\n"), "{text}");
}

#[test]
fn cells_span_rows_and_columns() {
    let html = "<table border=1><tr><td rowspan=2>a<td>b<tr><td>c<tr><td colspan=9>wide cell here<tr><td rowspan=99>d<td>e</table>";
    assert_eq!(plain(html, 40), "a      │ b\n       │ c\nwide cell here\nd      │ e\n");
}

#[test]
fn tables_that_only_place_things_are_not_drawn() {
    assert_eq!(plain("<table><tr><td><p>a<p>b<tr><td>c</table>d", 40), "a\n\nb\n\nc\n\nd\n");
    assert_eq!(plain("x<table><tr><td></table>y", 40), "x\n\ny\n");
    // Tables deeper than three become lines.
    let deep = "<table><tr><td>a<td>".repeat(5) + "z";
    assert_eq!(plain(&deep, 80), "a  a  a  a ·\n\n         a · z\n");
}

#[test]
fn text_and_markdown_pages() {
    let options = RenderOptions { width: 20, ..RenderOptions::default() };
    assert_eq!(
        render_text("Title\n\n  kept   as is\na line that is too long for this\n\u{1b}[2J", &options),
        "Title\n\n  kept   as is\na line that is too\nlong for this\n\\u{1b}[2J\n"
    );
    assert_eq!(
        render_markdown("---\ntitle: no\n---\n# A\n\n* b\n* [c](d)\n", &options),
        "A\n=\n\n  • b\n  • c[1]\n\nLinks\n[1] d\n"
    );
}

#[test]
fn control_characters_do_not_get_through() {
    let html = "<p>a\u{1b}]0;x\u{7}b&#27;[2Jc\u{202e}d&#x9b;e<a href='x\u{1b}[0m'>l</a><img alt='\u{1b}' src=x><pre>\r\u{8}\u{9b}</pre>\
        <table><tr><th>\u{1b}<th>b<tr><td>\u{7f}<td>\u{1b}</table>";
    for text in [plain(html, 30), plain(html, 80), styled(html)] {
        assert_clean(&text);
        assert!(text.contains("\\u{1b}]0;x\\u{7}b\\u{1b}"), "{text}");
    }
}

/// Fails on anything that a terminal obeys other than line feeds and our own styles.
fn assert_clean(text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        let end = rest[at..].find('m').expect("a style ends") + at;
        let codes = rest[at..end].strip_prefix("\u{1b}[0").expect("a style of ours");
        assert!(
            codes.is_empty()
                || codes.split(';').skip(1).all(|code| ["1", "2", "3", "4", "9"].contains(&code)),
            "{codes:?}"
        );
        assert_eq!(sanitize(&rest[..at], Keep::Newline), rest[..at]);
        rest = &rest[end + 1..];
    }
    assert_eq!(sanitize(rest, Keep::Newline), rest);
}

#[test]
fn hostile_pages_end_soon() {
    let n = 100_000;
    for html in [
        "<div>".repeat(n) + "x",
        "<ul><li>".repeat(n) + "x",
        "<ol><li>x".repeat(n),
        "<blockquote>".repeat(n) + "x",
        "<table><tr><td>x<td>".repeat(n) + "x",
        "<table>".to_owned() + &"<tr><td colspan=1000>x".repeat(n),
        "<table>".to_owned() + &"<td rowspan=65534>x".repeat(n),
        "<table><tr>".to_owned() + &"<td rowspan=65534>x".repeat(90) + &"<tr><td>y".repeat(n / 10),
        "<a href=x>".repeat(n) + "x",
        "<a name=x>x".repeat(n),
        "<b>x<sup>".repeat(n),
        "x".repeat(5_000_000),
        "漢".repeat(1_000_000),
        "a\u{301}".repeat(n),
        "x ".repeat(2_500_000),
        "<pre>".to_owned() + &"\t".repeat(n),
    ] {
        // In quadratic time this would take hours: no clock is needed to notice.
        let text = plain(&html, 80);
        assert!(text.len() < html.len() * 20 + 1000, "{:?}: {}", html.get(..30), text.len());
    }
}

proptest! {
    #[test]
    fn no_page_gets_through_or_breaks_out(html in any_page(), other in any::<String>(), width in 0usize..130) {
        for html in [&html, &other] {
            let options = RenderOptions { width, ..RenderOptions::default() };
            let text = render_html(html, &options);
            assert_eq!(sanitize(&text, Keep::Newline), &*text);
            let has_pre = ["<pre", "<listing", "<xmp", "<plaintext"].iter().any(|tag| html.contains(tag));
            for line in text.lines().filter(|_| !has_pre) {
                assert!(line.width() <= width.max(20), "{} > {width}: {line:?}", line.width());
            }
            assert_clean(&render_html(html, &RenderOptions { style: true, ..options }));
            assert_clean(&render_markdown(html, &RenderOptions { style: true, ..options }));
            let text = render_text(html, &options);
            assert_clean(&text);
            for line in text.lines() {
                assert!(line.width() <= width.max(20), "{line:?}");
            }
        }
    }

    /// Styles change how text looks, not where it stands.
    #[test]
    fn styled_text_is_the_plain_text(html in "[a-z <>/]{0,40}(<b>|<i>|</b>|<a href=x>|</a>|<td>|<table>|[a-z 漢]{0,20}){0,20}") {
        let mut text = styled(&html);
        while let Some(at) = text.find('\u{1b}') {
            let end = text[at..].find('m').expect("a style ends") + at;
            text.replace_range(at..=end, "");
        }
        let trimmed: Vec<_> = text.lines().map(str::trim_end).collect();
        let plain = plain(&html, 80);
        prop_assert_eq!(trimmed, plain.lines().collect::<Vec<_>>());
    }
}
