//! Recognises the network by the tables of the kernel, and asks `NetworkManager` whether it is metered. Needs no privileges.

mod ipv4;
mod ipv6;
mod network_manager;

use super::gateway::{Gateway, Interface};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

pub use network_manager::Monitor;

/// Returns the next computer on the way to `server`, or the default router if there is no server. The default router of IPv4 names the
/// network if the way leads through its interface, because its hardware address is known. A network without IPv4 is named by its IPv6
/// router.
pub fn gateway(server: Option<IpAddr>) -> Option<Gateway> {
    match server {
        Some(IpAddr::V4(server)) => gateway_of_ipv4(Some(server)),
        Some(IpAddr::V6(server)) => {
            let found = gateway_of_ipv6(Some(server));
            let default = gateway_of_ipv4(None);
            prefer_ipv4(default, found)
        }
        None => prefer_ipv4(gateway_of_ipv4(None), gateway_of_ipv6(None)),
    }
    .map(|(_, gateway)| gateway)
}

/// A gateway, and the name of the interface that leads to it.
type InterfaceGateway = (String, Gateway);

/// Returns the default router of IPv4, unless the way by IPv6 uses another interface, such as a VPN.
fn prefer_ipv4(ipv4: Option<InterfaceGateway>, ipv6: Option<InterfaceGateway>) -> Option<InterfaceGateway> {
    match (ipv4, ipv6) {
        (Some(ipv4), Some(ipv6)) if ipv4.0 != ipv6.0 => Some(ipv6),
        (ipv4, ipv6) => ipv4.or(ipv6),
    }
}

fn gateway_of_ipv4(server: Option<Ipv4Addr>) -> Option<InterfaceGateway> {
    let route = ipv4::best_route(&read("/proc/net/route")?, server)?;
    let hop = route.next_hop(server)?;
    let hardware = read("/proc/net/arp").and_then(|table| ipv4::hardware_address(&table, hop, &route.interface));
    let address = hardware.unwrap_or_else(|| format!("{hop} {}", route.interface));
    Some(found(route.interface, address))
}

fn gateway_of_ipv6(server: Option<Ipv6Addr>) -> Option<InterfaceGateway> {
    let table = read("/proc/net/ipv6_route")?;
    let (interface, address) = ipv6::gateway(&table, server)?;
    Some(found(interface, address))
}

fn found(interface: String, address: String) -> InterfaceGateway {
    let kind = interface_kind(Path::new("/sys/class/net"), &interface);
    (interface, Gateway { address, kind })
}

/// Returns the kind of an interface. `class` is `/sys/class/net`.
fn interface_kind(class: &Path, interface: &str) -> Interface {
    let folder = class.join(interface);
    if folder.join("wireless").exists() || folder.join("phy80211").exists() {
        return Interface::Wireless;
    }
    let is_tunnel = folder.join("tun_flags").exists()
        // ARPHRD_NONE and ARPHRD_PPP of `if_arp.h`: WireGuard and PPP.
        || read(folder.join("type")).is_some_and(|kind| matches!(kind.trim(), "65534" | "512"));
    if is_tunnel { Interface::Tunnel } else { Interface::Wired }
}

fn read(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_an_interface_is_that_of_its_driver() {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in
            [("wlan0/wireless/x", ""), ("wg0/type", "65534\n"), ("tap0/tun_flags", "1"), ("eth0/type", "1\n")]
        {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let kind = |name| interface_kind(folder.path(), name);
        assert_eq!(
            [kind("wlan0"), kind("wg0"), kind("tap0")],
            [Interface::Wireless, Interface::Tunnel, Interface::Tunnel]
        );
        assert_eq!([kind("eth0"), kind("absent")], [Interface::Wired, Interface::Wired]);
    }

    #[test]
    fn the_router_of_ipv4_names_a_network_with_both() {
        let found = |interface: &str, address: &str| {
            Some((interface.to_owned(), Gateway { address: address.to_owned(), kind: Interface::Wired }))
        };
        let (ipv4, ipv6, vpn) = (found("eth0", "192.168.1.1"), found("eth0", "fe80::1"), found("wg0", "fd00::1"));
        assert_eq!(prefer_ipv4(ipv4.clone(), ipv6.clone()), ipv4);
        assert_eq!(prefer_ipv4(None, ipv6.clone()), ipv6, "a network without IPv4");
        assert_eq!(prefer_ipv4(ipv4.clone(), vpn.clone()), vpn, "the way by IPv6 is another one");
        assert_eq!(prefer_ipv4(ipv4.clone(), None), ipv4);
    }
}
