//! Short codes for the pieces that strings are made of, after FSST (Boncz, Neumann, Leis: "FSST: Fast
//! Random Access String Compression", VLDB 2020): a table of up to 255 symbols of one to eight bytes;
//! a code is the number of a symbol, or 255 followed by a byte as it is.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::error::{Place, Result, damaged};

/// The code that says: the next byte is meant as it is.
pub const ESCAPE: u8 = 255;

/// The most symbols in a table.
pub const MAX_SYMBOLS: usize = 255;

/// The longest symbol in bytes.
pub const MAX_SYMBOL: usize = 8;

/// A table of symbols, ready to decode.
#[derive(Clone)]
pub struct Symbols {
    /// One for every code; those of no symbol have length 0.
    bytes: [[u8; MAX_SYMBOL]; 256],
    lens: [u8; 256],
    n: usize,
}

impl std::fmt::Debug for Symbols {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries((0..self.n).map(|i| String::from_utf8_lossy(self.symbol(i)))).finish()
    }
}

impl Default for Symbols {
    fn default() -> Self {
        Self { bytes: [[0; MAX_SYMBOL]; 256], lens: [0; 256], n: 0 }
    }
}

impl Symbols {
    /// Reads a table: the number of symbols, their lengths, their bytes.
    pub fn parse(section: &[u8], name: &'static str) -> Result<Self> {
        let place = Place::Section(name, 0);
        let mut table = Self::default();
        let Some((&n, rest)) = section.split_first() else {
            return Ok(table);
        };
        table.n = usize::from(n);
        if table.n > MAX_SYMBOLS || rest.len() < table.n {
            return damaged!(place, "symbol table", "{n} symbols in {} bytes", section.len());
        }
        let (lens, mut rest) = rest.split_at(table.n);
        for (i, &len) in lens.iter().enumerate() {
            let len = usize::from(len);
            if !(1..=MAX_SYMBOL).contains(&len) || rest.len() < len {
                return damaged!(place, "symbol table", "symbol {i} of {len} bytes");
            }
            table.bytes[i][..len].copy_from_slice(&rest[..len]);
            table.lens[i] = len as u8;
            rest = &rest[len..];
        }
        if !rest.is_empty() {
            return damaged!(place, "symbol table", "{} bytes too many", rest.len());
        }
        Ok(table)
    }

    /// Writes the table.
    pub fn write(&self) -> Vec<u8> {
        let mut out = vec![self.n as u8];
        out.extend_from_slice(&self.lens[..self.n]);
        for i in 0..self.n {
            out.extend_from_slice(self.symbol(i));
        }
        out
    }

    fn symbol(&self, code: usize) -> &[u8] {
        &self.bytes[code][..usize::from(self.lens[code])]
    }

    /// Appends what `codes` stand for; false if a code has no symbol or an escape has no byte.
    #[inline]
    pub fn decode(&self, codes: &[u8], out: &mut Vec<u8>) -> bool {
        let mut codes = codes.iter();
        while let Some(&code) = codes.next() {
            if code == ESCAPE {
                let Some(&b) = codes.next() else { return false };
                out.push(b);
                continue;
            }
            let len = usize::from(self.lens[usize::from(code)]);
            if len == 0 {
                return false;
            }
            // Eight bytes always and the end cut off: one store, where a length that varies is a call.
            let end = out.len() + len;
            out.extend_from_slice(&self.bytes[usize::from(code)]);
            out.truncate(end);
        }
        true
    }

    /// Compares what `codes` stand for with a text, as far as they are alike: how many bytes they share,
    /// and which is greater. `None` if a code up to there has no symbol or an escape has no byte.
    #[inline]
    pub fn compare(&self, codes: &[u8], text: &[u8]) -> Option<(usize, Ordering)> {
        let mut shared = 0;
        let mut codes = codes.iter();
        while let Some(&code) = codes.next() {
            let (word, len) = if code == ESCAPE {
                (u64::from(*codes.next()?), 1)
            } else {
                (u64::from_le_bytes(self.bytes[usize::from(code)]), usize::from(self.lens[usize::from(code)]))
            };
            if len == 0 {
                return None;
            }
            let rest = &text[shared..];
            let other = rest.first_chunk().map_or_else(|| word_of(rest), |eight| u64::from_le_bytes(*eight));
            let (alike, have) = (((word ^ other).trailing_zeros() / 8) as usize, len.min(rest.len()));
            if alike < have {
                return Some((shared + alike, ((word >> (8 * alike)) as u8).cmp(&rest[alike])));
            }
            shared += have;
            if have < len {
                return Some((shared, Ordering::Greater));
            }
        }
        Some((shared, if shared == text.len() { Ordering::Equal } else { Ordering::Less }))
    }

    fn from_list(list: &[(u64, usize)]) -> Self {
        let mut table = Self { n: list.len(), ..Self::default() };
        for (i, &(word, len)) in list.iter().enumerate() {
            table.bytes[i] = word.to_le_bytes();
            table.lens[i] = len as u8;
        }
        table
    }
}

/// Finds codes for strings: the longest symbol that fits, again and again.
pub struct Encoder {
    symbols: Symbols,
    /// Codes of symbols of one byte, or [`ESCAPE`].
    single: [u8; 256],
    /// Codes of longer symbols by their first two bytes, longest first.
    pairs: HashMap<[u8; 2], Vec<u8>>,
}

impl Encoder {
    /// Prepares a table for encoding.
    pub fn new(symbols: Symbols) -> Self {
        let mut single = [ESCAPE; 256];
        let mut pairs: HashMap<[u8; 2], Vec<u8>> = HashMap::new();
        for code in 0..symbols.n {
            match *symbols.symbol(code) {
                [b] => single[usize::from(b)] = code as u8,
                [a, b, ..] => pairs.entry([a, b]).or_default().push(code as u8),
                [] => {}
            }
        }
        for codes in pairs.values_mut() {
            codes.sort_by_key(|&c| (std::cmp::Reverse(symbols.lens[usize::from(c)]), c));
        }
        Self { symbols, single, pairs }
    }

    /// Returns the table.
    pub fn symbols(&self) -> &Symbols {
        &self.symbols
    }

    /// Returns the code of the longest symbol at the start of `text`, and its length.
    fn longest(&self, text: &[u8]) -> Option<(u8, usize)> {
        if let [a, b, ..] = *text
            && let Some(codes) = self.pairs.get(&[a, b])
            && let Some(&code) =
                codes.iter().find(|&&c| text.starts_with(self.symbols.symbol(usize::from(c))))
        {
            return Some((code, usize::from(self.symbols.lens[usize::from(code)])));
        }
        let code = self.single[usize::from(text[0])];
        (code != ESCAPE).then_some((code, 1))
    }

    /// Appends the codes of a string.
    pub fn encode(&self, mut text: &[u8], out: &mut Vec<u8>) {
        while let Some(&first) = text.first() {
            match self.longest(text) {
                Some((code, len)) => {
                    out.push(code);
                    text = &text[len..];
                }
                None => {
                    out.extend_from_slice(&[ESCAPE, first]);
                    text = &text[1..];
                }
            }
        }
    }
}

/// Rounds of training; gains end after about five (FSST, section 4.2).
const ROUNDS: usize = 6;

/// Chooses symbols for strings like those of a sample. The same sample gives the same table.
///
/// Costs about 30 ms for 100 KB. Each round encodes the sample with the table so far, counts codes
/// and pairs of neighbours, and keeps the 255 pieces (codes and joined pairs) that save most bytes.
pub fn train<'a>(sample: impl Iterator<Item = &'a [u8]> + Clone) -> Symbols {
    let mut table = Symbols::default();
    for round in 0..ROUNDS {
        let encoder = Encoder::new(table);
        // A piece is its bytes in a word and its length.
        let mut count: HashMap<(u64, usize), u64> = HashMap::new();
        for text in sample.clone() {
            let mut rest = text;
            let mut last: Option<(u64, usize)> = None;
            while let Some(&first) = rest.first() {
                let len = encoder.longest(rest).map_or(1, |(_, len)| len);
                let piece = (word_of(&rest[..len]), len);
                *count.entry(piece).or_default() += 1;
                if len > 1 {
                    *count.entry((u64::from(first), 1)).or_default() += 1;
                }
                if let Some((bytes, n)) = last
                    && round + 1 < ROUNDS
                    && n + len <= MAX_SYMBOL
                {
                    *count.entry((bytes | piece.0 << (8 * n), n + len)).or_default() += 1;
                }
                last = Some(piece);
                rest = &rest[len..];
            }
        }
        // A byte without a symbol costs two codes, so a symbol of one byte saves one; the paper's
        // factor of eight keeps the usual letters in early rounds.
        let mut gains: Vec<(u64, (u64, usize))> = count
            .into_iter()
            .filter(|&(_, n)| n > 1)
            .map(|(piece, n)| (n * piece.1 as u64 * if piece.1 == 1 { 8 } else { 1 }, piece))
            .collect();
        gains.sort_unstable_by_key(|&g| std::cmp::Reverse(g));
        gains.truncate(MAX_SYMBOLS);
        let mut list: Vec<(u64, usize)> = gains.into_iter().map(|(_, piece)| piece).collect();
        list.sort_unstable();
        table = Symbols::from_list(&list);
    }
    table
}

/// Returns up to eight bytes as a number.
fn word_of(bytes: &[u8]) -> u64 {
    let mut out = [0; 8];
    out[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_string_comes_back(sample in proptest::collection::vec(".*", 0..20), texts in proptest::collection::vec(any::<Vec<u8>>(), 0..20)) {
            let table = train(sample.iter().map(|s| s.as_bytes()));
            let table = Symbols::parse(&table.write(), "test").unwrap();
            let encoder = Encoder::new(table.clone());
            for text in texts.iter().map(|t| &t[..]).chain(sample.iter().map(|s| s.as_bytes())) {
                let (mut codes, mut back) = (vec![], vec![]);
                encoder.encode(text, &mut codes);
                prop_assert!(codes.len() <= 2 * text.len());
                prop_assert!(table.decode(&codes, &mut back));
                prop_assert_eq!(&back, text);
                let other = texts.first().map_or(&b""[..], |t| t);
                let shared = text.iter().zip(other).take_while(|(a, b)| a == b).count();
                prop_assert_eq!(table.compare(&codes, other), Some((shared, text[..].cmp(other))));
            }
        }

        #[test]
        fn a_hostile_table_and_hostile_codes_are_refused_or_bounded(section: Vec<u8>, codes: Vec<u8>) {
            if let Ok(table) = Symbols::parse(&section, "test") {
                let mut out = vec![];
                table.decode(&codes, &mut out);
                prop_assert!(out.len() <= codes.len() * MAX_SYMBOL);
            }
        }
    }

    #[test]
    fn paths_of_one_kind_shrink_to_less_than_half() {
        let paths: Vec<String> =
            (0..2000).map(|i| format!("std/collections/hash_map/struct.Entry{i}.html")).collect();
        let table = train(paths.iter().map(|p| p.as_bytes()));
        let encoder = Encoder::new(table);
        let mut codes = vec![];
        paths.iter().for_each(|p| encoder.encode(p.as_bytes(), &mut codes));
        let raw: usize = paths.iter().map(String::len).sum();
        assert!(codes.len() * 4 < raw, "{} of {raw}", codes.len());
    }
}
