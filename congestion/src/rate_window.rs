//! The rate of a stream of packets in a sliding window.

use crate::units::float;
use std::time::Duration;

/// Counts bits in slots of 10 ms, over the last half second. It measures the acknowledged bitrate (`goog_cc`:
/// `AcknowledgedBitrateEstimator`) and the rate of what is sent.
#[derive(Clone, Debug)]
pub struct RateWindow {
    slots: [f64; SLOTS],
    /// The number of the newest slot since the origin.
    newest: Option<u64>,
    /// The number of the first slot with a packet since the start.
    oldest: u64,
}

impl RateWindow {
    pub fn new() -> Self {
        Self { slots: [0.0; SLOTS], newest: None, oldest: 0 }
    }

    /// Adds `bits` at `at`. Ignores a packet that is older than the window. If the time jumps by more than two seconds in
    /// either direction, the window starts again.
    pub fn add(&mut self, at: Duration, bits: f64) {
        let slot = slot_of(at);
        let newest = match self.newest {
            Some(newest) if newest.abs_diff(slot) <= MAX_JUMP => newest,
            Some(_) | None => {
                self.slots = [0.0; SLOTS];
                self.oldest = slot;
                self.newest = Some(slot);
                slot
            }
        };
        if slot > newest {
            for skipped in newest + 1..=slot.min(newest + SLOTS as u64) {
                self.slots[index(skipped)] = 0.0;
            }
            self.newest = Some(slot);
        } else if newest - slot >= SLOTS as u64 {
            return;
        }
        self.slots[index(slot)] += bits;
    }

    /// Returns the bits per second of the last `span` before the newest packet, or `None` if less than that is known.
    pub fn rate(&self, span: Duration) -> Option<f64> {
        let newest = self.newest?;
        let slots = slot_of(span).clamp(1, SLOTS as u64);
        if newest - self.oldest.min(newest) < slots {
            return None;
        }
        Some(self.sum(newest, slots))
    }

    /// Returns the bits per second of the half second before `now`. Zero if nothing was added in that time.
    pub fn rate_until(&self, now: Duration) -> f64 {
        let (Some(newest), now) = (self.newest, slot_of(now)) else { return 0.0 };
        let known = (SLOTS as u64).saturating_sub(now.saturating_sub(newest));
        let bits: f64 = (0..known).map(|back| self.slots[index(newest.saturating_sub(back))]).sum();
        bits / (float(SLOTS) * SLOT.as_secs_f64())
    }

    /// Returns the rate of the `slots` before the newest one, which may be incomplete.
    fn sum(&self, newest: u64, slots: u64) -> f64 {
        let slots = slots.min(SLOTS as u64 - 1);
        let bits: f64 = (1..=slots).map(|back| self.slots[index(newest.saturating_sub(back))]).sum();
        bits / (SLOT.as_secs_f64() * float(index(slots)))
    }
}

fn slot_of(at: Duration) -> u64 {
    u64::try_from(at.as_millis() / SLOT.as_millis()).unwrap_or(u64::MAX)
}

fn index(slot: u64) -> usize {
    usize::try_from(slot % SLOTS as u64).unwrap_or(0)
}

/// The length of a slot.
const SLOT: Duration = Duration::from_millis(10);

/// The number of slots: half a second.
const SLOTS: usize = 50;

/// Slots: two seconds. A longer jump is another stream or a wrong clock.
const MAX_JUMP: u64 = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_follows_a_change_within_its_span() {
        let mut window = RateWindow::new();
        for millis in 0..1_000 {
            window.add(Duration::from_millis(millis), 1_000.0);
        }
        assert!((window.rate(Duration::from_millis(400)).unwrap() - 1e6).abs() < 1e4);
        for millis in 1_000..1_210 {
            window.add(Duration::from_millis(millis), 100.0);
        }
        assert!((window.rate(Duration::from_millis(200)).unwrap() - 1e5).abs() < 2e4);
        assert!(window.rate_until(Duration::from_secs(3)).abs() < 1.0);
    }

    #[test]
    fn jumps_of_the_clock_start_the_window_again() {
        let mut window = RateWindow::new();
        for at in [0, u64::MAX / 2, 5, u64::MAX, 7, 8] {
            window.add(Duration::from_millis(at), 1e9);
            assert!(window.rate(Duration::from_millis(100)).is_none());
        }
    }
}
