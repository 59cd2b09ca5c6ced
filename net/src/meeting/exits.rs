//! How the membership ends when the server says so: a manager's signed command decides what that means.

use super::context::Context;
use super::event::Exit;
use super::group_log::{self, GroupLog, signer};
use super::outputs::Outputs;
use super::roster::{self, Roster};
use proto::{ManagerCommand, ParticipantId, Reason, Rights, Role, SignedCommand, Up};

/// Returns why the server has closed this client's membership.
pub(super) fn removed(log: &mut GroupLog, roster: &Roster, signed: &SignedCommand) -> Exit {
    let (me, manager) = (roster.me(), signer(log.group(), signed));
    let by = manager.as_ref().filter(|manager| {
        // The role that this client takes again counts, if it has just come back.
        let policy = log.group().policy();
        let own = roster.device(me).map(|device| policy.role_of_device(device));
        manager.rights.contains(Rights::REMOVE) && own.is_some_and(|own| manager.role.is_above(own))
    });
    let command = manager.as_ref().and_then(|_| signed.decode().ok());
    if command.as_ref().is_some_and(|command| is_about_another(command, log)) {
        return Exit::Ended(Reason::Server(
            "it removed this client by a command about somebody who was here before".into(),
        ));
    }
    match command {
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

/// Returns true if a command cannot be about this member: the server has given it an id that another one had before. The commit
/// that removes a member ends the epoch in which the member is, and a voided one is of an epoch since the member entered. An
/// `Expel` names no epoch, but the removal that follows it changes the authority.
fn is_about_another(command: &ManagerCommand, log: &GroupLog) -> bool {
    match command {
        ManagerCommand::Commit { epoch, .. } => *epoch < log.epoch(),
        ManagerCommand::Void { epoch, .. } => *epoch < group_log::entered(log),
        ManagerCommand::Refuse { .. }
        | ManagerCommand::Expel { .. }
        | ManagerCommand::Lock { .. }
        | ManagerCommand::Beacon { .. }
        | ManagerCommand::End
        | ManagerCommand::Lobby { .. } => false,
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

/// Returns true if the manager whose word about the group counts has signed the command.
pub(super) fn is_of_leader(log: &GroupLog, roster: &Roster, signed: &SignedCommand) -> bool {
    let leader = roster::leader(roster, log.group().policy());
    signer(log.group(), signed).is_some_and(|by| Some(by.participant) == leader)
}

/// Returns true if this client tells the others that an invalid commit of `from` is void. The server closes the connection of
/// `from` then, so a manager does not do it to a member that is not below it.
pub(super) fn may_void(roster: &Roster, from: ParticipantId) -> bool {
    !roster.contains(from) || roster.is_above(from)
}

/// Returns how an attempt to enter again ends. If the server withholds the tree, the next attempt may get it.
pub(super) const fn while_recovering(exit: &Exit) -> Exit {
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
