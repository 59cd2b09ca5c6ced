//! Decides when to request lost packets of sound by NACK (RFC 4585, section 6.2.1). Pure: the caller passes the time.
//!
//! A retransmission is useful only if it arrives before the sound is due, so it is requested only on a short path. Each
//! retransmission measures the path.

use super::nack_tracker::REORDER_DELAY;
use super::unwrap::low16;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The missing packets of one sound stream.
#[derive(Debug, Default)]
pub struct SoundNacks {
    newest: Option<u64>,
    /// Bit n is set if the packet n before the newest has arrived.
    arrived: u64,
    /// Oldest first, at most [`MAX_MISSING`].
    missing: VecDeque<MissingPacket>,
    /// From the first request to the retransmission, smoothed. `None` before the first one.
    round_trip: Option<Duration>,
    /// When a packet was last requested although the round trip is too long.
    tried: Option<Instant>,
}

/// A packet that has not arrived although a later one has.
#[derive(Clone, Copy, Debug)]
struct MissingPacket {
    number: u64,
    since: Instant,
    /// `None` if a retransmission would come too late.
    next_request: Option<Instant>,
    first_request: Option<Instant>,
}

impl SoundNacks {
    /// Handles a packet that arrived, by transmission or retransmission, with its extended sequence number. Returns true if
    /// it is to be played.
    ///
    /// Returns false for a packet that has arrived before. Also returns false for a retransmission that comes too late, or of a
    /// packet that is not missing: servers retransmit old packets to probe the bandwidth, and the jitter buffer would count that
    /// time as a delay of the network.
    pub fn handle_packet(&mut self, number: u64, retransmitted: bool, now: Instant) -> bool {
        let found = self.missing.iter().position(|missing| missing.number == number);
        let found = found.and_then(|index| self.missing.remove(index));
        if retransmitted {
            let Some(missing) = found else { return false };
            if let Some(requested) = missing.first_request {
                let measured = now.saturating_duration_since(requested);
                self.round_trip = Some(self.round_trip.map_or(measured, |smoothed| (smoothed * 7 + measured) / 8));
            }
            if now.saturating_duration_since(missing.since) >= TIMEOUT {
                return false;
            }
        }
        let Some(newest) = self.newest else {
            (self.newest, self.arrived) = (Some(number), 1);
            return true;
        };
        if number <= newest {
            let bit = bit(newest - number);
            let first = self.arrived & bit == 0;
            self.arrived |= bit;
            return first;
        }
        self.newest = Some(number);
        self.arrived = self.arrived.unbounded_shl(u32::try_from(number - newest).unwrap_or(u32::MAX)) | 1;
        // After a longer gap the sound is late already, or the sender has started a new sequence.
        if number - newest - 1 > MAX_MISSING as u64 {
            self.missing.clear();
            return true;
        }
        for number in newest + 1..number {
            let next_request = Some(now + REORDER_DELAY);
            self.missing.push_back(MissingPacket { number, since: now, next_request, first_request: None });
        }
        while self.missing.len() > MAX_MISSING {
            self.missing.pop_front();
        }
        true
    }

    /// Returns the packets to request now, oldest first.
    pub fn poll_request(&mut self, now: Instant) -> Vec<u16> {
        self.missing.retain(|missing| now.saturating_duration_since(missing.since) < MEMORY);
        let is_due = |missing: &MissingPacket| missing.next_request.is_some_and(|at| at <= now);
        let is_late = |missing: &MissingPacket| now.saturating_duration_since(missing.since) >= TIMEOUT;
        if self.missing.iter().any(|missing| is_due(missing) && !is_late(missing)) && self.is_too_long() {
            if self.tried.is_some_and(|tried| now.saturating_duration_since(tried) < TRY_INTERVAL) {
                self.missing
                    .iter_mut()
                    .filter(|missing| is_due(missing))
                    .for_each(|missing| missing.next_request = None);
            } else {
                self.tried = Some(now);
            }
        }
        let retry = self.round_trip.map_or(FIRST_RETRY, |round_trip| (round_trip * 3 / 2).max(MIN_RETRY));
        let mut due = Vec::new();
        for missing in self.missing.iter_mut().filter(|missing| is_due(missing)) {
            let late = is_late(missing);
            missing.next_request = (!late).then_some(now + retry);
            if !late {
                missing.first_request.get_or_insert(now);
                due.push(low16(missing.number));
            }
        }
        due
    }

    /// Returns when the next request is due, or `None` if nothing is missing.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.missing.iter().filter_map(|missing| missing.next_request).min()
    }

    fn is_too_long(&self) -> bool {
        self.round_trip.is_some_and(|round_trip| round_trip > MAX_ROUND_TRIP)
    }
}

/// Returns the bit of the packet `behind` the newest, or 0 if it is too old.
fn bit(behind: u64) -> u64 {
    1_u64.unbounded_shl(u32::try_from(behind).unwrap_or(u32::MAX))
}

/// The time between two requests for one packet before a retransmission has arrived.
const FIRST_RETRY: Duration = Duration::from_millis(50);

/// The minimum time between two requests for one packet.
const MIN_RETRY: Duration = Duration::from_millis(15);

/// How long a packet is requested. The jitter buffer does not wait much longer for a repair.
const TIMEOUT: Duration = Duration::from_millis(120);

/// How long a missing packet is remembered, so that a late retransmission measures the path.
const MEMORY: Duration = Duration::from_secs(1);

/// If retransmissions take longer than this, sound is not requested: they would come too late, or delay the conversation.
const MAX_ROUND_TRIP: Duration = Duration::from_millis(100);

/// How often a packet is requested although the round trip is too long, to measure it again.
const TRY_INTERVAL: Duration = Duration::from_secs(5);

/// The maximum number of missing packets, and of packets of a gap: 320 ms.
const MAX_MISSING: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    /// Loses packet `number` at `now`. Returns when it is requested, if it is.
    fn request(nacks: &mut SoundNacks, number: u64, now: Instant) -> Option<Instant> {
        // Those before it come too late.
        nacks.poll_request(now);
        nacks.handle_packet(number - 1, false, now);
        nacks.handle_packet(number + 1, false, now);
        let due = nacks.poll_timeout()?;
        assert!(nacks.poll_request(due.checked_sub(ms(1)).unwrap()).is_empty());
        (nacks.poll_request(due) == [low16(number)]).then_some(due)
    }

    #[test]
    fn a_lost_packet_is_requested_until_it_comes_too_late() {
        let (mut nacks, start) = (SoundNacks::default(), Instant::now());
        assert!(request(&mut nacks, 65_536, start).is_some());
        let mut requests = 1;
        while let Some(timeout) = nacks.poll_timeout() {
            requests += nacks.poll_request(timeout).len();
            assert!(timeout <= start + TIMEOUT + FIRST_RETRY);
        }
        assert_eq!(requests, 3);
    }

    #[test]
    fn a_packet_that_arrives_is_not_requested_again() {
        let (mut nacks, start) = (SoundNacks::default(), Instant::now());
        let due = request(&mut nacks, 10, start).unwrap();
        assert!(nacks.handle_packet(10, true, due + ms(2)));
        assert_eq!(nacks.poll_timeout(), None);
        assert!([12, 14, 13].into_iter().all(|number| nacks.handle_packet(number, false, due + ms(20))));
        assert_eq!(nacks.poll_timeout(), None, "reordered");
        let again = [10, 11, 14].map(|number| nacks.handle_packet(number, true, due + ms(30)));
        assert_eq!(again, [false; 3], "they have arrived before");
        assert!(nacks.handle_packet(200, false, due + ms(40)) && nacks.handle_packet(137, false, due + ms(40)));
        assert!(!nacks.handle_packet(137, false, due + ms(40)), "the oldest that is known");
    }

    #[test]
    fn on_a_long_path_sound_is_not_requested_but_the_path_is_tried_again() {
        let (mut nacks, start) = (SoundNacks::default(), Instant::now());
        let due = request(&mut nacks, 10, start).unwrap();
        nacks.handle_packet(10, true, due + ms(119));
        assert!(request(&mut nacks, 13, start + ms(200)).is_some(), "tried once");
        assert_eq!(request(&mut nacks, 16, start + ms(600)), None);
        assert_eq!(request(&mut nacks, 19, start + ms(5_000)), None);
        // The path becomes short again.
        for (number, at) in [(22, 5_300), (25, 10_400), (28, 10_500), (31, 10_600)] {
            let due = request(&mut nacks, number, start + ms(at)).expect("requested");
            nacks.handle_packet(number, true, due + ms(2));
        }
    }

    #[test]
    fn a_retransmission_that_nothing_waits_for_is_dropped() {
        let (mut nacks, start) = (SoundNacks::default(), Instant::now());
        let due = request(&mut nacks, 10, start).unwrap();
        assert!(!nacks.handle_packet(9, true, due), "it has arrived");
        assert!(!nacks.handle_packet(3, true, due), "sent before the first packet");
        assert!(!nacks.handle_packet(10, true, start + TIMEOUT), "too late to be played");
        assert!(nacks.handle_packet(10, false, start + TIMEOUT), "delayed by the network");
    }

    #[test]
    fn a_long_gap_is_not_requested() {
        let (mut nacks, now) = (SoundNacks::default(), Instant::now());
        nacks.handle_packet(10, false, now);
        nacks.handle_packet(27, false, now);
        assert_eq!(nacks.poll_timeout().map(|_| nacks.missing.len()), Some(16));
        nacks.handle_packet(45, false, now);
        assert_eq!(nacks.poll_timeout(), None);
    }
}
