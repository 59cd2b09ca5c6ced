//! Decides who may change the group. Every client calls [`authorize`] before it merges a commit.

use super::credential::LeafCredential;
use super::error::Reject;
use crate::Leaf;
use crate::identity::DeviceKey;
use openmls::prelude::{
    Extension, ExtensionType, Extensions, GroupContext, RequiredCapabilitiesExtension, UnknownExtension,
};
use proto::ParticipantId;

/// The meeting's policy: a `GroupContext` extension, covered by the transcript hash.
///
/// `version 1 B | count 1 B | organisers, each: device key 32 B | participant 8 B`. Rights belong to a participant id
/// on a device: if the device joins a second time, the new leaf is a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeetingPolicy {
    organisers: Vec<(DeviceKey, ParticipantId)>,
}

impl MeetingPolicy {
    /// Returns a policy with one organiser.
    pub(crate) fn new(device: DeviceKey, participant: ParticipantId) -> Self {
        Self { organisers: vec![(device, participant)] }
    }

    /// Returns true if `participant` on `device` is an organiser.
    pub fn is_organiser(&self, device: DeviceKey, participant: ParticipantId) -> bool {
        self.organisers.contains(&(device, participant))
    }

    /// Reads the policy from a group's extensions. Returns `None` if it is missing or there are other extensions.
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

    fn encode(&self) -> Vec<u8> {
        #[expect(clippy::cast_possible_truncation, reason = "one organiser; decoding allows 255")]
        let head = vec![VERSION, self.organisers.len() as u8];
        self.organisers.iter().fold(head, |mut bytes, organiser| {
            bytes.extend_from_slice(&organiser.0.0);
            bytes.extend_from_slice(&organiser.1.0.to_be_bytes());
            bytes
        })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[version, count], entries) = bytes.split_first_chunk::<2>()?;
        let (entries, rest) = entries.as_chunks::<ENTRY>();
        let valid = version == VERSION && rest.is_empty() && entries.len() == usize::from(count) && count > 0;
        let read = |entry: &[u8; ENTRY]| {
            let (device, participant) = entry.split_first_chunk::<32>()?;
            let participant = u64::from_be_bytes(*participant.first_chunk::<8>()?);
            Some((DeviceKey(*device), ParticipantId(participant)))
        };
        Some(Self { organisers: entries.iter().map(read).collect::<Option<_>>()? }).filter(|_| valid)
    }
}

/// One proposal of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proposed {
    /// Adds a member with this verified credential.
    Add(LeafCredential),
    /// Removes a leaf.
    Remove(Leaf),
    /// Updates the committer's own leaf to this credential.
    Update(LeafCredential),
    /// Any other proposal: policy, pre-shared keys, re-initialisation, proposals of other members.
    Other,
}

/// Decides whether `committer` may commit these proposals. All clients have the same inputs and get the same result.
///
/// Organisers may add and remove members. Every member may remove members that the delivery service reported `gone`,
/// and update its own leaf. The policy cannot change.
pub(crate) fn authorize(
    policy: &MeetingPolicy,
    members: &[(Leaf, LeafCredential)],
    committer: Leaf,
    proposals: &[Proposed],
    gone: &dyn Fn(ParticipantId) -> bool,
) -> Result<(), Reject> {
    let at = |leaf: Leaf| members.iter().find(|member| member.0 == leaf).map(|member| &member.1);
    let by = at(committer).ok_or(Reject::NotAMember)?;
    let organiser = policy.is_organiser(by.device, by.participant);
    let mut present: Vec<ParticipantId> = members.iter().map(|member| member.1.participant).collect();
    // Removals first (RFC 9420, section 12.3): a participant may be replaced in one commit.
    for proposal in proposals {
        if let Proposed::Remove(leaf) = proposal {
            let removed = at(*leaf).ok_or(Reject::EmptyLeaf)?;
            if !organiser && !gone(removed.participant) {
                return Err(Reject::NotOrganiser);
            }
            present.retain(|participant| *participant != removed.participant);
        }
    }
    for proposal in proposals {
        match proposal {
            Proposed::Add(_) if !organiser => return Err(Reject::NotOrganiser),
            Proposed::Add(person) if present.contains(&person.participant) => return Err(Reject::AlreadyMember),
            Proposed::Add(_) if present.len() >= MAX_MEMBERS => return Err(Reject::Full),
            Proposed::Add(person) => present.push(person.participant),
            Proposed::Update(person) if !person.has_same_identity(by) => return Err(Reject::IdentityChanged),
            Proposed::Remove(_) | Proposed::Update(_) => {}
            Proposed::Other => return Err(Reject::UnsupportedProposal),
        }
    }
    Ok(())
}

fn required() -> RequiredCapabilitiesExtension {
    RequiredCapabilitiesExtension::new(&[POLICY_TYPE], &[], &[])
}

const VERSION: u8 = 2;
/// The length of an entry: a device key and a participant.
const ENTRY: usize = 32 + 8;
/// The number of the extension, from the range for private use (RFC 9420, section 17.3).
const POLICY: u16 = 0xf5c1;
/// The extension type for openmls.
pub(crate) const POLICY_TYPE: ExtensionType = ExtensionType::Unknown(POLICY);
/// The number of leaves that a key id can address (docs/frames.md).
const MAX_MEMBERS: usize = crate::frame::MAX_LEAVES as usize;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Identity, Profile};
    use openmls::prelude::Lifetime;
    use proto::MeetingId;

    fn person(number: u64) -> LeafCredential {
        let (identity, profile) = (Identity::generate().unwrap(), Profile::new("N").unwrap());
        let (participant, meeting) = (ParticipantId(number), MeetingId([0; 16]));
        LeafCredential::issue(&identity, profile, participant, meeting, &[0; 32], Lifetime::new(60))
    }

    /// Returns three members. The first is the organiser.
    fn with_three_members() -> (MeetingPolicy, Vec<(Leaf, LeafCredential)>) {
        let members: Vec<_> = (0..3).map(|leaf| (Leaf(leaf), person(u64::from(leaf)))).collect();
        (MeetingPolicy::new(members[0].1.device, members[0].1.participant), members)
    }

    fn verdict_for(committer: u32, proposals: &[Proposed], gone: &[u64]) -> Result<(), Reject> {
        let (policy, members) = with_three_members();
        let proposals: Vec<_> = proposals
            .iter()
            .map(|proposal| match proposal {
                // Use the credential from the group for its own members.
                Proposed::Update(other) if other.participant.0 < 3 => {
                    Proposed::Update(members[usize::try_from(other.participant.0).unwrap()].1.clone())
                }
                Proposed::Update(_) | Proposed::Add(_) | Proposed::Remove(_) | Proposed::Other => proposal.clone(),
            })
            .collect();
        authorize(&policy, &members, Leaf(committer), &proposals, &|participant| gone.contains(&participant.0))
    }

    #[test]
    fn the_organiser_adds_and_removes() {
        assert_eq!(verdict_for(0, &[Proposed::Add(person(9)), Proposed::Remove(Leaf(2))], &[]), Ok(()));
        assert_eq!(verdict_for(0, &[Proposed::Remove(Leaf(2)), Proposed::Add(person(2))], &[]), Ok(()));
        assert_eq!(verdict_for(0, &[Proposed::Add(person(2))], &[]), Err(Reject::AlreadyMember));
        assert_eq!(
            verdict_for(0, &[Proposed::Add(person(9)), Proposed::Add(person(9))], &[]),
            Err(Reject::AlreadyMember)
        );
        assert_eq!(verdict_for(0, &[Proposed::Remove(Leaf(7))], &[]), Err(Reject::EmptyLeaf));
    }

    #[test]
    fn a_guest_cannot_add_or_remove() {
        assert_eq!(verdict_for(1, &[Proposed::Add(person(9))], &[9]), Err(Reject::NotOrganiser));
        assert_eq!(verdict_for(1, &[Proposed::Remove(Leaf(2))], &[]), Err(Reject::NotOrganiser));
        assert_eq!(verdict_for(1, &[Proposed::Remove(Leaf(0))], &[]), Err(Reject::NotOrganiser));
        assert_eq!(verdict_for(5, &[], &[]), Err(Reject::NotAMember));
    }

    #[test]
    fn any_member_removes_members_that_are_gone() {
        assert_eq!(verdict_for(1, &[Proposed::Remove(Leaf(2))], &[2]), Ok(()));
        assert_eq!(verdict_for(1, &[Proposed::Remove(Leaf(0))], &[0]), Ok(()));
        assert_eq!(
            verdict_for(1, &[Proposed::Remove(Leaf(0)), Proposed::Remove(Leaf(2))], &[2]),
            Err(Reject::NotOrganiser)
        );
    }

    #[test]
    fn a_device_that_joins_twice_has_rights_once() {
        let (policy, mut members) = with_three_members();
        let mut again = members[0].1.clone();
        assert!(policy.is_organiser(again.device, again.participant));
        again.participant = ParticipantId(9);
        assert!(!policy.is_organiser(again.device, again.participant));
        members.push((Leaf(3), again));
        let verdict_for = |committer, proposal| authorize(&policy, &members, Leaf(committer), &[proposal], &|_| false);
        assert_eq!(verdict_for(3, Proposed::Remove(Leaf(1))), Err(Reject::NotOrganiser));
        assert_eq!(verdict_for(3, Proposed::Add(person(10))), Err(Reject::NotOrganiser));
        assert_eq!(verdict_for(0, Proposed::Remove(Leaf(3))), Ok(()), "the organiser removes the second leaf");
    }

    #[test]
    fn identity_and_policy_cannot_change() {
        assert_eq!(verdict_for(1, &[Proposed::Update(person(1))], &[]), Ok(()));
        assert_eq!(verdict_for(1, &[Proposed::Update(person(0))], &[]), Err(Reject::IdentityChanged));
        assert_eq!(verdict_for(0, &[Proposed::Other], &[]), Err(Reject::UnsupportedProposal));
        assert_eq!(verdict_for(1, &[Proposed::Other], &[]), Err(Reject::UnsupportedProposal));
    }

    #[test]
    fn the_policy_round_trips_and_other_extensions_are_rejected() {
        let (policy, _) = with_three_members();
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
