//! Computes the playout delay with which nearly all packets arrive before they are needed. Pure.
//!
//! A packet's *offset* is its arrival time minus its position in the sender's timeline. The relation between the two
//! clocks is unknown and does not matter. The smallest recent offset is the base, and the spread above it is the
//! jitter.
//!
//! A repair is a packet that was lost and arrived after all, as a copy in a later frame or as a retransmission. Repairs are
//! rare, but without them speech is concealed. So the wanted delay also covers the largest offset of the repairs in the last
//! ten seconds, and one packet more, up to 60 ms: if two successive packets are lost, their repairs come that much later. Repairs
//! that took more than 140 ms do not count.
//!
//! The queue of a link may grow faster than that shows. So the wanted delay also covers the last packet's lateness, and that of a
//! packet that should have arrived and has not.

use super::units::samples_to_micros;
use crate::PACKET;
use media::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// The wanted and the current playout delay.
pub struct Delay {
    /// Offsets of the last packets in microseconds, with their arrival.
    arrivals: VecDeque<(Timestamp, i64)>,
    /// Offsets of the last repairs, with their arrival: only those that are larger than all later ones.
    repairs: VecDeque<(Timestamp, i64)>,
    /// Offsets at which the last blocks were played. The smallest counts, because a device may take blocks in bursts.
    played: VecDeque<i64>,
    /// Scratch memory.
    sorted: Vec<i64>,
    /// When the first packet arrived.
    began: Option<Timestamp>,
    base: i64,
    spread: i64,
    /// The number of packets so far, at most [`RELIABLE`].
    measured: usize,
    /// Microseconds to wait in addition for the next packet, which may carry the FEC copy of a lost one.
    reserve: i64,
    /// The position of the next packet, if the last one carried speech.
    expected: Option<u64>,
    /// Microseconds over the base that the next packet will take at least, if it is late.
    overdue: Option<i64>,
    /// How late the last two packets were, in microseconds over the base, newest first.
    last: [i64; 2],
    /// Microseconds over the base that sound waits at least, so that it is not heard before its pictures are shown.
    sync: i64,
}

impl Delay {
    /// Returns a delay without any measurement.
    pub fn new() -> Self {
        Self {
            arrivals: VecDeque::with_capacity(WINDOW + 1),
            repairs: VecDeque::with_capacity(MAX_REPAIRS + 1),
            played: VecDeque::with_capacity(BLOCKS + 1),
            sorted: Vec::with_capacity(WINDOW + 1),
            began: None,
            base: 0,
            spread: 0,
            measured: 0,
            reserve: 0,
            expected: None,
            overdue: None,
            last: [0; 2],
            sync: 0,
        }
    }

    /// Returns true if a packet cannot belong to the timeline of the packets before it.
    pub fn is_foreign(&self, position: u64, at: Timestamp) -> bool {
        !self.arrivals.is_empty() && (offset(position, at) - self.base).abs() > MAX_OFFSET
    }

    /// Records the arrival of a packet.
    pub fn packet_arrived(&mut self, position: u64, at: Timestamp) {
        self.arrivals.push_back((at, offset(position, at)));
        self.measured = (self.measured + 1).min(RELIABLE);
        let began = *self.began.get_or_insert(at);
        let is_old = |then: Timestamp| at.since(then) > if then.since(began) < START { START_AGE } else { MAX_AGE };
        while self.arrivals.len() > WINDOW
            || (self.arrivals.len() > MIN_PACKETS && self.arrivals.front().is_some_and(|(then, _)| is_old(*then)))
        {
            self.arrivals.pop_front();
        }
        self.sorted.clear();
        self.sorted.extend(self.arrivals.iter().map(|(_, offset)| *offset));
        let rank = (self.sorted.len() - 1) * IN_TIME_PER_MILLE / 1_000;
        let (earlier, late, _) = self.sorted.select_nth_unstable(rank);
        self.base = earlier.iter().copied().min().unwrap_or(*late);
        self.spread = *late - self.base;
        self.last = [offset(position, at) - self.base, self.last[0]];
        while self.repairs.front().is_some_and(|(then, _)| at.since(*then) > REPAIR_AGE) {
            self.repairs.pop_front();
        }
    }

    /// Records the arrival of a repair.
    pub fn repair_arrived(&mut self, position: u64, at: Timestamp) {
        let repaired = offset(position, at);
        if self.arrivals.is_empty() || repaired - self.base > MAX_REPAIR {
            return;
        }
        while self.repairs.back().is_some_and(|(_, other)| *other <= repaired) {
            self.repairs.pop_back();
        }
        if self.repairs.len() < MAX_REPAIRS {
            self.repairs.push_back((at, repaired));
        }
    }

    /// If `wait` is true, makes the wanted delay one packet longer, so that the successor of a lost packet arrives
    /// before the lost one is due.
    pub fn wait_for_copies(&mut self, wait: bool) {
        self.reserve = if wait { PACKET_MICROS } else { 0 };
    }

    /// Records that the packet at `position` has arrived, so that the lateness of the next one is noticed before it arrives.
    pub fn expect_after(&mut self, position: u64, voice: bool) {
        let next = position + PACKET as u64;
        if self.expected.is_none_or(|expected| next >= expected) {
            self.expected = voice.then_some(next);
        }
    }

    /// Makes the wanted delay at least `delay` over the fastest packet, within bounds.
    pub fn synchronize(&mut self, delay: Duration) {
        self.sync = i64::try_from(delay.as_micros()).unwrap_or(MAX_SYNC_DELAY).min(MAX_SYNC_DELAY);
    }

    /// Records that `position` was played at `now`.
    pub fn played(&mut self, now: Timestamp, position: u64) {
        let late = self.expected.map(|expected| offset(expected, now) - self.base);
        let tolerated = self.spread + LATENESS_TOLERATED;
        self.overdue = late.filter(|late| (tolerated..MAX_OVERDUE).contains(late));
        self.played.push_back(offset(position, now));
        if self.played.len() > BLOCKS {
            self.played.pop_front();
        }
    }

    /// Records that the timeline was moved by `micros`; positive is later.
    pub fn moved(&mut self, micros: i64) {
        for offset in &mut self.played {
            *offset += micros;
        }
    }

    /// Returns true if a packet has waited for the wanted delay.
    pub fn is_due(&self, position: u64, now: Timestamp) -> bool {
        offset(position, now) >= self.wanted()
    }

    /// Returns the current delay minus the wanted one, in microseconds.
    pub fn excess(&self) -> i64 {
        self.smallest().map_or(0, |smallest| smallest - self.wanted())
    }

    /// Returns by how many microseconds the current delay is shorter than packets need, without the pictures; negative if it is
    /// longer.
    pub fn shortage(&self) -> i64 {
        self.smallest().map_or(0, |smallest| self.base + self.needed() - smallest)
    }

    /// Returns the wanted delay over the fastest packet.
    pub fn target(&self) -> Duration {
        duration(self.wanted() - self.base)
    }

    /// Returns the current delay over the fastest packet, or zero before anything was played.
    pub fn current(&self) -> Duration {
        self.smallest().map_or(Duration::ZERO, |smallest| duration(smallest - self.base))
    }

    /// Returns how late the next packet will be if the queue of the network grows as before. Such a queue delays several packets, but
    /// only after the third one does the spread of many show it.
    fn next_lateness(&self) -> i64 {
        let [newest, before] = self.last;
        let is_late = (self.spread + LATENESS_TOLERATED..MAX_OVERDUE).contains(&newest);
        if is_late { newest + (newest - before).clamp(0, PACKET_MICROS) } else { 0 }
    }

    /// Returns how much more jitter is expected than the few packets so far have shown.
    fn unmeasured(&self) -> i64 {
        if self.measured >= RELIABLE || self.spread < EVIDENT_JITTER {
            return 0;
        }
        let measured = i64::try_from(self.measured).unwrap_or(i64::MAX);
        (self.spread * UNMEASURED_PACKETS / (measured + 1)).min(self.spread).min(MAX_UNMEASURED)
    }

    fn smallest(&self) -> Option<i64> {
        self.played.iter().copied().min()
    }

    fn wanted(&self) -> i64 {
        let needed = self.needed();
        self.base + needed.max(self.sync.min(needed + MAX_SYNC_WAIT))
    }

    /// Returns the delay over the base with which nearly all packets arrive before they are needed.
    fn needed(&self) -> i64 {
        let minimum = if self.measured < RELIABLE { INITIAL_DELAY } else { MIN_DELAY };
        let repair = self.repairs.front().map_or(0, |(_, repaired)| *repaired - self.base);
        let second = if repair > 0 { (repair + PACKET_MICROS).min(MAX_SECOND_REPAIR) } else { 0 };
        let overdue = self.overdue.map_or(0, |late| late + PACKET_MICROS);
        let next = overdue.max(self.next_lateness());
        let late = (self.spread + self.reserve + self.unmeasured()).max(repair).max(second).max(next);
        (late + BLOCK_MICROS + SHORTAGE_TOLERATED).clamp(minimum, MAX_DELAY)
    }
}

fn offset(position: u64, at: Timestamp) -> i64 {
    let at = i64::try_from(at.as_micros()).unwrap_or(i64::MAX / 2);
    at.saturating_sub(samples_to_micros(position))
}

fn duration(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

/// The maximum number of offsets: eight seconds of speech.
const WINDOW: usize = 400;

/// Older offsets are dropped: the queue of the network that they show has gone, and clock drift does not count as jitter. In a talk
/// with pauses, [`WINDOW`] packets take longer.
const MAX_AGE: Duration = Duration::from_secs(10);

/// The start of a session, in which probes and the first key frames fill the queue of the link. This jitter does not last, so the
/// offsets of packets that arrive in this time are dropped after [`START_AGE`].
const START: Duration = Duration::from_secs(8);
const START_AGE: Duration = Duration::from_secs(3);

/// The number of offsets that are kept at any age: half a second.
const MIN_PACKETS: usize = 25;

/// From this number of packets on, the measurement is reliable: five seconds. Before, no repair may have been measured yet,
/// and with a shorter delay the first one would come too late.
const RELIABLE: usize = 250;

/// How many of a thousand packets should arrive before they are needed.
const IN_TIME_PER_MILLE: usize = 995;

/// How long a repair counts. At 0.2 % loss there is one in this time.
const REPAIR_AGE: Duration = Duration::from_secs(10);

/// A repair that comes later, in microseconds over the base, does not count. That is enough for a copy three packets later
/// with some jitter, or for a retransmission on a short path.
const MAX_REPAIR: i64 = 140_000;

/// The longest wait for the repair of a second lost packet, in microseconds over the base. A longer one delays the conversation
/// more than it helps.
const MAX_SECOND_REPAIR: i64 = 60_000;

/// The maximum number of repairs that are kept.
const MAX_REPAIRS: usize = 64;

/// The number of blocks of which the smallest offset counts: 200 ms, longer than the burst of any device.
const BLOCKS: usize = 20;

/// Audio is played in blocks of 10 ms, so a packet may be needed that much earlier than its position.
const BLOCK_MICROS: i64 = 10_000;

/// Microseconds below the wanted delay that are not corrected, and are therefore added to it: the shortest pitch
/// period, which is the smallest step of `stretch`.
pub const SHORTAGE_TOLERATED: i64 = 2_500;

/// Microseconds from one packet to the next.
const PACKET_MICROS: i64 = 20_000;

/// The minimum delay in microseconds: one packet. With less, the buffer is empty before a packet counts as late, and then sound can
/// not be stretched until it arrives.
const MIN_DELAY: i64 = 20_000;

/// The minimum delay until [`RELIABLE`] packets have arrived, in microseconds.
const INITIAL_DELAY: i64 = 60_000;

/// How much later than the measured jitter a packet may be, in microseconds, before it counts as late: threads do not run at once.
const LATENESS_TOLERATED: i64 = 5_000;

/// The lateness in microseconds from which nothing more is expected: the sender has stopped.
const MAX_OVERDUE: i64 = 400_000;

/// The spread in microseconds that is jitter, not the inaccuracy of a quiet path.
const EVIDENT_JITTER: i64 = 15_000;

/// The spread of n measurements of a normal distribution is about 1 / (1 + 12 / n) of that of many.
const UNMEASURED_PACKETS: i64 = 12;

/// The maximum of the jitter that is expected in addition, in microseconds.
const MAX_UNMEASURED: i64 = 80_000;

/// How much longer sound waits for its pictures than for its packets, in microseconds.
const MAX_SYNC_WAIT: i64 = 200_000;

/// The longest delay for the sake of pictures, in microseconds. With 100 ms of network, coding and devices, sound is heard 400 ms
/// after it was spoken: more makes a conversation difficult (ITU-T G.114).
const MAX_SYNC_DELAY: i64 = 300_000;

/// The maximum delay in microseconds. A longer one makes a conversation impossible.
const MAX_DELAY: i64 = 500_000;

/// A packet whose offset is further from the base, in microseconds, belongs to another timeline.
const MAX_OFFSET: i64 = 2_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_of_the_first_packets_makes_the_delay_longer_than_they_were_late() {
        let target = |packets: u64, jitter: u64| {
            let mut delay = Delay::new();
            for number in 0..packets {
                let late = if number % 3 == 0 { jitter } else { 0 };
                delay.packet_arrived(number * 960, Timestamp::from_micros(number * 20_000 + late));
            }
            // Nothing is late after the last packet.
            delay.packet_arrived(packets * 960, Timestamp::from_micros(packets * 20_000));
            delay.target().as_millis()
        };
        assert_eq!((target(10, 60_000), target(50, 60_000), target(300, 60_000)), (132, 86, 72));
        assert_eq!(target(10, 10_000), 60, "that is no jitter");
        assert!(target(10, 300_000) <= 392, "at most 80 ms more");
    }

    #[test]
    fn the_queue_of_the_first_seconds_is_soon_forgotten_and_a_later_one_is_not() {
        let target = |queued: std::ops::Range<u64>, seconds: u64| {
            let mut delay = Delay::new();
            for number in 0..seconds * 50 {
                let late = if queued.contains(&number) { 300_000 } else { 0 };
                delay.packet_arrived(number * 960, Timestamp::from_micros(number * 20_000 + late));
            }
            delay.target().as_millis()
        };
        assert!(target(20..50, 3) >= 300, "it may last");
        assert!(target(20..50, 5) <= 80, "{}", target(20..50, 5));
        assert!(target(500..530, 17) >= 300, "the next one may come soon");
        assert!(target(500..530, 22) <= 80, "{}", target(500..530, 22));
    }

    #[test]
    fn after_a_repair_the_delay_suffices_for_two_successive_losses() {
        let mut delay = Delay::new();
        let position = |number: u64| number * 960;
        let at = |number: u64, late: u64| Timestamp::from_micros(number * 20_000 + late);
        (0..400).for_each(|number| delay.packet_arrived(position(number), at(number, 0)));
        assert!(delay.target() <= Duration::from_millis(20), "{:?}", delay.target());
        delay.repair_arrived(position(390), at(390, 28_000));
        // The first of two lost packets is found missing one packet later, so its retransmission comes after 48 ms.
        assert!(delay.target() >= Duration::from_millis(58), "{:?}", delay.target());
    }
}
