//! What a person means by a title or a path.

use std::collections::HashSet;

use super::Archive;
use super::entries::{Entry, Resolved};
use crate::error::Result;
use crate::fold::title_key;

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

impl Archive {
    /// Finds what a person typed: an exact title, else an exact path, else whatever has the same
    /// title key.
    ///
    /// # Errors
    ///
    /// Fails if a page on the way is damaged.
    pub fn find(&self, text: &str) -> Result<Found> {
        let titles = self.entries_by_title_key(text);
        if let Err(error) = &titles
            && error.is_damage()
            && let Ok(Some(entry)) = self.entry_by_path(text)
        {
            // A damaged title table costs titles, not paths.
            return self.distinct(vec![entry]);
        }
        let same_key = titles?;
        let exact: Vec<Entry> = same_key.iter().filter(|e| e.title == text).cloned().collect();
        if !exact.is_empty() {
            return self.distinct(exact);
        }
        if let Some(entry) = self.entry_by_path(text)? {
            return self.distinct(vec![entry]);
        }
        if !same_key.is_empty() {
            return self.distinct(same_key);
        }
        Ok(Found::Nothing(self.near_titles(text)?))
    }

    /// Finds an exact path.
    ///
    /// # Errors
    ///
    /// Fails if a page on the way is damaged.
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
    /// Fails if a page on the way is damaged.
    pub fn find_title(&self, title: &str) -> Result<Found> {
        let same_key = self.entries_by_title_key(title)?;
        let exact: Vec<Entry> = same_key.iter().filter(|e| e.title == title).cloned().collect();
        match (exact.is_empty(), same_key.is_empty()) {
            (false, _) => self.distinct(exact),
            (true, false) => self.distinct(same_key),
            (true, true) => Ok(Found::Nothing(self.near_titles(title)?)),
        }
    }

    /// An article and the redirects to it count as one; the article's own entry is preferred.
    fn distinct(&self, entries: Vec<Entry>) -> Result<Found> {
        let mut seen = HashSet::new();
        let mut out: Vec<Resolved> = vec![];
        let mut dangling = None;
        let (own, redirects): (Vec<Entry>, Vec<Entry>) =
            entries.into_iter().partition(|e| !matches!(e.body, super::EntryBody::Redirect { .. }));
        for entry in own.into_iter().chain(redirects) {
            match self.resolve(entry.clone())? {
                Some(resolved) if seen.insert(resolved.entry.id) => out.push(resolved),
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
        let chars: Vec<char> = key.chars().take(64).collect();
        let mut near: Vec<(usize, Entry)> = vec![];
        // A shorter beginning where a longer one gives nothing.
        let mut len = chars.len();
        while len > 0 && near.is_empty() {
            len = if len > 4 { len / 2 } else { len - 1 };
            let prefix: String = chars[..len].iter().collect();
            for row in self.titles_from(&prefix)?.take(NEAR_ROWS) {
                // Only a hint: damage ends it early.
                let Ok((other, entry)) = row else { break };
                if !other.starts_with(&prefix) {
                    break;
                }
                let other: Vec<char> = other.chars().take(64).collect();
                near.push((distance(&chars, &other), entry));
            }
        }
        near.sort_by_key(|n| n.0);
        let mut out: Vec<Entry> = vec![];
        for (_, entry) in near {
            if !out.iter().any(|e| e.title == entry.title) {
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
