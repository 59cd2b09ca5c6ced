//! The virtual addresses of TURN servers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Returns the virtual address of the server with this number, for a socket on `local`. Returns `None` if there are too many.
pub fn virtual_address(index: usize, local: IpAddr) -> Option<SocketAddr> {
    let last = u8::try_from(index).ok()?.checked_add(1)?;
    let ip: IpAddr = match local {
        IpAddr::V4(_) => Ipv4Addr::new(FIRST_V4, 0, 0, last).into(),
        IpAddr::V6(_) => Ipv6Addr::new(FIRST_V6, 0, 0, 0, 0, 0, 0, last.into()).into(),
    };
    Some(SocketAddr::new(ip, PORT))
}

/// Returns the number of the server at a virtual address.
pub fn index_of(address: SocketAddr) -> Option<usize> {
    let last = match address.ip() {
        IpAddr::V4(ip) => ip.octets()[3],
        IpAddr::V6(ip) => ip.octets()[15],
    };
    is_virtual(address).then(|| usize::from(last).checked_sub(1))?
}

/// Returns true for an address that only a TURN server of this process has. A datagram of the network from there is forged.
pub fn is_virtual(address: SocketAddr) -> bool {
    match address.ip() {
        IpAddr::V4(ip) => ip.octets()[0] == FIRST_V4,
        IpAddr::V6(ip) => ip.segments()[..4] == [FIRST_V6, 0, 0, 0],
    }
}

/// `240.0.0.0/4` is reserved and routed nowhere (RFC 1112, section 4).
const FIRST_V4: u8 = 240;

/// `100::/64` is only for datagrams to be discarded (RFC 6666).
const FIRST_V6: u16 = 0x0100;

/// The port of TURN.
const PORT: u16 = 3_478;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_has_its_own_address_of_the_right_family() {
        for local in ["192.0.2.1", "2001:db8::1"].map(|text| text.parse::<IpAddr>().unwrap()) {
            for index in 0..6 {
                let address = virtual_address(index, local).unwrap();
                assert_eq!((index_of(address), address.is_ipv4()), (Some(index), local.is_ipv4()));
                assert!(is_virtual(address));
            }
            assert!(!is_virtual(SocketAddr::new(local, PORT)) && index_of(SocketAddr::new(local, PORT)).is_none());
            assert_eq!(virtual_address(255, local), None);
        }
    }
}
