//! The clock of devices without hardware: one block every 10 ms.

use std::time::{Duration, Instant};

/// How long a block lasts.
pub const TICK: Duration = Duration::from_millis(10);

/// Counts the blocks that are due.
pub struct Pacer {
    start: Instant,
    passed: u64,
    xruns: u64,
}

impl Pacer {
    /// Returns a pacer whose first block is due 10 ms after `now`.
    pub fn new(now: Instant) -> Self {
        Self { start: now, passed: 0, xruns: 0 }
    }

    /// Returns how many blocks are due at `now`, at most [`MAX_CATCH_UP`]. After a longer delay, such as a suspended
    /// computer, all but one block are skipped.
    pub fn due(&mut self, now: Instant) -> usize {
        let elapsed = now.saturating_duration_since(self.start).as_micros() / TICK.as_micros();
        let waiting = u64::try_from(elapsed).unwrap_or(u64::MAX).saturating_sub(self.passed);
        if waiting > MAX_CATCH_UP {
            self.xruns += 1;
            self.passed += waiting - 1;
            return 1;
        }
        usize::try_from(waiting).unwrap_or(0)
    }

    /// Records that a block was passed.
    pub fn pass(&mut self) {
        self.passed += 1;
    }

    /// Returns how often blocks were skipped.
    pub fn xruns(&self) -> u64 {
        self.xruns
    }
}

/// The maximum number of blocks to catch up: one second.
const MAX_CATCH_UP: u64 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_block_is_due_every_ten_milliseconds() {
        let start = Instant::now();
        let mut pacer = Pacer::new(start);
        assert_eq!(pacer.due(start + Duration::from_millis(9)), 0);
        assert_eq!(pacer.due(start + Duration::from_millis(35)), 3);
        pacer.pass();
        assert_eq!(pacer.due(start + Duration::from_millis(35)), 2);
    }

    #[test]
    fn blocks_due_while_the_computer_slept_are_skipped() {
        let start = Instant::now();
        let mut pacer = Pacer::new(start);
        let later = start + Duration::from_hours(1);
        assert_eq!(pacer.due(later), 1);
        pacer.pass();
        assert_eq!(pacer.due(later), 0);
        assert_eq!(pacer.xruns(), 1);
    }
}
