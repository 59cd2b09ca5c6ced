//! One participant of the fake SFU.

use super::transport::Transport;
use super::{Published, Reply, Request, fitting_layer};
use net::sfu::{TransportId, kind_of};
use proto::{Kind, ParticipantId, Slot, SpatialLayer, TrackId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind, Mid, Rid};
use str0m::rtp::RtpPacket;
use tokio::sync::mpsc;

pub struct FakeClient {
    pub owner: Option<ParticipantId>,
    pub auto_subscribe: bool,
    pub subscriptions: BTreeMap<TrackId, Subscription>,
    replies: mpsc::Sender<Reply>,
    publisher: Transport,
    subscriber: Transport,
    published: Vec<Published>,
    /// The participants to whose tracks it subscribed.
    feeds: BTreeSet<ParticipantId>,
    pending: Option<SdpPendingOffer>,
    /// True once [`Reply::PublisherConnected`] was sent.
    connected: bool,
    /// The layers in the last [`Reply::Wanted`] of each of its tracks.
    notified: BTreeMap<Slot, Vec<u8>>,
}

/// A track that a participant receives.
pub struct Subscription {
    /// The layer to forward.
    pub target: u8,
    mid: Mid,
    layers: Vec<SpatialLayer>,
    /// The layer that is forwarded now. It changes at key frames.
    current: Option<u8>,
    /// The last sequence number that was sent.
    last: u64,
    /// What to add to the sequence numbers of the current layer.
    offset: u64,
    /// When a key frame was last requested.
    requested: Option<Instant>,
}

impl FakeClient {
    pub fn new(replies: mpsc::Sender<Reply>) -> Self {
        Self {
            owner: None,
            auto_subscribe: false,
            subscriptions: BTreeMap::new(),
            replies,
            publisher: Transport::new(),
            subscriber: Transport::new(),
            published: Vec::new(),
            feeds: BTreeSet::new(),
            pending: None,
            connected: false,
            notified: BTreeMap::new(),
        }
    }

    /// Returns what it sends. Returns `None` before it has joined.
    pub fn tracks(&self) -> Option<(ParticipantId, Vec<Published>)> {
        self.owner.map(|owner| (owner, self.published.clone()))
    }

    pub fn send(&self, reply: Reply) {
        // A client that has left reads nothing.
        let _ = self.replies.try_send(reply);
    }

    pub fn handle(&mut self, request: Request) {
        match request {
            Request::Subscribe(owner) => _ = self.feeds.insert(owner),
            Request::Publish { sdp, tracks } => {
                let offer = SdpOffer::from_sdp_string(&sdp).unwrap();
                let answer = self.publisher.rtc.sdp_api().accept_offer(offer).unwrap();
                self.publisher.start();
                self.published = tracks;
                self.send(Reply::Answer(answer.to_sdp_string()));
                self.send_candidate(TransportId::Primary);
            }
            Request::Answer(sdp) => {
                let pending = self.pending.take().expect("an answer to an offer");
                let answer = SdpAnswer::from_sdp_string(&sdp).unwrap();
                self.subscriber.rtc.sdp_api().accept_answer(pending, answer).unwrap();
                self.subscriber.start();
            }
            Request::Candidate { transport: TransportId::Primary, candidate } => self.publisher.admit(&candidate),
            Request::Candidate { transport: TransportId::Subscriber, candidate } => self.subscriber.admit(&candidate),
            Request::Tile { track, width } => {
                if let Some(subscription) = self.subscriptions.get_mut(&track) {
                    subscription.target = fitting_layer(&subscription.layers, width);
                }
            }
            Request::Layer { mid, layer } => {
                let mid = Mid::from(mid.as_str());
                for subscription in self.subscriptions.values_mut().filter(|subscription| subscription.mid == mid) {
                    subscription.target = layer;
                }
            }
            Request::Join { .. } | Request::Leave => unreachable!("handled by the SFU"),
        }
    }

    fn send_candidate(&self, transport: TransportId) {
        let candidate = match transport {
            TransportId::Primary => self.publisher.candidate(),
            TransportId::Subscriber => self.subscriber.candidate(),
        };
        self.send(Reply::Candidate { transport, candidate });
    }

    /// Offers the tracks of `all` that it wants and does not receive yet. Does nothing while an offer waits for its answer.
    pub fn offer(&mut self, all: &BTreeMap<TrackId, Published>) {
        let Some(me) = self.owner.filter(|_| self.pending.is_none()) else { return };
        let wanted = |owner| owner != me && (self.auto_subscribe || self.feeds.contains(&owner));
        let new: Vec<_> =
            all.iter().filter(|(track, _)| wanted(track.owner) && !self.subscriptions.contains_key(track)).collect();
        if new.is_empty() {
            return;
        }
        let mut api = self.subscriber.rtc.sdp_api();
        for (track, published) in new {
            let kind = if kind_of(track.slot) == Kind::Audio { MediaKind::Audio } else { MediaKind::Video };
            let mid = api.add_media(kind, Direction::SendOnly, None, None, None);
            self.subscriptions.insert(*track, Subscription::new(mid, published.layers.clone()));
        }
        let (offer, pending) = api.apply().unwrap();
        self.pending = Some(pending);
        let mids = self.subscriptions.iter().map(|(track, subscription)| (subscription.mid.to_string(), *track));
        self.send(Reply::Offer { sdp: offer.to_sdp_string(), tracks: mids.collect() });
        self.send_candidate(TransportId::Subscriber);
    }

    /// Returns the packets that it has sent, each with its track and layer.
    pub fn receive(&mut self) -> Vec<(TrackId, u8, RtpPacket)> {
        let (packets, _) = self.publisher.poll();
        if self.publisher.rtc.is_connected() && !self.connected {
            self.connected = true;
            self.send(Reply::PublisherConnected);
        }
        let Some(owner) = self.owner else { return Vec::new() };
        let mut received = Vec::new();
        for packet in packets {
            let mut direct = self.publisher.rtc.direct_api();
            let Some(stream) = direct.stream_rx(&packet.header.ssrc) else { continue };
            let layer = stream.rid().and_then(|rid| rid.to_string().parse().ok()).unwrap_or(0);
            let mid = stream.mid().to_string();
            if let Some(track) = self.published.iter().find(|track| track.mid == mid) {
                received.push((TrackId { owner, slot: track.slot }, layer, packet));
            }
        }
        received
    }

    /// Returns the layers that need a key frame, because the client requests one or because the layer changes.
    pub fn key_frame_requests(&mut self) -> Vec<(TrackId, u8)> {
        let (_, requested) = self.subscriber.poll();
        let now = Instant::now();
        let mut due = Vec::new();
        for (track, subscription) in
            self.subscriptions.iter_mut().filter(|(track, _)| kind_of(track.slot) == Kind::Video)
        {
            if subscription.is_key_frame_due(now) || requested.contains(&subscription.mid) {
                due.push((*track, subscription.target));
            }
        }
        due
    }

    pub fn request_key_frame(&mut self, slot: Slot, layer: u8) {
        let Some(track) = self.published.iter().find(|track| track.slot == slot) else { return };
        self.publisher.request_key_frame(Mid::from(track.mid.as_str()), Rid::from(layer.to_string().as_str()));
    }

    pub fn forward(&mut self, track: TrackId, layer: u8, key: bool, packet: &RtpPacket) {
        let Some(subscription) = self.subscriptions.get_mut(&track) else { return };
        let starts = key || kind_of(track.slot) == Kind::Audio;
        if let Some(sequence) = subscription.rewrite(layer, starts, *packet.seq_no) {
            self.subscriber.write(subscription.mid, sequence, packet);
        }
    }

    /// Notifies it of the layers of its tracks that are wanted, if they have changed.
    pub fn notify(&mut self, wanted: &BTreeMap<TrackId, Vec<u8>>) {
        let Some(owner) = self.owner else { return };
        for slot in self.published.iter().map(|track| track.slot).filter(|slot| kind_of(*slot) == Kind::Video) {
            let track = TrackId { owner, slot };
            let mut layers = wanted.get(&track).cloned().unwrap_or_default();
            layers.sort_unstable();
            layers.dedup();
            if self.notified.insert(slot, layers.clone()).as_ref() != Some(&layers) {
                self.replies.try_send(Reply::Wanted { track, layers }).ok();
            }
        }
    }
}

impl Subscription {
    /// Creates a subscription that starts with the smallest layer.
    fn new(mid: Mid, layers: Vec<SpatialLayer>) -> Self {
        Self { target: 0, mid, layers, current: None, last: 0, offset: 0, requested: None }
    }

    fn is_key_frame_due(&mut self, now: Instant) -> bool {
        let layer_changes = self.current != Some(self.target);
        let due = layer_changes && self.requested.is_none_or(|at| now >= at + KEY_FRAME_INTERVAL);
        if due {
            self.requested = Some(now);
        }
        due
    }

    /// Returns the sequence number with which to forward a packet. Returns `None` if it is not forwarded. `starts` is true
    /// if a layer can begin with this packet.
    fn rewrite(&mut self, layer: u8, starts: bool, sequence: u64) -> Option<u64> {
        if layer == self.target && starts && self.current != Some(layer) {
            self.current = Some(layer);
            self.offset = (self.last + 1).wrapping_sub(sequence);
        }
        if self.current != Some(layer) {
            return None;
        }
        let rewritten = sequence.wrapping_add(self.offset);
        self.last = self.last.max(rewritten);
        Some(rewritten)
    }
}

/// The minimum time between two requests for a key frame.
const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(200);
