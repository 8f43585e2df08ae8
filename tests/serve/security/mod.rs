//! Security, by the numbers of the cases: what comes from archives and from clients is hostile.

mod headers;
mod proxied;
mod shown;

use std::sync::LazyLock;

use html5gum::{Token, Tokenizer};
use tome::item::{About, Item, Value};
use tome::server::Options;

use crate::client::{Answer, get};
use crate::house::{Ours, article, media, redirect, until, write};

/// What breaks out of the place where it is put, if nobody escapes it.
const PAYLOADS: &[&str] = &[
    "\"><xss-7 onxss=1>",
    "'><xss-7 onxss=1>",
    "\" onxss=\"1",
    "' onxss='1",
    " onxss=1 ",
    "</script><xss-7>",
    "</title></style></textarea></template><xss-7>",
    "--><xss-7><!--",
    "]]><xss-7>",
    "&lt;xss-7&gt;&#60;xss-7&#62;",
    "<xss-7",
    "javascript:xss7()",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "\u{202e}<xss-7>\u{2066}",
    "\0<xss-7>",
    "\r\nX-Injected: 1\r\n\r\n<xss-7>",
    "\n<xss-7>\n",
    "\\\"><xss-7>\\u003cxss-7>",
    "\u{1b}[31m<xss-7>",
    "\u{feff}<xss-7>\u{ffff}",
];

/// Encodes a text for any place of an address.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Looks at an answer as a browser does, and finds nothing that was not meant.
fn harmless(what: &str, answer: &Answer) {
    assert!(answer.status < 500 || answer.status == 503, "{what}: {}", answer.status);
    guarded(what, answer);
    match answer.mime() {
        "text/html" => {
            for Ok(token) in Tokenizer::new(answer.text()) {
                let Token::StartTag(tag) = token else { continue };
                let name = String::from_utf8_lossy(&tag.name).into_owned();
                assert!(!name.contains("xss"), "{what}: <{name}>");
                for (key, value) in &tag.attributes {
                    let key = String::from_utf8_lossy(key);
                    assert!(!key.contains("xss"), "{what}: <{name} {key}>");
                    let value = String::from_utf8_lossy(value).to_ascii_lowercase();
                    let runs = value.trim_start().starts_with("javascript:");
                    let leads = matches!(&*key, "href" | "src" | "action" | "data" | "formaction");
                    assert!(!(runs && leads), "{what}: {key}={value}");
                    assert!(!key.starts_with("on"), "{what}: <{name} {key}>");
                }
            }
        }
        "application/json" => {
            serde_json::from_slice::<serde_json::Value>(&answer.body)
                .unwrap_or_else(|e| panic!("{what}: {e}"));
        }
        "application/atom+xml"
        | "application/xml"
        | "text/xml"
        | "application/rss+xml"
        | "application/opensearchdescription+xml" => {
            let mut reader = quick_xml::Reader::from_str(answer.text());
            loop {
                match reader.read_event().unwrap_or_else(|e| panic!("{what}: {e}")) {
                    quick_xml::events::Event::Eof => break,
                    quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => {
                        assert!(!tag.name().as_ref().contains("xss"), "{what}");
                    }
                    quick_xml::events::Event::DocType(_) => panic!("{what}: a feed needs no entities"),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// Finds the headers that guard every answer.
fn guarded(what: &str, answer: &Answer) {
    let header =
        |name| answer.header(name).unwrap_or_else(|| panic!("{what}: {} without {name}", answer.status));
    assert_eq!(header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(header("referrer-policy"), "no-referrer", "{what}");
    assert_eq!(header("x-dns-prefetch-control"), "off", "{what}");
    assert_eq!(header("cross-origin-resource-policy"), "same-origin", "{what}");
    let policy = header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors "), "{what}: {policy}");
    assert!(!policy.contains("http:") && !policy.contains('*'), "{what}: {policy}");
    let scripts = policy.split(';').map(str::trim).find(|one| one.starts_with("script-src"));
    // No script, or ours alone.
    let ours = |one: &str| one.starts_with("script-src 'sha256-") && one.ends_with("' 'strict-dynamic'");
    assert!(scripts.is_none_or(|one| one == "script-src 'none'" || ours(one)), "{what}: {policy}");
    for (name, value) in &answer.headers {
        let name = name.to_ascii_lowercase();
        assert!(!name.starts_with("access-control-"), "{what}: {name}");
        assert!(!name.contains("inject") && name != "set-cookie", "{what}: {name}");
        assert!(!value.contains(char::is_control), "{what}: {name}: {value:?}");
    }
}

struct Hostile {
    server: Ours,
    _folder: tempfile::TempDir,
}

/// Archives that say all of it in every place.
static HOSTILE: LazyLock<Hostile> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    for (i, payload) in PAYLOADS.iter().enumerate() {
        for ending in ["tome", "zim"] {
            // No file has these in its name.
            let name: String = payload.chars().filter(|c| !matches!(c, '/' | '\0')).collect();
            let file = folder.path().join(format!("h{i}{name}.{ending}"));
            write(&file, items(payload), &about(payload, ending));
        }
    }
    let mut server = Options { sources: vec![folder.path().to_owned()], ..Options::default() };
    server.access_log = true;
    let server = Ours::with(server);
    until("all are open", || !get(server.address, "/api/archives").text().contains("\"opening\""));
    Hostile { server, _folder: folder }
});

fn items(payload: &str) -> Vec<Item> {
    let shown = payload.replace('&', "&amp;").replace('<', "&lt;").replace('\0', "");
    // The page itself is harmless: what is found in an answer was put there by us.
    let page = format!("<html><body><h2 id=a>A</h2><p>quartz {shown} feldspar mica</p></body></html>");
    let mut items = vec![
        article("index.html", &format!("Quartz {payload}"), page.clone()),
        redirect("to", "index.html", Some(payload)),
        media("text.txt", "text/plain", "<xss-7>".repeat(100)),
        media(
            "page.svg",
            "image/svg+xml",
            "<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
        ),
    ];
    let path: String = payload.chars().filter(|c| *c != '\0').collect();
    items.push(article(&format!("p{path}"), &format!("Path {payload}"), page));
    items.push(redirect("to-path", &format!("p{path}"), None));
    items
}

fn about(payload: &str, ending: &str) -> About {
    let mut about = About { main: Some("index.html".into()), ..About::default() };
    for key in ["title", "description", "creator", "publisher", "date", "language", "name", "flavour", "tags"]
    {
        about.metadata.set_text(key, format!("{key} {payload}"));
    }
    if ending == "tome" {
        about.metadata.set("icon", Value { mime: "text/html".into(), bytes: b"<xss-7>".to_vec() });
    }
    about
}
