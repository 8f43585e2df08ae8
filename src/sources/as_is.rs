//! What sources have in common whose entries are another archive's, and taken as they are.

use super::pass::{as_media, long_target};
use super::{Options, normal_prefix};
use crate::error::{Error, Result};
use crate::item::{About, Item, Observer, Sink};
use crate::limits::MAX_NAME_LEN;

/// On which terms entries are taken.
pub(super) struct Terms {
    /// What messages call the archive.
    pub shown: String,
    /// Goes before all paths.
    pub prefix: String,
    pub options: Options,
}

impl Terms {
    /// Takes entries of what messages call so, under their own paths.
    pub fn new(shown: &str, options: Options) -> Self {
        Self { shown: shown.into(), prefix: String::new(), options }
    }

    /// Puts a prefix before all paths, with a `/` between; it has to be a plain path.
    pub fn with_prefix(self, prefix: &str) -> Result<Self> {
        Ok(Self { prefix: normal_prefix(prefix)?, ..self })
    }

    /// Returns the path that an entry gets.
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }
}

/// Entries on their way into a sink.
pub(super) struct Passing<'a> {
    pub terms: &'a Terms,
    pub sink: &'a mut dyn Sink,
    pub observer: &'a dyn Observer,
    /// The caller's main page, once it was seen.
    main: Option<String>,
}

impl<'a> Passing<'a> {
    pub fn new(terms: &'a Terms, sink: &'a mut dyn Sink, observer: &'a dyn Observer) -> Self {
        Self { terms, sink, observer, main: None }
    }

    /// Reports something about the archive as a whole.
    pub fn error(&self, message: &str) {
        self.observer.error(&self.terms.shown, message);
    }

    /// Reports something that is left out by a rule.
    pub fn warning(&self, message: &str) {
        self.observer.warning(&self.terms.shown, message);
    }

    /// Stops if that was asked for.
    pub fn check_cancelled(&self) -> Result<()> {
        if self.observer.is_cancelled() { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Returns the path that an entry gets, if it is wanted and can have it.
    pub fn admit(&self, path: &str) -> Option<String> {
        let path = self.terms.path(path);
        if !self.terms.options.wants(&path) {
            return None;
        }
        if path.len() > MAX_NAME_LEN {
            self.error(&format!("a path of {} bytes is longer than {MAX_NAME_LEN}", path.len()));
            return None;
        }
        Some(path)
    }

    /// Passes an item on.
    pub fn put(&mut self, mut item: Item) -> Result<()> {
        if let Some(message) = long_target(&item) {
            self.observer.error(&item.origin, &message);
            return Ok(());
        }
        let options = &self.terms.options;
        if options.media_only.matches(&item.path) {
            as_media(&mut item);
        }
        if options.main.as_ref() == Some(&item.path) {
            self.main = Some(item.path.clone());
        }
        let len = item.body.len();
        self.sink.put(item)?;
        self.observer.advance(1, len);
        Ok(())
    }

    /// Ends with what the archive says of itself; the caller's word goes before it.
    pub fn finish(self, about: About) -> About {
        let main = if self.terms.options.main.is_some() { self.main } else { about.main };
        About { main, ..about }
    }
}
