//! A folder: every file below it is an entry.
//!
//! Links are never followed out of the folder. A file is opened by its path from the folder, and
//! the system is told to refuse links on the way, so what is read is what the walk saw, even if
//! someone swaps it in between.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::manifest::{Entry, Manifest};
use super::pass::{Found, Pass};
use super::stubs::{Names, Peek};
use super::walk::{Beneath, FileKind, Identity, Root, Walk};
use super::{Options, name_of};
use crate::error::{Error, Result};
use crate::item::{About, Content, Observer, Sink, Source, escape_bytes};
use crate::limits::MAX_ITEM_IN_MEMORY;
use crate::manifest;
use crate::text::head::MAX_STUB;

/// A folder as a source.
pub(crate) struct Directory {
    /// As the user wrote it, for messages.
    path: PathBuf,
    root: Root,
    prefix: String,
    options: Options,
}

/// What the walk found.
enum Seen {
    /// A file, and what a manifest says of it.
    File(Box<Option<Entry>>),
    Link,
}

/// How the files begin that extracting writes before it gives them their names.
const PARTIAL: &str = ".tome-partial-";

impl Directory {
    /// Opens a folder.
    pub(crate) fn open(path: &Path, prefix: String, options: Options) -> Result<Self> {
        let root = Root::open_folder(path).map_err(|e| Error::io("open the folder", path, e))?;
        Ok(Self { path: path.to_path_buf(), root, prefix, options })
    }
}

/// Returns a relative path as an entry's name, and whether it had to be escaped.
pub fn path_name(path: &Path) -> (String, bool) {
    if let Some(text) = path.to_str()
        && std::path::MAIN_SEPARATOR == '/'
    {
        return (text.to_owned(), false);
    }
    let mut name = String::new();
    let escaped = path.to_str().is_none();
    for part in path.iter() {
        if !name.is_empty() {
            name.push('/');
        }
        // Once a part is escaped all are, or U+F8FF would mean two things in one path.
        match part.to_str().filter(|_| !escaped) {
            Some(text) => name.push_str(text),
            None => name.push_str(&escape_bytes(part.as_encoded_bytes())),
        }
    }
    (name, escaped)
}

/// Returns the path of a file from the bytes of its name, if this system can have it.
fn file_of(name: &[u8]) -> Option<PathBuf> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        Some(PathBuf::from(std::ffi::OsStr::from_bytes(name)))
    }
    #[cfg(not(unix))]
    std::str::from_utf8(name).ok().map(PathBuf::from)
}

impl Source for Directory {
    fn run(&mut self, sink: &mut dyn Sink, observer: &dyn Observer) -> Result<About> {
        let mut pass = Pass::new(&self.prefix, &self.options, sink, observer);
        pass.with_manifest(self.manifest(&pass)?);
        self.pass_on_all(&mut pass)?;
        Ok(pass.finish(About::default()))
    }

    fn size_hint(&self) -> Option<(u64, u64)> {
        let (mut items, mut bytes) = (0, 0);
        for (path, kind) in Walk::new(&self.root).flatten() {
            if kind == FileKind::File {
                items += 1;
                bytes += self.root.canonical.join(path).symlink_metadata().map_or(0, |m| m.len());
            }
        }
        Some((items, bytes))
    }
}

impl Directory {
    fn origin(&self, path: &Path) -> String {
        self.path.join(path).display().to_string()
    }

    /// Reads the manifest at the root, if there is one.
    fn manifest(&self, pass: &Pass<'_>) -> Result<Option<Manifest>> {
        if pass.ignores_manifest() {
            return Ok(None);
        }
        let path = Path::new(manifest::NAME);
        match self.root.open_file(path) {
            Ok((file, _)) => {
                let read = Manifest::read(file, &self.path.join(path));
                read.map(Some).map_err(|e| self.other_file(e))
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => {
                pass.error(&self.origin(path), &format!("cannot read: {e}"));
                Ok(None)
            }
        }
    }

    /// Adds to what is wrong with a manifest how to pack a folder whose file of that name is none.
    fn other_file(&self, error: Error) -> Error {
        match error {
            Error::Source { path, message } => {
                let pattern = format!("{}{}", self.prefix, manifest::NAME);
                let way_out = format!("if it is a file of your own, --exclude {pattern} packs the rest");
                Error::Source { path, message: format!("{message}; {way_out}") }
            }
            other => other,
        }
    }

    /// Passes on everything in the order of paths.
    fn pass_on_all(&self, pass: &mut Pass<'_>) -> Result<()> {
        for step in Walk::new(&self.root) {
            pass.check_cancelled()?;
            let (path, kind) = match step {
                Ok(found) => found,
                Err((folder, e)) => {
                    pass.error(&self.origin(&folder), &format!("cannot read the folder: {e}"));
                    continue;
                }
            };
            let (name, escaped) = path_name(&path);
            let found = Found { name: &name, escaped, origin: self.origin(&path) };
            if let Some(seen) = self.seen(&path, kind, &found, pass)? {
                while let Some(entry) = pass.next_elsewhere(Some(&name))? {
                    self.pass_on_elsewhere(entry, pass)?;
                }
                self.pass_on(seen, &path, found, pass)?;
            }
        }
        while let Some(entry) = pass.next_elsewhere(None)? {
            self.pass_on_elsewhere(entry, pass)?;
        }
        pass.report_missing()
    }

    /// Returns what there is to pass on at a step of the walk, reporting what is left out.
    fn seen(&self, path: &Path, kind: FileKind, found: &Found<'_>, pass: &Pass<'_>) -> Result<Option<Seen>> {
        if path == Path::new(manifest::NAME) || kind == FileKind::Folder {
            return Ok(None);
        }
        let remembered = pass.remembered(found.name, found.escaped)?;
        let path = match &remembered {
            // It comes at its path.
            Some(entry) if entry.path != found.name => return Ok(None),
            Some(entry) => &entry.path,
            None => found.name,
        };
        if !pass.wants_path(path) {
            return Ok(None);
        }
        if remembered.is_none() && pass.has_manifest() && found.name.starts_with(PARTIAL) {
            pass.warning(&found.origin, "left out: half a file, from extracting that was broken off");
            return Ok(None);
        }
        Ok(match kind {
            FileKind::File => Some(Seen::File(Box::new(remembered))),
            FileKind::Link => Some(Seen::Link),
            FileKind::Folder => None,
            FileKind::Special(what) => {
                pass.warning(&found.origin, &format!("left out: {what}, not a file"));
                None
            }
        })
    }

    fn pass_on(&self, seen: Seen, path: &Path, found: Found<'_>, pass: &mut Pass<'_>) -> Result<()> {
        match seen {
            Seen::File(remembered) => self.pass_on_file(path, found, *remembered, &self.root, pass),
            Seen::Link => {
                let reason = match self.root.link_target(path) {
                    Ok(target) if pass.wants(&target) => {
                        let target = pass.path_of(&target);
                        return pass.redirect(found, target, None);
                    }
                    Ok(_) => "a link to a file that is left out".to_owned(),
                    Err(reason) => reason,
                };
                pass.warning(&found.origin, &format!("left out: {reason}"));
                Ok(())
            }
        }
    }

    /// Passes on an entry of the manifest whose file has another name, or that has none.
    ///
    /// The manifest's word opens the file here, and nothing but a file below the folder is opened.
    fn pass_on_elsewhere(&self, entry: Entry, pass: &mut Pass<'_>) -> Result<()> {
        let Some(file) = &entry.file else {
            let origin = self.origin(Path::new(manifest::NAME));
            return pass.entry(entry, Content::Bytes(Vec::new()), origin);
        };
        let Some(path) = file_of(file) else { return Ok(()) };
        let name = name_of(file).into_owned();
        let found = Found { name: &name, escaped: entry.escaped, origin: self.origin(&path) };
        match self.root.read(&path) {
            Ok(content) => pass.file(found, Some(entry), content, &self.root),
            // Reported with all that are missing.
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(e) => {
                pass.error(&found.origin, &format!("cannot read: {e}"));
                Ok(())
            }
        }
    }

    fn pass_on_file(
        &self,
        path: &Path,
        found: Found<'_>,
        remembered: Option<Entry>,
        names: &dyn Names,
        pass: &mut Pass<'_>,
    ) -> Result<()> {
        match self.root.read(path) {
            Ok(content) => pass.file(found, remembered, content, names),
            Err(e) => {
                pass.error(&found.origin, &format!("cannot read: {e}"));
                Ok(())
            }
        }
    }

    /// Passes on one file of the folder alone, under the name that the user gave it.
    pub(crate) fn run_single(
        &self,
        file: &Path,
        shown: &Path,
        sink: &mut dyn Sink,
        observer: &dyn Observer,
    ) -> Result<About> {
        let mut pass = Pass::new(&self.prefix, &self.options, sink, observer);
        let (name, escaped) = path_name(Path::new(shown.file_name().unwrap_or_default()));
        if pass.wants(&name) {
            let found = Found { name: &name, escaped, origin: shown.display().to_string() };
            self.pass_on_file(file, found, None, &Alone, &mut pass)?;
        }
        Ok(pass.finish(About::default()))
    }
}

/// The neighbours of a file that is packed alone.
struct Alone;

impl Names for Alone {
    fn peek(&self, _path: &str) -> Peek {
        Peek::Absent
    }
}

impl Names for Root {
    fn peek(&self, path: &str) -> Peek {
        let Some(path) = self.file_path(path) else { return Peek::Absent };
        match self.open_file(&path) {
            Ok((_, metadata)) if metadata.len() > MAX_STUB as u64 => Peek::Other,
            Ok((file, metadata)) => match read_all(file, metadata.len()) {
                Ok(bytes) => Peek::Small(bytes),
                Err(_) => Peek::Absent,
            },
            // A link inside the folder becomes an entry too.
            Err(_) if self.link_target(&path).is_ok() => Peek::Other,
            Err(_) => Peek::Absent,
        }
    }
}

impl Root {
    /// Returns the file path of an entry's name.
    fn file_path(&self, name: &str) -> Option<PathBuf> {
        let path = Path::new(name);
        if std::fs::symlink_metadata(self.canonical.join(path)).is_ok() {
            return Some(path.to_path_buf());
        }
        file_of(&crate::item::unescape_bytes(name)?)
    }

    /// Returns the name of the file that a link leads to, or why it makes no entry.
    fn link_target(&self, link: &Path) -> Result<String, String> {
        let full = self.canonical.join(link);
        let shown = || std::fs::read_link(&full).map_or_else(|_| "?".into(), |t| t.display().to_string());
        // The parent first: an entry below a linked folder does not exist.
        let target = full.canonicalize().map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => format!("a link to {}, which does not exist", shown()),
            _ => format!("a link to {}: {e}", shown()),
        })?;
        let inside = target
            .strip_prefix(&self.canonical)
            .map_err(|_| format!("a link to {}, outside the source", shown()))?;
        let metadata = target.symlink_metadata().map_err(|e| e.to_string())?;
        if metadata.is_dir() {
            return Err(format!("a link to the folder {}", shown()));
        }
        if !metadata.is_file() || inside == Path::new(manifest::NAME) {
            return Err(format!("a link to {}, which is no entry", shown()));
        }
        let parent = full.parent().map(Path::canonicalize);
        if !matches!(&parent, Some(Ok(p)) if Some(p.as_path()) == full.parent()) {
            return Err("a link below a linked folder".into());
        }
        Ok(path_name(inside).0)
    }

    /// Opens a regular file without following any link.
    fn open_file(&self, path: &Path) -> io::Result<(File, Metadata)> {
        let file = self.open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is no longer a regular file"));
        }
        Ok((file, metadata))
    }

    /// Reads a file, or arranges for it to be read if it is large.
    fn read(&self, path: &Path) -> io::Result<Content> {
        let (file, metadata) = self.open_file(path)?;
        let len = metadata.len();
        if len <= MAX_ITEM_IN_MEMORY {
            return read_all(file, len).map(Content::Bytes);
        }
        let root = self.clone();
        let path = path.to_path_buf();
        let identity = Identity::of(&metadata);
        let open = move || -> io::Result<Box<dyn Read + Send>> {
            let (file, metadata) = root.open_file(&path)?;
            if Identity::of(&metadata) != identity {
                return Err(changed());
            }
            Ok(Box::new(Whole { file, left: len }))
        };
        Ok(Content::Large { len, open: Box::new(open) })
    }
}

fn changed() -> io::Error {
    io::Error::other("the file was changed while it was read")
}

/// Reads a file that must have exactly this length.
fn read_all(mut file: File, len: u64) -> io::Result<Vec<u8>> {
    let len = usize::try_from(len).map_err(io::Error::other)?;
    // One byte more than needed, so that one read finds both the content and its end.
    let mut bytes = Vec::with_capacity(len + 1);
    file.by_ref().take(len as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() == len { Ok(bytes) } else { Err(changed()) }
}

/// A large file, read to the length that it had.
struct Whole {
    file: File,
    left: u64,
}

impl Read for Whole {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            let mut more = [0];
            return if self.file.read(&mut more)? == 0 { Ok(0) } else { Err(changed()) };
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(changed());
        }
        self.left -= read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Collected, Folder, Heard, run};
    use super::super::{Globs, open};
    use super::*;
    use crate::item::{Body, Item, keys};

    #[test]
    fn a_folder_comes_in_byte_order_of_paths() {
        let folder = Folder::new();
        for name in ["a/b.html", "a-b.html", "a.html", "a/c/d.txt", "a0.css", "B.png"] {
            folder.write(name, "x");
        }
        let run = folder.run();
        assert_eq!(run.items.paths(), ["B.png", "a-b.html", "a.html", "a/b.html", "a/c/d.txt", "a0.css"]);
        let mut sorted = run.items.paths();
        sorted.sort();
        assert_eq!(run.items.paths(), sorted);
        assert_eq!(run.heard.lines(), [""; 0]);
    }

    #[test]
    fn a_file_of_ones_own_may_have_the_name_of_a_manifest() {
        let folder = Folder::new();
        folder.write("a.txt", "<meta http-equiv=refresh content='0;url=b.html'>");
        folder.write("b.html", "x");
        folder.write(manifest::NAME, "mine");
        let (mut items, heard) = (Collected::default(), Heard::default());
        let mut source = open(folder.0.path(), "p", Options::default()).unwrap();
        let error = source.run(&mut items, &heard).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("--exclude p/tome-manifest.json"), "{error}");
        let exclude = Globs::new(&["p/tome-manifest.json"]).unwrap();
        let run = run(folder.0.path(), "p", Options { exclude, ..Options::default() });
        assert_eq!(run.items.paths(), ["p/a.txt", "p/b.html"]);
        // A text that quotes a signpost is none.
        assert!(run.items.line("p/a.txt").starts_with("article text/plain"));
    }

    #[test]
    fn what_the_pages_say_of_the_whole() {
        let folder = Folder::new();
        folder.write("z/index.html", "<html lang=de><title>Deeper</title>");
        folder.write(
            "index.html",
            "<html lang=fr><title>Main</title><meta name=description content='About it'>",
        );
        folder.write("one.html", "<html lang=en><title>One</title>");
        folder.write("two.html", "<html lang=en><title>Two</title>");
        folder.write("empty.html", "");
        let run = folder.run();
        assert_eq!(run.about.main.as_deref(), Some("index.html"));
        assert_eq!(run.title(), Some("Main"));
        assert_eq!(run.says(keys::DESCRIPTION), Some("About it"));
        assert_eq!(run.says(keys::LANGUAGE), Some("en"));
        assert_eq!(run.items.line("one.html"), "article text/html One");
        assert_eq!(run.items.line("empty.html"), "article text/html -");
        assert_eq!(run.items.get("z/index.html").language.as_deref(), Some("de"));
    }

    #[test]
    fn the_callers_main_page_goes_before_the_index() {
        let folder = Folder::new();
        folder.write("index.html", "<html lang=fr><title>Index</title>");
        folder.write("start.html", "<html lang=en><title>Start</title>");
        let with = |main: &str| {
            let options = Options { main: Some(main.into()), ..Options::default() };
            run(folder.0.path(), "p", options)
        };
        let all = with("p/start.html");
        assert_eq!((all.about.main.as_deref(), all.title()), (Some("p/start.html"), Some("Start")));
        assert_eq!(all.says(keys::LANGUAGE), Some("en"));
        let all = with("q/in-another-source.html");
        assert_eq!((all.about.main.as_deref(), all.title()), (None, None));
    }

    #[test]
    fn without_an_index_nothing_is_made_up() {
        let folder = Folder::new();
        folder.write("page.html", "<title>T</title>");
        let run = folder.run();
        assert_eq!(run.about.main, None);
        assert!(run.about.metadata.is_empty());
        assert!(Folder::new().run().items.items.is_empty());
    }

    #[test]
    fn prefix_and_globs_are_over_whole_entry_paths() {
        let folder = Folder::new();
        folder.write("a.html", "<title>A</title>");
        folder.write("b/c.html", "x");
        folder.write("b/d.html", "x");
        folder.write("to.html", "<meta http-equiv=refresh content='0;url=a.html'>");
        folder.write("gone.html", "<meta http-equiv=refresh content='0;url=b/d.html'>");
        let options = Options {
            exclude: Globs::new(&["p/b/d*"]).unwrap(),
            media_only: Globs::new(&["p/b/c.html"]).unwrap(),
            ..Options::default()
        };
        let run = run(folder.0.path(), "/p/", options);
        assert_eq!(run.items.paths(), ["p/a.html", "p/b/c.html", "p/gone.html", "p/to.html"]);
        assert_eq!(run.items.line("p/b/c.html"), "media text/html -");
        assert_eq!(run.items.line("p/to.html"), "redirect p/a.html -");
        assert_eq!(run.items.line("p/gone.html"), "article text/html -");
        let options = Options { include: Globs::new(&["*.html"]).unwrap(), ..Options::default() };
        assert_eq!(super::super::testing::run(folder.0.path(), "", options).items.items.len(), 3);
    }

    #[cfg(unix)]
    #[test]
    fn k01_links_are_redirects_or_reported() {
        use std::os::unix::fs::symlink;
        let outside = Folder::new();
        outside.write("secret.html", "secret");
        let folder = Folder::new();
        folder.write("a/page.html", "<title>P</title>");
        folder.write("page.html", "x");
        for (target, name) in [
            ("page.html", "a/same.html"),
            ("../page.html", "a/up.html"),
            ("up.html", "a/chain.html"),
            ("a", "folder"),
            ("missing", "dangling.html"),
            ("loop2", "loop1"),
            ("loop1", "loop2"),
            ("self", "self"),
            ("..", "a/parent"),
            ("/dev/null", "null"),
        ] {
            symlink(target, folder.path(name)).unwrap();
        }
        symlink(outside.path("secret.html"), folder.path("secret.html")).unwrap();
        symlink(outside.0.path(), folder.path("secrets")).unwrap();
        symlink(folder.path("page.html"), folder.path("absolute.html")).unwrap();
        folder.write(manifest::NAME, "{\"tome_manifest\":1}");
        symlink(manifest::NAME, folder.path("manifest")).unwrap();
        let run = folder.run();
        assert_eq!(
            run.items.paths(),
            ["a/chain.html", "a/page.html", "a/same.html", "a/up.html", "absolute.html", "page.html"]
        );
        assert_eq!(run.items.line("a/same.html"), "redirect a/page.html -");
        assert_eq!(run.items.line("a/up.html"), "redirect page.html -");
        assert_eq!(run.items.line("a/chain.html"), "redirect page.html -");
        assert_eq!(run.items.line("absolute.html"), "redirect page.html -");
        let lines = run.heard.lines();
        let expect =
            |start: &str| assert!(lines.iter().any(|l| l.starts_with(start)), "{start} in {lines:#?}");
        expect("warning dangling.html: left out: a link to missing, which does not exist");
        expect("warning folder: left out: a link to the folder a");
        expect("warning parent: left out: a link to the folder ..");
        expect("warning loop1: left out: a link to loop2");
        expect("warning self: left out");
        expect("warning secret.html: left out: a link to");
        expect("warning secrets: left out: a link to");
        expect("warning null: left out: a link to /dev/null, outside the source");
        expect("warning manifest: left out");
        assert_eq!(lines.len(), 10, "{lines:#?}");
    }

    #[test]
    fn a_signpost_to_what_is_no_entry_stays_an_article() {
        let folder = Folder::new();
        folder.write("a.html", "<meta http-equiv=refresh content='0;url=tome-manifest.json'>");
        folder.write("b.html", "<meta http-equiv=refresh content='0;url=c/'>");
        folder.write("c/index.html", "x");
        folder.write("d.html", "<meta http-equiv=refresh content='0;url=c'>");
        folder.write(manifest::NAME, "{\"tome_manifest\":1}");
        let run = folder.run();
        assert_eq!(run.items.line("a.html"), "article text/html -");
        assert_eq!(run.items.line("b.html"), "redirect c/index.html -");
        assert_eq!(run.items.line("d.html"), "article text/html -");
    }

    #[cfg(unix)]
    #[test]
    fn k01_sockets_and_fifos_are_left_out() {
        let folder = Folder::new();
        folder.write("a.html", "x");
        let fifo = std::process::Command::new("mkfifo").arg(folder.path("fifo")).status();
        assert!(fifo.unwrap().success());
        let _socket = std::os::unix::net::UnixListener::bind(folder.path("socket")).unwrap();
        let run = folder.run();
        assert_eq!(run.items.paths(), ["a.html"]);
        assert_eq!(
            run.heard.lines(),
            ["warning fifo: left out: a FIFO, not a file", "warning socket: left out: a socket, not a file"]
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn k01_names_that_are_not_utf_8_are_escaped() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let folder = Folder::new();
        folder.write("a.html", "<meta http-equiv=refresh content='0;url=%ff/caf%e9.html'>");
        std::fs::create_dir(folder.0.path().join(OsStr::from_bytes(b"\xff"))).unwrap();
        std::fs::write(folder.0.path().join(OsStr::from_bytes(b"\xff/caf\xe9.html")), "x").unwrap();
        folder.write("\u{f8ff}ff.html", "x");
        let run = folder.run();
        let mut sorted = run.items.paths();
        sorted.sort();
        assert_eq!(run.items.paths(), sorted);
        let item = run.items.get("\u{f8ff}ff/caf\u{f8ff}e9.html");
        assert!(item.escaped);
        assert!(!run.items.get("\u{f8ff}ff.html").escaped);
        assert_eq!(run.items.line("a.html"), "redirect \u{f8ff}ff/caf\u{f8ff}e9.html -");
    }

    /// Does something to the folder when the first item arrives.
    struct Meddler<'a>(Collected, Option<Box<dyn FnOnce() + 'a>>);

    impl Sink for Meddler<'_> {
        fn put(&mut self, item: Item) -> Result<()> {
            if let Some(act) = self.1.take() {
                act();
            }
            self.0.put(item)
        }
    }

    #[cfg(unix)]
    #[test]
    fn k01_what_changes_during_the_run_is_reported() {
        use std::os::unix::fs::symlink;
        let folder = Folder::new();
        for name in ["a.html", "b.html", "c.html", "d/e.html", "f.html"] {
            folder.write(name, "x");
        }
        let act = || {
            std::fs::remove_file(folder.path("b.html")).unwrap();
            std::fs::remove_file(folder.path("c.html")).unwrap();
            symlink("/etc/hostname", folder.path("c.html")).unwrap();
            std::fs::rename(folder.path("d"), folder.path("d-away")).unwrap();
            symlink("/etc", folder.path("d")).unwrap();
            std::fs::remove_file(folder.path("f.html")).unwrap();
            assert!(
                std::process::Command::new("mkfifo").arg(folder.path("f.html")).status().unwrap().success()
            );
        };
        let mut sink = Meddler(Collected::default(), Some(Box::new(act)));
        let heard = Heard::default();
        open(folder.0.path(), "", Options::default()).unwrap().run(&mut sink, &heard).unwrap();
        assert_eq!(sink.0.paths(), ["a.html"]);
        let lines = heard.lines();
        assert!(lines.iter().all(|l| l.starts_with("error ")), "{lines:#?}");
        assert!(lines.iter().any(|l| l.starts_with("error b.html: cannot read")), "{lines:#?}");
        assert!(
            lines.iter().any(|l| l == "error c.html: cannot read: a link has taken its place"),
            "{lines:#?}"
        );
        assert!(lines.iter().any(|l| l.contains("no longer a regular file")), "{lines:#?}");
    }

    #[test]
    fn k01_large_files_are_read_later_and_must_not_change() {
        let folder = Folder::new();
        let len = usize::try_from(MAX_ITEM_IN_MEMORY).unwrap() + 1;
        let mut page = b"<html lang=fi><title>Large</title>".to_vec();
        page.resize(len, b'x');
        folder.write("large.html", &page);
        folder.write("grown.txt", &page);
        let run = folder.run();
        assert_eq!(run.items.line("large.html"), "article text/html Large");
        assert!(matches!(
            &run.items.get("large.html").body,
            Body::Article { content: Content::Large { .. }, .. }
        ));
        assert_eq!(run.items.bytes("large.html").unwrap(), page);
        assert_eq!(run.items.bytes("large.html").unwrap(), page);
        page.push(b'x');
        folder.write("grown.txt", &page);
        assert!(run.items.bytes("grown.txt").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn k01_unreadable_files_do_not_end_the_run() {
        use std::os::unix::fs::PermissionsExt;
        if rustix::process::geteuid().is_root() {
            eprintln!("the superuser may read anything: not tested");
            return;
        }
        let folder = Folder::new();
        for name in ["a.html", "b/c.html", "d.html"] {
            folder.write(name, "x");
        }
        for name in ["a.html", "b"] {
            std::fs::set_permissions(folder.path(name), PermissionsExt::from_mode(0o0)).unwrap();
        }
        let run = folder.run();
        assert_eq!(run.items.paths(), ["d.html"]);
        assert_eq!(run.heard.lines().len(), 2);
        std::fs::set_permissions(folder.path("b"), PermissionsExt::from_mode(0o700)).unwrap();
    }

    #[test]
    fn an_observer_can_stop_the_run() {
        struct Stop;
        impl Observer for Stop {
            fn is_cancelled(&self) -> bool {
                true
            }
        }
        let folder = Folder::new();
        folder.write("a.html", "x");
        let mut source = open(folder.0.path(), "", Options::default()).unwrap();
        assert!(matches!(source.run(&mut Collected::default(), &Stop), Err(Error::Interrupted)));
    }
}
