//! Blocks of postings: up to 128 article ordinals, and as many class codes.
//!
//! Ordinals are coded as their gaps in so many bits each, the few that need more beside them (PFor,
//! Zukowski et al., "Super-Scalar RAM-CPU Cache Compression", ICDE 2006), as a bitmap, or as a run:
//! whichever is smallest.

use super::packing::{BLOCK, pack, packed_len, unpack};
use crate::format::bytes::{put_varint, read_varint, varint_len};
use crate::index::bits::width;

/// Tag: some numbers have a part beside the packed ones.
const EXCEPTIONS: u8 = 0x40;
/// Tag: a bit for each ordinal from the first possible to the last.
const BITMAP: u8 = 0x80;
/// Tag: every ordinal from the first possible on.
const RUN: u8 = 0x82;

/// Appends the ordinals of a block, ascending and not below `base`.
///
/// `bounded` says that the reader knows the last one beforehand.
pub fn put_ordinals(ordinals: &[u32], base: u32, bounded: bool, out: &mut Vec<u8>) {
    let Some(&last) = ordinals.last() else { return };
    let span = (last - base) as usize + 1;
    if bounded && span == ordinals.len() {
        out.push(RUN);
        return;
    }
    let mut next = base;
    let gaps: Vec<u32> = ordinals
        .iter()
        .map(|&ordinal| {
            let gap = ordinal - next;
            next = ordinal.wrapping_add(1);
            gap
        })
        .collect();
    let (best, len) = best_width(&gaps, varint_len);
    if bounded && span.div_ceil(8) < len {
        out.push(BITMAP);
        let start = out.len();
        out.resize(start + span.div_ceil(8), 0);
        for &ordinal in ordinals {
            let bit = (ordinal - base) as usize;
            out[start + bit / 8] |= 1 << (bit % 8);
        }
        return;
    }
    put_packed(&gaps, best, |number, out| put_varint(out, (u64::from(number) >> best) as u32), out);
}

/// Appends the class codes of a block.
pub fn put_codes(codes: &[u8], out: &mut Vec<u8>) {
    let numbers: Vec<u32> = codes.iter().map(|&code| u32::from(code)).collect();
    let (best, _) = best_width(&numbers, |_| 1);
    put_packed(&numbers, best, |number, out| out.push(number as u8), out);
}

/// Returns the width that makes a block smallest, and its length without the tag.
fn best_width(numbers: &[u32], exception_len: impl Fn(u32) -> usize) -> (u32, usize) {
    let mut by_width = [0usize; 33];
    for &number in numbers {
        by_width[width(number) as usize] += 1;
    }
    let most = by_width.iter().rposition(|&n| n > 0).unwrap_or(0) as u32;
    let len = |packed: u32| {
        let over: usize = (packed + 1..=most)
            .map(|bits| by_width[bits as usize] * (1 + exception_len(1 << (bits - packed - 1))))
            .sum();
        packed_len(numbers.len(), packed) + over + usize::from(over > 0)
    };
    (0..=most).map(|packed| (packed, len(packed))).min_by_key(|best| best.1).unwrap_or((0, 0))
}

fn put_packed(numbers: &[u32], packed: u32, put_over: impl Fn(u32, &mut Vec<u8>), out: &mut Vec<u8>) {
    let over = |number: u32| width(number) > packed;
    let exceptions = numbers.iter().filter(|&&number| over(number)).count();
    if exceptions == 0 {
        out.push(packed as u8);
        pack(numbers, packed, out);
        return;
    }
    out.push(packed as u8 | EXCEPTIONS);
    out.push(exceptions as u8);
    pack(numbers, packed, out);
    for (i, &number) in numbers.iter().enumerate().filter(|(_, number)| over(**number)) {
        out.push(i as u8);
        put_over(number, out);
    }
}

/// Reads the ordinals of a block into the first `n` places; returns the bytes used.
///
/// They ascend, the first is not below `base`, and the last is `last` where that is known. `None` if the
/// bytes say otherwise.
pub fn read_ordinals(
    bytes: &[u8],
    n: usize,
    base: u32,
    last: Option<u32>,
    out: &mut [u32; BLOCK],
) -> Option<usize> {
    let (&tag, rest) = bytes.split_first()?;
    if n == 0 || n > BLOCK {
        return None;
    }
    match tag {
        RUN => {
            if last?.checked_sub(base)? as usize + 1 != n {
                return None;
            }
            out.iter_mut().zip(base..).take(n).for_each(|(place, ordinal)| *place = ordinal);
            Some(1)
        }
        BITMAP => {
            let len = (last?.checked_sub(base)? as usize + 1).div_ceil(8);
            read_bitmap(rest.get(..len)?, base, n, out)?;
            (out[n - 1] == last?).then_some(1 + len)
        }
        _ => {
            let used = read_packed(tag, rest, n, 32, out, read_varint)?;
            // The sum of all, which bounds every one before it.
            let mut next = u64::from(base);
            for gap in &mut out[..n] {
                let ordinal = next + u64::from(*gap);
                *gap = ordinal as u32;
                next = ordinal + 1;
            }
            let end = u32::try_from(next - 1).ok()?;
            last.is_none_or(|last| last == end).then_some(1 + used)
        }
    }
}

fn read_bitmap(bytes: &[u8], base: u32, n: usize, out: &mut [u32; BLOCK]) -> Option<()> {
    let mut places = out[..n].iter_mut();
    for (i, part) in bytes.chunks(8).enumerate() {
        let mut word = match part.first_chunk() {
            Some(eight) => u64::from_le_bytes(*eight),
            None => part.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
        };
        let start = base.checked_add(u32::try_from(64 * i).ok()?)?;
        while word != 0 {
            *places.next()? = start.checked_add(word.trailing_zeros())?;
            word &= word - 1;
        }
    }
    places.next().is_none().then_some(())
}

/// Reads the class codes of a block into the first `n` places; returns the bytes used.
pub fn read_codes(bytes: &[u8], n: usize, out: &mut [u32; BLOCK]) -> Option<usize> {
    let (&tag, rest) = bytes.split_first()?;
    if n > BLOCK {
        return None;
    }
    // An exception is the code itself: what was packed of it is below its bits.
    let width = u32::from(tag & 0x3f);
    if width > 8 {
        return None;
    }
    let used =
        read_packed(tag, rest, n, 8, out, |over| over.first().map(|&code| (u32::from(code) >> width, 1)))?;
    Some(1 + used)
}

fn read_packed(
    tag: u8,
    bytes: &[u8],
    n: usize,
    most: u32,
    out: &mut [u32; BLOCK],
    read_over: impl Fn(&[u8]) -> Option<(u32, usize)>,
) -> Option<usize> {
    let width = u32::from(tag & 0x3f);
    if tag & 0x80 != 0 || width > most {
        return None;
    }
    if tag & EXCEPTIONS == 0 {
        return unpack(bytes, n, width, out);
    }
    let (&exceptions, rest) = bytes.split_first()?;
    let mut used = unpack(rest, n, width, out)?;
    for _ in 0..exceptions {
        let place = out[..n].get_mut(usize::from(*rest.get(used)?))?;
        let (over, len) = read_over(rest.get(used + 1..)?)?;
        *place |= over.checked_shl(width).unwrap_or(0);
        used += 1 + len;
    }
    Some(1 + used)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(ordinals: &[u32], base: u32, codes: &[u8]) {
        for bounded in [false, true] {
            let mut bytes = vec![];
            put_ordinals(ordinals, base, bounded, &mut bytes);
            let ordinals_len = bytes.len();
            put_codes(codes, &mut bytes);
            let mut out = [0; BLOCK];
            let last = bounded.then(|| *ordinals.last().unwrap());
            assert_eq!(read_ordinals(&bytes, ordinals.len(), base, last, &mut out), Some(ordinals_len));
            assert_eq!(&out[..ordinals.len()], ordinals);
            if let Some(last) = last {
                assert_eq!(read_ordinals(&bytes, ordinals.len(), base, Some(last ^ 1), &mut out), None);
            }
            let codes_len = read_codes(&bytes[ordinals_len..], codes.len(), &mut out);
            assert_eq!(codes_len, Some(bytes.len() - ordinals_len));
            assert_eq!(out[..codes.len()].iter().map(|&c| c as u8).collect::<Vec<_>>(), codes);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn blocks_come_back(
            steps in proptest::collection::vec((0..32u32, any::<u32>(), any::<u8>()), 1..=128),
            dense in 0..33u32,
            base in 0..1000u32,
        ) {
            let (mut ordinals, mut codes, mut next) = (vec![], vec![], u64::from(base));
            for (bits, step, code) in steps {
                let ordinal = next + u64::from(step & ((1u64 << bits.min(dense)) - 1) as u32);
                if let Ok(ordinal) = u32::try_from(ordinal) {
                    ordinals.push(ordinal);
                    codes.push(code >> (step % 9).min(7));
                    next = u64::from(ordinal) + 1;
                }
            }
            check(&ordinals, base, &codes);
        }

        #[test]
        fn any_bytes_are_refused_or_ascend(bytes: Vec<u8>, n in 0..200usize, base: u32, last: Option<u32>) {
            let mut out = [0; BLOCK];
            if read_ordinals(&bytes, n, base, last, &mut out).is_some() {
                prop_assert!(out[..n].windows(2).all(|w| w[0] < w[1]) && out[0] >= base);
            }
            if read_codes(&bytes, n, &mut out).is_some() {
                prop_assert!(out[..n].iter().all(|&code| code < 256));
            }
        }
    }

    #[test]
    fn the_smallest_form_is_taken() {
        let len = |ordinals: &[u32]| {
            let mut out = vec![];
            put_ordinals(ordinals, 0, true, &mut out);
            out.len()
        };
        assert_eq!(len(&(0..128).collect::<Vec<_>>()), 1);
        assert_eq!(len(&(0..256).filter(|i| i % 5 < 3 || *i == 255).take(128).collect::<Vec<_>>()), 1 + 27);
        assert_eq!(len(&(1..129).map(|i| i * 4 - 1).collect::<Vec<_>>()), 1 + 32);
    }
}
