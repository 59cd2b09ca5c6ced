//! Receives RTP: finds the track of each packet, requests missing ones, and passes complete frames to the tracks'
//! readers.
//!
//! Pure. The peer connection's task passes packets, and the session's task assigns tracks, through a mutex. A reader
//! that stops reading loses frames of its own track only.

use super::assemble::{Assembler, Frame, Packet};
use super::description::{Section, Source};
use super::inbound_stats::{InboundRtpMeter, InboundRtpStats};
use super::nack_tracker::NackTracker;
use super::round_trip::RoundTrip;
use super::shared_voices::SharedVoices;
use super::sound_nacks::SoundNacks;
use super::unwrap::Unwrapper;
use bytes::{Buf, Bytes};
use crypto::{Header, ReceivedFrame};
use media::{BufferPool, Layer, Sender, Size};
use proto::{Kind, Slot};
use rtc::rtp;
use std::collections::{HashMap, VecDeque};
use std::time::Instant;

/// Receives all tracks of one session.
pub struct RtpReceiver {
    pool: BufferPool,
    /// The id of the Dependency Descriptor's header extension.
    descriptor: Option<u8>,
    /// By SSRC.
    streams: HashMap<u32, RtpStream>,
    /// The SSRC of each retransmission stream, with the SSRC of what it retransmits.
    repairs: HashMap<u32, u32>,
    /// The SSRC of each media description.
    mids: HashMap<String, u32>,
    /// Packets whose SSRC no session description has named yet, because media may arrive before the answer. Bounded.
    early: VecDeque<rtp::Packet>,
    counts: Counts,
    /// The voices that arrive on shared streams.
    pub voices: SharedVoices,
    /// Measured by the requests for missing packets of video.
    round_trip: RoundTrip,
}

/// Counts of what was received since the session began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packets of known streams.
    pub packets: u64,
    /// Those of them that were retransmitted.
    pub repaired: u64,
    /// Packets that belong to no stream or are malformed.
    pub strange: u64,
    /// Frames that a reader had no room for.
    pub overflowed: u64,
}

/// A request to the sender.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// Retransmit these packets of an SSRC.
    Nack(u32, Vec<u16>),
    /// Send a key frame of an SSRC.
    KeyFrame(u32),
}

/// The state of one SSRC.
struct RtpStream {
    nacks: NackTracker,
    reader: Option<Reader>,
    /// Set if the stream carries whoever speaks. Then it has no reader.
    shared: Option<Sound>,
}

/// The track that a stream was assigned to, and the queue to its reader.
struct Reader {
    slot: Slot,
    frames: Sender<ReceivedFrame>,
    assembly: Assembly,
    meter: InboundRtpMeter,
    /// True if the decoder needs a key frame.
    needs_key_frame: bool,
}

enum Assembly {
    Video(Box<Assembler>),
    Audio(Sound),
}

/// The state of a sound stream, which needs no assembling.
#[derive(Default)]
struct Sound {
    counter: Unwrapper,
    nacks: SoundNacks,
}

impl RtpReceiver {
    /// Returns a receiver without streams. Frames are assembled in buffers of `pool`.
    pub fn new(pool: BufferPool) -> Self {
        Self {
            pool,
            descriptor: None,
            streams: HashMap::new(),
            repairs: HashMap::new(),
            mids: HashMap::new(),
            early: VecDeque::new(),
            counts: Counts::default(),
            voices: SharedVoices::default(),
            round_trip: RoundTrip::default(),
        }
    }

    /// Adds the streams of a session description. Known streams continue.
    pub fn declare(&mut self, sections: &[Section]) {
        for section in sections {
            let Some(source) = section.source else { continue };
            self.descriptor = section.extensions.descriptor.or(self.descriptor);
            if self.is_full() && !self.knows(&section.mid, source) {
                tracing::debug!(mid = section.mid, "too many streams");
                continue;
            }
            self.mids.insert(section.mid.clone(), source.ssrc);
            let stream = || RtpStream { nacks: NackTracker::default(), reader: None, shared: None };
            self.streams.entry(source.ssrc).or_insert_with(stream);
            if let Some(repair) = source.repair {
                self.repairs.insert(repair, source.ssrc);
            }
        }
    }

    /// Passes the frames of the stream of `mid` to `frames` from now on. Returns false if no session description has
    /// named an SSRC for it.
    pub fn assign(&mut self, mid: &str, slot: Slot, kind: Kind, frames: Sender<ReceivedFrame>, now: Instant) -> bool {
        let assembly = match kind {
            Kind::Video => Assembly::Video(Box::default()),
            Kind::Audio => Assembly::Audio(Sound::default()),
        };
        let Some(stream) = self.stream(mid) else { return false };
        stream.reader =
            Some(Reader { slot, frames, assembly, meter: InboundRtpMeter::new(kind), needs_key_frame: false });
        self.handle_early(mid, now);
        true
    }

    /// Passes the packets of the stream of `mid` to the voices that they name from now on. Returns false if no session
    /// description has named an SSRC for it.
    pub fn share_stream(&mut self, mid: &str, now: Instant) -> bool {
        let Some(stream) = self.stream(mid) else { return false };
        stream.shared.get_or_insert_default();
        self.handle_early(mid, now);
        true
    }

    /// Handles the packets of the stream of `mid` that have arrived before the answer named it.
    fn handle_early(&mut self, mid: &str, now: Instant) {
        let Some(source) = self.mids.get(mid).copied() else { return };
        let (early, others): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.early).into_iter().partition(|packet| {
                let ssrc = packet.header.ssrc;
                self.repairs.get(&ssrc).copied().unwrap_or(ssrc) == source
            });
        self.early = others;
        for packet in early {
            self.handle_packet(packet, now);
        }
    }

    /// Stops reading the stream of `mid`.
    pub fn release(&mut self, mid: &str) {
        if let Some(stream) = self.stream(mid) {
            stream.reader = None;
        }
    }

    /// Requests a key frame of the stream of `mid`, because its decoder needs one.
    pub fn want_key_frame(&mut self, mid: &str) {
        if let Some(reader) = self.stream(mid).and_then(|stream| stream.reader.as_mut()) {
            reader.needs_key_frame = true;
        }
    }

    /// Returns the statistics of the track that the stream of `mid` was assigned to. `None` if it is not assigned.
    pub fn inbound_stats(&self, mid: &str) -> Option<InboundRtpStats> {
        let stream = self.mids.get(mid).and_then(|ssrc| self.streams.get(ssrc))?;
        Some(stream.reader.as_ref()?.meter.stats())
    }

    /// Handles a packet.
    pub fn handle_packet(&mut self, mut packet: rtp::Packet, now: Instant) {
        let descriptor = self.descriptor.and_then(|id| extension(&packet.header, id));
        let repair = self.repairs.get(&packet.header.ssrc).copied();
        let Some((ssrc, sequence)) = original(&packet, repair) else {
            // A packet without a payload is padding (RFC 3550, section 5.1), sent to probe the bandwidth.
            self.counts.strange += u64::from(!packet.payload.is_empty());
            return;
        };
        let Some(stream) = self.streams.get_mut(&ssrc) else {
            if self.early.len() == MAX_EARLY {
                self.early.pop_front();
                self.counts.strange += 1;
            }
            self.early.push_back(packet);
            return;
        };
        self.counts.packets += 1;
        self.counts.repaired += u64::from(repair.is_some());
        if let Some(sound) = &mut stream.shared {
            let is_new = sound.is_new(sequence, repair.is_some(), now);
            let number = sound.counter.peek(sequence);
            if is_new {
                self.handle_voice(&packet, (ssrc, number), repair.is_some(), now);
            }
            return;
        }
        let Some(reader) = &mut stream.reader else { return };
        if repair.is_none() {
            reader.meter.handle_packet(sequence, packet.header.timestamp, now);
        }
        match &mut reader.assembly {
            Assembly::Video(_) => {
                // A packet that was not retransmitted was only late.
                let answered = stream.nacks.handle_packet(sequence, now).filter(|_| repair.is_some());
                if let Some(time) = answered {
                    self.round_trip.add(time);
                }
            }
            Assembly::Audio(sound) => {
                if !sound.is_new(sequence, repair.is_some(), now) {
                    return;
                }
            }
        }
        if repair.is_some() {
            packet.payload.advance(RTX_HEADER_BYTES);
        }
        // Moved and not cloned: the first clone of `Bytes` allocates.
        let (timestamp, payload) = (packet.header.timestamp, packet.payload);
        let packet = Packet { sequence, timestamp, descriptor: descriptor.unwrap_or_default(), payload, arrival: now };
        let first = reader.handle_packet(packet, &self.pool, now);
        if first {
            stream.nacks.handle_missing_start(now);
        }
        self.counts.overflowed += reader.deliver(&self.pool, now);
    }

    /// Handles a new packet of a shared stream. `ssrc` is that of the stream, and `number` that of the packet in it.
    fn handle_voice(&mut self, packet: &rtp::Packet, (ssrc, number): (u32, u64), retransmitted: bool, now: Instant) {
        let Some(owner) = proto::voice_owner(&packet.header.csrc) else {
            self.counts.strange += 1;
            return;
        };
        let skipped = if retransmitted { RTX_HEADER_BYTES } else { 0 };
        let header = sound_header(Slot::Microphone, packet.header.timestamp);
        let bytes = self.pool.copy(packet.payload.get(skipped..).unwrap_or_default());
        let frame = ReceivedFrame { header, bytes, sequence: number, received: now };
        self.voices.handle_packet(owner, ssrc, retransmitted, frame);
    }

    /// Continues streams whose missing packets did not arrive in time.
    pub fn handle_timeout(&mut self, now: Instant) {
        for reader in self.streams.values_mut().filter_map(|stream| stream.reader.as_mut()) {
            self.counts.overflowed += reader.deliver(&self.pool, now);
        }
    }

    /// Returns the requests to send now.
    pub fn poll_requests(&mut self, now: Instant) -> Vec<Request> {
        let mut requests = Vec::new();
        let retry = self.round_trip.retry_interval();
        for (ssrc, stream) in &mut self.streams {
            if let Some(sound) = &mut stream.shared {
                let missing = sound.nacks.poll_request(now);
                requests.extend((!missing.is_empty()).then_some(Request::Nack(*ssrc, missing)));
            }
            let Some(reader) = &mut stream.reader else { continue };
            let missing = match &mut reader.assembly {
                Assembly::Video(assembler) => {
                    assembler.set_retry_interval(retry);
                    if let Some(first) = assembler.first_needed() {
                        stream.nacks.forget_before(first);
                    }
                    stream.nacks.poll_request(now, retry)
                }
                Assembly::Audio(sound) => sound.nacks.poll_request(now),
            };
            if !missing.is_empty() {
                requests.push(Request::Nack(*ssrc, missing));
            }
            if reader.poll_key_request(now) {
                requests.push(Request::KeyFrame(*ssrc));
            }
        }
        requests
    }

    /// Returns when [`RtpReceiver::handle_timeout`] or [`RtpReceiver::poll_requests`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let timeout = |stream: &RtpStream| {
            let assembler = match stream.reader.as_ref().map(|reader| &reader.assembly) {
                Some(Assembly::Video(assembler)) => assembler.poll_timeout(),
                Some(Assembly::Audio(sound)) => return sound.nacks.poll_timeout(),
                None => return stream.shared.as_ref().and_then(|sound| sound.nacks.poll_timeout()),
            };
            [stream.nacks.poll_timeout(), assembler].into_iter().flatten().min()
        };
        self.streams.values().filter_map(timeout).min()
    }

    /// Returns what was received so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    fn is_full(&self) -> bool {
        self.streams.len().max(self.repairs.len()).max(self.mids.len()) >= MAX_STREAMS
    }

    fn knows(&self, mid: &str, source: Source) -> bool {
        let repair = source.repair.is_none_or(|repair| self.repairs.get(&repair) == Some(&source.ssrc));
        repair && self.mids.get(mid) == Some(&source.ssrc)
    }

    fn stream(&mut self, mid: &str) -> Option<&mut RtpStream> {
        self.streams.get_mut(self.mids.get(mid)?)
    }
}

impl Sound {
    /// Handles the number of a packet. Returns true if it is to be played.
    fn is_new(&mut self, sequence: u16, retransmitted: bool, now: Instant) -> bool {
        let number = self.counter.unwrap(sequence);
        self.nacks.handle_packet(number, retransmitted, now)
    }
}

impl Reader {
    /// Handles a packet. Returns true if it is the first one of the stream, but not of a frame.
    fn handle_packet(&mut self, packet: Packet, pool: &BufferPool, now: Instant) -> bool {
        match &mut self.assembly {
            Assembly::Video(assembler) => {
                let first = assembler.is_empty();
                assembler.handle_packet(packet);
                first && assembler.misses_start()
            }
            Assembly::Audio(sound) => {
                // One packet is one frame. The jitter buffer reorders packets, and opening refuses repetitions.
                let header = sound_header(self.slot, packet.timestamp);
                let sequence = sound.counter.peek(packet.sequence);
                let bytes = pool.copy(&packet.payload);
                // If the queue is full, the waiting audio is late already. Then this packet is dropped.
                drop(self.frames.try_send(ReceivedFrame { header, bytes, sequence, received: now }));
                false
            }
        }
    }

    /// Passes on complete frames. Returns how many were dropped because the queue was full.
    fn deliver(&mut self, pool: &BufferPool, now: Instant) -> u64 {
        let Assembly::Video(assembler) = &mut self.assembly else { return 0 };
        let mut overflowed = 0;
        while let Some(frame) = assembler.poll_frame(pool, now) {
            let header = Header {
                slot: self.slot,
                layer: frame.layer,
                size: frame.size,
                key: frame.key,
                discardable: frame.discardable,
                rtp_time: frame.timestamp,
                voice: false,
            };
            self.needs_key_frame &= !frame.key;
            let Frame { bytes, number: sequence, arrival: received, .. } = frame;
            let received = ReceivedFrame { header, bytes, sequence, received };
            if self.frames.try_send(received).is_err() {
                overflowed += 1;
                assembler.handle_overflow();
            }
        }
        overflowed
    }

    fn poll_key_request(&mut self, now: Instant) -> bool {
        let Assembly::Video(assembler) = &mut self.assembly else { return false };
        // A reader that was dropped because its decoder failed needs no key frames. They would cost bandwidth of all
        // viewers.
        assembler.poll_key_request(self.needs_key_frame, now) && !self.frames.is_closed()
    }
}

/// Returns the SSRC and sequence number of a packet, or of the one that it retransmits. `repaired` is the SSRC of the
/// retransmitted stream; the original number comes before the payload (RFC 4588, section 4). Returns `None` if there is
/// no payload.
fn original(packet: &rtp::Packet, repaired: Option<u32>) -> Option<(u32, u16)> {
    match repaired {
        None => (!packet.payload.is_empty()).then_some((packet.header.ssrc, packet.header.sequence_number)),
        Some(ssrc) => {
            let number = packet.payload.first_chunk::<RTX_HEADER_BYTES>()?;
            (packet.payload.len() > RTX_HEADER_BYTES).then_some((ssrc, u16::from_be_bytes(*number)))
        }
    }
}

/// Returns the metadata of a frame of sound.
fn sound_header(slot: Slot, rtp_time: u32) -> Header {
    let (layer, size) = (Layer::default(), Size::default());
    Header { slot, layer, size, key: true, discardable: false, rtp_time, voice: false }
}

/// Returns the value of a header extension.
pub fn extension(header: &rtp::Header, id: u8) -> Option<Bytes> {
    header.extensions.iter().find(|extension| extension.id == id).map(|extension| extension.payload.clone())
}

/// Bytes of the sequence number before a retransmitted payload.
const RTX_HEADER_BYTES: usize = 2;

/// The maximum number of streams, so that a server that names new ones in each answer cannot exhaust the memory.
const MAX_STREAMS: usize = 2 * proto::MAX_TRACKS;

/// The maximum number of packets that wait for a session description: a few key frames.
const MAX_EARLY: usize = 512;

#[cfg(test)]
#[path = "rtp_receiver_tests.rs"]
mod tests;
