//! The pacer: decides when each queued packet is sent.

use crate::packet_feedback::{ClusterId, bits};
use crate::probe::Probe;
use crate::units::bps;
use media::Bitrate;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The order in which packets are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Sound. It is never delayed.
    Audio,
    /// Retransmissions.
    Retransmission,
    /// The base layer of pictures.
    Base,
    /// The other layers of pictures.
    Rest,
}

/// The packet was not queued, because the queue is full. It holds the packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Full<P>(pub P);

/// A packet that the pacer has released, to send now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacedPacket<P> {
    /// The packet.
    pub packet: P,
    /// The probe of which it is a part, if any.
    pub cluster: Option<ClusterId>,
}

/// Queues packets `P` and releases them at a rate.
///
/// A released packet adds its bits to a debt, which falls at the pacing rate; nothing but sound is released while the
/// debt is positive (`goog_cc`: `PacingController`). The pacing rate is 1.5 times the target. It grows up to 2.5 times the
/// target if the queue would otherwise take more than 250 ms, so that a key frame is spread, but not for long.
#[derive(Clone, Debug)]
pub struct Pacer<P> {
    queues: [VecDeque<Queued<P>>; 4],
    /// The bits in all queues except that of sound.
    waiting: f64,
    /// The target when the first of the packets of [`Priority::Rest`] that wait was queued.
    rest_target: f64,
    /// The bits of retransmissions that may be queued now.
    retransmission_budget: f64,
    target: f64,
    limit: WireLimit,
    debt: f64,
    updated: Option<Instant>,
    probe: Option<RunningProbe>,
}

#[derive(Clone, Debug)]
struct Queued<P> {
    packet: P,
    bits: f64,
}

#[derive(Clone, Copy, Debug)]
struct RunningProbe {
    id: ClusterId,
    /// In bits per second.
    rate: f64,
    /// The bits and packets that it still needs.
    bits: f64,
    packets: usize,
    /// The bytes of each padding packet.
    padding: usize,
}

/// The highest rate of everything that is sent: what the pacer releases, at any priority and for probes, and what is sent without it.
#[derive(Clone, Copy, Debug, Default)]
struct WireLimit {
    /// In bits per second. `None` if there is no limit.
    rate: Option<f64>,
    /// The bits that are added to each packet.
    overhead: f64,
    /// The bits that were sent before their time.
    debt: f64,
}

impl WireLimit {
    /// Returns a pacing rate, or the limit if that is lower.
    fn bound(&self, rate: f64) -> f64 {
        self.rate.map_or(rate, |limit| rate.min(limit))
    }

    fn spend(&mut self, bits: f64) {
        if let Some(rate) = self.rate {
            // The bound prevents sound from blocking pictures for long.
            self.debt = (self.debt + bits + self.overhead).min(rate * MAX_DEBT);
        }
    }

    fn settle(&mut self, elapsed: f64) {
        self.debt = self.rate.map_or(0.0, |rate| (self.debt - elapsed * rate).max(0.0));
    }

    /// Returns the bits by which the debt exceeds a burst.
    fn excess(&self) -> f64 {
        self.rate.map_or(0.0, |rate| (self.debt - rate * BURST).max(0.0))
    }

    /// Returns the seconds until the next packet that waits for the limit.
    fn wait(&self) -> f64 {
        self.rate.map_or(0.0, |rate| self.excess() / rate)
    }
}

impl<P> Pacer<P> {
    /// Returns an empty pacer for a target rate.
    pub fn new(target: Bitrate) -> Self {
        Self {
            queues: std::array::from_fn(|_| VecDeque::with_capacity(INITIAL_CAPACITY)),
            waiting: 0.0,
            rest_target: 0.0,
            retransmission_budget: MIN_RETRANSMISSION,
            target: bps(target).max(MIN_TARGET),
            limit: WireLimit::default(),
            debt: 0.0,
            updated: None,
            probe: None,
        }
    }

    /// Sets the target rate. If the path suddenly carries much less, drops what waits of [`Priority::Rest`]: it would take long,
    /// and the path has no room for larger layers any more.
    pub fn set_target(&mut self, target: Bitrate) {
        self.target = bps(target).max(MIN_TARGET);
        if self.target < self.rest_target * SUDDEN_FALL {
            let rest = &mut self.queues[index(Priority::Rest)];
            let bits: f64 = rest.drain(..).map(|queued| queued.bits).sum();
            self.waiting = (self.waiting - bits).max(0.0);
            self.rest_target = 0.0;
        }
    }

    /// Sets the highest rate of everything that is sent, in which `overhead` bytes are added to each packet: headers and tags of the
    /// network that its size does not include. `None` if only the target bounds the rate. Sound does not wait for it, but everything
    /// else waits for sound.
    pub fn set_limit(&mut self, limit: Option<Bitrate>, overhead: usize) {
        self.limit.rate = limit.map(|limit| bps(limit).max(MIN_TARGET));
        self.limit.overhead = bits(overhead);
    }

    /// Counts a packet of `size` bytes that was sent without this pacer. It uses a part of the limit.
    pub fn handle_unpaced(&mut self, size: usize) {
        self.limit.spend(bits(size));
    }

    /// Queues a packet of `size` bytes.
    ///
    /// # Errors
    /// Returns [`Full`] with the packet if the queue would take longer than a second, or if retransmissions would take more
    /// than half of the target. Otherwise they could take all of it, because they are sent before pictures.
    pub fn push(&mut self, priority: Priority, size: usize, packet: P) -> Result<(), Full<P>> {
        let bits = bits(size);
        let queue = &mut self.queues[index(priority)];
        if priority == Priority::Audio {
            if queue.len() >= MAX_AUDIO {
                return Err(Full(packet));
            }
        } else {
            let most = (self.target * MAX_FACTOR * MAX_QUEUE).max(MIN_QUEUE);
            if self.waiting > 0.0 && self.waiting + bits > most {
                return Err(Full(packet));
            }
            if priority == Priority::Retransmission {
                if bits > self.retransmission_budget {
                    return Err(Full(packet));
                }
                self.retransmission_budget -= bits;
            }
            if priority == Priority::Rest && queue.is_empty() {
                self.rest_target = self.target;
            }
            self.waiting += bits;
        }
        queue.push_back(Queued { packet, bits });
        Ok(())
    }

    /// Returns how long the queued packets take at the highest pacing rate.
    pub fn queue_time(&self) -> Duration {
        Duration::from_secs_f64((self.waiting / (self.target * MAX_FACTOR)).clamp(0.0, 60.0))
    }

    /// Returns true if the encoders should pause: the queue takes longer than 200 ms at the lowest pacing rate.
    pub fn is_congested(&self) -> bool {
        self.waiting > self.target * MIN_FACTOR * MAX_DELAY
    }

    /// Starts a probe. Queued packets are sent at its rate. If they are too few, padding is added.
    pub fn start_probe(&mut self, probe: &Probe) {
        let padding = (probe.bytes / probe.packets.max(1)).clamp(MIN_PADDING, MAX_PADDING);
        self.debt = self.debt.min(0.0);
        self.probe = Some(RunningProbe {
            id: probe.id,
            rate: bps(probe.rate).max(MIN_TARGET),
            bits: bits(probe.bytes),
            packets: probe.packets,
            padding,
        });
    }

    /// Ends the probe, because the caller has no padding.
    pub fn stop_probe(&mut self) {
        self.probe = None;
    }

    /// Returns the next packet to send now.
    pub fn poll(&mut self, now: Instant) -> Option<PacedPacket<P>> {
        self.settle(now);
        let cluster = self.probe.map(|probe| probe.id);
        let packet = if let Some(queued) = self.queues[index(Priority::Audio)].pop_front() {
            queued
        } else {
            if self.debt > self.allowance() || self.limit.excess() > 0.0 {
                return None;
            }
            let queued = self.queues.iter_mut().skip(1).find_map(VecDeque::pop_front)?;
            self.waiting = (self.waiting - queued.bits).max(0.0);
            queued
        };
        self.spend(packet.bits);
        Some(PacedPacket { packet: packet.packet, cluster })
    }

    /// Returns the bytes of a padding packet that the probe needs now. The caller sends one of about this size, and calls
    /// [`handle_padding`](Self::handle_padding).
    pub fn poll_padding(&mut self, now: Instant) -> Option<(usize, ClusterId)> {
        self.settle(now);
        let probe = self.probe?;
        let idle = self.queues.iter().all(VecDeque::is_empty);
        (idle && self.debt <= self.allowance()).then_some((probe.padding, probe.id))
    }

    /// Counts a padding packet of `size` bytes that was sent.
    pub fn handle_padding(&mut self, size: usize) {
        self.spend(bits(size));
    }

    /// Returns when the next packet or padding may be sent, or `None` if nothing waits.
    pub fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        if !self.queues[index(Priority::Audio)].is_empty() {
            return Some(now);
        }
        if self.probe.is_none() && self.queues.iter().all(VecDeque::is_empty) {
            return None;
        }
        let wait = ((self.debt - self.allowance()) / self.rate()).max(self.limit.wait());
        // A little later than the exact time, so that a rounded timer does not fire too early.
        Some(self.updated.unwrap_or(now) + Duration::from_secs_f64(wait.clamp(0.0, MAX_WAIT)) + ROUNDING)
    }

    /// Returns the pacing rate, in bits per second.
    fn rate(&self) -> f64 {
        let paced = (self.waiting / SPREAD).clamp(self.target * MIN_FACTOR, self.target * MAX_FACTOR);
        self.probe.map_or_else(|| self.limit.bound(paced), |probe| probe.rate)
    }

    /// Returns the debt up to which packets are released: a burst of 5 ms, so that timers need not be exact. A probe has
    /// to be smooth, so its bursts are 1 ms.
    fn allowance(&self) -> f64 {
        self.rate() * if self.probe.is_some() { PROBE_BURST } else { BURST }
    }

    fn settle(&mut self, now: Instant) {
        let elapsed = self.updated.map_or(0.0, |updated| now.saturating_duration_since(updated).as_secs_f64());
        if self.updated.is_none_or(|updated| now > updated) {
            self.updated = Some(now);
        }
        self.debt = (self.debt - elapsed * self.rate()).max(0.0);
        self.limit.settle(elapsed);
        let most = (self.target * RETRANSMISSION_SHARE * MAX_RETRANSMISSION).max(MIN_RETRANSMISSION);
        self.retransmission_budget =
            (self.retransmission_budget + elapsed * self.target * RETRANSMISSION_SHARE).min(most);
    }

    fn spend(&mut self, bits: f64) {
        // Sound is sent at any debt. The bound prevents it from blocking pictures for long.
        self.debt = (self.debt + bits).min(self.rate() * MAX_DEBT);
        self.limit.spend(bits);
        let Some(probe) = &mut self.probe else { return };
        probe.bits -= bits;
        probe.packets = probe.packets.saturating_sub(1);
        if probe.bits <= 0.0 && probe.packets == 0 {
            self.probe = None;
        }
    }
}

fn index(priority: Priority) -> usize {
    match priority {
        Priority::Audio => 0,
        Priority::Retransmission => 1,
        Priority::Base => 2,
        Priority::Rest => 3,
    }
}

/// The bounds of the pacing rate, over the target.
const MIN_FACTOR: f64 = 1.5;
const MAX_FACTOR: f64 = 2.5;

/// The seconds in which the queue should become empty.
const SPREAD: f64 = 0.25;

/// Seconds: if the queue takes longer at the lowest rate, the encoders should pause.
const MAX_DELAY: f64 = 0.2;

/// The longest queue, in seconds at the highest rate.
const MAX_QUEUE: f64 = 1.0;

/// The bits for which there is always room: one small key frame.
const MIN_QUEUE: f64 = 400_000.0;

/// The part of the target that retransmissions may take, the seconds of it that they may take at once, and the bits that
/// they may take at once in any case.
const RETRANSMISSION_SHARE: f64 = 0.5;
const MAX_RETRANSMISSION: f64 = 0.5;
const MIN_RETRANSMISSION: f64 = 40_000.0;

/// The part of the target below which a fall is sudden.
const SUDDEN_FALL: f64 = 0.5;

/// The maximum number of packets of sound that wait for the next call of `poll`.
const MAX_AUDIO: usize = 64;

/// The lowest target, in bits per second.
const MIN_TARGET: f64 = 20_000.0;

/// The seconds of a burst, without and with a probe.
const BURST: f64 = 0.005;
const PROBE_BURST: f64 = 0.001;

/// The highest debt, in seconds of the pacing rate.
const MAX_DEBT: f64 = 0.5;

/// The longest wait until the next packet, in seconds.
const MAX_WAIT: f64 = 0.5;

/// Added to each wait.
const ROUNDING: Duration = Duration::from_micros(10);

/// The bounds of a padding packet's size, in bytes.
const MIN_PADDING: usize = 200;
const MAX_PADDING: usize = 1_100;

/// The number of packets for which each queue has memory at the start.
const INITIAL_CAPACITY: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(pacer: &mut Pacer<u32>, now: Instant) -> Vec<u32> {
        std::iter::from_fn(|| pacer.poll(now)).map(|released| released.packet).collect()
    }

    #[test]
    fn a_sudden_fall_of_the_target_drops_packets_of_larger_layers_only() {
        let (mut pacer, now) = (Pacer::new(Bitrate::kbps(2_000)), Instant::now());
        for packet in 0..20 {
            pacer.push(Priority::Rest, 1_200, packet).unwrap();
        }
        pacer.push(Priority::Base, 1_200, 99).unwrap();
        pacer.set_target(Bitrate::kbps(1_100));
        assert!(pacer.queue_time() > Duration::from_millis(50), "{:?}", pacer.queue_time());
        pacer.set_target(Bitrate::kbps(250));
        assert!(pacer.queue_time() < Duration::from_millis(20), "{:?}", pacer.queue_time());
        assert_eq!(drain(&mut pacer, now + Duration::from_secs(2)), [99]);
        // At the new target, packets of larger layers are queued again.
        pacer.push(Priority::Rest, 1_200, 100).unwrap();
        pacer.set_target(Bitrate::kbps(240));
        assert_eq!(drain(&mut pacer, now + Duration::from_secs(4)), [100]);
    }

    /// 1,000 bytes and 44 of overhead are 8,352 bits.
    #[test]
    fn a_limit_counts_the_overhead_of_each_packet_sound_and_what_is_sent_without_the_pacer() {
        let (mut pacer, start) = (Pacer::new(Bitrate::kbps(5_000)), Instant::now());
        pacer.set_limit(Some(Bitrate::kbps(400)), 44);
        let mut sent = 0;
        for millisecond in 0..10_000_u64 {
            let now = start + Duration::from_millis(millisecond);
            let _ = pacer.push(Priority::Base, 1_000, 1);
            if millisecond % 20 == 0 {
                let _ = pacer.push(Priority::Audio, 80, 2);
                pacer.handle_unpaced(60);
                sent += (60 + 44) * 8;
            }
            for packet in drain(&mut pacer, now) {
                sent += (if packet == 1 { 1_044 } else { 124 }) * 8;
            }
        }
        assert!((3_900_000..=4_010_000).contains(&sent), "{sent} bits in ten seconds");
        pacer.set_limit(None, 44);
        let after = drain(&mut pacer, start + Duration::from_secs(11)).len();
        assert!(after > 2, "without the limit, the queue empties at the rate of the target");
    }

    #[test]
    fn sound_is_sent_at_once_and_before_everything_else() {
        let (mut pacer, now) = (Pacer::new(Bitrate::kbps(300)), Instant::now());
        for packet in 0..50 {
            pacer.push(Priority::Rest, 1_200, packet).unwrap();
        }
        drain(&mut pacer, now);
        for packet in 100..103 {
            pacer.push(Priority::Audio, 120, packet).unwrap();
        }
        assert_eq!(drain(&mut pacer, now), [100, 101, 102]);
    }

    #[test]
    fn retransmissions_and_base_layers_go_before_the_rest() {
        let (mut pacer, mut now) = (Pacer::new(Bitrate::kbps(1_000)), Instant::now());
        for (priority, packet) in [(Priority::Rest, 3), (Priority::Base, 2), (Priority::Retransmission, 1)] {
            pacer.push(priority, 1_000, packet).unwrap();
        }
        let mut order = Vec::new();
        while order.len() < 3 {
            order.extend(drain(&mut pacer, now));
            now += Duration::from_millis(1);
        }
        assert_eq!(order, [1, 2, 3]);
    }

    #[test]
    fn retransmissions_leave_half_of_the_rate_to_pictures() {
        let (mut pacer, start) = (Pacer::new(Bitrate::kbps(400)), Instant::now());
        let (mut repairs, mut pictures) = (0, 0);
        for millis in 0..4_000_u64 {
            // A request for everything, again and again.
            let _ = pacer.push(Priority::Retransmission, 1_000, 1);
            if millis % 20 == 0 {
                let _ = pacer.push(Priority::Base, 500, 2);
            }
            for packet in drain(&mut pacer, start + Duration::from_millis(millis)) {
                *(if packet == 1 { &mut repairs } else { &mut pictures }) += 1;
            }
        }
        assert!((95..=120).contains(&repairs), "{repairs}");
        assert!(pictures >= 190, "{pictures} of 200");
    }

    #[test]
    fn a_key_frame_is_spread_at_no_more_than_two_and_a_half_times_the_target() {
        let (mut pacer, start) = (Pacer::new(Bitrate::kbps(1_000)), Instant::now());
        for packet in 0..60 {
            pacer.push(Priority::Base, 1_200, packet).unwrap();
        }
        assert!(pacer.is_congested());
        let (mut sent, mut now) = (0, start);
        while sent < 60 {
            now = pacer.poll_timeout(now).unwrap();
            sent += drain(&mut pacer, now).len();
        }
        let took = (now - start).as_millis();
        // 576 kbit at 2.5 Mbit/s take 230 ms, at 1.5 Mbit/s 384 ms.
        assert!((200..=420).contains(&took), "{took}");
    }

    #[test]
    fn the_queue_is_bounded_and_says_when_encoders_should_pause() {
        let mut pacer = Pacer::new(Bitrate::kbps(200));
        let taken = (0..10_000).take_while(|packet| pacer.push(Priority::Rest, 1_200, *packet).is_ok()).count();
        assert!((10..=60).contains(&taken), "{taken}");
        assert!(pacer.is_congested() && pacer.queue_time() <= Duration::from_millis(1_010));
        let sound = (0..1_000).filter(|packet| pacer.push(Priority::Audio, 100, *packet).is_ok()).count();
        assert_eq!(sound, MAX_AUDIO);
    }
}
