//! How far a text is from a pattern: letters put in, left out, exchanged, or two neighbours swapped.
//!
//! Each of a state's words has a bit for every number of the pattern's letters that the text so far
//! may stand for, at so many typos (Wu and Manber, "Fast Text Searching Allowing Errors", CACM 1992,
//! with swaps as of Hyyrö 2003): a letter is a dozen operations, however long the pattern.

/// The most letters of a pattern; what is typed beyond decides nothing.
pub const MAX_LETTERS: usize = 60;

/// More than the most typos.
pub const FAR: u8 = u8::MAX;

/// What a text so far may stand for.
#[derive(Debug, Clone, Copy, Default)]
pub struct State {
    /// At no, one and two typos.
    rows: [u64; 3],
    /// Places where the text has the second of two letters and may go on with the first.
    swaps: [u64; 2],
    /// The fewest typos with which some beginning of the text is the whole pattern.
    pub best: u8,
}

/// What was typed, ready to be compared with many texts.
pub struct Pattern {
    len: usize,
    ascii: [u64; 128],
    others: Vec<(char, u64)>,
    typos: u8,
    mask: u64,
}

impl Pattern {
    /// Prepares a pattern for up to `typos` typos, of which there are at most two.
    pub fn new(text: &str, typos: u8) -> Self {
        let mut pattern = Self { len: 0, ascii: [0; 128], others: vec![], typos: typos.min(2), mask: 0 };
        for c in text.chars().take(MAX_LETTERS) {
            let bit = 1 << pattern.len;
            if let Some(places) = pattern.ascii.get_mut(c as usize) {
                *places |= bit;
            } else if let Some(other) = pattern.others.iter_mut().find(|o| o.0 == c) {
                other.1 |= bit;
            } else {
                pattern.others.push((c, bit));
            }
            pattern.len += 1;
        }
        pattern.mask = (2 << pattern.len) - 1;
        pattern
    }

    /// Returns the number of its letters that count.
    pub fn letters(&self) -> usize {
        self.len
    }

    /// Returns the state of an empty text.
    pub fn start(&self) -> State {
        let rows = [1, 3, 7].map(|bits: u64| bits & self.mask);
        let mut state = State { rows, swaps: [0; 2], best: FAR };
        state.rows.iter_mut().skip(usize::from(self.typos) + 1).for_each(|row| *row = 0);
        state.best = self.typos_of(&state);
        state
    }

    /// Returns the fewest typos with which the text is the whole pattern, or [`FAR`].
    #[inline]
    pub fn typos_of(&self, state: &State) -> u8 {
        let end = 1 << self.len;
        match state.rows.map(|row| row & end != 0) {
            [true, ..] => 0,
            [_, true, _] => 1,
            [_, _, true] => 2,
            _ => FAR,
        }
    }

    /// Returns the state after one more letter.
    #[inline]
    pub fn step(&self, state: &State, c: char) -> State {
        let places = match self.ascii.get(c as usize) {
            Some(&places) => places,
            None => self.others.iter().find(|o| o.0 == c).map_or(0, |o| o.1),
        };
        let [none, one, two] = state.rows;
        let [swap, second_swap] = state.swaps;
        let mut next = State { rows: [(none & places) << 1, 0, 0], swaps: [0; 2], best: state.best };
        if self.typos > 0 {
            // The same letter; one put in; one exchanged; one left out; two swapped.
            next.rows[1] =
                ((one & places) << 1 | none | none << 1 | next.rows[0] << 1 | (swap & places) << 2)
                    & self.mask;
            next.swaps[0] = none & places >> 1;
        }
        if self.typos > 1 {
            next.rows[2] =
                ((two & places) << 1 | one | one << 1 | next.rows[1] << 1 | (second_swap & places) << 2)
                    & self.mask;
            next.swaps[1] = one & places >> 1;
        }
        next.best = next.best.min(self.typos_of(&next));
        next
    }

    /// Returns true if no text that goes on can be the pattern with fewer than `than` typos.
    ///
    /// A swap under way needs no look: what it would cost, a letter put in cost already.
    #[inline]
    pub fn is_settled(&self, state: &State, than: u8) -> bool {
        state.rows.iter().take(usize::from(than)).fold(0, |all, row| all | row) == 0
    }

    /// Returns how many typos a text is away, or [`FAR`]; with `prefix`, the nearest of its beginnings.
    pub fn distance(&self, text: &str, prefix: bool) -> u8 {
        let mut state = self.start();
        for c in text.chars() {
            state = self.step(&state, c);
            let than = if prefix { state.best } else { FAR };
            if self.is_settled(&state, than) {
                break;
            }
        }
        if prefix { state.best } else { self.typos_of(&state) }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same by the table of the textbook: restricted Damerau-Levenshtein.
    pub(crate) fn by_table(pattern: &str, text: &str, prefix: bool) -> usize {
        let (a, b): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
        let mut table = vec![vec![0usize; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                table[i][j] = if i == 0 || j == 0 {
                    i + j
                } else {
                    let exchanged = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                    let mut best = exchanged.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                    if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                        best = best.min(table[i - 2][j - 2] + 1);
                    }
                    best
                };
            }
        }
        if prefix { *table[a.len()].iter().min().unwrap() } else { table[a.len()][b.len()] }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn distances_are_those_of_the_table(pattern in "[abcé]{0,12}", text in "[abcé]{0,14}", typos in 0..3u8, prefix: bool) {
            let expected = by_table(&pattern, &text, prefix);
            let got = Pattern::new(&pattern, typos).distance(&text, prefix);
            let expected = if expected <= usize::from(typos) { expected as u8 } else { FAR };
            prop_assert_eq!(got, expected);
        }
    }

    #[test]
    fn patterns_of_any_length_are_cut() {
        let long = "a".repeat(1_000_000);
        assert_eq!(Pattern::new(&long, 2).distance(&"a".repeat(MAX_LETTERS), false), 0);
        assert_eq!(Pattern::new("", 0).distance("", false), 0);
        assert_eq!(Pattern::new("", 1).distance("a", false), 1);
    }
}
