//! Routes the server's messages to a member, and the message with which it continues on a new connection.

use super::context::Context;
use super::event::{Exit, Violation};
use super::exits;
use super::joined_meeting::JoinedMeeting;
use super::rejections;
use proto::{Down, Reason, Up};

/// Handles a message to a member.
pub(super) fn handle(joined: &mut JoinedMeeting, message: Down, context: &mut Context<'_>) -> Result<(), Exit> {
    match message {
        Down::Knocked { participant, request } => joined.handle_knock(participant, &request, context),
        Down::Withdrew { participant } => joined.handle_withdrawal(participant, context),
        Down::Returned { participant, request, signature } => {
            joined.handle_return(participant, &request, &signature, context);
        }
        Down::CommitTooLate { epoch } => joined.handle_commit_too_late(epoch, context),
        Down::Presence { participant, connected } => joined.handle_presence(participant, connected, context),
        Down::Log { position, entry } => return joined.handle_log_entry(position, entry, context),
        Down::Skipped { position, count } => return joined.handle_skipped(position, count, context),
        Down::Beacon { signed } => return joined.handle_beacon(&signed, context.outputs),
        Down::MemberBeacon { from, beacon } if joined.log.unread.is_some() => {
            return rejections::handle_beacon((from, &beacon), (&mut joined.log, &joined.roster), context);
        }
        Down::MemberBeacon { from, beacon } => {
            joined.verification.handle_beacon(from, &beacon, (&joined.log, &joined.roster), context);
        }
        Down::Removed { signed } => return Err(exits::removed(&mut joined.log, &joined.roster, &signed)),
        Down::Lobby { participant, from, blob } => {
            let me = joined.me();
            joined.admissions.handle_lobby((participant, from), &blob, me, context);
        }
        Down::Relayed { from, blob } => joined.chat.handle_relayed(from, &blob, &joined.roster, context),
        Down::Ended { signed } if exits::is_end(&joined.log, &signed) => return Err(Reason::Ended.into()),
        Down::Ended { .. } => {
            return Err(Reason::Server("it ended the meeting without the organiser's signature".into()).into());
        }
        Down::Hello { .. }
        | Down::Created { .. }
        | Down::AdmissionKey { .. }
        | Down::Admitted { .. }
        | Down::Tree { .. }
        | Down::Refused { .. }
        | Down::Resumed
        | Down::Ping
        | Down::Problem { .. } => return Err(Violation::Unexpected.into()),
    }
    Ok(())
}

/// Returns the message that continues a membership on a new connection.
pub(super) fn resume(joined: &JoinedMeeting) -> Up {
    let meeting = joined.log.group().policy().chain().meeting();
    let (token, position) = joined.resume();
    Up::Resume { meeting, participant: joined.me(), token, position }
}
