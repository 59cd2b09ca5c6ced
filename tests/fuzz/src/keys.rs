//! Fuzz targets for the crate `crypto`: what strangers, members and the network may send.

use super::mutate;
use crypto::group::edits::edited_policy;
use crypto::{
    AuthorityChain, DeviceKey, Envelope, Fingerprint, Gone, Group, Header, Identity, Invitation, Joiner, KeyRing,
    KnockRequest, Leaf, LobbyKey, LobbyMessage, MAX_COPY_BYTES, MAX_LOBBY_CONTENT, ManagerKeys, MeetingPolicy, Opener,
    PolicyEdit, Profile, ReceivedFrame, Sealer, SealingKey, SoundLayout,
};
use media::{BufferPool, Clock, Encoded, Layer, Size, Timestamp, VideoCodec};
use net::meeting::{MAX_LOBBY_TEXT, lobby_text};
use proto::{MeetingId, ParticipantId, Rights, Role, Slot};
use std::cell::RefCell;
use std::time::{Instant, SystemTime};

pub(super) const ADA: ParticipantId = ParticipantId(1);
pub(super) const BOB: ParticipantId = ParticipantId(2);

/// A meeting of two members, and the parts of it that an attacker can send to.
struct Fixture {
    keys: ManagerKeys,
    ada: Group,
    bob: Group,
    ring: KeyRing,
    /// A valid request that was not opened.
    request: Vec<u8>,
    /// The number of inputs until the fixture is built again.
    inputs_left: u32,
}

/// Reads names: of participants, and of the user of this computer.
pub(super) fn name(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(profile) = Profile::new(&text) {
        let kept = &profile.name;
        assert!(!kept.is_empty() && kept.chars().count() <= 64 && !kept.chars().any(char::is_control));
        assert_eq!(Profile::new(kept).map(|again| again.name).ok().as_ref(), Some(kept), "a kept name stays the same");
    }
    if let Some(fitted) = crypto::name::fitted(&text) {
        assert_eq!(Profile::new(&fitted).map(|profile| profile.name).ok(), Some(fitted), "it is allowed");
    }
    let skeleton = crypto::name::skeleton(&text);
    // One letter may look like a few others.
    assert!(skeleton.chars().count() <= 32 * text.chars().count());
    mixed_script(&text);
}

/// Asserts what holds for each name: the order of the letters does not matter, more letters never make it harmless, ASCII alone is
/// never mixed, and with a Cyrillic letter it always is.
fn mixed_script(text: &str) {
    let is_mixed = crypto::name::is_mixed_script;
    let reversed: String = text.chars().rev().collect();
    assert_eq!(is_mixed(text), is_mixed(&reversed), "the order of the letters");
    let with_cyrillic = format!("{text}\u{430}");
    assert!(!is_mixed(text) || is_mixed(&with_cyrillic), "more letters");
    if text.is_ascii() {
        let has_letter = text.chars().any(|character| character.is_ascii_alphabetic());
        assert_eq!((is_mixed(text), is_mixed(&with_cyrillic)), (false, has_letter), "ASCII");
    }
}

pub(super) fn names() -> Vec<Vec<u8>> {
    let long = "e\u{301}\u{302}\u{303}\u{304}".repeat(40);
    let names = [
        "Anne Martin",
        "\u{430}nne",
        "\u{200b}\u{3164}",
        "\u{202e}enna",
        "A\u{7}B",
        "山田 太郎",
        "rnarie",
        "\u{1f468}\u{200d}\u{1f469}",
        "\u{1d400}\u{fb01}\u{2167}",
        &long,
    ];
    names.map(|name| name.as_bytes().to_vec()).into()
}

thread_local! {
    static FIXTURE: RefCell<Option<Fixture>> = const { RefCell::new(None) };
}

impl Fixture {
    /// Runs `test` with the fixture of this thread, which is built again after a number of inputs.
    fn with(test: impl FnOnce(&mut Self)) {
        FIXTURE.with_borrow_mut(|fixture| {
            if fixture.as_mut().is_none_or(|fixture| fixture.inputs_left == 0) {
                *fixture = Some(Self::build());
            }
            if let Some(fixture) = fixture {
                fixture.inputs_left -= 1;
                test(fixture);
            }
        });
    }

    fn build() -> Self {
        let identity = Identity::generate().expect("the system has randomness");
        let (mut keys, now) = (ManagerKeys::new().expect("the system has randomness"), SystemTime::now());
        let mut ada = Group::create(&identity, profile("Ada"), ADA, &keys, now).expect("a group is created");
        let (joiner, request) = knock_at(&keys, BOB);
        let request = keys.open(&request, now).expect("the request is valid");
        let bob = admit(&mut ada, joiner, request);
        let ring = KeyRing::new();
        ring.install(ada.media_keys().expect("Ada is a member"), &[Leaf(0), Leaf(1)], &[], Instant::now());
        let (_, request) = knock_at(&keys, ParticipantId(3));
        Self { keys, ada, bob, ring, request, inputs_left: 400 }
    }

    /// Returns a message for the log: a commit that is never merged here, or an application message.
    fn message(&mut self, commit: bool) -> Vec<u8> {
        let message = if commit {
            let staged = self.ada.refresh().map(|staged| staged.commit);
            self.ada.clear_pending_commit();
            staged
        } else {
            self.ada.seal_message(b"something")
        };
        message.expect("a member can send")
    }
}

pub(super) fn profile(name: &str) -> Profile {
    Profile::new(name).expect("a valid name")
}

pub(super) fn knock_at(keys: &ManagerKeys, id: ParticipantId) -> (Joiner, Vec<u8>) {
    let identity = Identity::generate().expect("the system has randomness");
    let (link, chain, now) = (keys.invitation("meet.example", 443, None), keys.chain().encode(), SystemTime::now());
    crypto::knock(&link, keys.public_key(), &chain, &identity, profile("Bob"), id, now)
        .expect("the link contains the hash of these keys")
}

fn admit(ada: &mut Group, joiner: Joiner, request: KnockRequest) -> Group {
    let staged = ada.add(vec![request]).expect("an organiser can add members");
    ada.merge_pending_commit().expect("a commit is pending");
    joiner
        .enter(&staged.welcome.unwrap_or_default(), &staged.tree.unwrap_or_default())
        .expect("the Welcome is for this joiner")
}

/// Parses a link. A parsed link that is written and parsed again is the same.
pub(super) fn invitation(bytes: &[u8]) {
    let Ok(read) = String::from_utf8_lossy(bytes).parse::<Invitation>() else { return };
    let text = read.to_text();
    assert_eq!(text.parse::<Invitation>().map(|again| again.to_text()), Ok(text));
}

/// Decodes and verifies a chain of authorities. A decoded chain is encoded to the same bytes.
pub(super) fn authority_chain(bytes: &[u8]) {
    let Ok(chain) = AuthorityChain::decode(bytes) else { return };
    assert_eq!(chain.encode(), bytes);
    // The result depends on the bytes.
    let _ = chain.verify(chain.meeting(), chain.current().binding());
}

/// Decodes a policy of the group. A decoded policy is encoded to the same bytes, and gives nobody a right that the role cannot
/// have.
pub(super) fn policy(bytes: &[u8]) {
    let Some(policy) = MeetingPolicy::decode(bytes) else { return };
    assert_eq!(policy.encode(), bytes);
    assert_eq!(policy.people().iter().filter(|person| person.role == Role::Organiser).count(), 1);
    for person in policy.people() {
        let rights = policy.rights_of(person.device, person.participant);
        assert!(person.role.possible_rights().contains(rights));
        assert!(!policy.is_barred(person.device));
    }
}

/// Policies of a new meeting, and of one with roles, exceptions, barred devices and other keys.
pub(super) fn policies() -> Vec<Vec<u8>> {
    let mut fixture = Fixture::build();
    let bob = fixture.ada.members()[1].clone();
    let edits = [
        PolicyEdit::SetRole(bob.device, bob.participant, Role::CoOrganiser),
        PolicyEdit::Withdraw(bob.device, bob.participant, Rights::RECORD),
        PolicyEdit::Bar(DeviceKey([7; 32])),
        PolicyEdit::SetEveryone(Role::Guest),
    ];
    let later = edited_policy(fixture.ada.policy(), &edits, true, &mut fixture.keys).expect("the organiser's policy");
    vec![fixture.ada.policy().encode(), later.encode()]
}

/// Opens keys that no manager has sealed. This must fail.
pub(super) fn manager_keys(bytes: &[u8]) {
    thread_local! {
        static KEY: SealingKey = SealingKey::generate().expect("the system has randomness");
    }
    let envelope = Envelope { meeting: MeetingId([1; 16]), from: ADA, to: BOB };
    KEY.with(|key| assert!(key.open(bytes, envelope).is_none(), "no manager has sealed them for this key"));
}

/// Keys that are sealed for another key.
pub(super) fn sealed_keys() -> Vec<Vec<u8>> {
    let (keys, other) = (ManagerKeys::new(), SealingKey::generate());
    let (keys, other) = (keys.expect("randomness"), other.expect("randomness"));
    let envelope = Envelope { meeting: MeetingId([1; 16]), from: ADA, to: BOB };
    vec![keys.shared().seal(other.public(), envelope).expect("the key is valid")]
}

/// Opens a message of a lobby chat that nobody who has the key has sealed. This must fail. Then seals the
/// bytes: they are the same after opening, and bounded. The text in an opened message is bounded, and without control characters.
pub(super) fn lobby(bytes: &[u8]) {
    thread_local! {
        static KEY: LobbyKey = LobbyKey::generate(MeetingId([1; 16]), BOB).expect("the system has randomness");
    }
    KEY.with(|key| {
        for from in [ADA, BOB] {
            assert!(key.open(from, bytes).is_none(), "nobody has sealed it with this key");
        }
        let message = LobbyMessage { counter: 1, content: bytes.to_vec() };
        match key.seal(ADA, &message) {
            Ok(sealed) => {
                assert!(sealed.len() <= proto::MAX_LOBBY);
                assert_eq!(key.open(ADA, &sealed), Some(message));
            }
            Err(_) => assert!(bytes.len() > MAX_LOBBY_CONTENT),
        }
    });
    if let Some(text) = lobby_text(bytes) {
        assert!(!text.is_empty() && text.len() <= MAX_LOBBY_TEXT);
        assert!(!text.chars().any(|letter| letter.is_control() && letter != '\n'));
    }
}

/// Messages that are sealed with another key, and contents of messages.
pub(super) fn lobby_messages() -> Vec<Vec<u8>> {
    let key = LobbyKey::generate(MeetingId([1; 16]), BOB).expect("the system has randomness");
    let message = |length| LobbyMessage { counter: 7, content: vec![b'a'; length] };
    let sealed = [5, 700].map(|length| key.seal(ADA, &message(length)).expect("it is short"));
    // {0}, and {1, "Hello"}.
    sealed.into_iter().chain([vec![0x82, 0, 0x80], vec![0x82, 1, 0x81, 0x65, b'H', b'e', b'l', b'l', b'o']]).collect()
}

/// Opens a request that was made without the link. This must fail.
pub(super) fn knock(bytes: &[u8]) {
    Fixture::with(|fixture| {
        assert!(fixture.keys.open(bytes, SystemTime::now()).is_err(), "no request is valid without the link");
    });
}

/// Opens a valid request that was changed. This must fail.
pub(super) fn knock_mutated(script: &[u8]) {
    Fixture::with(|fixture| {
        let mut request = fixture.request.clone();
        if mutate(&mut request, script) {
            assert!(fixture.keys.open(&request, SystemTime::now()).is_err(), "a changed request is refused");
        }
    });
}

/// Enters a group by a Welcome that no member made. This must fail.
pub(super) fn welcome(bytes: &[u8]) {
    Fixture::with(|fixture| {
        let (joiner, _) = knock_at(&fixture.keys, ParticipantId(3));
        assert!(joiner.enter(bytes, bytes).is_err(), "no Welcome is valid without the keys of the request");
    });
}

/// Processes a message that no member made. This must fail and change nothing.
pub(super) fn mls(bytes: &[u8]) {
    Fixture::with(|fixture| {
        let before = fixture.bob.epoch();
        assert!(
            fixture.bob.process(bytes, &|_| Some(Gone::Left)).is_err(),
            "no message is valid without the keys of the group"
        );
        assert_eq!(fixture.bob.epoch(), before);
    });
}

/// Processes a valid message that was changed. This must fail, and the next valid message must be accepted.
pub(super) fn mls_mutated(script: &[u8]) {
    Fixture::with(|fixture| {
        let mut message = fixture.message(script.first().is_some_and(|first| first & 0x80 != 0));
        if mutate(&mut message, script) {
            assert!(fixture.bob.process(&message, &|_| Some(Gone::Left)).is_err(), "a changed message is refused");
        }
        let next = fixture.message(false);
        assert!(fixture.bob.process(&next, &|_| Some(Gone::Left)).is_ok());
    });
}

/// Opens a frame that no member made, as video and as audio. This must fail. The first byte sets the header.
pub(super) fn frame(bytes: &[u8]) {
    let (flags, bytes) = bytes.split_first().unwrap_or((&0, &[]));
    Fixture::with(|fixture| {
        let received = |slot| received(header(slot, *flags), bytes);
        let opener = |slot| Opener::new(fixture.ring.clone(), slot, Leaf(u32::from(flags & 1)), Clock::default());
        assert!(opener(Slot::Camera).open(received(Slot::Camera)).is_err());
        assert!(opener(Slot::Microphone).open_audio(received(Slot::Microphone)).is_err());
    });
}

/// Reads the plaintext of a sound frame, which a hostile member may fill with anything. The parts are within it.
pub(super) fn sound(bytes: &[u8]) {
    let Some(layout) = SoundLayout::read(bytes) else { return };
    let mut end = layout.packet.end;
    assert!(bytes.get(layout.packet).is_some(), "the packet is within the frame");
    for copy in layout.copies.into_iter().flatten() {
        assert!((120..=127 * 120).contains(&copy.distance), "{}", copy.distance);
        assert!(copy.payload.start == end && (1..=MAX_COPY_BYTES).contains(&copy.payload.len()), "after the last part");
        end = copy.payload.end;
    }
    assert!(end <= bytes.len());
}

pub(super) fn sounds() -> Vec<Vec<u8>> {
    let sound = |copies: u8, headers: &[u8], rest: usize, padding: u8| {
        let mut bytes = vec![0x21, 0x9e, copies << 6 | 8, padding, 0, 1, 2, 3, 0, 0, 3, 192];
        bytes.extend_from_slice(headers);
        bytes.resize(bytes.len() + rest, 7);
        bytes
    };
    vec![
        sound(0, &[], 80, 4),
        sound(1, &[0x88, 70], 150, 30),
        sound(3, &[0x88, 40, 0x90, 40, 0x18, 1], 161, 11),
        sound(2, &[0xff, 255, 0x01, 255], 700, 0),
    ]
}

/// Opens a valid frame that was changed. This must fail, and the unchanged frame must open after it.
pub(super) fn frame_mutated(script: &[u8]) {
    Fixture::with(|fixture| {
        let (header, whole) = seal(&fixture.ring);
        let mut bytes = whole.clone();
        let mut opener = Opener::new(fixture.ring.clone(), Slot::Camera, Leaf(0), Clock::default());
        if mutate(&mut bytes, script) {
            assert!(opener.open(received(header, &bytes)).is_err(), "a changed frame is refused");
        }
        assert!(opener.open(received(header, &whole)).is_ok(), "a refused frame uses no counter");
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

fn header(slot: Slot, flags: u8) -> Header {
    let layer = Layer { spatial: flags >> 4 & 3, temporal: flags >> 6 };
    let (key, discardable) = (flags & 2 != 0, flags & 4 != 0);
    Header { slot, layer, size: Size::new(640, 360), key, discardable, rtp_time: 0, voice: false }
}

fn received(header: Header, bytes: &[u8]) -> ReceivedFrame {
    ReceivedFrame { header, bytes: BufferPool::new(1).copy(bytes), sequence: 0, received: Instant::now() }
}

pub(super) fn invitations() -> Vec<Vec<u8>> {
    let keys = ManagerKeys::new().expect("the system has randomness");
    let fingerprint = Some(Fingerprint([3; 16]));
    let links = [
        keys.invitation("meet.example", 443, None),
        keys.invitation("192.0.2.7", 7_443, fingerprint),
        Invitation { meeting: MeetingId([4; 16]), ..keys.invitation("2001:db8::1", 65_535, fingerprint) },
    ];
    let wrapped = |text: &str| format!("> <{}\r\n> {}>.", &text[..60], &text[60..]);
    let texts = links.iter().map(Invitation::to_text);
    texts.flat_map(|text| [text.to_string(), wrapped(&text)]).map(String::into_bytes).collect()
}

/// Chains without rotations, and with one.
pub(super) fn authority_chains() -> Vec<Vec<u8>> {
    let mut keys = ManagerKeys::new().expect("the system has randomness");
    let first = keys.chain().encode();
    keys.prepare_rotation().expect("the system has randomness");
    keys.finish_rotation();
    vec![first, keys.chain().encode()]
}

pub(super) fn knocks() -> Vec<Vec<u8>> {
    let fixture = Fixture::build();
    vec![fixture.request]
}

pub(super) fn welcomes() -> Vec<Vec<u8>> {
    let mut fixture = Fixture::build();
    let request = fixture.keys.open(&fixture.request, SystemTime::now()).expect("the request is valid");
    let staged = fixture.ada.add(vec![request]).expect("an organiser can add members");
    staged.welcome.into_iter().collect()
}

pub(super) fn messages() -> Vec<Vec<u8>> {
    let mut fixture = Fixture::build();
    vec![fixture.message(true), fixture.message(false)]
}

pub(super) fn frames() -> Vec<Vec<u8>> {
    let (_, bytes) = seal(&Fixture::build().ring);
    vec![[&[0x12], &bytes[..]].concat()]
}

/// Returns scripts for `mutate`: no change, one change of each kind, several changes.
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
