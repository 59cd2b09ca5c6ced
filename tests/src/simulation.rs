//! Meetings on virtual time: real `Meeting`s, a simple delivery service, and a network that delays messages and breaks
//! connections.
//!
//! The seed determines the whole run. A connection is a WebSocket: reliable and in order until it ends. A bad network
//! delays it, stalls it or ends it. Messages of different clients overtake each other.

mod agreement;
mod chat;
mod client;
mod hostile;
mod hostile_clients;
mod invariants;
mod link;
mod media;
mod reference;
mod service;
mod trace;
mod wall;

pub use chat::ChatList;
pub use client::{Client, Ending};

use client::{Closing, Started};
use crypto::{Identity, Invitation, ManagerKeys, Profile};
use hostile_clients::HostileClients;
use invariants::Invariants;
use link::{Direction, Link};
use net::meeting::{Command, Entry, hostile as hostile_member};
use proto::{Down, ManagerCommand, ParticipantId, Up};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use reference::Reference;
use service::{Action, Service};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use trace::Trace;
use wall::WallTime;

/// The index of a client in the simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub usize);

/// Clients, a server, the network between them, and the simulated time.
pub struct Simulation {
    random: ChaCha8Rng,
    start: Instant,
    now: Instant,
    service: Service,
    clients: Vec<Client>,
    links: Vec<Link>,
    /// The number of each client's connection, and whether the server knows it.
    connections: Vec<(u64, bool)>,
    /// The number of each client's last connection that the server knows, open or closed.
    served: Vec<u64>,
    /// The events that happen next. The number keeps the order of events at the same time.
    scheduled: BTreeMap<(Instant, u64), Scheduled>,
    count: u64,
    /// The participants that an organiser wants to remove. Kept until the organiser's meeting ends.
    removals: BTreeSet<(ClientId, ParticipantId)>,
    wall: WallTime,
    trace: Trace,
    hostile_clients: HostileClients,
    invariants: Invariants,
    /// The naive model of rights, if it watches.
    reference: Option<Reference>,
}

/// One of a client's connections, one after the other.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Connection(ClientId, u64);

enum Scheduled {
    /// A message to the server arrives on a connection.
    Up(Connection, Vec<u8>),
    /// A message to the client arrives on a connection.
    Down(Connection, Vec<u8>),
    /// The server sees a connection close.
    ServerSeesClose(Connection),
    /// The client sees a connection close.
    ClientSeesClose(Connection),
    /// A connection that the client ordered is established.
    Connected(Connection),
    /// The server checks which connections are silent.
    Tick,
    /// It is a hostile client's turn.
    Turn(ClientId),
}

impl Simulation {
    /// Returns a simulation without clients.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self::with_clock(seed, 0)
    }

    /// Returns a simulation without clients. The server's clock is `ahead` seconds ahead of the true time.
    #[must_use]
    pub fn with_clock(seed: u64, ahead: i64) -> Self {
        let start = Instant::now();
        let wall = WallTime::new(start);
        let mut simulation = Self {
            random: ChaCha8Rng::seed_from_u64(seed),
            start,
            now: start,
            service: Service::new(wall.ahead(ahead)),
            clients: Vec::new(),
            links: Vec::new(),
            connections: Vec::new(),
            served: Vec::new(),
            scheduled: BTreeMap::new(),
            count: 0,
            removals: BTreeSet::new(),
            wall,
            trace: Trace::new(),
            hostile_clients: HostileClients::default(),
            invariants: Invariants::default(),
            reference: None,
        };
        simulation.schedule(start, Scheduled::Tick);
        simulation
    }

    /// Returns the random generator, for the choices of a test.
    pub fn random(&mut self) -> &mut ChaCha8Rng {
        &mut self.random
    }

    /// Adds a client that opens a meeting.
    ///
    /// # Panics
    /// Panics if the system has no randomness.
    pub fn create(&mut self, name: &str) -> ClientId {
        self.create_with_clock(name, 0)
    }

    /// Adds a client whose clock is `ahead` seconds ahead, and that opens a meeting.
    ///
    /// # Panics
    /// Panics if the system has no randomness.
    pub fn create_with_clock(&mut self, name: &str, ahead: i64) -> ClientId {
        let keys = ManagerKeys::new().expect("the system has randomness");
        self.start(name, ahead, |identity, profile| Entry::Create { keys, identity, profile })
    }

    /// Adds a client that joins by the link of `host`'s meeting.
    pub fn join(&mut self, host: ClientId, name: &str) -> ClientId {
        let invitation = self.invitation(host);
        self.join_by(invitation, name)
    }

    /// Adds a client that joins by `invitation`.
    pub fn join_by(&mut self, invitation: Invitation, name: &str) -> ClientId {
        self.join_with_clock(invitation, name, 0)
    }

    /// Adds a client whose clock is `ahead` seconds ahead, and that joins by `invitation`.
    pub fn join_with_clock(&mut self, invitation: Invitation, name: &str, ahead: i64) -> ClientId {
        self.start(name, ahead, |identity, profile| Entry::Join { invitation, identity, profile })
    }

    /// Returns the link of the client's meeting.
    ///
    /// # Panics
    /// Panics if the client has no keys.
    pub fn invitation(&self, client_id: ClientId) -> Invitation {
        self.client(client_id).meeting.invitation("meet.example", 443, None).expect("its keys were made")
    }

    /// Returns the members of a new meeting, after they agree on the group.
    pub fn meeting(&mut self, names: &[&str]) -> Vec<ClientId> {
        let organiser = self.create(names[0]);
        self.run(Duration::from_secs(3));
        let mut members = vec![organiser];
        members.extend(names[1..].iter().map(|name| self.join(organiser, name)));
        self.run(Duration::from_secs(20));
        self.assert_agreement(&members);
        members
    }

    /// Returns a client.
    pub fn client(&self, client_id: ClientId) -> &Client {
        &self.clients[client_id.0]
    }

    /// Returns the clients whose meeting has not ended.
    pub fn active(&self) -> Vec<ClientId> {
        (0..self.clients.len()).map(ClientId).filter(|client_id| self.client(*client_id).ending.is_none()).collect()
    }

    /// Returns the simulated time since the start.
    pub fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    /// Passes a command of the user to a client.
    pub fn command(&mut self, client_id: ClientId, command: Command) {
        if let Command::Remove(participant) = command
            && self.client(client_id).is_organiser()
            && self.client(client_id).knows(participant)
            && self.client(client_id).meeting.me() != Some(participant)
        {
            self.removals.insert((client_id, participant));
            self.invariants.handle_removal(&self.clients[client_id.0], participant);
        }
        self.wish(client_id, command);
    }

    /// Passes a command of the user to a client. Unlike [`Self::command`], a removal need not succeed: somebody else may take
    /// the right from the client, or the person may be of a higher role by then.
    pub fn wish(&mut self, client_id: ClientId, command: Command) {
        if let Some(reference) = &mut self.reference {
            reference.note_command(&self.clients[client_id.0], &command);
        }
        let now = self.now;
        let client = &mut self.clients[client_id.0];
        client.note_command(&command);
        client.meeting.handle_command(command, now);
        self.drain(client_id);
    }

    /// Sends a message on a client's connection, as a member that breaks the rules would.
    pub fn inject(&mut self, client_id: ClientId, message: &Up) {
        self.send_up(client_id, proto::encode(message));
    }

    /// Lets a member send an update of its keys that some cannot read and the others merge.
    ///
    /// # Panics
    /// Panics if it is no member.
    #[expect(clippy::disallowed_methods, reason = "the member is hostile")]
    pub fn send_half_valid(&mut self, client_id: ClientId, victims: &[ClientId]) {
        let victims: Vec<_> = victims.iter().map(|victim| self.client(*victim).id()).collect();
        let meeting = &mut self.clients[client_id.0].meeting;
        let commit = net::meeting::hostile::half_valid(meeting, &victims, self.now).expect("it is a member");
        self.inject(client_id, &commit);
    }

    /// Lets a manager sign a command and sends it, whatever the manager has the right to. Returns false if it has not the keys.
    pub fn inject_command(&mut self, client_id: ClientId, command: &ManagerCommand) -> bool {
        let message = hostile_member::command(&mut self.clients[client_id.0].meeting, command);
        message.inspect(|message| self.inject(client_id, message)).is_some()
    }

    /// Sends bytes to a client, as a server that breaks the rules would.
    pub fn inject_down(&mut self, client_id: ClientId, bytes: Vec<u8>) {
        let at = self.links[client_id.0].arrival(Direction::Down, self.now, &mut self.random);
        self.schedule(at, Scheduled::Down(self.connection(client_id), bytes));
    }

    /// Loses the client's commits from now on. The client still answers pings.
    pub fn drop_commits(&mut self, client_id: ClientId) {
        self.clients[client_id.0].drops_commits = true;
    }

    /// Cuts the network of a client: messages on their way are lost, neither end gets a notice, and no connection can be
    /// established.
    pub fn cut(&mut self, client_id: ClientId) {
        self.links[client_id.0].set_cut(true);
    }

    /// Repairs the network of a client. New connections can be established. The one from before ends, because messages on
    /// it were lost.
    pub fn repair(&mut self, client_id: ClientId) {
        self.links[client_id.0].set_cut(false);
        self.reset(client_id);
    }

    /// Resets the connection: messages on their way are lost, and both ends see it closed later.
    pub fn reset(&mut self, client_id: ClientId) {
        let server_sees = self.links[client_id.0].arrival(Direction::Up, self.now, &mut self.random);
        let client_sees = self.links[client_id.0].arrival(Direction::Down, self.now, &mut self.random);
        let before = self.connection(client_id);
        self.connections[client_id.0].0 += 1;
        self.schedule(server_sees, Scheduled::ServerSeesClose(before));
        self.schedule(client_sees, Scheduled::ClientSeesClose(self.connection(client_id)));
    }

    /// Kills the server and starts another one, which continues the stored meetings. All connections end.
    pub fn restart_server(&mut self) {
        self.service.restart(self.now);
        for client_id in self.active() {
            self.connections[client_id.0] = (self.connections[client_id.0].0 + 1, false);
            let at = self.links[client_id.0].arrival(Direction::Down, self.now, &mut self.random);
            self.schedule(at, Scheduled::ClientSeesClose(self.connection(client_id)));
        }
    }

    /// Kills the client's process: the system closes its socket.
    pub fn kill(&mut self, client_id: ClientId) {
        self.clients[client_id.0].kill();
        let server_sees = self.links[client_id.0].arrival(Direction::Up, self.now, &mut self.random);
        self.schedule(server_sees, Scheduled::ServerSeesClose(self.connection(client_id)));
    }

    fn connection(&self, client_id: ClientId) -> Connection {
        Connection(client_id, self.connections[client_id.0].0)
    }

    /// Returns true if messages of this connection arrive.
    fn is_open(&self, connection: Connection) -> bool {
        self.connection(connection.0) == connection && !self.links[connection.0.0].is_cut()
    }

    /// Runs for `time`.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.step(end) {}
        self.now = end;
    }

    /// Runs until `done` returns true. Returns false if it does not within `limit`.
    pub fn run_until(&mut self, limit: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + limit;
        while !done(self) {
            if !self.step(end) {
                return false;
            }
        }
        true
    }

    /// Runs the next event that is due by `end`. Returns false if there is none.
    fn step(&mut self, end: Instant) -> bool {
        let timer =
            self.clients.iter().enumerate().filter_map(|(at, client)| Some((client.timeout()?, ClientId(at)))).min();
        let next = self.scheduled.first_key_value().map(|(key, _)| key.0);
        if let Some((at, client_id)) = timer
            && at <= end
            && next.is_none_or(|next| at <= next)
        {
            self.now = self.now.max(at);
            self.clients[client_id.0].meeting.handle_timeout(self.now);
            self.drain(client_id);
            return true;
        }
        if next.is_none_or(|next| next > end) {
            return false;
        }
        let Some(((at, _), event)) = self.scheduled.pop_first() else { return false };
        self.now = self.now.max(at);
        self.handle(event);
        true
    }

    fn handle(&mut self, event: Scheduled) {
        let now = self.now;
        match event {
            Scheduled::Up(connection, bytes) if self.is_open(connection) => {
                let actions = self.service.handle(connection.0, &bytes, now);
                self.perform(actions);
            }
            Scheduled::Down(connection, bytes) if self.is_open(connection) => self.deliver(connection.0, &bytes),
            Scheduled::ServerSeesClose(Connection(client_id, number)) => {
                // A later connection replaced it already.
                if self.connections[client_id.0].1 && self.connections[client_id.0].0 <= number + 1 {
                    self.disconnect(client_id);
                }
            }
            Scheduled::Turn(client_id) => self.take_turn(client_id),
            Scheduled::ClientSeesClose(connection) if self.is_hostile(connection.0) => self.close_hostile(connection),
            Scheduled::ClientSeesClose(connection) => {
                let killed = self.client(connection.0).ending == Some(Ending::Killed);
                if !killed && self.connection(connection.0) == connection {
                    self.clients[connection.0.0].meeting.handle_disconnected(now);
                    self.drain(connection.0);
                }
            }
            Scheduled::Connected(connection) if self.is_open(connection) => self.establish(connection.0),
            Scheduled::Up(..) | Scheduled::Down(..) | Scheduled::Connected(_) => {}
            Scheduled::Tick => {
                self.schedule(now + Duration::from_secs(1), Scheduled::Tick);
                let actions = self.service.tick(now);
                self.perform(actions);
            }
        }
    }

    fn deliver(&mut self, client_id: ClientId, bytes: &[u8]) {
        self.trace.down(self.elapsed(), &self.client(client_id).name, bytes);
        if self.is_hostile(client_id) {
            return self.deliver_to_hostile(client_id, bytes);
        }
        let client = &mut self.clients[client_id.0];
        if client.ending == Some(Ending::Killed) {
            return;
        }
        match proto::decode::<Down>(bytes) {
            Ok(message) => client.meeting.handle_message(message, self.now),
            Err(_) => client.meeting.handle_malformed(),
        }
        self.drain(client_id);
    }

    /// The server sees the end of the client's connection.
    fn disconnect(&mut self, client_id: ClientId) {
        self.connections[client_id.0].1 = false;
        let actions = self.service.disconnect(client_id);
        self.perform(actions);
    }

    /// The client closes its connection and opens another one.
    fn reconnect(&mut self, client_id: ClientId) {
        let before = self.connection(client_id);
        self.connections[client_id.0].0 += 1;
        let connection = self.connection(client_id);
        if self.links[client_id.0].is_cut() {
            return self.schedule(self.now + Duration::from_secs(1), Scheduled::ClientSeesClose(connection));
        }
        let at = self.links[client_id.0].arrival(Direction::Up, self.now, &mut self.random);
        self.schedule(at, Scheduled::ServerSeesClose(before));
        self.links[client_id.0] = Link::new(at, &mut self.random);
        let at = self.links[client_id.0].arrival(Direction::Up, at, &mut self.random);
        self.schedule(at, Scheduled::Connected(connection));
    }

    fn establish(&mut self, client_id: ClientId) {
        self.disconnect(client_id);
        self.connections[client_id.0].1 = true;
        self.served[client_id.0] = self.connections[client_id.0].0;
        self.service.connect(client_id, ParticipantId(self.random.random()), self.now);
        if self.is_hostile(client_id) {
            return self.greet_as_hostile(client_id);
        }
        self.clients[client_id.0].meeting.handle_connected(self.now);
        self.drain(client_id);
    }

    /// Performs the actions of the server.
    fn perform(&mut self, actions: Vec<Action>) {
        for action in actions {
            self.overhear(&action);
            if let (Some(reference), Action::Send(_, Down::Log { entry, .. })) = (&mut self.reference, &action) {
                reference.note_entry(entry);
            }
            let client_id = action.client();
            if self.links[client_id.0].is_cut() {
                continue;
            }
            let at = self.links[client_id.0].arrival(Direction::Down, self.now, &mut self.random);
            // The client may have another one already, which the server does not know yet.
            let connection = Connection(client_id, self.served[client_id.0]);
            let event = match action {
                Action::Send(_, message) => Scheduled::Down(connection, proto::encode(&message)),
                Action::Close(_) => Scheduled::ClientSeesClose(connection),
            };
            self.schedule(at, event);
        }
    }

    /// Handles a client's events and sends its messages.
    fn drain(&mut self, client_id: ClientId) {
        let (messages, closing) = self.clients[client_id.0].drain(self.now);
        media::assert_departed_cannot_open(&mut self.clients, client_id);
        self.check_invariants(client_id);
        if let Some(reference) = &mut self.reference {
            reference.check(&self.clients[client_id.0]);
        }
        for message in messages {
            self.send_up(client_id, proto::encode(&message));
        }
        match closing {
            Closing::No => {}
            Closing::Reconnect => self.reconnect(client_id),
            Closing::Over => {
                let at = self.links[client_id.0].arrival(Direction::Up, self.now, &mut self.random);
                if !self.links[client_id.0].is_cut() {
                    self.schedule(at, Scheduled::ServerSeesClose(self.connection(client_id)));
                }
            }
        }
    }

    fn send_up(&mut self, client_id: ClientId, bytes: Vec<u8>) {
        self.trace.up(self.elapsed(), &self.client(client_id).name, &bytes);
        let at = self.links[client_id.0].arrival(Direction::Up, self.now, &mut self.random);
        self.schedule(at, Scheduled::Up(self.connection(client_id), bytes));
    }

    fn schedule(&mut self, at: Instant, event: Scheduled) {
        self.count += 1;
        self.scheduled.insert((at, self.count), event);
    }

    fn start(&mut self, name: &str, clock_ahead: i64, entry: impl FnOnce(Identity, Profile) -> Entry) -> ClientId {
        let client_id = ClientId(self.clients.len());
        let wall = self.wall.ahead(clock_ahead);
        let started = Started { name: name.to_owned(), now: self.now, seed: self.random.random(), wall };
        self.clients.push(Client::new(started, entry));
        self.links.push(Link::new(self.now, &mut self.random));
        self.connections.push((0, true));
        self.served.push(0);
        self.service.connect(client_id, ParticipantId(self.random.random()), self.now);
        self.drain(client_id);
        client_id
    }
}
