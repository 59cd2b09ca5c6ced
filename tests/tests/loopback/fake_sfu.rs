//! The SFU of the fake dialects: JSON over a WebSocket of its own, two str0m transports for each participant, and the first
//! layer of every track forwarded to everybody else.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use server::sfu::extension::dependency_descriptor;
use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::media::{Direction, KeyframeRequestKind, MediaKind, Mid, Rid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{Extension, ExtensionMap, RtpPacket, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

/// A message of a participant, by the number of its connection; `None` at its end.
type FromClient = (usize, Option<Value>);

/// Starts the SFU. Returns its URL. It ends with the runtime.
pub async fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/sfu", listener.local_addr().unwrap());
    let (sender, inbox) = mpsc::channel(256);
    let (arrivals, arrived) = mpsc::channel(16);
    tokio::spawn(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            let (to_client, outbox) = mpsc::channel(256);
            arrivals.send((number, to_client)).await.unwrap();
            tokio::spawn(serve(stream, number, sender.clone(), outbox));
        }
    });
    tokio::spawn(FakeSfu { clients: HashMap::new() }.run(inbox, arrived));
    url
}

async fn serve(stream: TcpStream, number: usize, sender: mpsc::Sender<FromClient>, mut outbox: mpsc::Receiver<Value>) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    loop {
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let value = serde_json::from_str(&text).expect("dialects send JSON");
                    sender.send((number, Some(value))).await.unwrap();
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break,
            },
            Some(value) = outbox.recv() => {
                let _ = socket.send(Message::Text(value.to_string().into())).await;
            }
        }
    }
    let _ = sender.send((number, None)).await;
}

struct FakeSfu {
    clients: HashMap<usize, FakeClient>,
}

/// One participant.
struct FakeClient {
    to_client: mpsc::Sender<Value>,
    owner: u64,
    publisher: Transport,
    subscriber: Transport,
    /// Slot by `mid` of the publisher.
    published: HashMap<Mid, u64>,
    /// `mid` of the subscriber by owner and slot.
    subscribed: HashMap<(u64, u64), Mid>,
    pending: Option<SdpPendingOffer>,
    /// True once the first offer is answered. Until then datagrams wait in the socket: str0m cannot use them yet.
    answered: bool,
    /// True once the client wants offers: at once, or after its first subscription.
    subscribes: bool,
}

struct Transport {
    rtc: Rtc,
    socket: UdpSocket,
    candidate: Candidate,
}

impl FakeSfu {
    async fn run(
        mut self,
        mut inbox: mpsc::Receiver<FromClient>,
        mut arrived: mpsc::Receiver<(usize, mpsc::Sender<Value>)>,
    ) {
        let mut tick = tokio::time::interval(Duration::from_millis(2));
        loop {
            tokio::select! {
                Some((number, to_client)) = arrived.recv() => {
                    self.clients.insert(number, FakeClient::new(to_client));
                }
                Some((number, message)) = inbox.recv() => self.handle(number, message),
                _ = tick.tick() => {}
            }
            self.offer_tracks();
            self.forward();
        }
    }

    fn handle(&mut self, number: usize, message: Option<Value>) {
        let Some(message) = message.filter(|message| message.get("leave").is_none()) else {
            if let Some(gone) = self.clients.remove(&number) {
                gone.published.values().for_each(|slot| self.end(gone.owner, *slot));
            }
            return;
        };
        let Some(client) = self.clients.get_mut(&number) else { return };
        if let Some(owner) = message.get("join") {
            client.owner = owner.as_u64().unwrap();
            client.subscribes = message["auto_subscribe"] == true;
            client.send(&json!({ "layers": [{ "slot": 1, "spatial": 0 }] }));
        }
        client.subscribes |= message.get("subscribe").is_some();
        if let Some(sdp) = message["offer"].as_str() {
            let answer = client.publisher.rtc.sdp_api().accept_offer(SdpOffer::from_sdp_string(sdp).unwrap()).unwrap();
            client.published = message["tracks"].as_array().unwrap().iter().map(mid_and_slot).collect();
            client.send(&json!({ "answer": answer.to_sdp_string() }));
            client.send(&json!({ "candidate": client.publisher.candidate.to_sdp_string(), "target": "publisher" }));
        }
        if let (Some(sdp), Some(pending)) = (message["answer"].as_str(), client.pending.take()) {
            let answer = SdpAnswer::from_sdp_string(sdp).unwrap();
            client.subscriber.rtc.sdp_api().accept_answer(pending, answer).unwrap();
            client.answered = true;
        }
        if let Some(slot) = message["unpublish"].as_u64() {
            client.published.retain(|_, published| *published != slot);
            let owner = client.owner;
            self.end(owner, slot);
        }
    }

    fn end(&mut self, owner: u64, slot: u64) {
        for client in self.clients.values_mut() {
            if client.subscribed.remove(&(owner, slot)).is_some() {
                client.send(&json!({ "ended": { "owner": owner, "slot": slot } }));
            }
        }
    }

    /// Offers to each participant the tracks that it does not receive yet.
    fn offer_tracks(&mut self) {
        let all: Vec<(u64, u64)> = self
            .clients
            .values()
            .flat_map(|client| client.published.values().map(|slot| (client.owner, *slot)))
            .collect();
        for client in self.clients.values_mut().filter(|client| client.wants_offer()) {
            let new: Vec<_> = all
                .iter()
                .filter(|track| track.0 != client.owner && !client.subscribed.contains_key(track))
                .copied()
                .collect();
            if new.is_empty() {
                continue;
            }
            let mut api = client.subscriber.rtc.sdp_api();
            for track in new {
                let kind = if track.1 == 0 { MediaKind::Audio } else { MediaKind::Video };
                let mid = api.add_media(kind, Direction::SendOnly, None, None, None);
                client.subscribed.insert(track, mid);
            }
            let (offer, pending) = api.apply().unwrap();
            client.pending = Some(pending);
            let tracks: Vec<Value> = client
                .subscribed
                .iter()
                .map(|((owner, slot), mid)| json!({ "owner": owner, "slot": slot, "mid": mid.to_string() }))
                .collect();
            client.send(&json!({ "offer": offer.to_sdp_string(), "tracks": tracks }));
            client.send(&json!({ "candidate": client.subscriber.candidate.to_sdp_string(), "target": "subscriber" }));
        }
    }

    /// Moves packets and requests for key frames.
    fn forward(&mut self) {
        let (mut packets, mut requests) = (Vec::new(), Vec::new());
        for client in self.clients.values_mut() {
            for packet in client.publisher.poll().0 {
                let mut direct = client.publisher.rtc.direct_api();
                let Some(stream) = direct.stream_rx(&packet.header.ssrc) else { continue };
                if stream.rid().is_some_and(|rid| rid != Rid::from("0")) {
                    continue;
                }
                let slot = client.published.get(&stream.mid());
                packets.extend(slot.map(|slot| ((client.owner, *slot), packet)));
            }
            let requested = if client.answered { client.subscriber.poll().1 } else { Vec::new() };
            for mid in requested {
                let track = client.subscribed.iter().find(|(_, subscribed)| **subscribed == mid);
                requests.extend(track.map(|(track, _)| *track));
            }
        }
        let now = Instant::now();
        for (track, packet) in &packets {
            for client in self.clients.values_mut() {
                if let Some(mid) = client.subscribed.get(track) {
                    client.subscriber.write(*mid, packet, now);
                }
            }
        }
        for (owner, slot) in requests {
            for client in self.clients.values_mut().filter(|client| client.owner == owner) {
                for mid in client.published.iter().filter(|(_, other)| **other == slot).map(|(mid, _)| *mid) {
                    let mut direct = client.publisher.rtc.direct_api();
                    if let Some(stream) = direct.stream_rx_by_mid(mid, Some(Rid::from("0"))) {
                        stream.request_keyframe(KeyframeRequestKind::Pli);
                    }
                }
            }
        }
    }
}

fn mid_and_slot(track: &Value) -> (Mid, u64) {
    (Mid::from(track["mid"].as_str().unwrap()), track["slot"].as_u64().unwrap())
}

impl FakeClient {
    fn new(to_client: mpsc::Sender<Value>) -> Self {
        Self {
            to_client,
            owner: 0,
            publisher: Transport::new(),
            subscriber: Transport::new(),
            published: HashMap::new(),
            subscribed: HashMap::new(),
            pending: None,
            answered: false,
            subscribes: false,
        }
    }

    /// True if its transports are ready for an offer. The first one waits for its publisher.
    fn wants_offer(&self) -> bool {
        self.subscribes && self.pending.is_none() && self.publisher.rtc.is_connected()
    }

    fn send(&self, message: &Value) {
        // A client that has left reads nothing.
        let _ = self.to_client.try_send(message.clone());
    }
}

impl Transport {
    fn new() -> Self {
        let mut extensions = ExtensionMap::empty();
        extensions.set(3, Extension::TransportSequenceNumber);
        extensions.set(4, Extension::RtpMid);
        extensions.set(10, Extension::RtpStreamId);
        extensions.set(11, Extension::RepairedRtpStreamId);
        extensions.set(12, dependency_descriptor());
        let mut rtc = Rtc::builder()
            .set_crypto_provider(Arc::new(str0m::crypto::from_feature_flags()))
            .set_ice_lite(true)
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .enable_h264(true)
            .set_extension_map(extensions)
            .build(Instant::now());
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let candidate = Candidate::host(socket.local_addr().unwrap(), "udp").unwrap();
        rtc.add_local_candidate(candidate.clone());
        Self { rtc, socket, candidate }
    }

    /// Sends and receives what there is. Returns packets, and the `mid`s of which a key frame is requested.
    fn poll(&mut self) -> (Vec<RtpPacket>, Vec<Mid>) {
        let (mut packets, mut requests) = (Vec::new(), Vec::new());
        let mut buffer = [0; 2_048];
        let local: SocketAddr = self.socket.local_addr().unwrap();
        loop {
            let now = Instant::now();
            while let Ok(output) = self.rtc.poll_output() {
                match output {
                    Output::Timeout(_) => break,
                    Output::Transmit(transmit) => {
                        let _ = self.socket.send_to(&transmit.contents, transmit.destination);
                    }
                    Output::Event(Event::RtpPacket(packet)) => packets.push(packet),
                    Output::Event(Event::KeyframeRequest(request)) => requests.push(request.mid),
                    Output::Event(_) => {}
                }
            }
            let Ok((length, source)) = self.socket.recv_from(&mut buffer) else { break };
            if let Ok(datagram) = Receive::new(Protocol::Udp, source, local, &buffer[..length]) {
                let _ = self.rtc.handle_input(Input::Receive(now, datagram));
            }
        }
        let _ = self.rtc.handle_input(Input::Timeout(Instant::now()));
        (packets, requests)
    }

    fn write(&mut self, mid: Mid, packet: &RtpPacket, now: Instant) {
        let Some(pt) = self.rtc.media(mid).and_then(|media| media.remote_pts().first().copied()) else { return };
        let mut direct = self.rtc.direct_api();
        let Some(stream) = direct.stream_tx_by_mid(mid, None) else { return };
        let header = &packet.header;
        let mut values = header.ext_vals.clone();
        values.rid = None;
        let write = RtpWrite::new(pt, packet.seq_no, header.timestamp, now, packet.payload.to_vec());
        stream.write_rtp(write.marker(header.marker).ext_vals(values));
    }
}
