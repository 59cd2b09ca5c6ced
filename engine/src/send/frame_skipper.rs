//! Selects the pictures to encode for a layer whose frame rate is lower than that of its source. It uses no clock and
//! no thread.

use media::{FrameRate, Timestamp};

/// Skips pictures so that a layer has its target frame rate.
pub struct FrameSkipper {
    source: FrameRate,
    /// When the next picture is due.
    due: Option<Timestamp>,
}

impl FrameSkipper {
    /// Returns a skipper for a source of `source` pictures per second.
    pub fn new(source: FrameRate) -> Self {
        Self { source, due: None }
    }

    /// Returns true if the picture captured at `captured` must be encoded for a rate of `rate` pictures per second.
    pub fn accept(&mut self, captured: Timestamp, rate: FrameRate) -> bool {
        let (interval, source) = (rate.due(1), self.source.due(1));
        if interval <= source {
            self.due = None;
            return true;
        }
        // Capture times vary, so a picture may be up to half a source interval early.
        let Some(due) = self.due.filter(|due| captured + source / 2 < *due) else {
            let late = self.due.is_none_or(|due| captured.since(due) > interval);
            self.due = if late { Some(captured + interval) } else { self.due.map(|due| due + interval) };
            return true;
        };
        // A source that was started again may count its time from another origin.
        let restarted = due.since(captured) > 2 * interval;
        if restarted {
            self.due = Some(captured + interval);
        }
        restarted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(numerator: u32, denominator: u32) -> FrameRate {
        FrameRate::new(numerator, denominator).unwrap()
    }

    /// Returns the numbers of the accepted pictures among those captured at `times` (in microseconds).
    fn accepted(times: impl IntoIterator<Item = u64>, wanted: FrameRate) -> Vec<usize> {
        let mut skipper = FrameSkipper::new(FrameRate::THIRTY);
        let times = times.into_iter().enumerate();
        times.filter(|(_, micros)| skipper.accept(Timestamp::from_micros(*micros), wanted)).map(|(n, _)| n).collect()
    }

    #[test]
    fn every_second_or_fourth_picture_is_encoded() {
        let times = || (0..12).map(|n| n * 33_333);
        assert_eq!(accepted(times(), FrameRate::THIRTY).len(), 12);
        assert_eq!(accepted(times(), rate(15, 1)), [0, 2, 4, 6, 8, 10]);
        assert_eq!(accepted(times(), rate(30, 4)), [0, 4, 8]);
    }

    #[test]
    fn jitter_does_not_change_the_rate() {
        let times = (0..300).map(|n| n * 33_333 + n * 7_919 % 12_000);
        assert_eq!(accepted(times, rate(15, 1)).len(), 150);
    }

    #[test]
    fn a_rate_that_does_not_divide_the_source_is_kept_on_average() {
        assert_eq!(accepted((0..300).map(|n| n * 33_333), rate(20, 1)).len(), 200);
    }

    #[test]
    fn after_a_pause_or_a_restart_the_next_picture_is_encoded() {
        let times = [0, 33_333, 5_000_000, 5_033_333, 5_066_666];
        assert_eq!(accepted(times, rate(15, 1)), [0, 2, 4]);
        let times = [9_000_000, 9_033_333, 0, 33_333, 66_666];
        assert_eq!(accepted(times, rate(15, 1)), [0, 2, 4]);
    }
}
