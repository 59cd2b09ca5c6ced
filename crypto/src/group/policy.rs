//! The meeting's policy: who may do what. Signed by the meeting's authority, and a `GroupContext` extension of the
//! group.
//!
//! ```text
//! policy = version 1 B | serial 8 | number of rotations 2 | chain (crypto::authority_chain) | number of organisers 1 |
//!          organisers, each: device key 32, participant 8 | number of barred devices 2 | barred device keys, each 32 |
//!          signature 64 of the chain's current authority over "Conclave 1.0 policy" | 0 | meeting | all before
//! ```
//! A joiner verifies chain and signature against its link before it enters. So nobody but the authority can make a
//! group that a joiner takes for the meeting.

use crate::authority::{Authority, Binding};
use crate::authority_chain::{self, AuthorityChain, PAIR, Rotation};
use crate::credential::{LeafCredential, POLICY, POLICY_TYPE};
use crate::identity::DeviceKey;
use crate::manager_keys::ManagerKeys;
use openmls::prelude::{
    Extension, ExtensionType, Extensions, GroupContext, RequiredCapabilitiesExtension, UnknownExtension,
};
use proto::{MAX_ROTATIONS, MeetingId, ParticipantId};

/// The meeting's policy. Rights belong to a participant id on a device: if the device joins a second time, the new leaf
/// is a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeetingPolicy {
    serial: u64,
    chain: AuthorityChain,
    organisers: Vec<(DeviceKey, ParticipantId)>,
    barred: Vec<DeviceKey>,
    signature: [u8; 64],
}

/// What a new policy changes.
#[derive(Clone, Debug, Default)]
pub struct PolicyChange {
    /// Devices that may not join any more.
    pub bar: Vec<DeviceKey>,
    /// The new organisers, instead of the old ones; `None` if they stay.
    pub organisers: Option<Vec<(DeviceKey, ParticipantId)>>,
    /// True if the prepared rotation of the manager's keys becomes part of the policy
    /// ([`ManagerKeys::prepare_rotation`]).
    pub rotate: bool,
}

/// The reason why a policy was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// There is no room for more barred devices or organisers.
    #[error("the policy is full")]
    Full,
    /// There would be no organiser.
    #[error("the policy needs an organiser")]
    NoOrganiser,
    /// No rotation is prepared.
    #[error("no rotation is prepared")]
    NoRotation,
    /// The keys are not those of the policy's authority.
    #[error("the keys do not belong to the meeting's authority")]
    NotAuthority,
    /// The rotation does not continue the chain.
    #[error(transparent)]
    Chain(#[from] authority_chain::Error),
}

impl MeetingPolicy {
    /// Returns the first policy of a meeting.
    pub(crate) fn new(device: DeviceKey, participant: ParticipantId, keys: &ManagerKeys) -> Result<Self, PolicyError> {
        let (chain, organisers) = (keys.chain().clone(), vec![(device, participant)]);
        Self { serial: 0, chain, organisers, barred: Vec::new(), signature: [0; 64] }.signed(keys)
    }

    /// Returns the policy that follows this one. It is in force when a commit with it is merged.
    ///
    /// # Errors
    /// Returns [`PolicyError`] if `keys` are not those of the authority, or the change is not possible.
    pub fn next(&self, change: &PolicyChange, keys: &ManagerKeys) -> Result<Self, PolicyError> {
        let mut next = self.clone();
        next.serial = self.serial.checked_add(1).ok_or(PolicyError::Full)?;
        for device in &change.bar {
            if !next.is_barred(*device) {
                next.barred.push(*device);
            }
        }
        if let Some(organisers) = &change.organisers {
            next.organisers.clone_from(organisers);
        }
        if change.rotate {
            let (rotation, _) = keys.next_rotation().ok_or(PolicyError::NoRotation)?;
            // A commit with this rotation may have been merged before, although another policy of it was lost.
            if next.chain.current() != rotation.to {
                next.chain.push(rotation.clone())?;
            }
        }
        if next.barred.len() > MAX_BARRED || next.organisers.len() > MAX_ORGANISERS {
            return Err(PolicyError::Full);
        }
        if next.organisers.is_empty() { Err(PolicyError::NoOrganiser) } else { next.signed(keys) }
    }

    /// Returns the number of this policy, which rises with each change.
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// Returns the chain of authorities. Its current one signed this policy.
    pub fn chain(&self) -> &AuthorityChain {
        &self.chain
    }

    /// Returns the authority that signs commands to the delivery service.
    pub fn authority(&self) -> Authority {
        self.chain.current().authority
    }

    /// Returns the organisers: a participant on a device each.
    pub fn organisers(&self) -> &[(DeviceKey, ParticipantId)] {
        &self.organisers
    }

    /// Returns true if `participant` on `device` is an organiser.
    pub fn is_organiser(&self, device: DeviceKey, participant: ParticipantId) -> bool {
        self.organisers.contains(&(device, participant))
    }

    /// Returns true if an organiser has this device, with any participant id.
    pub fn is_organiser_device(&self, device: DeviceKey) -> bool {
        self.organisers.iter().any(|organiser| organiser.0 == device)
    }

    /// Returns true if `person` is an organiser who comes back, as the authority signed. The authority before counts as
    /// well: an organiser that lost the connection may not know that its last rotation is in force.
    pub(crate) fn allows_return(&self, person: &LeafCredential) -> bool {
        let mut newest = self.chain.newest_authorities().into_iter();
        self.is_organiser_device(person.device) && newest.any(|authority| person.is_return_by(authority))
    }

    /// Returns the devices that were removed and may not join any more, in the order of their removal.
    pub fn barred(&self) -> &[DeviceKey] {
        &self.barred
    }

    /// Returns true if `device` may not join any more.
    pub fn is_barred(&self, device: DeviceKey) -> bool {
        self.barred.contains(&device)
    }

    /// Returns true if this is a policy of `meeting`, signed by an authority that the link of `binding` leads to.
    pub(crate) fn is_valid_for(&self, meeting: MeetingId, link: Binding) -> bool {
        self.chain.verify(meeting, link).is_ok() && self.has_signature()
    }

    /// Returns true if this policy may replace `before`, which is in force: a higher serial, the same chain or a longer
    /// one, all barred devices still barred, and the authority's signature.
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

    fn signed(mut self, keys: &ManagerKeys) -> Result<Self, PolicyError> {
        let key = keys.key_of(self.authority()).ok_or(PolicyError::NotAuthority)?;
        self.signature = key.sign(&self.signed_bytes());
        Ok(self)
    }

    fn has_signature(&self) -> bool {
        self.authority().signed(&self.signed_bytes(), &self.signature)
    }

    /// Returns the bytes that the authority signs. The chain's first pair determines the meeting, so the signature is valid
    /// for one meeting only.
    fn signed_bytes(&self) -> Vec<u8> {
        [b"Conclave 1.0 policy\0".as_slice(), &self.chain.meeting().0, &self.encode_unsigned()].concat()
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = self.encode_unsigned();
        bytes.extend_from_slice(&self.signature);
        bytes
    }

    #[expect(clippy::cast_possible_truncation, reason = "the counts are at most 256, 255 and 1024")]
    fn encode_unsigned(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.serial.to_be_bytes());
        bytes.extend_from_slice(&(self.chain.rotations() as u16).to_be_bytes());
        bytes.extend_from_slice(&self.chain.encode());
        bytes.push(self.organisers.len() as u8);
        for (device, participant) in &self.organisers {
            bytes.extend_from_slice(&device.0);
            bytes.extend_from_slice(&participant.0.to_be_bytes());
        }
        bytes.extend_from_slice(&(self.barred.len() as u16).to_be_bytes());
        for device in &self.barred {
            bytes.extend_from_slice(&device.0);
        }
        bytes
    }

    /// Decodes a policy within its bounds. Does not verify it.
    fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[VERSION], rest) = bytes.split_first_chunk()? else { return None };
        let (serial, rest) = rest.split_first_chunk::<8>()?;
        let (rotations, rest) = rest.split_first_chunk::<2>()?;
        let rotations = usize::from(u16::from_be_bytes(*rotations));
        if rotations > MAX_ROTATIONS {
            return None;
        }
        let (chain, rest) = rest.split_at_checked(PAIR + rotations * Rotation::LENGTH)?;
        let (&count, rest) = rest.split_first()?;
        let (organisers, rest) = rest.split_at_checked(usize::from(count) * ORGANISER)?;
        let (count, rest) = rest.split_first_chunk::<2>()?;
        let count = usize::from(u16::from_be_bytes(*count));
        let (barred, signature) = rest.split_at_checked(count * DEVICE)?;
        let (organisers, barred) = (organisers.as_chunks::<ORGANISER>().0, barred.as_chunks::<DEVICE>().0);
        let policy = Self {
            serial: u64::from_be_bytes(*serial),
            chain: AuthorityChain::decode(chain).ok()?,
            organisers: organisers.iter().map(organiser).collect::<Option<_>>()?,
            barred: barred.iter().map(|device| DeviceKey(*device)).collect(),
            signature: signature.try_into().ok()?,
        };
        (count <= MAX_BARRED && !policy.organisers.is_empty()).then_some(policy)
    }
}

fn organiser(entry: &[u8; ORGANISER]) -> Option<(DeviceKey, ParticipantId)> {
    let (device, participant) = entry.split_first_chunk::<DEVICE>()?;
    Some((DeviceKey(*device), ParticipantId(u64::from_be_bytes(participant.try_into().ok()?))))
}

fn required() -> RequiredCapabilitiesExtension {
    RequiredCapabilitiesExtension::new(&[POLICY_TYPE], &[], &[])
}

const VERSION: u8 = 3;
const DEVICE: usize = 32;
/// A device key and a participant.
const ORGANISER: usize = DEVICE + 8;
/// Barred devices of a meeting. None is ever forgotten.
pub(crate) const MAX_BARRED: usize = 1_024;
const MAX_ORGANISERS: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    const ME: (DeviceKey, ParticipantId) = (DeviceKey([1; 32]), ParticipantId(1));

    fn first() -> (ManagerKeys, MeetingPolicy) {
        let keys = ManagerKeys::new().unwrap();
        let policy = MeetingPolicy::new(ME.0, ME.1, &keys).unwrap();
        (keys, policy)
    }

    fn bar(device: u8) -> PolicyChange {
        PolicyChange { bar: vec![DeviceKey([device; 32])], ..PolicyChange::default() }
    }

    #[test]
    fn a_policy_is_valid_for_its_meeting_and_its_links() {
        let (keys, policy) = first();
        let link = keys.chain().current().binding();
        assert!(policy.is_valid_for(keys.meeting(), link));
        assert!(!policy.is_valid_for(MeetingId([0; 16]), link));
        assert!(!policy.is_valid_for(keys.meeting(), Binding([0; 16])));
        let (_, other) = first();
        assert!(!other.is_valid_for(keys.meeting(), link));
    }

    #[test]
    fn every_changed_field_invalidates_the_signature() {
        let (keys, policy) = first();
        let policy = policy.next(&bar(9), &keys).unwrap();
        assert!(policy.has_signature());
        let organisers = vec![(DeviceKey([2; 32]), ParticipantId(2))];
        for changed in [
            MeetingPolicy { organisers, ..policy.clone() },
            MeetingPolicy { barred: Vec::new(), ..policy.clone() },
            MeetingPolicy { serial: 7, ..policy.clone() },
            MeetingPolicy { chain: first().1.chain, ..policy.clone() },
        ] {
            assert!(!changed.has_signature());
        }
    }

    #[test]
    fn a_policy_follows_a_lower_one_of_the_same_authority() {
        let (mut keys, before) = first();
        let after = before.next(&bar(9), &keys).unwrap();
        assert!(after.may_follow(&before));
        assert!(!before.may_follow(&after) && !after.may_follow(&after));
        assert!(before.next(&PolicyChange::default(), &keys).unwrap().may_follow(&before));
        // The same serial without the barred device, and a higher one.
        let empty = before.next(&PolicyChange::default(), &keys).unwrap();
        assert!(!empty.may_follow(&after));
        assert!(!empty.next(&PolicyChange::default(), &keys).unwrap().may_follow(&after));
        keys.prepare_rotation().unwrap();
        let rotated = after.next(&PolicyChange { rotate: true, ..bar(8) }, &keys).unwrap();
        assert!(rotated.may_follow(&after) && rotated.may_follow(&before));
        assert!(
            rotated.is_valid_for(keys.meeting(), keys.chain().current().binding()),
            "the old link still leads here"
        );
        assert_eq!(rotated.barred().len(), 2);
        // Once more with the same rotation: it is not appended twice.
        let again = rotated.next(&PolicyChange { rotate: true, ..bar(7) }, &keys).unwrap();
        assert_eq!(again.chain(), rotated.chain());
        // The old authority cannot sign a policy of the new one, nor leave the rotation out.
        let (stranger, _) = first();
        assert_eq!(rotated.next(&bar(1), &stranger), Err(PolicyError::NotAuthority));
        let shorter = after.next(&bar(8), &keys).unwrap().next(&bar(7), &keys).unwrap();
        assert!(!shorter.may_follow(&rotated));
    }

    #[test]
    fn a_full_list_is_refused_and_nothing_is_dropped() {
        let (keys, policy) = first();
        let device = |number: usize| DeviceKey(std::array::from_fn(|at| number.to_be_bytes()[at % 8]));
        let many = PolicyChange { bar: (1..=MAX_BARRED).map(device).collect(), ..PolicyChange::default() };
        let full = policy.next(&many, &keys).unwrap();
        assert_eq!(full.barred().len(), MAX_BARRED);
        assert_eq!(MeetingPolicy::of(&full.extensions()), Some(full.clone()));
        assert_eq!(full.next(&bar(0xee), &keys), Err(PolicyError::Full));
        let again = PolicyChange { bar: vec![device(1)], ..PolicyChange::default() };
        assert!(full.next(&again, &keys).is_ok(), "a device is barred once");
        let nobody = PolicyChange { organisers: Some(Vec::new()), ..PolicyChange::default() };
        assert_eq!(policy.next(&nobody, &keys), Err(PolicyError::NoOrganiser));
        let rotate = PolicyChange { rotate: true, ..PolicyChange::default() };
        assert_eq!(policy.next(&rotate, &keys), Err(PolicyError::NoRotation));
    }

    #[test]
    fn the_policy_round_trips_and_other_extensions_are_rejected() {
        let (mut keys, policy) = first();
        keys.prepare_rotation().unwrap();
        let policy = policy.next(&PolicyChange { rotate: true, ..bar(9) }, &keys).unwrap();
        assert_eq!(MeetingPolicy::of(&policy.extensions()), Some(policy.clone()));
        let bytes = policy.encode();
        for length in 0..bytes.len() {
            assert_eq!(MeetingPolicy::decode(&bytes[..length]), None);
        }
        assert_eq!(MeetingPolicy::decode(&[bytes, vec![0]].concat()), None);
        let mut more = policy.extensions();
        more.add(Extension::Unknown(0xf5c2, UnknownExtension(vec![]))).unwrap();
        assert_eq!(MeetingPolicy::of(&more), None);
        assert_eq!(MeetingPolicy::of(&Extensions::empty()), None);
    }
}
