//! A client in memory: a complete str0m endpoint that sends and receives frames without content.

use super::playback::SoundFrame;
use audio::Protection;
use codec::layer::{Content, Ladder};
use codec::rate::{self, LayerDemand, LayerTarget};
use crypto::Sealed;
use media::{Bitrate, FrameRate, Size};
use proto::descriptor::{DescriptorWriter, PacketPosition, Resolution, ScalabilityMode};
use proto::{
    DemandedLayer, DownlinkSettings, ParticipantId, Published, ServerSignal, SpatialLayer, Subscription, voice_owner,
};
use server::sfu::Reply;
use server::sfu::extension::{dependency_descriptor, set_descriptor};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::media::{Direction, KeyframeRequest, KeyframeRequestKind, MediaKind, Mid, Rid, Simulcast, SimulcastLayer};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{ExtensionValues, RtpPacket, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc};

/// A client of the SFU.
pub struct Client {
    /// The number of its newest offer. An offer that only changes a direction keeps the number of the offer before.
    pub offers: u32,
    /// The session description of its last offer.
    pub last_offer: String,
    /// What it sends.
    pub published: Vec<Published>,
    /// What it receives.
    pub subscriptions: Vec<Subscription>,
    /// The media descriptions on which it receives whoever speaks.
    pub voices: Vec<String>,
    /// What its offers say about its downlink.
    pub downlink: Option<DownlinkSettings>,
    /// When each datagram to it left the server, and its bytes with the headers of UDP and IP.
    pub datagrams: Vec<(Instant, usize)>,
    /// The signals that it received.
    pub signals: Vec<ServerSignal>,
    /// Whether the server refused one of its messages as malformed.
    pub malformed: bool,
    /// Whether the server refused an offer because it sent too many.
    pub too_fast: bool,
    /// The packets that it received.
    pub received: Vec<RtpPacket>,
    /// The packets of sound that it received: the number of each, and when it arrived.
    pub sound: Vec<(u32, Instant)>,
    /// The frames of sound that it received.
    pub frames_heard: Vec<SoundFrame>,
    /// Those of them that named their sender, with their numbers.
    pub voices_heard: Vec<(ParticipantId, u32)>,
    /// The voice-activity bit of the sound that it sends.
    pub voice: bool,
    /// The second byte of each payload of its camera.
    pub mark: u8,
    /// The layers for which the SFU requested a key frame.
    pub key_requests: Vec<Rid>,
    /// The last STUN binding request that it sent (RFC 8489).
    pub binding_request: Vec<u8>,
    rtc: Rtc,
    address: SocketAddr,
    pending: Option<(String, SdpPendingOffer)>,
    camera: Option<Mid>,
    microphone: Option<Mid>,
    /// When each 20 ms of sound were recorded.
    spoken: Vec<Instant>,
    /// How many of them wait for their frame.
    unsent: u8,
    frames_of_sound: u64,
    /// The protection that the SFU's last `SoundLoss` asks for.
    protection: Protection,
    layers: Vec<Layer>,
    frame: u32,
    /// The size of a key frame, in other frames.
    pub key_frame_factor: usize,
    /// The number of layers that its uplink has room for.
    pub max_layers: usize,
    outgoing: Vec<(SocketAddr, Vec<u8>)>,
}

/// One layer of its camera.
struct Layer {
    /// `None` without simulcast.
    rid: Option<Rid>,
    resolution: Resolution,
    wanted: bool,
    key_due: bool,
    sequence: u64,
    descriptors: DescriptorWriter,
    /// The number of packets of one frame.
    packets: usize,
    /// Bits per second that were declared.
    full: u32,
    max_temporal: u8,
    /// Bytes of a sealed frame.
    frame_bytes: usize,
}

impl Client {
    /// Returns a client without media that sends from `address`.
    #[must_use]
    pub fn new(address: SocketAddr, now: Instant) -> Self {
        let mut rtc = Rtc::builder()
            .set_crypto_provider(Arc::new(str0m::crypto::from_feature_flags()))
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .enable_h264(true)
            .set_extension(12, dependency_descriptor())
            .build(now);
        if let Ok(candidate) = Candidate::host(address, "udp") {
            rtc.add_local_candidate(candidate);
        }
        Self {
            offers: 0,
            last_offer: String::new(),
            published: Vec::new(),
            subscriptions: Vec::new(),
            voices: Vec::new(),
            downlink: None,
            datagrams: Vec::new(),
            signals: Vec::new(),
            malformed: false,
            too_fast: false,
            received: Vec::new(),
            sound: Vec::new(),
            frames_heard: Vec::new(),
            voices_heard: Vec::new(),
            voice: true,
            mark: 0,
            key_requests: Vec::new(),
            binding_request: Vec::new(),
            rtc,
            address,
            pending: None,
            camera: None,
            microphone: None,
            spoken: Vec::new(),
            max_layers: usize::MAX,
            unsent: 0,
            frames_of_sound: 0,
            protection: Protection::default(),
            layers: Vec::new(),
            frame: 0,
            key_frame_factor: 1,
            outgoing: Vec::new(),
        }
    }

    /// Adds a camera to the next offer. Returns the mid of its media description.
    pub fn add_camera(&mut self, layers: &[SpatialLayer]) -> String {
        self.layers = layers.iter().map(Layer::new).collect();
        let send = self.layers.iter().filter_map(|layer| layer.rid).map(|rid| SimulcastLayer::new(&rid)).collect();
        let mid = self.add(MediaKind::Video, Direction::SendOnly, Some(Simulcast { send, recv: Vec::new() }));
        self.camera = Some(mid);
        mid.to_string()
    }

    /// Adds a microphone and a camera of one layer, without simulcast, to the next offer. Returns the mids of their media
    /// descriptions.
    pub fn add_microphone_and_camera(&mut self, layer: SpatialLayer) -> [String; 2] {
        self.layers = vec![Layer { rid: None, ..Layer::new(&layer) }];
        let [microphone, camera] = self.add_pair(Direction::SendOnly);
        (self.microphone, self.camera) = (Some(microphone), Some(camera));
        [microphone, camera].map(|mid| mid.to_string())
    }

    /// Adds media descriptions that receive a microphone and a camera to the next offer. Returns their mids.
    pub fn add_receivers(&mut self) -> [String; 2] {
        self.add_pair(Direction::RecvOnly).map(|mid| mid.to_string())
    }

    fn add_pair(&mut self, direction: Direction) -> [Mid; 2] {
        let mut api = self.rtc.sdp_api();
        let mids = [MediaKind::Audio, MediaKind::Video].map(|kind| api.add_media(kind, direction, None, None, None));
        self.pending = api.apply().map(|(offer, pending)| (offer.to_sdp_string(), pending));
        self.offers += 1;
        mids
    }

    /// Answers an offer. Returns `None` if it cannot be answered.
    pub fn answer(&mut self, offer: &str) -> Option<String> {
        let offer = SdpOffer::from_sdp_string(offer).ok()?;
        Some(self.rtc.sdp_api().accept_offer(offer).ok()?.to_sdp_string())
    }

    /// Adds a microphone to the next offer. Returns the mid of its media description.
    pub fn add_microphone(&mut self) -> String {
        let mid = self.add(MediaKind::Audio, Direction::SendOnly, None);
        self.microphone = Some(mid);
        mid.to_string()
    }

    /// Adds a media description that receives a camera or a microphone to the next offer. Returns its mid.
    pub fn add_receiver(&mut self, kind: MediaKind) -> String {
        self.add(kind, Direction::RecvOnly, None).to_string()
    }

    /// Offers its camera or stops it, according to [`Client::published`].
    pub fn update_camera(&mut self) {
        let Some(mid) = self.camera else { return };
        let direction = if self.published.is_empty() { Direction::Inactive } else { Direction::SendOnly };
        let mut api = self.rtc.sdp_api();
        api.set_direction(mid, direction);
        self.pending = api.apply().map(|(offer, pending)| (offer.to_sdp_string(), pending));
    }

    fn add(&mut self, kind: MediaKind, direction: Direction, simulcast: Option<Simulcast>) -> Mid {
        let mut api = self.rtc.sdp_api();
        let mid = api.add_media(kind, direction, None, None, simulcast);
        self.pending = api.apply().map(|(offer, pending)| (offer.to_sdp_string(), pending));
        self.offers += 1;
        mid
    }

    /// Returns the offer that waits for an answer.
    #[must_use]
    pub fn offer(&self) -> Option<String> {
        self.pending.as_ref().map(|(sdp, _)| sdp.clone())
    }

    /// Takes a reply of the SFU.
    pub fn handle_reply(&mut self, reply: Reply) {
        match reply {
            Reply::Signal(signal) => self.handle_signal(signal),
            Reply::Malformed => self.malformed = true,
            Reply::TooFast => self.too_fast = true,
            Reply::Totals(_) | Reply::Failed => {}
        }
    }

    /// Takes a signal of the SFU.
    pub fn handle_signal(&mut self, signal: ServerSignal) {
        if let ServerSignal::Answer { sdp, .. } = &signal
            && let (Some((_, pending)), Ok(answer)) = (self.pending.take(), SdpAnswer::from_sdp_string(sdp))
        {
            // If the answer does not fit, the client does not connect.
            let _ = self.rtc.sdp_api().accept_answer(pending, answer);
        }
        if let ServerSignal::TrackDemand { layers } = &signal {
            for (spatial, layer) in (0_u8..).zip(&mut self.layers) {
                layer.set_demand(layers.wanted.iter().find(|wanted| wanted.spatial == spatial));
            }
        }
        if let ServerSignal::SoundLoss { percent, max_bitrate } = &signal {
            let limit = max_bitrate.map(|limit| Bitrate::bps(limit.into()));
            self.protection = Protection::for_path(*percent, limit);
        }
        self.signals.push(signal);
    }

    /// Returns whether its transport is connected.
    #[must_use]
    pub fn connected(&self) -> bool {
        self.rtc.is_connected()
    }

    /// Sends the next frame in each wanted layer, with the temporal layers of L1T3. The first byte of each payload is
    /// the number of packets in the frame, which differs from layer to layer.
    pub fn send_frame(&mut self, now: Instant) {
        let Some(mid) = self.camera.filter(|_| self.rtc.is_connected()) else { return };
        let Some(pt) = self.rtc.media(mid).and_then(|media| media.remote_pts().first().copied()) else { return };
        let temporal = [0, 2, 1, 2][self.frame as usize % 4];
        for layer in
            self.layers.iter_mut().take(self.max_layers).filter(|layer| layer.wanted && temporal <= layer.max_temporal)
        {
            let mut direct = self.rtc.direct_api();
            let Some(stream) = direct.stream_tx_by_mid(mid, layer.rid) else { continue };
            let key = std::mem::take(&mut layer.key_due);
            let frame = if key {
                Some(layer.descriptors.key_frame(layer.resolution))
            } else {
                layer.descriptors.delta_frame(temporal)
            };
            let Some(frame) = frame else { continue };
            let packets = layer.packets * if key { self.key_frame_factor } else { 1 };
            let bytes = (layer.frame_bytes / layer.packets).min(MAX_PAYLOAD_BYTES);
            for index in 0..packets {
                let position = PacketPosition { first: index == 0, last: index + 1 == packets };
                let mut extensions = ExtensionValues::default();
                set_descriptor(&mut extensions, &layer.descriptors.bytes(&frame, position));
                let mut payload = vec![u8::try_from(layer.packets).unwrap_or(u8::MAX); bytes.max(2)];
                payload[1] = self.mark;
                let write = RtpWrite::new(pt, layer.sequence.into(), self.frame * 3_000, now, payload);
                stream.write_rtp(write.marker(position.last).ext_vals(extensions).nackable(true));
                layer.sequence += 1;
            }
        }
        self.frame += 1;
        // After an error the transport receives no further packet, and the test fails.
        let _ = self.rtc.handle_input(Input::Timeout(now));
        self.drain();
    }

    /// Returns whether the SFU wants the camera's only layer.
    #[must_use]
    pub fn wants_camera(&self) -> bool {
        self.layers.first().is_some_and(|layer| layer.wanted)
    }

    /// Returns whether the next frame of the camera's only layer must be a key frame.
    #[must_use]
    pub fn needs_key(&self) -> bool {
        self.layers.first().is_some_and(|layer| layer.key_due)
    }

    /// Sends a sealed frame in the camera's only layer, in packets as the product's. Sends nothing if it is not connected, or if the
    /// frame depends on one that was not sent.
    pub fn send_sealed(&mut self, sealed: &Sealed, now: Instant) {
        let Some(mid) = self.camera.filter(|_| self.rtc.is_connected()) else { return };
        let Some(pt) = self.rtc.media(mid).and_then(|media| media.remote_pts().first().copied()) else { return };
        let (header, bytes) = (sealed.header(), sealed.bytes());
        let Some(layer) = self.layers.first_mut() else { return };
        let frame = if header.key {
            layer.key_due = false;
            Some(layer.descriptors.key_frame(layer.resolution))
        } else {
            layer.descriptors.delta_frame(header.layer.temporal)
        };
        let Some(frame) = frame else { return };
        let mut direct = self.rtc.direct_api();
        let Some(stream) = direct.stream_tx_by_mid(mid, layer.rid) else { return };
        let count = bytes.len().div_ceil(MAX_PAYLOAD_BYTES).max(1);
        for (index, payload) in bytes.chunks(bytes.len().div_ceil(count).max(1)).enumerate() {
            let position = PacketPosition { first: index == 0, last: index + 1 == count };
            let mut extensions = ExtensionValues::default();
            set_descriptor(&mut extensions, &layer.descriptors.bytes(&frame, position));
            let write = RtpWrite::new(pt, layer.sequence.into(), header.rtp_time, now, payload.to_vec());
            stream.write_rtp(write.marker(position.last).ext_vals(extensions).nackable(true));
            layer.sequence += 1;
        }
        // After an error the transport receives no further packet.
        let _ = self.rtc.handle_input(Input::Timeout(now));
        self.drain();
    }

    /// Records the next 20 ms of speech, if it has a microphone. Sends them if the frame is complete.
    pub fn speak(&mut self, now: Instant) {
        if self.microphone.is_none() || !self.rtc.is_connected() {
            return;
        }
        let Ok(number) = u32::try_from(self.spoken.len()) else { return };
        self.spoken.push(now);
        self.unsent += 1;
        if self.unsent >= self.protection.packets_per_frame {
            self.send_speech(number, now);
        }
    }

    /// Sends the last frame before a pause, as soon as the speech has ended.
    pub fn end_speech(&mut self, now: Instant) {
        if let (1.., Some(last)) = (self.unsent, self.spoken.len().checked_sub(1)) {
            self.send_speech(u32::try_from(last).unwrap_or(u32::MAX), now);
        }
    }

    /// Sends what was recorded since the last frame, up to the packet `number`.
    fn send_speech(&mut self, number: u32, now: Instant) {
        let Protection { copies, bitrate, .. } = self.protection;
        let packets = std::mem::take(&mut self.unsent) + copies;
        let packet = usize::try_from(bitrate.as_bps() / 8 / 50).unwrap_or(usize::MAX);
        let plain = 10 + usize::from(packets) * (packet + 2);
        let mut payload = vec![SOUND; plain.next_multiple_of(32) + SEALING_BYTES];
        payload[1..5].copy_from_slice(&number.to_be_bytes());
        payload[5] = packets;
        self.frames_of_sound += 1;
        self.write_sound(self.frames_of_sound, number, payload, now);
    }

    /// Leaves out a sequence number of its sound, and returns it.
    pub fn skip_sound(&mut self) -> u64 {
        self.frames_of_sound += 1;
        self.frames_of_sound
    }

    /// Sends 20 ms of speech with a sequence number that was left out, as a retransmission that comes late.
    pub fn send_late_sound(&mut self, sequence: u64, now: Instant) {
        let mut payload = vec![SOUND; 64];
        payload[1..6].copy_from_slice(&[0, 0, 0, 0, 1]);
        self.write_sound(sequence, 0, payload, now);
    }

    fn write_sound(&mut self, sequence: u64, number: u32, payload: Vec<u8>, now: Instant) {
        let Some(mid) = self.microphone.filter(|_| self.rtc.is_connected()) else { return };
        let Some(pt) = self.rtc.media(mid).and_then(|media| media.remote_pts().first().copied()) else { return };
        let mut direct = self.rtc.direct_api();
        let Some(stream) = direct.stream_tx_by_mid(mid, None) else { return };
        let extensions =
            ExtensionValues { audio_level: Some(-127), voice_activity: Some(self.voice), ..ExtensionValues::default() };
        let write = RtpWrite::new(pt, sequence.into(), number * 960, now, payload);
        stream.write_rtp(write.ext_vals(extensions));
    }

    /// Returns when each 20 ms of sound were recorded.
    #[must_use]
    pub fn spoken(&self) -> &[Instant] {
        &self.spoken
    }

    /// Returns the address that it sends from.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Advances it to `now`. Returns the datagrams that it sends, each with its destination.
    pub fn poll(&mut self, now: Instant) -> Vec<(SocketAddr, Vec<u8>)> {
        let _ = self.rtc.handle_input(Input::Timeout(now));
        self.drain();
        std::mem::take(&mut self.outgoing)
    }

    /// Takes a datagram of the server.
    pub fn handle_datagram(&mut self, source: SocketAddr, bytes: &[u8], now: Instant) {
        if let Ok(datagram) = Receive::new(Protocol::Udp, source, self.address, bytes) {
            let _ = self.rtc.handle_input(Input::Receive(now, datagram));
            self.drain();
        }
    }

    /// Requests a key frame of its first subscription.
    pub fn request_key_frame(&mut self) {
        let Some(subscription) = self.subscriptions.first() else { return };
        let mid = Mid::from(subscription.mid.as_str());
        if let Some(stream) = self.rtc.direct_api().stream_rx_by_mid(mid, None) {
            stream.request_keyframe(KeyframeRequestKind::Pli);
        }
    }

    fn drain(&mut self) {
        while let Ok(output) = self.rtc.poll_output() {
            match output {
                Output::Timeout(_) => return,
                Output::Transmit(transmit) => {
                    let bytes = transmit.contents.to_vec();
                    if bytes.starts_with(&[0, 1]) {
                        self.binding_request.clone_from(&bytes);
                    }
                    self.outgoing.push((transmit.destination, bytes));
                }
                Output::Event(Event::RtpPacket(packet)) => match *packet.payload {
                    [SOUND, a, b, c, d, packets, ..] => {
                        let last = u32::from_be_bytes([a, b, c, d]);
                        let numbers = (last + 1).saturating_sub(packets.into())..=last;
                        let sources = packet.header.csrc.get(..packet.header.csrc_count).unwrap_or_default();
                        if let Some(owner) = voice_owner(sources) {
                            self.voices_heard.extend(numbers.clone().map(|number| (owner, number)));
                        }
                        self.sound.extend(numbers.clone().map(|number| (number, packet.timestamp)));
                        let (sequence, at) = (*packet.seq_no, packet.timestamp);
                        self.frames_heard.push(SoundFrame { sequence, packets: numbers, at });
                    }
                    _ => self.received.push(packet),
                },
                Output::Event(Event::KeyframeRequest(KeyframeRequest { rid, .. })) => {
                    self.key_requests.extend(rid);
                    let layers = self.layers.iter_mut().filter(|layer| layer.rid == rid);
                    layers.for_each(|layer| layer.key_due = true);
                }
                Output::Event(_) => {}
            }
        }
    }
}

impl Layer {
    fn new(layer: &SpatialLayer) -> Self {
        Self {
            rid: Some(Rid::from(layer.spatial.to_string().as_str())),
            resolution: Resolution { width: layer.width, height: layer.height },
            wanted: true,
            key_due: true,
            sequence: 1_000 * (u64::from(layer.spatial) + 1),
            descriptors: DescriptorWriter::new(layer.spatial, ScalabilityMode::L1T3),
            packets: (layer.bitrate as usize / 30 / 8).div_ceil(MAX_PAYLOAD_BYTES),
            full: layer.bitrate,
            max_temporal: 2,
            frame_bytes: layer.bitrate as usize / 30 / 8,
        }
    }

    /// Obeys a demand as the product's sender does on a wide uplink: see [`codec::rate::allocate`].
    fn set_demand(&mut self, demand: Option<&DemandedLayer>) {
        self.key_due |= demand.is_some() && !self.wanted;
        self.wanted = demand.is_some();
        let Some(DemandedLayer { spatial, temporal_layers, max_bitrate }) = demand.copied() else { return };
        let demand =
            LayerDemand { spatial, temporal_layers, max_bitrate: max_bitrate.map(|limit| Bitrate::bps(limit.into())) };
        let ladder = Ladder::for_source(Size::new(1_280, 720), Content::Camera);
        let targets = rate::allocate(Bitrate::kbps(10_000), FrameRate::THIRTY, &ladder, &[demand], &[]);
        if let Some(LayerTarget::Running(target)) = targets.get(usize::from(spatial)) {
            let bits = target.bitrate.as_bps().min(self.full.into()) * u64::from(target.frame_rate.denominator());
            let bytes = bits / 8 / u64::from(target.frame_rate.numerator());
            self.max_temporal = target.max_temporal;
            self.frame_bytes = usize::try_from(bytes).unwrap_or(usize::MAX) + SEALING_BYTES;
        }
    }
}

/// The first byte of each packet of sound. The number of packets in a frame is smaller.
const SOUND: u8 = 255;

/// Bytes of the headers and the tag of SFrame.
const SEALING_BYTES: usize = 25;

/// The maximum bytes of a packet's payload.
const MAX_PAYLOAD_BYTES: usize = 1_100;
