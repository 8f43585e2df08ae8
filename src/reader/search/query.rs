//! What a query asks for: words, phrases, beginnings of words, and what must not be there.

use crate::text::borders;

/// The most bytes of a query that are looked at; people type a hundred.
pub const MAX_QUERY: usize = 4096;

/// One thing that a query asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// The text as it was typed, without the marks that make it a phrase or a prefix.
    pub text: String,
    /// How it is meant.
    pub form: Form,
    /// True if what holds it is left out.
    pub negated: bool,
    /// True if only titles count.
    pub title: bool,
}

/// How a clause is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Words, each in any of its forms.
    Words,
    /// Words exactly as they are written, one behind the other.
    Phrase,
    /// Words, the last of which goes on.
    Prefix,
}

/// A query, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// What it asks for, in the order in which it was typed.
    pub clauses: Vec<Clause>,
    /// True if only the first [`MAX_QUERY`] bytes were looked at.
    pub cut: bool,
}

/// Every mark that people and their keyboards make for a quote.
const QUOTES: [char; 7] = ['"', '\u{201c}', '\u{201d}', '\u{201e}', '\u{201f}', '\u{ab}', '\u{bb}'];

const TITLE: &str = "title:";

impl Query {
    /// Takes a query apart. Whatever is typed is a query: a quote without its end goes to the end.
    pub fn parse(text: &str) -> Self {
        let cut = text.len() > MAX_QUERY;
        let text = &text[..borders::floor(text, MAX_QUERY)];
        let mut clauses = vec![];
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let mut at = rest;
            let negated = match at.strip_prefix('-') {
                // A dash alone, or before a space, is a dash.
                Some(after) if !after.is_empty() && !after.starts_with(char::is_whitespace) => {
                    at = after;
                    true
                }
                _ => false,
            };
            let title = at.get(..TITLE.len()).is_some_and(|start| start.eq_ignore_ascii_case(TITLE));
            if title {
                at = &at[TITLE.len()..];
            }
            let (text, form, after) = if let Some(quoted) = at.strip_prefix(QUOTES) {
                let end = quoted.find(QUOTES).unwrap_or(quoted.len());
                let after = quoted[end..].strip_prefix(QUOTES).unwrap_or("");
                (&quoted[..end], Form::Phrase, after)
            } else {
                // A quote inside a word (5'10", foo"bar) begins a phrase only after a space.
                let end = at.find(char::is_whitespace).unwrap_or(at.len());
                match at[..end].strip_suffix('*') {
                    Some(start) => (start, Form::Prefix, &at[end..]),
                    None => (&at[..end], Form::Words, &at[end..]),
                }
            };
            if !text.trim().is_empty() {
                clauses.push(Clause { text: text.to_string(), form, negated, title });
            }
            rest = after.trim_start();
        }
        Self { clauses, cut }
    }

    /// Takes a text as words and nothing else.
    pub fn plain(text: &str) -> Self {
        let words =
            |text: &str| Clause { text: text.into(), form: Form::Words, negated: false, title: false };
        let text = &text[..borders::floor(text, MAX_QUERY)];
        Self { clauses: text.split_whitespace().map(words).collect(), cut: false }
    }

    /// Returns the text of the phrase that the query is, if it is that and nothing else.
    pub fn only_phrase(&self) -> Option<&str> {
        match &self.clauses[..] {
            [Clause { text, form: Form::Phrase, negated: false, title: false }] => Some(text),
            _ => None,
        }
    }

    /// Returns true if the query is words and nothing else, so that it may be a title as well.
    pub fn is_plain(&self) -> bool {
        self.clauses.iter().all(|c| c.form == Form::Words && !c.negated && !c.title)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> String {
        let query = Query::parse(text);
        let show = |c: &Clause| {
            let form = match c.form {
                Form::Words => "w",
                Form::Phrase => "p",
                Form::Prefix => "*",
            };
            format!(
                "{}{}{form}<{}>",
                if c.negated { "-" } else { "" },
                if c.title { "t:" } else { "" },
                c.text
            )
        };
        query.clauses.iter().map(show).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn words_phrases_prefixes_negations_and_titles_are_told_apart() {
        assert_eq!(parsed("big  apple"), "w<big> w<apple>");
        assert_eq!(parsed("\"big apple\" -pie"), "p<big apple> -w<pie>");
        assert_eq!(parsed("-\"apple pie\" app*"), "-p<apple pie> *<app>");
        assert_eq!(parsed("title:apple Title:\"big apple\""), "t:w<apple> t:p<big apple>");
        assert_eq!(parsed("-title:app*"), "-t:*<app>");
        assert_eq!(parsed("\u{201c}big apple\u{201d}"), "p<big apple>");
        assert_eq!(parsed("std::vector don't C++"), "w<std::vector> w<don't> w<C++>");
    }

    #[test]
    fn unbalanced_and_empty_marks_are_harmless() {
        assert_eq!(parsed("\"big apple"), "p<big apple>");
        assert_eq!(parsed("a\" b"), "w<a\"> w<b>");
        assert_eq!(parsed("\"\" - -- * title: -\"\""), "w<-> -w<->");
        assert_eq!(parsed(" "), "");
    }

    #[test]
    fn a_long_query_is_cut() {
        let query = Query::parse(&"é ".repeat(1 << 20));
        assert!(query.cut && query.clauses.len() < MAX_QUERY);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn whatever_is_typed_is_a_query(text in "[\\PC\"*: -]{0,80}") {
            let query = Query::parse(&text);
            prop_assert!(query.clauses.iter().all(|c| !c.text.trim().is_empty()));
        }
    }
}
