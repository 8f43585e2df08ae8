//! The articles of an archive, as queries are made from them and hits are judged by them.

use std::collections::HashMap;

use tome::format::ids::EntryId;
use tome::item::Kind;
use tome::reader::{Archive, Entry};
use tome::text;

use crate::Result;

/// An article.
pub struct Article {
    pub id: EntryId,
    /// Its title, less what most titles of the archive end with.
    pub title: String,
}

/// All articles of an archive.
pub struct Catalogue<'a> {
    archive: &'a Archive,
    pub articles: Vec<Article>,
    /// What most titles end with (" - Rust"): nobody types it.
    pub ending: String,
    by_path: HashMap<String, usize>,
    /// The plain titles in order.
    plain: Vec<String>,
}

/// What can stand before an ending that titles share.
const SEPARATORS: [&str; 4] = [" - ", " \u{2013} ", " \u{2014} ", " | "];

impl<'a> Catalogue<'a> {
    /// Lists an archive.
    pub fn of(archive: &'a Archive) -> Result<Self> {
        let (mut articles, mut by_path) = (vec![], HashMap::new());
        for entry in archive.entries() {
            let entry = entry?;
            if entry.kind() == Kind::Article && entry.is_titled {
                by_path.insert(entry.path, articles.len());
                articles.push(Article { id: entry.id, title: entry.title });
            }
        }
        let ending = shared_ending(&articles);
        for article in &mut articles {
            article.title = without(&article.title, &ending).to_owned();
        }
        let mut plain: Vec<String> = articles.iter().map(|a| crate::typing::plain(&a.title)).collect();
        plain.sort_unstable();
        Ok(Self { archive, articles, ending, by_path, plain })
    }

    /// Returns the title that a hit has here; what the engine says it is where the path is none of ours.
    pub fn title<'t>(&'t self, path: &str, said: &'t str) -> &'t str {
        match self.by_path.get(path) {
            Some(&number) => &self.articles[number].title,
            None => without(said, &self.ending),
        }
    }

    /// Returns how many titles begin like this, in whatever case and with whatever marks.
    pub fn beginning_with(&self, start: &str) -> usize {
        let start = crate::typing::plain(start);
        let from = self.plain.partition_point(|title| title.as_str() < start.as_str());
        self.plain[from..].iter().take_while(|title| title.starts_with(&start)).count()
    }

    /// Returns true if this is a title, in whatever case and with whatever marks.
    pub fn has_title(&self, title: &str) -> bool {
        self.plain.binary_search(&crate::typing::plain(title)).is_ok()
    }

    /// Returns what a reader sees of an article.
    pub fn text(&self, id: EntryId) -> Result<String> {
        match self.archive.entry_by_id(id)? {
            Some(entry) => self.text_of(&entry, text::Options::default()),
            None => Ok(String::new()),
        }
    }

    /// Returns all text that a page shows, menus included; nothing if the path is none of ours.
    pub fn whole_text(&self, path: &str) -> Result<String> {
        match self.archive.entry_by_path(path)? {
            Some(entry) => self.text_of(&entry, text::Options { chrome: true, hidden: false }),
            None => Ok(String::new()),
        }
    }

    fn text_of(&self, entry: &Entry, options: text::Options) -> Result<String> {
        let content = self.archive.content(entry)?;
        let page = text::charset::decode(&content, None);
        Ok(match entry.mime() {
            "text/plain" => page.into_owned(),
            "text/markdown" => text::page(&text::to_html(text::split_front_matter(&page).1), options).text,
            _ => text::page(&page, options).text,
        })
    }
}

/// Returns a title less an ending, unless it is nothing else.
fn without<'t>(title: &'t str, ending: &str) -> &'t str {
    title.strip_suffix(ending).filter(|rest| !rest.is_empty()).unwrap_or(title)
}

/// Returns what at least half of all titles end with, from the last separator on.
fn shared_ending(articles: &[Article]) -> String {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for article in articles {
        if let Some(at) = SEPARATORS.iter().filter_map(|separator| article.title.rfind(separator)).max() {
            *counts.entry(&article.title[at..]).or_default() += 1;
        }
    }
    let most = counts.into_iter().max_by_key(|&(ending, count)| (count, ending));
    most.filter(|&(_, count)| count * 2 >= articles.len())
        .map_or_else(String::new, |(ending, _)| ending.into())
}
