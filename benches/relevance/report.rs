//! Tables, lines of JSON, and misses.

use serde_json::json;

use crate::Result;
use crate::args::Args;
use crate::ask::Answer;
use crate::catalogue::Catalogue;
use crate::judge::Outcomes;
use crate::peer::Peer;
use crate::queries::{Class, Query, Wanted, pages_with_all};

/// What is said of one corpus.
pub struct Report<'a> {
    corpus: &'a str,
    args: &'a Args,
    catalogue: &'a Catalogue<'a>,
    rows: Vec<Row>,
}

struct Row {
    class: &'static Class,
    n: usize,
    ours: Outcomes,
    theirs: Option<Outcomes>,
    /// What must be known to judge the row.
    note: Option<String>,
    misses: Vec<String>,
}

/// The ranks within which hits are counted.
const RANKS: [usize; 3] = [1, 3, 10];

impl<'a> Report<'a> {
    pub fn new(corpus: &'a str, args: &'a Args, catalogue: &'a Catalogue) -> Self {
        Self { corpus, args, catalogue, rows: vec![] }
    }

    /// Takes what came of a class.
    pub fn add(
        &mut self,
        class: &'static Class,
        queries: &[Query],
        ours: Outcomes,
        theirs: Option<Outcomes>,
    ) -> Result<()> {
        let share = |holds: &dyn Fn(&Query) -> bool| {
            let n = queries.iter().filter(|query| holds(query)).count();
            n as f64 * 100.0 / queries.len().max(1) as f64
        };
        let note = if class.is_part() {
            let shared = share(&|query| self.catalogue.beginning_with(&query.text) > 10);
            (shared > 0.0).then(|| format!("{shared:.1} % of {} begin more than ten titles", class.name))
        } else if class.is_words() {
            let pages = pages_with_all(queries, self.catalogue)?;
            let shared = pages.iter().filter(|&&pages| pages > 10).count();
            let shared = shared as f64 * 100.0 / queries.len().max(1) as f64;
            (shared > 0.0).then(|| format!("{shared:.1} % of {} stand on more than ten pages", class.name))
        } else if class.is_mistyped() {
            let other = share(&|query| match &query.wanted {
                Wanted::Title(title) if *title != query.text => self.catalogue.has_title(&query.text),
                _ => false,
            });
            (other > 0.0).then(|| format!("{other:.1} % of {} are another title", class.name))
        } else {
            None
        };
        let wants_misses = self.args.misses.iter().any(|name| name == class.name);
        let misses = if wants_misses { self.misses(class, queries, &ours) } else { vec![] };
        self.rows.push(Row { class, n: queries.len(), ours, theirs, note, misses });
        Ok(())
    }

    fn misses(&self, class: &Class, queries: &[Query], ours: &Outcomes) -> Vec<String> {
        let missed = queries.iter().zip(&ours.0);
        let missed = missed.filter(|(_, outcome)| outcome.rank.is_none_or(|rank| rank > class.within));
        let say = |(query, outcome): (&Query, &crate::judge::Outcome)| {
            let wanted = match &query.wanted {
                Wanted::Title(title) => format!("{title:?}"),
                Wanted::Plain(title) => format!("like {title:?}"),
                Wanted::Row(_) => "a page that holds it".into(),
            };
            let rank = outcome.rank.map_or_else(|| "not found".into(), |rank| format!("at {rank}"));
            format!("{:?}: wanted {wanted}, {rank}; {}", query.text, self.hits(&outcome.answer))
        };
        missed.map(say).collect()
    }

    fn hits(&self, answer: &Answer) -> String {
        let title = |hit: &crate::ask::Hit| {
            format!("{:?} ({})", self.catalogue.title(&hit.path, &hit.title), hit.how)
        };
        let hits: Vec<String> = answer.hits.iter().take(3).map(title).collect();
        let cut = if answer.partial { ", partial" } else { "" };
        format!("{} hits{cut}: {}", answer.hits.len(), hits.join(", "))
    }

    /// Prints it all.
    pub fn print(&self, size: u64, peer: Option<&Peer>) {
        if self.args.json {
            self.lines();
        } else {
            self.table(size, peer);
        }
        for row in self.rows.iter().filter(|row| !row.misses.is_empty()) {
            let lines = row.misses.iter().map(|miss| format!("- {miss}\n")).collect::<String>();
            eprintln!("{} of {}: {} misses\n{lines}", row.class.name, self.corpus, row.misses.len());
        }
    }

    fn lines(&self) {
        for row in &self.rows {
            for (engine, outcomes) in [("tome", Some(&row.ours)), ("libzim", row.theirs.as_ref())] {
                let Some(outcomes) = outcomes else { continue };
                let [at1, at3, at10] = RANKS.map(|rank| outcomes.found(rank));
                let line = json!({
                    "name": format!("{} {} {engine}", self.corpus, row.class.name),
                    "corpus": self.corpus, "class": row.class.name, "engine": engine, "n": row.n,
                    "at1": at1, "at3": at3, "at10": at10, "partial": outcomes.partial(),
                    "p50_us": outcomes.time(50), "p99_us": outcomes.time(99), "mean_us": outcomes.mean(), "seed": self.args.seed,
                });
                println!("{line}");
            }
        }
    }

    fn table(&self, size: u64, peer: Option<&Peer>) {
        let libzim = peer.map_or_else(|| "libzim".into(), |peer| format!("libzim {}", peer.version()));
        println!("\n### {}\n", self.corpus);
        println!("{}\n", self.about(size, peer));
        println!(
            "| class | n | {libzim}: first / top 3 / top 10 % | us p50 / p99 | Tome: % | us p50 / p99 | partial % |"
        );
        println!("| --- | --- | --- | --- | --- | --- | --- |");
        for row in &self.rows {
            let [theirs, their_time] = row.theirs.as_ref().map_or(["-".into(), "-".into()], cells);
            let [ours, our_time] = cells(&row.ours);
            let asks = row.class.name.split_once('-').map_or("", |(asks, _)| asks);
            let name = format!("{asks}: {}", row.class.says);
            let partial = row.ours.partial();
            println!("| {name} | {} | {theirs} | {their_time} | {ours} | {our_time} | {partial:.1} |", row.n);
        }
        let notes: Vec<&str> = self.rows.iter().filter_map(|row| row.note.as_deref()).collect();
        if !notes.is_empty() {
            println!("\n{}.", notes.join("; "));
        }
    }

    fn about(&self, size: u64, peer: Option<&Peer>) -> String {
        let mb = |bytes: u64| bytes as f64 / 1e6;
        let mut about = format!("{} articles; archive {:.2} MB", self.catalogue.articles.len(), mb(size));
        if let Some(peer) = peer {
            about += &format!(
                ", ZIM {:.2} MB; of libzim's times, Python's share is about {:.0} us",
                mb(peer.size()),
                peer.python_us()
            );
        }
        if !self.catalogue.ending.is_empty() {
            about += &format!("; titles less {:?}", self.catalogue.ending);
        }
        about + &format!("; seed {}", self.args.seed)
    }
}

fn cells(outcomes: &Outcomes) -> [String; 2] {
    let found = RANKS.map(|rank| format!("{:.1}", outcomes.found(rank))).join(" / ");
    [found, format!("{:.1} / {:.0}", outcomes.time(50), outcomes.time(99))]
}
