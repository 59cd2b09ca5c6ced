//! Tests from a sealer to an opener, through a network that modifies, replays and reorders frames.

use super::{LEAVES, arrived, keys, picture, ring, sound};
use crate::open::Error;
use crate::{KeyRing, Leaf, Opener, ReceivedFrame, Sealer, SoundCopy, seal};
use media::{Buffer, BufferPool, Clock, Layer, Timestamp};
use proto::{Rights, Slot};
use std::time::{Duration, Instant};

/// Returns the camera of the member at leaf 1, and an opener of it by the member at leaf 3.
fn pair() -> (Sealer, Opener) {
    let (theirs, ours) = (ring(1, 1), ring(1, 3));
    (Sealer::new(theirs, Slot::Camera), Opener::new(ours, Slot::Camera, Leaf(1), Clock::default()))
}

fn clock_at(micros: u64) -> Clock {
    Clock::new(Instant::now(), Timestamp::from_micros(micros))
}

#[test]
fn pictures_round_trip() {
    let (mut sealer, _) = pair();
    let mut opener = Opener::new(ring(1, 3), Slot::Camera, Leaf(1), clock_at(1_000_000));
    for number in [0, 1, 2, 300, 70_000] {
        let key = number == 0;
        let frame = sealer.seal(picture(number, key)).unwrap();
        let expected = picture(number, key);
        assert_eq!((frame.header().size, frame.header().key), (expected.size, key));
        let shown = opener.open(arrived(&frame)).unwrap();
        assert_eq!(&*shown.payload, &*expected.payload);
        assert_eq!((shown.layer, shown.key, shown.discardable), (expected.layer, key, !key));
        assert_eq!((shown.size, shown.captured), (expected.size, expected.captured));
        // 300 -> 70 000 is more than half a turn of 16 bits: the nearest number with these bits is another one.
        let unwrapped = if number == 70_000 { 70_000 - 65_536 } else { number };
        assert_eq!(shown.number, unwrapped);
    }
}

#[test]
fn audio_round_trips_and_its_length_is_padded() {
    let mut sealer = Sealer::new(ring(1, 1), Slot::Microphone);
    let mut opener = Opener::new(ring(1, 3), Slot::Microphone, Leaf(1), clock_at(1_000_000));
    let mut lengths = std::collections::HashSet::new();
    for length in 0..=60u8 {
        let payload = vec![length; usize::from(length)];
        let position = u64::from(u32::MAX) - 30 * 960 + u64::from(length) * 960;
        let frame = sealer.seal_audio(sound(position, &payload)).unwrap();
        lengths.insert(frame.bytes().len() - usize::from(length > 7));
        let shown = opener.open_audio(arrived(&frame)).unwrap();
        assert_eq!(&*shown.payload, payload.as_slice());
        assert_eq!((shown.position, shown.samples, shown.voice), (position, 960, true));
        assert_eq!(shown.level.minus_dbov(), 30);
    }
    assert!(lengths.len() <= 5, "{lengths:?}");
    let odd = media::EncodedAudio { samples: 961, ..sound(0, b"") };
    assert_eq!(sealer.seal_audio(odd).unwrap_err(), seal::Error::Length(961));
}

#[test]
fn copies_of_earlier_packets_round_trip() {
    let mut sealer = Sealer::new(ring(1, 1), Slot::Microphone);
    let mut opener = Opener::new(ring(1, 3), Slot::Microphone, Leaf(1), clock_at(1_000_000));
    let copy = |position, voice, payload| SoundCopy { position, voice, payload };
    sealer.seal_audio(sound(0, b"the first packet of the epoch")).unwrap();
    for (length, kept) in [(40, 3), (255, 3), (500, 1)] {
        let payload = vec![7; length];
        let copies = [copy(8 * 960, true, &[8; 90][..]), copy(7 * 960, false, &[9; 255]), copy(6 * 960, true, &[6])];
        let frame = sealer.seal_sound(sound(9 * 960, &payload), copies).unwrap();
        assert!(frame.bytes().len() <= 1_100, "{}", frame.bytes().len());
        let decrypted = opener.open_sound(arrived(&frame)).unwrap();
        let found: Vec<SoundCopy<'_>> = decrypted.copies().collect();
        match kept {
            3 => assert_eq!(found, copies),
            _ => assert_eq!(found, [copies[0], copies[2]], "the one that does not fit is left out"),
        }
        assert_eq!(decrypted.audio().position, 9 * 960);
        let packet = decrypted.into_packet();
        assert_eq!((packet.position, &*packet.payload), (9 * 960, payload.as_slice()));
    }
}

#[test]
fn only_three_copies_that_fit_are_sealed() {
    let mut sealer = Sealer::new(ring(1, 1), Slot::Microphone);
    let mut opener = Opener::new(ring(1, 3), Slot::Microphone, Leaf(1), clock_at(1_000_000));
    sealer.seal_audio(sound(0, b"first")).unwrap();
    let long = [1; 256];
    let copies = [20, 19, 18, 17, 16].map(|packet| {
        let payload = if packet == 19 { &long[..] } else { &long[..packet] };
        SoundCopy { position: packet as u64 * 960, voice: true, payload }
    });
    let frame = sealer.seal_sound(sound(20 * 960, b"opus"), copies).unwrap();
    let decrypted = opener.open_sound(arrived(&frame)).unwrap();
    let found: Vec<u64> = decrypted.copies().map(|copy| copy.position / 960).collect();
    assert_eq!(found, [18, 17, 16], "the packet itself and a long packet are no copies");
    // A position before the start of the track cannot be a copy's.
    let frame = sealer.seal_sound(sound(960, b"opus"), [SoundCopy { position: 0, voice: true, payload: b"first" }]);
    assert_eq!(opener.open_sound(arrived(&frame.unwrap())).unwrap().copies().count(), 1);
}

#[test]
fn a_frame_has_no_copy_of_sound_from_before_its_epoch() {
    let theirs = ring(1, 1);
    let mut sealer = Sealer::new(theirs.clone(), Slot::Microphone);
    let copy = |packet: u64| SoundCopy { position: packet * 960, voice: true, payload: b"copy" };
    let mut seal =
        |packet: u64| sealer.seal_sound(sound(packet * 960, b"opus"), [copy(packet - 1), copy(packet - 2)]).unwrap();
    (4..10).for_each(|packet| drop(seal(packet)));
    theirs.install(keys(2, 1), &LEAVES, &[], Instant::now());
    // A member that joins in epoch 2.
    let mut opener = Opener::new(ring(2, 3), Slot::Microphone, Leaf(1), clock_at(1_000_000));
    for (packet, copied) in [(10, &[][..]), (11, &[10]), (12, &[11, 10])] {
        let decrypted = opener.open_sound(arrived(&seal(packet))).unwrap();
        let found: Vec<u64> = decrypted.copies().map(|copy| copy.position / 960).collect();
        assert_eq!(found, copied, "packet {packet}");
    }
}

#[test]
fn every_truncation_and_every_changed_bit_is_rejected() {
    for key in [true, false] {
        let (mut sealer, mut opener) = pair();
        let frame = sealer.seal(picture(1, key)).unwrap();
        let bytes = frame.bytes().to_vec();
        let mut try_open = |bytes: &[u8]| {
            opener.open(ReceivedFrame {
                header: *frame.header(),
                bytes: Buffer::unpooled(bytes),
                sequence: 0,
                received: Instant::now(),
            })
        };
        for length in 0..bytes.len() {
            assert!(try_open(&bytes[..length]).is_err());
        }
        assert!(try_open(&[bytes.clone(), vec![0]].concat()).is_err());
        for at in 0..bytes.len() * 8 {
            let mut broken = bytes.clone();
            broken[at / 8] ^= 1 << (at % 8);
            assert!(try_open(&broken).is_err(), "bit {at}");
        }
        assert!(try_open(&bytes).is_ok(), "no invalid frame has blocked the counter");
    }
}

#[test]
fn every_truncation_of_audio_is_rejected() {
    let mut sealer = Sealer::new(ring(1, 1), Slot::Microphone);
    let mut opener = Opener::new(ring(1, 3), Slot::Microphone, Leaf(1), Clock::default());
    let frame = sealer.seal_audio(sound(0, b"opus")).unwrap();
    for length in 0..frame.bytes().len() {
        let bytes = Buffer::unpooled(&frame.bytes()[..length]);
        assert!(
            opener
                .open_audio(ReceivedFrame { header: *frame.header(), bytes, sequence: 0, received: Instant::now() })
                .is_err()
        );
    }
    assert!(opener.open_audio(arrived(&frame)).is_ok());
}

#[test]
fn no_frame_is_opened_twice() {
    let (mut sealer, _) = pair();
    let ours = ring(1, 3);
    let mut opener = Opener::new(ours.clone(), Slot::Camera, Leaf(1), Clock::default());
    let frames: Vec<_> = (0..1_100).map(|number| sealer.seal(picture(number, false)).unwrap()).collect();
    // Frames may arrive out of order, but not twice.
    for frame in frames[..1_000].iter().rev() {
        opener.open(arrived(frame)).unwrap();
    }
    for frame in &frames[..1_000] {
        assert_eq!(opener.open(arrived(frame)).unwrap_err(), Error::Replayed);
    }
    // Replay protection continues after a new subscription.
    drop(opener);
    let mut opener = Opener::new(ours, Slot::Camera, Leaf(1), Clock::default());
    assert_eq!(opener.open(arrived(&frames[999])).unwrap_err(), Error::Replayed);
    opener.open(arrived(&frames[1_099])).unwrap();
    assert_eq!(opener.open(arrived(&frames[75])).unwrap_err(), Error::Replayed, "too old for the window");
    opener.open(arrived(&frames[1_050])).unwrap();
}

#[test]
fn a_frame_of_another_member_or_track_is_rejected() {
    let (mut sealer, _) = pair();
    let frame = sealer.seal(picture(1, true)).unwrap();
    let mut other_leaf = Opener::new(ring(1, 3), Slot::Camera, Leaf(2), Clock::default());
    assert_eq!(other_leaf.open(arrived(&frame)).unwrap_err(), Error::Contradiction);
    let mut other_slot = Opener::new(ring(1, 3), Slot::Screen, Leaf(1), Clock::default());
    assert_eq!(other_slot.open(arrived(&frame)).unwrap_err(), Error::Contradiction);
    let mut sound = Opener::new(ring(1, 3), Slot::Microphone, Leaf(1), Clock::default());
    assert!(sound.open_audio(arrived(&frame)).is_err());
    let mut stranger = Opener::new(KeyRing::new(), Slot::Camera, Leaf(1), Clock::default());
    assert_eq!(stranger.open(arrived(&frame)).unwrap_err(), Error::UnknownKey);
}

#[test]
fn packet_headers_must_match_the_encrypted_header() {
    let (mut sealer, mut opener) = pair();
    let changes: [fn(&mut ReceivedFrame); 4] = [
        |frame| frame.header.layer = Layer { spatial: 0, temporal: 2 },
        |frame| frame.header.layer = Layer { spatial: 1, temporal: 0 },
        |frame| frame.header.key = true,
        |frame| frame.header.slot = Slot::Screen,
    ];
    for (number, change) in (0..).zip(changes) {
        let mut frame = arrived(&sealer.seal(picture(number, false)).unwrap());
        change(&mut frame);
        assert_eq!(opener.open(frame).unwrap_err(), Error::Contradiction);
    }
    // An SFU may rewrite RTP timestamps; the opener ignores them.
    let mut frame = arrived(&sealer.seal(picture(9, false)).unwrap());
    frame.header.rtp_time ^= 0xffff;
    assert!(opener.open(frame).is_ok());
}

#[test]
fn the_epoch_changes_while_frames_flow() {
    let (theirs, ours) = (ring(1, 1), ring(1, 3));
    let mut sealer = Sealer::new(theirs.clone(), Slot::Camera);
    let mut opener = Opener::new(ours.clone(), Slot::Camera, Leaf(1), Clock::default());
    opener.open(arrived(&sealer.seal(picture(0, true)).unwrap())).unwrap();
    let late = sealer.seal(picture(1, false)).unwrap();
    // The sender processes the commit first. Its frames of the new epoch wait for the receiver's commit.
    theirs.install(keys(2, 1), &LEAVES, &[], Instant::now());
    let early = sealer.seal(picture(2, false)).unwrap();
    assert_eq!(opener.open(arrived(&early)).unwrap_err(), Error::UnknownKey);
    ours.install(keys(2, 3), &LEAVES, &[], Instant::now());
    opener.open(arrived(&early)).unwrap();
    opener.open(arrived(&late)).unwrap();
    opener.open(arrived(&sealer.seal(picture(3, false)).unwrap())).unwrap();
    assert_eq!(ours.epoch().map(|epoch| epoch.0), Some(2));
}

fn ago(millis: u64) -> Instant {
    Instant::now().checked_sub(Duration::from_millis(millis)).unwrap()
}

/// Opens a frame of leaf 1 in epoch 1 that arrived `arrival` ms ago. A commit ended epoch 1 `ended` ms ago.
fn late(removed: &[Leaf], ended: u64, arrival: u64) -> Option<Error> {
    let ours = ring(1, 3);
    let mut sealer = Sealer::new(ring(1, 1), Slot::Camera);
    let clock = Clock::new(ago(5_000), Timestamp::default());
    let mut opener = Opener::new(ours.clone(), Slot::Camera, Leaf(1), clock);
    opener.open(arrived(&sealer.seal(picture(0, true)).unwrap())).unwrap();
    ours.install(keys(2, 3), &LEAVES, removed, ago(ended));
    let frame = ReceivedFrame { received: ago(arrival), ..arrived(&sealer.seal(picture(1, false)).unwrap()) };
    let outcome = opener.open(frame).err();
    // Without readers, the caller expires old epochs.
    ours.expire(Instant::now() + Duration::from_secs(3));
    assert_eq!(ours.view(Leaf(1)).epochs.len(), 1);
    outcome
}

#[test]
fn old_keys_are_dropped_even_without_frames() {
    let ours = ring(1, 1);
    let mut sealer = Sealer::new(ours.clone(), Slot::Camera);
    let mut opener = Opener::new(ours.clone(), Slot::Camera, Leaf(1), Clock::default());
    opener.open(arrived(&sealer.seal(picture(0, true)).unwrap())).unwrap();
    let (_, old) = ours.newest().unwrap();
    let now = Instant::now();
    ours.install(keys(2, 1), &LEAVES, &[], now);
    assert!(old.upgrade().is_some());
    ours.expire(now + Duration::from_secs(2));
    assert!(old.upgrade().is_none(), "the old keys are still referenced");
    opener.open(arrived(&sealer.seal(picture(1, true)).unwrap())).unwrap();
    let (_, new) = ours.newest().unwrap();
    ours.clear();
    assert!(new.upgrade().is_none(), "no keys after clear");
}

#[test]
fn the_grace_period_is_shorter_after_a_removal() {
    let removed = [Leaf(0)];
    for (removed, age, outcome) in [
        ([].as_slice(), 1_000, None),
        (&[], 1_700, Some(Error::TooLate)),
        (&[], 2_500, Some(Error::TooLate)),
        (&removed, 100, None),
        (&removed, 500, Some(Error::TooLate)),
    ] {
        assert_eq!(late(removed, age, 0), outcome, "{removed:?} {age}");
    }
}

#[test]
fn a_frame_that_arrived_in_time_is_opened_until_the_keys_are_dropped() {
    let removed = [Leaf(0)];
    assert_eq!(late(&removed, 1_000, 900), None, "100 ms after the removal");
    assert_eq!(late(&removed, 1_000, 500), Some(Error::TooLate), "500 ms after the removal");
    assert_eq!(late(&[], 1_800, 1_000), None);
    assert_eq!(late(&[], 2_100, 2_050), Some(Error::TooLate), "no key is kept longer than 2 s");
    assert_eq!(late(&removed, 2_100, 2_050), Some(Error::TooLate));
}

#[test]
fn frames_from_before_joining_or_after_leaving_are_not_failures() {
    for first in [1, 5, 255, 256, 257] {
        let ours = ring(first, 3);
        let mut opener = Opener::new(ours.clone(), Slot::Camera, Leaf(1), Clock::default());
        let mut open =
            |epoch| opener.open(arrived(&Sealer::new(ring(epoch, 1), Slot::Camera).seal(picture(0, true)).unwrap()));
        assert_eq!(open(first - 1).unwrap_err(), Error::BeforeUs);
        assert_eq!(open(first + 1).unwrap_err(), Error::UnknownKey);
        open(first).unwrap();
        for epoch in 1..=3 {
            ours.install(keys(first + epoch, 3), &LEAVES, &[], Instant::now());
        }
        assert_eq!(open(first - 1).unwrap_err(), Error::BeforeUs, "also after later epochs");
        open(first + 1).unwrap();
        ours.clear();
        assert_eq!(open(first + 1).unwrap_err(), Error::AfterUs);
        // Keys installed after `clear` are ignored.
        ours.install(keys(first + 4, 3), &LEAVES, &[], Instant::now());
        assert_eq!((open(first + 4).unwrap_err(), ours.epoch()), (Error::AfterUs, None));
    }
    let mut opener = Opener::new(ring(3, 3), Slot::Camera, Leaf(1), Clock::default());
    let never = arrived(&Sealer::new(ring(200, 1), Slot::Camera).seal(picture(0, true)).unwrap());
    assert!(!opener.is_early(&never), "a frame of an epoch too far ahead does not wait");
    assert_eq!(opener.open(never).unwrap_err(), Error::UnknownKey);
}

#[test]
fn frames_of_a_removed_leaf_are_rejected_immediately() {
    let (theirs, ours) = (ring(1, 1), ring(1, 3));
    let mut sealer = Sealer::new(theirs.clone(), Slot::Camera);
    let mut opener = Opener::new(ours.clone(), Slot::Camera, Leaf(1), Clock::default());
    opener.open(arrived(&sealer.seal(picture(0, true)).unwrap())).unwrap();
    let late = sealer.seal(picture(1, false)).unwrap();
    ours.install(keys(2, 3), &[Leaf(0), Leaf(2), Leaf(3)], &[Leaf(1)], Instant::now());
    assert_eq!(opener.open(arrived(&late)).unwrap_err(), Error::NotAMember);
    theirs.clear();
    assert_eq!(sealer.seal(picture(2, false)).unwrap_err(), seal::Error::NoKeys);
}

#[test]
fn frames_outside_the_rights_of_their_sender_are_authenticated_and_dropped() {
    let ours = ring(1, 3);
    let theirs = ring(1, 1);
    let mut camera = Sealer::new(theirs.clone(), Slot::Camera);
    let mut voice = Sealer::new(theirs, Slot::Microphone);
    let mut see = Opener::new(ours.clone(), Slot::Camera, Leaf(1), Clock::default());
    let mut hear = Opener::new(ours.clone(), Slot::Microphone, Leaf(1), Clock::default());
    see.open(arrived(&camera.seal(picture(0, true)).unwrap())).unwrap();
    ours.set_rights(vec![(Leaf(2), Rights::NONE), (Leaf(1), Rights::ALL.without(Rights::CAMERA))]);
    let dropped = camera.seal(picture(1, false)).unwrap();
    assert_eq!(see.open(arrived(&dropped)).unwrap_err(), Error::NotAllowed);
    hear.open_audio(arrived(&voice.seal_audio(sound(0, b"")).unwrap())).unwrap();
    // Nobody is blamed for a frame that somebody else made.
    let mut forged = arrived(&camera.seal(picture(2, false)).unwrap());
    let last = forged.bytes.len() - 1;
    forged.bytes[last] ^= 1;
    assert_eq!(see.open(forged).unwrap_err(), Error::NotAuthentic);
    ours.set_rights(vec![(Leaf(1), Rights::ALL)]);
    assert_eq!(see.open(arrived(&dropped)).unwrap_err(), Error::Replayed, "it is not shown later");
    see.open(arrived(&camera.seal(picture(3, false)).unwrap())).unwrap();
}

#[test]
fn the_next_owner_of_a_leaf_does_not_get_the_track() {
    let ours = ring(1, 3);
    let mut first = Opener::new(ours.clone(), Slot::Camera, Leaf(1), Clock::default());
    first.open(arrived(&Sealer::new(ring(1, 1), Slot::Camera).seal(picture(0, true)).unwrap())).unwrap();
    // One commit removes leaf 1 and adds another member there.
    ours.install(keys(2, 3), &LEAVES, &[Leaf(1)], Instant::now());
    let mut newcomer = Sealer::new(ring(2, 1), Slot::Camera);
    let frame = newcomer.seal(picture(0, true)).unwrap();
    assert_eq!(first.open(arrived(&frame)).unwrap_err(), Error::NotAMember);
    let mut second = Opener::new(ours.clone(), Slot::Camera, Leaf(1), Clock::default());
    second.open(arrived(&frame)).unwrap();
    // Later commits do not change the leaf.
    ours.install(keys(3, 3), &LEAVES, &[Leaf(0)], Instant::now());
    second.open(arrived(&newcomer.seal(picture(1, false)).unwrap())).unwrap();
}

#[test]
fn a_member_that_enters_again_opens_the_tracks_of_those_who_stayed_and_of_nobody_else() {
    let ours = ring(1, 3);
    let opener = |leaf| Opener::new(ours.clone(), Slot::Camera, Leaf(leaf), Clock::default());
    let (mut stayed, mut left) = (opener(1), opener(0));
    for (leaf, opener) in [(1, &mut stayed), (0, &mut left)] {
        opener.open(arrived(&Sealer::new(ring(1, leaf), Slot::Camera).seal(picture(0, true)).unwrap())).unwrap();
    }
    let all = || LEAVES.map(|leaf| (leaf, Rights::ALL)).to_vec();
    ours.install_again(keys(5, 3), all(), &[Leaf(0)]);
    stayed.open(arrived(&Sealer::new(ring(5, 1), Slot::Camera).seal(picture(0, true)).unwrap())).unwrap();
    let of_next = Sealer::new(ring(5, 0), Slot::Camera).seal(picture(0, true)).unwrap();
    assert_eq!(left.open(arrived(&of_next)).unwrap_err(), Error::NotAMember);
    assert_eq!(ours.held(), 1, "no old keys are left");
    // Nobody sends what it may not between the keys and the list of members.
    let stopped = LEAVES.map(|leaf| (leaf, if leaf == Leaf(1) { Rights::NONE } else { Rights::ALL }));
    ours.install_again(keys(6, 3), stopped.to_vec(), &[]);
    let of_stopped = Sealer::new(ring(6, 1), Slot::Camera).seal(picture(0, true)).unwrap();
    assert_eq!(stayed.open(arrived(&of_stopped)).unwrap_err(), Error::NotAllowed);
    ours.clear();
    ours.install_again(keys(7, 3), all(), &[]);
    assert_eq!(ours.held(), 0, "who has left has no keys");
}

#[test]
fn wrapped_epoch_bits_mean_the_newest_epoch() {
    let ours = ring(1, 3);
    let mut opener = Opener::new(ours.clone(), Slot::Camera, Leaf(1), Clock::default());
    let mut old = Sealer::new(ring(1, 1), Slot::Camera);
    opener.open(arrived(&old.seal(picture(0, true)).unwrap())).unwrap();
    ours.install(keys(257, 3), &LEAVES, &[], Instant::now());
    let mut new = Sealer::new(ring(257, 1), Slot::Camera);
    opener.open(arrived(&new.seal(picture(1, false)).unwrap())).unwrap();
    assert_eq!(opener.open(arrived(&old.seal(picture(2, false)).unwrap())).unwrap_err(), Error::NotAuthentic);
    // An epoch that is not newer has no effect.
    ours.install(keys(256, 3), &LEAVES, &[], Instant::now());
    assert_eq!(ours.epoch().map(|epoch| epoch.0), Some(257));
}

#[test]
fn a_camera_switched_off_and_on_repeats_no_counter() {
    let theirs = ring(1, 1);
    let mut seen = std::collections::HashSet::new();
    for _ in 0..20 {
        let mut sealer = Sealer::new(theirs.clone(), Slot::Camera);
        assert!(seen.insert(sealer.seal(picture(0, true)).unwrap().bytes().to_vec()));
    }
    let mut opener = Opener::new(ring(1, 3), Slot::Camera, Leaf(1), Clock::default());
    for bytes in seen {
        let header = *Sealer::new(theirs.clone(), Slot::Camera).seal(picture(0, true)).unwrap().header();
        opener
            .open(ReceivedFrame { header, bytes: Buffer::unpooled(&bytes), sequence: 0, received: Instant::now() })
            .unwrap();
    }
}

#[test]
fn a_frame_stays_in_its_buffer() {
    let (mut sealer, mut opener) = pair();
    let pool = BufferPool::new(1);
    // The pool's buffer grows with the first frame and then keeps its size.
    let mut addresses = Vec::new();
    for number in 0..50 {
        let payload = pool.copy(&[number; 900]);
        let address = payload.as_ptr() as usize;
        let frame = sealer.seal(media::Encoded { payload, ..picture(u64::from(number), false) }).unwrap();
        let header = *frame.header();
        let bytes = frame.into_bytes();
        let shown = opener.open(ReceivedFrame { header, bytes, sequence: 0, received: Instant::now() }).unwrap();
        assert_eq!(shown.payload.as_ptr() as usize, address);
        addresses.push(address);
    }
    addresses.dedup();
    assert!(addresses.len() <= 2, "{addresses:?}");
}

#[test]
fn layers_without_a_key_id_are_refused() {
    let (mut sealer, _) = pair();
    let eighth = media::Encoded { layer: Layer { spatial: 8, temporal: 0 }, ..picture(0, true) };
    assert_eq!(sealer.seal(eighth).unwrap_err(), seal::Error::NoLayer);
    let mut far = Sealer::new(ring(1, 1024), Slot::Camera);
    assert_eq!(far.seal(picture(0, true)).unwrap_err(), seal::Error::NoLayer);
}

#[test]
fn a_frame_of_a_future_epoch_is_early_and_opens_with_its_key() {
    let ours = ring(1, 3);
    let mut opener = Opener::new(ours.clone(), Slot::Camera, Leaf(1), Clock::default());
    let now = Sealer::new(ring(1, 1), Slot::Camera).seal(picture(0, true)).unwrap();
    let next = Sealer::new(ring(2, 1), Slot::Camera).seal(picture(1, true)).unwrap();
    assert!(!opener.is_early(&arrived(&now)) && opener.is_early(&arrived(&next)));
    ours.install(keys(2, 3), &LEAVES, &[], Instant::now());
    assert!(!opener.is_early(&arrived(&next)));
    opener.open(arrived(&next)).unwrap();
    ours.install(keys(3, 3), &LEAVES, &[], Instant::now());
    assert!(!opener.is_early(&arrived(&next)), "an old epoch is not a future one");
}
