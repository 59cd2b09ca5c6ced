//! Repeats the datagrams of a DTLS handshake (RFC 6347, section 4.2.4) until media flow.
//!
//! Pure. The stack repeats a flight only after a second, and not at all after it has received a part of the answer. So a lost
//! datagram can end a handshake. A repeated datagram changes nothing if the first one has arrived, except that the other end
//! repeats its answer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The last flight of one socket.
#[derive(Debug, Default)]
pub struct FlightRepeater {
    datagrams: Vec<Datagram>,
    /// When the last datagram of the flight was sent for the first time.
    sent: Option<Instant>,
    repeats: u32,
}

/// A datagram and its destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Its destination.
    pub to: SocketAddr,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The meaning of a datagram for the handshake (RFC 7983, section 7; RFC 6347, section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatagramKind {
    /// A part of a flight.
    Handshake,
    /// The handshake is over: SRTP flows, or the connection is closed.
    HandshakeOver,
    /// It does not belong to a handshake.
    Other,
}

impl DatagramKind {
    /// Returns the kind of a datagram.
    pub fn of(datagram: &[u8]) -> Self {
        match datagram.first() {
            Some(20 | 22) => Self::Handshake,
            Some(21 | 128..=191) => Self::HandshakeOver,
            Some(_) | None => Self::Other,
        }
    }
}

impl FlightRepeater {
    /// Handles a handshake datagram that was sent. It begins a new flight if the last
    /// one was sent more than 20 ms ago.
    pub fn handle_sent(&mut self, datagram: Datagram, now: Instant) {
        if self.sent.is_none_or(|sent| now.saturating_duration_since(sent) > SAME_FLIGHT) {
            self.datagrams.clear();
        }
        if self.datagrams.len() < MAX_DATAGRAMS {
            self.datagrams.push(datagram);
        }
        (self.sent, self.repeats) = (Some(now), 0);
    }

    /// Returns the datagrams to send again now.
    pub fn poll(&mut self, now: Instant) -> &[Datagram] {
        if self.poll_timeout().is_none_or(|due| due > now) {
            return &[];
        }
        self.repeats += 1;
        &self.datagrams
    }

    /// Returns when to send the flight again, or `None` if it was sent again often enough or there is none.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let after = *REPEATS.get(usize::try_from(self.repeats).ok()?)?;
        self.sent.map(|sent| sent + Duration::from_millis(after))
    }
}

/// When a flight is repeated, in milliseconds after it was sent.
const REPEATS: [u64; 10] = [80, 180, 300, 450, 650, 900, 1_300, 1_900, 2_800, 4_000];

/// Datagrams that are sent within this time belong to one flight.
const SAME_FLIGHT: Duration = Duration::from_millis(20);

/// The maximum number of datagrams of a flight. A flight with a certificate has a few.
const MAX_DATAGRAMS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram(bytes: &[u8]) -> Datagram {
        Datagram { to: ([127, 0, 0, 1], 9).into(), bytes: bytes.to_vec() }
    }

    #[test]
    fn a_flight_is_repeated_until_the_next_one() {
        let (mut repeater, start) = (FlightRepeater::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(repeater.poll_timeout(), None);
        repeater.handle_sent(datagram(b"one"), at(0));
        repeater.handle_sent(datagram(b"two"), at(3));
        assert!(repeater.poll(at(82)).is_empty());
        assert_eq!(repeater.poll(at(83)), [datagram(b"one"), datagram(b"two")]);
        assert_eq!(repeater.poll_timeout(), Some(at(183)));
        repeater.handle_sent(datagram(b"three"), at(100));
        assert_eq!(repeater.poll(at(190)), [datagram(b"three")]);
    }

    #[test]
    fn repetitions_and_datagrams_are_bounded() {
        let (mut repeater, start) = (FlightRepeater::default(), Instant::now());
        (0..100).for_each(|_| repeater.handle_sent(datagram(b"x"), start));
        let mut count = 0;
        while let Some(due) = repeater.poll_timeout() {
            count += repeater.poll(due).len();
        }
        assert_eq!(count, MAX_DATAGRAMS * REPEATS.len());
    }

    #[test]
    fn only_handshake_datagrams_are_repeated() {
        for (first, kind) in [
            (20, DatagramKind::Handshake),
            (22, DatagramKind::Handshake),
            (23, DatagramKind::Other),
            (0, DatagramKind::Other),
            (21, DatagramKind::HandshakeOver),
            (0x80, DatagramKind::HandshakeOver),
            (0x91, DatagramKind::HandshakeOver),
        ] {
            assert_eq!(DatagramKind::of(&[first, 1]), kind, "{first}");
        }
        assert_eq!(DatagramKind::of(&[]), DatagramKind::Other);
    }
}
