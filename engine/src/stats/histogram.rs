//! A histogram of durations in milliseconds.

use std::time::Duration;

/// Counts durations by milliseconds from 0 to 4095. Longer ones count as 4095. Recording never allocates.
#[derive(Clone)]
pub struct Histogram {
    buckets: Box<[u32]>,
    count: u64,
}

impl Histogram {
    /// Counts `time`.
    pub fn record(&mut self, time: Duration) {
        let last = self.buckets.len() - 1;
        let bucket = usize::try_from(time.as_millis()).unwrap_or(last).min(last);
        self.buckets[bucket] = self.buckets[bucket].saturating_add(1);
        self.count += 1;
    }

    /// Returns the time in milliseconds that `percent` of all recorded times do not exceed, or `None` if nothing was
    /// recorded.
    #[must_use]
    pub fn percentile(&self, percent: u64) -> Option<u32> {
        let rank = (self.count * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let bucket = self.buckets.iter().position(|&count| {
            seen += u64::from(count);
            seen >= rank
        })?;
        u32::try_from(bucket).ok()
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: vec![0; 4_096].into(), count: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_recorded_times() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.percentile(50), None);
        (1..=100).for_each(|ms| histogram.record(Duration::from_millis(ms)));
        histogram.record(Duration::from_secs(99));
        assert_eq!(histogram.percentile(50), Some(51));
        assert_eq!(histogram.percentile(95), Some(96));
        assert_eq!(histogram.percentile(100), Some(4_095));
    }
}
