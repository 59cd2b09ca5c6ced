//! What the sockets of the stack and the tasks of the TURN servers share. Each lock is held for a few copies of bytes only.

use super::address::index_of;
use super::authentication::Authentication;
use super::framing::encode_message;
use proto::{DatagramQueue, MAX_TUNNEL_AGE, MAX_TUNNEL_QUEUE, TurnAccess, TurnServer, TurnTransport};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// The links to the TURN servers of a transport, by the number of the server.
#[derive(Debug, Default)]
pub struct Links {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    links: BTreeMap<usize, Link>,
    /// Wakes the stack if a message comes over TCP or TLS.
    waker: Option<Waker>,
    is_lost: bool,
    /// How the server is reached to which the last packet of media went.
    carrier: Option<TurnTransport>,
}

#[derive(Debug)]
struct Link {
    server: TurnServer,
    address: SocketAddr,
    authentication: Authentication,
    connection: Connection,
}

/// How messages reach a server.
#[derive(Debug)]
enum Connection {
    /// By UDP. `None` until the server's address is known.
    Udp(Option<SocketAddr>),
    /// By a task, over TCP or TLS.
    Stream(Box<Queues>),
}

#[derive(Debug)]
struct Queues {
    outgoing: DatagramQueue,
    incoming: DatagramQueue,
    /// Notified if there are outgoing messages.
    changed: Arc<Notify>,
    /// True after the stream has delivered a message.
    has_delivered: bool,
}

/// Where a datagram of the stack goes.
#[derive(Debug, PartialEq, Eq)]
pub enum Departure {
    /// To the address that the stack has named.
    Unchanged,
    /// To this address, with these contents if the ones of the stack must be amended.
    Udp(SocketAddr, Option<Vec<u8>>),
    /// It was queued for a stream, or dropped.
    Handled,
}

impl Links {
    /// Adds a server with its virtual address. Returns false if it is open already.
    pub fn open(&self, index: usize, address: SocketAddr, server: &TurnServer) -> bool {
        let mut state = self.lock();
        if state.links.get(&index).is_some_and(|link| link.server == *server) {
            return false;
        }
        let connection = match server.transport {
            TurnTransport::Udp => Connection::Udp(None),
            TurnTransport::Tcp | TurnTransport::Tls => Connection::Stream(Box::new(Queues::new())),
        };
        let authentication = Authentication::default();
        state.links.insert(index, Link { server: server.clone(), address, authentication, connection });
        true
    }

    /// Sets the credentials for all servers.
    pub fn set_access(&self, access: &TurnAccess) {
        self.lock().links.values_mut().for_each(|link| link.authentication.set_access(access));
    }

    /// Sets the address of a server that is reached by UDP. `None` if there is none.
    pub fn resolve(&self, index: usize, address: Option<SocketAddr>) {
        if let Some(Link { connection: Connection::Udp(known), .. }) = self.lock().links.get_mut(&index) {
            *known = address;
        }
    }

    /// Handles the end of a stream.
    pub fn handle_end(&self, index: usize) {
        let mut state = self.lock();
        if let Some(Link { connection: Connection::Stream(queues), .. }) = state.links.get(&index) {
            let has_delivered = queues.has_delivered;
            state.is_lost |= has_delivered;
            state.links.remove(&index);
        }
    }

    /// Returns how the server is reached to which the last packet of media went. `None` before the first one.
    pub fn carrier(&self) -> Option<TurnTransport> {
        self.lock().carrier
    }

    /// Returns true if a stream has ended that had delivered messages.
    pub fn is_lost(&self) -> bool {
        self.lock().is_lost
    }

    /// Returns where `contents` go, which are datagrams of `segment` bytes each. Queues them if they go into a stream.
    pub fn send(&self, destination: SocketAddr, contents: &[u8], segment: Option<usize>, now: Instant) -> Departure {
        let Some(index) = index_of(destination) else { return Departure::Unchanged };
        let mut state = self.lock();
        let State { links, carrier, .. } = &mut *state;
        let Some(Link { server, authentication, connection, .. }) = links.get_mut(&index) else {
            return Departure::Handled;
        };
        // The first byte of `ChannelData`.
        if matches!(contents.first(), Some(0x40..=0x7f)) {
            *carrier = Some(server.transport);
        }
        let amended = authentication.handle_sent(contents, destination.is_ipv6());
        match connection {
            Connection::Udp(Some(address)) => Departure::Udp(*address, amended),
            Connection::Stream(queues) => {
                let contents = amended.as_deref().unwrap_or(contents);
                for datagram in contents.chunks(segment.unwrap_or(contents.len()).max(1)) {
                    queues.outgoing.push(datagram, now);
                }
                queues.changed.notify_one();
                Departure::Handled
            }
            Connection::Udp(None) => Departure::Handled,
        }
    }

    /// Returns whether the stack may get a datagram that the server at `source` has sent by UDP. Returns `None` if no server has that
    /// address.
    pub fn accepts(&self, source: SocketAddr, datagram: &[u8]) -> Option<bool> {
        Some(self.lock().link_at(source)?.authentication.accepts(datagram))
    }

    /// Returns the virtual address of the server that is reached at `source` by UDP. Returns `None` if there is none.
    pub fn address_of(&self, source: SocketAddr) -> Option<SocketAddr> {
        Some(self.lock().link_at(source)?.address)
    }

    /// Moves a message that came over a stream into `buffer`. Returns its length and the server's virtual address. If there is
    /// none, `waker` is woken when one comes.
    pub fn receive(&self, buffer: &mut [u8], waker: &Waker, now: Instant) -> Option<(usize, SocketAddr)> {
        let mut state = self.lock();
        for link in state.links.values_mut() {
            if let Connection::Stream(queues) = &mut link.connection
                && let Some(length) = queues.incoming.pop(buffer, now)
            {
                return Some((length, link.address));
            }
        }
        if state.waker.as_ref().is_none_or(|known| !known.will_wake(waker)) {
            state.waker = Some(waker.clone());
        }
        None
    }

    /// Handles a message that came over a stream.
    pub fn handle_message(&self, index: usize, message: &[u8], now: Instant) {
        let mut state = self.lock();
        if let Some(Link { connection: Connection::Stream(queues), authentication, .. }) = state.links.get_mut(&index)
            && authentication.accepts(message)
        {
            queues.has_delivered = true;
            queues.incoming.push(message, now);
        }
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Appends the messages that wait for a stream to `batch`, up to a bound. Returns the notification of further messages, or
    /// `None` if there is no such stream.
    pub fn take_batch(&self, index: usize, batch: &mut Vec<u8>, now: Instant) -> Option<Arc<Notify>> {
        let mut state = self.lock();
        let Some(Link { connection: Connection::Stream(queues), .. }) = state.links.get_mut(&index) else {
            return None;
        };
        let mut message = [0; proto::MAX_DATAGRAM];
        while batch.len() < MAX_BATCH
            && let Some(length) = queues.outgoing.pop(&mut message, now)
        {
            encode_message(&message[..length], batch);
        }
        Some(Arc::clone(&queues.changed))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns the link to the server that is reached at `source` by UDP.
    fn link_at(&mut self, source: SocketAddr) -> Option<&mut Link> {
        let is_source =
            |link: &&mut Link| matches!(link.connection, Connection::Udp(Some(address)) if address == source);
        self.links.values_mut().find(is_source)
    }
}

impl Queues {
    fn new() -> Self {
        Self {
            // The first requests wait until the stream is open.
            outgoing: DatagramQueue::new(MAX_TUNNEL_QUEUE, CONNECT_AGE),
            incoming: DatagramQueue::new(MAX_INCOMING, MAX_TUNNEL_AGE * 5),
            changed: Arc::default(),
            has_delivered: false,
        }
    }
}

/// Bytes that are written at once.
const MAX_BATCH: usize = 4 << 10;

/// Bytes that may wait for the stack.
const MAX_INCOMING: usize = 1 << 20;

/// How long a message may wait to be written.
const CONNECT_AGE: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turn::address::virtual_address;

    fn server(url: &str) -> TurnServer {
        TurnServer::parse(url).unwrap()
    }

    fn opened(url: &str) -> (Links, SocketAddr) {
        let (links, address) = (Links::default(), virtual_address(0, [127, 0, 0, 1].into()).unwrap());
        assert!(links.open(0, address, &server(url)) && !links.open(0, address, &server(url)));
        (links, address)
    }

    #[test]
    fn a_server_over_udp_is_reached_at_its_real_address_and_no_other_source_is_that_server() {
        let (links, address) = opened("turn:a.example");
        let real = SocketAddr::from(([192, 0, 2, 7], 3_478));
        let now = Instant::now();
        assert_eq!(links.send(address, b"x", None, now), Departure::Handled, "its address is not known");
        links.resolve(0, Some(real));
        assert_eq!(links.send(address, b"x", None, now), Departure::Udp(real, None));
        assert_eq!(links.send(real, b"x", None, now), Departure::Unchanged, "not through the relay");
        assert_eq!((links.accepts(real, &[0x40]), links.address_of(real)), (Some(true), Some(address)));
        assert_eq!(links.accepts(SocketAddr::from(([192, 0, 2, 8], 3_478)), &[0x40]), None);
    }

    #[test]
    fn messages_of_a_stream_come_from_the_virtual_address_and_its_end_is_a_loss_if_it_has_worked() {
        let (links, address) = opened("turns:a.example");
        let (now, mut buffer, mut batch) = (Instant::now(), [0; 2_000], Vec::new());
        assert_eq!(links.send(address, &[0x40, 1, 0, 1, 9], None, now), Departure::Handled);
        links.take_batch(0, &mut batch, now).unwrap();
        assert_eq!(batch, [0x40, 1, 0, 1, 9, 0, 0, 0], "padded");
        assert_eq!(links.receive(&mut buffer, Waker::noop(), now), None);
        links.handle_message(0, &[0x40, 1, 0, 0], now);
        assert_eq!(links.receive(&mut buffer, Waker::noop(), now), Some((4, address)));
        links.handle_end(0);
        assert!(links.is_lost() && links.take_batch(0, &mut batch, now).is_none());
        let (links, _) = opened("turns:a.example");
        links.handle_end(0);
        assert!(!links.is_lost(), "it has never worked");
    }

    #[test]
    fn a_stream_that_does_not_open_holds_a_bounded_number_of_bytes() {
        let (links, address) = opened("turn:a.example?transport=tcp");
        let now = Instant::now();
        let (mut message, mut total) = (vec![0x40, 1, 4, 0xac], 0);
        message.resize(1_200, 0);
        (0..1_000).for_each(|_| _ = links.send(address, &message, None, now));
        loop {
            let mut batch = Vec::new();
            links.take_batch(0, &mut batch, now).unwrap();
            total += batch.len();
            if batch.is_empty() {
                break;
            }
        }
        assert!((MAX_TUNNEL_QUEUE / 2..=MAX_TUNNEL_QUEUE).contains(&total), "{total}");
    }
}
