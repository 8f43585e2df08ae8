//! Places between characters.

/// Returns the last border of characters at or before `at`, the text's end at most.
pub fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// Returns the first border of characters at or behind `at`, the text's end at most.
pub fn ceil(text: &str, at: usize) -> usize {
    (at..text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_are_between_characters() {
        let text = "aé漢";
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 9].map(|at| floor(text, at)), [0, 1, 1, 3, 3, 3, 6, 6]);
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 9].map(|at| ceil(text, at)), [0, 1, 3, 3, 6, 6, 6, 6]);
        assert_eq!((floor("", 3), ceil("", 3)), (0, 0));
    }
}
