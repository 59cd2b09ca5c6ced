//! Tracks which packets of a stream are missing, and when to request them by NACK (RFC 4585, section 6.2.1).
//!
//! Pure: the caller passes the time, and reports a retransmitted packet with its original number.

use super::unwrap::{Unwrapper, low16};
use std::collections::BTreeMap;
use std::mem;
use std::ops::Range;
use std::time::{Duration, Instant};

/// The missing packets of one stream.
#[derive(Debug, Default)]
pub struct NackTracker {
    counter: Unwrapper,
    missing: BTreeMap<u64, MissingPacket>,
    /// The part of the recent packets that were missing: [`WHOLE`] is all of them.
    loss: u32,
}

/// A packet that has not arrived although a later one has.
#[derive(Clone, Copy, Debug)]
struct MissingPacket {
    /// When a later packet arrived.
    since: Instant,
    first_request: Option<Instant>,
    next_request: Instant,
    /// True if the next request is the second one of this round trip.
    copy_due: bool,
}

impl NackTracker {
    /// Handles the sequence number of a packet that arrived, by transmission or retransmission. Returns the time since its
    /// first request, if it was requested.
    pub fn handle_packet(&mut self, sequence: u16, now: Instant) -> Option<Duration> {
        let before = self.counter.newest();
        let number = self.counter.peek(sequence);
        if let Some(newest) = before
            && number.abs_diff(newest) > MAX_JUMP
        {
            // The sender started a new sequence, so nothing is missing.
            self.missing.clear();
            self.counter = Unwrapper::default();
            self.counter.unwrap(sequence);
            return None;
        }
        self.counter.unwrap(sequence);
        let arrived = self.missing.remove(&number);
        self.miss(before.map_or(number, |newest| newest + 1)..number, now);
        if before.is_none_or(|newest| newest < number) {
            self.loss -= self.loss / LOSS_WINDOW;
        }
        arrived?.first_request.map(|first| now.saturating_duration_since(first))
    }

    /// Records that the packets before the first one that arrived are missing, because it does not begin a frame. How many
    /// there are is not known.
    pub fn handle_missing_start(&mut self, now: Instant) {
        if let Some(first) = self.counter.newest() {
            self.miss(first.saturating_sub(MAX_BEFORE_FIRST)..first, now);
        }
    }

    /// Forgets the packets before `sequence`, because their frames are not needed any more.
    pub fn forget_before(&mut self, sequence: u16) {
        let number = self.counter.peek(sequence);
        if self.missing.first_key_value().is_some_and(|(first, _)| *first < number) {
            self.missing = self.missing.split_off(&number);
        }
    }

    /// Returns the packets to request now, oldest first. Each is due again after `retry`, the time in which a retransmission
    /// arrives. If `retry` is long and few packets are lost, each is due twice in that time, because a request or its answer
    /// may be lost, too. Then at most about a fifth of all packets are retransmissions.
    pub fn poll_request(&mut self, now: Instant, retry: Duration) -> Vec<u16> {
        self.missing.retain(|_, missing| now.saturating_duration_since(missing.since) < MAX_AGE);
        let mut due = Vec::new();
        for (number, missing) in &mut self.missing {
            if missing.next_request <= now {
                missing.first_request.get_or_insert(now);
                let copied = mem::take(&mut missing.copy_due);
                missing.copy_due = !copied && retry >= LONG_ROUND_TRIP && self.loss <= MAX_COPIED_LOSS;
                missing.next_request = now
                    + match (copied, missing.copy_due) {
                        (_, true) => COPY_DELAY,
                        (true, false) => retry.saturating_sub(COPY_DELAY),
                        (false, false) => retry,
                    };
                due.push(low16(*number));
            }
        }
        due
    }

    /// Returns when the next request is due, or `None` if nothing is missing.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.missing.values().map(|missing| missing.next_request).min()
    }

    fn miss(&mut self, numbers: Range<u64>, now: Instant) {
        for number in numbers {
            self.loss += (WHOLE - self.loss) / LOSS_WINDOW;
            let next_request = now + REORDER_DELAY;
            self.missing
                .insert(number, MissingPacket { since: now, first_request: None, next_request, copy_due: false });
        }
        while self.missing.len() > MAX_MISSING {
            self.missing.pop_first();
        }
    }
}

/// How long a packet may be late before it is requested. Networks reorder packets slightly.
pub const REORDER_DELAY: Duration = Duration::from_millis(8);

/// If the retry interval is at least this long, a packet is requested twice in each.
const LONG_ROUND_TRIP: Duration = Duration::from_millis(60);

/// The time between these two requests. A burst of losses is shorter. A sender does not answer a second request for a packet
/// within 20 ms.
const COPY_DELAY: Duration = Duration::from_millis(25);

/// The value of [`NackTracker::loss`] if all packets are lost.
const WHOLE: u32 = 1 << 16;

/// The highest loss at which packets are requested twice: 12 %, so that a loss of 10 % with twice the error of its measurement
/// is below it.
const MAX_COPIED_LOSS: u32 = WHOLE / 10 + WHOLE / 50;

/// The loss is an exponential average over about this many packets.
const LOSS_WINDOW: u32 = 512;

/// How long a packet is requested. The assembler skips the frame before a later answer could arrive.
const MAX_AGE: Duration = Duration::from_millis(600);

/// The maximum number of missing packets that are tracked. If more are missing, a key frame is cheaper.
const MAX_MISSING: usize = 256;

/// The number of packets before the first one that may be missing: half of a large key frame.
const MAX_BEFORE_FIRST: u64 = 24;

/// The largest step in sequence numbers. A larger one means that the sender started a new sequence.
const MAX_JUMP: u64 = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn a_missing_packet_is_requested_after_each_round_trip_until_it_is_too_old() {
        for retry in [12, 50] {
            let (mut tracker, start) = (NackTracker::default(), Instant::now());
            for sequence in [65_534, 65_535, 2] {
                tracker.handle_packet(sequence, start);
            }
            assert!(tracker.poll_request(start, ms(retry)).is_empty());
            assert_eq!(tracker.poll_timeout(), Some(start + REORDER_DELAY));
            let mut requests = Vec::new();
            let mut now = start;
            while let Some(timeout) = tracker.poll_timeout() {
                assert!(timeout >= now);
                now = timeout;
                let due = tracker.poll_request(now, ms(retry));
                assert!(due.is_empty() || due == [0, 1]);
                requests.extend((!due.is_empty()).then_some(now));
            }
            assert!(requests.windows(2).all(|pair| pair[1] - pair[0] == ms(retry)));
            assert!(requests.len() as u64 >= 590 / retry && now <= start + MAX_AGE + ms(retry));
        }
    }

    #[test]
    fn on_a_long_path_with_few_losses_each_packet_is_requested_twice_in_a_round_trip() {
        let requests = |losses: u16| {
            let (mut tracker, start) = (NackTracker::default(), Instant::now());
            for number in (0..2_000).filter(|number| number % 100 >= losses) {
                tracker.handle_packet(number, start);
            }
            tracker.missing.clear();
            tracker.handle_packet(2_001, start);
            let mut requests = Vec::new();
            while let Some(now) = tracker.poll_timeout() {
                requests.extend((!tracker.poll_request(now, ms(104)).is_empty()).then_some((now - start).as_millis()));
            }
            requests
        };
        assert_eq!(requests(5)[..5], [8, 33, 112, 137, 216]);
        assert_eq!(requests(30)[..3], [8, 112, 216]);
    }

    #[test]
    fn random_loss_of_10_percent_is_seldom_measured_as_much_loss() {
        let (mut tracker, now, mut state) = (NackTracker::default(), Instant::now(), 1_u32);
        let mut much = 0;
        for number in 0..40_000_u16 {
            // A linear congruential generator (Numerical Recipes).
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if state >> 16 >= u32::from(u16::MAX) / 10 {
                tracker.handle_packet(number, now);
                much += usize::from(tracker.loss > MAX_COPIED_LOSS);
            }
        }
        assert!(much < 3_000, "{much} of 36,000 packets");
    }

    #[test]
    fn the_time_since_the_first_request_is_returned() {
        let (mut tracker, start) = (NackTracker::default(), Instant::now());
        tracker.handle_packet(1, start);
        assert_eq!(tracker.handle_packet(4, start), None);
        assert_eq!(tracker.handle_packet(2, start + ms(3)), None, "it was not requested");
        assert_eq!(tracker.poll_request(start + ms(8), ms(50)), [3]);
        assert_eq!(tracker.poll_request(start + ms(58), ms(50)), [3]);
        assert_eq!(tracker.handle_packet(3, start + ms(90)), Some(ms(82)));
    }

    #[test]
    fn packets_of_frames_that_are_not_needed_are_not_requested() {
        let (mut tracker, start) = (NackTracker::default(), Instant::now());
        for sequence in [65_530, 2, 5] {
            tracker.handle_packet(sequence, start);
        }
        tracker.forget_before(2);
        assert_eq!(tracker.poll_request(start + ms(10), ms(50)), [3, 4]);
    }

    #[test]
    fn packets_before_the_first_one_are_requested_if_it_begins_no_frame() {
        let (mut tracker, start) = (NackTracker::default(), Instant::now());
        tracker.handle_missing_start(start);
        assert_eq!(tracker.poll_timeout(), None);
        tracker.handle_packet(3, start);
        tracker.handle_missing_start(start);
        let requested = tracker.poll_request(start + ms(10), ms(50));
        assert!(requested.len() == 24 && requested[23] == 2 && requested[0] == 65_515, "{requested:?}");
    }

    #[test]
    fn a_packet_that_arrives_late_is_not_requested() {
        let (mut tracker, start) = (NackTracker::default(), Instant::now());
        for sequence in [1, 4, 2] {
            tracker.handle_packet(sequence, start);
        }
        assert_eq!(tracker.poll_request(start + ms(10), ms(50)), [3]);
        tracker.handle_packet(3, start + ms(20));
        assert_eq!(tracker.poll_timeout(), None);
    }

    #[test]
    fn a_large_jump_restarts_the_stream() {
        let (mut tracker, start) = (NackTracker::default(), Instant::now());
        tracker.handle_packet(1, start);
        tracker.handle_packet(30_000, start);
        assert_eq!(tracker.poll_timeout(), None);
        tracker.handle_packet(30_002, start);
        assert_eq!(tracker.poll_request(start + ms(10), ms(50)), [30_001]);
    }

    #[test]
    fn the_number_of_missing_packets_is_bounded() {
        let (mut tracker, start) = (NackTracker::default(), Instant::now());
        for step in 0..2_000u16 {
            tracker.handle_packet(step.wrapping_mul(900), start);
        }
        assert!(tracker.missing.len() <= MAX_MISSING);
    }
}
