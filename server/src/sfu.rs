//! The selective forwarding unit: receives each participant's media once, and sends each receiver the layers that it
//! can use.
//!
//! A sans-IO machine: datagrams, commands and the time in; datagrams and messages out. It reads the Dependency
//! Descriptor of a packet and never the payload, which only participants can open.

mod allocator;
mod bitrate_meter;
mod demand;
mod dirty_peers;
mod downlink;
mod downlink_report;
pub mod extension;
mod first_probes;
mod handshake;
mod layer_meter;
mod link_delay;
mod metrics;
mod offer;
mod offer_queue;
mod pacer;
mod peer;
mod picture_queue;
mod probe_goal;
mod recent_peak;
mod repairs;
mod reply;
mod room;
mod routes;
mod send_queue;
mod sent_meter;
mod sequence_rewriter;
mod sound_limit;
mod sound_loss;
mod switch;
mod timers;
mod track;
mod transport;
mod transport_error;

pub use metrics::{DropReason, Histogram, Metrics, Traffic};
pub use peer::ClientAddress;
pub use reply::Reply;
pub(crate) use routes::ADDRESS_TIMEOUT;
pub use transport::Context;

use downlink::Change;
use offer_queue::{Offer, OfferQueue, work};
use peer::{Peer, Peers};
use proto::{ClientSignal, MeetingId, ParticipantId, Published, ServerSignal, ToSfu, Totals, TrackId};
use room::{MAX_DESCRIPTIONS, Output, Room};
use routes::Routes;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use str0m::Input;
use str0m::media::Mid;
use str0m::net::{Protocol, Receive, Transmit};
use timers::Timers;
use transport::{Transport, TransportEvent};
use transport_error::TransportError;

/// What the delivery service tells the SFU to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Adds a participant to a meeting. One that is in it already begins again, with a new transport.
    Join {
        /// The meeting.
        meeting: MeetingId,
        /// The participant.
        participant: ParticipantId,
    },
    /// Removes a participant from its meeting.
    Leave {
        /// The participant.
        participant: ParticipantId,
    },
    /// Handles a message of a member.
    Message {
        /// The member.
        participant: ParticipantId,
        /// The message. Signalling in it is not decoded yet.
        message: ToSfu,
    },
}

/// The SFU of all meetings of a server.
#[derive(Debug)]
pub struct Sfu {
    context: Context,
    peers: Peers,
    /// When each transport is due.
    timers: Timers,
    rooms: HashMap<MeetingId, Room>,
    /// Totals of the meetings that ended last, oldest first.
    ended: VecDeque<(MeetingId, Totals)>,
    routes: Routes,
    offers: OfferQueue,
    output: Output,
    transmits: VecDeque<Transmit>,
    next_tick: Instant,
}

impl Sfu {
    /// Returns an SFU without participants.
    pub fn new(context: Context, now: Instant) -> Self {
        Self {
            offers: OfferQueue::new(context.offer_work, now),
            context,
            peers: Peers::default(),
            timers: Timers::default(),
            rooms: HashMap::new(),
            ended: VecDeque::new(),
            routes: Routes::default(),
            output: Output::default(),
            transmits: VecDeque::new(),
            next_tick: now,
        }
    }

    /// Executes a command of the delivery service.
    pub fn handle_command(&mut self, command: Command, now: Instant) {
        match command {
            Command::Join { meeting, participant } => self.join(meeting, participant, ClientAddress::default(), now),
            Command::Leave { participant } => self.leave(participant, now),
            Command::Message { participant, message } => self.handle_message(participant, message, now),
        }
        self.advance(now);
    }

    /// Adds a participant, as [`Command::Join`] does. It is offered media at the address of this machine by which its
    /// signalling came, and at the public addresses; at all addresses if there is no socket at that one.
    pub fn join(&mut self, meeting: MeetingId, participant: ParticipantId, address: ClientAddress, now: Instant) {
        let offers = self.peers.get(&participant).map(|peer| peer.offers.clone());
        self.leave(participant, now);
        let mut peer = Peer::new(&self.context, meeting, address, now);
        if let Some(offers) = offers {
            // A participant that resumes may not send more offers than others.
            peer.offers = offers;
        }
        if self.rooms.is_empty() {
            // There were no ticks without a meeting. None of them is late.
            self.next_tick = self.next_tick.max(now);
        }
        self.timers.set(participant, peer.transport.timeout);
        self.peers.insert(participant, peer);
        self.rooms.entry(meeting).or_insert_with(|| Room::new(now)).join(participant, now, &mut self.output);
    }

    /// Adds an address of the server. Datagrams to it may be handled from now on.
    pub fn add_socket(&mut self, address: SocketAddr) {
        self.context.add_socket(address);
    }

    /// Returns the participant that a connectivity check from `source` names. Returns `None` if another participant has used the
    /// address in the last 30 s: the source of a datagram may be forged.
    pub fn sender_of_check(&self, source: SocketAddr, bytes: &[u8], now: Instant) -> Option<ParticipantId> {
        self.routes.find(source, bytes).filter(|found| !self.routes.is_used_by_another(*found, source, now))
    }

    /// Returns the address at which a participant is offered media, and the server's and the participant's address of the last
    /// datagram to it, if there was one. Returns `None` if the participant is in no meeting.
    pub fn addresses_of(&self, participant: ParticipantId) -> Option<(SocketAddr, Option<(SocketAddr, SocketAddr)>)> {
        let peer = self.peers.get(&participant)?;
        let offered = self.context.candidates(peer.address.arrived_at);
        Some((*offered.first()?, peer.path))
    }

    /// Handles a datagram from `source` to `destination`, which is one of the server's addresses. A datagram that is
    /// not for a participant is dropped. Packets for other participants are sent by [`Sfu::advance`], which is called after
    /// the last datagram that has arrived, because each transport that must be advanced costs several microseconds.
    pub fn handle_datagram(&mut self, source: SocketAddr, destination: SocketAddr, bytes: &[u8], now: Instant) {
        let metrics = &mut self.output.metrics;
        metrics.received.add(bytes.len());
        if bytes.len() > MAX_DATAGRAM {
            return metrics.add_dropped(DropReason::TooLarge, 1);
        }
        let found = self.routes.find(source, bytes);
        let Some((participant, peer)) = found.and_then(|found| Some((found, self.peers.get_mut(&found)?))) else {
            return metrics.add_dropped(DropReason::UnknownSender, 1);
        };
        let Ok(datagram) = Receive::new(Protocol::Udp, source, destination, bytes) else {
            return metrics.add_dropped(DropReason::Refused, 1);
        };
        let input = Input::Receive(now, datagram);
        if !peer.transport.accepts(source, bytes, &input) || !self.routes.add_address(participant, source, now) {
            return metrics.add_dropped(DropReason::Refused, 1);
        }
        peer.handshake.handle_received(bytes);
        let result = peer.transport.handle_input(input);
        self.handle_result(participant, result, now);
    }

    /// Runs what is due at `now`: the transports' timers, and every 100 ms the allocation of all downlinks.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.output.metrics.delays.add(now.saturating_duration_since(self.poll_timeout()).as_secs_f64());
        while let Some(participant) = self.timers.pop(now) {
            self.output.dirty.insert(participant);
        }
        if self.next_tick <= now {
            self.next_tick = now + TICK;
            measure_receivers(&mut self.peers, &mut self.output.metrics);
            for room in self.rooms.values_mut() {
                for participant in room.members.clone() {
                    if let Some(peer) = self.peers.get_mut(&participant) {
                        room.allocate(participant, peer, now);
                    }
                }
                room.notify_senders(now, &mut self.peers, &mut self.output);
                room.report_sound_loss(now, &self.peers, &mut self.output);
                room.report_downlinks(now, &mut self.peers, &mut self.output);
            }
            self.transmits.extend(self.peers.values_mut().flat_map(|peer| peer.handshake.repeat(now)));
            self.answer_offers(now);
            self.offers.forget_idle(now);
        }
        self.advance(now);
    }

    /// Returns the next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        let transmit = self.transmits.pop_front()?;
        self.output.metrics.sent.add(transmit.contents.len());
        Some(transmit)
    }

    /// Counts datagrams of [`Sfu::poll_transmit`] that could not be sent.
    pub fn count_unsent(&mut self, packets: u64) {
        self.output.metrics.add_dropped(DropReason::Unsent, packets);
    }

    /// Returns its counters.
    pub fn metrics(&self) -> &Metrics {
        &self.output.metrics
    }

    /// Returns the next reply to a participant.
    pub fn poll_reply(&mut self) -> Option<(ParticipantId, Reply)> {
        self.output.replies.pop_front()
    }

    /// Returns when [`Sfu::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Instant {
        let tick = if self.rooms.is_empty() { None } else { Some(self.next_tick) };
        let idle = self.next_tick + IDLE_TIMEOUT;
        self.timers.next().into_iter().chain(tick).min().unwrap_or(idle)
    }

    /// Returns what was forwarded for a meeting. Covers running meetings and the 64 that ended last.
    pub fn totals(&self, meeting: MeetingId) -> Option<Totals> {
        let ended = || self.ended.iter().rev().find(|(id, _)| *id == meeting).map(|(_, totals)| *totals);
        self.rooms.get(&meeting).map(|room| room.totals).or_else(ended)
    }

    /// Returns how many meetings run, and how many participants they have.
    pub fn size(&self) -> (usize, usize) {
        (self.rooms.len(), self.peers.len())
    }

    fn leave(&mut self, participant: ParticipantId, now: Instant) {
        let Some(peer) = self.peers.remove(&participant) else { return };
        self.timers.remove(participant);
        self.routes.remove(participant);
        self.offers.remove(participant);
        let Some(room) = self.rooms.get_mut(&peer.meeting) else { return };
        room.leave(participant, now, &mut self.output);
        if room.members.is_empty() {
            self.ended.push_back((peer.meeting, room.totals));
            self.rooms.remove(&peer.meeting);
            if self.ended.len() > MAX_ENDED {
                self.ended.pop_front();
            }
        }
    }

    fn handle_message(&mut self, participant: ParticipantId, message: ToSfu, now: Instant) {
        let Some(peer) = self.peers.get_mut(&participant) else { return };
        match message {
            ToSfu::Signal(bytes) => match proto::decode_signal(&bytes.0) {
                Ok(ClientSignal::Offer { number, sdp, published, subscriptions }) => {
                    self.handle_offer(Offer { participant, number, sdp, published, subscriptions }, now);
                }
                Ok(ClientSignal::Wishes { tiles }) => {
                    peer.wishes = Some(tiles.into_iter().map(|tile| (tile.track, tile)).collect());
                    self.allocate(participant, now);
                }
                Err(proto::Malformed) => self.output.replies.push_back((participant, Reply::Malformed)),
            },
            ToSfu::Count => {
                let totals = self.rooms.get(&peer.meeting).map(|room| (participant, Reply::Totals(room.totals)));
                self.output.replies.extend(totals);
            }
        }
    }

    fn handle_offer(&mut self, offer: Offer, now: Instant) {
        let participant = offer.participant;
        let Some(peer) = self.peers.get_mut(&participant) else { return };
        if !peer.offers.take(1, now) {
            tracing::debug!(%participant, "too many offers");
            return self.output.replies.push_back((participant, Reply::TooFast));
        }
        let work = offer_work(&peer.transport, &offer);
        self.offers.push(peer.address.origin, offer, work, now);
        self.answer_offers(now);
    }

    /// Answers the offers whose turn it is.
    fn answer_offers(&mut self, now: Instant) {
        while let Some(offer) = self.offers.pop(now) {
            self.answer_offer(offer, now);
        }
    }

    fn answer_offer(&mut self, offer: Offer, now: Instant) {
        let Offer { participant, number, sdp, mut published, subscriptions } = offer;
        published.retain(Published::is_complete);
        let Some(peer) = self.peers.get_mut(&participant) else { return };
        let max_descriptions = self.rooms.get(&peer.meeting).map_or(0, |room| room.max_descriptions(now));
        let answer = match peer.transport.accept_offer(&sdp, max_descriptions) {
            Ok(answer) => answer,
            Err(error) => {
                tracing::debug!(%participant, %error, "offer refused");
                self.output.signal(participant, ServerSignal::OfferRefused { number });
                if error == TransportError::Panicked {
                    self.reset_transport(participant, &error, now);
                }
                return;
            }
        };
        tracing::debug!(%participant, tracks = published.len(), subscriptions = subscriptions.len(), "offer answered");
        self.routes.set_user(participant, peer.transport.user());
        let tunnel = self.context.access.tunnels.as_ref().map(|key| key.token(participant, now));
        let turn = self.context.access.turn.as_ref().map(|service| service.access(participant, now));
        self.output.signal(participant, ServerSignal::Answer { number, sdp: answer, tunnel, turn });
        let source = |published: &Published| {
            (Mid::from(published.mid.as_str()), TrackId { owner: participant, slot: published.slot })
        };
        peer.sources = published.iter().map(source).collect();
        if let Some(room) = self.rooms.get_mut(&peer.meeting) {
            room.subscribe(participant, &subscriptions, peer);
            room.publish(participant, published, &mut self.output);
        }
        self.output.dirty.insert(participant);
        self.allocate(participant, now);
    }

    /// Divides a participant's downlink again, and notifies the senders at once.
    fn allocate(&mut self, participant: ParticipantId, now: Instant) {
        let Some(peer) = self.peers.get_mut(&participant) else { return };
        let Some(room) = self.rooms.get_mut(&peer.meeting) else { return };
        room.allocate(participant, peer, now);
        room.notify_senders(now, &mut self.peers, &mut self.output);
    }

    /// Advances all peers with something to send, and those that they make dirty in turn. Called after a batch of datagrams.
    pub fn advance(&mut self, now: Instant) {
        let mut rounds = 0;
        while let Some(participant) = self.output.dirty.pop() {
            let Some(peer) = self.peers.get_mut(&participant) else { continue };
            let result = peer.transport.advance(now);
            self.handle_result(participant, result, now);
            rounds += 1;
            if rounds > MAX_ROUNDS * (self.peers.len() + 1) {
                // A timer that is always due must not block the thread. The next call continues.
                break;
            }
        }
    }

    /// Handles the result of an input to a transport, and then all its events.
    fn handle_result(&mut self, participant: ParticipantId, result: Result<(), TransportError>, now: Instant) {
        if let Err(error) = result {
            return self.reset_transport(participant, &error, now);
        }
        loop {
            let Some(peer) = self.peers.get_mut(&participant) else { return };
            match peer.transport.poll(now) {
                Ok(Some(event)) => self.handle_event(participant, event, now),
                Ok(None) => {
                    if peer.transport.timeout <= now {
                        self.output.dirty.insert(participant);
                    }
                    return self.timers.set(participant, peer.transport.timeout);
                }
                Err(error) => return self.reset_transport(participant, &error, now),
            }
        }
    }

    fn handle_event(&mut self, participant: ParticipantId, event: TransportEvent, now: Instant) {
        match event {
            TransportEvent::Transmit(transmit) => {
                if let Some(peer) = self.peers.get_mut(&participant) {
                    peer.handshake.handle_sent(&transmit, now);
                    peer.path = Some((transmit.source, transmit.destination));
                }
                self.transmits.push_back(transmit);
            }
            TransportEvent::Packet(mid, rid, packet) => {
                let Some(peer) = self.peers.get(&participant) else { return };
                let (meeting, track) = (peer.meeting, peer.sources.get(&mid).copied());
                if let (Some(track), Some(room)) = (track, self.rooms.get_mut(&meeting)) {
                    room.forward(track, rid, &packet, now, &mut self.peers, &mut self.output);
                }
            }
            TransportEvent::KeyFrameNeeded(mid) => {
                self.output.metrics.key_requests_received += 1;
                let meeting = self.peers.get(&participant).map(|peer| peer.meeting);
                if let Some(room) = meeting.and_then(|meeting| self.rooms.get_mut(&meeting)) {
                    room.handle_key_frame_request(participant, mid, now, &mut self.peers, &mut self.output);
                }
            }
            TransportEvent::Connected => {
                tracing::debug!(%participant, "media connected");
                self.allocate(participant, now);
            }
            TransportEvent::LinkChanged(change) => {
                let Some(peer) = self.peers.get_mut(&participant) else { return };
                if let (Change::SuddenlyNarrow, Some(room)) = (change, self.rooms.get_mut(&peer.meeting)) {
                    room.drop_pictures(participant, peer);
                }
                self.allocate(participant, now);
            }
        }
    }

    /// Replaces a failed transport. The participant stays in the meeting and may send a new offer.
    fn reset_transport(&mut self, participant: ParticipantId, error: &TransportError, now: Instant) {
        let Some(peer) = self.peers.get_mut(&participant) else { return };
        match error {
            TransportError::Panicked => tracing::error!("the media transport of a participant panicked"),
            TransportError::Refused(_)
            | TransportError::Offer(_)
            | TransportError::TooManySources
            | TransportError::Closed => {
                tracing::info!(%error, "media disconnected");
            }
        }
        self.routes.remove(participant);
        peer.reset_transport(&self.context, now);
        self.timers.set(participant, peer.transport.timeout);
        // The new transport knows no description of an offer that waits.
        self.offers.update_work(participant, |offer| offer_work(&peer.transport, offer));
        if let Some(room) = self.rooms.get_mut(&peer.meeting) {
            room.publish(participant, Vec::new(), &mut self.output);
            room.subscribe(participant, &[], peer);
        }
    }
}

/// Counts what each receiver's link carries, and what was sent again to it.
fn measure_receivers(peers: &mut Peers, metrics: &mut Metrics) {
    for peer in peers.values_mut() {
        let counts = peer.transport.repairs.take();
        metrics.nacks += counts.nacks;
        metrics.repairs += counts.packets;
        if peer.transport.sends() {
            metrics.estimates.add_bitrate(peer.transport.downlink.estimate);
            metrics.budgets.add_bitrate(peer.transport.downlink.budget());
        }
    }
}

/// Returns the work of an offer to a transport.
fn offer_work(transport: &Transport, offer: &Offer) -> u32 {
    let (descriptions, new) = transport.descriptions(&offer.sdp);
    // An offer with more is refused without work.
    if descriptions > MAX_DESCRIPTIONS { 0 } else { work(descriptions, new) }
}

/// How often downlinks are divided again and senders are notified.
const TICK: Duration = Duration::from_millis(100);

/// How long to wait if nothing is due.
const IDLE_TIMEOUT: Duration = Duration::from_hours(1);

/// The largest datagram that is handled, in bytes. Clients send no larger ones.
const MAX_DATAGRAM: usize = 1_500;

/// The number of ended meetings whose totals are kept.
const MAX_ENDED: usize = 64;

/// How many times each peer may be advanced in one call, on average.
const MAX_ROUNDS: usize = 16;

#[cfg(test)]
mod tests;
