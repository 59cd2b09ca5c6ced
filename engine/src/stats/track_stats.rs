//! What was counted of each track on its way in and out.

use super::histogram::Histogram;
use super::open_failures::OpenFailures;
use crypto::open;
use media::{Layer, Size, Timestamp};
use proto::TrackId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The counts of a whole meeting; clones share them. Threads write a few numbers under a lock that nobody holds long.
#[derive(Clone, Default)]
pub struct TrackStats {
    received: Arc<Mutex<BTreeMap<TrackId, Arc<Mutex<Received>>>>>,
    sent: Arc<Mutex<BTreeMap<(proto::Slot, u8), Sent>>>,
}

/// What came in on one track.
#[derive(Clone, Default)]
pub struct Received {
    /// Frames for us that came from the network whole.
    pub received: u64,
    /// Frames that were opened and judged genuine.
    pub opened: u64,
    /// Frames that were not, and why.
    pub open_failures: OpenFailures,
    /// Frames that their sender put on the layers we were sent, between the first and the last that arrived.
    pub sent: u64,
    /// Pictures handed to the screen.
    pub shown: u64,
    /// Times the picture stood still: more than max(3 d, d + 150 ms) after the one before, d being the mean distance.
    pub freezes: u64,
    /// The longest time a picture stood.
    pub longest_gap: Duration,
    /// From capture to the screen.
    pub latency: Histogram,
    /// The layer and size of the newest picture.
    pub layer: (Layer, Size),
    /// When the first picture was shown.
    pub first_shown: Option<Timestamp>,
    last_shown: Option<Timestamp>,
    last_sequence: Option<(u8, u64)>,
}

/// What went out on one layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Frames sealed and queued for the network.
    pub frames: u64,
    /// Frames that found the queue full.
    pub dropped: u64,
    /// Bytes of ciphertext.
    pub bytes: u64,
}

impl TrackStats {
    /// The counts of a track that comes in, kept after it has ended.
    pub fn track(&self, track: TrackId) -> Arc<Mutex<Received>> {
        Arc::clone(lock(&self.received).entry(track).or_default())
    }

    /// Adds to what went out on one layer.
    pub fn sent(&self, slot: proto::Slot, spatial: u8, add: impl FnOnce(&mut Sent)) {
        add(lock(&self.sent).entry((slot, spatial)).or_default());
    }

    /// The tracks that came in so far.
    #[must_use]
    pub fn tracks(&self) -> Vec<TrackId> {
        lock(&self.received).keys().copied().collect()
    }

    /// All that came in so far.
    #[must_use]
    pub fn received(&self) -> Vec<(TrackId, Received)> {
        lock(&self.received).iter().map(|(track, received)| (*track, lock(received).clone())).collect()
    }

    /// All that went out so far.
    #[must_use]
    pub fn all_sent(&self) -> Vec<((proto::Slot, u8), Sent)> {
        lock(&self.sent).iter().map(|(layer, sent)| (*layer, *sent)).collect()
    }
}

impl Received {
    /// A frame came whole, and was opened unless it says `why` not: `sequence` counts all that its sender put on the layer.
    /// What was sealed for others only is no part of what was sent to us.
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

    /// A picture went to the screen.
    pub fn shown(&mut self, layer: Layer, size: Size, captured: Timestamp, now: Timestamp) {
        self.latency.record(now.since(captured));
        self.layer = (layer, size);
        if let (Some(first), Some(last)) = (self.first_shown, self.last_shown) {
            let gap = now.since(last);
            let shown = u32::try_from(self.shown).unwrap_or(u32::MAX);
            let mean = last.since(first) / shown.saturating_sub(1).max(1);
            self.longest_gap = self.longest_gap.max(gap);
            // W3C webrtc-stats, freezeCount. The first second tells no mean yet.
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

/// A jump beyond this is a restart of the sender's count, not ten minutes of lost frames.
const MAX_MISSED: u64 = 18_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_micros(ms * 1_000)
    }

    #[test]
    fn what_was_sent_is_told_by_the_sequence() {
        let mut received = Received::default();
        for (layer, sequence) in [(0, 10), (0, 11), (0, 14), (2, 3), (2, 4)] {
            received.received(layer, sequence);
        }
        assert_eq!((received.received, received.sent), (5, 7));
    }

    #[test]
    fn what_was_sealed_for_others_only_was_not_sent_to_us() {
        let mut received = Received::default();
        let outcomes = [Some(open::Error::BeforeUs), None, Some(open::Error::TooLate), None];
        for (sequence, why) in (10..).zip(outcomes) {
            received.judged(0, sequence, why);
        }
        assert_eq!((received.received, received.sent, received.opened), (3, 3, 2));
        assert_eq!((received.open_failures.before_us, received.open_failures.failed()), (1, 1));
    }

    #[test]
    fn a_picture_that_stands_is_a_freeze() {
        let mut received = Received::default();
        let mut show = |ms| received.shown(Layer::default(), Size::new(2, 2), at(ms), at(ms + 5));
        (0..60).for_each(|n| show(n * 33));
        show(60 * 33 + 400);
        assert_eq!((received.freezes, received.shown), (1, 61));
        assert_eq!(received.latency.percentile(95), Some(5));
    }
}
