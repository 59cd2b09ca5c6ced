//! A server in this process, for a meeting that is started here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use engine::Entry;
use server::Server;
use tokio::runtime::{Builder, Runtime};

/// A server with its own threads. Dropping it ends its meetings and blocks for up to a second.
pub struct Embedded {
    server: Option<Server>,
    runtime: Runtime,
}

/// Why the server could not start.
#[derive(Debug)]
pub enum Error {
    /// The system could not start the server's threads.
    System(std::io::Error),
    /// The server cannot listen at the address.
    Server(server::Error),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::System(error) => error.fmt(f),
            Self::Server(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // `Display` already shows what failed, so the source is its cause.
        match self {
            Self::System(error) => error.source(),
            Self::Server(error) => error.source(),
        }
    }
}

impl Embedded {
    /// Starts a server with a new certificate. Blocks until it listens at `listen`.
    ///
    /// # Errors
    /// Returns [`Error::System`] if its threads cannot start, and [`Error::Server`] if it cannot listen at the address.
    pub fn start(listen: SocketAddr) -> Result<Self, Error> {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(2).thread_name("server").enable_all().build().map_err(Error::System)?;
        let server = runtime.block_on(Server::start(server::Config::new(listen))).map_err(Error::Server)?;
        Ok(Self { server: Some(server), runtime })
    }

    /// The entry that creates a meeting on this server, with an address that others can reach. `None` after the server was
    /// stopped, which only `drop` does.
    pub fn entry(&self) -> Option<Entry> {
        let server = self.server.as_ref()?;
        let address = server.address();
        let host = reachable(address.ip()).to_string();
        Some(Entry::Create { host, port: address.port(), fingerprint: Some(server.fingerprint()) })
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.stop(Duration::from_secs(1)));
        }
    }
}

/// An address that others can connect to. If the server listens on every interface, it is the address of the interface
/// of the default route.
fn reachable(listening: IpAddr) -> IpAddr {
    if !listening.is_unspecified() {
        return listening;
    }
    let (any, outside, local): (IpAddr, IpAddr, IpAddr) = match listening {
        IpAddr::V4(_) => (Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(192, 0, 2, 1).into(), Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(_) => {
            let outside = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
            (Ipv6Addr::UNSPECIFIED.into(), outside.into(), Ipv6Addr::LOCALHOST.into())
        }
    };
    // Connecting a UDP socket sends nothing and selects the route. The addresses are those of RFC 5737 and RFC 3849.
    let route = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((outside, 9))?;
        socket.local_addr()
    });
    route.ok().map(|address| address.ip()).filter(|address| !address.is_unspecified()).unwrap_or(local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unspecified_address_is_replaced_by_a_reachable_one() {
        let local = Ipv4Addr::LOCALHOST.into();
        assert_eq!(reachable(local), local);
        assert!(!reachable(Ipv4Addr::UNSPECIFIED.into()).is_unspecified());
        assert!(!reachable(Ipv6Addr::UNSPECIFIED.into()).is_unspecified());
    }
}
