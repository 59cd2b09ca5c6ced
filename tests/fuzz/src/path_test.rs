//! What strangers send in a path test, and the greeting of the server.

use super::{joined, parts};
use proto::{PathTestGreeting, Probe, ProbeKind};
use server::path_test::{ProbeSource, Sessions};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

const KEY: [u8; proto::PATH_TEST_KEY_BYTES] = [1; proto::PATH_TEST_KEY_BYTES];

/// Parses a datagram and a greeting, and passes a sequence of datagrams to a server that runs one path test.
pub(super) fn path_test(bytes: &[u8]) {
    if let Ok(probe) = Probe::parse(bytes) {
        assert_eq!(Probe::parse(&probe.datagram(bytes.len())), Ok(probe));
    }
    if let Ok(greeting) = proto::decode::<PathTestGreeting>(bytes) {
        assert_eq!(proto::decode(&proto::encode(&greeting)), Ok(greeting));
    }
    answers(bytes);
}

/// No answer is longer than its datagram, and none goes to a test that does not run.
fn answers(bytes: &[u8]) {
    let start = Instant::now();
    let mut sessions = Sessions::new(&[2; 32], 1);
    assert!(sessions.open(KEY, IpAddr::from([192, 0, 2, 1]).into(), start));
    let mut cookie = 0;
    for (at, part) in (0_u16..).zip(parts(bytes)) {
        let now = start + Duration::from_millis(20) * u32::from(at);
        let source = if at % 5 == 4 {
            ProbeSource::WebSocket
        } else {
            ProbeSource::Udp(SocketAddr::from(([192, 0, 2, 1], at % 3)))
        };
        // Half of the datagrams have the cookie of the last answer.
        let with_cookie = Probe::parse(part).ok().filter(|_| at % 2 == 1);
        let with_cookie = with_cookie.map(|probe| Probe { cookie, ..probe }.datagram(part.len()));
        let datagram = with_cookie.as_deref().unwrap_or(part);
        if let Some(answer) = sessions.answer(source, datagram, now) {
            assert_eq!(answer.len(), datagram.len(), "no amplification");
            let echo = Probe::parse(&answer).expect("an answer is well-formed");
            assert_eq!((echo.kind, echo.key), (ProbeKind::Echo, KEY));
            cookie = echo.cookie;
        }
    }
    sessions.close(&KEY);
    assert_eq!(sessions.count(), 0);
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let probe = |kind, length| {
        Probe { key: KEY, kind, sequence: 9, sent_at: 8, cookie: 7, received: 6, received_at: 5 }.datagram(length)
    };
    let all = [probe(ProbeKind::Hello, 64), probe(ProbeKind::Probe, 300), probe(ProbeKind::Echo, 1_500)];
    let ready = PathTestGreeting::Ready {
        key: KEY,
        port: 7_443,
        addresses: vec![IpAddr::from([192, 0, 2, 1]), IpAddr::from([1_u16; 8])],
        tunnel: true,
    };
    let greetings = [ready, PathTestGreeting::Busy].map(|greeting| proto::encode(&greeting));
    let script = joined(all.iter().cycle().take(9).map(Vec::as_slice));
    all.into_iter().chain(greetings).chain([script]).collect()
}
