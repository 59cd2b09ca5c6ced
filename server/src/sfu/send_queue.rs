//! The packets that wait for a viewer's downlink, in front of the transport stack. Pure.
//!
//! The stack's own queues cannot be emptied. So packets wait here, and the stack gets each one when it is to be sent.
//! Packets of one stream stay in order. Between streams, those of the lowest temporal layer go first.

use std::collections::VecDeque;
use str0m::rtp::Ssrc;

/// The packets that wait for one viewer.
#[derive(Debug)]
pub struct SendQueue<P> {
    streams: Vec<StreamQueue<P>>,
    bytes: usize,
    packets: usize,
    /// The number of packets that were queued so far.
    queued: u64,
}

#[derive(Debug)]
struct StreamQueue<P> {
    ssrc: Ssrc,
    waiting: VecDeque<Waiting<P>>,
    /// How many of them are part of key frames.
    keys: usize,
    /// The sequence number after the highest one that was taken.
    next: u64,
}

#[derive(Debug)]
struct Waiting<P> {
    meta: PacketMeta,
    /// The position among all packets of the viewer.
    order: u64,
    packet: P,
}

/// The properties of a packet that the queue needs.
#[derive(Clone, Copy, Debug)]
pub struct PacketMeta {
    /// The extended sequence number in the stream to the viewer.
    pub sequence: u64,
    /// The payload's length in bytes.
    pub bytes: usize,
    /// True if other temporal layers depend on the packet.
    pub base: bool,
    /// True if the packet is part of a key frame.
    pub key: bool,
}

impl<P> SendQueue<P> {
    /// Returns an empty queue.
    pub fn new() -> Self {
        Self { streams: Vec::new(), bytes: 0, packets: 0, queued: 0 }
    }

    /// Returns the payload bytes that wait.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a packet of a stream. Returns false if the queue is full.
    pub fn push(&mut self, ssrc: Ssrc, meta: PacketMeta, packet: P) -> bool {
        if self.packets >= MAX_PACKETS {
            return false;
        }
        self.queued += 1;
        self.packets += 1;
        self.bytes += meta.bytes;
        let waiting = Waiting { meta, order: self.queued, packet };
        if let Some(stream) = self.streams.iter_mut().find(|stream| stream.ssrc == ssrc) {
            stream.waiting.push_back(waiting);
            stream.keys += usize::from(meta.key);
        } else {
            let keys = usize::from(meta.key);
            self.streams.push(StreamQueue { ssrc, waiting: VecDeque::from([waiting]), keys, next: 0 });
        }
        true
    }

    /// Takes the next packet: of the streams whose next packet is of the lowest temporal layer, the one that waits
    /// longest.
    pub fn pop(&mut self) -> Option<(Ssrc, PacketMeta, P)> {
        let head = |stream: &&mut StreamQueue<P>| stream.waiting.front().map(|head| (!head.meta.base, head.order));
        let waiting = self.streams.iter_mut().filter(|stream| !stream.waiting.is_empty());
        let stream = waiting.min_by_key(head)?;
        let Waiting { meta, packet, .. } = stream.waiting.pop_front()?;
        stream.next = stream.next.max(meta.sequence + 1);
        stream.keys -= usize::from(meta.key);
        self.bytes -= meta.bytes;
        self.packets -= 1;
        Some((stream.ssrc, meta, packet))
    }

    /// Returns whether packets of a key frame of a stream wait.
    pub fn has_key_frame(&self, ssrc: Ssrc) -> bool {
        self.streams.iter().any(|stream| stream.ssrc == ssrc && stream.keys > 0)
    }

    /// Drops the packets of a stream. Returns the first sequence number that is free then, or `None` if there was no
    /// packet. A number that was taken once is never free.
    pub fn clear(&mut self, ssrc: Ssrc) -> Option<u64> {
        let stream = self.streams.iter_mut().find(|stream| stream.ssrc == ssrc)?;
        let first = stream.waiting.iter().map(|waiting| waiting.meta.sequence).min()?;
        self.bytes -= stream.waiting.iter().map(|waiting| waiting.meta.bytes).sum::<usize>();
        self.packets -= stream.waiting.len();
        stream.waiting.clear();
        stream.keys = 0;
        Some(first.max(stream.next))
    }

    /// Drops the packets of a stream, as [`SendQueue::clear`] does. `refused` is the number of a packet that was not added.
    pub fn clear_with(&mut self, ssrc: Ssrc, refused: u64) -> u64 {
        let first = self.clear(ssrc).map_or(refused, |first| first.min(refused));
        let next = self.streams.iter().find(|stream| stream.ssrc == ssrc).map_or(0, |stream| stream.next);
        first.max(next)
    }

    /// Returns the stream with the most bytes.
    pub fn longest(&self) -> Option<Ssrc> {
        let bytes = |stream: &&StreamQueue<P>| stream.waiting.iter().map(|waiting| waiting.meta.bytes).sum::<usize>();
        self.streams.iter().filter(|stream| !stream.waiting.is_empty()).max_by_key(bytes).map(|stream| stream.ssrc)
    }

    /// Returns the streams of which a packet was queued.
    pub fn streams(&self) -> impl Iterator<Item = Ssrc> {
        self.streams.iter().map(|stream| stream.ssrc)
    }

    /// Drops the state of all streams that `keep` refuses.
    pub fn retain(&mut self, keep: impl Fn(Ssrc) -> bool) {
        let gone: Vec<Ssrc> = self.streams.iter().map(|stream| stream.ssrc).filter(|ssrc| !keep(*ssrc)).collect();
        for ssrc in gone {
            self.clear(ssrc);
        }
        self.streams.retain(|stream| keep(stream.ssrc));
    }
}

/// The maximum number of packets that wait for a viewer: more than its key frames of all tiles.
const MAX_PACKETS: usize = 2_048;

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(packets: &[(u32, u64, bool)]) -> SendQueue<u64> {
        let mut queue = SendQueue::new();
        for (ssrc, sequence, base) in packets {
            assert!(queue.push(
                (*ssrc).into(),
                PacketMeta { sequence: *sequence, bytes: 100, base: *base, key: *sequence == 12 },
                *sequence
            ));
        }
        queue
    }

    fn drain(queue: &mut SendQueue<u64>) -> Vec<u64> {
        std::iter::from_fn(|| queue.pop()).map(|(.., packet)| packet).collect()
    }

    #[test]
    fn base_layers_of_all_streams_go_before_the_others_and_a_stream_stays_in_order() {
        let mut queue = queue(&[(1, 10, true), (1, 11, false), (1, 12, true), (2, 20, true), (3, 30, false)]);
        assert_eq!((queue.bytes(), queue.has_key_frame(1.into()), queue.has_key_frame(2.into())), (500, true, false));
        assert_eq!(drain(&mut queue), [10, 20, 11, 12, 30]);
        assert_eq!(queue.bytes(), 0);
    }

    #[test]
    fn dropped_packets_free_their_numbers_but_never_those_that_were_taken() {
        let mut queue = queue(&[(1, 10, true), (1, 11, true), (2, 50, true), (1, 9, true)]);
        assert_eq!(queue.pop().map(|(.., packet)| packet), Some(10));
        assert_eq!(queue.clear(1.into()), Some(11), "number 9 was late, and 10 is used");
        assert_eq!((queue.clear(1.into()), queue.bytes()), (None, 100));
        assert_eq!(queue.clear_with(1.into(), 9), 11, "a late packet that was refused");
        assert_eq!((queue.clear_with(1.into(), 14), queue.clear_with(7.into(), 14)), (14, 14));
        assert_eq!(drain(&mut queue), [50]);
    }

    #[test]
    fn a_full_queue_refuses_and_the_longest_stream_is_found() {
        let mut queue = queue(&[(1, 1, true), (2, 1, true), (2, 2, true)]);
        assert_eq!(queue.longest(), Some(2.into()));
        let meta = PacketMeta { sequence: 1, bytes: 1, base: true, key: false };
        let taken = (0..5_000).filter(|number| queue.push(3.into(), meta, *number)).count();
        assert_eq!(taken, MAX_PACKETS - 3);
        queue.retain(|ssrc| ssrc == 1.into());
        assert_eq!((queue.longest(), queue.bytes()), (Some(1.into()), 100));
    }
}
