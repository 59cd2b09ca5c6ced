//! Removes members that the organiser wants removed, and members that left.

use super::Notice;
use super::context::Context;
use super::group_log::GroupLog;
use super::roster::Roster;
use crypto::{Changes, Leaf};
use proto::{ManagerCommand, ParticipantId};
use std::collections::BTreeMap;

/// Members that the organiser wants removed. A request is kept until a commit, by any member, has removed the member.
#[derive(Default)]
pub(super) struct Removals {
    /// True once the server was told to close the member's connection.
    requested: BTreeMap<ParticipantId, bool>,
}

impl Removals {
    /// Requests a removal. The caller checks that this client is the organiser.
    pub(super) fn request(&mut self, participant: ParticipantId) {
        self.requested.entry(participant).or_insert(false);
    }

    /// Drops requests for participants who are no longer members.
    pub(super) fn handle_group_change(&mut self, roster: &Roster) {
        self.requested.retain(|id, _| roster.contains(*id));
    }

    /// Tells the server to close the connections of those who are to be removed. That needs no commit, so nobody can
    /// delay it.
    pub(super) fn expel(&mut self, context: &mut Context<'_>) {
        let Some(manager) = context.manager else { return };
        for (participant, expelled) in &mut self.requested {
            if !std::mem::replace(expelled, true) {
                manager.send(&ManagerCommand::Expel { participant: *participant }, context.outputs);
            }
        }
    }

    /// Sends a commit that removes all members that are due. Returns false if none was sent.
    pub(super) fn commit(&mut self, roster: &mut Roster, log: &mut GroupLog, context: &mut Context<'_>) -> bool {
        let leaves = |ids: Vec<ParticipantId>| ids.into_iter().filter_map(|id| roster.leaf(id)).collect::<Vec<Leaf>>();
        let requested = leaves(self.requested.keys().copied().collect());
        let left = leaves(roster.due_removals(context.now));
        if requested.is_empty() && left.is_empty() {
            return false;
        }
        let mut changes = for_good(&requested, log, context);
        changes.remove.extend(left);
        if log.commit(changes, context) {
            return true;
        }
        for (participant, _) in std::mem::take(&mut self.requested) {
            context.outputs.notice(Notice::CannotRemove(participant));
        }
        roster.postpone_removals(context.now);
        false
    }
}

/// Returns the changes that remove `leaves` so that their devices cannot come back. If there is no room for more barred
/// devices or keys, their leaves are removed all the same.
fn for_good(leaves: &[Leaf], log: &GroupLog, context: &mut Context<'_>) -> Changes {
    let plain = || Changes { remove: leaves.to_vec(), ..Changes::default() };
    match context.manager {
        Some(manager) if !leaves.is_empty() => {
            log.group().removal(leaves, manager.keys_mut()).unwrap_or_else(|error| {
                tracing::warn!(%error, "the removed device is not barred");
                plain()
            })
        }
        Some(_) | None => plain(),
    }
}
