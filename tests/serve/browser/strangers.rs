//! Pages of people who mean no good: in a browser, none of what they planted runs or leaves.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tome::server::Options;

use super::driver::{Browser, Setup};
use super::outside::Outside;
use super::{at, sample};
use crate::client::get;
use crate::house::{Ours, pack};

/// Time for what only waits to happen.
const REST: std::time::Duration = std::time::Duration::from_millis(400);

/// What a planted script does: each of it can be seen.
const PLANTED: &str = "document.title = 'planted'; window.planted = 1; localStorage.setItem('planted', '1'); \
                       fetch('/canary')";

/// Packs a folder of pages that try what there is to try.
pub fn archive(folder: &Path) -> PathBuf {
    let from = folder.join("strangers");
    std::fs::create_dir_all(&from).unwrap();
    let put = |name: &str, text: String| std::fs::write(from.join(name), text).unwrap();
    let head = "<!doctype html><html lang=en><head><meta charset=utf-8>";
    put(
        "index.html",
        format!(
            "{head}<title>Strangers</title><script>{PLANTED}</script><script src=planted.js></script>
            <script src=http://outside.test/x.js></script>
            <link rel=stylesheet href=http://outside.test/x.css>
            <link rel=dns-prefetch href=//outside.test><link rel=prefetch href=http://outside.test/p>
            <style>@import url(http://outside.test/y.css); body {{ background: url(//outside.test/b.png) }}
            @font-face {{ font-family: f; src: url(http://outside.test/f) }} p {{ font-family: f }}</style>
            </head><body onload=\"{PLANTED}\"><h1 onclick=\"{PLANTED}\">Strangers &lt;b&gt; say</h1>
            <p id=one>one</p><img src=none.png onerror=\"{PLANTED}\">
            <img src=http://outside.test/beacon.png><img srcset='http://outside.test/beacon2.png 1x'>
            <audio src=http://outside.test/a.wav autoplay></audio><video poster=http://outside.test/v.png></video>
            <a id=run href=\"javascript:{PLANTED}\">run</a>
            <svg width=10 height=10 onload=\"{PLANTED}\"><script>{PLANTED}</script></svg>
            <iframe src=\"javascript:{PLANTED}\"></iframe>
            <iframe srcdoc=\"<script>parent.document.title='planted';{PLANTED}</script>\"></iframe>
            <iframe src=inner.html></iframe><object data=picture.svg></object><embed src=picture.svg>
            <img src=picture.svg><form name=title></form><img name=getElementById><img name=currentScript>
            <form id=out action=http://outside.test/form><input name=q value=1><button id=send>send</button></form>
            <form action=index.html><button id=send-too formaction=//outside.test/form>send</button></form>
            <svg><style><p><form action=http://outside.test/svg></form></style></svg>
            <details open ontoggle=\"{PLANTED}\"><summary>s</summary></details>
            <input autofocus onfocus=\"{PLANTED}\"></body></html>"
        ),
    );
    put("planted.js", PLANTED.into());
    // A browser connects for these before it asks any policy, so they must not be in what we show. Where
    // the page is wanted as it is, they are.
    put(
        "connect.html",
        format!(
            "{head}<title>C</title><link rel=preconnect href=http://outside.test><body>
            <iframe src=http://outside.test/frame></iframe><iframe src='//outside.test/frame'></iframe>
            <iframe srcdoc='<link rel=preconnect href=http://outside.test>'></iframe>
            <iframe srcdoc='<iframe src=http://outside.test/x></iframe>'></iframe>
            <object data=http://outside.test/o></object><embed src=http://outside.test/e>
            <svg><style><p><iframe src=http://outside.test/svg></iframe></style></svg>
            <script><!--<script></script><a title='</script><link rel=preconnect href=//outside.test>'>a</a>"
        ),
    );
    // What a browser reads one way with scripts and another without, or by rules of its own.
    let long = "A".repeat(5000);
    let refresh = "<meta http-equiv=refresh content=\"0;url=http://outside.test/r\">";
    for (name, page) in [
        (
            "noscript",
            format!(
                "{head}<title>N</title><body><p>x<noscript><!--</noscript><link rel=preconnect \
                 href=http://outside.test>--></noscript><noscript><style></noscript>{refresh}</style></noscript>"
            ),
        ),
        (
            "long",
            format!(
                "{head}<title>L</title><body><svg><style><p><meta title=\"{long}\" http-equiv=refresh \
                 content=\"0;url=http://outside.test/r\"></style></svg>"
            ),
        ),
        ("frameset", "<frameset cols=*><title><frame src=http://outside.test/fs></title></frameset>".into()),
    ] {
        put(&format!("reading-{name}.html"), page);
    }
    // Bars of their own, by the name that ours would have, and by one that it might have.
    let bar = |id: &str| {
        format!(
            "<div id='{id}' class=bar-of-theirs data-archive=evil data-title=evil><template shadowrootmode=open>\
             <nav><input id=q><ul id=list></ul><div id=said></div><details id=settings></details>\
             <button id=bookmark></button></nav><template id=words></template></template></div>"
        )
    };
    let bars = bar("tome-bar") + &bar("tome&#45;bar-0123456789abcdef");
    let hide = "<style>[id^=tome-bar] { display: none !important; visibility: hidden !important }</style>";
    let start = "<html lang=en><head><meta charset=utf-8><title>Bars</title>";
    put("bars-before.html", format!("<!doctype html>{bars}{start}{hide}</head><body><p>text"));
    put("bars-head.html", format!("<!doctype html>{start}{hide}{bars}</head><body><p>text"));
    put(
        "bars-after.html",
        format!("<!doctype html>{start}{hide}</head><body><p>text</p>{bars}</body></html>{hide}"),
    );
    put("inner.html", format!("{head}<title>Inner</title><body><script>{PLANTED};parent.planted=1</script>"));
    put(
        "base.html",
        format!("{head}<title>B</title><base href=http://outside.test/><body><img src=i.png>base"),
    );
    for delay in ["0", "0.2"] {
        let refresh = format!("<meta http-equiv=refresh content='{delay};url=http://outside.test/refresh'>");
        put(&format!("refresh-{delay}.html"), format!("{head}<title>R</title>{refresh}<body>refresh"));
    }
    put(
        "picture.svg",
        format!(
            "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9' onload=\"{PLANTED}\">\
             <script>{PLANTED}</script><image href='http://outside.test/i.png'/></svg>"
        ),
    );
    // XML in which HTML stands, and pages that show others as they are stored.
    let within = "<h:link xmlns:h='http://www.w3.org/1999/xhtml' rel='preconnect' href='http://outside.test/'/>\
        <h:iframe xmlns:h='http://www.w3.org/1999/xhtml' src='http://outside.test/f'/>";
    put("html.svg", format!("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'>{within}</svg>"));
    put("html.xml", format!("<all>{within}</all>"));
    // What is written in no tag's own way: a tag that closes itself, one that does not end, a style sheet that
    // makes HTML of anything, and a charset that hides the name of its namespace.
    put(
        "closed.xhtml",
        "<html xmlns='http://www.w3.org/1999/xhtml'><head><title/><link rel='preconnect' \
         href='http://outside.test/'/></head><body><script src='a.js'/><iframe src='http://outside.test/f'/>\
         </body></html>"
            .into(),
    );
    put("unended-link.html", "<link rel=preconnect href=\"http://outside.test/".into());
    put("unended-meta.html", "text <meta http-equiv=refresh content='0;url=http://outside.test/' x".into());
    put(
        "sheet.xml",
        "<?xml version='1.0'?><?xml-stylesheet type='text/xml' href='#s'?><d><xsl:stylesheet xml:id='s' \
         version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform'><xsl:output method='html'/>\
         <xsl:template match='/'><html><head><link rel='preconnect' href='http://outside.test/'/></head><body>\
         <iframe src='http://outside.test/f'/></body></html></xsl:template></xsl:stylesheet></d>"
            .into(),
    );
    let jis = "<l:link xmlns:l='http://www.w3.org/1999/xh\u{1b}(Btml' rel='preconnect' href='http://outside.test/'/>";
    put(
        "charset.svg",
        format!(
            "<?xml version='1.0'{} encoding='ISO-2022-JP'?><svg xmlns='http://www.w3.org/2000/svg'>{jis}</svg>",
            " ".repeat(2000)
        ),
    );
    put("charset.xml", format!("<?xml version='1.0'?><d><meta charset='ISO-2022-JP'/>{jis}</d>"));
    let stored = ["connect.html", "html.svg", "html.xml"].map(|name| {
        let api = format!("../../api/content?archive=strangers&amp;path={name}&amp;form");
        format!(
            "<iframe src=../../raw/strangers/content/{name}></iframe><iframe src='{api}=raw'></iframe>\
             <object data=../../raw/strangers/content/{name}></object><embed src={name}><iframe src={name}></iframe>\
             <iframe src='{api}=html'></iframe><img src={name}>"
        )
    });
    put("stored.html", format!("{head}<title>S</title><body>{}", stored.concat()));
    put(
        "leads.html",
        format!(
            "{head}<title>L</title><meta http-equiv=refresh content='0;url=../../raw/strangers/content/connect.html'>"
        ),
    );
    put("words.txt", format!("<html><body><script>{PLANTED}</script>"));
    put("said.md", format!("# Said\n\n<script>{PLANTED}</script>\n\n[go](javascript:alert(1))\n"));
    let to = folder.join("strangers.tome");
    pack(&[], &from, &to);
    to
}

#[test]
fn what_strangers_planted_does_not_run_and_nothing_leaves() {
    let outside = Outside::open();
    let Some(browser) = Browser::start(&Setup { script: true, outside: outside.port }) else { return };
    let folder = tempfile::tempdir().unwrap();
    let ours = super::serve(vec![archive(folder.path())]);
    let sent = get(ours.address, "/a/strangers/index.html");
    assert!(sent.text().contains(PLANTED) && sent.text().contains("outside.test/beacon.png"));

    let pages = [
        "/a/strangers/index.html",
        "/a/strangers/connect.html",
        "/a/strangers/html.svg",
        "/a/strangers/html.xml",
        "/a/strangers/stored.html",
        "/a/strangers/closed.xhtml",
        "/a/strangers/unended-link.html",
        "/a/strangers/unended-meta.html",
        "/a/strangers/sheet.xml",
        "/a/strangers/charset.svg",
        "/a/strangers/charset.xml",
        "/a/strangers/reading-noscript.html",
        "/a/strangers/reading-long.html",
        "/a/strangers/reading-frameset.html",
        "/a/strangers/inner.html",
        "/a/strangers/base.html",
        "/a/strangers/refresh-0.html",
        "/a/strangers/refresh-0.2.html",
        "/a/strangers/picture.svg",
        "/a/strangers/words.txt",
        "/a/strangers/said.md",
        "/raw/strangers/content/index.html",
        "/raw/strangers/content/inner.html",
        "/raw/strangers/content/picture.svg",
        "/raw/strangers/content/words.txt",
        "/raw/strangers/content/base.html",
        "/raw/strangers/content/refresh-0.html",
        "/raw/strangers/content/refresh-0.2.html",
        "/raw/strangers/content/connect.html",
        "/raw/strangers/content/html.svg",
        "/a/strangers/leads.html",
        "/search?q=planted",
    ];
    for page in pages {
        // Pages are shown where they are looked through.
        let shown = match page {
            "/raw/strangers/content/picture.svg" | "/raw/strangers/content/words.txt" => page.to_owned(),
            "/a/strangers/leads.html" => "/a/strangers/connect.html".to_owned(),
            page => page.replace("/raw/strangers/content/", "/a/strangers/"),
        };
        let address = at(&ours, &shown);
        browser.goto(&at(&ours, page));
        browser.until_true("document.readyState === 'complete'");
        std::thread::sleep(REST);
        assert_eq!(browser.url(), address);
        assert_eq!(outside.knocks(), 0, "{page}");
        let ran = browser.run("return [window.planted ?? null, localStorage.getItem('planted')]");
        assert_eq!(ran, json!([null, null]), "{page}");
        assert_ne!(browser.run("return document.querySelector('title')?.textContent"), "planted", "{page}");
    }

    // Bars of theirs are none of ours, wherever they stand and whatever they are called.
    for page in ["before", "head", "after"] {
        browser.goto(&at(&ours, &format!("/a/strangers/bars-{page}.html")));
        let id = browser.bar_id();
        let ours = format!("document.getElementById('{id}')");
        browser.until_true(&format!("{ours}.hasAttribute('data-script')"));
        let others = "return document.querySelectorAll('.bar-of-theirs[data-script]').length";
        assert_eq!(browser.run(others), json!(0), "{page}");
        assert_eq!(
            browser.run("return document.querySelectorAll('.bar-of-theirs').length"),
            json!(2),
            "{page}"
        );
        assert_eq!(browser.run(&format!("return getComputedStyle({ours}).display")), "block", "{page}");
        let field = browser.in_bar("#q");
        browser.type_in(&field, "inn");
        browser.until_true(&format!("!{ours}.shadowRoot.getElementById('list').hidden"));
        let kept = browser.run("return JSON.parse(localStorage.getItem('tome')).history[0].archive");
        assert_eq!(kept, "Strangers", "{page}");
    }

    // What waits for a click.
    for id in ["#run", "h1", "#send", "#send-too"] {
        let address = at(&ours, "/a/strangers/index.html");
        browser.goto(&address);
        browser.click_in_page(id);
        std::thread::sleep(REST);
        assert_eq!(outside.knocks(), 0, "{id}");
        assert_eq!(browser.url(), address, "{id}");
        let ran = browser.run("return [window.planted ?? null, localStorage.getItem('planted')]");
        assert_eq!(ran, json!([null, null]), "{id}");
    }
    // Our bar works among them all the same.
    let field = browser.in_bar("#q");
    browser.type_in(&field, "inn");
    browser.until_true("!document.querySelector('[id^=tome-bar-]').shadowRoot.getElementById('list').hidden");

    assert!(ours.said().iter().all(|line| !line.contains("/canary")), "{:#?}", ours.said());
    for url in browser.answered() {
        assert_ne!(url.host_str(), Some("outside.test"), "{url}");
    }
    assert_eq!(outside.knocks(), 0);
    // Whoever would have left would have been seen.
    browser.run("location = 'http://outside.test/'");
    browser.until("a knock", || outside.knocks() > 0);
}

/// Packs an archive whose script tries to get out, and tells what it got.
fn game(folder: &Path, library: &str) -> PathBuf {
    let from = folder.join("games");
    std::fs::create_dir_all(&from).unwrap();
    let script = format!(
        "(async () => {{
            const got = {{ origin: location.origin, kept: localStorage.getItem('tome') }};
            const tries = {{
                own: () => fetch('/a/games/data.txt').then(r => r.text()),
                other: () => fetch('/a/sample/index.html').then(r => r.text()),
                library: () => fetch('{library}/a/sample/index.html').then(r => r.text()),
                kept: () => fetch('{library}/api/archives').then(r => r.text()),
                outside: () => fetch('http://outside.test/').then(r => r.text()),
                framed: () => new Promise((done) => {{
                    const frame = document.createElement('iframe');
                    frame.onload = () => {{
                        try {{ done(frame.contentDocument ? frame.contentDocument.title : null); }}
                        catch {{ done(null); }}
                    }};
                    frame.src = '{library}/saved';
                    document.body.append(frame);
                    setTimeout(() => done(null), 3000);
                }}),
                worker: () => navigator.serviceWorker.register('/a/games/worker.js').then(() => 'registered'),
            }};
            for (const [name, attempt] of Object.entries(tries)) {{
                try {{ got['try_' + name] = await attempt(); }} catch {{ got['try_' + name] = null; }}
            }}
            localStorage.setItem('game', '1');
            window.got = got;
        }})();"
    );
    let page = "<!doctype html><html lang=en><head><meta charset=utf-8><title>Games</title></head>\
                <body><h1>Games</h1><script src=game.js></script></body></html>";
    for (name, text) in [("index.html", page), ("game.js", &script), ("data.txt", "mine"), ("worker.js", "")]
    {
        std::fs::write(from.join(name), text).unwrap();
    }
    let to = folder.join("games.tome");
    pack(&[], &from, &to);
    to
}

#[test]
fn scripts_that_may_run_reach_their_own_archive_alone() {
    let outside = Outside::open();
    let Some(browser) = Browser::start(&Setup { script: true, outside: outside.port }) else { return };
    let folder = tempfile::tempdir().unwrap();
    // The archive has to know the library's address, so it comes once that is known.
    let shelf = folder.path().join("shelf");
    std::fs::create_dir(&shelf).unwrap();
    sample(&shelf);
    let options = Options {
        sources: vec![shelf.clone()],
        allow_scripts: vec!["games".into()],
        watch_every: std::time::Duration::from_millis(100),
        ..Options::default()
    };
    let ours = Ours::with(options);
    let library = format!("http://localhost:{}", ours.address.port());
    std::fs::rename(game(folder.path(), &library), shelf.join("games.tome")).unwrap();
    browser.goto(&format!("{library}/a/sample/Tuning_fork.html"));
    browser.click(&browser.in_bar("#bookmark"));
    browser.until("the archive is there", || {
        browser.goto(&format!("{library}/a/games/index.html"));
        browser.run("return document.querySelector('h1')?.textContent") == "Games"
    });

    assert_eq!(browser.url(), format!("http://games.localhost:{}/a/games/index.html", ours.address.port()));
    browser.until_true("window.got");
    let got = browser.run("return window.got");
    assert_eq!(got["origin"], json!(format!("http://games.localhost:{}", ours.address.port())));
    assert_eq!(got["try_own"], "mine", "{got}");
    // What people read is not kept where it could be read.
    assert_eq!(got["kept"], Value::Null, "{got}");
    for name in ["try_other", "try_library", "try_kept", "try_outside", "try_framed", "try_worker"] {
        assert_eq!(got[name], Value::Null, "{name}: {got}");
    }
    assert_eq!(outside.knocks(), 0);
    // Nor did it leave anything with the library.
    browser.goto(&format!("{library}/saved"));
    assert_eq!(browser.run("return localStorage.getItem('game')"), Value::Null);
    assert_eq!(browser.text(&browser.find("#bookmarks a")), "Tuning fork");
}
