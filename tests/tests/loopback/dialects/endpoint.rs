//! The parts of a client that both fake dialects share: the tracks of the others, and the orders to the driver.

use super::publisher::Publisher;
use bytes::Bytes;
use net::sfu::{Codec, IceCandidate, Incoming, Output, SdpKind, TransportId, kind_of};
use proto::{ParticipantId, SpatialLayer, TileWish, TrackId};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};

/// A client of a fake SFU, without the frame format of a dialect.
pub struct Endpoint {
    /// The participant id. `None` until the client is in the meeting.
    pub me: Option<ParticipantId>,
    pub publisher: Publisher,
    /// The tracks that others send, with their layers.
    pub remote: BTreeMap<TrackId, Vec<SpatialLayer>>,
    /// The tracks that the driver receives, with their `mid`s.
    pub announced: BTreeMap<TrackId, String>,
    pub wishes: Vec<TileWish>,
    url: String,
    /// `mid` and track of the offer that is being answered.
    offered: Vec<(String, TrackId)>,
    outputs: VecDeque<Output>,
}

impl Endpoint {
    pub fn new(url: &str) -> Self {
        Self {
            me: None,
            publisher: Publisher::default(),
            remote: BTreeMap::new(),
            announced: BTreeMap::new(),
            wishes: Vec::new(),
            url: url.into(),
            offered: Vec::new(),
            outputs: VecDeque::new(),
        }
    }

    /// Connects to the SFU, with an additional request header.
    pub fn connect(&mut self, me: ParticipantId, header: (&str, &str)) {
        self.me = Some(me);
        let headers = vec![(header.0.into(), header.1.into())];
        self.outputs.push_back(Output::Connect { url: self.url.clone(), headers });
    }

    pub fn send(&mut self, frame: &Value) {
        self.push(Output::Signal(Bytes::from(frame.to_string())));
    }

    pub fn push(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    /// Applies the answer to the publisher's offer.
    pub fn apply_answer(&mut self, sdp: &str) {
        self.publisher.handle_answer();
        self.push(Output::Apply { transport: TransportId::Primary, sdp: sdp.into(), kind: SdpKind::Answer });
    }

    /// Applies an offer of the SFU with these tracks. [`Endpoint::announce`] follows when it is answered.
    pub fn apply_offer(&mut self, sdp: &str, tracks: Vec<(String, TrackId)>) {
        self.offered = tracks;
        self.push(Output::Apply { transport: TransportId::Subscriber, sdp: sdp.into(), kind: SdpKind::Offer });
    }

    pub fn add_candidate(&mut self, transport: TransportId, candidate: String) {
        self.push(Output::AddCandidate { transport, candidate: IceCandidate { candidate, mid: None } });
    }

    /// Takes the complete list of a participant's tracks. Returns the tracks that have ended.
    pub fn update(
        &mut self,
        owner: ParticipantId,
        tracks: impl IntoIterator<Item = (TrackId, Vec<SpatialLayer>)>,
    ) -> Vec<TrackId> {
        self.remote.retain(|track, _| track.owner != owner);
        self.remote.extend(tracks);
        let ended: Vec<_> = self.announced.keys().filter(|track| !self.remote.contains_key(track)).copied().collect();
        for track in &ended {
            self.announced.remove(track);
            self.push(Output::TrackEnded(*track));
        }
        ended
    }

    /// Announces the new tracks of the offer that has been answered.
    pub fn announce(&mut self) {
        for (mid, track) in std::mem::take(&mut self.offered) {
            let Some(layers) = self.remote.get(&track).filter(|_| !self.announced.contains_key(&track)) else {
                continue;
            };
            let (codec, layers) = (Codec::from(kind_of(track.slot)), layers.clone());
            self.announced.insert(track, mid.clone());
            self.push(Output::Track(Incoming { track, codec, layers, transport: TransportId::Subscriber, mid }));
        }
    }

    /// Orders the publisher's next offer, if one is due.
    pub fn offer_if_due(&mut self) {
        if let Some(plan) = self.publisher.next_offer() {
            self.push(Output::Offer { transport: TransportId::Primary, plan });
        }
    }

    /// Ends the session, because the connection to the SFU is lost.
    pub fn fail(&mut self) {
        self.push(Output::Failed("the connection to the SFU is lost"));
    }

    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }
}
