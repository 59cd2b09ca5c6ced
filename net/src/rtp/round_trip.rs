//! The round-trip time between a request for a packet and its retransmission.
//!
//! Pure. A retransmission does not say which request it answers, so a measured time counts from the first request. If that
//! request or its answer was lost, the measured time is too long. The lower quartile of the last times is close to the true one
//! if at least a quarter of the first requests are answered, so up to a loss of 50 % in each direction.

use std::collections::VecDeque;
use std::time::Duration;

/// The measured times of one transport.
#[derive(Debug, Default)]
pub struct RoundTrip {
    /// The newest one is the last.
    times: VecDeque<Duration>,
}

impl RoundTrip {
    /// Adds the time from the first request for a packet to its arrival.
    pub fn add(&mut self, time: Duration) {
        if self.times.len() == MAX_TIMES {
            self.times.pop_front();
        }
        self.times.push_back(time);
    }

    /// Returns how long to wait for an answer before the same packet is requested again: a little longer than the round trip.
    pub fn retry_interval(&self) -> Duration {
        let mut times: [Duration; MAX_TIMES] = [Duration::ZERO; MAX_TIMES];
        let known = &mut times[..self.times.len()];
        known.iter_mut().zip(&self.times).for_each(|(time, known)| *time = *known);
        known.sort_unstable();
        let Some(quartile) = known.get(known.len() / 4) else { return FIRST_RETRY };
        (*quartile + *quartile / 4 + MARGIN).clamp(MIN_RETRY, MAX_RETRY)
    }
}

/// The number of times that count.
const MAX_TIMES: usize = 16;

/// The interval before the first time was measured.
const FIRST_RETRY: Duration = Duration::from_millis(50);

/// What the other end takes to answer, and the precision of timers.
const MARGIN: Duration = Duration::from_millis(4);

/// The bounds of the interval.
const MIN_RETRY: Duration = Duration::from_millis(12);
const MAX_RETRY: Duration = Duration::from_millis(400);

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn the_interval_follows_the_round_trip_although_first_requests_are_lost() {
        let mut round_trip = RoundTrip::default();
        assert_eq!(round_trip.retry_interval(), FIRST_RETRY);
        for time in [80, 180, 80, 280, 180, 80, 380, 80] {
            round_trip.add(ms(time));
        }
        assert_eq!(round_trip.retry_interval(), ms(104));
    }

    #[test]
    fn the_interval_is_bounded_and_forgets_old_times() {
        let mut round_trip = RoundTrip::default();
        (0..100).for_each(|_| round_trip.add(ms(3_000)));
        assert_eq!((round_trip.retry_interval(), round_trip.times.len()), (MAX_RETRY, MAX_TIMES));
        (0..16).for_each(|_| round_trip.add(ms(1)));
        assert_eq!(round_trip.retry_interval(), MIN_RETRY);
    }
}
