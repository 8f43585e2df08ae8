//! How much a search may do.

use std::time::Instant;

/// Between two looks at the clock: about 40 us of work.
const LOOK: u64 = 4096;

/// A budget of work, and how much of it is left. One unit is roughly 10 ns on a machine of 2020.
///
/// A budget may be spent by several searches one after the other. What is read from a slow medium costs
/// no units; the deadline is for that.
#[derive(Debug)]
pub struct Work {
    left: u64,
    spent: u64,
    next_look: u64,
    deadline: Option<Instant>,
    late: bool,
}

/// What things cost.
pub mod cost {
    /// One step in a list's head, or one posting looked at.
    pub const STEP: u64 = 1;
    /// Decoding a block's ordinals or codes.
    pub const BLOCK: u64 = 12;
    /// Beginning with a list.
    pub const LIST: u64 = 30;
    /// Beginning with a query.
    pub const QUERY: u64 = 50;
    /// Keeping one hit in order.
    pub const HIT: u64 = 3;
    /// Reading a leaf of words from some row on.
    pub const LEAF: u64 = 60;
}

impl Work {
    /// Returns a budget of so many units, with a point in time at which it ends at the latest.
    pub fn new(units: u64, deadline: Option<Instant>) -> Self {
        Self { left: units, spent: 0, next_look: LOOK, deadline, late: false }
    }

    /// Returns a budget without end.
    pub fn unlimited() -> Self {
        Self::new(u64::MAX, None)
    }

    /// Takes units from the budget.
    #[inline]
    pub fn spend(&mut self, units: u64) {
        self.left = self.left.saturating_sub(units);
        self.spent += units;
    }

    /// Returns true if the budget is spent or the deadline has passed. Cheap enough for inner loops.
    #[inline]
    pub fn is_over(&mut self) -> bool {
        if self.spent >= self.next_look {
            self.next_look = self.spent + LOOK;
            self.late = self.late || self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        }
        self.left == 0 || self.late
    }

    /// Returns the units spent so far.
    pub fn spent(&self) -> u64 {
        self.spent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_ends_when_it_is_spent_or_late() {
        let mut work = Work::new(10, None);
        work.spend(9);
        assert!(!work.is_over());
        work.spend(1);
        assert!(work.is_over());
        assert_eq!(work.spent(), 10);
        let mut work = Work::new(u64::MAX, Some(Instant::now()));
        work.spend(LOOK);
        assert!(work.is_over());
        assert!(!Work::unlimited().is_over());
    }
}
