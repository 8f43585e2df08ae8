//! Does a person find what they mean? Known-item queries made from real corpora with a seed, asked of an
//! archive and of a ZIM of the same folder.
//!
//! `cargo bench --bench relevance -- [--corpora A,B] [--corpus NAME=FOLDER] [--queries N] [--seed N]
//! [--classes A,B] [--archive FILE] [--no-peer] [--python FILE] [--fresh] [--misses CLASS] [--json]`
//!
//! `README.md` beside this file says what each class of queries is, what counts as found, and what the
//! figures do not say.

#![allow(clippy::unwrap_used, missing_docs, reason = "a bench, which shares code that unwraps")]

mod args;
mod ask;
mod catalogue;
#[path = "../common/mod.rs"]
mod common;
mod corpora;
mod gcide;
mod judge;
mod peer;
mod queries;
mod report;
mod shelf;
mod typing;
mod words;

use args::Args;
use ask::Tome;
use catalogue::Catalogue;
use common::model::Random;
use corpora::Corpus;
use peer::{Peer, Python};
use queries::{Class, Rarity};
use report::Report;

/// Whatever went wrong; a bench only says it.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() {
    if let Err(e) = run() {
        eprintln!("relevance: {e}");
        std::process::exit(2);
    }
}

fn run() -> Result<()> {
    let args = Args::parse()?;
    let corpora = corpora::find(&args)?;
    let python = if args.peer { Python::find(&args.python) } else { None };
    for corpus in &corpora {
        if let Err(e) = compare(&args, corpus, python.as_ref()) {
            eprintln!("{}: {e}: skipped", corpus.name);
        }
    }
    Ok(())
}

/// Asks both engines about one corpus, and says how they did.
fn compare(args: &Args, corpus: &Corpus, python: Option<&Python>) -> Result<()> {
    let archive = shelf::archive(corpus, args.fresh)?;
    let zim = python.map(|python| shelf::zim(corpus, python)).transpose()?.flatten();
    let mut peer = python.zip(zim.as_ref()).map(|(python, zim)| Peer::start(python, zim)).transpose()?;
    let catalogue = Catalogue::of(&archive)?;
    let mut rarity = Rarity::default();
    let mut tome = Tome::new(&archive);
    let mut report = Report::new(&corpus.name, args, &catalogue);
    for class in Class::all().filter(|class| args.wants(class)) {
        let mut random = Random::new(class.seed(args.seed));
        let queries = queries::make(class, &catalogue, &mut rarity, &mut random, args.queries)?;
        let ours = judge::ask_all(class, &queries, &catalogue, |query| tome.ask(class.asks, &query.text))?;
        let theirs = match &mut peer {
            Some(peer) if class.peer_can => {
                Some(judge::ask_all(class, &queries, &catalogue, |query| peer.ask(class.asks, &query.text))?)
            }
            _ => None,
        };
        report.add(class, &queries, ours, theirs)?;
    }
    report.print(archive.size(), peer.as_ref());
    Ok(())
}
