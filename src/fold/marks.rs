//! Letters with their marks, which the title key drops and a stemmer may need.

use unicode_normalization::char::{canonical_combining_class, decompose_canonical};

use super::{
    compose_as_frozen, fold_case, is_common_mark, is_latin_or_greek, is_touched, spelling, title_key,
};

/// Replaces the contents of `out` by a Latin letter in lower case with its marks, if the title key
/// would spell it without something: marks of set D of its rule, or by another letter, as `ø` by `o`.
///
/// `cluster` is the letter and what marks follow it. Returns false, and leaves `out` empty, for all
/// else: letters without marks, `ß`, and `İ`, whose lower case is `i`.
pub(crate) fn marked_letter(cluster: &str, out: &mut String) -> bool {
    out.clear();
    let mut base = None;
    let mut is_complete = false;
    let mut marks: Vec<(u8, char)> = Vec::new();
    let mut take = |c: char| {
        if base.is_none() {
            // In the key's order: spelling, then case.
            base = Some(if is_respelled(c) { c } else { fold_lower(c) });
        } else if is_complete {
            // It sits on another base.
        } else if is_common_mark(c) {
            marks.push((canonical_combining_class(c), c));
        } else {
            is_complete = !is_touched(c) || (spelling(c) != Some("") && canonical_combining_class(c) == 0);
        }
    };
    for c in cluster.chars() {
        // What Unicode 16.0 does not know has no decomposition.
        if !c.is_ascii() && is_touched(c) { decompose_canonical(c, &mut take) } else { take(c) }
    }
    let Some(mut letter) = base.filter(|&c| is_latin(c) && is_settled(c)) else { return false };
    if (marks.is_empty() && !is_respelled(letter)) || (letter == 'i' && matches!(marks[..], [(_, '\u{307}')]))
    {
        return false;
    }
    // A mark of class 0 is passed by none.
    for run in marks.chunk_by_mut(|_, &(class, _)| class != 0) {
        run.sort_by_key(|&(class, _)| class);
    }
    let mut last_kept_class = None;
    let mut is_blocked = false;
    marks.retain(|&(class, mark)| {
        is_blocked |= class == 0;
        if !is_blocked
            && last_kept_class < Some(class)
            && let Some(composed) = compose_as_frozen(letter, mark)
        {
            letter = composed;
            return false;
        }
        last_kept_class = Some(class);
        true
    });
    out.push(letter);
    out.extend(marks.iter().map(|&(_, mark)| mark));
    true
}

/// Whether `c`, folded, is a Latin base of the title key's rule.
fn is_latin(c: char) -> bool {
    let is_greek = matches!(c,
        '\u{371}'..='\u{3fc}'
        | '\u{1d26}'..='\u{1d2a}'
        | '\u{ab65}'
        | '\u{10140}'..='\u{1018e}'
        | '\u{101a0}'
        | '\u{1d200}'..='\u{1d245}');
    // What is respelled is never a base to the rule.
    (is_latin_or_greek(c) && !is_greek) || is_respelled(c)
}

/// Whether the title key spells a letter by another one.
fn is_respelled(c: char) -> bool {
    matches!(c, 'æ' | 'ð' | 'đ' | 'ħ' | 'ı' | 'ł' | 'ø' | 'œ' | 'ŧ' | 'þ')
}

/// Whether the title key does nothing more to a letter: it takes `ǆ` apart, for one.
fn is_settled(c: char) -> bool {
    c.is_ascii() || is_respelled(c) || title_key(c.encode_utf8(&mut [0; 4])).chars().eq([c])
}

fn fold_lower(c: char) -> char {
    if c.is_ascii() { c.to_ascii_lowercase() } else { fold_case(c) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(cluster: &str) -> Option<String> {
        let mut out = String::from("left over");
        marked_letter(cluster, &mut out).then_some(out)
    }

    #[test]
    fn latin_letters_keep_their_marks_in_lower_case() {
        for (cluster, expected) in [
            ("É", "é"),
            ("E\u{301}", "é"),
            ("ệ", "ệ"),
            ("E\u{302}\u{323}", "ệ"),
            ("Ø", "ø"),
            ("Ǿ", "ǿ"),
            ("ı", "ı"),
            ("x\u{30c}", "x\u{30c}"),
            ("i\u{308}\u{307}", "ï\u{307}"),
        ] {
            assert_eq!(marked(cluster).as_deref(), Some(expected), "{cluster}");
        }
        for plain in ["e", "Ǆ\u{301}", "ß", "ẞ", "İ", "ά", "ё", "й", "1\u{301}", "中", ""] {
            assert_eq!(marked(plain), None, "{plain}");
        }
    }

    #[test]
    fn a_marked_letter_folds_as_its_cluster_does() {
        for c in '\0'..=char::MAX {
            if let Some(letter) = marked(c.encode_utf8(&mut [0; 4])) {
                assert_eq!(title_key(&letter), title_key(&c.to_string()), "{c}");
                assert_eq!(marked(&letter), Some(letter));
            }
        }
    }
}
