//! The system's monotonic clock, so that times of two processes on one machine can be compared.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix::reading;
#[cfg(windows)]
use windows::reading;

use media::Clock;
use std::time::Instant;

/// Returns a clock with the readings of the system's monotonic clock.
#[must_use]
pub fn system() -> Clock {
    Clock::new(Instant::now(), reading())
}
