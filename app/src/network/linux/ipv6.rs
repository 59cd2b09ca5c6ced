//! The table of IPv6 routes (`/proc/net/ipv6_route`, `net/ipv6/route.c` of Linux). The parser is pure. The kernel has no file with the
//! neighbours of IPv6, so the hardware address of a router is only known if its address contains it (RFC 4291, appendix A).

use std::net::Ipv6Addr;

/// A route of the kernel.
#[derive(Debug, PartialEq, Eq)]
struct Route {
    interface: String,
    destination: Ipv6Addr,
    prefix: u32,
    router: Ipv6Addr,
    metric: u32,
}

impl Route {
    /// Reads a line. Returns `None` for a route that is not in use, leads nowhere, or leads to this computer itself.
    fn read(line: &str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace();
        let mut hexadecimal = |digits: usize| {
            let field = fields.next().filter(|field| field.len() == digits)?;
            u128::from_str_radix(field, 16).ok()
        };
        let (destination, prefix) = (hexadecimal(32)?, hexadecimal(2)?);
        let (_source, _source_prefix) = (hexadecimal(32)?, hexadecimal(2)?);
        let (router, metric) = (hexadecimal(32)?, hexadecimal(8)?);
        let (_references, _uses, flags) = (hexadecimal(8)?, hexadecimal(8)?, hexadecimal(8)?);
        let flags = u32::try_from(flags).ok()?;
        let interface = fields.next()?.to_owned();
        let prefix = u32::try_from(prefix).ok().filter(|prefix| *prefix <= Ipv6Addr::BITS)?;
        let metric = u32::try_from(metric).ok()?;
        let route = Self { interface, destination: destination.into(), prefix, router: router.into(), metric };
        (flags & UP != 0 && flags & (REJECT | LOCAL) == 0).then_some(route)
    }

    fn contains(&self, address: Ipv6Addr) -> bool {
        let mask = u128::MAX.checked_shl(Ipv6Addr::BITS - self.prefix).unwrap_or(0);
        (u128::from(address) ^ u128::from(self.destination)) & mask == 0
    }

    /// Returns true if the network of the interface has this prefix: a global or a unique local one (RFC 4291, RFC 4193).
    fn is_on_link(&self, interface: &str) -> bool {
        let first = self.destination.segments()[0];
        let is_global = first & 0xe000 == 0x2000 || first & 0xfe00 == 0xfc00;
        self.interface == interface && self.router.is_unspecified() && self.prefix >= MIN_ON_LINK && is_global
    }
}

/// Returns the interface and the name of the next router on the way to `server`, or of the default router. The name is the router's
/// hardware address if its address contains it. Otherwise, it is its address with the interface and the prefix of the network, because
/// many networks have a router `fe80::1`.
pub fn gateway(table: &str, server: Option<Ipv6Addr>) -> Option<(String, String)> {
    let known: Vec<Route> = table.lines().take(MAX_ROUTES).filter_map(Route::read).collect();
    let leads = |route: &&Route| server.map_or(route.prefix == 0, |server| route.contains(server));
    let best = known.iter().filter(leads).max_by_key(|route| (route.prefix, u32::MAX - route.metric))?;
    let router = if best.router.is_unspecified() { server? } else { best.router };
    let name = hardware_address(router).unwrap_or_else(|| {
        let prefixes = known.iter().filter(|route| route.is_on_link(&best.interface));
        let prefix = prefixes.map(|route| route.destination).min();
        let prefix = prefix.map(|prefix| format!(" {prefix}")).unwrap_or_default();
        format!("{router} {}{prefix}", best.interface)
    });
    Some((best.interface.clone(), name))
}

/// Returns the hardware address in a modified EUI-64 identifier of a link-local address.
fn hardware_address(router: Ipv6Addr) -> Option<String> {
    let bytes = router.octets();
    let [.., o0, o1, o2, 0xff, 0xfe, n0, n1, n2] = bytes else { return None };
    let is_link_local = router.segments()[0] & 0xffc0 == 0xfe80;
    // The bit "universal" is inverted (RFC 4291, section 2.5.1).
    let text = || [o0 ^ 2, o1, o2, n0, n1, n2].map(|byte| format!("{byte:02x}")).join(":");
    is_link_local.then(text)
}

/// The flags of `include/uapi/linux/route.h` and `ipv6_route.h`: in use; answers "unreachable"; leads to this computer.
const UP: u32 = 1;
const REJECT: u32 = 0x200;
const LOCAL: u32 = 0x8000_0000;

/// The shortest prefix of a network on one link. A shorter one belongs to a site or a provider.
const MIN_ON_LINK: u32 = 64;

/// The maximum number of routes that are read.
const MAX_ROUTES: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: &str = "00000000000000000000000000000000";

    /// Lines as Linux 6.12 prints them: two prefixes, a router on each interface, a VPN, the routes of `lo`.
    fn table(router: &str) -> String {
        [
            format!("20010db8000100000000000000000000 40 {ANY} 00 {ANY} 00000100 00000001 00000000 00000001     eth0"),
            format!("fe800000000000000000000000000000 40 {ANY} 00 {ANY} 00000100 00000001 00000000 00000001     eth0"),
            format!("{ANY} 00 {ANY} 00 {router} 00000064 00000005 00000000 00450003     eth0"),
            format!("{ANY} 00 {ANY} 00 fe80000000000000021122fffe334455 00000258 00000001 00000000 00450003    wlan0"),
            format!("fd420000000000000000000000000000 30 {ANY} 00 {ANY} 00000400 00000001 00000000 00000001      wg0"),
            format!("20010db800010000aabbccfffe001122 80 {ANY} 00 {ANY} 00000000 00000003 00000000 80200001     eth0"),
            format!("ff000000000000000000000000000000 08 {ANY} 00 {ANY} 00000100 00000004 00000000 00000001     eth0"),
            format!("{ANY} 00 {ANY} 00 {ANY} ffffffff 00000001 00000000 00200200       lo"),
        ]
        .join("\n")
    }

    fn of(table: &str, server: Option<&str>) -> Option<(String, String)> {
        gateway(table, server.map(|server| server.parse().unwrap()))
    }

    #[test]
    fn a_network_without_ipv4_is_named_by_its_default_router() {
        let named = |interface: &str, name: &str| Some((interface.to_owned(), name.to_owned()));
        let first = table("fe800000000000000000000000000001");
        assert_eq!(of(&first, None), named("eth0", "fe80::1 eth0 2001:db8:1::"), "the lowest metric");
        assert_eq!(of(&first, Some("2a00::7")), of(&first, None), "a server elsewhere");
        let second = table("fe80000000000000a8bbccfffe001122");
        assert_eq!(of(&second, None), named("eth0", "aa:bb:cc:00:11:22"), "as in the ARP table");
        assert_eq!(of(&second, Some("fd42::1")), named("wg0", "fd42::1 wg0"), "a server behind a VPN");
        let alone = second.lines().nth(3).unwrap();
        assert_eq!(of(alone, None), named("wlan0", "00:11:22:33:44:55"));
        assert_eq!(of(second.lines().last().unwrap(), None), None, "no network");
    }

    #[test]
    fn networks_with_equal_routers_have_other_names() {
        let one = table("fe800000000000000000000000000001");
        let other = one.replace("20010db80001", "20010db80002");
        assert_ne!(of(&one, None), of(&other, None));
    }

    #[test]
    fn a_table_that_is_cut_or_changed_is_read_without_panic() {
        let table = table("fe800000000000000000000000000001");
        for cut in 0..table.len() {
            of(&table[..cut], None);
            let changed = table[..cut].to_owned() + "f" + &table[cut + 1..];
            of(&changed, Some("2a00::7"));
        }
    }
}
