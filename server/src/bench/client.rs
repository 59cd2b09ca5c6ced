//! A client in memory: a full str0m endpoint that sends and receives pictures of random bytes.

use crate::sfu::{Raw, dependency_descriptor};
use proto::{Published, ServerSignal, Subscription};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::media::{Direction, KeyframeRequest, KeyframeRequestKind, MediaKind, Mid, Rid, Simulcast, SimulcastLayer};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{ExtensionValues, RtpPacket, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc};

/// See the module.
pub struct Client {
    /// Offers made so far.
    pub offers: u32,
    /// Its last offer.
    pub described: String,
    /// What it sends.
    pub published: Vec<Published>,
    /// What it receives.
    pub subscriptions: Vec<Subscription>,
    /// Messages that it got.
    pub heard: Vec<ServerSignal>,
    /// Packets that it got.
    pub received: Vec<RtpPacket>,
    /// Key frames that it was asked for, by layer.
    pub asked: Vec<Rid>,
    rtc: Rtc,
    address: SocketAddr,
    pending: Option<(String, SdpPendingOffer)>,
    camera: Option<Mid>,
    layers: Vec<Layer>,
    frame: u32,
    outgoing: Vec<(SocketAddr, Vec<u8>)>,
}

/// One layer of its camera.
struct Layer {
    rid: Rid,
    wanted: bool,
    key_due: bool,
    sequence: u64,
    number: u16,
    packets: usize,
}

impl Client {
    /// A client without media that sends from `address`.
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
            described: String::new(),
            published: Vec::new(),
            subscriptions: Vec::new(),
            heard: Vec::new(),
            received: Vec::new(),
            asked: Vec::new(),
            rtc,
            address,
            pending: None,
            camera: None,
            layers: Vec::new(),
            frame: 0,
            outgoing: Vec::new(),
        }
    }

    /// Adds a camera in layers to its next offer; what comes back is its description's name.
    pub fn add_camera(&mut self, bitrates: &[u32]) -> String {
        let layer = |(index, bitrate): (usize, &u32)| Layer {
            rid: Rid::from(index.to_string().as_str()),
            wanted: true,
            key_due: true,
            sequence: 1_000 * (index as u64 + 1),
            number: 0,
            packets: (*bitrate as usize / 30 / 8).div_ceil(PAYLOAD),
        };
        self.layers = bitrates.iter().enumerate().map(layer).collect();
        let send = self.layers.iter().map(|layer| SimulcastLayer::new(&layer.rid)).collect();
        let mid = self.add(Direction::SendOnly, Some(Simulcast { send, recv: Vec::new() }));
        self.camera = Some(mid);
        mid.to_string()
    }

    /// Adds a way to receive a camera to its next offer.
    pub fn add_receiver(&mut self) -> String {
        self.add(Direction::RecvOnly, None).to_string()
    }

    /// Offers its camera anew, or no more, as [`Client::published`] has it.
    pub fn renew(&mut self) {
        let Some(mid) = self.camera else { return };
        let direction = if self.published.is_empty() { Direction::Inactive } else { Direction::SendOnly };
        let mut api = self.rtc.sdp_api();
        api.set_direction(mid, direction);
        self.pending = api.apply().map(|(offer, pending)| (offer.to_sdp_string(), pending));
    }

    fn add(&mut self, direction: Direction, simulcast: Option<Simulcast>) -> Mid {
        let mut api = self.rtc.sdp_api();
        let mid = api.add_media(MediaKind::Video, direction, None, None, simulcast);
        self.pending = api.apply().map(|(offer, pending)| (offer.to_sdp_string(), pending));
        self.offers += 1;
        mid
    }

    /// Its offer that waits for an answer.
    pub fn offer(&self) -> Option<String> {
        self.pending.as_ref().map(|(sdp, _)| sdp.clone())
    }

    /// Takes the answer.
    pub fn answer(&mut self, sdp: &str) {
        if let (Some((_, pending)), Ok(answer)) = (self.pending.take(), SdpAnswer::from_sdp_string(sdp)) {
            // One that does not fit shows: nothing ever connects.
            let _ = self.rtc.sdp_api().accept_answer(pending, answer);
        }
    }

    /// Takes a message of the server: what is wanted of its camera.
    pub fn hear(&mut self, message: ServerSignal) {
        if let ServerSignal::Answer { sdp, .. } = &message {
            self.answer(sdp);
        }
        if let ServerSignal::SenderLayers { layers } = &message {
            for (spatial, layer) in (0_u8..).zip(&mut self.layers) {
                let wanted = layers.wanted.iter().any(|wanted| wanted.spatial == spatial);
                layer.key_due |= wanted && !layer.wanted;
                layer.wanted = wanted;
            }
        }
        self.heard.push(message);
    }

    /// Whether its transport works.
    pub fn connected(&self) -> bool {
        self.rtc.is_connected()
    }

    /// Sends the next picture in every layer that is wanted.
    pub fn send_frame(&mut self, now: Instant) {
        let Some(mid) = self.camera.filter(|_| self.rtc.is_connected()) else { return };
        let Some(pt) = self.rtc.media(mid).and_then(|media| media.remote_pts().first().copied()) else { return };
        // L1T3: temporal layers 0 2 1 2, templates 1 3 2 3.
        let template = [1, 3, 2, 3][self.frame as usize % 4];
        for layer in self.layers.iter_mut().filter(|layer| layer.wanted) {
            let key = std::mem::take(&mut layer.key_due);
            let mut direct = self.rtc.direct_api();
            let Some(stream) = direct.stream_tx_by_mid(mid, Some(layer.rid)) else { continue };
            for part in 0..layer.packets {
                let (first, last) = (part == 0, part + 1 == layer.packets);
                let bytes = l1t3(first, last, if key { 0 } else { template }, layer.number, key && first);
                let mut extensions = ExtensionValues::default();
                if let Some(raw) = Raw::new(&bytes) {
                    extensions.user_values.set(raw);
                }
                let payload = vec![u8::try_from(layer.packets).unwrap_or(u8::MAX); PAYLOAD];
                let write = RtpWrite::new(pt, layer.sequence.into(), self.frame * 3_000, now, payload);
                stream.write_rtp(write.marker(last).ext_vals(extensions).nackable(true));
                layer.sequence += 1;
            }
            layer.number = layer.number.wrapping_add(1);
        }
        self.frame += 1;
        // An error ends the transport, and shows: nothing arrives any more.
        let _ = self.rtc.handle_input(Input::Timeout(now));
        self.drain();
    }

    /// Where it sends from.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Brings it up to `now`. Back come the datagrams that it sends, and where to.
    pub fn poll(&mut self, now: Instant) -> Vec<(SocketAddr, Vec<u8>)> {
        let _ = self.rtc.handle_input(Input::Timeout(now));
        self.drain();
        std::mem::take(&mut self.outgoing)
    }

    /// Takes a datagram of the server.
    pub fn take(&mut self, source: SocketAddr, bytes: &[u8], now: Instant) {
        if let Ok(datagram) = Receive::new(Protocol::Udp, source, self.address, bytes) {
            let _ = self.rtc.handle_input(Input::Receive(now, datagram));
            self.drain();
        }
    }

    /// Asks the sender of what it receives for a key frame.
    pub fn ask_for_key_frame(&mut self) {
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
                Output::Transmit(transmit) => self.outgoing.push((transmit.destination, transmit.contents.to_vec())),
                Output::Event(Event::RtpPacket(packet)) => self.received.push(packet),
                Output::Event(Event::KeyframeRequest(KeyframeRequest { rid: Some(rid), .. })) => {
                    self.asked.push(rid);
                    let layers = self.layers.iter_mut().filter(|layer| layer.rid == rid);
                    layers.for_each(|layer| layer.key_due = true);
                }
                Output::Event(_) => {}
            }
        }
    }
}

/// The Dependency Descriptor of a packet of a stream with three temporal layers: template 0 is the key frame, 1 to 3 are
/// the temporal layers 0, 1 and 2. With `structure` it describes them, as on the first packet of a key frame.
pub fn l1t3(start: bool, end: bool, template: u8, number: u16, structure: bool) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(start.into(), 1).put(end.into(), 1).put(template.into(), 6).put(number.into(), 16);
    if structure {
        // Flags: a structure and nothing else; offset 0; three decode targets; layers T0 (key), T0, T1, T2, end.
        bits.put(0b1_0000, 5).put(0, 6).put(2, 5).put(0b00_01_01_11, 8);
        // Every target switches at every template.
        bits.put(0xaa_aaaa, 24);
        // References: none; 4 back; 2 back; 1 back.
        bits.put(0, 1).put(0b10_0110, 6).put(0b10_0010, 6).put(0b10_0000, 6);
        // One chain (`ns(4)` of 1 is 01), which protects every target without a bit; its differences are not of use.
        bits.put(0b01, 2).put(0, 16);
        // One resolution.
        bits.put(1, 1).put(319, 16).put(179, 16);
    }
    bits.bytes
}

/// Writes bits, the most significant first.
#[derive(Default)]
pub struct Bits {
    /// What has been written.
    pub bytes: Vec<u8>,
    used: usize,
}

impl Bits {
    /// Puts in the last `count` bits of `value`.
    pub fn put(&mut self, value: u32, count: u32) -> &mut Self {
        for bit in (0..count).rev() {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= u8::from(value >> bit & 1 == 1) << (7 - self.used % 8);
            }
            self.used += 1;
        }
        self
    }
}

/// Bytes of a packet's payload.
const PAYLOAD: usize = 1_100;
