//! Lengths as readers of ZIM count them: in graphemes, what a person takes for one letter.

use unicode_normalization::char::is_combining_mark;

/// Marks that by Unicode's rules begin a grapheme of their own.
const SEPARATE: [std::ops::RangeInclusive<char>; 17] = [
    '\u{102b}'..='\u{102c}',
    '\u{1038}'..='\u{1038}',
    '\u{1062}'..='\u{1064}',
    '\u{1067}'..='\u{106d}',
    '\u{1083}'..='\u{1083}',
    '\u{1087}'..='\u{108c}',
    '\u{108f}'..='\u{108f}',
    '\u{109a}'..='\u{109c}',
    '\u{1a61}'..='\u{1a61}',
    '\u{1a63}'..='\u{1a64}',
    '\u{aa7b}'..='\u{aa7b}',
    '\u{aa7d}'..='\u{aa7d}',
    '\u{11720}'..='\u{11721}',
    // Not marks at all, so that the list has one home: nothing joins behind a break of lines.
    '\n'..='\n',
    '\r'..='\r',
    '\u{2028}'..='\u{2028}',
    '\u{2029}'..='\u{2029}',
];

fn joins(before: char, c: char) -> bool {
    let extends = is_combining_mark(c) || matches!(c, '\u{200c}' | '\u{200d}');
    extends && !before.is_control() && !SEPARATE.iter().any(|range| range.contains(&c))
}

/// Returns where graphemes begin.
///
/// Marks belong to the letter before them. Emoji of several parts, flags and Hangul spelt in letters
/// are counted by their parts: a text is never taken for shorter than it is.
fn starts(text: &str) -> impl Iterator<Item = usize> + '_ {
    let mut before = '\n';
    text.char_indices().filter_map(move |(at, c)| {
        let joined = joins(before, c);
        before = c;
        (!joined).then_some(at)
    })
}

/// Returns the number of graphemes of a text.
pub fn graphemes(text: &str) -> usize {
    starts(text).count()
}

/// Returns a text of at most so many graphemes: cut behind a word, or in one that is half as long as
/// all that is allowed, with an ellipsis.
pub fn shorten(text: &str, longest: usize) -> String {
    let text = text.trim();
    let Some(end) = starts(text).nth(longest.saturating_sub(1)) else { return text.to_owned() };
    if starts(text).nth(longest).is_none() {
        return text.to_owned();
    }
    let head = &text[..end];
    let cut_word = !text[end..].starts_with(char::is_whitespace);
    let behind_word = if cut_word { head.rfind(char::is_whitespace) } else { Some(end) };
    let kept = match behind_word {
        Some(at) if graphemes(&head[..at]) * 2 >= longest => &head[..at],
        _ => head,
    };
    let kept =
        kept.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '-' | '–' | '—'));
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_no_letters_of_their_own() {
        for (text, n) in
            [("", 0), ("abc", 3), ("e\u{301}a", 2), ("हिन्दी", 3), ("\u{301}a", 2), ("\n\u{301}", 2)]
        {
            assert_eq!(graphemes(text), n, "{text:?}");
        }
    }

    #[test]
    fn texts_are_cut_at_words() {
        assert_eq!(shorten("short enough", 12), "short enough");
        assert_eq!(shorten("a text of several words", 12), "a text of…");
        assert_eq!(shorten("a text of several words", 10), "a text of…");
        assert_eq!(shorten("words, and more words", 8), "words…");
        assert_eq!(shorten("Donaudampfschifffahrt", 8), "Donauda…");
        assert_eq!(shorten("x Donaudampfschifffahrt", 8), "x Donau…");
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]
        #[test]
        fn what_is_cut_fits(text in "([a-c ,]|\\PC|e\u{301}){0,60}", longest in 1usize..40) {
            let cut = shorten(&text, longest);
            proptest::prop_assert!(graphemes(&cut) <= longest, "{cut:?}");
            proptest::prop_assert_eq!(shorten(&cut, longest), cut);
        }
    }
}
