//! Tells when the sound of a remote is heard, so that its pictures can be shown at the same time.

use crate::engine::lock;
use media::Timestamp;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// When the sound of a remote is heard. The thread that plays updates it. Clones share the value.
#[derive(Clone, Debug, Default)]
pub struct PlayoutTime(Arc<Mutex<Option<Measured>>>);

#[derive(Clone, Copy, Debug)]
struct Measured {
    /// The time in microseconds from capture, by the sender's clock, to being heard, by ours. The clocks may differ by any amount.
    offset: i64,
    /// When the newest sound was heard.
    heard: Timestamp,
}

impl PlayoutTime {
    /// Records that sound captured at `captured` is heard at `heard`. Times of capture vary by the sender's blocks, so the offset is
    /// smoothed.
    pub fn update(&self, captured: Timestamp, heard: Timestamp) {
        let newest = heard.as_micros().wrapping_sub(captured.as_micros()).cast_signed();
        let mut measured = lock(&self.0);
        let offset = match *measured {
            Some(Measured { offset, .. }) if newest.abs_diff(offset) < MAX_SMOOTHED_US => {
                offset + (newest - offset) / SMOOTHING
            }
            Some(_) | None => newest,
        };
        *measured = Some(Measured { offset, heard });
    }

    /// Returns how many microseconds after `now` the sound that was captured at `captured` is heard; negative if it was heard
    /// before. Returns `None` if nothing was heard in the last ten seconds.
    #[must_use]
    pub fn heard_after(&self, captured: Timestamp, now: Timestamp) -> Option<i64> {
        let measured = (*lock(&self.0)).filter(|measured| now.since(measured.heard) < MAX_AGE)?;
        let heard = captured.as_micros().wrapping_add_signed(measured.offset);
        Some(heard.wrapping_sub(now.as_micros()).cast_signed())
    }
}

/// The weight of a new measurement is one in this many: it is made every 10 ms.
const SMOOTHING: i64 = 16;

/// A larger difference in microseconds is a sender that has restarted, or a jump of the jitter buffer.
const MAX_SMOOTHED_US: u64 = 200_000;

/// How long a measurement counts. After a longer silence nobody compares lips with sound.
const MAX_AGE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(count: u64) -> Timestamp {
        Timestamp::from_micros(1_000 * count)
    }

    #[test]
    fn the_time_of_the_next_sound_follows_the_last_one_whatever_the_clocks_say() {
        for shift in [0, 1_000_000, u64::MAX / 1_000 - 5_000] {
            let playout = PlayoutTime::default();
            assert_eq!(playout.heard_after(ms(0), ms(0)), None);
            let captured = |count: u64| Timestamp::from_micros(ms(count).as_micros().wrapping_add(shift * 1_000));
            playout.update(captured(1_000), ms(7_080));
            assert_eq!(playout.heard_after(captured(1_000), ms(7_000)), Some(80_000));
            assert_eq!(playout.heard_after(captured(1_040), ms(7_150)), Some(-30_000));
            assert_eq!(playout.heard_after(captured(1_040), ms(18_000)), None, "an old measurement");
        }
    }

    #[test]
    fn single_times_of_capture_count_little_and_a_jump_counts_at_once() {
        let playout = PlayoutTime::default();
        playout.update(ms(1_000), ms(1_080));
        playout.update(ms(1_026), ms(1_090));
        assert_eq!(playout.heard_after(ms(1_100), ms(1_100)), Some(79_000));
        playout.update(ms(9_000), ms(1_100));
        assert_eq!(playout.heard_after(ms(9_000), ms(1_100)), Some(0));
    }
}
