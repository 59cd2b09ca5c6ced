//! Who has sealed a frame: signed digests, and an insider who has all keys but the signature key.

use super::{LEAVES, arrived, base_key, keys, ring, signatures};
use crate::digest_check::Authorship;
use crate::keyring::{Counters, KeyRing, MediaKeys, SignatureKeys};
use crate::memory::Secret;
use crate::open::{Error, Opener};
use crate::{Leaf, ReceivedFrame, Sealed, Sealer};
use media::{Buffer, Clock, Encoded, EncodedAudio, Layer, Timestamp};
use proto::{Epoch, Rights, Slot};
use std::time::{Duration, Instant};

/// Returns the keys of an insider at leaf 2 who seals as the member at leaf 1.
fn forged_keys(number: u64) -> MediaKeys {
    let own = signatures(2);
    let members = signatures(1).members;
    let signatures = SignatureKeys { ours: own.ours, members };
    MediaKeys::new(Epoch(number), Leaf(1), Secret::copy_of(&base_key(number)), Counters::new(), signatures)
}

fn forger() -> KeyRing {
    let ring = KeyRing::new();
    ring.install(forged_keys(1), &LEAVES, &[], Instant::now());
    ring
}

fn sound(number: u64) -> EncodedAudio {
    let mut sound = super::sound(number * 960, b"a packet of sound");
    sound.captured = Timestamp::from_micros(number * 20_000);
    sound
}

/// Pictures of three temporal layers at 30 per second.
fn picture(number: u64) -> Encoded {
    let mut picture = super::picture(number, number == 0);
    let temporal = [0, 2, 1, 2][(number % 4) as usize];
    picture.layer = Layer { spatial: 1, temporal };
    picture.captured = Timestamp::from_micros(number * 33_333);
    picture
}

/// A receiver of one track of the member at leaf 1, on its own clock.
struct Receiver {
    ring: KeyRing,
    opener: Opener,
    start: Instant,
}

impl Receiver {
    fn new(slot: Slot) -> Self {
        let (ring, start) = (ring(1, 3), Instant::now());
        let opener = Opener::new(ring.clone(), slot, Leaf(1), Clock::default());
        Self { ring, opener, start }
    }

    fn receive(&self, sealed: &Sealed, millis: u64) -> ReceivedFrame {
        ReceivedFrame { received: self.start + Duration::from_millis(millis), ..arrived(sealed) }
    }

    fn sound(&mut self, sealed: &Sealed, number: u64) -> Result<EncodedAudio, Error> {
        let frame = self.receive(sealed, number * 20);
        self.opener.open_audio(frame)
    }

    fn picture(&mut self, sealed: &Sealed, number: u64) -> Result<Encoded, Error> {
        let frame = self.receive(sealed, number * 33);
        self.opener.open(frame)
    }
}

#[test]
fn sound_and_pictures_of_their_owner_are_proven_and_unchanged() {
    let (mut sealer, mut receiver) = (Sealer::new(ring(1, 1), Slot::Microphone), Receiver::new(Slot::Microphone));
    for number in 0..100 {
        let opened = receiver.sound(&sealer.seal_audio(sound(number)).unwrap(), number).unwrap();
        assert_eq!(&*opened.payload, b"a packet of sound");
    }
    assert_eq!(receiver.opener.authorship(), Authorship::Proven);
    let (mut sealer, mut receiver) = (Sealer::new(ring(1, 1), Slot::Camera), Receiver::new(Slot::Camera));
    for number in 0..100 {
        let opened = receiver.picture(&sealer.seal(picture(number)).unwrap(), number).unwrap();
        assert_eq!(&*opened.payload, format!("picture {number}").as_bytes());
    }
    assert_eq!(receiver.opener.authorship(), Authorship::Proven);
}

#[test]
fn whoever_gets_only_the_lowest_temporal_layer_gets_the_digests() {
    let (mut sealer, mut receiver) = (Sealer::new(ring(1, 1), Slot::Camera), Receiver::new(Slot::Camera));
    for number in 0..300 {
        let frame = sealer.seal(picture(number)).unwrap();
        if frame.header().layer.temporal == 0 {
            receiver.picture(&frame, number).unwrap();
        }
    }
    assert_eq!(receiver.opener.authorship(), Authorship::Proven);
}

#[test]
fn an_insider_who_speaks_as_another_member_is_found_within_a_second_with_and_without_its_digests() {
    for own_digests_arrive in [true, false] {
        let (mut owner, mut forger) =
            (Sealer::new(ring(1, 1), Slot::Microphone), Sealer::new(forger(), Slot::Microphone));
        let mut receiver = Receiver::new(Slot::Microphone);
        let mut heard = 0;
        for number in 0..150 {
            let false_words = EncodedAudio { payload: Buffer::unpooled(b"other words"), ..sound(number) };
            let (real, false_one) = (owner.seal_audio(sound(number)).unwrap(), forger.seal_audio(false_words).unwrap());
            let has_digests = real.bytes().len() > 150;
            if number < 50 || own_digests_arrive && has_digests {
                receiver.sound(&real, number).ok();
            } else {
                heard += u32::from(receiver.sound(&false_one, number).is_ok());
            }
        }
        let expected = if own_digests_arrive { Authorship::Forged } else { Authorship::Unproven };
        assert_eq!(receiver.opener.authorship(), expected);
        assert!((1..=50).contains(&heard), "{heard} of 100 packets of 20 ms were heard");
    }
}

#[test]
fn frames_outside_the_rights_of_a_member_count_against_it_only_if_it_has_signed_them() {
    for by_owner in [true, false] {
        let keys = if by_owner { ring(1, 1) } else { forger() };
        let (mut sealer, mut receiver) = (Sealer::new(keys, Slot::Microphone), Receiver::new(Slot::Microphone));
        receiver.ring.set_rights(vec![(Leaf(1), Rights::ALL.without(Rights::MICROPHONE))]);
        let (mut dropped, mut signed) = (0, 0);
        for number in 0..100 {
            let error = receiver.sound(&sealer.seal_audio(sound(number)).unwrap(), number).unwrap_err();
            dropped += u64::from(error == Error::NotAllowed);
            signed += receiver.opener.take_outside_rights();
        }
        if by_owner {
            assert_eq!(dropped, 100);
            assert!((80..=100).contains(&signed), "{signed} of 100 frames; the newest are not proven yet");
        } else {
            assert!((1..=50).contains(&dropped) && signed == 0, "{dropped} and {signed}: the owner has sent nothing");
        }
    }
}

#[test]
fn digests_that_another_member_has_signed_prove_nothing() {
    let (mut forger, mut receiver) = (Sealer::new(forger(), Slot::Camera), Receiver::new(Slot::Camera));
    let seen = (0..150).filter(|number| receiver.picture(&forger.seal(picture(*number)).unwrap(), *number).is_ok());
    assert!(seen.count() <= 30, "pictures at 30 per second");
    assert_eq!(receiver.opener.authorship(), Authorship::Unproven);
}

#[test]
fn the_digests_of_an_epoch_come_with_the_next_one() {
    let ours = ring(1, 1);
    let (mut sealer, mut receiver) = (Sealer::new(ours.clone(), Slot::Microphone), Receiver::new(Slot::Microphone));
    let theirs = ring(1, 3);
    receiver.opener = Opener::new(theirs.clone(), Slot::Microphone, Leaf(1), Clock::default());
    for number in 0..20 {
        receiver.sound(&sealer.seal_audio(sound(number)).unwrap(), number).unwrap();
    }
    for ring in [&ours, &theirs] {
        ring.install(keys(2, if std::ptr::eq(ring, &raw const ours) { 1 } else { 3 }), &LEAVES, &[], Instant::now());
    }
    for number in 20..60 {
        receiver.sound(&sealer.seal_audio(sound(number)).unwrap(), number).unwrap();
    }
    assert_eq!(receiver.opener.authorship(), Authorship::Proven);
}

#[test]
fn pictures_are_proven_although_the_keys_change_five_times_a_second() {
    let (ours, theirs) = (ring(1, 1), ring(1, 3));
    let (mut sealer, mut receiver) = (Sealer::new(ours.clone(), Slot::Camera), Receiver::new(Slot::Camera));
    receiver.opener = Opener::new(theirs.clone(), Slot::Camera, Leaf(1), Clock::default());
    for number in 0..300 {
        if number % 6 == 5 {
            for (ring, me) in [(&ours, 1), (&theirs, 3)] {
                ring.install(
                    keys(2 + number / 6, me),
                    &LEAVES,
                    &[],
                    receiver.start + Duration::from_millis(number * 33),
                );
            }
        }
        let frame = sealer.seal(picture(number)).unwrap();
        if frame.header().layer.temporal == 0 {
            receiver.picture(&frame, number).unwrap();
        }
    }
    assert_eq!(receiver.opener.authorship(), Authorship::Proven);
}
