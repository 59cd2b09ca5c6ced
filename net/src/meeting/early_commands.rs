//! Commands for managers that the user gives while this client is no manager yet: it has come back to its meeting, and its
//! commit for that is under way.

use super::joined_meeting::JoinedMeeting;
use super::roster::becomes_manager;
use super::{Command, FloorOrder, FloorTarget};
use crypto::DeviceKey;
use proto::ParticipantId;
use std::mem;

/// The commands that wait, each with the device of the member that it is about.
#[derive(Default)]
pub(super) struct EarlyCommands(Vec<(Command, Option<DeviceKey>)>);

impl EarlyCommands {
    /// Keeps a command that needs the rights which this client gets back. Returns true if it is kept.
    pub(super) fn keep(&mut self, command: &Command, joined: Option<&JoinedMeeting>) -> bool {
        let Some(joined) = joined.filter(|joined| comes_back(joined) && self.0.len() < MAX_COMMANDS) else {
            return false;
        };
        let about = match subject(command) {
            Subject::Member(id) => joined.roster.device(id),
            Subject::Meeting => None,
            Subject::Own => return false,
        };
        self.0.push((command.clone(), about));
        true
    }

    /// Takes the commands as soon as this client is what it was, or learns that it will not be. Those about a member whose id is
    /// another device's now, or nobody's, are dropped: the user meant somebody else.
    pub(super) fn take_due(&mut self, joined: Option<&JoinedMeeting>) -> Vec<Command> {
        let Some(joined) = joined.filter(|joined| !comes_back(joined)) else { return Vec::new() };
        let is_same = |(command, before): &(Command, Option<DeviceKey>)| match subject(command) {
            Subject::Member(id) => joined.roster.device(id) == *before,
            Subject::Meeting | Subject::Own => true,
        };
        mem::take(&mut self.0).into_iter().filter(is_same).map(|(command, _)| command).collect()
    }
}

fn comes_back(joined: &JoinedMeeting) -> bool {
    becomes_manager(&joined.roster, joined.log.group().policy())
}

/// What a command is about.
enum Subject {
    /// A member, and only a manager may give it.
    Member(ParticipantId),
    /// The meeting, or those who wait, and only a manager may give it.
    Meeting,
    /// What everybody may do.
    Own,
}

fn subject(command: &Command) -> Subject {
    match command {
        Command::Remove(id)
        | Command::SendBack(id)
        | Command::SetRole(id, _)
        | Command::GrantRights(id, _)
        | Command::WithdrawRights(id, _)
        | Command::HandOver(id)
        | Command::LowerHand(Some(id))
        | Command::Floor(FloorOrder { target: FloorTarget::Person(id), .. }) => Subject::Member(*id),
        Command::Admit(_)
        | Command::AdmitAll(_)
        | Command::Refuse(..)
        | Command::SetFlags { .. }
        | Command::SetDefaultRole(_)
        | Command::ChangeLink
        | Command::Floor(_)
        | Command::LowerHand(None)
        | Command::StopEverything
        | Command::WriteLobby { to: Some(_), .. }
        | Command::End => Subject::Meeting,
        Command::Announce(_)
        | Command::RaiseHand(_)
        | Command::WriteLobby { to: None, .. }
        | Command::Chat(_)
        | Command::Verify(_)
        | Command::Refresh
        | Command::Leave => Subject::Own,
    }
}

/// The user needs a moment for each command, and the commit takes less than a second. A command after so many is refused as one
/// of a participant.
const MAX_COMMANDS: usize = 64;
