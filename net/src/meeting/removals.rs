//! Removes members that the user wants removed, and members that left.

use super::Notice;
use super::group_log::GroupLog;
use super::outputs::Outputs;
use super::roster::Roster;
use crypto::Leaf;
use proto::ParticipantId;
use std::collections::BTreeSet;
use std::time::Instant;

/// Members that the user wants removed. A request is kept until a commit, by any member, has removed the member.
#[derive(Default)]
pub(super) struct Removals {
    requested: BTreeSet<ParticipantId>,
}

impl Removals {
    /// Requests a removal. The caller checks that this client is the organiser.
    pub(super) fn request(&mut self, participant: ParticipantId) {
        self.requested.insert(participant);
    }

    /// Drops requests for participants who are no longer members.
    pub(super) fn handle_group_change(&mut self, roster: &Roster) {
        self.requested.retain(|id| roster.contains(*id));
    }

    /// Sends a commit that removes all members that are due. Returns false if none was sent.
    pub(super) fn commit(
        &mut self,
        roster: &mut Roster,
        log: &mut GroupLog,
        now: Instant,
        outputs: &mut Outputs,
    ) -> bool {
        let due: BTreeSet<_> = roster.due_removals(now).into_iter().chain(self.requested.iter().copied()).collect();
        let leaves: Vec<Leaf> = due.into_iter().filter_map(|id| roster.leaf(id)).collect();
        if leaves.is_empty() {
            return false;
        }
        if log.commit_removals(&leaves, now, outputs) {
            return true;
        }
        for participant in std::mem::take(&mut self.requested) {
            outputs.notice(Notice::CannotRemove(participant));
        }
        roster.postpone_removals(now);
        false
    }
}
