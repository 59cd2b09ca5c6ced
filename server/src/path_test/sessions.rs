//! Which path tests run, and what each may send. Pure: the caller passes the time and random bytes.

use crate::Origin;
use crate::bucket::Bucket;
use proto::{PATH_TEST_KEY_BYTES, Probe, ProbeKind};
use ring::hmac;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// The key of a test.
pub type Key = [u8; PATH_TEST_KEY_BYTES];

/// The source of a datagram of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeSource {
    /// From this address by UDP. Anybody can forge it.
    Udp(SocketAddr),
    /// Through the WebSocket of the test.
    WebSocket,
}

/// The tests that run. A test holds less than 200 bytes.
#[derive(Debug)]
pub struct Sessions {
    running: HashMap<Key, Session>,
    /// How many tests an address may start. One that is not in the map may start [`START_BURST`].
    starts: HashMap<Origin, Bucket>,
    /// Makes the cookies.
    secret: hmac::Key,
    /// The maximum number of tests at once.
    max_tests: usize,
}

#[derive(Debug)]
struct Session {
    origin: Origin,
    started: Instant,
    /// How many more datagrams from addresses that may be forged are answered.
    hellos_left: u32,
    bytes_left: u32,
    rate: Bucket,
    /// The datagrams that have arrived, by UDP and through the WebSocket.
    received: [u32; 2],
}

impl Sessions {
    /// Creates the state of a server without tests. `secret` is random, and `max_tests` is the maximum number of tests at once.
    pub fn new(secret: &[u8; 32], max_tests: usize) -> Self {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
        Self { running: HashMap::new(), starts: HashMap::new(), secret, max_tests }
    }

    /// Returns how many tests run.
    pub fn count(&self) -> usize {
        self.running.len()
    }

    /// Starts a test for a client at `origin`. `key` is random. Returns false if the client or all clients together run too many,
    /// or if the client has started too many.
    pub fn open(&mut self, key: Key, origin: Origin, now: Instant) -> bool {
        let of_origin = self.running.values().filter(|session| session.origin == origin).count();
        if self.running.len() >= self.max_tests || of_origin >= MAX_TESTS_OF_ORIGIN || self.running.contains_key(&key) {
            return false;
        }
        if self.starts.len() >= MAX_IDLE_ORIGINS {
            self.starts.retain(|_, starts| !starts.is_full(now));
        }
        if self.starts.len() >= MAX_IDLE_ORIGINS && !self.starts.contains_key(&origin) {
            return false;
        }
        let full = || Bucket::new(1, START_BURST * START_COST, now);
        if !self.starts.entry(origin).or_insert_with(full).take(START_COST, now) {
            return false;
        }
        let session = Session {
            origin,
            started: now,
            hellos_left: MAX_HELLOS,
            bytes_left: MAX_BYTES,
            rate: Bucket::new(BYTES_PER_SECOND, BYTE_BURST, now),
            received: [0; 2],
        };
        self.running.insert(key, session);
        true
    }

    /// Ends a test.
    pub fn close(&mut self, key: &Key) {
        self.running.remove(key);
    }

    /// Returns the answer to a datagram. It has the same length and goes back to the same address. Returns `None` if the datagram
    /// belongs to no running test, if the test has reached a limit, or if the cookie does not match the address.
    pub fn answer(&mut self, source: ProbeSource, datagram: &[u8], now: Instant) -> Option<Vec<u8>> {
        let probe = Probe::parse(datagram).ok()?;
        let session = self.running.get_mut(&probe.key).filter(|session| now < session.started + MAX_DURATION)?;
        // A datagram without an answer counts, too: a cookie takes time to compute.
        if !session.take(datagram.len(), now) {
            return None;
        }
        let cookie = cookie(&self.secret, &probe.key, source);
        match (probe.kind, source) {
            (ProbeKind::Hello, ProbeSource::Udp(_)) => session.hellos_left = session.hellos_left.checked_sub(1)?,
            (ProbeKind::Probe, _) if probe.cookie != cookie => return None,
            (ProbeKind::Hello, ProbeSource::WebSocket) | (ProbeKind::Probe, _) => {}
            (ProbeKind::Echo, _) => return None,
        }
        let received = &mut session.received[usize::from(source == ProbeSource::WebSocket)];
        *received += u32::from(probe.kind == ProbeKind::Probe);
        let since = now.saturating_duration_since(session.started).as_micros();
        let received_at = u32::try_from(since).unwrap_or(u32::MAX);
        let echo = Probe { kind: ProbeKind::Echo, cookie, received: *received, received_at, ..probe };
        Some(echo.datagram(datagram.len()))
    }
}

impl Session {
    /// Takes the bytes of a datagram. Returns false if the test may not send so many now.
    fn take(&mut self, length: usize, now: Instant) -> bool {
        let cost = u32::try_from(length).unwrap_or(u32::MAX).max(MIN_COST);
        let Some(left) = self.bytes_left.checked_sub(cost) else { return false };
        let taken = self.rate.take(cost, now);
        if taken {
            self.bytes_left = left;
        }
        taken
    }
}

/// Returns the cookie of an address in a test. A client can know it only if it receives there.
fn cookie(secret: &hmac::Key, key: &Key, source: ProbeSource) -> u64 {
    let mut context = hmac::Context::with_key(secret);
    context.update(key);
    if let ProbeSource::Udp(address) = source {
        match address.ip() {
            IpAddr::V4(address) => context.update(&address.octets()),
            IpAddr::V6(address) => context.update(&address.octets()),
        }
        context.update(&address.port().to_be_bytes());
    }
    context.sign().as_ref().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// The maximum number of tests at once from one address.
pub const MAX_TESTS_OF_ORIGIN: usize = 2;

/// Tests that one address may start at once after a pause.
pub const START_BURST: u32 = 4;

/// The seconds after which one address may start another test.
const START_COST: u32 = 5;

/// Addresses without a test are forgotten if there are more than this.
const MAX_IDLE_ORIGINS: usize = 1_024;

/// How long a test may take. A client needs ten seconds.
pub const MAX_DURATION: Duration = Duration::from_secs(15);

/// The maximum number of bytes in each direction of one test. A client sends 1.2 MB.
pub const MAX_BYTES: u32 = 2 << 20;

/// The bytes for which a smaller datagram counts. The media thread needs the same time for each datagram, so this bounds them to
/// 524 a second. A client sends at most 313.
const MIN_COST: u32 = 1_000;

/// The maximum number of answers of one test to addresses that may be forged. A client that tries four addresses sends at most 28.
pub const MAX_HELLOS: u32 = 32;

/// Average bytes per second of one test: 4.2 Mbit/s.
const BYTES_PER_SECOND: u32 = 512 << 10;

/// Bytes that a test may send at once after a pause.
const BYTE_BURST: u32 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use proto::MAX_DATAGRAM;

    const MAX_TESTS: usize = 8;

    const HELLO: Probe = Probe {
        key: [1; PATH_TEST_KEY_BYTES],
        kind: ProbeKind::Hello,
        sequence: 1,
        sent_at: 2,
        cookie: 0,
        received: 0,
        received_at: 0,
    };

    fn origin(last: u8) -> Origin {
        IpAddr::from([192, 0, 2, last]).into()
    }

    fn udp(port: u16) -> ProbeSource {
        ProbeSource::Udp(([198, 51, 100, 1], port).into())
    }

    fn running(now: Instant) -> Sessions {
        let mut sessions = Sessions::new(&[9; 32], MAX_TESTS);
        assert!(sessions.open(HELLO.key, origin(1), now));
        sessions
    }

    /// Returns the cookie that a client at `source` gets.
    fn cookie_for(sessions: &mut Sessions, source: ProbeSource, now: Instant) -> u64 {
        let echo = sessions.answer(source, &HELLO.datagram(0), now).expect("a hello is answered");
        Probe::parse(&echo).expect("it is an echo").cookie
    }

    #[test]
    fn a_probe_is_answered_with_its_length_and_the_number_of_those_that_arrived() {
        let now = Instant::now();
        let mut sessions = running(now);
        let cookie = cookie_for(&mut sessions, udp(5), now);
        for count in 1..=3 {
            let probe = Probe { kind: ProbeKind::Probe, sequence: 10 * count, cookie, ..HELLO };
            let answer = sessions.answer(udp(5), &probe.datagram(900), now).expect("it is answered");
            assert_eq!(answer.len(), 900, "never more than what came");
            let expected = Probe { kind: ProbeKind::Echo, received: count, ..probe };
            assert_eq!(Probe::parse(&answer), Ok(expected));
        }
    }

    #[test]
    fn an_address_that_does_not_receive_gets_no_more_than_a_few_hellos() {
        let now = Instant::now();
        let mut sessions = running(now);
        let cookie = cookie_for(&mut sessions, udp(5), now);
        let probe = Probe { kind: ProbeKind::Probe, cookie, ..HELLO }.datagram(1_200);
        assert!(sessions.answer(udp(5), &probe, now).is_some());
        assert_eq!(sessions.answer(udp(6), &probe, now), None, "the cookie of another address");
        assert_eq!(sessions.answer(ProbeSource::WebSocket, &probe, now), None);
        let hellos = (0..1_000).filter(|_| sessions.answer(udp(7), &HELLO.datagram(0), now).is_some()).count();
        assert_eq!(hellos, MAX_HELLOS as usize - 1, "of all addresses together");
        let later = now + Duration::from_secs(1);
        assert!(sessions.answer(ProbeSource::WebSocket, &HELLO.datagram(0), later).is_some(), "no address is forged");
    }

    #[test]
    fn small_datagrams_cause_no_more_work_than_large_ones() {
        let start = Instant::now();
        let mut sessions = running(start);
        let cookie = cookie_for(&mut sessions, udp(5), start);
        let probe = Probe { kind: ProbeKind::Probe, cookie, ..HELLO }.datagram(0);
        let later = |millis: u64| start + Duration::from_millis(millis);
        let answered = (0..14_000).filter(|millis| sessions.answer(udp(5), &probe, later(*millis)).is_some()).count();
        assert!((1_500..2_200).contains(&answered), "{answered} datagrams");
        // Each wrong cookie is computed, so it counts as well.
        let mut sessions = running(start);
        let wrong = Probe { kind: ProbeKind::Probe, cookie: cookie ^ 1, ..HELLO }.datagram(0);
        assert!((0..1_000).all(|_| sessions.answer(udp(5), &wrong, start).is_none()));
        assert_eq!(sessions.answer(udp(5), &HELLO.datagram(0), start), None, "the burst is used up");
        assert!(sessions.answer(udp(5), &HELLO.datagram(0), later(100)).is_some());
    }

    #[test]
    fn a_test_has_a_rate_a_number_of_bytes_and_an_end() {
        let start = Instant::now();
        let mut sessions = running(start);
        let cookie = cookie_for(&mut sessions, udp(5), start);
        let probe = Probe { kind: ProbeKind::Probe, cookie, ..HELLO }.datagram(MAX_DATAGRAM);
        let at_once = (0..10_000).filter(|_| sessions.answer(udp(5), &probe, start).is_some()).count();
        assert!(at_once * MAX_DATAGRAM <= BYTE_BURST as usize, "{at_once} at once");
        let mut answered = at_once * MAX_DATAGRAM;
        for millis in (0..14_000).step_by(2) {
            let answer = sessions.answer(udp(5), &probe, start + Duration::from_millis(millis));
            answered += answer.map_or(0, |answer| answer.len());
        }
        let max_bytes = MAX_BYTES as usize;
        assert!((max_bytes / 2..=max_bytes).contains(&answered), "{answered} bytes");
        let mut late = running(start);
        assert_eq!(late.answer(udp(5), &HELLO.datagram(0), start + MAX_DURATION), None, "too late");
        late.close(&HELLO.key);
        assert_eq!((late.count(), late.answer(udp(5), &HELLO.datagram(0), start)), (0, None), "it has ended");
    }

    #[test]
    fn one_address_and_all_together_run_few_tests() {
        let start = Instant::now();
        let mut sessions = Sessions::new(&[9; 32], MAX_TESTS);
        let mut number = 0_u64;
        let mut key = || {
            number += 1;
            let mut key = [0; PATH_TEST_KEY_BYTES];
            key[..8].copy_from_slice(&number.to_be_bytes());
            key
        };
        let of_one = (0..100).filter(|_| sessions.open(key(), origin(1), start)).count();
        assert_eq!(of_one, MAX_TESTS_OF_ORIGIN);
        let of_all = (2..200).filter(|last| sessions.open(key(), origin(*last), start)).count();
        assert_eq!(of_one + of_all, MAX_TESTS);
        // Tests that end at once do not let an address start more.
        let mut sessions = Sessions::new(&[9; 32], MAX_TESTS);
        let mut started = |sessions: &mut Sessions, now| {
            let attempts = (0..100).filter(|_| {
                let key = key();
                let opened = sessions.open(key, origin(1), now);
                sessions.close(&key);
                opened
            });
            attempts.count()
        };
        assert_eq!(started(&mut sessions, start), START_BURST as usize);
        assert_eq!(started(&mut sessions, start + Duration::from_secs(11)), 2);
    }

    #[test]
    fn a_flood_of_addresses_is_forgotten() {
        let start = Instant::now();
        let mut sessions = Sessions::new(&[9; 32], MAX_TESTS);
        let address = |index: u32| Origin::from(IpAddr::from((0x0b00_0000 + index).to_be_bytes()));
        for index in 0..3_000 {
            if sessions.open(HELLO.key, address(index), start) {
                sessions.close(&HELLO.key);
            }
        }
        assert_eq!(sessions.starts.len(), MAX_IDLE_ORIGINS);
        assert!(sessions.open(HELLO.key, address(5_000), start + Duration::from_mins(1)), "room is free again");
    }
}
