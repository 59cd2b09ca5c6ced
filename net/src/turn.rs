//! TURN servers (RFC 8656) below the WebRTC stack, which speaks TURN by UDP only.
//!
//! The stack sees each server at a virtual address that no datagram of the network has. [`socket::TurnSocket`] moves what it
//! sends there: by UDP to the server's real address, or over TCP or TLS in a stream ([`framing`]). So no other computer can
//! send the stack a message of a TURN server by UDP, and the stack needs no other transport than UDP.

mod address;
mod authentication;
mod framing;
mod links;
mod socket;
mod stage;
mod stream;

pub use address::is_virtual;
pub use authentication::Authentication;
pub use framing::{MessageDecoder, encode_message};
pub use stage::Stage;

use crate::signalling::ServerEndpoint;
use crate::signalling::proxy::ProxySettings;
use crate::socket_runtime::SocketRuntime;
use crate::task::{self, Task};
use links::Links;
use proto::{TurnAccess, TurnServer, TurnTransport};
use rtc::peer_connection::configuration::RTCIceServer;
use socket::TurnSocket;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use webrtc::runtime::Runtime;

/// The connections of one transport to TURN servers. If it is dropped, they are closed.
pub struct TurnConnections {
    links: Arc<Links>,
    /// The address of the transport's sockets.
    local: IpAddr,
    proxy: ProxySettings,
    stack: Arc<dyn Runtime>,
    tasks: Vec<Task>,
}

impl TurnConnections {
    /// Returns no connections, for a transport on `local`. Those over TCP and TLS use `proxy`. Tasks run on `stack`.
    pub fn new(local: IpAddr, proxy: ProxySettings, stack: &Arc<dyn Runtime>) -> Self {
        Self { links: Arc::default(), local, proxy, stack: Arc::clone(stack), tasks: Vec::new() }
    }

    /// Returns a runtime whose UDP sockets reach the servers.
    pub fn runtime(&self, stack: Arc<dyn Runtime>) -> Arc<dyn Runtime> {
        let links = Arc::clone(&self.links);
        Arc::new(SocketRuntime::new(stack, move |socket, stack| {
            Ok(Arc::new(TurnSocket { inner: stack.wrap_udp_socket(socket)?, links: Arc::clone(&links) }))
        }))
    }

    /// Connects to the servers of `access` that `stage` uses and that are not open yet. Returns all servers of the stage as the
    /// stack must know them.
    pub fn open(&mut self, access: &TurnAccess, stage: Stage) -> Vec<RTCIceServer> {
        let used = access.servers.iter().enumerate().filter(|(_, server)| stage.uses(server.transport));
        let servers: Vec<RTCIceServer> = used
            .filter_map(|(index, server)| {
                let address = address::virtual_address(index, self.local)?;
                if self.links.open(index, address, server) {
                    self.tasks.push(self.connect(index, server));
                }
                Some(RTCIceServer {
                    urls: vec![format!("turn:{address}?transport=udp")],
                    username: access.username.clone(),
                    credential: access.password.clone(),
                })
            })
            .collect();
        self.links.set_access(access);
        servers
    }

    /// Returns true if the connection to a server was lost after it had worked.
    pub fn is_lost(&self) -> bool {
        self.links.is_lost()
    }

    /// Returns how the server is reached that carries media. `None` before the first packet.
    pub fn carrier(&self) -> Option<TurnTransport> {
        self.links.carrier()
    }

    /// Starts the task of a server: it finds the address of a UDP server, or carries the messages of another one.
    fn connect(&self, index: usize, server: &TurnServer) -> Task {
        let (links, stack, is_ipv4) = (Arc::clone(&self.links), Arc::clone(&self.stack), self.local.is_ipv4());
        let TurnServer { host, port, transport, fingerprint } = server.clone();
        let fingerprint = fingerprint.map(Into::into);
        let endpoint = ServerEndpoint { host, port, fingerprint, proxy: self.proxy.clone() };
        task::spawn(&self.stack, async move {
            match transport {
                TurnTransport::Udp => {
                    let addresses = timeout(RESOLVE_TIMEOUT, endpoint.resolve(&stack)).await.unwrap_or_default();
                    links.resolve(index, addresses.into_iter().find(|address| address.is_ipv4() == is_ipv4));
                }
                TurnTransport::Tcp => stream::run(&links, index, endpoint.open_tcp(&stack)).await,
                TurnTransport::Tls => stream::run(&links, index, endpoint.open_tls(&stack)).await,
            }
        })
    }
}

impl Drop for TurnConnections {
    fn drop(&mut self) {
        self.tasks.iter().for_each(Task::abort);
    }
}

/// How long the resolution of a server's name may take.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);
