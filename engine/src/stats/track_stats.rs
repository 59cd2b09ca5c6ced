//! The counters of each track, received or sent.

use super::histogram::Histogram;
use super::open_failures::OpenFailures;
use crypto::open;
use media::{Layer, Size, Timestamp};
use proto::TrackId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The counters of all tracks of a meeting. Clones share them. Each lock is held only for a few additions.
#[derive(Clone, Default)]
pub struct TrackStats {
    received: Arc<Mutex<BTreeMap<TrackId, Arc<Mutex<Received>>>>>,
    sent: Arc<Mutex<BTreeMap<(proto::Slot, u8), Sent>>>,
}

/// The counters of one received track.
#[derive(Clone, Default)]
pub struct Received {
    /// Complete frames that the network delivered and that were sealed for us.
    pub received: u64,
    /// Frames that were opened.
    pub opened: u64,
    /// Frames that were not opened, by cause.
    pub open_failures: OpenFailures,
    /// Frames that the sender sent on the layers that we received, from the first to the last received one.
    pub sent: u64,
    /// Pictures passed to the [`crate::VideoSink`].
    pub shown: u64,
    /// Freezes as in W3C webrtc-stats: gaps longer than max(3 d, d + 150 ms), where d is the mean gap.
    pub freezes: u64,
    /// The longest time between two shown pictures.
    pub longest_gap: Duration,
    /// Time from capture to [`crate::VideoSink::show`].
    pub latency: Histogram,
    /// The layer and size of the newest shown picture.
    pub layer: (Layer, Size),
    /// When the first picture was shown.
    pub first_shown: Option<Timestamp>,
    last_shown: Option<Timestamp>,
    last_sequence: Option<(u8, u64)>,
}

/// The counters of one sent layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Frames sealed and queued for the network.
    pub frames: u64,
    /// Frames dropped because the queue was full.
    pub dropped: u64,
    /// Bytes of ciphertext.
    pub bytes: u64,
}

impl TrackStats {
    /// Returns the counters of a received track. They are kept after the track has ended.
    pub fn track(&self, track: TrackId) -> Arc<Mutex<Received>> {
        Arc::clone(lock(&self.received).entry(track).or_default())
    }

    /// Changes the counters of one sent layer.
    pub fn sent(&self, slot: proto::Slot, spatial: u8, add: impl FnOnce(&mut Sent)) {
        add(lock(&self.sent).entry((slot, spatial)).or_default());
    }

    /// Returns all tracks received so far.
    #[must_use]
    pub fn tracks(&self) -> Vec<TrackId> {
        lock(&self.received).keys().copied().collect()
    }

    /// Returns a copy of the counters of all received tracks.
    #[must_use]
    pub fn received(&self) -> Vec<(TrackId, Received)> {
        lock(&self.received).iter().map(|(track, received)| (*track, lock(received).clone())).collect()
    }

    /// Returns a copy of the counters of all sent layers.
    #[must_use]
    pub fn all_sent(&self) -> Vec<((proto::Slot, u8), Sent)> {
        lock(&self.sent).iter().map(|(layer, sent)| (*layer, *sent)).collect()
    }
}

impl Received {
    /// Counts a complete frame. `why` is the reason if it was not opened. `sequence` is the sender's count of the
    /// layer's frames. A frame that was sealed for others only does not count as sent to us.
    pub fn judged(&mut self, spatial: u8, sequence: u64, why: Option<open::Error>) {
        match why {
            None => self.opened += 1,
            Some(why) => self.open_failures.count(why),
        }
        let for_others = [open::Error::BeforeUs, open::Error::AfterUs, open::Error::NotAMember];
        if why.is_none_or(|why| !for_others.contains(&why)) {
            self.received(spatial, sequence);
        }
    }

    fn received(&mut self, spatial: u8, sequence: u64) {
        self.received += 1;
        self.sent += match self.last_sequence {
            Some((layer, last)) if layer == spatial && sequence > last => (sequence - last).min(MAX_MISSED),
            Some(_) | None => 1,
        };
        self.last_sequence = Some((spatial, sequence));
    }

    /// Counts a shown picture.
    pub fn shown(&mut self, layer: Layer, size: Size, captured: Timestamp, now: Timestamp) {
        self.latency.record(now.since(captured));
        self.layer = (layer, size);
        if let (Some(first), Some(last)) = (self.first_shown, self.last_shown) {
            let gap = now.since(last);
            let shown = u32::try_from(self.shown).unwrap_or(u32::MAX);
            let mean = last.since(first) / shown.saturating_sub(1).max(1);
            self.longest_gap = self.longest_gap.max(gap);
            // W3C webrtc-stats, freezeCount. The mean is not reliable in the first second.
            self.freezes += u64::from(shown > 30 && gap > (3 * mean).max(mean + Duration::from_millis(150)));
        }
        self.shown += 1;
        self.first_shown.get_or_insert(now);
        self.last_shown = Some(now);
    }
}

fn lock<T>(counts: &Mutex<T>) -> MutexGuard<'_, T> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A larger step of the sequence is a restart of the sender's count, because it would mean ten minutes of lost frames.
const MAX_MISSED: u64 = 18_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_micros(ms * 1_000)
    }

    #[test]
    fn the_sequence_shows_how_many_frames_were_sent() {
        let mut received = Received::default();
        for (layer, sequence) in [(0, 10), (0, 11), (0, 14), (2, 3), (2, 4)] {
            received.received(layer, sequence);
        }
        assert_eq!((received.received, received.sent), (5, 7));
    }

    #[test]
    fn a_frame_that_was_sealed_for_others_does_not_count_as_sent_to_us() {
        let mut received = Received::default();
        let outcomes = [Some(open::Error::BeforeUs), None, Some(open::Error::TooLate), None];
        for (sequence, why) in (10..).zip(outcomes) {
            received.judged(0, sequence, why);
        }
        assert_eq!((received.received, received.sent, received.opened), (3, 3, 2));
        assert_eq!((received.open_failures.before_us, received.open_failures.failed()), (1, 1));
    }

    #[test]
    fn a_long_gap_between_pictures_is_a_freeze() {
        let mut received = Received::default();
        let mut show = |ms| received.shown(Layer::default(), Size::new(2, 2), at(ms), at(ms + 5));
        (0..60).for_each(|n| show(n * 33));
        show(60 * 33 + 400);
        assert_eq!((received.freezes, received.shown), (1, 61));
        assert_eq!(received.latency.percentile(95), Some(5));
    }
}
