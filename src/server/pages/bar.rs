//! The bar above every page, and what the page's head gets for it.

use askama::Template;

use super::reader::{Frame, Line};
use crate::server::assets::{Assets, BAR_CSS, READER_CSS};
use crate::server::url;
use crate::server::words::{Words, fill};
use crate::text::Points;

/// Returns what is put into the head of a page of an archive.
pub fn head(found: &Points, frame: &Frame<'_>) -> String {
    let mut out = own_head(frame.assets);
    if !found.has_viewport {
        out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    }
    if !found.is_styled {
        out.push_str("<link rel=\"stylesheet\" href=\"");
        out.push_str(&frame.assets.address("content.css"));
        out.push_str("\">");
    }
    out
}

/// Returns what is put into the head of a page of ours.
pub fn own_head(assets: &Assets) -> String {
    format!("<style>{}</style>{}", *READER_CSS, assets.loader())
}

/// Returns the bar of a page of an archive.
pub fn bar(frame: &Frame<'_>, lines: &[Line]) -> String {
    let archive = Shown::new(frame.archive, frame.archive_title, frame.words);
    let path = format!("/a/{}/{}", archive.address, url::path(frame.path));
    let address = format!("{}{path}", frame.root);
    // Whatever is kept on an origin of its own is the archive's scripts' to read and to change.
    let add = match frame.scripts {
        true => format!("add={}&title={}", url::value(&path), url::value(frame.title)),
        false => String::new(),
    };
    write(frame.words, frame.assets.bar(), frame.root, Some(archive), Some((&address, &add)), lines, true)
}

/// Returns the bar of a page of ours: of an archive given by name and title, or of all.
pub fn own_bar(
    words: &Words,
    assets: &Assets,
    root: &str,
    archive: Option<(&str, &str)>,
    search: bool,
) -> String {
    let archive = archive.map(|(name, title)| Shown::new(name, title, words));
    write(words, assets.bar(), root, archive, None, &[], search)
}

/// An archive as the bar shows it.
struct Shown<'a> {
    name: &'a str,
    title: &'a str,
    /// Its name in a path.
    address: String,
    /// Its name in a query.
    query: String,
    main_page: String,
}

impl<'a> Shown<'a> {
    fn new(name: &'a str, title: &'a str, words: &Words) -> Self {
        Self {
            name,
            title,
            address: url::path(name).to_string(),
            query: url::value(name).to_string(),
            main_page: fill(words.main_page, &[title]),
        }
    }
}

/// A line of the contents with its depth below the page's title.
struct Indented<'a> {
    depth: u8,
    id: &'a str,
    html: &'a str,
}

/// A choice that the reader has.
struct Group<'a> {
    name: &'static str,
    title: &'a str,
    /// True if it is about pages of archives only.
    reading: bool,
    choices: Vec<(&'static str, &'a str)>,
}

#[derive(Template)]
#[template(path = "bar.html", config = "src/server/askama.toml")]
struct Bar<'a> {
    w: &'a Words,
    id: &'a str,
    css: &'static str,
    root: &'a str,
    archive: Option<Shown<'a>>,
    address: &'a str,
    /// What the page of bookmarks is asked to add, where none can be kept; else empty.
    add: &'a str,
    /// True on a page of an archive.
    reading: bool,
    lines: Vec<Indented<'a>>,
    groups: [Group<'a>; 3],
    placeholder: String,
    search: bool,
}

fn write<'a>(
    w: &'a Words,
    id: &'a str,
    root: &'a str,
    archive: Option<Shown<'a>>,
    reading: Option<(&'a str, &'a str)>,
    lines: &'a [Line],
    search: bool,
) -> String {
    // The page's title is its first heading, mostly, and all others lie below it.
    let top = lines.iter().map(|line| line.level).min().unwrap_or(1);
    let lines = lines.iter().map(|line| Indented {
        depth: (line.level.saturating_sub(top) + 1).min(4),
        id: &line.id,
        html: &line.html,
    });
    let placeholder = match &archive {
        Some(archive) => fill(w.search_in, &[archive.title]),
        None => w.search_all.to_owned(),
    };
    let bar = Bar {
        w,
        id,
        css: &BAR_CSS,
        root,
        archive,
        address: reading.map_or("", |(address, _)| address),
        add: reading.map_or("", |(_, add)| add),
        reading: reading.is_some(),
        lines: lines.collect(),
        groups: [
            Group {
                name: "theme",
                title: w.theme,
                reading: false,
                choices: vec![
                    ("auto", w.theme_auto),
                    ("light", w.theme_light),
                    ("dark", w.theme_dark),
                    ("sepia", w.theme_sepia),
                ],
            },
            Group {
                name: "size",
                title: w.size,
                reading: false,
                choices: vec![("85", "85"), ("100", "100"), ("115", "115"), ("130", "130"), ("150", "150")],
            },
            Group {
                name: "width",
                title: w.width,
                reading: true,
                choices: vec![
                    ("page", w.width_page),
                    ("narrow", w.width_narrow),
                    ("medium", w.width_medium),
                    ("full", w.width_full),
                ],
            },
        ],
        placeholder,
        search,
    };
    // Writing to a string does not fail.
    bar.render().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::words::ENGLISH;

    #[test]
    fn what_comes_from_an_archive_is_escaped() {
        let evil = "\"><script>alert(1)</script>'&";
        let lines = [Line { level: 2, id: "a&quot;b".into(), html: "c &lt;b&gt;".into() }];
        let archive = Shown::new(evil, evil, &ENGLISH);
        let html = write(&ENGLISH, "tome-bar-1", "/w", Some(archive), Some(("/w/a/x/y", "")), &lines, true);
        assert!(!html.contains("<script") && !html.contains(evil), "{html}");
        assert!(html.contains("data-archive=\"&#34;&#62;&#60;script"), "{html}");
        assert!(html.contains("href=\"/w/a/x/y#a&quot;b\">c &lt;b&gt;</a>"), "{html}");
    }

    #[test]
    fn the_bar_works_without_script() {
        let archive = Shown::new("docs", "The docs", &ENGLISH);
        let html = write(&ENGLISH, "tome-bar-1", "/w", Some(archive), Some(("/w/a/docs/x", "")), &[], true);
        assert!(html.contains("action=\"/w/search\" method=\"get\""));
        assert!(html.contains("name=\"archive\" value=\"docs\""));
        assert!(html.contains("href=\"/w/random?content=docs\"") && html.contains("href=\"/w/a/docs/\""));
        // What needs a script is not shown before one runs.
        for id in ["bookmark", "settings"] {
            let at = html.find(&format!("id=\"{id}\"")).unwrap();
            assert!(html[at..].split('>').next().unwrap().ends_with(" hidden"), "{id}");
        }
        assert!(!own_bar(&ENGLISH, &Assets::new(""), "", None, false).contains("role=\"search\""));
    }
}
