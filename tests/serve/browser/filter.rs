//! The library's filter: it leaves the same cards with script and without.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tome::item::About;

use super::driver::{Browser, ENTER, Setup};
use super::outside::Outside;
use super::{at, serve};
use crate::house::{article, write};

/// Writes archives by name, title, description and language.
fn shelf(folder: &Path) -> Vec<PathBuf> {
    let archives = [
        ("a", "Harbours of the North", "Piers and quays", "eng"),
        ("b", "Boats", "From the harbour to the sea", "eng,fra"),
        ("c", "Montagnes", "Des sommets", "fra"),
        ("d", "Granite", "A stone of 12 kinds", "deu"),
    ];
    let one = |(name, title, description, language): (&str, &str, &str, &str)| {
        let file = folder.join(name).with_extension("tome");
        let mut about = About { main: Some("index.html".into()), ..About::default() };
        for (key, text) in [("title", title), ("description", description), ("language", language)] {
            about.metadata.set_text(key, text);
        }
        write(&file, vec![article("index.html", title, "<p>text")], &about);
        file
    };
    archives.into_iter().map(one).collect()
}

/// Returns the titles that are seen, and what is said of them.
fn seen(browser: &Browser) -> Value {
    browser.run(
        "const seen = (element) => element.getClientRects().length > 0;
        const cards = [...document.querySelectorAll('.card')].filter(seen);
        return [cards.map(card => card.querySelector('h2').textContent), document.getElementById('count').textContent,
            seen(document.getElementById('none'))]",
    )
}

/// What is typed, and what is seen then.
fn cases() -> Vec<(&'static str, Value)> {
    let all = json!([["Harbours of the North", "Boats", "Montagnes", "Granite"], "4 archives", false]);
    vec![
        ("HARBOUR", json!([["Harbours of the North", "Boats"], "2 of 4 archives", false])),
        ("français", json!([["Boats", "Montagnes"], "2 of 4 archives", false])),
        ("1 article", json!([[], "0 of 4 archives", true])),
        (" stone of 12 ", json!([["Granite"], "1 of 4 archives", false])),
        ("", all),
    ]
}

#[test]
fn the_filter_leaves_the_same_cards_with_script_and_without() {
    let outside = Outside::open();
    let folder = tempfile::tempdir().unwrap();
    let ours = serve(shelf(folder.path()));
    for script in [true, false] {
        let Some(browser) = Browser::start(&Setup { script, outside: outside.port }) else { return };
        for (text, expected) in cases() {
            // By an address, and by what is typed.
            let mut address = url::Url::parse(&at(&ours, "/")).unwrap();
            address.query_pairs_mut().append_pair("q", text);
            browser.until("all are open", || {
                browser.goto(address.as_str());
                browser.run("return document.querySelectorAll('.card h2 a').length") == 4
            });
            assert_eq!(seen(&browser), expected, "{text:?} by address, script: {script}");
            browser.goto(&at(&ours, "/"));
            browser.type_in(
                &browser.find("#filter [name=q]"),
                &format!("{text}{}", if script { "" } else { ENTER }),
            );
            if !script {
                browser.until("an answer", || browser.url().contains("?q="));
            }
            browser.until_true("document.readyState === 'complete'");
            assert_eq!(seen(&browser), expected, "{text:?} typed, script: {script}");
        }
        // A language is chosen by the server, and the text goes on from there.
        browser.goto(&at(&ours, "/?q=harbour&lang=fr"));
        assert_eq!(seen(&browser), json!([["Boats"], "1 of 4 archives", false]));
        assert_eq!(browser.run("return document.getElementById('count').getAttribute('role')"), "status");
        if script {
            let clear = "const field = document.querySelector('#filter [name=q]'); field.value = '';
                field.dispatchEvent(new Event('input'))";
            browser.run(clear);
            assert_eq!(seen(&browser), json!([["Boats", "Montagnes"], "2 of 4 archives", false]));
            browser.goto(&at(&ours, "/?q=harbour"));
            browser.run(clear);
            assert_eq!(seen(&browser), cases().pop().unwrap().1);
        }
    }
}
