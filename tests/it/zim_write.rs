//! ZIM files as we write them: read by our reader, by libzim and by zimcheck, and byte by byte.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use md5::{Digest, Md5};
use tempfile::TempDir;
use tome::item::{About, Body, Content, Item, Metadata, Observer, Silent, Sink, Value, escape_bytes};
use tome::sources;
use tome::zim::metadata::{from_zim, to_zim};
use tome::zim::{Archive, EntryBody, Minor, WriteOptions, Writer};

use super::common::{Heard, Random, article, item, media, redirect, sample, templated};
use super::peers;

const MINORS: [Minor; 2] = [Minor::One, Minor::Three];

/// What a reader tells of an entry: its title, and its mime type and bytes or its target.
type Told = (String, Result<(String, Vec<u8>), String>);

/// Items, and what is to come of them.
#[derive(Default)]
struct Corpus {
    items: Vec<Item>,
    expected: BTreeMap<String, Told>,
}

impl Corpus {
    fn content(&mut self, item: Item, title: &str) {
        let (Body::Article { mime, content } | Body::Media { mime, content }) = &item.body else { panic!() };
        let bytes = super::common::whole(content).unwrap();
        self.expected.insert(item.path.clone(), (title.into(), Ok((mime.clone(), bytes))));
        self.items.push(item);
    }

    fn redirect(&mut self, path: &str, target: &str, title: Option<&str>) {
        let told = (title.unwrap_or(path).to_owned(), Err(target.to_owned()));
        self.expected.insert(path.to_owned(), told);
        self.items.push(Item { title: title.map(Into::into), ..redirect(path, target, None) });
    }

    /// Adds what is not to be in the file.
    fn left_out(&mut self, item: Item) {
        self.items.push(item);
    }
}

fn large(path: &str, mime: &str, declared: u64, bytes: Vec<u8>) -> Item {
    let open = move || -> std::io::Result<Box<dyn std::io::Read + Send>> {
        Ok(Box::new(std::io::Cursor::new(bytes.clone())))
    };
    let content = Content::Large { len: declared, open: Box::new(open) };
    item(path, None, Body::Media { mime: mime.into(), content })
}

/// All that is odd and can be said in UTF-8.
fn hostile() -> Corpus {
    let mut corpus = Corpus::default();
    let mut random = Random(3);
    corpus.content(article("index.html", Some("The main page"), templated("Main", "words")), "The main page");
    corpus.content(article("a/Untitled_page.html", None, "<p>untitled</p>"), "Untitled page");
    corpus.content(article("empty title.html", Some(""), "<p>empty</p>"), "empty title");
    corpus.content(article("same", Some("same"), "<p>its title is its path</p>"), "same");
    corpus.content(article("nothing.html", Some("Nothing in it"), ""), "Nothing in it");
    corpus.content(media("nothing.bin", "application/octet-stream", ""), "nothing.bin");
    corpus.content(media("/begins/with a slash?&#%20", "text/css", "p {}"), "/begins/with a slash?&#%20");
    corpus.content(article("équivoque/ß…", Some("Équivoque\u{202e}\t"), "x"), "Équivoque\u{202e}\t");
    corpus.content(article("\u{f8ff}ff", Some("no escape"), "private"), "no escape");
    for i in 0..40u32 {
        let text = templated(&format!("Page {i}"), &random.prose(300));
        let title = format!("Page {i}");
        corpus.content(article(&format!("pages/{i}.html"), Some(&title), text), &title);
        let noise = random.bytes(3000);
        let path = format!("noise/{i}.bin");
        corpus.content(media(&path, "application/x-noise", noise.clone()), &path);
        // Mime types beyond the room that there is for them.
        let path = format!("mimes/{i}");
        corpus.content(media(&path, &format!("application/x-{:060}", i * 7 % 40), random.prose(50)), &path);
        if i % 8 == 0 {
            let path = format!("again/{i}.bin");
            corpus.content(media(&path, "application/x-noise", noise), &path);
        }
    }
    for name in ["same/1.txt", "same/2.txt", "same/3.txt"] {
        corpus.content(media(name, "text/plain", "the same ".repeat(2000)), name);
    }
    let text = random.prose(900_000).into_bytes();
    assert!(text.len() > 5 << 20);
    corpus.content(
        large("large/text", "text/plain; charset=utf-8", text.len() as u64, text.clone()),
        "large/text",
    );
    corpus.content(large("large/again", "text/plain", text.len() as u64, text.clone()), "large/again");
    let beyond = text.repeat(2);
    corpus.content(large("large/beyond", "application/json", beyond.len() as u64, beyond), "large/beyond");
    let noise = random.bytes(5 << 20);
    corpus.content(large("large/noise", "video/webm", noise.len() as u64, noise.clone()), "large/noise");
    corpus.content(
        large("large/noise again", "video/webm", noise.len() as u64, noise.clone()),
        "large/noise again",
    );
    corpus.left_out(large("large/short", "video/webm", noise.len() as u64 + 1, noise.clone()));
    corpus.left_out(large("large/long", "video/webm", noise.len() as u64 - 1, noise));

    corpus.redirect("r/plain", "index.html", None);
    corpus.redirect("r/titled", "index.html", Some("Another name"));
    corpus.redirect("r/chained", "r/plain", None);
    corpus.redirect("r/to media", "noise/1.bin", Some("Noise"));
    for (from, to) in [("r/dangling", "nowhere"), ("r/dead", "r/dangling"), ("r/self", "r/self")] {
        corpus.left_out(redirect(from, to, None));
    }
    for (from, to) in [("r/loop 1", "r/loop 2"), ("r/loop 2", "r/loop 1"), ("r/into loop", "r/loop 1")] {
        corpus.left_out(redirect(from, to, None));
    }
    corpus.left_out(redirect("r/page nowhere", "nowhere", Some("x")));
    corpus.left_out(redirect("r/to page nowhere", "r/page nowhere", None));
    let pages = [("r/deep/page", None, "r/plain"), ("r/titled page", Some("A section"), "pages/1.html")];
    for (path, title, target) in pages {
        let mut page = redirect(path, target, Some("a \"section\"&"));
        page.title = title.map(Into::into);
        let link =
            format!("{}{target}#a%20%22section%22%26", if path.contains("deep") { "../../" } else { "../" });
        let link = link.replace("../../r/", "../");
        let shown = title.unwrap_or(path);
        let text = format!(
            "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n<title>{shown}</title>\n\
             <link rel=\"canonical\" href=\"{link}\">\n<meta http-equiv=\"refresh\" content=\"0; url={link}\">\n\
             </head>\n<body>\n<p><a href=\"{link}\">{target}</a></p>\n</body>\n</html>\n"
        );
        corpus.expected.insert(path.into(), (shown.into(), Ok(("text/html".into(), text.into_bytes()))));
        corpus.items.push(page);
    }
    corpus.redirect("r/to page", "r/deep/page", None);

    let long = format!("long/{}", "x".repeat(60_000));
    let title = "é".repeat(4000);
    let cut = "é".repeat((65_533 - long.len()) / 2);
    corpus.content(article(&long, Some(&title), "<p>long</p>"), &cut);
    corpus.left_out(article(&"y".repeat(65_534), None, "too long"));
    corpus.left_out(article("", None, "no path"));
    corpus.left_out(article("zero\0byte", None, "zero"));
    corpus.content(article("zero title", Some("a\0b"), "zero"), "a b");
    corpus.items.push(media("mime/none", "", "x"));
    corpus.items.push(media("mime/zero", "a\0b", "x"));
    for path in ["mime/none", "mime/zero"] {
        let told = (path.to_owned(), Ok(("application/octet-stream".to_owned(), b"x".to_vec())));
        corpus.expected.insert(path.into(), told);
    }
    corpus
}

fn metadata() -> Metadata {
    let mut metadata = Metadata::default();
    for (key, value) in [
        ("title", "What is odd"),
        ("language", "en,pt-BR"),
        ("creator", "Nobody"),
        ("publisher", "Somebody"),
        ("date", "2024-02-29"),
        ("description", "What is odd in it is meant"),
        ("tags", "odd;_ftindex:yes"),
        ("X-Own", "kept"),
    ] {
        metadata.set_text(key, value);
    }
    metadata.set("X-Binary", Value { mime: "application/octet-stream".into(), bytes: (0..=255).collect() });
    metadata
}

fn about() -> About {
    About { metadata: metadata(), main: Some("index.html".into()), ..About::default() }
}

fn options(minor: Minor) -> WriteOptions {
    WriteOptions { minor, level: Some(3), cluster_size: Some(256 << 10), ..WriteOptions::default() }
}

fn write(path: &Path, items: Vec<Item>, about: &About, options: WriteOptions, observer: &dyn Observer) {
    let mut writer = Writer::create(path, options, observer).unwrap();
    items.into_iter().for_each(|item| writer.put(item).unwrap());
    writer.finish(about).unwrap();
}

fn md5(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

fn dump(file: &Path) -> Option<Vec<serde_json::Value>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/zim_peer.py");
    let output =
        Command::new(peers::python_with_libzim()?).arg(script).arg("dump").arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn libzim_reads_what_was_written() {
    for minor in MINORS {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("odd.zim");
        let corpus = hostile();
        write(&file, corpus.items, &about(), options(minor), &Silent);
        let Some(lines) = dump(&file) else { return };
        let (archive, entries) = lines.split_last().unwrap();
        let mut expected = corpus.expected;
        for line in entries {
            let path = line["path"].as_str().unwrap();
            let (title, body) = expected.remove(path).unwrap_or_else(|| panic!("{path} is too many"));
            assert_eq!(line["title"], title, "{path}");
            match body {
                Err(target) => assert_eq!(line["target"], target, "{path}"),
                Ok((mime, bytes)) => {
                    assert_eq!(line["mime"], mime, "{path}");
                    assert_eq!(line["size"], bytes.len(), "{path}");
                    assert_eq!(line["md5"], md5(&bytes), "{path}");
                }
            }
        }
        assert!(expected.is_empty(), "{:?}", expected.keys());
        assert_eq!(archive["main"], "index.html");
        assert_eq!(archive["checked"], true);
        // Articles, and redirects with a title that lead to one.
        assert_eq!(archive["articles"], 49 + 2);
        assert_eq!(archive["illustrations"], serde_json::json!([48]));
        let metadata = &archive["metadata"];
        for (key, value) in [
            ("Title", &b"What is odd"[..]),
            ("Language", b"eng,por"),
            ("Creator", b"Nobody"),
            ("Publisher", b"Somebody"),
            ("Date", b"2024-02-29"),
            ("Description", b"What is odd in it is meant"),
            ("Tags", b"odd;_ftindex:no"),
            ("Name", b"what-is-odd_eng"),
            ("X-Own", b"kept"),
            ("X-Binary", &(0..=255).collect::<Vec<u8>>()),
        ] {
            assert_eq!(metadata[key]["md5"], md5(value), "{key}");
        }
        assert_eq!(metadata["X-Binary"]["mime"], "application/octet-stream");
        assert_eq!(metadata["Title"]["mime"], "text/plain");
    }
}

#[test]
fn our_reader_reads_what_was_written() {
    for minor in MINORS {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("odd.zim");
        let mut corpus = hostile();
        let mut odd = article(&escape_bytes(b"caf\xe9/\xff.html"), Some(&escape_bytes(b"caf\xe9")), "latin");
        odd.escaped = true;
        let odd_path = odd.path.clone();
        corpus.content(odd, &escape_bytes(b"caf\xe9"));
        corpus.redirect("r/to odd", &odd_path, None);
        // Spelt as the escape, but meant as it is.
        corpus.redirect("r/to no escape", "\u{f8ff}ff", None);
        let heard = Heard::default();
        write(&file, corpus.items, &about(), options(minor), &heard);
        let archive = Archive::open(&file).unwrap();
        let mut expected = corpus.expected;
        for entry in archive.entries() {
            let entry = entry.unwrap();
            // The reader doubles a literal escape only in paths that are escaped.
            let key = if expected.contains_key(&entry.path) {
                entry.path.clone()
            } else {
                entry.path.replace("\u{f8ff}\u{f8ff}", "\u{f8ff}")
            };
            let (title, body) = expected.remove(&key).unwrap_or_else(|| panic!("{} is too many", entry.path));
            assert_eq!(entry.title, title);
            match (body, &entry.body) {
                (Err(target), EntryBody::Redirect { target: to }) => {
                    let to = archive.entry_at(*to).unwrap().unwrap().path;
                    assert!(
                        to == target || to.replace("\u{f8ff}\u{f8ff}", "\u{f8ff}") == target,
                        "{to} {target}"
                    );
                }
                (Ok((mime, bytes)), EntryBody::Blob { mime: found, .. }) => {
                    assert_eq!(*found, mime);
                    assert!(archive.content(&entry).unwrap()[..] == bytes[..], "{}", entry.path);
                }
                (body, other) => panic!("{}: {body:?} {other:?}", entry.path),
            }
        }
        assert!(expected.is_empty(), "{:?}", expected.keys());
        assert_eq!(archive.main_entry().unwrap().map(|e| e.path).as_deref(), Some("index.html"));
        assert_eq!(archive.n_articles().unwrap(), 50 + 2);
        let lines = heard.lines();
        let said = |start: &str| lines.iter().filter(|line| line.starts_with(start)).count();
        assert_eq!(said("error"), 5, "{lines:#?}");
        // Of redirects; of a title and two mime types.
        assert_eq!(said("warning r/"), 8, "{lines:#?}");
        assert_eq!(said("warning"), 8 + 3, "{lines:#?}");
    }
}

/// Returns what zimcheck finds, a line each.
fn zimcheck(file: &Path) -> Option<Vec<String>> {
    let output = Command::new(peers::zimcheck()?).arg("-A").arg(file).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("Overall Test Status"), "{text}");
    let finds = |line: &&str| {
        !line.starts_with("[INFO]") && !line.trim().is_empty() && !line.contains("Verifying Similar")
    };
    Some(text.lines().filter(finds).map(str::to_owned).collect())
}

#[test]
fn zimcheck_finds_nothing_that_the_content_did_not_cause() {
    let dir = TempDir::new().unwrap();
    let sampler = dir.path().join("sampler.zim");
    let observer = Heard::default();
    let mut writer = Writer::create(&sampler, WriteOptions::default(), &observer).unwrap();
    let mut source = sources::open(&sample("sample"), "", sources::Options::default()).unwrap();
    let about = source.run(&mut writer, &observer).unwrap();
    let summary = writer.finish(&about).unwrap();
    assert_eq!(summary.bytes_out, std::fs::metadata(&sampler).unwrap().len());
    let Some(lines) = zimcheck(&sampler) else { return };
    assert_eq!(lines, [""; 0]);

    let odd = dir.path().join("odd.zim");
    let mut corpus = hostile();
    // Links that lead nowhere are the content's: what is not to be clean here are empty and equal entries.
    corpus.items.retain(|item| {
        !item.path.starts_with("pages/") && item.path != "index.html" && !item.path.is_empty()
    });
    corpus.items.push(article("index.html", Some("Main"), "<p>main</p>"));
    corpus.items.push(article("pages/1.html", Some("One"), "<p>one</p>"));
    let mut latin = article(&escape_bytes(b"caf\xe9.html"), Some("latin"), "latin");
    latin.escaped = true;
    corpus.items.push(latin);
    write(&odd, corpus.items, &about_odd(), options(Minor::One), &Silent);
    let lines = zimcheck(&odd).unwrap();
    let caused = [
        "is empty",
        "[ERROR] Empty articles:",
        "[WARNING] Redundant data found:",
        "have the same content",
        " and ",
    ];
    let others: Vec<&String> = lines.iter().filter(|line| !caused.iter().any(|c| line.contains(c))).collect();
    assert!(others.is_empty(), "{others:#?}");
}

fn about_odd() -> About {
    About { main: Some("r/titled".into()), ..about() }
}

#[test]
fn bytes_depend_on_neither_threads_nor_memory() {
    let dir = TempDir::new().unwrap();
    for minor in MINORS {
        let file = |name: &str, threads: usize, memory: u64| {
            let path = dir.path().join(format!("{name}{}", minor.number())).join("same.zim");
            std::fs::create_dir(path.parent().unwrap()).unwrap();
            let options = WriteOptions { threads: Some(threads), memory, ..options(minor) };
            write(&path, hostile().items, &about(), options, &Silent);
            std::fs::read(path).unwrap()
        };
        assert!(file("one", 1, 1) == file("many", 4, 1 << 30));
    }
}

fn le<const N: usize>(bytes: &[u8], at: u64) -> u64 {
    let mut out = [0; 8];
    out[..N].copy_from_slice(&bytes[at as usize..][..N]);
    u64::from_le_bytes(out)
}

/// Checks what the format asks for by its bytes alone.
#[test]
fn the_bytes_keep_the_rules_of_the_format() {
    for minor in MINORS {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("odd.zim");
        write(&file, hostile().items, &about_odd(), options(minor), &Silent);
        let bytes = std::fs::read(&file).unwrap();
        assert_eq!(&bytes[..4], b"ZIM\x04");
        assert_eq!((le::<2>(&bytes, 4), le::<2>(&bytes, 6)), (6, u64::from(minor.number())));
        let (entries, clusters) = (le::<4>(&bytes, 24), le::<4>(&bytes, 28));
        let [paths_at, titles_at, clusters_at, mimes_at] = [32, 40, 48, 56].map(|at| le::<8>(&bytes, at));
        let (main, checksum_at) = (le::<4>(&bytes, 64), le::<8>(&bytes, 72));
        assert!(clusters <= entries);
        assert_eq!((mimes_at, checksum_at + 16), (80, bytes.len() as u64));
        assert_eq!(bytes[68..72], [0xff; 4]);
        assert_eq!(bytes[checksum_at as usize..], Md5::digest(&bytes[..checksum_at as usize])[..]);
        let mut mimes: Vec<&[u8]> = vec![];
        let mut at = 80;
        loop {
            let end = at + bytes[at..].iter().position(|b| *b == 0).unwrap();
            if end == at {
                break;
            }
            mimes.push(&bytes[at..end]);
            at = end + 1;
        }
        assert!(at > 2048, "the room is not used up");
        assert!(mimes.is_sorted());
        let first_cluster = le::<8>(&bytes, clusters_at);
        assert!(at < first_cluster as usize);

        let mut blobs = std::collections::HashSet::new();
        let mut last: Option<(u8, Vec<u8>)> = None;
        let mut names = vec![];
        for i in 0..entries {
            let at = le::<8>(&bytes, paths_at + 8 * i);
            let mime = le::<2>(&bytes, at);
            let namespace = bytes[at as usize + 3];
            let strings = if mime == 0xffff {
                assert!(le::<4>(&bytes, at + 8) < entries);
                at + 12
            } else {
                assert!((mime as usize) < mimes.len());
                let place = (le::<4>(&bytes, at + 8), le::<4>(&bytes, at + 12));
                assert!(place.0 < clusters);
                let is_new = blobs.insert(place);
                assert!(is_new || minor == Minor::Three, "two entries share a blob");
                at + 16
            };
            let mut strings = bytes[strings as usize..].split(|b| *b == 0);
            let (path, title) = (strings.next().unwrap().to_vec(), strings.next().unwrap().to_vec());
            assert_ne!(path, title);
            let this = (namespace, path.clone());
            assert!(last.is_none_or(|last| last < this));
            last = Some(this);
            names.push((namespace, if title.is_empty() { path.clone() } else { title }, mime, path));
        }
        let name = &names[main as usize];
        assert_eq!((name.0, &name.3[..]), (b'W', &b"mainPage"[..]));
        assert!(minor == Minor::One || blobs.len() < names.iter().filter(|n| n.2 != 0xffff).count());

        let mut n_blobs = 0;
        let mut decoder = tome_zstd_windows();
        for c in 0..clusters {
            let at = le::<8>(&bytes, clusters_at + 8 * c) as usize;
            match bytes[at] {
                1 => n_blobs += le::<4>(&bytes, at as u64 + 1) / 4 - 1,
                5 => n_blobs += decoder(&bytes[at + 1..]),
                other => panic!("info byte {other}"),
            }
        }
        assert_eq!(n_blobs, blobs.len() as u64);

        if minor == Minor::One {
            let titles: Vec<usize> =
                (0..entries).map(|i| le::<4>(&bytes, titles_at + 4 * i) as usize).collect();
            let key = |i: &usize| (names[*i].0, names[*i].1.clone());
            assert!(titles.iter().map(key).is_sorted());
            let mut sorted = titles.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..entries as usize).collect::<Vec<_>>());
        } else {
            assert_eq!(titles_at, u64::MAX);
        }
    }
}

/// Returns what checks the window of a zstd frame, and counts the blobs of the cluster that it holds.
fn tome_zstd_windows() -> impl FnMut(&[u8]) -> u64 {
    |frame| {
        assert_eq!(frame[..4], [0x28, 0xb5, 0x2f, 0xfd]);
        let descriptor = frame[4];
        if descriptor & 0x20 == 0 {
            let window = 1u64 << (10 + (frame[5] >> 3));
            assert!(window + window / 8 * u64::from(frame[5] & 7) <= 8 << 20);
        }
        let mut first = [0; 4];
        let mut decoder = zstd::stream::read::Decoder::new(frame).unwrap();
        std::io::Read::read_exact(&mut decoder, &mut first).unwrap();
        u64::from(u32::from_le_bytes(first)) / 4 - 1
    }
}

#[test]
fn metadata_comes_out_of_a_round_trip_as_it_went_in() {
    let Some(python) = peers::python_with_libzim() else { return };
    let dir = TempDir::new().unwrap();
    let (before, after) = (dir.path().join("before.zim"), dir.path().join("after.zim"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/zim_peer.py");
    assert!(Command::new(python).arg(script).arg("make").arg(&before).status().unwrap().success());
    let metadata = |path: &Path| Archive::open(path).unwrap().metadata().unwrap();
    let was = metadata(&before);
    let about = About { metadata: from_zim(was.clone()), main: Some("main".into()), ..About::default() };
    write(&after, vec![article("main", Some("Main"), "x")], &about, options(Minor::One), &Silent);
    let aside = |values: Vec<(String, Value)>| -> BTreeMap<String, Value> {
        let mut values: BTreeMap<String, Value> = values.into_iter().filter(|v| v.0 != "Counter").collect();
        let tags = values.get_mut("Tags").unwrap();
        let text = String::from_utf8(tags.bytes.clone()).unwrap();
        let kept: Vec<&str> = text.split(';').filter(|tag| !tag.starts_with("_ftindex")).collect();
        tags.bytes = kept.join(";").into_bytes();
        values
    };
    assert_eq!(aside(metadata(&after)), aside(was.clone()));
    assert_eq!(to_zim(&about.metadata).len(), was.len() - 1);
}

#[test]
fn the_same_content_has_the_same_identity_and_its_own_if_it_has_one() {
    let dir = TempDir::new().unwrap();
    let uuid = |name: &str, text: &str, uuid: Option<&str>, minor: Minor| {
        let path = dir.path().join(name);
        let mut about = about();
        if let Some(uuid) = uuid {
            about.metadata.set_text("uuid", uuid);
        }
        write(&path, vec![article("index.html", None, text)], &about, options(minor), &Silent);
        std::fs::read(path).unwrap()[8..24].to_vec()
    };
    let one = uuid("1.zim", "one", None, Minor::One);
    assert_eq!(one, uuid("2.zim", "one", Some("no uuid"), Minor::Three));
    assert_ne!(one, uuid("3.zim", "two", None, Minor::One));
    assert_eq!((one[6] >> 4, one[8] >> 6), (8, 2));
    let own = "0102030405060708090a0b0c0d0e0f10";
    let dashed = "01020304-0506-0708-090a-0b0c0d0e0f10";
    let found: String =
        uuid("4.zim", "one", Some(dashed), Minor::One).iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(found, own);
}

#[test]
fn two_entries_of_one_path_are_an_error_and_nothing_remains() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("twice.zim");
    let mut writer = Writer::create(&file, WriteOptions::default(), &Silent).unwrap();
    writer.put(article("a", None, "1")).unwrap();
    writer.put(redirect("a", "b", None)).unwrap();
    let e = writer.finish(&About::default()).unwrap_err().to_string();
    assert!(e.contains("two entries of one path: from test:a and from test:a"), "{e}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn who_asks_to_stop_finds_nothing() {
    struct Stop(std::sync::atomic::AtomicU32);
    impl Observer for Stop {
        fn is_cancelled(&self) -> bool {
            self.0.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) == 0
        }
    }
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("stopped.zim");
    for after in [0, 1, 2, 3] {
        let stop = Stop(after.into());
        let mut writer = Writer::create(&file, WriteOptions::default(), &stop).unwrap();
        let put = writer.put(article("a", None, "1")).and_then(|()| writer.put(article("b", None, "2")));
        let done = put.and_then(|()| writer.finish(&About::default()));
        assert!(matches!(done, Err(tome::error::Error::Interrupted)), "{after}: {done:?}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}

#[test]
fn an_archive_of_nothing_is_a_zim_nevertheless() {
    for minor in MINORS {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("nothing.zim");
        write(&file, vec![], &About::default(), options(minor), &Silent);
        let archive = Archive::open(&file).unwrap();
        assert_eq!(archive.entries().count(), 0);
        assert!(archive.main_entry().unwrap().is_none());
        if let Some(lines) = dump(&file) {
            assert_eq!((lines.len(), &lines[0]["checked"]), (1, &serde_json::json!(true)));
        }
    }
}

#[test]
fn what_a_writer_counts_is_what_a_reader_counts() {
    let folder = TempDir::new().unwrap();
    for minor in MINORS {
        let path = folder.path().join(format!("{minor:?}.zim"));
        let options = WriteOptions { minor, ..WriteOptions::default() };
        let mut writer = Writer::create(&path, options, &Silent).unwrap();
        writer.put(article("a.html", Some("A"), "<p id=x>a</p>")).unwrap();
        writer.put(media("b.css", "text/css", "p {}")).unwrap();
        writer.put(redirect("plain", "a.html", None)).unwrap();
        // Pages in a ZIM: an article where it has a title of its own.
        writer.put(redirect("inner", "a.html", Some("x"))).unwrap();
        writer.put(Item { title: Some("X".into()), ..redirect("titled", "a.html", Some("x")) }).unwrap();
        writer.put(redirect("lost", "nowhere", None)).unwrap();
        let made = writer.finish(&About::default()).unwrap();
        let zim = Archive::open(&path).unwrap();
        let counts = zim.counts().unwrap();
        let read = [counts.articles, counts.media, counts.redirects];
        assert_eq!([made.articles, made.media, made.redirects].map(u64::from), read, "{minor:?}");
        assert_eq!(read, [2, 2, 1], "{minor:?}");
        let kinds = zim.entries().map(|entry| entry.unwrap().kind());
        assert_eq!(kinds.filter(|kind| *kind == tome::item::Kind::Redirect).count(), 1);
    }
}
