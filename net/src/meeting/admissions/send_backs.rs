//! Sends members back to the waiting room: their leaves are removed, so the keys change, and their devices are not barred.

use super::super::context::Context;
use super::super::group_log::GroupLog;
use super::super::key_sharing::KeySharing;
use super::super::roster::{Roster, becomes_manager};
use super::super::{Notice, PolicyRefusal};
use crypto::group::edits::edited_policy;
use crypto::{Changes, DeviceKey, Leaf, MeetingPolicy, PolicyEdit};
use proto::{MeetingFlags, ParticipantId, Rights};
use std::collections::BTreeMap;

/// Members that the user wants in the waiting room. A request is kept until the member has left.
#[derive(Default)]
pub(super) struct SendBacks {
    requested: BTreeMap<ParticipantId, DeviceKey>,
}

impl SendBacks {
    pub(super) fn is_empty(&self) -> bool {
        self.requested.is_empty()
    }

    /// Requests that a member goes back, or tells the user why not.
    pub(super) fn request(&mut self, participant: ParticipantId, roster: &Roster, context: &mut Context<'_>) {
        let Some(device) = roster.device(participant) else {
            return context.outputs.notice(Notice::PolicyRefused(PolicyRefusal::NoMember));
        };
        if !roster.own().1.contains(NEEDED) {
            context.outputs.notice(Notice::NotAllowed);
        } else if context.manager.is_none() {
            context.outputs.notice(Notice::PolicyRefused(PolicyRefusal::NoKeys));
        } else if !roster.is_above(participant) {
            context.outputs.notice(Notice::PolicyRefused(PolicyRefusal::NotBelow));
        } else {
            self.requested.insert(participant, device);
        }
    }

    /// Drops the requests that are fulfilled, and those that this client has no right to any more.
    pub(super) fn handle_group_change(&mut self, roster: &Roster, policy: &MeetingPolicy) {
        if becomes_manager(roster, policy) {
            return;
        }
        let may = roster.own().1.contains(NEEDED);
        self.requested.retain(|id, _| may && roster.is_above(*id));
    }

    /// Sends a commit that removes those who go back. It turns the waiting room on, so that a person decides about them, and takes
    /// the role of a manager from them, because a manager comes back without a decision. Returns false if none was sent.
    pub(super) fn commit(
        &mut self,
        roster: &Roster,
        log: &mut GroupLog,
        sharing: &mut KeySharing,
        context: &mut Context<'_>,
    ) -> bool {
        let Some(manager) = context.manager.as_mut().filter(|_| !self.requested.is_empty()) else { return false };
        let (group, policy) = (log.group(), log.group().policy());
        let leaves: Vec<Leaf> = self.requested.values().flat_map(|device| group.leaves_of(*device)).collect();
        let mut edits = Vec::new();
        if !policy.flags().contains(MeetingFlags::WAITING_ROOM) {
            edits.push(PolicyEdit::SetFlags(policy.flags().with(MeetingFlags::WAITING_ROOM, true)));
        }
        let managers = policy.people().iter().filter(|person| person.role.is_manager());
        let demoted = managers.filter(|person| self.requested.values().any(|device| *device == person.device));
        edits.extend(demoted.map(|one| PolicyEdit::SetRole(one.device, one.participant, policy.everyone())));
        let next = if edits.is_empty() {
            Ok(None)
        } else {
            edited_policy(policy, &edits, false, manager.keys_mut()).map(Some)
        };
        if let Ok(policy) = next {
            sharing.send_next(policy.as_ref(), log, roster, context);
            if log.commit(Changes { remove: leaves, policy, ..Changes::default() }, context) {
                return true;
            }
        }
        for (participant, _) in std::mem::take(&mut self.requested) {
            context.outputs.notice(Notice::CannotRemove(participant));
        }
        false
    }
}

/// The rights that it takes.
const NEEDED: Rights = Rights::from_bits(Rights::ADMIT.bits() | Rights::REMOVE.bits()).expect("both are rights");
