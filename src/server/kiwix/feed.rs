//! The catalogue's feeds as XML: Atom with the words of OPDS and Dublin Core, as kiwix-serve writes it.

use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use super::super::url;
use super::card::{Card, made_uuid};
use super::xml::Text;

/// The type of a feed that leads to other feeds.
pub const NAVIGATION: &str = "application/atom+xml;profile=opds-catalog;kind=navigation";
/// The type of a feed that leads to archives.
pub const ACQUISITION: &str = "application/atom+xml;profile=opds-catalog;kind=acquisition";
/// The type of one entry.
pub const ENTRY: &str = "application/atom+xml;type=entry;profile=opds-catalog";
/// The type of a description of how to search.
pub const DESCRIPTION: &str = "application/opensearchdescription+xml";
/// The type of a ZIM.
pub const ZIM: &str = "application/x-zim";

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// What all feeds of one library share.
pub struct Library<'a> {
    /// What stands before every path.
    pub root: &'a str,
    /// When the library last changed.
    pub updated: String,
    /// What no other library has: how the client calls the server. A feed keeps its identity while
    /// archives come and go.
    pub id: &'a str,
}

/// A part of a list.
pub struct Part<'a> {
    /// The archives in it.
    pub cards: &'a [&'a Card],
    /// How many there are in all.
    pub total: usize,
    /// The number of the first one here.
    pub start: usize,
    /// What was asked for, as it came.
    pub query: &'a str,
}

impl Library<'_> {
    fn id_of(&self, what: &str) -> String {
        format!("urn:uuid:{}", made_uuid(&[self.id, self.root, what]))
    }

    /// Begins a feed of the second version.
    fn begin(&self, path: &str, kind: &str, title: &str, namespaces: &str) -> String {
        let base = format!("{}/catalog/v2", self.root);
        let mut out = format!(
            "{HEAD}<feed xmlns=\"http://www.w3.org/2005/Atom\" xmlns:opds=\"https://specs.opds.io/opds-1.2\"{namespaces}>\n"
        );
        line(&mut out, "id", &self.id_of(path));
        link(&mut out, "self", &format!("{base}/{path}"), kind);
        link(&mut out, "start", &format!("{base}/root.xml"), NAVIGATION);
        line(&mut out, "title", title);
        line(&mut out, "updated", &self.updated);
        out
    }

    /// Writes the first feed, from which a client finds the others.
    pub fn root(&self) -> String {
        let base = format!("{}/catalog/v2", self.root);
        let mut out = self.begin("root.xml", NAVIGATION, "OPDS Catalog Root", "");
        link(&mut out, "search", &format!("{base}/searchdescription.xml"), DESCRIPTION);
        for (path, kind, title, content) in [
            ("entries", ACQUISITION, "All entries", "All entries from this catalog."),
            (
                "partial_entries",
                ACQUISITION,
                "All entries (partial)",
                "All entries from this catalog in partial format.",
            ),
            ("categories", NAVIGATION, "List of categories", "List of all categories in this catalog."),
            ("languages", NAVIGATION, "List of languages", "List of all languages in this catalog."),
        ] {
            out.push_str("<entry>\n");
            line(&mut out, "title", title);
            link(&mut out, "subsection", &format!("{base}/{path}"), kind);
            self.end_entry(&mut out, path, Some(content));
        }
        out + "</feed>\n"
    }

    fn end_entry(&self, out: &mut String, what: &str, content: Option<&str>) {
        line(out, "updated", &self.updated);
        line(out, "id", &self.id_of(what));
        if let Some(content) = content {
            let _ = writeln!(out, "<content type=\"text\">{}</content>", Text(content));
        }
        out.push_str("</entry>\n");
    }

    /// Writes the list of archives, whole or with no more than their titles.
    pub fn entries(&self, part: &Part<'_>, is_partial: bool) -> String {
        let base = format!("{}/catalog/v2", self.root);
        let name = if is_partial { "partial_entries" } else { "entries" };
        let (path, title) = match part.query {
            "" => (name.to_owned(), "All Entries".to_owned()),
            query => (format!("{name}?{query}"), format!("Filtered Entries ({query})")),
        };
        let namespaces = " xmlns:dc=\"http://purl.org/dc/terms/\" \
            xmlns:opensearch=\"http://a9.com/-/spec/opensearch/1.1/\"";
        let mut out = self.begin(&path, ACQUISITION, &title, namespaces);
        link(&mut out, "up", &format!("{base}/root.xml"), NAVIGATION);
        part.counts(&mut out);
        for card in part.cards {
            if is_partial { self.partial(&mut out, card) } else { self.entry(&mut out, card) }
        }
        out + "</feed>\n"
    }

    /// Writes the list of archives as the first version of the catalogue has it.
    pub fn first_version(&self, part: &Part<'_>) -> String {
        let title = match part.query {
            "" => "All zims".to_owned(),
            query => format!("Filtered zims ({query})"),
        };
        let mut out = format!(
            "{HEAD}<feed xmlns=\"http://www.w3.org/2005/Atom\" xmlns:dc=\"http://purl.org/dc/terms/\" \
             xmlns:opds=\"http://opds-spec.org/2010/catalog\">\n"
        );
        line(&mut out, "id", &self.id_of(&format!("search?{}", part.query)));
        line(&mut out, "title", &title);
        line(&mut out, "updated", &self.updated);
        part.counts(&mut out);
        // The feed itself, wherever it was found.
        link(&mut out, "self", "", "application/atom+xml");
        link(&mut out, "search", &format!("{}/catalog/searchdescription.xml", self.root), DESCRIPTION);
        for card in part.cards {
            self.entry(&mut out, card);
        }
        out + "</feed>\n"
    }

    /// Writes one archive as a document of its own.
    pub fn alone(&self, card: &Card) -> String {
        let mut out = HEAD.to_owned();
        let entry = "<entry xmlns=\"http://www.w3.org/2005/Atom\" xmlns:dc=\"http://purl.org/dc/terms/\" \
            xmlns:opds=\"https://specs.opds.io/opds-1.2\">\n";
        out.push_str(entry);
        self.inside(&mut out, card);
        out
    }

    fn entry(&self, out: &mut String, card: &Card) {
        out.push_str("<entry>\n");
        self.inside(out, card);
    }

    fn inside(&self, out: &mut String, card: &Card) {
        let date = day(card);
        line(out, "id", &format!("urn:uuid:{}", card.id));
        line(out, "title", &card.title);
        line(out, "updated", &date);
        line(out, "summary", &card.description);
        line(out, "language", &card.languages.join(","));
        line(out, "name", &card.name);
        line(out, "flavour", &card.flavour);
        line(out, "category", &card.category);
        line(out, "tags", &card.tags.join(";"));
        line(out, "articleCount", &card.articles.to_string());
        line(out, "mediaCount", &card.media.to_string());
        for (size, mime) in &card.icons {
            let href = format!("{}/catalog/v2/illustration/{}/?size={size}", self.root, card.id);
            let mime = format!("{mime};width={size};height={size};scale=1");
            link(out, "http://opds-spec.org/image/thumbnail", &href, &mime);
        }
        let name = url::path(&card.own_name);
        let href = format!("{}/content/{name}", self.root);
        let _ = writeln!(out, "<link type=\"text/html\" href=\"{}\"/>", Text(&href));
        let _ = writeln!(out, "<author><name>{}</name></author>", Text(&card.creator));
        let _ = writeln!(out, "<publisher><name>{}</name></publisher>", Text(&card.publisher));
        line(out, "dc:issued", &date);
        if card.is_zim {
            let href = format!("{}/download/{name}.zim", self.root);
            let _ = writeln!(
                out,
                "<link rel=\"http://opds-spec.org/acquisition/open-access\" type=\"{ZIM}\" href=\"{}\" \
                 length=\"{}\"/>",
                Text(&href),
                card.size
            );
        }
        out.push_str("</entry>\n");
    }

    fn partial(&self, out: &mut String, card: &Card) {
        out.push_str("<entry>\n");
        line(out, "id", &format!("urn:uuid:{}", card.id));
        line(out, "title", &card.title);
        line(out, "updated", &day(card));
        link(out, "alternate", &format!("{}/catalog/v2/entry/{}", self.root, card.id), ENTRY);
        out.push_str("</entry>\n");
    }

    /// Writes the list of categories.
    pub fn categories<'c>(&self, names: impl Iterator<Item = &'c str>) -> String {
        let mut out = self.begin("categories", NAVIGATION, "List of categories", "");
        for name in names {
            let path = format!("entries?category={}", url::value(name));
            out.push_str("<entry>\n");
            line(&mut out, "title", name);
            link(&mut out, "subsection", &format!("{}/catalog/v2/{path}", self.root), ACQUISITION);
            self.end_entry(&mut out, &path, Some(&format!("All entries with category of '{name}'.")));
        }
        out + "</feed>\n"
    }

    /// Writes the list of languages: codes, and how many archives have each.
    pub fn languages<'c>(&self, codes: impl Iterator<Item = (&'c str, usize)>) -> String {
        let namespaces = " xmlns:dc=\"http://purl.org/dc/terms/\" \
            xmlns:thr=\"http://purl.org/syndication/thread/1.0\"";
        let mut out = self.begin("languages", NAVIGATION, "List of languages", namespaces);
        for (code, count) in codes {
            let path = format!("entries?lang={}", url::value(code));
            out.push_str("<entry>\n");
            line(&mut out, "title", crate::server::languages::own_name(code));
            line(&mut out, "dc:language", code);
            line(&mut out, "thr:count", &count.to_string());
            link(&mut out, "subsection", &format!("{}/catalog/v2/{path}", self.root), ACQUISITION);
            self.end_entry(&mut out, &path, None);
        }
        out + "</feed>\n"
    }
}

impl Part<'_> {
    fn counts(&self, out: &mut String) {
        if !self.query.is_empty() {
            line(out, "totalResults", &self.total.to_string());
            line(out, "startIndex", &self.start.to_string());
            line(out, "itemsPerPage", &self.cards.len().to_string());
        }
    }
}

/// Writes how to search: for archives, or for articles.
pub fn description(name: &str, about: &str, kind: &str, template: &str) -> String {
    format!(
        "{HEAD}<OpenSearchDescription xmlns=\"http://a9.com/-/spec/opensearch/1.1/\">\n\
         <ShortName>{}</ShortName>\n<Description>{}</Description>\n\
         <Url type=\"{kind}\" xmlns:k=\"http://kiwix.org/opensearchextension/1.0\" indexOffset=\"0\" \
         template=\"{}\"/>\n</OpenSearchDescription>\n",
        Text(name),
        Text(about),
        Text(template)
    )
}

fn line(out: &mut String, name: &str, text: &str) {
    let _ = writeln!(out, "<{name}>{}</{name}>", Text(text));
}

fn link(out: &mut String, relation: &str, href: &str, kind: &str) {
    let _ = writeln!(out, "<link rel=\"{relation}\" href=\"{}\" type=\"{}\"/>", Text(href), Text(kind));
}

/// Returns the day of an archive as Atom writes times; its file's where it says none.
fn day(card: &Card) -> String {
    if card.date.is_empty() {
        return time(card.modified.unwrap_or(UNIX_EPOCH));
    }
    format!("{}T00:00:00Z", card.date)
}

/// Returns a time as Atom writes it.
pub fn time(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    // Days are counted from March of the year 0, so that the odd day is a year's last.
    let (days, seconds) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, turn) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{:02}Z", year + era * 400 + turn, seconds % 60)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_704_067_199, "2023-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(time(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }
}
