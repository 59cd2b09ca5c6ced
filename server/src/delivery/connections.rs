//! The connections of the delivery service, and the state of each.

use super::ConnectionId;
use crate::Origin;
use proto::{MeetingId, ParticipantId};
use std::collections::HashMap;
use std::time::Instant;

/// A connection.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// The id in any meeting that the client enters.
    pub participant: ParticipantId,
    pub origin: Origin,
    pub state: State,
}

/// The state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Connected; has not sent a `Hello`. The caller limits the time.
    New,
    /// Has sent a `Hello`; in no meeting.
    Greeted {
        /// When the connection ends if the client enters no meeting.
        until: Instant,
        /// How many admission keys the client has asked for.
        approaches: u8,
    },
    /// Waits to be admitted to a meeting.
    Waiting(MeetingId),
    /// Member of a meeting.
    Member(MeetingId),
    /// About to be closed; its messages are ignored.
    Closing,
}

/// All connections.
#[derive(Debug, Default)]
pub struct Connections(HashMap<ConnectionId, Connection>);

impl Connections {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the connections that are not about to be closed.
    pub fn open(&self) -> Vec<ConnectionId> {
        let open = self.0.iter().filter(|(_, connection)| connection.state != State::Closing);
        open.map(|(id, _)| *id).collect()
    }

    /// Returns the connections that have entered no meeting in time.
    pub fn idle(&self, now: Instant) -> Vec<ConnectionId> {
        let is_idle = |state| matches!(state, State::Greeted { until, .. } if until <= now);
        self.0.iter().filter(|(_, connection)| is_idle(connection.state)).map(|(id, _)| *id).collect()
    }

    /// Returns the connections of the members of a meeting, and of those who wait to be admitted.
    pub fn of_meeting(&self, meeting: MeetingId) -> Vec<ConnectionId> {
        let is_in = |state| matches!(state, State::Member(id) | State::Waiting(id) if id == meeting);
        self.0.iter().filter(|(_, connection)| is_in(connection.state)).map(|(id, _)| *id).collect()
    }

    pub fn get(&self, id: ConnectionId) -> Option<Connection> {
        self.0.get(&id).copied()
    }

    /// Returns a connection that is not about to be closed.
    pub fn get_open(&self, id: ConnectionId) -> Option<Connection> {
        self.get(id).filter(|connection| connection.state != State::Closing)
    }

    pub fn insert(&mut self, id: ConnectionId, connection: Connection) {
        self.0.insert(id, connection);
    }

    pub fn remove(&mut self, id: ConnectionId) -> Option<Connection> {
        self.0.remove(&id)
    }

    /// Changes the state of a connection. Does nothing if it is unknown.
    pub fn set_state(&mut self, id: ConnectionId, state: State) {
        if let Some(connection) = self.0.get_mut(&id) {
            connection.state = state;
        }
    }
}
