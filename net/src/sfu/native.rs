//! The dialect of our own server: the client always offers, one offer at a time; the server answers.
//!
//! Media descriptions that receive are a pool. A description that loses its track is used for another one, but only
//! after an answer to an offer without the old one: until then packets of the old track may be on their way.

use super::{Caps, Incoming, Input, Output, Placed, Plan, Sfu, kind_of};
use proto::{
    ClientSignal, Kind, MAX_TRACKS, ParticipantId, Published, ServerSignal, Slot, SpatialLayer, Subscription, TileWish,
    TrackId,
};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

/// The machine.
#[derive(Debug, Default)]
pub struct Native {
    me: Option<ParticipantId>,
    published: BTreeMap<Slot, Vec<SpatialLayer>>,
    /// Slots that ever were published: their descriptions stay.
    opened: Vec<Slot>,
    remote: BTreeMap<TrackId, Remote>,
    places: Vec<Place>,
    exchange: Option<Exchange>,
    /// What the last answered offer said.
    agreed: Option<Snapshot>,
    number: u32,
    wishes: Wishes,
    outputs: VecDeque<Output>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Remote {
    kind: Kind,
    layers: Vec<SpatialLayer>,
}

/// A media description that receives.
#[derive(Debug)]
struct Place {
    kind: Kind,
    mid: Option<String>,
    holds: Holds,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Nothing,
    /// A track; `told` once the client knows where it comes.
    Track {
        track: TrackId,
        told: bool,
    },
    /// Packets of a track that nobody wants any more.
    Remains,
}

/// An offer that is being made or waits for its answer.
#[derive(Debug)]
struct Exchange {
    snapshot: Snapshot,
    state: Step,
    deadline: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The stack makes the offer.
    Making,
    /// The server has it.
    Offered,
    /// The stack takes the answer.
    Answering,
}

/// What an offer says, without its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Snapshot {
    published: BTreeMap<Slot, Vec<SpatialLayer>>,
    subscriptions: Vec<Option<TrackId>>,
}

#[derive(Debug, Default)]
struct Wishes {
    waiting: Option<Vec<TileWish>>,
    said: Option<Vec<TileWish>>,
    at: Option<Instant>,
}

impl Sfu for Native {
    fn caps(&self) -> Caps {
        Caps { layers_by_size: true, divides_bandwidth: true, tells_senders: true, reads_descriptor_only: true }
    }

    fn handle(&mut self, input: Input, now: Instant) {
        match input {
            Input::Entered(me) => self.me = Some(me),
            Input::Signal(bytes) => self.handle_signal(&bytes),
            Input::Offered { sdp, placed } => self.handle_offered(sdp, &placed),
            Input::Answered => self.handle_answered(),
            Input::Publish { slot, layers } => {
                self.published.insert(slot, layers);
                if !self.opened.contains(&slot) {
                    self.opened.push(slot);
                }
            }
            Input::Unpublish(slot) => {
                self.published.remove(&slot);
            }
            Input::Wishes(tiles) => self.wishes.waiting = Some(tiles),
            Input::Timeout => self.handle_timeout(now),
        }
        self.negotiate(now);
        self.wish(now);
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let answer = self.exchange.as_ref().map(|exchange| exchange.deadline);
        let wish = self.wishes.waiting.as_ref().and(self.wishes.at).filter(|_| self.me.is_some());
        [answer, wish.map(|at| at + WISH_PAUSE)].into_iter().flatten().min()
    }
}

impl Native {
    fn handle_signal(&mut self, bytes: &[u8]) {
        match proto::decode_signal(bytes) {
            Ok(ServerSignal::Answer { number, sdp }) => self.handle_answer(number, sdp),
            Ok(ServerSignal::OfferRefused { number }) if number == self.number => {
                self.fail("the server refused the offer");
            }
            Ok(ServerSignal::OfferRefused { number }) => tracing::debug!(number, "stray refusal"),
            Ok(ServerSignal::Tracks { owner, tracks }) => self.handle_tracks(owner, tracks),
            Ok(ServerSignal::SenderLayers { layers }) => self.outputs.push_back(Output::SenderLayers(layers)),
            Err(proto::Malformed) => self.outputs.push_back(Output::Failed("the server sent malformed signalling")),
        }
    }

    fn send(&mut self, signal: &ClientSignal) {
        self.outputs.push_back(Output::Signal(proto::encode(signal).into()));
    }

    fn handle_tracks(&mut self, owner: ParticipantId, tracks: Vec<Published>) {
        if self.me == Some(owner) {
            return;
        }
        self.remote.retain(|track, _| track.owner != owner);
        for Published { slot, kind, layers, .. } in tracks {
            if self.remote.len() < MAX_TRACKS && kind == kind_of(slot) {
                self.remote.insert(TrackId { owner, slot }, Remote { kind, layers });
            }
        }
        for place in &mut self.places {
            let Holds::Track { track, told } = place.holds else { continue };
            if self.remote.contains_key(&track) {
                continue;
            }
            place.holds = Holds::Remains;
            if let (true, Some(mid)) = (told, place.mid.clone()) {
                self.outputs.push_back(Output::TrackEnded { track, mid });
            }
        }
    }

    fn handle_answer(&mut self, number: u32, sdp: String) {
        match &mut self.exchange {
            Some(exchange) if exchange.state == Step::Offered && number == self.number => {
                exchange.state = Step::Answering;
                self.outputs.push_back(Output::Answer(sdp));
            }
            // An answer that was not asked for changes nothing.
            Some(_) | None => tracing::debug!(number, "stray answer"),
        }
    }

    fn handle_offered(&mut self, sdp: String, placed: &Placed) {
        let Some(exchange) = self.exchange.as_mut().filter(|exchange| exchange.state == Step::Making) else { return };
        exchange.state = Step::Offered;
        for kind in [Kind::Audio, Kind::Video] {
            let pool = self.places.iter_mut().filter(|place| place.kind == kind);
            for (place, mid) in pool.zip(placed.receive(kind)) {
                place.mid = Some(mid.clone());
            }
        }
        self.number = self.number.wrapping_add(1);
        let mid_of = |slot: Slot| placed.send.iter().find(|(other, _)| *other == slot).map(|(_, mid)| mid.clone());
        let published = exchange.snapshot.published.iter().filter_map(|(slot, layers)| {
            Some(Published { slot: *slot, kind: kind_of(*slot), mid: mid_of(*slot)?, layers: layers.clone() })
        });
        let subscriptions = self
            .places
            .iter()
            .zip(&exchange.snapshot.subscriptions)
            .filter_map(|(place, track)| Some(Subscription { mid: place.mid.clone()?, track: (*track)? }));
        let offer = ClientSignal::Offer {
            number: self.number,
            sdp,
            published: published.collect(),
            subscriptions: subscriptions.collect(),
        };
        self.send(&offer);
    }

    fn handle_answered(&mut self) {
        let Some(exchange) = self.exchange.take() else { return };
        for (place, asked) in self.places.iter_mut().zip(&exchange.snapshot.subscriptions) {
            match place.holds {
                Holds::Remains if asked.is_none() => place.holds = Holds::Nothing,
                Holds::Track { track, told: false } if *asked == Some(track) => {
                    place.holds = Holds::Track { track, told: true };
                    let incoming = self.remote.get(&track).zip(place.mid.clone());
                    self.outputs.extend(incoming.map(|(Remote { kind, layers }, mid)| {
                        Output::Track(Incoming { track, kind: *kind, layers: layers.clone(), mid })
                    }));
                }
                Holds::Nothing | Holds::Remains | Holds::Track { .. } => {}
            }
        }
        self.agreed = Some(exchange.snapshot);
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.exchange.as_ref().is_some_and(|exchange| exchange.deadline <= now) {
            self.fail("the server does not answer the offer");
        }
    }

    fn fail(&mut self, why: &'static str) {
        if self.exchange.take().is_some() {
            self.outputs.push_back(Output::Failed(why));
        }
    }

    /// Begins an offer where what is wanted is not what was agreed on, and none is under way.
    fn negotiate(&mut self, now: Instant) {
        if self.me.is_none() || self.exchange.is_some() {
            return;
        }
        self.find_places();
        let snapshot = Snapshot {
            published: self.published.clone(),
            subscriptions: self.places.iter().map(|place| place.holds.wanted()).collect(),
        };
        let nothing_yet = self.agreed.is_none() && self.opened.is_empty() && self.places.is_empty();
        let remains = self.places.iter().any(|place| place.holds == Holds::Remains);
        if nothing_yet || (!remains && self.agreed.as_ref() == Some(&snapshot)) {
            return;
        }
        let count = |kind: Kind| self.places.iter().filter(|place| place.kind == kind).count();
        let plan = Plan {
            send: self.opened.iter().map(|slot| (*slot, kind_of(*slot))).collect(),
            receive_audio: count(Kind::Audio),
            receive_video: count(Kind::Video),
        };
        self.exchange = Some(Exchange { snapshot, state: Step::Making, deadline: now + ANSWER_LIMIT });
        self.outputs.push_back(Output::Offer(plan));
    }

    /// Gives every remote track a place: a free one, or a new one.
    fn find_places(&mut self) {
        let held: HashSet<TrackId> = self.places.iter().filter_map(|place| place.holds.wanted()).collect();
        for (track, Remote { kind, .. }) in self.remote.iter().filter(|(track, _)| !held.contains(*track)) {
            let holds = Holds::Track { track: *track, told: false };
            let free = self.places.iter_mut().find(|place| place.kind == *kind && place.holds == Holds::Nothing);
            match free {
                Some(place) => place.holds = holds,
                None => self.places.push(Place { kind: *kind, mid: None, holds }),
            }
        }
    }

    /// Says what is wished for, at most ten times a second and never twice the same.
    fn wish(&mut self, now: Instant) {
        let early = self.wishes.at.is_some_and(|at| now < at + WISH_PAUSE);
        if self.me.is_none() || early {
            return;
        }
        let Some(tiles) = self.wishes.waiting.take() else { return };
        if self.wishes.said.as_ref() == Some(&tiles) {
            return;
        }
        self.wishes.at = Some(now);
        self.wishes.said = Some(tiles.clone());
        self.send(&ClientSignal::Wishes { tiles });
    }
}

impl Holds {
    const fn wanted(self) -> Option<TrackId> {
        match self {
            Self::Track { track, .. } => Some(track),
            Self::Nothing | Self::Remains => None,
        }
    }
}

/// How long an exchange may take, with the stack's part.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// Between two lists of wishes: a window that is being resized has a new one sixty times a second.
const WISH_PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
#[path = "native_tests.rs"]
mod tests;
