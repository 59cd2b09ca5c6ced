//! A dialect shaped like that of `LiveKit`; its wire format is our own. The server offers all tracks without a request, chooses
//! layers by the size of tiles, and notifies senders of the layers that have a receiver.

use super::endpoint::Endpoint;
use crate::fake_sfu::{Format, Published, Reply, Request};
use net::sfu::{Caps, Input, Mids, Output, Sfu, Topology, TransportId};
use proto::{DemandedLayer, ParticipantId, Slot, SpatialLayer, TileWish, TrackDemand, TrackId};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Instant;

/// The client's side.
pub struct LiveKit {
    endpoint: Endpoint,
    connected: bool,
}

impl LiveKit {
    pub fn new(url: &str) -> Self {
        Self { endpoint: Endpoint::new(url), connected: false }
    }

    fn handle_frame(&mut self, frame: &Value) {
        if let Some(sdp) = frame["answer"]["sdp"].as_str() {
            self.endpoint.apply_answer(sdp);
        }
        if let Some(sdp) = frame["offer"]["sdp"].as_str() {
            let mids = frame["offer"]["midToTrackId"].as_object().unwrap();
            self.endpoint.apply_offer(sdp, mids.iter().map(|(mid, sid)| (mid.clone(), track_of(sid))).collect());
        }
        if let Some((transport, candidate)) = read_trickle(frame) {
            self.endpoint.add_candidate(transport, candidate);
        }
        for participant in frame["update"]["participants"].as_array().into_iter().flatten() {
            self.update(participant);
        }
        if let Some(qualities) = frame["subscribedQualityUpdate"]["subscribedQualities"].as_array() {
            let slot = track_of(&frame["subscribedQualityUpdate"]["trackSid"]).slot;
            let enabled = qualities.iter().filter(|quality| quality["enabled"] == true);
            let wanted = enabled.map(|quality| DemandedLayer {
                spatial: spatial(&quality["quality"]),
                temporal_layers: 3,
                max_bitrate: None,
            });
            self.endpoint.push(Output::TrackDemand(TrackDemand { slot, wanted: wanted.collect() }));
        }
    }

    /// Takes the complete list of a participant's tracks.
    fn update(&mut self, participant: &Value) {
        let owner = ParticipantId(participant["sid"].as_u64().unwrap());
        let tracks = participant["tracks"].as_array().unwrap();
        self.endpoint.update(owner, tracks.iter().map(|track| (track_of(&track["sid"]), layers_of(track))));
    }

    /// Sends the size of each tile whose track is received.
    fn send_settings(&mut self) {
        let setting = |tile: &TileWish| {
            let (sid, disabled) = (sid_of(tile.track), tile.hidden);
            let (width, height, fps) = (tile.width, tile.height, tile.frames_per_second);
            json!({ "trackSetting": {
                "trackSids": [sid], "disabled": disabled, "width": width, "height": height, "fps": fps
            } })
        };
        let Endpoint { wishes, announced, .. } = &self.endpoint;
        let received = wishes.iter().filter(|tile| announced.contains_key(&tile.track));
        let frames: Vec<_> = received.map(setting).collect();
        for frame in &frames {
            self.endpoint.send(frame);
        }
    }

    fn send_offer(&mut self, sdp: &str, mids: &Mids) {
        let me = self.endpoint.me.expect("the client is in the meeting");
        let sid = |slot: Slot| sid_of(TrackId { owner: me, slot });
        let mut tracks = Vec::new();
        let mut mid_to_track = serde_json::Map::new();
        for (spec, mid) in self.endpoint.publisher.sent(mids) {
            tracks.push(json!({ "addTrack": { "cid": sid(spec.slot), "layers": write_layers(&spec.layers) } }));
            mid_to_track.insert(mid.into(), sid(spec.slot));
        }
        for frame in &tracks {
            self.endpoint.send(frame);
        }
        self.endpoint.send(&json!({ "offer": { "type": "offer", "sdp": sdp, "midToTrackId": mid_to_track } }));
    }
}

impl Sfu for LiveKit {
    fn caps(&self) -> Caps {
        Caps { topology: Topology::PublisherSubscriber, sender_feedback: true }
    }

    fn handle(&mut self, input: Input, _now: Instant) {
        match input {
            Input::Entered(me) => self.endpoint.connect(me, ("authorization", "Bearer fake")),
            Input::Connected => {
                self.connected = true;
                let me = self.endpoint.me.map(|me| me.0);
                self.endpoint.send(&json!({ "joinRequest": { "participantSid": me, "autoSubscribe": true } }));
            }
            Input::SignalLost => self.endpoint.fail(),
            Input::Signal(bytes) => self.handle_frame(&serde_json::from_slice(&bytes).unwrap()),
            Input::Local { transport: TransportId::Primary, sdp, mids } => self.send_offer(&sdp, &mids),
            Input::Local { transport: TransportId::Subscriber, sdp, .. } => {
                self.endpoint.send(&json!({ "answer": { "type": "answer", "sdp": sdp } }));
                self.endpoint.announce();
                self.send_settings();
            }
            Input::Candidate { transport, candidate } => {
                self.endpoint.send(&write_trickle(transport, &candidate.candidate));
            }
            Input::Publish(spec) => self.endpoint.publisher.publish(spec),
            Input::Unpublish(slot) => self.endpoint.publisher.unpublish(slot),
            Input::Wishes(tiles) => {
                self.endpoint.wishes = tiles;
                self.send_settings();
            }
            Input::Leave => self.endpoint.send(&json!({ "leave": {} })),
            Input::Suspended
            | Input::Restart
            | Input::Renegotiate { .. }
            | Input::Downlink(_)
            | Input::TransportState { .. }
            | Input::Timeout => {}
        }
        if self.connected {
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
pub struct LiveKitFormat {
    /// The layers in each `addTrack`, by its track.
    added: HashMap<TrackId, Vec<SpatialLayer>>,
}

impl Format for LiveKitFormat {
    fn read(&mut self, frame: &Value) -> Vec<Request> {
        if let Some(join) = frame.get("joinRequest") {
            let owner = ParticipantId(join["participantSid"].as_u64().unwrap());
            return vec![Request::Join { owner, auto_subscribe: join["autoSubscribe"] == true }];
        }
        if let Some(track) = frame.get("addTrack") {
            self.added.insert(track_of(&track["cid"]), layers_of(track));
            return Vec::new();
        }
        if let Some(sdp) = frame["offer"]["sdp"].as_str() {
            let mids = frame["offer"]["midToTrackId"].as_object().unwrap().iter();
            let published = |(mid, sid): (&String, &Value)| {
                let track = track_of(sid);
                Published { slot: track.slot, mid: mid.clone(), layers: self.added[&track].clone() }
            };
            return vec![Request::Publish { sdp: sdp.into(), tracks: mids.map(published).collect() }];
        }
        if let Some(sdp) = frame["answer"]["sdp"].as_str() {
            return vec![Request::Answer(sdp.into())];
        }
        if let Some(setting) = frame.get("trackSetting") {
            let width = u16::try_from(setting["width"].as_u64().unwrap()).unwrap();
            let tracks = setting["trackSids"].as_array().unwrap().iter();
            return tracks.map(|sid| Request::Tile { track: track_of(sid), width }).collect();
        }
        let candidate = read_trickle(frame).map(|(transport, candidate)| Request::Candidate { transport, candidate });
        candidate.or_else(|| frame.get("leave").map(|_| Request::Leave)).into_iter().collect()
    }

    fn write(&mut self, reply: &Reply) -> Vec<Value> {
        let frame = match reply {
            Reply::Tracks { owner, tracks } => {
                let sid = |slot| sid_of(TrackId { owner: *owner, slot });
                let track =
                    |track: &Published| json!({ "sid": sid(track.slot), "layers": write_layers(&track.layers) });
                let tracks: Vec<_> = tracks.iter().map(track).collect();
                json!({ "update": { "participants": [{ "sid": owner.0, "tracks": tracks }] } })
            }
            Reply::Answer(sdp) => json!({ "answer": { "type": "answer", "sdp": sdp } }),
            Reply::Offer { sdp, tracks } => {
                let mids: serde_json::Map<_, _> =
                    tracks.iter().map(|(mid, track)| (mid.clone(), sid_of(*track))).collect();
                json!({ "offer": { "type": "offer", "sdp": sdp, "midToTrackId": mids } })
            }
            Reply::Candidate { transport, candidate } => write_trickle(*transport, candidate),
            Reply::Joined | Reply::PublisherConnected => return Vec::new(),
            Reply::Wanted { track, layers } => {
                let quality = |(spatial, quality): (u8, &&str)| json!({ "quality": quality, "enabled": layers.contains(&spatial) });
                let qualities: Vec<_> = (0..).zip(&QUALITIES).map(quality).collect();
                json!({ "subscribedQualityUpdate": { "trackSid": sid_of(*track), "subscribedQualities": qualities } })
            }
        };
        vec![frame]
    }
}

fn write_trickle(transport: TransportId, candidate: &str) -> Value {
    let target = match transport {
        TransportId::Primary => "PUBLISHER",
        TransportId::Subscriber => "SUBSCRIBER",
    };
    json!({ "trickle": { "target": target, "candidateInit": json!({ "candidate": candidate }).to_string() } })
}

fn read_trickle(frame: &Value) -> Option<(TransportId, String)> {
    let trickle = frame.get("trickle")?;
    let init: Value = serde_json::from_str(trickle["candidateInit"].as_str()?).ok()?;
    let transport = if trickle["target"] == "PUBLISHER" { TransportId::Primary } else { TransportId::Subscriber };
    Some((transport, init["candidate"].as_str()?.into()))
}

/// Returns the `LiveKit` track id of a track.
fn sid_of(track: TrackId) -> Value {
    let name = match track.slot {
        Slot::Microphone => "MICROPHONE",
        Slot::Camera => "CAMERA",
        Slot::Screen => "SCREEN_SHARE",
    };
    json!(format!("TR_{name}_{}", track.owner.0))
}

/// Parses what [`sid_of`] returns.
fn track_of(sid: &Value) -> TrackId {
    let (name, owner) = sid.as_str().unwrap().strip_prefix("TR_").unwrap().rsplit_once('_').unwrap();
    let slot = match name {
        "MICROPHONE" => Slot::Microphone,
        "CAMERA" => Slot::Camera,
        _ => Slot::Screen,
    };
    TrackId { owner: ParticipantId(owner.parse().unwrap()), slot }
}

fn write_layers(layers: &[SpatialLayer]) -> Vec<Value> {
    let layer = |layer: &SpatialLayer| {
        let quality = QUALITIES[usize::from(layer.spatial)];
        json!({ "quality": quality, "width": layer.width, "height": layer.height, "bitrate": layer.bitrate })
    };
    layers.iter().map(layer).collect()
}

/// Parses what [`write_layers`] returns, in a track.
fn layers_of(track: &Value) -> Vec<SpatialLayer> {
    let layer = |layer: &Value| SpatialLayer {
        spatial: spatial(&layer["quality"]),
        width: u16::try_from(layer["width"].as_u64().unwrap()).unwrap(),
        height: u16::try_from(layer["height"].as_u64().unwrap()).unwrap(),
        bitrate: u32::try_from(layer["bitrate"].as_u64().unwrap()).unwrap(),
    };
    track["layers"].as_array().unwrap().iter().map(layer).collect()
}

/// Returns the spatial layer that a quality names.
fn spatial(quality: &Value) -> u8 {
    let index = QUALITIES.iter().position(|name| quality == name).unwrap();
    u8::try_from(index).unwrap()
}

/// The names of the layers, smallest first.
const QUALITIES: [&str; 3] = ["LOW", "MEDIUM", "HIGH"];
