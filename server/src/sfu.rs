//! The selective forwarding unit: takes every participant's media once, and hands each receiver what it can use.
//!
//! A sans-IO core: datagrams, orders and the time in; datagrams and messages out. [`driver`] moves the bytes. It reads
//! the Dependency Descriptor of a packet and never its payload, which only participants can open.

mod address;
mod allocator;
mod demand;
mod descriptor;
mod downlink;
pub mod driver;
mod extension;
mod peer;
mod room;
mod sequence_rewriter;
mod switch;
mod track;

pub use descriptor::Descriptor;
pub use driver::Message;
pub use extension::{Raw, dependency_descriptor};
pub use peer::PeerContext;

use peer::{Broken, Peer, PeerEvent};
use proto::{ClientSignal, MeetingId, ParticipantId, Published, ServerSignal, Subscription, ToSfu, Totals, TrackId};
use room::{Effects, Peers, Room};
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use str0m::Input;
use str0m::ice::StunMessage;
use str0m::media::Mid;
use str0m::net::{Protocol, Receive, Transmit};

/// What the delivery service asks of the SFU.
#[derive(Debug, PartialEq, Eq)]
pub enum Order {
    /// Somebody is in a meeting.
    Join {
        /// Which.
        meeting: MeetingId,
        /// Who.
        participant: ParticipantId,
    },
    /// Somebody is in no meeting any more.
    Leave {
        /// Who.
        participant: ParticipantId,
    },
    /// A message of somebody in a meeting.
    Request {
        /// Who.
        participant: ParticipantId,
        /// The message; signalling is still bytes.
        request: ToSfu,
    },
}

/// What the SFU sends to a participant.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// Signalling.
    Signal(ServerSignal),
    /// The totals of its meeting.
    Totals(Totals),
    /// It sent malformed signalling: its connection must end.
    Malformed,
}

/// [`ClientSignal::Offer`], and whose it is.
struct Offer {
    participant: ParticipantId,
    number: u32,
    sdp: String,
    published: Vec<Published>,
    subscriptions: Vec<Subscription>,
}

/// The core. See the module.
#[derive(Debug)]
pub struct Sfu {
    ground: PeerContext,
    peers: Peers,
    rooms: HashMap<MeetingId, Room>,
    ended: VecDeque<(MeetingId, Totals)>,
    addresses: HashMap<SocketAddr, ParticipantId>,
    users: HashMap<String, ParticipantId>,
    effects: Effects,
    transmits: VecDeque<Transmit>,
    said: VecDeque<(ParticipantId, Reply)>,
    tick: Instant,
}

impl Sfu {
    /// A core without participants.
    pub fn new(ground: PeerContext, now: Instant) -> Self {
        Self {
            ground,
            peers: Peers::new(),
            rooms: HashMap::new(),
            ended: VecDeque::new(),
            addresses: HashMap::new(),
            users: HashMap::new(),
            effects: Effects::default(),
            transmits: VecDeque::new(),
            said: VecDeque::new(),
            tick: now,
        }
    }

    /// Does as the delivery service asks.
    pub fn handle_order(&mut self, order: Order, now: Instant) {
        match order {
            Order::Join { meeting, participant } => {
                self.peers.insert(participant, Peer::new(&self.ground, meeting, now));
                self.rooms.entry(meeting).or_default().join(participant, &mut self.effects);
            }
            Order::Leave { participant } => self.leave(participant),
            Order::Request { participant, request } => self.handle_request(participant, request, now),
        }
        self.settle(now);
    }

    fn handle_request(&mut self, participant: ParticipantId, request: ToSfu, now: Instant) {
        let Some(peer) = self.peers.get_mut(&participant) else { return };
        match request {
            ToSfu::Signal(bytes) => match proto::decode_signal(&bytes.0) {
                Ok(ClientSignal::Offer { number, sdp, published, subscriptions }) => {
                    self.offer(Offer { participant, number, sdp, published, subscriptions }, now);
                }
                Ok(ClientSignal::Wishes { tiles }) => {
                    peer.wishes = Some(tiles.into_iter().map(|tile| (tile.track, tile)).collect());
                    self.allocate(participant, now);
                }
                Err(proto::Malformed) => self.said.push_back((participant, Reply::Malformed)),
            },
            ToSfu::Count => {
                let meeting = peer.meeting;
                self.said.extend(self.totals(meeting).map(|totals| (participant, Reply::Totals(totals))));
            }
        }
    }

    /// Takes a datagram that came from `source` to `destination`, one of the server's addresses. Whatever is not for
    /// one of its participants is dropped.
    pub fn handle_datagram(&mut self, source: SocketAddr, destination: SocketAddr, bytes: &[u8], now: Instant) {
        if bytes.len() > MAX_DATAGRAM {
            return;
        }
        let Some(participant) = self.addressee(source, bytes) else { return };
        let Ok(datagram) = Receive::new(Protocol::Udp, source, destination, bytes) else { return };
        let input = Input::Receive(now, datagram);
        let Some(peer) = self.peers.get_mut(&participant).filter(|peer| peer.accepts(&input)) else { return };
        let taken = peer.handle_input(input);
        if let Some(forgotten) = peer.note_address(source) {
            self.addresses.remove(&forgotten);
        }
        self.addresses.insert(source, participant);
        self.drain(participant, taken, now);
        self.settle(now);
    }

    /// Brings everything up to `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        let due = self.peers.iter().filter(|(_, peer)| peer.wake <= now).map(|(participant, _)| *participant);
        self.effects.dirty.extend(due);
        if self.tick <= now {
            self.tick = now + TICK;
            for room in self.rooms.values_mut() {
                for participant in room.members.clone() {
                    if let Some(peer) = self.peers.get_mut(&participant) {
                        room.allocate(participant, peer, now);
                    }
                }
                room.notify_senders(now, &mut self.peers, &mut self.effects);
            }
        }
        self.settle(now);
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// The next message for a participant.
    pub fn poll_said(&mut self) -> Option<(ParticipantId, Reply)> {
        self.said.pop_front()
    }

    /// When [`Sfu::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Instant {
        let tick = if self.rooms.is_empty() { None } else { Some(self.tick) };
        let idle = self.tick + IDLE;
        self.peers.values().map(|peer| peer.wake).chain(tick).min().unwrap_or(idle)
    }

    /// What it moved for a meeting; of those that have ended, it remembers the last ones.
    pub fn totals(&self, meeting: MeetingId) -> Option<Totals> {
        let ended = || self.ended.iter().rev().find(|(id, _)| *id == meeting).map(|(_, totals)| *totals);
        self.rooms.get(&meeting).map(|room| room.totals).or_else(ended)
    }

    fn leave(&mut self, participant: ParticipantId) {
        let Some(peer) = self.peers.remove(&participant) else { return };
        self.forget_routes(participant);
        let Some(room) = self.rooms.get_mut(&peer.meeting) else { return };
        room.leave(participant, &mut self.effects);
        if room.members.is_empty() {
            self.ended.push_back((peer.meeting, room.totals));
            self.rooms.remove(&peer.meeting);
            if self.ended.len() > MAX_ENDED {
                self.ended.pop_front();
            }
        }
    }

    fn offer(&mut self, offer: Offer, now: Instant) {
        let Offer { participant, number, sdp, published, subscriptions } = offer;
        let Some(peer) = self.peers.get_mut(&participant) else { return };
        let answer = match peer.accept(&sdp) {
            Ok(answer) => answer,
            Err(error) => {
                tracing::debug!(%participant, %error, "offer refused");
                self.said.push_back((participant, Reply::Signal(ServerSignal::OfferRefused { number })));
                return;
            }
        };
        tracing::debug!(%participant, tracks = published.len(), subscriptions = subscriptions.len(), "offer answered");
        self.users.retain(|_, known| *known != participant);
        self.users.insert(peer.user(), participant);
        self.said.push_back((participant, Reply::Signal(ServerSignal::Answer { number, sdp: answer })));
        let track = |published: &Published| {
            (Mid::from(published.mid.as_str()), TrackId { owner: participant, slot: published.slot })
        };
        peer.sources = published.iter().map(track).collect();
        if let Some(room) = self.rooms.get_mut(&peer.meeting) {
            room.subscribe(participant, &subscriptions, peer);
            room.publish(participant, published, &mut self.effects);
        }
        self.effects.dirty.insert(participant);
        self.allocate(participant, now);
    }

    /// Divides a downlink anew, and lets the senders know at once.
    fn allocate(&mut self, participant: ParticipantId, now: Instant) {
        let Some(peer) = self.peers.get_mut(&participant) else { return };
        let Some(room) = self.rooms.get_mut(&peer.meeting) else { return };
        room.allocate(participant, peer, now);
        room.notify_senders(now, &mut self.peers, &mut self.effects);
    }

    /// Whose a datagram may be: by the user name in a STUN request, else by where it comes from.
    fn addressee(&self, source: SocketAddr, bytes: &[u8]) -> Option<ParticipantId> {
        if bytes.first().is_some_and(|first| *first < 2)
            && let Ok(message) = StunMessage::parse(bytes)
            && let Some((user, _)) = message.split_username()
        {
            return self.users.get(user).copied();
        }
        self.addresses.get(&source).copied()
    }

    /// Lets everybody who has something to send send it, until nobody has.
    fn settle(&mut self, now: Instant) {
        let mut rounds = 0;
        while let Some(participant) = self.effects.dirty.pop_first() {
            let Some(peer) = self.peers.get_mut(&participant) else { continue };
            let taken = peer.handle_timeout(now);
            self.drain(participant, taken, now);
            rounds += 1;
            if rounds > MAX_ROUNDS * (self.peers.len() + 1) {
                // A timer that is always due: the rest comes with the next call.
                break;
            }
        }
        self.said.extend(self.effects.said.drain(..).map(|(to, signal)| (to, Reply::Signal(signal))));
    }

    /// Takes all that a peer has to say.
    fn drain(&mut self, participant: ParticipantId, taken: Result<(), Broken>, now: Instant) {
        if let Err(error) = taken {
            return self.replace(participant, &error, now);
        }
        loop {
            let Some(peer) = self.peers.get_mut(&participant) else { return };
            match peer.poll(now) {
                Ok(Some(said)) => self.handle_said(participant, said, now),
                Ok(None) => {
                    if peer.wake <= now {
                        self.effects.dirty.insert(participant);
                    }
                    return;
                }
                Err(error) => return self.replace(participant, &error, now),
            }
        }
    }

    fn handle_said(&mut self, participant: ParticipantId, said: PeerEvent, now: Instant) {
        match said {
            PeerEvent::Transmit(transmit) => self.transmits.push_back(transmit),
            PeerEvent::Packet(mid, rid, packet) => {
                let Some(peer) = self.peers.get(&participant) else { return };
                let (meeting, track) = (peer.meeting, peer.sources.get(&mid).copied());
                if let (Some(track), Some(room)) = (track, self.rooms.get_mut(&meeting)) {
                    room.forward(track, rid, &packet, now, &mut self.peers, &mut self.effects);
                }
            }
            PeerEvent::KeyFrameNeeded(mid) => {
                let meeting = self.peers.get(&participant).map(|peer| peer.meeting);
                if let Some(room) = meeting.and_then(|meeting| self.rooms.get_mut(&meeting)) {
                    room.key_frame_needed(participant, mid, now, &mut self.peers, &mut self.effects);
                }
            }
            PeerEvent::Connected => {
                tracing::debug!(%participant, "media connected");
                self.allocate(participant, now);
            }
        }
    }

    /// A broken transport is given up; the participant stays, and may offer anew.
    fn replace(&mut self, participant: ParticipantId, error: &Broken, now: Instant) {
        let Some(old) = self.peers.remove(&participant) else { return };
        tracing::debug!(%participant, %error, "media ended");
        self.forget_routes(participant);
        let mut new = Peer::new(&self.ground, old.meeting, now);
        new.wishes = old.wishes;
        if let Some(room) = self.rooms.get_mut(&new.meeting) {
            room.publish(participant, Vec::new(), &mut self.effects);
            room.subscribe(participant, &[], &mut new);
        }
        self.peers.insert(participant, new);
    }

    fn forget_routes(&mut self, participant: ParticipantId) {
        self.addresses.retain(|_, known| *known != participant);
        self.users.retain(|_, known| *known != participant);
    }
}

/// How often downlinks are divided anew and senders are told what is wanted.
const TICK: Duration = Duration::from_millis(100);

/// How long to sleep where there is nothing to do.
const IDLE: Duration = Duration::from_hours(1);

/// Bytes of a datagram that any participant of ours sends.
const MAX_DATAGRAM: usize = 1_500;

/// Meetings that have ended and whose totals may still be asked for.
const MAX_ENDED: usize = 64;

/// Times that each peer may ask to go on within one call.
const MAX_ROUNDS: usize = 16;

#[cfg(test)]
mod tests;
