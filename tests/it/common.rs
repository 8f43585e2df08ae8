//! Archives made of lists of entries.

use std::path::Path;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tome::item::{About, Body, Content, Item, Metadata, Observer, Silent, Sink, Source, Value};
use tome::reader::{Archive, Entry, EntryBody};
use tome::sources::archive::ArchiveSource;
use tome::sources::{self, redirects::RedirectList};
use tome::storage::Owned;
use tome::writer::{Options, Writer};

/// One article.
pub fn article(path: &str, title: Option<&str>, body: impl Into<Vec<u8>>) -> Item {
    let body = Body::Article { mime: "text/html".into(), content: Content::Bytes(body.into()) };
    item(path, title, body)
}

/// One piece of media.
pub fn media(path: &str, mime: &str, body: impl Into<Vec<u8>>) -> Item {
    item(path, None, Body::Media { mime: mime.into(), content: Content::Bytes(body.into()) })
}

/// One redirect.
pub fn redirect(path: &str, target: &str, fragment: Option<&str>) -> Item {
    item(path, None, Body::Redirect { target: target.into(), fragment: fragment.map(Into::into) })
}

pub fn item(path: &str, title: Option<&str>, body: Body) -> Item {
    Item {
        path: path.into(),
        title: title.map(Into::into),
        body,
        generated: false,
        escaped: false,
        language: None,
        origin: format!("test:{path}"),
    }
}

/// Packs items into a file and returns its bytes.
pub fn pack(items: Vec<Item>, about: &About, options: Options) -> Vec<u8> {
    pack_observed(items, about, options, &Silent)
}

pub fn pack_observed(items: Vec<Item>, about: &About, options: Options, observer: &dyn Observer) -> Vec<u8> {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a.tome");
    write(&path, items, about, options, observer);
    std::fs::read(path).unwrap()
}

pub fn write(path: &Path, items: Vec<Item>, about: &About, options: Options, observer: &dyn Observer) {
    let mut writer = Writer::create(path, options, observer).unwrap();
    items.into_iter().for_each(|item| writer.put(item).unwrap());
    writer.finish(about).unwrap();
}

/// Opens bytes.
pub fn open(bytes: &[u8]) -> Archive {
    Archive::from_storage(Owned(bytes.to_vec())).unwrap()
}

/// Numbers that look random and are the same in every run.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.next() as u8).collect()
    }

    /// Words like those of a language, some much more frequent than others.
    pub fn prose(&mut self, words: usize) -> String {
        let mut out = String::new();
        for _ in 0..words {
            let rank = 3000u64 >> self.below(11);
            let mut word = self.below(rank + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            for _ in 0..2 + word % 4 {
                word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                out.push_str(["ka", "le", "mo", "ri", "tu", "san", "ve", "po"][(word >> 60) as usize % 8]);
            }
            out.push(' ');
        }
        out
    }
}

/// A page as a template makes it.
pub fn templated(title: &str, body: &str) -> String {
    let menu: String =
        (0..40).map(|i| format!("<li><a href=\"chapter{i}.html\">Chapter {i}</a></li>")).collect();
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head><body>\
         <nav><ul>{menu}</ul></nav><h1>{title}</h1><p>{body}</p><footer>All pages end alike.</footer></body></html>"
    )
}

/// An archive of a few tens of KB that has every codec and every kind of section in it.
pub fn everything() -> Vec<u8> {
    let mut random = Random(7);
    let mut items = vec![];
    for i in 0..40 {
        let title = format!("Page {i} – of the tests");
        let mut page =
            article(&format!("pages/page_{i:02}.html"), Some(&title), templated(&title, &random.prose(20)));
        page.language = Some(["en", "fr", "de"][i % 3].into());
        items.push(page);
    }
    // Titles by rule, the same title twice, titles that share an end, names beyond a leaf.
    items.push(article("Rule_gives_it.html", None, "<p>by rule</p>"));
    items.push(article("a/same.html", Some("Same title - Tests"), "<p>one</p>"));
    items.push(article("b/same.html", Some("Same title - Tests"), "<p>two</p>"));
    items.push(article(&format!("long/{}", "x".repeat(700)), Some(&"long title ".repeat(90)), "<p>long</p>"));
    items.push(article(&format!("long/{}y", "x".repeat(700)), None, ""));
    items.push(media("img/noise.bin", "application/octet-stream", random.bytes(5000)));
    items.push(media("img/again.bin", "application/octet-stream", Random(7).bytes(10)));
    items.push(media("style.css", "text/css", "body { color: black }\n".repeat(60)));
    items.push(redirect("old.html", "pages/page_03.html", None));
    items.push(redirect("older.html", "old.html", Some("section")));
    items.push(redirect("oldest.html", "older.html", Some(&"f".repeat(600))));
    let mut metadata = Metadata::default();
    metadata.set_text("title", "Everything");
    metadata.set_text("language", "en");
    metadata.set("icon", Value { mime: "image/png".into(), bytes: random.bytes(90) });
    let about = About {
        metadata,
        main: Some("pages/page_00.html".into()),
        reading_order: vec!["pages/page_01.html".into(), "pages/page_00.html".into()],
    };
    let bytes = pack(items, &about, Options { always_redundant: true, ..Options::default() });
    let archive = open(&bytes);
    // Nodes are only in trees of a hundred leaves.
    let mut kinds: Vec<u16> = archive.first_page().rows.iter().map(|row| row.kind.0).collect();
    kinds.sort_unstable();
    let expected: Vec<u16> = (1..=31).filter(|kind| ![9, 10, 22, 29].contains(kind)).collect();
    assert_eq!(kinds, expected);
    assert!(bytes.len() < 100_000, "{}", bytes.len());
    bytes
}

/// What an archive says of an entry, and its bytes.
pub type Told = (String, String, Option<(String, Option<String>)>, Vec<u8>);

/// Reads an entry whole.
pub fn tell(archive: &Archive, entry: &Entry) -> tome::error::Result<Told> {
    let redirect = match &entry.body {
        EntryBody::Redirect { target, fragment } => {
            let target = archive.entry_by_id(*target)?.unwrap();
            Some((target.path, fragment.clone()))
        }
        EntryBody::Blob { .. } => None,
    };
    let bytes = if redirect.is_some() { vec![] } else { archive.content(entry)?.to_vec() };
    Ok((entry.path.clone(), entry.title.clone(), redirect, bytes))
}

/// Keeps items.
#[derive(Default)]
pub struct Collected(pub Vec<Item>);

impl Sink for Collected {
    fn put(&mut self, item: Item) -> tome::error::Result<()> {
        self.0.push(item);
        Ok(())
    }
}

impl Collected {
    pub fn paths(&self) -> Vec<&str> {
        self.0.iter().map(|item| item.path.as_str()).collect()
    }

    pub fn get(&self, path: &str) -> &Item {
        self.0.iter().find(|item| item.path == path).unwrap_or_else(|| panic!("{path} in {:?}", self.paths()))
    }
}

/// Keeps what is reported.
#[derive(Default)]
pub struct Heard(Mutex<Vec<String>>);

impl Observer for Heard {
    fn warning(&self, path: &str, message: &str) {
        self.0.lock().unwrap().push(format!("warning {path}: {message}"));
    }

    fn error(&self, path: &str, message: &str) {
        self.0.lock().unwrap().push(format!("error {path}: {message}"));
    }
}

impl Heard {
    /// Returns `kind path: message` of all that was reported, sorted.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = self.0.lock().unwrap().clone();
        lines.sort();
        lines
    }
}

/// Returns all bytes of a content.
pub fn whole(content: &Content) -> std::io::Result<Vec<u8>> {
    match content {
        Content::Bytes(bytes) => Ok(bytes.clone()),
        Content::Large { open, .. } => {
            let mut bytes = vec![];
            std::io::Read::read_to_end(&mut open()?, &mut bytes)?;
            Ok(bytes)
        }
    }
}

/// Packs sources, as the program does: the first one says what the whole is. A `.tsv` is a list of
/// redirects.
pub fn pack_sources(
    from: &[&Path],
    options: Options,
    observer: &dyn Observer,
) -> tome::error::Result<Vec<u8>> {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a.tome");
    let mut writer = Writer::create(&path, options, observer)?;
    let mut about = None;
    for source in from {
        let mut source: Box<dyn Source> = match source.extension() {
            Some(ending) if ending == "tsv" => Box::new(RedirectList::open(source)?),
            _ => sources::open(source, "", sources::Options::default())?,
        };
        about.get_or_insert(source.run(&mut writer, observer)?);
    }
    writer.finish(&about.unwrap_or_default())?;
    Ok(std::fs::read(path).unwrap())
}

/// Extracts all of an archive into a folder, or into a zip if that is how the target is called.
pub fn extract(archive: &Arc<Archive>, to: &Path, options: tome::extract::Options) -> tome::extract::Summary {
    use tome::extract::{FolderSink, ZipSink};
    let archive = Arc::clone(archive);
    let mut source = ArchiveSource::new(Arc::clone(&archive), sources::Options::default());
    let is_folder = Box::new(move |prefix: &str| Ok(archive.entries_with_prefix(prefix)?.next().is_some()));
    if to.extension().is_some_and(|e| e == "zip") {
        let mut sink = ZipSink::create(to, options).unwrap().with_folders(is_folder);
        let about = source.run(&mut sink, &Silent).unwrap();
        return sink.finish(&about).unwrap();
    }
    let mut sink = FolderSink::create(to, options).unwrap().with_folders(is_folder);
    let about = source.run(&mut sink, &Silent).unwrap();
    sink.finish(&about).unwrap()
}

/// The ways to extract all of an archive: under what name, and how.
pub fn ways() -> Vec<(&'static str, tome::extract::Options)> {
    let options = |portable_names, redirect_pages| tome::extract::Options {
        portable_names,
        redirect_pages,
        ..tome::extract::Options::default()
    };
    vec![
        ("plain", options(false, false)),
        ("portable", options(true, false)),
        ("pages", options(false, true)),
        ("portable-pages", options(true, true)),
        ("plain.zip", options(false, false)),
        ("portable-pages.zip", options(true, true)),
    ]
}

/// Returns the path of a sample file.
pub fn sample(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("archives").join(name)
}
