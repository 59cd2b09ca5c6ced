use super::super::policy::{PolicyChange, PolicyEdit};
use super::*;
use crate::identity::{DeviceKey, Identity, Profile};
use crate::manager_keys::ManagerKeys;
use proto::{MeetingFlags, Role};
use std::time::UNIX_EPOCH;

struct World {
    keys: ManagerKeys,
    policy: MeetingPolicy,
    /// The first is the organiser.
    members: Vec<(Leaf, LeafCredential)>,
}

impl World {
    fn new() -> Self {
        Self::of(3)
    }

    fn of(count: u32) -> Self {
        let keys = ManagerKeys::new().unwrap();
        let members: Vec<_> = (0..count).map(|leaf| (Leaf(leaf), person(u64::from(leaf)))).collect();
        let policy = MeetingPolicy::new(members[0].1.device, members[0].1.participant, &keys).unwrap();
        Self { keys, policy, members }
    }

    fn ask(&self, committer: u32, proposals: &[Proposed], gone: &[u64]) -> Result<(), Reject> {
        let gone = |participant: ParticipantId| gone.contains(&participant.0).then_some(Gone::Left);
        authorize(&self.policy, &self.members, Leaf(committer), proposals, &gone)
    }

    /// Returns a policy that bars the devices of these members.
    fn bar(&self, members: &[usize]) -> Proposed {
        let edits: Vec<_> = members.iter().map(|index| PolicyEdit::Bar(self.members[*index].1.device)).collect();
        self.edit(&edits)
    }

    /// Returns a policy with these edits. The authority rotates if a manager stops being one.
    fn edit(&self, edits: &[PolicyEdit]) -> Proposed {
        let mut keys = ManagerKeys::from_shared(self.keys.shared(), self.keys.chain()).unwrap();
        let rotate = self.policy.loses_manager(&self.policy.edited(edits).unwrap());
        if rotate {
            keys.prepare_rotation().unwrap();
        }
        let change = PolicyChange { edits: edits.to_vec(), rotate };
        Proposed::Policy(Box::new(self.policy.next(&change, &keys).unwrap()))
    }

    fn id(&self, member: usize) -> (DeviceKey, ParticipantId) {
        (self.members[member].1.device, self.members[member].1.participant)
    }

    fn set_role(&self, member: usize, role: Role) -> Proposed {
        let (device, participant) = self.id(member);
        self.edit(&[PolicyEdit::SetRole(device, participant, role)])
    }

    /// Puts a policy in force.
    fn adopt(&mut self, proposed: Proposed) {
        let Proposed::Policy(policy) = proposed else { unreachable!() };
        self.policy = *policy;
    }

    /// Returns a world of six: the organiser, two co-organisers, a presenter, a participant and a guest.
    fn with_roles() -> Self {
        let mut world = Self::of(6);
        for (member, role) in [(1, Role::CoOrganiser), (2, Role::CoOrganiser), (3, Role::Presenter), (5, Role::Guest)] {
            world.adopt(world.set_role(member, role));
        }
        world
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
    LeafCredential::issue(&identity, profile, ParticipantId(number), proto::MeetingId([0; 16]), &[0; 32], UNIX_EPOCH)
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
    assert_eq!(world.ask(1, &[Proposed::Add(person(9))], &[9]), Err(Reject::NotAllowed));
    assert_eq!(world.ask(1, &[Proposed::Remove(Leaf(2))], &[]), Err(Reject::NotAllowed));
    assert_eq!(world.ask(1, &[Proposed::Remove(Leaf(0))], &[]), Err(Reject::NotAllowed));
    assert_eq!(world.ask(5, &[], &[]), Err(Reject::NotAMember));
}

#[test]
fn any_member_removes_members_that_are_gone() {
    let world = World::new();
    let both = [Proposed::Remove(Leaf(0)), Proposed::Remove(Leaf(2))];
    assert_eq!(world.ask(1, &both[1..], &[2]), Ok(()));
    assert_eq!(world.ask(1, &both[..1], &[0]), Ok(()));
    assert_eq!(world.ask(1, &both, &[2]), Err(Reject::NotAllowed));
}

#[test]
fn a_device_that_joins_twice_has_rights_once() {
    let mut world = World::new();
    let again = world.again(0, 9);
    assert!(!world.policy.is_manager(again.device, again.participant));
    world.members.push((Leaf(3), again));
    assert_eq!(world.ask(3, &[Proposed::Remove(Leaf(1))], &[]), Err(Reject::NotAllowed));
    assert_eq!(world.ask(3, &[Proposed::Add(person(10))], &[]), Err(Reject::NotAllowed));
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
    assert_eq!(world.ask(1, &both, &[]), Err(Reject::NotAllowed), "the committer decides, not the signature alone");
}

#[test]
fn a_policy_needs_the_signature_of_the_authority() {
    let world = World::new();
    let stranger = ManagerKeys::new().unwrap();
    let guest = &world.members[1].1;
    let own = MeetingPolicy::new(guest.device, guest.participant, &stranger).unwrap();
    let own = own.next(&PolicyChange::default(), &stranger).unwrap();
    for committer in [0, 1] {
        assert_eq!(world.ask(committer, &[Proposed::Policy(Box::new(own.clone()))], &[]), Err(Reject::InvalidPolicy));
        let same = Proposed::Policy(Box::new(world.policy.clone()));
        assert_eq!(world.ask(committer, &[same], &[]), Err(Reject::InvalidPolicy));
    }
}

#[test]
fn any_member_adds_an_organiser_who_comes_back() {
    let mut world = World::new();
    let (guest, authority) = (world.again(1, 9), world.keys.authority());
    let organiser = world.again(0, 9);
    assert_eq!(world.ask(1, &[Proposed::Add(organiser.clone())], &[]), Err(Reject::NotAllowed));
    // The signature alone is not enough: the device must be an organiser's.
    assert_eq!(
        world.ask(1, &[Proposed::Add(world.keys.with_return(guest, authority).unwrap())], &[]),
        Err(Reject::NotAllowed)
    );
    let stranger = ManagerKeys::new().unwrap();
    let forged = stranger.with_return(organiser.clone(), stranger.authority()).unwrap();
    assert_eq!(world.ask(1, &[Proposed::Add(forged)], &[]), Err(Reject::NotAllowed));
    let back = Proposed::Add(world.keys.with_return(organiser, authority).unwrap());
    assert_eq!(world.ask(1, std::slice::from_ref(&back), &[]), Ok(()));
    world.members.remove(0);
    assert_eq!(world.ask(2, &[back], &[]), Ok(()), "also after its old leaf was removed");
}

#[test]
fn who_may_admit_adds_and_who_may_remove_removes_those_below() {
    let mut world = World::with_roles();
    let remove = |world: &World, by, leaf| world.ask(by, &[Proposed::Remove(Leaf(leaf))], &[]);
    assert_eq!(world.ask(1, &[Proposed::Add(person(9))], &[]), Ok(()));
    for (leaf, verdict) in [(0, Err(Reject::NotBelow)), (2, Err(Reject::NotBelow)), (3, Ok(())), (5, Ok(()))] {
        assert_eq!(remove(&world, 1, leaf), verdict, "{leaf}");
    }
    assert_eq!(remove(&world, 3, 5), Err(Reject::NotAllowed), "a presenter has no right to remove");
    let (device, participant) = world.id(1);
    world.adopt(world.edit(&[PolicyEdit::Withdraw(device, participant, Rights::REMOVE | Rights::ADMIT)]));
    assert_eq!(remove(&world, 1, 5), Err(Reject::NotAllowed));
    assert_eq!(world.ask(1, &[Proposed::Add(person(9))], &[]), Err(Reject::NotAllowed));
    assert_eq!(remove(&world, 2, 5), Ok(()));
}

#[test]
fn a_co_organiser_changes_nobody_of_equal_or_higher_rank() {
    let world = World::with_roles();
    let withdraw = |member: usize| {
        let (device, participant) = world.id(member);
        world.edit(&[PolicyEdit::Withdraw(device, participant, Rights::CHAT)])
    };
    assert_eq!(world.ask(1, &[withdraw(2)], &[]), Err(Reject::NotBelow));
    assert_eq!(world.ask(1, &[withdraw(1)], &[]), Err(Reject::NotBelow), "nor itself");
    assert_eq!(world.ask(1, &[withdraw(3)], &[]), Ok(()));
    assert_eq!(world.ask(1, &[world.set_role(2, Role::Guest)], &[]), Err(Reject::NotBelow));
    assert_eq!(world.ask(1, &[world.set_role(4, Role::CoOrganiser)], &[]), Err(Reject::NotBelow));
    assert_eq!(world.ask(1, &[world.set_role(4, Role::Presenter)], &[]), Ok(()));
    assert_eq!(world.ask(0, &[world.set_role(4, Role::CoOrganiser)], &[]), Ok(()));
    for bar in [[2], [1]] {
        let leave = Proposed::Remove(world.members[bar[0]].0);
        assert_eq!(world.ask(1, &[world.bar(&bar), leave], &[2]), Err(Reject::NotBelow));
    }
    assert_eq!(world.ask(1, &[world.bar(&[3]), Proposed::Remove(Leaf(3))], &[]), Ok(()));
}

#[test]
fn nobody_gives_a_right_that_it_does_not_have() {
    let mut world = World::with_roles();
    let (device, participant) = world.id(1);
    world.adopt(world.edit(&[PolicyEdit::Withdraw(device, participant, Rights::RECORD | Rights::SCREEN)]));
    let (guest, id) = world.id(5);
    let grant = |rights| world.edit(&[PolicyEdit::Grant(guest, id, rights)]);
    assert_eq!(world.ask(1, &[grant(Rights::RECORD)], &[]), Err(Reject::NotAllowed));
    assert_eq!(world.ask(1, &[grant(Rights::FILE)], &[]), Ok(()));
    assert_eq!(world.ask(2, &[grant(Rights::RECORD)], &[]), Ok(()));
    // A role with the right, and the role of everybody.
    assert_eq!(world.ask(1, &[world.set_role(5, Role::Participant)], &[]), Err(Reject::NotAllowed));
    let everybody = world.edit(&[PolicyEdit::SetDefaults(Role::Guest, Role::Participant.default_rights())]);
    assert_eq!(world.ask(1, std::slice::from_ref(&everybody), &[]), Err(Reject::NotAllowed));
    assert_eq!(world.ask(2, &[everybody], &[]), Ok(()));
    let flags = |flags| world.edit(&[PolicyEdit::SetFlags(flags)]);
    let recording = flags(world.policy.flags().with(MeetingFlags::RECORDING, false));
    assert_eq!(world.ask(1, std::slice::from_ref(&recording), &[]), Err(Reject::NotAllowed));
    assert_eq!(world.ask(2, &[recording], &[]), Ok(()));
    let locked = flags(world.policy.flags().with(MeetingFlags::LOCKED, true));
    assert_eq!(world.ask(1, std::slice::from_ref(&locked), &[]), Ok(()));
    assert_eq!(world.ask(3, &[locked], &[]), Err(Reject::NotAllowed), "a presenter signs with stolen keys");
}

#[test]
fn setting_roles_and_delegating_are_two_rights() {
    let mut world = World::with_roles();
    let ((one, one_id), (other, other_id), (guest, id)) = (world.id(1), world.id(2), world.id(5));
    world.adopt(world.edit(&[
        PolicyEdit::Withdraw(one, one_id, Rights::SET_ROLE),
        PolicyEdit::Withdraw(other, other_id, Rights::DELEGATE),
    ]));
    let (role, right) =
        (world.set_role(5, Role::Participant), world.edit(&[PolicyEdit::Withdraw(guest, id, Rights::CHAT)]));
    assert_eq!(world.ask(1, std::slice::from_ref(&role), &[]), Err(Reject::NotAllowed));
    assert_eq!(world.ask(1, std::slice::from_ref(&right), &[]), Ok(()));
    assert_eq!(world.ask(2, &[role], &[]), Ok(()));
    assert_eq!(world.ask(2, &[right], &[]), Err(Reject::NotAllowed));
}

#[test]
fn the_new_organiser_removes_the_old_one_and_never_the_reverse() {
    let mut world = World::with_roles();
    let (device, participant) = world.id(4);
    let hand_over = world.edit(&[PolicyEdit::HandOver(device, participant)]);
    for by in [1, 4] {
        assert_eq!(world.ask(by, std::slice::from_ref(&hand_over), &[]), Err(Reject::NotAllowed), "{by}");
    }
    let more = world.edit(&[PolicyEdit::HandOver(device, participant), PolicyEdit::SetEveryone(Role::Guest)]);
    assert_eq!(world.ask(0, &[more], &[]), Err(Reject::InvalidPolicy), "alone");
    assert_eq!(world.ask(0, &[hand_over.clone(), Proposed::Remove(Leaf(4))], &[]), Err(Reject::InvalidPolicy));
    assert_eq!(world.ask(0, std::slice::from_ref(&hand_over), &[]), Ok(()));
    world.adopt(hand_over);
    assert_eq!(world.ask(0, &[Proposed::Remove(Leaf(4))], &[]), Err(Reject::NotBelow));
    let (old, old_id) = world.id(0);
    let back = world.edit(&[PolicyEdit::HandOver(old, old_id)]);
    assert_eq!(world.ask(0, &[back], &[]), Err(Reject::NotAllowed));
    let out = [world.bar(&[0]), Proposed::Remove(Leaf(0))];
    assert_eq!(world.ask(4, &out, &[]), Ok(()));
    let Proposed::Policy(after) = &out[0] else { unreachable!() };
    assert!(after.chain().rotations() > world.policy.chain().rotations(), "it knows the authority");
}

#[test]
fn who_stops_being_a_manager_loses_the_authority_with_the_same_commit() {
    let world = World::with_roles();
    let (device, participant) = world.id(1);
    let edits = vec![PolicyEdit::SetRole(device, participant, Role::Presenter)];
    let kept = world.policy.next(&PolicyChange { edits: edits.clone(), rotate: false }, &world.keys).unwrap();
    assert_eq!(world.ask(0, &[Proposed::Policy(Box::new(kept))], &[]), Err(Reject::NoRotation));
    assert_eq!(world.ask(0, &[world.edit(&edits)], &[]), Ok(()));
    let me = Leaf(0);
    assert_eq!(may_edit(&world.policy, &world.policy.edited(&edits).unwrap(), &world.members, me), Ok(()));
}

#[test]
fn roles_follow_a_device_whose_owner_comes_back_and_nobody_else() {
    let mut world = World::with_roles();
    let presenter = world.id(3);
    let back = world.again(3, 30);
    world.members.push((Leaf(6), back));
    let edit = |world: &World, id| world.edit(&[PolicyEdit::Return(presenter.0, ParticipantId(id))]);
    assert_eq!(world.ask(1, &[edit(&world, 30)], &[]), Err(Reject::InvalidPolicy), "the old leaf is still there");
    let removes = [edit(&world, 30), Proposed::Remove(Leaf(3))];
    assert_eq!(world.ask(1, &removes, &[]), Ok(()));
    assert_eq!(world.ask(6, &removes, &[3]), Err(Reject::NotAllowed), "it needs who may admit");
    assert_eq!(world.ask(1, &[edit(&world, 31), Proposed::Remove(Leaf(3))], &[]), Err(Reject::InvalidPolicy));
    // A manager takes its own role again.
    let back = world.again(1, 10);
    world.members.push((Leaf(7), back));
    let claim = world.edit(&[PolicyEdit::Return(world.id(1).0, ParticipantId(10))]);
    assert_eq!(world.ask(7, std::slice::from_ref(&claim), &[]), Err(Reject::NotAllowed), "its old leaf is still there");
    assert_eq!(world.ask(7, &[claim.clone(), Proposed::Remove(Leaf(1))], &[]), Ok(()), "its own leaf");
    let more =
        world.edit(&[PolicyEdit::Return(world.id(1).0, ParticipantId(10)), PolicyEdit::SetEveryone(Role::Guest)]);
    assert_eq!(world.ask(7, &[more, Proposed::Remove(Leaf(1))], &[]), Err(Reject::NotAllowed));
}

#[test]
fn the_next_in_rank_becomes_the_organiser_if_nobody_above_is_a_member() {
    let world = World::with_roles();
    let succeed = |member: usize| {
        let (device, participant) = world.id(member);
        world.edit(&[PolicyEdit::HandOver(device, participant)])
    };
    let without = |leaf| Proposed::Remove(Leaf(leaf));
    assert_eq!(world.ask(1, &[succeed(1)], &[]), Err(Reject::NotAllowed), "the organiser is there");
    assert_eq!(world.ask(1, &[succeed(1), without(0)], &[]), Err(Reject::NotBelow));
    assert_eq!(world.ask(1, &[succeed(1), without(0)], &[0]), Ok(()));
    assert_eq!(
        world.ask(2, &[succeed(2), without(0)], &[0]),
        Err(Reject::NotAllowed),
        "the first co-organiser is there"
    );
    assert_eq!(world.ask(2, &[succeed(2), without(0), without(1)], &[0, 1]), Ok(()));
    assert_eq!(world.ask(3, &[succeed(3), without(0), without(1), without(2)], &[0, 1, 2]), Err(Reject::NotAllowed));
    assert_eq!(world.ask(1, &[succeed(2), without(0)], &[0]), Err(Reject::NotAllowed), "for itself only");
}

#[test]
fn somebody_who_leaves_keeps_what_managers_have_ordered() {
    let world = World::with_roles();
    let (device, participant) = world.id(4);
    let mute = world.edit(&[PolicyEdit::Withdraw(device, participant, Rights::MICROPHONE)]);
    let both = [Proposed::Remove(Leaf(4)), mute.clone()];
    assert_eq!(world.ask(1, &both, &[]), Ok(()));
    assert_eq!(world.ask(1, &both, &[participant.0]), Ok(()));
    assert_eq!(world.ask(3, &both, &[participant.0]), Err(Reject::NotAllowed));
    // Not somebody who left before, nor with another participant id.
    let mut later = World::with_roles();
    later.members.remove(4);
    assert_eq!(later.ask(1, &[mute], &[]), Err(Reject::InvalidPolicy));
    let other = world.edit(&[PolicyEdit::Withdraw(device, ParticipantId(99), Rights::MICROPHONE)]);
    assert_eq!(world.ask(1, &[Proposed::Remove(Leaf(4)), other], &[]), Err(Reject::InvalidPolicy));
}

#[test]
fn ghosts_get_no_role_and_the_order_is_not_changed() {
    let mut world = World::with_roles();
    let ghost = world.edit(&[PolicyEdit::SetRole(DeviceKey([77; 32]), ParticipantId(77), Role::Presenter)]);
    assert_eq!(world.ask(0, &[ghost], &[]), Err(Reject::InvalidPolicy));
    // Again at the end: once as guest, once as presenter.
    world.adopt(world.set_role(4, Role::Presenter));
    let (device, participant) = world.id(3);
    let edits = [Role::Guest, Role::Presenter].map(|role| PolicyEdit::SetRole(device, participant, role));
    assert_eq!(world.ask(0, &[world.edit(&edits)], &[]), Err(Reject::InvalidPolicy));
}

/// A co-organiser that has the organiser's connection closed is not rid of the organiser: nobody below removes its leaf, and
/// nobody succeeds it.
#[test]
fn who_was_removed_by_somebody_without_power_over_it_is_not_gone() {
    let mut world = World::with_roles();
    let (device, participant) = world.id(1);
    let succeed = world.edit(&[PolicyEdit::HandOver(device, participant)]);
    let organiser = || Proposed::Remove(Leaf(0));
    let expelled = |world: &World, committer, proposals: &[Proposed], (who, by): (u64, u64)| {
        let gone = |participant: ParticipantId| (participant.0 == who).then_some(Gone::RemovedBy(ParticipantId(by)));
        authorize(&world.policy, &world.members, Leaf(committer), proposals, &gone)
    };
    for by in [0, 1, 2, 3, 4, 77] {
        // The server may name anybody, also the organiser itself.
        let verdict = if by == 0 { Ok(()) } else { Err(Reject::NotBelow) };
        assert_eq!(expelled(&world, 1, &[organiser()], (0, by)), verdict, "{by}");
        assert_eq!(expelled(&world, 1, &[organiser(), succeed.clone()], (0, by)), verdict, "{by}");
    }
    assert_eq!(expelled(&world, 4, &[organiser()], (0, 1)), Err(Reject::NotAllowed), "a participant");
    assert_eq!(expelled(&world, 4, &[Proposed::Remove(Leaf(2))], (2, 1)), Err(Reject::NotAllowed), "an equal");
    assert_eq!(expelled(&world, 4, &[Proposed::Remove(Leaf(2))], (2, 0)), Ok(()), "by the organiser");
    assert_eq!(expelled(&world, 4, &[Proposed::Remove(Leaf(5))], (5, 2)), Ok(()), "a guest by a co-organiser");
    assert_eq!(expelled(&world, 0, &[Proposed::Remove(Leaf(2))], (2, 1)), Ok(()), "who has power removes it");
    // The policy in force decides, not the one at that time.
    world.adopt(world.edit(&[PolicyEdit::Withdraw(world.id(2).0, world.id(2).1, Rights::REMOVE)]));
    assert_eq!(expelled(&world, 4, &[Proposed::Remove(Leaf(5))], (5, 2)), Err(Reject::NotAllowed));
    world.adopt(world.edit(&[PolicyEdit::HandOver(device, participant)]));
    assert_eq!(expelled(&world, 4, &[organiser()], (0, 1)), Ok(()), "the new organiser has power over the old one");
}

/// Between its return and its next commit, an organiser has the role of everybody by its leaf, and its old leaf may be there.
#[test]
fn an_organiser_that_has_come_back_is_protected_before_it_takes_its_role_again() {
    let mut world = World::with_roles();
    let again = world.again(0, 9);
    world.members.push((Leaf(6), again));
    assert_eq!(world.ask(1, &[Proposed::Remove(Leaf(6))], &[0]), Err(Reject::NotBelow));
    world.members.remove(0);
    let (device, participant) = world.id(0);
    let succeed = world.edit(&[PolicyEdit::HandOver(device, participant)]);
    assert_eq!(world.ask(1, &[Proposed::Remove(Leaf(6)), succeed], &[]), Err(Reject::NotBelow));
    let claim = world.edit(&[PolicyEdit::Return(world.members[5].1.device, ParticipantId(9))]);
    assert_eq!(world.ask(6, &[claim], &[]), Ok(()));
}
