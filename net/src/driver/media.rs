//! The driver's media: its transports, the tracks that it publishes, and the readers of the incoming streams.

use super::event_queue::EventQueue;
use super::published_tracks::PublishedTracks;
use super::transports::{Report, Transports};
use crate::bandwidth::{Bandwidth, LastRates, Limits};
use crate::error::Error;
use crate::event::{Event, MediaPath};
use crate::frame_sender::FrameQueue;
use crate::meeting::{Member, RECOVERY_TIMEOUT};
use crate::peer::{Estimate, Feedback, Offer, Peer, lock};
use crate::route::Route;
use crate::rtp::inbound_stats::InboundRtpStats;
use crate::rtp::shared_voices::MAX_SOUND;
use crate::sfu::{IceCandidate, Incoming, Mids, Plan, SdpKind, TransportId, TransportState, kind_of};
use crate::signalling::ServerEndpoint;
use ::media::{Bitrate, BufferPool, Sender, bounded};
use crypto::ReceivedFrame;
use proto::{DownlinkSettings, Kind, ParticipantId, Slot, SpatialLayer, TrackDemand, TrackId};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use webrtc::runtime::Runtime;

/// The transports and tracks of a session.
pub struct Media {
    pub transports: Transports,
    /// The path in the last event.
    path: Option<MediaPath>,
    pool: BufferPool,
    published: PublishedTracks,
    /// The transport and `mid` of each received track.
    incoming: HashMap<TrackId, (TransportId, String)>,
    /// The queues of the received tracks.
    queues: HashMap<TrackId, Sender<ReceivedFrame>>,
    voices: Voices,
    /// True from a restart until the next answer, which shows that this client is in the meeting again.
    restarted: bool,
    /// When the tracks that did not come back after a restart end.
    stale: Option<Instant>,
    /// When all transports were last known to be connected.
    last_connected: Option<Instant>,
    /// The limits of the session, and what the network carried before.
    bandwidth: Bandwidth,
    /// The estimate in the last event, and the delay-based one.
    estimate: (Bitrate, Bitrate),
    /// When the statistics of the received tracks were last reported.
    stats_reported: Option<Instant>,
}

/// The voices that arrive on shared media descriptions.
#[derive(Default)]
struct Voices {
    /// The transport of each.
    transports: HashMap<TrackId, TransportId>,
    /// The members of the meeting. Only their voices begin.
    members: HashSet<ParticipantId>,
}

/// A local description for the dialect.
pub struct Local {
    pub sdp: String,
    pub mids: Mids,
}

impl Media {
    /// Opens `transports` on `address`. If UDP does not work, they use tunnels to `server`.
    ///
    /// # Errors
    /// Returns [`Error::Media`] if no socket can be opened.
    pub async fn open(
        transports: &[TransportId],
        address: IpAddr,
        pool: BufferPool,
        server: ServerEndpoint,
        (stack, route): (Arc<dyn Runtime>, Route),
    ) -> Result<Self, Error> {
        let transports = Transports::open(transports, (address, &pool), server, (&stack, route)).await?;
        Ok(Self {
            transports,
            path: None,
            pool,
            published: PublishedTracks::new(stack),
            incoming: HashMap::new(),
            queues: HashMap::new(),
            voices: Voices::default(),
            restarted: false,
            stale: None,
            last_connected: None,
            bandwidth: Bandwidth::default(),
            estimate: (Bitrate::ZERO, Bitrate::ZERO),
            stats_reported: None,
        })
    }

    /// Replaces all transports by new ones on `address`. What is published stays published, and the readers of received
    /// tracks keep their queues: they get frames again when the SFU names their tracks.
    ///
    /// # Errors
    /// Returns [`Error::Media`] if no socket can be opened.
    pub async fn restart(&mut self, address: IpAddr) -> Result<(), Error> {
        self.published.restart();
        self.incoming.clear();
        (self.restarted, self.stale) = (true, None);
        self.transports.replace((address, &self.pool), self.path.unwrap_or(MediaPath::Udp)).await?;
        // The network may be another one, so its rates from before are not used.
        self.set_bandwidth(Some(self.bandwidth.limits), Some(LastRates::default()));
        self.published.update_wanted(self.transports.primary());
        Ok(())
    }

    /// Returns true if all transports were connected a short time ago, so that new ones may connect, too.
    pub fn may_connect_again(&self, now: Instant) -> bool {
        self.last_connected.is_some_and(|last| now.saturating_duration_since(last) < RECOVERY_TIMEOUT)
    }

    /// Waits for the next report of any transport. Cancel-safe.
    pub async fn next(&mut self) -> (TransportId, Report) {
        let estimate = self.transports.primary().map(|peer| peer.estimate().clone());
        let changed = async {
            match estimate {
                Some(estimate) => estimate.changed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            report = self.transports.next() => report,
            () = changed => (TransportId::Primary, Report::Estimate),
        }
    }

    /// Sends the frames of `queue` as the track of `slot`, instead of those of the queue before.
    pub fn publish(&mut self, slot: Slot, layers: &[SpatialLayer], queue: FrameQueue) {
        self.published.publish(slot, layers, queue, self.transports.primary());
    }

    pub fn unpublish(&mut self, slot: Slot) {
        self.published.unpublish(slot, self.transports.primary());
    }

    /// Creates an offer by `plan`.
    pub async fn offer(&mut self, id: TransportId, plan: &Plan) -> Result<Local, Error> {
        let transport = self.transports.get(id)?;
        let Offer { sdp, mids } = transport.peer.offer(plan).await?;
        transport.migration.read_local(&sdp);
        self.published.start_send_tasks(self.transports.primary());
        Ok(Local { sdp, mids })
    }

    /// Returns false if a description is that of another ICE session than before: the SFU has forgotten the transport.
    pub fn is_session(&mut self, id: TransportId, sdp: &str) -> Result<bool, Error> {
        Ok(self.transports.get(id)?.migration.read_remote(sdp))
    }

    /// Applies a description of the SFU. Returns the answer to an offer.
    pub async fn apply(
        &mut self,
        id: TransportId,
        sdp: String,
        kind: SdpKind,
        event_queue: &mut EventQueue,
    ) -> Result<Option<Local>, Error> {
        let transport = self.transports.get(id)?;
        let applied = match kind {
            SdpKind::Offer => transport.peer.accept(sdp).await.map(|sdp| Some(Local { sdp, mids: Mids::default() })),
            SdpKind::Answer => transport.peer.answer(sdp).await.map(|()| None),
        };
        let local = applied.map_err(|error| {
            tracing::debug!(%error, ?kind, "description refused");
            Error::Negotiation("the server's session description is not valid")
        })?;
        transport.negotiated.get_or_insert_with(Instant::now);
        if std::mem::take(&mut self.restarted) {
            self.stale = Some(Instant::now() + STALE_TIMEOUT);
        }
        if kind == SdpKind::Answer {
            self.published.handle_answer(event_queue);
        }
        Ok(local)
    }

    pub async fn add_candidate(&mut self, id: TransportId, candidate: IceCandidate) -> Result<(), Error> {
        // Other candidates may work.
        if let Err(error) = self.transports.get(id)?.peer.add_candidate(candidate).await {
            tracing::debug!(%error, "candidate refused");
        }
        Ok(())
    }

    pub fn begin(&mut self, incoming: Incoming, event_queue: &mut EventQueue, now: Instant) {
        let Incoming { track, codec, layers, transport, mid } = incoming;
        let kind = codec.kind();
        let limit = match kind {
            Kind::Audio => MAX_SOUND,
            Kind::Video => MAX_PICTURES,
        };
        // A track that was received before the restart continues in its queue.
        let (sender, frames) = if let Some(sender) = self.queues.get(&track) {
            (sender.clone(), None)
        } else {
            let (sender, frames) = bounded(limit);
            self.queues.insert(track, sender.clone());
            (sender, Some(frames))
        };
        let assigned = self
            .transports
            .peer(transport)
            .is_some_and(|peer| lock(peer.rtp_receiver()).assign(&mid, track.slot, kind, sender, now));
        if !assigned {
            tracing::warn!(?track, mid, "the session description has no SSRC for a track");
        }
        self.incoming.insert(track, (transport, mid));
        match frames {
            Some(frames) => event_queue.push(Event::Track { track, kind, layers, frames }),
            None => self.want_key_frame(track),
        }
    }

    /// Sets the members. On shared media descriptions, only voices of members are played, because the SFU can name anybody.
    pub fn set_members(&mut self, members: &[Member], event_queue: &mut EventQueue) {
        self.voices.members = members.iter().map(|member| member.id).collect();
        for id in [TransportId::Primary, TransportId::Subscriber] {
            if let Some(peer) = self.transports.peer(id) {
                lock(peer.rtp_receiver()).voices.set_members(&self.voices.members);
            }
            self.begin_voices(id, event_queue);
        }
    }

    /// Passes what arrives on these media descriptions to the voices that the packets name.
    pub fn share_voices(
        &mut self,
        transport: TransportId,
        mids: &[String],
        event_queue: &mut EventQueue,
        now: Instant,
    ) {
        let Some(peer) = self.transports.peer(transport) else { return };
        // The transport may be newer than the last change of the members.
        lock(peer.rtp_receiver()).voices.set_members(&self.voices.members);
        for mid in mids {
            if !lock(peer.rtp_receiver()).share_stream(mid, now) {
                tracing::warn!(mid, "the session description has no SSRC for a shared description");
            }
        }
        self.begin_voices(transport, event_queue);
    }

    /// Reports the voices that have begun on shared media descriptions.
    fn begin_voices(&mut self, id: TransportId, event_queue: &mut EventQueue) {
        let Some(peer) = self.transports.peer(id) else { return };
        let begun = lock(peer.rtp_receiver()).voices.take_begun();
        for (owner, frames) in begun {
            let track = TrackId { owner, slot: Slot::Microphone };
            if self.voices.transports.insert(track, id).is_some() {
                event_queue.push(Event::TrackEnded(track));
            }
            // It may have had a description of its own before.
            self.end_queue(track, event_queue);
            event_queue.push(Event::Track { track, kind: Kind::Audio, layers: Vec::new(), frames });
        }
    }

    /// Ends a track. Does nothing if it is not received.
    pub fn end(&mut self, track: TrackId, event_queue: &mut EventQueue) {
        if let Some(peer) = self.voices.transports.remove(&track).and_then(|transport| self.transports.peer(transport))
        {
            lock(peer.rtp_receiver()).voices.end(track.owner);
            event_queue.push(Event::TrackEnded(track));
        }
        self.end_queue(track, event_queue);
    }

    /// Ends all tracks, because this client is no member any more. Their frames belong to a membership that has ended.
    pub fn end_all(&mut self, event_queue: &mut EventQueue) {
        let tracks: Vec<TrackId> = self.queues.keys().chain(self.voices.transports.keys()).copied().collect();
        for track in tracks {
            self.end(track, event_queue);
        }
    }

    /// Ends a track that has a media description of its own.
    fn end_queue(&mut self, track: TrackId, event_queue: &mut EventQueue) {
        if let Some((transport, mid)) = self.incoming.remove(&track)
            && let Some(peer) = self.transports.peer(transport)
        {
            lock(peer.rtp_receiver()).release(&mid);
        }
        if self.queues.remove(&track).is_some() {
            event_queue.push(Event::TrackEnded(track));
        }
    }

    pub fn want_key_frame(&self, track: TrackId) {
        if let Some((transport, mid)) = self.incoming.get(&track)
            && let Some(peer) = self.transports.peer(*transport)
        {
            lock(peer.rtp_receiver()).want_key_frame(mid);
        }
    }

    pub fn handle_state(
        &mut self,
        id: TransportId,
        state: TransportState,
        event_queue: &mut EventQueue,
        now: Instant,
    ) -> Result<(), Error> {
        let transport = self.transports.get(id)?;
        match state {
            TransportState::Connected => {
                let took = transport.negotiated.map(|at| now.saturating_duration_since(at));
                transport.handle_connected(now);
                tracing::info!(?id, ?took, "media connected");
                event_queue.push(Event::Connected);
                if id == TransportId::Primary {
                    self.published.handle_connected(event_queue);
                }
            }
            TransportState::Interrupted => tracing::warn!(?id, "media are interrupted"),
        }
        Ok(())
    }

    pub fn handle_feedback(&mut self, id: TransportId, feedback: Feedback, event_queue: &mut EventQueue) {
        let Some(peer) = self.transports.peer(id) else { return };
        match feedback {
            Feedback::KeyFrameWanted(ssrc) => {
                let layer = peer.layer_of(ssrc).filter(|(slot, _)| kind_of(*slot) == Kind::Video);
                if let Some((slot, spatial)) = layer {
                    event_queue.push(Event::KeyFrameWanted { slot, spatial });
                }
            }
            Feedback::Acknowledged(ssrc) => peer.acknowledge(ssrc),
            Feedback::VoiceBegun => self.begin_voices(id, event_queue),
        }
    }

    /// Limits what is sent, and sets the start of the estimate if nothing was sent yet. `None` leaves what was set before. Returns what
    /// the server must know.
    pub fn set_bandwidth(&mut self, limits: Option<Limits>, last_rates: Option<LastRates>) -> DownlinkSettings {
        let Bandwidth { limits: before, last_rates: last_before } = self.bandwidth;
        self.bandwidth = Bandwidth { limits: limits.unwrap_or(before), last_rates: last_rates.unwrap_or(last_before) };
        if let Some(peer) = self.transports.primary() {
            peer.estimate().set_limit(self.bandwidth.limits.send);
            if let Some(rate) = self.bandwidth.last_rates.send {
                peer.estimate().set_last_rate(rate);
            }
        }
        self.bandwidth.downlink_settings()
    }

    /// Sets which layers of an own track have a viewer.
    pub fn set_demand(&mut self, demand: &TrackDemand) {
        self.published.set_demand(demand, self.transports.primary());
    }

    /// Pushes an event if an estimate of the capacity has changed by more than 5 %.
    pub fn report_estimate(&mut self, event_queue: &mut EventQueue) {
        let estimate = self.transports.primary().map(Peer::estimate);
        let bitrate = estimate.map_or(Bitrate::ZERO, Estimate::bitrate);
        let delay_based = estimate.map_or(Bitrate::ZERO, Estimate::delay_based);
        let changed = |new: Bitrate, old: Bitrate| new.as_bps().abs_diff(old.as_bps()) * 20 > old.as_bps();
        if changed(bitrate, self.estimate.0) || changed(delay_based, self.estimate.1) {
            self.estimate = (bitrate, delay_based);
            event_queue.push(Event::Estimate { bitrate, delay_based });
        }
    }

    pub fn handle_timeout(&mut self, event_queue: &mut EventQueue, now: Instant) -> Result<(), Error> {
        self.report_estimate(event_queue);
        if self.transports.is_relay_lost(now) {
            return Err(self.transports.no_media());
        }
        self.transports.update_packet_overheads(now);
        let path = self.transports.path(now);
        if let Some(path) = path.filter(|path| self.path.replace(*path) != Some(*path)) {
            event_queue.push(Event::MediaPath(path));
        }
        if self.stats_reported.is_none_or(|at| now.saturating_duration_since(at) >= STATS_INTERVAL) {
            self.stats_reported = Some(now);
            for idle in idle_voices(self, now) {
                self.end(idle, event_queue);
            }
            let stats = inbound_stats(self);
            if !stats.is_empty() {
                event_queue.push(Event::InboundStats(stats));
            }
        }
        if self.stale.take_if(|at| *at <= now).is_some() {
            let lost: Vec<_> =
                self.queues.keys().filter(|track| !self.incoming.contains_key(*track)).copied().collect();
            for track in lost {
                self.end(track, event_queue);
            }
        }
        if self.transports.are_connected() {
            self.last_connected = Some(now);
        }
        self.transports.check(now)
    }

    pub async fn close(self) {
        self.published.abort();
        self.transports.close().await;
    }
}

/// Returns the voices on shared media descriptions of which nothing arrives any more.
fn idle_voices(media: &Media, now: Instant) -> Vec<TrackId> {
    let is_active = |(track, transport): (&TrackId, &TransportId)| {
        let peer = media.transports.peer(*transport);
        peer.is_some_and(|peer| lock(peer.rtp_receiver()).voices.is_active(track.owner, now))
    };
    media.voices.transports.iter().filter(|voice| !is_active(*voice)).map(|(track, _)| *track).collect()
}

/// Returns the statistics of each received track.
fn inbound_stats(media: &Media) -> Vec<(TrackId, InboundRtpStats)> {
    let stats = |(track, (transport, mid)): (&TrackId, &(TransportId, String))| {
        Some((*track, lock(media.transports.peer(*transport)?.rtp_receiver()).inbound_stats(mid)?))
    };
    let voice = |(track, transport): (&TrackId, &TransportId)| {
        Some((*track, lock(media.transports.peer(*transport)?.rtp_receiver()).voices.inbound_stats(track.owner)?))
    };
    media.incoming.iter().filter_map(stats).chain(media.voices.transports.iter().filter_map(voice)).collect()
}

/// Bytes of video that may wait for their reader: about two seconds of the largest layer.
const MAX_PICTURES: usize = 1 << 20;

/// The interval of [`Event::InboundStats`]. A little less than a second, because timeouts are up to 100 ms apart.
const STATS_INTERVAL: Duration = Duration::from_millis(950);

/// How long a track may take to come back after the first answer that follows a restart.
const STALE_TIMEOUT: Duration = Duration::from_secs(10);
