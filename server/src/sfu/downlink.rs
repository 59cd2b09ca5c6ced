//! Decides how many bits per second the SFU may send to a receiver, from the bandwidth estimate of its transport. Pure:
//! the caller passes the time.
//!
//! The estimator measures what is sent. While little is sent, its estimate is low. That does not mean that the link is
//! narrow. So the estimate counts only after congestion: high loss or a much longer round trip, in two reports in a
//! row. Otherwise a wide link is assumed.

use std::time::{Duration, Instant};

/// The downlink of one receiver.
#[derive(Debug)]
pub struct Downlink {
    estimate: u64,
    /// Bits per second that the link is assumed to carry while it is not congested.
    assumed: u64,
    /// The shortest round-trip time so far.
    shortest: Option<Duration>,
    /// Consecutive reports with congestion.
    congested_reports: u32,
    /// Until when the estimate alone counts.
    congested_until: Option<Instant>,
    /// How long the estimate alone counts after the next congestion.
    hold: Duration,
}

/// The statistics of the last second of a downlink.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// The fraction of packets that were lost, 0.0..=1.0.
    pub lost: f32,
    /// The round-trip time.
    pub round_trip: Option<Duration>,
    /// Bits per second that were sent.
    pub sent: u64,
}

impl Downlink {
    /// Returns a downlink with a first estimate, in bits per second.
    pub fn new(estimate: u64) -> Self {
        Self {
            estimate,
            assumed: DEFAULT_CAPACITY,
            shortest: None,
            congested_reports: 0,
            congested_until: None,
            hold: MIN_HOLD,
        }
    }

    /// Sets a new estimate, in bits per second.
    pub fn handle_estimate(&mut self, estimate: u64) {
        self.estimate = estimate;
    }

    /// Handles the statistics of the last second.
    pub fn handle_report(&mut self, report: Report, now: Instant) {
        let shortest = self.shortest.into_iter().chain(report.round_trip).min();
        self.shortest = shortest;
        let delayed = report.round_trip.zip(shortest).is_some_and(|(last, shortest)| last > shortest + MAX_DELAY);
        let congested = report.lost >= MAX_LOSS || delayed;
        self.congested_reports =
            if congested && report.sent > self.estimate / 2 { self.congested_reports + 1 } else { 0 };
        if self.congested_reports >= MIN_CONGESTED_REPORTS {
            self.start_hold(now);
        } else if report.lost < USUAL_LOSS && !delayed && self.congested_until.is_none() {
            self.assumed = self.assumed.max(report.sent.saturating_mul(2));
        }
    }

    /// Returns the bits per second that the SFU may send to the receiver.
    pub fn budget(&mut self, now: Instant) -> u64 {
        if self.congested_until.is_some_and(|until| now >= until) {
            self.congested_until = None;
        }
        if self.congested_until.is_some() { self.estimate } else { self.estimate.max(self.assumed) }
    }

    /// Lets the estimate alone count for `hold`, which doubles each time.
    fn start_hold(&mut self, now: Instant) {
        match self.congested_until {
            Some(until) if now < until => {}
            Some(_) | None => {
                self.congested_until = Some(now + self.hold);
                self.hold = (self.hold * 2).min(MAX_HOLD);
                self.assumed = DEFAULT_CAPACITY;
            }
        }
    }
}

/// Bits per second that a link is assumed to carry without congestion: a few large pictures.
const DEFAULT_CAPACITY: u64 = 6_000_000;

/// A fraction of lost packets that only congestion explains.
const MAX_LOSS: f32 = 0.1;

/// An increase of the round-trip time that only a full queue explains.
const MAX_DELAY: Duration = Duration::from_millis(400);

/// Consecutive reports with congestion that start a hold. A single report may be noise.
const MIN_CONGESTED_REPORTS: u32 = 2;

/// The fraction of packets that a radio link loses without congestion.
const USUAL_LOSS: f32 = 0.02;

/// How long the estimate alone counts after the first congestion.
const MIN_HOLD: Duration = Duration::from_secs(10);

/// How long the estimate alone counts at most.
const MAX_HOLD: Duration = Duration::from_secs(160);

#[cfg(test)]
mod tests {
    use super::*;

    fn report(lost: f32, round_trip: u64, sent: u64) -> Report {
        Report { lost, round_trip: Some(Duration::from_millis(round_trip)), sent }
    }

    #[test]
    fn a_low_estimate_does_not_count_without_congestion() {
        let (mut downlink, now) = (Downlink::new(2_000_000), Instant::now());
        downlink.handle_estimate(300_000);
        downlink.handle_report(report(0.0, 20, 150_000), now);
        assert_eq!(downlink.budget(now), DEFAULT_CAPACITY);
    }

    #[test]
    fn after_congestion_the_estimate_counts_for_a_while_and_longer_each_time() {
        let (mut downlink, start) = (Downlink::new(2_000_000), Instant::now());
        downlink.handle_report(report(0.0, 20, 1_500_000), start);
        downlink.handle_report(report(0.0, 900, 1_500_000), start);
        assert_eq!(downlink.budget(start), DEFAULT_CAPACITY, "one report is not enough");
        downlink.handle_report(report(0.0, 900, 1_500_000), start);
        downlink.handle_estimate(700_000);
        assert_eq!(downlink.budget(start + MIN_HOLD / 2), 700_000);
        let later = start + MIN_HOLD;
        assert_eq!(downlink.budget(later), DEFAULT_CAPACITY);
        downlink.handle_report(report(0.2, 20, 1_500_000), later);
        downlink.handle_report(report(0.2, 20, 1_500_000), later);
        assert_eq!(downlink.budget(later + MIN_HOLD), 700_000);
        assert_eq!(downlink.budget(later + MIN_HOLD * 2), DEFAULT_CAPACITY);
    }

    #[test]
    fn a_busy_link_is_assumed_to_have_spare_capacity_until_it_is_congested() {
        let (mut downlink, now) = (Downlink::new(2_000_000), Instant::now());
        downlink.handle_report(report(0.01, 20, 9_000_000), now);
        assert_eq!(downlink.budget(now), 18_000_000);
        (0..2).for_each(|_| downlink.handle_report(report(0.3, 20, 9_000_000), now));
        assert_eq!(downlink.budget(now), 2_000_000);
        downlink.handle_report(report(0.0, 20, 9_000_000), now);
        assert_eq!(downlink.budget(now), 2_000_000, "not during the hold");
    }
}
