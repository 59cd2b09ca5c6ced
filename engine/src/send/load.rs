//! Measures whether this machine encodes fast enough. It uses no clock and no thread.

use std::time::{Duration, Instant};

/// Measures the fraction of time in which an encode thread works.
#[derive(Default)]
pub struct LoadMeter {
    window: Option<Instant>,
    busy: Duration,
    /// Consecutive windows in which the thread worked too long.
    high: u8,
    /// Consecutive windows in which the thread was idle for long enough.
    low: u8,
}

/// A change of the load that has lasted long enough for a reaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadChange {
    /// Encoding took more than 85 % of the time for three seconds.
    Overloaded,
    /// Encoding took less than 42 % of the time for ten seconds.
    Relaxed,
}

impl LoadMeter {
    /// Adds a picture that took `busy` to encode and was done at `now`.
    pub fn record(&mut self, busy: Duration, now: Instant) -> Option<LoadChange> {
        let begin = *self.window.get_or_insert(now);
        let elapsed = now.saturating_duration_since(begin);
        if elapsed < WINDOW {
            self.busy += busy;
            return None;
        }
        let busy = std::mem::replace(&mut self.busy, busy);
        self.window = Some(now);
        // A pause without pictures does not show the load.
        if elapsed > 2 * WINDOW {
            (self.high, self.low) = (0, 0);
            return None;
        }
        self.judge(busy.as_secs_f64() / elapsed.as_secs_f64())
    }

    fn judge(&mut self, load: f64) -> Option<LoadChange> {
        self.high = if load > HIGH { self.high + 1 } else { 0 };
        self.low = if load < LOW { self.low + 1 } else { 0 };
        if self.high == HIGH_WINDOWS {
            self.high = 0;
            return Some(LoadChange::Overloaded);
        }
        if self.low == LOW_WINDOWS {
            self.low = 0;
            return Some(LoadChange::Relaxed);
        }
        None
    }
}

/// The period over which the load is computed.
const WINDOW: Duration = Duration::from_secs(1);

/// The fraction of time above which pictures will soon be skipped.
const HIGH: f64 = 0.85;
const HIGH_WINDOWS: u8 = 3;

/// The fraction of time below which twice as many pictures can be encoded.
const LOW: f64 = 0.42;
const LOW_WINDOWS: u8 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    /// Encodes 30 pictures per second for `seconds`, each for `busy`. Returns the changes with their seconds.
    fn run(meter: &mut LoadMeter, start: Instant, seconds: u32, busy: Duration) -> Vec<(u32, LoadChange)> {
        let picture = Duration::from_secs(1) / 30;
        let pictures = (1..=seconds * 30).map(|number| (number, start + picture * number));
        pictures.filter_map(|(number, now)| Some((number.div_ceil(30), meter.record(busy, now)?))).collect()
    }

    #[test]
    fn three_busy_seconds_are_an_overload() {
        let (mut meter, start) = (LoadMeter::default(), Instant::now());
        assert_eq!(run(&mut meter, start, 3, Duration::from_millis(30)), []);
        let later = run(&mut meter, start + Duration::from_secs(3), 1, Duration::from_millis(30));
        assert_eq!(later, [(1, LoadChange::Overloaded)]);
    }

    #[test]
    fn a_short_load_is_ignored() {
        let (mut meter, mut now) = (LoadMeter::default(), Instant::now());
        for _ in 0..5 {
            assert_eq!(run(&mut meter, now, 2, Duration::from_millis(33)), []);
            assert_eq!(run(&mut meter, now + Duration::from_secs(2), 2, Duration::from_millis(20)), []);
            now += Duration::from_secs(4);
        }
    }

    #[test]
    fn ten_seconds_of_low_load_end_the_overload() {
        let (mut meter, start) = (LoadMeter::default(), Instant::now());
        let changes = run(&mut meter, start, 12, Duration::from_millis(10));
        assert_eq!(changes, [(11, LoadChange::Relaxed)]);
        assert_eq!(run(&mut LoadMeter::default(), start, 12, Duration::from_millis(15)), [], "45 %: neither");
    }

    #[test]
    fn a_pause_does_not_count_as_low_load() {
        let (mut meter, start) = (LoadMeter::default(), Instant::now());
        assert_eq!(run(&mut meter, start, 9, Duration::from_millis(10)), []);
        assert_eq!(run(&mut meter, start + Duration::from_mins(1), 9, Duration::from_millis(10)), []);
    }
}
