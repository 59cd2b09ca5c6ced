//! Stops everything: one commit of the organiser removes all others without barring them, turns the waiting room on, and
//! changes the keys and the link. Whoever was in the meeting must ask to join again.
//!
//! The co-organisers lose their role with it. Otherwise they could come back with the keys that they hold, without asking.

use super::PolicyRefusal;
use super::context::Context;
use super::event::Notice;
use super::group_log::GroupLog;
use super::outputs::Outputs;
use super::roster::{Roster, becomes_manager};
use crypto::group::edits;
use crypto::{Changes, MeetingPolicy, PolicyEdit};
use proto::{MeetingFlags, Role};

/// Whether the user wants everything to stop. The request is kept until a commit fulfils it.
#[derive(Default)]
pub(super) struct Stop {
    is_requested: bool,
}

impl Stop {
    /// Requests the stop, or tells the user why it is refused.
    pub(super) fn request(&mut self, roster: &Roster, context: &mut Context<'_>) {
        if roster.own().0 != Role::Organiser {
            context.outputs.notice(Notice::NotAllowed);
        } else if context.manager.is_none() {
            context.outputs.notice(Notice::PolicyRefused(PolicyRefusal::NoKeys));
        } else {
            self.is_requested = true;
        }
    }

    /// Returns true if a commit that stops everything is wanted.
    pub(super) const fn is_requested(&self) -> bool {
        self.is_requested
    }

    /// Keeps the request of before this client entered the group again.
    pub(super) fn resume(&mut self, before: &Self) {
        self.is_requested = before.is_requested;
    }

    /// Drops the request if it is fulfilled, or, after telling the user, if this client has no right to it any more. Returns true
    /// if it is fulfilled.
    pub(super) fn handle_group_change(
        &mut self,
        roster: &Roster,
        policy: &MeetingPolicy,
        outputs: &mut Outputs,
    ) -> bool {
        if !self.is_requested || becomes_manager(roster, policy) {
            return false;
        }
        let is_done = roster.count() == 1 && policy.flags().contains(MeetingFlags::WAITING_ROOM);
        self.is_requested = !is_done && roster.own().0 == Role::Organiser;
        if !is_done && !self.is_requested {
            outputs.notice(Notice::PolicyRefused(PolicyRefusal::NotAllowed));
        }
        is_done
    }

    /// Sends the commit if it was requested, with the edits `floor` of floor control. Returns false if none was sent.
    pub(super) fn commit(
        &mut self,
        floor: &[PolicyEdit],
        roster: &Roster,
        log: &mut GroupLog,
        context: &mut Context<'_>,
    ) -> bool {
        if !self.is_requested {
            return false;
        }
        if context.manager.is_none() {
            return false;
        }
        let policy = log.group().policy().clone();
        let co_organisers = policy.people().iter().filter(|person| person.role == Role::CoOrganiser);
        let mut changes: Vec<_> = co_organisers
            .map(|person| PolicyEdit::SetRole(person.device, person.participant, Role::Participant))
            .collect();
        changes.push(PolicyEdit::SetFlags(policy.flags().with(MeetingFlags::WAITING_ROOM, true)));
        let remove: Vec<_> = roster.list().into_iter().filter(|person| !person.me).map(|person| person.leaf).collect();
        // What managers have ordered counts for those who come back. If the policy has no room for it, the stop comes first.
        let all: Vec<_> = floor.iter().copied().chain(changes.iter().copied()).collect();
        let is_sent = [all, changes].iter().any(|changes| {
            let Some(manager) = context.manager.as_mut() else { return false };
            // The others do not get the next keys.
            let edited = edits::edited_policy(&policy, changes, true, manager.keys_mut());
            let remove = remove.clone();
            edited
                .is_ok_and(|policy| log.commit(Changes { policy: Some(policy), remove, ..Changes::default() }, context))
        });
        if !is_sent {
            self.is_requested = false;
            context.outputs.notice(Notice::PolicyRefused(PolicyRefusal::Impossible));
        }
        is_sent
    }
}
