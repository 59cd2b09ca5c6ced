//! How long packets must wait so that nearly all of them are in time: pure.
//!
//! A packet's *offset* is its time of arrival less its place in the sender's timeline; what the clocks have to do with each
//! other is unknown and does not matter. The quickest packet of late is the base, the spread above it is the jitter.

use super::units::samples_to_micros;
use media::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// The wanted delay, and the delay that there is.
pub struct Delay {
    /// Offsets of the last packets in microseconds, with their arrival.
    arrivals: VecDeque<(Timestamp, i64)>,
    /// Offsets at which the last blocks were played. The earliest binds: a device may take its blocks in bursts.
    played: VecDeque<i64>,
    sorted: Vec<i64>,
    base: i64,
    spread: i64,
    /// Time for the next packet, which may carry a copy of a lost one.
    reserve: i64,
}

impl Delay {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self {
            arrivals: VecDeque::with_capacity(WINDOW + 1),
            played: VecDeque::with_capacity(BLOCKS + 1),
            sorted: Vec::with_capacity(WINDOW + 1),
            base: 0,
            spread: 0,
            reserve: 0,
        }
    }

    /// True if a packet cannot belong to the timeline of the packets before it.
    pub fn is_foreign(&self, position: u64, at: Timestamp) -> bool {
        !self.arrivals.is_empty() && (offset(position, at) - self.base).abs() > MAX_OFFSET
    }

    /// Learns when a packet came.
    pub fn packet_arrived(&mut self, position: u64, at: Timestamp) {
        self.arrivals.push_back((at, offset(position, at)));
        while self.arrivals.len() > WINDOW
            || (self.arrivals.len() > MIN_PACKETS
                && self.arrivals.front().is_some_and(|(then, _)| at.since(*then) > MEMORY))
        {
            self.arrivals.pop_front();
        }
        self.sorted.clear();
        self.sorted.extend(self.arrivals.iter().map(|(_, offset)| *offset));
        let rank = (self.sorted.len() - 1) * IN_TIME / 100;
        let (quicker, late, _) = self.sorted.select_nth_unstable(rank);
        self.base = quicker.iter().copied().min().unwrap_or(*late);
        self.spread = *late - self.base;
    }

    /// Waits a packet longer, so that the successor of a lost packet is there when that is due.
    pub fn wait_for_copies(&mut self, wait: bool) {
        self.reserve = if wait { PACKET_MICROS } else { 0 };
    }

    /// Learns which position was played at `now`.
    pub fn played(&mut self, now: Timestamp, position: u64) {
        self.played.push_back(offset(position, now));
        if self.played.len() > BLOCKS {
            self.played.pop_front();
        }
    }

    /// Takes note that the timeline was moved by so many microseconds; later is positive.
    pub fn moved(&mut self, micros: i64) {
        for offset in &mut self.played {
            *offset += micros;
        }
    }

    /// True once a packet has waited as long as it should.
    pub fn is_due(&self, position: u64, now: Timestamp) -> bool {
        offset(position, now) >= self.wanted()
    }

    /// Microseconds by which sound is played later than wanted; negative: sooner.
    pub fn excess(&self) -> i64 {
        self.earliest().map_or(0, |earliest| earliest - self.wanted())
    }

    /// The wanted delay over the quickest packet.
    pub fn target(&self) -> Duration {
        duration(self.wanted() - self.base)
    }

    /// The delay over the quickest packet that there is; zero before anything was played.
    pub fn current(&self) -> Duration {
        self.earliest().map_or(Duration::ZERO, |earliest| duration(earliest - self.base))
    }

    fn earliest(&self) -> Option<i64> {
        self.played.iter().copied().min()
    }

    fn wanted(&self) -> i64 {
        let unsure = if self.arrivals.len() < MIN_PACKETS { INITIAL_DELAY } else { 0 };
        self.base + (self.spread + BLOCK_MICROS + SHORTAGE_TOLERATED + self.reserve).clamp(unsure, MAX_DELAY)
    }
}

fn offset(position: u64, at: Timestamp) -> i64 {
    let at = i64::try_from(at.as_micros()).unwrap_or(i64::MAX / 2);
    at.saturating_sub(samples_to_micros(position))
}

fn duration(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

/// Packets that are remembered: eight seconds of talk.
const WINDOW: usize = 400;

/// No packet is remembered longer, so that a clock that drifts does not look like jitter.
const MEMORY: Duration = Duration::from_secs(30);

/// With fewer packets than these, nothing is known yet: half a second.
const MIN_PACKETS: usize = 25;

/// Percent of the packets that are in time.
const IN_TIME: usize = 99;

/// Blocks over which the earliest is looked for: 200 ms, longer than any device's burst.
const BLOCKS: usize = 20;

/// Sound is taken in blocks of 10 ms, so a packet may be asked for that much sooner than its place says.
const BLOCK_MICROS: i64 = 10_000;

/// Microseconds under the wanted delay that are left alone, and are therefore wanted on top: the shortest period of a voice,
/// by which it can be stretched.
pub const SHORTAGE_TOLERATED: i64 = 2_500;

/// Microseconds from one packet to the next.
const PACKET_MICROS: i64 = 20_000;

/// The delay while nothing is known, in microseconds.
const INITIAL_DELAY: i64 = 60_000;

/// No more delay than this, whatever the network does: nobody can talk over it.
const MAX_DELAY: i64 = 500_000;

/// An offset that is further from the base is not jitter.
const MAX_OFFSET: i64 = 2_000_000;
