//! What a query may have meant, where it finds nothing or little.

use std::ops::Range;
use std::time::Duration;

use super::Asked;
use super::plan::{Meant, Plan};
use crate::error::Result;
use crate::format::strings::tree::Pages;
use crate::index::fulltext::{PAIR, Work};
use crate::index::titles::Meter;
use crate::index::titles::automaton::Pattern;
use crate::index::titles::walk::{Aim, walk};
use crate::text::words::{self, Words};

/// Letters from which on a word may be misspelt, and from which on twice.
const LETTERS_FOR_TYPOS: [usize; 2] = [3, 5];

/// A word that more articles have is taken for right. One that fewer have is questioned only if a word
/// near to it is on so many times more.
const RIGHT: u64 = 2;
const RATHER: u64 = 20;

/// The same, where the query finds something.
const RATHER_WITH_HITS: u64 = 500;

/// Words that are looked at for each word of the query, in units of the meter: about 2 ms.
const UNITS: u32 = 50_000;

/// Units of work that one of the meter's is.
const WORK_OF_UNIT: u64 = 4;

/// The most words near to one whose frequencies are compared.
const MAX_NEAR: usize = 256;

/// Returns the query with its misspelt words replaced by those of the dictionary that are nearest to
/// them, of these the most frequent; `None` if there are none.
pub fn proposal(
    asked: &[Asked<'_>],
    plan: &Plan,
    text: &str,
    has_hits: bool,
    work: &mut Work,
) -> Option<String> {
    let rather = if has_hits { RATHER_WITH_HITS } else { RATHER };
    let mut instead: Vec<(&str, String)> = vec![];
    for (i, want) in plan.wants.iter().enumerate() {
        if want.negated || want.meant != Meant::Forms || work.is_over() {
            continue;
        }
        let own: u64 = asked.iter().map(|a| a.expansions[i].df()).sum();
        if own > RIGHT {
            continue;
        }
        let typed = String::from_utf8_lossy(want.folded());
        // Numbers are what they are.
        if typed.chars().any(|c| c.is_ascii_digit()) {
            continue;
        }
        let letters = typed.chars().count();
        for typos in 1..=LETTERS_FOR_TYPOS.iter().filter(|&&least| letters >= least).count() as u8 {
            let near = asked.iter().filter_map(|a| nearest(a, &typed, typos, work).ok().flatten());
            let best = near.max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(&a.0)));
            if let Some((word, with)) = best {
                if own == 0 || with > rather * own {
                    instead.push((&want.typed, word));
                }
                break;
            }
        }
    }
    if instead.is_empty() {
        return None;
    }
    let mut out = String::new();
    let mut done = 0;
    let mut typed = Words::new(text);
    while let Some(word) = typed.next() {
        let Range { start, end } = word.range;
        if let Some((_, word)) = instead.iter().find(|(typed, _)| *typed == &text[start..end]) {
            out.push_str(&text[done..start]);
            out.push_str(word);
            done = end;
        }
    }
    out.push_str(&text[done..]);
    Some(out)
}

/// Returns the word at a distance that most articles have, and how many.
fn nearest(asked: &Asked<'_>, typed: &str, typos: u8, work: &mut Work) -> Result<Option<(String, u64)>> {
    let tables = asked.archive.tables();
    let tree = asked.index.tree(tables);
    let pattern = Pattern::new(typed, typos);
    let mut ranks: Vec<u32> = vec![];
    // Pairs come before all words.
    let Some((first, _)) = tree.rank_of(&[PAIR + 1])? else { return Ok(None) };
    let mut meter = Meter::new(UNITS, Duration::MAX);
    let aim = Aim { pattern: &pattern, prefix: false, within: b"" };
    walk(&tree, aim, &mut meter, |range, distance| {
        if distance > 0 {
            ranks.extend(range.filter(|rank| *rank >= first).take(MAX_NEAR));
        }
        ranks.len() < MAX_NEAR
    })?;
    work.spend(WORK_OF_UNIT * u64::from(UNITS - meter.left().min(UNITS)));
    let mut best: Option<(String, u64)> = None;
    for rank in ranks {
        let Some(place) = tree.by_rank(rank)? else { continue };
        let page = tree.pages.leaf(place.leaf)?;
        let term = asked.index.term_at(tables, place.leaf, &page, place.slot as usize)?;
        let mut rows = tree.view(place.leaf, &page)?.rows_from(place.slot as usize, tree.symbols)?;
        if rows.advance()? {
            let word = words::written(&rows.key);
            let with = u64::from(term.df()) * likeness(typed, &word);
            if best.as_ref().is_none_or(|(_, most)| with > *most) {
                best = Some((word, with));
            }
        }
    }
    Ok(best)
}

/// Returns how much more likely a word is meant than another at the same distance that as many articles
/// have. First letters are rarely wrong; letters are swapped, and doubled or not, more often than mistaken.
fn likeness(typed: &str, word: &str) -> u64 {
    let first = if typed.chars().next() == word.chars().next() { 16 } else { 1 };
    let sorted = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    let single = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.dedup();
        letters
    };
    let slip = if sorted(typed) == sorted(word) || single(typed) == single(word) { 16 } else { 1 };
    first * slip
}
