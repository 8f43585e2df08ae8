use proptest::prelude::*;

use super::*;

/// Returns the snippet for words, `x*` for prefixes, `"a b"` for a phrase.
fn cut(html: &str, query: &str) -> String {
    snippet(html.as_bytes(), "text/html", &wanted(query))
}

fn wanted(query: &str) -> Wanted {
    let mut wanted = Wanted::default();
    if let Some(phrase) = query.strip_prefix('"') {
        wanted.add_phrase(0, Phrase::new(phrase).unwrap());
        return wanted;
    }
    for (term, part) in query.split(' ').enumerate() {
        let mut words = Words::new(part);
        while let Some(word) = words.next() {
            if part.ends_with('*') {
                wanted.add_prefix(term, word.key);
            } else {
                wanted.add_word(term, word.key);
            }
        }
    }
    wanted
}

fn filler(words: usize) -> String {
    "lorem ipsum dolor ".repeat(words / 3)
}

#[test]
fn hits_are_marked_and_the_rest_is_escaped() {
    assert_eq!(
        cut("<p>The <i>Qui</i>ck &lt;brown&gt; \"fox\" & co", "quick FOX"),
        "The <b>Quick</b> &lt;brown&gt; &quot;<b>fox</b>&quot; &amp; co"
    );
    assert_eq!(cut("<p>élève, eleve", "eleve"), "<b>élève</b>, <b>eleve</b>");
    assert_eq!(cut("<p>connection", "conn*"), "<b>connection</b>");
    assert_eq!(cut("<p>a\u{1b}[31m\u{202e}b", "x"), "a[31mb");
}

#[test]
fn the_passage_with_the_most_words_is_taken() {
    let html = format!("<p>apple {}<p>pear {}<p>an apple and a pear {}", filler(90), filler(90), filler(90));
    let snippet = cut(&html, "apple pear");
    assert!(snippet.starts_with("an <b>apple</b> and a <b>pear</b> lorem"), "{snippet}");
    assert!(snippet.ends_with('…'));
    assert!((200..300).contains(&snippet.len()), "{}", snippet.len());
    let inside = format!("<p>{} apple pear {}", filler(300), filler(300));
    let snippet = cut(&inside, "pear apple");
    assert!(snippet.starts_with("…") && snippet.ends_with("…"), "{snippet}");
    assert!(snippet.contains("dolor <b>apple</b> <b>pear</b> lorem"));
    for word in snippet.trim_matches('…').split(' ') {
        assert!(["lorem", "ipsum", "dolor", "<b>apple</b>", "<b>pear</b>"].contains(&word), "{word}");
    }
}

#[test]
fn headings_alone_are_poor() {
    let html = format!("<h1>Apple</h1><p>{}<p>one apple a day", filler(90));
    assert!(cut(&html, "apple").starts_with("one <b>apple</b> a day"));
    assert_eq!(cut("<h1>Apple</h1><p>text", "apple"), "<b>Apple</b> text");
}

#[test]
fn without_a_hit_it_is_the_first_text() {
    let html = format!("<h1>Head</h1><p>first {}", filler(90));
    let snippet = cut(&html, "absent");
    assert!(snippet.starts_with("first lorem") && snippet.ends_with('…'), "{snippet}");
    assert_eq!(cut("<h1>Head</h1>", "absent"), "Head");
    assert_eq!(cut("", "absent"), "");
    assert_eq!(snippet_of_nothing(&html), snippet);
}

fn snippet_of_nothing(html: &str) -> String {
    snippet(html.as_bytes(), "text/html", &Wanted::default())
}

#[test]
fn phrases_are_marked_as_a_whole() {
    assert_eq!(cut("<p>brown, quick <i>brown</i> fox", "\"quick brown"), "brown, <b>quick brown</b> fox");
}

#[test]
fn pairs_of_characters_are_one_mark() {
    assert_eq!(cut("<p>私は東京都に行く", "東京都"), "私は<b>東京都</b>に行く");
    assert_eq!(cut("<p>黒猫と白猫、猫", "猫"), "黒<b>猫</b>と白<b>猫</b>、<b>猫</b>");
    let long = format!("<p>{}東京{}", "漢字".repeat(500), "漢字".repeat(500));
    let snippet = cut(&long, "東京");
    assert!(snippet.starts_with('…') && snippet.contains("<b>東京</b>") && snippet.len() < 300);
}

#[test]
fn hostile_pages_give_some_passage() {
    let letters = "a".repeat(1 << 20);
    for page in [
        letters.clone(),
        format!("<p>{letters}"),
        "<b>".repeat(100_000) + "x",
        "<p>x ".repeat(100_000),
        "<".repeat(1 << 20),
        "&#60;".repeat(100_000),
        "\u{301}".repeat(100_000),
    ] {
        for query in ["x", "a*", "\"x x", "absent", &letters] {
            let snippet = cut(&page, query);
            assert!(snippet.len() < 6 * (PASSAGE + 100), "{}", snippet.len());
            assert_is_html(&snippet);
        }
    }
    assert_eq!(snippet(b"x", "image/png", &wanted("x")), "");
}

#[test]
fn reading_stops_at_a_passage_with_all_words() {
    let html = format!("<p>apple pear {}", filler(30_000));
    let wanted = wanted("apple pear");
    let mut page = Page { wanted: &wanted, text: String::new(), blocks: vec![], hits: vec![], best: None };
    let pages = [html.as_str(), "<p>apple pear"].join("");
    read(pages.as_bytes(), "text/html", &mut page);
    assert_eq!(page.hits.len(), 2);
}

#[test]
fn terms_beyond_all_bounds_are_no_trap() {
    let mut wanted = Wanted::default();
    for term in 0..10_000 {
        wanted.add_word(term, format!("w{term}").as_bytes());
        wanted.add_prefix(term, format!("p{term}").as_bytes());
        wanted.add_phrase(term, Phrase::new("a b").unwrap());
    }
    wanted.add_word(0, b"");
    wanted.add_prefix(0, b"");
    assert_eq!(snippet(b"<p>w9999 x", "text/html", &wanted), "<b>w9999</b> x");
}

/// Only `<b>` and `</b>` in turn, no other markup, no controls.
fn assert_is_html(snippet: &str) {
    let mut is_open = false;
    let mut rest = snippet;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        let tag = if is_open { "</b>" } else { "<b>" };
        assert!(rest.starts_with(tag), "{snippet}");
        is_open = !is_open;
        rest = &rest[tag.len()..];
    }
    assert!(!is_open, "{snippet}");
    let text = snippet.replace("<b>", "").replace("</b>", "");
    assert!(!text.contains(['>', '"', '\'']) && !text.contains(char::is_control), "{snippet}");
    for part in text.split('&').skip(1) {
        assert!(
            ["amp;", "lt;", "gt;", "quot;", "#39;"].iter().any(|name| part.starts_with(name)),
            "{snippet}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_snippet_is_always_safe(
        parts in proptest::collection::vec(
            prop_oneof![
                "[a-c]{1,3}", "[<>&\"' ]{1,2}", "<(p|b|h1|pre|td)>", "</(p|b|h1)>", "&(lt|amp|#39|#x1b);?", "[漢字かé]{1,4}",
                any::<char>().prop_map(String::from), " {1,3}", "a{200,300}",
            ],
            0..120,
        ),
        query in "([a-c漢字]{1,3}\\*? ){1,4}",
        mime in proptest::sample::select(vec!["text/html", "text/plain", "text/markdown"]),
    ) {
        let page = parts.concat();
        let snippet_html = snippet(page.as_bytes(), mime, &wanted(query.trim()));
        assert_is_html(&snippet_html);
        assert_is_html(&snippet(page.as_bytes(), mime, &wanted(&format!("\"a {query}"))));
    }

    #[test]
    fn any_bytes_are_a_page(page in proptest::collection::vec(any::<u8>(), 0..400)) {
        assert_is_html(&snippet(&page, "text/html", &wanted("a")));
    }
}
