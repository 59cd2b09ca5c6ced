//! Computes how long the sound of a remote waits for its pictures. Pure.
//!
//! Pictures wait for their sound where they are shown. Sound waits for pictures if they are late all the time, because their
//! packets are many: on a narrow link, or if retransmissions take long.

use crate::playout_time::{MAX_SMOOTHED_US, SMOOTHING, smooth};
use media::Timestamp;
use std::time::Duration;

/// The time from capture to playing, without the jitter buffer. The jitter buffer can change the rest.
#[derive(Debug, Default)]
pub struct Synchronizer {
    /// Microseconds from the capture of sound, by the sender's clock, until it is heard, by ours, minus the delay of the jitter buffer.
    path: Option<i64>,
}

impl Synchronizer {
    /// Records that sound captured at `captured` is heard at `heard`, after it has waited for `delay` in the jitter buffer.
    pub fn update(&mut self, captured: Timestamp, heard: Timestamp, delay: Duration) {
        let delay = u64::try_from(delay.as_micros()).unwrap_or(0);
        let newest = heard.as_micros().wrapping_sub(captured.as_micros()).wrapping_sub(delay).cast_signed();
        self.path = Some(smooth(self.path, newest, SMOOTHING, MAX_SMOOTHED_US));
    }

    /// Returns the delay of the jitter buffer with which sound is heard when its pictures can be shown. `pictures` is the number of
    /// microseconds from their capture until then, or `None` without pictures.
    pub fn delay(&self, pictures: Option<i64>) -> Duration {
        let wanted = self.path.zip(pictures).map_or(0, |(path, pictures)| pictures.wrapping_sub(path));
        Duration::from_micros(u64::try_from(wanted.saturating_sub(TOLERATED_US)).unwrap_or(0))
    }
}

/// Microseconds by which pictures may be due after their sound. Viewers notice 45 ms (ITU-R BT.1359), and decoding takes a part of
/// it.
const TOLERATED_US: i64 = 15_000;

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(count: u64) -> Timestamp {
        Timestamp::from_micros(1_000 * count)
    }

    #[test]
    fn sound_waits_for_pictures_that_are_later_than_it_whatever_the_clocks_say() {
        for shift in [0, 1_000, u64::MAX / 1_000 - 9_000] {
            let mut synchronizer = Synchronizer::default();
            assert_eq!(synchronizer.delay(Some(900_000)), Duration::ZERO, "no sound yet");
            let captured = Timestamp::from_micros(ms(1_000).as_micros().wrapping_add(shift * 1_000));
            // 30 ms on the way, 20 ms in the jitter buffer.
            synchronizer.update(captured, ms(7_050), Duration::from_millis(20));
            let offset =
                |count: u64| Some(ms(7_000 + count).as_micros().wrapping_sub(captured.as_micros()).cast_signed());
            assert_eq!(synchronizer.delay(offset(130)), Duration::from_millis(85));
            assert_eq!(synchronizer.delay(offset(10)), Duration::ZERO, "pictures are earlier, and wait themselves");
            assert_eq!(synchronizer.delay(None), Duration::ZERO);
            for absurd in [i64::MIN, i64::MAX] {
                synchronizer.delay(Some(absurd));
            }
        }
    }

    #[test]
    fn what_the_jitter_buffer_adds_does_not_count_as_the_path() {
        let mut synchronizer = Synchronizer::default();
        for (number, delay) in [(0, 20), (1, 60), (2, 120), (3, 40)] {
            synchronizer.update(ms(number * 10), ms(number * 10 + 30 + delay), Duration::from_millis(delay));
            assert_eq!(synchronizer.delay(Some(145_000)), Duration::from_millis(100));
        }
    }
}
