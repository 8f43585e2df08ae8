//! Whether pages can be used by everybody, on any screen.

use std::path::PathBuf;

use serde_json::Value;

use super::driver::{Browser, ESCAPE, Setup, missing};
use super::outside::Outside;
use super::{at, sample, serve};

/// Pages of ours, and pages of the sample with our bar. A page's name, its address, and whether all of
/// it is ours.
const PAGES: [(&str, &str, bool); 8] = [
    ("library", "/", true),
    ("search", "/search?q=mexico", true),
    ("no-hits", "/search?q=zzzzqqqq", true),
    ("saved", "/saved", true),
    ("missing", "/a/sample/Mexico_Rusia", true),
    ("external", "/external?to=https://example.org/", true),
    ("api", "/api", true),
    ("article", "/a/sample/Mexico%E2%80%93Russia_relations.html", false),
];

/// Returns axe-core, the npm package, from where `TOME_AXE` says or where `.ci/run` unpacks it.
fn axe() -> Option<String> {
    let usual = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/axe/package/axe.min.js");
    let path = std::env::var_os("TOME_AXE").map_or_else(usual, PathBuf::from);
    let found = std::fs::read_to_string(&path).ok();
    if found.is_none() {
        missing("axe-core");
    }
    found
}

/// Returns what axe-core finds serious on a page, without what is the content's own.
fn faults(browser: &Browser, axe: &str, is_ours: bool) -> Vec<String> {
    browser.run(axe);
    let found = browser.run_and_wait(
        "const done = arguments[arguments.length - 1];
        axe.run(document, { resultTypes: ['violations'] })
            .then(found => done(found.violations), fault => done(String(fault)))",
    );
    let found = found.as_array().unwrap_or_else(|| panic!("{found}"));
    let mut out = vec![];
    for violation in found.iter().filter(|v| v["impact"] == "serious" || v["impact"] == "critical") {
        for node in violation["nodes"].as_array().unwrap() {
            // What is in a shadow tree has a list of ways to it.
            let target = &node["target"][0];
            let is_bar = target[0].as_str().or(target.as_str()).is_some_and(|t| t.contains("tome-bar"));
            if is_ours || is_bar || target == "html" {
                out.push(format!("{} {}: {}", violation["id"], node["target"], node["failureSummary"]));
            }
        }
    }
    out
}

#[test]
fn pages_can_be_used_by_everybody() {
    let Some(axe) = axe() else { return };
    let outside = Outside::open();
    let Some(browser) = Browser::start(&Setup { script: true, outside: outside.port }) else { return };
    let folder = tempfile::tempdir().unwrap();
    let ours = serve(vec![sample(folder.path()), super::strangers::archive(folder.path())]);
    let mut found = vec![];
    for width in [360, 1280] {
        for theme in ["light", "dark"] {
            browser.wide(width);
            browser.system_is(theme);
            for (name, path, is_ours) in PAGES {
                browser.goto(&at(&ours, path));
                let name = format!("{name}-{width}-{theme}");
                browser.picture(&name);
                found.extend(faults(&browser, &axe, is_ours).iter().map(|fault| format!("{name}: {fault}")));
                if is_ours {
                    continue;
                }
                // The same with what opens: contents, settings, suggestions.
                for menu in ["#contents", "#settings"] {
                    browser.click(&browser.in_bar(&format!("{menu} summary")));
                    browser.picture(&format!("{name}-{}", &menu[1..]));
                    let more = faults(&browser, &axe, false);
                    found.extend(more.iter().map(|fault| format!("{name} {menu}: {fault}")));
                    browser.press(ESCAPE);
                }
                let field = browser.in_bar("#q");
                browser.type_in(&field, "mex");
                browser.until_true(
                    "!document.querySelector('[id^=tome-bar-]').shadowRoot.getElementById('list').hidden",
                );
                browser.picture(&format!("{name}-list"));
                let more = faults(&browser, &axe, false);
                found.extend(more.iter().map(|fault| format!("{name} list: {fault}")));
            }
        }
    }
    // A page that is at fault is found out.
    browser.run("document.querySelector('html').removeAttribute('lang')");
    assert!(faults(&browser, &axe, false).iter().any(|fault| fault.contains("html-has-lang")));
    assert!(found.is_empty(), "{found:#?}");
    assert_eq!(outside.knocks(), 0);
}

#[test]
fn nothing_is_wider_than_a_small_screen() {
    let outside = Outside::open();
    let Some(browser) = Browser::start(&Setup { script: true, outside: outside.port }) else { return };
    let folder = tempfile::tempdir().unwrap();
    let sample = sample(folder.path());
    let articles = std::process::Command::new(env!("CARGO_BIN_EXE_tome"))
        .args(["list", "-q", "--json", "--kind", "article"])
        .arg(&sample)
        .output()
        .unwrap();
    let articles = String::from_utf8(articles.stdout).unwrap();
    let paths = articles.lines().filter_map(|line| {
        let entry: Value = serde_json::from_str(line).ok()?;
        Some(entry["path"].as_str()?.to_owned())
    });
    let paths: Vec<String> = paths.collect();
    assert!(paths.len() > 40, "{articles}");
    let ours = serve(vec![sample]);
    browser.wide(360);
    let mut wide = vec![];
    let articles = paths.iter().map(|path| {
        let mut url = url::Url::parse(&at(&ours, "/a/sample/")).unwrap();
        url.path_segments_mut().unwrap().pop().extend(path.split('/'));
        url.to_string()
    });
    for url in PAGES.iter().map(|(_, path, _)| at(&ours, path)).chain(articles) {
        browser.goto(&url);
        let overflow = browser.run("return document.scrollingElement.scrollWidth - innerWidth");
        if overflow.as_i64().unwrap() > 0 {
            wide.push(format!("{url}: {overflow}"));
        }
    }
    assert!(wide.is_empty(), "{wide:#?}");
}
