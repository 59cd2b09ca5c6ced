//! The delivery service: knows the members of each meeting, and orders their encrypted messages.
//!
//! A sans-IO machine: [`Up`] messages of connections and the time in, [`Action`]s out. It has no clock, no socket and
//! no private key. Messages between members are opaque [`proto::Blob`]s. It does not know who a manager is: it verifies
//! the signature of the meeting's authority. A panic while it handles a meeting ends that meeting only.

mod actions;
mod authority;
mod connection_id;
mod connections;
mod departed;
mod log;
mod meeting;
mod meetings;
mod members;
mod returns;
mod settings;
mod stored;
mod tree;
mod waiting;

pub use actions::{Action, Trust};
pub use connection_id::ConnectionId;
pub use stored::Change;

use crate::{Limits, Origin, sfu};
use actions::Actions;
use authority::Authority;
use connections::{Connection, Connections, State};
use meeting::{Changes, Meeting, forwarding};
use meetings::Meetings;
use proto::{Down, MeetingId, ParticipantId, Position, Problem, Refusal, ResumeToken, SignedCommand};
use proto::{ToSfu, Up, VERSION};
use settings::Settings;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;
use waiting::Request;

/// The time, from the caller.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For all timeouts.
    pub instant: Instant,
    /// Seconds since 1970-01-01 UTC. Clients compare their clocks with it.
    pub unix_seconds: u64,
}

/// The delivery service of a server.
#[derive(Debug)]
pub struct Delivery {
    settings: Arc<Settings>,
    meetings: Meetings,
    connections: Connections,
    actions: Actions,
    /// Why the service drains: new connections are rejected with it. `None` if the service does not drain.
    draining: Option<Problem>,
    /// How many messages lacked the authority's signature.
    unauthorised: u64,
}

impl Delivery {
    /// Returns a service without connections. `secret` is random: the members' resume tokens depend on it.
    pub fn new(limits: Limits, secret: &[u8; 32]) -> Self {
        Self {
            settings: Arc::new(Settings::new(limits, secret)),
            meetings: Meetings::default(),
            connections: Connections::default(),
            actions: Actions::default(),
            draining: None,
            unauthorised: 0,
        }
    }

    /// Returns a service that asks its caller to store its meetings, and continues those that were stored: the bytes of each in
    /// the order in which they were stored. Their members are absent. `secret` must be the same as before. A meeting whose bytes
    /// are damaged is left out.
    pub fn restore(limits: Limits, secret: &[u8; 32], stored: &[(MeetingId, Vec<Vec<u8>>)], now: Instant) -> Self {
        let mut service = Self::new(limits, secret);
        let settings = Arc::new(Settings::new(service.settings.limits.clone(), secret).storing());
        let restore =
            |(id, batches): &(_, Vec<_>)| (*id, meeting::storage::restore(*id, batches, Arc::clone(&settings), now));
        service.meetings = Meetings::stored(stored.iter().map(restore));
        service.settings = settings;
        service
    }

    /// Returns the number of meetings. Each has at least one member.
    pub fn meetings(&self) -> usize {
        self.meetings.len()
    }

    /// Returns the number of connections.
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// Returns how many bytes the logs of all meetings keep.
    pub fn log_bytes(&self) -> usize {
        self.meetings.log_bytes()
    }

    /// Returns the members of a participant's meeting, and how many wait to be admitted to it.
    pub fn meeting_of(&self, participant: ParticipantId) -> Option<(BTreeSet<ParticipantId>, usize)> {
        self.meetings.of_participant(participant)
    }

    /// Adds a connection. `participant` is a new random id.
    pub fn handle_connected(&mut self, id: ConnectionId, participant: ParticipantId, origin: Origin, now: Now) {
        // The caller numbers connections once. If an id is used twice, the older connection ends.
        self.handle_disconnected(id, now);
        self.connections.insert(id, Connection { participant, origin, state: State::New });
        if let Some(problem) = self.draining {
            self.reject(id, problem);
        }
    }

    /// Removes a connection. Its member may resume on another one.
    pub fn handle_disconnected(&mut self, id: ConnectionId, now: Now) {
        let Some(Connection { participant, state, .. }) = self.connections.get(id) else { return };
        isolate(self, id, None, |service| {
            service.connections.remove(id);
            if let State::Member(meeting) = state {
                if let Some(meeting) = service.meetings.get_mut(meeting) {
                    meeting.lose(participant, now.instant, &mut service.actions);
                }
            } else {
                service.leave(participant, state);
            }
        });
    }

    /// Handles a message from a connection.
    pub fn handle_message(&mut self, from: ConnectionId, message: Up, now: Now) {
        let Some(connection) = self.connections.get(from) else { return };
        let changed = changed_meeting(&self.meetings, &message);
        isolate(self, from, changed, |service| match (connection.state, message) {
            (State::Closing, _) | (State::Waiting(_), Up::Pong { .. }) => {}
            (State::New, Up::Hello { version: VERSION }) => {
                let until = now.instant + service.settings.limits.idle;
                service.connections.set_state(from, State::Greeted { until, approaches: 0 });
                let (participant, time) = (connection.participant, now.unix_seconds);
                service.actions.send(from, &Down::Hello { version: VERSION, participant, time });
            }
            (State::New, Up::Hello { .. }) => service.reject(from, Problem::Version),
            (State::Greeted { .. }, message) => service.handle_greeted(from, connection, message, now.instant),
            (State::Waiting(_) | State::Member(_), Up::Leave) => service.close(from),
            (State::Waiting(meeting), Up::Lobby { blob }) => {
                let (participant, actions) = (connection.participant, &mut service.actions);
                let meeting = service.meetings.get_mut(meeting);
                let passed =
                    meeting.map(|meeting| forwarding::to_managers(meeting, participant, blob, now.instant, actions));
                if let Some(Err(problem)) = passed {
                    service.reject(from, problem);
                }
            }
            (State::Member(meeting), message) => {
                let result = service.handle_member(from, connection.participant, meeting, message, now.instant);
                if let Err(problem) = result {
                    service.reject(from, problem);
                }
            }
            (State::New | State::Waiting(_), _) => service.reject(from, Problem::Malformed),
        });
    }

    /// Handles a message from a connection to the SFU. Only members may send one.
    pub fn handle_sfu_message(&mut self, from: ConnectionId, message: ToSfu) {
        let Some(Connection { participant, state, .. }) = self.connections.get(from) else { return };
        match state {
            State::Member(_) => self.actions.command_sfu(sfu::Command::Message { participant, message }),
            State::New | State::Greeted { .. } | State::Waiting(_) => self.reject(from, Problem::Malformed),
            State::Closing => {}
        }
    }

    /// Does what is due at `now`: ends strangers that enter no meeting and members that do not resume, and tells members
    /// of requests. The caller calls this several times a second.
    pub fn handle_timeout(&mut self, now: Instant) {
        for id in self.connections.idle(now) {
            self.reject(id, Problem::Idle);
        }
        let mut failed = Vec::new();
        for (id, meeting) in self.meetings.iter_mut() {
            // Unwind safe: the meeting is removed.
            let step = AssertUnwindSafe(|| {
                meeting.expire(now, &mut self.actions);
                meeting.announce(now, &mut self.actions);
            });
            failed.extend(catch_unwind(step).is_err().then_some(id));
        }
        for id in failed {
            self.end_failed(id);
        }
        for id in self.meetings.empty() {
            self.end_if_empty(id);
        }
    }

    /// Sends a problem to a connection and closes it. Does nothing if it is unknown or about to be closed. A member is
    /// gone then, and cannot resume.
    pub fn reject(&mut self, id: ConnectionId, problem: Problem) {
        if self.connections.get_open(id).is_some() {
            if problem == Problem::NotAuthorised {
                self.unauthorised += 1;
                tracing::warn!(count = self.unauthorised, "a command without the signature of its meeting was refused");
            }
            self.actions.send(id, &Down::Problem { problem });
            isolate(self, id, None, |service| service.close(id));
        }
    }

    /// Handles that the server closes a connection, for example because its media broke a rule. Its member is gone then,
    /// and cannot resume. Does nothing if the connection is unknown or about to be closed.
    pub fn handle_closed(&mut self, id: ConnectionId) {
        if self.connections.get_open(id).is_some() {
            isolate(self, id, None, |service| service.close(id));
        }
    }

    /// Closes all connections, ends all meetings, and rejects new connections from now on. The clients
    /// get `why`.
    pub fn drain(&mut self, why: Problem) {
        self.draining = Some(why);
        let open = self.connections.open();
        // Before any member leaves, so that the clients report the end of the server, not that of a member.
        for id in &open {
            self.actions.send(*id, &Down::Problem { problem: why });
        }
        for id in open {
            isolate(self, id, None, |service| service.close(id));
        }
        for mut meeting in self.meetings.take_all() {
            close_meeting(&mut meeting, &mut self.actions);
        }
    }

    /// Returns the next action for the caller.
    pub fn poll_action(&mut self) -> Option<Action> {
        // Changes come first, because the other actions tell clients of them.
        let change = self.meetings.poll_change().map(|(meeting, change)| Action::Store(meeting, change));
        change.or_else(|| self.actions.poll())
    }

    fn handle_greeted(&mut self, from: ConnectionId, connection: Connection, message: Up, now: Instant) {
        let result = match message {
            Up::Create { meeting, admission_key, authority } => {
                self.create(from, connection, meeting, Authority::new(meeting, authority, admission_key), now)
            }
            Up::Approach { meeting } => self.approach(from, meeting),
            Up::Knock { meeting, request } => self.request(from, connection, meeting, Request::Knock(request), now),
            Up::Return { meeting, request, signature } => {
                self.request(from, connection, meeting, Request::Return(request, signature), now)
            }
            Up::Resume { meeting, participant, token, position } => {
                self.resume(from, meeting, participant, &token, position)
            }
            Up::Leave => return self.close(from),
            Up::Pong { .. } => Ok(()),
            Up::Hello { .. }
            | Up::Manage { .. }
            | Up::Commit { .. }
            | Up::Tell { .. }
            | Up::Beacon { .. }
            | Up::Relay { .. }
            | Up::Lobby { .. }
            | Up::Tree { .. } => Err(Problem::Malformed),
        };
        if let Err(problem) = result {
            self.reject(from, problem);
        }
    }

    fn create(
        &mut self,
        from: ConnectionId,
        Connection { participant, origin, .. }: Connection,
        id: MeetingId,
        authority: Authority,
        now: Instant,
    ) -> Result<(), Problem> {
        if self.meetings.get(id).is_some() {
            return Err(Problem::MeetingExists);
        }
        let limits = &self.settings.limits;
        let of_origin = self.meetings.of_origin(origin);
        if self.meetings.len() >= limits.meetings || of_origin >= limits.address_meetings {
            tracing::warn!(meetings = self.meetings.len(), of_origin, "meeting refused: too many meetings");
            return Err(Problem::ServerFull);
        }
        let meeting = Meeting::new(authority, id, (participant, from), self.settings.clone(), now);
        self.meetings.insert(id, origin, meeting);
        self.connections.set_state(from, State::Member(id));
        self.actions.trust(from, Trust::Manager);
        self.actions.send(from, &Down::Created { resume: self.settings.token(id, participant) });
        self.actions.join_sfu(id, participant, from);
        tracing::info!(meetings = self.meetings.len(), "meeting opened");
        Ok(())
    }

    fn approach(&mut self, from: ConnectionId, id: MeetingId) -> Result<(), Problem> {
        let meeting = self.meetings.get(id).ok_or(Problem::NoMeeting)?;
        let Some(Connection { state: State::Greeted { until, approaches }, .. }) = self.connections.get(from) else {
            return Ok(());
        };
        if approaches >= MAX_APPROACHES {
            return Err(Problem::TooFast);
        }
        self.connections.set_state(from, State::Greeted { until, approaches: approaches + 1 });
        self.actions.send(from, &meeting.admission_key());
        Ok(())
    }

    fn request(
        &mut self,
        from: ConnectionId,
        Connection { participant, origin, .. }: Connection,
        id: MeetingId,
        request: Request,
        now: Instant,
    ) -> Result<(), Problem> {
        let meeting = self.meetings.get_mut(id).ok_or(Problem::NoMeeting)?;
        if meeting.is_locked && matches!(request, Request::Knock(_)) {
            self.actions.send(from, &Down::Refused { why: Refusal::Locked });
            self.close(from);
            return Ok(());
        }
        let crowding = meeting.request(participant, (from, origin), request, now)?;
        meeting.announce(now, &mut self.actions);
        self.connections.set_state(from, State::Waiting(id));
        if let Some(crowding) = crowding {
            self.reject(crowding, Problem::MeetingFull);
        }
        Ok(())
    }

    fn resume(
        &mut self,
        from: ConnectionId,
        id: MeetingId,
        participant: ParticipantId,
        token: &ResumeToken,
        position: Position,
    ) -> Result<(), Problem> {
        if !self.settings.accepts(token, id, participant) {
            return Err(Problem::NotResumable);
        }
        let meeting = self.meetings.get_mut(id).ok_or(Problem::NotResumable)?;
        let before = meeting.resume(participant, from, position, &mut self.actions)?;
        if let Some(connection) = self.connections.get(from) {
            self.meetings.assign(id, connection.origin);
            self.connections.insert(from, Connection { participant, state: State::Member(id), ..connection });
        }
        if let Some(before) = before {
            self.connections.set_state(before, State::Closing);
            self.actions.send(before, &Down::Problem { problem: Problem::Superseded });
            self.actions.close(before);
        }
        Ok(())
    }

    fn handle_member(
        &mut self,
        from: ConnectionId,
        participant: ParticipantId,
        id: MeetingId,
        message: Up,
        now: Instant,
    ) -> Result<(), Problem> {
        let Some(meeting) = self.meetings.get_mut(id) else { return Ok(()) };
        let actions = &mut self.actions;
        let changes = match message {
            Up::Manage { counter, command, signature, welcomes } => {
                let signed = SignedCommand { from: participant, counter, command, signature };
                let welcomes = forwarding::with_tree(meeting, participant, welcomes);
                meeting.manage(signed, welcomes, now, actions)?
            }
            Up::Commit { epoch, blob, removed, welcome } => {
                let welcomes = forwarding::with_tree(meeting, participant, welcome.into_iter().collect());
                meeting.commit(participant, meeting::Commit { epoch, blob, removed, welcomes }, now, actions)?
            }
            Up::Tell { epoch, blob } => {
                meeting.tell(participant, epoch, blob, now, actions)?;
                Changes::default()
            }
            Up::Tree { first, part } => {
                forwarding::add_to_tree(meeting, participant, first, part, now)?;
                return Ok(());
            }
            Up::Pong { position } => {
                meeting.acknowledge(participant, position);
                return Ok(());
            }
            Up::Beacon { beacon } => {
                forwarding::pass_beacon(meeting, participant, beacon, now, actions);
                return Ok(());
            }
            Up::Relay { blob } => {
                forwarding::relay(meeting, participant, blob, now, actions);
                return Ok(());
            }
            // It was on its way when the client was admitted.
            Up::Lobby { .. } => return Ok(()),
            Up::Leave => {
                self.close(from);
                return Ok(());
            }
            Up::Hello { .. }
            | Up::Create { .. }
            | Up::Approach { .. }
            | Up::Knock { .. }
            | Up::Return { .. }
            | Up::Resume { .. } => return Err(Problem::Malformed),
        };
        changes.closed.into_iter().for_each(|connection| self.connections.set_state(connection, State::Closing));
        changes.admitted.into_iter().for_each(|connection| self.connections.set_state(connection, State::Member(id)));
        self.end_if_empty(id);
        self.meetings.bound_log(id, self.settings.limits.address_log_bytes);
        Ok(())
    }

    /// Removes a connection from its meeting, and closes it. The socket closes after the messages that were sent
    /// before.
    fn close(&mut self, id: ConnectionId) {
        let Some(Connection { participant, state, .. }) = self.connections.get(id) else { return };
        self.connections.set_state(id, State::Closing);
        self.leave(participant, state);
        self.actions.close(id);
    }

    fn leave(&mut self, participant: ParticipantId, state: State) {
        match state {
            State::Waiting(id) => {
                if let Some(meeting) = self.meetings.get_mut(id) {
                    meeting.withdraw(participant, &mut self.actions);
                }
            }
            State::Member(id) => {
                if let Some(meeting) = self.meetings.get_mut(id) {
                    meeting.leave(participant, &mut self.actions);
                }
                self.end_if_empty(id);
            }
            State::New | State::Greeted { .. } | State::Closing => {}
        }
    }

    fn end_if_empty(&mut self, id: MeetingId) {
        let Some(meeting) = self.meetings.remove_if_empty(id) else { return };
        for waiting in meeting.waiting() {
            self.actions.send(waiting, &Down::Problem { problem: Problem::NoMeeting });
            self.actions.close(waiting);
            self.connections.set_state(waiting, State::Closing);
        }
        tracing::info!(meetings = self.meetings.len(), "meeting ended");
    }

    /// Ends a meeting after a panic. Its clients get [`Problem::Draining`], as when the server stops.
    fn end_failed(&mut self, id: MeetingId) {
        tracing::error!("a meeting has failed and ends");
        let Some(mut meeting) = self.meetings.remove(id) else { return };
        for connection in self.connections.of_meeting(id) {
            self.actions.send(connection, &Down::Problem { problem: Problem::Draining });
            self.actions.close(connection);
            self.connections.set_state(connection, State::Closing);
        }
        close_meeting(&mut meeting, &mut self.actions);
    }
}

/// Runs a step of a connection. If it panics, ends the meeting that the connection is in, or the one that the step may have
/// `changed`, and closes the connection.
fn isolate(service: &mut Delivery, from: ConnectionId, changed: Option<MeetingId>, step: impl FnOnce(&mut Delivery)) {
    let meeting = match service.connections.get(from).map(|connection| connection.state) {
        Some(State::Member(meeting) | State::Waiting(meeting)) => Some(meeting),
        Some(State::New | State::Greeted { .. } | State::Closing) | None => changed,
    };
    // Unwind safe: a step changes its meeting, which is removed after a panic, and its connection, which is closed. The tables and
    // the queue that meetings share hold one complete entry for each change.
    if catch_unwind(AssertUnwindSafe(|| step(service))).is_ok() {
        return;
    }
    if let Some(meeting) = meeting {
        service.end_failed(meeting);
    }
    if service.connections.get_open(from).is_some() {
        service.actions.send(from, &Down::Problem { problem: Problem::Draining });
        service.actions.close(from);
        service.connections.set_state(from, State::Closing);
    }
}

/// Ends the media of all members. A meeting that has failed may panic again.
fn close_meeting(meeting: &mut Meeting, actions: &mut Actions) {
    // Unwind safe: the meeting is dropped.
    if catch_unwind(AssertUnwindSafe(|| meeting.close(actions))).is_err() {
        tracing::error!("the media of a meeting that has failed could not be ended");
    }
}

/// Returns the meeting that a message of a client that is in none may change. A message that only reads a meeting cannot damage it,
/// so it does not end it either.
fn changed_meeting(meetings: &Meetings, message: &Up) -> Option<MeetingId> {
    match message {
        Up::Create { meeting, .. } => Some(*meeting).filter(|id| meetings.get(*id).is_none()),
        Up::Knock { meeting, .. } | Up::Return { meeting, .. } | Up::Resume { meeting, .. } => Some(*meeting),
        Up::Approach { .. }
        | Up::Hello { .. }
        | Up::Manage { .. }
        | Up::Commit { .. }
        | Up::Tell { .. }
        | Up::Beacon { .. }
        | Up::Relay { .. }
        | Up::Pong { .. }
        | Up::Lobby { .. }
        | Up::Tree { .. }
        | Up::Leave => None,
    }
}

/// How many admission keys a client may ask for on one connection. It asks again after a rotation.
const MAX_APPROACHES: u8 = 8;

#[cfg(test)]
mod tests;
