//! One participant's transport: an ICE-lite, DTLS-SRTP endpoint of str0m in RTP mode.
//!
//! Whatever goes wrong in it (a bad packet, a bad description, a fault in the stack) ends this peer alone.

use super::downlink::{self, Downlink};
use super::extension::{Raw, dependency_descriptor};
use super::switch::{Rewritten, Switch};
use super::track::{Meter, Viewer};
use proto::{MeetingId, TileWish, TrackId};
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use str0m::bwe::Bitrate;
use str0m::change::SdpOffer;
use str0m::config::{CryptoProvider, DtlsCert};
use str0m::media::{KeyframeRequestKind, Mid, Pt, Rid};
use str0m::rtp::{Extension, ExtensionMap, ExtensionValues, RtpPacket, RtpWrite, Ssrc};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcError};

/// What all peers of a server share.
#[derive(Debug)]
pub struct PeerContext {
    provider: Arc<CryptoProvider>,
    certificate: DtlsCert,
    addresses: Vec<SocketAddr>,
}

/// One participant's transport, and what it said of its tracks.
#[derive(Debug)]
pub struct Peer {
    /// In which meeting.
    pub meeting: MeetingId,
    /// What it sends by each media description.
    pub sources: HashMap<Mid, TrackId>,
    /// How large it shows what it receives; none before it has said so.
    pub wishes: Option<HashMap<TrackId, TileWish>>,
    /// How much it may be sent.
    pub downlink: Downlink,
    /// When it wants to be woken.
    pub wake: Instant,
    /// Rows of numbers of descriptions that receive nothing now. As many at most as there are descriptions.
    pub parked: HashMap<Mid, Switch>,
    sent: Meter,
    desired: u64,
    addresses: VecDeque<SocketAddr>,
    rtc: Rtc,
    streams: HashMap<Ssrc, (Mid, Option<Rid>)>,
}

/// What a peer has to say.
#[derive(Debug)]
pub enum PeerEvent {
    /// Send this datagram.
    Transmit(str0m::net::Transmit),
    /// An RTP packet came, of this description and layer.
    Packet(Mid, Option<Rid>, Box<RtpPacket>),
    /// A receiver cannot decode: it needs a key frame of what it receives by this description.
    KeyFrameNeeded(Mid),
    /// Its transport works.
    Connected,
}

/// A peer that is of no use any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the transport failed: {0}")]
pub struct Broken(String);

impl PeerContext {
    /// For a server that is reachable at `addresses`. None where the crypto provider makes no certificate.
    pub fn new(addresses: Vec<SocketAddr>) -> Option<Self> {
        let provider = Arc::new(str0m::crypto::from_feature_flags());
        let certificate = provider.dtls_provider.generate_certificate()?;
        Some(Self { provider, certificate, addresses })
    }
}

impl Peer {
    /// A transport that waits for its first offer.
    pub fn new(ground: &PeerContext, meeting: MeetingId, now: Instant) -> Self {
        let config = Rtc::builder()
            .set_crypto_provider(ground.provider.clone())
            .set_dtls_cert(ground.certificate.clone())
            .set_ice_lite(true)
            .set_rtp_mode(true)
            .set_stats_interval(Some(STATISTICS))
            .enable_bwe(Some(Bitrate::bps(FIRST_ESTIMATE)))
            .clear_codecs()
            .enable_opus(true, false)
            .enable_h264(true)
            .set_extension_map(extensions());
        let mut rtc = config.build(now);
        for address in &ground.addresses {
            if let Ok(candidate) = Candidate::host(*address, "udp") {
                rtc.add_local_candidate(candidate);
            }
        }
        Self {
            meeting,
            sources: HashMap::new(),
            wishes: None,
            downlink: Downlink::new(FIRST_ESTIMATE),
            parked: HashMap::new(),
            sent: Meter::default(),
            wake: now,
            desired: 0,
            addresses: VecDeque::new(),
            rtc,
            streams: HashMap::new(),
        }
    }

    /// Answers an offer.
    ///
    /// # Errors
    /// [`Broken`] for text that is no offer, or not one that can be answered. The peer may go on as it was.
    pub fn accept(&mut self, sdp: &str) -> Result<String, Broken> {
        if sdp.matches("\nm=").count() > MAX_DESCRIPTIONS {
            return Err(Broken("too many media descriptions".into()));
        }
        guard(|| {
            let offer = SdpOffer::from_sdp_string(sdp).map_err(|error| RtcError::RemoteSdp(error.to_string()))?;
            Ok(self.rtc.sdp_api().accept_offer(offer)?.to_sdp_string())
        })
    }

    /// The ICE user name by which its first packets are known.
    pub fn user(&mut self) -> String {
        self.rtc.direct_api().local_ice_credentials().ufrag
    }

    /// Whether a datagram is for this peer.
    pub fn accepts(&self, input: &Input<'_>) -> bool {
        catch_unwind(AssertUnwindSafe(|| self.rtc.accepts(input))).unwrap_or(false)
    }

    /// Takes a datagram.
    ///
    /// # Errors
    /// [`Broken`] where the transport cannot go on.
    pub fn handle_input(&mut self, input: Input<'_>) -> Result<(), Broken> {
        guard(|| self.rtc.handle_input(input))
    }

    /// Brings the transport up to `now`.
    ///
    /// # Errors
    /// [`Broken`] where the transport cannot go on.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), Broken> {
        guard(|| self.rtc.handle_input(Input::Timeout(now)))
    }

    /// The next thing that it has to say; none until it is told more or [`Peer::wake`] comes.
    ///
    /// # Errors
    /// [`Broken`] where the transport cannot go on.
    pub fn poll(&mut self, now: Instant) -> Result<Option<PeerEvent>, Broken> {
        loop {
            match guard(|| self.rtc.poll_output())? {
                Output::Timeout(wake) => {
                    self.wake = wake;
                    return if self.rtc.is_alive() { Ok(None) } else { Err(Broken("closed".into())) };
                }
                Output::Transmit(transmit) => return Ok(Some(PeerEvent::Transmit(transmit))),
                Output::Event(event) => {
                    if let Some(said) = self.handle_event(event, now) {
                        return Ok(Some(said));
                    }
                }
            }
        }
    }

    fn handle_event(&mut self, event: Event, now: Instant) -> Option<PeerEvent> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "str0m's events grow; the others are of no use to an SFU")]
        match event {
            Event::RtpPacket(packet) => {
                let (mid, rid) = self.stream(packet.header.ssrc)?;
                Some(PeerEvent::Packet(mid, rid, Box::new(packet)))
            }
            Event::KeyframeRequest(request) => Some(PeerEvent::KeyFrameNeeded(request.mid)),
            Event::EgressBitrateEstimate(str0m::bwe::BweKind::Twcc { estimate, .. }) => {
                self.downlink.handle_estimate(estimate.as_u64());
                None
            }
            Event::PeerStats(stats) => {
                let lost = stats.egress_loss_fraction.unwrap_or(0.0);
                let report = downlink::Report { lost, round_trip: stats.rtt, sent: self.sent.rate(now) };
                self.downlink.handle_report(report, now);
                None
            }
            Event::Connected => Some(PeerEvent::Connected),
            _ => None,
        }
    }

    /// Which description and layer a stream belongs to.
    fn stream(&mut self, ssrc: Ssrc) -> Option<(Mid, Option<Rid>)> {
        if let Some(known) = self.streams.get(&ssrc) {
            return Some(*known);
        }
        if self.streams.len() >= MAX_STREAMS {
            self.streams.clear();
        }
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_rx(&ssrc)?;
        let found = (stream.mid(), stream.rid());
        self.streams.insert(ssrc, found);
        Some(found)
    }

    /// Notes where it sends from. Back comes the oldest such address where they become too many.
    pub fn note_address(&mut self, address: SocketAddr) -> Option<SocketAddr> {
        if self.addresses.contains(&address) {
            return None;
        }
        self.addresses.push_back(address);
        if self.addresses.len() > MAX_ADDRESSES { self.addresses.pop_front() } else { None }
    }

    /// The stream and payload type by which it receives at `mid`. None where it does not receive there.
    pub fn outgoing(&mut self, mid: Mid) -> Option<(Ssrc, Pt)> {
        let payload = *self.rtc.media(mid)?.remote_pts().first()?;
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_tx_by_mid(mid, None)?;
        // Senders pace; holding packets back here would add delay and, where the estimate is low, never end.
        stream.set_unpaced(true);
        Some((stream.ssrc(), payload))
    }

    /// Queues a packet for it. False where its queue is full or its stream is gone.
    pub fn write(&mut self, viewer: &Viewer, packet: &RtpPacket, rewritten: Rewritten, video: bool) -> bool {
        // Before it is connected, nothing would take the packets out of the queue again.
        if !self.rtc.is_connected() {
            return false;
        }
        let mut direct = self.rtc.direct_api();
        let Some(stream) = direct.stream_tx(&viewer.ssrc) else { return false };
        if stream.queue_info().is_some_and(|queue| queue.packet_count() > MAX_QUEUED) {
            return false;
        }
        let mut extensions = ExtensionValues::default();
        if let Some(raw) = packet.header.ext_vals.user_values.get_arc::<Raw>() {
            extensions.user_values.set_arc(raw);
        }
        let write = RtpWrite::new(
            viewer.payload,
            rewritten.sequence.into(),
            rewritten.timestamp,
            packet.timestamp,
            packet.payload.clone(),
        );
        self.sent.count(packet.payload.len(), packet.timestamp);
        stream.write_rtp(write.marker(packet.header.marker).ext_vals(extensions).nackable(video));
        true
    }

    /// Asks it for a key frame of what it sends. False while that stream has not come.
    pub fn request_key_frame(&mut self, mid: Mid, spatial: u8) -> bool {
        let mut direct = self.rtc.direct_api();
        let layer = Rid::from(spatial.to_string().as_str());
        // A single layer may come without a RID.
        let rid = direct.stream_rx_by_mid(mid, Some(layer)).is_some().then_some(layer);
        if rid.is_none() && spatial > 0 {
            return false;
        }
        let stream = direct.stream_rx_by_mid(mid, rid);
        stream.map(|stream| stream.request_keyframe(KeyframeRequestKind::Pli)).is_some()
    }

    /// Says how many bits a second it would get of a link without limit: the estimator looks for that much.
    pub fn set_desired(&mut self, desired: u64) {
        if self.desired != desired {
            self.desired = desired;
            self.rtc.bwe().set_bitrate(Bitrate::ZERO, Bitrate::bps(desired));
        }
    }
}

/// Runs something of the stack. A panic in it is a fault of the stack that a stranger may have found: it ends the peer,
/// never the server.
fn guard<T>(run: impl FnOnce() -> Result<T, RtcError>) -> Result<T, Broken> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => result.map_err(|error| Broken(error.to_string())),
        Err(_) => Err(Broken("the transport stack failed".into())),
    }
}

/// The extensions that are of use: no audio level, which would tell who speaks.
fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::empty();
    map.set(3, Extension::TransportSequenceNumber);
    map.set(4, Extension::RtpMid);
    map.set(10, Extension::RtpStreamId);
    map.set(11, Extension::RepairedRtpStreamId);
    map.set(12, dependency_descriptor());
    map
}

/// Where the estimate of a downlink begins, in bits a second: one large picture fits.
const FIRST_ESTIMATE: u64 = 2_000_000;

/// Media descriptions of one peer: the stack looks through all of them for each.
const MAX_DESCRIPTIONS: usize = 1_024;

/// Between two reports of what was lost.
const STATISTICS: Duration = Duration::from_secs(1);

/// Incoming streams whose place is remembered.
const MAX_STREAMS: usize = 256;

/// Packets that may wait for one stream's turn: about a second of video.
const MAX_QUEUED: usize = 256;

/// Addresses of one peer that are remembered: it has a few ways to the server, not many.
const MAX_ADDRESSES: usize = 16;
