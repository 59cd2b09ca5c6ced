//! The server of a simulation: the real delivery service, which has no clock and no socket, and the pings and timeouts of
//! connections.

use super::ClientId;
use super::wall::WallTime;
use proto::{Down, MeetingId, ParticipantId, Problem, Up};
use server::delivery::{Action as Step, Change, ConnectionId, Delivery, Now};
use server::{Limits, Origin};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant, UNIX_EPOCH};

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

/// The server.
pub(super) struct Service {
    delivery: Delivery,
    connections: BTreeMap<ClientId, Connection>,
    clients: BTreeMap<ConnectionId, ClientId>,
    count: u64,
    now: Option<Instant>,
    wall: WallTime,
    /// What is stored of each meeting.
    stored: BTreeMap<MeetingId, Vec<Vec<u8>>>,
}

struct Connection {
    id: ConnectionId,
    last_message: Instant,
    last_ping: Instant,
}

impl Service {
    /// Returns a server whose clock is `wall`.
    pub(super) fn new(wall: WallTime) -> Self {
        Self {
            delivery: Delivery::restore(Limits::default(), &SECRET, &[], Instant::now()),
            connections: BTreeMap::new(),
            clients: BTreeMap::new(),
            count: 0,
            now: None,
            wall,
            stored: BTreeMap::new(),
        }
    }

    /// Replaces the server by another one that continues the stored meetings. It has no connections.
    pub(super) fn restart(&mut self, now: Instant) {
        let stored: Vec<_> = self.stored.iter().map(|(id, batches)| (*id, batches.clone())).collect();
        self.delivery = Delivery::restore(Limits::default(), &SECRET, &stored, now);
        self.connections.clear();
        self.clients.clear();
    }

    fn time(&self, instant: Instant) -> Now {
        let unix = self.wall.at(instant).duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { instant, unix_seconds: unix.as_secs() }
    }

    pub(super) fn connect(&mut self, client_id: ClientId, participant: ParticipantId, now: Instant) {
        self.now = Some(now);
        self.count += 1;
        let id = ConnectionId(self.count);
        self.connections.insert(client_id, Connection { id, last_message: now, last_ping: now });
        self.clients.insert(id, client_id);
        self.delivery.handle_connected(id, participant, Origin::from(ADDRESS), self.time(now));
    }

    /// Handles a message of a client.
    pub(super) fn handle(&mut self, client_id: ClientId, bytes: &[u8], now: Instant) -> Vec<Action> {
        self.now = Some(now);
        let time = self.time(now);
        if let Some(connection) = self.connections.get_mut(&client_id) {
            connection.last_message = now;
            match proto::decode::<Up>(bytes) {
                Ok(message) => self.delivery.handle_message(connection.id, message, time),
                Err(_) => self.delivery.reject(connection.id, Problem::Malformed),
            }
        }
        self.actions()
    }

    /// Handles the end of a client's connection.
    pub(super) fn disconnect(&mut self, client_id: ClientId) -> Vec<Action> {
        if let (Some(connection), Some(now)) = (self.connections.remove(&client_id), self.now) {
            self.clients.remove(&connection.id);
            self.delivery.handle_disconnected(connection.id, self.time(now));
        }
        self.actions()
    }

    /// Pings every 2 s, and drops clients that sent nothing for 10 s.
    pub(super) fn tick(&mut self, now: Instant) -> Vec<Action> {
        self.now = Some(now);
        self.delivery.handle_timeout(now);
        let silent = |connection: &Connection| now >= connection.last_message + MAX_SILENCE;
        let silent: Vec<ClientId> =
            self.connections.iter().filter(|(_, connection)| silent(connection)).map(|(id, _)| *id).collect();
        let mut actions = self.actions();
        for client_id in silent {
            actions.extend(self.disconnect(client_id));
            actions.push(Action::Close(client_id));
        }
        for (client_id, connection) in &mut self.connections {
            if now >= connection.last_ping + PING_INTERVAL {
                connection.last_ping = now;
                actions.push(Action::Send(*client_id, Down::Ping));
            }
        }
        actions
    }

    /// Asserts that the server lists exactly these members, and that no one waits for admission.
    pub(super) fn assert_agreement(&self, members: &BTreeSet<ParticipantId>) {
        let meeting = members.iter().find_map(|member| self.delivery.meeting_of(*member));
        let Some((listed, waiting)) = meeting else { panic!("the server has the meeting") };
        assert_eq!(&listed, members, "the members according to the server");
        assert_eq!(waiting, 0, "a client waits for admission");
    }

    fn actions(&mut self) -> Vec<Action> {
        let mut actions = Vec::new();
        while let Some(step) = self.delivery.poll_action() {
            match step {
                Step::Send(to, bytes)
                | Step::Tell { to, message: bytes, .. }
                | Step::Relay { to, message: bytes, .. } => {
                    let message = proto::decode(&bytes).expect("the server sends only valid messages");
                    actions.extend(self.clients.get(&to).map(|client_id| Action::Send(*client_id, message)));
                }
                Step::Close(id) => {
                    actions.extend(self.clients.remove(&id).map(Action::Close));
                }
                Step::Store(meeting, Change::Append(batch)) => self.stored.entry(meeting).or_default().push(batch),
                Step::Store(meeting, Change::Replace(batch)) => drop(self.stored.insert(meeting, vec![batch])),
                Step::Store(meeting, Change::Remove) => drop(self.stored.remove(&meeting)),
                Step::Trust(..) | Step::Sfu(..) => {}
            }
        }
        for action in &actions {
            if let Action::Close(client_id) = action {
                self.close(*client_id);
            }
        }
        actions
    }

    /// Forgets a connection that the service has closed.
    fn close(&mut self, client_id: ClientId) {
        if let (Some(connection), Some(now)) = (self.connections.remove(&client_id), self.now) {
            self.delivery.handle_disconnected(connection.id, self.time(now));
        }
    }
}

/// The key of the resume tokens.
const SECRET: [u8; 32] = [7; 32];

/// All clients have one address.
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

const PING_INTERVAL: Duration = Duration::from_secs(2);
const MAX_SILENCE: Duration = Duration::from_secs(10);
