//! What a full link carries, and when to test whether it carries more. Pure: the caller passes the time.

use std::time::{Duration, Instant};

/// The capacity that a full link has shown.
#[derive(Debug)]
pub struct LinkCapacity {
    /// Bits per second.
    pub rate: u64,
    /// When it was last full, or delayed packets because it was tested.
    pub at: Instant,
    /// The time from then to the next test.
    pub wait: Duration,
    /// True if the link is still full.
    pub full: bool,
    /// The bits per second that are tested now.
    pub test: Option<u64>,
    /// When the last test failed, if the link was not full since then.
    pub failed_at: Option<Instant>,
    /// How many reports said that packets are not delayed although enough is sent.
    pub proofs: u32,
    /// When it was last found to carry much less than before.
    pub fallen: Option<Instant>,
}

impl LinkCapacity {
    /// Returns the capacity of a link that is not full any more.
    pub fn new(rate: u64, now: Instant) -> Self {
        Self { rate, at: now, wait: MIN_WAIT, full: false, test: None, failed_at: None, proofs: 0, fallen: None }
    }

    /// Ends a test that delays packets. What the link carried during the test can raise the capacity. `average` is the bitrate that
    /// was sent in the last second.
    pub fn fail_test(&mut self, tested: u64, average: u64, now: Instant) {
        let carried = average.min(tested * 100 / FAILED_PERCENT) * USABLE_PERCENT / 100;
        let fallen = self.fallen.is_some_and(|at| now.saturating_duration_since(at) < RECOVERY);
        let max_wait = match self.rate {
            ..NARROW => NARROW_MAX_WAIT,
            NARROW.. if fallen => FALLEN_MAX_WAIT,
            NARROW.. => MAX_WAIT,
        };
        let wait = (self.wait * 2).clamp(MIN_WAIT, max_wait);
        let rate = self.rate.max(carried);
        *self = Self { wait, failed_at: Some(now), fallen: self.fallen, ..Self::new(rate, now) };
    }

    /// Returns the bits per second that the link carries without a queue.
    pub fn usable(&self) -> u64 {
        self.rate * USABLE_PERCENT / 100
    }
}

/// The bitrate that is sent after a link was full, in percent of what it carried.
pub const USABLE_PERCENT: u64 = 95;

/// The tested bitrate at which packets are delayed, in percent of what the link carries. At first, the excess passes as a burst
/// or waits in the queue.
const FAILED_PERCENT: u64 = 120;

/// The time from the moment when a link was full until the first test, which sends more.
pub const MIN_WAIT: Duration = Duration::from_secs(2);

/// The longest time between two tests. Each delays the sound for a moment, so its jitter buffer becomes longer.
const MAX_WAIT: Duration = Duration::from_secs(8);

/// The longest time between two tests of a link that carried much more a moment ago. If it recovers, its viewer gets the large
/// picture back after this time and about two seconds.
const FALLEN_MAX_WAIT: Duration = Duration::from_secs(2);

/// How long a link that has become narrow is tested so often.
const RECOVERY: Duration = Duration::from_mins(1);

/// The longest time between two tests of a narrow link. A test delays its pictures for half a second.
const NARROW_MAX_WAIT: Duration = Duration::from_secs(15);

/// A link with less than these bits per second is narrow.
pub const NARROW: u64 = 220_000;

/// The next tested bitrate, in percent of the last one.
pub const TEST_PERCENT: u64 = 108;

/// The same if the estimate shows that the link carries much more.
pub const EVIDENT_TEST_PERCENT: u64 = 120;

/// The highest bitrate that is tested, in percent of what the full link carried. If it passes, the capacity is not known any
/// more.
pub const PROVED_PERCENT: u64 = 170;

/// The reports at this bitrate that show that it does not only pass through a burst.
pub const MIN_PROOFS: u32 = 3;

/// The minimum capacity that is assumed of a full link, in bits per second.
pub const MIN_CAPACITY: u64 = 60_000;
