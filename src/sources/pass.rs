//! What every source does with a file that it has found.

use std::collections::BTreeMap;

use super::derive::{self, Derived};
use super::stubs::{self, Names};
use super::{Described, MANIFEST_NAME, Manifest, Options};
use crate::error::{Error, Result};
use crate::item::{About, Body, Content, Item, Observer, Sink, keys};
use crate::limits::MAX_NAME_LEN;
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
    manifest: Option<Box<dyn Manifest>>,
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
            titles: BTreeMap::new(),
            common_title: None,
            main: None,
            stated_main: options.main.clone(),
            languages: BTreeMap::new(),
        }
    }

    /// Takes over what a manifest says.
    pub(crate) fn with_manifest(&mut self, manifest: Option<Box<dyn Manifest>>) {
        self.manifest = manifest;
    }

    /// Returns true if a manifest decides paths, so that the order of names is not that of paths.
    pub(crate) fn has_manifest(&self) -> bool {
        self.manifest.is_some()
    }

    /// Returns the items that a manifest adds, with paths as it says them.
    pub(crate) fn extra(&mut self) -> Vec<Item> {
        self.manifest.as_mut().map(|m| m.extra()).unwrap_or_default()
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
    pub(crate) fn path_of(&self, name: &str) -> String {
        self.manifest.as_ref().and_then(|m| m.path(name)).unwrap_or_else(|| name.to_owned())
    }

    /// Returns true if the entry of a file of this name is wanted.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.options.wants(&format!("{}{}", self.prefix, self.path_of(name)))
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

    /// Passes on a file with its content.
    pub(crate) fn file(&mut self, found: Found<'_>, content: Content, names: &dyn Names) -> Result<()> {
        self.check_cancelled()?;
        let path = format!("{}{}", self.prefix, self.path_of(found.name));
        if !self.is_path(&path, &found.origin) {
            return Ok(());
        }
        let described = match self.manifest.as_ref().map(|m| m.describe(found.name, &content)) {
            Some(Err(e)) => {
                self.error(&found.origin, &format!("cannot read: {e}"));
                return Ok(());
            }
            Some(Ok(described)) => described,
            None => None,
        };
        let start = match derive::start_of(&content) {
            Ok(start) => start,
            Err(e) => {
                self.error(&found.origin, &format!("cannot read: {e}"));
                return Ok(());
            }
        };
        let media_only = self.options.media_only.matches(&path);
        let Described { article, mime, title, language, generated, escaped } = match described {
            Some(described) => Described { article: described.article && !media_only, ..described },
            None => {
                let derived = derive::derive(&path, &start, media_only);
                if derived.article
                    && matches!(&content, Content::Bytes(_))
                    && let Some((target, fragment)) = self.signpost(&found, &start, names)
                {
                    drop(start);
                    return self.redirect(found, target, fragment);
                }
                self.describe(&path, found.name, derived)
            }
        };
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
        let escaped = escaped || found.escaped;
        self.sink.put(Item { path, title, body, generated, escaped, language, origin: found.origin })?;
        self.observer.advance(1, len);
        Ok(())
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
        let target = format!("{}{target}", self.prefix);
        self.put_extra(Item {
            path,
            title: None,
            body: Body::Redirect { target, fragment },
            generated: false,
            escaped: found.escaped,
            language: None,
            origin: found.origin,
        })
    }

    /// Passes on an item that a manifest adds.
    pub(crate) fn extra_item(&mut self, mut item: Item) -> Result<()> {
        self.check_cancelled()?;
        item.path.insert_str(0, self.prefix);
        if let Body::Redirect { target, .. } = &mut item.body {
            target.insert_str(0, self.prefix);
        }
        if !self.options.wants(&item.path) || !self.is_path(&item.path, &item.origin) {
            return Ok(());
        }
        self.put_extra(item)
    }

    fn put_extra(&mut self, item: Item) -> Result<()> {
        self.sink.put(item)?;
        self.observer.advance(1, 0);
        Ok(())
    }

    fn is_path(&self, path: &str, origin: &str) -> bool {
        if path.len() > MAX_NAME_LEN {
            let message = format!("a path of {} bytes is longer than {MAX_NAME_LEN}", path.len());
            self.error(origin, &message);
        }
        path.len() <= MAX_NAME_LEN
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
                let is_entry = path != MANIFEST_NAME && self.0.wants(path);
                if is_entry { self.1.peek(path) } else { stubs::Peek::Absent }
            }
        }
        let (target, fragment) = stubs::target(found.name, bytes, &Wanted(self, names))?;
        Some((self.path_of(&target), fragment))
    }

    /// Turns what was derived into what an entry says, with what the source knows of it.
    fn describe(&mut self, path: &str, name: &str, derived: Derived) -> Described {
        let Derived { mime, article, head } = derived;
        let is_main = self.stated_main.as_deref() == Some(path);
        let own = head.title.filter(|title| is_main || self.common_title.as_ref() != Some(title));
        let title = if article { own.or_else(|| self.titles.remove(name)) } else { None };
        Described { article, mime, title, language: head.language, generated: false, escaped: false }
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

    /// Ends the run with what the content says of itself: `own` (without the prefix), else a
    /// manifest's word, else what the pages say.
    pub(crate) fn finish(mut self, own: About) -> About {
        let mut about = own;
        if let Some(manifest) = &mut self.manifest {
            about = manifest.about();
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

fn set_if_absent(about: &mut About, key: &str, value: Option<String>) {
    if let (None, Some(value)) = (about.metadata.get(key), value) {
        about.metadata.set_text(key, value);
    }
}
