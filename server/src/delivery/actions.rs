//! The actions that the delivery service asks its caller to execute, in order.

use super::connection_id::ConnectionId;
use super::stored::Change;
use crate::sfu;
use bytes::Bytes;
use proto::{Down, MeetingId, ParticipantId, Position};
use std::collections::VecDeque;

/// An action for the caller.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Sends an encoded message to a connection.
    Send(ConnectionId, Bytes),
    /// Sends an application message to a connection. If the sender uses more than its share of the queue, the message
    /// may be replaced by a [`Down::Skipped`].
    Tell {
        /// The receiver's connection.
        to: ConnectionId,
        /// The sender.
        from: ParticipantId,
        /// The position of the message in the log.
        position: Position,
        /// The encoded [`Down::Log`].
        message: Bytes,
    },
    /// Sends a message that may be lost to a connection. It is dropped if the sender uses more than its share of the queue.
    Relay {
        /// The receiver's connection.
        to: ConnectionId,
        /// The sender.
        from: ParticipantId,
        /// The encoded [`Down::Relayed`].
        message: Bytes,
    },
    /// Closes a connection after the messages that were sent before.
    Close(ConnectionId),
    /// Sets what a connection may send from now on.
    Trust(ConnectionId, Trust),
    /// Changes what is stored of a meeting. The caller completes it before it executes the next action, so that a
    /// server that is killed does not forget what it has sent.
    Store(MeetingId, Change),
    /// Passes a command to the SFU. [`sfu::Command::Join`] comes with the participant's connection.
    Sfu(sfu::Command, Option<ConnectionId>),
}

/// What a connection may send: the length of its messages depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// It is in no meeting.
    Stranger,
    /// It is a member.
    Member,
    /// It is a member that has created the meeting or sent a signed command.
    Manager,
}

/// The actions that wait for the caller.
#[derive(Debug, Default)]
pub struct Actions {
    queue: VecDeque<Action>,
}

impl Actions {
    /// Sends a message to one connection.
    pub fn send(&mut self, to: ConnectionId, message: &Down) {
        self.send_encoded([to], &encode(message));
    }

    /// Sends a message to several connections. It is encoded once.
    pub fn send_all(&mut self, to: impl IntoIterator<Item = ConnectionId>, message: &Down) {
        self.send_encoded(to, &encode(message));
    }

    /// Sends an encoded message to several connections.
    pub fn send_encoded(&mut self, to: impl IntoIterator<Item = ConnectionId>, bytes: &Bytes) {
        self.queue.extend(to.into_iter().map(|connection| Action::Send(connection, bytes.clone())));
    }

    /// Sends an application message of `from` to several connections.
    pub fn tell(
        &mut self,
        to: impl IntoIterator<Item = ConnectionId>,
        from: ParticipantId,
        position: Position,
        message: &Bytes,
    ) {
        self.queue.extend(to.into_iter().map(|to| Action::Tell { to, from, position, message: message.clone() }));
    }

    /// Sends a message of `from` that may be lost to several connections. It is encoded once.
    pub fn relay(&mut self, to: impl IntoIterator<Item = ConnectionId>, from: ParticipantId, message: &Down) {
        let message = encode(message);
        self.queue.extend(to.into_iter().map(|to| Action::Relay { to, from, message: message.clone() }));
    }

    /// Closes a connection after the messages that were sent before.
    pub fn close(&mut self, connection: ConnectionId) {
        self.queue.push_back(Action::Close(connection));
    }

    /// Sets what a connection may send from now on.
    pub fn trust(&mut self, connection: ConnectionId, trust: Trust) {
        self.queue.push_back(Action::Trust(connection, trust));
    }

    /// Passes a command to the SFU.
    pub fn command_sfu(&mut self, command: sfu::Command) {
        self.queue.push_back(Action::Sfu(command, None));
    }

    /// Adds a participant to the SFU. The SFU's replies go to `connection`.
    pub fn join_sfu(&mut self, meeting: MeetingId, participant: ParticipantId, connection: ConnectionId) {
        self.queue.push_back(Action::Sfu(sfu::Command::Join { meeting, participant }, Some(connection)));
    }

    /// Returns the next action.
    pub fn poll(&mut self) -> Option<Action> {
        self.queue.pop_front()
    }
}

fn encode(message: &Down) -> Bytes {
    proto::encode(message).into()
}
