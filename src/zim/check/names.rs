//! Which paths there are, in eight bytes each.

use std::hash::{BuildHasher, RandomState};

use rayon::prelude::*;

/// A set of paths, of which only hashes are kept.
///
/// The hash has a key that is new in each run: a file cannot be made so that a path which is not there
/// seems to be. That one does by chance has odds of the number of paths in 2^64.
pub(super) struct Names {
    hashes: Vec<u64>,
    /// Where the hashes of a bucket begin.
    starts: Vec<u32>,
    key: u64,
}

impl Names {
    /// Returns an empty set.
    pub fn new() -> Self {
        Self { hashes: vec![], starts: vec![], key: RandomState::new().hash_one(0) | 1 }
    }

    /// Returns the hash of a path, by which it is put in.
    pub fn hash(&self, path: &[u8]) -> u64 {
        hash(path, self.key)
    }

    /// Returns the set of the paths with these hashes.
    pub fn with(mut self, hashes: Vec<u64>) -> Self {
        self.hashes = hashes;
        self.hashes.par_sort_unstable();
        let n = self.hashes.len() / A_BUCKET + 1;
        for (i, hash) in self.hashes.iter().enumerate() {
            // Dirents have 32-bit numbers.
            let filled = self.starts.len()..=bucket(*hash, n);
            self.starts.extend(filled.map(|_| u32::try_from(i).unwrap_or(u32::MAX)));
        }
        self
    }

    /// Returns true if a path is there.
    pub fn contains(&self, path: &[u8]) -> bool {
        let sought = self.hash(path);
        let bucket = bucket(sought, self.hashes.len() / A_BUCKET + 1);
        let Some(start) = self.starts.get(bucket) else { return false };
        let rest = self.hashes.get(*start as usize..).unwrap_or_default();
        rest.iter().take_while(|hash| **hash <= sought).any(|hash| *hash == sought)
    }
}

/// How many hashes share a bucket, on average.
const A_BUCKET: usize = 8;

/// Returns in which of `n` buckets a hash is: they are as even as chance makes them.
fn bucket(hash: u64, n: usize) -> usize {
    ((u128::from(hash) * n as u128) >> 64) as usize
}

/// Mixes eight bytes at a time by multiplying them with a secret and folding the product.
pub(super) fn hash(bytes: &[u8], key: u64) -> u64 {
    fn fold(a: u64, b: u64) -> u64 {
        let product = u128::from(a) * u128::from(b);
        product as u64 ^ (product >> 64) as u64
    }
    const SALT: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut sum = fold(bytes.len() as u64 ^ key, SALT ^ key.rotate_left(32));
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        sum = fold(sum ^ u64::from_le_bytes(*word), key ^ SALT).wrapping_add(key);
    }
    let last = rest.iter().fold(0u64, |last, byte| last << 8 | u64::from(*byte));
    fold(fold(sum ^ last, key ^ SALT).wrapping_add(key), SALT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_were_put_in_are_found_and_no_others() {
        for n in [0, 1, 2, 17, 1000, 30_000] {
            let names = Names::new();
            let hashes = (0..n).map(|i| names.hash(format!("a/path/{i}.html").as_bytes())).collect();
            let names = names.with(hashes);
            assert!((0..n).all(|i| names.contains(format!("a/path/{i}.html").as_bytes())), "{n}");
            assert!((0..n).all(|i| !names.contains(format!("a/path/{i}.htm").as_bytes())), "{n}");
            assert!(!names.contains(b""));
        }
    }
}
