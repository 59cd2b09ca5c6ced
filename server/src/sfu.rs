//! The selective forwarding unit: receives each participant's media once, and sends each receiver the layers that it
//! can use.
//!
//! A sans-IO machine: datagrams, commands and the time in; datagrams and messages out. It reads the Dependency
//! Descriptor of a packet and never the payload, which only participants can open.

mod address_table;
mod allocator;
mod bitrate_meter;
mod demand;
mod dirty_peers;
mod dominant_speaker;
mod downlink;
mod downlink_report;
pub mod extension;
mod first_probes;
mod first_switch;
mod forwarding;
mod handshake;
mod held_estimate;
pub(crate) mod ice_ufrag;
mod layer_meter;
mod link_delay;
mod meetings;
mod metrics;
mod offer;
mod offer_queue;
mod output;
mod pacer;
mod path_overhead;
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
mod shared_voices;
mod sound_limit;
mod sound_loss;
mod switch;
mod timers;
mod track;
mod transport;
mod transport_error;
mod voice_activity;
mod voice_slots;
mod voices;

pub(crate) use address_table::{ADDRESS_TIMEOUT, AddressTable, MAX_THREADS, ThreadAddresses};
pub use metrics::{DropReason, Histogram, Metrics, Traffic};
pub use peer::ClientAddress;
pub use reply::Reply;
pub use transport::Context;

use meetings::Meetings;
use proto::{MeetingId, ParticipantId, ToSfu, Totals};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use str0m::net::Transmit;

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

/// Forwards the media of meetings. A panic while it handles one of them ends the media of that meeting only.
#[derive(Debug)]
pub struct Sfu {
    meetings: Meetings,
    next_tick: Instant,
}

impl Sfu {
    /// Returns an SFU without participants.
    pub fn new(context: Context, now: Instant) -> Self {
        Self { meetings: Meetings::new(context, now), next_tick: now }
    }

    /// Executes a command of the delivery service.
    pub fn handle_command(&mut self, command: Command, now: Instant) {
        match command {
            Command::Join { meeting, participant } => self.join(meeting, participant, ClientAddress::default(), now),
            Command::Leave { participant } => {
                self.isolate_member(participant, |meetings| meetings.leave(participant, now));
            }
            Command::Message { participant, message } => {
                self.isolate_member(participant, |meetings| meetings.handle_message(participant, message, now));
            }
        }
        self.advance(now);
    }

    /// Adds a participant, as [`Command::Join`] does. The answers to it offer media at the address of this
    /// machine to which its signalling connected, and at the public addresses. If no socket has that address, they offer all sockets.
    pub fn join(&mut self, meeting: MeetingId, participant: ParticipantId, address: ClientAddress, now: Instant) {
        if self.meetings.rooms.is_empty() {
            // There are no ticks without a meeting, so the next one is not late.
            self.next_tick = self.next_tick.max(now);
        }
        self.meetings.isolate(meeting, |meetings| meetings.join(meeting, participant, address, now));
        if self.meetings.meeting_of(participant).is_none() {
            self.meetings.output.replies.push_back((participant, Reply::Failed));
        }
    }

    /// Adds an address of the server. Datagrams to it may be handled from now on.
    pub fn add_socket(&mut self, address: SocketAddr) {
        self.meetings.context.add_socket(address);
    }

    /// Returns the participant that a connectivity check from `source` names. Returns `None` if another participant has used the
    /// address in the last 30 s: the source of a datagram may be forged.
    pub fn sender_of_check(&self, source: SocketAddr, bytes: &[u8], now: Instant) -> Option<ParticipantId> {
        let routes = &self.meetings.routes;
        routes.find(source, bytes).filter(|found| !routes.is_used_by_another(*found, source, now))
    }

    /// Returns the address at which a participant is offered media, and the server's and the participant's address of the last
    /// datagram to it, if there was one. Returns `None` if the participant is in no meeting.
    pub fn addresses_of(&self, participant: ParticipantId) -> Option<(SocketAddr, Option<(SocketAddr, SocketAddr)>)> {
        let peer = self.meetings.peers.get(&participant)?;
        let offered = self.meetings.context.candidates(peer.address.arrived_at);
        Some((*offered.first()?, peer.path))
    }

    /// Sets whether the datagrams to a participant go through its media tunnel, whose headers are longer.
    pub fn set_tunnelled(&mut self, participant: ParticipantId, is_tunnelled: bool) {
        if let Some(peer) = self.meetings.peers.get_mut(&participant) {
            peer.transport.downlink.path.is_tunnelled = is_tunnelled;
        }
    }

    /// Handles a datagram from `source` to `destination`, which is one of the server's addresses. A datagram that is
    /// not for a participant is dropped. Packets for other participants are sent by [`Sfu::advance`], which is called after
    /// the last datagram that has arrived, because each transport that must be advanced costs several microseconds.
    pub fn handle_datagram(&mut self, source: SocketAddr, destination: SocketAddr, bytes: &[u8], now: Instant) {
        let meetings = &mut self.meetings;
        let metrics = &mut meetings.output.metrics;
        metrics.received.add(bytes.len());
        if bytes.len() > MAX_DATAGRAM {
            return metrics.add_dropped(DropReason::TooLarge, 1);
        }
        let found = meetings.routes.find(source, bytes);
        let Some((participant, meeting)) = found.and_then(|found| Some((found, meetings.meeting_of(found)?))) else {
            return meetings.output.metrics.add_dropped(DropReason::UnknownSender, 1);
        };
        let addresses = (source, destination);
        meetings.isolate(meeting, |meetings| meetings.handle_datagram(participant, addresses, bytes, now));
    }

    /// Runs what is due at `now`: the transports' timers, and every 100 ms the allocation of all downlinks.
    pub fn handle_timeout(&mut self, now: Instant) {
        let late = now.saturating_duration_since(self.poll_timeout());
        let meetings = &mut self.meetings;
        meetings.output.metrics.delays.add(late.as_secs_f64());
        while let Some(participant) = meetings.timers.pop(now) {
            meetings.output.dirty.insert(participant);
        }
        if self.next_tick <= now {
            self.next_tick = now + TICK;
            let running: Vec<MeetingId> = meetings.rooms.keys().copied().collect();
            for meeting in running {
                meetings.isolate(meeting, |meetings| meetings.tick(meeting, now));
            }
            meetings.answer_offers(now);
            meetings.offers.forget_idle(now);
        }
        self.advance(now);
    }

    /// Advances all peers with something to send, and those that they make dirty in turn. Called after a batch of datagrams.
    pub fn advance(&mut self, now: Instant) {
        let (meetings, mut rounds) = (&mut self.meetings, 0);
        while let Some(participant) = meetings.output.dirty.pop() {
            let Some(meeting) = meetings.meeting_of(participant) else { continue };
            meetings.isolate(meeting, |meetings| meetings.advance(participant, now));
            rounds += 1;
            if rounds > MAX_ROUNDS * (meetings.peers.len() + 1) {
                // A timer that is always due must not block the thread. The next call continues.
                break;
            }
        }
    }

    /// Returns the next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        let transmit = self.meetings.transmits.pop_front()?;
        self.meetings.output.metrics.sent.add(transmit.contents.len());
        Some(transmit)
    }

    /// Counts datagrams of [`Sfu::poll_transmit`] that could not be sent.
    pub fn count_unsent(&mut self, packets: u64) {
        self.meetings.output.metrics.add_dropped(DropReason::Unsent, packets);
    }

    /// Returns the counters of this SFU.
    pub fn metrics(&self) -> &Metrics {
        &self.meetings.output.metrics
    }

    /// Returns the next reply to a participant.
    pub fn poll_reply(&mut self) -> Option<(ParticipantId, Reply)> {
        self.meetings.output.replies.pop_front()
    }

    /// Returns when [`Sfu::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Instant {
        let tick = if self.meetings.rooms.is_empty() { None } else { Some(self.next_tick) };
        let idle = self.next_tick + IDLE_TIMEOUT;
        self.meetings.timers.next().into_iter().chain(tick).min().unwrap_or(idle)
    }

    /// Returns what was forwarded for a meeting. Covers running meetings and the 64 that ended last.
    pub fn totals(&self, meeting: MeetingId) -> Option<Totals> {
        self.meetings.totals(meeting)
    }

    /// Returns how many meetings run, and how many participants they have.
    pub fn size(&self) -> (usize, usize) {
        (self.meetings.rooms.len(), self.meetings.peers.len())
    }

    /// Makes the next step of a meeting panic.
    #[cfg(test)]
    pub fn inject_panic(&mut self, meeting: MeetingId) {
        if let Some(room) = self.meetings.rooms.get_mut(&meeting) {
            room.panics = true;
        }
    }

    /// Runs a step of a participant's meeting. Does nothing if it is in none.
    fn isolate_member(&mut self, participant: ParticipantId, step: impl FnOnce(&mut Meetings)) {
        if let Some(meeting) = self.meetings.meeting_of(participant) {
            self.meetings.isolate(meeting, step);
        }
    }
}

/// How often downlinks are divided again and senders are notified.
const TICK: Duration = Duration::from_millis(100);

/// How long to wait if nothing is due.
const IDLE_TIMEOUT: Duration = Duration::from_hours(1);

/// The largest datagram that is handled, in bytes. Clients send no larger ones.
pub(crate) const MAX_DATAGRAM: usize = 1_500;

/// How many times each peer may be advanced in one call, on average.
const MAX_ROUNDS: usize = 16;

#[cfg(test)]
mod tests;
