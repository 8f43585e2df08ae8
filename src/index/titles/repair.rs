//! Spaces lost, put in or moved by one letter: other words that may have been meant.

use super::meter::cost;
use super::search::{Hit, Search};
use crate::error::Result;

/// The most places at which a word is cut in two.
const MAX_CUTS: usize = 40;

/// The most repairs that are tried.
const MAX_REPAIRS: usize = 12;

impl Search<'_, '_> {
    /// Finds titles whose words are those typed with a space repaired.
    pub(super) fn repaired(&mut self, wanted: usize, hits: &mut Vec<Hit>) -> Result<()> {
        for repaired in self.repairs()? {
            // How it stands in a title is judged by the repaired words.
            for (_, rank, class, row) in self.words(&repaired, 0..0, wanted)? {
                hits.push((1, rank, class, row));
            }
        }
        Ok(())
    }

    /// Returns queries of words that are in titles, one space away.
    fn repairs(&mut self) -> Result<Vec<Vec<String>>> {
        let typed = &self.query.words[..];
        let mut known = vec![];
        for i in 0..typed.len() {
            known.push(self.place_of(typed, i)?.is_some());
        }
        let mut out: Vec<Vec<String>> = vec![];
        let with = |i: usize, n: usize, new: &[&str]| -> Vec<String> {
            let new = new.iter().filter(|word| !word.is_empty()).map(|word| (*word).to_string());
            typed[..i].iter().cloned().chain(new).chain(typed[i + n..].iter().cloned()).collect()
        };
        for (i, word) in typed.iter().enumerate() {
            let is_last = i + 1 == typed.len();
            if known[i] && !is_last {
                continue;
            }
            let cuts: Vec<usize> = word.char_indices().map(|c| c.0).skip(1).take(MAX_CUTS).collect();
            for (k, &cut) in cuts.iter().enumerate() {
                if !self.is_word(&word[..cut], false)? {
                    continue;
                }
                // The space was left out, or a letter typed in its place.
                let behind = cuts.get(k + 1).copied();
                for rest in [Some(cut), behind].into_iter().flatten() {
                    if self.is_word(&word[rest..], is_last)? {
                        out.push(with(i, 1, &[&word[..cut], &word[rest..]]));
                    }
                }
            }
        }
        for i in 0..typed.len().saturating_sub(1) {
            let (a, b) = (&typed[i][..], &typed[i + 1][..]);
            let is_last = i + 2 == typed.len();
            let joined = format!("{a}{b}");
            if self.is_word(&joined, is_last)? {
                out.push(with(i, 2, &[&joined]));
            }
            if known[i] && known[i + 1] {
                continue;
            }
            let first = b.chars().next().map_or(0, char::len_utf8);
            let last = a.chars().next_back().map_or(0, char::len_utf8);
            let to_left = (format!("{a}{}", &b[..first]), b[first..].to_string());
            let to_right = (a[..a.len() - last].to_string(), format!("{}{b}", &a[a.len() - last..]));
            for (a, b) in [to_left, to_right] {
                let left = a.is_empty() || self.is_word(&a, is_last && b.is_empty())?;
                if left && (b.is_empty() || self.is_word(&b, is_last)?) {
                    out.push(with(i, 2, &[&a, &b]));
                }
            }
        }
        out.truncate(MAX_REPAIRS);
        Ok(out)
    }

    /// Returns true if some title has this word, or one that begins so.
    fn is_word(&mut self, word: &str, as_beginning: bool) -> Result<bool> {
        let titles = self.titles;
        let Some(dictionary) = &titles.words else { return Ok(false) };
        if word.is_empty() || !self.meter.spend(cost::LOOK_UP) {
            return Ok(false);
        }
        if as_beginning { dictionary.has_prefix(word) } else { Ok(dictionary.get(word)?.is_some()) }
    }
}
