//! The delay detector: is a queue on the path growing?

use crate::inter_arrival::Delta;
use crate::units::float;
use std::collections::VecDeque;

/// The state of the delay detector (`goog_cc`: `BandwidthUsage`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// The delay is stable.
    Normal,
    /// The delay grows: more is sent than the path carries.
    Over,
    /// The delay falls: a queue on the path empties.
    Under,
}

/// The trendline detector of `goog_cc` (`TrendlineEstimator`), with the adaptive threshold of
/// draft-ietf-rmcat-gcc-02, section 5.4: the slope of the smoothed delay over the last groups is compared with a
/// threshold that follows the slope's own noise, so that flows that fill queues do not starve this one.
#[derive(Clone, Debug)]
pub struct Trendline {
    /// Arrival time in seconds, and smoothed delay in ms.
    samples: VecDeque<(f64, f64)>,
    accumulated: f64,
    smoothed: f64,
    count: f64,
    threshold: f64,
    updated: Option<f64>,
    /// Seconds for which the trend has been above the threshold.
    overused_for: f64,
    /// The number of successive groups with a trend above the threshold.
    overuse_count: u32,
    previous: f64,
    usage: Usage,
}

impl Trendline {
    pub fn new() -> Self {
        Self {
            samples: VecDeque::with_capacity(WINDOW + 1),
            accumulated: 0.0,
            smoothed: 0.0,
            count: 0.0,
            threshold: INITIAL_THRESHOLD,
            updated: None,
            overused_for: 0.0,
            overuse_count: 0,
            previous: 0.0,
            usage: Usage::Normal,
        }
    }

    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// Adds the times between two groups.
    pub fn update(&mut self, delta: Delta) {
        let variation = (delta.arrived - delta.sent) * 1_000.0;
        self.count = (self.count + 1.0).min(MAX_COUNT);
        self.accumulated += variation;
        self.smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * self.accumulated;
        if self.samples.back().is_some_and(|last| delta.at < last.0) {
            self.samples.clear();
        }
        self.samples.push_back((delta.at, self.smoothed));
        if self.samples.len() > WINDOW {
            self.samples.pop_front();
        }
        let slope = if self.samples.len() == WINDOW { self.slope() } else { None };
        self.detect(slope.unwrap_or(self.previous), delta);
    }

    /// Returns the least-squares slope, in ms of delay per ms.
    fn slope(&self) -> Option<f64> {
        let count = float(self.samples.len());
        let (sum_x, sum_y) = self.samples.iter().fold((0.0, 0.0), |(x, y), sample| (x + sample.0, y + sample.1));
        let (mean_x, mean_y) = (sum_x / count, sum_y / count);
        let (mut covariance, mut variance) = (0.0, 0.0);
        for (x, y) in &self.samples {
            covariance += (x - mean_x) * (y - mean_y);
            variance += (x - mean_x) * (x - mean_x);
        }
        (variance > 0.0).then(|| covariance / variance / 1_000.0)
    }

    fn detect(&mut self, slope: f64, delta: Delta) {
        let trend = self.count * slope * GAIN;
        if trend > self.threshold {
            self.overused_for += if self.overuse_count == 0 { delta.sent / 2.0 } else { delta.sent };
            self.overuse_count = self.overuse_count.saturating_add(1);
            if self.overused_for > MIN_OVERUSE && self.overuse_count > 1 && slope >= self.previous {
                self.overused_for = 0.0;
                self.overuse_count = 0;
                self.usage = Usage::Over;
            }
        } else {
            self.overused_for = 0.0;
            self.overuse_count = 0;
            self.usage = if trend < -self.threshold { Usage::Under } else { Usage::Normal };
        }
        self.previous = slope;
        self.adapt(trend, delta.at);
    }

    /// Moves the threshold towards the trend: slowly up, so that a queue of our own packets is still detected, and faster down.
    fn adapt(&mut self, trend: f64, at: f64) {
        let elapsed = self.updated.map_or(0.0, |updated| (at - updated).clamp(0.0, MAX_ADAPTATION));
        self.updated = Some(at);
        if trend.abs() > self.threshold + MAX_EXCESS {
            // A sudden peak, such as a change of route, does not move it.
            return;
        }
        let gain = if trend.abs() < self.threshold { THRESHOLD_DOWN } else { THRESHOLD_UP };
        self.threshold += gain * (trend.abs() - self.threshold) * elapsed * 1_000.0;
        self.threshold = self.threshold.clamp(MIN_THRESHOLD, MAX_THRESHOLD);
    }
}

/// The number of groups in the window.
const WINDOW: usize = 20;

/// The weight of the past in the smoothed delay.
const SMOOTHING: f64 = 0.9;

/// The slope is multiplied by the number of groups up to this number, because a slope over few groups is noise.
const MAX_COUNT: f64 = 60.0;

/// The gain of the slope against the threshold, in ms.
const GAIN: f64 = 4.0;

/// The first threshold, in ms.
const INITIAL_THRESHOLD: f64 = 12.5;

/// The bounds of the threshold, in ms.
const MIN_THRESHOLD: f64 = 6.0;
const MAX_THRESHOLD: f64 = 600.0;

/// The gains of the threshold in each ms, upwards and downwards.
const THRESHOLD_UP: f64 = 0.0087;
const THRESHOLD_DOWN: f64 = 0.039;

/// A trend that is this much over the threshold, in ms, does not move it.
const MAX_EXCESS: f64 = 15.0;

/// Seconds: the longest time for which one adaptation counts.
const MAX_ADAPTATION: f64 = 0.1;

/// Seconds for which the trend must be above the threshold before that is overuse.
const MIN_OVERUSE: f64 = 0.01;

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds groups 33 ms apart whose delay grows by `growth` ms each.
    fn feed(growth: f64, groups: u32) -> Usage {
        let mut trendline = Trendline::new();
        let mut at = 0.0;
        for _ in 0..groups {
            let arrived = 0.033 + growth / 1_000.0;
            at += arrived;
            trendline.update(Delta { sent: 0.033, arrived, at });
        }
        trendline.usage()
    }

    #[test]
    fn a_growing_queue_is_overuse_and_a_falling_one_underuse() {
        assert_eq!(feed(0.0, 60), Usage::Normal);
        assert_eq!(feed(5.0, 30), Usage::Over);
        assert_eq!(feed(-5.0, 30), Usage::Under);
    }
}
