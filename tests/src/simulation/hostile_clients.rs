//! The hostile clients of a simulation: when they act, and their connections.

use super::hostile::{Act, Aim, HostileClient};
use super::link::{Direction, Link};
use super::media::HeldKeys;
use super::service::Action;
use super::{Client, ClientId, Connection, Scheduled, Simulation, Started};
use net::meeting::Entry;
use proto::{Down, ParticipantId};
use rand::Rng;
use std::collections::BTreeMap;
use std::time::Duration;

/// The hostile clients.
#[derive(Default)]
pub(super) struct HostileClients {
    clients: BTreeMap<ClientId, HostileClient>,
    is_stopped: bool,
}

impl HostileClients {
    /// Returns whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// Returns whether one of them has or had this id.
    pub(super) fn contains(&self, id: ParticipantId) -> bool {
        self.clients.values().any(|hostile| hostile.ids().contains(&id))
    }

    /// Returns all keys that they hold, with the participant that got them.
    pub(super) fn keys(&mut self) -> impl Iterator<Item = (ParticipantId, &mut HeldKeys)> {
        self.clients.values_mut().flat_map(HostileClient::keys)
    }
}

impl Simulation {
    /// Adds a hostile client that joins by the link of `host`'s meeting. Its clock is `ahead` seconds ahead.
    ///
    /// # Panics
    /// Panics if the system has no randomness.
    pub fn add_hostile(&mut self, host: ClientId, ahead: i64) -> ClientId {
        self.add_with_aim(host, ahead, Aim::Disturb)
    }

    /// Adds a hostile client that joins by the link of `host`'s meeting and follows its rules, except that it keeps out
    /// each organiser that comes back.
    ///
    /// # Panics
    /// Panics if the system has no randomness.
    pub fn add_answering(&mut self, host: ClientId) -> ClientId {
        self.add_with_aim(host, 0, Aim::KeepOut(None))
    }

    /// As [`Self::add_answering`], but it adds each organiser that comes back without a Welcome.
    ///
    /// # Panics
    /// Panics if the system has no randomness.
    pub fn add_swallowing(&mut self, host: ClientId) -> ClientId {
        self.add_with_aim(host, 0, Aim::Swallow(None))
    }

    /// As [`Self::add_answering`], but it lets organisers in, and adds them again by their old requests, above all when they have left.
    ///
    /// # Panics
    /// Panics if the system has no randomness.
    pub fn add_haunting(&mut self, host: ClientId) -> ClientId {
        self.add_with_aim(host, 0, Aim::Haunt)
    }

    fn add_with_aim(&mut self, host: ClientId, ahead: i64, aim: Aim) -> ClientId {
        let (client_id, invitation) = (ClientId(self.clients.len()), self.invitation(host));
        let wall = self.wall.ahead(ahead);
        let (seed, own) = (self.random.random(), invitation.clone());
        // It only fills the place in the list of clients.
        let started = Started { name: format!("hostile {}", client_id.0), now: self.now, seed, wall };
        let mut idle = Client::new(started, |identity, profile| Entry::Join { invitation: own, identity, profile });
        idle.kill();
        self.clients.push(idle);
        self.links.push(Link::new(self.now, &mut self.random));
        self.connections.push((0, true));
        self.served.push(0);
        self.service.connect(client_id, ParticipantId(self.random.random()), self.now);
        let hostile = HostileClient::new(invitation, aim, self.random.random(), wall.at(self.now));
        self.hostile_clients.clients.insert(client_id, hostile);
        self.greet_as_hostile(client_id);
        self.schedule(self.now, Scheduled::Turn(client_id));
        client_id
    }

    /// Gives the link of `host`'s meeting as it is now to the hostile clients.
    pub fn leak_link(&mut self, host: ClientId) {
        let invitation = self.invitation(host);
        self.hostile_clients.clients.values_mut().for_each(|hostile| hostile.set_link(invitation.clone()));
    }

    /// Returns whether a hostile client has or had this id.
    pub fn is_hostile_id(&self, id: ParticipantId) -> bool {
        self.hostile_clients.contains(id)
    }

    /// Ends the processes of all hostile clients.
    pub fn stop_hostile(&mut self) {
        self.hostile_clients.is_stopped = true;
        for client_id in self.hostile_clients.clients.keys().copied().collect::<Vec<_>>() {
            let at = self.links[client_id.0].arrival(Direction::Up, self.now, &mut self.random);
            self.schedule(at, Scheduled::ServerSeesClose(self.connection(client_id)));
        }
    }

    pub(super) fn is_hostile(&self, client_id: ClientId) -> bool {
        self.hostile_clients.clients.contains_key(&client_id)
    }

    pub(super) fn greet_as_hostile(&mut self, client_id: ClientId) {
        let Some(hostile) = self.hostile_clients.clients.get_mut(&client_id) else { return };
        let messages = hostile.greet();
        self.say(client_id, messages);
    }

    pub(super) fn deliver_to_hostile(&mut self, client_id: ClientId, bytes: &[u8]) {
        let Some(hostile) = self.hostile_clients.clients.get_mut(&client_id) else { return };
        let Ok(message) = proto::decode::<Down>(bytes) else { return };
        let answers = hostile.handle_message(message);
        self.say(client_id, answers);
    }

    /// Lets the hostile clients that are not members read a log entry that is sent to others.
    pub(super) fn overhear(&mut self, action: &Action) {
        if let Action::Send(_, Down::Log { position, entry }) = action {
            self.hostile_clients.clients.values_mut().for_each(|hostile| hostile.overhear(*position, entry));
        }
    }

    pub(super) fn close_hostile(&mut self, connection: Connection) {
        if self.connection(connection.0) == connection
            && let Some(hostile) = self.hostile_clients.clients.get_mut(&connection.0)
        {
            hostile.handle_disconnected();
        }
    }

    /// Lets a hostile client do something.
    pub(super) fn take_turn(&mut self, client_id: ClientId) {
        if self.hostile_clients.is_stopped {
            return;
        }
        let Some(hostile) = self.hostile_clients.clients.get_mut(&client_id) else { return };
        match hostile.act() {
            Act::Say(messages) => self.say(client_id, messages),
            Act::Connect => self.reconnect(client_id),
            Act::Reset => self.reset(client_id),
        }
        self.attack_media();
        let wait = Duration::from_millis(self.random.random_range(0..MAX_WAIT));
        self.schedule(self.now + wait, Scheduled::Turn(client_id));
    }

    fn say(&mut self, client_id: ClientId, messages: Vec<Vec<u8>>) {
        if !self.hostile_clients.is_stopped {
            for message in messages {
                self.send_up(client_id, message);
            }
        }
    }
}

/// The maximum time between two turns, in milliseconds.
const MAX_WAIT: u64 = 900;
