//! Shares the time at which the sound of a remote is heard, so that its pictures are shown at the same time.

use media::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// The time at which the sound of a remote is heard. Clones share it. Only the audio thread updates it, without a lock, and any thread
/// may read it.
#[derive(Clone, Debug, Default)]
pub struct PlayoutTime(Arc<Measurement>);

/// A reader may see the offset of one update with the time of the next one. That does no harm, because the time only tells how old the
/// measurement is.
#[derive(Debug, Default)]
struct Measurement {
    /// True after the first update.
    is_known: AtomicBool,
    /// Microseconds from the capture of sound, by the sender's clock, until it is heard, by ours. The clocks may differ by any amount.
    offset: AtomicI64,
    /// When the newest sound was heard, in microseconds of our clock.
    heard: AtomicU64,
}

impl PlayoutTime {
    /// Records that sound captured at `captured` is heard at `heard`. Smooths the offset, because capture times vary by the length of
    /// the sender's blocks.
    pub fn update(&self, captured: Timestamp, heard: Timestamp) {
        let newest = heard.as_micros().wrapping_sub(captured.as_micros()).cast_signed();
        let last = self.0.offset.load(Ordering::Relaxed);
        let is_near = self.0.is_known.load(Ordering::Relaxed) && newest.abs_diff(last) < MAX_SMOOTHED_US;
        let offset = if is_near { last + (newest - last) / SMOOTHING } else { newest };
        self.0.offset.store(offset, Ordering::Relaxed);
        self.0.heard.store(heard.as_micros(), Ordering::Relaxed);
        // Publishes the first offset and time.
        self.0.is_known.store(true, Ordering::Release);
    }

    /// Returns how many microseconds after `now` the sound that was captured at `captured` is heard; negative if it was heard
    /// before. Returns `None` if nothing was heard in the last ten seconds.
    #[must_use]
    pub fn heard_after(&self, captured: Timestamp, now: Timestamp) -> Option<i64> {
        if !self.0.is_known.load(Ordering::Acquire) {
            return None;
        }
        let newest = Timestamp::from_micros(self.0.heard.load(Ordering::Relaxed));
        let heard = captured.as_micros().wrapping_add_signed(self.0.offset.load(Ordering::Relaxed));
        (now.since(newest) < MAX_AGE).then(|| heard.wrapping_sub(now.as_micros()).cast_signed())
    }
}

/// The weight of a new measurement is one in this many: it is made every 10 ms.
const SMOOTHING: i64 = 16;

/// A larger difference in microseconds means that the sender has restarted, or that the jitter buffer has jumped.
const MAX_SMOOTHED_US: u64 = 200_000;

/// How long a measurement is valid. After a longer silence, pictures do not wait for sound.
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
