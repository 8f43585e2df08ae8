//! What a person means by a title or a path.

use std::collections::HashSet;

use super::{Book, Entry, Inner, Resolved};
use crate::error::Result;
use crate::fold::title_key;
use crate::item::Kind;

/// What a look-up found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// One article or media, perhaps through redirects.
    One(Resolved),
    /// Several that are equally meant, in order of title and path.
    Several(Vec<Resolved>),
    /// Nothing; the titles that come nearest.
    Nothing(Vec<Entry>),
}

/// Rows that are looked at for the nearest titles.
const NEAR_ROWS: usize = 256;

/// The most titles offered.
const NEAR: usize = 5;

/// Letters of a title that are compared.
const NEAR_LETTERS: usize = 64;

impl Book {
    /// Finds what a person typed: an exact title, else an exact path, else a path but for its namespace
    /// (in a ZIM), else whatever has the same title key.
    ///
    /// The last step is the only one that costs more in a large ZIM: the keys of all its titles are made
    /// when it is first taken, which is about a second for a few millions.
    ///
    /// # Errors
    ///
    /// Fails if what it has to read is damaged.
    pub fn find(&self, text: &str) -> Result<Found> {
        let exact = self.entries_by_title(text);
        if let Err(error) = &exact
            && error.is_damage()
            && let Ok(Some(entry)) = self.entry_by_path(text)
        {
            // A damaged title table costs titles, not paths.
            return self.distinct(vec![entry]);
        }
        let exact = exact?;
        if !exact.is_empty() {
            return self.distinct(exact);
        }
        if let Some(entry) = self.entry_by_path(text)? {
            return self.distinct(vec![entry]);
        }
        if let Inner::Zim(zim) = &self.0
            && let Some(entry) = zim.archive.entry_by_old_path(text)?
        {
            return self.distinct(vec![entry.into()]);
        }
        self.find_like(text)
    }

    /// Finds an exact path.
    ///
    /// # Errors
    ///
    /// Fails if the way to it is damaged.
    pub fn find_path(&self, path: &str) -> Result<Found> {
        match self.entry_by_path(path)? {
            Some(entry) => self.distinct(vec![entry]),
            None => Ok(Found::Nothing(vec![])),
        }
    }

    /// Finds a title: exact, else by its key.
    ///
    /// # Errors
    ///
    /// Fails if what it has to read is damaged.
    pub fn find_title(&self, title: &str) -> Result<Found> {
        let exact = self.entries_by_title(title)?;
        if exact.is_empty() { self.find_like(title) } else { self.distinct(exact) }
    }

    fn find_like(&self, title: &str) -> Result<Found> {
        let like = self.entries_by_title_key(title)?;
        if like.is_empty() { Ok(Found::Nothing(self.near_titles(title)?)) } else { self.distinct(like) }
    }

    /// Returns the entries with exactly this title, in order of path; of a ZIM those that have a title of
    /// their own, or are no media.
    ///
    /// # Errors
    ///
    /// Fails if the titles on the way are damaged.
    pub fn entries_by_title(&self, title: &str) -> Result<Vec<Entry>> {
        Ok(match &self.0 {
            Inner::Tome(archive) => archive.entries_by_title(title)?.into_iter().map(Entry::from).collect(),
            Inner::Zim(zim) => {
                let entries = zim.archive.entries_by_title(title)?.into_iter().map(Entry::from);
                entries.filter(Entry::is_titled).collect()
            }
        })
    }

    /// Returns the entries whose title key is that of `title`, in order of title and path.
    ///
    /// # Errors
    ///
    /// Fails if the titles on the way are damaged.
    pub fn entries_by_title_key(&self, title: &str) -> Result<Vec<Entry>> {
        Ok(match &self.0 {
            Inner::Tome(archive) => {
                archive.entries_by_title_key(title)?.into_iter().map(Entry::from).collect()
            }
            Inner::Zim(zim) => zim.entries_by_title_key(title)?,
        })
    }

    /// Returns entries of the title table from the first whose key begins so: pairs of key and entry. Only
    /// for hints: damage ends it early.
    fn titles_with_start<'a>(
        &'a self,
        start: &'a str,
    ) -> Result<Box<dyn Iterator<Item = (String, Entry)> + 'a>> {
        Ok(match &self.0 {
            Inner::Tome(archive) => {
                let rows = archive.titles_from(start)?.map_while(Result::ok);
                let rows = rows.take_while(move |(key, _)| key.starts_with(start));
                Box::new(rows.map(|(key, entry)| (key, entry.into())))
            }
            Inner::Zim(zim) => zim.titles().with_start(&zim.archive, start),
        })
    }

    /// An article and the redirects to it count as one; the article's own entry is preferred.
    fn distinct(&self, entries: Vec<Entry>) -> Result<Found> {
        let mut seen = HashSet::new();
        let mut out: Vec<Resolved> = vec![];
        let mut dangling = None;
        let (own, redirects): (Vec<Entry>, Vec<Entry>) =
            entries.into_iter().partition(|e| e.kind() != Kind::Redirect);
        for entry in own.into_iter().chain(redirects) {
            match self.resolve(entry.clone())? {
                Some(resolved) if seen.insert(resolved.entry.id()) => out.push(resolved),
                Some(_) => {}
                // A redirect that leads nowhere hides nothing that leads somewhere.
                None => dangling = dangling.or(Some(entry)),
            }
        }
        Ok(match out.len() {
            0 => Found::Nothing(dangling.into_iter().collect()),
            1 => Found::One(out.remove(0)),
            _ => Found::Several(out),
        })
    }

    /// Returns titles that begin like `text`, those that differ least first.
    fn near_titles(&self, text: &str) -> Result<Vec<Entry>> {
        let key = title_key(text);
        let chars: Vec<char> = key.chars().take(NEAR_LETTERS).collect();
        let mut near: Vec<(usize, Entry)> = vec![];
        // A shorter beginning where a longer one gives nothing.
        let mut len = chars.len();
        while len > 0 && near.is_empty() {
            len = if len > 4 { len / 2 } else { len - 1 };
            let start: String = chars[..len].iter().collect();
            for (other, entry) in self.titles_with_start(&start)?.take(NEAR_ROWS) {
                let other: Vec<char> = other.chars().take(NEAR_LETTERS).collect();
                near.push((distance(&chars, &other), entry));
            }
        }
        near.sort_by_key(|n| n.0);
        let mut out: Vec<Entry> = vec![];
        for (_, entry) in near {
            if !out.iter().any(|e| e.title() == entry.title()) {
                out.push(entry);
            }
        }
        out.truncate(NEAR);
        Ok(out)
    }
}

/// Returns how many letters must be put in, left out or exchanged to make one of the other.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let cost = (diagonal + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], cost);
        }
    }
    row[b.len()]
}
