//! The meeting's policy: who may do what. Signed by the meeting's authority, and a `GroupContext` extension of the
//! group.
//!
//! A joiner verifies chain and signature against its link before it enters. So nobody but the holders of the authority can
//! make a group that a joiner takes for the meeting. Every member decides with `authorize`, from the policy before a
//! commit and the committer's leaf, whether a commit may replace the policy: the signature alone is not enough.

mod content;
mod encoding;
mod people;
mod rules;
#[cfg(test)]
mod tests;

pub use content::{Gone, PolicyContent, PolicyEdit, Rank};
pub(crate) use people::People;
pub use people::Person;
pub use rules::PolicyError;

use crate::authority::Binding;
use crate::credential::{LeafCredential, POLICY, POLICY_TYPE};
use crate::identity::DeviceKey;
use crate::manager_keys::ManagerKeys;
use openmls::prelude::{
    Extension, ExtensionType, Extensions, GroupContext, RequiredCapabilitiesExtension, UnknownExtension,
};
use proto::{MeetingFlags, MeetingId, ParticipantId, Role};
use rules::Rules;
use std::ops::Deref;

/// The meeting's policy, signed by its authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeetingPolicy {
    pub(crate) content: PolicyContent,
    pub(crate) signature: [u8; 64],
}

impl Deref for MeetingPolicy {
    type Target = PolicyContent;

    fn deref(&self) -> &PolicyContent {
        &self.content
    }
}

/// What a new policy changes.
#[derive(Clone, Debug, Default)]
pub struct PolicyChange {
    /// The edits, in this order.
    pub edits: Vec<PolicyEdit>,
    /// True if the prepared rotation of the manager's keys becomes part of the policy
    /// ([`ManagerKeys::prepare_rotation`]).
    pub rotate: bool,
}

impl MeetingPolicy {
    /// Returns the first policy of a meeting.
    pub(crate) fn new(device: DeviceKey, participant: ParticipantId, keys: &ManagerKeys) -> Result<Self, PolicyError> {
        let defaults = std::array::from_fn(|at| Role::ALL[at + 1].default_rights());
        let rules = Rules { flags: MeetingFlags::default(), everyone: Role::Participant, defaults };
        let people = People::new(Person::new(device, participant, Role::Organiser));
        let chain = keys.chain().clone();
        Self::signed(PolicyContent { serial: 0, chain, rules, people, barred: Vec::new() }, keys)
    }

    /// Returns the policy that follows this one. It is in force when a commit with it is merged. Whether the committer may
    /// make this change is decided when it commits.
    ///
    /// # Errors
    /// Returns [`PolicyError`] if `keys` are not those of the authority, or the change is not possible.
    pub fn next(&self, change: &PolicyChange, keys: &ManagerKeys) -> Result<Self, PolicyError> {
        let mut next = self.edited(&change.edits)?;
        if change.rotate {
            let (rotation, _) = keys.next_rotation().ok_or(PolicyError::NoRotation)?;
            // A commit with this rotation may have been merged before, although another policy of it was lost.
            if next.chain.current() != rotation.to {
                next.chain.push(rotation.clone())?;
            }
        }
        Self::signed(next, keys)
    }

    /// Returns true if `person` is a manager who comes back, as the authority signed. The authority before counts as well:
    /// a manager that lost the connection may not know that its last rotation is in force.
    pub(crate) fn allows_return(&self, person: &LeafCredential) -> bool {
        let mut newest = self.chain.newest_authorities().into_iter();
        self.is_manager_device(person.device) && newest.any(|authority| person.is_return_by(authority))
    }

    /// Returns true if this is a policy of `meeting`, signed by an authority that the link of `binding` leads to.
    pub(crate) fn is_valid_for(&self, meeting: MeetingId, link: Binding) -> bool {
        self.chain.verify(meeting, link).is_ok() && self.has_signature()
    }

    /// Returns true if this policy may replace `before`, which is in force, for all that does not depend on the committer: a
    /// higher serial, the same chain or a longer one, all barred devices still barred, and the authority's signature.
    pub(crate) fn may_follow(&self, before: &Self) -> bool {
        self.serial > before.serial
            && self.barred.starts_with(&before.barred)
            && self.chain.verify_extends(&before.chain).is_ok()
            && self.has_signature()
    }

    /// Reads the policy from a group's extensions. `None` if it is missing or there are other extensions.
    pub(crate) fn of(extensions: &Extensions<GroupContext>) -> Option<Self> {
        let known = |extension: &Extension| {
            matches!(extension.extension_type(), ExtensionType::RequiredCapabilities | POLICY_TYPE)
        };
        if !extensions.iter().all(known) || extensions.required_capabilities() != Some(&required()) {
            return None;
        }
        Self::decode(&extensions.unknown(POLICY)?.0)
    }

    /// Returns the extensions of a group with this policy.
    ///
    /// # Panics
    /// Never: both types are valid in a `GroupContext`, and each occurs once.
    pub(crate) fn extensions(&self) -> Extensions<GroupContext> {
        let policy = Extension::Unknown(POLICY, UnknownExtension(self.encode()));
        Extensions::from_vec(vec![Extension::RequiredCapabilities(required()), policy])
            .expect("both types are valid in a GroupContext")
    }

    /// Returns the bytes of this policy.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = encoding::encode(&self.content);
        bytes.extend_from_slice(&self.signature);
        bytes
    }

    /// Decodes a policy. Does not verify its signatures. `None` if the bytes are not the encoding of a policy.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (content, signature) = encoding::decode(bytes)?;
        Some(Self { content, signature })
    }

    fn signed(content: PolicyContent, keys: &ManagerKeys) -> Result<Self, PolicyError> {
        let key = keys.key_of(content.authority()).ok_or(PolicyError::NotAuthority)?;
        let signature = key.sign(&signed_bytes(&content));
        Ok(Self { content, signature })
    }

    fn has_signature(&self) -> bool {
        self.authority().signed(&signed_bytes(&self.content), &self.signature)
    }
}

/// Returns the bytes that the authority signs. The chain's first pair determines the meeting, so the signature is valid
/// for one meeting only.
fn signed_bytes(content: &PolicyContent) -> Vec<u8> {
    [b"Conclave 1.0 policy\0".as_slice(), &content.chain.meeting().0, &encoding::encode(content)].concat()
}

fn required() -> RequiredCapabilitiesExtension {
    RequiredCapabilitiesExtension::new(&[POLICY_TYPE], &[], &[])
}
