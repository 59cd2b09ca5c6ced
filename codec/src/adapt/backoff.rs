//! How long load must be low before a step is undone.

use std::time::{Duration, Instant};

/// Waits [`MIN_WAIT`] before a step is undone. If the load was too high soon after that, waits twice as long the next time.
#[derive(Debug)]
pub struct Backoff {
    wait: Duration,
    low_since: Option<Instant>,
    last_undone: Option<Instant>,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { wait: MIN_WAIT, low_since: None, last_undone: None }
    }
}

impl Backoff {
    /// Records whether the load is low. Returns true if it has been low for long enough.
    pub fn record(&mut self, low: bool, now: Instant) -> bool {
        if !low {
            self.low_since = None;
            return false;
        }
        let since = *self.low_since.get_or_insert(now);
        now.saturating_duration_since(since) >= self.wait
    }

    /// Records that a step was taken because of load.
    pub fn stepped_down(&mut self, now: Instant) {
        self.low_since = None;
        // Several steps may follow one attempt.
        let Some(undone) = self.last_undone.take() else { return };
        let soon = now.saturating_duration_since(undone) < FAILURE_TIME;
        self.wait = if soon { (self.wait * 2).min(MAX_WAIT) } else { MIN_WAIT };
    }

    /// Records that a step was undone.
    pub fn undone(&mut self, now: Instant) {
        self.low_since = None;
        self.last_undone = Some(now);
    }
}

const MIN_WAIT: Duration = Duration::from_secs(10);
const MAX_WAIT: Duration = Duration::from_secs(160);

/// If a step is needed again after less than this time, it should not have been undone.
const FAILURE_TIME: Duration = Duration::from_secs(15);
