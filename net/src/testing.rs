//! Sealed frames for tests.

use crypto::{Group, Identity, KeyRing, ManagerKeys, Profile, Sealed, Sealer};
use media::{Buffer, Encoded, Layer, Size, Timestamp, VideoCodec};
use proto::{ParticipantId, Slot};
use std::cell::{Cell, RefCell};
use std::time::{Instant, SystemTime};

/// Seals pictures as the camera of the only member of a group.
pub struct TestSealer {
    sealer: RefCell<Sealer>,
    number: Cell<u64>,
}

impl TestSealer {
    pub fn new() -> Self {
        let identity = Identity::generate().unwrap();
        let profile = Profile::new("tester").unwrap();
        let keys = ManagerKeys::new().unwrap();
        let group = Group::create(&identity, profile, ParticipantId(1), &keys, SystemTime::now()).unwrap();
        let ring = KeyRing::new();
        ring.install(group.media_keys().unwrap(), &[group.me()], &[], Instant::now());
        Self { sealer: RefCell::new(Sealer::new(ring, Slot::Camera)), number: Cell::new(0) }
    }

    /// Returns a sealed picture that had `length` bytes before sealing.
    pub fn picture(&self, spatial: u8, temporal: u8, key: bool, length: usize) -> Sealed {
        let number = self.number.replace(self.number.get() + 1);
        let picture = Encoded {
            codec: VideoCodec::H264,
            layer: Layer { spatial, temporal },
            size: Size::new(320, 180),
            key,
            discardable: temporal == 2,
            number,
            captured: Timestamp::from_micros(number * 40_000),
            payload: Buffer::unpooled(&vec![7; length]),
        };
        self.sealer.borrow_mut().seal(picture).unwrap()
    }
}
