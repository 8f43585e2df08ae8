//! Numbers for words, while a run is gathered.

use std::hash::{BuildHasher, RandomState};

/// The words of a run, each once.
pub struct Words {
    bytes: Vec<u8>,
    /// Where each word ends.
    ends: Vec<u32>,
    /// Numbers of words plus one, by their hashes; at most half full.
    table: Vec<u32>,
    /// Chosen anew in every process, so that no input can be made to fill one part of the table.
    seed: u64,
}

/// What a word costs beside its bytes: its end, and its share of the table when that has just grown.
const PER_WORD: usize = 4 + 16;

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

impl Words {
    /// Returns none.
    pub fn new() -> Self {
        let seed = RandomState::new().hash_one(0u8);
        Self { bytes: vec![], ends: vec![], table: vec![0; 1024], seed }
    }

    fn hash(&self, word: &[u8]) -> u64 {
        let mix = |hash: u64, more: u64| {
            let wide = u128::from(hash ^ more) * u128::from(MULTIPLIER ^ self.seed << 1);
            (wide >> 64) as u64 ^ wide as u64
        };
        let mut hash = self.seed ^ word.len() as u64;
        for part in word.chunks(8) {
            let mut eight = [0; 8];
            eight[..part.len()].copy_from_slice(part);
            hash = mix(hash, u64::from_le_bytes(eight));
        }
        mix(hash, self.seed)
    }

    /// Returns a word by its number.
    pub fn get(&self, number: u32) -> &[u8] {
        let end = |i: u32| self.ends.get(i as usize).map_or(0, |&end| end as usize);
        let start = if number == 0 { 0 } else { end(number - 1) };
        self.bytes.get(start..end(number)).unwrap_or(&[])
    }

    /// Returns the number of words.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns roughly the memory that the words take.
    pub fn memory(&self) -> usize {
        self.bytes.len() + PER_WORD * self.ends.len()
    }

    /// Returns true if another word of any length a run takes would still fit.
    pub fn has_room(&self) -> bool {
        self.bytes.len() < u32::MAX as usize / 2 && self.ends.len() < u32::MAX as usize / 4
    }

    /// Returns the number of a word.
    pub fn number(&mut self, word: &[u8]) -> u32 {
        let mask = self.table.len() - 1;
        let mut at = self.hash(word) as usize & mask;
        loop {
            match self.table[at] {
                0 => break,
                n if self.get(n - 1) == word => return n - 1,
                _ => at = (at + 1) & mask,
            }
        }
        let number = self.ends.len() as u32;
        self.bytes.extend_from_slice(word);
        self.ends.push(self.bytes.len() as u32);
        self.table[at] = number + 1;
        if 2 * self.ends.len() > self.table.len() {
            self.grow();
        }
        number
    }

    fn grow(&mut self) {
        let mask = 2 * self.table.len() - 1;
        let mut table = vec![0; mask + 1];
        for number in 0..self.ends.len() as u32 {
            let mut at = self.hash(self.get(number)) as usize & mask;
            while table[at] != 0 {
                at = (at + 1) & mask;
            }
            table[at] = number + 1;
        }
        self.table = table;
    }

    /// Returns the numbers in byte order of the words.
    pub fn sorted(&self) -> Vec<u32> {
        let mut numbers: Vec<u32> = (0..self.ends.len() as u32).collect();
        numbers.sort_unstable_by(|&a, &b| self.get(a).cmp(self.get(b)));
        numbers
    }

    /// Forgets all words; what they took is kept for the next.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.table.fill(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_one_number_each_and_are_sorted() {
        let mut words = Words::new();
        let text = |i: u32| format!("{}", i.wrapping_mul(2_654_435_761) % 5000);
        let numbers: Vec<u32> = (0..20_000).map(|i| words.number(text(i).as_bytes())).collect();
        for (i, &number) in numbers.iter().enumerate() {
            assert_eq!(words.get(number), text(i as u32).as_bytes());
            assert_eq!(words.number(text(i as u32).as_bytes()), number);
        }
        let sorted = words.sorted();
        assert_eq!(sorted.len(), words.len());
        assert!(sorted.windows(2).all(|w| words.get(w[0]) < words.get(w[1])));
        words.clear();
        assert_eq!((words.number(b"x"), words.len()), (0, 1));
    }
}
