//! Values of options: ranges, sizes, dates, languages.

/// A range of bytes as it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeArg {
    /// From a byte on, to another one, which is included.
    From(u64, Option<u64>),
    /// So many bytes at the end.
    Last(u64),
}

impl RangeArg {
    /// Returns the range within so many bytes, or `None` if it lies behind them.
    pub fn within(self, len: u64) -> Option<std::ops::Range<u64>> {
        match self {
            Self::From(first, _) if first >= len => None,
            Self::From(first, last) => Some(first..last.map_or(len, |last| last.saturating_add(1).min(len))),
            Self::Last(0) => None,
            Self::Last(n) => Some(len.saturating_sub(n)..len),
        }
    }
}

pub fn range(text: &str) -> Result<RangeArg, String> {
    let number =
        |digits: &str| digits.parse::<u64>().map_err(|_| format!("{digits:?} is no number of bytes"));
    match text.split_once('-') {
        Some(("", last)) => Ok(RangeArg::Last(number(last)?)),
        Some((first, "")) => Ok(RangeArg::From(number(first)?, None)),
        Some((first, last)) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return Err("it ends before it begins".into());
            }
            Ok(RangeArg::From(first, Some(last)))
        }
        None => Err("a range is A-B, A- or -N".into()),
    }
}

/// Reads a size: a number and perhaps K, M, G, T (powers of 1024) or KB, MB, GB, TB (of 1000).
pub fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 =
        number.parse().map_err(|_| format!("{text:?} is no size; sizes are like 64K or 400MB"))?;
    let unit = unit.trim().to_ascii_uppercase();
    let power = |letter: &str| "KMGT".find(letter).map(|at| at as i32 + 1);
    let factor = match unit.as_str() {
        "" | "B" => 1.0,
        unit if unit.len() == 1 => power(unit).map(|p| 1024f64.powi(p)).unwrap_or(0.0),
        unit if unit.len() == 2 && unit.ends_with('B') => {
            power(&unit[..1]).map(|p| 1000f64.powi(p)).unwrap_or(0.0)
        }
        unit if unit.len() == 3 && unit.ends_with("IB") => {
            power(&unit[..1]).map(|p| 1024f64.powi(p)).unwrap_or(0.0)
        }
        _ => 0.0,
    };
    let bytes = number * factor;
    if factor == 0.0 || bytes >= u64::MAX as f64 {
        return Err(format!("{text:?} is no size; sizes are like 64K or 400MB"));
    }
    Ok(bytes as u64)
}

pub fn block_size(text: &str) -> Result<u64, String> {
    match size(text)? {
        size @ 4096..=1_048_576 => Ok(size),
        _ => Err("a block holds 4K to 1M".into()),
    }
}

pub fn memory(text: &str) -> Result<u64, String> {
    match size(text)? {
        size @ 16_000_000.. => Ok(size),
        _ => Err("less than 16MB is not enough for anything".into()),
    }
}

pub fn date(text: &str) -> Result<String, String> {
    let wrong = || format!("{text:?} is no date; dates are like 2024-05-31");
    let bytes = text.as_bytes();
    let shape = bytes.len() == 10
        && bytes
            .iter()
            .enumerate()
            .all(|(i, b)| if i == 4 || i == 7 { *b == b'-' } else { b.is_ascii_digit() });
    if !shape {
        return Err(wrong());
    }
    let number = |range: std::ops::Range<usize>| text[range].parse::<u32>().map_err(|_| wrong());
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    if (1..=days).contains(&day) { Ok(text.to_owned()) } else { Err(wrong()) }
}

pub fn languages(text: &str) -> Result<String, String> {
    let tags: Option<Vec<String>> = text.split(',').map(tome::text::head::language_tag).collect();
    match tags {
        Some(tags) => Ok(tags.join(",")),
        None => Err(format!("{text:?} is no language tag; tags are like en, pt-BR or zh-Hant")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, expected) in [
            ("0", 0),
            ("1000", 1000),
            ("64K", 65_536),
            ("64k", 65_536),
            ("64KiB", 65_536),
            ("1M", 1 << 20),
            ("400MB", 400_000_000),
            ("1.5G", 3 << 29),
        ] {
            assert_eq!(size(text), Ok(expected), "{text}");
        }
        for text in ["", "K", "1X", "1XB", "-1", "1e400", "99999999999999T", "1.2.3"] {
            assert!(size(text).is_err(), "{text}");
        }
        assert!(block_size("2M").is_err() && block_size("1K").is_err());
    }

    #[test]
    fn dates_exist() {
        for good in ["2024-02-29", "1999-12-31", "2000-02-29"] {
            assert_eq!(date(good).as_deref(), Ok(good));
        }
        for bad in [
            "2023-02-29",
            "1900-02-29",
            "2024-13-01",
            "2024-00-10",
            "2024-1-1",
            "24-01-01",
            "2024-04-31",
            "é24-01-01",
        ] {
            assert!(date(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ranges_are_those_of_http() {
        for (text, len, expected) in [
            ("0-0", 10, Some(0..1)),
            ("2-4", 10, Some(2..5)),
            ("5-", 10, Some(5..10)),
            ("-3", 10, Some(7..10)),
            ("-30", 10, Some(0..10)),
            ("0-99", 10, Some(0..10)),
            ("0-18446744073709551615", 10, Some(0..10)),
            ("10-", 10, None),
            ("-0", 10, None),
            ("0-", 0, None),
        ] {
            assert_eq!(range(text).unwrap().within(len), expected, "{text}");
        }
        for bad in ["", "-", "5", "4-2", "a-b", "1-2-3", "18446744073709551616-"] {
            assert!(range(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn languages_are_tags() {
        assert_eq!(languages("en, pt_BR").as_deref(), Ok("en,pt-BR"));
        assert!(languages("English (US)").is_err());
        assert!(languages("").is_err());
    }
}
