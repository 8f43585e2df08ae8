//! Words and phrases of a page, told apart by rules that share nothing with the index.

use tome::fold::title_key;
use unicode_normalization::char::is_combining_mark;

use crate::common::model::Random;

/// Whether a character can stand in a word.
pub fn in_word(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}

/// Returns the runs of letters, digits and marks of a text. An apostrophe ends a word.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !in_word(c)).filter(|word| !word.is_empty())
}

/// Returns the words of letters alone, of at least so many of them.
pub fn plain_words(text: &str, letters: usize) -> impl Iterator<Item = &str> {
    words(text)
        .filter(|word| !word.contains(|c: char| !c.is_alphabetic() && !is_combining_mark(c)))
        .filter(move |word| word.chars().count() >= letters)
}

/// Returns the folded words of a text, each with one space before and behind it.
pub fn in_a_row(text: &str) -> String {
    let mut row = String::from(" ");
    for word in words(text) {
        row.push_str(&title_key(word));
        row.push(' ');
    }
    row
}

/// The words of a phrase.
const PHRASE: usize = 6;

/// Draws a phrase of six words from a text, as a person would copy it: from within one line, what is
/// no letter cut off its ends, quotation marks left out. At least three of the words have three letters
/// or more.
pub fn phrase(text: &str, random: &mut Random) -> Option<String> {
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    let starts = |line: &Vec<&str>| (line.len() + 1).saturating_sub(PHRASE);
    let all: usize = lines.iter().map(starts).sum();
    if all == 0 {
        return None;
    }
    for _ in 0..20 {
        let mut at = random.below(all);
        for line in &lines {
            if at >= starts(line) {
                at -= starts(line);
                continue;
            }
            if let Some(phrase) = line.get(at..at + PHRASE).and_then(copied) {
                return Some(phrase);
            }
            break;
        }
    }
    None
}

/// Returns what a person copies of some words, if they make a phrase.
fn copied(words: &[&str]) -> Option<String> {
    if !words.iter().all(|word| word.contains(in_word)) {
        return None;
    }
    if words.iter().filter(|word| plain_words(word, 3).next().is_some()).count() < 3 {
        return None;
    }
    let joined = words.join(" ").replace(['"', '\u{201c}', '\u{201d}', '\u{201e}', '«', '»'], " ");
    let phrase = joined.trim_matches(|c| !in_word(c));
    Some(phrase.split_whitespace().collect::<Vec<_>>().join(" "))
}
