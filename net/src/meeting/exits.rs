//! How the membership ends when the server says so: a manager's signed command decides what that means.

use super::context::Context;
use super::event::Exit;
use super::group_log::{self, GroupLog, signer};
use super::outputs::Outputs;
use super::roster::{self, Roster};
use proto::{ManagerCommand, Reason, Rights, Role, SignedCommand, Up};

/// Returns why the server has closed this client's membership.
pub(super) fn removed(log: &mut GroupLog, roster: &Roster, signed: &SignedCommand) -> Exit {
    let (me, manager) = (roster.me(), signer(log.group(), signed));
    let by = manager.as_ref().filter(|manager| {
        let is_above = roster.list().iter().any(|person| person.me && manager.role.is_above(person.role));
        manager.rights.contains(Rights::REMOVE) && is_above
    });
    match manager.as_ref().and_then(|_| signed.decode().ok()) {
        Some(ManagerCommand::Expel { participant }) if participant == me && by.is_some() => Exit::Ended(removed_by(by)),
        Some(ManagerCommand::Commit { removed, blob, .. }) if removed.contains(&me) && by.is_some() => {
            // The keys of the group have sealed the commit, so the server cannot tell a removal for good from one that sends
            // this client back.
            if group_log::merge_removal(log, &blob) {
                removed_by_commit(log, roster)
            } else {
                // Whoever removes somebody for good has the server close the connection before its commit. So this client was
                // sent back, or it learns when it asks to join that its device is barred.
                Exit::SentBack
            }
        }
        // A manager that has no power over this member had the server close its connection: it comes back.
        Some(ManagerCommand::Expel { participant }) if participant == me => Exit::CutOff,
        Some(ManagerCommand::Commit { removed, .. }) if removed.contains(&me) => Exit::CutOff,
        // The commit may have been valid for the group as this client saw it.
        Some(ManagerCommand::Void { participant, .. }) if participant == me => Exit::CutOff,
        Some(_) | None => {
            Exit::Ended(Reason::Server("it removed this client without the organiser's signature".into()))
        }
    }
}

/// Returns the reason of a member that a manager has removed.
fn removed_by(manager: Option<&crypto::Member>) -> Reason {
    match manager {
        Some(manager) if manager.role != Role::Organiser => Reason::RemovedBy(manager.name.clone()),
        Some(_) | None => Reason::Removed,
    }
}

/// Returns how the membership ends of a member whom the last merged commit has removed: it may ask to join again if the commit
/// does not bar its device. Otherwise the committer is named, whom MLS has authenticated.
pub(super) fn removed_by_commit(log: &GroupLog, roster: &Roster) -> Exit {
    let device = roster.device(roster.me());
    if device.is_some_and(|device| !log.group().policy().is_barred(device)) {
        return Exit::SentBack;
    }
    match group_log::committer(log).and_then(|leaf| roster::member_at(roster, leaf)) {
        Some(manager) if !manager.is_organiser() => Exit::Ended(Reason::RemovedBy(manager.name.clone())),
        Some(_) | None => Exit::Ended(Reason::Removed),
    }
}

/// Returns the reason of a client whose connection is lost and that cannot come back.
pub(super) fn lost_connection() -> Reason {
    Reason::Unreachable("the connection to the server was lost".into())
}

/// Returns true if the organiser has ended the meeting.
pub(super) fn is_end(log: &GroupLog, signed: &SignedCommand) -> bool {
    let by_organiser = signer(log.group(), signed).is_some_and(|manager| manager.role == Role::Organiser);
    by_organiser && verified(log, signed) == Some(ManagerCommand::End)
}

/// Returns the command if a manager has signed it.
pub(super) fn verified(log: &GroupLog, signed: &SignedCommand) -> Option<ManagerCommand> {
    signer(log.group(), signed).and_then(|_| signed.decode().ok())
}

/// Returns how an attempt to enter again ends. If the server withholds the tree, the next attempt may get it.
pub(super) fn while_recovering(exit: Exit) -> Exit {
    match exit {
        Exit::Unanswered => Exit::Unanswered,
        Exit::Ended(_) | Exit::Lost | Exit::CutOff | Exit::SentBack => Exit::Lost,
    }
}

/// Leaves because nobody has answered this manager. The server then logs that the participant is gone, so that a leaf without an
/// owner is removed, and the next request has another participant id.
pub(super) fn leave_unanswered(outputs: &mut Outputs) {
    tracing::warn!("nobody has answered this manager, so it asks again");
    outputs.transmit(Up::Leave);
}

/// Leaves after a false Welcome. Any member may answer an organiser that comes back, also a hostile one. The organiser asks
/// again, and the server lets another member answer.
pub(super) fn leave_after_false_welcome(context: &mut Context<'_>) {
    tracing::warn!("a participant sent a false Welcome, so this organiser asks again");
    // The others learn at once that this participant is not coming.
    context.outputs.transmit(Up::Leave);
}
