//! The hash tree over the tables' pages: its hash, its shape and its arithmetic.
//!
//! Level 0 holds a digest of every table page, in order; they fill tree pages of 4 KiB, 256 to a
//! page. The digests of those pages are level 1, and so on until a level has at most
//! [`TOP_DIGESTS`]: that one stands in the first page. On disk the highest level that has pages comes
//! first, so that what every look-up needs lies together.

use super::ids::PAGE;

/// Bytes of a digest.
pub const DIGEST: usize = 16;

/// Digests in one tree page.
pub const PER_PAGE: u64 = (PAGE / DIGEST) as u64;

/// The most digests that the first page holds.
pub const TOP_DIGESTS: u64 = 64;

/// A truncated BLAKE3: 128 bits.
pub type Digest = [u8; DIGEST];

/// Returns the digest of stored bytes: the first 16 bytes of their BLAKE3.
pub fn digest(bytes: &[u8]) -> Digest {
    let mut out = [0; DIGEST];
    out.copy_from_slice(&blake3::hash(bytes).as_bytes()[..DIGEST]);
    out
}

/// The shape of a tree over a number of table pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// For each stored level, lowest first: its digests, and the tree page at which it begins.
    levels: Vec<(u64, u64)>,
    top: u64,
    pages: u64,
}

impl Shape {
    /// Returns the shape over `table_pages` pages.
    pub fn new(table_pages: u64) -> Self {
        let mut counts = vec![];
        let mut n = table_pages;
        while n > TOP_DIGESTS {
            counts.push(n);
            n = n.div_ceil(PER_PAGE);
        }
        let mut start = 0;
        let mut levels: Vec<(u64, u64)> = counts
            .iter()
            .rev()
            .map(|&digests| {
                let level = (digests, start);
                start += digests.div_ceil(PER_PAGE);
                level
            })
            .collect();
        levels.reverse();
        Self { levels, top: n, pages: start }
    }

    /// Returns how many levels lie in tree pages.
    pub fn levels(&self) -> usize {
        self.levels.len()
    }

    /// Returns how many digests the first page holds.
    pub fn top(&self) -> u64 {
        self.top
    }

    /// Returns how many pages one copy of the tree has.
    pub fn pages(&self) -> u64 {
        self.pages
    }

    /// Returns where the second copy of the tree begins, in pages from the start of the first. A
    /// single page is kept a page apart from its copy, so that no run of 4 KiB hits both.
    pub fn copy_at(&self) -> u64 {
        if self.pages == 1 { 2 } else { self.pages }
    }

    /// Returns how many pages both copies take, the gap between them included.
    pub fn both(&self) -> u64 {
        self.copy_at() + self.pages
    }

    /// Returns the tree page of a level's digest, counted from the tree's start.
    pub fn page_of(&self, level: usize, digest: u64) -> u64 {
        self.levels[level].1 + digest / PER_PAGE
    }

    /// Returns the number of digests on a level.
    pub fn digests(&self, level: usize) -> u64 {
        self.levels[level].0
    }

    /// Builds the tree from the digests of the table pages: the tree's pages, and the top digests.
    pub fn build(&self, leaves: &[Digest]) -> (Vec<u8>, Vec<Digest>) {
        let mut pages = vec![0u8; self.pages as usize * PAGE];
        let mut digests = leaves.to_vec();
        for &(_, start) in &self.levels {
            let n_pages = digests.len().div_ceil(PER_PAGE as usize);
            let region = &mut pages[start as usize * PAGE..][..n_pages * PAGE];
            for (slot, d) in region.chunks_exact_mut(DIGEST).zip(&digests) {
                slot.copy_from_slice(d);
            }
            digests = region.chunks_exact(PAGE).map(digest).collect();
        }
        (pages, digests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_archive_has_no_tree_pages() {
        for n in [0, 1, 64] {
            let shape = Shape::new(n);
            assert_eq!((shape.pages(), shape.top(), shape.levels()), (0, n, 0));
        }
    }

    #[test]
    fn levels_are_stored_highest_first() {
        let shape = Shape::new(64 * 256 + 1);
        assert_eq!((shape.levels(), shape.top()), (2, 1));
        assert_eq!(shape.page_of(1, 0), 0);
        assert_eq!(shape.page_of(0, 0), 1);
        assert_eq!(shape.page_of(0, 256), 2);
        assert_eq!(shape.pages(), 1 + 65);
    }

    #[test]
    fn every_digest_hashes_into_the_top() {
        let leaves: Vec<Digest> = (0..20_000u32).map(|i| digest(&i.to_le_bytes())).collect();
        let shape = Shape::new(leaves.len() as u64);
        let (pages, top) = shape.build(&leaves);
        let (mut seen, digests) = (0, |level: usize, i: u64| {
            let at = shape.page_of(level, i) as usize * PAGE + (i % PER_PAGE) as usize * DIGEST;
            pages[at..at + DIGEST].to_vec()
        });
        for (i, leaf) in leaves.iter().enumerate() {
            assert_eq!(digests(0, i as u64), leaf);
            seen += 1;
        }
        let page = |n: u64| &pages[n as usize * PAGE..][..PAGE];
        for i in 0..shape.digests(1) {
            assert_eq!(digests(1, i), digest(page(shape.page_of(0, i * PER_PAGE))));
        }
        assert_eq!(top.len() as u64, shape.top());
        assert_eq!(top[0], digest(page(0)));
        assert_eq!(seen, 20_000);
    }
}
