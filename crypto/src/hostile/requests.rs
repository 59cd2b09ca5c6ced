//! Requests to join with any content, as everybody who has the link can make them.

use super::{Flaw, FlawedCrypto, FlawedProvider};
use crate::admission_key::{NONCE, seal_plain};
use crate::credential::{LeafCredential, capabilities};
use crate::identity::{Identity, Profile};
use crate::lobby_key;
use crate::manager_keys::ManagerKeys;
use crate::provider::{Provider, SUITE, SigningKey};
use openmls::prelude::tls_codec::Serialize as _;
use openmls::prelude::{BasicCredential, CredentialWithKey, Extensions, KeyPackage, Lifetime};
use proto::ParticipantId;
use std::time::SystemTime;

/// Returns a key package for the meeting of `keys`, whose credential was changed before its leaf was signed. `None` if the system
/// returns no random bytes.
#[must_use]
pub fn package(
    keys: &ManagerKeys,
    (identity, profile, participant): (&Identity, Profile, ParticipantId),
    now: SystemTime,
    change: impl FnOnce(&mut Vec<u8>),
) -> Option<Vec<u8>> {
    let key = SigningKey::generate().ok()?;
    let me = LeafCredential::issue(identity, profile, participant, keys.meeting(), &key.public(), now);
    let mut bytes = me.encode();
    change(&mut bytes);
    let credential = CredentialWithKey {
        credential: BasicCredential::new(bytes).into(),
        signature_key: key.public().as_slice().into(),
    };
    let package = key_package(&key, credential, me.lifetime(), None)?;
    package.tls_serialize_detached().ok()
}

/// Returns a request to join the meeting of `keys`, made with its link, whose key package has a flaw. `None` if there is no randomness.
#[must_use]
pub fn flawed_request(
    keys: &ManagerKeys,
    (identity, profile, participant): (&Identity, Profile, ParticipantId),
    now: SystemTime,
    flaw: &Flaw,
) -> Option<Vec<u8>> {
    let key = SigningKey::generate().ok()?;
    let me = LeafCredential::issue(identity, profile, participant, keys.meeting(), &key.public(), now);
    let package = key_package(&key, me.credential(&key.public()), me.lifetime(), Some(flaw))?;
    let package = package.tls_serialize_detached().ok()?;
    // A nonce, and the secret of the lobby chat.
    let head = [&key.public()[..NONCE], &[5; lobby_key::SECRET]].concat();
    seal_request(keys, &[head, package].concat())
}

/// Returns a key package of a hostile client.
pub(crate) fn key_package(
    key: &SigningKey,
    credential: CredentialWithKey,
    lifetime: Lifetime,
    flaw: Option<&Flaw>,
) -> Option<KeyPackage> {
    let provider = FlawedProvider { crypto: FlawedCrypto::of_package(flaw), inner: Provider::default() };
    let builder = KeyPackage::builder()
        .leaf_node_capabilities(flaw.map_or_else(capabilities, Flaw::capabilities))
        .leaf_node_extensions(flaw.map_or_else(Extensions::empty, Flaw::extensions))
        .key_package_lifetime(lifetime);
    let bundle = builder.build(SUITE, &provider, key, credential).ok()?;
    Some(bundle.key_package().clone())
}

/// Seals any plaintext as a request to the meeting of `keys`, made with its link. `None` does not happen.
#[must_use]
pub fn seal_request(keys: &ManagerKeys, plaintext: &[u8]) -> Option<Vec<u8>> {
    let link = keys.admission().current();
    seal_plain(plaintext, keys.meeting(), &link.public, link.secret.expose()).ok()
}

/// Returns the plaintext of a request. `None` if it was made without the link.
#[must_use]
pub fn request_plaintext(keys: &ManagerKeys, request: &[u8]) -> Option<Vec<u8>> {
    let (plain, _) = keys.admission().decrypt(request, keys.meeting()).ok()?;
    Some(plain.to_vec())
}
