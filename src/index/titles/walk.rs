//! Walks a tree of strings and finds all keys that are near to what was typed.
//!
//! Keys are met in order, so what one shares with the one before needs no second look: states are kept
//! for every byte of the key at hand. Where a beginning settles the answer (nothing can match any more,
//! or all that goes on matches equally well), rows that share it are passed over, at first one by one
//! without decoding them, then by restarts, then by leaves.

use std::ops::Range;

use super::automaton::{FAR, MAX_LETTERS, Pattern, State};
use super::meter::{Meter, cost};
use crate::error::{Place, Result, damaged};
use crate::format::strings::RESTART;
use crate::format::strings::leaf::{Leaf, RawRow};
use crate::format::strings::symbols::Symbols;
use crate::format::strings::tree::{Pages, Tree};

/// Bytes of a key for which states are kept: by then every pattern is settled.
const KEPT: usize = 4 * (MAX_LETTERS + 3);

/// What a walk looks for.
#[derive(Clone, Copy)]
pub struct Aim<'q> {
    /// What was typed.
    pub pattern: &'q Pattern,
    /// Whether a key's beginning is enough.
    pub prefix: bool,
    /// Only keys that begin with this.
    pub within: &'q [u8],
}

struct Walk<'q> {
    aim: Aim<'q>,
    /// The name of the tree, for errors.
    name: &'static str,
    /// The key looked at last.
    key: Vec<u8>,
    /// The bytes of it for which there are states.
    known: usize,
    /// States at the letters' ends.
    states: Vec<State>,
    /// The bytes of the key that settle the answer.
    settled: Option<usize>,
    /// The row from which all match, and how well.
    run: Option<(u32, u8)>,
}

/// Finds the ranks of the keys that match, in runs of equal distance, in order. Ends early when the
/// meter is spent or `emit` returns false.
///
/// # Errors
///
/// Fails if a page on the way is damaged; what was found before is found.
pub fn walk<'a, P: Pages<'a>>(
    tree: &Tree<'a, P>,
    aim: Aim<'_>,
    meter: &mut Meter,
    mut emit: impl FnMut(Range<u32>, u8) -> bool,
) -> Result<()> {
    let mut states = vec![State::default(); KEPT + 1];
    states[0] = aim.pattern.start();
    let name = tree.pages.name();
    let key = Vec::with_capacity(256);
    let mut walk = Walk { aim, name, key, known: 0, states, settled: None, run: None };
    let Some(mut number) = tree.leaf_for(aim.within)? else { return Ok(()) };
    let mut end_rank = 0;
    'leaves: while number < tree.pages.leaves() {
        if !meter.spend(cost::LEAF) {
            break;
        }
        let page = tree.pages.leaf(number)?;
        let leaf = tree.view(number, &page)?;
        let first = leaf.first_rank();
        let Some(end) = first.checked_add(leaf.len() as u32) else {
            return damaged!(Place::Section(name, 0), "rank", "of a first row: {first}");
        };
        let mut restart = 0;
        while restart < leaf.restarts() {
            let mut shared = walk.shared_with(&leaf, restart, tree.symbols)?;
            let passed = walk.settled.is_some_and(|settled| shared >= settled);
            if passed {
                restart = walk.pass_restarts(&leaf, restart, tree.symbols)?;
            }
            let mut rows = leaf.raw_rows(restart)?;
            restart += 1;
            if passed {
                rows.advance()?;
            }
            loop {
                if let Some(settled) = walk.settled {
                    rows.pass_sharing(settled)?;
                }
                let Some(row) = rows.advance()? else { break };
                if !row.slot.is_multiple_of(RESTART) {
                    shared = row.shared.min(walk.known);
                }
                let rank = first + row.slot as u32;
                if let Some((from, typos)) = walk.run.take()
                    && !emit(from..rank.max(from), typos)
                {
                    return Ok(());
                }
                if !meter.spend(1) {
                    return Ok(());
                }
                walk.decode(&leaf, row, tree.symbols)?;
                if !aim.within.is_empty() && !walk.key.starts_with(aim.within) {
                    if walk.key[..] > *aim.within {
                        break 'leaves;
                    }
                    (walk.settled, walk.known) = (None, 0);
                    continue;
                }
                let typos = walk.letters(shared, rank);
                if typos != FAR && !emit(rank..rank + 1, typos) {
                    return Ok(());
                }
            }
        }
        end_rank = end;
        number = match walk.settled {
            // Keys that go on behind the settled beginning are less than it with a byte that no text has.
            Some(settled) => {
                let behind = [&walk.key[..settled], &[0xff]].concat();
                tree.leaf_for(&behind)?.unwrap_or(0).max(number + 1)
            }
            None => number + 1,
        };
    }
    if let Some((from, typos)) = walk.run {
        emit(from..end_rank.max(from), typos);
    }
    Ok(())
}

impl Walk<'_> {
    /// Returns how many bytes a restart's key shares with the key at hand, as far as there are states.
    fn shared_with(&self, leaf: &Leaf<'_>, restart: usize, symbols: &Symbols) -> Result<usize> {
        let (prefix, key) = (leaf.prefix(), &self.key[..self.known]);
        let common = key.iter().zip(prefix).take_while(|(a, b)| a == b).count();
        if common < prefix.len() {
            return Ok(common);
        }
        match symbols.compare(leaf.restart_codes(restart)?, &key[common..]) {
            Some((shared, _)) => Ok(common + shared),
            None => self.bad("its key has an unknown symbol"),
        }
    }

    /// Returns the last restart that shares the settled beginning, as `restart` does, and all before it.
    fn pass_restarts(&self, leaf: &Leaf<'_>, restart: usize, symbols: &Symbols) -> Result<usize> {
        let settled = self.settled.unwrap_or(0);
        let same = |restart| -> Result<bool> { Ok(self.shared_with(leaf, restart, symbols)? >= settled) };
        let (mut low, mut step) = (restart, 1);
        while low + step < leaf.restarts() && same(low + step)? {
            low += step;
            step *= 2;
        }
        let mut high = leaf.restarts().min(low + step);
        while high - low > 1 {
            let middle = low.midpoint(high);
            if same(middle)? { low = middle } else { high = middle }
        }
        Ok(low)
    }

    /// Makes a row's key the one at hand.
    fn decode(&mut self, leaf: &Leaf<'_>, row: RawRow<'_>, symbols: &Symbols) -> Result<()> {
        if row.slot.is_multiple_of(RESTART) {
            self.key.clear();
            self.key.extend_from_slice(leaf.prefix());
        } else if row.shared > self.key.len() {
            return self.bad("it shares more than the row before has");
        } else {
            self.key.truncate(row.shared);
        }
        if symbols.decode(row.codes, &mut self.key) {
            Ok(())
        } else {
            self.bad("its key has an unknown symbol")
        }
    }

    #[cold]
    fn bad<T>(&self, detail: &str) -> Result<T> {
        damaged!(Place::Section(self.name, 0), "leaf row", "{detail}")
    }

    /// Brings the states up to date with the key; returns its distance, or [`FAR`] where it has none or
    /// begins a run.
    fn letters(&mut self, shared: usize, rank: u32) -> u8 {
        let Aim { pattern, prefix, .. } = self.aim;
        self.settled = None;
        // A letter that is shared in part only is read again.
        let mut at = shared.min(self.key.len());
        while at > 0 && self.key.get(at).is_some_and(|&b| b & 0xc0 == 0x80) {
            at -= 1;
        }
        let mut state = self.states[at.min(KEPT)];
        loop {
            let than = if prefix { state.best } else { FAR };
            if pattern.is_settled(&state, than) || at >= KEPT {
                // Nothing is settled for keys that are not within.
                let settled = at.max(self.aim.within.len());
                self.states[at.min(KEPT)..=settled.min(KEPT)].fill(state);
                (self.settled, self.known) = (Some(settled), settled);
                if prefix && state.best != FAR {
                    self.run = Some((rank, state.best));
                }
                return FAR;
            }
            let Some((c, len)) = next_letter(&self.key[at..]) else { break };
            state = pattern.step(&state, c);
            at += len;
            if let Some(kept) = self.states.get_mut(at) {
                *kept = state;
            }
        }
        self.known = self.key.len();
        if prefix { state.best } else { pattern.typos_of(&state) }
    }
}

/// Returns the first letter of some text and its length; a byte that belongs to none is one.
#[inline]
fn next_letter(bytes: &[u8]) -> Option<(char, usize)> {
    let &first = bytes.first()?;
    if first < 0x80 {
        return Some((char::from(first), 1));
    }
    let len = match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    let letter = bytes.get(..len).and_then(|letter| std::str::from_utf8(letter).ok()?.chars().next());
    Some(letter.map_or((char::REPLACEMENT_CHARACTER, 1), |c| (c, len)))
}
