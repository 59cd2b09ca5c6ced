//! Which packets of a track one receiver gets: one layer at a time, changed only at key frames.
//! Pure: packets and wishes in, rewritten headers out.

use super::sequence_rewriter::SequenceRewriter;
use std::time::Instant;

/// What a receiver is to get of a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The spatial layer.
    pub spatial: u8,
    /// The highest temporal layer.
    pub temporal: u8,
}

/// What the switch needs to know of a packet.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// The spatial layer it belongs to.
    pub spatial: u8,
    /// Its temporal layer.
    pub temporal: u8,
    /// Its extended sequence number in the sender's stream.
    pub sequence: u64,
    /// Its RTP timestamp.
    pub timestamp: u32,
    /// It is the first of its frame.
    pub start: bool,
    /// It is the first of a key frame.
    pub key: bool,
    /// No later packet of the layer has come yet.
    pub newest: bool,
    /// When it came.
    pub at: Instant,
}

/// What is rewritten in a packet that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// The extended sequence number.
    pub sequence: u64,
    /// The RTP timestamp.
    pub timestamp: u32,
}

/// One receiver's view of one track. See the module.
#[derive(Debug)]
pub struct Switch {
    target: Option<Target>,
    current: Option<u8>,
    /// The temporal limit in force; it changes between frames only.
    temporal: u8,
    row: SequenceRewriter,
    clock: Clock,
}

impl Switch {
    /// A switch that lets nothing pass. Sequence numbers begin at `first`; the RTP clock ticks `rate` times a second.
    pub fn new(first: u16, rate: u32) -> Self {
        let clock = Clock { rate, shift: 0, last: None };
        Self { target: None, current: None, temporal: 0, row: SequenceRewriter::new(first), clock }
    }

    /// Changes what the receiver is to get. None stops at once.
    pub fn aim(&mut self, target: Option<Target>) {
        self.target = target;
        if target.is_none() {
            self.current = None;
        }
    }

    /// What the receiver is to get.
    pub fn target(&self) -> Option<Target> {
        self.target
    }

    /// The layer that passes now.
    pub fn current(&self) -> Option<u8> {
        self.current
    }

    /// The layer of which a key frame is needed to get on.
    pub fn awaited(&self) -> Option<u8> {
        let spatial = self.target?.spatial;
        (self.current != Some(spatial)).then_some(spatial)
    }

    /// The stream behind the track is another one now: wait for its key frame. Numbers go on, timestamps start anew.
    pub fn detach(&mut self) {
        self.current = None;
        self.clock.last = None;
        self.clock.shift = 0;
    }

    /// The same row of numbers for whatever comes next; nothing passes until then.
    #[must_use]
    pub fn detached(mut self) -> Self {
        self.aim(None);
        self.detach();
        self
    }

    /// Decides on one packet. None where it does not pass.
    pub fn forward(&mut self, packet: &Arrival) -> Option<Rewritten> {
        let target = self.target?;
        if self.should_enter(packet, target) {
            self.current = Some(packet.spatial);
            self.temporal = target.temporal;
            self.row.begin(packet.sequence);
            self.clock.enter(packet.timestamp, packet.at);
        }
        if self.current != Some(packet.spatial) {
            return None;
        }
        self.limit(packet, target);
        if packet.temporal > self.temporal {
            self.row.skip(packet.sequence);
            return None;
        }
        let sequence = self.row.keep(packet.sequence)?;
        Some(Rewritten { sequence, timestamp: self.clock.tell(packet.timestamp, packet.at) })
    }

    /// At a key frame of the wanted layer, or of a smaller one while there is none at all. A key frame whose later
    /// packets went by already is of no use.
    fn should_enter(&self, packet: &Arrival, target: Target) -> bool {
        let better = match self.current {
            None => packet.spatial <= target.spatial,
            Some(current) => packet.spatial == target.spatial && current != target.spatial,
        };
        packet.key && packet.newest && better
    }

    /// Fewer temporal layers from the next frame on; more from the next frame of the base, on which the others build.
    fn limit(&mut self, packet: &Arrival, target: Target) {
        let fewer = target.temporal < self.temporal;
        if packet.start && packet.newest && (fewer || packet.temporal == 0) {
            self.temporal = target.temporal;
        }
    }
}

/// Keeps timestamps continuous over a switch. Layers of one source share its clock: then they pass as they are, which
/// receivers rely on when they compare them with what was sealed.
#[derive(Debug)]
struct Clock {
    rate: u32,
    shift: u32,
    last: Option<(u32, Instant)>,
}

impl Clock {
    fn enter(&mut self, timestamp: u32, at: Instant) {
        let Some((last, when)) = self.last else { return };
        let ticks = at.saturating_duration_since(when).as_micros() * u128::from(self.rate) / 1_000_000;
        // The clock wraps, and so does what has passed of it.
        let elapsed = u32::try_from(ticks & u128::from(u32::MAX)).unwrap_or(0);
        let expected = last.wrapping_add(elapsed);
        let ahead = timestamp.wrapping_add(self.shift).wrapping_sub(expected).cast_signed();
        if ahead.unsigned_abs() > self.rate * TOLERATED_SECONDS {
            self.shift = expected.wrapping_sub(timestamp);
        }
    }

    fn tell(&mut self, timestamp: u32, at: Instant) -> u32 {
        let told = timestamp.wrapping_add(self.shift);
        self.last = Some((told, at));
        told
    }
}

/// How far apart the clocks of two layers may seem, for jitter, before they count as two clocks.
const TOLERATED_SECONDS: u32 = 2;

#[cfg(test)]
mod tests;
