//! Who may change the group. Every client calls [`authorize`] before it merges a commit.

use super::error::Reject;
use super::policy::MeetingPolicy;
use crate::Leaf;
use crate::credential::LeafCredential;
use proto::ParticipantId;

/// One proposal of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proposed {
    /// Adds a member with this verified credential.
    Add(LeafCredential),
    /// Removes a leaf.
    Remove(Leaf),
    /// Updates the committer's own leaf to this credential.
    Update(LeafCredential),
    /// Replaces the policy.
    Policy(Box<MeetingPolicy>),
    /// Any other proposal: other extensions, pre-shared keys, re-initialisation, proposals of other members.
    Other,
}

/// Decides whether `committer` may commit these proposals. All clients have the same inputs and get the same result.
///
/// Organisers add and remove. Any member removes leaves whose participant is `gone` according to the delivery service
/// or whose device is barred, and adds an organiser who comes back with the authority's signature. Any member may
/// commit a policy that the authority signed. Nobody adds or keeps a barred device.
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
    let after = next_policy(policy, proposals)?;
    let mut present: Vec<&LeafCredential> = members.iter().map(|member| &member.1).collect();
    // Removals first (RFC 9420, section 12.3): a participant may be replaced in one commit.
    for proposal in proposals {
        if let Proposed::Remove(leaf) = proposal {
            let removed = at(*leaf).ok_or(Reject::EmptyLeaf)?;
            if !organiser && !gone(removed.participant) && !after.is_barred(removed.device) {
                return Err(Reject::NotOrganiser);
            }
            present.retain(|member| member.participant != removed.participant);
        }
    }
    for proposal in proposals {
        match proposal {
            Proposed::Add(person) => {
                may_add(policy, after, person, organiser, &present)?;
                present.push(person);
            }
            Proposed::Update(person) if !person.has_same_identity(by) => return Err(Reject::IdentityChanged),
            Proposed::Other => return Err(Reject::UnsupportedProposal),
            Proposed::Remove(_) | Proposed::Update(_) | Proposed::Policy(_) => {}
        }
    }
    if present.iter().any(|member| after.is_barred(member.device)) { Err(Reject::Barred) } else { Ok(()) }
}

/// Returns the policy after the commit.
fn next_policy<'a>(before: &'a MeetingPolicy, proposals: &'a [Proposed]) -> Result<&'a MeetingPolicy, Reject> {
    let mut after = before;
    for proposal in proposals {
        if let Proposed::Policy(next) = proposal {
            // At most one: a second one would need a higher serial than the first.
            if !next.may_follow(after) {
                return Err(Reject::InvalidPolicy);
            }
            after = next;
        }
    }
    Ok(after)
}

fn may_add(
    before: &MeetingPolicy,
    after: &MeetingPolicy,
    person: &LeafCredential,
    organiser: bool,
    present: &[&LeafCredential],
) -> Result<(), Reject> {
    if after.is_barred(person.device) {
        return Err(Reject::Barred);
    }
    if !organiser && !before.allows_return(person) {
        return Err(Reject::NotOrganiser);
    }
    if present.iter().any(|member| member.participant == person.participant) {
        return Err(Reject::AlreadyMember);
    }
    if present.len() >= MAX_MEMBERS { Err(Reject::Full) } else { Ok(()) }
}

/// Leaves that a key id can name (docs/frames.md).
const MAX_MEMBERS: usize = crate::frame::MAX_LEAVES as usize;

#[cfg(test)]
mod tests {
    use super::super::policy::PolicyChange;
    use super::*;
    use crate::identity::{Identity, Profile};
    use crate::manager_keys::ManagerKeys;
    use std::time::UNIX_EPOCH;

    struct World {
        keys: ManagerKeys,
        policy: MeetingPolicy,
        /// The first is the organiser.
        members: Vec<(Leaf, LeafCredential)>,
    }

    impl World {
        fn new() -> Self {
            let keys = ManagerKeys::new().unwrap();
            let members: Vec<_> = (0..3).map(|leaf| (Leaf(leaf), person(u64::from(leaf)))).collect();
            let policy = MeetingPolicy::new(members[0].1.device, members[0].1.participant, &keys).unwrap();
            Self { keys, policy, members }
        }

        fn ask(&self, committer: u32, proposals: &[Proposed], gone: &[u64]) -> Result<(), Reject> {
            let gone = |participant: ParticipantId| gone.contains(&participant.0);
            authorize(&self.policy, &self.members, Leaf(committer), proposals, &gone)
        }

        /// Returns a policy that bars the devices of these members.
        fn bar(&self, members: &[usize]) -> Proposed {
            let bar = members.iter().map(|index| self.members[*index].1.device).collect();
            let change = PolicyChange { bar, ..PolicyChange::default() };
            Proposed::Policy(Box::new(self.policy.next(&change, &self.keys).unwrap()))
        }

        /// Returns the credential of a new leaf on the device of `of`.
        fn again(&self, of: usize, participant: u64) -> LeafCredential {
            let mut again = self.members[of].1.clone();
            again.participant = ParticipantId(participant);
            again
        }
    }

    fn person(number: u64) -> LeafCredential {
        let (identity, profile) = (Identity::generate().unwrap(), Profile::new("N").unwrap());
        LeafCredential::issue(
            &identity,
            profile,
            ParticipantId(number),
            proto::MeetingId([0; 16]),
            &[0; 32],
            UNIX_EPOCH,
        )
    }

    #[test]
    fn the_organiser_adds_and_removes() {
        let world = World::new();
        let ask = |proposals: &[Proposed]| world.ask(0, proposals, &[]);
        assert_eq!(ask(&[Proposed::Add(person(9)), Proposed::Remove(Leaf(2))]), Ok(()));
        assert_eq!(ask(&[Proposed::Remove(Leaf(2)), Proposed::Add(person(2))]), Ok(()));
        assert_eq!(ask(&[Proposed::Add(person(2))]), Err(Reject::AlreadyMember));
        assert_eq!(ask(&[Proposed::Add(person(9)), Proposed::Add(person(9))]), Err(Reject::AlreadyMember));
        assert_eq!(ask(&[Proposed::Remove(Leaf(7))]), Err(Reject::EmptyLeaf));
    }

    #[test]
    fn a_guest_cannot_add_or_remove() {
        let world = World::new();
        assert_eq!(world.ask(1, &[Proposed::Add(person(9))], &[9]), Err(Reject::NotOrganiser));
        assert_eq!(world.ask(1, &[Proposed::Remove(Leaf(2))], &[]), Err(Reject::NotOrganiser));
        assert_eq!(world.ask(1, &[Proposed::Remove(Leaf(0))], &[]), Err(Reject::NotOrganiser));
        assert_eq!(world.ask(5, &[], &[]), Err(Reject::NotAMember));
    }

    #[test]
    fn any_member_removes_members_that_are_gone() {
        let world = World::new();
        let both = [Proposed::Remove(Leaf(0)), Proposed::Remove(Leaf(2))];
        assert_eq!(world.ask(1, &both[1..], &[2]), Ok(()));
        assert_eq!(world.ask(1, &both[..1], &[0]), Ok(()));
        assert_eq!(world.ask(1, &both, &[2]), Err(Reject::NotOrganiser));
    }

    #[test]
    fn a_device_that_joins_twice_has_rights_once() {
        let mut world = World::new();
        let again = world.again(0, 9);
        assert!(!world.policy.is_organiser(again.device, again.participant));
        world.members.push((Leaf(3), again));
        assert_eq!(world.ask(3, &[Proposed::Remove(Leaf(1))], &[]), Err(Reject::NotOrganiser));
        assert_eq!(world.ask(3, &[Proposed::Add(person(10))], &[]), Err(Reject::NotOrganiser));
        assert_eq!(world.ask(0, &[Proposed::Remove(Leaf(3))], &[]), Ok(()), "the organiser removes the second leaf");
    }

    #[test]
    fn identity_cannot_change() {
        let world = World::new();
        let update = |of: usize| [Proposed::Update(world.members[of].1.clone())];
        assert_eq!(world.ask(1, &update(1), &[]), Ok(()));
        assert_eq!(world.ask(1, &update(0), &[]), Err(Reject::IdentityChanged));
        assert_eq!(world.ask(0, &[Proposed::Other], &[]), Err(Reject::UnsupportedProposal));
        assert_eq!(world.ask(1, &[Proposed::Other], &[]), Err(Reject::UnsupportedProposal));
    }

    #[test]
    fn a_barred_device_is_added_by_nobody() {
        let mut world = World::new();
        let (bar, remove) = (world.bar(&[2]), Proposed::Remove(Leaf(2)));
        // The same commit cannot add the device again, not even the organiser's.
        let back = Proposed::Add(world.again(2, 9));
        assert_eq!(world.ask(0, &[bar.clone(), remove.clone(), back.clone()], &[]), Err(Reject::Barred));
        assert_eq!(world.ask(0, &[bar.clone(), remove], &[]), Ok(()));
        let Proposed::Policy(policy) = bar else { unreachable!() };
        world.policy = *policy;
        world.members.remove(2);
        assert_eq!(world.ask(0, &[back], &[]), Err(Reject::Barred));
    }

    #[test]
    fn a_barred_device_does_not_stay() {
        let mut world = World::new();
        assert_eq!(world.ask(0, &[world.bar(&[2])], &[]), Err(Reject::Barred));
        // With a second leaf of the device, both leave.
        let again = world.again(2, 9);
        world.members.push((Leaf(3), again));
        let bar = world.bar(&[2]);
        assert_eq!(world.ask(0, &[bar.clone(), Proposed::Remove(Leaf(2))], &[]), Err(Reject::Barred));
        let both = [bar, Proposed::Remove(Leaf(2)), Proposed::Remove(Leaf(3))];
        assert_eq!(world.ask(0, &both, &[]), Ok(()));
        assert_eq!(world.ask(1, &both, &[]), Ok(()), "the authority's signature decides, not the committer");
    }

    #[test]
    fn a_policy_needs_the_signature_of_the_authority() {
        let world = World::new();
        let stranger = ManagerKeys::new().unwrap();
        let guest = &world.members[1].1;
        let own = MeetingPolicy::new(guest.device, guest.participant, &stranger).unwrap();
        let own = own.next(&PolicyChange::default(), &stranger).unwrap();
        for committer in [0, 1] {
            assert_eq!(
                world.ask(committer, &[Proposed::Policy(Box::new(own.clone()))], &[]),
                Err(Reject::InvalidPolicy)
            );
            let same = Proposed::Policy(Box::new(world.policy.clone()));
            assert_eq!(world.ask(committer, &[same], &[]), Err(Reject::InvalidPolicy));
        }
    }

    #[test]
    fn any_member_adds_an_organiser_who_comes_back() {
        let mut world = World::new();
        let guest = world.again(1, 9);
        let organiser = world.again(0, 9);
        assert_eq!(world.ask(1, &[Proposed::Add(organiser.clone())], &[]), Err(Reject::NotOrganiser));
        // The signature alone is not enough: the device must be an organiser's.
        assert_eq!(world.ask(1, &[Proposed::Add(world.keys.with_return(guest))], &[]), Err(Reject::NotOrganiser));
        let stranger = ManagerKeys::new().unwrap();
        let forged = stranger.with_return(organiser.clone());
        assert_eq!(world.ask(1, &[Proposed::Add(forged)], &[]), Err(Reject::NotOrganiser));
        let back = Proposed::Add(world.keys.with_return(organiser));
        assert_eq!(world.ask(1, std::slice::from_ref(&back), &[]), Ok(()));
        world.members.remove(0);
        assert_eq!(world.ask(2, &[back], &[]), Ok(()), "also after its old leaf was removed");
    }
}
