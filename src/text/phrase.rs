//! Whether a page holds a phrase: words that follow each other.

use std::collections::VecDeque;
use std::ops::{ControlFlow, Range};

use super::search_text::{Field, Listener, read};
use super::words::{Words, folded};

/// How many words of a phrase count; what follows them is not looked for.
pub const MAX_WORDS: usize = 64;

/// Words that follow each other in one block of text, whatever stands between them that is no word.
///
/// Words are compared folded, so that marks and case do not count. In scripts that are written without
/// spaces each character is a word here, and those that follow each other directly in the phrase have
/// to do so in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// At least one, at most [`MAX_WORDS`].
    tokens: Vec<Token>,
    /// The first bytes of all of them, as bits: most words of a page are none of a phrase.
    first_bytes: [u64; 4],
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    folded: Vec<u8>,
    /// True for a character that follows the one before directly.
    is_joined: bool,
}

/// Passes the words of a text, character by character where pairs are filed.
fn tokens(text: &str, take: &mut impl FnMut(&[u8], bool, Range<usize>) -> ControlFlow<()>) {
    let mut words = Words::new(text);
    while let Some(word) = words.next() {
        let flow = match word.grams {
            None => take(folded(word.key), false, word.range),
            Some(grams) => {
                let (first, second) = word.key.split_at(grams.second_key.min(word.key.len()));
                let mut flow = ControlFlow::Continue(());
                if !grams.goes_on {
                    flow = take(first, false, word.range.start..grams.second);
                }
                if flow.is_continue() && !second.is_empty() {
                    flow = take(second, true, grams.second..word.range.end);
                }
                flow
            }
        };
        if flow.is_break() {
            return;
        }
    }
}

impl Phrase {
    /// Returns the phrase that a text is; `None` for a text without words.
    pub fn new(text: &str) -> Option<Self> {
        let mut found = vec![];
        let mut first_bytes = [0; 4];
        tokens(text, &mut |folded, is_joined, _| {
            if let Some(&first) = folded.first() {
                first_bytes[usize::from(first / 64)] |= 1 << (first % 64);
            }
            found.push(Token { folded: folded.to_vec(), is_joined });
            if found.len() < MAX_WORDS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        (!found.is_empty()).then_some(Self { tokens: found, first_bytes })
    }

    /// Returns true if a page holds the phrase in one of its blocks: see [`read`]. Stops there.
    pub fn is_in(&self, content: &[u8], mime: &str) -> bool {
        Self::each_in(&[self], content, mime, &mut || false) == [true]
    }

    /// Tells for each of some phrases whether a page holds it, in one pass. Stops where it has found the
    /// last one, or where `is_over` says so, which it is asked once in a few blocks.
    pub fn each_in(
        phrases: &[&Self],
        content: &[u8],
        mime: &str,
        is_over: &mut dyn FnMut() -> bool,
    ) -> Vec<bool> {
        let found = vec![false; phrases.len()];
        let mut checker = Checker { phrases, found, blocks: 0, is_over };
        if !phrases.is_empty() {
            read(content, mime, &mut checker);
        }
        checker.found
    }

    /// Returns true if a text, such as a title, holds the phrase.
    pub fn is_in_text(&self, text: &str) -> bool {
        let mut is_found = false;
        self.each_in_text(text, |_| {
            is_found = true;
            ControlFlow::Break(())
        });
        is_found
    }

    /// Passes where the phrase stands in a text, in bytes, until `take` breaks.
    pub fn each_in_text(&self, text: &str, mut take: impl FnMut(Range<usize>) -> ControlFlow<()>) {
        let last = 1 << (self.tokens.len() - 1);
        // Bit i: the words so far end with the first i + 1 words of the phrase.
        let mut state = 0_u64;
        let mut starts = VecDeque::with_capacity(self.tokens.len());
        tokens(text, &mut |folded, is_joined, range| {
            if starts.len() == self.tokens.len() {
                starts.pop_front();
            }
            starts.push_back(range.start);
            state = ((state << 1) | 1) & self.places(folded, is_joined);
            match starts.front() {
                Some(&start) if state & last != 0 => take(start..range.end),
                _ => ControlFlow::Continue(()),
            }
        });
    }

    /// Returns where in the phrase a word stands, as bits.
    fn places(&self, folded: &[u8], is_joined: bool) -> u64 {
        let Some(&first) = folded.first() else { return 0 };
        if self.first_bytes[usize::from(first / 64)] >> (first % 64) & 1 == 0 {
            return 0;
        }
        let mut places = 0;
        for (place, token) in self.tokens.iter().enumerate() {
            let fits = token.folded == folded && (place == 0 || token.is_joined == is_joined);
            places |= u64::from(fits) << place;
        }
        places
    }
}

/// Blocks between two looks at the clock.
const LOOK: u32 = 16;

struct Checker<'p> {
    phrases: &'p [&'p Phrase],
    found: Vec<bool>,
    blocks: u32,
    is_over: &'p mut dyn FnMut() -> bool,
}

impl Listener for Checker<'_> {
    fn block(&mut self, _field: Field, text: &str) -> ControlFlow<()> {
        for (phrase, found) in self.phrases.iter().zip(&mut self.found) {
            *found = *found || phrase.is_in_text(text);
        }
        self.blocks += 1;
        let is_over = self.blocks.is_multiple_of(LOOK) && (self.is_over)();
        if is_over || self.found.iter().all(|&found| found) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_in(phrase: &str, html: &str) -> bool {
        Phrase::new(phrase).unwrap().is_in(html.as_bytes(), "text/html")
    }

    #[test]
    fn words_follow_each_other_across_markup_but_not_blocks() {
        let html = "<title>no title</title><p>The <b>qu</b>ick, brown <i>Fox</i>\n-- jumps<br>over<p>the dog";
        for phrase in ["quick brown fox", "QUICK-BROWN", "fox jumps over", "dog", "the quick"] {
            assert!(is_in(phrase, html), "{phrase}");
        }
        for phrase in ["over the", "quick fox", "brown quick", "fox jump", "title", "he quick"] {
            assert!(!is_in(phrase, html), "{phrase}");
        }
    }

    #[test]
    fn marks_and_entities_do_not_count() {
        assert!(is_in("creme brulee", "<p>la crème&nbsp;brûl&eacute;e"));
        assert!(is_in("crème brûlée", "<p>la creme brulee"));
        assert!(is_in("don't do", "<p>don\u{2019}t do"));
    }

    #[test]
    fn repeated_beginnings_are_no_trap() {
        assert!(is_in("a a b", "<p>a a a b"));
        assert!(is_in("a b a c", "<p>a b a b a c"));
        assert!(!is_in("a a b", "<p>a b a b"));
    }

    #[test]
    fn characters_follow_each_other_directly() {
        for phrase in ["東京都", "京都", "都", "京都に行く", "2024年", "を2"] {
            assert!(is_in(phrase, "<p>東<b>京</b>都に行く、2024年度 本を2冊"), "{phrase}");
        }
        for phrase in ["東都", "京 都", "く2024年"] {
            assert!(!is_in(phrase, "<p>東京都に行く、本年2024年度"), "{phrase}");
        }
        assert!(!is_in("東京京都", "<p>東京、京都"));
        assert!(is_in("東京 京都", "<p>東京、京都"));
    }

    #[test]
    fn places_are_those_of_whole_words() {
        let text = "one Two, three two three";
        let mut places = vec![];
        Phrase::new("two three").unwrap().each_in_text(text, |range| {
            places.push(&text[range]);
            ControlFlow::Continue(())
        });
        assert_eq!(places, ["Two, three", "two three"]);
    }

    #[test]
    fn all_of_several_are_asked_for() {
        let phrases = ["a b", "c"].map(|text| Phrase::new(text).unwrap());
        let phrases: Vec<&Phrase> = phrases.iter().collect();
        let each = |html: &[u8], mime| Phrase::each_in(&phrases, html, mime, &mut || false);
        assert!(each(b"<p>c<p>a b", "text/html").iter().all(|&found| found));
        assert_eq!(each(b"<p>c<p>a", "text/html").iter().filter(|&&found| found).count(), 1);
        assert!(!each(b"c a b", "image/png").contains(&true));
        // Asked whether it is over, and told so.
        let late = Phrase::each_in(&phrases, &b"<p>x".repeat(100), "text/html", &mut || true);
        assert!(!late.contains(&true));
        let page = [&b"<p>x".repeat(100)[..], b"<p>c<p>a b"].concat();
        assert!(!Phrase::each_in(&phrases, &page, "text/html", &mut || true).contains(&true));
    }

    #[test]
    fn phrases_have_bounds() {
        assert_eq!(Phrase::new(" ... "), None);
        let long = "w ".repeat(10_000);
        let phrase = Phrase::new(&long).unwrap();
        assert_eq!(phrase.tokens.len(), MAX_WORDS);
        assert!(phrase.is_in_text(&long));
        assert!(!phrase.is_in_text(&"w ".repeat(63)));
        let letters = "a".repeat(1 << 20);
        assert!(Phrase::new(&letters).unwrap().is_in(letters.as_bytes(), "text/html"));
    }
}
