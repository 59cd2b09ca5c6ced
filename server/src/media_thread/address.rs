//! By which addresses this machine can be reached.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// The addresses to name where the server listens on all of them: those from which the system would send to the
/// networks that there may be, and the machine itself. Nothing is sent to find out.
pub fn reachable(listen: SocketAddr) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = Vec::new();
    let probes = V4_PROBES.iter().map(|probe| IpAddr::V4(*probe));
    let further = V6_PROBES.iter().map(|probe| IpAddr::V6(*probe)).filter(|_| listen.is_ipv6());
    for probe in probes.chain(further) {
        if let Some(address) = source_towards(probe)
            && !found.contains(&address)
        {
            found.push(address);
        }
    }
    found
}

/// The address from which the system would send to `target`. Connecting a datagram socket sends nothing.
fn source_towards(target: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = if target.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((target, PROBE_PORT)).ok()?;
    let source = socket.local_addr().ok()?.ip();
    (!source.is_unspecified()).then_some(source)
}

/// A documentation address stands for the internet (RFC 5737), then the private networks (RFC 1918), those of carriers
/// and overlays (RFC 6598), links without a server (RFC 3927), and this machine.
const V4_PROBES: [Ipv4Addr; 7] = [
    Ipv4Addr::new(192, 0, 2, 1),
    Ipv4Addr::new(10, 0, 0, 1),
    Ipv4Addr::new(172, 16, 0, 1),
    Ipv4Addr::new(192, 168, 0, 1),
    Ipv4Addr::new(100, 64, 0, 1),
    Ipv4Addr::new(169, 254, 0, 1),
    Ipv4Addr::LOCALHOST,
];

/// The internet by a documentation address (RFC 3849), private networks (RFC 4193), and this machine.
const V6_PROBES: [Ipv6Addr; 3] =
    [Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1), Ipv6Addr::LOCALHOST];

/// Any port: nothing is sent there.
const PROBE_PORT: u16 = 9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_itself_is_always_reachable() {
        let found = reachable(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0));
        assert!(found.contains(&Ipv4Addr::LOCALHOST.into()));
        assert!(found.iter().all(IpAddr::is_ipv4));
    }
}
