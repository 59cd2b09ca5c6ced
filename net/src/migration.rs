//! Media that move to another network without a break, below the WebRTC stack.
//!
//! If the system's routes lead to the server from another address, a socket there checks the path with the credentials of the
//! stack's ICE session, and media move to it ([`selector`]). The stack sees one socket with one address, so encryption, streams and
//! estimates go on. It needs no signalling, whose connection may be lost with the old address.
//!
//! The address is always the one that the system would use for a new connection to the server, so no path goes round a VPN
//! (RFC 8828, section 5.2, mode 2).

pub mod check;
mod selector;
mod shared;
mod socket;

use crate::peer::enlarge_buffers;
use crate::route::Route;
use crate::socket_runtime::SocketRuntime;
use crate::task::{self, Task};
use shared::{Check, Shared};
use socket::MigratingSocket;
use std::io;
use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;
use webrtc::runtime::{AsyncUdpSocket, Runtime};

/// The paths of one transport. If it is dropped, they are not looked after any more.
pub struct Migration {
    shared: Arc<Shared>,
    task: Task,
}

impl Migration {
    /// Returns the paths of a transport that has no socket yet. `route` asks the system. The task runs on `stack`.
    pub fn new(route: Route, stack: &Arc<dyn Runtime>) -> Self {
        let shared = Arc::new(Shared::default());
        let run = run(Arc::clone(&shared), route, Arc::clone(stack));
        Self { shared, task: task::spawn(stack, run) }
    }

    /// Returns a runtime whose UDP sockets move.
    pub fn runtime(&self, stack: Arc<dyn Runtime>) -> Arc<dyn Runtime> {
        let shared = Arc::clone(&self.shared);
        Arc::new(SocketRuntime::new(stack, move |socket, stack| {
            let first = stack.wrap_udp_socket(socket)?;
            shared.handle_opened(Arc::clone(&first), first.local_addr()?.ip());
            Ok(Arc::new(MigratingSocket { first, shared: Arc::clone(&shared) }))
        }))
    }

    /// Reads our session description.
    pub fn read_local(&self, sdp: &str) {
        self.shared.read_local(sdp);
    }

    /// Reads the server's session description. Returns false, and forgets nothing, if it is that of another ICE session: the server
    /// has forgotten this transport.
    pub fn read_remote(&self, sdp: &str) -> bool {
        self.shared.read_remote(sdp)
    }

    /// Returns true if media go directly to the server and it answers.
    pub fn is_alive(&self, now: Instant) -> bool {
        self.shared.is_alive(now)
    }
}

impl Drop for Migration {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Looks after the paths until it is aborted.
async fn run(shared: Arc<Shared>, route: Route, stack: Arc<dyn Runtime>) {
    let mut checks: Vec<Check> = Vec::new();
    loop {
        let tick = if shared.is_busy() { BUSY_TICK } else { TICK };
        // Either the notification or the time.
        let _ = timeout(tick, shared.changed.notified()).await;
        let Some(server) = shared.server() else { continue };
        let source = route(server).map(|source| source.to_canonical());
        shared.advance(source, |address| open(address, &stack), Instant::now(), &mut checks);
        for Check { socket, bytes, server } in checks.drain(..) {
            if let Err(error) = socket.send_to(&bytes, server).await {
                tracing::debug!(%error, "check not sent");
            }
        }
    }
}

fn open(address: IpAddr, stack: &Arc<dyn Runtime>) -> io::Result<Arc<dyn AsyncUdpSocket>> {
    let socket = UdpSocket::bind((address, 0))?;
    socket.set_nonblocking(true)?;
    enlarge_buffers(&socket);
    stack.wrap_udp_socket(socket)
}

/// The interval at which the system's routes are asked.
const TICK: Duration = Duration::from_millis(100);

/// The same while a path is broken or checked.
const BUSY_TICK: Duration = Duration::from_millis(20);
