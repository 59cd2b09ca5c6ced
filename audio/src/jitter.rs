//! The jitter buffer of one remote: takes packets as they arrive, and returns 10 ms of audio per call.
//!
//! Time is an argument and the codec a trait, so tests run on virtual time. The playout delay is long enough for 99.5 %
//! of the packets, and for the repairs of lost ones (`delay`). During pauses the delay is corrected by adding or removing
//! silence, during speech by removing or repeating one pitch period (`stretch`). If the sender's clock drifts, the wanted
//! delay moves with it. If a packet is late, speech becomes up to twice as long before the buffer is empty. Only after that it is
//! concealed, and the late packet is played after the concealed sound.
//!
//! If the packet before a gap carried speech, the gap is a loss; otherwise it is a DTX pause. Our senders end each talk
//! spurt with a packet without speech.

mod capture_time;
mod delay;
mod loss_estimator;
mod stretch;
mod sync_buffer;
#[cfg(test)]
mod tests;
mod units;

use crate::recent_packets::RecentPackets;
use crate::{BLOCK, Block, PACKET};
use capture_time::CaptureTime;
use delay::Delay;
use loss_estimator::LossEstimator;
use media::{EncodedAudio, Timestamp};
use std::collections::VecDeque;
use std::time::Duration;
use sync_buffer::{Pace, SyncBuffer};
use units::{micros_to_samples, samples_to_micros, samples_to_millis};

/// 20 ms of decoded audio.
pub type Frame = [f32; PACKET];

/// The decoder of a remote. Methods do not fail.
pub trait Decode {
    /// Decodes a packet. If it cannot be decoded, conceals it and returns false.
    fn decode(&mut self, packet: &[u8], out: &mut Frame) -> bool;
    /// Restores the packet before `successor` from the in-band FEC of `successor`. Returns false if it has none.
    fn recover(&mut self, successor: &[u8], out: &mut Frame) -> bool;
    /// Conceals missing sound, 10 or 20 ms. In a pause, this is comfort noise.
    fn conceal(&mut self, out: &mut [f32]);
}

/// Where a packet comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From its own frame.
    Frame,
    /// From a later frame, which had a copy of it.
    Copy,
}

/// The statistics of one remote, since it was added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Received packets.
    pub packets_received: u64,
    /// Decoded packets.
    pub packets_played: u64,
    /// Packets that were late, duplicate, or had an invalid position.
    pub packets_discarded: u64,
    /// Packets that could not be decoded.
    pub packets_broken: u64,
    /// Concealed milliseconds of speech. DTX pauses do not count. Stretched sound does not count, either.
    pub concealed_ms: u64,
    /// Milliseconds by which received sound was made longer (`insertedSamplesForDeceleration` of W3C webrtc-stats).
    pub inserted_ms: u64,
    /// Milliseconds by which received sound was made shorter (`removedSamplesForAcceleration` of W3C webrtc-stats).
    pub removed_ms: u64,
    /// Milliseconds restored from a later packet: from a copy of the lost packet, or by in-band FEC.
    pub recovered_ms: u64,
    /// Milliseconds of speech: decoded, recovered and concealed.
    pub talk_ms: u64,
    /// The target delay over the fastest packet.
    pub target: Duration,
    /// The current delay over the fastest packet.
    pub delay: Duration,
}

/// The buffer of one remote.
pub struct Buffer {
    packets: VecDeque<Waiting>,
    /// The packets that arrived last.
    recent: RecentPackets,
    decoded: SyncBuffer,
    /// The position after the last sample of `decoded`. `None` before the first packet is due.
    next: Option<u64>,
    /// The end of the last decoded packet.
    played_until: u64,
    /// The wanted and the current delay.
    delay: Delay,
    talk: Talk,
    /// The capture time of the packet that was decoded last.
    captured: Option<CaptureTime>,
    losses: LossEstimator,
    /// The number of consecutive packets that do not belong to this timeline.
    foreign: u32,
    statistics: Statistics,
    samples: SampleCounts,
}

/// Counts of samples. They become milliseconds in [`Statistics`].
#[derive(Clone, Copy, Default)]
struct SampleCounts {
    concealed: u64,
    /// Of these, samples that were never played, because the packet arrived. Later ones are counted without them, so that no counter
    /// falls.
    not_played: u64,
    inserted: u64,
    removed: u64,
}

impl Talk {
    /// Speech is cut only at its pitch period, a pause anywhere.
    fn min_similarity(&self) -> f32 {
        if self.on { stretch::SIMILAR } else { stretch::ANY }
    }
}

impl SampleCounts {
    fn count_concealed(&mut self, length: u64) {
        let corrected = self.not_played.min(length);
        self.not_played -= corrected;
        self.concealed += length - corrected;
    }
}

/// A packet that waits to be played.
struct Waiting {
    packet: EncodedAudio,
    origin: Origin,
}

/// The state of the remote's speech at the end of the decoded audio.
#[derive(Default)]
struct Talk {
    /// True if the last packet carried speech.
    on: bool,
    /// Samples concealed since the last packet was decoded.
    concealed: u64,
    /// Of these, samples during which the timeline did not advance, because the packet may only be late.
    stalled: u64,
    /// Of these, samples that count as concealed only if the speech continues afterwards.
    undecided: u64,
}

impl Buffer {
    /// Returns a buffer that waits for its first packet.
    pub fn new() -> Self {
        Self {
            packets: VecDeque::with_capacity(MAX_PACKETS + 1),
            recent: RecentPackets::new(),
            decoded: SyncBuffer::new(),
            next: None,
            played_until: 0,
            delay: Delay::new(),
            talk: Talk::default(),
            captured: None,
            losses: LossEstimator::default(),
            foreign: 0,
            statistics: Statistics::default(),
            samples: SampleCounts::default(),
        }
    }

    /// Inserts a packet that arrived at `at`. If more than three seconds are buffered, the oldest packet is dropped.
    pub fn insert(&mut self, packet: EncodedAudio, at: Timestamp, origin: Origin) {
        match origin {
            Origin::Frame => {
                self.statistics.packets_received += 1;
                let inserted = self.belongs(&packet, at) && self.place(Waiting { packet, origin });
                self.statistics.packets_discarded += u64::from(!inserted);
            }
            // A copy that is not needed does not count as discarded: the network has lost and delayed nothing.
            Origin::Copy if is_missing(self, packet.position) && !self.delay.is_foreign(packet.position, at) => {
                self.recent.add(packet.position);
                self.delay.repair_arrived(packet.position, at);
                self.place(Waiting { packet, origin });
            }
            Origin::Copy => {}
        }
    }

    /// Adds a packet at its place. Returns false if it comes too late or repeats another one.
    fn place(&mut self, waiting: Waiting) -> bool {
        let position = waiting.packet.position;
        if self.is_too_late(position) {
            return false;
        }
        let index = self.packets.partition_point(|other| other.packet.position < position);
        if self.packets.get(index).is_some_and(|other| other.packet.position == position) {
            return false;
        }
        self.packets.insert(index, waiting);
        if self.packets.len() > MAX_PACKETS {
            self.packets.pop_front();
            self.statistics.packets_discarded += 1;
        }
        true
    }

    /// Writes the next 10 ms, due at `now`, to `block`. Returns when its first sample was captured, by the sender's clock, or `None`
    /// before the first packet and in long pauses.
    pub fn pull(&mut self, now: Timestamp, codec: &mut dyn Decode, block: &mut Block) -> Option<Timestamp> {
        if let Some(next) = self.next {
            self.delay.played(now, next.saturating_sub(self.decoded.len() as u64));
        }
        while self.decoded.len() < BLOCK {
            self.refill(now, codec);
        }
        self.decelerate();
        let position = self.next.map(|next| next.wrapping_sub(self.decoded.len() as u64));
        self.decoded.take(block);
        self.captured?.at(position?)
    }

    /// Makes sound wait for its pictures: at least `delay` over the fastest packet, if that is not much more than its packets need.
    pub fn synchronize(&mut self, delay: Duration) {
        self.delay.synchronize(delay);
    }

    /// Returns the current delay over the fastest packet, or zero before anything was played.
    pub fn current_delay(&self) -> Duration {
        self.delay.current()
    }

    /// Returns true if the last played packet carried speech and less than 200 ms were concealed since.
    pub fn in_talk(&self) -> bool {
        self.talk.on && self.talk.concealed < AUDIBLE_CONCEALMENT
    }

    /// Returns the statistics so far.
    pub fn statistics(&self) -> Statistics {
        let SampleCounts { concealed, inserted, removed, .. } = self.samples;
        let concealed_ms = samples_to_millis(concealed);
        Statistics {
            concealed_ms,
            talk_ms: self.statistics.talk_ms + concealed_ms,
            inserted_ms: samples_to_millis(inserted),
            removed_ms: samples_to_millis(removed),
            target: self.delay.target(),
            delay: self.current_delay(),
            ..self.statistics
        }
    }

    /// Records the packet's delay. Returns false if the packet does not belong to the timeline. Restarts the timeline
    /// after [`MAX_FOREIGN`] consecutive packets whose delay differs by seconds, because then the sender has restarted.
    fn belongs(&mut self, packet: &EncodedAudio, at: Timestamp) -> bool {
        if packet.position >= MAX_POSITION {
            return false;
        }
        if self.delay.is_foreign(packet.position, at) {
            self.foreign += 1;
            if self.foreign < MAX_FOREIGN {
                return false;
            }
            tracing::debug!(position = packet.position, "timeline restarted");
            *self = Self { statistics: self.statistics, samples: self.samples, ..Self::new() };
        }
        self.foreign = 0;
        // If a copy of the packet has arrived before it, its delay does not matter.
        if self.recent.add(packet.position) {
            let gap = self.recent.gap_after(packet.position);
            if gap.is_some_and(|gap| gap > MAX_REPAIRED_GAP) {
                // It was lost in a pause, so the loss was noticed only with the next packet. Ignore its delay.
                return true;
            }
            if gap.is_some() {
                self.delay.repair_arrived(packet.position, at);
            }
            self.delay.packet_arrived(packet.position, at);
        }
        self.delay.expect_after(packet.position, packet.voice);
        true
    }

    /// Returns true if the packet is before the current position. If only silence was played since, moves the timeline
    /// back instead and returns false. A packet that was lost in a pause is not worth that: pictures would wait for the sound.
    fn is_too_late(&mut self, position: u64) -> bool {
        let Some(next) = self.next else { return false };
        if position >= next {
            return false;
        }
        // During speech the timeline has already waited as long as it may (`handle_underrun`).
        if self.talk.on
            || position < self.played_until
            || self.recent.gap_after(position).is_some_and(|gap| gap > MAX_REPAIRED_GAP)
            || self.packets.front().is_some_and(|first| first.packet.position < next)
        {
            return true;
        }
        self.delay.moved(samples_to_micros(next - position));
        self.next = Some(position);
        false
    }

    /// Decodes or conceals at least one sample.
    fn refill(&mut self, now: Timestamp, codec: &mut dyn Decode) {
        let Some(next) = self.next else { return self.begin(now) };
        self.drop_overdue();
        let Some(first) = self.packets.front() else { return self.handle_underrun(next, codec) };
        let gap = first.packet.position.saturating_sub(next);
        let (next, gap) = self.catch_up(next, gap, codec);
        if gap == 0 {
            self.play(codec);
        } else if self.in_talk() {
            self.fill_gap(next, gap, codec);
        } else {
            self.pause(next, gap, codec);
        }
    }

    /// Plays silence until the first packet has waited for the wanted delay.
    fn begin(&mut self, now: Timestamp) {
        self.decoded.append(&crate::SILENCE);
        if let Some(first) = self.packets.front().map(|first| first.packet.position)
            && self.delay.is_due(first, now)
        {
            self.next = Some(first);
            self.played_until = first;
            self.decoded.restart();
            self.delay.played(now, first);
            self.delay.moved(samples_to_micros(BLOCK as u64));
        }
    }

    /// Handles an empty buffer. During speech the timeline waits for the missing packet. In a pause it continues.
    fn handle_underrun(&mut self, next: u64, codec: &mut dyn Decode) {
        let length = BLOCK as u64;
        self.conceal(length, codec);
        if self.talk.on && self.talk.stalled < MAX_WAIT {
            self.talk.stalled += length;
            self.delay.moved(samples_to_micros(length));
        } else {
            self.next = Some(next + length);
        }
    }

    /// Skips the samples that were missing while the timeline did not advance, at most `gap`. Returns the new position
    /// and the rest of the gap. If the delay is not too long, the last missing packet is not skipped but restored from
    /// FEC. The longer delay then lets later FEC copies arrive before they are needed.
    fn catch_up(&mut self, next: u64, gap: u64, codec: &mut dyn Decode) -> (u64, u64) {
        let stalled = gap.min(self.talk.stalled);
        let kept = if gap >= PACKET as u64 { (stalled + PACKET as u64).saturating_sub(gap) } else { 0 };
        let (next, gap) = self.skip(next, gap, stalled - kept);
        if kept == 0 {
            return (next, gap);
        }
        // One packet is missing.
        if self.delay.excess() <= EXCESS_TOLERATED && self.restore(next, codec) {
            self.talk.stalled -= kept;
            return (next + gap, 0);
        }
        self.skip(next, gap, kept)
    }

    fn skip(&mut self, next: u64, gap: u64, length: u64) -> (u64, u64) {
        self.talk.stalled -= length;
        self.delay.moved(-samples_to_micros(length));
        self.next = Some(next + length);
        (next + length, gap - length)
    }

    /// Plays a part of a DTX pause of which `gap` samples are left. Corrects the delay, which is inaudible in a pause.
    fn pause(&mut self, next: u64, gap: u64, codec: &mut dyn Decode) {
        let excess = self.delay.excess();
        if excess < -delay::SHORTAGE_TOLERATED {
            let added = micros_to_samples(-excess).min(PACKET as u64);
            self.delay.moved(samples_to_micros(added));
            return self.conceal(added, codec);
        }
        let skipped = if excess > EXCESS_TOLERATED { micros_to_samples(excess).min(gap) } else { 0 };
        self.delay.moved(-samples_to_micros(skipped));
        let length = (gap - skipped).min(PACKET as u64);
        self.conceal(length, codec);
        self.next = Some(next + skipped + length);
    }

    /// Handles a packet that is missing during speech while a later one has arrived.
    fn fill_gap(&mut self, next: u64, gap: u64, codec: &mut dyn Decode) {
        if gap == PACKET as u64 && self.restore(next, codec) {
            return;
        }
        let length = gap.min(PACKET as u64);
        self.conceal(length, codec);
        self.next = Some(next + length);
    }

    /// Restores the packet at `next` from the FEC copy in its successor, which is the first buffered packet. Returns
    /// false if that has none.
    fn restore(&mut self, next: u64, codec: &mut dyn Decode) -> bool {
        let Some(successor) = self.packets.front() else { return false };
        let mut frame = [0.0; PACKET];
        let restored = codec.recover(&successor.packet.payload, &mut frame);
        self.losses.looked_for_copy(restored);
        if restored {
            self.decoded.append(&frame);
            self.statistics.recovered_ms += FRAME_MS;
            self.statistics.talk_ms += FRAME_MS;
            self.next = Some(next + PACKET as u64);
        }
        restored
    }

    /// Decodes the next packet, and moves the delay towards the wanted one.
    fn play(&mut self, codec: &mut dyn Decode) {
        self.decode_first(codec);
        let excess = self.delay.excess();
        if excess > MAX_EXCESS {
            return self.jump(excess);
        }
        if excess > EXCESS_TOLERATED && self.decoded.can_stretch() {
            // One packet is too short to find the long period of a deep voice.
            if self.packets.front().is_some_and(|first| Some(first.packet.position) == self.next) {
                self.decode_first(codec);
            }
            let pace = if excess > FAST_STRETCH_EXCESS { Pace::Urgent } else { Pace::Slight };
            if let Some(removed) = self.decoded.shorten(pace, self.talk.min_similarity()) {
                self.samples.removed += removed as u64;
                self.delay.moved(-samples_to_micros(removed as u64));
            }
        }
    }

    /// Makes the sound that waits longer if the delay is too short. Does so before the buffer is empty: the wanted delay
    /// grows as soon as a packet is late.
    fn decelerate(&mut self) {
        let shortage = -self.delay.excess();
        if self.next.is_none() || shortage <= delay::SHORTAGE_TOLERATED || !self.decoded.can_stretch() {
            return;
        }
        let (pace, min_similarity) = if self.delay.shortage() > URGENT_SHORTAGE {
            (Pace::Urgent, stretch::ANY)
        } else {
            (Pace::Slight, self.talk.min_similarity())
        };
        if let Some(inserted) = self.decoded.lengthen(pace, min_similarity) {
            self.samples.inserted += inserted as u64;
            self.delay.moved(samples_to_micros(inserted as u64));
        }
    }

    fn decode_first(&mut self, codec: &mut dyn Decode) {
        let Some(Waiting { packet, origin }) = self.packets.pop_front() else { return };
        self.captured = Some(CaptureTime { position: packet.position, captured: packet.captured });
        let mut frame = [0.0; PACKET];
        let missing = packet.position.saturating_sub(self.played_until) / PACKET as u64;
        self.losses.count(if self.in_talk() { missing } else { 0 });
        self.delay.wait_for_copies(self.losses.is_waiting_worthwhile());
        // While the delay is too short, dropping concealed sound would only move the concealment to the next packet.
        let concealed_for_late = self.talk.on
            && self.talk.stalled > 0
            && self.talk.concealed <= AUDIBLE_CONCEALMENT
            && self.delay.shortage() <= 0;
        self.resolve_undecided(packet.voice);
        let decoded = codec.decode(&packet.payload, &mut frame);
        if decoded {
            match origin {
                Origin::Frame => self.statistics.packets_played += 1,
                Origin::Copy => self.statistics.recovered_ms += if packet.voice { FRAME_MS } else { 0 },
            }
        } else {
            self.statistics.packets_broken += 1;
            self.samples.concealed += if packet.voice { PACKET as u64 } else { 0 };
        }
        self.statistics.talk_ms += if packet.voice && decoded { FRAME_MS } else { 0 };
        if concealed_for_late {
            let dropped = self.decoded.merge(&frame) as u64;
            self.samples.not_played += dropped;
            self.delay.moved(-samples_to_micros(dropped));
        } else {
            self.decoded.append(&frame);
        }
        self.played_until = packet.position + PACKET as u64;
        self.next = Some(self.played_until);
    }

    /// Handles the first packet after an interruption. The concealed samples count only if the remote still speaks.
    /// Otherwise it had paused or muted.
    fn resolve_undecided(&mut self, voice: bool) {
        if voice && self.talk.on {
            self.samples.concealed += self.talk.undecided;
        }
        self.talk = Talk { on: voice, ..Talk::default() };
    }

    /// Conceals up to 20 ms, and counts them if they replace speech.
    fn conceal(&mut self, length: u64, codec: &mut dyn Decode) {
        let mut frame = [0.0; PACKET];
        let length = length.min(PACKET as u64);
        let frame = &mut frame[..if length > BLOCK as u64 { PACKET } else { BLOCK }];
        // The decoder's concealment fades out; after that, calling it only costs CPU time.
        if self.talk.concealed < MAX_CONCEALED {
            codec.conceal(frame);
        }
        self.decoded.append_concealed(&frame[..usize::try_from(length).unwrap_or(BLOCK)]);
        self.talk.concealed = self.talk.concealed.saturating_add(length);
        if !self.talk.on {
            return;
        }
        if self.talk.concealed <= AUDIBLE_CONCEALMENT {
            self.samples.count_concealed(length);
        } else if self.talk.undecided < MAX_UNDECIDED {
            self.talk.undecided += length;
        }
    }

    /// Drops packets after a burst until the delay is near the wanted one.
    fn jump(&mut self, excess: i64) {
        let mut remaining = micros_to_samples(excess);
        while self.packets.len() > 1 && remaining >= PACKET as u64 {
            let (Some(_), Some(first)) = (self.packets.pop_front(), self.packets.front()) else { return };
            let first = first.packet.position;
            let skipped = first.saturating_sub(self.next.unwrap_or(first));
            self.next = Some(first);
            self.statistics.packets_discarded += 1;
            self.delay.moved(-samples_to_micros(skipped));
            remaining = remaining.saturating_sub(skipped);
        }
    }

    /// Drops packets that end before the current position.
    fn drop_overdue(&mut self) {
        while let (Some(first), Some(next)) = (self.packets.front(), self.next)
            && first.packet.position + PACKET as u64 <= next
        {
            self.packets.pop_front();
            self.statistics.packets_discarded += 1;
        }
    }
}

/// Returns true if the packet at `position` has not arrived and is not due yet.
fn is_missing(buffer: &Buffer, position: u64) -> bool {
    position < MAX_POSITION && !buffer.recent.contains(position) && buffer.next.is_none_or(|next| position >= next)
}

/// The duration of a frame in milliseconds.
const FRAME_MS: u64 = 20;

/// The maximum number of buffered packets: three seconds.
const MAX_PACKETS: usize = 150;

/// The first position that is refused, because sums with it could overflow. At 48 kHz this is 5,900 years.
const MAX_POSITION: u64 = 1 << 53;

/// The number of consecutive packets of another timeline after which the buffer follows that one.
const MAX_FOREIGN: u32 = 5;

/// Samples of concealment during speech that count at once: 200 ms. After that, the concealment has faded out.
const AUDIBLE_CONCEALMENT: u64 = 9_600;

/// Samples for which the timeline waits for a packet that may be late: 200 ms.
const MAX_WAIT: u64 = 9_600;

/// Concealed samples after which the buffer plays silence: one second, more than twice the DTX refresh interval.
const MAX_CONCEALED: u64 = 48_000;

/// The maximum of undecided samples: ten seconds.
const MAX_UNDECIDED: u64 = 480_000;

/// Microseconds above the wanted delay that are not corrected: half a packet.
const EXCESS_TOLERATED: i64 = 10_000;

/// The excess in microseconds above which audio is shortened without a pause in between.
const FAST_STRETCH_EXCESS: i64 = 100_000;

/// The excess in microseconds above which packets are skipped.
const MAX_EXCESS: i64 = 400_000;

/// The distance in samples from a lost packet to the next one, above which it was lost in a pause: 100 ms.
const MAX_REPAIRED_GAP: u64 = 4_800;

/// The shortage of the delay in microseconds from which sound becomes up to twice as long.
const URGENT_SHORTAGE: i64 = 5_000;
