//! What a bad path does to packets: delay, jitter, lost, reordered and duplicated packets, and a rate limit with a bounded queue.
//!
//! Pure: the caller passes the time, and the random numbers come from a seed. One [`ImpairedLink`] is one direction of a path.

use media::Bitrate;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// What one direction of a path does. The default does nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Impairment {
    /// The delay of each packet.
    pub delay: Duration,
    /// The standard deviation of the delay. It changes slowly and keeps the order of packets. The delay is never negative, so it
    /// should be at least twice the deviation.
    pub jitter: Duration,
    /// The share of packets that are lost independently of each other.
    pub loss: Fraction,
    /// Packets that are lost in a row.
    pub bursts: Option<LossBursts>,
    /// The share of packets that later ones overtake.
    pub reorder: Fraction,
    /// The share of packets that arrive twice.
    pub duplicate: Fraction,
    /// The rate limit.
    pub limit: Option<RateLimit>,
}

/// A share in hundredths of a percent, from 0 to 10 000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fraction(u32);

/// Losses in a row: the model of Gilbert and Elliott, whose bad state loses each packet. A bad state lasts for a number of
/// packets in `lengths`, each with the same probability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LossBursts {
    /// The share of all packets that are lost.
    pub share: Fraction,
    /// The shortest run of lost packets, at least 1.
    pub min_length: u32,
    /// The longest run.
    pub max_length: u32,
}

/// A rate limit: a token bucket with a bounded queue, as `tc tbf` has it. A packet that finds the queue full is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Bits per second.
    pub rate: Bitrate,
    /// The longest time from the arrival of a packet to the end of its sending.
    pub queue: Duration,
    /// The bytes that pass at once after a pause.
    pub burst: usize,
}

/// One direction of a path.
#[derive(Debug)]
pub struct ImpairedLink<P> {
    impairment: Impairment,
    random: ChaCha8Rng,
    /// The number of packets that the current burst still loses.
    burst: u32,
    /// The current deviation from the delay in units of the jitter, and since when.
    deviation: Option<(f64, Instant)>,
    /// When the rate limit has sent all packets. A time in the past means that the next ones pass as a burst.
    busy_until: Option<Instant>,
    /// The latest arrival of a packet that keeps its place.
    last_arrival: Option<Instant>,
    on_the_way: BinaryHeap<OnTheWay<P>>,
    /// The number of packets so far. It keeps the order of packets that arrive at the same time.
    count: u64,
}

#[derive(Debug)]
struct OnTheWay<P> {
    arrival: Instant,
    number: u64,
    packet: P,
}

impl Impairment {
    /// Returns a path with a delay of a millisecond and the rate limit of `tc tbf burst 4kb latency 200ms`.
    #[must_use]
    pub fn limited(rate: Bitrate) -> Self {
        let burst = 4_000;
        // The kernel adds the burst to the length of the queue.
        let queue = Duration::from_millis(200) + sending_time(burst, rate);
        Self { delay: Duration::from_millis(1), limit: Some(RateLimit { rate, queue, burst }), ..Self::default() }
    }
}

impl Fraction {
    /// Returns a share, or `None` if it is more than 10 000.
    #[must_use]
    pub fn from_ten_thousandths(share: u32) -> Option<Self> {
        (share <= WHOLE).then_some(Self(share))
    }

    /// Returns the share in hundredths of a percent.
    #[must_use]
    pub fn per_ten_thousand(self) -> u32 {
        self.0
    }
}

impl LossBursts {
    /// Returns the probability that a burst begins at a packet. In the long run, bursts of a mean length m and pauses of a mean
    /// length g lose m / (m + g) of all packets.
    fn probability(self) -> f64 {
        let share = f64::from(self.share.0) / f64::from(WHOLE);
        let length = f64::midpoint(f64::from(self.min_length), f64::from(self.max_length));
        // A burst takes the packet at which it begins, so a pause may be empty.
        if share >= 1.0 { 1.0 } else { (share / (length * (1.0 - share) + share)).min(1.0) }
    }

    fn lengths(self) -> RangeInclusive<u32> {
        let min = self.min_length.max(1);
        min..=self.max_length.max(min)
    }
}

impl<P: Clone> ImpairedLink<P> {
    /// Returns a link without packets. Links with the same seed do the same to the same packets.
    #[must_use]
    pub fn new(impairment: Impairment, seed: u64) -> Self {
        Self {
            impairment,
            random: ChaCha8Rng::seed_from_u64(seed),
            burst: 0,
            deviation: None,
            busy_until: None,
            last_arrival: None,
            on_the_way: BinaryHeap::new(),
            count: 0,
        }
    }

    /// Changes what the link does to later packets.
    pub fn set(&mut self, impairment: Impairment) {
        self.impairment = impairment;
    }

    /// Sends a packet into the link. `bytes` is its length with all headers. The packet is dropped if it is lost, if the queue of
    /// the rate limit is full, or if too many other packets have not arrived yet.
    pub fn send(&mut self, packet: P, bytes: usize, now: Instant) {
        let Some(sent) = self.pass_limit(bytes, now) else { return };
        if self.is_lost() {
            return;
        }
        let duplicate = self.happens(self.impairment.duplicate);
        if duplicate {
            let arrival = self.arrival(sent, now);
            self.push(packet.clone(), arrival);
        }
        let arrival = self.arrival(sent, now);
        self.push(packet, arrival);
    }

    /// Returns the next packet that has arrived.
    pub fn receive(&mut self, now: Instant) -> Option<P> {
        self.on_the_way.peek().filter(|first| first.arrival <= now)?;
        self.on_the_way.pop().map(|first| first.packet)
    }

    /// Returns when the next packet arrives, or `None` if none is on its way.
    #[must_use]
    pub fn next_arrival(&self) -> Option<Instant> {
        self.on_the_way.peek().map(|first| first.arrival)
    }

    fn push(&mut self, packet: P, arrival: Instant) {
        if self.on_the_way.len() < MAX_PACKETS {
            self.count += 1;
            self.on_the_way.push(OnTheWay { arrival, number: self.count, packet });
        }
    }

    /// Returns when the rate limit has sent a packet, or `None` if its queue is full.
    fn pass_limit(&mut self, bytes: usize, now: Instant) -> Option<Instant> {
        let Some(RateLimit { rate, queue, burst }) = self.impairment.limit else { return Some(now) };
        let earliest = now.checked_sub(sending_time(burst, rate)).unwrap_or(now);
        let start = self.busy_until.map_or(earliest, |busy| busy.max(earliest));
        let end = start + sending_time(bytes, rate);
        if end.saturating_duration_since(now) > queue {
            return None;
        }
        self.busy_until = Some(end);
        Some(end.max(now))
    }

    fn is_lost(&mut self) -> bool {
        if self.burst > 0 {
            self.burst -= 1;
            return true;
        }
        if let Some(bursts) = self.impairment.bursts
            && self.random.random_bool(bursts.probability())
        {
            self.burst = self.random.random_range(bursts.lengths()) - 1;
            return true;
        }
        self.happens(self.impairment.loss)
    }

    fn happens(&mut self, share: Fraction) -> bool {
        share.0 > 0 && self.random.random_ratio(share.0, WHOLE)
    }

    /// Returns when a packet arrives that was sent at `sent`.
    fn arrival(&mut self, sent: Instant, now: Instant) -> Instant {
        let in_order = sent + self.delay(now);
        let in_order = self.last_arrival.map_or(in_order, |last| last.max(in_order));
        if self.happens(self.impairment.reorder) {
            return in_order + self.random.random_range(OVERTAKEN);
        }
        self.last_arrival = Some(in_order);
        in_order
    }

    /// Returns the current delay. Its deviation is a Gauss-Markov process: close packets have similar delays.
    fn delay(&mut self, now: Instant) -> Duration {
        let Impairment { delay, jitter, .. } = self.impairment;
        if jitter.is_zero() {
            return delay;
        }
        // The sum of twelve uniform numbers has a variance of 1.
        let normal = (0..12).map(|_| self.random.random::<f64>()).sum::<f64>() - 6.0;
        let deviation = match self.deviation {
            Some((before, since)) => {
                let elapsed = now.saturating_duration_since(since).as_secs_f64();
                let kept = (-elapsed / JITTER_TIME.as_secs_f64()).exp();
                before * kept + normal * (1.0 - kept * kept).sqrt()
            }
            None => normal,
        };
        self.deviation = Some((deviation, now));
        let seconds = delay.as_secs_f64() + jitter.as_secs_f64() * deviation;
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }
}

/// Returns how long a rate limit takes to send a packet.
fn sending_time(bytes: usize, rate: Bitrate) -> Duration {
    let nanoseconds = bytes as u128 * 8 * 1_000_000_000 / u128::from(rate.as_bps().max(1));
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX).min(MAX_SENDING_NS))
}

impl<P> Ord for OnTheWay<P> {
    /// The first to arrive is the greatest, because a heap returns the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.arrival, other.number).cmp(&(self.arrival, self.number))
    }
}

impl<P> PartialOrd for OnTheWay<P> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<P> PartialEq for OnTheWay<P> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<P> Eq for OnTheWay<P> {}

/// The bytes of the headers of IPv4 and UDP. The length of a packet includes them.
pub const UDP_HEADER_BYTES: usize = 28;

/// All packets, in hundredths of a percent.
const WHOLE: u32 = 10_000;

/// How much later a packet arrives that others overtake.
const OVERTAKEN: RangeInclusive<Duration> = Duration::from_millis(2)..=Duration::from_millis(20);

/// The time in which the deviation of the delay changes: about that of a busy radio link.
const JITTER_TIME: Duration = Duration::from_millis(50);

/// The maximum number of packets that are on their way: two seconds of 25 Mbit/s.
const MAX_PACKETS: usize = 8_192;

/// The longest time that sending one packet takes: a minute.
const MAX_SENDING_NS: u64 = 60_000_000_000;

#[cfg(test)]
#[path = "impairment_tests.rs"]
mod tests;
