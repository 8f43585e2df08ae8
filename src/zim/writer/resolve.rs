//! Which redirects stay, and to which dirents they lead.
//!
//! Two merge joins over sorted rows find the target of each redirect; what is then kept is two
//! numbers a redirect. A redirect stays if its chain ends at an entry with content, as libzim itself
//! does it.

use super::rows::{EntryRow, RowBody, candidates};
use crate::error::{Error, Result};
use crate::item::{Kind, Observer};
use crate::limits::MAX_REDIRECTS;
use crate::sorter::{self, Sorted, Sorter};

/// The rank of no entry.
pub const NONE: u32 = u32::MAX;

/// Why a redirect does not stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Its target is not there.
    Missing,
    /// Its target is a redirect that does not stay.
    Dead,
    /// Its chain leads back to itself.
    Loop,
}

/// One redirect among all rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redirect {
    /// Its place among all rows in path order.
    pub rank: u32,
    /// Its target's place, or [`NONE`].
    pub target: u32,
    /// True if the target's path is escaped.
    pub escaped: bool,
    /// True if it becomes a page: a chain ends there.
    pub page: bool,
}

/// What became of all redirects.
pub struct Resolved {
    /// All redirects by rank. The target of those that stay is one that stays, too.
    redirects: Vec<Redirect>,
    faults: Vec<Option<Fault>>,
    /// Ranks of those that do not stay, ascending.
    dropped: Vec<u32>,
    /// How many rows there are.
    pub rows: u32,
    /// The rank of the main page.
    main: Option<u32>,
    /// A bit for each row, set for articles.
    articles: Vec<u64>,
}

impl Resolved {
    /// Returns what became of the redirect of a rank.
    pub fn get(&self, rank: u32) -> Result<Redirect, Fault> {
        match self.redirects.binary_search_by_key(&rank, |r| r.rank) {
            Ok(i) => self.faults[i].map_or(Ok(self.redirects[i]), Err),
            Err(_) => Err(Fault::Missing),
        }
    }

    /// Returns the number among those that stay of an entry that does.
    pub fn index(&self, rank: u32) -> u32 {
        rank - self.dropped.partition_point(|d| *d < rank) as u32
    }

    /// Returns the rank of the main page, if it stays, and of the entry in which its chain ends.
    pub fn main(&self) -> Option<(u32, u32)> {
        let main = self.main.filter(|main| self.dropped.binary_search(main).is_err())?;
        Some((main, self.end(main, true)))
    }

    /// Returns true if a redirect leads to an article, through others perhaps.
    pub fn leads_to_article(&self, rank: u32) -> bool {
        let end = self.end(rank, false);
        self.articles.get(end as usize / 64).is_some_and(|bits| bits >> (end % 64) & 1 == 1)
    }

    /// Returns where a chain ends: at a redirect that becomes a page, if asked for.
    fn end(&self, rank: u32, at_page: bool) -> u32 {
        let mut end = rank;
        // Chains that stay are no longer than this.
        for _ in 0..2 * MAX_REDIRECTS {
            match self.get(end) {
                Ok(redirect) if !(redirect.page && at_page) => end = redirect.target,
                _ => break,
            }
        }
        end
    }

    /// Returns how many redirects do not stay.
    pub fn dropped(&self) -> u32 {
        self.dropped.len() as u32
    }
}

/// Finds targets. `targets` are rows by the bytes of a target's path: whether these are unescaped (one
/// byte), and the path of the redirect.
///
/// # Errors
///
/// Fails if two rows have one path, if there are too many, or if a temporary file cannot be read.
pub fn resolve(
    rows: &mut Sorted,
    targets: &mut Sorted,
    main: Option<&str>,
    mut found: Sorter,
    observer: &dyn Observer,
) -> Result<Resolved> {
    let mains = main.map(candidates).unwrap_or_default();
    let (mut main, mut articles) = (None, vec![]);
    let mut rank = 0u32;
    let mut last: Option<(Vec<u8>, EntryRow)> = None;
    let (mut all, mut wanted) = (rows.iter()?, targets.iter()?);
    let mut target = wanted.next_row()?;
    while let Some((path, row)) = all.next_row()? {
        let row = sorter::decode::<EntryRow>(&row)?;
        if let Some((_, before)) = last.as_ref().filter(|last| last.0 == path) {
            return Err(sorter::two_of_one_path(&path, &before.origin, &row.origin));
        }
        while target.take_if(|t| t.0 < path).is_some() {
            target = wanted.next_row()?;
        }
        while let Some((_, mut from)) = target.take_if(|t| t.0 == path) {
            let escaped = from.first() == Some(&1);
            if escaped == row.escaped && !from.is_empty() {
                from.remove(0);
                let value = [&rank.to_be_bytes()[..], &[u8::from(escaped)]].concat();
                found.push(from, value)?;
            }
            target = wanted.next_row()?;
        }
        if mains.iter().any(|main| main.0 == path && main.1 == row.escaped) {
            main = Some(rank);
        }
        if rank.is_multiple_of(64) {
            articles.push(0);
        }
        if let (Kind::Article, Some(bits)) = (row.kind(), articles.last_mut()) {
            *bits |= 1u64 << (rank % 64);
        }
        last = Some((path, row));
        // Room for the entries that are no content.
        rank = rank.checked_add(1).filter(|r| *r < u32::MAX - 65_536).ok_or_else(too_many)?;
        check_cancelled(rank, observer)?;
    }
    drop((all, wanted));
    let redirects = redirects(rows, &mut found.finish()?, observer)?;
    Ok(Resolved { articles, ..judge(redirects, rank, main) })
}

fn redirects(rows: &mut Sorted, found: &mut Sorted, observer: &dyn Observer) -> Result<Vec<Redirect>> {
    let mut redirects = vec![];
    let (mut all, mut found) = (rows.iter()?, found.iter()?);
    let mut target = found.next_row()?;
    let mut rank = 0;
    while let Some((path, row)) = all.next_row()? {
        let row = sorter::decode::<EntryRow>(&row)?;
        if let RowBody::Redirect(_, fragment) = &row.body {
            let page = fragment.is_some();
            let mut redirect = Redirect { rank, target: NONE, escaped: false, page };
            while target.take_if(|t| t.0 < path).is_some() {
                target = found.next_row()?;
            }
            while let Some((_, value)) = target.take_if(|t| t.0 == path) {
                if let Some((to, escaped)) = value.split_first_chunk() {
                    redirect.target = u32::from_be_bytes(*to);
                    redirect.escaped = escaped == [1];
                }
                target = found.next_row()?;
            }
            redirects.push(redirect);
        }
        rank += 1;
        check_cancelled(rank, observer)?;
    }
    Ok(redirects)
}

/// Decides which redirects stay.
fn judge(mut redirects: Vec<Redirect>, rows: u32, main: Option<u32>) -> Resolved {
    /// Marks beyond any depth.
    const UNKNOWN: u8 = 255;
    const WALKED: u8 = 254;
    const MISSING: u8 = 253;
    const DEAD: u8 = 252;
    const LOOP: u8 = 251;
    let fault = |mark: u8| match mark {
        MISSING => Some(Fault::Missing),
        DEAD => Some(Fault::Dead),
        LOOP => Some(Fault::Loop),
        _ => None,
    };
    let find = |redirects: &[Redirect], rank: u32| redirects.binary_search_by_key(&rank, |r| r.rank).ok();
    // Of those that stay: how many redirects lie between it and the end.
    let mut marks = vec![UNKNOWN; redirects.len()];
    let mut walk = vec![];
    for start in 0..redirects.len() {
        let mut at = Some(start);
        // What the walk ends with: the mark for what leads there.
        let mut mark = loop {
            let Some(i) = at else { break 0 };
            match marks[i] {
                UNKNOWN => {
                    marks[i] = WALKED;
                    walk.push(i);
                    if redirects[i].target == NONE {
                        break MISSING;
                    }
                    at = find(&redirects, redirects[i].target);
                }
                WALKED => break LOOP,
                MISSING | DEAD | LOOP => break DEAD,
                depth => break depth + 1,
            }
        };
        while let Some(i) = walk.pop() {
            match mark {
                MISSING => {
                    marks[i] = MISSING;
                    mark = DEAD;
                }
                DEAD | LOOP => marks[i] = mark,
                // To a page chains lead as to any content.
                _ if redirects[i].page => {
                    marks[i] = 0;
                    mark = 1;
                }
                depth => {
                    let next = find(&redirects, redirects[i].target);
                    // A chain that readers would give up on is shortened: past the redirect it leads to.
                    let long = next.filter(|n| usize::from(depth) >= MAX_REDIRECTS && !redirects[*n].page);
                    marks[i] = depth;
                    if let Some(next) = long {
                        redirects[i].target = redirects[next].target;
                        marks[i] = depth - 1;
                    }
                    mark = marks[i] + 1;
                }
            }
        }
    }
    let faults: Vec<Option<Fault>> = marks.into_iter().map(fault).collect();
    let gone = redirects.iter().zip(&faults).filter(|(_, fault)| fault.is_some());
    let dropped = gone.map(|(redirect, _)| redirect.rank).collect();
    Resolved { redirects, faults, dropped, rows, main, articles: vec![] }
}

fn too_many() -> Error {
    Error::InvalidInput("more entries than a ZIM file can hold; split the corpus".into())
}

/// Stops if that was asked for; asks every so often.
pub fn check_cancelled(n: u32, observer: &dyn Observer) -> Result<()> {
    if n.is_multiple_of(4096) && observer.is_cancelled() { Err(Error::Interrupted) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Redirects of the first rows: to which row each leads.
    fn judged(targets: &[u32], rows: u32) -> Resolved {
        let redirects = targets.iter().enumerate().map(|(i, target)| Redirect {
            rank: i as u32,
            target: *target,
            escaped: false,
            page: false,
        });
        judge(redirects.collect(), rows, Some(0))
    }

    #[test]
    fn only_chains_that_end_at_content_stay() {
        // 6 is content.
        let resolved = judged(&[6, 0, NONE, 2, 5, 4], 7);
        let faults: Vec<_> = (0..6).map(|rank| resolved.get(rank).err()).collect();
        let expected =
            [None, None, Some(Fault::Missing), Some(Fault::Dead), Some(Fault::Loop), Some(Fault::Loop)];
        assert_eq!(faults, expected);
        assert_eq!((resolved.dropped(), resolved.index(1), resolved.index(6)), (4, 1, 2));
        assert_eq!(resolved.main(), Some((0, 6)));
        let resolved = judged(&[0, 0], 3);
        assert_eq!((resolved.get(0), resolved.get(1)), (Err(Fault::Loop), Err(Fault::Dead)));
        assert_eq!(resolved.main(), None);
    }

    #[test]
    fn long_chains_are_shortened_and_end_where_they_did() {
        let n = 100_000u32;
        for backwards in [true, false] {
            // Each leads to the next one, or to the one before it; content is the last row.
            let targets: Vec<u32> =
                (0..n).map(|i| if backwards { i.checked_sub(1).unwrap_or(n) } else { i + 1 }).collect();
            let resolved = judged(&targets, n + 1);
            assert_eq!(resolved.dropped(), 0);
            for start in [0, 1, 40, n / 2, n - 1] {
                let (mut at, mut hops) = (start, 0);
                while let Ok(redirect) = resolved.get(at) {
                    at = redirect.target;
                    hops += 1;
                }
                assert_eq!(at, n);
                assert!(hops <= MAX_REDIRECTS + 1, "{hops}");
            }
        }
    }
}
