//! Decides how many bits per second the SFU may send to a viewer, and when to probe for more. Pure: the caller passes the
//! time.
//!
//! The input is str0m's estimate, what was sent, and whether it arrived. The estimate alone does not suffice:
//! - A probe is a few packets. They pass through the burst of a token bucket, so the estimate exceeds the link. So the
//!   budget follows a higher estimate in steps, and stops when packets are delayed. The layers that the allocator chooses
//!   fill each step.
//! - While little is sent, jitter makes the estimate drop below what the link carries. So it never counts for less than
//!   what arrived lately without loss and delay.
//! - What arrives through a full link is its capacity. The budget stays just below it. From time to time, and less often
//!   after each failure, it is raised above in small steps, which padding fills. A much higher estimate raises it at once.
//!
//! All bitrates are with the headers of the packets.

use std::time::{Duration, Instant};

/// The downlink of one viewer.
#[derive(Debug)]
pub struct Downlink {
    /// Bits per second that may be sent.
    budget: u64,
    /// str0m's estimate in the last report.
    estimate: u64,
    /// What arrived in each of the last reports, newest first.
    delivered: [u64; DELIVERED_REPORTS],
    /// The usual round-trip time: the shortest one, which grows slowly, because paths change.
    usual: Option<Duration>,
    /// True if the last report showed a delay that only a full queue explains.
    delayed: bool,
    /// What the link carried when it was full. `None` if it never was, or if it carries more since then.
    capacity: Option<Capacity>,
    /// True until the link was first full.
    starting: bool,
    probe: Probe,
}

/// What a full link carried.
#[derive(Debug)]
struct Capacity {
    /// Bits per second.
    rate: u64,
    /// When it was last full, or delayed packets because it was tested.
    at: Instant,
    /// The time from then to the next test.
    hold: Duration,
    /// True if the link is still full.
    full: bool,
}

/// When to probe for more.
#[derive(Debug)]
struct Probe {
    /// When the last probe was requested, and the estimate at that time.
    last: Option<(Instant, u64)>,
    /// The time from that probe to the next one.
    interval: Duration,
}

/// The statistics of the last report interval.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// str0m's estimate, in bits per second.
    pub estimate: u64,
    /// Bits per second that were sent.
    pub sent: u64,
    /// The fraction of packets that were lost in the last second, 0.0..=1.0.
    pub lost: f32,
    /// The round-trip time.
    pub round_trip: Option<Duration>,
}

impl Downlink {
    /// Returns a downlink with a first estimate, in bits per second.
    pub fn new(estimate: u64) -> Self {
        Self {
            budget: estimate,
            estimate,
            delivered: [0; DELIVERED_REPORTS],
            usual: None,
            delayed: false,
            capacity: None,
            starting: true,
            probe: Probe { last: None, interval: MIN_PROBE_INTERVAL },
        }
    }

    /// Handles the statistics of the last report interval.
    pub fn handle_report(&mut self, report: Report, now: Instant) {
        let delay = self.delay(report.round_trip);
        self.delayed = delay > MAX_DELAY;
        self.estimate = report.estimate;
        self.delivered.rotate_right(1);
        self.delivered[0] = arrived(report.sent, report.lost);
        let target = if self.delayed || report.lost > MAX_LOSS && delay > USUAL_DELAY {
            self.handle_full_link(now)
        } else if delay <= USUAL_DELAY && report.lost <= USUAL_LOSS {
            let most = self.delivered.iter().copied().max().unwrap_or(0);
            let known = self.capacity.as_ref().map_or(0, Capacity::usable);
            report.estimate.max(most.min(self.budget)).max(known)
        } else {
            report.estimate
        };
        self.budget = target.min(self.largest_step(delay, now)).max(MIN_BUDGET);
    }

    /// Keeps what a full link carries. Returns what may be sent until its queue is empty.
    fn handle_full_link(&mut self, now: Instant) -> u64 {
        self.starting = false;
        let average = self.delivered.iter().sum::<u64>() / DELIVERED_REPORTS as u64;
        let rate = average.min(self.estimate.saturating_mul(100) / FULL_PERCENT).max(MIN_BUDGET);
        let hold = match &self.capacity {
            Some(before) if before.full => before.hold,
            // The capacity is the same as before: the test failed.
            Some(before) if rate > before.rate * 7 / 10 => (before.hold * 2).min(MAX_HOLD),
            Some(_) | None => MIN_HOLD,
        };
        self.capacity = Some(Capacity { rate, at: now, hold, full: true });
        rate.saturating_mul(FULL_PERCENT) / 100
    }

    /// Returns the highest next budget.
    fn largest_step(&mut self, delay: Duration, now: Instant) -> u64 {
        let step = |percent: u64| self.budget.saturating_mul(percent) / 100;
        let Some(capacity) = &mut self.capacity else {
            return step(if self.starting { START_PERCENT } else { STEP_PERCENT });
        };
        if delay <= USUAL_DELAY {
            capacity.full = false;
        }
        if self.budget > capacity.rate * PROVED_PERCENT / 100
            || self.estimate > EVIDENT_ESTIMATE.max(capacity.rate * EVIDENT_FACTOR)
        {
            self.capacity = None;
            return step(STEP_PERCENT);
        }
        let usable = capacity.usable();
        if now.saturating_duration_since(capacity.at) < capacity.hold {
            return step(STEP_PERCENT).min(usable);
        }
        if delay > USUAL_DELAY && self.budget > usable {
            (capacity.at, capacity.hold) = (now, (capacity.hold * 2).min(MAX_HOLD));
            return usable;
        }
        if self.budget < usable { step(STEP_PERCENT).min(usable) } else { step(TEST_PERCENT) }
    }

    /// Returns the bits per second to fill with padding: while the budget is above what the link carried.
    pub fn padding(&self) -> u64 {
        let testing = self.capacity.as_ref().is_some_and(|capacity| self.budget > capacity.usable());
        if testing { self.budget } else { 0 }
    }

    /// Returns how much longer than usual the round trip is.
    fn delay(&mut self, round_trip: Option<Duration>) -> Duration {
        let Some(round_trip) = round_trip else { return Duration::ZERO };
        let usual = self.usual.map_or(round_trip, |usual| round_trip.min(usual + USUAL_GROWTH));
        self.usual = Some(usual);
        round_trip.saturating_sub(usual)
    }

    /// Returns the bits per second that the SFU may send to the viewer.
    pub fn budget(&self) -> u64 {
        self.budget
    }

    /// Returns the bits per second at which packets leave. More than the budget, so that key frames are not late.
    pub fn pace(&self) -> u64 {
        let percent = if self.capacity.is_some() { FULL_PACE_PERCENT } else { PACE_PERCENT };
        self.budget * percent / 100
    }

    /// Returns whether to probe now, if the viewer wants `desired` bits per second.
    pub fn poll_probe(&mut self, desired: u64, now: Instant) -> bool {
        if desired <= self.estimate || self.delayed {
            return false;
        }
        let Some((at, before)) = self.probe.last else {
            self.probe.last = Some((now, self.estimate));
            return false;
        };
        if now.saturating_duration_since(at) < self.probe.interval {
            return false;
        }
        let raised = self.estimate > before.saturating_mul(RAISED_PERCENT) / 100;
        self.probe.interval =
            if raised { MIN_PROBE_INTERVAL } else { (self.probe.interval * 2).min(MAX_PROBE_INTERVAL) };
        self.probe.last = Some((now, self.estimate));
        true
    }
}

impl Capacity {
    /// Returns the bits per second that the link carries without a queue.
    fn usable(&self) -> u64 {
        self.rate * USABLE_PERCENT / 100
    }
}

/// Returns how much of `sent` bits per second arrived.
fn arrived(sent: u64, lost: f32) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a fraction of 1000")]
    let kept = ((1.0 - lost.clamp(0.0, 1.0)) * 1_000.0) as u64;
    sent.saturating_mul(kept) / 1_000
}

/// The reports of the last second and a little more. The frames of a camera are uneven within a report interval.
const DELIVERED_REPORTS: usize = 5;

/// The minimum budget, in bits per second: sound without a picture.
const MIN_BUDGET: u64 = 30_000;

/// Percent of the budget that the next one may have, from report to report.
const STEP_PERCENT: u64 = 120;

/// The same before the link was first full: a new viewer soon gets a large picture.
const START_PERCENT: u64 = 135;

/// Percent of what arrives through a full link that is sent then. The rest empties the queue.
const FULL_PERCENT: u64 = 85;

/// Percent of what a full link carries that is sent later.
const USABLE_PERCENT: u64 = 95;

/// Percent of the budget that the next one may have while it is above what the link carried.
const TEST_PERCENT: u64 = 106;

/// Percent of what a full link carried at which the test has succeeded.
const PROVED_PERCENT: u64 = 150;

/// An estimate that is as many times higher than what a full link carried is evident. No burst lets such a probe pass.
const EVIDENT_FACTOR: u64 = 4;

/// The minimum of such an estimate, in bits per second: a few packets at this rate are more than the usual burst.
const EVIDENT_ESTIMATE: u64 = 1_200_000;

/// The time from a full link to the first test whether it carries more.
const MIN_HOLD: Duration = Duration::from_secs(3);

/// The longest time between two tests.
const MAX_HOLD: Duration = Duration::from_secs(15);

/// Percent of the budget at which packets leave.
const PACE_PERCENT: u64 = 200;

/// The same if the link was full. Then a burst delays the sound.
const FULL_PACE_PERCENT: u64 = 130;

/// An increase of the round-trip time that only a full queue explains.
const MAX_DELAY: Duration = Duration::from_millis(120);

/// An increase of the round-trip time that the interval of the feedback explains.
const USUAL_DELAY: Duration = Duration::from_millis(60);

/// How much the usual round-trip time grows from report to report.
const USUAL_GROWTH: Duration = Duration::from_micros(500);

/// The fraction of lost packets that shows a full link, if they are delayed, too.
const MAX_LOSS: f32 = 0.1;

/// The fraction of packets that a radio link loses without congestion.
const USUAL_LOSS: f32 = 0.02;

/// The time between two probes while they raise the estimate.
const MIN_PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// The time between two probes while they do not raise it. A viewer whose link recovers gets its picture back within this
/// time and about two seconds.
const MAX_PROBE_INTERVAL: Duration = Duration::from_millis(2_500);

/// Percent of the estimate before a probe above which the probe has raised it.
const RAISED_PERCENT: u64 = 110;

#[cfg(test)]
mod tests;
