//! Finds the addresses by which this machine can be reached.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Returns the addresses to advertise if the server listens on an unspecified address: those from which the system
/// would send to the usual networks, and the loopback address. Sends nothing.
pub fn reachable(listen: SocketAddr) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = Vec::new();
    let probes = V4_PROBES.iter().map(|probe| IpAddr::V4(*probe));
    let v6_probes = V6_PROBES.iter().map(|probe| IpAddr::V6(*probe)).filter(|_| listen.is_ipv6());
    for probe in probes.chain(v6_probes) {
        if let Some(address) = source_towards(probe)
            && !found.contains(&address)
        {
            found.push(address);
        }
    }
    found
}

/// Returns the address from which the system would send to `target`. Connecting a datagram socket sends nothing.
fn source_towards(target: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = if target.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((target, PROBE_PORT)).ok()?;
    let source = socket.local_addr().ok()?.ip();
    (!source.is_unspecified()).then_some(source)
}

/// A documentation address for the internet (RFC 5737), the private networks (RFC 1918), carriers' and overlay networks
/// (RFC 6598), link-local addresses (RFC 3927), and the loopback address.
const V4_PROBES: [Ipv4Addr; 7] = [
    Ipv4Addr::new(192, 0, 2, 1),
    Ipv4Addr::new(10, 0, 0, 1),
    Ipv4Addr::new(172, 16, 0, 1),
    Ipv4Addr::new(192, 168, 0, 1),
    Ipv4Addr::new(100, 64, 0, 1),
    Ipv4Addr::new(169, 254, 0, 1),
    Ipv4Addr::LOCALHOST,
];

/// A documentation address for the internet (RFC 3849), private networks (RFC 4193), and the loopback address.
const V6_PROBES: [Ipv6Addr; 3] =
    [Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1), Ipv6Addr::LOCALHOST];

/// Any port will do, because nothing is sent to it.
const PROBE_PORT: u16 = 9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_address_is_always_reachable() {
        let found = reachable(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0));
        assert!(found.contains(&Ipv4Addr::LOCALHOST.into()));
        assert!(found.iter().all(IpAddr::is_ipv4));
    }
}
