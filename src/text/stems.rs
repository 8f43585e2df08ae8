//! Forms of a word, found when a query is asked.
//!
//! An index files words as they are written, so that it depends on no stemmer. Whoever asks for
//! `connections` also means `connect`: the stem of what was typed is spread to the words of the
//! dictionary that share it, in the languages of the archive, all together.
//!
//! Stems of a few letters stand before very many words. A table of endings, learned from word lists,
//! says what may follow the part that a stem shares with its words; where the dictionary has other
//! words, the scan seeks ahead. So the work is bounded by the table and not by the dictionary. Each
//! word that is found is still stemmed: a poor table can only miss words. It is this reader's own and
//! no part of the format.

mod endings;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use frostem::{Algorithm, Stemmer};

use self::endings::Group;
use super::words::{TAIL, folded, written};
use crate::error::Result;
use crate::fold::title_key;

/// Takes keys of a dictionary with what stands beside them.
pub type Visit<'v, R> = dyn FnMut(&[u8], R) -> ControlFlow<()> + 'v;

/// A dictionary of words: keys of [`words`](super::words) in the order of their bytes.
pub trait Dictionary {
    /// What stands beside a key.
    type Row;

    /// Passes the keys that are not less than `start`, in order, until the visitor breaks.
    ///
    /// # Errors
    ///
    /// Fails if the dictionary cannot be read.
    fn keys_from(&self, start: &[u8], visit: &mut Visit<'_, Self::Row>) -> Result<()>;
}

/// A key of the dictionary that is a form of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form<R> {
    /// The key.
    pub key: Vec<u8>,
    /// What the dictionary has beside it.
    pub row: R,
    /// True if it is the same folded word, whatever its marks.
    pub is_same_word: bool,
}

/// What a seek in the dictionary takes from a budget; a key that is looked at takes 1, one that is
/// stemmed [`STEM_COST`] more.
const SEEK_COST: u32 = 8;
const STEM_COST: u32 = 4;

/// After how many keys that cannot be forms a scan seeks ahead.
const MOST_MISSES: u32 = 24;

/// How many keys are looked at under a stem of a language without a table.
const MOST_KEYS: u32 = 400;

/// The longest ending, in bytes, where no table names them.
const MOST_ENDING: usize = 16;

/// A language with a stemmer.
struct Language {
    stemmer: Stemmer,
    /// What gives way at the end of a stem, and what words have instead; none for languages without a
    /// table.
    groups: &'static [Group],
    /// What may stand before a vowel with an apostrophe.
    elisions: &'static [&'static str],
}

/// The languages in which forms are looked for.
#[derive(Default)]
pub struct Languages(Vec<Language>);

impl std::fmt::Debug for Languages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|language| language.stemmer.algorithm())).finish()
    }
}

impl Languages {
    /// Returns those of some languages that have stemmers; `tags` are those of BCP 47, of which the
    /// first part counts. Others are passed over: their words have no other forms.
    pub fn from_tags<'a>(tags: impl IntoIterator<Item = &'a str>) -> Self {
        let mut languages: Vec<Language> = vec![];
        for algorithm in tags.into_iter().filter_map(algorithm) {
            if languages.iter().all(|language| language.stemmer.algorithm() != algorithm) {
                languages.push(Language {
                    stemmer: Stemmer::new(algorithm),
                    groups: endings::of(algorithm.name()),
                    elisions: elisions(algorithm),
                });
            }
        }
        Self(languages)
    }

    /// Returns true if no language has a stemmer.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Returns true if there is a stemmer for the language of a tag.
pub fn has_stemmer(tag: &str) -> bool {
    algorithm(tag).is_some()
}

fn algorithm(tag: &str) -> Option<Algorithm> {
    let primary = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    Some(match primary.as_str() {
        "ar" => Algorithm::Arabic,
        "ca" => Algorithm::Catalan,
        "cs" => Algorithm::Czech,
        "da" => Algorithm::Danish,
        "de" => Algorithm::German,
        "el" => Algorithm::Greek,
        "en" => Algorithm::English,
        "eo" => Algorithm::Esperanto,
        "es" => Algorithm::Spanish,
        "et" => Algorithm::Estonian,
        "eu" => Algorithm::Basque,
        "fa" => Algorithm::Persian,
        "fi" => Algorithm::Finnish,
        "fr" => Algorithm::French,
        "ga" => Algorithm::Irish,
        "hi" => Algorithm::Hindi,
        "hu" => Algorithm::Hungarian,
        "hy" => Algorithm::Armenian,
        "id" => Algorithm::Indonesian,
        "it" => Algorithm::Italian,
        "lt" => Algorithm::Lithuanian,
        "ne" => Algorithm::Nepali,
        "nl" => Algorithm::Dutch,
        "no" | "nb" | "nn" => Algorithm::Norwegian,
        "pl" => Algorithm::Polish,
        "pt" => Algorithm::Portuguese,
        "ro" => Algorithm::Romanian,
        "ru" => Algorithm::Russian,
        "sr" | "hr" | "bs" | "sh" => Algorithm::Serbian,
        "st" => Algorithm::Sesotho,
        "sv" => Algorithm::Swedish,
        "ta" => Algorithm::Tamil,
        "tr" => Algorithm::Turkish,
        "uk" => Algorithm::Ukrainian,
        "yi" => Algorithm::Yiddish,
        _ => return None,
    })
}

fn elisions(algorithm: Algorithm) -> &'static [&'static str] {
    match algorithm {
        Algorithm::French => &["l", "d", "qu", "n", "s", "c", "j", "m", "t"],
        Algorithm::Italian => &["l", "un", "d", "dell", "all", "nell", "dall", "sull", "c", "s"],
        Algorithm::Catalan => &["l", "d", "s", "n", "m", "t"],
        _ => &[],
    }
}

/// Returns the keys of a dictionary that are forms of a word, in order.
///
/// They are those with the same folded word whatever their marks, and those whose stem, folded, is
/// that of the word or of one of those keys. `key` is the word's key as typed, with marks or without.
///
/// The work is taken from `budget`: a key that is looked at costs 1, one that is stemmed 4 more, a
/// seek 8. When nothing is left, what has been found is returned. Most words need less than 100 for
/// each language, the shortest stems less than 5,000.
///
/// # Errors
///
/// Fails if the dictionary does.
pub fn forms<D: Dictionary>(
    key: &[u8],
    languages: &Languages,
    dictionary: &D,
    budget: &mut u32,
) -> Result<Vec<Form<D::Row>>> {
    let word = folded(key);
    let mut search = Search { dictionary, budget, found: BTreeMap::new() };
    if word.is_empty() {
        return Ok(vec![]);
    }
    search.same_word(word)?;
    let mut spellings: Vec<String> = search.found.keys().map(|key| written(key)).collect();
    let typed = written(key);
    if !spellings.contains(&typed) {
        spellings.push(typed);
    }
    for language in &languages.0 {
        let mut stems: Vec<String> = spellings.iter().map(|spelling| language.stem(spelling)).collect();
        stems.sort();
        stems.dedup();
        for stem in stems.iter().filter(|stem| !stem.is_empty()) {
            search.stem(stem, language)?;
        }
    }
    let forms = search.found.into_iter();
    Ok(forms.map(|(key, (row, is_same_word))| Form { key, row, is_same_word }).collect())
}

impl Language {
    /// Returns the folded stem of a written word.
    fn stem(&self, word: &str) -> String {
        let stem = self.stemmer.stem(self.without_elision(word));
        if stem.is_ascii() { stem.into_owned() } else { title_key(&stem) }
    }

    fn has_stem(&self, key: &[u8], stem: &str) -> bool {
        match std::str::from_utf8(key) {
            Ok(word) if word.is_ascii() && !key.contains(&TAIL) => {
                self.stemmer.stem(self.without_elision(word)) == stem
            }
            _ => self.stem(&written(key)) == stem,
        }
    }

    fn without_elision<'w>(&self, word: &'w str) -> &'w str {
        match word.split_once('\'') {
            Some((before, rest)) if !rest.is_empty() && self.elisions.contains(&before) => rest,
            _ => word,
        }
    }
}

struct Search<'d, D: Dictionary> {
    dictionary: &'d D,
    budget: &'d mut u32,
    found: BTreeMap<Vec<u8>, (D::Row, bool)>,
}

impl<D: Dictionary> Search<'_, D> {
    /// Takes from the budget; returns false if there is not enough.
    fn pay(&mut self, cost: u32) -> bool {
        let left = self.budget.checked_sub(cost);
        *self.budget = left.unwrap_or(0);
        left.is_some()
    }

    /// Finds the keys of a folded word.
    fn same_word(&mut self, word: &[u8]) -> Result<()> {
        if !self.pay(SEEK_COST) {
            return Ok(());
        }
        let dictionary = self.dictionary;
        dictionary.keys_from(word, &mut |key, row| {
            if folded(key) != word || !self.pay(1) {
                return ControlFlow::Break(());
            }
            self.found.insert(key.to_vec(), (row, true));
            ControlFlow::Continue(())
        })
    }

    /// Finds the keys with a stem.
    fn stem(&mut self, stem: &str, language: &Language) -> Result<()> {
        const WHOLE: &[Group] = &[Group { gives_way: "", endings: vec![] }];
        let groups = if language.groups.is_empty() { WHOLE } else { language.groups };
        for group in groups {
            let Some(base) = stem.strip_suffix(group.gives_way).filter(|base| !base.is_empty()) else {
                continue;
            };
            self.scan(base, stem, &group.endings, language)?;
            if base.starts_with(['a', 'e', 'i', 'o', 'u', 'y', 'h']) {
                for elision in language.elisions {
                    self.scan(&format!("{elision}'{base}"), stem, &group.endings, language)?;
                }
            }
        }
        Ok(())
    }

    /// Finds the keys with a stem that begin with `base`; with one of some endings behind it, if any
    /// are given, which are in order.
    fn scan(&mut self, base: &str, stem: &str, endings: &[&str], language: &Language) -> Result<()> {
        let mut start = base.as_bytes().to_vec();
        let mut next = 0;
        loop {
            start.truncate(base.len());
            start.extend_from_slice(endings.get(next).copied().unwrap_or_default().as_bytes());
            if !self.pay(SEEK_COST) {
                return Ok(());
            }
            let (mut misses, mut seen, mut is_done) = (0, 0, true);
            let dictionary = self.dictionary;
            dictionary.keys_from(&start, &mut |key, row| {
                let Some(ending) = folded(key).strip_prefix(base.as_bytes()) else {
                    return ControlFlow::Break(());
                };
                if !self.pay(1) {
                    return ControlFlow::Break(());
                }
                let may_be = if endings.is_empty() {
                    seen += 1;
                    if seen > MOST_KEYS {
                        return ControlFlow::Break(());
                    }
                    ending.len() <= MOST_ENDING
                } else {
                    match endings[next..].binary_search_by(|e| e.as_bytes().cmp(ending)) {
                        Ok(at) => {
                            next += at;
                            misses = 0;
                            true
                        }
                        Err(at) => {
                            next += at;
                            misses += 1;
                            if next == endings.len() {
                                return ControlFlow::Break(());
                            }
                            if misses > MOST_MISSES {
                                is_done = false;
                                return ControlFlow::Break(());
                            }
                            false
                        }
                    }
                };
                if may_be && !self.found.contains_key(key) {
                    if !self.pay(STEM_COST) {
                        return ControlFlow::Break(());
                    }
                    if language.has_stem(key, stem) {
                        self.found.insert(key.to_vec(), (row, false));
                    }
                }
                ControlFlow::Continue(())
            })?;
            if is_done {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests;
