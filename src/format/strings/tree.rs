//! From a key, a rank or an ordinal down to a row.

use std::borrow::Cow;

use super::KEY_INLINE;
use super::leaf::{Leaf, Sought, touch};
use super::node::Node;
use super::symbols::Symbols;
use crate::error::{Place, Result, damaged};

/// Gives the pages of a tree, checked against their hashes.
pub trait Pages<'a> {
    /// Returns a page of nodes.
    fn node(&self, page: u32) -> Result<Cow<'a, [u8]>>;
    /// Returns a leaf's page.
    fn leaf(&self, page: u32) -> Result<Cow<'a, [u8]>>;
    /// Returns the number of leaves.
    fn leaves(&self) -> u32;
    /// Returns the name used in errors.
    fn name(&self) -> &'static str;
}

/// A tree of strings.
pub struct Tree<'a, P> {
    /// The root node; empty if there are no rows.
    pub root: Cow<'a, [u8]>,
    /// Where the other pages come from.
    pub pages: P,
    /// The symbols of the keys.
    pub symbols: &'a Symbols,
}

/// Where a row stands: a leaf and a slot in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowPlace {
    /// The leaf's number.
    pub leaf: u32,
    /// The row's number in it.
    pub slot: u32,
}

/// A row that a search led to.
pub struct Hit<'a> {
    /// The leaf's number.
    pub leaf: u32,
    /// The leaf.
    pub page: Cow<'a, [u8]>,
    /// The row in it.
    pub sought: Sought,
}

impl Hit<'_> {
    /// Returns where the row stands.
    pub fn place(&self) -> RowPlace {
        RowPlace { leaf: self.leaf, slot: self.sought.slot as u32 }
    }
}

impl<'a, P: Pages<'a>> Tree<'a, P> {
    fn place(&self, page: u32) -> Place {
        Place::Section(self.pages.name(), u64::from(page) * crate::format::ids::PAGE as u64)
    }

    /// Returns the leaf to which `choose` leads from node to node; `None` in an empty tree.
    fn descend(&self, mut choose: impl FnMut(&Node<'_>) -> Result<usize>) -> Result<Option<u32>> {
        if self.root.is_empty() {
            return Ok(None);
        }
        let node = Node::parse(&self.root, self.place(0))?;
        let mut child = node.child(choose(&node)?);
        let mut level = node.level;
        while level > 0 {
            let page = self.pages.node(child)?;
            // A page holds a node and zeros.
            let node = Node::parse(&page, self.place(child))?;
            if node.level != level - 1 {
                return damaged!(self.place(child), "node", "level {} below level {level}", node.level);
            }
            level = node.level;
            child = node.child(choose(&node)?);
        }
        Ok(Some(child))
    }

    /// Returns the first row whose key, as far as leaves hold it, is not less than `key`; `None` if all
    /// are less. One leaf more is read where the row is the first of its leaf.
    pub fn seek(&self, key: &[u8]) -> Result<Option<Hit<'a>>> {
        let key = &key[..key.len().min(KEY_INLINE)];
        let Some(leaf) = self.leaf_for(key)? else { return Ok(None) };
        let page = self.pages.leaf(leaf)?;
        touch(&page);
        let view = Leaf::parse(&page, self.place(leaf))?;
        let sought = view.seek(key, self.symbols)?;
        if sought.slot < view.len() {
            return Ok(Some(Hit { leaf, page, sought }));
        }
        if leaf + 1 >= self.pages.leaves() {
            return Ok(None);
        }
        let leaf = leaf + 1;
        let page = self.pages.leaf(leaf)?;
        let sought = Leaf::parse(&page, self.place(leaf))?.seek(key, self.symbols)?;
        if sought.slot != 0 {
            return damaged!(self.place(leaf), "order", "a separator is greater than its leaf's first key");
        }
        Ok(Some(Hit { leaf, page, sought }))
    }

    /// Returns the rank of the first row whose key is not less than `key`, and whether it equals it;
    /// `None` if all are less.
    pub fn rank_of(&self, key: &[u8]) -> Result<Option<(u32, bool)>> {
        let Some(hit) = self.seek(key)? else { return Ok(None) };
        let first = self.view(hit.leaf, &hit.page)?.first_rank();
        match first.checked_add(hit.sought.slot as u32) {
            Some(rank) => Ok(Some((rank, hit.sought.equal))),
            None => damaged!(self.place(hit.leaf), "rank", "of the first row: {first}"),
        }
    }

    /// Returns the last leaf that may hold keys less than `key`, from the nodes alone: the first row
    /// whose key is not less is in it, or is the first of the next one.
    pub fn leaf_for(&self, key: &[u8]) -> Result<Option<u32>> {
        let key = &key[..key.len().min(KEY_INLINE)];
        self.descend(|node| node.last_where(|i| Ok(node.separator(i)? < key)))
    }

    /// Returns the place of the first row whose key is not less than `key`, and whether it equals it.
    pub fn lower_bound(&self, key: &[u8]) -> Result<Option<(RowPlace, bool)>> {
        Ok(self.seek(key)?.map(|hit| (hit.place(), hit.sought.equal)))
    }

    /// Returns the place of the row with a rank.
    pub fn by_rank(&self, rank: u32) -> Result<Option<RowPlace>> {
        let found = self.descend(|node| node.last_where(|i| Ok(node.rank(i) <= rank)))?;
        let Some(leaf) = found else { return Ok(None) };
        let page = self.pages.leaf(leaf)?;
        let view = Leaf::parse(&page, self.place(leaf))?;
        match rank.checked_sub(view.first_rank()) {
            Some(slot) if (slot as usize) < view.len() => Ok(Some(RowPlace { leaf, slot })),
            Some(_) if leaf + 1 == self.pages.leaves() => Ok(None),
            _ => damaged!(self.place(leaf), "rank", "row {rank} is not in the leaf that its node names"),
        }
    }

    /// Returns the rank of a leaf's first row from the nodes alone, so that it is known even if the
    /// leaf is damaged.
    pub fn rank_of_leaf(&self, leaf: u32) -> Result<u32> {
        let (mut rank, mut low, mut high) = (0, 0, u32::MAX);
        // Ranks grow with leaves: halve the ranks until the way down ends in the leaf.
        while low < high {
            rank = low.midpoint(high);
            let mut first = 0;
            let found = self.descend(|node| {
                let i = node.last_where(|i| Ok(node.rank(i) <= rank))?;
                first = node.rank(i);
                Ok(i)
            })?;
            match found {
                Some(found) if found == leaf => return Ok(first),
                Some(found) if found < leaf => low = rank + 1,
                _ => high = rank,
            }
        }
        damaged!(self.place(leaf), "rank", "no way down leads to the leaf ({rank})")
    }

    /// Returns the leaf that holds the counted row with an ordinal, if any leaf does.
    pub fn leaf_of_ordinal(&self, ordinal: u32) -> Result<Option<u32>> {
        self.descend(|node| node.last_where(|i| Ok(node.counted(i) <= ordinal)))
    }

    /// Parses a leaf's page.
    pub fn view<'p>(&self, leaf: u32, page: &'p [u8]) -> Result<Leaf<'p>> {
        Leaf::parse(page, self.place(leaf))
    }
}
