//! One participant's transport: an ICE-lite, DTLS-SRTP endpoint of str0m in RTP mode.
//!
//! A bad packet, a bad session description or a fault in the stack ends this transport only.

mod formats;

use super::address_table::ThreadAddresses;
use super::downlink::{self, Downlink};
use super::extension::{copy_descriptor, extensions};
use super::first_probes::FirstProbes;
use super::ice_ufrag;
use super::offer::{self, AnsweredOffer};
use super::offer_queue::WorkLimit;
use super::path_overhead::UDP_OVERHEAD;
use super::picture_queue::PictureQueue;
use super::probe_goal::ProbeGoal;
use super::repairs::{Repairs, rtp_source};
use super::send_queue::PacketMeta;
use super::sent_meter::SentMeter;
use super::sound_loss::PathLoss;
use super::switch::{PacketInfo, RewrittenHeader};
use super::track::Subscriber;
use super::transport_error::{NotQueued, TransportError, catch};
use crate::Limits;
use crate::media_access::MediaAccess;
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
use str0m::rtp::{ExtensionValues, RtpPacket, RtpWrite, Ssrc};
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
    /// What answers contain besides the session description.
    pub(super) access: MediaAccess,
    /// The address table, for the thread of these transports.
    pub(super) addresses: ThreadAddresses,
}

/// One participant's transport.
#[derive(Debug)]
pub struct Transport {
    /// Decides how much may be sent to the participant.
    pub downlink: Downlink,
    /// The loss of its path, for the protection of sound.
    pub loss: PathLoss,
    /// When [`Transport::advance`] is due.
    pub timeout: Instant,
    /// The bitrate that the stack probes for.
    goal: ProbeGoal,
    /// The bits per second that the stack fills with padding, and those that it probes for if they rise.
    bwe_bitrates: (u64, u64),
    /// True if the stack neither pads nor probes.
    is_quiet: bool,
    /// The first probes, which measure its link.
    pub first_probes: FirstProbes,
    /// The pictures that wait.
    pub pictures: PictureQueue<RtpWrite>,
    sent: SentMeter,
    rtc: Rtc,
    streams: HashMap<Ssrc, (Mid, Option<Rid>)>,
    /// The last offer that was answered.
    pub offer: AnsweredOffer,
    /// The sources that offers have named or packets have come from. The stack forgets none of them.
    sources: HashSet<u32>,
    /// The addresses that datagrams have come from. The stack forgets none of them.
    addresses: HashSet<SocketAddr>,
    /// The outgoing streams, and what was requested and sent again of them.
    pub repairs: Repairs,
}

/// What a transport reports.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a box would be one allocation for each packet")]
pub enum TransportEvent {
    /// Send this datagram.
    Transmit(str0m::net::Transmit),
    /// An RTP packet arrived on this media description and simulcast stream.
    Packet(Mid, Option<Rid>, RtpPacket),
    /// The participant needs a key frame of what it receives on this media description.
    KeyFrameNeeded(Mid),
    /// DTLS is complete.
    Connected,
    /// The participant's link has changed. Its downlink must be divided again.
    LinkChanged(downlink::Change),
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
            access: MediaAccess::default(),
            addresses: ThreadAddresses::default(),
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

    /// Returns the context with other paths than UDP.
    #[must_use]
    pub(crate) fn with_access(self, access: MediaAccess) -> Self {
        Self { access, ..self }
    }

    /// Returns the context for one of several threads.
    #[must_use]
    pub(crate) fn with_addresses(self, addresses: ThreadAddresses) -> Self {
        Self { addresses, ..self }
    }

    /// Adds a media socket.
    pub fn add_socket(&mut self, address: SocketAddr) {
        self.sockets.push(address);
    }

    /// Returns the addresses that answers to a client offer for media: the socket on the address to which the client connected,
    /// and the public addresses. If there is no such socket, all sockets.
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
    /// Returns a transport that waits for its first offer. `arrived_at` is the address to which the client connected.
    pub fn new(context: &Context, arrived_at: Option<IpAddr>, now: Instant) -> Self {
        let mut config = Rtc::builder()
            .set_crypto_provider(context.provider.clone())
            .set_dtls_cert(context.certificate.clone())
            .set_ice_lite(true)
            .set_local_ice_credentials(ice_ufrag::credentials(context.addresses.thread()))
            .set_rtp_mode(true)
            .set_stats_interval(Some(downlink::REPORT_INTERVAL))
            .enable_bwe(Some(Bitrate::bps(PROBE_BASE)))
            .clear_codecs()
            .enable_h264(true)
            .set_extension_map(extensions());
        formats::add_sound(&mut config);
        let mut rtc = config.build(now);
        for address in context.candidates(arrived_at) {
            // An ICE-lite agent has host candidates only, so the public addresses are host candidates, too.
            if let Ok(candidate) = Candidate::host(address, "udp") {
                rtc.add_local_candidate(candidate);
            }
        }
        Self {
            downlink: Downlink::new(FIRST_BUDGET),
            loss: PathLoss::default(),
            timeout: now,
            goal: ProbeGoal::default(),
            bwe_bitrates: (0, 0),
            is_quiet: false,
            first_probes: FirstProbes::default(),
            pictures: PictureQueue::new(now),
            sent: SentMeter::new(now),
            rtc,
            streams: HashMap::new(),
            offer: AnsweredOffer::default(),
            sources: HashSet::new(),
            addresses: HashSet::new(),
            repairs: Repairs::default(),
        }
    }

    /// Answers an offer of at most `max_descriptions` media descriptions, or as many as the last one had.
    ///
    /// # Errors
    /// Returns [`TransportError`] if the text is not an offer or cannot be answered. The transport is still usable, except
    /// after [`TransportError::Panicked`].
    pub fn accept_offer(&mut self, sdp: &str, max_descriptions: usize) -> Result<String, TransportError> {
        let bounded = offer::bound(sdp, max_descriptions.max(self.offer.description_count()))?;
        if !bounded.sources.iter().all(|source| self.admit_source(*source)) {
            return Err(TransportError::TooManySources);
        }
        let answer = catch(|| {
            let offer =
                SdpOffer::from_sdp_string(&bounded.sdp).map_err(|error| RtcError::RemoteSdp(error.to_string()))?;
            let before = self.rtc.direct_api().local_ice_credentials();
            let answer = self.rtc.sdp_api().accept_offer(offer)?.to_sdp_string();
            Ok(ice_ufrag::keep_thread(&mut self.rtc, &before, answer))
        })?;
        self.offer = AnsweredOffer::new(&bounded.sdp);
        Ok(answer)
    }

    /// Returns the server's ICE user name fragment. The client's first packets contain it.
    pub fn ufrag(&mut self) -> String {
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
        catch(|| Ok(self.rtc.handle_input(input)?))
    }

    /// Advances the transport to `now`.
    ///
    /// # Errors
    /// Returns [`TransportError`] if the transport cannot continue.
    pub fn advance(&mut self, now: Instant) -> Result<(), TransportError> {
        // The stack gets the next picture afterwards: it sends no padding while it has one, so probes of narrow links would fail.
        catch(|| Ok(self.rtc.handle_input(Input::Timeout(now))?))
    }

    /// Returns the next event. Returns `None` if there is none until the next input or until [`Transport::timeout`] is
    /// due.
    ///
    /// # Errors
    /// Returns [`TransportError`] if the transport cannot continue.
    pub fn poll(&mut self, now: Instant) -> Result<Option<TransportEvent>, TransportError> {
        catch(|| self.poll_stack(now))
    }

    fn poll_stack(&mut self, now: Instant) -> Result<Option<TransportEvent>, TransportError> {
        let mut rounds = 0;
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(_) if self.fill_stack(now) => self.rtc.handle_input(Input::Timeout(now))?,
                // The stack lets a microsecond pass between two packets. A timer would wait a millisecond.
                Output::Timeout(soon) if soon > now && soon < now + MIN_TIMER && rounds < MAX_ROUNDS => {
                    rounds += 1;
                    self.rtc.handle_input(Input::Timeout(soon))?;
                }
                Output::Timeout(timeout) => {
                    let picture = self.pictures.next_at(&self.downlink, now);
                    self.timeout = picture.map_or(timeout, |at| timeout.min(at));
                    return if self.rtc.is_alive() { Ok(None) } else { Err(TransportError::Closed) };
                }
                Output::Transmit(transmit) => {
                    self.count_sent(&transmit, now);
                    return Ok(Some(TransportEvent::Transmit(transmit)));
                }
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
                Some(TransportEvent::Packet(mid, rid, packet))
            }
            Event::KeyframeRequest(request) => Some(TransportEvent::KeyFrameNeeded(request.mid)),
            Event::PeerStats(stats) => {
                self.quiet_stack();
                // The stack's event for a new estimate has the average of three seconds. That is too late after a drop.
                let estimate = stats.bwe_tx?.as_u64();
                let sent = self.sent.take(estimate, now);
                let report = downlink::Report {
                    estimate: sent.estimate,
                    sent: sent.rate,
                    lost: stats.egress_loss_fraction.unwrap_or(0.0),
                    round_trip: stats.rtt,
                    pause: sent.pause,
                };
                let full = self.downlink.handle_report(report, now);
                if full.is_some() {
                    self.first_probes.finish();
                } else if self.first_probes.handle_report(estimate, self.downlink.is_delayed(), now) {
                    self.downlink.expect_probes();
                    self.goal.set_desired(self.first_probes.desired(0, now).unwrap_or(0));
                    self.look_for_goal(0);
                    // It sends two probes if it begins again.
                    self.rtc.bwe().reset(Bitrate::bps(PROBE_BASE));
                }
                let random = stats.egress_loss_fraction.filter(|_| !self.downlink.was_delayed());
                self.loss.handle_report(stats.ingress_loss_fraction, random, stats.rtt);
                let waiting = self.pictures.delay(self.downlink.budget());
                tracing::trace!(?report, downlink = ?self.downlink, ?waiting, "downlink");
                full.map(TransportEvent::LinkChanged)
            }
            Event::MediaEgressStats(stats) => {
                self.repairs.handle_requests(stats.mid, stats.nacks);
                None
            }
            Event::Connected => {
                self.first_probes.connect(now);
                Some(TransportEvent::Connected)
            }
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
        // Our clients name no SSRC for the retransmissions of sound. Without one, the stack requests none by itself.
        let is_sound = self.rtc.media(found.0).is_some_and(|media| media.kind().is_audio());
        if is_sound && let Some(stream) = self.rtc.direct_api().stream_rx(&ssrc) {
            stream.suppress_nack(false);
        }
        self.streams.insert(ssrc, found);
        Some(found)
    }

    /// Returns whether DTLS is complete.
    pub fn is_connected(&self) -> bool {
        self.rtc.is_connected()
    }

    /// Returns whether the session description has this media description. A client may replace one by another.
    pub fn has(&self, mid: Mid) -> bool {
        self.rtc.media(mid).is_some()
    }

    /// Returns the SSRC and payload type of the stream to the participant on `mid`, or `None` if there is no such
    /// stream.
    pub fn outgoing(&mut self, mid: Mid) -> Option<(Ssrc, Pt)> {
        let media = self.rtc.media(mid)?;
        let (payload, is_sound) = (*media.remote_pts().first()?, media.kind().is_audio());
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_tx_by_mid(mid, None)?;
        // The queue in front of the stack is paced. Sound and retransmissions go ahead of it.
        stream.set_unpaced(true);
        let ssrc = stream.ssrc();
        // Setting the cache empties it.
        if self.repairs.add_stream(ssrc) {
            if is_sound {
                stream.set_rtx_cache(MAX_SOUND_PACKETS, SOUND_AGE, Some(MAX_SOUND_RESENT));
            } else {
                stream.set_rtx_cache(RTX_CACHE_PACKETS, RTX_CACHE_AGE, Some(MAX_RTX_SHARE));
            }
        }
        Some((ssrc, payload))
    }

    /// Queues a packet of a picture.
    ///
    /// # Errors
    /// Returns [`NotQueued`] if the packet must be dropped.
    pub fn write_video(
        &mut self,
        subscriber: &Subscriber,
        packet: &RtpPacket,
        header: RewrittenHeader,
        info: &PacketInfo,
    ) -> Result<(), NotQueued> {
        // Nothing drains the queue before the transport is connected.
        if !self.rtc.is_connected() {
            return Err(NotQueued::NoStream);
        }
        let base = info.temporal == 0;
        let meta = PacketMeta { sequence: header.sequence, bytes: packet.payload.len(), base, key: info.key };
        let write = rtp_write(subscriber, packet, header);
        let queued = self.pictures.push(subscriber.ssrc, meta, write, self.downlink.budget());
        queued.map_err(|next| NotQueued::Full { next })
    }

    /// Hands a packet of sound to the stack, which sends it at once. Drops it if the transport is not connected. `sources` names
    /// its sender, if the stream is shared.
    pub fn write_audio(
        &mut self,
        subscriber: &Subscriber,
        packet: &RtpPacket,
        header: RewrittenHeader,
        sources: &[u32],
    ) -> bool {
        if !self.rtc.is_connected() {
            return false;
        }
        let mut direct = self.rtc.direct_api();
        let Some(stream) = direct.stream_tx(&subscriber.ssrc) else { return false };
        stream.write_rtp(rtp_write(subscriber, packet, header).csrc(sources));
        self.pictures.add_sound(packet.payload.len(), &self.downlink);
        true
    }

    /// Drops what is queued for streams that the session description does not have any more.
    pub fn forget_streams(&mut self) {
        let mut direct = self.rtc.direct_api();
        self.pictures.retain(|ssrc| direct.stream_tx(&ssrc).is_some());
    }

    /// Hands the next packet of a picture to the stack if it is due. Returns whether it got one. The stack sends it at once,
    /// after retransmissions.
    fn fill_stack(&mut self, now: Instant) -> bool {
        let Some((ssrc, write)) = self.pictures.pop(&self.downlink, now) else { return false };
        let mut direct = self.rtc.direct_api();
        if let Some(stream) = direct.stream_tx(&ssrc) {
            stream.write_rtp(write);
        }
        true
    }

    /// Returns whether it is connected and has streams to the participant.
    pub fn sends(&self) -> bool {
        self.first_probes.is_connected() && self.repairs.has_streams()
    }

    /// Counts a datagram that the stack sends.
    fn count_sent(&mut self, transmit: &str0m::net::Transmit, now: Instant) {
        self.downlink.path.is_ipv6 = transmit.destination.is_ipv6();
        let total = transmit.contents.len() + UDP_OVERHEAD;
        let source = rtp_source(&transmit.contents);
        // The stack sends feedback, checks, retransmissions and padding at once. If the participant has set a limit, they are part of it.
        let is_unpaced = source.is_none_or(|source| self.repairs.handle_sent(source.into()));
        if is_unpaced && self.downlink.is_limited() {
            self.pictures.add_unpaced(total + self.downlink.path.extra_bytes());
        }
        if source.is_some() {
            self.sent.add(total, now);
        }
    }

    /// Makes the stack forget the packets of a stream that it sent, so that it does not send them again.
    pub fn forget_sent(&mut self, ssrc: Ssrc) {
        if let Some(stream) = self.rtc.direct_api().stream_tx(&ssrc) {
            stream.set_rtx_cache(RTX_CACHE_PACKETS, RTX_CACHE_AGE, Some(MAX_RTX_SHARE));
        }
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

    /// Sets the bits per second that the participant would get on an unlimited link, and how many of them are reserved for
    /// sound. If the estimate is lower, the stack probes for that much from time to time.
    pub fn set_desired(&mut self, desired: u64, sound: u64, now: Instant) {
        self.pictures.set_sound(sound);
        self.quiet_stack();
        if self.repairs.has_streams() {
            self.first_probes.subscribe(now);
        }
        let Some(desired) = self.first_probes.desired(desired, now) else { return };
        let desired = self.goal.set_desired(desired);
        if self.downlink.set_desired(desired, now) {
            self.goal.probe_again();
        }
        self.look_for_goal(self.downlink.padding().min(desired));
    }

    /// Keeps the stack quiet while the limit of the participant has no room for padding. The stack fills 50 kbit/s also if it is asked
    /// for nothing, but never more than its estimate, which feedback raises half a second after a reset.
    fn quiet_stack(&mut self) {
        let quiet = !self.downlink.may_probe();
        if quiet || self.is_quiet {
            self.rtc.bwe().reset(Bitrate::bps(if quiet { 0 } else { FIRST_BUDGET / 3 }));
        }
        self.is_quiet = quiet;
    }

    /// Makes the stack fill `padding` bits per second, and look for the goal.
    fn look_for_goal(&mut self, padding: u64) {
        let bitrates = (padding, self.goal.bitrate(self.downlink.max_probe()));
        if self.bwe_bitrates != bitrates {
            self.bwe_bitrates = bitrates;
            self.rtc.bwe().set_bitrate(Bitrate::bps(padding), Bitrate::bps(bitrates.1));
        }
    }
}

/// Returns a packet as it is sent to a subscriber.
fn rtp_write(subscriber: &Subscriber, packet: &RtpPacket, header: RewrittenHeader) -> RtpWrite {
    let mut extensions = ExtensionValues::default();
    copy_descriptor(&packet.header.ext_vals, &mut extensions);
    let write = RtpWrite::new(
        subscriber.payload,
        header.sequence.into(),
        header.timestamp,
        packet.timestamp,
        packet.payload.clone(),
    );
    write.marker(packet.header.marker).ext_vals(extensions).nackable(true)
}

/// Returns whether `set` holds `value`, which is added if there is room.
fn admit<T: Eq + Hash>(set: &mut HashSet<T>, value: T, max: usize) -> bool {
    set.contains(&value) || set.len() < max && set.insert(value)
}

/// The first budget, in bits per second: sound and the smallest layer.
const FIRST_BUDGET: u64 = 300_000;

/// The first estimate of the stack, in bits per second. Its large probes take 15 ms each, at three and six times this rate. The
/// first one uses up the burst of a token bucket, so the second one measures the link.
const PROBE_BASE: u64 = downlink::BURST_RATE / 3;

/// The maximum number of incoming streams whose media description is cached.
const MAX_STREAMS: usize = 256;

/// The maximum number of sources of one transport: those of three tracks with their retransmissions, several times over.
const MAX_SOURCES: usize = 256;

/// The maximum number of addresses of one transport. A moving client has a new address in each network.
const MAX_ADDRESSES: usize = 256;

/// The packets that are kept of each outgoing stream for retransmission. A client requests a packet for at most 600 ms.
const RTX_CACHE_PACKETS: usize = 1_024;
const RTX_CACHE_AGE: Duration = Duration::from_secs(2);

/// The largest share of retransmissions in the bytes of a stream in one second. If it is exceeded, none is sent. At a loss
/// of 30 %, repairing everything takes a share of 0.3, of which the base layer is half.
const MAX_RTX_SHARE: f32 = 0.35;

/// The sound packets that are kept for retransmission: a second.
const MAX_SOUND_PACKETS: usize = 64;
const SOUND_AGE: Duration = Duration::from_secs(1);

/// The largest share of retransmissions in the bytes of a stream of sound. At 30 % loss a receiver requests 30 %. The bound
/// prevents an attack that multiplies the traffic.
const MAX_SOUND_RESENT: f32 = 0.5;

/// The stack is advanced by less than this without a timer.
const MIN_TIMER: Duration = Duration::from_micros(50);

/// How many times it is advanced so in one call. Then other transports get their turn.
const MAX_ROUNDS: usize = 64;

#[cfg(test)]
mod tests;
