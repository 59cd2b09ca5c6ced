//! Puts frames together again from packets that were lost, repeated or re-ordered on their way.
//!
//! Pure and bounded. A frame comes out once all of it is there and all that it builds on has come out before; what is
//! lost for good is skipped, and a key frame is asked for when nothing later can be decoded without one.

use super::descriptor::{Descriptor, Mandatory, References};
use super::structure::Structure;
use super::unwrap::Unwrapper;
use bytes::Bytes;
use media::{Buffer, BufferPool, Layer, Size};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What of an RTP packet matters here.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Its number in the stream.
    pub sequence: u16,
    /// Its time, 90 kHz.
    pub timestamp: u32,
    /// Its Dependency Descriptor.
    pub descriptor: Bytes,
    /// Its piece of the frame.
    pub payload: Bytes,
}

/// A whole frame.
#[derive(Debug)]
pub struct Frame {
    /// Which layer it is of.
    pub layer: Layer,
    /// The size that the stream's last key frame told.
    pub size: Size,
    /// True where it builds on no other.
    pub key: bool,
    /// True where no other builds on it.
    pub discardable: bool,
    /// Its RTP timestamp.
    pub timestamp: u32,
    /// Its number: grows by the frames that lie between, also over a change of layer.
    pub number: u64,
    /// The sealed bytes.
    pub bytes: Buffer,
}

/// The receiving end of one video track.
#[derive(Debug, Default)]
pub struct Assembler {
    /// In order, without repetition. Packets mostly come in order, so they go in behind.
    waiting: VecDeque<(u64, Packet)>,
    weight: usize,
    counter: Unwrapper,
    /// The packet that must come next.
    next: Option<u64>,
    /// The first packet that is missing, and since when.
    hole: Option<(u64, Instant)>,
    run: Option<Run>,
    /// The number of the last frame that came out.
    last: Option<u64>,
    asked: Option<Instant>,
}

/// What follows one key frame, until the next one.
#[derive(Debug)]
struct Run {
    structure: Structure,
    /// The newest frame that came out: its wire number.
    newest: u16,
    /// Bit n: the frame n before the newest one came out.
    delivered: u128,
    /// True once a frame is lost that all later ones build on.
    broken: bool,
}

impl Assembler {
    /// An assembler that waits for a first key frame.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a packet in. What is a repetition, or comes too late, is dropped.
    pub fn handle_packet(&mut self, packet: Packet) {
        let number = self.counter.peek(packet.sequence);
        if self.counter.newest().is_some_and(|newest| newest.abs_diff(number) > LEAP) {
            self.begin_again();
        }
        let number = self.counter.unwrap(packet.sequence);
        let late = self.next.is_some_and(|next| number < next);
        let place = self.waiting.partition_point(|(other, _)| *other < number);
        let again = self.waiting.get(place).is_some_and(|(other, _)| *other == number);
        if late || packet.payload.len() > MAX_PACKET || again {
            return;
        }
        self.weight += packet.payload.len();
        self.waiting.insert(place, (number, packet));
        if self.waiting.len() > MAX_PACKETS || self.weight > MAX_BYTES {
            tracing::debug!(packets = self.waiting.len(), bytes = self.weight, "too much waits for a lost packet");
            self.give_up();
        }
    }

    /// The next frame, in the order of decoding.
    pub fn poll_frame(&mut self, pool: &BufferPool, now: Instant) -> Option<Frame> {
        loop {
            let next = self.next.or_else(|| self.find_start(0))?;
            self.drop_before(next);
            self.next = Some(next);
            match self.whole_frame(next) {
                Ok(end) => {
                    self.hole = None;
                    self.next = Some(end + 1);
                    if let Some(frame) = self.take(next, end, pool) {
                        return Some(frame);
                    }
                }
                // Nothing further has arrived: there is no hole, only an end.
                Err(missing) if self.waiting.back().is_none_or(|(last, _)| *last < missing) => {
                    self.hole = None;
                    return None;
                }
                Err(missing) => {
                    let since = match self.hole {
                        Some((number, since)) if number == missing => since,
                        _ => now,
                    };
                    self.hole = Some((missing, since));
                    if now.saturating_duration_since(since) < PATIENCE {
                        return None;
                    }
                    self.give_up();
                }
            }
        }
    }

    /// True where a key frame is to be asked for now, also because the reader is `stuck`. Asks again while none comes.
    pub fn poll_key_request(&mut self, stuck: bool, now: Instant) -> bool {
        let broken = self.run.as_ref().is_none_or(|run| run.broken) && self.counter.newest().is_some();
        let wanted = stuck || broken;
        if !wanted {
            self.asked = None;
            return false;
        }
        let due = self.asked.is_none_or(|asked| now.saturating_duration_since(asked) >= ASK_AGAIN);
        if due {
            self.asked = Some(now);
        }
        due
    }

    /// When this has something to do without a packet.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let hole = self.hole.map(|(_, since)| since + PATIENCE);
        let ask = self.asked.map(|asked| asked + ASK_AGAIN);
        [hole, ask].into_iter().flatten().min()
    }

    /// The reader had no room for the frame that came out last: nothing may come out until a key frame.
    pub fn handle_overflow(&mut self) {
        if let Some(run) = &mut self.run {
            run.broken = true;
        }
    }

    /// Packets that wait.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    fn begin_again(&mut self) {
        self.waiting.clear();
        self.weight = 0;
        self.counter = Unwrapper::default();
        self.next = None;
        self.hole = None;
        if let Some(run) = &mut self.run {
            run.broken = true;
        }
    }

    /// The hole will not be filled: goes on with the next frame that begins behind it.
    fn give_up(&mut self) {
        let from = self.next.map_or(0, |next| next + 1);
        // Where no later frame has begun, what waits is the rest of the lost one.
        let end = || self.waiting.back().map_or(from, |(last, _)| last + 1);
        let start = self.find_start(from).unwrap_or_else(end);
        self.next = Some(start);
        self.drop_before(start);
        self.hole = None;
        tracing::debug!(start, "gave up a lost packet");
    }

    /// The first packet from `from` on that begins a frame; while no key frame has come, one that begins a key frame.
    fn find_start(&self, from: u64) -> Option<u64> {
        let begins = |packet: &Packet| {
            let start = Mandatory::read(&packet.descriptor).is_some_and(|mandatory| mandatory.start);
            start && (self.run.is_some() || Descriptor::read(&packet.descriptor, None).is_ok())
        };
        self.from(from).find(|(_, packet)| begins(packet)).map(|(number, _)| *number)
    }

    fn drop_before(&mut self, number: u64) {
        while let Some((_, packet)) = self.waiting.pop_front_if(|(first, _)| *first < number) {
            self.weight -= packet.payload.len();
        }
    }

    /// The packets from `number` on.
    fn from(&self, number: u64) -> impl Iterator<Item = &(u64, Packet)> {
        self.waiting.range(self.waiting.partition_point(|(other, _)| *other < number)..)
    }

    /// The last packet of the frame that begins at `start`, or the first one that is missing.
    fn whole_frame(&self, start: u64) -> Result<u64, u64> {
        let mut expected = start;
        for (number, packet) in self.from(start) {
            if *number != expected {
                return Err(expected);
            }
            if Mandatory::read(&packet.descriptor).is_none_or(|mandatory| mandatory.end) {
                return Ok(expected);
            }
            expected += 1;
        }
        Err(expected)
    }

    /// Takes the packets `start..=end` out, and makes a frame of them where it can be decoded.
    fn take(&mut self, start: u64, end: u64, pool: &BufferPool) -> Option<Frame> {
        let first = self.from(start).next().filter(|(number, _)| *number == start).map(|(_, packet)| packet)?;
        let timestamp = first.timestamp;
        let known = self.run.as_ref().map(|run| &run.structure);
        let read = Descriptor::read(&first.descriptor, known);
        let placed = match read {
            Ok(descriptor) if descriptor.packet.start => self.place(descriptor),
            Ok(_) | Err(_) => None,
        };
        let Some(placed) = placed else {
            self.drop_before(end + 1);
            return None;
        };
        let pieces = || self.from(start).take_while(|(number, _)| *number <= end).map(|(_, packet)| &packet.payload);
        let mut bytes = pool.take(pieces().map(Bytes::len).sum());
        pieces().for_each(|piece| bytes.append(piece));
        self.drop_before(end + 1);
        let Placed { layer, size, key, discardable, number } = placed;
        Some(Frame { layer, size, key, discardable, timestamp, number, bytes })
    }

    /// Finds the frame's place behind those that came out; `None` where something it builds on is missing.
    fn place(&mut self, descriptor: Descriptor) -> Option<Placed> {
        let Descriptor { packet, temporal, discardable, references, structure } = descriptor;
        let layer = Layer { spatial: packet.spatial(), temporal };
        let key = structure.is_some() && references.as_slice().is_empty();
        let ahead = match (structure, &mut self.run) {
            (Some(structure), run) if key => {
                let ahead = run.as_ref().map_or(1, |run| run.step_to(&structure, packet.number));
                *run = Some(Run { structure, newest: packet.number, delivered: 1, broken: false });
                ahead
            }
            (_, Some(run)) => run.follow(packet.number, temporal, references)?,
            (_, None) => return None,
        };
        let number = self.last.map_or(0, |last| last + ahead);
        self.last = Some(number);
        let size = self.run.as_ref().and_then(|run| run.structure.sizes.first().copied()).unwrap_or_default();
        Some(Placed { layer, size, key, discardable, number })
    }
}

struct Placed {
    layer: Layer,
    size: Size,
    key: bool,
    discardable: bool,
    number: u64,
}

impl Run {
    /// How far a key frame with `structure` lies ahead. Streams of other layers count for themselves: 1.
    fn step_to(&self, structure: &Structure, number: u16) -> u64 {
        let ahead = number.wrapping_sub(self.newest);
        let same = structure.offset == self.structure.offset && (1..0x8000).contains(&ahead);
        if same { u64::from(ahead) } else { 1 }
    }

    /// Goes on to a frame that builds on others; `None` where one of them is missing, or the frame is an old one.
    fn follow(&mut self, number: u16, temporal: u8, references: References) -> Option<u64> {
        let ahead = number.wrapping_sub(self.newest);
        if !(1..0x8000).contains(&ahead) {
            return None;
        }
        let there = |back: &u16| match back.checked_sub(ahead) {
            Some(distance) => distance < 128 && self.delivered >> distance & 1 == 1,
            None => false,
        };
        if self.broken || !references.as_slice().iter().all(there) {
            // All later frames build on the lowest layer; a loss higher up heals by itself.
            self.broken |= temporal == 0;
            return None;
        }
        self.delivered = self.delivered.checked_shl(u32::from(ahead)).unwrap_or(0) | 1;
        self.newest = number;
        Some(u64::from(ahead))
    }
}

/// How long a hole may stay before the frames behind it go on without it: a resend over a slow path takes this long.
const PATIENCE: Duration = Duration::from_millis(250);

/// How often a key frame is asked for while none comes.
const ASK_AGAIN: Duration = Duration::from_millis(400);

/// A step in sequence numbers that is no loss but another stream.
const LEAP: u64 = 3_000;

/// Packets that may wait; three seconds of the largest layer.
const MAX_PACKETS: usize = 1_024;

/// Bytes that may wait.
const MAX_BYTES: usize = 2 << 20;

/// Bytes of one packet that we take.
const MAX_PACKET: usize = 1_500;

#[cfg(test)]
#[path = "assemble_tests.rs"]
mod tests;
