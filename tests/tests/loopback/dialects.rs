//! Two fake dialects beside the native one: each passes the same test of the driver, with media over real transports.

use crate::client::Client;
use crate::{fake_sfu, opened, run, server};
use bytes::Bytes;
use net::Backends;
use net::sfu::native::Native;
use net::sfu::{
    Caps, Codec, IceCandidate, Incoming, Input, Output, Plan, SdpKind, Sfu, Topology, TrackSpec, TransportId,
    TransportState, kind_of,
};
use proto::{ParticipantId, SenderLayers, Slot, SpatialLayer, TrackId, WantedLayer};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Instant;

/// What two members do in a meeting, whatever the SFU.
async fn two_members_meet(dialect: impl Fn() -> Box<dyn Sfu>) {
    let server = server().await;
    let anna = Client::create_with(&server, "anna", backends(dialect()));
    anna.until("anna is in", |state| state.entered.is_some()).await;
    let ben = Client::join_with(&anna.link(), "ben", backends(dialect()));
    for client in [&anna, &ben] {
        client.until("both are in", |state| state.members.len() == 2).await;
    }
    anna.show(&[&ben], 320, 180);
    ben.show(&[&anna], 320, 180);
    for (client, other) in [(&anna, &ben), (&ben, &anna)] {
        let (camera, voice) = (other.camera(), other.microphone());
        client.until("the other's camera arrives", |state| opened(state, camera) > 20).await;
        client.until("the other's voice arrives", |state| opened(state, voice) > 20).await;
        client.until("layers are wanted", |state| state.wanted.contains_key(&Slot::Camera)).await;
    }
    let before = ben.look(|state| state.key_frames_wanted);
    anna.session.key_frame(ben.camera());
    ben.until("a key frame is requested", |state| state.key_frames_wanted > before).await;
    let (camera, voice) = (ben.camera(), ben.microphone());
    ben.session.unpublish(Slot::Camera);
    anna.until("the camera has ended", |state| state.ended.contains(&camera)).await;
    ben.leave();
    anna.until("the voice has ended", |state| state.ended.contains(&voice)).await;
}

fn backends(sfu: Box<dyn Sfu>) -> Backends {
    Backends { sfu, ..Backends::default() }
}

#[test]
fn two_members_meet_through_the_native_dialect() {
    run(two_members_meet(|| Box::new(Native::default())));
}

#[test]
fn two_members_meet_through_a_dialect_shaped_like_livekit() {
    run(async {
        let url = fake_sfu::start().await;
        two_members_meet(|| Box::new(Fake::new(&url, Shape::LiveKit))).await;
    });
}

#[test]
fn two_members_meet_through_a_dialect_shaped_like_janus() {
    run(async {
        let url = fake_sfu::start().await;
        two_members_meet(|| Box::new(Fake::new(&url, Shape::Janus))).await;
    });
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// The server offers every track by itself once the client's publisher works, and tells senders which layers have a viewer.
    LiveKit,
    /// The client subscribes once its publisher works, and nobody tells senders anything.
    Janus,
}

/// A dialect with a server of its own, two transports, and offers from both sides.
struct Fake {
    shape: Shape,
    url: String,
    me: Option<ParticipantId>,
    connected: bool,
    published: BTreeMap<Slot, TrackSpec>,
    opened: Vec<Slot>,
    /// True while an offer waits for its answer.
    offering: bool,
    /// True if the last offer does not hold all that is published.
    stale: bool,
    /// Tracks of the offer that is being answered.
    offered: Vec<Incoming>,
    announced: HashSet<TrackId>,
    outputs: VecDeque<Output>,
}

impl Fake {
    fn new(url: &str, shape: Shape) -> Self {
        Self {
            shape,
            url: url.into(),
            me: None,
            connected: false,
            published: BTreeMap::new(),
            opened: Vec::new(),
            offering: false,
            stale: false,
            offered: Vec::new(),
            announced: HashSet::new(),
            outputs: VecDeque::new(),
        }
    }

    fn send(&mut self, message: &Value) {
        self.outputs.push_back(Output::Signal(Bytes::from(message.to_string())));
    }

    fn handle_signal(&mut self, bytes: &[u8]) {
        let message: Value = serde_json::from_slice(bytes).unwrap();
        if let Some(sdp) = message["answer"].as_str() {
            self.offering = false;
            let (transport, sdp) = (TransportId::Primary, sdp.into());
            self.outputs.push_back(Output::Apply { transport, sdp, kind: SdpKind::Answer });
        }
        if let Some(sdp) = message["offer"].as_str() {
            self.offered = message["tracks"].as_array().unwrap().iter().map(incoming).collect();
            let (transport, sdp) = (TransportId::Subscriber, sdp.into());
            self.outputs.push_back(Output::Apply { transport, sdp, kind: SdpKind::Offer });
        }
        if let Some(candidate) = message["candidate"].as_str() {
            let subscriber = message["target"] == "subscriber";
            let transport = if subscriber { TransportId::Subscriber } else { TransportId::Primary };
            let candidate = IceCandidate { candidate: candidate.into(), mid: None };
            self.outputs.push_back(Output::AddCandidate { transport, candidate });
        }
        if let Some(ended) = message.get("ended") {
            let track = track_id(ended);
            self.offered.retain(|offered| offered.track != track);
            if self.announced.remove(&track) {
                self.outputs.push_back(Output::TrackEnded(track));
            }
        }
        if let (Some(_), Shape::LiveKit) = (message.get("layers"), self.shape) {
            let wanted = vec![WantedLayer { spatial: 0, temporal_layers: 3 }];
            self.outputs.push_back(Output::SenderLayers(SenderLayers { slot: Slot::Camera, wanted }));
        }
    }

    /// Announces the tracks of the offer that has been answered.
    fn announce(&mut self) {
        for incoming in std::mem::take(&mut self.offered) {
            if self.announced.insert(incoming.track) {
                self.outputs.push_back(Output::Track(incoming));
            }
        }
    }

    fn negotiate(&mut self) {
        if self.connected && self.stale && !self.offering {
            (self.stale, self.offering) = (false, true);
            let send = self.opened.iter().map(|slot| (*slot, kind_of(*slot))).collect();
            let plan = Plan { send, ..Plan::default() };
            self.outputs.push_back(Output::Offer { transport: TransportId::Primary, plan });
        }
    }
}

impl Sfu for Fake {
    fn caps(&self) -> Caps {
        Caps { topology: Topology::PublisherSubscriber, sender_feedback: self.shape == Shape::LiveKit }
    }

    fn handle(&mut self, input: Input, _now: Instant) {
        match input {
            Input::Entered(me) => {
                self.me = Some(me);
                let headers = vec![("x-dialect".into(), format!("{:?}", self.shape))];
                self.outputs.push_back(Output::Connect { url: self.url.clone(), headers });
            }
            Input::Connected => {
                self.connected = true;
                let me = self.me.map(|me| me.0);
                self.send(&json!({ "join": me, "auto_subscribe": self.shape == Shape::LiveKit }));
            }
            Input::SignalLost => self.outputs.push_back(Output::Failed("the SFU's server is gone")),
            Input::Signal(bytes) => self.handle_signal(&bytes),
            Input::Local { transport: TransportId::Primary, sdp, mids } => {
                let published = mids.send.iter().filter(|(slot, _)| self.published.contains_key(slot));
                let tracks: Vec<_> = published.map(|(slot, mid)| json!({ "slot": *slot as u8, "mid": mid })).collect();
                self.send(&json!({ "offer": sdp, "tracks": tracks }));
            }
            Input::Local { transport: TransportId::Subscriber, sdp, .. } => {
                self.send(&json!({ "answer": sdp }));
                self.announce();
            }
            Input::Candidate { candidate, .. } => self.send(&json!({ "trickle": candidate.candidate })),
            Input::TransportState { transport: TransportId::Primary, state: TransportState::Connected } => {
                if self.shape == Shape::Janus {
                    self.send(&json!({ "subscribe": true }));
                }
            }
            Input::Publish(spec) => {
                self.stale = true;
                if !self.opened.contains(&spec.slot) {
                    self.opened.push(spec.slot);
                }
                self.published.insert(spec.slot, spec);
            }
            Input::Unpublish(slot) => {
                self.published.remove(&slot);
                self.send(&json!({ "unpublish": slot as u8 }));
            }
            Input::Wishes(tiles) => {
                let widths: Vec<_> = tiles.iter().map(|tile| tile.width).collect();
                self.send(&json!({ "widths": widths }));
            }
            Input::Leave => self.send(&json!({ "leave": true })),
            Input::TransportState { .. } | Input::Timeout => {}
        }
        self.negotiate();
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}

fn track_id(value: &Value) -> TrackId {
    let slot = match value["slot"].as_u64() {
        Some(0) => Slot::Microphone,
        Some(1) => Slot::Camera,
        _ => Slot::Screen,
    };
    TrackId { owner: ParticipantId(value["owner"].as_u64().unwrap()), slot }
}

fn incoming(value: &Value) -> Incoming {
    let track = track_id(value);
    let codec = Codec::from(kind_of(track.slot));
    let layer = SpatialLayer { spatial: 0, width: 320, height: 180, bitrate: 150_000 };
    let layers = if codec == Codec::H264 { vec![layer] } else { Vec::new() };
    let mid = value["mid"].as_str().unwrap().into();
    Incoming { track, codec, layers, transport: TransportId::Subscriber, mid }
}
