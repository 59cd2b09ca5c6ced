//! A simple delivery service: the rules of docs/protocol.md, implemented independently of the real server.

use super::ClientId;
use proto::{Blob, Down, Epoch, LogEntry, MeetingId, ParticipantId, Position, Problem, Up, VERSION};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// What the server asks the simulation to do.
pub(super) enum Action {
    /// Send a message.
    Send(ClientId, Down),
    /// Close the connection after the messages before.
    Close(ClientId),
}

impl Action {
    pub(super) fn client(&self) -> ClientId {
        match self {
            Self::Send(client_id, _) | Self::Close(client_id) => *client_id,
        }
    }
}

/// The delivery service.
#[derive(Default)]
pub(super) struct Service {
    connections: BTreeMap<ClientId, Connection>,
    meetings: BTreeMap<MeetingId, Meeting>,
    actions: Vec<Action>,
}

struct Connection {
    participant: ParticipantId,
    meeting: Option<MeetingId>,
    last_message: Instant,
    last_ping: Instant,
}

/// One meeting, as the server knows it.
struct Meeting {
    admission_key: Blob,
    epoch: Epoch,
    length: u64,
    members: BTreeMap<ParticipantId, ClientId>,
    waiting: Vec<(ParticipantId, ClientId, Blob)>,
    /// Members that left and that no later commit removed. A new member must know them.
    gone: BTreeSet<ParticipantId>,
}

impl Service {
    pub(super) fn connect(&mut self, client_id: ClientId, participant: ParticipantId, now: Instant) {
        self.connections
            .insert(client_id, Connection { participant, meeting: None, last_message: now, last_ping: now });
    }

    /// Handles a message of a client.
    pub(super) fn handle(&mut self, client_id: ClientId, bytes: &[u8], now: Instant) -> Vec<Action> {
        if let Some(connection) = self.connections.get_mut(&client_id) {
            connection.last_message = now;
            let (me, meeting) = (connection.participant, connection.meeting);
            match proto::decode::<Up>(bytes) {
                Ok(message) => self.handle_message(client_id, me, meeting, message),
                Err(_) => self.refuse(client_id, Problem::Malformed),
            }
        }
        std::mem::take(&mut self.actions)
    }

    /// Handles the end of a client's connection.
    pub(super) fn disconnect(&mut self, client_id: ClientId) -> Vec<Action> {
        self.remove_connection(client_id);
        std::mem::take(&mut self.actions)
    }

    /// Pings every 2 s, and drops clients that sent nothing for 6 s.
    pub(super) fn tick(&mut self, now: Instant) -> Vec<Action> {
        let silent: Vec<_> = self
            .connections
            .iter()
            .filter(|(_, connection)| now >= connection.last_message + MAX_SILENCE)
            .map(|(client_id, _)| *client_id)
            .collect();
        for client_id in silent {
            self.remove_connection(client_id);
            self.actions.push(Action::Close(client_id));
        }
        for (client_id, connection) in &mut self.connections {
            if now >= connection.last_ping + PING_INTERVAL {
                connection.last_ping = now;
                self.actions.push(Action::Send(*client_id, Down::Ping));
            }
        }
        std::mem::take(&mut self.actions)
    }

    /// Asserts that the server lists exactly these members, and that no one waits for admission.
    pub(super) fn assert_agreement(&self, members: &BTreeSet<ParticipantId>) {
        let Some(state) = self.meetings.values().find(|state| state.members.keys().any(|id| members.contains(id)))
        else {
            panic!("the server has the meeting");
        };
        assert_eq!(
            &state.members.keys().copied().collect::<BTreeSet<_>>(),
            members,
            "the members according to the server"
        );
        assert!(state.waiting.is_empty(), "a client waits for admission");
    }

    fn handle_message(&mut self, client_id: ClientId, me: ParticipantId, meeting: Option<MeetingId>, message: Up) {
        match message {
            Up::Hello { version: VERSION } => self.send(client_id, Down::Hello { version: VERSION, participant: me }),
            Up::Hello { .. } => self.refuse(client_id, Problem::Version),
            Up::Create { meeting, admission_key } => self.create(client_id, me, meeting, admission_key),
            Up::Approach { meeting } => match self.meetings.get(&meeting) {
                Some(state) => self.send(client_id, Down::AdmissionKey { admission_key: state.admission_key.clone() }),
                None => self.refuse(client_id, Problem::NoMeeting),
            },
            Up::Knock { meeting, request } => self.knock(client_id, me, meeting, &request),
            Up::Leave => self.remove_connection(client_id),
            Up::Refuse { .. } | Up::Commit { .. } | Up::Tell { .. } => {
                let state = meeting.and_then(|meeting| self.meetings.get_mut(&meeting));
                let Some(state) = state.filter(|state| state.members.contains_key(&me)) else { return };
                let (actions, closed) = state.handle_message(client_id, me, message);
                self.actions.extend(actions);
                for closed in closed {
                    self.connections.remove(&closed);
                    self.actions.push(Action::Close(closed));
                }
            }
            Up::Pong => {}
        }
    }

    fn create(&mut self, client_id: ClientId, me: ParticipantId, meeting: MeetingId, admission_key: Blob) {
        if self.meetings.contains_key(&meeting) {
            return self.refuse(client_id, Problem::MeetingExists);
        }
        let state = Meeting {
            admission_key,
            epoch: Epoch(0),
            length: 0,
            members: [(me, client_id)].into(),
            waiting: Vec::new(),
            gone: BTreeSet::new(),
        };
        self.meetings.insert(meeting, state);
        self.set_meeting(client_id, meeting);
        self.send(client_id, Down::Created);
    }

    fn knock(&mut self, client_id: ClientId, me: ParticipantId, meeting: MeetingId, request: &Blob) {
        let Some(state) = self.meetings.get_mut(&meeting) else { return self.refuse(client_id, Problem::NoMeeting) };
        state.waiting.push((me, client_id, request.clone()));
        for member in state.members.values() {
            let request = request.clone();
            self.actions.push(Action::Send(*member, Down::Knocked { participant: me, request }));
        }
        self.set_meeting(client_id, meeting);
    }

    /// Forgets a connection.
    fn remove_connection(&mut self, client_id: ClientId) {
        let Some(connection) = self.connections.remove(&client_id) else { return };
        let Some(meeting) = connection.meeting else { return };
        let Some(state) = self.meetings.get_mut(&meeting) else { return };
        state.remove_participant(connection.participant, &mut self.actions);
        if state.members.is_empty() {
            let state = self.meetings.remove(&meeting);
            for (_, client_id, _) in state.into_iter().flat_map(|state| state.waiting) {
                self.refuse(client_id, Problem::NoMeeting);
            }
        }
    }

    fn set_meeting(&mut self, client_id: ClientId, meeting: MeetingId) {
        if let Some(connection) = self.connections.get_mut(&client_id) {
            connection.meeting = Some(meeting);
        }
    }

    fn refuse(&mut self, client_id: ClientId, problem: Problem) {
        self.send(client_id, Down::Problem { problem });
        self.connections.remove(&client_id);
        self.actions.push(Action::Close(client_id));
    }

    fn send(&mut self, client_id: ClientId, message: Down) {
        self.actions.push(Action::Send(client_id, message));
    }
}

impl Meeting {
    /// Handles a member's request. Returns the actions, and the clients whose connections close.
    fn handle_message(&mut self, client_id: ClientId, me: ParticipantId, message: Up) -> (Vec<Action>, Vec<ClientId>) {
        let (mut actions, mut closed) = (Vec::new(), Vec::new());
        match message {
            Up::Commit { epoch, .. } if epoch != self.epoch => {
                actions.push(Action::Send(client_id, Down::CommitTooLate { epoch: self.epoch }));
            }
            Up::Commit { epoch, blob, welcomes, removed } => {
                let (ids, connections) = self.remove_members(&removed, &mut actions);
                closed = connections;
                self.append(&LogEntry::Commit { from: me, epoch, blob }, &mut actions);
                self.epoch = epoch.next();
                self.gone.retain(|id| !removed.contains(id));
                for id in ids {
                    self.log_gone(id, &mut actions);
                }
                for welcome in welcomes {
                    welcome.to.iter().for_each(|to| self.admit(*to, &welcome.blob, &mut actions));
                }
            }
            Up::Tell { epoch, blob } => self.append(&LogEntry::Told { from: me, epoch, blob }, &mut actions),
            Up::Refuse { participant, why } => {
                for (_, client_id, _) in self.waiting.extract_if(.., |(id, ..)| *id == participant) {
                    actions.push(Action::Send(client_id, Down::Refused { why }));
                    closed.push(client_id);
                }
            }
            Up::Hello { .. } | Up::Create { .. } | Up::Approach { .. } | Up::Knock { .. } | Up::Leave | Up::Pong => {
                unreachable!("the service passes on only the three messages above")
            }
        }
        (actions, closed)
    }

    /// Removes those of `removed` who are members. Returns their ids and connections.
    fn remove_members(
        &mut self,
        removed: &[ParticipantId],
        actions: &mut Vec<Action>,
    ) -> (Vec<ParticipantId>, Vec<ClientId>) {
        let members = removed.iter().filter_map(|id| Some((*id, self.members.remove(id)?)));
        let (ids, connections): (Vec<_>, Vec<_>) = members.unzip();
        actions.extend(connections.iter().map(|client_id| Action::Send(*client_id, Down::Removed)));
        (ids, connections)
    }

    /// Admits a client that waits. If it does not wait any more, logs it as gone.
    fn admit(&mut self, to: ParticipantId, welcome: &Blob, actions: &mut Vec<Action>) {
        if self.members.contains_key(&to) {
            return;
        }
        let Some(at) = self.waiting.iter().position(|(id, ..)| *id == to) else {
            return self.log_gone(to, actions);
        };
        let (_, client_id, _) = self.waiting.remove(at);
        let (welcome, position, epoch) = (welcome.clone(), Position(self.length), self.epoch);
        let gone = self.gone.iter().copied().collect();
        actions.push(Action::Send(client_id, Down::Admitted { welcome, position, epoch, gone }));
        for (participant, _, request) in &self.waiting {
            let (participant, request) = (*participant, request.clone());
            actions.push(Action::Send(client_id, Down::Knocked { participant, request }));
        }
        self.members.insert(to, client_id);
    }

    fn remove_participant(&mut self, id: ParticipantId, actions: &mut Vec<Action>) {
        let was_waiting = self.waiting.extract_if(.., |(waiting, ..)| *waiting == id).count() > 0;
        if was_waiting {
            for member in self.members.values() {
                actions.push(Action::Send(*member, Down::Withdrew { participant: id }));
            }
        }
        if self.members.remove(&id).is_some() {
            self.log_gone(id, actions);
        }
    }

    fn log_gone(&mut self, id: ParticipantId, actions: &mut Vec<Action>) {
        self.gone.insert(id);
        self.append(&LogEntry::Gone { participant: id }, actions);
    }

    fn append(&mut self, entry: &LogEntry, actions: &mut Vec<Action>) {
        let position = Position(self.length);
        self.length += 1;
        for member in self.members.values() {
            actions.push(Action::Send(*member, Down::Log { position, entry: entry.clone() }));
        }
    }
}

const PING_INTERVAL: Duration = Duration::from_secs(2);
const MAX_SILENCE: Duration = Duration::from_secs(6);
