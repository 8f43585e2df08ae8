//! Where redirects end.

use super::{Run, count, short, warning};
use crate::error::Result;
use crate::findings::{Finding, Findings, MAX_PATHS, Severity};
use crate::limits::MAX_ZIM_REDIRECTS;

/// A redirect: the number of its dirent, and of the one that it names.
pub(super) type Redirect = (u32, u32);

/// How far a redirect is from its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Unknown,
    /// On the way that is being followed.
    Open,
    /// So many steps away.
    After(u32),
    /// In this loop, or on the way into it.
    Loop(u32),
}

/// Entries that have the same fault.
#[derive(Default)]
struct Group {
    first: Vec<u32>,
    n: u64,
}

impl Group {
    fn add(&mut self, entry: u32) {
        if self.first.len() < MAX_PATHS {
            self.first.push(entry);
        }
        self.n += 1;
    }
}

impl Run<'_> {
    /// Looks for loops, and for chains that readers give up on. `redirects` are in order.
    ///
    /// Each redirect is followed once, whatever leads to it.
    pub(super) fn redirects(&self, redirects: &[Redirect], findings: &mut Findings) -> Result<()> {
        let ends = self.ends(redirects)?;
        let mut long = Group::default();
        let mut loops: std::collections::BTreeMap<u32, Group> = std::collections::BTreeMap::new();
        for (&(entry, _), end) in redirects.iter().zip(&ends) {
            match end {
                End::After(n) if *n as usize > MAX_ZIM_REDIRECTS => long.add(entry),
                End::Loop(id) => loops.entry(*id).or_default().add(entry),
                _ => {}
            }
        }
        for group in loops.into_values() {
            let first = group.first.first().map(|e| self.name(*e)).unwrap_or_default();
            let n = count(group.n, "redirect leads", "redirects lead");
            let message = format!("{n} round in a loop and nowhere: {}", short(&first));
            let finding = Finding::new("redirect loop", Severity::Error, message);
            findings.push(self.with_group(finding, group));
        }
        if long.n > 0 {
            let n = count(long.n, "redirect leads", "redirects lead");
            let message = format!(
                "{n} over more than {MAX_ZIM_REDIRECTS} others to a page; readers give up before, though no rule of the \
                 format forbids it"
            );
            findings.push(self.with_group(warning("redirect chain", message), long));
        }
        Ok(())
    }

    fn with_group(&self, finding: Finding, group: Group) -> Finding {
        let mut finding = self.with_entries(finding, group.first.into_iter());
        finding.n_entries = group.n;
        finding
    }

    fn ends(&self, redirects: &[Redirect]) -> Result<Vec<End>> {
        let at = |entry: u32| redirects.binary_search_by_key(&entry, |r| r.0).ok();
        let mut ends = vec![End::Unknown; redirects.len()];
        let mut way: Vec<usize> = vec![];
        let mut n_loops = 0;
        for start in 0..redirects.len() {
            if start % 4096 == 0 {
                self.stop()?;
            }
            let mut next = Some(start);
            let end = loop {
                // What is no redirect is where they end.
                let Some(here) = next else { break End::After(0) };
                match ends[here] {
                    End::Unknown => {
                        ends[here] = End::Open;
                        way.push(here);
                        next = at(redirects[here].1);
                    }
                    End::Open => {
                        n_loops += 1;
                        break End::Loop(n_loops);
                    }
                    known => break known,
                }
            };
            let mut end = end;
            while let Some(here) = way.pop() {
                if let End::After(n) = end {
                    end = End::After(n.saturating_add(1));
                }
                ends[here] = end;
            }
        }
        Ok(ends)
    }
}
