//! A dialect shaped like that of Janus' `VideoRoom`. The client subscribes after its publisher is connected, and chooses the
//! substream of each track itself. The SFU does not notify senders of viewers.

use super::endpoint::Endpoint;
use crate::fake_sfu::{Format, Published, Reply, Request, fitting_layer};
use net::sfu::{Caps, Input, Mids, Output, Sfu, Topology, TrackSpec, TransportId};
use proto::{ParticipantId, Slot, SpatialLayer, TrackId};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// The client's side.
pub struct Janus {
    endpoint: Endpoint,
    joined: bool,
    /// True once the server reports that the publisher is connected. The server refuses earlier subscriptions.
    publisher_connected: bool,
    subscribed: BTreeSet<ParticipantId>,
    /// The substream that was last requested of each track.
    substreams: BTreeMap<TrackId, u8>,
}

impl Janus {
    pub fn new(url: &str) -> Self {
        Self {
            endpoint: Endpoint::new(url),
            joined: false,
            publisher_connected: false,
            subscribed: BTreeSet::new(),
            substreams: BTreeMap::new(),
        }
    }

    fn handle_frame(&mut self, frame: &Value) {
        match frame["janus"].as_str().unwrap() {
            "webrtcup" => {
                self.publisher_connected = true;
                self.subscribe();
            }
            "trickle" => {
                let (transport, candidate) = read_trickle(frame, "sender");
                self.endpoint.add_candidate(transport, candidate);
            }
            "event" => self.handle_event(&frame["plugindata"]["data"], &frame["jsep"]),
            other => panic!("{other} is not a message of the server"),
        }
    }

    fn handle_event(&mut self, data: &Value, jsep: &Value) {
        self.joined |= data["videoroom"] == "joined";
        if let Some(sdp) = jsep["sdp"].as_str() {
            if jsep["type"] == "answer" {
                self.endpoint.apply_answer(sdp);
            } else {
                let streams = data["streams"].as_array().unwrap().iter();
                self.endpoint.apply_offer(sdp, streams.map(stream_of).collect());
            }
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
        let tracks = streams.map(|(slot, layers)| (TrackId { owner, slot }, layers));
        for track in self.endpoint.update(owner, tracks) {
            self.substreams.remove(&track);
        }
        self.subscribe();
    }

    fn subscribe(&mut self) {
        if !self.publisher_connected {
            return;
        }
        let owners: BTreeSet<_> = self.endpoint.remote.keys().map(|track| track.owner).collect();
        for owner in owners {
            if self.subscribed.insert(owner) {
                let body = json!({ "request": "subscribe", "streams": [{ "feed": owner.0 }] });
                self.endpoint.send(&request(TransportId::Subscriber, &body));
            }
        }
    }

    /// Requests the substream that fits each tile.
    fn configure(&mut self) {
        let mut streams = Vec::new();
        for tile in &self.endpoint.wishes {
            let Some(mid) = self.endpoint.announced.get(&tile.track) else { continue };
            let substream = fitting_layer(&self.endpoint.remote[&tile.track], tile.width);
            if self.substreams.insert(tile.track, substream) != Some(substream) {
                streams.push(json!({ "mid": mid, "substream": substream }));
            }
        }
        if !streams.is_empty() {
            let body = json!({ "request": "configure", "streams": streams });
            self.endpoint.send(&request(TransportId::Subscriber, &body));
        }
    }

    fn send_offer(&mut self, sdp: &str, mids: &Mids) {
        let describe =
            |(spec, mid): (&TrackSpec, &str)| json!({ "mid": mid, "description": describe(spec.slot, &spec.layers) });
        let descriptions: Vec<_> = self.endpoint.publisher.sent(mids).map(describe).collect();
        let mut frame = request(TransportId::Primary, &json!({ "request": "publish", "descriptions": descriptions }));
        frame["jsep"] = json!({ "type": "offer", "sdp": sdp, "e2ee": true });
        self.endpoint.send(&frame);
    }
}

impl Sfu for Janus {
    fn caps(&self) -> Caps {
        Caps { topology: Topology::PublisherSubscriber, sender_feedback: false }
    }

    fn handle(&mut self, input: Input, _now: Instant) {
        match input {
            Input::Entered(me) => self.endpoint.connect(me, ("sec-websocket-protocol", "janus-protocol")),
            Input::Connected => {
                let me = self.endpoint.me.map(|me| me.0);
                let body = json!({ "request": "join", "ptype": "publisher", "id": me });
                self.endpoint.send(&request(TransportId::Primary, &body));
            }
            Input::SignalLost => self.endpoint.fail(),
            Input::Signal(bytes) => self.handle_frame(&serde_json::from_slice(&bytes).unwrap()),
            Input::Local { transport: TransportId::Primary, sdp, mids } => self.send_offer(&sdp, &mids),
            Input::Local { transport: TransportId::Subscriber, sdp, .. } => {
                let mut frame = request(TransportId::Subscriber, &json!({ "request": "start" }));
                frame["jsep"] = json!({ "type": "answer", "sdp": sdp });
                self.endpoint.send(&frame);
                self.endpoint.announce();
                self.configure();
            }
            Input::Candidate { transport, candidate } => {
                let candidate = json!({ "candidate": candidate.candidate, "sdpMid": candidate.mid });
                let handle_id = handle(transport);
                self.endpoint.send(&json!({ "janus": "trickle", "handle_id": handle_id, "candidate": candidate }));
            }
            Input::Publish(spec) => self.endpoint.publisher.publish(spec),
            Input::Unpublish(slot) => self.endpoint.publisher.unpublish(slot),
            Input::Wishes(tiles) => {
                self.endpoint.wishes = tiles;
                self.configure();
            }
            Input::Leave => self.endpoint.send(&json!({ "janus": "destroy" })),
            Input::Suspended
            | Input::Restart
            | Input::Renegotiate { .. }
            | Input::Downlink(_)
            | Input::TransportState { .. }
            | Input::Timeout => {}
        }
        if self.joined {
            self.endpoint.offer_if_due();
        }
    }

    fn poll(&mut self) -> Option<Output> {
        self.endpoint.poll()
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
            other => panic!("{other} is not a message of a client"),
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
                    |track: &Published| json!({ "mid": track.mid, "description": describe(track.slot, &track.layers) });
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
        other => panic!("{other} is not a request"),
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

/// Returns the `mid` and the track of a stream in an offer.
fn stream_of(stream: &Value) -> (String, TrackId) {
    let owner = ParticipantId(stream["feed_id"].as_u64().unwrap());
    (text(&stream["mid"]), TrackId { owner, slot: published_of(&stream["feed_description"]).0 })
}

/// Returns the description of a stream: the name of its slot, and the size and bitrate of each layer.
fn describe(slot: Slot, layers: &[SpatialLayer]) -> String {
    let name = match slot {
        Slot::Microphone => "microphone",
        Slot::Camera => "camera",
        Slot::Screen => "screen",
    };
    let layer = |layer: &SpatialLayer| format!(" {}x{}@{}", layer.width, layer.height, layer.bitrate);
    name.to_owned() + &layers.iter().map(layer).collect::<String>()
}

/// Parses what [`describe`] returns.
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
