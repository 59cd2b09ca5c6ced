//! All that comes in by RTP: finds the track of each packet, repairs its stream, and hands whole frames to their readers.
//!
//! Pure: the peer connection's task feeds it, a mutex lets the session's task say which track is where. A reader that
//! does not read costs its own track frames, and nobody else anything.

use super::assemble::{Assembler, Packet};
use super::description::{Section, Source};
use super::missing::Missing;
use super::unwrap::Unwrapper;
use bytes::{Buf, Bytes};
use crypto::{Header, ReceivedFrame};
use media::{BufferPool, Layer, Sender, Size};
use proto::{Kind, Slot};
use rtc::rtp;
use std::collections::{HashMap, VecDeque};
use std::time::Instant;

/// The receiving end of one session.
pub struct RtpReceiver {
    pool: BufferPool,
    descriptor: Option<u8>,
    streams: HashMap<u32, Stream>,
    repairs: HashMap<u32, u32>,
    mids: HashMap<String, u32>,
    /// Packets of sources that no answer has named yet: media may overtake the answer.
    early: VecDeque<rtp::Packet>,
    counts: Counts,
}

/// What came in since the session began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packets of known streams.
    pub packets: u64,
    /// Those of them that came by retransmission.
    pub repaired: u64,
    /// Packets that belong to no stream, or are malformed.
    pub strange: u64,
    /// Frames that a reader had no room for.
    pub overflowed: u64,
}

/// What the sender is to be asked.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// To send packets of a source again.
    Again(u32, Vec<u16>),
    /// To send a key frame on a source.
    KeyFrame(u32),
}

struct Stream {
    missing: Missing,
    reader: Option<Reader>,
}

struct Reader {
    slot: Slot,
    frames: Sender<ReceivedFrame>,
    assembly: Assembly,
    /// The reader itself cannot go on without a key frame.
    stuck: bool,
}

enum Assembly {
    Video(Box<Assembler>),
    Audio(Unwrapper),
}

impl RtpReceiver {
    /// An intake that knows no stream. Frames are built in buffers of `pool`.
    pub fn new(pool: BufferPool) -> Self {
        Self {
            pool,
            descriptor: None,
            streams: HashMap::new(),
            repairs: HashMap::new(),
            mids: HashMap::new(),
            early: VecDeque::new(),
            counts: Counts::default(),
        }
    }

    /// Learns from an answer which sources there are. Streams that are known go on.
    pub fn declare(&mut self, sections: &[Section]) {
        for section in sections {
            let Some(source) = section.source else { continue };
            self.descriptor = section.extensions.descriptor.or(self.descriptor);
            if self.is_full() && !self.knows(&section.mid, source) {
                tracing::debug!(mid = section.mid, "more sources than tracks");
                continue;
            }
            self.mids.insert(section.mid.clone(), source.ssrc);
            self.streams.entry(source.ssrc).or_insert_with(|| Stream { missing: Missing::default(), reader: None });
            if let Some(repair) = source.repair {
                self.repairs.insert(repair, source.ssrc);
            }
        }
    }

    /// From now on the stream of `mid` is read at `inlet`. False where no answer has named a source for it.
    pub fn assign(&mut self, mid: &str, slot: Slot, kind: Kind, frames: Sender<ReceivedFrame>, now: Instant) -> bool {
        let assembly = match kind {
            Kind::Video => Assembly::Video(Box::new(Assembler::new())),
            Kind::Audio => Assembly::Audio(Unwrapper::default()),
        };
        let Some(stream) = self.stream(mid) else { return false };
        stream.reader = Some(Reader { slot, frames, assembly, stuck: false });
        let Some(source) = self.mids.get(mid).copied() else { return false };
        let (ours, others) = std::mem::take(&mut self.early).into_iter().partition(|packet| {
            let ssrc = packet.header.ssrc;
            self.repairs.get(&ssrc).copied().unwrap_or(ssrc) == source
        });
        self.early = others;
        let ours: VecDeque<rtp::Packet> = ours;
        for packet in ours {
            self.handle_packet(packet, now);
        }
        true
    }

    /// Nobody reads the stream of `mid` any more.
    pub fn release(&mut self, mid: &str) {
        if let Some(stream) = self.stream(mid) {
            stream.reader = None;
        }
    }

    /// The reader of `mid` cannot go on without a key frame.
    pub fn want_key_frame(&mut self, mid: &str) {
        if let Some(reader) = self.stream(mid).and_then(|stream| stream.reader.as_mut()) {
            reader.stuck = true;
        }
    }

    /// Takes one packet.
    pub fn handle_packet(&mut self, mut packet: rtp::Packet, now: Instant) {
        let descriptor = self.descriptor.and_then(|id| extension(&packet.header, id));
        let repair = self.repairs.get(&packet.header.ssrc).copied();
        let Some((ssrc, sequence)) = original(&packet, repair) else {
            // A packet without a payload is padding (RFC 3550, section 5.1): a probe of the path.
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
        let Some(reader) = &mut stream.reader else { return };
        if matches!(reader.assembly, Assembly::Video(_)) {
            stream.missing.handle_packet(sequence, now);
        }
        if repair.is_some() {
            packet.payload.advance(REPAIRED);
        }
        // Moved, not cloned: the first clone of bytes that nobody shares yet allocates.
        let (timestamp, payload) = (packet.header.timestamp, packet.payload);
        let packet = Packet { sequence, timestamp, descriptor: descriptor.unwrap_or_default(), payload };
        reader.handle_packet(packet, &self.pool, now);
        self.counts.overflowed += reader.deliver(&self.pool, now);
    }

    /// Goes on with streams that wait for a lost packet in vain.
    pub fn handle_timeout(&mut self, now: Instant) {
        for reader in self.streams.values_mut().filter_map(|stream| stream.reader.as_mut()) {
            self.counts.overflowed += reader.deliver(&self.pool, now);
        }
    }

    /// What to ask of the sender now.
    pub fn poll_requests(&mut self, now: Instant) -> Vec<Request> {
        let mut requests = Vec::new();
        for (ssrc, stream) in &mut self.streams {
            let Some(reader) = &mut stream.reader else { continue };
            let wanted = stream.missing.poll_request(now);
            if !wanted.is_empty() {
                requests.push(Request::Again(*ssrc, wanted));
            }
            if reader.poll_key_request(now) {
                requests.push(Request::KeyFrame(*ssrc));
            }
        }
        requests
    }

    /// When there is something to do or to ask without a packet.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let timeout = |stream: &Stream| {
            let assembler = match stream.reader.as_ref().map(|reader| &reader.assembly) {
                Some(Assembly::Video(assembler)) => assembler.poll_timeout(),
                Some(Assembly::Audio(_)) | None => return None,
            };
            [stream.missing.poll_timeout(), assembler].into_iter().flatten().min()
        };
        self.streams.values().filter_map(timeout).min()
    }

    /// What came in so far.
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

    fn stream(&mut self, mid: &str) -> Option<&mut Stream> {
        self.streams.get_mut(self.mids.get(mid)?)
    }
}

impl Reader {
    fn handle_packet(&mut self, packet: Packet, pool: &BufferPool, now: Instant) {
        match &mut self.assembly {
            Assembly::Video(assembler) => assembler.handle_packet(packet),
            Assembly::Audio(counter) => {
                // One packet is one frame. The player puts them in order, and the opener refuses what comes twice.
                let header = Header {
                    slot: self.slot,
                    layer: Layer::default(),
                    size: Size::default(),
                    key: true,
                    discardable: false,
                    rtp_time: packet.timestamp,
                    voice: false,
                };
                let sequence = counter.unwrap(packet.sequence);
                let bytes = pool.copy(&packet.payload);
                // A full queue of sound is old sound: nothing to save, nothing to ask for.
                drop(self.frames.try_send(ReceivedFrame { header, bytes, sequence, received: now }));
            }
        }
    }

    /// Hands over what is whole. Returns how many frames found no room.
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
            self.stuck &= !frame.key;
            let received = ReceivedFrame { header, bytes: frame.bytes, sequence: frame.number, received: now };
            if self.frames.try_send(received).is_err() {
                overflowed += 1;
                assembler.handle_overflow();
            }
        }
        overflowed
    }

    fn poll_key_request(&mut self, now: Instant) -> bool {
        let Assembly::Video(assembler) = &mut self.assembly else { return false };
        // A reader that has ended, because its decoder failed, needs no key frames: they cost every other viewer.
        assembler.poll_key_request(self.stuck, now) && !self.frames.is_closed()
    }
}

/// The source and number that a packet has, or that the one has which it repeats: then its payload comes behind that number
/// (RFC 4588, section 4). `None` where it carries nothing.
fn original(packet: &rtp::Packet, repaired: Option<u32>) -> Option<(u32, u16)> {
    match repaired {
        None => (!packet.payload.is_empty()).then_some((packet.header.ssrc, packet.header.sequence_number)),
        Some(ssrc) => {
            let number = packet.payload.first_chunk::<REPAIRED>()?;
            (packet.payload.len() > REPAIRED).then_some((ssrc, u16::from_be_bytes(*number)))
        }
    }
}

/// The value of a header extension.
pub fn extension(header: &rtp::Header, id: u8) -> Option<Bytes> {
    header.extensions.iter().find(|extension| extension.id == id).map(|extension| extension.payload.clone())
}

/// Bytes of the number in front of a repeated packet's payload.
const REPAIRED: usize = 2;

/// Sources that are known at once: a server that invents new ones in each answer is not followed.
const MAX_STREAMS: usize = 2 * proto::MAX_TRACKS;

/// Packets that may wait for an answer: a few key frames.
const MAX_EARLY: usize = 512;

#[cfg(test)]
#[path = "rtp_receiver_tests.rs"]
mod tests;
