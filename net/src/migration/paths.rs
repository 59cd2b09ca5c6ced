//! The paths of one transport: their sockets, and the state that the stack's socket shares with the task that checks the paths. Each
//! lock is held for a few system calls only.

use super::check::{Credentials, TransactionId, transaction_of_answer};
use super::selector::{Action, PathId, Selector, priority};
use crate::received_batch::retain_datagrams;
use crate::tunnel::Kind;
use std::io::{self, ErrorKind, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Transmit};

/// The paths of one transport, as the stack's socket and the task use them.
#[derive(Debug, Default)]
pub struct Paths {
    state: Mutex<State>,
    /// Notified if the active path cannot send any more, or if a check was answered.
    pub changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// `None` until the stack has opened its socket.
    selector: Option<Selector>,
    /// The sockets of all paths that may still receive. At most a few.
    sockets: Vec<PathSocket>,
    credentials: Credentials,
    /// The server's address, to which the stack sends media directly. `None` before that, and while a TURN server relays them.
    server: Option<SocketAddr>,
    /// When the server's last datagram arrived.
    received: Option<Instant>,
    /// Wakes the stack if there is another socket to read.
    waker: Option<Waker>,
}

#[derive(Debug)]
struct PathSocket {
    path: PathId,
    socket: Arc<dyn AsyncUdpSocket>,
    /// When it is closed. `None` unless media have left it.
    until: Option<Instant>,
}

/// A check that the caller must send.
#[derive(Debug)]
pub struct Check {
    /// The socket of the path.
    pub socket: Arc<dyn AsyncUdpSocket>,
    /// The check.
    pub bytes: Vec<u8>,
    /// The server.
    pub server: SocketAddr,
}

impl Paths {
    /// Handles that the stack has opened its socket.
    pub fn handle_opened(&self, socket: Arc<dyn AsyncUdpSocket>, address: IpAddr) {
        let mut state = self.lock();
        state.selector = Some(Selector::new(address));
        state.sockets = vec![PathSocket { path: 0, socket, until: None }];
    }

    /// Reads our session description.
    pub fn read_local(&self, sdp: &str) {
        self.lock().credentials.read_local(sdp);
    }

    /// Reads the server's session description. Returns false, and changes nothing, if it is that of another ICE session than before.
    pub fn read_remote(&self, sdp: &str) -> bool {
        let mut state = self.lock();
        let is_session = state.credentials.is_session(sdp);
        if is_session {
            state.credentials.read_remote(sdp);
        }
        is_session
    }

    /// Returns true if media go directly to the server, and it has sent something in the last second.
    pub fn is_alive(&self, now: Instant) -> bool {
        let state = self.lock();
        let received = state.received.filter(|_| state.server.is_some());
        received.is_some_and(|at| now.saturating_duration_since(at) < ALIVE)
    }

    /// Returns the server's address. `None` if no path to it is monitored.
    pub fn server(&self) -> Option<SocketAddr> {
        self.lock().server
    }

    /// Returns true if [`Paths::advance`] must be called often.
    pub fn is_busy(&self) -> bool {
        self.lock().selector.as_ref().is_some_and(Selector::is_busy)
    }

    /// Handles the address from which the system's routes lead to the server. Opens sockets by `open`. Appends the checks to send.
    pub fn advance(
        &self,
        source: Option<IpAddr>,
        open: impl Fn(IpAddr) -> io::Result<Arc<dyn AsyncUdpSocket>>,
        now: Instant,
        checks: &mut Vec<Check>,
    ) {
        let mut state = self.lock();
        state.sockets.retain(|socket| socket.until.is_none_or(|until| now < until));
        let mut actions = Vec::new();
        if let Some(selector) = &mut state.selector {
            selector.handle_route(source, now, &mut actions);
        }
        state.execute(&actions, open, now, checks);
    }

    /// Sends a datagram of the stack by the active path.
    pub fn poll_send(&self, context: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let Transmit { destination, ecn, contents, segment_size, src_ip } = *transmit;
        let mut state = self.lock();
        match Kind::of(contents) {
            Kind::Dtls | Kind::Media => state.server = Some(destination),
            Kind::Relayed => state.server = None,
            Kind::Check(_) | Kind::CheckAnswer(_) | Kind::OtherStun => {}
        }
        let Some(active) = state.selector.as_ref().map(Selector::active) else {
            return Poll::Ready(Err(ErrorKind::NotConnected.into()));
        };
        let Some(socket) = state.socket(active) else { return Poll::Ready(Ok(contents.len())) };
        // The stack knows the first path only.
        let src_ip = src_ip.filter(|_| active == 0);
        let sent = socket.poll_send(context, &Transmit { destination, ecn, contents, segment_size, src_ip });
        let Poll::Ready(result) = sent else { return sent };
        let works = !result.as_ref().is_err_and(is_path_lost);
        if state.selector.as_mut().is_some_and(|selector| selector.handle_sent(works)) {
            drop(state);
            self.changed.notify_one();
        }
        // The datagram is lost, as on any path that fails.
        Poll::Ready(if works { result } else { Ok(contents.len()) })
    }

    /// Receives from the sockets of all paths, the newest one first. The answers to checks of [`Paths::advance`] do not go to the
    /// stack.
    pub fn poll_recv(
        &self,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.lock();
        if state.waker.as_ref().is_none_or(|known| !known.will_wake(context.waker())) {
            state.waker = Some(context.waker().clone());
        }
        for index in (0..state.sockets.len()).rev() {
            while let Poll::Ready(result) = state.sockets[index].socket.poll_recv(context, buffers, meta) {
                let Ok(count) = result else {
                    if state.is_active(index) {
                        return Poll::Ready(result);
                    }
                    break;
                };
                if self.accept(&mut state, buffers, &mut meta[..count]) || count == 0 {
                    return Poll::Ready(Ok(count));
                }
            }
        }
        Poll::Pending
    }

    /// Handles the answers to our own checks, and removes their datagrams. Returns false if there is nothing else.
    fn accept(&self, state: &mut State, buffers: &mut [IoSliceMut<'_>], meta: &mut [RecvMeta]) -> bool {
        let now = Instant::now();
        let mut is_other = false;
        for (buffer, meta) in buffers.iter_mut().zip(meta) {
            let is_from_server = state.server == Some(meta.addr);
            is_other |=
                retain_datagrams(buffer, meta, |datagram| !is_from_server || self.is_for_stack(state, datagram, now));
        }
        is_other
    }

    /// Handles a datagram from the server's address. Returns false for the answer to one of our own checks, authentic or not.
    fn is_for_stack(&self, state: &mut State, datagram: &[u8], now: Instant) -> bool {
        let Some(id) = transaction_of_answer(datagram).filter(|id| state.has_sent(*id)) else {
            state.received = Some(now);
            return true;
        };
        if state.credentials.is_answer(datagram) {
            state.received = Some(now);
            state.handle_answer(id, now);
            self.changed.notify_one();
        }
        false
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn socket(&self, path: PathId) -> Option<&Arc<dyn AsyncUdpSocket>> {
        self.sockets.iter().find(|socket| socket.path == path).map(|socket| &socket.socket)
    }

    fn is_active(&self, index: usize) -> bool {
        let active = self.selector.as_ref().map(Selector::active);
        self.sockets.get(index).is_some_and(|socket| Some(socket.path) == active)
    }

    fn has_sent(&self, id: TransactionId) -> bool {
        self.selector.as_ref().is_some_and(|selector| selector.has_sent(id))
    }

    /// Handles an authentic answer.
    fn handle_answer(&mut self, id: TransactionId, now: Instant) {
        let mut actions = Vec::new();
        if let Some(selector) = &mut self.selector {
            selector.handle_answer(id, now, &mut actions);
        }
        for action in actions {
            if let Action::Move(path) = action {
                self.move_to(path, now);
            }
        }
    }

    fn move_to(&mut self, path: PathId, now: Instant) {
        tracing::info!(path, "media move to another address of this computer");
        for socket in &mut self.sockets {
            socket.until = (socket.path != path).then(|| socket.until.unwrap_or(now + LINGER));
        }
    }

    fn execute(
        &mut self,
        actions: &[Action],
        open: impl Fn(IpAddr) -> io::Result<Arc<dyn AsyncUdpSocket>>,
        now: Instant,
        checks: &mut Vec<Check>,
    ) {
        for action in actions {
            match *action {
                Action::Open(path, address) => self.open(path, address, &open, now),
                Action::Move(path) => self.move_to(path, now),
                Action::Close(path) => self.sockets.retain(|socket| socket.path != path),
                Action::Check(path, nominates) => checks.extend(self.check(path, nominates)),
            }
        }
    }

    fn open(
        &mut self,
        path: PathId,
        address: IpAddr,
        open: impl Fn(IpAddr) -> io::Result<Arc<dyn AsyncUdpSocket>>,
        now: Instant,
    ) {
        match open(address) {
            Ok(socket) => {
                tracing::debug!(path, "a path from another address is checked");
                self.sockets.push(PathSocket { path, socket, until: None });
                if let Some(waker) = self.waker.take() {
                    waker.wake();
                }
            }
            Err(error) => {
                tracing::debug!(%error, "no socket on another address");
                if let Some(selector) = &mut self.selector {
                    selector.handle_open_failure(path, now);
                }
            }
        }
    }

    fn check(&mut self, path: PathId, nominates: bool) -> Option<Check> {
        let (id, server) = (crate::random::transaction_id(), self.server?);
        let bytes = self.credentials.check(id, priority(path), nominates)?;
        let socket = Arc::clone(self.socket(path)?);
        self.selector.as_mut()?.handle_check_sent(path, id);
        Some(Check { socket, bytes, server })
    }
}

/// Returns whether an error of sending means that no network leads from the socket's address to the server.
fn is_path_lost(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NetworkUnreachable
            | ErrorKind::HostUnreachable
            | ErrorKind::AddrNotAvailable
            | ErrorKind::NetworkDown
            // Linux, if the socket's address is gone and there is a route.
            | ErrorKind::InvalidInput
    )
}

/// The server answers a check every half second, and sends feedback more often.
const ALIVE: Duration = Duration::from_secs(1);

/// How long a path that media have left still receives what is on its way.
const LINGER: Duration = Duration::from_secs(2);
