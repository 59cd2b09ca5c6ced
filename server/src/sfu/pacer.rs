//! Spaces a viewer's packets so that they leave at a given rate. Pure: the caller passes the time.

use std::time::{Duration, Instant};

/// A leaky bucket of the bytes that were sent.
#[derive(Debug)]
pub struct Pacer {
    /// Bytes that were sent earlier than the rate allows.
    debt: u64,
    /// When the debt was last computed.
    at: Instant,
    /// True if the last packet had to wait.
    waiting: bool,
}

impl Pacer {
    /// Returns a pacer of which nothing was sent yet.
    pub fn new(now: Instant) -> Self {
        Self { debt: 0, at: now, waiting: false }
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
        let due = self.debt <= self.max_debt(rate);
        self.waiting = !due;
        due
    }

    /// Returns when a packet may be sent, at `rate` bits per second.
    pub fn next_at(&self, rate: u64) -> Instant {
        let waiting = self.debt.saturating_sub(self.max_debt(rate));
        // Rounded up: at that time the packet is due.
        self.at + Duration::from_micros(waiting.saturating_mul(8_000_000) / rate.max(1) + 1)
    }

    /// Returns the debt with which a packet may be sent. Packets that wait are sent together later, because each time costs
    /// as much as several packets. At low rates no two packets fit into a burst, so waiting would save nothing.
    fn max_debt(&self, rate: u64) -> u64 {
        if self.waiting && rate >= MIN_JOINT_RATE { 0 } else { bytes_in(rate, BURST) }
    }
}

fn bytes_in(rate: u64, time: Duration) -> u64 {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    rate.saturating_mul(micros) / 8_000_000
}

/// How much may be sent at once: as much as in this time. Timers are not exact.
const BURST: Duration = Duration::from_millis(5);

/// From this many bits per second on, packets that wait are sent together.
const MIN_JOINT_RATE: u64 = 2_000_000;

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
    fn on_a_wide_link_packets_that_wait_leave_together_and_the_rate_is_the_same() {
        for (rate, times) in [(8_000_000, 160..=175), (1_000_000, 120..=130)] {
            let start = Instant::now();
            let mut pacer = Pacer::new(start);
            let (mut now, mut wakes, mut sent, mut largest) = (start, 0, 0_u64, 0);
            while now < start + Duration::from_secs(1) {
                let before = sent;
                while pacer.is_due(rate, now) {
                    pacer.add(1_000);
                    sent += 1_000;
                }
                largest = largest.max(sent - before);
                wakes += 1;
                now = pacer.next_at(rate);
            }
            assert!(sent.abs_diff(rate / 8) <= 2 * bytes_in(rate, BURST) + 1_000, "{sent} bytes at {rate} bit/s");
            assert!(largest <= bytes_in(rate, BURST) + 1_000, "{largest} bytes at once");
            let expected: std::ops::RangeInclusive<i32> = times;
            assert!(expected.contains(&wakes), "{wakes} times for {} packets", sent / 1_000);
        }
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
