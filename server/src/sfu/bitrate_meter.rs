//! Measures a bitrate. Pure: the caller passes the time.

use std::time::{Duration, Instant};

/// Measures bits per second over windows of half a second.
#[derive(Debug, Default)]
pub struct BitrateMeter {
    window_start: Option<Instant>,
    bytes: u64,
    rate: u64,
}

impl BitrateMeter {
    /// Adds bytes that were sent or received now.
    pub fn add(&mut self, bytes: usize, now: Instant) {
        let start = *self.window_start.get_or_insert(now);
        let elapsed = now.saturating_duration_since(start);
        if elapsed >= WINDOW {
            let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
            self.rate = self.bytes.saturating_mul(8_000) / milliseconds.max(1);
            (self.window_start, self.bytes) = (Some(now), 0);
        }
        self.bytes += bytes as u64;
    }

    /// Returns the bits per second of the last complete window, or 0 if nothing was added for three windows.
    pub fn rate(&self, now: Instant) -> u64 {
        let recent = self.window_start.is_some_and(|start| now.saturating_duration_since(start) < 3 * WINDOW);
        if recent { self.rate } else { 0 }
    }
}

const WINDOW: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_window_and_zero_after_a_silence() {
        let (mut meter, start) = (BitrateMeter::default(), Instant::now());
        for tenth in 0..=10 {
            meter.add(1_000, start + Duration::from_millis(100) * tenth);
        }
        let end = start + Duration::from_secs(1);
        assert_eq!(meter.rate(end), 80_000);
        assert_eq!(meter.rate(end + 3 * WINDOW), 0);
    }
}
