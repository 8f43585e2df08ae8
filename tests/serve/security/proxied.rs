//! Archives whose scripts may run, behind a proxy: by the names of origins alone.

use tome::item::About;
use tome::server::{Options, Scripts, Site};

use crate::client::{self, Answer};
use crate::house::{Ours, article, media, write};

fn serve(folder: &std::path::Path) -> Ours {
    let about = About { main: Some("index.html".into()), ..About::default() };
    for name in ["games", "docs"] {
        let items = vec![
            article("index.html", "Granite", "<h1>Granite</h1>"),
            media("data.bin", "application/octet-stream", "0123456789"),
        ];
        write(&folder.join(name).with_extension("tome"), items, &about);
    }
    let site = |text| Some(Site::read(text, "/wiki").unwrap());
    Ours::with(Options {
        sources: vec![folder.to_owned()],
        root: "/wiki".into(),
        url: site("https://wiki.school/wiki"),
        allow_scripts: vec![Scripts { archive: "games".into(), site: site("https://games.wiki.school") }],
        trust_proxies: vec!["203.0.113.0/24".parse().unwrap()],
        access_log: true,
        ..Options::default()
    })
}

/// Asks as a proxy does that passes the host on.
fn ask(server: &Ours, host: &str, target: &str, headers: &str) -> Answer {
    let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: close\r\n\r\n");
    client::read(&client::exchange(server.address, request.as_bytes()), false).unwrap().0
}

#[test]
fn an_archive_behind_a_proxy_runs_scripts_at_the_origin_that_was_named_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path());
    let leads = |host: &str, target: &str| {
        let answer = ask(&server, host, target, "");
        assert_eq!(answer.status, 302, "{host} {target}");
        answer.header("location").unwrap().to_owned()
    };
    for host in ["wiki.school", "wiki.school:443", "localhost:8080"] {
        assert_eq!(
            leads(host, "/wiki/a/games/index.html?x=1"),
            "https://games.wiki.school/wiki/a/games/index.html?x=1"
        );
        let other = ask(&server, host, "/wiki/a/docs/index.html", "");
        let policy = other.header("content-security-policy").unwrap();
        assert!(other.status == 200 && !policy.contains("unsafe-eval"), "{host}: {policy}");
    }
    for host in ["games.wiki.school", "games.wiki.school:443"] {
        let page = ask(&server, host, "/wiki/a/games/index.html", "");
        let policy = page.header("content-security-policy").unwrap();
        assert!(page.status == 200 && policy.contains("unsafe-eval"), "{host}: {policy}");
        assert!(policy.contains("form-action 'self' https://wiki.school;"), "{policy}");
        for (target, there) in [
            ("/wiki/", "https://wiki.school/wiki/"),
            ("/wiki/saved", "https://wiki.school/wiki/saved"),
            ("/wiki/search?q=x&archive=games", "https://wiki.school/wiki/search?q=x&archive=games"),
            ("/wiki/a/docs/index.html", "https://wiki.school/wiki/a/docs/index.html"),
            ("/wiki/raw/docs/content/index.html", "https://wiki.school/wiki/raw/docs/content/index.html"),
            ("/wiki/api/archives", "https://wiki.school/wiki/api/archives"),
            ("/wiki/game.js", "/wiki/a/games/game.js"),
        ] {
            assert_eq!(leads(host, target), there, "{host}");
        }
        let part = ask(&server, host, "/wiki/a/games/data.bin", "Range: bytes=2-4\r\n");
        assert_eq!((part.status, part.text()), (206, "234"), "{host}");
    }
    // One origin is enough, and others are none of ours.
    for host in ["games.localhost", "games.wiki.school:8443", "docs.wiki.school", "evil.example"] {
        assert_eq!(ask(&server, host, "/wiki/a/games/index.html", "").status, 421, "{host}");
    }
}

#[test]
fn of_proxies_behind_each_other_those_that_are_trusted_say_for_whom_they_ask() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path());
    for (list, expected) in [
        ("198.51.100.1, 192.0.2.7", "192.0.2.7"),
        ("198.51.100.1, 192.0.2.7, 203.0.113.4", "192.0.2.7"),
        ("192.0.2.7, 203.0.114.4", "203.0.114.4"),
    ] {
        ask(&server, "wiki.school", "/wiki/healthz", &format!("X-Forwarded-For: {list}\r\n"));
        let said = server.said();
        assert!(said.last().unwrap().starts_with(&format!("{expected} ")), "{list}: {said:?}");
    }
}
