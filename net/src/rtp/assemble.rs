//! Reassembles frames from packets that may be lost, repeated or reordered.
//!
//! Pure and bounded. A frame is returned when all of its packets have arrived and all frames that it depends on were
//! returned. A frame whose packets are missing is skipped soon if a later one can be decoded without it, and otherwise when
//! retransmission has failed for long. A key frame is requested if nothing later can be decoded without one.

use super::nack_tracker::REORDER_DELAY;
use super::unwrap::{Unwrapper, low16};
use bytes::Bytes;
use media::{Buffer, BufferPool, Layer, Size};
use proto::descriptor::{Descriptor, FrameDiffs, Mandatory, Structure};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The parts of an RTP packet that reassembly needs.
#[derive(Clone, Debug)]
pub struct Packet {
    /// The sequence number.
    pub sequence: u16,
    /// The timestamp, 90 kHz.
    pub timestamp: u32,
    /// The Dependency Descriptor.
    pub descriptor: Bytes,
    /// The payload: a part of the frame.
    pub payload: Bytes,
    /// When the packet arrived.
    pub arrival: Instant,
}

/// A complete frame.
#[derive(Debug)]
pub struct Frame {
    /// The layer.
    pub layer: Layer,
    /// The picture's size, from the stream's last key frame.
    pub size: Size,
    /// True if the frame depends on no other one.
    pub key: bool,
    /// True if no other frame depends on this one.
    pub discardable: bool,
    /// The RTP timestamp.
    pub timestamp: u32,
    /// The frame number. It grows by one for each frame of the track, also for lost ones and across a change of layer.
    pub number: u64,
    /// The sealed bytes.
    pub bytes: Buffer,
    /// When its last packet arrived.
    pub arrival: Instant,
}

/// Reassembles the frames of one video track.
#[derive(Debug)]
pub struct Assembler {
    /// Packets in order, without repetitions. Most packets arrive in order and are appended.
    waiting: VecDeque<(u64, Packet)>,
    waiting_bytes: usize,
    counter: Unwrapper,
    /// The number of the packet that must come next.
    next: Option<u64>,
    /// When a frame with missing packets may be skipped.
    gap_due: Option<Instant>,
    /// How long a frame may delay later ones that can be decoded without it.
    patience: Duration,
    sequence: Option<CodedSequence>,
    /// The number of the last frame that was returned.
    last: Option<u64>,
    /// Since when no frame can be returned without a key frame.
    needed_since: Option<Instant>,
    last_key_request: Option<Instant>,
}

impl Default for Assembler {
    fn default() -> Self {
        Self::new()
    }
}

/// A key frame and the frames after it, until the next key frame.
#[derive(Debug)]
struct CodedSequence {
    structure: Structure,
    /// The number, in the descriptor, of the newest frame that was returned.
    newest: u16,
    /// Bit n is set if the frame n before the newest one was returned.
    returned: u128,
    /// True if a frame is lost on which all later ones depend.
    broken: bool,
}

impl Assembler {
    /// Returns an assembler that waits for the first key frame.
    pub fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            counter: Unwrapper::default(),
            next: None,
            gap_due: None,
            patience: MIN_PATIENCE,
            sequence: None,
            last: None,
            needed_since: None,
            last_key_request: None,
        }
    }

    /// Sets the interval at which a missing packet is requested. Later frames wait until two requests could be answered.
    pub fn set_retry_interval(&mut self, retry: Duration) {
        self.patience = (2 * retry + REORDER_DELAY).clamp(MIN_PATIENCE, MAX_PATIENCE);
    }

    /// Handles a packet. Drops it if it is a repetition, too late or too long.
    pub fn handle_packet(&mut self, packet: Packet) {
        let number = self.counter.peek(packet.sequence);
        if self.counter.newest().is_some_and(|newest| newest.abs_diff(number) > MAX_JUMP) {
            self.restart();
        }
        let number = self.counter.unwrap(packet.sequence);
        let late = self.next.is_some_and(|next| number < next);
        let index = self.waiting.partition_point(|(other, _)| *other < number);
        let repeated = self.waiting.get(index).is_some_and(|(other, _)| *other == number);
        if late || packet.payload.len() > MAX_PACKET_BYTES || repeated {
            return;
        }
        self.waiting_bytes += packet.payload.len();
        self.waiting.insert(index, (number, packet));
        if self.waiting.len() > MAX_PACKETS || self.waiting_bytes > MAX_BYTES {
            tracing::debug!(packets = self.waiting.len(), bytes = self.waiting_bytes, "too many packets wait");
            self.skip_gap();
        }
    }

    /// Returns the next frame in decoding order.
    pub fn poll_frame(&mut self, pool: &BufferPool, now: Instant) -> Option<Frame> {
        loop {
            let next = self.next.or_else(|| self.find_start(0))?;
            self.drop_before(next);
            self.next = Some(next);
            match self.find_end(next) {
                Ok(end) => {
                    self.gap_due = None;
                    self.next = Some(end + 1);
                    if let Some(frame) = self.take(next, end, pool) {
                        return Some(frame);
                    }
                }
                Err(Incomplete::CutOff(start)) => self.skip_to(start),
                Err(Incomplete::Missing(missing)) => {
                    let start = self.start_after_gap(next, missing, now)?;
                    self.skip_to(start);
                }
            }
        }
    }

    /// Returns true if a key frame must be requested now. `needed` is true if the decoder needs one. Returns true again
    /// every 400 ms until a key frame arrives. The first key frame of a stream has [`FIRST_KEY_TIMEOUT`] to arrive.
    pub fn poll_key_request(&mut self, needed: bool, now: Instant) -> bool {
        let waits_for_first = self.sequence.is_none() && self.counter.newest().is_some();
        let broken = self.sequence.as_ref().is_some_and(|sequence| sequence.broken);
        if !needed && !broken && !waits_for_first {
            (self.last_key_request, self.needed_since) = (None, None);
            return false;
        }
        let since = *self.needed_since.get_or_insert(now);
        let patience = if needed || broken { Duration::ZERO } else { FIRST_KEY_TIMEOUT };
        let due = self.last_key_request.map_or(since + patience, |at| at + KEY_REQUEST_INTERVAL) <= now;
        if due {
            self.last_key_request = Some(now);
        }
        due
    }

    /// Returns when a frame may be skipped or the next key request is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let first = self.needed_since.filter(|_| self.sequence.is_none()).map(|since| since + FIRST_KEY_TIMEOUT);
        let key_request = self.last_key_request.map(|at| at + KEY_REQUEST_INTERVAL).or(first);
        [self.gap_due, key_request].into_iter().flatten().min()
    }

    /// Returns the sequence number of the first packet that is still of use, or `None` before the first frame.
    pub fn first_needed(&self) -> Option<u16> {
        self.next.map(low16)
    }

    /// Returns true before the first packet.
    pub fn is_empty(&self) -> bool {
        self.counter.newest().is_none()
    }

    /// Returns true if packets have arrived, but not the first one of the first key frame.
    pub fn misses_start(&self) -> bool {
        self.next.is_none() && self.sequence.is_none() && self.find_start(0).is_none() && !self.waiting.is_empty()
    }

    /// Drops all frames until the next key frame, because the reader had no room for the last one.
    pub fn handle_overflow(&mut self) {
        if let Some(sequence) = &mut self.sequence {
            sequence.broken = true;
        }
    }

    /// Returns how many packets wait.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Drops all state of the numbering, because the sender started a new sequence.
    fn restart(&mut self) {
        self.waiting.clear();
        self.waiting_bytes = 0;
        self.counter = Unwrapper::default();
        self.next = None;
        self.gap_due = None;
        if let Some(sequence) = &mut self.sequence {
            sequence.broken = true;
        }
    }

    /// Returns the packet at which to continue if the frame that begins at `next` is skipped, because its packet `missing` has
    /// not arrived. Returns `None` if the frame has more time.
    fn start_after_gap(&mut self, next: u64, missing: u64, now: Instant) -> Option<u64> {
        // Without a later packet, this is not a gap. A retransmitted packet may arrive before an older one.
        let since = self.waiting_from(missing).map(|(_, packet)| packet.arrival).min();
        let Some(since) = since else {
            self.gap_due = None;
            return None;
        };
        let waited = now.saturating_duration_since(since);
        if waited >= GAP_TIMEOUT {
            return Some(self.start_from(next + 1));
        }
        if waited >= self.patience
            && let Some(start) = self.find_decodable(next + 1)
        {
            return Some(start);
        }
        self.gap_due = Some(since + if waited < self.patience { self.patience } else { GAP_TIMEOUT });
        None
    }

    /// Continues with the next frame that begins after the gap.
    fn skip_gap(&mut self) {
        let start = self.start_from(self.next.map_or(0, |next| next + 1));
        self.skip_to(start);
    }

    /// Returns the first packet from `from` on that begins a frame. If no later frame has begun, all waiting packets belong
    /// to the lost one.
    fn start_from(&self, from: u64) -> u64 {
        let end = || self.waiting.back().map_or(from, |(last, _)| last + 1);
        self.find_start(from).unwrap_or_else(end)
    }

    fn skip_to(&mut self, start: u64) {
        self.next = Some(start);
        self.drop_before(start);
        self.gap_due = None;
        tracing::debug!(start, "lost packets skipped");
    }

    /// Finds the first packet from `from` on that begins a complete frame which depends only on frames that were returned.
    fn find_decodable(&self, from: u64) -> Option<u64> {
        let is_decodable = |packet: &Packet| {
            let known = self.sequence.as_ref().map(|sequence| &sequence.structure);
            let Ok(descriptor) = Descriptor::read(&packet.descriptor, known) else { return false };
            let key = descriptor.structure.is_some() && descriptor.frame_diffs.is_empty();
            let follows = || {
                let sequence = self.sequence.as_ref()?;
                sequence.distance_to(descriptor.packet.number, &descriptor.frame_diffs)
            };
            descriptor.packet.start && (key || follows().is_some())
        };
        let mut starts = self.waiting_from(from).filter(|(_, packet)| is_decodable(packet)).map(|(number, _)| *number);
        starts.find(|start| self.find_end(*start).is_ok())
    }

    /// Finds the first packet from `from` on that begins a frame. If no key frame was returned yet, it must begin a key
    /// frame.
    fn find_start(&self, from: u64) -> Option<u64> {
        let is_start = |packet: &Packet| {
            let start = Mandatory::read(&packet.descriptor).is_some_and(|mandatory| mandatory.start);
            start && (self.sequence.is_some() || Descriptor::read(&packet.descriptor, None).is_ok())
        };
        self.waiting_from(from).find(|(_, packet)| is_start(packet)).map(|(number, _)| *number)
    }

    fn drop_before(&mut self, number: u64) {
        while let Some((_, packet)) = self.waiting.pop_front_if(|(first, _)| *first < number) {
            self.waiting_bytes -= packet.payload.len();
        }
    }

    fn waiting_from(&self, number: u64) -> impl Iterator<Item = &(u64, Packet)> {
        self.waiting.range(self.waiting.partition_point(|(other, _)| *other < number)..)
    }

    /// Finds the last packet of the frame that begins at `start`.
    ///
    /// # Errors
    /// Returns [`Incomplete`] if it has not arrived, or not all packets before it.
    fn find_end(&self, start: u64) -> Result<u64, Incomplete> {
        let mut expected = start;
        for (number, packet) in self.waiting_from(start) {
            if *number != expected {
                return Err(Incomplete::Missing(expected));
            }
            let Some(mandatory) = Mandatory::read(&packet.descriptor) else { return Ok(expected) };
            if mandatory.start && expected > start {
                return Err(Incomplete::CutOff(expected));
            }
            if mandatory.end {
                return Ok(expected);
            }
            expected += 1;
        }
        Err(Incomplete::Missing(expected))
    }

    /// Removes the packets `start..=end`. Returns their frame if it can be decoded.
    fn take(&mut self, start: u64, end: u64, pool: &BufferPool) -> Option<Frame> {
        let first = self.waiting_from(start).next().filter(|(number, _)| *number == start).map(|(_, packet)| packet)?;
        let (timestamp, mut arrival) = (first.timestamp, first.arrival);
        let known = self.sequence.as_ref().map(|sequence| &sequence.structure);
        let read = Descriptor::read(&first.descriptor, known);
        let properties = match read {
            Ok(descriptor) if descriptor.packet.start => self.frame_properties(descriptor),
            Ok(_) | Err(_) => None,
        };
        let Some(properties) = properties else {
            self.drop_before(end + 1);
            return None;
        };
        let packets = || self.waiting_from(start).take_while(|(number, _)| *number <= end).map(|(_, packet)| packet);
        let mut bytes = pool.take(packets().map(|packet| packet.payload.len()).sum());
        for packet in packets() {
            bytes.append(&packet.payload);
            arrival = arrival.max(packet.arrival);
        }
        self.drop_before(end + 1);
        let FrameProperties { layer, size, key, discardable, number } = properties;
        Some(Frame { layer, size, key, discardable, timestamp, number, bytes, arrival })
    }

    /// Returns the frame's properties, or `None` if a frame that it depends on was not returned.
    fn frame_properties(&mut self, descriptor: Descriptor) -> Option<FrameProperties> {
        let Descriptor { packet, temporal, discardable, frame_diffs, structure } = descriptor;
        let layer = Layer { spatial: packet.spatial(), temporal };
        let key = structure.is_some() && frame_diffs.is_empty();
        let ahead = match (structure, &mut self.sequence) {
            (Some(structure), current) if key => {
                let ahead = current.as_ref().map_or(1, |current| current.distance_to_key(&structure, packet.number));
                *current = Some(CodedSequence { structure, newest: packet.number, returned: 1, broken: false });
                ahead
            }
            (_, Some(current)) => current.advance(packet.number, temporal, frame_diffs)?,
            (_, None) => return None,
        };
        let number = self.last.map_or(0, |last| last + ahead);
        self.last = Some(number);
        let resolution = self.sequence.as_ref().and_then(|sequence| sequence.structure.resolutions().first().copied());
        let size = resolution.map_or_else(Size::default, |resolution| Size::new(resolution.width, resolution.height));
        Some(FrameProperties { layer, size, key, discardable, number })
    }
}

/// The reason why a frame cannot be assembled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Incomplete {
    /// The packet with this number has not arrived.
    Missing(u64),
    /// The packet with this number begins another frame, so the last packets of this one were never sent. An SFU that changes
    /// layers in the middle of a frame numbers the packets of the next layer without a gap.
    CutOff(u64),
}

/// The properties of a frame that can be decoded.
struct FrameProperties {
    layer: Layer,
    size: Size,
    key: bool,
    discardable: bool,
    number: u64,
}

impl CodedSequence {
    /// Returns how many frames ahead a key frame with `structure` is. Each layer numbers its own frames, so after a
    /// change of layer the distance is unknown and counts as 1.
    fn distance_to_key(&self, structure: &Structure, number: u16) -> u64 {
        let ahead = number.wrapping_sub(self.newest);
        let same_layer = structure.template_offset() == self.structure.template_offset();
        if same_layer && (1..0x8000).contains(&ahead) { u64::from(ahead) } else { 1 }
    }

    /// Returns how many frames ahead a frame is that depends on others. Returns `None` if a frame that it depends on was not
    /// returned, or if it is older than the newest frame.
    fn distance_to(&self, number: u16, frame_diffs: &FrameDiffs) -> Option<u16> {
        let ahead = number.wrapping_sub(self.newest);
        let was_returned = |diff: &u16| match diff.checked_sub(ahead) {
            Some(distance) => distance < 128 && self.returned >> distance & 1 == 1,
            None => false,
        };
        let later = (1..0x8000).contains(&ahead);
        (later && !self.broken && frame_diffs.iter().all(was_returned)).then_some(ahead)
    }

    /// Advances to a frame that depends on others. Returns how many frames ahead it is, or `None` as
    /// [`CodedSequence::distance_to`] does.
    fn advance(&mut self, number: u16, temporal: u8, frame_diffs: FrameDiffs) -> Option<u64> {
        let Some(ahead) = self.distance_to(number, &frame_diffs) else {
            let older = !(1..0x8000).contains(&number.wrapping_sub(self.newest));
            // All later frames depend on temporal layer 0. A loss in a higher layer ends with the next frame of layer
            // 0.
            self.broken |= temporal == 0 && !older;
            return None;
        };
        self.returned = self.returned.checked_shl(u32::from(ahead)).unwrap_or(0) | 1;
        self.newest = number;
        Some(u64::from(ahead))
    }
}

/// How long to wait for a missing packet before its frame is skipped, and a key frame requested if all later ones depend on
/// it. A longer delay disturbs a conversation, and a key frame takes as long if it is lost, too.
const GAP_TIMEOUT: Duration = Duration::from_millis(450);

/// The bounds of the time for which a frame may delay later ones that can be decoded without it. A picture that is shown for
/// 183 ms looks frozen (W3C webrtc-stats, at 30 a second).
const MIN_PATIENCE: Duration = Duration::from_millis(60);
const MAX_PATIENCE: Duration = Duration::from_millis(200);

/// How long the first key frame of a stream may take before one is requested. When the first packets of a stream arrive, the
/// others of its key frame follow.
const FIRST_KEY_TIMEOUT: Duration = Duration::from_millis(300);

/// The interval between two requests for a key frame.
const KEY_REQUEST_INTERVAL: Duration = Duration::from_millis(400);

/// The largest step in sequence numbers. A larger one means that the sender started a new sequence.
const MAX_JUMP: u64 = 3_000;

/// The maximum number of packets that wait: three seconds of the largest layer.
const MAX_PACKETS: usize = 1_024;

/// The maximum number of bytes that wait.
const MAX_BYTES: usize = 2 << 20;

/// The largest payload in bytes. A packet with a larger one is dropped.
const MAX_PACKET_BYTES: usize = 1_500;

#[cfg(test)]
#[path = "assemble_tests.rs"]
mod tests;
