//! The one clock of the media path.

use crate::Timestamp;
use std::time::Instant;

/// Turns `Instant`s into [`Timestamp`]s. Copy it wherever a time is taken; every copy agrees with the others.
///
/// The standard library does not tell the monotonic clock's number, so whoever builds the clock says what it read
/// there (`0` where nobody compares with another process).
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
    reads: Timestamp,
}

impl Clock {
    /// A clock that reads `reads` at `origin`.
    #[must_use]
    pub const fn new(origin: Instant, reads: Timestamp) -> Self {
        Self { origin, reads }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.at(Instant::now())
    }

    /// The time at `instant`; that of the origin for anything before it.
    #[must_use]
    pub fn at(&self, instant: Instant) -> Timestamp {
        self.reads + instant.saturating_duration_since(self.origin)
    }

    /// When this clock reads `time`; the origin for anything before it.
    #[must_use]
    pub fn instant(&self, time: Timestamp) -> Instant {
        self.origin + time.since(self.reads)
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
    fn it_goes_there_and_back() {
        let origin = Instant::now();
        let clock = Clock::new(origin, Timestamp::from_micros(7_000_000));
        let later = origin + Duration::from_millis(20);
        assert_eq!(clock.at(later).as_micros(), 7_020_000);
        assert_eq!(clock.instant(clock.at(later)), later);
        assert_eq!(clock.instant(Timestamp::default()), origin);
    }
}
