//! Paces the packets that leave: audio first, then retransmissions, the smallest layers, and larger layers.

use super::estimate::{PROBE_INTERVAL, SendSide, StreamIdentifiers};
use crate::path_overhead::SRTCP_INDEX;
use congestion::{Full, Pacer, Priority};
use rtc::interceptor::{Packet, TaggedPacket};
use rtc::shared::marshal::MarshalSize;
use std::collections::VecDeque;
use std::time::Instant;

/// The queues between our interceptor and the rest of the stack.
pub struct Pacing {
    pacer: Pacer<TaggedPacket>,
    send_side: SendSide,
    released: VecDeque<TaggedPacket>,
    /// When to ask for the next probe. `None` until the first packet.
    probe_at: Option<Instant>,
    /// True after the start probe, or if another probe was sent before it was possible.
    started: bool,
    dropped: u64,
}

impl Pacing {
    /// Returns empty queues that follow the estimate of `send_side`.
    pub fn new(send_side: SendSide) -> Self {
        let pacer = Pacer::new(send_side.bitrate());
        Self { pacer, send_side, released: VecDeque::new(), probe_at: None, started: false, dropped: 0 }
    }

    /// Passes RTCP on without delay.
    pub fn pass(&mut self, packet: TaggedPacket) {
        self.pacer.handle_unpaced(size(&packet) + SRTCP_INDEX);
        self.released.push_back(packet);
    }

    /// Queues an RTP packet. If the queue is full, drops it; the receiver requests it again.
    pub fn push(&mut self, priority: Priority, packet: TaggedPacket) {
        self.probe_at.get_or_insert(packet.now);
        let size = size(&packet);
        if let Err(Full(_)) = self.pacer.push(priority, size, packet) {
            self.dropped += 1;
            tracing::debug!(?priority, dropped = self.dropped, "packet dropped: the pacer is full");
        }
    }

    /// Releases the packets that may be sent now. For a probe, `padding` returns a packet of about the given size in bytes. A
    /// probe starts only if `has_padding` is true.
    pub fn release(&mut self, now: Instant, has_padding: bool, padding: impl FnMut(usize) -> Option<TaggedPacket>) {
        self.pacer.set_target(self.send_side.bitrate());
        self.pacer.set_limit(self.send_side.max_pace(), self.send_side.packet_overhead());
        if has_padding && self.may_start() {
            self.started = true;
            if let Some(probe) = self.send_side.poll_start_probe(now) {
                tracing::debug!(rate = %probe.rate, bytes = probe.bytes, "start probe");
                self.pacer.start_probe(&probe);
            }
        }
        if self.probe_at.is_some_and(|at| at <= now) {
            self.probe_at = Some(now + PROBE_INTERVAL);
            if has_padding && let Some(probe) = self.send_side.poll_probe(now) {
                tracing::debug!(rate = %probe.rate, bytes = probe.bytes, estimate = %self.send_side.bitrate(), "probe");
                self.pacer.start_probe(&probe);
            }
        }
        self.release_queued(now);
        self.release_padding(now, padding);
        self.send_side.set_room(!self.pacer.is_congested());
    }

    /// Returns true if the start probe is allowed and was not sent yet.
    pub fn may_start(&self) -> bool {
        !self.started && self.send_side.start_probe_stream().is_some()
    }

    /// Returns the stream whose padding is the start probe. Returns `None` if the probe is not allowed yet.
    pub fn start_probe_stream(&self) -> Option<&StreamIdentifiers> {
        self.send_side.start_probe_stream()
    }

    fn release_queued(&mut self, now: Instant) {
        while let Some(released) = self.pacer.poll(now) {
            let mut packet = released.packet;
            // The time of departure, not of queueing: otherwise the wait would look like delay of the path.
            packet.now = now;
            self.send_side.handle_sent(now, size(&packet), released.cluster);
            self.released.push_back(packet);
        }
    }

    fn release_padding(&mut self, now: Instant, mut padding: impl FnMut(usize) -> Option<TaggedPacket>) {
        while let Some((wanted, cluster)) = self.pacer.poll_padding(now) {
            let Some(packet) = padding(wanted) else {
                self.pacer.stop_probe();
                break;
            };
            self.pacer.handle_padding(size(&packet));
            self.send_side.handle_padding(now, cluster);
            self.released.push_back(packet);
        }
    }

    /// Returns the next packet that leaves now.
    pub fn pop(&mut self) -> Option<TaggedPacket> {
        self.released.pop_front()
    }

    /// Returns when to call [`release`](Self::release) next.
    pub fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        self.pacer.poll_timeout(now).into_iter().chain(self.probe_at).min()
    }
}

/// Returns the bytes of a packet before it is encrypted.
fn size(packet: &TaggedPacket) -> usize {
    match &packet.message.packet {
        Packet::Rtp(packet) => packet.marshal_size(),
        Packet::Rtcp(packets) => packets.iter().map(|packet| packet.marshal_size()).sum(),
        _ => 0,
    }
}

#[cfg(test)]
#[path = "pacing_tests.rs"]
mod tests;
