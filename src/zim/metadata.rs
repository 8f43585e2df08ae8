//! What a ZIM file says of itself, and what we do: one mapping for both directions.
//!
//! ZIM's well-known keys have our names (`Title` is `title`); all others keep their own. Where our form
//! says less than the file's did (a language `en` where it should be `eng`), or where a writer would
//! have to mend the file's value, the value as it came is kept beside it under `zim:` and the file's
//! key. It is written back as long as ours still says the same, so that a file comes out of a round
//! trip as it went in, and what was changed in between wins.
//!
//! `Counter` is no metadata of ours: each writer counts anew.

use std::borrow::Cow;

use super::languages::{to_tag, to_three};
use super::lengths::graphemes;
use crate::item::{Metadata, Value, keys};

/// Before the file's key where the value is kept as it came.
const ORIGINAL: &str = "zim:";

/// The key of the count of mime types.
pub const COUNTER: &str = "Counter";

/// Well-known keys in ZIM and with us.
const NAMES: [(&str, &str); 11] = [
    ("Title", keys::TITLE),
    ("Language", keys::LANGUAGE),
    ("Creator", keys::CREATOR),
    ("Publisher", keys::PUBLISHER),
    ("Date", keys::DATE),
    ("Description", keys::DESCRIPTION),
    ("LongDescription", keys::LONG_DESCRIPTION),
    ("License", keys::LICENSE),
    ("Source", keys::SOURCE_URL),
    ("Tags", keys::TAGS),
    ("Illustration_48x48@1", keys::ICON),
];

/// Returns a file's metadata in our form. Two values of one key cannot be; the later one stays.
pub fn from_zim(values: impl IntoIterator<Item = (String, Value)>) -> Metadata {
    let mut out = Metadata::default();
    for (key, value) in values {
        if key == COUNTER {
            continue;
        }
        let ours = our_value(&key, &value);
        if their_value(&key, &ours) != value || !conforms(&key, &value) {
            out.set(&format!("{ORIGINAL}{key}"), value);
        }
        out.set(&our_key(&key), ours);
    }
    out
}

/// Returns our metadata as a file's, in byte order of its keys. The inverse of [`from_zim`].
///
/// Nothing is mended or made up: a picture of any size is the illustration of 48 pixels.
pub fn to_zim(metadata: &Metadata) -> Vec<(String, Value)> {
    let mut out = std::collections::BTreeMap::new();
    for (key, value) in metadata.iter() {
        let Some((theirs, named)) = their_key(key) else { continue };
        // A key that has a name with us goes before one that happens to be spelt as ZIM's.
        if !named && our_key(&theirs) != key && metadata.get(&our_key(&theirs)).is_some() {
            continue;
        }
        let value = original(metadata, &theirs).cloned().unwrap_or_else(|| their_value(&theirs, value));
        out.insert(theirs, value);
    }
    out.into_iter().collect()
}

/// Returns the value that one of a file's keys has, or would have: what [`to_zim`] gives for it.
pub fn zim_value(metadata: &Metadata, key: &str) -> Option<Value> {
    let ours = our_key(key);
    // A key that is told apart from ours is spelt so, and no other.
    let (theirs, _) = their_key(&ours)?;
    if theirs != key {
        return None;
    }
    let value = metadata.get(&ours)?;
    Some(original(metadata, key).cloned().unwrap_or_else(|| their_value(key, value)))
}

/// Returns a value as it came from a file, if there is one and ours still says the same.
pub fn original<'a>(metadata: &'a Metadata, key: &str) -> Option<&'a Value> {
    let kept = metadata.get(&format!("{ORIGINAL}{key}"))?;
    let ours = metadata.get(&our_key(key))?;
    (our_value(key, kept) == *ours).then_some(kept)
}

/// Returns true for a key of ours under which nothing is but another one's value as it came from a file.
pub fn is_double(key: &str) -> bool {
    key.starts_with(ORIGINAL) && their_key(key).is_none()
}

/// Returns our name of a file's key.
fn our_key(key: &str) -> Cow<'_, str> {
    if let Some((_, ours)) = NAMES.iter().find(|name| name.0 == key) {
        return Cow::Borrowed(ours);
    }
    if let Some(size) = illustration_size(key) {
        return Cow::Owned(format!("{}-{size}", keys::ICON));
    }
    // What is spelt as a name of ours, or as what is kept of another key, must not be taken for it.
    let taken = is_ours(key) || key.starts_with(ORIGINAL);
    if taken { Cow::Owned(format!("{ORIGINAL}{key}")) } else { Cow::Borrowed(key) }
}

/// Returns the file's name of a key of ours, and whether it has one other than its own; `None` for what
/// is no value of its own.
fn their_key(key: &str) -> Option<(String, bool)> {
    if key == keys::UUID || key == COUNTER {
        return None;
    }
    if let Some((theirs, _)) = NAMES.iter().find(|name| name.1 == key) {
        return Some(((*theirs).to_owned(), true));
    }
    if let Some(size) = icon_size(key) {
        return Some((format!("Illustration_{size}x{size}@1"), true));
    }
    if let Some(rest) = key.strip_prefix(ORIGINAL) {
        // Either a key that had to be told from ours, or a value kept beside the one in our form.
        let told = is_ours(rest) || rest.starts_with(ORIGINAL);
        return told.then(|| (rest.to_owned(), true));
    }
    Some((key.to_owned(), false))
}

fn is_ours(key: &str) -> bool {
    key == keys::UUID || NAMES.iter().any(|name| name.1 == key) || icon_size(key).is_some()
}

/// Returns the size of a square illustration at scale 1, other than the one of 48 pixels.
fn illustration_size(key: &str) -> Option<u32> {
    let (width, height) = key.strip_prefix("Illustration_")?.strip_suffix("@1")?.split_once('x')?;
    (width == height).then(|| size(width)).flatten()
}

/// Returns the size that one of our keys of further icons names.
pub fn icon_size(key: &str) -> Option<u32> {
    size(key.strip_prefix(keys::ICON)?.strip_prefix('-')?)
}

fn size(digits: &str) -> Option<u32> {
    let size: u32 = digits.parse().ok()?;
    (size.to_string() == digits && !matches!(size, 0 | 48)).then_some(size)
}

fn map_text(value: &Value, map: impl FnOnce(&str) -> String) -> Value {
    match std::str::from_utf8(&value.bytes) {
        Ok(text) => Value { mime: value.mime.clone(), bytes: map(text).into_bytes() },
        Err(_) => value.clone(),
    }
}

fn our_value(key: &str, value: &Value) -> Value {
    if key != "Language" {
        return value.clone();
    }
    map_text(value, |text| {
        let codes = text.split(',').map(str::trim).filter(|code| !code.is_empty());
        codes.map(to_tag).collect::<Vec<_>>().join(",")
    })
}

fn their_value(key: &str, value: &Value) -> Value {
    if key != "Language" {
        return value.clone();
    }
    map_text(value, |text| {
        let mut codes: Vec<String> = vec![];
        for code in text.split(',').filter_map(to_three) {
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
        codes.join(",")
    })
}

/// The most graphemes of a title, a description and a long one.
pub const MAX_TITLE: usize = 30;
pub(super) const MAX_DESCRIPTION: usize = 80;
pub(super) const MAX_LONG_DESCRIPTION: usize = 4000;

/// Returns true if a value is what ZIM asks of its key.
pub fn conforms(key: &str, value: &Value) -> bool {
    if let Some(size) = illustration_side(key) {
        return value.mime == "image/png" && png_size(&value.bytes) == Some((size, size));
    }
    let longest = match key {
        "Name" | "Creator" | "Publisher" | "Language" | "Date" => usize::MAX,
        "Title" => MAX_TITLE,
        "Description" => MAX_DESCRIPTION,
        "LongDescription" => MAX_LONG_DESCRIPTION,
        _ => return true,
    };
    let Ok(text) = std::str::from_utf8(&value.bytes) else { return false };
    let mime: String = value.mime.split_ascii_whitespace().collect::<String>().to_ascii_lowercase();
    let fits = matches!(&mime[..], "text/plain" | "text/plain;charset=utf-8")
        && !text.is_empty()
        && (longest == usize::MAX || graphemes(text) <= longest);
    fits && match key {
        "Language" => are_languages(&value.bytes),
        "Date" => is_date(text),
        _ => true,
    }
}

/// Returns true for codes of three letters with commas between.
pub fn are_languages(text: &[u8]) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    text.split(|byte| *byte == b',').all(|code| code.len() == 3 && code.iter().all(is_word))
}

/// Returns true for a day as `YYYY-MM-DD`.
pub fn is_date(text: &str) -> bool {
    let digits = |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse::<u32>().ok());
    looks_like_date(text.as_bytes())
        && digits(5..7).is_some_and(|month| (1..=12).contains(&month))
        && digits(8..10).is_some_and(|day| (1..=31).contains(&day))
}

/// Returns true for digits and hyphens where a date has them, be there such a day or not.
pub fn looks_like_date(text: &[u8]) -> bool {
    let fits =
        |(i, byte): (usize, &u8)| if matches!(i, 4 | 7) { *byte == b'-' } else { byte.is_ascii_digit() };
    text.len() == 10 && text.iter().enumerate().all(fits)
}

/// Returns the side of a square illustration at scale 1.
pub fn illustration_side(key: &str) -> Option<u32> {
    if key == "Illustration_48x48@1" { Some(48) } else { illustration_size(key) }
}

/// Returns width and height of a PNG, as its first chunk says them.
pub fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR")?;
    let (width, rest) = rest.split_first_chunk()?;
    let height = rest.first_chunk()?;
    Some((u32::from_be_bytes(*width), u32::from_be_bytes(*height)))
}

/// Returns a UUID as it is written: 32 hex digits in five groups.
pub fn uuid_text(uuid: &[u8; 16]) -> String {
    let mut out = String::with_capacity(36);
    for (at, byte) in uuid.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        out.push_str(&format!("{byte:02x}"));
    }
    out
}

/// Returns a UUID that is made of a hash: one of version 8 (RFC 9562).
pub fn made_uuid(hash: &[u8; 32]) -> [u8; 16] {
    let mut uuid: [u8; 16] = hash.first_chunk().copied().unwrap_or_default();
    uuid[6] = uuid[6] & 0x0f | 0x80;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    uuid
}

/// Returns the bytes of a UUID in hex with dashes, or `None` if it is none.
pub fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let dashes = [8, 13, 18, 23];
    let bytes = text.trim().as_bytes();
    if bytes.len() != 36 || dashes.iter().any(|at| bytes.get(*at) != Some(&b'-')) {
        return None;
    }
    let mut digits = bytes.iter().filter(|b| **b != b'-').map(|b| char::from(*b).to_digit(16));
    let mut uuid = [0; 16];
    for byte in &mut uuid {
        *byte = (digits.next()?? * 16 + digits.next()??) as u8;
    }
    digits.next().is_none().then_some(uuid)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn uuids_that_are_made_say_so() {
        let made = made_uuid(&[0xff; 32]);
        assert_eq!((made[6] >> 4, made[8] >> 6), (8, 2));
    }

    #[test]
    fn uuids_are_read_as_they_are_written() {
        let mut expected = [0x11; 16];
        expected[15] = 0xaf;
        assert_eq!(parse_uuid("11111111-1111-1111-1111-1111111111aF"), Some(expected));
        assert_eq!(parse_uuid(&uuid_text(&expected)), Some(expected));
        for none in ["", "11111111111111111111111111111111", "11111111-1111-1111-1111-11111111111g", "é"] {
            assert_eq!(parse_uuid(none), None);
        }
        assert_eq!(parse_uuid("1111111--1111-1111-1111-1111111111111"), None);
    }

    fn text(text: &str) -> Value {
        Value { mime: "text/plain".into(), bytes: text.as_bytes().to_vec() }
    }

    fn from(values: &[(&str, &str)]) -> Metadata {
        from_zim(values.iter().map(|(key, value)| ((*key).to_owned(), text(value))))
    }

    fn told(metadata: &Metadata) -> Vec<(&str, &str)> {
        metadata.iter().map(|(k, v)| (k, std::str::from_utf8(&v.bytes).unwrap())).collect()
    }

    #[test]
    fn well_known_keys_have_our_names() {
        let ours = from(&[
            ("Counter", "text/html=1"),
            ("Flavour", "maxi"),
            ("Language", "eng,fra,und,tlh"),
            ("Source", "https://example.org/"),
            ("Title", "A title"),
            ("X-Own", "kept"),
        ]);
        let expected = [
            ("Flavour", "maxi"),
            ("X-Own", "kept"),
            ("language", "en,fr,und,tlh"),
            ("source-url", "https://example.org/"),
            ("title", "A title"),
        ];
        assert_eq!(told(&ours), expected);
    }

    #[test]
    fn what_our_form_loses_is_kept_until_it_is_changed() {
        let mut ours = from(&[("Language", "en"), ("Title", &"long ".repeat(20))]);
        assert_eq!(ours.text("zim:Language"), Some("en"));
        assert_eq!(to_zim(&ours)[0], ("Language".into(), text("en")));
        assert!(original(&ours, "Title").is_some());
        ours.set_text(keys::LANGUAGE, "pt-BR,en-GB,en");
        ours.set_text(keys::TITLE, "Another");
        assert_eq!(to_zim(&ours), [("Language".into(), text("por,eng")), ("Title".into(), text("Another"))]);
        assert!(original(&ours, "Title").is_none());
    }

    #[test]
    fn a_name_of_ours_goes_before_a_key_that_is_spelt_as_its_own_in_zim() {
        let mut ours = Metadata::default();
        ours.set_text("Title", "stray");
        assert_eq!(to_zim(&ours), [("Title".into(), text("stray"))]);
        ours.set_text("title", "meant");
        assert_eq!(to_zim(&ours), [("Title".into(), text("meant"))]);
        ours.set_text(keys::UUID, "11111111-1111-1111-1111-111111111111");
        assert_eq!(to_zim(&ours).len(), 1);
    }

    #[test]
    fn values_are_judged_as_zimcheck_does() {
        for (key, value, good) in [
            ("Title", "", false),
            ("Title", "x", true),
            ("Language", "eng,fra", true),
            ("Language", "eng, fra", false),
            ("Language", "en", false),
            ("Date", "2024-02-29", true),
            ("Date", "2024-13-01", false),
            ("Date", "2024-2-29", false),
            ("Date", "+024-02-29", false),
            ("Description", &"é".repeat(80), true),
            ("Description", &"é".repeat(81), false),
            ("X-Any", "", true),
            ("Illustration_48x48@1", "no picture", false),
        ] {
            assert_eq!(conforms(key, &text(value)), good, "{key}: {value}");
        }
        let html = Value { mime: "text/html".into(), ..text("x") };
        assert!(!conforms("Title", &html));
        let utf8 = Value { mime: "text/plain; charset=UTF-8".into(), ..text("x") };
        assert!(conforms("Title", &utf8));
    }

    fn any_key() -> impl Strategy<Value = String> {
        let known: Vec<String> =
            NAMES.iter().flat_map(|n| [n.0, n.1]).chain(["Name", "uuid"]).map(str::to_owned).collect();
        let name = prop_oneof![
            4 => proptest::sample::select(known),
            2 => "Illustration_[0-9]{1,3}x[0-9]{1,3}@[12]",
            2 => "Illustration_(48x48|96x96|096x096|0x0)@1(;x=1)?",
            1 => "icon(-[0-9]{0,3})?",
            1 => "X-[A-Z]",
            1 => ".{0,5}",
        ];
        ("(zim:){0,2}", name).prop_map(|(prefix, name)| prefix + &name)
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let bytes = prop_oneof![
            "(eng|fra|en|xxx|, |,|e){0,4}".prop_map(String::into_bytes),
            "\\PC{0,60}".prop_map(String::into_bytes),
            proptest::collection::vec(any::<u8>(), 0..9),
        ];
        ("text/plain|text/plain;charset=utf-8|image/png|", bytes)
            .prop_map(|(mime, bytes)| Value { mime, bytes })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..Default::default() })]
        #[test]
        fn a_round_trip_gives_every_key_and_value(values in proptest::collection::btree_map(any_key(), any_value(), 0..12)) {
            let values: Vec<(String, Value)> = values.into_iter().filter(|(key, _)| key != COUNTER).collect();
            prop_assert_eq!(to_zim(&from_zim(values.clone())), values);
        }
    }
}
