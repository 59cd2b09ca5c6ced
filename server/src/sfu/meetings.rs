//! The meetings of an SFU, and the steps that change one of them.
//!
//! [`Meetings::isolate`] runs a step. If it panics, the media of that meeting end, and its members connect again. Other meetings go
//! on.

use super::downlink::Change;
use super::downlink_report::LastReport;
use super::metrics::{DropReason, Metrics};
use super::offer_queue::{Offer, OfferQueue, work};
use super::output::Output;
use super::peer::{ClientAddress, Peer, Peers};
use super::reply::Reply;
use super::room::Room;
use super::routes::Routes;
use super::timers::Timers;
use super::transport::{Context, Transport, TransportEvent};
use super::transport_error::TransportError;
use proto::{
    ClientSignal, MAX_DESCRIPTIONS, MeetingId, ParticipantId, Published, ServerSignal, ToSfu, Totals, TrackId,
};
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;
use str0m::Input;
use str0m::media::Mid;
use str0m::net::{Protocol, Receive, Transmit};

/// The meetings of one SFU, and the state that they share.
#[derive(Debug)]
pub struct Meetings {
    pub context: Context,
    pub peers: Peers,
    /// When each transport is due.
    pub timers: Timers,
    pub rooms: HashMap<MeetingId, Room>,
    /// Totals of the meetings that ended last, oldest first.
    ended: VecDeque<(MeetingId, Totals)>,
    pub routes: Routes,
    pub offers: OfferQueue,
    pub output: Output,
    pub transmits: VecDeque<Transmit>,
}

impl Meetings {
    /// Creates the state of an SFU without meetings.
    pub fn new(context: Context, now: Instant) -> Self {
        Self {
            offers: OfferQueue::new(context.offer_work, now),
            routes: Routes::new(context.addresses.clone()),
            context,
            peers: Peers::default(),
            timers: Timers::default(),
            rooms: HashMap::new(),
            ended: VecDeque::new(),
            output: Output::default(),
            transmits: VecDeque::new(),
        }
    }

    /// Runs a step of a meeting. If it panics, ends the media of the meeting.
    pub fn isolate(&mut self, meeting: MeetingId, step: impl FnOnce(&mut Self)) {
        // Unwind safe: a step changes the room and the peers of its meeting, which are dropped after a panic. The queues and tables
        // that meetings share hold one complete entry for each change.
        if catch_unwind(AssertUnwindSafe(|| step(self))).is_err() {
            self.end_failed(meeting);
        }
    }

    /// Returns the meeting of a participant.
    pub fn meeting_of(&self, participant: ParticipantId) -> Option<MeetingId> {
        self.peers.get(&participant).map(|peer| peer.meeting)
    }

    /// Returns what was forwarded for a meeting. Covers running meetings and the 64 that ended last.
    pub fn totals(&self, meeting: MeetingId) -> Option<Totals> {
        let ended = || self.ended.iter().rev().find(|(id, _)| *id == meeting).map(|(_, totals)| *totals);
        self.rooms.get(&meeting).map(|room| room.totals).or_else(ended)
    }

    /// Adds a participant. The media of one that is connected go on: it has another connection for messages.
    pub fn join(&mut self, meeting: MeetingId, participant: ParticipantId, address: ClientAddress, now: Instant) {
        let known = self.peers.get_mut(&participant);
        if let (Some(peer), Some(room)) = (known, self.rooms.get_mut(&meeting))
            && peer.meeting == meeting
            && peer.transport.is_connected()
        {
            (peer.address, peer.last_report) = (address, LastReport::default());
            return room.rejoin(participant, now, &mut self.output);
        }
        let offers = self.peers.get(&participant).map(|peer| peer.offers.clone());
        self.leave(participant, now);
        let mut peer = Peer::new(&self.context, meeting, address, now);
        if let Some(offers) = offers {
            // A participant that resumes may not send more offers than others.
            peer.offers = offers;
        }
        self.timers.set(participant, peer.transport.timeout);
        self.peers.insert(participant, peer);
        self.rooms.entry(meeting).or_insert_with(|| Room::new(now)).join(participant, now, &mut self.output);
    }

    /// Removes a participant. Does nothing if it is in no meeting.
    pub fn leave(&mut self, participant: ParticipantId, now: Instant) {
        let Some(peer) = self.peers.remove(&participant) else { return };
        self.timers.remove(participant);
        self.routes.remove(participant);
        self.offers.remove(participant);
        let Some(room) = self.rooms.get_mut(&peer.meeting) else { return };
        room.leave(participant, now, &mut self.output);
        if room.members.is_empty() {
            self.end(peer.meeting);
        }
    }

    /// Removes a room. Keeps its totals.
    fn end(&mut self, meeting: MeetingId) {
        let Some(room) = self.rooms.remove(&meeting) else { return };
        self.ended.push_back((meeting, room.totals));
        if self.ended.len() > MAX_ENDED {
            self.ended.pop_front();
        }
    }

    /// Ends the media of a meeting after a panic. Its members connect again.
    fn end_failed(&mut self, meeting: MeetingId) {
        tracing::error!("the media of a meeting have failed: its participants connect again");
        self.output.metrics.failed_meetings += 1;
        let of_meeting = self.peers.iter().filter(|(_, peer)| peer.meeting == meeting);
        let members: Vec<ParticipantId> = of_meeting.map(|(participant, _)| *participant).collect();
        for participant in members {
            self.timers.remove(participant);
            self.routes.remove(participant);
            self.offers.remove(participant);
            let peer = self.peers.remove(&participant);
            // The state of the stack may be invalid.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(peer)));
            self.output.replies.push_back((participant, Reply::Failed));
        }
        self.end(meeting);
    }

    /// Handles a message of a member.
    pub fn handle_message(&mut self, participant: ParticipantId, message: ToSfu, now: Instant) {
        let Some(peer) = self.peers.get_mut(&participant) else { return };
        match message {
            ToSfu::Signal(bytes) => match proto::decode_signal(&bytes.0) {
                Ok(ClientSignal::Offer { number, sdp, published, subscriptions, voices, downlink }) => {
                    let downlink = downlink.unwrap_or_default();
                    let offer = Offer { participant, number, sdp, published, subscriptions, voices, downlink };
                    self.handle_offer(offer, now);
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
        if !peer.transport.offer.is_of_same_transport(&offer.sdp) {
            self.reset_transport(participant, &TransportError::Replaced, now);
        }
        let Some(peer) = self.peers.get_mut(&participant) else { return };
        let work = offer_work(&peer.transport, &offer);
        self.offers.push(peer.address.origin, offer, work, now);
        self.answer_offers(now);
    }

    /// Answers the offers whose turn it is.
    pub fn answer_offers(&mut self, now: Instant) {
        while let Some(offer) = self.offers.pop(now) {
            if let Some(meeting) = self.meeting_of(offer.participant) {
                self.isolate(meeting, |meetings| meetings.answer_offer(offer, now));
            }
        }
    }

    fn answer_offer(&mut self, offer: Offer, now: Instant) {
        let Offer { participant, number, sdp, mut published, subscriptions, voices, downlink } = offer;
        published.retain(Published::is_complete);
        let Some(peer) = self.peers.get_mut(&participant) else { return };
        let max_descriptions = self.rooms.get(&peer.meeting).map_or(0, |room| room.max_descriptions(now));
        let answer = match peer.transport.accept_offer(&sdp, max_descriptions) {
            Ok(answer) => answer,
            Err(error) => {
                tracing::debug!(%participant, %error, "offer refused");
                self.output.signal(participant, ServerSignal::OfferRefused { number });
                if let Some(room) = self.rooms.get_mut(&peer.meeting) {
                    room.announce_ended(participant, &mut self.output);
                }
                if error == TransportError::Panicked {
                    self.reset_transport(participant, &error, now);
                }
                return;
            }
        };
        tracing::debug!(%participant, tracks = published.len(), subscriptions = subscriptions.len(), "offer answered");
        peer.set_downlink_settings(downlink);
        self.routes.set_ufrag(participant, peer.transport.ufrag());
        let tunnel = self.context.access.tunnels.as_ref().map(|key| key.token(participant, now));
        let turn = self.context.access.turn.as_ref().map(|service| service.access(participant, now));
        self.output.signal(participant, ServerSignal::Answer { number, sdp: answer, tunnel, turn });
        let source = |published: &Published| {
            (Mid::from(published.mid.as_str()), TrackId { owner: participant, slot: published.slot })
        };
        peer.sources = published.iter().map(source).collect();
        if let Some(room) = self.rooms.get_mut(&peer.meeting) {
            room.subscribe(participant, &subscriptions, &voices, peer);
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

    /// Handles a datagram of a participant.
    pub fn handle_datagram(
        &mut self,
        participant: ParticipantId,
        (source, destination): (SocketAddr, SocketAddr),
        bytes: &[u8],
        now: Instant,
    ) {
        let metrics = &mut self.output.metrics;
        let Some(peer) = self.peers.get_mut(&participant) else { return };
        let Ok(datagram) = Receive::new(Protocol::Udp, source, destination, bytes) else {
            return metrics.add_dropped(DropReason::Refused, 1);
        };
        let input = Input::Receive(now, datagram);
        if !peer.transport.accepts(source, bytes, &input) || !self.routes.add_address(participant, source, now) {
            return metrics.add_dropped(DropReason::Refused, 1);
        }
        peer.handshake.handle_received(bytes);
        let result = peer.transport.handle_input(input);
        if bytes.first().is_some_and(|first| *first <= 1) {
            // The stack acts on a nomination when it is advanced next.
            self.output.dirty.insert(participant);
        }
        self.handle_result(participant, result, now);
    }

    /// Runs the periodic work of a meeting. Called every 100 ms.
    pub fn tick(&mut self, meeting: MeetingId, now: Instant) {
        let Self { peers, rooms, output, transmits, .. } = self;
        let Some(room) = rooms.get_mut(&meeting) else { return };
        room.update_voices(now);
        // A copy of the list would be an allocation ten times a second. Nobody joins or leaves meanwhile.
        let members = std::mem::take(&mut room.members);
        for participant in &members {
            let Some(peer) = peers.get_mut(participant) else { continue };
            measure_receiver(peer, &mut output.metrics);
            room.allocate(*participant, peer, now);
            transmits.extend(peer.handshake.repeat(now));
        }
        room.members = members;
        room.notify_senders(now, peers, output);
        room.report_sound_loss(now, peers, output);
        room.report_downlinks(now, peers, output);
    }

    /// Advances a peer that has something to send.
    pub fn advance(&mut self, participant: ParticipantId, now: Instant) {
        let Some(peer) = self.peers.get_mut(&participant) else { return };
        let result = peer.transport.advance(now);
        self.handle_result(participant, result, now);
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
    pub fn reset_transport(&mut self, participant: ParticipantId, error: &TransportError, now: Instant) {
        let Some(peer) = self.peers.get_mut(&participant) else { return };
        match error {
            TransportError::Panicked => tracing::error!("the media transport of a participant panicked"),
            TransportError::Refused(_)
            | TransportError::Offer(_)
            | TransportError::TooManySources
            | TransportError::Replaced
            | TransportError::Closed => {
                tracing::info!(%error, "media disconnected");
            }
        }
        self.routes.remove(participant);
        peer.reset_transport(&self.context, now);
        self.timers.set(participant, peer.transport.timeout);
        // For the new transport, all descriptions of a waiting offer are new.
        self.offers.update_work(participant, |offer| offer_work(&peer.transport, offer));
        if let Some(room) = self.rooms.get_mut(&peer.meeting) {
            if *error == TransportError::Replaced {
                // Its offer names the tracks that it sends on the new transport.
                room.end_sources(participant);
            } else {
                room.publish(participant, Vec::new(), &mut self.output);
            }
            room.subscribe(participant, &[], &[], peer);
        }
    }
}

/// Counts what a receiver's link carries, and what was sent again to it.
fn measure_receiver(peer: &mut Peer, metrics: &mut Metrics) {
    let counts = peer.transport.repairs.take();
    metrics.nacks += counts.nacks;
    metrics.repairs += counts.packets;
    if peer.transport.sends() {
        metrics.estimates.add_bitrate(peer.transport.downlink.estimate);
        metrics.budgets.add_bitrate(peer.transport.downlink.budget());
    }
}

/// Returns the work of an offer to a transport.
fn offer_work(transport: &Transport, offer: &Offer) -> u32 {
    let (descriptions, new) = transport.offer.descriptions(&offer.sdp);
    // An offer with more is refused without work.
    if descriptions > MAX_DESCRIPTIONS { 0 } else { work(descriptions, new) }
}

/// The number of ended meetings whose totals are kept.
const MAX_ENDED: usize = 64;
