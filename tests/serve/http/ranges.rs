//! Ranges of bytes.

use super::{BIG, get};

/// Entries at hand, read while they are sent, and pages that are made: addresses and lengths.
fn targets() -> Vec<(&'static str, Vec<u8>)> {
    [
        "/raw/one/content/sound.ogg",
        "/a/three/sound.ogg",
        "/raw/one/content/big.bin",
        "/a/one/big.bin",
        "/raw/three/content/big.bin",
        "/a/one/index.html",
        "/a/three/index.html",
        "/raw/one/content/style.css",
    ]
    .into_iter()
    .map(|target| {
        let whole = get(target, "");
        assert_eq!((whole.status, whole.header("accept-ranges")), (200, Some("bytes")), "{target}");
        (target, whole.body)
    })
    .collect()
}

#[test]
fn one_range_is_that_part() {
    for (target, whole) in targets() {
        let len = whole.len();
        for (range, from, to) in [
            ("0-0".to_owned(), 0, 1),
            ("0-".into(), 0, len),
            ("17-99".into(), 17, 100),
            ("-5".into(), len - 5, len),
            ("-99999999999999999999999".into(), 0, len),
            (format!("{}-", len - 1), len - 1, len),
            (format!("3-{}", usize::MAX), 3, len),
            (format!("{}-{}", len / 3, len / 2), len / 3, len / 2 + 1),
        ] {
            // What could be compressed is not: the range is of the bytes as they are.
            let answer = get(target, &format!("Range: bytes={range}\r\nAccept-Encoding: gzip, zstd\r\n"));
            assert_eq!(answer.status, 206, "{target} {range}");
            let said = format!("bytes {from}-{}/{len}", to - 1);
            assert_eq!(answer.header("content-range"), Some(&said[..]), "{target} {range}");
            assert_eq!(answer.header("content-encoding"), None);
            assert!(answer.body == whole[from..to], "{target} {range}");
        }
    }
}

#[test]
fn several_ranges_are_several_parts() {
    for (target, whole) in targets() {
        let len = whole.len();
        let asked = [(0, 10), (len - 300, len), (100, 1100)];
        let list = asked.map(|(from, to)| format!("{from}-{}", to - 1)).join(", ");
        let answer = get(target, &format!("Range: bytes={list}\r\n"));
        assert_eq!(answer.status, 206, "{target}");
        let mime = answer.header("content-type").unwrap();
        let border = mime.strip_prefix("multipart/byteranges; boundary=").unwrap();
        assert!((1..=70).contains(&border.len()), "{border}");
        let mut rest = &answer.body[..];
        for (from, to) in asked {
            let end = rest.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
            // The first border's line break is no blank line.
            let (head, body) = if end == 0 { panic!("{target}: no head") } else { rest.split_at(end + 4) };
            let head = std::str::from_utf8(head).unwrap();
            assert!(head.starts_with(&format!("\r\n--{border}\r\n")), "{head}");
            assert!(head.contains(&format!("Content-Range: bytes {from}-{}/{len}\r\n", to - 1)), "{head}");
            assert!(body[..to - from] == whole[from..to], "{target} {from}");
            rest = &body[to - from..];
        }
        assert_eq!(rest, format!("\r\n--{border}--\r\n").as_bytes());
    }
}

#[test]
fn a_range_of_nothing_is_refused_with_the_length() {
    for (target, whole) in targets() {
        for range in
            [format!("{}-", whole.len()), "-0".into(), format!("{0}-{0}, {1}-", whole.len(), usize::MAX)]
        {
            let answer = get(target, &format!("Range: bytes={range}\r\n"));
            assert_eq!(answer.status, 416, "{target} {range}");
            assert_eq!(answer.header("content-range"), Some(&format!("bytes */{}", whole.len())[..]));
            assert!(answer.body.is_empty());
        }
    }
    let empty = get("/raw/one/content/empty.txt", "Range: bytes=0-\r\n");
    assert_eq!(empty.status, 416);
}

#[test]
fn what_is_no_range_is_disregarded() {
    for range in ["bytes=5-4", "bytes=a-b", "bytes=", "lines=0-1", "bytes", "bytes=1-2=3", "bytes=-"] {
        let answer = get("/raw/one/content/sound.ogg", &format!("Range: {range}\r\n"));
        assert_eq!((answer.status, answer.body.len()), (200, 30_000), "{range}");
    }
    // What has no tag has no ranges.
    let answer = get("/healthz", "Range: bytes=0-0\r\n");
    assert_eq!((answer.status, answer.text()), (200, "ok\n"));
}

#[test]
fn s07_a_flood_of_ranges_costs_no_more_than_the_whole() {
    let overlapping = ["0-"; 9].join(",");
    let tiny = (0..3000).map(|i| format!("{i}-{i}")).collect::<Vec<_>>().join(",");
    let huge = ["1-18446744073709551615"; 12].join(",");
    for target in ["/raw/one/content/big.bin", "/a/one/index.html", "/raw/three/content/big.bin"] {
        let len = get(target, "").body.len();
        for list in [&overlapping, &tiny, &huge] {
            let answer = get(target, &format!("Range: bytes={list}\r\n"));
            assert_eq!((answer.status, answer.body.len()), (200, len), "{target} {}", &list[..40]);
        }
    }
    // As many as are served, of as much as is held: all of it is an answer, too.
    let most = format!("0-{},{}-{}", BIG / 2, BIG / 2 + 1, BIG - 1);
    let answer = get("/raw/one/content/big.bin", &format!("Range: bytes={most}\r\n"));
    assert!(answer.body.len() < BIG + 1000, "{}", answer.body.len());
}
