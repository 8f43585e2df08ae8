//! Up to 128 numbers of one width.
//!
//! A full block lies in four lanes, so that a processor unpacks four numbers at a time: number *i* is in
//! lane *i* mod 4, each lane is a row of 32-bit words filled from the lowest bit on, and word *w* of the
//! four lanes stand together. Fewer numbers stand behind each other as in one lane of bytes.

/// Numbers in a full block.
pub const BLOCK: usize = 128;

const LANES: usize = 4;

/// Returns how many bytes `n` numbers take.
pub fn packed_len(n: usize, width: u32) -> usize {
    (n * width as usize).div_ceil(8)
}

/// Appends the lowest `width` bits of numbers, at most [`BLOCK`] of them.
pub fn pack(numbers: &[u32], width: u32, out: &mut Vec<u8>) {
    let mask = ((1u64 << width) - 1) as u32;
    if numbers.len() < BLOCK {
        let (mut held, mut bits) = (0u64, 0);
        for &number in numbers {
            held |= u64::from(number & mask) << bits;
            bits += width;
            while bits >= 8 {
                out.push(held as u8);
                held >>= 8;
                bits -= 8;
            }
        }
        if bits > 0 {
            out.push(held as u8);
        }
        return;
    }
    let start = out.len();
    out.resize(start + packed_len(BLOCK, width), 0);
    let words = &mut out[start..];
    for (i, &number) in numbers.iter().enumerate().take(BLOCK) {
        let (lane, bit) = (i % LANES, i / LANES * width as usize);
        let spread = u64::from(number & mask) << (bit % 32);
        for (word, part) in [(bit / 32, spread as u32), (bit / 32 + 1, (spread >> 32) as u32)] {
            // What spreads to a word behind the last is zero.
            let at = 4 * (word * LANES + lane);
            for (byte, more) in words.iter_mut().skip(at).zip(part.to_le_bytes()) {
                *byte |= more;
            }
        }
    }
}

/// Unpacks `n` numbers into the first places of `out`; returns the bytes used, `None` if they are missing.
#[inline]
pub fn unpack(bytes: &[u8], n: usize, width: u32, out: &mut [u32; BLOCK]) -> Option<usize> {
    if n > BLOCK || width > 32 {
        return None;
    }
    let len = packed_len(n, width);
    let bytes = bytes.get(..len)?;
    if n < BLOCK {
        unpack_few(bytes, width, &mut out[..n]);
    } else {
        unpack_block(bytes, width, out);
    }
    Some(len)
}

fn unpack_few(bytes: &[u8], width: u32, out: &mut [u32]) {
    // The longest such block and eight bytes more, so that every read is of a whole word.
    let mut padded = [0u8; BLOCK * 4 + 8];
    padded[..bytes.len()].copy_from_slice(bytes);
    let mask = (1u64 << width) - 1;
    let mut bit = 0;
    for number in out {
        let word = padded[bit / 8..].first_chunk().map_or(0, |eight| u64::from_le_bytes(*eight));
        *number = (word >> (bit % 8) & mask) as u32;
        bit += width as usize;
    }
}

fn unpack_block(bytes: &[u8], width: u32, out: &mut [u32; BLOCK]) {
    macro_rules! by_width {
        ($($width:literal)*) => {
            match width {
                $($width => unpack_lanes::<$width>(bytes, out),)*
                _ => out.fill(0),
            }
        };
    }
    by_width!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);
}

/// One width at a time, so that every shift is known to the compiler.
#[inline(always)]
fn unpack_lanes<const WIDTH: usize>(bytes: &[u8], out: &mut [u32; BLOCK]) {
    let mut words = [[0u32; LANES]; 33];
    for (word, part) in words.iter_mut().zip(bytes.chunks_exact(4 * LANES)) {
        for (lane, four) in word.iter_mut().zip(part.chunks_exact(4)) {
            *lane = u32::from_le_bytes([four[0], four[1], four[2], four[3]]);
        }
    }
    let mask = u32::MAX >> (32 - WIDTH);
    for (row, four) in out.chunks_exact_mut(LANES).enumerate() {
        let (word, shift) = (row * WIDTH / 32, row * WIDTH % 32);
        for (lane, number) in four.iter_mut().enumerate() {
            let mut value = words[word][lane] >> shift;
            if shift + WIDTH > 32 {
                value |= words[word + 1][lane] << (32 - shift);
            }
            *number = value & mask;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn numbers_come_back(numbers in proptest::collection::vec(any::<u32>(), 128), n in 0..=128usize, width in 0..=32u32) {
            let numbers: Vec<u32> =
                numbers[..n].iter().map(|v| (u64::from(*v) & ((1u64 << width) - 1)) as u32).collect();
            let mut bytes = vec![];
            pack(&numbers, width, &mut bytes);
            prop_assert_eq!(bytes.len(), packed_len(n, width));
            let mut out = [7; BLOCK];
            prop_assert_eq!(unpack(&bytes, n, width, &mut out), Some(bytes.len()));
            prop_assert_eq!(&out[..n], &numbers[..]);
            if let Some((_, short)) = bytes.split_last() {
                prop_assert_eq!(unpack(short, n, width, &mut out), None);
            }
        }
    }

    #[test]
    fn a_full_block_lies_in_four_lanes() {
        let mut numbers = [0; BLOCK];
        (numbers[0], numbers[1], numbers[4]) = (1, 2, 3);
        let mut bytes = vec![];
        pack(&numbers, 4, &mut bytes);
        assert_eq!(bytes[..8], [0x31, 0, 0, 0, 2, 0, 0, 0]);
    }
}
