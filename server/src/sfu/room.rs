//! The tracks of one meeting: who sends, who receives, and how packets get from one to the other.

use super::demand::News;
use super::peer::Peer;
use super::switch::{Switch, Target};
use super::track::{Source, Track, Viewer};
use super::{allocator, track};
use proto::{Kind, ParticipantId, Published, SenderLayers, ServerSignal, Subscription, TileWish, Totals, TrackId};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;
use str0m::media::{Mid, Rid};
use str0m::rtp::RtpPacket;

/// All peers of a server.
pub type Peers = HashMap<ParticipantId, Peer>;

/// One meeting's media. See the module.
#[derive(Debug, Default)]
pub struct Room {
    /// Who is in it.
    pub members: BTreeSet<ParticipantId>,
    /// What it moved so far.
    pub totals: Totals,
    tracks: BTreeMap<TrackId, Track>,
    /// The tracks that each member views.
    views: BTreeMap<ParticipantId, Vec<TrackId>>,
}

/// What a step in a room brings about, for the core to act on.
#[derive(Debug, Default)]
pub struct Effects {
    /// Messages, in order.
    pub said: Vec<(ParticipantId, ServerSignal)>,
    /// Peers with something new to send.
    pub dirty: BTreeSet<ParticipantId>,
}

impl Room {
    /// Lets somebody in, and tells what the others send.
    pub fn join(&mut self, participant: ParticipantId, effects: &mut Effects) {
        self.members.insert(participant);
        let owners: BTreeSet<ParticipantId> = self.tracks.keys().map(|track| track.owner).collect();
        for owner in owners {
            let tracks = self.published(owner);
            if owner != participant && !tracks.is_empty() {
                effects.said.push((participant, ServerSignal::Tracks { owner, tracks }));
            }
        }
    }

    /// Somebody is no more: its tracks end, and what it viewed may be wanted less.
    pub fn leave(&mut self, participant: ParticipantId, effects: &mut Effects) {
        self.members.remove(&participant);
        self.views.remove(&participant);
        let published = !self.published(participant).is_empty();
        for (id, track) in &mut self.tracks {
            track.viewers.retain(|viewer| viewer.participant != participant);
            if id.owner == participant {
                track.end();
            }
        }
        self.forget_unused();
        if published {
            self.announce(participant, effects);
        }
    }

    /// Replaces all that somebody sends.
    pub fn publish(&mut self, owner: ParticipantId, published: Vec<Published>, effects: &mut Effects) {
        let before = self.published(owner);
        if before == published {
            return;
        }
        for (id, track) in self.tracks.iter_mut().filter(|(id, _)| id.owner == owner) {
            if published.iter().all(|new| new.slot != id.slot) {
                track.end();
            }
        }
        for new in published {
            let track = self.tracks.entry(TrackId { owner, slot: new.slot }).or_default();
            if track.source.as_ref().is_none_or(|source| source.published != new) {
                track.end();
                track.source = Some(Source::new(new));
            }
        }
        self.forget_unused();
        self.announce(owner, effects);
    }

    /// Replaces all that somebody receives. A description that is used again goes on with its stream's row of numbers:
    /// SRTP (RFC 3711, section 3.3.2) takes what goes back for a replay.
    pub fn subscribe(&mut self, participant: ParticipantId, subscriptions: &[Subscription], peer: &mut Peer) {
        let mut before: HashMap<Mid, (TrackId, Viewer)> = HashMap::new();
        for id in self.views.remove(&participant).unwrap_or_default() {
            let Some(track) = self.tracks.get_mut(&id) else { continue };
            let gone = track.viewers.extract_if(.., |viewer| viewer.participant == participant);
            before.extend(gone.map(|viewer| (viewer.mid, (id, viewer))));
        }
        for Subscription { mid, track: id } in subscriptions {
            let mid = Mid::from(mid.as_str());
            let Some((ssrc, payload)) = peer.outgoing(mid) else { continue };
            let rate = match id.slot {
                proto::Slot::Microphone => 48_000,
                proto::Slot::Camera | proto::Slot::Screen => 90_000,
            };
            let views = self.views.entry(participant).or_default();
            if !self.members.contains(&id.owner) || id.owner == participant || views.contains(id) {
                continue;
            }
            let switch = match before.remove(&mid) {
                Some((old, viewer)) if old == *id => viewer.switch,
                Some((_, viewer)) => viewer.switch.detached(),
                None => peer.parked.remove(&mid).unwrap_or_else(|| Switch::new(first_number(), rate)),
            };
            views.push(*id);
            let viewer = Viewer { participant, mid, ssrc, payload, switch, grant: None };
            self.tracks.entry(*id).or_default().viewers.push(viewer);
        }
        peer.parked.extend(before.into_iter().map(|(mid, (_, viewer))| (mid, viewer.switch.detached())));
        self.forget_unused();
    }

    /// Moves one packet on to everybody who is to get it.
    pub fn forward(
        &mut self,
        id: TrackId,
        rid: Option<Rid>,
        packet: &RtpPacket,
        now: Instant,
        peers: &mut Peers,
        effects: &mut Effects,
    ) {
        self.totals.packets_in += 1;
        if packet.payload.len() > MAX_PAYLOAD {
            return;
        }
        let Some(Track { source: Some(source), viewers }) = self.tracks.get_mut(&id) else { return };
        let Some(arrival) = spatial_of(rid).and_then(|spatial| source.inspect(spatial, packet, now)) else { return };
        let video = source.published.kind == Kind::Video;
        for viewer in viewers {
            let Some(rewritten) = viewer.switch.forward(&arrival) else { continue };
            let Some(peer) = peers.get_mut(&viewer.participant) else { continue };
            if peer.write(viewer, packet, rewritten, video) {
                self.totals.packets_out += 1;
                effects.dirty.insert(viewer.participant);
            } else if video {
                // A hole in the picture: nothing more until the next key frame, which the tick asks for.
                viewer.switch.detach();
            }
        }
    }

    /// Somebody cannot decode what it receives at `mid`: ask for a key frame of the layer that it gets.
    pub fn key_frame_needed(
        &mut self,
        by: ParticipantId,
        mid: Mid,
        now: Instant,
        peers: &mut Peers,
        effects: &mut Effects,
    ) {
        for id in self.views.get(&by).into_iter().flatten() {
            let Some(track) = self.tracks.get_mut(id) else { continue };
            let Some(source) = &mut track.source else { continue };
            let viewer = track.viewers.iter().find(|viewer| viewer.participant == by && viewer.mid == mid);
            if let Some(spatial) = viewer.and_then(|viewer| viewer.switch.current().or(viewer.switch.awaited())) {
                request_key_frame(id.owner, source, spatial, now, peers, effects);
            }
        }
    }

    /// Divides one receiver's downlink among what it wants.
    pub fn allocate(&mut self, participant: ParticipantId, peer: &mut Peer, now: Instant) {
        let mut requests = Vec::new();
        let mut audio = 0_u64;
        for id in self.views.get(&participant).into_iter().flatten() {
            let Some(track) = self.tracks.get_mut(id) else { continue };
            let Some(source) = &track.source else { continue };
            let wish = peer.wishes.as_ref().and_then(|wishes| wishes.get(id));
            for viewer in track.viewers.iter_mut().filter(|viewer| viewer.participant == participant) {
                match source.published.kind {
                    Kind::Audio => {
                        let heard = wish.is_none_or(|wish| !wish.paused);
                        audio += u64::from(heard) * u64::from(track::AUDIO_RATE);
                        viewer.switch.aim(heard.then_some(Target { spatial: 0, temporal: 0 }));
                    }
                    Kind::Video => {
                        let silent = peer.wishes.is_none();
                        requests.push((*id, viewer.mid, request(source, viewer, wish, silent, now)));
                    }
                }
            }
        }
        let all: Vec<allocator::Request> = requests.iter().map(|(.., request)| request.clone()).collect();
        let granted = allocator::allocate(peer.downlink.budget(now), audio, &all);
        let desired = allocator::desire(audio, &all);
        peer.set_desired(desired.saturating_mul(DESIRE) / 100);
        for ((id, mid, _), target) in requests.iter().zip(granted) {
            self.aim(*id, participant, *mid, target, now);
        }
    }

    fn aim(&mut self, id: TrackId, participant: ParticipantId, mid: Mid, target: Option<Target>, now: Instant) {
        let Some(Track { source: Some(source), viewers }) = self.tracks.get_mut(&id) else { return };
        let mine = viewers.iter_mut().filter(|viewer| viewer.participant == participant && viewer.mid == mid);
        mine.for_each(|viewer| {
            viewer.grant = target;
            viewer.switch.aim(target.map(|target| source.nearest(target, now)));
        });
    }

    /// Tells senders what is wanted of them, and asks for the key frames that somebody waits for.
    pub fn notify_senders(&mut self, now: Instant, peers: &mut Peers, effects: &mut Effects) {
        for (id, track) in &mut self.tracks {
            let Some(source) = track.source.as_mut().filter(|source| source.published.kind == Kind::Video) else {
                continue;
            };
            let wanted = wanted(source.layers.len(), &track.viewers);
            if let Some(News { wanted, stopped }) = source.want(&wanted, now) {
                self.totals.layers_stopped += stopped;
                let layers = SenderLayers { slot: id.slot, wanted };
                effects.said.push((id.owner, ServerSignal::SenderLayers { layers }));
            }
            let awaited: BTreeSet<u8> = track.viewers.iter().filter_map(|viewer| viewer.switch.awaited()).collect();
            for spatial in awaited {
                request_key_frame(id.owner, source, spatial, now, peers, effects);
            }
        }
    }

    fn announce(&self, owner: ParticipantId, effects: &mut Effects) {
        let tracks = self.published(owner);
        for member in self.members.iter().filter(|member| **member != owner) {
            effects.said.push((*member, ServerSignal::Tracks { owner, tracks: tracks.clone() }));
        }
    }

    fn published(&self, owner: ParticipantId) -> Vec<Published> {
        let own = self.tracks.iter().filter(|(id, _)| id.owner == owner);
        own.filter_map(|(_, track)| Some(track.source.as_ref()?.published.clone())).collect()
    }

    /// Viewers of somebody who is gone stay until they offer anew: their rows of numbers go on then.
    fn forget_unused(&mut self) {
        self.tracks.retain(|_, track| track.source.is_some() || !track.viewers.is_empty());
    }
}

/// What somebody wants of a track: what it wished; the smallest layer before it has wished anything at all.
fn request(
    source: &Source,
    viewer: &Viewer,
    wish: Option<&TileWish>,
    silent: bool,
    now: Instant,
) -> allocator::Request {
    let smallest = silent.then_some(Target { spatial: 0, temporal: 2 });
    let target = wish.map_or(smallest, |wish| allocator::wish(wish, &source.sizes()));
    let current = viewer.switch.target().filter(|_| viewer.switch.current().is_some());
    allocator::Request {
        rates: source.rates(now),
        wish: target,
        priority: wish.map_or(0, |wish| wish.priority),
        pixels: wish.map_or(0, |wish| u32::from(wish.width) * u32::from(wish.height)),
        current,
    }
}

/// Temporal layers that somebody wants of each spatial layer: what is granted, and what passes until a switch.
fn wanted(layers: usize, viewers: &[Viewer]) -> Vec<u8> {
    let mut wanted = vec![0_u8; layers];
    for viewer in viewers {
        let Some(granted) = viewer.grant else { continue };
        let nearest = viewer.switch.target().map(|target| target.spatial);
        for spatial in [Some(granted.spatial), nearest, viewer.switch.current()].into_iter().flatten() {
            if let Some(most) = wanted.get_mut(usize::from(spatial)) {
                *most = (*most).max(granted.temporal + 1);
            }
        }
    }
    wanted
}

fn request_key_frame(
    owner: ParticipantId,
    source: &mut Source,
    spatial: u8,
    now: Instant,
    peers: &mut Peers,
    effects: &mut Effects,
) {
    let Some(peer) = peers.get_mut(&owner) else { return };
    let mid = source.mid;
    if source.request_key(spatial, now, || peer.request_key_frame(mid, spatial)) {
        effects.dirty.insert(owner);
    }
}

/// RID n is layer n; a stream without RID is the only layer.
fn spatial_of(rid: Option<Rid>) -> Option<u8> {
    let Some(rid) = rid else { return Some(0) };
    let text: &str = &rid;
    text.parse().ok()
}

/// Outgoing rows begin anywhere in the first half, so that they do not wrap at once.
fn first_number() -> u16 {
    use ring::rand::SecureRandom;
    let mut bytes = [0; 2];
    // Any number will do; random ones merely do not say how long somebody has been there.
    let _ = ring::rand::SystemRandom::new().fill(&mut bytes);
    u16::from_be_bytes(bytes) >> 2
}

/// Bytes of a payload that goes on: with headers and tag it fits the smallest usual link.
const MAX_PAYLOAD: usize = 1_300;

/// Percent of what is wished that the estimator is asked to look for: retransmissions must fit, too.
const DESIRE: u64 = 120;
