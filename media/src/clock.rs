//! The clock of the media path.

use crate::Timestamp;
use std::time::Instant;

/// Converts `Instant`s into [`Timestamp`]s. All copies give the same results.
///
/// The standard library hides the number behind an `Instant`, so the caller of [`Clock::new`] supplies the timestamp of
/// the origin. It may be 0 if no other process compares timestamps.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
    timestamp: Timestamp,
}

impl Clock {
    /// Returns a clock whose time is `timestamp` at `origin`.
    #[must_use]
    pub const fn new(origin: Instant, timestamp: Timestamp) -> Self {
        Self { origin, timestamp }
    }

    /// Returns the current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.at(Instant::now())
    }

    /// Returns the timestamp of `instant`. An instant before the origin gives the timestamp of the origin.
    #[must_use]
    pub fn at(&self, instant: Instant) -> Timestamp {
        self.timestamp + instant.saturating_duration_since(self.origin)
    }

    /// Returns the instant of `time`. A time before the origin gives the origin.
    #[must_use]
    pub fn instant(&self, time: Timestamp) -> Instant {
        self.origin + time.since(self.timestamp)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(Instant::now(), Timestamp::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn instants_and_timestamps_convert_both_ways() {
        let origin = Instant::now();
        let clock = Clock::new(origin, Timestamp::from_micros(7_000_000));
        let later = origin + Duration::from_millis(20);
        assert_eq!(clock.at(later).as_micros(), 7_020_000);
        assert_eq!(clock.instant(clock.at(later)), later);
        assert_eq!(clock.instant(Timestamp::default()), origin);
    }
}
