use super::*;

#[test]
fn blocks_become_lines_and_cells_tabs() {
    let html = "<title>T</title><h1>Head</h1><p>one\n two<br>three<p>four\
        <ul><li>a<li>b<ul><li>c</ul></ul><table><tr><th>x<th>y<tr><td>1<td>2</table><pre>\n a\n  b</pre>end";
    assert_eq!(to_text(html), "Head\n\none two\nthree\n\nfour\n\na\nb\nc\n\nx\ty\n1\t2\n\n a\n  b\n\nend");
}

#[test]
fn what_is_not_shown_is_not_text() {
    for html in [
        "<script>if (a </b> b) '</p>'</script>x",
        "<script><!-- <script> x </script> --></script>x",
        "<style>p { }</style>x",
        "<noscript><p>no</p></noscript>x",
        "<template><p>no</p></template>x",
        "<svg><title>no</title><text>no</text></svg>x",
        "<p hidden>no<p>x",
        "<div style='color:red; DISPLAY : none !important'>no<div>no</div></div>x",
        "<span aria-hidden=true>no</span>x",
        "<button>no</button><select><option>no</select><textarea><p>no</textarea>x",
        "<iframe><p>no</iframe>x",
        "<!-- no --><!no><?no?>x<!-- no",
        "<audio>no</audio>x",
    ] {
        assert_eq!(to_text(html), "x", "{html}");
    }
}

#[test]
fn what_leads_round_a_site_is_left_out() {
    let html = "<header><a href=/>Site</a><h1>Name</h1></header><nav>menu</nav><div class='a noprint b'>no</div>\
        <div role=navigation>no</div><main><header>By me</header>text<aside>note</aside><footer>end</footer></main>\
        <aside>no</aside><footer>no</footer>";
    assert_eq!(to_text(html), "Name\n\nBy me\ntext\nnote\nend");
    let all = page(html, Options { chrome: true, hidden: false }).text;
    for word in ["Site", "menu", "no"] {
        assert!(all.contains(word), "{word}");
    }
    assert_eq!(
        to_text("<pre class=line-numbers><span>1</span>\n2</pre><pre><a data-nosnippet>1</a>x</pre>"),
        "x"
    );
    assert_eq!(to_text("<pre class='line-numbers l'><code>x</code></pre>"), "x");
}

#[test]
fn broken_tags_break_nothing() {
    for (html, text) in [
        ("<b>a<i>b</b>c</i>d", "abcd"),
        ("a</p>b", "a\n\nb"),
        ("a</br>b<br/>c<br>d", "a\nb\nc\nd"),
        ("<p>a<div>b</p>c</div>d", "a\n\nb\n\nc\nd"),
        ("<ul><li>a<li>b</div></span>c</ul>d", "a\nbc\n\nd"),
        ("<table><td>a</table></td></tr>b", "a\n\nb"),
        ("<table><tr><td>a</div></b>b<td>c</table>d", "ab\tc\n\nd"),
        ("<div><table><tr><td>a</div>b</table>c", "ab\n\nc"),
        ("a &amp; b &lt;c&gt; &eacute;&#x4e00;&#65; &notit; &bogus; &", "a & b <c> é一A ¬it; &bogus; &"),
        ("a < b <3 <", "a < b <3 <"),
        ("<p", ""),
        ("x<a href='", "x"),
        ("<![CDATA[x]]>y", "y"),
        ("<math><![CDATA[x]]></math>y", "xy"),
        ("<a href=x/>y", "y"),
        ("<DIV HIDDEN>no</DIV>y", "y"),
        ("non\u{a0}breaking soft\u{ad}hyphen", "non breaking softhyphen"),
        ("a<title>t</title>b", "ab"),
        ("\u{feff}a", "a"),
    ] {
        assert_eq!(to_text(html), text, "{html}");
    }
}

#[test]
fn pages_in_xml_mean_their_slashes() {
    let html = "<?xml version='1.0'?><html><head><title/><script src='x'/></head><body><a id='p1'/>text</body></html>";
    assert_eq!(to_text(html), "text");
    assert_eq!(to_text("<?xml version='1.0'?><p><![CDATA[a < b]]></p>"), "a < b");
}

#[test]
fn titles_are_read_and_no_more() {
    assert_eq!(title("<title>A &amp;\n B</title>").as_deref(), Some("A & B"));
    assert_eq!(
        title("<svg><title>no</title></svg><title>yes</title><title>no</title>").as_deref(),
        Some("yes")
    );
    assert_eq!(title("<p>text</p>"), None);
    assert_eq!(title("<title> </title>x"), None);
    assert_eq!(title("<title>open"), Some("open".into()));
    let long = format!("<title>t</title>{}", "<b>x</b>".repeat(2_000_000));
    assert_eq!(title(&long).as_deref(), Some("t"));
}

#[test]
fn headings_have_levels_places_and_text() {
    let html = "<h1>One <i>two</i></h1><p>x<h2 id=a>A</h2><h3><a name=b></a>B<br>b</h3><h4></h4><h2>C";
    let page = page(html, Options::default());
    let found: Vec<_> = page.headings.iter().map(|h| (h.level, h.id.as_deref(), &*h.text)).collect();
    assert_eq!(found, [(1, None, "One two"), (2, Some("a"), "A"), (3, Some("b"), "B b"), (2, None, "C")]);
    for heading in &page.headings {
        assert!(page.text[heading.at..].starts_with(&heading.text[..1]), "{heading:?}");
    }
}

#[test]
fn links_have_targets_and_words() {
    let html = "<nav><a href='m'>menu</a></nav><a href=' a b?x=1&amp;y=2 '>one\n <b>two</b></a><a name=n>no</a>\
        <a href=i><img alt='pic' src=x></a><a href=u>open<p>still</p>";
    let found: Vec<_> = links(html).into_iter().map(|link| (link.href, link.text)).collect();
    let expected = [("m", "menu"), ("a b?x=1&y=2", "one two"), ("i", "pic"), ("u", "open still")];
    assert_eq!(found, expected.map(|(href, text)| (href.to_owned(), text.to_owned())));
}

/// Pages that make a reader that recurses or searches its stack fall over or never end.
#[test]
fn hostile_pages_take_linear_time() {
    let n = 100_000;
    let pages = [
        "<div>".repeat(1_000_000) + "x",
        "<b>".repeat(n) + &"</i>".repeat(n) + "x",
        "<i><p>".to_owned() + &"<b>".repeat(n) + &"</i>".repeat(n) + "x",
        "<i><li>".to_owned() + &"<b>".repeat(n) + &"</i>".repeat(n) + "x",
        "<ul><li>".repeat(n) + "x",
        "<table><tr><td>".repeat(n) + "x",
        "<a href=x>".repeat(n) + "x",
        "<li><p>".repeat(n) + "x",
        "<dl><dd><blockquote>".repeat(n) + "x",
        "<select><option>".repeat(n) + "x",
        "<b><p>x</b>".repeat(n),
        "<code><a href=y>x".repeat(n),
        "<div class='".to_owned() + &"a ".repeat(n) + "'>x",
        "x".repeat(5_000_000),
        "&lt;".repeat(n),
        "<".repeat(n),
        "<!--".repeat(n),
    ];
    for page in &pages {
        // In quadratic time this would take hours: no clock is needed to notice.
        let text = to_text(page);
        let markdown = from_html(page);
        let found = links(page);
        assert!(text.len() <= page.len() * 2 && found.len() <= n && markdown.len() <= page.len() * 40);
    }
}

#[test]
fn a_visitor_can_stop() {
    struct Counter(usize);
    impl Visitor for Counter {
        fn open(&mut self, _: Tag, _: &Attributes) -> std::ops::ControlFlow<()> {
            self.0 += 1;
            if self.0 == 3 { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
        }
        fn close(&mut self, _: Tag) -> std::ops::ControlFlow<()> {
            std::ops::ControlFlow::Continue(())
        }
        fn text(&mut self, _: &str) -> std::ops::ControlFlow<()> {
            std::ops::ControlFlow::Continue(())
        }
    }
    let mut counter = Counter(0);
    walk(&"<b>x</b>".repeat(1000), Options::default(), &mut counter);
    assert_eq!(counter.0, 3);
}

/// Checks that what is opened is closed, in order.
#[derive(Default)]
struct Nesting(Vec<Tag>);

impl Visitor for Nesting {
    fn open(&mut self, tag: Tag, _: &Attributes) -> std::ops::ControlFlow<()> {
        if !matches!(tag, Tag::Break | Tag::WordBreak | Tag::Image | Tag::Rule) {
            self.0.push(tag);
        }
        std::ops::ControlFlow::Continue(())
    }

    fn close(&mut self, tag: Tag) -> std::ops::ControlFlow<()> {
        assert_eq!(self.0.pop(), Some(tag));
        std::ops::ControlFlow::Continue(())
    }

    fn text(&mut self, text: &str) -> std::ops::ControlFlow<()> {
        assert!(!text.is_empty());
        std::ops::ControlFlow::Continue(())
    }
}

/// Pieces that make pages with structure; plain random text has hardly any.
pub(crate) fn any_page() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    let tag = prop::sample::select(vec![
        "p",
        "b",
        "i",
        "a href=x",
        "a",
        "div",
        "ul",
        "ol",
        "li",
        "table",
        "tr",
        "td",
        "th",
        "td colspan=3",
        "td rowspan=2",
        "caption",
        "thead",
        "tbody",
        "pre",
        "code",
        "h1",
        "h3",
        "blockquote",
        "dl",
        "dt",
        "dd",
        "br",
        "hr",
        "img alt=pic src=y",
        "sub",
        "sup",
        "nav",
        "header",
        "svg",
        "title",
        "span hidden",
        "figure",
        "figcaption",
        "q",
        "s",
        "wbr",
        "td rowspan=0",
        "table border=1",
    ]);
    let piece = prop_oneof![
        4 => tag.clone().prop_map(|tag| format!("<{tag}>")),
        3 => tag.prop_map(|tag| format!("</{}>", tag.split(' ').next().unwrap_or(tag))),
        3 => "[a-z ]{0,12}",
        1 => "[a-z]{0,90}",
        1 => "[漢字かなｶﾅ한글\u{301}\u{fe0f}👩\u{200d}🔬é、。「」 ]{0,20}",
        1 => "\\PC{0,6}",
        1 => any::<char>().prop_map(String::from),
        1 => prop::sample::select(vec!["\u{1b}[31m", "\r", "\u{9b}", "&#27;", "&#x202e;", "\u{202e}", "\t", "&#13;", "&#8203;",
            "&nbsp;", "&shy;", "<!--", "<script>", "</script>", "&", "<", "1.", "- ", "# ", "|", "```", "\\", "12,5"])
            .prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest::proptest! {
    #[test]
    fn events_nest_whatever_the_page(html in any_page()) {
        let mut nesting = Nesting::default();
        walk(&html, Options::default(), &mut nesting);
        assert!(nesting.0.is_empty());
    }

    #[test]
    fn no_page_makes_them_panic(html in any_page(), other in proptest::prelude::any::<String>()) {
        for html in [&html, &other] {
            let page = page(html, Options::EVERYTHING);
            for heading in &page.headings {
                assert!(page.text.is_char_boundary(heading.at));
            }
            links(html);
            title(html);
            let markdown = from_html(html);
            to_html(split_front_matter(&markdown).1);
        }
    }
}

#[test]
fn front_matter_is_split_off() {
    let (values, rest) =
        split_front_matter("---\ntitle: \"A: \\\"b\\\"\" \nlang: de # German\ntags: [x]\n---\n# Body\n");
    assert_eq!(
        (values.title.as_deref(), values.lang.as_deref(), rest),
        (Some("A: \"b\""), Some("de"), "# Body\n")
    );
    let (values, rest) = split_front_matter("---\r\ntitle: 'it''s'\r\n...\r\nx");
    assert_eq!((values.title.as_deref(), rest), (Some("it's"), "x"));
    for markdown in ["", "---", "---\ntitle: x\n", "# x\n---\ntitle: y\n---\n", "--- x\n---\n"] {
        assert_eq!(split_front_matter(markdown), (FrontMatter::default(), markdown));
    }
    let (values, _) = split_front_matter("---\ntitle:x\ntitle: |\n  block\n title: indented\n---\n");
    assert_eq!(values.title, None);
}

#[test]
fn markdown_becomes_html() {
    let html = to_html("# T\n\n| a | b |\n| - | - |\n| 1 | ~~2~~ |\n\nx[^1]\n\n[^1]: note\n");
    assert_eq!(to_text(&html).lines().next(), Some("T"));
    for part in ["<h1>T</h1>", "<td><del>2</del></td>", "footnote-definition"] {
        assert!(html.contains(part), "{part}: {html}");
    }
}

#[test]
fn html_becomes_markdown() {
    for (html, markdown) in [
        ("<h2>A <em>b</em></h2><p>c<br>d", "## A *b*\n\nc\\\nd\n"),
        ("<b> a </b>b<b></b><i><b>c</b></i>", "**a** b***c***\n"),
        ("x<b><p>a</p><p>b</p></b>", "x\n\n**a**\n\n**b**\n"),
        (
            "<a href='x y'>t</a> <a href='z'><img src=i alt='p'></a><a href=q></a>",
            "[t](<x y>) [![p](i)](z)\n",
        ),
        ("<ul><li>a<li>b<ol start=3><li>c<li>d</ol></ul><p>e", "- a\n- b\n  3. c\n  4. d\n\ne\n"),
        ("<ul><li><p>a<p>b<li><pre>x\n y</pre></ul>", "- a\n\n  b\n\n- ```\n  x\n   y\n  ```\n"),
        ("<blockquote><p>a<p>b</blockquote>c", "> a\n>\n> b\n\nc\n"),
        ("<p>a <code>b ` c</code> <code>&lt;<a href=h>v</a>&gt;</code>", "a ``b ` c`` `<`[`v`](h)`>`\n"),
        ("<pre><code class='language-rust'>a *b*\n```</code></pre>", "````rust\na *b*\n```\n````\n"),
        ("<table><tr><th>a<th>b<tr><td>1|<td>2<p>3</table>", "| a | b |\n| --- | --- |\n| 1\\| | 2<br>3 |\n"),
        (
            "<table><tr><th>a<th>b<th>c<tr><td rowspan=2>1<td colspan=2>2<tr><td>3<td>4<tr><td>5</table>",
            "| a | b | c |\n| --- | --- | --- |\n| 1 | 2 |  |\n|  | 3 | 4 |\n| 5 |\n",
        ),
        ("<h2><a href=#x>self</a> <a href=y>y</a></h2>", "## self [y](y)\n"),
        ("<table><tr><td>1<td>2</table>", "|  |  |\n| --- | --- |\n| 1 | 2 |\n"),
        (
            "<p>*a* _b_ c_d [e] # f<p># g<p>1. h<p>- i<p>&amp;amp; &lt;b>",
            "\\*a\\* \\_b\\_ c_d \\[e\\] # f\n\n\\# g\n\n1\\. h\n\n\\- i\n\n\\&amp; \\<b>\n",
        ),
        ("a<hr>b<del>c</del> x<sup>2</sup>", "a\n\n---\n\nb~~c~~ x<sup>2</sup>\n"),
        ("<dl><dt>t<dd>d</dl>", "**t**\n\n- d\n"),
        ("<img src='a(b).png'>", "![](<a(b).png>)\n"),
    ] {
        assert_eq!(from_html(html), markdown, "{html}");
    }
}

/// What is written as Markdown reads as the same words.
#[test]
fn markdown_keeps_the_words() {
    for html in [
        "<h1>Title</h1><p>a *b* _c_ `d` [e](f) ![g] &lt;h> &amp;lt; 1. x</p><ul><li>- y<li># z</ul>",
        "<p>1. a<p>+ b<p>> c<p>= d<p>~~e~~ f\\g \\* ***</p>",
        "<table><tr><th>a|b<th>c<tr><td>*d*<td>e</table>",
    ] {
        let words = |html: &str| to_text(html).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let markdown = from_html(html);
        assert_eq!(words(&to_html(&markdown)), words(html), "{markdown}");
    }
}
