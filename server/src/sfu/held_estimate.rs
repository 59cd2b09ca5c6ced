//! The highest estimate of the stack in the last seconds, for paths with jitter. The stack takes jitter for a queue that grows, and its
//! estimate falls although the link carries what the probes have shown. Pure: the caller passes the time.

use std::time::{Duration, Instant};

/// The highest estimate since there was a queue, or of the last seconds.
#[derive(Debug, Default)]
pub struct HeldEstimate(Option<(u64, Instant)>);

impl HeldEstimate {
    /// Returns the highest estimate of the last seconds, in bits per second, with the newest one. Forgets the others if packets wait in
    /// a queue.
    pub fn highest(&mut self, newest: u64, has_queue: bool, now: Instant) -> u64 {
        let held = self.0.filter(|(_, at)| !has_queue && now.saturating_duration_since(*at) < HOLD);
        let (highest, _) = *self.0.insert(held.filter(|(held, _)| *held > newest).unwrap_or((newest, now)));
        highest
    }
}

/// How long an estimate counts.
const HOLD: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_counts_for_five_seconds_or_until_there_is_a_queue() {
        let (mut estimate, start) = (HeldEstimate::default(), Instant::now());
        let mut highest =
            |newest, has_queue, seconds| estimate.highest(newest, has_queue, start + Duration::from_secs(seconds));
        assert_eq!([highest(500, false, 0), highest(900, false, 1), highest(400, false, 5)], [500, 900, 900]);
        assert_eq!([highest(300, false, 6), highest(200, false, 7)], [300, 300]);
        assert_eq!([highest(100, true, 8), highest(50, false, 9)], [100, 100]);
    }
}
