//! Keys from given seeds, so that test vectors of our formats hold the keys with which a reader opens and verifies them
//! (`cargo xtask vectors`). No program uses it: a key whose seed is written down protects nothing.

use crate::admission_key::{LinkKeys, SECRET};
use crate::authority::AuthorityKey;
use crate::credential::LeafCredential;
use crate::emoji::{Commitment, Emoji, Nonce, Phrase, Purpose, commitment, phrase_of, pictures_of};
use crate::frame::{Key, Kid};
use crate::group::typing::TypingKey;
use crate::group::{Group, MeetingPolicy};
use crate::identity::{DeviceKey, Identity, Profile};
use crate::joiner::Joiner;
use crate::keyring::{Counters, MediaKeys, SignatureKeys};
use crate::knock_request::KnockRequest;
use crate::leaf::Leaf;
use crate::lobby_key::LobbyKey;
use crate::manager_keys::ManagerKeys;
use crate::memory::Secret;
use crate::provider::{Crypto, SEED, SigningKey};
use crate::sealed_keys::SealingKey;
use openmls::prelude::tls_codec::Serialize as _;
use openmls::prelude::{BasicCredential, KeyPackageBundle};
use openmls_traits::OpenMlsProvider;
use openmls_traits::storage::StorageProvider;
use proto::{Epoch, MeetingId, MemberBeacon, ParticipantId, Slot};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::SystemTime;
use zeroize::Zeroizing;

/// The seeds of the keys that change together: the authority (Ed25519), the admission key (X-Wing) and the link's secret.
#[derive(Clone, Copy, Debug)]
pub struct ManagerSeeds {
    /// Of the authority.
    pub authority: [u8; SEED],
    /// Of the admission key.
    pub admission: [u8; SEED],
    /// The link's secret.
    pub link: [u8; SECRET],
}

impl ManagerSeeds {
    /// Returns the manager's keys of a new meeting. `None` does not happen with seeds of these lengths.
    #[must_use]
    pub fn keys(&self) -> Option<ManagerKeys> {
        Some(ManagerKeys::of(self.authority()?, self.link()?))
    }

    /// Prepares the rotation of `keys` to these seeds, as [`ManagerKeys::prepare_rotation`] does to random ones.
    #[must_use]
    pub fn prepare_rotation(&self, keys: &mut ManagerKeys) -> Option<()> {
        keys.prepare_rotation_to(self.authority()?, self.link()?);
        Some(())
    }

    fn authority(&self) -> Option<AuthorityKey> {
        AuthorityKey::from_seed(Secret::copy_of(&self.authority))
    }

    fn link(&self) -> Option<LinkKeys> {
        LinkKeys::new(Secret::copy_of(&self.admission), Secret::copy_of(&self.link)).ok()
    }
}

/// Returns the public key of an Ed25519 seed.
#[must_use]
pub fn public_key(seed: &[u8; SEED]) -> Option<[u8; 32]> {
    SigningKey::from_seed(Secret::copy_of(seed)).map(|key| key.public())
}

/// Returns the first policy of the meeting of `keys`.
#[must_use]
pub fn first_policy(device: DeviceKey, participant: ParticipantId, keys: &ManagerKeys) -> Option<MeetingPolicy> {
    MeetingPolicy::new(device, participant, keys).ok()
}

/// What a credential certifies.
#[derive(Clone, Copy, Debug)]
pub struct CertifiedLeaf {
    /// The meeting.
    pub meeting: MeetingId,
    /// The owner of the leaf.
    pub participant: ParticipantId,
    /// When the device signs.
    pub issued: SystemTime,
    /// The leaf's public signature key.
    pub key: [u8; 32],
}

/// Returns the bytes of the credential of a leaf. If `returning` is the seed of an authority, that authority signs that a
/// manager comes back.
#[must_use]
pub fn credential(
    identity: &Identity,
    profile: Profile,
    leaf: &CertifiedLeaf,
    returning: Option<&[u8; SEED]>,
) -> Option<Vec<u8>> {
    let mut credential =
        LeafCredential::issue(identity, profile, leaf.participant, leaf.meeting, &leaf.key, leaf.issued);
    if let Some(seed) = returning {
        credential = credential.with_return(&AuthorityKey::from_seed(Secret::copy_of(seed))?);
    }
    let basic = BasicCredential::try_from(credential.credential(&leaf.key).credential).ok()?;
    Some(basic.identity().to_vec())
}

/// Returns the ratchet tree of a group, sealed with a key as for joiners, and its plain bytes. `None` does not happen.
#[must_use]
pub fn tree(group: &Group, key: &[u8; 32]) -> Option<(Vec<u8>, Vec<u8>)> {
    crate::group::tree_vector::current(group, &Zeroizing::new(*key)).ok()
}

/// Returns the key package of a joiner, and the private key with which it opens its Welcome. `request` is its opened request.
#[must_use]
pub fn key_package(joiner: &Joiner, request: &KnockRequest) -> Option<(Vec<u8>, Vec<u8>)> {
    let package = request.clone().into_key_package();
    let bundle: KeyPackageBundle =
        joiner.newcomer().provider.storage().key_package(&package.hash_ref(&Crypto).ok()?).ok()??;
    Some((package.tls_serialize_detached().ok()?, bundle.init_private_key().to_vec()))
}

/// Returns a beacon with the signature of the member `from`, whose leaf key has this seed. `None` does not happen.
#[must_use]
pub fn sign_beacon(
    seed: &[u8; SEED],
    meeting: MeetingId,
    from: ParticipantId,
    beacon: &MemberBeacon,
) -> Option<MemberBeacon> {
    let signature = SigningKey::from_seed(Secret::copy_of(seed))?.signature(&beacon.signed_bytes(meeting, from));
    Some(MemberBeacon { signature, ..beacon.clone() })
}

/// Returns the key of what members type in an epoch. `secret` is what MLS exports.
#[must_use]
pub fn typing_key(secret: &[u8; 32], meeting: MeetingId, epoch: Epoch) -> TypingKey {
    TypingKey::new(Secret::copy_of(secret), meeting, epoch.0)
}

/// Returns the commitment of the member at `leaf` to its nonce.
#[must_use]
pub fn nonce_commitment(
    epoch: (MeetingId, Epoch),
    purpose: Purpose,
    round: u64,
    leaf: Leaf,
    nonce: &Nonce,
) -> Commitment {
    commitment(epoch, purpose, round, leaf, nonce)
}

/// Returns the pictures of a round in the epoch with this authenticator.
#[must_use]
pub fn pictures(authenticator: &[u8; 48], round: u64, nonces: &BTreeMap<Leaf, Nonce>) -> Emoji {
    pictures_of(authenticator, round, nonces)
}

/// Returns the phrase of a challenge in the epoch with this authenticator: who asks, and who is asked.
#[must_use]
pub fn phrase(authenticator: &[u8; 48], round: u64, from: (Leaf, &Nonce), to: (Leaf, &Nonce)) -> Phrase {
    phrase_of(authenticator, round, from, to)
}

/// Returns the media keys of a member at `leaf`, whose leaf key has this seed, in an epoch with this base key. Nobody else is
/// a member.
#[must_use]
pub fn media_keys(epoch: Epoch, leaf: Leaf, base: &[u8; 32], seed: &[u8; SEED]) -> Option<MediaKeys> {
    let ours = SigningKey::from_seed(Secret::copy_of(seed))?;
    let members = HashMap::from([(leaf, ours.public())]);
    let signatures = SignatureKeys { ours: Arc::new(ours), members };
    Some(MediaKeys::new(epoch, leaf, Secret::copy_of(base), Counters::new(), signatures))
}

/// Returns the key of the lobby chat with this secret.
#[must_use]
pub fn lobby_key(secret: &[u8; 32], meeting: MeetingId, joiner: ParticipantId) -> LobbyKey {
    LobbyKey::new(Secret::copy_of(secret), meeting, joiner)
}

/// Returns the sealing key of a seed.
#[must_use]
pub fn sealing_key(seed: &[u8; SEED]) -> Option<SealingKey> {
    SealingKey::of(&Secret::copy_of(seed)).ok()
}

/// Returns the shared secret of X-Wing that `enc` encapsulates for the key pair of a seed, before the key schedule of HPKE.
#[must_use]
pub fn kem_secret(seed: &[u8; SEED], enc: &[u8]) -> Option<Vec<u8>> {
    crate::provider::kem_secret(&Secret::copy_of(seed), enc)
}

/// Returns a copy of the base key, which nothing overwrites: for a search for it in the memory of another process.
#[must_use]
pub fn base_key(keys: &MediaKeys) -> Vec<u8> {
    keys.base().expose().to_vec()
}

/// Returns a copy of the key of a member's frames, as [`base_key`] does. `None` if the layer or the leaf has no key id.
#[must_use]
pub fn frame_key(keys: &MediaKeys, slot: Slot, layer: u8, leaf: Leaf) -> Option<[u8; 32]> {
    let kid = Kid::new(slot, layer, leaf, keys.epoch())?;
    Key::bytes(keys.base().expose(), kid.number()).map(|bytes| *bytes)
}
