//! Frames sealed with the real key ring: who can open whose, and who cannot any more.

use super::{Client, Who};
use crypto::{KeyRing, Leaf, MediaKeys, Opener, ReceivedFrame, Sealed, Sealer};
use media::{BufferPool, Clock, Encoded, Layer, Size, Timestamp, VideoCodec};
use proto::Slot;
use std::time::Instant;

/// A client's end of the media: it speaks and listens in one slot.
pub(super) struct Voice {
    ring: KeyRing,
    pool: BufferPool,
    leaves: Vec<Leaf>,
    dropped: Vec<Leaf>,
    number: u64,
}

impl Voice {
    /// `first` is the number of its first frame.
    pub(super) fn new(first: u64) -> Self {
        Self {
            ring: KeyRing::new(),
            pool: BufferPool::new(4),
            leaves: Vec::new(),
            dropped: Vec::new(),
            number: first >> 8,
        }
    }

    pub(super) fn install(&mut self, keys: MediaKeys, removed: Vec<Leaf>, leaves: Vec<Leaf>, now: Instant) {
        self.ring.install(keys, &leaves, &removed, now);
        self.leaves = leaves;
        self.leaves.sort();
        self.dropped = removed;
    }

    /// The leaves of the newest keys, in order.
    pub(super) fn leaves(&self) -> Vec<Leaf> {
        self.leaves.clone()
    }

    /// True where the newest keys dropped `leaf`.
    pub(super) fn dropped(&self, leaf: Leaf) -> bool {
        self.dropped.contains(&leaf)
    }

    /// A frame of this client's, `None` while it has no keys.
    fn speak(&mut self) -> Option<Sealed> {
        self.number += 1;
        let picture = Encoded {
            codec: VideoCodec::H264,
            layer: Layer::default(),
            size: Size::new(320, 180),
            key: true,
            discardable: false,
            number: self.number,
            captured: Timestamp::from_micros(self.number),
            payload: self.pool.copy(&self.number.to_be_bytes()),
        };
        Sealer::new(self.ring.clone(), Slot::Camera).seal(picture).ok()
    }

    /// True where this client can open a frame as one of `leaf`'s.
    fn hears(&self, frame: &Sealed, leaf: Leaf) -> bool {
        let bytes = self.pool.copy(frame.bytes());
        let received = ReceivedFrame { header: *frame.header(), bytes, sequence: 0, received: Instant::now() };
        Opener::new(self.ring.clone(), Slot::Camera, leaf, Clock::default()).open(received).is_ok()
    }
}

/// Each of `inside` hears each other one, and nobody who is not inside hears anybody.
pub(super) fn assert_heard(clients: &mut [Client], inside: &[Who]) {
    for speaker in inside {
        let leaf = clients[speaker.0].people.iter().find(|person| person.me).map(|person| person.leaf);
        let frame = clients[speaker.0].voice.speak().zip(leaf);
        let (frame, leaf) = frame.expect("who is inside can speak");
        for (at, client) in clients.iter().enumerate().filter(|(at, _)| *at != speaker.0) {
            assert_eq!(client.voice.hears(&frame, leaf), inside.contains(&Who(at)), "{} hears who is in", client.name);
        }
    }
}

/// `client` has just told that somebody left: that one hears nothing that `client` says from now on, with whatever keys
/// it kept, and `client` hears nothing more of that one.
pub(super) fn assert_parted(clients: &mut [Client], client: Who) {
    for gone in std::mem::take(&mut clients[client.0].untried) {
        let mine = clients[client.0].people.iter().find(|person| person.me).map(|person| person.leaf);
        let (frame, leaf) = clients[client.0].voice.speak().zip(mine).expect("who is inside can speak");
        let Some(other) = clients.iter().position(|other| other.voice_of == Some(gone.id)) else { continue };
        assert!(!clients[other].voice.hears(&frame, leaf), "{} hears nothing after leaving", gone.name);
        if let Some(frame) = clients[other].voice.speak() {
            assert!(!clients[client.0].voice.hears(&frame, gone.leaf), "{} is heard no more", gone.name);
        }
    }
}
