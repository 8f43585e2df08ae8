//! Which parts of pages repeat on most of them: navigation, notices, what a template adds.
//!
//! Decided while pages pass, in their order: a part counts as repeated from the page on on which that
//! shows. What was taken for the page's own before, on a few first pages, weighs as such.

use std::collections::HashMap;

/// A part repeats if it was on this share of the pages so far (one in so many) ...
const SHARE: u64 = 5;

/// ... and on this many.
const LEAST: u32 = 8;

/// Parts after which those that do not repeat are forgotten. A part that is on one page in [`SHARE`]
/// comes many times in each such run: a page has at most a tenth of this.
const RUN: usize = 200_000;

/// Counts parts by the hashes of what they say.
#[derive(Default)]
pub struct Repeats {
    /// For each part: on how many pages it was, and how many runs it missed before it was noticed.
    seen: HashMap<u64, (u32, u32)>,
    pages: u64,
    /// Parts since the last were forgotten.
    parts: usize,
    runs: u32,
}

impl Repeats {
    /// Counts the parts of one page, each once, and tells for each whether it repeats.
    pub fn page(&mut self, parts: impl Iterator<Item = u64>) -> Vec<bool> {
        self.pages += 1;
        let enough = LEAST.max(u32::try_from(self.pages / SHARE).unwrap_or(u32::MAX));
        let mut on_page: HashMap<u64, bool> = HashMap::new();
        let told: Vec<bool> = parts
            .map(|part| {
                *on_page.entry(part).or_insert_with(|| {
                    let seen = self.seen.entry(part).or_insert((0, self.runs));
                    seen.0 += 1;
                    // Itself not counted: the decision is about the pages before.
                    seen.0 > enough
                })
            })
            .collect();
        self.parts += told.len();
        if self.parts >= RUN {
            self.parts = 0;
            self.runs += 1;
            // Lossy counting: what comes less than once a run is not kept for the next.
            let runs = self.runs;
            self.seen.retain(|_, (count, missed)| *count + *missed > runs);
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_most_pages_repeats_and_what_is_on_few_does_not() {
        let mut repeats = Repeats::default();
        let mut last = vec![];
        for page in 0..200_000u64 {
            // On every page; on one in three; on one in fifty; on this one alone; twice on this one.
            let mut parts = vec![1];
            parts.extend((page % 3 == 0).then_some(2));
            parts.extend((page % 50 == 0).then_some(3));
            parts.extend([1000 + page, 1_000_000 + page, 1_000_000 + page]);
            let told = repeats.page(parts.iter().copied());
            if page % 15_000 == 0 {
                last = told;
            }
        }
        assert_eq!(last, [true, true, false, false, false, false]);
        assert!(repeats.seen.len() < RUN + 1000, "{} parts are kept", repeats.seen.len());
    }

    #[test]
    fn a_few_pages_alike_are_no_template() {
        let mut repeats = Repeats::default();
        for _ in 0..LEAST {
            assert_eq!(repeats.page([7].into_iter()), [false]);
        }
        assert_eq!(repeats.page([7].into_iter()), [true]);
    }
}
