//! What an article's own text says: whether it holds a phrase, and which passage shows the hits.

use super::plan::{Expansion, Meant, Phrase, Plan};
use crate::error::Result;
use crate::reader::Archive;
use crate::reader::entries::Entry;
use crate::text::snippet::{self, Wanted};

/// Bytes of an article that were read for words, and so are read for phrases.
const MAX_READ: u64 = 8 << 20;

/// Bytes of an article in which a passage is looked for.
const MAX_SNIPPET: u64 = 256 * 1024;

/// Returns true if an article holds the phrases that it must, and none that it must not.
pub fn holds(archive: &Archive, entry: &Entry, phrases: &[Phrase]) -> Result<bool> {
    let mut content = None;
    for phrase in phrases {
        let mut is_there = phrase.words.is_in_text(&entry.title);
        if !is_there && !phrase.title {
            let content = match &mut content {
                Some(content) => content,
                none => none.insert(archive.content_range(entry, 0..entry.size().min(MAX_READ))?),
            };
            is_there = phrase.words.is_in(content, entry.mime());
        }
        if is_there == phrase.negated {
            return Ok(false);
        }
    }
    Ok(true)
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
    let content = archive.content_range(entry, 0..entry.size().min(MAX_SNIPPET))?;
    Ok(snippet::snippet(&content, entry.mime(), wanted))
}
