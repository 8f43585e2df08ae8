//! From a query to what each archive's index is asked for.

use super::query::{self, Clause, Form};
use super::{Asked, Demand, Index};
use crate::error::Result;
use crate::format::strings::tree::RowPlace;
use crate::index::fulltext::{FieldMask, FullText, Group, Query, Role, Term, Work, cost, pair_key, weight};
use crate::tables::Tables;
use crate::text::phrase;
use crate::text::stems::{self, Dictionary, Languages, Visit};
use crate::text::words::{self, Words};

/// The most words of a query that are searched for; people type three.
const MAX_WORDS: usize = 32;

/// The most phrases; an article is looked through once for each.
const MAX_PHRASES: usize = 8;

/// The most words of the dictionary that the beginning of a word stands for: those on the most pages.
const MAX_CONTINUED: usize = 256;

/// The most words that are looked at for those.
const MAX_LOOKED_AT: usize = 20_000;

/// What the search for a word's forms may cost, as [`stems::forms`] counts, and what one of that costs
/// in units of work.
const FORM_BUDGET: u32 = 10_000;
const FORM_UNIT: u64 = 4;

/// A word that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// The word as it was typed.
    pub typed: String,
    /// Its key, with what was typed of its marks.
    pub key: Vec<u8>,
    /// What it stands for.
    pub meant: Meant,
    /// True if only titles count.
    pub title: bool,
    /// True if what has it is left out.
    pub negated: bool,
}

impl Want {
    /// Returns the word without its marks.
    pub fn folded(&self) -> &[u8] {
        words::folded(&self.key)
    }
}

/// What a word stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meant {
    /// The word as it is written, whatever its marks.
    Exactly,
    /// The word in all its forms.
    Forms,
    /// All words that begin so.
    Beginning,
}

/// Words that must stand one behind the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// The words as they were typed.
    pub text: String,
    /// The words.
    pub words: phrase::Phrase,
    /// True if only titles count.
    pub title: bool,
    /// True if what has it is left out.
    pub negated: bool,
}

/// A query as words and phrases.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The words, each once.
    pub wants: Vec<Want>,
    /// The phrases of two words or more.
    pub phrases: Vec<Phrase>,
    /// True if words were left out because there are too many.
    pub cut: bool,
}

impl Plan {
    /// Takes the clauses of a query apart into words.
    pub fn of(query: &query::Query) -> Self {
        let mut plan = Self::default();
        for clause in &query.clauses {
            plan.add(clause);
        }
        plan
    }

    fn add(&mut self, clause: &Clause) {
        let mut wants = vec![];
        let mut words = Words::new(&clause.text);
        while let Some(word) = words.next() {
            wants.push(Want {
                typed: clause.text[word.range.clone()].to_string(),
                key: word.key.to_vec(),
                meant: match (clause.form, word.grams) {
                    (Form::Phrase, _) => Meant::Exactly,
                    // A character alone stands in the index with the one behind it.
                    (_, Some(grams)) if grams.second_key == word.key.len() => Meant::Beginning,
                    _ => Meant::Forms,
                },
                title: clause.title,
                negated: clause.negated,
            });
        }
        if let (Form::Prefix, Some(last)) = (clause.form, wants.last_mut()) {
            last.meant = Meant::Beginning;
        }
        if clause.form == Form::Phrase
            && wants.len() > 1
            && let Some(words) = phrase::Phrase::new(&clause.text)
        {
            let Clause { text, title, negated, .. } = clause.clone();
            let is_same = |p: &Phrase| (&p.words, p.title, p.negated) == (&words, title, negated);
            if self.phrases.len() >= MAX_PHRASES {
                self.cut = true;
            } else if !self.phrases.iter().any(is_same) {
                self.phrases.push(Phrase { text, words, title, negated });
            }
            if clause.negated {
                // Its words may be there, only not so.
                return;
            }
        }
        for want in wants {
            let same =
                |w: &Want| (w.folded(), w.title, w.negated) == (want.folded(), want.title, want.negated);
            match self.wants.iter().position(same) {
                Some(i) => self.wants[i].meant = self.wants[i].meant.min(want.meant),
                None if self.wants.len() < MAX_WORDS => self.wants.push(want),
                None => self.cut = true,
            }
        }
    }

    /// Returns the phrases that an article must have, or, where phrases are given up, must not have.
    pub fn phrases(&self, demand: Demand) -> Vec<&Phrase> {
        self.phrases.iter().filter(|p| demand.phrases || p.negated).collect()
    }

    /// Returns the words that are asked for, as one text.
    pub fn positive_text(&self) -> String {
        let words = self.wants.iter().filter(|w| !w.negated).map(|w| &w.typed[..]);
        words.collect::<Vec<_>>().join(" ")
    }

    /// Returns true if a title has a word or phrase that must not be there.
    pub fn forbids(&self, title: &str) -> bool {
        let mut words = Words::new(title);
        while let Some(word) = words.next() {
            if self.wants.iter().any(|w| w.negated && w.folded() == words::folded(word.key)) {
                return true;
            }
        }
        self.phrases.iter().any(|p| p.negated && p.words.is_in_text(title))
    }

    /// Returns how many words must be there.
    pub fn required(&self) -> usize {
        self.wants.iter().filter(|w| !w.negated).count()
    }

    /// Returns how many of them some article of some archive has.
    pub fn known(&self, asked: &[Asked<'_>]) -> usize {
        let is_known = |i: usize| asked.iter().any(|a| !a.expansions[i].terms.is_empty());
        (0..self.wants.len()).filter(|&i| !self.wants[i].negated && is_known(i)).count()
    }

    /// Finds the words of an archive's dictionary that the wants stand for.
    ///
    /// # Errors
    ///
    /// Fails if the dictionary is damaged where they would be.
    pub fn expand(&self, index: &Index, tables: &Tables, work: &mut Work) -> Result<Vec<Expansion>> {
        let Index { words, languages } = index;
        self.wants.iter().map(|want| expand(want, words, tables, languages, work)).collect()
    }

    /// Returns what each archive's index is asked, with weights that they have in common.
    pub fn queries(&self, asked: &[Asked<'_>], demand: Demand) -> Vec<Query> {
        let all: u64 = asked.iter().map(|a| u64::from(a.index.articles())).sum();
        let strict = demand.words == self.required();
        let role = |want: &Want| match (want.negated, strict) {
            (true, _) => Role::Excluded,
            (false, true) => Role::Required,
            (false, false) => Role::Optional,
        };
        let groups = |asked: &Asked<'_>| -> Vec<Group> {
            let group = |(want, expansion): (&Want, &Expansion)| Group {
                terms: expansion.terms.clone(),
                fields: if want.title { FieldMask::TITLE } else { FieldMask::ALL },
                role: role(want),
                weight: None,
            };
            self.wants.iter().zip(&asked.expansions).map(group).collect()
        };
        let mut by_archive: Vec<Vec<Group>> = asked.iter().map(groups).collect();
        for i in 0..self.wants.len() {
            let with = |(asked, groups): (&Asked<'_>, &Vec<Group>)| {
                groups[i].articles(asked.index.articles().into())
            };
            let with: u64 = asked.iter().zip(&by_archive).map(with).sum();
            by_archive.iter_mut().for_each(|groups| groups[i].weight = Some(weight(all, with)));
        }
        for (asked, groups) in asked.iter().zip(&mut by_archive) {
            if demand.phrases {
                groups.extend(self.phrases.iter().flat_map(|phrase| pairs(phrase, asked)));
            }
        }
        let min_optional = if strict { 0 } else { demand.words };
        by_archive.into_iter().map(|groups| Query { groups, min_optional }).collect()
    }
}

/// The words of an archive's dictionary that a want stands for.
#[derive(Debug, Clone, Default)]
pub struct Expansion {
    /// Their keys.
    pub keys: Vec<Vec<u8>>,
    /// Where their postings are.
    pub terms: Vec<Term>,
    /// True if there are more than were taken.
    pub cut: bool,
}

impl Expansion {
    /// Returns how many articles have the most frequent of the words.
    pub fn df(&self) -> u64 {
        self.terms.iter().map(|t| u64::from(t.df())).max().unwrap_or(0)
    }

    fn push(&mut self, key: &[u8], term: Term) {
        self.keys.push(key.to_vec());
        self.terms.push(term);
    }
}

fn expand(
    want: &Want,
    index: &FullText,
    tables: &Tables,
    languages: &Languages,
    work: &mut Work,
) -> Result<Expansion> {
    let mut out = Expansion::default();
    match want.meant {
        Meant::Exactly => {
            let mut terms = index.terms(tables, want.folded());
            work.spend(cost::LEAF);
            while let Some((key, term)) = terms.next()? {
                if words::folded(key) != want.folded() {
                    break;
                }
                out.push(key, term);
            }
        }
        Meant::Forms => {
            let mut budget = FORM_BUDGET;
            let forms = stems::forms(&want.key, languages, &Lexicon { index, tables }, &mut budget)?;
            work.spend(u64::from(FORM_BUDGET - budget) * FORM_UNIT);
            out.cut = budget == 0;
            for form in forms {
                out.terms.push(index.term_in(tables, form.row)?);
                out.keys.push(form.key);
            }
        }
        Meant::Beginning => {
            let mut terms = index.terms(tables, want.folded());
            let mut looked_at = 0;
            while let Some((key, term)) = terms.next()? {
                looked_at += 1;
                if looked_at > MAX_LOOKED_AT || work.is_over() {
                    out.cut = true;
                    break;
                }
                work.spend(cost::STEP);
                out.push(key, term);
            }
            if out.terms.len() > MAX_CONTINUED {
                out.cut = true;
                let mut order: Vec<usize> = (0..out.terms.len()).collect();
                order.sort_by_key(|&i| (std::cmp::Reverse(out.terms[i].df()), i));
                order.truncate(MAX_CONTINUED);
                order.sort_unstable();
                out.keys = order.iter().map(|&i| out.keys[i].clone()).collect();
                out.terms = order.iter().map(|&i| out.terms[i]).collect();
            }
        }
    }
    Ok(out)
}

/// Returns the pairs of a phrase that the index has as words of their own.
fn pairs(phrase: &Phrase, asked: &Asked<'_>) -> Vec<Group> {
    let frequent = &asked.index.parameters().frequent;
    if frequent.is_empty() || phrase.negated {
        return vec![];
    }
    let mut keys: Vec<Vec<u8>> = vec![];
    let mut words = Words::new(&phrase.text);
    while let Some(word) = words.next() {
        keys.push(words::folded(word.key).to_vec());
    }
    let is_frequent = |key: &[u8]| frequent.iter().any(|f| f.as_bytes() == key);
    let pairs = keys.windows(2).filter(|pair| pair.iter().any(|key| is_frequent(key)));
    let group = |pair: &[Vec<u8>]| {
        // What cannot be read does not narrow the search down.
        let term = asked.index.term(asked.archive.tables(), &pair_key(&pair[0], &pair[1])).ok()?;
        // Found by it, not ranked by it.
        Some(Group { terms: term.into_iter().collect(), weight: Some(1), ..Group::default() })
    };
    pairs.filter_map(group).collect()
}

/// An archive's dictionary, as stemming looks at it.
struct Lexicon<'a> {
    index: &'a FullText,
    tables: &'a Tables,
}

impl Dictionary for Lexicon<'_> {
    /// Where its postings are found, which most keys are passed without.
    type Row = RowPlace;

    fn keys_from(&self, start: &[u8], visit: &mut Visit<'_, RowPlace>) -> Result<()> {
        self.index.words_from(self.tables, start, |key, place| visit(key, place))
    }
}
