//! Numbers of any width behind each other, lowest bit first.

/// Appends numbers to bytes.
#[derive(Default)]
pub struct BitWriter {
    out: Vec<u8>,
    held: u64,
    bits: u32,
}

impl BitWriter {
    /// Appends the lowest `bits` bits of a number, at most 32.
    pub fn put(&mut self, value: u32, bits: u32) {
        debug_assert!(bits <= 32 && u64::from(value) >> bits == 0);
        self.held |= u64::from(value) << self.bits;
        self.bits += bits;
        while self.bits >= 8 {
            self.out.push(self.held as u8);
            self.held >>= 8;
            self.bits -= 8;
        }
    }

    /// Appends a number of at least 1 in as many zeros as it has bits behind its first, a one, and those
    /// bits.
    pub fn put_gamma(&mut self, value: u32) {
        debug_assert!(value > 0);
        let more = value.max(1).ilog2();
        self.put(0, more);
        self.put(1, 1);
        self.put(value & ((1 << more) - 1), more);
    }

    /// Appends a number in Rice's coding: what is left of it without its lowest `parameter` bits as so many
    /// ones and a zero, then those bits. A parameter is at most 32.
    pub fn put_rice(&mut self, value: u32, parameter: u32) {
        let mut ones = value.checked_shr(parameter).unwrap_or(0);
        while ones > 0 {
            let some = ones.min(31);
            self.put((1 << some) - 1, some);
            ones -= some;
        }
        self.put(0, 1);
        self.put((u64::from(value) & ((1 << parameter) - 1)) as u32, parameter);
    }

    /// Returns the number of bits so far.
    pub fn len(&self) -> usize {
        8 * self.out.len() + self.bits as usize
    }

    /// Returns the bytes, the last one filled up with zeros.
    pub fn finish(mut self) -> Vec<u8> {
        if self.bits > 0 {
            self.out.push(self.held as u8);
        }
        self.out
    }
}

/// Returns the bits that [`BitWriter::put_gamma`] takes.
pub fn gamma_len(value: u32) -> u32 {
    2 * value.max(1).ilog2() + 1
}

/// Returns the bits that a number needs: none for 0.
pub fn width(value: u32) -> u32 {
    32 - value.leading_zeros()
}

/// Reads what [`BitWriter`] wrote; `None` behind the end.
pub struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> BitReader<'a> {
    /// Starts with the lowest bit of the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Starts with a bit, of which eight are in each byte.
    pub fn at(bytes: &'a [u8], bit: usize) -> Self {
        Self { bytes, at: bit }
    }

    /// Returns which bit comes next.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Returns the next 57 bits or more; what lies behind the end is zero.
    #[inline]
    fn peek(&self) -> u64 {
        let rest = self.bytes.get(self.at / 8..).unwrap_or(&[]);
        let word = match rest.first_chunk() {
            Some(eight) => u64::from_le_bytes(*eight),
            None => rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
        };
        word >> (self.at % 8)
    }

    #[inline]
    fn skip(&mut self, bits: u32) -> Option<()> {
        self.at += bits as usize;
        (self.at <= 8 * self.bytes.len()).then_some(())
    }

    /// Returns a number of `bits` bits, at most 32.
    #[inline]
    pub fn get(&mut self, bits: u32) -> Option<u32> {
        let value = self.peek() & ((1 << bits) - 1);
        self.skip(bits)?;
        Some(value as u32)
    }

    /// Returns the number of bytes of which bits were read, and whether what is left of the last is zero.
    pub fn end(&self) -> (usize, bool) {
        let left = self.at.next_multiple_of(8) - self.at;
        (self.at.div_ceil(8), self.peek() & ((1 << left) - 1) == 0)
    }

    /// Returns a number that [`BitWriter::put_rice`] wrote; `None` also if it has more than 32 bits.
    #[inline]
    pub fn rice(&mut self, parameter: u32) -> Option<u32> {
        let mut ones = 0u32;
        loop {
            let more = self.peek().trailing_ones().min(56);
            ones = ones.checked_add(more)?;
            self.at += more as usize;
            if more < 56 {
                break;
            }
        }
        self.at += 1;
        let low = self.peek() & ((1 << parameter) - 1);
        self.at += parameter as usize;
        let value = u64::from(ones) << parameter | low;
        (self.at <= 8 * self.bytes.len()).then_some(u32::try_from(value).ok()?)
    }

    /// Returns a number that [`BitWriter::put_gamma`] wrote.
    #[inline]
    pub fn gamma(&mut self) -> Option<u32> {
        let more = self.peek().trailing_zeros();
        if more > 31 {
            return None;
        }
        self.skip(more + 1)?;
        Some(1 << more | self.get(more)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn numbers_of_any_width_come_back(numbers in proptest::collection::vec((any::<u32>(), 0..=32u32), 0..100)) {
            let numbers: Vec<(u32, u32)> =
                numbers.into_iter().map(|(v, w)| ((u64::from(v) & ((1u64 << w) - 1)) as u32, w)).collect();
            let mut out = BitWriter::default();
            let mut len = 0;
            for &(value, bits) in &numbers {
                out.put(value, bits);
                out.put_gamma(value.max(1));
                len += bits + gamma_len(value.max(1));
            }
            let bytes = out.finish();
            prop_assert_eq!(bytes.len(), len.div_ceil(8) as usize);
            let mut reader = BitReader::new(&bytes);
            for &(value, bits) in &numbers {
                prop_assert_eq!(reader.get(bits), Some(value));
                prop_assert_eq!(reader.gamma(), Some(value.max(1)));
            }
            prop_assert_eq!(reader.end(), (bytes.len(), true));
            prop_assert_eq!(reader.get(8), None);
        }

        #[test]
        fn any_bytes_end(bytes: Vec<u8>) {
            let mut reader = BitReader::new(&bytes);
            let n = (0..=8 * bytes.len()).take_while(|_| reader.gamma().is_some()).count();
            prop_assert!(n <= 8 * bytes.len());
        }
    }
}
