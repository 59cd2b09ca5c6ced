//! Media that move to another network without a break, below the WebRTC stack.
//!
//! If the system's routes lead to the server from another address, a socket there checks the path with the credentials of the
//! stack's ICE session, and media move to it ([`selector`]). The stack sees one socket with one address, so encryption, streams and
//! estimates go on. It needs no signalling, whose connection may be lost with the old address.
//!
//! The address is always the one that the system would use for a new connection to the server, so no path goes round a VPN
//! (RFC 8828, section 5.2, mode 2).

pub mod check;
mod paths;
mod selector;
mod socket;

use crate::peer::enlarge_buffers;
use crate::route::Route;
use crate::socket_runtime::SocketRuntime;
use crate::task::{self, Task};
use paths::{Check, Paths};
use socket::MigratingSocket;
use std::io;
use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;
use webrtc::runtime::{AsyncUdpSocket, Runtime};

/// Moves the media of one transport to another network. It stops when it is dropped.
pub struct Migration {
    paths: Arc<Paths>,
    task: Task,
}

impl Migration {
    /// Starts the task of a transport that has no socket yet, on `stack`. `route` asks for the system's routes.
    pub fn new(route: Route, stack: &Arc<dyn Runtime>) -> Self {
        let paths = Arc::new(Paths::default());
        let run = run(Arc::clone(&paths), route, Arc::clone(stack));
        Self { paths, task: task::spawn(stack, run) }
    }

    /// Returns a runtime whose UDP sockets can move to another local address.
    pub fn runtime(&self, stack: Arc<dyn Runtime>) -> Arc<dyn Runtime> {
        let paths = Arc::clone(&self.paths);
        Arc::new(SocketRuntime::new(stack, move |socket, stack| {
            let first = stack.wrap_udp_socket(socket)?;
            paths.handle_opened(Arc::clone(&first), first.local_addr()?.ip());
            Ok(Arc::new(MigratingSocket { first, paths: Arc::clone(&paths) }))
        }))
    }

    /// Reads our session description.
    pub fn read_local(&self, sdp: &str) {
        self.paths.read_local(sdp);
    }

    /// Reads the server's session description. Returns false, and changes nothing, if it is that of another ICE session: the server
    /// has forgotten this transport.
    pub fn read_remote(&self, sdp: &str) -> bool {
        self.paths.read_remote(sdp)
    }

    /// Returns true if media go directly to the server and it answers.
    pub fn is_alive(&self, now: Instant) -> bool {
        self.paths.is_alive(now)
    }
}

impl Drop for Migration {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Follows the system's routes and sends checks, until it is aborted.
async fn run(paths: Arc<Paths>, route: Route, stack: Arc<dyn Runtime>) {
    let mut checks: Vec<Check> = Vec::new();
    loop {
        let tick = if paths.is_busy() { BUSY_TICK } else { TICK };
        // The timeout is no error.
        let _ = timeout(tick, paths.changed.notified()).await;
        let Some(server) = paths.server() else { continue };
        let source = route(server).map(|source| source.to_canonical());
        paths.advance(source, |address| open(address, &stack), Instant::now(), &mut checks);
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

/// The same while the active path is broken, or another one is checked.
const BUSY_TICK: Duration = Duration::from_millis(20);
