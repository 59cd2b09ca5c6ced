use super::*;

/// Interfaces as `name address`. A `*` behind the name marks the default route, a `~` a point-to-point interface.
fn interfaces_of(lines: &[&str]) -> Vec<Interface> {
    let parse = |line: &&str| {
        let (name, address) = line.rsplit_once(' ').expect("a name and an address");
        Interface {
            name: name.trim_end_matches(['*', '~']).to_owned(),
            address: address.parse().expect("an address"),
            has_default_route: name.contains('*'),
            point_to_point: name.contains('~'),
        }
    };
    lines.iter().map(parse).collect()
}

#[test]
fn the_best_address_is_the_one_that_people_nearby_reach() {
    for (case, interfaces, expected) in [
        ("nothing but loopback", &["lo 127.0.0.1", "lo ::1"][..], &["127.0.0.1", "::1"][..]),
        ("a LAN without a gateway", &["lo 127.0.0.1", "eth0 192.168.7.2"], &["192.168.7.2"]),
        (
            "a VPN with the default route",
            &["lo 127.0.0.1", "tun0*~ 10.8.0.6", "wlan0 192.168.1.20"],
            &["192.168.1.20", "10.8.0.6"],
        ),
        (
            "WireGuard, which is not point-to-point",
            &["wg0* 10.9.0.2", "wg0* fd12::2", "enp3s0 172.20.1.4"],
            &["172.20.1.4", "10.9.0.2", "fd12::2"],
        ),
        ("only a VPN", &["lo 127.0.0.1", "wg0 10.9.0.2"], &["10.9.0.2"]),
        (
            "bridges of containers and virtual machines",
            &["docker0 172.17.0.1", "br-0123456789ab 172.18.0.1", "virbr0 192.168.122.1", "eth0* 10.1.2.3"],
            &["10.1.2.3", "172.17.0.1", "172.18.0.1", "192.168.122.1"],
        ),
        ("a bridge of a router", &["eth1 10.0.0.1", "br-lan* 192.168.1.1"], &["192.168.1.1", "10.0.0.1"]),
        (
            "two networks: that of the default route first",
            &["wlan0 192.168.5.5", "eth0* 10.0.0.9"],
            &["10.0.0.9", "192.168.5.5"],
        ),
        ("two networks without a gateway", &["eth0 10.0.0.9", "eth1 192.168.5.5"], &["10.0.0.9", "192.168.5.5"]),
        (
            "IPv6",
            &["eth0* fe80::1", "eth0* fd00::2", "eth0* 2001:db8::2", "eth0* 192.0.2.2"],
            &["192.0.2.2", "2001:db8::2", "fd00::2"],
        ),
        ("only a local IPv6 network", &["eth0 fe80::1", "eth0 fd00::2", "lo ::1"], &["fd00::2"]),
        ("an overlay network", &["tailscale0 100.100.1.2", "eth0 100.64.3.4"], &["100.64.3.4", "100.100.1.2"]),
        ("a mobile network", &["wwan0*~ 10.44.0.7", "docker0 172.17.0.1"], &["10.44.0.7", "172.17.0.1"]),
        ("a cable without a network", &["eth0 169.254.8.9", "lo 127.0.0.1"], &["127.0.0.1"]),
        ("names of Windows", &["vEthernet (WSL) 172.29.1.1", "Ethernet* 10.0.0.4"], &["10.0.0.4", "172.29.1.1"]),
        ("an address on two interfaces", &["eth0 10.0.0.1", "eth1 10.0.0.1"], &["10.0.0.1"]),
    ] {
        let found = rank(interfaces_of(interfaces));
        let expected: Vec<IpAddr> = expected.iter().map(|address| address.parse().unwrap()).collect();
        assert_eq!(found, expected, "{case}");
    }
}

#[test]
fn a_server_on_one_address_is_reached_by_that_address() {
    for address in ["127.0.0.1", "192.0.2.7", "fd00::9"] {
        let address: IpAddr = address.parse().unwrap();
        assert_eq!(candidates(address), [address]);
    }
    assert_eq!(candidates("::ffff:192.0.2.7".parse().unwrap()), ["192.0.2.7".parse::<IpAddr>().unwrap()]);
}

#[test]
fn a_server_on_all_addresses_names_those_of_its_family() {
    let (v4, all) = (candidates(Ipv4Addr::UNSPECIFIED.into()), candidates(Ipv6Addr::UNSPECIFIED.into()));
    assert!(!v4.is_empty() && v4.iter().all(IpAddr::is_ipv4), "{v4:?}");
    assert!(!all.is_empty() && all.iter().all(|address| !address.is_unspecified()), "{all:?}");
    assert!(v4.iter().all(|address| address.is_loopback() || all.contains(address)), "{v4:?} {all:?}");
}
