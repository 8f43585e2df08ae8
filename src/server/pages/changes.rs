//! Changes to a page that is not taken apart.

use std::ops::Range;

/// A change to a page: what is put in place of a range.
pub struct Change {
    range: Range<usize>,
    new: String,
    /// True if something would leave the page without it.
    guards: bool,
}

impl Change {
    /// Makes a change that is wanted.
    pub fn new(range: Range<usize>, new: impl Into<String>) -> Self {
        Self { range, new: new.into(), guards: false }
    }

    /// Makes one without which something would leave the page.
    pub fn guard(range: Range<usize>, new: impl Into<String>) -> Self {
        Self { range, new: new.into(), guards: true }
    }
}

/// Makes changes to a page, which grows by `more` bytes or so.
///
/// They do not lie in each other but in crafted pages, where tags are hidden from one way of reading them;
/// there what guards goes before what does not.
pub fn changed(html: &str, mut changes: Vec<Change>, more: usize) -> String {
    // Stable: what is put at one place stands in the order in which it came.
    changes.sort_by_key(|change| (change.range.start, change.range.end));
    let mut next_guard = usize::MAX;
    let mut kept = Vec::with_capacity(changes.len());
    for change in changes.into_iter().rev() {
        if change.guards {
            next_guard = change.range.start;
        }
        if change.guards || change.range.end <= next_guard {
            kept.push(change);
        }
    }
    let mut out = String::with_capacity(html.len() + more);
    let mut at = 0;
    for Change { range, new, .. } in kept.into_iter().rev() {
        // Places within what was changed already.
        let Some(before) = html.get(at..range.start) else { continue };
        out.push_str(before);
        out.push_str(&new);
        at = range.end;
    }
    out.push_str(html.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_guards_goes_before_what_it_lies_in() {
        let html = "0123456789";
        let made = |changes| changed(html, changes, 0);
        assert_eq!(
            made(vec![Change::new(6..7, "b"), Change::new(1..3, "a"), Change::new(3..3, "+")]),
            "0a+345b789"
        );
        assert_eq!(made(vec![Change::new(1..9, "a"), Change::guard(4..5, "g")]), "0123g56789");
        assert_eq!(made(vec![Change::guard(1..9, "g"), Change::new(4..5, "a")]), "0g9");
        assert_eq!(
            made(vec![Change::guard(1..5, "g"), Change::new(1..9, "a"), Change::new(9..9, "b")]),
            "0g5678b9"
        );
    }
}
