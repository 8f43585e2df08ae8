//! A dictionary in dictd's form, as a folder with one page a headword.
//!
//! The index has a line an entry: headword, tab, offset, tab, length; the numbers are base 64, most
//! significant digit first. Entries of one headword become one page, in the index's order.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::common::cache_folder;

/// The files of a dictionary.
pub struct Files {
    index: PathBuf,
    text: PathBuf,
}

impl Files {
    /// Returns the dictionary that lies in a folder, if one does.
    pub fn in_folder(folder: &Path) -> Option<Self> {
        let names = std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
        let index = names.filter(|path| path.extension().is_some_and(|e| e == "index")).min()?;
        let text = index.with_extension("dict");
        text.is_file().then_some(Self { index, text })
    }
}

/// Pages in one folder.
const SHELF: usize = 1000;

/// Returns a folder of pages, made if it is not there yet.
pub fn pages(name: &str, files: &Files) -> Result<PathBuf> {
    let folder = cache_folder().join(format!("{name}-pages"));
    if folder.is_dir() {
        return Ok(folder);
    }
    eprintln!("making {}", folder.display());
    let (index, text) = (std::fs::read(&files.index)?, std::fs::read(&files.text)?);
    let mut entries: BTreeMap<String, Vec<&[u8]>> = BTreeMap::new();
    let mut broken = 0;
    for line in index.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        match entry(line, &text) {
            // What the format itself says of the dictionary.
            Some((word, _)) if word.starts_with("00-") => {}
            Some((word, meaning)) => entries.entry(word).or_default().push(meaning),
            None => broken += 1,
        }
    }
    if broken > 0 {
        eprintln!("{}: {broken} lines are no entries: left out", files.index.display());
    }
    // Under another name until it is whole.
    let part = folder.with_extension("part");
    if part.is_dir() {
        std::fs::remove_dir_all(&part)?;
    }
    for (number, (word, meanings)) in entries.iter().enumerate() {
        let shelf = part.join(format!("{:03}", number / SHELF));
        if number.is_multiple_of(SHELF) {
            std::fs::create_dir_all(&shelf)?;
        }
        std::fs::write(shelf.join(format!("{number:06}.html")), page(word, meanings))?;
    }
    std::fs::rename(&part, &folder)?;
    Ok(folder)
}

/// Returns the headword and the text of a line of the index.
fn entry<'a>(line: &[u8], text: &'a [u8]) -> Option<(String, &'a [u8])> {
    let mut fields = line.split(|&byte| byte == b'\t');
    let word = String::from_utf8_lossy(fields.next()?).trim().to_owned();
    let start = number(fields.next()?)?;
    let end = start.checked_add(number(fields.next()?)?)?;
    (!word.is_empty()).then_some((word, text.get(start..end)?))
}

/// Returns a number in base 64.
fn number(digits: &[u8]) -> Option<usize> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    digits.iter().try_fold(0usize, |number, digit| {
        let digit = DIGITS.iter().position(|known| known == digit)?;
        number.checked_mul(64)?.checked_add(digit)
    })
}

/// Returns the page of a headword; lines of one paragraph are joined.
fn page(word: &str, meanings: &[&[u8]]) -> String {
    let word = escaped(word);
    let mut page = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{word}</title></head>\n\
         <body><h1>{word}</h1>\n"
    );
    for meaning in meanings {
        let text = String::from_utf8_lossy(meaning);
        let mut paragraph = String::new();
        for line in text.lines().chain([""]) {
            if !line.trim().is_empty() {
                if !paragraph.is_empty() {
                    paragraph.push(' ');
                }
                paragraph.push_str(line.trim());
            } else if !paragraph.is_empty() {
                let _ = writeln!(page, "<p>{}</p>", escaped(&paragraph));
                paragraph.clear();
            }
        }
    }
    page + "</body></html>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
