//! The reader in a real browser, as people use it: with script and without.

mod driver;
mod filter;
mod looks;
mod origins;
mod outside;
mod strangers;

use std::path::{Path, PathBuf};

use driver::{Browser, DOWN, ENTER, ESCAPE, Setup};
use outside::Outside;
use serde_json::{Value, json};
use tome::server::Options;

use crate::house::{Ours, pack};

/// Packs the sample, with its redirects, into a folder.
fn sample(folder: &Path) -> PathBuf {
    let archives = Path::new(env!("CARGO_MANIFEST_DIR")).join("archives");
    let to = folder.join("sample.tome");
    let redirects = archives.join("redirects.tsv");
    pack(&["--redirects", redirects.to_str().unwrap()], &archives.join("sample"), &to);
    to
}

/// Serves archives, with an access log.
fn serve(sources: Vec<PathBuf>) -> Ours {
    Ours::with(Options { sources, access_log: true, ..Options::default() })
}

/// Returns the address of a path at a server.
fn at(ours: &Ours, path: &str) -> String {
    format!("http://{}{path}", ours.address)
}

/// Fails if the browser had an answer from elsewhere, or its console an error; but that the scripts of
/// strangers were not loaded is said there, as it should be, and so is that a page is missing.
fn assert_quiet(browser: &Browser, ours: &Ours) {
    for url in browser.answered() {
        let is_ours = url.host_str() == Some(&ours.address.ip().to_string()[..]);
        assert!(is_ours || !url.scheme().starts_with("http"), "{url}");
    }
    for line in browser.console() {
        let is_refusal = line.contains("Content Security Policy") && line.contains("sampler.js");
        let is_missing = line.contains("status of 404") && line.contains("/a/sample/");
        assert!(is_refusal || is_missing, "{line}");
    }
}

#[test]
fn a_library_is_read_searched_and_listened_to() {
    let outside = Outside::open();
    let Some(browser) = Browser::start(&Setup { script: true, outside: outside.port }) else { return };
    let folder = tempfile::tempdir().unwrap();
    let ours = serve(vec![sample(folder.path()), strangers::archive(folder.path())]);
    browser.system_is("light");

    // A title with slips in it, chosen with the keyboard.
    browser.goto(&at(&ours, "/"));
    browser.until_true("document.querySelectorAll('.card h2 a').length === 2");
    browser.press("/");
    browser.press("Mexico-Rusia relatons");
    let list = "document.querySelector('[id^=tome-bar-]').shadowRoot";
    browser.until_true(&format!("{list}.querySelector('[role=option]:not(.all)')"));
    let option = browser.in_bar("[role=option]");
    assert!(browser.text(&option).starts_with("Mexico–Russia relations"), "{}", browser.text(&option));
    browser.press(DOWN);
    let field = browser.in_bar("#q");
    assert_eq!(browser.attribute(&field, "aria-activedescendant").as_deref(), Some("option-0"));
    browser.press(ESCAPE);
    assert_eq!(browser.attribute(&field, "aria-expanded").as_deref(), Some("false"));
    browser.press(DOWN);
    browser.until_true(&format!("{list}.getElementById('q').getAttribute('aria-expanded') === 'true'"));
    browser.press(DOWN);
    browser.press(ENTER);
    browser.until_at("/a/sample/Mexico%E2%80%93Russia_relations.html");
    assert_eq!(browser.text(&browser.find("h1")), "Mexico–Russia relations");

    // A link, and the contents, in which the section that is read is marked.
    browser.click_in_page("main a[href^='Soviet_Union']");
    browser.until_at("/a/sample/Soviet_Union.html");
    browser.click(&browser.in_bar("#contents summary"));
    browser.click(&browser.in_bar("#contents a[href$='#Foreign_relations']"));
    browser.until_at("#Foreign_relations");
    browser.until_true("document.getElementById('Foreign_relations').getBoundingClientRect().top < 120");
    browser.until_true("document.getElementById('Foreign_relations').getBoundingClientRect().top >= 0");
    assert_eq!(browser.attribute(&browser.in_bar("#contents"), "open"), None);
    // The bar has gone with the scrolling, and comes back with the focus.
    browser.run("scrollBy(0, -20)");
    browser.until_true("!document.querySelector('[id^=tome-bar-]').hasAttribute('data-away')");
    browser.click(&browser.in_bar("#contents summary"));
    browser.until_true(&format!("{list}.querySelector('#contents [aria-current]')"));
    let marked = browser.attribute(&browser.in_bar("#contents [aria-current]"), "href").unwrap();
    assert!(marked.ends_with("#Foreign_relations") || marked.ends_with("#Dissolution"), "{marked}");

    // Colours that stay.
    let light = browser.lightness("article-light");
    browser.click(&browser.in_bar("#settings summary"));
    browser.click(&browser.in_bar("#settings input[value=dark]"));
    browser.press(ESCAPE);
    let dark = browser.lightness("article-dark");
    assert!(dark + 80 < light, "{light} to {dark}");
    browser.reload();
    browser.until_at("/a/sample/Soviet_Union.html#Foreign_relations");
    browser.until("the page is dark again", || browser.lightness("article-dark-again") + 80 < light);

    // Back, and a bookmark, kept by the browser and given out as a file.
    browser.back();
    browser.until_at("/a/sample/Soviet_Union.html");
    browser.back();
    browser.until_at("/a/sample/Mexico%E2%80%93Russia_relations.html");
    // Where it was left, further down, the bar is away.
    browser.run("scrollTo(0, 0)");
    browser.until_true("!document.querySelector('[id^=tome-bar-]').hasAttribute('data-away')");
    browser
        .until_true("getComputedStyle(document.querySelector('[id^=tome-bar-]')).visibility === 'visible'");
    let bookmark = browser.in_bar("#bookmark");
    assert_eq!(browser.attribute(&bookmark, "aria-pressed").as_deref(), Some("false"));
    browser.click(&bookmark);
    assert_eq!(browser.attribute(&bookmark, "aria-pressed").as_deref(), Some("true"));
    browser.click(&browser.in_bar("#settings summary"));
    browser.click(&browser.in_bar("#settings a"));
    browser.until_at("/saved");
    assert_eq!(browser.text(&browser.find("#bookmarks a")), "Mexico–Russia relations");
    assert_eq!(browser.run("return document.querySelectorAll('#history a').length"), json!(2));
    browser.click(&browser.find("#export"));
    let file = browser.folder.path().join("tome-bookmarks.json");
    let mut exported = None;
    browser.until("the bookmarks are a file", || {
        exported = std::fs::read(&file).ok().and_then(|b| serde_json::from_slice::<Value>(&b).ok());
        exported.is_some()
    });
    let exported = exported.unwrap();
    assert_eq!(exported["bookmarks"][0]["path"], json!("/a/sample/Mexico%E2%80%93Russia_relations.html"));
    assert_eq!(exported["settings"]["theme"], json!("dark"));

    // A search, and what it found.
    let field = browser.in_bar("#q");
    browser.type_in(&field, "Kollontai diplomat");
    browser.type_in(&field, ENTER);
    browser.until("a page of hits", || browser.url().contains("/search?"));
    browser.until_true("document.querySelector('.hits b')");
    browser.picture("search-dark");
    browser.click(&browser.find(".hits a"));
    browser.until("an article", || browser.url().contains("/a/sample/"));
    assert!(browser.text(&browser.find("body")).contains("Kollontai"));

    // Sound, from the middle of it.
    browser.goto(&at(&ours, "/a/sample/Tuning_fork.html"));
    browser.run("document.querySelector('audio').play()");
    browser.until_true("document.querySelector('audio').currentTime > 0");
    browser.run("const a = document.querySelector('audio'); a.currentTime = a.duration * 0.6");
    browser.until_true(
        "(a => !a.seeking && a.currentTime >= a.duration * 0.6)(document.querySelector('audio'))",
    );
    let is_part = |line: &String| line.contains("/media/tuning-fork.wav") && line.contains("\" 206 ");
    assert!(ours.said().iter().any(is_part), "{:#?}", ours.said());

    assert_quiet(&browser, &ours);
    assert_eq!(outside.knocks(), 0);
}

#[test]
fn without_script_everything_that_is_read_is_there() {
    let outside = Outside::open();
    let Some(browser) = Browser::start(&Setup { script: false, outside: outside.port }) else { return };
    let folder = tempfile::tempdir().unwrap();
    let ours = serve(vec![sample(folder.path()), strangers::archive(folder.path())]);

    browser.goto(&at(&ours, "/"));
    assert_eq!(browser.run("return document.documentElement.dataset.tomeTheme ?? null"), Value::Null);
    browser.click(&browser.find(".card a[href$='/a/sample/']"));
    browser.until_at("/a/sample/index.html");
    let field = browser.in_bar("#q");
    browser.type_in(&field, "exile in Coyoacán");
    browser.type_in(&field, ENTER);
    browser.until("a page of hits", || browser.url().contains("/search?"));
    browser.picture("search-without-script");
    browser.click(&browser.find(".hits a"));
    browser.until("an article", || browser.url().contains("/a/sample/"));

    // Neither are there buttons that would do nothing.
    browser.goto(&at(&ours, "/a/sample/Soviet_Union.html"));
    for id in ["#settings", "#bookmark"] {
        assert!(browser.attribute(&browser.in_bar(id), "hidden").is_some(), "{id}");
    }
    browser.click(&browser.in_bar("#contents summary"));
    browser.picture("contents-without-script");
    browser.click(&browser.in_bar("#contents a[href$='#Republics']"));
    browser.until_at("/a/sample/Soviet_Union.html#Republics");
    browser.click_in_page("main a[href$='.html']");
    browser.until("another article", || !browser.url().contains("Soviet_Union"));

    browser.goto(&at(&ours, "/a/sample/Soviet_Unoin.html"));
    let near = browser.find(".near a");
    assert_eq!(browser.text(&near), "Soviet Union");
    browser.click(&near);
    browser.until_at("/a/sample/Soviet_Union.html");
    browser.goto(&at(&ours, "/saved"));
    assert!(!browser.text(&browser.find("main")).is_empty());
    assert_eq!(browser.run("return document.getElementById('saved').hidden"), json!(true));
    assert_quiet(&browser, &ours);
    assert_eq!(outside.knocks(), 0);
}
