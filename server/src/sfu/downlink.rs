//! Decides how many bits per second the SFU may send to a viewer, and when to probe for more. Pure: the caller passes the
//! time.
//!
//! The input is str0m's estimate, what was sent, and whether it arrived. The estimate alone does not suffice:
//! - A probe is a few packets. They pass through the burst of a token bucket, so the estimate exceeds the link. So the
//!   budget follows a higher estimate in steps, which padding fills, and stops when packets are delayed.
//! - While little is sent, jitter makes the estimate drop below what the link carries. So it never counts for less than
//!   what arrived in the last second without loss and delay.
//! - What arrives through a full link is its capacity. The budget stays just below it. From time to time, and less often
//!   after each failure, more is sent as padding. Pictures get it only after it has passed.
//!
//! If packets are delayed, no picture is sent until they are not, because sound waits in the same queue of the network.
//!
//! All bitrates are with the headers of the packets.

mod capacity;
mod competition;
mod limit;
mod recent_reports;

pub use super::link_delay::REPORT_INTERVAL;
pub use capacity::NARROW;

use super::link_delay::{LinkDelay, USUAL_DELAY};
use super::path_overhead::PathOverhead;
use capacity::{
    EVIDENT_TEST_PERCENT, LinkCapacity, MIN_CAPACITY, MIN_PROOFS, MIN_WAIT, PROVED_PERCENT, TEST_PERCENT,
    USABLE_PERCENT,
};
use competition::{Competition, Sample};
use limit::Limit;
use recent_reports::{PastReport, RECENT_REPORTS, RecentReports, THROUGH_REPORTS, arrived};
use std::time::{Duration, Instant};

/// The downlink of one viewer.
#[derive(Debug)]
pub struct Downlink {
    /// Bits per second that may be sent, with padding. At most the budget of `limit`.
    budget: u64,
    /// The budgets before the last reports, newest first.
    earlier: [u64; UNPROVED_REPORTS],
    /// str0m's estimate in the last report, in bits per second.
    pub estimate: u64,
    /// The last reports, newest first.
    recent: RecentReports,
    link: LinkDelay,
    /// What the link carried when it was full. `None` if it never was, or if it carries more since then.
    capacity: Option<LinkCapacity>,
    /// True until the link was first full, or was found to be wide.
    starting: bool,
    /// How many of the next reports with feedback may still be about the first probes.
    probe_reports: u32,
    /// Bits per second that the viewer wants.
    desired: u64,
    hold: Hold,
    /// When pictures were last held back.
    held_at: Option<Instant>,
    probe: Probe,
    competition: Competition,
    /// What the viewer allows.
    limit: Limit,
    /// The headers of the path to the viewer.
    pub path: PathOverhead,
}

/// A change of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The first probes have shown that it carries much more than the first budget.
    Wide,
    /// It has become full.
    Full,
    /// It has become full because it carries much less than before. The packets that wait for it would arrive too late.
    SuddenlyNarrow,
}

/// Whether pictures are held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    /// They are sent.
    No,
    /// They wait until the queue of the link is empty, and at most until this time.
    Until(Instant),
    /// They were held back for the longest time. They are sent, although packets are still delayed.
    Over,
}

/// How a link became full.
#[derive(Clone, Copy, Debug)]
struct FullLinkCause {
    /// It has suddenly become narrow.
    sudden: bool,
    /// Pictures were held back a moment ago.
    after_hold: bool,
}

/// When to probe for more.
#[derive(Debug)]
struct Probe {
    /// When the last probe was requested, and the estimate at that time.
    last: Option<(Instant, u64)>,
    /// The time from that probe to the next one.
    interval: Duration,
}

/// The statistics of the last report interval of 100 ms.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// str0m's estimate, in bits per second.
    pub estimate: u64,
    /// Bits per second that were sent.
    pub sent: u64,
    /// The fraction of packets that were lost in the last second, 0.0..=1.0.
    pub lost: f32,
    /// The time from the sending of the newest packet that arrived to the feedback.
    pub round_trip: Option<Duration>,
    /// The longest time between two packets: how long the newest packet may have waited for the feedback.
    pub pause: Duration,
}

impl Downlink {
    /// Returns a downlink with a first estimate, in bits per second.
    pub fn new(estimate: u64) -> Self {
        Self {
            budget: estimate,
            earlier: [estimate; UNPROVED_REPORTS],
            estimate,
            recent: RecentReports::default(),
            link: LinkDelay::default(),
            capacity: None,
            starting: true,
            probe_reports: PROBE_REPORTS,
            desired: 0,
            hold: Hold::No,
            held_at: None,
            probe: Probe { last: None, interval: MIN_PROBE_INTERVAL },
            competition: Competition::default(),
            limit: Limit::NONE,
            path: PathOverhead::default(),
        }
    }

    /// Sets the bits per second that the viewer allows, with padding and retransmissions. `None` removes the limit.
    pub fn set_limit(&mut self, bitrate: Option<u64>) {
        self.limit = Limit::new(bitrate);
        self.budget = self.budget.min(self.max_budget());
    }

    /// Begins with less if the network of the viewer carried less before. It never begins with more, and not after the first report.
    pub fn set_last_rate(&mut self, rate: u64) {
        if self.starting && self.recent[0].sent == 0 {
            self.budget = self.budget.min(rate.saturating_mul(LAST_RATE_PERCENT) / 100).max(MIN_BUDGET);
        }
    }

    /// Returns what sound and pictures may have by the limit of the viewer.
    fn max_budget(&self) -> u64 {
        self.limit.budget(self.path.extra_bytes())
    }

    /// Returns whether the viewer has set a limit.
    pub fn is_limited(&self) -> bool {
        self.limit.is_set()
    }

    /// Returns whether the stack may pad and probe. If not, its estimate is not used: it is too low.
    pub fn may_probe(&self) -> bool {
        !self.limit.is_below_padding(self.path.extra_bytes())
    }

    /// Handles the statistics of the last report interval. Returns a change after which the budget must be divided again at
    /// once.
    pub fn handle_report(&mut self, report: Report, now: Instant) -> Option<Change> {
        let estimate = if self.may_probe() {
            self.link.usable_estimate(report.estimate, self.is_delayed(), now)
        } else {
            self.max_budget()
        };
        let change = self.apply_report(Report { estimate, ..report }, now);
        self.budget = self.budget.min(self.max_budget());
        change
    }

    /// Sets the next budget, without the limit of the viewer.
    fn apply_report(&mut self, report: Report, now: Instant) -> Option<Change> {
        let delay = self.link.handle_report(report.round_trip, report.pause, report.lost);
        let congestion_loss = self.link.congestion_loss(report.lost);
        self.earlier.rotate_right(1);
        self.earlier[0] = self.budget;
        self.estimate = report.estimate;
        self.recent.push(PastReport { sent: report.sent, arrived: arrived(report.sent, report.lost), delay });
        if self.compete(&report, congestion_loss, now) {
            return None;
        }
        let after_hold = self.held_at.is_some_and(|at| now.saturating_duration_since(at) < SETTLE_TIME);
        // A test delays packets, too, and those that it has sent may still wait after it.
        let recent = |at: Instant| now.saturating_duration_since(at) < SETTLE_TIME;
        let tested = self.capacity.as_ref().is_some_and(|capacity| capacity.test.is_some() || recent(capacity.at));
        let sudden = self.is_sudden() && !after_hold && !tested;
        self.update_hold(now);
        if self.is_wide(&report) {
            let rate = report.estimate;
            (self.starting, self.probe_reports, self.capacity) = (false, 0, None);
            (self.budget, self.earlier) = (rate, [rate; UNPROVED_REPORTS]);
            return Some(Change::Wide);
        }
        self.probe_reports = self.probe_reports.saturating_sub(u32::from(report.round_trip.is_some()));
        if delay > MAX_DELAY || congestion_loss > MAX_LOSS && delay > USUAL_DELAY || sudden {
            if self.is_delayed_by_test(now) {
                return None;
            }
            return self.handle_full_link(congestion_loss, FullLinkCause { sudden, after_hold }, now);
        }
        if let Some(capacity) = self.capacity.as_mut().filter(|_| delay <= USUAL_DELAY) {
            capacity.full = false;
        }
        let target = if delay <= USUAL_DELAY && report.lost <= USUAL_LOSS {
            let known = self.capacity.as_ref().map_or(0, LinkCapacity::usable);
            report.estimate.max(self.recent.proved().min(self.budget)).max(known)
        } else if delay <= USUAL_DELAY && self.link.usual_loss(report.lost) <= MAX_RANDOM_LOSS {
            report.estimate.max(RANDOM_LOSS_BUDGET)
        } else {
            report.estimate
        };
        let largest = self.largest_step(delay, now);
        self.budget = target.min(largest).max(MIN_BUDGET);
        None
    }

    /// Returns whether others keep the queue of the link full. Then sets the budget beside them. `lost` is the fraction that
    /// congestion lost.
    fn compete(&mut self, report: &Report, lost: f32, now: Instant) -> bool {
        let PastReport { delay, .. } = self.recent[0];
        let round_trip = report.round_trip.unwrap_or_default();
        let carried = self.capacity.as_ref().map(|capacity| capacity.rate);
        let sample = Sample { delay, carried, sent: self.recent.sent(RECENT_REPORTS), lost, round_trip };
        let before = self.competition.rate();
        let rate = self.competition.handle_report(&sample, now);
        self.link.hold(rate.is_some());
        if let Some(rate) = rate {
            (self.budget, self.hold, self.capacity) = (rate.max(MIN_BUDGET), Hold::No, None);
        } else if let Some(rate) = before {
            self.capacity = Some(LinkCapacity::new(rate.max(MIN_CAPACITY), now));
        }
        rate.is_some()
    }

    /// Returns whether the first probes show that the link is wide. If the estimate exceeds the rate of the first one, the second
    /// one has raised it, which finds no burst of a token bucket left.
    fn is_wide(&self, report: &Report) -> bool {
        let clean = self.recent[0].delay <= USUAL_DELAY && report.lost <= USUAL_LOSS;
        // A busy processor may have delayed packets before. So it does not matter whether the link was thought to be full.
        self.probe_reports > 0 && clean && report.estimate > BURST_RATE * WIDE_PERCENT / 100
    }

    /// Records the capacity of a full link, which loses the fraction `lost` because it is full. Returns a change if the link was
    /// not full before.
    fn handle_full_link(&mut self, lost: f32, cause: FullLinkCause, now: Instant) -> Option<Change> {
        self.starting = false;
        let FullLinkCause { sudden, after_hold } = cause;
        // While the link is full, the estimate follows what arrives. But random loss makes it much too low.
        let through = self.recent.through(lost);
        let estimated = if self.link.is_lossy() || !self.may_probe() {
            through
        } else {
            self.estimate.saturating_mul(100) / FULL_PERCENT
        };
        let through = through.min(estimated);
        let first_probes = self.probe_reports > 0;
        let (rate, wait) = match &self.capacity {
            // Pictures are held back, so what is sent now does not show the capacity.
            Some(before) if before.full && now.saturating_duration_since(before.at) < SETTLE_TIME => {
                // But the first probes are one. The estimate is the result of the second, after the first one has used up the burst.
                let rate = if first_probes { before.rate.min(self.estimate) } else { before.rate }.max(MIN_CAPACITY);
                self.budget = self.budget.min(rate * FULL_PERCENT / 100).max(MIN_BUDGET);
                if let Some(capacity) = &mut self.capacity {
                    capacity.rate = rate;
                }
                return None;
            }
            // Soon after a hold, what was sent does not show it either.
            Some(before) if before.full || after_hold => {
                let least = before.rate * MIN_STILL_FULL_PERCENT / 100;
                (estimated.clamp(least, before.rate), before.wait)
            }
            Some(_) | None if sudden => (through.min(self.recent.sent(RECENT_REPORTS) / SUDDEN_FACTOR), SUDDEN_WAIT),
            // If little was sent, it does not show the capacity.
            Some(before) => {
                let least = before.rate * MIN_STILL_FULL_PERCENT / 100;
                (through.clamp(least, before.rate * USABLE_PERCENT / 100), MIN_WAIT)
            }
            // The first probes were sent faster than the budget, so what was sent does not show the capacity.
            None if first_probes => (through.min(self.budget), MIN_WAIT),
            None => (through, MIN_WAIT),
        };
        let first = self.capacity.as_ref().is_none_or(|before| !before.full);
        let rate = rate.max(MIN_CAPACITY);
        let fell = sudden || rate * 100 < self.recent.sent(RECENT_REPORTS) * MUCH_LESS_PERCENT;
        let fallen = if fell { Some(now) } else { self.capacity.as_ref().and_then(|before| before.fallen) };
        self.capacity = Some(LinkCapacity { wait, full: true, fallen, ..LinkCapacity::new(rate, now) });
        self.budget = (rate * FULL_PERCENT / 100).max(MIN_BUDGET);
        let much_less = self.budget < self.recent.sent(RECENT_REPORTS) * MUCH_LESS_PERCENT / 100;
        if sudden || much_less { Some(Change::SuddenlyNarrow) } else { first.then_some(Change::Full) }
    }

    /// Returns whether a test explains that packets are delayed. Then the link carries no less than before: the test fails, and
    /// little is sent until the queue is empty.
    fn is_delayed_by_test(&mut self, now: Instant) -> bool {
        let average = self.recent.sent(RECENT_REPORTS);
        let Some(capacity) = &mut self.capacity else { return false };
        if let Some(tested) = capacity.test {
            capacity.fail_test(tested, average, now);
        }
        let recent = capacity.failed_at.is_some_and(|at| now.saturating_duration_since(at) < SETTLE_TIME);
        if recent {
            self.budget = self.budget.min(capacity.rate * FULL_PERCENT / 100).max(MIN_BUDGET);
        }
        recent
    }

    /// Expects reports about the large ones of the first probes.
    pub fn expect_probes(&mut self) {
        self.probe_reports = PROBE_REPORTS;
    }

    /// Returns whether packets are delayed now.
    pub fn is_delayed(&self) -> bool {
        self.recent[0].delay > USUAL_DELAY
    }

    /// Returns whether packets were delayed in the last second: then congestion may explain what was lost.
    pub fn was_delayed(&self) -> bool {
        self.recent.was_delayed()
    }

    /// Returns whether the link has become narrow, and not the budget too high: packets are suddenly delayed, although no
    /// more is sent than before. More is sent if a large key frame delays packets, or if the budget was raised.
    fn is_sudden(&self) -> bool {
        let before = self.recent.sent_before(THROUGH_REPORTS);
        let calm = self.recent.sent(THROUGH_REPORTS) * 100 <= before * CALM_PERCENT;
        let (delay, before) = (self.recent[0].delay, self.recent[SUDDEN_REPORTS].delay);
        let sudden = delay > MAX_DELAY && before <= USUAL_DELAY && delay > before + SUDDEN_GROWTH;
        let raised = self.budget() * 10 < self.budget * 9;
        self.budget > MIN_SUDDEN && calm && !raised && sudden && self.hold == Hold::No
    }

    /// Holds pictures back while packets are delayed, but not for long if the path has become longer.
    fn update_hold(&mut self, now: Instant) {
        let delay = self.recent[0].delay;
        if matches!(self.hold, Hold::Until(_)) {
            self.held_at = Some(now);
        }
        self.hold = match self.hold {
            Hold::No if delay > MAX_DELAY => Hold::Until(now + MAX_HOLD),
            Hold::Until(_) | Hold::Over if delay <= USUAL_DELAY => Hold::No,
            Hold::Until(end) if now >= end => Hold::Over,
            Hold::No | Hold::Until(_) | Hold::Over => self.hold,
        };
    }

    /// Returns the time until which no picture may be sent. A report may end that earlier.
    pub fn held_until(&self, now: Instant) -> Option<Instant> {
        match self.hold {
            Hold::Until(end) if now < end => Some(end),
            Hold::Until(_) | Hold::No | Hold::Over => None,
        }
    }

    /// Returns the highest next budget.
    fn largest_step(&mut self, delay: Duration, now: Instant) -> u64 {
        let percent = if self.starting { START_PERCENT } else { STEP_PERCENT };
        let step = self.budget.saturating_mul(percent) / 100;
        let sent = self.recent[0].sent.min(self.recent[1].sent);
        let evident = self.estimate > EVIDENT_ESTIMATE;
        let unfunded = self.desired > self.budget;
        let (average, may_probe) = (self.recent.sent(RECENT_REPORTS), self.may_probe());
        let Some(capacity) = &mut self.capacity else {
            return if delay > USUAL_DELAY { self.budget } else { step };
        };
        let (usable, lossy) = (capacity.usable(), self.link.is_lossy());
        let since = now.saturating_duration_since(capacity.at);
        let due = since >= capacity.wait;
        let evident = evident && self.estimate > capacity.rate * EVIDENT_FACTOR && since >= SUDDEN_WAIT;
        let proof = capacity.rate * PROVED_PERCENT / 100;
        let evident_delay = self.link.evident_delay(capacity.rate);
        // The stack has seen the queue grow, and sends no more padding: it measures the gradient of the delay.
        let overused = !lossy && delay > evident_delay / 2 && self.estimate < capacity.rate;
        match capacity.test {
            // Without padding, only pictures can test it.
            _ if !may_probe && since >= NARROW_PROBE_INTERVAL && !capacity.full && delay <= USUAL_DELAY => {
                self.capacity = None;
                return step;
            }
            Some(tested) if delay > evident_delay || overused => capacity.fail_test(tested, average, now),
            // A test counts only if there was enough to send.
            Some(tested) if sent < tested * 4 / 5 => {}
            Some(tested) if tested < proof => {
                let percent = if evident { EVIDENT_TEST_PERCENT } else { TEST_PERCENT };
                capacity.test = Some((tested * percent / 100).min(proof));
            }
            Some(tested) => {
                capacity.proofs += 1;
                if capacity.proofs > MIN_PROOFS {
                    self.capacity = None;
                    return tested;
                }
            }
            None if (due || evident) && unfunded && !capacity.full && delay <= USUAL_DELAY => {
                capacity.test = Some(usable * TEST_PERCENT / 100);
            }
            None => {}
        }
        // The stack sends no more padding than its estimate, so pictures must test a lossy link.
        step.min(capacity.test.filter(|_| lossy).map_or(usable, |test| test.max(usable)))
    }

    /// Returns the bits per second to fill with padding: those that are tested, or the next step to a higher estimate.
    pub fn padding(&self) -> u64 {
        if self.recent[0].delay > USUAL_DELAY {
            return 0;
        }
        let padding = match &self.capacity {
            Some(capacity) => capacity.test.unwrap_or(0),
            None if (MIN_PADDED..self.estimate.min(self.desired)).contains(&self.budget) => self.budget,
            None => 0,
        };
        padding.min(self.max_budget())
    }

    /// Returns the bits per second that the SFU may send to the viewer without padding. A higher budget counts only after
    /// the feedback on it, because a larger layer begins with a key frame.
    pub fn budget(&self) -> u64 {
        self.earlier.iter().copied().fold(self.budget, u64::min).min(self.max_budget())
    }

    /// Returns the budget if it is what the link carries. Returns `None` if the capacity is not known: the budget may be low only
    /// because the estimate of the stack is, which falls with random loss, and if little is sent, such as sound alone.
    pub fn known_budget(&self) -> Option<u64> {
        (self.capacity.is_some() || self.limit.is_set()).then(|| self.budget())
    }

    /// Returns the bits per second at which packets leave. More than the budget, so that key frames are not late; but if
    /// the capacity of the link is known, no more than that, because a burst delays the sound.
    pub fn pace(&self) -> u64 {
        let pace = match &self.capacity {
            Some(capacity) => capacity.test.unwrap_or(0).max(capacity.rate).max(self.budget()),
            None => self.budget().saturating_mul(PACE_PERCENT) / 100,
        };
        pace.min(self.limit.pace())
    }

    /// Returns the highest bits per second for which the stack may probe: it probes up to twice as much while little is sent. That
    /// would fill the queue of a narrow link.
    pub fn max_probe(&self) -> u64 {
        let max = match &self.capacity {
            Some(capacity) if capacity.rate < NARROW => {
                capacity.test.map_or(capacity.rate, |_| capacity.rate * PROVED_PERCENT / 100)
            }
            Some(_) | None => u64::MAX,
        };
        max.min(self.limit.probe())
    }

    /// Sets the bits per second that the viewer wants. Returns whether to probe for them now.
    pub fn set_desired(&mut self, desired: u64, now: Instant) -> bool {
        let desired = desired.min(self.max_budget());
        self.desired = desired;
        if desired <= self.estimate || self.recent[0].delay > USUAL_DELAY {
            return false;
        }
        let Some((at, before)) = self.probe.last else {
            self.probe.last = Some((now, self.estimate));
            return false;
        };
        // The packets of a probe fill the queue of a narrow link. So it is probed only if a test needs a higher estimate,
        // because the stack sends no more padding than its estimate.
        let useful =
            self.capacity.as_ref().is_none_or(|capacity| capacity.test.is_some_and(|test| test > self.estimate));
        let interval = match &self.capacity {
            Some(capacity) if capacity.rate < NARROW => NARROW_PROBE_INTERVAL,
            // Without a higher estimate, the test could not end.
            Some(_) => MIN_PROBE_INTERVAL,
            None => self.probe.interval,
        };
        if !useful || now.saturating_duration_since(at) < interval {
            return false;
        }
        let raised = self.estimate > before.saturating_mul(RAISED_PERCENT) / 100;
        self.probe.interval =
            if raised { MIN_PROBE_INTERVAL } else { (self.probe.interval * 2).min(MAX_PROBE_INTERVAL) };
        self.probe.last = Some((now, self.estimate));
        true
    }
}

/// The rate of the first probe, in bits per second. A link that carries less may pass it through its burst.
pub const BURST_RATE: u64 = 1_650_000;

/// The reports with feedback that may be about the first probes: until their packets have left the queue of a narrow link.
const PROBE_REPORTS: u32 = 8;

/// The estimate that shows a wide link, in percent of [`BURST_RATE`]. The estimate of packets as small as padding has 30 % more with headers.
const WIDE_PERCENT: u64 = 150;

/// The part of the rate of an earlier meeting with which a viewer begins, in percent.
const LAST_RATE_PERCENT: u64 = 80;

/// The reports after which feedback is about what was sent before them.
const UNPROVED_REPORTS: usize = 4;

/// How much the delay grows within [`SUDDEN_REPORTS`] if a link has suddenly become narrow.
const SUDDEN_GROWTH: Duration = Duration::from_millis(50);
const SUDDEN_REPORTS: usize = 2;

/// The maximum bitrate that is sent in these reports, in percent of the bitrate before. More would fill the queue of any link.
const CALM_PERCENT: u64 = 130;

/// The minimum budget, in bits per second: sound without a picture.
const MIN_BUDGET: u64 = 30_000;

/// Percent of the budget that the next one may have, from report to report.
const STEP_PERCENT: u64 = 120;

/// The same before the link was first full: a new viewer soon gets a large picture.
const START_PERCENT: u64 = 125;

/// Percent of what arrives through a full link that is sent until its queue is empty.
const FULL_PERCENT: u64 = 85;

/// The minimum budget that padding fills, in bits per second. Below it, sound and the smallest layer fill it.
const MIN_PADDED: u64 = 350_000;

/// The minimum capacity of a link that is still full after [`SETTLE_TIME`], in percent of the one that was measured before.
const MIN_STILL_FULL_PERCENT: u64 = 40;

/// If the budget of a full link is less than this percentage of what was sent, most of what was sent is lost.
const MUCH_LESS_PERCENT: u64 = 50;

/// After a sudden change, the feedback is still about the time before. The link is assumed to carry what was sent divided by
/// this.
const SUDDEN_FACTOR: u64 = 5;

/// The time from a sudden change to the first test.
const SUDDEN_WAIT: Duration = Duration::from_secs(1);

/// The time in which the queue of a full link becomes empty.
const SETTLE_TIME: Duration = Duration::from_millis(600);

/// A test is due at once if the estimate is more than this many times what the full link carried.
const EVIDENT_FACTOR: u64 = 3;

/// The minimum of such an estimate, in bits per second: a few packets at this rate are more than the usual burst.
const EVIDENT_ESTIMATE: u64 = 900_000;

/// Percent of the budget at which packets leave while the capacity is not known. A key frame on a link of half the first
/// estimate must not overflow its queue.
const PACE_PERCENT: u64 = 130;

/// An increase of the round-trip time that only a full queue explains. Then pictures are held back.
const MAX_DELAY: Duration = Duration::from_millis(60);

/// The longest time for which pictures are held back.
const MAX_HOLD: Duration = Duration::from_secs(1);

/// The fraction of lost packets that shows a full link, if they are delayed, too.
const MAX_LOSS: f32 = 0.1;

/// The fraction of packets that a radio link loses without congestion.
const USUAL_LOSS: f32 = 0.02;

/// The largest fraction of lost packets that is not taken for congestion if no packet is delayed. str0m's estimate falls far
/// below the capacity of such a path.
const MAX_RANDOM_LOSS: f32 = 0.4;

/// The minimum budget of such a path, in bits per second: sound and a layer of 360 lines. A policer that carries less than this
/// loses packets without delay, too. There, the budget rises until [`MAX_RANDOM_LOSS`] is lost.
const RANDOM_LOSS_BUDGET: u64 = 700_000;

/// The time between two probes while they raise the estimate.
const MIN_PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// The time between two probes while they do not raise it.
const MAX_PROBE_INTERVAL: Duration = Duration::from_millis(2_500);

/// The time between two probes on a narrow link. They fill its queue.
const NARROW_PROBE_INTERVAL: Duration = Duration::from_secs(10);

/// A budget below these bits per second is low enough for a link that has suddenly become narrow.
const MIN_SUDDEN: u64 = 400_000;

/// Percent of the estimate before a probe above which the probe has raised it.
const RAISED_PERCENT: u64 = 110;

#[cfg(test)]
mod tests;
