//! Keys of words, and the tails that keep what folding took.

use std::ops::Range;
use std::sync::LazyLock;

use super::classes::Class;
use super::{MAX_FOLDED, MAX_READ, MAX_TAIL, TAIL};
use crate::fold::marks::marked_letter;
use crate::fold::title_key_into;

/// Bytes in a tail that say how many places are passed over: this and the 29 behind it for one more
/// each.
const SKIP_ONE: u8 = 2;
/// The greatest such byte.
const SKIP_MOST: u8 = 0x1f;

/// The code points that [`SIMPLE`] covers: Latin beyond ASCII as far as words of today need it.
const SIMPLE_RANGES: [(u32, u32); 2] = [(0xc0, 0x24f), (0x1e00, 0x1eff)];
const SIMPLE_LEN: usize = 0x190 + 0x100;

/// A letter's fold, and what a tail has of it.
#[derive(Clone, Copy, Default)]
struct Simple {
    folded: [u8; 3],
    /// 0 for a letter that has to be looked at closely.
    folded_len: u8,
    marked: Option<char>,
}

/// Made from the general rule when it is first needed, so that there is but one rule.
static SIMPLE: LazyLock<[Simple; SIMPLE_LEN]> = LazyLock::new(|| {
    let mut table = [Simple::default(); SIMPLE_LEN];
    let (mut key, mut marked) = (String::new(), String::new());
    let codes = SIMPLE_RANGES.iter().flat_map(|&(first, last)| first..=last);
    for (simple, c) in table.iter_mut().zip(codes.filter_map(char::from_u32)) {
        title_key_into(c.encode_utf8(&mut [0; 4]), &mut key);
        if Class::of(c) != Class::Letter || key.len() > 3 {
            continue;
        }
        let has_marks = marked_letter(c.encode_utf8(&mut [0; 4]), &mut marked);
        let mut letters = marked.chars();
        let letter = letters.next();
        // Some marks stay beside their letter.
        if letters.next().is_none() {
            simple.folded[..key.len()].copy_from_slice(key.as_bytes());
            simple.folded_len = key.len() as u8;
            simple.marked = letter.filter(|_| has_marks);
        }
    }
    table
});

fn simple(c: char) -> Option<&'static Simple> {
    let code = u32::from(c);
    let [(first, last), (first_above, last_above)] = SIMPLE_RANGES;
    let place = match code {
        _ if (first..=last).contains(&code) => code - first,
        _ if (first_above..=last_above).contains(&code) => code - first_above + (last - first + 1),
        _ => return None,
    };
    SIMPLE.get(place as usize).filter(|simple| simple.folded_len > 0)
}

/// Makes keys, with buffers that are used again.
#[derive(Debug, Default)]
pub(super) struct KeyMaker {
    tail: Tail,
    folded: String,
    letter: String,
}

impl KeyMaker {
    /// Replaces the contents of `key` by the key of a word that begins with a letter.
    pub(super) fn key_into(&mut self, word: &str, key: &mut Vec<u8>) {
        key.clear();
        let word = match word.char_indices().nth(MAX_READ) {
            Some((end, _)) => &word[..end],
            None => word,
        };
        self.tail.clear();
        if !self.simple_key(word, key) {
            key.clear();
            self.tail.clear();
            self.any_key(word, key);
        }
        if key.len() > MAX_FOLDED {
            let is_inside = |&end: &usize| key[end] & 0xc0 == 0x80;
            let end = (0..=MAX_FOLDED).rev().find(|end| !is_inside(end)).unwrap_or(0);
            key.truncate(end);
        } else if !self.tail.bytes.is_empty() {
            key.push(TAIL);
            key.extend_from_slice(&self.tail.bytes);
        }
    }

    /// Makes the key of a word of letters that stand for themselves; returns false for others.
    fn simple_key(&mut self, word: &str, key: &mut Vec<u8>) -> bool {
        for c in word.chars() {
            if c.is_ascii() {
                key.push(c.to_ascii_lowercase() as u8);
            } else if let Some(simple) = simple(c) {
                let at = key.len();
                key.extend_from_slice(&simple.folded[..usize::from(simple.folded_len)]);
                if let Some(marked) = simple.marked {
                    self.tail.add(key, at..key.len(), marked.encode_utf8(&mut [0; 4]));
                }
            } else if Class::of(c) == Class::Apostrophe {
                key.push(b'\'');
            } else {
                return false;
            }
        }
        true
    }

    fn any_key(&mut self, word: &str, key: &mut Vec<u8>) {
        title_key_into(word, &mut self.folded);
        key.extend_from_slice(self.folded.as_bytes());
        // No Latin letter and no mark of one.
        if word
            .chars()
            .all(|c| matches!(c, '\u{370}'..='\u{1aaf}' | '\u{1f00}'..='\u{1fff}' | '\u{2d00}'..='\u{a69f}'))
        {
            return;
        }
        let (mut start, mut at) = (0, 0);
        while let Some(first) = word[start..].chars().next() {
            let rest = &word[start + first.len_utf8()..];
            let marks = rest.find(|c| Class::of(c) != Class::Mark).unwrap_or(rest.len());
            let cluster = &word[start..start + first.len_utf8() + marks];
            start += cluster.len();
            title_key_into(cluster, &mut self.folded);
            let end = at + self.folded.len();
            let is_whole = key.get(at..end).is_some_and(|there| there == self.folded.as_bytes());
            if is_whole && marked_letter(cluster, &mut self.letter) {
                // Other marks may stand behind the letter, which are no part of it.
                title_key_into(&self.letter, &mut self.folded);
                self.tail.add(key, at..at + self.folded.len().min(end - at), &self.letter);
            }
            at = end;
        }
    }
}

/// A tail that grows.
#[derive(Debug, Default)]
struct Tail {
    bytes: Vec<u8>,
    /// Where in the folded word the last letter ends.
    place: usize,
    is_full: bool,
}

impl Tail {
    fn clear(&mut self) {
        self.bytes.clear();
        self.place = 0;
        self.is_full = false;
    }

    /// Adds a letter that is folded to `at` of the folded word.
    fn add(&mut self, folded: &[u8], at: Range<usize>, letter: &str) {
        let (Some(passed), Some(sought)) = (folded.get(self.place..at.start), folded.get(at.clone())) else {
            return;
        };
        if sought.is_empty() {
            return;
        }
        let skips = count(passed, sought);
        let most = usize::from(SKIP_MOST - SKIP_ONE) + 1;
        // Where one letter finds no room, none behind it does.
        self.is_full |= self.bytes.len() + skips.div_ceil(most) + letter.len() > MAX_TAIL;
        if self.is_full {
            return;
        }
        self.bytes.resize(self.bytes.len() + skips / most, SKIP_MOST);
        if !skips.is_multiple_of(most) {
            self.bytes.push(SKIP_ONE - 1 + (skips % most) as u8);
        }
        self.bytes.extend_from_slice(letter.as_bytes());
        self.place = at.end;
    }
}

/// Counts the places of `sought`, which is not empty, from the left and without overlap.
fn count(bytes: &[u8], sought: &[u8]) -> usize {
    let (mut n, mut at) = (0, 0);
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let is_here = rest.starts_with(sought);
        n += usize::from(is_here);
        at += if is_here { sought.len() } else { 1 };
    }
    n
}

/// Returns the part of a key before its tail: the folded word.
pub fn folded(key: &[u8]) -> &[u8] {
    key.iter().position(|&byte| byte == TAIL).map_or(key, |end| &key[..end])
}

/// Returns the word of a key, in lower case, with its marks.
///
/// Takes any bytes. What of a tail makes no sense is passed over, so that the word still folds to
/// the part before the tail.
pub fn written(key: &[u8]) -> String {
    let folded = folded(key);
    let mut out = String::with_capacity(key.len());
    let mut rest = String::from_utf8_lossy(folded);
    let Some(tail) = key.get(folded.len() + 1..) else { return rest.into_owned() };
    let mut tail = String::from_utf8_lossy(tail);
    // Keys are short; these are not, and nobody wrote them.
    if tail.len() > MAX_TAIL || rest.len() > 4 * MAX_FOLDED {
        tail = "".into();
    }
    let (mut letters, mut letter_key) = (tail.as_ref(), String::new());
    let mut place = 0;
    loop {
        let skipped = letters.bytes().take_while(|byte| (SKIP_ONE..=SKIP_MOST).contains(byte)).count();
        let skips: usize = letters.bytes().take(skipped).map(|byte| usize::from(byte - SKIP_ONE) + 1).sum();
        letters = &letters[skipped..];
        let Some(first) = letters.chars().next() else { break };
        let marks = letters[first.len_utf8()..].find(|c| !is_mark(c));
        let end = marks.map_or(letters.len(), |marks| first.len_utf8() + marks);
        title_key_into(&letters[..end], &mut letter_key);
        let mut found = rest[place..].match_indices(letter_key.as_str());
        if let (false, Some((at, _))) = (letter_key.is_empty(), found.nth(skips)) {
            out.push_str(&rest[place..place + at]);
            out.push_str(&letters[..end]);
            place += at + letter_key.len();
        }
        letters = &letters[end..];
    }
    out.push_str(&rest.to_mut()[place..]);
    out
}

fn is_mark(c: char) -> bool {
    Class::of(c) == Class::Mark && c >= '\u{300}'
}
