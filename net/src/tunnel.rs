//! The media tunnel of a client whose UDP does not reach the server: datagrams over TLS, below the WebRTC stack.
//!
//! [`selector::PathSelector`] decides by which path a datagram goes. The stack uses sockets ([`socket::TunnelSocket`]) that ask
//! it. A task opens the tunnel and closes it as the selector wants. The stack does not know about the tunnel: it sees one path
//! to the server's address.

mod connection;
mod selector;
mod shared;
mod socket;
mod stun;

pub use stun::Kind;

use crate::event::MediaPath;
use crate::signalling::ServerEndpoint;
use crate::socket_runtime::SocketRuntime;
use crate::task::{self, Task};
use shared::Shared;
use socket::TunnelSocket;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::watch;
use webrtc::runtime::Runtime;

/// The tunnel of one transport. It is opened only if UDP does not work. If it is dropped, it is closed.
pub struct Tunnel {
    shared: Arc<Shared>,
    token: watch::Sender<Option<String>>,
    task: Task,
}

impl Tunnel {
    /// Returns a tunnel to `server` that is not open. Its task runs on `stack`. If the client's transport before this one used a
    /// tunnel, `before` says so, and this one is opened at once.
    pub fn new(server: ServerEndpoint, before: MediaPath, stack: &Arc<dyn Runtime>) -> Self {
        let before = if before == MediaPath::Tls { proto::MediaPath::Tls } else { proto::MediaPath::Udp };
        let shared = Arc::new(Shared::new(before));
        let (token, tokens) = watch::channel(None);
        let run = connection::run(Arc::clone(&shared), server, Arc::clone(stack), tokens);
        Self { shared, token, task: task::spawn(stack, run) }
    }

    /// Returns a runtime whose UDP sockets use the tunnel if UDP does not work.
    pub fn runtime(&self, stack: Arc<dyn Runtime>) -> Arc<dyn Runtime> {
        let shared = Arc::clone(&self.shared);
        Arc::new(SocketRuntime::new(stack, move |socket, stack| {
            Ok(Arc::new(TunnelSocket { inner: stack.wrap_udp_socket(socket)?, shared: Arc::clone(&shared) }))
        }))
    }

    /// Sets the server's token, without which the tunnel cannot be opened. Later ones replace it.
    pub fn set_token(&self, token: String) {
        self.token.send_replace(Some(token));
    }

    /// Opens the tunnel later than otherwise, because a TURN server may be reachable by UDP.
    pub fn wait_for_relay(&self) {
        self.shared.wait_for_relay();
    }

    /// Returns the path by which media go.
    pub fn path(&self, now: Instant) -> MediaPath {
        match self.shared.path() {
            proto::MediaPath::Tls => MediaPath::Tls,
            proto::MediaPath::Udp if self.shared.is_relayed(now) => MediaPath::Relay,
            proto::MediaPath::Udp => MediaPath::Udp,
        }
    }

    /// Handles that the stack has connected.
    pub fn handle_connected(&self, now: Instant) {
        self.shared.handle_connected(now);
    }

    /// Returns true if the server has given a token.
    pub fn has_token(&self) -> bool {
        self.token.borrow().is_some()
    }

    /// Returns why the tunnel could not be opened the last time, or was lost. Returns `None` if it was never tried.
    pub fn failure(&self) -> Option<String> {
        self.shared.failure()
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.task.abort();
    }
}
