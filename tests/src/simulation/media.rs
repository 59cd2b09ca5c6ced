//! Frames sealed with the real key ring, and checks of who can open them.

use super::{Client, ClientId};
use crypto::{Header, KeyRing, Leaf, MediaKeys, Opener, ReceivedFrame, Sealed, Sealer};
use media::{BufferPool, Clock, Encoded, Layer, Size, Timestamp, VideoCodec};
use proto::{Epoch, Rights, Slot};
use std::time::Instant;

/// Seals and opens the frames of a client, in the camera slot.
pub(super) struct MediaEndpoint {
    ring: KeyRing,
    pool: BufferPool,
    leaves: Vec<Leaf>,
    dropped: Vec<Leaf>,
    number: u64,
}

impl MediaEndpoint {
    /// Frame numbers start at `first >> 8`.
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
        self.set_leaves(leaves, removed);
    }

    /// Installs the keys of a client that has entered the group again. Here, all frames are within the rights.
    pub(super) fn install_again(&mut self, keys: MediaKeys, removed: Vec<Leaf>, leaves: Vec<Leaf>) {
        self.ring.install_again(keys, leaves.iter().map(|leaf| (*leaf, Rights::ALL)).collect(), &removed);
        self.set_leaves(leaves, removed);
    }

    fn set_leaves(&mut self, leaves: Vec<Leaf>, removed: Vec<Leaf>) {
        self.leaves = leaves;
        self.leaves.sort();
        self.dropped = removed;
    }

    /// Drops all keys, because the client is no member for now.
    pub(super) fn restart(&mut self) {
        self.ring.restart();
    }

    /// Returns the leaves of the newest keys, in order.
    pub(super) fn leaves(&self) -> Vec<Leaf> {
        self.leaves.clone()
    }

    /// Returns whether the newest keys removed `leaf`.
    pub(super) fn dropped(&self, leaf: Leaf) -> bool {
        self.dropped.contains(&leaf)
    }

    /// Seals a frame of this client. Returns `None` if it has no keys.
    fn seal(&mut self) -> Option<Sealed> {
        self.number += 1;
        seal(&self.ring, &self.pool, self.number)
    }

    /// Seals a frame of this client, at `leaf`, to keep it. Returns `None` if it has no keys.
    pub(super) fn record(&mut self, leaf: Leaf) -> Option<Recorded> {
        self.seal().map(|frame| Recorded::new(&frame, leaf))
    }

    /// Drops the keys that are expired at `now`.
    pub(super) fn expire(&self, now: Instant) {
        self.ring.expire(now);
    }

    /// Opens a frame that arrives at `now`. Returns whether it could be opened.
    pub(super) fn opens(&self, frame: &Recorded, now: Instant) -> bool {
        frame.opens_with(&self.ring, &self.pool, now)
    }

    /// Returns whether this client can open a frame of `leaf`.
    fn can_open(&self, frame: &Sealed, leaf: Leaf) -> bool {
        let bytes = self.pool.copy(frame.bytes());
        let received = ReceivedFrame { header: *frame.header(), bytes, sequence: 0, received: Instant::now() };
        Opener::new(self.ring.clone(), Slot::Camera, leaf, Clock::default()).open(received).is_ok()
    }
}

/// A sealed frame, kept to be sent again.
pub(super) struct Recorded {
    header: Header,
    bytes: Vec<u8>,
    /// The leaf that the receivers take for the sender's.
    leaf: Leaf,
}

impl Recorded {
    fn new(frame: &Sealed, leaf: Leaf) -> Self {
        Self { header: *frame.header(), bytes: frame.bytes().to_vec(), leaf }
    }

    fn opens_with(&self, ring: &KeyRing, pool: &BufferPool, now: Instant) -> bool {
        let frame = ReceivedFrame { header: self.header, bytes: pool.copy(&self.bytes), sequence: 0, received: now };
        Opener::new(ring.clone(), Slot::Camera, self.leaf, Clock::default()).open(frame).is_ok()
    }
}

/// The keys of one epoch. A hostile client never drops them.
pub(super) struct HeldKeys {
    epoch: Epoch,
    leaf: Leaf,
    ring: KeyRing,
    pool: BufferPool,
    number: u64,
}

impl HeldKeys {
    pub(super) fn new(keys: MediaKeys, leaf: Leaf) -> Self {
        let (epoch, ring) = (keys.epoch(), KeyRing::new());
        let all: Vec<_> = (0..MAX_LEAVES).map(Leaf).collect();
        ring.install(keys, &all, &[], Instant::now());
        Self { epoch, leaf, ring, pool: BufferPool::new(4), number: 0 }
    }

    pub(super) const fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(super) fn opens(&self, frame: &Recorded) -> bool {
        frame.opens_with(&self.ring, &self.pool, Instant::now())
    }

    /// Seals a frame with these keys, however old they are.
    pub(super) fn forge(&mut self) -> Recorded {
        self.number += 1;
        let frame = seal(&self.ring, &self.pool, self.number).expect("its ring has one epoch");
        Recorded::new(&frame, self.leaf)
    }
}

fn seal(ring: &KeyRing, pool: &BufferPool, number: u64) -> Option<Sealed> {
    let picture = Encoded {
        codec: VideoCodec::H264,
        layer: Layer::default(),
        size: Size::new(320, 180),
        key: true,
        discardable: false,
        number,
        captured: Timestamp::from_micros(number),
        payload: pool.copy(&number.to_be_bytes()),
    };
    Sealer::new(ring.clone(), Slot::Camera).seal(picture).ok()
}

/// More leaves than a simulated group has.
const MAX_LEAVES: u32 = 64;

/// Asserts that each of `members` can open the frames of the others, and that no other client can.
pub(super) fn assert_only_members_can_open(clients: &mut [Client], members: &[ClientId]) {
    for sender in members {
        let leaf = clients[sender.0].people.iter().find(|person| person.me).map(|person| person.leaf);
        let frame = clients[sender.0].media.seal().zip(leaf);
        let (frame, leaf) = frame.expect("a member can seal");
        for (at, client) in clients.iter().enumerate().filter(|(at, _)| *at != sender.0) {
            assert_eq!(
                client.media.can_open(&frame, leaf),
                members.contains(&ClientId(at)),
                "{}: only members can open a frame",
                client.name
            );
        }
    }
}

/// Asserts, after `client` reported that a member left, that neither can open new frames of the other. The departed client
/// may have kept any keys.
pub(super) fn assert_departed_cannot_open(clients: &mut [Client], client: ClientId) {
    for gone in std::mem::take(&mut clients[client.0].unchecked_departures) {
        let mine = clients[client.0].people.iter().find(|person| person.me).map(|person| person.leaf);
        let (frame, leaf) = clients[client.0].media.seal().zip(mine).expect("a member can seal");
        let Some(other) = clients.iter().position(|other| other.past_id == Some(gone.id)) else { continue };
        assert!(!clients[other].media.can_open(&frame, leaf), "{} can open a frame after leaving", gone.name);
        if let Some(frame) = clients[other].media.seal() {
            assert!(
                !clients[client.0].media.can_open(&frame, gone.leaf),
                "a frame of {} can be opened after leaving",
                gone.name
            );
        }
    }
}
