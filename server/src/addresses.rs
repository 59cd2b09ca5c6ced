//! Finds the addresses by which others can reach this computer, and ranks them.

mod interface;

pub use interface::{Interface, Role};

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// Returns the addresses by which a server that listens at `listen` can be reached, best first: those of all network
/// interfaces if it is unspecified, else only itself. Contains no link-local address, and a loopback address only if
/// there is nothing else. Sends nothing.
#[must_use]
pub fn candidates(listen: IpAddr) -> Vec<IpAddr> {
    if !listen.is_unspecified() {
        return vec![listen.to_canonical()];
    }
    let mut interfaces = interfaces();
    interfaces.retain(|interface| listen.is_ipv6() || interface.address.is_ipv4());
    let ranked = rank(interfaces);
    if ranked.is_empty() { vec![loopback(listen)] } else { ranked }
}

/// Returns the addresses of `interfaces`, best first. The order is: networks, VPNs, bridges of containers and virtual
/// machines; in each of these the interface of the default route first; in each interface IPv4, then global IPv6, then
/// local IPv6 (RFC 4193), then shared IPv4 (RFC 6598). Otherwise the order is kept.
#[must_use]
pub fn rank(interfaces: Vec<Interface>) -> Vec<IpAddr> {
    let (mut loopback, mut others): (Vec<_>, Vec<_>) =
        interfaces.into_iter().filter(is_usable).partition(|interface| interface.address.is_loopback());
    let ranked = if others.is_empty() { &mut loopback } else { &mut others };
    ranked.sort_by_key(|interface| (interface.role(), !interface.has_default_route, kind(interface.address)));
    let mut addresses = Vec::new();
    for interface in ranked {
        if !addresses.contains(&interface.address) {
            addresses.push(interface.address);
        }
    }
    addresses
}

/// Whether another computer can be told this address. A link-local IPv6 address needs the name of an interface of the
/// other computer, and a link-local IPv4 address shows that there is no network.
fn is_usable(interface: &Interface) -> bool {
    let is_link_local = match interface.address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    !is_link_local && !interface.address.is_unspecified() && !interface.address.is_multicast()
}

/// The kinds of addresses, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum AddressKind {
    Ipv4,
    GlobalIpv6,
    LocalIpv6,
    SharedIpv4,
}

fn kind(address: IpAddr) -> AddressKind {
    match address {
        IpAddr::V4(address) if is_shared(address) => AddressKind::SharedIpv4,
        IpAddr::V4(_) => AddressKind::Ipv4,
        IpAddr::V6(address) if address.is_unique_local() => AddressKind::LocalIpv6,
        IpAddr::V6(_) => AddressKind::GlobalIpv6,
    }
}

/// Whether the address is of 100.64.0.0/10, which carriers and overlay networks use.
const fn is_shared(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    first == 100 && second & 0xc0 == 64
}

fn loopback(listen: IpAddr) -> IpAddr {
    match listen {
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    }
}

/// Lists the interfaces that are up, not those without a cable.
fn interfaces() -> Vec<Interface> {
    let all = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot list the network interfaces");
        Vec::new()
    });
    let sources = [PROBE_V4, PROBE_V6].map(source_towards);
    let of_default_route = |interface: &&if_addrs::Interface| sources.contains(&Some(interface.ip()));
    let names: BTreeSet<String> = all.iter().filter(of_default_route).map(|interface| interface.name.clone()).collect();
    let up = all.into_iter().filter(if_addrs::Interface::is_oper_up);
    up.map(|interface| Interface {
        address: interface.ip(),
        has_default_route: names.contains(&interface.name),
        point_to_point: interface.is_p2p,
        name: interface.name,
    })
    .collect()
}

/// Returns the address from which the system would send to `target`. Connecting a UDP socket sends nothing.
fn source_towards(target: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = if target.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((target, PROBE_PORT)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// Addresses for documentation (RFC 5737, RFC 3849): they have no route but the default one.
const PROBE_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1));
const PROBE_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

/// Any port will do, because nothing is sent to it.
const PROBE_PORT: u16 = 9;

#[cfg(test)]
mod tests;
