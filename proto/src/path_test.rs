//! The test of the path to a server before a meeting: the client sends padded datagrams, and the server sends each of them back.
//!
//! The datagrams look like RTP (RFC 3550), so that devices on the path treat them like media. They go by UDP to the media port, or
//! through the WebSocket of the test in the framing of the media tunnel ([`crate::datagrams`]).

use crate::encoding::Limited;
use crate::{MAX_DATAGRAM, Malformed};
use minicbor::{CborLen, Decode, Encode};
use std::net::IpAddr;

/// The path of the test's WebSocket on the server.
pub const PATH_TEST_PATH: &str = "/v1/test";

/// The smallest datagram in bytes. The answer to a datagram has its length.
pub const MIN_PROBE: usize = 64;

/// The maximum number of other addresses that a server names for its media.
pub const MAX_TEST_ADDRESSES: usize = 8;

/// The first message of the server on the WebSocket of a test.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub enum PathTestGreeting {
    /// The test may begin.
    #[n(0)]
    Ready {
        /// Marks the datagrams of this test.
        #[cbor(n(0), with = "minicbor::bytes")]
        key: [u8; PATH_TEST_KEY_BYTES],
        /// The UDP port for media at the address to which the client connected.
        #[n(1)]
        port: u16,
        /// Other addresses for media, at most [`MAX_TEST_ADDRESSES`].
        #[n(2)]
        addresses: Vec<IpAddr>,
        /// True if media may go through the server's TCP port.
        #[n(3)]
        tunnel: bool,
    },
    /// Too many tests run, or this address has started too many. The server closes the connection.
    #[n(1)]
    Busy,
}

impl Limited for PathTestGreeting {
    fn within_limits(&self) -> bool {
        match self {
            Self::Ready { port, addresses, .. } => *port != 0 && addresses.len() <= MAX_TEST_ADDRESSES,
            Self::Busy => true,
        }
    }
}

/// The length of a key in bytes.
pub const PATH_TEST_KEY_BYTES: usize = 16;

/// The kind of a datagram of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProbeKind {
    /// From the client: asks for the cookie of its address.
    Hello,
    /// From the client: asks for an echo.
    Probe,
    /// From the server: the answer to either.
    Echo,
}

/// The header of a datagram of a test. Padding follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Probe {
    /// The key of the test.
    pub key: [u8; PATH_TEST_KEY_BYTES],
    /// The kind of the datagram.
    pub kind: ProbeKind,
    /// Counts the client's datagrams. In a [`ProbeKind::Hello`], this and `sent_at` are random, so that only a receiver of the
    /// datagram can answer it. The echo repeats both.
    pub sequence: u32,
    /// When the client sent it, in microseconds after a time that the client chooses. The echo repeats it.
    pub sent_at: u32,
    /// Shows that the client receives at the address from which it sends. The echo of a [`ProbeKind::Hello`] contains it, and the
    /// client repeats it in each [`ProbeKind::Probe`].
    pub cookie: u64,
    /// In an echo: how many [`ProbeKind::Probe`] datagrams of this test have arrived at the server, this one included.
    pub received: u32,
    /// In an echo: when the datagram arrived, in microseconds after a time that the server chooses.
    pub received_at: u32,
}

impl Probe {
    /// Reads the header of a datagram.
    ///
    /// # Errors
    /// Returns [`Malformed`] if the datagram does not belong to a test, or is shorter than [`MIN_PROBE`] or longer than [`MAX_DATAGRAM`].
    pub fn parse(datagram: &[u8]) -> Result<Self, Malformed> {
        if !(MIN_PROBE..=MAX_DATAGRAM).contains(&datagram.len()) {
            return Err(Malformed);
        }
        let (header, rest) = datagram.split_first_chunk::<RTP_HEADER_BYTES>().ok_or(Malformed)?;
        if header[..2] != [RTP_VERSION, PAYLOAD_TYPE] {
            return Err(Malformed);
        }
        let (key, rest) = rest.split_first_chunk().ok_or(Malformed)?;
        let (kind, rest) = rest.split_first().ok_or(Malformed)?;
        let kind = match kind {
            0 => ProbeKind::Hello,
            1 => ProbeKind::Probe,
            2 => ProbeKind::Echo,
            _ => return Err(Malformed),
        };
        let (sequence, rest) = rest.split_first_chunk().ok_or(Malformed)?;
        let (sent_at, rest) = rest.split_first_chunk().ok_or(Malformed)?;
        let (cookie, rest) = rest.split_first_chunk().ok_or(Malformed)?;
        let (received, rest) = rest.split_first_chunk().ok_or(Malformed)?;
        let (received_at, _) = rest.split_first_chunk().ok_or(Malformed)?;
        Ok(Self {
            key: *key,
            kind,
            sequence: u32::from_be_bytes(*sequence),
            sent_at: u32::from_be_bytes(*sent_at),
            cookie: u64::from_be_bytes(*cookie),
            received: u32::from_be_bytes(*received),
            received_at: u32::from_be_bytes(*received_at),
        })
    }

    /// Returns a datagram of `length` bytes with this header. The length is changed to the nearest valid one.
    #[must_use]
    pub fn datagram(&self, length: usize) -> Vec<u8> {
        let length = length.clamp(MIN_PROBE, MAX_DATAGRAM);
        let mut bytes = Vec::with_capacity(length);
        bytes.extend([RTP_VERSION, PAYLOAD_TYPE]);
        // As in RTP: sequence number, timestamp, SSRC.
        bytes.extend(&self.sequence.to_be_bytes()[2..]);
        bytes.extend(self.sent_at.to_be_bytes());
        bytes.extend(&self.key[..4]);
        bytes.extend(self.key);
        bytes.push(match self.kind {
            ProbeKind::Hello => 0,
            ProbeKind::Probe => 1,
            ProbeKind::Echo => 2,
        });
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.sent_at.to_be_bytes());
        bytes.extend(self.cookie.to_be_bytes());
        bytes.extend(self.received.to_be_bytes());
        bytes.extend(self.received_at.to_be_bytes());
        bytes.resize(length, 0);
        bytes
    }
}

/// The first byte of an RTP packet without padding, extension and contributing sources.
const RTP_VERSION: u8 = 0x80;

/// The last dynamic payload type. Our media do not use it.
const PAYLOAD_TYPE: u8 = 127;

const RTP_HEADER_BYTES: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{decode, encode};

    const PROBE: Probe = Probe {
        key: [7; PATH_TEST_KEY_BYTES],
        kind: ProbeKind::Probe,
        sequence: 0x0102_0304,
        sent_at: 5,
        cookie: 6,
        received: 7,
        received_at: 8,
    };

    #[test]
    fn a_header_survives_its_datagram_and_every_truncation_is_rejected() {
        for kind in [ProbeKind::Hello, ProbeKind::Probe, ProbeKind::Echo] {
            let probe = Probe { kind, ..PROBE };
            let datagram = probe.datagram(1_200);
            assert_eq!((Probe::parse(&datagram), datagram.len()), (Ok(probe), 1_200));
        }
        let shortest = PROBE.datagram(0);
        assert_eq!(shortest.len(), MIN_PROBE);
        for length in 0..MIN_PROBE {
            assert_eq!(Probe::parse(&shortest[..length]), Err(Malformed), "{length} bytes");
        }
        assert_eq!(PROBE.datagram(usize::MAX).len(), MAX_DATAGRAM);
        assert_eq!(Probe::parse(&[&PROBE.datagram(MAX_DATAGRAM)[..], &[0]].concat()), Err(Malformed), "too long");
    }

    #[test]
    fn media_are_no_datagrams_of_a_test() {
        for (place, value) in [(0, 0x90), (1, 96), (28, 3)] {
            let mut datagram = PROBE.datagram(200);
            datagram[place] = value;
            assert_eq!(Probe::parse(&datagram), Err(Malformed), "byte {place}");
        }
    }

    #[test]
    fn a_greeting_above_a_limit_is_rejected() {
        let ready = |port, count| PathTestGreeting::Ready {
            key: [1; PATH_TEST_KEY_BYTES],
            port,
            addresses: vec!["192.0.2.1".parse().unwrap(); count],
            tunnel: true,
        };
        let of = |greeting: PathTestGreeting| decode::<PathTestGreeting>(&encode(&greeting)).is_ok();
        assert!(of(ready(1, MAX_TEST_ADDRESSES)) && of(PathTestGreeting::Busy));
        assert!(!of(ready(0, 0)) && !of(ready(1, MAX_TEST_ADDRESSES + 1)));
    }
}
