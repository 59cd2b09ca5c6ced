//! The system's monotonic clock, so that times of two processes on one machine can be compared.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix::reading;
#[cfg(windows)]
use windows::reading;

use media::{Clock, Timestamp};
use std::time::{Duration, Instant};

/// Returns a clock with the readings of the system's monotonic clock.
#[must_use]
pub fn system() -> Clock {
    // A thread that is interrupted between the two readings would shift all its times by the interruption: the closest
    // pair of several is used.
    let (_, origin, timestamp) =
        (1..ATTEMPTS).map(|_| attempt()).fold(attempt(), |best, next| if next.0 < best.0 { next } else { best });
    Clock::new(origin, timestamp)
}

/// Returns the maximum time between both readings, and the readings.
fn attempt() -> (Duration, Instant, Timestamp) {
    let origin = Instant::now();
    let timestamp = reading();
    (origin.elapsed(), origin, timestamp)
}

const ATTEMPTS: usize = 8;
