//! A network link with a rate, a bounded queue, a delay and loss. Pure: the caller passes the time, and the loss has a seed.
//!
//! The rate is that of a token bucket, as `tc tbf` has it: a burst passes at once.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What a link does to datagrams.
#[derive(Clone, Copy, Debug)]
pub struct Impairment {
    /// Bits per second, with the headers of IP and UDP. `None` for no limit.
    pub rate: Option<u64>,
    /// Bytes that pass at once after a pause.
    pub burst: usize,
    /// How long a datagram may wait for the rate. A datagram that would wait longer is lost.
    pub max_wait: Duration,
    /// How long each datagram takes in addition.
    pub delay: Duration,
    /// One datagram in this number is lost. 0 for none.
    pub one_lost_in: u32,
}

impl Default for Impairment {
    fn default() -> Self {
        Self {
            rate: None,
            burst: 5_000,
            max_wait: Duration::from_millis(200),
            delay: Duration::from_millis(1),
            one_lost_in: 0,
        }
    }
}

impl Impairment {
    /// Returns a link of this many kilobits per second, with the burst and the queue of `tc tbf burst 4kb latency 200ms`. The
    /// kernel adds the burst to the length of the queue.
    #[must_use]
    pub fn kbps(kilobits: u64) -> Self {
        let burst = 4_000;
        let max_wait = Duration::from_millis(200 + burst as u64 * 8 / kilobits.max(1));
        Self { rate: Some(kilobits * 1_000), burst, max_wait, ..Self::default() }
    }
}

/// A link with the datagrams that are on it.
#[derive(Debug)]
pub struct Link<D> {
    impairment: Impairment,
    /// Until when the datagrams that were accepted keep the link busy. A burst lies in the past.
    busy_until: Option<Instant>,
    on_way: VecDeque<(Instant, D)>,
    seed: u32,
}

impl<D> Link<D> {
    /// Returns an empty link.
    #[must_use]
    pub fn new(impairment: Impairment, seed: u32) -> Self {
        Self { impairment, busy_until: None, on_way: VecDeque::new(), seed }
    }

    /// Changes the link. Datagrams that are on it arrive as before.
    pub fn change(&mut self, impairment: Impairment) {
        (self.impairment, self.busy_until) = (impairment, None);
    }

    /// Sends a datagram with a payload of `bytes`. Returns false if it is lost.
    pub fn send(&mut self, datagram: D, bytes: usize, now: Instant) -> bool {
        self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let Impairment { rate, burst, max_wait, delay, one_lost_in } = self.impairment;
        if one_lost_in > 0 && (self.seed >> 8).is_multiple_of(one_lost_in) {
            return false;
        }
        let departs = match rate {
            None => now,
            Some(rate) => {
                let time = |bytes: usize| Duration::from_nanos(bytes as u64 * 8_000_000_000 / rate.max(1));
                let burst = time(burst);
                let start = match self.busy_until {
                    None => now.checked_sub(burst).unwrap_or(now),
                    Some(until) => now.checked_sub(burst).map_or(until, |earliest| until.max(earliest)),
                };
                let until = start + time(bytes + HEADER_BYTES);
                if until.saturating_duration_since(now) > max_wait {
                    return false;
                }
                self.busy_until = Some(until);
                until.max(now)
            }
        };
        let arrives = departs + delay;
        let arrives = self.on_way.back().map_or(arrives, |(last, _)| arrives.max(*last));
        self.on_way.push_back((arrives, datagram));
        true
    }

    /// Returns the next datagram that has arrived.
    pub fn receive(&mut self, now: Instant) -> Option<D> {
        let arrived = self.on_way.front().is_some_and(|(at, _)| *at <= now);
        if arrived { self.on_way.pop_front().map(|(_, datagram)| datagram) } else { None }
    }

    /// Returns when the next datagram arrives.
    #[must_use]
    pub fn next_arrival(&self) -> Option<Instant> {
        self.on_way.front().map(|(at, _)| *at)
    }
}

/// Bytes of the headers of IPv4 and UDP.
const HEADER_BYTES: usize = 28;

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends datagrams of 972 bytes at once, and returns when they arrive, in milliseconds.
    fn arrivals(impairment: Impairment, datagrams: u64) -> Vec<u128> {
        let (mut link, start) = (Link::new(impairment, 1), Instant::now() + Duration::from_secs(9));
        for number in 0..datagrams {
            link.send(number, 972, start);
        }
        let times = std::iter::from_fn(|| {
            let at = link.next_arrival()?;
            link.receive(at)?;
            Some((at - start).as_millis())
        });
        times.collect()
    }

    #[test]
    fn a_rate_lets_a_burst_pass_delays_what_follows_and_drops_what_waits_too_long() {
        // 1000 bytes take 10 ms.
        let link = Impairment { burst: 2_000, max_wait: Duration::from_millis(35), ..Impairment::kbps(800) };
        assert_eq!(arrivals(link, 9), [1, 1, 11, 21, 31]);
        assert_eq!(arrivals(Impairment::default(), 3), [1, 1, 1]);
    }

    #[test]
    fn loss_is_near_its_mean_and_repeatable() {
        let link = Impairment { one_lost_in: 10, ..Impairment::default() };
        let passed = arrivals(link, 10_000).len();
        assert!((8_800..9_200).contains(&passed), "{passed}");
        assert_eq!(arrivals(link, 10_000).len(), passed);
    }
}
