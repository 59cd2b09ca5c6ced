//! Meetings on virtual time: N real `Meeting`s, a toy delivery service and a network that delays, re-orders and breaks.
//!
//! Everything follows from the seed. A connection is a WebSocket: reliable and in order as long as it lives, so what a
//! bad network does to it is delay, stalls, and death; messages of different clients overtake each other freely.

mod client;
mod link;
mod media;
mod rest;
mod service;

pub use client::{Client, Ending};

use client::Started;
use crypto::{Identity, Invitation, Profile};
use link::{Direction, Link};
use net::meeting::{Command, Entry};
use proto::{Down, MeetingId, ParticipantId, Up};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use service::{Order, Service};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// One client of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Who(pub usize);

/// Clients, a server, the network between them, and the time.
pub struct World {
    random: ChaCha8Rng,
    start: Instant,
    now: Instant,
    service: Service,
    clients: Vec<Client>,
    links: Vec<Link>,
    /// What is on its way, by when it arrives; the number keeps the order of what arrives at once.
    flying: BTreeMap<(Instant, u64), Happening>,
    count: u64,
    /// Whom an organiser ordered out. It stands as long as the organiser does.
    ordered_out: BTreeSet<(Who, ParticipantId)>,
}

enum Happening {
    Up(Who, Vec<u8>),
    Down(Who, Vec<u8>),
    /// The server sees the connection close.
    ClosedAbove(Who),
    /// The client sees the connection close.
    ClosedBelow(Who),
    /// The server looks who is dead.
    Tick,
}

impl World {
    /// An empty world.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let start = Instant::now();
        let mut world = Self {
            random: ChaCha8Rng::seed_from_u64(seed),
            start,
            now: start,
            service: Service::default(),
            clients: Vec::new(),
            links: Vec::new(),
            flying: BTreeMap::new(),
            count: 0,
            ordered_out: BTreeSet::new(),
        };
        world.fly(start, Happening::Tick);
        world
    }

    /// The world's dice, for the choices of a test.
    pub fn random(&mut self) -> &mut ChaCha8Rng {
        &mut self.random
    }

    /// Somebody opens a meeting.
    pub fn create(&mut self, name: &str) -> Who {
        let meeting = MeetingId(self.random.random());
        self.start(name, |identity, profile| Entry::Create { meeting, identity, profile })
    }

    /// Somebody follows the link of `host`'s meeting.
    pub fn join(&mut self, host: Who, name: &str) -> Who {
        let invitation = self.invitation(host);
        self.join_by(invitation, name)
    }

    /// Somebody follows a link.
    pub fn join_by(&mut self, invitation: Invitation, name: &str) -> Who {
        self.start(name, |identity, profile| Entry::Join { invitation, identity, profile })
    }

    /// The link that `who` hands out.
    ///
    /// # Panics
    /// Where it could make no keys.
    pub fn invitation(&self, who: Who) -> Invitation {
        self.client(who).meeting.invitation("meet.example", 443, None).expect("its keys were made")
    }

    /// A meeting with these members, at rest.
    pub fn meeting(&mut self, names: &[&str]) -> Vec<Who> {
        let organiser = self.create(names[0]);
        self.run(Duration::from_secs(3));
        let mut members = vec![organiser];
        members.extend(names[1..].iter().map(|name| self.join(organiser, name)));
        self.run(Duration::from_secs(20));
        self.assert_rest(&members);
        members
    }

    /// The client's side of things.
    pub fn client(&self, who: Who) -> &Client {
        &self.clients[who.0]
    }

    /// Everybody whose meeting is not over.
    pub fn living(&self) -> Vec<Who> {
        (0..self.clients.len()).map(Who).filter(|who| self.client(*who).ending.is_none()).collect()
    }

    /// Since the world began.
    pub fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    /// Somebody wants something.
    pub fn press(&mut self, who: Who, command: Command) {
        if let Command::Remove(participant) = command
            && self.client(who).is_organiser()
            && self.client(who).knows(participant)
            && self.client(who).meeting.me() != Some(participant)
        {
            self.ordered_out.insert((who, participant));
        }
        let now = self.now;
        let client = &mut self.clients[who.0];
        client.note(command);
        client.meeting.handle_command(command, now);
        self.pump(who);
    }

    /// Puts bytes of the test's own into a client's connection: what a member that follows no rule would say.
    pub fn inject(&mut self, who: Who, message: &Up) {
        self.send_up(who, proto::encode(message));
    }

    /// Puts bytes of the test's own into what a client hears: what a server that follows no rule would say.
    pub fn inject_down(&mut self, who: Who, bytes: Vec<u8>) {
        let at = self.links[who.0].arrival(Direction::Down, self.now, &mut self.random);
        self.fly(at, Happening::Down(who, bytes));
    }

    /// The client's commits are lost on the way from now on, though it answers pings: a member that does not do its part.
    pub fn swallow_commits(&mut self, who: Who) {
        self.clients[who.0].lazy = true;
    }

    /// The connection dies without a word: what is on its way is lost, and both ends find out by the silence.
    pub fn cut(&mut self, who: Who) {
        self.links[who.0].cut();
    }

    /// The connection is reset: what is on its way is lost, and both ends learn it, each in its time.
    pub fn reset(&mut self, who: Who) {
        let above = self.links[who.0].arrival(Direction::Up, self.now, &mut self.random);
        let below = self.links[who.0].arrival(Direction::Down, self.now, &mut self.random);
        self.cut(who);
        self.fly(above, Happening::ClosedAbove(who));
        self.fly(below, Happening::ClosedBelow(who));
    }

    /// The process is killed: the kernel closes its socket.
    pub fn kill(&mut self, who: Who) {
        self.clients[who.0].kill();
        let above = self.links[who.0].arrival(Direction::Up, self.now, &mut self.random);
        self.fly(above, Happening::ClosedAbove(who));
    }

    /// Lets time pass.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.step(end) {}
        self.now = end;
    }

    /// Lets time pass until `what` is so, or `most` is over. True where it came to be so.
    pub fn run_until(&mut self, most: Duration, what: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + most;
        while !what(self) {
            if !self.step(end) {
                return false;
            }
        }
        true
    }

    /// Does the next thing that is due until `end`; false where there is none.
    fn step(&mut self, end: Instant) -> bool {
        let timer = self.clients.iter().enumerate().filter_map(|(at, client)| Some((client.wake()?, Who(at)))).min();
        let flight = self.flying.first_key_value().map(|(key, _)| key.0);
        if let Some((at, who)) = timer
            && at <= end
            && flight.is_none_or(|flight| at <= flight)
        {
            self.now = self.now.max(at);
            self.clients[who.0].meeting.handle_timeout(self.now);
            self.pump(who);
            return true;
        }
        if flight.is_none_or(|flight| flight > end) {
            return false;
        }
        let Some(((at, _), happening)) = self.flying.pop_first() else { return false };
        self.now = self.now.max(at);
        self.happen(happening);
        true
    }

    fn happen(&mut self, happening: Happening) {
        let now = self.now;
        match happening {
            Happening::Up(who, bytes) if !self.links[who.0].is_cut() => {
                let orders = self.service.handle(who, &bytes, now);
                self.obey(orders);
            }
            Happening::Down(who, bytes) if !self.links[who.0].is_cut() => {
                let client = &mut self.clients[who.0];
                if client.ending == Some(Ending::Killed) {
                    return;
                }
                match proto::decode::<Down>(&bytes) {
                    Ok(message) => client.meeting.handle_message(message, now),
                    Err(_) => client.meeting.handle_malformed(),
                }
                self.pump(who);
            }
            Happening::Up(..) | Happening::Down(..) => {}
            Happening::ClosedAbove(who) => {
                let orders = self.service.disconnect(who);
                self.obey(orders);
            }
            Happening::ClosedBelow(who) if self.client(who).ending == Some(Ending::Killed) => {}
            Happening::ClosedBelow(who) => {
                self.clients[who.0].meeting.handle_disconnected();
                self.pump(who);
            }
            Happening::Tick => {
                self.fly(now + Duration::from_secs(1), Happening::Tick);
                let orders = self.service.tick(now);
                self.obey(orders);
            }
        }
    }

    /// Sends what the server says.
    fn obey(&mut self, orders: Vec<Order>) {
        for order in orders {
            let who = order.who();
            if self.links[who.0].is_cut() {
                continue;
            }
            let at = self.links[who.0].arrival(Direction::Down, self.now, &mut self.random);
            let happening = match order {
                Order::Say(_, message) => Happening::Down(who, proto::encode(&message)),
                Order::Close(_) => Happening::ClosedBelow(who),
            };
            self.fly(at, happening);
        }
    }

    /// Takes out what a client has to say and to tell.
    fn pump(&mut self, who: Who) {
        let (said, closing) = self.clients[who.0].drain(self.now);
        media::assert_parted(&mut self.clients, who);
        for message in said {
            self.send_up(who, proto::encode(&message));
        }
        if closing && !self.links[who.0].is_cut() {
            let at = self.links[who.0].arrival(Direction::Up, self.now, &mut self.random);
            self.fly(at, Happening::ClosedAbove(who));
        }
    }

    fn send_up(&mut self, who: Who, bytes: Vec<u8>) {
        let at = self.links[who.0].arrival(Direction::Up, self.now, &mut self.random);
        self.fly(at, Happening::Up(who, bytes));
    }

    fn fly(&mut self, at: Instant, happening: Happening) {
        self.count += 1;
        self.flying.insert((at, self.count), happening);
    }

    fn start(&mut self, name: &str, entry: impl FnOnce(Identity, Profile) -> Entry) -> Who {
        let who = Who(self.clients.len());
        let started = Started { name: name.to_owned(), now: self.now, seed: self.random.random() };
        self.clients.push(Client::new(started, entry));
        self.links.push(Link::new(self.now, &mut self.random));
        self.service.connect(who, ParticipantId(self.random.random()), self.now);
        self.pump(who);
        who
    }
}
