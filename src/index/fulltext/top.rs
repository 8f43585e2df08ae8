//! The best articles for a query.
//!
//! A *window* is a range of ordinals that ends with the nearest block of any list. The blocks' maxima say
//! what an article in it can reach: if that is not enough, the window is passed over undecoded (Ding, Suel:
//! "Faster Top-k Document Retrieval Using Block-Max Indexes", SIGIR 2011). Otherwise candidates come from
//! as few groups as possible, and the others are asked only about those that can still win (Turtle, Flood:
//! "Query Evaluation: Strategies and Optimizations", 1995).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::rank::{FULL, FieldMask, MAX_WEIGHT, MAX_WORTH, Ranker, weight};
use super::reader::{FullText, Term};
use super::stream::{Articles, MERGED_ASKED, MERGED_GIVER, OfArticle, Posting, Stream, merge};
use super::work::{Work, cost};
use crate::error::Result;
use crate::tables::Tables;

/// What a group is to a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// Every hit has it.
    #[default]
    Required,
    /// A hit that has it is better.
    Optional,
    /// No hit has it.
    Excluded,
}

/// Words that count as one: the forms of a word, or the words with a prefix.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// The words, each once. A group without words is in no article.
    pub terms: Vec<Term>,
    /// The fields in which they count.
    pub fields: FieldMask,
    /// What the group is to the query.
    pub role: Role,
    /// What an article with the group gets for it: [`weight`] of [`Group::articles`] if `None`. Where
    /// several archives are searched together, all take the weight of their sums.
    pub weight: Option<u32>,
}

impl Group {
    /// Returns roughly how many of `all` articles have a word of the group, as if words did not know of
    /// each other.
    pub fn articles(&self, all: u64) -> u64 {
        let most = self.terms.iter().map(|term| u64::from(term.df())).max().unwrap_or(0);
        if self.terms.len() < 2 || all == 0 {
            return most;
        }
        let without = |term: &Term| 1.0 - (f64::from(term.df()) / all as f64).min(1.0);
        let none: f64 = self.terms.iter().map(without).product();
        ((all as f64 * (1.0 - none)).round() as u64).clamp(most, all.max(most))
    }
}

/// A query: which groups, and how many of the optional ones.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// The groups, in any order.
    pub groups: Vec<Group>,
    /// How many optional groups a hit has at least. Without required groups it is at least 1.
    pub min_optional: usize,
}

/// An article that matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// The article.
    pub ordinal: u32,
    /// How good it is; only to be compared with scores of groups of the same weights.
    pub score: u64,
}

/// The best articles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Top {
    /// By falling score; equals by ordinal.
    pub hits: Vec<Hit>,
    /// At least so many articles match.
    pub matched: u64,
    /// Exactly so many match.
    pub exact: bool,
    /// The budget ended the search: there may be better ones.
    pub partial: bool,
}

impl FullText {
    /// Returns the `k` best articles for a query. With a `k` of 0 the matches are only counted, exactly.
    ///
    /// Costs some microseconds for words of a few thousand articles, and some nanoseconds for every
    /// posting that cannot be passed over. A higher `k` passes over less.
    ///
    /// # Errors
    ///
    /// Fails if what it reads is damaged.
    pub fn top(&self, tables: &Tables, query: &Query, k: usize, work: &mut Work) -> Result<Top> {
        let mut articles = Articles::new(self, tables);
        let mut search = Search::new(self.ranker(), k);
        work.spend(cost::QUERY);
        let (mut required, mut optional) = (vec![], vec![]);
        // The required group with the fewest postings gives the candidates; without any, every group may.
        let postings = |group: &Group| group.terms.iter().map(|term| u64::from(term.df())).sum::<u64>();
        let required_groups = query.groups.iter().filter(|group| group.role == Role::Required);
        let fewest = required_groups.map(postings).min();
        for group in &query.groups {
            let gives = fewest.is_none_or(|fewest| group.role == Role::Required && postings(group) == fewest);
            let most = if gives { MERGED_GIVER } else { MERGED_ASKED };
            let stream = Stream::new(&mut articles, &group.terms, group.fields, most, work)?;
            if stream.is_empty() && group.role == Role::Required {
                return Ok(Top { exact: !work.is_over(), partial: work.is_over(), ..Top::default() });
            }
            if stream.is_empty() {
                continue;
            }
            if group.role == Role::Excluded {
                search.excluded.push(stream);
                continue;
            }
            let all = u64::from(self.articles());
            let weight = group.weight.unwrap_or_else(|| weight(all, group.articles(all)));
            let weight = u64::from(weight.clamp(1, MAX_WEIGHT));
            let of_role = if group.role == Role::Required { &mut required } else { &mut optional };
            of_role.push(Part { len: stream.len(), stream, weight, bound: 0, alive: true });
        }
        required.sort_by_key(|part| part.len);
        optional.sort_by_key(|part| part.len);
        search.required = required.len();
        search.min_optional = query.min_optional.max(usize::from(required.is_empty()));
        search.parts = required;
        search.parts.append(&mut optional);
        if search.min_optional <= search.parts.len() - search.required {
            search.run(&mut articles, work)?;
        } else {
            search.partial = work.is_over();
        }
        Ok(search.finish())
    }
}

/// A group that scores.
struct Part<'a> {
    stream: Stream<'a>,
    weight: u64,
    len: u64,
    /// What an article in the window gets for it at most.
    bound: u64,
    /// It has postings in the window or behind.
    alive: bool,
}

/// An article that may win.
#[derive(Clone, Copy)]
struct Candidate {
    ordinal: u32,
    factor: u32,
    optional: u32,
    /// Before importance.
    sum: u64,
}

impl OfArticle for Candidate {
    fn ordinal(&self) -> u32 {
        self.ordinal
    }
}

struct Search<'a> {
    ranker: &'a Ranker,
    k: usize,
    /// The required ones first, those with fewer postings first.
    parts: Vec<Part<'a>>,
    required: usize,
    excluded: Vec<Stream<'a>>,
    min_optional: usize,
    /// The worst of the best on top.
    best: BinaryHeap<Reverse<(u64, Reverse<u32>)>>,
    /// What a hit must exceed, once there are `k`.
    threshold: Option<u64>,
    matched: u64,
    pruned: bool,
    partial: bool,
    /// Of the window: parts that give candidates, parts that are asked, and bounds of those from each on.
    givers: Vec<usize>,
    asked: Vec<usize>,
    rest: Vec<u64>,
    candidates: Vec<Candidate>,
    more: Vec<Candidate>,
    postings: Vec<Posting>,
    order: Vec<(u64, usize)>,
}

impl<'a> Search<'a> {
    fn new(ranker: &'a Ranker, k: usize) -> Self {
        Self {
            ranker,
            k,
            parts: vec![],
            required: 0,
            excluded: vec![],
            min_optional: 0,
            best: BinaryHeap::new(),
            threshold: None,
            matched: 0,
            pruned: false,
            partial: false,
            givers: vec![],
            asked: vec![],
            rest: vec![],
            candidates: vec![],
            more: vec![],
            postings: vec![],
            order: vec![],
        }
    }

    fn run(&mut self, articles: &mut Articles<'a>, work: &mut Work) -> Result<()> {
        let all: u64 = self.parts.iter().map(|part| part.stream.max() * part.weight).sum();
        let mut start = 0;
        while let Some(from) = self.skip_to(start, work)? {
            if work.is_over() {
                self.partial = true;
                return Ok(());
            }
            if self.threshold.is_some_and(|threshold| all <= threshold) {
                self.pruned = true;
                return Ok(());
            }
            let Some((end, bound)) = self.window(from, work)? else { return Ok(()) };
            if self.threshold.is_some_and(|threshold| bound <= threshold) {
                self.pruned = true;
            } else {
                self.choose();
                self.gather(from, end, articles, work)?;
                self.ask(articles, work)?;
            }
            match end.checked_add(1) {
                Some(next) => start = next,
                None => return Ok(()),
            }
        }
        // What opening the lists has spent may have cut them short.
        self.partial = work.is_over();
        Ok(())
    }

    /// Returns an ordinal, not below `start`, before which nothing matches; `None` if nothing does.
    fn skip_to(&mut self, mut start: u32, work: &mut Work) -> Result<Option<u32>> {
        if self.required > 0 {
            for part in &mut self.parts[..self.required] {
                match part.stream.lower(start, work)? {
                    Some(lower) => start = start.max(lower),
                    None => return Ok(None),
                }
            }
            return Ok(Some(start));
        }
        self.order.clear();
        for (i, part) in self.parts.iter_mut().enumerate().filter(|(_, part)| part.alive) {
            match part.stream.lower(start, work)? {
                Some(lower) => self.order.push((u64::from(lower), i)),
                None => part.alive = false,
            }
        }
        // Every match is in so many streams, and so is not before the one of them that begins last.
        self.order.sort_unstable();
        let reached = self.min_optional.checked_sub(1).and_then(|n| self.order.get(n));
        Ok(reached.map(|&(lower, _)| start.max(lower as u32)))
    }

    /// Sets the bounds of the window from `start`; returns its end and what an article in it can reach.
    fn window(&mut self, start: u32, work: &mut Work) -> Result<Option<(u32, u64)>> {
        let (mut end, mut bound) = (u32::MAX, 0);
        work.spend(self.parts.len() as u64);
        for (i, part) in self.parts.iter_mut().enumerate().filter(|(_, part)| part.alive) {
            match part.stream.window(start, work)? {
                Some((last, most)) => {
                    part.bound = most * part.weight;
                    end = end.min(last);
                    bound += part.bound;
                }
                None if i < self.required => return Ok(None),
                None => (part.alive, part.bound) = (false, 0),
            }
        }
        Ok(Some((end, bound)))
    }

    /// Chooses the parts that give the window's candidates, and the order in which the others are asked.
    fn choose(&mut self) {
        self.givers.clear();
        self.asked.clear();
        let alive = |part: &Part<'_>| part.alive;
        if self.required > 0 {
            self.givers.push(0);
            self.asked.extend(1..self.required);
            self.order.clear();
        } else {
            // A match is in one of any so many parts that the others are too few: take the shortest.
            let n = self.parts.iter().filter(|part| alive(part)).count();
            let few = (n + 1).saturating_sub(self.min_optional);
            let shortest = (0..self.parts.len()).filter(|&i| self.parts[i].alive).take(few);
            self.givers.extend(shortest);
            self.by_score();
        }
        let (parts, required, givers) = (&self.parts, self.required, &self.givers);
        self.order.clear();
        self.order.extend(
            (required..parts.len())
                .filter(|i| parts[*i].alive && !givers.contains(i))
                .map(|i| (u64::MAX - parts[i].bound, i)),
        );
        self.order.sort_unstable();
        self.asked.extend(self.order.iter().map(|&(_, i)| i));
        self.rest.clear();
        self.rest.resize(self.asked.len() + 1, 0);
        for (at, &i) in self.asked.iter().enumerate().rev() {
            self.rest[at] = self.rest[at + 1] + self.parts[i].bound;
        }
    }

    /// Or, if that is less: all parts but those that together cannot reach the threshold.
    fn by_score(&mut self) {
        let Some(threshold) = self.threshold else { return };
        self.order.clear();
        let parts = &self.parts;
        self.order.extend((0..parts.len()).filter(|&i| parts[i].alive).map(|i| (parts[i].bound, i)));
        self.order.sort_unstable();
        let mut sum = 0;
        let weak = self
            .order
            .iter()
            .take_while(|(bound, _)| {
                sum += bound;
                sum <= threshold
            })
            .count();
        let len = |i: usize| parts[i].len;
        let strong: u64 = self.order[weak..].iter().map(|&(_, i)| len(i)).sum();
        if strong < self.givers.iter().map(|&i| len(i)).sum() {
            self.pruned = true;
            self.givers.clear();
            self.givers.extend(self.order[weak..].iter().map(|&(_, i)| i));
        }
    }

    /// Gathers the window's candidates.
    fn gather(&mut self, start: u32, end: u32, articles: &mut Articles<'a>, work: &mut Work) -> Result<()> {
        self.candidates.clear();
        let single = self.givers.len() == 1;
        for at in 0..self.givers.len() {
            let i = self.givers[at];
            let part = &mut self.parts[i];
            part.stream.within(start, end, articles, &mut self.postings, work)?;
            let optional = u32::from(i >= self.required);
            let out = if at == 0 { &mut self.candidates } else { &mut self.more };
            out.clear();
            let before = self.postings.len();
            // What a posting must exceed to be enough together with all that is asked.
            let need = self.threshold.and_then(|threshold| threshold.checked_sub(self.rest[0]));
            if let Some(need) = need.filter(|_| single) {
                // Most fail, so nothing is divided before it is known to be needed.
                let half = u64::from(self.ranker.half());
                let full = u64::from(FULL) * part.weight;
                let need = need.min(MAX_WORTH * part.weight);
                self.postings.retain(|posting| {
                    let amount = u64::from(posting.amount);
                    full * u64::from(posting.factor) * amount > need * (amount + half)
                });
                self.pruned |= self.postings.len() < before;
            }
            let (ranker, weight) = (self.ranker, part.weight);
            out.extend(self.postings.iter().map(|posting| Candidate {
                ordinal: posting.ordinal,
                factor: posting.factor,
                optional,
                sum: u64::from(ranker.worth(posting.amount)) * weight,
            }));
            if at > 0 {
                merge(&mut self.candidates, &self.more, |one, other| {
                    one.sum += other.sum;
                    one.optional += other.optional;
                });
            }
        }
        work.spend(self.candidates.len() as u64 / 4);
        Ok(())
    }

    /// Asks the other parts about each candidate as long as it can win.
    fn ask(&mut self, articles: &mut Articles<'a>, work: &mut Work) -> Result<()> {
        let candidates = std::mem::take(&mut self.candidates);
        let asked = std::mem::take(&mut self.asked);
        for candidate in &candidates {
            if let Some(score) = self.score(*candidate, &asked, articles, work)? {
                self.matched += 1;
                work.spend(cost::HIT);
                self.keep(candidate.ordinal, score);
            }
        }
        (self.candidates, self.asked) = (candidates, asked);
        Ok(())
    }

    /// Returns a candidate's score, if it matches and can win.
    #[inline]
    fn score(
        &mut self,
        candidate: Candidate,
        asked: &[usize],
        articles: &mut Articles<'a>,
        work: &mut Work,
    ) -> Result<Option<u64>> {
        let Candidate { ordinal, factor, mut optional, mut sum } = candidate;
        let factor = u64::from(factor);
        for (at, &i) in asked.iter().enumerate() {
            if self.threshold.is_some_and(|threshold| sum * factor + self.rest[at] <= threshold) {
                self.pruned = true;
                return Ok(None);
            }
            let is_required = i < self.required;
            if !is_required && optional as usize + asked.len() - at < self.min_optional {
                return Ok(None);
            }
            let part = &mut self.parts[i];
            match part.stream.amount(ordinal, articles, work)? {
                Some(amount) => {
                    sum += u64::from(self.ranker.worth(amount)) * part.weight;
                    optional += u32::from(!is_required);
                }
                None if is_required => return Ok(None),
                None => {}
            }
        }
        if (optional as usize) < self.min_optional {
            return Ok(None);
        }
        for stream in &mut self.excluded {
            if stream.amount(ordinal, articles, work)?.is_some() {
                return Ok(None);
            }
        }
        Ok(Some(sum * factor))
    }

    /// Keeps a hit if it is among the best so far.
    fn keep(&mut self, ordinal: u32, score: u64) {
        // Ordinals come in order, so the later of equals is the worse.
        if self.k == 0 || self.threshold.is_some_and(|threshold| score <= threshold) {
            return;
        }
        self.best.push(Reverse((score, Reverse(ordinal))));
        if self.best.len() > self.k {
            self.best.pop();
        }
        if self.best.len() == self.k {
            self.threshold = self.best.peek().map(|worst| worst.0.0);
        }
    }

    fn finish(self) -> Top {
        let hits = self.best.into_sorted_vec();
        let hits =
            hits.into_iter().map(|Reverse((score, Reverse(ordinal)))| Hit { ordinal, score }).collect();
        Top { hits, matched: self.matched, exact: !self.pruned && !self.partial, partial: self.partial }
    }
}
