//! Tracks which packets of a stream are missing, and when to request them by NACK (RFC 4585, section 6.2.1).
//!
//! Pure: the caller passes the time, and reports a retransmitted packet with its original number.

use super::unwrap::{Unwrapper, low16};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The missing packets of one stream.
#[derive(Debug, Default)]
pub struct NackTracker {
    counter: Unwrapper,
    missing: BTreeMap<u64, Missing>,
}

#[derive(Clone, Copy, Debug)]
struct Missing {
    next_request: Instant,
    requests: u32,
}

impl NackTracker {
    /// Handles the sequence number of a packet that arrived, by transmission or retransmission.
    pub fn handle_packet(&mut self, sequence: u16, now: Instant) {
        let before = self.counter.newest();
        let number = self.counter.peek(sequence);
        if let Some(newest) = before
            && number.abs_diff(newest) > MAX_JUMP
        {
            // The sender started a new sequence, so nothing is missing.
            self.missing.clear();
            self.counter = Unwrapper::default();
            self.counter.unwrap(sequence);
            return;
        }
        self.counter.unwrap(sequence);
        self.missing.remove(&number);
        for skipped in before.map_or(number, |newest| newest + 1)..number {
            self.missing.insert(skipped, Missing { next_request: now + REORDER_DELAY, requests: 0 });
        }
        while self.missing.len() > MAX_MISSING {
            self.missing.pop_first();
        }
    }

    /// Returns the packets to request now, oldest first.
    pub fn poll_request(&mut self, now: Instant) -> Vec<u16> {
        self.missing.retain(|_, missing| missing.requests < MAX_REQUESTS || missing.next_request > now);
        let mut due = Vec::new();
        for (number, missing) in &mut self.missing {
            if missing.next_request <= now {
                missing.next_request = now + FIRST_RETRY * (1 << missing.requests.min(3));
                missing.requests += 1;
                due.push(low16(*number));
            }
        }
        due
    }

    /// Returns when the next request is due, or `None` if nothing is missing.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.missing.values().map(|missing| missing.next_request).min()
    }
}

/// How long a packet may be late before it is requested. Networks reorder packets slightly.
const REORDER_DELAY: Duration = Duration::from_millis(8);

/// How long to wait before the second request. The wait doubles with each further one, up to eight times this value.
const FIRST_RETRY: Duration = Duration::from_millis(50);

/// The maximum number of requests for one packet. The assembler skips the frame before the answer to a later request
/// could arrive.
const MAX_REQUESTS: u32 = 5;

/// The maximum number of missing packets that are tracked. If more are missing, a key frame is cheaper.
const MAX_MISSING: usize = 256;

/// The largest step in sequence numbers. A larger one means that the sender started a new sequence.
const MAX_JUMP: u64 = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn a_missing_packet_is_requested_five_times_at_growing_intervals() {
        let (mut tracker, start) = (NackTracker::default(), Instant::now());
        for sequence in [65_534, 65_535, 2] {
            tracker.handle_packet(sequence, start);
        }
        assert!(tracker.poll_request(start).is_empty());
        assert_eq!(tracker.poll_timeout(), Some(start + REORDER_DELAY));
        let mut requests = 0;
        let mut now = start;
        while let Some(timeout) = tracker.poll_timeout() {
            assert!(timeout >= now);
            now = timeout;
            let due = tracker.poll_request(now);
            assert!(due.is_empty() || due == [0, 1]);
            requests += usize::from(!due.is_empty());
        }
        assert_eq!(requests, 5);
        assert!(now < start + ms(2_000));
    }

    #[test]
    fn a_packet_that_arrives_late_is_not_requested() {
        let (mut tracker, start) = (NackTracker::default(), Instant::now());
        for sequence in [1, 4, 2] {
            tracker.handle_packet(sequence, start);
        }
        assert_eq!(tracker.poll_request(start + ms(10)), [3]);
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
        assert_eq!(tracker.poll_request(start + ms(10)), [30_001]);
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
