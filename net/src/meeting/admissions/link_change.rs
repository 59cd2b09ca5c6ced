//! Changes the invitation link without removing anybody: the keys of the meeting rotate.

use super::super::context::Context;
use super::super::group_log::GroupLog;
use super::super::key_sharing::KeySharing;
use super::super::roster::Roster;
use super::super::{Notice, PolicyRefusal};
use crypto::group::edits::edited_policy;
use crypto::{Changes, MeetingPolicy};

/// The user's wish for another link, until it is in force.
#[derive(Default)]
pub(super) struct LinkChange {
    /// How many changes there were when the user asked.
    since: Option<usize>,
}

impl LinkChange {
    pub(super) fn is_empty(&self) -> bool {
        self.since.is_none()
    }

    /// Requests another link, or tells the user why there is none. The caller checks that this client has the right.
    pub(super) fn request(&mut self, policy: &MeetingPolicy, context: &mut Context<'_>) {
        let Some(manager) = context.manager else {
            return context.outputs.notice(Notice::PolicyRefused(PolicyRefusal::NoKeys));
        };
        if manager.keys().can_rotate() {
            self.since = Some(policy.chain().rotations());
        } else {
            context.outputs.notice(Notice::LinkNotChanged);
        }
    }

    /// Drops the request if the link has changed, also for another reason.
    pub(super) fn handle_group_change(&mut self, policy: &MeetingPolicy) {
        self.since.take_if(|since| policy.chain().rotations() > *since);
    }

    /// Sends a commit that changes the link. Returns false if none was sent.
    pub(super) fn commit(
        &mut self,
        roster: &Roster,
        log: &mut GroupLog,
        sharing: &mut KeySharing,
        context: &mut Context<'_>,
    ) -> bool {
        let Some(manager) = context.manager.as_mut().filter(|_| self.since.is_some()) else { return false };
        if let Ok(policy) = edited_policy(log.group().policy(), &[], true, manager.keys_mut()) {
            sharing.send_next(Some(&policy), log, roster, context);
            if log.commit(Changes { policy: Some(policy), ..Changes::default() }, context) {
                return true;
            }
        }
        self.since = None;
        context.outputs.notice(Notice::LinkNotChanged);
        false
    }
}
