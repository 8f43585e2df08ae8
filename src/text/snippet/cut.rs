//! Cutting a passage out of a text and writing it as HTML.

use std::ops::Range;

use super::PASSAGE;
use crate::text::borders;

/// How far before its first hit a passage may begin, in bytes.
const LEAD: usize = 100;

/// How far from where it should a cut may be for the sake of a word, in bytes.
const MAX_SHIFT: usize = 40;

/// A passage of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Passage {
    range: Range<usize>,
    /// Whether it begins and ends inside a block.
    is_cut: (bool, bool),
}

/// Returns the passage round some hits, which are not much further apart than a passage is long.
pub(super) fn passage_round(text: &str, blocks: &[(usize, bool)], hits: Range<usize>) -> Passage {
    let block = block_of(blocks, hits.start);
    let room = PASSAGE.saturating_sub(hits.len());
    let start = if hits.start - block <= LEAD.max(room / 2).min(room) {
        block
    } else {
        word_start(text, hits.start - (room / 2).min(LEAD), hits.start)
    };
    passage_from(text, blocks, start, hits.end)
}

/// Returns the first passage of body text; of headings if there is no other text.
pub(super) fn first_passage(text: &str, blocks: &[(usize, bool)]) -> Passage {
    let start = blocks.iter().find(|(_, in_body)| *in_body).map_or(0, |&(start, _)| start);
    passage_from(text, blocks, start, start)
}

/// Returns the passage that begins at `start` and holds `least` if it can.
fn passage_from(text: &str, blocks: &[(usize, bool)], start: usize, least: usize) -> Passage {
    let is_start = |place: usize| blocks.binary_search_by_key(&place, |&(start, _)| start).is_ok();
    let most = borders::floor(text, start + PASSAGE);
    let end = if most >= text.len() { text.len() } else { word_end(text, most, least.max(start)) };
    // Blocks have a space between.
    let ends_block = end >= text.len() || is_start(end + 1) || is_start(end);
    Passage { range: start..end, is_cut: (!is_start(start), !ends_block) }
}

fn block_of(blocks: &[(usize, bool)], place: usize) -> usize {
    let after = blocks.partition_point(|&(start, _)| start <= place);
    after.checked_sub(1).and_then(|block| blocks.get(block)).map_or(0, |&(start, _)| start)
}

/// Returns the beginning of a word at or behind `place`, but not behind `most`.
fn word_start(text: &str, place: usize, most: usize) -> usize {
    let place = borders::ceil(text, place);
    let limit = borders::floor(text, most.min(place + MAX_SHIFT)).max(place);
    match text[place..limit].find(char::is_whitespace) {
        Some(space) => {
            let rest = &text[place + space..limit];
            limit - rest.trim_start().len()
        }
        None => place,
    }
}

/// Returns the end of a word at or before `place`, but not before `least`.
fn word_end(text: &str, place: usize, least: usize) -> usize {
    if text[place..].starts_with(char::is_whitespace) {
        return place;
    }
    let limit = borders::ceil(text, least.max(place.saturating_sub(MAX_SHIFT))).min(place);
    match text[limit..place].rfind(char::is_whitespace) {
        Some(space) => limit + text[limit..limit + space].trim_end().len(),
        None => place,
    }
}

/// Writes a passage as HTML, with some places of the text marked, which are in order and may overlap.
pub(super) fn to_html(text: &str, passage: &Passage, places: &[Range<usize>]) -> String {
    let Range { start, end } = passage.range;
    let mut out = String::with_capacity(end - start + 64);
    if passage.is_cut.0 {
        out.push('…');
    }
    let mut at = start;
    let mut places = places.iter().peekable();
    while let Some(place) = places.next() {
        let (from, mut to) = (place.start.max(at), place.end);
        // What overlaps or touches is one mark.
        while let Some(next) = places.next_if(|next| next.start <= to) {
            to = to.max(next.end);
        }
        let to = to.min(end);
        if from >= to {
            continue;
        }
        escape_into(&text[at..from], &mut out);
        out.push_str("<b>");
        escape_into(&text[from..to], &mut out);
        out.push_str("</b>");
        at = to;
    }
    escape_into(&text[at..end], &mut out);
    if passage.is_cut.1 {
        out.push('…');
    }
    out
}

/// Appends text as HTML, without characters that cannot be seen and may do harm: controls, and those
/// that change the direction of what follows.
fn escape_into(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => out.push(' '),
            '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'
            | '\u{200e}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
}
