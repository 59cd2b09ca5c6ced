//! Commands for managers that the user gives while this client is no manager yet: it has come back to its meeting, and its
//! commit for that is under way.

use super::Command;
use super::joined_meeting::JoinedMeeting;
use super::roster::becomes_manager;
use std::mem;

/// The commands that wait.
#[derive(Default)]
pub(super) struct EarlyCommands(Vec<Command>);

impl EarlyCommands {
    /// Keeps a command that needs the rights which this client gets back. Returns true if it is kept.
    pub(super) fn keep(&mut self, command: &Command, joined: Option<&JoinedMeeting>) -> bool {
        let keeps = joined.is_some_and(comes_back) && needs_manager(command) && self.0.len() < MAX_COMMANDS;
        if keeps {
            self.0.push(command.clone());
        }
        keeps
    }

    /// Takes the commands as soon as this client is what it was, or learns that it will not be.
    pub(super) fn take_due(&mut self, joined: Option<&JoinedMeeting>) -> Vec<Command> {
        if joined.is_some_and(|joined| !comes_back(joined)) { mem::take(&mut self.0) } else { Vec::new() }
    }
}

fn comes_back(joined: &JoinedMeeting) -> bool {
    becomes_manager(&joined.roster, joined.log.group().policy())
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

/// The user needs a moment for each command, and the commit takes less than a second. A command after so many is refused as one
/// of a participant.
const MAX_COMMANDS: usize = 64;
