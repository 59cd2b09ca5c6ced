//! The pictures that wait for a viewer: which are queued, when they leave, and when they are dropped. Pure: the caller passes
//! the time.

use super::downlink::Downlink;
use super::layer_meter::HEADER_BYTES;
use super::pacer::Pacer;
use super::send_queue::{PacketMeta, SendQueue};
use super::switch::MAX_TEMPORAL;
use std::time::{Duration, Instant};
use str0m::rtp::Ssrc;

/// The pictures that wait for one viewer. `budget` is the bits per second that its downlink carries.
#[derive(Debug)]
pub struct PictureQueue<P> {
    queue: SendQueue<P>,
    pacer: Pacer,
    /// Bits per second that are reserved for sound.
    sound: u64,
}

impl<P> PictureQueue<P> {
    /// Returns an empty queue.
    pub fn new(now: Instant) -> Self {
        Self { queue: SendQueue::new(), pacer: Pacer::new(now), sound: 0 }
    }

    /// Sets the bits per second that are reserved for sound.
    pub fn set_sound(&mut self, sound: u64) {
        self.sound = sound;
    }

    /// Adds the payload of a packet of sound that was sent without waiting. Pictures wait for it.
    pub fn add_sound(&mut self, bytes: usize, downlink: &Downlink) {
        self.pacer.add(bytes + HEADER_BYTES + downlink.path.extra_bytes());
    }

    /// Adds the bytes of a packet that was sent without waiting, with all headers. Pictures wait for it.
    pub fn add_unpaced(&mut self, bytes: usize) {
        self.pacer.add(bytes);
    }

    /// Queues a packet.
    ///
    /// # Errors
    /// If the queue is full, drops the packets of the stream, too, and returns the first sequence number that is free then.
    pub fn push(&mut self, ssrc: Ssrc, meta: PacketMeta, packet: P, budget: u64) -> Result<(), u64> {
        if self.delay(budget) < self.max_delay(ssrc) && self.queue.push(ssrc, meta, packet) {
            return Ok(());
        }
        Err(self.queue.clear_with(ssrc, meta.sequence))
    }

    /// Takes the next packet if it is due.
    pub fn pop(&mut self, downlink: &Downlink, now: Instant) -> Option<(Ssrc, P)> {
        if downlink.held_until(now).is_some() || !self.pacer.is_due(downlink.pace(), now) {
            return None;
        }
        let (ssrc, meta, packet) = self.queue.pop()?;
        self.pacer.add(meta.bytes + HEADER_BYTES + downlink.path.extra_bytes());
        Some((ssrc, packet))
    }

    /// Returns when the next packet is due.
    pub fn next_at(&self, downlink: &Downlink, now: Instant) -> Option<Instant> {
        let at = (self.queue.bytes() > 0).then(|| self.pacer.next_at(downlink.pace()))?;
        Some(downlink.held_until(now).map_or(at, |end| at.max(end)))
    }

    /// Returns how long it takes to send the packets with the part of the budget that sound does not need.
    pub fn delay(&self, budget: u64) -> Duration {
        let rate = budget.saturating_sub(self.sound).max(budget / 4).max(1);
        Duration::from_micros((self.queue.bytes() as u64 * 8).saturating_mul(1_000_000) / rate)
    }

    /// Returns how long the packets of a stream may wait. A key frame is not dropped for a shorter queue, because the next
    /// one would wait as long.
    fn max_delay(&self, ssrc: Ssrc) -> Duration {
        if self.queue.has_key_frame(ssrc) { MAX_KEY_FRAME_DELAY } else { MAX_DELAY }
    }

    /// Returns the highest temporal layer for which there is room. The frame rate falls before the queue is full.
    pub fn max_temporal(&self, budget: u64) -> u8 {
        let delay = self.delay(budget);
        if delay < MAX_DELAY / 4 { MAX_TEMPORAL } else { u8::from(delay < MAX_DELAY / 2) }
    }

    /// Returns the stream of which most is queued, if the queue is longer than its bound. That happens when the budget drops.
    pub fn overlong_stream(&self, budget: u64) -> Option<Ssrc> {
        self.queue.longest().filter(|ssrc| self.delay(budget) > self.max_delay(*ssrc))
    }

    /// Returns whether packets of a key frame of a stream wait.
    pub fn has_key_frame(&self, ssrc: Ssrc) -> bool {
        self.queue.has_key_frame(ssrc)
    }

    /// Drops the packets of a stream. Returns the first sequence number that is free then, or `None` if no packet waited.
    pub fn clear(&mut self, ssrc: Ssrc) -> Option<u64> {
        self.queue.clear(ssrc)
    }

    /// Drops the packets and the state of all streams that `keep` refuses.
    pub fn retain(&mut self, mut keep: impl FnMut(Ssrc) -> bool) {
        let kept: Vec<Ssrc> = self.queue.streams().filter(|ssrc| keep(*ssrc)).collect();
        self.queue.retain(|ssrc| kept.contains(&ssrc));
    }
}

/// How long pictures may wait. Half of it is for pictures of the lowest temporal layer only.
const MAX_DELAY: Duration = Duration::from_millis(600);

/// The same while a key frame waits.
const MAX_KEY_FRAME_DELAY: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::super::downlink::Report;
    use super::*;

    const STREAM: u32 = 7;

    /// Returns a queue in which packets of a kilobyte wait, at 90 kbit/s beside the sound.
    fn queue(packets: u64, key: bool) -> PictureQueue<u64> {
        let mut queue = PictureQueue::new(Instant::now());
        queue.set_sound(60_000);
        for sequence in 0..packets {
            push(&mut queue, sequence, key).expect("there is room");
        }
        queue
    }

    fn push(queue: &mut PictureQueue<u64>, sequence: u64, key: bool) -> Result<(), u64> {
        queue.push(STREAM.into(), PacketMeta { sequence, bytes: 1_000, base: true, key }, sequence, BUDGET)
    }

    const BUDGET: u64 = 150_000;

    #[test]
    fn higher_temporal_layers_are_left_out_first_and_then_the_stream_waits_for_a_key_frame() {
        let temporal = |packets| queue(packets, false).max_temporal(BUDGET);
        assert_eq!([0, 1, 2, 3, 4].map(temporal), [MAX_TEMPORAL, MAX_TEMPORAL, 1, 1, 0]);
        let mut queue = queue(7, false);
        assert_eq!(push(&mut queue, 7, false), Err(0), "seven kilobytes take 622 ms");
        assert_eq!(queue.delay(BUDGET), Duration::ZERO);
    }

    #[test]
    fn a_key_frame_may_wait_longer() {
        let mut queue = queue(20, true);
        assert!(queue.has_key_frame(STREAM.into()));
        assert_eq!(queue.overlong_stream(BUDGET), None);
        assert_eq!(queue.overlong_stream(BUDGET / 2), Some(STREAM.into()));
        assert_eq!(
            (push(&mut queue, 20, true), push(&mut queue, 21, true), push(&mut queue, 22, true)),
            (Ok(()), Ok(()), Ok(()))
        );
        assert_eq!(push(&mut queue, 23, true), Err(0), "23 kilobytes take two seconds");
    }

    #[test]
    fn nothing_leaves_while_the_link_delays_packets() {
        let (mut queue, start) = (queue(1, false), Instant::now());
        let mut downlink = Downlink::new(BUDGET);
        let report = |milliseconds| Report {
            estimate: BUDGET,
            sent: BUDGET,
            lost: 0.0,
            round_trip: Some(Duration::from_millis(milliseconds)),
            pause: Duration::ZERO,
        };
        downlink.handle_report(report(10), start);
        downlink.handle_report(report(100), start);
        assert_eq!(queue.pop(&downlink, start), None);
        assert!(queue.next_at(&downlink, start) > Some(start + Duration::from_millis(500)));
        downlink.handle_report(report(10), start);
        assert_eq!(queue.pop(&downlink, start), Some((STREAM.into(), 0)));
        assert_eq!(queue.next_at(&downlink, start), None);
    }

    #[test]
    fn longer_headers_of_the_path_count() {
        let sent = |is_tunnelled| {
            let (mut queue, start) = (PictureQueue::new(Instant::now()), Instant::now());
            let mut downlink = Downlink::new(800_000);
            downlink.set_limit(Some(400_000));
            downlink.path.is_tunnelled = is_tunnelled;
            let mut sent = 0;
            for milliseconds in 0..10_000 {
                let now = start + Duration::from_millis(milliseconds);
                if queue.queue.bytes() == 0 {
                    queue
                        .push(
                            STREAM.into(),
                            PacketMeta { sequence: sent, bytes: 200, base: true, key: false },
                            sent,
                            BUDGET,
                        )
                        .expect("there is room");
                }
                sent += u64::from(queue.pop(&downlink, now).is_some());
            }
            sent
        };
        let (direct, tunnelled) = (sent(false), sent(true));
        // 276 and 328 bytes each, at 96 % of the limit.
        assert!((1_700..=1_740).contains(&direct) && (1_430..=1_465).contains(&tunnelled), "{direct}, {tunnelled}");
    }
}
