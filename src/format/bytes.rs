//! Bounds-checked little-endian reading, varints, and columns of bit-packed integers.

use crate::error::{Error, FormatError, Place, Result};

/// Reads fixed-width little-endian numbers from a slice, one after the other.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    place: Place,
}

impl<'a> Cursor<'a> {
    /// Starts at the beginning of `bytes`; `place` is named in errors.
    pub fn new(bytes: &'a [u8], place: Place) -> Self {
        Self { bytes, at: 0, place }
    }

    /// Returns the position from the start of the slice.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Returns the next `n` bytes.
    ///
    /// # Errors
    ///
    /// Fails if fewer are left; nothing is allocated.
    #[inline]
    pub fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        match self.bytes.get(self.at..).and_then(|rest| rest.get(..n)) {
            Some(taken) => {
                self.at += n;
                Ok(taken)
            }
            None => Err(self.truncated(n)),
        }
    }

    #[cold]
    fn truncated(&self, n: usize) -> Error {
        let detail = format!("{n} bytes wanted at byte {} of {}", self.at, self.bytes.len());
        FormatError::new(self.place, "truncated structure", detail).into()
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    /// Returns the next byte.
    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    /// Returns the next 16-bit number.
    pub fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// Returns the next 32-bit number.
    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// Returns the next 64-bit number.
    pub fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// Returns the next variable-length number (see [`put_varint`]).
    pub fn varint(&mut self) -> Result<u32> {
        match read_varint(&self.bytes[self.at..]) {
            Some((value, len)) => {
                self.at += len;
                Ok(value)
            }
            None => {
                let detail = format!("no valid varint at byte {}", self.at);
                Err(FormatError::new(self.place, "varint", detail).into())
            }
        }
    }
}

/// Reads a 16-bit number at a byte position, or `None` outside the slice.
pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|c| u16::from_le_bytes(*c))
}

/// Reads a 32-bit number at a byte position, or `None` outside the slice.
pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|c| u32::from_le_bytes(*c))
}

/// Reads a 64-bit number at a byte position, or `None` outside the slice.
pub fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|c| u64::from_le_bytes(*c))
}

/// Appends a number as LEB128: seven bits a byte, low bits first, the high bit set on all bytes but
/// the last. The shortest form only.
pub fn put_varint(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Returns the length of a number's varint.
pub fn varint_len(value: u32) -> usize {
    (32 - value.max(1).leading_zeros()).div_ceil(7) as usize
}

/// Reads a varint from the start of a slice: its value and its length in bytes. `None` if it is cut
/// off, longer than 32 bits or not in its shortest form.
#[inline]
pub fn read_varint(bytes: &[u8]) -> Option<(u32, usize)> {
    // The usual case.
    if let Some(&b) = bytes.first()
        && b < 0x80
    {
        return Some((u32::from(b), 1));
    }
    let mut value = 0u32;
    for (i, &b) in bytes.iter().take(5).enumerate() {
        if i == 4 && b > 0x0f {
            return None;
        }
        value |= u32::from(b & 0x7f) << (7 * i);
        if b & 0x80 == 0 {
            return (b != 0 || i == 0).then_some((value, i + 1));
        }
    }
    None
}

/// One column of integers: a base and, for each row, the difference to it in a fixed number of bits.
///
/// On disk a descriptor of [`Column::DESCRIPTOR`] bytes (base, width) and, elsewhere, the packed
/// differences, lowest bit first, padded to whole bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The smallest value.
    pub base: u64,
    /// Bits per difference, 0 to 64.
    pub width: u8,
}

impl Column {
    /// Bytes of a descriptor: base (8) and width (1).
    pub const DESCRIPTOR: usize = 9;

    /// Returns the column that holds values between two bounds.
    pub fn spanning(min: u64, max: u64) -> Self {
        Self { base: min, width: (64 - (max - min).leading_zeros()) as u8 }
    }

    /// Reads a descriptor.
    pub fn parse(cursor: &mut Cursor<'_>) -> Result<Self> {
        let [base @ .., width] = cursor.array::<{ Self::DESCRIPTOR }>()?;
        if width > 64 {
            return Err(FormatError::new(cursor.place, "column width", format!("{width} bits")).into());
        }
        Ok(Self { base: u64::from_le_bytes(base), width })
    }

    /// Appends the descriptor.
    pub fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.base.to_le_bytes());
        out.push(self.width);
    }

    /// Returns how many bytes the differences of `rows` rows take.
    pub fn packed_len(self, rows: usize) -> usize {
        (rows * usize::from(self.width)).div_ceil(8)
    }

    /// Appends the differences of all values.
    pub fn pack(self, values: impl Iterator<Item = u64>, out: &mut Vec<u8>) {
        let (mut acc, mut bits) = (0u128, 0u32);
        for value in values {
            acc |= u128::from(value - self.base) << bits;
            bits += u32::from(self.width);
            while bits >= 8 {
                out.push(acc as u8);
                acc >>= 8;
                bits -= 8;
            }
        }
        if bits > 0 {
            out.push(acc as u8);
        }
    }

    /// Returns the value of a row, from the packed differences; `None` outside them, or where base
    /// and difference overflow.
    #[inline]
    pub fn get(self, packed: &[u8], row: usize) -> Option<u64> {
        if self.width == 0 {
            return Some(self.base);
        }
        let bit = row * usize::from(self.width);
        let (byte, shift) = (bit / 8, bit % 8);
        let end = (bit + usize::from(self.width)).div_ceil(8);
        if end > packed.len() {
            return None;
        }
        let difference = match packed.get(byte..byte + 8) {
            // The usual case: one unaligned load.
            Some(eight) if shift + usize::from(self.width) <= 64 => {
                let mut word = [0; 8];
                word.copy_from_slice(eight);
                let word = u64::from_le_bytes(word) >> shift;
                if self.width == 64 { word } else { word & ((1 << self.width) - 1) }
            }
            _ => {
                let mut word = 0u128;
                for (i, &b) in packed[byte..end].iter().enumerate() {
                    word |= u128::from(b) << (8 * i);
                }
                (word >> shift) as u64 & (u64::MAX >> (64 - u32::from(self.width)))
            }
        };
        self.base.checked_add(difference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn varints_come_back_in_their_shortest_form(v: u32) {
            let mut out = vec![];
            put_varint(&mut out, v);
            prop_assert_eq!(out.len(), varint_len(v));
            prop_assert_eq!(read_varint(&out), Some((v, out.len())));
        }

        #[test]
        fn columns_hold_any_values(values in proptest::collection::vec(any::<u64>(), 1..200), shift in 0..64u32) {
            let values: Vec<u64> = values.iter().map(|v| v >> shift).collect();
            let (min, max) = (*values.iter().min().unwrap(), *values.iter().max().unwrap());
            let column = Column::spanning(min, max);
            let mut packed = vec![];
            column.pack(values.iter().copied(), &mut packed);
            prop_assert_eq!(packed.len(), column.packed_len(values.len()));
            for (i, v) in values.iter().enumerate() {
                prop_assert_eq!(column.get(&packed, i), Some(*v));
            }
            if column.width > 7 {
                prop_assert_eq!(column.get(&packed, values.len()), None);
            }
        }
    }

    #[test]
    fn a_varint_that_is_padded_or_too_long_is_refused() {
        for bytes in [&[0x80, 0][..], &[0xff; 5], &[0xff, 0xff, 0xff, 0xff, 0x1f], &[0x80], &[]] {
            assert_eq!(read_varint(bytes), None, "{bytes:?}");
        }
    }
}
