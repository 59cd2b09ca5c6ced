//! The highest rate that the path has carried recently.

use std::time::{Duration, Instant};

/// Bounds the estimate while the application sends less than it may. It is not known then whether the path carries more,
/// so the estimate stays below 1.5 times the acknowledged rate, as in `goog_cc` (`AimdRateControl`). A rate that media or a
/// probe have proved in the last 15 seconds stays allowed. So does the first estimate until the path has refuted it.
#[derive(Clone, Copy, Debug)]
pub struct ProvenRate {
    /// The rate, and when it was proved.
    proved: Option<(f64, Instant)>,
    /// The first estimate, or less if the path did not carry it.
    assumed: f64,
}

impl ProvenRate {
    /// Returns the bounds for a first estimate of `start` bits per second.
    pub fn new(start: f64) -> Self {
        Self { proved: None, assumed: start }
    }

    /// Records that the path carried `rate` bits per second at `now`.
    pub fn record(&mut self, rate: f64, now: Instant) {
        if self.valid(now).is_none_or(|proved| rate >= proved) {
            self.proved = Some((rate, now));
        }
    }

    /// Records that the path does not carry more than `rate`.
    pub fn refute(&mut self, rate: f64) {
        self.assumed = self.assumed.min(rate);
        self.proved = self.proved.map(|(proved, at)| (proved.min(rate), at));
    }

    /// Returns the upper bound of the estimate if `acknowledged` bits per second arrive.
    pub fn cap(&self, acknowledged: f64, now: Instant) -> f64 {
        (acknowledged * FACTOR + MARGIN).max(self.assumed).max(self.valid(now).unwrap_or(0.0))
    }

    /// Returns true if a third of the time has passed for which the proved rate is valid.
    pub fn is_old(&self, now: Instant) -> bool {
        self.proved.is_none_or(|(_, at)| now.saturating_duration_since(at) > LIFE / 3)
    }

    fn valid(&self, now: Instant) -> Option<f64> {
        self.proved.filter(|(_, at)| now.saturating_duration_since(*at) < LIFE).map(|(rate, _)| rate)
    }
}

/// How long a proved rate is valid.
const LIFE: Duration = Duration::from_secs(15);

/// The factor and the margin, in bits per second, over the acknowledged rate.
const FACTOR: f64 = 1.5;
const MARGIN: f64 = 10_000.0;
