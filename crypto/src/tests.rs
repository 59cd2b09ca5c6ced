//! Tests of sealing and opening together.

mod classical;
mod digests;
mod frames;
mod oracle;
mod passive;
mod rfc9420;
#[cfg(target_os = "linux")]
pub(crate) mod scan;

use crate::keyring::{Counters, KeyRing, MediaKeys, SignatureKeys};
use crate::memory::Secret;
use crate::provider::SigningKey;
use crate::{Leaf, ReceivedFrame, Sealed};
use media::{AudioCodec, Buffer, Encoded, EncodedAudio, Layer, Level, Size, Timestamp, VideoCodec};
use proto::Epoch;
use std::sync::Arc;

/// Returns the base key that the tests' epoch `number` has, in every ring.
pub(super) fn base_key(number: u64) -> [u8; 32] {
    let mut key = [0x11; 32];
    key[..8].copy_from_slice(&number.to_be_bytes());
    key
}

/// Returns the key with which the member at `leaf` signs.
fn signing_key(leaf: u32) -> SigningKey {
    SigningKey::from_seed(Secret::copy_of(&[leaf.to_be_bytes()[3]; 32])).unwrap()
}

/// Returns the keys that sign digests, as the member at `me` has them.
pub(super) fn signatures(me: u32) -> SignatureKeys {
    let members = LEAVES.iter().map(|leaf| (*leaf, signing_key(leaf.0).public())).collect();
    SignatureKeys { ours: Arc::new(signing_key(me)), members }
}

/// Returns the keys of an epoch, as the member at `me` has them.
pub(super) fn keys(number: u64, me: u32) -> MediaKeys {
    MediaKeys::new(Epoch(number), Leaf(me), Secret::copy_of(&base_key(number)), Counters::new(), signatures(me))
}

/// Returns a ring in epoch `number`, held by the member at `me`, with members at leaves 0..4.
pub(super) fn ring(number: u64, me: u32) -> KeyRing {
    let ring = KeyRing::new();
    ring.install(keys(number, me), &LEAVES, &[], std::time::Instant::now());
    ring
}

pub(super) fn picture(number: u64, key: bool) -> Encoded {
    Encoded {
        codec: VideoCodec::H264,
        layer: Layer { spatial: 1, temporal: if key { 0 } else { 2 } },
        size: Size::new(640, 360),
        key,
        discardable: !key,
        number,
        captured: Timestamp::from_micros(1_000_000 + number * 33_333),
        payload: Buffer::unpooled(format!("picture {number}").as_bytes()),
    }
}

pub(super) fn sound(position: u64, payload: &[u8]) -> EncodedAudio {
    EncodedAudio {
        codec: AudioCodec::Opus,
        position,
        samples: 960,
        captured: Timestamp::from_micros(1_000_000 + position * 1_000 / 48),
        voice: true,
        level: Level::new(30),
        payload: Buffer::unpooled(payload),
    }
}

/// Returns the frame as the network delivers it.
pub(super) fn arrived(sealed: &Sealed) -> ReceivedFrame {
    ReceivedFrame {
        header: *sealed.header(),
        bytes: Buffer::unpooled(sealed.bytes()),
        sequence: 0,
        received: std::time::Instant::now(),
    }
}

pub(super) const LEAVES: [Leaf; 4] = [Leaf(0), Leaf(1), Leaf(2), Leaf(3)];

#[test]
fn all_exports_of_an_epoch_share_counters() {
    let counters = Counters::new();
    let make =
        || MediaKeys::new(Epoch(1), Leaf(0), Secret::copy_of(&base_key(1)), Arc::clone(&counters), signatures(0));
    let seal = |keys: MediaKeys| {
        let ring = KeyRing::new();
        ring.install(keys, &LEAVES, &[], std::time::Instant::now());
        let mut sealer = crate::Sealer::new(ring, proto::Slot::Camera);
        sealer.seal(picture(1, true)).unwrap().bytes().to_vec()
    };
    assert_ne!(seal(make()), seal(make()));
}

#[test]
#[cfg(target_os = "linux")]
fn an_expired_epoch_leaves_no_copy_of_its_base_key_in_memory() {
    let (base, now) = (Secret::random(32).unwrap(), std::time::Instant::now());
    let pattern = scan::Pattern::of(base.expose());
    let kid = crate::frame::Kid::new(proto::Slot::Camera, 1, Leaf(0), Epoch(1)).unwrap();
    let of_frames = scan::Pattern::of(crate::frame::Key::bytes(base.expose(), kid.number()).unwrap().as_slice());
    let ring = KeyRing::new();
    ring.install(MediaKeys::new(Epoch(1), Leaf(0), base, Counters::new(), signatures(0)), &LEAVES, &[], now);
    let mut sealer = crate::Sealer::new(ring.clone(), proto::Slot::Camera);
    sealer.seal(picture(1, true)).unwrap();
    assert!(pattern.count() >= 1 && of_frames.count() >= 1);
    ring.install(keys(2, 0), &LEAVES, &[], now);
    ring.expire(now + std::time::Duration::from_secs(2));
    sealer.seal(picture(2, true)).unwrap();
    assert_eq!((pattern.count(), of_frames.count()), (0, 0));
}

/// The thread of a camera may seal nothing more after its last frame.
#[test]
#[cfg(target_os = "linux")]
fn the_derivation_of_a_key_leaves_no_copy_on_the_stack() {
    let (base, now) = (Secret::random(32).unwrap(), std::time::Instant::now());
    let kid = crate::frame::Kid::new(proto::Slot::Camera, 1, Leaf(0), Epoch(1)).unwrap();
    let of_frames = scan::Pattern::of(crate::frame::Key::bytes(base.expose(), kid.number()).unwrap().as_slice());
    let ring = KeyRing::new();
    ring.install(MediaKeys::new(Epoch(1), Leaf(0), base, Counters::new(), signatures(0)), &LEAVES, &[], now);
    let barrier = std::sync::Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut sealer = crate::Sealer::new(ring.clone(), proto::Slot::Camera);
            sealer.seal(picture(1, true)).unwrap();
            barrier.wait();
            barrier.wait();
        });
        barrier.wait();
        ring.clear();
        let count = of_frames.count();
        barrier.wait();
        assert_eq!(count, 0, "the thread waits, and nothing overwrites its stack");
    });
}
