//! One address of a network interface, and what the interface is for.

use std::net::IpAddr;

/// One address of a network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// The name of the interface, such as `eth0`; on Windows the name that the user sees.
    pub name: String,
    /// The address.
    pub address: IpAddr,
    /// Whether the interface has a default route.
    pub has_default_route: bool,
    /// Whether only one other computer is at the other end.
    pub point_to_point: bool,
}

/// What an interface is for, in the order in which people can be expected to reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A cable, Wi-Fi or mobile network.
    Network,
    /// A VPN: only its members reach the address.
    Vpn,
    /// A network of containers or virtual machines inside this computer.
    Virtual,
}

impl Interface {
    /// Returns what the interface is for, judged by its name.
    #[must_use]
    pub fn role(&self) -> Role {
        let name = self.name.to_ascii_lowercase();
        if VIRTUAL.iter().any(|prefix| name.starts_with(prefix))
            || VIRTUAL_WORDS.iter().any(|word| name.contains(word))
            || is_docker_bridge(&name)
        {
            return Role::Virtual;
        }
        // Modems of mobile networks (`wwan0`) are point-to-point, too.
        let tunnel = self.point_to_point && !name.starts_with("ww");
        let named =
            VPN.iter().any(|prefix| name.starts_with(prefix)) || VPN_WORDS.iter().any(|word| name.contains(word));
        if tunnel || named { Role::Vpn } else { Role::Network }
    }
}

/// Whether the name is one that Docker gives to a bridge: `br-` and twelve hexadecimal digits. Routers have a `br-lan`.
fn is_docker_bridge(name: &str) -> bool {
    let id = name.strip_prefix("br-");
    id.is_some_and(|id| id.len() == 12 && id.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// How the names of VPN interfaces begin on Unix systems.
const VPN: &[&str] =
    &["tun", "tap", "wg", "ppp", "utun", "ipsec", "tailscale", "zt", "nordlynx", "proton", "cscotun", "gpd", "vpn"];

/// What the names of VPN adapters contain on Windows.
const VPN_WORDS: &[&str] = &["vpn", "wireguard", "tailscale", "zerotier", "tap-windows"];

/// How the names of virtual networks begin on Unix systems.
const VIRTUAL: &[&str] = &[
    "docker", "veth", "virbr", "vmnet", "vboxnet", "vnet", "lxc", "lxd", "incusbr", "cni", "podman", "flannel", "cali",
    "kube", "bridge1",
];

/// What the names of virtual adapters contain on Windows.
const VIRTUAL_WORDS: &[&str] = &["vethernet", "virtualbox", "vmware", "hyper-v"];
