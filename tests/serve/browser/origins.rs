//! An archive whose scripts may run, on an origin of its own: the bar leads from there to the library.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tome::server::Options;

use super::driver::{Browser, DOWN, ENTER, Setup};
use super::outside::Outside;
use super::sample;
use crate::house::{Ours, pack};

/// Packs two pages with a script.
fn games(folder: &Path) -> PathBuf {
    let from = folder.join("games");
    std::fs::create_dir_all(&from).unwrap();
    let page = |title: &str, rest: &str| {
        format!(
            "<!doctype html><html lang=en><head><meta charset=utf-8><title>{title}</title></head><body>
            <h1>{title}</h1><script src=game.js></script><h2 id=rules>Rules</h2><p>marble and slate</p>
            <h2 id=moves>Moves</h2>{rest}</body></html>"
        )
    };
    let more = "<p>rook".repeat(200);
    for (name, text) in [
        ("index.html", page("All games", "<a href='chess & go.html'>play</a>")),
        ("chess & go.html", page("Chess “&” <b>go</b>".replace('<', "&lt;").as_str(), &more)),
        ("game.js", "window.ran = true;".to_owned()),
    ] {
        std::fs::write(from.join(name), text).unwrap();
    }
    let to = folder.join("games.tome");
    pack(&[], &from, &to);
    to
}

/// Serves the sample and the games, under a root; returns the addresses of library and games.
fn serve(folder: &Path) -> (Ours, String, String) {
    let ours = Ours::with(Options {
        sources: vec![sample(folder), games(folder)],
        allow_scripts: vec!["games".into()],
        root: "/wiki".into(),
        ..Options::default()
    });
    let port = ours.address.port();
    (ours, format!("http://localhost:{port}/wiki"), format!("http://games.localhost:{port}/wiki"))
}

#[test]
fn every_way_of_the_bar_leads_on_from_an_origin_of_its_own() {
    let outside = Outside::open();
    let Some(browser) = Browser::start(&Setup { script: true, outside: outside.port }) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (_ours, library, own) = serve(folder.path());
    let is_at = |address: &str| {
        browser.until(address, || browser.url() == address);
        browser.until_true("document.readyState === 'complete'");
    };
    let (index, chess) =
        (format!("{own}/a/games/index.html"), format!("{own}/a/games/chess%20%26%20go.html"));

    // From its card in the library, and on by a link of its own.
    browser.goto(&format!("{library}/"));
    browser.click(&browser.find(".card a[href$='/a/games/']"));
    is_at(&index);
    browser.until_true("window.ran");
    browser.click_in_page("a[href^=chess]");
    browser.until("the second page", || browser.url().starts_with(&format!("{own}/a/games/chess")));
    browser.goto(&chess);

    // Contents.
    browser.click(&browser.in_bar("#contents summary"));
    browser.click(&browser.in_bar("#contents a[href$='#moves']"));
    browser.until_at("#moves");
    assert!(browser.url().starts_with(&own), "{}", browser.url());
    browser.run("scrollTo(0, 0)");
    browser
        .until_true("getComputedStyle(document.querySelector('[id^=tome-bar-]')).visibility === 'visible'");

    // Settings stay; what was read does not.
    browser.click(&browser.in_bar("#settings summary"));
    browser.click(&browser.in_bar("#settings input[value=dark]"));
    browser.goto(&chess);
    browser.until_true("document.documentElement.getAttribute('data-tome-theme') === 'dark'");
    let kept = browser.run("return JSON.parse(localStorage.getItem('tome'))");
    assert_eq!((&kept["history"], &kept["bookmarks"]), (&json!([]), &json!([])), "{kept}");

    // The archive's title.
    browser.click(&browser.in_bar(".title"));
    is_at(&index);

    // Suggestions.
    let field = browser.in_bar("#q");
    browser.type_in(&field, "Ches");
    let list = "document.querySelector('[id^=tome-bar-]').shadowRoot.getElementById('list')";
    browser.until_true(&format!("{list}.querySelectorAll('[role=option]').length === 2"));
    browser.press(DOWN);
    browser.press(ENTER);
    is_at(&chess);

    // A search, which is the library's, and back from it.
    let field = browser.in_bar("#q");
    browser.type_in(&field, "slate");
    browser.type_in(&field, ENTER);
    browser.until("a page of hits", || browser.url().starts_with(&format!("{library}/search?")));
    browser.click(&browser.find(".hits a[href$='index.html']"));
    is_at(&index);

    // An article by chance.
    browser.click(&browser.in_bar("a[href*='/random?']"));
    browser.until("an article", || [&index, &chess].contains(&&browser.url()));

    // What is kept, which is nothing.
    browser.goto(&chess);
    browser.click(&browser.in_bar("#settings summary"));
    browser.click(&browser.in_bar("#settings .more"));
    is_at(&format!("{library}/saved"));
    let rows = "return document.querySelectorAll('.kept a').length";
    assert_eq!(browser.run(rows), json!(0));
    assert_eq!(browser.run("return document.getElementById('add').hidden"), json!(true));

    // A bookmark is asked for, and made by a click.
    browser.goto(&chess);
    browser.click(&browser.in_bar("#add"));
    browser.until("a question", || browser.url().starts_with(&format!("{library}/saved#add=")));
    browser.until_true("!document.getElementById('add').hidden");
    let question = browser.text(&browser.find("#add"));
    assert!(question.contains("Chess “&” <b>go"), "{question}");
    assert!(question.contains("/a/games/chess & go.html"), "{question}");
    assert_eq!(browser.run(rows), json!(0));
    browser.picture("bookmark-asked");
    browser.click(&browser.find("#add-it"));
    assert!(browser.text(&browser.find("#bookmarks")).starts_with("Chess “&” <b>go"));
    is_at(&format!("{library}/saved"));
    browser.reload();
    browser.until_true("document.querySelectorAll('#bookmarks a').length === 1");
    assert_eq!(browser.run("return document.getElementById('add').hidden"), json!(true));
    browser.click(&browser.find("#bookmarks a"));
    is_at(&chess);

    // The library.
    browser.click(&browser.in_bar("nav > a"));
    is_at(&format!("{library}/"));
    assert_eq!(outside.knocks(), 0);
}

#[test]
fn who_asks_for_a_bookmark_of_something_else_is_not_heard() {
    let outside = Outside::open();
    let Some(browser) = Browser::start(&Setup { script: true, outside: outside.port }) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (_ours, library, _) = serve(folder.path());
    for asked in [
        "",
        "add=",
        "add=javascript:alert(1)&title=x",
        "add=//outside.test/a/&title=x",
        "add=http://outside.test/a/x",
        "add=/saved",
        "add=/a/../saved",
        "add=/a/%252e%252e/saved",
        "add=/a/x?y",
        "add=/a/x%23y",
        "title=x",
    ] {
        browser.goto(&format!("{library}/saved?{}#{asked}", asked.len()));
        browser.until_true("!document.getElementById('saved').hidden");
        assert_eq!(browser.run("return document.getElementById('add').hidden"), json!(true), "{asked}");
    }
    // What is asked is text, and cut.
    let title = format!("<img src=x onerror=window.planted=1>{}", "long ".repeat(200));
    browser.goto(&format!("{library}/saved#add=/a/x/%25zz%253Cb%253E&title={}", title.replace('<', "%3C")));
    browser.until_true("!document.getElementById('add').hidden");
    assert_eq!(browser.run("return document.querySelectorAll('#add img, #add b').length"), json!(0));
    assert_eq!(browser.run("return window.planted ?? null"), Value::Null);
    let shown = browser.run("return document.getElementById('add-title').textContent.length");
    assert!(shown.as_u64().unwrap() < 400, "{shown}");
    assert_eq!(browser.run("return localStorage.getItem('tome')"), Value::Null);
}
