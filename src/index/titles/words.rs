//! What words a title has, and which end of it nobody types.
//!
//! Writer and reader split with these functions, so lists of rows and what they are compared with
//! agree. Both work on title keys: letters are folded already.

use super::letters::is_word_char;
use crate::fold::title_key;
use crate::format::strings::KEY_INLINE;

/// Iterates over the words of a key: runs of letters, marks and numbers, each with the byte where it
/// begins.
pub fn words(key: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = key.get(at..)?;
        let start = at + rest.find(is_word_char)?;
        let rest = &key[start..];
        let len = rest.find(|c| !is_word_char(c)).unwrap_or(rest.len());
        at = start + len;
        Some((start, &rest[..len]))
    })
}

/// Returns what the title suffix is at the end of a key. A suffix alone would lose the space that it
/// begins with.
pub fn ending(suffix: &str) -> String {
    let key = title_key(&format!("a{suffix}"));
    key.strip_prefix('a').unwrap_or_default().to_string()
}

/// Returns a key without the ending, if it ends so and holds more.
pub fn bare<'k>(key: &'k str, ending: &str) -> &'k str {
    match key.strip_suffix(ending) {
        Some(rest) if !rest.is_empty() && key.len() < KEY_INLINE => rest,
        _ => key,
    }
}

/// Returns the text of a stored key, which may have been cut inside of a letter.
pub fn text(key: &[u8]) -> &str {
    match std::str::from_utf8(key) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&key[..error.valid_up_to()]).unwrap_or_default(),
    }
}

/// Returns true if a word that begins a key ends before a byte that sorts before digits and letters
/// (or with the key): all such rows stand together in the title table, and need no list.
pub fn is_first(key: &str, start: usize, word: &str) -> bool {
    start == 0 && key.as_bytes().get(word.len()).is_none_or(|&b| b < AFTER_FIRST)
}

/// The first byte that is not a separator behind a first word: a digit.
pub const AFTER_FIRST: u8 = b'0';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_runs_of_letters_marks_and_digits() {
        let split = |key| words(key).collect::<Vec<_>>();
        assert_eq!(
            split("don't stop (2nd ed.)"),
            [(0, "don"), (4, "t"), (6, "stop"), (12, "2nd"), (16, "ed")]
        );
        assert_eq!(split("c++"), [(0, "c")]);
        assert_eq!(split("std::vector<t>"), [(0, "std"), (5, "vector"), (12, "t")]);
        assert_eq!(split("東京 タワー"), [(0, "東京"), (7, "タワー")]);
        assert_eq!(split(" -+ "), []);
        assert_eq!(split(""), []);
    }

    #[test]
    fn an_ending_keeps_its_space_and_is_taken_off_once() {
        assert_eq!(ending(" - Rust"), " - rust");
        assert_eq!(ending(""), "");
        assert_eq!(bare("vec - rust", " - rust"), "vec");
        assert_eq!(bare("vec", " - rust"), "vec");
        assert_eq!(bare(" - rust", " - rust"), " - rust");
        assert_eq!(bare("vec", ""), "vec");
    }

    #[test]
    fn first_words_end_before_a_separator_below_the_digits() {
        assert!(is_first("vec", 0, "vec") && is_first("vec in std", 0, "vec") && is_first("c++", 0, "c"));
        assert!(!is_first("std::vec", 0, "std") && !is_first("std vec", 4, "vec"));
    }
}
