//! POSIX `CLOCK_MONOTONIC`.

use media::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// Returns the microseconds of `CLOCK_MONOTONIC`.
pub fn reading() -> Timestamp {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let micros = u64::try_from(now.tv_nsec / 1_000).unwrap_or(0);
    Timestamp::from_micros(seconds.saturating_mul(1_000_000).saturating_add(micros))
}
