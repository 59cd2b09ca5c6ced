//! Measures how long packets wait in the queue of a viewer's link, and how many of them the link loses at random. Pure.
//!
//! Loss without a queue is random: a radio link loses packets at any rate. Of loss with a queue, only what exceeds the
//! random loss is congestion.

use super::held_estimate::HeldEstimate;
use std::time::{Duration, Instant};

/// The delay and the random loss of one link.
#[derive(Debug, Default)]
pub struct LinkDelay {
    /// The usual round-trip time: the shortest one, which grows slowly, because paths change.
    usual: Option<Duration>,
    /// How much longer than usual the round trip of the last report was.
    last: Duration,
    /// The mean difference between the round trips of successive reports, smoothed: the jitter of the path. A queue changes slowly.
    jitter: Duration,
    /// The fraction of packets that is lost while none is delayed, smoothed.
    random_loss: f32,
    /// The reports for which others have filled the queue.
    held: Option<u32>,
    /// The highest estimate of the stack.
    estimates: HeldEstimate,
}

impl LinkDelay {
    /// Returns how much longer than usual the round trip is, except for what a pause explains: the newest packet waits for the
    /// feedback, and the queue becomes shorter.
    ///
    /// If many packets are lost at random, the newest ones before the feedback are often among them. Then the round trip is that
    /// of an older packet, which waited longer for the feedback. A queue delays packets in two reports.
    pub fn handle_report(&mut self, round_trip: Option<Duration>, pause: Duration, lost: f32) -> Duration {
        let measured = self.measure(round_trip, pause);
        let before = std::mem::replace(&mut self.last, measured);
        self.update_jitter(measured, before);
        if measured <= USUAL_DELAY {
            let lost = lost.clamp(0.0, 1.0);
            let weight = if self.is_lossy() { LOSSY_WEIGHT } else { FIRST_WEIGHT };
            self.random_loss += (lost - self.random_loss) * weight;
        }
        let (measured, before) = (self.without_jitter(measured), self.without_jitter(before));
        if self.is_lossy() || self.has_jitter() { measured.min(before) } else { measured }
    }

    /// Updates the jitter by the delays of this report and the one before.
    fn update_jitter(&mut self, measured: Duration, before: Duration) {
        let step = measured.abs_diff(before).min(MAX_JITTER_STEP);
        self.jitter = (self.jitter * (JITTER_WEIGHT - 1) + step) / JITTER_WEIGHT;
    }

    /// Returns a delay without what the jitter of the path explains.
    fn without_jitter(&self, delay: Duration) -> Duration {
        delay.saturating_sub(self.jitter.saturating_sub(USUAL_JITTER) * JITTER_FACTOR)
    }

    /// Returns the delay that shows a queue on a link of `rate` bits per second: what jitter and the packets before it on the link do
    /// not explain.
    pub fn evident_delay(&self, rate: u64) -> Duration {
        let packets = Duration::from_micros(QUEUED_BITS * 1_000_000 / rate.max(1));
        (USUAL_JITTER + packets + self.jitter).min(USUAL_DELAY)
    }

    fn measure(&mut self, round_trip: Option<Duration>, pause: Duration) -> Duration {
        let Some(round_trip) = round_trip else { return Duration::ZERO };
        let held = self.held.is_some_and(|reports| reports < MAX_HELD);
        let growth = if held { Duration::ZERO } else { USUAL_GROWTH };
        let usual = self.usual.map_or(round_trip, |usual| round_trip.min(usual + growth));
        self.usual = Some(usual);
        round_trip.saturating_sub(usual).saturating_sub(pause)
    }

    /// Keeps the usual round trip while `held` is true, for at most a minute: others fill the queue, so it is never empty. Otherwise
    /// the time in their queue would become usual.
    pub fn hold(&mut self, held: bool) {
        self.held = held.then(|| self.held.unwrap_or(0).saturating_add(1));
    }

    /// Returns the fraction of `lost` that congestion explains.
    pub fn congestion_loss(&self, lost: f32) -> f32 {
        (lost - self.random_loss).max(0.0)
    }

    /// Returns the random loss, or `lost` if it is lower: a single second may have more.
    pub fn usual_loss(&self, lost: f32) -> f32 {
        lost.min(self.random_loss)
    }

    /// Returns the estimate of the stack, in bits per second; on a path with jitter, the highest one of the last seconds without a queue.
    pub fn usable_estimate(&mut self, newest: u64, has_queue: bool, now: Instant) -> u64 {
        let highest = self.estimates.highest(newest, has_queue, now);
        if self.has_jitter() { highest } else { newest }
    }

    /// Returns true if packets are delayed by more than a queue or the packets before them on a link explain.
    fn has_jitter(&self) -> bool {
        self.jitter > USUAL_JITTER
    }

    /// Returns true if so many packets are lost at random that the estimate of the stack is far below the capacity.
    pub fn is_lossy(&self) -> bool {
        self.random_loss > MIN_LOSSY
    }
}

/// The time between two reports.
pub const REPORT_INTERVAL: Duration = Duration::from_millis(100);

/// An increase of the round-trip time that jitter explains.
pub const USUAL_DELAY: Duration = Duration::from_millis(40);

/// Two packets, in bits.
const QUEUED_BITS: u64 = 2 * 9_600;

/// The jitter that thresholds allow for, and that the packets of a narrow link have because each takes some time.
const USUAL_JITTER: Duration = Duration::from_millis(15);

/// The mean of this many differences is the jitter: those of a second and a half.
const JITTER_WEIGHT: u32 = 15;

/// A larger difference is a queue that has suddenly grown.
const MAX_JITTER_STEP: Duration = Duration::from_millis(120);

/// How many times more than usual jitter a packet may be late. The shortest round trip is three standard deviations below the mean one.
const JITTER_FACTOR: u32 = 3;

/// How much the usual round-trip time grows from report to report.
const USUAL_GROWTH: Duration = Duration::from_micros(250);

/// The reports for which the usual round trip is kept at most: a change of the route may have raised it.
const MAX_HELD: u32 = 600;

/// The weight of one report in the average of the random loss, until the link is known to be lossy. There are ten reports per second,
/// and each covers about the last second.
const FIRST_WEIGHT: f32 = 0.2;

/// The weight on a link that is known to be lossy. It is lower, because one second has few packets, so its loss varies.
const LOSSY_WEIGHT: f32 = 0.03;

/// Above this random loss, the estimate of the stack does not show the capacity.
const MIN_LOSSY: f32 = 0.08;

#[cfg(test)]
mod tests {
    use super::*;

    fn report(link: &mut LinkDelay, lost: f32, round_trip: u64) -> u128 {
        link.handle_report(Some(Duration::from_millis(round_trip)), Duration::ZERO, lost).as_millis()
    }

    #[test]
    fn a_single_late_report_of_a_lossy_link_is_no_delay() {
        let mut link = LinkDelay::default();
        (0..2).for_each(|_| _ = report(&mut link, 0.3, 20));
        assert!(link.is_lossy());
        (0..60).for_each(|_| _ = report(&mut link, 0.3, 20));
        assert!(link.usual_loss(0.45) < 0.31 && link.congestion_loss(0.35) < 0.1, "{link:?}");
        let delays = [95, 20, 95, 90, 20].map(|round_trip| report(&mut link, 0.3, round_trip));
        assert!(delays[..3].iter().all(|delay| *delay < 5) && delays[3] > 60 && delays[4] == 0, "{delays:?}");
    }

    #[test]
    fn jitter_is_no_delay_but_a_queue_on_the_same_path_is() {
        let mut link = LinkDelay::default();
        let late = [0, 70, 20, 90, 10, 50, 110, 30, 60, 5];
        (0..40).for_each(|number| _ = report(&mut link, 0.0, 100 + late[number % late.len()]));
        let delays: Vec<u128> = (0..40).map(|number| report(&mut link, 0.0, 100 + late[number % late.len()])).collect();
        assert!(delays.iter().all(|delay| *delay == 0), "{delays:?}");
        let delays: Vec<u128> = (0..5).map(|number| report(&mut link, 0.0, 300 + late[number % late.len()])).collect();
        assert!(delays[2..].iter().all(|delay| *delay > 60), "{delays:?}");
    }

    #[test]
    fn loss_with_a_queue_is_congestion() {
        let mut link = LinkDelay::default();
        report(&mut link, 0.0, 20);
        (0..10).for_each(|_| _ = report(&mut link, 0.5, 120));
        assert!(!link.is_lossy() && link.congestion_loss(0.5) > 0.45, "{link:?}");
    }
}
