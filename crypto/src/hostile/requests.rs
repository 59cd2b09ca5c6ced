//! Requests to join with any content, as everybody who has the link can make them.

use crate::admission_key::seal_plain;
use crate::credential::{LeafCredential, capabilities};
use crate::identity::{Identity, Profile};
use crate::manager_keys::ManagerKeys;
use crate::provider::{Provider, SUITE, SigningKey};
use openmls::prelude::tls_codec::Serialize as _;
use openmls::prelude::{BasicCredential, CredentialWithKey, KeyPackage};
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
    let (provider, key) = (Provider::default(), SigningKey::generate().ok()?);
    let me = LeafCredential::issue(identity, profile, participant, keys.meeting(), &key.public(), now);
    let mut bytes = me.encode();
    change(&mut bytes);
    let credential = CredentialWithKey {
        credential: BasicCredential::new(bytes).into(),
        signature_key: key.public().as_slice().into(),
    };
    let bundle = KeyPackage::builder()
        .leaf_node_capabilities(capabilities())
        .key_package_lifetime(me.lifetime())
        .build(SUITE, &provider, &key, credential)
        .ok()?;
    bundle.key_package().tls_serialize_detached().ok()
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
