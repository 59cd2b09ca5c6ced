//! Commands for managers that the user gives while this client is no manager yet: it has come back to its meeting, and its
//! commit for that is under way.

use super::roster::becomes_manager;
use super::{Command, Meeting, Phase};
use std::mem;
use std::time::Instant;

/// The user needs a moment for each command, and the commit takes less than a second. A command after so many is refused as one
/// of a participant.
const MAX_COMMANDS: usize = 64;

/// Keeps a command that needs the rights which this client gets back. Returns true if it is kept.
pub(super) fn keep(meeting: &mut Meeting, command: &Command) -> bool {
    let keeps = comes_back(&meeting.phase) && needs_manager(command) && meeting.early.len() < MAX_COMMANDS;
    if keeps {
        meeting.early.push(command.clone());
    }
    keeps
}

/// Executes the kept commands as soon as this client is what it was, or learns that it will not be.
pub(super) fn execute(meeting: &mut Meeting, now: Instant) {
    if matches!(meeting.phase, Phase::Member(_)) && !comes_back(&meeting.phase) {
        for command in mem::take(&mut meeting.early) {
            meeting.handle_command(command, now);
        }
    }
}

fn comes_back(phase: &Phase) -> bool {
    match phase {
        Phase::Member(joined) | Phase::Recovering(Some(joined), _) => {
            becomes_manager(&joined.roster, joined.log.group().policy())
        }
        Phase::Joining(_) | Phase::Recovering(None, _) | Phase::Over => false,
    }
}

fn needs_manager(command: &Command) -> bool {
    match command {
        Command::Remove(_)
        | Command::Admit(_)
        | Command::AdmitAll
        | Command::Refuse(..)
        | Command::SendBack(_)
        | Command::SetRole(..)
        | Command::GrantRights(..)
        | Command::WithdrawRights(..)
        | Command::HandOver(_)
        | Command::SetFlags { .. }
        | Command::SetDefaultRole(_)
        | Command::ChangeLink
        | Command::Floor(_)
        | Command::LowerHand(_)
        | Command::StopEverything
        | Command::WriteLobby { to: Some(_), .. }
        | Command::End => true,
        Command::Announce(_)
        | Command::RaiseHand(_)
        | Command::WriteLobby { to: None, .. }
        | Command::Chat(_)
        | Command::Verify(_)
        | Command::Refresh
        | Command::Leave => false,
    }
}
