//! What a member with a modified client can do with the key packages of others. Tests of attacks over real sockets use
//! it; no program does.

mod commits;
mod half_valid;
mod secrets;
pub mod welcome;

pub use commits::{Forbidden, forge, unsigned_policy};
pub use half_valid::half_valid;
pub use secrets::{Named, epoch_secrets};

use super::error::mls_error;
use super::{Error, Group, MeetingPolicy, capabilities};
use crate::credential::LeafCredential;
use crate::identity::{Identity, Profile};
use crate::keyring::{KeyRing, MediaKeys};
use crate::knock_request::KnockRequest;
use crate::provider::{Provider, SUITE, SigningKey};
use crate::{Gone, Leaf};
use openmls::prelude::tls_codec::{Deserialize as _, Serialize as _};
use openmls::prelude::*;
use proto::{MeetingId, ParticipantId};
use std::time::SystemTime;

/// Merges another member's commit without checking it, and returns the key packages that it adds. Each member sees them.
///
/// # Errors
/// Returns [`Error`] if the message is not a commit for the group's epoch.
pub fn merge(group: &mut Group, commit: &[u8]) -> Result<Vec<KnockRequest>, Error> {
    let message = MlsMessageIn::tls_deserialize_exact(commit).map_err(|_| Error::Malformed)?;
    let message = message.try_into_protocol_message().map_err(|_| Error::Malformed)?;
    let processed = group.mls.process_message(&group.provider, message).map_err(|_| Error::Malformed)?;
    let Sender::Member(sender) = *processed.sender() else { return Err(Error::Malformed) };
    let ProcessedMessageContent::StagedCommitMessage(commit) = processed.into_content() else {
        return Err(Error::Malformed);
    };
    let mut added = Vec::new();
    for add in commit.add_proposals() {
        let package = add.add_proposal().key_package().clone();
        let credential = LeafCredential::of_package(&package, group.meeting)?;
        added.push(KnockRequest::new(package, credential, false));
    }
    group.merge(*commit, Leaf(sender.u32()), &|_| Some(Gone::Left))?;
    Ok(added)
}

/// Returns keys with which this member seals as the member at `leaf`. Only its signatures are its own.
#[must_use]
pub fn keys_of_another(keys: MediaKeys, leaf: Leaf) -> MediaKeys {
    keys.of_another(leaf)
}

/// Returns a ring with the newest keys of `ring`, with which this member seals as the member at `leaf`. `None` before there are
/// keys.
#[must_use]
pub fn ring_of_another(ring: &KeyRing, leaf: Leaf) -> Option<KeyRing> {
    ring.of_another(leaf)
}

/// Returns a Welcome that leads the owner of a key package into a new group with this id and policy. Its only other
/// member is `me` on the device of `identity`.
///
/// # Errors
/// Returns [`Error`] if the group cannot be made.
pub fn welcome_to_another_group(
    request: KnockRequest,
    (meeting, policy): (MeetingId, &MeetingPolicy),
    (identity, me): (&Identity, ParticipantId),
    now: SystemTime,
) -> Result<Vec<u8>, Error> {
    let (provider, key) = (Provider::default(), SigningKey::generate()?);
    let profile = Profile { name: "Organiser".into() };
    let credential = LeafCredential::issue(identity, profile, me, meeting, &key.public(), now);
    let config = MlsGroupCreateConfig::builder()
        .ciphersuite(SUITE)
        .capabilities(capabilities())
        .lifetime(credential.lifetime())
        .use_ratchet_tree_extension(true)
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .with_group_context_extensions(policy.extensions())
        .build();
    let id = GroupId::from_slice(&meeting.0);
    let mut mls = MlsGroup::new_with_group_id(&provider, &key, &config, id, credential.credential(&key.public()))
        .map_err(mls_error)?;
    let (_, welcome, _) = mls.add_members(&provider, &key, &[request.into_key_package()]).map_err(mls_error)?;
    welcome.tls_serialize_detached().map_err(mls_error)
}
