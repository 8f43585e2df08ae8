//! Keeps FORMAT.md true: its tables, its numbers and its examples are compared with the code.

use super::block::{self, PER_PAGE};
use super::first_page::{FIELDS, MAX_ROWS, Row, SectionKind};
use super::hash_tree::{DIGEST, TOP_DIGESTS};
use super::strings::{KEY_INLINE, RESTART, leaf, node};
use crate::fold::{TITLE_KEY_VECTORS, title_key};
use crate::limits;

const SPEC: &str = include_str!("FORMAT.md");

/// Returns the rows of the tables below a heading: their cells.
fn tables(heading: &str) -> Vec<Vec<String>> {
    let start = SPEC.find(&format!("\n{heading}")).unwrap_or_else(|| panic!("no heading {heading}")) + 1;
    let body = &SPEC[start..];
    let end = body[1..].find("\n#").map_or(body.len(), |at| at + 1);
    body[..end]
        .lines()
        .filter(|line| line.starts_with('|') && !line.starts_with("| ---") && !line.contains("---:"))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_string()).collect())
        .collect()
}

#[test]
fn the_first_pages_fields_are_those_of_the_code() {
    let rows = tables("## 3. The first page");
    let described: Vec<(&str, usize, usize)> =
        rows.iter().filter_map(|r| Some((r[2].as_str(), r[0].parse().ok()?, r[1].parse().ok()?))).collect();
    assert_eq!(&described[..FIELDS.len()], FIELDS);
    let row = &described[FIELDS.len()..];
    assert_eq!(
        row,
        [("kind", 0, 2), ("flags", 2, 2), ("copy", 4, 4), ("offset", 8, 8), ("len", 16, 8), ("count", 24, 8)]
    );
    assert_eq!(row.iter().map(|f| f.2).sum::<usize>(), Row::SIZE);
    assert_eq!(MAX_ROWS, 64);
    assert_eq!(TOP_DIGESTS as usize * DIGEST, 1024);
}

#[test]
fn the_kinds_of_sections_are_those_of_the_code() {
    let rows = tables("## 3. The first page");
    let kinds: Vec<(u16, &str)> = rows
        .iter()
        .filter(|r| r.len() == 5)
        .filter_map(|r| Some((r[0].parse().ok()?, r[1].as_str())))
        .collect();
    assert_eq!(kinds.len(), 31);
    for (kind, name) in kinds {
        assert_eq!(SectionKind(kind).name(), name);
    }
    assert_eq!(SectionKind(32).name(), "unknown");
}

#[test]
fn block_records_are_as_described() {
    let rows = tables("## 5. Blocks");
    let field = |name: &str| rows.iter().find(|r| r.len() > 2 && r[2] == name).unwrap().clone();
    assert_eq!(field("records")[0], block::PAGE_HEAD.to_string());
    assert_eq!(field("records")[1], format!("{} each", block::RECORD));
    assert_eq!(field("hash")[0], (block::RECORD - DIGEST).to_string());
    assert!(SPEC.contains(&format!("{PER_PAGE} to a page")));
    assert_eq!(limits::MAX_REFERENCE_RAW, 2 * 1024 * 1024);
    assert_eq!(limits::MAX_BLOCK_RAW, 16 * 1024 * 1024 - 1);
    assert_eq!(1 << limits::MAX_WINDOW_LOG, 8 * 1024 * 1024);
}

#[test]
fn leaves_and_nodes_are_as_described() {
    let rows = tables("### 6.2 Leaves");
    let offset =
        |name: &str| rows.iter().find(|r| r.len() > 2 && r[2] == name).unwrap()[0].parse::<usize>().unwrap();
    for (name, at) in [
        ("n", leaf::N),
        ("records", leaf::RECORDS),
        ("first_rank", leaf::FIRST_RANK),
        ("first_counted", leaf::FIRST_COUNTED),
        ("flags", leaf::FLAGS),
        ("prefix_len", leaf::PREFIX_LEN),
        ("prefix", leaf::HEADER),
    ] {
        assert_eq!(at, offset(name), "{name}");
    }
    let rows = tables("### 6.3 Nodes");
    let offset =
        |name: &str| rows.iter().find(|r| r.len() > 2 && r[2] == name).unwrap()[0].parse::<usize>().unwrap();
    for (name, at) in
        [("level", node::LEVEL), ("n", node::N), ("first_child", node::FIRST_CHILD), ("ranks", node::HEADER)]
    {
        assert_eq!(at, offset(name), "{name}");
    }
    assert_eq!((RESTART, KEY_INLINE), (16, 512));
    assert_eq!(limits::MAX_NAME_LEN, 65_535);
}

#[test]
fn the_title_keys_listed_are_those_that_the_code_computes() {
    let mut rows = String::new();
    for (title, key) in TITLE_KEY_VECTORS {
        assert_eq!(title_key(title), *key);
        rows.push_str(&format!("| {} | {} |\n", listed(title), listed(key)));
    }
    assert!(SPEC.contains(&rows), "FORMAT.md lacks the rows\n{rows}");
}

/// A string as the specification's table writes it: what cannot be seen as `\u{...}`.
fn listed(text: &str) -> String {
    let mut out = String::from("`");
    for c in text.chars() {
        let mark = unicode_normalization::char::is_combining_mark(c);
        if c.is_ascii_graphic() && c != '|' && c != '`' || c == ' ' || c.is_alphanumeric() && !mark {
            out.push(c);
        } else {
            out.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
        }
    }
    out + "`"
}
