//! The search index of a ZIM: kept, shared, bounded, made again, and as good as that of an archive.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use tome::book::Book;
use tome::book::zim_index::{
    CacheOptions, Kind, cached, default_folder, forget, index_folder, is_own_damage, open_or_build,
};
use tome::error::Error;
use tome::item::{About, Body, Content, Metadata, Observer, Silent, Source};
use tome::reader::{Archive, SearchOptions, SuggestOptions, VerifyOptions};
use tome::sources::archive::ArchiveSource;
use tome::writer::Options;
use tome::zim;

use crate::common::{Collected, Random, item, templated, write};
use crate::zim_small::{self, ZimBody, ZimEntry, page, redirect};

/// Keeps what is said, and stops where it is told to.
#[derive(Default)]
struct Hears {
    stages: Mutex<Vec<String>>,
    warnings: Mutex<Vec<String>>,
    stop_at_first_item: bool,
    stopped: AtomicBool,
}

impl Observer for Hears {
    fn stage(&self, name: &str, _: Option<u64>) {
        self.stages.lock().unwrap().push(name.into());
    }

    fn warning(&self, path: &str, message: &str) {
        self.warnings.lock().unwrap().push(format!("{path}: {message}"));
    }

    fn advance(&self, items: u64, _: u64) {
        if self.stop_at_first_item && items > 0 {
            self.stopped.store(true, Ordering::Relaxed);
        }
    }

    fn is_cancelled(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

impl Hears {
    fn builds(&self) -> usize {
        self.stages.lock().unwrap().iter().filter(|s| s.starts_with("building")).count()
    }

    fn warned(&self) -> Vec<String> {
        self.warnings.lock().unwrap().clone()
    }
}

fn entries() -> Vec<ZimEntry> {
    let mut random = Random(11);
    let mut out: Vec<ZimEntry> = (0..60)
        .map(|i| {
            let title = format!("Chapter {i} of the book");
            let body = format!("{} <a href=\"chapter{}.html\">on</a>", random.prose(80), i % 7);
            page(&format!("chapter{i}.html"), &title, &templated(&title, &body))
        })
        .collect();
    out.push(page("apple.html", "Apple pie", "<h1>Apple pie</h1><p>Slice the green apples thinly and bake."));
    out.push(page("a/untitled.html", "", "<p>A page without a title of its own."));
    out.push(redirect("Tart", "Tarte aux pommes", "apple.html"));
    out.push(redirect("Old_tart", "Old tart", "Tart"));
    // Neither listed nor named: nobody looks for it.
    out.push(ZimEntry { is_front: false, ..redirect("hidden", "", "apple.html") });
    out.push(ZimEntry {
        path: "style.css".into(),
        title: String::new(),
        body: ZimBody::Css("b { color: green }".into()),
        is_front: false,
    });
    out
}

/// A folder with a ZIM and a cache.
struct Scene {
    folder: TempDir,
    zim: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let zim = zim_small::write(folder.path(), 1, "Cookery", &entries());
        Self { folder, zim }
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    fn options(&self) -> CacheOptions {
        CacheOptions { folder: Some(self.cache()), ..CacheOptions::default() }
    }

    fn zim(&self) -> Arc<zim::Archive> {
        Arc::new(zim::Archive::open(&self.zim).unwrap())
    }

    fn open(&self, kind: Kind) -> (Archive, Hears) {
        self.open_with(kind, &self.options())
    }

    fn open_with(&self, kind: Kind, options: &CacheOptions) -> (Archive, Hears) {
        let hears = Hears::default();
        let archive = open_or_build(&self.zim(), kind, options, &hears).unwrap();
        (archive, hears)
    }

    /// Returns the names of what is in the cache.
    fn kept(&self) -> Vec<String> {
        kept_in(&self.cache())
    }

    /// Returns the only index.
    fn index(&self) -> PathBuf {
        let kept = self.kept();
        assert_eq!(kept.len(), 1, "{kept:?}");
        self.cache().join("zim").join(&kept[0])
    }
}

fn kept_in(cache: &Path) -> Vec<String> {
    let files = fs::read_dir(cache.join("zim")).into_iter().flatten();
    let mut names: Vec<String> = files.map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
    // Where an open file cannot be replaced, locks stay.
    names.retain(|name| cfg!(unix) || !name.ends_with(".lock"));
    names.sort();
    names
}

fn finds(archive: &Archive, query: &str) -> Vec<String> {
    archive.search(query, &SearchOptions::default()).unwrap().list.into_iter().map(|hit| hit.path).collect()
}

fn suggests(archive: &Archive, typed: &str) -> Vec<(String, String, Option<String>)> {
    let found = archive.suggest(typed, &SuggestOptions::default()).unwrap();
    found.list.into_iter().map(|s| (s.path, s.title, s.via)).collect()
}

#[test]
fn an_index_is_made_once_and_used_from_then_on() {
    let scene = Scene::new();
    assert!(cached(&scene.zim(), Kind::FullText, &scene.options()).unwrap().is_none());
    let (archive, hears) = scene.open(Kind::FullText);
    assert_eq!(hears.builds(), 1);
    assert!(hears.stages.lock().unwrap()[0].contains("Cookery"), "{:?}", hears.stages);
    assert_eq!(finds(&archive, "apples"), ["apple.html"]);
    let before = fs::metadata(scene.index()).unwrap();
    for kind in [Kind::FullText, Kind::Titles] {
        let (again, hears) = scene.open(kind);
        assert_eq!(hears.stages.lock().unwrap().len(), 0);
        assert_eq!(again.file_id(), archive.file_id());
    }
    let after = fs::metadata(scene.index()).unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        assert_eq!(before.ino(), after.ino());
        assert_eq!(after.permissions().mode() & 0o777, 0o600);
        let folder = fs::metadata(scene.cache().join("zim")).unwrap();
        assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    }
    assert!(cached(&scene.zim(), Kind::FullText, &scene.options()).unwrap().is_some());
}

#[test]
fn titles_alone_give_suggestions_and_make_way_for_all_words() {
    let scene = Scene::new();
    let (titles, hears) = scene.open(Kind::Titles);
    assert_eq!(hears.builds(), 1);
    assert!(!titles.has_search());
    let tart = ("apple.html".to_string(), "Apple pie".to_string(), Some("Tarte aux pommes".to_string()));
    assert_eq!(suggests(&titles, "tarte"), [tart]);
    assert_eq!(suggests(&titles, "untit")[0].0, "a/untitled.html");
    assert_eq!(suggests(&titles, "hidden"), []);
    assert!(cached(&scene.zim(), Kind::FullText, &scene.options()).unwrap().is_none());
    let name = scene.index();
    let (_, hears) = scene.open(Kind::FullText);
    assert_eq!(hears.builds(), 1);
    assert_ne!(scene.index(), name);
}

#[test]
fn an_index_finds_what_an_archive_of_the_same_content_finds() {
    let scene = Scene::new();
    let (index, _) = scene.open(Kind::FullText);
    let (titles, _) = scene.open_with(Kind::Titles, &CacheOptions { use_cache: false, ..scene.options() });
    let packed = scene.folder.path().join("same.tome");
    let mut all = entries();
    all.retain(|e| e.is_front);
    // In the order of the clusters: what repeats on most pages is learned as they come.
    all.sort_by(|a, b| a.path.cmp(&b.path));
    let items = all.iter().map(|entry| {
        let body = match &entry.body {
            ZimBody::Page(html) => {
                Body::Article { mime: "text/html".into(), content: Content::Bytes(html.clone().into_bytes()) }
            }
            ZimBody::Css(_) => unreachable!(),
            ZimBody::Redirect(target) => {
                // Chains are followed: a name in between may be nobody's.
                let target = if target == "Tart" { "apple.html" } else { target };
                Body::Redirect { target: target.into(), fragment: None }
            }
        };
        let title = if entry.title.is_empty() { &entry.path } else { &entry.title };
        item(&entry.path, Some(title), body)
    });
    let mut metadata = Metadata::default();
    metadata.set_text("language", "en");
    write(&packed, items.collect(), &About { metadata, ..About::default() }, Options::default(), &Silent);
    let archive = Archive::open(&packed).unwrap();
    let mut random = Random(5);
    let words: Vec<String> = random.prose(30).split(' ').map(str::to_string).collect();
    let some = words.chunks(2).map(|pair| pair.join(" "));
    let queries =
        ["apples", "green apple", "\"green apples thinly\"", "\"apples green\"", "appels", "chapter"];
    let mut with_snippets = 0;
    for query in queries.iter().map(|q| (*q).to_string()).chain(some) {
        let (a, b) = (
            index.search(&query, &SearchOptions::default()).unwrap(),
            archive.search(&query, &SearchOptions::default()).unwrap(),
        );
        let told = |hits: &tome::reader::Hits| -> Vec<(String, String, u64, String, bool)> {
            let hit = |h: &tome::reader::Hit| {
                (h.path.clone(), h.title.clone(), h.score, h.snippet.clone(), h.relaxed)
            };
            hits.list.iter().map(hit).collect()
        };
        with_snippets += a.list.iter().filter(|h| h.snippet.contains("<b>")).count();
        assert_eq!(told(&a), told(&b), "{query}");
        assert_eq!((a.did_you_mean, a.at_least), (b.did_you_mean, b.at_least));
    }
    assert!(with_snippets > 10);
    assert_eq!(finds(&index, "\"green apples thinly\""), ["apple.html"]);
    for typed in ["ch", "chapter 1", "tart", "tarte", "appel", "book", "untitled", "zzz"] {
        assert_eq!(suggests(&index, typed), suggests(&archive, typed), "{typed}");
        let sorted = |archive| {
            let options = SuggestOptions { limit: 100, ..SuggestOptions::default() };
            let found: Result<tome::reader::Suggestions, _> = Archive::suggest(archive, typed, &options);
            let mut all: Vec<_> = found.unwrap().list.into_iter().map(|s| (s.path, s.via)).collect();
            all.sort();
            all
        };
        // Without links they come in another order.
        assert_eq!(sorted(&titles), sorted(&archive), "{typed}");
    }
}

#[test]
fn content_is_the_zims_and_an_index_alone_says_that_it_has_none() {
    let scene = Scene::new();
    let (archive, _) = scene.open(Kind::FullText);
    let zim = scene.zim();
    for entry in archive.entries() {
        let entry = entry.unwrap();
        let wanted = zim.content(&zim.entry_by_path(&entry.path).unwrap().unwrap()).unwrap();
        assert_eq!(archive.content(&entry).unwrap()[..], wanted[..], "{}", entry.path);
        assert_eq!(archive.content_range(&entry, 3..9).unwrap()[..], wanted[3..9]);
        let mut copied = vec![];
        archive.copy_content(&entry, &mut copied).unwrap();
        assert_eq!(copied, wanted[..]);
    }
    assert!(archive.is_index_only());
    let alone = Archive::open(scene.index()).unwrap();
    let entry = alone.entry_by_path("apple.html").unwrap().unwrap();
    let error = alone.content(&entry).unwrap_err();
    assert!(error.to_string().contains("only a search index (Index of Cookery)"), "{error}");
    // It still tells paths and titles, and what is damaged.
    assert_eq!(suggests(&alone, "apple")[0].0, "apple.html");
    let hits = alone.search("apples", &SearchOptions::default()).unwrap();
    assert_eq!((hits.list[0].path.as_str(), hits.damage.len()), ("apple.html", 1));
    let report = alone.verify(VerifyOptions::default(), &Silent).unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    let mut source = ArchiveSource::new(Arc::new(alone), tome::sources::Options::default());
    let error = source.run(&mut Collected::default(), &Silent).unwrap_err();
    assert!(error.to_string().contains("only a search index"), "{error}");
}

#[test]
fn what_is_not_whole_or_of_another_zim_or_version_is_made_again() {
    let scene = Scene::new();
    scene.open(Kind::FullText);
    let path = scene.index();
    let whole = fs::read(&path).unwrap();
    let mut first_pages = whole.clone();
    let end = first_pages.len();
    first_pages[100] ^= 1;
    first_pages[end - 4096 + 100] ^= 1;
    let other = Scene::new();
    fs::write(&other.zim, zim_small::make(2, "Other", &entries()).bytes).unwrap();
    other.open(Kind::FullText);
    let of_other_zim = fs::read(other.index()).unwrap();
    fs::remove_file(other.index()).unwrap();
    other.open(Kind::Titles);
    let of_other_kind = fs::read(other.index()).unwrap();
    let wrong: [(&str, &[u8]); 6] = [
        ("cut", &whole[..whole.len() / 2]),
        ("empty", b""),
        ("first pages", &first_pages),
        ("no index", b"something else"),
        ("other ZIM", &of_other_zim),
        ("other kind", &of_other_kind),
    ];
    for (what, bytes) in wrong {
        fs::write(&path, bytes).unwrap();
        assert!(cached(&scene.zim(), Kind::FullText, &scene.options()).unwrap().is_none(), "{what}");
        let (archive, hears) = scene.open(Kind::FullText);
        assert_eq!((hears.builds(), hears.warned().len()), (1, 0), "{what}");
        assert_eq!(finds(&archive, "apples"), ["apple.html"], "{what}");
        drop(archive);
        assert_eq!(scene.open(Kind::FullText).1.builds(), 0, "{what}");
        assert_eq!(fs::read(&path).unwrap(), whole, "{what}");
    }
    // Another version's has another name, and makes way.
    let name = path.file_name().unwrap().to_str().unwrap();
    let older = path.with_file_name(format!("{}-v0.0.tome", name.split("-v").next().unwrap()));
    fs::rename(&path, &older).unwrap();
    let foreign = path.with_file_name("mine.tome");
    fs::write(&foreign, "not ours").unwrap();
    assert_eq!(scene.open(Kind::FullText).1.builds(), 1);
    assert!(path.exists() && !older.exists() && foreign.exists());
}

#[test]
fn a_page_that_turns_out_damaged_is_told_and_the_index_can_be_made_again() {
    let scene = Scene::new();
    let (archive, _) = scene.open(Kind::FullText);
    let tables = archive.first_page().tables_offset as usize;
    drop(archive);
    let path = scene.index();
    let mut bytes = fs::read(&path).unwrap();
    for page in bytes[tables..].chunks_mut(4096) {
        page[40] ^= 1;
    }
    let end = bytes.len();
    let whole = fs::read(&path).unwrap();
    // All but the first pages, and what opening an index reads.
    bytes[end - 4096..].copy_from_slice(&whole[end - 4096..]);
    fs::write(&path, &bytes).unwrap();
    let archive = Archive::open(&path).unwrap();
    let error = archive.entry_by_path("apple.html").unwrap_err();
    assert!(is_own_damage(&error), "{error}");
    assert!(!is_own_damage(&scene_error()));
    forget(&scene.zim(), &scene.options()).unwrap();
    assert_eq!(scene.kept(), [""; 0]);
    forget(&scene.zim(), &scene.options()).unwrap();
    assert_eq!(scene.open(Kind::FullText).1.builds(), 1);
}

/// An error of a ZIM's own bytes.
fn scene_error() -> Error {
    let made = zim_small::make(1, "Broken", &entries());
    let mut bytes = made.bytes;
    bytes[made.clusters[0]] = 0x0f;
    let broken = open_zim(bytes);
    let entry = broken.entry_by_path("apple.html").unwrap().unwrap();
    broken.content(&entry).map(drop).unwrap_err()
}

fn open_zim(bytes: Vec<u8>) -> zim::Archive {
    zim::Archive::from_storage(Box::new(tome::storage::Owned(bytes)), &zim::OpenOptions::default()).unwrap()
}

#[test]
fn two_threads_that_ask_at_the_same_time_build_once() {
    let scene = Scene::new();
    let builds: usize = std::thread::scope(|threads| {
        let ask = || {
            let (archive, hears) = scene.open(Kind::FullText);
            assert_eq!(finds(&archive, "apples"), ["apple.html"]);
            assert!(hears.warned().is_empty(), "{:?}", hears.warned());
            hears.builds()
        };
        let all: Vec<_> = (0..4).map(|_| threads.spawn(ask)).collect();
        all.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(builds, 1);
    scene.index();
}

#[test]
fn two_processes_that_ask_at_the_same_time_build_once_and_the_other_waits() {
    let scene = Scene::new();
    let mut first = child(&scene, "slow").spawn().unwrap();
    wait_for_building(&scene);
    let second = child(&scene, "fast").spawn().unwrap();
    let hears = Hears::default();
    // Who waits may give up.
    std::thread::scope(|threads| {
        let waiting = threads.spawn(|| open_or_build(&scene.zim(), Kind::FullText, &scene.options(), &hears));
        while hears.stages.lock().unwrap().is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        hears.stopped.store(true, Ordering::Relaxed);
        assert!(matches!(waiting.join().unwrap(), Err(Error::Interrupted)));
    });
    assert_eq!(hears.builds(), 0);
    fs::write(scene.folder.path().join("go"), "").unwrap();
    let out = second.wait_with_output().unwrap();
    let second = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(second.contains("stage waiting for the search index of Cookery"), "{second}");
    assert!(second.contains("found apple.html") && !second.contains("stage building"), "{second}");
    assert!(first.wait().unwrap().success());
    scene.index();
}

#[test]
fn a_killed_builder_blocks_nobody_and_what_it_left_is_swept() {
    for same in [true, false] {
        let scene = Scene::new();
        let mut builder = child(&scene, "slow").spawn().unwrap();
        wait_for_building(&scene);
        builder.kill().unwrap();
        builder.wait().unwrap();
        assert!(scene.kept().iter().any(|name| name.ends_with(".building")), "{:?}", scene.kept());
        if !same {
            fs::write(&scene.zim, zim_small::make(3, "Other", &entries()).bytes).unwrap();
        }
        let (archive, hears) = scene.open(Kind::FullText);
        assert_eq!((hears.builds(), hears.warned().len()), (1, 0));
        assert_eq!(finds(&archive, "apples"), ["apple.html"]);
        drop(archive);
        scene.index();
    }
}

#[test]
fn without_a_cache_nothing_is_left_anywhere() {
    let scene = Scene::new();
    let temporary = scene.folder.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let out = child(&scene, "no-cache").env("TMPDIR", &temporary).output().unwrap();
    let out = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.contains("stage building") && out.contains("found apple.html"), "{out}");
    assert!(!out.contains("warning"), "{out}");
    assert!(!scene.cache().exists());
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
    // Nor is what is kept used.
    scene.open(Kind::FullText);
    let options = CacheOptions { use_cache: false, ..scene.options() };
    assert_eq!(scene.open_with(Kind::Titles, &options).1.builds(), 1);
    assert!(cached(&scene.zim(), Kind::Titles, &options).unwrap().is_none());
}

#[test]
fn where_nothing_can_be_kept_a_warning_says_so_and_the_index_is_temporary() {
    let scene = Scene::new();
    // A file where the folder belongs: not even root can write there.
    fs::write(scene.cache(), "in the way").unwrap();
    let (archive, hears) = scene.open(Kind::FullText);
    assert_eq!(hears.builds(), 1);
    let warned = hears.warned();
    assert!(warned.len() == 1 && warned[0].contains("cannot be kept"), "{warned:?}");
    assert_eq!(finds(&archive, "\"green apples\""), ["apple.html"]);
    // And where there is no room for that either, the error says what to do.
    let out = child(&scene, "fast").env("TMPDIR", scene.cache()).output().unwrap();
    let out = String::from_utf8_lossy(&out.stdout).into_owned();
    if cfg!(unix) {
        assert!(out.contains("failed") && out.contains("XDG_CACHE_HOME"), "{out}");
    }
}

#[test]
fn what_is_stopped_leaves_nothing() {
    for kind in [Kind::Titles, Kind::FullText] {
        for use_cache in [true, false] {
            let scene = Scene::new();
            let hears = Hears { stop_at_first_item: true, ..Hears::default() };
            let options = CacheOptions { use_cache, ..scene.options() };
            let stopped = open_or_build(&scene.zim(), kind, &options, &hears);
            assert!(matches!(stopped, Err(Error::Interrupted)));
            assert_eq!((hears.builds(), hears.warned().len()), (1, 0));
            assert_eq!(scene.kept(), [""; 0]);
        }
    }
}

#[test]
fn the_indexes_used_longest_ago_make_room() {
    let scene = Scene::new();
    let cache = scene.options();
    let mut zims = vec![];
    for id in 10..14 {
        let path = zim_small::write(scene.folder.path(), id, &format!("z{id}"), &entries());
        zims.push(Arc::new(zim::Archive::open(path).unwrap()));
    }
    let make = |i: usize, max_bytes: u64| {
        let options = CacheOptions { max_bytes, ..cache.clone() };
        drop(open_or_build(&zims[i], Kind::FullText, &options, &Silent).unwrap());
    };
    let is_kept = |i: usize| cached(&zims[i], Kind::FullText, &cache).unwrap().is_some();
    (0..3).for_each(|i| make(i, u64::MAX));
    let names = scene.kept();
    let len = fs::metadata(scene.cache().join("zim").join(&names[0])).unwrap().len();
    let hour = |n: u64| SystemTime::now() - Duration::from_secs(3600 * n);
    for (name, used) in names.iter().zip([hour(3), hour(2), hour(1)]) {
        let file = fs::File::options().append(true).open(scene.cache().join("zim").join(name)).unwrap();
        file.set_modified(used).unwrap();
    }
    // The first is used, so the second is the oldest now.
    assert!(is_kept(0));
    make(3, 3 * len + len / 2);
    assert_eq!([is_kept(0), is_kept(1), is_kept(2), is_kept(3)], [true, false, true, true]);
    // What was just made stays, whatever its size.
    make(1, 0);
    assert_eq!([is_kept(0), is_kept(1), is_kept(2), is_kept(3)], [false, true, false, false]);
}

#[test]
fn what_cannot_be_read_is_told_and_is_read_again_once_it_can_be() {
    let scene = Scene::new();
    let made = zim_small::make(1, "Cookery", &entries());
    let mut broken = made.bytes.clone();
    broken[made.clusters[0]] = 0x0f;
    fs::write(&scene.zim, &broken).unwrap();
    let (archive, hears) = scene.open(Kind::FullText);
    let warned = hears.warned();
    assert!(warned.len() <= 22, "{warned:?}");
    assert!(warned.iter().any(|w| w.starts_with("apple.html: only its title is indexed")), "{warned:?}");
    assert_eq!(finds(&archive, "thinly"), [""; 0]);
    assert_eq!(suggests(&archive, "apple")[0].0, "apple.html");
    drop(archive);
    assert_eq!(scene.kept(), [""; 0]);
    // The whole file has the same UUID, size and checksum.
    fs::write(&scene.zim, &made.bytes).unwrap();
    let (archive, hears) = scene.open(Kind::FullText);
    assert_eq!((hears.builds(), hears.warned().len()), (1, 0));
    assert_eq!(finds(&archive, "thinly"), ["apple.html"]);
    drop(archive);
    assert_eq!(scene.open(Kind::FullText).1.builds(), 0);
}

#[test]
fn the_index_of_a_file_that_is_not_what_its_checksum_says_is_used_and_not_kept() {
    let scene = Scene::new();
    let made = zim_small::make(1, "Cookery", &entries());
    // All of it can be read, and says something else.
    let mut forged = made.bytes.clone();
    let at = forged.windows(6).position(|w| w == b"thinly").unwrap();
    forged[at..at + 6].copy_from_slice(b"forged");
    fs::write(&scene.zim, &forged).unwrap();
    let (archive, hears) = scene.open(Kind::FullText);
    assert_eq!(finds(&archive, "forged"), ["apple.html"]);
    let warned = hears.warned();
    assert!(warned.len() == 1 && warned[0].contains("tome verify"), "{warned:?}");
    assert!(warned[0].contains("checksum") && warned[0].contains("Cookery"), "{warned:?}");
    assert_eq!(scene.kept(), [""; 0]);
    assert!(cached(&scene.zim(), Kind::FullText, &scene.options()).unwrap().is_none());
    fs::write(&scene.zim, &made.bytes).unwrap();
    let (archive, hears) = scene.open(Kind::FullText);
    assert_eq!((hears.builds(), hears.warned().len()), (1, 0));
    assert_eq!(finds(&archive, "thinly"), ["apple.html"]);
    scene.index();
}

#[test]
fn suggestions_that_a_zim_does_not_have_are_of_a_wrong_index_which_is_made_again_once() {
    let scene = Scene::new();
    let made = zim_small::make(1, "Cookery", &entries());
    let mut forged = made.bytes.clone();
    let at = forged.windows(9).rposition(|w| w == b"Apple pie").unwrap();
    forged[at..at + 9].copy_from_slice(b"Apple poe");
    fs::write(&scene.zim, &forged).unwrap();
    let (archive, hears) = scene.open(Kind::Titles);
    assert_eq!(hears.builds(), 1);
    assert_eq!(suggests(&archive, "apple")[0].1, "Apple poe");
    drop(archive);
    fs::write(&scene.zim, &made.bytes).unwrap();
    let hears = Hears::default();
    let book = Book::from_zim(scene.zim(), scene.options());
    let suggest = || book.suggest("apple p", &SuggestOptions::default(), &hears).unwrap().list;
    assert_eq!(suggest()[0].title, "Apple pie");
    assert_eq!((suggest().len(), hears.builds()), (1, 1));
}

#[cfg(unix)]
#[test]
fn a_link_or_a_fifo_in_the_cache_is_neither_followed_nor_waited_for() {
    use std::os::unix::fs::symlink;
    let scene = Scene::new();
    scene.open(Kind::FullText);
    let index = scene.index();
    let target = scene.folder.path().join("target");
    // In place of the index: made over.
    fs::rename(&index, &target).unwrap();
    symlink(&target, &index).unwrap();
    assert_eq!(scene.open(Kind::FullText).1.builds(), 1);
    fs::remove_file(&index).unwrap();
    assert!(Command::new("mkfifo").arg(&index).status().unwrap().success());
    assert_eq!(scene.open(Kind::FullText).1.builds(), 1);
    assert!(fs::symlink_metadata(&index).unwrap().is_file());
    // In place of the lock: nothing can be made there.
    fs::remove_file(&index).unwrap();
    let (lock, made) = (index.with_extension("lock"), scene.folder.path().join("made"));
    for what in ["link", "fifo"] {
        match what {
            "link" => symlink(&made, &lock).unwrap(),
            _ => assert!(Command::new("mkfifo").arg(&lock).status().unwrap().success()),
        }
        let (archive, hears) = scene.open(Kind::FullText);
        let warned = hears.warned();
        assert!(warned.len() == 1 && warned[0].contains("cannot be kept"), "{what}: {warned:?}");
        assert!(warned[0].contains("not a regular file"), "{what}: {warned:?}");
        assert_eq!(finds(&archive, "apples"), ["apple.html"], "{what}");
        assert!(!made.exists());
        fs::remove_file(&lock).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_folder_in_which_others_can_write_is_no_cache() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new();
    scene.open(Kind::FullText);
    let folder = index_folder(&scene.options()).unwrap();
    for (mode, builds) in [(0o777, 1), (0o770, 1), (0o755, 0)] {
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
        let (archive, hears) = scene.open(Kind::FullText);
        let warned = hears.warned();
        assert_eq!((hears.builds(), warned.len()), (builds, builds), "{mode:o}: {warned:?}");
        assert!(warned.iter().all(|w| w.contains("other users may write there")), "{warned:?}");
        assert_eq!(finds(&archive, "apples"), ["apple.html"]);
        let is_used = cached(&scene.zim(), Kind::FullText, &scene.options()).unwrap().is_some();
        assert_eq!(is_used, builds == 0, "{mode:o}");
    }
    // Who is root can give it away.
    if std::os::unix::fs::chown(&folder, Some(1), None).is_ok() {
        let warned = scene.open(Kind::FullText).1.warned();
        assert!(warned.len() == 1 && warned[0].contains("belongs to another user"), "{warned:?}");
    } else {
        eprintln!("skipped: not root, so no folder of another user");
    }
}

#[test]
fn what_a_killed_builder_leaves_without_a_cache_is_swept() {
    let scene = Scene::new();
    let temporary = scene.folder.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let left = || fs::read_dir(&temporary).unwrap().count();
    let start = |how| child(&scene, how).env("TMPDIR", &temporary).spawn().unwrap();
    let mut builder = start("no-cache slow");
    let said = BufReader::new(builder.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(said.into_iter().any(|line| line.contains("stage building")));
    // While it lives, nobody sweeps what it makes.
    assert!(start("no-cache").wait().unwrap().success());
    assert_eq!(left(), 1);
    builder.kill().unwrap();
    builder.wait().unwrap();
    assert_eq!(left(), 1);
    assert!(start("no-cache").wait().unwrap().success());
    assert_eq!(left(), 0);
}

#[test]
fn entries_of_one_path_or_out_of_order_do_not_end_the_build() {
    let scene = Scene::new();
    let mut made = zim_small::make(1, "Cookery", &entries()).bytes;
    for (from, to) in [("chapter13.html", "chapter12.html"), ("chapter30.html", "zzzzzzz30.html")] {
        let at = made.windows(from.len() + 1).rposition(|w| w == [from.as_bytes(), &[0]].concat()).unwrap();
        made[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    zim_small::sign(&mut made);
    fs::write(&scene.zim, &made).unwrap();
    for kind in [Kind::Titles, Kind::FullText] {
        let (archive, hears) = scene.open(kind);
        let warned = hears.warned();
        assert!(warned.iter().all(|w| w.contains("not found by its own path")), "{warned:?}");
        // A search that meets what is out of order may miss others, too.
        assert!((2..30).contains(&warned.len()), "{warned:?}");
        assert_eq!(suggests(&archive, "apple")[0].0, "apple.html");
    }
}

#[test]
fn the_default_folder_is_what_the_environment_says() {
    let scene = Scene::new();
    let home = scene.folder.path().join("home");
    let told = |variable: &str, value: &Path| {
        let mut child = child(&scene, "folder");
        child.env_remove("XDG_CACHE_HOME").env("HOME", &home).env(variable, value);
        String::from_utf8_lossy(&child.output().unwrap().stdout).into_owned()
    };
    let xdg = scene.folder.path().join("xdg");
    let wanted = format!("folder {}\n", xdg.join("tome").display());
    assert!(told("XDG_CACHE_HOME", &xdg).contains(&wanted));
    // A relative one counts as none.
    let told = told("XDG_CACHE_HOME", Path::new("relative"));
    if cfg!(all(unix, not(target_os = "macos"))) {
        assert!(told.contains(&format!("folder {}\n", home.join(".cache").join("tome").display())), "{told}");
    }
    assert_eq!(index_folder(&scene.options()).unwrap(), scene.cache().join("zim"));
}

#[test]
fn the_zims_of_the_suite_are_indexed() {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/zim-suite");
    if !suite.is_dir() {
        eprintln!("skipped: no {}", suite.display());
        return;
    }
    let cache = TempDir::new().unwrap();
    let options = CacheOptions { folder: Some(cache.path().into()), ..CacheOptions::default() };
    let mut opened = 0;
    for folder in fs::read_dir(&suite).unwrap() {
        for file in fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let Ok(zim) = zim::Archive::open(&path) else { continue };
            let zim = Arc::new(zim);
            // Whatever is wrong with a file, nothing panics or hangs; what is found can be opened.
            for kind in [Kind::Titles, Kind::FullText] {
                let Ok(archive) = open_or_build(&zim, kind, &options, &Silent) else { continue };
                opened += 1;
                let n = archive.entries().filter(|e| e.is_ok()).count();
                if !path.to_string_lossy().contains("invalid") {
                    assert!(n > 0, "{}", path.display());
                    for found in suggests(&archive, "a") {
                        assert!(zim.entry_by_path(&found.0).unwrap().is_some(), "{found:?}");
                    }
                    for path in finds(&archive, "test") {
                        assert!(zim.entry_by_path(&path).unwrap().is_some(), "{path}");
                    }
                }
            }
        }
    }
    assert!(opened > 10);
}

/// Returns a process of this program that opens the index of a scene's ZIM: see [`a_process`].
fn child(scene: &Scene, how: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["zim_index::a_process", "--exact", "--nocapture", "--test-threads=1"]);
    command.env("TOME_TEST_ZIM", &scene.zim).env("TOME_TEST_CACHE", scene.cache()).env("TOME_TEST_HOW", how);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

fn wait_for_building(scene: &Scene) {
    for _ in 0..2000 {
        let kept = scene.kept();
        if kept.iter().any(|name| name.ends_with(".building")) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("nobody builds: {:?}", scene.kept());
}

/// Tells on its standard output what it hears. If it is slow, it goes on only once a file says so.
struct Tells {
    go: Option<PathBuf>,
}

impl Observer for Tells {
    fn stage(&self, name: &str, _: Option<u64>) {
        println!("stage {name}");
    }

    fn warning(&self, path: &str, message: &str) {
        println!("warning {path}: {message}");
    }

    fn advance(&self, _: u64, _: u64) {
        while self.go.as_ref().is_some_and(|go| !go.exists()) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// What [`child`] runs; a test that tests nothing when the others run.
#[test]
fn a_process() {
    let Some(path) = std::env::var_os("TOME_TEST_ZIM").map(PathBuf::from) else { return };
    let how = std::env::var("TOME_TEST_HOW").unwrap();
    if how == "folder" {
        println!("folder {}", default_folder().unwrap().display());
        return;
    }
    let folder = std::env::var_os("TOME_TEST_CACHE").map(PathBuf::from);
    let options = CacheOptions { folder, use_cache: !how.contains("no-cache"), ..CacheOptions::default() };
    let tells = Tells { go: how.contains("slow").then(|| path.with_file_name("go")) };
    let zim = Arc::new(zim::Archive::open(path).unwrap());
    match open_or_build(&zim, Kind::FullText, &options, &tells) {
        Ok(archive) => println!("found {}", finds(&archive, "\"green apples\"").join(" ")),
        Err(error) => println!("failed: {error}"),
    }
}
