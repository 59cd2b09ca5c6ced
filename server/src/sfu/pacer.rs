//! Spaces a viewer's packets so that they leave at a given rate. Pure: the caller passes the time.

use std::time::{Duration, Instant};

/// A leaky bucket of the bytes that were sent.
#[derive(Debug)]
pub struct Pacer {
    /// Bytes that were sent earlier than the rate allows.
    debt: u64,
    /// When the debt was last computed.
    at: Instant,
}

impl Pacer {
    /// Returns a pacer of which nothing was sent yet.
    pub fn new(now: Instant) -> Self {
        Self { debt: 0, at: now }
    }

    /// Adds bytes that were sent.
    pub fn add(&mut self, bytes: usize) {
        self.debt = (self.debt + bytes as u64).min(MAX_DEBT);
    }

    /// Returns whether a packet may be sent now, at `rate` bits per second.
    pub fn is_due(&mut self, rate: u64, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.at);
        let paid = bytes_in(rate, elapsed);
        // Less than a byte is kept for the next call.
        if paid > 0 {
            self.debt = self.debt.saturating_sub(paid);
            self.at = now;
        }
        self.debt <= bytes_in(rate, BURST)
    }

    /// Returns when a packet may be sent, at `rate` bits per second.
    pub fn next_at(&self, rate: u64) -> Instant {
        let waiting = self.debt.saturating_sub(bytes_in(rate, BURST));
        // Rounded up: at that time the packet is due.
        self.at + Duration::from_micros(waiting.saturating_mul(8_000_000) / rate.max(1) + 1)
    }
}

fn bytes_in(rate: u64, time: Duration) -> u64 {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    rate.saturating_mul(micros) / 8_000_000
}

/// How much may be sent at once: as much as in this time. Timers are not exact.
const BURST: Duration = Duration::from_millis(5);

/// The maximum debt in bytes. Sound adds to it without waiting.
const MAX_DEBT: u64 = 50_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_leave_at_the_rate_and_others_count() {
        let start = Instant::now();
        let mut pacer = Pacer::new(start);
        let mut sent = 0;
        for millisecond in 0..1_000 {
            let now = start + Duration::from_millis(millisecond);
            if millisecond % 20 == 0 {
                pacer.add(100);
            }
            while pacer.is_due(800_000, now) {
                pacer.add(1_000);
                sent += 1;
            }
        }
        assert!((95..=97).contains(&sent), "{sent} of 100 kilobytes a second, 5 of which are others");
    }

    #[test]
    fn the_next_time_is_when_a_packet_is_due() {
        let start = Instant::now();
        let mut pacer = Pacer::new(start);
        pacer.add(2_500);
        let next = pacer.next_at(800_000);
        assert_eq!(next, start + Duration::from_micros(20_001));
        assert!(!pacer.is_due(800_000, start + Duration::from_millis(19)));
        assert!(pacer.is_due(800_000, next));
        pacer.add(10_000_000);
        assert_eq!(pacer.next_at(800_000), next + Duration::from_micros(495_001), "the debt is bounded");
    }
}
