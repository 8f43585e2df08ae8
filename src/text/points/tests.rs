//! Tests of the places of a page.

use proptest::prelude::*;

use super::*;

fn pieces(html: &str, ranges: impl IntoIterator<Item = Range<usize>>) -> Vec<&str> {
    ranges.into_iter().map(|range| &html[range]).collect()
}

#[test]
fn the_parts_of_a_page_are_found() {
    let html = "<!doctype html><html lang=fr dir='rtl'><head><title>A &amp; B</title><meta name=viewport \
        content=x><link rel='icon stylesheet' href=a.css></head><body class=x>text<h1>One <i>two</i></h1>\
        <h2 class=y id=\"z\">Three</h2><title>no</title></body></html>";
    let found = points(html.as_bytes(), true);
    assert_eq!(&html[..found.head.unwrap()][34..], "rtl'><head>");
    assert!(html[..found.body.unwrap()].ends_with("<body class=x>"));
    assert_eq!(&html[found.title.unwrap()], "A &amp; B");
    assert_eq!(&html[found.language.unwrap()], "fr");
    assert_eq!(&html[found.direction.unwrap()], "rtl");
    assert!(found.is_styled && found.has_viewport && !found.is_frameset);
    assert_eq!(pieces(html, found.headings.iter().map(|h| h.content.clone())), ["One <i>two</i>", "Three"]);
    assert_eq!(found.headings[1].id.clone().map(|id| &html[id]), Some("z"));
    assert!(html[..found.headings[1].attributes].ends_with("<h2"));
}

#[test]
fn a_page_without_the_usual_tags_has_a_place_before_its_content() {
    let html = "<!doctype html><meta charset=utf-8><title>T</title>\n<p>text";
    let found = points(html.as_bytes(), true);
    assert_eq!((found.head, found.body), (None, None));
    assert!(html[found.content.unwrap()..].starts_with("<p>"));
    assert_eq!(points(b"only text", true).content, None);
}

#[test]
fn a_place_before_the_content_is_in_nothing_that_is_not_shown() {
    for (html, at) in [
        ("<title>x</title><noscript><img></noscript><h1>y</h1>", "<noscript><img>"),
        ("<template><p></template><p>", "<template><p>"),
        ("<noscript><link></noscript><template></template><h1>y", "<h1>y"),
        ("<noscript><body></noscript><template><body></template><h1>y", "<h1>y"),
    ] {
        let found = points(html.as_bytes(), false);
        assert!(html[found.content.unwrap()..].starts_with(at), "{html}");
        assert_eq!((found.head, found.body), (None, None), "{html}");
    }
    let html = "<head><noscript><img></noscript></head><body>";
    assert_eq!(points(html.as_bytes(), false).body, Some(html.len()));
}

#[test]
fn a_page_of_more_to_change_than_people_write_is_told_as_such() {
    for piece in
        ["<svg></svg><!-- <link -->", "<link rel=preload href=//e>", "<iframe srcdoc='<link>'></iframe>"]
    {
        let few = points(piece.repeat(10).as_bytes(), false);
        assert!(!few.is_overfull && few.hidden.len() + few.addresses.len() + few.inner_pages.len() == 10);
        assert!(points(piece.repeat(MAX_GUARDS + 1).as_bytes(), false).is_overfull, "{piece}");
    }
    let html = format!("<a {}>", "href=//e ".repeat(MAX_ATTRIBUTES + 1));
    assert!(points(html.as_bytes(), false).is_overfull);
}

#[test]
fn addresses_that_leave_the_page_s_own_folder_are_found() {
    let html = "<a href=/x><a href='//evil/y'><a href=HTTPS://e/z><img src=\"/i.png\" srcset='/a 1x, b 2x'>\
        <a href=rel><a href=#f><a href=' /s'><a href='&#104;ttp://e/'><link rel=preconnect href=//e>\
        <a href=\\\\evil><a href=mailto:a@b><form action=/go><script>'<a href=/no>'</script>";
    let found = points(html.as_bytes(), true);
    let texts = pieces(html, found.addresses.iter().map(|a| a.value.clone()));
    assert_eq!(
        texts,
        [
            "/x",
            "//evil/y",
            "HTTPS://e/z",
            "/i.png",
            "/a 1x, b 2x",
            " /s",
            "&#104;ttp://e/",
            "//e",
            "\\\\evil",
            "mailto:a@b",
            "/go"
        ]
    );
    let external: Vec<bool> = found.addresses.iter().map(|a| a.is_external).collect();
    assert_eq!(external, [false, true, true, false, false, false, true, true, true, true, false]);
    assert!(found.addresses[7].connects && found.addresses[4].is_list && found.addresses[0].is_link);
}

#[test]
fn an_address_is_external_however_it_is_written() {
    for external in
        ["h\nttp://e", "ht&#10;tp://e", "\u{1}http://e", "\t//e", "/\t/e", "HTTPS:e", "&#x2f;/e", "magnet:?x"]
    {
        assert!(is_external(external.as_bytes()), "{external:?}");
    }
    for own in ["", "/", "/x//y", "x:y", "File:x.png", "http", "#http://e", "?q=http://e", "javascript:x"] {
        assert!(!is_external(own.as_bytes()), "{own:?}");
    }
}

#[test]
fn what_would_set_a_page_off_is_found() {
    for (html, acts) in [
        ("<meta http-equiv=refresh content='0;url=http://evil/'>", true),
        ("<meta http-equiv=' Re&#102;resh' content='0;url=//evil'>", true),
        ("<meta http-equiv=refresh content='0;url=/x'>", true),
        ("<meta http-equiv=refresh content='5;url=next.html'>", false),
        ("<meta http-equiv=refresh content='0; url=./next.html#x'>", false),
        ("<meta http-equiv=refresh content='0; url=../a/b.html'>", false),
        ("<meta http-equiv=refresh content='0; url=..//evil'>", true),
        ("<meta http-equiv=refresh content='5'>", false),
        ("<meta http-equiv=Content-Type content='text/html; charset=x'>", false),
        ("<meta http-equiv=x-dns-prefetch-control content=on>", true),
        ("<meta http-equiv=set-cookie content=a=b>", true),
    ] {
        assert_eq!(!points(html.as_bytes(), true).actions.is_empty(), acts, "{html}");
    }
}

#[test]
fn what_is_sent_elsewhere_connects() {
    for (html, connects) in [
        ("<form action=http://e/x>", true),
        ("<form action=/x>", false),
        ("<button formaction='//e'>", true),
        ("<input type=image formaction=https:e>", true),
        ("<a href=x ping='http://e'>", true),
        ("<a href=http://e>", false),
        ("<img src=http://e>", false),
        ("<iframe src=//e>", true),
    ] {
        let found = points(html.as_bytes(), false);
        assert_eq!(found.addresses.iter().any(|a| a.connects && a.is_external), connects, "{html}");
    }
}

#[test]
fn what_others_are_told_of_a_reader_is_found() {
    for html in [
        "<meta name=referrer content=unsafe-url>",
        "<meta name=' Referre&#114; ' content=always>",
        "<a href=http://e referrerpolicy=unsafe-url>",
        "<img REFERRERPOLICY='origin' src=x>",
    ] {
        assert_eq!(points(html.as_bytes(), false).actions.len(), 1, "{html}");
    }
    for html in ["<meta name=author content=referrer>", "<a href=x rel=noreferrer referrerpolicy>"] {
        assert!(points(html.as_bytes(), false).actions.is_empty(), "{html}");
    }
}

#[test]
fn pages_within_attributes_are_found_where_they_would_connect() {
    for (html, acts) in [
        ("<iframe srcdoc='<link rel=preconnect href=//e>'>", true),
        ("<iframe srcdoc='&lt;LINK rel=preconnect href=//e>'>", true),
        ("<iframe srcdoc=\"<iframe src=//e></iframe>\">", true),
        ("<iframe srcdoc='<form action=//e>'>", true),
        ("<iframe srcdoc='<meta http-equiv=refresh content=0>'>", true),
        ("<iframe srcdoc='<p>a <b>link</b>'>", false),
        ("<iframe srcdoc='<p>A chemical reaction in the framework, to a referrer'>", false),
        ("<iframe srcdoc='<form><input></form>'>", false),
        ("<iframe srcdoc>", false),
    ] {
        assert_eq!(!points(html.as_bytes(), false).inner_pages.is_empty(), acts, "{html}");
    }
}

#[test]
fn tags_that_only_another_reading_has_are_found() {
    let long = format!("<svg><style><p><meta title='{}' http-equiv=refresh>", "A".repeat(5000));
    for (html, names) in [
        ("<svg><style><meta http-equiv=refresh content='0;url=http://evil'></style></svg>", &["meta"][..]),
        ("<math></math><!-- <META http-equiv=refresh> --><meta charset=utf-8>", &["META"]),
        ("<svg><style><p><form action=http://e><button></style><form>", &["form", "butt"]),
        ("<svg><title><p><iframe src=http://e></title>", &["ifra"]),
        ("<svg><style><p><iframe srcdoc='<link>'></style>", &["ifra", "link"]),
        ("<script><!--<script></script><a title='</script><link rel=preconnect href=//e>'>", &["link"]),
        ("<script>a</script><a title='</script><link rel=preconnect href=//e>'>", &[]),
        ("<noscript><!--</noscript><link rel=preconnect href=//e>--></noscript>", &["link"]),
        ("<noscript><a title='</noscript><iframe src=//e>'></a></noscript><link>", &["ifra"]),
        ("<noscript><style></noscript><meta http-equiv=refresh></style></noscript>", &["meta"]),
        ("<select><xmp></select><link href=//e></xmp>", &["link"]),
        ("<template><col><style></template><link href=//e></style>", &["link"]),
        ("<frameset cols=*><title><frame src=//e></title></frameset>", &["fram"]),
        (&long, &["meta"]),
        // Not ended, and the name of one that is in the other.
        ("<svg></svg><a title='<link rel=x title=\"<link' href=//e>", &["link", "link"]),
        ("<!-- <link href=//e> -->", &[]),
    ] {
        let found = points(html.as_bytes(), false).hidden;
        assert_eq!(pieces(html, found.into_iter().map(|at| at..at + 4)), names, "{html}");
    }
}

#[test]
fn of_many_attributes_of_one_name_the_first_counts() {
    let html = format!("<h1 {}{}>x</h1>", "href=/a ".repeat(1000), "id=a id=b ".repeat(1000));
    let found = points(html.as_bytes(), false);
    assert_eq!(found.headings[0].id, Some(html.find("a id=b").map(|at| at..at + 1).unwrap()));
    assert_eq!(found.addresses.len(), 1000);
}

#[test]
fn a_page_ends_before_a_tag_that_does_not() {
    for (html, tail) in [
        ("<p>x", ""),
        ("<p>x<link rel=preconnect href=//e", "<link rel=preconnect href=//e"),
        ("<p>x<link rel=preconnect href='//e", "<link rel=preconnect href='//e"),
        (
            "<p>x<meta http-equiv=refresh content='0;url=//e' x",
            "<meta http-equiv=refresh content='0;url=//e' x",
        ),
        ("<p>x<!-- y > -", "<!-- y > -"),
        ("<p>x</p y='>", "</p y='>"),
        ("<p>x<!y", "<!y"),
        ("<p>x<title>y", ""),
        ("<p>1 < 2 <", ""),
    ] {
        let found = points(html.as_bytes(), false);
        assert_eq!(&html[found.end..], tail, "{html}");
        assert!(found.addresses.is_empty() && found.actions.is_empty(), "{html}");
    }
}

#[test]
fn in_a_page_of_xml_a_tag_that_closes_itself_has_no_content() {
    for start in ["<title/>", "<script src='a.js'/>", "<style />", "<iframe src='a'/>", "<xmp/>"] {
        let html = format!("<html><head>{start}<link rel='preconnect' href='http://e/'/></head><h1>x</h1>");
        let found = points(html.as_bytes(), true);
        assert!(found.addresses.iter().any(|a| a.connects && a.is_external), "{start}");
        assert_eq!((found.headings.len(), found.self_closed.len(), found.title), (1, 1, None), "{start}");
        // Elsewhere it begins one that has all that follows.
        assert_eq!(points(html.as_bytes(), false).headings.len(), 0, "{start}");
    }
    // A slash that belongs to a value closes nothing.
    let found = points(b"<title x=y/><link rel=preconnect href=//e></title><a x=y/>", true);
    assert!(found.addresses.is_empty() && found.self_closed.is_empty());
    assert!(points("<p/>".repeat(MAX_PLACES + 1).as_bytes(), true).is_overfull);
}

#[test]
fn whatever_leads_elsewhere_is_a_link() {
    for (html, is_link) in [
        ("<a href=//e>", true),
        ("<svg><a xlink:href=//e>", true),
        ("<math><mtext href=//e>", true),
        ("<area href=//e>", true),
        ("<img src=//e>", false),
        ("<link rel=next href=//e>", false),
    ] {
        assert_eq!(points(html.as_bytes(), false).addresses[0].is_link, is_link, "{html}");
    }
    for html in ["<svg><a><set attributeName=href to=//e>", "<animate attributename='xlink:HR&#101;f'>"] {
        assert_eq!(points(html.as_bytes(), false).actions.len(), 1, "{html}");
    }
    assert!(points(b"<svg><animate attributeName=x>", false).actions.is_empty());
}

#[test]
fn tags_that_close_themselves_are_found_where_html_has_no_such_thing() {
    let html = "<a id='x'/><br/><p />";
    let found = points(html.as_bytes(), true);
    assert_eq!(pieces(html, found.self_closed.iter().map(|(_, name)| name.clone())), ["a", "p"]);
    assert_eq!(&html[found.self_closed[0].0..][..2], "/>");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1000, ..ProptestConfig::default() })]
    #[test]
    fn no_bytes_make_it_fail_and_places_lie_in_order(html in proptest::collection::vec(prop_oneof![
        proptest::sample::select(vec![
            "<", ">", "/", "=", "\"", "'", "<h1>", "</h1>", "<h2 id=", "<body>", "<head>", "<title>", "</title>",
            "<a href=/", "&#104;", "<meta http-equiv=", "<!--", "-->", " ", "x", "srcset='", "/>",
        ])], 0..40)) {
        let html = html.concat();
        let found = points(html.as_bytes(), true);
        let mut last = 0;
        for heading in &found.headings {
            prop_assert!(last <= heading.attributes && heading.attributes <= heading.content.start);
            prop_assert!(heading.content.start <= heading.content.end && heading.content.end <= html.len());
            last = heading.content.end;
        }
        for address in &found.addresses {
            prop_assert!(address.value.end <= html.len());
        }
    }
}
