//! What an article's own text says: whether it holds a phrase, and which passage shows the hits.

use super::plan::{Expansion, Meant, Phrase, Plan};
use crate::error::Result;
use crate::limits;
use crate::reader::Archive;
use crate::reader::entries::Entry;
use crate::text::phrase;
use crate::text::snippet::{self, Wanted};

/// Bytes of an article that were read for words, and so are read for phrases.
const MAX_READ: u64 = limits::MAX_INDEXED as u64;

/// Bytes of an article in which a passage is looked for.
const MAX_SNIPPET: u64 = snippet::MAX_LOOK as u64;

/// Returns true if an article holds the phrases that it must, and none that it must not. The article is
/// read once; what was not read when the time is over holds nothing.
pub fn holds(
    archive: &Archive,
    entry: &Entry,
    phrases: &[&Phrase],
    is_over: &mut dyn FnMut() -> bool,
) -> Result<bool> {
    let mut in_text: Vec<&Phrase> = vec![];
    for phrase in phrases {
        match (phrase.words.is_in_text(&entry.title), phrase.negated) {
            (true, true) => return Ok(false),
            (true, false) => {}
            (false, negated) if phrase.title => {
                if !negated {
                    return Ok(false);
                }
            }
            (false, _) => in_text.push(phrase),
        }
    }
    if in_text.is_empty() {
        return Ok(true);
    }
    let content = archive.content_range(entry, 0..MAX_READ)?;
    let words: Vec<&phrase::Phrase> = in_text.iter().map(|p| &p.words).collect();
    let found = phrase::Phrase::each_in(&words, &content, entry.mime(), is_over);
    Ok(in_text.iter().zip(found).all(|(phrase, found)| found != phrase.negated))
}

/// Returns what a passage should show: the words that stand for those of the query, and its phrases.
pub fn wanted(plan: &Plan, expansions: &[Expansion]) -> Wanted {
    let mut wanted = Wanted::default();
    for (i, want) in plan.wants.iter().enumerate().filter(|(_, w)| !w.negated) {
        match want.meant {
            Meant::Beginning => wanted.add_prefix(i, want.folded()),
            _ => {
                wanted.add_word(i, want.folded());
                let keys = expansions.get(i).map_or(&[][..], |e| &e.keys);
                keys.iter().for_each(|key| wanted.add_word(i, key));
            }
        }
    }
    for (i, phrase) in plan.phrases.iter().enumerate().filter(|(_, p)| !p.negated && !p.title) {
        wanted.add_phrase(plan.wants.len() + i, phrase.words.clone());
    }
    wanted
}

/// Returns the passage of an article that shows most of what is wanted.
pub fn snippet(archive: &Archive, entry: &Entry, wanted: &Wanted) -> Result<String> {
    let content = archive.content_range(entry, 0..MAX_SNIPPET)?;
    Ok(snippet::snippet(&content, entry.mime(), wanted))
}
