//! One participant's transport: an ICE-lite, DTLS-SRTP endpoint of str0m in RTP mode.
//!
//! A bad packet, a bad session description or a fault in the stack ends this transport only.

use super::bitrate_meter::BitrateMeter;
use super::downlink::{self, Downlink};
use super::extension::{DescriptorBytes, dependency_descriptor};
use super::switch::RewrittenHeader;
use super::track::Subscriber;
use std::collections::HashMap;
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

/// What all transports of a server share.
#[derive(Debug)]
pub struct Context {
    provider: Arc<CryptoProvider>,
    certificate: DtlsCert,
    addresses: Vec<SocketAddr>,
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
    /// The session description has more than 1,024 media descriptions.
    #[error("too many media descriptions")]
    TooManyDescriptions,
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
        Some(Self { provider, certificate, addresses })
    }
}

impl Transport {
    /// Returns a transport that waits for its first offer.
    pub fn new(context: &Context, now: Instant) -> Self {
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
        for address in &context.addresses {
            if let Ok(candidate) = Candidate::host(*address, "udp") {
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
        }
    }

    /// Answers an offer.
    ///
    /// # Errors
    /// Returns [`TransportError`] if the text is not an offer or cannot be answered. The transport is still usable.
    pub fn accept_offer(&mut self, sdp: &str) -> Result<String, TransportError> {
        if sdp.matches("\nm=").count() > MAX_DESCRIPTIONS {
            return Err(TransportError::TooManyDescriptions);
        }
        catch(|| {
            let offer = SdpOffer::from_sdp_string(sdp).map_err(|error| RtcError::RemoteSdp(error.to_string()))?;
            Ok(self.rtc.sdp_api().accept_offer(offer)?.to_sdp_string())
        })
    }

    /// Returns the ICE user name of the server's end. The client's first packets carry it.
    pub fn user(&mut self) -> String {
        self.rtc.direct_api().local_ice_credentials().ufrag
    }

    /// Returns whether a datagram is for this transport.
    pub fn accepts(&self, input: &Input<'_>) -> bool {
        catch_unwind(AssertUnwindSafe(|| self.rtc.accepts(input))).unwrap_or(false)
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

/// The first bandwidth estimate, in bits per second: one large picture fits.
const FIRST_ESTIMATE: u64 = 2_000_000;

/// The maximum number of media descriptions of one participant. The stack's searches are quadratic in it.
const MAX_DESCRIPTIONS: usize = 1_024;

/// The interval between two loss reports.
const STATISTICS_INTERVAL: Duration = Duration::from_secs(1);

/// The maximum number of incoming streams whose media description is cached.
const MAX_STREAMS: usize = 256;

/// The maximum number of packets that wait in one outgoing stream: about a second of video.
const MAX_QUEUED: usize = 256;
