//! Shares a link with flows that keep its queue full, such as TCP. Pure: the caller passes the time.
//!
//! A flow that reacts to delay starves beside one that reacts only to loss. If the queue stays although much less is sent, it
//! belongs to others. Then only loss lowers the rate, and it grows by 0.43 packets in each round trip, until the queue is empty.
//! Copa (Arun and Balakrishnan, NSDI 2018, section 2.2) and RFC 8698, section 4.2, change their mode for the same reason. A sender
//! does the same on its uplink (`congestion::Competition`).

use super::super::link_delay::{REPORT_INTERVAL, USUAL_DELAY};
use std::time::{Duration, Instant};

/// Whether others keep the queue of a link full, and the rate beside them.
#[derive(Debug, Default)]
pub struct Competition {
    /// The period in which packets were delayed in each report.
    queued: Option<Queued>,
    /// The rate while others keep the queue full.
    share: Option<Share>,
    /// The last competition.
    ended: Option<PastCompetition>,
}

/// A competition that has ended.
#[derive(Clone, Copy, Debug)]
struct PastCompetition {
    at: Instant,
    length: Duration,
    /// The last rate.
    rate: u64,
}

#[derive(Clone, Copy, Debug)]
struct Queued {
    since: Instant,
    /// The highest bits per second that were sent in a second, and the longest delay.
    sent: u64,
    longest: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Share {
    /// Bits per second.
    rate: u64,
    since: Instant,
    decreased: Instant,
    /// Since when packets are not delayed.
    empty: Option<Instant>,
    /// True until the first loss, which shows the share.
    starting: bool,
}

/// The statistics of one report.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// How long packets wait in the queue.
    pub delay: Duration,
    /// The bits per second that the full link has carried, if that is known.
    pub carried: Option<u64>,
    /// The bits per second that were sent in the last second.
    pub sent: u64,
    /// The fraction that congestion lost in the last second, 0.0..=1.0.
    pub lost: f32,
    /// The round-trip time.
    pub round_trip: Duration,
}

impl Competition {
    /// Handles a report. Returns the bits per second that may be sent if others keep the queue full.
    pub fn handle_report(&mut self, sample: &Sample, now: Instant) -> Option<u64> {
        self.update_queued(sample, now);
        self.share = match self.share.take() {
            Some(share) => self.update(share, sample, now),
            None => self.start(sample, now),
        };
        self.rate()
    }

    /// Returns the bits per second that may be sent if others keep the queue full.
    pub fn rate(&self) -> Option<u64> {
        self.share.map(|share| share.rate)
    }

    fn update_queued(&mut self, sample: &Sample, now: Instant) {
        if sample.delay <= USUAL_DELAY {
            self.queued = None;
            return;
        }
        let new = Queued { since: now, sent: sample.sent, longest: sample.delay };
        let queued = self.queued.get_or_insert(new);
        queued.sent = queued.sent.max(sample.sent);
        queued.longest = queued.longest.max(sample.delay);
    }

    /// Returns a share if the queue has not become shorter although much less is sent, or if it grows again soon after a competition.
    fn start(&self, sample: &Sample, now: Instant) -> Option<Share> {
        let queued = self.queued?;
        let remains = sample.delay * 100 > queued.longest * MIN_REMAINING_PERCENT;
        let stays = now.saturating_duration_since(queued.since) >= MIN_DURATION && remains;
        // A link that has just become full may have carried more than was sent for a second.
        let most = queued.sent.max(sample.carried.unwrap_or(0));
        let lowered = most >= MIN_SENT && sample.sent * 100 < most * LOWERED_PERCENT;
        let again = self.ended.filter(|ended| {
            let soon = now.saturating_duration_since(ended.at) < AGAIN;
            soon && ended.length > MIN_LENGTH && sample.delay > MIN_AGAIN_DELAY
        });
        // Less may be sent than the rate allows, for example while nobody speaks. So what is sent does not show the share.
        let rate = again.map_or(queued.sent * START_PERCENT / 100, |ended| ended.rate.max(sample.sent));
        // The next pause of the others does not end the competition for good, either.
        let since = again.and_then(|ended| now.checked_sub(ended.length)).unwrap_or(now);
        let share = Share { rate, since, decreased: now, empty: None, starting: again.is_none() };
        (stays && lowered || again.is_some()).then_some(share)
    }

    /// Returns the share after a report. Returns `None` if the queue is empty.
    fn update(&mut self, mut share: Share, sample: &Sample, now: Instant) -> Option<Share> {
        share.empty = (sample.delay <= USUAL_DELAY).then(|| share.empty.unwrap_or(now));
        if share.empty.is_some_and(|since| now.saturating_duration_since(since) >= MIN_EMPTY) {
            let length = now.saturating_duration_since(share.since);
            self.ended = Some(PastCompetition { at: now, length, rate: share.rate });
            return None;
        }
        // The loss of a report is that of a second, so an older loss is still part of it.
        let since = now.saturating_duration_since(share.decreased);
        if sample.lost > 0.0 && since > LOSS_PERIOD + sample.round_trip {
            (share.decreased, share.starting) = (now, false);
            share.rate = share.rate * DECREASE_PERCENT / 100;
        } else if sample.sent * 100 > share.rate * USED_PERCENT {
            let round_trip = sample.round_trip.max(MIN_ROUND_TRIP).as_millis();
            let grown = GROWTH_BITS * REPORT_INTERVAL.as_millis() * 1_000 / (round_trip * round_trip);
            let grown = u64::try_from(grown).unwrap_or(u64::MAX);
            let most = share.rate * MAX_GROWTH_PERMILLE / 1_000;
            share.rate += if share.starting { share.rate * START_PERMILLE / 1_000 } else { grown.min(most) };
        }
        Some(share)
    }
}

/// How long the queue must last before others can be the cause.
const MIN_DURATION: Duration = Duration::from_millis(1_500);

/// Less, in bits per second, shows nothing: on a link that is as narrow, sound and its retransmissions alone may keep the queue.
const MIN_SENT: u64 = 250_000;

/// A queue that is shorter than this percentage of its greatest length is becoming empty.
const MIN_REMAINING_PERCENT: u32 = 65;

/// If the queue lasts although what is sent was lowered to this percentage, it belongs to others.
const LOWERED_PERCENT: u64 = 60;

/// The first rate, in percent of the highest one since the queue lasts.
const START_PERCENT: u64 = 50;

/// How long the queue must be empty until nobody else fills it.
const MIN_EMPTY: Duration = Duration::from_millis(500);

/// If a competition lasted for the second time or longer, and packets are delayed again within the first one, it goes on.
const AGAIN: Duration = Duration::from_secs(5);
const MIN_LENGTH: Duration = Duration::from_secs(4);
const MIN_AGAIN_DELAY: Duration = Duration::from_millis(60);

/// Percent of the rate that are left after a loss. In simulation, with [`GROWTH_BITS`], the call gets at least 30 % of a link beside one
/// CUBIC flow (RFC 9438), and the flow at least 40 % (`a_tcp_connection_on_the_downlink_neither_starves_the_call_nor_is_starved`).
const DECREASE_PERCENT: u64 = 75;

/// Bits by which the rate grows in each round trip, divided by the seconds of a round trip: 0.43 segments of 1,500 bytes. With [`DECREASE_PERCENT`],
/// that is as much as TCP gets (RFC 9438, section 4.3).
const GROWTH_BITS: u128 = 5_200;

/// The rate grows by at most these parts of a thousand in each report, so that a decrease empties the queue of a narrow link that nobody
/// else fills.
const MAX_GROWTH_PERMILLE: u64 = 25;

/// The same until the first loss.
const START_PERMILLE: u64 = 60;

/// The rate grows only if this percentage of it is sent (RFC 7661, section 4.3). A higher one would keep the rate below what the next larger layer
/// needs.
const USED_PERCENT: u64 = 50;

/// The time that the loss of a report covers.
const LOSS_PERIOD: Duration = Duration::from_secs(1);

/// A shorter round trip does not make the rate grow faster.
const MIN_ROUND_TRIP: Duration = Duration::from_millis(80);

#[cfg(test)]
mod tests {
    use super::*;

    /// The reports of a link, one every 100 ms.
    struct Reports {
        competition: Competition,
        now: Instant,
    }

    impl Reports {
        /// Returns a link without a queue, to which a megabit was sent in the last second.
        fn new() -> Self {
            let mut new = Self { competition: Competition::default(), now: Instant::now() };
            (0..10).for_each(|_| _ = new.report(0, 1_000_000, 0.0));
            new
        }

        fn report(&mut self, delay: u64, sent: u64, lost: f32) -> Option<u64> {
            self.now += REPORT_INTERVAL;
            let delay = Duration::from_millis(delay);
            let sample = Sample { delay, carried: None, sent, lost, round_trip: delay + Duration::from_millis(2) };
            self.competition.handle_report(&sample, self.now)
        }

        /// Sends a megabit until the queue is full, then little. Returns the first rate beside others.
        fn start(&mut self) -> Option<u64> {
            self.report(150, 1_000_000, 0.0);
            (0..30).find_map(|step| self.report(150 + step, 100_000, 0.0))
        }
    }

    #[test]
    fn a_queue_that_stays_although_little_is_sent_belongs_to_others() {
        let mut link = Reports::new();
        assert_eq!(link.start(), Some(500_000));
    }

    #[test]
    fn a_queue_that_becomes_shorter_or_while_as_much_is_sent_is_our_own() {
        let mut link = Reports::new();
        link.report(400, 1_000_000, 0.0);
        let shorter = (0..36_u64).find_map(|step| link.report(400 - step * 10, 100_000, 0.0));
        assert_eq!(shorter, None, "a long queue takes its time");
        let mut link = Reports::new();
        link.report(200, 1_000_000, 0.0);
        assert_eq!((0..99).find_map(|_| link.report(200, 700_000, 0.0)), None);
        let mut link = Reports::new();
        link.report(200, 200_000, 0.0);
        assert_eq!((0..99).find_map(|_| link.report(200, 90_000, 0.0)), None, "a narrow link");
    }

    #[test]
    fn what_a_link_has_carried_shows_that_its_queue_belongs_to_others_although_little_was_sent() {
        for (carried, starts) in [(None, false), (Some(120_000), false), (Some(370_000), true)] {
            let mut link = Reports { competition: Competition::default(), now: Instant::now() };
            let rate = (0..40).find_map(|step| {
                link.now += REPORT_INTERVAL;
                let delay = Duration::from_millis(150 + step);
                let sample = Sample { delay, carried, sent: 80_000, lost: 0.0, round_trip: delay };
                link.competition.handle_report(&sample, link.now)
            });
            assert_eq!(rate.is_some(), starts, "{carried:?}");
        }
    }

    #[test]
    fn the_rate_beside_others_falls_with_loss_and_grows_without_it_if_it_is_used() {
        let mut link = Reports::new();
        link.start();
        let rates: Vec<u64> = (0..10).filter_map(|_| link.report(190, 900_000, 0.0)).collect();
        assert!(rates[9] > 850_000, "{rates:?}: until the first loss, it grows fast");
        (0..20).for_each(|_| _ = link.report(190, 900_000, 0.01));
        let rates: Vec<u64> = (0..20).filter_map(|_| link.report(190, 900_000, 0.0)).collect();
        let a_second = rates[15] - rates[5];
        assert!((100_000..170_000).contains(&a_second), "{a_second}: 5,200 bits a round trip, each of 192 ms");
        let before = rates[19];
        let rates: Vec<u64> = (0..11).filter_map(|_| link.report(200, 900_000, 0.01)).collect();
        assert!(rates[0] * 100 < before * 80 && rates.is_sorted(), "{rates:?}: one loss is seen for a second");
        let before = link.report(200, 100_000, 0.0);
        assert_eq!(link.report(200, 100_000, 0.0), before, "little is sent");
        let used = before.map_or(0, |before| before * 60 / 100);
        assert!(link.report(200, used, 0.0) > before, "a larger layer needs almost twice as much as a smaller one");
    }

    #[test]
    fn a_competition_ends_with_an_empty_queue_and_goes_on_if_the_queue_soon_returns() {
        for (length, goes_on) in [(10, false), (60, true)] {
            let mut link = Reports::new();
            link.start();
            (0..length).for_each(|_| _ = link.report(190, 500_000, 0.0));
            let emptied = (0..5).all(|_| link.report(10, 500_000, 0.0).is_some());
            assert!(emptied && link.report(10, 500_000, 0.0).is_none());
            (0..20).for_each(|_| _ = link.report(10, 500_000, 0.0));
            let before = link.competition.ended.map(|ended| ended.rate);
            let rate = link.report(100, 100_000, 0.0);
            assert_eq!(rate, before.filter(|_| goes_on), "after {length} reports: although little is sent");
            if goes_on {
                (0..6).for_each(|_| _ = link.report(10, 100_000, 0.0));
                assert_eq!((link.competition.rate(), link.report(100, 100_000, 0.0)), (None, before), "once more");
            }
        }
    }
}
