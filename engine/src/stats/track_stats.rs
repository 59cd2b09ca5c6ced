//! The counters of each track, received or sent.

use super::histogram::Histogram;
use super::open_failures::OpenFailures;
use crypto::{Authorship, open};
use media::{Layer, Size, Timestamp};
use proto::{Slot, TrackId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The counters of all tracks of a meeting. Clones share them. Each lock is held only for a few additions.
#[derive(Clone, Default)]
pub struct TrackStats {
    received: Arc<Mutex<BTreeMap<TrackId, Arc<Mutex<ReceiveStats>>>>>,
    sent: Arc<Mutex<BTreeMap<(Slot, u8), SendStats>>>,
}

/// The counters of one received track.
#[derive(Clone, Default)]
pub struct ReceiveStats {
    /// Complete frames that the network delivered and that were sealed for us.
    pub received: u64,
    /// Frames that were opened.
    pub opened: u64,
    /// Frames that were not opened, by cause.
    pub open_failures: OpenFailures,
    /// Frames that the sender sent on the layers that we received, from the first to the last received one.
    pub sent: u64,
    /// Bytes of the complete frames.
    pub bytes: u64,
    /// What was decoded.
    pub decoding: DecodeStats,
    /// Pictures passed to the [`crate::VideoSink`].
    pub shown: u64,
    /// Freezes as in W3C webrtc-stats: gaps longer than max(3 d, d + 150 ms), where d is the mean gap.
    pub freezes: u64,
    /// The longest time between two shown pictures.
    pub longest_gap: Duration,
    /// Time from capture to [`crate::VideoSink::show`].
    pub latency: Histogram,
    /// The time between a shown picture and the sound of the same moment, whichever is first.
    pub sound_skew: Histogram,
    /// The layer and size of the newest shown picture.
    pub layer: (Layer, Size),
    /// The sizes of the shown pictures, in the order of their first pictures, at most eight.
    pub sizes: Vec<ShownSize>,
    /// Whether the owner has signed the frames, when the newest one arrived.
    authorship: Option<(Authorship, Instant)>,
    recent: Recent,
}

/// The newest frames of a received track.
#[derive(Clone, Copy, Debug, Default)]
struct Recent {
    /// The longest time between two pictures since the last [`ReceiveStats::counters`].
    gap: Duration,
    /// The microseconds from pictures to their sounds since the last [`ReceiveStats::counters`], and how many they are.
    skew_sum: i64,
    skews: i64,
    /// When the newest picture was shown.
    shown: Option<Timestamp>,
    /// The layer and the number of the newest frame.
    sequence: Option<(u8, u64)>,
}

/// What was decoded of one received track.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DecodeStats {
    /// Pictures that were decoded. Some are not shown, because a newer one is shown already.
    pub decoded: u64,
    /// The key frames among them.
    pub key_frames: u64,
    /// The bytes of these key frames.
    pub key_frame_bytes: u64,
    /// Frames that were skipped because decoding fell behind.
    pub skipped: u64,
    /// The time that decoding took.
    pub time: Duration,
}

/// The pictures of one size that were shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownSize {
    /// The size.
    pub size: Size,
    /// When the first picture of this size was shown.
    pub first_shown: Timestamp,
    /// The number of shown pictures of this size.
    pub shown: u64,
}

/// The counters of one received track that a [`super::timeline::Timeline`] compares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames that arrived.
    pub received: u64,
    /// Bytes of the frames that arrived.
    pub bytes: u64,
    /// Decoded pictures.
    pub decoded: u64,
    /// The decoded key frames.
    pub key_frames: u64,
    /// The bytes of these key frames.
    pub key_frame_bytes: u64,
    /// Shown pictures.
    pub shown: u64,
    /// Frames that were skipped because decoding fell behind.
    pub skipped: u64,
    /// The time that decoding took.
    pub decode_time: Duration,
    /// The mean time in milliseconds from a picture to the sound of the same moment since the last reading; negative if the sound
    /// was heard before. `None` if there was no sound.
    pub sound_skew_ms: Option<i64>,
    /// The layer and size of the last shown picture.
    pub layer: (Layer, Size),
    /// The longest gap between two shown pictures that ended since the last reading. If the current gap is longer, its length
    /// so far.
    pub recent_gap: Duration,
}

/// The counters of one sent layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendStats {
    /// Frames sealed and queued for the network.
    pub frames: u64,
    /// Frames dropped because the queue was full.
    pub dropped: u64,
    /// Bytes of ciphertext.
    pub bytes: u64,
    /// The time that scaling, encoding and sealing took.
    pub encode_time: Duration,
    /// The size of its pictures. `None` for sound.
    pub size: Option<Size>,
    /// Pictures that the encoder got.
    pub encoded: u64,
    /// Pictures that the encoder did not get, because it was busy.
    pub missed: u64,
}

impl TrackStats {
    /// Returns the counters of a received track. They are kept after the track has ended.
    pub fn track(&self, track: TrackId) -> Arc<Mutex<ReceiveStats>> {
        Arc::clone(lock(&self.received).entry(track).or_default())
    }

    /// Changes the counters of one sent layer.
    pub fn sent(&self, slot: Slot, spatial: u8, add: impl FnOnce(&mut SendStats)) {
        add(lock(&self.sent).entry((slot, spatial)).or_default());
    }

    /// Returns all tracks received so far.
    #[must_use]
    pub fn tracks(&self) -> Vec<TrackId> {
        lock(&self.received).keys().copied().collect()
    }

    /// Returns a copy of the counters of all received tracks.
    #[must_use]
    pub fn received(&self) -> Vec<(TrackId, ReceiveStats)> {
        lock(&self.received).iter().map(|(track, received)| (*track, lock(received).clone())).collect()
    }

    /// Returns the work that each received track has caused so far.
    pub(crate) fn work(&self) -> BTreeMap<TrackId, DecodeStats> {
        let work = |received: &ReceiveStats| received.decoding;
        lock(&self.received).iter().map(|(track, received)| (*track, work(&lock(received)))).collect()
    }

    /// Returns the counters of all received tracks for the timeline. `now` is the time of the reading.
    pub(crate) fn counters(&self, now: Timestamp) -> BTreeMap<TrackId, Counters> {
        lock(&self.received).iter().map(|(track, received)| (*track, lock(received).counters(now))).collect()
    }

    /// Returns the tracks whose frames are dropped now, because their owner has not signed them.
    pub(crate) fn doubted(&self, now: Instant) -> BTreeMap<TrackId, Authorship> {
        let doubt = |received: &ReceiveStats| {
            let (authorship, at) = received.authorship?;
            let is_recent = now.saturating_duration_since(at) < DOUBT_TIMEOUT;
            (is_recent && matches!(authorship, Authorship::Unproven | Authorship::Forged)).then_some(authorship)
        };
        lock(&self.received).iter().filter_map(|(track, received)| Some((*track, doubt(&lock(received))?))).collect()
    }

    /// Returns a copy of the counters of all sent layers.
    #[must_use]
    pub fn all_sent(&self) -> Vec<((Slot, u8), SendStats)> {
        lock(&self.sent).iter().map(|(layer, sent)| (*layer, *sent)).collect()
    }
}

impl ReceiveStats {
    /// Counts a complete frame of `bytes`. `why` is the reason if it was not opened. `sequence` is the sender's count of
    /// the layer's frames. A frame that was sealed for others only, or that its sender may not send, does not count as sent to us.
    pub fn judged(&mut self, spatial: u8, sequence: u64, bytes: usize, why: Option<open::Error>) {
        self.bytes += u64::try_from(bytes).unwrap_or(u64::MAX);
        match why {
            None => self.opened += 1,
            Some(why) => self.open_failures.count(why),
        }
        let by_rule = [open::Error::BeforeUs, open::Error::AfterUs, open::Error::NotAMember, open::Error::NotAllowed];
        if why.is_none_or(|why| !by_rule.contains(&why)) {
            self.received(spatial, sequence);
        }
    }

    /// Notes whether the owner has signed the frames, as of the frame that arrived at `now`.
    pub const fn set_authorship(&mut self, authorship: Authorship, now: Instant) {
        self.authorship = Some((authorship, now));
    }

    fn received(&mut self, spatial: u8, sequence: u64) {
        self.received += 1;
        self.sent += match self.recent.sequence {
            Some((layer, last)) if layer == spatial && sequence > last => (sequence - last).min(MAX_MISSED),
            Some(_) | None => 1,
        };
        self.recent.sequence = Some((spatial, sequence));
    }

    /// Counts a decoded picture of `bytes`.
    pub fn decoded(&mut self, key: bool, bytes: usize) {
        self.decoding.decoded += 1;
        if key {
            self.decoding.key_frames += 1;
            self.decoding.key_frame_bytes += u64::try_from(bytes).unwrap_or(u64::MAX);
        }
    }

    /// Counts a shown picture.
    pub fn shown(&mut self, layer: Layer, size: Size, captured: Timestamp, now: Timestamp) {
        self.latency.record(now.since(captured));
        self.layer = (layer, size);
        if let (Some(first), Some(last)) = (self.first_shown(), self.recent.shown) {
            let gap = now.since(last);
            let shown = u32::try_from(self.shown).unwrap_or(u32::MAX);
            let mean = last.since(first) / shown.saturating_sub(1).max(1);
            self.longest_gap = self.longest_gap.max(gap);
            self.recent.gap = self.recent.gap.max(gap);
            // W3C webrtc-stats, freezeCount. The mean is not reliable in the first second.
            self.freezes += u64::from(shown > 30 && gap > (3 * mean).max(mean + Duration::from_millis(150)));
        }
        self.shown += 1;
        self.count_size(size, now);
        self.recent.shown = Some(now);
    }

    /// Records the time in microseconds from a shown picture to the sound of the same moment, if it is known; negative if the sound was
    /// heard before.
    pub fn record_sound_skew(&mut self, skew: Option<i64>) {
        let Some(skew) = skew else { return };
        self.sound_skew.record(Duration::from_micros(skew.unsigned_abs()));
        self.recent.skew_sum = self.recent.skew_sum.saturating_add(skew);
        self.recent.skews += 1;
    }

    /// Returns when the first picture was shown.
    #[must_use]
    pub fn first_shown(&self) -> Option<Timestamp> {
        self.sizes.first().map(|shown| shown.first_shown)
    }

    fn count_size(&mut self, size: Size, now: Timestamp) {
        if let Some(known) = self.sizes.iter_mut().find(|known| known.size == size) {
            known.shown += 1;
        } else if self.sizes.len() < MAX_SIZES {
            self.sizes.push(ShownSize { size, first_shown: now, shown: 1 });
        }
    }

    /// Returns the counters for the timeline, and resets the longest recent gap.
    fn counters(&mut self, now: Timestamp) -> Counters {
        let (sum, count) = (std::mem::take(&mut self.recent.skew_sum), std::mem::take(&mut self.recent.skews));
        let lasting = self.recent.shown.map_or(Duration::ZERO, |last| now.since(last));
        Counters {
            received: self.received,
            bytes: self.bytes,
            decoded: self.decoding.decoded,
            key_frames: self.decoding.key_frames,
            key_frame_bytes: self.decoding.key_frame_bytes,
            shown: self.shown,
            skipped: self.decoding.skipped,
            decode_time: self.decoding.time,
            sound_skew_ms: sum.checked_div(count * 1_000),
            layer: self.layer,
            recent_gap: std::mem::take(&mut self.recent.gap).max(lasting),
        }
    }
}

fn lock<T>(counts: &Mutex<T>) -> MutexGuard<'_, T> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A larger step of the sequence is a restart of the sender's count, because it would mean ten minutes of lost frames.
const MAX_MISSED: u64 = 18_000;

/// The maximum number of sizes of one track: those of its layers, and others if the camera is rotated or replaced.
pub(crate) const MAX_SIZES: usize = 8;

/// How long a track is doubted after its last frame.
const DOUBT_TIMEOUT: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_micros(ms * 1_000)
    }

    #[test]
    fn the_sequence_shows_how_many_frames_were_sent() {
        let mut received = ReceiveStats::default();
        for (layer, sequence) in [(0, 10), (0, 11), (0, 14), (2, 3), (2, 4)] {
            received.received(layer, sequence);
        }
        assert_eq!((received.received, received.sent), (5, 7));
    }

    #[test]
    fn a_frame_that_was_sealed_for_others_does_not_count_as_sent_to_us() {
        let mut received = ReceiveStats::default();
        let outcomes = [Some(open::Error::BeforeUs), None, Some(open::Error::TooLate), None];
        for (sequence, why) in (10..).zip(outcomes) {
            received.judged(0, sequence, 100, why);
        }
        assert_eq!((received.received, received.sent, received.opened, received.bytes), (3, 3, 2, 400));
        assert_eq!((received.open_failures.before_us, received.open_failures.failed()), (1, 1));
    }

    #[test]
    fn a_long_gap_between_pictures_is_a_freeze() {
        let mut received = ReceiveStats::default();
        let mut show = |ms| received.shown(Layer::default(), Size::new(2, 2), at(ms), at(ms + 5));
        (0..60).for_each(|n| show(n * 33));
        show(60 * 33 + 400);
        assert_eq!((received.freezes, received.shown), (1, 61));
        assert_eq!(received.latency.percentile(95), Some(5));
    }

    #[test]
    fn a_gap_counts_in_the_second_in_which_it_ends_and_while_it_lasts() {
        let mut received = ReceiveStats::default();
        let gap = |received: &mut ReceiveStats, ms| received.counters(at(ms)).recent_gap.as_millis();
        assert_eq!(gap(&mut received, 1_000), 0);
        for ms in [1_100, 1_140] {
            received.shown(Layer::default(), Size::new(2, 2), at(ms), at(ms));
        }
        assert_eq!(gap(&mut received, 2_000), 860);
        received.shown(Layer::default(), Size::new(2, 2), at(2_940), at(2_940));
        assert_eq!((gap(&mut received, 3_000), gap(&mut received, 3_010)), (1_800, 70));
    }

    #[test]
    fn each_size_has_its_own_count_and_the_number_of_sizes_is_bounded() {
        let mut received = ReceiveStats::default();
        for (ms, width) in (0..).zip([2, 4, 4, 6, 8, 10, 12, 14, 16, 18, 2]) {
            received.shown(Layer::default(), Size::new(width, 2), at(ms), at(ms));
        }
        assert_eq!(received.sizes.len(), MAX_SIZES);
        assert_eq!(received.sizes[1], ShownSize { size: Size::new(4, 2), first_shown: at(1), shown: 2 });
        assert_eq!(received.sizes[0].shown, 2);
    }
}
