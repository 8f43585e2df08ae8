//! Reading rows of a tree by their ranks.

use crate::error::{Error, Result};
use crate::format::strings::leaf::Leaf;
use crate::format::strings::tree::{Pages, Tree};

/// Leaves that may be damaged before a visit gives up.
const MAX_DAMAGED: usize = 16;

/// A row that was visited.
pub struct Visited<'v> {
    /// Its rank.
    pub rank: u32,
    /// Its key.
    pub key: &'v [u8],
    /// Its leaf.
    pub leaf: &'v Leaf<'v>,
    /// Its number in the leaf.
    pub slot: usize,
}

/// Reads the rows with the given ranks, which must ascend, until `see` returns false. Rows that follow
/// each other closely cost little more than one.
///
/// # Errors
///
/// Fails if a leaf was damaged; rows in other leaves were visited nevertheless.
pub fn visit<'a, P: Pages<'a>>(
    tree: &Tree<'a, P>,
    ranks: impl IntoIterator<Item = u32>,
    mut see: impl FnMut(Visited<'_>) -> Result<bool>,
) -> Result<()> {
    let mut ranks = ranks.into_iter().peekable();
    let mut damage: Option<Error> = None;
    let mut n_damaged = 0;
    while ranks.peek().is_some() {
        match visit_leaf(tree, &mut ranks, &mut see) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) if error.is_damage() && n_damaged < MAX_DAMAGED => {
                damage.get_or_insert(error);
                n_damaged += 1;
                ranks.next();
            }
            Err(error) => return Err(error),
        }
    }
    damage.map_or(Ok(()), Err)
}

/// Reads those of the next rows that are in one leaf; false at the end.
fn visit_leaf<'a, P: Pages<'a>>(
    tree: &Tree<'a, P>,
    ranks: &mut std::iter::Peekable<impl Iterator<Item = u32>>,
    see: &mut impl FnMut(Visited<'_>) -> Result<bool>,
) -> Result<bool> {
    let Some(&rank) = ranks.peek() else { return Ok(false) };
    let Some(place) = tree.by_rank(rank)? else { return Ok(false) };
    let page = tree.pages.leaf(place.leaf)?;
    let leaf = tree.view(place.leaf, &page)?;
    let first = leaf.first_rank();
    let mut rows = leaf.rows_from(place.slot as usize, tree.symbols)?;
    while let Some(&rank) = ranks.peek() {
        let Some(slot) = rank.checked_sub(first).map(|slot| slot as usize) else { return Ok(true) };
        if slot >= leaf.len() {
            return Ok(true);
        }
        if slot < rows.next_slot() || slot / 16 > rows.next_slot() / 16 {
            rows = leaf.rows_from(slot, tree.symbols)?;
        }
        while rows.next_slot() <= slot && rows.advance()? {}
        ranks.next();
        if !see(Visited { rank, key: &rows.key, leaf: &leaf, slot })? {
            return Ok(false);
        }
    }
    Ok(true)
}
