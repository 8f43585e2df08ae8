//! An epub: a zip whose package file says what it is and in which order it is read.
//!
//! The package file is only asked: an epub without one, or with a broken one, is packed as the zip
//! that it is, and the error reported. (EPUB 3.3, sections 4 to 7; the NCX of EPUB 2.)

use std::collections::BTreeMap;
use std::path::Path;

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};

use super::Options;
use super::derive::mime_of;
use super::pass::Pass;
use super::stubs::resolve;
use super::zip::Listing;
use crate::error::Result;
use crate::item::{About, Observer, Sink, Source, Value, keys};
use crate::limits::MAX_METADATA;
use crate::text::charset;
use crate::text::head::{MAX_TITLE, collapse, language_tag};

const CONTAINER: &str = "META-INF/container.xml";

/// An epub as a source.
pub(crate) struct Epub {
    listing: Listing,
    prefix: String,
    options: Options,
}

impl Epub {
    /// Opens an epub and reads the zip's directory.
    pub(crate) fn open(path: &Path, prefix: String, options: Options) -> Result<Self> {
        Ok(Self { listing: Listing::open(path, options.max_zip_item, is_content)?, prefix, options })
    }
}

impl Source for Epub {
    fn run(&mut self, sink: &mut dyn Sink, observer: &dyn Observer) -> Result<About> {
        let mut pass = Pass::new(&self.prefix, &self.options, sink, observer);
        let mut about = About::default();
        match read_book(&self.listing) {
            Ok(mut book) => {
                book.spine.retain(|name| self.listing.has(name) && pass.wants(name));
                let nav = book.nav.clone().filter(|name| self.listing.has(name) && pass.wants(name));
                about.main = book.spine.first().cloned().or(nav);
                pass.with_main(about.main.clone());
                pass.with_titles(titles(&self.listing, &book), book.first("title"));
                fill(&mut about, &self.listing, &book);
                about.reading_order = book.spine;
            }
            Err((name, message)) => pass.error(&self.listing.origin(&name), &message),
        }
        pass.with_manifest(self.listing.manifest(&pass)?);
        self.listing.pass_on(&mut pass)?;
        Ok(pass.finish(about))
    }

    fn size_hint(&self) -> Option<(u64, u64)> {
        Some(self.listing.size())
    }
}

/// Returns false for what makes the zip an epub, and means nothing outside it.
fn is_content(name: &str) -> bool {
    name != "mimetype" && !name.starts_with("META-INF/")
}

/// What the package file says.
#[derive(Debug, Default)]
struct Book {
    /// Texts of the metadata by element name, in order.
    words: BTreeMap<String, Vec<String>>,
    /// Names of the files that are read one after another.
    spine: Vec<String>,
    cover: Option<String>,
    nav: Option<String>,
    ncx: Option<String>,
}

impl Book {
    fn first(&self, element: &str) -> Option<String> {
        self.words.get(element).and_then(|all| all.first()).cloned()
    }

    fn all(&self, element: &str, between: &str) -> Option<String> {
        self.words.get(element).map(|all| all.join(between))
    }
}

/// Reads the package file, or says which file is to blame and why.
fn read_book(listing: &Listing) -> Result<Book, (String, String)> {
    let text = |name: &str| match listing.small_file(name) {
        None => Err((name.to_owned(), "there is no such file in the epub".to_owned())),
        Some(Err(e)) => Err((name.to_owned(), e.to_string())),
        Some(Ok(bytes)) => Ok(charset::decode(&bytes, None).into_owned()),
    };
    let mut package = None;
    walk(&text(CONTAINER)?, &mut |node| {
        if let Node::Start("rootfile", attributes) = node
            && package.is_none()
        {
            package = attributes.get("full-path").cloned();
        }
    })
    .map_err(|e| (CONTAINER.to_owned(), e))?;
    let package = package.ok_or_else(|| (CONTAINER.to_owned(), "names no package file".to_owned()))?;
    parse_package(&package, &text(&package)?).map_err(|e| (package.clone(), e))
}

fn parse_package(package: &str, text: &str) -> Result<Book, String> {
    #[derive(Default)]
    struct File {
        name: Option<String>,
        properties: String,
        mime: String,
    }
    let mut book = Book::default();
    let mut files: BTreeMap<String, File> = BTreeMap::new();
    let mut order = Vec::new();
    let (mut cover_id, mut ncx_id) = (None, None);
    let mut word: Option<String> = None;
    let mut in_metadata = false;
    walk(text, &mut |node| match node {
        Node::Start("metadata", _) => in_metadata = true,
        Node::End("metadata") => in_metadata = false,
        Node::Start("meta", attributes) if attributes.get("name").is_some_and(|name| name == "cover") => {
            cover_id = attributes.get("content").cloned();
        }
        Node::Start("date", attributes)
            if attributes.get("event").is_some_and(|event| event == "modification") => {}
        Node::Start(_, _) if in_metadata => word = Some(String::new()),
        Node::Text(text) => {
            if let Some(word) = &mut word {
                word.push_str(text);
            }
        }
        Node::End(name) if in_metadata => {
            if let Some(text) = word.take().and_then(|text| collapse(&text, usize::MAX)) {
                book.words.entry(name.to_owned()).or_default().push(text);
            }
        }
        Node::Start("item", mut attributes) => {
            if let Some(id) = attributes.remove("id") {
                let name =
                    attributes.get("href").and_then(|href| resolve(package, href)).map(|(name, _)| name);
                let mut take = |key| attributes.remove(key).unwrap_or_default();
                files.insert(id, File { name, properties: take("properties"), mime: take("media-type") });
            }
        }
        Node::Start("spine", attributes) => ncx_id = attributes.get("toc").cloned(),
        Node::Start("itemref", mut attributes)
            if attributes.get("linear").is_none_or(|linear| linear != "no") =>
        {
            order.extend(attributes.remove("idref"));
        }
        _ => {}
    })?;
    let has = |file: &File, property: &str| file.properties.split_ascii_whitespace().any(|p| p == property);
    let name_of = |id: &Option<String>| id.as_ref().and_then(|id| files.get(id)).and_then(|f| f.name.clone());
    let with = |property| files.values().find(|f| has(f, property)).and_then(|f| f.name.clone());
    book.cover = with("cover-image").or_else(|| name_of(&cover_id));
    book.nav = with("nav");
    let by_mime =
        || files.values().find(|f| f.mime == "application/x-dtbncx+xml").and_then(|f| f.name.clone());
    book.ncx = name_of(&ncx_id).or_else(by_mime);
    book.spine = order.iter().filter_map(|id| files.get(id)).filter_map(|f| f.name.clone()).collect();
    Ok(book)
}

/// Takes over what the package file says of the whole.
fn fill(about: &mut About, listing: &Listing, book: &Book) {
    let languages = book.words.get("language").into_iter().flatten();
    let languages: Vec<String> = languages.filter_map(|text| language_tag(text)).collect();
    let date = book.words.get("date").into_iter().flatten().find_map(|text| full_date(text));
    let url = book.words.get("identifier").into_iter().flatten();
    let url = url.chain(book.words.get("source").into_iter().flatten());
    let url = url.clone().find(|text| text.starts_with("https://") || text.starts_with("http://"));
    for (key, value) in [
        (keys::TITLE, book.first("title")),
        (keys::LANGUAGE, Some(languages.join(",")).filter(|text| !text.is_empty())),
        (keys::CREATOR, book.all("creator", ", ")),
        (keys::PUBLISHER, book.all("publisher", ", ")),
        (keys::DATE, date),
        (keys::DESCRIPTION, book.first("description").and_then(|text| without_tags(&text))),
        (keys::LICENSE, book.all("rights", " ")),
        (keys::TAGS, book.all("subject", ";")),
        (keys::SOURCE_URL, url.cloned()),
        ("identifier", book.first("identifier")),
    ] {
        if let Some(value) = value {
            about.metadata.set_text(key, value);
        }
    }
    if let Some(cover) = &book.cover
        && let Some(Ok(bytes)) = listing.small_file(cover)
        // An icon, not the archive's largest page.
        && bytes.len() <= MAX_METADATA / 4
    {
        let mime = mime_of(cover, &bytes);
        if mime.starts_with("image/") {
            about.metadata.set(keys::ICON, Value { mime: mime.to_owned(), bytes });
        }
    }
}

/// Returns the day of a date (ISO 8601), if it names one.
fn full_date(text: &str) -> Option<String> {
    let day = text.get(..10)?;
    let is_day = day.bytes().enumerate().all(|(at, b)| match at {
        4 | 7 => b == b'-',
        _ => b.is_ascii_digit(),
    });
    (is_day && text[10..].chars().next().is_none_or(|c| c == 'T')).then(|| day.to_owned())
}

/// Returns the words of a description, which may be marked up (escaped HTML, by habit).
fn without_tags(text: &str) -> Option<String> {
    if !text.contains(['<', '&']) {
        return Some(text.to_owned());
    }
    let mut words = String::new();
    for token in html5gum::Tokenizer::new(text).flatten() {
        match token {
            html5gum::Token::String(text) => words.push_str(&String::from_utf8_lossy(&text)),
            html5gum::Token::StartTag(tag)
                if matches!(tag.name.as_slice(), b"p" | b"br" | b"div" | b"li") =>
            {
                words.push(' ');
            }
            _ => {}
        }
    }
    collapse(&words, usize::MAX)
}

/// Returns titles of files from the table of contents: EPUB 3's, else EPUB 2's.
fn titles(listing: &Listing, book: &Book) -> BTreeMap<String, String> {
    let mut titles = Titles::default();
    for contents in [&book.nav, &book.ncx].into_iter().flatten() {
        if let Some(Ok(bytes)) = listing.small_file(contents) {
            // What is broken gives fewer titles.
            let _ = titles.read(contents, &charset::decode(&bytes, None));
        }
    }
    let Titles { mut whole, first_place, .. } = titles;
    for (name, title) in first_place {
        whole.entry(name).or_insert(title);
    }
    whole
}

/// Titles found in a table of contents.
#[derive(Default)]
struct Titles {
    /// Of files.
    whole: BTreeMap<String, String>,
    /// Of the first place that is named in a file.
    first_place: BTreeMap<String, String>,
}

impl Titles {
    fn read(&mut self, contents: &str, text: &str) -> Result<(), String> {
        let mut label = String::new();
        let mut link: Option<String> = None;
        let mut in_toc = false;
        walk(text, &mut |node| match node {
            // Page lists and landmarks are navigation too, but name no chapters.
            Node::Start("nav", attributes) => in_toc = attributes.get("type").is_none_or(|t| t == "toc"),
            Node::End("nav") => in_toc = false,
            Node::Start("a", mut attributes) if in_toc => {
                label.clear();
                link = attributes.remove("href");
            }
            Node::End("a") => {
                if let Some(link) = link.take() {
                    self.add(contents, &link, &label);
                }
            }
            Node::Start("navLabel", _) => label.clear(),
            Node::Start("content", attributes) => {
                if let Some(link) = attributes.get("src") {
                    self.add(contents, link, &label);
                }
            }
            Node::Text(text) => label.push_str(text),
            _ => {}
        })
    }

    fn add(&mut self, contents: &str, link: &str, label: &str) {
        if let (Some((name, place)), Some(title)) = (resolve(contents, link), collapse(label, MAX_TITLE)) {
            let titles = if place.is_none() { &mut self.whole } else { &mut self.first_place };
            titles.entry(name).or_insert(title);
        }
    }
}

/// A part of an XML text: names are local, prefixes say nothing here.
enum Node<'a> {
    Start(&'a str, BTreeMap<String, String>),
    Text(&'a str),
    End(&'a str),
}

/// Calls `visit` for each part of an XML text. Entities of a document type are not resolved.
fn walk(text: &str, visit: &mut dyn FnMut(Node<'_>)) -> Result<(), String> {
    let mut reader = quick_xml::Reader::from_str(text);
    loop {
        match reader.read_event().map_err(|e| format!("not well-formed XML: {e}"))? {
            Event::Start(tag) => visit(Node::Start(tag.local_name().as_ref(), attributes(&tag))),
            Event::Empty(tag) => {
                visit(Node::Start(tag.local_name().as_ref(), attributes(&tag)));
                visit(Node::End(tag.local_name().as_ref()));
            }
            Event::End(tag) => visit(Node::End(tag.local_name().as_ref())),
            Event::Text(text) => visit(Node::Text(&text.xml10_content())),
            Event::CData(text) => visit(Node::Text(&text.xml10_content())),
            Event::GeneralRef(name) => match name.resolve_char_ref() {
                Ok(Some(c)) => visit(Node::Text(c.encode_utf8(&mut [0; 4]))),
                // XHTML's own entities are mostly spaces and dashes.
                _ => visit(Node::Text(resolve_predefined_entity(&name.xml10_content()).unwrap_or(" "))),
            },
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn attributes(tag: &BytesStart<'_>) -> BTreeMap<String, String> {
    let mut all = tag.attributes();
    all.with_checks(false);
    all.flatten()
        .map(|a| {
            let value = a.normalized_value(XmlVersion::Implicit1_0);
            (
                a.key.local_name().as_ref().to_owned(),
                value.map_or_else(|_| a.value.to_string(), |v| v.into_owned()),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::super::Globs;
    use super::super::testing::{Folder, Run, run};
    use super::*;

    const CONTAINER_XML: &str = "<?xml version='1.0'?><container xmlns='urn:oasis:names:tc:opendocument:xmlns:container'><rootfiles><rootfile full-path='OEBPS/book.opf' media-type='application/oebps-package+xml'/></rootfiles></container>";
    const PACKAGE: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">
 <metadata xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:opf="http://www.idpf.org/2007/opf">
  <dc:identifier id="id">urn:uuid:1</dc:identifier><dc:identifier>https://example.org/book</dc:identifier>
  <dc:title>Cats &amp; Dogs&#x2014;a book</dc:title><dc:language>en</dc:language><dc:language>fr</dc:language>
  <dc:creator>A. One</dc:creator><dc:creator>B. Two</dc:creator><dc:publisher>P</dc:publisher>
  <dc:date opf:event="modification">2020-01-01</dc:date><dc:date>2011-02-03T00:00:00Z</dc:date>
  <dc:description>&lt;p&gt;About &lt;i&gt;cats&lt;/i&gt;.&lt;p&gt;Too</dc:description><dc:rights>CC0</dc:rights>
  <meta name="cover" content="c"/>
 </metadata>
 <manifest>
  <item id="c" href="img/cover.png" media-type="image/png"/>
  <item id="n" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
  <item id="x" href="toc.ncx" media-type="application/x-dtbncx+xml"/>
  <item id="p2" href="text/two%20b.xhtml" media-type="application/xhtml+xml"/>
  <item id="p1" href="text/one.xhtml" media-type="application/xhtml+xml"/>
  <item id="p3" href="text/missing.xhtml" media-type="application/xhtml+xml"/>
  <item id="p4" href="text/note.xhtml" media-type="application/xhtml+xml"/>
 </manifest>
 <spine toc="x"><itemref idref="p2"/><itemref idref="p1"/><itemref idref="p3"/><itemref idref="p4" linear="no"/></spine>
</package>"#;

    fn epub(package: &str) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        let page = |title: &str| {
            format!(
                "<html xmlns='http://www.w3.org/1999/xhtml'><head><title>{title}</title></head><body/></html>"
            )
        };
        for (name, text) in [
            ("mimetype", "application/epub+zip"),
            ("META-INF/container.xml", CONTAINER_XML),
            ("OEBPS/book.opf", package),
            ("OEBPS/img/cover.png", "\u{89}PNG"),
            (
                "OEBPS/nav.xhtml",
                "<html xmlns:epub='x'><head><title>Contents</title></head><nav epub:type='page-list'><ol><li><a href='text/one.xhtml'>1</a></li></ol></nav><nav epub:type='toc'><ol><li><a href='text/one.xhtml#top'>Chapter&nbsp;<b>One</b></a></li></ol></nav></html>",
            ),
            (
                "OEBPS/toc.ncx",
                "<ncx><navMap><navPoint><navLabel><text>Chapter Two</text></navLabel><content src='text/two%20b.xhtml'/></navPoint></navMap></ncx>",
            ),
            ("OEBPS/text/one.xhtml", &page("")),
            ("OEBPS/text/two b.xhtml", &page("Own title")),
            ("OEBPS/text/note.xhtml", &page("Cats &amp; Dogs—a book")),
        ] {
            zip.start_file(name, stored).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn run_epub(bytes: &[u8], prefix: &str, options: Options) -> Run {
        let folder = Folder::new();
        // By its magic, whatever its name.
        folder.write("book.bin", bytes);
        run(&folder.path("book.bin"), prefix, options)
    }

    #[test]
    fn a_book_is_read_in_its_order() {
        let run = run_epub(&epub(PACKAGE), "b", Options::default());
        assert_eq!(run.heard.lines(), [""; 0]);
        assert_eq!(
            run.items.paths(),
            [
                "b/OEBPS/book.opf",
                "b/OEBPS/img/cover.png",
                "b/OEBPS/nav.xhtml",
                "b/OEBPS/text/note.xhtml",
                "b/OEBPS/text/one.xhtml",
                "b/OEBPS/text/two b.xhtml",
                "b/OEBPS/toc.ncx"
            ]
        );
        assert_eq!(run.about.reading_order, ["b/OEBPS/text/two b.xhtml", "b/OEBPS/text/one.xhtml"]);
        assert_eq!(run.about.main.as_deref(), Some("b/OEBPS/text/two b.xhtml"));
        let titles: Vec<_> = ["one", "two b", "note"]
            .map(|name| run.items.get(&format!("b/OEBPS/text/{name}.xhtml")).title.clone())
            .to_vec();
        assert_eq!(titles, [Some("Chapter One".into()), Some("Own title".into()), None]);
        for (key, value) in [
            (keys::TITLE, "Cats & Dogs—a book"),
            (keys::LANGUAGE, "en,fr"),
            (keys::CREATOR, "A. One, B. Two"),
            (keys::PUBLISHER, "P"),
            (keys::DATE, "2011-02-03"),
            (keys::DESCRIPTION, "About cats. Too"),
            (keys::LICENSE, "CC0"),
            (keys::SOURCE_URL, "https://example.org/book"),
            ("identifier", "urn:uuid:1"),
        ] {
            assert_eq!(run.says(key), Some(value), "{key}");
        }
        assert_eq!(run.about.metadata.get(keys::ICON).unwrap().mime, "image/png");
    }

    #[test]
    fn what_is_left_out_is_in_no_order() {
        let options = Options { exclude: Globs::new(&["**/two*"]).unwrap(), ..Options::default() };
        let run = run_epub(&epub(PACKAGE), "", options);
        assert_eq!(run.about.reading_order, ["OEBPS/text/one.xhtml"]);
        assert_eq!(run.about.main.as_deref(), Some("OEBPS/text/one.xhtml"));
    }

    #[test]
    fn a_broken_package_leaves_a_zip() {
        for package in ["<package><metadata>", "</x>", "", "<!DOCTYPE p [<!ENTITY a \"&a;&a;\">]><p>&a;</p>"]
        {
            let run = run_epub(&epub(package), "", Options::default());
            assert_eq!(run.items.items.len(), 7, "{package}");
        }
        let run = run_epub(&epub("<a></b>"), "", Options::default());
        assert!(run.heard.lines()[0].contains("not well-formed XML"), "{:?}", run.heard.lines());
    }

    #[test]
    fn dates_are_days() {
        assert_eq!(full_date("2011-02-03").as_deref(), Some("2011-02-03"));
        for bad in ["2011", "2011-02", "2011-02-3", "é011-02-03", "2011-02-03x", ""] {
            assert_eq!(full_date(bad), None, "{bad}");
        }
    }
}
