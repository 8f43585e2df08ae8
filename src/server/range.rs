//! Ranges of bytes that a client asks for.

use std::ops::Range;

/// The most ranges of one request that are served.
const MAX_RANGES: usize = 16;

/// What a `Range` header asks of a thing of a certain length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// All of it: there is no range, or it is one that a server may disregard.
    All,
    /// Parts of it, in the order asked for, each within it and not empty.
    Parts(Vec<Range<u64>>),
    /// Nothing that is there.
    Nothing,
}

/// Reads a `Range` header (RFC 9110, 14.2).
///
/// What is not understood is disregarded, as the standard has it; so are more than 16 ranges, and ranges
/// that together ask for more than the whole, which nobody needs and which would cost us more than it.
pub fn read(header: Option<&str>, len: u64) -> Asked {
    let Some(set) = header.and_then(|h| {
        let (unit, set) = h.split_once('=')?;
        unit.trim().eq_ignore_ascii_case("bytes").then_some(set)
    }) else {
        return Asked::All;
    };
    let mut parts: Vec<Range<u64>> = vec![];
    let mut n = 0;
    for spec in set.split(',').map(str::trim).filter(|spec| !spec.is_empty()) {
        n += 1;
        if n > MAX_RANGES {
            return Asked::All;
        }
        let Some((first, last)) = spec.split_once('-') else { return Asked::All };
        let range = match (number(first), number(last)) {
            (Some(None), Some(Some(suffix))) => len.saturating_sub(suffix)..len,
            (Some(Some(first)), Some(None)) => first..len,
            (Some(Some(first)), Some(Some(last))) if first <= last => first..last.saturating_add(1).min(len),
            _ => return Asked::All,
        };
        if range.start < range.end {
            parts.push(range);
        }
    }
    match parts.len() {
        0 if n == 0 => Asked::All,
        0 => Asked::Nothing,
        _ if parts.iter().fold(0, |sum: u64, p| sum.saturating_add(p.end - p.start)) > len => Asked::All,
        _ => Asked::Parts(parts),
    }
}

/// Reads a number of digits: nothing inside for an empty one, nothing at all for what is none. One too
/// large for us is larger than anything there is.
fn number(text: &str) -> Option<Option<u64>> {
    let text = text.trim();
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((!text.is_empty()).then(|| text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        for (header, len, expected) in [
            ("bytes=0-0", 10, Asked::Parts(vec![0..1])),
            ("bytes=2-", 10, Asked::Parts(vec![2..10])),
            ("bytes=-3", 10, Asked::Parts(vec![7..10])),
            ("bytes=-30", 10, Asked::Parts(vec![0..10])),
            ("bytes=5-99999999999999999999999", 10, Asked::Parts(vec![5..10])),
            ("Bytes = 0-1 , 4-5,", 10, Asked::Parts(vec![0..2, 4..6])),
            ("bytes=8-20,20-30", 10, Asked::Parts(vec![8..10])),
            ("bytes=10-", 10, Asked::Nothing),
            ("bytes=-0", 10, Asked::Nothing),
            ("bytes=0-", 0, Asked::Nothing),
            ("bytes=5-4", 10, Asked::All),
            ("bytes=a-b", 10, Asked::All),
            ("bytes=1", 10, Asked::All),
            ("bytes=--1", 10, Asked::All),
            ("bytes=", 10, Asked::All),
            ("items=0-1", 10, Asked::All),
            ("bytes=0-9,0-9", 10, Asked::All),
        ] {
            assert_eq!(read(Some(header), len), expected, "{header} of {len}");
        }
        assert_eq!(read(None, 10), Asked::All);
        let flood = format!("bytes={}", vec!["0-0"; 17].join(","));
        assert_eq!(read(Some(&flood), 1000), Asked::All);
    }
}
