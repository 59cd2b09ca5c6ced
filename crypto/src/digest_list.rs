//! The digests of the frames that we have sealed in one layer, until they are sent with our signature.

use crate::frame::{DigestRange, FrameDigest, Kid, MAX_DIGESTS, Trailer};
use crate::keyring::EpochKeys;
use media::{Layer, Timestamp};
use std::sync::{Arc, Weak};

/// The digests of one layer. A frame cannot hold its own digest, so each one is sent with a later frame.
pub(crate) struct DigestList {
    /// The last digests. Those that were sent are kept for the next key frame, up to [`MAX_DIGESTS`] with the others.
    current: EpochDigests,
    /// The digests of the epoch before that were not sent.
    before: Option<EpochDigests>,
    /// How many of the current digests at the start were sent already.
    sent: usize,
    /// When the first frame whose digest was not sent was captured.
    since: Timestamp,
}

/// Digests of frames that were sealed in one epoch.
#[derive(Clone)]
pub(crate) struct EpochDigests {
    pub(crate) range: DigestRange,
    epoch: Weak<EpochKeys>,
    pub(crate) kid: Option<Kid>,
}

/// What a frame that may take digests with it is to the receivers of its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameKind {
    /// A key frame. Receivers that need it have lost frames, perhaps ones with digests, or did not receive the layer before.
    Key,
    /// A frame that all receivers of the layer get: of the lowest temporal layer, or of sound.
    Base,
    /// A frame of a higher temporal layer, which some receivers do not get.
    Enhancement,
}

impl FrameKind {
    /// Returns the kind of a picture of `layer`.
    pub(crate) const fn of_picture(layer: Layer, key: bool) -> Self {
        match (key, layer.temporal) {
            (true, _) => Self::Key,
            (false, 0) => Self::Base,
            (false, _) => Self::Enhancement,
        }
    }
}

impl EpochDigests {
    const fn new(first: u64) -> Self {
        Self { range: DigestRange::starting_at(first), epoch: Weak::new(), kid: None }
    }

    /// Returns the digests with our signature, or `None` if the keys of their epoch are gone.
    pub(crate) fn signed(&self) -> Option<Trailer> {
        Some(self.epoch.upgrade()?.signed(&self.range, self.kid?))
    }
}

impl DigestList {
    /// Returns a list without digests.
    pub(crate) const fn new() -> Self {
        Self { current: EpochDigests::new(0), before: None, sent: 0, since: Timestamp::from_micros(0) }
    }

    /// Adds the digest of a frame that was sealed with `kid` and `counter`.
    pub(crate) fn add(
        &mut self,
        epoch: &Arc<EpochKeys>,
        (kid, counter): (Kid, u64),
        digest: FrameDigest,
        captured: Timestamp,
    ) {
        if self.current.kid != Some(kid) || self.current.range.end() != counter {
            let next = EpochDigests { epoch: Arc::downgrade(epoch), kid: Some(kid), ..EpochDigests::new(counter) };
            let unsent = self.unsent();
            let mut before = std::mem::replace(&mut self.current, next);
            before.range.skip(self.sent);
            self.before = (unsent > 0).then_some(before);
            self.sent = 0;
        }
        if self.unsent() == 0 {
            self.since = captured;
        }
        if self.current.range.len() == MAX_DIGESTS {
            self.current.range.skip(1);
            self.sent = self.sent.saturating_sub(1);
        }
        self.current.range.push(digest);
    }

    /// Returns the digests that a frame captured at `captured` takes with it, if they are due. `lossy` is true if receivers lose
    /// frames that are not sent again.
    pub(crate) fn take_due(&mut self, captured: Timestamp, kind: FrameKind, lossy: bool) -> Option<EpochDigests> {
        // Keys may change more often than digests are sent.
        let is_before_due = kind != FrameKind::Enhancement;
        if let Some(before) = self.before.take_if(|_| is_before_due)
            && before.epoch.strong_count() > 0
        {
            return Some(before);
        }
        let unsent = self.unsent();
        let age = captured.as_micros().saturating_sub(self.since.as_micros());
        let is_due = match kind {
            FrameKind::Key => true,
            FrameKind::Base => age >= if lossy { LOSSY_INTERVAL } else { INTERVAL } || unsent >= MAX_DIGESTS / 2,
            FrameKind::Enhancement => unsent >= MAX_WAITING,
        };
        if unsent == 0 || !is_due {
            return None;
        }
        let mut due = self.current.clone();
        if kind != FrameKind::Key {
            due.range.skip(self.sent);
        }
        self.sent = self.current.range.len();
        Some(due)
    }

    fn unsent(&self) -> usize {
        self.current.range.len() - self.sent
    }
}

/// How long digests are collected, in microseconds.
const INTERVAL: u64 = 250_000;

/// The same if frames with digests are lost. A receiver drops frames after 900 ms without digests, so five lists in a row may be
/// lost. Short lists cost less than long lists that are sent twice.
const LOSSY_INTERVAL: u64 = 140_000;

/// How many digests wait for a frame of the lowest temporal layer at most. With some more, the first ones would be lost.
const MAX_WAITING: usize = MAX_DIGESTS - 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Leaf, tests::ring};
    use proto::{Epoch, Slot};

    /// Frames of one layer, with the counters from 0 on.
    struct SealedLayer {
        keys: Arc<EpochKeys>,
        list: DigestList,
        counter: u64,
    }

    impl SealedLayer {
        fn new() -> Self {
            let keys = ring(1, 1).newest().and_then(|(_, keys)| keys.upgrade()).unwrap();
            Self { keys, list: DigestList::new(), counter: 0 }
        }

        /// Seals a frame. Returns the counters of the first digest that it has, and after the last.
        fn frame(&mut self, millis: u64, kind: FrameKind, lossy: bool) -> Option<(u64, u64)> {
            let captured = Timestamp::from_micros(millis * 1_000);
            let due = self.list.take_due(captured, kind, lossy);
            let id = Kid::new(Slot::Camera, 0, Leaf(1), Epoch(1)).unwrap();
            self.list.add(&self.keys, (id, self.counter), FrameDigest::default(), captured);
            self.counter += 1;
            due.map(|due| (due.range.first, due.range.end()))
        }
    }

    #[test]
    fn a_key_frame_has_the_last_digests_although_they_were_sent() {
        let mut layer = SealedLayer::new();
        for number in 0..7 {
            assert_eq!(layer.frame(number * 40, FrameKind::Base, false), None);
        }
        assert_eq!(layer.frame(280, FrameKind::Base, false), Some((0, 7)));
        assert_eq!(layer.frame(320, FrameKind::Key, false), Some((0, 8)));
        assert_eq!(layer.frame(360, FrameKind::Key, false), Some((0, 9)));
        assert_eq!(layer.frame(640, FrameKind::Base, false), Some((9, 10)), "other frames have each digest once");
        for number in 17..100 {
            layer.frame(number * 40, FrameKind::Base, false);
        }
        assert_eq!(layer.frame(4_000, FrameKind::Key, false), Some((layer.counter - 33, layer.counter - 1)));
    }

    /// All frames after a pause of the sender may have one time.
    #[test]
    fn digests_of_frames_captured_together_wait_for_the_lowest_temporal_layer() {
        let mut layer = SealedLayer::new();
        layer.frame(0, FrameKind::Base, false);
        let burst: Vec<_> = (0..40)
            .map(|number| match number % 4 {
                1 => (FrameKind::Base, layer.frame(100, FrameKind::Base, false)),
                _ => (FrameKind::Enhancement, layer.frame(100, FrameKind::Enhancement, false)),
            })
            .filter_map(|(kind, digests)| digests.map(|digests| (kind, digests)))
            .collect();
        assert_eq!(burst, [(FrameKind::Base, (0, 18)), (FrameKind::Base, (18, 34))]);
        let found = (0..40).find(|_| layer.frame(100, FrameKind::Enhancement, false).is_some());
        assert!(found.is_some_and(|waited| waited < 28), "no digest is lost if the lowest layer does not come");
    }

    #[test]
    fn lists_are_shorter_and_more_frequent_if_frames_are_lost() {
        for (lossy, wanted) in [(false, 13), (true, 7)] {
            let mut layer = SealedLayer::new();
            let lists: Vec<_> =
                (0..100).filter_map(|number| layer.frame(number * 20, FrameKind::Base, lossy)).collect();
            assert_eq!(lists.first(), Some(&(0, wanted)));
            assert!(
                lists.windows(2).all(|pair| pair[0].1 == pair[1].0 && pair[1].1 - pair[1].0 == wanted),
                "{lists:?}"
            );
        }
    }
}
