//! S09: what a query costs is bounded, whatever it is.

use super::{LIBRARY, ask};
use crate::client;
use crate::house::Ours;

/// Returns a text as a value in an address.
fn value(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02x}")).collect()
}

#[test]
fn s09_every_query_ends_with_an_answer_or_a_refusal() {
    let many = (0..300).map(|i| format!("t{i}")).collect::<Vec<_>>().join(" ");
    let queries = [
        "the of and to in a is that it for".to_owned(),
        many[..1000].to_owned(),
        "a*".into(),
        "*".into(),
        "\"".into(),
        "\"\"\"\" \"a".into(),
        "-granite".into(),
        "\u{0}\u{1}\u{7f}\r\n\t\u{202e}".into(),
        "granite\r\nSet-Cookie: a=b".into(),
        "<script>alert(1)</script>".into(),
        "(((((((((((".into(),
        "\u{301}".repeat(400),
        "\u{10ffff}".repeat(250),
        "g".repeat(1000),
        "granite ".repeat(125),
        "%00%2e%2e%2f".into(),
    ];
    for query in &queries {
        assert!(query.len() <= 1000);
        for path in ["search", "suggest"] {
            for archive in ["&archive=high", ""] {
                let answer = ask(&format!("/api/{path}?q={}{archive}", value(query)));
                assert_eq!(answer.status, 200, "{path} {query:?}: {}", answer.text());
                assert!(answer.header("set-cookie").is_none());
            }
        }
    }
}

#[test]
fn s09_what_is_beyond_all_bounds_is_refused_at_once() {
    for path in ["search", "suggest"] {
        let status = |query: &str| ask(&format!("/api/{path}?archive=high&q={query}")).status;
        assert_eq!(status(&"a".repeat(1001)), 400);
        // As much of 10,000 terms as an address holds.
        assert_eq!(status(&"a+".repeat(3500)), 400);
        let long = client::get(LIBRARY.server.address, &format!("/api/{path}?q={}", "a+".repeat(10_000)));
        assert_eq!(long.status, 414);
    }
    let status = |query: &str| ask(&format!("/api/search?archive=high&{query}")).status;
    assert_eq!(status("q="), 400);
    assert_eq!(status("q=%20%09"), 400);
    assert_eq!(status("q=granite&offset=1000"), 200);
    assert_eq!(status("q=granite&offset=1001"), 400);
    assert_eq!(status("q=granite&offset=18446744073709551615"), 400);
}

#[test]
fn s09_many_searches_at_once_are_answered_or_turned_away() {
    // All from one address, at a server of their own: others are not to be turned away for them.
    let server = Ours::over(vec![LIBRARY.folder.path().join("shelf/high.tome")]);
    let address = server.address;
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let ask = move |i| {
            let target = format!("/api/search?archive=high&q=granite+mountain+{i}");
            let answers = (0..5).map(|_| client::get(address, &target));
            answers
                .map(|answer| {
                    assert_eq!(answer.status == 503, answer.header("retry-after").is_some());
                    answer.status
                })
                .collect::<Vec<_>>()
        };
        let clients: Vec<_> = (0..40).map(|i| scope.spawn(move || ask(i))).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
    assert!(statuses.contains(&200));
    // Whoever was turned away may come again, and suggestions are given all the time.
    assert_eq!(client::get(address, "/api/search?archive=high&q=granite").status, 200);
    assert_eq!(client::get(address, "/api/suggest?archive=high&q=eiger").status, 200);
}
