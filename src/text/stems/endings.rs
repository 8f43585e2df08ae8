//! What may follow the part that a stem shares with its words.
//!
//! `endings.txt` has a line for each language: its name, then groups: what gives way at the end of a
//! stem, a colon, and what words have instead, in order, with commas. For English, `i:ies,y` says that
//! the stem `tri` may be that of `tries` and `try`. It was made by stemming Debian's word lists
//! (hunspell's dictionaries, written out, for Russian and Spanish) and keeping the 320 commonest pairs,
//! all folded. They cover 99 to 100 % of the lists' words, but 93 % in Catalan and Dutch, whose words
//! take more endings, and 86 % in Ukrainian.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Endings for stems that end alike.
#[derive(Debug)]
pub(super) struct Group {
    /// What gives way at the end of the stem.
    pub(super) gives_way: &'static str,
    /// What words have instead, in order.
    pub(super) endings: Vec<&'static str>,
}

static TABLE: LazyLock<HashMap<&'static str, Vec<Group>>> = LazyLock::new(|| {
    let lines = include_str!("endings.txt").lines();
    lines
        .filter_map(|line| {
            let mut parts = line.split(' ');
            let language = parts.next()?;
            let groups = parts.filter_map(|group| {
                let (gives_way, endings) = group.split_once(':')?;
                Some(Group { gives_way, endings: endings.split(',').collect() })
            });
            Some((language, groups.collect()))
        })
        .collect()
});

/// Returns the groups of a language, by the name of its stemmer; none if it has no table.
pub(super) fn of(language: &str) -> &'static [Group] {
    TABLE.get(language).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_in_order_and_few() {
        assert!(TABLE.len() >= 15);
        for (language, groups) in TABLE.iter() {
            assert!(frostem::Algorithm::from_name(language).is_ok(), "{language}");
            assert!(groups.iter().map(|group| group.endings.len()).sum::<usize>() <= 320);
            for group in groups {
                assert!(group.endings.is_sorted_by(|a, b| a < b), "{language} {}", group.gives_way);
            }
        }
        assert!(of("klingon").is_empty());
    }
}
