//! A member with valid keys and a connected transport whose packets and RTCP the test chooses.

use crate::client::{SIZES, picture};
use crate::stranger;
use bytes::Bytes;
use crypto::group::hostile;
use crypto::{Identity, Invitation, KeyRing, Leaf, Profile, Sealer};
use futures_util::{SinkExt, StreamExt};
use media::{BufferPool, Clock};
use net::meeting::{Entry, Event, Meeting};
use net::rtp::description::sections;
use net::rtp::packetize::{Packetizer, StreamParameters};
use proto::descriptor::{self, ScalabilityMode};
use proto::{
    Blob, ClientMessage, ClientSignal, FromSfu, Kind, ParticipantId, Published, ServerMessage, ServerSignal, Slot,
    SpatialLayer, ToSfu, TrackId,
};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::RTCConfigurationBuilder;
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_H264, MediaEngine};
use rtc::peer_connection::configuration::setting_engine::SettingEngineBuilder;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::rtp;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tests::attack::wire::Tls;
use tests::sfu::offer_of;
use tokio::sync::watch;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCPeerConnectionState, Registry,
};
use webrtc::runtime::TokioRuntime;

/// A member that sends what the test chooses.
pub struct Insider {
    pub me: ParticipantId,
    /// The id of the Dependency Descriptor in its packets.
    pub descriptor: u8,
    socket: WebSocketStream<Tls>,
    meeting: Meeting,
    ring: KeyRing,
    /// The leaf of the member in whose name it seals; `None` for its own.
    speaks_as: Option<Leaf>,
    connection: Arc<dyn PeerConnection>,
    connected: watch::Receiver<bool>,
    camera: Arc<TrackLocalStaticRTP>,
    packetizer: Option<Packetizer>,
    /// The session description of its offer.
    sdp: String,
    sealer: Sealer,
    clock: Clock,
    pool: BufferPool,
    number: u64,
}

impl Insider {
    /// Joins by a link, offers a camera of one layer, and waits until its transport is connected.
    pub async fn join(link: &str) -> Self {
        Self::join_as(link, None).await
    }

    /// Joins as [`Self::join`] does, and seals its pictures as the member at `speaks_as`, if there is one.
    pub async fn join_as(link: &str, speaks_as: Option<Leaf>) -> Self {
        let invitation: Invitation = link.parse().unwrap();
        let address = SocketAddr::new(invitation.host.parse().unwrap(), invitation.port);
        let tls = stranger::connect_tls(address).await;
        let (socket, _) = tokio_tungstenite::client_async(format!("wss://{address}/v1"), tls).await.unwrap();
        let entry = Entry::Join {
            invitation,
            identity: Identity::generate().unwrap(),
            profile: Profile::new("insider").unwrap(),
        };
        let (states, connected) = watch::channel(false);
        let (connection, camera) = transport(states).await;
        let ring = KeyRing::new();
        let mut insider = Self {
            me: ParticipantId(0),
            descriptor: 0,
            socket,
            meeting: Meeting::new(entry, Box::new(|_| SystemTime::now()), Instant::now()),
            sealer: Sealer::new(ring.clone(), Slot::Camera),
            ring,
            speaks_as,
            connection,
            connected,
            camera,
            packetizer: None,
            sdp: String::new(),
            clock: Clock::default(),
            pool: BufferPool::new(64),
            number: 0,
        };
        insider.run_until(|insider| insider.meeting.me().is_some() && insider.me != ParticipantId(0)).await;
        insider.offer().await;
        insider.run_until(|insider| insider.packetizer.is_some() && *insider.connected.borrow()).await;
        insider
    }

    /// Returns its camera's id.
    pub fn camera(&self) -> TrackId {
        TrackId { owner: self.me, slot: Slot::Camera }
    }

    /// Returns the valid packets of its next picture. Every eighth picture is a key frame.
    pub fn picture(&mut self) -> Vec<rtp::Packet> {
        let key = self.number.is_multiple_of(8);
        let plain = picture(self.number, 0, key, self.clock.now(), &self.pool);
        self.number += 1;
        let sealed = self.sealer.seal(plain).unwrap();
        let mut packets = Vec::new();
        self.packetizer.as_mut().unwrap().packets(sealed, &mut packets);
        packets
    }

    /// Sends an RTP packet in its session.
    pub async fn send(&self, packet: rtp::Packet) {
        self.camera.write_rtp(packet).await.unwrap();
    }

    /// Sends an RTP packet if its session is open.
    pub async fn try_send_packet(&self, packet: rtp::Packet) {
        let _ = self.camera.write_rtp(packet).await;
    }

    /// Returns its keys. It never drops them by itself.
    pub fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// Sends bytes as an RTCP packet in its session.
    pub async fn send_rtcp(&self, bytes: Vec<u8>) {
        let report = rtc::rtcp::raw_packet::RawPacket(Bytes::from(bytes));
        self.camera.write_rtcp(vec![Box::new(report)]).await.unwrap();
    }

    /// Sends a message to the server, also one that a real client never sends.
    pub async fn send_message(&mut self, message: &ClientMessage) {
        self.socket.send(Message::Binary(proto::encode(message).into())).await.unwrap();
    }

    /// Sends a message if the server has not closed the connection.
    pub async fn try_send(&mut self, message: &ClientMessage) {
        let _ = self.socket.send(Message::Binary(proto::encode(message).into())).await;
    }

    /// Handles messages of the server for `length`, as a member does.
    pub async fn listen(&mut self, length: Duration) {
        let _ = tokio::time::timeout(length, self.serve(|_| false)).await;
    }

    /// Returns false if the server has disconnected it. Skips the messages that have arrived.
    pub async fn is_connected(&mut self) -> bool {
        let closed = async { while let Some(Ok(_)) = self.socket.next().await {} };
        tokio::time::timeout(Duration::from_millis(50), closed).await.is_err()
    }

    /// Closes its sockets without a message to the server.
    pub async fn vanish(self) {
        self.connection.close().await.unwrap();
    }

    async fn run_until(&mut self, done: impl Fn(&Self) -> bool) {
        let served = tokio::time::timeout(Duration::from_secs(20), self.serve(done)).await;
        assert!(served.is_ok(), "the insider is not admitted");
    }

    async fn serve(&mut self, done: impl Fn(&Self) -> bool) {
        loop {
            self.flush().await;
            if done(self) {
                return;
            }
            let mut connected = self.connected.clone();
            tokio::select! {
                received = self.socket.next() => match received {
                    Some(Ok(Message::Binary(bytes))) => self.handle_message(proto::decode(&bytes).unwrap()).await,
                    Some(Ok(_)) => {}
                    // The server may disconnect it.
                    Some(Err(_)) | None => std::future::pending().await,
                },
                changed = connected.changed() => changed.unwrap(),
            }
            self.connected = connected;
        }
    }

    async fn handle_message(&mut self, message: ServerMessage) {
        let bytes = match message {
            ServerMessage::Meeting(message) => return self.meeting.handle_message(message, Instant::now()),
            ServerMessage::Sfu(FromSfu::Signal(bytes)) => bytes,
            ServerMessage::Sfu(FromSfu::Totals { .. }) => return,
        };
        // An offer that repeats a session description changes nothing in the stack.
        if let ServerSignal::Answer { sdp, number: 1, .. } = proto::decode_signal(&bytes.0).unwrap() {
            let section = sections(&sdp).into_iter().next().unwrap();
            self.descriptor = section.extensions.descriptor.unwrap();
            let parameters = StreamParameters {
                ssrc: SSRC,
                payload_type: VIDEO,
                mid: Bytes::from(section.mid),
                rid: Some(Bytes::from_static(b"0")),
                extensions: section.extensions,
            };
            self.packetizer = Some(Packetizer::video(parameters, 1, 0, ScalabilityMode::L1T3));
            let answer = RTCSessionDescription::answer(sdp).unwrap();
            self.connection.set_remote_description(answer).await.unwrap();
        }
    }

    /// Handles the events of `Meeting` and sends its messages.
    async fn flush(&mut self) {
        while let Some(event) = self.meeting.poll_event() {
            if let Event::Keys { keys, removed, leaves, .. } = event {
                let keys = match self.speaks_as {
                    Some(leaf) => hostile::keys_of_another(keys, leaf),
                    None => keys,
                };
                let leaves: Vec<_> = leaves.into_iter().map(|(leaf, _)| leaf).collect();
                self.ring.install(keys, &leaves, &removed, Instant::now());
            } else if let Event::Entered { me } = event {
                self.me = me;
            }
        }
        while let Some(message) = self.meeting.poll_transmit() {
            // Fails if the server has disconnected it.
            let _ = self.socket.send(Message::Binary(proto::encode(&message).into())).await;
        }
    }

    async fn offer(&mut self) {
        let offer = self.connection.create_offer(None).await.unwrap();
        self.connection.set_local_description(offer.clone()).await.unwrap();
        let sdp = self.connection.local_description().await.map_or(offer.sdp, |description| description.sdp);
        self.sdp = sdp;
        let offer = self.repeated_offer(1, true);
        self.send_message(&offer).await;
    }

    /// Returns an offer with the session description of its first one, which publishes its camera or nothing.
    pub fn repeated_offer(&self, number: u32, with_camera: bool) -> ClientMessage {
        let mid = sections(&self.sdp).remove(0).mid;
        let layer = SpatialLayer { spatial: 0, width: SIZES[0].width, height: SIZES[0].height, bitrate: 150_000 };
        let camera = Published { slot: Slot::Camera, kind: Kind::Video, mid, layers: vec![layer] };
        let published = if with_camera { vec![camera] } else { Vec::new() };
        signal(&offer_of(number, &self.sdp, published))
    }

    /// Sends a message as often as the server allows, for `length`: `message` returns the next one. Ignores what the server
    /// sends. Returns false if the server closes the connection.
    pub async fn flood(&mut self, length: Duration, message: impl Fn(&Self, u32) -> ClientMessage) -> bool {
        let end = Instant::now() + length;
        for number in 2.. {
            if Instant::now() > end {
                break;
            }
            let bytes = proto::encode(&message(self, number));
            if self.socket.send(Message::Binary(bytes.into())).await.is_err() {
                return false;
            }
            let closed = async { while let Some(Ok(_)) = self.socket.next().await {} };
            if tokio::time::timeout(FLOOD_INTERVAL, closed).await.is_ok() {
                return false;
            }
        }
        true
    }
}

/// Returns a signal as a message of a client.
pub fn signal(signal: &ClientSignal) -> ClientMessage {
    ClientMessage::Sfu(ToSfu::Signal(Blob(proto::encode(signal))))
}

async fn transport(states: watch::Sender<bool>) -> (Arc<dyn PeerConnection>, Arc<TrackLocalStaticRTP>) {
    let settings = SettingEngineBuilder::new()
        .with_multicast_dns_mode(rtc::ice::mdns::MulticastDnsMode::Disabled)
        .with_include_loopback_candidate(true)
        .build();
    let build = PeerConnectionBuilder::new()
        .with_configuration(RTCConfigurationBuilder::new().build())
        .with_media_engine(engine())
        .with_setting_engine(settings)
        .with_interceptor_registry(Registry::new())
        .with_handler(Arc::new(Handler { states }))
        .with_runtime(Arc::new(TokioRuntime))
        .with_udp_addrs(vec![SocketAddr::from(([127, 0, 0, 1], 0))])
        .build();
    let connection: Arc<dyn PeerConnection> = Arc::new(Box::pin(build).await.unwrap());
    let coding = RTCRtpCodingParameters { rid: "0".into(), ssrc: Some(SSRC), ..RTCRtpCodingParameters::default() };
    let encoding =
        RTCRtpEncodingParameters { rtp_coding_parameters: coding, active: true, codec: codec(), ..Default::default() };
    let track = MediaStreamTrack::new("i".into(), "i".into(), "i".into(), RtpCodecKind::Video, vec![encoding]);
    let camera = Arc::new(TrackLocalStaticRTP::new(track));
    let init = RTCRtpTransceiverInit {
        direction: RTCRtpTransceiverDirection::Sendonly,
        streams: Vec::new(),
        send_encodings: Vec::new(),
    };
    let local: Arc<dyn TrackLocal> = Arc::clone(&camera) as Arc<dyn TrackLocal>;
    connection.add_transceiver_from_track(local, Some(init)).await.unwrap();
    (connection, camera)
}

fn codec() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_H264.into(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f".into(),
        rtcp_feedback: Vec::new(),
    }
}

fn engine() -> MediaEngine {
    let mut engine = MediaEngine::default();
    let parameters = RTCRtpCodecParameters { rtp_codec: codec(), payload_type: VIDEO };
    engine.register_codec(parameters, RtpCodecKind::Video).unwrap();
    let [mid, rid] = ["mid", "rtp-stream-id"].map(|name| format!("urn:ietf:params:rtp-hdrext:sdes:{name}"));
    for uri in [mid, rid, descriptor::URI.into()] {
        let extension = RTCRtpHeaderExtensionCapability { uri };
        engine.register_header_extension(extension, RtpCodecKind::Video, None).unwrap();
    }
    engine
}

struct Handler {
    states: watch::Sender<bool>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.states.send_replace(state == RTCPeerConnectionState::Connected);
    }
}

/// The SSRC of its camera.
pub const SSRC: u32 = 0x0bad_cafe;

/// Between two messages of a flood: a little less than the server allows.
const FLOOD_INTERVAL: Duration = Duration::from_millis(22);

/// The payload type of its camera.
const VIDEO: u8 = 102;
