//! What every source does with a file that it has found.

use std::collections::BTreeMap;

use super::Options;
use super::derive::{self, Derived};
use super::manifest::{Entry, Manifest};
use super::stubs::{self, Names};
use crate::error::{Error, Result};
use crate::item::{About, Body, Content, Item, Observer, Sink, keys, unescape_bytes};
use crate::limits::MAX_NAME_LEN;
use crate::manifest::{self, raw_path};
use crate::text::head::{Depth, Head};

/// Different languages counted; a source with more than this does not say what it is written in.
const MAX_LANGUAGES: usize = 1000;

/// A file of a source, not yet looked into.
pub(crate) struct Found<'a> {
    /// Its name in the source: `/`-separated UTF-8.
    pub name: &'a str,
    /// True if the name stands for bytes that were not UTF-8.
    pub escaped: bool,
    /// Where it is, for messages.
    pub origin: String,
}

/// One run of a source.
pub(crate) struct Pass<'a> {
    prefix: &'a str,
    options: &'a Options,
    sink: &'a mut dyn Sink,
    observer: &'a dyn Observer,
    manifest: Option<Manifest>,
    /// The number of the next entry that is [elsewhere](Manifest::elsewhere), and the entry once it
    /// was looked at.
    elsewhere: (usize, Option<Entry>),
    /// Titles that the source knows for pages without one of their own.
    titles: BTreeMap<String, String>,
    /// The title that the source as a whole has: no title for a page of it.
    common_title: Option<String>,
    main: Option<Main>,
    /// The path of the main page, with the prefix, if the caller or the source states one.
    stated_main: Option<String>,
    languages: BTreeMap<String, u64>,
}

/// The page that is likeliest to be the main one so far.
struct Main {
    path: String,
    head: Head,
}

impl<'a> Pass<'a> {
    /// Starts a run.
    pub(crate) fn new(
        prefix: &'a str,
        options: &'a Options,
        sink: &'a mut dyn Sink,
        observer: &'a dyn Observer,
    ) -> Self {
        Self {
            prefix,
            options,
            sink,
            observer,
            manifest: None,
            elsewhere: (0, None),
            titles: BTreeMap::new(),
            common_title: None,
            main: None,
            stated_main: options.main.clone(),
            languages: BTreeMap::new(),
        }
    }

    /// Takes over what a manifest says.
    pub(crate) fn with_manifest(&mut self, manifest: Option<Manifest>) {
        self.manifest = manifest;
    }

    /// Returns true if the caller names the manifest among what is to be left out: then it is
    /// somebody's own file, and says nothing.
    pub(crate) fn ignores_manifest(&self) -> bool {
        self.options.exclude.names(&format!("{}{}", self.prefix, manifest::NAME))
    }

    /// Returns true if the source was extracted from an archive.
    pub(crate) fn has_manifest(&self) -> bool {
        self.manifest.is_some()
    }

    /// Returns what the manifest says of a file that the source has found.
    pub(crate) fn remembered(&self, name: &str, escaped: bool) -> Result<Option<Entry>> {
        match &self.manifest {
            Some(manifest) => manifest.for_file(&raw_path(name, escaped)),
            None => Ok(None),
        }
    }

    /// Returns the next of the manifest's entries that the source does not come by at their paths,
    /// if it stands before a path; all that are left without one. So entries pass in order of paths.
    pub(crate) fn next_elsewhere(&mut self, before: Option<&str>) -> Result<Option<Entry>> {
        let Some(manifest) = &self.manifest else { return Ok(None) };
        let (next, entry) = &mut self.elsewhere;
        while entry.is_none() {
            let Some(found) = manifest.elsewhere(*next)? else { return Ok(None) };
            *next += 1;
            let path = format!("{}{}", self.prefix, found.path);
            *entry = Some(found).filter(|_| self.options.wants(&path));
        }
        let is_next = before.is_none_or(|before| entry.as_ref().is_some_and(|e| e.path.as_str() < before));
        Ok(if is_next { entry.take() } else { None })
    }

    /// Reports the manifest's entries whose files the source did not come by.
    pub(crate) fn report_missing(&self) -> Result<()> {
        for entry in self.manifest.iter().flat_map(Manifest::missing) {
            let path = format!("{}{}", self.prefix, entry?.path);
            if self.options.wants(&path) {
                self.observer.warning(&path, "left out: its file is gone");
            }
        }
        Ok(())
    }

    /// Sets what the source knows of its pages: titles by name, and its own title.
    pub(crate) fn with_titles(&mut self, titles: BTreeMap<String, String>, common: Option<String>) {
        self.titles = titles;
        self.common_title = common;
    }

    /// Sets the main page, by name, unless the caller has already.
    pub(crate) fn with_main(&mut self, name: Option<String>) {
        let path = name.map(|name| format!("{}{}", self.prefix, self.path_of(&name)));
        self.stated_main = self.stated_main.take().or(path);
    }

    /// Returns the path of the entry that a file of this name holds, without the prefix.
    ///
    /// A manifest that cannot be read any more says so when the file itself comes.
    pub(crate) fn path_of(&self, name: &str) -> String {
        let Some(manifest) = &self.manifest else { return name.to_owned() };
        let entry = manifest.peek(name.as_bytes()).ok().flatten();
        // The name may stand for bytes that are not UTF-8.
        let escaped = || manifest.peek(&unescape_bytes(name)?).ok().flatten();
        entry.or_else(escaped).map_or_else(|| name.to_owned(), |entry| entry.path)
    }

    /// Returns true if the entry of a file of this name is wanted.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.wants_path(&self.path_of(name))
    }

    /// Returns true if the entry of a path without the prefix is wanted.
    pub(crate) fn wants_path(&self, path: &str) -> bool {
        self.options.wants(&format!("{}{path}", self.prefix))
    }

    /// Stops the run if that was asked for.
    pub(crate) fn check_cancelled(&self) -> Result<()> {
        if self.observer.is_cancelled() { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Reports what could not be read; the run goes on.
    pub(crate) fn error(&self, origin: &str, message: &str) {
        self.observer.error(origin, message);
    }

    /// Reports what a rule left out.
    pub(crate) fn warning(&self, origin: &str, message: &str) {
        self.observer.warning(origin, message);
    }

    /// Passes on a file with its content, and what a manifest says of it: as that says, if the file is
    /// still what it was; else as what it is now.
    pub(crate) fn file(
        &mut self,
        found: Found<'_>,
        remembered: Option<Entry>,
        content: Content,
        names: &dyn Names,
    ) -> Result<()> {
        self.check_cancelled()?;
        let Some(entry) = remembered else {
            let path = found.name.to_owned();
            return self.derive(path, found, content, names);
        };
        match entry.matches_content(&content) {
            Ok(true) => self.entry(entry, content, found.origin),
            Ok(false) => {
                let found = Found { escaped: entry.escaped, ..found };
                self.derive(entry.path, found, content, names)
            }
            Err(e) => {
                self.error(&found.origin, &format!("cannot read: {e}"));
                Ok(())
            }
        }
    }

    /// Passes on what a manifest says, with the content of its file; a redirect needs none.
    pub(crate) fn entry(&mut self, entry: Entry, content: Content, origin: String) -> Result<()> {
        let len = if entry.target.is_some() { 0 } else { content.len() };
        let mut item = entry.into_item(content, origin);
        item.path.insert_str(0, self.prefix);
        if let Body::Redirect { target, .. } = &mut item.body {
            target.insert_str(0, self.prefix);
        }
        if !self.is_path(&item.path, &item.origin) || !self.has_target(&item) {
            return Ok(());
        }
        if self.options.media_only.matches(&item.path) {
            as_media(&mut item);
        }
        if matches!(item.body, Body::Article { .. }) && self.stated_main.as_ref() == Some(&item.path) {
            self.main = Some(Main { path: item.path.clone(), head: Head::default() });
        }
        self.put(item, len)
    }

    /// Passes on a file as what its path and content make of it; `path` is without the prefix.
    fn derive(&mut self, path: String, found: Found<'_>, content: Content, names: &dyn Names) -> Result<()> {
        let path = format!("{}{path}", self.prefix);
        if !self.is_path(&path, &found.origin) {
            return Ok(());
        }
        let start = match derive::start_of(&content) {
            Ok(start) => start,
            Err(e) => {
                self.error(&found.origin, &format!("cannot read: {e}"));
                return Ok(());
            }
        };
        let media_only = self.options.media_only.matches(&path);
        let derived = derive::derive(&path, &start, media_only);
        if derived.article
            && matches!(&content, Content::Bytes(_))
            && derive::is_page(&derived.mime)
            && let Some((target, fragment)) = self.signpost(&found, &start, names)
        {
            drop(start);
            return self.redirect_at(path, found, target, fragment);
        }
        let Derived { mime, article, head } = derived;
        let language = head.language;
        let title = self.title(&path, found.name, article, head.title);
        if article {
            let index = path.rsplit('/').next() == Some("index.html");
            let stated = self.stated_main.as_ref() == Some(&path);
            if stated || (index && self.is_nearer_the_root(&path)) {
                let head = derive::head_of(&mime, &start, Depth::Whole);
                self.main = Some(Main { path: path.clone(), head });
            }
            if let Some(language) = &language
                && (self.languages.len() < MAX_LANGUAGES || self.languages.contains_key(language))
            {
                *self.languages.entry(language.clone()).or_default() += 1;
            }
        }
        drop(start);
        let len = content.len();
        let body = if article { Body::Article { mime, content } } else { Body::Media { mime, content } };
        let (escaped, generated) = (found.escaped, false);
        self.put(Item { path, title, body, generated, escaped, language, origin: found.origin }, len)
    }

    /// Passes on another name of an entry; `target` is without the prefix.
    pub(crate) fn redirect(
        &mut self,
        found: Found<'_>,
        target: String,
        fragment: Option<String>,
    ) -> Result<()> {
        self.check_cancelled()?;
        let path = format!("{}{}", self.prefix, self.path_of(found.name));
        if !self.is_path(&path, &found.origin) {
            return Ok(());
        }
        self.redirect_at(path, found, target, fragment)
    }

    fn redirect_at(
        &mut self,
        path: String,
        found: Found<'_>,
        target: String,
        fragment: Option<String>,
    ) -> Result<()> {
        let body = Body::Redirect { target: format!("{}{target}", self.prefix), fragment };
        let (escaped, generated) = (found.escaped, false);
        let origin = found.origin;
        let item = Item { path, title: None, body, generated, escaped, language: None, origin };
        if self.has_target(&item) { self.put(item, 0) } else { Ok(()) }
    }

    fn put(&mut self, item: Item, len: u64) -> Result<()> {
        self.sink.put(item)?;
        self.observer.advance(1, len);
        Ok(())
    }

    fn is_path(&self, path: &str, origin: &str) -> bool {
        if path.len() > MAX_NAME_LEN {
            let message = format!("a path of {} bytes is longer than {MAX_NAME_LEN}", path.len());
            self.error(origin, &message);
        }
        path.len() <= MAX_NAME_LEN
    }

    /// Returns false, and says so, if an item is a redirect to a path that is too long, which the
    /// prefix may have made it.
    fn has_target(&self, item: &Item) -> bool {
        let too_long = long_target(item);
        if let Some(message) = &too_long {
            self.error(&item.origin, message);
        }
        too_long.is_none()
    }

    /// Returns where a page only points to, if that is a page that will be packed.
    fn signpost(
        &self,
        found: &Found<'_>,
        bytes: &[u8],
        names: &dyn Names,
    ) -> Option<(String, Option<String>)> {
        struct Wanted<'p, 'a>(&'p Pass<'a>, &'p dyn Names);
        impl Names for Wanted<'_, '_> {
            fn peek(&self, path: &str) -> stubs::Peek {
                let is_entry = path != manifest::NAME && self.0.wants(path);
                if is_entry { self.1.peek(path) } else { stubs::Peek::Absent }
            }
        }
        let (target, fragment) = stubs::target(found.name, bytes, &Wanted(self, names))?;
        Some((self.path_of(&target), fragment))
    }

    /// Returns the title of an article: its own, unless it is that of the whole; else what the source
    /// calls it.
    fn title(&mut self, path: &str, name: &str, article: bool, own: Option<String>) -> Option<String> {
        if !article {
            return None;
        }
        let is_main = self.stated_main.as_deref() == Some(path);
        let own = own.filter(|title| is_main || self.common_title.as_ref() != Some(title));
        own.or_else(|| self.titles.remove(name))
    }

    /// Returns true if an `index.html` is a likelier main page than the one so far: fewer folders
    /// above it, then first in byte order.
    fn is_nearer_the_root(&self, path: &str) -> bool {
        if self.stated_main.is_some() {
            return false;
        }
        let rank = |path: &'_ str| (path.bytes().filter(|b| *b == b'/').count(), path.to_owned());
        self.main.as_ref().is_none_or(|main| rank(path) < rank(&main.path))
    }

    /// Ends the run with what the content says of itself: what a manifest says, and no more, or
    /// packing again would not give the same archive; else `own` (without the prefix), filled up with
    /// what the pages say.
    pub(crate) fn finish(mut self, own: About) -> About {
        let mut about = own;
        if let Some(manifest) = &self.manifest {
            about = manifest.about().clone();
        }
        if !self.prefix.is_empty() {
            for path in about.main.iter_mut().chain(&mut about.reading_order) {
                path.insert_str(0, self.prefix);
            }
        }
        if self.options.main.is_some() {
            // The caller's word goes before the source's, where the source has that page.
            about.main = None;
        }
        if self.manifest.is_some() {
            about.main =
                about.main.or(self.main.map(|main| main.path).filter(|_| self.options.main.is_some()));
            return about;
        }
        if let Some(Main { path, head }) = self.main {
            about.main.get_or_insert(path);
            set_if_absent(&mut about, keys::TITLE, head.title);
            set_if_absent(&mut about, keys::DESCRIPTION, head.description);
            // Where two languages are equally common, the main page's decides.
            if let Some(count) = head.language.and_then(|l| self.languages.get_mut(&l)) {
                *count += 1;
            }
        }
        let mut most: Option<(String, u64)> = None;
        for (language, count) in self.languages {
            if most.as_ref().is_none_or(|(_, best)| count > *best) {
                most = Some((language, count));
            }
        }
        set_if_absent(&mut about, keys::LANGUAGE, most.map(|(language, _)| language));
        about
    }
}

/// Returns what is wrong with a redirect whose target is too long.
pub(super) fn long_target(item: &Item) -> Option<String> {
    match &item.body {
        Body::Redirect { target, .. } if target.len() > MAX_NAME_LEN => {
            Some(format!("a redirect to a path of {} bytes, longer than {MAX_NAME_LEN}", target.len()))
        }
        _ => None,
    }
}

/// Makes an article one of the media, which have no titles.
pub(super) fn as_media(item: &mut Item) {
    match std::mem::replace(&mut item.body, Body::Redirect { target: String::new(), fragment: None }) {
        Body::Article { mime, content } => {
            item.title = None;
            item.body = Body::Media { mime, content };
        }
        other => item.body = other,
    }
}

fn set_if_absent(about: &mut About, key: &str, value: Option<String>) {
    if let (None, Some(value)) = (about.metadata.get(key), value) {
        about.metadata.set_text(key, value);
    }
}
