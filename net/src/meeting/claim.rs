//! A manager that came back to its meeting is one again.

use super::context::Context;
use super::group_log::GroupLog;
use super::roster::Roster;
use crypto::{Changes, PolicyChange, PolicyEdit};

/// Sends a commit that makes this client a manager again, if it came back to its meeting. Its old leaves go. Returns false if
/// none was sent.
pub(super) fn commit(log: &mut GroupLog, roster: &Roster, context: &mut Context<'_>) -> bool {
    let Some(manager) = context.manager else { return false };
    let (device, me) = (context.entrant.identity.public(), roster.me());
    let (group, own) = (log.group(), roster.leaf(me));
    if group.policy().is_manager(device, me) || !group.policy().role_of_device(device).is_manager() {
        return false;
    }
    let change = PolicyChange { edits: vec![PolicyEdit::Return(device, me)], rotate: false };
    let remove = group.leaves_of(device).into_iter().filter(|leaf| Some(*leaf) != own).collect();
    match group.policy().next(&change, manager.keys()) {
        Ok(policy) => log.commit(Changes { policy: Some(policy), remove, ..Changes::default() }, context),
        Err(error) => {
            tracing::error!(%error, "the manager's rights cannot be taken back");
            false
        }
    }
}
