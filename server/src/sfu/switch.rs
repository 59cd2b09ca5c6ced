//! Decides which packets of a track one subscriber gets: one layer at a time, changed only at key frames. While a smaller
//! layer is awaited, the larger one passes with fewer temporal layers or not at all.
//! Pure: packets and targets in, rewritten headers out.

use super::sequence_rewriter::SequenceRewriter;
use std::time::Instant;

/// The layers of a track that a subscriber is to get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The spatial layer.
    pub spatial: u8,
    /// The highest temporal layer.
    pub temporal: u8,
}

/// The properties of a packet that the switch needs.
#[derive(Clone, Copy, Debug)]
pub struct PacketInfo {
    /// The spatial layer.
    pub spatial: u8,
    /// The temporal layer.
    pub temporal: u8,
    /// The extended sequence number in the sender's stream.
    pub sequence: u64,
    /// The RTP timestamp.
    pub timestamp: u32,
    /// True if the packet is the first of its frame.
    pub start: bool,
    /// True if the packet is part of a key frame.
    pub key: bool,
    /// True if no later packet of the layer has arrived yet.
    pub newest: bool,
    /// When the packet arrived.
    pub arrival: Instant,
}

/// The rewritten fields of a packet that is forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RewrittenHeader {
    /// The extended sequence number.
    pub sequence: u64,
    /// The RTP timestamp.
    pub timestamp: u32,
}

/// Forwards one track to one subscriber.
#[derive(Debug)]
pub struct Switch {
    target: Option<Target>,
    current: Option<u8>,
    /// The highest temporal layer that passes now. It changes between frames only.
    temporal: u8,
    /// The highest temporal layer that passes of a layer that is larger than the target.
    reduced: u8,
    sequences: SequenceRewriter,
    timestamps: TimestampRewriter,
}

impl Switch {
    /// Returns a switch that forwards nothing yet. Sequence numbers begin at `first`; `clock_rate` is the RTP clock in
    /// Hz.
    pub fn new(first: u16, clock_rate: u32) -> Self {
        let timestamps = TimestampRewriter { clock_rate, offset: 0, last: None };
        Self {
            target: None,
            current: None,
            temporal: 0,
            reduced: MAX_TEMPORAL,
            sequences: SequenceRewriter::new(first),
            timestamps,
        }
    }

    /// Sets what the subscriber is to get. `None` stops at once.
    pub fn set_target(&mut self, target: Option<Target>) {
        self.target = target;
        if target.is_none() {
            self.current = None;
        }
    }

    /// Lowers the target to a smaller layer, because the sender has replaced the larger one.
    pub fn take_smaller(&mut self, spatial: u8) {
        self.target = self.target.map(|target| Target { spatial: target.spatial.min(spatial), ..target });
    }

    /// Returns what the subscriber is to get.
    pub fn target(&self) -> Option<Target> {
        self.target
    }

    /// Returns the spatial layer that passes now.
    pub fn current(&self) -> Option<u8> {
        self.current
    }

    /// Returns the spatial layer of which a key frame is needed to reach the target.
    pub fn awaited_layer(&self) -> Option<u8> {
        let spatial = self.target?.spatial;
        (self.current != Some(spatial)).then_some(spatial)
    }

    /// Sets how much passes of a layer that is larger than the target until the target arrives: its temporal layers up to
    /// `temporal`, or nothing.
    pub fn reduce(&mut self, temporal: Option<u8>) {
        if !self.is_above_target() {
            return;
        }
        match temporal {
            Some(temporal) => self.reduced = temporal,
            None => self.current = None,
        }
    }

    /// Returns whether a layer passes that is larger than the target.
    pub fn is_above_target(&self) -> bool {
        self.current > self.target.map(|target| target.spatial)
    }

    /// Waits for a key frame, because the packets with the outgoing number `next` and later ones were not sent.
    pub fn restart(&mut self, next: u64) {
        self.current = None;
        self.sequences.rewind(next);
    }

    /// Waits for a key frame, because packets that were sent are lost.
    pub fn stop(&mut self) {
        self.current = None;
    }

    /// Waits for a key frame of the next source. Sequence numbers continue; the timestamp offset is computed again.
    pub fn end_source(&mut self) {
        self.current = None;
        self.timestamps.last = None;
        self.timestamps.offset = 0;
    }

    /// Returns the switch for another track: it continues the sequence numbers, and has no target.
    #[must_use]
    pub fn for_next_track(mut self) -> Self {
        self.set_target(None);
        self.end_source();
        self
    }

    /// Decides on one packet. `max_temporal` is the highest temporal layer for which the subscriber's queue has room.
    /// Returns `None` if the packet is not forwarded.
    pub fn forward(&mut self, packet: &PacketInfo, max_temporal: u8) -> Option<RewrittenHeader> {
        let mut target = self.target?;
        if self.should_switch(packet, target) {
            self.current = Some(packet.spatial);
            self.temporal = target.temporal;
            self.reduced = MAX_TEMPORAL;
            self.sequences.start_source(packet.sequence);
            self.timestamps.start_source(packet.timestamp, packet.arrival);
        }
        if self.current != Some(packet.spatial) {
            return None;
        }
        let reduced = if self.is_above_target() { self.reduced } else { MAX_TEMPORAL };
        target.temporal = target.temporal.min(max_temporal).min(reduced);
        self.update_temporal(packet, target);
        if packet.temporal > self.temporal {
            self.sequences.skip(packet.sequence);
            return None;
        }
        let sequence = self.sequences.rewrite(packet.sequence)?;
        Some(RewrittenHeader { sequence, timestamp: self.timestamps.rewrite(packet.timestamp, packet.arrival) })
    }

    /// Switches at a key frame of the target layer, or of a smaller one while nothing passes. A key frame is of no use
    /// if later packets of its layer were dropped before it arrived.
    fn should_switch(&self, packet: &PacketInfo, target: Target) -> bool {
        let better = match self.current {
            None => packet.spatial <= target.spatial,
            Some(current) => packet.spatial == target.spatial && current != target.spatial,
        };
        packet.start && packet.key && packet.newest && better
    }

    /// Applies fewer temporal layers from the next frame on, and more from the next frame of layer 0, on which they
    /// depend.
    fn update_temporal(&mut self, packet: &PacketInfo, target: Target) {
        let fewer = target.temporal < self.temporal;
        if packet.start && packet.newest && (fewer || packet.temporal == 0) {
            self.temporal = target.temporal;
        }
    }
}

/// Keeps timestamps continuous across a change of layer. The layers of our clients share one clock; then the offset
/// stays 0, and receivers can compare the timestamp with the one in the sealed frame.
#[derive(Debug)]
struct TimestampRewriter {
    clock_rate: u32,
    offset: u32,
    /// The last timestamp that was sent, and when its packet arrived.
    last: Option<(u32, Instant)>,
}

impl TimestampRewriter {
    fn start_source(&mut self, timestamp: u32, arrival: Instant) {
        let Some((last, last_arrival)) = self.last else { return };
        let ticks =
            arrival.saturating_duration_since(last_arrival).as_micros() * u128::from(self.clock_rate) / 1_000_000;
        // RTP timestamps wrap at 32 bits.
        let elapsed = u32::try_from(ticks & u128::from(u32::MAX)).unwrap_or(0);
        let expected = last.wrapping_add(elapsed);
        let ahead = timestamp.wrapping_add(self.offset).wrapping_sub(expected).cast_signed();
        if ahead.unsigned_abs() > self.clock_rate * MAX_DRIFT_SECONDS {
            self.offset = expected.wrapping_sub(timestamp);
        }
    }

    fn rewrite(&mut self, timestamp: u32, arrival: Instant) -> u32 {
        let rewritten = timestamp.wrapping_add(self.offset);
        self.last = Some((rewritten, arrival));
        rewritten
    }
}

/// The highest temporal layer of any stream.
pub const MAX_TEMPORAL: u8 = 7;

/// Two layers have different clocks if their timestamps differ by more than this. Jitter explains a smaller difference.
const MAX_DRIFT_SECONDS: u32 = 2;

#[cfg(test)]
mod tests;
