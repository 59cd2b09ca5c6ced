//! Measures what a transport sends between two reports of its estimate. Pure: the caller passes the time.

use super::layer_meter::HEADER_BYTES;
use std::time::{Duration, Instant};

/// The RTP packets that were sent since the last report.
#[derive(Debug)]
pub struct SentMeter {
    /// Bytes with all headers.
    total: u64,
    /// Bytes of RTP payload, and with all headers. Both are halved at each report, so they are those of the last reports.
    recent: (u64, u64),
    since: Instant,
    /// When the last packet was sent. The time before the first one does not count as a pause.
    last: Option<Instant>,
    /// The longest time between two packets, and that of the report before. Feedback is about both.
    pauses: [Duration; 2],
}

/// What was sent between two reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentStats {
    /// Bits per second with all headers.
    pub rate: u64,
    /// The longest time between two packets in the last two intervals.
    pub pause: Duration,
    /// The estimate with headers. The estimate of the stack does not include them.
    pub estimate: u64,
}

impl SentMeter {
    /// Returns a meter that has counted nothing.
    pub fn new(now: Instant) -> Self {
        Self { total: 0, recent: (0, 0), since: now, last: None, pauses: [Duration::ZERO; 2] }
    }

    /// Adds a packet of `total` bytes with all headers.
    pub fn add(&mut self, total: usize, now: Instant) {
        self.total += total as u64;
        self.recent.0 += total.saturating_sub(HEADER_BYTES) as u64;
        self.recent.1 += total as u64;
        self.pauses[0] = self.pauses[0].max(self.since_last(now));
        self.last = Some(now);
    }

    /// Returns what was sent since the last call. `estimate` is that of the stack, in bits per second of payload.
    pub fn take(&mut self, estimate: u64, now: Instant) -> SentStats {
        let elapsed = u64::try_from(now.saturating_duration_since(self.since).as_millis()).unwrap_or(u64::MAX);
        let pause = self.pauses[0].max(self.pauses[1]).max(self.since_last(now));
        let most = estimate.saturating_mul(2);
        let (payload, all) = self.recent;
        let with_headers = estimate.saturating_mul(all).checked_div(payload);
        let sent = SentStats {
            rate: self.total * 8_000 / elapsed.max(1),
            pause,
            estimate: with_headers.map_or(estimate, |total| total.min(most)),
        };
        let recent = (payload / 2, all / 2);
        *self = Self { total: 0, recent, since: now, last: self.last, pauses: [Duration::ZERO, self.pauses[0]] };
        sent
    }

    fn since_last(&self, now: Instant) -> Duration {
        self.last.map_or(Duration::ZERO, |last| now.saturating_duration_since(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_the_rate_the_longest_pause_and_the_estimate_with_headers() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut meter = SentMeter::new(start);
        meter.add(2 * HEADER_BYTES, at(30));
        meter.add(2 * HEADER_BYTES, at(40));
        let sent = meter.take(100_000, at(100));
        let rate = 4 * HEADER_BYTES as u64 * 80;
        assert_eq!(
            sent,
            SentStats { rate, pause: Duration::from_millis(60), estimate: 200_000 },
            "since the last packet"
        );
        meter.add(1_000 + HEADER_BYTES, at(110));
        let sent = meter.take(100_000, at(120));
        assert_eq!((sent.pause, sent.estimate), (Duration::from_millis(70), 114_126));
        let silent = meter.take(100_000, at(400));
        assert_eq!(silent, SentStats { rate: 0, pause: Duration::from_millis(290), estimate: 114_126 });
    }
}
