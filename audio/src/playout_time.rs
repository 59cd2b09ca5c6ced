//! Shares the times at which sound and pictures of a remote are due, so that those of the same moment are shown and heard together.

use media::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// The times at which the sound of a remote is heard, and at which its pictures could be shown. Clones share them. Only the audio
/// thread updates the sound, and only one thread the pictures, both without a lock. Any thread may read.
#[derive(Clone, Debug, Default)]
pub struct PlayoutTime(Arc<Offsets>);

#[derive(Debug, Default)]
struct Offsets {
    sound: Offset,
    pictures: Offset,
}

/// A reader may see the offset of one update with the time of the next one. That does no harm, because the time only tells how old the
/// measurement is.
#[derive(Debug, Default)]
struct Offset {
    /// True after the first update.
    is_known: AtomicBool,
    /// Microseconds from the capture, by the sender's clock, until sound is heard or a picture can be shown, by ours. The clocks may
    /// differ by any amount.
    micros: AtomicI64,
    /// The time of the newest update, in microseconds of our clock.
    newest: AtomicU64,
}

impl PlayoutTime {
    /// Records that sound captured at `captured` is heard at `heard`. Smooths the offset, because capture times vary by the length of
    /// the sender's blocks.
    pub fn update(&self, captured: Timestamp, heard: Timestamp) {
        self.0.sound.update(captured, heard, SMOOTHING, MAX_SMOOTHED_US);
    }

    /// Records that a picture captured at `captured` can be shown at `due` if it does not wait for its sound.
    pub fn update_pictures(&self, captured: Timestamp, due: Timestamp) {
        self.0.pictures.update(captured, due, PICTURE_SMOOTHING, MAX_LATE_US);
    }

    /// Returns how many microseconds after `now` the sound that was captured at `captured` is heard; negative if it was heard
    /// before. Returns `None` if nothing was heard in the last ten seconds.
    #[must_use]
    pub fn heard_after(&self, captured: Timestamp, now: Timestamp) -> Option<i64> {
        let heard = captured.as_micros().wrapping_add_signed(self.0.sound.get(now, MAX_AGE)?);
        Some(heard.wrapping_sub(now.as_micros()).cast_signed())
    }

    /// Returns the microseconds from the capture of a picture, by the sender's clock, until it can be shown, by ours. Returns `None` if
    /// there were no pictures in the last second.
    pub(crate) fn picture_offset(&self, now: Timestamp) -> Option<i64> {
        self.0.pictures.get(now, MAX_PICTURE_AGE)
    }
}

impl Offset {
    fn update(&self, captured: Timestamp, at: Timestamp, smoothing: i64, max_smoothed: u64) {
        let newest = at.as_micros().wrapping_sub(captured.as_micros()).cast_signed();
        let last = self.is_known.load(Ordering::Relaxed).then(|| self.micros.load(Ordering::Relaxed));
        let offset = smooth(last, newest, smoothing, max_smoothed);
        self.micros.store(offset, Ordering::Relaxed);
        self.newest.store(at.as_micros(), Ordering::Relaxed);
        // Publishes the first offset and time.
        self.is_known.store(true, Ordering::Release);
    }

    fn get(&self, now: Timestamp, max_age: Duration) -> Option<i64> {
        if !self.is_known.load(Ordering::Acquire) {
            return None;
        }
        let newest = Timestamp::from_micros(self.newest.load(Ordering::Relaxed));
        (now.since(newest) < max_age).then(|| self.micros.load(Ordering::Relaxed))
    }
}

/// Returns the offset in microseconds after a measurement. The weight of a measurement is one in `smoothing`. A difference of at least
/// `max_smoothed` microseconds is a new offset.
pub(crate) fn smooth(last: Option<i64>, newest: i64, smoothing: i64, max_smoothed: u64) -> i64 {
    let near = last.filter(|last| last.abs_diff(newest) < max_smoothed);
    near.map_or(newest, |last| last + (newest - last) / smoothing)
}

/// The weight of a new measurement of sound is one in this many: it is made every 10 ms.
pub(crate) const SMOOTHING: i64 = 16;

/// The same for pictures, of which there are about 30 a second: sound waits only if they are late for a second.
const PICTURE_SMOOTHING: i64 = 32;

/// A larger difference in microseconds means that the sender has restarted, or that the jitter buffer has jumped.
pub(crate) const MAX_SMOOTHED_US: u64 = 200_000;

/// The same for pictures: a single one may be late by a second.
const MAX_LATE_US: u64 = 2_000_000;

/// How long a measurement of sound is valid. After a longer silence, pictures do not wait for sound.
const MAX_AGE: Duration = Duration::from_secs(10);

/// How long a measurement of pictures is valid.
const MAX_PICTURE_AGE: Duration = Duration::from_secs(1);

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
