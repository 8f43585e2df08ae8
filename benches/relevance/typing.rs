//! What people make of a title when they type it.

use tome::fold::title_key;
use unicode_normalization::UnicodeNormalization;

use crate::common::model::Random;

/// Returns a title in lower case, its letters without marks, its dashes and quotes plain.
pub fn plain(title: &str) -> String {
    title
        .nfd()
        .filter(|c| !matches!(c, '\u{300}'..='\u{36f}'))
        .nfc()
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
            '\u{2018}' | '\u{2019}' => '\'',
            '\u{201c}' | '\u{201d}' => '"',
            _ => c,
        })
        .collect()
}

/// Returns the first so many per cent of a text's characters, rounded, at least one.
pub fn first_part(text: &str, percent: usize) -> String {
    let wanted = (text.chars().count() * percent + 50) / 100;
    text.chars().take(wanted.max(1)).collect()
}

/// Returns how many letters and digits a text has.
pub fn letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

/// What a slip of the finger does. They come in turn.
#[derive(Clone, Copy)]
pub enum Slip {
    Insert,
    Delete,
    Substitute,
    Transpose,
}

impl Slip {
    /// Returns the slip whose turn it is.
    pub fn in_turn(turn: usize) -> Self {
        [Self::Insert, Self::Delete, Self::Substitute, Self::Transpose][turn % 4]
    }
}

/// Makes slips, each at any place. None undoes another, as far as folding can tell (a capital letter
/// for a small one is no typo), so the text is at least so many edits from what was meant.
pub fn mistyped(text: &str, slips: &[Slip], random: &mut Random) -> Option<String> {
    let meant: Vec<char> = title_key(text).chars().collect();
    for _ in 0..50 {
        let mut typed: Vec<char> = text.chars().collect();
        for &slip in slips {
            make(slip, &mut typed, random);
        }
        let typed: String = typed.into_iter().collect();
        let seen: Vec<char> = title_key(&typed).chars().collect();
        if edits(&meant, &seen) >= slips.len() {
            return Some(typed);
        }
    }
    None
}

fn make(slip: Slip, typed: &mut Vec<char>, random: &mut Random) {
    let letter = char::from(b'a' + random.below(26) as u8);
    let len = typed.len();
    match slip {
        Slip::Insert => typed.insert(random.below(len + 1), letter),
        Slip::Delete if len > 0 => {
            typed.remove(random.below(len));
        }
        Slip::Substitute if len > 0 => typed[random.below(len)] = letter,
        Slip::Transpose if len > 1 => {
            let at = random.below(len - 1);
            typed.swap(at, at + 1);
        }
        Slip::Delete | Slip::Substitute | Slip::Transpose => {}
    }
}

/// Returns how many slips turn one text into another, none of them touching what another made.
pub fn edits(from: &[char], to: &[char]) -> usize {
    let width = to.len() + 1;
    let mut rows = [vec![0; width], (0..width).collect::<Vec<_>>(), vec![0; width]];
    for (i, a) in from.iter().enumerate() {
        let [before, last, row] = &mut rows;
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let mut least = (last[j] + usize::from(a != b)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && from[i - 1] == *b && to[j - 1] == *a {
                least = least.min(before[j - 1] + 1);
            }
            row[j + 1] = least;
        }
        rows.rotate_left(1);
    }
    rows[1][to.len()]
}
