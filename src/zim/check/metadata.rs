//! What a ZIM says of itself: its main page, its picture, and the keys that readers ask for.

use super::{Run, count, short, warning};
use crate::error::{Place, Result, damaged};
use crate::findings::{Finding, Findings};
use crate::zim::dirent::DirentKind;
use crate::zim::header::NONE;
use crate::zim::lengths::graphemes;
use crate::zim::metadata::{are_languages, looks_like_date};
use crate::zim::namespace::METADATA;

/// What the openZIM project asks of a key.
struct Rule {
    key: &'static str,
    mandatory: bool,
    /// The fewest and the most letters.
    letters: (usize, usize),
    /// What the value must look like.
    form: Option<Form>,
}

/// A test of a value, and how what it asks for is said.
type Form = (fn(&[u8]) -> bool, &'static str);

const ANY: usize = usize::MAX;

const fn text(key: &'static str, mandatory: bool, letters: (usize, usize)) -> Rule {
    Rule { key, mandatory, letters, form: None }
}

/// The rules of openZIM's wiki, page "Metadata", as zimcheck 3.8 applies them.
const RULES: [Rule; 15] = [
    text("Name", true, (1, ANY)),
    text("Title", true, (1, 30)),
    Rule {
        form: Some((are_languages, "codes of three letters, separated by commas")),
        ..text("Language", true, (3, ANY))
    },
    text("Creator", true, (1, ANY)),
    text("Publisher", true, (1, ANY)),
    Rule { form: Some((looks_like_date, "a date as YYYY-MM-DD")), ..text("Date", true, (10, 10)) },
    text("Description", true, (1, 80)),
    text("LongDescription", false, (0, 4000)),
    text("License", false, (0, ANY)),
    text("Tags", false, (0, ANY)),
    text("Relation", false, (0, ANY)),
    text("Flavour", false, (0, ANY)),
    text("Source", false, (0, ANY)),
    Rule { form: Some((is_counter, "mime types and numbers")), ..text("Counter", false, (0, ANY)) },
    text("Scraper", false, (0, ANY)),
];

/// The picture that every reader shows.
const ILLUSTRATION: &[u8] = b"Illustration_48x48@1";

/// No more of a value is looked at: no rule allows longer ones.
const LONGEST: u64 = 16 << 20;

impl Run<'_> {
    /// Looks for the main page.
    pub(super) fn main_page(&self, findings: &mut Findings) {
        if let Err(error) = self.main_page_number() {
            findings.push(Finding::of(&error));
            return;
        }
        let named = self.archive.names_main_page().unwrap_or(true);
        match self.archive.main_entry() {
            Ok(Some(_)) => {}
            Ok(None) if !named => {
                findings.push(warning("main page", "there is none: readers begin nowhere".into()));
            }
            Ok(None) => {
                let error: Result<()> = damaged!(
                    Place::Section("header", 64),
                    "main page",
                    "what is named as the main page leads nowhere"
                );
                error.err().iter().for_each(|e| findings.push(Finding::of(e)));
            }
            // The dirent on the way has its own finding.
            Err(_) => {}
        }
    }

    fn main_page_number(&self) -> Result<()> {
        let header = self.archive.header();
        let (page, n) = (header.main_page, header.n_entries);
        if page != NONE && page >= n {
            return damaged!(Place::Section("header", 64), "main page", "number {page} of {n} entries");
        }
        Ok(())
    }

    /// Checks the metadata.
    pub(super) fn metadata(&self, findings: &mut Findings) {
        let mut description = None;
        let mut long = None;
        for rule in &RULES {
            let value = match self.value(rule.key.as_bytes()) {
                Ok(Some(value)) => value,
                Ok(None) => {
                    if rule.mandatory {
                        findings.push(about(rule.key, "it is missing, and readers ask for it".into()));
                    }
                    continue;
                }
                Err(_) => continue,
            };
            for message in wrong_with(rule, &value) {
                findings.push(about(rule.key, message));
            }
            match rule.key {
                "Description" => description = Some(value.bytes.len()),
                "LongDescription" => long = Some(value.bytes.len()),
                _ => {}
            }
        }
        if let (Some(short), Some(long)) = (description, long)
            && long != 0
            && long < short
        {
            findings.push(about("LongDescription", format!("it has {long} bytes, Description {short}")));
        }
        self.illustration(findings);
    }

    fn illustration(&self, findings: &mut Findings) {
        match self.value(ILLUSTRATION) {
            Ok(Some(value)) => {
                let key = "Illustration_48x48@1";
                if !value.bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
                    findings.push(about(key, "it is no PNG".into()));
                }
                if value.mime != "image/png" {
                    findings.push(about(
                        key,
                        format!("its mime type is {:?}, not image/png", short(&value.mime)),
                    ));
                }
            }
            Ok(None) => {
                let old = !matches!(self.archive.favicon(), Ok(None));
                let what = if old {
                    "only one of the old kind, under favicon"
                } else {
                    "none of 48 times 48 pixels"
                };
                findings.push(warning("illustration", format!("there is {what}")));
            }
            Err(_) => {}
        }
    }

    fn value(&self, key: &[u8]) -> Result<Option<Value>> {
        let Some(index) = self.archive.find(METADATA, key)? else { return Ok(None) };
        let kind = self.archive.with_dirent(index, |d| Ok(d.kind))?;
        let DirentKind::Blob { mime, .. } = kind else { return Ok(None) };
        let mime = self.archive.mime_types().get(usize::from(mime)).cloned().unwrap_or_default();
        let bytes = self.archive.blob_of(index, LONGEST)?.into_vec();
        Ok(Some(Value { mime, bytes }))
    }
}

/// A value of metadata.
struct Value {
    mime: String,
    bytes: Vec<u8>,
}

fn about(key: &str, what: String) -> Finding {
    let mut finding = warning("metadata", format!("{key}: {what}"));
    finding.entries.push(format!("M/{key}"));
    finding.n_entries = 1;
    finding
}

fn wrong_with(rule: &Rule, value: &Value) -> Vec<String> {
    let mut out = vec![];
    if let Some((is_of_form, form)) = rule.form
        && !is_of_form(&value.bytes)
    {
        out.push(format!("{:?} is not {form}", short(&String::from_utf8_lossy(&value.bytes))));
    }
    let (least, most) = rule.letters;
    if (least, most) != (0, ANY) {
        let letters = graphemes(&String::from_utf8_lossy(&value.bytes));
        let n = || count(letters as u64, "letter", "letters");
        if letters < least {
            out.push(format!("it has {}, {least} are the fewest", n()));
        } else if letters > most {
            out.push(format!("it has {}, {most} are the most", n()));
        }
    }
    let mime = value.mime.to_ascii_lowercase();
    if !matches!(&mime[..], "text/plain" | "text/plain;charset=utf-8") {
        out.push(format!("its mime type is {:?}, not text/plain", short(&value.mime)));
    }
    out
}

fn is_counter(text: &[u8]) -> bool {
    let text = text.strip_suffix(b";").unwrap_or(text);
    let is_name = |part: &[u8]| {
        !part.is_empty() && part.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+'))
    };
    text.split(|b| *b == b';').all(|item| {
        let parts: Vec<&[u8]> = item.splitn(2, |b| *b == b'=').collect();
        let [mime, n] = parts[..] else { return false };
        let parts: Vec<&[u8]> = mime.splitn(2, |b| *b == b'/').collect();
        let [kind, sub] = parts[..] else { return false };
        is_name(kind) && is_name(sub) && !n.is_empty() && n.iter().all(u8::is_ascii_digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_form_that_their_keys_ask_for() {
        assert!(
            are_languages(b"eng")
                && are_languages(b"eng,fra")
                && !are_languages(b"en")
                && !are_languages(b"eng,")
        );
        assert!(
            looks_like_date(b"2024-02-30")
                && !looks_like_date(b"2024-2-30")
                && !looks_like_date(b"2024-02-30T")
        );
        assert!(is_counter(b"text/html=12;image/svg+xml=3") && is_counter(b"text/html=12;"));
        assert!(!is_counter(b"text/html;charset=utf-8=1") && !is_counter(b"") && !is_counter(b"text/html="));
    }

    #[test]
    fn a_value_may_break_several_rules() {
        let value = |mime: &str, bytes: &str| Value { mime: mime.into(), bytes: bytes.into() };
        let rule = |key: &str| RULES.iter().find(|r| r.key == key).unwrap();
        assert_eq!(wrong_with(rule("Title"), &value("text/plain", "A title")), Vec::<String>::new());
        assert_eq!(wrong_with(rule("Title"), &value("Text/Plain;charset=UTF-8", &"x".repeat(31))).len(), 1);
        assert_eq!(wrong_with(rule("Date"), &value("text/html", "today")).len(), 3);
        assert_eq!(wrong_with(rule("Tags"), &value("text/plain", "")), Vec::<String>::new());
    }
}
