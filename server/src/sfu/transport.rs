//! One participant's transport: an ICE-lite, DTLS-SRTP endpoint of str0m in RTP mode.
//!
//! A bad packet, a bad session description or a fault in the stack ends this transport only.

use super::bitrate_meter::BitrateMeter;
use super::downlink::{self, Downlink};
use super::extension::{DescriptorBytes, dependency_descriptor};
use super::offer::{self, OfferError};
use super::offer_queue::WorkLimit;
use super::switch::RewrittenHeader;
use super::track::Subscriber;
use crate::Limits;
use crate::tunnel::TunnelKey;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use str0m::bwe::Bitrate;
use str0m::change::SdpOffer;
use str0m::config::{CryptoProvider, DtlsCert};
use str0m::media::{KeyframeRequestKind, Mid, Pt, Rid};
use str0m::rtp::{Extension, ExtensionMap, ExtensionValues, RtpPacket, RtpWrite, Ssrc};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcError};

/// What all transports of a server share.
#[derive(Debug)]
pub struct Context {
    provider: Arc<CryptoProvider>,
    certificate: DtlsCert,
    /// The media sockets.
    sockets: Vec<SocketAddr>,
    /// Addresses of other machines, such as a router, that forward to the media sockets.
    public: Vec<IpAddr>,
    /// How much work the offers of one address may cause.
    pub(super) offer_work: WorkLimit,
    /// Makes the tokens of media tunnels. `None` if the server has none.
    pub(super) tunnels: Option<Arc<TunnelKey>>,
}

/// One participant's transport.
#[derive(Debug)]
pub struct Transport {
    /// Decides how much may be sent to the participant.
    pub downlink: Downlink,
    /// When [`Transport::handle_timeout`] is due.
    pub timeout: Instant,
    sent: BitrateMeter,
    /// Bits per second that the bandwidth estimator probes for.
    desired: u64,
    rtc: Rtc,
    streams: HashMap<Ssrc, (Mid, Option<Rid>)>,
    /// The media descriptions of the last offer that was answered.
    mids: HashSet<Mid>,
    /// The sources that offers have named or packets have come from. The stack forgets none of them.
    sources: HashSet<u32>,
    /// The addresses that datagrams have come from. The stack forgets none of them.
    addresses: HashSet<SocketAddr>,
}

/// What a transport reports.
#[derive(Debug)]
pub enum TransportEvent {
    /// Send this datagram.
    Transmit(str0m::net::Transmit),
    /// An RTP packet arrived on this media description and simulcast stream.
    Packet(Mid, Option<Rid>, Box<RtpPacket>),
    /// The participant needs a key frame of what it receives on this media description.
    KeyFrameNeeded(Mid),
    /// DTLS is complete.
    Connected,
}

/// Why a transport cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The stack returned an error.
    #[error("{0}")]
    Refused(String),
    /// The session description exceeds a bound.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// Offers have named more than 256 sources.
    #[error("too many sources")]
    TooManySources,
    /// The other end closed the connection, or ICE timed out.
    #[error("closed")]
    Closed,
    /// The stack panicked.
    #[error("the transport stack panicked")]
    Panicked,
}

impl Context {
    /// Returns the context of a server with media sockets on `addresses`. Returns `None` if the crypto provider cannot
    /// create a certificate.
    pub fn new(addresses: Vec<SocketAddr>) -> Option<Self> {
        let provider = Arc::new(str0m::crypto::from_feature_flags());
        let certificate = provider.dtls_provider.generate_certificate()?;
        Some(Self {
            provider,
            certificate,
            sockets: addresses,
            public: Vec::new(),
            offer_work: WorkLimit::new(&Limits::default()),
            tunnels: None,
        })
    }

    /// Returns the context with the addresses from which other machines forward to the media sockets.
    #[must_use]
    pub fn with_public(self, public: Vec<IpAddr>) -> Self {
        Self { public, ..self }
    }

    /// Returns the context with the limits of a server.
    #[must_use]
    pub fn with_limits(self, limits: &Limits) -> Self {
        Self { offer_work: WorkLimit::new(limits), ..self }
    }

    /// Returns the context with tokens of media tunnels in the answers.
    #[must_use]
    pub(crate) fn with_tunnels(self, key: Arc<TunnelKey>) -> Self {
        Self { tunnels: Some(key), ..self }
    }

    /// Adds a media socket.
    pub fn add_socket(&mut self, address: SocketAddr) {
        self.sockets.push(address);
    }

    /// Returns the addresses at which a client is offered media: the socket on the address by which it came, and the
    /// public addresses. If there is no such socket, all sockets.
    pub fn candidates(&self, arrived_at: Option<IpAddr>) -> Vec<SocketAddr> {
        let same = |socket: &&SocketAddr| Some(socket.ip()) == arrived_at;
        let mut found: Vec<SocketAddr> = self.sockets.iter().filter(same).copied().collect();
        if found.is_empty() {
            found.clone_from(&self.sockets);
        }
        let port = |ip: &IpAddr| {
            let of_family = |socket: &&SocketAddr| socket.is_ipv6() == ip.is_ipv6();
            found.iter().chain(&self.sockets).find(of_family).map(SocketAddr::port)
        };
        let public = self.public.iter().filter_map(|ip| Some(SocketAddr::new(*ip, port(ip)?)));
        let public: Vec<SocketAddr> = public.filter(|address| !found.contains(address)).collect();
        found.extend(public);
        found
    }
}

impl Transport {
    /// Returns a transport that waits for its first offer. `arrived_at` is the address by which the client came.
    pub fn new(context: &Context, arrived_at: Option<IpAddr>, now: Instant) -> Self {
        let config = Rtc::builder()
            .set_crypto_provider(context.provider.clone())
            .set_dtls_cert(context.certificate.clone())
            .set_ice_lite(true)
            .set_rtp_mode(true)
            .set_stats_interval(Some(STATISTICS_INTERVAL))
            .enable_bwe(Some(Bitrate::bps(FIRST_ESTIMATE)))
            .clear_codecs()
            .enable_opus(true, false)
            .enable_h264(true)
            .set_extension_map(extensions());
        let mut rtc = config.build(now);
        for address in context.candidates(arrived_at) {
            // An ICE-lite agent has host candidates only, so the public addresses are host candidates, too.
            if let Ok(candidate) = Candidate::host(address, "udp") {
                rtc.add_local_candidate(candidate);
            }
        }
        Self {
            downlink: Downlink::new(FIRST_ESTIMATE),
            timeout: now,
            sent: BitrateMeter::default(),
            desired: 0,
            rtc,
            streams: HashMap::new(),
            mids: HashSet::new(),
            sources: HashSet::new(),
            addresses: HashSet::new(),
        }
    }

    /// Returns how many media descriptions an offer has, and how many of them are new.
    pub fn descriptions(&self, sdp: &str) -> (usize, usize) {
        let count = offer::count(sdp);
        let known: HashSet<Mid> = offer::mids(sdp).map(Mid::from).filter(|mid| self.mids.contains(mid)).collect();
        (count, count.saturating_sub(known.len()))
    }

    /// Answers an offer of at most `max_descriptions` media descriptions, or as many as the last one had.
    ///
    /// # Errors
    /// Returns [`TransportError`] if the text is not an offer or cannot be answered. The transport is still usable, except
    /// after [`TransportError::Panicked`].
    pub fn accept_offer(&mut self, sdp: &str, max_descriptions: usize) -> Result<String, TransportError> {
        let bounded = offer::bound(sdp, max_descriptions.max(self.mids.len()))?;
        if !bounded.sources.iter().all(|source| self.admit_source(*source)) {
            return Err(TransportError::TooManySources);
        }
        let answer = catch(|| {
            let offer =
                SdpOffer::from_sdp_string(&bounded.sdp).map_err(|error| RtcError::RemoteSdp(error.to_string()))?;
            Ok(self.rtc.sdp_api().accept_offer(offer)?.to_sdp_string())
        })?;
        self.mids = offer::mids(&bounded.sdp).map(Mid::from).collect();
        Ok(answer)
    }

    /// Returns the ICE user name of the server's end. The client's first packets carry it.
    pub fn user(&mut self) -> String {
        self.rtc.direct_api().local_ice_credentials().ufrag
    }

    /// Returns whether a datagram from `source` is for this transport, and within its bounds: it comes from one of the first
    /// 256 addresses, and an RTP packet is of one of the first 256 sources.
    pub fn accepts(&mut self, source: SocketAddr, bytes: &[u8], input: &Input<'_>) -> bool {
        // The address only of a datagram that the stack accepts: others may be forged.
        catch_unwind(AssertUnwindSafe(|| self.rtc.accepts(input))).unwrap_or(false)
            && admit(&mut self.addresses, source, MAX_ADDRESSES)
            && rtp_source(bytes).is_none_or(|ssrc| self.admit_source(ssrc))
    }

    fn admit_source(&mut self, ssrc: u32) -> bool {
        admit(&mut self.sources, ssrc, MAX_SOURCES)
    }

    /// Handles a datagram.
    ///
    /// # Errors
    /// Returns [`TransportError`] if the transport cannot continue.
    pub fn handle_input(&mut self, input: Input<'_>) -> Result<(), TransportError> {
        catch(|| self.rtc.handle_input(input))
    }

    /// Advances the transport to `now`.
    ///
    /// # Errors
    /// Returns [`TransportError`] if the transport cannot continue.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), TransportError> {
        catch(|| self.rtc.handle_input(Input::Timeout(now)))
    }

    /// Returns the next event. Returns `None` if there is none until the next input or until [`Transport::timeout`] is
    /// due.
    ///
    /// # Errors
    /// Returns [`TransportError`] if the transport cannot continue.
    pub fn poll(&mut self, now: Instant) -> Result<Option<TransportEvent>, TransportError> {
        loop {
            match catch(|| self.rtc.poll_output())? {
                Output::Timeout(timeout) => {
                    self.timeout = timeout;
                    return if self.rtc.is_alive() { Ok(None) } else { Err(TransportError::Closed) };
                }
                Output::Transmit(transmit) => return Ok(Some(TransportEvent::Transmit(transmit))),
                Output::Event(event) => {
                    if let Some(event) = self.handle_event(event, now) {
                        return Ok(Some(event));
                    }
                }
            }
        }
    }

    fn handle_event(&mut self, event: Event, now: Instant) -> Option<TransportEvent> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the SFU needs only these of str0m's events")]
        match event {
            Event::RtpPacket(packet) => {
                let (mid, rid) = self.stream(packet.header.ssrc)?;
                Some(TransportEvent::Packet(mid, rid, Box::new(packet)))
            }
            Event::KeyframeRequest(request) => Some(TransportEvent::KeyFrameNeeded(request.mid)),
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
            Event::Connected => Some(TransportEvent::Connected),
            _ => None,
        }
    }

    /// Returns the media description and simulcast stream that an SSRC belongs to.
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

    /// Returns whether the session description has this media description. A client may replace one by another.
    pub fn has(&self, mid: Mid) -> bool {
        self.rtc.media(mid).is_some()
    }

    /// Returns the SSRC and payload type of the stream to the participant on `mid`, or `None` if there is no such
    /// stream.
    pub fn outgoing(&mut self, mid: Mid) -> Option<(Ssrc, Pt)> {
        let payload = *self.rtc.media(mid)?.remote_pts().first()?;
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_tx_by_mid(mid, None)?;
        // The senders pace. A second pacer here would add delay, and its queue would never drain if the estimate is too
        // low.
        stream.set_unpaced(true);
        Some((stream.ssrc(), payload))
    }

    /// Queues a packet. Returns false if the queue is full, the stream is gone or the transport is not connected.
    pub fn write(
        &mut self,
        subscriber: &Subscriber,
        packet: &RtpPacket,
        header: RewrittenHeader,
        retransmit: bool,
    ) -> bool {
        // Nothing drains the queue before the transport is connected.
        if !self.rtc.is_connected() {
            return false;
        }
        let mut direct = self.rtc.direct_api();
        let Some(stream) = direct.stream_tx(&subscriber.ssrc) else { return false };
        if stream.queue_info().is_some_and(|queue| queue.packet_count() > MAX_QUEUED) {
            return false;
        }
        let mut extensions = ExtensionValues::default();
        if let Some(descriptor) = packet.header.ext_vals.user_values.get_arc::<DescriptorBytes>() {
            extensions.user_values.set_arc(descriptor);
        }
        let write = RtpWrite::new(
            subscriber.payload,
            header.sequence.into(),
            header.timestamp,
            packet.timestamp,
            packet.payload.clone(),
        );
        self.sent.add(packet.payload.len(), packet.timestamp);
        stream.write_rtp(write.marker(packet.header.marker).ext_vals(extensions).nackable(retransmit));
        true
    }

    /// Requests a key frame of a layer that the participant sends. Returns false if no packet of that stream has
    /// arrived.
    pub fn request_key_frame(&mut self, mid: Mid, spatial: u8) -> bool {
        let mut direct = self.rtc.direct_api();
        let layer = Rid::from(spatial.to_string().as_str());
        // A single layer may arrive without a RID.
        let rid = direct.stream_rx_by_mid(mid, Some(layer)).is_some().then_some(layer);
        if rid.is_none() && spatial > 0 {
            return false;
        }
        let stream = direct.stream_rx_by_mid(mid, rid);
        stream.map(|stream| stream.request_keyframe(KeyframeRequestKind::Pli)).is_some()
    }

    /// Sets the bits per second that the participant would get on an unlimited link. The bandwidth estimator probes for
    /// that much.
    pub fn set_desired(&mut self, desired: u64) {
        if self.desired != desired {
            self.desired = desired;
            self.rtc.bwe().set_bitrate(Bitrate::ZERO, Bitrate::bps(desired));
        }
    }
}

/// Runs a function of the stack. A peer may be able to provoke a panic in it, so a panic must end this transport only
/// and not the server.
fn catch<T>(run: impl FnOnce() -> Result<T, RtcError>) -> Result<T, TransportError> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => result.map_err(|error| TransportError::Refused(error.to_string())),
        Err(_) => Err(TransportError::Panicked),
    }
}

/// Returns the header extensions that the SFU needs. The audio level is absent: it would show who speaks.
fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::empty();
    map.set(3, Extension::TransportSequenceNumber);
    map.set(4, Extension::RtpMid);
    map.set(10, Extension::RtpStreamId);
    map.set(11, Extension::RepairedRtpStreamId);
    map.set(12, dependency_descriptor());
    map
}

/// Returns whether `set` holds `value`, which is added if there is room.
fn admit<T: Eq + Hash>(set: &mut HashSet<T>, value: T, max: usize) -> bool {
    set.contains(&value) || set.len() < max && set.insert(value)
}

/// Returns the source of an RTP packet, or `None` for another datagram (RFC 7983, section 7; RFC 5761, section 4).
fn rtp_source(datagram: &[u8]) -> Option<u32> {
    let rtp = matches!(datagram, [128..=191, kind, ..] if !(192..=223).contains(kind));
    let bytes = datagram.get(8..12).filter(|_| rtp)?.first_chunk::<4>()?;
    Some(u32::from_be_bytes(*bytes))
}

/// The first bandwidth estimate, in bits per second: one large picture fits.
const FIRST_ESTIMATE: u64 = 2_000_000;

/// The interval between two loss reports.
const STATISTICS_INTERVAL: Duration = Duration::from_secs(1);

/// The maximum number of incoming streams whose media description is cached.
const MAX_STREAMS: usize = 256;

/// The maximum number of sources of one transport: those of three tracks with their retransmissions, several times over.
const MAX_SOURCES: usize = 256;

/// The maximum number of addresses of one transport. A moving client has a new address in each network.
const MAX_ADDRESSES: usize = 256;

/// The maximum number of packets that wait in one outgoing stream: about a second of video.
const MAX_QUEUED: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_offered_the_address_by_which_it_came_and_the_public_ones() {
        let socket = |text: &str| text.parse::<SocketAddr>().unwrap();
        let sockets = ["127.0.0.1:7", "192.168.1.2:7", "[fd00::2]:8"].map(socket);
        let context = Context::new(sockets.to_vec()).unwrap();
        let candidates = |context: &Context, ip: &str| context.candidates(Some(ip.parse().unwrap()));
        assert_eq!(candidates(&context, "192.168.1.2"), [sockets[1]]);
        assert_eq!(candidates(&context, "fd00::2"), [sockets[2]]);
        assert_eq!(candidates(&context, "10.0.0.1"), sockets, "no socket is on that address");
        assert_eq!(context.candidates(None), sockets);
        let public = ["203.0.113.5", "2001:db8::5", "192.168.1.2"].map(|ip| ip.parse().unwrap());
        let context = context.with_public(public.to_vec());
        let expected = ["192.168.1.2:7", "203.0.113.5:7", "[2001:db8::5]:8"].map(socket);
        assert_eq!(candidates(&context, "192.168.1.2"), expected);
    }

    #[test]
    fn packets_of_endless_sources_are_dropped_and_known_sources_continue() {
        let mut transport = Transport::new(&Context::new(Vec::new()).unwrap(), None, Instant::now());
        let admitted = (0..1_000).filter(|ssrc| transport.admit_source(*ssrc)).count();
        assert_eq!(admitted, MAX_SOURCES);
        assert!(transport.admit_source(7) && !transport.admit_source(999));
    }

    #[test]
    fn only_rtp_packets_have_a_source() {
        let datagram = |first: u8, second: u8| [&[first, second, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3][..], &[9; 20]].concat();
        assert_eq!(rtp_source(&datagram(0x80, 111)), Some(3));
        assert_eq!(rtp_source(&datagram(0x90, 0x80 | 0x66)), Some(3), "with a marker");
        for (first, second) in [(0x80, 200), (0x81, 206), (0, 1), (22, 254)] {
            assert_eq!(rtp_source(&datagram(first, second)), None);
        }
        assert_eq!(rtp_source(&datagram(0x80, 111)[..11]), None);
    }
}
