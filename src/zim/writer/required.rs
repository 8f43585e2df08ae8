//! Metadata as readers of ZIM want it: what they need is there, and nothing is longer than they allow.
//!
//! What is made up is the same for the same content: never the clock, the folder or the machine. A value
//! that came from a ZIM file as it is (see [`metadata`]) is not touched.

use super::illustration::{drawn, scaled};
use crate::item::{Metadata, Observer, Value, keys};
use crate::zim::lengths::{graphemes, shorten};
use crate::zim::metadata::{
    self, MAX_DESCRIPTION, MAX_LONG_DESCRIPTION, MAX_TITLE, conforms, illustration_side, is_date, original,
    png_size, to_zim,
};

/// What the content says of itself beside its metadata.
pub struct Known<'a> {
    /// The main page's title, or else what the file is called.
    pub title: &'a str,
    /// The count of mime types.
    pub counter: String,
    /// Chooses the colour of the picture that is drawn where there is none.
    pub seed: u32,
}

/// The date of what has none: the first day of Unix time, which nobody takes for a true one.
const NO_DATE: &str = "1970-01-01";

/// Who made it, where that is not said.
const NOBODY: &str = "Unknown";

/// The most bytes of a picture that is kept beside the one made of it.
const MAX_KEPT_ICON: usize = 1 << 20;

const ILLUSTRATION: &str = "Illustration_48x48@1";

struct Values<'a> {
    list: std::collections::BTreeMap<String, Value>,
    metadata: &'a Metadata,
    observer: &'a dyn Observer,
}

/// Returns what stands in namespace `M`, in byte order of the keys.
pub fn complete(metadata: &Metadata, known: &Known<'_>, observer: &dyn Observer) -> Vec<(String, Value)> {
    let mut values = Values { list: to_zim(metadata).into_iter().collect(), metadata, observer };
    values.texts(known);
    values.illustrations(known.seed);
    values.tags();
    values.set(metadata::COUNTER, known.counter.clone());
    values.list.into_iter().collect()
}

impl Values<'_> {
    fn text(&self, key: &str) -> Option<&str> {
        let bytes = &self.list.get(key)?.bytes;
        std::str::from_utf8(bytes).ok().filter(|text| !text.trim().is_empty())
    }

    fn set(&mut self, key: &str, text: String) {
        self.list.insert(key.to_owned(), Value { mime: "text/plain".into(), bytes: text.into_bytes() });
    }

    fn keep(&mut self, key: &str, value: Value) {
        self.list.entry(key.to_owned()).or_insert(value);
    }

    /// Returns true if a value may stay as it is.
    fn stays(&self, key: &str) -> bool {
        let Some(value) = self.list.get(key) else { return false };
        conforms(key, value) || original(self.metadata, key).is_some()
    }

    fn texts(&mut self, known: &Known<'_>) {
        if !self.stays("Title") {
            let full = self.text("Title").unwrap_or(known.title).trim().to_owned();
            let full = if full.is_empty() { "Untitled".to_owned() } else { full };
            self.shortened("Title", &full, MAX_TITLE, "X-Title");
        }
        let title = self.text("Title").unwrap_or_default().to_owned();
        if !self.stays("Description") {
            let long = self.text("LongDescription").map(|text| shorten(text, MAX_DESCRIPTION));
            match self.text("Description").map(|text| text.trim().to_owned()) {
                // A longer one has a place of its own.
                Some(full) => {
                    let is_free = self.text("LongDescription").is_none();
                    let place = if is_free { "LongDescription" } else { "X-Description" };
                    self.shortened("Description", &full, MAX_DESCRIPTION, place);
                }
                None => self.set("Description", long.unwrap_or_else(|| shorten(&title, MAX_DESCRIPTION))),
            }
        }
        if self.list.contains_key("LongDescription") && !self.stays("LongDescription") {
            match self.text("LongDescription").map(|text| text.trim().to_owned()) {
                Some(full) => {
                    self.shortened("LongDescription", &full, MAX_LONG_DESCRIPTION, "X-LongDescription");
                }
                None => drop(self.list.remove("LongDescription")),
            }
        }
        for key in ["Creator", "Publisher"] {
            if !self.stays(key) {
                let text = self.text(key).unwrap_or(NOBODY).to_owned();
                self.set(key, text);
            }
        }
        if !self.stays("Language") {
            self.language();
        }
        if !self.stays("Date") {
            self.date();
        }
        if !self.stays("Name") {
            let name = self.text("Name").map_or_else(|| self.name(&title), str::to_owned);
            self.set("Name", name);
        }
    }

    /// Sets a text, cut to what is allowed; the whole one is kept under another key.
    fn shortened(&mut self, key: &str, full: &str, longest: usize, full_key: &str) {
        let short = shorten(full, longest);
        if short != full {
            let n = graphemes(full);
            let message =
                format!("{key}: {n} letters, of which ZIM allows {longest}: cut; {full_key} has it whole");
            self.observer.warning("metadata", &message);
            self.keep(full_key, Value { mime: "text/plain".into(), bytes: full.as_bytes().to_vec() });
        }
        self.set(key, short);
    }

    fn language(&mut self) {
        // The mapping has left out what has no code.
        let mapped = self.text("Language").unwrap_or("und").to_owned();
        let codes: Vec<&str> = mapped.split(',').filter(|c| c.len() == 3).collect();
        let codes = if codes.is_empty() { "und".to_owned() } else { codes.join(",") };
        if let Some(given) = self.metadata.text(keys::LANGUAGE).filter(|l| !l.trim().is_empty())
            && codes == "und"
        {
            let message = format!("Language: {given} has no code of three letters: und is written");
            self.observer.warning("metadata", &message);
        }
        self.set("Language", codes);
    }

    fn date(&mut self) {
        let given = self.text("Date").map(|text| text.trim().to_owned());
        let Some(given) = given else {
            let message = format!("Date: it is not known, and ZIM wants one: {NO_DATE} is written");
            self.observer.warning("metadata", &message);
            return self.set("Date", NO_DATE.into());
        };
        // A time behind the day, or a year alone, or with its month.
        let day = given.get(..10).filter(|day| is_date(day)).map(str::to_owned);
        let padded = ["-01", "-01-01"].into_iter().map(|rest| format!("{given}{rest}"));
        let date = day.or_else(|| padded.into_iter().find(|date| is_date(date)));
        let date = date.unwrap_or_else(|| NO_DATE.to_owned());
        if date != given {
            let message =
                format!("Date: {given} is no day as ZIM wants it: {date} is written, X-Date has it");
            self.observer.warning("metadata", &message);
            self.keep("X-Date", Value { mime: "text/plain".into(), bytes: given.into_bytes() });
        }
        self.set("Date", date);
    }

    /// Returns a name such as readers tell files apart by: `title_language`.
    fn name(&self, title: &str) -> String {
        let mut name = String::new();
        for c in title.chars().flat_map(char::to_lowercase) {
            if c.is_alphanumeric() {
                name.push(c);
            } else if !name.is_empty() && !name.ends_with('-') {
                name.push('-');
            }
        }
        let name = name.trim_end_matches('-');
        let language = self.text("Language").and_then(|l| l.split(',').next()).unwrap_or("und");
        format!("{}_{language}", if name.is_empty() { "archive" } else { name })
    }

    fn illustrations(&mut self, seed: u32) {
        let all: Vec<(String, u32)> =
            self.list.keys().filter_map(|key| Some((key.clone(), illustration_side(key)?))).collect();
        for (key, side) in all {
            if !self.stays(&key) {
                self.illustration(&key, side);
            }
        }
        if !self.list.contains_key(ILLUSTRATION)
            && let Ok(bytes) = drawn(seed, 48)
        {
            self.list.insert(ILLUSTRATION.into(), Value { mime: "image/png".into(), bytes });
        }
    }

    /// Makes a PNG of its size of a picture, or takes it away; the picture itself is kept.
    fn illustration(&mut self, key: &str, side: u32) {
        let Some(given) = self.list.remove(key) else { return };
        // Sides beyond this are no icon's.
        let made = if side <= 1024 { scaled(&given.bytes, side) } else { Err("it is too large".into()) };
        match made {
            Ok(bytes) => drop(self.list.insert(key.into(), Value { mime: "image/png".into(), bytes })),
            Err(e) => {
                let what = if key == ILLUSTRATION { "another one is drawn" } else { "it is left out" };
                let message = format!("{key}: {} cannot be scaled ({e}): {what}", given.mime);
                self.observer.warning("metadata", &message);
            }
        }
        if given.bytes.len() > MAX_KEPT_ICON || given.bytes.is_empty() {
            return;
        }
        match png_size(&given.bytes) {
            // A size of its own, if it is not there.
            Some((width, height)) if width == height && width != 48 && given.mime == "image/png" => {
                self.keep(&format!("Illustration_{width}x{width}@1"), given);
            }
            _ if key == ILLUSTRATION => self.keep("X-Icon", given),
            _ => self.keep(&format!("X-Icon-{side}"), given),
        }
    }

    /// Says that there is no full-text index, in the way that readers look for.
    fn tags(&mut self) {
        let tags = self.text("Tags").unwrap_or_default().to_owned();
        let mut out: Vec<&str> = vec![];
        for tag in tags.split(';').filter(|tag| !tag.is_empty()) {
            let is_index = tag == "_ftindex" || tag.starts_with("_ftindex:");
            let tag = if is_index { "_ftindex:no" } else { tag };
            if !is_index || !out.contains(&tag) {
                out.push(tag);
            }
        }
        if !out.contains(&"_ftindex:no") {
            out.push("_ftindex:no");
        }
        let joined = out.join(";");
        match self.list.get_mut("Tags") {
            // Its mime type stays.
            Some(value) => value.bytes = joined.into_bytes(),
            None => self.set("Tags", joined),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::zim::metadata::from_zim;

    #[derive(Default)]
    struct Heard(Mutex<Vec<String>>);

    impl Observer for Heard {
        fn warning(&self, path: &str, message: &str) {
            self.0.lock().unwrap().push(format!("{path}: {message}"));
        }
    }

    fn known() -> Known<'static> {
        Known { title: "The main page", counter: "text/html=1".into(), seed: 7 }
    }

    /// Returns what stands in the file, and how many warnings there were.
    fn completed(metadata: &Metadata) -> (std::collections::BTreeMap<String, Value>, usize) {
        let heard = Heard::default();
        let list = complete(metadata, &known(), &heard);
        let n = heard.0.lock().unwrap().len();
        (list.into_iter().collect(), n)
    }

    fn metadata(values: &[(&str, &str)]) -> Metadata {
        let mut out = Metadata::default();
        values.iter().for_each(|(key, value)| out.set_text(key, *value));
        out
    }

    fn text<'a>(values: &'a std::collections::BTreeMap<String, Value>, key: &str) -> &'a str {
        values.get(key).map_or("", |value| std::str::from_utf8(&value.bytes).unwrap())
    }

    #[test]
    fn what_is_not_said_is_filled_in_and_conforms() {
        let (values, warnings) = completed(&Metadata::default());
        let expected = [
            ("Counter", "text/html=1"),
            ("Creator", "Unknown"),
            ("Date", "1970-01-01"),
            ("Description", "The main page"),
            ("Language", "und"),
            ("Name", "the-main-page_und"),
            ("Publisher", "Unknown"),
            ("Tags", "_ftindex:no"),
            ("Title", "The main page"),
        ];
        for (key, value) in expected {
            assert_eq!(text(&values, key), value);
        }
        assert_eq!(values.len(), expected.len() + 1);
        assert!(values.iter().all(|(key, value)| conforms(key, value)));
        // Of the date.
        assert_eq!(warnings, 1);
    }

    #[test]
    fn what_is_too_long_is_cut_and_kept_whole() {
        let title = "A title of more than thirty letters in all";
        let description = "words ".repeat(20);
        let given =
            [("title", title), ("description", &description), ("date", "2024"), ("language", "Klingon")];
        let (values, warnings) = completed(&metadata(&given));
        assert_eq!(text(&values, "Title"), "A title of more than thirty…");
        assert_eq!(text(&values, "X-Title"), title);
        assert_eq!(text(&values, "LongDescription"), description.trim());
        assert_eq!((text(&values, "Date"), text(&values, "X-Date")), ("2024-01-01", "2024"));
        assert_eq!(text(&values, "Language"), "und");
        assert_eq!(warnings, 4);
        assert!(values.iter().all(|(key, value)| conforms(key, value)));

        let given = [("description", &description[..]), ("long-description", "there already, and longer")];
        let (values, _) = completed(&metadata(&given));
        assert_eq!(text(&values, "LongDescription"), "there already, and longer");
        assert_eq!(text(&values, "X-Description"), description.trim());
        let long = "word ".repeat(1000);
        let (values, _) = completed(&metadata(&[("long-description", &long)]));
        assert_eq!(text(&values, "X-LongDescription"), long.trim());
        assert!(
            text(&values, "Description").starts_with("word word") && values.contains_key("LongDescription")
        );
        assert!(values.iter().all(|(key, value)| conforms(key, value)));
    }

    #[test]
    fn what_came_from_a_zim_stays_as_it_is() {
        let long = "title ".repeat(20);
        let value = |bytes: &[u8]| Value { mime: "text/plain".into(), bytes: bytes.to_vec() };
        let given = [
            ("Title", value(long.as_bytes())),
            ("Language", value(b"en")),
            ("Date", value(b"yesterday")),
            ("Creator", value(b"")),
            ("Illustration_48x48@1", value(b"no picture")),
            ("Tags", value(b"a;_ftindex:yes;b;_ftindex")),
        ];
        let ours = from_zim(given.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        let (values, warnings) = completed(&ours);
        for (key, value) in &given[..5] {
            assert_eq!(values.get(*key), Some(value), "{key}");
        }
        assert_eq!(text(&values, "Tags"), "a;_ftindex:no;b");
        assert_eq!(warnings, 0);
    }

    #[test]
    fn icons_become_illustrations() {
        let png = |side: u32| Value { mime: "image/png".into(), bytes: drawn(1, side).unwrap() };
        let mut ours = metadata(&[("date", "2024-02-29")]);
        ours.set("icon", png(48));
        ours.set("icon-96", png(96));
        ours.set("icon-32", png(33));
        let (values, warnings) = completed(&ours);
        assert_eq!(values.get("Illustration_48x48@1"), Some(&png(48)));
        assert_eq!(values.get("Illustration_96x96@1"), Some(&png(96)));
        assert_eq!(values.get("Illustration_33x33@1"), Some(&png(33)));
        assert!(conforms("Illustration_32x32@1", values.get("Illustration_32x32@1").unwrap()));
        assert_eq!(warnings, 0);
        // One of another size, and one that cannot be scaled.
        ours.set("icon", png(128));
        let (values, _) = completed(&ours);
        assert_eq!(values.get("Illustration_128x128@1"), Some(&png(128)));
        let svg = Value { mime: "image/svg+xml".into(), bytes: b"<svg/>".to_vec() };
        ours.set("icon", svg.clone());
        let (values, warnings) = completed(&ours);
        assert_eq!((values.get("X-Icon"), warnings), (Some(&svg), 1));
        assert_eq!(values.get("Illustration_48x48@1").unwrap().bytes, drawn(7, 48).unwrap());
        assert!(values.iter().all(|(key, value)| conforms(key, value)));
    }
}
