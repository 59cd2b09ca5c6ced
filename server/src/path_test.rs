//! The test of the path to this server, for clients that are in no meeting yet: it answers their datagrams.
//!
//! A client opens a WebSocket, and gets a key. Datagrams with this key are answered by UDP at the media sockets, and through the
//! WebSocket. An answer is as long as its datagram and goes to where it came from, so nothing is amplified. [`Sessions`] has the
//! limits.

mod sessions;

pub use sessions::{Key, MAX_DURATION, MAX_HELLOS, MAX_TESTS_OF_ORIGIN, ProbeSource, Sessions};

use crate::metered::Socket;
use crate::quota::Meter;
use crate::tunnel::{self, TunnelQueue};
use crate::{Limits, Origin};
use futures_util::stream::SplitStream;
use futures_util::{SinkExt, StreamExt};
use proto::{MAX_TEST_ADDRESSES, PathTestGreeting, Probe};
use ring::rand::{SecureRandom, SystemRandom};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout, timeout_at};
use tokio_tungstenite::tungstenite::Message;

/// The running path tests of a server. Its connections and media threads share them.
#[derive(Debug)]
pub struct PathTests {
    sessions: Mutex<Sessions>,
    /// How many tests run. While there is none, the media thread does not lock `sessions`.
    running: AtomicUsize,
    /// The addresses of the media sockets.
    sockets: OnceLock<Vec<SocketAddr>>,
    /// Addresses of other machines that forward to these sockets.
    public: Vec<IpAddr>,
    /// True if media may go through the TCP port.
    tunnel: bool,
}

/// A running test. It ends when this value is dropped.
struct RunningTest<'t> {
    tests: &'t PathTests,
    key: Key,
}

impl PathTests {
    /// Creates the state of a server without tests. Returns `None` if the system provides no random bytes. At most `max_tests` run at once.
    pub fn new(public: Vec<IpAddr>, tunnel: bool, max_tests: usize) -> Option<Self> {
        let mut secret = [0; 32];
        SystemRandom::new().fill(&mut secret).ok()?;
        let sessions = Mutex::new(Sessions::new(&secret, max_tests));
        Some(Self { sessions, running: AtomicUsize::new(0), sockets: OnceLock::new(), public, tunnel })
    }

    /// Records the addresses of the media sockets, once.
    pub fn set_sockets(&self, sockets: Vec<SocketAddr>) {
        // It is empty: the server calls this once.
        let _ = self.sockets.set(sockets);
    }

    /// Returns whether a test runs.
    pub fn are_running(&self) -> bool {
        self.running.load(Ordering::Relaxed) > 0
    }

    /// Returns the answer to a datagram that came to a media socket. Returns `None` if it does not belong
    /// to a running test, or if the test has reached a limit.
    pub fn answer(&self, remote: SocketAddr, datagram: &[u8], now: Instant) -> Option<Vec<u8>> {
        if !self.are_running() || Probe::parse(datagram).is_err() {
            return None;
        }
        self.lock().answer(ProbeSource::Udp(remote), datagram, now)
    }

    fn open(&self, origin: Origin) -> Option<RunningTest<'_>> {
        let mut key = [0; proto::PATH_TEST_KEY_BYTES];
        SystemRandom::new().fill(&mut key).ok()?;
        let mut sessions = self.lock();
        let opened = sessions.open(key, origin, Instant::now());
        self.running.store(sessions.count(), Ordering::Relaxed);
        // A `RunningTest` locks the sessions when it is dropped, so one that is not returned must not exist.
        opened.then(|| RunningTest { tests: self, key })
    }

    fn greeting(&self, key: Key, arrived_at: Option<SocketAddr>) -> PathTestGreeting {
        let sockets = self.sockets.get().map(Vec::as_slice).unwrap_or_default();
        let at = arrived_at.map(|address| (address.ip().to_canonical(), address.port()));
        let same = sockets.iter().find(|socket| Some(socket.ip()) == at.map(|(ip, _)| ip));
        let port = same.or(sockets.first()).map(SocketAddr::port).or(at.map(|(_, port)| port)).unwrap_or(1);
        let addresses = self.public.iter().take(MAX_TEST_ADDRESSES).copied().collect();
        PathTestGreeting::Ready { key, port, addresses, tunnel: self.tunnel }
    }

    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RunningTest<'_> {
    fn drop(&mut self) {
        let mut sessions = self.tests.lock();
        sessions.close(&self.key);
        self.tests.running.store(sessions.count(), Ordering::Relaxed);
    }
}

/// Serves the WebSocket of a test until the test ends. `arrived_at` is the server's address to which the client connected.
pub async fn serve(
    mut socket: Socket,
    (origin, arrived_at): (Origin, Option<SocketAddr>),
    meter: Arc<Meter>,
    (tests, limits): (&PathTests, &Limits),
) {
    // Ends a test that takes too long, even if its client does not read.
    let deadline = tokio::time::Instant::now() + MAX_DURATION;
    let running = tests.open(origin);
    let greeting = running.as_ref().map_or(PathTestGreeting::Busy, |running| tests.greeting(running.key, arrived_at));
    let greeted = timeout_at(deadline, socket.send(Message::Binary(proto::encode(&greeting).into())));
    let Ok(Ok(())) = greeted.await else { return };
    if running.is_none() {
        // It does not matter if the closing handshake fails.
        let _ = timeout(CLOSE_TIMEOUT, socket.close(None)).await;
        return;
    }
    let queue = TunnelQueue::default();
    let (sink, source) = socket.split();
    let served = async {
        tokio::select! {
            () = tunnel::write(sink, &queue, limits.write) => {}
            () = read(source, &queue, &meter, tests) => {}
        }
    };
    let _ = timeout_at(deadline, served).await;
}

/// Answers the datagrams that come through the WebSocket, until it ends or breaks a rule.
async fn read(mut source: SplitStream<Socket>, queue: &TunnelQueue, meter: &Meter, tests: &PathTests) {
    while let Some(Ok(message)) = source.next().await {
        meter.finish();
        let message = match message {
            Message::Binary(message) if tests.tunnel => message,
            Message::Ping(_) | Message::Pong(_) => {
                // Reading a control frame takes time, too.
                sleep(PAUSE).await;
                continue;
            }
            Message::Binary(_) | Message::Text(_) | Message::Frame(_) | Message::Close(_) => return,
        };
        let Ok(datagrams) = proto::datagrams(&message) else { return };
        for datagram in datagrams {
            let answer = tests.lock().answer(ProbeSource::WebSocket, datagram, Instant::now());
            match answer {
                Some(answer) => drop(queue.push(&answer, Instant::now())),
                // A client that sends too much is read more slowly.
                None => sleep(PAUSE).await,
            }
        }
    }
}

/// How long the closing handshake may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// How long reading pauses after a control frame, or after a datagram that has no answer.
const PAUSE: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_names_the_port_of_the_socket_by_whose_address_the_client_came() {
        let tests = PathTests::new(vec!["203.0.113.1".parse().unwrap(); 20], true, 8).unwrap();
        tests.set_sockets(vec!["127.0.0.1:7".parse().unwrap(), "192.0.2.1:8".parse().unwrap()]);
        let port = |arrived_at: &str| match tests.greeting([1; 16], Some(arrived_at.parse().unwrap())) {
            PathTestGreeting::Ready { port, addresses, .. } => (port, addresses.len()),
            PathTestGreeting::Busy => (0, 0),
        };
        assert_eq!(port("192.0.2.1:443"), (8, MAX_TEST_ADDRESSES));
        assert_eq!(port("[::ffff:192.0.2.1]:443"), (8, MAX_TEST_ADDRESSES));
        assert_eq!(port("192.0.2.99:443"), (7, MAX_TEST_ADDRESSES), "any socket");
    }

    #[test]
    fn a_test_ends_when_its_connection_ends() {
        let tests = PathTests::new(Vec::new(), true, 8).unwrap();
        let origin = IpAddr::from([127, 0, 0, 1]).into();
        let running = [tests.open(origin), tests.open(origin)];
        assert!(running.iter().all(Option::is_some) && tests.open(origin).is_none());
        assert_eq!(tests.running.load(Ordering::Relaxed), MAX_TESTS_OF_ORIGIN);
        drop(running);
        assert_eq!((tests.running.load(Ordering::Relaxed), tests.lock().count()), (0, 0));
    }
}
