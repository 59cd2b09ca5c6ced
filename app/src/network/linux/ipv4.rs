//! The tables of IPv4 (`proc(5)`: `/proc/net/route`, `/proc/net/arp`). The parsers are pure.

use std::net::Ipv4Addr;

/// A route of the kernel.
#[derive(Debug, PartialEq, Eq)]
pub struct Route {
    /// The interface that it uses.
    pub interface: String,
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
    pub fn next_hop(&self, server: Option<Ipv4Addr>) -> Option<Ipv4Addr> {
        if self.gateway.is_unspecified() { server } else { Some(self.gateway) }
    }
}

/// Returns the route to `server`: the one with the longest mask, and of these the one with the lowest metric. Without a server, the
/// default route.
pub fn best_route(table: &str, server: Option<Ipv4Addr>) -> Option<Route> {
    let routes = table.lines().filter_map(Route::read);
    let leads = |route: &Route| server.map_or(route.mask == 0, |server| route.contains(server));
    routes.filter(leads).max_by_key(|route| (route.mask.count_ones(), u32::MAX - route.metric))
}

/// Returns the hardware address of a neighbour from `/proc/net/arp`. `None` if the kernel does not know it.
pub fn hardware_address(table: &str, neighbour: Ipv4Addr, interface: &str) -> Option<String> {
    let line = table.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    let mut found = line.filter_map(|fields| match fields[..] {
        [address, _, _, hardware, _, device] if device == interface && address.parse() == Ok(neighbour) => {
            Some(hardware.to_ascii_lowercase())
        }
        _ => None,
    });
    found.next().filter(|hardware| hardware != NO_HARDWARE)
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
}
