//! The delivery service: knows the members of each meeting, and orders their encrypted messages.
//!
//! A sans-IO machine: [`Up`] messages of connections in, [`Action`]s out. It has no clock, no socket and no key.
//! Messages between members are opaque [`proto::Blob`]s.

mod actions;
mod log;
mod meeting;

pub use actions::Action;

use crate::{Limits, sfu};
use actions::Actions;
use meeting::Meeting;
use proto::{Blob, Down, MeetingId, ParticipantId, Problem, ToSfu, Up, VERSION};
use std::collections::HashMap;

/// The delivery service of a server.
#[derive(Debug)]
pub struct Delivery {
    limits: Limits,
    meetings: HashMap<MeetingId, Meeting>,
    connections: HashMap<ParticipantId, State>,
    actions: Actions,
    draining: bool,
}

/// The state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Connected; has not sent a `Hello`.
    New,
    /// Has sent a `Hello`; in no meeting.
    Greeted,
    /// Waits to be admitted to a meeting.
    Waiting(MeetingId),
    /// Member of a meeting.
    Member(MeetingId),
    /// About to be closed; its messages are ignored.
    Closing,
}

impl Delivery {
    /// Returns a service without connections.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            meetings: HashMap::new(),
            connections: HashMap::new(),
            actions: Actions::default(),
            draining: false,
        }
    }

    /// Returns the number of meetings. Each has at least one member.
    pub fn meetings(&self) -> usize {
        self.meetings.len()
    }

    /// Returns the number of connections.
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// Adds a connection with a new id.
    pub fn handle_connected(&mut self, participant: ParticipantId) {
        // Ids are 64 random bits. If an id is used twice, the older connection ends.
        self.handle_disconnected(participant);
        self.connections.insert(participant, State::New);
        if self.draining {
            self.reject(participant, Problem::Draining);
        }
    }

    /// Removes a connection.
    pub fn handle_disconnected(&mut self, participant: ParticipantId) {
        if let Some(state) = self.connections.remove(&participant) {
            self.leave(participant, state);
        }
    }

    /// Handles a message from a connection.
    pub fn handle_message(&mut self, from: ParticipantId, message: Up) {
        let Some(state) = self.connections.get(&from).copied() else { return };
        match (state, message) {
            (State::Closing, _) | (_, Up::Pong) => {}
            (State::New, Up::Hello { version }) => self.handle_hello(from, version),
            (State::Greeted, Up::Create { meeting, admission_key }) => self.create(from, meeting, admission_key),
            (State::Greeted, Up::Approach { meeting }) => self.approach(from, meeting),
            (State::Greeted, Up::Knock { meeting, request }) => self.knock(from, meeting, request),
            (State::Greeted | State::Waiting(_) | State::Member(_), Up::Leave) => self.close(from),
            (State::Member(meeting), message) => self.handle_member(from, meeting, message),
            (State::New | State::Greeted | State::Waiting(_), _) => self.reject(from, Problem::Malformed),
        }
    }

    /// Handles a message from a connection to the SFU. Only members may send one.
    pub fn handle_sfu_message(&mut self, from: ParticipantId, message: ToSfu) {
        match self.connections.get(&from) {
            Some(State::Member(_)) => self.actions.command_sfu(sfu::Command::Message { participant: from, message }),
            Some(State::New | State::Greeted | State::Waiting(_)) => self.reject(from, Problem::Malformed),
            Some(State::Closing) | None => {}
        }
    }

    /// Sends a problem to a connection and closes it. Does nothing if it is unknown or about to be closed.
    pub fn reject(&mut self, participant: ParticipantId, problem: Problem) {
        if self.connections.get(&participant).is_some_and(|state| *state != State::Closing) {
            self.actions.send(participant, &Down::Problem { problem });
            self.close(participant);
        }
    }

    /// Closes all connections, and rejects new ones from now on.
    pub fn drain(&mut self) {
        self.draining = true;
        let all: Vec<ParticipantId> = self.connections.keys().copied().collect();
        for participant in all {
            self.reject(participant, Problem::Draining);
        }
    }

    /// Returns the next action for the caller.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.poll()
    }

    fn handle_hello(&mut self, from: ParticipantId, version: u16) {
        if version != VERSION {
            return self.reject(from, Problem::Version);
        }
        self.connections.insert(from, State::Greeted);
        self.actions.send(from, &Down::Hello { version: VERSION, participant: from });
    }

    fn create(&mut self, from: ParticipantId, id: MeetingId, admission_key: Blob) {
        if admission_key.0.len() > self.limits.stranger_message {
            return self.reject(from, Problem::Malformed);
        }
        if self.meetings.contains_key(&id) {
            return self.reject(from, Problem::MeetingExists);
        }
        if self.meetings.len() >= self.limits.meetings {
            tracing::warn!(meetings = self.meetings.len(), "meeting refused: the server is full");
            return self.reject(from, Problem::ServerFull);
        }
        self.meetings.insert(id, Meeting::new(id, admission_key, from, &self.limits));
        self.connections.insert(from, State::Member(id));
        self.actions.send(from, &Down::Created);
        self.actions.command_sfu(sfu::Command::Join { meeting: id, participant: from });
        tracing::info!(meeting = %id, meetings = self.meetings.len(), "meeting opened");
    }

    fn approach(&mut self, from: ParticipantId, id: MeetingId) {
        match self.meetings.get(&id) {
            Some(meeting) => {
                let admission_key = Down::AdmissionKey { admission_key: meeting.admission_key().clone() };
                self.actions.send(from, &admission_key);
            }
            None => self.reject(from, Problem::NoMeeting),
        }
    }

    fn knock(&mut self, from: ParticipantId, id: MeetingId, request: Blob) {
        if request.0.len() > self.limits.stranger_message {
            return self.reject(from, Problem::Malformed);
        }
        let Some(meeting) = self.meetings.get_mut(&id) else { return self.reject(from, Problem::NoMeeting) };
        if !meeting.knock(from, request, &mut self.actions) {
            return self.reject(from, Problem::MeetingFull);
        }
        self.connections.insert(from, State::Waiting(id));
    }

    fn handle_member(&mut self, from: ParticipantId, id: MeetingId, message: Up) {
        match message {
            Up::Refuse { participant, why } => self.refuse(id, participant, why),
            Up::Commit { epoch, blob, welcomes, removed } => {
                self.commit(id, meeting::Commit { from, epoch, blob, welcomes, removed });
            }
            Up::Tell { epoch, blob } => {
                if let Some(meeting) = self.meetings.get_mut(&id) {
                    meeting.append(proto::LogEntry::Told { from, epoch, blob }, &mut self.actions);
                }
            }
            Up::Hello { .. } | Up::Create { .. } | Up::Approach { .. } | Up::Knock { .. } => {
                self.reject(from, Problem::Malformed);
            }
            Up::Leave | Up::Pong => {}
        }
    }

    /// Refuses a person who waits. Does nothing if `participant` does not wait.
    fn refuse(&mut self, id: MeetingId, participant: ParticipantId, why: proto::Refusal) {
        if self.meetings.get_mut(&id).is_some_and(|meeting| meeting.stop_waiting(participant)) {
            self.connections.insert(participant, State::Closing);
            self.actions.send(participant, &Down::Refused { why });
            self.actions.close(participant);
        }
    }

    fn commit(&mut self, id: MeetingId, commit: meeting::Commit) {
        let Some(meeting) = self.meetings.get_mut(&id) else { return };
        let meeting::Changes { removed, admitted } = meeting.commit(commit, &mut self.actions);
        self.connections.extend(removed.into_iter().map(|participant| (participant, State::Closing)));
        self.connections.extend(admitted.into_iter().map(|participant| (participant, State::Member(id))));
        self.end_if_empty(id);
    }

    /// Removes a connection from its meeting, and closes it. The socket closes after the messages that were sent
    /// before.
    fn close(&mut self, participant: ParticipantId) {
        let Some(state) = self.connections.insert(participant, State::Closing) else { return };
        self.leave(participant, state);
        self.actions.close(participant);
    }

    fn leave(&mut self, participant: ParticipantId, state: State) {
        match state {
            State::Waiting(id) => {
                if let Some(meeting) = self.meetings.get_mut(&id) {
                    meeting.withdraw(participant, &mut self.actions);
                }
            }
            State::Member(id) => {
                if let Some(meeting) = self.meetings.get_mut(&id) {
                    meeting.leave(participant, &mut self.actions);
                }
                self.end_if_empty(id);
            }
            State::New | State::Greeted | State::Closing => {}
        }
    }

    fn end_if_empty(&mut self, id: MeetingId) {
        if self.meetings.get(&id).is_none_or(|meeting| !meeting.is_empty()) {
            return;
        }
        let Some(meeting) = self.meetings.remove(&id) else { return };
        for participant in meeting.waiting() {
            self.connections.insert(participant, State::Greeted);
            self.reject(participant, Problem::NoMeeting);
        }
        tracing::info!(meeting = %id, meetings = self.meetings.len(), "meeting ended");
    }
}

#[cfg(test)]
mod tests;
