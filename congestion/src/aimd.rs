//! The rate controller of the delay detector: increases additively or multiplicatively, decreases multiplicatively.

use crate::trendline::Usage;
use crate::units::PACKET_BITS;
use std::time::{Duration, Instant};

/// What the rate controller reacts to (`goog_cc`: `RateControlInput`).
#[derive(Clone, Copy, Debug)]
pub struct RateControlInput {
    /// The state of the delay detector.
    pub usage: Usage,
    /// The acknowledged rate, in bits per second.
    pub acknowledged: Option<f64>,
    /// The round trip.
    pub round_trip: Duration,
    /// The delay of the standing queue, in seconds.
    pub queue_delay: f64,
    /// The bits per second above which the rate does not grow.
    pub cap: f64,
}

/// The rate controller of draft-ietf-rmcat-gcc-02, section 5.5, with the capacity estimate of `goog_cc`
/// (`AimdRateControl`, `LinkCapacityEstimator`). Rates are in bits per second.
#[derive(Clone, Debug)]
pub struct Aimd {
    rate: f64,
    min: f64,
    max: f64,
    capacity: LinkCapacity,
    updated: Option<Instant>,
    decreased: Option<Instant>,
    /// The rate to return to once the queue of the last decrease is empty.
    resume: Option<f64>,
}

impl Aimd {
    pub fn new(start: f64, min: f64, max: f64) -> Self {
        let max = max.max(min);
        Self {
            rate: start.clamp(min, max),
            min,
            max,
            capacity: LinkCapacity::default(),
            updated: None,
            decreased: None,
            resume: None,
        }
    }

    pub fn rate(&self) -> f64 {
        self.rate
    }

    pub fn min(&self) -> f64 {
        self.min
    }

    /// Sets the highest rate. It is at least the lowest one.
    pub fn set_max(&mut self, max: f64) {
        self.max = max.max(self.min);
        self.rate = self.rate.min(self.max);
        self.resume = self.resume.map(|resume| resume.min(self.max));
    }

    pub fn max(&self) -> f64 {
        self.max
    }

    /// Sets the rate. A rate far from the known capacity replaces that knowledge.
    pub fn set(&mut self, rate: f64) {
        self.rate = rate.clamp(self.min, self.max);
        self.resume = None;
        if self.capacity.is_outside(self.rate) {
            self.capacity = LinkCapacity::default();
        }
    }

    /// Raises or lowers the rate. Returns true if it was lowered.
    pub fn update(&mut self, now: Instant, input: &RateControlInput) -> bool {
        let elapsed = self.updated.map_or(0.0, |updated| now.saturating_duration_since(updated).as_secs_f64());
        self.updated = Some(now);
        match input.usage {
            Usage::Over => return self.decrease(now, input),
            Usage::Under => {}
            Usage::Normal => self.increase(elapsed.min(1.0), input),
        }
        if input.queue_delay < EMPTY_QUEUE
            && let Some(resume) = self.resume.take()
        {
            self.rate = self.rate.max(resume);
        }
        false
    }

    fn increase(&mut self, elapsed: f64, input: &RateControlInput) {
        if input.acknowledged.is_some_and(|rate| self.capacity.is_below(rate)) {
            self.capacity = LinkCapacity::default();
        }
        let growth = if self.capacity.is_known() {
            // One packet for each response time.
            let response = input.round_trip.as_secs_f64() + DETECTION_TIME;
            (PACKET_BITS / response).max(MIN_GROWTH)
        } else {
            self.rate * GROWTH
        };
        let grown = (self.rate + growth * elapsed).min(input.cap).min(self.max);
        self.rate = self.rate.max(grown);
    }

    fn decrease(&mut self, now: Instant, input: &RateControlInput) -> bool {
        let interval = input.round_trip.clamp(MIN_INTERVAL, MAX_INTERVAL);
        let measured = input.acknowledged.unwrap_or(self.rate * DECREASE);
        let recent = self.decreased.is_some_and(|last| now.saturating_duration_since(last) < interval);
        if recent && measured > self.rate / 2.0 {
            return false;
        }
        let target = (measured * DECREASE).min(self.rate);
        // If the capacity fell below the rate, a queue has built up. It empties only if less than the capacity is sent.
        // RFC 8698, section 4.3, also lowers the rate in proportion to the delay.
        let collapsed = measured < COLLAPSE * self.rate || self.resume.is_some();
        let drain = if collapsed { 1.0 - input.queue_delay.clamp(0.0, MAX_DRAIN) } else { 1.0 };
        if input.acknowledged.is_some_and(|rate| self.capacity.is_outside(rate)) {
            self.capacity = LinkCapacity::default();
        }
        if let Some(rate) = input.acknowledged {
            self.capacity.add(rate);
        }
        self.resume = (drain < 1.0).then_some(target);
        self.rate = (target * drain).clamp(self.min, self.max);
        self.decreased = Some(now);
        true
    }
}

/// The mean and deviation of the rate at which the path was full.
#[derive(Clone, Copy, Debug, Default)]
struct LinkCapacity {
    /// The mean, in kilobits per second.
    mean: Option<f64>,
    /// The variance divided by the mean.
    deviation: f64,
}

impl LinkCapacity {
    fn add(&mut self, rate: f64) {
        let sample = rate / 1_000.0;
        let mean = match self.mean {
            Some(mean) => mean + WEIGHT * (sample - mean),
            None => sample,
        };
        let error = (mean - sample) * (mean - sample) / mean.max(1.0);
        self.deviation = (self.deviation + WEIGHT * (error - self.deviation)).clamp(MIN_DEVIATION, MAX_DEVIATION);
        self.mean = Some(mean);
    }

    fn is_known(&self) -> bool {
        self.mean.is_some()
    }

    /// Returns true if `rate` is above what this capacity allows.
    fn is_below(&self, rate: f64) -> bool {
        self.mean.is_some_and(|mean| rate / 1_000.0 > mean + self.spread(mean))
    }

    fn is_outside(&self, rate: f64) -> bool {
        self.is_below(rate) || self.mean.is_some_and(|mean| rate / 1_000.0 < mean - self.spread(mean))
    }

    fn spread(&self, mean: f64) -> f64 {
        3.0 * (self.deviation * mean).sqrt()
    }
}

/// The factor of a decrease, of the acknowledged rate.
const DECREASE: f64 = 0.85;

/// The relative growth in a second if the capacity is not known.
const GROWTH: f64 = 0.08;

/// Bits per second: the minimum growth in a second near the known capacity.
const MIN_GROWTH: f64 = 4_000.0;

/// Seconds that the delay detector takes to detect overuse.
const DETECTION_TIME: f64 = 0.1;

/// The interval between two decreases is the round trip, within these bounds.
const MIN_INTERVAL: Duration = Duration::from_millis(50);
const MAX_INTERVAL: Duration = Duration::from_millis(200);

/// If less than this part of the rate is acknowledged, the capacity has fallen.
const COLLAPSE: f64 = 0.85;

/// The maximum part by which the rate is reduced further until a queue is empty.
const MAX_DRAIN: f64 = 0.5;

/// Seconds: a shorter queue counts as empty.
const EMPTY_QUEUE: f64 = 0.03;

/// The weight of a sample of the capacity.
const WEIGHT: f64 = 0.05;

/// The bounds of the deviation, in kilobits per second.
const MIN_DEVIATION: f64 = 0.4;
const MAX_DEVIATION: f64 = 2.5;
