//! How the membership ends when the server says so: a manager's signed command decides what that means.

use super::event::Exit;
use super::group_log::{GroupLog, signer};
use super::roster::Roster;
use proto::{ManagerCommand, Reason, Rights, Role, SignedCommand};

/// Returns why the server has closed this client's membership.
pub(super) fn removed(log: &GroupLog, roster: &Roster, signed: &SignedCommand) -> Exit {
    let me = roster.me();
    let is_right = signer(log.group(), signed).is_some_and(|manager| {
        let is_above = roster.list().iter().any(|person| person.me && manager.role.is_above(person.role));
        manager.rights.contains(Rights::REMOVE) && is_above
    });
    match verified(log, signed) {
        Some(ManagerCommand::Expel { participant }) if participant == me && is_right => Exit::Ended(Reason::Removed),
        Some(ManagerCommand::Commit { removed, .. }) if removed.contains(&me) && is_right => {
            Exit::Ended(Reason::Removed)
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

/// Returns true if the organiser has ended the meeting.
pub(super) fn is_end(log: &GroupLog, signed: &SignedCommand) -> bool {
    let by_organiser = signer(log.group(), signed).is_some_and(|manager| manager.role == Role::Organiser);
    by_organiser && verified(log, signed) == Some(ManagerCommand::End)
}

/// Returns the command if a manager has signed it.
pub(super) fn verified(log: &GroupLog, signed: &SignedCommand) -> Option<ManagerCommand> {
    signer(log.group(), signed).and_then(|_| signed.decode().ok())
}
