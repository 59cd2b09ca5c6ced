//! Those who wait to be admitted to a meeting.

use super::connection_id::ConnectionId;
use crate::Origin;
use proto::{Blob, Down, ParticipantId, Signature};
use std::collections::BTreeMap;

/// Those who wait to be admitted to a meeting.
#[derive(Debug, Default)]
pub struct Waiting {
    by_id: BTreeMap<ParticipantId, Waiter>,
}

/// Who waits, and what for.
#[derive(Debug)]
pub struct Waiter {
    /// Its connection.
    pub connection: ConnectionId,
    /// Where it comes from.
    pub origin: Origin,
    /// Its request.
    pub request: Request,
}

/// A request to be admitted.
#[derive(Debug)]
pub enum Request {
    /// A manager decides it.
    Knock(Blob),
    /// The authority has signed it, so each member may commit it.
    Return(Blob, Signature),
}

impl Waiter {
    /// Returns the message that tells the members of the request.
    pub fn message(&self, participant: ParticipantId) -> Down {
        match &self.request {
            Request::Knock(request) => Down::Knocked { participant, request: request.clone() },
            Request::Return(request, signature) => {
                Down::Returned { participant, request: request.clone(), signature: *signature }
            }
        }
    }
}

impl Waiting {
    /// Adds a request, and returns the message that tells the members of it.
    pub fn insert(&mut self, participant: ParticipantId, waiter: Waiter) -> Down {
        let message = waiter.message(participant);
        self.by_id.insert(participant, waiter);
        message
    }

    /// Removes a request, and returns the connection that waited.
    pub fn remove(&mut self, participant: ParticipantId) -> Option<ConnectionId> {
        self.by_id.remove(&participant).map(|waiter| waiter.connection)
    }

    /// Returns how many wait.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Returns how many from `origin` wait.
    pub fn count_of(&self, origin: Origin) -> usize {
        self.by_id.values().filter(|waiter| waiter.origin == origin).count()
    }

    /// Returns the connections that wait.
    pub fn connections(&self) -> impl Iterator<Item = ConnectionId> {
        self.by_id.values().map(|waiter| waiter.connection)
    }

    /// Returns the messages that tell a new member of all requests.
    pub fn messages(&self) -> impl Iterator<Item = Down> {
        self.by_id.iter().map(|(participant, waiter)| waiter.message(*participant))
    }
}
