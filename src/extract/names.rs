//! From an entry's path to the name of its file: the only way by which a path reaches a disk.
//!
//! A path is a claim by whoever made the archive. [`Names::assign`] splits it at `/`, encodes what
//! the target cannot hold, and sees to it that no two entries get one name. What comes out is
//! relative, has no empty, `.` or `..` component, and is unique; the caller need not look again.
//!
//! A component that can be held stays byte for byte what it is. Else:
//!
//! | what | becomes |
//! | --- | --- |
//! | a byte that cannot be held | `%` and two hex digits; `%` itself then also |
//! | `.`, `..` | `%2E`, `%2E%2E` |
//! | an empty component (a leading `/`, `a//b`, `a/`) | `%_` |
//! | a component too long | its beginning, `%~`, digits of its hash, its ending |
//! | a path too long as a whole | `%~/`, two digits, `/`, its hash and ending |
//! | a name taken by another entry or needed for a folder | the name, `%~` and digits of its hash before the ending |
//!
//! Every name that differs from its path stands in the manifest, which is what makes it reversible;
//! nothing is guessed from a name's looks. So a literal path may look like an encoded one: whichever
//! comes second finds the name taken, and gets another.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry::{Occupied, Vacant};

use unicode_normalization::UnicodeNormalization;

use crate::error::{Error, Result};
use crate::hex::to_hex;
use crate::manifest::{self, raw_path};

/// What the target can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Leave out what Windows refuses: reserved names, some punctuation, a dot or space at the end.
    pub windows: bool,
    /// Take names for the same if they differ in case or Unicode normalisation only.
    pub fold: bool,
    /// Leave out what could lead a careless unpacker on Windows out of its folder: backslashes, and
    /// a drive's colon.
    pub zip: bool,
    /// Names must be UTF-8.
    pub utf8: bool,
    /// The longest name in bytes, folders included.
    pub max_len: usize,
}

impl Rules {
    /// What any Unix holds. Linux takes paths of up to 4,095 bytes; the folder's own path needs some.
    pub const UNIX: Self = Self { windows: false, fold: false, zip: false, utf8: false, max_len: 3_000 };

    /// What Windows, macOS and memory cards hold too. Windows' limit is 259 with the folder's path.
    pub const PORTABLE: Self = Self { windows: true, fold: true, zip: true, utf8: true, max_len: 180 };

    /// What a zip holds and any unpacker takes without harm.
    pub const ZIP: Self = Self { windows: false, fold: false, zip: true, utf8: true, max_len: 3_000 };
}

/// Says whether any entry's path begins with the text given, which ends in `/`.
pub type IsFolder<'a> = Box<dyn Fn(&str) -> Result<bool> + Send + 'a>;

/// The longest component in bytes: `NAME_MAX` nearly everywhere.
const MAX_COMPONENT: usize = 255;

/// The folder of the paths that are too long as a whole.
const LONG: &str = "%~";

/// Hands out names.
///
/// Memory: where [`IsFolder`] is given and the rules fold nothing, only unusual names are
/// remembered, since the order of paths proves that the others differ; else 20 to 40 bytes a name.
pub struct Names<'a> {
    rules: Rules,
    is_folder: Option<IsFolder<'a>>,
    /// Hash of a (folded) name -> whose it is. A false match costs a longer name, nothing else.
    taken: HashMap<u64, Owner>,
    /// The last path, where the order matters.
    last: Option<String>,
    /// The last folder: its raw path, and its name. Neighbours share it.
    folder: (Vec<u8>, Vec<u8>),
}

/// A hash of the kind and the path.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Owner(u64);

impl Owner {
    const RESERVED: Self = Self(0);

    fn file(path: &str) -> Self {
        Self(hash(&[b"file ", path.as_bytes()].concat()))
    }

    fn folder(raw: &[u8]) -> Self {
        Self(hash(&[b"folder ", raw].concat()))
    }
}

/// What became of the wish for a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    Now,
    /// By the same owner, earlier.
    Already,
    ByAnother,
}

impl<'a> Names<'a> {
    /// Makes a set of names in which only the manifest's and one more are taken.
    ///
    /// With `is_folder`, a file that shares its name with a folder (`AC`, `AC/DC`) is the one that
    /// is renamed, so that links into the folder keep working; paths must then come in byte order.
    pub fn new(rules: Rules, is_folder: Option<IsFolder<'a>>) -> Self {
        let mut names =
            Self { rules, is_folder, taken: HashMap::new(), last: None, folder: Default::default() };
        for name in [manifest::NAME, LONG] {
            names.taken.insert(names.key(name.as_bytes()), Owner::RESERVED);
        }
        names
    }

    /// Sets what [`new`](Self::new) takes, before the first name is handed out.
    pub(super) fn know_folders(&mut self, is_folder: IsFolder<'a>) {
        self.is_folder = Some(is_folder);
    }

    /// Returns the name of a new file for an entry: components separated by `/`.
    ///
    /// # Errors
    ///
    /// Fails if the look-up of folders does, if a path comes twice, or out of order where order is
    /// needed.
    pub fn assign(&mut self, path: &str, escaped: bool) -> Result<Vec<u8>> {
        if self.is_compact() {
            if self.last.as_deref().is_some_and(|last| last >= path) {
                return Err(twice(path));
            }
            let last = self.last.get_or_insert_default();
            last.clear();
            last.push_str(path);
        }
        self.assign_late(path, escaped)
    }

    /// The same for paths that come after the others in an order of their own, and that none of
    /// the others has.
    ///
    /// # Errors
    ///
    /// Fails if the look-up of folders does.
    pub fn assign_late(&mut self, path: &str, escaped: bool) -> Result<Vec<u8>> {
        let is_folder = match &self.is_folder {
            Some(is_folder) => is_folder(&format!("{path}/"))?,
            None => false,
        };
        let raw = raw_path(path, escaped);
        let (parent, last) = match raw.iter().rposition(|&b| b == b'/') {
            Some(at) => (Some(&raw[..at]), &raw[at + 1..]),
            None => (None, &raw[..]),
        };
        let mut name = match parent {
            Some(parent) => self.folder(parent),
            None => Vec::new(),
        };
        let start = name.len();
        name.extend_from_slice(&encode_component(last, self.rules));
        let owner = Owner::file(path);
        let taken = if is_folder { Taken::ByAnother } else { self.take(&name, owner) };
        let taken = match taken {
            Taken::ByAnother => self.another(&mut name, start, &raw, owner),
            taken => taken,
        };
        if taken != Taken::Now {
            return Err(twice(path));
        }
        if name.len() > self.rules.max_len {
            // The folder is reserved, and the hash is the path's: nobody else has this name.
            let hash = to_hex(blake3::hash(&raw).as_bytes());
            let ending = ending(&name);
            return Ok([format!("{LONG}/{}/{hash}", &hash[..2]).as_bytes(), ending].concat());
        }
        Ok(name)
    }

    /// Returns the name of a folder, ending in `/`.
    fn folder(&mut self, raw: &[u8]) -> Vec<u8> {
        if !self.folder.1.is_empty() && self.folder.0 == raw {
            return self.folder.1.clone();
        }
        let mut name = Vec::with_capacity(raw.len() + 1);
        let mut end = 0;
        for component in raw.split(|&b| b == b'/') {
            end += component.len();
            let start = name.len();
            name.extend_from_slice(&encode_component(component, self.rules));
            if name.len() > self.rules.max_len {
                // The file's whole name will be replaced; nothing is made of this one.
                name.push(b'/');
                return name;
            }
            let owner = Owner::folder(&raw[..end]);
            if self.take(&name, owner) == Taken::ByAnother {
                self.another(&mut name, start, &raw[..end], owner);
            }
            name.push(b'/');
            end += 1;
        }
        self.folder = (raw.to_vec(), name.clone());
        name
    }

    /// Takes a name if it is to be had.
    fn take(&mut self, name: &[u8], owner: Owner) -> Taken {
        if self.is_compact() && !is_unusual(name) {
            return Taken::Now;
        }
        match self.taken.entry(self.key(name)) {
            Occupied(e) if *e.get() == owner => Taken::Already,
            Occupied(_) => Taken::ByAnother,
            Vacant(e) => {
                e.insert(owner);
                Taken::Now
            }
        }
    }

    /// Takes a name made from one that is not to be had. Nobody can find paths for which all three
    /// lengths are taken, since that takes a collision of BLAKE3-256.
    fn another(&mut self, name: &mut Vec<u8>, start: usize, raw: &[u8], owner: Owner) -> Taken {
        let component = name.split_off(start);
        let hash = to_hex(blake3::hash(raw).as_bytes());
        let mut taken = Taken::ByAnother;
        for digits in [8, 16, hash.len()] {
            name.truncate(start);
            name.extend_from_slice(&with_hash(&component, &hash[..digits]));
            taken = self.take(name, owner);
            if taken != Taken::ByAnother {
                break;
            }
        }
        taken
    }

    fn is_compact(&self) -> bool {
        self.is_folder.is_some() && !self.rules.fold
    }

    fn key(&self, name: &[u8]) -> u64 {
        match std::str::from_utf8(name) {
            Ok(text) if self.rules.fold && !text.is_ascii() => {
                let folded: String = caseless::Caseless::default_case_fold(text.nfd()).nfd().collect();
                hash(folded.as_bytes())
            }
            _ if self.rules.fold => hash(&name.to_ascii_lowercase()),
            _ => hash(name),
        }
    }
}

fn twice(path: &str) -> Error {
    Error::InvalidInput(format!("the entry {} comes twice, or not in byte order", manifest::shown(path)))
}

/// Returns true for names that order alone does not prove unique: encoded ones, and all that could
/// look like them, or like a part of an escaped path.
fn is_unusual(name: &[u8]) -> bool {
    name.contains(&b'%')
        || name.starts_with(manifest::NAME.as_bytes())
        || std::str::from_utf8(name).map_or(true, |n| n.contains('\u{f8ff}'))
}

fn hash(bytes: &[u8]) -> u64 {
    let hash = blake3::hash(bytes);
    hash.as_bytes()[..8].iter().fold(0, |n, &b| n << 8 | u64::from(b))
}

/// Returns a component as the target can hold it.
fn encode_component(raw: &[u8], rules: Rules) -> Cow<'_, [u8]> {
    if raw.is_empty() {
        return Cow::Borrowed(b"%_");
    }
    let bad = bad_bytes(raw, rules);
    let encoded = if bad.is_empty() {
        Cow::Borrowed(raw)
    } else {
        let mut bad = bad.into_iter().peekable();
        let mut out = Vec::with_capacity(raw.len() + 8);
        for (at, &byte) in raw.iter().enumerate() {
            if bad.next_if_eq(&at).is_some() || byte == b'%' {
                out.extend_from_slice(format!("%{byte:02X}").as_bytes());
            } else {
                out.push(byte);
            }
        }
        Cow::Owned(out)
    };
    if encoded.len() <= MAX_COMPONENT {
        return encoded;
    }
    Cow::Owned(with_hash(&encoded, &to_hex(&blake3::hash(raw).as_bytes()[..8])))
}

/// Returns the places of the bytes that cannot stand in a component, in order.
fn bad_bytes(raw: &[u8], rules: Rules) -> Vec<usize> {
    if raw == b"." || raw == b".." {
        return (0..raw.len()).collect();
    }
    let mut bad = Vec::new();
    if rules.windows && is_windows_device(raw) {
        bad.push(0);
    }
    let mut at = 0;
    for chunk in raw.utf8_chunks() {
        for (i, byte) in chunk.valid().bytes().enumerate() {
            let windows = byte < b' ' || byte == 0x7f || b"<>:\"\\|?*".contains(&byte);
            let is_last = at + i + 1 == raw.len();
            let end = is_last && (byte == b'.' || byte == b' ');
            let drive = at + i == 1 && byte == b':' && raw[0].is_ascii_alphabetic();
            let leads_out = byte == b'\\' || drive;
            if byte == 0 || rules.windows && (windows || end) || rules.zip && leads_out {
                bad.push(at + i);
            }
        }
        at += chunk.valid().len();
        if rules.utf8 {
            bad.extend(at..at + chunk.invalid().len());
        }
        at += chunk.invalid().len();
    }
    bad
}

/// Returns true for `NUL`, `com1.txt` and the like, which Windows opens as devices in any folder.
fn is_windows_device(raw: &[u8]) -> bool {
    let stem = raw.split(|&b| b == b'.').next().unwrap_or(raw).trim_ascii_end().to_ascii_uppercase();
    match &stem[..] {
        b"CON" | b"PRN" | b"AUX" | b"NUL" | b"CONIN$" | b"CONOUT$" | b"CLOCK$" => true,
        [b'C', b'O', b'M', rest @ ..] | [b'L', b'P', b'T', rest @ ..] => {
            matches!(rest, [b'0'..=b'9'] | b"\xc2\xb9" | b"\xc2\xb2" | b"\xc2\xb3")
        }
        _ => false,
    }
}

/// Puts digits of a hash before a component's ending, and cuts its beginning where it gets too long.
fn with_hash(component: &[u8], digits: &str) -> Vec<u8> {
    let ending = ending(component);
    let mut stem = &component[..component.len() - ending.len()];
    let room = MAX_COMPONENT - 2 - digits.len() - ending.len();
    if stem.len() > room {
        stem = cut(stem, room);
    }
    [stem, b"%~", digits.as_bytes(), ending].concat()
}

/// Cuts between characters, and not within a `%XX`.
fn cut(stem: &[u8], mut at: usize) -> &[u8] {
    while at > 0 && stem.get(at).is_some_and(|b| b & 0xc0 == 0x80) {
        at -= 1;
    }
    match stem[..at].iter().rposition(|&b| b == b'%') {
        Some(percent) if percent + 3 > at => &stem[..percent],
        _ => &stem[..at],
    }
}

/// Returns a name's ending with its dot (what tells its type), if it has a plain short one.
fn ending(component: &[u8]) -> &[u8] {
    match component.iter().rposition(|&b| b == b'.') {
        Some(at) if at > 0 && component.len() - at <= 16 => {
            let plain = component[at + 1..].iter().all(u8::is_ascii_alphanumeric);
            if plain && at + 1 < component.len() { &component[at..] } else { b"" }
        }
        _ => b"",
    }
}

#[cfg(test)]
mod tests;
