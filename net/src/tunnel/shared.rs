//! What the sockets of the stack and the task of the tunnel share. Each lock is held for a few copies of bytes only.

use super::selector::{PathSelector, Route};
use super::stun::Kind;
use crate::turn::is_virtual;
use proto::{DatagramQueue, MAX_TUNNEL_AGE, MAX_TUNNEL_QUEUE, MediaPath};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// The shared state.
#[derive(Debug)]
pub struct Shared {
    state: Mutex<State>,
    /// Notified if there are datagrams for the tunnel, or if the path has changed.
    changed: Notify,
}

#[derive(Debug)]
struct State {
    selector: PathSelector,
    outgoing: DatagramQueue,
    incoming: DatagramQueue,
    /// Wakes the stack if a datagram comes through the tunnel.
    waker: Option<Waker>,
    /// The server's address, as the stack knows it.
    remote: Option<Remote>,
    failure: Option<String>,
}

/// The address of the server to which the tunnel leads.
#[derive(Clone, Copy, Debug)]
enum Remote {
    /// The first check went there.
    Checked(SocketAddr),
    /// Handshake and media go there.
    Chosen(SocketAddr),
}

impl Remote {
    const fn address(self) -> SocketAddr {
        match self {
            Self::Checked(address) | Self::Chosen(address) => address,
        }
    }
}

impl Shared {
    /// Returns the state of a tunnel that is not open. `before` is the path of the client's transport before this one, or UDP.
    pub fn new(before: MediaPath) -> Self {
        let state = State {
            selector: PathSelector::new(before),
            outgoing: DatagramQueue::new(MAX_TUNNEL_QUEUE, MAX_TUNNEL_AGE),
            incoming: DatagramQueue::new(MAX_INCOMING, MAX_INCOMING_AGE),
            waker: None,
            remote: None,
            failure: None,
        };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    /// Returns the path by which media go.
    pub fn path(&self) -> MediaPath {
        self.lock().selector.path()
    }

    /// Handles that the stack has connected.
    pub fn handle_connected(&self, now: Instant) {
        self.lock().selector.handle_connected(now);
    }

    /// Opens the tunnel later than otherwise, because a TURN server may be reachable by UDP.
    pub fn wait_for_relay(&self) {
        self.lock().selector.wait_for_relay();
    }

    /// Returns true if a TURN server carries media.
    pub fn is_relayed(&self, now: Instant) -> bool {
        self.lock().selector.is_relayed(now)
    }

    /// Returns true if the tunnel should be open. Changes the path if that is due.
    pub fn handle_timeout(&self, now: Instant) -> bool {
        let mut state = self.lock();
        let before = state.selector.path();
        state.selector.handle_timeout(now);
        let (after, wanted) = (state.selector.path(), state.selector.wants_tunnel(now));
        drop(state);
        if before != after {
            self.changed.notify_one();
        }
        wanted
    }

    /// Handles that the tunnel is open.
    pub fn handle_opened(&self, now: Instant) {
        let mut state = self.lock();
        state.failure = None;
        state.outgoing.clear();
        state.selector.handle_opened(now);
    }

    /// Handles that the tunnel is closed, or could not be opened, because of `failure`.
    pub fn handle_closed(&self, failure: Option<String>) {
        let mut state = self.lock();
        state.selector.handle_closed();
        if failure.is_some() {
            state.failure = failure;
        }
    }

    /// Returns why the tunnel failed last.
    pub fn failure(&self) -> Option<String> {
        self.lock().failure.clone()
    }

    /// Returns how to send `contents`, which are datagrams of `segment` bytes each, to `destination`. Those for the tunnel are
    /// queued here.
    pub fn send(&self, destination: SocketAddr, contents: &[u8], segment: Option<usize>, now: Instant) -> Route {
        let segment = segment.unwrap_or(contents.len()).max(1);
        let mut state = self.lock();
        let mut route = Route { udp: true, tls: false };
        if is_virtual(destination) {
            return route;
        }
        for datagram in contents.chunks(segment) {
            let kind = Kind::of(datagram);
            if !state.is_server(destination, kind) {
                continue;
            }
            route = state.selector.handle_sent(kind, now);
            if route.tls {
                state.outgoing.push(datagram, now);
            }
        }
        drop(state);
        if route.tls {
            self.changed.notify_one();
        }
        route
    }

    /// Handles datagrams of UDP, of which the first one is `datagram`. Returns false if the stack must not get it.
    pub fn handle_udp(&self, source: SocketAddr, datagram: &[u8], now: Instant) -> bool {
        let mut state = self.lock();
        if is_virtual(source) && Kind::of(datagram) == Kind::Relayed && !state.is_chosen() {
            state.selector.handle_relayed(now);
        }
        if state.remote.is_none_or(|remote| remote.address() != source) {
            return true;
        }
        state.selector.handle_received(MediaPath::Udp, Kind::of(datagram))
    }

    /// Handles a valid message of the tunnel.
    pub fn handle_message(&self, message: &[u8], now: Instant) {
        let mut state = self.lock();
        for datagram in proto::datagrams(message).into_iter().flatten() {
            if state.selector.handle_received(MediaPath::Tls, Kind::of(datagram)) {
                state.incoming.push(datagram, now);
            }
        }
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Moves a datagram that came through the tunnel into `buffer`. Returns its length and the server's address. If there is
    /// none, `waker` is woken when one comes.
    pub fn receive(&self, buffer: &mut [u8], waker: &Waker, now: Instant) -> Option<(usize, SocketAddr)> {
        let mut state = self.lock();
        if let Some(remote) = state.remote
            && let Some(length) = state.incoming.pop(buffer, now)
        {
            return Some((length, remote.address()));
        }
        if state.waker.as_ref().is_none_or(|known| !known.will_wake(waker)) {
            state.waker = Some(waker.clone());
        }
        None
    }

    /// Returns the path, and appends datagrams for the tunnel to `batch`.
    pub fn take_batch(&self, batch: &mut Vec<u8>, now: Instant) -> MediaPath {
        let mut state = self.lock();
        state.outgoing.pop_batch(batch, now);
        state.selector.path()
    }

    /// Waits for datagrams for the tunnel, or for a change of the path. May return without either. Only one task may wait.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns true if the stack sends the handshake and media to the server's address, and not to a TURN server.
    fn is_chosen(&self) -> bool {
        matches!(self.remote, Some(Remote::Chosen(_)))
    }

    /// Returns whether a datagram to `destination` may go through the tunnel, which leads to one address of the server: that of
    /// the handshake and of media, and before them that of the first check.
    fn is_server(&mut self, destination: SocketAddr, kind: Kind) -> bool {
        match (self.remote, kind) {
            (None, Kind::Check(_)) => self.remote = Some(Remote::Checked(destination)),
            (_, Kind::Dtls | Kind::Media) => {
                self.remote = Some(Remote::Chosen(destination));
                self.selector.handle_direct();
            }
            (_, Kind::Check(_) | Kind::CheckAnswer(_) | Kind::OtherStun | Kind::Relayed) => {}
        }
        self.remote.is_some_and(|remote| remote.address() == destination)
    }
}

/// Bytes that may wait for the stack: a key frame of every participant.
const MAX_INCOMING: usize = 1 << 20;

/// How long a datagram may wait for the stack.
const MAX_INCOMING_AGE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tunnel::selector::{FIRST_SILENCE, GRACE};

    fn check(id: u8) -> Vec<u8> {
        [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[id; 12]].concat()
    }

    fn framed(datagram: &[u8]) -> Vec<u8> {
        [&u16::try_from(datagram.len()).unwrap().to_be_bytes()[..], datagram].concat()
    }

    /// Returns a state whose tunnel is open because UDP is silent, and the server's address.
    fn opened(now: Instant) -> (Shared, SocketAddr) {
        let (shared, server) = (Shared::new(MediaPath::Udp), SocketAddr::from(([192, 0, 2, 1], 7_443)));
        assert_eq!(shared.send(server, &check(1), None, now), Route { udp: true, tls: false });
        let later = now + FIRST_SILENCE + GRACE;
        assert!(shared.handle_timeout(later));
        shared.handle_opened(later);
        assert_eq!(shared.path(), MediaPath::Tls);
        (shared, server)
    }

    #[test]
    fn segments_become_datagrams_of_the_tunnel() {
        let now = Instant::now();
        let (shared, server) = opened(now);
        let route = shared.send(server, &[0x80; 25], Some(10), now);
        assert_eq!(route, Route { udp: false, tls: true });
        let mut batch = Vec::new();
        assert_eq!(shared.take_batch(&mut batch, now), MediaPath::Tls);
        let lengths: Vec<_> = proto::datagrams(&batch).unwrap().map(<[u8]>::len).collect();
        assert_eq!(lengths, [10, 10, 5]);
    }

    #[test]
    fn datagrams_of_the_tunnel_come_from_the_address_of_the_server() {
        let now = Instant::now();
        let (shared, server) = opened(now);
        let mut buffer = [0; 2_000];
        assert_eq!(shared.receive(&mut buffer, Waker::noop(), now), None);
        shared.handle_message(&framed(b"\x80one"), now);
        assert_eq!(shared.receive(&mut buffer, Waker::noop(), now), Some((4, server)));
        assert_eq!(&buffer[..4], b"\x80one");
    }

    #[test]
    fn only_a_turn_server_through_which_the_stack_has_connected_replaces_the_tunnel() {
        let relay = SocketAddr::from(([240, 0, 0, 1], 3_478));
        for is_direct in [false, true] {
            let now = Instant::now();
            let (shared, server) = opened(now);
            assert!(shared.handle_udp(relay, &[0x40, 0, 0, 0], now), "the stack gets it");
            if is_direct {
                shared.send(server, &[22; 50], None, now);
            }
            shared.handle_udp(SocketAddr::from(([192, 0, 2, 9], 3_478)), &[0x40, 0, 0, 0], now);
            shared.handle_connected(now);
            assert_eq!(shared.is_relayed(now), !is_direct);
            assert_eq!(shared.path(), if is_direct { MediaPath::Tls } else { MediaPath::Udp });
            shared.handle_udp(relay, &[0x40, 0, 0, 0], now);
            assert_eq!(shared.is_relayed(now), !is_direct, "garbage changes nothing");
        }
    }

    #[test]
    fn the_tunnel_leads_to_one_address_of_the_server() {
        let now = Instant::now();
        let (shared, server) = opened(now);
        let other = SocketAddr::from(([192, 0, 2, 2], 7_443));
        assert_eq!(shared.send(other, &check(2), None, now), Route { udp: true, tls: false });
        assert_eq!(shared.send(server, &check(3), None, now), Route { udp: true, tls: true });
        assert_eq!(shared.send(other, &[22; 50], None, now), Route { udp: false, tls: true });
        assert_eq!(
            shared.send(server, &check(4), None, now),
            Route { udp: true, tls: false },
            "another one was chosen"
        );
    }
}
