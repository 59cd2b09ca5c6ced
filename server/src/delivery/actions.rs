//! The actions that the delivery service asks its caller to execute, in order.

use crate::sfu;
use bytes::Bytes;
use proto::{Down, ParticipantId};
use std::collections::VecDeque;

/// An action for the caller.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Sends an encoded message to a connection.
    Send(ParticipantId, Bytes),
    /// Closes a connection after the messages that were sent before.
    Close(ParticipantId),
    /// Passes a command to the SFU.
    Sfu(sfu::Command),
}

/// The actions that wait for the caller.
#[derive(Debug, Default)]
pub struct Actions {
    queue: VecDeque<Action>,
}

impl Actions {
    /// Sends a message to one connection.
    pub fn send(&mut self, to: ParticipantId, message: &Down) {
        self.send_encoded([to], &encode(message));
    }

    /// Sends a message to several connections. It is encoded once.
    pub fn send_all(&mut self, to: impl IntoIterator<Item = ParticipantId>, message: &Down) {
        self.send_encoded(to, &encode(message));
    }

    /// Sends an encoded message to several connections.
    pub fn send_encoded(&mut self, to: impl IntoIterator<Item = ParticipantId>, bytes: &Bytes) {
        self.queue.extend(to.into_iter().map(|participant| Action::Send(participant, bytes.clone())));
    }

    /// Closes a connection after the messages that were sent before.
    pub fn close(&mut self, participant: ParticipantId) {
        self.queue.push_back(Action::Close(participant));
    }

    /// Passes a command to the SFU.
    pub fn command_sfu(&mut self, command: sfu::Command) {
        self.queue.push_back(Action::Sfu(command));
    }

    /// Returns the next action.
    pub fn poll(&mut self) -> Option<Action> {
        self.queue.pop_front()
    }
}

pub fn encode(message: &Down) -> Bytes {
    proto::encode(message).into()
}
