//! The highest value of a number in the recent past. Pure: the caller passes the time.

use std::time::{Duration, Instant};

/// The highest value in the last [`PERIOD`], and in a part of the one before it.
#[derive(Debug)]
pub struct RecentPeak {
    value: usize,
    peak: usize,
    previous: usize,
    began: Instant,
}

impl RecentPeak {
    /// Returns the peak of a number that is 0.
    pub fn new(now: Instant) -> Self {
        Self { value: 0, peak: 0, previous: 0, began: now }
    }

    /// Sets the number.
    pub fn set(&mut self, value: usize, now: Instant) {
        self.advance(now);
        self.value = value;
        self.peak = self.peak.max(value);
    }

    /// Returns the peak.
    pub fn get(&self, now: Instant) -> usize {
        let (peak, previous) = self.peaks(now).unwrap_or((self.peak, self.previous));
        peak.max(previous)
    }

    fn advance(&mut self, now: Instant) {
        if let Some((peak, previous)) = self.peaks(now) {
            (self.peak, self.previous, self.began) = (peak, previous, now);
        }
    }

    /// Returns the peaks of a period that begins now and of the one before it, if the current one is over.
    fn peaks(&self, now: Instant) -> Option<(usize, usize)> {
        let elapsed = now.saturating_duration_since(self.began);
        // In a second period the number did not change.
        let previous = if elapsed >= 2 * PERIOD { self.value } else { self.peak };
        (elapsed >= PERIOD).then_some((self.value, previous))
    }
}

/// How long a peak counts at least. A client uses a media description again within 10 s, in which its offer without the old
/// track is answered.
const PERIOD: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_falls_after_its_period() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut peak = RecentPeak::new(start);
        peak.set(100, at(1));
        peak.set(3, at(20));
        assert_eq!((peak.get(at(29)), peak.get(at(49))), (100, 100));
        assert_eq!(peak.get(at(90)), 3);
        peak.set(7, at(91));
        assert_eq!(peak.get(at(91)), 7);
        assert_eq!(peak.get(at(300)), 7);
    }
}
