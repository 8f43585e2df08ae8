//! Status and type of each address, after redirects.

use super::{Both, both};
use crate::client::{Answer, follow};

/// Addresses of which both have to say the same: status, and type of what is there.
///
/// What is not there has another type where a program asks: we answer it with a line, kiwix-serve with a
/// page that nobody sees.
const SAME: &[&str] = &[
    "/",
    "/catalog",
    "/catalog/",
    "/catalog/root.xml",
    "/catalog/search",
    "/catalog/search?q=tides",
    "/catalog/searchdescription.xml",
    "/catalog/nosuch",
    "/catalog/v2",
    "/catalog/v2/root.xml",
    "/catalog/v2/entries",
    "/catalog/v2/entries?lang=fra&count=1",
    "/catalog/v2/partial_entries",
    "/catalog/v2/categories",
    "/catalog/v2/languages",
    "/catalog/v2/searchdescription.xml",
    "/catalog/v2/nosuch",
    "/catalog/v2/entry/nosuch",
    "/catalog/v2/illustration/nosuch?size=48",
    // By its name, as this version links to it; with and without the slash.
    "/catalog/v2/illustration/harbour/?size=48",
    "/catalog/v2/illustration/harbour?size=48",
    "/catalog/v2/illustration/harbour/?size=47",
    "/catalog/v2/illustration/harbour/",
    // Pages: by path, main page, redirects, media, names that are encoded.
    "/harbour",
    "/harbour/",
    "/harbour/index.html",
    "/harbour/A/index.html",
    "/harbour/C/index.html",
    "/harbour/Tide%20table.html",
    "/harbour/Tide+table.html",
    "/harbour/What%3F.html",
    "/harbour/100%25%20wool.html",
    "/harbour/%C5%A0koda%20%C3%9F%20%E6%9D%B1%E4%BA%AC.html",
    "/harbour/Ebb",
    "/harbour/Low%20water",
    "/harbour/sub%20dir/a%20b.js",
    "/harbour/style.css",
    "/harbour/sound.ogg",
    "/harbour/picture.png",
    "/harbour/Tide.html?x=1",
    "/harbour%2Findex.html",
    "/harbour/tide.html",
    "/harbour/nosuch",
    "/harbour/A/nosuch",
    "/harbour/%2e%2e/index.html",
    "/nosuch",
    "/nosuch/index.html",
    // Names that kiwix-serve makes of a file's.
    "/le_pharepluse_2023-05",
    "/le_pharepluse_2023-05/Tide.html",
    "/raw/le_pharepluse_2023-05/meta/Title",
    "/random?content=le_pharepluse_2023-05",
    // Bytes and metadata.
    "/raw",
    "/raw/harbour",
    "/raw/nosuch/content/index.html",
    "/raw/nosuch/meta/Title",
    "/raw/harbour/nosuch/index.html",
    "/raw/harbour/content/nosuch",
    "/raw/harbour/meta/nosuch",
    "/raw/harbour/meta/title",
    "/raw/harbour/meta/",
    "/raw/harbour/content/Ebb",
    "/raw/harbour/content/index.html",
    "/raw/harbour/content/A/index.html",
    "/raw/harbour/content/style.css",
    "/raw/harbour/content/sound.ogg",
    "/raw/harbour/meta/Title",
    "/raw/harbour/meta/Counter",
    "/raw/harbour/meta/Illustration_48x48@1",
    "/raw/harbour/meta/Illustration_48x48%401",
    // What is looked for.
    "/suggest",
    "/suggest?term=Tide",
    "/suggest?content=nosuch&term=Tide",
    "/suggest?content=harbour",
    "/suggest?content=harbour&term=Tide",
    "/suggest?content=harbour&term=%22%3Cb%3E%00",
    "/suggest/nosuch",
    "/search/searchdescription.xml",
    "/search/nosuch",
    "/search?content=nosuch&pattern=tide&format=xml",
    "/search?books.id=nosuch&pattern=tide&format=xml",
    "/search?books.filter.lang=xyz&pattern=tide&format=xml",
    "/search?content=harbour&format=xml",
    "/random",
    "/random?content=nosuch",
    "/random/nosuch",
    "/catch",
    "/catch/external",
    "/catch/external?source=",
    "/skin",
    "/skin/",
    "/skin/nosuch",
    // Not known to 3.3, and nothing with libkiwix 12 either.
    "/content/harbour/nosuch",
    "/content/nosuch/index.html",
    "/content",
];

/// More of the same, over the archive that libzim made.
const SAME_ODD: &[&str] = &[
    "/odd",
    "/odd/main",
    "/odd/r/first",
    "/odd/r/second",
    "/odd/r/to-media",
    "/odd/b/c%20d.html",
    "/odd/%C3%A9quivoque/%C3%9F%3Fx=1&y=%23z%2520",
    "/odd/empty.js",
    "/odd/a.json",
    "/odd/noise.bin",
    "/raw/odd/content/empty.js",
    "/raw/odd/meta/X-Binary",
    "/catalog/v2/illustration/odd/?size=96",
    "/search?content=odd&pattern=word7&format=xml",
    "/search?books.name=odd&pattern=word7&format=xml&start=1&pageLength=1",
    "/search?content=odd&pattern=zzzzqqq&format=xml",
    "/search?pattern=word7&format=xml",
];

/// More of the same, over archives of the openZIM test suite.
const SAME_SUITE: &[&str] = &[
    "/small",
    "/small/A/main.html",
    "/small/main.html",
    "/small/I/favicon.png",
    "/small/favicon.png",
    "/small/-/favicon",
    "/raw/small/content/A/main.html",
    "/raw/small/content/main.html",
    "/raw/small/meta/Title",
    "/wikibooks_be_all_nopic_2017-02",
    "/wikibooks_be_all_nopic_2017-02/A/",
    "/raw/wikibooks_be_all_nopic_2017-02/meta/Counter",
    "/catalog/v2/illustration/small/?size=48",
    "/catalog/v2/illustration/wikibooks_be_all_nopic_2017-02/?size=48",
];

/// Where we differ: the address, what we answer, and why.
const OTHER: &[(&str, u16, &str, &str)] = &[
    ("/harbour/sub%20dir", 200, "text/html", "a folder is its page, as on the site it was taken from"),
    ("/harbour/sub%20dir/", 200, "text/html", "a folder is its page, as on the site it was taken from"),
    ("/harbour/What?.html", 200, "text/html", "a name with ? is found although the link forgot to encode it"),
    ("/odd/equal-1.txt", 200, "text/html", "an article in plain text is shown as a page"),
    ("/raw/harbour/content/", 200, "text/html", "nothing named is the main page, as it is of the reader"),
    ("/raw/harbour/meta", 404, "", "there is no such thing; kiwix-serve fails with status 500"),
    ("/raw/harbour/content", 404, "", "there is no such thing; kiwix-serve fails with status 500"),
    (
        "/raw/le_pharepluse/meta/Title",
        200,
        "text/plain",
        "a name without its month is known without an option",
    ),
    ("/raw/Le%20phare%2B%C3%A9_2023-05/meta/Title", 200, "text/plain", "a file's own name is a name, too"),
    (
        "/search?content=harbour&pattern=tide&format=xml",
        200,
        "application/rss+xml",
        "we search without its index",
    ),
    // Not known to 3.3; what libkiwix 12 and later answer.
    ("/content/harbour/Ebb", 200, "text/html", "libkiwix 12: a page by its path"),
    ("/content/harbour", 200, "text/html", "libkiwix 12: the main page"),
    ("/content/harbour/sound.ogg", 200, "audio/ogg", "libkiwix 12: media by its path"),
    ("/viewer", 200, "text/html", "libkiwix 12: the page whose script reads the fragment"),
    ("/nojs", 200, "text/html", "libkiwix 14: the library without scripts, which ours is"),
    ("/skin/index.css", 404, "", "files of kiwix-serve's own pages, which are not here"),
];

fn mime(answer: &Answer) -> &str {
    if answer.status == 200 { answer.mime() } else { "" }
}

#[test]
fn each_address_of_kiwix_serve_has_its_status_and_type() {
    let Some(both) = both() else { return };
    let Both { ours, theirs, has_odd, has_suite, .. } = &both;
    let mut wrong = vec![];
    let lists = [(SAME, true), (SAME_ODD, *has_odd), (SAME_SUITE, *has_suite)];
    for target in lists.iter().filter(|list| list.1).flat_map(|list| list.0) {
        for method in ["GET", "HEAD"] {
            let (own, at) = follow(ours.address, method, target);
            let (other, _) = follow(theirs.address, method, target);
            if (own.status, mime(&own)) != (other.status, mime(&other)) {
                let text = format!("{method} {target}: {} {} at {at}", own.status, own.mime());
                wrong.push(format!("{text}; kiwix-serve: {} {}", other.status, other.mime()));
            }
            if method == "HEAD" && !own.body.is_empty() {
                wrong.push(format!("HEAD {target}: has a body"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn where_an_address_is_answered_in_another_way_it_is_meant() {
    let Some(both) = both() else { return };
    for (target, status, expected, why) in OTHER {
        let (own, at) = follow(both.ours.address, "GET", target);
        assert_eq!((own.status, mime(&own)), (*status, *expected), "{target} at {at}: {why}");
        let (other, _) = follow(both.theirs.address, "GET", target);
        assert_ne!((own.status, mime(&own)), (other.status, mime(&other)), "{target}: no longer differs");
    }
}

#[test]
fn random_leads_to_articles() {
    let Some(both) = both() else { return };
    // kiwix-serve forgets to encode a question mark there, so that it is asked for nothing of the kind.
    for _ in 0..20 {
        let (page, at) = follow(both.ours.address, "GET", "/random?content=harbour");
        assert!(page.status == 200 && page.mime() == "text/html" && at.starts_with("/a/harbour/"), "{at}");
    }
}
