//! The SFU of the fake dialects: two str0m transports for each participant, and one layer of each track forwarded to
//! each receiver. A [`Format`] turns its requests and replies into the frames of a dialect.

#[path = "fake_sfu/client.rs"]
mod client;
#[path = "fake_sfu/transport.rs"]
mod transport;

use client::FakeClient;
use futures_util::{SinkExt, StreamExt};
use net::sfu::TransportId;
use proto::{ParticipantId, Slot, SpatialLayer, TrackId};
use serde_json::Value;
use server::sfu::extension::with_descriptor;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use str0m::rtp::RtpPacket;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{self as handshake, Response};
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;

/// A request of a participant.
pub enum Request {
    /// Joins.
    Join {
        /// The participant's id.
        owner: ParticipantId,
        /// True if the SFU offers the tracks of all others without a [`Request::Subscribe`].
        auto_subscribe: bool,
    },
    /// Requests an offer with the tracks of one participant.
    Subscribe(ParticipantId),
    /// Offers to send exactly these tracks.
    Publish { sdp: String, tracks: Vec<Published> },
    /// Answers the last [`Reply::Offer`].
    Answer(String),
    /// Adds an ICE candidate of the client. Datagrams from other addresses are dropped.
    Candidate { transport: TransportId, candidate: String },
    /// Reports the width in which a track is shown. The SFU chooses the layer.
    Tile { track: TrackId, width: u16 },
    /// Chooses the layer that the SFU forwards.
    Layer { mid: String, layer: u8 },
    /// Leaves.
    Leave,
}

/// A track that is published.
#[derive(Clone, PartialEq)]
pub struct Published {
    pub slot: Slot,
    pub mid: String,
    pub layers: Vec<SpatialLayer>,
}

/// A message of the SFU to a participant.
pub enum Reply {
    /// The answer to [`Request::Join`].
    Joined,
    /// The complete list of one participant's tracks, after each change. Empty if the participant has left.
    Tracks { owner: ParticipantId, tracks: Vec<Published> },
    /// The answer to [`Request::Publish`].
    Answer(String),
    /// An offer with the tracks of its media descriptions.
    Offer { sdp: String, tracks: Vec<(String, TrackId)> },
    /// An ICE candidate of the SFU.
    Candidate { transport: TransportId, candidate: String },
    /// The transport that receives from the client is connected.
    PublisherConnected,
    /// The layers of one of the participant's own tracks that have a receiver.
    Wanted { track: TrackId, layers: Vec<u8> },
}

/// The frames of a dialect, on the server's side of one connection.
pub trait Format: Send {
    /// Parses a frame of the client.
    fn read(&mut self, frame: &Value) -> Vec<Request>;
    /// Returns the frames for a reply. Returns none if the dialect does not have this reply.
    fn write(&mut self, reply: &Reply) -> Vec<Value>;
}

/// What a connection task sends to the SFU's task.
enum FromConnection {
    Opened(mpsc::Sender<Reply>),
    Request(Request),
    Closed,
}

type Inbox = mpsc::Receiver<(usize, FromConnection)>;

/// Starts the SFU. Returns its URL. It ends with the runtime.
pub async fn start<F: Format + 'static>(format: fn() -> F) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/sfu", listener.local_addr().unwrap());
    let (sender, inbox) = mpsc::channel(256);
    tokio::spawn(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, number, sender.clone(), format()));
        }
    });
    tokio::spawn(FakeSfu::default().run(inbox));
    url
}

async fn serve(
    stream: TcpStream,
    number: usize,
    sender: mpsc::Sender<(usize, FromConnection)>,
    mut format: impl Format,
) {
    let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(stream, echo_subprotocol).await else { return };
    let (replies, mut outbox) = mpsc::channel(256);
    sender.send((number, FromConnection::Opened(replies))).await.unwrap();
    loop {
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let frame = serde_json::from_str(&text).expect("dialects send JSON");
                    for request in format.read(&frame) {
                        sender.send((number, FromConnection::Request(request))).await.unwrap();
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break,
            },
            Some(reply) = outbox.recv() => for frame in format.write(&reply) {
                // If the client has left, the next read ends the loop.
                let _ = socket.send(Message::Text(frame.to_string().into())).await;
            },
        }
    }
    let _ = sender.send((number, FromConnection::Closed)).await;
}

/// Accepts the subprotocol that the client requests.
#[expect(clippy::result_large_err, clippy::unnecessary_wraps, reason = "the signature of tungstenite's callback")]
fn echo_subprotocol(
    request: &handshake::Request,
    mut response: Response,
) -> Result<Response, handshake::ErrorResponse> {
    if let Some(protocol) = request.headers().get(SEC_WEBSOCKET_PROTOCOL) {
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol.clone());
    }
    Ok(response)
}

#[derive(Default)]
struct FakeSfu {
    clients: HashMap<usize, FakeClient>,
}

impl FakeSfu {
    async fn run(mut self, mut inbox: Inbox) {
        let mut tick = tokio::time::interval(Duration::from_millis(2));
        loop {
            tokio::select! {
                Some((number, message)) = inbox.recv() => self.handle(number, message),
                _ = tick.tick() => {}
            }
            self.offer_tracks();
            self.forward();
            self.notify_senders();
        }
    }

    fn handle(&mut self, number: usize, message: FromConnection) {
        match message {
            FromConnection::Opened(replies) => drop(self.clients.insert(number, FakeClient::new(replies))),
            FromConnection::Request(Request::Leave) | FromConnection::Closed => {
                let left = self.clients.remove(&number).and_then(|client| client.owner);
                if let Some(owner) = left {
                    self.announce(owner, &[]);
                }
            }
            FromConnection::Request(Request::Join { owner, auto_subscribe }) => {
                let others: Vec<_> = self.clients.values().filter_map(FakeClient::tracks).collect();
                let Some(client) = self.clients.get_mut(&number) else { return };
                client.owner = Some(owner);
                client.auto_subscribe = auto_subscribe;
                client.send(Reply::Joined);
                for (owner, tracks) in others.into_iter().filter(|(_, tracks)| !tracks.is_empty()) {
                    client.send(Reply::Tracks { owner, tracks });
                }
            }
            FromConnection::Request(request) => {
                let Some(client) = self.clients.get_mut(&number) else { return };
                let before = client.tracks();
                client.handle(request);
                if let Some((owner, tracks)) = client.tracks().filter(|after| before.as_ref() != Some(after)) {
                    self.announce(owner, &tracks);
                }
            }
        }
    }

    /// Sends the tracks of a participant to all others, and ends their subscriptions to other tracks of it.
    fn announce(&mut self, owner: ParticipantId, tracks: &[Published]) {
        for client in self.clients.values_mut().filter(|client| client.owner.is_some_and(|other| other != owner)) {
            client
                .subscriptions
                .retain(|track, _| track.owner != owner || tracks.iter().any(|published| published.slot == track.slot));
            client.send(Reply::Tracks { owner, tracks: tracks.to_vec() });
        }
    }

    /// Sends each participant an offer with the tracks that it does not receive yet.
    fn offer_tracks(&mut self) {
        let all: BTreeMap<TrackId, Published> = self
            .clients
            .values()
            .filter_map(FakeClient::tracks)
            .flat_map(|(owner, tracks)| {
                tracks.into_iter().map(move |track| (TrackId { owner, slot: track.slot }, track))
            })
            .collect();
        self.clients.values_mut().for_each(|client| client.offer(&all));
    }

    /// Forwards packets to receivers, and requests for key frames to senders.
    fn forward(&mut self) {
        let (mut packets, mut requests) = (Vec::new(), Vec::new());
        for client in self.clients.values_mut() {
            packets.extend(client.receive());
            requests.extend(client.key_frame_requests());
        }
        for (track, layer, packet) in &packets {
            let key = starts_key_frame(packet);
            for client in self.clients.values_mut() {
                client.forward(*track, *layer, key, packet);
            }
        }
        for (track, layer) in requests {
            for client in self.clients.values_mut().filter(|client| client.owner == Some(track.owner)) {
                client.request_key_frame(track.slot, layer);
            }
        }
    }

    /// Notifies each sender of the layers of its tracks that have a receiver.
    fn notify_senders(&mut self) {
        let mut wanted: BTreeMap<TrackId, Vec<u8>> = BTreeMap::new();
        for (track, subscription) in self.clients.values().flat_map(|client| &client.subscriptions) {
            wanted.entry(*track).or_default().push(subscription.target);
        }
        for client in self.clients.values_mut() {
            client.notify(&wanted);
        }
    }
}

/// Returns the smallest layer that fills a tile of `width` pixels, else the largest layer. Returns 0 without layers.
pub fn fitting_layer(layers: &[SpatialLayer], width: u16) -> u8 {
    layers.iter().find(|layer| layer.width >= width).or(layers.last()).map_or(0, |layer| layer.spatial)
}

/// Returns whether a packet is the first one of a key frame: only these contain a structure.
fn starts_key_frame(packet: &RtpPacket) -> bool {
    let read = with_descriptor(&packet.header.ext_vals, |bytes| proto::descriptor::Descriptor::read(bytes, None).ok());
    read.flatten().is_some_and(|descriptor| descriptor.structure.is_some())
}
