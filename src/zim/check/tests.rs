use std::collections::BTreeMap;

use md5::{Digest, Md5};

use super::*;
use crate::codec;
use crate::item::Silent;
use crate::storage::Owned;
use crate::zim::OpenOptions;

const ALL: VerifyOptions = VerifyOptions { quick: false, links: true };

/// What an entry of a test's file is.
#[derive(Clone)]
enum Body {
    /// Bytes of a mime type, in cluster 0, which is compressed.
    Bytes(&'static str, Vec<u8>),
    /// The same in cluster 1, which is not.
    Stored(&'static str, Vec<u8>),
    /// The blob of another entry.
    Alias(&'static str),
    Redirect(String),
    /// A dirent's number where there need be none.
    To(u32),
}

/// A ZIM in the making.
#[derive(Clone)]
struct Build {
    minor: u16,
    entries: BTreeMap<String, (String, Body)>,
    /// Changes the order of entries.
    swap: Option<(usize, usize)>,
    /// What the main page is, if not `W/mainPage`.
    has_articles: bool,
}

const MIMES: [&str; 6] = [
    "application/octet-stream+zimlisting",
    "image/png",
    "text/css",
    "text/html",
    "text/plain",
    "application/x-odd",
];

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nno more of it";

impl Build {
    fn new() -> Self {
        let mut build = Self { minor: 1, entries: BTreeMap::new(), swap: None, has_articles: true };
        for (key, value) in [
            ("Name", "test"),
            ("Title", "Test"),
            ("Language", "eng"),
            ("Creator", "someone"),
            ("Publisher", "someone else"),
            ("Date", "2024-01-02"),
            ("Description", "A file for tests"),
        ] {
            build = build.with(&format!("M/{key}"), Body::Bytes("text/plain", value.into()));
        }
        build
            .with("M/Illustration_48x48@1", Body::Stored("image/png", PNG.to_vec()))
            .with("W/mainPage", Body::Redirect("C/main.html".into()))
            .page("main.html", "<p>The main page.")
    }

    fn with(mut self, name: &str, body: Body) -> Self {
        self.entries.insert(name.into(), (String::new(), body));
        self
    }

    fn page(self, path: &str, html: &str) -> Self {
        self.with(&format!("C/{path}"), Body::Bytes("text/html", html.into()))
    }

    fn without(mut self, name: &str) -> Self {
        assert!(self.entries.remove(name).is_some());
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut names: Vec<String> = self.entries.keys().cloned().collect();
        if self.has_articles {
            names.push("X/listing/titleOrdered/v1".into());
        }
        names.sort();
        if let Some((a, b)) = self.swap {
            names.swap(a, b);
        }
        let number = |name: &str| names.iter().position(|n| n == name).unwrap() as u32;
        let title = |name: &String| name[2..].to_owned();
        let mut articles: Vec<u32> =
            names.iter().filter(|n| n.starts_with("C/") && n.ends_with(".html")).map(|n| number(n)).collect();
        articles.sort_by_key(|i| title(&names[*i as usize]));
        let listing: Vec<u8> = articles.iter().flat_map(|i| i.to_le_bytes()).collect();

        // Blobs and dirents.
        let mut clusters: [Vec<Vec<u8>>; 2] = Default::default();
        let mut places: BTreeMap<String, (u16, u32, u32)> = BTreeMap::new();
        let mime = |mime: &str| MIMES.iter().position(|m| *m == mime).unwrap() as u16;
        for name in &names {
            let body = match self.entries.get(name) {
                Some((_, body)) => body.clone(),
                None => Body::Stored(MIMES[0], listing.clone()),
            };
            let (cluster, kind, bytes) = match body {
                Body::Bytes(kind, bytes) => (0, kind, bytes),
                Body::Stored(kind, bytes) => (1, kind, bytes),
                _ => continue,
            };
            places.insert(name.clone(), (mime(kind), cluster as u32, clusters[cluster].len() as u32));
            clusters[cluster].push(bytes);
        }
        let dirents: Vec<Vec<u8>> = names
            .iter()
            .map(|name| {
                let body = self.entries.get(name).map(|e| &e.1);
                let place = match body {
                    Some(Body::Alias(of)) => places.get(*of),
                    _ => places.get(name),
                };
                let (mime, cluster, blob) = *place.unwrap_or(&(0xffff, 0, 0));
                let mut out = vec![];
                out.extend(mime.to_le_bytes());
                out.extend([0, name.as_bytes()[0], 0, 0, 0, 0]);
                match body {
                    Some(Body::Redirect(target)) => out.extend(number(target).to_le_bytes()),
                    Some(Body::To(target)) => out.extend(target.to_le_bytes()),
                    _ => {
                        out.extend(cluster.to_le_bytes());
                        out.extend(blob.to_le_bytes());
                    }
                }
                out.extend(&name.as_bytes()[2..]);
                out.extend([0, 0]);
                out
            })
            .collect();
        let mut all: Vec<u32> = (0..names.len() as u32).collect();
        all.sort_by_key(|i| names[*i as usize].clone());

        // The file.
        let mut out = vec![0; 80];
        MIMES.iter().for_each(|m| out.extend([m.as_bytes(), b"\0"].concat()));
        out.push(0);
        let mut cluster_pointers = vec![];
        for (i, blobs) in clusters.iter().enumerate() {
            cluster_pointers.push(out.len() as u64);
            let raw = cluster(blobs);
            if i == 0 {
                out.push(5);
                out.extend(codec::compress(&raw, 3));
            } else {
                out.push(1);
                out.extend(raw);
            }
        }
        let mut path_pointers = vec![];
        for dirent in &dirents {
            path_pointers.push(out.len() as u64);
            out.extend(dirent);
        }
        let mut list = |bytes: Vec<u8>| {
            out.extend(&bytes);
            (out.len() - bytes.len()) as u64
        };
        let paths = list(path_pointers.iter().flat_map(|p| p.to_le_bytes()).collect());
        let titles = list(all.iter().flat_map(|p| p.to_le_bytes()).collect());
        let pointers = list(cluster_pointers.iter().flat_map(|p| p.to_le_bytes()).collect());
        let end = out.len() as u64;
        let mut header = vec![];
        header.extend(b"ZIM\x04");
        header.extend([6, 0]);
        header.extend(self.minor.to_le_bytes());
        header.extend([7; 16]);
        header.extend((names.len() as u32).to_le_bytes());
        header.extend((clusters.len() as u32).to_le_bytes());
        for position in [paths, titles, pointers, 80] {
            header.extend(position.to_le_bytes());
        }
        let main = names.iter().position(|n| n == "W/mainPage").map_or(u32::MAX, |i| i as u32);
        header.extend(main.to_le_bytes());
        header.extend(u32::MAX.to_le_bytes());
        header.extend(end.to_le_bytes());
        out[..80].copy_from_slice(&header);
        out.extend([0; 16]);
        seal(out)
    }

    fn verify(&self) -> Vec<Finding> {
        verify(self.bytes(), ALL)
    }
}

fn cluster(blobs: &[Vec<u8>]) -> Vec<u8> {
    let mut at = 4 * (blobs.len() as u32 + 1);
    let mut raw = at.to_le_bytes().to_vec();
    for blob in blobs {
        at += blob.len() as u32;
        raw.extend(at.to_le_bytes());
    }
    raw.extend(blobs.concat());
    raw
}

/// Makes the checksum right again.
fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len() - 16;
    let md5: [u8; 16] = Md5::digest(&bytes[..end]).into();
    bytes[end..].copy_from_slice(&md5);
    bytes
}

fn open(bytes: Vec<u8>) -> Result<Archive> {
    Archive::from_storage(Box::new(Owned(bytes)), &OpenOptions::default())
}

fn verify(bytes: Vec<u8>, options: VerifyOptions) -> Vec<Finding> {
    open(bytes).unwrap().verify(options, &Silent).unwrap().findings
}

fn field(bytes: &[u8], at: usize) -> usize {
    u64::from_le_bytes(*bytes[at..].first_chunk().unwrap()) as usize
}

/// Checks and the start of what they say.
fn said(findings: &[Finding]) -> Vec<(&str, &str)> {
    findings.iter().map(|f| (f.check, &f.message[..])).collect()
}

/// Asserts that there is one finding, of a check, with these entries, and words in its message.
fn only(findings: &[Finding], check: &str, severity: Severity, entries: &[&str], words: &str) {
    let [finding] = findings else { panic!("{check}: {:?}", said(findings)) };
    assert_eq!((finding.check, finding.severity), (check, severity), "{}", finding.message);
    assert_eq!(finding.entries, entries, "{}", finding.message);
    assert!(finding.message.contains(words), "{}", finding.message);
}

#[test]
fn a_file_without_faults_has_no_findings() {
    let build = Build::new().page("a/b.html", "<a href=\"../main.html#x\">up</a>");
    for minor in [1, 2, 3] {
        let bytes = Build { minor, ..build.clone() }.bytes();
        let report = open(bytes.clone()).unwrap().verify(ALL, &Silent).unwrap();
        assert_eq!(said(&report.findings), [], "{minor}");
        assert_eq!((report.blocks, report.entries), (2, 12));
        assert!(report.bytes > bytes.len() as u64);
        assert_eq!(said(&verify(bytes, VerifyOptions { quick: true, links: true })), []);
    }
}

#[test]
fn what_the_content_brought_along_is_a_warning() {
    use Severity::Warning;
    let new = Build::new;
    let page = "a/b.html";
    only(
        &new()
            .page(page, "<a href=c.html><img src='../no.png'><a href='c.html'><a href=/x><a href=../../y>")
            .verify(),
        "link",
        Warning,
        &[page],
        "a/b.html: 4 links lead nowhere: c.html, ../no.png, /x (not relative), ../../y (above the root)",
    );
    let many: String = (0..30).map(|i| format!("<a href={i}>")).collect();
    only(&new().page(page, &many).verify(), "link", Warning, &[page], "30 links lead nowhere: 0, 1, 2");
    only(&new().page(page, &many).verify(), "link", Warning, &[page], ", 19 and 10 more");
    only(
        &new().page(page, "<script src='https://host/x.js'></script><a href='https://host/'>").verify(),
        "external dependency",
        Warning,
        &[page],
        "1 part is outside: https://host/x.js",
    );
    only(
        &new().page(page, "<a href=''><a href=\"\">").verify(),
        "empty link",
        Warning,
        &[page],
        "2 links are empty",
    );
    only(&new().page("x.html", "").verify(), "empty entry", Warning, &["x.html"], "has no bytes");
    only(
        &new()
            .page("x.html", "same")
            .page("y.html", "same")
            .with("C/z.html", Body::Alias("C/x.html"))
            .verify(),
        "duplicate",
        Warning,
        &["x.html", "y.html"],
        "2 entries have the same bytes",
    );
    only(
        &new()
            .with("C/x.png", Body::Stored("image/png", vec![1; 5 << 20]))
            .with("C/y.png", Body::Stored("image/png", vec![1; 5 << 20]))
            .verify(),
        "duplicate",
        Warning,
        &["x.png", "y.png"],
        "2 entries have the same bytes",
    );
    only(&new().without("M/Title").verify(), "metadata", Warning, &["M/Title"], "missing");
    only(
        &new().with("M/Title", Body::Bytes("text/plain", vec![b'x'; 31])).verify(),
        "metadata",
        Warning,
        &["M/Title"],
        "31 letters, 30 are the most",
    );
    only(&new().without("M/Illustration_48x48@1").verify(), "illustration", Warning, &[], "48 times 48");
    only(
        &new().with("M/Illustration_48x48@1", Body::Stored("image/png", b"GIF".to_vec())).verify(),
        "metadata",
        Warning,
        &["M/Illustration_48x48@1"],
        "no PNG",
    );
    only(&new().without("W/mainPage").verify(), "main page", Warning, &[], "there is none");
    only(
        &new().with("Q/x", Body::Bytes("text/plain", b"x".to_vec())).verify(),
        "namespace",
        Warning,
        &["Q/x"],
        "no reader knows",
    );
}

#[test]
fn links_to_redirects_and_through_forgiven_namespaces_lead_somewhere() {
    let build = Build::new().with("C/r", Body::Redirect("C/main.html".into())).page(
        "a/b.html",
        "<a href=../r><a href='../A/main.html'><img src='data:,'><a href='mailto:x'><a href='?x'>",
    );
    assert_eq!(said(&build.verify()), []);
}

#[test]
fn redirects_that_end_nowhere_are_errors_of_each_loop() {
    let mut build = Build::new();
    for (from, to) in [("a", "b"), ("b", "a"), ("c", "a"), ("s", "s"), ("t", "main.html")] {
        build = build.with(&format!("C/{from}"), Body::Redirect(format!("C/{to}")));
    }
    let findings = build.verify();
    assert_eq!(findings.len(), 2, "{:?}", said(&findings));
    assert_eq!(
        (findings[0].check, &findings[0].entries[..]),
        ("redirect loop", &["a".into(), "b".into(), "c".into()][..])
    );
    assert_eq!((findings[1].check, &findings[1].entries[..]), ("redirect loop", &["s".into()][..]));
    let out = Build::new().with("C/x", Body::To(99));
    only(&out.verify(), "redirect", Severity::Error, &["x"], "to entry 99 of 12");
    let main = Build::new().with("W/mainPage", Body::Redirect("W/mainPage".into())).verify();
    assert_eq!(main.iter().map(|f| f.check).collect::<Vec<_>>(), ["redirect loop", "main page"]);
    assert!(main.iter().all(|f| f.severity == Severity::Error));
}

#[test]
fn a_million_redirects_behind_each_other_are_followed_once() {
    let archive = open(Build::new().bytes()).unwrap();
    let run = Run { archive: &archive, options: ALL, observer: &Silent };
    const N: u32 = 1_000_000;
    for (last, checks) in
        [(N + 5, &["redirect chain"][..]), (0, &["redirect loop"]), (N - 1, &["redirect loop"])]
    {
        for backwards in [false, true] {
            let chain: Vec<(u32, u32)> = (0..N)
                .map(|i| match backwards {
                    false => (i, if i == N - 1 { last } else { i + 1 }),
                    true => (i, if i == 0 { N - 1 - last.min(N - 1) } else { i - 1 }),
                })
                .collect();
            if backwards && last > N {
                continue;
            }
            let mut findings = Findings::default();
            run.redirects(&chain, &mut findings).unwrap();
            let list = findings.into_list();
            assert_eq!(list.iter().map(|f| f.check).collect::<Vec<_>>(), checks);
            assert_eq!(list[0].entries.len(), 100);
            assert!(list[0].n_entries >= u64::from(N - 50));
        }
    }
}

#[test]
fn what_breaks_a_rule_of_the_format_is_an_error() {
    use Severity::Error;
    let unsorted = Build { swap: Some((3, 4)), ..Build::new() }.verify();
    assert_eq!(unsorted[0].check, "entry order");
    assert_eq!(unsorted[0].severity, Error);
    assert_eq!(unsorted[0].entries, ["M/Description"]);
    let build = Build::new();
    let listing = |bytes: &[u8]| {
        let list = Body::Stored(MIMES[0], bytes.to_vec());
        Build { has_articles: false, ..build.clone() }.with("X/listing/titleOrdered/v1", list).verify()
    };
    only(
        &listing(&[0, 0, 0, 0, 99, 0, 0, 0]),
        "title index",
        Error,
        &[],
        "1 number is of no entry; the first at place 1: 99 of 11",
    );
    only(&listing(&[0, 0, 0, 0, 1]), "title listing", Error, &["X/listing/titleOrdered/v1"], "5 bytes");
    only(&listing(&[3, 0, 0, 0]), "title namespace", Error, &[], "M/Description");
    only(
        &listing(&[0, 0, 0, 0, 0, 0, 0, 0]),
        "title repeated",
        Severity::Warning,
        &[],
        "1 entry more than once",
    );
    assert_eq!(said(&listing(&[])), []);
    let compressed = Build { has_articles: false, ..build.clone() }
        .with("X/listing/titleOrdered/v1", Body::Bytes(MIMES[0], vec![0; 4]))
        .verify();
    only(&compressed, "title listing", Error, &["X/listing/titleOrdered/v1"], "compressed");
    let mut none = Build { has_articles: false, minor: 3, ..build.clone() }.bytes();
    none[40..48].fill(0xff);
    only(&verify(seal(none), ALL), "title listing", Error, &[], "no list of entries by title");
    let mut backwards = build.bytes();
    let titles = field(&backwards, 40);
    backwards[titles..titles + 8].rotate_left(4);
    only(&verify(seal(backwards), ALL), "title order", Error, &[], "\"main.html\"");
}

#[test]
fn damage_in_a_cluster_names_the_entries_that_are_lost() {
    let bytes = Build::new().page("a.html", "a page").bytes();
    let at = field(&bytes, field(&bytes, 48));
    for (offset, value, check) in [
        (0, 9, "compression"),
        (0, 0x25, "cluster flags"),
        (0, 1, "blob offsets"),
        (1, 0, "decoding"),
        (20, 0xff, ""),
    ] {
        let mut changed = bytes.clone();
        changed[at + offset] = value;
        let findings = verify(seal(changed), ALL);
        let finding =
            findings.iter().find(|f| f.block == Some(0)).unwrap_or_else(|| panic!("{:?}", said(&findings)));
        assert!(check.is_empty() || finding.check == check, "{check}: {}", finding.message);
        assert_eq!(finding.severity, Severity::Error);
        assert_eq!(finding.n_entries, 9, "{}", finding.message);
        assert_eq!(finding.entries[..2], ["a.html", "main.html"]);
        assert!(finding.message.contains("9 entries are lost: a.html to "), "{}", finding.message);
    }
    // A stored cluster whose second offset is wrong.
    let at = field(&bytes, field(&bytes, 48) + 8);
    let mut changed = bytes.clone();
    changed[at + 5 + 3] = 0x70;
    let findings = verify(seal(changed.clone()), VerifyOptions { quick: true, links: false });
    assert!(
        findings.iter().any(|f| f.check == "blob offsets" && f.block == Some(1)),
        "{:?}",
        said(&findings)
    );
}

#[test]
fn a_wrong_checksum_says_whether_more_can_be_said() {
    let bytes = Build::new().bytes();
    let mut changed = bytes.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    only(&verify(changed.clone(), ALL), "checksum", Severity::Error, &[], "cannot be told");
    assert_eq!(said(&verify(changed, VerifyOptions { quick: true, links: false })), []);
    let mut changed = bytes;
    let at = field(&changed, field(&changed, 48));
    changed[at] = 9;
    let findings = verify(changed, ALL);
    assert!(findings.last().unwrap().message.contains("other errors"), "{:?}", said(&findings));
}

/// A file whose cluster 0 is replaced: it stands at the end of the tables then.
fn with_cluster(build: &Build, stored: &[u8]) -> Vec<u8> {
    let mut bytes = build.bytes();
    bytes.truncate(bytes.len() - 16);
    let pointer = field(&bytes, 48);
    let at = bytes.len() as u64;
    bytes[pointer..pointer + 8].copy_from_slice(&at.to_le_bytes());
    bytes.extend(stored);
    let end = bytes.len() as u64;
    bytes[72..80].copy_from_slice(&end.to_le_bytes());
    bytes.extend([0; 16]);
    seal(bytes)
}

/// One page that is in a cluster of its own, longer than any that is decoded into memory.
fn long_cluster(page: &[u8], rest: usize, behind: &[u8]) -> Vec<u8> {
    // Blob 1 is all that is needed: those of the metadata are empty.
    let n = 9;
    let table = 4 * (n + 1);
    let mut raw = vec![];
    for end in [0, page.len()].into_iter().chain(vec![page.len() + rest; n - 1]) {
        raw.extend(((table + end) as u32).to_le_bytes());
    }
    raw.extend(page);
    raw.resize(raw.len() + rest, b' ');
    raw.extend(behind);
    [&[5], &codec::compress(&raw, 1)[..]].concat()
}

#[test]
fn a_cluster_of_any_length_is_checked_and_a_limit_is_no_damage() {
    use Severity::{Error, Warning};
    let build = Build::new().page("a.html", "");
    let long = crate::limits::MAX_ZIM_WALK as usize + 1;
    // The first blob of the file is a.html's, the second main.html's.
    let of_links = |bytes: Vec<u8>| -> Vec<Finding> {
        let checks = ["link", "long page", "decoding", "decoded length", "blob offsets"];
        verify(bytes, ALL).into_iter().filter(|f| checks.contains(&f.check)).collect()
    };
    let page = b"<a href=nowhere.html>";
    let whole = with_cluster(&build, &long_cluster(page, long, b""));
    let found = of_links(whole.clone());
    let [link, longer] = &found[..] else { panic!("{:?}", said(&found)) };
    only(std::slice::from_ref(link), "link", Warning, &["a.html"], "nowhere.html");
    only(std::slice::from_ref(longer), "long page", Warning, &["main.html"], "67108865 bytes");
    let archive = open(whole).unwrap();
    assert_eq!(archive.check_cluster(0).unwrap(), 9);
    // What is wrong with it is found as well.
    let behind = with_cluster(&build, &long_cluster(page, long, b"more"));
    let found = of_links(behind);
    only(
        &found[2..],
        "decoded length",
        Error,
        &[
            "a.html",
            "main.html",
            "M/Creator",
            "M/Date",
            "M/Description",
            "M/Language",
            "M/Name",
            "M/Publisher",
            "M/Title",
        ],
        "goes on behind its last blob",
    );
    let mut cut = long_cluster(page, long, b"");
    cut.truncate(cut.len() - 5);
    let found = of_links(with_cluster(&build, &cut));
    let last = found.last().unwrap();
    assert_eq!((last.check, last.severity, last.n_entries), ("decoding", Error, 9), "{}", last.message);
}

#[test]
fn a_cluster_that_goes_on_behind_its_last_blob_is_damaged() {
    let build = Build::new().page("a.html", "");
    for rest in [0, 3 << 20] {
        assert_eq!(
            said(&verify(with_cluster(&build, &long_cluster(b"<p>", rest + 1, b"")), ALL))
                .iter()
                .filter(|f| f.0.starts_with("deco"))
                .count(),
            0
        );
        let behind = with_cluster(&build, &long_cluster(b"<p>", rest + 1, b"x"));
        let found = verify(behind, ALL);
        assert!(found.iter().any(|f| f.check == "decoded length" && f.n_entries == 9), "{:?}", said(&found));
    }
}

#[test]
fn blobs_that_are_not_there_are_named_by_their_entries() {
    let bytes = Build::new().bytes();
    let dirent = field(&bytes, field(&bytes, 32));
    let mut changed = bytes;
    changed[dirent + 12] = 200;
    let findings = verify(seal(changed), ALL);
    only(
        &findings,
        "blob number",
        Severity::Error,
        &["main.html"],
        "blob 200 of cluster 0, which has 8 blobs",
    );
}

/// Every value that is likely to break something, at every byte that is not content.
#[test]
fn no_change_of_the_tables_makes_the_checks_fail_or_run_on() {
    let bytes = Build::new()
        .page("a/b.html", "<a href=../main.html>")
        .with("C/r", Body::Redirect("C/main.html".into()))
        .bytes();
    let clusters = field(&bytes, field(&bytes, 48))..field(&bytes, field(&bytes, 32));
    let places = (8..bytes.len() - 16).filter(|at| !clusters.contains(at));
    let changes: Vec<(usize, u8)> = places
        .flat_map(|at| [0, 1, 0x7f, 0xff, bytes[at] ^ 1, bytes[at] ^ 0x80].map(|value| (at, value)))
        .collect();
    assert!(changes.len() > 3000);
    let n_found: u64 = changes
        .into_par_iter()
        .map(|(at, value)| {
            let mut changed = bytes.clone();
            changed[at] = value;
            let Ok(archive) = open(seal(changed)) else { return 1 };
            let findings = archive.verify(ALL, &Silent).unwrap().findings;
            assert!(findings.len() < 100, "{at} {value}: {} findings", findings.len());
            u64::from(!findings.is_empty())
        })
        .sum();
    assert!(n_found > 2000, "{n_found}");
}

#[test]
fn no_value_of_the_header_makes_the_checks_fail_or_run_on() {
    let bytes = Build::new().bytes();
    let size = bytes.len() as u64;
    let values = [0, 1, size - 1, size, 1 << 31, (1 << 32) - 1, 1 << 63, u64::MAX, size / 2];
    for (at, width) in
        [(4, 2), (6, 2), (24, 4), (28, 4), (32, 8), (40, 8), (48, 8), (56, 8), (64, 4), (68, 4), (72, 8)]
    {
        for value in values {
            let mut changed = bytes.clone();
            changed[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
            if let Ok(archive) = open(seal(changed)) {
                let findings = archive.verify(ALL, &Silent).unwrap().findings;
                assert!(findings.len() < 2100, "{at} {value}: {}", findings.len());
            }
        }
    }
}

#[test]
fn a_check_that_is_told_to_stop_stops() {
    struct Impatient;
    impl Observer for Impatient {
        fn is_cancelled(&self) -> bool {
            true
        }
    }
    let archive = open(Build::new().bytes()).unwrap();
    assert!(matches!(archive.verify(ALL, &Impatient), Err(Error::Interrupted)));
}
