//! The dialect of our own server: one transport; the client always offers, one offer at a time, and the server answers.
//! Frames are encoded [`ClientSignal`]s and [`ServerSignal`]s.
//!
//! Media descriptions that receive are a pool. If a track ends, its description is reused for another one, but only
//! after the answer to an offer without the old track. Until then packets of the old track may still arrive.
//!
//! Each description costs processor time and makes every offer and answer longer, so in a large meeting a picture has one
//! only if a tile shows it, and the voices share a few: the server sends whoever speaks there. The pool never has more
//! descriptions than the server accepts.

use super::{
    Caps, Codec, Incoming, Input, Mids, Output, Plan, SdpKind, Sfu, Topology, TrackSpec, TransportId, kind_of,
};
use crate::demand::TileWishes;
use media::Bitrate;
use proto::{
    ClientSignal, DownlinkSettings, Kind, MAX_SHARED_VOICES, MAX_TRACKS, ParticipantId, Published, ServerSignal, Slot,
    SpatialLayer, Subscription, TrackId, TurnAccess,
};
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::time::{Duration, Instant};

/// The dialect of our own server.
#[derive(Debug, Default)]
pub struct Native {
    me: Option<ParticipantId>,
    published: BTreeMap<Slot, Vec<SpatialLayer>>,
    /// Slots that were published once. Their media descriptions remain.
    opened: Vec<Slot>,
    remote: BTreeMap<TrackId, Remote>,
    receivers: Vec<Receiver>,
    negotiation: Option<Negotiation>,
    offer_rate_limit: OfferRateLimit,
    resumption: Resumption,
    /// The content of the last answered offer.
    agreed: Option<Snapshot>,
    /// The number of the last offer.
    number: u32,
    wishes: TileWishes,
    /// What offers say about the downlink.
    downlink: DownlinkSettings,
    /// The tracks that a tile shows now.
    visible: HashSet<TrackId>,
    /// True if voices arrive on shared descriptions. It stays true until the transport is replaced.
    shares_voices: bool,
    outputs: VecDeque<Output>,
}

/// What is left to do after a lost connection.
#[derive(Debug, Default)]
struct Resumption {
    /// True if the next offer is made although nothing has changed.
    offers_again: bool,
    /// Set while the connection to the server is lost.
    is_suspended: bool,
    /// Whose tracks the server has not named again since the connection was lost. Those that it does not name until the next answer
    /// have ended meanwhile.
    unconfirmed: BTreeSet<ParticipantId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Remote {
    kind: Kind,
    layers: Vec<SpatialLayer>,
}

/// A media description that receives.
#[derive(Debug)]
struct Receiver {
    kind: Kind,
    mid: Option<String>,
    usage: Usage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Usage {
    Free,
    /// Receives a track. `announced` is true after the driver was given the track's `mid`.
    Track {
        track: TrackId,
        announced: bool,
    },
    /// Its track has ended. Packets of it may still arrive.
    Draining,
    /// Receives a voice until the next answer. From then on, it arrives on a shared description.
    Leaving(TrackId),
    /// Receives whoever speaks.
    Shared,
}

/// An offer that is being created or waits for its answer.
#[derive(Debug)]
struct Negotiation {
    snapshot: Snapshot,
    sent: bool,
    deadline: Instant,
}

/// The content of an offer, without its session description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Snapshot {
    published: BTreeMap<Slot, Vec<SpatialLayer>>,
    subscriptions: Vec<Option<TrackId>>,
    shares_voices: bool,
}

/// Limits how often an offer is made: others decide how often their tracks change.
#[derive(Debug, Default)]
struct OfferRateLimit {
    /// When the next offer would be due at a steady [`OFFER_INTERVAL`].
    next: Option<Instant>,
    /// Set while an offer waits for its time.
    waits_until: Option<Instant>,
}

impl Sfu for Native {
    fn caps(&self) -> Caps {
        Caps { topology: Topology::One, sender_feedback: true }
    }

    fn handle(&mut self, input: Input, now: Instant) {
        match input {
            Input::Entered(me) => self.enter(me, now),
            Input::Suspended => self.suspend(),
            Input::Restart => self.restart(now),
            Input::Signal(bytes) => self.handle_signal(&bytes),
            Input::Local { sdp, mids, .. } => self.handle_local(sdp, &mids),
            Input::Publish(TrackSpec { slot, layers, .. }) => {
                self.publish(slot, layers);
                if !self.opened.contains(&slot) {
                    self.opened.push(slot);
                }
            }
            Input::Unpublish(slot) => {
                self.published.remove(&slot);
            }
            Input::Wishes(tiles) => {
                self.visible = tiles.iter().filter(|tile| !tile.hidden).map(|tile| tile.track).collect();
                self.wishes.set(tiles, now);
            }
            Input::Renegotiate { .. } => self.resumption.offers_again = true,
            Input::Downlink(settings) => {
                self.resumption.offers_again |=
                    self.agreed.is_some() && settings.max_bitrate != self.downlink.max_bitrate;
                self.downlink = settings;
            }
            Input::Timeout => self.handle_timeout(now),
            // The server is ICE-lite, which needs no candidates, and learns from the meeting that the client leaves.
            Input::Connected
            | Input::SignalLost
            | Input::Candidate { .. }
            | Input::TransportState { .. }
            | Input::Leave => {}
        }
        self.negotiate(now);
        self.send_wishes(now);
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let answer = self.negotiation.as_ref().map(|negotiation| negotiation.deadline);
        let wishes_due = self.wishes.poll_timeout().filter(|_| self.me.is_some());
        [answer, self.offer_rate_limit.waits_until, wishes_due].into_iter().flatten().min()
    }
}

impl Native {
    fn enter(&mut self, me: ParticipantId, now: Instant) {
        self.me = Some(me);
        if std::mem::take(&mut self.resumption.is_suspended) {
            // The answer shows whether the server still has the transport.
            self.resumption.offers_again = true;
            self.wishes.restart(now);
        }
    }

    /// Waits for another connection. The server names all tracks again there, and answers no offer of this one.
    fn suspend(&mut self) {
        (self.me, self.negotiation, self.resumption.is_suspended) = (None, None, true);
        self.resumption.unconfirmed = self.remote.keys().map(|track| track.owner).collect();
    }

    /// Starts again. Keeps what this client publishes and wishes to see. Also keeps the tracks that the server has named on this
    /// connection, because it does not name them again.
    fn restart(&mut self, now: Instant) {
        let Self { published, mut remote, number, mut wishes, visible, downlink, resumption, .. } =
            std::mem::take(self);
        remote.retain(|track, _| !resumption.unconfirmed.contains(&track.owner));
        // The network may be another one.
        let downlink = DownlinkSettings { last_bitrate: None, ..downlink };
        let opened = published.keys().copied().collect();
        wishes.restart(now);
        *self = Self { published, opened, remote, number, wishes, downlink, visible, ..Self::default() };
    }

    fn handle_signal(&mut self, bytes: &[u8]) {
        match proto::decode_signal(bytes) {
            Ok(ServerSignal::Answer { number, sdp, tunnel, turn }) => self.handle_answer(number, sdp, (tunnel, turn)),
            Ok(ServerSignal::OfferRefused { number }) if number == self.number => {
                self.fail("the server refused the offer");
            }
            Ok(ServerSignal::OfferRefused { number }) => tracing::debug!(number, "refusal of an unknown offer"),
            Ok(ServerSignal::Tracks { owner, tracks }) => self.handle_tracks(owner, tracks),
            Ok(ServerSignal::TrackDemand { layers }) => self.outputs.push_back(Output::TrackDemand(layers)),
            Ok(ServerSignal::SoundLoss { percent, max_bitrate }) => self.outputs.push_back(Output::SoundLoss {
                percent: percent.min(100),
                max_bitrate: max_bitrate.map(|limit| Bitrate::bps(limit.into())),
            }),
            Ok(ServerSignal::Downlink { report }) => self.outputs.push_back(Output::Downlink(report)),
            Err(proto::Malformed) => self.outputs.push_back(Output::Failed("the server sent malformed signalling")),
        }
    }

    /// Records a track. A track that the server would ignore is not offered.
    fn publish(&mut self, slot: Slot, layers: Vec<SpatialLayer>) {
        let track = Published { slot, kind: kind_of(slot), mid: String::new(), layers };
        if track.is_complete() {
            self.published.insert(slot, track.layers);
        } else {
            tracing::debug!(?slot, "a track without a layer or a size is not offered");
            self.published.remove(&slot);
        }
    }

    fn send(&mut self, signal: &ClientSignal) {
        self.outputs.push_back(Output::Signal(proto::encode(signal).into()));
    }

    fn handle_tracks(&mut self, owner: ParticipantId, tracks: Vec<Published>) {
        if self.me == Some(owner) {
            return;
        }
        self.resumption.unconfirmed.remove(&owner);
        let before: Vec<_> = self.remote.extract_if(.., |track, _| track.owner == owner).collect();
        for Published { slot, kind, layers, .. } in tracks.into_iter().filter(Published::is_complete) {
            if self.remote.len() < MAX_TRACKS && kind == kind_of(slot) {
                self.remote.insert(TrackId { owner, slot }, Remote { kind, layers });
            }
        }
        for (track, Remote { layers, .. }) in before {
            let now = self.remote.get(&track).map(|remote| &remote.layers).filter(|now| **now != layers);
            if let Some(now) = now.filter(|_| self.is_announced(track)) {
                self.outputs.push_back(Output::LayersChanged(track, now.clone()));
            }
        }
        if self.shares_voices {
            // The driver ignores those that it does not receive.
            let microphone = TrackId { owner, slot: Slot::Microphone };
            let is_gone = !self.remote.contains_key(&microphone);
            self.outputs.extend(is_gone.then_some(Output::TrackEnded(microphone)));
        }
        for receiver in &mut self.receivers {
            let Usage::Track { track, announced } = receiver.usage else { continue };
            if self.remote.contains_key(&track) {
                continue;
            }
            receiver.usage = Usage::Draining;
            if announced {
                self.outputs.push_back(Output::TrackEnded(track));
            }
        }
    }

    /// Returns true if the driver knows that it receives `track`.
    fn is_announced(&self, track: TrackId) -> bool {
        let announced = Usage::Track { track, announced: true };
        self.receivers.iter().any(|receiver| receiver.usage == announced)
    }

    fn handle_answer(&mut self, number: u32, sdp: String, (tunnel, turn): (Option<String>, Option<TurnAccess>)) {
        let Some(negotiation) = self.negotiation.take_if(|negotiation| negotiation.sent && number == self.number)
        else {
            tracing::debug!(number, "answer to an unknown offer");
            return;
        };
        let transport = TransportId::Primary;
        self.outputs.extend(tunnel.map(|token| Output::TunnelToken { transport, token }));
        self.outputs.extend(turn.map(|access| Output::TurnServers { transport, access }));
        self.outputs.push_back(Output::Apply { transport, sdp, kind: SdpKind::Answer });
        // After the answer: if it shows that the server has forgotten the transport, everything begins again.
        for owner in std::mem::take(&mut self.resumption.unconfirmed) {
            self.handle_tracks(owner, Vec::new());
        }
        for (receiver, offered) in self.receivers.iter_mut().zip(&negotiation.snapshot.subscriptions) {
            match receiver.usage {
                Usage::Draining if offered.is_none() => receiver.usage = Usage::Free,
                Usage::Track { track, announced: false } if *offered == Some(track) => {
                    receiver.usage = Usage::Track { track, announced: true };
                    let incoming = self.remote.get(&track).zip(receiver.mid.clone());
                    self.outputs.extend(incoming.map(|(remote, mid)| {
                        let Remote { kind, layers } = remote.clone();
                        let (codec, transport) = (Codec::from(kind), TransportId::Primary);
                        Output::Track(Incoming { track, codec, layers, transport, mid })
                    }));
                }
                Usage::Leaving(track) => {
                    receiver.usage = Usage::Free;
                    self.outputs.push_back(Output::TrackEnded(track));
                }
                Usage::Free | Usage::Draining | Usage::Track { .. } | Usage::Shared => {}
            }
        }
        if negotiation.snapshot.shares_voices {
            let mids = self.shared_mids();
            self.outputs.push_back(Output::SharedVoices { transport, mids });
        }
        self.agreed = Some(negotiation.snapshot);
    }

    fn handle_local(&mut self, sdp: String, mids: &Mids) {
        let Some(negotiation) = self.negotiation.as_mut().filter(|negotiation| !negotiation.sent) else { return };
        negotiation.sent = true;
        for kind in [Kind::Audio, Kind::Video] {
            let pool = self.receivers.iter_mut().filter(|receiver| receiver.kind == kind);
            for (receiver, mid) in pool.zip(mids.receive(kind)) {
                receiver.mid = Some(mid.clone());
            }
        }
        self.number = self.number.wrapping_add(1);
        let mid_of = |slot: Slot| mids.send.iter().find(|(other, _)| *other == slot).map(|(_, mid)| mid.clone());
        let published = negotiation.snapshot.published.iter().filter_map(|(slot, layers)| {
            Some(Published { slot: *slot, kind: kind_of(*slot), mid: mid_of(*slot)?, layers: layers.clone() })
        });
        let subscriptions = self
            .receivers
            .iter()
            .zip(&negotiation.snapshot.subscriptions)
            .filter_map(|(receiver, track)| Some(Subscription { mid: receiver.mid.clone()?, track: (*track)? }));
        let offer = ClientSignal::Offer {
            number: self.number,
            sdp,
            published: published.collect(),
            subscriptions: subscriptions.collect(),
            voices: if negotiation.snapshot.shares_voices { self.shared_mids() } else { Vec::new() },
            downlink: Some(self.downlink).filter(|downlink| *downlink != DownlinkSettings::default()),
        };
        self.send(&offer);
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.negotiation.as_ref().is_some_and(|negotiation| negotiation.deadline <= now) {
            self.fail("the server does not answer the offer");
        }
    }

    fn fail(&mut self, reason: &'static str) {
        if self.negotiation.take().is_some() {
            self.outputs.push_back(Output::Failed(reason));
        }
    }

    /// Starts an offer if the tracks differ from those of the last answered offer, no offer is pending, and the last ones
    /// are long enough ago. Assigns no description to a track before that, because one that was never offered would still
    /// count as used.
    fn negotiate(&mut self, now: Instant) {
        if self.me.is_none() || self.negotiation.is_some() || self.offer_rate_limit.must_wait(now) {
            return;
        }
        self.assign_receivers();
        let snapshot = Snapshot {
            published: self.published.clone(),
            subscriptions: self.receivers.iter().map(|receiver| receiver.usage.track()).collect(),
            shares_voices: self.shares_voices,
        };
        let nothing_yet = self.agreed.is_none() && self.opened.is_empty() && self.receivers.is_empty();
        let draining = self.receivers.iter().any(|receiver| receiver.usage == Usage::Draining);
        let is_agreed = !draining && !self.resumption.offers_again && self.agreed.as_ref() == Some(&snapshot);
        if nothing_yet || is_agreed {
            return;
        }
        self.resumption.offers_again = false;
        let count = |kind: Kind| self.receivers.iter().filter(|receiver| receiver.kind == kind).count();
        let plan = Plan {
            send: self.opened.iter().map(|slot| (*slot, kind_of(*slot))).collect(),
            receive_audio: count(Kind::Audio),
            receive_video: count(Kind::Video),
        };
        self.offer_rate_limit.count(now);
        self.negotiation = Some(Negotiation { snapshot, sent: false, deadline: now + ANSWER_TIMEOUT });
        self.outputs.push_back(Output::Offer { transport: TransportId::Primary, plan });
    }

    /// Assigns a receiver to every remote track that needs one and has none: a free one, or a new one while there are few.
    /// Otherwise takes one from a picture that no tile shows. It is free after the next answer. Screens come first.
    fn assign_receivers(&mut self) {
        let assigned: HashSet<TrackId> = self.receivers.iter().filter_map(|receiver| receiver.usage.track()).collect();
        self.share_voices();
        let needed = self.needed_tracks();
        for slot in [Slot::Screen, Slot::Camera, Slot::Microphone] {
            let (kind, PoolLimits { few, max, of_slot }) = (kind_of(slot), pool_limits(slot));
            let is_draining = |receiver: &&Receiver| receiver.kind == kind && receiver.usage == Usage::Draining;
            let mut free_soon = self.receivers.iter().filter(is_draining).count();
            let (received, missing): (Vec<TrackId>, Vec<TrackId>) =
                needed.iter().filter(|track| track.slot == slot).partition(|track| assigned.contains(*track));
            for track in missing.into_iter().take(of_slot.saturating_sub(received.len())) {
                let usage = Usage::Track { track, announced: false };
                let mut pool = self.receivers.iter_mut().filter(|receiver| receiver.kind == kind);
                if let Some(receiver) = pool.find(|receiver| receiver.usage == Usage::Free) {
                    receiver.usage = usage;
                    continue;
                }
                let count = self.receivers.iter().filter(|receiver| receiver.kind == kind).count();
                if count >= few && (free_soon > 0 || self.take_unneeded(kind, &needed)) {
                    free_soon = free_soon.saturating_sub(1);
                } else if count < max {
                    self.receivers.push(Receiver { kind, mid: None, usage });
                } else {
                    break;
                }
            }
        }
    }

    /// Lets all voices share a few descriptions if there are many. Those that have one of their own keep it until the server
    /// has answered, so that nobody is interrupted.
    fn share_voices(&mut self) {
        let voices = self.remote.values().filter(|remote| remote.kind == Kind::Audio).count();
        if self.shares_voices || voices <= MAX_OWN_VOICES {
            return;
        }
        self.shares_voices = true;
        for receiver in self.receivers.iter_mut().filter(|receiver| receiver.kind == Kind::Audio) {
            receiver.usage = match receiver.usage {
                Usage::Track { track, announced: true } => Usage::Leaving(track),
                Usage::Track { announced: false, .. } => Usage::Draining,
                other @ (Usage::Free | Usage::Draining | Usage::Leaving(_) | Usage::Shared) => other,
            };
        }
        let shared = || Receiver { kind: Kind::Audio, mid: None, usage: Usage::Shared };
        self.receivers.extend(std::iter::repeat_with(shared).take(MAX_SHARED_VOICES));
    }

    /// Returns the `mid`s of the shared descriptions.
    fn shared_mids(&self) -> Vec<String> {
        let shared = self.receivers.iter().filter(|receiver| receiver.usage == Usage::Shared);
        shared.filter_map(|receiver| receiver.mid.clone()).collect()
    }

    /// Returns the remote tracks that need a description: the pictures that a tile shows, and voices unless they share some. If
    /// there are few pictures, all of them, so that a tile that appears shows its picture without another offer.
    fn needed_tracks(&self) -> BTreeSet<TrackId> {
        let pictures = self.remote.values().filter(|remote| remote.kind == Kind::Video).count();
        let all_pictures = pictures <= MAX_UNSEEN_PICTURES;
        let is_needed = |track: &TrackId, remote: &Remote| match remote.kind {
            Kind::Audio => !self.shares_voices,
            Kind::Video => all_pictures || self.visible.contains(track),
        };
        self.remote.iter().filter(|(track, remote)| is_needed(track, remote)).map(|(track, _)| *track).collect()
    }

    /// Takes the receiver of one track that is not needed. Returns false if there is none.
    fn take_unneeded(&mut self, kind: Kind, needed: &BTreeSet<TrackId>) -> bool {
        for receiver in self.receivers.iter_mut().filter(|receiver| receiver.kind == kind) {
            let Usage::Track { track, announced } = receiver.usage else { continue };
            if needed.contains(&track) {
                continue;
            }
            receiver.usage = Usage::Draining;
            if announced {
                self.outputs.push_back(Output::TrackEnded(track));
            }
            return true;
        }
        false
    }

    /// Sends the wishes of our tiles if they are due.
    fn send_wishes(&mut self, now: Instant) {
        if self.me.is_none() {
            return;
        }
        if let Some(tiles) = self.wishes.poll(now) {
            self.send(&ClientSignal::Wishes { tiles });
        }
    }
}

impl OfferRateLimit {
    /// Returns true if no offer may be made yet.
    fn must_wait(&mut self, now: Instant) -> bool {
        let until = self.next.and_then(|next| next.checked_sub(OFFER_INTERVAL * OFFER_BURST));
        self.waits_until = until.filter(|until| now < *until);
        self.waits_until.is_some()
    }

    /// Counts an offer.
    fn count(&mut self, now: Instant) {
        self.next = Some(self.next.map_or(now, |next| next.max(now)) + OFFER_INTERVAL);
    }
}

impl Usage {
    const fn track(self) -> Option<TrackId> {
        match self {
            Self::Track { track, .. } => Some(track),
            Self::Free | Self::Draining | Self::Leaving(_) | Self::Shared => None,
        }
    }
}

/// How many descriptions the tracks of a slot may use.
#[derive(Clone, Copy, Debug)]
struct PoolLimits {
    /// From this number on, those of tracks that are not needed are used before new ones are added.
    few: usize,
    /// The maximum number of descriptions of the slot's kind.
    max: usize,
    /// The maximum number of tracks of the slot.
    of_slot: usize,
}

const fn pool_limits(slot: Slot) -> PoolLimits {
    match slot {
        Slot::Microphone => PoolLimits { few: MAX_VOICES, max: MAX_VOICES, of_slot: MAX_OWN_VOICES },
        Slot::Camera => {
            PoolLimits { few: MAX_UNSEEN_PICTURES, max: MAX_PICTURES, of_slot: MAX_PICTURES - RESERVED_FOR_SCREENS }
        }
        Slot::Screen => PoolLimits { few: MAX_UNSEEN_PICTURES, max: MAX_PICTURES, of_slot: MAX_PICTURES },
    }
}

/// Up to this number, pictures keep descriptions although no tile shows them: a grid of seven by seven tiles.
const MAX_UNSEEN_PICTURES: usize = 49;

/// The maximum number of descriptions that receive pictures.
const MAX_PICTURES: usize = 256;

/// Of these, cameras leave this number to shared screens.
const RESERVED_FOR_SCREENS: usize = 8;

/// Up to this number, each voice has a description of its own.
const MAX_OWN_VOICES: usize = 16;

/// The maximum number of descriptions that receive voices. Some are in use while others drain.
const MAX_VOICES: usize = 3 * MAX_OWN_VOICES;

/// How long the server may take to answer, from the plan of the offer on.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Between two offers on average. The server ends the connection of a client that sends twice as many.
const OFFER_INTERVAL: Duration = Duration::from_millis(200);

/// Offers that may be made at once after a pause: many people join at the same time.
const OFFER_BURST: u32 = 10;

#[cfg(test)]
#[path = "native_tests.rs"]
mod tests;
