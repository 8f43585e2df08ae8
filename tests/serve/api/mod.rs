//! The interface for programs: its answers are what `/api/openapi.json` says.

mod abuse;
mod schema;

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};

use serde_json::{Value, json};

use crate::client::{self, Answer};
use crate::house::{Ours, pack, png};

/// A library of a `.tome`, a ZIM and a file that is neither.
pub struct Library {
    pub server: Ours,
    pub folder: tempfile::TempDir,
}

pub static LIBRARY: LazyLock<Library> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let corpus = folder.path().join("corpus");
    let write = |path: &str, bytes: &[u8]| {
        let path = corpus.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    write(
        "index.html",
        b"<html lang=en><title>Mountains</title><h1 id=top>Mountains</h1><p>All <a href='a%20b/eiger.html#x'>\
          Eiger</a>, <a href='/nowhere.html'>gone</a>, <a href='mig'>Mig</a>, <a href='notes/'>notes</a>, \
          <a href='https://example.org/?a=1&amp;b'>out</a> <a href='#top'>up</a><h2>Others & more</h2>",
    );
    write("a b/eiger.html", b"<title>Eiger</title><p>The Eiger is a <b>granite</b> mountain of the Alps.");
    write("notes/index.html", b"<title>Notes</title><p>Notes of granite.");
    write("monch.md", "# M\u{f6}nch\n\nA *mountain* of [the Alps](index.html).\n".as_bytes());
    write("plain.txt", b"granite <as> it is\n");
    write("same/1.html", b"<title>Twin</title><p>one");
    write("same/2.html", b"<title>Twin</title><p>two");
    write("hostile.html", b"<title>&lt;script&gt;alert(1)&lt;/script&gt; granite</title><p>granite</script>");
    write("long.txt", "granite is long. ".repeat(300_000).as_bytes());
    write("pictures/dot.png", &png(2));
    let redirects = folder.path().join("redirects.tsv");
    std::fs::write(&redirects, "mig\tEigerwand\ta b/eiger.html#wall\n").unwrap();
    let shelf = folder.path().join("shelf");
    std::fs::create_dir(&shelf).unwrap();
    let args = ["--redirects", redirects.to_str().unwrap(), "--title", "High <mountains>", "--tag", "a;b"];
    pack(&args, &corpus, &shelf.join("high.tome"));
    pack(&["--title", "High, too"], &corpus, &shelf.join("zed.zim"));
    std::fs::write(shelf.join("broken.tome"), b"no archive").unwrap();
    Library { server: Ours::over(vec![shelf]), folder }
});

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let answer = client::get(LIBRARY.server.address, "/api/openapi.json");
    assert_eq!((answer.status, answer.mime()), (200, "application/json"));
    serde_json::from_slice(&answer.body).unwrap()
});

/// Paths with parameters and statuses that were asked and checked.
static ASKED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

static THREADS: AtomicUsize = AtomicUsize::new(1);

thread_local! {
    /// What tells the clients of one test from those of others.
    static OWN_ADDRESS: usize = THREADS.fetch_add(1, Ordering::Relaxed) % 65_536;
}

/// Asks the interface, and checks the answer against its description.
pub fn ask(target: &str) -> Answer {
    ask_with(target, "")
}

fn ask_with(target: &str, headers: &str) -> Answer {
    // Tests run beside each other, and one client may have few searches at a time.
    let headers = OWN_ADDRESS.with(|n| format!("X-Forwarded-For: 10.0.{}.{}\r\n{headers}", n / 256, n % 256));
    let answer = client::ask(LIBRARY.server.address, "GET", target, &headers);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let operation = &DOCUMENT["paths"][path]["get"];
    assert!(operation.is_object(), "{path} is not documented");
    let response = &operation["responses"][answer.status.to_string()];
    assert!(!response.is_null(), "{target}: {} is not documented: {}", answer.status, answer.text());
    let content = schema::followed(&DOCUMENT, response)["content"].as_object().unwrap();
    let media = content.get(answer.mime()).or(content.get("*/*"));
    let media = media.unwrap_or_else(|| panic!("{target}: {} is not documented", answer.mime()));
    if answer.mime() == "application/json" && media["schema"] != json!({}) {
        let value = serde_json::from_slice(&answer.body).unwrap();
        let faults = schema::faults(&DOCUMENT, &media["schema"], &value);
        assert!(faults.is_empty(), "{target}: {faults:#?}");
    }
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert!(answer.header("access-control-allow-origin").is_none());
    let mut asked = ASKED.lock().unwrap();
    asked.insert(format!("{path} {}", answer.status));
    if answer.status == 200 {
        for name in query.split('&').filter_map(|pair| pair.split_once('=')) {
            asked.insert(format!("{path} {}", name.0));
        }
    }
    answer
}

/// Asks for JSON that has to be there.
fn found(target: &str) -> Value {
    let answer = ask(target);
    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

/// Asks for what is refused with a status; returns the words.
fn refused(target: &str, status: u16) -> String {
    let answer = ask(target);
    assert_eq!(answer.status, status, "{target}: {}", answer.text());
    let value: Value = serde_json::from_slice(&answer.body).unwrap();
    value["error"].as_str().unwrap().to_owned()
}

/// Returns the lines of JSON that the program writes.
fn told(args: &[&str]) -> Vec<Value> {
    let archive = LIBRARY.folder.path().join("shelf/high.tome");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tome"));
    let out = command.arg(args[0]).arg(archive).args(&args[1..]).arg("--json").output().unwrap();
    String::from_utf8(out.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn field<'a>(list: &'a Value, name: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|one| one[name].as_str().unwrap()).collect()
}

#[test]
fn archives_are_those_of_the_command_line_with_name_and_state() {
    let list = found("/api/archives");
    assert_eq!(field(&list, "name"), ["broken", "high", "zed"]);
    assert_eq!(field(&list, "state"), ["broken", "ready", "ready"]);
    assert!(list[0]["error"].as_str().unwrap().contains("archive"));
    assert_eq!(list[0]["title"], "broken");
    let mut high = list[1].clone();
    for own in ["name", "state", "error"] {
        assert!(high.as_object_mut().unwrap().remove(own).is_some());
    }
    assert_eq!(high, told(&["info"])[0]);
    assert_eq!((&list[1]["title"], &list[1]["tags"]), (&json!("High <mountains>"), &json!(["a", "b"])));
    assert_eq!((&list[2]["format"], &list[2]["file_id"]), (&json!("zim"), &Value::Null));
}

#[test]
fn suggestions_are_those_of_the_command_line_with_their_archive() {
    let list = found("/api/suggest?archive=high&q=eig&n=5");
    let mut own = list.as_array().unwrap().clone();
    for one in &mut own {
        assert_eq!(one.as_object_mut().unwrap().remove("archive"), Some(json!("high")));
    }
    let mut cli = told(&["suggest", "eig", "-n", "5"]);
    assert_eq!(cli.pop().unwrap()["type"], "end");
    assert_eq!(own, cli);
    assert_eq!(list[0]["title"], "Eiger");
    assert_eq!(found("/api/suggest?archive=high&q="), json!([]));
    assert_eq!(found("/api/suggest?archive=high&q=eig&n=0"), json!([]));
    assert_eq!(found("/api/suggest?archive=high&q=zzzzzz"), json!([]));
    // A typo is forgiven.
    assert_eq!(found("/api/suggest?archive=high&q=mountians")[0]["match"], "typo");
}

#[test]
fn several_archives_give_suggestions_in_turn_the_better_matches_first() {
    let list = found("/api/suggest?archive=high&archive=zed&q=twin");
    assert_eq!(field(&list, "archive"), ["high", "zed", "high", "zed"]);
    let all = found("/api/suggest?q=eiger");
    assert_eq!(all[0]["match"], "exact");
    assert_eq!(field(&all, "archive")[..2], ["high", "zed"]);
    // Named twice is asked once.
    assert_eq!(found("/api/suggest?archive=high&archive=high&q=twin").as_array().unwrap().len(), 2);
}

#[test]
fn hits_are_those_of_the_command_line_with_the_archives_name() {
    let own = found("/api/search?archive=high&q=granite&n=3&offset=1");
    let mut cli = told(&["search", "granite", "-n", "3", "--offset", "1"]);
    let end = cli.pop().unwrap();
    for hit in &mut cli {
        hit["archive"] = json!("high");
    }
    assert_eq!(own["hits"], json!(cli));
    assert_eq!(own["hits"].as_array().unwrap().len(), 3);
    for name in ["type", "hits_at_least", "partial", "did_you_mean"] {
        assert_eq!(own["end"][name], end[name], "{name}");
    }
    assert_eq!(own["end"]["left_out"], json!([]));
    // What an archive says is escaped in the only field that is markup, and plain in all others.
    let all = found("/api/search?archive=high&q=granite&n=10");
    assert!(field(&all["hits"], "title").contains(&"<script>alert(1)</script> granite"));
    assert!(
        field(&all["hits"], "snippet")
            .iter()
            .all(|s| !s.replace("<b>", "").replace("</b>", "").contains('<'))
    );
    assert_eq!(found("/api/search?archive=high&q=granitte")["end"]["did_you_mean"], "granite");
}

#[test]
fn a_search_over_all_says_what_was_left_out() {
    let all = found("/api/search?q=granite");
    let left = &all["end"]["left_out"];
    let broken = left.as_array().unwrap().iter().find(|one| one["archive"] == "broken").unwrap();
    assert_eq!((&broken["because"], &all["end"]["partial"]), (&json!("broken"), &json!(true)));
    // The ZIM is there too, once its index was made.
    for _ in 0..600 {
        if field(&found("/api/search?q=granite&n=50")["hits"], "archive").contains(&"zed") {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("the ZIM's index was not made");
}

#[test]
fn an_entry_tells_its_links_and_headings() {
    let entry = found("/api/entry?archive=high&path=index.html");
    assert_eq!(entry["kind"], "article");
    assert_eq!(entry["language"], "en");
    assert_eq!(field(&entry["links"], "path"), ["a b/eiger.html", "a b/eiger.html", "notes/index.html"]);
    assert_eq!(field(&entry["links"], "text"), ["Eiger", "Mig", "notes"]);
    assert_eq!(field(&entry["external"], "url"), ["https://example.org/?a=1&b"]);
    assert_eq!(entry["headings"][0], json!({"level": 1, "id": "top", "text": "Mountains"}));
    assert_eq!(entry["headings"][1]["text"], "Others & more");
    assert!(entry.get("target").is_none());
    let markdown = found("/api/entry?archive=high&path=monch.md");
    assert_eq!(field(&markdown["links"], "path"), ["index.html"]);
    let redirect = found("/api/entry?archive=high&path=mig");
    assert_eq!((&redirect["kind"], &redirect["target"]), (&json!("redirect"), &json!("a b/eiger.html")));
    assert_eq!(redirect["fragment"], "wall");
    assert_eq!(found("/api/entry?archive=high&title=eigerwand")["path"], "a b/eiger.html");
    assert_eq!(found("/api/entry?archive=high&path=long.txt")["partial"], false);
    let picture = found("/api/entry?archive=high&path=pictures/dot.png");
    assert_eq!((&picture["kind"], &picture["mime"]), (&json!("media"), &json!("image/png")));
    assert_eq!(found("/api/entry?archive=zed&path=a+b%2feiger.html")["title"], "Eiger");
}

#[test]
fn content_has_four_forms() {
    let content = |query: &str| ask(&format!("/api/content?archive=high&{query}"));
    let raw = content("path=index.html");
    let plain = client::get(LIBRARY.server.address, "/raw/high/content/index.html");
    assert_eq!((&raw.body, raw.header("content-type")), (&plain.body, plain.header("content-type")));
    assert_eq!((raw.header("etag"), raw.header("accept-ranges")), (plain.header("etag"), Some("bytes")));
    assert!(raw.header("content-security-policy").unwrap().contains("default-src 'none'"));
    let shown = ask_with("/api/content?archive=high&path=index.html", "Sec-Fetch-Dest: document\r\n");
    assert_eq!(shown.header("location"), Some("/a/high/index.html"));
    assert_eq!(content("path=pictures/dot.png&form=raw").body, png(2));
    let text = content("title=Eiger&form=text");
    assert_eq!(
        (text.mime(), text.text().trim()),
        ("text/plain", "The Eiger is a granite mountain of the Alps.")
    );
    let markdown = content("path=mig&form=markdown");
    assert_eq!(markdown.mime(), "text/markdown");
    assert!(markdown.text().contains("**granite**"), "{}", markdown.text());
    let html = content("path=monch.md&form=html");
    assert_eq!(html.mime(), "text/html");
    assert!(html.text().contains("<em>mountain</em>") && html.text().contains("M\u{f6}nch"));
    assert!(content("path=plain.txt&form=html").text().contains("granite &lt;as&gt; it is"));
    // Each form has a tag of its own, by which a client asks again.
    let tag = markdown.header("etag").unwrap();
    assert_ne!(Some(tag), text.header("etag"));
    let server = LIBRARY.server.address;
    let target = "/api/content?archive=high&path=mig&form=markdown";
    let again = client::ask(server, "GET", target, &format!("If-None-Match: {tag}\r\n"));
    assert_eq!((again.status, again.body.len()), (304, 0));
    let part = client::ask(server, "GET", "/api/content?archive=high&path=long.txt", "Range: bytes=8-11\r\n");
    assert_eq!((part.status, part.text()), (206, "is l"));
    let head = client::ask(server, "HEAD", target, "");
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn what_has_no_such_form_says_so() {
    assert!(refused("/api/content?archive=high&path=pictures/dot.png&form=text", 422).contains("no text"));
    assert!(refused("/api/content?archive=high&path=long.txt&form=markdown", 422).contains("too long"));
    assert!(refused("/api/content?archive=high&path=index.html&form=pdf", 400).contains("form"));
}

#[test]
fn random_gives_articles_as_the_command_line_does() {
    let mut seen = BTreeSet::new();
    for _ in 0..200 {
        let article = found("/api/random?archive=high");
        seen.insert(article["path"].as_str().unwrap().to_owned());
        let entry = found(&format!(
            "/api/entry?archive=high&path={}",
            article["path"].as_str().unwrap().replace(' ', "%20")
        ));
        assert_eq!((&entry["kind"], &entry["size"]), (&json!("article"), &article["size"]));
    }
    assert!(seen.len() > 3, "{seen:?}");
    let cli: BTreeSet<String> = told(&["random"])[0].as_object().unwrap().keys().cloned().collect();
    let own: BTreeSet<String> =
        found("/api/random?archive=zed").as_object().unwrap().keys().cloned().collect();
    assert_eq!(own, cli);
}

#[test]
fn what_is_wrong_is_said_in_json_with_the_right_status() {
    for path in ["entry", "content", "random"] {
        assert!(refused(&format!("/api/{path}"), 400).contains("archive"));
        assert!(refused(&format!("/api/{path}?archive=none&path=x"), 404).contains("none"));
        assert!(refused(&format!("/api/{path}?archive=broken&path=x"), 502).contains("broken"));
    }
    for path in ["entry", "content"] {
        let with = |query: &str, status| refused(&format!("/api/{path}?archive=high{query}"), status);
        assert!(with("", 400).contains("path and title"));
        assert!(with("&path=index.html&title=Mountains", 400).contains("not both"));
        assert!(with("&path=nothing.html", 404).contains("nothing.html"));
        assert!(with("&title=Eigre", 404).contains("Eiger"), "near titles are offered");
        assert!(with("&title=Twin", 409).contains("same/1.html"));
        // What is not written as it stands is no path.
        for odd in ["%00", "..", "../../etc/passwd", "a%20b/../index.html", "%ff%fe", "/index.html"] {
            with(&format!("&path={odd}"), 404);
        }
    }
    for path in ["suggest", "search"] {
        let with = |query: &str, status| refused(&format!("/api/{path}?{query}"), status);
        assert!(with("archive=high", 400).contains("parameter q"));
        assert!(with("archive=none&q=a", 404).contains("none"));
        assert!(with("archive=high&archive=none&q=a", 404).contains("none"));
        assert!(with("archive=broken&q=a", 502).contains("broken"));
        for n in ["n=-1", "n=101", "n=x", "n=", "n=99999999999999999999"] {
            assert!(with(&format!("archive=high&q=a&{n}"), 400).contains("parameter n"));
        }
    }
    let server = LIBRARY.server.address;
    for path in ["/api/nothing", "/api/archives/", "/api/suggest/x", "/api//archives"] {
        let answer = client::get(server, path);
        assert_eq!((answer.status, answer.mime()), (404, "application/json"), "{path}");
        let faults = schema::faults(
            &DOCUMENT,
            &DOCUMENT["components"]["schemas"]["Error"],
            &serde_json::from_slice(&answer.body).unwrap(),
        );
        assert!(faults.is_empty(), "{faults:?}");
    }
    let posted = client::ask(server, "POST", "/api/search?q=a", "Content-Length: 0\r\n");
    assert_eq!(posted.status, 405);
}

#[test]
fn the_page_for_people_tells_all_that_is_documented() {
    let page = client::get(LIBRARY.server.address, "/api");
    assert_eq!((page.status, page.mime()), (200, "text/html"));
    assert!(page.header("etag").is_some());
    let text = page.text();
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        assert!(text.contains(&format!("GET {path}<")), "{path}");
        for parameter in item["get"]["parameters"].as_array().unwrap() {
            let name = parameter["name"].as_str().unwrap();
            assert!(text.contains(&format!("<code>{name}</code>")), "{path} {name}");
        }
    }
    for (name, schema) in DOCUMENT["components"]["schemas"].as_object().unwrap() {
        for property in schema["properties"].as_object().unwrap().keys().filter(|_| name != "Error") {
            assert!(text.contains(&format!("<li><code>{property}</code>")), "{name} {property}");
        }
    }
}

#[test]
fn all_that_is_documented_is_asked_by_these_tests() {
    // Tests run beside each other; whatever this one needs it asks itself.
    archives_are_those_of_the_command_line_with_name_and_state();
    suggestions_are_those_of_the_command_line_with_their_archive();
    hits_are_those_of_the_command_line_with_the_archives_name();
    an_entry_tells_its_links_and_headings();
    content_has_four_forms();
    what_has_no_such_form_says_so();
    random_gives_articles_as_the_command_line_does();
    what_is_wrong_is_said_in_json_with_the_right_status();
    ask("/api/openapi.json");
    let asked = ASKED.lock().unwrap();
    // What needs a damaged archive, or a crowd.
    let elsewhere = ["500", "503"];
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        let parameters = item["get"]["parameters"].as_array().unwrap();
        let parameters = parameters.iter().map(|parameter| parameter["name"].as_str().unwrap());
        let statuses = item["get"]["responses"].as_object().unwrap().keys().map(String::as_str);
        for what in parameters.chain(statuses.filter(|status| !elsewhere.contains(status))) {
            assert!(asked.contains(&format!("{path} {what}")), "{path} {what} was not asked");
        }
    }
}
