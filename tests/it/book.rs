//! One interface over both formats: the same content gives the same answers.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tome::book::{
    Book, CacheOptions, Entry, Format, Found, IndexKind, OpenOptions, SearchOptions, SuggestOptions,
    VerifyOptions, format_of, search,
};
use tome::error::Error;
use tome::item::{About, Item, Kind, Metadata, Observer, Silent, Sink, keys};
use tome::zim;

use crate::common::{Random, article, media, redirect, write};

fn items() -> Vec<Item> {
    let mut random = Random(11);
    let page = |title: &str, body: &str| {
        format!("<!DOCTYPE html><html lang=\"en\"><title>{title}</title><h1>{title}</h1><p>{body}</p>")
    };
    let mut items = vec![
        article("index.html", Some("Home"), page("Home", "<a href=\"a/bee.html\">bees</a>")),
        article(
            "a/bee.html",
            Some("Honey bee"),
            page("Honey bee", "It flies, <a href=\"gone.html\">gone</a>."),
        ),
        article("a/same.html", Some("Same title"), page("Same title", "one")),
        article("b/same.html", Some("Same title"), page("Same title", "two")),
        article("coffee.html", Some("Café au lait"), page("Café au lait", "milk")),
        media("img/noise.png", "image/png", random.bytes(5000)),
        media("style.css", "text/css", "body { color: black }\n".repeat(60)),
    ];
    for (path, target, title) in
        [("apis.html", "a/bee.html", "Apis mellifera"), ("older.html", "apis.html", "Worker bee")]
    {
        items.push(Item { title: Some(title.into()), ..redirect(path, target, None) });
    }
    for i in 0..300 {
        let title = format!("List of things {i}");
        let path = format!("list/{i:03}.html");
        items.push(article(&path, Some(&title), page(&title, &random.prose(30))));
    }
    items
}

fn about() -> About {
    let mut metadata = Metadata::default();
    metadata.set_text(keys::TITLE, "Two formats");
    metadata.set_text(keys::LANGUAGE, "en");
    About { metadata, main: Some("index.html".into()), reading_order: vec![] }
}

/// The same content in both formats.
struct Both {
    _folder: TempDir,
    tome: PathBuf,
    zim: PathBuf,
}

impl Both {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let (tome, zim) = (folder.path().join("a.tome"), folder.path().join("a.zim"));
        write(&tome, items(), &about(), tome::writer::Options::default(), &Silent);
        let options = zim::WriteOptions { cluster_size: Some(16 << 10), ..zim::WriteOptions::default() };
        let mut writer = zim::Writer::create(&zim, options, &Silent).unwrap();
        items().into_iter().for_each(|item| writer.put(item).unwrap());
        writer.finish(&about()).unwrap();
        Self { _folder: folder, tome, zim }
    }

    fn books(&self) -> [Book; 2] {
        [open(&self.tome), open(&self.zim)]
    }
}

fn open(path: &Path) -> Book {
    Book::open(path, &OpenOptions::default()).unwrap()
}

fn by_position(path: &Path) -> Book {
    Book::open(path, &OpenOptions { by_position: true, ..OpenOptions::default() }).unwrap()
}

/// All that is the same in both formats of an entry.
fn told(book: &Book, entry: &Entry) -> impl PartialEq + std::fmt::Debug + use<> {
    let target = book.target(entry).unwrap().map(|e| e.path().to_owned());
    let content = book.content(entry).unwrap().to_vec();
    let mut copied = vec![];
    if entry.kind() != Kind::Redirect {
        book.copy(entry, &mut copied).unwrap();
        assert!(copied == content && book.size_of(entry).unwrap() == content.len() as u64);
    }
    // A title that is not its own is what each format makes of the path.
    let title = Some(entry.title().to_owned()).filter(|_| entry.has_title());
    let names = (entry.path().to_owned(), title, entry.is_escaped(), entry.fragment().map(str::to_owned));
    (names, entry.kind(), entry.mime().to_owned(), target, content)
}

/// What a look-up found, as paths.
fn outcome(found: Found) -> (&'static str, Vec<String>) {
    let path = |e: &Entry| e.path().to_owned();
    match found {
        Found::One(r) => ("one", vec![path(&r.entry)]),
        Found::Several(several) => ("several", several.iter().map(|r| path(&r.entry)).collect()),
        Found::Nothing(near) => ("nothing", near.iter().map(path).collect()),
    }
}

/// The same, without what is only near: which titles are looked at for that is each format's own.
fn meant(found: Found) -> (&'static str, Vec<String>) {
    match outcome(found) {
        ("nothing", _) => ("nothing", vec![]),
        meant => meant,
    }
}

#[test]
fn the_same_content_gives_the_same_entries_in_the_same_order() {
    let both = Both::new();
    let [tome, zim] = both.books().map(|book| {
        let entries: Vec<Entry> = book.entries().map(Result::unwrap).collect();
        let told: Vec<_> = entries.iter().map(|entry| told(&book, entry)).collect();
        (told, entries.len())
    });
    assert_eq!(tome.1, items().len());
    assert!(tome == zim);
    let again = by_position(&both.zim);
    let entries: Vec<Entry> = again.entries().map(Result::unwrap).collect();
    assert!(entries.iter().map(|e| told(&again, e)).collect::<Vec<_>>() == zim.0);
}

#[test]
fn what_a_person_types_means_the_same() {
    let both = Both::new();
    let [tome, zim] = both.books();
    for (name, expected) in [
        ("Honey bee", "one"),
        ("honey  BEE", "one"),
        ("a/bee.html", "one"),
        ("Apis mellifera", "one"),
        ("apis mellifera", "one"),
        ("worker bee", "one"),
        ("older.html", "one"),
        ("cafe au lait", "one"),
        ("Same title", "several"),
        ("same title", "several"),
        ("style.css", "one"),
        ("List of things 17", "one"),
        ("list of THINGS 250", "one"),
        ("Honey beee", "nothing"),
        ("bee.html", "nothing"),
        ("zzz", "nothing"),
        ("", "nothing"),
    ] {
        let found = meant(tome.find(name).unwrap());
        assert_eq!(found.0, expected, "{name}");
        assert_eq!(found, meant(zim.find(name).unwrap()), "{name}");
        let titles = [&tome, &zim].map(|book| meant(book.find_title(name).unwrap()));
        assert_eq!(titles[0], titles[1], "{name}");
        let paths = [&tome, &zim].map(|book| meant(book.find_path(name).unwrap()));
        assert_eq!(paths[0], paths[1], "{name}");
    }
    let near = outcome(zim.find("Honey beee").unwrap());
    assert_eq!(near, ("nothing", vec!["a/bee.html".to_owned()]));
    assert_eq!(outcome(zim.find_title("a/bee.html").unwrap()).0, "nothing");
    // What is remembered of an old file.
    assert_eq!(outcome(zim.find("A/a/bee.html").unwrap()), ("one", vec!["a/bee.html".to_owned()]));
    assert_eq!(outcome(zim.find_path("A/a/bee.html").unwrap()).0, "nothing");
}

#[test]
fn near_titles_of_a_zim_are_titles() {
    let both = Both::new();
    let (kind, near) = outcome(open(&both.zim).find("List of things 999").unwrap());
    assert_eq!((kind, near.len()), ("nothing", 5));
    assert!(near.iter().all(|path| path.starts_with("list/")));
}

/// Options that keep indexes in a folder.
fn indexed_in(folder: &Path) -> OpenOptions {
    let index = CacheOptions { folder: Some(folder.to_path_buf()), ..CacheOptions::default() };
    OpenOptions { index, ..OpenOptions::default() }
}

#[test]
fn suggestions_and_hits_are_the_same() {
    let both = Both::new();
    let cache = TempDir::new().unwrap();
    let options = indexed_in(cache.path());
    let [tome, zim] = [&both.tome, &both.zim].map(|path| Book::open(path, &options).unwrap());
    assert!(tome.has_suggestions() && tome.has_search() && !zim.has_suggestions() && !zim.has_search());
    for query in ["honey b", "HONEY BEE", "apis", "worker", "list of things 2", "cafe", "hony bee", "same"] {
        let asked = SuggestOptions { work: 10_000_000, ..SuggestOptions::default() };
        let paths = |book: &Book| {
            let found = book.suggest(query, &asked, &Silent).unwrap();
            let found: BTreeSet<(String, Option<String>)> =
                found.list.into_iter().map(|s| (s.path, s.via)).collect();
            found
        };
        assert!(!paths(&tome).is_empty(), "{query}");
        assert_eq!(paths(&tome), paths(&zim), "{query}");
    }
    assert!(zim.has_suggestions() && !zim.has_search());
    for query in ["milk", "\"it flies\"", "honey bee", "title:list 7", "flies -bee", "mlik"] {
        let asked = SearchOptions { budget: std::time::Duration::from_secs(60), ..SearchOptions::default() };
        let found = |book: &Book| {
            let hits = search(&[book], query, &asked, &Silent).unwrap();
            assert!(hits.damage.is_empty(), "{:?}", hits.damage);
            let list: Vec<_> = hits.list.into_iter().map(|h| (h.path, h.snippet, h.relaxed)).collect();
            (list, hits.did_you_mean)
        };
        assert_eq!(found(&tome), found(&zim), "{query}");
    }
    // Together, and by whom: what is in both comes from both.
    let hits = search(&[&zim, &tome], "milk", &SearchOptions::default(), &Silent).unwrap();
    let mut of: Vec<usize> = hits.list.iter().map(|h| h.book).collect();
    of.sort_unstable();
    assert_eq!(of, [0, 1]);
    assert!(hits.list.iter().all(|h| h.path == "coffee.html" && h.snippet.contains("<b>milk</b>")));
    // Who opens it next has it, and finds titles by it.
    let again = Book::open(&both.zim, &options).unwrap();
    assert!(again.has_search() && again.has_suggestions());
    assert_eq!(meant(again.find("CAFE au lait").unwrap()), ("one", vec!["coffee.html".to_owned()]));
    assert_eq!(meant(again.find("same TITLE").unwrap()), meant(tome.find("same TITLE").unwrap()));
}

#[test]
fn an_index_that_is_damaged_is_made_again() {
    let both = Both::new();
    let cache = TempDir::new().unwrap();
    let options = indexed_in(cache.path());
    let found = |book: &Book| {
        let hits = search(&[book], "milk", &SearchOptions::default(), &Silent).unwrap();
        assert!(hits.damage.is_empty(), "{:?}", hits.damage);
        hits.list.len()
    };
    assert_eq!(found(&Book::open(&both.zim, &options).unwrap()), 1);
    let folder = tome::book::index_folder(&options.index).unwrap();
    let files = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path());
    let file = files.into_iter().find(|f| f.extension().is_some_and(|e| e == "tome")).unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    // All but the first page and its copy, so that it opens.
    let end = bytes.len() - 4096;
    bytes[4096..end].iter_mut().for_each(|b| *b ^= 0x55);
    std::fs::write(&file, bytes).unwrap();
    assert_eq!(found(&Book::open(&both.zim, &options).unwrap()), 1);
}

/// Asks to stop from the first moment.
struct Stopping;

impl Observer for Stopping {
    fn is_cancelled(&self) -> bool {
        true
    }
}

#[test]
fn what_is_stopped_says_so() {
    let both = Both::new();
    let cache = TempDir::new().unwrap();
    let zim = Book::open(&both.zim, &indexed_in(cache.path())).unwrap();
    let search = search(&[&zim], "milk", &SearchOptions::default(), &Stopping);
    assert!(matches!(search, Err(Error::Interrupted)), "{search:?}");
    let verify = zim.verify(VerifyOptions::default(), &Stopping);
    assert!(matches!(verify, Err(Error::Interrupted)));
    assert!(!zim.has_search());
    zim.prepare(IndexKind::FullText, &Silent).unwrap();
    assert!(zim.has_search());
}

#[test]
fn prefixes_ranges_and_chains() {
    let both = Both::new();
    for book in both.books() {
        for (prefix, n) in [("list/", 300), ("list/00", 10), ("a/", 2), ("zz", 0), ("", items().len())] {
            let entries: Vec<Entry> = book.entries_with_prefix(prefix).unwrap().map(Result::unwrap).collect();
            assert_eq!(entries.len(), n, "{book:?} {prefix}");
            assert!(entries.iter().all(|e| e.path().starts_with(prefix)));
        }
        let noise = book.entry_by_path("img/noise.png").unwrap().unwrap();
        let all = book.content(&noise).unwrap().to_vec();
        for range in [0..10, 10..5000, 4999..9000, 7000..8000, 0..u64::MAX] {
            let part = book.content_range(&noise, range.clone()).unwrap().to_vec();
            let cut = range.start.min(5000) as usize..range.end.min(5000) as usize;
            assert!(part == all[cut], "{book:?} {range:?}");
        }
        let older = book.entry_by_path("older.html").unwrap().unwrap();
        assert_eq!((older.kind(), older.mime(), book.size_of(&older).unwrap()), (Kind::Redirect, "", 0));
        assert_eq!(book.target(&older).unwrap().unwrap().path(), "apis.html");
        assert_eq!(book.resolve(older).unwrap().unwrap().entry.path(), "a/bee.html");
        assert!(book.entry_by_path("A/index.html").unwrap().is_none());
        assert!(book.entry_by_path("Title").unwrap().is_none());
    }
}

#[test]
fn what_it_says_of_itself_is_the_same() {
    let both = Both::new();
    for (book, format) in both.books().iter().zip([Format::Tome, Format::Zim]) {
        assert_eq!(book.format(), format);
        let counts = book.counts().unwrap();
        assert_eq!((counts.articles, counts.media, counts.redirects), (305, 2, 2), "{book:?}");
        assert_eq!(book.metadata().unwrap().text(keys::TITLE), Some("Two formats"));
        let main = book.main_entry().unwrap().unwrap();
        assert_eq!((main.path(), book.language(&main).unwrap()), ("index.html", Some("en")));
        assert_eq!(book.reading_order().unwrap().count(), 0);
        assert_eq!(book.uuid().is_some(), format == Format::Zim);
        assert_eq!(book.file_id().is_some(), format == Format::Tome);
        let size = std::fs::metadata([&both.tome, &both.zim][usize::from(format == Format::Zim)]);
        assert_eq!(book.size(), size.unwrap().len());
        let sections = book.sections();
        assert!(!sections.is_empty());
        assert!(sections.iter().all(|s| s.offset > 0 && s.offset + s.len <= book.size()), "{sections:?}");
        for links in [false, true] {
            let report = book.verify(VerifyOptions { quick: false, links }, &Silent).unwrap();
            assert!(report.is_ok(), "{:?}", report.findings);
            assert_eq!(report.findings.iter().any(|f| f.entries == ["a/bee.html"]), links);
        }
    }
}

#[test]
fn every_article_is_drawn_and_nothing_else() {
    let both = Both::new();
    let articles = |book: &Book| -> BTreeSet<String> {
        let entries = book.entries().map(Result::unwrap).filter(|e| e.kind() == Kind::Article);
        entries.map(|e| e.path().to_owned()).collect()
    };
    for book in both.books() {
        let mut random = Random(3);
        let drawn: BTreeSet<String> = (0..20_000)
            .map(|_| {
                let number = random.next().wrapping_mul(0x9e37_79b9_7f4a_7c15);
                book.random_article(number).unwrap().unwrap().path().to_owned()
            })
            .collect();
        assert_eq!(drawn, articles(&book), "{book:?}");
        for number in [0, 1, 1 << 63, u64::MAX] {
            assert!(book.random_article(number).unwrap().is_some());
        }
    }
}

#[test]
fn a_file_is_known_by_how_it_begins_and_not_by_its_name() {
    let both = Both::new();
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::copy(&both.zim, path("zim.tome")).unwrap();
    std::fs::copy(&both.tome, path("tome.zim")).unwrap();
    assert_eq!(open(&path("zim.tome")).format(), Format::Zim);
    assert_eq!(open(&path("tome.zim")).format(), Format::Tome);
    // Its start is lost, and the copy at its end is not.
    let mut bytes = std::fs::read(&both.tome).unwrap();
    bytes[..4096].fill(0);
    std::fs::write(path("damaged"), bytes).unwrap();
    let damaged = open(&path("damaged"));
    assert!(damaged.format() == Format::Tome && damaged.damage_at_start().is_some());
    for (name, bytes) in [("empty", &b""[..]), ("short", b"ZI"), ("text.zim", b"hello, this is no archive")] {
        std::fs::write(path(name), bytes).unwrap();
        let error = Book::open(path(name), &OpenOptions::default()).unwrap_err();
        assert!(matches!(error, Error::NotAnArchive { .. }), "{name}: {error}");
        assert_eq!(format_of(&path(name), 0), None);
    }
    std::fs::write(path("begun"), b"ZIM\x04").unwrap();
    assert!(Book::open(path("begun"), &OpenOptions::default()).unwrap_err().is_damage());
    assert!(Book::open(path("none.zim"), &OpenOptions::default()).is_err());
    assert!(Book::open(folder.path(), &OpenOptions::default()).is_err());
}

#[test]
fn what_could_be_of_both_formats_is_the_same_to_a_book_and_to_a_source() {
    let both = Both::new();
    let (tome, zim) = (std::fs::read(&both.tome).unwrap(), std::fs::read(&both.zim).unwrap());
    // The start of a ZIM, and all of an archive but its first page, which is lost.
    let file = both.zim.with_extension("tome");
    std::fs::write(&file, [&zim[..4096], &tome[4096..]].concat()).unwrap();
    assert_eq!(format_of(&file, 0), Some(Format::Zim));
    let error = Book::open(&file, &OpenOptions::default()).unwrap_err().to_string();
    assert!(error.contains("checksum position"), "{error}");
    let source = tome::sources::open(&file, "", tome::sources::Options::default()).map(drop).unwrap_err();
    assert!(source.to_string().contains(&error), "{source}");
}

/// A FIFO that nobody writes to: opening it as a file waits for ever.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_at_once() {
    let folder = TempDir::new().unwrap();
    let fifo = folder.path().join("x.zim");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for options in
        [OpenOptions::default(), OpenOptions { by_position: true, at: 9, ..OpenOptions::default() }]
    {
        let error = Book::open(&fifo, &options).unwrap_err().to_string();
        assert!(error.contains("is not a regular file"), "{error}");
    }
    let error = tome::sources::open(&fifo, "", tome::sources::Options::default()).map(drop).unwrap_err();
    assert!(error.to_string().contains("is not a regular file"), "{error}");
    let first = folder.path().join("y.zimaa");
    std::fs::write(&first, b"ZIM\x04").unwrap();
    std::fs::rename(&fifo, folder.path().join("y.zimab")).unwrap();
    let error = Book::open(first, &OpenOptions::default()).unwrap_err().to_string();
    assert!(error.contains("y.zimab is not a regular file"), "{error}");
}

#[test]
fn a_zim_inside_another_file_is_found_where_it_begins() {
    let both = Both::new();
    let file = both.zim.with_extension("img");
    let zim = std::fs::read(&both.zim).unwrap();
    std::fs::write(&file, [&[7; 999], &zim[..], &[9; 333]].concat()).unwrap();
    for by_position in [false, true] {
        let options = OpenOptions { at: 999, by_position, ..OpenOptions::default() };
        let book = Book::open(&file, &options).unwrap();
        assert_eq!((book.size(), book.entries().count()), (zim.len() as u64, items().len()));
        assert!(book.entries().all(|e| book.content(&e.unwrap()).is_ok()));
    }
    let wrong = OpenOptions { at: 998, ..OpenOptions::default() };
    assert!(matches!(Book::open(&file, &wrong), Err(Error::NotAnArchive { .. })));
}

#[test]
fn an_entry_of_the_other_format_is_refused() {
    let both = Both::new();
    let [tome, zim] = both.books();
    let entry = tome.main_entry().unwrap().unwrap();
    assert!(matches!(zim.content(&entry), Err(Error::InvalidInput(_))));
    assert!(zim.size_of(&entry).is_err() && zim.target(&entry).is_err() && zim.resolve(entry).is_err());
}

#[test]
fn a_book_is_shared_by_threads() {
    fn is_shared<T: Send + Sync + 'static>(_: &T) {}
    let both = Both::new();
    let book = Arc::new(open(&both.zim));
    is_shared(&*book);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let book = Arc::clone(&book);
            scope.spawn(move || {
                assert_eq!(outcome(book.find("HONEY bee").unwrap()).0, "one");
                assert!(book.entries().all(|e| book.content(&e.unwrap()).is_ok()));
            });
        }
    });
}

/// Counts the indexes that are made.
#[derive(Default)]
struct Builds(std::sync::atomic::AtomicUsize);

impl Observer for Builds {
    fn stage(&self, name: &str, _: Option<u64>) {
        let is_build = name.starts_with("building the search index");
        self.0.fetch_add(usize::from(is_build), std::sync::atomic::Ordering::Relaxed);
    }
}

#[test]
fn eight_threads_ask_two_books_everything_and_the_index_is_made_once() {
    let both = Both::new();
    let cache = TempDir::new().unwrap();
    let options = indexed_in(cache.path());
    let books = [&both.tome, &both.zim].map(|path| Arc::new(Book::open(path, &options).unwrap()));
    let builds = Builds::default();
    let start = std::sync::Barrier::new(8);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (books, builds, start) = (books.clone(), &builds, &start);
            scope.spawn(move || {
                start.wait();
                let words =
                    SearchOptions { budget: std::time::Duration::from_secs(60), ..SearchOptions::default() };
                let titles = SuggestOptions { work: 10_000_000, ..SuggestOptions::default() };
                for round in 0..4 {
                    // Each begins with another question.
                    for question in (0..4).map(|i| (i + thread + round) % 4) {
                        let asked: Vec<&Book> = books.iter().map(|book| &**book).collect();
                        match question {
                            0 => {
                                let hits = search(&asked, "\"it flies\" bee", &words, builds).unwrap();
                                assert!(hits.damage.is_empty(), "{:?}", hits.damage);
                                let paths: Vec<&str> = hits.list.iter().map(|h| &h.path[..]).collect();
                                assert_eq!(paths, ["a/bee.html"; 2]);
                                assert!(hits.list.iter().all(|h| h.snippet.contains("<b>")));
                            }
                            1 => {
                                for book in asked {
                                    let found = book.suggest("honey b", &titles, builds).unwrap();
                                    assert_eq!(found.list[0].path, "a/bee.html");
                                }
                            }
                            2 => {
                                for book in asked {
                                    let found = outcome(book.find("cafe AU lait").unwrap());
                                    assert_eq!(found, ("one", vec!["coffee.html".to_owned()]));
                                }
                            }
                            _ => {
                                let of = |book: &Book| {
                                    let all =
                                        book.entries().map(|e| book.content(&e.unwrap()).unwrap().len());
                                    all.sum::<usize>()
                                };
                                assert_eq!(of(asked[0]), of(asked[1]));
                            }
                        }
                    }
                }
            });
        }
    });
    assert_eq!(builds.0.into_inner(), 1);
}

/// Returns a file of the ZIMs that others made, which are not of this repository.
fn suite(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/zim-suite").join(name);
    if !path.exists() {
        eprintln!("skipped: no {}", path.display());
        return None;
    }
    Some(path)
}

#[test]
fn paths_of_old_files_have_their_namespace_and_are_found_without() {
    let Some(path) = suite("withns/small.zim") else { return };
    let book = open(&path);
    let found = outcome(book.find("main.html").unwrap());
    assert_eq!(found, ("one", vec!["A/main.html".to_owned()]));
    assert_eq!(outcome(book.find("favicon.png").unwrap()).1, ["I/favicon.png"]);
    assert_eq!(outcome(book.find_path("main.html").unwrap()).0, "nothing");
    assert_eq!(outcome(book.find_path("A/main.html").unwrap()).0, "one");
    assert_eq!(outcome(book.find("test zim FILE").unwrap()).1, ["A/main.html"]);
    assert_eq!(book.main_entry().unwrap().unwrap().path(), "A/main.html");
    assert_eq!(book.random_article(5).unwrap().unwrap().path(), "A/main.html");
}

#[test]
fn broken_files_give_errors_and_findings() {
    let Some(folder) = suite("nons") else { return };
    let folder = folder.parent().unwrap().to_owned();
    let mut seen = 0;
    for kind in ["nons", "withns", "noTitleListingV0"] {
        for file in std::fs::read_dir(folder.join(kind)).unwrap() {
            let path = file.unwrap().path();
            assert!(format_of(&path, 0).is_some() || path.to_string_lossy().contains("splitted"), "{path:?}");
            let Ok(book) = Book::open(&path, &OpenOptions::default()) else { continue };
            seen += 1;
            let _ = (book.counts(), book.metadata().is_ok(), book.main_entry(), book.random_article(1 << 60));
            for entry in book.entries().flatten() {
                let _ = (book.size_of(&entry), book.content(&entry).is_ok(), book.target(&entry));
            }
            for name in ["main.html", "A/main.html", "test zim file", "nothing of the kind", "", "favicon"] {
                let _ = (book.find(name), book.find_title(name), book.find_path(name));
            }
            let _ = book.verify(VerifyOptions { quick: false, links: true }, &Silent).unwrap();
        }
    }
    assert!(seen > 10, "{seen}");
}
