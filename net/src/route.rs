//! The address from which the system would reach another computer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

/// Returns the local address that the system would use for a connection to an address. `None` if no network leads there.
pub type Route = Arc<dyn Fn(SocketAddr) -> Option<IpAddr> + Send + Sync>;

/// Asks the system. To connect a UDP socket sends nothing.
pub fn source(destination: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = if destination.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(destination).ok()?;
    socket.local_addr().ok().map(|local| local.ip())
}
