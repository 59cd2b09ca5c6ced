//! What strangers at the door, members, and whoever sits on the wire may send to the keys.

use super::bend;
use crypto::{
    AdmissionKey, Group, Header, Identity, Invitation, Joiner, KeyRing, KnockRequest, Leaf, Opener, Profile,
    ReceivedFrame, Sealer,
};
use media::{BufferPool, Clock, Encoded, Layer, Size, Timestamp, VideoCodec};
use proto::{MeetingId, ParticipantId, Slot};
use std::cell::RefCell;
use std::time::Instant;

const MEETING: MeetingId = MeetingId([4; 16]);
const ADA: ParticipantId = ParticipantId(1);
const BOB: ParticipantId = ParticipantId(2);

/// A meeting of two, with all that there is to attack.
struct House {
    admission_key: AdmissionKey,
    ada: Group,
    bob: Group,
    ring: KeyRing,
    /// A request that nobody has opened.
    request: Vec<u8>,
    /// Attacks left until everything is made anew.
    left: u32,
}

thread_local! {
    static HOUSE: RefCell<Option<House>> = const { RefCell::new(None) };
}

impl House {
    /// Works with the thread's house, and builds a new one where there is none or it is worn.
    fn with(work: impl FnOnce(&mut Self)) {
        HOUSE.with_borrow_mut(|house| {
            if house.as_mut().is_none_or(|house| house.left == 0) {
                *house = Some(Self::build());
            }
            if let Some(house) = house {
                house.left -= 1;
                work(house);
            }
        });
    }

    fn build() -> Self {
        let identity = Identity::generate().expect("the system has randomness");
        let mut admission_key = AdmissionKey::new(MEETING).expect("the system has randomness");
        let mut ada = Group::create(&identity, profile("Ada"), ADA, MEETING).expect("a group can be made");
        let (joiner, request) = knock_at(&admission_key, BOB);
        let request = admission_key.open(&request).expect("the request is in order");
        let bob = let_in(&mut ada, joiner, request);
        let ring = KeyRing::new();
        ring.install(ada.media_keys().expect("it is a member"), &[Leaf(0), Leaf(1)], &[], Instant::now());
        let (_, request) = knock_at(&admission_key, ParticipantId(3));
        Self { admission_key, ada, bob, ring, request, left: 400 }
    }

    /// What can be put in the log: a commit that is never merged here, or something said.
    fn message(&mut self, commit: bool) -> Vec<u8> {
        let message = if commit {
            let staged = self.ada.refresh().map(|staged| staged.commit);
            self.ada.lost();
            staged
        } else {
            self.ada.seal_message(b"something")
        };
        message.expect("a member can speak")
    }
}

fn profile(name: &str) -> Profile {
    Profile::new(name).expect("it is a name")
}

fn knock_at(admission_key: &AdmissionKey, id: ParticipantId) -> (Joiner, Vec<u8>) {
    let identity = Identity::generate().expect("the system has randomness");
    let link = admission_key.invitation("meet.example", 443, None);
    crypto::knock(&link, admission_key.public_key(), &identity, profile("Bob"), id).expect("it is the right door")
}

fn let_in(ada: &mut Group, joiner: Joiner, request: KnockRequest) -> Group {
    let staged = ada.add(vec![request]).expect("the organiser may");
    ada.won().expect("a commit is pending");
    joiner.enter(&staged.welcome.unwrap_or_default()).expect("the welcome is for it")
}

/// A link from anywhere: what is read is written the same.
pub(super) fn invitation(bytes: &[u8]) {
    let Ok(read) = String::from_utf8_lossy(bytes).parse::<Invitation>() else { return };
    let text = read.to_string();
    assert_eq!(text.parse::<Invitation>().map(|again| again.to_string()), Ok(text));
}

/// A stranger's request.
pub(super) fn knock(bytes: &[u8]) {
    House::with(|house| {
        assert!(house.admission_key.open(bytes).is_err(), "nobody can write a request without the link");
    });
}

/// A good request, changed on its way.
pub(super) fn knock_bent(script: &[u8]) {
    House::with(|house| {
        let mut request = house.request.clone();
        if bend(&mut request, script) {
            assert!(house.admission_key.open(&request).is_err(), "a changed request is none");
        }
    });
}

/// A Welcome out of nowhere.
pub(super) fn welcome(bytes: &[u8]) {
    House::with(|house| {
        let (joiner, _) = knock_at(&house.admission_key, ParticipantId(3));
        assert!(joiner.enter(bytes).is_err(), "nobody can write a welcome without the request's keys");
    });
}

/// A message out of nowhere.
pub(super) fn mls(bytes: &[u8]) {
    House::with(|house| {
        let before = house.bob.epoch();
        assert!(house.bob.process(bytes, &|_| true).is_err(), "nobody can write a message without the group's keys");
        assert_eq!(house.bob.epoch(), before);
    });
}

/// A good message, changed on its way.
pub(super) fn mls_bent(script: &[u8]) {
    House::with(|house| {
        let mut message = house.message(script.first().is_some_and(|first| first & 0x80 != 0));
        if bend(&mut message, script) {
            assert!(house.bob.process(&message, &|_| true).is_err(), "a changed message is none");
        }
        // Noise takes nothing away: what is said next is understood.
        let next = house.message(false);
        assert!(house.bob.process(&next, &|_| true).is_ok());
    });
}

/// A frame out of nowhere, as a picture and as sound. The first byte is what its packets say of it.
pub(super) fn frame(bytes: &[u8]) {
    let (said, bytes) = bytes.split_first().unwrap_or((&0, &[]));
    House::with(|house| {
        let received = |slot| received(header(slot, *said), bytes);
        let opener = |slot| Opener::new(house.ring.clone(), slot, Leaf(u32::from(said & 1)), Clock::default());
        assert!(opener(Slot::Camera).open(received(Slot::Camera)).is_err());
        assert!(opener(Slot::Microphone).open_audio(received(Slot::Microphone)).is_err());
    });
}

/// A good frame, changed on its way.
pub(super) fn frame_bent(script: &[u8]) {
    House::with(|house| {
        let (header, whole) = seal(&house.ring);
        let mut bytes = whole.clone();
        let mut opener = Opener::new(house.ring.clone(), Slot::Camera, Leaf(0), Clock::default());
        if bend(&mut bytes, script) {
            assert!(opener.open(received(header, &bytes)).is_err(), "a changed frame is none");
        }
        assert!(opener.open(received(header, &whole)).is_ok(), "noise uses up no counter");
    });
}

fn seal(ring: &KeyRing) -> (Header, Vec<u8>) {
    let picture = Encoded {
        codec: VideoCodec::H264,
        layer: Layer { spatial: 1, temporal: 0 },
        size: Size::new(640, 360),
        key: true,
        discardable: false,
        number: 70_000,
        captured: Timestamp::from_micros(5_000_000),
        payload: BufferPool::new(1).copy(&[0, 0, 0, 2, 0x65, 0x88]),
    };
    let sealed = Sealer::new(ring.clone(), Slot::Camera).seal(picture).expect("there are keys");
    (*sealed.header(), sealed.bytes().to_vec())
}

fn header(slot: Slot, said: u8) -> Header {
    let layer = Layer { spatial: said >> 4 & 3, temporal: said >> 6 };
    let (key, discardable) = (said & 2 != 0, said & 4 != 0);
    Header { slot, layer, size: Size::new(640, 360), key, discardable, rtp_time: 0, voice: false }
}

fn received(header: Header, bytes: &[u8]) -> ReceivedFrame {
    ReceivedFrame { header, bytes: BufferPool::new(1).copy(bytes), sequence: 0, received: std::time::Instant::now() }
}

pub(super) fn invitations() -> Vec<Vec<u8>> {
    let admission_key = AdmissionKey::new(MEETING).expect("the system has randomness");
    let links = [
        admission_key.invitation("meet.example", 443, None),
        admission_key.invitation("192.0.2.7", 7_443, Some([3; 32])),
        admission_key.invitation("2001:db8::1", 65_535, Some([3; 32])),
    ];
    links.iter().map(|link| link.to_string().into_bytes()).collect()
}

pub(super) fn knocks() -> Vec<Vec<u8>> {
    let other = House::build();
    vec![other.request]
}

pub(super) fn welcomes() -> Vec<Vec<u8>> {
    let mut other = House::build();
    let request = other.admission_key.open(&other.request).expect("the request is in order");
    let staged = other.ada.add(vec![request]).expect("the organiser may");
    staged.welcome.into_iter().collect()
}

pub(super) fn messages() -> Vec<Vec<u8>> {
    let mut other = House::build();
    vec![other.message(true), other.message(false)]
}

pub(super) fn frames() -> Vec<Vec<u8>> {
    let (_, bytes) = seal(&House::build().ring);
    vec![[&[0x12], &bytes[..]].concat()]
}

/// Changes: none, a byte, a cut, more, less, several.
pub(super) fn scripts() -> Vec<Vec<u8>> {
    let steps: [&[u8]; 7] = [
        &[],
        &[0, 0, 20, 1, 0],
        &[1, 0, 30, 0, 0],
        &[3, 0, 0, 7, 1],
        &[4, 0, 4, 0, 8],
        &[0x80, 0, 17, 2, 0],
        &[0x80, 0, 17, 2, 0, 2, 0, 60, 9, 9, 4, 0, 9, 0, 1],
    ];
    steps.map(<[u8]>::to_vec).to_vec()
}
