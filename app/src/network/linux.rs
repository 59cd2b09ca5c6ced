//! Recognises the network by the tables of the kernel (`proc(5)`: `/proc/net/route`, `/proc/net/arp`), and asks `NetworkManager` whether
//! it is metered (`org.freedesktop.NetworkManager`, property `Metered`). Needs no privileges.

use super::gateway::{Gateway, Interface};
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use zbus::blocking::{Connection, Proxy, connection};

/// Returns the next computer on the way to `server`. Without a server, or for one with an IPv6 address, it is the gateway of the IPv4
/// network.
pub fn gateway(server: Option<IpAddr>) -> Option<Gateway> {
    let server = match server {
        Some(IpAddr::V4(address)) => Some(address),
        Some(IpAddr::V6(_)) | None => None,
    };
    let route = best_route(&read("/proc/net/route")?, server)?;
    let hop = route.next_hop(server)?;
    let kind = interface_kind(Path::new("/sys/class/net"), &route.interface);
    let hardware = read("/proc/net/arp").and_then(|table| hardware_address(&table, hop, &route.interface));
    let address = hardware.unwrap_or_else(|| format!("{hop} {}", route.interface));
    Some(Gateway { address, kind })
}

/// Returns whether `NetworkManager` says that the network is metered. `None` if it does not run or does not know.
pub fn is_metered() -> Option<bool> {
    let connection = connection::Builder::system().ok()?.build().ok()?;
    metered(&connection)
}

fn metered(connection: &Connection) -> Option<bool> {
    const NAME: &str = "org.freedesktop.NetworkManager";
    let proxy = Proxy::new(connection, NAME, "/org/freedesktop/NetworkManager", NAME).ok()?;
    proxy.get_property::<u32>("Metered").ok().and_then(means_metered)
}

/// Returns what a value of `NMMetered` means: yes, no, and the same as a guess. 0 is unknown.
const fn means_metered(value: u32) -> Option<bool> {
    match value {
        1 | 3 => Some(true),
        2 | 4 => Some(false),
        _ => None,
    }
}

/// A route of the kernel.
#[derive(Debug, PartialEq, Eq)]
struct Route {
    interface: String,
    destination: Ipv4Addr,
    gateway: Ipv4Addr,
    mask: u32,
    metric: u32,
}

impl Route {
    /// Reads a line of `/proc/net/route`. Returns `None` for the heading and for a route that is not in use.
    fn read(line: &str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace();
        let interface = fields.next()?.to_owned();
        // The kernel writes addresses as numbers of its own byte order.
        let mut address = || u32::from_str_radix(fields.next()?, 16).ok().map(u32::to_ne_bytes);
        let (destination, gateway) = (address()?, address()?);
        let flags = u32::from_str_radix(fields.next()?, 16).ok()?;
        let metric = fields.nth(2)?.parse().ok()?;
        let mask = u32::from_str_radix(fields.next()?, 16).ok()?.to_ne_bytes();
        let (destination, gateway) = (destination.into(), gateway.into());
        let route = Self { interface, destination, gateway, mask: u32::from_be_bytes(mask), metric };
        (flags & UP != 0).then_some(route)
    }

    fn contains(&self, address: Ipv4Addr) -> bool {
        (u32::from(address) ^ u32::from(self.destination)) & self.mask == 0
    }

    /// Returns the next computer on the way to `server`: the gateway, or `server` itself in the same network.
    fn next_hop(&self, server: Option<Ipv4Addr>) -> Option<Ipv4Addr> {
        if self.gateway.is_unspecified() { server } else { Some(self.gateway) }
    }
}

/// Returns the route to `server`: the one with the longest mask, and of these the one with the lowest metric. Without a server, the
/// default route.
fn best_route(table: &str, server: Option<Ipv4Addr>) -> Option<Route> {
    let routes = table.lines().filter_map(Route::read);
    let leads = |route: &Route| server.map_or(route.mask == 0, |server| route.contains(server));
    routes.filter(leads).max_by_key(|route| (route.mask.count_ones(), u32::MAX - route.metric))
}

/// Returns the hardware address of a neighbour from `/proc/net/arp`. `None` if the kernel does not know it.
fn hardware_address(table: &str, neighbour: Ipv4Addr, interface: &str) -> Option<String> {
    let line = table.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    let mut found = line.filter_map(|fields| match fields[..] {
        [address, _, _, hardware, _, device] if device == interface && address.parse() == Ok(neighbour) => {
            Some(hardware.to_ascii_lowercase())
        }
        _ => None,
    });
    found.next().filter(|hardware| hardware != NO_HARDWARE)
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

/// The flag of a route that is in use (`RTF_UP`).
const UP: u32 = 1;

/// What the table has for a neighbour that has not answered.
const NO_HARDWARE: &str = "00:00:00:00:00:00";

#[cfg(test)]
mod tests {
    use super::*;

    /// As `cat /proc/net/route` prints it on a little-endian machine: two default routes, a local network, a VPN.
    const ROUTES: &str = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
        wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n\
        eth0\t00000000\t010AA8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n\
        eth0\t000AA8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n\
        eth1\t00000000\t010BA8C0\t0002\t0\t0\t1\t00000000\t0\t0\t0\n\
        tun0\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n";

    const ARP: &str = "IP address       HW type     Flags       HW address            Mask     Device\n\
        192.168.10.1     0x1         0x2         AA:bb:cc:00:11:22     *        eth0\n\
        192.168.1.1      0x1         0x0         00:00:00:00:00:00     *        wlan0\n";

    fn hop(server: Option<[u8; 4]>) -> Option<(String, Ipv4Addr)> {
        let server = server.map(Ipv4Addr::from);
        let route = best_route(ROUTES, server)?;
        Some((route.interface.clone(), route.next_hop(server)?))
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn the_next_hop_is_that_of_the_route_which_the_kernel_takes() {
        let at = |interface: &str, address: [u8; 4]| Some((interface.to_owned(), address.into()));
        assert_eq!(hop(None), at("eth0", [192, 168, 10, 1]), "the default route with the lowest metric that is up");
        assert_eq!(hop(Some([203, 0, 113, 7])), at("eth0", [192, 168, 10, 1]));
        assert_eq!(hop(Some([192, 168, 10, 9])), at("eth0", [192, 168, 10, 9]), "a server in the same network");
        assert_eq!(hop(Some([10, 1, 2, 3])), at("tun0", [10, 1, 2, 3]), "a server behind a VPN");
        assert_eq!(best_route("", None), None);
        for cut in 0..ROUTES.len() {
            best_route(&ROUTES[..cut], None);
        }
    }

    #[test]
    fn a_neighbour_is_named_by_its_hardware_address_if_the_kernel_knows_it() {
        let of = |address: [u8; 4], interface| hardware_address(ARP, address.into(), interface);
        assert_eq!(of([192, 168, 10, 1], "eth0").as_deref(), Some("aa:bb:cc:00:11:22"));
        assert_eq!(of([192, 168, 10, 1], "eth1"), None, "another network");
        assert_eq!(of([192, 168, 1, 1], "wlan0"), None, "it has not answered");
        assert_eq!(of([10, 0, 0, 1], "eth0"), None);
    }

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
    fn network_manager_says_whether_the_network_is_metered() {
        assert_eq!(
            [0, 1, 2, 3, 4, 9].map(means_metered),
            [None, Some(true), Some(false), Some(true), Some(false), None]
        );
    }
}
