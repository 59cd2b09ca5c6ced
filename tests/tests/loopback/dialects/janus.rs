//! A dialect shaped like that of Janus' `VideoRoom`: the client subscribes once its publisher is connected, and chooses the
//! substream of each track itself. Senders are not notified of viewers.

use super::publisher::Publisher;
use crate::fake_sfu::{Format, Published, Reply, Request};
use bytes::Bytes;
use net::sfu::{
    Caps, Codec, IceCandidate, Incoming, Input, Mids, Output, SdpKind, Sfu, Topology, TransportId, kind_of,
};
use proto::{ParticipantId, Slot, SpatialLayer, TileWish, TrackId};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

/// The client's side.
pub struct Janus {
    url: String,
    me: Option<ParticipantId>,
    joined: bool,
    /// True once the server reports that the publisher is connected: earlier subscriptions are refused.
    up: bool,
    publisher: Publisher,
    /// What others send, with its layers.
    remote: BTreeMap<TrackId, Vec<SpatialLayer>>,
    subscribed: BTreeSet<ParticipantId>,
    /// `mid` and track of the offer that is being answered.
    offered: Vec<(String, TrackId)>,
    announced: BTreeMap<TrackId, String>,
    /// The substream that was last requested of each track.
    substreams: BTreeMap<TrackId, u8>,
    wishes: Vec<TileWish>,
    outputs: VecDeque<Output>,
}

impl Janus {
    pub fn new(url: &str) -> Self {
        Self {
            url: url.into(),
            me: None,
            joined: false,
            up: false,
            publisher: Publisher::default(),
            remote: BTreeMap::new(),
            subscribed: BTreeSet::new(),
            offered: Vec::new(),
            announced: BTreeMap::new(),
            substreams: BTreeMap::new(),
            wishes: Vec::new(),
            outputs: VecDeque::new(),
        }
    }

    fn send(&mut self, frame: &Value) {
        self.outputs.push_back(Output::Signal(Bytes::from(frame.to_string())));
    }

    fn handle_frame(&mut self, frame: &Value) {
        match frame["janus"].as_str().unwrap() {
            "webrtcup" => {
                self.up = true;
                self.subscribe();
            }
            "trickle" => {
                let (transport, candidate) = read_trickle(frame, "sender");
                let candidate = IceCandidate { candidate, mid: None };
                self.outputs.push_back(Output::AddCandidate { transport, candidate });
            }
            "event" => self.handle_event(&frame["plugindata"]["data"], &frame["jsep"]),
            other => panic!("{other} is no message of the server"),
        }
    }

    fn handle_event(&mut self, data: &Value, jsep: &Value) {
        self.joined |= data["videoroom"] == "joined";
        if let Some(sdp) = jsep["sdp"].as_str().map(str::to_owned) {
            let (transport, kind) = if jsep["type"] == "answer" {
                self.publisher.handle_answer();
                (TransportId::Primary, SdpKind::Answer)
            } else {
                self.offered = data["streams"].as_array().unwrap().iter().map(stream_of).collect();
                (TransportId::Subscriber, SdpKind::Offer)
            };
            self.outputs.push_back(Output::Apply { transport, sdp, kind });
        }
        for publisher in data["publishers"].as_array().into_iter().flatten() {
            let owner = ParticipantId(publisher["id"].as_u64().unwrap());
            let streams = publisher["streams"].as_array().unwrap();
            self.update(owner, streams.iter().map(|stream| published_of(&stream["description"])));
        }
        if let Some(owner) = data["unpublished"].as_u64() {
            self.update(ParticipantId(owner), std::iter::empty());
        }
    }

    /// Takes the complete list of a participant's streams.
    fn update(&mut self, owner: ParticipantId, streams: impl Iterator<Item = (Slot, Vec<SpatialLayer>)>) {
        self.remote.retain(|track, _| track.owner != owner);
        self.remote.extend(streams.map(|(slot, layers)| (TrackId { owner, slot }, layers)));
        let ended: Vec<_> = self.announced.keys().filter(|track| !self.remote.contains_key(track)).copied().collect();
        for track in ended {
            self.announced.remove(&track);
            self.substreams.remove(&track);
            self.outputs.push_back(Output::TrackEnded(track));
        }
        self.subscribe();
    }

    fn subscribe(&mut self) {
        if !self.up {
            return;
        }
        let owners: BTreeSet<_> = self.remote.keys().map(|track| track.owner).collect();
        for owner in owners {
            if self.subscribed.insert(owner) {
                let streams = json!([{ "feed": owner.0 }]);
                self.send(&request(TransportId::Subscriber, &json!({ "request": "subscribe", "streams": streams })));
            }
        }
    }

    /// Announces the tracks of the offer that has been answered.
    fn announce(&mut self) {
        for (mid, track) in std::mem::take(&mut self.offered) {
            let Some(layers) = self.remote.get(&track).filter(|_| !self.announced.contains_key(&track)) else {
                continue;
            };
            let (codec, layers) = (Codec::from(kind_of(track.slot)), layers.clone());
            self.announced.insert(track, mid.clone());
            let transport = TransportId::Subscriber;
            self.outputs.push_back(Output::Track(Incoming { track, codec, layers, transport, mid }));
        }
        self.configure();
    }

    /// Requests the substream that fits each tile.
    fn configure(&mut self) {
        let mut streams = Vec::new();
        for tile in &self.wishes {
            let Some(mid) = self.announced.get(&tile.track) else { continue };
            let substream = substream(&self.remote[&tile.track], tile.width);
            if self.substreams.insert(tile.track, substream) != Some(substream) {
                streams.push(json!({ "mid": mid, "substream": substream }));
            }
        }
        if !streams.is_empty() {
            self.send(&request(TransportId::Subscriber, &json!({ "request": "configure", "streams": streams })));
        }
    }

    fn send_offer(&mut self, sdp: &str, mids: &Mids) {
        let describe = |(spec, mid): (&net::sfu::TrackSpec, &str)| json!({ "mid": mid, "description": describe(spec.slot, &spec.layers) });
        let descriptions: Vec<_> = self.publisher.sent(mids).map(describe).collect();
        let mut frame = request(TransportId::Primary, &json!({ "request": "publish", "descriptions": descriptions }));
        frame["jsep"] = json!({ "type": "offer", "sdp": sdp, "e2ee": true });
        self.send(&frame);
    }
}

impl Sfu for Janus {
    fn caps(&self) -> Caps {
        Caps { topology: Topology::PublisherSubscriber, sender_feedback: false }
    }

    fn handle(&mut self, input: Input, _now: Instant) {
        match input {
            Input::Entered(me) => {
                self.me = Some(me);
                let headers = vec![("sec-websocket-protocol".into(), "janus-protocol".into())];
                self.outputs.push_back(Output::Connect { url: self.url.clone(), headers });
            }
            Input::Connected => {
                let me = self.me.map(|me| me.0);
                let body = json!({ "request": "join", "ptype": "publisher", "id": me });
                self.send(&request(TransportId::Primary, &body));
            }
            Input::SignalLost => self.outputs.push_back(Output::Failed("the SFU's server is gone")),
            Input::Signal(bytes) => self.handle_frame(&serde_json::from_slice(&bytes).unwrap()),
            Input::Local { transport: TransportId::Primary, sdp, mids } => self.send_offer(&sdp, &mids),
            Input::Local { transport: TransportId::Subscriber, sdp, .. } => {
                let mut frame = request(TransportId::Subscriber, &json!({ "request": "start" }));
                frame["jsep"] = json!({ "type": "answer", "sdp": sdp });
                self.send(&frame);
                self.announce();
            }
            Input::Candidate { transport, candidate } => {
                let candidate = json!({ "candidate": candidate.candidate, "sdpMid": candidate.mid });
                self.send(&json!({ "janus": "trickle", "handle_id": handle(transport), "candidate": candidate }));
            }
            Input::Publish(spec) => self.publisher.publish(spec),
            Input::Unpublish(slot) => self.publisher.unpublish(slot),
            Input::Wishes(tiles) => {
                self.wishes = tiles;
                self.configure();
            }
            Input::Leave => self.send(&json!({ "janus": "destroy" })),
            Input::TransportState { .. } | Input::Timeout => {}
        }
        if self.joined
            && let Some(plan) = self.publisher.next_offer()
        {
            self.outputs.push_back(Output::Offer { transport: TransportId::Primary, plan });
        }
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}

/// The server's side.
#[derive(Default)]
pub struct JanusFormat;

impl Format for JanusFormat {
    fn read(&mut self, frame: &Value) -> Vec<Request> {
        match frame["janus"].as_str().unwrap() {
            "trickle" => {
                let (transport, candidate) = read_trickle(frame, "handle_id");
                vec![Request::Candidate { transport, candidate }]
            }
            "destroy" => vec![Request::Leave],
            "message" => read_request(&frame["body"], frame["jsep"]["sdp"].as_str()),
            other => panic!("{other} is no message of a client"),
        }
    }

    fn write(&mut self, reply: &Reply) -> Vec<Value> {
        let frame = match reply {
            Reply::Joined => event(TransportId::Primary, &json!({ "videoroom": "joined" })),
            Reply::Tracks { owner, tracks } if tracks.is_empty() => {
                event(TransportId::Primary, &json!({ "videoroom": "event", "unpublished": owner.0 }))
            }
            Reply::Tracks { owner, tracks } => {
                let stream =
                    |one: &Published| json!({ "mid": one.mid, "description": describe(one.slot, &one.layers) });
                let streams: Vec<_> = tracks.iter().map(stream).collect();
                let publishers = json!([{ "id": owner.0, "streams": streams }]);
                event(TransportId::Primary, &json!({ "videoroom": "event", "publishers": publishers }))
            }
            Reply::Answer(sdp) => {
                let mut frame = event(TransportId::Primary, &json!({ "videoroom": "event", "configured": "ok" }));
                frame["jsep"] = json!({ "type": "answer", "sdp": sdp });
                frame
            }
            Reply::Offer { sdp, tracks } => {
                let stream = |(mid, track): &(String, TrackId)| json!({ "mid": mid, "feed_id": track.owner.0, "feed_description": describe(track.slot, &[]) });
                let streams: Vec<_> = tracks.iter().map(stream).collect();
                let mut frame = event(TransportId::Subscriber, &json!({ "videoroom": "attached", "streams": streams }));
                frame["jsep"] = json!({ "type": "offer", "sdp": sdp });
                frame
            }
            Reply::Candidate { transport, candidate } => {
                let candidate = json!({ "candidate": candidate });
                json!({ "janus": "trickle", "sender": handle(*transport), "candidate": candidate })
            }
            Reply::PublisherConnected => json!({ "janus": "webrtcup", "sender": handle(TransportId::Primary) }),
            Reply::Wanted { .. } => return Vec::new(),
        };
        vec![frame]
    }
}

fn read_request(body: &Value, sdp: Option<&str>) -> Vec<Request> {
    let streams = || body["streams"].as_array().unwrap().iter();
    match body["request"].as_str().unwrap() {
        "join" => {
            let owner = ParticipantId(body["id"].as_u64().unwrap());
            vec![Request::Join { owner, auto_subscribe: false }]
        }
        "publish" => {
            let published = |stream: &Value| {
                let (slot, layers) = published_of(&stream["description"]);
                Published { slot, mid: text(&stream["mid"]), layers }
            };
            let tracks = body["descriptions"].as_array().unwrap().iter().map(published).collect();
            vec![Request::Publish { sdp: sdp.unwrap().into(), tracks }]
        }
        "subscribe" => {
            streams().map(|stream| Request::Subscribe(ParticipantId(stream["feed"].as_u64().unwrap()))).collect()
        }
        "start" => vec![Request::Answer(sdp.unwrap().into())],
        "configure" => {
            let layer = |stream: &Value| u8::try_from(stream["substream"].as_u64().unwrap()).unwrap();
            streams().map(|stream| Request::Layer { mid: text(&stream["mid"]), layer: layer(stream) }).collect()
        }
        other => panic!("{other} is no request"),
    }
}

fn request(transport: TransportId, body: &Value) -> Value {
    json!({ "janus": "message", "handle_id": handle(transport), "transaction": "fake", "body": body })
}

fn event(transport: TransportId, data: &Value) -> Value {
    let plugin = json!({ "plugin": "janus.plugin.videoroom", "data": data });
    json!({ "janus": "event", "sender": handle(transport), "plugindata": plugin })
}

/// The plugin handle of a transport.
fn handle(transport: TransportId) -> u64 {
    match transport {
        TransportId::Primary => 1,
        TransportId::Subscriber => 2,
    }
}

fn read_trickle(frame: &Value, field: &str) -> (TransportId, String) {
    let transport = if frame[field] == 1 { TransportId::Primary } else { TransportId::Subscriber };
    (transport, text(&frame["candidate"]["candidate"]))
}

/// The smallest layer that fills a tile, or the largest one.
fn substream(layers: &[SpatialLayer], width: u16) -> u8 {
    layers.iter().find(|layer| layer.width >= width).or(layers.last()).map_or(0, |layer| layer.spatial)
}

fn stream_of(stream: &Value) -> (String, TrackId) {
    let owner = ParticipantId(stream["feed_id"].as_u64().unwrap());
    (text(&stream["mid"]), TrackId { owner, slot: published_of(&stream["feed_description"]).0 })
}

/// The description of a stream is a text: the name of its slot, and the size and bitrate of each layer.
fn describe(slot: Slot, layers: &[SpatialLayer]) -> String {
    let name = match slot {
        Slot::Microphone => "microphone",
        Slot::Camera => "camera",
        Slot::Screen => "screen",
    };
    let layer = |layer: &SpatialLayer| format!(" {}x{}@{}", layer.width, layer.height, layer.bitrate);
    name.to_owned() + &layers.iter().map(layer).collect::<String>()
}

fn published_of(description: &Value) -> (Slot, Vec<SpatialLayer>) {
    let description = text(description);
    let mut words = description.split(' ');
    let slot = match words.next().unwrap() {
        "microphone" => Slot::Microphone,
        "camera" => Slot::Camera,
        _ => Slot::Screen,
    };
    let layer = |(spatial, word): (u8, &str)| {
        let (size, bitrate) = word.split_once('@').unwrap();
        let (width, height) = size.split_once('x').unwrap();
        let (width, height) = (width.parse().unwrap(), height.parse().unwrap());
        SpatialLayer { spatial, width, height, bitrate: bitrate.parse().unwrap() }
    };
    (slot, (0..).zip(words).map(layer).collect())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().into()
}
