//! The wall-clock time of each computer. The clocks differ.

use std::time::{Duration, Instant, SystemTime};

/// The clock of one computer. It runs with the simulated time.
#[derive(Clone, Copy, Debug)]
pub(super) struct WallTime {
    start: Instant,
    at_start: SystemTime,
}

impl WallTime {
    /// Returns a clock that is right at `start`, which is now.
    pub(super) fn new(start: Instant) -> Self {
        Self { start, at_start: SystemTime::now() }
    }

    /// Returns a clock that is `seconds` ahead of this one.
    pub(super) fn ahead(self, seconds: i64) -> Self {
        let difference = Duration::from_secs(seconds.unsigned_abs());
        let at_start = if seconds < 0 { self.at_start - difference } else { self.at_start + difference };
        Self { at_start, ..self }
    }

    /// Returns what the clock shows at `now`.
    pub(super) fn at(self, now: Instant) -> SystemTime {
        self.at_start + now.saturating_duration_since(self.start)
    }
}
