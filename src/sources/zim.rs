//! A ZIM: every entry of its content, as it is there.
//!
//! Entries come in the order in which they are stored, so that each cluster is decoded once, redirects
//! last; or in that of their paths, if asked for. What is damaged is reported and left out, and the rest goes on. The checksum
//! of the whole file is computed meanwhile, and compared at the end: it is the only thing that says
//! whether bytes that decode without an error are the right ones.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Options;
use super::as_is::{Passing, Terms};
use crate::error::{Error, Result};
use crate::item::{About, Body, Content, Item, Kind, Metadata, Observer, Sink, Source, Value, keys};
use crate::item::{escape_bytes, unescape_bytes};
use crate::limits::{MAX_ITEM_IN_MEMORY, MAX_REDIRECTS};
use crate::text::signpost::{self, Signpost};
use crate::zim::{Archive, ContentReader, Entry, EntryBody, metadata};

/// An open ZIM as a source.
pub struct ZimSource {
    zim: Arc<Archive>,
    terms: Terms,
    by_path: bool,
}

impl ZimSource {
    /// Takes an open ZIM.
    pub fn new(zim: Arc<Archive>, options: Options) -> Self {
        Self { zim, terms: Terms::new("ZIM", options), by_path: false }
    }

    /// Maps and opens a file; `prefix` is a normal one.
    pub(super) fn open(path: &Path, prefix: String, options: Options) -> Result<Self> {
        let zim = Archive::open(path).map_err(|e| match e {
            e @ (Error::Io { .. } | Error::Source { .. }) => e,
            other => Error::source(path.display().to_string(), other.to_string()),
        })?;
        let terms = Terms { shown: path.display().to_string(), prefix, options };
        Ok(Self { zim: Arc::new(zim), terms, by_path: false })
    }

    /// Puts a prefix before all paths, with a `/` between.
    ///
    /// # Errors
    ///
    /// Fails if it is no plain path.
    pub fn with_prefix(self, prefix: &str) -> Result<Self> {
        Ok(Self { terms: self.terms.with_prefix(prefix)?, ..self })
    }

    /// Says what messages call the ZIM: its file's name, for instance.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.terms.shown = name.into();
        self
    }

    /// Gives entries in byte order of their paths, for sinks that need it. A cluster whose paths lie far
    /// apart may then be decoded more than once.
    #[must_use]
    pub fn in_order_of_paths(self) -> Self {
        Self { by_path: true, ..self }
    }
}

impl Source for ZimSource {
    fn run(&mut self, sink: &mut dyn Sink, observer: &dyn Observer) -> Result<About> {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let checksum = scope.spawn(|| self.zim.check_checksum(&|| stop.load(Ordering::Relaxed)));
            let passing = Passing::new(&self.terms, sink, observer);
            let about =
                Run { source: self, passing, main: None, has_main: false, n_read: 0, n_lost: 0 }.all();
            // What has failed needs no checksum.
            stop.store(about.is_err(), Ordering::Relaxed);
            let about = about?;
            let message = match checksum.join() {
                Ok(Ok(true)) => return Ok(about),
                Ok(Ok(false)) => {
                    "its checksum is not that of its bytes: something in it is damaged, and nothing tells what"
                        .to_owned()
                }
                Ok(Err(e)) => format!("its checksum cannot be computed: {e}"),
                Err(_) => "its checksum was not computed".to_owned(),
            };
            observer.error(&self.terms.shown, &message);
            Ok(about)
        })
    }
}

/// One run.
struct Run<'a> {
    source: &'a ZimSource,
    passing: Passing<'a>,
    /// The main page as the ZIM names it, once that is known, and whether it has passed.
    main: Option<String>,
    has_main: bool,
    /// Entries with bytes that were read, and those of any kind that were not.
    n_read: u64,
    n_lost: u64,
}

impl Run<'_> {
    fn all(mut self) -> Result<About> {
        let mut about = self.about();
        self.main.clone_from(&about.main);
        let source = self.source;
        let entries: Box<dyn Iterator<Item = Result<Entry>>> = match source.by_path {
            true => Box::new(source.zim.entries()),
            false => Box::new(source.zim.entries_in_cluster_order()?),
        };
        for entry in entries {
            // Also where nothing but errors comes.
            self.passing.check_cancelled()?;
            match entry {
                Ok(entry) => self.pass_on(&entry)?,
                Err(e) => {
                    self.n_lost += 1;
                    self.passing.error(&format!("an entry is lost: {e}"));
                }
            }
        }
        if self.n_read == 0 && self.n_lost > 0 {
            return Err(Error::source(source.terms.shown.clone(), "nothing in it can be read"));
        }
        if let Some(main) = self.main.take()
            && !self.has_main
        {
            self.passing.warning(&format!("its main page {main} is lost, and so there is none"));
            about.main = None;
        }
        self.say_what_is_unknown()?;
        Ok(self.passing.finish(about))
    }

    fn about(&self) -> About {
        let (source, zim) = (self.source, &self.source.zim);
        let mut about = About::default();
        match zim.metadata_and_lost() {
            Ok((values, lost)) => {
                about.metadata = metadata::from_zim(values);
                for (key, e) in lost {
                    let message = format!("its metadata {key} is left out: {e}");
                    match e {
                        Error::LimitExceeded { .. } => {
                            self.passing.observer.warning(&source.terms.shown, &message);
                        }
                        _ => self.passing.error(&message),
                    }
                }
            }
            Err(e) => self.passing.error(&format!("its metadata cannot be read: {e}")),
        }
        about.metadata.set_text(keys::UUID, metadata::uuid_text(&zim.header().uuid));
        self.icon(&mut about.metadata);
        // What is kept twice counts twice.
        let found = std::mem::take(&mut about.metadata);
        about.metadata.fill_from(found, &source.terms.shown, self.passing.observer);
        match zim.main_entry() {
            Ok(Some(entry)) => about.main = Some(source.terms.path(&entry.path)),
            Ok(None) => {
                if zim.names_main_page().unwrap_or(false) {
                    self.passing
                        .warning("what it names as its main page leads nowhere, and so there is none");
                }
            }
            Err(e) => self.passing.error(&format!("its main page cannot be read: {e}")),
        }
        about.main = about.main.filter(|path| source.terms.options.wants(path));
        about
    }

    /// Says how much is neither content nor anything that has a place in an archive.
    fn say_what_is_unknown(&self) -> Result<()> {
        for (namespace, n) in self.source.zim.n_unknown()? {
            let entries = if n == 1 { "entry" } else { "entries" };
            let namespace = namespace.escape_default();
            self.passing.warning(&format!(
                "{n} {entries} of its namespace {namespace} left out: they are no content"
            ));
        }
        Ok(())
    }

    /// Old files have their picture among the entries, and it stays there too.
    fn icon(&self, metadata: &mut Metadata) {
        if metadata.get(keys::ICON).is_none()
            && let Ok(Some(Value { mime, bytes })) = self.source.zim.illustration(48)
        {
            metadata.set(keys::ICON, Value { mime, bytes });
        }
    }

    fn pass_on(&mut self, entry: &Entry) -> Result<()> {
        let Some(path) = self.passing.admit(&entry.path) else { return Ok(()) };
        let body = match self.body(entry) {
            Ok(Some(body)) => body,
            Ok(None) => {
                // Readers show nothing there either: a rule leaves it out.
                self.passing.observer.warning(&path, "left out: it leads to what is no entry of content");
                return Ok(());
            }
            Err(message) => {
                self.n_lost += 1;
                self.passing.observer.error(&path, &message);
                return Ok(());
            }
        };
        self.n_read += u64::from(entry.kind() != Kind::Redirect);
        self.has_main |= self.main.as_ref() == Some(&path);
        // An article is always given its title, a redirect too: what an archive would make of the path
        // may be another one. Media have one only if it is not their path, which in old files it is
        // without the namespace.
        let is_titled = entry.title != entry.path || entry.kind() != Kind::Media;
        self.passing.put(Item {
            title: Some(entry.title.clone()).filter(|title| is_titled && !title.is_empty()),
            body,
            generated: false,
            escaped: entry.escaped,
            language: None,
            origin: format!("{}: {}", self.source.terms.shown, entry.path),
            path,
        })
    }

    /// Returns what an entry holds; nothing for a redirect to what is none.
    fn body(&self, entry: &Entry) -> Result<Option<Body>, String> {
        let mime = entry.mime().to_owned();
        Ok(Some(match (&entry.body, entry.kind()) {
            (EntryBody::Redirect { target }, _) => {
                let target = match self.source.zim.entry_at(*target) {
                    Ok(Some(target)) => {
                        let target = self.end_of_long_chain(&target).unwrap_or(target);
                        self.source.terms.path(&target.path)
                    }
                    Ok(None) => return Ok(None),
                    Err(e) => return Err(format!("left out: where it leads to cannot be read: {e}")),
                };
                Body::Redirect { target, fragment: None }
            }
            (_, Kind::Article) => {
                let content = self.content(entry)?;
                self.signpost(entry, &content).unwrap_or(Body::Article { mime, content })
            }
            _ => Body::Media { mime, content: self.content(entry)? },
        }))
    }

    /// Returns the redirect that a page stands for, if it is one that our own writer makes of a redirect
    /// to a section of a page, and leads to what is there.
    fn signpost(&self, entry: &Entry, content: &Content) -> Option<Body> {
        let Content::Bytes(bytes) = content else { return None };
        let own = entry.escaped.then(|| unescape_bytes(&entry.path)).flatten();
        let own = own.unwrap_or_else(|| entry.path.as_bytes().to_vec());
        let Signpost { to, title, target, fragment } = signpost::read(&own, bytes)?;
        let is_ours = fragment.is_some() && title == entry.title && target == escape_bytes(&to) && to != own;
        let is_there = || matches!(self.source.zim.entry_by_path(&target), Ok(Some(_)));
        (is_ours && is_there()).then(|| Body::Redirect { target: self.source.terms.path(&target), fragment })
    }

    /// Returns the end of the chain in which a redirect leads to `first`, if it is longer than one in a
    /// `.tome` may be: then it has to be left out.
    fn end_of_long_chain(&self, first: &Entry) -> Option<Entry> {
        let zim = &self.source.zim;
        let mut next = first.clone();
        // The way to the first is one step.
        for _ in 1..MAX_REDIRECTS {
            let EntryBody::Redirect { target } = next.body else { return None };
            next = zim.entry_at(target).ok()??;
        }
        match next.body {
            EntryBody::Redirect { .. } => zim.resolve(first.clone()).ok()?,
            EntryBody::Blob { .. } => None,
        }
    }

    fn content(&self, entry: &Entry) -> Result<Content, String> {
        let zim = &self.source.zim;
        let failed = |e: Error| format!("cannot be read: {e}");
        let len = zim.content_len(entry).map_err(failed)?;
        if len <= MAX_ITEM_IN_MEMORY {
            return Ok(Content::Bytes(zim.content(entry).map_err(failed)?.into_vec()));
        }
        let (zim, entry) = (Arc::clone(zim), entry.clone());
        let open = move || -> io::Result<Box<dyn Read + Send>> {
            let reader = ContentReader::new(Arc::clone(&zim), &entry).map_err(io::Error::other)?;
            Ok(Box::new(reader))
        };
        Ok(Content::Large { len, open: Box::new(open) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MAX_METADATA;
    use crate::sources::testing::{Collected, Heard};
    use crate::zim::testing::{Build, blob, redirect, stored};

    /// Returns what a conversion gave, and its warnings.
    fn convert(build: &Build) -> (Result<About>, Collected, Vec<String>) {
        let (mut collected, heard) = (Collected::default(), Heard::default());
        let about = ZimSource::new(Arc::new(build.open()), Options::default()).run(&mut collected, &heard);
        let warnings = heard.lines().into_iter().filter(|line| line.starts_with("warning"));
        (about, collected, warnings.collect())
    }

    #[test]
    fn a_chain_of_redirects_longer_than_ours_may_be_is_shortened_and_no_other() {
        let mut build = Build::small();
        const N: u32 = 50;
        build.dirents = (0..N).map(|i| redirect(b'C', &format!("{i:02}"), "", i + 1)).collect();
        build.dirents.push(blob(b'C', "page", "", 2, 0, 0));
        (build.titles, build.main) = (None, 0);
        let (about, collected, _) = convert(&build);
        assert_eq!(about.unwrap().main.as_deref(), Some("page"));
        for i in 0..N {
            let Body::Redirect { target, .. } = &collected.get(&format!("{i:02}")).body else {
                panic!("{i}")
            };
            let next = if i + 1 == N { "page".to_owned() } else { format!("{:02}", i + 1) };
            let is_long = (N - i) as usize > MAX_REDIRECTS;
            assert_eq!(*target, if is_long { "page".to_owned() } else { next }, "{i}");
        }
    }

    #[test]
    fn a_main_page_that_leads_nowhere_or_is_lost_is_told() {
        let mut build = Build::small();
        build.dirents[5] = redirect(b'W', "mainPage", "", 5);
        let (about, _, warnings) = convert(&build);
        assert_eq!(about.unwrap().main, None);
        assert!(warnings.iter().any(|w| w.contains("main page leads nowhere")), "{:?}", warnings);
        let mut build = Build::small();
        build.dirents[2] = blob(b'C', "page", "A page", 2, 0, 9);
        let (about, _, warnings) = convert(&build);
        assert_eq!(about.unwrap().main, None);
        assert!(warnings.iter().any(|w| w.contains("main page page is lost")), "{:?}", warnings);
    }

    #[test]
    fn what_has_no_place_is_counted_by_namespace() {
        let (about, _, warnings) = convert(&Build::small());
        assert_eq!((about.unwrap().main.as_deref(), &warnings[..]), (Some("page"), &[][..]));
        let mut build = Build::small();
        for (namespace, path) in [(b'W', "x"), (b'X', "y"), (b'X', "z")] {
            build.dirents.push(blob(namespace, path, "", 3, 0, 2));
        }
        build.dirents.sort_by_key(|dirent| {
            (dirent[3], dirent[if dirent[..2] == [0xff; 2] { 12 } else { 16 }..].to_vec())
        });
        build.dirents[5] = redirect(b'W', "mainPage", "", 2);
        build.titles = None;
        let (_, _, warnings) = convert(&build);
        let [w, x] = &warnings[..] else { panic!("{:?}", warnings) };
        assert!(
            w.contains("1 entry of its namespace W") && x.contains("2 entries of its namespace X"),
            "{w} {x}"
        );
    }

    #[test]
    fn a_zim_of_which_nothing_can_be_read_fails() {
        let mut build = Build::small();
        build.clusters.iter_mut().for_each(|cluster| cluster[0] = 9);
        let (about, collected, _) = convert(&build);
        assert!(about.unwrap_err().to_string().contains("nothing in it can be read"));
        assert!(collected.items.iter().all(|item| item.body.kind() == Kind::Redirect));
    }

    fn heard(build: &Build) -> Vec<String> {
        let mut source = ZimSource::new(Arc::new(build.open()), Options::default());
        let (mut items, heard) = (Collected::default(), Heard::default());
        source.run(&mut items, &heard).unwrap();
        heard.lines()
    }

    #[test]
    fn a_redirect_to_metadata_is_left_out_with_a_warning() {
        let mut build = Build::small();
        assert_eq!(heard(&build), [""; 0]);
        build.dirents[1] = redirect(b'C', "other", "Page, the other name", 4);
        assert_eq!(heard(&build), ["warning other: left out: it leads to what is no entry of content"]);
    }

    #[test]
    fn metadata_beyond_what_an_archive_holds_are_left_out_with_a_warning() {
        let mut build = Build::small();
        let large = vec![b'x'; MAX_METADATA / 2];
        build.clusters.push(stored(&[&large]));
        // Two keys may share their bytes.
        build.dirents.splice(5..5, ["X-a", "X-b"].map(|key| blob(b'M', key, "", 3, 2, 0)));
        build.dirents[7] = redirect(b'W', "mainPage", "", 2);
        (build.titles, build.main) = (Some((0..9).collect()), 7);
        let heard = heard(&build);
        assert!(heard.len() == 1 && heard[0].starts_with("warning ZIM: its metadata X-b"), "{heard:?}");
    }
}
