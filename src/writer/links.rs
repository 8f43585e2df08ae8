//! How often each path is linked to, counted while pages pass.
//!
//! A link names a path that may not have come yet, or never will: paths are counted by hashes, and
//! looked up when the entries are known. Two paths of one hash would share their counts, which orders
//! suggestions a little otherwise and harms nothing.

use super::path_hash;

/// Links that wait to be counted together.
const FRESH: usize = 1 << 20;

/// Counts links by the hashes of the paths to which they lead: 12 bytes for each path that is linked to.
#[derive(Default)]
pub struct Links {
    /// Ascending.
    hashes: Vec<u64>,
    counts: Vec<u32>,
    fresh: Vec<u64>,
}

impl Links {
    /// Returns what stands for a path.
    pub fn target(path: &str) -> u64 {
        path_hash(path)
    }

    /// Counts one link to each of some targets.
    pub fn add(&mut self, targets: &[u64]) {
        self.fresh.extend_from_slice(targets);
        // What is merged grows with what is there, so that each link is moved a few times at most.
        if self.fresh.len() >= FRESH.max(self.hashes.len() / 2) {
            self.settle();
        }
    }

    fn settle(&mut self) {
        self.fresh.sort_unstable();
        let distinct = self.fresh.chunk_by(|a, b| a == b).count();
        let mut hashes = Vec::with_capacity(self.hashes.len() + distinct);
        let mut counts = Vec::with_capacity(self.counts.len() + distinct);
        let mut old = self.hashes.iter().copied().zip(self.counts.iter().copied()).peekable();
        for run in self.fresh.chunk_by(|a, b| a == b) {
            while let Some((hash, count)) = old.next_if(|o| o.0 < run[0]) {
                hashes.push(hash);
                counts.push(count);
            }
            let before = old.next_if(|o| o.0 == run[0]).map_or(0, |o| o.1);
            hashes.push(run[0]);
            counts.push(before.saturating_add(u32::try_from(run.len()).unwrap_or(u32::MAX)));
        }
        for (hash, count) in old {
            hashes.push(hash);
            counts.push(count);
        }
        (self.hashes, self.counts) = (hashes, counts);
        self.fresh = vec![];
    }

    /// Ends the counting.
    pub fn finish(mut self) -> Counted {
        self.settle();
        Counted { hashes: self.hashes, counts: self.counts }
    }
}

/// Links counted by their targets.
#[derive(Default)]
pub struct Counted {
    hashes: Vec<u64>,
    counts: Vec<u32>,
}

impl Counted {
    /// Returns how many links lead to a path.
    pub fn of(&self, path: &str) -> u32 {
        if self.hashes.is_empty() {
            return 0;
        }
        self.hashes.binary_search(&path_hash(path)).map_or(0, |i| self.counts[i])
    }
}

/// Returns a number of links on a scale of eight steps for each doubling, which fits a byte.
pub fn importance_of(links: u32) -> u8 {
    let n = links.saturating_add(1);
    let doublings = n.ilog2();
    let steps = (u64::from(n) << 3 >> doublings) & 7;
    (8 * u64::from(doublings) + steps) as u8
}

/// Adds the links of redirects to those of the entries to which they lead, over chains as well.
///
/// `links` are by entry id, `redirects` pairs of a redirect's id and its target's, ascending. Where a
/// redirect leads to another, its links go to the end of the chain; those of a loop go nowhere.
pub fn pass_on(links: &mut [u32], redirects: &[(u32, u32)]) {
    for &(redirect, target) in redirects {
        if let (end, true) = follow(redirects, target) {
            let own = links.get(redirect as usize).copied().unwrap_or(0);
            if let Some(count) = links.get_mut(end as usize) {
                *count = count.saturating_add(own);
            }
        }
    }
    // A redirect's row is as important as what it leads to.
    for &(redirect, target) in redirects {
        let (end, _) = follow(redirects, target);
        let of_target = links.get(end as usize).copied().unwrap_or(0);
        if let Some(count) = links.get_mut(redirect as usize) {
            *count = of_target;
        }
    }
}

/// Follows redirects from an entry on, as far as readers do: where that leads, and whether it is an end.
fn follow(redirects: &[(u32, u32)], from: u32) -> (u32, bool) {
    let mut at = from;
    for _ in 0..crate::limits::MAX_REDIRECTS {
        match redirects.binary_search_by_key(&at, |r| r.0) {
            Ok(i) => at = redirects[i].1,
            Err(_) => return (at, true),
        }
    }
    (at, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_counted_whenever_they_are_merged() {
        let mut links = Links::default();
        for round in 0..5u64 {
            let targets: Vec<u64> = (0..100).filter(|i| i % (round + 1) == 0).map(|i| i * 7919).collect();
            links.add(&targets);
            if round % 2 == 0 {
                links.settle();
            }
        }
        let counted = links.finish();
        assert!(counted.hashes.is_sorted());
        for i in 0..100u64 {
            let expected = (0..5).filter(|round| i % (round + 1) == 0).count() as u32;
            let at = counted.hashes.binary_search(&(i * 7919)).unwrap();
            assert_eq!(counted.counts[at], expected);
        }
    }

    #[test]
    fn a_path_is_found_by_its_name() {
        let mut links = Links::default();
        links.add(&[Links::target("a"), Links::target("b"), Links::target("a")]);
        let counted = links.finish();
        assert_eq!(["a", "b", "c"].map(|p| counted.of(p)), [2, 1, 0]);
    }

    #[test]
    fn more_links_are_never_less_important() {
        assert_eq!([0, 1, 3, 7, u32::MAX].map(importance_of), [0, 8, 16, 24, 255]);
        assert!((0..10_000).map(importance_of).is_sorted());
    }

    #[test]
    fn redirects_pass_their_links_on_and_loops_end() {
        // 0 is an article; 1 leads to 0, 2 to 1; 3 and 4 lead to each other.
        let mut links = vec![10, 2, 3, 5, 7];
        pass_on(&mut links, &[(1, 0), (2, 1), (3, 4), (4, 3)]);
        assert_eq!(links[..3], [15, 15, 15]);
    }
}
