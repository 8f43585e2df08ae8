//! Full text: what is found, in which order, and how a search ends.

use std::time::{Duration, Instant};

use tome::format::first_page::SectionKind;
use tome::item::{About, Item, Metadata};
use tome::reader::{Archive, Hits, SearchOptions, search};
use tome::writer::Options;

use crate::common::{Random, article, media, open, pack, redirect, templated};

fn page(path: &str, title: &str, body: &str) -> Item {
    let html = format!("<html><head><title>{title}</title></head><body><h1>{title}</h1>{body}</body></html>");
    article(path, Some(title), html)
}

fn about(language: &str) -> About {
    let mut metadata = Metadata::default();
    metadata.set_text("language", language);
    About { metadata, ..About::default() }
}

fn archive_of(items: Vec<Item>, language: &str) -> Archive {
    open(&pack(items, &about(language), Options::default()))
}

fn found(archive: &Archive, query: &str) -> Hits {
    archive.search(query, &SearchOptions::default()).unwrap()
}

fn paths(archive: &Archive, query: &str) -> Vec<String> {
    found(archive, query).list.into_iter().map(|h| h.path).collect()
}

fn fruit() -> Archive {
    let items = vec![
        page("apple", "Apple", "<p>An apple is a round fruit. Trees of apples stand in an orchard.</p>"),
        page(
            "pie",
            "Apple pie",
            "<p>A pie of apples, baked by a baker with flour and butter, running late.</p>",
        ),
        page("dot-apple", ".apple", "<p>The apple apple apple domain of the apple company, apple.</p>"),
        page("pear", "Pear", "<p>A pear is not an apple, but a fruit that a baker may bake.</p>"),
        page("run", "Run", "<p>Runners run; a runner was seen to run quickly, as in running.</p>"),
        page("who", "The Who", "<p>A band of four from London.</p>"),
        page("links", "Links", "<p><a href='apple'>a</a> <a href='apple#x'>b</a> <a href='pear'>c</a></p>"),
        page("links2", "More links", "<p><a href='./apple'>a</a></p>"),
        redirect("malus", "apple", None),
        media("style.css", "text/css", "apple { color: red }"),
    ];
    archive_of(items, "en")
}

#[test]
fn the_article_whose_title_is_the_query_comes_first() {
    let archive = fruit();
    assert_eq!(paths(&archive, "apple")[0], "apple");
    assert_eq!(paths(&archive, "APPLE pie")[0], "pie");
    assert_eq!(paths(&archive, "the who")[0], "who");
    // By the title of a redirect to it.
    assert_eq!(paths(&archive, "malus")[0], "apple");
    let all = paths(&archive, "apple");
    assert_eq!(all.len(), 4, "{all:?}");
}

#[test]
fn of_titles_that_fold_alike_the_one_typed_comes_first() {
    let bodies = [("a", "us"), ("b", "US"), ("c", "Us"), ("d", "\u{fc}s")];
    let items = bodies.iter().map(|(path, title)| page(path, title, "<p>us</p>")).collect();
    let archive = archive_of(items, "en");
    for (path, title) in bodies {
        assert_eq!(paths(&archive, title)[0], path);
        let suggested = archive.suggest(title, &tome::reader::SuggestOptions::default()).unwrap();
        assert_eq!(suggested.list[0].path, path);
    }
}

#[test]
fn all_words_are_required_and_fewer_are_shown_as_such() {
    let archive = fruit();
    let both = found(&archive, "fruit baker");
    assert_eq!(both.list.iter().map(|h| &h.path[..]).collect::<Vec<_>>(), ["pear"]);
    assert!(!both.list[0].relaxed && !both.partial && both.at_least == 1);
    let none = found(&archive, "orchard butter band");
    assert!(none.list.len() >= 3 && none.list.iter().all(|h| h.relaxed), "{none:?}");
    let unknown = found(&archive, "orchard qqqqq");
    assert!(unknown.list.iter().all(|h| h.relaxed) && unknown.list[0].path == "apple");
    assert!(found(&archive, "qqqqq").list.is_empty());
}

#[test]
fn forms_of_a_word_are_found_and_a_quoted_word_is_meant_exactly() {
    let archive = fruit();
    let mut forms = paths(&archive, "running");
    forms.sort();
    assert_eq!(forms, ["pie", "run"]);
    assert_eq!(paths(&archive, "\"runners\""), ["run"]);
    assert_eq!(paths(&archive, "\"quick\""), [""; 0]);
    assert!(found(&archive, "orchards").list.iter().any(|h| h.path == "apple" && !h.relaxed));
}

#[test]
fn phrases_negations_beginnings_and_titles_are_understood() {
    let archive = fruit();
    assert_eq!(paths(&archive, "\"round fruit\""), ["apple"]);
    // No article holds it: those that have its words are shown, as such.
    let relaxed = found(&archive, "\"fruit round\"").list;
    assert!(relaxed.iter().any(|h| h.path == "apple") && relaxed.iter().all(|h| h.relaxed));
    assert_eq!(paths(&archive, "fruit -\"round fruit\""), ["pear"]);
    assert_eq!(paths(&archive, "fruit -apple"), [""; 0]);
    assert_eq!(paths(&archive, "orch*"), ["apple"]);
    assert_eq!(paths(&archive, "title:pie"), ["pie"]);
    let mut titled = paths(&archive, "title:apple");
    titled.sort();
    assert_eq!(titled, ["apple", "dot-apple", "pie"]);
    assert_eq!(paths(&archive, "baker -title:pear"), ["pie"]);
    // A phrase across markup, with other marks between its words, and in the title.
    let other = archive_of(
        vec![
            page("a", "One two three", "<p>The <b>quick</b>, brown&nbsp;fox.</p><p>Jumps over</p>"),
            page("b", "Other", "<p>brown quick fox</p>"),
        ],
        "en",
    );
    assert_eq!(paths(&other, "\"quick brown fox\""), ["a"]);
    assert_eq!(paths(&other, "\"one two\""), ["a"]);
    assert!(found(&other, "\"fox jumps\"").list.iter().all(|h| h.relaxed));
}

#[test]
fn several_languages_are_searched_together() {
    let mut items = vec![
        page("chevaux", "Les chevaux", "<p>Les chevaux étaient élevés dans la vallée.</p>"),
        page("horses", "Horses", "<p>Horses were bred in the valley.</p>"),
        page("pferd", "Das Pferd", "<p>Die Pferde wurden im Tal gezüchtet.</p>"),
        page("jp", "東京", "<p>東京都は日本の首都です。</p>"),
        page("kr", "서울", "<p>서울특별시는 대한민국의 수도이다.</p>"),
        page("th", "กรุงเทพ", "<p>กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย</p>"),
    ];
    for (item, language) in items.iter_mut().zip(["fr", "en", "de", "ja", "ko", "th"]) {
        item.language = Some(language.into());
    }
    let archive = archive_of(items, "en");
    for (query, expected) in [
        ("cheval", "chevaux"),
        ("elevé", "chevaux"),
        ("élevée", "chevaux"),
        ("horse", "horses"),
        ("Pferden", "pferd"),
        ("首都", "jp"),
        ("日本", "jp"),
        ("수도", "kr"),
        ("เมืองหลวง", "th"),
    ] {
        let hits = found(&archive, query);
        assert!(hits.list.iter().any(|h| h.path == expected && !h.relaxed), "{query}: {hits:?}");
    }
    assert_eq!(paths(&archive, "都首"), [""; 0]);
}

#[test]
fn snippets_show_the_hits_and_are_safe() {
    let filler = "<p>nothing to see here, move along please.</p>".repeat(40);
    let archive = archive_of(
        vec![page(
            "a",
            "A",
            &format!(
                "<script>needle()</script>{filler}<p>Here &lt;script&gt;alert('x')&lt;/script&gt; is the \
                 <i>needle</i> &amp; the haystack.</p>{filler}"
            ),
        )],
        "en",
    );
    let hits = found(&archive, "haystack needle");
    let snippet = &hits.list[0].snippet;
    assert!(snippet.contains("<b>needle</b> &amp; the <b>haystack</b>"), "{snippet}");
    assert!(snippet.contains("&lt;script&gt;alert("), "{snippet}");
    assert_eq!(snippet.replace("<b>", "").replace("</b>", "").matches('<').count(), 0, "{snippet}");
    assert!(snippet.chars().count() < 500, "{snippet}");
}

#[test]
fn what_a_template_repeats_weighs_little_and_menus_nothing() {
    let mut items: Vec<Item> = (0..60)
        .map(|i| {
            let body = format!("number {i} of many.</p><p>Licensed under the moonlight licence.");
            article(&format!("p{i:02}"), Some(&format!("Page {i}")), templated(&format!("Page {i}"), &body))
        })
        .collect();
    items.push(page("zz", "On licences", "<p>A note on moonlight and what it licenses.</p>"));
    let archive = archive_of(items, "en");
    assert_eq!(paths(&archive, "moonlight")[0], "zz");
    assert_eq!(found(&archive, "moonlight").at_least, 61);
    // In `nav` and `footer`.
    assert!(found(&archive, "chapter").list.is_empty());
    assert!(found(&archive, "alike").list.is_empty());
}

#[test]
fn articles_that_others_link_to_come_first_among_equals() {
    let mut items: Vec<Item> = (0..30)
        .map(|i| page(&format!("t{i:02}"), &format!("T{i}"), &format!("<p>same words {i}</p>")))
        .collect();
    items.push(redirect("alias", "t17", None));
    for i in 0..20 {
        items.push(page(&format!("x{i}"), "X", "<p>see <a href='alias'>this</a></p>"));
    }
    let archive = archive_of(items, "en");
    assert_eq!(paths(&archive, "same words")[0], "t17");
}

#[test]
fn archives_are_searched_together_and_each_hit_says_where_it_is() {
    let (one, two) = (
        archive_of(vec![page("a", "Honey", "<p>made by bees</p>"), page("b", "Wax", "<p>bees</p>")], "en"),
        archive_of(vec![page("c", "Bees", "<p>Bees make honey.</p>")], "en"),
    );
    let hits = search(&[&one, &two], "bees honey", &SearchOptions::default());
    let mut at: Vec<(usize, &str)> = hits.list.iter().map(|h| (h.archive, &h.path[..])).collect();
    at.sort_unstable();
    assert_eq!(at, [(0, "a"), (1, "c")]);
    let hits = search(&[&one, &two], "bees", &SearchOptions::default());
    assert_eq!((hits.list[0].archive, &hits.list[0].path[..]), (1, "c"));
    assert_eq!((hits.list.len(), hits.at_least), (3, 3));
}

#[test]
fn a_misspelt_query_gets_a_proposal() {
    let archive = fruit();
    assert_eq!(found(&archive, "orchrad").did_you_mean.as_deref(), Some("orchard"));
    assert_eq!(found(&archive, "aple butterr").did_you_mean.as_deref(), Some("apple butter"));
    assert_eq!(found(&archive, "apple").did_you_mean, None);
}

#[test]
fn offset_and_limit_cut_the_same_list() {
    let archive = fruit();
    let all = found(&archive, "apple").list;
    for offset in 0..all.len() {
        let options = SearchOptions { offset, limit: 2, ..SearchOptions::default() };
        let some = archive.search("apple", &options).unwrap().list;
        assert_eq!(some, all[offset..(offset + 2).min(all.len())]);
    }
    let far = SearchOptions { offset: usize::MAX, limit: usize::MAX, ..SearchOptions::default() };
    assert!(archive.search("apple", &far).unwrap().list.is_empty());
}

#[test]
fn an_archive_packed_without_search_finds_titles_and_gets_an_index_by_packing_it_again() {
    let items = || vec![page("a", "Honey", "<p>made by bees</p>"), page("b", "Wax", "<p>bees</p>")];
    let without = pack(items(), &about("en"), Options { search: false, ..Options::default() });
    let archive = open(&without);
    assert!(!archive.has_search());
    assert_eq!(paths(&archive, "hone"), ["a"]);
    assert!(found(&archive, "bees").list.is_empty());

    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("without.tome");
    std::fs::write(&path, &without).unwrap();
    let again = crate::common::pack_sources(&[&path], Options::default(), &tome::item::Silent).unwrap();
    assert_eq!(paths(&open(&again), "bees").len(), 2);
    assert_eq!(open(&again).content_id(), archive.content_id());
}

/// S09.
#[test]
fn hostile_queries_end_within_their_budget() {
    let mut random = Random(3);
    let items = (0..400)
        .map(|i| page(&format!("p{i}"), &format!("Page {i}"), &format!("<p>{}</p>", random.prose(300))))
        .collect();
    let archive = archive_of(items, "en");
    let words: String = (0..10_000).map(|_| random.prose(1)).collect();
    let prefixes: String = ('a'..='z').map(|c| format!("{c}* ")).collect();
    let phrases: String = (0..50).map(|_| format!("\"{}\" ", random.prose(3))).collect();
    for query in [
        &words[..],
        &prefixes,
        &phrases,
        &"a".repeat(1 << 20),
        &"\"".repeat(5000),
        "\"ka le",
        "-ka -le -mo",
        "the of and a in",
        "* -* title:* \"*\"",
        "\u{0}\u{1}\u{202e}\u{fffd}",
        "",
        " ",
        &"title:".repeat(1000),
        &"漢".repeat(5000),
    ] {
        let options = SearchOptions { budget: Duration::from_millis(200), ..SearchOptions::default() };
        let started = Instant::now();
        let hits = archive.search(query, &options).unwrap();
        assert!(hits.list.len() <= 10);
        // Only what hangs: the machine may be busy.
        assert!(started.elapsed() < Duration::from_secs(20), "{:.40}", query);
    }
    // Next to no work at all: what there is comes back, and says that it is not all.
    let options = SearchOptions { work: 10, ..SearchOptions::default() };
    assert!(archive.search(&words, &options).unwrap().partial);
}

#[test]
fn the_index_is_the_same_whatever_threads_and_memory() {
    let items = || -> Vec<Item> {
        let mut random = Random(9);
        let of = |i: u64, random: &mut Random| {
            let body = format!("{} <a href='p{}'>x</a>", random.prose(60 + (i % 50) as usize), i % 7);
            let title = format!("Page {i}");
            article(&format!("p{}", (i * 7919) % 1000), Some(&title), templated(&title, &body))
        };
        (0..1000).map(|i| of(i, &mut random)).collect()
    };
    let options = |threads, memory| Options { threads: Some(threads), memory, ..Options::default() };
    let whole = pack(items(), &about("en"), options(2, 400_000_000));
    assert!(whole == pack(items(), &about("en"), options(1, 400_000_000)), "threads change the bytes");
    assert!(whole == pack(items(), &about("en"), options(3, 1_000_000)), "memory changes the bytes");
    let pairs = Options { phrase_index: true, ..Options::default() };
    let with_pairs = open(&pack(items(), &about("en"), pairs));
    let len = |archive: &Archive| archive.first_page().row(SectionKind::POSTINGS).unwrap().len;
    assert!(len(&with_pairs) > len(&open(&whole)));
}

#[test]
fn a_phrase_is_found_with_and_without_the_index_of_pairs() {
    let mut random = Random(21);
    let mut texts: Vec<String> = (0..300).map(|_| random.prose(80)).collect();
    texts[250] = format!("{} ka le mo ri tu san {}", random.prose(20), random.prose(20));
    let items = || -> Vec<Item> {
        let of = |(i, text): (usize, &String)| {
            page(&format!("p{i:03}"), &format!("Page {i}"), &format!("<p>{text}</p>"))
        };
        texts.iter().enumerate().map(of).collect()
    };
    for phrase_index in [false, true] {
        let bytes = pack(items(), &about("en"), Options { phrase_index, ..Options::default() });
        let archive = open(&bytes);
        assert_eq!(paths(&archive, "\"ka le mo ri tu san\"")[0], "p250", "pairs: {phrase_index}");
        for text in texts.iter().step_by(37) {
            let words: Vec<&str> = text.split(' ').collect();
            let phrase = words[10..16].join(" ");
            let hits = found(&archive, &format!("\"{phrase}\""));
            assert!(!hits.list.is_empty() && !hits.list[0].relaxed, "{phrase}");
        }
    }
}

#[test]
fn damage_to_the_index_harms_no_reading_and_is_told() {
    let bytes = pack(
        (0..50).map(|i| page(&format!("p{i}"), &format!("Page {i}"), "<p>some words</p>")).collect(),
        &about("en"),
        Options::default(),
    );
    let first = open(&bytes).first_page().clone();
    for kind in [SectionKind::SEARCH, SectionKind::WORDS, SectionKind::WORD_ROOT] {
        let row = *first.row(kind).unwrap();
        let mut copy = bytes.clone();
        copy[(first.tables_offset + row.offset) as usize] ^= 0x40;
        let archive = open(&copy);
        assert!(archive.search("some words", &SearchOptions::default()).unwrap_err().is_damage());
        for entry in archive.entries() {
            let entry = entry.unwrap();
            assert!(!archive.content(&entry).unwrap().is_empty());
            assert_eq!(archive.entries_by_title(&entry.title).unwrap(), [entry]);
        }
        let report =
            archive.verify(tome::reader::VerifyOptions { quick: true }, &tome::item::Silent).unwrap();
        assert!(report.findings.iter().any(|f| f.message.contains(kind.name())), "{:?}", report.findings);
    }
}
