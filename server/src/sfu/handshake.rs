//! Repeats the server's part of a DTLS handshake until the client sends media. Pure.
//!
//! The stack repeats its last flight only if the client repeats its own one, after one, two, four seconds and so on. Without
//! that flight, the client cannot decrypt anything. A client that has it drops the repetition.

use std::time::{Duration, Instant};
use str0m::net::Transmit;

/// The handshake of one transport.
#[derive(Debug, Default)]
pub struct Handshake {
    /// The datagrams of the last flight.
    flight: Vec<Transmit>,
    /// When the last of them was sent for the first time.
    sent: Option<Instant>,
    repeats: u32,
    /// True after the first datagram of media.
    over: bool,
}

impl Handshake {
    /// Handles a datagram that the stack sends.
    pub fn handle_sent(&mut self, transmit: &Transmit, now: Instant) {
        // The first byte tells DTLS records of handshakes (RFC 7983, section 7).
        if self.over || !matches!(transmit.contents.first(), Some(20 | 22)) {
            return;
        }
        if self.sent.is_none_or(|sent| now.saturating_duration_since(sent) > SAME_FLIGHT) {
            self.flight.clear();
        }
        if self.flight.len() < MAX_DATAGRAMS {
            self.flight.push(copy(transmit));
        }
        (self.sent, self.repeats) = (Some(now), 0);
    }

    /// Handles a datagram of the client.
    pub fn handle_received(&mut self, datagram: &[u8]) {
        if !self.over && matches!(datagram.first(), Some(128..=191)) {
            *self = Self { over: true, ..Self::default() };
        }
    }

    /// Returns the datagrams to send again now. The time between two repetitions doubles.
    pub fn repeat(&mut self, now: Instant) -> impl Iterator<Item = Transmit> {
        let wait = FIRST_REPEAT * 2_u32.saturating_pow(self.repeats);
        let due =
            self.repeats < MAX_REPEATS && self.sent.is_some_and(|sent| now.saturating_duration_since(sent) >= wait);
        self.repeats += u32::from(due);
        self.flight.iter().filter(move |_| due).map(copy)
    }
}

fn copy(transmit: &Transmit) -> Transmit {
    Transmit {
        proto: transmit.proto,
        source: transmit.source,
        destination: transmit.destination,
        contents: transmit.contents.to_vec().into(),
    }
}

/// When a flight is repeated for the first time after it was sent.
const FIRST_REPEAT: Duration = Duration::from_millis(100);

/// The last repetition is 3.2 s after the flight.
const MAX_REPEATS: u32 = 6;

/// Datagrams that are sent within this time belong to one flight.
const SAME_FLIGHT: Duration = Duration::from_millis(20);

/// The maximum number of datagrams of a flight.
const MAX_DATAGRAMS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use str0m::net::Protocol;

    fn datagram(bytes: &[u8]) -> Transmit {
        let address = ([127, 0, 0, 1], 9).into();
        Transmit { proto: Protocol::Udp, source: address, destination: address, contents: bytes.to_vec().into() }
    }

    fn repeated(handshake: &mut Handshake, now: Instant) -> Vec<Vec<u8>> {
        handshake.repeat(now).map(|transmit| transmit.contents.to_vec()).collect()
    }

    #[test]
    fn the_last_flight_is_repeated_until_the_client_sends_media() {
        let (mut handshake, start) = (Handshake::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        handshake.handle_sent(&datagram(&[22, 1]), at(0));
        handshake.handle_sent(&datagram(&[22, 2]), at(50));
        handshake.handle_sent(&datagram(&[20, 3]), at(51));
        handshake.handle_sent(&datagram(&[0, 4]), at(51));
        assert!(repeated(&mut handshake, at(150)).is_empty());
        assert_eq!(repeated(&mut handshake, at(151)), [[22, 2], [20, 3]]);
        assert!(repeated(&mut handshake, at(250)).is_empty());
        assert_eq!(repeated(&mut handshake, at(251)).len(), 2);
        handshake.handle_received(&[22, 5]);
        assert_eq!(repeated(&mut handshake, at(451)).len(), 2);
        handshake.handle_received(&[128, 6]);
        handshake.handle_sent(&datagram(&[22, 7]), at(460));
        assert!(repeated(&mut handshake, at(9_000)).is_empty());
    }

    #[test]
    fn what_is_repeated_is_bounded() {
        let (mut handshake, start) = (Handshake::default(), Instant::now());
        (0..100).for_each(|_| handshake.handle_sent(&datagram(&[22, 1]), start));
        let all = (0..100).map(|second| repeated(&mut handshake, start + Duration::from_secs(second)).len());
        assert_eq!(all.sum::<usize>(), 6 * MAX_DATAGRAMS);
    }
}
