//! How much a receiver may be sent, from what the estimator of its transport says.
//! Pure: the caller brings the clock.
//!
//! The estimator measures what is sent: while little is sent it cannot know of more, and its word is low. That is no
//! sign of a narrow link. So it counts only after a sign of congestion: many packets lost, or a way that takes much longer
//! than it did, twice in a row. Otherwise the link is taken to be wide, and the first second of a picture tells.

use std::time::{Duration, Instant};

/// The downlink of one receiver. See the module.
#[derive(Debug)]
pub struct Downlink {
    estimate: u64,
    /// What a link without a sign of congestion is taken to carry.
    trusted: u64,
    /// The shortest round trip so far.
    shortest: Option<Duration>,
    /// Reports in a row with a sign of congestion.
    signs: u32,
    /// Until when the estimate alone counts.
    doubted_until: Option<Instant>,
    doubt: Duration,
}

/// How the last second went.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// The share of packets that did not arrive.
    pub lost: f32,
    /// How long the way there and back took.
    pub round_trip: Option<Duration>,
    /// Bits a second that were sent.
    pub sent: u64,
}

impl Downlink {
    /// A downlink of which nothing is known.
    pub fn new(estimate: u64) -> Self {
        Self { estimate, trusted: OPTIMISM, shortest: None, signs: 0, doubted_until: None, doubt: MIN_DOUBT }
    }

    /// The estimator has another opinion.
    pub fn handle_estimate(&mut self, estimate: u64) {
        self.estimate = estimate;
    }

    /// Weighs how the last second went.
    pub fn handle_report(&mut self, report: Report, now: Instant) {
        let shortest = self.shortest.into_iter().chain(report.round_trip).min();
        self.shortest = shortest;
        let slow = report.round_trip.zip(shortest).is_some_and(|(now, then)| now > then + MAX_DELAY);
        let congested = report.lost >= MAX_LOSS || slow;
        self.signs = if congested && report.sent > self.estimate / 2 { self.signs + 1 } else { 0 };
        if self.signs >= ENOUGH_SIGNS {
            self.doubt(now);
        } else if report.lost < LITTLE_LOSS && !slow && self.doubted_until.is_none() {
            self.trusted = self.trusted.max(report.sent.saturating_mul(2));
        }
    }

    /// Bits a second that it may be sent.
    pub fn budget(&mut self, now: Instant) -> u64 {
        if self.doubted_until.is_some_and(|until| now >= until) {
            self.doubted_until = None;
        }
        if self.doubted_until.is_some() { self.estimate } else { self.estimate.max(self.trusted) }
    }

    /// Each time it is doubted soon after the last time, for twice as long.
    fn doubt(&mut self, now: Instant) {
        match self.doubted_until {
            Some(until) if now < until => {}
            Some(_) | None => {
                self.doubted_until = Some(now + self.doubt);
                self.doubt = (self.doubt * 2).min(MAX_DOUBT);
                self.trusted = OPTIMISM;
            }
        }
    }
}

/// What a link is taken to carry, in bits a second, before anything speaks against it: a few large pictures.
const OPTIMISM: u64 = 6_000_000;

/// The share of lost packets that only a full link explains.
const MAX_LOSS: f32 = 0.1;

/// How much longer than the shortest a round trip takes only where a queue is full.
const MAX_DELAY: Duration = Duration::from_millis(400);

/// Signs in a row that are no accident.
const ENOUGH_SIGNS: u32 = 2;

/// The share of lost packets that every radio link has.
const LITTLE_LOSS: f32 = 0.02;

/// How long the estimate alone counts, at first and at most.
const MIN_DOUBT: Duration = Duration::from_secs(10);
const MAX_DOUBT: Duration = Duration::from_secs(160);

#[cfg(test)]
mod tests {
    use super::*;

    fn report(lost: f32, round_trip: u64, sent: u64) -> Report {
        Report { lost, round_trip: Some(Duration::from_millis(round_trip)), sent }
    }

    #[test]
    fn a_low_estimate_of_a_quiet_link_is_no_sign_of_congestion() {
        let (mut downlink, now) = (Downlink::new(2_000_000), Instant::now());
        downlink.handle_estimate(300_000);
        downlink.handle_report(report(0.0, 20, 150_000), now);
        assert_eq!(downlink.budget(now), OPTIMISM);
    }

    #[test]
    fn congestion_makes_the_estimate_count_for_a_while_and_longer_each_time() {
        let (mut downlink, start) = (Downlink::new(2_000_000), Instant::now());
        downlink.handle_report(report(0.0, 20, 1_500_000), start);
        downlink.handle_report(report(0.0, 900, 1_500_000), start);
        assert_eq!(downlink.budget(start), OPTIMISM, "once is an accident");
        downlink.handle_report(report(0.0, 900, 1_500_000), start);
        downlink.handle_estimate(700_000);
        assert_eq!(downlink.budget(start + MIN_DOUBT / 2), 700_000);
        let later = start + MIN_DOUBT;
        assert_eq!(downlink.budget(later), OPTIMISM);
        downlink.handle_report(report(0.2, 20, 1_500_000), later);
        downlink.handle_report(report(0.2, 20, 1_500_000), later);
        assert_eq!(downlink.budget(later + MIN_DOUBT), 700_000);
        assert_eq!(downlink.budget(later + MIN_DOUBT * 2), OPTIMISM);
    }

    #[test]
    fn a_link_that_carries_much_is_trusted_with_more_until_it_fails() {
        let (mut downlink, now) = (Downlink::new(2_000_000), Instant::now());
        downlink.handle_report(report(0.01, 20, 9_000_000), now);
        assert_eq!(downlink.budget(now), 18_000_000);
        (0..2).for_each(|_| downlink.handle_report(report(0.3, 20, 9_000_000), now));
        assert_eq!(downlink.budget(now), 2_000_000);
        downlink.handle_report(report(0.0, 20, 9_000_000), now);
        assert_eq!(downlink.budget(now), 2_000_000, "not while it is doubted");
    }
}
