//! A bound on the work of one query, whatever was typed and whatever the file says.

use std::time::{Duration, Instant};

/// Units between two looks at the clock: some ten microseconds.
const TICK: u32 = 512;

/// Counts work. One unit is about 40 ns: an entry of a dictionary walked over.
#[derive(Debug)]
pub struct Meter {
    left: u32,
    until_tick: u32,
    deadline: Option<Instant>,
    spent: bool,
}

/// The costs of what is done most, in units.
pub mod cost {
    /// Reading a row of the title table and comparing it with the query.
    pub const ROW: u32 = 8;
    /// Making an entry of a row.
    pub const ENTRY: u32 = 24;
    /// Finding a key or a word.
    pub const LOOK_UP: u32 = 10;
    /// Going from node to node to the next leaf.
    pub const LEAF: u32 = 3;
    /// Finding and decoding a block of a list.
    pub const BLOCK: u32 = 18;
    /// Reading a short list, whose rows cost a sixth more each.
    pub const LIST: u32 = 4;
}

impl Meter {
    /// Returns a meter for so many units and so much time.
    pub fn new(units: u32, time: Duration) -> Self {
        // A time beyond what the clock can say is none.
        let deadline = Instant::now().checked_add(time);
        Self { left: units, until_tick: TICK, deadline, spent: units == 0 || time.is_zero() }
    }

    /// Counts units; false from when there are no more.
    #[inline]
    pub fn spend(&mut self, units: u32) -> bool {
        match (self.left.checked_sub(units), self.until_tick.checked_sub(units)) {
            (Some(left), Some(until)) => (self.left, self.until_tick) = (left, until),
            (Some(left), None) => {
                (self.left, self.until_tick) = (left, TICK);
                self.spent |= self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
            }
            (None, _) => {
                self.left = 0;
                self.spent = true;
            }
        }
        !self.spent
    }

    /// Returns the units that are left.
    pub fn left(&self) -> u32 {
        self.left
    }

    /// Returns true if all was spent: what was found is not all there is.
    pub fn is_spent(&self) -> bool {
        self.spent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_time_both_end_it() {
        let mut units = Meter::new(10, Duration::MAX);
        assert!(units.spend(10) && !units.is_spent());
        assert!(!units.spend(1) && !units.spend(0) && units.is_spent());
        let mut time = Meter::new(u32::MAX, Duration::from_nanos(1));
        while time.spend(TICK) {}
        assert!(time.is_spent());
        assert!(!Meter::new(5, Duration::ZERO).spend(1));
    }
}
