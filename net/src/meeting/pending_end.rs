//! The end of the meeting for everybody, from the user's command until the server confirms it.
//!
//! The server drops a command that the authority before has signed, and another manager may change the keys at any moment. So
//! this client stays until the server says that the meeting has ended.

use super::PolicyRefusal;
use super::context::Context;
use super::event::Notice;
use super::joined_meeting::{self, JoinedMeeting};
use super::roster::becomes_manager;
use crypto::Authority;
use proto::{ManagerCommand, Reason};

/// Whether the user has ended the meeting.
#[derive(Default)]
pub(super) struct PendingEnd {
    is_requested: bool,
    /// The authority that has signed the last command on this connection.
    sent: Option<Authority>,
}

impl PendingEnd {
    /// Requests the end, or tells the user why not.
    pub(super) fn request(&mut self, joined: &JoinedMeeting, context: &mut Context<'_>) {
        if !joined_meeting::may_end(joined) {
            context.outputs.notice(Notice::NotAllowed);
        } else if context.manager.is_none() {
            context.outputs.notice(Notice::PolicyRefused(PolicyRefusal::NoKeys));
        } else {
            self.is_requested = true;
            self.send(joined, context);
        }
    }

    /// Sends the command if the server does not know it, or tells the user if this client may not end the meeting any more.
    pub(super) fn send(&mut self, joined: &JoinedMeeting, context: &mut Context<'_>) {
        if !self.is_requested || becomes_manager(&joined.roster, joined.log.group().policy()) {
            return;
        }
        if !joined_meeting::may_end(joined) {
            *self = Self::default();
            return context.outputs.notice(Notice::NotAllowed);
        }
        if let Some(manager) = context.manager
            && self.sent != Some(manager.keys().authority())
        {
            self.sent = Some(manager.keys().authority());
            manager.send(ManagerCommand::End, context.now, context.outputs);
        }
    }

    /// Handles that this client is no connected member: the command may be lost.
    pub(super) fn handle_disconnected(&mut self) {
        self.sent = None;
    }

    /// Returns the reason as the user knows it: after the own command, the meeting has ended as wanted.
    pub(super) fn reason(&self, reason: Reason) -> Reason {
        // The server may have ended the meeting and closed the connection before the answer arrived.
        let is_over = matches!(reason, Reason::Ended | Reason::NoMeeting);
        if self.is_requested && is_over { Reason::Left } else { reason }
    }
}
