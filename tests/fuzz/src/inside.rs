//! Fuzz targets for what is inside an encryption that is valid: content that only a member, or a stranger with the link, can send.
//!
//! Each target seals its content with real keys, so that the parser gets it. Those of a script change a valid content before it is
//! sealed, and assert that the unchanged one is accepted.

use super::certificate::chain_for;
use super::keys::{ADA, BOB, knock_at, profile};
use super::{joined, mutate, parts};
use crypto::group::hostile::welcome::{ForgedAdmission, WelcomeParts};
use crypto::hostile::{self, Flaw, PlainFrame};
use crypto::vectors::{CertifiedLeaf, credential as encoded_credential, media_keys, public_key};
use crypto::{
    Envelope, Group, Header, Identity, Joiner, KeyRing, Leaf, LobbyKey, LobbyMessage, ManagerKeys, Opener, Profile,
    ReceivedFrame, SealingKey,
};
use media::{BufferPool, Clock, Layer, Size};
use proto::{Epoch, MeetingId, ParticipantId, Slot};
use std::cell::RefCell;
use std::time::{Duration, Instant, SystemTime};

/// A meeting of three members whose tree has no blank node, before it admits a fourth one.
struct Meeting {
    keys: ManagerKeys,
    ada: Group,
}

thread_local! {
    static MEETING: RefCell<Meeting> = RefCell::new(Meeting::new());
}

impl Meeting {
    fn new() -> Self {
        let (mut keys, now) = (ManagerKeys::new().expect("randomness"), SystemTime::now());
        let identity = Identity::generate().expect("randomness");
        let mut ada = Group::create(&identity, profile("Ada"), ADA, &keys, now).expect("a group is created");
        for id in [BOB, ParticipantId(3)] {
            let (_, request) = knock_at(&keys, id);
            let request = keys.open(&request, now).expect("the request is valid");
            ada.add(vec![request]).expect("an organiser can add members");
            ada.merge_pending_commit().expect("a commit is pending");
        }
        Self { keys, ada }
    }

    /// Returns a joiner, and what the organiser needs to admit it.
    fn joiner(&mut self) -> (Joiner, ForgedAdmission) {
        let (joiner, request) = knock_at(&self.keys, JOINER);
        let request = self.keys.open(&request, SystemTime::now()).expect("the request is valid");
        (joiner, ForgedAdmission::new(&mut self.ada, &request).expect("an organiser can add members"))
    }
}

const JOINER: ParticipantId = ParticipantId(4);

/// Decodes the credential of a leaf. It has one encoding.
pub(super) fn credential(bytes: &[u8]) {
    if let Some(again) = hostile::recoded_credential(bytes) {
        assert_eq!(again, bytes);
    }
}

/// Returns credentials with and without the signature of an authority and certificates.
pub(super) fn credentials() -> Vec<Vec<u8>> {
    let mut identity = Identity::generate().expect("randomness");
    let key = public_key(&[3; 32]).expect("a seed");
    let leaf = CertifiedLeaf { meeting: MeetingId([1; 16]), participant: BOB, issued: SystemTime::now(), key };
    let plain = [None, Some(&[7; 32])].map(|seed| encoded_credential(&identity, profile("Bob"), &leaf, seed));
    let chain = chain_for(identity.public().0);
    identity.set_certificate(chain).expect("it is for this device");
    let certified = [None, Some(&[7; 32])].map(|seed| encoded_credential(&identity, profile("Zoé"), &leaf, seed));
    plain.into_iter().chain(certified).flatten().collect()
}

/// Opens a request with the right keys, of which the credential (if the first bit of the script is 1) or another byte was changed
/// before it was signed and sealed. What is accepted can be shown. If the second bit is 1, the rest of the script is the encryption key
/// of the leaf.
pub(super) fn knock_inside(script: &[u8]) {
    if let Some((first, key)) = script.split_first()
        && first & 0x40 != 0
    {
        knock_with_key(key);
    }
    MEETING.with_borrow_mut(|Meeting { keys, .. }| {
        let (in_credential, now) = (script.first().is_some_and(|first| first & 0x80 != 0), SystemTime::now());
        let mut identity = Identity::generate().expect("randomness");
        let chain = chain_for(identity.public().0);
        identity.set_certificate(chain).expect("it is for this device");
        let mut is_changed = false;
        let package = hostile::package(keys, (&identity, profile("Bob"), JOINER), now, |credential| {
            is_changed = in_credential && mutate(credential, script);
        });
        // Nonce, secret of the lobby chat, key package.
        let mut plaintext = [random_nonce(&identity), vec![5; 32], package.expect("randomness")].concat();
        is_changed |= !in_credential && mutate(&mut plaintext, script);
        let request = hostile::seal_request(keys, &plaintext).expect("the keys are valid");
        let opened = keys.open(&request, now);
        assert!(is_changed || opened.is_ok(), "the unchanged one is accepted");
        if let Ok(request) = opened {
            assert_eq!(Profile::new(request.name()).map(|profile| profile.name).ok().as_deref(), Some(request.name()));
            // The result depends on the bytes.
            let _ = request.certificate().map(|chain| chain.check_key(request.device()));
        }
    });
}

/// Opens a request whose leaf has this encryption key. Only a key of the right length is accepted.
fn knock_with_key(key: &[u8]) {
    MEETING.with_borrow_mut(|Meeting { keys, .. }| {
        let (identity, now) = (Identity::generate().expect("randomness"), SystemTime::now());
        let who = (&identity, profile("Bob"), JOINER);
        let request = hostile::flawed_request(keys, who, now, &Flaw::LeafKey(key.to_vec())).expect("randomness");
        assert!(keys.open(&request, now).is_err() || key.len() == X_WING_KEY, "a key of {} bytes", key.len());
    });
}

/// The length of a public key in bytes.
const X_WING_KEY: usize = 1_216;

/// Returns 16 bytes that no other request has.
fn random_nonce(identity: &Identity) -> Vec<u8> {
    identity.public().0[..16].to_vec()
}

/// Enters a group by a Welcome of which one part was changed before it was signed and sealed. Who enters has the right policy and
/// the right members.
pub(super) fn welcome_inside(script: &[u8]) {
    let part = script.first().map_or(0, |first| first >> 6);
    enter(|parts| {
        let part = match part {
            0 | 3 => &mut parts.context,
            1 => &mut parts.extensions,
            _ => &mut parts.secrets,
        };
        mutate(part, script)
    });
}

/// Enters a group with a ratchet tree that was changed before it was sealed, as [`welcome_inside`].
pub(super) fn tree(script: &[u8]) {
    enter(|parts| mutate(&mut parts.tree, script));
}

/// Enters by a Welcome with changed parts. `change` returns true if it changes them.
fn enter(change: impl FnOnce(&mut WelcomeParts) -> bool) {
    MEETING.with_borrow_mut(|meeting| {
        let (joiner, admission) = meeting.joiner();
        let mut parts = admission.parts.clone();
        let is_changed = change(&mut parts);
        let (welcome, tree) = admission.seal(&meeting.ada, &parts).expect("the keys are valid");
        let entered = joiner.enter(&welcome, &tree);
        assert!(is_changed || entered.is_ok(), "the unchanged one is accepted");
        if let Ok(group) = entered {
            assert_eq!(group.policy(), meeting.ada.policy(), "only the authority changes a policy");
            let members = group.members();
            let others = meeting.ada.members().into_iter().map(|member| (member.leaf, member.device, member.name));
            let found = members.iter().map(|member| (member.leaf, member.device, member.name.clone()));
            assert!(others.eq(found.take(3)) && members.len() == 4, "the tree has the members whom its hash covers");
            assert_eq!(members[3].participant, JOINER);
        }
    });
}

/// Reads signed digests at the end of a plaintext. They have one encoding.
pub(super) fn digests(bytes: &[u8]) {
    if let Some(again) = hostile::recoded_digests(bytes) {
        assert!(bytes.ends_with(&again));
    }
}

/// Opens frames of a member with any plaintext. Each part is a frame: flags, counter of the first digest, number of digests,
/// plaintext. What is opened is within its frame.
pub(super) fn plain_frames(bytes: &[u8]) {
    let ring = KeyRing::new();
    let (keys, start) = (media_keys(Epoch(7), LEAF, &[1; 32], &[3; 32]), Instant::now());
    ring.install(keys.expect("a seed"), &[LEAF], &[], start);
    let opener = |slot| Opener::new(ring.clone(), slot, LEAF, Clock::default());
    let (mut pictures, mut sounds) = (opener(Slot::Camera), opener(Slot::Microphone));
    for (at, part) in (0_u32..).zip(parts(bytes)) {
        let Some(([flags, first, count], plain)) = part.split_first_chunk::<3>() else { continue };
        let slot = if flags & 1 == 0 { Slot::Camera } else { Slot::Microphone };
        // Of a picture, the layers are in the second byte.
        let head = plain.get(1).copied().filter(|_| slot == Slot::Camera).unwrap_or_default();
        let (layer, key) = (Layer { spatial: head >> 5, temporal: head >> 2 & 7 }, head & 2 != 0);
        let digests = (flags & 2 != 0).then_some((u64::from(*first), *count % 40));
        let sealed = hostile::seal_frame(&ring, &PlainFrame { stream: (slot, layer.spatial), key, plain, digests });
        let Some(sealed) = sealed else { continue };
        let header =
            Header { slot, layer, size: Size::new(640, 360), key, discardable: false, rtp_time: 0, voice: false };
        let received = start + Duration::from_millis(u64::from(flags >> 2)) * at;
        let frame = ReceivedFrame { header, bytes: BufferPool::new(1).copy(&sealed), sequence: 0, received };
        if slot == Slot::Camera {
            if let Ok(picture) = pictures.open(frame) {
                // Digests that the header does not announce are content; with a short plaintext, they begin in the header.
                let (content, payload) = (plain.get(8..).unwrap_or_default(), &picture.payload[..]);
                assert!(payload.starts_with(content) || content.starts_with(payload));
                assert_eq!((picture.layer, picture.key), (layer, key));
            }
        } else if let Ok(sound) = sounds.open_audio(frame) {
            assert!(sound.payload.len() <= sealed.len());
        }
    }
}

const LEAF: Leaf = Leaf(2);

/// Returns frames of both kinds, with digests and without.
pub(super) fn frame_lists() -> Vec<Vec<u8>> {
    let picture = |digests: u8, layer: u8| [vec![digests << 7 | 0x21, layer, 0, 9, 0, 0, 0, 1], vec![6; 40]].concat();
    let sound = |digests: u8| [vec![digests << 7 | 0x31, 0x9e, 8, 4, 0, 1, 2, 3, 0, 0, 3, 192], vec![7; 52]].concat();
    let frame = |flags: u8, first: u8, count: u8, plain: Vec<u8>| {
        [vec![flags << 2 | u8::from(count > 0) << 1, first, count], plain].concat()
    };
    let as_sound = |mut frame: Vec<u8>| {
        frame[0] |= 1;
        frame
    };
    let lists = [
        vec![frame(33, 0, 0, picture(0, 2)), frame(33, 0, 0, picture(0, 0x20)), frame(33, 0, 0, picture(0, 0))],
        vec![frame(20, 0, 0, picture(0, 2)), frame(20, 0, 1, picture(1, 0)), frame(20, 0, 32, picture(1, 0))],
        vec![
            as_sound(frame(20, 0, 0, sound(0))),
            as_sound(frame(20, 0, 1, sound(1))),
            as_sound(frame(63, 9, 3, sound(1))),
        ],
        (0..60).map(|at| frame(40, at, u8::from(at % 8 == 7), picture(u8::from(at % 8 == 7), 2))).collect(),
    ];
    lists.map(|list| joined(list.iter().map(Vec::as_slice))).into()
}

/// Returns plaintexts with digests at their end.
pub(super) fn digest_lists() -> Vec<Vec<u8>> {
    let digests = |count: u8, first: u64| {
        let digests = (0..count).flat_map(|at| [at; 8]);
        let head = [vec![6; 20], first.to_be_bytes().to_vec(), vec![7]].concat();
        head.into_iter().chain(digests).chain([9; 64]).chain([count]).collect()
    };
    vec![digests(1, 0), digests(32, 1 << 40), digests(3, u64::MAX - 3)]
}

/// Opens keys of a manager that were changed before they were sealed, and takes them over. Only the right ones can be.
pub(super) fn shared_keys(script: &[u8]) {
    thread_local! {
        static KEY: SealingKey = SealingKey::generate().expect("the system has randomness");
    }
    let envelope = Envelope { meeting: MeetingId([1; 16]), from: ADA, to: BOB };
    MEETING.with_borrow(|Meeting { keys, .. }| {
        let mut plaintext = hostile::shared_plaintext(&keys.shared());
        let is_changed = mutate(&mut plaintext, script);
        let sealed =
            KEY.with(|key| hostile::seal_shared(&plaintext, key.public(), envelope)).expect("the key is valid");
        let opened = KEY.with(|key| key.open(&sealed, envelope));
        assert!(is_changed || opened.is_some(), "the unchanged ones are accepted");
        let adopted = opened.and_then(|opened| ManagerKeys::from_shared(opened, keys.chain()).ok());
        assert!(is_changed || adopted.is_some(), "the unchanged ones are taken over");
        if let Some(adopted) = adopted {
            assert_eq!((adopted.authority(), adopted.public_key()), (keys.authority(), keys.public_key()));
        }
    });
}

/// Opens a message of a lobby chat with any plaintext. It has one plaintext.
pub(super) fn lobby_inside(bytes: &[u8]) {
    thread_local! {
        static KEY: LobbyKey = LobbyKey::generate(MeetingId([1; 16]), BOB).expect("the system has randomness");
    }
    KEY.with(|key| {
        let sealed = hostile::seal_lobby(key, BOB, bytes).expect("it is short");
        let Some(LobbyMessage { counter, content }) = key.open(BOB, &sealed) else { return };
        let length = u16::try_from(content.len()).expect("it is short").to_be_bytes();
        let mut plain = [&counter.to_be_bytes()[..], &length, &content].concat();
        plain.resize(plain.len().next_multiple_of(256), 0);
        assert_eq!(plain, bytes);
    });
}

/// Returns plaintexts of a lobby chat.
pub(super) fn lobby_plaintexts() -> Vec<Vec<u8>> {
    let plain = |length: u8, total: usize| {
        let mut bytes = vec![0, 0, 0, 7, 0, length];
        bytes.resize(6 + usize::from(length), b'a');
        bytes.resize(total, 0);
        bytes
    };
    vec![plain(0, 256), plain(9, 256), plain(250, 256), plain(251, 512)]
}
