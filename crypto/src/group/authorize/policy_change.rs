//! Which changes of the policy a committer may make. Pure: the policies before and after, the committer, and the members
//! after the commit.
//!
//! The authority's signature was verified before. It proves that a holder of the authority made the policy; the managers
//! share it, so the committer's own role and rights decide what may change.

use super::super::error::Reject;
use super::super::policy::{People, Person, PolicyContent};
use super::committer::Committer;
use crate::credential::LeafCredential;
use crate::identity::DeviceKey;
use proto::{MAX_ROTATIONS, ParticipantId, Rights, Role};
use std::collections::BTreeSet;

/// The members that a commit with a new policy is about.
#[derive(Clone, Copy)]
pub(super) struct Members<'a> {
    /// The members after the commit.
    pub(super) present: &'a [&'a LeafCredential],
    /// Those that it removes.
    pub(super) left: &'a [&'a LeafCredential],
}

/// Returns `Ok` if the committer may replace `before` by `after`.
pub(super) fn check(
    before: &PolicyContent,
    after: &PolicyContent,
    by: &Committer<'_>,
    members: Members<'_>,
) -> Result<(), Reject> {
    let change = Change { before, after, by, members };
    if change.is_return_of_committer() || change.is_succession() {
        return Ok(());
    }
    if !by.role.is_manager() {
        return Err(Reject::NotAllowed);
    }
    if organiser(before).device != organiser(after).device {
        return change.check_hand_over();
    }
    change.check_rules()?;
    change.check_barred()?;
    change.check_order()?;
    let devices: BTreeSet<DeviceKey> = [before, after].iter().flat_map(|policy| devices(policy)).collect();
    devices.into_iter().try_for_each(|device| change.check_person(device))?;
    change.check_chain()
}

struct Change<'a> {
    before: &'a PolicyContent,
    after: &'a PolicyContent,
    by: &'a Committer<'a>,
    members: Members<'a>,
}

impl Change<'_> {
    fn is_present(&self, device: DeviceKey, participant: ParticipantId) -> bool {
        is_among(self.members.present, device, participant)
    }

    /// Returns true if `after` is `before` with these people, and nothing else changed.
    fn changes_only_people(&self, edit: impl FnOnce(&mut People)) -> bool {
        let mut expected = self.before.clone();
        edit(&mut expected.people);
        expected.says_the_same_as(self.after)
    }

    /// A manager that came back takes the place of its old leaf, which is not there any more.
    fn is_return_of_committer(&self) -> bool {
        let LeafCredential { device, participant, .. } = *self.by.person;
        let listed = self.before.people.of_device(device).filter(|person| person.role.is_manager());
        listed.is_some_and(|old| old.participant != participant && !self.is_present(device, old.participant))
            && self.changes_only_people(|people| people.set_participant(device, participant))
    }

    /// A co-organiser becomes the organiser if nobody of a higher rank is a member any more.
    fn is_succession(&self) -> bool {
        let LeafCredential { device, participant, .. } = *self.by.person;
        let mut higher = self.before.people.iter().take_while(|person| person.device != device);
        self.by.role == Role::CoOrganiser
            && higher.all(|person| self.members.present.iter().all(|member| member.device != person.device))
            && self.changes_only_people(|people| people.hand_over(device, participant))
    }

    fn check_hand_over(&self) -> Result<(), Reject> {
        let to = organiser(self.after);
        if self.by.role != Role::Organiser {
            return Err(Reject::NotAllowed);
        }
        let is_alone = self.changes_only_people(|people| people.hand_over(to.device, to.participant));
        if is_alone && self.is_present(to.device, to.participant) { Ok(()) } else { Err(Reject::InvalidPolicy) }
    }

    /// Who stops being a manager knows the authority, so it must rotate with the same commit.
    fn check_chain(&self) -> Result<(), Reject> {
        let (old, new) = (self.before.chain().rotations(), self.after.chain().rotations());
        if new > old && (self.by.rights & Rights::MANAGEMENT).is_empty() {
            return Err(Reject::NotAllowed);
        }
        if new == old && self.before.loses_manager(self.after) && old < MAX_ROTATIONS {
            return Err(Reject::NoRotation);
        }
        Ok(())
    }

    fn check_rules(&self) -> Result<(), Reject> {
        let (old, new) = (&self.before.rules, &self.after.rules);
        self.need(new.flags.difference(old.flags).rights_to_change())?;
        for role in Role::ALL {
            let (old, new) = (old.default_rights(role), new.default_rights(role));
            if old != new {
                self.need(Rights::SET_ROLE | new.without(old))?;
                self.need_above(role)?;
            }
        }
        if old.everyone != new.everyone {
            let gained = new.default_rights(new.everyone).without(old.default_rights(old.everyone));
            self.need(Rights::SET_ROLE | gained)?;
        }
        Ok(())
    }

    fn check_barred(&self) -> Result<(), Reject> {
        for device in &self.after.barred()[self.before.barred().len()..] {
            self.need(Rights::REMOVE)?;
            self.need_above(self.before.role_of_device(*device))?;
        }
        Ok(())
    }

    /// Within a role, those who had it before stay in order, and those who are new in it follow.
    fn check_order(&self) -> Result<(), Reject> {
        let role_in = |policy: &PolicyContent, person: &Person| policy.people.of_device(person.device).map(|p| p.role);
        let stays = |person: &&Person| role_in(self.before, person) == role_in(self.after, person);
        let kept = |policy: &PolicyContent| -> Vec<DeviceKey> {
            policy.people().iter().filter(stays).map(|person| person.device).collect()
        };
        let is_new_before_old = |pair: &[Person]| pair[0].role == pair[1].role && !stays(&&pair[0]) && stays(&&pair[1]);
        let keeps_order = kept(self.before) == kept(self.after);
        if keeps_order && !self.after.people().windows(2).any(is_new_before_old) {
            Ok(())
        } else {
            Err(Reject::InvalidPolicy)
        }
    }

    /// Checks what changes for the person of one device.
    fn check_person(&self, device: DeviceKey) -> Result<(), Reject> {
        let (old, new) = (self.before.people.of_device(device), self.after.people.of_device(device));
        if old == new || (new.is_none() && self.after.is_barred(device)) {
            return Ok(());
        }
        let old_id = old.map(|person| person.participant);
        let new_id = new.map(|person| person.participant);
        if let Some(id) = new_id
            && new_id != old_id
        {
            // A new person is a member, or was one until this commit, because what managers have ordered lasts. One who came
            // back is a member only with the new id.
            let is_still_here = old_id.is_some_and(|old| self.is_present(device, old));
            let is_leaving = old_id.is_none() && is_among(self.members.left, device, id);
            if is_still_here || !(self.is_present(device, id) || is_leaving) {
                return Err(Reject::InvalidPolicy);
            }
        }
        if let (Some(old), Some(new)) = (old, new)
            && old.participant != new.participant
        {
            self.need(Rights::ADMIT)?;
            if *new == (Person { participant: new.participant, ..*old }) {
                return Ok(());
            }
        }
        self.check_role_and_rights(old, new)
    }

    fn check_role_and_rights(&self, old: Option<&Person>, new: Option<&Person>) -> Result<(), Reject> {
        let unlisted =
            |policy: &PolicyContent| Person::new(self.by.person.device, self.by.person.participant, policy.everyone());
        let old = old.copied().unwrap_or_else(|| unlisted(self.before));
        let new = new.copied().unwrap_or_else(|| unlisted(self.after));
        self.need_above(old.role)?;
        self.need_above(new.role)?;
        if old.role != new.role {
            self.need(Rights::SET_ROLE)?;
        }
        let possible = new.role.possible_rights();
        if (new.granted, new.withdrawn) != (old.granted & possible, old.withdrawn & possible) {
            self.need(Rights::DELEGATE)?;
        }
        self.need(self.after.rights_as(&new).without(self.before.rights_as(&old)))
    }

    fn need(&self, rights: Rights) -> Result<(), Reject> {
        if self.by.rights.contains(rights) { Ok(()) } else { Err(Reject::NotAllowed) }
    }

    fn need_above(&self, role: Role) -> Result<(), Reject> {
        if self.by.role.is_above(role) { Ok(()) } else { Err(Reject::NotBelow) }
    }
}

fn is_among(members: &[&LeafCredential], device: DeviceKey, participant: ParticipantId) -> bool {
    members.iter().any(|member| (member.device, member.participant) == (device, participant))
}

fn organiser(policy: &PolicyContent) -> &Person {
    // A policy without an organiser is not decoded and not made.
    &policy.people()[0]
}

fn devices(policy: &PolicyContent) -> impl Iterator<Item = DeviceKey> + '_ {
    policy.people().iter().map(|person| person.device)
}
