//! What counts as found.

use std::collections::HashMap;

use crate::Result;
use crate::ask::{Answer, Hit};
use crate::catalogue::Catalogue;
use crate::queries::{Class, Query, Wanted};
use crate::typing::plain;
use crate::words::in_a_row;

/// How one query went.
pub struct Outcome {
    /// The rank of the first hit that will do, from 1.
    pub rank: Option<usize>,
    pub answer: Answer,
}

/// How all queries of a class went.
pub struct Outcomes(pub Vec<Outcome>);

impl Outcomes {
    /// Returns how many per cent were found up to a rank.
    pub fn found(&self, within: usize) -> f64 {
        self.share(|outcome| outcome.rank.is_some_and(|rank| rank <= within))
    }

    /// Returns how many per cent were cut short.
    pub fn partial(&self) -> f64 {
        self.share(|outcome| outcome.answer.partial)
    }

    fn share(&self, holds: impl Fn(&Outcome) -> bool) -> f64 {
        let n = self.0.iter().filter(|outcome| holds(outcome)).count();
        n as f64 * 100.0 / self.0.len().max(1) as f64
    }

    /// Returns the time that so many per cent of the queries stay within, in microseconds.
    pub fn time(&self, percent: usize) -> f64 {
        let mut times: Vec<f64> = self.0.iter().map(|outcome| outcome.answer.us).collect();
        times.sort_by(f64::total_cmp);
        times.get(times.len() * percent / 100).copied().unwrap_or(0.0)
    }

    /// Returns the mean time in microseconds.
    pub fn mean(&self) -> f64 {
        self.0.iter().map(|outcome| outcome.answer.us).sum::<f64>() / self.0.len().max(1) as f64
    }
}

/// Asks all queries of a class.
pub fn ask_all(
    class: &Class,
    queries: &[Query],
    catalogue: &Catalogue,
    mut ask: impl FnMut(&Query) -> Result<Answer>,
) -> Result<Outcomes> {
    let mut judge = Judge { catalogue, rows: HashMap::new() };
    let mut outcomes = vec![];
    for query in queries {
        let answer = ask(query)?;
        if let Some(error) = &answer.error {
            eprintln!("{}: {:?}: {error}", class.name, query.text);
        }
        let mut rank = None;
        for (at, hit) in answer.hits.iter().enumerate() {
            if judge.will_do(&query.wanted, hit)? {
                rank = Some(at + 1);
                break;
            }
        }
        outcomes.push(Outcome { rank, answer });
    }
    Ok(Outcomes(outcomes))
}

struct Judge<'a> {
    catalogue: &'a Catalogue<'a>,
    /// The words of pages that were hit.
    rows: HashMap<String, String>,
}

impl Judge<'_> {
    fn will_do(&mut self, wanted: &Wanted, hit: &Hit) -> Result<bool> {
        let title = self.catalogue.title(&hit.path, &hit.title);
        Ok(match wanted {
            Wanted::Title(wanted) => title == wanted,
            Wanted::Plain(wanted) => plain(title) == *wanted,
            Wanted::Row(wanted) => {
                if !self.rows.contains_key(&hit.path) {
                    // Pages can be long and many.
                    if self.rows.len() > 2_000 {
                        self.rows.clear();
                    }
                    let row = in_a_row(&self.catalogue.whole_text(&hit.path)?);
                    self.rows.insert(hit.path.clone(), row);
                }
                self.rows.get(&hit.path).is_some_and(|row| row.contains(wanted.as_str()))
            }
        })
    }
}
