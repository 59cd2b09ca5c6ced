//! The tracks of one meeting: who sends, who receives, and how packets are forwarded.
//!
//! [`Room::allocate`] decides which layers each viewer gets, from its wishes and its downlink.

use super::allocator::{self, Allocation, Allocator};
use super::demand::Update;
use super::downlink_report;
use super::first_switch::first_switch;
use super::forwarding::{forward_picture, forward_sound};
use super::metrics::DropReason;
use super::output::Output;
use super::peer::{Peer, Peers};
use super::recent_peak::RecentPeak;
use super::shared_voices::Sound;
use super::sound_limit;
use super::sound_loss::SoundReport;
use super::switch::{Switch, Target};
use super::track::{AUDIO_BITRATE, KeyReason, Subscriber, Track, TrackSource};
use super::transport::Transport;
use super::voices::Voices;
use proto::{
    Kind, LimitedTrack, MAX_DESCRIPTIONS, MAX_TILES, ParticipantId, Published, ServerSignal, Slot, Subscription,
    TileWish, Totals, TrackDemand, TrackId,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};
use str0m::media::{Mid, Rid};
use str0m::rtp::RtpPacket;

/// The media of one meeting.
#[derive(Debug)]
pub struct Room {
    /// Who is in the meeting.
    pub members: BTreeSet<ParticipantId>,
    /// The number of members.
    peak: RecentPeak,
    /// What was forwarded so far.
    pub totals: Totals,
    tracks: BTreeMap<TrackId, Track>,
    /// The tracks that each member receives.
    subscriptions: BTreeMap<ParticipantId, Vec<TrackId>>,
    /// When the loss of sound was last compared with the reports to its senders.
    sound_reported: Instant,
    /// Who speaks, and the voices on shared descriptions.
    voices: Voices,
    /// The members whose tracks have ended without an announcement ([`Room::end_sources`]).
    unannounced: BTreeSet<ParticipantId>,
    /// Scratch memory of [`Room::allocate`].
    buffers: AllocationBuffers,
    /// True if the next step panics.
    #[cfg(test)]
    pub panics: bool,
}

/// The lists of the bitrate allocation of one downlink. They keep their memory, because each viewer's downlink is divided ten times a second.
#[derive(Debug, Default)]
struct AllocationBuffers {
    /// The tracks of pictures that the viewer receives, and the media description of each.
    subscribed: Vec<(TrackId, Mid)>,
    /// What it requests of each.
    requests: Vec<allocator::Request>,
    allocator: Allocator,
}

impl Room {
    /// Returns a meeting without members.
    pub fn new(now: Instant) -> Self {
        Self {
            members: BTreeSet::new(),
            peak: RecentPeak::new(now),
            totals: Totals::default(),
            tracks: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            sound_reported: now,
            voices: Voices::default(),
            unannounced: BTreeSet::new(),
            buffers: AllocationBuffers::default(),
            #[cfg(test)]
            panics: false,
        }
    }

    /// Adds a member, and announces to it what the others send.
    pub fn join(&mut self, participant: ParticipantId, now: Instant, output: &mut Output) {
        self.members.insert(participant);
        self.peak.set(self.members.len(), now);
        let owners: BTreeSet<ParticipantId> = self.tracks.keys().map(|track| track.owner).collect();
        for owner in owners {
            let tracks = self.published(owner);
            if owner != participant && !tracks.is_empty() {
                output.signal(participant, ServerSignal::Tracks { owner, tracks });
            }
        }
    }

    /// Handles that a member has another connection for messages: what was said on the one before may be lost.
    pub fn rejoin(&mut self, participant: ParticipantId, now: Instant, output: &mut Output) {
        self.join(participant, now, output);
        for (_, track) in self.tracks.iter_mut().filter(|(id, _)| id.owner == participant) {
            if let Some(source) = &mut track.source {
                source.repeat_reports();
            }
        }
    }

    /// Returns how many media descriptions a member's offer may have, if its transport does not have more already. A member
    /// needs one for each track of the others, and twice as many while tracks change, because a description is used again
    /// only after an offer without its old track: until then, members who have left count. The cost of an offer grows with
    /// the square of their number.
    pub fn max_descriptions(&self, now: Instant) -> usize {
        (SPARE_DESCRIPTIONS + DESCRIPTIONS_PER_MEMBER * self.peak.get(now)).min(MAX_DESCRIPTIONS)
    }

    /// Removes a member with its tracks and subscriptions.
    pub fn leave(&mut self, participant: ParticipantId, now: Instant, output: &mut Output) {
        self.members.remove(&participant);
        self.peak.set(self.members.len(), now);
        self.subscriptions.remove(&participant);
        self.voices.remove(participant);
        self.end_sources(participant);
        for track in self.tracks.values_mut() {
            track.subscribers.retain(|subscriber| subscriber.participant != participant);
        }
        self.remove_unused_tracks();
        self.announce_ended(participant, output);
    }

    /// Replaces the list of tracks that a participant sends.
    pub fn publish(&mut self, owner: ParticipantId, published: Vec<Published>, output: &mut Output) {
        let before = self.published(owner);
        if before == published && !self.unannounced.contains(&owner) {
            return;
        }
        for (id, track) in self.tracks.iter_mut().filter(|(id, _)| id.owner == owner) {
            if published.iter().all(|new| new.slot != id.slot) {
                track.end_source();
            }
        }
        for new in published {
            let track = self.tracks.entry(TrackId { owner, slot: new.slot }).or_default();
            if track.source.as_ref().is_none_or(|source| source.published != new) {
                track.end_source();
                track.source = Some(TrackSource::new(new));
            }
        }
        let microphone = |published: &Published| published.slot == Slot::Microphone;
        if before.iter().find(|old| microphone(old)) != self.published(owner).iter().find(|new| microphone(new)) {
            self.voices.end_source(owner);
        }
        self.remove_unused_tracks();
        self.announce(owner, output);
    }

    /// Replaces the list of tracks that a participant receives. `shared` are the media descriptions on which it receives whoever
    /// speaks. A description that is used again continues its sequence numbers, because SRTP (RFC 3711, section 3.3.2) treats
    /// a smaller number as a replay.
    pub fn subscribe(
        &mut self,
        participant: ParticipantId,
        subscriptions: &[Subscription],
        shared: &[String],
        peer: &mut Peer,
    ) {
        let mut before = self.unsubscribe(participant);
        let (kept, unused): (HashMap<_, _>, HashMap<_, _>) = self
            .voices
            .shared
            .remove_receiver(participant)
            .into_iter()
            .partition(|(mid, _)| shared.iter().any(|other| Mid::from(other.as_str()) == *mid));
        peer.idle_switches.extend(unused.into_iter().map(|(mid, switch)| (mid, switch.for_next_track())));
        for Subscription { mid, track: id } in subscriptions {
            let mid = Mid::from(mid.as_str());
            let Some((ssrc, payload)) = peer.transport.outgoing(mid) else { continue };
            let tracks = self.subscriptions.entry(participant).or_default();
            if !self.members.contains(&id.owner) || id.owner == participant || tracks.contains(id) {
                continue;
            }
            tracks.push(*id);
            let switch = match before.remove(&mid) {
                Some((old, subscriber)) if old == *id => subscriber.switch,
                Some((_, subscriber)) => subscriber.switch.for_next_track(),
                None => {
                    let idle = peer.idle_switches.remove(&mid);
                    idle.unwrap_or_else(|| first_switch(id.slot))
                }
            };
            let subscriber = Subscriber { participant, mid, ssrc, payload, switch, allocated: None };
            self.tracks.entry(*id).or_default().subscribers.push(subscriber);
        }
        let unused = before.into_iter().map(|(mid, (_, subscriber))| (mid, subscriber.switch.for_next_track()));
        peer.idle_switches.extend(unused);
        self.voices.shared.add_receiver(participant, shared, peer, kept);
        peer.transport.forget_streams();
        let transport = &peer.transport;
        peer.idle_switches.retain(|mid, _| transport.has(*mid));
        self.remove_unused_tracks();
    }

    /// Removes a participant's subscriptions, and returns them by media description.
    fn unsubscribe(&mut self, participant: ParticipantId) -> HashMap<Mid, (TrackId, Subscriber)> {
        let mut removed = HashMap::new();
        for id in self.subscriptions.remove(&participant).unwrap_or_default() {
            let Some(track) = self.tracks.get_mut(&id) else { continue };
            let own = track.subscribers.extract_if(.., |subscriber| subscriber.participant == participant);
            removed.extend(own.map(|subscriber| (subscriber.mid, (id, subscriber))));
        }
        removed
    }

    /// Forwards one packet to the subscribers whose switch passes it.
    pub fn forward(
        &mut self,
        id: TrackId,
        rid: Option<Rid>,
        packet: &RtpPacket,
        now: Instant,
        peers: &mut Peers,
        output: &mut Output,
    ) {
        self.totals.packets_in += 1;
        if packet.payload.len() > MAX_PAYLOAD {
            return output.metrics.add_dropped(DropReason::TooLarge, 1);
        }
        let Some(Track { source: Some(source), subscribers }) = self.tracks.get_mut(&id) else { return };
        let replaces = spatial_layer(rid).is_some_and(|spatial| source.is_replacement(spatial, now));
        let Some(info) = spatial_layer(rid).and_then(|spatial| source.inspect(spatial, packet, now)) else {
            return output.metrics.add_dropped(DropReason::Refused, 1);
        };
        let kind = source.published.kind;
        if replaces && info.start && info.key {
            for subscriber in subscribers.iter_mut() {
                subscriber.switch.take_smaller(info.spatial);
            }
        }
        for subscriber in subscribers {
            let Some(peer) = peers.get_mut(&subscriber.participant) else { continue };
            let sent = match kind {
                Kind::Audio => forward_sound(subscriber, packet, &info, &mut peer.transport),
                Kind::Video => forward_picture(subscriber, packet, &info, &mut peer.transport, &mut output.metrics),
            };
            if sent {
                self.totals.packets_out += 1;
                output.dirty.insert(subscriber.participant);
                #[cfg(test)]
                assert!(!self.panics, "injected");
            }
        }
        if kind == Kind::Audio {
            // Of a client that sends no bit, each packet counts as speech: silence is hardly sent.
            let voice = packet.header.ext_vals.voice_activity.unwrap_or(true);
            let sound = Sound { owner: id.owner, packet, info, voice };
            self.totals.packets_out += self.voices.handle_packet(sound, peers, output);
        }
    }

    /// Decides who is the dominant speaker. Called every 100 ms.
    pub fn update_voices(&mut self, now: Instant) {
        self.voices.update(now);
    }

    /// Requests a key frame of the layer that a participant receives at `mid`, because it cannot decode.
    pub fn handle_key_frame_request(
        &mut self,
        from: ParticipantId,
        mid: Mid,
        now: Instant,
        peers: &mut Peers,
        output: &mut Output,
    ) {
        for id in self.subscriptions.get(&from).into_iter().flatten() {
            let Some(track) = self.tracks.get_mut(id) else { continue };
            let Some(source) = &mut track.source else { continue };
            let mut subscribers = track.subscribers.iter();
            let subscriber = subscribers.find(|subscriber| subscriber.participant == from && subscriber.mid == mid);
            // A key frame of the awaited layer ends the loss, too.
            let layer = |switch: &Switch| switch.awaited_layer().or(switch.current());
            let Some(subscriber) = subscriber else { continue };
            let waits = peers.get(&from).is_some_and(|peer| peer.transport.pictures.has_key_frame(subscriber.ssrc));
            if let Some(spatial) = layer(&subscriber.switch).filter(|_| !waits) {
                let request = KeyRequest { owner: id.owner, spatial, reason: KeyReason::Loss };
                request_key_frame(request, source, now, peers, output);
            }
        }
    }

    /// Divides one receiver's downlink among the tracks that it wants. [`allocator::allocate`] decides.
    /// (`codec::rate::allocate` divides a sender's uplink.)
    pub fn allocate(&mut self, participant: ParticipantId, peer: &mut Peer, now: Instant) {
        self.shorten_queue(participant, peer);
        #[cfg(test)]
        assert!(!self.panics, "injected");
        let mut buffers = std::mem::take(&mut self.buffers);
        buffers.subscribed.clear();
        buffers.requests.clear();
        let (mut audio, mut voices) = (0_u64, 0);
        for id in self.subscriptions.get(&participant).into_iter().flatten() {
            let Some(Track { source: Some(source), subscribers }) = self.tracks.get_mut(id) else { continue };
            let wish = peer.wishes.as_ref().and_then(|wishes| wishes.get(id));
            for subscriber in subscribers.iter_mut().filter(|one| one.participant == participant) {
                match source.published.kind {
                    Kind::Audio => {
                        let active = wish.is_none_or(|wish| !wish.hidden);
                        let rate = source.sound_rate(now);
                        voices += usize::from(active && rate > SPEECH_BITRATE);
                        audio += u64::from(active) * rate.max(SILENCE_BITRATE);
                        subscriber.switch.set_target(active.then_some(Target { spatial: 0, temporal: 0 }));
                    }
                    Kind::Video => {
                        let no_wishes = peer.wishes.is_none();
                        let mut request = request(source, subscriber, wish, no_wishes);
                        request.speaker = self.voices.recency(id.owner);
                        if peer.transport.first_probes.is_pending() {
                            request.ideal = request.ideal.map(|ideal| Target { spatial: 0, ..ideal });
                        }
                        buffers.subscribed.push((*id, subscriber.mid));
                        buffers.requests.push(request);
                    }
                }
            }
        }
        for rate in self.voices.shared.rates(participant, &mut self.tracks, now) {
            voices += usize::from(rate > SPEECH_BITRATE);
            audio += rate.max(SILENCE_BITRATE);
        }
        let (known, lost) = (peer.transport.downlink.known_budget(), peer.transport.loss.down);
        peer.sound_limit.update(known, voices, lost);
        // One voice always has room, also if nobody speaks now.
        let one_voice = peer.sound_limit.get().unwrap_or(AUDIO_BITRATE).min(AUDIO_BITRATE);
        audio = if audio > 0 { audio.max(one_voice.into()) } else { 0 };
        let budget = peer.transport.downlink.budget();
        let shares = buffers.allocator.allocate(budget, audio, &buffers.requests);
        tracing::trace!(%participant, budget, audio, requests = ?buffers.requests, ?shares, "allocated");
        let desired = allocator::desired_bitrate(audio, &buffers.requests);
        peer.transport.set_desired(desired.saturating_mul(PROBE_PERCENT) / 100, audio, now);
        self.apply_shares(participant, peer, &buffers, now);
        self.buffers = buffers;
    }

    /// Gives each subscription of a receiver its share of the downlink.
    fn apply_shares(&mut self, participant: ParticipantId, peer: &mut Peer, buffers: &AllocationBuffers, now: Instant) {
        let AllocationBuffers { subscribed, requests, allocator } = buffers;
        let sound_only = allocator.shares().iter().all(Option::is_none);
        peer.limited.clear();
        for (((id, mid), request), share) in subscribed.iter().zip(requests).zip(allocator.shares()) {
            let Some(Track { source: Some(source), subscribers }) = self.tracks.get_mut(id) else { continue };
            for subscriber in subscribers.iter_mut().filter(|one| one.participant == participant && one.mid == *mid) {
                apply(subscriber, source, request, *share, &mut peer.transport, now);
                let allocated = share.map(|share| share.target);
                let cause = downlink_report::cause(sound_only, request.ideal, allocated, subscriber.switch.target());
                peer.limited.extend(cause.map(|cause| LimitedTrack { track: *id, cause }));
            }
        }
        peer.limited.truncate(MAX_TILES);
    }

    /// Drops the pictures that a receiver has not got yet: those that wait, and those that the network has lost. Its tracks
    /// continue with key frames.
    pub fn drop_pictures(&mut self, participant: ParticipantId, peer: &mut Peer) {
        for id in self.subscriptions.get(&participant).into_iter().flatten().filter(|id| id.slot != Slot::Microphone) {
            let Some(track) = self.tracks.get_mut(id) else { continue };
            for subscriber in track.subscribers.iter_mut().filter(|one| one.participant == participant) {
                match peer.transport.pictures.clear(subscriber.ssrc) {
                    Some(next) => subscriber.switch.restart(next),
                    None => subscriber.switch.stop(),
                }
                peer.transport.forget_sent(subscriber.ssrc);
            }
        }
    }

    /// Drops queued pictures of a receiver while its queue is longer than its bound.
    fn shorten_queue(&mut self, participant: ParticipantId, peer: &mut Peer) {
        let budget = peer.transport.downlink.budget();
        while let Some(ssrc) = peer.transport.pictures.overlong_stream(budget) {
            let Some(next) = peer.transport.pictures.clear(ssrc) else { return };
            for id in self.subscriptions.get(&participant).into_iter().flatten() {
                let Some(track) = self.tracks.get_mut(id) else { continue };
                for subscriber in
                    track.subscribers.iter_mut().filter(|one| one.participant == participant && one.ssrc == ssrc)
                {
                    subscriber.switch.restart(next);
                    peer.transport.forget_sent(ssrc);
                }
            }
        }
    }

    /// Tells senders which layers are wanted, and requests the key frames that subscribers wait for.
    pub fn notify_senders(&mut self, now: Instant, peers: &mut Peers, output: &mut Output) {
        for (id, track) in &mut self.tracks {
            let Some(source) = track.source.as_mut().filter(|source| source.published.kind == Kind::Video) else {
                continue;
            };
            let wanted = source.collect_demand(&track.subscribers);
            if let Some(Update { wanted, stopped }) = source.update_demand(&wanted, now) {
                self.totals.layers_stopped += stopped;
                let layers = TrackDemand { slot: id.slot, wanted };
                tracing::trace!(owner = %id.owner, ?layers, "demand");
                output.signal(id.owner, ServerSignal::TrackDemand { layers });
            }
            // Before it is connected, a receiver cannot receive a key frame, and the next one would have to wait.
            let connected = |subscriber: &&Subscriber| {
                peers.get(&subscriber.participant).is_some_and(|peer| peer.transport.is_connected())
            };
            let mut awaited: BTreeSet<u8> = track
                .subscribers
                .iter()
                .filter(connected)
                .filter_map(|subscriber| source.layer_to_request(&subscriber.switch, now))
                .collect();
            // A layer that starts begins with a key frame in any case.
            awaited.retain(|spatial| !source.is_starting(*spatial, now));
            for spatial in awaited {
                let request = KeyRequest { owner: id.owner, spatial, reason: KeyReason::Switch };
                request_key_frame(request, source, now, peers, output);
            }
        }
    }

    /// Compares the loss of sound with the last reports to its senders, once a second, and sends a new one if it has changed or if
    /// a receiver's path has become narrow.
    pub fn report_sound_loss(&mut self, now: Instant, peers: &Peers, output: &mut Output) {
        if now.saturating_duration_since(self.sound_reported) < SOUND_REPORT_INTERVAL {
            return;
        }
        self.sound_reported = now;
        for (id, Track { source, subscribers }) in &mut self.tracks {
            let Some(source) = source.as_mut().filter(|source| source.published.kind == Kind::Audio) else { continue };
            let Some(owner) = peers.get(&id.owner) else { continue };
            let hearing = subscribers.iter().filter(|subscriber| subscriber.switch.current().is_some());
            let sharing = self.voices.shared.receivers_of(id.owner);
            let hearing = hearing.map(|subscriber| subscriber.participant).chain(sharing).collect::<Vec<_>>();
            let receivers = hearing.iter().filter_map(|participant| peers.get(participant));
            let lost = receivers.clone().map(|peer| peer.transport.loss.down).fold(0.0, f32::max);
            let limit = sound_limit::of_all(receivers.map(|peer| peer.sound_limit.get()));
            if let Some(report) = source.sound_loss.update(owner.transport.loss.up, lost, limit, now) {
                source.limit_sound(report.max_bitrate, now);
                let SoundReport { percent, max_bitrate } = report;
                output.signal(id.owner, ServerSignal::SoundLoss { percent, max_bitrate });
            }
        }
    }

    /// Reports to each viewer the bitrate of its downlink and the tracks that are reduced, if they have changed.
    pub fn report_downlinks(&self, now: Instant, peers: &mut Peers, output: &mut Output) {
        for viewer in self.subscriptions.keys() {
            let Some(peer) = peers.get_mut(viewer).filter(|peer| peer.last_report.is_due(now)) else { continue };
            let report = downlink_report::report(&peer.transport, &peer.limited);
            if peer.last_report.update(&report, now) {
                output.signal(*viewer, ServerSignal::Downlink { report });
            }
        }
    }

    /// Ends what a member sends, because it has another transport. The others are told with its next offer: if that names the same
    /// tracks, they go on.
    pub fn end_sources(&mut self, owner: ParticipantId) {
        if !self.published(owner).is_empty() {
            self.unannounced.insert(owner);
        }
        self.tracks.iter_mut().filter(|(id, _)| id.owner == owner).for_each(|(_, track)| track.end_source());
        self.voices.end_source(owner);
        self.remove_unused_tracks();
    }

    /// Tells the others that the tracks of [`Room::end_sources`] have ended. Does nothing if they were told already.
    pub fn announce_ended(&mut self, owner: ParticipantId, output: &mut Output) {
        if self.unannounced.contains(&owner) {
            self.announce(owner, output);
        }
    }

    fn announce(&mut self, owner: ParticipantId, output: &mut Output) {
        self.unannounced.remove(&owner);
        let tracks = self.published(owner);
        for member in self.members.iter().filter(|member| **member != owner) {
            output.signal(*member, ServerSignal::Tracks { owner, tracks: tracks.clone() });
        }
    }

    fn published(&self, owner: ParticipantId) -> Vec<Published> {
        let own = self.tracks.iter().filter(|(id, _)| id.owner == owner);
        own.filter_map(|(_, track)| Some(track.source.as_ref()?.published.clone())).collect()
    }

    /// Removes tracks that have neither a source nor subscribers. Subscribers of a track that ended stay until their
    /// next offer, which continues their sequence numbers.
    fn remove_unused_tracks(&mut self) {
        self.tracks.retain(|_, track| track.source.is_some() || !track.subscribers.is_empty());
    }
}

/// Returns what a subscriber requests of a track: the smallest layer if it has sent no request yet, and nothing if its last
/// request does not name the track.
fn request(
    source: &TrackSource,
    subscriber: &Subscriber,
    wish: Option<&TileWish>,
    no_wishes: bool,
) -> allocator::Request {
    let smallest = no_wishes.then_some(Target { spatial: 0, temporal: 2 });
    let ideal = wish.map_or(smallest, |wish| allocator::layers_for_tile(wish, source.sizes()));
    let current =
        subscriber.allocated.map(|allocation| allocation.target).filter(|_| subscriber.switch.current().is_some());
    allocator::Request {
        rates: source.rates(subscriber.participant),
        ideal,
        priority: wish.map_or(0, |wish| wish.priority),
        speaker: 0,
        pixels: wish.map_or(0, |wish| u32::from(wish.width) * u32::from(wish.height)),
        current,
    }
}

/// Gives a subscriber its part of the downlink. If that is a smaller layer, the larger one continues until then with as
/// many temporal layers as fit, or stops, and its queued packets are dropped.
fn apply(
    subscriber: &mut Subscriber,
    source: &TrackSource,
    request: &allocator::Request,
    allocation: Option<Allocation>,
    transport: &mut Transport,
    now: Instant,
) {
    subscriber.allocated = allocation;
    subscriber.switch.set_target(allocation.map(|allocation| source.nearest(allocation.target, now)));
    let above = subscriber.switch.current().filter(|_| subscriber.switch.is_above_target());
    if let (Some(allocation), Some(spatial)) = (allocation, above) {
        let rate = request.rates.get(usize::from(spatial));
        let fits = |temporal: &u8| rate.is_some_and(|rate| rate.part(rate.max, *temporal) <= allocation.bitrate);
        let temporal = (0..=allocation.target.temporal).rev().find(fits);
        subscriber.switch.reduce(temporal);
        if temporal.is_none() {
            // Nothing depends on its lost packets any more.
            transport.forget_sent(subscriber.ssrc);
        }
    }
    if subscriber.switch.current().is_none()
        && let Some(next) = transport.pictures.clear(subscriber.ssrc)
    {
        subscriber.switch.restart(next);
    }
}

/// A key frame that is needed.
#[derive(Clone, Copy, Debug)]
struct KeyRequest {
    /// The sender.
    owner: ParticipantId,
    spatial: u8,
    reason: KeyReason,
}

fn request_key_frame(
    request: KeyRequest,
    source: &mut TrackSource,
    now: Instant,
    peers: &mut Peers,
    output: &mut Output,
) {
    let KeyRequest { owner, spatial, reason } = request;
    let Some(peer) = peers.get_mut(&owner) else { return };
    let mid = source.mid;
    if source.request_key_frame(spatial, reason, now, || peer.transport.request_key_frame(mid, spatial)) {
        tracing::debug!(%owner, spatial, ?reason, "key frame requested");
        output.metrics.key_requests_sent += 1;
        output.dirty.insert(owner);
    }
}

/// Returns the spatial layer of a simulcast stream: the number in its RID. A stream without RID is the only layer.
fn spatial_layer(rid: Option<Rid>) -> Option<u8> {
    let Some(rid) = rid else { return Some(0) };
    let text: &str = &rid;
    text.parse().ok()
}

/// The interval at which the loss of sound is compared with the reports to its senders.
const SOUND_REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Media descriptions for each member: two for each of its three tracks, and some more.
const DESCRIPTIONS_PER_MEMBER: usize = 8;

/// Further media descriptions: a member's own tracks, and some more.
const SPARE_DESCRIPTIONS: usize = 16;

/// The largest payload that is forwarded, in bytes. With headers and authentication tag it fits into the smallest usual
/// MTU.
const MAX_PAYLOAD: usize = 1_300;

/// A voice with more bits per second speaks, or did in the last seconds.
const SPEECH_BITRATE: u64 = 15_000;

/// Bits per second that are reserved for a voice that is silent now.
const SILENCE_BITRATE: u64 = 4_000;

/// Percent of the requested bitrate that the bandwidth estimator probes for: retransmissions must fit, too.
const PROBE_PERCENT: u64 = 120;
